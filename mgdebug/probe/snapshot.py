"""A value as a bounded text, made at once: a list that changes later shows what it was.

No code of the user's runs: no __repr__, __eq__, __hash__, property, __getattr__, nor anything
of a metaclass.  So types are told by identity, and every access goes through the descriptors and
methods of the built-in type that a value derives from.
"""

import types
from collections import OrderedDict, deque
from itertools import islice
from typing import Any, Callable, Dict, Iterable, List, Tuple

DEPTH = 3  # levels of containers and attributes
HEAD, TAIL = 24, 8  # items of a container that are kept
CHARACTERS = 400  # of one value's text

Shot = List[Any]  # [type name, text, truncated]
Text = Tuple[str, bool]  # a text, and whether it holds everything

_get_name = type.__dict__["__name__"].__get__
_get_mro = type.__dict__["__mro__"].__get__
_get_dict = type.__dict__["__dict__"].__get__
_get_arguments = BaseException.__dict__["args"].__get__


def snapshot(value: Any) -> Shot:
    """Never raises."""
    try:
        text, whole = _text(value, DEPTH, CHARACTERS)
        return [_name(type(value)), text, not whole]
    except Exception:  # another thread changes the value, or the stack is used up
        return ["?", "?", True]


def _text(value: Any, depth: int, room: int) -> Text:
    """A text of at most about `room` characters."""
    kind = type(value)
    write = _WRITERS.get(id(kind))
    if write is not None:
        return write(value, depth, room)
    if issubclass(kind, type):
        return "<class %s>" % _name(value), True
    return _object(value, kind, depth, room)


def _name(kind: type) -> str:
    return _exact(_get_name(kind))


def _exact(text: Any) -> str:
    """A str whose own __str__ is not asked."""
    return str.__str__(text) if issubclass(type(text), str) else "?"


# ------------------------------------------------------------------- built-in types and their heirs


def _atom(value: Any, depth: int, room: int) -> Text:
    return repr(value), True


def _float(value: Any, depth: int, room: int) -> Text:
    return float.__repr__(value), True


def _complex(value: Any, depth: int, room: int) -> Text:
    return complex.__repr__(value), True


def _int(value: Any, depth: int, room: int) -> Text:
    bits = int.bit_length(value)
    if bits > 4 * max(room, 64):
        return "<int of %d bits>" % bits, False
    return int.__repr__(value), True


def _str(value: Any, depth: int, room: int) -> Text:
    return _cut(str.__len__(value), lambda end: str.__getitem__(value, slice(0, end)), room)


def _bytes(value: Any, depth: int, room: int) -> Text:
    return _cut(bytes.__len__(value), lambda end: bytes.__getitem__(value, slice(0, end)), room)


def _bytearray(value: Any, depth: int, room: int) -> Text:
    size = bytearray.__len__(value)
    return _cut(size, lambda end: bytes(bytearray.__getitem__(value, slice(0, end))), room)


