"""A value as a bounded text, made at once: a list that changes later shows what it was.

No code of the user's runs: no __repr__, __eq__, __hash__, property, __getattr__, nor anything
of a metaclass.  So types are told by identity, and every access goes through the descriptors and
methods of the built-in type that a value derives from.  Secrets are masked before a text leaves.
"""

from collections import deque
from typing import Any, Dict, List, Optional

from . import secrets
from .arrays import is_array, is_compiled, write_array
from .containers import CONTAINERS, HEIRS, RELATIVES, container
from .libraries import is_moment, library, moment_heir
from .objects import Held, slot, write_held, write_object
from .pen import Bounds, Pen, Text, Writer, bound, get_mro, name_of
from .scalars import FINAL, SCALARS
from .secrets import hidden, mask
from .tables import rows_of

__all__ = ["Bounds", "Shot", "bound", "ends", "hidden", "mask", "snapshot"]

Shot = List[Any]  # [type name, text, truncated, size]

_SMALL = 1000000000  # below it an int is written at once

# By id: to look up a type itself would call the __hash__ and __eq__ of its metaclass.
_WRITERS: Dict[int, Writer] = {
    id(kind): write for kind, write in [*SCALARS.items(), *CONTAINERS.items()]
}
_BASES = {**_WRITERS, **{id(kind): write for kind, write in HEIRS.items()}}
_WRITERS.update((id(kind), write) for kind, write in [*FINAL.items(), *RELATIVES.items()])
_WRITERS[id(Held)] = write_held
_SIZES = {
    id(kind): kind.__len__
    for kind in (str, bytes, bytearray, list, tuple, dict, set, frozenset, deque)
}
_find = _WRITERS.get


def snapshot(value: Any, name: str = "") -> Shot:
    """name: what the value is bound to; it may say that the value is a secret.  Never raises.

    The size is the exact number of items of a container, elements of an array, rows of a table,
    characters or bytes of a text; None for anything else, and for what is masked.
    """
    try:
        kind = type(value)
        if kind is int:
            if -_SMALL < value < _SMALL:
                return ["int", repr(value), False, None]
        elif kind is str:
            size = len(value)
            if (
                size <= Bounds.characters
                and (size < 9 or not secrets.suspicious(value))
                and (not name or not secrets.rank(name))
            ):
                return ["str", repr(value), False, size]
        elif kind is list:
            items = value[: Bounds.items + 1]
            for item in items:
                if type(item) is not int or not -_SMALL < item < _SMALL:
                    break
            else:
                if len(items) <= Bounds.items and 12 * len(items) <= Bounds.characters:
                    return ["list", repr(items), False, len(items)]
        elif value is None or kind is bool or kind is float:
            return [kind.__name__, repr(value), False, None]
        return _long(value, kind, name)
    except Exception:  # another thread changes the value, or the stack is used up
        return ["?", "?", True, None]


def ends(size: int, head: List[Any], tail: List[Any]) -> Shot:
    """Of a list of numbers of which only both ends are at hand; size: of the whole."""
    pen = _Pen()
    pen.nodes = Bounds.nodes
    around = iter(head), reversed(tail)
    text, _ = container(size, "[", "]", *around, Bounds.depth, Bounds.characters, pen)
    return ["list", text, True, size]


def _long(value: Any, kind: type, name: str) -> Shot:
    pen = _Pen()
    pen.nodes = Bounds.nodes
    text, whole = pen.write(value, Bounds.depth, Bounds.characters)
    if secrets.masking() and (
        (name and secrets.rank(name))
        or (pen.names and secrets.names_in(text))
        or (("'" in text or '"' in text) and secrets.suspicious(text))
    ):
        pen = _Pen()
        pen.nodes = Bounds.nodes
        pen.careful = True
        text, whole = pen.named(name, value, Bounds.depth, Bounds.characters)
    size = _size(value, kind)
    if pen.masked and issubclass(kind, (str, bytes, bytearray)):
        size = None
    return [name_of(kind), text, not whole, size]


class _Pen(Pen):
    def write(self, value: Any, depth: int, room: int) -> Text:
        kind = type(value)
        writer = _find(id(kind))
        if writer is not None:
            return writer(value, depth, room, self)
        if issubclass(kind, type):
            return "<class %s>" % name_of(value), True
        writer = library(kind)
        if writer is not None:
            try:
                return writer(value, depth, room, self)
            except (LookupError, AttributeError, TypeError, ValueError):
                pass  # a version of the library that keeps its values in another way
        return write_object(value, kind, depth, room, self, _heir(kind))


def _heir(kind: type) -> Optional[Writer]:
    bases = get_mro(kind)
    if len(bases) == 2 and not is_compiled(kind):
        return None
    for base in bases[:-1]:
        writer = _BASES.get(id(base))
        if writer is not None:
            return writer
        if is_array(base):
            return write_array
        if is_moment(base):
            return moment_heir
    return None


def _size(value: Any, kind: type) -> Optional[int]:
    length = _SIZES.get(id(kind))
    if length is not None:
        return length(value)
    bases = get_mro(kind)
    if len(bases) == 2 and not is_compiled(kind):
        return None
    for base in bases[:-1]:
        length = _SIZES.get(id(base))
        if length is not None:
            return length(value)
        if is_array(base):
            return int(slot(value, base, "size"))
    return rows_of(value, kind) if library(kind) is not None else None
