"""A program that reads standard input, and the output that is wanted of it.

It runs in this process, as `__main__` with real file descriptors; what it imports from its own
folder is forgotten afterwards, so that the next case finds nothing of this one.
"""

import os
import resource
import sys
import tempfile
import threading
import types
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional, Tuple

from .cases import Result, Runnable, failure
from .judges import difference, lines_of
from .overlay import Overlay, file_of

SPARE_BYTES = 1 << 20  # of output that are read beyond the length of the wanted one
OUTPUT_BYTES = 64 << 20  # of output, or of any other file, that a program may write


def pairs(script: str, found: List[Tuple[str, str, str]], overlay: Overlay) -> Iterator[Runnable]:
    """found: name, path of the input, path of the wanted output."""
    for name, given, wanted in found:

        def run(_: bool, __: Any, given: str = given, wanted: str = wanted) -> Result:
            return _pair(script, given, wanted, overlay)

        yield Runnable("io: " + name, "io", script, run)


def _pair(script: str, given: str, wanted: str, overlay: Overlay) -> Result:
    with open(wanted, "rb") as file:
        data = file.read()
    expected = lines_of(data)
    with open(given, "rb") as stdin, _held() as stdout:
        with _redirected(stdin.fileno(), stdout.fileno()), _guest(script) as module:
            error = _run(script, module, overlay)
            ended = None if error is None else failure(error, True)
        stdout.seek(0)
        output = stdout.read(len(data) + SPARE_BYTES)
    got = lines_of(output)
    if ended is not None:
        return ended
    message = difference(got, expected)
    if message:
        return Result("failed", message)
    return Result("passed", proof=output.decode("latin-1"))


def _held() -> Any:
    """A file that no program can fill the disk of."""
    try:
        return open(os.memfd_create("output"), "w+b")
    except (AttributeError, OSError):
        return tempfile.TemporaryFile()


def _run(script: str, module: types.ModuleType, overlay: Overlay) -> Optional[BaseException]:
    before = threading.enumerate()
    try:
        vars(module).update(overlay.given.get(os.path.realpath(script), {}))
        exec(overlay.code(script), vars(module))
        for thread in threading.enumerate():  # a program ends when its last thread does
            if thread not in before and not thread.daemon:
                thread.join()
    except SystemExit as exit:
        return None if exit.code in (None, 0) else exit
    except BaseException as error:
        return error
    return None


@contextmanager
def _redirected(stdin: int, stdout: int) -> Iterator[None]:
    saved = os.dup(0), os.dup(1)
    most, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if hard == resource.RLIM_INFINITY or hard > OUTPUT_BYTES:
        resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES, hard))
    streams = sys.stdin, sys.stdout
    sys.stdout.flush()
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    sys.stdin, sys.stdout = _stream(0, "r"), _stream(1, "w")
    own = sys.stdout
    try:
        yield
    finally:
        for stream in (own, sys.stdout):  # the program may have put another one around it
            try:
                stream.flush()
            except Exception:
                pass
        sys.stdin, sys.stdout = streams
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        for fd, old in enumerate(saved):
            os.dup2(old, fd)
            os.close(old)


@contextmanager
def _guest(script: str) -> Iterator[types.ModuleType]:
    """The module that a script runs as."""
    module = types.ModuleType("__main__")
    module.__file__ = script
    folder = os.path.dirname(script)
    arguments, host, path, names = sys.argv, sys.modules["__main__"], sys.path[:], set(sys.modules)
    sys.argv, sys.modules["__main__"] = [script], module
    sys.path.insert(0, folder)
    try:
        yield module
    finally:
        sys.argv, sys.modules["__main__"] = arguments, host
        sys.path[:] = path
        for name in set(sys.modules) - names:
            file = file_of(sys.modules[name])
            if file.startswith(folder + os.sep) and "site-packages" not in file:
                del sys.modules[name]


def _stream(fd: int, mode: str) -> Any:
    return open(fd, mode, encoding="utf-8", errors="surrogateescape", closefd=False)
