"""What a confined process tries, so that mgdebug knows, and need not believe, that it cannot.

Only the standard library: this runs in the launcher.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Self

from mgdebug.sandbox import kernel
from mgdebug.sandbox.policy import Policy, Site, hidden

LOOKED_AT = 40  # hidden files and folders
_UNTOUCHED = b"untouched"
_PTRACE_ATTACH = 16
_SECONDS = 0.5  # for a connection to this machine


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(1 << 16)


def _marks(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_mode, found.st_mtime_ns


class Bait:
    """What the launcher lays out, outside, before it confines anyone."""

    def __init__(self, site: Site) -> None:
        self.folder, self.file = f"{site.scratch}/outside", f"{site.scratch}/outside/file"
        os.makedirs(self.folder, exist_ok=True)
        with open(self.file, "wb") as file:
            file.write(_UNTOUCHED)
        self._before = _marks(self.file)
        self.pid = os.getpid()
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for one in (self.tcp, self.udp):
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
        self.tcp.listen()
        self.unix = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = f"{self.folder}/socket"
        self.unix.setblocking(False)
        if len(os.fsencode(self.path)) < 100:  # sun_path takes no more
            self.unix.bind(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for one in (self.tcp, self.udp, self.unix):
            one.close()

    def taken(self) -> Iterator[str]:
        """What the launcher itself sees to have happened."""
        if (
            os.listdir(self.folder) not in (["file"], ["file", "socket"], ["socket", "file"])
            or _content(self.file) != _UNTOUCHED
            or _marks(self.file) != self._before
        ):
            yield "write"
        for one in (self.tcp, self.udp, self.unix):
            try:
                one.accept() if one is self.tcp else one.recv(1)
            except OSError:
                continue
            yield "network"


def escapes(bait: Bait, site: Site, policy: Policy) -> set[str]:
    """Try it all.  Returns what was possible: network, secrets, processes, kernel.  Whether it was
    written is for the bait to tell: changes of the project are kept aside, and it may lie there."""
    found = set()
    for name, attempts in (
        ("write", _writes(bait)),
        ("network", _connections(bait) if policy.network != "all" else ()),
        ("secrets", _secrets(bait, site)),
        ("processes", [lambda: os.kill(bait.pid, 0)]),
        ("kernel", _calls()),
    ):
        for attempt in attempts:
            try:
                attempt()
            except OSError:
                continue
            found.add(name)
    return found - {"write"}


_Attempt = Callable[[], object]


def _writes(bait: Bait) -> Iterator[_Attempt]:
    new = os.O_WRONLY | os.O_CREAT
    yield lambda: os.close(os.open(f"{bait.folder}/new", new, 0o600))
    yield lambda: os.close(os.open(bait.file, os.O_WRONLY | os.O_APPEND))
    yield lambda: os.chmod(bait.file, 0o777)
    yield lambda: os.utime(bait.file, (1, 1))
    yield lambda: os.truncate(bait.file, 0)
    yield lambda: os.rename(bait.file, bait.file + ".moved")
    yield lambda: os.mkdir(f"{bait.folder}/folder")


def _connections(bait: Bait) -> Iterator[_Attempt]:
    def connect() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
            one.settimeout(_SECONDS)
            one.connect(tcp)

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"x", udp)
        raise OSError  # whether it arrived is seen outside

    def unix() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.sendto(b"x", bait.path)

    tcp, udp = bait.tcp.getsockname(), bait.udp.getsockname()
    yield connect
    yield send
    if os.path.exists(bait.path):
        yield unix


def _secrets(bait: Bait, site: Site) -> Iterator[_Attempt]:
    for path in [*hidden(site)[:LOOKED_AT], f"/proc/{bait.pid}/environ"]:
        yield lambda path=path: _look(path)  # type: ignore[misc]


def _look(path: str) -> None:
    """Read a file, or the first one in a folder.  Raises OSError if there is nothing to see."""
    if not os.path.isdir(path):
        found = [path]
    else:
        found = [
            f"{at}/{name}" for at, _, names in islice(os.walk(path), LOOKED_AT) for name in names
        ]
        found = [name for name in found[:LOOKED_AT] if os.path.isfile(name)]
    if not found or not _content(found[0]):
        raise OSError("empty")


def _calls() -> Iterator[_Attempt]:
    if sys.platform == "linux":
        yield lambda: kernel.call("unshare", kernel.CLONE_NEWUSER)
        yield lambda: kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        yield lambda: kernel.call("ptrace", _PTRACE_ATTACH, os.getppid(), 0, 0)
