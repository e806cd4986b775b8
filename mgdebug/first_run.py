"""The suite as it is, before anything is searched: what can be run of it, and how that ends."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from mgdebug import judge
from mgdebug.errors import ProbeError, UsageError
from mgdebug.events import Event, Warned
from mgdebug.model import Case, Outcome, Patch, Status, Target
from mgdebug.partial import Filling
from mgdebug.proposers import Proposer
from mgdebug.runner import Run, Runner
from mgdebug.settings import Settings
from mgdebug.unparsed import Mending, told, unparsed

GIVEN_LONGER, LONGER, SLOW_SECONDS = 3, 4.0, 0.5  # cases, times their limit, what slow others take


class FirstRun:
    """run() and then sort() fill the fields.

    uncollected: what could not be, in words; unable: ids of the cases that could not even begin,
    which are none of `cases`.  flaky: ids.  whole: patches with which all cases pass already.
    """

    def __init__(
        self, target: Target, proposers: Sequence[Proposer], settings: Settings, runner: Runner
    ) -> None:
        self.target, self.settings, self.runner = target, settings, runner
        self.mending = Mending(target, proposers, runner, settings.time, settings.seed)
        self.filling = Filling(target)
        self.cases: tuple[Case, ...] = ()
        self.outcomes: dict[str, Outcome] = {}
        self.flaky: set[str] = set()
        self.uncollected: list[str] = []
        self.unable: set[str] = set()
        self.whole: list[Patch] = []

    def run(self) -> Generator[Event, None, Run]:
        """All of it once, with files mended that do not parse, and stand-ins where the user wants
        them for what is missing.  Raises what Runner.run raises."""
        wanted, seconds = self.settings.partial, self.settings.time
        if wanted:
            yield from self.filling.fill(self.runner, seconds, {})
        try:
            run = yield from self.mending.first_run()
        except (UsageError, ProbeError) as error:
            if not wanted:
                yield from self.filling.hint(f"{error.message}\n{error.detail}")
            raise
        if not wanted:
            yield from self.filling.hint(told(run))
        elif self.mending.steps and not self.mending.plausible:
            yield from self.filling.fill(self.runner, seconds, self.mending.sources)
            run = self.runner.run(self.mending.sources)
            if run.outcomes and not run.troubles and all(o.status.ok for o in run.outcomes):
                disk, now = self.mending.disk, self.mending.now
                self.whole.append(judge.compose(disk, now, None, self.mending.steps))
        return run

    def sort(self, run: Run) -> Generator[Event, None, None]:
        """Tell apart what could not be collected or begun, what is only slow, and what is flaky."""
        own_kinds = self.target.expressions or self.target.io
        if self.runner.gaps:
            yield Warned(self.runner.gaps)
        if self.runner.pytest is None and (self.target.tests or not own_kinds):
            yield Warned(f"{self.runner.python} has no pytest: only unittest was looked for")
        for where, detail in run.troubles:
            self.uncollected.append(where)
            yield Warned(f"{where} could not be collected", detail)
            yield from unparsed(self.target, detail)
        run = yield from self._runnable(run)
        self.cases = run.cases
        self.outcomes.update((o.case, o) for o in run.outcomes)
        self.outcomes.update(self._given_longer(run.outcomes))
        failing = [o.case for o in run.outcomes if o.status in (Status.FAILED, Status.CRASHED)]
        again = self.runner.run(self.mending.sources, cases=failing) if failing else None
        for outcome in again.outcomes if again else ():
            if outcome.case in failing and outcome.status.ok:
                self.flaky.add(outcome.case)

    def _runnable(self, run: Run) -> Generator[Event, None, Run]:
        """Without the cases that could not even begin, such as for want of a fixture: they say
        nothing of the code."""
        unable: dict[str, list[Outcome]] = {}
        for outcome in run.outcomes:
            if outcome.is_unable:
                unable.setdefault(outcome.message, []).append(outcome)
        for why, outcomes in unable.items():
            count = len(outcomes)
            what = outcomes[0].case if count == 1 else f"{count} cases"
            self.uncollected.append(f"{what} ({why})")
            yield Warned(f"{what} cannot be run: {why}", outcomes[0].detail)
            self.unable.update(outcome.case for outcome in outcomes)
        return run.without(self.unable)

    def _given_longer(self, outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
        """Cases that hit their time limit where others are slow too: slow ones rather than endless
        ones.  A few of them are run again with more time."""
        late = [o.case for o in outcomes if o.status is Status.TIMEOUT]
        slowest = max((o.seconds for o in outcomes if o.case not in late), default=0.0)
        if not late or len(late) > GIVEN_LONGER or slowest < SLOW_SECONDS:
            return {}
        limits = self.runner.limits
        self.runner.limits = replace(limits, case_seconds=LONGER * limits.case_seconds)
        run = self.runner.run(self.mending.sources, cases=late)
        again = {o.case: o for o in run.outcomes if o.case in late}
        if all(o.status is Status.TIMEOUT for o in again.values()):
            self.runner.limits = limits
        return again
