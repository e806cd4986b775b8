"""Hunks as rows to look at: unified or split, with the colours of the code and with what changed
within a line.  A row that nobody looks at is measured, not coloured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mgdebug.session.hunks import Hunk, Hunks
from mgdebug.states import printable
from mgdebug.tui.highlight import Highlighter
from mgdebug.tui.lines import Drawn, Line

BOTH_NUMBERS = 60  # columns, from which on a line shows its number before and after
SPLIT_LEAST = 60  # columns, below which it is not split
FILES_COLOURED = 32  # whose colours are kept
HERE, GOES_ON, BETWEEN = "▶", "┃", "│"
NO_END = "\\ no line feed at the end of the file"
HIDDEN = "only white space changes here: w shows it"
_RULES = {
    "old": "background: $error 12%;",
    "new": "background: $success 12%;",
    "old-spot": "background: $error 30%; text-style: bold underline;",
    "new-spot": "background: $success 30%; text-style: bold underline;",
    "old-sign": "color: $text-error; text-style: bold;",
    "new-sign": "color: $text-success; text-style: bold;",
    "place": "text-style: dim;",
    "end": "text-style: reverse;",
    "note": "text-style: dim italic;",
    "head": "background: $boost; text-style: bold;",
    "taken": "color: $text-success;",
    "edited": "color: $text-warning;",
    "rejected": "color: $text-error;",
    "here": "color: $text-warning; text-style: bold;",
    "match": "text-style: reverse;",
}
STYLES = tuple(_RULES)
_NONE = Style.null()


def css(owner: str, prefix: str) -> str:
    """The rules for a widget's component classes: PREFIX--NAME for each of STYLES."""
    rules = "".join(f"{owner} > .{prefix}--{name} {{ {rule} }}\n" for name, rule in _RULES.items())
    return f"\n{rules}"


@dataclass(frozen=True, slots=True)
class Look:
    """How it is looked at.  context: lines around a hunk; bare: hunks of white space only are
    hidden."""

    width: int
    split: bool = False
    context: int = 3
    bare: bool = False

    @property
    def halved(self) -> bool:
        """Whether there is room to split it."""
        return self.split and self.width >= SPLIT_LEAST


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line, in characters as they are displayed."""

    line: Line | None
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a hunk.  cells: one, or two where it is split; () for its head, or a note."""

    hunk: int
    cells: tuple[Cell, ...] = ()
    note: str = ""


