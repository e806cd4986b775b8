# ruff: noqa: E501
"""Whether a change that would show in later tries is seen, and what is no change is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from interpreters import EVERY, run_inside

# Each in a fork of one interpreter that has imported the project: a world is made, code is run,
# and the world is asked.
LOOK = """
import importlib, os, sys
World = importlib.import_module("_mgdebug_probe.world").World
ticks = importlib.import_module("_mgdebug_probe.ticks")
sys.path.insert(0, message["root"])
sys.dont_write_bytecode = True
os.chdir(message["root"])
os.environ["TMPDIR"] = message["root"] + "/../own"  # not where other tests make files meanwhile
os.mkdir(os.environ["TMPDIR"])
import state, other


def in_a_fork(before, code):
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reading)
            output = os.open(message["root"] + "/../output", os.O_RDWR | os.O_CREAT)
            os.dup2(output, 1), os.dup2(output, 2), os.close(output)
            space = {"__name__": "state", "state": state, "other": other}
            exec(before, space)
            world = World(message["root"])
            said = "closed: " + world.closed if world.closed else world.changed()
            if not said:
                exec(code, space)
                sys.stdout.flush(), sys.stderr.flush()
                said = world.changed() or "nothing"
            else:
                said = "before: " + said
        except BaseException as error:
            said = "raised %r" % error
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        said = file.read()
    os.waitpid(pid, 0)
    return said


answer = {name: in_a_fork(before, code) for name, (before, code) in message["changes"].items()}
"""

STATE = """
import collections, functools, json, random, sys, threading, time, types, decimal, enum
import other

NUMBER = 1
ITEMS = [1, [2, 3]]
TABLE = {"a": [1], "b": {"c": 2}}
SET = {1, 2}
QUEUE = collections.deque([1])
GROUPS = collections.defaultdict(list, a=[1])
ORDERED = collections.OrderedDict(a=1)
COUNTS = collections.Counter("aab")
PAIR = (1, [2])


class Thing:
    limit = 3
    shared = []

    def __init__(self):
        self.value = 1
        self.items = []

    def method(self):
        return self.value

    @property
    def double(self):
        return self.value * 2

    @classmethod
    def make(cls):
        return cls()


class Sub(Thing):
    pass


class Color(enum.Enum):
    RED = [1]


THING = Thing()
SUB = Sub()


def remembers(n, seen=[], *, table={}):
    seen.append(n)
    return seen


def attributed(n):
    return n


attributed.calls = 0


def bare(n):
    return n


def counter():
    count, log = 0, []

    def step():
        nonlocal count
        count += 1
        log.append(count)
        return count

    return step


STEP = counter()
PART = functools.partial(remembers, 1, table={"x": 1})


@functools.lru_cache(maxsize=None)
def cached(n):
    return n * 2


@functools.lru_cache(maxsize=None)
def warmed(n):
    return n * 2




def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args):
        wrapper.calls = getattr(wrapper, "calls", 0) + 1
        return function(*args)

    return wrapper


@wrapping
def wrapped(n):
    return n
