"""THE pipeline: failing cases in, events out.  It prints nothing and writes no file.

collect -> decompose -> trace -> rank -> search bottom-up -> judge the plausible patches -> run the
whole suite with the winner in a fresh process.  A caller that stops iterating stops the work:
closing the generator kills every child.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace

from mgdebug import forgery, judge, learned, sources
from mgdebug.bottom_up import BottomUp, Ground, Progress, survey
from mgdebug.bottom_up.engines import Engines
from mgdebug.errors import SourceError
from mgdebug.events import (
    Accepted,
    Answered,
    Asked,
    Collected,
    Decomposed,
    Event,
    Finished,
    Grouped,
    Ranked,
    Reply,
    Started,
    Traced,
    Verified,
    Warned,
)
from mgdebug.first_run import FirstRun
from mgdebug.judge.fresh import Suite
from mgdebug.model import (
    Alternative,
    Case,
    Hierarchy,
    Outcome,
    Partial,
    Patch,
    Question,
    Repair,
    Status,
    Stop,
    Target,
    Trace,
    Verdict,
)
from mgdebug.proposers import Paid, Proposer
from mgdebug.runner import OutOfTime, Plan, Runner
from mgdebug.settings import Settings
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

VERIFIED_AT_MOST = 6  # plausible patches that are run afresh until one holds
JUDGING_SHARE = 0.1  # of the time, on top of it, for looking at what plausible patches do
QUESTIONS_AT_MOST = 3


def repair(
    target: Target,
    proposers: Sequence[Proposer],
    settings: Settings,
    python: str,
    enough: Callable[[], bool] = lambda: False,
) -> Generator[Event, Reply | None, None]:
    """Repair a target; the last event is Finished.  Whoever is sent an Asked may send a Reply; one
    that no patch agrees with is a case of another search.

    python: the interpreter of the project.  enough: asked a few times a second; once it is true the
    search ends, with the best so far; what it raises ends all.  Raises MgdebugError for what the
    user must mend.
    """
    paid = [one for one in proposers if isinstance(one, Paid)]
    try:
        for each in paid:
            each.start()
        names = tuple(one.name for one in proposers)
        yield Started(str(target.root), target.path, target.qualname, python, names)
        while True:
            with Runner.of(target, python, settings) as runner:
                one = _Repair(target, proposers, settings, runner, enough)
                yield from one.events()
            if one.demanded is None:
                return
            asked, case = one.demanded
            path = target.path or asked.path
            target = replace(target, path=path, answers=(*target.answers, case))
    finally:
        for each in paid:
            each.close()


class _Repair:
    def __init__(
        self,
        target: Target,
        proposers: Sequence[Proposer],
        settings: Settings,
        runner: Runner,
        enough: Callable[[], bool],
    ) -> None:
        self.target, self.settings = target, settings
        self.runner = runner
        self.enough = enough
        self.demanded: tuple[Question, str] | None = None  # an answer that no patch gives
        self.started = time.monotonic()
        runner.deadline = self.started + settings.time
        runner.enough = enough
        self.cases: tuple[Case, ...] = ()
        self.first = FirstRun(target, proposers, settings, runner)
        self.mending, self.outcomes = self.first.mending, self.first.outcomes
        self.flaky, self.uncollected = self.first.flaky, self.first.uncollected
        self.witnesses: dict[str, str] = {}  # of the files that say what is right
        self.files: dict[str, SourceFile] = {}  # as they are on the disk
        self.ground = Ground({}, {}, Hierarchy({}, ()), (), (), Plan((), ()))
        self.traces: tuple[Trace, ...] = ()  # of the user's own files
        self.steps: list[Patch] = []
        self.whole = self.first.whole  # with which all cases pass, found before the last step
        self.search = BottomUp(
            runner,
            proposers,
            settings.limits,
            settings.seed,
            learned.known(target.root) if settings.learn else (),
            enough,
        )
        self.engines = Engines(self, self.search, proposers, target, settings)

    # ------------------------------------------------------------------------- the street

    def events(self) -> Generator[Event, Reply | None, None]:
        try:
            ended = yield from self._collect()
            if self.search.plausible or self.whole:
                now = {**self.files, **self.mending.now}
                self.ground = replace(self.ground, disk=self.files, now=now)
                yield from self._decide()
                return
            if ended is not None:
                yield self._finished(ended)
                return
            yield from self._understand(self._plan())
            if not self.ground.suspects:
                failing = self.ground.plan.failing
                yield self._finished(Stop.UNTRACED if failing else Stop.FLAKY)
                return
        except OutOfTime:
            told = self.enough()
            if not told:
                yield Warned("the time was used up before a patch could be tried")
            yield self._finished(Stop.CANCELLED if told else Stop.SECONDS)
            return
        yield from self.engines.run()
        yield from self._decide()

    def _deaf(self) -> bool:
        """Once the search is over, the rest is done whatever is told, unless `enough` raises."""
        self.enough()
        return False

    def _collect(self) -> Generator[Event, None, Stop | None]:
        began = time.monotonic()
        first, mending = self.first, self.mending
        run = yield from first.run()
        self.search.tried += mending.tried
        self.files |= mending.changed
        self.steps, self.search.plausible = list(mending.steps), list(mending.plausible)
        yield from first.sort(run)
        self.cases = first.cases
        self.witnesses = forgery.witnesses(self.target.root, self.cases)
        yield Collected(
            self.runner.python,
            self.cases,
            tuple(self.outcomes.values()),
            tuple(sorted(self.flaky)),
            time.monotonic() - began,
        )
        found, troubles = sources.imported(self.target, run.files)
        self.files |= found
        for trouble in troubles:
            yield Warned(f"{trouble}; left out")
        yield from self._check_target(bool(self.cases))
        if not self.cases:
            return Stop.UNCOLLECTED if self.uncollected else Stop.NO_CASES
        if not self._plan().failing:
            if self.uncollected:
                return Stop.UNCOLLECTED
            return Stop.FLAKY if self.flaky else Stop.CLEAN
        return None

    def _check_target(self, some: bool) -> Iterator[Event]:
        path = self.target.path
        if not path:
            return
        if path not in self.files:
            self.files[path] = sources.named(self.target.root, path)
            if some and not self.files[path].errors and not self.target.io:
                yield Warned(f"no case imports {path}")
        errors = self.files[path].errors
        mended = self.steps or self.search.plausible
        if errors and not mended and path not in self._mended():
            line, column, what = errors[0]
            raise SourceError(f"{path}:{line}:{column}: does not parse: {what}", "mend that first")
        if self.target.qualname:
            sources.part(decompose([self.files[path]]), path, self.target.qualname)

    def _plan(self) -> Plan:
        """The cases as they ran on the user's own files, without those that are flaky."""
        return Plan.of(o for o in self.outcomes.values() if o.case not in self.flaky)

    def _mended(self) -> dict[str, SourceFile]:
        """The files that the interpreter takes, with the first steps in them.  What the grammar
        alone does not know is no error."""
        found = {**self.files, **self.mending.now}
        odd = [path for path in self.files if found[path].errors]
        lines = self.runner.complaints([{path: found[path].data} for path in odd]) if odd else []
        refused = {path for path, line in zip(odd, lines, strict=True) if line is not None}
        return {path: found[path] for path in self.files if path not in refused}

    def _understand(self, plan: Plan) -> Iterator[Event]:
        """Decompose, trace and rank the sources as they now stand."""
        first = not self.ground.now
        now = self.ground.now or self._mended()
        hierarchy = decompose(now.values())
        yield Decomposed(hierarchy)
        self.ground = Ground(self.files, now, hierarchy, (), (), plan)
        found, outcomes, imported = survey.traced(
            self.runner, self.ground, self.outcomes, self.settings.time
        )
        if first:
            yield from self._flaky_while_traced(outcomes)
            plan = self._plan()
        traces = tuple(t for t in found if t.case not in self.flaky)
        self.traces = traces if first else self.traces
        yield Traced(traces)
        allowed = survey.allowed(hierarchy, self.target, self.cases)
        chosen = survey.suspected(hierarchy, traces, imported, allowed)
        failing = [case for case in plan.failing if case not in self.flaky]
        told = sources.failures(
            self.target.root,
            [case for case in self.cases if case.id in failing],
            {case: self.outcomes[case].message for case in failing},
        )
        bare = replace(self.ground, traces=traces, suspects=chosen, allowed=allowed)
        bare = replace(bare, imported=imported)
        self.ground = replace(bare, plan=plan, cases=self.cases, failures=told)
        yield Ranked(chosen)

    def _flaky_while_traced(self, outcomes: Sequence[Outcome]) -> Iterator[Event]:
        """The trace ran every case once more: one that ended otherwise is run a third time."""
        known = self.outcomes
        odd = [
            o.case
            for o in outcomes
            if o.status is not Status.TIMEOUT and o.status.ok != known[o.case].status.ok
        ]
        again = self.runner.run(self.mending.sources, cases=odd) if odd else None
        for outcome in again.outcomes if again else ():
            if outcome.case in odd and outcome.status.ok != known[outcome.case].status.ok:
                self.flaky.add(outcome.case)
                yield Warned(f"{outcome.case} is flaky: it does not end alike each time; left out")

    def wait(self, seconds: float) -> None:
        """Seconds that somebody thought about a question do not count."""
        self.started += seconds
        self.search.deadline += seconds
        self.runner.deadline += seconds

    def accept(self, best: Progress) -> Iterator[Event]:
        """Build on progress; patches with which all cases pass already are kept as they are."""
        known, now = self.search.plausible, self.ground.now
        self.whole += [judge.compose(self.files, now, patch, self.steps) for patch in known]
        self.search.plausible = []
        self.ground = replace(
            self.ground, now={**self.ground.now, **judge.patched(self.ground.now, best.patch)}
        )
        self.steps.append(best.patch)
        self.search.progress = []
        yield Accepted(best.patch, best.verdict)
        yield from self._understand(self.ground.plan.after(best.verdict.passed))

    # ------------------------------------------------------------------------- the decision

    def _decide(self) -> Generator[Event, Reply | None, None]:
        self.runner.enough = self._deaf
        patches: Sequence[Patch] = [*self.search.plausible, *self.whole]
        if not patches:
            yield self._finished(self.search.stop)
            return
        self.runner.deadline = float("inf")
        whole = decompose(self._mended().values())
        bench = judge.Bench(self.files, whole, self.traces, self._plan(), tuple(self.witnesses))
        if self.steps:
            now, last = self.ground.now, self.search.plausible
            composed = [judge.compose(self.files, now, p, self.steps) for p in last]
            patches = [*composed, *self.whole]
            patches = sorted(patches, key=lambda p: (bool(judge.flagged(bench, p)), p.cost))
            patches = patches[: judge.MINIMISED]
        patches = judge.minimised(bench, patches, self.runner, composed=bool(self.steps))
        seconds = self.settings.time * JUDGING_SHARE
        known = judge.NOTHING
        if len(patches) > 1 and self.traces:
            known = judge.observed(bench, patches, self.runner, seconds, self.settings.seed)
        alternatives = judge.group(
            bench, patches, self.runner, seconds, looked_at=bool(self.traces), known=known
        )
        self.runner.deadline = float("inf")
        yield Grouped(alternatives)
        alternatives = yield from self._asked(alternatives, known)
        if self.demanded is not None:
            return
        for index, alternative in enumerate(alternatives[:VERIFIED_AT_MOST]):
            patch = alternative.patches[0]
            verdict, ok = self._verify(patch)
            yield Verified(patch, verdict, ok)
            if ok:
                rest = alternatives[index + 1 :]  # those before it have just failed
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

    def _asked(
        self, alternatives: tuple[Alternative, ...], known: judge.Behaviours
    ) -> Generator[Event, Reply | None, tuple[Alternative, ...]]:
        """Ask until one alternative is left, or nobody answers."""
        for _ in range(QUESTIONS_AT_MOST):
            asked = judge.question(alternatives, known)
            if asked is None:
                break
            waiting = time.monotonic()
            reply = yield Asked(asked, alternatives)
            self.wait(time.monotonic() - waiting)
            if reply is None:
                break
            case, left = judge.answered(asked, reply, alternatives)
            if not left:
                self.demanded = (asked, case) if case else None
                again = "searching on with it" if case else "add a case to the tests, run again"
                yield Warned(f"no patch that was found agrees; {again}")
                break
            alternatives = left
            yield Answered(case, alternatives)
        return alternatives

    def _verify(self, patch: Patch) -> tuple[Verdict, bool]:
        suite = Suite(
            self.target.root,
            self.cases,
            self.outcomes,
            self.flaky,
            self.witnesses,
            self.first.unable,
        )
        changed = {path: f.data for path, f in judge.patched(self.files, patch).items()}
        return suite.verify(changed, self.runner)

    def _finished(self, stop: Stop) -> Finished:
        return Finished(self._repair(stop))

    def _repair(self, stop: Stop) -> Repair:
        passed = tuple(c for c, o in self.outcomes.items() if o.status.ok)
        failed = tuple(c for c, o in self.outcomes.items() if not o.status.ok)
        seconds = time.monotonic() - self.started
        return Repair(
            self.mending.before or Verdict(passed, failed),
            stop,
            partial=None if stop is Stop.FIXED else self._partial(),
            uncollected=tuple(self.uncollected),
            tried=self.search.tried,
            seconds=seconds,
            stand_ins=self.first.filling.things if self.settings.partial else (),
        )

    def _partial(self) -> Partial | None:
        """What helps some of the failing cases and, in a fresh process, breaks none."""
        failing = self._plan().failing
        best = max(self.search.progress, key=lambda p: (p.gained, -p.patch.cost), default=None)
        last = best.patch if best is not None else None
        found = judge.compose(self.files, self.ground.now, last, self.steps)
        if not found.edits:
            return None
        self.runner.deadline = float("inf")
        verdict, _ = self._verify(found)
        gained = len(set(failing) & set(verdict.passed))
        if verdict.reason or not gained or not set(self._plan().passing) <= set(verdict.passed):
            return None
        return Partial(found, judge.diff(self.files, found), gained, len(failing))
