"""The repair of a whole repository: real projects, real workers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from mgdebug.coverage.record import Known, Place, Record
from mgdebug.crew import Crew
from mgdebug.crew.local import Local
from mgdebug.events import Collected, Divided, Event, Finished, GroupEnded, Warned, Worked
from mgdebug.model import Edit, Group, Patch, Repair, Status, Stop, Target
from mgdebug.proposers import named
from mgdebug.repair import repair as repaired_one
from mgdebug.repository import Project, repaired
from mgdebug.repository.spectrum import Spectrum
from mgdebug.repository.standing import Found, Standing
from mgdebug.runner import Runner
from mgdebug.settings import Settings, load

PROJECT = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\ntestpaths = ["tests"]\n',
    "pkg/__init__.py": "",
    "pkg/low.py": (
        "def clamp(value, low, high):\n    if value < low:\n        return low\n"
        "    if value > high:\n        return low\n    return value\n"
    ),
    "pkg/mid.py": (
        "from pkg.low import clamp\n\n\n"
        "def share(values, at):\n    return clamp(values[at] * 100 // sum(values), 0, 100)\n\n\n"
        "def longest(words):\n    best = words[0]\n    for word in words:\n"
        "        if len(word) < len(best):\n            best = word\n    return best\n"
    ),
    "pkg/top.py": (
        "from pkg.mid import longest, share\n\n\n"
        'def report(words, values):\n    return f"{longest(words)}:{share(values, 1)}"\n'
    ),
    "pkg/odd.py": "def evens(count)\n    return [n for n in range(count) if n % 2 == 0]\n",
    "tests/test_low.py": (
        "import pytest\nfrom pkg.low import clamp\n\n\n"
        "@pytest.mark.parametrize('v,w', [(5, 5), (-3, 0), (30, 10), (11, 10)])\n"
        "def test_clamp(v, w):\n    assert clamp(v, 0, 10) == w\n"
    ),
    "tests/test_mid.py": (
        "from pkg.mid import longest, share\n\n\n"
        "def test_share():\n    assert share([1, 3], 1) == 75\n\n\n"
        "def test_longest():\n    assert longest(['a', 'ccc', 'bb']) == 'ccc'\n\n\n"
        "def test_longest_of_one():\n    assert longest(['a']) == 'a'\n"
    ),
    "tests/test_odd.py": (
        "from pkg.odd import evens\n\n\ndef test_evens():\n    assert evens(5) == [0, 2, 4]\n"
    ),
    "tests/test_top.py": (
        "from pkg.top import report\n\n\n"
        "def test_both():\n    assert report(['x', 'yyy'], [-1, 3]) == 'yyy:100'\n"
    ),
    "tests/test_zone.py": (
        "import sys\n\n\ndef test_zone():\n    assert 'pkg.low' not in sys.modules\n"
    ),
}
CLAMP = "    if value > high:\n        return high\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def settings(root: Path, flags: Mapping[str, object]) -> Settings:
    return load(root, {}, flags)


def repair(root: Path, crew: Crew, seconds: float = 6) -> tuple[list[Event], Repair]:
    flags = {"time": seconds, "jobs": 2}
    there = Project(str(root), ".", sys.executable, {}, flags)
    events = list(repaired(Target(root, root), settings(root, flags), there, crew))
    end = events[-1]
    assert isinstance(end, Finished)
    return events, end.repair


def apply(root: Path, diff: str) -> None:
    subprocess.run(["git", "apply", "-"], cwd=root, input=diff.encode("latin-1"), check=True)


def pytest_says(root: Path) -> list[str]:
    """The cases that fail."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return [x.split()[1] for x in done.stdout.splitlines() if x.startswith(("FAILED", "ERROR"))]


