"""What the events of a repair amount to: the state that every face shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mgdebug.events import (
    Accepted,
    Answered,
    Asked,
    Collected,
    Decomposed,
    Divided,
    Event,
    Finished,
    Grouped,
    GroupEnded,
    Judged,
    Proposed,
    Ranked,
    Sending,
    Spent,
    Started,
    Streamed,
    Traced,
    Verified,
    Warned,
)
from mgdebug.model import (
    Alternative,
    Case,
    Edit,
    Hierarchy,
    Outcome,
    Patch,
    Question,
    Repair,
    Suspect,
    Trace,
    Verdict,
)
from mgdebug.session.stages import ENDS, Stage
from mgdebug.syntax.source import SourceFile
from mgdebug.tracing import Recording

REPLIES_KEPT, REPLY_MOST = 20, 200_000  # replies; characters of each


class Standing(StrEnum):
    """What has become of a subfunction while the search runs."""

    UNSEEN = ""  # not looked at yet
    CLEARED = "cleared"  # not under suspicion
    WAITING = "waiting"
    TRYING = "trying"
    TRIED = "tried"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class Writing:
    """A model's reply, as far as it is written.  call: which, as Streamed has it; fault: why no
    more of it comes, "" while it does, and where it is whole."""

    model: str
    call: int
    subfunction: str
    text: str = ""
    whole: bool = False
    fault: str = ""

    @property
    def goes_on(self) -> bool:
        return not self.whole and not self.fault

    def with_more(self, event: Streamed) -> Writing:
        """With what an event tells."""
        text = event.text if event.is_last else self.text + event.text
        return replace(self, text=text[:REPLY_MOST], whole=event.whole, fault=event.fault)


@dataclass
class Account:
    """Folds the events of one repair.  Whoever shows it reads the fields.

    known: outcomes of an earlier run, of cases that this one leaves out.  files, hierarchy, traces:
    of the user's files as they are traced first; what the search builds on later is not shown.
    score: the highest of each subfunction under suspicion.  tries: patches by subfunction.  gained:
    the most cases that a try made pass.  replies: of models, the last few.  repaired: the
    subfunctions that the first patch changes.
    """

    searches: bool = True  # whether it looks for patches, or only runs and traces
    known: Mapping[str, Outcome] = field(default_factory=dict)
    stage: Stage = Stage.BOOT
    engine: tuple[str, ...] = ()
    python: str = ""
    cases: dict[str, Case] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    flaky: frozenset[str] = frozenset()
    warnings: list[Warned] = field(default_factory=list)
    hierarchy: Hierarchy = field(default_factory=lambda: Hierarchy({}, ()))
    files: Mapping[str, SourceFile] = field(default_factory=dict)
    traces: tuple[Trace, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    score: dict[str, float] = field(default_factory=dict)
    current: str = ""  # the subfunction that is being tried
    tries: dict[str, int] = field(default_factory=dict)
    tried: int = 0
    gained: int = 0
    steps: list[Patch] = field(default_factory=list)
    plausible: int = 0
    alternatives: tuple[Alternative, ...] = ()
    question: Question | None = None
    answers: list[tuple[Question, str]] = field(default_factory=list)
    sending: Sending | None = None
    spent: Spent | None = None
    replies: list[Writing] = field(default_factory=list)
    verdict: Verdict | None = None
    repair: Repair | None = None
    repaired: frozenset[str] = frozenset()
    fault: str = ""

    def hear(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case Started():
                self.engine, self.python = event.engine, event.python
                self.stage = Stage.COLLECT
            case Warned():
                self.warnings.append(event)
            case Collected():
                self._collected(event)
            case Decomposed():
                if not self.traces:
                    self.hierarchy = event.hierarchy
            case Traced():
                self.traces = self.traces or event.traces
            case Ranked():
                self._ranked(event)
            case Proposed():
                self._proposed(event)
            case Judged():
                self.plausible += event.plausible
            case Accepted():
                self.steps.append(event.patch)
            case Divided():
                self.stage = Stage.SEARCH
            case GroupEnded():
                self.tried += event.mended.tried
            case Grouped():
                self.alternatives, self.stage = event.alternatives, Stage.VERIFY
            case Asked():
                self.question, self.alternatives = event.question, event.alternatives
                self.answers.append((event.question, ""))
                self.stage = Stage.ASK
            case Answered():
                self.alternatives = event.alternatives
                if self.answers:
                    self.answers[-1] = (self.answers[-1][0], event.case)
            case Sending():
                self.sending, self.stage = event, Stage.ASK
            case Spent():
                self.spent = event
            case Streamed():
                self._streamed(event)
            case Verified():
                self.verdict = event.verdict if event.ok else self.verdict
            case Finished():
                self._finished(event.repair)

    def replied(self) -> None:
        """What was asked has been answered, or left open."""
        sent, self.sending, self.question = self.sending, None, None
        self.stage = Stage.SEARCH if sent is not None else Stage.VERIFY

    def failed(self, message: str) -> None:
        """The repair could not be done: see the message."""
        self.fault, self.stage, self.current = message, Stage.FAULT, ""
        self._abandoned()

    def interrupted(self) -> None:
        """The repair ended with the process that ran it."""
        self.stage, self.current = Stage.CANCELLED, ""
        self.question = self.sending = None
        self._abandoned()

    # ------------------------------------------------------------------------------ reading

    @property
    def failing(self) -> tuple[str, ...]:
        """Ids of the cases that fail and are not flaky."""
        bad = (o.case for o in self.outcomes.values() if not o.status.ok)
        return tuple(case for case in bad if case not in self.flaky)

    @property
    def passing(self) -> int:
        return sum(o.status.ok for o in self.outcomes.values())

    def standing(self, subfunction: str) -> Standing:
        """What has become of a subfunction so far."""
        if subfunction in self.repaired:
            return Standing.REPAIRED
        if subfunction == self.current and self.stage is Stage.SEARCH:
            return Standing.TRYING
        if subfunction in self.tries:
            return Standing.TRIED
        if not self.suspects:
            return Standing.UNSEEN
        return Standing.WAITING if subfunction in self.score else Standing.CLEARED

    def recording(self) -> Recording:
        """What the traced cases did."""
        traces = sorted(self.traces, key=lambda t: (t.status.ok, len(t.visits)))
        uncollected = self.repair.uncollected if self.repair else ()
        return Recording(self.outcomes, uncollected, self.files, self.hierarchy, tuple(traces))

    # ------------------------------------------------------------------------------ folding

    def _collected(self, event: Collected) -> None:
        self.cases |= {case.id: case for case in event.cases}
        self.outcomes = {**self.known, **{o.case: o for o in event.outcomes}}
        self.flaky = frozenset(event.flaky)
        self.stage = Stage.TRACE

    def _ranked(self, event: Ranked) -> None:
        if not self.steps or not self.suspects:
            self.suspects, self.score = event.suspects, {}
            for suspect in event.suspects:
                self.score.setdefault(suspect.subfunction, suspect.score)
        self.stage = Stage.SEARCH if self.searches else self.stage

    def _proposed(self, event: Proposed) -> None:
        self.current, self.gained = event.subfunction, event.best
        self.tries[event.subfunction] = self.tries.get(event.subfunction, 0) + event.patches
        self.tried, self.stage = event.tried, Stage.SEARCH

    def _streamed(self, event: Streamed) -> None:
        places = [at for at, one in enumerate(self.replies) if one.call == event.call]
        if not places:
            self.replies.append(Writing(event.model, event.call, event.subfunction))
            places = [-1]
        self.replies[places[-1]] = self.replies[places[-1]].with_more(event)
        del self.replies[:-REPLIES_KEPT]

    def _abandoned(self) -> None:
        """Nobody hears the end of the replies that are under way."""
        self.replies = [
            replace(one, fault="given up") if one.goes_on else one for one in self.replies
        ]

    def _finished(self, repair: Repair) -> None:
        self.repair, self.current = repair, ""
        edits = repair.patch.edits if repair.patch is not None else ()
        self.repaired = frozenset(_changed(self.hierarchy, edits))
        self.tried = max(self.tried, repair.tried)
        self.question = self.sending = None
        if repair.alternatives:
            self.alternatives = repair.alternatives
        elif repair.patch is None:
            self.alternatives = ()
        self.verdict = repair.after
        self.stage = ENDS[repair.stop]
        if not self.searches and self.stage in (Stage.EXHAUSTED, Stage.BUDGET):
            self.stage = Stage.FAILING
        if not self.searches and self.failing:
            self.stage = Stage.FAILING


def _changed(hierarchy: Hierarchy, edits: Sequence[Edit]) -> Iterator[str]:
    """The innermost subfunctions that edits are in."""
    paths = {edit.path for edit in edits}
    for subfunction in hierarchy.subfunctions.values():
        if subfunction.path in paths:
            span = subfunction.span
            inner = [hierarchy.subfunctions[child].span for child in subfunction.children]
            for edit in edits:
                here = edit.path == subfunction.path and span.start <= edit.start <= span.end
                if here and not any(s.start <= edit.start <= s.end for s in inner):
                    yield subfunction.id
