"""A program in a terminal of its own (a pty), as the one that drives it sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

COLUMNS, ROWS = 160, 45
_CHUNK = 1 << 16


class Terminal:
    """data: all that was written so far, in bytes."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]):
        self.data = bytearray()
        self.began = time.perf_counter()
        self.pid, self._handle = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(folder)
                given = {"TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
                os.execve(command[0], [*command], given)
            finally:
                os._exit(127)
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self._handle, termios.TIOCSWINSZ, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._handle)

    def type(self, text: str) -> None:
        os.write(self._handle, text.encode())

    def reads(self, seconds: float) -> None:
        """Take what is written in some seconds."""
        self.wait(lambda _: False, seconds)

    def wait(self, shown: Callable[[bytearray], bool], seconds: float, start: int = 0) -> bool:
        """Take what is written until that holds of the data from some byte on, for some seconds at
        most.  Returns whether it does."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if shown(self.data[start:]):
                return True
            if select.select([self._handle], [], [], left)[0]:
                try:
                    self.data += os.read(self._handle, _CHUNK)
                except OSError:  # it has ended
                    return shown(self.data[start:])
        return shown(self.data[start:])

    def peak(self) -> int:
        """The most memory that the program's own process has had, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) << 10
