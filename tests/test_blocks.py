"""The basic blocks of a file: their kinds, their stretches, what they read and write."""

from __future__ import annotations

import pytest

from mgdebug.languages.python import Python
from mgdebug.model import Block
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

GRAMMAR = Python().grammar()


def source(text: str) -> SourceFile:
    return SourceFile("m.py", text.encode(), GRAMMAR)


def find_blocks(file: SourceFile) -> list[Block]:
    """All blocks of a file in the order of the text, what holds another first."""
    found = [b for s in decompose([file]).subfunctions.values() for b in s.blocks]
    return sorted(found, key=lambda block: (block.span.start, -block.span.end))


def blocks(text: str) -> list[tuple[str, str]]:
    """Kind and text of each block of a file, in the order of the text."""
    file = source(text)
    return [(b.kind.value, file.slice(b.span.start, b.span.end)) for b in find_blocks(file)]


def only(text: str) -> tuple[set[str], set[str]]:
    """What the first block of a file reads and writes."""
    first = find_blocks(source(text))[0]
    return set(first.reads), set(first.writes)


def owned(text: str, qualname: str) -> tuple[Block, ...]:
    return decompose([source(text)]).subfunctions[f"m.py::{qualname}"].blocks


# ------------------------------------------------------------------------------------ kinds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("# a comment\n", [], id="only comments"),
        pytest.param(
            "a = 1\nb = 2\n\n# why\nc = 3\n",
            [("run", "a = 1\nb = 2\n\n# why\nc = 3")],
            id="comments part no run",
        ),
        pytest.param("a = 1; b = 2\n", [("run", "a = 1; b = 2")], id="one line"),
        pytest.param(
            "a\nif b:\n    c\nelif d:\n    e\nelse:\n    f\ng\n",
            [
                ("run", "a"),
                ("condition", "b"),
                ("run", "c"),
                ("condition", "d"),
                ("run", "e"),
                ("run", "f"),
                ("run", "g"),
            ],
            id="if, elif, else",
        ),
        pytest.param(
            "while a:\n    b\n    if c: break\n    d\nelse:\n    e\n",
            [
                ("condition", "a"),
                ("run", "b"),
                ("condition", "c"),
                ("run", "break"),
                ("run", "d"),
                ("run", "e"),
            ],
            id="while",
        ),
        pytest.param(
            "for a, b in (\n    c):  # why\n    d\nelse:\n    e\n",
            [("loop", "for a, b in (\n    c):  # why"), ("run", "d"), ("run", "e")],
            id="for",
        ),
        pytest.param(
            "with a as b, c:\n    d\n", [("with", "with a as b, c:"), ("run", "d")], id="with"
        ),
        pytest.param(
            "try:\n a\nexcept (B, C) as e:\n f\nexcept:\n g\nelse:\n h\nfinally:\n i\n",
            [
                ("try", "try"),
                ("run", "a"),
                ("handler", "except (B, C) as e:"),
                ("run", "f"),
                ("handler", "except:"),
                ("run", "g"),
                ("run", "h"),
                ("finally", "finally"),
                ("run", "i"),
            ],
            id="try",
        ),
        pytest.param(
            "try:\n    a\nexcept* B as e:\n    f\n",
            [("try", "try"), ("run", "a"), ("handler", "except* B as e:"), ("run", "f")],
            id="a group of exceptions",
        ),
        pytest.param(
            "match a.b:\n    case [c, *_] if c:\n        d\n    case _:\n        e\n",
            [
                ("condition", "a.b"),
                ("case", "case [c, *_] if c:"),
                ("condition", "c"),
                ("run", "d"),
                ("case", "case _:"),
                ("run", "e"),
            ],
            id="match",
        ),
        pytest.param(
            "async with a as b:\n    async for c in b:\n        await c\n",
            [("with", "async with a as b:"), ("loop", "async for c in b:"), ("run", "await c")],
            id="async",
        ),
        pytest.param(
            "x = 1\n@d\ndef f():\n    return 1\ny = 2\n",
            [("run", "x = 1\n@d\ndef f():\n    return 1\ny = 2"), ("run", "return 1")],
            id="a definition is a statement of the run around it",
        ),
        pytest.param(
            "a\nreturn b\nc\nraise d\ne\n",
            [("run", "a\nreturn b"), ("run", "c\nraise d"), ("run", "e")],
            id="a jump ends its run",
        ),
        pytest.param("if a: b\n", [("condition", "a"), ("run", "b")], id="on one line"),
        pytest.param(
            "x = [y + 1 for y in z if y]\n",
            [("run", "x = [y + 1 for y in z if y]"), ("each", "y + 1"), ("condition", "y")],
            id="a comprehension",
        ),
        pytest.param(
            "f(x * 2 for y in z for x in y)\n",
            [("run", "f(x * 2 for y in z for x in y)"), ("each", "x * 2")],
            id="a generator",
        ),
        pytest.param(
            "x = {a: b for a, b in c}, {d for d in e}\n",
            [("run", "x = {a: b for a, b in c}, {d for d in e}"), ("each", "a: b"), ("each", "d")],
            id="comprehensions of dictionaries and sets",
        ),
        pytest.param(
            "x = a and b or c\n",
            [("run", "x = a and b or c"), ("arm", "b"), ("arm", "c")],
            id="what may be skipped",
        ),
        pytest.param(
            "if a or not b: c\n",
            [("condition", "a or not b"), ("arm", "not b"), ("run", "c")],
            id="an arm of a condition",
        ),
        pytest.param(
            "x = a if b else c\n",
            [("run", "x = a if b else c"), ("arm", "a"), ("arm", "c")],
            id="a conditional expression",
        ),
        pytest.param("x = lambda: 1\n", [("run", "x = lambda: 1"), ("run", "1")], id="a lambda"),
        pytest.param("f(lambda: 1)\n", [("run", "f(lambda: 1)")], id="a lambda without a name"),
    ],
)
def test_blocks_begin_and_end_where_the_control_may(
    text: str, found: list[tuple[str, str]]
) -> None:
    assert blocks(text) == found


