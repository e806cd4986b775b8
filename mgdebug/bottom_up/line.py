"""One subfunction's conversation with the proposers, and what they may have run for it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mgdebug import judge
from mgdebug.bottom_up.ground import Ground
from mgdebug.errors import ProbeError, SourceError
from mgdebug.model import Patch, Trace, Verdict
from mgdebug.runner import OutOfTime, Plan, Runner
from mgdebug.runner.evaluate import Evaluated, Expressions, State
from mgdebug.syntax.hierarchy import decompose


@dataclass
class Line:
    """One subfunction's conversation with the proposers, kept open between rounds."""

    subfunction: str
    plan: Plan  # of the cases that reach it
    talk: Generator[Sequence[Patch], Sequence[Verdict], None]
    called: bool = True
    trusted: bool = False  # it serves to tell what is right, so others come first
    begun: bool = False
    batch: Sequence[Patch] | None = None
    verdicts: list[Verdict] = field(default_factory=list)  # of the batch, so far
    tried: int = 0
    pace: float | None = None  # seconds a try, lately
    cut: list[Patch] = field(default_factory=list)  # loops ran longer than anybody thought
    turns: float = 1.0  # that it has at a time

    def begin(self) -> None:
        self.begun = True
        self.batch = next(self.talk, None)

    @property
    def is_over(self) -> bool:
        """Whether the proposers have no more to offer."""
        return self.begun and self.batch is None

    @property
    def is_judged(self) -> bool:
        """Whether the whole batch was tried, and the proposer has not heard of it."""
        return bool(self.batch) and len(self.verdicts) == len(self.batch or ())

    def answer(self) -> None:
        verdicts, self.verdicts = self.verdicts, []
        try:
            self.batch = self.talk.send(verdicts)
        except StopIteration:
            self.batch = None


class Trying(Protocol):
    """Who runs patches, and counts them in `tried`."""

    runner: Runner
    tried: int

    def attempt(self, patches: Sequence[Patch], plan: Plan, ground: Ground) -> list[Verdict]: ...


class Laboratory:
    """What the proposers of one line may have run (see proposers.Lab)."""

    def __init__(self, search: Trying, ground: Ground, plan: Plan) -> None:
        self._search, self._ground, self._plan = search, ground, plan

    def evaluate(
        self, expressions: Expressions, states: Sequence[State]
    ) -> Sequence[Sequence[Evaluated]]:
        ground, runner = self._ground, self._search.runner
        try:
            return runner.evaluate(ground.hierarchy, expressions, states, ground.sources())
        except (ProbeError, OutOfTime):
            return []

    def attempt(self, patches: Sequence[Patch]) -> Sequence[Verdict]:
        verdicts = self._search.attempt(patches, self._plan, self._ground)
        self._search.tried += len(verdicts)
        return verdicts

    def trace(self, patch: Patch, cases: Sequence[str]) -> Sequence[tuple[Trace, str]]:
        ground, runner = self._ground, self._search.runner
        try:
            after = {**ground.now, **judge.patched(ground.now, patch)}
            found, outcomes, _ = runner.trace(
                decompose(after.values()), cases, cases, ground.sources(patch)
            )
        except (ProbeError, OutOfTime, SourceError):
            return []
        messages = {outcome.case: outcome.message for outcome in outcomes}
        return [(trace, messages.get(trace.case, "")) for trace in found]
