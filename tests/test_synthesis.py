"""What the search learns from the states of runs: angelic values, synthesis, and what is put aside.

The programs run for real, in the sandbox, as in any repair.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from mgdebug.model import Edit, Patch, Target, Verdict
from mgdebug.proposers import Brief
from mgdebug.proposers.search.angelic import synthesised
from mgdebug.proposers.search.moments import block_at, moments, telling
from mgdebug.proposers.search.offers import Offer
from mgdebug.proposers.search.pruning import Sieve
from mgdebug.proposers.search.sites import survey
from mgdebug.proposers.search.synthesis import RAISES, Bank
from mgdebug.repair import repair
from mgdebug.settings import Settings

T = TypeVar("T")


def looked(root: Path, text: str, cases: Sequence[str], name: str, look: Callable[[Brief], T]) -> T:
    """What is seen from where a proposer stands, in the repair of a program whose cases are
    expressions."""
    (root / "program.py").write_text(textwrap.dedent(text), "utf-8")
    found: list[T] = []

    class Looking:
        name = "looking"

        def propose(self, brief: Brief) -> Generator[Sequence[Patch], Sequence[Verdict], None]:
            if brief.subfunction.name == name:
                found.append(look(brief))
            return
            yield []

    target = Target(root, root, "program.py", "", (), tuple(cases))
    settings = Settings(time=60.0)
    for _ in repair(target, [Looking()], settings, sys.executable):
        pass
    assert found
    return found[0]


def outcomes(brief: Brief, offers: Sequence[Offer]) -> list[tuple[str, bool]]:
    """The text of the file after each offer, and whether all cases then pass."""
    assert brief.lab is not None
    patches = [
        Patch(tuple(Edit("program.py", *edit) for edit in sorted(offer.edits)), "search", "")
        for offer in offers
    ]
    verdicts = brief.lab.attempt(patches)
    cases = {case.id for case in brief.cases}
    return [
        (brief.source.splice(patch.edits).text.decode(), set(verdict.passed) == cases)
        for patch, verdict in zip(patches, verdicts, strict=True)
    ]


def written(brief: Brief) -> list[Offer]:
    return [offer for offer in synthesised(brief, survey(brief)) if offer is not None]


FEE = """
    def fee(days, weight, member):
        cost = days * 2 + weight
        if member:
            cost = cost - days
        return cost
"""
FEES = ["fee(3, 10, False) == 16", "fee(0, 1, True) == 1", "fee(3, 10, True) == 10"]


def bank(brief: Brief, fragment: str) -> Bank:
    source = brief.source
    own = next(
        block
        for block in brief.subfunction.blocks
        if source.slice(block.span.start, block.span.end).startswith(fragment)
    )
    scope = survey(brief)
    assert brief.lab is not None
    return Bank(scope, brief.lab, moments(own, brief.traces), scope.variables)


def test_expressions_that_give_the_same_everywhere_are_kept_once(tmp_path: Path) -> None:
    def look(brief: Brief) -> list[tuple[str, tuple[str, ...]]]:
        return [(t.wording.text, t.keys) for t in bank(brief, "cost = cost").terms(2)]

    found = dict(looked(tmp_path, FEE, FEES, "fee", look))
    assert len(set(found.values())) == len(found) > 20
    assert {"days", "weight", "cost", "cost - days"} <= set(found)
    # In all states they give what `days` and `cost - days` give.
    assert not {"days + 0", "abs(days)", "weight + days", "days + weight"} & set(found)
    assert all(set(keys) != {RAISES} for keys in found.values())


def test_conditions_differ_in_some_state(tmp_path: Path) -> None:
    def look(brief: Brief) -> list[tuple[str, int, int]]:
        return [(a.wording.text, a.true, a.known) for a in bank(brief, "member").atoms()]

    found = looked(tmp_path, FEE, FEES, "fee", look)
    assert len({(true, known) for _, true, known in found}) == len(found) > 3
    states = max(known for *_, known in found)
    assert states == 2 ** len(FEES) - 1  # each case comes by once
    assert any(text == "member" and bin(true).count("1") == 2 for text, true, _ in found)


@pytest.mark.parametrize(
    ("text", "cases", "name", "wanted"),
    [
        pytest.param(
            """
            def joined(words, banned, limit):
                out = []
                for w in words:
                    out.append(w)
                return "-".join(out)
            """,
            [
                "joined(['a', 'b'], ['z'], 1) == 'a-b'",
                "joined(['a', 'zz', 'c'], ['zz'], 1) == 'a'",
                "joined(['a', 'zz', 'c'], ['zz'], 2) == 'a-zz-c'",
                "joined(['q', 'c', 'qqq', 'd'], ['q', 'qqq'], 2) == 'q-c'",
                "joined(['q', 'ccc', 'qqq', 'd'], ['q', 'qqq'], 2) == 'q-ccc'",
                "joined([], ['q'], 2) == ''",
            ],
            "joined",
            "if w in banned and len(w) > limit:\n            break",
            id="a missing exit",
        ),
        pytest.param(
            """
            def grade(points, bonus, late):
                total = points + bonus
                if total > 50:
                    return "pass"
                return "fail"
            """,
            [
                "grade(60, 0, 0) == 'pass'",
                "grade(60, 0, 20) == 'fail'",
                "grade(60, 15, 20) == 'pass'",
                "grade(40, 5, 0) == 'fail'",
                "grade(40, 20, 10) == 'fail'",
                "grade(55, 0, 4) == 'pass'",
                "grade(45, 5, 0) == 'fail'",
            ],
            "grade",
            "if total - 50 > late:",
            id="a wrong condition",
        ),
        pytest.param(
            FEE,
            [*FEES, "fee(5, 2, True) == 2", "fee(7, 40, True) == 40", "fee(2, 0, True) == 0"],
            "fee",
            "cost = weight\n",
            id="a wrong value",
        ),
    ],
)
def test_what_a_place_had_to_give_is_found_and_written(
    tmp_path: Path, text: str, cases: list[str], name: str, wanted: str
) -> None:
    def look(brief: Brief) -> list[tuple[str, bool]]:
        return outcomes(brief, written(brief))

    found = looked(tmp_path, text, cases, name, look)
    right = [text for text, passed in found if passed]
    assert any(wanted in text for text in right), right
    assert len(right) >= 10  # what is written was worked out, not drawn


def test_nothing_is_written_where_no_value_helps(tmp_path: Path) -> None:
    text = """
        def f(a):
            b = a + 1
            return [b]
    """
    cases = ["f(1) == {'x': object}", "f(2) is f"]
    assert not looked(tmp_path, text, cases, "f", lambda brief: written(brief))


def test_what_is_told_apart_is_told_by_the_fewest_names() -> None:
    rows = [{"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"a": "2", "b": "2"}]
    assert telling(rows, 1, ["a", "b"]) == ["b"]
    assert sorted(telling(rows, 0, ["a", "b"])) == ["a", "b"]
    assert telling([{"a": "1"}, {"a": "1"}], 0, ["a"]) == []
    assert telling([{"a": "1"}], 0, ["a"]) == []


# ------------------------------------------------------------------------------- put aside

SCALED = """
    def scaled(n, xs):
        m = n + 2
        ys = xs
        ys.append(m)
        return n * 2 if n > 1 else xs[9]
