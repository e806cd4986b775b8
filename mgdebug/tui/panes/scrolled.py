"""A framed pane of rows that the keys scroll."""

from __future__ import annotations

from typing import ClassVar

from textual.scroll_view import ScrollView


class Scrolled(ScrollView, can_focus=True):
    """What all such panes look like, and how far a key goes."""

    DEFAULT_CSS: ClassVar[str] = """
    Scrolled {
        border: round $border-blurred; background: transparent; overflow-x: hidden;
        overflow-y: scroll; scrollbar-size-vertical: 1;
    }
    Scrolled:focus { border: round $border; background-tint: transparent; }
    """

    def action_line_down(self) -> None:
        self._by(1)

    def action_line_up(self) -> None:
        self._by(-1)

    def action_half_down(self) -> None:
        self._by(max(1, self.size.height // 2))

    def action_half_up(self) -> None:
        self._by(-max(1, self.size.height // 2))

    def _by(self, rows: int) -> None:
        self.scroll_relative(y=rows, animate=False, immediate=True)
