"""A trace counts every visit, and keeps the values of some."""

from __future__ import annotations

import json
from typing import Any

import pytest
from interpreters import EVERY, run_inside
from probed import SETUP, Program, request, source_of, texts

from mgdebug.model import BlockVisit
from mgdebug.runner.visits import Log


def inside(python: str, text: str, code: str, **more: Any) -> Any:
    """Code that has the program of a text as `asked`."""
    message = {"asked": request(source_of(text)), **more}
    return run_inside(python, SETUP + 'asked = message["asked"]\n' + code, message)


@pytest.mark.parametrize("python", EVERY)
def test_a_snapshot_is_no_alias(python: str) -> None:
    text = """
    def f():
        xs = [[1]]
        if xs:
            xs[0].append(2)
            xs.append(3)
        xs.clear()
        return xs
    """
    found = Program(python, text)
    assert found.one("xs").before["xs"].text == "[[1]]"
    assert found.one("xs[0].append(2)").before["xs"].text == "[[1]]"
    assert found.one("xs[0].append(2)").after["xs"].text == "[[1, 2], 3]"


@pytest.mark.parametrize("python", EVERY)
def test_frames_of_a_recursion_are_told_apart(python: str) -> None:
    text = """
    def f(n):
        if n:
            f(n - 1)
            f(n - 1)
        n += 10
        return n
    """
    found = Program(python, text, "f(2)")
    conditions = [(v.frame, v.before["n"].text) for v in found.of("n")]
    assert conditions == [
        (1, "2"),
        (2, "1"),
        (3, "0"),
        (4, "0"),
        (5, "1"),
        (6, "0"),
        (7, "0"),
    ]
    last = [(v.frame, v.before["n"].text, v.after["n"].text) for v in found.of("n += 10")]
    assert last == [
        (3, "0", "10"),
        (4, "0", "10"),
        (2, "1", "11"),
        (6, "0", "10"),
        (7, "0", "10"),
        (5, "1", "11"),
        (1, "2", "12"),
    ]
    assert all(visit.left for visit in found.visits)


@pytest.mark.parametrize("python", EVERY)
def test_a_visit_that_an_error_left_has_no_after(python: str) -> None:
    text = """
    def part(n):
        x = 1
        m = n / n
        return m + x
    def f():
        for n in (0, 1):
            try:
                part(n)
            except ZeroDivisionError:
                pass
    """
    first, second = Program(python, text).of("x = 1")
    assert (first.left, dict(first.after)) == (False, {})
    assert first.raised is not None
    assert first.raised.type == "ZeroDivisionError"
    assert (second.left, second.after["m"].text, second.raised) == (True, "1.0", None)


def visits(log: Log, wanted: str) -> list[BlockVisit]:
    return [visit for visit in log.visits if visit.block == wanted]


@pytest.mark.parametrize("python", EVERY)
def test_the_first_64_visits_of_a_block_are_kept_in_full(python: str) -> None:
    text = """
    def f(n):
        total = 0
        for i in range(n):
            total += i
        return total
    """
    found = Program(python, text, "f(1000)")
    kept = found.of("total += i")
    assert found.count("total += i") == 1000
    assert [v.number for v in kept[:64]] == list(range(1, 65))
    assert [v.before["i"].text for v in kept[:64]] == [str(i) for i in range(64)]
    assert [v.iteration for v in kept[:64]] == list(range(1, 65))
    for visit in kept:
        before, i = int(visit.before["total"].text), int(visit.before["i"].text)
        assert i == visit.number - 1
        assert before == sum(range(i))
    assert len(kept) < 200
    assert found.dropped == 1000 - len(kept)


@pytest.mark.parametrize("python", EVERY)
def test_fewer_first_visits_are_kept_where_the_budget_says_so(python: str) -> None:
    text = "def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n"
    found = Program(python, text, "f(100)", budget={"first": 5, "growth": 100.0})
    assert [v.number for v in found.of("t += i")][:5] == [1, 2, 3, 4, 5]
    assert len(found.of("t += i")) <= 7
    assert found.count("t += i") == 100
    assert found.count("return t") == 1


@pytest.mark.parametrize("python", EVERY)
def test_the_last_visits_are_kept_where_their_number_is_known(python: str) -> None:
    text = "def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n"
    blocks = Program(python, text, "f(1)")
    number = blocks.block("t += i")
    found = Program(python, text, "f(5000)", expected={number: 5000})
    kept = found.of("t += i")
    assert [v.number for v in kept[-16:]] == list(range(4985, 5001))
    assert [v.before["t"].text for v in kept[-16:]] == [
        str(sum(range(i))) for i in range(4984, 5000)
    ]
    assert found.one("return t").before["t"].text == str(sum(range(5000)))


BOUNDED = """
recorder, code = connected(asked)
space = {"__name__": "program"}
exec(code, space)
answer = []
for call in message["calls"]:
    recorder.clear(True)
    eval(call, space)
    answer.append(recorder.report())
"""


@pytest.mark.parametrize("python", EVERY)
def test_what_is_kept_of_a_case_is_bounded(python: str) -> None:
    body = "".join(f"    if x == {n}:\n        y = x, {n}\n" for n in range(100))
    text = f"def g(x):\n{body}    return 0\n"
    text += "def f(n, x):\n    for _ in range(n):\n        g(x)\n"
    calls = ["f(1000, 'y' * 10000)", "f(1000, [['y' * 100] * 30] * 30)", "f(64, 50)"]
    reports = inside(python, text, BOUNDED, calls=calls)
    blocks = Program(python, text, "0").blocks
    for report, rounds in zip(reports, (1000, 1000, 64), strict=True):
        hits = {blocks[at].id: count for at, count in report["hits"]}
        kept = Log(report, blocks).visits
        conditions = [b for b in blocks if b.kind == "condition"]
        assert {hits[b.id] for b in conditions} == {rounds}
        assert len(report["log"]) <= 20000 + 100
        assert len(kept) <= 20000
        assert len(json.dumps(report)) < 16 << 20
    assert len(visits(Log(reports[2], blocks), conditions[0].id)) == 64
    assert len(visits(Log(reports[2], blocks), conditions[99].id)) == 64


