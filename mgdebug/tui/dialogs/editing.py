"""A hunk's lines, to be written otherwise before they are applied."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from mgdebug.errors import SourceError
from mgdebug.session.hunks import Hunks
from mgdebug.syntax.source import SourceFile
from mgdebug.tui.dialogs.box import Dialog


class Editing(Dialog[Hunks]):
    """Gives the hunks with what was written."""

    DEFAULT_CSS = """
    Editing > Vertical { height: 70%; }
    Editing TextArea { height: 1fr; border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", show=True, priority=True)
    ]

    def __init__(self, hunks: Hunks, at: int) -> None:
        super().__init__()
        self.hunks, self.at = hunks, at

    def compose(self) -> ComposeResult:
        hunk = self.hunks.all[self.at]
        with Vertical() as box:
            box.border_title = f"{hunk.path}:{hunk.first}"
            yield TextArea(self.hunks.text(self.at), id="lines", tab_behavior="indent")
            yield Static("", classes="trouble", id="trouble")
            yield Static("^s saves, esc leaves it as it was", classes="hint")

    def on_text_area_changed(self) -> None:
        try:
            after = self._made()
        except SourceError as error:
            self._trouble(error.message)
            return
        path = self.hunks.all[self.at].path
        grammar = self.hunks.files[path].grammar
        try:
            errors = SourceFile(path, after.data(path), grammar).errors
        except SourceError as error:
            self._trouble(error.message)
            return
        self._trouble(f"line {errors[0][0]} does not parse: {errors[0][2]}" if errors else "")

    def action_save(self) -> None:
        try:
            self.dismiss(self._made())
        except SourceError as error:
            self._trouble(f"{error.message}; {error.hint}")

    def _made(self) -> Hunks:
        return self.hunks.edited(self.at, self.query_one(TextArea).text)

    def _trouble(self, words: str) -> None:
        self.query_one("#trouble", Static).update(Text(words))