"""
SCALINGS = ["scaled(2, []) == 5", "scaled(5, [1]) == 10"]


def sifted(
    brief: Brief, place: str, texts: Sequence[str]
) -> tuple[list[str], list[str], list[str]]:
    """What is tried, put aside, and tried only if its like helps."""
    source = brief.source
    start = source.text.index(place.encode())
    end = start + len(place)
    assert block_at(survey(brief), start, end) is not None
    sieve = Sieve(brief, survey(brief))
    kept = sieve.sift([Offer(1.0, ((start, end, text),), "") for text in texts])
    alike = [o.edits[0][2] for others in sieve.alike.values() for o in others]
    return [o.edits[0][2] for o in kept], [o.edits[0][2] for o in sieve.aside], alike


@pytest.mark.parametrize(
    ("place", "texts", "kept", "aside", "alike"),
    [
        # The failing case has n == 2.
        ("n * 2", ["n + 2", "n ** 2", "m", "n"], ["n"], ["n + 2", "n ** 2", "m"], []),
        ("n * 2", ["n + 3", "n + 1", "5", "m + 1"], ["n + 3", "n + 1"], [], ["5", "m + 1"]),
        ("n * 2", ["n // 0", "n / 0"], ["n // 0", "n / 0"], [], []),  # errors differ in kind
        ("n * 2", ["n * 2.0", "n + 2"], ["n * 2.0"], ["n + 2"], []),  # so do types
        # A list that equals another one is not that list.
        ("xs\n", ["xs[:]\n", "list(xs)\n"], ["xs[:]\n", "list(xs)\n"], [], []),
        ("n * 2", ["xs.pop()", "4"], ["xs.pop()"], ["4"], []),  # it does more than give
    ],
)
def test_what_a_failing_case_cannot_notice_is_put_last(
    tmp_path: Path,
    place: str,
    texts: list[str],
    kept: list[str],
    aside: list[str],
    alike: list[str],
) -> None:
    found = looked(tmp_path, SCALED, SCALINGS, "scaled", lambda b: sifted(b, place, texts))
    assert found == (kept, aside, alike)


def test_what_a_block_has_changed_meanwhile_is_not_taken_for_what_it_was(tmp_path: Path) -> None:
    text = """
        def f(n):
            n = n + 1
            m = n + n
            return m
    """
    cases = ["f(0) == 3", "f(1) == 4"]
    found = looked(tmp_path, text, cases, "f", lambda b: sifted(b, "n + n", ["n", "n * n", "0"]))
    # Before the block n is 0: all of them would be as one.
    assert found == (["n", "n * n", "0"], [], [])
