"""demos/repository.py: what it writes is a project whose only failing cases are those it tells."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from mgdebug.bench.planted import Fixed, Planted, generated, judged, red_cases

MODULES, CASES, BUGS = 12, 60, 5


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return generated(tmp_path_factory.mktemp("demo") / "project", MODULES, CASES, BUGS, 3)


def contents(root: Path) -> dict[str, str]:
    files = sorted(file for file in root.rglob("*") if file.is_file())
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def reverted(planted: Planted) -> Fixed:
    """A repair that puts back what was there before each bug."""
    edits = []
    for bug in planted.bugs:
        for hunk in bug["hunks"]:
            lines = (planted.root / hunk["path"]).read_text("utf-8").splitlines(keepends=True)
            at, count = hunk["line"] - 1, len(hunk["buggy"])
            assert [line.rstrip("\n") for line in lines[at : at + count]] == hunk["buggy"]
            start = len("".join(lines[:at]).encode())
            end = start + len("".join(lines[at : at + count]).encode())
            text = "".join(line + "\n" for line in hunk["original"])
            edits.append({"path": hunk["path"], "start": start, "end": end, "text": text})
    return Fixed(repair={"patch": {"edits": edits}})


def test_exactly_the_cases_that_it_tells_fail(planted: Planted) -> None:
    _, red = red_cases(planted.root, ())
    assert red == planted.failing
    assert (planted.modules, planted.cases) == (MODULES, CASES)
    assert len({bug["kind"] for bug in planted.bugs}) == BUGS
    assert len({bug["hunks"][0]["path"] for bug in planted.bugs}) == BUGS


def test_what_is_put_back_is_judged_as_right_and_what_is_left_as_not_repaired(
    planted: Planted, tmp_path: Path
) -> None:
    found, broken = judged(planted, reverted(planted), tmp_path / "reverted")
    assert [one.repaired for one in found] == [True] * BUGS
    assert not broken
    found, broken = judged(planted, Fixed(repair={"patch": None}), tmp_path / "left")
    assert [(one.green, one.right) for one in found] == [(False, False)] * BUGS
    assert not broken


def test_the_same_seed_gives_the_same_bytes_and_no_module_is_there_twice(
    planted: Planted, tmp_path: Path
) -> None:
    again = generated(tmp_path / "project", MODULES, CASES, BUGS, 3)
    assert contents(again.root) == contents(planted.root)
    assert again.bugs == planted.bugs
    modules = [file for file in contents(again.root) if file.startswith("shop/")]
    modules = [file for file in modules if not file.endswith("__init__.py")]
    assert len({contents(again.root)[file] for file in modules}) == len(modules) == MODULES
    other = generated(tmp_path / "other", MODULES, CASES, BUGS, 4)
    assert contents(other.root) != contents(again.root)


def test_one_module_is_a_repository_and_a_full_folder_is_left_alone(tmp_path: Path) -> None:
    one = generated(tmp_path / "project", 1, 10, 1)
    _, red = red_cases(one.root, ())
    assert red == one.failing
    before = contents(one.root)
    script = Path(__file__).parents[1] / "demos/repository.py"
    done = subprocess.run(
        [sys.executable, script, one.root], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "is not empty" in done.stderr) == (2, True)
    assert contents(one.root) == before
