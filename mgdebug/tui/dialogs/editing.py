"""A hunk's lines, to be written otherwise before they are applied."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Button, Static, TextArea

from mgdebug.errors import SourceError
from mgdebug.session.hunks import Hunks
from mgdebug.states import printable
from mgdebug.tui.dialogs.box import Dialog

PAUSE = 0.15  # seconds without a key, after which the file is parsed
_KEPT = "\t\n"  # what a text area takes as it is
_PICTURES, _PRIVATE = 0x2400, 0xE000  # signs that stand for control characters; for any


class Editing(Dialog[Hunks]):
    """Gives the hunks with what was written.  A text that does not parse is told, not refused."""

    DEFAULT_CSS = """
    Editing > Vertical { height: 70%; }
    Editing TextArea, Editing TextArea:focus { height: 1fr; border: none; padding: 0; }
    Editing Horizontal { height: auto; }
    Editing Button { margin-right: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", show=True, priority=True),
        Binding("escape", "nothing", "leave", show=True, priority=True),
    ]

    def __init__(self, hunks: Hunks, at: int) -> None:
        super().__init__()
        self.hunks, self.at = hunks, at
        text = hunks.text(at)
        self._signs = signs(text)
        self._shown = text.translate(self._signs)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        hunk = self.hunks.all[self.at]
        count = len(hunk.old)
        lines = "line" if count == 1 else "lines"
        what = f"in place of {count} {lines}" if count else "between the lines"
        with Vertical() as box:
            box.border_title = Text(f"Edit {printable(hunk.path)}:{hunk.first}, {what}")
            first = hunk.first + self.hunks.shift(self.at, offered=True)
            yield TextArea(
                self._shown,
                id="lines",
                tab_behavior="indent",
                show_line_numbers=True,
                line_number_start=first,
            )
            yield Static("", classes="trouble", id="trouble")
            with Horizontal():
                yield Button("save", id="save", compact=True)
                yield Static("^s saves, esc leaves it as it was", classes="hint")

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        language = self.hunks.files[self.hunks.all[self.at].path].grammar.name
        dark = self.app.current_theme.dark and not self.app.ansi_color
        if dark and language in area.available_languages:  # its colours are made for dark ones
            area.language = language
        area.focus()

    def on_text_area_changed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self.check)

    def check(self) -> None:
        """Tell what is wrong with the text as it stands."""
        try:
            made = self._made()
        except SourceError as error:
            self._tell(error.message)
            return
        told = made.unparsed(made.all[self.at].path)
        self._tell(f"{told}; it can be saved all the same" if told else "")

    def action_save(self) -> None:
        try:
            self.dismiss(self._made())
        except SourceError as error:
            self._tell(f"{error.message}; {error.hint}" if error.hint else error.message)

    def on_button_pressed(self) -> None:
        self.action_save()

    def _made(self) -> Hunks:
        text = self.query_one(TextArea).text
        back = {ord(sign): character for character, sign in self._signs.items()}
        return self.hunks.edited(self.at, text.translate(back))

    def _tell(self, words: str) -> None:
        self.query_one("#trouble", Static).update(Text(printable(words)))


def signs(text: str) -> dict[int, str]:
    """A sign for each character of a text that a terminal would obey or a text area take for the
    end of a line; none of them stands in the text."""
    found: dict[int, str] = {}
    free = iter(chr(_PRIVATE + at) for at in range(0x1900) if chr(_PRIVATE + at) not in text)
    for character in sorted(set(text)):
        if not (character.isprintable() or character in _KEPT):
            picture = chr(_PICTURES + ord(character)) if ord(character) < 0x20 else ""
            unused = picture and picture not in text
            found[ord(character)] = picture if unused else next(free)
    return found
