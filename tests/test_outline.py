"""Outlining: the same behaviour, the same text when folded back, and what is refused."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import re
import warnings
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monoliths import MONOLITHS, PRELUDE, Program

from mgdebug.languages.python import Python
from mgdebug.model import Edit
from mgdebug.syntax.outline import Outline, outline
from mgdebug.syntax.source import SourceFile

GRAMMAR = Python().grammar()
SIZES = [(3, 1), (5, 2), (12, 3)]


def source(text: str | bytes) -> SourceFile:
    return SourceFile("m.py", text.encode() if isinstance(text, str) else text, GRAMMAR)


def small(text: str) -> Outline:
    return outline(source(text), 3, 1)


def text_of(found: Outline) -> str:
    return found.outlined.text.decode()


def told(thing: object) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", repr(thing))


def behaviour(text: str, *arguments: object) -> object:
    """All that can be seen of a call of `run`."""
    space: dict[str, object] = {"__name__": "m"}
    exec(compile(text, "m.py", "exec"), space)
    given_ = copy.deepcopy(arguments)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            result = told(space["run"](*given_))  # type: ignore[operator]
    except Exception as error:
        around = type(error.__context__), type(error.__cause__)
        result = told((type(error).__name__, error.args, around))
    return result, told(given_), printed.getvalue()


# ------------------------------------------------------------------------------- behaviour


@cache
def forms(name: str) -> list[str]:
    """A monolith, and what it becomes at each size."""
    text = MONOLITHS[name]
    return [text, *(text_of(outline(source(text), *size)) for size in SIZES)]


@pytest.mark.parametrize("name", MONOLITHS)
def test_a_monolith_is_cut_and_can_be_restored(name: str) -> None:
    file = source(MONOLITHS[name])
    found = outline(file, 3, 1)
    assert len(found.pieces) >= 2
    assert found.restored() == file.text
    for piece in found.pieces:
        opened = found.outlined.slice(piece.outlined.start, piece.outlined.end)
        assert opened.startswith(f"def {piece.name}({', '.join(piece.parameters)}):")


@pytest.mark.parametrize("name", MONOLITHS)
@settings(max_examples=60, deadline=None)
@given(
    xs=st.lists(st.integers(-4, 20), max_size=7),
    n=st.integers(-3, 8),
    text=st.text("ab1 ,-(é", max_size=12),
)
def test_an_outlined_monolith_behaves_as_it_did(
    name: str, xs: list[int], n: int, text: str
) -> None:
    first, *others = (behaviour(form, xs, n, text) for form in forms(name))
    assert others == [first] * len(SIZES)


def random_behaviour(text: str, argument: int) -> object:
    space: dict[str, object] = {"__name__": "m"}
    exec(compile(PRELUDE + text, "m.py", "exec"), space)
    try:
        result = space["run"](argument, 1, argument + 1)  # type: ignore[operator]
        if hasattr(result, "send"):
            result = [result.send(None), *(result.send(turn) for turn in range(4))]
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        result = type(error).__name__, error.args, type(error.__context__)
    return told(result), told(space["trace"])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32))
@pytest.mark.long
def test_random_programs_behave_as_they_did(seed: int) -> None:
    text = Program(seed).text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            compile(text, "m.py", "exec")
        except SyntaxError:  # a global pattern, a name that is deleted before it is declared
            return
        for size in SIZES:
            found = outline(source(text), *size)
            assert found.restored() == source(text).text
            for argument in (0, 1, 3):
                was = random_behaviour(text, argument)
                assert random_behaviour(text_of(found), argument) == was, text_of(found)


def test_code_that_never_runs_asks_for_nothing() -> None:
    text = """def run(a, b, c):
    d = a
    try:
        b = c
        raise KeyError(b)
    finally:
        for b in range(0):
            d = b
            print(b)
    print(b)
    print(c)
    print(a)
    print(a)
    return d
