"""Where two runs part, and which passing run lies nearest."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from runs import Run, of_lines, value

from mgdebug.divergence import Parting, missing, narrowed, nearest, part, why
from mgdebug.model import BlockVisit, Status, Trace


def test_runs_through_the_same_blocks_do_not_part() -> None:
    assert part(of_lines([2, 3, 4, 6]), of_lines([2, 3, 4, 6])) is None


def test_runs_part_where_another_block_follows() -> None:
    found = part(of_lines([2, 3, 4, 5, 6]), of_lines([2, 3, 4, 6]))
    assert found is not None
    assert (found.kind, found.one, found.other) == (Parting.WAY, 3, 3)
    assert found.last == (2, 2)
    assert found.sure


def test_runs_part_where_only_one_goes_on() -> None:
    short, long = of_lines([2, 3]), of_lines([2, 3, 4])
    found, back = part(short, long), part(long, short)
    assert found is not None
    assert back is not None
    assert (found.kind, found.one, found.other) == (Parting.END, None, 2)
    assert (back.kind, back.one, back.other) == (Parting.END, 2, None)


def test_an_empty_run_parts_at_once() -> None:
    found = part(of_lines([]), of_lines([2]))
    assert found is not None
    assert (found.one, found.other, found.last) == (None, 0, None)
    assert part(of_lines([]), of_lines([])) is None


def test_why_names_the_lines_and_what_the_last_common_block_gave() -> None:
    one = Run().lines(2).visit(4, result=value(True)).lines(5).trace()
    two = Run().lines(2).visit(4, result=value(False)).lines(6).trace()
    run = Run()
    found = part(one, two)
    assert found is not None
    assert why(found, one, two, run.hierarchy, run.sources) == (
        "after line 4 `value > best` (True here, False there): "
        "line 5 `best = value` here, line 6 `return best` there"
    )


def test_values_count_only_for_two_versions_of_the_code() -> None:
    one = Run().visit(2, after={"best": 1}).trace()
    two = Run().visit(2, after={"best": 2}).trace()
    assert part(one, two) is None
    found = part(one, two, values=True)
    assert found is not None
    assert (found.kind, found.name) == (Parting.VALUE, "best")
    assert (found.was, found.now) == (value(1), value(2))
    run = Run()
    words = why(found, one, two, run.hierarchy, run.sources)
    assert words == "line 2 `best = values[0]`: `best` is 1 here, 2 there"


def test_a_result_and_a_raised_exception_count_as_values() -> None:
    one = Run().visit(6, result=value(1)).trace()
    two = Run().visit(6, raised=value(KeyError("k"))).trace()
    found = part(one, two, values=True)
    assert found is not None
    assert (found.name, found.was, found.now) == ("", value(1), value(KeyError("k")))


def test_a_value_that_one_run_only_has_counts() -> None:
    one, two = Run().visit(2).trace(), Run().visit(2, after={"best": 2}).trace()
    for a, b in ((one, two), (two, one)):
        found = part(a, b, values=True)
        assert found is not None
        assert {found.was, found.now} == {None, value(2)}


def in_calls(inner: int, outer: int, *, known: bool) -> Trace:
    """spread() calls largest(); what largest() returns is part of what spread() does."""
    run = Run()
    if known:
        run.call(1, "spread").call(2, "largest", caller=1)
    run.visit(10, after={"low": 0}, result=value(outer), frame=1)
    run.visit(2, after={"best": 1}, frame=2)
    run.visit(6, result=value(inner), frame=2)
    return run.trace()


def test_the_called_function_counts_before_its_caller() -> None:
    for known in (True, False):
        one, two = in_calls(1, 1, known=known), in_calls(2, 2, known=known)
        found = part(one, two, values=True)
        assert found is not None
        assert found.one == 2, known
        alone = part(in_calls(1, 1, known=known), in_calls(1, 2, known=known), values=True)
        assert alone is not None
        assert alone.one == 0, known


def test_of_two_calls_in_a_row_the_first_counts() -> None:
    def trace(first: int, second: int) -> Trace:
        run = Run().call(1, "spread").call(2, "largest", caller=1).call(3, "largest", caller=1)
        run.visit(10, result=value(first + second), frame=1)
        run.visit(6, result=value(first), frame=2)
        return run.visit(6, result=value(second), frame=3).trace()

    found = part(trace(1, 2), trace(3, 4), values=True)
    assert found is not None
    assert found.one == 1


def test_calls_that_take_turns_differently_do_not_part() -> None:
    one = Run().lines(2, frame=1).lines(10, frame=2).lines(6, frame=1).trace()
    two = Run().lines(2, frame=1).lines(6, frame=1).lines(10, frame=2).trace()
    assert part(one, two) is None


def looping(kept_tail: int, total: int, ends: int = 6) -> Trace:
    """Two kept visits of a loop's body, then the last few of so many, then another line."""
    run = Run().lines(2, 4, 4).unseen(4, total - 2 - kept_tail)
    return run.lines(*([4] * kept_tail), ends).trace()