def test_all_that_fails_is_repaired_by_one_patch_and_what_is_known_is_not_run_again(
    project: Path,
) -> None:
    before = {path: (project / path).read_text() for path in PROJECT}
    with closing(Local(2)) as crew:
        events, done = repair(project, crew)
        assert {path: (project / path).read_text() for path in PROJECT} == before
        [collected] = [event for event in events if isinstance(event, Collected)]
        assert sum(o.status is Status.FAILED for o in collected.outcomes) == 5
        warned = [event.message for event in events if isinstance(event, Warned)]
        assert any(said.startswith("tests/test_zone.py::test_zone is flaky") for said in warned)
        waves = [event for event in events if isinstance(event, Divided)]
        suspects = {group.suspect for wave in waves for group in wave.groups}
        assert {"pkg/low.py::clamp", "pkg/mid.py::longest", "tests/test_odd.py"} <= suspects
        [mended] = [
            event.mended
            for event in events
            if isinstance(event, GroupEnded) and event.mended.group.suspect == "pkg/mid.py::longest"
        ]
        assert mended.gained == ("tests/test_mid.py::test_longest",)  # test_both waits for two
        assert done.stop is Stop.FIXED
        assert done.whole_runs == 2
        assert done.after is not None
        assert "tests/test_top.py::test_both" in done.after.passed
        assert "tests/test_odd.py::test_evens" in done.after.passed
        assert done.best is not None
        apply(project, done.best.diff)
        assert pytest_says(project) == ["tests/test_zone.py::test_zone"]

        _, done = repair(project, crew)
        assert done.stop is Stop.FLAKY

        low = project / "pkg/low.py"
        low.write_text(low.read_text().replace("return high", "return value"))
        events, done = repair(project, crew)
    names = [event.task for event in events if isinstance(event, Worked)]
    assert names[0].startswith("cases that changes concern")
    [collected] = [event for event in events if isinstance(event, Collected)]
    recorded = [o.case for o in collected.outcomes if o.message == "as recorded"]
    assert recorded == [
        "tests/test_mid.py::test_longest",
        "tests/test_mid.py::test_longest_of_one",
        "tests/test_odd.py::test_evens",
    ]
    assert done.whole_runs == 1
    assert done.best is not None
    apply(project, done.best.diff)
    assert CLAMP in low.read_text()


@pytest.mark.long
def test_a_case_that_nothing_mends_is_named_and_the_rest_is_mended(project: Path) -> None:
    text = "def test_yes():\n    assert clamp(3, 0, 9) == 3\n\n\n"
    text += "def test_no():\n    assert clamp(3, 0, 9) == 4\n"
    (project / "tests/test_low.py").write_text(PROJECT["tests/test_low.py"] + f"\n\n{text}")
    (project / "pkg/odd.py").write_text(PROJECT["pkg/odd.py"].replace("(count)", "(count):"))
    with closing(Local(2)) as crew:
        _, done = repair(project, crew, 4)
    assert done.stop is Stop.SOME
    assert done.after is not None
    assert "tests/test_low.py::test_no" in done.after.failed
    assert "tests/test_mid.py::test_longest" in done.after.passed
    assert any(not one.kept and one.why for one in done.groups)


def test_a_file_that_ends_the_process_while_it_is_imported_is_named_and_the_others_run(
    tmp_path: Path,
) -> None:
    (tmp_path / "m.py").write_text("def more(n):\n    return n - 1\n")
    (tmp_path / "test_good.py").write_text(
        "from m import more\n\n\ndef test_good():\n    assert more(4) == 5\n"
    )
    (tmp_path / "test_gone.py").write_text("import os\n\nos._exit(3)\n")
    (tmp_path / "test_late.py").write_text("def test_late():\n    pass\n")
    with closing(Local(1)) as crew:
        events, done = repair(tmp_path, crew, 4)
    warned = [event.message for event in events if isinstance(event, Warned)]
    assert [said for said in warned if "collected" in said] == [
        "test_gone.py could not be collected"
    ]
    assert (done.stop, done.uncollected) == (Stop.SOME, ("test_gone.py",))
    assert done.after is not None
    assert {*done.after.passed} == {"test_good.py::test_good", "test_late.py::test_late"}


