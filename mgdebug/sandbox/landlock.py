"""Landlock: what of the file system a process may touch (docs.kernel.org/userspace-api/landlock).

Only the standard library: this runs in the launcher.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from mgdebug.sandbox import kernel

_CREATE, _ADD, RESTRICT = 444, 445, 446  # the same on x86-64 and aarch64
_VERSION, _BENEATH = 1, 1

_WRITE_FILE, _READ_FILE, _TRUNCATE, _IOCTL = 1 << 1, 1 << 2, 1 << 14, 1 << 15
_CHANGES = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_OF_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_REFER = 1 << 13  # links and renames between folders
_TCP = 3  # bind and connect
_SCOPES = 3  # abstract sockets, signals


def version() -> int:
    """The ABI that the kernel has, 0 for none."""
    try:
        return kernel.call(_CREATE, None, 0, _VERSION)
    except OSError:
        return 0


def rules(write: Iterable[str], read: Iterable[str] | None, *, tcp: bool) -> int:
    """A set of rules as a file descriptor.  Raises OSError where there is no Landlock.

    write: files and folders that may be changed.  read: those whose files may be read, None for
    all.  tcp: whether TCP ports may be used.
    """
    abi = version()
    changes = _CHANGES
    changes |= _REFER if abi >= 2 else 0
    changes |= _TRUNCATE if abi >= 3 else 0
    handled = changes | (0 if read is None else _READ_FILE)
    found = _create(handled, 0 if tcp or abi < 4 else _TCP, _SCOPES if abi >= 6 else 0)
    for path in write:
        _allow(found, path, handled)
    for path in read or ():
        _allow(found, path, _READ_FILE)
    return found


def fence() -> int:
    """Rules that forbid nothing but to reach out: who lives under them cannot signal, trace or
    look into the memory of a process outside.  A file descriptor; raises OSError."""
    # Moves between folders are forbidden by any rules that do not allow them.
    handled = _REFER if version() >= 2 else 1 << 11  # block devices, which nobody makes
    found = _create(handled, 0, _SCOPES)
    if handled == _REFER:
        _allow(found, "/", _REFER)
    return found


def restrict(found: int) -> None:
    """This process and all that it starts.  It must not be able to gain privileges."""
    kernel.call(RESTRICT, found, 0)


def _create(files: int, ports: int, scopes: int) -> int:
    abi = version()
    fields = [files, ports, scopes][: 3 if abi >= 6 else 2 if abi >= 4 else 1]
    attributes = (ctypes.c_uint64 * len(fields))(*fields)
    return kernel.call(_CREATE, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _allow(found: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _OF_FILES
        rule = _Beneath(rights, fd)
        kernel.call(_ADD, found, _BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(fd)
