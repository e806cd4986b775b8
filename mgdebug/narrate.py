"""The stream of events as a person reads it on a terminal.  Only prints; decides nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.text import Text

from mgdebug.events import (
    Accepted,
    Asked,
    Collected,
    Decomposed,
    Divided,
    Event,
    Finished,
    GroupEnded,
    Judged,
    Proposed,
    Ranked,
    Sending,
    Spent,
    Verified,
    Warned,
    Worked,
)
from mgdebug.model import Alternative, Hierarchy, Outcome, Repair, Status, Suspect
from mgdebug.states import printable
from mgdebug.story import cost
from mgdebug.words import counted as counted
from mgdebug.words import diff_text, gains, unproved
from mgdebug.words import explanation as explanation
from mgdebug.words import farewell as farewell
from mgdebug.words import passes as passes
from mgdebug.words import proof as proof
from mgdebug.work import Work, told_of

if TYPE_CHECKING:
    from mgdebug.session.account import Account
    from mgdebug.session.hunks import Hunks
    from mgdebug.session.review import Offer

SHOWN_SHARE = 0.25  # of the highest score: suspects below it are only counted
SHOWN_CASES, SHOWN_SUSPECTS, SHOWN_ALTERNATIVES, SHOWN_FILES = 8, 8, 4, 6
FLAGGED = "it may pass the cases without mending anything"
_SIGN = {
    Status.PASSED: "[green]ok[/]",
    Status.FAILED: "[red]failed[/]",
    Status.TIMEOUT: "[red]timeout[/]",
    Status.CRASHED: "[red]crashed[/]",
    Status.NOT_RUN: "[yellow]not run[/]",
}


class Narrator:
    """Tells what happens on a console (standard error), with a live line while patches are
    tried."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self.console, self.quiet = console, quiet
        self._hierarchy = Hierarchy({}, ())
        self._live: Live | None = None
        self._started = time.monotonic()
        self._failing = 0
        self._spent: Spent | None = None
        self._work = Work()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_live()

    def waiting(self, what: str) -> None:
        if not self.quiet and self.console.is_terminal:
            self._show_live(what)

    def hear(self, event: Event) -> None:
        """Fold one event."""
        if isinstance(event, Proposed):
            self._progress(event)
            return
        if isinstance(event, Warned):
            self._end_live()
            self.warn(event.message, event.detail)
        if self.quiet:
            return
        if isinstance(event, Collected):
            self._end_live()
            self._collected(event)
            self.waiting("tracing")
        elif isinstance(event, Decomposed):
            self._hierarchy = event.hierarchy
        elif isinstance(event, Ranked):
            self._end_live()
            self._ranked(event.suspects)
        elif isinstance(event, Accepted):
            self._end_live()
            self.console.print(f"[cyan]progress[/]  {escape(event.patch.note)}")
        elif isinstance(event, Judged) and event.plausible:
            self.waiting("a patch makes all cases pass; looking for a likelier one")
        elif isinstance(event, Divided | Worked | GroupEnded):
            self._repository(event)
        elif isinstance(event, Verified) and not event.ok:
            self._end_live()
            failed = event.verdict.reason or ", ".join(event.verdict.failed[:3])
            self.console.print(
                f"[yellow]dropped[/]  {escape(event.patch.note)}: fresh run: {escape(failed)}"
            )
        elif isinstance(event, Spent):
            self._spent = event
        elif isinstance(event, Asked | Sending | Finished):
            self._end_live()
        if isinstance(event, Finished) and event.repair.groups:
            self.console.print(f"[bold]workers[/]   {escape('; '.join(self._work.shares()))}")
        if isinstance(event, Finished) and self._spent is not None:
            self.console.print(f"[bold]model[/]     {cost(self._spent)}", highlight=False)

    def warn(self, message: str, detail: str = "") -> None:
        self.console.print(f"[yellow]warning[/]  {escape(message)}")
        if detail:
            tail = detail.strip().splitlines()[-12:]
            self.console.print(Text("\n".join("  | " + line for line in tail), style="dim"))

    # ----------------------------------------------------------------------------- scenes

    def _collected(self, event: Collected) -> None:
        bad = [o for o in event.outcomes if not o.status.ok and o.case not in event.flaky]
        self._failing = len(bad)
        passed = sum(o.status is Status.PASSED for o in event.outcomes)
        total = f"{passed} passed, {len(bad)} failing"
        total += f", {len(event.flaky)} flaky" if event.flaky else ""
        self.console.print(f"[bold]cases[/]     {total} ({event.seconds:.1f} s, {event.python})")
        for outcome in bad[:SHOWN_CASES]:
            self.console.print(_case_line(outcome))
        if len(bad) > SHOWN_CASES:
            self.console.print(f"  ... and {len(bad) - SHOWN_CASES} more")
        for name in event.flaky:
            self.console.print(
                f"  [yellow]flaky[/]   {escape(name)}: passed when run again; left out"
            )

    def _ranked(self, suspects: tuple[Suspect, ...]) -> None:
        if suspects:
            self.console.print("[bold]suspects[/]")
            for line in suspect_tree(self._hierarchy, suspects):
                self.console.print(line)

    def _repository(self, event: Divided | Worked | GroupEnded) -> None:
        if isinstance(event, Worked):
            self._work.hear(event)
            if event.what in ("lost", "given up"):
                self._end_live()
                self.console.print(f"[yellow]{event.what:9}[/] {escape(self._work.trouble(event))}")
            self.waiting(self._work.line())
            return
        self._end_live()
        if isinstance(event, GroupEnded):
            self.console.print(escape(told_of(event.mended)), markup=False)
            return
        what = "groups" if event.wave == 1 else "again"
        cases = sum(len(group.cases) for group in event.groups)
        count = len(event.groups)
        self.console.print(
            f"[bold]{what:9}[/] {count} suspect{'s' * (count > 1)} for {cases} failing "
            f"case{'s' * (cases > 1)}"
        )

    def _progress(self, event: Proposed) -> None:
        name = event.subfunction.partition("::")[2]
        seconds = time.monotonic() - self._started
        best = f", best {event.best} of {self._failing}" if event.best else ""
        self.waiting(f"trying patches in {name}: {event.tried} tried{best}, {seconds:.0f} s")

    def _show_live(self, what: str) -> None:
        spinner = Spinner("dots", Text(what))
        if self._live is None:
            self._live = Live(spinner, console=self.console, transient=True, refresh_per_second=8)
            self._live.start()
        else:
            self._live.update(spinner)

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _case_line(outcome: Outcome) -> str:
    message = f"  [dim]{escape(outcome.message[:100])}[/]" if outcome.message else ""
    return f"  {_SIGN.get(outcome.status, outcome.status)}  {escape(outcome.case)}{message}"


