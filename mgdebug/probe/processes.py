"""Processes: who they are, how they ended, and how to end them."""

import os
import signal
import sys
from typing import Any, Callable, Iterator, Optional


def children() -> Iterator[int]:
    """Linux: the processes whose parent is this one."""
    own = b"%d" % os.getpid()
    try:
        names = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return
    for name in names:
        try:
            with open("/proc/%s/stat" % name, "rb") as file:
                parent = file.read().rpartition(b")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if parent == own:
            yield int(name)


def has_children() -> bool:
    """Much cheaper than to list them."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (ChildProcessError, AttributeError):
        return False
    return True


def wait(pid: int, flags: int) -> Optional[int]:
    """The status of a child that has ended, else None."""
    try:
        ended, status = os.waitpid(pid, flags)
    except ChildProcessError:  # the user's code may ignore SIGCHLD, or reap what is not its own
        return 0
    return status if ended else None


def send_signal(send: Callable[[int, int], Any], pid: int, number: int) -> None:
    """To a process or, with os.killpg as `send`, to a group; who is gone is left alone."""
    try:
        send(pid, number)
    except OSError:
        pass


def kill(pid: int) -> None:
    """A process and the group that it leads."""
    send_signal(os.killpg, pid, signal.SIGKILL)
    send_signal(os.kill, pid, signal.SIGKILL)


def how(status: int) -> str:
    """What a process ended with, in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGPROF:
            return "time limit (processor)"
        try:
            return "signal %s" % signal.Signals(number).name
        except ValueError:  # a real-time signal
            return "signal %d" % number
    return "exit %d" % os.WEXITSTATUS(status)


def _loaded() -> Any:
    """Loaded once: not every CPython is built with ctypes."""
    if sys.platform == "linux":
        try:
            import ctypes

            return ctypes.CDLL(None)
        except (ImportError, OSError):
            pass
    return None


LIBC = _loaded()


def prctl(option: int, value: int) -> None:
    """Of Linux; elsewhere nothing happens."""
    if LIBC is not None:
        LIBC.prctl(option, value, 0, 0, 0)
