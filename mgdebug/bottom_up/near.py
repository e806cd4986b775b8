"""The search beside those who are paid: it costs nothing, so it looks whether a small edit does
before another reply is paid for, in the code as it stands and around what was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mgdebug import judge
from mgdebug.bottom_up import ROUNDS, BottomUp, survey
from mgdebug.bottom_up.ground import Ground
from mgdebug.events import Event
from mgdebug.forgery import flags
from mgdebug.model import Patch, Target
from mgdebug.proposers import Proposer

TRIES = ROUNDS[:1]
HERE_SHARE, AROUND_SHARE = 0.1, 0.05  # of the time, after one reply


@dataclass(frozen=True, slots=True)
class Near:
    """free: proposers that cost nothing; seconds: of the whole repair."""

    search: BottomUp
    free: Sequence[Proposer]
    target: Target
    seconds: float

    def around(self, patch: Patch, ground: Ground) -> Iterator[Event]:
        """Around what somebody wrote that failed, before another is asked for: what makes all cases
        pass together with it becomes a plausible patch of the same ground."""
        if flags(ground.now, patch, ()):
            return
        there = survey.after(self.search.runner, patch, ground, self.target, self.seconds)
        if there is None or not there.plan.failing:
            return
        with self.search.aside(self.free, AROUND_SHARE * self.seconds, ground, patch.cost) as found:
            yield from self.search.climb(there, TRIES)
        self.search.plausible += [judge.joined(ground.now, there.now, patch, p) for p in found]

    def here(self, ground: Ground, turn: int) -> Iterator[Event]:
        """In the code as it stands, after a reply failed for the first time, the second, ...:
        another round each time."""
        with self.search.aside(self.free, HERE_SHARE * self.seconds, ground) as found:
            yield from self.search.climb(ground, ROUNDS[:turn])
        self.search.plausible += found
