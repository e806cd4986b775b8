"""The whole pipeline on small projects, with real interpreters and real pytest."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mgdebug.bottom_up.ground import apart
from mgdebug.errors import NoCasesError, SourceError, UsageError
from mgdebug.events import (
    Accepted,
    Collected,
    Decomposed,
    Event,
    Finished,
    Grouped,
    Judged,
    Proposed,
    Ranked,
    Traced,
    Verified,
    Warned,
    to_json,
)
from mgdebug.model import Edit, Patch, Repair, Status, Stop, Target
from mgdebug.proposers import proposer
from mgdebug.repair import repair
from mgdebug.sandbox.policy import Policy
from mgdebug.settings import Settings

Project = Callable[[dict[str, str]], Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text), "utf-8")
        return tmp_path

    return write


def events(target: Target, **settings: object) -> list[Event]:
    chosen = replace(Settings(time=60.0, jobs=2), **settings)  # type: ignore[arg-type]
    return list(repair(target, [proposer("search")], chosen, sys.executable))


def mend(root: Path, path: str = "", **rest: object) -> Repair:
    target = replace(Target(root, root, path), **rest)  # type: ignore[arg-type]
    before = snapshot(root)
    last = events(target)[-1]
    assert isinstance(last, Finished)
    assert snapshot(root) == before, "the user's files were touched"
    return last.repair


def snapshot(root: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        str(file): (file.read_bytes(), file.stat().st_mode, file.stat().st_mtime_ns)
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


def changed_lines(done: Repair) -> set[str]:
    """The lines that the first patch adds, without their indentation."""
    assert done.best is not None, done.stop
    lines = done.best.diff.splitlines()
    return {line[1:].strip() for line in lines if line.startswith("+") and line[:3] != "+++"}


MAX = """\
    def largest(values):
        best = values[0]
        for value in values:
            if value < best:
                best = value
        return best
"""
TEST_MAX = """\
    from numbers_ import largest

    def test_one(): assert largest([3]) == 3
    def test_two(): assert largest([1, 2]) == 2
    def test_three(): assert largest([2, 5, 3]) == 5
