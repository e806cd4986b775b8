"""The runner on real pytest projects: hostile, broken, slow and plain ones."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from interpreters import candidates, version_of
from processes import descendants, descriptors, left_of, marked, state, tree

from mgdebug.errors import InterpreterError, ProbeError, UsageError
from mgdebug.languages import language_of
from mgdebug.model import CaseKind, Hierarchy, Limits, Status, Target, Verdict
from mgdebug.runner import OutOfTime, Plan, Run, Runner
from mgdebug.sandbox.policy import Policy
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

Start = Callable[..., Runner]
PASSED, FAILED, SKIPPED, TIMEOUT, CRASHED = "passed", "failed", "skipped", "timeout", "crashed"


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A text in the environment of everything that a test starts; nothing may stay."""
    text = f"mgdebug-test-{tmp_path.name}-{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setenv("MGDEBUG_TEST_MARK", text)
    yield text
    assert left_of(text) == {}, "processes stayed"


@pytest.fixture
def start(tmp_path: Path, mark: str) -> Iterator[Start]:
    """A runner on a project; closed in the end, and the project must be as it was."""
    runners: list[tuple[Runner, Path, Any]] = []

    def begin(files: dict[str, str], path: str = "", jobs: int = 1, **rest: Any) -> Runner:
        root = tmp_path / f"project{len(runners)}"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(textwrap.dedent(text), "utf-8")
        limits = rest.pop("limits", Limits(case_seconds=1.5))
        python = rest.pop("python", sys.executable)
        before = tree(root)
        policy = Policy(env=("MGDEBUG_TEST_MARK",), write=rest.pop("write", ()))
        runner = Runner(Target(root, root, path, **rest), python, limits, jobs, policy=policy)
        runners.append((runner, root, before))
        return runner

    yield begin
    for runner, root, before in runners:
        runner.close()
        assert tree(root) == before, "the project was touched"


def ends(run: Run) -> dict[str, str]:
    return {o.case.partition("::")[2]: str(o.status) for o in run.outcomes}


def hierarchy_of(runner: Runner, *paths: str) -> Hierarchy:
    language = language_of("x.py")
    assert language is not None
    root = runner.target.root
    return decompose([SourceFile.read(root, path, language.grammar()) for path in paths])


# ----------------------------------------------------------------------------------- outcomes

PLAIN = """
import os, sys, unittest
import pytest

LOG = []

@pytest.fixture(scope="module")
def shared():
    LOG.append("shared")
    yield len(LOG)
    LOG.append("torn down")

@pytest.fixture
def broken(): raise KeyError("fixture")

@pytest.fixture
def breaks_later():
    yield
    raise KeyError("later")

def test_pass(): pass
def test_fail(): assert [1, 2] == [1, 3]
def test_error(): {}["k"]
def test_skip(): pytest.skip("why")
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_xfail(): assert 0
@pytest.mark.xfail
def test_xpass(): pass
@pytest.mark.xfail(strict=True)
def test_strict(): pass
def test_setup(broken): pass
def test_teardown(breaks_later): pass
def test_shared_one(shared): assert shared == 1
def test_shared_two(shared): assert LOG == ["shared"]
@pytest.mark.parametrize("n", [0, 1])
def test_each(n): assert n
class TestClass:
    def setup_method(self): self.it = 1
    def test_one(self): assert self.it == 1
    def test_two(self): assert self.it == 2
class Unit(unittest.TestCase):
    def setUp(self): self.it = 1
    def test_good(self): self.assertEqual(self.it, 1)
    def test_bad(self): self.assertEqual(self.it, 2)
    @unittest.expectedFailure
    def test_expected(self): self.fail()
def test_capture(capsys, tmp_path, monkeypatch):
    print("x")
    assert capsys.readouterr().out == "x\\n"
    assert str(tmp_path).startswith(os.environ["TMPDIR"])
def test_warning():
    import warnings
    warnings.warn("w")
def test_long(): assert "a" * 5000 == "b" * 5000
"""

PLAIN_ENDS = {
    "test_pass": PASSED,
    "test_fail": FAILED,
    "test_error": FAILED,
    "test_skip": SKIPPED,
    "test_skipped": SKIPPED,
    "test_xfail": SKIPPED,
    "test_xpass": PASSED,
    "test_strict": FAILED,
    "test_setup": FAILED,
    "test_teardown": FAILED,
    "test_shared_one": PASSED,
    "test_shared_two": PASSED,
    "test_each[0]": FAILED,
    "test_each[1]": PASSED,
    "TestClass::test_one": PASSED,
    "TestClass::test_two": FAILED,
    "Unit::test_good": PASSED,
    "Unit::test_bad": FAILED,
    "Unit::test_expected": SKIPPED,
    "test_capture": PASSED,
    "test_warning": PASSED,
    "test_long": FAILED,
}


def test_cases_end_as_they_do_under_pytest(start: Start) -> None:
    runner = start({"test_plain.py": PLAIN})
    run = runner.run()
    assert {c.kind for c in run.cases} == {CaseKind.PYTEST}
    assert {c.path for c in run.cases} == {"test_plain.py"}
    assert run.files == ("test_plain.py",)
    assert run.troubles == ()
    assert runner.version == sys.version_info[:3]
    assert runner.pytest == pytest.__version__
    assert ends(run) == PLAIN_ENDS
    said = {o.case.partition("::")[2]: o for o in run.outcomes}
    assert said["test_fail"].message == "assert [1, 2] == [1, 3]"
    assert "At index 1 diff: 2 != 3" in said["test_fail"].detail
    assert said["test_error"].message == "KeyError: 'k'"
    assert "later" in said["test_teardown"].message
    assert all(o.seconds >= 0 and o.processor >= 0 for o in run.outcomes)
    # Some of them again, in another order of asking.
    chosen = [f"test_plain.py::{name}" for name in ("test_fail", "test_pass", "Unit::test_bad")]
    again = runner.run(cases=chosen, new=True)
    assert {o.case: str(o.status) for o in again.outcomes if o.status is not Status.NOT_RUN} == {
        chosen[0]: FAILED,
        chosen[1]: PASSED,
        chosen[2]: FAILED,
    }


