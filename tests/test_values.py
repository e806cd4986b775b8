"""What passes is what the parent finds equal itself, from plain data."""

from __future__ import annotations

import ast
import collections
import contextlib
import datetime
import decimal
import enum
import fractions
import json
import math
import os
import pathlib
import sys
from collections import UserList
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest
from interpreters import EVERY, run_inside

from mgdebug.errors import ProbeError
from mgdebug.model import Limits, Status, Target
from mgdebug.probe.answer import Answer
from mgdebug.probe.frames import Malformed
from mgdebug.probe.judges import Judges
from mgdebug.probe.judging import Either, Program
from mgdebug.probe.plain import NotPlain, flatten, rebuild
from mgdebug.runner import Plan, Runner

HOSTILE = Path(
    os.environ.get("MGDEBUG_HOSTILE") or Path(__file__).parents[2] / "shared" / "hostile"
)


class Colour(enum.IntEnum):
    RED = 1


class Point(NamedTuple):
    x: int
    y: int


class Yes(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__

    def __sub__(self, other: object) -> int:
        return 0


class Vector:
    def __init__(self, x: int) -> None:
        self.x = x

    def __sub__(self, other: object) -> Vector:
        return Vector(0)

    def __abs__(self) -> int:
        return self.x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector)

    __hash__ = None  # type: ignore[assignment]


class Name(str):
    pass


def through(value: Any) -> Any:
    return rebuild(json.loads(json.dumps(flatten(value))))


SAME = [
    "None", "True", "0", "-1", "10**5000", "-(2**53)", "1.5", "-0.0", "math.inf", "1 - 2j", "''",
    "'\\xe9\\ud83d\\ude00'", "'\\ud83d'", "b'\\xff'", "bytearray(b'a')", "[]", "[[1], (2, [3])]",
    "()", "{1, (2, 3)}", "frozenset({4})", "{'a': [1], (1, 2): {}}", "range(1, 9, 3)",
    "slice(None, 2)", "...", "collections.OrderedDict(b=1, a=2)", "collections.Counter('aab')",
    "collections.deque([1, 2])", "fractions.Fraction(-1, 3)", "decimal.Decimal('1.10')",
    "datetime.date(2020, 2, 29)", "datetime.time(1, 2, tzinfo=datetime.timezone.utc)",
    "datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc)",
    "datetime.timedelta(-1, 2, 3)", "pathlib.PurePosixPath('/a')", "pathlib.Path('a/b')",
]  # fmt: skip


MODULES = (collections, datetime, decimal, fractions, math, pathlib)


@pytest.mark.parametrize("source", SAME)
def test_plain_values_come_back_as_they_were(source: str) -> None:
    value = eval(source, {module.__name__: module for module in MODULES})
    found = through(value)
    assert type(found) is type(value)
    assert found == value


def test_numbers_that_are_equal_to_nothing_or_to_too_much_keep_their_kind() -> None:
    assert math.isnan(through(math.nan))
    assert math.copysign(1, through(-0.0)) == -1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.RED, 1),
        (Name("a"), "a"),
        (Point(1, 2), (1, 2)),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
    ],
)
def test_a_subclass_with_the_equality_of_a_builtin_is_that_builtin(value: Any, plain: Any) -> None:
    assert through(value) == plain
    assert type(through(value)) is type(plain)


def test_what_has_no_end_or_too_much_of_it_is_not_plain() -> None:
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(NotPlain, match="type list is not comparable: nested too deep"):
        flatten(deep)
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    with pytest.raises(NotPlain, match="type list is not comparable: cyclic"):
        flatten(cyclic)
    wide: list[Any] = [1]
    for _ in range(60):
        wide = [wide, wide]
    for large in (wide, [0] * 10**6, "a" * 10**7, {1: [b"a"] * 10**6}):
        with pytest.raises(NotPlain, match="too large to compare"):
            flatten(large)


@pytest.mark.parametrize(
    "flat",
    [[], [1, 2], 5, "a", [["l", 1]], [1, ["l", -1]], [1, ["d", 1]], [["x", 1]], [["i"]], [{}],
     [["l", 0], ["s", 1]], [["F", "1/0"]], [[]], [["i", 5]]],
    ids=repr,
)  # fmt: skip
def test_a_plain_form_that_nobody_sends_is_malformed(flat: Any) -> None:
    program = Program("f() == 1")
    with pytest.raises(Malformed):
        program.verdict([[flat]])


