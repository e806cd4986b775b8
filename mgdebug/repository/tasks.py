"""What a worker is asked about a repository, and what it answers: plain JSON both.

Every task says all that it needs, so that any worker can do it, at any time, once more too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from mgdebug import judge
from mgdebug.coverage.learning import name_of
from mgdebug.crew.ships import place
from mgdebug.decoding import decode
from mgdebug.errors import NoCasesError, ProbeError, UsageError
from mgdebug.events import Collected, Event, Finished, Judged, plain
from mgdebug.model import Case, Group, Outcome, Partial, Patch, Repair, Stop, Target, Verdict
from mgdebug.proposers import named
from mgdebug.repair import repair
from mgdebug.runner import Run, Runner
from mgdebug.runner.reached import Lines, Reached
from mgdebug.settings import Settings, load
from mgdebug.unparsed import Mending

RUN, MEND, PARSE = (
    f"mgdebug.repository.tasks:{name}" for name in ("run_cases", "mend", "mend_unparsed")
)
TOLD_ALTERNATIVES = 3
LIKELIER_SHARE = 0.15  # of the time, for one that mends more than most of the cases


@dataclass(frozen=True, slots=True)
class Project:
    """Where a worker finds a project, and how it is to be run.

    root: as crew.checking.check names it; cwd: from project.  environment: the variables that set
    something of mgdebug; flags: as settings.load takes them.
    """

    root: str
    cwd: str
    python: str
    environment: Mapping[str, str]
    flags: Mapping[str, object]

    def settings(self, jobs: int, share: float = 1.0) -> Settings:
        """On a worker, for so many processes of a runner.  share: of the time."""
        found = load(place(self.root), self.environment, {**self.flags, "jobs": jobs})
        return replace(found, time=share * found.time)

    def target(self, tests: Sequence[str]) -> Target:
        """On a worker."""
        root = place(self.root)
        return Target(root, root / self.cwd, tests=tuple(tests))


def _project(asked: Mapping[str, Any]) -> Project:
    return Project(**asked["project"])


# ------------------------------------------------------------------------------ running cases


def cases_asked(
    project: Project, tests: Sequence[str], sources: Mapping[str, bytes], *, reach: bool
) -> dict[str, Any]:
    """For run_cases.  reach: whether it is to be seen what each case reaches."""
    texts = {path: data.decode("latin-1") for path, data in sources.items()}
    return {"project": asdict(project), "tests": list(tests), "sources": texts, "reach": reach}


def run_cases(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Run some cases in an interpreter that is started for them."""
    project = _project(asked)
    sources = {path: text.encode("latin-1") for path, text in asked["sources"].items()}
    chosen = project.settings(jobs=1)
    reached = Reached()
    with Runner.of(project.target(asked["tests"]), project.python, chosen) as runner:
        try:
            if asked["reach"]:
                run, reached = runner.reaching(sources=sources)
            else:
                run = runner.run(sources)
        except NoCasesError:
            run = Run((), ())
    return {"run": plain(run), "reached": _written(reached)}


def cases_answered(answer: dict[str, Any]) -> tuple[Run, Reached]:
    """Raises ValueError for what is no such answer."""
    run = answer["run"]
    troubles = tuple((str(where), str(detail)) for where, detail in run["troubles"])
    return Run(
        tuple(decode(Case, case) for case in run["cases"]),
        tuple(decode(Outcome, outcome) for outcome in run["outcomes"]),
        tuple(run["files"]),
        troubles,
        run["seconds"],
        run["collecting"],
    ), _read(answer["reached"])


def _written(reached: Reached) -> dict[str, Any]:
    return {
        "cases": {case: _lines(lines) for case, lines in reached.cases.items()},
        "started": sorted(reached.started),
        "imported": _lines(reached.imported),
        "shared": {scope: _lines(lines) for scope, lines in reached.shared.items()},
        "seen": sorted(reached.seen),
        "modules": reached.modules,
    }


def _lines(lines: Lines) -> dict[str, list[int]]:
    return {path: sorted(found) for path, found in lines.items()}


def _read(raw: Mapping[str, Any]) -> Reached:
    def sets(lines: Mapping[str, list[int]]) -> Lines:
        return {path: set(found) for path, found in lines.items()}

    return Reached(
        {case: sets(lines) for case, lines in raw["cases"].items()},
        set(raw["started"]),
        sets(raw["imported"]),
        {scope: sets(lines) for scope, lines in raw["shared"].items()},
        set(raw["seen"]),
        dict(raw["modules"]),
    )


# ------------------------------------------------------------------------- mending one group


