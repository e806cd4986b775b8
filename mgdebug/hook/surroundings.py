"""Where a hook runs: git and pre-commit leave marks in the environment that are not the project's.

git tells its children of the index that it is about to commit, and a test that starts git would
write to that.  pre-commit puts the environment that holds mgdebug before the user's own.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import MutableMapping
from pathlib import Path

from mgdebug.settings import find_python


def clean(environment: MutableMapping[str, str]) -> None:
    """Take the marks away, for this process and its children."""
    for name in [name for name in environment if name.startswith("GIT_")]:
        del environment[name]
    if environment.get("VIRTUAL_ENV") and _is_own(Path(environment["VIRTUAL_ENV"])):
        del environment["VIRTUAL_ENV"]
    if environment.get("PRE_COMMIT") == "1":
        folders = environment.get("PATH", "").split(os.pathsep)
        left = [folder for folder in folders if not folder or not _is_own(Path(folder).parent)]
        environment["PATH"] = os.pathsep.join(left)


def interpreter(root: Path, wanted: str, environment: MutableMapping[str, str]) -> str:
    """The one that runs the project's tests: as `mgdebug fix` finds it, but in a hook that
    pre-commit has installed the first one on the PATH in place of mgdebug's own.  Raises
    InterpreterError if `wanted` is none."""
    found, _ = find_python(root, wanted, environment)
    if found == sys.executable and not wanted and environment.get("PRE_COMMIT") == "1":
        path = environment.get("PATH")
        found = shutil.which("python", path=path) or shutil.which("python3", path=path) or found
    return found


def _is_own(folder: Path) -> bool:
    return folder.resolve() == Path(sys.prefix).resolve()
