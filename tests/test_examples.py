"""What docstrings say that calls give, and what it counts for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mgdebug.events import Finished
from mgdebug.judge.examples import examples
from mgdebug.languages.python import Python
from mgdebug.model import Target, Value
from mgdebug.proposers import proposer
from mgdebug.repair import repair
from mgdebug.runner.observe import Seen
from mgdebug.settings import Settings
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile


def told(docstring: str) -> list[tuple[str, str]]:
    text = f'def f(x, y=0):\n    """{docstring}"""\n    return x\n'
    source = SourceFile("m.py", text.encode(), Python().grammar())
    return [(e.call.text, e.value) for e in examples(source, decompose([source]))]


@pytest.mark.parametrize(
    ("docstring", "wanted"),
    [
        ("f(3) == 4", [("f(3)", "4")]),
        ("f(3) -> 4, f(-1, 2) => [1, 2]", [("f(3)", "4"), ("f(-1, 2)", "[1, 2]")]),
        ("f('a)b') ➞ 'x'", [("f('a)b')", "'x'")]),
        ("f(3) returns -4.5.", [("f(3)", "-4.5")]),
        ("f([]) should return None", [("f([])", "None")]),
        ("f(1) => true\n    f(2) => false", [("f(1)", "True"), ("f(2)", "False")]),
        (">>> f(3)\n    {'a': [1]}\n", [("f(3)", "{'a': [1]}")]),
        ("For f(7) = 8 # one more\n    f(7) == 9", [("f(7)", "8")]),  # the first counts
        ("f(n) = f(n - 1) + 2", []),
        ("calls g(3) == 4 and x.f(3) == 4", []),
        ("f(3) is what it says", []),
        ("f(3", []),
        ("f(x=3) == 4", []),
        ("f(3) == four", []),
    ],
)
def test_examples_are_read_as_people_write_them(
    docstring: str, wanted: list[tuple[str, str]]
) -> None:
    assert told(docstring) == wanted


def test_what_a_call_gave_is_compared_as_a_value() -> None:
    text = "def f(x):\n    \"\"\"f(1) == 0.3, f(2) == {'b': 1, 'a': 2}, f(3) == 'a'\"\"\"\n"
    source = SourceFile("m.py", text.encode(), Python().grammar())
    one, two, three = examples(source, decompose([source]))
    assert one.agrees(Seen(Value("float", "0.30000000000000004"), False))
    assert not one.agrees(Seen(Value("float", "0.31"), False))
    assert two.agrees(Seen(Value("dict", "{'a': 2, 'b': 1}"), False))
    assert not three.agrees(Seen(Value("ValueError", "'a'"), True))
    assert not three.agrees(Seen(Value("str", "'a'", True), False))
    assert not three.agrees(Seen(Value("Odd", "<Odd>"), False))


def test_of_patches_that_pass_the_one_that_the_docstring_wants_comes_first(tmp_path: Path) -> None:
    """Alone, the case is content with a < for the >, which is the likelier slip."""
    text = '''
        def least(a, b):
            """The smaller one.

            least(3, 3) == 3
            least(9, 4) -> 4
            """
            return a if a {0} b else b + {1}
    '''
    wrong = "\n".join(line[8:] for line in text.splitlines()[1:])
    (tmp_path / "m.py").write_text(wrong.format(">", "0"))
    target = Target(tmp_path, tmp_path, "m.py", expressions=("least(1, 2) == 1",))
    settings = Settings(time=20.0, doctests=False)
    events = list(repair(target, [proposer("search")], settings, sys.executable))
    [done] = [event.repair for event in events if isinstance(event, Finished)]
    assert done.best is not None
    assert any("in 2 of 2 examples" in reason for reason in done.best.reasons)
    contradicting = [a for a in done.alternatives if any("in 1 of 2" in r for r in a.reasons)]
    assert contradicting
    assert done.alternatives[0] not in contradicting


@pytest.mark.parametrize(
    "docstring",
    [
        "f({1}) -> {{}, {1}}",  # no such value: sets hold no dictionaries
        "f(3) == 3 * f(2)",
        "f(3) = 1 + 2 + 3 = 6",
        "f('a') == 'a' + x",
    ],
)
def test_what_is_no_literal_is_no_example(docstring: str) -> None:
    assert told(docstring) == []
