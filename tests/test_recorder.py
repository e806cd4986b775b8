"""A trace counts every visit, and keeps the values of some."""

from __future__ import annotations

import pytest
from interpreters import EVERY, run_inside

RECORD = """
import importlib, json
Recorder = importlib.import_module("_mgdebug_probe.recorder").Recorder
connect = importlib.import_module("_mgdebug_probe.instrument").connect
"""


@pytest.mark.parametrize("python", EVERY)
def test_a_snapshot_is_no_alias(python: str) -> None:
    code = """
recorder = Recorder([(["xs"], ["xs"])])
recorder.clear(True)
def f():
    xs = [[1]]
    recorder.enter(0)
    xs[0].append(2)
    xs.append(3)
    recorder.leave(0)
    xs.clear()
f()
answer = recorder.report()
"""
    [visit] = run_inside(python, RECORD + code, None)["visits"]
    assert visit["before"]["xs"][1] == "[[1]]"
    assert visit["after"]["xs"][1] == "[[1, 2], 3]"


@pytest.mark.parametrize("python", EVERY)
def test_frames_of_a_recursion_are_told_apart(python: str) -> None:
    code = """
recorder = Recorder([(["n"], ["n"])])
recorder.clear(True)
def f(n):
    recorder.call()
    recorder.enter(0)
    if n:
        f(n - 1)
        f(n - 1)
    n += 10
    recorder.leave(0)
f(2)
answer = recorder.report()
"""
    report = run_inside(python, RECORD + code, None)
    seen = [(v["frame"], v["before"]["n"][1], v["after"]["n"][1]) for v in report["visits"]]
    assert seen == [
        (1, "2", "12"),
        (2, "1", "11"),
        (3, "0", "10"),
        (4, "0", "10"),
        (5, "1", "11"),
        (6, "0", "10"),
        (7, "0", "10"),
    ]
    assert all(visit["left"] for visit in report["visits"])


@pytest.mark.parametrize("python", EVERY)
def test_a_visit_that_an_error_left_has_no_after(python: str) -> None:
    code = """
recorder = Recorder([(["n"], ["n"])])
recorder.clear(True)
def f(n):
    recorder.call()
    recorder.enter(0)
    if n:
        raise ValueError
    recorder.leave(0)
for n in (1, 0):
    try:
        f(n)
    except ValueError:
        pass
answer = recorder.report()
"""
    first, second = run_inside(python, RECORD + code, None)["visits"]
    assert (first["left"], "after" in first) == (False, False)
    assert (second["left"], second["after"]["n"][1]) == (True, "0")


@pytest.mark.parametrize("python", EVERY)
def test_what_is_kept_of_a_case_is_bounded(python: str) -> None:
    code = """
recorder_module = importlib.import_module("_mgdebug_probe.recorder")
recorder = Recorder([(["x"], [])] * 200)
recorder.clear(True)
x = 1
def f(block):
    x = "y" * 10000
    recorder.enter(block)
    recorder.leave(block)
for _ in range(1000):
    f(0)
first = recorder.report()
for block in range(200):
    for _ in range(64):
        f(block)
second = recorder.report()
recorder.clear(True)
def g(block):
    x = [["y" * 100] * 30] * 30
    recorder.enter(block)
for block in range(200):
    for _ in range(64):
        g(block)
third = recorder.report()
answer = [[dict(r["hits"])[0], len(r["visits"]), r["dropped"]] for r in (first, second, third)]
answer.append(len(json.dumps(third)))
"""
    first, second, third, size = run_inside(python, RECORD + code, None)
    assert first == [1000, 64, 936]
    assert second[0] == 1064
    assert second[1] == 4000
    assert second[1] + second[2] == 1000 + 200 * 64
    assert third[1] + third[2] == 200 * 64
    assert size < 16 << 20


@pytest.mark.parametrize("python", EVERY)
def test_without_values_visits_are_counted_only(python: str) -> None:
    code = """
recorder = Recorder([(["n"], ["n"])])
def f(n):
    recorder.call()
    recorder.decides(recorder.enter(0), n)
    return recorder.returns(0, n)
recorder.clear(False)
f(1), f(2)
counted = recorder.report()
recorder.clear(True)
f(3)
answer = [counted, recorder.report(), f(5)]
"""
    counted, kept, result = run_inside(python, RECORD + code, None)
    assert counted == {"hits": [[0, 2]], "visits": [], "dropped": 0}
    assert kept["hits"] == [[0, 1]]
    assert [visit["result"] for visit in kept["visits"]] == [["int", "3", False]]
    assert result == 5


@pytest.mark.parametrize("python", EVERY)
def test_a_namespace_of_a_metaclass_is_not_asked(python: str) -> None:
    code = """
asked = []
class Namespace:
    def __init__(self): self.names = {}
    def __getitem__(self, name): return self.names[name]
    def __setitem__(self, name, value): self.names[name] = value
    def __contains__(self, name): asked.append(name); return True
    def keys(self): asked.append("keys"); return list(self.names)
class Telling(dict):
    def __contains__(self, name): asked.append(name); return True
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
recorder = Recorder([(["x"], ["x"])])
recorder.clear(True)
class A(metaclass=meta(Namespace)):
    x = 1
    recorder.enter(0)
class B(metaclass=meta(Telling)):
    x = 1
    recorder.enter(0)
answer = [asked, [visit["before"] for visit in recorder.report()["visits"]]]
"""
    asked, before = run_inside(python, RECORD + code, None)
    assert asked == []
    assert before == [{}, {"x": ["int", "1", False]}]


@pytest.mark.parametrize("python", EVERY)
def test_nothing_lives_longer_for_having_been_recorded(python: str) -> None:
    code = """
import weakref
recorder = Recorder([(["x"], ["x"])])
recorder.clear(True)
class Thing: pass
def f():
    x = Thing()
    ref = weakref.ref(x)
    recorder.enter(0)
    recorder.leave(0)
    del x
    return ref() is None
def g():
    x = Thing()
    mine = locals()
    recorder.enter(0)
    return mine["x"] is x
answer = [f(), g(), len(recorder.report()["visits"])]
"""
    assert run_inside(python, RECORD + code, None) == [True, True, 2]