HOSTILE = """
import ctypes, gc, os, signal, subprocess, sys, threading, time
import pytest

def sleeper(): return [sys.executable, "-c", "import time; time.sleep(60)"]
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in (0, 1, 2):
                os.close(fd)
            time.sleep(60)
        os._exit(0)
    os.wait()

def test_hangs():
    while True:
        time.sleep(0.01)
def test_after_hangs(): pass
def test_spins():
    while True:
        try:
            while True: pass
        except BaseException: pass
def test_exits(): os._exit(0)
def test_after_exits(): pass
def test_kills(): os.kill(os.getpid(), signal.SIGKILL)
def test_aborts(): os.abort()
def test_segfaults(): ctypes.string_at(0)
def test_terminates(): os.kill(os.getpid(), signal.SIGTERM)
def test_real_time(): os.kill(os.getpid(), signal.SIGRTMIN + 5)
def test_sys_exit(): sys.exit(0)
def test_after_sys_exit(): pass
def test_interrupts(): raise KeyboardInterrupt
def test_after_interrupts(): pass
def test_pytest_exit(): pytest.exit("now")
def test_after_pytest_exit(tmp_path): pass
def test_grandchild_holds_the_pipe():
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
def test_grandchild_holds_the_pipe_of_a_crash():
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    os._exit(3)
def test_stray_fork_fails():
    assert os.fork(), "only in the parent"
def test_stray_fork_passes(): os.fork()
def test_setsid():
    try:
        os.setsid()
    except PermissionError:
        pass
def test_daemon(): daemon()
def test_daemon_and_crash():
    daemon()
    os._exit(1)
def test_daemon_is_reaped():
    read, write = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            os.write(write, str(os.getpid()).encode())
            os._exit(0)
        os._exit(0)
    os.wait()
    pid = int(os.read(read, 20))
    while True:  # as tests of daemons do
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.01)
def test_subprocess(): subprocess.Popen(sleeper())
def test_session(): subprocess.Popen(sleeper(), start_new_session=True)
def test_thread():
    threading.Thread(target=time.sleep, args=(60,)).start()
def test_flood():
    for _ in range(3000):
        print("x" * 9999)
        print("y" * 99, file=sys.stderr)
def test_message(): raise ValueError("z" * 10 ** 7)
def test_recursion():
    def f(): return f()
    f()
def test_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGPROF, signal.SIGALRM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_PROF, 0)
    sys.settrace(lambda *a: None)
def test_limits():
    import resource
    for what in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        soft, hard = resource.getrlimit(what)
        with pytest.raises(ValueError):
            resource.setrlimit(what, (hard * 2 + 1, hard * 2 + 1))
            raise ValueError  # the superuser may
def test_closes_everything(): os.closerange(3, 256)
def test_replaces():
    sys.stdout = sys.stderr = None
    os._exit = os.fork = os.waitpid = time.monotonic = None
def test_breaks_the_probe(): os.getpid = None
def test_end(): pass
"""

HOSTILE_ENDS = {
    "test_hangs": TIMEOUT,
    "test_after_hangs": PASSED,
    "test_spins": TIMEOUT,
    "test_exits": CRASHED,
    "test_after_exits": PASSED,
    "test_kills": CRASHED,
    "test_aborts": CRASHED,
    "test_segfaults": CRASHED,
    "test_terminates": CRASHED,
    "test_real_time": CRASHED,
    "test_sys_exit": FAILED,
    "test_after_sys_exit": PASSED,
    "test_interrupts": FAILED,
    "test_after_interrupts": PASSED,
    "test_pytest_exit": FAILED,
    "test_after_pytest_exit": PASSED,
    "test_grandchild_holds_the_pipe": PASSED,
    "test_grandchild_holds_the_pipe_of_a_crash": CRASHED,
    "test_stray_fork_fails": PASSED,
    "test_stray_fork_passes": PASSED,
    "test_setsid": PASSED,
    "test_daemon": PASSED,
    "test_daemon_and_crash": CRASHED,
    "test_daemon_is_reaped": PASSED,
    "test_subprocess": PASSED,
    "test_session": PASSED,
    "test_thread": PASSED,
    "test_flood": PASSED,
    "test_message": FAILED,
    "test_recursion": FAILED,
    "test_signals": PASSED,
    "test_limits": PASSED,
    "test_closes_everything": CRASHED,
    "test_replaces": PASSED,
    "test_breaks_the_probe": CRASHED,
    "test_end": PASSED,
}


def test_hostile_cases_harm_only_themselves(start: Start, mark: str) -> None:
    runner = start({"test_hostile.py": HOSTILE})
    runner.deadline = time.monotonic() + 90
    run = runner.run()
    assert ends(run) == HOSTILE_ENDS
    said = {o.case.partition("::test_")[2]: o.message for o in run.outcomes}
    assert said["exits"] == "exit 0"
    assert said["kills"] == "signal SIGKILL"
    left = "; left background processes: killed 2"
    assert said["grandchild_holds_the_pipe_of_a_crash"] == "exit 3" + left
    assert len(said["message"]) < 400
    alive = marked(mark)
    assert len(alive) == 4, "more than those of the sandbox and of the probe"
    assert not any(text.startswith("Z") for text in alive.values())
    # Once more, each from a process of its own, in tries.
    plan = Plan(tuple(o.case for o in run.outcomes if o.message == "exit 0"), ())
    [verdict] = runner.attempt([{"test_hostile.py": HOSTILE.encode() + b"\nMORE = 1\n"}], plan)
    assert (verdict.passed, verdict.failed, verdict.reason) == ((), plan.failing, "exit 0")


