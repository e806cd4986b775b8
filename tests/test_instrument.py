"""Probes change nothing: a program with them does, prints and raises what it does without them."""

from __future__ import annotations

import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from interpreters import EVERY, find, run_inside, version_of
from probed import SETUP, blocks_of, request, source_of, text_of, texts

from mgdebug.model import Block
from mgdebug.runner.visits import Log
from mgdebug.syntax.hierarchy import decompose

Program = tuple[tuple[int, int], str | bytes]


def since(minor: int, text: str | bytes) -> Program:
    return (3, minor), text


PROGRAMS: dict[str, Program] = {
    "nothing": since(8, ""),
    "a comment only": since(8, "# nothing\n"),
    "a docstring only": since(8, '"""Words."""\n'),
    "docstrings": since(
        8,
        '''
        """Of the module."""
        print(__doc__)
        def f():
            """Of the function."""
            return f.__doc__
        def only():
            """Nothing else."""
        class C:
            """Of the class."""
            x = 1
            def m(self): "Of the method."; return self.x
        async def a():
            """Of the coroutine."""
            return 1
        print(f(), only(), only.__doc__, C.__doc__, C().m(), C.m.__doc__, a.__doc__)
        if True:
            "no docstring"
        ''',
    ),
    "the future": since(
        8,
        '''
        """Words."""
        from __future__ import annotations
        from __future__ import division, generator_stop
        x: Undefined = 1
        def f(a: Nowhere) -> Never: return a
        print(__doc__, __annotations__, f.__annotations__, f(1))
        ''',
    ),
    "the future without words": since(
        8, "from __future__ import annotations\nx: Y = 1\nprint(x)\n"
    ),
    "generators": since(
        8,
        """
        def count(n):
            try:
                while n:
                    got = yield n
                    if got:
                        n = got
                        continue
                    n -= 1
            finally:
                print("closed")
            return "end"
        def outer():
            result = yield from count(2)
            yield result
        print(list(outer()))
        g = count(5)
        print(next(g), g.send(3), next(g))
        g.close()
        def early():
            yield 1
            return
        print(list(early()))
        """,
    ),
    "coroutines": since(
        8,
        """
        import asyncio
        class Context:
            async def __aenter__(self): print("in"); return self
            async def __aexit__(self, *why): print("out", why[0]); return True
        class Count:
            def __init__(self, n): self.n = n
            def __aiter__(self): return self
            async def __anext__(self):
                if not self.n:
                    raise StopAsyncIteration
                self.n -= 1
                await asyncio.sleep(0)
                return self.n
        async def numbers(n):
            for i in range(n):
                yield i
                await asyncio.sleep(0)
        async def main():
            async with Context() as c, Context():
                async for i in Count(3):
                    print(i)
                else:
                    print("over")
                raise ValueError(await value())
            return [i async for i in numbers(3)], [await value() for _ in "ab"]
        async def value():
            return await asyncio.sleep(0, "v")
        async def both():
            return await asyncio.gather(main(), main())
        print(asyncio.run(both()))
        """,
    ),
    "asynchronous generators": since(
        8,
        """
        import asyncio
        async def numbers():
            try:
                got = yield 1
                while got:
                    got = yield got
                return
            finally:
                print("closed")
        async def main():
            g = numbers()
            print(await g.asend(None), await g.asend(5), await g.asend(6))
            await g.aclose()
            async for x in numbers():
                print(x)
        asyncio.run(main())
        """,
    ),
    "with": since(
        8,
        """
        from contextlib import contextmanager, suppress
        @contextmanager
        def tell(name):
            print("in", name)
            try:
                yield name
            finally:
                print("out", name)
        def f():
            with tell("a") as a, tell(a + "b") as b:
                with suppress(KeyError):
                    {}[b]
                return b
        print(f())
        try:
            with tell("c"):
                raise ValueError("x")
        except ValueError as error:
            print(error)
        """,
    ),
    "try": since(
        8,
        """
        def f(n):
            try:
                print(10 // n)
            except ZeroDivisionError as error:
                print("zero", error)
                return "handler"
            except (TypeError, ValueError):
                return "type"
            else:
                print("else")
            finally:
                print("finally", n)
            return "end"
        def g():
            for i in range(3):
                try:
                    if i == 1:
                        continue
                    if i == 2:
                        break
                finally:
                    print("f", i)
            while True:
                try:
                    return "try"
                finally:
                    return "finally"
        def h():
            try:
                raise KeyError(1)
            except KeyError:
                try:
                    raise ValueError(2)
                except ValueError as error:
                    return type(error.__context__).__name__
        def bare():
            try:
                raise SystemExit(3)
            except:
                raise
        print(f(1), f(0), f("x"), g(), h())
        bare()
        """,
    ),
    "groups of exceptions": since(
        11,
        """
        def f():
            try:
                raise ExceptionGroup("g", [ValueError(1), TypeError(2), KeyError(3)])
            except* ValueError as group:
                print(group.exceptions)
            except* TypeError:
                print("type")
        f()
        """,
    ),
    "match": since(
        10,
        """
        from dataclasses import dataclass
        @dataclass
        class P:
            x: int
            y: int
        def f(v):
            match v:
                case 0 | 1:
                    return "small"
                case int(n) if n > 100:
                    big = n
                    return big
                case [a, *rest]:
                    print(rest)
                case {"k": w, **more}:
                    return w, more
                case P(x=0, y=q): return q
                case P(): pass
                case _:
                    return None
            return "end"
        print([f(v) for v in (0, 5, 500, [1, 2, 3], {"k": 1, "z": 2}, P(0, 7), P(1, 1), "s")])
        match (yes := 1), 2:
            case 1, x: print(x, yes)
        """,
    ),
    "loops with else": since(
        8,
        """
        def find(items, wanted):
            for item in items:
                if item == wanted:
                    print("found")
                    break
            else:
                print("none")
                return None
            while items:
                if items.pop() == wanted:
                    break
            else:
                return "empty"
            return items
        print(find([1, 2, 3], 2), find([1], 5), find([3, 1], 3))
        for i in (): pass
        else: print("never")
        while 0: pass
        else: print("nor")
        """,
    ),
    "nested functions": since(
        8,
        """
        def outer(n):
            total = 0
            def add(x):
                nonlocal total
                total += x
                return total
            def deep():
                def deeper():
                    nonlocal n
                    n += 1
                    return n
                return deeper
            add(n); add(2)
            return add(3), deep()(), total, [f() for f in [lambda: n, lambda: total]]
        print(outer(1), outer.__code__.co_varnames)
        """,
    ),
    "lambdas and comprehensions": since(
        8,
        """
        table = {k: [v for v in range(k) if v % 2] for k in range(4)}
        print(table, {x for x in "aab"}, list(map(lambda x: (x, x) if x else None, [0, 1])))
        def f(xs): return sum(x for x in xs), [(a, b) for a in xs for b in xs if a < b]
        print(f([1, 2]))
        class C:
            n = 2
            items = [n for n in range(3)]
        print(C.items, C.n)
        """,
    ),
    "class bodies": since(
        8,
        """
        class Meta(type):
            def __new__(mcs, name, bases, names, **kw):
                print(name, sorted(k for k in names if not k.startswith("__")), kw)
                return super().__new__(mcs, name, bases, names)
            def __init__(cls, *a, **kw): pass
        class A(metaclass=Meta, flag=1):
            x = 1
            if x:
                y = x + 1
            for z in range(2):
                w = z
            try:
                v = undefined
            except NameError:
                v = "none"
            class Inner:
                u = 1
            def m(self): return self.__private()
            def __private(self): return __class__.__name__
            __slot = 5
        print(A().m(), A._A__slot, A.Inner.u, vars(A).keys() >= {"x", "y", "z", "w", "v"})
        class E: pass
        class F(E): __slots__ = ("a",)
        from enum import Enum
        class Color(Enum):
            RED = 1
            GREEN = 2
            def low(self): return self.name.lower()
        print([c.low() for c in Color])
        from typing import NamedTuple
        class N(NamedTuple):
            a: int
            b: str = "x"
        print(N(1), N.__annotations__)
        from dataclasses import dataclass, field
        @dataclass(order=True)
        class D:
            a: int
            b: list = field(default_factory=list)
        print(D(1), D(1) < D(2))
        """,
    ),
    "decorators": since(
        8,
        """
        import functools
        def twice(f):
            @functools.wraps(f)
            def inner(*a, **kw):
                return f(f(*a, **kw))
            return inner
        def named(name):
            def deco(f):
                f.tag = name
                return f
            return deco
        @twice
        def a(x): return x + 1
        @ twice
        @   named( "b" )
        def b(x):
            return x * 2
        @named("c")
        # a comment
        @twice

        def c(x): return x - 1
        @ \\
        named("D")
        class D:
            @property
            def p(self): return 1
            @ p.setter
            def p(self, value): print("set", value)
            @staticmethod
            @twice
            def s(x): return -x
        d = D(); d.p = 5
        print(a(1), b(1), b.tag, c(1), D.tag, d.p, D.s(3))
        x=1
        @ twice
        def e(y): return y + x
        def outer(n):
            @  twice
            def inner(y): return y + n
            if n:
                @	twice
                def inner(y): return y * n
            while n:
                @ \\
                twice
                class N: pass
                n -= 1
            return inner(5)
        twice.__wrapped__ = None
        def twice(f): return f
        print(e(0), outer(2))
        """,
    ),
    "decorators that are expressions": since(
        9,
        """
        def twice(f): return lambda *a: f(f(*a))
        if twice:
            @ (
                twice
            )
            def f(x): return x + 1
            print(f(1))
        else:
            pass
        def g():
            @ [twice][0]
            @(lambda f: f)
            def h(x): return x * 3
            return h(1)
        print(g())
        """,
    ),
    "the walrus": since(
        8,
        """
        def f(items):
            if (n := len(items)) > 2:
                return n
            while (last := items and items.pop()):
                print(last)
            return [y := 1, y ** 2], (lambda: (z := 3))()
        print(f([1, 2, 3]), f([1, 2]), any((w := x) > 1 for x in [1, 2, 3]), w)
        """,
    ),
    "one line each": since(
        8,
        """
        def f(x):
            if x: return 1
            elif x is None: return 2
            else: return 3
        def g(n):
            while n: n -= 1; print(n)
            for i in range(2): print(i); continue
            try: return undefined
            except NameError: return "e"
            finally: print("f")
        def h(): pass
        def k(): return
        class C: x = 1; y = 2
        with open(__file__): z = 1
        print(f(1), f(None), f(0), g(2), h(), k(), C.y, z); print("end")
        if True: print("a"); print("b")
        """,
    ),
    "semicolons": since(8, "a = 1; b = 2;\nif a: c = a; d = b\nprint(a); print(b); print(c, d);\n"),
    "global and nonlocal": since(
        8,
        """
        count = 0
        def bump():
            global count, made
            count += 1
            made = count
        def outer():
            n = 1
            def inner():
                nonlocal n
                global count
                n += 1; count += 10
                return n
            return inner() + n
        bump(); print(outer(), count, made)
        """,
    ),
    "stars": since(
        8,
        """
        def f(a, /, b, *args, c=3, **kw):
            first, *rest = args or (0,)
            print(*rest, sep="-")
            return {**kw, "x": [a, b, *args]}, first, c
        print(f(1, 2, 3, 4, c=5, **{"d": 6}))
        a, (b, *c), *d = 1, (2, 3, 4), 5, 6
        print(a, b, c, d)
        def g(xs=[1, 2]): return *xs, 3
        for x in (*[1], 2): print(x)
        print(g())
        """,
    ),
    "carriage returns and line feeds": since(
        8,
        b"def f(x):\r\n    if x:\r\n        return '''a\r\nb'''\r\n    return 2\r\n"
        b"print(f(1), f(0))\r\n1/0\r\n",
    ),
    "tabs": since(
        8, "def f(x):\n\tif x:\n\t\ty = 1\n\t\treturn y\n\treturn 2\nprint(f(1), f(0))\n"
    ),
    "form feeds": since(8, "x = 1\n\x0c\ndef f():\n    return x\n\x0cprint(f())\n"),
    "latin-1": since(
        8,
        "# coding: latin-1\ndef f(é):\n    if é: ü = 'ß'; return ü + é\n    return é\n"
        "print(ascii(f('ä')), f(''))\n1/0\n".encode("latin-1"),
    ),
    "a byte order mark": since(
        8, b"\xef\xbb\xbfdef f(x):\n    if x:\n        return 'y'\n    return 2\nprint(f(1))\n"
    ),
    "a byte order mark and a cookie": since(
        8, b"\xef\xbb\xbf# coding: utf-8\nx = '\xc3\xa9'; y = 2\nif y: print(ascii(x))\n"
    ),
    "wide characters": since(
        8,
        """
        def f(größe): 名 = "𝄞"; return 名 if größe else "é"
        if "𝄞": x = "ü"; print(ascii(x + f(1) + f(0)))
        """,
    ),
    "continued lines": since(
        8,
        """
        def f(a,
              b=(1,
                 2)):
            if (a
                and b):
                return [
                    a,
                    b,
                ]
            x = a + \\
                1
            return x
        print(f(1), f(0))
        while (
            len(())
        ):
            pass
        """,
    ),
    "odd indents": since(
        8, "def f(x):\n if x:\n      y = 1\n      return y\n return 2\nprint(f(1), f(0))\n"
    ),
    "deletions and annotations": since(
        8,
        """
        def f():
            x: int = 1
            y: "later"
            del x
            try:
                x
            except UnboundLocalError as error:
                return "unbound"
        print(f()); assert f(), "never"
        a = b = [1, 2]; del a[0]
        print(b)
        """,
    ),
    "parameters of types": since(
        12,
        """
        type Pair[T] = tuple[T, T]
        def first[T](items: list[T]) -> T:
            if items:
                return items[0]
            return None
        class Box[T]:
            def __init__(self, item: T): self.item = item
        print(first([1]), first([]), Box(2).item, Pair.__name__)
        """,
    ),
    "recursion": since(
        8,
        """
        def fib(n):
            if n < 2:
                return n
            return fib(n - 1) + fib(n - 2)
        def even(n): return n == 0 or odd(n - 1)
        def odd(n): return n != 0 and even(n - 1)
        def endless(): return endless()
        print(fib(10), even(10))
        try:
            endless()
        except RecursionError:
            print("deep")
        """,
    ),
    "truth of its own": since(
        8,
        """
        class Loud:
            def __init__(self, n): self.n = n
            def __bool__(self): print("bool", self.n); return self.n > 0
            def __repr__(self): print("repr"); return "Loud"
            def __eq__(self, other): print("eq"); return True
            __hash__ = None
            def __getattr__(self, name): print("getattr", name); raise AttributeError(name)
            def __len__(self): print("len"); return 1
            def __iter__(self): print("iter"); return iter(())
        class Less:
            def __gt__(self, other): print("gt"); return Loud(0)
        def f(x):
            if x and Loud(0):
                return x
            while not x:
                x = Loud(1)
            if not (x or Loud(2)) or (Loud(0) if x else Loud(3)): return 1
            if not x and 1: pass
            elif 0 < Less() < 2: pass
            elif (x and Loud(0)) if x else 3: pass
            elif Loud(0) if Loud(0) else Loud(-1): pass
            while Loud(0) or Loud(-2): pass
            for y in x: pass
            return x.n
        print(f(Loud(1)), f(Loud(0)))
        """,
    ),
    "lifetimes": since(
        8,
        """
        import weakref
        class Thing:
            def __del__(self): print("gone")
        def f(flag):
            thing = Thing()
            ref = weakref.ref(thing)
            if flag:
                print("kept", ref() is not None)
            del thing
            if flag:
                print("dropped", ref() is None)
            other = Thing()
            if flag:
                other = None
                print("after")
            return ref
        def g():
            try:
                yield 1
            finally:
                print("finalised")
        def h():
            it = g()
            next(it)
            if it:
                it = None
                print("after it")
        f(True), h()
        """,
    ),
    "a frame's own locals": since(
        8,
        """
        def f(a):
            mine = locals()
            if a:
                b = 2
            print(sorted(mine)[:1], mine["a"], sorted(k for k in locals() if k != "mine"))
            return eval("a + b"), dir()
        print(f(1))
        def g():
            exec("x = 5")
            if True:
                y = 1
            return "x" in locals() or y
        g()
        print(sorted(k for k in vars() if len(k) == 1))
        """,
    ),
    "frames and tracebacks": since(
        8,
        """
        import sys, traceback
        def line(): return sys._getframe(1).f_lineno
        def f():
            a = line()
            if a:
                b = line(); c = (
                    line())
            return a, b, c, line()
        print(f())
        def deep(n):
            if n:
                return deep(n - 1)
            x = [
                1,
                1 // n,
            ]
            return x
        try:
            deep(2)
        except ZeroDivisionError:
            print([t[1] for t in traceback.extract_tb(sys.exc_info()[2])])
        for i in range(3):
            if i == 2:
                deep(1)
        """,
    ),
    "an error in a condition": since(
        8, "def f(x):\n    if x:\n        pass\n    elif 1 // x:\n        pass\nf(0)\n"
    ),
    "an error in a loop": since(8, "def f():\n    for x in 5:\n        pass\nf()\n"),
    "an error in a with": since(8, "def f():\n    with 5 as x:\n        pass\nf()\n"),
    "an error in a return": since(8, "def f(x):\n    return (1 +\n            x)\nf('a')\n"),
    "an error raised": since(
        8, "def f():\n    x = 1\n    raise ValueError(x) from KeyError(2)\nf()\n"
    ),
    "an assertion": since(
        8, "def f(x):\n    y = x\n    assert y > 1, (y,\n       'small')\nf(1)\n"
    ),
    "an unbound local": since(8, "def f():\n    if 0:\n        x = 1\n    return x\nf()\n"),
    "a cell that is empty": since(8, "def f():\n    def g(): return x\n    g()\n    x = 1\nf()\n"),
}

