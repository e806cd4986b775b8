"""Confined tries a second in value mode on one core: patches of the search engine for the functions
of HumanEvalFix, with the examples of their docstrings as cases."""

from __future__ import annotations

import ast
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mgdebug import suspects
from mgdebug.bench import data
from mgdebug.bench.tries import one_core
from mgdebug.judge import is_plausible, patched
from mgdebug.languages import language_of
from mgdebug.model import Limits, Target, Verdict
from mgdebug.proposers import Brief, proposer
from mgdebug.runner import Plan, Runner
from mgdebug.sources import named
from mgdebug.syntax.hierarchy import decompose

BAR = 1500.0  # tries a second, the median of the programs
TRIES = 400
FILE = "program.py"


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """A line a program: tries, how many a second, and what became of them."""
    rates = []
    with one_core():
        for line in data("humanevalfix.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            if only and row["id"] not in only:
                continue
            found = _measured(row)
            if found is not None:
                verdicts, rate = found
                rates.append(rate)
                ends = ", ".join(f"{count} {end}" for end, count in _ends(verdicts).most_common())
                yield f"{row['id']:20} {len(verdicts):4} tries {rate:7.0f} a second  {ends}", True
    if rates:
        middle = statistics.median(rates)
        yield f"median of {len(rates)}: {middle:.0f} tries a second (bar {BAR:.0f})", middle >= BAR


def _measured(row: dict[str, Any]) -> tuple[list[Verdict], float] | None:
    """None if its examples pass already, or reach nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / FILE).write_text(row["buggy"], "utf-8")
        target = Target(folder, folder, FILE, "", (), tuple(_expressions(row)), None)
        with Runner(target, sys.executable, Limits(), 1, doctests=False) as runner:
            outcomes = runner.run().outcomes
            plan = Plan.of(outcomes)
            if not plan.failing:
                return None
            tries = _tries(runner, folder, plan)
            if not tries:
                return None
            runner.attempt(tries[:1], plan)
            began = time.perf_counter()
            verdicts = runner.attempt(tries, plan)
            took = time.perf_counter() - began
            ends = [
                "plausible" if is_plausible(v, plan) else v.reason.partition(" of ")[0] or "failed"
                for v in verdicts
            ]
            return [Verdict((), (), end) for end in ends], len(tries) / took


def _tries(runner: Runner, folder: Path, plan: Plan) -> list[dict[str, bytes]]:
    """What the search engine offers for the most suspicious subfunction while nothing helps."""
    files = {FILE: named(folder, FILE)}
    hierarchy = decompose(files.values())
    traces, _, imported = runner.trace(hierarchy, plan.order, plan.order)
    ranked = suspects.rank(hierarchy, tuple(traces), imported)
    language = language_of(FILE)
    if not ranked or language is None:
        return []
    worst = ranked[0].subfunction
    brief = Brief(
        files[FILE],
        language,
        hierarchy,
        hierarchy.subfunctions[worst],
        tuple(s for s in ranked if s.subfunction == worst),
        tuple(traces),
    )
    talk = proposer("search").propose(brief)
    found: list[dict[str, bytes]] = []
    try:
        batch = next(talk)
        while len(found) < TRIES:
            for patch in batch:
                found.append({path: f.data for path, f in patched(files, patch).items()})
            batch = talk.send([Verdict((), plan.failing)] * len(batch))
    except StopIteration:
        pass
    return found[:TRIES]


def _expressions(row: dict[str, Any]) -> Iterator[str]:
    for node in ast.walk(ast.parse(row["example_test"])):
        if isinstance(node, ast.Assert):
            yield ast.unparse(node.test).replace("candidate(", f"{row['entry_point']}(")


def _ends(verdicts: Sequence[Verdict]) -> Counter[str]:
    return Counter(verdict.reason for verdict in verdicts)
