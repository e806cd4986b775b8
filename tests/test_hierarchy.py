"""Who is defined where, who calls whom, and what is repaired first."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgdebug.languages.python import Python
from mgdebug.model import Hierarchy, Subfunction
from mgdebug.syntax.hierarchy import bottom_up, decompose
from mgdebug.syntax.source import SourceFile

GRAMMAR = Python().grammar()


def hierarchy(text: str, path: str = "m.py") -> Hierarchy:
    return decompose([SourceFile(path, text.encode(), GRAMMAR)])


def subfunction(text: str, qualname: str) -> Subfunction:
    return hierarchy(text).subfunctions[f"m.py::{qualname}"]


def calls(text: str, qualname: str) -> set[str]:
    return {name.partition("::")[2] for name in subfunction(text, qualname).calls}


def place(found: Hierarchy, qualname: str) -> int:
    """How early a subfunction is repaired."""
    return next(i for i, group in enumerate(found.order) if f"m.py::{qualname}" in group)


# ------------------------------------------------------------------------- what is defined

NESTED = '''
"""Module."""
import os

def outer(a, *rest, key=1, **named):
    def inner(b: int):
        class Local:
            def method(self):
                return b
        return Local
    return inner

class Holder(object):
    limit = 3

    class Part:
        def show(self): return 1

    @staticmethod
    @os.fspath
    def made(x, /, y=2, *, z: int = 3, **more: str): ...

    async def wait(self, *parts: int):
        async for part in parts:
            yield part

if os.name:
    def late(): return lambda q: q
'''


def test_all_definitions_are_found_with_their_kinds_and_parameters() -> None:
    found = hierarchy(NESTED).subfunctions.values()
    assert [(s.qualname, s.kind, s.parameters) for s in found] == [
        ("<module>", "module", ()),
        ("outer", "function", ("a", "rest", "key", "named")),
        ("outer.inner", "function", ("b",)),
        ("outer.inner.Local", "class", ()),
        ("outer.inner.Local.method", "method", ("self",)),
        ("Holder", "class", ()),
        ("Holder.Part", "class", ()),
        ("Holder.Part.show", "method", ("self",)),
        ("Holder.made", "method", ("x", "y", "z", "more")),
        ("Holder.wait", "method", ("self", "parts")),
        ("late", "function", ()),
    ]


def test_the_definitions_and_their_lines_are_those_of_cpython() -> None:
    wanted = {
        (node.name, node.lineno, node.end_lineno)
        for node in ast.walk(ast.parse(NESTED))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    found = hierarchy(NESTED).subfunctions.values()
    spans = {(s.name, s.span.first_line, s.span.last_line) for s in found if s.kind != "module"}
    assert spans == wanted


def test_children_lie_inside_their_parents() -> None:
    found = hierarchy(NESTED).subfunctions
    assert found["m.py::<module>"].children == ("m.py::outer", "m.py::Holder", "m.py::late")
    for parent in found.values():
        for child in parent.children:
            assert parent.span.holds(found[child].span)
            assert child not in parent.calls


def test_a_name_defined_twice_is_two_subfunctions_and_calls_go_to_the_last() -> None:
    text = """
def f(): return 1
def use(): return f()
def f(): return 2
def f(): return 3
class A:
    def m(self): return 1
    def m(self): return self.m()
"""
    found = hierarchy(text).subfunctions
    names = [s.qualname for s in found.values()]
    assert names == ["<module>", "f", "use", "f@1", "f@2", "A", "A.m", "A.m@1"]
    assert [s.name for s in found.values() if s.name == "f"] == ["f", "f", "f"]
    assert calls(text, "use") == {"f@2"}
    assert calls(text, "A.m@1") == {"A.m@1"}


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n# here", '"""Only words."""\n'])
def test_a_file_without_definitions_is_its_module_alone(text: str) -> None:
    found = hierarchy(text)
    assert list(found.subfunctions) == ["m.py::<module>"]
    assert found.order == (("m.py::<module>",),)
    module = found.subfunctions["m.py::<module>"]
    assert (module.span.start, module.span.end) == (0, len(text.encode()))
    assert module.calls == module.unknown == module.children == ()


def test_no_files_have_an_empty_hierarchy() -> None:
    assert decompose([]) == Hierarchy({}, ())


def test_files_are_kept_apart() -> None:
    text = b"def f(): return g()\ndef g(): return f\n"
    found = decompose(SourceFile(path, text, GRAMMAR) for path in ("a.py", "sub/b.py"))
    assert [s.id for s in found.subfunctions.values() if s.name == "f"] == [
        "a.py::f",
        "sub/b.py::f",
    ]
    assert found.subfunctions["sub/b.py::f"].calls == ("sub/b.py::g",)
    assert found.subfunctions["sub/b.py::f"].path == "sub/b.py"


# -------------------------------------------------------------------------- who calls whom


def test_a_name_that_begins_like_another_is_another() -> None:
    text = """