PREPARE = (
    SETUP
    + """
import contextlib, io, os, tempfile, traceback
PLAIN = (int, str, bool, float, list, dict, tuple, set, type(None))
folder = tempfile.mkdtemp()

def run(code, path):
    out, space = io.StringIO(), {"__name__": "program", "__file__": path}
    error, lines = None, []
    with contextlib.redirect_stdout(out):
        try:
            exec(code, space)
        except BaseException as caught:
            error = "%s: %s" % (type(caught).__name__, caught)
            frames = traceback.extract_tb(caught.__traceback__)
            lines = [[f[1], f[2], f[3]] for f in frames if f[0] == path]
            while caught is not None:
                error += " <- %r" % (caught.__cause__,)
                caught = caught.__cause__
    names = {k: repr(v) for k, v in space.items() if type(v) in PLAIN and k[0] != "_"}
    return [out.getvalue(), error, lines, names]

answer = {}
for number, (name, asked) in enumerate(message):
    source = asked["source"].encode("latin-1")
    path = os.path.join(folder, "p%d.py" % number)
    with open(path, "wb") as file:
        file.write(source)
    plain = compile(source, path, "exec", dont_inherit=True)
    touched = set()

    def trace(frame, event, arg):
        if frame.f_code.co_filename != path:
            return None
        if event == "line":
            touched.add((frame.f_code.co_name, frame.f_lineno))
        return trace

    sys.settrace(trace)
    run(plain, path)
    sys.settrace(None)
    found = {"plain": run(plain, path), "lines": sorted(map(list, touched))}
    for values in (False, True):
        recorder, probed = connected({**asked, "path": path})
        found["probed"] = bool(recorder.sites) or not asked["places"]
        recorder.clear(values)
        found["values" if values else "counts"] = run(probed, path)
        found["report"] = json.loads(json.dumps(recorder.report()))
    answer[name] = found
"""
)


