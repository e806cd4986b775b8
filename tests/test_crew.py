"""Crews: every task is answered or given up by name, whatever becomes of its workers, and both
kinds of crew give the same answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from processes import children, descendants, left_of, state

from mgdebug.bench.rows import Row, Shown
from mgdebug.bench.running import Asking, run
from mgdebug.crew import (
    TRIES,
    Begun,
    Crew,
    Done,
    GivenUp,
    Lost,
    Report,
    Task,
    Told,
    hired,
    sent,
    ships,
)
from mgdebug.crew.checking import check, interpreter
from mgdebug.crew.cluster import Cluster
from mgdebug.crew.local import Local
from mgdebug.errors import EnvironmentFailure, InterpreterError, UsageError

HERE = Path(__file__).parent


@pytest.fixture(scope="module", autouse=True)
def entries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Workers find what stands in entries.py, and start in this folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
        folder = tmp_path_factory.mktemp("there")
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def local(entries: Path) -> Iterator[Local]:
    with closing(Local(2)) as crew:
        yield crew


@pytest.fixture(scope="module")
def cluster(entries: Path) -> Iterator[Cluster]:
    with closing(Cluster("local", 2)) as crew:
        yield crew


def task(name: str, **asked: Any) -> Task:
    """name: of the entry, and what tells it from others behind a space."""
    return Task(name, f"entries:{name.partition(' ')[0]}", asked)


def of(kind: type[Any], reports: Sequence[Report]) -> list[Any]:
    return [report for report in reports if isinstance(report, kind)]


def ends(reports: Sequence[Report]) -> dict[str, object]:
    """The answer of each task, or why it was given up; each ends once."""
    found: dict[str, object] = {}
    for report in reports:
        if isinstance(report, Done | GivenUp):
            assert report.task.name not in found
            found[report.task.name] = report.answer if isinstance(report, Done) else report.why
    return found


def told(reports: Iterator[Report], times: int) -> list[Told]:
    found: list[Told] = []
    while len(found) < times:
        report = next(reports)
        found += [report] if isinstance(report, Told) else []
    return found


def gone(pids: Sequence[int]) -> None:
    """Waits until these processes have ended."""
    deadline = time.monotonic() + 10
    while living := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, f"{living} live on"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return state(pid) != "Z"
    except OSError:
        return False


def every_kind(mark: Path) -> list[Task]:
    return [
        task("deadly"),
        task("telling", steps=3),
        task("once", mark=str(mark)),
        task("raising"),
        task("leaving"),
        task("unknown"),
        task("echoed", text="ü\udc80\n" * 400_000, tuple=(1, 2)),
        task("signalled"),
        *(task(f"squared {number}", number=number) for number in range(5)),
    ]


def behaves(crew: Crew, mark: Path) -> dict[str, object]:
    """A crew has each kind of task done as it should be."""
    tasks = every_kind(mark)
    reports = list(crew.work(tasks))
    assert {begun.worker for begun in of(Begun, reports)} == {"worker 1", "worker 2"}
    # What begins at once may be heard of in any order, and what is large takes its time to arrive.
    small = [one.name for one in tasks if one.name != "echoed"]
    first = dict.fromkeys(one.task.name for one in of(Begun, reports))
    for place, name in enumerate(name for name in first if name in small):
        assert abs(place - small.index(name)) < crew.size
    assert [one.what for one in of(Told, reports)] == [{"step": n} for n in range(3)]
    losses = [(lost.task.name, lost.times, lost.why) for lost in of(Lost, reports)]
    assert sorted(losses) == [
        ("deadly", 1, "signal SIGKILL"),
        ("deadly", 2, "signal SIGKILL"),
        ("once", 1, "signal SIGKILL"),
    ]
    return ends(reports)


def test_a_task_is_answered_or_given_up_by_name(local: Local, tmp_path: Path) -> None:
    found = behaves(local, tmp_path / "mark")
    assert found == {
        "deadly": "3 workers ended over it, the last with signal SIGKILL",
        "telling": {"steps": 3},
        "once": {"mark": "mark"},
        "raising": "LookupError: nothing is there",
        "leaving": "SystemExit: 3",
        "unknown": "AttributeError: module 'entries' has no attribute 'unknown'",
        "echoed": {"text": "ü\udc80\n" * 400_000, "tuple": [1, 2]},
        "signalled": {"stdin": ""},
        **{f"squared {number}": {"number": number**2} for number in range(5)},
    }


def test_a_cluster_gives_the_same_answers(local: Local, cluster: Cluster, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "a", tmp_path / "b"
    ours.mkdir()
    theirs.mkdir()
    assert behaves(cluster, theirs / "mark") == ends(list(local.work(every_kind(ours / "mark"))))


def test_tasks_begin_in_their_order(local: Local) -> None:
    tasks = [task(f"squared {number}", number=number) for number in range(20)]
    assert [one.task for one in of(Begun, list(local.work(tasks)))] == tasks


def test_names_tell_tasks_apart(local: Local) -> None:
    with pytest.raises(ValueError, match="two tasks are named squared"):
        list(local.work([task("squared", number=1), task("squared", number=2)]))


@pytest.mark.parametrize("kind", ["local", "cluster"])
def test_who_stops_listening_ends_the_work_and_what_it_started(
    kind: str, request: pytest.FixtureRequest
) -> None:
    crew: Crew = request.getfixturevalue(kind)
    reports = crew.work([task(f"slow {n}", seconds=60, number=n) for n in range(3)])
    pids = [one.what["pid"] for one in told(reports, 2)]
    beside = [child for pid in pids for child in children(pid)]
    assert len(beside) == 2
    reports.close()  # type: ignore[attr-defined]
    gone([*pids, *beside])
    enough = iter([False] * 3)
    began = time.monotonic()
    stopped = list(crew.work([task("slow", seconds=60, number=0)], lambda: next(enough, True)))
    assert ends(stopped) == {}
    assert time.monotonic() - began < 30
    assert ends(list(crew.work([task("squared", number=3)]))) == {"squared": {"number": 9}}


def test_tasks_of_dask_workers_that_are_killed_are_done_again(cluster: Cluster) -> None:
    tasks = [task(f"slow {n}", seconds=0.4, number=n) for n in range(8)]
    reports, kills = [], {"slow 0", "slow 3", "slow 5"}
    for report in cluster.work(tasks):
        reports.append(report)
        if isinstance(report, Told) and report.task.name in kills:
            kills.remove(report.task.name)
            beside = [report.what["pid"], *children(report.what["pid"])]
            os.kill(report.what["parent"], signal.SIGKILL)
            gone([report.what["parent"], *beside])
    assert ends(reports) == {f"slow {n}": {"number": n} for n in range(8)}
    lost = [(report.task.name, report.why) for report in of(Lost, reports)]
    assert lost == [(f"slow {n}", "the end of its Dask worker") for n in (0, 3, 5)]


def test_a_task_that_ends_dask_workers_is_given_up(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one that takes all memory of its machine; here after as many as of processes."""
    monkeypatch.setattr(sent, "DESERTIONS", 1)
    tasks = [task("slow 0", seconds=60, number=0), task("squared", number=2)]
    reports = []
    for report in cluster.work(tasks):
        reports.append(report)
        if isinstance(report, Told):
            os.kill(report.what["parent"], signal.SIGKILL)
    found = ends(reports)
    assert found["squared"] == {"number": 4}
    cluster.client.wait_for_workers(2, 30)
    ended = f"{TRIES} workers ended over it, the last with the end of its Dask worker"
    assert found["slow 0"] == ended


