"""What all dialogs look like: a box in the middle; Escape leaves it with nothing."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > Vertical {
        width: 90%; max-width: 96; height: auto; max-height: 90%;
        border: round $border; background: $surface; padding: 0 1;
    }
    Dialog .words { height: auto; }
    Dialog .hint { color: $text-muted; height: auto; }
    Dialog .trouble { color: $text-error; height: auto; }
    Dialog OptionList { height: auto; max-height: 16; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "nothing", "leave", show=True)]

    def action_nothing(self) -> None:
        self.dismiss(None)
