"""Expressions in states of runs: on every CPython, and hostile ones."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from interpreters import EVERY

from mgdebug.errors import UsageError
from mgdebug.languages import language_of
from mgdebug.model import Hierarchy, Limits, Target
from mgdebug.runner import Runner
from mgdebug.runner.evaluate import Evaluated, State, evaluate_request, read_evaluated
from mgdebug.sandbox.policy import Policy
from mgdebug.settings import Bounds
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

CONFINED = Policy()


class Asking:
    """A program of one file, and one expression that runs it."""

    def __init__(
        self,
        root: Path,
        python: str,
        text: str,
        calls: Sequence[str],
        policy: Policy = CONFINED,
    ) -> None:
        self.text = textwrap.dedent(text)
        (root / "program.py").write_text(self.text, "utf-8")
        target = Target(root, root, "program.py", "", (), tuple(calls))
        limits = Limits(case_seconds=4)
        self.runner = Runner(target, python, limits, 1, doctests=False, policy=policy)
        self.cases = [case.id for case in self.runner.run().cases]

    def source(self, text: str | None = None) -> SourceFile:
        language = language_of("program.py")
        assert language is not None
        return SourceFile("program.py", (text or self.text).encode(), language.grammar())

    def hierarchy(self, text: str | None = None) -> Hierarchy:
        return decompose([self.source(text)])

    def block(self, fragment: str, text: str | None = None) -> str:
        """The id of the shortest block that begins with a fragment."""
        source = self.source(text)
        blocks = [b for s in self.hierarchy(text).subfunctions.values() for b in s.blocks]
        pieces = {b.id: source.slice(b.span.start, b.span.end) for b in blocks}
        found = [id for id, piece in pieces.items() if piece.startswith(fragment)]
        assert found, (fragment, pieces)
        return min(found, key=lambda id: len(pieces[id]))

    def ask(self, fragment: str, number: int, *expressions: str, case: int = 0) -> list[str]:
        state = State(self.cases[case], self.block(fragment), number)
        (row,) = self.runner.evaluate(self.hierarchy(), expressions, [state])
        return [short(one) for one in row]


def short(one: Evaluated) -> str:
    return one.value.text if one.value is not None else f"! {one.error}"


Start = Callable[..., Asking]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[Asking] = []

    def begin(text: str, *calls: str, python: str = sys.executable) -> Asking:
        made.append(Asking(tmp_path, python, text, calls))
        return made[-1]

    yield begin
    for one in made:
        one.runner.close()


LOOP = """
def f(n):
    total = 0
    for i in range(n):
        total += i
    return total
"""

SHAPES = """
import asyncio

LIMIT = 3

def outer(base):
    def inner(x):
        return x + base
    return [inner(y) for y in range(4) if y != 2]

def squares(n):
    for i in range(n):
        yield i * i

def down(n):
    if n == 0:
        return 0
    return 1 + down(n - 1)

async def wait(n):
    await asyncio.sleep(0)
    if n:
        m = n + 1
    return m

class Loud:
    def __init__(self):
        self.size = 7
    def __repr__(self):
        raise ValueError("repr")
    def grow(self):
        self.size += 1
        return self.size

key = lambda p: p[1]

def everything():
    sum(squares(5))
    down(30)
    asyncio.run(wait(4))
    Loud().grow()
    sorted([(1, 2), (2, 1)], key=key)
    return outer(10)
