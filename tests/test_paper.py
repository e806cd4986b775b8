"""How MGDebugger asks its model, replayed: the order of the calls, what they repeat, their end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mgdebug import bench
from mgdebug.bench import paper
from mgdebug.bench.loopback import Said
from mgdebug.bench.paper import ATTEMPTS, CASES, DEBUG, SPLIT, SYSTEM, TRIES, Bug, order, replaced
from mgdebug.bench.recorded import Recorded
from mgdebug.bench.rows import Row, read
from mgdebug.errors import UsageError
from mgdebug.states import CHARACTERS

BUGGY = "def half(n):\n    return n // 3\n\n\ndef quarter(n):\n    return half(half(n))\n"
RIGHT = "import operator\ndef half(n):\n    return operator.floordiv(n, 2)\n"
RIGHT += "def quarter(n):\n    return half(half(n))\n"
TEST = "def check(quarter):\n    assert quarter(8) == 2\n    assert quarter(4) == 1\n"
ROW: dict[str, Any] = {
    "id": "rows/0",
    "entry_point": "quarter",
    "buggy": BUGGY,
    "test": TEST,
    "judge": [],
    "atol": 0,
}
WRONG = "def quarter(n):\n    return n\n"


class Heard(Recorded):
    """Notes what it is asked."""

    def __init__(self, file: Path, seed: int) -> None:
        super().__init__(file, seed)
        self.prompts: list[str] = []
        self.characters = 0

    def __call__(self, body: Mapping[str, Any], number: int) -> Said:
        said = super().__call__(body, number)
        self.prompts.append(body["messages"][1]["content"])
        self.characters += sum(len(message["content"]) for message in body["messages"])
        return said


def written(folder: Path, replies: Mapping[str, str], row: Mapping[str, Any] = ROW) -> None:
    """A folder of data with one bug.  replies: the only one for each function."""
    lines = [json.dumps({"entry_point": name, "code": code}) for name, code in replies.items()]
    (folder / "recorded-replies.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "humanevalfix.jsonl").write_text(json.dumps(row) + "\n")


def asked(folder: Path, replies: Mapping[str, str]) -> tuple[Bug, Heard]:
    written(folder, replies)
    [row] = read(folder / "humanevalfix.jsonl", "tests")
    model = Heard(folder / "recorded-replies.jsonl", 0)
    bug = Bug(row, model)
    bug.repair()
    return bug, model


def kinds(model: Heard) -> list[str]:
    """Of each prompt the kind and the function."""
    words = {"Rewrite": "split", "Write": "cases", "Find": "debug"}
    found = []
    for prompt in model.prompts:
        name = prompt.split("`")[1]
        found.append(next(f"{kind} {name}" for word, kind in words.items() if word in prompt[:120]))
    return found


def test_a_program_that_was_split_right_is_asked_about_without_debugging(tmp_path: Path) -> None:
    bug, model = asked(tmp_path, {"quarter": RIGHT})
    assert bug.repaired
    assert kinds(model) == ["split quarter", "cases half", "cases quarter"]
    assert bug.calls == 3
    assert model.characters // CHARACTERS - bug.calls <= bug.prompt
    assert bug.prompt <= model.characters // CHARACTERS
    assert all("assert quarter(8) == 2" in prompt for prompt in model.prompts[1:])


def test_a_callee_is_debugged_first_and_the_attempt_ends_with_it(tmp_path: Path) -> None:
    bug, model = asked(tmp_path, {"quarter": "no code", "half": RIGHT})
    assert bug.repaired
    assert kinds(model) == ["split quarter", "cases half", "debug half", "cases quarter"]
    assert "def quarter" in model.prompts[1]
    assert "def quarter" not in model.prompts[2]


def test_each_attempt_starts_from_the_program_as_it_was_and_the_last_one_ends(
    tmp_path: Path,
) -> None:
    bug, model = asked(tmp_path, {"quarter": WRONG})
    assert not bug.repaired
    one = ["split quarter", "cases half", *["debug half"] * TRIES]
    one += ["cases quarter", *["debug quarter"] * TRIES]
    assert kinds(model) == one * ATTEMPTS
    splits = [prompt for prompt in model.prompts if "Rewrite" in prompt]
    assert all(BUGGY in prompt for prompt in splits)


def test_the_report_is_the_same_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGDEBUG_DATA", str(tmp_path))
    written(tmp_path, {"quarter": RIGHT})
    lines = [*bench.run("paper", (), 1.0)]
    assert lines == [*bench.run("paper", ("0",), 1.0)]
    assert all(good for _, good in lines)
    texts = [line for line, _ in lines]
    assert "1 rows, 1 repaired" in texts
    assert "calls of a model: 3, 3.0 a bug" in texts
    assert [*bench.run("paper", ("none",), 1.0)][1][0] == "0 rows, 0 repaired"


def test_cases_that_are_no_assertions_judge_too(tmp_path: Path) -> None:
    loop = "def check(quarter):\n    for n in range(9):\n        assert quarter(4 * n) == n\n"
    written(tmp_path, {"quarter": RIGHT}, {**ROW, "test": loop})
    [row] = read(tmp_path / "humanevalfix.jsonl", "tests")
    assert not row.shown.expressions
    bug = Bug(row, Recorded(tmp_path / "recorded-replies.jsonl", 0))
    bug.repair()
    assert (bug.repaired, bug.calls) == (True, 3)


@pytest.mark.parametrize(("prompt", "words"), [(SPLIT, 130), (CASES, 170), (DEBUG, 120)])
def test_instructions_are_as_long_as_the_papers(prompt: str, words: int) -> None:
    empty = dict.fromkeys(("program", "function", "cases"), "")
    text = f"{SYSTEM} {prompt.format(name='f', count=3, **empty)}"
    own = [word for word in text.split() if not word.startswith("```")]
    assert len(own) == pytest.approx(words, rel=0.05)


def test_what_is_called_comes_first_and_a_circle_ends() -> None:
    assert order("def a(): b(); c()\ndef b(): c()\ndef c(): pass\n") == ["c", "b", "a"]
    assert sorted(order("def a(): b()\ndef b(): a()\n")) == ["a", "b"]
    assert order("def a(:") == []


def test_only_the_function_and_its_imports_are_taken_from_a_reply() -> None:
    after = replaced("import math\nK = 1\ndef f(): pass\n", "f", RIGHT.replace("quarter", "f"))
    assert after.startswith("import operator\nimport math\nK = 1\n")
    assert "def half" not in after
    assert replaced(BUGGY, "half", WRONG) == BUGGY
    assert replaced(BUGGY, "half", "def half(:") == BUGGY


def rows() -> list[Row]:
    try:
        return read(bench.data("humanevalfix.jsonl"), "tests")
    except UsageError:
        return []


@pytest.mark.skipif(
    not rows(), reason="the real bugs are neither in $MGDEBUG_DATA nor ../shared/data"
)
def test_two_real_bugs() -> None:
    names = [row.id for row in rows()[:2]]
    lines = [line for line, _ in paper.run(names, 1.0)]
    assert [line.split()[0] for line in lines[1:3]] == names
    assert lines[3].startswith("2 rows, ")
