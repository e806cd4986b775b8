"""Lines with notes beside them, folded to a number of columns; nothing is ever cropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.text import Text

LEFT_SHARE, LEFT_WIDEST, NOTES_LEAST = 0.55, 72, 20  # of the width; columns


@dataclass(slots=True)
class Row:
    """What stands on the left, and the notes beside it.  hang: columns by which a long one goes on
    further in."""

    left: Text
    notes: list[Text] = field(default_factory=list)
    hang: int = 0


def notes_column(rows: Iterable[Row], width: int | None) -> int:
    """Where the notes begin."""
    most = LEFT_WIDEST if width is None else int(width * LEFT_SHARE)
    return min(most, max((cell_len(r.left.plain) for r in rows if r.notes), default=0)) + 2


def fold(row: Row, width: int | None, column: int) -> Iterator[Text]:
    """The lines of a row; notes that have no room beside it stand below."""
    left, notes = _cut(row.left, width, row.hang), row.notes
    yield from left[:-1]
    line = left[-1].copy()
    if not notes:
        yield line
        return
    indent = column if width is None or width - column >= NOTES_LEAST else row.hang + 2
    if cell_len(line.plain) + 2 > indent or indent != column:
        if width is None:
            line.append("  ")
        else:
            yield line
            line = Text(" " * indent)
    else:
        line.append(" " * (indent - cell_len(line.plain)))
    empty = True
    for note in notes:
        room = None if width is None else max(NOTES_LEAST // 2, width - indent)
        used = cell_len(line.plain) - indent
        if not empty and room is not None and used + 2 + cell_len(note.plain) > room:
            yield line
            line, empty = Text(" " * indent), True
        if not empty:
            line.append("  ")
        first, *more = _cut(note, room, 2)
        line.append_text(first)
        for piece in more:
            yield line
            line = Text(" " * indent)
            line.append_text(piece)
        empty = False
    yield line


def abreast(
    left: Sequence[Row], right: Sequence[Row], half: int, column: int, bar: str
) -> Iterator[Text]:
    """The lines of two runs with a bar between them.  half: the columns of each; column: where the
    notes begin in it."""
    columns = [[line for row in rows for line in fold(row, half, column)] for rows in (left, right)]
    for number in range(max(map(len, columns))):
        one, two = (c[number] if number < len(c) else Text() for c in columns)
        line = one.copy()
        line.append(" " * (half - cell_len(one.plain)))
        line.append(f" {bar} ", "dim")
        line.append_text(two)
        line.rstrip()
        yield line


def _cut(text: Text, room: int | None, hang: int) -> list[Text]:
    """A text in pieces of at most so many columns; those behind the first go on further in."""
    if room is None or cell_len(text.plain) <= room:
        return [text]
    hang = hang if hang < room // 2 else 0
    plain, cuts, used, space = text.plain, list[int](), 0, 0
    for at, character in enumerate(plain):
        size = cell_len(character)
        if used + size > room:
            near = at - space < room // 3  # a word is kept whole where it is short
            cuts.append(space if near and space > (cuts or [0])[-1] else at)
            used = hang + cell_len(plain[cuts[-1] : at])
        used += size
        space = at + 1 if character == " " else space
    first, *rest = text.divide(cuts)
    return [first, *(Text.assemble(" " * hang, piece) for piece in rest)]
