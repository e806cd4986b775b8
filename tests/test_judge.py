"""Plausible patches: minimised, grouped by what they do, ranked, and proved by values."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mgdebug import judge
from mgdebug.languages import language_of
from mgdebug.model import Edit, Limits, Patch, Target
from mgdebug.runner import Plan, Runner
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

SOURCE = """\
def double(n):
    result = n + 3
    return result
"""
TESTS = """\
from m import double


def test_three():
    assert double(3) == 6


def test_one():
    assert double(1) == 2
"""


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    (tmp_path / "m.py").write_text(SOURCE)
    (tmp_path / "test_m.py").write_text(TESTS)
    with Runner(Target(tmp_path, tmp_path, "m.py"), sys.executable, Limits(), 1) as runner:
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
    return Patch((edit,), "test", f"{old} becomes {new}", "m.py::double", cost)


def test_patches_that_do_the_same_are_one_group(bench: judge.Bench, runner: Runner) -> None:
    patches = [patch("n + 3", "2 * n", 2), patch("n + 3", "n * 2", 1), patch("return result", "")]
    alternatives = judge.group(bench, patches[:2], runner, 30)
    assert [[p.cost for p in a.patches] for a in alternatives] == [[1, 2]]
    assert "+    result = n * 2\n" in alternatives[0].diff


def test_patches_that_make_the_same_edits_are_one_group_without_being_run(
    bench: judge.Bench, runner: Runner
) -> None:
    one, other = patch("n + 3", "n * 2"), patch("n + 3", "n * 4")
    again = replace(one, note="the same, found in another way")
    found = judge.group(bench, [one, again, other], runner, 0.0, looked_at=False)
    assert [alternative.patches for alternative in found] == [(one, again), (other,)]


def test_patches_that_differ_are_ranked_by_cost(bench: judge.Bench, runner: Runner) -> None:
    patches = [patch("n + 3", "n + n + 1", 5), patch("n + 3", "n * 2", 4), patch("3", "4", 6)]
    alternatives = judge.group(bench, patches, runner, 30)
    assert [a.patches[0].cost for a in alternatives] == [4, 5, 6]


def test_without_time_nothing_is_traced_and_nothing_is_lost(
    bench: judge.Bench, runner: Runner
) -> None:
    patches = [patch("n + 3", "2 * n", 2), patch("n + 3", "n * 2", 1)]
    alternatives = judge.group(bench, patches, runner, 0)
    assert [a.patches[0].cost for a in alternatives] == [1, 2]
    assert all(a.evidence is None for a in alternatives)


def test_the_evidence_is_where_the_runs_part(bench: judge.Bench, runner: Runner) -> None:
    (alternative,) = judge.group(bench, [patch("n + 3", "n * 2")], runner, 30)
    proof = alternative.evidence
    assert proof is not None
    assert proof.was is not None
    assert proof.now is not None
    assert (proof.case, proof.line, proof.name) == ("test_m.py::test_one", 3, "the result")
    assert (proof.was.text, proof.now.text) == ("4", "2")


def test_edits_that_no_case_needs_are_dropped(bench: judge.Bench, runner: Runner) -> None:
    needed, idle = patch("n + 3", "n * 2"), patch("return result", "return result + 0")
    both = Patch((*needed.edits, *idle.edits), "test", "both", "m.py::double")
    assert judge.minimise(bench, both, runner).edits == needed.edits


def test_steps_become_one_patch_of_the_original(bench: judge.Bench) -> None:
    first = patch("n + 3", "n * 2")
    now = {**bench.files, **judge.patched(bench.files, first)}
    start = now["m.py"].text.index(b"return result")
    last = Patch((Edit("m.py", start, start, "pass\n    "),), "test", "more", "m.py::double", 2)
    whole = judge.compose(bench.files, now, last, [first])
    assert judge.patched(bench.files, whole)["m.py"].text == (
        b"def double(n):\n    result = n * 2\n    pass\n    return result\n"
    )
    assert whole.cost == 3


def test_a_flagged_patch_stands_behind_every_other(bench: judge.Bench, runner: Runner) -> None:
    forged = patch("return result", "import pytest; return 2 * n", 0)
    alternatives = judge.group(bench, [forged, patch("n + 3", "n + n + 1", 9)], runner, 30)
    assert [a.patches[0].cost for a in alternatives] == [9, 0]
    assert [a.flags for a in alternatives] == [
        (),
        ("it touches the machinery of tests (pytest)",),
    ]


def test_alone_a_flagged_patch_is_offered_with_its_flags(
    bench: judge.Bench, runner: Runner
) -> None:
    (only,) = judge.group(bench, [patch("return result", "exit(0)", 0)], runner, 0)
    assert only.flags == ("it calls or names exit, which ends the process or a case",)
