"""`mgdebug fix --all` on repositories of up to 1,000 modules and 5,000 cases with planted bugs.

```
repository      how many of 20 bugs are repaired; runs of the suite and memory that it takes
curve           time and memory as modules and cases grow, and their fits
workers         two workers against one
kills           a worker killed every five seconds, against none
```
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import random
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgdebug.bench.planted import (
    Fixed,
    Planted,
    ended,
    fixed,
    generated,
    judged,
    red_cases,
    started,
)
from mgdebug.errors import UsageError

SIZES = {"repository": (1000, 5000, 20), "workers": (200, 1000, 24), "kills": (100, 1000, 10)}
MODULES = ((1, 10), (10, 50), (100, 500), (1000, 5000))  # with so many cases
CASES = ((5, 10), (5, 100), (5, 1000))
KIND = "comparison operator"  # the one bug of a curve, for it is to be the same work at each size
SEEDS, ROUNDS = 3, 2
OF_BUGS, WHOLE_RUNS, PEAK, RATIO = 0.9, 3, 400 << 20, 1.7  # bars
EXAMPLE = "workers=100,1000,10"
EVERY = 5.0  # seconds between two kills


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """only: parts, () for all; PART=MODULES,CASES,BUGS[,SEED] for another repository than its own.
    seconds: for each group."""
    parts = {"repository": _repository, "workers": _workers, "kills": _kills}
    for one in only or ("repository", "curve", "workers", "kills"):
        name, _, size = one.partition("=")
        told = [int(word) for word in size.split(",") if word.isdigit()]
        numbers = told or [*SIZES.get(name, (0,))]
        if (name not in parts or len(numbers) not in (3, 4)) and one != "curve":
            raise UsageError(f"no part {one}", f"curve, or {', '.join(parts)}, or {EXAMPLE}")
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder).resolve()
            if name == "curve":
                yield from _curve(base, seconds)
            else:
                modules, cases, bugs, seed = [*numbers, 0][:4]
                planted = generated(base / "project", modules, cases, bugs, seed)
                yield from parts[name](base, seconds, planted)


def _repository(base: Path, seconds: float, planted: Planted) -> Iterator[tuple[str, bool]]:
    took, red = red_cases(planted.root, planted.failing)
    yield f"{_size(planted)}, pytest takes {took:.1f} s, {len(red)} fail", True
    done = fixed(planted, base / "told", seconds, os.cpu_count() or 1)
    yield from told_of(planted, done, base / "copy")


def told_of(planted: Planted, done: Fixed, copy: Path) -> Iterator[tuple[str, bool]]:
    """A line for each bug, and what is wanted of all."""
    found, broken = judged(planted, done, copy)
    for one in found:
        what = "repaired" if one.repaired else "green, not right" if one.green else "not repaired"
        hunk = one.bug["hunks"][0]
        cases = f"{len(one.bug['cases'])} cases"
        yield f"  {what:16} {one.bug['kind']}  {hunk['path']}:{hunk['line']}  {cases}", True
    repaired, bugs = sum(one.repaired for one in found), len(found)
    bar = math.ceil(OF_BUGS * bugs)
    green = sum(one.green for one in found)
    yield f"repaired: {repaired} of {bugs} (bar {bar}); green: {green}", repaired >= bar
    yield f"broken by the patch: {len(broken)} cases (bar 0)", not broken
    places = {hunk["path"] for bug in planted.bugs for hunk in bug["hunks"]}
    elsewhere = sorted({edit["path"] for edit in done.edits} - places)
    yield f"patched files without a bug: {', '.join(elsewhere) or 'none'}", True
    runs = done.whole_runs
    yield f"runs of all cases: {runs} (bar {WHOLE_RUNS})", runs <= WHOLE_RUNS
    peak = f"{done.peak / 2**20:.0f} MB (bar {PEAK >> 20})"
    yield f"mgdebug itself: {peak}; {done.seconds:.1f} s of wall time", done.peak < PEAK


# ----------------------------------------------------------------------------- the curve


def _curve(base: Path, seconds: float) -> Iterator[tuple[str, bool]]:
    for what, sizes in (("modules", MODULES), ("cases", CASES)):
        points: dict[str, list[tuple[float, float]]] = {}
        for modules, cases in sizes:
            rows = list(_point(base / f"{what}{modules}-{cases}", seconds, modules, cases))
            seconds_, first, last, work, peak, red, suite = map(
                statistics.median, zip(*rows, strict=True)
            )
            yield (
                f"{modules:5} modules {cases:5} cases {red:3.0f} failing: {seconds_:6.1f} s ="
                f" {first:5.1f} first run + {work:5.1f} repair + {last:5.1f} last run;"
                f" pytest {suite:5.1f} s; mgdebug itself {peak:4.0f} MB",
                True,
            )
            x = modules if what == "modules" else cases
            measured = {"all": seconds_, "runs of all cases": first + last, "repair": work}
            for name, value in {**measured, "memory": peak, "pytest": suite}.items():
                points.setdefault(name, []).append((x, max(value, 0.01)))
        for name, some in points.items():
            exponent, fit = fitted(some)
            yield f"  {name:18} ~ {what} ^ {exponent:.2f}  (R2 {fit:.2f})", True


def _point(base: Path, seconds: float, modules: int, cases: int) -> Iterator[tuple[float, ...]]:
    """(seconds, of the first run, of the last, of the repair, MB, failing cases, of pytest)"""
    drawn = (
        generated(base / str(seed), modules, cases, 1, seed, (KIND,)) for seed in itertools.count()
    )
    telling = (planted for planted in drawn if planted.bugs)  # a module may have no place for it
    for seed, planted in enumerate(itertools.islice(telling, SEEDS)):
        suite, red = red_cases(planted.root, planted.failing)
        done = fixed(planted, base / f"told{seed}", seconds, os.cpu_count() or 1)
        work = done.seconds - done.first - done.last
        yield (
            *(done.seconds, done.first, done.last, work),
            *(done.peak / 2**20, float(len(red)), suite),
        )


def fitted(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The exponent of y ~ x ^ exponent by least squares of the logarithms, and R2 of that line."""
    xs, ys = ([math.log(point[at]) for point in points] for at in (0, 1))
    if len(set(ys)) == 1:
        return 0.0, 1.0
    line = statistics.linear_regression(xs, ys)
    return line.slope, statistics.correlation(xs, ys) ** 2


