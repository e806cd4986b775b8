"""A child process in the sandbox, and what became of confining it."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import select
import signal
import subprocess
import sys
import time
from ast import literal_eval
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mgdebug.sandbox.policy import HOME, TEMPORARY, Policy, Site
from mgdebug.sandbox.scratch import Scratch

GRACE_SECONDS = 5.0, 5.0  # from the request to end to the kill, and for the kill
START_SECONDS = 30.0  # for the layers to be laid and tested

_LAUNCH = (
    "import sys; sys.path.append(sys.argv.pop(1));"  # behind the standard library
    "from mgdebug.sandbox.launch import main; main(sys.argv[1:])"
)
# What a program needs to run, and nothing that could be a key.
_KEPT = (
    *("PATH", "LANG", "LANGUAGE", "LC_*", "TZ", "USER", "LOGNAME", "SHELL", "TERM", "CI"),
    *("PYTHON*", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "DYLD_*", "SOURCE_DATE_EPOCH"),
    *("DJANGO_SETTINGS_MODULE", "HYPOTHESIS_PROFILE", "OMP_NUM_THREADS"),
)
# A coverage or debugging session around mgdebug is not one around the user's tests.
_DROPPED = (
    *("COVERAGE_PROCESS_START", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS", "COLUMNS"),
    *("PYTHONSTARTUP", "PYTHONBREAKPOINT", "PYTHONINSPECT"),
)
_ESCAPES = {
    "write": "files outside the scratch folder can be written",
    "network": "the network can be reached",
    "secrets": "dot files of your home can be read",
    "processes": "other processes of yours can be signalled",
    "kernel": "other users' name spaces and memory can be asked for",
}


@dataclass(frozen=True, slots=True)
class Confinement:
    """What the sandbox was found to hold, tried out before the program began.

    escapes: what a confined process could still do, in words.  changes: whether what it writes to
    the project is kept aside rather than forbidden.  apart: whether it lives in namespaces of its
    own, where nothing survives.
    """

    escapes: tuple[str, ...] = ()
    changes: bool = False
    apart: bool = False


class Process:
    """A running child.  It ends with this process, whatever ends that."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        site: Site,
        policy: Policy,
        scratch: Scratch,
        fds: Sequence[int],
    ) -> None:
        """fds: file descriptors that the child inherits.  Raises OSError if it cannot start."""
        lifeline, self._lifeline = os.pipe()
        status, told = os.pipe()
        numbers = ",".join(str(fd) for fd in (lifeline, told, *fds))
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(Path(__file__).parents[2])]
        try:
            with scratch.log.open("ab") as log:
                self._child = subprocess.Popen(
                    [*launcher, policy.written(), site.written(), numbers, *command],
                    cwd="/",
                    env=child_environment(os.environ, site, policy),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[lifeline, told, *fds],
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._lifeline)
            os.close(status)
            raise
        finally:
            os.close(lifeline)
            os.close(told)
        self._status = status
        self._confinement: Confinement | None = None

    @property
    def confinement(self) -> Confinement:
        """Waits until the layers are laid and tested.  Raises OSError if they never are."""
        if self._confinement is None:
            self._confinement = _confinement(_all_of(self._status, START_SECONDS))
        return self._confinement

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def stop(self) -> None:
        """End it with all that it started.  Never raises."""
        if self._lifeline >= 0:
            os.close(self._status)
        for number, seconds in zip((signal.SIGTERM, signal.SIGKILL), GRACE_SECONDS, strict=True):
            self._child.send_signal(number)  # to nobody once it has ended
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1


def child_environment(own: Mapping[str, str], site: Site, policy: Policy) -> dict[str, str]:
    """What is handed on of the user's environment; hashes repeat, no byte code, home and
    temporaries in the scratch folder."""
    if policy.mode == "off":
        environment = {k: v for k, v in own.items() if k not in _DROPPED}
    else:
        environment = {k: v for k, v in own.items() if is_kept(k, policy.env)}
        environment["HOME"] = f"{site.box}/{HOME}"
    temporary = f"{site.box}/{TEMPORARY}"
    environment |= {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "TMPDIR": temporary,
        "HYPOTHESIS_STORAGE_DIRECTORY": f"{temporary}/hypothesis",
    }
    return environment


def is_kept(name: str, wanted: Collection[str]) -> bool:
    """Whether a variable of the environment is handed on.  wanted: those that the user named."""
    if name in wanted:
        return True
    return name not in _DROPPED and any(fnmatch.fnmatchcase(name, kept) for kept in _KEPT)


def _all_of(fd: int, seconds: float) -> bytes:
    found, deadline = b"", time.monotonic() + seconds
    while select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
        data = os.read(fd, 1 << 16)
        if not data:
            return found
        found += data
    raise TimeoutError("the sandbox does not start")


def _confinement(said: bytes) -> Confinement:
    try:
        raw = literal_eval(said.decode())
        layers, escapes = raw["layers"], raw["escapes"]
    except (ValueError, SyntaxError, TypeError, KeyError):
        raise OSError("the sandbox does not start") from None
    found = tuple(words for name, words in _ESCAPES.items() if name in escapes)
    return Confinement(found, bool(layers.get("layered")), bool(layers.get("apart")))
