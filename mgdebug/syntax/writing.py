"""The writing of an outlined text: stretches of the original, and glue between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgdebug.syntax.control import Jump
from mgdebug.syntax.glue import Glue
from mgdebug.syntax.pieces import Interface
from mgdebug.syntax.source import SourceFile

_NUMBERS = {"": "0", "return": "1", "break": "2", "continue": "3"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the outlined text, which starts at a byte.

    origin: the bytes [start, end) of the original that it stands for, None for glue.  hidden:
    those bytes, where the text replaces them; None where it is a copy of them.
    """

    at: int
    text: bytes
    origin: tuple[int, int] | None = None
    hidden: bytes | None = None

    @property
    def end(self) -> int:
        return self.at + len(self.text)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A piece to be written.

    start, end: the stretch of its lines; first: where its first statement starts; before: where
    its definition goes.  jumps: the statements that leave it by one of its ways.
    """

    name: str
    function: str
    start: int
    end: int
    first: int
    before: int
    interface: Interface
    jumps: tuple[Jump, ...]


class Writing:
    """Writes the text of a file with some pieces cut, sorted by where they start.

    segments: the text, in order.  spans: the stretch of each piece in it.
    """

    def __init__(self, source: SourceFile, glue: Glue, cuts: Sequence[Cut]) -> None:
        self.source = source
        self.glue = glue
        self.cuts = cuts
        self.segments: list[Segment] = []
        self.spans: list[tuple[int, int]] = []
        self._at = 0
        self._way, self._value = (self._unused(name) for name in (glue.way, glue.value))
        self._inside: dict[Cut | None, list[Cut]] = {}
        around: list[Cut] = []
        for cut in cuts:
            while around and around[-1].end <= cut.start:
                around.pop()
            self._inside.setdefault(around[-1] if around else None, []).append(cut)
            around.append(cut)
        at = 0
        for cut in cuts:
            if cut.before >= at:
                self._body(at, cut.before, None)
                at = cut.before
            self._define(cut)
        self._body(at, len(source.text), None)

    def _unused(self, name: str) -> str:
        while name.encode() in self.source.text:
            name += "_"
        return name

    # -------------------------------------------------------------------------- segments

    def _add(self, text: bytes, origin: tuple[int, int] | None, hidden: bytes | None) -> None:
        if not text:
            return
        if self.segments and origin and hidden is None:
            last = self.segments[-1]
            if last.origin and last.hidden is None and last.origin[1] == origin[0]:
                text, origin = last.text + text, (last.origin[0], origin[1])
                self._at = self.segments.pop().at
        self.segments.append(Segment(self._at, text, origin, hidden))
        self._at += len(text)

    def _copy(self, start: int, end: int) -> None:
        self._add(self.source.text[start:end], (start, end), None)

    def _glue(self, text: str) -> None:
        self._add(text.encode("utf-8", "surrogatepass"), None, None)

    # ------------------------------------------------------------------------------ text

    def _define(self, cut: Cut) -> None:
        glue, newline, began = self.glue, self.source.newline, self._at
        parameters = glue.separator.join(cut.interface.parameters)
        self._glue(glue.opens.format(cut.name, parameters) + newline)
        self._body(cut.start, cut.end, cut)
        if not self.source.text[cut.start : cut.end].endswith(b"\n"):
            self._glue(newline)
        interface = cut.interface
        if interface.falls and not interface.tail and (interface.ways or interface.results):
            row = glue.separator.join(self._row(cut, "", None))
            self._glue(self.source.indent(cut.first) + glue.give.format(row) + newline)
        self.spans.append((began, self._at))
        self._glue(newline * 2)

    def _body(self, start: int, end: int, unit: Cut | None) -> None:
        """The text of a stretch that is a unit's own: the file's, or a piece's."""
        at = start
        inner = [cut for cut in self._inside.get(unit, ()) if start <= cut.start and cut.end <= end]
        jumps = [
            jump
            for jump in (unit.jumps if unit else ())
            if not any(cut.start <= jump.start < cut.end for cut in inner)
        ]
        places: list[Cut | Jump] = [*inner, *jumps]
        for place in sorted(places, key=lambda place: place.start):
            self._copy(at, place.start)
            if isinstance(place, Cut):
                self._join(place, unit)
            elif unit is not None:
                self._jump(place, unit)
            at = place.end
        self._copy(at, end)

    def _jump(self, jump: Jump, unit: Cut) -> None:
        """A statement that leaves a piece, which has to give its row."""
        if jump.value is None:
            text = self._leave(unit, jump.word, self.glue.nothing, jump.loop).encode()
            original = self.source.text[jump.start : jump.end]
            self._add(text, (jump.start, jump.end), original)
            return
        start, end = jump.value
        number, _, *others = self._row(unit, jump.word, "")
        self._copy(jump.start, start)
        self._glue(self.glue.before.format(number))
        self._copy(start, end)
        self._glue(self.glue.after + "".join(self.glue.separator + other for other in others))
        self._copy(end, jump.end)

    def _join(self, cut: Cut, unit: Cut | None) -> None:
        """The call of a piece, and what is to be done after it."""
        glue, interface = self.glue, cut.interface
        call = glue.call.format(cut.name, glue.separator.join(interface.parameters))
        if interface.tail:
            lines = [self._leave(unit, "return", call, None)]
        else:
            targets = [self._way] if interface.ways else []
            targets += [self._value] if "return" in interface.ways else []
            targets += interface.results
            row = glue.separator.join(targets)
            lines = [glue.bind.format(row, call) if targets else call]
            for word in interface.ways:
                loop = next((jump.loop for jump in cut.jumps if jump.word == word), None)
                jump = self._leave(unit, word, self._value, loop)
                lines.append(glue.check.format(self._way, _NUMBERS[word], jump))
        newline = self.source.newline
        indent = self.source.indent(cut.first)
        last = newline if self.source.text[cut.start : cut.end].endswith(b"\n") else ""
        self._glue(newline.join(indent + line for line in lines) + last)

    def _leave(self, unit: Cut | None, word: str, value: str, loop: tuple[int, int] | None) -> str:
        """A jump as it is written in a unit.  loop: the loop that it is about."""
        stays = loop is not None and unit is not None
        stays = stays and loop[0] >= unit.start and loop[1] <= unit.end  # type: ignore
        if unit is None or stays or unit.interface.tail:
            return self.glue.leaves[word].format(value)
        return self.glue.give.format(self.glue.separator.join(self._row(unit, word, value)))

    def _row(self, cut: Cut, word: str, value: str | None) -> list[str]:
        """What a piece gives when it is left in one of its ways."""
        interface, nothing = cut.interface, self.glue.nothing
        kept = interface.kept.get(word, frozenset())
        row = [_NUMBERS[word]] if interface.ways else []
        if "return" in interface.ways:
            row.append(nothing if value is None or word != "return" else value)
        return row + [name if name in kept else nothing for name in interface.results]
