"""A repository and a home with secrets in them, for hostile programs to be run in; and what has
become of them, of the processes of the machine, and of who listens there."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SETTLED = 0.4  # seconds after which nothing may be left
PATIENCE = 120.0  # for a whole run of mgdebug
SECRET = "CANARY-"

_HOME = {
    ".netrc": f"machine localhost login me password {SECRET}netrc\n",
    ".pypirc": f"[pypi]\npassword = {SECRET}pypirc\n",
    ".ssh/id_rsa": f"{SECRET}ssh\n",
    ".aws/credentials": f"aws_secret_access_key = {SECRET}aws\n",
    ".config/mgdebug/config.toml": f"key = '{SECRET}config'\n",
    ".config/gh/hosts.yml": f"oauth_token: {SECRET}gh\n",
    ".local/share/keyrings/login.keyring": f"{SECRET}keyring\n",
    ".bash_history": f"export TOKEN={SECRET}history\n",
    ".mgdebug_canary": f"{SECRET}file\n",
    "mgdebug_victim.txt": "mine\n",
    "mgdebug_victim_dir/victim.txt": "mine\n",
}
_REPOSITORY = {
    ".mgdebug_arena": "",
    "user_file.py": "VALUE = 1\n",
    "test_victim.py": "def test_victim():\n    assert True\n",
    "tests/test_more.py": "def test_more():\n    assert True\n",
    "mgdebug_victim.txt": "mine\n",
    "mgdebug_victim_dir/victim.txt": "mine\n",
}
_ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": f"{SECRET}env-aws",
    "OPENAI_API_KEY": f"{SECRET}env-openai",
    "GITHUB_TOKEN": f"{SECRET}env-github",
    "DATABASE_URL": f"{SECRET}env-database",
    "MGDEBUG_CANARY": f"{SECRET}env-own",
}

_CONTROLS = b"\x1b", b"\x07", b"\x08", b"\x00", b"\xc2\x9b"

Tree = dict[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Ended:
    """One run of mgdebug.  seconds: on a clock outside.  wrong: what it has touched, left behind or
    let out, in words."""

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    wrong: tuple[str, ...]

    @property
    def said(self) -> str:
        return (self.stdout + self.stderr).decode("utf-8", "replace")


class Decoy:
    """Open it as a context manager: its sockets listen until it is closed."""

    def __init__(self, place: Path, python: str = sys.executable) -> None:
        """place: an empty folder.  python: the interpreter that has mgdebug."""
        place = place.resolve()
        self.home, self.root, self.scratch = place / "home", place / "home/work", place / "scratch"
        self.outside, self.python = place / "outside", python
        for folder in (self.root, self.scratch, self.outside):
            folder.mkdir(parents=True)
        _written(self.home, _HOME)
        _written(self.root, _REPOSITORY)
        for name, mode in ((".ssh", 0o700), (".ssh/id_rsa", 0o600), ("mgdebug_victim.txt", 0o640)):
            (self.home / name).chmod(mode)
        for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "all")):
            identity = ("-c", "user.name=me", "-c", "user.email=me@localhost")
            subprocess.run(["git", *identity, *command], cwd=self.root, check=True)
        self._ears = contextlib.ExitStack()
        self.tcp = self._ear(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self.udp = self._ear(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self.stream = self._ear(socket.AF_UNIX, socket.SOCK_STREAM, self._near("stream"))
        self.datagram = self._ear(socket.AF_UNIX, socket.SOCK_DGRAM, self._near("datagram"))
        mark = os.urandom(4).hex()
        self.abstract = self._ear(socket.AF_UNIX, socket.SOCK_STREAM, f"\0mgdebug-{mark}")
        self.loose = self._ear(socket.AF_UNIX, socket.SOCK_DGRAM, f"\0mgdebug-d-{mark}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ears.close()

    def _near(self, name: str) -> str:
        """The path of a socket: those are 107 bytes at most."""
        return os.path.relpath(self.outside / name)

    def _ear(self, family: int, kind: int, address: object) -> socket.socket:
        ear = self._ears.enter_context(socket.socket(family, kind))
        ear.bind(address)  # type: ignore[arg-type]
        ear.setblocking(False)
        if kind == socket.SOCK_STREAM:
            ear.listen()
        return ear

    def heard(self) -> Iterator[str]:
        """The listeners that somebody has reached."""
        ears = ("tcp", "udp", "stream", "datagram", "abstract", "loose")
        for name in ears:
            ear: socket.socket = getattr(self, name)
            try:
                if ear.type == socket.SOCK_STREAM:
                    ear.accept()[0].close()
                else:
                    ear.recv(1)
            except OSError:
                continue
            yield name

    @property
    def addresses(self) -> dict[str, object]:
        """For programs that try to reach them: what they format into their text."""
        return {
            "tcp": self.tcp.getsockname()[1],
            "udp": self.udp.getsockname()[1],
            "stream": str(self.outside / "stream"),
            "datagram": str(self.outside / "datagram"),
            "abstract": f"\0mgdebug-{os.getpid()}",
            "loose": f"\0mgdebug-d-{os.getpid()}",
            "home": str(self.home),
            "root": str(self.root),
            "outside": str(self.outside),
        }

    def write(self, name: str, text: str | bytes) -> Path:
        """A file of the repository."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def run(
        self,
        *words: str,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        seconds: float = PATIENCE,
    ) -> Ended:
        """Run `mgdebug words` in the repository.  wrapper: what starts the interpreter."""
        variables = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("MGDEBUG_", "PYTEST_"))},
            **_ENVIRONMENT,
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "XDG_STATE_HOME": str(self.scratch / "state"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MGDEBUG_CASE_TIME": "1",
            **(environment or {}),
        }
        before, others, shared = self.trees(), processes(), in_memory()
        began = time.monotonic()
        child = subprocess.Popen(
            [*wrapper, self.python, "-m", "mgdebug", *words],
            cwd=self.root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        late = False
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            late = True
            child.send_signal(signal.SIGKILL)
            out, err = child.communicate()
        took = time.monotonic() - began
        time.sleep(SETTLED)
        wrong = [f"no end within {seconds:g} s"] if late else []
        wrong += self._wrong(before, others, shared, out, err)
        return Ended(child.returncode, out, err, took, tuple(wrong))

    def trees(self) -> Tree:
        return {**snapshot(self.home), **snapshot(self.outside)}

    def _wrong(
        self, before: Tree, others: Mapping[int, str], shared: set[str], out: bytes, err: bytes
    ) -> Iterator[str]:
        after = self.trees()
        for path in sorted({*before, *after}):
            if before.get(path) != after.get(path):
                kind = "changed" if path in after and path in before else "made"
                yield f"{kind if path in after else 'removed'}: {path}"
        for pid, command in processes().items():
            if pid not in others and _ours(pid, self):
                yield f"process left: {command}"
        for name in in_memory() - shared:
            yield f"left in memory: {name}"
        for entry in self.scratch.iterdir():
            if entry.name != "state":
                yield f"scratch left: {entry.name}"
        for name in self.heard():
            yield f"{name} heard something"
        if SECRET.encode() in out + err:
            yield "a secret got out"
        if any(sign in out + err for sign in _CONTROLS):
            yield "a control character got out"


def _ours(pid: int, decoy: Decoy) -> bool:
    """Whether a process has to do with the decoy: other things go on on this machine too."""
    mark, place = os.fsencode(decoy.home.parent), Path(f"/proc/{pid}")
    for name in ("cwd", "root", "cmdline", "environ"):
        with contextlib.suppress(OSError):
            file = place / name
            if mark in (
                os.fsencode(file.readlink()) if name in ("cwd", "root") else file.read_bytes()
            ):
                return True
    return False


def _written(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def snapshot(folder: Path) -> Tree:
    """Everything below a folder: kind and mode, time of change, owner, links, bytes."""
    found: Tree = {}
    for at, names, files in os.walk(folder):
        for name in (".", *names, *files):
            path = f"{at}/{name}"
            held = os.lstat(path)
            data: object = None
            if stat.S_ISREG(held.st_mode):
                data = Path(path).read_bytes()
            elif stat.S_ISLNK(held.st_mode):
                data = str(Path(path).readlink())
            owner = (held.st_uid, held.st_gid, held.st_nlink)
            found[path] = (held.st_mode, held.st_mtime_ns, *owner, data)
    return found


def processes() -> dict[int, str]:
    """The living processes of the machine: number -> name."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            head, _, rest = (folder / "stat").read_text(errors="replace").rpartition(")")
            if rest.split()[0] != "Z":
                found[int(folder.name)] = head.partition("(")[2]
    return found


def in_memory() -> set[str]:
    """What lies in shared memory."""
    found = {f"/dev/shm/{entry.name}" for entry in Path("/dev/shm").glob("*")}
    for kind in ("shm", "msg", "sem"):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
            found |= {f"{kind} {' '.join(line.split()[:2])}" for line in lines}
    return found
