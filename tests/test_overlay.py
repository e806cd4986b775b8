"""Patched sources from memory, and which patches a running process can take as they are."""

from __future__ import annotations

import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from interpreters import EVERY, run_inside

# ------------------------------------------------------------------------------- hot swaps

SAME, SWAP, FRESH = "same", "swap", "fresh"

# name: (verdict, text before, text after, an expression in which they differ if they do)
PLANS = {
    # The two do the same.
    "white space": (SAME, "def f(a):\n    return a+1\n", "def f(a):\n\n    return a + 1\n", "f(1)"),
    "a comment": (
        SAME,
        "def f(a):\n    return a\n",
        "# why\ndef f(a):  # so\n    return a\n",
        "f(1)",
    ),
    "moved lines": (SAME, "def f(): return 1\n", "\n\n\n\ndef f(): return 1\n", "f()"),
    "moved classes": (
        SAME,
        "class C:\n    def m(self): return 1\n    class D:\n        pass\n",
        "\n\nclass C:\n    def m(self): return 1\n    class D:\n        pass\n",
        "C().m()",
    ),
    "brackets": (SAME, "def f(a): return a * 2\n", "def f(a): return ((a) * 2)\n", "f(1)"),
    "another quote": (SAME, "def f(): return 'x'\n", 'def f(): return "x"\n', "f()"),
    "a folded constant": (SAME, "def f(): return 2 * 3\n", "def f(): return 6\n", "f()"),
    # A function can be given another code.
    "a body": (SWAP, "def f(a):\n    return a + 1\n", "def f(a):\n    return a - 1\n", "f(5)"),
    "a body and moved lines": (
        SWAP,
        "def f(): return 1\ndef g(): return 2\n",
        "\n\ndef f(): return 3\n\n\ndef g(): return 2\n",
        "f(), g()",
    ),
    "two bodies": (
        SWAP,
        "def f(): return 1\ndef g(): return 2\n",
        "def f(): return 3\ndef g(): return 4\n",
        "f(), g()",
    ),
    "a method": (
        SWAP,
        "class C:\n    def m(self): return 1\n    def n(self): return self.m()\n",
        "class C:\n    def m(self): return 2\n    def n(self): return self.m()\n",
        "C().n()",
    ),
    "a method of a class in a class": (
        SWAP,
        "class C:\n    class D:\n        def m(self): return 1\n",
        "class C:\n    class D:\n        def m(self): return 2\n",
        "C.D().m()",
    ),
    "static, class and property methods": (
        SWAP,
        """\
        class C:
            @staticmethod
            def s(): return 1
            @classmethod
            def c(cls): return 1
            @property
            def p(self): return 1
        """,
        """\
        class C:
            @staticmethod
            def s(): return 2
            @classmethod
            def c(cls): return 3
            @property
            def p(self): return 4
        """,
        "C.s(), C.c(), C().p",
    ),
    "a nested body": (
        SWAP,
        "def f(a):\n    def g(b): return b + 1\n    return g(a)\n",
        "def f(a):\n    def g(b): return b + 2\n    return g(a)\n",
        "f(1)",
    ),
    "a nested function more": (
        SWAP,
        "def f(a):\n    return a\n",
        "def f(a):\n    def g(b): return b + 2\n    return g(a)\n",
        "f(1)",
    ),
    "a lambda inside": (
        SWAP,
        "def f(a): return sorted(a, key=lambda x: x)\n",
        "def f(a): return sorted(a, key=lambda x: -x)\n",
        "f([1, 3, 2])",
    ),
    "a comprehension inside": (
        SWAP,
        "def f(a): return [x for x in a]\n",
        "def f(a): return [x for x in a if x > 1]\n",
        "f([1, 3, 2])",
    ),
    "a lambda of the module": (SWAP, "f = lambda x: x + 1\n", "f = lambda x: x + 2\n", "f(1)"),
    "functions of one name": (
        SWAP,
        "def f(): return 1\ng = f\ndef f(): return 2\n",
        "def f(): return 1\ng = f\ndef f(): return 3\n",
        "g(), f()",
    ),
    "methods of one name": (
        SWAP,
        "class A:\n    def m(self): return 1\nclass B:\n    def m(self): return 1\n",
        "class A:\n    def m(self): return 1\nclass B:\n    def m(self): return 2\n",
        "A().m(), B().m()",
    ),
    "closures of the same shape": (
        SWAP,
        "def f(n):\n    def g(b): return b + n\n    return g\ng1, g2 = f(1), f(2)\n",
        "def f(n):\n    def g(b): return b - n\n    return g\ng1, g2 = f(1), f(2)\n",
        "g1(0), g2(0), f(3)(0)",
    ),
    "closures inside closures": (
        SWAP,
        "def f(n):\n def g():\n  def h(): return n + 1\n  return h\n return g\nh = f(1)()\n",
        "def f(n):\n def g():\n  def h(): return n + 2\n  return h\n return g\nh = f(1)()\n",
        "h(), f(5)()()",
    ),
    "super in a method": (
        SWAP,
        "class A:\n def m(self): return 1\nclass B(A):\n def m(self): return super().m() + 1\n",
        "class A:\n def m(self): return 1\nclass B(A):\n def m(self): return super().m() + 2\n",
        "B().m()",
    ),
    "a generator": (
        SWAP,
        "def f():\n    yield 1\n",
        "def f():\n    yield 1\n    yield 2\n",
        "list(f())",
    ),
    "a decorated body": (
        SWAP,
        "from functools import lru_cache\n@lru_cache(None)\ndef f(a):\n    return a\n",
        "from functools import lru_cache\n@lru_cache(None)\ndef f(a):\n    return -a\n",
        "f(1)",
    ),
    "a docstring": (
        SWAP,
        "def f():\n    'a'\n    return 1\n",
        "def f():\n    'b'\n    return 1\n",
        "f()",
    ),
    "True for 1": (SWAP, "def f(): return 1\n", "def f(): return True\n", "repr(f())"),
    "1.0 for 1": (SWAP, "def f(): return 1\n", "def f(): return 1.0\n", "repr(f())"),
    "-0.0 for 0.0": (SWAP, "def f(): return 0.0\n", "def f(): return -0.0\n", "repr(f())"),
    "-0j for 0j": (SWAP, "def f(): return 0j\n", "def f(): return -0j\n", "repr(f())"),
    "1 for True in a tuple": (
        SWAP,
        "def f(): return (True, (0, 'a'))\n",
        "def f(): return (True, (False, 'a'))\n",
        "repr(f())",
    ),
    "a set for a tuple": (
        SWAP,
        "def f(a): return a in (1, 2)\n",
        "def f(a): return a in {1, 2}\n",
        "f(1)",
    ),
    "bytes for text": (SWAP, "def f(): return 'a'\n", "def f(): return b'a'\n", "repr(f())"),
    "an exception handled": (
        SWAP,
        "def f():\n    return 1 // 0\n",
        "def f():\n    try: return 1 // 0\n    except ZeroDivisionError: return 7\n",
        "f()",
    ),
    # Only a fresh import will do.
    "a new name": (FRESH, "def f(): return 1\n", "def f(): return 1\ndef g(): return 2\n", ""),
    "a name that went": (
        FRESH,
        "def f(): return 1\ndef g(): return 2\n",
        "def f(): return 1\n",
        "",
    ),
    "another name": (FRESH, "def f(): return 1\n", "def g(): return 1\n", ""),
    "a new method": (
        FRESH,
        "class C:\n    def m(self): return 1\n",
        "class C:\n    def m(self): return 1\n    def n(self): return 2\n",
        "",
    ),
    "module code": (FRESH, "X = 1\ndef f(): return X\n", "X = 2\ndef f(): return X\n", ""),
    "module code and a body": (
        FRESH,
        "X = 1\ndef f(): return X\n",
        "X = 2\ndef f(): return -X\n",
        "",
    ),
    "True for 1 in the module": (FRESH, "X = 1\n", "X = True\n", ""),
    "a class body": (FRESH, "class C:\n    x = 1\n", "class C:\n    x = 2\n", ""),
    "a base": (FRESH, "class C(list): pass\n", "class C(dict): pass\n", ""),
    "a default": (FRESH, "def f(a=1): return a\n", "def f(a=2): return a\n", ""),
    "a default of its own": (FRESH, "def f(*, a=1): return a\n", "def f(*, a=1.0): return a\n", ""),
    "a default of a method": (
        FRESH,
        "class C:\n    def m(self, a=1): return a\n",
        "class C:\n    def m(self, a=2): return a\n",
        "",
    ),
    "a parameter": (FRESH, "def f(a): return a\n", "def f(a, b): return a\n", ""),
    "another order of parameters": (
        FRESH,
        "def f(a, b): return a\n",
        "def f(b, a): return a\n",
        "",
    ),
    "a star": (FRESH, "def f(a): return a\n", "def f(*a): return a\n", ""),
    "a new decorator": (
        FRESH,
        "class C:\n    def m(self): return 1\n",
        "class C:\n    @property\n    def m(self): return 1\n",
        "",
    ),
    "an argument of a decorator": (
        FRESH,
        "from functools import lru_cache\n@lru_cache(1)\ndef f(a): return a\n",
        "from functools import lru_cache\n@lru_cache(2)\ndef f(a): return a\n",
        "",
    ),
    "a changed closure": (
        FRESH,
        "def f(n, m):\n    def g(): return n\n    return g\ng = f(1, 2)\n",
        "def f(n, m):\n    def g(): return m\n    return g\ng = f(1, 2)\n",
        "",
    ),
    "a closure that is no more": (
        FRESH,
        "def f(n):\n    def g(): return n\n    return g\ng = f(1)\n",
        "def f(n):\n    return lambda: n + 1\ng = f(1)\n",
        "",
    ),
    "a function made a generator": (
        FRESH,
        "def f(): return 1\n",
        "def f():\n    yield 1\n",
        "",
    ),
    "one of two lambdas on a line": (
        FRESH,
        "F = [lambda x: x + 1, lambda x: x - 1]\n",
        "F = [lambda x: x + 2, lambda x: x - 1]\n",
        "",
    ),
    "a function that is not around any more": (
        FRESH,
        "def f(): return 1\nX = f()\ndel f\n",
        "def f(): return 2\nX = f()\ndel f\n",
        "",
    ),
    "a lambda used up by the module": (
        FRESH,
        "X = sorted([1, 2], key=lambda x: x)\n",
        "X = sorted([1, 2], key=lambda x: -x)\n",
        "",
    ),
    "a comprehension of the module": (
        FRESH,
        "X = [x for x in (1, 2)]\n",
        "X = [x for x in (1, 2) if x > 1]\n",
        "",
    ),
}

