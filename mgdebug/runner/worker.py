"""One interpreter of the project and the channels to its two processes (see probe.worker)."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import selectors
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mgdebug.errors import InterpreterError, NoCasesError, ProbeError, UsageError
from mgdebug.model import Limits, Target
from mgdebug.probe.frames import Decoder, Malformed, Message, encode
from mgdebug.sandbox.policy import TEMPORARY, Policy, Site
from mgdebug.sandbox.process import Confinement, Process
from mgdebug.sandbox.scratch import Scratch

PROBE = Path(__file__).parents[1] / "probe"
OLDEST = [3, 8]
START_SECONDS = 60.0  # for an interpreter and pytest to start
LOAD_SECONDS = 150.0  # for a project to be imported and collected
ASKED_SECONDS = 0.2  # between two questions whether it is enough
LONGEST_WAIT = 3600.0  # at once; poll() takes no more than some weeks


class Channel:
    """Messages to and from one process of a worker."""

    def __init__(self) -> None:
        self.child_in, self._write = os.pipe()
        self._read, self.child_out = os.pipe()
        self._decoder = Decoder()
        self._ready: list[Message] = []

    def fileno(self) -> int:
        return self._read

    def send(self, message: Message) -> None:
        """Raises BrokenPipeError if the process is gone."""
        left = memoryview(encode(message))
        while left:
            left = left[os.write(self._write, left) :]

    def read(self) -> Message | None:
        """The next message if it is complete.  Raises EOFError or Malformed."""
        data = os.read(self._read, 1 << 20)
        if not data:
            raise EOFError
        self._ready += self._decoder.feed(data)
        return self._ready.pop(0) if self._ready else None

    def wait(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> Message:
        """The next message.  enough: asked a few times a second; once it is true the wait is over.
        Raises EOFError, Malformed or TimeoutError."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ)
            while not self._ready:
                left = deadline - time.monotonic()
                if left <= 0 or enough():
                    raise TimeoutError
                message = self.read() if selector.select(min(left, ASKED_SECONDS)) else None
                if message is not None:
                    return message
        return self._ready.pop(0)

    def close_child_ends(self) -> None:
        os.close(self.child_in)
        os.close(self.child_out)

    def close(self) -> None:
        os.close(self._write)
        os.close(self._read)


_ids = itertools.count(1)


def next_id() -> int:
    """Of a request; its answer bears it too."""
    return next(_ids)


class Worker:
    """A pristine process for runs that import everything anew, and a warm one for tries."""

    def __init__(self, python: str, spec: Message, policy: Policy) -> None:
        """Raises InterpreterError if the interpreter cannot be started, or is too old."""
        self.scratch = Scratch()
        home = str(Path.home())
        self._site = Site(spec["root"], spec["cwd"], str(self.scratch.path), python, home)
        self.pristine, self.warm = Channel(), Channel()
        self.loaded = self._told = self._closed = False
        self.said = ""  # what it printed, once it is closed
        fds = [f for c in (self.pristine, self.warm) for f in (c.child_in, c.child_out)]
        command = [python, str(PROBE), *map(str, fds)]
        try:
            if not Path(python).is_file() or not os.access(python, os.X_OK):
                number = errno.EACCES if Path(python).exists() else errno.ENOENT
                raise OSError(number, os.strerror(number))
            self._process = Process(
                command, site=self._site, policy=policy, scratch=self.scratch, fds=fds
            )
        except OSError as error:
            self._close_files()
            raise InterpreterError(
                f"cannot start {python}: {(error.strerror or str(error)).lower()}",
                "name the project's interpreter with --python PATH",
            ) from None
        finally:
            self.pristine.close_child_ends()
            self.warm.close_child_ends()
        try:
            self.hello = self._greet(spec)
        except (OSError, EOFError, Malformed):
            said = self.scratch.output().strip()
            self.close()
            raise InterpreterError(
                f"{python} does not run mgdebug's probe",
                "it must be CPython 3.8 or newer; choose another one with --python PATH",
                said,
            ) from None
        except BaseException:  # interrupted while it starts
            self.close()
            raise
        if self.version < OLDEST:
            self.close()
            raise InterpreterError(
                f"{python} is too old", "mgdebug's probe needs CPython 3.8 or newer"
            )

    def _greet(self, spec: Message) -> Message:
        own = {"scratch": f"{self._site.box}/{TEMPORARY}", "log": self._site.log}
        self.pristine.send({**spec, **own})
        return self.pristine.wait(START_SECONDS)

    @property
    def confinement(self) -> Confinement:
        """What the sandbox holds.  Raises OSError if it did not start."""
        return self._process.confinement

    @property
    def version(self) -> list[int]:
        numbers = self.hello.get("version")
        return [n for n in numbers if isinstance(n, int)] if isinstance(numbers, list) else []

    def load(self, sources: Mapping[str, str] | None = None) -> None:
        """Tell the warm process to import the project; does not wait for it.

        sources: files in place of those on the disk, one character a byte."""
        if not self._told:
            self._told = True
            self.warm.send({"sources": dict(sources or {})})

    def wait_until_loaded(self) -> None:
        """Raises ProbeError if the project cannot be imported and collected."""
        if self.loaded:
            return
        try:
            self.load()
            answer = self.warm.wait(LOAD_SECONDS)
        except (OSError, EOFError, Malformed):
            answer = {}
        if "ready" not in answer:
            raise ProbeError(
                "the project cannot be loaded for tries any more",
                "run the tests on their own first: do they end, and end alike each time?",
                self.scratch.output(),
            )
        self.loaded = True

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._process.stop()
            self.said = self.scratch.output()
            self._close_files()

    def _close_files(self) -> None:
        self.pristine.close()
        self.warm.close()
        with contextlib.suppress(OSError):  # the next start sweeps
            self.scratch.remove()


class Early:
    """A worker that starts beside whatever this process does meanwhile."""

    def __init__(self, python: str, spec: Message, policy: Policy) -> None:
        self._worker: Worker | None = None
        self._error: BaseException | None = None

        def start() -> None:
            try:
                self._worker = Worker(python, spec, policy)
            except BaseException as error:
                self._error = error

        self._thread = threading.Thread(target=start, daemon=True)
        self._thread.start()

    def __call__(self) -> Worker:
        """Waits for it.  Raises as Worker does."""
        self._thread.join()
        if self._worker is None:
            assert self._error is not None
            raise self._error
        return self._worker


def spec_of(target: Target, root: Path, limits: Limits, doctests: bool) -> Message:
    """What the probe is told once."""
    cwd = Path(os.path.realpath(target.cwd))
    only_own = bool(target.expressions or target.io) and not target.tests
    path = os.path.realpath(root / target.path) if target.path else None
    return {
        "cwd": str(cwd),
        "root": str(root),
        "pytest": None if only_own else list(target.tests),
        "unittest": None if only_own else [str(cwd / t) for t in target.tests],
        "doctest": [path] if path and doctests and not target.tests and not target.io else [],
        "expressions": [*target.expressions, *target.answers],
        "target": path,
        "io": _pairs(target.io) if target.io else [],
        "memory": limits.memory,
    }


def _pairs(folder: Path) -> list[list[str]]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "--io wants a folder of NAME.in and NAME.out")
    found = []
    for given in sorted(folder.glob("*.in")):
        wanted = given.with_suffix(".out")
        if not wanted.is_file():
            raise UsageError(f"{given} has no {wanted.name} beside it")
        found.append([given.stem, str(given.resolve()), str(wanted.resolve())])
    if not found:
        raise NoCasesError(f"{folder} holds no NAME.in with its NAME.out")
    return found
