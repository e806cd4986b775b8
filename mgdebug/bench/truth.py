"""What the recorder says against what a slow tracer sees, on all the real bugs: every kept value,
every count that instructions can show, and how each check ends with probes and without."""

from __future__ import annotations

import datetime
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from mgdebug.bench.compared import Findings, compare
from mgdebug.bench.programs import (
    Check,
    Program,
    chosen,
    classeval,
    ended,
    execute,
    humanevalfix,
    quixbugs,
)
from mgdebug.bench.reference import Reference
from mgdebug.bench.traced import Traced
from mgdebug.model import Trace
from mgdebug.probe.secrets import mask

SETS = {"quixbugs": quixbugs, "humanevalfix": humanevalfix, "classeval": classeval}
PLAIN, PROBES, SLOW = 1.0, 20.0, 20.0  # seconds of processor time of a check
LONG = 0.03  # seconds of a plain check that the reference could not follow in time
PROGRAM = 100.0  # seconds of wall time for all of a program
MEMORY = 2 << 30
SHOWN = 12  # of what is wrong

Distort = Callable[[Trace], Trace]


@dataclass(slots=True)
class Report:
    """Of one program.  skipped: checks without comparison, by reason."""

    checks: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """A line for each set, then what is wrong in it."""
    for title, read in SETS.items():
        began = time.perf_counter()
        programs = chosen(read(), only)
        if not programs:
            continue
        whole = Report()
        for program in programs:
            one = _in_child(program)
            whole.checks += one.checks
            whole.counts += one.counts
            whole.wrong += one.wrong
            whole.changed += one.changed
            whole.skipped += one.skipped
        spent = time.perf_counter() - began
        yield f"{title}: {len(programs)} programs, {whole.checks} checks, {spent:.0f} s", True
        told = ", ".join(f"{count} {what}" for what, count in sorted(whole.counts.items()))
        yield f"    compared: {told or 'nothing'}", True
        for reason, count in whole.skipped.most_common():
            yield f"    not compared: {count}, {reason}", True
        yield f"    wrong: {len(whole.wrong)} (bar 0)", not whole.wrong
        kinds = Counter(line.split(": ")[1] for line in whole.wrong)
        yield from ((f"        {count} {kind}", True) for kind, count in kinds.most_common())
        shown: Counter[str] = Counter()
        for line in whole.wrong:
            shown[line.split(": ")[1]] += 1
            if shown[line.split(": ")[1]] <= SHOWN // 3:
                yield f"        {line}", True
        yield f"    changed outcomes: {len(whole.changed)} (bar 0)", not whole.changed
        yield from ((f"        {line}", True) for line in whole.changed[:SHOWN])


def examine(program: Program, distort: Distort = lambda trace: trace) -> Report:
    """One program in this process.  distort: to prove that what is wrong is found."""
    report = Report()
    try:
        plain = execute(compile(program.text, program.path, "exec"), program.path)
        checks = program.checks(plain)
    except Exception as error:
        report.skipped[f"the program does not run here ({type(error).__name__})"] += 1
        return report
    ends: dict[str, tuple[str, float]] = {}
    for check in checks:
        began = time.process_time()
        ends[check.name] = ended(check, PLAIN), time.process_time() - began
    report.checks = len(checks)
    probed = Traced(program.text, program.path, mode="sampled")
    mask(False)  # what is hidden cannot be compared
    traces: dict[str, Trace] = {}
    probed.clear()
    space = probed.namespace()
    traces[""] = distort(probed.trace(""))
    limit = sys.getrecursionlimit()
    for check in program.checks(space):
        end, _ = ends[check.name]
        if end == "time":
            continue
        probed.clear()
        sys.setrecursionlimit(limit + 1000)
        now = ended(check, PROBES)
        sys.setrecursionlimit(limit)
        traces[check.name] = distort(probed.trace(check.name))
        if now != end:
            report.changed.append(f"{program.name} {check.name}: {end[:80]} -> {now[:80]}")
    _follow(program, probed, traces, ends, report)
    return report


def _follow(
    program: Program,
    probed: Traced,
    traces: Mapping[str, Trace],
    ends: Mapping[str, tuple[str, float]],
    report: Report,
) -> None:
    """The same checks once more, under the slow tracer."""
    reference = Reference(program.text, program.path, probed.hierarchy, probed.blocks)
    ids = {block.id: number for number, block in enumerate(probed.blocks)}

    def prepare(trace: Trace) -> None:
        wanted = {(ids[visit.block], visit.number) for visit in trace.visits}
        reference.clear(wanted)

    def conclude(trace: Trace) -> None:
        found: Findings = compare(trace, reference, program.text)
        report.counts += found.counts
        report.wrong += [f"{program.name} {trace.case or 'import'}: {w}" for w in found.wrong]

    prepare(traces[""])
    space = reference.namespace()
    conclude(traces[""])
    for check in program.checks(space):
        end, seconds = ends[check.name]
        reason = _reason(end, seconds)
        if reason:
            report.skipped[reason] += 1
            if end != "time":
                ended(check, PROBES)  # the next ones may lean on it
            continue
        prepare(traces[check.name])
        with_reference = _watched(check, reference)
        if with_reference == end:
            conclude(traces[check.name])
        else:
            report.skipped["it ends another way under the reference"] += 1


def _watched(check: Check, reference: Reference) -> str:
    def run(*arguments: Any) -> object:
        with reference.watching():
            return check.function(*arguments)

    return ended(Check(check.name, run, check.arguments), SLOW)


def _reason(end: str, seconds: float) -> str:
    if end == "time":
        return "it never ends"
    if end == "RecursionError":
        return "it uses up the stack"
    return "it is too long for the reference" if seconds > LONG else ""


# --------------------------------------------------------------------------------- the children


def _in_child(program: Program) -> Report:
    """examine() in a fork with limits."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        _confined(program, write)
    os.close(write)
    data = b""
    deadline = time.monotonic() + PROGRAM
    poll = select.poll()
    poll.register(read, select.POLLIN)
    while time.monotonic() < deadline:
        if poll.poll(500):
            part = os.read(read, 1 << 16)
            data += part
            if not part:
                break
    os.close(read)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    try:
        checks, counts, wrong, changed, skipped = json.loads(data)
    except ValueError:
        return Report(skipped=Counter({f"the child of {program.name} ended early": 1}))
    return Report(checks, Counter(counts), wrong, changed, Counter(skipped))


class _Still(datetime.datetime):
    """A clock that stands still, so that all runs of a program are alike."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return cls(2024, 1, 2, 3, 4, 5, 6, tz)


def _confined(program: Program, write: int) -> None:
    try:
        for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, int(PROGRAM))):
            resource.setrlimit(what, (most, most))
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        _Still.__name__ = "datetime"
        datetime.datetime = _Still  # type: ignore[misc]
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                report = examine(program)
            except Exception as error:
                why = f"the bench failed: {type(error).__name__}: {error}"[:200]
                report = Report(wrong=[f"{program.name} all: {why}"])
        found = [report.checks, report.counts, report.wrong, report.changed, report.skipped]
        text = json.dumps(found).encode()
        while text:
            text = text[os.write(write, text) :]
    finally:
        os._exit(0)
