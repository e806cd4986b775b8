"""A folder for what a child writes, gone with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_PREFIX = "mgdebug-"


class Scratch:
    """Bears the number of this process in its name, so that sweep() knows the strays."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")).resolve()

    @property
    def log(self) -> Path:
        return self.path / "output.log"

    def output(self, size: int = 4000) -> str:
        """The last characters of what the children printed."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - size))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def remove(self) -> None:
        """Also what a child has made unwritable, or deeper than paths are long.  Raises OSError if
        something stays."""
        _remove(self.path)


def sweep() -> None:
    """Remove the scratch folders of mgdebugs that were killed.  Never raises."""
    with contextlib.suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
            number = folder.name.removeprefix(_PREFIX).partition("-")[0]
            if number.isdigit() and not _alive(int(number)) and folder.stat().st_uid == os.getuid():
                _remove(folder)


def _remove(folder: Path) -> None:
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*command, "--", folder], capture_output=True, check=False)
    if folder.exists():
        raise OSError(f"{folder} cannot be removed")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
