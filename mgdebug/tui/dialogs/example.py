"""An input/output example for a subfunction, by hand."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from mgdebug.errors import MgdebugError
from mgdebug.model import Subfunction
from mgdebug.session.examples import compiled, expression_of
from mgdebug.states import printable
from mgdebug.tui.dialogs.box import Dialog


class Example(Dialog[str]):
    """Gives an expression, such as "f(3) == 9".  call: the last recorded one, to start from."""

    def __init__(self, subfunction: Subfunction, call: str) -> None:
        super().__init__()
        self.subfunction, self.call = subfunction, call

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Add an example"
            name = printable(self.subfunction.qualname)
            words = Text.assemble("Only ", (name, "bold"), " is solved again, with this in mind.")
            yield Static(words, classes="words")
            yield Input(self.call, placeholder="a call, such as f(3)", id="call")
            yield Input(placeholder="what it gives, such as 9", id="result")
            yield Static("", classes="trouble", id="trouble")
            yield Static("enter adds it, esc leaves", classes="hint")

    def on_input_submitted(self) -> None:
        call = self.query_one("#call", Input).value.strip()
        result = self.query_one("#result", Input).value.strip()
        if call and not result:
            self.query_one("#result", Input).focus()
            return
        try:
            compiled(call)
            self.dismiss(expression_of(call, result))
        except MgdebugError as error:
            self.query_one("#trouble", Static).update(Text(f"{error.message}; {error.hint}"))
