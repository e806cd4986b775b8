"""A session written down as it goes, so that it can be taken up again: after a crash, offline,
without an engine.

Each line is with the operating system before the call returns, so that a kill loses at most the
line that is being written.  Values can hold secrets: nobody but the user may read the files.
What the files hold is in session.saved.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mgdebug.errors import UsageError
from mgdebug.events import Collected, Event, Finished, Grouped, Streamed, plain
from mgdebug.model import Target
from mgdebug.session.fitting import fitted
from mgdebug.session.saved import KEPT_BYTES, NEW, VERSION, folder, head, lock, prune
from mgdebug.syntax.source import SourceFile

_STEP = 1 << 16
_PIECE = 1 << 20  # bytes
EVENT_BYTES = 64 << 20  # of one event: a longer one is narrowed, or left out with a note


class Journal:
    """Writes one session; all calls may come from any thread.

    Trouble with the disk never ends a session: nothing more is written then, and `trouble` says
    so, once.  What comes after `end` is not written either.
    """

    def __init__(self) -> None:
        """A journal that is off; see `begin` and `resume`."""
        self.path: Path | None = None
        self._handle: int | None = None
        self._lock = threading.RLock()
        self._size = 0
        self._trouble = ""
        self._files: dict[str, str] = {}
        self._stands = self._failing = ""

    @classmethod
    def begin(cls, root: Path, target: Target, engine: str) -> Journal:
        """A new session of a project, in a file of its own.  Old sessions are pruned."""
        journal, name = cls(), ""
        first = {
            "version": VERSION,
            "root": str(root),
            "target": plain(target),
            "engine": engine,
            "time": time.time(),
            "pid": os.getpid(),
        }
        try:
            base = _private(folder(root))
            handle, name = tempfile.mkstemp(prefix=NEW, dir=base)  # 0600
            journal._handle = handle
            if not lock(handle):
                raise BlockingIOError
            journal._append(_line({"head": first}))
            path = base / f"{time.time_ns():020d}-{os.getpid()}.jsonl"
            journal.path = Path(name).rename(path)  # it is never seen without a head and a lock
        except OSError as error:
            journal._off(error)
            if name:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
        prune(root)
        return journal

    @classmethod
    def resume(cls, path: Path) -> Journal:
        """Go on with a session.  Raises UsageError if it is none of this version, or if another
        process writes to it at this moment."""
        journal = cls()
        head(path)
        try:
            journal._handle = handle = os.open(path, os.O_RDWR | os.O_APPEND)
            if not lock(handle):
                journal._close()
                raise UsageError(f"{path} is open in another mgdebug", "end that one first")
            if not os.path.samestat(os.fstat(handle), path.stat()):
                raise FileNotFoundError(2, "it was removed")
            journal.path, journal._size = path, _mended(handle)
            journal._append(_line({"resumed": {"time": time.time(), "pid": os.getpid()}}))
        except OSError as error:
            journal._off(error)
        return journal

    @property
    def trouble(self) -> str:
        """Why nothing is written any more, one sentence; "" while all is well."""
        return self._trouble

    def event(self, event: Event) -> None:
        """Write an event.  Of a trace too long to keep the visits in the middle are left out; of a
        reply only the last event is kept, which tells all of it."""
        if self._handle is None or (isinstance(event, Streamed) and not event.is_last):
            return
        line, note = fitted(event, min(EVENT_BYTES, KEPT_BYTES - self._size))
        if line:
            self._write(line)
        if note:
            self._record("note", note)
        self._tell(event)

    def files(self, files: Mapping[str, SourceFile]) -> None:
        """Write the source files that are shown from now on; those that were written already are
        not written again."""
        new = {p: s for p, s in files.items() if self._files.get(p) != s.sha256}
        if new:
            kept = {
                path: {"sha256": source.sha256, "text": source.data.decode("latin-1")}
                for path, source in new.items()
            }
            self._record("files", kept)
            self._files.update((path, source.sha256) for path, source in new.items())

    def deed(self, name: str, /, **data: Any) -> None:
        """Write what the user did.  data: of the model, or anything that JSON can say, and paths.
        Raises TypeError for other data."""
        self._record("deed", {"name": name, "data": plain(data), "time": time.time()})

    def stand(self, text: str) -> None:
        """How the session stands, one line, for those who look through sessions.  Events tell it
        too: how many cases fail, and how the repair ended."""
        if text != self._stands:
            self._stands = text
            self._record("stand", text)

    def end(self) -> None:
        """The session is left in an orderly way."""
        with self._lock:  # no other thread's line comes after
            self._record("ended", time.time())
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends it; where an exception leaves it, it can be taken up again."""
        if kind is None:
            self.end()
        self._close()

    def _tell(self, event: Event) -> None:
        if isinstance(event, Collected):
            bad = sum(not outcome.status.ok for outcome in event.outcomes)
            self._failing = f"{bad} of {len(event.outcomes)} cases fail"
            self.stand(self._failing)
        elif isinstance(event, Grouped):
            count = len(event.alternatives)
            self.stand(
                f"{self._failing}; {count} {'patch passes' if count == 1 else 'patches pass'}"
            )
        elif isinstance(event, Finished):
            self.stand(f"{self._failing}; {event.repair.stop}".removeprefix("; "))

    def _record(self, key: str, data: object) -> None:
        if self._handle is not None:
            self._write(_line({key: data}))

    def _write(self, line: str) -> None:
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                self._off(error)

    def _append(self, line: str) -> None:
        """Raises OSError."""
        for at in range(0, len(line) + 1, _PIECE):  # a long line is not copied whole
            piece = line[at : at + _PIECE]
            rest = memoryview((piece if len(piece) == _PIECE else f"{piece}\n").encode("ascii"))
            while rest and self._handle is not None:
                written = os.write(self._handle, rest)
                self._size, rest = self._size + written, rest[written:]

    def _off(self, error: OSError) -> None:
        why = (error.strerror or str(error)).lower()
        where = f"{error.filename}: " if error.filename else ""
        kept = "not kept" if self.path is None else "kept no further"
        self._trouble = f"this session is {kept}: {where}{why}"
        self._close()

    def _close(self) -> None:
        with self._lock:  # nobody writes to what may be another file's handle by then
            handle, self._handle = self._handle, None
            if handle is not None:
                with contextlib.suppress(OSError):
                    os.close(handle)  # and with it goes the lock


def _line(record: Mapping[str, object]) -> str:
    return json.dumps(record, ensure_ascii=True, default=os.fspath)


def _private(base: Path) -> Path:
    """A project's folder and the one of all projects, for nobody but the user.  Raises OSError."""
    base.parent.parent.mkdir(parents=True, exist_ok=True)
    for place in (base.parent, base):
        place.mkdir(mode=0o700, exist_ok=True)
        if place.stat().st_mode & 0o077:
            place.chmod(0o700)
    return base


def _mended(handle: int) -> int:
    """Cut off what follows the last whole line.  Returns the size.  Raises OSError."""
    at = os.fstat(handle).st_size
    while at > 0:
        start = max(0, at - _STEP)
        end = os.pread(handle, at - start, start).rfind(b"\n")
        if end >= 0:
            at = start + end + 1
            break
        at = start
    os.ftruncate(handle, at)
    return at