def test_a_flood_does_not_fill_the_disk(start: Start) -> None:
    text = "def test_flood():\n    while True: print('x' * 99999)\n"
    runner = start({"test_f.py": text})
    run = runner.run()
    assert ends(run) == {"test_flood": CRASHED}
    assert run.outcomes[0].message == "output limit of 64 MB"
    [worker] = runner._workers
    assert worker.scratch.log.stat().st_size < 1 << 30
    assert len(worker.scratch.output()) <= 4000


def test_memory_is_bounded(start: Start) -> None:
    files = {
        "test_memory.py": """
            def test_much():
                x = bytearray(900 << 20)
            def test_endless():
                x = []
                while True: x.append(bytearray(50 << 20))
            def test_little():
                x = bytearray(1 << 20)
        """
    }
    run = start(files, limits=Limits(memory=600 << 20, case_seconds=5.0)).run()
    assert ends(run) == {"test_much": FAILED, "test_endless": FAILED, "test_little": PASSED}
    assert {o.message for o in run.outcomes} == {"MemoryError: memory limit of 600 MB", ""}


def test_a_case_may_use_its_own_standard_input(start: Start) -> None:
    files = {
        "test_input.py": """
            import pytest, sys
            def test_empty():
                assert sys.stdin.read() == ""
                with pytest.raises(EOFError):
                    input()
        """
    }
    assert ends(start(files).run()) == {"test_empty": PASSED}


FORGING = """
import json, os, struct
def everywhere(data):
    for fd in range(3, 256):
        try:
            os.write(fd, data)
        except OSError:
            pass
def frame(message):
    body = json.dumps(message).encode()
    return struct.pack(">I", len(body)) + body
def passed(name):
    return {"end": "test_forge.py::" + name, "status": "passed", "message": "", "detail": "",
            "seconds": 0.0, "processor": 0.0, "case": "test_forge.py::" + name, "key": "x"}
def answer(name):
    return {"id": 1, "collected": [["test_forge.py::" + name, "pytest", "", ""]], "ended": "done",
            "outcomes": [passed(name)], "troubles": [], "files": [], "done": True, "key": ""}
"""

FORGED = """
from forging import everywhere, frame, passed, answer
import os
def test_garbage(): everywhere(b"\\xff" * 999)
def test_garbage_and_fail():
    everywhere(os.urandom(999))
    assert 0
def test_after_garbage(): pass
def test_forged():
    everywhere(frame(passed("test_forged")))
    assert 0
def test_forged_and_done():
    everywhere(frame(passed("test_forged_and_done")) + frame({"done": True, "files": []}))
    os._exit(0)
def test_forged_without_a_key():
    message = passed("test_forged_without_a_key")
    del message["key"]
    everywhere(frame(message) * 2)
    os._exit(0)
def test_whole_answer():
    everywhere(frame(answer("test_whole_answer")))
    os._exit(0)
def test_for_another(): everywhere(frame(passed("test_fails")))
def test_refuses(): everywhere(frame({"refused": "code 5"}))
def test_begins(): everywhere(frame({"begin": "test_forge.py::test_fails"}))
def test_collects():
    everywhere(frame({"collected": [], "troubles": [], "files": [], "imported": []}))
def test_huge(): everywhere(b"\\x7f\\xff\\xff\\xff{")
def test_half(): everywhere(frame(passed("test_half"))[:-1])
def test_fails(): assert 0
def test_good(): pass
"""

FORGED_ENDS = {
    "test_garbage": CRASHED,
    "test_garbage_and_fail": CRASHED,
    "test_after_garbage": PASSED,
    "test_forged": CRASHED,
    "test_forged_and_done": CRASHED,
    "test_forged_without_a_key": CRASHED,
    "test_whole_answer": CRASHED,
    "test_for_another": CRASHED,
    "test_refuses": CRASHED,
    "test_begins": CRASHED,
    "test_collects": CRASHED,
    "test_huge": CRASHED,
    "test_half": CRASHED,
    "test_fails": FAILED,
    "test_good": PASSED,
}


def test_forged_answers_are_failures_of_the_forger(start: Start) -> None:
    runner = start({"forging.py": FORGING, "test_forge.py": FORGED})
    assert ends(runner.run()) == FORGED_ENDS


def test_a_patch_that_forges_answers_passes_nothing(start: Start) -> None:
    lib = "def f():\n    return 1\n"
    tests = "from lib import f\ndef test_a(): assert f() == 2\ndef test_b(): assert f()\n"
    runner = start({"forging.py": FORGING, "lib.py": lib, "test_forge.py": tests}, jobs=2)
    plan = Plan.of(runner.run().outcomes)
    head = "def f():\n    import forging, os\n"
    forge = "    forging.everywhere(forging.frame(forging.passed('test_a')))\n"
    done = "    forging.everywhere(forging.frame({'done': True, 'files': []}))\n    os._exit(0)\n"
    texts = [
        head + "    forging.everywhere(bytes([255]) * 99)\n    return 1\n",
        head + forge + "    return 1\n",
        head + forge + done,
        "def f():\n    return 2\n",
    ]
    verdicts = runner.attempt([{"lib.py": text.encode()} for text in texts], plan)
    assert [bool(v.passed) for v in verdicts] == [False, False, False, True]
    assert {v.reason for v in verdicts[:3]} == {
        "tampering: the code wrote to the pipe of the probe"
    }


