"""The application: one screen, its looks, and what reaches beyond the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import platformdirs
from textual.app import App, SuspendNotSupported, SystemCommand
from textual.message import Message
from textual.screen import Screen

from mgdebug.errors import CLEAN, FAILURES
from mgdebug.session import Failed, Heard, Session, Stage
from mgdebug.tui.actions import ACTIONS, keymap
from mgdebug.tui.layout import NARROW
from mgdebug.tui.screen import SessionScreen

THEMES = {"dark": "textual-dark", "light": "textual-light", "ansi": "ansi-dark"}


class Mgdebug(App[int]):
    """make: a session, of whoever is told what runs.  begins: whether it searches at once.
    notice: said first."""

    TITLE = "mgdebug"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (as Textual declares it)
        (0, "-tiny"),
        (60, "-narrow"),
        (NARROW, "-medium"),
        (140, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (15, "-high")]  # noqa: RUF012

    class Told(Message):
        """What a repair said, from its thread."""

        def __init__(self, told: Heard | Failed, session: Session) -> None:
            super().__init__()
            self.told, self.session = told, session

    def __init__(
        self,
        make: Callable[[Callable[[Heard | Failed], None]], Session],
        *,
        theme: str = "dark",
        keys: Mapping[str, str] | None = None,
        begins: bool = True,
        notice: str = "",
    ) -> None:
        super().__init__(ansi_color=theme == "ansi")
        self.notice = notice
        self.session = make(self._tell)
        self.begins = begins
        self.keys = keymap(keys or {})
        self.theme = THEMES[theme]

    def on_mount(self) -> None:
        if self.keys:
            self.set_keymap(self.keys)
        screen = SessionScreen(self.session, begins=self.begins)
        self.push_screen(screen)
        if self.notice:
            self.call_after_refresh(screen.tell, self.notice)

    def _tell(self, told: Heard | Failed) -> None:
        self.post_message(self.Told(told, self.session))

    def on_mgdebug_told(self, message: Told) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, SessionScreen):
                screen.hear(message.told)

    # ------------------------------------------------------------------------------- looks

    def next_theme(self) -> None:
        """The next of light, dark and the terminal's own colours."""
        names = list(THEMES.values())
        at = names.index(self.theme) if self.theme in names else 0
        self.theme = names[(at + 1) % len(names)]
        self.ansi_color = self.theme.startswith("ansi")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: all that the keys can do."""
        if isinstance(screen, SessionScreen):
            for action in ACTIONS:
                place = "" if action.place == "session" else f"{action.place}: "
                title = f"{place}{action.words}"
                keys = self.keys.get(action.id) or ", ".join(action.keys)
                yield SystemCommand(title, keys, lambda a=action: screen.do(a))

    # ------------------------------------------------------------------------------ outside

    def copy(self, text: str) -> Path:
        """Put a text on the clipboard, and into a file, since a terminal may not pass it on."""
        self.copy_to_clipboard(text)
        file = platformdirs.user_state_path("mgdebug") / "copied.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", "backslashreplace")
        return file

    @contextlib.contextmanager
    def stood_aside(self) -> Iterator[None]:
        """While another program has the terminal; where there is none to give, just so."""
        try:
            with self.suspend():
                yield
        except SuspendNotSupported:
            yield

    def ended(self) -> int:
        """The exit code that the session deserves."""
        well = self.session.stage in (Stage.ALL_PASS, Stage.DONE)
        return CLEAN if well else FAILURES