@pytest.mark.parametrize("proof", [None, [], [[]], [[1], [1]], "inside", [[[1], [1]]]], ids=repr)
def test_a_proof_of_the_wrong_shape_is_malformed(proof: Any) -> None:
    source = "f() == 1"
    answer = Answer(1, Judges([source], []))
    id = f"case 1: {source}"
    answer.take({"begin": id})
    end = {"end": id, "status": "passed", "seconds": 0, "processor": 0, "message": ""}
    with pytest.raises(Malformed):
        answer.take({**end, "proof": proof})


def judged(source: str, proof: Any, **more: Any) -> Any:
    """The outcome of a case whose child says that it passed."""
    answer = Answer(1, Judges([source], []))
    id = f"case 1: {source}"
    answer.take({"begin": id})
    end = {"end": id, "status": "passed", "seconds": 0, "processor": 0, "message": "", **more}
    answer.take({**end, "proof": proof})
    [outcome] = answer.outcomes
    assert "proof" not in outcome
    return outcome


def test_an_outcome_tells_whose_word_it_is() -> None:
    assert "judged" not in judged("f() == 1", [[[1]]], judged="inside")
    wrong = judged("f() == 1", [[[2]]])
    assert (wrong["status"], wrong["message"]) == (
        "failed",
        "it is not true outside of the program",
    )
    assert judged("f() == g()", ["inside"])["judged"] == "inside"
    assert judged("x = f()", [])["judged"] == "inside"
    assert judged("f() == 1", None, status="failed", message="no")["message"] == "no"
    with pytest.raises(Malformed):
        judged("f() == 1", [[[1]]], status="skipped")


def proof_of(source: str, **names: Any) -> tuple[Program, Any]:
    program = Program(source)
    proof = []
    for step, code in program.parts:
        if step is None:
            assert code is not None
            exec(code, names)
            continue
        step.truth(names)
        proof.append(step.proof(names))
    return program, json.loads(json.dumps(proof))


OUTSIDE = [
    "f(2) == 2", "f(2) != 3", "f(2) < 3", "1 < f(2) < 3", "f(2) in [1, 2]", "f(None) is None",
    "math.isclose(f(1.0), 1)", "abs(f(1.5) - 1.5) < 1e-6", "f(1) == f(1)", "not f(0)", "f(1)",
    "f({1}) == {1}", "f(set()) == set()", "f(frozenset()) == frozenset()", "f(-1) == -1",
    "f(1) < float('inf')", "f([..., b'a', 1j]) == [..., b'a', 1j]", "f(1) == 1 and f(2) == 2",
    "assert f(2) == 2", "assert f(1) == 1, 'm'; assert f(2) == 2", "x = f(3)\nassert x == 3",
    "(y := f(1)) == y", "round(f(1.26), 1) == 1.3", "f(1024) == 2**10", "f('aa') == 'a' * 2",
    "f([math.inf]) == [float('inf')]", "f({1: set()}) == {1: set()}", "-f(1) == -1",
    "f({1: 2}.keys()) == {1}", "f(memoryview(b'a')) == b'a'", "len(f([1])) == 1",
    "f(None) is not None or f(1) == 1", "assert f(1) == 2 or f(2) == 2",
]  # fmt: skip


def other(step: Any, proof: Any) -> Any:
    """A proof of its shape, with another value for each call."""
    if isinstance(step, Either):
        return [proof[0], other(step.steps[proof[0]], proof[1])]
    return [["other"] for _ in step.leaves]


@pytest.mark.parametrize("source", OUTSIDE)
def test_the_parent_finds_the_same_with_its_own_literals(source: str) -> None:
    program, proof = proof_of(source, f=lambda x: x, math=math)
    assert program.verdict(proof) == (True, "", False)
    forged = [other(step, part) for step, part in zip(program.steps, proof, strict=True)]
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    always = ("f(2) != 3", "f(1)", "f(1) == f(1)", "(y := f(1)) == y")
    if source not in always:
        assert names
        assert not program.verdict(forged).passed


INSIDE = [
    "o == o", "o is o", "o", "for i in [1]:\n    assert f(i) == i",
    "f(1) == 2 or (f(1) == 1 and f(2) == 2)", "f(1) == 1 if f(1) else False",
    "x = f(1)", "all(f(i) == i for i in range(3))", "P(1) - P(1) == P(0)",
    "abs(P(1) - P(1)) < 1e-6",
]  # fmt: skip


@pytest.mark.parametrize("source", INSIDE)
def test_what_only_the_child_can_judge_is_marked(source: str) -> None:
    program, proof = proof_of(source, f=lambda x: x, o=object(), P=Vector)
    assert program.verdict(proof) == (True, "", True)


