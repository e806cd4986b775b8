"""What is seen of sources before they are searched: traces of some cases, and whom they suspect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mgdebug import judge, states, suspects
from mgdebug.bottom_up.ground import Ground
from mgdebug.errors import ProbeError, SourceError
from mgdebug.model import Case, Hierarchy, Outcome, Patch, Status, Suspect, Target, Trace
from mgdebug.runner import OutOfTime, Plan, Runner
from mgdebug.syntax.hierarchy import decompose

TRACED_FAILING = 40  # failing cases whose visits are counted
TRACING_SHARE = 0.1  # of the time: what the passing ones that are traced took untraced
TRACED_ENDLESS = 3  # failing cases that never end; each costs its time limit
VALUES_FAILING, VALUES_PASSING = 8, 12  # of them, cases whose values are kept


def after(
    runner: Runner, patch: Patch, ground: Ground, target: Target, seconds: float
) -> Ground | None:
    """The ground as a patch leaves it, with what the cases do there; None where that cannot be
    told of all of them.  seconds: that the repair has."""
    try:
        run = runner.run(ground.sources(patch), cases=ground.plan.order)
        outcomes = {o.case: o for o in run.outcomes if o.case in ground.plan.order}
        if len(outcomes) < len(ground.plan.order):
            return None
        now = {**ground.now, **judge.patched(ground.now, patch)}
        hierarchy = decompose(now.values())
        plan = Plan.of(outcomes.values())
        bare = replace(ground, now=now, hierarchy=hierarchy, traces=(), suspects=(), plan=plan)
        traces, _, imported = traced(runner, bare, outcomes, seconds)
    except (ProbeError, OutOfTime, SourceError):
        return None
    may = allowed(hierarchy, target, ground.cases)
    chosen = suspected(hierarchy, traces, imported, may)
    found = replace(bare, traces=tuple(traces), suspects=chosen, allowed=may)
    return replace(found, imported=imported)


def behaves_alike(one: Ground, two: Ground) -> bool:
    """Whether all cases end alike on both, and give the same in all recorded calls of what both
    have; what is new in `two` is passed over."""
    if (set(one.plan.failing), set(one.plan.passing)) != (
        set(two.plan.failing),
        set(two.plan.passing),
    ):
        return False
    told = {trace.case: _calls(trace, one.hierarchy) for trace in one.traces}
    both = [trace for trace in two.traces if trace.case in told]
    return all(_calls(trace, one.hierarchy) == told[trace.case] for trace in both)


def _calls(trace: Trace, hierarchy: Hierarchy) -> list[tuple[str, str]]:
    """The calls of what a hierarchy has, sorted, with how they ended."""
    ends = (
        (states.called(call), " ".join(states.ended(call)))
        for call in trace.calls
        if call.subfunction in hierarchy.subfunctions
    )
    return sorted(ends)


def traced(
    runner: Runner, ground: Ground, outcomes: Mapping[str, Outcome], seconds: float
) -> tuple[list[Trace], list[Outcome], frozenset[str]]:
    """Trace the cases of a ground that tell most: see Runner.trace.

    outcomes: how they end untraced.  seconds: that the repair has."""
    plan = ground.plan
    endless = [c for c in plan.failing if outcomes[c].status is Status.TIMEOUT]
    failing = [c for c in plan.failing if c not in endless[TRACED_ENDLESS:]]
    chosen = {*failing[:TRACED_FAILING], *_quickest(plan.passing, outcomes, seconds)}
    cases = [case for case in plan.order if case in chosen]
    values = [*plan.failing[:VALUES_FAILING], *plan.passing[:VALUES_PASSING]]
    return runner.trace(ground.hierarchy, cases, values, ground.sources(), outcomes.values())


def suspected(
    hierarchy: Hierarchy,
    traces: Sequence[Trace],
    imported: frozenset[str],
    allowed: frozenset[str],
) -> tuple[Suspect, ...]:
    """Suspects in the subfunctions that may be changed.

    imported: ids of blocks that ran while the project was imported."""
    ranked = suspects.rank(hierarchy, traces, imported)
    return tuple(suspect for suspect in ranked if suspect.subfunction in allowed)


def allowed(hierarchy: Hierarchy, target: Target, cases: Sequence[Case]) -> frozenset[str]:
    """The subfunctions that the user lets us change: no case is ever one of them."""
    found = set()
    own = target.qualname
    tests = {(c.path, c.id.partition("[")[0].partition("::")[2]) for c in cases}
    for s in hierarchy.subfunctions.values():
        if own and s.qualname != own and not s.qualname.startswith(own + "."):
            continue
        if target.within and s.path not in target.within:
            continue
        if (s.path, s.qualname.replace(".", "::")) not in tests:
            found.add(s.id)
    return frozenset(found)


def _quickest(
    cases: Sequence[str], outcomes: Mapping[str, Outcome], seconds: float
) -> Iterator[str]:
    """As many cases as fit into the share of the time that their trace may take."""
    sum_ = 0.0
    for case in sorted(cases, key=lambda c: outcomes[c].seconds):
        sum_ += outcomes[case].seconds
        if sum_ > seconds * TRACING_SHARE:
            return
        yield case
