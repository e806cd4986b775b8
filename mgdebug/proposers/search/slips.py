"""The slips that one line may hold, and what would mend each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mgdebug.languages import Spelling
from mgdebug.proposers.search.offers import Offer, short
from mgdebug.syntax.source import SourceFile

OPEN, CLOSE = "([{", ")]}"
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Line:
    """One line under suspicion, with those around it."""

    def __init__(self, source: SourceFile, spelling: Spelling, number: int) -> None:
        self.source, self.words, self.number = source, spelling, number
        self.start, self.stop = source.line_bounds(number)
        self.text = source.slice(self.start, self.stop)
        code = re.sub(spelling.opaque, _masked, self.text)
        self.code = code.rstrip()  # strings and comments are blanked out
        self.indent = self.text[: len(self.text) - len(self.text.lstrip())]
        self.first = (re.findall(r"\w+", self.code) or [""])[0]
        self.header = self.first in spelling.headers

    def offers(self) -> Iterator[Offer]:
        if self.code.strip():
            yield from self._colon()
            yield from self._comparison()
            yield from self._brackets()
            yield from self._commas()
            yield from self._keywords()
            yield from self._foreign()
            yield from self._leftovers()
            yield from self._body()
        if self.text.strip():
            yield from self._quotes()
            yield from self._indents()

    # ------------------------------------------------------------------------------ the slips

    def _edit(self, at: int, until: int, text: str) -> tuple[int, int, str]:
        """A replacement of characters of the line, in bytes of the file."""
        start = self.start + len(self.text[:at].encode("utf-8", "surrogatepass"))
        end = self.start + len(self.text[:until].encode("utf-8", "surrogatepass"))
        return start, end, text

    def put(self, cost: float, at: int, text: str, note: str, until: int | None = None) -> Offer:
        return Offer(cost, (self._edit(at, at if until is None else until, text),), note)

    def _colon(self) -> Iterator[Offer]:
        mark, end = self.words.header_end, len(self.code)
        if not mark or not self.header or self.code.endswith(mark):
            return
        note = f"`{mark}` added after `{short(self.code, 40)}`"
        yield self.put(2.0, end, mark, note)
        if self.code[-1] in ";,.":
            yield self.put(1.9, end - 1, mark, f"`{self.code[-1]}` becomes `{mark}`", end)
        if mark not in self.code:
            for rank, at in enumerate(self._ends()[::-1]):
                yield self.put(3.0 + 0.05 * rank, at, mark, note)
        for closed in self._closers(self.code):  # a bracket is missing, too
            yield self.put(3.4, end, closed + mark, f"`{closed}{mark}` added")
        if self.first in self.words.definitions and "(" not in self.code:
            yield self.put(2.2, end, f"(){mark}", f"`(){mark}` added")

    def _comparison(self) -> Iterator[Offer]:
        if self.first in self.words.conditional:
            for match in re.finditer(r"(?<![=<>!:+\-*/%&|^@])=(?!=)", self.code):
                at = match.start()
                yield self.put(2.3, at, "==", "`=` becomes `==`", at + 1)
        for wrong, right in self.words.slips.items():
            pattern = rf"\b{re.escape(wrong)}\b" if wrong[0].isalpha() else re.escape(wrong)
            for match in re.finditer(pattern, self.code):
                note = f"`{wrong.strip()}` becomes `{right.strip()}`"
                yield self.put(2.1, match.start(), right, note, match.end())

    def _closers(self, code: str) -> list[str]:
        stack: list[str] = []
        for letter in code:
            if letter in OPEN:
                stack.append(CLOSE[OPEN.index(letter)])
            elif letter in CLOSE and stack and stack[-1] == letter:
                stack.pop()
        return ["".join(reversed(stack))] if stack else []

    def _ends(self) -> list[int]:
        """Ends of tokens, the last one first."""
        ends = [match.end() for match in _TOKEN.finditer(self.code)]
        return ends[::-1][:16]

    def _brackets(self) -> Iterator[Offer]:
        stack: list[tuple[str, int]] = []
        ends = self._ends()
        for at, letter in enumerate(self.code):
            if letter in OPEN:
                stack.append((letter, at))
            elif letter in CLOSE:
                wanted = OPEN[CLOSE.index(letter)]
                if stack and stack[-1][0] == wanted:
                    stack.pop()
                    continue
                yield self.put(2.4, at, "", f"`{letter}` removed", at + 1)
                if stack:
                    right = CLOSE[OPEN.index(stack[-1][0])]
                    yield self.put(2.2, at, right, f"`{letter}` becomes `{right}`", at + 1)
                    yield self.put(2.8, at, right, f"`{right}` added before `{letter}`")
                for rank, match in enumerate(re.finditer(r"(?<![\w.])[\w.]+", self.code[:at])):
                    for place in (match.start(), match.end()):
                        note = f"`{wanted}` added"
                        yield self.put(2.9 + 0.05 * rank, place, wanted, note)
        for letter, at in stack:
            right = CLOSE[OPEN.index(letter)]
            if len(stack) == 1:
                yield self.put(3.2, at, "", f"`{letter}` removed", at + 1)
            for rank, end in enumerate(ends):
                if end > at:
                    note = f"`{right}` added after `{short(self.code[:end], 40)}`"
                    yield self.put(2.2 + 0.1 * rank, end, right, note)
        if len(stack) > 1:
            for closed in self._closers(self.code):
                yield self.put(2.3, len(self.code), closed, f"`{closed}` added")

    def _commas(self) -> Iterator[Offer]:
        comma = self.words.comma
        for match in re.finditer(r"(?<=[\w)\]}\"'])( +)(?=[\w(\[{\"'])", self.text):
            note = f"`{comma}` added"
            yield self.put(2.8, match.start(), comma, note)
        if self.code and self.code[-1] not in ",([{:":
            yield self.put(3.0, len(self.code), comma, f"`{comma}` added at the end of the line")

    def _keywords(self) -> Iterator[Offer]:
        known = self.words.keywords
        for rank, match in enumerate(re.finditer(r"[A-Za-z_]+", self.code)):
            word = match.group()
            if word in known or rank > 12:
                continue
            also = {w: r for w, r in self.words.slips.items() if w.isalpha() and len(w) > 4}
            for near, keyword in [*((k, k) for k in known), *also.items()]:
                if _near(word.lower(), near.lower()):
                    note = f"`{word}` becomes `{keyword}`"
                    cost = 2.0 + 0.2 * bool(rank) + 0.02 * abs(len(word) - len(keyword))
                    yield self.put(cost, match.start(), keyword, note, match.end())
        for first, word in self.words.missing:
            if self.first == first and not re.search(rf"\b{word}\b", self.code):
                for end in self._ends()[::-1]:
                    yield self.put(2.6, end, f" {word}", f"`{word}` added")

    def _foreign(self) -> Iterator[Offer]:
        for pattern, right in self.words.foreign:
            match = re.search(pattern, self.text)
            if match:
                new = match.expand(right)
                note = f"`{short(match.group(), 40)}` becomes `{short(new, 40)}`"
                yield self.put(2.2, match.start(), new, note, match.end())

    def _leftovers(self) -> Iterator[Offer]:
        tail = re.search(r"\s*[^\w\s)\]}:'\"]+$", self.code)
        if tail:
            note = f"`{tail.group().strip()}` removed"
            yield self.put(3.8, tail.start(), "", note, tail.end())
        for at, letter in enumerate(self.code):
            if not (letter.isalnum() or letter.isspace() or letter in "_\"'"):
                yield self.put(3.6, at, "", f"`{letter}` removed", at + 1)
        begin, end = self.start, self.source.line_bounds(self.number)[1]
        after = self.source.text[end : end + 2]
        end += 2 if after == b"\r\n" else len(after[:1]) * (after[:1] == b"\n")
        yield Offer(6.0, ((begin, end, ""),), f"the line `{short(self.text, 40)}` removed")

    def _body(self) -> Iterator[Offer]:
        below = self._neighbour(1)
        if self.header and (below is None or len(below) <= len(self.indent)):
            unit = self._unit()
            text = f"{self.source.newline}{self.indent}{unit}{self.words.filler}"
            mark = "" if self.code.endswith(self.words.header_end) else self.words.header_end
            note = f"`{self.words.filler}` added below `{short(self.code, 40)}`"
            yield self.put(3.0 + 0.6 * bool(mark), len(self.text), mark + text, note)

    def _quotes(self) -> Iterator[Offer]:
        for quote in self.words.quotes:
            if self.text.count(quote) % 2 == 0:
                continue
            at = self.text.rfind(quote)
            note = f"`{quote}` added"
            if len(quote) > 1:
                yield self.put(2.4, len(self.text.rstrip()), quote, note)
                continue
            ends = [m.end() for m in _TOKEN.finditer(self.text) if m.end() > at]
            for rank, end in enumerate(reversed(ends[-16:])):
                yield self.put(2.2 + 0.08 * rank, end, quote, note)
            starts = [m.start() for m in _TOKEN.finditer(self.text[:at])]
            for rank, start in enumerate(reversed(starts[-12:])):
                yield self.put(2.6 + 0.08 * rank, start, quote, note)
            for match in re.finditer("|".join(re.escape(q) for q in self.words.quotes), self.text):
                if len(match.group()) == 1 and match.group() != quote:
                    changed = f"`{match.group()}` becomes `{quote}`"
                    yield self.put(2.3, match.start(), quote, changed, match.end())
                    back = self._edit(at, at + 1, match.group())
                    yield Offer(2.3, (back,), f"`{quote}` becomes `{match.group()}`")
            yield self.put(3.4, at, "", f"`{quote}` removed", at + 1)

    # ---------------------------------------------------------------------------- indents

    def _neighbour(self, step: int) -> str | None:
        """The indent of the next line with code in a direction."""
        number, total = self.number + step, self.source.line_of(len(self.source.text))
        while 1 <= number <= total:
            text = self.source.line_text(number)
            if text.strip() and not text.lstrip().startswith(self.words.comment):
                return text[: len(text) - len(text.lstrip())]
            number += step
        return None

    def _levels(self) -> Iterator[str]:
        """The indents of the suites around the line, the innermost first."""
        least = 1 << 30
        for number in range(self.number - 1, max(0, self.number - 400), -1):
            text = self.source.line_text(number)
            indent = text[: len(text) - len(text.lstrip())]
            if text.strip() and len(indent) < least:
                least = len(indent)
                yield indent
            if not least:
                return

    def _unit(self) -> str:
        for number in range(1, min(400, self.source.line_of(len(self.source.text))) + 1):
            text = self.source.line_text(number)
            if text[:1] in (" ", "\t") and text.strip():
                return "\t" if text[0] == "\t" else " " * min(4, len(text) - len(text.lstrip()))
        return "    "

    def _indents(self) -> Iterator[Offer]:
        above, below, unit = self._neighbour(-1), self._neighbour(1), self._unit()
        wanted: dict[str, float] = {}
        for indent, cost in (
            ((above or "") + unit, 2.4),
            (above or "", 2.5),
            (below, 2.6),
            ((above or "").removesuffix(unit), 2.8),
            (self.indent + unit, 3.0),
            (self.indent.removesuffix(unit), 3.0),
            (self.indent.expandtabs(8), 2.3),
            (self.indent.expandtabs(4), 2.3),
            *((indent, 2.7 + 0.05 * rank) for rank, indent in enumerate(self._levels())),
        ):
            if indent is not None and indent != self.indent:
                wanted.setdefault(indent, cost)
        for indent, cost in wanted.items():
            yield self.put(cost, 0, indent, self._moved(1), len(self.indent))
            edits = list(self._shifted(indent))
            for count in range(2, len(edits) + 1):
                if count <= 12 or count == len(edits):
                    extra = 0.3 + 0.05 * min(count, 12)
                    yield Offer(cost + extra, tuple(edits[:count]), self._moved(count))

    def _moved(self, count: int) -> str:
        return "indent changed" if count == 1 else f"indent of {count} lines changed"

    def _shifted(self, indent: str) -> Iterator[tuple[int, int, str]]:
        """The line and those below it that stand at least as deep, moved together."""
        total = self.source.line_of(len(self.source.text))
        for number in range(self.number, min(total, self.number + 60) + 1):
            text = self.source.line_text(number)
            if not text.strip():
                continue
            if not text.startswith(self.indent):
                return
            start, _ = self.source.line_bounds(number)
            yield start, start + len(self.indent.encode()), indent


def _masked(match: re.Match[str]) -> str:
    """A string as blanks between its quotes, a comment as nothing."""
    text = match.group()
    if text[0] not in "\"'`":
        return ""
    return text[0] + "x" * (len(text) - 2) + text[-1]


def _near(one: str, two: str) -> bool:
    """Whether two words are one slip of the fingers apart, or two where they are long: a letter
    dropped, added, changed, or two swapped (Damerau 1964)."""
    if one == two:
        return True
    if abs(len(one) - len(two)) > 2 or len(one) < 2:
        return False
    limit = 1 if len(two) < 6 else 2
    rows = [list(range(len(two) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(two, 1):
            best = min(row[-1] + 1, rows[-1][j] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1] <= limit
