"""The search beside those who are paid: it costs nothing, so it looks whether a small edit does
before another reply is paid for, in the code as it stands and around what was written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from mgdebug import judge
from mgdebug.bottom_up import ROUNDS, BottomUp, survey
from mgdebug.bottom_up.ground import Ground
from mgdebug.events import Event, Judged
from mgdebug.forgery import flags
from mgdebug.model import Patch, Target
from mgdebug.proposers import Proposer

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
        share = AROUND_SHARE * self.seconds
        runner = self.search.runner
        whole, runner.deadline = runner.deadline, min(runner.deadline, time.monotonic() + share)
        try:
            there = survey.after(runner, patch, ground, self.target, self.seconds)
        finally:
            runner.deadline = whole
        if there is None or not there.plan.failing:
            return
        joined = partial(judge.joined, ground.now, there.now, patch)
        with self.search.aside(self.free, share, ground, patch.cost) as found:
            yield from announced(self.search.climb(there, ROUNDS[:1]), joined)
        self.search.plausible += map(joined, found)

    def here(self, ground: Ground) -> Iterator[Event]:
        """In the code as it stands, after a reply failed: another round each time."""
        rounds = ROUNDS[: self.search.rounds(ground) + 1]
        with self.search.aside(self.free, HERE_SHARE * self.seconds, ground) as found:
            yield from self.search.climb(ground, rounds)
        self.search.plausible += found


def announced(events: Iterable[Event], joined: Callable[[Patch], Patch]) -> Iterator[Event]:
    """Events of a search on another ground: a plausible patch as it is on this one, and nothing of
    what helps only there."""
    for event in events:
        if not isinstance(event, Judged):
            yield event
        elif event.plausible:
            yield Judged(joined(event.patch), event.verdict, True)
