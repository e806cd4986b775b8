"""The CPythons of this machine that the probe must run in, and how to run code inside them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PROBE = Path(__file__).parents[1] / "mgdebug" / "probe"
SUPPORTED = range(8, 15)  # of Python 3
ASK = "import platform as p; print(p.python_implementation() + ' ' + p.python_version())"

# The package by its path, as probe/__main__.py does it, without a line of ours on sys.path.
PRELUDE = f"""
import json, runpy, sys
sys.path[:] = [entry for entry in sys.path if "site-packages" not in entry]
runpy.run_path({str(PROBE)!r}, run_name="probe")
"""


def run_inside(python: str, code: str, message: object) -> Any:
    """Run code with the probe's package at hand; `message` is its input, `answer` its output."""
    whole = f"{PRELUDE}\nmessage = json.load(sys.stdin)\n{code}\nsys.stdout = sys.__stdout__\n"
    done = subprocess.run(
        [python, "-c", whole + "print('\\n' + json.dumps(answer))"],
        input=json.dumps(message),
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@cache
def version_of(python: str) -> str:
    """ "3.11" for a CPython that runs, else ""."""
    try:
        said = subprocess.run([python, "-E", "-c", ASK], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = said.stdout.split()
    return ".".join(words[1].split(".")[:2]) if words[:1] == ["CPython"] else ""


def candidates(version: str) -> Iterator[str]:
    """Where a CPython may be.  A name on the PATH may be a shim for none."""
    yield sys.executable
    for folder in os.get_exec_path():
        yield shutil.which(f"python{version}", path=folder) or ""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for file in sorted(versions.glob(f"{version}.*/bin/python{version}")):
        yield str(file)


@cache
def find(version: str) -> str:
    """A CPython of a version, "" if there is none."""
    return next((p for p in candidates(version) if p and version_of(p) == version), "")


@cache
def find_bare(version: str) -> str:
    """A CPython of a version that has no pytest, "" if there is none."""
    for python in candidates(version):
        if python and version_of(python) == version:
            code = "import importlib.util as u, sys; sys.exit(u.find_spec('pytest') is not None)"
            if subprocess.run([python, "-c", code], check=False).returncode == 0:
                return python
    return ""


def every(look: Callable[[str], str], what: str) -> list[Any]:
    """Parameters: one CPython of each supported version, skipped with the reason where missing."""
    params = []
    for minor in SUPPORTED:
        version = f"3.{minor}"
        python = look(version)
        reason = f"no CPython {version}{what} on this machine"
        missing = pytest.mark.skipif(not python, reason=reason)
        params.append(pytest.param(python, id=version, marks=missing))
    return params


EVERY = every(find, "")
EVERY_BARE = every(find_bare, " without pytest")