def test_files_of_tests_are_found_without_an_import(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\ntestpaths = ["a", "b"]\npython_files = ["*_spec.py"]\n'
    )
    for path in ("a/one_spec.py", "b/two_spec.py", "b/test_no.py", "c/three_spec.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("raise SystemExit\n")
    with Runner.of(Target(tmp_path, tmp_path), sys.executable, Settings()) as runner:
        found = runner.files()
    assert (found.files, found.troubles, found.cases) == (
        ("a/one_spec.py", "b/two_spec.py"),
        (),
        (),
    )


# ---------------------------------------------------------------------------------- the parts


def record(reached: Mapping[str, Sequence[str]]) -> Record:
    """reached: by case, names of functions of the file that they are in."""
    from mgdebug.coverage.parts import shape
    from mgdebug.coverage.record import File

    def place(name: str) -> Place:
        return f"{name[0]}.py", name

    cases = {
        case: Known(case.partition("::")[0], frozenset(map(place, names)), False)
        for case, names in reached.items()
    }
    paths = {path for known in cases.values() for path, _ in known.reached or ()}
    return Record({}, {path: File(shape(b""), seen=True) for path in paths}, cases=cases)


def grouped(reached: Mapping[str, Sequence[str]], failing: Sequence[str]) -> list[Group]:
    passing = [case for case in reached if case not in failing]
    return Spectrum(record(reached), failing, passing).groups()


def test_cases_that_share_a_suspect_are_one_group() -> None:
    reached = {
        "t.py::1": ["a_all", "b_bad"],
        "t.py::2": ["a_all", "b_bad", "b_help"],
        "t.py::3": ["a_all", "b_help"],
        "t.py::4": ["a_all", "c_bad"],
        **{f"t.py::{n}": ["a_all"] for n in range(5, 20)},
    }
    one, two = grouped(reached, ["t.py::1", "t.py::2", "t.py::4"])
    assert (one.suspect, one.cases, one.narrow) == ("b.py::b_bad", ("t.py::1", "t.py::2"), False)
    assert (two.suspect, two.cases) == ("c.py::c_bad", ("t.py::4",))
    assert one.near == ("t.py::3", "t.py::5")  # two of those who reach what is not suspicious
    assert "a.py" in one.files


def test_one_suspect_of_all_is_likelier_than_two_of_some() -> None:
    reached = {
        "t.py::1": ["a_bad", "b_only"],
        "t.py::2": ["a_bad", "b_only"],
        "t.py::3": ["a_bad", "c_only"],
        "t.py::4": ["a_bad"],
    }
    [group] = grouped(reached, ["t.py::1", "t.py::2", "t.py::3"])
    assert (group.suspect, group.cases) == ("a.py::a_bad", ("t.py::1", "t.py::2", "t.py::3"))


def test_a_case_that_reaches_two_suspects_waits_for_both() -> None:
    reached = {
        "t.py::1": ["b_bad"],
        "t.py::2": ["b_bad"],
        "t.py::3": ["c_bad"],
        "t.py::4": ["c_bad", "b_bad"],
    }
    groups = grouped(reached, ["t.py::1", "t.py::2", "t.py::3", "t.py::4"])
    assert {group.suspect: group.cases for group in groups} == {
        "b.py::b_bad": ("t.py::1", "t.py::2"),
        "c.py::c_bad": ("t.py::3",),
    }


def test_a_suspect_that_many_files_share_is_looked_at_by_itself() -> None:
    reached = {f"t{n}.py::1": ["h_help", f"{name}_own"] for n, name in enumerate("abcde")}
    [group] = grouped(reached, list(reached))
    assert (group.suspect, group.narrow) == ("h.py::h_help", True)


def patch(*edits: tuple[int, int, str]) -> Patch:
    return Patch(tuple(Edit("m.py", *edit) for edit in edits), "search", str(edits))


def found(name: str, made: Patch, on: Standing | None = None) -> Found:
    return Found(Group(name, (name,)), made, tuple(o.group for o in on.found) if on else ())


def test_patches_that_want_one_place_do_not_both_stand(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("0123456789\n")
    one, two, three = patch((0, 2, "ab")), patch((1, 3, "xy")), patch((5, 6, "F"))
    standing, clashes = Standing(tmp_path).with_(
        [found("a", one), found("b", two), found("c", three)]
    )
    assert [(late.group.suspect, rival.group.suspect) for late, rival in clashes] == [("b", "a")]
    assert standing.sources() == {"m.py": b"ab234F6789\n"}
    assert standing.without([standing.found[0].group]).sources() == {"m.py": b"01234F6789\n"}


def test_what_was_made_on_a_patch_takes_its_place_and_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("0123456789\n")
    first, _ = Standing(tmp_path).with_([found("a", patch((0, 2, "ab"), (4, 5, "E")))])
    on_it = found("b", patch((0, 3, "abc"), (4, 5, "E"), (8, 9, "I")), first)
    both, clashes = first.with_([on_it])
    assert not clashes
    assert both.sources() == {"m.py": b"abc3E567I9\n"}
    assert both.whole().edits == (
        Edit("m.py", 0, 3, "abc"),
        Edit("m.py", 4, 5, "E"),
        Edit("m.py", 8, 9, "I"),
    )
    assert both.without([first.found[0].group]).found == []


def test_a_repair_begins_with_all_patches_of_a_file_that_are_taken_as_made(tmp_path: Path) -> None:
    text = "def one(n):\n    return n - 1\n\n\ndef two(n):\n    return n - 2\n\n\n"
    text += "def three(n):\n    return n - 3\n"
    (tmp_path / "m.py").write_text(text)
    (tmp_path / "test_m.py").write_text(
        "from m import one, three, two\n\n\ndef test_all():\n"
        "    assert [one(5), two(5), three(5)] == [6, 7, 8]\n"
    )
    first, second = (
        Patch((Edit("m.py", at, at + 1, "+"),), "search", str(at))
        for at in (text.index("- 1"), text.index("- 2"))
    )
    target = Target(tmp_path, tmp_path, steps=(first, second))
    chosen = settings(tmp_path, {"time": 6, "jobs": 1})
    events = list(repaired_one(target, named("search", chosen), chosen, sys.executable))
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.repair.best is not None
    apply(tmp_path, end.repair.best.diff)
    assert (tmp_path / "m.py").read_text() == text.replace(" - ", " + ")


def test_equal_edits_of_two_groups_are_one(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("0123456789\n")
    both, clashes = Standing(tmp_path).with_(
        [found("a", patch((0, 1, "x"))), found("b", patch((0, 1, "x"), (3, 4, "y")))]
    )
    assert not clashes
    assert both.sources() == {"m.py": b"x12y456789\n"}


# --------------------------------------------------------------------------------- the command


def command(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mgdebug", "fix", *arguments],
        cwd=root,
        env={**os.environ, "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--all", "m.py"), "--all looks for all that fails"),
        (("--all", "--engine", "llm", "--model", "a/b"), "nobody is asked before code is sent"),
        (("--cluster", "local"), "add --all"),
    ],
)
def test_what_does_not_go_together_is_said(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "m.py").write_text("x = 1\n")
    (tmp_path / "test_m.py").write_text("def test_m():\n    assert False\n")
    done = command(tmp_path, *arguments)
    assert done.returncode in (2, 3)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_the_command_tells_each_group_and_writes_the_whole_patch(project: Path) -> None:
    report = project / "report.html"
    done = command(project, "--all", "--time", "8", "--apply", "--report", str(report))
    assert done.returncode == 0, done.stderr
    assert "suspects for" in done.stderr
    assert "mended    pkg/low.py:5" in done.stderr
    assert "3 changes in 3 files" in done.stderr
    assert "all cases ran 2 times" in done.stderr
    assert done.stdout.count("--- a/") == 3
    assert pytest_says(project) == ["tests/test_zone.py::test_zone"]
    assert "pkg/low.py" in report.read_text()
    undone = subprocess.run(
        [sys.executable, "-m", "mgdebug", "undo"], cwd=project, check=True, capture_output=True
    )
    assert undone.returncode == 0
    assert {path: (project / path).read_text() for path in PROJECT} == PROJECT


@pytest.mark.long
def test_a_cluster_finds_what_this_machine_finds(project: Path) -> None:
    here = command(project, "--all", "--time", "8", "--diff")
    for ship in ("shared", "archive"):
        there = command(
            project, "--all", "--time", "8", "--diff", "--cluster", "local", "--ship", ship
        )
        assert there.returncode == 1, there.stderr
        assert there.stdout == here.stdout