@pytest.mark.parametrize("python", EVERY)
def test_without_values_visits_are_counted_only(python: str) -> None:
    text = "def f(n):\n    if n:\n        return n\n    return 0\n"
    code = """
recorder, code = connected(asked)
space = {}
exec(code, space)
f = space["f"]
recorder.clear(False)
f(1), f(2)
counted = recorder.report()
recorder.clear(True)
f(3)
answer = [counted, recorder.report(), f(5)]
"""
    counted, kept, result = inside(python, text, code)
    found = Program(python, text, "f(3)")
    condition, first = found.block("n"), found.block("return n")
    assert counted["hits"] == [[condition, 2], [first, 2]]
    assert counted["log"] == []
    assert Log(counted, found.blocks).visits == []
    assert kept["hits"] == [[condition, 1], [first, 1]]
    seen = [v.result.text for v in Log(kept, found.blocks).visits if v.result]
    assert seen == ["3", "3"]
    assert result == 5


@pytest.mark.parametrize("python", EVERY)
def test_a_case_starts_with_nothing_of_the_one_before(python: str) -> None:
    text = """
    def f(n):
        for i in range(n):
            if i > 2:
                x = i
        return n
    """
    code = """
recorder, code = connected(asked)
space = {}
exec(code, space)
answer = []
for n in (3, 500, 3, 500):
    recorder.clear(True)
    space["f"](n)
    answer.append(recorder.report())
"""
    one, long, two, again = inside(python, text, code)
    assert one == two
    assert long == again
    assert dict(long["hits"]) != dict(one["hits"])


@pytest.mark.parametrize("python", EVERY)
def test_a_namespace_of_a_metaclass_is_not_asked(python: str) -> None:
    text = """
    asked = []
    class Namespace:
        def __init__(self): self.names = {}
        def __getitem__(self, name): return self.names[name]
        def __setitem__(self, name, value): self.names[name] = value
        def __contains__(self, name): asked.append(name); return True
        def keys(self): asked.append("keys"); return list(self.names)
    class Telling(dict):
        def __contains__(self, name): asked.append(name); return True
        def get(self, name, *other): asked.append(name); return None
        def __getitem__(self, name):
            if name == "x":
                asked.append(name)
            return dict.__getitem__(self, name)
    def meta(namespace):
        class Meta(type):
            @classmethod
            def __prepare__(mcs, name, bases): return namespace()
            def __new__(mcs, name, bases, space): return type.__new__(mcs, name, bases, {})
        return Meta
    class A(metaclass=meta(Namespace)):
        x = 1
        if 2:
            x = x + 3
    class B(metaclass=meta(Telling)):
        x = 1
        if 2:
            x = x + 4
    """
    code = """
recorder, code = connected(asked)
plain, probed = {"__name__": "program"}, {"__name__": "program"}
exec(compile(asked["source"], "program.py", "exec"), plain)
recorder.clear(True)
exec(code, probed)
answer = [plain["asked"], probed["asked"], recorder.report()]
"""
    plain, probed, report = inside(python, text, code)
    assert probed == plain
    found = Program(python, text, "0")
    log = Log(report, found.blocks)
    (first,) = visits(log, found.blocks[found.block("x = x + 3")].id)
    (second,) = visits(log, found.blocks[found.block("x = x + 4")].id)
    assert texts(first.before) == {}
    assert texts(second.before) == {"x": "1"}


@pytest.mark.parametrize("python", EVERY)
def test_nothing_lives_longer_for_having_been_recorded(python: str) -> None:
    text = """
    import weakref
    class Thing: pass
    def f():
        x = Thing()
        ref = weakref.ref(x)
        if x:
            y = [x]
        del x, y
        return ref() is None
    def g():
        x = Thing()
        mine = locals()
        if x:
            y = x
        return mine["x"] is x
    def h():
        x = Thing()
        ref = weakref.ref(x)
        locals()
        if x:
            y = x
        del x, y
        return ref() is None
    def kept():
        x = Thing()
        return weakref.ref(x), [x, {"x": x}]
    def j():
        ref, all_of_it = kept()
        if ref:
            del all_of_it
        return ref() is None
    def k():
        try:
            x = Thing()
            ref = weakref.ref(x)
            raise ValueError(x)
        except ValueError:
            pass
        del x
        return ref() is None
    """
    found = Program(python, text, "[f(), g(), h(), j(), k()]")
    assert (found.error, found.shown) == (None, "[True, True, True, True, True]")
    assert len(found.of("y = [x]")) == 1


@pytest.mark.parametrize("python", EVERY)
def test_a_report_changes_nothing(python: str) -> None:
    text = "def f(n):\n    for i in range(n):\n        x = i\n    return x\n"
    code = """
recorder, code = connected(asked)
space = {}
exec(code, space)
recorder.clear(True)
space["f"](10)
first = recorder.report()
second = recorder.report()
space["f"](200)
third = recorder.report()
fourth = recorder.report()
answer = [first == second, third == fourth, dict(third["hits"])]
"""
    found = Program(python, text, "f(1)")
    same, later, hits = inside(python, text, code)
    assert (same, later) == (True, True)
    assert hits[str(found.block("x = i"))] == 210
