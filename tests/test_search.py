"""What the search engine offers, and what it never touches.  No code of the examples runs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, pairwise, takewhile
from pathlib import Path

import pytest

from mgdebug.languages.python import Python
from mgdebug.model import BlockVisit, Call, Failure, Patch, Status, Suspect, Trace, Value, Verdict
from mgdebug.proposers import Brief
from mgdebug.proposers.search import BATCH, FIRST_BATCH, Search
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

LANGUAGE = Python()
NOTHING_PASSED = Verdict((), ("case",))


def brief_on(text: str, name: str, types: Mapping[str, str] | None = None) -> Brief:
    """One failing case came through all blocks of a subfunction.

    types: those of its variables, as the case showed them."""
    source = SourceFile("m.py", text.encode(), LANGUAGE.grammar())
    hierarchy = decompose([source])
    own = hierarchy.subfunctions[f"m.py::{name}"]
    values = {variable: Value(type_, "...") for variable, type_ in (types or {}).items()}
    visits = tuple(BlockVisit(block.id, 1, i, values) for i, block in enumerate(own.blocks))
    trace = Trace("case", Status.FAILED, {block.id: 1 for block in own.blocks}, visits)
    suspects = tuple(Suspect(own.id, block.id, 1.0, "in the case") for block in own.blocks)
    return Brief(source, LANGUAGE, hierarchy, own, suspects, (trace,))


def patches(brief: Brief, verdict: Verdict = NOTHING_PASSED) -> Iterator[Patch]:
    """All that is offered, in order, if every try ends like this."""
    talk = Search().propose(brief)
    batch = next(talk, None)
    while batch is not None:
        yield from batch
        try:
            batch = talk.send([verdict] * len(batch))
        except StopIteration:
            batch = None


def single(brief: Brief, verdict: Verdict = NOTHING_PASSED) -> Iterator[Patch]:
    """What is offered before two edits go together."""
    return takewhile(lambda patch: "+" not in patch.family, patches(brief, verdict))


def offered(brief: Brief) -> Iterator[str]:
    """The text of the file after each single offer."""
    for patch in single(brief):
        yield brief.source.splice(patch.edits).text.decode()


# --------------------------------------------------------------------- one-edit repairs

FUNCTION = """
def area(a, b, items, text, flag):
    total = 0
    for i in range(len(items)):
        {0}
    return total
