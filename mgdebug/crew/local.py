"""A crew of processes of this machine."""

from __future__ import annotations

import selectors
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mgdebug.crew import TRIES, Begun, Done, GivenUp, Lost, Report, Task, Told, checked, never
from mgdebug.crew.child import Child
from mgdebug.probe.frames import Malformed, Message

ASKED_SECONDS = 0.2  # between two questions whether it is enough


@dataclass
class _Worker:
    name: str
    child: Child | None = None  # started for its first task
    task: Task | None = None


class Local:
    """A Crew.  Its workers start when there is a first task for them."""

    def __init__(self, size: int, tries: int = TRIES) -> None:
        """size: workers; tries: how many of them a task may end before it is given up."""
        self._tries = tries
        self._workers = [_Worker(f"worker {number + 1}") for number in range(size)]

    @property
    def size(self) -> int:
        return len(self._workers)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(worker.name for worker in self._workers)

    def work(self, tasks: Sequence[Task], enough: Callable[[], bool] = never) -> Iterator[Report]:
        """See Crew.  Raises ValueError where two tasks have one name, OSError where no process can
        be started."""
        checked(tasks)
        waiting, times = deque(tasks), dict[str, int]()
        with selectors.DefaultSelector() as selector:
            try:
                while not enough():
                    for worker in self._workers:
                        if worker.task is None and waiting:
                            yield from self._give(worker, waiting.popleft(), selector)
                    busy = [worker for worker in self._workers if worker.task is not None]
                    if not busy and not waiting:
                        return
                    yield from self._heard(busy, selector, waiting, times)
            finally:
                for worker in self._workers:
                    if worker.task is not None:
                        _end(worker)

    def _give(
        self, worker: _Worker, task: Task, selector: selectors.BaseSelector
    ) -> Iterator[Report]:
        if worker.child is not None and worker.child.has_ended:
            _end(worker)
        if worker.child is None:
            worker.child = Child()
        try:
            worker.child.give(task.entry, task.asked)
        except ValueError as error:
            yield GivenUp(task, f"ValueError: {error}")
            return
        worker.task = task
        selector.register(worker.child, selectors.EVENT_READ, worker)
        yield Begun(task, worker.name)

    def _heard(
        self,
        busy: Sequence[_Worker],
        selector: selectors.BaseSelector,
        waiting: deque[Task],
        times: dict[str, int],
    ) -> Iterator[Report]:
        """What the workers say within a moment."""
        ready = [key.data for key, _ in selector.select(ASKED_SECONDS)]
        quiet = [w for w in busy if w not in ready and w.child is not None and w.child.has_ended]
        for worker in [*ready, *quiet]:
            child, task = worker.child, worker.task
            assert child is not None
            assert task is not None
            try:
                messages = child.read() if worker in ready else []
                ended = worker in quiet
            except (EOFError, Malformed):
                messages, ended = [], True
            for message in messages:
                report = heard(task, worker.name, message)
                if isinstance(report, Done | GivenUp):
                    selector.unregister(child)
                    worker.task = None
                if report is not None:
                    yield report
            if ended:
                selector.unregister(child)
                how = _end(worker)
                yield lost(task, worker.name, how, times, self._tries)
                if times[task.name] < self._tries:
                    waiting.appendleft(task)

    def close(self) -> None:
        """See Crew."""
        for worker in self._workers:
            _end(worker)


def _end(worker: _Worker) -> str:
    child, worker.child, worker.task = worker.child, None, None
    return child.end() if child is not None else ""


def heard(task: Task, worker: str, message: Message) -> Report | None:
    """What a worker process says of its task, as a report."""
    if "told" in message:
        return Told(task, worker, message["told"])
    if "answer" in message:
        return Done(task, worker, message["answer"], message["seconds"])
    if "raised" in message:
        return GivenUp(task, message["raised"])
    return None


def lost(task: Task, worker: str, how: str, times: dict[str, int], tries: int) -> Report:
    """One more worker has ended over a task: `times` counts."""
    times[task.name] = times.get(task.name, 0) + 1
    if times[task.name] >= tries:
        return GivenUp(task, f"{times[task.name]} workers ended over it, the last with {how}")
    return Lost(task, worker, times[task.name], how)