# ---------------------------------------------------------------------------- the workers


def _workers(base: Path, seconds: float, planted: Planted) -> Iterator[tuple[str, bool]]:
    yield _size(planted), True
    times: dict[int, list[float]] = {1: [], 2: []}
    for number in range(ROUNDS):
        for jobs in sorted(times, reverse=bool(number % 2)):
            done = fixed(planted, base / f"told{number}-{jobs}", seconds, jobs)
            times[jobs].append(done.seconds)
            passed = len((done.repair["after"] or done.repair["before"])["passed"])
            yield f"  {jobs} workers: {done.seconds:6.1f} s, {passed} cases pass", True
    one, two = (statistics.median(times[jobs]) for jobs in (1, 2))
    ratio = f"{one / two:.2f} (bar {RATIO})"
    yield f"one worker / two workers = {one:.1f} s / {two:.1f} s = {ratio}", one / two >= RATIO


def _kills(base: Path, seconds: float, planted: Planted) -> Iterator[tuple[str, bool]]:
    yield _size(planted), True
    words = ("--time", f"{seconds:g}", "--jobs", "2", "--cluster", "local")
    ends: list[Fixed] = []
    for kills in (False, True):
        place = base / f"told{kills}"
        began = time.monotonic()
        child = started(planted, place, *words)
        with _killing(child, EVERY if kills else None) as killed:
            ends.append(ended(child, place, began))
        done = ends[-1]
        after = done.repair["after"] or done.repair["before"]
        tasks = ", ".join(f"{count} {what}" for what, count in sorted(done.worked.items()))
        yield (
            f"  {len(killed):2} kills: {done.seconds:6.1f} s, {len(after['passed'])} cases pass;"
            f" tasks: {tasks}",
            True,
        )
        missed = kills and (not killed or not done.worked["lost"])
        yield from [("  no kill was felt", False)] if missed else []
    same = ends[0].edits == ends[1].edits
    yield f"the patch with kills is that without: {'yes' if same else 'no'}", same


@contextlib.contextmanager
def _killing(child: subprocess.Popen[bytes], every: float | None) -> Iterator[list[int]]:
    """While it runs, kill a worker every so many seconds, None for never; gives the killed."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        chance = random.Random(0)
        while not over.wait(every):
            workers = [*_workers_of(child.pid)]
            if workers:
                killed.append(chance.choice(workers))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(killed[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def _workers_of(pid: int) -> Iterator[int]:
    """The Dask workers that a process has started: its children that multiprocessing spawned."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
            if int(parent) == pid and b"spawn_main" in (folder / "cmdline").read_bytes():
                yield int(folder.name)


def _size(planted: Planted) -> str:
    bugs = len(planted.bugs)
    return f"{planted.modules} modules, {planted.cases} cases, {bugs} bugs"
