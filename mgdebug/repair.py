"""THE pipeline: failing cases in, events out.  It prints nothing and writes no file.

collect -> decompose -> trace -> rank -> for each subfunction, leaves first, patches are proposed
and tried -> strict progress is built upon -> the plausible patches are judged -> the winner is
run once more with the whole suite in a fresh process.  A caller that stops iterating stops the
work: closing the generator kills every child.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from mgdebug import judge, suspects
from mgdebug.errors import SourceError, UsageError
from mgdebug.languages import language_of
from mgdebug.model import (
    Accepted,
    Case,
    Collected,
    Decomposed,
    Event,
    Finished,
    Grouped,
    Hierarchy,
    Judged,
    Outcome,
    Patch,
    Proposed,
    Ranked,
    Repair,
    Status,
    Stop,
    Suspect,
    Target,
    Trace,
    Traced,
    Verdict,
    Verified,
    Warned,
)
from mgdebug.proposers import Brief, Proposer
from mgdebug.runner import OutOfTime, Plan, Runner
from mgdebug.settings import Settings
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

TRACED_FAILING, TRACED_PASSING = 40, 160  # cases whose visits are counted
TRACED_ENDLESS = 3  # failing cases that never end; each costs its time limit
VALUES_FAILING, VALUES_PASSING = 8, 12  # of them, cases whose values are kept
ROUNDS = (192, 1536, None)  # patches that a subfunction gets before the next one's turn
SAME_SUSPICION = 0.75  # of the highest score: subfunctions that are searched first
VERIFIED_AT_MOST = 6  # plausible patches that are run afresh until one holds
JUDGING_SHARE = 0.1  # of the time, on top of it, for looking at what plausible patches do
SHOWN_ERRORS = 5  # places of one file that do not parse
STEPS_AT_MOST = 4  # accepted partial patches


def repair(
    target: Target, proposers: Sequence[Proposer], settings: Settings, python: str
) -> Generator[Event, None, None]:
    """Repair a target; the last event is Finished.

    python: the interpreter of the project.  Raises MgdebugError for what the user must mend.
    """
    with Runner(
        target, python, settings.limits, settings.workers, doctests=settings.doctests
    ) as runner:
        yield from _Repair(target, proposers, settings, runner).events()


@dataclass
class _Plausible:
    patch: Patch
    verdict: Verdict


@dataclass
class _Progress:
    """A patch that made some failing cases pass and broke none."""

    patch: Patch
    verdict: Verdict
    gained: int


@dataclass
class _Line:
    """One subfunction's conversation with the proposers, kept open between rounds."""

    subfunction: str
    talk: Generator[Sequence[Patch], Sequence[Verdict], None]
    batch: Sequence[Patch] | None = None
    tried: int = 0

    def begin(self) -> None:
        self.batch = next(self.talk, None)

    def answer(self, verdicts: Sequence[Verdict]) -> None:
        self.tried += len(verdicts)
        try:
            self.batch = self.talk.send(verdicts)
        except StopIteration:
            self.batch = None


