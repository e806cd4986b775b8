"""What passes is what the parent finds equal itself, from plain data."""

from __future__ import annotations

import ast
import collections
import datetime
import decimal
import enum
import fractions
import json
import math
import os
import sys
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pytest

from mgdebug.errors import ProbeError
from mgdebug.model import Limits, Status, Target
from mgdebug.probe.answer import Answer
from mgdebug.probe.frames import Malformed
from mgdebug.probe.judging import Judges, Program
from mgdebug.probe.plain import NotPlain, flatten, rebuild
from mgdebug.runner import Runner

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


class Name(str):
    pass


def through(value: Any) -> Any:
    return rebuild(json.loads(json.dumps(flatten(value))))


UTC = datetime.UTC
SAME = [
    None, True, 0, -1, 10**5000, -(2**53), 1.5, -0.0, math.inf, 1 - 2j, "",
    "é\ud83d\ude00", "\ud83d",
    b"\xff", bytearray(b"a"), [], [[1], (2, [3])], (), {1, (2, 3)}, frozenset({4}),
    {"a": [1], (1, 2): {}}, range(1, 9, 3), slice(None, 2), ..., collections.OrderedDict(b=1, a=2),
    collections.Counter("aab"), collections.deque([1, 2]), fractions.Fraction(-1, 3),
    decimal.Decimal("1.10"), datetime.date(2020, 2, 29), datetime.time(1, 2, tzinfo=UTC),
    datetime.datetime(2020, 1, 2, 3, tzinfo=UTC), datetime.timedelta(-1, 2, 3), PurePosixPath("/a"),
    Path("a/b"),
]  # fmt: skip


@pytest.mark.parametrize("value", SAME, ids=lambda value: type(value).__name__)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
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
    "(y := f(1)) == y", "round(f(1.26), 1) == 1.3",
]  # fmt: skip


@pytest.mark.parametrize("source", OUTSIDE)
def test_the_parent_finds_the_same_with_its_own_literals(source: str) -> None:
    program, proof = proof_of(source, f=lambda x: x, math=math)
    assert program.verdict(proof) == (True, "", False)
    forged = [[["other"] for _ in step.leaves] for step in program.steps]
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    if source not in ("f(2) != 3", "f(1)", "f(1) == f(1)", "(y := f(1)) == y"):
        assert names
        assert not program.verdict(forged).passed


INSIDE = [
    "o == o", "o is o", "o", "for i in [1]:\n    assert f(i) == i",
    "f(1) == 2 or f(1) == 1",
    "x = f(1)", "all(f(i) == i for i in range(3))",
]  # fmt: skip


@pytest.mark.parametrize("source", INSIDE)
def test_what_only_the_child_can_judge_is_marked(source: str) -> None:
    program, proof = proof_of(source, f=lambda x: x, o=object())
    assert program.verdict(proof) == (True, "", True)


@pytest.mark.parametrize("source", ["f(5) == 10", "abs(f(5) - 10) < 1e-6", "f(5) in [10]"])
def test_a_class_that_is_equal_to_all_is_not_comparable(source: str) -> None:
    program, proof = proof_of(source, f=Yes)
    assert program.verdict(proof) == (False, "value of type Yes is not comparable", False)


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
