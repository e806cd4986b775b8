"""The values beside the lines of a call: what each line last read, wrote and gave."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rich.cells import cell_len, set_cell_size

from mgdebug.model import Block, BlockKind, Value
from mgdebug.session.walk import Walk
from mgdebug.states import error, printable, telling
from mgdebug.syntax.source import SourceFile

WIDTHS = (60, 48, 36, 30, 24, 20, 16, 13, 10, 8, 6)  # columns of one value, the first that fits
GAP = "  "  # between notes
MORE, BECOMES, PARTS = "…", "→", "◀ DIFF"
WORD = 10  # columns more for an exception, whose type comes first
PART_COLUMNS = 14  # of the code that a result is of
MOST_REMEMBERED = 512
PAINTS = ("name", "was", "now", "read", "result", "caught", "raised", "parts", "older")


class Kind(StrEnum):
    READ = "read"
    WROTE = "wrote"
    RESULT = "result"
    CAUGHT = "caught"
    RAISED = "raised"
    PARTS = "parts"  # the run parts from the passing one here


@dataclass(frozen=True, slots=True)
class Note:
    """One value beside a line.  name: of a variable, or the code that a result is of where it is a
    part of the line.  was: before it changed.  current: of the visit that is looked at,
    else of an earlier one of the same call."""

    kind: Kind
    name: str = ""
    now: Value | None = None
    was: Value | None = None
    current: bool = False


_OWN = (Kind.RESULT, Kind.CAUGHT, Kind.RAISED)  # several blocks of a line may have each
Notes = dict[int, tuple[Note, ...]]  # by line
Painted = list[tuple[str, str]]  # texts, each with what it is, one of PAINTS


def cut(text: str, columns: int) -> str:
    """At most so many columns, with a sign where something is left out."""
    if cell_len(text) <= columns:
        return text
    return set_cell_size(text, columns - 1).rstrip() + MORE if columns > 0 else ""


def short(value: Value, columns: int, *, raised: bool = False) -> str:
    """A value's text on one line within some columns."""
    part = replace(value, text=value.text[: columns + 1])
    return cut(error(part) if raised else printable(part.text), columns)


class Beside:
    """The notes of one run; those of a visit are made once."""

    def __init__(self, walk: Walk, sources: Mapping[str, SourceFile]) -> None:
        self.walk, self.sources = walk, sources
        self._made: dict[int, tuple[tuple[int, Note], ...]] = {}

    def notes(self, place: int) -> Notes:
        """Of each line of the call, the values it last had; where several blocks of a line have the
        same name, the latest one."""
        walk = self.walk
        found: dict[int, dict[tuple[str, str], Note]] = {}
        for block, at in walk.beside(place).items():
            for line, note in self._visit(at):
                key = (note.name, block if note.kind in _OWN else "")
                if at == place:
                    note = replace(note, current=True, was=self._was(place, note))
                found.setdefault(line, {}).setdefault(key, note)
            if walk.parts(at):
                mark = Note(Kind.PARTS, current=at == place)
                found.setdefault(walk.line(at), {}).setdefault((Kind.PARTS, block), mark)
        call, subfunction = walk.call(place), walk.subfunction(place)
        if call is not None and subfunction is not None:
            given = found.setdefault(subfunction.span.first_line, {})
            for name, value in telling(call.arguments).items():
                given.setdefault((name, ""), Note(Kind.READ, name, value))
        return {line: tuple(notes.values()) for line, notes in found.items() if notes}

    def _was(self, place: int, note: Note) -> Value | None:
        """What it was before, where another visit of the call has shown it."""
        if note.kind is not Kind.WROTE or note.was is not None:
            return note.was
        was, now = self.walk.value(place, note.name)
        return was if was != now else None

    def _visit(self, place: int) -> tuple[tuple[int, Note], ...]:
        if place not in self._made:
            if len(self._made) >= MOST_REMEMBERED:
                self._made.clear()
            self._made[place] = tuple(self._notes(place))
        return self._made[place]

    def _notes(self, place: int) -> Iterator[tuple[int, Note]]:
        visit, block = self.walk.visit(place), self.walk.block(place)
        source = self.sources.get(self.walk.path(place))
        if block is None or source is None:
            return
        texts = source.slice(block.span.start, block.span.end).split("\n")
        first = block.span.first_line
        before, after = telling(visit.before), telling(visit.after)
        for name, value in before.items():
            if name not in after:
                yield first + _line(name, texts, last=False), Note(Kind.READ, name, value)
        for name, value in after.items():
            was = before.get(name)
            was = was if was != value else None
            yield first + _line(name, texts, last=True), Note(Kind.WROTE, name, value, was)
        code = " ".join("".join(texts).split()) if self._is_part(place, block) else ""
        for note in _ends(visit.result, visit.raised, visit.left, block):
            note = replace(note, name=code) if note.kind is Kind.RESULT else note
            yield first + len(texts) - 1, note

    def _is_part(self, place: int, block: Block) -> bool:
        """Whether it stands inside another block, so that its line says more than it does."""
        subfunction = self.walk.subfunction(place)
        others = subfunction.blocks if subfunction else ()
        return any(o.span.holds(block.span) and o.span != block.span for o in others)


