# ruff: noqa: E501
"""Code with ticks does what it does without, and what never ends is cut off."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from interpreters import EVERY, run_inside

# name: (source, an expression over its names).  Told: the value or the error, with its lines.
PROGRAMS = {
    "docstrings": (
        'def f():\n    """Text."""\n    return 1\nclass C:\n    """Of C."""\n'
        '    def m(self):\n        "Of m."\ndef g():\n    "only"\n',
        "f(), f.__doc__, C.__doc__, C.m.__doc__, C().m(), g.__doc__, g()",
    ),
    "no docstring": (
        'def f():\n    1\n    "no text"\ndef g():\n    b"x"\n',
        "f.__doc__, g.__doc__",
    ),
    "an f-string first": ('def f(x=1):\n    f"{x}"\n', "f.__doc__, f()"),
    "generators": (
        "def f(n):\n    for i in range(n):\n        got = yield i\n        if got: yield got\n"
        "def g():\n    x = yield from f(3)\n    return x\n"
        "def use():\n    it = f(3)\n    return [next(it), it.send(9), list(it)]\n",
        "list(f(3)), list(g()), use()",
    ),
    "only a yield": ("def f():\n    yield\n", "list(f())"),
    "generator expressions": ("def f(n):\n    return sum(i for i in range(n))\n", "f(5)"),
    "async": (
        "import asyncio\n"
        "class A:\n"
        "    def __init__(self): self.n = 0\n"
        "    def __aiter__(self): return self\n"
        "    async def __anext__(self):\n        self.n += 1\n        if self.n > 3:\n"
        "            raise StopAsyncIteration\n        return self.n\n"
        "    async def __aenter__(self): return self\n"
        "    async def __aexit__(self, *e): return True\n"
        "async def f():\n    found = []\n    async for x in A():\n        found.append(x)\n"
        "    else:\n        found.append('else')\n"
        "    async with A() as a:\n        1 / 0\n"
        "    return found, [x async for x in A()]\n"
        "async def g():\n    yield 1\n    yield 2\n"
        "async def h():\n    return [x async for x in g()]\n"
        "def run(c):\n    loop = asyncio.new_event_loop()\n    try:\n"
        "        return loop.run_until_complete(c)\n    finally:\n        loop.close()\n",
        "run(f()), run(h())",
    ),
    "closures": (
        "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n        return n\n"
        "    g()\n    return g\n",
        "f()(), f().__code__.co_freevars",
    ),
    "global": ("N = 0\ndef f():\n    global N\n    N += 1\n    return N\n", "f(), f(), N"),
    "loops with else": (
        "def f(n, stop):\n    log = []\n    for i in range(n):\n        if i == stop:\n"
        "            break\n        if i % 2:\n            continue\n        log.append(i)\n"
        "    else:\n        log.append('else')\n    while n:\n        n -= 1\n"
        "        if n == 1: continue\n        if n == stop: break\n    else:\n"
        "        log.append('while else')\n    return log, n\n",
        "f(5, 3), f(5, 9), f(0, 0), f(3, 0)",
    ),
    "try and finally": (
        "def f(n):\n    log = []\n    for i in range(n):\n        try:\n            log.append(1 // i)\n"
        "        except ZeroDivisionError:\n            for j in range(2): log.append('z')\n"
        "            continue\n        else:\n            while len(log) < 3: log.append('e')\n"
        "        finally:\n            for k in range(2): log.append('f')\n    return log\n",
        "f(3)",
    ),
    "with": (
        "import contextlib\ndef f():\n    with contextlib.suppress(KeyError):\n"
        "        for i in range(3):\n            if i == 2: raise KeyError\n    return i\n",
        "f()",
    ),
    "decorators": (
        "import functools\n@functools.lru_cache(\n    maxsize=None)\ndef f(n):\n"
        "    return n if n < 2 else f(n-1) + f(n-2)\n"
        "class C:\n    @property\n    def p(self): return 1\n    @staticmethod\n"
        "    def s(): return 2\n    @classmethod\n    def c(cls): return cls.__name__\n",
        "f(20), f.cache_info().misses, C().p, C.s(), C.c()",
    ),
    "lambdas": ("f = lambda n: [x for x in range(n)]\n", "f(3)"),
    "super": (
        "class A:\n    def __init__(self): self.x = 1\nclass B(A):\n    def __init__(self):\n"
        "        super().__init__()\n        self.y = __class__.__name__\n",
        "B().x, B().y",
    ),
    "mangled names": (
        "class A:\n    def __init__(self):\n        self.__x = 1\n    def g(self):\n"
        "        for i in range(2): self.__x += i\n        return self.__dict__\n",
        "A().g()",
    ),
    "class bodies": (
        "class A:\n    log = []\n    for i in range(3):\n        log.append(i)\n"
        "    while i:\n        i -= 1\n    def f(self):\n        return self.log\n"
        "def g():\n    class B:\n        for i in range(3):\n            pass\n"
        "        names = sorted(k for k in dir() if not k.startswith('__'))\n    return B.names\n",
        "A.log, A.i, A().f(), g()",
    ),
    "module code": (
        "log = []\nfor i in range(3):\n    log.append(i)\nwhile i:\n    i -= 1\n",
        "log, i",
    ),
    "locals": (
        "def f(a):\n    for b in range(2): pass\n    return sorted(locals())\n",
        "f(1), f.__code__.co_varnames, f.__code__.co_argcount",
    ),
    "an error's lines": (
        "def f(n):\n    'text'\n    for i in range(n):\n        x = (1 +\n             i)\n"
        "        if i == 1:\n            raise ValueError(i)\n\ndef g():\n\n    # why\n"
        "    while True:\n\n        f(3)\n",
        "g()",
    ),
    "an error in the head": ("def f(n):\n    while 1 // n:\n        n -= 1\n", "f(1)"),
    "an error on the only line": (
        "def f(n): return 1 // n\ndef g(n):\n    for i in n: 1 // i\n",
        "f(0)",
    ),
    "loops on one line": ("def g(n):\n    for i in n: n.pop(); 1 // i\n", "g([1, 0, 0])"),
    "the names of code": (
        "def f():\n    def g():\n        return lambda: 0\n    return g\n",
        "[x.__qualname__ for x in (f, f(), f()())]",
    ),
    "first lines": (
        "import functools\n\n@functools.wraps(len)\ndef f():\n    '''a\n    b'''\n    return 1\n",
        "f.__code__.co_firstlineno",
    ),
    "annotations": (
        "from __future__ import annotations\ndef f(a: int) -> Missing:\n    b: Other = 1\n    return b\n",
        "f(1), f.__annotations__",
    ),
    "a coding": ("# coding: latin-1\ndef f():\n    for c in '\\xe9': return c\n", "f()"),
    "nested functions in all places": (
        "def f(n):\n    if n:\n        def g(): return 1\n    else:\n        def g(): return 2\n"
        "    try:\n        def h(): return g()\n    finally:\n        with open('/dev/null'):\n"
        "            def i(): return h()\n    for x in range(1):\n        def j(): return i()\n"
        "    return j()\n",
        "f(0), f(1)",
    ),
}
NEWER = {
    "match": (
        (3, 10),
        "def f(x):\n    match x:\n        case [a, *rest]:\n            for r in rest: a += r\n"
        "            return a\n        case {'k': v}:\n            while v: v -= 1\n            return v\n"
        "        case _:\n            return None\n",
        "f([1, 2, 3]), f({'k': 3}), f(4)",
    ),
    "except*": (
        (3, 11),
        "def f():\n    log = []\n    try:\n        raise ExceptionGroup('g', [KeyError(), ValueError()])\n"
        "    except* KeyError:\n        for i in range(2): log.append('k')\n"
        "    except* ValueError:\n        while len(log) < 5: log.append('v')\n    return log\n",
        "f()",
    ),
    "type parameters": (
        (3, 12),
        "def f[T](a: T) -> T:\n    'text'\n    for i in range(2): pass\n    return a\n"
        "class C[T]:\n    def m(self, x: T): return x\n",
        "f(1), f.__doc__, f.__type_params__, C().m(2)",
    ),
}

COMPARE = """
import importlib, traceback, warnings
ticks = importlib.import_module("_mgdebug_probe.ticks")
warnings.simplefilter("ignore")


