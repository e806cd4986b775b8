"""The benchmarks run; what they say is for `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mgdebug import bench
from mgdebug.errors import UsageError


def have_data() -> bool:
    try:
        return bench.data("quixbugs.jsonl").is_file()
    except UsageError:
        return False


@pytest.mark.skipif(
    not have_data(), reason="the real bugs are neither in $MGDEBUG_DATA nor ../shared/data"
)
def test_a_row_of_real_bugs_ends_green() -> None:
    lines = [line for line, _ in bench.run("quixbugs", ["gcd"], 60.0)]
    assert lines[-1].startswith("1 of 1 end green")


def test_missing_data_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGDEBUG_DATA", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "mgdebug", "bench", "quixbugs"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "MGDEBUG_DATA" in done.stderr