def is_prime(n): return n > 1
def is_prime_fast(n): return n > 2
def slow(n): return is_prime(n)
def fast(n): return is_prime_fast(n)
def word(n):
    # is_prime(n)
    return "is_prime(n)", n.is_prime, is_prime
"""
    assert calls(text, "slow") == {"is_prime"}
    assert calls(text, "fast") == {"is_prime_fast"}
    assert calls(text, "word") == calls(text, "is_prime_fast") == set()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param("return helper()", {"helper"}, id="the module's"),
        pytest.param("return later()", {"later"}, id="defined below"),
        pytest.param("def helper(): pass\n    helper()", {"f.helper"}, id="its own"),
        pytest.param("return [helper() for _ in p]", {"helper"}, id="in a comprehension"),
        pytest.param("return lambda: helper()", {"helper"}, id="in a lambda"),
        pytest.param("return f'{helper()!r}'", {"helper"}, id="in an f-string"),
        pytest.param("return helper()(), helper()()", {"helper"}, id="what a call returns"),
        pytest.param("return f(p)", {"f"}, id="itself"),
        pytest.param("return p()", set(), id="a parameter"),
        pytest.param("helper = p\n    return helper()", set(), id="a variable"),
        pytest.param("helper, _ = p\n    return helper()", set(), id="one of two variables"),
        pytest.param("helper += p\n    return helper()", set(), id="a variable updated"),
        pytest.param("for helper in p: helper()", set(), id="a loop variable"),
        pytest.param("with p as helper: helper()", set(), id="a with variable"),
        pytest.param("if (helper := p): helper()", set(), id="a walrus"),
        pytest.param("from q import helper\n    helper()", set(), id="an import"),
        pytest.param("from q import r as helper\n    helper()", set(), id="an import's alias"),
        pytest.param("import helper\n    helper()", set(), id="a module"),
        pytest.param("helper.x = 1\n    p[helper] = helper()", {"helper"}, id="an attribute set"),
        pytest.param("return method()", set(), id="a method is no name"),
        pytest.param("return Box()", {"Box.__init__"}, id="a class with __init__"),
        pytest.param("return Bare()", {"Bare"}, id="a class without"),
        pytest.param("return Box.method(p)", {"Box.method"}, id="through its class"),
        pytest.param("return p.method()", set(), id="through what nobody knows"),
        pytest.param("return print(p)", set(), id="a builtin"),
        pytest.param("return len", set(), id="no call"),
    ],
)
def test_calls_are_resolved_by_scope(body: str, found: set[str]) -> None:
    text = f"""
def helper(): return 1
class Box:
    def __init__(self): pass
    def method(self): pass
class Bare: pass
def f(p):
    {body}
def later(): return 2
"""
    assert calls(text, "f") == found


def test_what_does_not_resolve_is_listed_as_unknown() -> None:
    text = "import os\ndef f(g):\n    g(); print(os.getcwd()); g().run(); missing()\n"
    assert subfunction(text, "f").unknown == ("g", "print", "missing", "getcwd", "run")
    assert subfunction(text, "f").calls == ()


def test_the_nearest_scope_wins_and_classes_do_not_count() -> None:
    text = """
def helper(): return 1
def outer(given):
    def helper(): return 2
    def inner():
        return helper() + given()
    return inner
class A:
    def helper(self): return 3
    def use(self): return helper()
    x = helper(1)
def given(): return 4
def hides(helper):
    def inner(): return helper()
    return inner
"""
    assert calls(text, "outer.inner") == {"outer.helper"}
    assert calls(text, "A.use") == {"helper"}
    assert calls(text, "A") == {"A.helper"}
    assert calls(text, "hides.inner") == set()


def test_methods_are_found_through_self_and_base_classes() -> None:
    text = """
class Base:
    def shared(self): return self.own()
    def own(self): return 1
class Middle(Base):
    pass
