"""The search from the leaves of the hierarchy to the whole, in rounds.

Every suspicious subfunction has a line open to the proposers.  In each round a line gets so many
tries; callees come before callers of about the same suspicion.  Only strict progress counts: more
cases pass and none newly fails (MGDebugger's order, "From Code to Correctness", 2024; the rule is
hypothesis' shrinker's).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mgdebug import judge, suspects
from mgdebug.bottom_up.doubt import Doubt
from mgdebug.bottom_up.ground import Ground, Progress, apart, is_wider, plan_of
from mgdebug.bottom_up.line import Laboratory, Line
from mgdebug.errors import SourceError
from mgdebug.events import Event, Judged, Proposed
from mgdebug.forgery import flags
from mgdebug.languages import language_of
from mgdebug.learned import Template
from mgdebug.model import Limits, Patch, Stop, SubfunctionKind, Verdict
from mgdebug.proposers import Brief, Proposer
from mgdebug.runner import Plan, Runner, was_cut
from mgdebug.syntax.constants import read_by_suspects

__all__ = ["BottomUp", "Ground", "Progress"]

# Tries that a subfunction has had when the next one's turn comes.
ROUNDS = (192, 1536, 12_288, None)
TRUSTED_ROUNDS = 1  # that go by before what serves as an oracle is changed itself
TURN_SHARE = 0.1  # of the time, after which the next one's turn comes too
# Of a turn: of what runs during an import, where each try is one, and of the module whose constants
# the worst suspects read.
IMPORT_TURNS, CONSTANT_TURNS = 0.3, 2
SAME_SUSPICION = 0.5  # of the highest score: subfunctions that are searched first
# Tries a round whose loops were cut off, and that are given all the time that a case may take.
CUT_AT_MOST = 32
TOGETHER = 12  # patches of each subfunction that are tried beside the best one of another
HEARD_SECONDS = 0.4  # that tries go on between two events
PAUSE_SECONDS = 0.01  # while all lines are thinking


@dataclass(slots=True)
class _Left:
    """Where a climb ended.  progress: what helped some."""

    ground: Ground
    lines: Sequence[Line]
    progress: list[Progress]
    round: int = 0


class BottomUp:
    """The search of one repair.  plausible: patches with which all cases pass; sound: how many
    of them bear no flag; progress: those of the last climb that helped some; missed: drawn patches
    that failed; tried: how many were run; stop: why the search ended."""

    def __init__(
        self,
        runner: Runner,
        proposers: Sequence[Proposer],
        limits: Limits,
        seed: int,
        templates: tuple[Template, ...] = (),
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """templates: of patches that were accepted earlier.  enough: whether somebody wants no
        more than what was found so far."""
        self._templates, self._enough = templates, enough
        self._heard = 0.0  # when the last event of a batch was
        self.runner, self.proposers, self._limits, self._seed = runner, proposers, limits, seed
        self.deadline = runner.deadline
        self._best = 0
        self._turn = TURN_SHARE * (limits.seconds or float("inf"))
        self._doubt = Doubt(runner, limits.seconds or float("inf"))
        self._left: _Left | None = None
        self._closing = float("inf")  # when there is no more time for a likelier patch
        self._way = 0.0  # bits that the ground costs
        self._honest = False  # whether one of the plausible patches leaves no doubt
        self.learnt = ""  # by those who cost nothing, for those who do not
        self.streamed: Callable[[], Sequence[Event]] = tuple  # what came of replies
        self.plausible: list[Patch] = []
        self.sound = 0
        self.progress: list[Progress] = []
        self.missed: list[Patch] = []
        self.tried = 0
        self.stop = Stop.EXHAUSTED

    def climb(self, ground: Ground, rounds: Sequence[int | None] = ROUNDS) -> Iterator[Event]:
        """Search until a limit, the end of all ideas, or a round that left something to keep.  The
        last climb is taken up where it ended, if it was of the same ground.

        rounds: tries that each subfunction has had by the end of each."""
        if self._left is None or self._left.ground is not ground:
            self._left = _Left(ground, self._lines(ground), [])
        left = self._left
        lines, self.progress = left.lines, left.progress
        if left.round > 1 and self.progress:
            return
        for number in range(left.round, len(rounds)):
            left.round = number
            open_ = [line for line in lines if not line.trusted or number >= TRUSTED_ROUNDS]
            yield from self.round(open_ or lines, rounds[number], ground)
            if self.spent():
                return
            left.round = number + 1
            yield from self._give_time(lines, ground)
            yield from self.together(ground)
            left.progress = self.progress
            if self.spent() or (number > 0 and (self.progress or self._honest)):
                return

    def told(self, steps: Sequence[Patch]) -> str:
        """What the search leaves to those who cost something, in words.  steps: that were taken."""
        if not self.tried:
            return ""
        text = f"{self.tried} small edits were tried; none of them makes all cases pass honestly."
        helped = [*(step.note for step in steps), *(p.patch.note for p in self.progress)]
        return f"{text} This one helped some: {helped[-1]}." if helped else text

    @contextmanager
    def aside(
        self, proposers: Sequence[Proposer], seconds: float, home: Ground, cost: float = 0.0
    ) -> Iterator[list[Patch]]:
        """Search with others meanwhile, for at most so many seconds; what they find plausible is
        put into the list.  Of a climb of `home` its progress is kept as well, and where it ended.
        cost: of the way to where they search, in bits."""
        whole, left, sound = self.deadline, self._left, self.sound
        known = self.proposers, self.progress, self.plausible, self._way
        self._way += cost
        found: list[Patch] = []
        self.deadline = min(whole, time.monotonic() + seconds)
        self.proposers, self.plausible = proposers, found
        try:
            yield found
        finally:
            there = self.progress
            self.proposers, self.progress, self.plausible, self._way = known
            self.missed.clear()
            if self._left is None or self._left.ground is not home:
                self._left = left
            else:
                self.progress = [*self.progress, *(p for p in there if p not in self.progress)]
            self.deadline = whole if self.sound == sound else min(whole, self._closing)
            self.stop = Stop.EXHAUSTED

    def together(self, ground: Ground) -> Iterator[Event]:
        """Put the best progress first: the patch that made most cases pass, the cheapest among
        equals, with those of other subfunctions that make more of them pass besides it."""
        if not self.progress or self._honest:
            return
        order = sorted(self.progress, key=lambda p: (-p.gained, p.patch.cost))
        self.progress = order
        best, owners = order[0], {order[0].patch.subfunction}
        each: dict[str, list[Progress]] = {}
        for one in order[1:]:
            each.setdefault(one.patch.subfunction, []).append(one)
        for other in [one for some in each.values() for one in some[:TOGETHER]]:
            patch = other.patch
            if patch.subfunction in owners or self.spent() or not apart(best.patch, patch):
                continue
            edits = (*best.patch.edits, *patch.edits)
            both = replace(
                best.patch,
                edits=edits,
                note=f"{best.patch.note}; {patch.note}",
                cost=best.patch.cost + patch.cost,
                family=f"{best.patch.family}+{patch.family}",
            )
            [verdict] = self.attempt([both], ground.plan, ground)
            gained = len(set(ground.plan.failing) & set(verdict.passed))
            if gained > best.gained and set(verdict.passed) >= set(ground.plan.passing):
                best = Progress(both, verdict, gained)
                owners.add(patch.subfunction)
                yield from self._weigh(both, verdict, ground.plan, ground)
        if best is not order[0] and not self.plausible:
            self.progress = [best, *order]

    def round(
        self, lines: Sequence[Line], allowance: int | None, ground: Ground
    ) -> Iterator[Event]:
        """Each line up to its allowance.  While one is still thinking, the others go on."""
        open_, thinking = deque(lines), 0
        while open_ and not self.spent():
            line = open_.popleft()
            if line.turns > 1 and self.plausible:  # not in the moment for a likelier patch
                continue
            if (yield from self._advance(line, allowance, ground)):
                open_.append(line)
                thinking += 1
            else:
                thinking = 0
            if thinking > len(open_):
                time.sleep(PAUSE_SECONDS)

    def _give_time(self, lines: Sequence[Line], ground: Ground) -> Iterator[Event]:
        """Try the likeliest again whose loops were cut off, while nothing else helps."""
        cut = sorted(((patch, line) for line in lines for patch in line.cut), key=_cost_of)
        for line in lines:
            line.cut.clear()
        for patch, line in cut[:CUT_AT_MOST]:
            if self._honest or self.spent():
                return
            [verdict] = self.attempt([patch], line.plan, ground, alone=True)
            yield from self._weigh(patch, verdict, line.plan, ground)

    def rounds(self, ground: Ground) -> int:
        """How many rounds of a climb of this ground are over."""
        same = self._left is not None and self._left.ground is ground
        return self._left.round if self._left is not None and same else 0

    @property
    def is_sure(self) -> bool:
        """Whether a plausible patch leaves no doubt (see Doubt)."""
        return self._honest

    @property
    def is_unfinished(self) -> bool:
        """Whether the last climb could have gone on."""
        return self._left is not None and not all(line.is_over for line in self._left.lines)

    def spent(self) -> bool:
        """Whether a limit is reached; `stop` then names it."""
        if self._limits.patches is not None and self.tried >= self._limits.patches:
            self.stop = Stop.PATCHES
        elif time.monotonic() >= self.deadline:
            self.stop = Stop.SECONDS
        elif self._enough():
            self.stop = Stop.CANCELLED
        else:
            return False
        return True

    def _lines(self, ground: Ground) -> list[Line]:
        scores: dict[str, float] = {}
        for suspect in ground.suspects:
            scores.setdefault(suspect.subfunction, suspect.score)
        bar = SAME_SUSPICION * max(scores.values(), default=0.0)
        order = [name for group in ground.hierarchy.order for name in group if name in scores]
        trusted = suspects.oracles(ground.hierarchy, ground.traces)
        first = [name for name in order if scores[name] >= bar]
        rest = [name for name in order if scores[name] < bar]
        early = _constants(ground)
        first = [name for name in first if name != early]
        rest = [name for name in rest if name != early]
        lines = [self.line(name, ground, name in trusted) for name in [*first, *rest]]
        # What runs during an import is slow to try: the interpreter has to import it anew.
        lines.sort(key=lambda line: not line.called)
        if early:
            called = sum(not ground.runs_at_import(name) for name in first)
            lines.insert(called, replace(self.line(early, ground), turns=CONSTANT_TURNS))
        return lines

    def line(self, name: str, ground: Ground, trusted: bool = False) -> Line:
        plan = plan_of(name, ground)
        called = not ground.runs_at_import(name)
        talk, turns = self._talk(name, plan, ground), 1.0 if called else IMPORT_TURNS
        return Line(name, plan, talk, called, trusted, turns=turns)

    def _talk(
        self, name: str, plan: Plan, ground: Ground
    ) -> Generator[Sequence[Patch], Sequence[Verdict], None]:
        brief = self.brief(name, plan, ground)
        for proposer in self.proposers:
            yield from proposer.propose(brief)

    def brief(self, name: str, plan: Plan, ground: Ground) -> Brief:
        """What proposers are told about a subfunction.  plan: of the cases that reach it."""
        subfunction = ground.hierarchy.subfunctions[name]
        language = language_of(subfunction.path)
        assert language is not None
        return Brief(
            ground.now[subfunction.path],
            language,
            ground.hierarchy,
            subfunction,
            tuple(s for s in ground.suspects if s.subfunction == name),
            ground.traces,
            ground.failures,
            seed=self._seed,
            cases=tuple(case for case in ground.cases if case.id in plan.order),
            lab=Laboratory(self, ground, plan),
            templates=self._templates,
            learnt=self.learnt,
            files=ground.now,
            allowed=ground.allowed,
        )

    def _advance(
        self, line: Line, allowance: int | None, ground: Ground
    ) -> Generator[Event, None, bool]:
        """Try a line's patches up to its allowance; whether it is still thinking instead."""
        if not line.begun:
            line.begin()
        until = float("inf") if allowance is None else time.monotonic() + line.turns * self._turn
        while line.batch is not None and (allowance is None or line.tried < allowance):
            if line.is_judged:
                line.answer()
                if self.spent():
                    return False
                continue
            left = None if self._limits.patches is None else self._limits.patches - self.tried
            batch = line.batch[: None if left is None else left + len(line.verdicts)]
            if not batch:
                yield from self.heard(line.subfunction)
                line.answer()
                return True
            while len(line.verdicts) < len(batch):
                if time.monotonic() > until:
                    return False
                part = batch[len(line.verdicts) :][: self._portion(line)]
                yield Proposed(line.subfunction, len(part), self.tried, self._best)
                began = self._heard = time.monotonic()
                verdicts = self.attempt(part, line.plan, ground)
                line.verdicts += verdicts
                line.pace = (time.monotonic() - began) / len(part)
                self.tried += len(part)
                line.tried += len(part)
                for patch, verdict in zip(part, verdicts, strict=True):
                    if was_cut(verdict):
                        line.cut.append(patch)
                    yield from self._weigh(patch, verdict, line.plan, ground)
                if self.spent():
                    return False
        return False

    def heard(self, name: str) -> Iterator[Event]:
        """While somebody thinks about a subfunction: what is heard of it, and an event now and
        then."""
        yield from self.streamed()
        if time.monotonic() - self._heard > HEARD_SECONDS:
            self._heard = time.monotonic()
            yield Proposed(name, 0, self.tried, self._best)

    def attempt(
        self, patches: Sequence[Patch], plan: Plan, ground: Ground, *, alone: bool = False
    ) -> list[Verdict]:
        """Verdicts of patches; one that its file's encoding has no place for is not run."""
        found: list[Verdict | None] = []
        tries = []
        for patch in patches:
            try:
                tries.append(ground.sources(patch))
                found.append(None)
            except (SourceError, ValueError) as error:  # edits that overlap
                found.append(Verdict((), (), str(error)))
        ran = iter(self.runner.attempt(tries, plan, self.deadline, alone=alone))
        return [next(ran) if verdict is None else verdict for verdict in found]

    def _portion(self, line: Line) -> int:
        """So many tries that somebody who watches hears of them twice a second."""
        jobs = self.runner.jobs
        return jobs if line.pace is None else max(jobs, int(HEARD_SECONDS / line.pace))

    def _weigh(self, patch: Patch, verdict: Verdict, plan: Plan, ground: Ground) -> Iterator[Event]:
        """plan: the cases that were run; that of the ground: all that the repair is about."""
        gained = len(set(plan.failing) & set(verdict.passed))
        if gained and plan is not ground.plan and is_wider(patch, ground):
            plan = ground.plan  # others' cases tell of the rest of it
            [verdict] = self.attempt([patch], plan, ground)
            gained = len(set(plan.failing) & set(verdict.passed))
        if judge.is_plausible(verdict, plan) and gained == len(ground.plan.failing):
            flagged = bool(flags(ground.now, patch, ()))
            self.sound += not flagged
            if not self._honest and not flagged:
                window, self._honest = self._doubt.window(patch, ground, self._way)
                self._closing = min(self._closing, time.monotonic() + window)
                self.deadline = min(self.deadline, self._closing)
            self.plausible.append(patch)
            yield Judged(patch, verdict, True)
            return
        if patch.drawn and not was_cut(verdict):
            self.missed.append(patch)
        if gained and set(verdict.passed) >= set(plan.passing):
            self.progress.append(Progress(patch, verdict, gained))
            if gained > self._best:
                yield Judged(patch, verdict, False)
        self._best = max(self._best, gained)


def _cost_of(one: tuple[Patch, Line]) -> float:
    return one[0].cost


def _constants(ground: Ground) -> str:
    """The module whose constants the worst suspects read, "" for none."""
    scores = {suspect.block: suspect.score for suspect in ground.suspects}
    known = ground.hierarchy.subfunctions
    names = {suspect.subfunction for suspect in ground.suspects}
    modules = [name for name in names if known[name].kind is SubfunctionKind.MODULE]
    found = []
    for name in sorted(modules):
        source = ground.now.get(known[name].path)
        read = read_by_suspects(source, ground.hierarchy, scores) if source is not None else []
        found += [(-score, name) for _, _, score in read]
    return min(found)[1] if found else ""