"""
TYPES = {
    "a": "int",
    "b": "int",
    "items": "list",
    "text": "str",
    "flag": "bool",
    "total": "int",
    "i": "int",
}
PAIRS = {
    "comparison": [
        ("if a < b: total = a", "if a <= b: total = a"),
        ("if a > b: total = a", "if a < b: total = a"),
        ("if a == b: total = a", "if a != b: total = a"),
        ("while a >= b: a -= 1", "while a > b: a -= 1"),
        ("if a in items: total = a", "if a not in items: total = a"),
        ("if text is None: total = a", "if text is not None: total = a"),
        ("if text == None: total = a", "if text is None: total = a"),
    ],
    "a variable instead": [
        ("total = len(items) + a", "total = b + a"),
        ("total = items[a]", "total = b"),
        ("total = text.count", "total = a"),
    ],
    "arithmetic": [
        ("total = a + b", "total = a - b"),
        ("total = a * b", "total = a // b"),
        ("total = a / b", "total = a // b"),
        ("total = a % b", "total = a // b"),
        ("total = a * b", "total = a ** b"),
        ("total += a", "total -= a"),
        ("total += a", "total *= a"),
        ("total = a", "total += a"),
        ("total = a & b", "total = a | b"),
        ("total = a << b", "total = a >> b"),
    ],
    "boolean": [
        ("if a and b: total = a", "if a or b: total = a"),
        ("flag = True", "flag = False"),
        ("flag = not flag", "flag = flag"),
        ("if True: total = a", "if False: total = a"),
    ],
    "constant": [
        ("total = a + 1", "total = a + 2"),
        ("total = a + 1", "total = a + 0"),
        ("total = a * 10", "total = a * 11"),
        ("total = a * 10", "total = a * 9"),
        ("total = a * 10", "total = a * 100"),
        ("items[1] = a", "items[0] = a"),
        ("items[0] = a", "items[-1] = a"),
    ],
    "variable": [
        ("total = a", "total = b"),
        ("total = items[a]", "total = items[i]"),
        ("total = max(a, a)", "total = max(a, b)"),
        ("if a < total: total = a", "if b < total: total = a"),
        ("total = a - total", "total = a - i"),
        ("total = 0", "total = a"),
        ("total = a", "total = 0"),
        ("items[a] += b", "items[i] += b"),
    ],
    "likes": [
        ("total = min(a, b)", "total = max(a, b)"),
        ("items.append(a)", "items.extend(a)"),
        ("flag = any(items)", "flag = all(items)"),
        ("total = text.find('x')", "total = text.rfind('x')"),
        ("text = text.lower()", "text = text.upper()"),
        ("flag = text.startswith('x')", "flag = text.endswith('x')"),
        ("text = text.lstrip()", "text = text.rstrip()"),
        ("items = text.keys()", "items = text.values()"),
        ("total = int(a)", "total = round(a)"),
    ],
    "order": [
        ("total = a - b", "total = b - a"),
        ("total = a // b", "total = b // a"),
        ("text = text + 'x'", "text = 'x' + text"),
        ("total = pow(a, b)", "total = pow(b, a)"),
        ("total = pow(a, b, i)", "total = pow(i, b, a)"),
        ("total = items[a][b]", "total = items[b][a]"),
        ("items.insert(a, b)", "items.insert(b, a)"),
        ("items = (a, b)", "items = (b, a)"),
        ("flag = a in b", "flag = b in a"),
    ],
    "slice": [
        ("items = items[a:]", "items = items[a + 1:]"),
        ("items = items[a:b]", "items = items[a:b + 1]"),
        ("items = items[a:b]", "items = items[a:]"),
        ("items = items[a:b]", "items = items[:b]"),
        ("items = items[:a]", "items = items[:b]"),
        ("items = items[:]", "items = items[1:]"),
        ("items = items[:]", "items = items[:-1]"),
        ("total = items[a]", "total = items[a + 1]"),
        ("total = items[a]", "total = items[a - 1]"),
        ("items = items[a]", "items = items[a:]"),
        ("items = items", "items = items[1:]"),
        ("items = items", "items = items[:-1]"),
        ("items = items", "items = items[::-1]"),
    ],
    "wrap": [
        ("total = items", "total = len(items)"),
        ("items = items", "items = sorted(items)"),
        ("total = a", "total = abs(a)"),
        ("total = a - b", "total = abs(a - b)"),
        ("total = a - b", "total = max(a - b, 0)"),
        ("text = a", "text = str(a)"),
        ("text = text", "text = text.lower()"),
        ("total = a + text", "total = a + int(text)"),
        ("total = a", "total = a + 1"),
        ("total = a", "total = a - 1"),
        ("total = a", "total = a + b"),
        ("total = a * b", "total = -(a * b)"),
    ],
    "unwrap": [
        ("total = abs(a)", "total = a"),
        ("items = sorted(items)", "items = items"),
        ("items = list(set(items))", "items = list(items)"),
        ("text = text.strip()", "text = text"),
        ("total = a + b", "total = a"),
        ("total = a + b", "total = b"),
        ("total = -a", "total = a"),
        ("if a and flag: total = a", "if a: total = a"),
        ("if not flag: total = a", "if flag: total = a"),
        ("items = items[1:]", "items = items"),
        ("total = round(a, b)", "total = round(a)"),
        ("total = a * b + i", "total = a + i"),
    ],
    "condition": [
        ("if flag: total = a", "if not flag: total = a"),
        ("if a < b: total = a", "if not a < b: total = a"),
        ("while a and b: a -= 1", "while not (a and b): a -= 1"),
        ("total = a if flag else b", "total = a if not flag else b"),
        ("items = [j for j in items if flag]", "items = [j for j in items if not flag]"),
        ("if a < b: total = a", "if a < b and flag: total = a"),
        ("if a < b: total = a", "if flag or a < b: total = a"),
        ("if a or b: total = a", "if (a or b) and flag: total = a"),
        ("if a < b: total = a", "if a < b or i < b: total = a"),
        ("if i % 3 != 0: total = a", "if i % 4 == 0: total = a"),
    ],
    "ingredient": [
        ("total = a // len(items); i = a", "total = a // len(items); i = len(items)"),
        ("total = a", "total = len(items)"),
        ("total = items[-1]", "total = sum(items)"),
        ("flag = items == text", "flag = set(items) == set(text)"),
        ("total = (-a) ** 2 * b", "total = (-a) ** b"),
        ("items = sorted(items)", "items = sorted(items, reverse=True)"),
        ("total = max(items)", "total = max(items, key=len)"),
        ("items = sorted(text, key=lambda n: n)", "items = sorted(text, key=lambda n: -n)"),
        ("items = [a for n in items]", "items = [n for n in items]"),
        ("total = a", "items = a"),
        ("a += 1", "b += 1"),
    ],
}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param(wrong, right, id=f"{kind}: {wrong} -> {right}")
        for kind, pairs in PAIRS.items()
        for wrong, right in pairs
    ],
)
def test_the_repair_of_an_expression_is_among_the_offers(wrong: str, right: str) -> None:
    brief = brief_on(FUNCTION.format(wrong), "area", TYPES)
    assert FUNCTION.format(right) in offered(brief)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param(
            "def f(a):\n    a += 1\n    a *= 2\n    return a\n",
            "def f(a):\n    a += 1\n    return a\n",
            id="a statement too many",
        ),
        pytest.param(
            "def f(a):\n    for x in a:\n        a.pop()\n    return a\n",
            "def f(a):\n    for x in a:\n        pass\n    return a\n",
            id="the only statement of a body",
        ),
        pytest.param(
            "def f(a, b):\n    a = b\n    b = a\n    return b\n",
            "def f(a, b):\n    b = a\n    a = b\n    return b\n",
            id="two statements in the wrong order",
        ),
        pytest.param(
            "def f(a):\n    a += 1\n    a *= 2\n    a -= 3\n    return a\n",
            "def f(a):\n    pass\n    a -= 3\n    return a\n",
            id="two statements too many",
        ),
        pytest.param(
            "def f(a):\n    if a:\n        a += 1\n    return a\n",
            "def f(a):\n    a += 1\n    return a\n",
            id="a condition too many",
        ),
        pytest.param(
            "def f(a):\n    while a:\n        print(a)\n    return a\n",
            "def f(a):\n    while a:\n        print(a)\n        a -= 1\n    return a\n",
            id="a counter that a loop waits for",
        ),
        pytest.param(
            "def f(a):\n    a + 1\n",
            "def f(a):\n    return a + 1\n",
            id="a return that was forgotten",
        ),
        pytest.param(
            "def f(a):\n    b = a + 1\n",
            "def f(a):\n    b = a + 1\n    return b\n",
            id="a result that was never returned",
        ),
        pytest.param(
            "async def f(a):\n    return g(a)\n",
            "async def f(a):\n    return await g(a)\n",
            id="an await that was forgotten",
        ),
        pytest.param(
            "def f(a):\n    return math.floor(a)\n",
            "def f(a):\n    import math\n    return math.floor(a)\n",
            id="an import that was forgotten",
        ),
        pytest.param(
            "def f(a):\n    try:\n        return a[0]\n    except KeyError:\n        return 0\n",
            "def f(a):\n    try:\n        return a[0]\n    except IndexError:\n        return 0\n",
            id="the wrong exception",
        ),
        pytest.param(
            "def f(n, a=[]):\n    a.append(n)\n    return a\n",
            "def f(n, a=None):\n    if a is None:\n        a = []\n    a.append(n)\n    return a\n",
            id="a default that is shared",
        ),
        pytest.param(
            "def f(n):\n    return 1 / n\n",
            "def f(n):\n    if n == 0:\n        return 0\n    return 1 / n\n",
            id="a guard that returns a constant",
        ),
        pytest.param(
            "def f(n):\n    return f(n - 1)\n",
            "def f(n):\n    if n <= 0:\n        return n\n    return f(n - 1)\n",
            id="a guard that returns a variable",
        ),
        pytest.param(
            "def f(a):\n  for n in a:\n    print(1 / n)\n",
            "def f(a):\n  for n in a:\n    if n == 0:\n        continue\n    print(1 / n)\n",
            id="a guard that goes on",
        ),
        pytest.param(
            "def f(a, n):\n    a.append(n)\n    return a\n",
            "def f(a, n):\n    if n > 0:\n        a.append(n)\n    return a\n",
            id="a statement under a condition",
        ),
        pytest.param(
            "def f(a, n):\n    while a < n:\n        print(a)\n    a += 1\n",
            "def f(a, n):\n    while a < n:\n        print(a)\n        a += 1\n    a += 1\n",
            id="a statement once more",
        ),
        pytest.param(
            "def f(low, high):\n    if low < high:\n        return low\n    return high - low\n",
            "def f(low, high):\n    if high < low:\n        return high\n    return low - high\n",
            id="two names confused everywhere",
        ),
        pytest.param(
            "def f(a, b):\n    a += b\n    b += a\n    return a\n",
            "def f(a, b):\n    a -= b\n    b -= a\n    return a\n",
            id="an operator wrong everywhere",
        ),
    ],
)
def test_the_repair_of_a_statement_is_among_the_offers(wrong: str, right: str) -> None:
    types = {"n": "int", "x": "int"}
    assert right in offered(brief_on(wrong, "f", types))


def test_without_types_the_commonest_mistakes_are_still_found() -> None:
    for kind in ("comparison", "arithmetic", "boolean", "constant", "variable", "order"):
        for wrong, right in PAIRS[kind]:
            assert FUNCTION.format(right) in offered(brief_on(FUNCTION.format(wrong), "area"))


@pytest.mark.parametrize(("wrong", "right"), [("break", "continue"), ("continue", "break")])
def test_break_and_continue_stand_for_each_other(wrong: str, right: str) -> None:
    assert FUNCTION.format(right) in offered(brief_on(FUNCTION.format(wrong), "area", TYPES))


# ------------------------------------------------------------------------ what is left alone

UNTOUCHED = """
import math
from collections import deque as queue

