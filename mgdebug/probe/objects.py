"""Texts of objects of the user's own types: enums, named tuples, dataclasses, and any other."""

import enum
import types
from itertools import islice
from typing import Any, List, Optional, Tuple

from .pen import Bounds, Pen, Text, Writer, exact, get_mro, get_names, name_of

_SMALL = 1000000000  # below it an int is written at once
_ENUM, _TUPLE = id(enum.Enum), id(tuple)

Attributes = List[Tuple[str, Any]]


def slot(value: Any, kind: type, name: str) -> Any:
    """What a descriptor of compiled code, or else the object's own dict, holds under a name.

    Raises LookupError if there is neither.
    """
    for base in get_mro(kind):
        found = get_names(base).get(name)
        if type(found) is types.MemberDescriptorType or type(found) is types.GetSetDescriptorType:
            return found.__get__(value)
    for key, item in attributes(value, kind)[0]:
        if key == name:
            return item
    raise LookupError(name)


def attributes(value: Any, kind: type) -> Tuple[Attributes, bool]:
    """What its __dict__ and its __slots__ hold, and whether it has either."""
    found: Attributes = []
    has_dict = has_slots = False
    for base in get_mro(kind):
        if base is object:
            continue
        names = get_names(base)
        if not has_dict and "__dict__" in names:
            getter = names["__dict__"]
            if type(getter) is types.GetSetDescriptorType:
                held = getter.__get__(value)
                if issubclass(type(held), dict):
                    has_dict = True
                    items = list(islice(dict.items(held), Bounds.items + 1))
                    found += [(k if type(k) is str else exact(k), item) for k, item in items]
        if "__slots__" in names:
            has_slots = True
            for key, member in list(names.items()):
                if type(member) is types.MemberDescriptorType:
                    try:
                        found.append((exact(key), member.__get__(value)))
                    except AttributeError:  # nothing is in it yet
                        continue
    return found, has_dict or has_slots


def write_object(
    value: Any, kind: type, depth: int, room: int, pen: Pen, heir: Optional[Writer]
) -> Text:
    """heir: the writer of the built-in type that it derives from."""
    name = name_of(kind)
    mro = get_mro(kind)
    bases = set(map(id, mro)) if len(mro) > 2 else ()
    if _ENUM in bases:
        text = _member(value, kind, name)
        if text:
            return text, True
    if depth <= 0:
        return "<%s>" % name, False
    held, whole = attributes(value, kind)
    fields = _fields(value, kind) if _TUPLE in bases else None
    if fields is not None:
        known = {key for key, _ in fields}
        return _call(name, fields + [a for a in held if a[0] not in known], depth, room, pen)
    inner = None if heir is None else heir(value, depth, room, pen)
    whole = (whole or not held) if heir is not None else whole and not _is_compiled(kind)
    return _written(name, kind, held, whole, inner, depth, room, pen)


def _written(
    name: str,
    kind: type,
    held: Attributes,
    whole: bool,
    inner: Optional[Text],
    depth: int,
    room: int,
    pen: Pen,
) -> Text:
    """inner: the text of what it is as an heir of a built-in type."""
    order = _dataclass(kind) if inner is None else None
    if order is not None:
        place = {key: at for at, key in enumerate(order)}
        held.sort(key=lambda pair: place.get(pair[0], len(place)))
        return _call(name, held, depth, room, pen)
    parts: List[str] = []
    if inner is not None:
        text, complete = inner
        whole = complete and whole
        parts.append(text)
    more, complete = _assigned(held, depth, room - sum(map(len, parts)), pen)
    return "<%s>" % " ".join([name, *parts, *more]), whole and complete


class Held:
    """What an object of a plain class held: items, as copies."""

    __slots__ = ("items", "kind")

    def __init__(self, kind: type, items: Attributes) -> None:
        self.kind, self.items = kind, items


def write_held(value: Held, depth: int, room: int, pen: Pen) -> Text:
    """The text of the object itself."""
    name = name_of(value.kind)
    if depth <= 0:
        return "<%s>" % name, False
    return _written(name, value.kind, list(value.items), True, None, depth, room, pen)


def _call(name: str, held: Attributes, depth: int, room: int, pen: Pen) -> Text:
    parts, whole = _assigned(held, depth, room, pen)
    return "%s(%s)" % (name, ", ".join(parts)), whole


def _assigned(held: Attributes, depth: int, room: int, pen: Pen) -> Tuple[List[str], bool]:
    parts: List[str] = []
    whole = True
    used = 0
    pen.names = True
    write, below, share = pen.named, depth - 1, room // 3
    pen.nodes -= len(held)
    for key, item in held:
        if used > room or len(parts) == Bounds.head:
            parts.append("...")
            return parts, False
        if type(item) is int and -_SMALL < item < _SMALL:
            text = repr(item)
        else:
            text, complete = write(key, item, below, share)
            whole = whole and complete
        used += len(key) + len(text) + 2
        parts.append(key + "=" + text)
    return parts, whole


def _is_compiled(kind: type) -> bool:
    """Whether objects may hold what no attribute shows.  A class statement whose base is `object`
    makes `__dict__` or names `__slots__`: a class with neither, below all others, is C code.
    Some of these have no room for anything (`typing.Generic` from 3.12 on)."""
    base = kind
    while _base_of(base) is not object:
        base = _base_of(base)
    names = get_names(base)
    if "__dict__" in names or "__slots__" in names:
        return False
    return bool(_size_of(base) > object.__basicsize__)


_base_of = type.__dict__["__base__"].__get__
_size_of = type.__dict__["__basicsize__"].__get__


def _class_attribute(kind: type, name: str) -> Any:
    for base in get_mro(kind):
        if base is not object:
            names = get_names(base)
            if name in names:
                return names[name]
    return None


def _fields(value: Any, kind: type) -> Optional[Attributes]:
    """Of a named tuple: its items by name."""
    names = _class_attribute(kind, "_fields")
    if type(names) is not tuple or len(names) != tuple.__len__(value):
        return None
    if not all(type(name) is str for name in names):
        return None
    return list(zip(names, tuple.__iter__(value)))


def _dataclass(kind: type) -> Optional[List[str]]:
    """The names of its fields in their order."""
    fields = _class_attribute(kind, "__dataclass_fields__")
    if type(fields) is not dict:
        return None
    return [name for name in fields if type(name) is str]


def _member(value: Any, kind: type, name: str) -> str:
    """Of an enum; "" if it is not one that the enum module has made."""
    held = dict(pair for pair in attributes(value, kind)[0] if type(pair[0]) is str)
    label, number = held.get("_name_"), held.get("_value_")
    if type(label) is str and "|" not in label:
        return "%s.%s" % (name, label)
    if type(number) is not int:
        return ""
    members = _class_attribute(kind, "_member_map_")
    found: List[str] = []
    rest = number
    for key, member in list(members.items()) if type(members) is dict else []:
        bit = dict(attributes(member, type(member))[0]).get("_value_")
        if type(bit) is int and bit > 0 and not bit & (bit - 1) and rest > 0 and rest & bit:
            found.append(exact(key))
            rest &= ~bit
    if not found or number < 0:
        return "%s(%d)" % (name, number)
    return "%s.%s%s" % (name, "|".join(found), "|%d" % rest if rest else "")
