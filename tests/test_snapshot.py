"""Snapshots run no code of the user's, show what a value was, stay small, and hide secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
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
    "object": ["Heir", "<Heir>", False, None],
    "object with attributes": ["Heir", "<Heir a=1 b='x'>", False, None],
    "list": ["Heir", "<Heir []>", False, 0],
    "int": ["Heir", "<Heir 7>", False, None],
    "float": ["Heir", "<Heir 1.5>", False, None],
    "str": ["Heir", '<Heir "it\'s">', False, 4],
    "bytes": ["Heir", "<Heir b'raw'>", False, 3],
    "tuple": ["Heir", "<Heir (1, 2)>", False, 2],
    "dict": ["Heir", "<Heir {'k': 1}>", False, 1],
    "set": ["Heir", "<Heir {3}>", False, 1],
    "frozenset": ["Heir", "<Heir frozenset({4})>", False, 1],
    "deque": ["Heir", "<Heir deque([5])>", False, 1],
    "error": ["Heir", "<Heir ('why',)>", False, None],
    "class": ["Meta", "<class Heir>", False, None],
    "in a list": ["list", "[<Heir>, <Heir>]", False, 2],
    "in a dict": ["dict", "{1: <Heir>}", False, 1],
    "as a key": ["dict", "{<Plain>: 1}", False, 1],
    "properties": ["WithProperties", "<WithProperties kept=1>", False, None],
    "a dict that is hidden": ["HiddenDict", "<HiddenDict>", True, None],
    "a dict that is hidden by an heir": ["Inherited", "<Inherited kept=1>", False, None],
    "slots": ["Slots", "<Slots a=5>", False, None],
    "descriptors": ["Descriptors", "<Descriptors>", False, None],
    "odd keys": ["Plain", "<Plain a=1 ?=4>", False, None],
    "cyclic list": ["list", "[1, [1, [1, [... 2]]]]", True, 2],
    "cyclic dict": ["dict", "{'self': {'self': {'self': {... 1}}}}", True, 1],
    "cyclic object": ["Plain", "<Plain me=<Plain me=<Plain me=<Plain>>>>", True, None],
    "deep list": ["list", "[[[[... 1]]]]", True, 1],
    "huge int": ["int", "<int of 332193 bits>", True, None],
    "negative huge int": ["int", "<int of 332193 bits>", True, None],
    "huge range": ["range", "<range>", True, None],
    "range": ["range", "range(1, 10, 2)", False, None],
    "a class of an odd name": ["type", "<class Renamed>", False, None],
    "an object of an odd name": ["Renamed", "<Renamed>", False, None],
    "a function of an odd name": ["function", "<function function>", False, None],
    "method": ["method", "<method __init__>", False, None],
    "builtin": ["builtin_function_or_method", "<function len>", False, None],
    "module": ["module", "<module sys>", False, None],
    "lambda": ["function", "<function <lambda>>", False, None],
    "named tuple": ["Point", "Point(x=1, y='y')", False, 2],
    "counter": ["Counter", "Counter({'a': 2, 'b': 1})", False, 2],
    "default dict": ["defaultdict", "defaultdict(<class list>, {'a': [1]})", False, 1],
    "ordered dict": ["OrderedDict", "OrderedDict({'b': 2, 'a': 1})", False, 2],
    "plain deque": ["deque", "deque([1, 2])", False, 2],
    "nothing": ["NoneType", "None", False, None],
    "truth": ["bool", "True", False, None],
    "complex": ["complex", "(-0-0j)", False, None],
    "nan": ["float", "nan", False, None],
    "long text": ["str", repr("x" * 200) + "... (10000000)", True, 10000000],
    "bytearray": ["bytearray", "b'ab'", False, 2],
    "surrogate": ["str", r"'\ud800'", False, 1],
    "empty set": ["set", "set()", False, 0],
    "one in a tuple": ["tuple", "(1,)", False, 1],
    "not implemented": ["NotImplementedType", "NotImplemented", False, None],
    "error in an object": ["KeyError", "<KeyError (1, 'b')>", False, None],
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
        kind, text, _, _ = found[name][0]
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
answer = [snapshot(make(items))[1:3] for make in makes] + [snapshot(list(range(32)))[1:3]]
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


# ------------------------------------------------------------------------- more that is hostile

MORE = '''
import collections, ctypes, dataclasses, enum, importlib, sys, threading, time, types, unittest.mock
import datetime, functools, pathlib, re, weakref
module = importlib.import_module("_mgdebug_probe.snapshot")
snapshot = module.snapshot
called = []

def hook(name):
    def told(*args, **kw):
        called.append(name)
        time.sleep(30)
    return told

class Slow:
    __repr__ = __str__ = hook("repr")
class Liar:
    __class__ = property(lambda self: (called.append("class"), dict)[1])
    def __init__(self): self.a = 1
class Lazy:
    """As django's SimpleLazyObject."""
    def __init__(self, make): self.__dict__["_made"], self.__dict__["_make"] = None, make
    def __getattr__(self, name): called.append(name); return getattr(self._make(), name)
    __class__ = property(lambda self: (called.append("class"), int)[1])
    __repr__ = __len__ = __iter__ = __bool__ = hook("lazy")
