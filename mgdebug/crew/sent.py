"""The tasks that a cluster has been sent.

No more of them are out than the cluster has threads: so they begin in their order, none waits at a
worker that may die, and the scheduler holds little.  Dask does again what was lost with a worker.
How often that may happen to a task is counted here, for Dask blames also tasks that had not begun.
"""

from __future__ import annotations

import contextlib
import json
import queue
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distributed import KilledWorker

from mgdebug.crew import Begun, GivenUp, Lost, Report, Task, Told, checked, seat, ships
from mgdebug.crew.cluster import gone
from mgdebug.crew.local import heard, lost
from mgdebug.errors import EnvironmentFailure

if TYPE_CHECKING:
    from mgdebug.crew.cluster import Cluster

ASKED_SECONDS = 0.2  # that `heard` may take when there is nothing to hear
ANSWER_SECONDS = 10.0  # for an answer to come from its worker, before that is waited for anew
COUNT_SECONDS = 5.0  # between two looks at how large the cluster is
DESERTED_SECONDS = 60.0  # without any worker
DESERTIONS = 4  # Dask workers that a task may lose for each process that it may end
_ENDED = "the end of its Dask worker"


@dataclass
class _Out:
    """sitting: the last time that it was begun, "" before.  worker: as people call it."""

    task: Task
    future: Any
    sitting: str = ""
    worker: str = ""


class Sent:
    def __init__(self, crew: Cluster, tasks: Sequence[Task]) -> None:
        """Raises ValueError where two tasks have one name."""
        checked(tasks)
        self._crew, self._client = crew, crew.client
        self._waiting = deque(tasks)
        self._times: dict[str, int] = {}  # that a task has ended its process
        self._deserted: dict[str, int] = {}  # that it has lost its Dask worker
        self._out: dict[str, _Out] = {}  # by the key of the Dask task
        self._news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._run, self._number = f"mgdebug-{uuid.uuid4().hex}", 0
        self._threads, self._counted = max(1, crew.size), time.monotonic()
        self._peopled = self._counted  # when there was a worker
        self._client.subscribe_topic(self._run, lambda event: self._news.put(("", event[1])))

    def more(self) -> bool:
        """Send as many as there are threads for.  Whether anything is out.  Raises
        EnvironmentFailure if the scheduler has gone, or all workers."""
        now = time.monotonic()
        if now > self._counted + COUNT_SECONDS:
            found, self._counted = self._crew.count(), now
            if found:
                self._peopled = now
            elif now > self._peopled + DESERTED_SECONDS:
                what = f"no worker is left at {self._crew.address}"
                raise EnvironmentFailure(what, f"start one: `dask worker {self._crew.address}`")
            self._threads = max(1, found, self._crew.size)  # some may be starting again
        while self._waiting and len(self._out) < self._threads:
            self._send(self._waiting.popleft())
        return bool(self._out)

    def heard(self) -> Iterator[Report]:
        """What has become known since, waiting for a moment if it is nothing."""
        with contextlib.suppress(queue.Empty):
            key, what = self._news.get(timeout=ASKED_SECONDS)
            while True:
                yield from self._ended(key, what) if key else self._published(what)
                key, what = self._news.get_nowait()

    def end(self) -> None:
        """Let what is out be ended."""
        futures = [out.future for out in self._out.values()]
        self._out.clear()
        with contextlib.suppress(OSError, ValueError, AttributeError):  # the scheduler has gone
            if futures:
                self._client.cancel(futures, force=True)
            self._client.unsubscribe_topic(self._run)

    def _send(self, task: Task) -> None:
        self._number += 1
        key = f"{self._run}-{self._number}"
        archive = self._crew.archive
        future = self._client.submit(
            seat.done,
            key,
            self._run,
            task.entry,
            json.dumps(dict(task.asked)),  # as a dict, Dask would look for futures in it
            archive.name if archive else "",
            key=key,
            pure=False,
        )
        self._out[key] = _Out(task, future)
        self._watch(key, future)

    def _watch(self, key: str, future: Any) -> None:
        future.add_done_callback(lambda done: self._news.put((key, done)))

    def _published(self, what: Mapping[str, Any]) -> Iterator[Report]:
        out = self._out.get(what["key"])
        if out is None:
            return
        if "begun" in what:
            if out.sitting not in ("", what["sitting"]):
                report = self._lost(out, _ENDED)
                yield report
                if isinstance(report, GivenUp):
                    self._out.pop(what["key"])
                    self._client.cancel([out.future], force=True)
                    return
            out.sitting, out.worker = what["sitting"], what["begun"]
            yield Begun(out.task, out.worker)
        elif out.sitting == what["sitting"]:
            yield Told(out.task, out.worker, json.loads(what["told"]))

    def _ended(self, key: str, future: Any) -> Iterator[Report]:
        out = self._out.get(key)
        if out is None:
            return
        try:
            message = future.result(ANSWER_SECONDS)
        except KilledWorker:
            message = {"lost": _ENDED}
        except Exception as error:
            if future.status == "cancelled":
                raise gone(self._crew.address) from None
            if future.status != "error":  # its worker has taken the answer along: it is done again
                self._watch(key, future)
                return
            message = {"raised": f"{type(error).__name__}: {error}"}  # no process could be started
        del self._out[key]
        if "lost" in message:
            report: Report | None = self._lost(out, message["lost"])
            if isinstance(report, Lost):
                self._waiting.appendleft(out.task)
        else:
            report = heard(out.task, out.worker, message)
            if report is None:
                self._waiting.appendleft(out.task)
        if "missing" in message and self._crew.archive is not None:
            ships.sent(self._client, self._crew.archive, [message["missing"]])
        if report is not None:
            yield report

    def _lost(self, out: _Out, how: str) -> Report:
        """A Dask worker that ends takes along whatever it is at; only a process that ends by itself
        speaks against its task."""
        times, tries = self._times, self._crew.tries
        if how == _ENDED:
            times, tries = self._deserted, DESERTIONS * tries
        return lost(out.task, out.worker, how, times, tries)
