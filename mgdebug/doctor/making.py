"""A virtual environment for a project, with what its own files declare.  Whoever calls has asked:
to install is to run code of the project and of others, outside the sandbox."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mgdebug.doctor.declared import Declared, allows, declared
from mgdebug.errors import InterpreterError

FOLDER = ".venv"
OLDEST, NEWEST = 8, 14  # of Python 3: what is looked for
ASK_SECONDS = 10.0  # for an interpreter to say what it is
SHOWN = 6  # lines of what pip printed
_WHO = (
    "import sys, venv, ensurepip;"
    "print(sys.version_info[1], getattr(sys, '_base_executable', 0) or sys.executable)"
)
_QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_PROGRESS_BAR": "off"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be run, in this order, in the root of the project.  python: the interpreter that
    has it all afterwards; folder: the environment that is made, None if it is there already; why:
    this interpreter; origins: the files that want it."""

    root: Path
    python: str
    commands: tuple[tuple[str, ...], ...]
    folder: Path | None
    why: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A command that failed, and the end of what it said."""

    command: tuple[str, ...]
    said: str


def planned(root: Path, python: str, origin: str, *, asked_for: bool = False) -> Plan:
    """How to come by an environment.

    python: the interpreter that was chosen, and its origin: if it is that of a virtual environment,
    that one is installed into, else .venv is made.  asked_for: it was named for this, so that .venv
    is made from it.  Raises InterpreterError where neither can be.
    """
    wanted = declared(root)
    home = environment_of(python)
    if home is not None and home != Path(sys.prefix):
        return _plan(root, python, None, f"{origin}: {home}", wanted, _pip_of(python))
    folder = root / FOLDER
    if folder.exists() or folder.is_symlink():
        raise InterpreterError(
            f"{FOLDER} is there, but is not the interpreter that was chosen ({python}, {origin})",
            f"choose it: --python {FOLDER}/bin/python, or move it away",
        )
    if origin == "$VIRTUAL_ENV":
        raise InterpreterError(
            "the active environment is mgdebug's own; nothing is installed into it",
            "leave it first: deactivate",
        )
    if origin != "mgdebug's own" and not asked_for:
        raise InterpreterError(
            f"{python} ({origin}) belongs to no virtual environment; nothing is installed into it",
            "take that setting away, or name a Python for the new one: --make-env --python PATH",
        )
    base, why = (python, origin) if asked_for else _base(wanted)
    made = str(folder / "bin" / "python")
    return _plan(root, made, folder, why, wanted, ((base, "-m", "venv", FOLDER),))


def environment_of(python: str) -> Path | None:
    """The virtual environment that an interpreter belongs to."""
    folder = Path(os.path.abspath(python)).parents[1]  # noqa: PTH100 (links must stay links)
    return folder if (folder / "pyvenv.cfg").is_file() else None


def carry_out(plan: Plan, tell: Callable[[Sequence[str]], None]) -> list[Failure]:
    """Run it all; one that fails does not keep the others.  tell: is given each command before it
    runs.  Returns those that failed.  Raises InterpreterError if there is no environment then."""
    failures = []
    for number, command in enumerate(plan.commands):
        tell(command)
        made = plan.folder if not number else None  # it was not there before
        try:
            said = _run(command, plan.root)
            if said is not None and made is not None:
                raise InterpreterError(f"{FOLDER} cannot be made", "see above", said)
        except BaseException:
            if made is not None:
                shutil.rmtree(made, ignore_errors=True)
            raise
        failures += [] if said is None else [Failure(command, said)]
    if plan.folder is not None:
        with contextlib.suppress(OSError):  # as `venv` does it from 3.13 on
            (plan.folder / ".gitignore").open("x").write("*\n")
    return failures


def _run(command: Sequence[str], root: Path) -> str | None:
    """What a command printed if it failed."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PYTHON"))}
    with subprocess.Popen(
        command,
        cwd=root,
        env={**own, **_QUIET},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as child:
        try:
            said = child.communicate()[0].decode("utf-8", "replace")
        except BaseException:  # builds have children of their own
            with contextlib.suppress(OSError):
                os.killpg(child.pid, 9)
            raise
    return None if not child.returncode else "\n".join(said.strip().splitlines()[-SHOWN:])


# ------------------------------------------------------------------------------------ the plan


def _plan(
    root: Path,
    python: str,
    folder: Path | None,
    why: str,
    wanted: Declared,
    before: tuple[tuple[str, ...], ...],
) -> Plan:
    inside = Path(python).is_relative_to(root)
    short = str(Path(python).relative_to(root)) if inside else python
    install = (short, "-m", "pip", "install")
    commands = [*before, *((*install, *one.arguments) for one in wanted.installs)]
    commands.append((*install, "pytest"))  # does nothing where something has brought one
    origins = tuple(dict.fromkeys(one.origin for one in wanted.installs))
    return Plan(root, python, tuple(commands), folder, why, origins)


def _pip_of(python: str) -> tuple[tuple[str, ...], ...]:
    """What gives an environment pip that has none, as those of uv."""
    done = subprocess.run(
        [python, "-c", "import pip"], capture_output=True, timeout=ASK_SECONDS, check=False
    )
    return ((python, "-m", "ensurepip"),) if done.returncode else ()


def _base(wanted: Declared) -> tuple[str, str]:
    """An interpreter to make an environment from, and why this one.  Raises InterpreterError."""
    for minor in _preferred(wanted):
        for path in _at_hand(minor):
            found = _who(path)
            if found is not None and found[0] == minor:
                return found[1], f"Python 3.{minor}, {_reason(wanted, minor)}"
    what = (
        f"the project wants Python {wanted.python}"
        if wanted.python
        else "it has to be 3.8 or newer"
    )
    raise InterpreterError(
        f"no Python that would do is at hand: {what}",
        "install one, and name it: mgdebug doctor --make-env --python PATH",
    )


def _preferred(wanted: Declared) -> list[int]:
    """The N of Python 3.N, best first: the one that is pinned, then those that the project names,
    mgdebug's own before the newest, then those near to them."""
    own = sys.version_info[1]
    newest = max(wanted.minors, default=own)

    def order(minor: int) -> tuple[bool, bool, bool, int]:
        named = not wanted.minors or minor in wanted.minors
        return minor != wanted.pinned, not named, minor != own, abs(minor - newest)

    return sorted((n for n in range(OLDEST, NEWEST + 1) if allows(wanted.python, n)), key=order)


def _reason(wanted: Declared, minor: int) -> str:
    if minor == wanted.pinned:
        return "which .python-version names"
    if minor in wanted.minors:
        return "which the project says that it supports"
    return f"which {wanted.python} allows" if wanted.python else "since the project names none"


def _at_hand(minor: int) -> Iterator[str]:
    if minor == sys.version_info[1]:
        yield sys.executable
    on_path = shutil.which(f"python3.{minor}")
    if on_path:
        yield on_path
    for folder, pattern in (
        (os.environ.get("PYENV_ROOT", "~/.pyenv"), f"versions/3.{minor}.*/bin/python3"),
        ("~/.local/share/uv/python", f"cpython-3.{minor}.*/bin/python3"),
    ):
        yield from map(str, sorted(Path(folder).expanduser().glob(pattern), reverse=True))


def _who(path: str) -> tuple[int, str] | None:
    """The N of an interpreter 3.N that can make environments, and where it really is."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", _WHO],
            capture_output=True,
            text=True,
            timeout=ASK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.fullmatch(r"(\d+) (.+)", done.stdout.strip())
    return (int(found[1]), found[2]) if found and not done.returncode else None