def told(code, call):
    space = {"__name__": "program"}
    try:
        exec(code, space)
        return repr(eval(call, space))
    except Exception as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == "program.py"]
        return "%s: %s at %r" % (type(error).__name__, error, lines)


answer = {}
for name, (source, call) in message.items():
    source = source.encode("latin-1")
    plain = compile(source, "program.py", "exec", dont_inherit=True)
    ticks.Ticks().allow(1000000)
    answer[name] = told(plain, call), told(ticks.ticked(source, "program.py"), call)
"""


@pytest.mark.parametrize("python", EVERY)
def test_code_with_ticks_does_the_same(python: str, request: pytest.FixtureRequest) -> None:
    version = tuple(map(int, request.node.callspec.id.split(".")))
    programs = {name: list(program) for name, program in PROGRAMS.items()}
    programs |= {
        name: [text, call] for name, (first, text, call) in NEWER.items() if version >= first
    }
    found = run_inside(python, COMPARE, programs)
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}
    ended = {name for name, pair in found.items() if "Error" in pair[0]}
    assert ended == {
        "an error's lines",
        "an error in the head",
        "an error on the only line",
        "loops on one line",
    }


# ---------------------------------------------------------------------------------- counting

# name: (source, expression, turns)
COUNTED = {
    "a call": ("def f():\n    return 1\n", "f()", 1),
    "a call with a docstring": ("def f():\n    'x'\n    return 1\n", "f()", 1),
    "a docstring alone": ("def f():\n    'x'\n", "f()", 1),
    "a for loop": ("def f():\n    for i in range(10): pass\n", "f()", 11),
    "a while loop": ("def f(n=10):\n    while n: n -= 1\n", "f()", 11),
    "loops in loops": (
        "def f():\n    for i in range(3):\n        for j in range(4): pass\n",
        "f()",
        16,
    ),
    "calls in a loop": ("def g(): pass\ndef f():\n    for i in range(3): g()\n", "f()", 7),
    "a recursion": ("def f(n):\n    return n and f(n - 1)\n", "f(9)", 10),
    "a generator": ("def f():\n    for i in range(3): yield i\n", "list(f())", 4),
    "module code": ("for i in range(9): pass\ndef f(): pass\n", "1", 0),
    "a class body": ("def f():\n    class C:\n        for i in range(9): pass\n", "f()", 1),
    "a method": ("class C:\n    def m(self):\n        while True: break\n", "C().m()", 2),
    "an else": (
        "def f():\n    for i in (): pass\n    else:\n        for j in range(2): pass\n",
        "f()",
        3,
    ),
    "a handler": (
        "def f():\n    try: 1/0\n    except Exception:\n        for j in range(2): pass\n",
        "f()",
        3,
    ),
    "a finally": (
        "def f():\n    try: pass\n    finally:\n        for j in range(2): pass\n",
        "f()",
        3,
    ),
    "a with": (
        "def f():\n    with open('/dev/null'):\n        for j in range(2): pass\n",
        "f()",
        3,
    ),
    "an if": (
        "def f():\n    if 1:\n        if 0: pass\n        elif 1:\n            for j in range(2): pass\n",
        "f()",
        3,
    ),
}
COUNT = """
import importlib
ticks = importlib.import_module("_mgdebug_probe.ticks")
answer = {}
for name, (source, call, _) in message.items():
    space = {}
    clock = ticks.Ticks()
    clock.allow(1000)
    exec(ticks.ticked(source.encode(), "program.py"), space)
    clock.allow(1000)
    eval(call, space)
    answer[name] = clock.used(), clock.spent()