@pytest.mark.parametrize("source", ["f(5) == 10", "abs(f(5) - 10) < 1e-6", "f(5) in [10]"])
def test_a_class_that_is_equal_to_all_is_not_comparable(source: str) -> None:
    program, proof = proof_of(source, f=Yes)
    assert program.verdict(proof) == (False, "value of type Yes is not comparable", False)


@pytest.mark.parametrize(
    ("source", "value", "said"),
    [
        ("abs(f(5) - 10) < 1e-6", Vector(0), (False, "value of type Vector is not comparable")),
        ("f(5) == 10", mock.ANY, (False, "value of type _ANY is not comparable")),
        ("f(5) == 10", pytest.approx(10), (False, "value of type ApproxScalar is not comparable")),
        ("f(5) == [1, 2]", UserList([1, 2]), (True, "")),
        ("f(5) is not None", Vector(0), (True, "")),
        ("f(5) != None", object(), (True, "")),
        ("f(5) < 10", object(), (False, "TypeError: '<' not supported")),
    ],
)
def test_objects_beside_literals(source: str, value: Any, said: tuple[bool, str]) -> None:
    program = Program(source)
    names = {"f": lambda x: value}
    [step] = program.steps
    with contextlib.suppress(TypeError):
        step.truth(names)
    found = program.verdict(json.loads(json.dumps([step.proof(names)])))
    assert found.passed == said[0]
    assert found.message.startswith(said[1])
    assert not found.inside


def test_the_word_of_the_child_does_not_do_where_a_literal_stands() -> None:
    for word in ("inside", "inside:", "inside:nowhere", "inside:pytest", "inside:os", "whole:ruff"):
        with pytest.raises(Malformed):
            Program("f(5) == 10").verdict([word])
    assert Program("f(5) == 10").verdict(["inside:click"]) == (True, "", True)
    assert Program("f(5) == g(5)").verdict(["inside"]) == (True, "", True)
    assert not Program("abs(f(5) - 10) < 1e-6").verdict([{"whole": [[5]]}]).passed


def test_numbers_whose_arithmetic_has_no_end_are_too_large() -> None:
    long = "9" * 20_000
    for leaf in (["N", "1e9999999"], ["N", long], ["F", long + "/1"], ["F", "1/" + long],
                 ["r", ["0x0", hex(10**9), "0x1"]]):  # fmt: skip
        with pytest.raises(Malformed):
            Program("round(f(1)) == 1").verdict([[[leaf]]])
    for value in (
        decimal.Decimal("1e9999999"),
        fractions.Fraction(16**20_000),
        range(-(10**20), 0),
    ):
        with pytest.raises(NotPlain, match="too large"):
            flatten(value)


# ---------------------------------------------------------------------------------- doctests

DOCUMENTED = """
import functools
from mark import marked
def double(x):
    '''
    >>> double(2)   # doctest: +ELLIPSIS
    4...
    >>> print(
    ...    double(5))
    10
    >>> double("never")   # doctest: +SKIP
    >>> double(None)
    Traceback (most recent call last):
    ...
    TypeError: unsupported operand type(s) for *: 'NoneType' and 'int'
    >>> raise double.E("x")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ValueError: other words
    '''
    return x * 2
double.E = ValueError
class C:
    if True:
        @functools.lru_cache(None)
        def m(self):
            '''
            >>> double(1)
            2
            '''
    @property
    def p(self):
        '''
        >>> double(1)
        2
        '''
    @p.setter
    def p(self, value): ...
@marked
def g():
    '''
    >>> 5
    6
    '''
"""
MARK = "def marked(f):\n    f.__doc__ = '>>> 7\\n7'\n    return f\n"


