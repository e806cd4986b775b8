"""The command line as a user meets it: real processes, real git, a real terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from interpreters import EVERY

BUGGY = """\
def largest(values):
    best = values[0]
    for value in values:
        if value < best:
            best = value
    return best
"""
FIXED = BUGGY.replace("value < best", "value > best")
TESTS = """\
from biggest import largest


def test_one():
    assert largest([3]) == 3


def test_two():
    assert largest([1, 2]) == 2


def test_three():
    assert largest([2, 5, 3]) == 5
"""
COMMAND = [sys.executable, "-m", "mgdebug"]


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "biggest.py").write_text(BUGGY)
    (tmp_path / "test_biggest.py").write_text(TESTS)
    return tmp_path


@pytest.fixture
def environment(state: Path) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MGDEBUG_", "VIRTUAL_ENV"))}
    return {**own, "XDG_STATE_HOME": str(state), "COLUMNS": "100"}


def run(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
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


def test_without_a_flag_the_patch_is_shown_and_nothing_is_written(
    project: Path, environment: dict[str, str]
) -> None:
    done = run(project, environment, "fix")
    assert done.returncode == 1
    assert "+        if value > best:" in done.stdout
    for word in ("1 passed, 2 failing", "suspects", "largest", "patch", "verified", "not applied"):
        assert word in done.stderr
    assert (project / "biggest.py").read_text() == BUGGY


def test_apply_and_undo(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment, "fix", "--apply")
    assert done.returncode == 0
    assert (project / "biggest.py").read_text() == FIXED
    again = run(project, environment, "fix")
    assert again.returncode == 0
    assert "3 passed; nothing to fix" in again.stderr
    back = run(project, environment, "undo")
    assert back.returncode == 0
    assert (project / "biggest.py").read_text() == BUGGY
    nothing = run(project, environment, "undo")
    assert nothing.returncode == 1
    assert "nothing to undo" in nothing.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_the_diff_is_one_that_git_applies(
    project: Path, environment: dict[str, str], end: str
) -> None:
    (project / "biggest.py").write_bytes(BUGGY.replace("\n", end).rstrip().encode())
    subprocess.run(["git", "init", "-q", "."], cwd=project, check=True)
    with (project / "patch.diff").open("wb") as out:
        done = subprocess.run(
            [*COMMAND, "fix", "--diff"],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    subprocess.run(["git", "apply", "--check", "patch.diff"], cwd=project, check=True)
    subprocess.run(["git", "apply", "patch.diff"], cwd=project, check=True)
    assert (project / "biggest.py").read_bytes() == FIXED.replace("\n", end).rstrip().encode()


def test_json_is_one_event_a_line(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment, "fix", "--json")
    assert done.returncode == 1
    stream = [json.loads(line) for line in done.stdout.splitlines()]
    assert stream[0]["event"] == "Started"
    assert stream[1]["event"] == "Collected"
    assert stream[-1]["event"] == "Finished"
    assert stream[-1]["repair"]["stop"] == "fixed"
    assert "+        if value > best:" in stream[-1]["repair"]["alternatives"][0]["diff"]
    assert done.stderr == ""


def test_a_target_and_its_cases(project: Path, environment: dict[str, str]) -> None:
    done = run(
        project,
        environment,
        *("fix", "biggest.py::largest", "--tests", "test_biggest.py::test_two", "--diff"),
    )
    assert done.returncode == 1
    assert "+        if value > best:" in done.stdout
    assert "1 case passes in a fresh process" in done.stderr


def test_an_ad_hoc_case(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "m.py").write_text("def f(n):\n    return n * 2\n")
    done = run(tmp_path, environment, "fix", "m.py", "--case", "f(3) == 9", "--case", "f(1) == 3")
    assert done.returncode == 1
    assert "+    return n * 3" in done.stdout


@pytest.mark.parametrize("python", EVERY)
def test_every_interpreter_is_one_to_work_with(
    tmp_path: Path, environment: dict[str, str], python: str
) -> None:
    """Whether it has pytest or not: unittest and doctest are always there."""
    example = '    """\n    >>> largest([1, 2])\n    2\n    """\n'
    (tmp_path / "biggest.py").write_text(BUGGY.replace("    best", example + "    best", 1))
    (tmp_path / "test_biggest.py").write_text(
        "import unittest\nfrom biggest import largest\n\n"
        "class Biggest(unittest.TestCase):\n"
        "    def test_one(self): self.assertEqual(largest([3]), 3)\n"
        "    def test_two(self): self.assertEqual(largest([2, 5, 3]), 5)\n"
    )
    done = run(tmp_path, environment, "fix", "biggest.py", "--python", python, "--diff")
    assert "+        if value > best:" in done.stdout, done.stderr
    assert "3 cases pass" in done.stderr
    assert "doctest: biggest.largest" in done.stderr


def test_another_folder_of_the_project(project: Path, environment: dict[str, str]) -> None:
    """Run from a folder below the root, as one would run pytest there."""
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (project / "conftest.py").write_text("")
    (project / "tests").mkdir()
    (project / "test_biggest.py").rename(project / "tests/test_biggest.py")
    done = run(project / "tests", environment, "fix", "--diff")
    assert done.returncode == 1
    assert "--- a/biggest.py" in done.stdout


BAD: list[tuple[list[str], int, str, str]] = [
    (["fix", "nowhere.py"], 2, "nowhere.py does not exist", ""),
    (["fix", "bigest.py"], 2, "does not exist", "did you mean biggest.py"),
    (["fix", "/etc/hostname"], 2, "outside the project", "next:"),
    (["fix", "biggest.py::largets"], 2, "has no largets", "did you mean biggest.py::largest"),
    (["fix", "--time", "0"], 2, "leaves nothing to work with", "--time 60"),
    (["fix", "--time", "soon"], 2, "not a valid float", ""),
    (["fix", "--python", "no-such-python"], 3, "no interpreter no-such-python", "--python"),
    (["fix", "--python", "/bin/true"], 3, "does not run mgdebug's probe", "3.8"),
    (["fix", "--tests", "test_nothing.py"], 2, "no such file", ""),
    (["fix", "--tests", "test_biggest.py::test_none"], 2, "pytest:", "run pytest on its own"),
    (["fix", "--case", "f(1) == 2"], 2, "--case needs a file", "mgdebug fix FILE"),
    (["fix", "biggest.py", "--case", "largest("], 2, "--case cannot be read", "next:"),
    (["fix", "biggest.py", "--io", "nowhere"], 2, "is no folder", "NAME.in"),
    (["fix", "notes.txt"], 2, "no language is known", ""),
    (["fix", "--sideways"], 2, "No such option", ""),
    (["mend"], 2, "No such command", ""),
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
    (project / "notes.txt").write_text("text")
    done = run(project, environment, *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert hint in done.stderr
    assert done.stdout == ""


def test_a_setting_that_does_not_exist(project: Path, environment: dict[str, str]) -> None:
    (project / "pyproject.toml").write_text("[tool.mgdebug]\ntim = 3\n")
    done = run(project, environment, "fix")
    assert done.returncode == 2
    assert "did you mean time?" in done.stderr


def test_no_tests(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "m.py").write_text("def f(n):\n    return n\n")
    done = run(tmp_path, environment, "fix")
    assert done.returncode == 5
    assert "no tests" in done.stderr
    assert "--case" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(project: Path, environment: dict[str, str]) -> None:
    (project / "locked.py").write_text("")
    (project / "locked.py").chmod(0)
    done = run(project, environment, "fix", "locked.py")
    assert done.returncode == 2
    assert "locked.py: permission denied" in done.stderr


def test_a_file_that_is_not_in_its_encoding(project: Path, environment: dict[str, str]) -> None:
    (project / "odd.py").write_bytes(b"x = 1\ny = '\xe9'\n")
    done = run(project, environment, "fix", "odd.py")
    assert done.returncode == 2
    assert "odd.py:2: byte 0xe9 is not utf-8" in done.stderr


class Terminal:
    """mgdebug on a pseudo-terminal, typed at and read from."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execve(COMMAND[0], [*COMMAND, *arguments], {**environment, "TERM": "xterm"})
        self.seen = ""

    def until(self, text: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} never came in:\n{self.seen}"
            if select.select([self.fd], [], [], left)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode("utf-8", "replace")
                except OSError:
                    break
        assert text in self.seen

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def end(self) -> int:
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            self.seen += data.decode("utf-8", "replace")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize(("answer", "code", "text"), [("y\n", 0, FIXED), ("n\n", 1, BUGGY)])
def test_it_asks_before_it_writes(
    project: Path, environment: dict[str, str], answer: str, code: int, text: str
) -> None:
    terminal = Terminal(project, environment, "fix")
    terminal.until("Apply this patch?")
    assert (project / "biggest.py").read_text() == BUGGY
    terminal.type(answer)
    assert terminal.end() == code
    assert (project / "biggest.py").read_text() == text