"""


def test_the_street_is_walked_in_order(project: Project) -> None:
    root = project({"numbers_.py": MAX, "test_numbers.py": TEST_MAX})
    stream = events(Target(root, root))
    kinds = [type(event) for event in stream]
    landmarks = [Collected, Decomposed, Traced, Ranked, Proposed, Judged, Grouped, Verified]
    first = [kinds.index(kind) for kind in landmarks]
    assert first == sorted(first)
    assert kinds[-1] is Finished
    assert kinds.count(Finished) == 1
    for event in stream:
        assert "\n" not in to_json(event)


def test_a_patch_is_verified_and_explained(project: Project) -> None:
    done = mend(project({"numbers_.py": MAX, "test_numbers.py": TEST_MAX}))
    assert done.stop is Stop.FIXED
    assert changed_lines(done) == {"if value > best:"}
    assert done.after is not None
    assert len(done.after.passed) == 3
    assert done.best is not None
    assert done.best.evidence is not None
    assert done.best.evidence.was != done.best.evidence.now


def test_the_culprit_is_found_below_the_function_that_fails(project: Project) -> None:
    done = mend(
        project(
            {
                "src/shop/__init__.py": "",
                "src/shop/tax.py": "def tax(net):\n    return net * 20 // 10\n",
                "src/shop/bill.py": """\
                    from shop.tax import tax

                    def total(prices):
                        net = sum(prices)
                        return net + tax(net)
                """,
                "conftest.py": "import sys; sys.path.insert(0, 'src')\n",
                "tests/test_bill.py": """\
                    from shop.bill import total

                    def test_nothing(): assert total([]) == 0
                    def test_total(): assert total([60, 40]) == 120
                    def test_more(): assert total([10]) == 12
                """,
            }
        )
    )
    assert done.patch is not None
    assert done.patch.subfunction == "src/shop/tax.py::tax"


def test_methods_are_found_through_self(project: Project) -> None:
    done = mend(
        project(
            {
                "stack.py": """\
                    class Stack:
                        def __init__(self):
                            self.items = []

                        def push(self, item):
                            self.items.append(item)

                        def pop(self):
                            return self.items.pop(0)
                """,
                "test_stack.py": """\
                    from stack import Stack

                    def test_pop():
                        stack = Stack()
                        stack.push(1)
                        stack.push(2)
                        assert stack.pop() == 2
                        assert stack.pop() == 1
                """,
            }
        ),
        "stack.py",
    )
    assert done.stop is Stop.FIXED
    assert done.patch is not None
    assert done.patch.subfunction == "stack.py::Stack.pop"


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("LIMIT = 9\n\ndef ok(n):\n    return n <= LIMIT\n", {"LIMIT = 10"}),
        ("def ok(n, limit=9):\n    return n <= limit\n", {"def ok(n, limit=10):"}),
        ("class C:\n    limit = 9\n\ndef ok(n):\n    return n <= C.limit\n", {"limit = 10"}),
    ],
    ids=["module code", "a default", "a class body"],
)
def test_what_needs_a_fresh_import_is_tried_too(
    project: Project, source: str, wanted: set[str]
) -> None:
    test = """\
        from limits import ok

        def test_nine(): assert ok(9)
        def test_ten(): assert ok(10)
        def test_eleven(): assert not ok(11)
    """
    done = mend(project({"limits.py": source, "test_limits.py": test}))
    assert done.stop is Stop.FIXED
    assert changed_lines(done) == wanted or done.alternatives


def test_two_faults_of_two_functions_are_mended_together(project: Project) -> None:
    root = project(
        {
            "pair.py": """\
                def low(a, b):
                    return a if a > b else b


                def half(n):
                    return n // 3
            """,
            "test_pair.py": """\
                from pair import half, low

                def test_low(): assert low(1, 2) == 1
                def test_low_again(): assert low(5, 3) == 3
                def test_half(): assert half(8) == 4
                def test_half_again(): assert half(10) == 5
            """,
        }
    )
    last = events(Target(root, root))[-1]
    assert isinstance(last, Finished)
    assert last.repair.stop is Stop.FIXED
    assert last.repair.partial is None
    assert len(changed_lines(last.repair)) == 2


@pytest.mark.long
def test_two_faults_of_one_function_are_mended_one_after_the_other(project: Project) -> None:
    root = project(
        {
            "pair.py": """\
                def pair(kind, a, b):
                    if kind == "low":
                        return a if a > b else b
                    return a // 3 + b
            """,
            "test_pair.py": """\
                from pair import pair

                def test_low(): assert pair("low", 1, 2) == 1
                def test_low_again(): assert pair("low", 5, 3) == 3
                def test_half(): assert pair("half", 8, 1) == 5
                def test_half_again(): assert pair("half", 10, 0) == 5
            """,
        }
    )
    stream = events(Target(root, root))
    assert any(isinstance(event, Accepted) for event in stream)
    last = stream[-1]
    assert isinstance(last, Finished)
    assert last.repair.stop is Stop.FIXED
    assert len(changed_lines(last.repair)) == 2


def test_cases_that_lean_on_their_order_keep_it(project: Project) -> None:
    done = mend(
        project(
            {
                "register.py": """\
                    SEEN = []

                    def add(name):
                        SEEN.append(name)
                        return len(SEEN) - 1
                """,
                "test_register.py": """\
                    from register import add

                    def test_first(): assert add("a") == 1
                    def test_second(): assert add("b") == 2
                    def test_third(): assert add("c") == 3
                """,
            }
        )
    )
    assert done.stop is Stop.FIXED
    assert changed_lines(done) == {"return len(SEEN)"}


def test_expressions_and_doctests_need_no_test_file(project: Project) -> None:
    root = project(
        {
            "area.py": '''\
                def area(width, height):
                    """
                    >>> area(2, 3)
                    6
                    """
                    return width + height
            '''
        }
    )
    done = mend(root, "area.py", expressions=("area(4, 5) == 20",))
    assert len(done.before.failed) == 2
    assert changed_lines(done) == {"return width * height"}


def test_a_program_that_reads_standard_input(project: Project) -> None:
    root = project(
        {
            "add.py": """\
                first = int(input())
                second = int(input())
                print(first - second)
            """,
            "cases/a.in": "1\n2\n",
            "cases/a.out": "3\n",
            "cases/b.in": "10\n5\n",
            "cases/b.out": "15\n",
        }
    )
    done = mend(root, "add.py", io=root / "cases")
    assert changed_lines(done) == {"print(first + second)"}


def test_bytes_that_are_no_utf8_survive(project: Project) -> None:
    root = project(
        {
            "test_cafe.py": """\
                from cafe import double

                def test_it(): assert [double(n) for n in (3, 5, 8)] == [6, 10, 16]
            """
        }
    )
    text = "# -*- coding: latin-1 -*-\r\n# caf\xe9\r\ndef double(n):\r\n\treturn n + 2 # \xfc"
    (root / "cafe.py").write_bytes(text.encode("latin-1"))
    done = mend(root)
    assert done.best is not None
    assert "-\treturn n + 2 # \xfc\n\\ No newline" in done.best.diff
    assert "+\treturn n * 2 # \xfc\n\\ No newline" in done.best.diff


def test_a_file_that_cannot_be_kept_byte_for_byte_is_left_out(project: Project) -> None:
    root = project(
        {
            "odd.py": "# coding: unicode_escape\nNAME = '\\x41'\n",
            "numbers_.py": MAX,
            "test_numbers.py": TEST_MAX + "    import odd\n",
        }
    )
    stream = events(Target(root, root))
    warnings = [event.message for event in stream if isinstance(event, Warned)]
    assert any(m.startswith("odd.py: ") and m.endswith("left out") for m in warnings)
    assert isinstance(stream[-1], Finished)
    assert stream[-1].repair.stop is Stop.FIXED


def test_nothing_to_do(project: Project) -> None:
    root = project(
        {"m.py": "def f(): return 1\n", "test_m.py": "from m import f\ndef test_f(): f()\n"}
    )
    assert mend(root).stop is Stop.CLEAN


def test_nothing_says_what_is_right(project: Project) -> None:
    assert mend(project({"m.py": "def f(): return 1\n"})).stop is Stop.NO_CASES


def test_an_empty_folder_of_pairs(project: Project) -> None:
    root = project({"m.py": "print(1)\n", "cases/readme": ""})
    with pytest.raises(NoCasesError):
        mend(root, "m.py", io=root / "cases")


def test_flaky_cases_are_named_and_left_out(project: Project, tmp_path: Path) -> None:
    flag = tmp_path.parent / f"{tmp_path.name}.flags" / "flag"
    flag.parent.mkdir()
    test = f"""\
        from pathlib import Path
        from numbers_ import largest

        def test_two(): assert largest([1, 2]) == 2
        def test_flaky():
            flag = Path({str(flag)!r})
            if not flag.exists():
                flag.touch()
                assert False
    """
    root = project({"numbers_.py": MAX, "test_numbers.py": test})
    stream = events(Target(root, root), sandbox=Policy(write=(str(flag.parent),)))
    collected = next(event for event in stream if isinstance(event, Collected))
    assert collected.flaky == ("test_numbers.py::test_flaky",)
    assert isinstance(stream[-1], Finished)
    assert stream[-1].repair.stop is Stop.FIXED


GIBBERISH = "this is not ) python [ at {{ all\n def\n"


def test_what_cannot_be_collected_is_told_and_the_rest_is_used(project: Project) -> None:
    root = project(
        {
            "numbers_.py": MAX,
            "test_numbers.py": TEST_MAX,
            "broken.py": GIBBERISH,
            "test_broken.py": "import broken\n",
        }
    )
    stream = events(Target(root, root))
    warnings = [event.message for event in stream if isinstance(event, Warned)]
    assert "test_broken.py could not be collected" in warnings
    assert any(message.startswith("broken.py:1:") for message in warnings)
    assert isinstance(stream[-1], Finished)
    assert stream[-1].repair.stop is Stop.FIXED


def test_cases_without_their_fixture_are_named_and_say_nothing_of_the_code(
    project: Project,
) -> None:
    lost = "\n\ndef test_speed(benchmark):\n    assert benchmark(max, [1]) == 1\n"
    root = project({"numbers_.py": MAX, "test_numbers.py": TEST_MAX, "test_lost.py": lost * 2})
    stream = events(Target(root, root))
    (warned,) = (event for event in stream if isinstance(event, Warned))
    assert warned.message == (
        "test_lost.py::test_speed cannot be run: fixture 'benchmark' not found"
    )
    assert "available fixtures" in warned.detail
    (collected,) = (event for event in stream if isinstance(event, Collected))
    assert all(outcome.status is not Status.NOT_RUN for outcome in collected.outcomes)
    assert isinstance(stream[-1], Finished)
    assert stream[-1].repair.stop is Stop.FIXED
    assert stream[-1].repair.uncollected


def test_a_target_that_does_not_parse(project: Project) -> None:
    root = project({"broken.py": GIBBERISH})
    with pytest.raises(SourceError, match=r"broken\.py:1:"):
        mend(root, "broken.py", expressions=("f(1) == 1",))


def test_a_subfunction_that_does_not_exist(project: Project) -> None:
    root = project({"numbers_.py": MAX, "test_numbers.py": TEST_MAX})
    with pytest.raises(UsageError) as caught:
        mend(root, "numbers_.py", qualname="largets")
    assert "largest" in caught.value.hint


def test_an_expression_that_is_none(project: Project) -> None:
    root = project({"numbers_.py": MAX})
    with pytest.raises(UsageError, match="--case"):
        mend(root, "numbers_.py", expressions=("largest([1]) ==",))


def test_a_target_narrows_the_search(project: Project) -> None:
    root = project(
        {
            "two.py": """\
                def inner(n):
                    return n - 1

                def outer(n):
                    return inner(n)
            """,
            "test_two.py": "from two import outer\ndef test_it(): assert outer(1) == 1\n",
        }
    )
    done = mend(root, "two.py", qualname="outer")
    assert done.patch is not None
    assert {a.patches[0].subfunction for a in done.alternatives} == {"two.py::outer"}


def test_the_cases_are_never_changed(project: Project) -> None:
    """A file of code and tests: only the code is under suspicion, however easy a test may be."""
    root = project(
        {
            "test_all.py": """\
                def double(n):
                    return n + 3

                def test_double():
                    assert double(3) == 6
                    assert double(5) == 10
            """
        }
    )
    done = mend(root, "test_all.py")
    assert done.patch is not None
    assert {a.patches[0].subfunction for a in done.alternatives} == {"test_all.py::double"}


HOPELESS = {
    "m.py": "def f(n):\n    return n\n",
    "test_m.py": "from m import f\ndef test_f(): assert f(3) == 'a text that nobody wrote'[::-1]\n",
}


def test_every_patch_was_tried(project: Project) -> None:
    done = mend(project(HOPELESS))
    assert done.stop is Stop.EXHAUSTED
    assert done.patch is None
    assert done.tried > 50


def test_a_limit_of_tries_ends_the_search(project: Project) -> None:
    root = project(HOPELESS)
    last = events(Target(root, root), patches=10)[-1]
    assert isinstance(last, Finished)
    assert last.repair.stop is Stop.PATCHES
    assert last.repair.tried == 10


def test_the_time_limit_ends_a_suite_that_takes_longer(project: Project) -> None:
    root = project({"test_slow.py": "import time\ndef test_slow(): time.sleep(60)\n"})
    stream = events(Target(root, root), time=1.5)
    assert isinstance(stream[-1], Finished)
    assert stream[-1].repair.stop in (Stop.SECONDS, Stop.UNTRACED)


@pytest.mark.long
def test_an_endless_loop_is_mended(project: Project) -> None:
    done = mend(
        project(
            {
                "count.py": """\
                    def digits(n):
                        count = 1
                        while n >= 10:
                            n = n * 10
                            count += 1
                        return count
                """,
                "test_count.py": """\
                    from count import digits

                    def test_one(): assert digits(7) == 1
                    def test_two(): assert digits(42) == 2
                    def test_three(): assert digits(1234) == 4
                """,
            }
        )
    )
    assert done.stop is Stop.FIXED


def test_failures_outside_the_project_have_no_suspect(project: Project) -> None:
    done = mend(project({"test_m.py": "import json\ndef test_it(): json.loads('{')\n"}))
    assert done.stop is Stop.UNTRACED


def test_a_stream_that_is_closed_stops_the_work(project: Project) -> None:
    root = project(HOPELESS)
    stream = repair(Target(root, root), [proposer("search")], Settings(jobs=2), sys.executable)
    for event in stream:
        if isinstance(event, Proposed):
            break
    stream.close()
    assert list(stream) == []


def test_patches_whose_edits_touch_do_not_go_together() -> None:
    def at(start: int, end: int, path: str = "m.py") -> Patch:
        return Patch((Edit(path, start, end, "x"),), "search", "")

    assert apart(at(1, 2), at(4, 5))
    assert apart(at(1, 2), at(1, 2, "other.py"))
    assert not apart(at(1, 4), at(2, 3))
    assert not apart(at(2, 2), at(2, 3))
