"""The repair of a whole repository: `repaired`, a generator of events as repair() is one.

```
suite           runs of cases, in shards on a crew
spectrum        failing cases -> groups that share a suspect
tasks           what a worker is asked, and answers
standing        the patches that stand together
waves           groups -> repairs -> what of them holds together
```

All cases run once, to see which fail and what each reaches (the record of coverage tells most of it
the next time); each group is a repair with its own cases and those nearest to them, on a worker;
patches are tried together with the cases that they concern; what still fails is divided anew; in
the end all cases run once more, with all patches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator
from dataclasses import replace

from mgdebug import forgery
from mgdebug.coverage.choice import Choice, choose, concerned, patched, spelled
from mgdebug.coverage.learning import learnt, walked
from mgdebug.coverage.record import Record, basis_of, load, save
from mgdebug.crew import Crew, never
from mgdebug.events import Collected, Decomposed, Event, Finished, Reply, Started, Verified, Warned
from mgdebug.judge import fresh
from mgdebug.model import (
    Alternative,
    Case,
    CaseKind,
    Mended,
    Outcome,
    Repair,
    Status,
    Stop,
    Target,
    Verdict,
)
from mgdebug.repository.standing import Found, Standing, bases
from mgdebug.repository.suite import Ran, Suite
from mgdebug.repository.tasks import Project
from mgdebug.repository.waves import Waves
from mgdebug.runner import Runner
from mgdebug.settings import Settings
from mgdebug.syntax.hierarchy import decompose

__all__ = ["Project", "repaired"]

WHOLE_RUNS = 3  # of all cases, at most


def repaired(
    target: Target,
    settings: Settings,
    project: Project,
    crew: Crew,
    enough: Callable[[], bool] = never,
) -> Generator[Event, Reply | None, None]:
    """Repair all that fails; the last event is Finished, with one patch of all that holds.

    target: without a path.  settings: time is that of each group.  project: where workers find the
    project.  enough: as repair() has it.  Raises MgdebugError for what the user must mend.
    """
    yield Started(str(target.root), "", "", project.python, (settings.engine,))
    yield from _Repository(target, settings, project, crew, enough).events()


class _Repository:
    def __init__(
        self,
        target: Target,
        settings: Settings,
        project: Project,
        crew: Crew,
        enough: Callable[[], bool],
    ) -> None:
        self.target, self.settings, self.project = target, settings, project
        self.enough = enough
        self.started = time.monotonic()
        self.suite = Suite(project, target.root, crew, self._deaf)
        self.crew = crew
        self.tests: tuple[str, ...] = ()  # all of them, as a Target takes them
        self.cases: dict[str, Case] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.flaky: set[str] = set()
        self.uncollected: list[str] = []
        self.unable: set[str] = set()  # of these, cases that could not even begin
        self.troubles: dict[str, str] = {}  # of these, those that may be mended, and why
        self.basis = basis_of(target.root, project.python)
        self.record = Record(self.basis)
        self.witnesses: dict[str, str] = {}  # of the files that say what is right
        self.mended: list[Mended] = []

    def events(self) -> Generator[Event, None, None]:
        yield from self._first()
        failing = self._failing()
        if not failing:
            stop = Stop.CLEAN if self.cases else Stop.NO_CASES
            stop = Stop.FLAKY if self.flaky else stop
            yield Finished(self._ended(Stop.UNCOLLECTED if self.uncollected else stop))
            return
        seconds = self.settings.limits.case_seconds
        waves = Waves(
            self.record, self.suite, self.crew, self.project, self.target, seconds, self.enough
        )
        passing = [name for name, outcome in self.outcomes.items() if outcome.status.ok]
        cases = [name for name in failing if name not in self.troubles]
        yield from waves.run(cases, passing, self.troubles)
        self.mended = waves.mended
        for name in waves.flaky:
            self.flaky.add(name)
            yield Warned(f"{name} is flaky: it passes beside fewer cases; left out")
        yield from self._decide(waves.standing)

    def _deaf(self) -> bool:
        """What was found is tried to the end, whatever is told, unless `enough` raises."""
        self.enough()
        return False

    def _failing(self) -> list[str]:
        bad = [name for name, outcome in self.outcomes.items() if not outcome.status.ok]
        return [name for name in bad if name not in self.flaky] + [*self.troubles]

    # -------------------------------------------------------------------------- the first run

    def _first(self) -> Generator[Event, None, None]:
        began = time.monotonic()
        root = self.target.root
        with Runner.of(self.target, self.project.python, self.settings) as runner:
            listed = runner.files()
            if runner.gaps:
                yield Warned(runner.gaps)
        self.tests = self.target.tests or listed.files
        known = load(root)
        choice = self._choice(known)
        whole = choice.everything
        ran = yield from self.suite.run(
            self.tests if whole else choice.tests,
            {},
            what="all cases" if whole else "cases that changes concern",
            whole=whole,
            reach=True,
        )
        seconds = self.settings.limits.case_seconds
        self.record = learnt(known, self.basis, root, (), choice, ran.run, ran.reached, seconds)
        if not self.target.tests:
            save(root, self.record)
        if not whole:
            self._recall(ran)
        self.cases |= ran.cases
        self.outcomes |= ran.outcomes
        self.witnesses = forgery.witnesses(root, self.cases.values())
        yield from self._without_unable()
        self.troubles = dict(ran.run.troubles)
        for where, detail in (*ran.run.troubles, *ran.lost):
            self.uncollected.append(where)
            yield Warned(f"{where} could not be collected", detail)
        yield from self._run_again(ran)
        yield Collected(
            self.project.python,
            tuple(self.cases.values()),
            tuple(replace(o, case=self.cases[n].id) for n, o in self.outcomes.items()),
            tuple(sorted(self.flaky)),
            time.monotonic() - began,
        )

    def _choice(self, known: Record | None) -> Choice:
        """All cases, or those of which it is not known how they would end now."""
        if self.target.tests:
            return Choice(everything=True, why="they were named")
        root = self.target.root
        if known is None or not known.cases or {*known.tests} - {*self.tests}:
            return Choice(everything=True, why="nothing is known of them yet")
        new = [
            path for path in walked(root) if path not in known.files and path not in known.present
        ]
        choice = choose(known, self.basis, root, new)
        if choice.everything:
            return choice
        failed = [name for name, case in known.cases.items() if not case.passed]
        untold = [test for test in self.tests if test not in known.tests]
        named = {*choice.tests, *untold}
        more = [test for test in spelled(known, failed) if test.partition("::")[0] not in named]
        return replace(choice, tests=tuple(dict.fromkeys((*choice.tests, *untold, *more))))

    def _recall(self, ran: Ran) -> None:
        """Cases that did not run again: they passed, and nothing that they reach has changed."""
        for name, known in self.record.cases.items():
            if name not in ran.cases and known.passed:
                self.cases[name] = Case(name, CaseKind.PYTEST, known.path)
                self.outcomes[name] = Outcome(name, Status.PASSED, message="as recorded")

    def _without_unable(self) -> Generator[Event, None, None]:
        unable = [name for name, outcome in self.outcomes.items() if outcome.is_unable]
        for name in unable:
            self.uncollected.append(name)
            self.unable.add(name)
            yield Warned(f"{name} cannot be run: {self.outcomes[name].message}")
            del self.outcomes[name], self.cases[name]

    def _run_again(self, ran: Ran) -> Generator[Event, None, None]:
        failing = [name for name in ran.failing if name in self.outcomes]
        if not failing:
            return
        tests = spelled(self.record, failing)
        again = yield from self.suite.run(tests, {}, what="failing cases once more")
        for name in failing:
            if name in again.outcomes and again.outcomes[name].status.ok:
                self.flaky.add(name)

    # --------------------------------------------------------------------------- the decision

    def _decide(self, standing: Standing) -> Generator[Event, None, None]:
        """All cases once more; what they show to be broken is taken out."""
        if not standing.found:
            stop = Stop.EXHAUSTED if self._failing() else Stop.FLAKY
            yield Finished(self._ended(Stop.CANCELLED if self.enough() else stop))
            return
        while True:
            patch = standing.whole()
            sources = standing.sources()
            ran = yield from self.suite.run(
                self.tests, sources, what="all cases with the patches", whole=True
            )
            broken = yield from self._broken(self._verdict(ran).failed, sources)
            verdict = self._verdict(ran)
            helps = {*self._failing()} - {*verdict.failed}
            ok = bool(helps) and not broken and not verdict.reason
            yield Verified(patch, verdict, ok)
            if ok:
                yield Decomposed(decompose(standing.files.values()))
                yield Finished(self._fixed(standing, verdict))
                return
            guilty = self._guilty(standing, broken)
            standing = standing.without(one.group for one in guilty)
            self._dropped(standing, broken)
            hopeless = not helps or bool(verdict.reason) or not standing.found
            if hopeless or self.suite.whole >= WHOLE_RUNS:
                yield Finished(self._ended(Stop.REGRESSED))
                return

    def _broken(
        self, failed: Collection[str], sources: dict[str, bytes]
    ) -> Generator[Event, None, list[str]]:
        """The cases that fail now and passed before, twice."""
        before = {*self._failing(), *self.flaky}
        new = [name for name in failed if name not in before and name in self.outcomes]
        if not new:
            return []
        tests = spelled(self.record, [name for name in new if name in self.record.cases])
        again = yield from self.suite.run(tests, sources, what="what failed then")
        again_ok = {n for n, o in again.outcomes.items() if o.status is Status.PASSED}
        still = [name for name in new if name not in again_ok]
        for name in new:
            if name not in still:
                self.flaky.add(name)
                yield Warned(f"{name} is flaky: it does not end alike each time; left out")
        return still

    def _verdict(self, ran: Ran) -> Verdict:
        """As of a single repair, but that some may fail that failed before."""
        named = tuple(replace(case, id=name) for name, case in self.cases.items())
        judge = fresh.Suite(
            self.target.root, named, self.outcomes, self.flaky, self.witnesses, self.unable
        )
        verdict, _ = judge.verdict(ran.named)
        new = [(where, why) for where, why in ran.lost if where not in self.uncollected]
        lost = [f"{where} could not be run: {why}" for where, why in new]
        return replace(verdict, reason=lost[0]) if lost else verdict

    def _guilty(self, standing: Standing, broken: Collection[str]) -> list[Found]:
        """The patches that broken cases reach; all, where none is known to be."""
        found = []
        for one in standing.found:
            alone = Standing(self.target.root)
            alone.found = [one]
            if concerned(self.record, patched(self.record, alone.sources())) & {*broken}:
                found.append(one)
        return found or list(standing.found)

    def _dropped(self, standing: Standing, broken: Collection[str]) -> None:
        kept = {id(one.group) for one in standing.found}
        why = f"with all patches {min(broken, default='a case')} fails"
        self.mended = [
            replace(one, kept=False, why=why) if one.kept and id(one.group) not in kept else one
            for one in self.mended
        ]

    def _fixed(self, standing: Standing, verdict: Verdict) -> Repair:
        patch = standing.whole()
        done = self._ended(Stop.SOME if verdict.failed or self._left() else Stop.FIXED)
        reasons = tuple(
            f"{one.note}: {len(one.gained)} case{'s' * (len(one.gained) != 1)}"
            for one in self.mended
            if one.kept
        )
        best = Alternative((patch,), standing.diff(), reasons=reasons)
        kept = [one for one in self.mended if one.kept and one.evidence]
        if len(kept) == 1:
            best = replace(best, evidence=kept[0].evidence)
        base = bases(standing.files, patch)
        return replace(done, after=verdict, patch=patch, alternatives=(best,), base=base)

    def _left(self) -> bool:
        gained = {name for one in self.mended if one.kept for name in one.gained}
        return bool({*self.uncollected} - gained)

    def _ended(self, stop: Stop) -> Repair:
        passed = tuple(n for n, o in self.outcomes.items() if o.status.ok)
        failed = tuple(n for n, o in self.outcomes.items() if not o.status.ok)
        gained = {name for one in self.mended if one.kept for name in one.gained}
        return Repair(
            Verdict(passed, failed),
            stop,
            uncollected=tuple(name for name in self.uncollected if name not in gained),
            tried=sum(one.tried for one in self.mended),
            seconds=time.monotonic() - self.started,
            groups=tuple(self.mended),
            whole_runs=self.suite.whole,
        )
