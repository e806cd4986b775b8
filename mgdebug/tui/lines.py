"""The lines of one hunk: their texts, numbers and pairs, worked out when they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.cells import cell_len

from mgdebug.session.hunks import Hunks
from mgdebug.states import printable
from mgdebug.tui.pairing import Pair, paired, spots

TAB = 4
LONGEST = 2_000  # characters of one line that are shown


@dataclass(frozen=True, slots=True)
class Line:
    """A line on one side.  place: among the lines of its hunk, -1 for one around it; number: in its
    file, before or with all hunks in it; told: the numbers that are shown, 0 for none."""

    sign: str
    number: int
    place: int = -1
    told: tuple[int, int] = (0, 0)


class Shown:
    """A line as it is displayed: tabs as spaces, nothing that a terminal would obey.  end: where
    what is not of the line itself begins."""

    __slots__ = ("_places", "end", "text")

    def __init__(self, line: str, end: str = "") -> None:
        left = len(line) - LONGEST
        line = line[:LONGEST]
        more = f" … {left} more characters" if left > 0 else ""
        self._places: list[int] | None = None
        if not line.isprintable():
            parts, places, column = [], [0], 0
            for character in line:
                tab = character == "\t"
                text = " " * (TAB - column % TAB) if tab else printable(character)
                parts.append(text)
                places.append(places[-1] + len(text))
                column += cell_len(text)
            line, self._places = "".join(parts), places
        self.end = len(line)
        self.text = f"{line}{more}{end}"

    def at(self, place: int) -> int:
        """Where a character of the line is displayed."""
        if self._places is None:
            return min(place, self.end)
        return self._places[min(place, len(self._places) - 1)]


class Drawn:
    """What is worked out about one hunk, when it is needed."""

    def __init__(self, hunks: Hunks, at: int) -> None:
        self.hunk = hunk = hunks.all[at]
        self.source = source = hunks.files[hunk.path]
        self.last = hunk.first + len(hunk.old) - 1
        count = source.line_of(len(source.text))
        self.count = count - source.text.endswith(b"\n") if source.text else 0
        self.shift = hunks.shift(at)
        self.more = len(hunk.after) - len(hunk.old)
        first = hunk.first + hunks.shift(at, offered=True)
        self.old = [Line("-", hunk.first + i, i, (hunk.first + i, 0)) for i in range(len(hunk.old))]
        there = hunk.first + self.shift if hunk.taken else 0
        self.new = [
            Line("+", first + i, i, (0, there + i if there else 0))
            for i in range(len(hunk.offered))
        ]
        self._spots: dict[tuple[str, int], Sequence[tuple[int, int]]] = {}

    @cached_property
    def _texts(self) -> tuple[list[str], list[str]]:
        encoding = self.source.encoding
        sides = (self.hunk.old, self.hunk.offered)
        one, two = ([line.decode(encoding, "replace") for line in lines] for lines in sides)
        return one, two

    @cached_property
    def pairs(self) -> list[Pair]:
        """Which old line stands for which new one."""
        return paired(*([line.rstrip("\r\n") for line in side] for side in self._texts))

    @cached_property
    def _partners(self) -> tuple[dict[int, Pair], dict[int, Pair]]:
        """The pairs by their old and by their new line."""
        one = {pair[0]: pair for pair in self.pairs if pair[0] is not None}
        two = {pair[1]: pair for pair in self.pairs if pair[1] is not None}
        return one, two

    def ended(self, line: Line) -> bool:
        return self._whole(line).endswith("\n")

    def _whole(self, line: Line) -> str:
        """A line of the hunk with its end."""
        return self._texts[line.sign == "+"][line.place]

    def shown(self, line: Line) -> Shown:
        if line.place < 0:
            return Shown(self.source.line_text(line.number))
        whole = self._whole(line)
        body = whole.removesuffix("\n")
        end = "\n" if body != whole else ""
        if end and body.endswith("\r"):
            body, end = body[:-1], "\r\n"
        odd = end and end != self.source.newline
        return Shown(body, printable(end) if odd else "")

    def spots(self, line: Line) -> Sequence[tuple[int, int]]:
        """What of a line changed, from and to in characters."""
        key = line.sign, line.place
        if key not in self._spots:
            side = line.sign == "+"
            one, two = self._partners[side][line.place]
            found: tuple[Sequence[tuple[int, int]], ...] = ((), ())
            if one is not None and two is not None:
                found = spots(
                    *(t[i].rstrip("\r\n") for t, i in zip(self._texts, (one, two), strict=True))
                )
                self._spots["-", one], self._spots["+", two] = found
            else:
                self._spots[key] = ()
        return self._spots[key]
