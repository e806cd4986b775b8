"""Namespaces: a view of the system that is the child's own (man 7 user_namespaces).

Only the standard library: this runs in the launcher.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import struct
from collections.abc import Iterator, Sequence

from mgdebug.sandbox import kernel
from mgdebug.sandbox.policy import CHANGED, SHARED, WORK, Policy, Site, hidden

_SPACES = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
)
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_INODES = 1 << 16
_DEVICES = "null", "zero", "full", "random", "urandom", "tty"
_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "fd/0",
    "stdout": "fd/1",
    "stderr": "fd/2",
    "ptmx": "pts/ptmx",
}


def enter(network: str) -> None:
    """Leave the namespaces that this process is in; its next child is the first process of the new
    ones.  Raises OSError where that is not allowed."""
    user, group = os.geteuid(), os.getegid()
    kernel.call("unshare", _SPACES | (0 if network == "all" else kernel.CLONE_NEWNET))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    if network != "all":
        _loopback_up()


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


class View:
    """The file system as the child sees it: all of it read-only, but for what is its own."""

    def __init__(self, site: Site, policy: Policy) -> None:
        self.site, self.policy = site, policy
        self.layered = True  # whether changes of the project are kept aside

    def make(self) -> None:
        """As the first process of new namespaces.  Raises OSError."""
        site = self.site
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("proc", "/proc", "proc", _QUIET)
        self._hide(hidden(site))
        for path in (site.log, *self.policy.write):
            kernel.mount(path, path, flags=kernel.MS_BIND | kernel.MS_REC)
        self._box()
        self._devices()
        kernel.set_read_only("/", read_only=True, deep=True)
        for path in (site.log, site.box, *self.policy.write, "/dev/shm", "/dev/pts"):
            kernel.set_read_only(path, read_only=False)
        self._layer()

    def renew(self) -> None:
        """Forget what was written to the box.  Raises OSError."""
        if self.layered:
            kernel.unmount(self.site.root)
        kernel.unmount("/dev/shm")
        kernel.unmount(self.site.box)
        self._box()
        kernel.mount(f"{self.site.box}/{SHARED}", "/dev/shm", flags=kernel.MS_BIND)
        self._layer()

    def _box(self) -> None:
        size = f"size={self.policy.scratch},nr_inodes={_INODES},mode=0700"
        kernel.mount("mgdebug", self.site.box, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, size)
        for folder in self.site.folders():
            os.mkdir(folder, 0o700)

    def _layer(self) -> None:
        """What is written to the project goes to the box.  Where the kernel cannot lay one file
        system over another, the project stays read-only."""
        if not self.layered:
            return
        root, box = self.site.root, self.site.box
        below = {path: os.open(path, os.O_PATH) for path in _mounts_below(root)}
        options = f"lowerdir={_escaped(root)},upperdir={_escaped(box)}/{CHANGED}"
        options += f",workdir={_escaped(box)}/{WORK},userxattr"
        try:
            kernel.mount("mgdebug", root, "overlay", kernel.MS_NOSUID, options)
            for path, fd in below.items():
                with contextlib.suppress(OSError):
                    flags = kernel.MS_BIND | kernel.MS_REC
                    kernel.mount(f"/proc/self/fd/{fd}", path, flags=flags)
        except OSError:
            self.layered = False
        finally:
            for fd in below.values():
                os.close(fd)

    def _devices(self) -> None:
        """The harmless ones."""
        held = {name: os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES if _has(name)}
        kernel.mount("mgdebug", "/dev", "tmpfs", kernel.MS_NOSUID, "size=1m,mode=0755")
        for name, fd in held.items():
            os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
            kernel.mount(f"/proc/self/fd/{fd}", f"/dev/{name}", flags=kernel.MS_BIND)
            os.close(fd)
        for name, to in _LINKS.items():
            os.symlink(to, f"/dev/{name}")
        for folder in ("shm", "pts"):
            os.mkdir(f"/dev/{folder}")
        kernel.mount(f"{self.site.box}/{SHARED}", "/dev/shm", flags=kernel.MS_BIND)
        terminals = "newinstance,ptmxmode=0666,mode=0620"
        kernel.mount("devpts", "/dev/pts", "devpts", kernel.MS_NOSUID | kernel.MS_NOEXEC, terminals)

    def _hide(self, paths: Sequence[str]) -> None:
        """Something empty lies over each of them."""
        empty = f"{self.site.scratch}/empty"
        kernel.mount("mgdebug", empty, "tmpfs", _QUIET, "size=4k,mode=0500")
        for path in paths:
            folder = stat.S_ISDIR(os.stat(path).st_mode)
            kernel.mount(empty if folder else "/dev/null", path, flags=kernel.MS_BIND)


_QUIET = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC


def _has(name: str) -> bool:
    return os.path.exists(f"/dev/{name}")


def _mounts_below(folder: str) -> list[str]:
    return sorted(path for path in _mounts() if path.startswith(folder.rstrip("/") + "/"))


def _mounts() -> Iterator[str]:
    with open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            path = line.split()[4].decode("unicode_escape").encode("latin-1")
            yield os.fsdecode(path)


def _escaped(path: str) -> str:
    """As mount options of overlayfs want it."""
    for sign in ("\\", ":", ","):
        path = path.replace(sign, "\\" + sign)
    return path
