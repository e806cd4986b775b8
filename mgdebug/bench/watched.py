"""Run the tests of a folder's m.py for some seconds and print, as JSON, which of its functions
called which and which of its lines ran.  Started by path in a process of its own: standard library
only.  Arguments: the folder, the seconds."""

import importlib
import json
import os
import signal
import sys
import types
import unittest
from pathlib import Path

Key = tuple[str, int]  # of a code object: its name and first line

calls: set[tuple[Key, Key, int]] = set()  # caller, callee, line of the call
lines: set[int] = set()
begun: set[int] = set()  # suspended frames: going on is no call
keep: list[types.FrameType] = []


def key(frame: types.FrameType) -> Key:
    return frame.f_code.co_name, frame.f_code.co_firstlineno


def watch(frame: types.FrameType, event: str, _: object) -> object:
    if frame.f_code.co_filename != MODULE:
        return None
    back = frame.f_back
    if id(frame) in begun:
        pass
    elif back is not None and back.f_code.co_filename == MODULE:
        calls.add((key(back), key(frame), back.f_lineno))
    if frame.f_code.co_flags & 0x2A0:  # generators and coroutines
        begun.add(id(frame))
        keep.append(frame)
    return line


def line(frame: types.FrameType, event: str, _: object) -> object:
    if event == "line":
        lines.add(frame.f_lineno)
    return line


def tell(*_: object) -> None:
    sys.settrace(None)
    print(json.dumps([sorted(calls), sorted(lines)]), file=out, flush=True)
    os._exit(0)


folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
MODULE = str(folder / "m.py")
sys.path.insert(0, str(folder))
sys.stdout, out = sys.stderr, sys.stdout
signal.signal(signal.SIGALRM, tell)
signal.setitimer(signal.ITIMER_REAL, seconds)
sys.settrace(watch)  # type: ignore[arg-type]
tests = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module("test_m"))
unittest.TextTestRunner(sys.stderr, verbosity=0).run(tests)
tell()
