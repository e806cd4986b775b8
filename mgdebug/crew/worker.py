"""A worker: does one task after another, in its main thread, until its standard input ends.

Frames (see probe.frames) come by standard input: {"entry", "asked"}; by standard output go, of each
task, any number of {"told"}, then {"answer", "seconds"} or {"raised"}.  What an entry
prints goes to standard error.  When whoever started it has gone, a worker ends at once, with its
whole process group: nothing would be done with the answer.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from mgdebug.probe.frames import Decoder, Message, encode, receive

LIMIT = 256 << 20  # bytes of one message
RAISED_AT_MOST = 500  # characters


def main() -> None:
    """Serves standard input; does not return."""
    asked_on, told_on = os.dup(0), os.dup(1)  # neither is inherited
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    tasks: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked_on, tasks), daemon=True).start()
    lock = threading.Lock()

    def write(frame: bytes) -> None:
        with lock:
            left = memoryview(frame)
            while left:
                left = left[os.write(told_on, left) :]

    while True:
        task = tasks.get()
        write(_done(task, lambda what: write(_frame({"told": what}))))


def _frame(message: Message) -> bytes:
    """Raises TypeError for what is no JSON, ValueError for what is too long."""
    frame = encode(message)
    if len(frame) > LIMIT:
        raise ValueError(f"{len(frame)} bytes are more than a message may have")
    return frame


def _listen(fd: int, tasks: queue.SimpleQueue[Message]) -> None:
    decoder = Decoder(LIMIT)
    try:
        while (task := receive(fd, decoder)) is not None:
            tasks.put(task)
    finally:
        if os.getpgrp() == os.getpid():
            with contextlib.suppress(OSError):
                os.killpg(0, signal.SIGKILL)
        os._exit(1)


def _done(task: Message, tell: Callable[[Mapping[str, Any]], None]) -> bytes:
    try:
        entry = _entry(task["entry"])
        began = time.monotonic()
        both = len(inspect.signature(entry).parameters) > 1
        answer = entry(task["asked"], tell) if both else entry(task["asked"])
        if not isinstance(answer, dict):
            raise TypeError(f"{task['entry']} answered with {type(answer).__name__}, not a dict")
        return _frame({"answer": answer, "seconds": time.monotonic() - began})
    except BaseException as error:  # an exit of an entry is none of the worker's
        traceback.print_exc()
        return _frame({"raised": _line(error)})


def _line(error: BaseException) -> str:
    words = "".join(traceback.format_exception_only(error)).split()
    return " ".join(words)[:RAISED_AT_MOST]


def _entry(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    entry: Callable[..., Any] = getattr(import_module(module), function)
    return entry


if __name__ == "__main__":
    main()