def group_asked(
    project: Project,
    group: Group,
    tests: Sequence[str],
    steps: Sequence[Patch],
    jobs: int,
    share: float = 1.0,
) -> dict[str, Any]:
    """For mend and mend_unparsed.  tests: the group's cases as a Target takes them.  steps: patches
    that are taken as made.  jobs: worker processes.  share: of the time."""
    told: dict[str, Any] = {"tests": list(tests), "looked": list(group.files), "jobs": jobs}
    told["share"] = share
    told["only"] = group.suspect.partition("::")[0] if group.narrow else ""
    return {"project": asdict(project), **told, "steps": [plain(step) for step in steps]}


def mend(asked: Mapping[str, Any]) -> dict[str, Any]:
    """One repair() of the cases of a group."""
    try:
        return _mended(asked)
    except UsageError:
        # A case that was named may be called otherwise for pytest: its file is asked.
        files = list(dict.fromkeys(test.partition("::")[0] for test in asked["tests"]))
        if files == asked["tests"]:
            raise
        return _mended({**asked, "tests": files})


def _mended(asked: Mapping[str, Any]) -> dict[str, Any]:
    project = _project(asked)
    chosen = project.settings(asked["jobs"], asked["share"])
    target = _target(asked, project)
    done, names = None, dict[str, str]()
    content = _Content(bool(asked["only"]), chosen.time)
    proposers = named(chosen.engine, chosen)
    with closing(repair(target, proposers, chosen, project.python, content)) as events:
        for event in events:
            content.hear(event)
            if isinstance(event, Collected):
                names = {case.id: name_of(case) for case in event.cases}
            if isinstance(event, Finished):
                done = event.repair
    assert done is not None
    few = tuple(
        replace(one, patches=one.patches[:1]) for one in done.alternatives[:TOLD_ALTERNATIVES]
    )
    others = max(0, len(done.alternatives) - 1)
    return {"repair": plain(_by_name(replace(done, alternatives=few), names)), "others": others}


def _target(asked: Mapping[str, Any], project: Project) -> Target:
    return replace(
        project.target(asked["tests"]),
        path=asked["only"],
        looked=tuple(asked["looked"]),
        steps=tuple(decode(Patch, step) for step in asked["steps"]),
    )


class _Content:
    """Whether enough was found: of a suspect that many share, what mends most of their cases, for
    the others may have a fault of their own."""

    def __init__(self, shared: bool, seconds: float) -> None:
        self._shared, self._wait = shared, LIKELIER_SHARE * seconds
        self._failing: set[str] = set()
        self._until = float("inf")

    def hear(self, event: Event) -> None:
        if isinstance(event, Collected):
            self._failing = {o.case for o in event.outcomes if not o.status.ok}
        elif isinstance(event, Judged):
            gained = len(self._failing & {*event.verdict.passed})
            if 2 * gained >= len(self._failing) and self._until == float("inf"):
                self._until = time.monotonic() + self._wait

    def __call__(self) -> bool:
        return self._shared and time.monotonic() >= self._until


def _by_name(done: Repair, names: Mapping[str, str]) -> Repair:
    """Cases as pytest takes them from the root."""

    def verdict(of: Verdict) -> Verdict:
        passed, failed = (tuple(names.get(c, c) for c in cases) for cases in (of.passed, of.failed))
        return replace(of, passed=passed, failed=failed)

    after = verdict(done.after) if done.after is not None else None
    return replace(done, before=verdict(done.before), after=after)


def group_answered(answer: dict[str, Any]) -> tuple[Repair, int]:
    """The repair, and how many other patches its cases allow.  Raises ValueError for what is no
    such answer."""
    return decode(Repair, answer["repair"]), int(answer["others"])


def mend_unparsed(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What keeps tests from being collected, and no more: their cases are for later."""
    project = _project(asked)
    chosen = project.settings(asked["jobs"], asked["share"])
    began = time.monotonic()
    target = _target(asked, project)
    with Runner.of(target, project.python, chosen) as runner:
        proposers = named(chosen.engine, chosen)
        mending = Mending(target, proposers, runner, chosen.time, chosen.seed)
        with suppress(UsageError, ProbeError):  # it is still as it was
            for _ in mending.first_run():
                pass
    last = mending.plausible[0] if mending.plausible else None
    patch = judge.compose(mending.disk, mending.now, last, mending.steps)
    seconds = time.monotonic() - began
    done = Repair(Verdict((), ()), Stop.UNCOLLECTED, tried=mending.tried, seconds=seconds)
    if patch.edits:
        done = replace(done, partial=Partial(patch, "", 1, 1))
    return {"repair": plain(done), "others": 0}
