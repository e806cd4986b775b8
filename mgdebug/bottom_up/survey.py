"""What is seen of sources before they are searched: traces of some cases, and whom they suspect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mgdebug import suspects
from mgdebug.bottom_up.ground import Ground
from mgdebug.model import Case, Hierarchy, Outcome, Status, Suspect, Target, Trace
from mgdebug.runner import Runner

TRACED_FAILING = 40  # failing cases whose visits are counted
TRACING_SHARE = 0.1  # of the time: what the passing ones that are traced took untraced
TRACED_ENDLESS = 3  # failing cases that never end; each costs its time limit
VALUES_FAILING, VALUES_PASSING = 8, 12  # of them, cases whose values are kept


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
    target: Target,
    cases: Sequence[Case],
) -> tuple[Suspect, ...]:
    """Suspects in the subfunctions that the user lets us change.  No case is ever one of them.

    imported: ids of blocks that ran while the project was imported."""
    allowed = _allowed(hierarchy, target, cases)
    ranked = suspects.rank(hierarchy, traces, imported)
    return tuple(suspect for suspect in ranked if suspect.subfunction in allowed)


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


def _allowed(hierarchy: Hierarchy, target: Target, cases: Sequence[Case]) -> set[str]:
    found = set()
    own = target.qualname
    tests = {(c.path, c.id.partition("[")[0].partition("::")[2]) for c in cases}
    for s in hierarchy.subfunctions.values():
        if own and s.qualname != own and not s.qualname.startswith(own + "."):
            continue
        if (s.path, s.qualname.replace(".", "::")) not in tests:
            found.add(s.id)
    return found
