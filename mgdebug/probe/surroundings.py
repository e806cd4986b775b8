"""What a whole process has that code can change: descriptors, signals, hooks, the environment."""

import _thread
import builtins
import decimal
import gc
import locale
import logging
import operator
import os
import random
import resource
import signal
import sys
import threading
import warnings
from typing import Any, List, Tuple

from .inside import INSIDE
from .processes import has_children
from .ticks import NAME

_SIGNALS = [
    getattr(signal, name)
    for name in (
        *("SIGALRM", "SIGPROF", "SIGVTALRM", "SIGINT", "SIGTERM", "SIGCHLD", "SIGHUP", "SIGPIPE"),
        *("SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGWINCH"),
    )
]
NAMES = (
    *("threads", "open files", "random numbers", "the environment", "the search path", "hooks"),
    *("built-in names", "the working directory", "signals", "limits", "output", "children"),
    *("warnings", "the settings of libraries", "files"),
)


def surroundings() -> Tuple[Any, ...]:
    """A state, to be compared with a later one, part by part: see NAMES."""
    return (
        (len(threading._active), _thread._count()),  # type: ignore[attr-defined]
        _next_descriptor(),
        random.getstate(),
        os.environ._data.copy(),  # type: ignore[attr-defined]
        (sys.path[:], sys.argv[:]),
        [id(one) for one in (*_hooks(), *sys.meta_path, sys.stdin, sys.stdout, sys.stderr)],
        {k: v for k, v in vars(builtins).items() if k != NAME},
        os.getcwd(),
        (
            [signal.getsignal(number) for number in _SIGNALS],
            signal.pthread_sigmask(signal.SIG_BLOCK, []),
            signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        ),
        (sys.getrecursionlimit(), gc.isenabled(), sys.getswitchinterval(), _mask(), _rlimits()),
        os.lseek(1, 0, os.SEEK_CUR),
        has_children(),
        ([id(one) for one in warnings.filters], id(warnings.showwarning)),
        _libraries(),
        _files(),
    )


def same(one: List[Any], two: List[Any]) -> bool:
    """Whether two lists hold the same objects."""
    return len(one) == len(two) and all(map(operator.is_, one, two))


def _next_descriptor() -> int:
    try:
        spare = os.dup(0)
    except OSError:
        return -1
    os.close(spare)
    return spare


def _hooks() -> Tuple[Any, ...]:
    return sys.excepthook, sys.displayhook, sys.gettrace(), sys.getprofile()


def _rlimits() -> List[Any]:
    return [resource.getrlimit(limit) for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS)]


def _mask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found


def _libraries() -> List[Any]:
    root = logging.root
    told: List[Any] = [repr(decimal.getcontext()), locale.setlocale(locale.LC_ALL)]
    return [*told, root.level, root.handlers[:], root.manager.disable]


def _files() -> List[Any]:
    """Whether any were made: where a sandbox keeps them aside, or where people make them."""
    found: List[Any] = [INSIDE.is_dirty()]
    for folder in (os.curdir, os.environ.get("TMPDIR", "/tmp")):
        try:
            found.append(os.stat(folder).st_mtime_ns)
        except OSError:
            found.append(None)
    return found
