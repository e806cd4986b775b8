"""The questions of a repair on a terminal: which result is right; the answers may be saved as
tests."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import click
from rich.markup import escape

from mgdebug import apply
from mgdebug.events import Answered, Asked, Collected, Event, Reply, Sending
from mgdebug.model import CaseKind, Question
from mgdebug.narrate import Narrator
from mgdebug.narrate import sending as told
from mgdebug.syntax.literals import literal

NEITHER = "n"


@dataclass
class Answers:
    """Asks whoever sits before the terminal; elsewhere nobody answers."""

    root: Path
    narrator: Narrator
    ask: bool  # also which result is right, where patches differ
    _tests: list[str] = field(default_factory=list)  # paths of test files
    _asked: Question | None = None
    _saved: list[tuple[Question, str]] = field(default_factory=list)

    def to(self, event: Event) -> Reply | None:
        """What to send back for an event."""
        if isinstance(event, Collected):
            kinds = (CaseKind.PYTEST, CaseKind.UNITTEST)
            failing = {o.case for o in event.outcomes if not o.status.ok}
            cases = sorted(event.cases, key=lambda case: case.id not in failing)
            self._tests = [c.path for c in cases if c.kind in kinds and c.path]
        elif isinstance(event, Answered) and event.case and self._asked is not None:
            self._saved.append((self._asked, event.case))
        elif isinstance(event, Sending):
            return self._allowed(event)
        elif isinstance(event, Asked) and self.ask:
            self._asked = event.question
            return self._reply(event.question)
        return None

    def _allowed(self, sending: Sending) -> Reply | None:
        """Whether code may be sent to a model."""
        console = self.narrator.console
        for label, text in told(sending):
            console.print(f"[bold]{label:9}[/] {escape(text)}", highlight=False)
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            console.print("          nobody can be asked here: --yes allows it", markup=False)
            return None
        return Reply(0) if click.confirm("Send it?", default=False, err=True) else None

    def _reply(self, asked: Question) -> Reply | None:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        console = self.narrator.console
        console.print(
            f"[bold]question[/]  which is right for {escape(asked.call)}?", highlight=False
        )
        for number, choice in enumerate(asked.choices, 1):
            count = len(choice.alternatives)
            patches = "1 patch" if count == 1 else f"{count} patches"
            console.print(
                f"  {number}  {escape(choice.text)}  [dim]({patches})[/]", highlight=False
            )
        console.print(f"  {NEITHER}  neither; or type the value, or Enter to leave it open")
        while True:
            said = click.prompt("answer", default="", show_default=False, err=True).strip()
            if not said:
                return None
            if said == NEITHER:
                return Reply()
            if said.isdigit() and 1 <= int(said) <= len(asked.choices):
                return Reply(int(said) - 1)
            try:
                literal(said.removeprefix("="))
            except ValueError:
                console.print("  that is no value: a number of the list, or a Python literal")
                console.print("  (=2 is the value 2, where 2 is also a number of the list)")
                continue
            return Reply(None, said.removeprefix("="))

    def save(self) -> None:
        """Offer to write what was answered into the test file.  Raises ApplyError."""
        if not self._saved or not self._tests:
            return
        path = self._tests[0]
        count = "the answer" if len(self._saved) == 1 else "the answers"
        if not click.confirm(f"Save {count} as a test in {path}?", default=False, err=True):
            return
        old = (self.root / path).read_bytes()
        text = old.decode("utf-8")
        for asked, case in self._saved:
            text = with_test(text, asked, case)
        change = apply.Change(path, apply.sha256(old), text.encode("utf-8"))
        for written in apply.apply(self.root, [change]):
            self.narrator.console.print(f"[green]saved[/]     {written}")


def with_test(text: str, asked: Question, case: str) -> str:
    """A test file with one more test, for pytest: the case, which stands in the names of the file
    that was asked about."""
    function = asked.call.partition("(")[0]
    known = set(re.findall(r"^def (test_\w+)", text, re.MULTILINE))
    number = 1
    while f"test_{function}_{number}" in known:
        number += 1
    parts = list(PurePosixPath(asked.path).with_suffix("").parts)
    module = ".".join(parts[1:] if parts[:1] == ["src"] else parts)
    has = re.search(rf"^from\b[^\n]*\bimport\b[^\n]*\b{re.escape(function)}\b", text, re.MULTILINE)
    lines = [] if has else [f"    from {module} import {function}", ""]
    body = "\n".join([f"def test_{function}_{number}():", *lines, f"    assert {case}"])
    return f"{text.rstrip()}\n\n\n{body}\n"
