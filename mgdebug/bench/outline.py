"""Outlining: does the outlined text fold back byte for byte, and does it behave as the original?

library: every module of the running CPython's standard library.  humanevalfix, classeval: real
bugs, whose cases must end the same way.  Each with the default size, and with one so small that
almost every function is cut.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from mgdebug.bench import data
from mgdebug.errors import SourceError
from mgdebug.languages import language_of
from mgdebug.syntax.outline import Outline, outline
from mgdebug.syntax.source import SourceFile

SIZES = {"default": (12, 3), "small": (3, 1)}
PARTS = ("library", "humanevalfix", "classeval")
_LIMITS = (0.3, 3.0)  # seconds of a case; the second where the first shows a difference
_Given = TypeVar("_Given")
_Outcomes = list[list[str]]


@dataclass
class _Count:
    """What was seen of the files of one part at one size."""

    files: int = 0
    large: int = 0  # functions above the size
    whole: int = 0  # of those, the ones that nothing was cut from
    pieces: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    cases: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: _Count) -> None:
        self.files += other.files
        self.large += other.large
        self.whole += other.whole
        self.pieces += other.pieces
        self.refusals += other.refusals
        self.cases += other.cases
        self.wrong += other.wrong


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """only: names of parts.  seconds: for all the cases of one row."""
    chosen = [part for part in PARTS if not only or part in only]
    for part in chosen:
        began = time.perf_counter()
        counts = {size: _Count() for size in SIZES}
        for size, count in _counts(part, seconds):
            counts[size].add(count)
        for size, count in counts.items():
            yield from _lines(f"{part}, {size} size {SIZES[size]}", count)
        yield f"  {time.perf_counter() - began:.0f} s", True


def _lines(title: str, count: _Count) -> Iterator[tuple[str, bool]]:
    yield (
        f"{title}: {count.files} files, {count.large} functions above the size, "
        f"{count.pieces} pieces cut, {count.whole} functions left whole",
        True,
    )
    reasons = (f"{reason} {number}" for reason, number in count.refusals.most_common())
    yield f"  refused: {', '.join(reasons) or 'nothing'}", True
    for line in count.wrong[:20]:
        yield f"  WRONG {line}", True
    what = f"{count.cases} cases, " if count.cases else ""
    yield f"  {what}{len(count.wrong)} differences (bar 0)", not count.wrong


def _counts(part: str, seconds: float) -> Iterator[tuple[str, _Count]]:
    cores = os.cpu_count() or 1
    if part == "library":
        root = Path(sysconfig.get_path("stdlib"))
        files = [f for f in sorted(root.rglob("*.py")) if "site-packages" not in f.parts]
        with ProcessPoolExecutor(cores) as pool:
            yield from _flat(pool, _library, [str(file) for file in files])
    else:
        rows = data(f"{part}.jsonl").read_text("utf-8").splitlines()
        with ThreadPoolExecutor(cores) as threads:
            yield from _flat(threads, _row, [(part, row, seconds) for row in rows])


def _flat(
    pool: Executor, work: Callable[[_Given], list[tuple[str, _Count]]], given: Iterable[_Given]
) -> Iterator[tuple[str, _Count]]:
    for counts in pool.map(work, given):
        yield from counts


def _source(path: str, text: bytes) -> SourceFile:
    language = language_of(path)
    assert language is not None
    return SourceFile(path, text, language.grammar())


def _count(found: Outline) -> _Count:
    cut = {piece.function for piece in found.pieces}
    stays = {refusal.function for refusal in found.refusals}
    refusals = Counter(refusal.reason for refusal in found.refusals)
    return _Count(1, len(cut | stays), len(stays - cut), len(found.pieces), refusals)


def _compiles(text: bytes, path: str) -> str:
    """ "" or why it does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return str(error)
    return ""


def _library(path: str) -> list[tuple[str, _Count]]:
    """A module: is it restored byte for byte, and does its outlined text compile?"""
    text = Path(path).read_bytes()
    if _compiles(text, path):
        return []
    try:
        source = _source(path, text)
    except SourceError:
        return []
    counts = []
    for size, (statements, nesting) in SIZES.items():
        found = outline(source, statements, nesting)
        count = _count(found)
        if found.restored() != source.text:
            count.wrong.append(f"{path}: not restored")
        elif why := _compiles(found.outlined.data, path):
            count.wrong.append(f"{path}: {why}")
        counts.append((size, count))
    return counts


def _row(given: tuple[str, str, float]) -> list[tuple[str, _Count]]:
    """A real bug: do all cases end as they did?"""
    part, line, seconds = given
    row = json.loads(line)
    request: dict[str, object] = {"kind": "tests", "checks": row["test"]}
    if part == "humanevalfix":
        arguments = [pair[0] for pair in row["judge"]]
        checks = [row["example_test"], row["test"]]
        request = {"kind": "calls", "entry": row["entry_point"], "checks": checks}
        request["arguments"] = arguments
    source = _source("m.py", row["buggy"].encode())
    counts = []
    was: dict[float, _Outcomes] = {}
    for size, (statements, nesting) in SIZES.items():
        found = outline(source, statements, nesting)
        count = _count(found)
        if found.restored() != source.text:
            count.wrong.append(f"{row['id']}: not restored")
        for limit in _LIMITS if found.pieces else ():
            if limit not in was:
                was[limit] = _outcomes({**request, "text": row["buggy"]}, limit, seconds)
            text = found.outlined.text.decode()
            now = _outcomes({**request, "text": text}, limit, seconds)
            count.cases = len(now)
            if was[limit] == now:
                break
        else:
            if found.pieces:
                pairs = zip(was[limit], now, strict=False)
                first = next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))
                count.wrong.append(f"{row['id']}: {str(first[0])[:150]} -> {str(first[1])[:150]}")
        counts.append((size, count))
    return counts


def _outcomes(request: dict[str, object], limit: float, seconds: float) -> _Outcomes:
    with tempfile.TemporaryDirectory() as folder:
        try:
            ended = subprocess.run(
                [sys.executable, str(Path(__file__).with_name("outcomes.py"))],
                input=json.dumps({**request, "seconds": limit}),
                cwd=folder,
                env={**os.environ, "PYTHONHASHSEED": "0"},  # sets in one order in both runs
                capture_output=True,
                text=True,
                timeout=max(seconds, 20 * limit),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [["time"]]
    try:
        outcomes: _Outcomes = json.loads(ended.stdout)
    except ValueError:
        return [["died", str(ended.returncode)]]
    return outcomes
