"""Sessions on disk, as they are read: which there are, how each stands, and all that one holds.

A project's sessions lie in one folder of the user's state folder, a file each, JSON Lines.  The
key of a line tells its kind: "head" (the first), "event" (just as events.to_json writes it),
"files", "deed", "stand", "note", "resumed", "ended".  A process that writes a session holds a lock
on its file, which the kernel takes away however the process ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import platformdirs

from mgdebug.decoding import decode, from_json
from mgdebug.errors import SourceError, UsageError
from mgdebug.events import Event
from mgdebug.languages import language_of
from mgdebug.model import Target
from mgdebug.syntax.source import SourceFile

VERSION = 1
KEPT = 10  # sessions of one project; living ones are kept beyond that
KEPT_BYTES = 200 << 20  # of all of them
NEW = ".new-"  # prefix of a session that has no head yet
_STRAY_SECONDS = 3600  # after which one that never got its head is removed
_HEAD_BYTES = 1 << 20
_BEGIN_ANEW = "begin a new session"


@dataclass(frozen=True, slots=True)
class Head:
    """How a session began.  time: seconds since 1970; pid: of the process."""

    version: int
    root: str
    target: Target
    engine: str
    time: float
    pid: int


@dataclass(frozen=True, slots=True)
class Deed:
    """What the user did.  data: as JSON has it; time: seconds since 1970."""

    name: str
    data: Mapping[str, Any]
    time: float


@dataclass(frozen=True, slots=True)
class Shown:
    """Source files as the session showed them from then on; others stay what they were."""

    files: Mapping[str, SourceFile]


@dataclass(frozen=True, slots=True)
class Saved:
    """A session that can be listed.  changed: when it was last written to, seconds since 1970;
    size: bytes; ended: left in an orderly way; alive: a process writes to it; stands: one line."""

    path: Path
    head: Head
    changed: float
    size: int
    ended: bool
    alive: bool
    stands: str


@dataclass(frozen=True, slots=True)
class _Written:
    """An event that is not decoded yet: where its line begins, and its number."""

    at: int
    line: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """All that a session's file holds.  notes: what could not be kept, in words."""

    path: Path
    head: Head
    ended: bool
    notes: tuple[str, ...]
    _entries: tuple[Deed | Shown | _Written, ...] = field(repr=False)

    def __iter__(self) -> Iterator[Event | Deed | Shown]:
        """In the order in which it happened; an event is decoded as it comes.  Raises UsageError
        at one that cannot be."""
        with _opened(self.path) as file:
            for entry in self._entries:
                yield self._event(file, entry) if isinstance(entry, _Written) else entry

    @property
    def deeds(self) -> tuple[Deed, ...]:
        return tuple(entry for entry in self._entries if isinstance(entry, Deed))

    @property
    def files(self) -> dict[str, SourceFile]:
        """As they were shown last."""
        found: dict[str, SourceFile] = {}
        for entry in self._entries:
            if isinstance(entry, Shown):
                found.update(entry.files)
        return found

    def _event(self, file: BinaryIO, entry: _Written) -> Event:
        file.seek(entry.at)
        try:
            return from_json(file.readline().decode("ascii"))
        except ValueError as error:
            raise _damaged(self.path, entry.line, str(error)) from None


def folder(root: Path) -> Path:
    """Where a project's sessions are."""
    whole = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()
    sessions = platformdirs.user_state_path("mgdebug") / "sessions"
    return sessions / f"{root.name[:60]}-{whole[:12]}"


def sessions(root: Path) -> tuple[Saved, ...]:
    """Those of a project that this version can read, the one last written to first."""
    found = [saved for path in _paths(root) if (saved := _saved(path)) is not None]
    return tuple(sorted(found, key=lambda saved: (saved.changed, saved.path), reverse=True))


def any_earlier(root: Path, own: Path | None) -> bool:
    """Whether a project has a session to take up besides one's own."""
    return any(saved.path != own and not saved.alive for saved in sessions(root))


