"""Suites -> repair() -> scores.  Every speed is a ratio of two things measured in one run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from mgdebug.errors import UsageError

SUITES = {
    "startup": "mgdebug.bench.startup",
    "tries": "mgdebug.bench.tries",
    "rates": "mgdebug.bench.rates",
    "evaluating": "mgdebug.bench.evaluating",
    "quixbugs": "mgdebug.bench.quixbugs",
    "hierarchy": "mgdebug.bench.hierarchy",
    "edges": "mgdebug.bench.edges",
    "outline": "mgdebug.bench.outline",
    "broken": "mgdebug.bench.broken",
    "tracing": "mgdebug.bench.tracing",
    "truth": "mgdebug.bench.truth",
    "kills": "mgdebug.bench.kills",
    "hostile": "mgdebug.bench.hostile",
    "flat": "mgdebug.bench.flat",
    "asking": "mgdebug.bench.asking",
    "paper": "mgdebug.bench.paper",
    "screen": "mgdebug.bench.screen",
    "hook": "mgdebug.bench.hook",
    "scale": "mgdebug.bench.scale",
}


def run(suite: str, only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """The lines of a suite's report; each with False if a bar was missed in it.

    only: names of rows, () for all.  seconds: for each repair.
    """
    lines: Iterator[tuple[str, bool]] = import_module(SUITES[suite]).run(only, seconds)
    return lines


def data(name: str) -> Path:
    """A file of the real bugs.  Raises UsageError if it is not on this machine."""
    given = os.environ.get("MGDEBUG_DATA")
    folder = Path(given) if given else Path(__file__).resolve().parents[3] / "shared/data"
    file = folder / name
    if not file.is_file():
        raise UsageError(f"{name} is not in {folder}", "set MGDEBUG_DATA to the folder of the data")
    return file