"""


@pytest.mark.parametrize("python", EVERY)
def test_turns_are_counted(python: str) -> None:
    found = run_inside(python, COUNT, COUNTED)
    assert found == {name: [turns, False] for name, (_, _, turns) in COUNTED.items()}


ENDLESS = {
    "while": "def f():\n    while True: pass\n",
    "bare except": "def f():\n    while True:\n        try:\n            pass\n        except: pass\n",
    "bare except around": (
        "def f():\n    while True:\n        try:\n            while True:\n                x = 1\n"
        "        except: continue\n"
    ),
    "finally": "def f():\n    while True:\n        try: g()\n        finally: continue\ndef g(): pass\n",
    "exception swallowed by a caller": (
        "def g():\n    while True: pass\ndef f():\n    while True:\n        try: g()\n"
        "        except BaseException: pass\n"
    ),
    "a context manager that swallows all": (
        "class Q:\n    def __enter__(self): pass\n    def __exit__(self, *e): return True\n"
        "def f():\n    while True:\n        with Q():\n            while True: pass\n"
    ),
    "an endless generator": "def g():\n    while True: yield 1\ndef f(): return list(g())\n",
    "an endless iterator": (
        "class I:\n    def __iter__(self): return self\n    def __next__(self): return 1\n"
        "def f(): return sum(I())\n"
    ),
    "endless else": "def f():\n    while True:\n        for i in (): pass\n        else: pass\n",
    "recursion that swallows": (
        "def f(n=0):\n    try: return f(n + 1)\n    except BaseException: return 0\n"
    ),
    "two by two": (
        "def f(n=0):\n    if n > 200: return 0\n    try: f(n + 1)\n    except BaseException: pass\n"
        "    try: f(n + 1)\n    except BaseException: pass\n"
    ),
    "for over what grows": "def f():\n    x = [1]\n    for i in x: x.append(i)\n",
    "a lambda that calls itself by turns": (
        "def g(): return h\nh = lambda: 0\ndef f():\n    while 1: g()()\n"
    ),
}
CUT = """
import importlib, signal
ticks = importlib.import_module("_mgdebug_probe.ticks")
answer = {}
def up(*_): raise SystemExit("hangs: " + name)
signal.signal(signal.SIGALRM, up)
for name, source in message.items():
    space = {}
    exec(ticks.ticked(source.encode(), "program.py"), space)
    clock = ticks.Ticks()
    clock.allow(4000)
    signal.alarm(20)
    try:
        space["f"]()
        raised = ""
    except BaseException as error:
        raised = type(error).__name__
        if isinstance(error, SystemExit):
            raised = str(error)
    signal.alarm(0)
    answer[name] = raised, clock.spent(), clock.used()