@cache
def results(python: str) -> Any:
    minor = tuple(map(int, version_of(python).split(".")))
    able = [(name, text) for name, (least, text) in PROGRAMS.items() if minor >= least]
    return run_inside(python, PREPARE, [(name, request(source_of(text))) for name, text in able])


def result(python: str, name: str) -> Any:
    found = results(python)
    if name not in found:
        pytest.skip("this CPython has no such syntax")
    return found[name]


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_the_same_with_probes(python: str, name: str) -> None:
    found = result(python, name)
    assert found["probed"]
    assert found["counts"] == found["plain"]
    assert found["values"] == found["plain"]


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_block_that_ran_was_visited_and_no_other(python: str, name: str) -> None:
    """Against the lines that CPython's own tracing saw, where a line belongs to one block only."""
    found = result(python, name)
    source = source_of(PROGRAMS[name][1])
    hit = {index for index, count in found["report"]["hits"] if count}
    ran = {(function, line) for function, line in found["lines"]}
    subfunctions = decompose([source]).subfunctions.values()
    blocks = [(s.name, block) for s in subfunctions for block in s.blocks]
    for index, (owner, block) in enumerate(blocks):
        lines = set(lines_of(block))
        for other in (b for _, b in blocks if b is not block and not b.span.holds(block.span)):
            lines.difference_update(lines_of(other))
        text = source.slice(block.span.start, block.span.end)
        if block.kind in ("handler", "finally", "arm"):
            continue  # its line is traced also where it does not match, never, or for its neighbour
        if any((owner, line) in ran for line in lines):
            assert index in hit, f"ran without a visit: {text}"
        elif lines and name not in UNTRACED and python not in OLD:
            unseen = text.startswith(("global", "nonlocal", '"', "'", "from __future__"))
            assert index not in hit or unseen, f"visited, but never ran: {text}"


