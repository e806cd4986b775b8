"""Tasks -> workers -> answers: on this machine (`local`), or on a Dask cluster (`cluster`).

A task is plain JSON, its answer too: a function by its name, and a dict for it.  Both crews have it
done by the same program (`worker`), in a process of its own that may die; so an answer does not
depend on where it was found.  A crew knows nothing of what its tasks are about.

```
local           processes of this machine
cluster         a Dask cluster, as its client sees it
sent            the tasks that it has been sent
seat            one thread of a Dask worker: has tasks done by a worker process beside it
child           a worker process, from outside
worker          the program that it runs
ships           how a project gets to the workers of a cluster
checking        whether they have what this machine has
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

TRIES = 3  # times that a task may lose its worker


@dataclass(frozen=True, slots=True)
class Task:
    """name: shown to people, unique in a run.  entry: "package.module:function", which takes a dict
    and, if it has a second parameter, `tell`, which takes dicts; it returns a dict.  asked: what it
    is given, ready for JSON."""

    name: str
    entry: str
    asked: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Begun:
    """A worker has taken a task."""

    task: Task
    worker: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the entry said meanwhile."""

    task: Task
    worker: str
    what: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """seconds: that the entry took."""

    task: Task
    worker: str
    answer: dict[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker ended while it had the task, which is done again.  times: so far.  why: how it
    ended."""

    task: Task
    worker: str
    times: int
    why: str


@dataclass(frozen=True, slots=True)
class GivenUp:
    """No answer will come: the entry raised, or the task has lost too many workers."""

    task: Task
    why: str


Report = Begun | Told | Done | Lost | GivenUp


def never() -> bool:
    return False


class Crew(Protocol):
    """Workers that stay from one `work` to the next.  size: tasks that are done at once.  names: of
    the workers."""

    @property
    def size(self) -> int: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def work(self, tasks: Sequence[Task], enough: Callable[[], bool] = never) -> Iterator[Report]:
        """Reports as they come, until each task is Done or GivenUp; tasks begin in their order.

        enough: asked a few times a second; once it is true, or the iterator is closed, what runs is
        ended and nothing more begins.
        """

    def close(self) -> None:
        """End all workers, with what they have started."""


def hired(cluster: str, jobs: int) -> Crew:
    """cluster: the address of a Dask scheduler, "local" for a Dask cluster on this machine, "" for
    processes of it.  jobs: tasks at once; with an address, 0 for as many as the cluster can do.
    Raises UsageError without Dask, EnvironmentFailure where there is no such cluster."""
    if not cluster:
        from mgdebug.crew.local import Local

        return Local(jobs)
    from mgdebug.crew.cluster import Cluster

    return Cluster(cluster, jobs)


def checked(tasks: Sequence[Task]) -> None:
    """Raises ValueError where two tasks have one name."""
    names = [task.name for task in tasks]
    if len({*names}) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"two tasks are named {twice}")
