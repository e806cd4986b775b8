"""What a child may do, as the user wants it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

MODES = "on", "strict", "off"
NETWORKS = "none", "unix", "all"


@dataclass(frozen=True, slots=True)
class Policy:
    """mode: "on", "off", or "strict": refuse to run where a layer is missing.  network: "none" but
    a loopback of its own, "unix" for Unix sockets too, "all".  write: files and folders that may be
    changed for good.  processes: at once, 0 for none but the case's own.  env: names of variables
    of the user's environment that are handed on.  scratch: bytes."""

    mode: str = "on"
    network: str = "none"
    write: tuple[str, ...] = ()
    processes: int = 64
    env: tuple[str, ...] = ()
    scratch: int = 256 << 20

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        raw = json.loads(text)
        return cls(**{**raw, "write": tuple(raw["write"]), "env": tuple(raw["env"])})


@dataclass(frozen=True, slots=True)
class Site:
    """Where a child runs.  root: the project; cwd: in it; scratch: the folder that is its own;
    python: its interpreter; home: the user's.  Absolute paths."""

    root: str
    cwd: str
    scratch: str
    python: str
    home: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    @property
    def box(self) -> str:
        """What the child writes, gone with it."""
        return f"{self.scratch}/box"

    @property
    def log(self) -> str:
        """What it prints."""
        return f"{self.scratch}/output.log"

    def folders(self) -> Iterable[str]:
        """The folders of the box: temporaries, the home, shared memory; what was changed in the
        project, and what overlayfs needs beside that."""
        return (f"{self.box}/{name}" for name in FOLDERS)


TEMPORARY, HOME, SHARED, CHANGED, WORK = FOLDERS = "tmp", "home", "shm", "changed", "work"

_KEPT = {
    ".local",
    ".pyenv",
    ".asdf",
    ".rye",
    ".conda",
    ".virtualenvs",
    ".venv",
    ".mise",
    ".nix-profile",
}
_SECRET = "keyrings", "python_keyring"


def hidden(site: Site) -> list[str]:
    """Where people keep their secrets: files and folders that a child may not read.

    The dot files of the home, but for those that hold interpreters and the project itself."""
    home = Path(site.home)
    found = [Path(name) for name in ("/run/secrets", "/run/user", "/run/docker.sock")]
    needed = {Path(site.root), Path(site.cwd), *_links(Path(site.python))}
    try:
        names = [entry for entry in home.iterdir() if entry.name.startswith(".")]
    except OSError:
        names = []
    for entry in names:
        own = any(path == entry or entry in path.parents for path in needed)
        if (
            not own
            and entry.name not in _KEPT
            and not (home == Path(site.root) and entry.name == ".git")
        ):
            found.append(entry)
    found += [home / ".local/share" / name for name in _SECRET]
    return [str(path) for path in found if _there(path)]


def _links(path: Path) -> Iterable[Path]:
    """A path and those that it is a link to, one after another."""
    for _ in range(8):
        yield path
        if not path.is_symlink():
            return
        path = path.parent / path.readlink()


def _there(path: Path) -> bool:
    try:
        return path.exists() and not path.is_symlink()
    except OSError:
        return False