def test_a_conftest_that_takes_everything_over(start: Start, mark: str) -> None:
    files = {
        "conftest.py": """
            import os, signal, sys, time
            os._exit = lambda code: None
            time.monotonic = lambda: 0.0
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
        """,
        "lib.py": "def f():\n    return 1\n",
        "test_it.py": """
            import sys
            from lib import f
            sys.stdout = None
            def test_f(): assert f() == 2
            def test_g(): assert f()
        """,
    }
    runner = start(files)
    run = runner.run()
    assert ends(run) == {"test_f": FAILED, "test_g": PASSED}
    plan = Plan.of(run.outcomes)
    right, wrong = b"def f():\n    return 2\n", b"def f():\n    return 3\n"
    endless = b"def f():\n    while True: pass\n"
    tries = [{"lib.py": text} for text in (right, wrong, endless, right)]
    assert [len(v.passed) for v in runner.attempt(tries, plan)] == [2, 0, 0, 2]
    runner.close()
    assert left_of(mark) == {}


# --------------------------------------------------------------------------------- collecting


def test_a_file_that_cannot_be_collected_does_not_hide_the_others(start: Start) -> None:
    files = {
        "test_a.py": "import no_such_module\ndef test_a(): pass\n",
        "test_b.py": "def test_b(): pass\n",
        "test_c.py": "def test_c(:\n",
        "test_d.py": "raise SystemError('d')\n",
    }
    run = start(files).run()
    assert ends(run) == {"test_b": PASSED}
    assert [where for where, _ in run.troubles] == ["test_a.py", "test_c.py", "test_d.py"]
    details = [detail for _, detail in run.troubles]
    assert "no_such_module" in details[0]
    assert "SyntaxError" in details[1]
    assert "SystemError: d" in details[2]


def test_a_broken_conftest_is_told_with_its_text(start: Start) -> None:
    runner = start({"conftest.py": "import no_such\n", "test_a.py": "def test_a(): pass\n"})
    with pytest.raises(UsageError, match="conftest") as caught:
        runner.run()
    assert "No module named 'no_such'" in caught.value.detail


def test_a_node_that_does_not_exist_is_told(start: Start) -> None:
    files = {"test_a.py": "def test_a(): pass\n"}
    with pytest.raises(UsageError, match=r"not found: .*test_a\.py::test_z"):
        start(files, tests=("test_a.py::test_z",)).run()
    with pytest.raises(UsageError, match=r"not found: test_z\.py"):
        start(files, tests=("test_z.py",)).run()
    assert ends(start(files, tests=("test_a.py::test_a",)).run()) == {"test_a": PASSED}


def test_an_option_that_pytest_does_not_know_is_told(start: Start) -> None:
    files = {"pytest.ini": "[pytest]\naddopts = --no-such\n", "test_a.py": "def test_a(): pass\n"}
    with pytest.raises(UsageError, match="unrecognized arguments: --no-such") as caught:
        start(files).run()
    assert "usage: " in caught.value.detail


def test_no_tests_at_all(start: Start) -> None:
    run = start({"lib.py": "x = 1\n"}).run()
    assert (run.cases, run.outcomes, run.troubles, run.files) == ((), (), (), ())


def test_a_module_that_exits_while_it_is_collected(start: Start) -> None:
    files = {"test_a.py": "import sys\nsys.exit(0)\n", "test_b.py": "def test_b(): pass\n"}
    with pytest.raises(ProbeError, match="could not be collected"):
        start(files).run()
    files["test_a.py"] = "import os\nos._exit(0)\n"
    with pytest.raises(ProbeError, match=r"could not be collected \(exit 0\)"):
        start(files).run()


def test_a_src_layout_that_a_conftest_puts_on_the_path(start: Start) -> None:
    files = {
        "src/pack/__init__.py": "from .core import f\n",
        "src/pack/core.py": "def f():\n    return 1\n",
        "src/pack/late.py": "def g():\n    return 1\n",
        "tests/conftest.py": """
            import pathlib, sys
            sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "src"))
        """,
        "tests/test_pack.py": """
            from pack import f
            def test_f(): assert f() == 2
            def test_late():
                from pack.late import g
                assert g() == 2
        """,
    }
    runner = start(files, "src/pack/core.py")
    run = runner.run()
    assert ends(run) == {"test_f": FAILED, "test_late": FAILED}
    late = {"src/pack/late.py"}
    assert {*run.files} == {path for path in files if path.endswith(".py")}
    assert late <= {*run.files}, "a module that a case imports is of the project too"
    plan = Plan.of(run.outcomes)
    core, g = (b"def %c():\n    return 2\n" % name for name in b"fg")
    verdicts = runner.attempt([{"src/pack/core.py": core}, {"src/pack/late.py": g}], plan)
    assert [[c.partition("::")[2] for c in v.passed] for v in verdicts] == [
        ["test_f"],
        ["test_late"],
    ]


def test_a_project_behind_a_symbolic_link(tmp_path: Path, mark: str) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for name, text in ONE.items():
        (tmp_path / "real" / name).write_text(text)
    root = tmp_path / "link"
    with Runner(Target(root, root, "lib.py"), sys.executable, Limits(), 1) as runner:
        run = runner.run()
        assert set(run.files) == {"lib.py", "test_lib.py"}
        assert {c.path for c in run.cases} == {"test_lib.py"}
        [verdict] = runner.attempt([RIGHT], Plan.of(run.outcomes))
    assert verdict.passed == ("test_lib.py::test_f",)


