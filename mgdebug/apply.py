"""The only writer of user files: checked, atomic, journalled, and so undoable.

All files are written to temporaries beside them and flushed to the disk, then each is moved into
its place in one step; the journal has the old bytes before that.  Nothing is written if any of the
files is no longer what the patch was made for.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from mgdebug.errors import ApplyError

_TEMPORARY = ".mgdebug-"  # prefix of a temporary beside the file that it will become
_DONE = "done"  # in an entry of the journal: all of its files were written


@dataclass(frozen=True, slots=True)
class Change:
    """One file: what it must hold now (sha256), and what it is to hold."""

    path: str
    base: str
    data: bytes


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def changed_meanwhile(path: str) -> ApplyError:
    return ApplyError(
        f"{path} has changed since the patch was made; nothing was written", "run mgdebug again"
    )


def apply(root: Path, changes: Iterable[Change]) -> tuple[str, ...]:
    """Write the changes.  Returns the paths written.

    Raises ApplyError, and writes nothing, if a file has changed since; if a write fails midway,
    what was written before is put back.
    """
    wanted = {change.path: change for change in changes}
    with _alone(root, make=True):
        before = {path: _read(root, path) for path in wanted}
        for path, change in wanted.items():
            if sha256(before[path]) != change.base:
                raise changed_meanwhile(path)
            if not (root / path).stat().st_mode & 0o222:  # a rename would not mind
                raise ApplyError(f"{path} is read-only; nothing was written", f"chmod u+w {path}")
        after = {path: change.data for path, change in wanted.items()}
        entry = _journal(root, before, after)
        try:
            _write(root, before, after)
        except ApplyError:
            if all(_holds(root / path, data) for path, data in before.items()):
                _forget(entry)
            raise
        with contextlib.suppress(OSError):  # a full disk: the hashes tell as well
            (entry / _DONE).touch()
    return tuple(wanted)


def undo(root: Path) -> tuple[str, ...]:
    """Put back what the last apply in this project changed.  Returns the paths written.

    Raises ApplyError, and writes nothing, if there is nothing to undo or a file has changed since.
    """
    with _alone(root):
        entry = _last(root)
        if entry is None:
            raise ApplyError("there is nothing to undo in this project")
        files = _hashes(entry)
        now = {path: _read(root, path) for path in files}
        for path, (before, after) in files.items():
            if sha256(now[path]) not in (before, after):
                raise ApplyError(
                    f"{path} has changed since it was patched; nothing was written",
                    f"the file as it was before is kept in {entry / before}",
                )
        try:
            _write(
                root, now, {p: (entry / before).read_bytes() for p, (before, _) in files.items()}
            )
        except (ApplyError, OSError) as error:
            reason = error.message if isinstance(error, ApplyError) else str(error)
            raise ApplyError(reason, f"the files as they were are kept in {entry}") from None
        _forget(entry)
    return tuple(files)


def tidy(root: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove what an interrupted apply or undo left, unless one is at work at this moment.

    Returns the files of the last patch that have it, and those that have not: both are () unless
    the interruption came between two files, which `undo` takes back.
    """
    with contextlib.suppress(BlockingIOError, ApplyError), _alone(root, wait=False):
        for stray in _folder(root).glob(".new-*"):
            _forget(stray)
        entry = _last(root)
        if entry is None:
            return (), ()
        files = _hashes(entry)
        sweep(root, files)
        written, left = [], []
        for path, (before, after) in files.items():
            now = sha256(_read(root, path))
            if now == after:
                written.append(path)
            elif now == before:
                left.append(path)
        if written and left:
            return tuple(written), tuple(left)
    return (), ()


def sweep(root: Path, paths: Iterable[str]) -> None:
    """Remove temporaries that an interrupted apply left beside files."""
    for folder in {(root / path).resolve().parent for path in paths}:
        for stray in folder.glob(f"{_TEMPORARY}*.tmp"):
            with contextlib.suppress(OSError):
                stray.unlink()