@logged
@limited(seconds=3, tries=2)
def f(first: int = 1, *rest: "int", second: dict[str, int] = None) -> list[int]:
    \"\"\"Says 1 + 1.

    >>> f(2)
    \"\"\"
    import os, sys as system
    from math import floor
    global total
    # a comment: first + 1
    found: list[int] = [first]
    total = math.floor(first) + len(rest)
    for number in sorted(rest, key=abs, reverse=True):
        def inner(value: int = 3):
            "Docs of its own."
            return value + 5
        found.append(inner(value=number))  # another comment
    return g(found, named=total, **{"key": first})
"""


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param("import math\nfrom collections import deque as queue", id="imports"),
        pytest.param("import os, sys as system", id="local import"),
        pytest.param("from math import floor", id="local import of a name"),
        pytest.param("@logged", id="decorator"),
        pytest.param("@limited(seconds=3, tries=2)", id="decorator's arguments"),
        pytest.param('"""Says 1 + 1.\n\n    >>> f(2)\n    """', id="docstring"),
        pytest.param("# a comment: first + 1", id="comment"),
        pytest.param("# another comment", id="comment behind code"),
        pytest.param("f(first: int = 1, *rest", id="parameters"),
        pytest.param("int = 1", id="default"),
        pytest.param(": dict[str, int] = None) -> list[int]", id="annotations"),
        pytest.param("global total", id="global"),
        pytest.param("def inner(value: int = 3):", id="header of a function inside"),
        pytest.param('"Docs of its own."', id="docstring of a function inside"),
        pytest.param("return value + 5", id="body of a function inside"),
    ],
)
def test_no_offer_touches(piece: str) -> None:
    """It may move as it is, with the loop around it."""
    assert UNTOUCHED.count(piece) == 1
    start = UNTOUCHED.index(piece)
    end = start + len(piece)
    brief = brief_on(UNTOUCHED, "f", TYPES)
    for patch in patches(brief):
        for edit in patch.edits:
            if edit.start < end and start < edit.end:
                assert edit.start < start < end <= edit.end, patch.note
                assert piece in brief.source.splice(patch.edits).text.decode(), patch.note


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        ("sorted(rest, ", "key"),
        ("key=abs, ", "reverse"),
        ("append(inner(", "value"),
        ("g(found, ", "named"),
        ("found: ", "list[int]"),
        ("found: list[", "int"),
    ],
)
def test_names_of_arguments_and_annotations_are_not_edited(before: str, piece: str) -> None:
    """They go or stay with what they belong to."""
    assert UNTOUCHED.count(before + piece) == 1
    at = UNTOUCHED.index(before + piece) + len(before)
    for patch in patches(brief_on(UNTOUCHED, "f", TYPES)):
        for edit in patch.edits:
            assert not (at <= edit.start and edit.end <= at + len(piece)), patch.note


def test_values_beside_what_is_left_alone_are_edited() -> None:
    """The test above would hold for an engine that offers nothing."""
    edited = {
        UNTOUCHED[edit.start : edit.end]
        for patch in patches(brief_on(UNTOUCHED, "f", TYPES))
        for edit in patch.edits
    }
    assert {"first", "[first]", "number", "total", "found", "abs", "True", '"key"'} <= edited


@pytest.mark.parametrize("name", ["f", "f.inner"])
def test_all_edits_lie_in_the_subfunction_that_is_repaired(name: str) -> None:
    brief = brief_on(UNTOUCHED, name)
    span = brief.subfunction.span
    for patch in patches(brief):
        assert patch.subfunction == f"m.py::{name}"
        for edit in patch.edits:
            assert edit.path == "m.py"
            assert span.start <= edit.start <= edit.end <= span.end + 1  # a line with its end


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    pass\n",
        'def f():\n    """Nothing."""\n',
        "def f(): ...\n",
        "class A:\n    pass\n",
        "",
        "# a comment\n",
        "import os\n",
    ],
)
def test_code_without_values_has_no_offers_that_change_values(text: str) -> None:
    name = text.partition(" ")[2][:1] if text.startswith(("def", "class")) else "<module>"
    for patch in patches(brief_on(text, name)):
        assert all(edit.start == edit.end or "..." in text for edit in patch.edits), patch.note


# -------------------------------------------------------------------------- all offers parse

SAMPLE = """
LIMIT = 10