def test_hypothesis_leaves_nothing_in_the_project(start: Start) -> None:
    files = {
        "test_h.py": """
            from hypothesis import given, strategies
            @given(strategies.integers())
            def test_fails(n): assert n < 100
            @given(strategies.text())
            def test_passes(s): assert s == s + ""
        """
    }
    runner = start(files, limits=Limits(case_seconds=10))
    for _ in range(2):
        assert ends(runner.run()) == {"test_fails": FAILED, "test_passes": PASSED}


OPTIONS = [
    "-x",
    "--maxfail=1 -q",
    "--lf --ff",
    "-p no:cacheprovider --strict-config",
    "-p no:logging -W error --strict-markers",
    "--sw -vv --tb=no",
    "--pdb --pdbcls=IPython.terminal.debugger:Pdb",
    "-W error -rA --durations=3 --junitxml=report.xml",
    "--capture=sys --color=yes --setup-show",
]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_users_options_do_no_harm(start: Start, options: str) -> None:
    files = {
        "pytest.ini": f"[pytest]\naddopts = {options}\nlog_file = run.log\ncache_dir = own_cache\n",
        "test_it.py": """
            import logging, pytest
            made = []
            @pytest.fixture(scope="module")
            def shared(): made.append(1); return len(made)
            def test_a(shared): assert shared == 2
            def test_b(): logging.error("b"); assert 0
            def test_c(shared): assert shared == 1
            def test_d(): assert 0
            def test_e(): pass
        """,
    }
    runner = start(files)
    wanted = dict(zip([f"test_{x}" for x in "abcde"], "ffpfp", strict=True))
    run = runner.run()
    assert {name: status[0] for name, status in ends(run).items()} == wanted
    assert {o.message for o in run.outcomes} == {"", "assert 1 == 2", "assert 0"}
    assert {name: status[0] for name, status in ends(runner.run()).items()} == wanted


# -------------------------------------------------------------------------------------- tries

LIB = """\
import functools

LIMIT = 10

def build():
    return {n: n + 1 for n in range(3)}

TABLE = build()

def double(x):
    return x + x + 1

def half(x, by=2):
    return x // by

class Counter:
    step = 1
    def next(self, n):
        return n + self.step

def made(n):
    def inner(x):
        return x - n
    return inner

KEPT = made(1)

@functools.lru_cache(None)
def cached(x):
    return x
"""
LIB_TESTS = """\
import lib

SEEN = []

def test_double(): assert lib.double(2) == 4
def test_half(): assert lib.half(4) == 2
def test_counter(): assert lib.Counter().next(1) == 2
def test_table(): assert lib.TABLE[1] == 2
def test_limit(): assert lib.LIMIT == 10
def test_first():
    SEEN.append(lib.double(1))
    assert SEEN
def test_second(): assert len(SEEN) == 1
def test_kept(): assert lib.KEPT(3) == 2
def test_cached(): assert lib.cached(3) == 3
"""
FIX = ("x + x + 1", "x + x")

# name: (replacements, how many cases pass, the failing one among them; a part of the reason)
TRIES: dict[str, tuple[list[tuple[str, str]], Any]] = {
    "right": ([FIX], "fixed"),
    "right in another way": ([("x + x + 1", "2 * x")], "fixed"),
    "right and moved": ([FIX, ("LIMIT = 10", "\n\n# more\nLIMIT = 10")], "fixed"),
    "right with another default": ([FIX, ("by=2", "by=2.0")], "fixed"),
    "right with a new function": (
        [("x + x + 1", "add(x, x)"), ("TABLE", "def add(a, b): return a + b\nTABLE")],
        "fixed",
    ),
    "right with another constant": ([FIX, ("KEPT = made(1)", "KEPT = made(1)\nMORE = 2")], "fixed"),
    "right with a decorator": (
        [FIX, ("def double", "@functools.lru_cache(None)\ndef double")],
        "fixed",
    ),
    "right with a parameter": ([FIX, ("def double(x)", "def double(x, y=0)")], "fixed"),
    "wrong": ([("x + x + 1", "x + x + 2")], "red"),
    "wrong after a fresh import": ([("x + x + 1", "x + x + 2"), ("by=2", "by=2.0")], "red"),
    "endless": ([("return x + x + 1", "while True: pass")], "red"),
    "endless after a fresh import": ([("LIMIT = 10", "while True: pass")], "red"),
    "endless in C": ([("return x + x + 1", "return sum(iter(int, 1))")], "red"),
    "an exit": ([("return x + x + 1", "import os; os._exit(0)")], "red"),
    "an exit of Python": ([("return x + x + 1", "raise SystemExit(0)")], "red"),
    "an exit while imported": ([("LIMIT = 10", "import os; os._exit(0)")], "red"),
    "a signal": ([("return x + x + 1", "import os; os.kill(os.getpid(), 9)")], "red"),
    "no syntax": ([("x + x + 1", "x +")], "does not compile"),
    "a null byte": ([("x + x + 1", "x + '\0'")], "does not compile"),
    "a return outside": ([("LIMIT = 10", "return 10")], "does not compile"),
    "the same": ([("x + x + 1", "((x + x) + 1)")], "changes nothing"),
    "a comment": ([("x + x + 1", "x + x + 1  # why")], "changes nothing"),
    "right, and breaks another": ([FIX, ("n + self.step", "n - self.step")], "broken"),
    "right, and breaks a constant": ([FIX, ("LIMIT = 10", "LIMIT = 11")], "broken"),
    "right, and breaks what ran while imported": ([FIX, ("n: n + 1", "n: n - 1")], "broken"),
    "right, and breaks a closure made while imported": ([FIX, ("x - n", "x + n")], "broken"),
    "right, and breaks a decorated one": ([FIX, ("return x\n", "return -x\n")], "broken"),
    "right, and breaks an order": (
        [("return x + x + 1", "if x == 1: 1 / 0\n    return x + x")],
        "broken",
    ),
    "True for 1": ([FIX, ("n: n + 1", "n: n + True")], "fixed"),
}