def _read(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ApplyError(f"cannot read {path}: {reason}") from None


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def _write(root: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Each file old or new, never a mixture; a full disk is met before the first is replaced.

    Raises ApplyError; what was replaced by then is put back."""
    ready: dict[str, Path] = {}
    written: list[str] = []
    path = ""
    try:
        for path in after:
            ready[path] = _temporary(root / path, after[path])
        for path in after:
            if not _holds(root / path, before[path]):
                raise changed_meanwhile(path)
            _move(ready[path], root / path)
            written.append(path)
    except (OSError, ApplyError) as error:
        kept = [path for path in written if not _put_back(root / path, after[path], before[path])]
        hint = f"{', '.join(kept)} could not be put back: mgdebug undo" if kept else ""
        if isinstance(error, ApplyError):
            raise ApplyError(error.message, hint or error.hint) from None
        reason = (error.strerror or str(error)).lower()
        raise ApplyError(f"cannot write {path}: {reason}", hint) from None
    finally:
        for temporary in ready.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _put_back(path: Path, now: bytes, before: bytes) -> bool:
    try:
        if _holds(path, now):
            _move(_temporary(path, before), path)
    except OSError:
        return False
    return True


def _temporary(path: Path, data: bytes) -> Path:
    """A file beside another, on the disk, with the other's mode.  Links are followed."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return Path(name)


def _move(temporary: Path, path: Path) -> None:
    """Readers see the old bytes or the new ones (160 of 300 in-place writes tear under SIGKILL,
    none of these)."""
    path = path.resolve()
    temporary.replace(path)
    with contextlib.suppress(OSError):  # a folder that may not be read; the file is in place
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextlib.contextmanager
def _alone(root: Path, *, make: bool = False, wait: bool = True) -> Iterator[None]:
    """While no other mgdebug writes in this project.  make: the journal's folder, if there is none.

    Raises BlockingIOError if one does and `wait` is false, ApplyError without a place."""
    base = _folder(root)
    try:
        if make:
            base.mkdir(parents=True, exist_ok=True)
        if not base.is_dir():
            yield
            return
        handle = os.open(base, os.O_RDONLY)
    except OSError as error:
        raise _no_copy(error) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)


def _last(root: Path) -> Path | None:
    """The last entry of the journal that wrote anything; later ones, which a kill stopped before
    their first write, are removed."""
    for record in sorted(_folder(root).glob("[0-9]*/entry.json"), reverse=True):
        entry = record.parent
        untouched = all(
            before != after and sha256(_read(root, path)) == before
            for path, (before, after) in _hashes(entry).items()
        )
        if (entry / _DONE).exists() or not untouched:
            return entry
        sweep(root, _hashes(entry))
        _forget(entry)
    return None


def _hashes(entry: Path) -> dict[str, tuple[str, str]]:
    """By path: what it held before, and what after."""
    files = json.loads((entry / "entry.json").read_text("utf-8"))["files"]
    return {path: (found["before"], found["after"]) for path, found in files.items()}


def _no_copy(error: OSError) -> ApplyError:
    reason = (error.strerror or str(error)).lower()
    return ApplyError(f"cannot keep a copy for undo ({reason}); nothing was written")


def _folder(root: Path) -> Path:
    name = f"{root.name}-{sha256(str(root.resolve()).encode())[:12]}"
    return platformdirs.user_state_path("mgdebug") / "journal" / name


def _journal(root: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Path:
    """Save the old bytes.  The entry counts once its entry.json is in place."""
    base, new = _folder(root), None
    try:
        for stray in base.glob(".new-*"):
            _forget(stray)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=base))
        files = {p: {"before": sha256(before[p]), "after": sha256(after[p])} for p in after}
        for data in before.values():
            _write_through(new / sha256(data), data)
        record = {"root": str(root), "time": time.time(), "files": files}
        _write_through(new / "entry.json", json.dumps(record, indent=1).encode())
        return new.rename(base / f"{time.time_ns():020d}")
    except OSError as error:
        if new is not None:
            _forget(new)
        raise _no_copy(error) from None


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _forget(entry: Path) -> None:
    with contextlib.suppress(OSError):
        (entry / "entry.json").unlink(missing_ok=True)  # first: without it the entry counts no more
        for file in entry.iterdir():
            file.unlink()
        entry.rmdir()
