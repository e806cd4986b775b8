"""The pipeline of `mgdebug trace`: collect, decompose, count who reaches the target, trace those
with values.  A generator of events, like repair(); it prints nothing and writes no file.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgdebug import sources
from mgdebug.divergence import Divergence, narrowed, nearest, part, why
from mgdebug.errors import MgdebugError, NoCasesError, SourceError, UsageError
from mgdebug.events import Collected, Decomposed, Event, Traced, Warned, plain
from mgdebug.model import Hierarchy, Outcome, Status, Target, Trace
from mgdebug.named import blocks_named, check_variables, subfunctions_in
from mgdebug.partial import Filling
from mgdebug.runner import OutOfTime, Run, Runner
from mgdebug.settings import Settings
from mgdebug.states import as_data
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile
from mgdebug.unparsed import check_expressions, unparsed

COUNTED = 200  # cases, failing ones first, of which it is looked whether they reach the target
COUNTING_SHARE = 0.2  # of the time: what the passing ones took untraced
ENDLESS = 3  # of them that never end; each costs time
VALUES_FAILING, VALUES_PASSING = 8, 12  # cases whose values are kept


@dataclass(frozen=True, slots=True)
class Pair:
    """A trace beside the nearest passing one, and where the two part."""

    trace: Trace
    other: Trace
    parting: Divergence | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """What the chosen cases did.

    outcomes: of all cases that were selected.  uncollected: what could not be.  traces: the failing
    ones first, the shortest first among them.  named: whether the user named each case by itself.
    """

    outcomes: Mapping[str, Outcome]
    uncollected: tuple[str, ...]
    files: Mapping[str, SourceFile]
    hierarchy: Hierarchy
    traces: tuple[Trace, ...]
    named: bool = False

    @property
    def shown(self) -> tuple[Trace, ...]:
        """What is shown where there is room for little: the shortest failing run, or passing one if
        none fails; all that were named."""
        return self.traces if self.named else self.traces[:1]

    @property
    def all_pass(self) -> bool:
        bad = any(not outcome.status.ok for outcome in self.outcomes.values())
        return not bad and not self.uncollected

    def beside(self, trace: Trace) -> Pair | None:
        """A failing trace with the nearest passing one that goes along with it for a while and then
        parts; else with the nearest one, None if none passes."""
        if trace.status.ok:
            return None
        near = nearest(trace, [t for t in self.traces if t.status.ok])
        for other in near:
            pair = self._pair(trace, other)
            if pair.parting is not None and pair.parting.last is not None:
                return pair
        return self._pair(trace, near[0]) if near else None

    def _pair(self, trace: Trace, other: Trace) -> Pair:
        parting = part(trace, other)
        words = why(parting, trace, other, self.hierarchy, self.files) if parting else ""
        return Pair(trace, other, parting, words)

    def message(self, case: str) -> str:
        """How a case ended, in one line."""
        outcome = self.outcomes.get(case)
        return outcome.message if outcome else ""

    def as_data(self) -> dict[str, Any]:
        """One JSON object: the traces, and beside which passing one each failing one is put."""
        pairs = filter(None, map(self.beside, self.traces))
        return {
            "cases": [plain(outcome) for outcome in self.outcomes.values()],
            "traces": [as_data(t, self.hierarchy, self.message(t.case)) for t in self.traces],
            "pairs": [
                {
                    "case": pair.trace.case,
                    "other": pair.other.case,
                    "parting": plain(pair.parting),
                    "why": pair.why,
                }
                for pair in pairs
            ],
        }


def record(
    target: Target,
    settings: Settings,
    python: str,
    blocks: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Generator[Event, None, Recording]:
    """Trace the cases of a target; the generator's value is the recording.

    blocks: what the user calls the blocks to show (see blocks_named), () for all; names: of the
    variables to show, () for all.  Raises MgdebugError for what the user must mend.
    """
    with Runner.of(target, python, settings) as runner:
        runner.deadline = time.monotonic() + settings.time
        try:
            return (yield from _record(target, settings, runner, blocks, names))
        except OutOfTime:
            raise MgdebugError(
                f"the time limit of {settings.time:g} s ended the run",
                "give it longer with --time SECONDS, or fewer cases with --tests PATH::NAME",
            ) from None


def _record(
    target: Target, settings: Settings, runner: Runner, blocks: Sequence[str], names: Sequence[str]
) -> Generator[Event, None, Recording]:
    began = time.monotonic()
    if settings.partial:
        yield from Filling(target).fill(runner, settings.time, {})
    run = runner.run()
    check_expressions(run)
    if runner.gaps:
        yield Warned(runner.gaps)
    if runner.pytest is None and (target.tests or not (target.expressions or target.io)):
        yield Warned(f"{runner.python} has no pytest: only unittest was looked for")
    yield Collected(runner.python, run.cases, run.outcomes, (), time.monotonic() - began)
    unread: list[Warned] = []
    for where, detail in run.troubles:
        yield Warned(f"{where} could not be collected", detail)
        unread += unparsed(target, detail)
    files, troubles = sources.imported(target, run.files)
    for trouble in troubles:
        yield Warned(f"{trouble}; left out")
    if target.path and target.path not in files:
        files[target.path] = _not_imported(target, runner)
    hierarchy = decompose(files.values())
    yield Decomposed(hierarchy)
    whole = sources.part(hierarchy, target.path, target.qualname) if target.qualname else ""
    inside = subfunctions_in(hierarchy, whole)
    chosen = blocks_named(inside, blocks) if blocks else {b.id for s in inside for b in s.blocks}
    check_variables(inside, names)
    if not run.cases:
        raise _no_cases(run, unread)
    traces = yield from _traces(settings, runner, run, hierarchy, _Aim(target, chosen))
    wanted = chosen if blocks or whole else None
    return Recording(
        {o.case: o for o in run.outcomes},
        tuple(where for where, _ in run.troubles),
        files,
        hierarchy,
        tuple(narrowed(t, wanted, names or None) for t in traces),
        bool(target.expressions) or (bool(target.tests) and all("::" in t for t in target.tests)),
    )


def _not_imported(target: Target, runner: Runner) -> SourceFile:
    """The target's file where no case has imported it.  Raises SourceError if it does not parse,
    which for the project's interpreter it does wherever that takes it."""
    path = target.path
    source = sources.named(target.root, path)
    if source.errors and runner.complaints([{path: source.data}])[0] is not None:
        line, column, what = source.errors[0]
        hint = f"`mgdebug fix {path}` looks for what mends it"
        raise SourceError(f"{path}:{line}:{column}: does not parse: {what}", hint)
    return source


