"""Patches on text that does not parse: the usual slips, tried where the text breaks.

Colons, brackets, quotes, commas, indents, misspelt keywords, words of other languages, half-written
lines, leftovers of a merge.  An offer is made only if the text around it parses with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import tree_sitter

from mgdebug.languages import Spelling
from mgdebug.model import Edit
from mgdebug.proposers import Brief
from mgdebug.proposers.search.offers import Offer
from mgdebug.proposers.search.slips import CLOSE, OPEN, Line
from mgdebug.syntax.source import SourceFile

LINES = 24  # of a broken stretch that are looked at
KEPT = 120  # offers
_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


def mend(brief: Brief) -> list[Offer]:
    """Offers with which the stretch of an error parses, or less of it does not; the likeliest
    first."""
    source, spelling = brief.source, brief.language.vocabulary().spelling
    span = brief.subfunction.span
    best: dict[tuple[tuple[int, int, str], ...], Offer] = {}
    for offer in _all_offers(source, spelling, span.first_line, span.last_line):
        known = best.get(offer.edits)
        if known is None or offer.cost < known.cost:
            best[offer.edits] = offer
    judge = _Judge(source)
    good: list[Offer] = []
    for offer in sorted(best.values(), key=lambda o: (o.cost, o.edits)):
        if judge.better(offer):
            good.append(offer)
            if len(good) == KEPT:
                break
    return good


def _all_offers(source: SourceFile, spelling: Spelling, first: int, last: int) -> Iterator[Offer]:
    total = source.line_of(len(source.text))
    numbers = [*range(first, min(last, first + LINES) + 1)]
    if last > first + LINES:
        numbers += range(max(numbers[-1] + 1, last - 3), last + 1)
    before = [n for n in range(max(1, first - 3), first)]
    for number in [*numbers, *reversed(before)]:
        if number <= total:
            line = Line(source, spelling, number)
            away = 0.0 if number >= first else 1.0 + 0.3 * (first - number)
            for offer in line.offers():
                yield Offer(offer.cost + away, offer.edits, offer.note)
    yield from _long_strings(source, spelling, last)
    yield from _across(source, spelling, first, min(last, total))
    yield from _markers(source, numbers)


class _Judge:
    """Whether less of a file is broken with an offer."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.before = _weight(source.tree)

    def better(self, offer: Offer) -> bool:
        edits = [Edit(self.source.path, *edit) for edit in sorted(offer.edits)]
        after = _weight(self.source.splice(edits).tree)
        # The grammar may see no error where an interpreter does, least of all in an indent.
        only_space = not any(text.strip() for _, _, text in offer.edits)
        return after < self.before or (after == self.before and (not after or only_space))


def _weight(tree: tree_sitter.Tree) -> int:
    """How much of a tree is broken: errors, and what they hold in bytes."""
    total, stack = 0, [tree.root_node]
    while stack:
        node = stack.pop()
        if not node.has_error:
            continue
        if node.is_error or node.is_missing:
            total += 1000 + node.end_byte - node.start_byte
        stack += node.children
    return total


def _long_strings(source: SourceFile, spelling: Spelling, last: int) -> Iterator[Offer]:
    """A string that was never closed ends on the line where it begins, far above perhaps."""
    long = [quote for quote in spelling.quotes if len(quote) > 1]
    rank = 0
    for number in range(min(last, source.line_of(len(source.text))), 0, -1):
        text = source.line_text(number)
        for quote in long:
            if text.count(quote) % 2 and rank < LINES:
                rank += 1
                for below in range(number, min(last, number + 3) + 1):
                    words = source.line_text(below).rstrip()
                    if not words:
                        break
                    at = source.line_bounds(below)[0] + len(words.encode())
                    note = f"`{quote}` added at the end of line {below}"
                    cost = 2.5 + 0.1 * rank + 0.03 * (below - number)
                    yield Offer(cost, ((at, at, quote),), note)


def _across(source: SourceFile, spelling: Spelling, first: int, last: int) -> Iterator[Offer]:
    """What is opened on one line may end on a later one."""
    stack: list[str] = []
    long = [quote for quote in spelling.quotes if len(quote) > 1]
    open_quote = ""
    for number in range(first, min(last, first + LINES) + 1):
        line = Line(source, spelling, number)
        for quote in long:
            if line.text.count(quote) % 2:
                open_quote = "" if open_quote == quote else quote
        if open_quote and number > first:
            note = f"`{open_quote}` added at the end of line {number}"
            yield line.put(2.4 + 0.02 * (number - first), len(line.text), open_quote, note)
        before = len(stack)
        for letter in line.code:
            if letter in OPEN:
                stack.append(CLOSE[OPEN.index(letter)])
            elif letter in CLOSE and stack and stack[-1] == letter:
                stack.pop()
        if stack and before and line.code:
            for closed in {stack[-1], "".join(reversed(stack))}:
                at = len(line.code) - (line.code[-1] in ",:;")
                cost = 2.5 + 0.1 * (number - first)
                yield line.put(cost, at, closed, f"`{closed}` added at the end of line {number}")


def _markers(source: SourceFile, numbers: Sequence[int]) -> Iterator[Offer]:
    """Leftovers of a merge: either side stays."""
    total = source.line_of(len(source.text))
    found: list[tuple[str, int]] = []
    for number in range(1, total + 1) if numbers else ():
        text = source.line_text(number)
        if text.startswith(_MARKERS):
            found.append((text[:7], number))
    marks = dict(reversed(found))
    if "<<<<<<<" not in marks or ">>>>>>>" not in marks or "=======" not in marks:
        return
    one, two, three = marks["<<<<<<<"], marks["======="], marks[">>>>>>>"]
    if not one < two < three:
        return

    def whole(first: int, last: int) -> tuple[int, int, str]:
        end = source.line_bounds(last + 1)[0] if last < total else len(source.text)
        return source.line_bounds(first)[0], end, ""

    yield Offer(2.0, (whole(one, one), whole(two, three)), "the first side of a merge kept")
    yield Offer(2.1, (whole(one, two), whole(three, three)), "the second side of a merge kept")
