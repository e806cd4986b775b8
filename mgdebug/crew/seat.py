"""One thread of a Dask worker, where a task is done: by a worker process beside it.

A task may set signals, leave memory behind or kill its process; none of that reaches the Dask
worker.  The process ends with the Dask worker, whatever ends that, and stays warm for the next
task.
"""

from __future__ import annotations

import json
import os
import selectors
import threading
import time
from typing import Any

import dask
import distributed

from mgdebug.crew import ships
from mgdebug.crew.child import Child
from mgdebug.probe.frames import Malformed

ASKED_SECONDS = 0.2  # between two looks whether the answer is still wanted
IDLE_SECONDS = 60.0  # after which a process that nobody needs is ended

_idle: list[tuple[float, Child]] = []
_lock = threading.Lock()


def done(key: str, topic: str, entry: str, asked: str, archive: str) -> dict[str, Any]:
    """What became of one task: {"answer", "seconds"} or {"raised"}, as the process says it; or
    {"lost": how it ended}; {"missing": the address of this worker}, which has to be sent the
    archive first; {} if nobody wants the answer any more.

    key: of the Dask task.  asked: as JSON.  topic: where {"begun"} and {"told"} are published.
    archive: its name, "" for none.
    """
    here = distributed.get_worker()
    if archive and not ships.has(archive):
        return {"missing": here.address}
    sitting = f"{here.address} {time.monotonic_ns()}"

    def publish(what: dict[str, Any]) -> None:
        here.log_event(topic, {"key": key, "sitting": sitting, **what})

    child = _taken()
    kept = False
    try:
        publish({"begun": shown(here.name, here.address)})
        child.give(entry, json.loads(asked))
        with selectors.DefaultSelector() as selector:
            selector.register(child, selectors.EVENT_READ)
            while True:
                ready = bool(selector.select(ASKED_SECONDS))
                if not ready and child.has_ended:
                    return {"lost": child.end()}
                if not ready and not _is_wanted(here, key):
                    return {}
                for message in child.read() if ready else ():
                    if "told" not in message:
                        kept = True
                        return message
                    publish({"told": json.dumps(message["told"])})
    except (EOFError, Malformed):
        return {"lost": child.end()}
    except ValueError as error:
        kept = True
        return {"raised": f"ValueError: {error}"}
    finally:
        if kept:
            _put_back(child)
            here.loop.add_callback(here.loop.call_later, IDLE_SECONDS + 1, dismiss, IDLE_SECONDS)
        else:
            child.end()


def shown(name: object, address: str) -> str:
    """What a person calls a Dask worker: those of a local cluster are numbered from 0."""
    return f"worker {name + 1}" if isinstance(name, int) else address.rpartition("://")[2]


def dismiss(seconds: float = 0.0) -> None:
    """End the processes that have been idle for so long."""
    until = time.monotonic() - seconds
    with _lock:
        leaving = [child for since, child in _idle if since <= until]
        _idle[:] = [(since, child) for since, child in _idle if since > until]
    for child in leaving:
        child.end()


def _taken() -> Child:
    while True:
        with _lock:
            _, child = _idle.pop() if _idle else (0.0, None)
        if child is None:
            return Child(_environment())
        if not child.has_ended:
            return child
        child.end()


def _put_back(child: Child) -> None:
    with _lock:
        _idle.append((time.monotonic(), child))


def _environment() -> dict[str, str]:
    """Without what Dask has set for its own workers."""
    own = dask.config.get("distributed.nanny.pre-spawn-environ", {})
    set_by_dask = {name: str(value) for name, value in own.items()}
    return {k: v for k, v in os.environ.items() if set_by_dask.get(k) != v}


def _is_wanted(here: Any, key: str) -> bool:
    """False once whoever asked has cancelled the task, or has gone."""
    task = here.state.tasks.get(key)
    return task is not None and task.state == "executing"