def _cut(size: int, head: Callable[[int], Any], room: int) -> Text:
    if size <= room:
        return repr(head(size)), True
    return "%r... (%d)" % (head(room // 2), size), False


def _range(value: Any, depth: int, room: int) -> Text:
    parts = [value.start, value.stop, value.step]
    if all(type(part) is int and part.bit_length() < 64 for part in parts):
        return repr(value), True
    return "<range>", False


def _list(value: Any, depth: int, room: int) -> Text:
    ends = list.__iter__(value), list.__reversed__(value)
    return _container(list.__len__(value), "[", "]", *ends, depth, room)


def _tuple(value: Any, depth: int, room: int) -> Text:
    size = tuple.__len__(value)
    back = (tuple.__getitem__(value, at) for at in range(size - 1, -1, -1))
    return _container(
        size, "(", ",)" if size == 1 else ")", tuple.__iter__(value), back, depth, room
    )


def _deque(value: Any, depth: int, room: int) -> Text:
    ends = deque.__iter__(value), deque.__reversed__(value)
    return _container(deque.__len__(value), "deque([", "])", *ends, depth, room)


def _set(value: Any, depth: int, room: int) -> Text:
    size = set.__len__(value)
    left, right = ("{", "}") if size else ("set(", ")")
    return _container(size, left, right, set.__iter__(value), (), depth, room)


def _frozenset(value: Any, depth: int, room: int) -> Text:
    items = frozenset.__iter__(value)
    return _container(frozenset.__len__(value), "frozenset({", "})", items, (), depth, room)


def _dict(value: Any, depth: int, room: int) -> Text:
    items = dict.items(value)
    return _container(dict.__len__(value), "{", "}", items, reversed(items), depth, room, True)


def _ordered(value: Any, depth: int, room: int) -> Text:
    """Only keys whose hash runs no code can be asked for in their order."""
    size = dict.__len__(value)
    if size <= HEAD + TAIL and all(type(k) is str or type(k) is int for k in dict.__iter__(value)):
        items = OrderedDict.items(value)
        return _container(size, "{", "}", items, (), depth, room, True)
    return _dict(value, depth, room)[0], False


def _container(
    size: int,
    left: str,
    right: str,
    forth: Iterable[Any],
    back: Iterable[Any],
    depth: int,
    room: int,
    pairs: bool = False,
) -> Text:
    """forth, back: the items from either end; () if there is no way back.  pairs: of a dict."""
    if depth <= 0 and size:
        return "%s... %d%s" % (left, size, right), False
    whole = size <= HEAD + TAIL
    head = list(islice(forth, HEAD + TAIL if whole else HEAD))
    tail = [] if whole else list(islice(back, TAIL))[::-1]
    parts: List[str] = []
    used = 0
    for index, item in enumerate(head + tail):
        if tail and index == HEAD:
            parts.append("... %d more" % (size - HEAD - TAIL))
        if used > room:
            parts.append("... of %d" % size)
            whole = False
            break
        if pairs:
            key, complete = _text(item[0], depth - 1, room // 2)
            text, also = _text(item[1], depth - 1, room // 2)
            text, complete = "%s: %s" % (key, text), complete and also
        else:
            text, complete = _text(item, depth - 1, room // 2)
        whole = whole and complete
        used += len(text) + 2
        parts.append(text)
    else:
        if not whole and not tail and size > len(head):
            parts.append("... %d more" % (size - len(head)))
    return left + ", ".join(parts) + right, whole


def _function(value: Any, depth: int, room: int) -> Text:
    return "<function %s>" % _exact(value.__name__), True


def _method(value: Any, depth: int, room: int) -> Text:
    inner = value.__func__
    name = _exact(inner.__name__) if type(inner) is types.FunctionType else "?"
    return "<method %s>" % name, True


def _module(value: Any, depth: int, room: int) -> Text:
    return "<module %s>" % _exact(vars(value).get("__name__")), True


def _error(value: Any, depth: int, room: int) -> Text:
    return _tuple(_get_arguments(value), depth, room)


Writer = Callable[[Any, int, int], Text]
_HEIRS: Dict[type, Writer] = {  # types that the user's own may derive from
    int: _int,
    float: _float,
    complex: _complex,
    str: _str,
    bytes: _bytes,
    bytearray: _bytearray,
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
    deque: _deque,
}
_FINAL: Dict[type, Writer] = {
    bool: _atom,
    type(None): _atom,
    type(Ellipsis): _atom,
    type(NotImplemented): _atom,
    range: _range,
    types.FunctionType: _function,
    types.BuiltinFunctionType: _function,
    types.MethodType: _method,
    types.ModuleType: _module,
}
# By id: to look up a type itself would call the __hash__ and __eq__ of its metaclass.
_WRITERS = {id(kind): write for kind, write in [*_HEIRS.items(), *_FINAL.items()]}
_BASES = {id(kind): write for kind, write in _HEIRS.items()}
_BASES[id(OrderedDict)] = _ordered
_BASES[id(BaseException)] = _error


# ------------------------------------------------------------------------------- other objects


def _object(value: Any, kind: type, depth: int, room: int) -> Text:
    """What it holds as an heir of a built-in type, and its attributes."""
    name = _name(kind)
    if depth <= 0:
        return "<%s>" % name, False
    parts: List[str] = []
    attributes, whole = _attributes(value, kind)
    for base in _get_mro(kind):
        write = _BASES.get(id(base))
        if write is not None:
            text, complete = write(value, depth, room)
            whole = complete and (whole or not attributes)
            parts.append(text)
            break
    used = sum(map(len, parts))
    for index, (key, item) in enumerate(attributes):
        if index == HEAD or used > room:
            whole = False
            break
        text, complete = _text(item, depth - 1, room // 3)
        whole = whole and complete
        used += len(key) + len(text)
        parts.append("%s=%s" % (key, text))
    return "<%s>" % " ".join([name, *parts]), whole


def _attributes(value: Any, kind: type) -> Tuple[List[Tuple[str, Any]], bool]:
    """What its __dict__ and its __slots__ hold, and whether it has either."""
    found: List[Tuple[str, Any]] = []
    has_dict = has_slots = False
    for base in _get_mro(kind):
        names = _get_dict(base)
        getter = names.get("__dict__")
        if not has_dict and type(getter) is types.GetSetDescriptorType:
            held = getter.__get__(value)
            if issubclass(type(held), dict):
                has_dict = True
                items = list(islice(dict.items(held), HEAD + 1))
                found += [(_exact(key), item) for key, item in items]
        if "__slots__" in names:
            has_slots = True
            for key, slot in list(names.items()):
                if type(slot) is types.MemberDescriptorType:
                    try:
                        found.append((_exact(key), slot.__get__(value)))
                    except AttributeError:  # nothing is in it yet
                        continue
    return found, has_dict or has_slots