"""
    found = outline(source(text), 5, 2)
    assert [piece.results for piece in found.pieces] == [()] * 3
    assert behaviour(text_of(found), 1, 2, 3) == behaviour(text, 1, 2, 3)


def test_jumps_that_never_run_compile() -> None:
    loop = ["for a in b:", "    if a:", "        raise a", "        break", "        return a"]
    found = small(numbered(*loop, "        continue", "    print(a)", "    print(b)"))
    assert found.pieces
    compile(text_of(found), "m.py", "exec")


# ------------------------------------------------------------------------------------ sizes


def test_what_is_below_the_size_stays_as_it_is() -> None:
    text = "def f(a):\n" + "".join(f"    a += {n}\n" for n in range(11)) + "    return a\n"
    found = outline(source(text))
    assert (found.outlined.text, found.pieces, found.refusals) == (text.encode(), (), ())
    larger = text.replace("    return", "    a = 0\n    return")
    assert len(outline(source(larger)).pieces) == 1
    deep = "def f(a):\n" + "".join(f"{'    ' * n}if a > {n}:\n" for n in (1, 2, 3, 4))
    deep += "    " * 5 + "a += 1\n" + "    " * 5 + "a += 2\n" + "    return a\n"
    assert [piece.function for piece in outline(source(deep)).pieces] == ["f"]
    assert outline(source(deep), nesting=4).pieces == ()


def test_what_is_left_and_each_piece_are_below_the_size() -> None:
    lines = "".join(f"    a{n} = a{n - 1} + 1\n    print(a{n})\n" for n in range(1, 40))
    found = outline(source("def f(a0):\n" + lines))
    assert found.refusals == ()
    again = outline(found.outlined)
    assert (again.pieces, again.refusals) == ((), ())


def test_only_the_functions_that_are_asked_for_are_cut() -> None:
    body = "".join(f"        print({n})\n" for n in range(9))
    text = f"class C:\n    def f(self):\n{body}    def g(self):\n        def h():\n"
    text += body.replace("        print", "            print") + body
    every = outline(source(text), 3)
    assert {piece.function for piece in every.pieces} == {"C.f", "C.g", "C.g.h"}
    some = outline(source(text), 3, only=lambda name: name == "C.g.h")
    assert {piece.function for piece in some.pieces} == {"C.g.h"}
    assert some.restored() == text.encode()


def test_a_docstring_and_the_lines_above_a_class_stay_where_they_are() -> None:
    text = '"""Module."""\nfrom __future__ import annotations\n\n# why\n@d\nclass C:\n'
    text += '    """Class."""\n    def f(self):\n        """f."""\n'
    text += "".join(f"        print({n})\n" for n in range(5))
    out = text_of(small(text))
    assert out.startswith(
        '"""Module."""\nfrom __future__ import annotations\n\n# why\ndef _f_1():\n'
    )
    assert 'def f(self):\n        """f."""\n        _f_1()\n' in out


def test_names_of_pieces_stand_nowhere_else() -> None:
    body = "".join(f"        print({n})\n" for n in range(5))
    text = f"_init_1 = exit_ = 1\nclass C:\n    def __init__(self):\n{body}    def _(self):\n{body}"
    names = [piece.name for piece in small(text).pieces]
    assert names == ["_init_2", "_piece_1"]


def test_a_call_tells_how_its_piece_was_left() -> None:
    text = """def f(xs):
    for x in xs:
        y = x + 1
        if y > 5:
            break
        if y == 3:
            return y, x
        print(y)
    return y
"""
    found = outline(source(text), 5, 1)
    assert (
        text_of(found)
        == """def _f_1(x):
        y = x + 1
        if y > 5:
            return 2, None, y
        if y == 3:
            return  1, (y, x), None
        return 0, None, y


def f(xs):
    for x in xs:
        exit_, value_, y = _f_1(x)
        if exit_ == 2: break
        if exit_ == 1: return value_
        print(y)
    return y
