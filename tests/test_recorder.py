"""Snapshots run no code of the user's, show what a value was, and stay small."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from interpreters import EVERY, run_inside

# Every hook tells that it was called; none may be.
HOSTILE = '''
import collections, importlib, unittest.mock, weakref
snapshot = importlib.import_module("_mgdebug_probe.snapshot").snapshot
called = []

def hook(name):
    def told(*args, **kw):
        called.append(name)
        raise RuntimeError(name)
    return told

NAMES = """__repr__ __str__ __eq__ __hash__ __len__ __iter__ __getitem__ __contains__ __bool__
    __getattr__ __getattribute__ __format__ __int__ __index__ __float__ __reversed__ __lt__ __del__
    __dir__ __sizeof__ __instancecheck__ __subclasscheck__ __call__ items keys values""".split()
hooks = {name: hook(name) for name in NAMES if name != "__del__"}

class Meta(type):
    __eq__, __hash__, __repr__ = hooks["__eq__"], hooks["__hash__"], hooks["__repr__"]
    __getattribute__ = hooks["__getattribute__"]
    __instancecheck__, __subclasscheck__ = hooks["__instancecheck__"], hooks["__subclasscheck__"]
    __name__ = property(hook("the name of a class"))
    __module__ = property(hook("the module of a class"))
    __mro__ = property(hook("the mro of a class"))
    __dict__ = property(hook("the dict of a class"))

def heir(base, **more):
    return Meta("Heir", (base,), {**hooks, **more})

class Text(str):
    __str__ = __repr__ = __hash__ = hooks["__str__"]
    def __eq__(self, other): return hook("eq of a name")()
    def __format__(self, spec): return hook("format of a name")()

class Plain:
    pass

class WithProperties:
    def __init__(self): self.kept = 1
    @property
    def danger(self): return hook("property")()

class HiddenDict:
    def __init__(self): object.__setattr__(self, "seen", 1)
    __dict__ = property(hook("__dict__"))

class Inherited(WithProperties):
    __dict__ = property(hook("__dict__ of an heir"))

class Slots:
    __slots__ = ("a", "b", "__weakref__")
    def __init__(self): self.a = 5

class MoreSlots(Slots):
    __slots__ = ("c", "__dict__")
    def __init__(self):
        super().__init__()
        self.c, self.d = "c", "d"

class Descriptors:
    class D:
        __get__ = hook("__get__")
        __set__ = hook("__set__")
    x = D()
    __slots__ = ()
    __class__ = property(hook("__class__"))

def instance(kind, **held):
    it = object.__new__(kind)
    for name, value in held.items():
        object.__setattr__(it, name, value)
    return it

def weird_keys():
    it = Plain()
    it.__dict__ = {"a": 1}
    vars(it)[3] = 4
    return it

cyclic_list = [1]; cyclic_list.append(cyclic_list)
cyclic_dict = {}; cyclic_dict["self"] = cyclic_dict
cyclic = Plain(); cyclic.me = cyclic
deep = []
for _ in range(100000):
    deep = [deep]
hidden = Plain(); hidden.__class__.__name__ = Text("Plain")
class Renamed: pass
Renamed.__name__ = Text("Renamed")
def function(): pass
function.__name__ = Text("function")
Point = collections.namedtuple("Point", "x y")
proxied = WithProperties()
ordered = collections.OrderedDict(a=1, b=2)
ordered.move_to_end("a")

VALUES = {
    "object": lambda: instance(heir(object)),
    "object with attributes": lambda: instance(heir(object), a=1, b="x"),
    "list": lambda: list.__new__(heir(list)),
    "int": lambda: int.__new__(heir(int), 7),
    "float": lambda: float.__new__(heir(float), 1.5),
    "str": lambda: str.__new__(heir(str), "it's"),
    "bytes": lambda: bytes.__new__(heir(bytes), b"raw"),
    "tuple": lambda: tuple.__new__(heir(tuple), (1, 2)),
    "dict": lambda: filled(dict.__new__(heir(dict)), dict.__setitem__, "k", 1),
    "set": lambda: filled(set.__new__(heir(set)), set.add, 3),
    "frozenset": lambda: frozenset.__new__(heir(frozenset), [4]),
    "deque": lambda: filled(collections.deque.__new__(heir(collections.deque)),
                            collections.deque.append, 5),
    "error": lambda: Meta("Heir", (ValueError,), hooks)("why"),
    "class": lambda: heir(object),
    "in a list": lambda: [instance(heir(object)), instance(heir(object))],
    "in a dict": lambda: {1: instance(heir(object))},
    "as a key": lambda: {Plain(): 1},
    "mock": lambda: unittest.mock.Mock(name="m"),
    "magic mock": lambda: unittest.mock.MagicMock(),
    "properties": WithProperties,
    "a dict that is hidden": HiddenDict,
    "a dict that is hidden by an heir": Inherited,
    "slots": Slots,
    "slots and a dict": MoreSlots,
    "descriptors": lambda: object.__new__(Descriptors),
    "odd keys": weird_keys,
    "cyclic list": lambda: cyclic_list,
    "cyclic dict": lambda: cyclic_dict,
    "cyclic object": lambda: cyclic,
    "deep list": lambda: deep,
    "huge int": lambda: 10 ** 100000,
    "negative huge int": lambda: -(10 ** 100000),
    "huge range": lambda: range(10 ** 100000),
    "range": lambda: range(1, 10, 2),
    "a class of an odd name": lambda: Renamed,
    "an object of an odd name": Renamed,
    "a function of an odd name": lambda: function,
    "method": lambda: WithProperties().__init__,
    "builtin": lambda: len,
    "module": lambda: sys,
    "lambda": lambda: (lambda: 0),
    "weak reference": lambda: weakref.ref(proxied),
    "weak proxy": lambda: weakref.proxy(proxied),
    "named tuple": lambda: Point(1, "y"),
    "counter": lambda: collections.Counter("aab"),
    "default dict": lambda: collections.defaultdict(list, a=[1]),
    "ordered dict": lambda: ordered,
    "plain deque": lambda: collections.deque([1, 2]),
    "nothing": lambda: None,
    "truth": lambda: True,
    "complex": lambda: -0j,
    "nan": lambda: float("nan"),
    "long text": lambda: "x" * 10 ** 7,
    "bytearray": lambda: bytearray(b"ab"),
    "surrogate": lambda: "\\ud800",
    "empty set": set,
    "one in a tuple": lambda: (1,),
    "not implemented": lambda: NotImplemented,
    "error in an object": lambda: KeyError(1, "b"),
    "generator": lambda: (x for x in hook("generator")()) if 0 else iter([1]),
}

def filled(it, add, *args):
    add(it, *args)
    return it

answer = {}
for name, make in VALUES.items():
    value = make()
    del called[:]
    shot = snapshot(value)
    answer[name] = [shot, list(called)]
    value = None
del called[:]
for ask in (repr, len, iter, hash, str, lambda it: it.x, lambda it: type(it).__name__):
    try:
        ask(VALUES["object"]())
    except RuntimeError:
        pass
answer["asked"] = list(called)
'''

SHOTS = {
    "object": ["Heir", "<Heir>", False],
    "object with attributes": ["Heir", "<Heir a=1 b='x'>", False],
    "list": ["Heir", "<Heir []>", False],
    "int": ["Heir", "<Heir 7>", False],
    "float": ["Heir", "<Heir 1.5>", False],
    "str": ["Heir", '<Heir "it\'s">', False],
    "bytes": ["Heir", "<Heir b'raw'>", False],
    "tuple": ["Heir", "<Heir (1, 2)>", False],
    "dict": ["Heir", "<Heir {'k': 1}>", False],
    "set": ["Heir", "<Heir {3}>", False],
    "frozenset": ["Heir", "<Heir frozenset({4})>", False],
    "deque": ["Heir", "<Heir deque([5])>", False],
    "error": ["Heir", "<Heir ('why',)>", False],
    "class": ["Meta", "<class Heir>", False],
    "in a list": ["list", "[<Heir>, <Heir>]", False],
    "in a dict": ["dict", "{1: <Heir>}", False],
    "as a key": ["dict", "{<Plain>: 1}", False],
    "properties": ["WithProperties", "<WithProperties kept=1>", False],
    "a dict that is hidden": ["HiddenDict", "<HiddenDict>", True],
    "a dict that is hidden by an heir": ["Inherited", "<Inherited kept=1>", False],
    "slots": ["Slots", "<Slots a=5>", False],
    "descriptors": ["Descriptors", "<Descriptors>", False],
    "odd keys": ["Plain", "<Plain a=1 ?=4>", False],
    "cyclic list": ["list", "[1, [1, [1, [... 2]]]]", True],
    "cyclic dict": ["dict", "{'self': {'self': {'self': {... 1}}}}", True],
    "cyclic object": ["Plain", "<Plain me=<Plain me=<Plain me=<Plain>>>>", True],
    "deep list": ["list", "[[[[... 1]]]]", True],
    "huge int": ["int", "<int of 332193 bits>", True],
    "negative huge int": ["int", "<int of 332193 bits>", True],
    "huge range": ["range", "<range>", True],
    "range": ["range", "range(1, 10, 2)", False],
    "a class of an odd name": ["type", "<class Renamed>", False],
    "an object of an odd name": ["Renamed", "<Renamed>", False],
    "a function of an odd name": ["function", "<function function>", False],
    "method": ["method", "<method __init__>", False],
    "builtin": ["builtin_function_or_method", "<function len>", False],
    "module": ["module", "<module sys>", False],
    "lambda": ["function", "<function <lambda>>", False],
    "named tuple": ["Point", "<Point (1, 'y')>", False],
    "counter": ["Counter", "<Counter {'a': 2, 'b': 1}>", False],
    "default dict": ["defaultdict", "<defaultdict {'a': [1]}>", False],
    "ordered dict": ["OrderedDict", "<OrderedDict {'b': 2, 'a': 1}>", False],
    "plain deque": ["deque", "deque([1, 2])", False],
    "nothing": ["NoneType", "None", False],
    "truth": ["bool", "True", False],
    "complex": ["complex", "(-0-0j)", False],
    "nan": ["float", "nan", False],
    "long text": ["str", repr("x" * 200) + "... (10000000)", True],
    "bytearray": ["bytearray", "b'ab'", False],
    "surrogate": ["str", r"'\ud800'", False],
    "empty set": ["set", "set()", False],
    "one in a tuple": ["tuple", "(1,)", False],
    "not implemented": ["NotImplementedType", "NotImplemented", False],
    "error in an object": ["KeyError", "<KeyError (1, 'b')>", False],
}
BOUNDED = ("mock", "magic mock", "slots and a dict", "weak reference", "weak proxy", "generator")


@cache
def hostile(python: str) -> Any:
    return run_inside(python, HOSTILE, None)


@pytest.mark.parametrize("python", EVERY)
def test_no_code_of_the_user_runs(python: str) -> None:
    found = dict(hostile(python))
    asked = {"__repr__", "__len__", "__iter__", "__hash__", "__str__", "__getattribute__"}
    assert set(found.pop("asked")) == asked, "the hooks do not tell"
    assert set(found) == {*SHOTS, *BOUNDED}
    assert {name: called for name, (_, called) in found.items() if called} == {}


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.parametrize("name", SHOTS)
def test_a_value_is_shown_as_it_is(python: str, name: str) -> None:
    assert hostile(python)[name][0] == SHOTS[name]


@pytest.mark.parametrize("python", EVERY)
def test_what_differs_between_versions_is_bounded_all_the_same(python: str) -> None:
    found = hostile(python)
    for name in BOUNDED:
        kind, text, _ = found[name][0]
        assert kind.isidentifier()
        assert text.startswith("<")
        assert len(text) < 1200
    attributes = found["slots and a dict"][0][1]
    assert {"a=5", "c='c'", "d='d'"} <= set(attributes.strip("<>").split())


BIG = """
import collections, importlib, tracemalloc
snapshot = importlib.import_module("_mgdebug_probe.snapshot").snapshot
N = 1000000
BIG = {
    "list": list(range(N)),
    "tuple": tuple(range(N)),
    "dict": dict.fromkeys(range(N)),
    "set": set(range(N)),
    "deque": collections.deque(range(N)),
    "text": "x" * N,
    "bytes": b"x" * N,
    "bytearray": bytearray(N),
    "nested": [[list(range(1000))] * 1000] * 1000,
    "wide": {"k%d" % n: ["v" * 1000] * 1000 for n in range(1000)},
    "objects": [type("C", (), {})() for _ in range(10)] * 100000,
}
answer = {}
for name, value in BIG.items():
    tracemalloc.start()
    shot = snapshot(value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    answer[name] = [shot, peak]
"""


@pytest.mark.parametrize("python", EVERY)
def test_a_million_elements_are_not_copied(python: str) -> None:
    for name, (shot, peak) in run_inside(python, BIG, None).items():
        assert shot[2] is True, name
        assert len(shot[1]) < 1200, name
        assert peak < 100_000, f"{name}: {peak} bytes for {len(shot[1])} characters"


@pytest.mark.parametrize("python", EVERY)
def test_both_ends_of_a_long_container_are_kept(python: str) -> None:
    code = """
import collections, importlib
snapshot = importlib.import_module("_mgdebug_probe.snapshot").snapshot
items = list(range(100))
makes = [list, tuple, set, collections.deque, dict.fromkeys]
answer = [snapshot(make(items))[1:] for make in makes] + [snapshot(list(range(32)))[1:]]
"""
    middle = "23, ... 68 more, 92"
    flat, fixed, loose, queue, table, whole = run_inside(python, code, None)
    assert [flat[0][:8], flat[0][-8:], middle in flat[0]] == ["[0, 1, 2", " 98, 99]", True]
    assert [fixed[0][:8], fixed[0][-8:], middle in fixed[0]] == ["(0, 1, 2", " 98, 99)", True]
    assert [queue[0][:8], queue[0][-9:], middle in queue[0]] == ["deque([0", " 98, 99])", True]
    assert [table[0][:8], table[0][-9:]] == ["{0: None", "99: None}"]
    assert loose[0].endswith("23, ... 76 more}")
    assert whole == [str(list(range(32))), False]
    assert all(shot[1] for shot in (flat, fixed, loose, queue, table))


# -------------------------------------------------------------------------------- the recorder

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
