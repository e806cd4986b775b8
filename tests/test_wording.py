"""What is written means what was meant, as CPython's own parser reads it."""

from __future__ import annotations

import ast
from itertools import chain

import pytest

from mgdebug.languages.python import Python
from mgdebug.proposers.search.wording import LOOSEST, TIGHTEST, Wording, Writer

WORDS = Python().vocabulary()
WRITER = Writer(WORDS.precedence, WORDS.from_right, WORDS.chained)

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=", "in", "not in", "is", "is not")
VALUES: dict[str, str] = {  # and their outermost operators
    "a": "",
    "a.b": "",
    "f(a, b)": "",
    "a[b]": "",
    "'x'": "",
    "[a, b]": "",
    "(a, b)": "",
    **{f"a {operator} b": operator for operator in ("+", "-", "*", "/", "//", "%", "@", "**")},
    **{f"a {operator} b": operator for operator in ("|", "&", "^", "<<", ">>", "and", "or")},
    **{f"a {operator} b": operator for operator in COMPARISONS},
    "-a": "unary",
    "~a": "unary",
    "not a": "not",
    "a if b else c": "if",
    "lambda: a": "lambda",
}
TEMPLATES = dict.fromkeys(
    [
        *(WORDS.negation, WORDS.both, WORDS.either, *WORDS.pairs),
        *chain(*WORDS.atoms.values(), *WORDS.wraps.values(), *WORDS.joins.values()),
        *("{0}[{1}:]", "{0}[:{1}]", "{0}[{1}]", "{0} + 1", "{0} - 1"),
    ]
)


def worded(text: str) -> Wording:
    operator = VALUES[text]
    return Wording(text, WORDS.precedence[operator] if operator else TIGHTEST)


class _Filled(ast.NodeTransformer):
    """The tree of a template with trees in its holes."""

    def __init__(self, values: list[ast.expr]) -> None:
        self.values = {f"hole_{number}": value for number, value in enumerate(values)}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)


class _Flat(ast.NodeTransformer):
    """`a and (b and c)` is `a and b and c`."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        values: list[ast.expr] = []
        for value in node.values:
            same = isinstance(value, ast.BoolOp) and type(value.op) is type(node.op)
            values += value.values if same and isinstance(value, ast.BoolOp) else [value]
        return ast.BoolOp(node.op, values)


def tree(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def meaning(node: ast.expr) -> str:
    return ast.dump(_Flat().visit(node))


def meant(template: str, *values: ast.expr) -> str:
    holes = tree(template.format(*(f"hole_{number}" for number in range(len(values)))))
    return meaning(_Filled(list(values)).visit(holes))


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_filled_with_any_value_means_the_template(template: str) -> None:
    for one in VALUES:
        for two in VALUES if "{1}" in template else ("a",):
            text = WRITER.fill(template, worded(one), worded(two)).text
            assert meaning(tree(text)) == meant(template, tree(one), tree(two)), text


@pytest.mark.parametrize("outer", TEMPLATES)
def test_a_template_in_a_template_means_both(outer: str) -> None:
    for inner in TEMPLATES:
        filled = WRITER.fill(inner, Wording("p"), Wording("q"))
        node = _Filled([tree("p"), tree("q")]).visit(tree(inner.format("hole_0", "hole_1")))
        text = WRITER.fill(outer, filled, Wording("r")).text
        assert meaning(tree(text)) == meant(outer, node, tree("r")), text


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("not {0}", "a", "not a"),
        ("not {0}", "a < b", "not a < b"),
        ("not {0}", "a and b", "not (a and b)"),
        ("{0} and c", "a or b", "(a or b) and c"),
        ("{0} or c", "a and b", "a and b or c"),
        ("{0} - 1", "a + b", "a + b - 1"),
        ("{0} - 1", "a << b", "(a << b) - 1"),
        ("c - {0}", "a + b", "c - a + b"),
        ("-{0}", "a + b", "-(a + b)"),
        ("-{0}", "a ** b", "-a ** b"),
        ("{0} ** 2", "a ** b", "(a ** b) ** 2"),
        ("{0} == c", "a < b", "(a < b) == c"),
        ("c in {0}", "a not in b", "c in (a not in b)"),
        ("{0} is not None", "not a", "(not a) is not None"),
        ("{0}[1:]", "a + b", "(a + b)[1:]"),
        ("{0}.lower()", "a if b else c", "(a if b else c).lower()"),
        ("len({0})", "a if b else c", "len(a if b else c)"),
        ("max({0}, 0)", "a or b", "max(a or b, 0)"),
        ("[{0}]", "lambda: a", "[lambda: a]"),
        ("return {0}", "a if b else c", "return a if b else c"),
    ],
)
def test_brackets_are_put_where_needed_and_not_elsewhere(
    template: str, value: str, text: str
) -> None:
    assert WRITER.fill(template, worded(value)).text == text


def test_operands_keep_their_sides() -> None:
    fill = WRITER.fill
    a, difference = Wording("a"), worded("a - b")
    assert fill("{0} - {1}", difference, a).text == "a - b - a"
    assert fill("{0} - {1}", a, difference).text == "a - (a - b)"
    assert fill("{1} + {0}", a, Wording("b")).text == "b + a"
    assert fill("{0} + {0}", difference).text == "a - b + (a - b)"


def test_text_is_bracketed_where_its_surroundings_bind_tighter() -> None:
    total = worded("a + b")
    assert total.within(LOOSEST) == "a + b"
    assert total.within(total.binds) == "a + b"
    assert total.within(total.binds + 1) == "(a + b)"
    assert Wording("a").within(TIGHTEST) == "a"


def test_operators_bind_as_in_the_language() -> None:
    groups = [
        *(("lambda", "if"), ("or",), ("and",), ("not",), COMPARISONS, ("|",), ("^",), ("&",)),
        *(("<<", ">>"), ("+", "-"), ("*", "/", "//", "%", "@"), ("unary",), ("**",)),
    ]
    levels = [{WORDS.precedence[operator] for operator in group} for group in groups]
    assert all(len(level) == 1 for level in levels)
    flat = [min(level) for level in levels]
    assert flat == sorted(set(flat))
