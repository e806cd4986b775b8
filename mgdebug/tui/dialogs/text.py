"""A longer text to read."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from mgdebug.states import printable
from mgdebug.tui.dialogs.box import Dialog


class Reading(Dialog[None]):
    DEFAULT_CSS = """
    Reading > Vertical { height: 80%; }
    Reading TextArea { height: 1fr; border: none; }
    """

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._heading = title
        self.text = "\n".join(map(printable, text.expandtabs(4).splitlines()))

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._heading
            yield TextArea(self.text, read_only=True, show_cursor=False)
            yield Static("esc leaves", classes="hint")
