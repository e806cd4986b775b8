"""Texts of built-in values that hold no others, and of their heirs: see snapshot."""

import types
import weakref
from _thread import allocate_lock
from typing import Any, Callable, Dict

from . import secrets
from .pen import Pen, Text, Writer, exact


def _atom(value: Any, depth: int, room: int, pen: Pen) -> Text:
    return repr(value), True


def _float(value: Any, depth: int, room: int, pen: Pen) -> Text:
    return float.__repr__(value), True


def _complex(value: Any, depth: int, room: int, pen: Pen) -> Text:
    return complex.__repr__(value), True


def _int(value: Any, depth: int, room: int, pen: Pen) -> Text:
    bits = int.bit_length(value)
    if bits > 4 * max(room, 64):
        return "<int of %d bits>" % bits, False
    return int.__repr__(value), True


def _str(value: Any, depth: int, room: int, pen: Pen) -> Text:
    size = str.__len__(value)
    if not pen.careful:
        if size <= room:
            return repr(str.__getitem__(value, slice(0, size))), True
        return "%r... (%d)" % (str.__getitem__(value, slice(0, room // 2)), size), False
    if pen.secret:
        return pen.hide()
    seen = str.__getitem__(value, slice(0, room + secrets.BEYOND))
    shown = secrets.masked(seen)
    if shown != seen:
        pen.masked = True
        kept = secrets.within(shown, room, size > len(seen))
        return repr(kept) + ("..." if kept != shown else ""), False
    if size <= room:
        return repr(seen), True
    return "%r... (%d)" % (seen[: room // 2], size), False


def _bytes(value: Any, depth: int, room: int, pen: Pen) -> Text:
    size = bytes.__len__(value)
    return _raw(size, lambda end: bytes.__getitem__(value, slice(0, end)), room, pen)


def _bytearray(value: Any, depth: int, room: int, pen: Pen) -> Text:
    size = bytearray.__len__(value)
    return _raw(size, lambda end: bytes(bytearray.__getitem__(value, slice(0, end))), room, pen)


def _raw(size: int, head: Callable[[int], bytes], room: int, pen: Pen) -> Text:
    if pen.secret:
        return pen.hide()
    if pen.careful:
        seen = head(room + secrets.BEYOND).decode("latin-1")
        shown = secrets.masked(seen)
        if shown != seen:
            pen.masked = True
            kept = secrets.within(shown, room, size > len(seen))
            return repr(kept.encode("latin-1")) + ("..." if kept != shown else ""), False
    if size <= room:
        return repr(head(size)), True
    return "%r... (%d)" % (head(room // 2), size), False


def _range(value: Any, depth: int, room: int, pen: Pen) -> Text:
    parts = [value.start, value.stop, value.step]
    if all(type(part) is int and part.bit_length() < 64 for part in parts):
        return repr(value), True
    return "<range>", False


def _function(value: Any, depth: int, room: int, pen: Pen) -> Text:
    return "<function %s>" % exact(value.__name__), True


def _method(value: Any, depth: int, room: int, pen: Pen) -> Text:
    inner = value.__func__
    name = exact(inner.__name__) if type(inner) is types.FunctionType else "?"
    return "<method %s>" % name, True


def _module(value: Any, depth: int, room: int, pen: Pen) -> Text:
    return "<module %s>" % exact(vars(value).get("__name__")), True


def _running(word: str) -> Writer:
    """Of what would go on if it were asked for more."""

    def write(value: Any, depth: int, room: int, pen: Pen) -> Text:
        return "<%s %s>" % (word, exact(value.__name__)), True

    return write


def _opaque(word: str) -> Writer:
    def write(value: Any, depth: int, room: int, pen: Pen) -> Text:
        return "<%s>" % word, False

    return write


def _lock(value: Any, depth: int, room: int, pen: Pen) -> Text:
    return "<lock locked>" if value.locked() else "<lock unlocked>", True


SCALARS: Dict[type, Writer] = {  # types that the user's own may derive from
    int: _int,
    float: _float,
    complex: _complex,
    str: _str,
    bytes: _bytes,
    bytearray: _bytearray,
}
FINAL: Dict[type, Writer] = {
    bool: _atom,
    type(None): _atom,
    type(Ellipsis): _atom,
    type(NotImplemented): _atom,
    range: _range,
    types.FunctionType: _function,
    types.BuiltinFunctionType: _function,
    types.MethodType: _method,
    types.ModuleType: _module,
    types.GeneratorType: _running("generator"),
    types.CoroutineType: _running("coroutine"),
    types.AsyncGeneratorType: _running("async_generator"),
    weakref.ReferenceType: _opaque("weakref"),
    weakref.ProxyType: _opaque("weakproxy"),
    weakref.CallableProxyType: _opaque("weakproxy"),
    type(allocate_lock()): _lock,
}