def mean(values, start=0):
    '''The mean.'''
    total = start
    count = 0
    for value in enumerate(values):
        if value is None or count >= LIMIT and not start:
            continue
        elif value < 0:
            raise ValueError("negative: %d" % value)
        total += value
        count = count + 1
        while count > LIMIT:
            count -= 1
    table = {"mean": total / count, "rest": values[count:-1]}
    try:
        result = round(table["mean"], 2) if count else None
    except ZeroDivisionError as error:
        print(error, total)
        result = [number ** 2 for number in values if number % 2 == 0][0]
    else:
        assert result != LIMIT, "odd"
    finally:
        table.pop("rest")
    with open("log.txt", mode="w") as file:
        file.write(str(result) + ";")
    return sorted(values, key=lambda item: -item) + [min(result, 1)]

class Stack:
    def push(self, item, *rest, **named):
        self.append(item)
        if item in rest and self.full() is not True:
            return self[1:-1], {item: [self]}
        return self

async def fetch(source, depth):
    async for part in source.parts():
        if part not in depth:
            yield part
    return
"""


@pytest.mark.parametrize("name", ["mean", "Stack.push", "fetch"])
def test_every_offer_parses(name: str) -> None:
    brief = brief_on(SAMPLE, name, {"values": "list", "total": "int", "count": "int"})
    count = 0
    for count, patch in enumerate(patches(brief), 1):
        if count < 2000 or count % 10 == 0:
            ast.parse(brief.source.splice(patch.edits).text)
    assert count > 1000


METHODS = """\
class Base:
    def __init__(self):
        self.items = []


