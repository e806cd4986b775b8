"""`mgdebug trace` as a user meets it: real projects, real processes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.cells import cell_len

BUGGY = """\
def largest(values):
    best = values[0]
    for value in values:
        if value < best:
            best = value
    return best
"""
TESTS = """\
from biggest import largest


def test_one():
    assert largest([3]) == 3


def test_two():
    assert largest([1, 2]) == 2


def test_three():
    assert largest([2, 1, 5, 3]) == 5
"""
COMMAND = [sys.executable, "-m", "mgdebug"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "biggest.py").write_text(BUGGY)
    (tmp_path / "test_biggest.py").write_text(TESTS)
    return tmp_path


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    unset = ("MGDEBUG_", "VIRTUAL_ENV", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
    own = {k: v for k, v in os.environ.items() if not k.startswith(unset)}
    return {**own, "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}


def run(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, "trace", *arguments],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr.replace("| Traceback", "")
    return done


def on_terminal(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """What stands on a terminal of 80 columns, narration left out."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "trace", *arguments],
        cwd=folder,
        env={**environment, "TERM": "xterm", "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ):
        os.close(theirs)
        seen = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
    os.close(ours)
    return seen.decode().replace("\r\n", "\n")


def test_the_shortest_failing_case_line_by_line(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "test_biggest.py::test_two  failed  assert 1 == 2"
    assert lines[1] == "biggest.py"
    (first,) = [line for line in lines if "best = values[0]" in line]
    assert "values = [1, 2]" in first
    assert "best = 1" in first
    assert any("return best" in line and "→ 1" in line for line in lines)
    conditions = [line for line in lines if "if value < best:" in line]
    assert len(conditions) == 2
    assert all("→ False" in line for line in conditions)
    assert "test_three" in done.stderr
    assert "1 passed, 2 failing" in done.stderr


def test_a_pipe_gets_no_colours_and_nothing_is_cropped(
    project: Path, environment: dict[str, str]
) -> None:
    (project / "test_long.py").write_text(
        "from biggest import largest\n\n\n"
        f"def test():\n    assert largest({list(range(1000, 1030))}) == 0\n"
    )
    done = run(project, environment, "--tests", "test_long.py")
    assert "\x1b" not in done.stdout
    assert str(list(range(1000, 1030))) in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_a_terminal_of_80_columns(project: Path, environment: dict[str, str]) -> None:
    for more in ((), ("--diff",)):
        seen = on_terminal(project, {**environment, "NO_COLOR": "1"}, *more)
        lines = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in seen.split("\n")]
        assert "best = values[0]" in seen
        assert "\x1b[3" not in seen
        plain = ["".join(_unstyled(line)) for line in lines]
        assert max(map(cell_len, plain)) <= 80
    assert "\x1b[3" in on_terminal(project, environment)


def _unstyled(line: str) -> list[str]:
    first, *rest = line.split("\x1b[")
    return [first, *(part.partition("m")[2] for part in rest)]


def test_diff_marks_where_the_runs_part(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment, "--diff")
    assert done.returncode == 1
    (mark,) = [line for line in done.stdout.splitlines() if "here they part" in line]
    assert "line " in mark
    assert "test_biggest.py::test_one  passed" in done.stdout
    assert "test_biggest.py::test_two  failed" in done.stdout


def test_diff_without_a_passing_case(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment, "--diff", "--tests", "test_biggest.py::test_two")
    assert "nothing to put beside" in done.stderr
    assert "best = values[0]" in done.stdout


def test_json_is_one_object(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment, "--json")
    assert done.returncode == 1
    assert done.stderr == ""
    data = json.loads(done.stdout)
    assert [t["case"].partition("::")[2] for t in data["traces"]] == [
        "test_two",
        "test_three",
        "test_one",
    ]
    assert {c["status"] for c in data["cases"]} == {"passed", "failed"}
    visit = data["traces"][0]["visits"][0]
    assert visit["after"]["best"]["text"] == "1"
    assert (visit["path"], visit["lines"]) == ("biggest.py", [2, 2])
    assert data["pairs"][0]["other"] == "test_biggest.py::test_one"
    assert data["pairs"][0]["parting"]["one"] is not None


def test_html_is_one_file(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment, "--html", "page.html")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "page.html" in done.stderr
    text = (project / "page.html").read_text("utf-8")
    assert "test_biggest.py::test_three" in text
    refused = run(project, environment, "--html", "biggest.py")
    assert refused.returncode == 2
    assert "is no page of mgdebug" in refused.stderr
    assert (project / "biggest.py").read_text() == BUGGY


def test_only_some_blocks_and_names(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment, "biggest.py", "--block", "4", "--var", "value")
    code = [line for line in done.stdout.splitlines() if "│" in line]
    assert code
    assert all("if value < best:" in line for line in code)
    assert "value = 2" in done.stdout
    assert "best = 1" not in done.stdout
    by_id = run(project, environment, "--block", "largest#2", "--var", "value")
    assert by_id.stdout == done.stdout
    assert run(project, environment, "--block", "biggest.py:4-4", "--var", "value").stdout == (
        done.stdout
    )


def test_cases_that_are_named_are_all_shown(project: Path, environment: dict[str, str]) -> None:
    done = run(
        project,
        environment,
        *("biggest.py::largest", "--case", "largest([1]) == 1", "--case", "largest([1, 2]) == 2"),
    )
    assert done.returncode == 1
    heads = [line for line in done.stdout.splitlines() if line.startswith("case ")]
    assert ["failed" in head for head in heads] == [True, False]


def test_where_all_pass(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment, "--tests", "test_biggest.py::test_one")
    assert done.returncode == 0
    assert "test_one  passed" in done.stdout


def test_a_program_with_given_input_and_output(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "double.py").write_text(
        "def twice(n):\n    return n + n + 1\n\n\nprint(twice(int(input())))\n"
    )
    (tmp_path / "io").mkdir()
    (tmp_path / "io/one.in").write_text("4\n")
    (tmp_path / "io/one.out").write_text("8\n")
    done = run(tmp_path, environment, "double.py", "--io", "io")
    assert done.returncode == 1
    assert "return n + n + 1" in done.stdout
    assert "→ 9" in done.stdout


BAD: list[tuple[list[str], int, str, str]] = [
    (["nowhere.py"], 2, "nowhere.py does not exist", ""),
    (["biggest.py::largets"], 2, "has no largets", "did you mean biggest.py::largest"),
    (["app.js"], 2, "JavaScript", "next:"),
    (["broken.py"], 2, "broken.py:2:5: does not parse", "mgdebug fix broken.py"),
    (["unused.py"], 2, "no case reaches unused.py", "--case"),
    (["--block", "99"], 2, "biggest.py has no block at line 99", "the nearest: "),
    (["--block", "largest#77"], 2, "there is no block largest#77", "biggest.py::largest#"),
    (["--block", "here"], 2, "--block here is no block", "such as 12"),
    (["--var", "bets"], 2, "there is no variable bets", "best"),
    (["--case", "f(1) == 2"], 2, "--case needs a file", "next:"),
    (["biggest.py", "--case", "largest("], 2, "--case cannot be read", "next:"),
    (["--json", "--html", "x.html"], 2, "exclude each other", ""),
    (["--html", "nowhere/x.html"], 2, "nowhere is no folder", "mkdir"),
    (["--time", "0"], 2, "leaves nothing to work with", ""),
    (["--python", "no-such-python"], 3, "no interpreter no-such-python", "--python"),
]


@pytest.mark.parametrize(("arguments", "code", "message", "hint"), BAD, ids=lambda v: str(v)[:40])
def test_bad_input_is_one_message_and_an_exit_code(
    project: Path,
    environment: dict[str, str],
    arguments: list[str],
    code: int,
    message: str,
    hint: str,
) -> None:
    (project / "app.js").write_text("function f() {}\n")
    (project / "broken.py").write_text("def f(x):\n    retrun x\n")
    (project / "unused.py").write_text("def f(x):\n    return x\n")
    done = run(project, environment, *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert hint in done.stderr
    assert done.stdout == ""


def test_no_tests(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "m.py").write_text("def f(n):\n    return n\n")
    done = run(tmp_path, environment)
    assert done.returncode == 5
    assert "no tests" in done.stderr
    assert "--case" in done.stderr


def test_tests_that_cannot_be_collected(project: Path, environment: dict[str, str]) -> None:
    (project / "biggest.py").write_text("def largest(values):\n    retrun 1\n")
    done = run(project, environment)
    assert done.returncode == 2
    assert "biggest.py:2:5: does not parse" in done.stderr
    (project / "biggest.py").write_text("raise OSError('no disk')\n")
    done = run(project, environment)
    assert done.returncode == 1
    assert "no disk" in done.stderr
    assert "next: mend what the warning" in done.stderr


def test_what_runs_only_during_the_import(project: Path, environment: dict[str, str]) -> None:
    (project / "biggest.py").write_text("LIMIT = 3\n\n\ndef largest(values):\n    return 0\n")
    done = run(project, environment, "biggest.py::<module>")
    assert done.returncode == 2
    assert "while it is imported" in done.stderr
