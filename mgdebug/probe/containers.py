"""Texts of built-in containers and of their heirs: see snapshot."""

import gc
from collections import Counter, OrderedDict, defaultdict, deque
from itertools import islice
from types import MappingProxyType
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from .pen import Bounds, Pen, Text, Writer

_SMALL = 1000000000  # below it an int is written at once

_get_arguments = BaseException.__dict__["args"].__get__
_get_factory = defaultdict.__dict__["default_factory"].__get__

Parts = Tuple[List[str], bool]  # texts of the first items, and whether these are whole
Filler = Callable[[List[Any], int, int, Pen], Parts]


def _list(value: Any, depth: int, room: int, pen: Pen) -> Text:
    size = list.__len__(value)
    if size > Bounds.items or depth <= 0:
        ends = list.__iter__(value), list.__reversed__(value)
        return container(size, "[", "]", *ends, depth, room, pen)
    items = list.__getitem__(value, slice(None))
    if not pen.careful and room >= 12 * size:
        for item in items:
            if type(item) is not int or not -_SMALL < item < _SMALL:
                break
        else:
            pen.nodes -= size
            return repr(items), True
    return _short(items, "[", "]", depth, room, pen, row)


def _tuple(value: Any, depth: int, room: int, pen: Pen) -> Text:
    size = tuple.__len__(value)
    right = ",)" if size == 1 else ")"
    if size <= Bounds.items and depth > 0:
        return _short(list(tuple.__iter__(value)), "(", right, depth, room, pen, row)
    back = (tuple.__getitem__(value, at) for at in range(size - 1, -1, -1))
    return container(size, "(", right, tuple.__iter__(value), back, depth, room, pen)


def _deque(value: Any, depth: int, room: int, pen: Pen) -> Text:
    ends = deque.__iter__(value), deque.__reversed__(value)
    return container(deque.__len__(value), "deque([", "])", *ends, depth, room, pen)


def _set(value: Any, depth: int, room: int, pen: Pen) -> Text:
    size = set.__len__(value)
    left, right = ("{", "}") if size else ("set(", ")")
    return container(size, left, right, set.__iter__(value), (), depth, room, pen)


def _frozenset(value: Any, depth: int, room: int, pen: Pen) -> Text:
    size = frozenset.__len__(value)
    left, right = ("frozenset({", "})") if size else ("frozenset(", ")")
    return container(size, left, right, frozenset.__iter__(value), (), depth, room, pen)


def _dict(value: Any, depth: int, room: int, pen: Pen) -> Text:
    size = dict.__len__(value)
    if size <= Bounds.items and depth > 0:
        return _short(list(dict.items(value)), "{", "}", depth, room, pen, pairs)
    items = dict.items(value)
    return container(size, "{", "}", items, reversed(items), depth, room, pen, pairs)


def _ordered(value: Any, depth: int, room: int, pen: Pen) -> Text:
    """Only keys whose hash runs no code can be asked for in their order."""
    size = dict.__len__(value)
    if size > Bounds.items or depth <= 0:
        return _dict(value, depth, room, pen)[0], False
    if not all(type(key) is str or type(key) is int for key in dict.__iter__(value)):
        return _dict(value, depth, room, pen)[0], False
    return _short(list(OrderedDict.items(value)), "{", "}", depth, room, pen, pairs)