UNTRACED = ("recursion", "lifetimes")  # a trace function is lost there
OLD = {find("3.8"), find("3.9")}  # before PEP 626 some lines were not traced


def lines_of(block: Block) -> range:
    return range(block.span.first_line, block.span.last_line + 1)


@pytest.mark.parametrize("python", EVERY)
def test_parts_of_expressions_are_counted_exactly(python: str) -> None:
    source = source_of(
        """
        def f(xs):
            a = xs and len(xs) > 2
            b = (a if a else (len(xs)))
            c = [x * 2 for x in xs if x > 1]
            d = {x: (x or 0) for x in xs}, sum((x for x in xs), 0)
            key = lambda x: (x and -x)
            last = lambda x: (x, a)
            try:
                e = sorted(xs, key=key), [last(1)]
            finally:
                return not a or (b and c and [])
        f([0, 1, 2, 3]), f([]), f([5])
        """
    )
    found = run_inside(python, PREPARE, [("it", request(source))])["it"]
    counts = dict(found["report"]["hits"])
    blocks = [b for s in decompose([source]).subfunctions.values() for b in s.blocks]
    text = {i: source.slice(b.span.start, b.span.end) for i, b in enumerate(blocks)}
    parts = {
        (b.kind.value, text[i]): counts.get(i, 0)
        for i, b in enumerate(blocks)
        if b.kind != "run" or text[i].startswith("(")
    }
    assert parts == {
        ("arm", "len(xs) > 2"): 2,
        ("arm", "a"): 1,
        ("arm", "(len(xs))"): 2,
        ("each", "x * 2"): 3,
        ("condition", "x > 1"): 5,
        ("each", "x: (x or 0)"): 5,
        ("arm", "0"): 1,
        ("each", "x"): 5,
        ("run", "(x and -x)"): 5,
        ("arm", "-x"): 4,
        ("run", "(x, a)"): 3,
        ("try", "try"): 3,
        ("finally", "finally"): 3,
        ("arm", "(b and c and [])"): 1,
        ("arm", "c"): 1,
        ("arm", "[]"): 1,
    }