def _no_cases(run: Run, unread: Sequence[Warned]) -> MgdebugError:
    if unread:
        return SourceError(unread[0].message, "`mgdebug fix` looks for what mends it")
    if run.troubles:
        return MgdebugError(
            f"no case could be collected from {run.troubles[0][0]}",
            "mend what the warning above shows, then run mgdebug again",
        )
    return NoCasesError(
        "no tests: there is nothing to run",
        "name them with --tests PATH, or run a function: mgdebug trace FILE --case 'f(3) == 9'",
    )


# --------------------------------------------------------------------------- the chosen cases


@dataclass(frozen=True, slots=True)
class _Aim:
    """What is looked at: the blocks of a target."""

    target: Target
    blocks: Collection[str]

    def hits(self, trace: Trace) -> int:
        return sum(count for block, count in trace.hits.items() if block in self.blocks)

    def missed(self, imported: Collection[str]) -> UsageError:
        """Why there is nothing to show."""
        target = self.target
        name = f"{target.path}::{target.qualname}" if target.qualname else target.path
        if not name:
            return UsageError(
                "no case runs code of the project that can be traced",
                "name the file: mgdebug trace FILE",
            )
        hint = f"run it with: mgdebug trace {target.path} --case 'f(3) == 9'"
        if any(block in imported for block in self.blocks):
            return UsageError(f"of {name} only what runs while it is imported is reached", hint)
        return UsageError(f"no case reaches {name}", hint)


def _traces(
    settings: Settings, runner: Runner, run: Run, hierarchy: Hierarchy, aim: _Aim
) -> Generator[Event, None, list[Trace]]:
    """The cases that reach the blocks, with values: the shortest failing ones, then those passing
    ones that lie nearest to them.  Without a failing one the shortest passing ones."""
    order = {o.case: place for place, o in enumerate(run.outcomes)}
    failing = list(_worth_counting(run.outcomes))
    passing = list(_quick(run.outcomes, settings.time * COUNTING_SHARE))
    cases = sorted([*failing, *passing], key=order.__getitem__)
    counted, _, imported = runner.trace(hierarchy, cases, (), {}, run.outcomes)
    reaching = sorted((t for t in counted if aim.hits(t)), key=aim.hits)
    if not reaching:
        raise aim.missed(imported)
    bad = [t for t in reaching if t.case in failing][:VALUES_FAILING]
    good = [t for t in reaching if t.case not in failing]
    if bad:
        good.sort(key=lambda t: min(len(set(t.hits) ^ set(b.hits)) for b in bad))
    elif failing:
        yield Warned("none of the failing cases gets there; a passing one is shown")
    wanted = [t.case for t in (*bad, *good[:VALUES_PASSING])]
    cases = sorted(wanted, key=order.__getitem__)
    found, outcomes, _ = runner.trace(hierarchy, cases, cases, {}, run.outcomes, last=True)
    known = {o.case: o for o in run.outcomes}
    for outcome in outcomes:
        if outcome.status.ok != known[outcome.case].status.ok:
            yield Warned(f"{outcome.case} did not end alike when it was traced: {outcome.status}")
    traces = sorted(found, key=lambda t: wanted.index(t.case))
    yield Traced(tuple(traces))
    return traces


def _worth_counting(outcomes: Sequence[Outcome]) -> Iterator[str]:
    endless = 0
    for outcome in [o for o in outcomes if not o.status.ok][:COUNTED]:
        endless += outcome.status is Status.TIMEOUT
        if outcome.status is not Status.TIMEOUT or endless <= ENDLESS:
            yield outcome.case


def _quick(outcomes: Sequence[Outcome], seconds: float) -> Iterator[str]:
    """As many passing cases as fit into some seconds."""
    good = sorted((o for o in outcomes if o.status is Status.PASSED), key=lambda o: o.seconds)
    for outcome in good[:COUNTED]:
        seconds -= outcome.seconds
        if seconds < 0 and outcome is not good[0]:
            return
        yield outcome.case