class Local:
    """As werkzeug's LocalProxy."""
    __slots__ = ("__wrapped", "_find", "__dict__")
    def __init__(self, find): object.__setattr__(self, "_find", find)
    __dict__ = property(hook("the dict of a proxy"))
    def __getattr__(self, name): called.append(name); raise RuntimeError
    def __getattribute__(self, name): called.append(name); raise RuntimeError
class Color(enum.Enum):
    RED = 1
    GREEN = "g"
    __repr__ = __str__ = __hash__ = hook("an enum")
class Bits(enum.Flag):
    A = 1
    B = 2
    C = 4
class Numbers(enum.IntEnum):
    ONE = 1
    def __repr__(self): called.append("repr"); return "lies"
@dataclasses.dataclass
class Data:
    b: int = 2
    a: object = None
    def __getattribute__(self, name): called.append(name); raise RuntimeError(name)
@dataclasses.dataclass(repr=False)
class Later:
    first: int
    second: str = "s"
class Key:
    def __init__(self): self.n = 1
    def __hash__(self): called.append("hash"); return 1
    def __eq__(self, other): called.append("eq"); return False
class Keyed(collections.OrderedDict):
    __iter__ = items = keys = __len__ = __getitem__ = hook("an ordered dict")
class Filled(collections.defaultdict):
    def __missing__(self, key): called.append("missing")
    __iter__ = items = __repr__ = hook("a default dict")
class Counted(collections.Counter):
    elements = most_common = items = __repr__ = hook("a counter")
class Chained(collections.ChainMap):
    __iter__ = __len__ = __getitem__ = __repr__ = hook("a chain map")
class Pair(collections.namedtuple("Pair", "x y")):
    __repr__ = __iter__ = __getitem__ = __len__ = hook("a named tuple")
    _fields = ("x", "y")
class Odd(Exception):
    args = property(hook("args"))
    __str__ = __repr__ = hook("an error")
class Zone(datetime.tzinfo):
    utcoffset = dst = tzname = __repr__ = hook("a time zone")
class Part(str):
    __str__ = __repr__ = __fspath__ = hook("a part")
class Struct(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int)]
class Stamp(datetime.datetime):
    isoformat = __repr__ = __str__ = hook("a time")
class Get:
    def __getattr__(self, name): called.append(name); raise ValueError
class Borrowed:
    """Of another module, as it says."""
Borrowed.__module__, Borrowed.__name__ = "datetime", "datetime"

steps = []
def generate():
    steps.append(1)
    yield 1
async def coroutine():
    steps.append(1)
async def stream():
    steps.append(1)
    yield 1
def plain(a, b): pass
running, waiting, flowing = generate(), coroutine(), stream()
lock = threading.Lock()
dead = weakref.proxy(Get())
odd_keys = {}
for _ in range(2):
    odd_keys[Key()] = _
keyed, filled, counted = Keyed(), Filled(list), Counted()
dict.__setitem__(filled, "a", 1)
dict.__setitem__(counted, "a", 2)
mapping = types.MappingProxyType(Keyed())
nul = open("/dev/null")
closed = open("/dev/null", "rb")
closed.close()

