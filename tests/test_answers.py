"""Nothing that a worker sends is believed: any JSON is read, none of it is an error of ours."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgdebug.errors import MgdebugError, NoCasesError, ProbeError, UsageError
from mgdebug.model import Block, BlockKind, Span, Status, Verdict
from mgdebug.probe.answer import Answer
from mgdebug.probe.frames import Malformed
from mgdebug.runner.answers import read_hits, read_outcomes, read_run, read_traces, read_verdict

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
NUMBERS = st.integers() | st.floats() | st.just(10**400) | JSON
STATUSES = st.sampled_from(list(Status)) | JSON
SHOTS = st.tuples(JSON, JSON, JSON).map(list) | JSON
VISITS = st.fixed_dictionaries(
    {"block": st.integers(-2, 3) | JSON, "frame": NUMBERS},
    optional={
        "before": st.dictionaries(st.text(max_size=2), SHOTS, max_size=2) | JSON,
        "result": SHOTS,
    },
)
TRACES = st.fixed_dictionaries(
    {
        "hits": st.lists(st.tuples(st.integers(-2, 3) | JSON, NUMBERS).map(list), max_size=3)
        | JSON,
        "visits": st.lists(VISITS | JSON, max_size=3) | JSON,
        "dropped": NUMBERS,
    }
)
OUTCOMES = st.fixed_dictionaries(
    {"case": st.sampled_from("ab") | JSON, "status": STATUSES, "seconds": NUMBERS},
    optional={"processor": NUMBERS, "message": JSON, "detail": JSON, "trace": TRACES | JSON},
)
CASES = st.tuples(st.sampled_from("ab"), st.just("pytest") | JSON, JSON, JSON).map(list)
ANSWERS = st.fixed_dictionaries(
    {"collected": st.lists(CASES | JSON, max_size=3) | JSON},
    optional={
        "outcomes": st.lists(OUTCOMES | JSON, max_size=4) | JSON,
        "troubles": st.lists(st.tuples(JSON, JSON).map(list) | JSON, max_size=2) | JSON,
        "files": st.lists(JSON, max_size=2) | JSON,
        "refused": JSON,
        "ended": JSON,
        "invalid": JSON,
    },
)
BLOCKS = [Block(f"f.py::f#{n}", BlockKind.RUN, Span(0, 1, 1, 1)) for n in range(2)]


@given(ANSWERS)
def test_any_answer_is_read(answer: dict[str, Any]) -> None:
    try:
        run = read_run(answer, str, "")
    except MgdebugError:
        assert not isinstance(answer["collected"], list)
    else:
        assert [o.case for o in run.outcomes] == [c.id for c in run.cases]
    verdict = read_verdict(answer)
    assert not set(verdict.passed) & set(verdict.failed)
    for trace in read_traces(answer, BLOCKS):
        assert set(trace.hits) <= {b.id for b in BLOCKS}
        assert {v.block for v in trace.visits} <= {b.id for b in BLOCKS}
    read_hits(answer.get("ended"), BLOCKS)


def outcome(case: str, status: str, **more: Any) -> dict[str, Any]:
    return {"case": case, "status": status, "seconds": 1.0, "processor": 1.0, **more}


def collected(*cases: str) -> list[list[str]]:
    return [[case, "pytest", "/f.py", ""] for case in cases]


@pytest.mark.parametrize("second", ["passed", "failed", "skipped"])
def test_a_doubled_answer_is_a_failure(second: str) -> None:
    answer = {"outcomes": [outcome("a", "passed"), outcome("a", second), outcome("b", "passed")]}
    assert [(o.case, o.status) for o in read_outcomes(answer)] == [
        ("a", Status.CRASHED),
        ("b", Status.PASSED),
    ]
    assert read_verdict({**answer, "ended": "done"}) == Verdict(("b",), ("a",), "", 1.0)


def test_a_missing_answer_is_no_pass() -> None:
    answer = {"collected": collected("a", "b"), "outcomes": [outcome("b", "passed")]}
    run = read_run(answer, str, "")
    assert [(o.case, o.status) for o in run.outcomes] == [
        ("a", Status.NOT_RUN),
        ("b", Status.PASSED),
    ]


def test_an_answer_for_a_case_that_nobody_collected_is_none() -> None:
    answer = {"collected": collected("a"), "outcomes": [outcome("z", "passed")]}
    assert [(o.case, o.status) for o in read_run(answer, str, "").outcomes] == [
        ("a", Status.NOT_RUN)
    ]


def test_a_status_that_does_not_exist_is_no_answer() -> None:
    answer = {"outcomes": [outcome("a", "superb"), outcome("b", "Passed"), outcome("c", "failed")]}
    assert [o.case for o in read_outcomes(answer)] == ["c"]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "1" + "0" * 400, '"1"', "null", "[]"])
def test_numbers_beyond_sense_are_nought(number: str) -> None:
    raw = json.loads(f'{{"case": "a", "status": "passed", "seconds": {number}}}')
    [found] = read_outcomes({"outcomes": [raw]})
    assert (found.seconds, found.status) == (0.0, Status.PASSED)


@pytest.mark.parametrize(
    ("refused", "said", "kind", "message"),
    [
        ("code 4", "x\nERROR: not found: t.py::f\n(no match)\n", UsageError, "not found: t.py::f"),
        ("code 4", "ImportError while loading conftest '/c.py'.\nE  x", UsageError, "conftest '/c"),
        ("code 4", "", UsageError, "refuses to start"),
        ("code 5", "nothing", NoCasesError, "no tests"),
        ("code 3", "INTERNALERROR", ProbeError, "code 3"),
        ("", "", ProbeError, "time limit"),
    ],
)
def test_a_refusal_is_told_with_what_was_said(
    refused: str, said: str, kind: type[MgdebugError], message: str
) -> None:
    with pytest.raises(kind) as caught:
        read_run({"refused": refused, "ended": "time limit"}, str, said)
    assert message in caught.value.message
    assert caught.value.detail == said.strip()


# ------------------------------------------------------------------ what a fork tells its worker


def end(case: object, **more: object) -> dict[str, Any]:
    return {"end": case, "status": "passed", "seconds": 0.1, "processor": 0.1, **more}


@pytest.mark.parametrize(
    "messages",
    [
        [end("a")],
        [{"begin": "a"}, end("b")],
        [{"begin": "a"}, end("a"), end("a")],
        [{"begin": "a"}, end(["a"])],
        [{"begin": "a"}, end("a", seconds=None)],
        [{"begin": "a"}, end("a", processor="much")],
        [{"begin": "a"}, {"end": "a"}],
        [{"collected": 1, "troubles": [], "files": [], "imported": []}],
        [{"collected": []}],
        [{"done": True}],
        [{"done": True, "files": [[]]}],
        [
            {"collected": [], "troubles": [], "files": [], "imported": []},
            {"refused": "pytest ended with exit code 5"},
        ],
    ],
    ids=repr,
)
def test_what_no_fork_would_say_is_malformed(messages: list[dict[str, Any]]) -> None:
    answer = Answer(1)
    for message in messages[:-1]:
        assert not answer.take(message)
    known = list(answer.outcomes)
    with pytest.raises(Malformed):
        answer.take(messages[-1])
    assert answer.outcomes == known


@given(st.dictionaries(st.sampled_from(["begin", "end", "collected", "done", "fresh"]), JSON))
def test_any_message_of_a_fork_is_taken_or_malformed(message: dict[str, Any]) -> None:
    answer = Answer(1)
    with contextlib.suppress(Malformed):
        answer.take(message)
    assert answer.outcomes == []


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        ("time limit of 1.0 s", "timeout"),
        ("time limit (processor)", "timeout"),
        ("signal SIGKILL", "crashed"),
        ("exit 0", "crashed"),
        ("done", "crashed"),
        ("a malformed answer", "crashed"),
    ],
)
def test_a_fork_that_ends_within_a_case_fails_it(ended: str, status: str) -> None:
    answer = Answer(1)
    answer.take({"begin": "a"})
    answer.close_case(ended)
    answer.close_case(ended)
    assert [(o["case"], o["status"], o["message"]) for o in answer.outcomes] == [
        ("a", status, ended)
    ]