def test_line_ends_and_tabs_do_not_change_the_blocks() -> None:
    text = (
        "def f(a):\n    for b in a:\n        if b:\n            c = b\n            d = c\n    d\n"
    )
    plain = [(kind, piece.split()) for kind, piece in blocks(text)]
    for other in (text.replace("\n", "\r\n"), text.replace("    ", "\t"), "\n" + text[:-1]):
        assert [(kind, piece.split()) for kind, piece in blocks(other)] == plain


def test_blocks_belong_to_the_smallest_subfunction_around_them() -> None:
    text = """
a = 1
def f(x):
    def g(y):
        return y
    if x:
        return g(x)
class C:
    b = 2
    def m(self):
        self.b = 3
"""
    pieces = {
        name: [(b.id, b.span.first_line, b.span.last_line) for b in owned(text, name)]
        for name in ("<module>", "f", "f.g", "C", "C.m")
    }
    assert pieces == {
        "<module>": [("m.py::<module>#0", 2, 11)],
        "f": [("m.py::f#0", 4, 5), ("m.py::f#1", 6, 6), ("m.py::f#2", 7, 7)],
        "f.g": [("m.py::f.g#0", 5, 5)],
        "C": [("m.py::C#0", 9, 11)],
        "C.m": [("m.py::C.m#0", 11, 11)],
    }


def test_a_block_is_found_by_its_id() -> None:
    hierarchy = decompose([source("def f(x):\n    if x:\n        return 1\n    return 2\n")])
    last = hierarchy.block("m.py::f#2")
    assert last is not None
    assert last.span.first_line == 4
    assert hierarchy.block("m.py::f#9") is None
    assert hierarchy.block("m.py::g#0") is None


# -------------------------------------------------------------------------- reads and writes