def read(path: Path) -> Recorded:
    """What a session's file holds; a last line that was not written to its end does not count.

    Raises UsageError for a file that is no session, is of another version, or is damaged."""
    notes, ended = list[str](), False
    entries = list[Deed | Shown | _Written]()
    with _opened(path) as file:
        first, at = _head(path, file), file.tell()
        for number, line in enumerate(file, 2):
            if not line.endswith(b"\n"):
                break
            if line.startswith(b'{"event"'):
                entries.append(_Written(at, number))
            else:
                key, data = _parsed(path, number, line)
                if key in ("ended", "resumed"):
                    ended = key == "ended"
                elif key == "note":
                    notes.append(str(data))
                elif key != "stand":
                    entries.append(_entry(path, number, key, data))
            at += len(line)
    return Recorded(path, first, ended, tuple(notes), tuple(entries))


def head(path: Path) -> Head:
    """How a session began.  Raises UsageError for a file that is no session of this version."""
    with _opened(path) as file:
        return _head(path, file)


def prune(root: Path) -> None:
    """Remove all but the newest sessions of a project; never one that a process writes to."""
    found: list[tuple[float, int, Path]] = []
    for path in _paths(root):
        with contextlib.suppress(OSError):
            now = path.stat()
            found.append((now.st_mtime, now.st_size, path))
    total = 0
    for place, (_, size, path) in enumerate(sorted(found, reverse=True)):
        total += size
        if place >= KEPT or total > KEPT_BYTES:
            _remove(path)
    with contextlib.suppress(OSError):
        for stray in folder(root).glob(f"{NEW}*"):
            if time.time() - stray.stat().st_mtime > _STRAY_SECONDS:
                _remove(stray)


def lock(handle: int) -> bool:
    """Lock a session's file for the process that writes it; False if one does already.  Raises
    OSError where files cannot be locked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _paths(root: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in folder(root).glob("[0-9]*.jsonl") if path.is_file()]
    return []


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("rb") as file:
        if lock(file.fileno()):
            path.unlink()


def _saved(path: Path) -> Saved | None:
    stands, ended = "", False
    try:
        with _opened(path) as file:
            first, now = _head(path, file), os.fstat(file.fileno())
            for line in file:
                if line.startswith((b'{"stand"', b'{"ended"', b'{"resumed"')):
                    key, data = _parsed(path, 0, line)
                    ended = key == "ended" or (ended and key == "stand")
                    stands = str(data) if key == "stand" else stands
            alive = not _unlocked(file.fileno())
    except (UsageError, OSError):
        return None
    return Saved(path, first, now.st_mtime, now.st_size, ended, alive, stands)


def _unlocked(handle: int) -> bool:
    """Whether nobody writes.  A shared lock, so that two who look do not see each other; it is
    gone when the file is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"{path} cannot be read: {why}", _BEGIN_ANEW) from None
    with file:
        yield file


def _head(path: Path, file: BinaryIO) -> Head:
    """Raises UsageError."""
    try:
        data = json.loads(file.readline(_HEAD_BYTES))["head"]
        version = data["version"]
        first = decode(Head, data) if version == VERSION else None
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        raise UsageError(f"{path} is no session of mgdebug", _BEGIN_ANEW) from None
    if first is None:
        message = f"{path} is a session of another mgdebug: version {version!r}, not {VERSION}"
        raise UsageError(message, f"{_BEGIN_ANEW}, or read it with that mgdebug")
    return first


def _parsed(path: Path, number: int, line: bytes) -> tuple[str, Any]:
    """The kind of a line and what it says."""
    try:
        ((key, data),) = json.loads(line).items()
    except (ValueError, AttributeError, RecursionError):
        raise _damaged(path, number, "it is no record of a session") from None
    return key, data


def _entry(path: Path, number: int, key: str, data: Any) -> Deed | Shown:
    try:
        if key == "deed":
            return decode(Deed, data)
        if key == "files":
            return Shown(_files(data))
    except (LookupError, TypeError, ValueError, AttributeError, SourceError) as error:
        raise _damaged(path, number, str(error)) from None
    raise _damaged(path, number, f"{key!r} is no record of a session")


def _files(data: Mapping[str, Mapping[str, str]]) -> dict[str, SourceFile]:
    """Raises ValueError for a text that is not the one that was written."""
    found = {}
    for path, kept in data.items():
        language, text = language_of(path), kept["text"].encode("latin-1")
        if hashlib.sha256(text).hexdigest() != kept["sha256"]:
            raise ValueError(f"the text of {path} is not what was kept")
        if language is not None:
            found[path] = SourceFile(path, text, language.grammar())
    return found


def _damaged(path: Path, line: int, what: str) -> UsageError:
    return UsageError(f"{path} is damaged in line {line}: {what}", _BEGIN_ANEW)
