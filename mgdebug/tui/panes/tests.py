"""The cases and how they ended, failing ones first."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from mgdebug.events import Warned
from mgdebug.model import Outcome, Status
from mgdebug.session import Account
from mgdebug.states import printable

MESSAGE_CHARACTERS = 200
_SIGNS = {
    Status.PASSED: ("ok", "green"),
    Status.FAILED: ("x ", "bold red"),
    Status.SKIPPED: ("- ", "dim"),
    Status.TIMEOUT: ("T ", "bold red"),
    Status.CRASHED: ("! ", "bold red"),
    Status.NOT_RUN: ("? ", "yellow"),
}


class TestsPane(OptionList):
    """What could not be collected stands first, then the failing cases."""

    __test__ = False  # for pytest: no test of ours

    DEFAULT_CSS = """
    TestsPane { border: round $border-blurred; padding: 0; background: transparent; height: 1fr;
        text-wrap: nowrap; text-overflow: ellipsis; }
    TestsPane:focus { border: round $border; background-tint: transparent; }
    TestsPane.-words { text-wrap: wrap; text-overflow: fold; }
    TestsPane.-words > .option-list--option-disabled { color: $foreground; }
    """

    class Chosen(Message):
        """The user wants to see what a case did."""

        def __init__(self, case: str) -> None:
            super().__init__()
            self.case = case

    class Trouble(Message):
        """The user wants to see why something could not be collected.  again: it was chosen last
        already."""

        def __init__(self, warned: Warned, again: bool) -> None:
            super().__init__()
            self.warned, self.again = warned, again

    def __init__(self) -> None:
        super().__init__(id="tests")
        self.border_title = "1 Tests"
        self._cases: list[str] = []
        self._troubles: list[Warned] = []
        self._seen: Warned | None = None  # of them, where it was chosen last

    def show(self, account: Account) -> None:
        """The cases of an account; the line that was chosen stays so."""
        chosen = self.case()
        self._troubles = [w for w in account.warnings if w.detail]
        outcomes = sorted(
            account.outcomes.values(), key=lambda o: (o.status.ok, o.case in account.flaky)
        )
        self._cases = [o.case for o in outcomes]
        self.clear_options()
        self.remove_class("-words")
        options = [Option(_trouble(warned)) for warned in self._troubles]
        options += [Option(_line(o, flaky=o.case in account.flaky)) for o in outcomes]
        self.add_options(options)
        failing = len(account.failing)
        self.border_title = f"1 Tests {failing}x" if failing else "1 Tests"
        if self.option_count:
            offset = len(self._troubles)
            known = chosen in self._cases
            self.highlighted = self._cases.index(chosen) + offset if known else 0

    def explain(self, words: Iterable[Text]) -> None:
        """What there is to say where there are no cases, below what could not be collected."""
        options = [Option(text, disabled=True) for text in words]
        self.set_class(bool(options), "-words")
        self.add_options(options)

    def case(self) -> str:
        """The id of the case that the cursor is on, "" for none."""
        at = (self.highlighted if self.highlighted is not None else -1) - len(self._troubles)
        return self._cases[at] if 0 <= at < len(self._cases) else ""

    def selected_text(self) -> str:
        """For copying."""
        return self.case()

    def find(self, text: str, step: int = 1) -> bool:
        """Move the cursor to the next line that holds a text.  step: -1 for the one before."""
        count = self.option_count
        for offset in range(1, count + 1):
            at = ((self.highlighted or 0) + step * offset) % count
            if text.lower() in str(self.get_option_at_index(at).prompt).lower():
                self.highlighted = at
                return True
        return False

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < len(self._troubles):
            warned = self._troubles[event.option_index]
            again = warned is self._seen
            self._seen = None if again else warned
            self.post_message(self.Trouble(warned, again))
        else:
            self._seen = None
            self.post_message(self.Chosen(self._cases[event.option_index - len(self._troubles)]))


def _line(outcome: Outcome, *, flaky: bool) -> Text:
    sign, style = ("~ ", "yellow") if flaky else _SIGNS[outcome.status]
    path, _, name = outcome.case.rpartition("::")
    word = "flaky " if flaky else "" if outcome.status.ok else f"{outcome.status} "
    text = Text.assemble((f"{sign} ", style), (word, style), printable(name or outcome.case))
    text.append(f"  {printable(path)}" if path else "", "dim")
    if outcome.message and not outcome.status.ok:
        text.append(f"  {printable(outcome.message)[:MESSAGE_CHARACTERS]}", "dim")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _trouble(warned: Warned) -> Text:
    text = Text.assemble(("!  ", "bold red"), printable(warned.message))
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