@pytest.mark.parametrize(
    ("text", "reads", "writes"),
    [
        pytest.param("a = b", {"b"}, {"a"}, id="assignment"),
        pytest.param("a = b = c", {"c"}, {"a", "b"}, id="two targets"),
        pytest.param("a, (b, [c, *d]) = e", {"e"}, {"a", "b", "c", "d"}, id="unpacking"),
        pytest.param("a: int = b", {"int", "b"}, {"a"}, id="annotation"),
        pytest.param("a += b", {"a", "b"}, {"a"}, id="augmented"),
        pytest.param("a.append(b)", {"a", "b"}, {"a"}, id="a method may change its object"),
        pytest.param("a[b] = c", {"a", "b", "c"}, {"a"}, id="item set"),
        pytest.param("a[b][c] = d", {"a", "b", "c", "d"}, {"a"}, id="item of an item set"),
        pytest.param("a[b], c[d] = e", {"a", "b", "c", "d", "e"}, {"a", "c"}, id="items set"),
        pytest.param("a[b] += c", {"a", "b", "c"}, {"a"}, id="item updated"),
        pytest.param("a.b = c", {"a", "c"}, {"a"}, id="attribute set"),
        pytest.param("a.b += c", {"a", "c"}, {"a"}, id="attribute updated"),
        pytest.param("del a[b]", {"a", "b"}, {"a"}, id="item deleted"),
        pytest.param("a.b.c", {"a"}, set(), id="attributes are no names"),
        pytest.param("f(a, key=b)", {"f", "a", "b"}, set(), id="keywords are no names"),
        pytest.param("x = f'{a:{b}} c'", {"a", "b"}, {"x"}, id="f-string"),
        pytest.param("x = 'a'  # b", set(), {"x"}, id="texts and comments hold no names"),
        pytest.param("print((a := b))", {"print", "b"}, {"a"}, id="walrus"),
        pytest.param("x = [y + a for y in z]", {"a", "z"}, {"x"}, id="comprehension"),
        pytest.param("x = [y for y in y]", {"y"}, {"x"}, id="a name inside and outside"),
        pytest.param("x = [a for y in z for a in y]", {"z"}, {"x"}, id="two loops"),
        pytest.param("x = [y for y, (a, b) in z if a < c]", {"z", "c"}, {"x"}, id="a filter"),
        pytest.param("x = [(y := a) for a in z]", {"z"}, {"x", "y"}, id="walrus for each"),
        pytest.param("f(lambda a, b=c, *d, **e: f(a, b, e))", {"c", "f"}, set(), id="lambda"),
        pytest.param("x = lambda a, b=c: f", {"c"}, {"x"}, id="a lambda's body is its own"),
        pytest.param("x = a and b.pop()", {"a", "b"}, {"x", "b"}, id="an arm counts"),
        pytest.param("global a\na = b", {"a", "b"}, {"a"}, id="global"),
        pytest.param("del a", {"a"}, {"a"}, id="deleted"),
        pytest.param("type A[T] = B", {"B"}, {"A"}, id="type"),
        pytest.param("import a", set(), {"a"}, id="import"),
        pytest.param("import a.b.c", set(), {"a"}, id="import of a part"),
        pytest.param("import a.b as c, d", set(), {"c", "d"}, id="imports"),
        pytest.param("from a.b import c, d as e", set(), {"c", "e"}, id="import from"),
        pytest.param("from . import a", set(), {"a"}, id="import from here"),
        pytest.param("def f(a, b: int = c, *d, **e): return g", {"int", "c"}, {"f"}, id="def"),
        pytest.param("def f(*a: int, **b: str): pass", {"int", "str"}, {"f"}, id="typed splats"),
        pytest.param("def f(a):\n  match a:\n    case [b]: pass", set(), {"f"}, id="a body's"),
        pytest.param("@d(e)\nclass A(B): x = y", {"d", "e", "B"}, {"A"}, id="class"),
        pytest.param("for a, b in c:\n  d", {"c"}, {"a", "b"}, id="loop"),
        pytest.param("with a as b, c as (d, e):\n  f", {"a", "c"}, {"b", "d", "e"}, id="with"),
        pytest.param("while a < (b := c):\n  d", {"a", "c"}, {"b"}, id="condition"),
    ],
)
def test_names_that_a_block_reads_and_writes(text: str, reads: set[str], writes: set[str]) -> None:
    assert only(text) == (reads, writes)


def test_a_handler_writes_its_name() -> None:
    handler = find_blocks(source("try:\n    a\nexcept B as c:\n    d\n"))[2]
    assert (handler.reads, handler.writes) == (("B",), ("c",))


def test_names_are_listed_once_in_the_order_of_the_text() -> None:
    (run,) = find_blocks(source("b = a + c\na = b + c + a\n"))
    assert run.reads == ("a", "c", "b")
    assert run.writes == ("b", "a")


def test_a_name_belongs_to_the_smallest_block_around_it() -> None:
    text = "a = 1\ndef f():\n    b = 2\n    while c:\n        d = e\n"
    found = [(b.reads, b.writes) for b in find_blocks(source(text))]
    assert found == [((), ("a", "f")), ((), ("b",)), (("c",), ()), (("e",), ("d",))]


