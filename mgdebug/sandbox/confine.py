"""All layers but the namespaces, laid on the process that calls, for good.

Only the standard library: this runs in the launcher.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mgdebug.sandbox import kernel, landlock, seccomp
from mgdebug.sandbox.policy import HOME, TEMPORARY, Policy, Site, hidden

_OWN_PROCESSES = 8  # of mgdebug itself, inside


@dataclass(frozen=True, slots=True)
class Layers:
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
    if apart and policy.processes:
        most = policy.processes + _OWN_PROCESSES
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
            seccomp.restrict(seccomp.calls(_families(policy, apart)))
            calls = True
    return Layers(apart, layered, files, calls)


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
    secret = {Path(path) for path in hidden(site)}
    above = {parent for path in secret for parent in path.parents}

    def below(folder: Path) -> Iterator[str]:
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            return
        for entry in entries:
            if entry in above and not entry.is_symlink():
                yield from below(entry)
            elif entry not in secret:
                yield str(entry)

    yield from below(Path("/"))
