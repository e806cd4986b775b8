"""The hierarchy of the whole standard library, against `ast.parse` on the same files in one run."""

from __future__ import annotations

import ast
import gc
import random
import resource
import sysconfig
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from mgdebug.errors import SourceError
from mgdebug.languages import language_of
from mgdebug.model import Edit
from mgdebug.syntax.grammar import Grammar
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

PARSING, EVERYTHING, REPARSING, GROWTH = 1.0, 3.0, 1 / 20, 1.15  # bars
LINES, EDITS = 10_000, 60  # of the file that is edited; how often

T = TypeVar("T")


def library(only: Sequence[str] = ()) -> list[Path]:
    """The files of the running interpreter's standard library, its tests included."""
    root = Path(sysconfig.get_path("stdlib"))
    found = sorted(p for p in root.rglob("*.py") if "site-packages" not in p.parts)
    return [p for p in found if not only or p.name in only or p.stem in only]


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Throughput, memory, and what an edit costs."""
    language = language_of("m.py")
    assert language is not None
    yield from _throughput(library(only), language.grammar())
    yield from _editing(library(only), language.grammar())


def _throughput(files: Sequence[Path], grammar: Grammar) -> Iterator[tuple[str, bool]]:
    spent = dict.fromkeys(("ast", "parse", "all"), 0.0)

    def timed(what: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        try:
            return work()
        finally:
            spent[what] += time.perf_counter() - start

    count = lines = subfunctions = blocks = unread = broken = 0
    crashes: list[str] = []
    half = 0
    for number, path in enumerate(files):
        data = path.read_bytes()
        try:
            source = timed("all", lambda data=data, p=path: SourceFile(p.name, data, grammar))  # type: ignore[misc]
        except SourceError:
            unread += 1
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = timed("ast", lambda data=data: ast.parse(data))  # type: ignore[misc]
            del tree
        except (SyntaxError, ValueError):
            broken += 1
        try:
            timed("parse", lambda source=source: source.tree)  # type: ignore[misc]
            found = timed("all", lambda source=source: decompose([source]))  # type: ignore[misc]
        except Exception as error:  # what the bench is there to find
            crashes.append(f"  {path}: {type(error).__name__}: {error}")
            continue
        count += 1
        lines += data.count(b"\n")
        subfunctions += len(found.subfunctions)
        blocks += sum(len(s.blocks) for s in found.subfunctions.values())
        del found, source
        if number == len(files) // 2:
            half = _peak()
    gc.collect()
    yield from ((line, False) for line in crashes)
    growth = _peak() / max(1, half)
    parse, everything = (
        spent["parse"] / spent["ast"],
        (spent["parse"] + spent["all"]) / spent["ast"],
    )
    yield (
        f"hierarchy {count} files, {lines} lines: {subfunctions} subfunctions, {blocks} blocks, "
        f"{len(crashes)} crashes ({broken} do not parse, {unread} cannot be decoded)",
        not crashes,
    )
    yield f"          parsing alone {parse:.2f}x ast.parse (bar {PARSING:.0f}x)", parse < PARSING
    yield (
        f"          everything {everything:.2f}x ast.parse (bar {EVERYTHING:.0f}x)",
        everything <= EVERYTHING,
    )
    yield (
        f"          memory after all files {growth:.2f}x that after half of them ({_peak()} MB)",
        growth <= GROWTH,
    )


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _editing(files: Sequence[Path], grammar: Grammar) -> Iterator[tuple[str, bool]]:
    """A letter changed at random places of a long file made of real ones."""
    text = b""
    for path in files:
        data = path.read_bytes()
        try:
            ast.parse(data)
            SourceFile("m.py", data, grammar)
        except (SyntaxError, ValueError, SourceError):
            continue
        if data.isascii() and b"from __future__" not in data:
            text += data + b"\n"
        if text.count(b"\n") >= LINES:
            break
    source = SourceFile("m.py", text, grammar)
    whole = min(_seconds(lambda: grammar.parse(source.text)) for _ in range(5))
    _ = source.tree
    draw = random.Random(1)
    spent: list[float] = []
    while len(spent) < EDITS:
        at = draw.randrange(len(source.text))
        if source.text[at : at + 1].isalpha():
            edited = source.splice([Edit("m.py", at, at + 1, "q")])
            spent.append(_seconds(lambda edited=edited: edited.tree))  # type: ignore[misc]
    median, lines = sorted(spent)[EDITS // 2], text.count(b"\n")
    yield (
        f"          an edit of {lines} lines: {median * 1e3:.2f} ms, a full parse "
        f"{whole * 1e3:.1f} ms, 1/{whole / median:.0f} (bar 1/20)",
        median / whole < REPARSING,
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
