"""Tries of patches, handed out to the workers in batches."""

from __future__ import annotations

import contextlib
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgdebug.model import Verdict
from mgdebug.probe.frames import Malformed, Message
from mgdebug.runner.answers import read_verdict
from mgdebug.runner.worker import LOAD_SECONDS, LONGEST_WAIT, Channel, Worker, next_id

BATCH_SECONDS, BATCH_MOST, BATCH_FIRST = 0.15, 64, 8  # what a worker is given at once
OVERTIME_SECONDS = 0.6  # for the tries that are under way when the time is over

Shipped = Mapping[str, str]  # files of a try as they are sent


def was_cut(verdict: Verdict) -> bool:
    """Whether a try was ended because its loops turned too often: by a count, not by a clock."""
    return verdict.reason.startswith("loop limit")


@dataclass(slots=True)
class _Errand:
    """A batch that is under way.  indices: of its tries."""

    worker: Worker
    channel: Channel
    indices: Sequence[int]
    id: int
    begun: float
    deadline: float


class Tries:
    """One verdict for each try.  common: what all requests hold.  longest: seconds that one try may
    take.  until: on the monotonic clock; no try begins after it."""

    def __init__(
        self,
        workers: Sequence[Worker],
        tries: Sequence[Shipped],
        common: Message,
        *,
        longest: float,
        until: float,
        replaced: Callable[[Worker], Worker],
        dropped: Callable[[Worker], None],
    ) -> None:
        """replaced: another worker in place of one that is gone or does not answer.  dropped: ends
        one that is still busy when the time is over."""
        self._idle, self._tries, self._common = list(workers), tries, common
        self._longest, self._until = longest, until
        self._replaced, self._dropped = replaced, dropped
        self._waiting = deque(range(len(tries)))
        self._singly: deque[int] = deque()  # of a batch that was lost
        self._fresh: deque[int] = deque()  # only a new import can show them
        self._busy: list[_Errand] = []
        self._verdicts: dict[int, Verdict] = {}
        self._pace = BATCH_SECONDS / BATCH_FIRST
        self._crew = len(workers)

    def verdicts(self) -> list[Verdict]:
        with selectors.DefaultSelector() as self._selector:
            while self._waiting or self._singly or self._fresh or self._busy:
                if time.monotonic() >= self._until:
                    for queue in (self._waiting, self._singly, self._fresh):
                        queue.clear()
                self._hand_out()
                over = self._until + OVERTIME_SECONDS
                soonest = min((e.deadline for e in self._busy), default=0.0)
                soonest = min(soonest, over)
                left = max(0.0, soonest - time.monotonic())
                for key, _ in self._selector.select(min(left, LONGEST_WAIT)):
                    self._hear(key.data)
                if time.monotonic() >= over:
                    for errand in list(self._busy):
                        self._end(errand)
                        self._dropped(errand.worker)
                for errand in [e for e in self._busy if e.deadline < time.monotonic()]:
                    self._lose(errand, "the probe hung")
        missing = Verdict((), (), "not tried")
        return [self._verdicts.get(index, missing) for index in range(len(self._tries))]

    def _hand_out(self) -> None:
        while self._idle and (self._fresh or self._singly or self._waiting):
            worker = self._idle.pop()
            channel, indices = worker.warm, []
            if self._fresh:
                channel, indices = worker.pristine, [self._fresh.popleft()]
            elif self._singly:
                indices = [self._singly.popleft()]
            else:
                indices = [self._waiting.popleft() for _ in range(self._size())]
            self._send(worker, channel, indices)

    def _size(self) -> int:
        fair = -(-len(self._waiting) // self._crew)
        return max(1, min(fair, BATCH_MOST, int(BATCH_SECONDS / self._pace)))

    def _send(self, worker: Worker, channel: Channel, indices: Sequence[int]) -> None:
        now = time.monotonic()
        message = {**self._common, "id": next_id()}
        if channel is worker.warm:
            message["tries"] = [[index, self._tries[index]] for index in indices]
            message["seconds"] = min(self._until - now, LONGEST_WAIT)
            deadline = now + self._longest * len(indices)
        else:
            message["sources"] = self._tries[indices[0]]
            deadline = now + self._longest + LOAD_SECONDS
        errand = _Errand(worker, channel, indices, message["id"], now, deadline)
        self._busy.append(errand)
        with contextlib.suppress(OSError):  # who is gone is heard of at once
            channel.send(message)
        self._selector.register(channel, selectors.EVENT_READ, errand)

    def _hear(self, errand: _Errand) -> None:
        """What a worker has to say of a batch, if it is all there."""
        try:
            answer = errand.channel.read()
        except (OSError, EOFError, Malformed):
            self._lose(errand, "the probe died")
            return
        if answer is None or answer.get("id") != errand.id:
            return
        self._end(errand)
        self._idle.append(errand.worker)
        if errand.channel is errand.worker.pristine:
            self._verdicts[errand.indices[0]] = read_verdict(answer)
            return
        told = dict(_pairs(answer.get("told")))
        for index in errand.indices:
            if told.get(index, {}).get("fresh"):
                self._fresh.append(index)
            elif index in told:
                self._verdicts[index] = read_verdict(told[index])
        if told:
            pace = (time.monotonic() - errand.begun) / len(told)
            self._pace = max(1e-5, (self._pace + pace) / 2)

    def _lose(self, errand: _Errand, why: str) -> None:
        self._end(errand)
        self._idle.append(self._replaced(errand.worker))
        if len(errand.indices) > 1:
            self._singly.extend(errand.indices)
        else:
            self._verdicts[errand.indices[0]] = Verdict((), (), why)

    def _end(self, errand: _Errand) -> None:
        self._selector.unregister(errand.channel)
        self._busy.remove(errand)


def _pairs(raw: object) -> Iterator[tuple[int, dict[str, Any]]]:
    for pair in raw if isinstance(raw, list) else []:
        if isinstance(pair, list) and len(pair) == 2:
            index, answer = pair
            if isinstance(index, int) and isinstance(answer, dict):
                yield index, answer