def _ends(result: Value | None, raised: Value | None, left: bool, block: Block) -> Iterator[Note]:
    if result is not None:
        caught = block.kind is BlockKind.HANDLER
        yield Note(Kind.CAUGHT if caught else Kind.RESULT, now=result)
    if raised is not None:
        yield Note(Kind.RAISED, now=raised)
    elif not left and block.kind is BlockKind.RUN:
        yield Note(Kind.RAISED)


def _line(name: str, texts: Sequence[str], *, last: bool) -> int:
    """Where a name stands first or last, else the first or the last line."""
    if len(texts) == 1:
        return 0
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    found = [number for number, text in enumerate(texts) if word.search(text)]
    if found:
        return found[-1 if last else 0]
    return len(texts) - 1 if last else 0


def told(walk: Walk, place: int) -> Iterator[str]:
    """What there is to say of a visit, the most telling first; "" says nothing."""
    visit = walk.visit(place)
    yield walk.called(place)
    if visit.iteration:
        yield f"iteration {visit.iteration}"
    gap = walk.gap(place)
    if gap:
        yield f"{gap} visit{'s' * (gap > 1)} before not kept"
    yield walk.ended(place)
    if walk.partings and place == walk.partings[0] and walk.why:
        yield f"the runs part: {printable(walk.why)}"


# ------------------------------------------------------------------------------------ drawing


def painted(notes: Sequence[Note], room: int) -> Painted:
    """Notes within some columns.  All get the same share; what has no room even so is cut."""
    marks = [note for note in notes if note.kind is Kind.PARTS]
    others = [note for note in notes if note.kind is not Kind.PARTS]
    mark = f"{GAP * bool(others)}{PARTS}" if marks else ""
    left = room - cell_len(mark)
    found: Painted = []
    for width in WIDTHS:
        found = _joined(others, width)
        if sum(cell_len(text) for text, _ in found) <= left:
            break
    else:
        found = _fitted(found, left)
    if marks:
        found += _fitted([(mark, "parts")], room)
    return found


def _joined(notes: Sequence[Note], width: int) -> Painted:
    found: Painted = []
    for note in notes:
        if found:
            found.append((GAP, ""))
        found += _one(note, width)
    return found


def _one(note: Note, width: int) -> Painted:
    older = "" if note.current else "older"
    if note.now is None:
        return [("did not end", "raised")]
    if note.kind is Kind.RAISED:
        return [(f"raised {short(note.now, width + WORD, raised=True)}", "raised")]
    if note.kind is Kind.CAUGHT:
        return [(f"caught {short(note.now, width + WORD, raised=True)}", older or "caught")]
    now = short(note.now, width)
    if note.kind is Kind.RESULT:
        gave: Painted = [(f"{BECOMES} {now}", older or "result")]
        part = cut(printable(note.name), min(PART_COLUMNS, width))
        return [(f"{part} ", older or "name"), *gave] if part else gave
    head: Painted = [(f"{printable(note.name)} = ", older or "name")]
    if note.was is not None:
        head.append((f"{short(note.was, width)} {BECOMES} ", older or "was"))
    return [*head, (now, older or ("now" if note.kind is Kind.WROTE else "read"))]


def _fitted(parts: Painted, room: int) -> Painted:
    """Cut at the end."""
    found: Painted = []
    for text, what in parts:
        size = cell_len(text)
        if size > room:
            last = cut(text, room)
            return [*found, (last, what)] if last else found
        found.append((text, what))
        room -= size
    return found