PLAN = """
import importlib, os, tempfile
overlay = importlib.import_module("_mgdebug_probe.overlay")
answer = {}
folder = os.path.realpath(tempfile.mkdtemp())
for number, (name, old, new, check, ran) in enumerate(message):
    path = os.path.join(folder, "m%d.py" % number)
    with open(path, "w") as file:
        file.write(new)
    codes = [compile(text, path, "exec", dont_inherit=True) for text in (old, new)]
    spaces = [{"__name__": "m", "__file__": path} for _ in codes]
    for code, space in zip(codes, spaces):
        exec(code, space)
        space["__builtins__"] = __builtins__
        if space is spaces[0]:
            live = overlay.LiveFunctions()
    plan = overlay.plan_swap(path, codes[0], codes[1], live, ran)
    for function, code in plan or ():
        function.__code__ = code
    kind = "fresh" if plan is None else "swap" if plan else "same"
    values = [repr(eval(check, space)) for space in spaces] if check and plan else []
    answer[name] = [kind, values]
"""


@cache
def plans(python: str) -> Any:
    cases: list[Any] = [
        (name, textwrap.dedent(old), textwrap.dedent(new), check, [])
        for name, (_, old, new, check) in PLANS.items()
    ]
    return run_inside(python, PLAN, cases)


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.parametrize("name", PLANS)
def test_what_can_be_swapped(python: str, name: str) -> None:
    wanted, _, _, check = PLANS[name]
    kind, values = plans(python)[name]
    assert kind == wanted
    if kind == SWAP:
        assert check
        assert values[0] == values[1], "the swapped process does not do what a fresh one does"


