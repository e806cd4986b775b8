"""The line of tabs where there is no room for all panes."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

PANES = ("tests", "blocks", "code", "patch", "model")


class Tabs(Widget):
    DEFAULT_CSS = "Tabs { height: 1; color: $foreground; }"

    class Chosen(Message):
        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self) -> None:
        super().__init__(id="tabs")
        self.labels: dict[str, str] = {}
        self.active = "tests"

    def show(self, labels: dict[str, str], active: str) -> None:
        """labels: of the panes that can be shown, by name."""
        if (labels, active) != (self.labels, self.active):
            self.labels, self.active = dict(labels), active
            self.refresh()

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for pane, label in self.labels.items():
            text.append(f"[{label}]", "reverse bold" if pane == self.active else "")
        return text

    def on_click(self, event: events.Click) -> None:
        at = 0
        for pane, label in self.labels.items():
            at += len(label) + 2
            if event.x < at:
                self.post_message(self.Chosen(pane))
                return
