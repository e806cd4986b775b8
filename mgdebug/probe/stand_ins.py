"""Stand-ins for what code lacks: permissive objects under the names that nobody defines, and
modules under those that are not installed.

A stand-in has a path, which tells how the code came to it: `db.query().rows`.  It gives another one
for each attribute, item and call.  Its type is named after it, so that the error of an operation
that wants a real value says which stand-in has to be one; the parent reads that, and the next
interpreter is told what kind of value stands there (see partial.refining).
"""

import abc
import importlib
import importlib.abc
import importlib.machinery
import re
import sys
import types
from typing import Any, Dict, Generator, Iterator, Optional, Sequence

from .frames import Message
from .overlay import Overlay

NAMED = "stand-in "  # before the path, in the name of a type
LONGEST = 80  # characters of a path; what lies further is the same object
_ITEM, _ATTRIBUTE = "item", "attribute"
_ERROR = re.compile(r"(Error|Exception|Warning|Interrupt)$")
_PLAIN: Dict[str, Any] = {
    kind.__name__: kind for kind in (int, float, str, bytes, bool, list, tuple, dict, set)
}
_kinds: Dict[str, str] = {}
_made: Dict[str, Any] = {}
# What was put into stand-ins by path: items and attributes.  In one place, which the type of each
# holds, so that who watches the state of a module sees it (see world).
_state: Dict[str, Dict[Any, Any]] = {}
_true = [True]  # whether a stand-in counts as true


def install(wanted: Message, overlay: Overlay) -> None:
    """Put stand-ins where code looks for what it lacks.

    wanted: "modules" that are not installed; "names" by the file that reads them; "attributes" by
    the installed module that lacks them; "kinds" of value by path; "true": whether they are."""
    _kinds.update(wanted["kinds"])
    _true[0] = wanted["true"]
    sys.meta_path.append(_Finder(wanted["modules"]))
    for path, names in wanted["names"].items():
        overlay.given[path] = {name: value(name) for name in names}
    for module, names in wanted["attributes"].items():
        holder = importlib.import_module(module)
        for name in names:
            setattr(holder, name, value("%s.%s" % (module, name)))


def value(path: str) -> Any:
    """What stands at a path."""
    kind = _kinds.get(path) or ("exception" if _ERROR.search(path) else "")
    if kind in _PLAIN:
        return _PLAIN[kind]()
    if kind.startswith("unpacked "):
        return tuple(value("%s.item%d" % (path, at)) for at in range(int(kind.split()[1])))
    if path not in _made:
        name = NAMED + path
        if kind == "exception":
            _made[path] = type(name, (Exception,), {"__module__": "builtins"})
        elif kind == "class":
            _made[path] = _Open(name, (_Plain,), {"__module__": "builtins", "stands_at": path})
        else:
            space = {"__module__": "builtins", "__slots__": (), "stands_at": path, "state": _state}
            _made[path] = type(name, (StandIn,), space)()
    return _made[path]


def _inside(path: str, more: str) -> Any:
    return value(path + more if len(path) < LONGEST else path)


def _is_special(name: str) -> bool:
    """Names that Python itself asks for: to have none of them is an answer."""
    return name.startswith("__") and name.endswith("__")


class StandIn:
    """Takes what is done to it, and gives stand-ins.  Of arithmetic and order it knows nothing, so
    that these tell by their error what is wanted."""

    __slots__ = ()
    stands_at = ""

    def __getattr__(self, name: str) -> Any:
        if _is_special(name):
            raise AttributeError(name)
        held = _state.get(self.stands_at, {})
        key = _ATTRIBUTE, name
        return held[key] if key in held else _inside(self.stands_at, "." + name)

    def __setattr__(self, name: str, item: Any) -> None:
        _state.setdefault(self.stands_at, {})[_ATTRIBUTE, name] = item

    def __delattr__(self, name: str) -> None:
        _state.get(self.stands_at, {}).pop((_ATTRIBUTE, name), None)

    def __call__(self, *args: Any, **named: Any) -> Any:
        if len(args) == 1 and not named and _is_being_defined(args[0], sys._getframe(1)):
            return args[0]  # a decorator
        return _inside(self.stands_at, "()" if not self.stands_at.endswith("()()") else "")

    def __getitem__(self, key: Any) -> Any:
        if key in self:
            return _state[self.stands_at][_ITEM, key]
        return _inside(self.stands_at, "[]" if not self.stands_at.endswith("[][]") else "")

    def __setitem__(self, key: Any, item: Any) -> None:
        try:
            _state.setdefault(self.stands_at, {})[_ITEM, key] = item
        except TypeError:  # a slice, say
            pass

    def __delitem__(self, key: Any) -> None:
        if key in self:
            del _state[self.stands_at][_ITEM, key]

    def __contains__(self, key: Any) -> bool:
        try:
            return (_ITEM, key) in _state.get(self.stands_at, ())
        except TypeError:
            return False

    def __iter__(self) -> Iterator[Any]:
        return iter([key for what, key in _state.get(self.stands_at, ()) if what == _ITEM])

    def __len__(self) -> int:
        return sum(what == _ITEM for what, _ in _state.get(self.stands_at, ()))

    def __bool__(self) -> bool:
        return _true[0]

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: Any) -> None:
        pass

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from ()
        return self

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        raise StopAsyncIteration

    def __mro_entries__(self, bases: Any) -> Any:
        path = self.stands_at
        return (_Open(NAMED + path, (_Plain,), {"stands_at": path + "()"}),)

    def __instancecheck__(self, _: Any) -> bool:
        return False

    def __subclasscheck__(self, _: Any) -> bool:
        return False

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, _: Any) -> Any:
        return self

    def __reduce__(self) -> Any:
        return value, (self.stands_at,)

    def __repr__(self) -> str:
        return "<%s%s>" % (NAMED, self.stands_at)


def _is_being_defined(thing: Any, caller: types.FrameType) -> bool:
    """Whether a function or a class is on its way through its decorators: its name is not bound to
    it yet where it stands."""
    if not isinstance(thing, (types.FunctionType, type)) or thing.__name__ == "<lambda>":
        return False
    if thing.__module__ != caller.f_globals.get("__name__"):
        return False
    bound = caller.f_locals.get(thing.__name__, caller.f_globals.get(thing.__name__))
    return bound is not thing


class _Open(abc.ABCMeta):
    """Of classes that have all attributes."""

    def __getattr__(cls, name: str) -> Any:
        if _is_special(name) or name.startswith("_abc"):
            raise AttributeError(name)
        return _inside(cls.__dict__.get("stands_at", cls.__name__), "." + name)


class _Plain:
    """What classes have as a base where theirs is missing."""

    stands_at = ""

    def __init__(self, *args: Any, **named: Any) -> None:
        pass

    def __init_subclass__(cls, **named: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if _is_special(name):
            raise AttributeError(name)
        return _inside(type(self).stands_at, "." + name)


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if _is_special(name):
            raise AttributeError(name)
        return value("%s.%s" % (self.__name__, name))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The last finder: of modules that no other one has, and of all below them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Any, target: Optional[types.ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        parts = fullname.split(".")
        if not any(".".join(parts[:count]) in self.names for count in range(1, len(parts) + 1)):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin="stand-in", is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name, "A stand-in.")

    def exec_module(self, module: types.ModuleType) -> None:
        pass