def test_doctests_are_judged_by_what_the_parent_has_read(tmp_path: Path) -> None:
    (tmp_path / "lib.py").write_text(DOCUMENTED)
    (tmp_path / "mark.py").write_text(MARK)
    judges = Judges([], [], [str(tmp_path / "lib.py")])
    with Runner(Target(tmp_path, tmp_path, "lib.py"), sys.executable, Limits(), 1) as runner:
        found = runner.run()
        assert {o.case: str(o.status) for o in found.outcomes} == {
            "doctest: lib.double": "passed",
            "doctest: lib.C.m": "passed",
            "doctest: lib.C.p": "passed",
            "doctest: lib.g": "passed",  # not as it stands there: its decorator writes another one
        }
        forged = DOCUMENTED + "\nLATER = 1\n"  # wants a new import, which reads the docstrings anew
        for old, new in (("* 2", "* 3"), ("4...", "6..."), ("10\n", "15\n"), (" 2\n", " 3\n")):
            forged = forged.replace(old, new)
        [verdict] = runner.attempt([{"lib.py": forged.encode()}], Plan.of(found.outcomes))
        assert verdict.passed == ("doctest: lib.g",)  # the only one without an example of * 3
    judge = judges.of("doctest: lib.double")
    words = "TypeError: unsupported operand type(s) for *: 'NoneType' and 'int'"
    good = [
        ["double(2)   # doctest: +ELLIPSIS\n", False, "4\n"],
        ["print(\n   double(5))\n", False, "10\n"],
        ["double(None)\n", True, words + "\n"],
        ['raise double.E("x")  # doctest: +IGNORE_EXCEPTION_DETAIL\n', True, "a.ValueError: x"],
    ]
    assert judge.verdict(good) == (True, "", False)
    assert judge.verdict([["double(2)\n", False, "4\n"], *good[1:]]).passed is False
    assert judge.verdict(good[:-1]).message == "its examples are not those of the file"
    assert judge.verdict([good[1], good[0], *good[2:]]).passed is False
    for at, word, message in ((0, "5\n", "got 5"), (1, "", "Got nothing"), (2, "E", "got E")):
        changed = [*good[:at], [*good[at][:2], word], *good[at + 1 :]]
        assert judge.verdict(changed) == (False, message, False)
    assert judges.of("doctest: lib.g").verdict([["7\n", False, "7\n"]]) == (True, "", True)
    assert judges.of("doctest: lib.C.m").verdict([["double(1)\n", False, "2\n"]]).passed
    for bad in (None, [1], [["a", "b", "c"]], [[1, False, ""]], "passed"):
        with pytest.raises(Malformed):
            judge.verdict(bad)


# --------------------------------------------------------------------------- input and output


def test_an_output_is_compared_with_the_one_that_the_parent_has_read(tmp_path: Path) -> None:
    wanted = tmp_path / "a.out"
    wanted.write_text("1\né  \n", "utf-8")
    judge = Judges([], [("a", "a.in", str(wanted))]).of("io: a")
    wanted.write_text("anything\n")
    assert judge.verdict("1 \n\u00c3\u00a9").passed
    assert judge.verdict("1\n2\n") == (False, "line 2 is '2', wanted 'é'", False)
    for bad in (None, 1, "\u0100", ["1"]):
        with pytest.raises(Malformed):
            judge.verdict(bad)


# ------------------------------------------------------------------------- every interpreter

INSIDE_OUT = """
import collections, datetime, decimal, fractions, importlib, json, math, pathlib
Program = importlib.import_module("_mgdebug_probe.judging").Program
plain = importlib.import_module("_mgdebug_probe.plain")
flatten, rebuild = plain.flatten, plain.rebuild
answer = []
for text in message["values"]:
    value = eval(text)
    found = rebuild(json.loads(json.dumps(flatten(value))))
    if type(found) is not type(value) or found != value:
        answer.append(text)
def f(x): return x
for source in message["sources"]:
    program, proof, names = Program(source), [], {"f": f, "math": math}
    for step, code in program.parts:
        if step is None:
            exec(code, names)
        else:
            step.truth(names)
            proof.append(step.proof(names))
    if program.verdict(json.loads(json.dumps(proof))) != (True, "", False):
        answer.append(source)
import enum
Colour = enum.IntEnum("Colour", "RED")
Kind = enum.Enum("Kind", {"A": "a"}, type=str)
Point = collections.namedtuple("Point", "x y")
for value in (Colour.RED, Kind.A, Point(1, 2), collections.defaultdict(int, a=1)):
    found = rebuild(json.loads(json.dumps(flatten(value))))
    if type(found) not in (int, str, tuple, dict) or found != value:
        answer.append(repr(value))
deep = []
for _ in range(200000): deep = [deep]
try:
    flatten(deep)
    answer.append("deep")
except Exception as error:
    if "nested too deep" not in str(error): raise
"""


@pytest.mark.parametrize("python", EVERY)
def test_every_interpreter_takes_apart_rebuilds_and_compares(python: str) -> None:
    message = {"values": SAME, "sources": OUTSIDE}
    assert run_inside(python, INSIDE_OUT, message) == []


# ------------------------------------------------------------------------------------ cheats

