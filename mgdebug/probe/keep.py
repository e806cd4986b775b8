"""Values as they are now, kept at the least price until somebody wants their text.

What nobody can change is kept as it is; small containers of that are copied; of large ones both
ends are.  Everything else becomes text at once.  No code of the user's runs.
"""

from typing import Any, Callable, Dict, List, Optional

from .pen import Bounds
from .snapshot import ends, snapshot

SHORT, LONG = 64, 400  # characters of a text in a container, and of one that stands alone
NODES = 64  # of a nest of containers that is copied
_DEPTH = 3


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
        copied = _copied(value, [NODES], _DEPTH)
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
    if copy is None or depth <= 0:
        return _ODD
    nodes[0] -= len(value)
    return copy(value, nodes, depth - 1) if nodes[0] >= 0 else _ODD


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
    found = _items(list(value.values()), nodes, depth)
    return _ODD if found is None else dict(zip(list(value), found))


_COPIES: Dict[int, Callable[[Any, List[int], int], Any]] = {
    id(list): _list,
    id(tuple): _tuple,
    id(set): _set,
    id(dict): _dict,
}


def shot(kept: Any, name: str = "") -> List[Any]:
    """The text of what was kept, see snapshot."""
    if type(kept) is Taken:
        return kept.shot
    if type(kept) is tuple and kept and kept[0] is ENDS:
        return ends(*kept[1:])
    return snapshot(kept, name)
