"""Memory over 20,000 tries: of mgdebug and of all its processes, early on and at the end."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgdebug.bench.tries import one_core
from mgdebug.model import Limits, Target
from mgdebug.runner import Plan, Runner

TRIES, EARLY = 20_000, 2_000
ALONE, ALONE_EARLY = 2_000, 200  # those in forks of their own
BATCH = 200
GROWTH = 0.05  # bar, of the early size
SLACK = 1 << 20  # bytes

PROGRAM = "def scaled(n):\n    return n * 3\n"
EXPRESSIONS = ("scaled(1) == 2", "scaled(2) == 4", "scaled(5) == 10")


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Megabytes of mgdebug and of its workers.  only: (TRIES,) for another number of them."""
    tries = int(only[0]) if only else TRIES
    kinds = (
        ("tries that share a fork", tries, min(EARLY, tries // 2), False),
        ("tries in forks of their own", *_fewer(tries), True),
    )
    for kind, count, early, alone in kinds:
        with tempfile.TemporaryDirectory() as name, one_core():
            first, last = measured(Path(name).resolve(), count, early, alone=alone)
        for what, before, after in zip(("mgdebug", "workers"), first, last, strict=True):
            flat = after <= before * (1 + GROWTH) + SLACK
            text = f"{kind:28} {what:8} {before / 2**20:7.2f} MB after {early}"
            yield f"{text}, {after / 2**20:7.2f} MB after {count} (bar +5% +1 MB)", flat


def _fewer(tries: int) -> tuple[int, int]:
    count = max(2, min(ALONE, tries // 10))
    return count, min(ALONE_EARLY, count // 2)


def measured(
    folder: Path, tries: int, early: int, *, alone: bool
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Bytes that this process and its descendants hold, after `early` tries and after all."""
    (folder / "scale.py").write_text(PROGRAM)
    target = Target(folder, folder, "scale.py", "", (), EXPRESSIONS)
    first: tuple[int, int] | None = None
    with Runner(target, sys.executable, Limits(), 1) as runner:
        plan = Plan.of(runner.run().outcomes)
        done = 0
        while done < tries:
            batch = [_patched(done + index) for index in range(min(BATCH, tries - done))]
            verdicts = runner.attempt(batch, plan, alone=alone)
            if any(verdict.reason == "not tried" for verdict in verdicts):
                raise RuntimeError("a try was not made")
            done += len(batch)
            if first is None and done >= early:
                first = _held()
        assert first is not None
        return first, _held()


def _patched(number: int) -> dict[str, bytes]:
    """Another text each time, wrong in all of them."""
    return {"scale.py": PROGRAM.replace("n * 3", f"n * 3 + {number}").encode()}


def _held() -> tuple[int, int]:
    own = os.getpid()
    return _pss(own), sum(_pss(pid) for pid in _below(own))


def _below(pid: int) -> Iterator[int]:
    """The descendants of a process."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    yield from found[1:]


def _pss(pid: int) -> int:
    """The resident bytes of a process; what several share counts in parts."""
    with contextlib.suppress(OSError, IndexError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) << 10
    return 0
