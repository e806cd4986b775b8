"""Every kind of case ends as it would outside: on each CPython, where pytest is not needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from interpreters import EVERY, EVERY_BARE, find_bare

from mgdebug.errors import NoCasesError, UsageError
from mgdebug.model import CaseKind, Limits, Outcome, Status, Target
from mgdebug.runner import Plan, Run, Runner

PASSED, FAILED, SKIPPED, TIMEOUT, CRASHED = "passed", "failed", "skipped", "timeout", "crashed"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def run(python: str, root: Path, path: str = "", **rest: Any) -> Run:
    limits = Limits(case_seconds=1.0)
    with Runner(Target(root, root, path, **rest), python, limits, 1) as runner:
        return runner.run()


def short(outcome: Outcome) -> tuple[str, str]:
    """What stopped an endless case, the clock or the processor time, is a matter of chance."""
    message = outcome.message.partition(" of ")[0].partition(" (")[0]
    return str(outcome.status), message if outcome.status is Status.TIMEOUT else outcome.message


# ------------------------------------------------------------------------------- expressions

LIBRARY = """
import sys
def add(a, b): return a + b
def fail(): raise KeyError("k")
def leave(code): sys.exit(code)
def read(): return input()
class Odd:
    def __eq__(self, other): raise ValueError("eq")
    def __repr__(self): raise ValueError("repr")
class Vague:
    def __bool__(self): raise TypeError("no truth")
    def __eq__(self, other): return self
"""

EXPRESSIONS = {
    "add(1, 2) == 3": (PASSED, ""),
    "add(1, 2) == 4": (FAILED, "the left side is 3"),
    "add(1, 2) != 3": (FAILED, "the left side is 3"),
    "add('a', 'b') in ['ab']": (PASSED, ""),
    "add([1], [2]) == [1, 2] == [1, 2]": (PASSED, ""),
    "1 < add(1, 1) < 2": (FAILED, "it is not true"),
    "add(1, 2)": (PASSED, ""),
    "add(0, 0)": (FAILED, "it is not true"),
    "not add(0, 0)": (PASSED, ""),
    "(y := add(1, 2)) == y": (PASSED, ""),
    "x = add(1, 2); assert x == 3": (PASSED, ""),
    "x = add(1, 2)\nfor i in range(3):\n    x += i\nassert x == 6": (PASSED, ""),
    "assert add(1, 1) == 3, 'sum'": (FAILED, "AssertionError: sum"),
    "assert add(1, 1) == 3": (FAILED, "AssertionError"),
    "  add(1, 2) == 3  ": (PASSED, ""),
    "fail()": (FAILED, "KeyError: 'k'"),
    "nowhere(1)": (FAILED, "NameError: name 'nowhere' is not defined"),
    "leave(0)": (FAILED, "SystemExit: 0"),
    "leave(1)": (FAILED, "SystemExit: 1"),
    "raise KeyboardInterrupt": (FAILED, "KeyboardInterrupt"),
    "read()": (FAILED, "EOFError: EOF when reading a line"),
    "Odd() == 1": (FAILED, "ValueError: eq"),
    "Odd() is Odd()": (FAILED, "the left side is <Odd>"),
    "Vague() == 1": (FAILED, "TypeError: no truth"),
    "Vague()": (FAILED, "TypeError: no truth"),
    "add(10**5000, 0) == 0": (FAILED, "the left side is <int of 16610 bits>"),
    "raise ValueError('a\\nb')": (FAILED, "ValueError: a"),
    "import os; os._exit(0)": (CRASHED, "exit 0"),
    "import os; os.kill(os.getpid(), 9)": (CRASHED, "signal SIGKILL"),
    "import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 1)": (CRASHED, "signal 35"),
    "while True: pass": (TIMEOUT, "time limit"),
    "bytearray(1 << 40)": (FAILED, "MemoryError: memory limit of 2048 MB"),
    "open('large', 'wb').truncate(2 << 30)": (FAILED, "output limit of 1024 MB"),
}


@pytest.mark.parametrize("python", EVERY)
def test_expressions_and_statements(python: str, tmp_path: Path) -> None:
    write(tmp_path, {"lib.py": LIBRARY})
    found = run(python, tmp_path, "lib.py", expressions=tuple(EXPRESSIONS))
    assert [c.source for c in found.cases] == list(EXPRESSIONS)
    assert {c.kind for c in found.cases} == {CaseKind.EXPRESSION}
    got = {c.source: short(o) for c, o in zip(found.cases, found.outcomes, strict=True)}
    assert got == EXPRESSIONS
    assert found.files == ("lib.py",)
    assert found.troubles == ()


@pytest.mark.parametrize("python", EVERY)
def test_a_case_that_does_not_parse_is_a_trouble_and_a_module_that_does_not_is_too(
    python: str, tmp_path: Path
) -> None:
    write(tmp_path, {"lib.py": "def f(:\n"})
    found = run(python, tmp_path, "lib.py", expressions=("f() ==",))
    assert found.cases == ()
    assert [where for where, _ in found.troubles] == ["--case", "lib.py"]
    assert "SyntaxError" in found.troubles[1][1]
    found = run(python, tmp_path, "lib.py", expressions=("f() == 1",))
    assert [o.status for o in found.outcomes] == [Status.FAILED]
    assert "SyntaxError" in found.outcomes[0].message


@pytest.mark.parametrize("python", EVERY)
def test_a_module_that_exits_while_it_is_imported(python: str, tmp_path: Path) -> None:
    write(tmp_path, {"lib.py": "import sys\nsys.exit(0)\n"})
    found = run(python, tmp_path, "lib.py", expressions=("1 == 1",))
    assert [short(o) for o in found.outcomes] == [(FAILED, "SystemExit: 0")]
    assert [where for where, _ in found.troubles] == ["lib.py"]


def test_a_module_whose_name_the_standard_library_has(tmp_path: Path) -> None:
    write(tmp_path, {"code/queue.py": "import queue_helper\ndef f(): return queue_helper.X\n"})
    write(tmp_path, {"code/queue_helper.py": "X = 5\n"})
    target = Target(tmp_path, tmp_path, "code/queue.py", expressions=("f() < 7", "f() == 6"))
    with Runner(target, sys.executable, Limits(), 1) as runner:
        found = runner.run()
        assert [str(o.status) for o in found.outcomes] == [PASSED, FAILED]
        patch = b"import queue_helper\ndef f(): return queue_helper.X + 1\n"
        [verdict] = runner.attempt([{"code/queue.py": patch}], Plan.of(found.outcomes))
    assert (len(verdict.passed), verdict.failed) == (2, ())


# ----------------------------------------------------------------------- doctests and unittest

DOCUMENTED = '''
"""Of the module.

