"""Classes, as far as they matter for what is equal to what.  None of their methods is called."""

import collections
import os
import sys
import types
from typing import Any, Callable, Dict, List, Optional, Tuple

_mro: Callable[[type], Tuple[type, ...]] = type.__dict__["__mro__"].__get__
_space: Callable[[type], Dict[str, Any]] = type.__dict__["__dict__"].__get__
name_of: Callable[[type], str] = type.__dict__["__name__"].__get__
_COMPARING = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
_TESTING = ("__bool__", "__len__", "__contains__")
_PLAIN = (int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict)


def builtin_of(kind: type) -> Optional[type]:
    """The builtin type whose comparisons a subclass inherits unchanged; None if there is none."""
    line = _mro(kind)
    # By identity: a metaclass may have an equality of its own.
    base = next((k for k in line if any(k is plain for plain in _PLAIN)), None)
    if base is None:
        return None
    for owner in line:
        if owner is base:
            return base
        space = _space(owner)
        if any(name in space for name in _COMPARING) or any(name in space for name in _TESTING):
            return None
    return None


def decides_itself(kind: type) -> bool:
    """Whether a class has an equality of its own."""
    owner = next(k for k in _mro(kind) if "__eq__" in _space(k))
    return owner is not object


def is_installed(file: str) -> bool:
    """Whether a module's file is one of an installed package."""
    return "/site-packages/" in file or "/dist-packages/" in file


def alien(kind: type) -> List[Any]:
    """["?", name, decides, package]; package: installed, "" for the project and for the standard
    library, whose objects are equal to no literal where they have no plain form."""
    name, package, decides = _space(kind).get("__module__"), "", decides_itself(kind)
    module = sys.modules.get(name) if type(name) is str else None
    if type(name) is str and module is not None:
        file = getattr(module, "__file__", None)
        if getattr(module, name_of(kind), None) is not kind:
            pass
        elif file is None:
            decides = decides and name not in sys.builtin_module_names
        elif is_installed(file):
            package = name.partition(".")[0] if decides else ""
        elif os.path.realpath(file).startswith(_LIBRARY):
            decides = False
    return ["?", name_of(kind), decides, package]


def stand_in(value: Any, kind: type) -> Any:
    """A builtin that compares as the value does, or the value itself."""
    if any(kind is wrapper for wrapper in _WRAPPERS):
        return vars(value).get("data", value)
    if kind is memoryview:
        return memoryview.tobytes(value) if value.format == "B" and value.ndim == 1 else value
    if kind is types.MappingProxyType:
        copy = value.copy()
        return copy if type(copy) is dict else value
    numpy = sys.modules.get("numpy")
    generic: Any = getattr(numpy, "generic", None)
    if any(k is generic for k in _mro(kind)) and name_of(kind) in _SCALARS:
        return generic.item(value)
    return value


_WRAPPERS = (collections.UserDict, collections.UserList, collections.UserString)
_SCALARS = {"bool", "bool_", "float64", "complex128"}  # of numpy, exactly as those of Python
_SCALARS |= {"%sint%d" % (sign, bits) for sign in ("", "u") for bits in (8, 16, 32, 64)}
_LIBRARY = os.path.dirname(os.path.realpath(os.__file__)) + os.sep
