"""Other tracers on the same programs at sizes that they can bear, each in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from mgdebug.bench.loops import LOOPS
from mgdebug.bench.programs import Program, humanevalfix, passing, quixbugs
from mgdebug.bench.traced import Traced

PEERS = (
    *("settrace", "coverage", "viztracer", "hunter", "watchpoints"),
    *("PySnooper", "snoop", "birdseye"),
)
SECONDS = 14.0  # for one of them
PROGRAMS = 8  # of W1, and of W5
_SCRIPT = Path(__file__).with_name("beside.py")


def report() -> Iterator[tuple[str, bool]]:
    """A line for each peer: nothing of it is a bar.  They are looked for in the interpreter that
    MGDEBUG_PEERS names, else in this one."""
    python = os.environ.get("MGDEBUG_PEERS") or sys.executable
    sizes = ", ".join(f"{loop.name} {loop.small}" for loop in LOOPS)
    names = [loop.name for loop in LOOPS]
    yield f"peers, at small sizes ({sizes}; W1 and W5 {PROGRAMS} programs)", True
    yield f"    {'':22}" + "".join(f"{name:>10}" for name in ("W1", "W5", *names)), True
    request = json.dumps(_request())
    for mode in ("sampled", "every"):
        yield _line(f"this one, {mode}", _own(mode)), True
    for peer in PEERS:
        yield _line(peer, _ask(python, peer, request)), True
    for version in ("3.12", "3.13"):
        where = _interpreter(version)
        name = f"sys.monitoring, {version}"
        yield _line(name, _ask(where, "monitoring", request) if where else "not installed"), True


def _line(name: str, found: Mapping[str, float] | str) -> str:
    columns = ("W1", "W5", *(loop.name for loop in LOOPS))
    if isinstance(found, str):
        return f"    {name:22} {found}"
    told = [f"{found[c]:10.1f}" if c in found else f"{'-':>10}" for c in columns]
    return f"    {name:22}" + "".join(told)


def _request() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"set": loop.name, "text": loop.text, "calls": [f"work({loop.small})"]} for loop in LOOPS
    ]
    for name, programs in (("W1", quixbugs()), ("W5", humanevalfix())):
        rows += [{"set": name, "text": p.text, "calls": calls} for p, calls in _small(programs)]
    return rows


def _small(programs: list[Program]) -> Iterator[tuple[Program, list[str]]]:
    """Programs and calls of them that can be written out."""
    left = PROGRAMS
    for program in programs:
        if not left:
            return
        names = passing(program, 0.02)
        space: dict[str, object] = {}
        exec(compile(program.text, program.path, "exec"), space)
        checks = [check for check in program.checks(space) if check.name in names]
        calls = [call for check in checks for call in [check.written(program)] if call]
        if calls:
            left -= 1
            yield program, calls[:6]


def _own(mode: str) -> dict[str, float]:
    found = {}
    for loop in LOOPS:
        times: dict[str, list[float]] = {"out": [], mode: []}
        spaces = {m: Traced(loop.text, mode=m) for m in times}
        works = {m: traced.namespace()["work"] for m, traced in spaces.items()}
        for _ in range(9):
            for m, traced in spaces.items():
                traced.clear()
                began = time.thread_time()
                works[m](loop.small)
                times[m].append(time.thread_time() - began)
        found[loop.name] = sorted(times[mode])[4] / sorted(times["out"])[4]
    return found


def _ask(python: str, peer: str, request: str) -> dict[str, float] | str:
    command = [python, str(_SCRIPT), peer, str(SECONDS)]
    try:
        said = subprocess.run(
            command, input=request, capture_output=True, text=True, timeout=2 * SECONDS, check=False
        )
        found = json.loads(said.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return "did not end well"
    if isinstance(found, str):
        return found
    return {str(name): float(ratio) for name, ratio in found.items()}


def _interpreter(version: str) -> str | None:
    folders = sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python"))
    return str(folders[-1]) if folders else shutil.which(f"python{version}")