@pytest.mark.parametrize("kind", ["", "local"])
def test_nothing_outlives_a_crew_that_is_killed(kind: str, tmp_path: Path) -> None:
    mark = f"{tmp_path.name}-{kind}"
    program = (
        "from mgdebug.crew import Task, Told, hired\n"
        "if __name__ == '__main__':\n"
        f"    crew = hired({kind!r}, 2)\n"
        "    tasks = [Task(str(n), 'entries:slow', {'seconds': 60, 'number': n}) for n in (1, 2)]\n"
        "    for report in crew.work(tasks):\n"
        "        print(isinstance(report, Told), flush=True)\n"
    )
    (tmp_path / "program.py").write_text(program)
    with subprocess.Popen(
        [sys.executable, tmp_path / "program.py"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CREW_MARK": mark},
    ) as parent:
        assert parent.stdout is not None
        heard = 0
        while heard < 2:
            heard += parent.stdout.readline() == "True\n"
        assert len(list(descendants(parent.pid))) >= 4
        parent.kill()
    assert left_of(mark) == {}


def test_rows_score_alike_on_both(local: Local, cluster: Cluster) -> None:
    shown = Shown({"program.py": "def double(n):\n    return n * 3\n"}, "program.py")
    shown = replace(shown, expressions=("double(2) == 4", "double(0) == 0"))
    row = Row("row", "", shown, {"entry": "double", "pairs": [["(-7,)", "-14"]], "atol": 0})
    asking = Asking("search", 20.0, 1)
    with ThreadPoolExecutor() as threads:  # as a repair, which is none of the main thread's
        scored = threads.map(lambda crew: list(run([row], asking, None, crew)), (local, cluster))
        [ours], [theirs] = scored
    assert ours.first
    assert ours == replace(theirs, seconds=ours.seconds, right=ours.right)


# ------------------------------------------------------------------------------------ projects


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path in ("src/mod.py", ".git/config", "venv/pyvenv.cfg", "src/__pycache__/mod.pyc"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "linked.py").symlink_to("src/mod.py")
    return root


def test_an_archive_holds_the_sources_and_arrives_once(cluster: Cluster, project: Path) -> None:
    root = check(cluster, project, "", ships.ARCHIVE)
    there = ships.place(root)
    assert sorted(ships.files(there)) == ["linked.py", "run.sh", "src/mod.py"]
    assert ships.files(there) == ships.files(project)
    (there / "seen").touch()
    assert check(cluster, project, "", ships.ARCHIVE) == root
    assert (there / "seen").exists()
    shutil.rmtree(there)
    reports = list(cluster.work([task("listed", root=root)]))  # as on a host that came later
    assert ends(reports) == {"listed": {"files": ["linked.py", "run.sh", "src/mod.py"]}}
    assert not of(Lost, reports)
    (project / "src/mod.py").write_text("changed")
    assert check(cluster, project, "", ships.ARCHIVE) != root


def test_workers_with_other_sources_are_refused_by_name(
    cluster: Cluster, project: Path, entries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same path leads elsewhere in the workers, which run in another folder."""
    assert check(cluster, project, "") == str(project)
    monkeypatch.chdir(project.parent)
    here = Path("/proc/self/cwd/project")
    with pytest.raises(EnvironmentFailure, match=r"worker \d has no folder /proc/self") as caught:
        check(cluster, here, "")
    assert "--ship archive" in caught.value.hint
    shutil.copytree(project, entries / "project")
    assert check(cluster, here, "") == str(here)
    (entries / "project/src/mod.py").write_text("changed")
    with pytest.raises(EnvironmentFailure, match=r"worker \d has other sources .*: src/mod.py$"):
        check(cluster, here, "")


def test_workers_with_another_interpreter_are_refused_by_name(
    cluster: Cluster, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that says something else where there is no $HERE."""
    python = project / "python"
    own = interpreter(sys.executable)

    def said(there: Mapping[str, object]) -> None:
        python.write_text(
            f'#!/bin/sh\n[ "$HERE" ] && exec {sys.executable} "$@"\n'
            f"cat << END\n{json.dumps(there)}\nEND\n"
        )
        python.chmod(0o755)

    monkeypatch.setenv("HERE", "1")
    for there, message in (
        ({}, f"worker 1 has no interpreter {python}"),
        ({**own, "python": "CPython 3.8.1"}, f"worker 1 has CPython 3.8.1 as {python}, this"),
        ({**own, "all": {}}, "worker 1 has no pytest, this machine pytest "),
    ):
        said(there)
        with pytest.raises(EnvironmentFailure, match=re.escape(message)):
            check(cluster, project, str(python))
    warned: list[str] = []
    said({**own, "all": {**own["all"], "click": "1.0", "more": "2"}})
    check(cluster, project, str(python), warn=warned.append)
    assert warned == [f"worker {n} has other versions of click, more" for n in (1, 2)]
    with pytest.raises(InterpreterError):
        check(cluster, project, str(project / "none"))


def test_what_is_no_cluster_is_told_with_the_next_step() -> None:
    with pytest.raises(UsageError, match="no address of a Dask scheduler"):
        hired("hello world", 0)
    with pytest.raises(UsageError, match="--ship pigeon is unknown"):
        check(Local(1), None, "", "pigeon")
