"""What a child may do, as the user wants it."""

from __future__ import annotations

import os
from ast import literal_eval
from collections.abc import Iterable
from typing import NamedTuple, Self

MODES = "on", "strict", "off"
NETWORKS = "none", "unix", "all"


class Policy(NamedTuple):
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

    def written(self) -> str:
        """As read() takes it."""
        return repr(tuple(self))

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(*literal_eval(text))


class Site(NamedTuple):
    """Where a child runs.  root: the project; cwd: in it; scratch: the folder that is its own;
    python: its interpreter; home: the user's.  Absolute paths."""

    root: str
    cwd: str
    scratch: str
    python: str
    home: str

    def written(self) -> str:
        """As read() takes it."""
        return repr(tuple(self))

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(*literal_eval(text))

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
    home = site.home
    found = ["/run/secrets", "/run/user", "/run/docker.sock"]
    found += [f"{home}/.local/share/{name}" for name in _SECRET]
    needed = [site.root, site.cwd, *_links(site.python)]
    kept = {*_KEPT, ".git"} if home == site.root else _KEPT
    try:
        names = [name for name in os.listdir(home) if name.startswith(".") and name not in kept]
    except OSError:
        names = []
    for entry in (f"{home}/{name}" for name in names):
        if not any(path == entry or path.startswith(f"{entry}/") for path in needed):
            found.append(entry)
    return [path for path in found if os.path.exists(path) and not os.path.islink(path)]


def _links(path: str) -> Iterable[str]:
    """A path and those that it is a link to, one after another."""
    for _ in range(8):
        yield path
        if not os.path.islink(path):
            return
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
