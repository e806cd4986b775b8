"""One confined try of a patch on a pytest file of five cases, against `python -m pytest` on the
same file, and against a bare fork of a process that has it imported."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
FORKS = """\
import gc, os, sys, time
import pytest
class Loop:
    def pytest_runtestloop(self, session):
        gc.freeze()
        began = time.perf_counter()
        for _ in range(200):
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)
        print("seconds", (time.perf_counter() - began) / 200, file=sys.stderr)
        return True
pytest.main(["-q", "-p", "no:cacheprovider", "test_bounds.py"], plugins=[Loop()])
"""
OF_PYTEST, OF_A_FORK = 1 / 60, 3.0  # bars
ROUNDS, TRIES = 7, 40


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Milliseconds of wall time on one core, all measured in turn, and their ratios."""
    with tempfile.TemporaryDirectory() as name, one_core():
        folder = Path(name).resolve()
        (folder / "bounds.py").write_text(PROGRAM)
        (folder / "test_bounds.py").write_text(CASES)
        wrong = PROGRAM.replace("return high", "return value", 1).encode()
        right = PROGRAM.replace("return high", "return low", 1).encode()
        kinds = {
            "a try in a fork of its own": (wrong, True),
            "one that passes: all five cases": (right, False),
            "a try of many in one fork": (wrong, False),
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_bounds.py"]
        whole: list[float] = []
        bare: list[float] = []
        tries: dict[str, list[float]] = {kind: [] for kind in kinds}
        target = Target(folder, folder, "bounds.py", "", ("test_bounds.py",))
        with Runner(target, sys.executable, Limits(), 1) as runner:
            plan = Plan.of(runner.run().outcomes)
            runner.attempt([{"bounds.py": right}], plan)
            for _ in range(ROUNDS):
                began = time.perf_counter()
                subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False)
                whole.append(time.perf_counter() - began)
                bare.append(_fork_seconds(folder))
                for kind, (data, alone) in kinds.items():
                    began = time.perf_counter()
                    runner.attempt([{"bounds.py": data}] * TRIES, plan, alone=alone)
                    tries[kind].append((time.perf_counter() - began) / TRIES)
        pytest, fork = statistics.median(whole), statistics.median(bare)
        yield f"{'python -m pytest':32} {1000 * pytest:7.2f} ms", True
        yield f"{'a bare fork':32} {1000 * fork:7.2f} ms", True
        for kind, times in tries.items():
            one = statistics.median(times)
            text = f"{kind:32} {1000 * one:7.2f} ms, 1/{pytest / one:.0f} of pytest"
            text += f" (bar 1/{1 / OF_PYTEST:.0f}), {one / fork:.1f} forks"
            met = one / pytest <= OF_PYTEST
            if kind == "a try in a fork of its own":
                text += f" (bar {OF_A_FORK:.0f})"
                met = met and one / fork <= OF_A_FORK
            yield text, met


def _fork_seconds(folder: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", FORKS], cwd=folder, capture_output=True, text=True, check=True
    )
    return float(done.stderr.split()[-1])


@contextmanager
def one_core() -> Iterator[None]:
    """This process and its children share one processor, where that can be had."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
