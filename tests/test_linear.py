"""Sessions line by line, as a screen reader or a pipe has them: real processes, words in, lines
out."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from mgdebug.errors import UsageError
from mgdebug.events import Collected, Proposed, Ranked
from mgdebug.linear import Linear
from mgdebug.linear.commands import COMMANDS, command
from mgdebug.linear.progress import EVERY_SECONDS, Progress
from mgdebug.model import Case, CaseKind, Outcome, Status, Target
from mgdebug.session import Heard, Session
from mgdebug.settings import Settings

LIBRARY = Path(__file__).parents[1] / "demos/library"
SECONDS = 120.0  # until a process must have ended
HOSTILE = 'least("\x1b[2J", "\x1b[2K") == "\x1b[2J"'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, with a state of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("", "utf-8")
    return root


def said(root: Path, typed: Sequence[str], *arguments: str) -> tuple[list[str], int]:
    """The lines that mgdebug says to what is typed, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "mgdebug", *(arguments or ("tui", "--linear", "--jobs", "1"))],
        cwd=root,
        input="".join(f"{line}\n" for line in typed),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.stderr == ""
    assert all(c.isprintable() or c == "\n" for c in done.stdout), ascii(done.stdout)
    return done.stdout.splitlines(), done.returncode


def in_order(lines: Sequence[str], *wanted: str) -> None:
    """Each is a part of a line, behind the one before."""
    rest = iter(lines)
    for text in wanted:
        assert any(text in line for line in rest), f"{text!r} is not there, or too early: {lines}"


def test_a_session_from_red_through_time_to_half_of_a_patch(project: Path) -> None:
    shutil.copytree(LIBRARY, project, dirs_exist_ok=True)
    before = {path: (project / path).read_bytes() for path in ("fees.py", "lending.py")}
    typed = ["wait", "tests", "show three_books", "previous", "previous", "next", "code", "patch"]
    typed += ["reject 3", "reject 2", "apply", "apply", "wait", "undo", "wait", "redo"]
    lines, code = said(
        project, [*typed, "quit", "yes"], "tui", "--linear", "--jobs", "1", "--time", "20"
    )
    in_order(
        lines,
        "2 failing, 6 passed",
        "best so far: 1 of 2 failing cases pass",
        "a patch passes all cases in a fresh process: patch says it, apply applies it",
        "1: failed, test_fees.py::test_no_more_is_taken_than_is_owed_or_given, assert (0, -200)",
        "visit 2 of 2, line 8 of lending.py in may_borrow(books=3, owed=0), arm: owed < 500; ",
        "visit 1 of 2, line 8 of lending.py",
        "this is the first visit",
        "visit 2 of 2, line 8 of lending.py in may_borrow, arm: owed < 500; owed is 0; ",
        "8, here:     return books < 3 or owed < 500",
        "PASS: 8 cases pass in a fresh process",
        "hunk 1 of 2, taken: fees.py line 12 in pay",
        "minus     taken = max(owed, given)",
        "plus     taken = min(owed, given)",
        "hunk 2 of 2, taken: lending.py line 8 in may_borrow",
        "there is no hunk 3; next: a number from 1 to 2",
        "hunk 2 rejected",
        "CHANGED: 1 of 2 hunks taken; not run so yet, applying runs the tests",
        "applied to fees.py",
        "something runs; next: cancel ends it, wait waits for it",
        "1 failing, 7 passed",
        "1 still failing: search looks for a patch",
        "restored fees.py",
        "2 failing, 6 passed",
        "cases that passed before fail now: redo applies the patch again",
        "applied again to fees.py",
        "something runs; what it has found so far is lost: quit, yes or no?",
    )
    assert code == 1
    assert (project / "lending.py").read_bytes() == before["lending.py"]
    mended = before["fees.py"].replace(b"max(owed, given)", b"min(owed, given)")
    assert (project / "fees.py").read_bytes() == mended


