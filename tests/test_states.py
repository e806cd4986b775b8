"""A run as text for a model, within its budget, and as data."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import Run, value

from mgdebug.model import Status, Trace, Value
from mgdebug.states import CHARACTERS, as_data, as_text, called, ended, error, shown, telling


def small() -> Run:
    run = Run().call(1, "largest", arguments={"values": [1, 2]}, result=1)
    run.visit(2, {"values": [1, 2]}, {"best": 1})
    run.visit(4, {"value": 2, "best": 1}, result=value(False), iteration=2)
    return run.visit(6, {"best": 1}, result=value(1))


def test_code_then_the_states_before_and_after() -> None:
    run = small()
    assert as_text(run.trace(), run.hierarchy, run.sources, 1000) == (
        "test_m.py::test: failed\n"
        "call largest(values=[1, 2])\n"
        "-- m.py largest line 2\n"
        "    best = values[0]\n"
        "before: values = [1, 2]\n"
        "after: best = 1\n"
        "-- line 4, iteration 2\n"
        "    if value > best:\n"
        "before: value = 2, best = 1\n"
        "result: False\n"
        "-- line 6\n"
        "    return best\n"
        "before: best = 1\n"
        "result: 1\n"
        "largest returned 1\n"
    )


def test_the_parting_is_marked_and_explained() -> None:
    run = small()
    text = as_text(run.trace(), run.hierarchy, run.sources, 1000, 1, "there it is True")
    marked = [line for line in text.splitlines() if "<<<" in line]
    assert marked == ["-- line 4, iteration 2 <<< the runs part here"]
    assert "(there it is True)" in text


def test_what_raises_and_what_does_not_end_is_said() -> None:
    run = Run().call(1, "largest", raised=KeyError("k"))
    trace = run.visit(2).visit(6, raised=Value("KeyError", "<KeyError ('k',)>")).trace()
    text = as_text(trace, run.hierarchy, run.sources, 1000)
    assert "raised: <KeyError ('k',)>" in text
    assert "largest raised KeyError('k')" in text


def long_run(count: int = 400) -> tuple[Run, Trace]:
    run = Run().visit(2, after={"best": 0})
    for number in range(count):
        run.visit(4, {"value": number, "best": 0}, result=value(True), iteration=number + 1)
    return run, run.visit(6, result=value(7)).trace()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3000), st.one_of(st.none(), st.integers(0, 401)))
def test_never_longer_than_the_budget(tokens: int, parting: int | None) -> None:
    run, trace = long_run()
    text = as_text(trace, run.hierarchy, run.sources, tokens, parting)
    assert len(text) <= tokens * CHARACTERS
    if tokens >= 100:
        kept = text.count("-- ")
        left_out = sum(map(int, re.findall(r"\.\.\. (\d+) visits? left out", text)))
        assert kept + left_out == len(trace.visits)


@pytest.mark.parametrize("parting", [0, 1, 200, 400, 401])
def test_the_parting_the_head_and_the_tail_are_kept(parting: int) -> None:
    run, trace = long_run()
    text = as_text(trace, run.hierarchy, run.sources, 400, parting)
    assert "the runs part here" in text
    assert "    best = values[0]\n" in text
    assert "    return best\n" in text
    visit = trace.visits[parting]
    if visit.iteration:
        assert f"iteration {visit.iteration} <<<" in text


def test_what_is_around_the_parting_is_kept_before_what_is_far() -> None:
    run, trace = long_run()
    text = as_text(trace, run.hierarchy, run.sources, 500, 200)
    for iteration in (198, 199, 200, 201, 202):
        assert f"iteration {iteration}" in text
    assert "iteration 100" not in text


def test_a_parting_that_is_too_large_is_cut_but_there() -> None:
    run = Run().visit(2, {f"name_{n}": "x" * 200 for n in range(50)})
    text = as_text(run.trace(), run.hierarchy, run.sources, 120, 0)
    assert "the runs part here" in text
    assert "... cut" in text
    assert len(text) <= 480


def test_visits_that_were_not_kept_are_counted() -> None:
    run = Run().lines(2, 4, 4).unseen(4, 936).lines(4).unseen(5, 3)
    text = as_text(run.trace(), run.hierarchy, run.sources, 1000)
    assert "... 936 visits not kept\n" in text
    assert text.endswith("... 3 more visits not kept\n")


def test_a_run_without_visits() -> None:
    run = Run()
    assert as_text(run.trace(), run.hierarchy, run.sources, 100) == "test_m.py::test: failed\n"


def test_names_of_code_are_no_data() -> None:
    of = {"f": Value("function", "<function f>"), "n": value(1), "C": Value("type", "<class C>")}
    assert telling(of) == {"n": value(1)}


def test_a_cut_value_tells_its_size() -> None:
    long = Value("list", "[" + "1, " * 200 + "]", size=200)
    text = shown(long, 60)
    assert len(text) == 60
    assert text.endswith("... (200 in all)")
    assert shown(value(5), 3) == "5"


def test_nothing_that_a_terminal_would_obey() -> None:
    assert shown(Value("Odd", "a\x1b[31m\n\u202eb")) == "a\\x1b[31m\\n\\u202eb"


def test_calls_and_how_they_ended() -> None:
    run = Run().call(1, "f", arguments={"n": 3}, result=4).call(2, "g", raised=KeyError("k"))
    one, two = run.calls
    assert called(one) == "f(n=3)"
    assert list(ended(one)) == ["f returned 4"]
    assert list(ended(two)) == ["g raised KeyError('k')"]
    assert error(Value("Odd", "('k',)")) == "Odd: ('k',)"


def test_data_is_json_with_the_place_of_each_visit() -> None:
    run = small()
    data = json.loads(json.dumps(as_data(run.trace(Status.FAILED), run.hierarchy, "no")))
    assert (data["case"], data["status"], data["message"]) == ("test_m.py::test", "failed", "no")
    visit = data["visits"][1]
    assert (visit["path"], visit["lines"], visit["kind"]) == ("m.py", [4, 4], "condition")
    assert visit["subfunction"] == "m.py::largest"
    assert visit["before"]["value"]["text"] == "2"
    assert visit["result"]["text"] == "False"
    assert data["calls"][0]["arguments"]["values"]["text"] == "[1, 2]"


def test_data_of_a_block_that_is_not_there() -> None:
    run = small()
    gone = Run(code="x = 1\n")
    data = as_data(run.trace(), gone.hierarchy)
    assert "lines" not in data["visits"][0]
    assert as_text(run.trace(), gone.hierarchy, {}, 500).count("-- m.py largest") == 3
