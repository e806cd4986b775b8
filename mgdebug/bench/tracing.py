"""How much slower a program is while it is traced.

Thread CPU time, medians of runs that alternate with untraced ones, as ratios.  The sets W1 (20
QuixBugs programs) and W5 (HumanEvalFix) hold the faulty programs only: they run with the checks
that pass on them, without those that never end or use up the stack.  Their figures are geometric
means over the programs.
"""

from __future__ import annotations

import gc
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from mgdebug.bench import peers
from mgdebug.bench.loops import LOOPS
from mgdebug.bench.programs import Check, Program, chosen, ended, humanevalfix, passing, quixbugs
from mgdebug.bench.traced import CAP, MODES, Traced, hierarchy_of

BARS = {  # of the ratio to the untraced run
    "sampled": {"W1": 5.0, "W2": 1.25, "W2b": 1.6, "W3": 1.6, "W4": 2.6, "W5": 5.0},
    "every": {"W1": 9.0, "W2": 9.0, "W2b": 14.0, "W3": 20.0, "W4": 24.0, "W5": 6.0},
}
OUT = 1.03  # 1.00 and some noise
END_TO_END = 3.0  # ms a function and check
SHORT = 0.3  # seconds that a check of a set may take
ROUNDS, LOOP_ROUNDS = 15, 5
BRIEF = 0.002  # seconds of a run that is made twice, the first to warm up
PROGRAMS = 20  # of W1
VISITS = 10_000_000

Pass = Callable[[bool], float]  # with one clear a check? -> seconds


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """only: names of rows ("W1", "end to end", "memory", "peers")."""

    def asked(name: str) -> bool:
        return not only or name in only

    for name, programs in (("W1", quixbugs), ("W5", humanevalfix)):
        if asked(name):
            most = PROGRAMS if name == "W1" else None
            yield from _set(name, _able(programs(), most))
    for loop in LOOPS:
        if asked(loop.name):
            check = _loop(loop.size)
            program = Program(loop.name, loop.text, check)
            ratios = _ratios(program, ["work"], LOOP_ROUNDS, (False,))
            note = f"{loop.what}, {loop.size}"
            yield from _rows(loop.name, {mode: [ratios[mode, False]] for mode in MODES}, note)
    if asked("end to end"):
        yield from _end_to_end(chosen(quixbugs(), ()))
    if asked("memory"):
        yield from _memory()
    if asked("peers"):
        yield from peers.report()


def _loop(size: int) -> Callable[[dict[str, object]], list[Check]]:
    return lambda space: [Check("work", space["work"], (size,))]  # type: ignore[arg-type]


def _able(programs: Sequence[Program], most: int | None) -> list[tuple[Program, list[str]]]:
    """Programs with the checks that they pass, the first `most` of those that have any."""
    found: list[tuple[Program, list[str]]] = []
    for program in programs:
        if most is not None and len(found) == most:
            break
        names = passing(program, SHORT)
        if names:
            found.append((program, names))
    return found


def _set(name: str, programs: Sequence[tuple[Program, list[str]]]) -> Iterator[tuple[str, bool]]:
    found: dict[tuple[str, bool], list[float]] = {}
    for program, names in programs:
        for key, ratio in _ratios(program, names, ROUNDS, (False, True)).items():
            found.setdefault(key, []).append(ratio)
    checks = sum(len(names) for _, names in programs)
    columns = {
        mode: [statistics.geometric_mean(found[mode, each]) for each in (False, True)]
        for mode in MODES
    }
    note = f"{len(programs)} programs, {checks} checks; a clear a program / a check"
    yield from _rows(name, columns, note)


def _rows(name: str, columns: dict[str, list[float]], note: str) -> Iterator[tuple[str, bool]]:
    yield f"{name}: {note}", True
    for mode, ratios in columns.items():
        bar = OUT if mode == "out" else BARS.get(mode, {}).get(name, math.inf)
        told = " / ".join(f"{ratio:.2f}" for ratio in ratios)
        wanted = "no bar" if bar == math.inf else f"bar {bar:g}"
        yield f"    {mode:8} {told:>15} ({wanted})", max(ratios) <= bar


