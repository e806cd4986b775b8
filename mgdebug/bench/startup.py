"""`mgdebug --help` against the imports that it must not pay for."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

ROUNDS = 11
BAR = 0.4  # of the time of importing textual.app

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import click": [sys.executable, "-c", "import click"],
    "import textual.app": [sys.executable, "-c", "import textual.app"],
    "mgdebug --help": [sys.executable, "-c", "from mgdebug.cli import main; main(['--help'])"],
}


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Medians over alternating rounds, in milliseconds of wall time, and the ratio."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(ROUNDS + 1):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            if number:  # the first round warms the disk
                times[name].append(time.perf_counter() - began)
    median = {name: statistics.median(found) for name, found in times.items()}
    for name, value in median.items():
        yield f"{name:20} {1000 * value:7.1f} ms", True
    ratio = median["mgdebug --help"] / median["import textual.app"]
    yield f"mgdebug --help / import textual.app = {ratio:.2f} (bar {BAR})", ratio <= BAR