@pytest.mark.parametrize("python", EVERY)
def test_visits_are_counted_exactly(python: str) -> None:
    source = source_of(
        """
        def f(n):
            total = 0
            for i in range(n):
                if i % 2:
                    total += i
            while n > 0:
                n -= 1
            return total
        f(10), f(0)
        """
    )
    found = run_inside(python, PREPARE, [("it", request(source))])["it"]
    blocks = blocks_of(source)
    hits = {blocks[i].span.first_line: count for i, count in found["report"]["hits"]}
    assert hits == {2: 1, 3: 2, 4: 2, 5: 10, 6: 5, 7: 12, 8: 10, 9: 2}


@pytest.mark.parametrize("python", EVERY)
def test_values_stand_where_they_were(python: str) -> None:
    source = source_of(
        """
        def f(items):
            best = items[0]
            for item in items:
                if item > best:
                    best = item
            return best
        f([1, 3, 2])
        """
    )
    found = run_inside(python, PREPARE, [("it", request(source))])["it"]
    blocks = {block.id: block for block in blocks_of(source)}
    seen = [
        (
            blocks[v.block].span.first_line,
            v.frame,
            texts(v.before),
            texts(v.after),
            text_of(v.result),
            v.left,
        )
        for v in Log(found["report"], list(blocks.values())).visits
    ]
    assert seen[1:] == [
        (3, 1, {"items": "[1, 3, 2]"}, {"best": "1"}, None, True),
        (4, 1, {"items": "[1, 3, 2]"}, {"item": "1"}, None, True),
        (5, 1, {"item": "1", "best": "1"}, {}, "False", True),
        (5, 1, {"item": "3", "best": "1"}, {}, "True", True),
        (6, 1, {"item": "3"}, {"best": "3"}, None, True),
        (5, 1, {"item": "2", "best": "3"}, {}, "False", True),
        (7, 1, {"best": "3"}, {}, "3", True),
    ]


