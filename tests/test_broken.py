"""Files that do not parse: what is intact in them, what is not, and offers to mend them."""

from __future__ import annotations

import ast
import random

import pytest

from mgdebug.errors import SourceError
from mgdebug.languages import language_of
from mgdebug.languages.python import Python
from mgdebug.model import BlockKind, Edit, Hierarchy, Subfunction, SubfunctionKind
from mgdebug.proposers import Brief
from mgdebug.proposers.search.spelling import mend
from mgdebug.syntax.broken import intact
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

GRAMMAR = Python().grammar()

GOOD = '''import os

LIMIT = 3
NAMES = ["a", "b",
         "c"]


class A:
    """A class."""

    def f(self, xs, n=1):
        total = 0
        for x in xs:
            if x == n and total < LIMIT:
                total += g(x, [1, 2])
            elif not x:
                print("no", 'x')
            else:
                total -= 1
        return total

    def h(self):
        return self.f([1])


def g(x, ys):
    """Text
    of two lines."""
    try:
        return {"k": ys[0], "l": x}
    except (KeyError, ValueError) as error:
        raise TypeError("bad") from error
    finally:
        os.getcwd()


@staticmethod
def last(
    x,
):
    text = """
def no(): pass
"""
    return text
'''


def source(text: str) -> SourceFile:
    return SourceFile("m.py", text.encode(), GRAMMAR)


def definitions(text: str) -> dict[str, str]:
    """The text of each definition that is found in a file."""
    file = source(text)
    found = decompose([file]).subfunctions.values()
    kinds = (SubfunctionKind.MODULE, SubfunctionKind.ERROR)
    return {
        s.qualname: file.slice(s.whole.start, s.whole.end) for s in found if s.kind not in kinds
    }


def errors(text: str) -> list[Subfunction]:
    found = decompose([source(text)]).subfunctions.values()
    return [s for s in found if s.kind is SubfunctionKind.ERROR]


# ----------------------------------------------------------------------------- what is intact


@pytest.mark.parametrize(
    ("new", "old", "lost"),
    [
        pytest.param("xs, n=1):", "xs, n=1)", {"A.f"}, id="a colon"),
        pytest.param("in xs:", "in xs", set(), id="a colon in a body"),
        pytest.param("g(x, [1, 2])", "g(x, [1, 2]", set(), id="a bracket never closed"),
        pytest.param('"c"]', '"c"', set(), id="a bracket of the module never closed"),
        pytest.param("def h(self):", "def h(self:", {"A.h"}, id="a bracket in a head"),
        pytest.param(
            "of two lines.", 'of two lines."""', {"g", "last"}, id="a long string closed twice"
        ),
        pytest.param("            else:", "            else: )", set(), id="too many brackets"),
        pytest.param("LIMIT = 3", "LIMIT = 3 4", set(), id="half a line"),
        pytest.param("class A:", "class A", {"A"}, id="the head of a class"),
        pytest.param("LIMIT = 3", "<<<<<<< HEAD\n=======\n>>>>>>> b", set(), id="a merge"),
        pytest.param("def g(", "def q(\n\n\ndef g(", set(), id="half a definition"),
        pytest.param("raise TypeError", "raise ! TypeError", {"g"}, id="inside a try"),
    ],
)
def test_every_definition_that_the_error_does_not_touch_is_found(
    new: str, old: str, lost: set[str]
) -> None:
    text = GOOD.replace(new, old, 1)
    assert text != GOOD
    with pytest.raises(SyntaxError):
        ast.parse(text)
    wanted = definitions(GOOD)
    found = {name.rpartition(".")[2]: text for name, text in definitions(text).items()}
    for name, whole in wanted.items():
        touched = any(name == one or one.startswith(f"{name}.") for one in lost)
        if not touched and new not in whole:
            assert found[name.rpartition(".")[2]] == whole
    assert errors(text)


def test_a_broken_statement_is_an_error_inside_its_function() -> None:
    text = GOOD.replace("total = 0", "total = = 0")
    (error,) = errors(text)
    assert (error.name, error.qualname) == ("<error>", "A.f.<error>")
    assert (error.span.first_line, error.span.last_line) == (12, 12)
    assert [(b.kind, b.span) for b in error.blocks] == [(BlockKind.ERROR, error.span)]
    assert not error.kind.called
    assert set(definitions(text)) == set(definitions(GOOD))
    calls = decompose([source(text)]).subfunctions["m.py::A.h"].calls
    assert calls == ("m.py::A.f",)


