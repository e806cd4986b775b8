"""What a trace tells of a program: its calls, the visits of its blocks, and the values there."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interpreters import EVERY, run_inside, version_of
from probed import SETUP, Program, request, source_of, text_of, texts

from mgdebug.runner.visits import Log

HERE = [pytest.param(sys.executable, id="here")]


def least(python: str, minor: int) -> None:
    if int(version_of(python).split(".")[1]) < minor:
        pytest.skip("this CPython has no such syntax")


def results(found: Program, fragment: str) -> list[str | None]:
    return [text_of(visit.result) for visit in found.of(fragment)]


def befores(found: Program, fragment: str) -> list[dict[str, str]]:
    return [texts(visit.before) for visit in found.of(fragment)]


def afters(found: Program, fragment: str) -> list[dict[str, str]]:
    return [texts(visit.after) for visit in found.of(fragment)]


# ------------------------------------------------------------------------------------- calls


@pytest.mark.parametrize("python", EVERY)
def test_a_recursion_is_a_tree_of_calls(python: str) -> None:
    text = """
    def fib(n):
        if n < 2:
            return n
        return fib(n - 1) + fib(n - 2)
    """
    found = Program(python, text, "fib(3)")
    calls = [(c.frame, c.caller, texts(c.arguments), text_of(c.result)) for c in found.calls]
    assert calls == [
        (1, 0, {"n": "3"}, "2"),
        (2, 1, {"n": "2"}, "1"),
        (3, 2, {"n": "1"}, "1"),
        (4, 2, {"n": "0"}, "0"),
        (5, 1, {"n": "1"}, "1"),
    ]
    assert {c.subfunction for c in found.calls} == {"program.py::fib"}
    assert found.calls[0].visit == -1
    returning = found.blocks[found.block("return fib(n - 1)")].id
    for call in found.calls[1:]:
        above = found.visits[call.visit]
        assert (above.block, above.frame) == (returning, call.caller)
    assert [(v.frame, text_of(v.result)) for v in found.of("n < 2")] == [
        (1, "False"),
        (2, "False"),
        (3, "True"),
        (4, "True"),
        (5, "True"),
    ]


@pytest.mark.parametrize("python", EVERY)
def test_a_recursion_of_a_thousand_frames(python: str) -> None:
    text = """
    import sys
    def down(n):
        if n:
            m = down(n - 1) + 1
            return m
        return 0
    def f():
        sys.setrecursionlimit(3000)
        return down(1000)
    """
    found = Program(python, text, budget={"first": 2000})
    assert found.shown == "1000"
    calls = found.calls_of("down")
    assert len(calls) == 1001
    assert [text_of(c.arguments["n"]) for c in calls] == [str(n) for n in range(1000, -1, -1)]
    assert [text_of(c.result) for c in calls] == [str(n) for n in range(1000, -1, -1)]
    assert [c.caller for c in calls[1:]] == [c.frame for c in calls[:-1]]
    assert [text_of(v.after["m"]) for v in found.of("m = down")] == [
        str(n) for n in range(1000, 0, -1)
    ]


@pytest.mark.parametrize("python", EVERY)
def test_a_recursion_beyond_the_first_calls_is_counted_exactly(python: str) -> None:
    text = """
    import sys
    def down(n):
        if n:
            m = down(n - 1) + 1
            return m
        return 0
    def f():
        sys.setrecursionlimit(3000)
        return down(500)
    """
    found = Program(python, text)
    assert found.shown == "500"
    assert found.count("n") == 501
    assert found.count("m = down") == 500
    assert found.count("return 0") == 1
    for visit in found.of("m = down"):
        n = int(visit.before["n"].text)
        assert visit.number == 501 - n
        if "m" in visit.after:
            assert visit.after["m"].text == str(n)
        if visit.result is not None:
            assert visit.result.text == str(n)
    for call in found.calls_of("down"):
        if call.result is not None:
            assert call.result == call.arguments["n"]
    first = found.of("n")[:64]
    assert [v.before["n"].text for v in first] == [str(500 - at) for at in range(64)]
    assert [text_of(v.result) for v in first] == ["500", *(str(500 - at) for at in range(1, 64))]


@pytest.mark.parametrize("python", EVERY)
def test_functions_that_call_each_other(python: str) -> None:
    text = """
    def even(n):
        if n == 0:
            return True
        return odd(n - 1)
    def odd(n):
        if n == 0:
            return False
        return even(n - 1)
    """
    found = Program(python, text, "even(3)")
    calls = [
        (c.subfunction.split("::")[1], c.frame, c.caller, text_of(c.result)) for c in found.calls
    ]
    assert calls == [
        ("even", 1, 0, "False"),
        ("odd", 2, 1, "False"),
        ("even", 3, 2, "False"),
        ("odd", 4, 3, "False"),
    ]


@pytest.mark.parametrize("python", EVERY)
def test_arguments_of_every_kind(python: str) -> None:
    text = """
    def g(a, b=2, *args, c, d=4, **kw):
        x = a
        return x
    def f():
        g(1, c=3)
        g(1, 5, 6, 7, c=8, e=9)
    """
    found = Program(python, text)
    assert [texts(c.arguments) for c in found.calls_of("g")] == [
        {"a": "1", "b": "2", "args": "()", "c": "3", "d": "4", "kw": "{}"},
        {"a": "1", "b": "5", "args": "(6, 7)", "c": "8", "d": "4", "kw": "{'e': 9}"},
    ]


@pytest.mark.parametrize("python", EVERY)
def test_positional_only_arguments(python: str) -> None:
    text = "def f(a, /, b, *, c):\n    return a + b + c\n"
    found = Program(python, text, "f(1, 2, c=3)")
    (call,) = found.calls
    assert texts(call.arguments) == {"a": "1", "b": "2", "c": "3"}
    assert text_of(call.result) == "6"


@pytest.mark.parametrize("python", EVERY)
def test_results_and_returns_without_a_value(python: str) -> None:
    text = """
    def end(x):
        y = x
    def bare(x):
        if x:
            return
        z = x
    def early(x):
        for i in x:
            if i:
                return i
    def nothing():
        pass
    def docs():
        "Words."
    def f():
        end(1), bare(1), bare(0), early([0, 5]), early([0]), nothing(), docs()
        return [end(2)]
    """
    found = Program(python, text)
    calls = [(c.subfunction.split("::")[1], text_of(c.result)) for c in found.calls if c.caller > 0]
    assert [call for call in calls if call[0] != "docs"] == [
        ("end", "None"),
        ("bare", "None"),
        ("bare", "None"),
        ("early", "5"),
        ("early", "None"),
        ("nothing", "None"),
        ("end", "None"),
    ]
    assert all(c.raised is None for c in found.calls)
    assert results(found, "return [end(2)]") == ["[None]"]
    assert results(found, "return i") == ["5"]
    assert results(found, "return") == ["None"]
    assert afters(found, "y = x") == [{"y": "1"}, {"y": "2"}]
    assert afters(found, "z = x") == [{"z": "0"}]


@pytest.mark.parametrize("python", EVERY)
def test_methods_properties_and_classmethods(python: str) -> None:
    text = """
    class Box:
        def __init__(self, n):
            self.n = n
        @property
        def double(self):
            m = self.n * 2
            return m
        @double.setter
        def double(self, value):
            self.n = value // 2
        @classmethod
        def make(cls, n):
            return cls(n)
        @staticmethod
        def half(x):
            return x / 2
        def __add__(self, other):
            total = self.n + other.n
            return total
    def f():
        b = Box.make(3)
        d = b.double
        b.double = 10
        return b.n, d, Box.half(5), b + Box(1)
    """
    found = Program(python, text)
    assert found.shown == "(5, 6, 2.5, 6)"
    calls = [(c.subfunction.split("::")[1], text_of(c.result)) for c in found.calls]
    names = [name for name, _ in calls]
    assert names[:3] == ["f", "Box.make", "Box.__init__"]
    assert len(calls) == 8
    assert ("Box.half", "2.5") in calls
    assert ("Box.__add__", "6") in calls
    (add,) = found.calls_of("Box.__add__")
    assert (add.caller, list(add.arguments)) == (1, ["self", "other"])
    assert afters(found, "m = self.n * 2") == [{"m": "6"}]


@pytest.mark.parametrize("python", EVERY)
def test_private_names_in_classes(python: str) -> None:
    text = """
    class Box:
        def __init__(self, n):
            self.__n = n
        def get(self, __x=1):
            __y = self.__n + __x
            if __y:
                __z = __y + 1
            return __z
    def f():
        return Box(1).get(2)
    """
    found = Program(python, text)
    assert (found.error, found.shown) == (None, "4")
    assert results(found, "__y") == ["3"]
    assert results(found, "return __z") == ["4"]
    assert len(found.calls_of("Box.get")) == 1


# --------------------------------------------------------------------------------- exceptions


@pytest.mark.parametrize("python", EVERY)
def test_an_exception_that_is_raised_here(python: str) -> None:
    text = """
    def f(x):
        try:
            y = x
            raise KeyError(x)
        except KeyError as error:
            z = error.args
            return z
    """
    found = Program(python, text, "f(1)")
    visit = found.one("y = x")
    assert visit.left is False
    assert visit.raised is not None
    assert (visit.raised.type, visit.raised.text) == ("KeyError", "<KeyError (1,)>")
    handler = found.one("except KeyError as error")
    assert text_of(handler.result) == "<KeyError (1,)>"
    assert results(found, "z = error.args") == ["(1,)"]
    (call,) = found.calls
    assert (text_of(call.result), call.raised) == ("(1,)", None)


@pytest.mark.parametrize("python", EVERY)
def test_an_exception_that_goes_through_several_calls(python: str) -> None:
    text = """
    def deep(x):
        y = x
        return 1 // y
    def middle(x):
        z = deep(x)
        return z
    def f(x):
        try:
            return middle(x)
        except ZeroDivisionError:
            w = 0
        return w
    """
    found = Program(python, text, "f(0)")
    for name in ("deep", "middle"):
        (call,) = found.calls_of(name)
        assert call.result is None
        assert call.raised is not None
        assert call.raised.type == "ZeroDivisionError"
    for fragment in ("y = x", "z = deep(x)", "return middle(x)"):
        visit = found.one(fragment)
        assert visit.left is False
        assert visit.raised is not None
        assert visit.raised.type == "ZeroDivisionError"
        assert visit.result is None
    assert text_of(found.calls[0].result) == "0"
    assert afters(found, "w = 0") == [{"w": "0"}]
    assert found.one("w = 0").frame == 1


@pytest.mark.parametrize("python", EVERY)
def test_an_exception_that_leaves_the_program(python: str) -> None:
    text = "def g(x):\n    return x.y\ndef f(x):\n    a = x\n    return g(a)\n"
    found = Program(python, text, "f(1)")
    assert found.error == "AttributeError: 'int' object has no attribute 'y'"
    assert [c.raised.type for c in found.calls if c.raised] == ["AttributeError"] * 2
    assert all(c.result is None for c in found.calls)
    assert [v.left for v in found.visits] == [False, False]
    assert [v.raised.type for v in found.visits if v.raised] == ["AttributeError"] * 2


@pytest.mark.parametrize("python", EVERY)
def test_try_with_else_and_finally(python: str) -> None:
    text = """
    def f(x):
        done = []
        try:
            y = 6 // x
        except ZeroDivisionError as error:
            done.append("handler")
        except TypeError:
            done.append("type")
        else:
            done.append("else")
        finally:
            done.append("finally")
        return done
    def g():
        return f(1), f(0), f("x")
    """
    found = Program(python, text, "g()")
    assert results(found, "return done") == [
        "['else', 'finally']",
        "['handler', 'finally']",
        "['type', 'finally']",
    ]
    assert [v.left for v in found.of("y = 6 // x")] == [True, False, False]
    assert [v.raised.type for v in found.of("y = 6 // x") if v.raised] == [
        "ZeroDivisionError",
        "TypeError",
    ]
    assert afters(found, "y = 6 // x") == [{"y": "6"}, {}, {}]
    assert befores(found, 'done.append("finally")') == [
        {"done": "['else']"},
        {"done": "['handler']"},
        {"done": "['type']"},
    ]
    assert afters(found, 'done.append("else")') == [{"done": "['else']"}]
    (handler,) = found.of("except ZeroDivisionError as error")
    assert handler.result is not None
    assert handler.result.type == "ZeroDivisionError"


@pytest.mark.parametrize("python", EVERY)
def test_finally_while_an_exception_passes(python: str) -> None:
    text = """
    def g(log):
        try:
            log.append(1)
            log.missing()
        finally:
            log.append(2)
        log.append(3)
    def f():
        log = []
        try:
            g(log)
        except AttributeError:
            log.append(4)
        return log
    """
    found = Program(python, text)
    assert found.shown == "[1, 2, 4]"
    assert befores(found, "log.append(2)") == [{"log": "[1]"}]
    assert afters(found, "log.append(2)") in ([{"log": "[1, 2]"}], [{}])
    assert found.count("log.append(3)") == 0
    assert befores(found, "log.append(4)") == [{"log": "[1, 2]"}]
    first = found.one("log.append(1)")
    assert first.left is False
    assert first.raised is not None
    (call,) = found.calls_of("g")
    assert call.raised is not None
    assert call.raised.type == "AttributeError"


@pytest.mark.parametrize("python", EVERY)
def test_a_with_that_swallows(python: str) -> None:
    text = """
    from contextlib import suppress
    def f(x):
        a = 1
        with suppress(ZeroDivisionError):
            a = 2
            b = 1 // x
            a = 3
        return a
    """
    found = Program(python, text, "[f(0), f(1)]")
    assert found.shown == "[2, 3]"
    one, two = found.of("a = 2")
    assert (one.left, two.left) == (False, True)
    assert one.raised is not None
    assert one.raised.type == "ZeroDivisionError"
    assert texts(two.after) == {"a": "3", "b": "1"}
    assert results(found, "return a") == ["2", "3"]
    assert befores(found, "return a") == [{"a": "2"}, {"a": "3"}]
    assert [text_of(c.result) for c in found.calls_of("f")] == ["2", "3"]


@pytest.mark.parametrize("python", EVERY)
def test_an_exception_in_a_loop_goes_on_with_the_next_round(python: str) -> None:
    text = """
    def f(xs):
        bad = []
        for x in xs:
            try:
                y = 10 // x
            except ZeroDivisionError:
                bad.append(x)
                continue
            bad.append(y)
        return bad
    """
    found = Program(python, text, "f([5, 0, 2])")
    assert found.shown == "[2, 0, 5]"
    assert [v.iteration for v in found.of("y = 10 // x")] == [1, 2, 3]
    assert [v.iteration for v in found.of("bad.append(x)")] == [2]
    assert [v.iteration for v in found.of("bad.append(y)")] == [1, 3]
    assert befores(found, "bad.append(y)") == [
        {"bad": "[]", "y": "2"},
        {"bad": "[2, 0]", "y": "5"},
    ]
    assert [v.left for v in found.of("y = 10 // x")] == [True, False, True]


@pytest.mark.parametrize("python", EVERY)
def test_an_exception_that_is_raised_again(python: str) -> None:
    text = """
    def g(x):
        try:
            return 1 // x
        except ZeroDivisionError as error:
            y = 2
            raise ValueError(y) from error
    def f():
        try:
            g(0)
        except ValueError as error:
            return error.args
    """
    found = Program(python, text)
    (call,) = found.calls_of("g")
    assert call.raised is not None
    assert call.raised.text == "<ValueError (2,)>"
    visit = found.one("y = 2")
    assert visit.left is False
    assert visit.raised is not None
    assert visit.raised.text == "<ValueError (2,)>"
    assert text_of(found.one("except ZeroDivisionError as error").result) is not None
    assert text_of(found.one("except ValueError as error").result) == "<ValueError (2,)>"


@pytest.mark.parametrize("python", EVERY)
def test_groups_of_exceptions(python: str) -> None:
    least(python, 11)
    text = """
    def f():
        seen = []
        try:
            raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
        except* ValueError as group:
            seen.append(group.exceptions)
        except* TypeError:
            seen.append("type")
        return seen
    """
    found = Program(python, text)
    assert (found.error, found.shown) == (None, "[(ValueError(1),), 'type']")
    assert found.count("seen.append(group.exceptions)") == 1
    assert found.count('seen.append("type")') == 1


# -------------------------------------------------------------------------------------- loops


@pytest.mark.parametrize("python", EVERY)
def test_while_with_else_break_and_continue(python: str) -> None:
    text = """
    def f(n, stop):
        seen = []
        while n:
            n -= 1
            if n == stop:
                break
            if n % 2:
                continue
            seen.append(n)
        else:
            seen.append("else")
        return seen
    """
    found = Program(python, text, "[f(4, 1), f(4, 9)]")
    assert found.shown == "[[2], [2, 0, 'else']]"
    assert found.count("n") == 3 + 5
    assert [v.iteration for v in found.of("n -= 1")] == [1, 2, 3, 1, 2, 3, 4]
    assert befores(found, 'seen.append("else")') == [{"seen": "[2, 0]"}]
    assert found.count("break") == 1
    assert found.count("continue") == 1 + 2
    assert results(found, "n == stop") == ["False", "False", "True", *["False"] * 4]
    assert befores(found, "return seen") == [{"seen": "[2]"}, {"seen": "[2, 0, 'else']"}]


@pytest.mark.parametrize("python", EVERY)
def test_for_with_else_break_and_continue(python: str) -> None:
    text = """
    def f(xs, stop):
        seen = []
        for x in xs:
            if x == stop:
                break
            if x % 2:
                continue
            seen.append(x)
        else:
            seen.append("else")
        return seen, x
    """
    found = Program(python, text, "[f([1, 2, 3], 3), f([4], 9)]")
    assert found.shown == "[([2], 3), ([4, 'else'], 4)]"
    assert [v.iteration for v in found.of("x == stop")] == [1, 2, 3, 1]
    assert [v.iteration for v in found.of("break")] == [3]
    assert [v.iteration for v in found.of("continue")] == [1]
    assert [v.iteration for v in found.of("seen.append(x)")] == [2, 1]
    assert [v.iteration for v in found.of('seen.append("else")')] == [0]
    assert [v.iteration for v in found.of("return seen, x")] == [0, 0]
    assert befores(found, "seen.append(x)") == [{"seen": "[]", "x": "2"}, {"seen": "[]", "x": "4"}]
    assert befores(found, "return seen, x") == [
        {"seen": "[2]", "x": "3"},
        {"seen": "[4, 'else']", "x": "4"},
    ]


@pytest.mark.parametrize("python", EVERY)
def test_loops_in_loops_have_their_own_iterations(python: str) -> None:
    text = """
    def f():
        total = 0
        for i in range(2):
            a = i
            for j in range(3):
                total += 1
            b = i
            k = 2
            while k:
                k -= 1
        return total
    """
    found = Program(python, text)
    assert [v.iteration for v in found.of("a = i")] == [1, 2]
    assert [v.iteration for v in found.of("total += 1")] == [1, 2, 3, 1, 2, 3]
    assert [v.iteration for v in found.of("b = i")] == [1, 2]
    assert [v.iteration for v in found.of("k -= 1")] == [1, 2, 1, 2]
    assert [v.number for v in found.of("k -= 1")] == [1, 2, 3, 4]
    assert afters(found, "k -= 1") == [{"k": "1"}, {"k": "0"}] * 2
    assert afters(found, "total += 1") == [{"total": str(n)} for n in range(1, 7)]


@pytest.mark.parametrize("python", EVERY)
def test_a_loop_of_100_000_rounds(python: str) -> None:
    text = """
    def f(n):
        total = 0
        i = 0
        while i < n:
            if i % 3 == 0:
                total += i
            i += 1
        return total
    """
    found = Program(python, text, "f(100000)")
    assert found.shown == str(sum(range(0, 100000, 3)))
    assert found.count("i < n") == 100001
    assert found.count("i % 3 == 0") == 100000
    assert found.count("total += i") == 33334
    assert found.count("i += 1") == 100000
    assert len(found.visits) < 2000
    assert found.dropped == 100001 + 200000 + 33334 + 2 - len(found.visits)
    for fragment, step in (("i < n", 1), ("i % 3 == 0", 1), ("i += 1", 1), ("total += i", 3)):
        kept = found.of(fragment)
        assert [v.number for v in kept[:64]] == list(range(1, 65))
        assert [v.iteration for v in kept[:20]] == [1 + at * step for at in range(20)]
        for visit in kept:
            assert visit.before["i"].text == str((visit.number - 1) * step)
    for visit in found.of("total += i"):
        i = int(visit.before["i"].text)
        assert visit.before["total"].text == str(sum(range(0, i, 3)))
        assert visit.after["total"].text == str(sum(range(0, i + 1, 3)))
    for visit in found.of("i % 3 == 0"):
        assert text_of(visit.result) == str(int(visit.before["i"].text) % 3 == 0)
    for visit in found.of("i += 1"):
        assert visit.after["i"].text == str(int(visit.before["i"].text) + 1)
    assert befores(found, "return total") == [{"total": str(sum(range(0, 100000, 3)))}]


@pytest.mark.parametrize("python", EVERY)
def test_calls_of_a_long_loop_keep_what_belongs_together(python: str) -> None:
    text = """
    def square(x):
        y = x * x
        return y
    def f(n):
        total = 0
        for i in range(n):
            s = square(i)
            total += s
        return total
    """
    found = Program(python, text, "f(20000)")
    assert found.count("y = x * x") == 20000
    kept = found.of("s = square(i)")
    assert len(kept) >= 64
    for visit in kept:
        i = int(visit.before["i"].text)
        assert i == visit.number - 1
        assert texts(visit.after) == {
            "s": str(i * i),
            "total": str(sum(k * k for k in range(i + 1))),
        }
    for visit in found.of("y = x * x"):
        x = int(visit.before["x"].text)
        assert x == visit.number - 1
        assert text_of(visit.result) == str(x * x)
    for call in found.calls_of("square"):
        x = int(call.arguments["x"].text)
        if call.result is not None:
            assert call.result.text == str(x * x)
        if call.visit >= 0 and call.caller:
            assert found.visits[call.visit].frame == call.caller
            above = found.visits[call.visit]
            assert above.before["i"].text == str(x)


# -------------------------------------------------------------------- what happens to a name


@pytest.mark.parametrize("python", EVERY)
def test_names_that_are_not_bound(python: str) -> None:
    text = """
    def f(flag):
        if flag:
            x = 1
        if flag or True:
            y = flag
        if y:
            del x
        try:
            z = x
        except UnboundLocalError:
            z = None
        return z
    """
    found = Program(python, text, "[f(0), f(1)]")
    assert (found.error, found.shown) == (None, "[None, None]")
    assert befores(found, "y = flag") == [{"flag": "0"}, {"flag": "1"}]
    assert befores(found, "del x") == [{"x": "1"}]
    assert afters(found, "del x") == [{}]
    assert befores(found, "z = x") == [{}, {}]
    assert [v.left for v in found.of("z = x")] == [False, False]
    assert results(found, "return z") == ["None", "None"]


@pytest.mark.parametrize("python", EVERY)
def test_a_name_that_was_bound_in_one_way_only(python: str) -> None:
    text = """
    def f(flag):
        if flag:
            x = 1
        if flag:
            y = x + 1
            return y
        return -1
    """
    found = Program(python, text, "[f(0), f(1), f(0)]")
    assert found.shown == "[-1, 2, -1]"
    assert befores(found, "y = x + 1") == [{"x": "1"}]
    assert afters(found, "x = 1") == [{"x": "1"}]
    assert afters(found, "y = x + 1") == [{"y": "2"}]


@pytest.mark.parametrize("python", EVERY)
def test_a_change_by_another_name(python: str) -> None:
    text = """
    def f():
        a = [1]
        b = a
        if b:
            b.append(2)
        if a:
            c = a[:]
        return a
    """
    found = Program(python, text)
    assert text_of(found.one("b.append(2)").after["b"]) == "[1, 2]"
    assert text_of(found.one("c = a[:]").before["a"]) == "[1, 2]"
    assert befores(found, "return a") == [{"a": "[1, 2]"}]


@pytest.mark.parametrize("python", EVERY)
def test_a_change_of_what_a_container_holds(python: str) -> None:
    text = """
    def f():
        grid = [[0], [5]]
        row = grid[0]
        if row:
            row.append(1)
        if grid:
            n = len(grid)
        for line in grid:
            line.append(9)
        if grid:
            pair = grid, row
        x, y = grid
        if x:
            x[0] = 7
        if grid:
            return grid
    """
    found = Program(python, text)
    assert [texts(v.before)["grid"] for v in found.of("n = len(grid)")] == ["[[0, 1], [5]]"]
    assert [texts(v.before)["grid"] for v in found.of("pair = grid, row")] == [
        "[[0, 1, 9], [5, 9]]"
    ]
    assert befores(found, "return grid") == [{"grid": "[[7, 1, 9], [5, 9]]"}]


@pytest.mark.parametrize("python", EVERY)
def test_a_change_by_a_function_that_was_called(python: str) -> None:
    text = """
    def push(xs, x):
        xs.append(x)
    def f():
        xs = [0]
        if xs:
            push(xs, 1)
        if xs:
            y = push(xs, 2), xs
        else:
            z = xs
        for i in range(2):
            push(xs, i)
        return xs
    """
    found = Program(python, text)
    assert text_of(found.one("push(xs, 1)").before["xs"]) == "[0]"
    assert text_of(found.one("push(xs, 1)").after["xs"]) == "[0, 1]"
    assert text_of(found.one("y = push(xs, 2), xs").before["xs"]) == "[0, 1]"
    assert befores(found, "push(xs, i)") == [
        {"xs": "[0, 1, 2]", "i": "0"},
        {"xs": "[0, 1, 2, 0]", "i": "1"},
    ]
    assert befores(found, "return xs") == [{"xs": "[0, 1, 2, 0, 1]"}]
    assert befores(found, "xs.append(x)")[0] == {"xs": "[0]", "x": "1"}
    assert text_of(found.of("xs.append(x)")[0].after["xs"]) == "[0, 1]"
    assert texts(found.calls_of("push")[0].arguments) == {"xs": "[0]", "x": "1"}


@pytest.mark.parametrize("python", EVERY)
def test_a_change_by_a_method_through_self(python: str) -> None:
    text = """
    class Stack:
        def __init__(self):
            self.items = []
        def push(self, x):
            self.items.append(x)
            return self
    def f():
        s = Stack()
        items = s.items
        if items is not None:
            s.push(1)
        if s:
            s.push(2).push(3)
        return items
    """
    found = Program(python, text)
    assert "items=[]" in texts(found.one("s.push(1)").before)["s"].replace(" ", "")
    assert "[1]" in texts(found.one("s.push(2).push(3)").before)["s"]
    assert befores(found, "return items") == [{"items": "[1, 2, 3]"}]
    pushed = found.of("self.items.append(x)")
    assert ["[1]" in texts(v.before)["self"] for v in pushed] == [False, True, False]
    assert "[1, 2, 3]" in texts(pushed[2].after)["self"]


@pytest.mark.parametrize("python", EVERY)
def test_a_change_by_an_operator_of_the_programs_own(python: str) -> None:
    text = """
    class Odd:
        def __init__(self, xs): self.xs = xs
        def __add__(self, other):
            self.xs.append(other)
            return self
        def __getattr__(self, name):
            self.xs.append(name)
            return 1
        def __bool__(self):
            self.xs.append("bool")
            return True
    def f():
        xs = []
        odd = Odd(xs)
        if xs is not None:
            n = odd + 1
        if xs:
            n = odd.foo
        if xs:
            n = not odd
        if xs:
            return xs
    """
    found = Program(python, text)
    assert found.shown == "[1, 'foo', 'bool']"
    assert results(found, "xs is not None") == ["True"]
    assert befores(found, "n = odd.foo")[0].get("xs", "[1]") == "[1]"
    assert befores(found, "return xs") == [{"xs": "[1, 'foo', 'bool']"}]


@pytest.mark.parametrize("python", EVERY)
def test_closures_and_nonlocal(python: str) -> None:
    text = """
    def f():
        count = 0
        seen = []
        def bump(by):
            nonlocal count
            count += by
            seen.append(count)
            return count
        if not count:
            bump(2)
        if count:
            bump(3)
        return count, seen
    """
    found = Program(python, text)
    assert found.shown == "(5, [2, 5])"
    assert befores(found, "return count, seen") == [{"count": "5", "seen": "[2, 5]"}]
    one, two = found.of("count += by")
    assert (texts(one.before)["count"], texts(one.after)["count"]) == ("0", "2")
    assert (texts(two.before)["count"], texts(two.after)["count"]) == ("2", "5")
    assert texts(two.after)["seen"] == "[2, 5]"
    assert results(found, "count") == ["2"]
    assert [(c.caller, text_of(c.result)) for c in found.calls_of("f.bump")] == [(1, "2"), (1, "5")]


@pytest.mark.parametrize("python", EVERY)
def test_global_writes(python: str) -> None:
    text = """
    total = 1
    table = {}
    def add(n):
        global total
        total += n
        table[n] = total
        return total
    def f():
        add(2)
        if total:
            add(3)
        return total, table
    """
    found = Program(python, text)
    assert found.shown == "(6, {2: 3, 3: 6})"
    one, two = found.of("total += n")
    assert (texts(one.before)["total"], texts(one.after)["total"]) == ("1", "3")
    assert (texts(two.before)["total"], texts(two.after)["total"]) == ("3", "6")
    assert texts(two.after)["table"] == "{2: 3, 3: 6}"
    assert results(found, "total") == ["3"]
    assert befores(found, "return total, table") == [{"total": "6", "table": "{2: 3, 3: 6}"}]


@pytest.mark.parametrize("python", EVERY)
def test_cells_that_are_empty_at_a_boundary(python: str) -> None:
    text = """
    def f(flag):
        def g():
            return x
        if flag:
            x = 1
        if flag:
            return g()
        try:
            return g()
        except NameError as error:
            return "empty"
    """
    found = Program(python, text, "[f(0), f(1)]")
    assert (found.error, found.shown) == (None, "['empty', 1]")
    first, second = found.calls_of("f.g")
    assert first.raised is not None
    assert first.raised.type == "NameError"
    assert (text_of(second.result), second.raised) == ("1", None)


@pytest.mark.parametrize("python", EVERY)
def test_a_comprehension_shows_its_elements(python: str) -> None:
    text = """
    def f(xs):
        ys = [x * 2 for x in xs if x > 1]
        return ys
    """
    found = Program(python, text, "f([1, 2, 3])")
    assert found.count("x * 2") == 2
    assert found.count("x > 1") == 3
    assert [texts(v.before)["x"] for v in found.of("x > 1")] == ["1", "2", "3"]
    assert results(found, "x > 1") == ["False", "True", "True"]
    assert [texts(v.before)["x"] for v in found.of("x * 2")] == ["2", "3"]
    assert results(found, "x * 2") == ["4", "6"]
    assert found.one("ys = [").after["ys"].text == "[4, 6]"
    assert len(found.calls) == 1


@pytest.mark.parametrize("python", EVERY)
def test_a_comprehension_within_another_and_calls_in_it(python: str) -> None:
    text = """
    def g(x):
        return -x
    def f():
        return [[g(a * b) for a in range(2)] for b in range(2)]
    """
    found = Program(python, text)
    assert found.shown == "[[0, 0], [0, -1]]"
    assert [(texts(c.arguments)["x"], text_of(c.result)) for c in found.calls_of("g")] == [
        ("0", "0"),
        ("0", "0"),
        ("0", "0"),
        ("1", "-1"),
    ]
    assert [c.caller for c in found.calls_of("g")] == [1] * 4
    assert results(found, "g(a * b)") == ["0", "0", "0", "-1"]
    assert results(found, "return [[") == ["[[0, 0], [0, -1]]"]


@pytest.mark.parametrize("python", EVERY)
def test_arms_that_are_skipped_have_no_visits(python: str) -> None:
    text = """
    def f(a, b):
        c = a and b
        d = a if c else b
        return c, d
    """
    found = Program(python, text, "[f(0, 1), f(2, 3)]")
    assert found.shown == "[(0, 1), (3, 2)]"
    arms = [b for b in found.blocks if b.kind == "arm"]
    pieces = [found.source.slice(b.span.start, b.span.end) for b in arms]
    assert [found.hits.get(found.blocks.index(b), 0) for b in arms] == [1, 1, 1], pieces


@pytest.mark.parametrize("python", EVERY)
def test_a_lambda_is_called(python: str) -> None:
    text = """
    def f(xs):
        key = lambda x: -x
        ys = sorted(xs, key=key)
        return ys
    """
    found = Program(python, text, "f([1, 3])")
    calls = found.calls[1:]
    assert [(texts(c.arguments), text_of(c.result)) for c in calls] == [
        ({"x": "1"}, "-1"),
        ({"x": "3"}, "-3"),
    ]
    assert [c.caller for c in calls] == [1, 1]
    assert [texts(v.before) for v in found.of("-x")] == [{"x": "1"}, {"x": "3"}]
    assert results(found, "-x") == ["-1", "-3"]
    assert results(found, "return ys") == ["[3, 1]"]


@pytest.mark.parametrize("python", EVERY)
def test_a_lambda_in_which_an_exception_comes_up(python: str) -> None:
    text = """
    def f(xs):
        key = lambda x: 1 // x
        try:
            ys = sorted(xs, key=key)
        except ZeroDivisionError:
            ys = None
        return ys
    """
    found = Program(python, text, "f([1, 0])")
    assert found.shown == "None"
    assert results(found, "1 // x") == ["1", None]
    assert [v.left for v in found.of("1 // x")] == [True, False]
    assert found.one("ys = sorted").frame == 1
    assert [v.frame for v in found.of("ys = None")] == [1]
    assert text_of(found.calls[0].result) == "None"


@pytest.mark.parametrize("python", EVERY)
def test_decorators_and_their_wrappers(python: str) -> None:
    text = """
    import functools
    def twice(g):
        @functools.wraps(g)
        def inner(*a, **kw):
            first = g(*a, **kw)
            return g(first)
        return inner
    @twice
    def add(x):
        y = x + 1
        return y
    def f():
        return add(1)
    """
    found = Program(python, text)
    assert found.shown == "3"
    calls = [(c.subfunction.split("::")[1], c.caller, text_of(c.result)) for c in found.calls]
    assert calls == [
        ("f", 0, "3"),
        ("twice.inner", 1, "3"),
        ("add", 2, "2"),
        ("add", 2, "3"),
    ]
    (inner,) = found.calls_of("twice.inner")
    assert texts(inner.arguments) == {"a": "(1,)", "kw": "{}"}


@pytest.mark.parametrize("python", EVERY)
def test_a_class_body_and_a_module(python: str) -> None:
    text = """
    base = 2
    for i in range(2):
        base += i
    class C:
        x = base
        if x:
            y = x + 1
        def m(self):
            return self.y
    z = C().m()
    """
    found = Program(python, text, "0", module=True)
    assert afters(found, "y = x + 1") == [{"y": "4"}]
    assert results(found, "x") == ["3"]
    assert {v.frame for v in found.of("y = x + 1")} == {0}
    assert [texts(v.before)["base"] for v in found.of("base += i")] == ["2", "2"]
    assert [v.iteration for v in found.of("base += i")] == [1, 2]
    (call,) = found.calls
    assert (call.subfunction, text_of(call.result)) == ("program.py::C.m", "4")


@pytest.mark.parametrize("python", EVERY)
def test_match(python: str) -> None:
    least(python, 10)
    text = """
    def f(v):
        match v:
            case [a, *rest] if a > 0:
                x = a, rest
            case {"k": w}:
                x = w
            case int(n):
                x = n + 1
            case _:
                x = None
        return x
    def g():
        return [f(v) for v in ([1, 2], [0], {"k": 3}, 4, "s")]
    """
    found = Program(python, text, "g()")
    assert found.shown == "[(1, [2]), None, 3, 5, None]"
    assert results(found, "v")[:2] == ["[1, 2]", "[0]"]
    assert befores(found, "x = a, rest") == [{"a": "1", "rest": "[2]"}]
    assert befores(found, "x = w") == [{"w": "3"}]
    assert befores(found, "x = n + 1") == [{"n": "4"}]
    assert afters(found, "x = n + 1") == [{"x": "5"}]
    assert results(found, "return x") == ["(1, [2])", "None", "3", "5", "None"]
    assert results(found, "a > 0") == ["True", "False"]


@pytest.mark.parametrize("python", EVERY)
def test_the_walrus(python: str) -> None:
    text = """
    def f(xs):
        n = 0
        while (x := xs.pop()):
            n += x
        if (m := n + 1) > 3:
            return m
        return n, [y := 5, y]
    """
    found = Program(python, text, "f([0, 1, 2])")
    assert found.shown == "4"
    assert befores(found, "n += x") == [{"n": "0", "x": "2"}, {"n": "2", "x": "1"}]
    assert befores(found, "return m") == [{"m": "4"}]


@pytest.mark.parametrize("python", EVERY)
def test_a_finally_that_a_continue_runs_through(python: str) -> None:
    text = """
    def f(n):
        for i in range(2):
            try:
                continue
            finally:
                n += i
        return n
    """
    found = Program(python, text, "f(7)")
    assert befores(found, "n += i") == [{"n": "7", "i": "0"}, {"n": "7", "i": "1"}]
    assert afters(found, "n += i") == [{"n": "7"}, {"n": "8"}]
    assert befores(found, "return n") == [{"n": "8"}]


@pytest.mark.parametrize("python", EVERY)
def test_a_local_that_is_not_bound_is_not_the_global_of_its_name(python: str) -> None:
    text = """
    total = 5
    def f(x):
        try:
            y = total + x
        except UnboundLocalError:
            y = 0
        total = y
        return total
    """
    found = Program(python, text, "f(1)")
    assert (found.error, found.shown) == (None, "0")
    assert befores(found, "y = total + x") == [{"x": "1"}]


@pytest.mark.parametrize("python", EVERY)
def test_a_loop_behind_one_that_never_ran(python: str) -> None:
    text = """
    def f(xs):
        if not xs:
            for i in xs:
                c = 2
        for k in xs:
            c = 3
        while xs:
            d = xs.pop()
        return c, d
    """
    found = Program(python, text, "f([1])")
    assert (found.error, found.shown) == (None, "(3, 1)")
    assert found.count("c = 3") == 1


@pytest.mark.parametrize("python", EVERY)
def test_a_name_that_is_deleted_before_a_loop(python: str) -> None:
    text = """
    def f(xs):
        c = 0
        if xs:
            del c
            n = 1
        while xs:
            xs = 0
    """
    found = Program(python, text, "f([1])")
    assert afters(found, "del c") == [{"n": "1"}]


# ------------------------------------------------------------- generators, coroutines, threads


@pytest.mark.parametrize("python", EVERY)
def test_generators_that_take_turns(python: str) -> None:
    text = """
    def count(name, n):
        i = 0
        while i < n:
            yield (name, i)
            i += 1
    def f():
        a = count("a", 2)
        b = count("b", 2)
        out = []
        for x, y in zip(a, b):
            out.append((x, y))
        return out
    """
    found = Program(python, text)
    assert found.shown == "[(('a', 0), ('b', 0)), (('a', 1), ('b', 1))]"
    one, two = found.calls_of("count")
    assert (texts(one.arguments)["name"], texts(two.arguments)["name"]) == ("'a'", "'b'")
    assert [c.caller for c in (one, two)] == [1, 1]
    assert text_of(one.result) == "None"
    body = found.of("yield (name, i)")
    assert [(v.frame, texts(v.before)["i"]) for v in body] == [
        (one.frame, "0"),
        (two.frame, "0"),
        (one.frame, "1"),
        (two.frame, "1"),
    ]
    assert [texts(v.after)["i"] for v in body if v.frame == one.frame] == ["1", "2"]
    assert {v.frame for v in found.of("out.append((x, y))")} == {1}


@pytest.mark.parametrize("python", EVERY)
def test_a_generator_that_is_left_in_the_middle(python: str) -> None:
    text = """
    def count():
        try:
            x = 1
            yield x
            y = 2
            yield y
        finally:
            z = 3
    def f():
        g = count()
        a = next(g)
        g.close()
        return a
    """
    found = Program(python, text)
    visit = found.one("x = 1")
    assert visit.left is False
    assert visit.raised is None or visit.raised.type == "GeneratorExit"
    assert found.count("z = 3") == 1
    (call,) = found.calls_of("count")
    assert call.result is None
    assert {v.frame for v in found.of("return a")} <= {1}


@pytest.mark.parametrize("python", EVERY)
def test_a_generator_that_nobody_goes_on_with(python: str) -> None:
    text = """
    def count():
        x = 1
        yield x
        y = 2
    def f():
        g = count()
        a = next(g)
        keep.append(g)
        return a
    keep = []
    """
    found = Program(python, text)
    visit = found.one("x = 1")
    assert (visit.left, visit.raised) == (False, None)
    (call,) = found.calls_of("count")
    assert (call.result, call.raised) == (None, None)
    assert text_of(found.calls[0].result) == "1"


@pytest.mark.parametrize("python", EVERY)
def test_yield_from_and_send(python: str) -> None:
    text = """
    def inner():
        got = yield 1
        while got:
            got = yield got * 2
        return "end"
    def outer():
        result = yield from inner()
        if result:
            yield result
    def f():
        g = outer()
        return next(g), g.send(3), g.send(0)
    """
    found = Program(python, text)
    assert found.shown == "(1, 6, 'end')"
    (inner,) = found.calls_of("inner")
    (outer,) = found.calls_of("outer")
    assert (inner.caller, text_of(inner.result)) == (outer.frame, "'end'")
    assert results(found, "got") == ["3", "0"]
    assert text_of(found.one("result = yield").after.get("result")) == "'end'"
    assert results(found, "result") == ["'end'"]


@pytest.mark.parametrize("python", EVERY)
def test_coroutines_that_take_turns(python: str) -> None:
    text = """
    import asyncio
    async def work(name, n):
        total = 0
        for i in range(n):
            await asyncio.sleep(0)
            total += i
        return name, total
    async def main():
        return await asyncio.gather(work("a", 2), work("b", 3))
    def f():
        return asyncio.run(main())
    """
    found = Program(python, text)
    assert found.shown == "[('a', 1), ('b', 3)]"
    one, two = found.calls_of("work")
    assert (text_of(one.result), text_of(two.result)) == ("('a', 1)", "('b', 3)")
    for call, rounds in ((one, 2), (two, 3)):
        mine = [v for v in found.of("await asyncio.sleep(0)") if v.frame == call.frame]
        assert [texts(v.before)["total"] for v in mine] == ["0", "0", "1"][:rounds]
        assert [v.iteration for v in mine] == list(range(1, rounds + 1))
    assert [c.result is not None for c in found.calls_of("main")] == [True]


@pytest.mark.parametrize("python", EVERY)
def test_asynchronous_loops_contexts_and_generators(python: str) -> None:
    text = """
    import asyncio
    class Context:
        async def __aenter__(self):
            return 5
        async def __aexit__(self, *why):
            return True
    async def numbers(n):
        for i in range(n):
            if i > 5:
                return
            yield i
            await asyncio.sleep(0)
    async def main():
        out = []
        async with Context() as c:
            async for i in numbers(3):
                out.append(i + c)
            raise ValueError(out)
        return out
    def f():
        return asyncio.run(main())
    """
    found = Program(python, text)
    assert found.shown == "[5, 6, 7]"
    assert [v.iteration for v in found.of("out.append(i + c)")] == [1, 2, 3]
    assert [texts(v.before)["out"] for v in found.of("out.append(i + c)")] == [
        "[]",
        "[5]",
        "[5, 6]",
    ]
    raising = found.one("raise ValueError(out)")
    assert raising.left is False
    assert raising.raised is not None
    assert befores(found, "return out") == [{"out": "[5, 6, 7]"}]
    assert len(found.calls_of("numbers")) == 1


@pytest.mark.parametrize("python", EVERY)
def test_threads_have_stacks_of_their_own(python: str) -> None:
    text = """
    import threading
    def inner(n):
        m = n * 2
        return m
    def work(n, out):
        for i in range(3):
            out.append(inner(n + i))
    def f():
        outs = [[], []]
        threads = [threading.Thread(target=work, args=(k * 10, outs[k])) for k in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return outs
    """
    found = Program(python, text)
    assert found.shown == "[[0, 2, 4], [20, 22, 24]]"
    works = found.calls_of("work")
    assert len(works) == 2
    assert all(c.thread != 0 for c in works)
    assert found.calls[0].thread == 0
    by_frame = {c.frame: c for c in found.calls}
    inner = found.calls_of("inner")
    assert len(inner) == 6
    for call in inner:
        above = by_frame[call.caller]
        assert above.subfunction == "program.py::work"
        assert above.thread == call.thread
        assert int(texts(call.arguments)["n"]) // 10 == int(texts(above.arguments)["n"]) // 10
    assert text_of(found.calls[0].result) == "[[0, 2, 4], [20, 22, 24]]"


# -------------------------------------------------------------- what a program sees of probes

LOOKS = """
import inspect, sys
def f(a):
    names = sorted(locals())
    if a:
        b = 2
    more = sorted(vars())
    return names, more, eval("a + b"), dir(), sorted(sys._getframe().f_locals)
def g(n):
    total = 0
    def inner():
        return sorted(inspect.currentframe().f_back.f_locals)
    for i in range(n):
        total += i
    return inner(), total
def h(a):
    x = a
    exec("y = x + 1")
    return look()
def look():
    return sorted(sys._getframe(1).f_locals), sys._getframe(1).f_code.co_name
def k():
    return [sorted(locals()) for x in (1,)], (lambda z: locals())(3)
class C:
    p = 1
    if p:
        q = sorted(k for k in locals() if not k.startswith("__"))
def everything():
    return f(1), g(3), h(1), k(), C.q, sorted(n for n in dir(C) if "mgdebug" in n)
"""


@pytest.mark.parametrize("python", EVERY)
def test_a_program_that_looks_at_its_own_names_sees_none_of_ours(python: str) -> None:
    found = Program(python, LOOKS, "everything()")
    space: dict[str, Any] = {"__name__": "program"}
    assert found.error is None
    code = """
space = {"__name__": "program"}
exec(compile(message["source"], "program.py", "exec"), space)
answer = repr(space["everything"]())
"""
    asked = request(source_of(LOOKS))
    assert found.shown is not None
    assert found.shown.replace("__mgdebug", "") == found.shown
    assert found.shown == run_inside(python, code, asked), space


@pytest.mark.parametrize("python", EVERY)
def test_a_function_that_looks_at_its_frame_is_traced_all_the_same(python: str) -> None:
    text = """
    def f(n):
        total = 0
        for i in range(n):
            total += i
        here = locals()
        if total:
            return here["total"]
        return None
    """
    found = Program(python, text, "f(4)")
    assert found.shown == "6"
    assert befores(found, "total += i") == [
        {"total": "0", "i": "0"},
        {"total": "0", "i": "1"},
        {"total": "1", "i": "2"},
        {"total": "3", "i": "3"},
    ]
    assert results(found, "total") == ["6"]
    assert results(found, 'return here["total"]') == ["6"]
    (call,) = found.calls
    assert (texts(call.arguments), text_of(call.result)) == ({"n": "4"}, "6")


@pytest.mark.parametrize("python", EVERY)
def test_a_module_has_no_names_of_ours(python: str) -> None:
    text = """
    import sys
    x = 1
    for i in range(2):
        x += i
    class C:
        y = x
        if y:
            z = [a for a in range(y)]
    def f():
        return C, x
    """
    code = """
recorder, code = connected(asked)
plain, probed = {"__name__": "program"}, {"__name__": "program"}
exec(compile(asked["source"], "program.py", "exec"), plain)
recorder.clear(True)
exec(code, probed)
probed["f"]()
answer = [[sorted(s), sorted(vars(s["C"])), s["f"].__code__.co_names] for s in (plain, probed)]
"""
    message = {"asked": request(source_of(text))}
    plain, probed = run_inside(python, SETUP + 'asked = message["asked"]\n' + code, message)
    assert probed[:2] == plain[:2]
    assert not any("mgdebug" in name for name in probed[2])


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.parametrize("depth", [15, 18, 19, 20, 25])
def test_blocks_that_are_nested_as_deep_as_cpython_takes(python: str, depth: int) -> None:
    """Probes that take levels of nesting for themselves are left out where there are too many."""
    lines = ["def f(n):", "    x = 0"]
    for level in range(depth):
        head = f"for i{level} in range(1):" if level < 18 else "if n:"
        lines.append("    " * (level + 1) + head)
    lines += ["    " * (depth + 1) + "x += n", "    return x"]
    found = Program(python, "\n".join(lines) + "\n", "f(3)")
    assert (found.error, found.shown) == (None, "3")
    assert found.count("x += n") == 1
    assert texts(found.one("x += n").before) == {"x": "0", "n": "3"}
    assert texts(found.one("x += n").after) == {"x": "3"}
    assert results(found, "return x") == ["3"]


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.parametrize("kind", ["with suppress(KeyError):", "try:"])
def test_many_contexts_in_each_other(python: str, kind: str) -> None:
    lines = ["from contextlib import suppress", "def f(n):", "    x = 0"]
    depth = 19
    lines += ["    " * (level + 1) + kind for level in range(depth)]
    lines += ["    " * (depth + 1) + "x += n"]
    if kind == "try:":
        for level in reversed(range(depth)):
            lines += ["    " * (level + 1) + "finally:", "    " * (level + 2) + "pass"]
    lines += ["    return x"]
    found = Program(python, "\n".join(lines) + "\n", "f(3)")
    assert (found.error, found.shown) == (None, "3")
    assert found.count("x += n") == 1
    assert results(found, "return x") == ["3"]


# ------------------------------------------------------------------------------------ secrets


@pytest.mark.parametrize("python", EVERY)
def test_secrets_are_in_no_report(python: str) -> None:
    text = """
    password = "hunter" + "22"
    class Account:
        def __init__(self, password):
            self.password = password
            self.ok = True
        def check(self, password):
            if password == self.password:
                return True
            return False
    def login(user, password, **kw):
        secret = password
        table = {"password": password, "user": user}
        for api_key in [password]:
            user = user + "!"
        if secret:
            n = len(secret)
        return n
    def outer(password):
        def inner():
            x = len(password)
            if password:
                return x
        return inner()
    def looks(password):
        here = locals()
        if password:
            return len(password)
    def f():
        a = Account(password)
        a.check(password)
        key = lambda password: len(password)
        try:
            raise ValueError({"password": password})
        except ValueError as error:
            x = 1
        pwds = [len(passwd) for passwd in [password]]
        for i in range(200):
            login("u", password, password=None) if False else login("u", password)
        return a, key(password), outer(password), looks(password)
    """
    found = Program(python, text)
    assert found.error is None
    assert found.count("secret = password") == 200
    assert "hunter22" not in json.dumps(found.report)
    visit = found.of("secret = password")[0]
    assert texts(visit.before)["password"] in ("***", "'***'")


REVEALING = """
def a(password):
    return password
def b(password):
    if password:
        return 1
def c(password):
    return None or password
def d(password):
    return [len(password) for password in [password]]
def e(password):
    g = lambda password: password
    return len(g(password))
def f(password):
    while password:
        password = password[1:]
class Account:
    def __init__(self, password):
        self.password = password
    @property
    def secret(self):
        return self.password
def g(password):
    x = Account(password)
    if x.secret:
        return 0
def h(password):
    table = {"password": password}
    if table["password"]:
        return 0
def i(password):
    def inner():
        if password:
            return 1
    return inner()
def j(password):
    x = 1
    raise ValueError(password)
"""


@pytest.mark.parametrize("python", HERE)
@pytest.mark.parametrize("name", list("abcdefghij"))
def test_a_secret_does_not_show_as_what_a_line_gives(python: str, name: str) -> None:
    found = Program(python, REVEALING, f"{name}('hunter' + '22')")
    assert "hunter22" not in json.dumps(found.report)


# ------------------------------------------------------------------- logs that make no sense

TEXT = """
def g(x):
    for i in range(x):
        if i:
            y = [k for k in range(i) if k]
    try:
        return 1 // x
    except ZeroDivisionError as error:
        return lambda q: q
def f():
    return g(2), g(0)(3)
"""


@pytest.fixture(scope="module")
def told() -> Program:
    found = Program(sys.executable, TEXT)
    assert found.visits
    return found


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
RECORD = st.lists(st.integers(-3, 60) | ANYTHING, max_size=7)
FUZZED = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZED
@given(
    raw=st.fixed_dictionaries(
        {},
        optional={
            key: ANYTHING for key in ("log", "sites", "values", "leads", "rounds", "hits", "other")
        },
    )
)
def test_a_log_of_anything_is_read(told: Program, raw: dict[str, Any]) -> None:
    Log(raw, told.blocks)
    Log(raw, [])


@FUZZED
@given(records=st.lists(RECORD, max_size=12))
def test_records_of_anything_are_read(told: Program, records: list[Any]) -> None:
    log = Log({**told.report, "log": [*told.report["log"], *records]}, told.blocks)
    assert len(log.visits) >= 1
    Log({**told.report, "log": records}, told.blocks)


@FUZZED
@given(data=st.data())
def test_a_log_with_changes_in_it_is_read(told: Program, data: st.DataObject) -> None:
    """Records that are left out, doubled, swapped, or that hold other values."""
    records = json.loads(json.dumps(told.report["log"]))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(records) - 1))
        what = data.draw(st.sampled_from(["drop", "double", "swap", "set", "cut"]))
        if what == "drop" and len(records) > 1:
            del records[at]
        elif what == "double":
            records.insert(data.draw(st.integers(0, len(records))), list(records[at]))
        elif what == "swap":
            other = data.draw(st.integers(0, len(records) - 1))
            records[at], records[other] = records[other], records[at]
        elif what == "cut":
            records[at] = records[at][: data.draw(st.integers(0, 4))]
        elif records[at]:
            records[at][data.draw(st.integers(0, len(records[at]) - 1))] = data.draw(ANYTHING)
    log = Log({**told.report, "log": records}, told.blocks)
    ids = {block.id for block in told.blocks}
    for index, visit in enumerate(log.visits):
        assert visit.index == index
        assert visit.block in ids
    for frame, call in log.calls.items():
        assert call.frame == frame
        assert call.visit < len(log.visits)


@FUZZED
@given(data=st.data())
def test_sites_rounds_and_leads_of_anything_are_read(told: Program, data: st.DataObject) -> None:
    report = json.loads(json.dumps(told.report))
    for part in ("sites", "rounds", "leads"):
        for key in list(report[part]):
            if data.draw(st.booleans()):
                report[part][key] = data.draw(ANYTHING)
        report[part][data.draw(st.text(max_size=2))] = data.draw(ANYTHING)
    report["values"] = [
        data.draw(ANYTHING) if data.draw(st.booleans()) else value for value in report["values"]
    ]
    Log(report, told.blocks)


@pytest.mark.parametrize("python", EVERY)
def test_a_condition_that_shows_in_its_arms(python: str) -> None:
    text = """
    def f(xs):
        n = 0
        for i in xs:
            if i == 1:
                n += 1
            elif 6 // i > 2:
                n += 2
            else:
                n -= 1
        return n
    """
    found = Program(python, text, "f([1, 2, 9])")
    assert [(v.iteration, text_of(v.result)) for v in found.of("i == 1")] == [
        (1, "True"),
        (2, "False"),
        (3, "False"),
    ]
    assert [v.before["i"].text for v in found.of("6 // i > 2")] == ["2", "9"]
    assert found.count("i == 1") == 3
    assert found.count("6 // i > 2") == 2
    raised = Program(python, text, "f([1, 0])")
    (last,) = raised.of("6 // i > 2")
    assert last.before["i"].text == "0"
    assert not last.left
    assert last.raised is not None
    assert raised.count("i == 1") == 2
    assert raised.count("6 // i > 2") == 1


@pytest.mark.parametrize("python", HERE)
def test_a_condition_that_shows_in_its_arms_is_counted_beyond_the_first_visits(python: str) -> None:
    text = """
    def f(n):
        odd = even = 0
        for i in range(n):
            if i % 2 == 1:
                odd += 1
            else:
                even += 1
        return odd, even
    """
    found = Program(python, text, "f(5001)")
    assert found.count("i % 2 == 1") == 5001
    assert all(v.before["i"].text == str(v.number - 1) for v in found.of("i % 2 == 1"))
    assert all(
        text_of(v.result) == str(int(v.before["i"].text) % 2 == 1) for v in found.of("i % 2 == 1")
    )


@pytest.mark.parametrize("python", HERE)
def test_threads_are_told_apart_where_visits_are_left_out(python: str) -> None:
    text = """
    import threading
    def inner(n):
        return n + 1
    def work():
        for i in range(300):
            inner(i)
    def f():
        work()
        t = threading.Thread(target=work)
        t.start()
        t.join()
    """
    found = Program(python, text, "f()")
    threads = [c.thread for c in found.calls_of("inner")]
    assert threads[0] == 0
    assert threads[-1] != 0


@pytest.mark.parametrize("python", HERE)
def test_weak_names_hide_long_keys_and_results(python: str) -> None:
    text = """
    def f(token):
        key = token * 20
        if token:
            return token
    """
    found = Program(python, text, "f('a1b2c3d4e5f6g7h8i9')")
    assert "a1b2c3d4" not in repr(found.report)