VALUES = {
    "slow repr": Slow(), "a liar": Liar(), "lazy": Lazy(hook("made")),
    "local": Local(hook("found")),
    "enum": Color.RED, "int enum": Numbers.ONE, "flag": Bits.B, "flags": Bits.A | Bits.C,
    "no flag": Bits(0), "dataclass": object.__new__(Data), "later": Later(1),
    "odd keys": odd_keys, "ordered": keyed, "default": filled, "counter": counted,
    "chain": Chained({"a": 1}), "pair": tuple.__new__(Pair, (1, 2)), "error": Odd("why", 2),
    "zone": datetime.datetime(2024, 1, 2, 3, 4, tzinfo=Zone()),
    "utc": datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc),
    "odd utc": datetime.time(1, tzinfo=datetime.timezone(datetime.timedelta(hours=1), Part("x"))),
    "stamp": Stamp(2024, 1, 2), "date": datetime.date(2024, 1, 2),
    "delta": datetime.timedelta(days=1, seconds=5),
    "path": pathlib.PurePosixPath("/a/./b"),
    "pattern": re.compile("a+", re.I), "get": Get(), "struct": Struct(1),
    "memory": memoryview(b"abc"), "dead": dead, "borrowed": Borrowed(),
    "partial": functools.partial(plain, 1, b=Slow()), "lock": lock, "mapping": mapping,
    "plain mapping": types.MappingProxyType({"a": 1}), "keys": {"a": 1}.keys(),
    "generator": running, "coroutine": waiting, "stream": flowing, "map": map(hook("map"), [1]),
    "file": nul, "closed": closed,
}
if hasattr(unittest.mock, "AsyncMock"):
    VALUES["async mock"] = unittest.mock.AsyncMock()
