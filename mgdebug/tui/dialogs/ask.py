"""What a repair asks: which result is right, and whether code may be sent to a model."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from mgdebug import narrate
from mgdebug.events import Reply, Sending
from mgdebug.model import Question
from mgdebug.states import printable
from mgdebug.syntax.literals import literal
from mgdebug.tui.dialogs.box import Dialog


class Which(Dialog[Reply | None]):
    """Which is right for a call: one of the choices, neither, or a value that is typed."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "The patches differ"
            call = Text.assemble("Which is right for ", (printable(self.question.call), "bold"))
            yield Static(call.append("?"), classes="words")
            options = [_choice(c.text, len(c.alternatives)) for c in self.question.choices]
            yield OptionList(*options, Option("neither of them"), id="choices")
            yield Input(placeholder="or the right value, such as 3 or 'a'", id="value")
            yield Static("", classes="trouble", id="trouble")
            yield Static("enter answers, esc leaves it open", classes="hint")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        at = event.option_index
        self.dismiss(Reply(at) if at < len(self.question.choices) else Reply())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        try:
            literal(text)
        except ValueError:
            trouble = "that is no value: a Python literal is wanted, such as [1, 2] or None"
            self.query_one("#trouble", Static).update(trouble)
            return
        self.dismiss(Reply(None, text))


def _choice(text: str, patches: int) -> Option:
    count = f"  {patches} patch{'es' * (patches > 1)}"
    return Option(Text.assemble(printable(text), (count, "dim")))


class Consent(Dialog[bool]):
    """Yes or no; Escape is no."""

    def __init__(self, title: str, words: Text, yes: str, no: str) -> None:
        super().__init__()
        self.words, self.yes, self.no, self._heading = words, yes, no, title

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._heading
            yield Static(self.words, classes="words")
            yield OptionList(Option(self.no), Option(self.yes), id="choices")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index == 1)

    def action_nothing(self) -> None:
        self.dismiss(False)


def sending(told: Sending) -> Consent:
    """The question before the first call of a model."""
    words = Text()
    for label, text in narrate.sending(told):
        words.append(f"{label:6}", "bold").append(f"{printable(text)}\n")
    words.rstrip()
    return Consent("Send code to a model?", words, "send it", "do not send anything")
