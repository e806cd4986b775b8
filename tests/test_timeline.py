"""A run as a person reads it on a terminal, and two runs side by side."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from rich.cells import cell_len
from rich.text import Text
from runs import Run, value

from mgdebug.divergence import part, why
from mgdebug.model import BlockKind, BlockVisit, Status, Trace, Value
from mgdebug.timeline import ASCII, Timeline
from mgdebug.tracing import Pair


def plain(lines: Iterable[Text]) -> list[str]:
    return [line.plain.rstrip() for line in lines]


def drawn(run: Run, width: int | None = None, status: Status = Status.FAILED) -> list[str]:
    return plain(Timeline(run.hierarchy, run.sources, width).run(run.trace(status), "assert no"))


def test_lines_with_the_values_beside_them() -> None:
    run = Run().call(1, "largest", arguments={"values": [1, 2]}, result=1)
    run.visit(2, {"values": [1, 2], "best": 0}, {"best": 1})
    run.visit(4, {"value": 2, "best": 1}, result=value(False), iteration=12)
    run.visit(6, {"best": 1}, result=value(1))
    assert drawn(run) == [
        "test_m.py::test  failed  assert no",
        "m.py",
        "▸ largest(values=[1, 2])",
        " 2     │     best = values[0]      values = [1, 2]  best = 0 → 1",
        " 4 #12 │         if value > best:  value = 2  best = 1  → False",
        " 6     │     return best           best = 1  → 1",
        "◂ largest returned 1",
    ]


def test_calls_stand_further_in_and_end_where_they_end() -> None:
    run = Run().call(1, "spread", result=3).call(2, "largest", caller=1, result=4)
    run.lines(10, frame=1).lines(2, 6, frame=2)
    assert drawn(run)[2:] == [
        "▸ spread()",
        " 10 │     low = min(values)",
        " 11 │     return largest(values) - low",
        "  ▸ largest()",
        "    2 │     best = values[0]",
        "    6 │     return best",
        "  ◂ largest returned 4",
        "◂ spread returned 3",
    ]


def test_a_call_that_goes_on_after_another_one() -> None:
    run = Run().call(1, "spread").call(2, "largest", caller=1, result=1)
    run.lines(10, frame=1).lines(2, frame=2).lines(10, frame=1)
    heads = [line for line in drawn(run) if "largest" in line or "spread" in line]
    assert [h for h in heads if "│" not in h] == [
        "▸ spread()",
        "  ▸ largest()",
        "  ◂ largest returned 1",
    ]


def test_calls_that_take_turns_say_where_they_are() -> None:
    run = Run().call(1, "largest").call(2, "largest")
    run.lines(2, frame=1).lines(2, frame=2).lines(6, frame=1)
    assert "▸ back in largest" in drawn(run)


def test_exceptions_where_they_rise_and_where_they_are_caught() -> None:
    code = (
        "def f(n):\n    try:\n        return 1 // n\n    except ZeroDivisionError:\n        raise\n"
    )
    error = Value("ZeroDivisionError", "<ZeroDivisionError ('by zero',)>")
    run = Run(code).call(1, "f", arguments={"n": 0}, raised=ZeroDivisionError("by zero"))
    run.lines(2).visit(3, {"n": 0}, raised=error).visit(4, result=error)
    lines = drawn(run)
    assert lines[4] == (
        " 3 │         return 1 // n          n = 0  raised <ZeroDivisionError ('by zero',)>"
    )
    assert lines[5].endswith("except ZeroDivisionError:  caught <ZeroDivisionError ('by zero',)>")
    assert lines[-1] == "◂ f raised ZeroDivisionError('by zero')"


def test_visits_that_are_not_kept_are_counted_where_they_were() -> None:
    run = Run().lines(2, 4).unseen(4, 936).lines(4).unseen(5, 3)
    lines = drawn(run)
    assert lines[4:7] == [
        " 4 │         if value > best:",
        "… 936 visits not kept",
        " 4 │         if value > best:",
    ]
    assert lines[-1] == "… 3 visits not kept"


def test_visits_of_several_blocks_that_are_not_kept_count_together() -> None:
    run = Run().lines(4, 5).unseen(4, 20).unseen(5, 10).lines(4, 5).unseen(4, 1).lines(4)
    lines = drawn(run)
    assert lines[5:10] == [
        "… 30 visits not kept",
        " 4 │         if value > best:",
        " 5 │             best = value",
        "… 1 visit not kept",
        " 4 │         if value > best:",
    ]


def test_many_calls_that_end_alike_are_counted() -> None:
    run = Run()
    for frame in range(1, 8):
        run.call(frame, "largest", caller=frame - 1, raised=RecursionError("deep"))
        run.lines(2, frame=frame)
    assert drawn(run)[-3:] == [
        "            ◂ largest raised RecursionError('deep')",
        "… 5 calls end like this",
        "◂ largest raised RecursionError('deep')",
    ]


def test_a_part_of_a_line_shows_itself_only() -> None:
    run = Run("def f(a):\n    return [x for x in a if x > 1]\n")
    blocks = run.hierarchy.subfunctions["m.py::f"].blocks
    (condition,) = [b.id for b in blocks if b.kind is BlockKind.CONDITION]
    visit = BlockVisit(condition, 1, 0, result=value(True))
    trace = Trace("case", Status.PASSED, {}, (visit,))
    lines = plain(Timeline(run.hierarchy, run.sources, None).run(trace))
    assert lines[-1] == " 2 │ · x > 1  → True"


def test_values_stand_beside_the_line_that_names_them() -> None:
    code = "def f(a, b):\n    c = a\n    d = b\n    c += d\n"
    run = Run(code).visit(2, {"a": 1, "b": 2}, {"c": 3, "d": 2})
    assert drawn(run)[3:] == [
        " 2 │     c = a   a = 1",
        " 3 │     d = b   b = 2",
        " 4 │     c += d  c = 3  d = 2",
    ]


def wide(run: Run) -> None:
    run.call(1, "largest", arguments={"values": list(range(40))})
    run.visit(2, {"values": list(range(60))}, {"best": "ä漢" * 60}, iteration=3)
    run.visit(4, {"value": "x" * 300, "best": 1}, result=value(False), iteration=3)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_lost(width: int) -> None:
    run = Run()
    wide(run)
    lines = drawn(run, width)
    assert max(map(cell_len, lines)) <= width
    together = "".join("".join(lines).split())
    for text in ("x" * 20, "ä漢" * 5, "58,59]", "ifvalue>best:", "→False"):
        assert text in together


def test_a_pipe_has_no_edge() -> None:
    run = Run()
    wide(run)
    assert any("x" * 300 in line for line in drawn(run, None))


def pair(one: Run, other: Run) -> Pair:
    failing, passing = one.trace(), other.trace(Status.PASSED)
    parting = part(failing, passing)
    words = why(parting, failing, passing, one.hierarchy, one.sources) if parting else ""
    return Pair(failing, passing, parting, words)


@pytest.mark.parametrize("width", [None, 80])
def test_side_by_side_the_line_where_they_part_is_marked(width: int | None) -> None:
    one = Run(case="red").lines(2).visit(4, result=value(True)).lines(5, 6)
    other = Run(case="green").lines(2).visit(4, result=value(False)).lines(6)
    drawing = Timeline(one.hierarchy, one.sources, width)
    lines = plain(drawing.beside(pair(one, other), "assert no"))
    assert max(map(cell_len, lines)) <= (width or 147)
    assert lines[0].startswith("red  failed  assert no")
    assert lines[0].endswith("green  passed")
    (mark,) = [at for at, line in enumerate(lines) if "here they part" in line]
    before, behind = "\n".join(lines[:mark]), "\n".join(lines[mark + 1 :])
    assert before.count("best = values[0]") == 2
    assert "best = value\n" not in before
    assert any("best = value " in line and "return best" in line for line in behind.split("\n"))


def test_side_by_side_what_is_alike_is_left_out_and_counted() -> None:
    one, other = Run(case="red"), Run(case="green")
    one.lines(*[4] * 50, 5, *[6] * 60)
    other.lines(*[4] * 50, 6)
    text = "\n".join(plain(Timeline(one.hierarchy, one.sources, 100).beside(pair(one, other))))
    assert "… 38 visits alike" in text
    assert "… 21 visits more" in text


def test_side_by_side_runs_that_do_not_part() -> None:
    one, other = Run(case="red").lines(2, 6), Run(case="green").lines(2, 6)
    lines = plain(Timeline(one.hierarchy, one.sources, 100).beside(pair(one, other)))
    assert lines[-1] == "the same blocks in the same order: the two runs do not part"


def test_side_by_side_a_run_that_ends_early() -> None:
    one, other = Run(case="red").lines(2), Run(case="green").lines(2, 4, 6)
    text = "\n".join(plain(Timeline(one.hierarchy, one.sources, 100).beside(pair(one, other))))
    assert "the end here, line 4" in text


def test_a_terminal_that_knows_ascii_only() -> None:
    run = Run().call(1, "largest", result=1).lines(2, 4).unseen(4, 3).lines(4, 6)
    lines = plain(Timeline(run.hierarchy, run.sources, None, ASCII).run(run.trace()))
    assert "\n".join(lines).isascii()


def test_nothing_that_a_terminal_would_obey() -> None:
    code = 'def f():\n    x = "\x1b[31m\x07"\n'
    run = Run(code).visit(2, after={"x": "ok"})
    assert not any(c in line for line in drawn(run) for c in "\x1b\x07")