class _Repair:
    def __init__(
        self, target: Target, proposers: Sequence[Proposer], settings: Settings, runner: Runner
    ) -> None:
        self.target, self.proposers, self.settings = target, proposers, settings
        self.runner = runner
        self.started = time.monotonic()
        self.limits = settings.limits
        self.deadline = self.started + (self.limits.seconds or float("inf"))
        runner.deadline = self.deadline
        self.cases: tuple[Case, ...] = ()
        self.outcomes: dict[str, Outcome] = {}
        self.flaky: set[str] = set()
        self.files: dict[str, SourceFile] = {}  # as they are on the disk
        self.now: dict[str, SourceFile] = {}  # with the patches accepted so far
        self.hierarchy = Hierarchy({}, ())
        self.traces: tuple[Trace, ...] = ()
        self.suspects: tuple[Suspect, ...] = ()
        self.imported: frozenset[str] = frozenset()
        self.steps: list[Patch] = []
        self.plan = Plan((), ())
        self.tried = 0
        self.best = 0
        self.plausible: list[_Plausible] = []
        self.stop = Stop.EXHAUSTED

    # ------------------------------------------------------------------------- the street

    def events(self) -> Iterator[Event]:
        try:
            ended = yield from self._collect()
            if ended is not None:
                yield self._finished(ended)
                return
            yield from self._understand(first=True)
            if not self.suspects:
                yield self._finished(Stop.UNTRACED)
                return
        except OutOfTime:
            yield Warned("the time was used up before a patch could be tried")
            yield self._finished(Stop.SECONDS)
            return
        yield from self._search()
        yield from self._decide()

    def _collect(self) -> Generator[Event, None, Stop | None]:
        began = time.monotonic()
        run = self.runner.run()
        for where, detail in run.troubles:
            if where == "--case":
                raise UsageError(f"--case cannot be read: {detail}", "write it as in 'f(3) == 9'")
            yield Warned(f"{where} could not be collected", detail)
            yield from self._unparsed(detail)
        self.cases = run.cases
        self.outcomes = {o.case: o for o in run.outcomes}
        failing = [o.case for o in run.outcomes if o.status in (Status.FAILED, Status.CRASHED)]
        again = self.runner.run(cases=failing) if failing else None
        for outcome in again.outcomes if again else ():
            if outcome.case in failing and outcome.status.ok:
                self.flaky.add(outcome.case)
        yield Collected(
            self.runner.python,
            run.cases,
            run.outcomes,
            tuple(sorted(self.flaky)),
            time.monotonic() - began,
        )
        for path in run.files:
            language = language_of(path)
            chosen = (
                path == self.target.path
                if self.target.path
                else (language is not None and language.is_source(PurePosixPath(path)))
            )
            if language is not None and chosen and "site-packages" not in path.split("/"):
                self._read(path)
        yield from self._check_target(bool(run.cases))
        if not run.cases:
            return Stop.NO_CASES
        ended = [o for o in run.outcomes if o.case not in self.flaky]
        self.plan = Plan.of(ended)
        if not self.plan.failing:
            return Stop.FLAKY if self.flaky else Stop.CLEAN
        return None

    def _unparsed(self, text: str) -> Iterator[Event]:
        """Files of the project that a traceback names and that do not parse."""
        for name in dict.fromkeys(re.findall(r"[\w./ -]+\.\w+", text)):
            path = (self.target.cwd / name.strip()).resolve()
            language = language_of(PurePosixPath(path))
            if language is None or not path.is_relative_to(self.target.root) or not path.is_file():
                continue
            inside = path.relative_to(self.target.root).as_posix()
            source = SourceFile.read(self.target.root, inside, language.grammar())
            for line, column, what in source.errors[:SHOWN_ERRORS]:
                yield Warned(f"{inside}:{line}:{column}: does not parse: {what}")

    def _read(self, path: str) -> None:
        language = language_of(path)
        assert language is not None
        self.files[path] = SourceFile.read(self.target.root, path, language.grammar())

    def _check_target(self, some: bool) -> Iterator[Event]:
        path = self.target.path
        if not path:
            return
        if language_of(path) is None:
            raise UsageError(f"{path}: no language is known for this kind of file")
        if path not in self.files:
            self._read(path)
            if some and not self.files[path].errors and not self.target.io:
                yield Warned(f"no case imports {path}")
        errors = self.files[path].errors
        if errors:
            line, column, what = errors[0]
            raise SourceError(f"{path}:{line}:{column}: does not parse: {what}", "mend that first")
        if self.target.qualname:
            names = {s.qualname for s in decompose([self.files[path]]).subfunctions.values()}
            if self.target.qualname not in names:
                near = difflib.get_close_matches(self.target.qualname, names, 1)
                raise UsageError(
                    f"{path} has no {self.target.qualname}",
                    f"did you mean {path}::{near[0]}?" if near else "",
                )

    def _understand(self, *, first: bool = False) -> Iterator[Event]:
        """Decompose, trace and rank the sources as they now stand."""
        if first:
            self.now = {path: f for path, f in self.files.items() if not f.errors}
        self.hierarchy = decompose(self.now.values())
        yield Decomposed(self.hierarchy)
        endless = [c for c in self.plan.failing if self.outcomes[c].status is Status.TIMEOUT]
        failing = [c for c in self.plan.failing if c not in endless[TRACED_ENDLESS:]]
        traced = {*failing[:TRACED_FAILING], *self.plan.passing[:TRACED_PASSING]}
        cases = [case for case in self.plan.order if case in traced]
        values = [*self.plan.failing[:VALUES_FAILING], *self.plan.passing[:VALUES_PASSING]]
        traces, outcomes, self.imported = self.runner.trace(
            self.hierarchy, cases, values, self._sources({}), self.outcomes.values()
        )
        if first:
            yield from self._flaky_while_traced(outcomes)
        self.traces = tuple(t for t in traces if t.case not in self.flaky)
        yield Traced(self.traces)
        ranked = suspects.rank(self.hierarchy, self.traces, self.imported)
        allowed = self._allowed()
        self.suspects = tuple(s for s in ranked if s.subfunction in allowed)
        yield Ranked(self.suspects)

    def _flaky_while_traced(self, outcomes: Sequence[Outcome]) -> Iterator[Event]:
        """The trace ran every case once more: one that ended otherwise is run a third time."""
        known = self.outcomes
        odd = [
            o.case
            for o in outcomes
            if o.status is not Status.TIMEOUT and o.status.ok != known[o.case].status.ok
        ]
        if not odd:
            return
        for outcome in self.runner.run(cases=odd).outcomes:
            if outcome.case in odd and outcome.status.ok != known[outcome.case].status.ok:
                self.flaky.add(outcome.case)
                yield Warned(f"{outcome.case} is flaky: it does not end alike each time; left out")
        ended = [o for o in known.values() if o.case not in self.flaky]
        self.plan = Plan.of(ended)

    def _allowed(self) -> set[str]:
        """The subfunctions that the user lets us change: no case is ever one of them."""
        found = set()
        own = self.target.qualname
        tests = {(c.path, c.id.partition("[")[0].partition("::")[2]) for c in self.cases}
        for s in self.hierarchy.subfunctions.values():
            if own and s.qualname != own and not s.qualname.startswith(own + "."):
                continue
            if (s.path, s.qualname.replace(".", "::")) not in tests:
                found.add(s.id)
        return found

    def _sources(self, changed: dict[str, SourceFile]) -> dict[str, bytes]:
        """What a try is run with: all that differs from the disk."""
        files = {**self.now, **changed}
        return {
            path: f.data
            for path, f in files.items()
            if path in changed or f.data != self.files[path].data
        }

    # ------------------------------------------------------------------------- the search

    def _search(self) -> Iterator[Event]:
        """Rounds over the subfunctions, leaves first; partial progress is accepted when a round
        found nothing better, and the search begins again on what it left."""
        while True:
            progress: list[_Progress] = []
            again = False
            lines = self._lines()
            for number, allowance in enumerate(ROUNDS):
                for line in lines:
                    yield from self._advance(line, allowance, progress)
                    if self._spent():
                        break
                if self._spent():
                    break
                if progress and number > 0 and len(self.steps) < STEPS_AT_MOST:
                    again = True
                    break
            for line in lines:
                line.talk.close()
            if self.plausible or self._spent() or not (again or progress):
                return
            if len(self.steps) >= STEPS_AT_MOST:
                return
            yield from self._accept(progress)
            if self.plausible or not self.suspects:
                return

    def _lines(self) -> list[_Line]:
        """The order of the search: the most suspicious subfunctions first, and among those of about
        the same suspicion the callee before the caller."""
        scores: dict[str, float] = {}
        for suspect in self.suspects:
            scores.setdefault(suspect.subfunction, suspect.score)
        bar = SAME_SUSPICION * max(scores.values(), default=0.0)
        bottom_up = [name for group in self.hierarchy.order for name in group if name in scores]
        first = [name for name in bottom_up if scores[name] >= bar]
        rest = [name for name in bottom_up if scores[name] < bar]
        return [_Line(name, self._talk(name)) for name in [*first, *rest]]

    def _talk(self, name: str) -> Generator[Sequence[Patch], Sequence[Verdict], None]:
        subfunction = self.hierarchy.subfunctions[name]
        language = language_of(subfunction.path)
        assert language is not None
        brief = Brief(
            self.now[subfunction.path],
            language,
            self.hierarchy,
            subfunction,
            tuple(s for s in self.suspects if s.subfunction == name),
            self.traces,
            seed=self.settings.seed,
        )
        for proposer in self.proposers:
            yield from proposer.propose(brief)

    def _advance(
        self, line: _Line, allowance: int | None, progress: list[_Progress]
    ) -> Iterator[Event]:
        """Try a line's patches up to its allowance."""
        if line.batch is None and not line.tried:
            line.begin()
        while line.batch is not None and (allowance is None or line.tried < allowance):
            batch = self._within_limits(line.batch)
            if not batch:
                return
            yield Proposed(line.subfunction, len(batch), self.tried, self.best)
            tries = [self._sources(judge.patched(self.now, patch)) for patch in batch]
            verdicts = self.runner.attempt(tries, self.plan, self.deadline)
            self.tried += len(batch)
            for patch, verdict in zip(batch, verdicts, strict=True):
                yield from self._weigh(patch, verdict, progress)
            if self._spent() or len(batch) < len(line.batch):
                return
            line.answer(verdicts)

    def _weigh(self, patch: Patch, verdict: Verdict, progress: list[_Progress]) -> Iterator[Event]:
        gained = len(set(self.plan.failing) & set(verdict.passed))
        self.best = max(self.best, gained)
        if judge.is_plausible(verdict.passed, verdict.failed, self.plan):
            if not self.plausible:
                self._open_window()
            self.plausible.append(_Plausible(patch, verdict))
            yield Judged(patch, verdict, True)
        elif gained and set(verdict.passed) >= set(self.plan.passing):
            best = max((p.gained for p in progress), default=0)
            progress.append(_Progress(patch, verdict, gained))
            if gained > best:
                yield Judged(patch, verdict, False)

    def _open_window(self) -> None:
        """After the first plausible patch the search goes on for as long again, within bounds: a
        likelier one may come yet."""
        now = time.monotonic()
        window = min(10.0, max(1.5, 0.5 * (now - self.started)))
        self.deadline = min(self.deadline, now + window)

    def _within_limits(self, batch: Sequence[Patch]) -> Sequence[Patch]:
        if self._spent():
            return ()
        left = None if self.limits.patches is None else self.limits.patches - self.tried
        return batch if left is None else batch[: max(0, left)]

    def _spent(self) -> bool:
        if self.limits.patches is not None and self.tried >= self.limits.patches:
            self.stop = Stop.PATCHES
            return True
        if time.monotonic() >= self.deadline:
            self.stop = Stop.SECONDS
            return True
        return False

    def _accept(self, progress: list[_Progress]) -> Iterator[Event]:
        """Build on the patch that made most cases pass; the cheapest among equals."""
        best = max(progress, key=lambda p: (p.gained, -p.patch.cost))
        self.now = {**self.now, **judge.patched(self.now, best.patch)}
        self.steps.append(best.patch)
        yield Accepted(best.patch, best.verdict)
        run = self.runner.run(self._sources({}))
        known = [o for o in run.outcomes if o.case not in self.flaky]
        self.plan = Plan.of(known)
        yield from self._understand()

    # ------------------------------------------------------------------------- the decision

    def _decide(self) -> Iterator[Event]:
        if not self.plausible:
            yield self._finished(self.stop)
            return
        original = Plan.of(o for o in self.outcomes.values() if o.case not in self.flaky)
        patches = [
            judge.compose(self.files, self.now, p.patch, self.steps) if self.steps else p.patch
            for p in self.plausible
        ]
        whole = decompose([f for f in self.files.values() if not f.errors])
        bench = judge.Bench(self.files, whole, self.traces, original)
        self.runner.deadline = float("inf")
        if self.steps:
            patches = [judge.minimise(bench, patch, self.runner) for patch in patches[:3]]
        alternatives = judge.group(bench, patches, self.runner, self.settings.time * JUDGING_SHARE)
        self.runner.deadline = float("inf")
        yield Grouped(alternatives)
        for index, alternative in enumerate(alternatives[:VERIFIED_AT_MOST]):
            patch = alternative.patches[0]
            verdict, ok = self._verify(patch)
            yield Verified(patch, verdict, ok)
            if ok:
                rest = alternatives[:index] + alternatives[index + 1 :]
                done = self._repair(Stop.FIXED)
                base = {path: self.files[path].sha256 for path in {e.path for e in patch.edits}}
                yield Finished(
                    replace(
                        done,
                        after=verdict,
                        patch=patch,
                        alternatives=(alternative, *rest),
                        base=base,
                    )
                )
                return
        yield self._finished(Stop.REGRESSED)

    def _verify(self, patch: Patch) -> tuple[Verdict, bool]:
        """The whole selected suite with the patch, in an interpreter started for it."""
        sources = {path: f.data for path, f in judge.patched(self.files, patch).items()}
        run = self.runner.run(sources, new=True)
        seen = {o.case: o for o in run.outcomes}
        skipped = {c for c, o in self.outcomes.items() if o.status is Status.SKIPPED}
        passed = tuple(c for c, o in seen.items() if o.status is Status.PASSED)
        failed = tuple(c for c in seen if c not in {*passed, *skipped, *self.flaky})
        lost = {c.id for c in self.cases} - set(seen)
        reason = f"{len(lost)} cases are gone" if lost else ""
        return Verdict(passed, failed, reason, run.seconds), not failed and not lost

    def _finished(self, stop: Stop) -> Finished:
        return Finished(self._repair(stop))

    def _repair(self, stop: Stop) -> Repair:
        passed = tuple(c for c, o in self.outcomes.items() if o.status.ok)
        failed = tuple(c for c, o in self.outcomes.items() if not o.status.ok)
        seconds = time.monotonic() - self.started
        return Repair(Verdict(passed, failed), stop, tried=self.tried, seconds=seconds)
