"""Generated calls, what patches do with them, and the questions that come of it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgdebug import judge
from mgdebug.cli.answers import with_test
from mgdebug.events import Answered, Asked, Collected, Finished, Reply, Warned
from mgdebug.judge.inputs import calls, neighbours
from mgdebug.judge.questions import case_of
from mgdebug.languages import language_of
from mgdebug.model import Choice, Edit, Limits, Patch, Question, Stop, Target, Value
from mgdebug.proposers import proposer
from mgdebug.repair import repair
from mgdebug.runner import Plan, Runner
from mgdebug.runner.observe import Given, Seen
from mgdebug.settings import Settings
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

SOURCE = """\
def largest(items):
    best = 0
    for item in items:
        if item < best:
            best = item
    return best


def spin(n):
    while n:
        n = n
    return n
"""
CASES = ("largest([1, 3, 2]) == 3", "largest([5]) == 5", "spin(0) == 0")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    (tmp_path / "m.py").write_text(SOURCE)
    target = Target(tmp_path, tmp_path, "m.py", expressions=CASES)
    with Runner(target, sys.executable, Limits(), 2) as runner:
        yield runner


@pytest.fixture
def bench(runner: Runner, tmp_path: Path) -> judge.Bench:
    language = language_of("m.py")
    assert language is not None
    source = SourceFile.read(tmp_path, "m.py", language.grammar())
    hierarchy = decompose([source])
    outcomes = runner.run().outcomes
    cases = [o.case for o in outcomes]
    traces, _, _ = runner.trace(hierarchy, cases, cases, known=outcomes)
    return judge.Bench({"m.py": source}, hierarchy, tuple(traces), Plan.of(outcomes))


def patch(old: str, new: str, cost: float = 1.0) -> Patch:
    start = SOURCE.index(old)
    edit = Edit("m.py", start, start + len(old), new)
    return Patch((edit,), "test", f"{old} becomes {new}", "m.py::largest", cost)


def test_the_calls_of_the_cases_come_first_and_near_ones_follow(bench: judge.Bench) -> None:
    found = calls(bench.files["m.py"], bench.hierarchy, bench.traces, 0)
    texts = [call.text for call in found]
    assert texts[:2] == ["largest([1, 3, 2])", "largest([5])"]
    assert "largest([])" in texts
    assert "spin(1)" in texts
    assert texts == [c.text for c in calls(bench.files["m.py"], bench.hierarchy, bench.traces, 0)]


@pytest.mark.parametrize("value", [3, 2.5, "ab", [1, 2], (1, "a"), {"a": 1}, {1, 2}, True])
def test_neighbours_are_of_the_same_type(value: object) -> None:
    found = list(neighbours(value))
    assert found
    assert {type(near) for near in found} == {type(value)}


def test_patches_that_the_cases_cannot_tell_apart_are_told_apart(
    bench: judge.Bench, runner: Runner
) -> None:
    patches = [
        patch("item < best", "item > best", 1),
        patch("item < best", "best < item", 2),
        patch("item < best", "item >= best or not best", 3),
    ]
    known = judge.observed(bench, patches, runner, 30)
    groups = judge.group(bench, patches, runner, 30, known=known)
    assert [[p.cost for p in group.patches] for group in groups] == [[1, 2], [3]]
    asked = judge.question(groups, known)
    assert asked is not None
    assert asked.call.startswith("largest([-")
    assert [choice.alternatives for choice in asked.choices] == [(0,), (1,)]


def test_an_endless_call_ends_and_the_others_are_seen(bench: judge.Bench, runner: Runner) -> None:
    known = judge.observed(bench, [patch("item < best", "item > best")], runner, 30)
    seen = {call.text: one for call, one in zip(known.calls, known.before, strict=True)}
    assert seen["spin(1)"] is None
    ended = seen["largest([5])"]
    assert ended is not None
    assert ended.text == "0"


def test_answers_narrow_the_alternatives(bench: judge.Bench, runner: Runner) -> None:
    patches = [patch("item < best", "item > best"), patch("best = 0", "best = items[0]", 2)]
    known = judge.observed(bench, patches, runner, 30)
    groups = judge.group(bench, patches, runner, 30, known=known)
    asked = judge.question(groups, known)
    assert asked is not None
    case, left = judge.answered(asked, Reply(1), groups)
    assert left == groups[1:]
    assert judge.answered(asked, Reply(value=asked.choices[0].text), groups)[1] == groups[:1]
    assert judge.answered(asked, Reply(value="'nobody'"), groups)[1] == ()
    values = ", ".join(choice.text for choice in asked.choices)
    assert judge.answered(asked, Reply(), groups) == (f"{asked.call} not in [{values}]", ())
    assert not case or case.startswith(f"{asked.call} == ")


@pytest.mark.long
def test_an_answer_that_no_patch_gives_is_a_case_of_another_search(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def least(a, b):\n    return a if a > b else b\n")
    (tmp_path / "test_m.py").write_text(
        "from m import least\n\ndef test_least():\n    assert least(1, 2) == 1\n"
    )
    target = Target(tmp_path, tmp_path, "", tests=("test_m.py",))
    stream = repair(target, [proposer("search")], Settings(time=20.0), sys.executable)
    collected: list[list[str]] = []
    warned: list[str] = []
    done: Finished | None = None
    reply: Reply | None = None
    while done is None:
        event = stream.send(reply)
        reply = None
        if isinstance(event, Asked) and not warned:
            values = [ast.literal_eval(c.text) for c in event.question.choices]
            wanted = max(v for v in values if isinstance(v, int)) + 1000
            reply = Reply(value=str(wanted))
            call = event.question.call
        elif isinstance(event, Collected):
            collected.append([case.source or case.id for case in event.cases])
        elif isinstance(event, Warned):
            warned.append(event.message)
        elif isinstance(event, Finished):
            done = event
    assert any("searching on with it" in message for message in warned)
    assert collected == [
        ["test_m.py::test_least"],
        ["test_m.py::test_least", f"{call} == {wanted}"],
    ]
    assert len(done.repair.before.failed) == 2
    assert (tmp_path / "m.py").read_text().endswith("return a if a > b else b\n")


def test_a_repair_asks_and_follows_the_answer(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def least(a, b):\n    return a if a > b else b\n")
    target = Target(tmp_path, tmp_path, "m.py", expressions=("least(1, 2) == 1",))
    settings = Settings(time=20.0, doctests=False)
    stream = repair(target, [proposer("search")], settings, sys.executable)
    asked: Asked | None = None
    left: Answered | None = None
    done: Finished | None = None
    reply: Reply | None = None
    while done is None:
        event = stream.send(reply)
        reply = None
        if isinstance(event, Asked) and asked is None:
            asked, reply = event, Reply(len(event.question.choices) - 1)
        elif isinstance(event, Answered):
            left = event
        elif isinstance(event, Finished):
            done = event
    assert asked is not None
    assert left is not None
    wanted = asked.question.choices[-1].alternatives
    assert left.alternatives == tuple(asked.alternatives[n] for n in wanted)
    assert done.repair.stop is Stop.FIXED
    assert done.repair.best is not None
    assert done.repair.best.patches == left.alternatives[0].patches


def test_an_answer_becomes_a_test() -> None:
    asked = Question("src/pkg/m.py", "largest([])", ())
    text = with_test("def test_largest_1():\n    pass\n", asked, "largest([]) == 0")
    assert text.endswith(
        "\n\n\ndef test_largest_2():\n"
        "    from pkg.m import largest\n\n"
        "    assert largest([]) == 0\n"
    )
    again = with_test("from pkg.m import largest\n", asked, "largest([]) == 0")
    assert again.endswith("\n\n\ndef test_largest_1():\n    assert largest([]) == 0\n")


@pytest.mark.parametrize(
    "text", ["raises KeyError", "leaves [1]", "<Node val=1>", "gives [1]", "nan"]
)
def test_what_is_no_literal_becomes_no_case(text: str) -> None:
    assert case_of("f(1)", text) == ""
    asked = Question("m.py", "f(1)", (Choice(text, (0,)), Choice("2", (1,))))
    assert judge.answered(asked, Reply(), ()) == ("f(1) not in [2]", ())


def test_what_an_iterator_gives_is_not_a_list(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def up(n):\n    yield from range(n + 1)\n")
    target = Target(tmp_path, tmp_path, "m.py", expressions=("list(up(2)) == [0, 1]",))
    with Runner(target, sys.executable, Limits(), 1, doctests=False) as one:
        one.run()
        [[seen]] = one.observe("m.py", [Given("up", ("2",))], [{}])  # type: ignore[misc]
    assert seen is not None
    assert seen.text == "gives [0, 1, 2]"


def test_texts_that_look_like_numbers_differ_by_each_digit() -> None:
    def key(text: str, kind: str = "str") -> object:
        return Seen(Value(kind, text), False).key

    assert key("'1.10'") != key("'1.1'")
    assert key("['2.0', 0.1]", "list") == key("['2.0', 0.10000000000000001]", "list")
    assert key("0.30000000000000004", "float") == key("0.3", "float")
    assert key("['2.00']", "list") != key("['2.0']", "list")


def test_nothing_is_written_beside_the_project(tmp_path: Path) -> None:
    """hypothesis, which draws calls, keeps things in the folder that it is run in."""
    (tmp_path / "m.py").write_text("def least(a, b):\n    return a if a > b else b\n")
    command = [str(Path(sys.executable).with_name("mgdebug")), "fix", "m.py", "--diff"]
    subprocess.run(
        [*command, "--case", "least(1, 2) == 1"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["m.py"]
