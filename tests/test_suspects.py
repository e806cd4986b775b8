"""Suspicion from coverage alone."""

from __future__ import annotations

import math

import pytest

from mgdebug.languages.python import Python
from mgdebug.model import Call, Hierarchy, Outcome, Status, Trace, Value
from mgdebug.runner import Plan
from mgdebug.suspects import EXONERATED, direct, exonerated, rank
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

TEXT = b"""
def f(x):
    if x:
        return 1
    return 2

def g(x):
    for y in x:
        f(y)
    return x
"""
ENTRY, THEN, ELSE = "m.py::f#0", "m.py::f#1", "m.py::f#2"
LOOP, BODY, LAST = "m.py::g#0", "m.py::g#1", "m.py::g#2"


@pytest.fixture(scope="module")
def hierarchy() -> Hierarchy:
    return decompose([SourceFile("m.py", TEXT, Python().grammar())])


def trace(case: str, status: Status, *blocks: str) -> Trace:
    return Trace(case, status, dict.fromkeys(blocks, 3))


def test_scores_are_ochiais(hierarchy: Hierarchy) -> None:
    traces = [
        trace("a", Status.FAILED, ENTRY, THEN),
        trace("b", Status.CRASHED, ENTRY, ELSE),
        trace("c", Status.PASSED, ENTRY, ELSE),
        trace("d", Status.PASSED, ENTRY, ELSE),
        trace("e", Status.SKIPPED, LOOP),
    ]
    scores = {suspect.block: suspect.score for suspect in rank(hierarchy, traces)}
    assert scores == {
        ENTRY: pytest.approx(2 / math.sqrt(2 * 4), abs=1e-4),
        THEN: pytest.approx(1 / math.sqrt(2 * 1), abs=1e-4),
        ELSE: pytest.approx(1 / math.sqrt(2 * 3), abs=1e-4),
    }


def test_what_only_failing_cases_reach_comes_first_and_says_why(hierarchy: Hierarchy) -> None:
    traces = [
        trace("a", Status.TIMEOUT, ENTRY, THEN),
        trace("b", Status.PASSED, ENTRY, ELSE),
    ]
    first, second = rank(hierarchy, traces)
    assert (first.block, first.subfunction, first.score) == (THEN, "m.py::f", 1.0)
    assert first.why == "in 1 of 1 failing, 0 of 1 passing cases"
    assert second.block == ENTRY
    assert second.why == "in 1 of 1 failing, 1 of 1 passing cases"


def test_how_often_a_case_visits_a_block_does_not_matter(hierarchy: Hierarchy) -> None:
    often = [Trace("a", Status.FAILED, {ENTRY: 999, THEN: 1}), trace("b", Status.PASSED, ENTRY)]
    once = [Trace("a", Status.FAILED, {ENTRY: 1, THEN: 1}), trace("b", Status.PASSED, ENTRY)]
    assert rank(hierarchy, often) == rank(hierarchy, once)


def test_of_equals_the_later_block_is_first(hierarchy: Hierarchy) -> None:
    found = rank(hierarchy, [trace("a", Status.FAILED, ENTRY, ELSE, THEN)])
    assert [suspect.block for suspect in found] == [ELSE, THEN, ENTRY]


def test_the_order_of_the_traces_does_not_matter(hierarchy: Hierarchy) -> None:
    traces = [
        trace("a", Status.FAILED, ENTRY, THEN, LOOP),
        trace("b", Status.PASSED, ENTRY, LOOP, BODY),
        trace("c", Status.FAILED, LOOP, LAST),
    ]
    assert rank(hierarchy, traces) == rank(hierarchy, reversed(traces))


def test_what_runs_on_import_is_reached_by_every_case(hierarchy: Hierarchy) -> None:
    traces = [trace("a", Status.FAILED, THEN), trace("b", Status.PASSED)]
    found = rank(hierarchy, traces, imported={"m.py::<module>#0"})
    assert [(s.block, s.why) for s in found] == [
        (THEN, "in 1 of 1 failing, 0 of 1 passing cases"),
        ("m.py::<module>#0", "in 1 of 1 failing, 1 of 1 passing cases"),
    ]