# --------------------------------------------------------------------- the standard library

LIBRARY = """
    abc argparse ast asyncio/base_events.py asyncio/tasks.py base64 bisect calendar cgitb cmd
    code codecs collections/__init__.py configparser contextlib copy csv dataclasses datetime
    decimal difflib dis doctest email/message.py email/_header_value_parser.py enum fnmatch
    fractions functools gettext glob gzip heapq html/parser.py http/client.py http/cookies.py
    importlib/_bootstrap.py inspect io ipaddress json/decoder.py keyword locale
    logging/__init__.py mailbox ntpath numbers operator optparse os pathlib pdb pickle
    platform plistlib posixpath pprint queue quopri random re/_parser.py reprlib sched
    selectors shelve shlex shutil socket statistics string subprocess symtable tarfile
    tempfile textwrap threading tokenize traceback types typing unittest/case.py
    unittest/mock.py urllib/parse.py uuid warnings weakref xml/dom/minidom.py zipfile.py
""".split()  # noqa: SIM905

COMPILE = (
    SETUP
    + """
import warnings
warnings.simplefilter("ignore")
answer = {"done": [], "unknown": [], "bare": []}
for name, asked in message:
    try:
        compile(asked["source"].encode("latin-1"), name, "exec", dont_inherit=True)
    except SyntaxError:
        answer["unknown"].append(name)
        continue
    recorder, code = connected({**asked, "path": name})
    answer["done" if recorder.sites else "bare"].append(name)
"""
)