def patched(text: str, replacements: list[tuple[str, str]]) -> bytes:
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text.encode()


def short(verdict: Verdict, plan: Plan) -> str:
    if verdict.reason.startswith(("does not compile", "changes nothing")):
        assert verdict.passed == verdict.failed == ()
        return verdict.reason.partition(":")[0]
    passed = {*verdict.passed}
    if passed >= {*plan.failing, *plan.passing}:
        assert not verdict.failed
        return "fixed"
    if passed & {*plan.failing}:
        assert {*verdict.failed} & {*plan.passing}
        return "broken"
    assert {*verdict.failed} | {verdict.reason} != {""}
    return "red"


def test_tries_tell_what_a_fresh_process_would(start: Start) -> None:
    runner = start({"lib.py": LIB, "test_lib.py": LIB_TESTS}, jobs=2)
    run = runner.run()
    plan = Plan.of(run.outcomes)
    assert plan.failing == ("test_lib.py::test_double",)
    assert len(plan.passing) == 8
    hierarchy = hierarchy_of(runner, "lib.py")
    _, _, imported = runner.trace(hierarchy, [o.case for o in run.outcomes], [], known=run.outcomes)
    names = {block.rpartition("#")[0].partition("::")[2] for block in imported}
    assert names == {"<module>", "build", "made", "Counter"}
    tries = [{"lib.py": patched(LIB, replacements)} for replacements, _ in TRIES.values()]
    verdicts = runner.attempt(tries, plan)
    found = {name: short(v, plan) for name, v in zip(TRIES, verdicts, strict=True)}
    assert found == {name: wanted for name, (_, wanted) in TRIES.items()}
    # What they tell is what a run in a fresh interpreter tells.
    for name in ("right", "True for 1", "right with a decorator"):
        again = runner.run({"lib.py": patched(LIB, TRIES[name][0])}, new=True)
        assert {str(o.status) for o in again.outcomes} == {PASSED}, name
    # The warm processes are as they were.
    verdicts = runner.attempt([tries[0], tries[8]] * 3, plan)
    assert [short(v, plan) for v in verdicts] == ["fixed", "red"] * 3


def test_a_function_that_ran_while_imported_can_be_repaired(start: Start) -> None:
    files = {
        "lib.py": "def build():\n    return [1, 2]\n\nTABLE = build()\n",
        "test_lib.py": "import lib\ndef test_it(): assert lib.TABLE == [1, 3]\n",
    }
    runner = start(files)
    run = runner.run()
    plan = Plan.of(run.outcomes)
    runner.trace(hierarchy_of(runner, "lib.py"), [c.id for c in run.cases], [])
    [verdict] = runner.attempt(
        [{"lib.py": b"def build():\n    return [1, 3]\n\nTABLE = build()\n"}], plan
    )
    assert verdict.passed == plan.failing


def test_several_files_in_one_try(start: Start) -> None:
    files = {
        "a.py": "def f():\n    return 1\n",
        "b.py": "X = 1\n",
        "test_ab.py": "import a, b\ndef test_it(): assert a.f() + b.X == 4\n",
    }
    runner = start(files)
    plan = Plan.of(runner.run().outcomes)
    a, b = {"a.py": b"def f():\n    return 2\n"}, {"b.py": b"X = 2\n"}
    verdicts = runner.attempt([a, b, {**a, **b}, {**a, "b.py": b"X =\n"}], plan)
    assert [len(v.passed) for v in verdicts] == [0, 0, 1, 0]
    assert "does not compile" in verdicts[3].reason


def test_a_file_that_did_not_parse_can_be_repaired(start: Start) -> None:
    files = {
        "lib.py": "def f(:\n    return 1\n",
        "test_lib.py": "def test_it():\n    from lib import f\n    assert f() == 1\n",
    }
    runner = start(files)
    plan = Plan.of(runner.run().outcomes)
    texts = [b"def f():\n    return 1\n", b"def f():\n    return 2\n", b"def f(:\n    return 3\n"]
    verdicts = runner.attempt([{"lib.py": text} for text in texts], plan)
    assert [len(v.passed) for v in verdicts] == [1, 0, 0]


def test_a_project_with_threads_of_its_own_is_imported_anew_for_each_try(start: Start) -> None:
    files = {
        "lib.py": """\
            import queue, threading
            asked, answers = queue.Queue(), queue.Queue()
            def work():
                while True:
                    answers.put(asked.get() + 1)
            threading.Thread(target=work, daemon=True).start()
            def ask(x):
                asked.put(x)
                return answers.get(timeout=1) + 1
        """,
        "test_lib.py": """
            import lib
            def test_ask(): assert lib.ask(1) == 2
            def test_again(): assert lib.ask(5) > 5
        """,
    }
    runner = start(files)
    plan = Plan.of(runner.run().outcomes)
    assert [len(plan.failing), len(plan.passing)] == [1, 1]
    text = textwrap.dedent(files["lib.py"])
    right = text.replace("answers.get(timeout=1) + 1", "answers.get(timeout=1)").encode()
    [verdict] = runner.attempt([{"lib.py": right}], plan)
    assert (len(verdict.passed), verdict.failed) == (2, ())