def _ratios(
    program: Program, names: Sequence[str], rounds: int, clears: Sequence[bool]
) -> dict[tuple[str, bool], float]:
    """By mode and whether there is a clear for each check."""
    plain = _pass(Traced(program.text, program.path, mode="out"), program, names)
    modes = {m: _pass(Traced(program.text, program.path, mode=m), program, names) for m in MODES}
    ratios: dict[tuple[str, bool], float] = {}
    gc.collect()
    gc.freeze()
    for each in clears:
        times: dict[str, list[float]] = {mode: [] for mode in ("plain", *MODES)}
        for number in range(rounds + 1):
            for mode, work in (("plain", plain), *modes.items()):
                spent = work(each)
                if spent < BRIEF:  # the caches hold what ran before it
                    spent = work(each)
                if number:  # the first round warms up
                    times[mode].append(spent)
        base = statistics.median(times["plain"])
        ratios |= {(m, each): statistics.median(times[m]) / base for m in MODES}
    gc.unfreeze()
    return ratios


def _pass(traced: Traced, program: Program, names: Sequence[str]) -> Pass:
    """All the checks once."""
    wanted = set(names)
    traced.clear()
    checks = [c for c in program.checks(traced.namespace()) if c.name in wanted]

    def work(each: bool) -> float:
        ready = [check.ready() for check in checks]
        traced.clear()
        began = time.thread_time()
        for one in ready:
            if each:
                traced.clear()
            one()
        return time.thread_time() - began

    return work


def _end_to_end(programs: Sequence[Program]) -> Iterator[tuple[str, bool]]:
    """Probes, compiling, running each check that ends, and reading its trace."""
    parts = dict.fromkeys(("hierarchy", "probes", "runs", "reading"), 0.0)
    pairs = functions = 0
    for program in programs:
        names = set(passing(program, SHORT))
        began = time.perf_counter()
        hierarchy = hierarchy_of(program.text, program.path)
        parts["hierarchy"] += time.perf_counter() - began
        traced = Traced(program.text, program.path, mode="sampled", hierarchy=hierarchy)
        parts["probes"] += traced.instrument_seconds
        functions += sum(s.kind.called for s in hierarchy.subfunctions.values())
        for check in program.checks(traced.namespace()):
            if check.name not in names:
                continue
            traced.clear()
            began = time.perf_counter()
            ended(check, 20.0)
            parts["runs"] += time.perf_counter() - began
            began = time.perf_counter()
            traced.trace()
            parts["reading"] += time.perf_counter() - began
            pairs += 1
    whole = 1000 * (sum(parts.values()) - parts["hierarchy"]) / max(1, pairs)
    told = ", ".join(f"{what} {1000 * spent / max(1, pairs):.2f}" for what, spent in parts.items())
    yield (
        f"end to end: {whole:.2f} ms a function and check (bar {END_TO_END:g}), "
        f"{functions} functions, {pairs} checks: {told}",
        whole <= END_TO_END,
    )


def _memory() -> Iterator[tuple[str, bool]]:
    for mode in ("sampled", "every"):
        command = [sys.executable, "-m", "mgdebug.bench.memory", mode, str(VISITS)]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if said.returncode:
            yield f"memory, {mode}: {said.stderr.strip()[-200:]}", False
            continue
        found = json.loads(said.stdout)
        yield (
            f"memory, {mode}: {found['grown'] / 2**20:.1f} MB more (bar {CAP >> 20}) after "
            f"{found['hits']} visits, {found['kept']} kept, {found['dropped']} dropped; "
            f"{found['read'] / 2**20:.0f} MB more after reading them here",
            found["grown"] <= CAP and found["kept"] + found["dropped"] >= found["hits"],
        )
