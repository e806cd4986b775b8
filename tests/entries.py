"""Entries for crews: what a worker may be asked, well-behaved or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mgdebug.crew import ships

Asked = Mapping[str, Any]
Tell = Callable[[dict[str, Any]], None]


def squared(asked: Asked) -> dict[str, Any]:
    """Prints, which is nobody's business."""
    print("{}" * 10)
    os.write(1, b"\0\0\0\2{}")
    return {"number": asked["number"] ** 2}


def echoed(asked: Asked) -> dict[str, Any]:
    return dict(asked)


def telling(asked: Asked, tell: Tell) -> dict[str, Any]:
    for step in range(asked["steps"]):
        tell({"step": step})
    return {"steps": asked["steps"]}


def raising(asked: Asked) -> dict[str, Any]:
    raise LookupError("nothing\nis there")


def leaving(asked: Asked) -> dict[str, Any]:
    sys.exit(3)


def deadly(asked: Asked) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def slow(asked: Asked, tell: Tell) -> dict[str, Any]:
    """Says who does it, then takes its time, beside a process of its own."""
    with subprocess.Popen(["sleep", "60"]) as beside:
        tell({"pid": os.getpid(), "parent": os.getppid()})
        time.sleep(asked["seconds"])
        beside.kill()
    return {"number": asked["number"]}


def once(asked: Asked) -> dict[str, Any]:
    """Ends its worker the first time."""
    mark = Path(asked["mark"])
    if not mark.exists():
        mark.touch()
        deadly(asked)
    return {"mark": mark.name}


def signalled(asked: Asked) -> dict[str, Any]:
    """What works in the main thread alone."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return {"stdin": sys.stdin.read()}


def listed(asked: Asked) -> dict[str, Any]:
    return {"files": sorted(ships.files(ships.place(asked["root"])))}
