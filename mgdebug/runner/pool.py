"""A Runner holds one worker a core and gives them work: runs that import everything anew, traces,
and tries of patches."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from mgdebug.errors import EnvironmentFailure, MgdebugError, ProbeError, SandboxError
from mgdebug.model import (
    Hierarchy,
    Limits,
    Outcome,
    Status,
    Target,
    Trace,
    Verdict,
)
from mgdebug.probe.frames import Malformed, Message
from mgdebug.runner.answers import (
    Run,
    read_hits,
    read_outcomes,
    read_run,
    read_traces,
)
from mgdebug.runner.evaluate import (
    RESTARTS,
    Evaluated,
    Expressions,
    State,
    evaluate_request,
    read_evaluated,
    widths,
)
from mgdebug.runner.observe import Given, Seen, observe_request, read_seen, told
from mgdebug.runner.plan import Plan
from mgdebug.runner.reached import Reached, read_reached
from mgdebug.runner.refusals import explained
from mgdebug.runner.traces import functions_of, to_run_again, trace_request, with_last
from mgdebug.runner.tries import Tries
from mgdebug.runner.worker import LOAD_SECONDS, Early, Worker, next_id, spec_of
from mgdebug.sandbox.policy import Policy
from mgdebug.sandbox.scratch import sweep
from mgdebug.settings import Bounds, Settings
from mgdebug.syntax.source import SourceFile

MARGIN_SECONDS = 5.0  # that a worker may take beyond the limits of its cases
COLLECT_FLOOR, COLLECT_FACTOR = 2.0, 4.0  # what a patched project may take to be collected
USUAL, CONFINED = Bounds(), Policy()
TRACE_SECONDS, TRACE_FACTOR, ENDLESS_SECONDS = 1.0, 2.0, 0.3  # of wall time, for one traced case

Sources = Mapping[str, bytes]  # patched files: path from the root -> bytes


class OutOfTime(Exception):
    """The deadline of the whole repair passed while the user's own cases were running, or somebody
    wanted no more."""


class Runner:
    """All runs of one repair.  Close it, or use it as a context manager: no process stays."""

    def __init__(
        self,
        target: Target,
        python: str,
        limits: Limits,
        jobs: int,
        *,
        doctests: bool = True,
        bounds: Bounds = USUAL,
        policy: Policy = CONFINED,
    ) -> None:
        """jobs: workers, one a core.  doctests: whether those of the target count as cases.
        bounds: of what traces keep.  policy: what the user's code may do."""
        self.target, self.python, self.limits = target, python, limits
        self.jobs, self.bounds, self.policy = max(1, jobs), bounds, policy
        self._root = Path(os.path.realpath(target.root))
        self._spec = spec_of(target, self._root, limits, doctests)
        self._workers: list[Worker] = []
        self._early: Early | None = None
        self._collecting: float | None = None  # seconds, of the sources as they are
        self._disk: dict[str, bytes] = {}  # files that do not parse, as they are
        self._base: dict[str, bytes] = {}  # and as they are for all that follows
        self._ran: dict[str, list[tuple[str, int]]] = {}  # functions that ran during the import
        self.deadline = float("inf")  # on the monotonic clock; for runs that are no tries
        self.enough: Callable[[], bool] = lambda: False  # asked while it waits for such runs
        self.pytest: str | None = None
        self.gaps = ""  # what the sandbox does not hold, in words; known after the first run
        self.version: tuple[int, ...] = ()

    @classmethod
    def of(cls, target: Target, python: str, settings: Settings) -> Self:
        """As the settings want it.  What a killed mgdebug left in the temporary folder goes."""
        sweep()
        return cls(
            target,
            python,
            settings.limits,
            settings.workers,
            doctests=settings.doctests,
            bounds=settings.bounds,
            policy=settings.sandbox,
        )

    def begins_with(self, early: Early) -> None:
        """Its first worker is one that has been started for the same target."""
        self._early = early

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        workers, self._workers = self._workers, []
        early, self._early = self._early, None
        if early:
            with contextlib.suppress(MgdebugError):
                workers.append(early())
        for worker in workers:
            worker.close()

    # ------------------------------------------------------------------------- fresh runs

    def rest_on(self, disk: Mapping[str, SourceFile], base: Sources) -> None:
        """Have tries made on a project with these files in place of what is on the disk, since what
        is there cannot be imported.  disk: how it is there; a try without them is one with it."""
        self._base = dict(base)
        self._disk = {path: disk[path].data for path in base}

    def stand_in(self, wanted: Message) -> None:
        """Have all that follows run with stand-ins for what the code lacks, see
        probe.stand_ins.install; files are named from the root.  Processes are started anew."""
        names = {self._absolute(path): found for path, found in wanted["names"].items()}
        self._spec = {**self._spec, "stand_ins": {**wanted, "names": names}}
        self.close()

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
        run = explained(read_run(answer, self._relative, said), self.policy)
        if not sources or sources == self._base:
            self._collecting = run.collecting
        return run

    def files(self) -> Run:
        """No cases, but the files that hold some, none of which is imported: conftests are.
        Raises as run() does."""
        worker = self._first()
        answer = self._ask(worker, {**self._request({}, [""]), "list": True})
        return read_run(answer, self._relative, worker.scratch.output())

    def reaching(
        self,
        until: float = float("inf"),
        sources: Sources | None = None,
        cases: Sequence[str] | None = None,
    ) -> tuple[Run, Reached]:
        """Run cases as run() does, and see what each of them reaches.  until: on the monotonic
        clock; then no case begins, and the one that runs is cut off.  Raises as run() does."""
        worker = self._first()
        request = {**self._request(sources or {}, cases), "detail": True, "reach": True}
        if until < float("inf"):
            request["seconds"] = max(0.01, until - time.monotonic())
        answer = self._ask(worker, request)
        run = explained(read_run(answer, self._relative, worker.scratch.output()), self.policy)
        return run, read_reached(answer, self._relative)

    def complaints(self, sources: Sequence[Sources]) -> list[int | None]:
        """Whether the project's interpreter takes each set of files: None if it does, else the line
        that it complains of, 0 if it names none.  Nothing is run.  Raises ProbeError."""
        worker = self._first()
        request = {**self._request({}, []), "compile": [self._shipped(s) for s in sources]}
        said = self._ask(worker, request).get("complaints")
        if not isinstance(said, list) or len(said) != len(sources):
            raise ProbeError("the project's interpreter does not compile what it is given")
        return [line if isinstance(line, int) else None for line in said]

    def trace(
        self,
        hierarchy: Hierarchy,
        cases: Sequence[str],
        values: Sequence[str],
        sources: Sources | None = None,
        known: Iterable[Outcome] = (),
        *,
        last: bool = False,
    ) -> tuple[list[Trace], list[Outcome], frozenset[str]]:
        """What the cases did, block by block.

        values: the cases whose values are kept.  known: how they ended untraced, for their time
        limits; one that takes longer is cut off and its trace kept.  last: run those once more that
        had visits left out, to keep the last ones as well (see traces.with_last).  Returns the
        traces, the outcomes, and the ids of the blocks that ran while the project was imported.
        """
        blocks = [b for s in hierarchy.subfunctions.values() for b in s.blocks]
        request = self._request(sources or {}, cases)
        request["wall"] = TRACE_SECONDS
        ended = {o.case: o for o in known}
        request["limits"] = {case: [_trace_seconds(o), None] for case, o in ended.items()}
        request["trace"] = trace_request(hierarchy, values, self.bounds, self._absolute)
        answer = self._ask(self._first(), request)
        traces = [
            replace(trace, status=ended[trace.case].status)  # only the trace was cut
            if trace.status is Status.TIMEOUT and trace.case in ended
            else trace
            for trace in read_traces(answer, blocks)
        ]
        expected = to_run_again(traces, blocks) if last else {}
        if expected:
            request = {**request, "id": next_id(), "cases": list(expected)}
            request["trace"] = {**request["trace"], "expected": expected}
            again = read_traces(self._ask(self._first(), request), blocks)
            traces = with_last(traces, again)
        imported = frozenset(read_hits(answer.get("imported"), blocks))
        if dict(sources or {}) == self._base:
            self._ran = functions_of(hierarchy, imported, self._absolute)
        return traces, read_outcomes(answer), imported

    def evaluate(
        self,
        hierarchy: Hierarchy,
        expressions: Expressions,
        states: Sequence[State],
        sources: Sources | None = None,
    ) -> list[list[Evaluated]]:
        """What each expression gives in each state: a row for each state, in their order.

        hierarchy: of the sources that are run.  expressions: for all states, or by block.  A case
        may take twice its wall time, half of it for what is evaluated.  Raises UsageError for a
        block that is not in the hierarchy, ProbeError if the probe dies.
        """
        cases = list(dict.fromkeys(state.case for state in states))
        request = self._request(sources or {}, cases)
        wall = 2 * self.limits.case_seconds
        request["limits"] = {case: [wall, None] for case in cases}
        request["wall"] = RESTARTS * wall
        request["evaluate"] = evaluate_request(
            hierarchy, expressions, states, self.bounds, self._absolute
        )
        if not states:
            return []
        return read_evaluated(self._ask(self._first(), request), widths(expressions, states))

    # ------------------------------------------------------------------------------- tries

    def attempt(
        self,
        tries: Sequence[Sources],
        plan: Plan,
        until: float = float("inf"),
        *,
        alone: bool = False,
    ) -> list[Verdict]:
        """One verdict for each set of patched sources, on all cores.

        until: on the monotonic clock; no try begins after it.  alone: each in a process of its own,
        cut off by the clock alone, where else loops are cut off after so many turns.  Raises
        ProbeError if no worker can load the project any more.
        """
        self._load()
        wall = self.limits.case_seconds
        order = plan.order or (*plan.failing, *plan.passing)
        common = {
            "cases": list(order),
            "failing": list(plan.failing),
            "patience": plan.patience,
            "wall": wall,
            "limits": {case: list(pair) for case, pair in plan.limits.items()},
            "ran": self._ran,
            "alone": alone,
        }
        if self._collecting is not None:
            common["collect"] = COLLECT_FLOOR + COLLECT_FACTOR * self._collecting
        walls = [plan.limits.get(case, (wall, 0.0))[0] for case in order]
        return Tries(
            self._workers,
            [self._shipped({**self._disk, **sources}) for sources in tries],
            common,
            longest=2 * sum(walls) + MARGIN_SECONDS,
            until=until,
            replaced=self._replaced,
            dropped=self._drop,
        ).verdicts()

    def observe(
        self, path: str, calls: Sequence[Given], tries: Sequence[Sources]
    ) -> list[list[Seen | None] | None]:
        """How calls of functions of a file end with each set of patched sources, on all cores.

        A row for each try; None where a new import would be needed, or the time is over.
        """
        self._load()
        asked = observe_request(self._absolute(path), calls)
        rows: list[list[Seen | None] | None] = [None] * len(tries)
        busy: list[tuple[Worker, Message]] = []
        left = max(0.0, min(self.deadline - time.monotonic(), LOAD_SECONDS))
        for at, worker in enumerate(self._workers):
            mine = range(at, len(tries), len(self._workers))
            message: Message = {"id": next_id(), "observe": asked, "seconds": left}
            message["ran"] = self._ran
            sources = [self._shipped({**self._disk, **tries[n]}) for n in mine]
            message["tries"] = [[n, shipped] for n, shipped in zip(mine, sources, strict=True)]
            with contextlib.suppress(OSError):  # who is gone is heard of at once
                worker.warm.send(message)
            busy.append((worker, message))
        for worker, message in busy:
            try:
                answer = worker.warm.wait(left + MARGIN_SECONDS, self.enough)
            except (OSError, EOFError, Malformed):
                self._replaced(worker)
                continue
            for index, raw in told(answer) if answer.get("id") == message["id"] else ():
                if 0 <= index < len(rows):
                    rows[index] = read_seen(raw, len(calls))
        return rows

    # ----------------------------------------------------------------------------- workers

    def _start(self) -> Worker:
        early, self._early = self._early, None
        worker = early() if early else Worker(self.python, self._spec, self.policy)
        self._check(worker)
        self.version = tuple(worker.version)
        self.pytest = worker.hello.get("pytest")
        return worker

    def _check(self, worker: Worker) -> None:
        """Raises SandboxError where what was asked for cannot be had."""
        try:
            found = worker.confinement
        except OSError:
            worker.close()
            raise SandboxError(
                "the sandbox does not start",
                "--sandbox=off runs the tests without one, if you trust them",
                worker.said,
            ) from None
        if self.policy.mode == "strict" and found.escapes:
            worker.close()
            raise SandboxError(
                f"the sandbox is not strict here: {'; '.join(found.escapes)}",
                "run it where user namespaces or Landlock are allowed, or without --sandbox=strict",
            )
        if self.policy.mode == "off":
            self.gaps = (
                "the sandbox is off: what runs can change your files, read your keys and send them"
            )
        elif found.escapes:
            self.gaps = f"the sandbox is weaker here: {'; '.join(found.escapes)}"

    def _first(self) -> Worker:
        if not self._workers:
            self._workers.append(self._start())
        return self._workers[0]

    def _replaced(self, worker: Worker) -> Worker:
        """Another one in place of one that is gone or does not answer."""
        self._drop(worker)
        for again in (True, False):
            new = None
            try:
                new = self._start()
                self._workers.append(new)
                new.wait_until_loaded()
                break
            except EnvironmentFailure:  # it may have been ended while it started
                if new is not None:
                    self._drop(new)
                if not again:
                    raise
        assert new is not None
        return new

    def _drop(self, worker: Worker) -> None:
        worker.close()
        self._workers.remove(worker)

    def _load(self) -> None:
        """All workers that tries need, side by side.  Those that cannot load the project beside
        another one, which may hold a lock or a port, are done without."""
        while len(self._workers) < self.jobs:
            self._workers.append(self._start())
        for worker in self._workers:
            with contextlib.suppress(OSError):
                worker.load(self._shipped(self._base))
        for worker in list(self._workers):
            try:
                worker.wait_until_loaded()
            except ProbeError:
                if len(self._workers) == 1:
                    raise
                self._drop(worker)
                self.jobs -= 1

    def _ask(self, worker: Worker, request: Message) -> Message:
        """One request to a pristine process.  A worker that does not answer is gone afterwards."""
        count = len(request["cases"] or ()) or 10_000
        try:
            worker.pristine.send(request)
            bound = LOAD_SECONDS + count * (float(request["wall"]) + MARGIN_SECONDS)
            left = self.deadline - time.monotonic()
            answer = worker.pristine.wait(min(bound, max(0.0, left)), self.enough)
            if answer.get("id") != request["id"]:
                raise Malformed("the answer to another question")
        except (OSError, EOFError, Malformed) as error:  # a TimeoutError is an OSError
            said = worker.scratch.output()
            if worker in self._workers:
                self._drop(worker)
            if time.monotonic() >= self.deadline or self.enough():
                raise OutOfTime from None
            raise ProbeError(
                f"the project's interpreter stopped answering ({type(error).__name__})",
                "run the tests on their own first; --python chooses another interpreter",
                said,
            ) from None
        return answer

    def _request(self, sources: Sources, cases: Sequence[str] | None) -> Message:
        return {
            "id": next_id(),
            "sources": self._shipped(sources),
            "cases": None if cases is None else list(cases),
            "wall": self.limits.case_seconds,
            "collect": self.limits.collect_seconds,
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


def _trace_seconds(outcome: Outcome) -> float:
    if outcome.status is Status.TIMEOUT:
        return ENDLESS_SECONDS
    return max(TRACE_SECONDS, TRACE_FACTOR * outcome.seconds)
