"""The slow tracer of `bench truth` agrees with the recorder, and finds it wrong where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mgdebug.bench.programs import Check, Program, Space
from mgdebug.bench.traced import Traced
from mgdebug.bench.truth import examine
from mgdebug.model import BlockVisit, Trace, Value

TEXT = """\
def total(numbers, most=3):
    found = []
    for number in numbers:
        if number < 0 or number > 99:
            continue
        try:
            found.append(10 // number)
        except ZeroDivisionError:
            found.append(most)
    kept = [one for one in found if one]
    return sum(kept)
"""


def checks(space: Space) -> list[Check]:
    return [Check("some", space["total"], ([1, 0, -4, 5, 200],)), Check("none", space["total"])]


PROGRAM = Program("own/total", TEXT, checks)
WRONG = Value("int", "-1")


def values(visit: BlockVisit) -> BlockVisit:
    return replace(visit, before=dict.fromkeys(visit.before, WRONG))


def results(visit: BlockVisit) -> BlockVisit:
    return replace(visit, result=WRONG) if visit.result else visit


def numbers(visit: BlockVisit) -> BlockVisit:
    return replace(visit, number=visit.number + 50)


def test_a_recorder_that_is_right_is_found_right() -> None:
    report = examine(PROGRAM)
    assert not report.wrong
    assert not report.changed
    assert report.counts["before"] > 20
    assert report.counts["hits"] > 20


@pytest.mark.parametrize(
    ("distort", "kind"),
    [(values, "before"), (results, "results"), (numbers, "visit that never was")],
)
def test_a_planted_error_is_found(distort: Callable[[BlockVisit], BlockVisit], kind: str) -> None:
    def planted(trace: Trace) -> Trace:
        return replace(trace, visits=tuple(distort(visit) for visit in trace.visits))

    assert any(f": {kind}: " in line for line in examine(PROGRAM, planted).wrong)


def test_a_lost_visit_is_found() -> None:
    def planted(trace: Trace) -> Trace:
        return replace(trace, hits={block: count - 1 for block, count in trace.hits.items()})

    assert any(": hits: " in line for line in examine(PROGRAM, planted).wrong)


@pytest.mark.parametrize("mode", ["sampled", "every", "counted", "out"])
def test_a_program_does_the_same_in_each_mode(mode: str) -> None:
    traced = Traced(TEXT, mode=mode)
    space = traced.namespace()
    traced.clear()
    assert space["total"]([1, 0, 5]) == 15
    trace = traced.trace()
    assert bool(trace.hits) is (mode != "out")
    assert bool(trace.visits) is (mode in ("sampled", "every"))