class Stack(Base):
    def __init__(self, top):
        self.top = top

    def push(self, item):
        self.items.append(item)
        top = item

    def peek(self):
        return top
"""


@pytest.mark.parametrize(
    ("name", "line", "wanted"),
    [
        ("Stack.__init__", "self.top = top", "super().__init__()\n        self.top = top"),
        ("Stack.push", "top = item", "self.top = item"),
    ],
)
def test_what_a_method_forgot_is_offered(name: str, line: str, wanted: str) -> None:
    text = METHODS.replace("item)\n        top", "item)\n        print(self.top)\n        top")
    brief = brief_on(text, name)
    after = [brief.source.splice(patch.edits).text.decode() for patch in patches(brief)]
    assert text.replace(f"        {line}\n", f"        {wanted}\n", 1) in after


UNPARSABLE = {
    "an attribute that is assigned to": "def f(a, b):\n    a.x = b\n",
    "an attribute that is updated": "def f(a, b):\n    a.x += b\n",
    "a slice that is assigned to": "def f(a, b):\n    a[:], b = b, a\n",
    "an item that is deleted": "def f(a, b):\n    del a[0], b\n",
    "names that are assigned to": "def f(a, b):\n    a, b = b, a\n",
    "names that a loop assigns": "def f(a):\n    for i, j in a:\n        i += j\n",
    "names in a tuple that a loop assigns": "def f(a):\n    for i, (j, k) in a:\n        i += j\n",
    "an annotated assignment": "def f(a):\n    b: int = a\n",
    "statements on one line": "def f(a):\n    a += 1; a += 2\n    return a\n",
    "a statement behind a colon": "def f(a):\n    if a: return 1\n    return 2\n",
    "a keyword between arguments": "def f(a):\n    return g(a, k=1, *a)\n",
    "a keyword behind two arguments": "def f(a, b):\n    return g(a, b, k=1)\n",
    "arguments in a list": "def f(a, b):\n    return g(*a, **b)\n",
    "texts side by side": "def f(a):\n    return 'a' 'b'\n",
    "a text with an escape": "def f(a):\n    return a + '\\n'\n",
    "texts in a text": "def f(a):\n    return f'{a[\"x\"]!r}'\n",
    "an attribute of a number": "def f(a):\n    return a.real\n",
    "a method of an attribute": "def f(a):\n    return a.items.append(1)\n",
    "brackets around lines": "def f(a, b):\n    c = (a\n         + b)\n    return len(c)\n",
}


@pytest.mark.parametrize("text", UNPARSABLE.values(), ids=list(UNPARSABLE))
def test_every_offer_parses_around(text: str) -> None:
    types = {"a": "int", "b": "int"}
    for after in offered(brief_on(text, "f", types)):
        ast.parse(after)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        pytest.param(
            "def f(a, b):\n    return a.x\n",
            "def f(a, b):\n    return a + b.x\n",
            id="`a` becomes `a + b` in an attribute",
        ),
        pytest.param(
            "def f(a):\n    return sum(x for x in a)\n",
            "def f(a):\n    return sumsorted((x for x in a))\n",
            id="a bare generator loses its call",
        ),
        pytest.param(
            "def f(a, b):\n    return a ** b\n",
            "def f(a, b):\n    return a ** 2 ** b\n",
            id="`a` becomes `a ** 2` in a power",
        ),
        pytest.param(
            "async def f(a, b):\n    return await a\n",
            "async def f(a, b):\n    return await a + b\n",
            id="`a` becomes `a + b` behind await",
        ),
        pytest.param(
            'def f(a):\n    b = """x\n    y"""\n    return b\n',
            'def f(a):\n    if a:\n        b = """x\n        y"""\n    return b\n',
            id="a guard indents the lines of a text",
        ),
    ],
)
def test_no_offer_means_something_else_than_its_note(text: str, wrong: str) -> None:
    assert wrong not in offered(brief_on(text, "f", {"b": "int"} if "**" not in text else TYPES))


# ------------------------------------------------------------------------------- house style


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["\t", "    "])
def test_new_lines_end_and_begin_like_those_of_the_file(newline: str, indent: str) -> None:
    text = "def f(a, n):\n\tfor n in a:\n\t\ta.append(n)\n\t\tn = n * 2\n\treturn a\n"
    text = text.replace("\n", newline).replace("\t", indent)
    brief = brief_on(text, "f", {"n": "int", "a": "list"})
    guards = 0
    for after in offered(brief):
        ast.parse(after)
        lines = after.split(newline)
        assert not any("\n" in line or "\r" in line for line in lines)
        for line in lines:
            start = line[: len(line) - len(line.lstrip())]
            assert start == indent * (len(start) // len(indent))
        guards += len(lines) > len(text.split(newline))
    assert guards > 20


def test_offers_fit_the_encoding_of_the_file() -> None:
    data = "# coding: latin-1\ndef f(ä):\n    ö = 'é'\n    return ä + ö\n".encode("latin-1")
    source = SourceFile("m.py", data, LANGUAGE.grammar())
    hierarchy = decompose([source])
    brief = Brief(source, LANGUAGE, hierarchy, hierarchy.subfunctions["m.py::f"], (), ())
    found = {source.splice(patch.edits).data for patch in patches(brief)}
    assert data.replace(b"return \xe4 + \xf6", b"return \xf6 + \xe4") in found
    assert all(after.startswith(b"# coding: latin-1\ndef f(\xe4):\n") for after in found)


# ------------------------------------------------------------------------------ the sequence


def test_two_runs_make_the_same_offers_in_the_same_order() -> None:
    once, twice = (list(patches(brief_on(UNTOUCHED, "f", TYPES))) for _ in range(2))
    assert len(once) > 1000
    assert once == twice


def test_the_hash_seed_does_not_change_the_offers() -> None:
    program = (
        "import hashlib\n"
        "from test_search import FUNCTION, TYPES, brief_on, patches\n"
        "brief = brief_on(FUNCTION.format('items[a] = text[b:] + str(i)'), 'area', TYPES)\n"
        "print(hashlib.sha256(repr(list(patches(brief))).encode()).hexdigest())\n"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parent,
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"},
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(answers) == 1


def test_the_likeliest_come_first_and_none_comes_twice() -> None:
    brief = brief_on(SAMPLE, "mean")
    found = list(islice(patches(brief), 5000))
    costs = [patch.cost for patch in found]
    assert costs == sorted(costs)
    assert len({patch.edits for patch in found}) == len(found)
    for patch in found[:500]:
        assert brief.source.splice(patch.edits).text != brief.source.text, patch.note


def test_patches_say_who_offers_them_where_and_what() -> None:
    brief = brief_on("def f(a, b):\n    return a < b\n", "f", TYPES)
    first = next(p for p in patches(brief) if p.edits[0].text == "<=")
    assert (first.proposer, first.subfunction) == ("search", "m.py::f")
    assert first.note == "m.py:2, f: `<` becomes `<=`"
    assert [(e.path, e.start, e.end) for e in first.edits] == [("m.py", 26, 27)]


def test_what_suspicion_points_at_is_offered_first() -> None:
    text = "def f(a, b):\n    if a < b:\n        return a\n    return b\n"
    brief = brief_on(text, "f", TYPES)
    last = brief.subfunction.blocks[2]
    suspect = Suspect(brief.subfunction.id, last.id, 1.0, "in the case")
    brief = replace(brief, suspects=(suspect,))
    for patch in islice(patches(brief), 10):
        assert brief.source.line_of(patch.edits[0].start) == last.span.first_line


def test_batches_are_small_at_first_so_that_an_easy_bug_is_over_soon() -> None:
    talk = Search().propose(brief_on(SAMPLE, "mean"))
    sizes = [len(next(talk))]
    for _ in range(3):
        sizes.append(len(talk.send([NOTHING_PASSED] * sizes[-1])))
    assert sizes == [FIRST_BATCH, BATCH, BATCH, BATCH]


def test_edits_that_help_alone_are_offered_two_by_two() -> None:
    text = "def f(a, b):\n    return a + b\n"
    alone = list(single(brief_on(text, "f")))
    assert all("; " not in patch.note for patch in alone)
    helped = list(patches(brief_on(text, "f"), Verdict(("one",), ("two",))))
    pairs = helped[len(alone) :]
    assert helped[: len(alone)] == alone
    assert pairs != list(patches(brief_on(text, "f")))[len(alone) :]  # in another order
    assert pairs
    for pair in pairs:
        one, two = pair.note.partition(", f: ")[2].split("; ")
        assert one != two
        assert len(pair.edits) >= 2
        ends = [(edit.start, edit.end) for edit in pair.edits]
        assert all(a[1] <= b[0] for a, b in pairwise(sorted(ends)))


def test_tries_that_did_not_run_are_not_built_on() -> None:
    text = "def f(a, b):\n    return a + b\n"
    alone = list(single(brief_on(text, "f")))
    stopped = Verdict(("one",), (), "does not compile")
    assert list(patches(brief_on(text, "f"), stopped)) == alone


def test_two_likely_edits_go_together_those_on_one_line_first() -> None:
    text = "def f(a, b):\n    a = a + b\n    b = a * b\n    return b\n"
    brief = brief_on(text, "f", {"a": "int", "b": "int"})
    pairs = [p for p in patches(brief) if "+" in p.family]
    texts = [brief.source.splice(pair.edits).text.decode() for pair in pairs]
    for piece in ("a = a - b\n    b = a // b", "a = b - a\n"):
        assert any(piece in text for text in texts)
    lines = [{brief.source.line_of(edit.start) for edit in pair.edits} for pair in pairs[:20]]
    assert sum(len(each) == 1 for each in lines) > 10


# ------------------------------------------------------------------------------- odd inputs


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"def f(a):\n    return {' + '.join(['a'] * 400)}\n", id="a long sum"),
        pytest.param(f"def f(a):\n    return {'(' * 150}a{')' * 150}\n", id="many brackets"),
        pytest.param(f"def f(a):\n    return [{', '.join(map(str, range(2000)))}]\n", id="data"),
        pytest.param(
            "def f(a):\n"
            + "".join(f"{' ' * (i + 1)}if a:\n" for i in range(90))
            + " " * 91
            + "a\n",
            id="many levels",
        ),
        pytest.param("def f(a):\n    return a\n\ndef g(:\n", id="a syntax error behind"),
    ],
)
def test_odd_code_is_taken(text: str) -> None:
    assert len(list(islice(patches(brief_on(text, "f")), 100))) > 10


def test_a_function_becomes_what_the_cases_call_it_everywhere() -> None:
    text = "def equal(s):\n    return s\n\ndef also(s):\n    return equal(s)\n"
    said = "NameError: name 'count_equal' is not defined"
    brief = brief_on(text, "<module>")
    brief = replace(brief, failures=(Failure("case", "count_equal('') == ''", said),))
    assert text.replace("equal", "count_equal") in set(offered(brief))
    assert not any("count_equal" in text for text in offered(replace(brief, failures=())))


def traced_with(text: str, name: str, result: Value | None, raised: Value | None) -> Brief:
    """A brief whose passing case gave a result, and in whose failing case each block raised."""
    brief = brief_on(text, name)
    own = brief.subfunction
    blocks = [b for b in own.blocks]
    visits = tuple(BlockVisit(b.id, 1, n, left=False, raised=raised) for n, b in enumerate(blocks))
    failing = replace(brief.traces[0], visits=visits)
    call = Call(1, own.id, result=result)
    passing = Trace("good", Status.PASSED, {b.id: 1 for b in blocks}, calls=(call,))
    return replace(brief, traces=(failing, passing))


def test_what_raised_is_caught_and_what_others_get_is_returned() -> None:
    text = "def f(path):\n    data = open(path)\n    return data\n"
    brief = traced_with(text, "f", Value("dict", "{}"), Value("FileNotFoundError", "no"))
    early = list(islice(offered(brief), 400))
    caught = text.replace(
        "    data = open(path)\n",
        "    try:\n        data = open(path)\n    except FileNotFoundError:\n        return {}\n",
    )
    assert caught in early
    quiet = traced_with(text, "f", Value("dict", "{}"), None)
    assert not any("except" in one for one in offered(quiet))


def test_a_guard_gives_what_the_function_gives_elsewhere_or_raises_what_a_case_wants() -> None:
    text = "def f(a):\n    b = a\n    return {a: b}\n"
    brief = traced_with(text, "f", Value("dict", "{}"), None)
    early = list(islice(offered(brief), 1500))
    assert any("if a" in one and "        return {}\n" in one for one in early)
    failure = Failure("case", "with pytest.raises(KeyError): f(0)", "DID NOT RAISE")
    wanted = replace(brief, failures=(failure,))
    assert any("raise KeyError\n" in one for one in islice(offered(wanted), 1500))
    assert not any("raise " in one for one in offered(brief))