def test_of_equals_what_the_cases_ran_comes_before_what_import_ran(hierarchy: Hierarchy) -> None:
    found = rank(hierarchy, [trace("a", Status.FAILED, ENTRY)], imported=["m.py::<module>#0"])
    assert [suspect.block for suspect in found] == [ENTRY, "m.py::<module>#0"]
    assert found[0].score == found[1].score == 1.0


@pytest.mark.parametrize("statuses", [(), (Status.PASSED,), (Status.PASSED, Status.SKIPPED)])
def test_without_a_failure_nobody_is_suspect(
    hierarchy: Hierarchy, statuses: tuple[Status, ...]
) -> None:
    traces = [trace(str(i), status, ENTRY) for i, status in enumerate(statuses)]
    assert rank(hierarchy, traces, imported={ENTRY}) == ()


def test_blocks_that_are_not_in_the_hierarchy_are_left_out(hierarchy: Hierarchy) -> None:
    assert rank(hierarchy, [trace("a", Status.FAILED, "other.py::f#0")]) == ()


def called(case: str, status: Status, *pairs: tuple[str, str], dropped: int = 0) -> Trace:
    """A case that called f with arguments and results."""
    calls = tuple(
        Call(n, "m.py::f", 0, -1, {"x": Value("int", given)}, Value("int", result))
        for n, (given, result) in enumerate(pairs, 1)
    )
    return Trace(case, status, {ENTRY: len(pairs)}, dropped=dropped, calls=calls)


def test_what_gave_the_same_in_passing_cases_is_exonerated(hierarchy: Hierarchy) -> None:
    good = called("good", Status.PASSED, ("1", "1"), ("0", "2"))
    bad = called("bad", Status.FAILED, ("1", "1"))
    assert exonerated([good, bad]) == {"m.py::f"}
    [suspect] = rank(hierarchy, [good, bad])
    assert suspect.score == pytest.approx(EXONERATED * 1 / math.sqrt(2), abs=1e-4)
    assert suspect.why.endswith("with the same calls and results")


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(called("bad", Status.FAILED, ("1", "7")), id="another result"),
        pytest.param(called("bad", Status.FAILED, ("5", "1")), id="another argument"),
        pytest.param(called("bad", Status.FAILED, ("1", "1"), dropped=3), id="not all kept"),
        pytest.param(Trace("bad", Status.FAILED, {ENTRY: 1}), id="no calls kept"),
        pytest.param(
            Trace(
                "bad",
                Status.FAILED,
                {ENTRY: 1},
                calls=(Call(1, "m.py::f", arguments={"x": Value("int", "1")}),),
            ),
            id="it did not return",
        ),
        pytest.param(
            Trace(
                "bad",
                Status.FAILED,
                {ENTRY: 1},
                calls=(
                    Call(
                        1,
                        "m.py::f",
                        arguments={"x": Value("int", "1", True)},
                        result=Value("int", "1"),
                    ),
                ),
            ),
            id="an argument that is cut",
        ),
    ],
)
def test_nothing_else_exonerates(bad: Trace) -> None:
    assert exonerated([called("good", Status.PASSED, ("1", "1"), ("0", "2")), bad]) == set()


def test_cases_that_call_a_subfunction_themselves_come_first() -> None:
    outcomes = [
        Outcome("far", Status.FAILED, 0.01),
        Outcome("slow", Status.FAILED, 3.0),
        Outcome("near", Status.FAILED, 0.01),
        Outcome("good", Status.PASSED, 0.01),
    ]
    through = Call(2, "m.py::f", caller=1)
    traces = [
        Trace("far", Status.FAILED, {}, calls=(Call(1, "m.py::g"), through)),
        Trace("slow", Status.FAILED, {}, calls=(Call(1, "m.py::f"),)),
        Trace("near", Status.FAILED, {}, calls=(Call(1, "m.py::f"),)),
    ]
    own = direct("m.py::f", traces)
    assert own == {"slow", "near"}
    assert Plan.of(outcomes).led_by(own).failing == ("near", "far", "slow")
    assert Plan.of(outcomes).led_by(own).order == ("far", "slow", "near", "good")
