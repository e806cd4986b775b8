"""Values as they are now, kept at the least price until somebody wants their text.

What nobody can change is kept as it is; small containers of that are copied; of large ones both
ends are.  Everything else becomes text at once.  No code of the user's runs.
"""

from collections import Counter, defaultdict, deque
from types import GetSetDescriptorType
from typing import Any, Callable, Dict, List, Optional

from .arrays import is_compiled
from .libraries import library
from .objects import Held
from .pen import Bounds, get_mro, get_names, name_of
from .snapshot import ends, snapshot

SHORT, LONG = 64, 400  # characters of a text in a container, and of one that stands alone
NODES = 100  # of a nest of containers that is copied


class Taken:
    """A value as text: see snapshot."""

    __slots__ = ("shot",)

    def __init__(self, shot: List[Any]) -> None:
        self.shot = shot


ENDS: Any = object()  # begins a tuple of the size, the head and the tail of a long list of numbers


ABSENT: Any = type("Absent", (), {"__slots__": ()})()  # in the place of a name that is not bound


class Room:
    """How much may still be kept, in items of containers."""

    def __init__(self) -> None:
        self.left = 0


def keeper(room: Room) -> Callable[[Any], Any]:
    """The function that keeps a value."""

    def keep(value: Any) -> Any:
        kind = type(value)
        if kind is int or kind is bool or value is None or kind is float:
            return value
        if kind is str:
            return value if len(value) <= LONG else Taken(snapshot(value))
        if kind is list:
            size = len(value)
            if size <= Bounds.items:
                room.left -= size
                for item in value:
                    if type(item) is not int:
                        break
                else:
                    return value[:]
            else:
                room.left -= Bounds.items
                ends = value[: Bounds.head], value[-Bounds.tail :]
                for some in ends:
                    for item in some:
                        if type(item) is not int and type(item) is not float:
                            return Taken(snapshot(value))
                return (ENDS, size, *ends)
        copied = _copied(value, [NODES], Bounds.depth)
        if copied is not _ODD:
            room.left -= 4
            return copied
        if value is ABSENT:
            return value
        room.left -= 16
        return Taken(snapshot(value))

    return keep


_ODD = object()


def _plain(items: List[Any]) -> bool:
    for item in items:
        kind = type(item)
        if kind is int or kind is float or kind is bool or item is None:
            continue
        if kind is str and len(item) <= SHORT:
            continue
        return False
    return True


def _copied(value: Any, nodes: List[int], depth: int) -> Any:
    """A copy that shares nothing that can change, _ODD if that cannot be had cheaply."""
    kind = type(value)
    if kind is int or kind is float or kind is bool or value is None:
        return value
    if kind is str or kind is bytes:
        return value if len(value) <= SHORT else _ODD
    copy = _COPIES.get(id(kind))
    if copy is None:
        return _object(value, kind, nodes, depth)
    if depth <= 0:
        return _LIKE.get(id(kind), _odd)(len(value))
    nodes[0] -= len(value)
    return copy(value, nodes, depth - 1) if nodes[0] >= 0 else _ODD


def _odd(size: int) -> Any:
    return _ODD


# Of what is too deep to be shown only the size is.
_LIKE: Dict[int, Callable[[int], Any]] = {
    id(list): lambda size: [None] * size,
    id(tuple): lambda size: (None,) * size,
    id(dict): lambda size: dict.fromkeys(range(size)),
    id(set): lambda size: set(range(size)),
}


def _object(value: Any, kind: type, nodes: List[int], depth: int) -> Any:
    """Of a class that derives from no other one and has no slots."""
    known = _LAYOUTS.get(id(kind))
    if known is None or known[0] is not kind:
        getter = get_names(kind).get("__dict__") if type(kind) is type else None
        plain = type(getter) is GetSetDescriptorType and get_mro(kind) == (kind, object)
        plain = plain and "__slots__" not in get_names(kind) and not is_compiled(kind)
        plain = plain and library(kind) is None
        known = _LAYOUTS[id(kind)] = (kind, getter.__get__ if plain and getter else None)
    if known[1] is None:
        return _ODD
    if depth <= 0:
        return Held(kind, [])
    held = known[1](value)
    if type(held) is not dict:
        return _ODD
    nodes[0] -= len(held)
    if nodes[0] < 0:
        return _ODD
    items = []
    for key, item in list(held.items()):
        own = type(item)
        if own is list and not item and depth > 1:
            item = []
        elif own is not int and item is not None and own is not bool:
            item = _copied(item, nodes, depth - 1)
            if item is _ODD:
                return _ODD
        if type(key) is not str:
            return _ODD
        items.append((key, item))
    return Held(kind, items)


_LAYOUTS: Dict[int, Any] = {}  # by the id of a class: the class, and how to get at what is in it


def _items(values: Any, nodes: List[int], depth: int) -> Optional[List[Any]]:
    found = []
    for item in values:
        copied = _copied(item, nodes, depth)
        if copied is _ODD:
            return None
        found.append(copied)
    return found


def _list(value: Any, nodes: List[int], depth: int) -> Any:
    if _plain(value):
        return value[:]
    found = _items(value, nodes, depth)
    return _ODD if found is None else found


def _tuple(value: Any, nodes: List[int], depth: int) -> Any:
    found = _items(value, nodes, depth)
    return _ODD if found is None else tuple(found)


def _set(value: Any, nodes: List[int], depth: int) -> Any:
    return value.copy() if _plain(list(value)) else _ODD


def _dict(value: Any, nodes: List[int], depth: int) -> Any:
    if not _plain(list(value)):
        return _ODD
    found = _items(list(dict.values(value)), nodes, depth)
    return _ODD if found is None else dict(zip(list(value), found))


def _deque(value: Any, nodes: List[int], depth: int) -> Any:
    found = _items(list(value), nodes, depth)
    return _ODD if found is None else deque(found, value.maxlen)


def _counter(value: Any, nodes: List[int], depth: int) -> Any:
    copied = _dict(value, nodes, depth)
    if copied is _ODD:
        return _ODD
    new = Counter.__new__(Counter)
    dict.update(new, copied)
    return new


def _default(value: Any, nodes: List[int], depth: int) -> Any:
    factory = value.default_factory
    if factory is not None and not any(
        factory is one for one in (int, list, dict, set, str, float)
    ):
        return _ODD
    copied = _dict(value, nodes, depth)
    return _ODD if copied is _ODD else defaultdict(factory, copied)


_COPIES: Dict[int, Callable[[Any, List[int], int], Any]] = {
    id(list): _list,
    id(tuple): _tuple,
    id(set): _set,
    id(dict): _dict,
    id(deque): _deque,
    id(Counter): _counter,
    id(defaultdict): _default,
}


def shot(kept: Any, name: str = "") -> List[Any]:
    """The text of what was kept, see snapshot."""
    if type(kept) is Taken:
        return kept.shot
    if type(kept) is tuple and kept and kept[0] is ENDS:
        return ends(*kept[1:])
    text = snapshot(kept, name)
    if type(kept) is Held:
        text[0] = name_of(kept.kind)
    return text
