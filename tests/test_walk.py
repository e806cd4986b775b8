"""A run as something to walk through: steps, and the values at each of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs import Run, of_lines, value

from mgdebug.divergence import narrowed, part
from mgdebug.model import Status, Target, Trace
from mgdebug.session.parted import MOST_PARTINGS
from mgdebug.session.walk import Walk, partings
from mgdebug.settings import Settings
from mgdebug.tracing import Recording, record

FIB = """\
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def both(n):
    one = fib(n)
    two = fib(n - 1)
    return one, two
"""
TESTS = """\
from fibs import both


def test_wrong():
    assert both(3) == (2, 2)


def test_right():
    assert both(2) == (1, 1)
"""


def recorded(folder: Path) -> Recording:
    (folder / "fibs.py").write_text(FIB)
    (folder / "test_fibs.py").write_text(TESTS)
    done: list[Recording] = []

    def whole() -> Iterator[object]:
        done.append((yield from record(Target(folder, folder), Settings(), sys.executable)))

    for _ in whole():
        pass
    return done[0]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recorded(tmp_path_factory.mktemp("fibs"))


@pytest.fixture
def walk(recording: Recording) -> Walk:
    return Walk(recording.traces[0], recording.hierarchy)


def named(walk: Walk, place: int | None) -> tuple[str, int]:
    """The call that a visit belongs to, and its line."""
    assert place is not None
    return walk.called(place), walk.line(place)


def place_of(walk: Walk, called: str, line: int) -> int:
    found = [p for p in range(walk.count) if named(walk, p) == (called, line)]
    return found[0]


def test_steps_go_from_visit_to_visit_and_end_at_both_ends(walk: Walk) -> None:
    assert walk.next(0) == 1
    assert walk.previous(1) == 0
    assert walk.previous(0) is None
    assert walk.next(walk.count - 1) is None
    assert walk.clamped(10_000) == walk.count - 1
    assert walk.clamped(-5) == 0


def test_into_enters_the_first_call_and_out_takes_it_back(walk: Walk) -> None:
    start = place_of(walk, "both(n=3)", 8)
    inner = walk.into(start)
    assert named(walk, inner) == ("fib(n=3)", 2)
    assert inner is not None
    assert walk.out(inner) == start


def test_out_of_a_recursion_is_one_call_further_up_each_time(walk: Walk) -> None:
    place: int | None = place_of(walk, "fib(n=1)", 3)
    way = []
    while place is not None:
        way.append(named(walk, place))
        place = walk.out(place)
    assert way[:4] == [("fib(n=1)", 3), ("fib(n=2)", 4), ("fib(n=3)", 4), ("both(n=3)", 8)]


def test_a_visit_without_calls_leads_into_nothing(walk: Walk) -> None:
    assert walk.into(place_of(walk, "fib(n=1)", 3)) is None


def test_over_steps_behind_all_that_a_visit_calls(walk: Walk) -> None:
    assert walk.over(place_of(walk, "both(n=3)", 8)) is None
    inside = place_of(walk, "fib(n=3)", 2)
    assert named(walk, walk.over(inside)) == ("fib(n=3)", 4)


def test_the_same_block_is_found_in_whatever_call(walk: Walk) -> None:
    first = place_of(walk, "fib(n=3)", 2)
    second = walk.next_same(first)
    assert named(walk, second) == ("fib(n=2)", 2)
    assert second is not None
    assert walk.previous_same(second) == first
    assert walk.previous_same(first) is None


def test_what_stands_beside_a_line_is_of_this_call_only(walk: Walk) -> None:
    place = place_of(walk, "fib(n=1)", 3)
    beside = walk.beside(place)
    assert {walk.called(at) for at in beside.values()} == {"fib(n=1)"}
    assert sorted(walk.line(at) for at in beside.values()) == [2, 3]
    assert next(iter(beside.values())) == place


def test_a_call_says_how_it_ended_at_its_last_visit(walk: Walk) -> None:
    place = place_of(walk, "fib(n=1)", 3)
    assert walk.ended(place) == "fib returned 1"
    assert walk.ended(place_of(walk, "fib(n=3)", 2)) == ""


def test_steps_hold_for_a_trace_of_some_blocks_only(recording: Recording, walk: Walk) -> None:
    """What is left of a trace keeps its old indices, and calls that lead through others."""
    lines = {4: 1, 8: 1, 3: 1}
    chosen = {v.block for p, v in enumerate(walk.trace.visits) if walk.line(p) in lines}
    some = Walk(narrowed(walk.trace, chosen), recording.hierarchy)
    start = place_of(some, "both(n=3)", 8)
    assert named(some, some.into(start)) == ("fib(n=3)", 4)
    leaf = place_of(some, "fib(n=1)", 3)
    assert named(some, some.out(leaf)) == ("fib(n=2)", 4)


def test_steps_into_calls_where_a_trace_names_none() -> None:
    run = Run().lines(2).lines(10, frame=2).lines(3)
    walk = Walk(run.trace(), run.hierarchy)
    assert walk.into(0) == 1
    assert walk.out(1) == 0
    assert walk.over(0) == 2
    assert walk.out(2) is None
    assert walk.called(1) == "spread"


def test_a_run_of_no_visits_has_nothing_to_show() -> None:
    run = Run()
    walk = Walk(run.trace(), run.hierarchy, partings=[3])
    assert (walk.count, walk.clamped(7), walk.partings) == (0, 0, ())
    assert walk.beside(0) == {}
    assert walk.names(0) == []
    assert walk.history(0, "x", 5) == ([], False)
    assert walk.next(0) is None
    assert walk.next_parting(0) is None


def looped() -> Walk:
    run = Run().call(1, "largest", arguments={"values": [1, 2, 2, 5]})
    run.visit(2, {"values": [1, 2]}, {"best": 1})
    for number, item in enumerate((1, 2, 2, 5), 1):
        run.visit(3, {}, {"value": item}, iteration=number)
        run.visit(4, {"value": item, "best": min(item, 2)}, result=value(False), iteration=number)
    run.visit(5, {"value": 5}, {"best": 5})
    return Walk(run.trace(), run.hierarchy)


def texts(walk: Walk, place: int, name: str, most: int) -> tuple[list[str], bool]:
    values, more = walk.history(place, name, most)
    return [one.text for one in values], more


def test_a_history_tells_changes_up_to_a_visit_the_oldest_first() -> None:
    walk = looped()
    assert texts(walk, 9, "value", 10) == (["1", "2", "5"], False)
    assert texts(walk, 3, "value", 10) == (["1", "2"], False)
    assert texts(walk, 9, "best", 10) == (["1", "2", "5"], False)


def test_a_history_has_a_bound_and_says_that_there_is_more() -> None:
    assert texts(looped(), 9, "value", 2) == (["2", "5"], True)
    assert texts(looped(), 9, "value", 3) == (["1", "2", "5"], False)


def test_an_argument_is_the_first_of_a_history() -> None:
    assert texts(looped(), 9, "values", 5) == (["[1, 2, 2, 5]", "[1, 2]"], False)


def test_a_variable_before_and_after_a_visit() -> None:
    walk = looped()
    was, now = walk.value(3, "value")
    assert (was and was.text, now and now.text) == ("1", "2")
    was, now = walk.value(9, "best")
    assert (was and was.text, now and now.text) == ("2", "5")
    assert walk.value(9, "nothing") == (None, None)


def test_the_most_telling_names_come_first() -> None:
    walk = looped()
    assert walk.names(9)[:2] == ["best", "value"]
    assert set(walk.names(9)) == {"best", "value", "values"}
    assert walk.names(0)[0] == "best"


def test_visits_that_are_not_kept_are_counted_where_they_were() -> None:
    run = Run().lines(2, 4).unseen(4, 936).lines(4)
    walk = Walk(run.trace(), run.hierarchy)
    assert [walk.gap(place) for place in range(3)] == [0, 0, 936]


def test_the_visit_nearest_to_a_line() -> None:
    walk = looped()
    assert walk.nearest("m.py", 4, 5) == 4
    assert walk.nearest("m.py", 6, 5) is None
    assert walk.nearest("other.py", 4, 5) is None


def test_partings_are_walked_in_both_directions() -> None:
    run = Run().lines(2, 3, 4, 3, 4, 5, 6)
    walk = Walk(run.trace(), run.hierarchy, partings=[5, 2, 99])
    assert walk.partings == (2, 5)
    assert walk.next_parting(0) == 2
    assert walk.next_parting(2) == 5
    assert walk.next_parting(5) is None
    assert walk.previous_parting(5) == 2
    assert walk.previous_parting(2) is None
    assert walk.parts(2)
    assert not walk.parts(3)


def rounds(taken: set[int], count: int, status: Status) -> Trace:
    """A loop whose branch is taken in some of its rounds."""
    run = Run().call(1, "largest").lines(2)
    for number in range(1, count + 1):
        run.visit(3, iteration=number).visit(4, iteration=number)
        if number in taken:
            run.visit(5, iteration=number)
    return run.lines(6).trace(status)


def test_runs_part_where_one_takes_a_branch_and_the_other_does_not() -> None:
    failing = rounds({2, 4, 7}, 8, Status.FAILED)
    passing = rounds({4, 6}, 8, Status.PASSED)
    found = partings(failing, passing)
    first = part(failing, passing)
    assert first is not None
    assert found[0] == first.one
    blocks = [(failing.visits[p].block[-1], failing.visits[p].iteration) for p in found]
    lines = Run()
    branch, header = lines.block(5)[-1], lines.block(3)[-1]
    # it is taken here in round 2 and 7; there in round 6, where here round 7 begins
    assert blocks == [(branch, 2), (header, 7), (branch, 7)]


def test_runs_that_are_alike_do_not_part() -> None:
    assert partings(of_lines([2, 3, 6]), of_lines([2, 3, 6], Status.PASSED)) == ()
    assert partings(of_lines([]), of_lines([2], Status.PASSED)) == ()


def test_a_run_that_ends_early_parts_at_its_last_visit() -> None:
    assert partings(of_lines([2, 3]), of_lines([2, 3, 6], Status.PASSED)) == (1,)


def test_real_runs_part_inside_the_calls_that_both_make(recording: Recording) -> None:
    failing, passing = recording.traces
    found = partings(failing, passing)
    first = part(failing, passing)
    assert first is not None
    assert found[0] == first.one
    assert list(found) == sorted(set(found))


def test_long_runs_have_a_bounded_number_of_partings_and_quick_steps() -> None:
    many = 12_000
    failing = rounds(set(range(1, many, 2)), many, Status.FAILED)
    passing = rounds(set(range(1, many, 3)), many, Status.PASSED)
    found = partings(failing, passing)
    assert len(found) == MOST_PARTINGS
    walk = Walk(failing, Run().hierarchy, partings=found)
    middle = walk.count // 2
    assert walk.next_same(middle) is not None
    assert len(walk.beside(middle)) == 4
    assert walk.next_parting(-1) == found[0]