def test_errors_are_told_apart_and_keep_their_lines() -> None:
    text = GOOD.replace("LIMIT = 3", "LIMIT = )").replace("return total", "return total)")
    assert [(e.qualname, e.span.first_line) for e in errors(text)] == [
        ("<error>", 3),
        ("A.f.<error>", 20),
    ]


def test_a_file_that_parses_has_no_errors() -> None:
    assert errors(GOOD) == []
    found = intact(source(GOOD))
    assert not found.tree.root_node.has_error
    assert found.broken == ()


@pytest.mark.parametrize(
    "text", ["(", ")", '"""', "def", "\x00", "\\", "@", "\t(\n (", "if x:\n", ""]
)
def test_very_little_text_is_taken(text: str) -> None:
    decompose([source(text)])
    intact(source(text))


def test_line_ends_do_not_matter() -> None:
    broken = GOOD.replace("in xs:", "in xs")
    for text in (broken, broken.replace("\n", "\r\n")):
        assert {n for n in definitions(text)} == {n for n in definitions(GOOD)}
        assert len(errors(text)) == 1


def test_ten_thousand_lines_behind_an_error_are_found() -> None:
    text = "x = (\n" + "".join(f"def f{i}(x):\n    return x\n\n\n" for i in range(2500))
    assert len(definitions(text)) == 2500
    assert [e.span.first_line for e in errors(text)] == [1]


def test_random_changes_of_bytes_end_in_no_fault() -> None:
    draw = random.Random(7)
    files = [GOOD.encode(), GOOD.replace("\n", "\r\n").encode(), "é = 'ü'\n".encode() * 20]
    read = 0
    for _ in range(300):
        data = bytearray(draw.choice(files))
        for _ in range(draw.randint(1, 3)):
            at, length = draw.randrange(len(data)), draw.randint(0, 8)
            data[at : at + length] = draw.choice(
                [b"", draw.randbytes(draw.randint(1, 8)), data[at // 2 : at // 2 + length], b"'\"("]
            )
        try:
            file = SourceFile("m.py", bytes(data), GRAMMAR)
        except SourceError:
            continue
        read += 1
        for subfunction in decompose([file]).subfunctions.values():
            assert 0 <= subfunction.span.start <= subfunction.span.end <= len(file.text)
    assert read > 50


# ------------------------------------------------------------------------------ how to mend it


def offers(text: str, line: int) -> list[tuple[str, str]]:
    """Notes and texts that CPython takes, the likeliest first."""
    file = source(text)
    hierarchy = decompose([file])
    found = [s for s in hierarchy.subfunctions.values() if s.kind is SubfunctionKind.ERROR]
    if not found:
        span = file.stretch(*file.line_bounds(line))
        kind = SubfunctionKind.ERROR
        found = [Subfunction("m.py::<error>", "m.py", "<error>", "<error>", kind, span)]
    language = language_of("m.py")
    assert language is not None
    good = []
    for error in found:
        for offer in mend(Brief(file, language, Hierarchy({}, ()), error, (), ())):
            after = file.splice(Edit("m.py", *edit) for edit in offer.edits)
            try:
                ast.parse(after.text)
            except SyntaxError:
                continue
            good.append((offer.note, after.text.decode()))
    return good


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("xs, n=1):", "xs, n=1)"),
        ("in xs:", "in xs"),
        ("else:", "else"),
        ("class A:", "class A"),
        ("def h(self):", "def h(self);"),
        ("x == n", "x = n"),
        ("g(x, [1, 2])", "g(x, [1, 2]"),
        ("[1, 2])", "[1, 2)"),
        ("'x')", "'x)"),
        ("return total", "retrun total"),
        ("elif", "else if"),
        ("elif", "elseif"),
        ("elif", "esle if"),
        ("def g", "fucntion g"),
        ("def g", "dfe g"),
        ("total -= 1", "total--"),
        (" and ", " && "),
        ("not x", "!x"),
        ("x in xs", "x xs"),
        ("        total = 0", "            total = 0"),
        ("    try:", "      try:"),
        ('"c"]', '"c"'),
        ('return {"k"', 'return "k"'),
        ("x}", "x"),
        ("        total = 0", "        total = 0)"),
        ("def g(x, ys):", "def g(x, ys:"),
        ("def g(x, ys):", "def g x, ys):"),
        ('TypeError("bad")', 'TypeError("bad"'),
        ("LIMIT = 3", "LIMIT = 3 +"),
        ("LIMIT = 3", "LIMIT = 3$"),
        ("LIMIT = 3", "<<<<<<< HEAD\nLIMIT = 3\n=======\nLIMIT = 4\n>>>>>>> x"),
        ("error:\n        raise", "error:\n    raise"),
        ("    finally", "   finally"),
        ('"bad"', "\"bad'"),
        ("return total", "return (total)".removesuffix(")")),
    ],
)
def test_the_right_text_is_the_first_that_is_taken(new: str, old: str) -> None:
    text = GOOD.replace(new, old, 1)
    with pytest.raises(SyntaxError) as caught:
        ast.parse(text)
    found = offers(text, caught.value.lineno or 1)
    assert found
    # Other spaces, quotes and brackets that mean the same are as good.
    assert ast.dump(ast.parse(found[0][1])).replace("'bad'", "") == ast.dump(
        ast.parse(GOOD)
    ).replace("'bad'", "")


