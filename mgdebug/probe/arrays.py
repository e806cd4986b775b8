"""Texts of numpy's arrays and scalars: see libraries.

Of an array the head and the tail alone are looked at.

Everything is read with the compiled descriptors of their types: no elements are copied, and an
element that is an object is written like any other value.
"""

import types
from typing import Any, Dict, List, Tuple

from .containers import container
from .objects import slot
from .pen import Bounds, Pen, Text, Writer, get_mro, get_name, get_names, name_of

_HEAP = 1 << 9  # a type that was made at run time, as all in Python are
_get_flags = type.__dict__["__flags__"].__get__


def is_array(kind: type) -> bool:
    """Whether it is numpy.ndarray itself."""
    name = get_name(kind)
    return type(name) is str and name == "ndarray" and is_compiled(kind)


def is_compiled(kind: type) -> bool:
    """Whether no code in Python can have made a type."""
    return not _get_flags(kind) & _HEAP


def method(kind: type, name: str) -> Any:
    """A method in compiled code.  Raises LookupError if there is none."""
    for base in get_mro(kind):
        found = get_names(base).get(name)
        if found is not None:
            if type(found) in (types.MethodDescriptorType, types.WrapperDescriptorType):
                return found
            break
    raise LookupError(name)


def _dtype(value: Any) -> str:
    held = slot(value, type(value), "dtype")
    kind, code = str(held.kind), str(held.str)
    if kind in "biufc":
        word = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}[kind]
        return word if kind == "b" else "%s%d" % (word, 8 * held.itemsize)
    if kind in "mM":
        return {"m": "timedelta64", "M": "datetime64"}[kind] + code[3:]
    return {"O": "object", "V": "void", "T": "str"}.get(kind, code)


def write_flat(array: Any, base: type, depth: int, room: int, pen: Pen) -> Text:
    size = slot(array, base, "size")
    item = method(base, "item")
    shape = slot(array, base, "shape")
    dates = slot(array, base, "dtype").kind in "mM"
    take = method(base, "__getitem__")

    def at(index: int) -> Any:
        if not dates:
            return item(array, index)
        place: List[int] = []
        for length in reversed(shape):
            index, rest = divmod(index, length)
            place.insert(0, rest)
        return take(array, tuple(place))

    forth = (at(index) for index in range(size))
    back = (at(index) for index in range(size - 1, -1, -1))
    return container(size, "[", "]", forth, back, depth, room, pen)


def _nested(array: Any, base: type, depth: int, room: int, pen: Pen) -> Text:
    """Small enough to be seen in rows."""
    if slot(array, base, "dtype").kind in "mMOV" or not slot(array, base, "shape"):
        return write_flat(array, base, depth, room, pen)
    rows = method(base, "tolist")(array)
    return pen.write(rows, max(depth, len(slot(array, base, "shape"))), room)


def write_array(value: Any, depth: int, room: int, pen: Pen) -> Text:
    """Of a numpy.ndarray or an heir."""
    base = next(base for base in get_mro(type(value)) if is_array(base))
    shape = slot(value, base, "shape")
    about = "shape=%r, dtype=%s" % (shape, _dtype(value))
    if depth <= 0:
        return "array(..., %s)" % about, False
    small = slot(value, base, "size") <= Bounds.items and len(shape) > 1
    text, whole = (_nested if small else write_flat)(value, base, depth, room, pen)
    return "array(%s, %s)" % (text, about), whole


def _scalar(value: Any, depth: int, room: int, pen: Pen) -> Text:
    kind = type(value)
    name = _NAMES.get(name_of(kind), name_of(kind))
    if name in ("datetime64", "timedelta64", "longdouble", "clongdouble"):
        text = method(kind, "__str__")(value)
        if name == "datetime64" and "." in text:
            text = text.rstrip("0").rstrip(".")
        return "np.%s('%s')" % (name, text), True
    text, whole = pen.write(method(kind, "item")(value), depth, room)
    return "np.%s(%s)" % (name, text), whole


_NUMBERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 longlong ulonglong float16 float32"
_OTHERS = "float64 longdouble float128 complex64 complex128 complex256 clongdouble bool bool_"
_NAMES = {"bool_": "bool", "float128": "longdouble", "complex256": "clongdouble"}
_SCALARS = (_NUMBERS + " " + _OTHERS + " str_ bytes_ void datetime64 timedelta64").split()
ARRAYS: Dict[Tuple[str, str], Writer] = {
    ("numpy", "ndarray"): write_array,
    **{("numpy", name): _scalar for name in _SCALARS},
}