def test_failing_cases_are_given_up_after_some(start: Start) -> None:
    each = "@pytest.mark.parametrize('n', range(30))\ndef test_n(n): assert lib.f(n)\n"
    many = f"import pytest, lib\n{each}"
    runner = start({"lib.py": "def f(n):\n    return 0\n", "test_n.py": many})
    plan = Plan.of(runner.run().outcomes)
    assert (len(plan.failing), plan.patience) == (30, 8)
    texts = [
        b"def f(n):\n    return []\n",
        b"def f(n):\n    return n > 15\n",
        b"def f(n):\n    return 1\n",
    ]
    none, some, every = runner.attempt([{"lib.py": text} for text in texts], plan)
    assert (none.passed, len(none.failed)) == ((), 8)
    assert {*every.passed} == {*plan.failing}
    assert len(some.passed) in (0, 14)  # whether one of the quickest eight is among the 14


def test_no_try_begins_after_its_time(start: Start) -> None:
    runner = start(
        {"lib.py": "X = 1\n", "test_x.py": "import lib\ndef test_x(): assert lib.X == 2\n"}
    )
    plan = Plan.of(runner.run().outcomes)
    tries = [{"lib.py": b"X = 2\n"}] * 3
    verdicts = runner.attempt(tries, plan, until=time.monotonic())
    assert verdicts == [Verdict((), (), "not tried")] * 3
    assert [len(v.passed) for v in runner.attempt(tries, plan)] == [1, 1, 1]
    assert runner.attempt([], plan) == []


# ------------------------------------------------------------------------------------- traces


def test_a_trace_tells_blocks_values_and_ends(start: Start, tmp_path: Path) -> None:
    files = {
        "lib.py": """\
            def used(n):
                total = n
                while n:
                    n -= 1
                    total += n
                return total
            def loops():
                x = 1
                while x:
                    x += 1
            def dies():
                import os
                os._exit(0)
            def deep(n):
                if n:
                    return deep(n - 1)
                return 0
            TOTAL = used(2)
        """,
        "test_lib.py": """
            import os, pathlib, sys, lib
            def test_used(): assert lib.used(3) == 6
            def test_loops(): lib.loops()
            def test_dies(): lib.dies()
            def test_wrong(): assert lib.used(1) == 3
            def plain(n):
                if n:
                    return plain(n - 1)
                return 0
            def deepest():
                n = sys.getrecursionlimit()
                while True:
                    try:
                        return plain(n) or n
                    except RecursionError:
                        n -= 1
            def test_deep():
                known = pathlib.Path(DEPTH)
                if not known.exists():  # in the run without probes
                    known.write_text(str(deepest() + 1))
                assert lib.deep(int(known.read_text())) == 0
        """,
    }
    depth = tmp_path / "depth"
    depth.mkdir()
    name = next(name for name in files if name.startswith("test_"))
    files[name] = textwrap.dedent(files[name]) + f"\nDEPTH = {str(depth / 'deepest')!r}\n"
    runner = start(files, write=(str(depth),))
    run = runner.run()
    cases = [c.id for c in run.cases]
    values = [case for case in cases if not case.endswith("wrong")]
    hierarchy = hierarchy_of(runner, "lib.py")
    traces, outcomes, imported = runner.trace(hierarchy, cases, values, known=run.outcomes)
    assert {o.case: str(o.status) for o in outcomes} == {
        o.case: str(o.status) for o in run.outcomes
    }
    assert ends(run) == {
        "test_used": PASSED,
        "test_loops": TIMEOUT,
        "test_dies": CRASHED,
        "test_wrong": FAILED,
        "test_deep": PASSED,
    }
    by_name = {t.case.partition("::")[2]: t for t in traces}
    used, loops = by_name["test_used"], by_name["test_loops"]
    lines = {b.id: b.span.first_line for s in hierarchy.subfunctions.values() for b in s.blocks}
    assert {lines[block]: count for block, count in used.hits.items()} == {2: 1, 3: 4, 4: 3, 6: 1}
    totals = [v.after["total"].text for v in used.visits if "total" in v.after]
    assert totals == ["3", "5", "6", "6", "6"][: len(totals)]
    assert used.visits[-1].result is not None
    assert used.visits[-1].result.text == "6"
    assert loops.status is Status.TIMEOUT
    assert max(loops.hits.values()) > 1000
    assert loops.visits
    assert loops.dropped > 0
    assert by_name["test_wrong"].visits == ()
    assert by_name["test_wrong"].hits
    assert {lines[block] for block in imported} == {1, 2, 3, 4, 6}


def test_a_trace_of_patched_sources(start: Start) -> None:
    files = {
        "lib.py": "def f(x):\n    return x\n",
        "test_lib.py": "import lib\ndef test_f(): assert lib.f(1) == 2\n",
    }
    runner = start(files)
    run = runner.run()
    cases = [c.id for c in run.cases]
    language = language_of("lib.py")
    assert language is not None
    after = SourceFile("lib.py", b"def f(x):\n    y = x + 1\n    return y\n", language.grammar())
    traces, outcomes, _ = runner.trace(decompose([after]), cases, cases, {"lib.py": after.data})
    assert [o.status for o in outcomes] == [Status.PASSED]
    [visit] = traces[0].visits
    assert visit.result is not None
    assert (visit.before["x"].text, visit.after["y"].text, visit.result.text) == ("1", "2", "2")


# --------------------------------------------------------------------- interpreters, processes


def test_what_is_no_interpreter_is_told(start: Start, tmp_path: Path) -> None:
    files = {"test_a.py": "def test_a(): pass\n"}
    with pytest.raises(InterpreterError, match="no such file"):
        start(files, python=str(tmp_path / "nothing")).run()
    with pytest.raises(InterpreterError, match="permission denied"):
        start(files, python=str(tmp_path)).run()
    for command in ("/bin/true", "/bin/cat", "/bin/false"):
        with pytest.raises(InterpreterError, match="does not run mgdebug's probe"):
            start(files, python=command).run()


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7"])
def test_an_old_interpreter_is_told(start: Start, version: str) -> None:
    python = next((p for p in candidates(version) if p and version_of(p) == version), "")
    if not python:
        pytest.skip(f"no CPython {version} on this machine")
    with pytest.raises(InterpreterError, match=r"too old|does not run") as caught:
        start({"test_a.py": "def test_a(): pass\n"}, python=python).run()
    assert "3.8" in caught.value.hint


