"""Groups are repaired side by side, then tried together; what still fails is divided anew."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import replace

from mgdebug.coverage.choice import Choice, concerned, patched, spelled
from mgdebug.coverage.imports import Imports
from mgdebug.coverage.learning import learnt
from mgdebug.coverage.record import Record
from mgdebug.crew import Crew, Done, GivenUp, Task
from mgdebug.events import Divided, Event, GroupEnded, Warned, Worked
from mgdebug.model import Group, Mended, Patch, Repair, Stop, Target
from mgdebug.repository.spectrum import Spectrum
from mgdebug.repository.standing import Found, Standing, likeliest_first
from mgdebug.repository.suite import Ran, Suite, worked
from mgdebug.repository.tasks import (
    MEND,
    PARSE,
    RUN,
    Project,
    cases_answered,
    cases_asked,
    group_answered,
    group_asked,
)

WAVES, LATER_SHARE = 4, 0.4  # of the time: what is left over is harder to tell apart
GUARDED = 10  # cases that a patch has broken and its group is shown
TROUBLES_RUN = 4  # files of tests that cannot be collected for one reason


class Waves:
    """standing: the patches that hold together so far.  mended: what became of each group, the
    last word on it.  flaky: cases that pass beside fewer others without a patch."""

    def __init__(
        self,
        record: Record,
        suite: Suite,
        crew: Crew,
        project: Project,
        target: Target,
        seconds: float,
        enough: Callable[[], bool],
    ) -> None:
        """seconds: that a case may take."""
        self._seconds = seconds
        self._record, self._suite, self._crew, self._project = record, suite, crew, project
        self._enough = enough
        self._over: set[tuple[object, ...]] = set()  # groups that were looked at
        self._broken: dict[frozenset[str], set[str]] = {}  # by a group's cases, see _guarded
        self._cleared: set[str] = set()  # suspects that were looked at by themselves
        self._failing: set[str] = set()
        self._passing: set[str] = set()
        self._root = target.root
        self._imports = Imports(record)
        self._troubles: dict[str, str] = {}  # files of tests that cannot be collected, and why
        self.standing = Standing(target.root)
        self.mended: list[Mended] = []
        self.flaky: set[str] = set()

    def run(
        self, failing: Iterable[str], passing: Iterable[str], troubles: Mapping[str, str]
    ) -> Generator[Event, None, None]:
        """failing, passing: names of cases.  troubles: files of tests that cannot be collected, and
        why."""
        self._troubles = dict(troubles)
        self._failing, self._passing = {*failing, *troubles}, {*passing}
        for wave in range(1, WAVES + 1):
            groups = self._groups()
            if not groups or self._enough():
                return
            yield Divided(wave, tuple(groups))
            found = yield from self._repairs(groups, wave)
            if found:
                yield from self._settle(found)

    def _groups(self) -> list[Group]:
        troubled = self._troubles.keys() & self._failing
        cases = sorted(self._failing - troubled)
        groups = [*self._untold(troubled)]
        passing = sorted(self._passing)
        groups += Spectrum(self._record, cases, passing, self._cleared).groups()
        groups = [self._guarded(group) for group in groups]
        return [g for g in groups if self._key(g) not in self._over]

    def _guarded(self, group: Group) -> Group:
        """With the passing cases that an earlier patch of it broke."""
        more = self._broken.get(frozenset(group.cases), set()) - {*group.near}
        return replace(group, near=(*group.near, *sorted(more)))

    def _key(self, group: Group) -> tuple[object, ...]:
        """What tells a group from those that were looked at before: patches elsewhere than in
        what it looks into make it no other."""
        broken = self._broken.get(frozenset(group.cases), set())
        steps = self.standing.of(group.files) if group.files else self._steps(group)
        patches = tuple(step.patch for step in steps)
        return frozenset(group.cases), frozenset(broken), patches, group.narrow and group.suspect

    def _untold(self, troubled: Collection[str]) -> Iterator[Group]:
        """What cannot be collected for one reason is one group."""
        same: dict[str, list[str]] = {}
        for where in sorted(troubled):
            last = self._troubles[where].strip().rpartition("\n")[2]
            same.setdefault(last, []).append(where)
        for files in same.values():
            yield Group(files[0], tuple(files))

    def _steps(self, group: Group) -> tuple[Found, ...]:
        """The patches that a group's cases may run into."""
        cases = [self._record.cases.get(name) for name in (*group.cases, *group.near)]
        if any(case is None for case in cases):
            return tuple(self.standing.found)
        paths = {path for case in cases if case for path in self._imports.of(case.path)}
        return self.standing.of({*paths, *self._imports.everywhere})

    # ------------------------------------------------------------------------------- repairs

    def _repairs(self, groups: Sequence[Group], wave: int) -> Generator[Event, None, list[Found]]:
        tasks, by_name = [], {}
        for at, group in enumerate(groups, 1):
            name = f"group {wave}.{at}, {group.suspect}"
            # The last ones may have idle neighbours.
            jobs = min(2, self._crew.size) if len(groups) - at < self._crew.size else 1
            jobs = max(jobs, self._crew.size // len(groups))
            tests, steps = self._tests(group), [step.patch for step in self._steps(group)]
            share = 1.0 if wave == 1 else LATER_SHARE
            asked = group_asked(self._project, group, tests, steps, jobs, share)
            unparsed = group.cases[0] in self._troubles
            tasks.append(Task(name, PARSE if unparsed else MEND, asked))
            by_name[name] = group
        found: dict[str, Found] = {}
        worker = ""
        for report in worked(self._crew, tasks, self._enough):
            if isinstance(report, Worked):
                worker = report.worker
                yield report
                continue
            group = by_name[report.task.name]
            if isinstance(report, GivenUp):
                self._note(Mended(group, Stop.CANCELLED, why=report.why))
                yield Warned(f"{report.task.name} was given up: {report.why}")
            elif isinstance(report, Done):
                repair, others = group_answered(report.answer)
                mended = replace(self._ended(group, repair, worker), others=others)
                self._note(mended)
                yield GroupEnded(mended)
                patch = _patch(repair)
                if mended.kept and patch is not None:
                    on = tuple(step.group for step in self._steps(group))
                    found[report.task.name] = Found(group, patch, on)
        self._cleared |= {group.suspect for group in groups if group.narrow}
        for group in groups:
            self._over.add(self._key(group))
        return [found[task.name] for task in tasks if task.name in found]

    def _tests(self, group: Group) -> tuple[str, ...]:
        if group.cases[0] in self._troubles:
            return group.cases[:TROUBLES_RUN]
        names = (*group.cases, *group.near)
        known = [name for name in names if name in self._record.cases]
        others = [name for name in names if name not in self._record.cases]
        return (*spelled(self._record, known), *others)

    def _ended(self, group: Group, repair: Repair, worker: str) -> Mended:
        if repair.stop in (Stop.CLEAN, Stop.FLAKY):
            self.flaky.update(group.cases)
            self._failing -= {*group.cases}
        patch, best = _patch(repair), repair.best
        told = Mended(group, repair.stop, tried=repair.tried, seconds=repair.seconds, worker=worker)
        if patch is None:
            return replace(told, why=repair.stop.value)
        paths = tuple(sorted({edit.path for edit in patch.edits}))
        known = {note for step in self._steps(group) for note in step.patch.note.split("; ")}
        note = "; ".join(part for part in patch.note.split("; ") if part not in known)
        told = replace(told, note=note, paths=paths, kept=True)
        if best is None:  # it mends some; which of them is seen when it is tried with the others
            partial = repair.partial
            enough = partial is not None and 2 * partial.gained >= partial.failing
            return told if enough else replace(told, kept=False, why=repair.stop.value)
        after = {*repair.after.passed} if repair.after else set()
        gained = tuple(n for n in group.cases if n in after or n not in self._record.cases)
        told = replace(told, gained=gained, evidence=best.evidence, flags=best.flags)
        return replace(told, kept=False, why=f"flagged: {best.flags[0]}") if best.flags else told

    def _note(self, mended: Mended) -> None:
        """The last word on a group."""
        same = {*mended.group.cases}
        self.mended = [one for one in self.mended if one.kept or not same >= {*one.group.cases}]
        self.mended.append(mended)

    # ------------------------------------------------------------------------------ settling

    def _settle(self, found: list[Found]) -> Generator[Event, None, None]:
        """Try the patches together, with all cases that they concern; where that goes wrong one
        after another."""
        order = yield from self._enough_of(found)
        if not order:
            return
        together, clashes = self.standing.with_(order)
        for one, rival in clashes:
            self._left_out(one, f"it wants the place of the patch of {rival.group.suspect}")
        ran = yield from self._tried(together, "the patches together")
        inside = [one for one in order if all(one is not late for late, _ in clashes)]
        if self._holds(ran, inside):
            self._keep(together, ran)
            return
        for one in inside:
            yield from self._added(one)

    def _enough_of(self, found: list[Found]) -> Generator[Event, None, list[Found]]:
        """Those that mend most first, without those whose cases others mend as well."""
        gained = {id(one): self._wanted(one) for one in found}
        tasks, by_name = [], {}
        for one in found:
            alone, _ = self.standing.with_([one])
            sources = alone.sources()
            others = (self._concerned(sources) & self._failing) - {*one.group.cases}
            if others:
                name = f"what else {one.group.suspect} mends"
                tests = spelled(self._record, sorted(others))
                asked = cases_asked(self._project, tests, sources, reach=False)
                tasks.append(Task(name, RUN, asked))
                by_name[name] = one, others
        for report in worked(self._crew, tasks, self._enough):
            if isinstance(report, Worked):
                yield report
            elif isinstance(report, Done):
                one, others = by_name[report.task.name]
                ran = Ran()
                ran.add(*cases_answered(report.answer))
                gained[id(one)] |= others & {*ran.outcomes} - {*ran.failing}
        left, kept = set(self._failing), []
        for one in likeliest_first(found, {id(one): len(gained[id(one)]) for one in found}):
            if gained[id(one)] & left:
                kept.append(one)
                left -= gained[id(one)]
            else:
                self._left_out(one, "another patch mends its cases")
        return kept

    def _added(self, one: Found) -> Generator[Event, None, None]:
        if not self._wanted(one) & self._failing:
            self._left_out(one, "another patch mends its cases")
            return
        with_it, clashes = self.standing.with_([one])
        if clashes:
            rival = clashes[0][1].group.suspect
            self._left_out(one, f"it wants the place of the patch of {rival}")
            return
        ran = yield from self._tried(with_it, f"the patch of {one.group.suspect}")
        if self._holds(ran, [one]):
            self._keep(with_it, ran)
        else:
            broken = sorted({*ran.failing} - self._failing - self.flaky)
            why = f"it makes {broken[0]} fail" if broken else "its cases fail beside the others"
            self._left_out(one, why)
            self._broken.setdefault(frozenset(one.group.cases), set()).update(broken[:GUARDED])

    def _tried(self, standing: Standing, what: str) -> Generator[Event, None, Ran]:
        """Run what the patches concern, and all that fails so far."""
        sources = standing.sources()
        names = self._concerned(sources) | self._failing
        known = [name for name in names if name in self._record.cases]
        others = sorted(names - {*known})
        tests = (*spelled(self._record, known), *others)
        reach = bool(self._troubles)  # of what could not be collected nothing is known
        ran = yield from self._suite.run(tests, sources, what=what, reach=reach)
        if reach:
            record, chosen = self._record, Choice(tests)
            self._record = learnt(
                record, record.basis, self._root, (), chosen, ran.run, ran.reached, self._seconds
            )
            self._imports = Imports(self._record)
        return ran

    def _concerned(self, sources: Mapping[str, bytes]) -> frozenset[str]:
        """The cases that patched files concern, where they are not as they stand now."""
        now = self.standing.sources()
        new = {path: data for path, data in sources.items() if now.get(path) != data}
        return concerned(self._record, patched(self._record, new), self._imports)

    def _holds(self, ran: Ran, found: Sequence[Found]) -> bool:
        """Whether nothing fails that did not, and each patch does what it did alone."""
        failing = {*ran.failing}
        if ran.lost or failing - self._failing - self.flaky - self._new(ran):
            return False
        return all(
            not {*self._of(one).gained} & failing and self._wanted(one) - failing for one in found
        )

    def _wanted(self, one: Found) -> set[str]:
        """The cases that a patch mends, or some of which it mends."""
        return {*(self._of(one).gained or one.group.cases)}

    def _new(self, ran: Ran) -> set[str]:
        """Cases of files that could not be collected before."""
        return {name for name, case in ran.cases.items() if case.path in self._failing}

    def _keep(self, standing: Standing, ran: Ran) -> None:
        self.standing = standing
        seen = {case.path for case in ran.cases.values()} | {*ran.outcomes}
        self._failing = (self._failing - seen) | ({*ran.failing} - self.flaky)
        self._passing |= {n for n, o in ran.outcomes.items() if o.status.ok}
        self.mended = [
            replace(one, gained=tuple(n for n in one.group.cases if n not in self._failing))
            if one.kept
            else one
            for one in self.mended
        ]

    def _left_out(self, one: Found, why: str) -> None:
        self.mended = [
            replace(m, kept=False, why=why) if m.group is one.group else m for m in self.mended
        ]

    def _of(self, one: Found) -> Mended:
        return next(m for m in self.mended if m.group is one.group)


def _patch(repair: Repair) -> Patch | None:
    """What a repair found, be it for some of its cases."""
    partial = repair.partial.patch if repair.partial is not None else None
    return repair.patch or partial
