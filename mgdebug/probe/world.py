"""Whether code has left the process as it was, looked at cheaply enough to be asked after each of
thousands of tries.

It is for tries that share a process.  What a world cannot keep an eye on makes it `closed`: then
nothing may be shared.
"""

import _thread
import collections
import contextvars
import decimal
import functools
import logging
import os
import struct
import sys
import threading
import types
from typing import Any, Callable, Dict, List, Optional, Tuple

from .overlay import file_of
from .surroundings import NAMES, same, surroundings

MOST = 6000  # objects that are looked at
_SIMPLE = {
    *(
        decimal.Decimal,
        object,
        type(None),
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        range,
        slice,
        type(Ellipsis),
    ),
    *(types.BuiltinFunctionType, types.ModuleType, types.CodeType, types.GetSetDescriptorType),
    *(types.MemberDescriptorType, types.MethodDescriptorType, types.WrapperDescriptorType),
    *(types.MethodWrapperType, types.ClassMethodDescriptorType, type(NotImplemented)),
    *(getattr(types, name, type(None)) for name in ("GenericAlias", "UnionType")),
}
# Modules whose objects stay as they are.
_STEADY = set(
    "re typing datetime fractions uuid pathlib pathlib._local logging abc _abc operator"
    " zoneinfo string __future__ dataclasses _frozen_importlib _frozen_importlib_external"
    " importlib.machinery _pytest.fixtures _pytest.mark.structures".split()
)


_LOOKED_AT_APART = ("builtins", "warnings", "sys")  # see surroundings


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
        self._look(list(spaces))
        self._libraries = [
            (vars(module), list(vars(module).values()))
            for module in {id(m): m for space in spaces for m in space.values()}.values()
            if type(module) is types.ModuleType
            and module not in own
            and module.__name__ not in _LOOKED_AT_APART
        ]
        self._loaded, self._root = list(sys.modules.values()), root + os.sep
        self._process = surroundings()

    def changed(self) -> str:
        """What has changed since it was made, in a word or two; "" for nothing."""
        for thing, copied, before in self._objects:
            if not same(copied(thing), before):
                return "module state"
        for space, before in self._libraries:
            if not same(list(space.values()), before):
                return "a library"
        modules = list(sys.modules.values())
        if not same(modules, self._loaded):
            known = set(map(id, self._loaded))
            new = [module for module in modules if id(module) not in known]
            gone = len(modules) - len(new) != len(self._loaded)
            if gone or any(file_of(module).startswith(self._root) for module in new):
                return "modules"
            self._loaded = modules  # of a library: what it is, it will be
        now = surroundings()
        if now != self._process:
            for name, one, two in zip(NAMES, now, self._process):
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
            self._objects.append((thing, _of_function, _of_function(thing)))
            return [*_of_function(thing), *(part for cell in cells for part in _content(cell))]
        if kind in (staticmethod, classmethod, types.MethodType):
            return [thing.__func__]
        if kind is property:
            return [thing.fget, thing.fset, thing.fdel]
        if kind is functools.partial:
            return [thing.func, thing.args, thing.keywords]
        if kind is functools._lru_cache_wrapper:
            if thing.cache_info().currsize:  # results of another code
                return None
            self._objects.append((thing, _cached, _cached(thing)))
            return [thing.__wrapped__]
        if isinstance(thing, type):
            return self._class(thing)
        if isinstance(thing, logging.Logger):
            self._objects.append((thing, _of_logger, _of_logger(thing)))
            return []
        if kind in _STATES:
            self._objects.append((thing, _STATES[kind], _STATES[kind](thing)))
            return []
        if getattr(kind, "__module__", None) in _STEADY:
            return []
        if isinstance(thing, tuple):
            return [*tuple.__iter__(thing), *(_attributes(thing) or ())]
        # An object that has attributes and slots and nothing else: no state in C.
        known = _attributes(thing) is not None or _has_slots(kind)
        if not known or kind.__basicsize__ > _PLAIN_BYTES + _POINTER * len(_slots(kind)):
            return None
        self._objects.append((thing, _of_instance, _of_instance(thing)))
        return _of_instance(thing)

    def _class(self, thing: Any) -> List[Any]:
        """A class that no module of the standard library holds."""
        home = sys.modules.get(str(getattr(thing, "__module__", "")))
        file = file_of(home)
        library = not file or file.startswith(_LIBRARY) or "site-packages" in file
        name = thing.__qualname__.partition(".")[0]
        if home is not None and library and name in object.__getattribute__(home, "__dict__"):
            return []
        space = type.__dict__["__dict__"].__get__(thing)
        self._objects.append((thing, _space, _space(thing)))
        return list(space.values())


_POINTER = struct.calcsize("P")
_PLAIN_BYTES = object.__basicsize__ + 2 * _POINTER  # a dictionary, weak references
_LIBRARY = os.path.dirname(os.__file__) + os.sep


def _space(thing: Any) -> List[Any]:
    return list(type.__dict__["__dict__"].__get__(thing).values())


def _content(cell: Any) -> List[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


def _cached(function: Any) -> List[Any]:
    """Each sign of the numbers: those are the same objects always."""
    return list("%d %d" % (function.cache_info().misses, function.cache_info().currsize))


def _of_function(function: Any) -> List[Any]:
    return [function.__defaults__, function.__kwdefaults__, function.__dict__]


def _has_slots(kind: Any) -> bool:
    """Whether it says in Python that it has no attributes but those."""
    classes = type.__dict__["__mro__"].__get__(kind)
    return any("__slots__" in type.__dict__["__dict__"].__get__(cls) for cls in classes)


def _of_logger(logger: Any) -> List[Any]:
    return [logger.level, logger.disabled, logger.propagate, *logger.handlers]


def _slots(kind: Any) -> List[Any]:
    """The descriptors of its slots."""
    return [
        part
        for cls in type.__dict__["__mro__"].__get__(kind)
        for part in type.__dict__["__dict__"].__get__(cls).values()
        if type(part) is types.MemberDescriptorType
    ]


def _of_instance(thing: Any) -> List[Any]:
    found: List[Any] = [type(thing), *(_attributes(thing) or ())]
    for slot in _slots(type(thing)):
        try:
            found.append(slot.__get__(thing))
        except AttributeError:
            found.append(slot)
    return found


_STATES: Dict[type, Callable[[Any], List[Any]]] = {
    _thread.LockType: lambda lock: [lock.locked()],
    type(threading.RLock()): lambda lock: [lock._is_owned()],
    contextvars.ContextVar: lambda variable: [variable.get(None)],
}


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
