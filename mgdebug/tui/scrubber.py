"""Where in a run the visit is that is looked at, on one line; a click or a drag jumps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

BACK, ON, TRACK, HERE, PARTS = "◀", "▶", "─", "●", "◆"
SHORTEST = 4  # columns of a track that says something


class Scrubber(Widget):
    """show() tells it where; whoever shows it moves when it has Jumped."""

    DEFAULT_CSS = """
    Scrubber { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Jumped(Message):
        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.place, self.count = 0, 0
        self._partings: Sequence[int] = ()
        self._drags = False

    def show(self, place: int, count: int, partings: Sequence[int] = ()) -> None:
        """A visit of so many, and the places where the run parts from a passing one."""
        if (place, count, partings) != (self.place, self.count, self._partings):
            self.place, self.count, self._partings = place, count, partings
            self.refresh()

    def render(self) -> Text:
        if not self.count:
            return Text("no visits", "dim")
        label, width = self._label, self._columns
        if not width:
            short = len(label) > self.content_size.width
            return Text(label.strip().removeprefix("visit ") if short else label.rstrip())
        cells = [TRACK] * width
        for parting in self._partings:
            cells[self._column(parting, width)] = PARTS
        cells[self._column(self.place, width)] = HERE
        text = Text.assemble(label, BACK)
        styles = {HERE: "bold", PARTS: "yellow", TRACK: "dim"}
        for cell, run in groupby(cells):
            text.append("".join(run), styles[cell])
        return text.append(ON)

    @property
    def _label(self) -> str:
        """As long at the first visit as at the last."""
        return f"visit {self.place + 1:>{len(str(self.count))}}/{self.count} "

    @property
    def _columns(self) -> int:
        width = self.content_size.width - len(self._label) - 2
        return width if width >= SHORTEST else 0

    def _column(self, place: int, width: int) -> int:
        last = max(1, self.count - 1)
        return round(max(0, min(place, last)) * (width - 1) / last)

    def _jump(self, event: events.MouseEvent) -> None:
        width, start = self._columns, len(self._label) + 1
        if not self.count or not width:
            return
        column = event.x - self.gutter.left - start
        if column == -1 or (column == width and not self._drags):
            place = self.place + (1 if column == width else -1)
        elif column < -1 and not self._drags:
            return
        else:
            place = round(column * (self.count - 1) / max(1, width - 1))
            place = self._parting_at(column, place, width)
        place = max(0, min(place, self.count - 1))
        if place != self.place:
            self.place = place
            self.refresh()
            self.post_message(self.Jumped(place))

    def _parting_at(self, column: int, place: int, width: int) -> int:
        """A column may stand for many visits: where it shows a parting, that is meant."""
        found = [p for p in self._partings if self._column(p, width) == column]
        return min(found, key=lambda p: abs(p - place), default=place)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._jump(event)
        self.capture_mouse()
        self._drags = True

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._drags:
            self._jump(event)

    def on_mouse_up(self) -> None:
        self._drags = False
        self.release_mouse()
