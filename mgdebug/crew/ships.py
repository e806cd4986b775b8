"""How a project gets to workers elsewhere.

*Shared*: the same folder is at the same path on each of them.  *Archive*: its files are sent, once
to a host, and again only when they have changed; on a worker they lie in the cache, in a folder
that is named by what it holds.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from mgdebug.errors import EnvironmentFailure

SHARED, ARCHIVE = SHIPS = ("shared", "archive")
LARGEST = 512 << 20  # bytes of all files that are sent
KEPT_SECONDS = 14 * 86_400.0  # that an archive is kept which nobody asks for
_SHIPPED = "shipped:"
_LEFT_OUT = {
    *(".git", ".hg", ".svn", "__pycache__", "node_modules", ".tox", ".nox", ".eggs"),
    *(".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".cache"),
}
_MARKS = ("pyvenv.cfg", "conda-meta", "CACHEDIR.TAG")  # of environments and caches


@dataclass(frozen=True, slots=True)
class Archive:
    """name: of the project and of what it holds.  data: a tar.gz."""

    name: str
    data: bytes

    @property
    def root(self) -> str:
        """What a task is told in place of the project's folder; see `place`."""
        return f"{_SHIPPED}{self.name}"


def files(root: Path) -> dict[str, str]:
    """Path -> SHA-256 of the project's files, sorted: without version control, environments and
    caches."""
    found = {}
    for file in _walk(root):
        digest = hashlib.sha256(f"{file.stat().st_mode & 0o100:o}".encode())
        digest.update(file.read_bytes())
        found[file.relative_to(root).as_posix()] = digest.hexdigest()
    return dict(sorted(found.items()))


def digest(root: Path) -> str:
    """Of the project's files, "" where there is no such folder."""
    return together(files(root)) if root.is_dir() else ""


def packed(root: Path) -> Archive:
    """Raises EnvironmentFailure for a project that is too large to be sent."""
    known = files(root)
    size = sum((root / path).stat().st_size for path in known)
    if size > LARGEST:
        raise EnvironmentFailure(
            f"{root} holds {size >> 20} MB, too much to be sent",
            "share the folder with the workers: --ship shared",
        )
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", compresslevel=6, dereference=True) as tar:
        for path in known:
            tar.add(root / path, path, filter=_anonymous)
    return Archive(f"{root.name}-{together(known)[:32]}", data.getvalue())


def has(name: str) -> bool:
    """On a worker: whether an archive is there; it is then kept for longer."""
    folder = _folder() / name
    if not folder.is_dir():
        return False
    os.utime(folder)
    return True


def unpack(name: str, data: bytes) -> None:
    """On a worker: have an archive in the cache, whole or not at all."""
    shelf = _folder()
    shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
    old = time.time() - KEPT_SECONDS
    for folder in shelf.iterdir():
        if folder.stat().st_mtime < old:
            shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=".coming-", dir=shelf, ignore_cleanup_errors=True
    ) as on:
        inner = Path(on) / name
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(inner)
        if not has(name):
            inner.rename(shelf / name)


def place(root: str) -> Path:
    """On a worker: the folder of a project, as a task names it: a path, or the root of an
    archive."""
    if root.startswith(_SHIPPED):
        return _folder() / root.removeprefix(_SHIPPED)
    return Path(root)


def sent(client: Any, archive: Archive, workers: Sequence[str]) -> None:
    """Have it unpacked by these Dask workers.  client: Dask's.  Raises EnvironmentFailure."""
    told = client.run(unpack, archive.name, archive.data, workers=list(workers), on_error="return")
    for worker, error in told.items():
        if error is not None:
            raise EnvironmentFailure(
                f"{worker} cannot keep the sources: {error}",
                "make room there, or share the folder: --ship shared",
            )


def _folder() -> Path:
    return platformdirs.user_cache_path("mgdebug") / "shipped"


def together(known: Mapping[str, str]) -> str:
    """One digest of all."""
    return hashlib.sha256(repr(list(known.items())).encode()).hexdigest()


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _walk(root: Path) -> Iterator[Path]:
    """What a link leads to counts as what it is itself; links to folders are not followed."""
    for name, folders, names in os.walk(root):
        here = Path(name)
        folders[:] = [folder for folder in folders if not _is_left_out(here / folder)]
        yield from (
            here / file
            for file in names
            if not file.endswith((".pyc", ".pyo")) and (here / file).is_file()
        )


def _is_left_out(folder: Path) -> bool:
    return folder.name in _LEFT_OUT or any((folder / mark).exists() for mark in _MARKS)
