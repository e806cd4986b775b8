"""A crew on a Dask cluster, as its client sees it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mgdebug.crew import TRIES, Report, Task, never
from mgdebug.errors import EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from mgdebug.crew.ships import Archive

ANSWER_SECONDS, WORKER_SECONDS = 10.0, 30.0  # for a scheduler, for a first worker
CLOSE_SECONDS = 3.0
HERE = "local"  # in place of an address: a cluster on this machine


class Cluster:
    """A Crew.  Dask workers need mgdebug, of the same version, and nothing else of this machine."""

    def __init__(self, address: str, size: int = 0, tries: int = TRIES) -> None:
        """address: of a scheduler ("tcp://10.0.0.5:8786"), or "local" for a cluster on this machine
        of `size` workers.  size: the most tasks at once, 0 for as many as there are threads.
        tries: workers that a task may lose before it is given up.

        Raises UsageError without Dask and for what is no address, EnvironmentFailure where no
        scheduler or worker answers.
        """
        try:
            import dask
            import distributed
        except ImportError:
            raise UsageError(
                "--cluster needs Dask, which is not installed", "pip install 'mgdebug[cluster]'"
            ) from None
        _silence()
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})
        self._address, self._most, self._tries = address, size, tries
        self._cluster: Any = None
        self._client: Any = None
        if address != HERE:
            _understood(address)
        self._archive: Archive | None = None
        try:
            if address == HERE:
                self._cluster = _on_this_machine(size)
            self._client = distributed.Client(
                self._cluster or address, timeout=ANSWER_SECONDS, set_as_default=False
            )
            self._client.wait_for_workers(size if self._cluster else 1, WORKER_SECONDS)
        except (OSError, ValueError):
            alone = self._client is not None
            self.close()
            what = "no worker has come to" if alone else "no Dask scheduler answers at"
            how = f"`dask worker {address}`" if alone else "`dask scheduler`, or --cluster local"
            raise EnvironmentFailure(f"{what} {address}", f"start one: {how}") from None
        self._size = self.count()

    @property
    def client(self) -> Any:
        """Dask's own."""
        return self._client

    @property
    def size(self) -> int:
        return self._size

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.workers().values(), key=lambda name: (len(name), name)))

    def workers(self) -> dict[str, str]:
        """Address -> what a person calls it, of those that are there now."""
        from mgdebug.crew.seat import shown

        known = self._client.scheduler_info(n_workers=-1)["workers"]
        return {address: shown(one["name"], address) for address, one in known.items()}

    @property
    def address(self) -> str:
        return self._address

    @property
    def tries(self) -> int:
        return self._tries

    @property
    def archive(self) -> Archive | None:
        """What each worker must have before it begins a task."""
        return self._archive

    def carry(self, archive: Archive) -> None:
        """Send this one to the workers that have not got it."""
        self._archive = archive

    def count(self) -> int:
        """How many tasks the workers that are there now can do at once.  Raises EnvironmentFailure
        if the scheduler has gone."""
        try:
            threads: int = sum(self._client.nthreads().values())
        except (OSError, AttributeError):  # closed by itself
            raise gone(self._address) from None
        return min(threads, self._most or threads)

    def work(self, tasks: Sequence[Task], enough: Callable[[], bool] = never) -> Iterator[Report]:
        """See Crew.  Raises ValueError where two tasks have one name, EnvironmentFailure if the
        scheduler goes, or all workers."""
        from mgdebug.crew.sent import Sent

        sent = Sent(self, tasks)
        try:
            while not enough() and sent.more():
                yield from sent.heard()
        finally:
            sent.end()

    def close(self) -> None:
        """See Crew.  Of a cluster that somebody else has started, the Dask workers stay."""
        from mgdebug.crew import seat

        client, self._client = self._client, None
        cluster, self._cluster = self._cluster, None
        if client is not None:
            with contextlib.suppress(Exception):  # whatever a cluster says that is going away
                if client.status == "running":
                    client.run(seat.dismiss, on_error="ignore")
            client.close(CLOSE_SECONDS)
        if cluster is not None:
            cluster.close()


def _silence() -> None:
    """What Dask logs goes to standard error, where it is no help to whoever looks at a repair."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _understood(address: str) -> None:
    """Raises UsageError.  (A client that is made with what is no address never ends.)"""
    from distributed.comm.addressing import get_address_host_port

    try:
        get_address_host_port(address, strict=True)
    except (ValueError, TypeError):
        raise UsageError(
            f"--cluster {address}: that is no address of a Dask scheduler",
            "such as tcp://10.0.0.5:8786, or `local`",
        ) from None


def gone(address: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the Dask scheduler at {address} has gone", "start it again, then run this once more"
    )


def _on_this_machine(size: int) -> Any:
    """Workers that are started again when they end, and that nobody else can reach."""
    import dask
    from distributed import LocalCluster

    with dask.config.set({"distributed.scheduler.worker-saturation": 1.0}):
        return LocalCluster(
            n_workers=size,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=None,
            # Dask's own choice of a port is 8787, and a warning where that is taken.
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            memory_limit=0,  # what takes memory runs beside the workers
            silence_logs=logging.CRITICAL,
        )