@pytest.mark.parametrize(
    ("text", "line", "wanted"),
    [
        pytest.param("def f(x)\r\n\treturn x\r\n", 1, "def f(x):\r\n\treturn x\r\n", id="crlf"),
        pytest.param("größe = (1, 'é'\n", 1, "größe = (1, 'é')\n", id="beyond ascii"),
        pytest.param("x = [1, 2", 1, "x = [1, 2]", id="no last line end"),
        pytest.param("if x:\ny = 1\n", 2, "if x:\n    y = 1\n", id="an indent"),
        pytest.param("def f():\n", 1, "def f():\n    pass\n", id="no body"),
        pytest.param("print 'a'\n", 1, "print('a')\n", id="print"),
        pytest.param("x = 1\n  y = 2\n", 2, "x = 1\ny = 2\n", id="an indent too many"),
        pytest.param("def f\n    pass\n", 1, "def f():\n    pass\n", id="no parameters"),
        pytest.param("x = [1 2]\n", 1, "x = [1, 2]\n", id="a comma"),
        pytest.param(
            'def f():\n    """One.\n    Two.\n    return 1\n',
            2,
            'def f():\n    """One.\n    Two."""\n    return 1\n',
            id="a long string",
        ),
        pytest.param('x = "a\n', 1, 'x = "a"\n', id="a quote"),
        pytest.param('x = a"\n', 1, 'x = "a"\n', id="the first quote"),
        pytest.param("for x range(3): pass\n", 1, "for x in range(3): pass\n", id="in"),
        pytest.param("x++\n", 1, "x += 1\n", id="plus plus"),
        pytest.param("if x => 1: pass\n", 1, "if x >= 1: pass\n", id="an arrow"),
    ],
)
def test_a_usual_slip_is_among_the_first_offers(text: str, line: int, wanted: str) -> None:
    taken = [after for _, after in offers(text, line)]
    assert wanted in taken[:3]


def test_a_note_says_what_was_done() -> None:
    assert offers("if x\n    pass\n", 1)[0][0] == "`:` added after `if x`"


def test_offers_are_the_same_each_time() -> None:
    text = GOOD.replace("g(x, [1, 2])", "g(x, [1, 2]")
    assert offers(text, 15) == offers(text, 15)


def test_strings_further_out_than_the_definition_that_holds_them() -> None:
    inside = 'class B\n    def f(self):\n        x = """\nfar out\n"""\n        return x\n'
    text = "class A:\n" + "".join(f"    {line}\n" for line in inside.splitlines())
    for broken in (inside, text, text.replace("        return", "        )return")):
        decompose([source(broken)])
    assert "f" in {name.rpartition(".")[2] for name in definitions(inside)}