@cache
def in_library(word: str) -> Any:
    """What is asked for a file of the standard library, None if there is none of the name."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    file = folder / (word if word.endswith(".py") else f"{word}.py")
    return request(source_of(file.read_bytes())) if file.is_file() else None


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.long
def test_the_standard_library_compiles_with_probes(python: str) -> None:
    """Each file in two of the versions, so that each version has a third of them."""
    minor = int(version_of(python).partition(".")[2])
    words = [word for at, word in enumerate(LIBRARY) if (at + minor) % 3 == 0]
    asked = [(word, found) for word in words if (found := in_library(word))]
    assert len(asked) > 20
    found = run_inside(python, COMPILE, asked)
    assert found["bare"] == []
    assert len(found["done"]) > 15
    assert len(found["done"]) + len(found["unknown"]) == len(asked)


@pytest.mark.parametrize("python", EVERY)
def test_an_endless_elif_is_no_trouble_for_the_worker(python: str) -> None:
    chain = "".join(f"    elif x == {n}:\n        return {n}\n" for n in range(1, 1500))
    text = f"def f(x):\n    if x == 0:\n        return 0\n{chain}print(f(700))\n"
    code = """
compiled = True
try:
    compile(message["source"], "p", "exec")
except (RecursionError, MemoryError):
    compiled = False
if compiled:
    recorder, code = connected(message)
    exec(code, {})
answer = compiled
"""
    if not run_inside(python, SETUP + code, request(source_of(text))):
        pytest.skip("this CPython does not compile the program at all")
