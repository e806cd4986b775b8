"""The sandbox as it looks from inside, and what is left to this process to do of it.

The launcher says so in a variable of the environment; see mgdebug/sandbox/launch.py.
"""

import os
import shutil
import struct
import sys
from ast import literal_eval
from typing import Any, Dict, List, Optional

from .processes import LIBC

_TOLD = "_MGDEBUG_INSIDE"
_RESTRICT = 446  # landlock_restrict_self, of every machine
_SET_SECCOMP, _SET_NO_NEW_PRIVS = 22, 38  # <linux/prctl.h>

RENEW = b"renew"


class Inside:
    """processes: how many a case may have at once besides its own, None where nobody counts."""

    def __init__(self, told: Dict[str, Any]) -> None:
        self.processes: Optional[int] = told.get("processes")
        self._folders: List[str] = told.get("dirty") or []
        self._broker: Optional[List[int]] = told.get("broker")
        self._fence: Optional[int] = told.get("fence")
        self._filter = bytes.fromhex(told.get("filter") or "")
        if LIBC is None:
            self._fence, self._filter = None, b""
        elif self._filter:
            import ctypes

            self._bytes = ctypes.create_string_buffer(self._filter)
            at = struct.pack("@HP", len(self._filter) // 8, ctypes.addressof(self._bytes))
            self._program = ctypes.create_string_buffer(at)

    def close_in(self) -> None:
        """In a fork that runs the user's code: nothing leads from it to who watches it."""
        if self._fence is not None:
            LIBC.syscall(_RESTRICT, self._fence, 0)
            os.close(self._fence)
        if self._filter:
            LIBC.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            LIBC.prctl(_SET_SECCOMP, 2, self._program, 0, 0)
        for fd in self._broker or ():
            os.close(fd)

    def is_dirty(self) -> bool:
        """Whether something was written to the box."""
        for folder in self._folders:
            try:
                with os.scandir(folder) as entries:
                    if next(entries, None) is not None:
                        return True
            except OSError:  # removed, or closed to its owner
                return True
        return False

    def renew(self) -> None:
        """Have what was written forgotten.  Who stands in a folder has to go there anew."""
        if not self.is_dirty():
            return
        if self._broker is not None:
            os.chdir("/")
            os.write(self._broker[1], RENEW)
            if not os.read(self._broker[0], 1):
                raise OSError("the sandbox is gone")
            return
        for folder in self._folders:
            try:
                shutil.rmtree(folder, ignore_errors=True)
            except RecursionError:  # it goes with the scratch folder
                pass
            os.makedirs(folder, 0o700, exist_ok=True)

    def crowd(self) -> int:
        """The processes of the sandbox."""
        return sum(name.isdigit() for name in os.listdir("/proc"))

    def memory(self) -> int:
        """Bytes that the processes of the sandbox hold together; what several share counts once."""
        found = 0
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open("/proc/%s/smaps_rollup" % name, "rb") as file:
                        sizes = [line.split() for line in file if line.startswith(b"Pss:")]
                    found += sum(int(size[1]) for size in sizes) << 10
                except (OSError, ValueError, IndexError):
                    continue
        return found


def _told() -> Dict[str, Any]:
    text = os.environ.pop(_TOLD, "")
    told: Dict[str, Any] = literal_eval(text) if text and sys.platform == "linux" else {}
    return told


INSIDE = Inside(_told())