def container(
    size: int,
    left: str,
    right: str,
    forth: Iterable[Any],
    back: Iterable[Any],
    depth: int,
    room: int,
    pen: Pen,
    fill: Optional[Filler] = None,
) -> Text:
    """forth, back: the items from either end; () if there is no way back."""
    if not size:
        return left + right, True
    if depth <= 0 or pen.nodes <= 0:
        return "%s... %d%s" % (left, size, right), False
    fill = fill or row
    if size <= Bounds.items:
        return _short(list(islice(forth, size)), left, right, depth, room, pen, fill)
    last = list(islice(back, Bounds.tail))[::-1]
    parts, _ = fill(list(islice(forth, Bounds.head)), depth, room * 3 // 4, pen)
    after = fill(last, depth, room // 4, pen)[0]
    parts.append("... %d more" % (size - len(parts) - len(after)))
    return left + ", ".join(parts + after) + right, False


def _short(
    items: List[Any], left: str, right: str, depth: int, room: int, pen: Pen, fill: Filler
) -> Text:
    """Of a container all of whose items are at hand."""
    if pen.nodes <= 0 and items:
        return "%s... %d%s" % (left, len(items), right), False
    parts, whole = fill(items, depth, room, pen)
    if len(parts) < len(items):
        parts.append("... %d more" % (len(items) - len(parts)))
        whole = False
    return left + ", ".join(parts) + right, whole


def row(items: List[Any], depth: int, room: int, pen: Pen) -> Parts:
    """Texts of the items of a list, until the room is used."""
    half = room // 2
    below = depth - 1
    quick = half if not pen.careful else -1  # no text is written here if care is needed
    parts: List[str] = []
    add = parts.append
    write = pen.write
    whole = True
    used = 0
    pen.nodes -= len(items)
    for item in items:
        kind = type(item)
        if kind is int:
            easy = -_SMALL < item < _SMALL
        elif kind is str:
            easy = len(item) <= quick
        else:
            easy = item is None or kind is float or kind is bool
        if easy:
            text = repr(item)
        else:
            text, complete = write(item, below, half)
            if not complete:
                whole = False
        used += len(text) + 2
        add(text)
        if used > room:
            break
    return parts, whole


def pairs(items: List[Any], depth: int, room: int, pen: Pen) -> Parts:
    """The same for the items of a dict."""
    half = room // 2
    below = depth - 1
    careful = pen.careful
    parts: List[str] = []
    add = parts.append
    write = pen.write
    whole = True
    used = 0
    pen.nodes -= len(items)
    pen.names = True
    for key, item in items:
        kind = type(key)
        if kind is str and len(key) <= 32 and not careful:
            name = repr(key)
        else:
            name, complete = write(key, below, half)
            if not complete:
                whole = False
        if careful and kind is str:
            text, complete = pen.named(key, item, below, half)
            if not complete:
                whole = False
        elif type(item) is int and -_SMALL < item < _SMALL:
            text = repr(item)
        else:
            text, complete = write(item, below, half)
            if not complete:
                whole = False
        used += len(name) + len(text) + 4
        add(name + ": " + text)
        if used > room:
            break
    return parts, whole


# ------------------------------------------------------------------------ relatives of a dict


def _default(value: Any, depth: int, room: int, pen: Pen) -> Text:
    factory, _ = pen.write(_get_factory(value), depth - 1, room // 4)
    text, whole = _dict(value, depth, room, pen)
    return "defaultdict(%s, %s)" % (factory, text), whole


def _called(word: str, write: Writer) -> Writer:
    def call(value: Any, depth: int, room: int, pen: Pen) -> Text:
        text, whole = write(value, depth, room, pen)
        return "%s(%s)" % (word, text), whole

    return call


def _proxy(value: Any, depth: int, room: int, pen: Pen) -> Text:
    """What it shows can be of any type, and only the garbage collector tells without asking it."""
    [inner] = gc.get_referents(value)
    if type(inner) is not dict:
        return "<mappingproxy>", False
    text, whole = _dict(inner, depth, room, pen)
    return "mappingproxy(%s)" % text, whole


def _view(word: str, fill: Filler) -> Writer:
    """Of the keys, values or items of an exact dict."""

    def write(value: Any, depth: int, room: int, pen: Pen) -> Text:
        inner = gc.get_referents(value)
        if len(inner) != 1 or type(inner[0]) is not dict:
            return "<%s>" % word, False
        left, right = "%s([" % word, "])"
        ends = iter(value), reversed(value)
        return container(len(inner[0]), left, right, *ends, depth, room, pen, fill)

    return write


def _error(value: Any, depth: int, room: int, pen: Pen) -> Text:
    return _tuple(_get_arguments(value), depth, room, pen)


CONTAINERS: Dict[type, Writer] = {  # types that the user's own may derive from
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
    deque: _deque,
}
RELATIVES: Dict[type, Writer] = {  # whose heirs are written as those of the type above
    OrderedDict: _called("OrderedDict", _ordered),
    defaultdict: _default,
    Counter: _called("Counter", _dict),
    MappingProxyType: _proxy,
    type({}.keys()): _view("dict_keys", row),
    type({}.values()): _view("dict_values", row),
    type({}.items()): _view("dict_items", row),
}
HEIRS: Dict[type, Writer] = {OrderedDict: _ordered, BaseException: _error}