class Leaf(Middle, metaclass=type):
    def own(self): return 2
    def use(self): return self.own() + self.shared() + self.missing() + Base.own(self)
    @classmethod
    def make(cls): return cls.build()
    @classmethod
    def build(cls): return cls()
    def nested(this):
        def inner(): return this.own()
        return inner
    def other(self, that): return that.own()
class Alien:
    def use(self): return self.own()
"""
    assert calls(text, "Base.shared") == {"Base.own", "Leaf.own"}  # self may be a Leaf
    assert calls(text, "Leaf.use") == {"Leaf.own", "Base.shared", "Base.own"}
    assert "missing" in subfunction(text, "Leaf.use").unknown
    assert calls(text, "Leaf.make") == {"Leaf.build"}
    assert calls(text, "Leaf.build") == {"Leaf"}
    assert calls(text, "Leaf.nested.inner") == {"Leaf.own"}
    assert calls(text, "Leaf.other") == set()
    assert calls(text, "Alien.use") == set()


@pytest.mark.parametrize("bases", ["A", "B", "A, B", "B, A, A"])
def test_classes_that_inherit_in_a_circle_are_no_trap(bases: str) -> None:
    text = f"class A({bases}):\n    def m(self): self.n()\nclass B({bases}):\n    pass\n"
    assert subfunction(text, "A.m").unknown == ("n",)


def test_decorators_and_class_bodies_run_where_they_stand() -> None:
    text = """
def logged(f): return f
def default(): return 1
@logged
def plain(): return 1
class A:
    size = default()
    @logged
    def m(self): return default()
async def wait(): return await plain()
"""
    assert calls(text, "<module>") == {"logged"}
    assert calls(text, "A") == {"default", "logged"}
    assert calls(text, "A.m") == {"default"}
    assert calls(text, "wait") == {"plain"}
    assert calls(text, "plain") == set()


def test_what_stands_in_for_a_decorated_function_is_called_too() -> None:
    text = """
def twice(f):
    def inner(*args): return f(f(*args))
    return inner
def times(n):
    def decorate(f):
        def inner(*args): return f(*args) * n
        return inner
    return decorate
class Cached:
    def __init__(self, f): self.f = f
    def __call__(self, *args): return self.f(*args)
@twice
def a(x): return x
@times(3)
def b(x): return x
@Cached
def c(x): return x
def use(): return a(1) + b(1) + c(1)
"""
    assert calls(text, "use") == {
        *("a", "twice.inner", "b", "times.decorate", "times.decorate.inner"),
        *("c", "Cached.__call__"),
    }
    assert calls(text, "<module>") == {"twice", "times", "Cached.__init__"}
    assert subfunction(text, "twice.inner").unknown == ("f",)


@pytest.mark.parametrize(
    ("body", "found", "unknown"),
    [
        pytest.param("map(helper, p)", {"helper"}, {"map"}, id="handed over"),
        pytest.param("sorted(p, key=helper)", {"helper"}, {"sorted"}, id="as a keyword"),
        pytest.param("map(self.other, p)", {"A.other"}, {"map"}, id="a method handed over"),
        pytest.param("return helper", set(), {"helper"}, id="returned"),
        pytest.param("self.x = {1: helper}", set(), {"helper"}, id="kept"),
        pytest.param("return self.size", {"A.size", "A.size@1"}, set(), id="a property"),
        pytest.param("self.size = p", {"A.size", "A.size@1"}, set(), id="a property set"),
        pytest.param("return p.size", set(), {"size"}, id="somebody's property"),
        pytest.param("return super().other()", {"Base.other"}, set(), id="super"),
        pytest.param("return super(A, self).other()", {"Base.other"}, {"A"}, id="super of"),
        pytest.param("super().__init__()", {"Base.__init__"}, set(), id="super's constructor"),
        pytest.param("super().size()", set(), {"size"}, id="what super has not"),
        pytest.param("g = helper\n        g()", {"helper"}, {"helper"}, id="an alias"),
        pytest.param("again(p)", {"helper"}, set(), id="an alias of the module"),
        pytest.param(
            "g = helper\n        g = p\n        g()", set(), {"g", "helper"}, id="written twice"
        ),
        pytest.param("A().other()", {"A.other", "Base.__init__"}, set(), id="a new object"),
        pytest.param("a = A(); a.other()", {"A.other", "Base.__init__"}, set(), id="its name"),
        pytest.param("p.other()", set(), {"other"}, id="anybody's"),
        pytest.param("self.stat(p)", {"A.stat"}, set(), id="a static method"),
        pytest.param("self.short(p)", {"A.short"}, set(), id="a lambda of the class"),
        pytest.param("self.alias()", {"A.other"}, set(), id="another name in the class"),
        pytest.param("return quick(p)", {"quick"}, set(), id="a lambda of the module"),
        pytest.param("return [helper(helper) for q in p]", {"helper"}, set(), id="each"),
        pytest.param("return [q() for q in p]", set(), {"q"}, id="an element"),
        pytest.param("f = lambda helper: helper()", set(), set(), id="in a lambda's own"),
        pytest.param("return isinstance(p, A)", set(), {"isinstance", "A"}, id="a class as value"),
        pytest.param("global late\n        late()", set(), {"late"}, id="global"),
        pytest.param("return len(self)", set(), {"len", "__len__"}, id="syntax that calls"),
        pytest.param("return self()", {"A.__call__"}, set(), id="an object called"),
    ],
)
def test_edges_and_unknown_names(body: str, found: set[str], unknown: set[str]) -> None:
    text = f"""