"""
OTHER = "FLAG = False\nLOG = []\n"
LAZY = "VALUE = 1\n"

# name: code that changes something
SEEN = {
    "a global": "state.NUMBER = 2",
    "a new global": "state.NEW = 2",
    "a global is gone": "del state.NUMBER",
    "an equal global": "state.ITEMS = list(state.ITEMS)",
    "a list": "state.ITEMS.append(1)",
    "a list's item": "state.ITEMS[0] = 5",
    "a list's order": "state.ITEMS.reverse()",
    "a list in a list": "state.ITEMS[1].clear()",
    "a dict": "state.TABLE['z'] = 1",
    "a dict's key": "state.TABLE['z'] = state.TABLE.pop('b')",
    "a dict in a dict": "state.TABLE['b']['c'] = 3",
    "a set": "state.SET.add(3)",
    "a set's item": "state.SET.discard(1); state.SET.add(9)",
    "a deque": "state.QUEUE.append(2)",
    "a deque turned": "state.QUEUE.extend([2]); state.QUEUE.popleft()",
    "a default dict": "state.GROUPS['b']",
    "a default dict's list": "state.GROUPS['a'].append(2)",
    "an ordered dict": "state.ORDERED['b'] = 1",
    "a counter": "state.COUNTS['a'] += 1",
    "a list in a tuple": "state.PAIR[1].append(1)",
    "a class attribute": "state.Thing.limit = 4",
    "a new class attribute": "state.Thing.other = 4",
    "a class attribute of a subclass": "state.Sub.limit = 5",
    "a list of a class": "state.Thing.shared.append(1)",
    "a method": "state.Thing.method = lambda self: 5",
    "an instance attribute": "state.THING.value = 2",
    "a new instance attribute": "state.THING.other = 2",
    "a list of an instance": "state.THING.items.append(1)",
    "an instance of a subclass": "state.SUB.value = 4",
    "the class of an instance": "state.THING.__class__ = state.Sub",
    "a mutable default": "state.remembers(1)",
    "a mutable keyword default": "state.remembers.__kwdefaults__['table']['x'] = 1",
    "defaults": "state.remembers.__defaults__ = ([5],)",
    "keyword defaults": "state.remembers.__kwdefaults__ = {'table': {1: 1}}",
    "a function's attribute": "state.attributed.calls += 1",
    "a first attribute of a function": "state.bare.calls = 1",
    "a first attribute of a wrapper": "state.wrapped(1)",
    "a closure": "state.STEP()",
    "a partial": "state.PART.keywords['table']['y'] = 1",
    "a cache": "state.cached(3)",
    "another module's global": "other.FLAG = True",
    "another module's list": "other.LOG.append(1)",
    "an enum's value": "state.Color.RED.value.append(2)",
    "an enum's attribute": "state.Color.RED.note = 2",
    "the search path": "import sys; sys.path.append('/x')",
    "the environment": "import os; os.environ['MGDEBUG_X'] = '1'",
    "the environment less": "import os; del os.environ['PATH']",
    "the working directory": "import os; os.chdir('/')",
    "random numbers": "import random; random.random()",
    "a seed": "import random; random.seed(3)",
    "SIGALRM": "import signal; signal.signal(signal.SIGALRM, lambda *_: None)",
    "SIGINT": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "SIGHUP": "import signal; signal.signal(signal.SIGHUP, lambda *_: None)",
    "SIGUSR2": "import signal; signal.signal(signal.SIGUSR2, lambda *_: None)",
    "a timer": "import signal; signal.setitimer(signal.ITIMER_REAL, 1000)",
    "blocked signals": "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])",
    "the recursion limit": "import sys; sys.setrecursionlimit(500)",
    "the switch interval": "import sys; sys.setswitchinterval(1)",
    "an open file": "import os; os.open('/dev/null', 0)",
    "a closed file": "import os; os.close(0)",
    "a thread": "import threading; threading.Thread(target=lambda: __import__('time').sleep(9), daemon=True).start()",
    "a low thread": "import _thread, time; _thread.start_new_thread(time.sleep, (9,)); time.sleep(0.1)",
    "a child": "import subprocess; subprocess.Popen(['sleep', '1'])",
    "output": "print('hello')",
    "errors": "import sys; sys.stderr.write('hello')",
    "bytes of output": "import os; os.write(1, b'x')",
    "another stdout": "import io, sys; sys.stdout = io.StringIO()",
    "another stderr": "import io, sys; sys.stderr = io.StringIO()",
    "another stdin": "import io, sys; sys.stdin = io.StringIO('x')",
    "a new built-in": "import builtins; builtins.mine = 1",
    "another built-in": "import builtins; builtins.len = lambda x: 5",
    "a lazily imported module": "import lazy",
    "a module replaced": "import sys, types; sys.modules['other'] = types.ModuleType('other')",
    "a library replaced": "import sys, types; sys.modules['json'] = types.ModuleType('json')",
    "a module gone": "import sys; del sys.modules['other']",
    "gc": "import gc; gc.disable()",
    "a trace function": "import sys; sys.settrace(lambda *_: None)",
    "a profile function": "import sys; sys.setprofile(lambda *_: None)",
    "a trace function of threads": "import threading; threading.settrace(lambda *_: None)",
    "warning filters": "import warnings; warnings.simplefilter('error')",
    "warnings shown another way": "import warnings; warnings.showwarning = lambda *a: None",
    "a decimal context": "import decimal; decimal.getcontext().prec = 5",
    "a decimal trap": "import decimal; decimal.getcontext().traps[decimal.Inexact] = True",
    "a locale": "import locale; locale.setlocale(locale.LC_ALL, 'C.UTF-8')",
    "a patched clock": "import time; time.time = lambda: 0",
    "a patched function of a library": "import unittest.mock; unittest.mock.patch('json.dumps').start()",
    "a patched project function": "import unittest.mock; unittest.mock.patch('state.bare').start()",
    "a logging handler": "import logging; logging.getLogger().addHandler(logging.NullHandler())",
    "a logging level": "import logging; logging.getLogger().setLevel(5)",
    "logging off": "import logging; logging.disable()",
    "arguments of the program": "import sys; sys.argv.append('x')",
    "the mask of new files": "import os; os.umask(0o7)",
    "an excepthook": "import sys; sys.excepthook = lambda *_: None",
    "a display hook": "import sys; sys.displayhook = lambda *_: None",
    "a finder": "import sys; sys.meta_path.insert(0, object())",
    "a limit": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))",
    "a new file": "open('left.txt', 'w').close()",
    "a new file elsewhere": "import tempfile, os; os.close(tempfile.mkstemp()[0])",
}
# name: (what the project's module holds besides, what changes it)
HELD = {
    "a bytearray": ("bytearray(b'ab')", "state.HELD.append(1)"),
    "an array": ("__import__('array').array('i', [1])", "state.HELD.append(1)"),
    "a namespace": ("types.SimpleNamespace(a=1)", "state.HELD.a = 2"),
    "a namespace's list": ("types.SimpleNamespace(a=[])", "state.HELD.a.append(2)"),
    "a local of threads": ("threading.local()", "state.HELD.a = 2"),
    "an event": ("threading.Event()", "state.HELD.set()"),
    "a lock": ("threading.Lock()", "state.HELD.acquire()"),
    "a reentrant lock": ("threading.RLock()", "state.HELD.acquire()"),
    "a context variable": ("__import__('contextvars').ContextVar('x')", "state.HELD.set(1)"),
    "a decimal context": ("decimal.Context()", "state.HELD.prec = 3"),
    "a weak table": (
        "__import__('weakref').WeakKeyDictionary()",
        "state.HELD[state.Thing] = 1",
    ),
    "weak values": (
        "__import__('weakref').WeakValueDictionary()",
        "state.HELD['x'] = state.THING",
    ),
    "an iterator": ("iter([1, 2, 3])", "next(state.HELD)"),
    "a count": ("__import__('itertools').count()", "next(state.HELD)"),
    "a cycle": ("__import__('itertools').cycle([1, 2])", "next(state.HELD)"),
    "a generator": ("(n for n in [1, 2, 3])", "next(state.HELD)"),
    "a map": ("map(abs, [1, 2, 3])", "next(state.HELD)"),
    "own random numbers": ("random.Random(1)", "state.HELD.random()"),
    "a text file in memory": ("__import__('io').StringIO()", "state.HELD.write('x')"),
    "a view of a dict": ("types.MappingProxyType(TABLE)", "state.TABLE['q'] = 1"),
    "a hidden dict": ("types.MappingProxyType({'a': []})", "state.HELD['a'].append(1)"),
    "a list of a subclass": ("type('L', (list,), {})([1])", "state.HELD.append(2)"),
    "a dict of a subclass": ("type('D', (dict,), {})(a=1)", "state.HELD['b'] = 2"),
    "a set of a subclass": ("type('S', (set,), {})([1])", "state.HELD.add(2)"),
    "a list in a tuple of a subclass": (
        "type('T', (tuple,), {})([[1]])",
        "state.HELD[0].append(2)",
    ),
    "a list in a named tuple": (
        "collections.namedtuple('N', 'a')([1])",
        "state.HELD.a.append(2)",
    ),
    "a slot": ("type('O', (), {'__slots__': ('a',)})()", "state.HELD.a = 2"),
    "a slot beside attributes": (
        "type('O', (Thing,), {'__slots__': ('a',)})()",
        "state.HELD.a = 2",
    ),
    "a slot and attributes": (
        "type('O', (), {'__slots__': ('a', '__dict__')})()",
        "state.HELD.a = 2",
    ),
    "a chain": ("collections.ChainMap({}, {'a': 1})", "state.HELD['b'] = 1"),
    "a user dict": ("collections.UserDict(a=1)", "state.HELD['b'] = 1"),
    "a user list": ("collections.UserList([1])", "state.HELD.append(1)"),
    "a mock": ("__import__('unittest.mock').mock.Mock()", "state.HELD(1)"),
    "an error": ("ValueError('x')", "state.HELD.args = (1,)"),
    "an error's note": ("ValueError('x')", "state.HELD.note = 1"),
    "a bound method": ("THING.items.append", "state.HELD(1)"),
    "a logger": ("__import__('logging').getLogger('x')", "state.HELD.setLevel(5)"),
    "a heap": ("[(1, Thing())]", "state.HELD[0][1].value = 5"),
    "the keys of a dict": ("{Thing(): 1}", "next(iter(state.HELD)).value = 5"),
    "an abstract class": (
        "__import__('abc').ABCMeta('A', (), {'items': []})",
        "state.HELD.items.append(1)",
    ),
    "a singledispatch": (
        "functools.singledispatch(lambda x: 1)",
        "state.HELD.register(int, lambda x: 2)",
    ),
    "a class without a module": (
        "type('X', (), {'__module__': 'nowhere', 'limit': 1})",
        "state.HELD.limit = 2",
    ),
    "a data class": (
        "__import__('dataclasses').make_dataclass('P', ['x'])(1)",
        "state.HELD.x = 2",
    ),
    "a simple queue": ("__import__('queue').SimpleQueue()", "state.HELD.put(1)"),
    "a queue": ("__import__('queue').Queue()", "state.HELD.put(1)"),
    "a property's function": ("property(attributed)", "state.attributed.calls = 3"),
    "a cached property": (
        "type('C', (), {'p': functools.cached_property(lambda s: 5)})()",
        "state.HELD.__dict__['p'] = 1",
    ),
    "a module of one's own": ("types.ModuleType('mine')", "state.HELD.x = 1"),
    "a struct": (
        "type('S', (__import__('ctypes').Structure,),"
        " {'_fields_': [('x', __import__('ctypes').c_int)]})()",
        "state.HELD.x = 1",
    ),
    "a database": (
        "__import__('sqlite3').connect(':memory:')",
        "state.HELD.execute('create table t (x)')",
    ),
}
# What changes nothing that shows.
QUIET = {
    "nothing": "pass",
    "calls": "state.THING.method(), state.THING.double, state.Thing.make(), state.bare(1)",
    "a look at the tables": "list(state.TABLE), state.GROUPS.get('z'), state.ITEMS[0]",
    "a list grown and shrunk": "state.ITEMS.append(1); state.ITEMS.pop()",
    "a global set and reset": "old, state.NUMBER = state.NUMBER, 7; state.NUMBER = old",
    "an exception": "try:\n    {}['x']\nexcept KeyError:\n    pass",
    "a library imported": "import colorsys",
    "a file opened and closed": "open('state.py').close()",
    "a random number of one's own": "import random; random.Random(5).random()",
    "a patch that was taken back": "import unittest.mock as m\nwith m.patch('state.bare'):\n    pass",
    "a context of decimals": "import decimal\nwith decimal.localcontext() as c:\n    c.prec = 3",
    "warnings caught": "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('error')",
}


def look(python: str, tmp_path: Path, changes: dict[str, tuple[str, str]], held: str = "") -> Any:
    root = tmp_path / "project"
    root.mkdir()
    (root / "state.py").write_text(STATE + held)
    (root / "other.py").write_text(OTHER)
    (root / "lazy.py").write_text(LAZY)
    return run_inside(python, LOOK, {"root": str(root), "changes": changes})


def missed(found: dict[str, str]) -> dict[str, str]:
    """What was not seen, or could not be told."""
    return {k: v for k, v in found.items() if v == "nothing" or v.startswith(("raised", "before"))}


@pytest.mark.parametrize("python", EVERY)
def test_what_changes_is_seen(python: str, tmp_path: Path) -> None:
    found = look(python, tmp_path, {name: ("", code) for name, code in SEEN.items()})
    assert missed(found) == {}


@pytest.mark.parametrize("python", EVERY)
def test_what_a_module_holds_is_watched_or_nothing_is_shared(python: str, tmp_path: Path) -> None:
    changes = {
        name: (
            f"import collections, decimal, functools, random, threading, types\n"
            f"from state import *\nstate.HELD = {value}",
            code,
        )
        for name, (value, code) in HELD.items()
    }
    found = look(python, tmp_path, changes)
    closed = {name for name, said in found.items() if said.startswith("before: closed")}
    assert missed({k: v for k, v in found.items() if k not in closed}) == {}
    assert "a mutable default" not in closed


@pytest.mark.parametrize("python", EVERY)
def test_what_changes_nothing_is_not_seen(python: str, tmp_path: Path) -> None:
    found = look(python, tmp_path, {name: ("", code) for name, code in QUIET.items()})
    assert {k: v for k, v in found.items() if v != "nothing"} == {}
