"""Which processes there are, and what is in a folder: seen from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path


def marked(mark: str) -> dict[int, str]:
    """The living processes, this one excepted, whose environment holds a text: pid -> command."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (
                mark.encode() in (folder / "environ").read_bytes()
                and int(folder.name) != os.getpid()
            ):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(folder.name)] = f"{state(int(folder.name))} {command}"
        except OSError:
            continue
    return found


def left_of(mark: str, seconds: float = 10.0) -> dict[int, str]:
    """Those that are still there after a while; {} as soon as there are none."""
    deadline = time.monotonic() + seconds
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.02)
    return marked(mark)


def state(pid: int) -> str:
    return _stat(pid)[0]


def children(pid: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(_stat(int(folder.name))[1]) == pid:
                yield int(folder.name)
        except OSError:
            continue


def descendants(pid: int) -> Iterator[int]:
    for child in list(children(pid)):
        yield child
        yield from descendants(child)


def descriptors(pid: int | str) -> list[str]:
    return [file.name for file in Path(f"/proc/{pid}/fd").iterdir()]


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Everything below a folder: bytes, mode and time of change."""
    return {
        str(path.relative_to(root)): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mode,
            path.stat().st_mtime_ns,
        )
        for path in [root, *sorted(root.rglob("*"))]
    }