ONE = {
    "lib.py": "def f():\n    return 1\n",
    "test_lib.py": "import lib\ndef test_f(): assert lib.f() == 2\n",
}
RIGHT = {"lib.py": b"def f():\n    return 2\n"}


def test_no_file_descriptor_and_no_zombie_stays(start: Start, mark: str) -> None:
    before = len(descriptors("self"))
    runner = start(ONE, jobs=2)
    plan = Plan.of(runner.run().outcomes)
    fresh = {"lib.py": b"X = 1\ndef f():\n    return 2\n"}
    runner.attempt([RIGHT, fresh] * 2, plan)
    workers = {pid: len(descriptors(pid)) for pid in marked(mark)}
    assert len(workers) == 8
    runner.attempt([RIGHT, fresh] * 4, plan)
    runner.run()
    assert {pid: len(descriptors(pid)) for pid in marked(mark)} == workers
    assert [pid for pid in descendants(os.getpid()) if state(pid) == "Z"] == []
    runner.close()
    runner.close()
    assert len(descriptors("self")) == before


def test_a_killed_warm_process_costs_no_try_but_one_that_was_alone(start: Start) -> None:
    runner = start(ONE)
    plan = Plan.of(runner.run().outcomes)
    assert runner.attempt([RIGHT], plan)[0].passed
    *_, warm = descendants(runner._workers[0]._process._child.pid)
    os.kill(warm, 9)
    assert [v.passed for v in runner.attempt([RIGHT, RIGHT], plan)] == [plan.failing] * 2
    *_, warm = descendants(runner._workers[0]._process._child.pid)
    os.kill(warm, 9)
    first = runner.attempt([RIGHT], plan)[0]
    assert first.reason == "the probe died"
    assert runner.attempt([RIGHT], plan)[0].passed == plan.failing


def test_a_killed_worker_is_an_error_once(start: Start) -> None:
    runner = start(ONE)
    plan = Plan.of(runner.run().outcomes)
    os.kill(runner._workers[0]._process._child.pid, 9)
    with pytest.raises(ProbeError, match="stopped answering"):
        runner.run()
    assert ends(runner.run()) == {"test_f": FAILED}
    assert runner.attempt([RIGHT], plan)[0].passed == plan.failing


def test_after_the_deadline_the_next_run_is_not_confused(start: Start, mark: str) -> None:
    runner = start({"test_t.py": "import time\ndef test_t(): time.sleep(1)\ndef test_u(): pass\n"})
    run = runner.run()
    assert ends(run) == {"test_t": PASSED, "test_u": PASSED}
    runner.deadline = time.monotonic() + 0.3
    with pytest.raises(OutOfTime):
        runner.run()
    assert left_of(mark) == {}
    runner.deadline = float("inf")
    assert ends(runner.run(cases=[run.cases[1].id])) == {"test_t": "not run", "test_u": PASSED}


HANGING = """
import os, subprocess, sys, time
MORE = [sys.executable, "-c", "import time; time.sleep(600)"]
def hang():
    subprocess.Popen(MORE)
    subprocess.Popen(MORE, start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
    open(os.environ["READY"], "w").close()
    while True:
        time.sleep(1)
"""

DRIVER = """
import sys, time
from pathlib import Path
from mgdebug.model import Limits, Target
from mgdebug.runner import Plan, Runner
from mgdebug.sandbox.policy import Policy
root, what = Path(sys.argv[1]), sys.argv[2]
policy = Policy(env=("MGDEBUG_TEST_MARK", "READY"), write=(sys.argv[3],))
limits = Limits(case_seconds=600.0)
with Runner(Target(root, root), sys.executable, limits, 2, policy=policy) as runner:
    if what in ("collecting", "running"):
        runner.run()
    plan = Plan(("test_it.py::test_it",), (), ("test_it.py::test_it",))
    runner.attempt([{"lib.py": b"def f():\\n    import hanging; hanging.hang()\\n"}] * 2, plan)
"""

WHERE = {
    "collecting": ("def f(): pass\n", "import hanging\nhanging.hang()\n"),
    "running": ("def f(): pass\n", "import hanging\ndef test_it(): hanging.hang()\n"),
    "loading": ("def f(): pass\n", "import hanging\nhanging.hang()\n"),
    "trying": ("def f(): pass\n", "import lib\ndef test_it(): lib.f()\n"),
}


@pytest.mark.parametrize("number", [9, 15, 2], ids=["SIGKILL", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("what", WHERE)
def test_when_mgdebug_is_killed_nothing_stays(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    lib, tests = WHERE[what]
    for name, text in (("lib", lib), ("test_it", tests), ("hanging", HANGING)):
        (tmp_path / f"{name}.py").write_text(text)
    ready = tmp_path / "signs" / "ready"
    ready.parent.mkdir()
    monkeypatch.setenv("READY", str(ready))
    command = [sys.executable, "-c", DRIVER, str(tmp_path), what, str(ready.parent)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as driver:
        while not ready.exists():
            assert driver.poll() is None, driver.stderr and driver.stderr.read()
            time.sleep(0.02)
        assert len(marked(mark)) > 5
        driver.send_signal(number)
        driver.wait()
    assert left_of(mark) == {}
