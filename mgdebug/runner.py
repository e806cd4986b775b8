"""Runs the user's code, always in other processes: the only room that knows the probe.

A Worker is one interpreter of the project with two channels (see probe.worker): a pristine
process for runs that import everything anew, and a warm one for tries.  A Runner holds one
worker a core.  Nothing that a worker sends is believed: what is missing, doubled or malformed
is a failure of that case.
"""

from __future__ import annotations

import itertools
import os
import selectors
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from mgdebug.errors import InterpreterError, NoCasesError, ProbeError, UsageError
from mgdebug.model import (
    Block,
    BlockVisit,
    Case,
    CaseKind,
    Hierarchy,
    Limits,
    Outcome,
    Status,
    Target,
    Trace,
    Value,
    Verdict,
)
from mgdebug.probe.frames import Decoder, Malformed, Message, encode
from mgdebug.sandbox.process import Process, Scratch

PROBE = Path(__file__).parent / "probe"
START_SECONDS = 60.0  # for an interpreter and pytest to start
LOAD_SECONDS = 150.0  # for a project to be imported and collected
MARGIN_SECONDS = 5.0  # that a worker may take beyond the limits of its cases
PROCESSOR_FLOOR, WALL_FLOOR = 0.06, 1.0  # the least that a case may take in a try
PATIENCE, QUICK_SECONDS = 8, 0.1  # failing cases that a try may fail before it is given up
TRACE_SECONDS, TRACE_FACTOR, ENDLESS_SECONDS = 1.0, 2.0, 0.3  # of wall time, for one traced case

Sources = Mapping[str, bytes]  # patched files: path from the root -> bytes


@dataclass(frozen=True, slots=True)
class Run:
    """A run of cases in a fresh process.

    files: the project's files that it imported, from the root.  troubles: what could not be
    collected, as (where, traceback).  refused: why nothing could be collected, or "".
    """

    cases: tuple[Case, ...]
    outcomes: tuple[Outcome, ...]
    files: tuple[str, ...] = ()
    troubles: tuple[tuple[str, str], ...] = ()
    refused: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Which cases a try runs, and when it stops.

    failing are run first, the slow ones last; a try ends when none of the first `patience` of
    them passes.  Else a second process runs all in their own order, because cases do lean on
    those before them, and ends at the first of `passing` that fails.  limits: wall and processor
    seconds by case.
    """

    failing: tuple[str, ...]
    passing: tuple[str, ...]
    order: tuple[str, ...] = ()
    patience: int = 1
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Plan:
        """outcomes: in the order of the cases.  A case may take a multiple of what it took; one
        that did not end a multiple of what the slowest other took."""
        found = [o for o in outcomes if o.status is not Status.SKIPPED]
        known = sorted(found, key=lambda o: (o.status is Status.TIMEOUT, o.seconds))
        ended = [o for o in known if o.status is not Status.TIMEOUT]
        slowest = max((o.seconds for o in ended), default=0.0)
        busiest = max((o.processor for o in ended), default=0.0)
        limits = {}
        for o in known:
            wall = slowest if o.status is Status.TIMEOUT else o.seconds
            processor = busiest if o.status is Status.TIMEOUT else o.processor
            limits[o.case] = (_limit(wall, WALL_FLOOR), _limit(processor, PROCESSOR_FLOOR))
        quick = sum(o.seconds <= QUICK_SECONDS for o in known if not o.status.ok)
        return cls(
            # The slow ones last; the others in their order, because cases lean on those before.
            tuple(
                o.case
                for o in sorted(found, key=lambda o: o.seconds > QUICK_SECONDS and o.seconds)
                if not o.status.ok
            ),
            tuple(o.case for o in known if o.status.ok),
            tuple(o.case for o in found),
            min(PATIENCE, max(1, quick)),
            limits,
        )


class OutOfTime(Exception):
    """The deadline of the whole repair passed while the user's own cases were running."""