>>> 1 + 1
2
"""
def good():
    """
    >>> good()
    1
    >>> print("a\\\\n\\\\nb")
    a
    <BLANKLINE>
    b
    """
    return 1
def wrong():
    """
    >>> wrong()
    3
    """
    return 2
def raises():
    """
    >>> raises()
    Traceback (most recent call last):
    ...
    KeyError: 1
    """
    raise KeyError(1)
def crashes():
    """
    >>> crashes()
    3
    """
    raise KeyError(1)
def silent():
    """
    >>> silent()
    3
    """
def exits():
    """
    >>> exits()
    """
    raise SystemExit(0)
def undocumented(): pass
class C:
    """
    >>> C().m()
    5
    """
    def m(self):
        """
        >>> C().m()   # doctest: +SKIP
        6
        """
        return 5
'''

DOCTESTS = {
    "doctest: lib": (PASSED, ""),
    "doctest: lib.C": (PASSED, ""),
    "doctest: lib.C.m": (PASSED, ""),
    "doctest: lib.crashes": (FAILED, "KeyError: 1"),
    "doctest: lib.exits": (FAILED, "SystemExit: 0"),
    "doctest: lib.good": (PASSED, ""),
    "doctest: lib.raises": (PASSED, ""),
    "doctest: lib.silent": (FAILED, "Got nothing"),
    "doctest: lib.wrong": (FAILED, "got 2"),
}

UNITS = """
import unittest
import lib
LOG = []
def setUpModule(): LOG.append("module")
class Cases(unittest.TestCase):
    @classmethod
    def setUpClass(cls): LOG.append("class")
    def setUp(self): self.it = LOG.append("setup") or 1
    def tearDown(self): LOG.append("down")
    def test_pass(self): self.assertEqual(self.it, 1)
    def test_fixtures(self): self.assertEqual(LOG[:1] + LOG[-1:], ["module", "setup"])
    def test_fail(self): self.assertEqual(lib.wrong(), 3)
    def test_error(self): raise KeyError("k")
    @unittest.skip("why")
    def test_skipped(self): 1 / 0
    def test_skips(self): raise unittest.SkipTest("why")
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    @unittest.expectedFailure
    def test_unexpected(self): pass
    def test_subtests(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)
    def test_good_subtests(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertLess(i, 3)
    def test_cleanup(self):
        self.addCleanup(lambda: 1 / 0)
    def test_exit(self): raise SystemExit(0)
    def test_interrupt(self): raise KeyboardInterrupt
    def test_output(self): print("x" * 100000)
class Setup(unittest.TestCase):
    def setUp(self): raise ValueError("setup")
    def test_it(self): pass
class ClassSetup(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise ValueError("class")
    def test_it(self): pass
@unittest.skip("all")
class Skipped(unittest.TestCase):
    def test_it(self): 1 / 0
class Coroutines(unittest.IsolatedAsyncioTestCase):
    async def test_good(self): pass
    async def test_bad(self): self.assertTrue(False)
"""

UNITTESTS = {
    "test_units.Cases.test_pass": (PASSED, ""),
    "test_units.Cases.test_fixtures": (PASSED, ""),
    "test_units.Cases.test_fail": (FAILED, "AssertionError: 2 != 3"),
    "test_units.Cases.test_error": (FAILED, "KeyError: 'k'"),
    "test_units.Cases.test_skipped": (SKIPPED, ""),
    "test_units.Cases.test_skips": (SKIPPED, ""),
    "test_units.Cases.test_expected": (SKIPPED, ""),
    "test_units.Cases.test_unexpected": (FAILED, "unexpected success"),
    "test_units.Cases.test_subtests": (FAILED, "AssertionError: 1 == 1"),
    "test_units.Cases.test_good_subtests": (PASSED, ""),
    "test_units.Cases.test_cleanup": (FAILED, "ZeroDivisionError"),
    "test_units.Cases.test_exit": (FAILED, "SystemExit: 0"),
    "test_units.Cases.test_interrupt": (FAILED, "KeyboardInterrupt"),
    "test_units.Cases.test_output": (PASSED, ""),
    "test_units.Setup.test_it": (FAILED, "ValueError: setup"),
    "test_units.ClassSetup.test_it": (FAILED, "ValueError: class"),
    "test_units.Skipped.test_it": (SKIPPED, ""),
    "test_units.Coroutines.test_good": (PASSED, ""),
    "test_units.Coroutines.test_bad": (FAILED, "AssertionError: False is not true"),
}


@pytest.mark.parametrize("python", EVERY_BARE)
def test_without_pytest_unittest_and_doctest_are_found_and_run(python: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        {"lib.py": DOCUMENTED, "test_units.py": UNITS, "test_broken.py": "import no_such\n"},
    )
    target = Target(tmp_path, tmp_path, "lib.py")
    with Runner(target, python, Limits(), 1) as runner:
        found = runner.run()
        assert runner.pytest is None
        got = {o.case: short(o) for o in found.outcomes}
        wanted = {**UNITTESTS, **DOCTESTS}
        # How a division by zero reads is CPython's affair.
        cleanup = got["test_units.Cases.test_cleanup"]
        assert cleanup[1].startswith("ZeroDivisionError")
        assert got == {**wanted, "test_units.Cases.test_cleanup": cleanup}
        assert [where for where, _ in found.troubles] == ["test_broken"]
        assert "no_such" in found.troubles[0][1]
        assert set(found.files) == {"lib.py", "test_units.py"}
        right = DOCUMENTED.replace("return 2", "return 3").encode()
        plan = Plan.of(o for o in found.outcomes if o.message.endswith(("2 != 3", "got 2")))
        [verdict] = runner.attempt([{"lib.py": right}], plan)
    assert set(verdict.passed) == {"test_units.Cases.test_fail", "doctest: lib.wrong"}
    assert verdict.reason == ""


@pytest.mark.parametrize("python", EVERY_BARE)
def test_without_pytest_some_tests_are_chosen_by_path_and_name(python: str, tmp_path: Path) -> None:
    passing = "import unittest\nclass T(unittest.TestCase):\n def test_a(self): 1\n"
    passing += " def test_b(self): 2\n"
    write(
        tmp_path,
        {"one/test_one.py": passing, "two/test_two.py": passing, "two/more_test.py": passing},
    )
    write(tmp_path, {"pack/__init__.py": "", "pack/test_pack.py": passing})
    wanted = (
        "one/test_one.py::T::test_b",
        "two",
        "pack/test_pack.py::T",
        "one/test_one.py::T::test_z",
    )
    found = run(python, tmp_path, tests=wanted)
    assert [c.id for c in found.cases] == [
        "test_one.T.test_b",
        "test_two.T.test_a",
        "test_two.T.test_b",
        "pack.test_pack.T.test_a",
        "pack.test_pack.T.test_b",
    ]
    assert {str(o.status) for o in found.outcomes} == {PASSED}
    assert [c.path for c in found.cases][::2] == [
        "one/test_one.py",
        "two/test_two.py",
        "pack/test_pack.py",
    ]
    assert len(found.troubles) == 1
    assert "test_z" in "".join(found.troubles[0])


def test_cases_of_one_name_are_told_apart(tmp_path: Path) -> None:
    python = next((p for v in range(13, 7, -1) if (p := find_bare(f"3.{v}"))), "")
    if not python:
        pytest.skip("no CPython without pytest on this machine")
    text = """
import unittest
class T(unittest.TestCase):
    def __init__(self, n): super().__init__("test_n"); self.n = n
    def test_n(self): self.assertNotEqual(self.n, 1)
def load_tests(loader, tests, pattern): return unittest.TestSuite(map(T, range(3)))
"""
    found = run(python, write(tmp_path, {"test_t.py": text}))
    assert [(o.case, str(o.status)) for o in found.outcomes] == [
        ("test_t.T.test_n", PASSED),
        ("test_t.T.test_n (2)", FAILED),
        ("test_t.T.test_n (3)", PASSED),
    ]


# -------------------------------------------------------------------------------- stdin, stdout

LARGE = "output limit of 64 MB"
# name: (program, input, wanted output, status and message)
PAIRS = {
    "right": ("print(int(input()) + 1)", "1\n", "2\n", (PASSED, "")),
    "no newline at the end": ("print(input(), end='')", "a", "a\n", (PASSED, "")),
    "white space at the ends of lines": (
        "print('a  ');print('b\\t');print()",
        "",
        "a\nb",
        (PASSED, ""),
    ),
    "white space wanted": ("print('a')", "", "a   \n\n\n", (PASSED, "")),
    "carriage returns": ("print('a\\r');print('b')", "", "a\r\nb\r\n", (PASSED, "")),
    "white space within": (
        "print('a  b')",
        "",
        "a b\n",
        (FAILED, "line 1 is 'a  b', wanted 'a b'"),
    ),
    "white space in front": ("print(' a')", "", "a\n", (FAILED, "line 1 is ' a', wanted 'a'")),
    "wrong": ("print(1); print(3)", "", "1\n2\n", (FAILED, "line 2 is '3', wanted '2'")),
    "too little": ("print(1)", "", "1\n2\n", (FAILED, "line 2 is '', wanted '2'")),
    "too much": ("print(1); print(2)", "", "1\n", (FAILED, "line 2 is '2', wanted ''")),
    "nothing": ("", "", "", (PASSED, "")),
    "crash": ("print(1); {}[2]", "", "1\n", (FAILED, "KeyError: 2")),
    "exit 0": ("import sys; print(1); sys.exit(0); print(2)", "", "1\n", (PASSED, "")),
    "exit without a code": ("import sys; print(1); sys.exit()", "", "1\n", (PASSED, "")),
    "exit 1": ("import sys; print(1); sys.exit(1)", "", "1\n", (FAILED, "SystemExit: 1")),
    "exit with words": (
        "import sys; print(1); sys.exit('no')",
        "",
        "1\n",
        (FAILED, "SystemExit: no"),
    ),
    "past the end": ("input(); input()", "1\n", "", (FAILED, "EOFError: EOF when reading a line")),
    "a prompt": ("print(input('? '))", "1\n", "? 1\n", (PASSED, "")),
    "all lines": ("import sys\nprint(sum(map(int, sys.stdin)))", "1\n2\n3\n", "6\n", (PASSED, "")),
    "bytes": (
        "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read().upper())",
        "é a\n",
        "é A\n",
        (PASSED, ""),
    ),
    "file descriptors": ("import os\nos.write(1, os.read(0, 9))", "abc\n", "abc\n", (PASSED, "")),
    "stdin opened": ("print(open(0).read())", "x\ny\n", "x\ny\n", (PASSED, "")),
    "streams of its own": (
        "import io, sys\nprint('a')\n"
        "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'utf-8')\nprint(input())",
        "é\n",
        "a\né\n",
        (PASSED, ""),
    ),
    "stdout closed": ("import sys\nprint('a')\nsys.stdout.close()", "", "a\n", (PASSED, "")),
    "as a program": (
        "import sys\nif __name__ == '__main__': print(len(sys.argv), __file__[-7:])",
        "",
        "1 prog.py\n",
        (PASSED, ""),
    ),
    "its own module": ("import helper\nhelper.n += 1\nprint(helper.n)", "", "1\n", (PASSED, "")),
    "its own module again": (
        "import helper\nhelper.n += 1\nprint(helper.n)",
        "",
        "1\n",
        (PASSED, ""),
    ),
    "a subprocess": ("import os; os.system('echo hi; cat')", "you\n", "hi\nyou\n", (PASSED, "")),
    "a thread": (
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('t'))).start()",
        "",
        "t\n",
        (PASSED, ""),
    ),
    "an interrupt": ("raise KeyboardInterrupt", "", "", (FAILED, "KeyboardInterrupt")),
    "out of the process": (
        "import os; print(1, flush=True); os._exit(0)",
        "",
        "1\n",
        (CRASHED, "exit 0"),
    ),
    "endless output": (
        "while True: print('x' * 9999)",
        "",
        "x\n",
        (FAILED, LARGE),
    ),
    "endless": ("while True: pass", "", "", (TIMEOUT, "time limit")),
}


@pytest.mark.parametrize("python", EVERY)
def test_input_and_output(python: str, tmp_path: Path) -> None:
    """All programs are one: the first line of the input says which."""
    programs = {name: text for name, (text, _, _, _) in PAIRS.items()}
    whole = (
        "import os\nname = b''\nwhile not name.endswith(b'\\n'): name += os.read(0, 1)\n"
        f"exec({programs!r}[name.decode().strip()])\n"
    )
    write(tmp_path, {"prog.py": whole, "helper.py": "n = 0\n"})
    for name, (_, given, wanted, _) in PAIRS.items():
        write(tmp_path, {f"io/{name}.in": f"{name}\n{given}", f"io/{name}.out": wanted})
    found = run(python, tmp_path, "prog.py", io=tmp_path / "io")
    assert {c.kind for c in found.cases} == {CaseKind.IO}
    got = {o.case.removeprefix("io: "): short(o) for o in found.outcomes}
    assert got == {name: wanted for name, (_, _, _, wanted) in PAIRS.items()}


def test_hundreds_of_pairs_do_not_use_up_file_descriptors(tmp_path: Path) -> None:
    write(tmp_path, {"prog.py": "print(int(input()) * 2)\n"})
    for n in range(600):
        write(tmp_path, {f"io/{n}.in": f"{n}\n", f"io/{n}.out": f"{2 * n}\n"})
    limited = tmp_path / "python"
    limited.write_text(f'#!/bin/sh\nulimit -n 100\nexec {sys.executable} "$@"\n')
    limited.chmod(0o755)
    found = run(str(limited), tmp_path, "prog.py", io=tmp_path / "io")
    assert len(found.outcomes) == 600
    assert {str(o.status) for o in found.outcomes} == {PASSED}


def test_a_folder_of_pairs_must_hold_some(tmp_path: Path) -> None:
    write(tmp_path, {"prog.py": "print(1)\n", "empty/readme.txt": "", "half/a.in": ""})
    with pytest.raises(NoCasesError, match=r"holds no NAME\.in"):
        run("unused", tmp_path, "prog.py", io=tmp_path / "empty")
    with pytest.raises(UsageError, match=r"no a\.out beside"):
        run("unused", tmp_path, "prog.py", io=tmp_path / "half")
    with pytest.raises(UsageError, match="is no folder"):
        run("unused", tmp_path, "prog.py", io=tmp_path / "none")
