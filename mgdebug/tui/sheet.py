"""One file as it is drawn: gutter, code with its colours, values beside the lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mgdebug.model import Span
from mgdebug.states import printable
from mgdebug.syntax.source import SourceFile
from mgdebug.tui.beside import GAP, MORE, Notes, painted
from mgdebug.tui.highlight import Highlighter

TAB = 4
CODE_SHARE, NOTES_LEAST = 0.55, 16  # of the width; columns
NARROW = 46  # columns, below which code is not cut for the sake of notes
LEAST = 4  # columns, below which a note says nothing
LINES_MEASURED = 400  # of a function, for the column of its notes
STRONG = 0.5  # the score from which a line is marked as highly suspicious
HERE, GOES_ON, SUSPECT, WEAK = "▶", "┃", "!", "·"
_NONE = Style.null()
_CURSOR = Style(bold=True, dim=False, reverse=True)  # seen without colours too
COMPONENTS = ("cursor", "line", "here", "suspect", "weak", "match")


@dataclass
class Sheet:
    """Whoever shows it sets the fields, and asks for lines.

    style: by the name of a component or a capture.  suspicion: scores by path and line.  here: the
    lines of the block that is visited.  left: columns that the code is moved to the left.  column:
    where notes begin, behind the gutter.  width: columns of all.
    """

    path: str
    source: SourceFile | None
    style: Callable[[str], Style]
    suspicion: Mapping[tuple[str, int], float] = field(default_factory=dict)
    notes: Notes = field(default_factory=dict)
    here: range = range(0)
    cursor: int = 1
    left: int = 0
    column: int = 0
    width: int = 80
    pattern: re.Pattern[str] | None = None

    def __post_init__(self) -> None:
        self.colours = Highlighter(self.source) if self.source is not None else None
        self.count = 1  # lines; one at least
        if self.source is not None:
            text = self.source.text
            count = self.source.line_of(len(text))
            self.count = count - 1 if count > 1 and text.endswith(b"\n") else count

    @property
    def room(self) -> int:
        """Columns behind the gutter."""
        return max(1, self.width - self._digits - 3)

    @property
    def _digits(self) -> int:
        return max(2, len(str(self.count)))

    def measure(self, span: Span | None) -> None:
        """Set the column of the notes: the same for a whole function, so that they keep it from
        visit to visit."""
        most, widest = int(self.room * CODE_SHARE), 0
        if self.source is not None and span is not None:
            last = min(span.last_line, span.first_line + LINES_MEASURED, self.count)
            widest = self.widest(range(span.first_line, last + 1)) - self.left
        self.column = max(0, min(widest, most)) + len(GAP)

    def widest(self, lines: range) -> int:
        """Columns of the longest of some lines, about."""
        source = self.source
        if source is None:
            return 0
        return max((len(source.line_text(n).expandtabs(TAB)) for n in lines), default=0)

    def line(self, number: int) -> Strip:
        """A line (1 is the first) in at most `width` columns; nothing behind the last one."""
        if self.source is None:
            words = f"{printable(self.path)} is not there" if self.path else "no code yet"
            return Strip([Segment(words if number == 1 else "")])
        if number > self.count:
            return Strip([])
        strip = Strip([*self._gutter(number), *self._body(number, self.source)])
        if number == self.cursor:
            strip = strip.extend_cell_length(self.width).apply_style(self.style("cursor"))
        return strip

    def _gutter(self, line: int) -> Iterator[Segment]:
        mark = " "
        if line in self.here:
            mark = HERE if line == self.here.start else GOES_ON
        score = self.suspicion.get((self.path, line), 0.0)
        sign = " " if score <= 0 else SUSPECT if score >= STRONG else WEAK
        number = self.style("here" if line in self.here else "line")
        if line == self.cursor:
            number += _CURSOR
        yield Segment(mark, self.style("here"))
        yield Segment(f"{line:>{self._digits}}", number)
        yield Segment(f"{sign} ", self.style("suspect" if score >= STRONG else "weak"))

    def _body(self, line: int, source: SourceFile) -> Iterator[Segment]:
        room, notes = self.room, self.notes.get(line, ())
        code = self._code(line, source, self.left + room + 1)
        length = max(0, code.cell_length - self.left)
        most = room
        if notes and room >= NARROW:
            wanted = sum(cell_len(text) for text, _ in painted(notes, room)) + len(GAP)
            least = max(NOTES_LEAST, int(room * (1 - CODE_SHARE)) - len(GAP))
            most = room - min(wanted, least)
        shown = code.crop(self.left, self.left + min(length, most))
        if length > most:
            shown = code.crop(self.left, self.left + most - 1)
            shown = Strip([*shown, Segment(MORE, self.style("line"))])
        yield from shown
        at = max(self.column, shown.cell_length + len(GAP)) if room >= NARROW else 0
        at = at or shown.cell_length + len(GAP)
        left = room - at
        if not notes or left < LEAST:
            return
        yield Segment(" " * (at - shown.cell_length))
        for text, what in painted(notes, left):
            yield Segment(text, self.style(what) if what else None)

    def _code(self, line: int, source: SourceFile, columns: int) -> Strip:
        """A line's code with its colours, as much as those columns may show."""
        text = source.line_text(line)[:columns]
        ends = {0, len(text)}
        styles: list[tuple[int, int, Style]] = []
        for start, end, what in self.colours.line(line) if self.colours else ():
            styles.append((start, end, self.style(what)))
        if self.pattern is not None:
            mark = self.style("match")
            styles += [(*match.span(), mark) for match in self.pattern.finditer(text)]
        for start, end, _ in styles:
            ends |= {min(start, len(text)), min(end, len(text))}
        edges, segments, column = sorted(ends), list[Segment](), 0
        for start, end in pairwise(edges):
            style = Style.combine([_NONE, *(s for a, b, s in styles if a <= start and end <= b)])
            piece = _displayed(text[start:end], column)
            column += cell_len(piece)
            segments.append(Segment(piece, style))
        return Strip(segments)


def _displayed(text: str, column: int) -> str:
    """With tabs as spaces, and nothing that a terminal would obey."""
    if text.isprintable():
        return text
    parts = []
    for character in text:
        shown = " " * (TAB - column % TAB) if character == "\t" else printable(character)
        column += cell_len(shown)
        parts.append(shown)
    return "".join(parts)