class _Channel:
    """Messages to and from one process of a worker."""

    def __init__(self) -> None:
        self.child_in, self._write = os.pipe()
        self._read, self.child_out = os.pipe()
        self._decoder = Decoder()
        self._ready: list[Message] = []

    def fileno(self) -> int:
        return self._read

    def send(self, message: Message) -> None:
        left = memoryview(encode(message))
        while left:
            left = left[os.write(self._write, left) :]

    def read(self) -> Message | None:
        """The next message if it is complete.  Raises EOFError or Malformed."""
        data = os.read(self._read, 1 << 20)
        if not data:
            raise EOFError
        self._ready += self._decoder.feed(data)
        return self._ready.pop(0) if self._ready else None

    def wait(self, seconds: float) -> Message:
        """The next message.  Raises EOFError, Malformed or TimeoutError."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ)
            while not self._ready:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                message = self.read()
                if message is not None:
                    return message
        return self._ready.pop(0)

    def close_child_ends(self) -> None:
        os.close(self.child_in)
        os.close(self.child_out)

    def close(self) -> None:
        os.close(self._write)
        os.close(self._read)


class Worker:
    """One interpreter of the project.  Raises InterpreterError if it cannot be started."""

    def __init__(self, python: str, spec: Message, cwd: Path) -> None:
        self.scratch = Scratch()
        self.pristine, self.warm = _Channel(), _Channel()
        self.loaded = False
        fds = [f for c in (self.pristine, self.warm) for f in (c.child_in, c.child_out)]
        command = [python, str(PROBE), *map(str, fds)]
        try:
            self._process = Process(command, cwd=cwd, scratch=self.scratch, fds=fds)
        except OSError as error:
            self._close_files()
            raise InterpreterError(
                f"cannot start {python}: {(error.strerror or str(error)).lower()}",
                "name the project's interpreter with --python PATH",
            ) from None
        finally:
            self.pristine.close_child_ends()
            self.warm.close_child_ends()
        own = {"scratch": str(self.scratch.path), "log": str(self.scratch.log)}
        try:
            self.pristine.send({**spec, **own})
            self.hello = self.pristine.wait(START_SECONDS)
        except (OSError, EOFError, Malformed, TimeoutError):
            said = self.scratch.output().strip()
            self.close()
            raise InterpreterError(
                f"{python} does not run mgdebug's probe",
                "it must be CPython 3.8 or newer; choose another one with --python PATH",
                said,
            ) from None

    def load(self) -> None:
        """Tell the warm process to import the project; does not wait for it."""
        self.warm.send({})

    def close(self) -> None:
        self._process.stop()
        self._close_files()

    def _close_files(self) -> None:
        self.pristine.close()
        self.warm.close()
        self.scratch.remove()


@dataclass(slots=True)
class _Errand:
    """A request that is under way."""

    index: int
    worker: Worker
    channel: _Channel
    deadline: float


class Runner:
    """All runs of one repair.  Close it, or use it as a context manager: no process stays."""

    def __init__(
        self, target: Target, python: str, limits: Limits, jobs: int, *, doctests: bool = True
    ) -> None:
        """jobs: workers, one a core.  doctests: whether those of the target count as cases."""
        self.target, self.python, self.limits = target, python, limits
        self.jobs = max(1, jobs)
        self._root = Path(os.path.realpath(target.root))
        self._spec = _spec(target, self._root, limits, doctests)
        self._workers: list[Worker] = []
        self._ids = itertools.count(1)
        self.deadline = float("inf")  # on the monotonic clock; for runs that are no tries
        self.pytest: str | None = None
        self.version: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.close()

    # ------------------------------------------------------------------------- fresh runs

    def run(
        self,
        sources: Sources | None = None,
        cases: Sequence[str] | None = None,
        *,
        new: bool = False,
    ) -> Run:
        """Run cases (None: all) in a process that imports the project anew, with patched sources.

        new: in an interpreter that is started for it.  Every case is told apart, with its
        traceback.  Raises ProbeError if the probe dies, UsageError if pytest refuses.
        """
        worker = self._start() if new else self._first()
        try:
            request = self._request(sources or {}, cases)
            answer = self._ask(worker, {**request, "detail": True})
            said = worker.scratch.output()
        finally:
            if new:
                worker.close()
        return self._read_run(answer, said)

    def trace(
        self,
        hierarchy: Hierarchy,
        cases: Sequence[str],
        values: Sequence[str],
        sources: Sources | None = None,
        known: Iterable[Outcome] = (),
    ) -> tuple[list[Trace], list[Outcome], frozenset[str]]:
        """What the cases did, block by block.

        values: the cases whose values are kept.  known: how they ended untraced, for their time
        limits; one that takes longer is cut off and its trace kept.  Returns the traces, the
        outcomes, and the ids of the blocks that ran while the project was imported.
        """
        blocks = [b for s in hierarchy.subfunctions.values() for b in s.blocks]
        request = self._request(sources or {}, cases)
        request["wall"] = TRACE_SECONDS
        ended = {o.case: o for o in known}
        request["limits"] = {case: [_trace_seconds(o), None] for case, o in ended.items()}
        request["trace"] = self._trace_request(hierarchy, values)
        answer = self._ask(self._first(), request)
        traces = []
        for item in _list(answer, "outcomes"):
            trace = _read_trace(item, blocks)
            if trace and trace.status is Status.TIMEOUT and trace.case in ended:
                trace = replace(trace, status=ended[trace.case].status)  # only the trace was cut
            if trace:
                traces.append(trace)
        imported = _hits(answer.get("imported"), blocks)
        outcomes = [o for o in map(_outcome, _list(answer, "outcomes")) if o]
        return traces, outcomes, frozenset(imported)

    def _trace_request(self, hierarchy: Hierarchy, values: Sequence[str]) -> Message:
        places: dict[str, list[Any]] = {}
        names: list[Any] = []
        for subfunction in hierarchy.subfunctions.values():
            for block in subfunction.blocks:
                place = [len(names), str(block.kind), block.span.start, block.span.end]
                places.setdefault(self._absolute(subfunction.path), []).append(place)
                names.append([block.reads, block.writes])
        return {"places": places, "names": names, "values": list(values)}

    # ------------------------------------------------------------------------------- tries

    def attempt(
        self, tries: Sequence[Sources], plan: Plan, until: float = float("inf")
    ) -> list[Verdict]:
        """One verdict for each set of patched sources, on all cores.

        until: on the monotonic clock; no try begins after it.  Raises ProbeError if no worker
        can load the project any more.
        """
        while len(self._workers) < self.jobs:
            self._workers.append(self._start())
        for worker in self._workers:
            if not worker.loaded:
                worker.load()
        for index in range(len(self._workers)):
            self._loaded(index)
        verdicts: list[Verdict | None] = [None] * len(tries)
        waiting = list(reversed(range(len(tries))))
        common = {
            "cases": list(plan.order),
            "failing": list(plan.failing),
            "patience": plan.patience,
            "wall": self.limits.case_seconds,
            "limits": {case: list(pair) for case, pair in plan.limits.items()},
        }
        longest = 2 * sum(wall for wall, _ in plan.limits.values()) + MARGIN_SECONDS
        idle = list(self._workers)
        with selectors.DefaultSelector() as selector:
            busy: dict[int, _Errand] = {}
            while waiting or busy:
                if time.monotonic() >= until:
                    waiting.clear()
                while waiting and idle:
                    worker = idle.pop()
                    index = waiting.pop()
                    message = {"sources": self._shipped(tries[index]), **common, "id": index}
                    worker.warm.send(message)
                    errand = _Errand(index, worker, worker.warm, time.monotonic() + longest)
                    busy[index] = errand
                    selector.register(worker.warm, selectors.EVENT_READ, errand)
                if not busy:
                    break
                soonest = min(e.deadline for e in busy.values())
                events = selector.select(max(0.0, soonest - time.monotonic()))
                for key, _ in events:
                    errand = key.data
                    verdict = self._hear(errand, tries, common, selector)
                    if verdict is None:
                        continue
                    verdicts[errand.index] = verdict
                    del busy[errand.index]
                    idle.append(errand.worker)
                now = time.monotonic()
                for errand in [e for e in busy.values() if e.deadline < now]:
                    selector.unregister(errand.channel)
                    del busy[errand.index]
                    verdicts[errand.index] = Verdict((), plan.failing, "the probe hung")
                    idle.append(self._replace(errand.worker))
        return [v if v else Verdict((), (), "not tried") for v in verdicts]

    def _hear(
        self,
        errand: _Errand,
        tries: Sequence[Sources],
        common: Message,
        selector: selectors.BaseSelector,
    ) -> Verdict | None:
        """What a worker has to say of a try: None if there is more to come."""
        try:
            answer = errand.channel.read()
        except (OSError, EOFError, Malformed):
            selector.unregister(errand.channel)
            errand.worker = self._replace(errand.worker)
            return Verdict((), (), "the probe died")
        if answer is None or answer.get("id") != errand.index:
            return None
        selector.unregister(errand.channel)
        if answer.get("fresh") and errand.channel is errand.worker.warm:
            # Only a new import can show this patch.
            message = {"sources": self._shipped(tries[errand.index]), **common, "id": errand.index}
            errand.channel = errand.worker.pristine
            errand.deadline += LOAD_SECONDS
            errand.channel.send(message)
            selector.register(errand.channel, selectors.EVENT_READ, errand)
            return None
        return _verdict(answer)

    # ----------------------------------------------------------------------------- workers

    def _start(self) -> Worker:
        worker = Worker(self.python, self._spec, self.target.cwd)
        version = worker.hello.get("version")
        if not isinstance(version, list) or tuple(version) < (3, 8):
            worker.close()
            raise InterpreterError(
                f"{self.python} is too old", "mgdebug's probe needs CPython 3.8 or newer"
            )
        self.version = tuple(version)
        self.pytest = worker.hello.get("pytest")
        return worker

    def _first(self) -> Worker:
        if not self._workers:
            self._workers.append(self._start())
        return self._workers[0]

    def _replace(self, worker: Worker) -> Worker:
        worker.close()
        index = self._workers.index(worker)
        self._workers[index] = self._start()
        self._workers[index].load()
        self._loaded(index)
        return self._workers[index]

    def _loaded(self, index: int) -> None:
        worker = self._workers[index]
        if worker.loaded:
            return
        try:
            answer = worker.warm.wait(LOAD_SECONDS)
        except (OSError, EOFError, Malformed, TimeoutError):
            answer = {}
        if "ready" not in answer:
            raise ProbeError(
                "the project cannot be loaded for tries any more",
                "run the tests on their own first: do they end, and end alike each time?",
                worker.scratch.output(),
            )
        worker.loaded = True

    def _ask(self, worker: Worker, request: Message) -> Message:
        """One request to a pristine process."""
        count = len(request["cases"] or ()) or 10_000
        try:
            worker.pristine.send(request)
            bound = LOAD_SECONDS + count * (float(request["wall"]) + MARGIN_SECONDS)
            left = self.deadline - time.monotonic()
            answer = worker.pristine.wait(min(bound, max(0.0, left)))
        except (OSError, EOFError, Malformed) as error:  # a TimeoutError is an OSError
            if time.monotonic() >= self.deadline:
                raise OutOfTime from None
            raise ProbeError(
                f"the project's interpreter stopped answering ({type(error).__name__})",
                "run the tests on their own first; --python chooses another interpreter",
                worker.scratch.output(),
            ) from None
        if answer.get("id") != request["id"]:
            raise ProbeError("the project's interpreter answered another question")
        return answer

    def _request(self, sources: Sources, cases: Sequence[str] | None) -> Message:
        return {
            "id": next(self._ids),
            "sources": self._shipped(sources),
            "cases": None if cases is None else list(cases),
            "wall": self.limits.case_seconds,
        }

    def _shipped(self, sources: Sources) -> dict[str, str]:
        """JSON has no bytes: one byte is sent as one character."""
        return {self._absolute(path): data.decode("latin-1") for path, data in sources.items()}

    def _absolute(self, path: str) -> str:
        return os.path.realpath(self._root / path)

    def _relative(self, path: str) -> str:
        try:
            return Path(os.path.realpath(path)).relative_to(self._root).as_posix()
        except ValueError:
            return path

    def _read_run(self, answer: Message, said: str) -> Run:
        collected = answer.get("collected")
        troubles = tuple(
            (self._relative(str(t[0])), str(t[1]))
            for t in _list(answer, "troubles")
            if isinstance(t, list) and len(t) == 2
        )
        if not isinstance(collected, list):
            self._explain_refusal(str(answer.get("refused", "")), str(answer.get("ended")), said)
            collected = []
        cases = {}
        for item in collected:
            if isinstance(item, list) and len(item) == 4 and item[1] in list(CaseKind):
                path = self._relative(str(item[2])) if item[2] else ""
                cases[str(item[0])] = Case(str(item[0]), CaseKind(item[1]), path, str(item[3]))
        outcomes: dict[str, Outcome] = {}
        for raw in _list(answer, "outcomes"):
            outcome = _outcome(raw)
            if outcome and outcome.case in cases and outcome.case not in outcomes:
                outcomes[outcome.case] = outcome
        for case in cases:
            outcomes.setdefault(case, Outcome(case, Status.NOT_RUN))
        files = tuple(self._relative(str(f)) for f in _list(answer, "files"))
        return Run(
            tuple(cases.values()),
            tuple(outcomes.values()),
            files,
            troubles,
            seconds=sum(o.seconds for o in outcomes.values()),
        )

    def _explain_refusal(self, refused: str, ended: str, said: str) -> None:
        said = said.strip()
        if refused.endswith("code 4"):
            lines = [x for x in said.splitlines() if x.startswith("ERROR")]
            message = lines[-1].removeprefix("ERROR: ") if lines else "pytest refuses to start"
            raise UsageError(f"pytest: {message}", "run pytest on its own to see more", said)
        if refused.endswith("code 5"):
            raise NoCasesError("pytest collected no tests", detail=said)
        raise ProbeError(
            f"the tests could not be collected ({refused or ended})",
            "run them on their own first; what they printed stands above",
            said,
        )


def _limit(seconds: float, floor: float) -> float:
    """Ten times what a quick case took, twice what a slow one did."""
    return max(floor, min(10 * seconds, 2 * seconds + 0.5))


def _trace_seconds(outcome: Outcome) -> float:
    if outcome.status is Status.TIMEOUT:
        return ENDLESS_SECONDS
    return max(TRACE_SECONDS, TRACE_FACTOR * outcome.seconds)


def _spec(target: Target, root: Path, limits: Limits, doctests: bool) -> Message:
    """What the probe is told once."""
    only_own = bool(target.expressions or target.io) and not target.tests
    path = os.path.realpath(root / target.path) if target.path else None
    return {
        "cwd": str(target.cwd),
        "root": str(root),
        "pytest": None if only_own else list(target.tests),
        "unittest": None if only_own else [str(target.cwd / t) for t in target.tests],
        "doctest": [path] if path and doctests and not target.tests and not target.io else [],
        "expressions": list(target.expressions),
        "target": path,
        "io": _pairs(target.io) if target.io else [],
        "memory": limits.memory,
    }


def _pairs(folder: Path) -> list[list[str]]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "--io wants a folder of NAME.in and NAME.out")
    found = []
    for given in sorted(folder.glob("*.in")):
        wanted = given.with_suffix(".out")
        if not wanted.is_file():
            raise UsageError(f"{given} has no {wanted.name} beside it")
        found.append([given.stem, str(given.resolve()), str(wanted.resolve())])
    if not found:
        raise NoCasesError(f"{folder} holds no NAME.in with its NAME.out")
    return found


# ------------------------------------------------------------------- reading what came back


def _list(answer: Message, key: str) -> list[Any]:
    value = answer.get(key)
    return value if isinstance(value, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _outcome(raw: object) -> Outcome | None:
    if not isinstance(raw, dict) or raw.get("status") not in list(Status):
        return None
    return Outcome(
        str(raw.get("case")),
        Status(raw["status"]),
        _number(raw.get("seconds")),
        str(raw.get("message", "")),
        str(raw.get("detail", "")),
        _number(raw.get("processor")),
    )


def _verdict(answer: Message) -> Verdict:
    if "invalid" in answer:
        return Verdict((), (), f"does not compile: {answer['invalid']}")
    if "same" in answer:
        return Verdict((), (), "changes nothing")
    seen: dict[str, Outcome] = {}
    for outcome in map(_outcome, _list(answer, "outcomes")):
        if outcome and outcome.case not in seen:
            seen[outcome.case] = outcome
    # To be skipped is no progress.
    passed = tuple(c for c, o in seen.items() if o.status is Status.PASSED)
    failed = tuple(c for c, o in seen.items() if o.status is not Status.PASSED)
    ended = str(answer.get("ended", ""))
    seconds = sum(o.seconds for o in seen.values())
    return Verdict(passed, failed, "" if ended == "done" else ended, seconds)


def _hits(raw: object, blocks: Sequence[Block]) -> dict[str, int]:
    found = {}
    for pair in raw if isinstance(raw, list) else []:
        if isinstance(pair, list) and len(pair) == 2 and _is_index(pair[0], blocks):
            found[blocks[pair[0]].id] = int(_number(pair[1]))
    return found


def _is_index(value: object, blocks: Sequence[Block]) -> bool:
    return isinstance(value, int) and 0 <= value < len(blocks)


def _values(raw: object) -> dict[str, Value]:
    items = raw.items() if isinstance(raw, dict) else ()
    return {str(name): value for name, shot in items if (value := _value(shot))}


def _value(raw: object) -> Value | None:
    if isinstance(raw, list) and len(raw) == 3:
        return Value(str(raw[0]), str(raw[1]), bool(raw[2]))
    return None


def _read_trace(item: Message, blocks: Sequence[Block]) -> Trace | None:
    outcome, raw = _outcome(item), item.get("trace") if isinstance(item, dict) else None
    if outcome is None or not isinstance(raw, dict):
        return None
    visits = []
    for index, visit in enumerate(_list(raw, "visits")):
        if isinstance(visit, dict) and _is_index(visit.get("block"), blocks):
            visits.append(
                BlockVisit(
                    blocks[visit["block"]].id,
                    int(_number(visit.get("frame"))),
                    index,
                    _values(visit.get("before")),
                    _values(visit.get("after")),
                    _value(visit.get("result")),
                    bool(visit.get("left")),
                )
            )
    hits = _hits(raw.get("hits"), blocks)
    return Trace(
        outcome.case, outcome.status, hits, tuple(visits), int(_number(raw.get("dropped")))
    )
