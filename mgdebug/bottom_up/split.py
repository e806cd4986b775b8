"""Code that somebody who is paid has split into small functions, searched in place of the code as
it stands: where a run shows that it does the same (MGDebugger's decomposition, "From Code to
Correctness", Shi et al. 2024, which does not look)."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial

from mgdebug import judge
from mgdebug.bottom_up import PAUSE_SECONDS, BottomUp, survey
from mgdebug.bottom_up.asking import Asking
from mgdebug.bottom_up.ground import Ground, plan_of
from mgdebug.bottom_up.near import announced
from mgdebug.events import Event, Warned
from mgdebug.forgery import flags
from mgdebug.model import Patch, Target
from mgdebug.proposers import Paid


@dataclass(frozen=True, slots=True)
class Split:
    """Searches what one proposer has split.  seconds: of the whole repair."""

    search: BottomUp
    one: Paid
    target: Target
    seconds: float

    def __call__(self, ground: Ground, asking: Asking) -> Iterator[Event]:
        """The most suspicious function, split; what makes all cases pass there becomes a plausible
        patch of the ground."""
        subs = [ground.hierarchy.subfunctions[s.subfunction] for s in ground.suspects]
        name = next((sub.id for sub in subs if sub.kind.called), "")
        if not name:
            return
        patch = yield from self._asked(name, ground)
        told = f"{name} could not be split"
        there = None
        if patch is not None:
            told = f"{name} does something else as it was split"
            flagged = flags(ground.now, patch, ())
            there = survey.after(self.search.runner, patch, ground, self.target, self.seconds)
            if flagged or there is None:
                told = f"{name} as it was split: {flagged[0] if flagged else 'it could not be run'}"
                there = None
        if patch is None or there is None or not survey.behaves_alike(ground, there):
            yield Warned(f"{told}; it is asked about as it stands")
            return
        joined = partial(judge.joined, ground.now, there.now, patch)
        with self.search.aside([self.one], self.seconds, ground, patch.cost) as found:
            yield from announced(asking(there), joined)
        self.search.plausible += map(joined, found)

    def _asked(self, name: str, ground: Ground) -> Generator[Event, None, Patch | None]:
        asking = self.one.split(self.search.brief(name, plan_of(name, ground), ground))
        while True:
            try:
                next(asking)
            except StopIteration as stop:
                patch: Patch | None = stop.value
                return patch
            yield from self.search.heard(name)
            if self.search.spent():
                return None
            time.sleep(PAUSE_SECONDS)