def helper(x): return 1
again = helper
quick = lambda x: helper(x)
class Base:
    def __init__(self): pass
    def other(self): return 1
class A(Base):
    def f(self, p):
        {body}
    def other(self): return 2
    @property
    def size(self): return 1
    @size.setter
    def size(self, x): pass
    @staticmethod
    def stat(self): return self.other()
    def __call__(self): pass
    def __len__(self): return 1
    alias = other
    short = lambda self, x: x
"""
    seen = subfunction(text, "A.f")
    names = {name.partition("::")[2] for name in seen.calls}
    implicit = {"__len__"} - unknown  # of whatever is looked into or asked for its truth
    assert (names, set(seen.unknown) - implicit) == (found, unknown)
    assert calls(text, "A.stat") == set()  # its first parameter is no object of the class


def test_lambdas_bound_to_names_are_subfunctions() -> None:
    text = """
key = lambda pair, /, *rest, to=1: pair[0] or helper(pair)
class A:
    value = lambda self: self.other()
    def other(self): return [lambda q: q]
def f(x):
    inner = lambda y: (x, y)
    return inner(1)
def helper(x): return 1
"""
    found = hierarchy(text).subfunctions
    assert [(s.qualname, str(s.kind), s.parameters) for s in found.values()] == [
        ("<module>", "module", ()),
        ("key", "lambda", ("pair", "rest", "to")),
        ("A", "class", ()),
        ("A.value", "lambda", ("self",)),
        ("A.other", "method", ("self",)),
        ("f", "function", ("x",)),
        ("f.inner", "lambda", ("y",)),
        ("helper", "function", ("x",)),
    ]
    assert calls(text, "key") == {"helper"}
    assert calls(text, "A.value") == {"A.other"}
    assert calls(text, "f") == {"f.inner"}
    assert [(b.kind, b.reads, b.exit) for b in found["m.py::f.inner"].blocks] == [
        ("run", ("x", "y"), "return")
    ]


def test_decorators_are_kept() -> None:
    text = """
@a
# why
@b.c(1, 2)
async def f(): pass
class A:
    @property
    def p(self): pass
    @functools.cached_property
    def q(self): pass
    @p.setter
    def p(self, x): pass
@final
class B: pass
"""
    found = hierarchy(text).subfunctions
    f = found["m.py::f"]
    assert (f.decorators, f.asynchronous) == (("a", "b.c(1, 2)"), True)
    assert (f.whole.first_line, f.span.first_line, f.span.last_line) == (2, 5, 5)
    assert {s.qualname: (str(s.kind), s.decorators) for s in found.values() if s.decorators} == {
        "f": ("function", ("a", "b.c(1, 2)")),
        "A.p": ("property", ("property",)),
        "A.q": ("property", ("functools.cached_property",)),
        "A.p@1": ("property", ("p.setter",)),
        "B": ("class", ("final",)),
    }
    assert found["m.py::A"].whole == found["m.py::A"].span


def test_of_definitions_in_branches_any_may_be_called() -> None:
    text = """
if fast:
    def f(): return 1
else:
    def f(): return 2
try:
    from q import g
except ImportError:
    def g(): pass
def use(): return f() + g()
"""
    assert calls(text, "use") == {"f", "f@1", "g"}


def test_what_has_no_name_is_unknown_and_a_class_is_made_by_its_metaclass() -> None:
    text = """