RAN = {
    "it ran": ("def f():\n    return 1\nX = f()\n", [("f", 1)], FRESH),
    "another one ran": ("def f():\n    return 1\ndef g(): pass\ng()\n", [("g", 3)], SWAP),
    "it ran, decorated": (
        "def d(f): return f\n@d\n@d\ndef f():\n    return 1\nX = f()\n",
        [("d", 1), ("f", 4)],
        FRESH,
    ),
    "only its decorator ran": (
        "def d(f): return f\n@d\ndef f():\n    return 1\n",
        [("d", 1)],
        SWAP,
    ),
    "its twin ran": (
        "def f():\n    return 0\nf()\ndef f():\n    return 1\n",
        [("f", 1)],
        SWAP,
    ),
    "a method ran": ("class C:\n    def f(self):\n        return 1\nC().f()\n", [("f", 2)], FRESH),
    "what it made, which lives": (
        "def f():\n    def g():\n        return 1\n    return g\nG = f()\n",
        [("f", 1)],
        SWAP,
    ),
    "what it made and called": (
        "def f():\n    def g():\n        return 1\n    return g()\nX = f()\n",
        [("f", 1), ("g", 2)],
        FRESH,
    ),
    "what it made, which lives and ran": (
        "def f():\n    def g():\n        return 1\n    return g\nG = f()\nX = G()\n",
        [("f", 1), ("g", 2)],
        FRESH,
    ),
    "a decorator that ran": (
        "def d(f):\n    def w():\n        return 1\n    return w\n@d\ndef f(): pass\n",
        [("d", 1)],
        SWAP,
    ),
    "what it made and threw away": (
        "def f():\n    def h():\n        return 1\nX = f()\n",
        [("f", 1)],
        FRESH,
    ),
}


