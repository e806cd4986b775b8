"""QuixBugs: forty classic algorithms with one faulty line each, as pytest projects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgdebug.bench import data

BAR = 0.7  # of the rows end green


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Each row in a folder of its own, through the command line, as a user would: `fix --apply`;
    then pytest on its own says whether it is green."""
    rows = [json.loads(line) for line in data("quixbugs.jsonl").read_text("utf-8").splitlines()]
    chosen = [row for row in rows if not only or row["id"].rpartition("/")[2] in only]
    green = 0
    yield f"{'program':34} {'ends':6} {'seconds':>7}  patch", True
    for row in chosen:
        began = time.perf_counter()
        ok, note = _repaired(row, seconds)
        green += ok
        took = time.perf_counter() - began
        yield f"{row['id']:34} {'green' if ok else 'RED':6} {took:7.1f}  {note}", True
    share = green / len(chosen) if chosen else 0.0
    yield f"{green} of {len(chosen)} end green (bar {BAR:.0%})", share >= BAR


def _repaired(row: dict[str, object], seconds: float) -> tuple[bool, str]:
    files = row["files"]
    assert isinstance(files, dict)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
        target, tests = str(row["target"]), str(row["tests"])
        own = [sys.executable, "-m", "mgdebug", "fix", target, "--tests", tests]
        environment = {**os.environ, "XDG_STATE_HOME": str(folder / ".state")}
        said = subprocess.run(
            [*own, "--time", str(seconds), "--apply"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        ).stderr
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests]
        try:
            alone = subprocess.run(pytest, cwd=folder, capture_output=True, timeout=30, check=False)
            green = alone.returncode == 0
        except subprocess.TimeoutExpired:
            green = False
    lines = [line for line in said.splitlines() if line.startswith("patch")]
    last = said.strip().splitlines()[-1:] or [""]
    note = (lines or last)[0].removeprefix("patch").strip().partition(", ")[2] or last[0]
    return green, note[:110]