REPLACED = """
import sys
def solve(x):
    for name, module in list(sys.modules.items()):
        if name.endswith(("judging", "examples", "cases")):
            for kind in vars(module).values():
                for method in ("proof", "verdict", "truth"):
                    if hasattr(kind, method):
                        setattr(kind, method, lambda *_: WORD)
    return 11
"""


@pytest.mark.parametrize("word", ["True", "'inside'", "'inside:pytest'", "['passed']", "None"])
def test_who_replaces_what_judges_in_its_own_process_does_not_pass(
    word: str, tmp_path: Path
) -> None:
    (tmp_path / "cheat.py").write_text(REPLACED.replace("WORD", word))
    sources = ("solve(5) == 10", "assert solve(5) == 10", "abs(solve(5) - 10) < 1e-6")
    target = Target(tmp_path, tmp_path, "cheat.py", expressions=sources)
    with Runner(target, sys.executable, Limits(case_seconds=2.0), 1) as runner:
        found = runner.run()
    assert len(found.outcomes) == 3
    assert not [o.case for o in found.outcomes if o.status is Status.PASSED]


@pytest.mark.parametrize("source", ["a\0b", "(" * 5000 + ")" * 5000, "'\ud800'", "-" * 9999 + "1"])
def test_a_case_that_no_compiler_takes_is_a_syntax_error(source: str) -> None:
    with pytest.raises(SyntaxError):
        Program(source)


ALWAYS = """def solve(x):
    class Yes(int):
        __eq__ = lambda s, o: True
        __sub__ = __abs__ = lambda s, *o: 0
    return Yes(7)
"""
MATCHER = """def solve(x):
    from unittest import mock
    return mock.ANY
"""
LEAVES = """def solve(x):
    import os
    os._exit(0)
"""
RIGHT = "def solve(x):\n    return 2 * x\n"


@pytest.mark.parametrize("alone", [False, True])
def test_a_patch_that_cheats_is_no_step_forward(tmp_path: Path, alone: bool) -> None:
    (tmp_path / "lib.py").write_text("def solve(x):\n    return x\n")
    sources = ("solve(5) == 10", "abs(solve(4) - 8) < 1e-6", "assert solve(3) == 6")
    target = Target(tmp_path, tmp_path, "lib.py", expressions=sources)
    with Runner(target, sys.executable, Limits(case_seconds=2.0), 1) as runner:
        plan = Plan.of(runner.run().outcomes)
        texts = [ALWAYS, MATCHER, LEAVES, RIGHT, "import os\n" + ALWAYS, "import os\n" + RIGHT]
        tries = [{"lib.py": text.encode()} for text in texts]
        passed = [len(v.passed) for v in runner.attempt(tries, plan, alone=alone)]
    assert passed == [0, 0, 0, 3, 0, 3]


def cheats() -> list[Any]:
    if not HOSTILE.is_dir():
        reason = f"no hostile programs at {HOSTILE}"
        return [pytest.param(Path(), marks=pytest.mark.skip(reason=reason))]
    found = [p for p in sorted(HOSTILE.glob("*.py")) if "KIND: cheat" in p.read_text("utf-8")]
    return [pytest.param(path, id=path.stem) for path in found]


@pytest.mark.parametrize("path", cheats())
def test_no_cheat_passes(path: Path, tmp_path: Path) -> None:
    (tmp_path / "cheat.py").write_bytes(path.read_bytes())
    line = next(x for x in path.read_text("utf-8").splitlines() if x.startswith("TESTS"))
    wanted = ast.literal_eval(line.partition("=")[2].partition("#")[0].strip())
    calls = [(f"solve({', '.join(map(repr, args))})", want) for args, want in wanted]
    sources = [f"{call} == {want!r}" for call, want in calls]
    sources += [f"abs({call} - {want!r}) < 1e-6" for call, want in calls]
    sources += [f"assert {call} == {want!r}" for call, want in calls]
    target = Target(tmp_path, tmp_path, "cheat.py", expressions=tuple(sources))
    with Runner(target, sys.executable, Limits(case_seconds=2.0), 1) as runner:
        try:
            found = runner.run()
        except ProbeError:  # it wrote where only answers go: all of it is void
            return
    passed = {o.case.partition(": ")[2] for o in found.outcomes if o.status is Status.PASSED}
    five = {source for source in sources if "solve(5)" in source}
    assert five
    assert not five & passed
    if path.stem in ("20_always_equal", "36_odd_values"):
        assert not passed
        said = [o.message for o in found.outcomes[:3]]
        assert all("not comparable" in words for words in said), said
