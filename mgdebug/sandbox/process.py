"""A child process in a session of its own, and a scratch folder that goes when it goes.

What is confined today: the process group is killed as a whole, and on Linux whatever left it
too, because the probe adopts orphans (see probe.fork); standard input is empty; memory, core
dumps, the size of a file and time are bounded; temporary files land in a scratch folder, and
no byte code is written beside the user's sources.  What is not confined yet: the network, and
writes outside the scratch folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

# Between the request to end and the kill, and for the kill: much more than either takes.
GRACE_SECONDS = 2.0, 5.0


class Scratch:
    """A folder for what a child writes.  remove() also takes what a child has made unwritable."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="mgdebug-"))

    @property
    def log(self) -> Path:
        return self.path / "output.log"

    def output(self, size: int = 4000) -> str:
        """The last characters of what the children printed."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - size))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def remove(self) -> None:
        for folder, _, _ in os.walk(self.path):
            with contextlib.suppress(OSError):
                Path(folder).chmod(0o700)
        shutil.rmtree(self.path, ignore_errors=True)


class Process:
    """A running child.  It leads its own session, so that its group can be killed whole."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, scratch: Scratch, fds: Sequence[int]
    ) -> None:
        """fds: file descriptors that the child inherits.  Raises OSError if it cannot start."""
        with scratch.log.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                cwd=cwd,
                env=child_environment(os.environ, scratch),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=fds,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def stop(self) -> None:
        """End it with all that it started.  Never raises.

        SIGTERM first: a probe then takes its forks along, which lead sessions of their own.
        """
        for number, seconds in zip((signal.SIGTERM, signal.SIGKILL), GRACE_SECONDS, strict=True):
            with contextlib.suppress(OSError):
                os.killpg(self._child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)


def child_environment(own: Mapping[str, str], scratch: Scratch) -> dict[str, str]:
    """The user's environment; hashes repeat, no byte code, temporaries in the scratch folder."""
    environment = dict(own)
    environment |= {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "TMPDIR": str(scratch.path),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(scratch.path / "hypothesis"),
    }
    # A coverage or debugging session around mgdebug is not one around the user's tests.
    for name in ("COVERAGE_PROCESS_START", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS", "COLUMNS"):
        environment.pop(name, None)
    return environment
