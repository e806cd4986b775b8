"""A file that does not parse: what of it does, and which stretches of lines do not.

One bracket that is never closed makes a parser lose all that follows.  So the text is taken apart
at the lines that may begin a statement, and each piece is parsed by itself (island parsing: Moonen
2001); pieces that do not parse are taken apart again, and what is left of them stays out of the
tree.  Bytes keep their places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tree_sitter

from mgdebug.model import Span
from mgdebug.syntax.source import SourceFile

Lines = tuple[int, int]  # numbers from 0, the second one excluded

_LONGEST_JOIN = 60  # pieces that a bracket or a long string may go over
_TRIED_ONE_BY_ONE = 64  # pieces of a suite that do not parse together
_DEEPEST = 30  # suites inside suites that are taken apart
_BRACKETS = re.compile(rb"[(\[{)\]}]")


@dataclass(frozen=True, slots=True)
class Intact:
    """tree: of the lines that parse, at their places.  broken: the other stretches, as whole
    lines."""

    tree: tree_sitter.Tree
    broken: tuple[Span, ...]


def intact(source: SourceFile) -> Intact:
    """What can be read of a file with syntax errors.  The cost grows with its length and, at most,
    the depth of its nesting."""
    readings = [_Pieces(source, opaque).intact() for opaque in (True, False)]
    readings.append(Intact(source.tree, tuple(_error_lines(source))))
    return max(readings, key=lambda reading: _worth(source, reading))


def _worth(source: SourceFile, reading: Intact) -> tuple[int, int]:
    """How many definitions hold no error, and how few bytes are broken."""
    captures = source.grammar.captured("structure", reading.tree.root_node)
    nodes = [node for name in ("function", "class") for node in captures.get(name, ())]
    broken = sum(span.end - span.start for span in reading.broken)
    return sum(not node.has_error for node in nodes), -broken


def _error_lines(source: SourceFile) -> Iterator[Span]:
    """The lines of the places where the parser itself found errors."""
    last = 0
    for line, _, _ in source.errors:
        if line > last:
            start, end = source.line_bounds(line)
            text = source.text[start:end]
            yield source.stretch(start + len(text) - len(text.lstrip()), end)
            last = line


class _Pieces:
    """opaque: whether lines that begin inside a string over lines begin no statement.  That is a
    help, but for a string that is not closed."""

    def __init__(self, source: SourceFile, opaque: bool) -> None:
        self.source = source
        conventions = source.grammar.conventions
        self.goes_on = re.compile(conventions.goes_on.encode())
        self.joins = re.compile(conventions.joins.encode())
        self.long_quotes = [quote.encode() for quote in conventions.long_quotes]
        self.lines = re.findall(rb"[^\n]*\n|[^\n]+", source.text)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.indents = [
            len(line) - len(line.lstrip(b" \t\f")) if line.strip() else None for line in self.lines
        ]
        self.hidden: dict[int, int] = {}  # of the indents of lines that stand further out
        self.inside: set[int] = set()
        for match in re.finditer(conventions.opaque.encode(), source.text) if opaque else ():
            first, last = (source.line_of(at) for at in match.span())
            self.inside.update(range(first, last))

    def intact(self) -> Intact:
        kept, broken = self._suite((0, len(self.lines)))
        tree = self._parse(kept)
        if tree.root_node.has_error and len(kept) <= _TRIED_ONE_BY_ONE:
            kept, lost = self._together([], kept)
            broken += lost
            tree = self._parse(kept)
        return Intact(tree, tuple(self._span(lines) for lines in _merged(broken, self.indents)))

    # ------------------------------------------------------------------------------- pieces

    def _suite(self, lines: Lines, depth: int = 0) -> tuple[list[Lines], list[Lines]]:
        """Of the lines of one suite, the pieces that parse and those that do not."""
        kept: list[Lines] = []
        broken: list[Lines] = []
        pieces = list(self._pieces(lines))
        at = 0
        while at < len(pieces):
            piece = pieces[at]
            if self._parses([piece], alone=True):
                kept.append(piece)
                at += 1
                continue
            joined = self._joined(pieces, at)
            if joined:
                kept.append((piece[0], pieces[joined - 1][1]))
                at = joined
                continue
            good, bad = self._taken_apart(piece, depth)
            kept += good
            broken += bad
            at += 1
        return kept, broken

    def _pieces(self, lines: Lines) -> Iterator[Lines]:
        """Stretches that begin at the suite's own indent, with the lines behind them."""
        inside = self.inside
        seen = [i for n in range(*lines) if n not in inside and (i := self.indents[n]) is not None]
        if not seen:
            return
        own, start, prefixed = min(seen), lines[0], False
        for number in range(*lines):
            indent = self.indents[number]
            if indent is None or indent > own or number in inside:
                continue
            text = self.lines[number].strip()
            begins = not self.goes_on.match(text) and not prefixed
            if begins and number > start:
                if any(self.indents[n] is not None for n in range(start, number)):
                    yield start, number
                start = number
            prefixed = bool(self.joins.match(text))
        yield start, lines[1]

    def _joined(self, pieces: Sequence[Lines], at: int) -> int:
        """How far a piece goes whose bracket or long string ends in a later piece; 0 if it does
        not."""
        text = self._text(pieces[at])
        quotes = [quote for quote in self.long_quotes if text.count(quote) % 2]
        depth = _depth(text)
        if not quotes and depth <= 0:
            return 0
        for end in range(at + 1, min(len(pieces), at + _LONGEST_JOIN)):
            more = self._text(pieces[end])
            depth += _depth(more)
            if any(quote in more for quote in quotes) or (not quotes and depth <= 0):
                whole = pieces[at][0], pieces[end][1]
                if self._parses([whole], alone=True):
                    return end + 1
                if not quotes:
                    return 0
        return 0

    def _taken_apart(self, piece: Lines, depth: int) -> tuple[list[Lines], list[Lines]]:
        """The head of a piece and what parses in the suite below it."""
        first = next(n for n in range(*piece) if self.indents[n] is not None)
        own = self.indents[first]
        assert own is not None
        deeper = [
            n
            for n in range(first + 1, piece[1])
            if (i := self.indents[n]) is not None and i > own and n not in self.inside
        ]
        if not deeper or depth > _DEEPEST:
            return [], [piece]
        # What follows back at the piece's own indent, such as an else, is not tried.
        last = next(
            (
                n
                for n in range(deeper[0], piece[1])
                if self.indents[n] == own and n not in self.inside
            ),
            piece[1],
        )
        head, body, tail = (piece[0], deeper[0]), (deeper[0], last), (last, piece[1])
        kept, broken = self._suite(body, depth + 1)
        rest = [tail] if any(self.indents[n] is not None for n in range(*tail)) else []
        together, lost = self._together([head], kept)
        if len(together) > 1 and rest and self._parses([*together, *rest], alone=True):
            return [*together, *rest], broken + lost
        if len(together) > 1:
            return together, broken + lost + rest
        if self._parses([head], alone=True):
            return [head], [body, *rest]
        # The head is broken: definitions below it stand in its place.
        good = [lines for lines in kept if self._is_definition(lines)]
        bad = [lines for lines in kept if not self._is_definition(lines)]
        for lines in good:
            self._move(lines, own)
        return good, [head, *bad, *broken, *rest]

    def _move(self, lines: Lines, indent: int) -> None:
        """Read lines as if they began at another indent."""
        now = next(i for n in range(*lines) if (i := self.indents[n]) is not None)
        for number in range(*lines):
            left = (self.indents[number] or 0) - self.hidden.get(number, 0)
            more = max(0, min(left, now - indent))  # text of a string may stand further out
            self.hidden[number] = self.hidden.get(number, 0) + more

    def _is_definition(self, lines: Lines) -> bool:
        tree = self._parse([lines], alone=True)
        captures = self.source.grammar.captured("structure", tree.root_node)
        return bool(captures.get("function") or captures.get("class"))

    def _together(self, first: list[Lines], pieces: list[Lines]) -> tuple[list[Lines], list[Lines]]:
        """As many pieces as parse side by side behind the first ones, and the others."""
        whole = [*first, *pieces]
        if not pieces or self._parses(whole, alone=True):
            return whole, []
        if len(pieces) > _TRIED_ONE_BY_ONE:
            return first, list(pieces)
        kept, lost = list(first), []
        for piece in pieces:
            if self._parses([*kept, piece], alone=True):
                kept.append(piece)
            else:
                lost.append(piece)
        return kept, lost

    # ------------------------------------------------------------------------------ parsing

    def _parses(self, pieces: Sequence[Lines], alone: bool = False) -> bool:
        return not self._parse(pieces, alone).root_node.has_error

    def _parse(self, pieces: Sequence[Lines], alone: bool = False) -> tree_sitter.Tree:
        """Pieces of the text as if nothing else stood there.  alone: the first one begins without
        its indent."""
        ranges: list[tree_sitter.Range] = []
        for number, (first, last) in enumerate(pieces):
            line = first
            while line < last:
                hidden = self.hidden.get(line, 0)
                if alone and number == 0 and not ranges and self.indents[line] is None:
                    line += 1
                    continue
                if alone and not ranges:
                    hidden = self.indents[line] or 0
                until = line + 1
                while until < last and not self.hidden.get(until) and not self.hidden.get(line):
                    until += 1
                ranges.append(self._range(line, hidden, until))
                line = until
        if not ranges:
            return self.source.grammar.parse(b"")
        parser = tree_sitter.Parser(self.source.grammar.language, included_ranges=ranges)
        return parser.parse(self.source.text)

    def _range(self, first: int, column: int, last: int) -> tree_sitter.Range:
        end = self.starts[last]
        end_point = (last, 0)
        if last == len(self.lines):
            tail = self.source.text.rfind(b"\n") + 1
            end_point = (self.source.text.count(b"\n"), end - tail)
        return tree_sitter.Range((first, column), end_point, self.starts[first] + column, end)

    def _text(self, lines: Lines) -> bytes:
        return self.source.text[self.starts[lines[0]] : self.starts[lines[1]]]

    def _span(self, lines: Lines) -> Span:
        start = self.starts[lines[0]] + (self.indents[lines[0]] or 0)
        return self.source.stretch(start, max(start, self.starts[lines[1]]))


def _depth(text: bytes) -> int:
    """How many more brackets are opened than closed; strings and comments count, too."""
    found = _BRACKETS.findall(text)
    return sum(1 if bracket in b"([{" else -1 for bracket in found)


def _merged(stretches: Sequence[Lines], indents: Sequence[int | None]) -> Iterator[Lines]:
    """Stretches in order, those that touch as one, without blank lines at their ends."""
    merged: list[Lines] = []
    for first, last in sorted(stretches):
        while last > first and indents[last - 1] is None:
            last -= 1
        while first < last and indents[first] is None:
            first += 1
        if first == last:
            continue
        gap = merged and all(indents[n] is None for n in range(merged[-1][1], first))
        if gap and merged[-1][1] >= first - 3:
            merged[-1] = merged[-1][0], last
        else:
            merged.append((first, last))
    yield from merged