"""
    )


# --------------------------------------------------------------------------------- refusals


def numbered(*lines: str) -> str:
    return "def f(a, b):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("text", "reason", "names"),
    [
        pytest.param(
            numbered("yield a", "yield b", "yield a", "yield b"), "yield inside", (), id="a yield"
        ),
        pytest.param(
            "async " + numbered("await a", "await b", "await a", "await b"),
            "await inside",
            (),
            id="an await",
        ),
        pytest.param(
            "async " + numbered(*["async for x in a:", "    b", "    b"] * 2),
            "await inside",
            (),
            id="an async for",
        ),
        pytest.param(
            numbered("global x", "x = 1", "x = 2", "x = 3"), "declaration inside", (), id="global"
        ),
        pytest.param(
            numbered("global x", "if a:", "    x = 1", "    x = 2", "    x = 3", "    x = 4"),
            "is global and written",
            ("x",),
            id="a global that is written",
        ),
        pytest.param(numbered("del a", "del b", "a = 1", "b = 2"), "deletion inside", (), id="del"),
        pytest.param(
            numbered("def g():", "    return 1", "class C:", "    x = 1", "g()", "C()"),
            "definition inside",
            (),
            id="definitions",
        ),
        pytest.param(
            numbered("print(a)", "print(b)", "print(a)", "print(locals())"),
            "frame access inside",
            (),
            id="locals",
        ),
        pytest.param(
            "import sys\ndef who(): return sys._getframe(1).f_code.co_name\n"
            + numbered("who()", "who()", "who()", "who()"),
            "frame access inside",
            (),
            id="a function that looks at its caller",
        ),
        pytest.param(
            "class C:\n" + "    def f(self):\n" + "        self.__x = 1\n" * 4,
            "private name inside",
            (),
            id="a private name",
        ),
        pytest.param(
            "class C:\n" + "    def f(self):\n" + "        super().f()\n" * 4,
            "class access inside",
            (),
            id="super",
        ),
        pytest.param(
            numbered("if a:", "    c = 1", "if b:", "    d = 2", "    c += d", "    d += c", "d"),
            "may be unbound",
            ("c", "d"),
            id="a name that may be unbound",
        ),
        pytest.param(
            numbered("c = 0", "try:", *["    c += a"] * 4, "except E:", "    c"),
            "an exception would lose",
            ("c",),
            id="a name that a handler reads",
        ),
        pytest.param(
            numbered("g = lambda: a", "a = 1", "a = 2", "a = 3", "a = 4", "return g"),
            "is captured and changes",
            ("a",),
            id="a captured name",
        ),
        pytest.param(
            "def o():\n  a = 1\n  def f():\n    nonlocal a\n    if a:\n" + "      a += 1\n" * 4,
            "is another function's and written",
            ("a",),
            id="a nonlocal",
        ),
        pytest.param(
            "def o():\n  a = 1\n  def f():\n    print(a)\n" + "    print(a)\n" * 4 + "  a = 2\n",
            "is another function's and may change",
            ("a",),
            id="a closure's name",
        ),
        pytest.param(
            numbered("if a:", "    h = Popen(a)", "    b", "    b"),
            "would be let go",
            ("h",),
            id="a resource",
        ),
        pytest.param("def f(a): a(); a(); a(); a()\n", "shares a line", (), id="one line"),
        pytest.param(numbered("a = = 1", "a", "b", "a", "b"), "does not parse", (), id="an error"),
        pytest.param(
            numbered("return a", "while a:", *["    a += 1"] * 4), "never runs", (), id="dead code"
        ),
        pytest.param(
            "async " + numbered("for x in a:", "    b", "    b", "    if b: return", "yield"),
            "return inside",
            (),
            id="a return of an asynchronous generator",
        ),
        pytest.param(
            numbered("a", "b", "a = '''\r'''", "b"), "odd line ends", (), id="old line ends"
        ),
    ],
)
def test_what_cannot_be_cut_says_why(text: str, reason: str, names: tuple[str, ...]) -> None:
    found = small(text)
    assert (reason, names) in [(refusal.reason, refusal.names) for refusal in found.refusals]
    assert found.restored() == text.encode()


def test_a_resource_that_is_read_later_is_a_result() -> None:
    body = ["h = 0", "if a:", "    h = Popen(a)", "    b", "    b", "return h"]
    found = small(numbered(*body))
    assert {piece.results for piece in found.pieces} == {("h",)}


# ------------------------------------------------------------------------------------- fold

PLAIN = """def f(xs, n):
    total = 0
    for x in xs:
        if x < 0:
            break
        é = x * n
        total += é
        total -= 1
    return total