def test_a_question_is_a_list_and_nothing_that_tests_say_commands_the_terminal(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "m.py").write_text("def least(a, b):\n    return a if a > b else b\n", "utf-8")
    editor = project.parent / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/$/  # the least/" "$2"\n', "utf-8")
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    cases = ["--case", HOSTILE, "--case", "least(1, 2) == 1"]
    typed = ["wait", "status", "what", "=-2", *["wait", ""] * 3]  # what else is asked is left open
    typed += ["wait", "tests all", "edit", "apply", "wait"]
    lines, code = said(project, typed, "tui", "m.py", "--linear", "--jobs", "1", *cases)
    spelt = HOSTILE.replace("\x1b", "\\x1b")
    in_order(
        lines,
        "the patches differ: which is right for least(1, -2)?",
        "1: -2, ",
        "neither of them",
        "answer> ",
        "asking: 2 failing",
        "that is neither an answer nor a command; next: did you mean wait?",
        "that is what holds from now on",
        "a patch passes all cases in a fresh process",
        f"1: failed, case 1: {spelt}, the left side is '\\x1b[2K'",
        "CHANGED: 1 of 1 hunks taken, 1 edited",
        "plus     return a if a < b else b  # the least",
        "applied to m.py",
        "done: 2 cases pass; undo takes the patch back",
    )
    assert code == 0
    text = (project / "m.py").read_text("utf-8")
    assert text.endswith("    return a if a < b else b  # the least\n")


def test_a_wrong_word_is_told_and_the_end_of_input_quits(project: Path) -> None:
    (project / "test_m.py").write_text("def test_m():\n    assert 1 == 2\n", "utf-8")
    lines, code = said(project, ["statsu", "t", "same"], "--linear")
    in_order(
        lines,
        "there is no command statsu; next: did you mean status?",
        "t could be tests, take or test",
        "no run is shown",
    )
    assert code == 1
    (project / "test_m.py").write_text("def test_m():\n    assert 1 == 1\n", "utf-8")
    lines, code = said(project, ["wait", "apply"])
    in_order(lines, "1 passed; nothing to fix", "there is no patch")
    assert code == 0


def test_an_interrupt_cancels_and_a_second_one_quits(project: Path) -> None:
    slow = "import time\n\ndef test_slow():\n    time.sleep(60)\n"
    (project / "test_m.py").write_text(slow, "utf-8")
    words = [sys.executable, "-m", "mgdebug", "tui", "--linear", "--jobs", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=project, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        heard = []
        for line in process.stdout:
            heard.append(line.strip())
            if heard[-1] in ("running the tests", "again quits"):
                process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 1
    assert heard[-3:] == ["running the tests", "stopping with the best so far", "again quits"]


def test_on_a_terminal_a_line_is_edited_and_nothing_is_drawn(project: Path) -> None:
    (project / "test_m.py").write_text("def test_m():\n    assert 1 == 1\n", "utf-8")
    child, handle = pty.fork()
    if not child:
        os.chdir(project)
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "mgdebug", "--linear"])
    shown = b""
    for wanted, typed in ((b"nothing to fix\r\nmgdebug> ", b"stat\t\n"), (b"1 passed", b"quit\n")):
        end = time.monotonic() + SECONDS
        while wanted not in shown:
            assert time.monotonic() < end, shown
            if select.select([handle], [], [], 0.1)[0]:
                shown += os.read(handle, 4096)
        shown = b""
        os.write(handle, typed)
    with suppress(OSError):  # how a terminal ends
        while data := os.read(handle, 4096):
            shown += data
    os.close(handle)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert b"\x1b" not in shown


def test_what_is_tried_is_said_now_and_then_and_what_is_better_at_once(tmp_path: Path) -> None:
    now = 0.0
    session = Session(Target(tmp_path, tmp_path), Settings(), sys.executable, lambda told: None)
    progress = Progress(session, lambda: now)
    case = Case("test_m.py::test_a", CaseKind.PYTEST)
    failed = Outcome(case.id, Status.FAILED)

    def told(event: Collected | Ranked | Proposed, seconds: float) -> list[str]:
        nonlocal now
        now += seconds
        session.hear(Heard(event))
        return list(progress.told(event))

    assert told(Collected("", (case,), (failed,), (), 0.5), 0) == [
        "1 failing, in 0.5 seconds",
        "tracing",
    ]
    assert told(Ranked(()), 0) == ["searching"]
    assert told(Proposed("m.py::f", 1, 1, 0), EVERY_SECONDS / 2) == []
    assert told(Proposed("m.py::f", 1, 2, 0), EVERY_SECONDS / 2) == ["trying patches in f: 2 tried"]
    assert told(Proposed("m.py::f", 1, 3, 1), 0.1) == ["best so far: 1 of 1 failing cases pass"]
    assert told(Proposed("m.py::f", 1, 4, 1), 0.1) == []


def test_each_command_does_something_and_a_beginning_of_its_name_is_enough() -> None:
    for one in COMMANDS:
        assert one.step or callable(getattr(Linear, f"do_{one.name}"))
        assert command(one.name) is one
    assert command("ne").name == "next"
    assert command("div").name == "divergence"
    with pytest.raises(UsageError, match="p could be previous or patch"):
        command("p")
