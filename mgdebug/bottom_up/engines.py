"""Who has the turn: proposers that cost nothing, those that are paid, the search beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Protocol

from mgdebug.bottom_up import BottomUp
from mgdebug.bottom_up.asking import Asking
from mgdebug.bottom_up.ground import Ground, Progress
from mgdebug.bottom_up.near import Near
from mgdebug.bottom_up.split import Split
from mgdebug.events import Event, Reply, Warned
from mgdebug.forgery import flags
from mgdebug.model import Patch, Stop, Target
from mgdebug.proposers import Paid, Proposer, proposer
from mgdebug.runner import OutOfTime
from mgdebug.settings import Settings

FREE_SHARE = 0.4  # of the time is left to what costs nothing, where somebody can be asked
LAST_SHARE = 0.15  # of it is kept for the search where a model is asked first
STEPS_AT_MOST = 4  # accepted partial patches
READ_AT_MOST = 40  # patches that helped some, of which the first without a flag is looked for


class Standing(Protocol):
    """What the repair stands on.  steps: partial patches that were accepted."""

    ground: Ground
    steps: list[Patch]

    def accept(self, best: Progress) -> Iterator[Event]:
        """Build on progress.  Raises OutOfTime."""
        ...

    def wait(self, seconds: float) -> None:
        """Seconds that somebody thought about a question do not count."""
        ...


@dataclass(frozen=True, slots=True)
class Engines:
    """The proposers of one repair, and the order of their turns."""

    at: Standing
    search: BottomUp
    proposers: Sequence[Proposer]
    target: Target
    settings: Settings

    def run(self) -> Generator[Event, Reply | None, None]:
        """What costs nothing first; then those that ask somebody else, if they may."""
        paid = [p for p in self.proposers if isinstance(p, Paid)]
        free = self.search.proposers = [p for p in self.proposers if p not in paid]
        if free:
            whole = self.search.deadline
            if paid:
                left = whole - time.monotonic()
                self.search.deadline = min(whole, time.monotonic() + FREE_SHARE * left)
            yield from self._steps(self.search.climb, lambda: self.search.is_sure)
            if self.search.sound:
                return
            self.search.deadline = whole
        helps = self.settings.model.search and (not free or self.search.is_unfinished)
        if helps and not free:
            self.search.deadline -= LAST_SHARE * self.settings.time
        for one in paid:
            if not self.at.ground.suspects or self.search.spent():
                break
            yield from self._ask(one)
            if self.search.sound:
                break
        if paid and helps:
            yield from self._carry_on()

    def _carry_on(self) -> Iterator[Event]:
        """The search where nobody who was asked helped; where somebody did, for the moment that is
        left, the longer the less likely that is: a smaller patch may do."""
        self.search.proposers = self._free()
        if not self.search.sound:
            self.search.deadline = self.search.runner.deadline
        if not self.search.spent():
            yield from self._steps(self.search.climb, lambda: self.search.is_sure)

    def _ask(self, one: Paid) -> Generator[Event, Reply | None, None]:
        if not self.settings.model.consent:
            subs = {s.subfunction for s in self.at.ground.suspects}
            spans = [self.at.ground.hierarchy.subfunctions[name] for name in sorted(subs)]
            sizes = [sub.span.end - sub.span.start for sub in spans if sub.kind.called]
            calling = [
                sub
                for sub in self.at.ground.hierarchy.subfunctions.values()
                if sub.id in self.at.ground.allowed and subs.intersection(sub.calls)
            ]
            failing = {failure.case for failure in self.at.ground.failures}
            tests = {case.path for case in self.at.ground.cases if case.id in failing}
            paths = sorted({sub.path for sub in (*spans, *calling)} | tests)
            asked = time.monotonic()
            reply = yield one.sending(paths, max(sizes, default=0))
            self.at.wait(time.monotonic() - asked)
            if reply is None or reply.choice != 0:
                yield Warned("nobody allowed it: nothing was sent to a model")
                return
        self.search.proposers = [one]
        self.search.learnt = self.search.told(self.at.steps)
        spent, faults = one.spent, len(one.faults)
        steps = self._steps(partial(self._asking, one), lambda: bool(self.search.sound))
        self.search.streamed = one.streamed
        for event in chain(steps, [None]):
            yield from one.streamed()
            if event is not None:
                yield event
            if one.spent != spent:
                spent = one.spent
                yield spent
            for fault in one.faults[faults:]:
                faults += 1
                yield Warned(fault)

    def _asking(self, one: Paid, ground: Ground) -> Iterator[Event]:
        near = Near(self.search, self._free(), self.target, self.settings.time)
        asking = Asking(self.search, near if self.settings.model.search else None)
        if self.settings.model.decompose == "model" and not self.at.steps:
            split = Split(self.search, one, self.target, self.settings.time)
            yield from split(ground, asking)
        if not self.search.sound:
            yield from asking(ground)

    def _best(self) -> Progress | None:
        """The best progress that bears no flag; one that does, where nothing better was found."""
        known, now = self.search.progress[:READ_AT_MOST], self.at.ground.now
        honest = next((p for p in known if not flags(now, p.patch, ())), None)
        return honest or (known[0] if known and not self.search.plausible else None)

    def _free(self) -> list[Proposer]:
        """Those who cost nothing; where the user named none, the search engine helps out."""
        free = [p for p in self.proposers if not isinstance(p, Paid)]
        return free or [proposer("search", self.settings)]

    def _steps(
        self, climb: Callable[[Ground], Iterator[Event]], is_done: Callable[[], bool]
    ) -> Iterator[Event]:
        """Climb; if that leaves only partial progress, build on the best of it and climb again."""
        while True:
            yield from climb(self.at.ground)
            steps = len(self.at.steps)
            if is_done() or self.search.spent() or steps >= STEPS_AT_MOST:
                return
            best = self._best()
            if best is None:
                return
            try:
                yield from self.at.accept(best)
            except OutOfTime:
                self.search.stop = Stop.SECONDS
                return
            if not self.at.ground.suspects:
                return