class Colours:
    """Of the files before, and with all hunks in them, whatever is decided on the hunks."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], Highlighter] = {}

    def of(self, hunks: Hunks) -> Callable[[str, bool], Highlighter]:
        """A function of a path, and whether the hunks are in it."""
        sides: dict[tuple[str, bool], Highlighter] = {}

        def colours(path: str, after: bool) -> Highlighter:
            if (path, after) not in sides:
                source = hunks.offered(path) if after else hunks.files[path]
                if len(self._known) >= FILES_COLOURED:
                    self._known.clear()
                known = self._known.setdefault((path, source.data), Highlighter(source))
                sides[path, after] = known
            return sides[path, after]

        return colours


class Difference:
    """style: by the name of one of STYLES or of a capture.  owner: what a line of a file is in,
    "" for nothing that has a name."""

    def __init__(
        self,
        hunks: Hunks,
        look: Look,
        style: Callable[[str], Style],
        colours: Colours,
        owner: Callable[[str, int], str],
    ) -> None:
        self.hunks, self.look, self.style = hunks, look, style
        self._colours, self._owner = colours.of(hunks), owner
        self._drawn = [Drawn(hunks, at) for at in range(len(hunks.all))]
        most = max((d.last + len(d.hunk.offered) for d in self._drawn), default=1)
        self._digits = max(2, len(str(most)))
        self.rows = [row for at in range(len(hunks.all)) for row in self._laid(at)]
        self.heads = [at for at, row in enumerate(self.rows) if not row.cells and not row.note]

    # -------------------------------------------------------------------------------- layout

    def _laid(self, at: int) -> Iterator[Row]:
        drawn = self._drawn[at]
        yield Row(at)
        if self.look.bare and drawn.hunk.white_space_only:
            yield Row(at, note=HIDDEN)
            return
        above, below = self._around(at)
        yield from self._context(at, above)
        yield from self._split(at) if self.look.halved else self._unified(at)
        yield from self._context(at, below)

    def _around(self, at: int) -> tuple[range, range]:
        """Lines before and behind a hunk; those between two hunks are shown once."""
        drawn, context = self._drawn[at], self.look.context
        first, last = drawn.hunk.first, drawn.last
        top, bottom = 1, drawn.count
        if at and self._drawn[at - 1].hunk.path == drawn.hunk.path:
            before = self._drawn[at - 1]
            hidden = self.look.bare and before.hunk.white_space_only
            top = before.last + 1 + (0 if hidden else context)
        if at + 1 < len(self._drawn) and self._drawn[at + 1].hunk.path == drawn.hunk.path:
            bottom = self._drawn[at + 1].hunk.first - 1
        return (
            range(max(top, first - context), first),
            range(last + 1, min(bottom, last + context) + 1),
        )

    def _context(self, at: int, lines: range) -> Iterator[Row]:
        drawn = self._drawn[at]
        for number in lines:
            shift = drawn.shift + (drawn.more if number >= drawn.hunk.first else 0)
            line = Line(" ", number, told=(number, number + shift))
            yield from self._wrapped(at, (line, line) if self.look.halved else (line,))

    def _unified(self, at: int) -> Iterator[Row]:
        drawn = self._drawn[at]
        for side in (drawn.old, drawn.new):
            for line in side:
                yield from self._wrapped(at, (line,))
                if not drawn.ended(line):
                    yield Row(at, note=NO_END)

    def _split(self, at: int) -> Iterator[Row]:
        drawn = self._drawn[at]
        for one, two in drawn.pairs:
            left = drawn.old[one] if one is not None else None
            right = drawn.new[two] if two is not None else None
            yield from self._wrapped(at, (left, right))
        ends = [drawn.ended(side[-1]) for side in (drawn.old, drawn.new) if side]
        if not all(ends):
            yield Row(at, note=NO_END)

    def _wrapped(self, at: int, lines: tuple[Line | None, ...]) -> Iterator[Row]:
        """As many rows as the longest of the lines needs."""
        room = self._room
        parts = [self._parts(at, line, room) if line else [(0, 0)] for line in lines]
        for number in range(max(map(len, parts))):
            yield Row(
                at,
                tuple(
                    Cell(line, *found[number]) if number < len(found) else Cell(None)
                    for line, found in zip(lines, parts, strict=True)
                ),
            )

    def _parts(self, at: int, line: Line, room: int) -> list[tuple[int, int]]:
        text = self._drawn[at].shown(line).text
        if text.isascii():
            return [(a, min(a + room, len(text))) for a in range(0, max(1, len(text)), room)]
        cuts, used = [0], 0
        for place, character in enumerate(text):
            size = cell_len(character)
            if used + size > room and used:
                cuts.append(place)
                used = 0
            used += size
        return list(pairwise([*cuts, len(text)]))

    @property
    def _numbers(self) -> int:
        return 2 if not self.look.halved and self.look.width >= BOTH_NUMBERS else 1

    @property
    def _gutter(self) -> int:
        """Columns before the code of one side, without the mark."""
        return (self._digits + 1) * self._numbers + 2

    @property
    def _half(self) -> int:
        return (self.look.width - 2) // 2

    @property
    def _room(self) -> int:
        whole = self._half if self.look.halved else self.look.width - 1
        return max(4, whole - self._gutter)

    # ------------------------------------------------------------------------------- drawing

    def strip(self, at: int, chosen: range, here: int, pattern: re.Pattern[str] | None) -> Strip:
        """A row in all its columns.  chosen: hunks that are marked; here: the current one."""
        row = self.rows[at]
        hunk = self._drawn[row.hunk].hunk
        mark = GOES_ON if row.hunk in chosen else " "
        width = self.look.width
        if row.note:
            parts = [Segment(f" {row.note}", self.style("note"))]
        elif row.cells:
            parts = self._cells(row, hunk, pattern)
        else:
            mark = HERE if row.hunk == here else mark
            parts = list(self._head(row.hunk, pattern))
        strip = Strip([Segment(mark, self.style("here")), *parts])
        if strip.cell_length > width:
            strip = strip.crop(0, width)
        if not hunk.taken:
            strip = strip.apply_style(Style(dim=True))
        if not row.cells and not row.note:
            strip = strip.extend_cell_length(width).apply_style(self.style("head"))
        return strip.extend_cell_length(width)

    def text(self, at: int) -> str:
        """What a row says, for a search: the code, without numbers."""
        row = self.rows[at]
        if not row.cells:
            return row.note or "".join(s.text for s in self._head(row.hunk, None))
        drawn = self._drawn[row.hunk]
        cells = row.cells[:1] if row.cells[0].line is row.cells[-1].line else row.cells
        lines = (drawn.shown(c.line).text[c.start : c.end] if c.line else "" for c in cells)
        return BETWEEN.join(lines)

    def _head(self, at: int, pattern: re.Pattern[str] | None) -> Iterator[Segment]:
        drawn = self._drawn[at]
        hunk = drawn.hunk
        yield Segment("[x] " if hunk.taken else "[ ] ", self.style(hunk.word))
        yield Segment(f"{hunk.word:<8}", self.style(hunk.word))
        yield from self._marked(f" {printable(hunk.path)}:{hunk.first}", pattern)
        owner = self._owner(hunk.path, hunk.first)
        if owner:
            yield from self._marked(f"  {printable(owner)}", pattern)
        yield Segment(f"  hunk {at + 1}/{len(self._drawn)}", self.style("place"))
        if hunk.white_space_only:
            yield Segment("  white space only", self.style("note"))

    def _marked(self, text: str, pattern: re.Pattern[str] | None) -> Iterator[Segment]:
        at = 0
        for match in pattern.finditer(text) if pattern is not None else ():
            yield Segment(text[at : match.start()])
            yield Segment(match.group(), self.style("match"))
            at = match.end()
        yield Segment(text[at:])

    def _cells(self, row: Row, hunk: Hunk, pattern: re.Pattern[str] | None) -> list[Segment]:
        found: list[Segment] = []
        for side, cell in enumerate(row.cells):
            if side:
                found.append(Segment(BETWEEN, self.style("place")))
            parts = list(self._cell(row.hunk, cell, hunk, side, pattern))
            if self.look.halved:
                tint = self._tint(cell.line)
                parts = list(Strip(parts).adjust_cell_length(self._half, tint))
            found += parts
        if not self.look.halved:
            length = sum(cell_len(segment.text) for segment in found)
            found.append(
                Segment(" " * (self.look.width - 1 - length), self._tint(row.cells[0].line))
            )
        return found

    def _tint(self, line: Line | None) -> Style:
        sides = {"-": "old", "+": "new"}
        return self.style(sides[line.sign]) if line is not None and line.sign in sides else _NONE

    def _cell(
        self, at: int, cell: Cell, hunk: Hunk, side: int, pattern: re.Pattern[str] | None
    ) -> Iterator[Segment]:
        line = cell.line
        if line is None:
            yield Segment(" " * self._gutter)
            return
        tint, first = self._tint(line), not cell.start
        numbers = line.told
        if self._numbers == 1:
            split = self.look.halved
            numbers = (line.told[side] if split else line.told[1] or line.told[0], 0)
        for number in numbers[: self._numbers]:
            told = str(number) if number and first else ""
            yield Segment(f"{told:>{self._digits}} ", self.style("place") + tint)
        sign = line.sign
        name = {"-": "old-sign", "+": "new-sign"}.get(sign, "place")
        yield Segment(f"{sign} " if first or sign != " " else "  ", self.style(name) + tint)
        yield from self._code(at, cell, line, tint, pattern)

    def _code(
        self, at: int, cell: Cell, line: Line, tint: Style, pattern: re.Pattern[str] | None
    ) -> Iterator[Segment]:
        drawn = self._drawn[at]
        shown = drawn.shown(line)
        colours = self._colours(drawn.hunk.path, line.sign == "+")
        styled = [
            (shown.at(a), shown.at(b), self.style(name)) for a, b, name in colours.line(line.number)
        ]
        if line.place >= 0:
            name = self.style("old-spot" if line.sign == "-" else "new-spot")
            styled += [(shown.at(a), shown.at(b), name) for a, b in drawn.spots(line)]
        if shown.end < len(shown.text):
            styled.append((shown.end, len(shown.text), self.style("end")))
        if pattern is not None:
            mark = self.style("match")
            styled += [(*match.span(), mark) for match in pattern.finditer(shown.text)]
        start, end = cell.start, cell.end
        edges = {start, end}
        for a, b, _ in styled:
            edges |= {min(max(a, start), end), min(max(b, start), end)}
        for a, b in pairwise(sorted(edges)):
            style = Style.combine([tint, *(s for i, j, s in styled if i <= a and b <= j)])
            yield Segment(shown.text[a:b], style)
