"""The system calls of Linux that Python has no names for (man 2 prctl, mount, capset, syscall).

Only the standard library: this runs in the launcher, before anything else is imported.
"""

from __future__ import annotations

import ctypes
import os
import sys

LINUX = sys.platform == "linux"

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

_AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = -100, 0x8000, 1
_SYS_MOUNT_SETATTR = 442  # the same on x86-64 and aarch64
_CAPABILITY_VERSION_3, _CAPABILITIES = 0x20080522, 64

_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


def call(name: str | int, *arguments: object) -> int:
    """Call a function of libc, or a system call by its number.  Raises OSError."""
    if _libc is None:
        raise OSError("no Linux")
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    if isinstance(name, int):
        result = _libc.syscall(ctypes.c_long(name), *wide)
    else:
        result = getattr(_libc, name)(*wide)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)


def prctl(option: int, value: int, more: object = 0) -> None:
    call("prctl", option, value, more, 0, 0)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    call("mount", *(os.fsencode(text) for text in (source, target, kind)), flags, os.fsencode(data))


def unmount(target: str) -> None:
    call("umount2", os.fsencode(target), MNT_DETACH)


def set_read_only(path: str, read_only: bool, *, deep: bool = False) -> None:
    """Of one mount, or of all below it too (mount_setattr, Linux 5.12)."""
    on, off = (_MOUNT_ATTR_RDONLY, 0) if read_only else (0, _MOUNT_ATTR_RDONLY)
    attributes = (ctypes.c_uint64 * 4)(on, off, 0, 0)
    flags = _AT_RECURSIVE if deep else 0
    call(
        _SYS_MOUNT_SETATTR,
        _AT_FDCWD,
        os.fsencode(path),
        flags,
        ctypes.byref(attributes),
        ctypes.sizeof(attributes),
    )


def drop_capabilities() -> None:
    """All of them, for this process and whatever it executes."""
    for capability in range(_CAPABILITIES):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    call("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))
