"""All runs of a repository's cases, in shards: files of tests that a worker runs by themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mgdebug.coverage.learning import name_of
from mgdebug.crew import Begun, Crew, Done, GivenUp, Lost, Report, Task
from mgdebug.events import Event, Worked
from mgdebug.model import Case, Outcome
from mgdebug.repository.tasks import RUN, Project, cases_answered, cases_asked
from mgdebug.runner import Run
from mgdebug.runner.reached import Reached

SHARDS = 3  # for each worker, so that a slow one does not hold up the others
AGAIN = " once more"  # of what could not be run together
SHARD_FILES = 8  # at least: an interpreter is started for each shard


@dataclass
class Ran:
    """One run of cases.  by name, as pytest takes it from the root.  run, reached: as of one
    process.  lost: files of tests that were given up, and why."""

    cases: dict[str, Case] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    run: Run = field(default_factory=lambda: Run((), ()))
    reached: Reached = field(default_factory=Reached)
    lost: list[tuple[str, str]] = field(default_factory=list)

    @property
    def failing(self) -> list[str]:
        """Names of cases, and what could not be collected."""
        bad = [name for name, outcome in self.outcomes.items() if not outcome.status.ok]
        return [*bad, *(where for where, _ in self.run.troubles)]

    @property
    def named(self) -> Run:
        """The run with cases by name."""
        return replace(
            self.run,
            cases=tuple(replace(case, id=name) for name, case in self.cases.items()),
            outcomes=tuple(replace(o, case=name) for name, o in self.outcomes.items()),
        )

    def add(self, run: Run, reached: Reached) -> None:
        """What a shard tells."""
        outcomes = {outcome.case: outcome for outcome in run.outcomes}
        for case in run.cases:
            self.cases[name_of(case)] = case
            self.outcomes[name_of(case)] = outcomes[case.id]
        one, all_ = run, self.run
        self.run = Run(
            (*all_.cases, *one.cases),
            (*all_.outcomes, *one.outcomes),
            tuple(dict.fromkeys((*all_.files, *one.files))),
            (*all_.troubles, *one.troubles),
            all_.seconds + one.seconds,
            max(all_.collecting, one.collecting),
        )
        self.reached.add(reached)


class Suite:
    """whole: how often all cases ran so far."""

    def __init__(
        self, project: Project, root: Path, crew: Crew, enough: Callable[[], bool]
    ) -> None:
        self.project, self._root, self._crew, self._enough = project, root, crew, enough
        self.whole = 0

    def run(
        self,
        tests: Sequence[str],
        sources: Mapping[str, bytes],
        *,
        what: str,
        whole: bool = False,
        reach: bool = False,
    ) -> Generator[Event, None, Ran]:
        """tests: as a Target takes them.  sources: patched files.  what: in a word, for people;
        whole: whether these are all.

        A shard that cannot be run is halved, until the file is alone that is to blame.
        """
        ran, shards = Ran(), self._shards(tests)
        self.whole += whole
        while shards:
            tasks = [
                Task(
                    what if len(shards) == 1 else f"{what}, part {at} of {len(shards)}",
                    RUN,
                    cases_asked(self.project, shard, sources, reach=reach),
                )
                for at, shard in enumerate(shards, 1)
            ]
            answers: dict[str, tuple[Run, Reached]] = {}
            given_up: dict[str, str] = {}
            for report in worked(self._crew, tasks, self._enough):
                if isinstance(report, Worked):
                    yield report
                elif isinstance(report, Done):
                    answers[report.task.name] = cases_answered(report.answer)
                elif isinstance(report, GivenUp):
                    given_up[report.task.name] = report.why
            halves: list[list[str]] = []
            for task, shard in zip(tasks, shards, strict=True):  # in order, whoever was first
                if task.name in answers:
                    ran.add(*answers[task.name])
                elif task.name in given_up:
                    files = list(dict.fromkeys(test.partition("::")[0] for test in shard))
                    if len(files) > 1:
                        halves += _halved(shard, files[: len(files) // 2])
                    else:
                        ran.lost.append((files[0], given_up[task.name]))
            shards, what = halves, what.removesuffix(AGAIN) + AGAIN
        return ran

    def _shards(self, tests: Sequence[str]) -> list[list[str]]:
        """Files of about as many bytes each; the cases of a file stay together, since they may lean
        on one another."""
        files: dict[str, list[str]] = {}
        for test in tests:
            files.setdefault(test.partition("::")[0], []).append(test)
        most = max(1, len(files) // SHARD_FILES)
        count = min(SHARDS * self._crew.size, most) if most > 1 else 1
        shards: list[list[str]] = [[] for _ in range(count)]
        sizes = [0] * count
        # Neighbours share what they import, so that whole runs of them go together.
        weights = {path: self._bytes(path, names) for path, names in files.items()}
        share, at = sum(weights.values()) / count, 0
        for path, names in files.items():
            if sizes[at] + weights[path] / 2 > share and at + 1 < count:
                at += 1
            shards[at] += names
            sizes[at] += weights[path]
        return [shard for shard in shards if shard]

    def _bytes(self, path: str, names: Sequence[str]) -> int:
        if names != [path]:
            return 200 * len(names)
        try:
            return 1 + (self._root / path).stat().st_size
        except OSError:
            return 1


def _halved(tests: Sequence[str], files: Collection[str]) -> tuple[list[str], list[str]]:
    """Those of some files, and the others."""
    first = [test for test in tests if test.partition("::")[0] in files]
    return first, [test for test in tests if test not in first]


def worked(
    crew: Crew, tasks: Sequence[Task], enough: Callable[[], bool]
) -> Iterable[Worked | Done | GivenUp]:
    """The reports of a crew, each with the event that tells of it before it."""
    left = len(tasks)
    worker: dict[str, str] = {}
    for report in crew.work(tasks, enough):
        left -= isinstance(report, Done | GivenUp)
        event = _event(report, worker, left)
        if event is not None:
            yield event
        if isinstance(report, Done | GivenUp):
            yield report


def _event(report: Report, workers: dict[str, str], left: int) -> Worked | None:
    name = report.task.name
    if isinstance(report, Begun | Done | Lost):
        workers[name] = report.worker
    by = workers.get(name, "")
    match report:
        case Begun():
            return Worked(name, by, "begun", left)
        case Done():
            return Worked(name, by, "done", left)
        case Lost():
            return Worked(name, by, "lost", left, report.why)
        case GivenUp():
            return Worked(name, by, "given up", left, report.why)
    return None