def test_the_patterns_of_a_match_write_names() -> None:
    text = """
match a:
    case [b, *c, {"k": d, **e}] | P(f, g=h) as i if j:
        k
    case m.N | 1 | _:
        l
"""
    cases = [b for b in find_blocks(source(text)) if b.kind == "case"]
    assert [(set(b.reads), set(b.writes)) for b in cases] == [
        ({"P", "j"}, {"b", "c", "d", "e", "f", "h", "i"}),
        ({"m"}, set()),
    ]


# ------------------------------------------------------------------------ parents and exits


def test_a_block_knows_what_decides_over_it() -> None:
    text = """
def f(xs):
    a = 1
    if a and xs:
        b = [x for x in xs if x]
    elif b:
        c
    else:
        d
    for x in xs:
        while x:
            e
    try:
        g
    except E:
        h
    finally:
        i
    with j:
        k
    match l:
        case 1:
            m
    return a or b
"""
    file = source(text)
    found = owned(text, "f")
    words = {b.id: file.slice(b.span.start, b.span.end).partition("\n")[0] for b in found}
    assert [(words[b.id], words.get(b.parent, "")) for b in found] == [
        ("a = 1", ""),
        ("a and xs", ""),
        ("xs", "a and xs"),
        ("b = [x for x in xs if x]", "a and xs"),
        ("x", "b = [x for x in xs if x]"),
        ("x", "b = [x for x in xs if x]"),
        ("b", "a and xs"),
        ("c", "b"),
        ("d", "a and xs"),
        ("for x in xs:", ""),
        ("x", "for x in xs:"),
        ("e", "x"),
        ("try", ""),
        ("g", "try"),
        ("except E:", "try"),
        ("h", "except E:"),
        ("finally", "try"),
        ("i", "finally"),
        ("with j:", ""),
        ("k", "with j:"),
        ("l", ""),
        ("case 1:", "l"),
        ("m", "case 1:"),
        ("return a or b", ""),
        ("b", "return a or b"),
    ]


def test_a_parent_is_a_block_of_the_same_subfunction() -> None:
    text = "if a:\n    def f():\n        b\n        g = lambda: c or d\n"
    for name in ("f", "f.g"):
        ids = {b.id for b in owned(text, name)}
        assert all(b.parent in ids | {""} for b in owned(text, name))
    assert owned(text, "f")[0].parent == ""


@pytest.mark.parametrize(
    ("text", "exits"),
    [
        ("a\nreturn b\n", ["return"]),
        ("raise a\nb\n", ["raise", None]),
        ("for a in b:\n    if c: break\n    continue\n", [None, None, "break", "continue"]),
        ("x = 1\n", [None]),
        ("f = lambda: 1\n", [None, "return"]),
    ],
)
def test_a_block_knows_how_it_is_left(text: str, exits: list[str | None]) -> None:
    assert [block.exit for block in find_blocks(source(text))] == exits


# ------------------------------------------------------------------------------- odd files


def test_blocks_of_intact_code_survive_a_syntax_error() -> None:
    text = "def f(a):\n    if a:\n        return 1\n    return 2\n\ndef g(:\n    x = = 1\n"
    kinds = [block.kind.value for block in owned(text, "f")]
    assert kinds == ["condition", "run", "run"]


def test_twenty_thousand_lines_of_blocks_are_found() -> None:
    text = "".join(
        f"for i in a{n}:\n    with i as j:\n        k = j\n    l = k\n" for n in range(5000)
    )
    found = find_blocks(source(text))
    assert len(found) == 20_000
    assert (found[-4].reads, found[-4].writes) == (("a4999",), ("i",))
    starts = [block.span.start for block in found]
    assert starts == sorted(starts)


@pytest.mark.parametrize("levels", [99, 200])  # CPython takes 99
def test_many_levels_of_nesting_are_taken(levels: int) -> None:
    ifs = "".join(f"{' ' * i}if a{i}:\n" for i in range(levels))
    found = find_blocks(source(f"{ifs}{' ' * levels}b = a0\n"))
    assert [b.reads for b in found] == [*((f"a{i}",) for i in range(levels)), ("a0",)]


def test_too_many_levels_end_in_no_fault() -> None:
    text = "".join(f"{' ' * i}if a{i}:\n" for i in range(2000)) + " " * 2000 + "b = a0\n"
    assert find_blocks(source(text))