"""


@pytest.mark.parametrize("python", EVERY)
def test_states_of_all_kinds_of_frames(start: Start, python: str) -> None:
    asking = start(SHAPES, "everything() == 0", python=python)
    assert asking.ask("return x + base", 2, "x", "base", "LIMIT", "missing")[:3] == ["1", "10", "3"]
    assert asking.ask("yield", 4, "i", "n", "[j for j in range(i) if j < n]") == [
        "3",
        "5",
        "[0, 1, 2]",
    ]
    assert asking.ask("n == 0", 31, "n") == ["0"]
    assert asking.ask("n == 0", 32, "n") == ["! not reached"]
    assert asking.ask("m = n", 1, "n * 2") == ["8"]
    assert asking.ask("self.size += 1", 1, "self.size", "self.grow()", "self.grow()", "self") == [
        "7",
        "8",
        "8",
        "<Loud size=7>",
    ]
    assert asking.ask("inner(y)", 3, "y", "base") == ["3", "10"]
    assert asking.ask("p[1]", 2, "p", "p[0] + p[1]") == ["(2, 1)", "3"]


@pytest.mark.parametrize("python", EVERY)
def test_an_expression_changes_neither_the_run_nor_the_others(start: Start, python: str) -> None:
    text = """
    def f(xs, it):
        kept = dict(a=[1])
        if xs:
            xs.sort()
        if kept:
            done = xs + list(it)
        return done
    """
    asking = start(text, "f([3, 1, 2], iter([7, 8])) == 0", python=python)
    changing = ["xs.clear()", "next(it)", "kept['a'].append(2)", "(xs := 5)", "list(it)", "8 in it"]
    read = ["xs", "kept", "len(xs)"]
    blocks = [asking.block(text) for text in ("xs.sort()", "done =", "return done")]
    states = [State(asking.cases[0], block, 1) for block in blocks]
    rows = asking.runner.evaluate(asking.hierarchy(), [*read, *changing, *read, "done"], states)
    first, second, third = ([short(one) for one in row] for row in rows)
    assert first[:3] == first[9:12] == ["[3, 1, 2]", "{'a': [1]}", "3"]
    assert first[3:9] == ["None", "7", "None", "5", "[7, 8]", "True"]
    assert second[:3] == second[9:12] == ["[1, 2, 3]", "{'a': [1]}", "3"]
    assert second[3:9] == first[3:9]
    assert third[12] == "[1, 2, 3, 7, 8]"


def test_visits_beyond_a_thousand_are_counted_exactly(start: Start) -> None:
    asking = start(LOOP, "f(5000) == 0")
    block, other = asking.block("total += i"), asking.block("return")
    states = [State(asking.cases[0], block, n) for n in (4321, 1, 1500, 5001)]
    states.append(State(asking.cases[0], other, 1))
    rows = asking.runner.evaluate(asking.hierarchy(), ["i", "total"], states)
    assert [short(row[0]) for row in rows] == ["4320", "0", "1499", "! not reached", "4999"]
    assert short(rows[2][1]) == str(sum(range(1499)))


def test_numbers_are_those_of_a_trace(start: Start) -> None:
    text = """
    def f(xs):
        out = []
        for x in xs:
            if x % 3 == 0:
                out.append(x)
            elif x > 5 and x != 8:
                out.append(-x)
            else:
                y = x
        return out
    """
    asking = start(text, "f(list(range(20))) == 0")
    hierarchy, cases = asking.hierarchy(), asking.cases
    (trace,), _, _ = asking.runner.trace(hierarchy, cases, cases)
    visits = [
        v for v in trace.visits if v.before and v.number and v.block.startswith("program.py::f")
    ]
    assert len(visits) > 40
    states = [State(cases[0], v.block, v.number) for v in visits]
    names = sorted({name for v in visits for name in v.before})
    rows = asking.runner.evaluate(hierarchy, names, states)
    for visit, row in zip(visits, rows, strict=True):
        found = {name: one.value for name, one in zip(names, row, strict=True)}
        assert {name: found[name] for name in visit.before} == dict(visit.before), visit


HOSTILE = [
    ("while True: pass", "SyntaxError"),
    ("1 +", "SyntaxError"),
    ("\0", ""),
    ("(" * 3000, ""),
    ("x" * 5000, "longer than"),
    ("1 / 0", "ZeroDivisionError"),
    ("exit()", "SystemExit"),
    ("__import__('os')._exit(3)", "exit 3"),
    ("__import__('os').kill(__import__('os').getpid(), 9)", "SIGKILL"),
    ("__import__('os').kill(__import__('os').getppid(), 9)", "SIGKILL"),
    ("[0 for _ in iter(int, 1)]", "time limit"),
    ("10 ** 10 ** 9", "time limit"),
    ("__import__('time').sleep(99)", "time limit"),
    ("print(1)", "prints"),
    ("__import__('os').fork()", "starts processes"),
    ("'a' * 10 ** 12", "MemoryError"),
    ("__import__('ctypes').string_at(0)", "SIGSEGV"),
    ("(_ for _ in ()).throw(KeyboardInterrupt)", "KeyboardInterrupt"),
    ("__import__('sys').setrecursionlimit(10**8) or (lambda f: f(f))(lambda f: f(f))", ""),
]


def test_a_hostile_expression_is_an_error_of_itself_alone(start: Start) -> None:
    asking = start(LOOP, "f(4) == 0", "f(5) == 0")
    expressions = [text for text, _ in HOSTILE]
    asked = [one for text in expressions for one in (text, "i + total")]
    states = [State(case, asking.block("total += i"), 3) for case in asking.cases]
    rows = asking.runner.evaluate(asking.hierarchy(), asked, states)
    assert len(rows) == 2
    for row in rows:
        for (text, wanted), bad, good in zip(HOSTILE, row[::2], row[1::2], strict=True):
            assert short(good) == "3", text
            assert bad.value is None, (text, bad)
            assert wanted in bad.error, (text, bad)
            assert bad.key is None


def test_whoever_kills_the_whole_group_is_named(start: Start) -> None:
    asking = start(LOOP, "f(4) == 0", "f(5) == 0")
    expressions = ["i", "__import__('os').kill(0, 9)", "(_ := i + 1)"]
    states = [State(case, asking.block("total += i"), 3) for case in asking.cases]
    for row in asking.runner.evaluate(asking.hierarchy(), expressions, states):
        assert [short(one) for one in row] == ["2", "! signal SIGKILL", "3"]


def test_a_case_that_never_ends_answers_for_what_it_reached(start: Start) -> None:
    text = """
    def f(n):
        while True:
            n += 1
    def g(n):
        m = n
        return m
    """
    asking = start(text, "f(0) == 0", "g(5) == 0")
    hierarchy, block = asking.hierarchy(), asking.block("n += 1")
    states = [State(asking.cases[0], block, 1000), State(asking.cases[1], asking.block("m"), 1)]
    rows = asking.runner.evaluate(hierarchy, ["n"], states)
    assert [[short(one) for one in row] for row in rows] == [["999"], ["5"]]


def test_patched_sources_are_what_is_run(start: Start) -> None:
    asking = start(LOOP, "f(4) == 0")
    patched = asking.text.replace("total = 0", "extra = 9\n    total = extra")
    state = State(asking.cases[0], asking.block("total += i", patched), 2)
    hierarchy = asking.hierarchy(patched)
    (row,) = asking.runner.evaluate(
        hierarchy, ["extra", "total"], [state], {"program.py": patched.encode()}
    )
    assert [short(one) for one in row] == ["9", "9"]


def test_expressions_may_differ_by_block(start: Start) -> None:
    asking = start(LOOP, "f(4) == 0")
    one, two = asking.block("total += i"), asking.block("return")
    given: Mapping[str, Sequence[str]] = {one: ["i"], two: ["total", "n"]}
    states = [State(asking.cases[0], two, 1), State(asking.cases[0], one, 1)]
    rows = asking.runner.evaluate(asking.hierarchy(), given, states)
    assert [[short(x) for x in row] for row in rows] == [["6", "4"], ["0"]]


def test_equal_values_share_a_key_and_others_do_not(start: Start) -> None:
    asking = start(LOOP, "f(4) == 0")
    state = State(asking.cases[0], asking.block("return"), 1)
    same = ["total", "1 + 2 + 3", "2 * i"]
    others = ["6.0", "str(total)", "True", "1", "[1]", "[True]", "(1,)", "0.0", "-0.0", "{1: 2}"]
    unknown = ["list(range(10000))", "f", "1 / 0", "lambda: 1", "'a' * 100000"]
    (row,) = asking.runner.evaluate(asking.hierarchy(), [*same, *others, *unknown], [state])
    keys = [one.key for one in row]
    assert len(set(keys[:3])) == 1
    assert keys[0] is not None
    assert len(set(keys[2 : 3 + len(others)])) == 1 + len(others)
    assert keys[3 + len(others) :] == [None] * len(unknown)


HIDDEN = """
import itertools
import random
from typing import Generic, TypeVar

