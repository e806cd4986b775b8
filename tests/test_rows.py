"""The benchmark on files of rows: the engine sees only what it is shown, and runs resume."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mgdebug.bench import running
from mgdebug.bench.rows import read
from mgdebug.bench.running import Asking, repaired
from mgdebug.errors import UsageError

SECRET = 918273645
ROW = {
    "id": "rows/0",
    "entry_point": "double",
    "bug_type": "operator misuse",
    "buggy": "def double(n):\n    return n * 3\n",
    "example_test": "def check(double):\n    assert double(2) == 4\ncheck(double)\n",
    "test": "def check(double):\n    assert double(2) == 4\n    assert double(0) == 0\n",
    "judge": [[f"({SECRET},)", str(2 * SECRET)], ["(-7,)", "-14"]],
    "atol": 0,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    return path


def bench(file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mgdebug", "bench", str(file), "--time", "10", "--jobs", "1"]
    return subprocess.run(
        [*command, *more], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("visible", ["tests", "examples"])
def test_the_engine_is_told_nothing_that_judges(
    file: Path, visible: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    write, popen = running._write, subprocess.Popen

    def heard(to: Any, what: object) -> None:
        told.append(json.dumps(what))
        write(to, what)

    def started(command: Any, *args: Any, **named: Any) -> Any:
        if "mgdebug.bench.repairing" in command:
            told.append(json.dumps([command, dict(named["env"])]))
        return popen(command, *args, **named)

    monkeypatch.setattr(running, "_write", heard)
    monkeypatch.setattr(subprocess, "Popen", started)
    [row] = read(file, visible)
    score = repaired(row, Asking("search", 10.0, 1))
    assert score.first
    assert len(told) >= 2
    assert "double(2) == 4" in told[1]
    everything = "".join(told)
    assert str(SECRET) not in everything
    assert str(2 * SECRET) not in everything
    assert ("double(0)" in everything) == (visible == "tests")


def test_a_run_prints_a_table_keeps_it_and_resumes(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = bench(file, "--out", str(out))
    assert first.returncode == 0, first.stderr
    assert "after 1 question" in first.stdout
    assert "rows/0" in first.stdout + first.stderr
    kept = json.loads((out / "scores.jsonl").read_text())
    assert kept["first"] is True
    assert (out / "plot.svg").read_text().startswith("<svg")
    kept["tried"] = 123456
    (out / "scores.jsonl").write_text(json.dumps(kept) + '\n{"id": "rows/1", "cut')
    again = bench(file, "--out", str(out), "--against", str(out))
    assert again.returncode == 0, again.stderr
    assert json.loads((out / "scores.jsonl").read_text().splitlines()[0])["tried"] == 123456
    other = bench(file, "--out", str(out), "--seed", "5")
    assert other.returncode == 2
    assert "name another folder with --out" in other.stderr


@pytest.mark.parametrize("text", ["no json\n", '{"id": 1}\n', "[1]\n"])
def test_what_is_no_row_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(json.dumps(ROW) + "\n" + text)
    with pytest.raises(UsageError, match="row 2 of"):
        read(path, "tests")
