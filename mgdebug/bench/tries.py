"""One try of a patch on a pytest file of five cases, against `python -m pytest` on the same
file."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgdebug.model import Limits, Target
from mgdebug.runner import Plan, Runner

PROGRAM = """\
def clamp(value, low, high):
    if value < low:
        return high
    if value > high:
        return high
    return value
"""
CASES = """\
import pytest

from bounds import clamp


@pytest.mark.parametrize(
    ("value", "wanted"), [(-5, 0), (0, 0), (5, 5), (10, 10), (15, 10)]
)
def test_clamp(value, wanted):
    assert clamp(value, 0, 10) == wanted
"""
BAR = 1 / 20
ROUNDS, TRIES = 7, 40


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Milliseconds of wall time on one core, both measured in turn, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bounds.py").write_text(PROGRAM)
        (folder / "test_bounds.py").write_text(CASES)
        right = PROGRAM.replace("return high", "return low", 1).encode()
        wrong = PROGRAM.replace("return high", "return value", 1).encode()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_bounds.py"]
        alone: list[float] = []
        tries: dict[str, list[float]] = {"all five cases pass": [], "the first case fails": []}
        target = Target(folder, folder, "bounds.py", "", ("test_bounds.py",))
        with Runner(target, sys.executable, Limits(), 1) as runner:
            plan = Plan.of(runner.run().outcomes)
            runner.attempt([{"bounds.py": right}], plan)
            for _ in range(ROUNDS):
                began = time.perf_counter()
                subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False)
                alone.append(time.perf_counter() - began)
                for kind, data in zip(tries, (right, wrong), strict=True):
                    began = time.perf_counter()
                    runner.attempt([{"bounds.py": data}] * TRIES, plan)
                    tries[kind].append((time.perf_counter() - began) / TRIES)
        whole = statistics.median(alone)
        yield f"{'python -m pytest':24} {1000 * whole:7.1f} ms", True
        for kind, times in tries.items():
            one = statistics.median(times)
            text = f"{'a try, ' + kind:24} {1000 * one:7.1f} ms, 1/{whole / one:.0f} of it"
            yield f"{text} (bar 1/{1 / BAR:.0f})", one / whole <= BAR