"""


@pytest.mark.parametrize("python", EVERY)
def test_what_never_ends_is_cut_off(python: str, request: pytest.FixtureRequest) -> None:
    if request.node.callspec.id == "3.8":  # `continue` in `finally` is new there, and it is allowed
        assert "finally" in ENDLESS
    found = run_inside(python, CUT, ENDLESS)
    ended = {"recursion that swallows"}  # by Python's own limit
    assert {name: said for name, said in found.items() if not said[1] and name not in ended} == {}
    assert all(said[0] in ("StopIteration", "RuntimeError", "") for said in found.values())


def test_as_many_turns_as_allowed_and_no_more() -> None:
    source = "def f(n):\n    for i in range(n): pass\n"
    code = """
import importlib
ticks = importlib.import_module("_mgdebug_probe.ticks")
space = {}
exec(ticks.ticked(message.encode(), "program.py"), space)
clock = ticks.Ticks()
answer = []
for turns in (8, 9, 10, 11):
    clock.allow(10)
    try:
        space["f"](turns)
        answer.append([turns, "ended", clock.used(), clock.spent()])
    except StopIteration:
        answer.append([turns, "cut", clock.used(), clock.spent()])
"""
    found: Any = run_inside(sys.executable, code, source)
    assert found == [
        [8, "ended", 9, False],
        [9, "ended", 10, True],  # the last one was taken
        [10, "cut", 10, True],
        [11, "cut", 10, True],
    ]