def suspect_tree(hierarchy: Hierarchy, suspects: tuple[Suspect, ...]) -> list[str]:
    """The hierarchy as far as it is under suspicion, a line each, in rich's markup: subfunctions
    below their file, with what they call of the others."""
    best: dict[str, Suspect] = {}
    for suspect in suspects:
        best.setdefault(suspect.subfunction, suspect)
    bar = SHOWN_SHARE * suspects[0].score
    shown = [name for name in best if best[name].score >= bar][:SHOWN_SUSPECTS]
    lines: list[str] = []
    for path in dict.fromkeys(hierarchy.subfunctions[name].path for name in shown):
        lines.append(f"  {escape(path)}")
        for name in shown:
            subfunction, suspect = hierarchy.subfunctions[name], best[name]
            if subfunction.path != path:
                continue
            block = hierarchy.block(suspect.block)
            line = f"line {block.span.first_line}" if block else ""
            calls = [c.partition("::")[2] for c in subfunction.calls if c in best and c != name]
            below = f"; calls {', '.join(calls)}" if calls else ""
            text = f"[bold]{escape(subfunction.qualname)}[/]  {suspect.score:.2f}  {line}"
            lines.append(f"    {text}  [dim]{escape(suspect.why)}{escape(below)}[/]")
    if len(best) > len(shown):
        lines.append(f"    [dim]... and {len(best) - len(shown)} more[/]")
    return lines