def test_visits_that_only_one_trace_has_kept_are_passed_over() -> None:
    assert part(looping(3, 50), looping(1, 50)) is None
    assert part(looping(1, 50), looping(3, 50)) is None


def test_a_parting_behind_a_gap_is_not_sure() -> None:
    one, two = looping(1, 50), looping(1, 60)
    found = part(one, two)
    assert found is not None
    assert not found.sure
    run = Run()
    assert "or earlier" in why(found, one, two, run.hierarchy, run.sources)


def test_a_parting_behind_what_both_have_kept_is_sure_again() -> None:
    found = part(looping(3, 50, ends=6), looping(1, 50, ends=5))
    assert found is not None
    assert found.sure
    assert (found.one, found.other) == (6, 4)


def test_missing_counts_the_visits_before_a_kept_one() -> None:
    trace = looping(1, 50)
    assert missing(trace) == {3: 47}
    assert sum(missing(trace).values()) == trace.dropped


def test_missing_is_nothing_where_visits_have_no_numbers() -> None:
    trace = looping(1, 50)
    assert missing(replace(trace, visits=tuple(replace(v, number=0) for v in trace.visits))) == {}


def test_the_nearest_differs_in_the_fewest_blocks() -> None:
    failing = of_lines([2, 3, 4, 5, 6])
    near, far = of_lines([2, 3, 4, 6], Status.PASSED), of_lines([2, 6], Status.PASSED)
    assert nearest(failing, [far, near]) == [near, far]
    assert nearest(failing, []) == []


def test_among_equals_the_one_that_goes_along_longest_is_nearest() -> None:
    failing = of_lines([2, 3, 4, 5, 4, 6])
    late, early = of_lines([2, 3, 4, 5, 6]), of_lines([2, 3, 6, 4, 5, 4])
    assert nearest(failing, [early, late])[0] is late


def test_then_the_one_whose_counts_differ_least() -> None:
    failing = of_lines([2, 4, 5, 5])
    few, many = of_lines([2, 4, 4, 5]), of_lines([2, 4, 4, 4, 4, 5])
    assert nearest(failing, [many, few])[0] is few


def test_narrowed_to_some_names() -> None:
    run = Run().call(1, "largest", arguments={"values": [1], "best": 2})
    trace = run.visit(2, {"values": [1], "best": 0}, {"best": 1, "other": 3}).trace()
    found = narrowed(trace, names=["best"])
    assert set(found.visits[0].before) == {"best"}
    assert set(found.visits[0].after) == {"best"}
    assert set(found.calls[0].arguments) == {"best"}
    assert found.hits == trace.hits


def test_narrowed_to_some_blocks() -> None:
    run = Run().call(1, "largest").call(2, "spread")
    run.lines(2, 3, 4, frame=1).unseen(4, 5).lines(10, frame=2)
    found = narrowed(run.trace(), blocks={run.block(4)})
    assert [v.block for v in found.visits] == [run.block(4)]
    assert found.hits == {run.block(4): 6}
    assert found.dropped == 5
    assert [c.frame for c in found.calls] == [1]


LINES = st.lists(st.sampled_from([2, 3, 4, 5, 6]), max_size=12)


@given(LINES, LINES)
def test_a_parting_is_the_first_difference_and_the_same_from_both_sides(
    one: list[int], two: list[int]
) -> None:
    run = Run()

    def trace(lines: list[int]) -> Trace:
        visits = tuple(BlockVisit(run.block(n), 1, at) for at, n in enumerate(lines))
        return Trace("case", Status.FAILED, {}, visits)

    found, back = part(trace(one), trace(two)), part(trace(two), trace(one))
    if one == two:
        assert found is None
        assert back is None
        return
    assert found is not None
    assert back is not None
    assert (found.one, found.other) == (back.other, back.one)
    pairs = zip([*one, *[None] * 12], [*two, *[None] * 12], strict=False)
    first = next(at for at, (a, b) in enumerate(pairs) if a != b)
    assert found.one == (first if first < len(one) else None)
    assert found.other == (first if first < len(two) else None)
