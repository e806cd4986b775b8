"""Whether code has left the process as it was, looked at cheaply enough to be asked after each of
thousands of tries.

It is for tries that share a process.  What a world cannot keep an eye on makes it `closed`: then
nothing may be shared.
"""

import builtins
import collections
import enum
import functools
import gc
import os
import random
import signal
import struct
import sys
import threading
import types
from typing import Any, Callable, Dict, List, Optional, Tuple

from .fork import has_children
from .overlay import file_of
from .ticks import NAME

MOST = 6000  # objects that are looked at
_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGALRM", "SIGPROF", "SIGVTALRM", "SIGINT", "SIGTERM", "SIGCHLD", "SIGUSR1")
]
_SIMPLE = {
    *(type(None), bool, int, float, complex, str, bytes, range, slice, type(Ellipsis)),
    *(types.BuiltinFunctionType, types.ModuleType, types.CodeType, types.GetSetDescriptorType),
    *(types.MemberDescriptorType, types.MethodDescriptorType, types.WrapperDescriptorType),
    *(types.MethodWrapperType, types.ClassMethodDescriptorType, type(NotImplemented)),
}
# Modules whose objects stay as they are, or what changes in them changes nothing.
_STEADY = set(
    "re typing datetime decimal fractions uuid pathlib pathlib._local logging enum abc _abc"
    " operator zoneinfo types _thread threading string __future__ dataclasses weakref _weakref"
    " contextvars _contextvars collections.abc _frozen_importlib _frozen_importlib_external"
    " importlib.machinery _pytest.fixtures _pytest.mark.structures".split()
)


class World:
    """closed: why it cannot be watched, "" if it can."""

    def __init__(self, root: str) -> None:
        """root: of the project, whose modules are watched."""
        self.closed = ""
        self._objects: List[Tuple[Any, Callable[[Any], Any], Any]] = []
        self._seen: Dict[int, Any] = {}
        own = [m for m in list(sys.modules.values()) if file_of(m).startswith(root + os.sep)]
        spaces = [vars(m) for m in own if type(m) is types.ModuleType]
        for space in spaces:
            for name in ("__builtins__", "__spec__", "__loader__"):
                self._seen[id(space.get(name))] = space.get(name)
        self._look(spaces)
        self._process, self._modules, self._root = _process(), set(sys.modules), root + os.sep

    def changed(self) -> str:
        """What has changed since it was made, in a word or two; "" for nothing."""
        for thing, copied, before in self._objects:
            now = copied(thing)
            if len(now) != len(before):
                return "module state"
            for one, two in zip(now, before):
                if one is not two:
                    return "module state"
        if len(sys.modules) != len(self._modules):
            new = [m for name, m in list(sys.modules.items()) if name not in self._modules]
            if any(file_of(module).startswith(self._root) for module in new):
                return "modules"
            self._modules = set(sys.modules)  # of a library: what it is, it will be
        now_process = _process()
        if now_process != self._process:
            for name, one, two in zip(_NAMES, now_process, self._process):
                if one != two:
                    return name
        return ""

    def _look(self, waiting: List[Any]) -> None:
        while waiting:
            thing = waiting.pop()
            if id(thing) in self._seen or type(thing) in _SIMPLE:
                continue
            self._seen[id(thing)] = thing
            if len(self._seen) > MOST:
                self.closed = "more than %d objects" % MOST
                return
            copied = _COPIES.get(type(thing))
            if copied is None:
                found = self._parts(thing)
                if found is None:
                    self.closed = "a %s" % type(thing).__name__
                    return
                waiting += found
                continue
            before = copied(thing)
            if type(thing) not in _FIXED:
                self._objects.append((thing, copied, before))
            waiting += before

    def _parts(self, thing: Any) -> Optional[List[Any]]:
        """What hangs on an object that is no container; None if it cannot be watched."""
        kind = type(thing)
        if kind is types.FunctionType:
            cells = list(thing.__closure__ or ())
            self._objects += [(cell, _content, _content(cell)) for cell in cells]
            inside = [part for cell in cells for part in _content(cell)]
            inside += [*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
            if thing.__dict__:
                inside.append(thing.__dict__)
            return inside
        if kind in (staticmethod, classmethod, types.MethodType):
            return [thing.__func__]
        if kind is property:
            return [thing.fget, thing.fset, thing.fdel]
        if kind is functools.partial:
            return [thing.func, thing.args, thing.keywords]
        if kind is functools._lru_cache_wrapper:
            self._objects.append((thing, _cached, _cached(thing)))
            return [thing.__wrapped__]
        if isinstance(thing, type):
            return self._class(thing)
        module = getattr(kind, "__module__", None)
        if module in _STEADY or isinstance(thing, enum.Enum):
            return []
        # An object that has attributes and nothing else: no slots, and no state in C.
        return _attributes(thing) if kind.__basicsize__ <= _PLAIN_BYTES else None

    def _class(self, thing: Any) -> List[Any]:
        """A class that no module of the standard library holds."""
        file = file_of(sys.modules.get(getattr(thing, "__module__", "")))
        if not file or file.startswith(_LIBRARY) or "site-packages" in file:
            return []
        space = type.__dict__["__dict__"].__get__(thing)
        self._objects.append((thing, _space, _space(thing)))
        return list(space.values())


_PLAIN_BYTES = object.__basicsize__ + 2 * struct.calcsize("P")  # a dictionary, weak references
_LIBRARY = os.path.dirname(os.__file__) + os.sep


def _space(thing: Any) -> List[Any]:
    return list(type.__dict__["__dict__"].__get__(thing).values())


def _content(cell: Any) -> List[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


def _cached(function: Any) -> List[Any]:
    return [None] if function.cache_info().currsize else []


def _attributes(thing: Any) -> Optional[List[Any]]:
    try:
        return [object.__getattribute__(thing, "__dict__")]
    except AttributeError:
        return None


def _of_dict(thing: Any) -> List[Any]:
    return [*dict.keys(thing), *dict.values(thing)]


_FIXED = (tuple, frozenset)
_COPIES: Dict[type, Callable[[Any], List[Any]]] = {
    dict: _of_dict,
    list: list,
    tuple: list,
    set: list,
    frozenset: list,
    collections.OrderedDict: _of_dict,
    collections.defaultdict: _of_dict,
    collections.Counter: _of_dict,
    collections.deque: list,
}

_NAMES = (
    *("threads", "open files", "random numbers", "the environment", "the search path"),
    *("built-in names", "the working directory", "signals", "limits", "output", "children"),
)


def _process() -> Tuple[Any, ...]:
    spare = os.dup(0)
    os.close(spare)
    return (
        len(threading._active),  # type: ignore[attr-defined]
        spare,
        random.getstate(),
        os.environ._data.copy(),  # type: ignore[attr-defined]
        sys.path[:],
        {k: v for k, v in vars(builtins).items() if k != NAME},
        os.getcwd(),
        [signal.getsignal(number) for number in _SIGNALS],
        (sys.getrecursionlimit(), sys.gettrace(), sys.getprofile(), gc.isenabled()),
        os.lseek(1, 0, os.SEEK_CUR),
        has_children(),
    )