def trying(account: Account) -> str:
    """What the search is at: a subfunction, and how many patches it has tried."""
    name = printable(account.current.partition("::")[2] or account.current)
    return f"trying patches in {name}: {account.tried} tried" if name else "searching"


def best(account: Account) -> str:
    """The most cases that a try made pass, "" where none did."""
    failing = len(account.failing)
    words = f"best so far: {account.gained} of {failing} failing cases pass"
    return words if account.gained else ""


def standing(account: Account, offer: Offer, place: int, hunks: Hunks | None) -> str:
    """How a patch stands.  place: among those that were found, 0 for the best; hunks: of the patch,
    with what was decided on them."""
    if hunks is not None and not hunks.as_offered:
        taken = sum(hunk.taken for hunk in hunks.all)
        if not taken:
            return "NOTHING TAKEN"
        edited = sum(hunk.word == "edited" for hunk in hunks.all)
        what = f"{taken} of {len(hunks.all)} hunks taken" + f", {edited} edited" * bool(edited)
        return f"CHANGED: {what}; not run so yet, applying runs the tests"
    if offer.partial is not None:
        return f"PART: {gains(offer.partial)}"
    if place:
        return "it passed when it was tried; applying runs all tests"
    if account.verdict is None:
        return "not verified in a fresh process yet"
    count, failed = len(account.verdict.passed), len(account.verdict.failed)
    left = f", {failed} still fail{'s' * (failed == 1)}" if failed else ""
    odd = f", {unproved(account.repair)}" if account.repair and account.repair.stand_ins else ""
    return f"PASS: {passes(count)} in a fresh process{left}{odd}"


def ranking(offers: Sequence[Offer], place: int) -> list[str]:
    """Why a patch has its place among those that were found, a line each; [] where nothing says
    so."""
    alternative = offers[place].alternative
    if alternative is None or not alternative.reasons:
        return []
    several = f"why it is {'first' if not place else f'number {place + 1}'} of {len(offers)}:"
    head = several if len(offers) > 1 else "what speaks for it:"
    return [head, *map(printable, alternative.reasons)]


def sending(event: Sending) -> tuple[tuple[str, str], ...]:
    """What a model would be sent: a word and what it says of it, a line each."""
    cost = "unknown" if event.cost is None else f"at most ${event.cost:.2f}"
    files = ", ".join(event.paths[:SHOWN_FILES]) + " ..." * (len(event.paths) > SHOWN_FILES)
    return (
        ("model", f"{', '.join(event.models)} at {', '.join(event.hosts)}"),
        ("sent", f"code of {files}, with values of its runs; secrets masked"),
        ("price", f"{event.calls} calls of about {event.tokens} tokens: {cost}"),
    )


_COLORS = {"+++": "bold", "---": "bold", "@@": "cyan", "+": "green", "-": "red"}


def colored_diff(alternative: Alternative) -> Text:
    """The diff with a colour for each kind of line; nothing is cut, the signs stay."""
    text = Text()
    for line in diff_text(alternative.diff).splitlines(keepends=True):
        style = next((c for sign, c in _COLORS.items() if line.startswith(sign)), "")
        text.append(line, style)
    return text


def others(repair: Repair) -> list[str]:
    """The patches that pass as well, a line each."""
    rest = repair.alternatives[1:]
    lines = [
        f"also passes: {a.patches[0].note}"
        + (f" (flagged: {'; '.join(a.flags)})" if a.flags else "")
        for a in rest[:SHOWN_ALTERNATIVES]
    ]
    if len(rest) > SHOWN_ALTERNATIVES:
        lines.append(f"... and {len(rest) - SHOWN_ALTERNATIVES} more that pass")
    return lines


def flagged(repair: Repair) -> list[str]:
    """What may make the patch a forgery rather than a repair, a line each; [] for most patches."""
    return list(repair.best.flags) if repair.best else []
