"""Whether the workers of a cluster have what this machine has: looked at before anything begins."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mgdebug.crew import Crew, ships
from mgdebug.errors import EnvironmentFailure, InterpreterError, UsageError

_PYTHON_SECONDS = 60.0  # for an interpreter to say what it is
_SHOWN = 3  # distributions that are named
_ASKED = """
import json, platform
from importlib import metadata
names = [(d.metadata["Name"], d.version) for d in metadata.distributions()]
print(json.dumps({
    "python": platform.python_implementation() + " " + platform.python_version(),
    "all": {name.lower(): version for name, version in names if name},
}))
"""


def check(
    crew: Crew,
    root: Path | None,
    python: str,
    ship: str = ships.SHARED,
    warn: Callable[[str], None] = lambda _: None,
) -> str:
    """The folder of the project as a task has to name it; its entry finds it with `ships.place`.

    root: the project, None if the tasks bring all that they need.  python: the interpreter that
    runs its tests, "" for that of mgdebug.  warn: is told of distributions that differ.  Raises
    EnvironmentFailure, naming the worker and what to do, where mgdebug, the interpreter, pytest or
    (shared) the sources are missing or not the same; UsageError for an unknown `ship`.
    """
    if ship not in ships.SHIPS:
        raise UsageError(f"--ship {ship} is unknown", f"it is one of {', '.join(ships.SHIPS)}")
    from mgdebug.crew.cluster import Cluster

    if not isinstance(crew, Cluster):
        return str(root or "")
    look = _Look(crew)
    look.at_mgdebug()
    look.at_python(python, warn)
    if root is None:
        return ""
    if ship == ships.SHARED:
        look.at_sources(root)
        return str(root)
    archive = ships.packed(root)
    look.send(archive)
    return archive.root


class _Look:
    def __init__(self, crew: Any) -> None:
        self._crew = crew
        names = crew.workers()
        self._names = {address: names[address] for address in sorted(names, key=names.__getitem__)}
        hosts = {address.rpartition(":")[0]: address for address in self._names}
        self._hosts = list(hosts.values())  # one worker of each

    def _asked(self, function: Callable[..., Any], *given: object, each: bool) -> dict[str, Any]:
        """What workers say, by what people call them.  each: or only one of each host."""
        workers = list(self._names) if each else self._hosts
        found = self._crew.client.run(function, *given, workers=workers, on_error="return")
        return {self._names[address]: found[address] for address in self._names if address in found}

    def at_mgdebug(self) -> None:
        own, same = _own(), "install this version there, as mgdebug[cluster]"
        for worker, said in self._asked(_own, each=True).items():
            if isinstance(said, Exception):
                raise EnvironmentFailure(f"{worker} cannot load mgdebug: {said}", same)
            if said != own:
                raise EnvironmentFailure(f"{worker} has another mgdebug than this machine", same)

    def at_python(self, python: str, warn: Callable[[str], None]) -> None:
        here = interpreter(python)
        if not here:
            raise InterpreterError(f"there is no interpreter {python}", "name one with --python")
        other = "name one that is the same everywhere with --python"
        for worker, said in self._asked(interpreter, python, each=True).items():
            if isinstance(said, Exception):
                raise EnvironmentFailure(f"{worker} cannot be asked: {said}", "look at its log")
            if not said:
                raise EnvironmentFailure(f"{worker} has no interpreter {python}", other)
            if said["python"] != here["python"]:
                what = f"{worker} has {said['python']} as {python or 'interpreter'}"
                raise EnvironmentFailure(f"{what}, this machine has {here['python']}", other)
            ours, theirs = (_pytest(one["all"]) for one in (here, said))
            if ours != theirs:
                what = f"{worker} has {theirs}, this machine {ours}"
                raise EnvironmentFailure(what, "install the same there, for the same interpreter")
            odd = _differing(said["all"], here["all"])
            if odd:
                more = f" and {len(odd) - _SHOWN} more" * (len(odd) > _SHOWN)
                warn(f"{worker} has other versions of {', '.join(odd[:_SHOWN])}{more}")

    def at_sources(self, root: Path) -> None:
        own = ships.digest(root)
        for worker, said in self._asked(_digest, str(root), each=False).items():
            if said == own:
                continue
            if said == "":
                raise EnvironmentFailure(
                    f"{worker} has no folder {root}",
                    "mount it there, or have it sent: --ship archive",
                )
            there = self._asked(_files, str(root), each=False)[worker]
            odd = _differing(there, ships.files(root))
            raise EnvironmentFailure(
                f"{worker} has other sources in {root}: {', '.join(odd[:_SHOWN])}",
                "have these sent: --ship archive",
            )

    def send(self, archive: ships.Archive) -> None:
        self._crew.carry(archive)
        there = self._crew.client.run(ships.has, archive.name, workers=self._hosts)
        missing = [address for address, found in there.items() if not found]
        if missing:
            ships.sent(self._crew.client, archive, missing)


def interpreter(python: str) -> dict[str, Any]:
    """Its version, and those of what is installed for it; {} if there is no such one.  python: ""
    for that of mgdebug."""
    try:
        done = subprocess.run(
            [python or sys.executable, "-c", _ASKED],
            cwd="/",
            capture_output=True,
            timeout=_PYTHON_SECONDS,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return found


def _pytest(versions: Mapping[str, str]) -> str:
    return f"pytest {versions['pytest']}" if "pytest" in versions else "no pytest"


def _differing(some: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*some, *others} if some.get(name) != others.get(name))


@cache
def _own() -> str:
    """Which mgdebug this is: of an editable one, the grammars lie elsewhere."""
    known = ships.files(Path(__file__).parents[1])
    return ships.together({path: sha for path, sha in known.items() if path.endswith(".py")})


def _digest(root: str) -> str:
    return ships.digest(Path(root))


def _files(root: str) -> dict[str, str]:
    return ships.files(Path(root))