@pytest.mark.parametrize("python", EVERY)
def test_a_function_that_ran_during_the_import_is_not_swapped(python: str) -> None:
    cases = [
        (name, old, old.replace("return 1", "return 2"), "", ran)
        for name, (old, ran, _) in RAN.items()
    ]
    found = {name: kind for name, (kind, _) in run_inside(python, PLAN, cases).items()}
    assert found == {name: wanted for name, (_, _, wanted) in RAN.items()}


# ---------------------------------------------------------------------- imports from memory

FILES = {
    "plain.py": "x = 'disk'\n",
    "empty.py": "x = 'disk'\n",
    "other.py": "x = 'disk'\n",
    "broken.py": "def f(:\n",
    "pack/__init__.py": "from .inner import x\n",
    "pack/inner.py": "x = 'disk'\n",
    "user.py": "from plain import x\nimport pack.inner\ny = pack.inner.x\n",
    "calendar.py": "x = 'disk'\n",
    "latin.py": "x = 'disk'\n",
    "named.py": "name, file = __name__, __file__\n",
}
PATCHED = {
    "plain.py": "x = 'memory'\n",
    "empty.py": "",
    "broken.py": "x = 'memory'\n",
    "pack/inner.py": "x = 'memory'\n",
    "latin.py": "# coding: latin-1\nx = 'm\xe9mory'\n",
    "named.py": "name, file = __name__, __file__\nmark = 1\n",
}

IMPORT = """
import importlib, os
overlay = importlib.import_module("_mgdebug_probe.overlay")
cases = importlib.import_module("_mgdebug_probe.cases")
import calendar
folder, patched = message
sys.path.insert(0, folder)
sys.dont_write_bytecode = False
mine = overlay.Overlay()
real = os.path.realpath(folder)
mine.sources = {os.path.join(real, p): s.encode("latin-1") for p, s in patched.items()}
mine.install()
mine.install()
answer = {"finders": sum(type(f) is overlay.Overlay for f in sys.meta_path)}
for name in ("plain", "empty", "other", "broken", "pack", "pack.inner", "user", "latin"):
    module = importlib.import_module(name)
    answer[name] = getattr(module, "x", None)
answer["text"] = sys.modules["plain"].__loader__.get_source("plain")
named = cases.import_file(os.path.join(folder, "named.py"))
answer["named"] = [named.name, named.file, named.mark, cases.import_file(named.file) is named]
answer["stdlib"] = importlib.import_module("calendar").__name__
clash = cases.import_file(os.path.join(folder, "calendar.py"))
answer["clash"] = [clash.x, clash is sys.modules["calendar"]]
answer["clash again"] = cases.import_file(os.path.join(folder, "calendar.py")) is clash
answer["inner name"] = cases.import_file(os.path.join(folder, "pack", "inner.py")).__name__
importlib.reload(sys.modules["plain"])
answer["reloaded"] = sys.modules["plain"].x
mine.sources.clear()
importlib.reload(sys.modules["plain"])
answer["without"] = sys.modules["plain"].x
"""


@pytest.mark.parametrize("python", EVERY)
def test_a_fresh_import_sees_memory_not_the_disk(python: str, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(tmp_path)
    found = run_inside(python, IMPORT, [str(link), PATCHED])
    named = str((tmp_path / "named.py").resolve())
    assert found == {
        "finders": 1,
        "plain": "memory",
        "empty": None,
        "other": "disk",
        "broken": "memory",
        "pack": "memory",
        "pack.inner": "memory",
        "user": "memory",
        "latin": "mémory",
        "text": PATCHED["plain.py"],
        "named": ["named", named, 1, True],
        "stdlib": "calendar",
        "clash": ["disk", False],
        "clash again": True,
        "inner name": "pack.inner",
        "reloaded": "memory",
        "without": "disk",
    }
    assert {
        p.relative_to(tmp_path).as_posix(): p.read_text("utf-8") for p in tmp_path.rglob("*.py")
    } == FILES


LAZY = """
import importlib, types
overlay = importlib.import_module("_mgdebug_probe.overlay")
asked = []
class Lazy(types.ModuleType):
    def __getattribute__(self, name):
        asked.append(name)
        raise ImportError(name)
sys.modules["lazy"] = Lazy("lazy")
sys.modules["number"] = 7
sys.modules["nothing"] = None
overlay.modules_of("/nowhere/lazy.py")
answer = asked
"""


@pytest.mark.parametrize("python", EVERY)
def test_looking_for_a_module_does_not_load_lazy_ones(python: str) -> None:
    assert run_inside(python, LAZY, None) == []