class Meta(type):
    def __new__(cls, *args): return cls.made(args)
    def made(cls, args): pass
class A(metaclass=Meta): pass
def use(table, p):
    class B(A): pass
    table[p]( 1)
    return table.get(p)(2), (p or use)(3)
"""
    assert calls(text, "<module>") == calls(text, "use") == {"Meta.__new__"}
    assert set(subfunction(text, "use").unknown) >= {"table[p]", "table.get(p)", "(p or use)"}


# --------------------------------------------------------------------------- across files

PROJECT = {
    "app.py": """
import pkg.deep.tools
import pkg.shapes as s
from pkg import shapes, make
from pkg.deep.tools import *
from pkg.deep import tools as t
from missing import gone
import json

def use():
    pkg.deep.tools.cut()
    s.Square().area()
    shapes.Square(2)
    make()
    t.cut()
    glue()
    gone()
    json.dumps({})

class Mine(shapes.Square):
    def area(self):
        return super().area() + self.side()
""",
    "pkg/__init__.py": "from .deep.tools import cut as make\n",
    "pkg/shapes.py": """
from ..pkg.deep import tools
from .deep.tools import glue as paste
class Shape:
    def __init__(self, n=1): self.n = n
    def area(self): return self.side() ** 2
class Square(Shape):
    def side(self): return paste(self.n) or self.area()
""",
    "pkg/deep/__init__.py": "",
    "pkg/deep/tools.py": "def cut(): pass\ndef glue(*a): return cut()\n",
    "json.py": "raise SystemExit\n",
    "unused.py": "def nothing(): pass\n",
}


def project(files: dict[str, str], *first: str) -> tuple[Hierarchy, list[str]]:
    """The hierarchy of a few files that may follow to the others, and which were read."""
    asked: list[str] = []

    def follow(path: str) -> SourceFile | None:
        if path not in files:
            return None
        asked.append(path)
        return SourceFile(path, files[path].encode(), GRAMMAR)

    given = [SourceFile(path, files[path].encode(), GRAMMAR) for path in first]
    return decompose(given, follow), asked


def test_imported_names_are_followed_across_files() -> None:
    found, asked = project(PROJECT, "app.py")
    assert set(found.subfunctions["app.py::use"].calls) == {
        *("pkg/deep/tools.py::cut", "pkg/deep/tools.py::glue"),
        *("pkg/shapes.py::Shape.area", "pkg/shapes.py::Shape.__init__"),
    }
    assert set(found.subfunctions["app.py::use"].unknown) == {"gone", "dumps"}
    assert set(found.subfunctions["app.py::Mine.area"].calls) == {
        *("pkg/shapes.py::Shape.area", "pkg/shapes.py::Square.side"),
    }
    assert set(found.subfunctions["pkg/shapes.py::Square.side"].calls) == {
        *("pkg/deep/tools.py::glue", "pkg/shapes.py::Shape.area", "app.py::Mine.area"),
    }
    assert "unused.py" not in asked
    assert len(asked) == len(set(asked))
    assert asked.count("pkg/shapes.py") == 1
    ids = set(found.subfunctions)
    assert all(set(s.calls) <= ids for s in found.subfunctions.values())
    order = [name for group in found.order for name in group]
    assert order.index("pkg/deep/tools.py::cut") < order.index("app.py::use")


def test_nothing_is_read_that_no_call_needs() -> None:
    files = {"a.py": "import b\nfrom c import d\nx = 1\n", "b.py": "", "c.py": "def d(): pass\n"}
    assert project(files, "a.py")[1] == []
    files["a.py"] += "d()\n"
    assert project(files, "a.py")[1] == ["c.py"]


def test_files_that_import_each_other_are_no_trap() -> None:
    files = {
        "a.py": "from b import f as g\nfrom b import x\ndef f(): g(); x()\n",
        "b.py": "from a import f\nfrom a import x\nfrom b import *\ndef h(): f(); y()\n",
    }
    found, _ = project(files, "a.py")
    assert found.subfunctions["b.py::h"].calls == ("a.py::f",)
    assert found.subfunctions["a.py::f"].calls == ("a.py::f",)
    assert found.subfunctions["a.py::f"].unknown == ("x",)


# ------------------------------------------------------------------------ the order of repair


def test_what_is_called_comes_before_what_calls_it() -> None:
    text = """
def top(x): return middle(x) + leaf(x)
def middle(x): return leaf(x)
def leaf(x): return x
class A:
    def go(self): return top(1)
