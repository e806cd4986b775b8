"""All that can be done, with its keys: typed words narrow the list, Enter does it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from mgdebug.tui.actions import ACTIONS, Action, shown_keys
from mgdebug.tui.dialogs.box import Dialog


class Help(Dialog[Action]):
    DEFAULT_CSS = """
    Help > Vertical { height: 80%; }
    Help OptionList { height: 1fr; max-height: 100%; border: none; }
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        """keys: that the user has chosen, by the id of the action."""
        super().__init__()
        self.keys = keys
        self._shown: list[Action] = []

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "All keys"
            yield Input(placeholder="words narrow the list", id="words")
            yield OptionList(id="actions")
            yield Static("enter does it, esc leaves", classes="hint")

    def on_mount(self) -> None:
        self._narrow("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def on_input_submitted(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self.dismiss(self._shown[at])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])

    def on_key(self, event: events.Key) -> None:
        if event.key in ("down", "up") and self.query_one(Input).has_focus:
            getattr(self.query_one(OptionList), f"action_cursor_{event.key}")()
            event.prevent_default()

    def _narrow(self, words: str) -> None:
        wanted = words.lower().split()
        lines = [(action, _line(action, self.keys)) for action in ACTIONS]
        lines = [(a, line) for a, line in lines if all(w in line.plain.lower() for w in wanted)]
        self._shown = [action for action, _ in lines]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(line) for _, line in lines])
        options.highlighted = 0 if lines else None


def _line(action: Action, chosen: Mapping[str, str]) -> Text:
    keys = shown_keys(chosen.get(action.id) or ",".join(action.keys))
    place = "" if action.place == "session" else f"{action.place}: "
    return Text.assemble((f"{keys:<14}", "bold"), (place, "dim"), action.words)
