"""The full screen as the one before it sees it, on a pty of 160x45: how soon it is painted beside
an empty application of Textual, and how it keeps up in a large session while the search runs."""

from __future__ import annotations

import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgdebug.bench.terminal import ROWS, Terminal
from mgdebug.decoding import from_json
from mgdebug.events import Traced

ROUNDS = 21
PAINT_BAR = 1.15
KEY_BAR, MEMORY_BAR, OUTPUT_BAR = 0.050, 250e6, 5_000.0  # seconds; bytes; bytes a second
KEYS = 60
WATCHED = 15.0  # seconds without a key
_WAITS = 120.0  # seconds until it must search
EMPTY = "from textual.app import App; App().run()"
MINE = "from mgdebug.__main__ import start; start()"

FUNCTION = '''\
def part_{n}(values):
    """Of some values, the sum by rule {n}."""
    total = {n}
    count = 0
    for value in values:
        if value % 3 == 0:
            total += value * {n}
        elif value % 5 == 0:
            total -= value
        else:
            count += 1
    if count > {n}:
        total = total - count
    while count > 3:
        count = count - 2
        total = total + 1
    return total + count


'''
FUNCTIONS, LINES = 500, 20
CASES, OF_A_CASE, VALUES = 12, 41, 64


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Medians over alternating rounds; then figures of one session."""
    with tempfile.TemporaryDirectory(prefix="screen-") as name:
        root = Path(name).resolve()
        if not only or "paint" in only:
            yield from _paint(root)
        if not only or "large" in only:
            yield from _large(root)


def _environment(root: Path) -> dict[str, str]:
    own = {f"XDG_{kind}_HOME": str(root / kind.lower()) for kind in ("STATE", "CACHE")}
    return {**os.environ, **own}


def _painted(data: bytearray) -> bool:
    """Whether all rows of the screen have been drawn."""
    at = data.find(b"\x1b[?1049h")
    return at >= 0 and len(re.findall(rb"\x1b\[\d+;1H", data[at:])) >= ROWS


def _paint(root: Path) -> Iterator[tuple[str, bool]]:
    folder = root / "small"
    folder.mkdir()
    (folder / "program.py").write_text("def least(a, b):\n    return a if a > b else b\n")
    test = "from program import least\n\n\ndef test_least():\n    assert least(1, 2) == 1\n"
    (folder / "test_program.py").write_text(test)
    commands = {
        "an empty application": [sys.executable, "-c", EMPTY],
        "mgdebug": [sys.executable, "-c", MINE],
    }
    firsts: dict[str, list[float]] = {name: [] for name in commands}
    wholes = []
    for number in range(ROUNDS + 1):
        for name, command in commands.items():
            with Terminal(command, folder, _environment(root)) as terminal:
                terminal.wait(_painted, _WAITS)
                first = time.perf_counter() - terminal.began
                if name == "mgdebug":
                    terminal.wait(lambda data: b"all keys" in data, _WAITS)
                    wholes.append(time.perf_counter() - terminal.began)
            if number:  # the first round warms the disk
                firsts[name].append(first)
    median = {name: statistics.median(found) for name, found in firsts.items()}
    for name, value in median.items():
        yield f"first paint of {name}: {1000 * value:.0f} ms", True
    yield f"all of its screen: {1000 * statistics.median(wholes):.0f} ms", True
    ratio = median["mgdebug"] / median["an empty application"]
    yield (
        f"first paint: {ratio:.2f} of that of an empty application (bar {PAINT_BAR})",
        (ratio <= PAINT_BAR),
    )


def _large(root: Path) -> Iterator[tuple[str, bool]]:
    folder = root / "large"
    _write(folder)
    command = [sys.executable, "-c", MINE, "tui", "--time", "600"]
    with Terminal(command, folder, _environment(root)) as terminal:
        if not terminal.wait(lambda data: b"SEARCHING" in data and b"visit" in data, _WAITS):
            yield "the search never began", False
            return
        terminal.reads(3.0)  # the first draw of a large file
        at, began = len(terminal.data), time.perf_counter()
        terminal.reads(WATCHED)
        rate = (len(terminal.data) - at) / (time.perf_counter() - began)
        terminal.type("3")
        terminal.reads(1.0)
        took = [_pressed(terminal, key) for key in ("n", "n", "p", "S", "N", "P") * (KEYS // 6)]
        peak = terminal.peak()
    visits, lines = _recorded(root), FUNCTIONS * LINES
    yield f"a file of {lines} lines, {visits} visits recorded, while the search runs:", True
    known = sorted(one for one in took if one is not None)
    if not known:
        yield "no key press came to the screen", False
        return
    median, late = statistics.median(known), known[int(len(known) * 0.95)]
    yield f"{len(known)} of {len(took)} key presses led somewhere", True
    words = f"{1000 * median:.0f} ms, 95% {1000 * late:.0f} ms (bar {1000 * KEY_BAR:.0f})"
    yield f"a key press is on the screen within {words}", median <= KEY_BAR
    yield (
        f"memory of its process: {peak / 1e6:.0f} MB (bar {MEMORY_BAR / 1e6:.0f})",
        (peak < MEMORY_BAR),
    )
    yield (
        f"output without a key: {rate / 1000:.2f} KB/s (bar {OUTPUT_BAR / 1000:.0f})",
        (rate < OUTPUT_BAR),
    )


def _pressed(terminal: Terminal, key: str) -> float | None:
    """Seconds until another visit stands on the screen; None if none came."""
    at, began = len(terminal.data), time.perf_counter()
    terminal.type(key)
    moved = terminal.wait(lambda data: re.search(rb"visit \s*\d+/", data) is not None, 1.0, at)
    took = time.perf_counter() - began
    terminal.reads(0.1 + random.random() / 10)
    return took if moved else None


def _write(folder: Path) -> None:
    """A program with a mistake that no patch mends: its cases want what none can give."""
    folder.mkdir()
    whole = "".join(FUNCTION.format(n=n) for n in range(FUNCTIONS))
    (folder / "program.py").write_text(whole)
    tests = ["import program\n"]
    for case in range(CASES):
        first = case * OF_A_CASE
        wanted = [f"program.part_{n}(range({VALUES}))" for n in range(first, first + OF_A_CASE)]
        right = "!=" if case % 2 else "=="
        tests.append(f"def test_{case}():\n    found = [{', '.join(wanted)}]\n")
        tests.append(f"    assert sum(found) % 7919 {right} {7920 + case}\n")
    (folder / "test_program.py").write_text("\n".join(tests))


def _recorded(root: Path) -> int:
    """How many visits the traces of the large session hold, by its journal."""
    for file in (root / "state").rglob("large-*/*.jsonl"):
        for line in file.read_text("ascii").splitlines():
            event = from_json(line) if line.startswith('{"event": "Traced"') else None
            if isinstance(event, Traced):
                return sum(len(trace.visits) for trace in event.traces)
    return 0