del called[:]
started = time.time()
answer = {name: snapshot(value) for name, value in VALUES.items()}
answer = {"shots": answer, "called": called, "steps": steps, "seconds": time.time() - started}
waiting.close()
nul.close()
'''

MORE_TEXTS = {
    "slow repr": "<Slow>",
    "a liar": "<Liar a=1>",
    "lazy": "<Lazy _made=None _make=<function told>>",
    "enum": "Color.RED",
    "int enum": "Numbers.ONE",
    "flag": "Bits.B",
    "flags": "Bits.A|C",
    "no flag": "Bits(0)",
    "dataclass": "Data()",
    "later": "Later(first=1, second='s')",
    "odd keys": "{<Key n=1>: 0, <Key n=1>: 1}",
    "ordered": "<Keyed {}>",
    "default": "<Filled {'a': 1}>",
    "counter": "<Counted {'a': 2}>",
    "chain": "<Chained maps=[{'a': 1}]>",
    "pair": "Pair(x=1, y=2)",
    "error": "<Odd ('why', 2)>",
    "zone": "datetime(2024, 1, 2, 3, 4, tzinfo=<Zone>)",
    "utc": "datetime(2024, 1, 2, 0, 0, tzinfo=timezone.utc)",
    "odd utc": "time(1, 0, tzinfo=timezone(timedelta(seconds=3600)))",
    "stamp": "<Stamp datetime(2024, 1, 2, 0, 0)>",
    "date": "date(2024, 1, 2)",
    "delta": "timedelta(days=1, seconds=5)",
    "path": "PurePosixPath('/a/b')",
    "pattern": "re.compile('a+', re.I)",
    "get": "<Get>",
    "struct": "<Struct>",
    "memory": "<memoryview>",
    "dead": "<weakproxy>",
    "borrowed": "<datetime>",
    "partial": "partial(<function plain>, 1, b=<Slow>)",
    "lock": "<lock unlocked>",
    "mapping": "<mappingproxy>",
    "plain mapping": "mappingproxy({'a': 1})",
    "keys": "dict_keys(['a'])",
    "generator": "<generator generate>",
    "coroutine": "<coroutine coroutine>",
    "stream": "<async_generator stream>",
    "map": "<map>",
    "file": "<TextIOWrapper name='/dev/null'>",
    "closed": "<BufferedReader name='/dev/null' closed>",
}


@cache
def more(python: str) -> Any:
    return run_inside(python, MORE, None)


@pytest.mark.parametrize("python", EVERY)
def test_nothing_is_asked_resolved_or_advanced(python: str) -> None:
    found = more(python)
    assert (found["called"], found["steps"]) == ([], [])
    assert found["seconds"] < 5


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.parametrize("name", MORE_TEXTS)
def test_a_type_reads_the_same_on_every_version(python: str, name: str) -> None:
    assert more(python)["shots"][name][1] == MORE_TEXTS[name]


@pytest.mark.parametrize("python", EVERY)
def test_what_another_thread_changes_is_read_all_the_same(python: str) -> None:
    code = """
import importlib, threading, time
snapshot = importlib.import_module("_mgdebug_probe.snapshot").snapshot
table, row, thing, going = {}, [], type("Thing", (), {})(), [True]
def change():
    n = 0
    while going:
        n += 1
        table[n % 50] = row
        row.append(n)
        setattr(thing, "a%d" % (n % 40), n)
        if not n % 37:
            table.clear(), row.clear(), vars(thing).clear()
thread = threading.Thread(target=change)
thread.start()
end = time.time() + 0.5
answer = []
while time.time() < end:
    answer += [len(snapshot(value)) for value in (table, row, thing, {"k": table})]
going.clear()
thread.join()
answer = sorted(set(answer))
"""
    assert run_inside(python, code, None) == [4]


@pytest.mark.parametrize("python", EVERY)
def test_bounds_can_be_set(python: str) -> None:
    code = """
import importlib
module = importlib.import_module("_mgdebug_probe.snapshot")
module.bound(depth=1, items=4, characters=100)
small = [module.snapshot(v)[1] for v in (list(range(9)), [[1]], "x" * 101)]
module.bound(depth=4, items=32, characters=100000)
nest = [[[[1.5] * 32] * 32] * 32] * 32
answer = [small, module.snapshot(nest)[1].count("1.5")]
"""
    small, nodes = run_inside(python, code, None)
    assert small == ["[0, 1, 2, ... 5 more, 8]", "[[... 1]]", repr("x" * 50) + "... (101)"]
    assert 0 < nodes < 500


# ---------------------------------------------------------------------------------- secrets

MASKED = [  # a name, a value, its text
    ("password", "x", "'***'"),
    ("userPassword2", "x", "'***'"),
    ("API_KEY", "x", "'***'"),
    ("apikey", b"x", "'***'"),
    ("client_secret", "x", "'***'"),
    ("credentials", ["a", 1], "['***', 1]"),
    ("auth_token", "x", "'***'"),
    ("token", "abcd1234", "'***'"),
    ("session_key", "abcd1234", "'***'"),
    ("config", {"password": "x", "n": 1}, "{'password': '***', 'n': 1}"),
    ("config", {"db": {"private_key": "x"}}, "{'db': {'private_key': '***'}}"),
    ("x", ["sk-" + "abc123" * 4, "ok"], "['***', 'ok']"),
    ("x", "ghp_" + "a1" * 18, "'***'"),
    ("x", "github_pat_" + "a1" * 18, "'***'"),
    ("x", "AKIA" + "ABCD" * 4, "'***'"),
    ("x", "xoxb-" + "1234-" * 4, "'***'"),
    ("x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "'***'"),
    ("x", "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "'***'"),
    ("x", "Authorization: Bearer abc.def.ghi", "'Authorization: Bearer ***'"),
    ("x", "postgres://bob:pa55@host/db", "'postgres://bob:***@host/db'"),
    ("x", b"AKIA" + b"ABCD" * 4, "b'***'"),
]
SHOWN = [
    ("key", "b", "'b'"),
    ("token", "while", "'while'"),
    ("token", "a long text 1", "'a long text 1'"),
    ("monkey", "abcd1234", "'abcd1234'"),
    ("secret", 42, "42"),
    ("compass", "north", "'north'"),
    ("x", "http://host:80/path", "'http://host:80/path'"),
    ("x", "risk-2024-report-for-all", "'risk-2024-report-for-all'"),
    ("x", {"key": "b", "token": "if"}, "{'key': 'b', 'token': 'if'}"),
]


@pytest.mark.parametrize("python", EVERY)
def test_secrets_are_masked_and_only_these(python: str) -> None:
    cases = repr([(name, value) for name, value, _ in MASKED + SHOWN])
    code = f"""
import importlib
module = importlib.import_module("_mgdebug_probe.snapshot")
answer = [module.snapshot(value, name) for name, value in {cases}]
module.mask(False)
answer.append(module.snapshot("x", "password"))
"""
    *shots, off = run_inside(python, code, None)
    assert [shot[1] for shot in shots] == [text for _, _, text in MASKED + SHOWN]
    assert all(shot[2] for shot in shots[: len(MASKED)])
    assert not any(shot[2] for shot in shots[len(MASKED) :])
    texts = [shot for shot in shots[: len(MASKED)] if shot[0] in ("str", "bytes")]
    assert all(shot[3] is None for shot in texts)
    assert off == ["str", "'x'", False, 1]


@pytest.mark.parametrize("python", EVERY)
def test_fields_and_attributes_of_telling_names_are_masked(python: str) -> None:
    code = """
import collections, dataclasses, importlib
module = importlib.import_module("_mgdebug_probe.snapshot")
@dataclasses.dataclass
class User:
    name: str
    password: str
class Client:
    def __init__(self): self.api_key, self.retries = "s3cr3t", 3
values = [User("bob", "s3cr3t"), Client(), collections.namedtuple("P", "host pwd")("h", "s3cr3t")]
far = "x" * 190 + " ghp_" + "s3cr3t" * 30 + "y" * 300
answer = [[module.snapshot(value)[1] for value in [*values, far]],
          [module.hidden(n) for n in ("dbPassword", "access_key", "token", "key", "passing")]]
"""
    texts, hidden = run_inside(python, code, None)
    assert texts[:3] == [
        "User(name='bob', password='***')",
        "<Client api_key='***' retries=3>",
        "P(host='h', pwd='***')",
    ]
    assert "s3cr3t" not in texts[3]
    assert hidden == [True, True, False, False, False]


# -------------------------------------------------------------------------- numpy and pandas

ARRAYS = """
import importlib, json, runpy, sys
runpy.run_path(sys.argv[1], run_name="probe")
import numpy as np
snapshot = importlib.import_module("_mgdebug_probe.snapshot").snapshot
class Loud:
    def __repr__(self): raise SystemExit("asked")
class Heir(np.ndarray):
    def __getitem__(self, at): raise SystemExit("asked")
values = [np.arange(3), np.arange(4).reshape(2, 2), np.array([Loud(), 1], dtype=object),
    np.arange(10**6), np.arange(2).view(Heir), np.float64(1.5), np.array(["a"])]
if sys.argv[2] == "pandas":
    import pandas as pd
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "password": ["p", "q"]})
    gaps = pd.Series([1, None], dtype="Int64", name="n")
    values = [frame, frame["a"], frame.index, gaps, pd.Series(pd.Categorical(["u", "v", "u"])),
        frame.set_index("a"), pd.DataFrame(np.zeros((10**5, 10)))]
print(json.dumps([snapshot(value) for value in values]))
"""


def ask_library(library: str) -> list[list[Any]]:
    """Shots of values of a library, by an interpreter that has it: this one, or $MGDEBUG_NUMPY."""
    pythons = [sys.executable, os.environ.get("MGDEBUG_NUMPY", "")]
    probe = str(Path(__file__).parents[1] / "mgdebug" / "probe")
    for python in filter(None, pythons):
        command = [python, "-c", f"import {library}"]
        if not subprocess.run(command, capture_output=True, check=False).returncode:
            command = [python, "-c", ARRAYS, probe, library]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found: list[list[Any]] = json.loads(done.stdout)
            return found
    pytest.skip(f"no interpreter with {library}: set MGDEBUG_NUMPY to one")


def test_arrays_are_read_at_both_ends() -> None:
    flat, square, objects, huge, heir, scalar, text = ask_library("numpy")
    assert flat[1:] == ["array([0, 1, 2], shape=(3,), dtype=int64)", False, 3]
    assert square[1:] == ["array([[0, 1], [2, 3]], shape=(2, 2), dtype=int64)", False, 4]
    assert objects[1:] == ["array([<Loud>, 1], shape=(2,), dtype=object)", False, 2]
    assert huge[1].startswith("array([0, 1, 2")
    assert "23, ... 999968 more, 999992" in huge[1]
    assert huge[2:] == [True, 1000000]
    assert heir[:2] == ["Heir", "<Heir array([0, 1], shape=(2,), dtype=int64)>"]
    assert scalar[1:] == ["np.float64(1.5)", False, None]
    assert text[1] == "array(['a'], shape=(1,), dtype=<U1)"


def test_tables_are_read_by_columns() -> None:
    frame, series, index, gaps, labels, indexed, huge = ask_library("pandas")
    assert frame[1].startswith("DataFrame({'a': [1, 2], 'b': ['x', ")
    assert frame[1].endswith("'password': ['***', '***']}, shape=(2, 3))")
    assert frame[3] == 2
    assert series[1:] == ["Series([1, 2], name='a')", False, 2]
    assert index[1:] == ["RangeIndex(range(0, 2))", False, 2]
    assert gaps[1] == "Series([1, <NA>], name='n')"
    assert labels[1] == "Series(['u', 'v', 'u'])"
    assert "shape=(2, 2)" in indexed[1]
    assert (huge[2], huge[3]) == (True, 100000)
    assert len(huge[1]) < 1200