def test_a_file_that_changes_while_the_question_stands(
    project: Path, environment: dict[str, str]
) -> None:
    terminal = Terminal(project, environment, "fix")
    terminal.until("Apply this patch?")
    (project / "biggest.py").write_text(BUGGY + "# more\n")
    terminal.type("y\n")
    assert terminal.end() == 1
    assert "has changed since" in terminal.seen
    assert (project / "biggest.py").read_text() == BUGGY + "# more\n"


def marked(mark: str) -> list[int]:
    """Processes whose environment holds a mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                found += [int(folder.name)] if state != "Z" else []
        except OSError:
            continue
    return found


def described(process: int) -> str:
    """What a process is and waits for, for the reader of a failed test."""
    folder, said = Path("/proc", str(process)), []
    for name in ("cmdline", "stat", "wchan", "syscall"):
        try:
            said.append((folder / name).read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError as error:
            said.append(str(error))
    return "\n".join(said)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
@pytest.mark.parametrize("moment", ["start", "cases", "suspects"])
def test_nothing_is_left_after_an_interrupt(
    project: Path, environment: dict[str, str], sign: signal.Signals, moment: str
) -> None:
    (project / "biggest.py").write_text(BUGGY.replace("value < best", "len(values) == 99"))
    mark = f"LC_MGDEBUG_MARK={project}"
    name, _, value = mark.partition("=")
    child = subprocess.Popen(
        [*COMMAND, "fix"],
        cwd=project,
        env={**environment, name: value},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stderr is not None
    if moment == "start":
        while len(marked(mark)) < 2:  # itself, and the first child
            assert child.poll() is None
            time.sleep(0.01)
    else:
        while moment not in child.stderr.readline():
            assert child.poll() is None
    os.kill(child.pid, sign)
    _, said = child.communicate(timeout=30)
    code = child.returncode
    if sign is signal.SIGKILL:
        assert code == -signal.SIGKILL
    elif moment == "suspects":  # the search ends with the best so far
        assert code == 1
        assert "still failing" in said
        assert "stopped" in said
    else:
        assert code == 130
    deadline = time.monotonic() + 30
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [described(left) for left in marked(mark)] == []
    assert textwrap.dedent((project / "test_biggest.py").read_text()) == TESTS


def test_the_version_and_the_help() -> None:
    for arguments, word in ((["--version"], "mgdebug 0."), (["fix", "-h"], "Exit codes")):
        done = subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, check=True, timeout=60
        )
        assert word in done.stdout