top(1)
"""
    found = hierarchy(text)
    names = ["leaf", "middle", "top", "A.go", "A", "<module>"]
    assert [place(found, name) for name in names] == [0, 1, 2, 3, 4, 5]


def test_a_nested_function_comes_before_the_one_around_it() -> None:
    found = hierarchy("def outer():\n    def inner():\n        pass\n    return 1\n")
    assert found.order == (("m.py::outer.inner",), ("m.py::outer",), ("m.py::<module>",))


def test_recursion_is_one_group() -> None:
    text = """
def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)
def alone(n): return n and alone(n - 1)
def a(): b()
def b(): c()
def c(): a(); even(1)
"""
    found = hierarchy(text)
    groups = [tuple(name.partition("::")[2] for name in group) for group in found.order]
    assert groups == [("even", "odd"), ("alone",), ("a", "b", "c"), ("<module>",)]


EDGES = st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=4), max_size=8)


def reachable(edges: dict[str, list[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in edges[waiting.pop()]:
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


@given(EDGES)
def test_groups_are_exactly_the_cycles_and_follow_what_they_need(
    numbers: dict[int, list[int]],
) -> None:
    edges = {str(k): [str(n) for n in v if n in numbers] for k, v in numbers.items()}
    order = bottom_up(edges)
    assert sorted(name for group in order for name in group) == sorted(edges)
    reach = {name: reachable(edges, name) for name in edges}
    at = {name: i for i, group in enumerate(order) for name in group}
    for one in edges:
        for two in edges:
            if one != two:
                assert (at[one] == at[two]) == (two in reach[one] and one in reach[two])
            if two in reach[one]:
                assert at[two] <= at[one]


def test_the_hierarchy_depends_on_nothing_but_the_text() -> None:
    program = (
        "from mgdebug.languages.python import Python\n"
        "from mgdebug.syntax.hierarchy import decompose\n"
        "from mgdebug.syntax.source import SourceFile\n"
        "import sys\n"
        "text = sys.stdin.buffer.read()\n"
        "print(repr(decompose([SourceFile('m.py', text, Python().grammar())])))\n"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=NESTED.encode(),
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert answers == {f"{hierarchy(NESTED)!r}\n".encode()}


# ------------------------------------------------------------------------------ odd files


@pytest.mark.parametrize(
    "broken",
    [
        "def bad(:\n    pass\n",
        "def bad(x)\n    return x\n",
        "class\n",
        "x = = 2\n",
        "if x:\n",
        "print 'old'\n",
        "def bad(a, b:\n    return a\n",
        ")))\n",
        "x = 'open\n",
        "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
    ],
)
def test_a_file_with_a_syntax_error_still_has_its_intact_functions(broken: str) -> None:
    text = f"def first(a):\n    return helper(a)\n\ndef helper(b):\n    return b\n\n{broken}"
    found = hierarchy(text).subfunctions
    assert found["m.py::first"].calls == ("m.py::helper",)
    assert found["m.py::helper"].parameters == ("b",)
    assert len(found["m.py::helper"].blocks) == 1


def test_two_hundred_levels_of_nesting_are_taken() -> None:
    text = "".join(f"{' ' * i}def f{i}():\n" for i in range(200)) + " " * 200 + "f0()\n"
    found = hierarchy(text)
    assert len(found.subfunctions) == 201
    deepest = ".".join(f"f{i}" for i in range(200))
    assert found.subfunctions[f"m.py::{deepest}"].calls == ("m.py::f0",)
    assert len(found.order[0]) == 200  # f0 holds the one that calls it: a circle


def test_deep_expressions_are_taken() -> None:
    text = f"def f(x):\n    return {'(' * 2000}f(x){')' * 2000}\nf({'-' * 2000}1)\n"
    assert calls(text, "f") == {"f"}
    text = f"def f(x):\n    return {' + '.join(['f(x)'] * 2000)}\n"
    assert calls(text, "f") == {"f"}


def test_twenty_thousand_lines_are_taken() -> None:
    functions = (
        f"def f{i}(x):\n    for y in x:\n        f{i - 1}(y)\n    return x\n" for i in range(5000)
    )
    found = hierarchy("".join(functions))
    assert len(found.subfunctions) == 5001
    assert found.subfunctions["m.py::f4999"].calls == ("m.py::f4998",)
    assert [len(group) for group in found.order] == [1] * 5001
    assert place(found, "f4999") == 4999
