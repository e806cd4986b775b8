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
        ("outer.inner.Local.method", "function", ("self",)),
        ("Holder", "class", ()),
        ("Holder.Part", "class", ()),
        ("Holder.Part.show", "function", ("self",)),
        ("Holder.made", "function", ("x", "y", "z", "more")),
        ("Holder.wait", "function", ("self", "parts")),
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
    assert calls(text, "Base.shared") == {"Base.own"}
    assert calls(text, "Leaf.use") == {"Leaf.own", "Base.shared", "Base.own"}
    assert "missing" in subfunction(text, "Leaf.use").unknown
    assert calls(text, "Leaf.make") == {"Leaf.build"}
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
    assert calls(text, "A") == {"default"}
    assert calls(text, "A.m") == {"default"}
    assert calls(text, "wait") == {"plain"}
    assert calls(text, "plain") == set()


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
