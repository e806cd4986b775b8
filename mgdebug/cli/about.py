"""What a report of a bug has to say of the machine.  Nothing of it is imported to be asked."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mgdebug import __version__

PARTS = ("click", "textual", "rich", "tree-sitter", "tree-sitter-python", "litellm")


def about() -> str:
    """mgdebug's version, and a line for each piece."""
    rows = [
        ("python", f"{platform.python_version()}, {sys.executable}"),
        ("platform", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("sandbox", ", ".join(_layers()) or "none of its layers: only time and memory are bounded"),
        *((name, _version(name)) for name in PARTS),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join([f"mgdebug {__version__}", *(f"{name:<{width}}  {of}" for name, of in rows)])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _layers() -> list[str]:
    """Those that this kernel has; whether they may be used here, `mgdebug doctor` finds out."""
    from mgdebug.sandbox import landlock, seccomp
    from mgdebug.sandbox.kernel import LINUX

    spaces = "name spaces" if LINUX and Path("/proc/self/ns/user").exists() else ""
    abi = landlock.version() if LINUX else 0
    known = [spaces, f"Landlock {abi}" if abi else "", "seccomp" if seccomp.available() else ""]
    return [one for one in known if one]
