"""A worker process, from outside."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mgdebug.crew.worker import LIMIT
from mgdebug.probe.frames import Decoder, Message, encode

# Not `-m`: the folder that it is started in would come before the standard library.
_START = "import sys; sys.path.append(sys.argv.pop(1));from mgdebug.crew.worker import main; main()"
_AT_ONCE = 1 << 20  # bytes that are read
_LAST_WORDS = 300  # characters of standard error


class Child:
    """A process that does one task at a time.  It ends when this process does, whatever ends that,
    and its process group with it."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """environment: None for that of this process.  Raises OSError if it cannot start."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        fcntl.fcntl(self._errors, fcntl.F_SETFL, os.O_APPEND)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, str(Path(__file__).parents[2])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                env=environment,
                start_new_session=True,  # Ctrl-C is ours to hear
            )
        except BaseException:
            self._errors.close()
            raise
        self._decoder = Decoder(LIMIT)
        self._how = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        """Where its messages come."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def give(self, entry: str, asked: Mapping[str, Any]) -> None:
        """Start a task.  If the process has ended, `read` will say so.  Raises TypeError for what
        is no JSON, ValueError for what is too long."""
        frame = encode({"entry": entry, "asked": dict(asked)})
        if len(frame) > LIMIT:
            raise ValueError(f"{len(frame)} bytes are more than a message may have")
        self._errors.truncate(0)
        assert self._process.stdin is not None
        left = memoryview(frame)
        with contextlib.suppress(BrokenPipeError):
            while left:
                left = left[os.write(self._process.stdin.fileno(), left) :]

    def read(self) -> list[Message]:
        """The messages that have arrived; to be called when there is something to read.  Raises
        EOFError once it has ended, Malformed for what no worker says."""
        data = os.read(self.fileno(), _AT_ONCE)
        if not data:
            raise EOFError
        return list(self._decoder.feed(data))

    @property
    def has_ended(self) -> bool:
        """True also where something that it started keeps its pipes open."""
        if self._how:
            return True
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, flags) is not None

    def end(self) -> str:
        """Kill its process group, if it has not ended, and say how it ended."""
        if not self._how:
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)  # not reaped yet: the number is still its own
            self._how = _how(self._process.wait())
            if self._process.returncode > 0:
                self._how += self._last_words()
            for pipe in (self._process.stdin, self._process.stdout, self._errors):
                assert pipe is not None
                pipe.close()
        return self._how

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return last and f": {last[:_LAST_WORDS]}"


def _how(code: int) -> str:
    if code >= 0:
        return f"exit {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal
        return f"signal {-code}"
