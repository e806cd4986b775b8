"""What a model wrote may fail and yet lie one small edit from what is right: a short search around
it, which costs nothing, before another reply is paid for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mgdebug import judge
from mgdebug.bottom_up import BottomUp, survey
from mgdebug.bottom_up.ground import Ground
from mgdebug.errors import ProbeError
from mgdebug.events import Event
from mgdebug.forgery import flags
from mgdebug.model import Patch, Target
from mgdebug.proposers import Proposer
from mgdebug.runner import OutOfTime, Plan
from mgdebug.syntax.hierarchy import decompose

TRIES = (192,)  # of each subfunction
SHARE = 0.05  # of the time, for one reply


@dataclass(frozen=True, slots=True)
class Near:
    """Searches around patches.  free: proposers that cost nothing; seconds: of the whole repair."""

    search: BottomUp
    free: Sequence[Proposer]
    target: Target
    seconds: float

    def __call__(self, near: Patch, ground: Ground) -> Iterator[Event]:
        """What makes all cases pass together with a patch that failed becomes a plausible patch of
        the same ground."""
        if flags(ground.now, near, ()):
            return
        try:
            there = self._ground(near, ground)
        except (ProbeError, OutOfTime):
            return
        if there is None:
            return
        with self.search.elsewhere(self.free, SHARE * self.seconds, near.cost) as found:
            yield from self.search.climb(there, TRIES)
        for patch in found:
            whole = judge.compose(ground.now, there.now, patch, [near])
            proposer, family = f"{near.proposer}+{patch.proposer}", f"{near.family}+{patch.family}"
            self.search.plausible.append(replace(whole, proposer=proposer, family=family))

    def _ground(self, near: Patch, ground: Ground) -> Ground | None:
        """The ground with a patch in it; None where its cases cannot all be run."""
        runner, plan = self.search.runner, ground.plan
        run = runner.run(ground.sources(near), cases=plan.order)
        outcomes = {o.case: o for o in run.outcomes if o.case in plan.order}
        if len(outcomes) < len(plan.order):
            return None
        now = {**ground.now, **judge.patched(ground.now, near)}
        hierarchy = decompose(now.values())
        after = Plan.of(outcomes.values())
        bare = replace(ground, now=now, hierarchy=hierarchy, traces=(), suspects=(), plan=after)
        traces, _, imported = survey.traced(runner, bare, outcomes, self.seconds)
        chosen = survey.suspected(hierarchy, traces, imported, self.target, ground.cases)
        return replace(bare, traces=tuple(traces), suspects=chosen) if after.failing else None
