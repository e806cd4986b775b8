"""The line in which a text to look for is typed."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Input


class Finding(Input):
    """Shown while something is looked for."""

    DEFAULT_CSS = """
    Finding { display: none; height: 1; border: none; padding: 0 1; }
    Finding.-open { display: block; }
    """

    class Wanted(Message):
        """A text to look for; "" for none."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(placeholder="search for", id="finding")

    def open(self) -> None:
        """Take the keys."""
        self.add_class("-open")
        self.value = ""
        self.focus()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self._close("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close(event.value)

    def _close(self, text: str) -> None:
        self.remove_class("-open")
        self.post_message(self.Wanted(text))