class Plain(Generic[TypeVar("T")]):
    pass

class Steps(itertools.count):
    pass

class Dice(random.Random, Plain):
    pass

def f(n):
    return n
"""


@pytest.mark.parametrize("python", EVERY)
def test_what_a_text_does_not_tell_has_no_key(start: Start, python: str) -> None:
    asking = start(HIDDEN, "f(4) == 0", python=python)
    state = State(asking.cases[0], asking.block("return n"), 1)
    hidden = ["Steps(1)", "[Steps(2)]", "Dice(1)", "object()", "iter([n])"]
    told = ["Plain()", "[Plain()]", "{2, 1, n}", "{n, 2, 1}"]
    (row,) = asking.runner.evaluate(asking.hierarchy(), [*hidden, *told], [state])
    assert [one.error for one in row] == [""] * len(row)
    keys = [one.key for one in row]
    assert keys[: len(hidden)] == [None] * len(hidden)
    assert None not in keys[len(hidden) :]
    assert keys[-1] == keys[-2]


def test_files_and_output_of_the_run_stay_as_they_are(start: Start, tmp_path: Path) -> None:
    text = """
    def f(path):
        file = open(path)
        first = file.readline()
        mark = 1
        if mark:
            second = file.readline()
        return first + second
    """
    (tmp_path / "lines.txt").write_text("one\ntwo\nthree\n")
    asking = start(text, f"f({str(tmp_path / 'lines.txt')!r}) == 0")
    row = asking.ask("return first", 1, "file.read()", "file.read()", "file.seek(0)", "second")
    assert row[0] == row[1]
    assert row[3] == "'two\\n'"


def test_where_no_process_may_be_started_it_says_so(tmp_path: Path) -> None:
    policy = Policy(processes=0)
    asking = Asking(tmp_path, sys.executable, LOOP, ["f(4) == 0"], policy)
    try:
        if not asking.runner.gaps:
            assert asking.ask("return", 1, "i")[0].startswith("! no process can be started here")
    finally:
        asking.runner.close()


def test_a_block_that_is_not_there_is_refused(start: Start) -> None:
    asking = start(LOOP, "f(4) == 0")
    with pytest.raises(UsageError, match="no block"):
        asking.runner.evaluate(asking.hierarchy(), ["1"], [State("x", "program.py::f#99", 1)])
    gone = State("no such case", asking.block("return"), 1)
    assert asking.runner.evaluate(asking.hierarchy(), ["1"], [gone])[0][0].error == "not reached"
    assert asking.runner.evaluate(asking.hierarchy(), ["1"], []) == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"shots": 3, "rows": None},
        {"shots": [["int", "1", False, None]], "rows": [[0, 1]]},
        {"shots": [["int"], 7, None], "rows": [[0], [True]]},
        {"shots": [], "rows": [["0"], [-1]]},
        {"rows": [[0], [0]]},
    ],
)
def test_a_malformed_answer_is_no_answer(answer: dict[str, object]) -> None:
    rows = read_evaluated(answer, [1, 1])
    assert [[one.error for one in row] for row in rows] == [["no answer"], ["no answer"]]


def test_a_request_names_only_the_files_that_are_wanted(start: Start) -> None:
    asking = start(LOOP, "f(4) == 0")
    state = State(asking.cases[0], asking.block("return"), 1)
    request = evaluate_request(asking.hierarchy(), ["1"], [state], Bounds(), lambda path: path)
    assert list(request["places"]) == ["program.py"]
    nothing = evaluate_request(asking.hierarchy(), ["1"], [], Bounds(), lambda path: path)
    assert nothing["places"] == {}
