"""Where things are: the project, what the user named in it, its interpreter."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from mgdebug.errors import InterpreterError, UsageError
from mgdebug.model import Target

_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", "pytest.ini", "tox.ini", ".git")


def find_root(start: Path) -> Path:
    """The project around a folder: the nearest one up that has a mark of a project, else itself."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            return folder
    return start


def find_target(
    cwd: Path, name: str, tests: tuple[str, ...], expressions: tuple[str, ...], io: Path | None
) -> Target:
    """What the user named, with paths checked.

    name: "", a path, or a path and a subfunction: "src/mod.py::Class.method".
    Raises UsageError for a path that does not exist or lies outside the project.
    """
    cwd = cwd.resolve()
    root = find_root(cwd)
    path, _, qualname = name.partition("::")
    inside = ""
    if path:
        file = (cwd / path).resolve()
        if not file.exists():
            raise UsageError(f"{path} does not exist", _nearest(cwd, path))
        if not file.is_relative_to(root):
            raise UsageError(
                f"{path} is outside the project {root}", "run mgdebug in the project of that file"
            )
        if file.is_dir():
            raise UsageError(
                f"{path} is a folder", "name a file, or nothing to search the whole project"
            )
        inside = file.relative_to(root).as_posix()
    for test in tests:
        if not (cwd / test.partition("::")[0]).exists():
            raise UsageError(f"--tests {test}: no such file or folder", _nearest(cwd, test))
    if (expressions or io) and not path:
        flag = "--io" if io else "--case"
        raise UsageError(
            f"{flag} needs a file to run on", f"mgdebug fix FILE {flag} ..., or trace FILE"
        )
    return Target(root, cwd, inside, qualname.replace("::", "."), tests, expressions, io)


def _nearest(cwd: Path, path: str) -> str:
    wanted = Path(path.partition("::")[0]).name
    names = {p.name: p for p in cwd.rglob("*.py") if ".venv" not in p.parts}
    near = difflib.get_close_matches(wanted, names, 1)
    return f"did you mean {names[near[0]].relative_to(cwd)}?" if near else ""


def find_python(root: Path, wanted: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The project's interpreter, and why this one.  Raises InterpreterError if `wanted` is none."""
    if wanted:
        found = shutil.which(wanted) or shutil.which(str(root / wanted))
        if found is None:
            raise InterpreterError(
                f"there is no interpreter {wanted}",
                "--python, $MGDEBUG_PYTHON and the setting `python` want the path of a Python",
            )
        return os.path.abspath(found), "--python"  # noqa: PTH100 (a venv's link must stay a link)
    active = environment.get("VIRTUAL_ENV")
    if active and (Path(active) / "bin/python").exists():
        return str(Path(active) / "bin/python"), "$VIRTUAL_ENV"
    for name in (".venv", "venv"):
        if (root / name / "bin/python").exists():
            return str(root / name / "bin/python"), f"{name} of the project"
    return sys.executable, "mgdebug's own"
