"""The application: what is painted first, its looks, and what reaches beyond the terminal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App, SuspendNotSupported, SystemCommand
from textual.message import Message
from textual.screen import Screen

from mgdebug.errors import ENVIRONMENT
from mgdebug.tui.looks import CSS, ON_LIGHT, PLAIN, THEMES, variables
from mgdebug.tui.opening import NARROW, WIDE, Opening

if TYPE_CHECKING:
    from mgdebug.session import Failed, Heard, Session
    from mgdebug.tui.screen import SessionScreen


@dataclass(frozen=True, slots=True)
class Opened:
    """What is shown once all is loaded.  keys: the user's own, by action; theme: "" for the one
    that is there; begins: whether it searches at once; notice: said first."""

    session: Session
    keys: Mapping[str, str] = field(default_factory=dict)
    theme: str = ""
    begins: bool = True
    notice: str = ""


class Mgdebug(App[int]):
    """make: loads what is heavy, beside the first screen, and gives the session, of whoever is told
    what runs.  trouble: why there is none; the app has ended then."""

    TITLE = "mgdebug"
    CSS = CSS
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (as Textual declares it)
        (0, "-tiny"),
        (60, "-narrow"),
        (NARROW, "-medium"),
        (WIDE, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (15, "-high")]  # noqa: RUF012

    class Told(Message):
        """What a repair said, from its thread."""

        def __init__(self, told: Heard | Failed) -> None:
            super().__init__()
            self.told = told

    class Ready(Message):
        """All is loaded; from the thread that did it."""

        def __init__(self, opened: Opened, keys: Mapping[str, str]) -> None:
            super().__init__()
            self.opened, self.keys = opened, keys

    session: Session  # once `main` is there
    keys: Mapping[str, str]

    def __init__(
        self, make: Callable[[Callable[[Heard | Failed], None]], Opened], *, theme: str = "dark"
    ) -> None:
        name = PLAIN if "NO_COLOR" in os.environ else THEMES.get(theme, THEMES["dark"])
        super().__init__(ansi_color=name == THEMES["ansi"])  # else Textual would send greys
        self._make = make
        self.theme, self.ansi_theme_light = name, ON_LIGHT
        self.main: SessionScreen | None = None
        self.trouble: Exception | None = None

    def get_default_screen(self) -> Screen[int]:
        return Opening()

    def on_mount(self) -> None:
        self.call_after_refresh(self.run_worker, self._load, thread=True, exit_on_error=False)

    def _load(self) -> None:
        try:
            opened = self._make(self._tell)
            from mgdebug.tui import screen
            from mgdebug.tui.actions import keymap

            del screen  # it only had to be loaded; widgets are made where they live
            keys = keymap(opened.keys)
        except Exception as error:
            self.trouble = error
            self.call_from_thread(self.exit, ENVIRONMENT)
            return
        if not self.post_message(self.Ready(opened, keys)):  # the user has left meanwhile
            opened.session.close()

    def on_mgdebug_ready(self, message: Ready) -> None:
        from mgdebug.tui.screen import SessionScreen

        opened, self.keys = message.opened, message.keys
        self.session = opened.session
        self.main = SessionScreen(opened.session, begins=opened.begins)
        if self.keys:
            self.set_keymap(self.keys)
        if opened.theme and "NO_COLOR" not in os.environ:
            self._look(THEMES[opened.theme])
        self.push_screen(self.main)
        if opened.notice:
            self.call_after_refresh(self.main.tell, opened.notice)

    def _tell(self, told: Heard | Failed) -> None:
        self.post_message(self.Told(told))

    def on_mgdebug_told(self, message: Told) -> None:
        if self.main is not None:
            self.main.hear(message.told)

    # ------------------------------------------------------------------------------- looks

    def next_theme(self) -> None:
        """The next of light, dark and the terminal's own colours."""
        names = list(THEMES.values())
        at = names.index(self.theme) if self.theme in names else 0
        self._look(names[(at + 1) % len(names)])

    def _look(self, theme: str) -> None:
        self.theme = PLAIN if self.no_color else theme
        self.ansi_color = self.theme.startswith("ansi")

    def get_css_variables(self) -> dict[str, str]:
        """As Textual has them, with a few of ours."""
        found = super().get_css_variables()
        found.update(variables(self.theme, found))
        return found

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: all that the keys can do."""
        from mgdebug.tui.actions import ACTIONS

        main = self.main
        if main is not None and screen is main:
            for action in ACTIONS:
                place = "" if action.place == "session" else f"{action.place}: "
                title = f"{place}{action.words}"
                keys = self.keys.get(action.id) or ", ".join(action.keys)
                yield SystemCommand(title, keys, lambda a=action: main.do(a))

    # ------------------------------------------------------------------------------ outside

    def copy(self, text: str) -> Path:
        """Put a text on the clipboard, and into a file, since a terminal may not pass it on."""
        import platformdirs

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