"""


def edit(found: Outline, old: str, new: str) -> Edit:
    """An edit of the outlined text where an old text stands last."""
    place = found.outlined.text.rindex(old.encode())
    return Edit("m.py", place, place + len(old.encode()), new)


def folded(text: str, old: str, new: str) -> tuple[list[tuple[str, str]], str]:
    """The edits of the original, as old and new text, and what they make of it."""
    found = small(text)
    assert found.pieces
    edits = found.fold([edit(found, old, new)])
    shown = [(found.source.slice(e.start, e.end), e.text) for e in edits]
    return shown, found.source.splice(edits).text.decode()


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        pytest.param("x * n", "x + n", ("*", "+"), id="a token"),
        pytest.param("x < 0", "x <= 0", ("", "="), id="an insertion"),
        pytest.param("        total -= 1\n", "", ("        total -= 1\n", ""), id="a line less"),
        pytest.param("= é\n", "= é\n        n += é\n", ("", "        n += é\n"), id="a line more"),
        pytest.param("é = x", "e = x", ("é", "e"), id="a wide character"),
        pytest.param("return total\n", "return -total\n", ("", "-"), id="in what is left"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("tab", ["    ", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_an_edit_of_a_piece_is_one_of_the_original(
    old: str, new: str, shown: tuple[str, str], newline: str, tab: str, mark: str
) -> None:
    def style(text: str) -> str:
        return text.replace("\n", newline).replace("    ", tab)

    text = mark + style(PLAIN)
    assert PLAIN.count(old) == 1
    edits, after = folded(text, style(old), style(new))
    assert after == style(PLAIN.replace(old, new))
    assert ["".join(sorted(style(part))) for part in shown] == [
        "".join(sorted(part)) for part in edits[0]
    ]


def test_an_edit_of_a_returned_value_is_one_of_the_original() -> None:
    text = "def f(xs):\n    for x in xs:\n        y = x\n        if y:\n            return y, x\n"
    text += "        print(y)\n    return xs\n"
    assert "(y, x)" in text_of(small(text))
    edits, after = folded(text, "y, x", "x, x")
    assert edits == [("y", "x")]
    assert after == text.replace("y, x", "x, x")


@pytest.mark.parametrize(
    "glue",
    ["def _f_1(", "return 0, total", "return 2, ", "exit_, total = ", "if exit_ == 2: break"],
)
def test_an_edit_of_glue_is_refused(glue: str) -> None:
    found = small(PLAIN)
    start = found.outlined.text.index(glue.encode())
    for at in (start, start + 3):
        with pytest.raises(ValueError, match="changes the glue"):
            found.fold([Edit("m.py", at, at + 3, "?")])


def test_a_stretch_of_a_piece_has_its_place_in_the_original() -> None:
    found = small(PLAIN)
    at = found.outlined.text.index("é = x".encode())
    place = found.original(at, at + 6)
    assert place is not None
    assert (found.source.slice(place.start, place.end), place.first_line) == ("é = x", 6)
    (glue,) = re.finditer("exit_, total = ", text_of(found))
    assert found.original(glue.start(), glue.end()) is None


def test_the_end_of_a_file_without_a_line_end() -> None:
    text = PLAIN.rstrip("\n").replace(
        "    return total", "    print(1)\n    print(2)\n    print(3)"
    )
    found = outline(source(text), 3, 1)
    assert found.restored() == text.encode()
    compile(text_of(found), "m.py", "exec")
    assert folded(text, "print(3)", "print(4)")[1] == text.replace("print(3)", "print(4)")


def test_a_file_of_another_encoding_is_outlined_in_it() -> None:
    text = "# coding: latin-1\n" + PLAIN
    file = SourceFile("m.py", text.encode("latin-1"), GRAMMAR)
    found = outline(file, 3, 1)
    assert found.pieces
    assert "é = x".encode("latin-1") in found.outlined.data
    assert found.restored() == text.encode()


def test_a_language_without_glue_is_left_alone() -> None:
    file = SourceFile("m.py", PLAIN.encode(), dataclasses.replace(GRAMMAR, glue=None))
    found = outline(file, 3, 1)
    assert (found.outlined, found.pieces, found.refusals) == (file, (), ())
    assert found.restored() == file.text
