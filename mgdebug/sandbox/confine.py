"""All layers but the namespaces, laid on the process that calls, for good.

Only the standard library: this runs in the launcher.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from typing import NamedTuple

from mgdebug.sandbox import kernel, landlock, seccomp
from mgdebug.sandbox.policy import HOME, TEMPORARY, Policy, Site, hidden

_OWN_PROCESSES = 8  # of mgdebug itself, inside


class Layers(NamedTuple):
    """Which of them this kernel gave.  apart: namespaces, with a file system of their own."""

    apart: bool
    layered: bool = False
    landlock: bool = False
    seccomp: bool = False


def confine(site: Site, policy: Policy, *, apart: bool, layered: bool) -> Layers:
    """Files, system calls, privileges and numbers.  What the kernel lacks is left out.

    apart: whether this process lives in namespaces of its own; layered: whether the project may be
    written because that is kept aside.
    """
    if not kernel.LINUX:
        return Layers(apart=False)
    if policy.processes:  # namespaces count those in them alone; for root nobody counts
        most = policy.processes + _OWN_PROCESSES + (0 if apart else _running())
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    with contextlib.suppress(OSError):
        kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    files = calls = False
    with contextlib.suppress(OSError):
        read = None if apart else list(_readable(site))
        tcp = apart or policy.network == "all"
        found = landlock.rules(_writable(site, policy, apart, layered), read, tcp=tcp)
        landlock.restrict(found)
        os.close(found)
        files = True
    if seccomp.available():
        with contextlib.suppress(OSError):
            seccomp.restrict(seccomp.calls(_families(policy, apart), keeps_modes=not apart))
            calls = True
    return Layers(apart, layered, files, calls)


def _running() -> int:
    """The processes of this user."""
    own, found = os.getuid(), 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            found += os.stat(f"/proc/{name}").st_uid == own
    return found


def _families(policy: Policy, apart: bool) -> set[int] | None:
    """Of sockets that may be made; None for all."""
    if policy.network == "all":
        return None
    found = {socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK} if apart else set()
    return found | ({socket.AF_UNIX} if policy.network == "unix" else set())


def _writable(site: Site, policy: Policy, apart: bool, layered: bool) -> Iterator[str]:
    yield from policy.write
    if apart:
        # Other mounts come to lie there, whose files no rule knows: those for the folders around
        # hold for them.  What is beside them is read-only for that it is mounted so.
        yield from (site.scratch, "/dev")
        if layered:
            yield os.path.dirname(site.root)
        return
    yield site.log
    yield from (f"{site.box}/{name}" for name in (TEMPORARY, HOME))
    yield from (f"/dev/{name}" for name in _HARMLESS)


_HARMLESS = "null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts"


def _readable(site: Site) -> Iterator[str]:
    """All but what is hidden, as few paths as possible."""
    secret = {*hidden(site), "/dev"}
    above = {path[:end] or "/" for path in secret for end, sign in enumerate(path) if sign == "/"}

    def below(folder: str) -> Iterator[str]:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            return
        for entry in (os.path.join(folder, name) for name in names):
            if entry in above and not os.path.islink(entry):
                yield from below(entry)
            elif entry not in secret:
                yield entry

    yield from below("/")
    yield from (f"/dev/{name}" for name in _HARMLESS)
