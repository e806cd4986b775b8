"""Texts of values of the standard library's types, where these are loaded.

A type is looked up under the name that it gives itself, and counts only if it is the very type that
stands there: an heir, or a type of the user's that borrows the name, is written as an object.
"""

import io
import sys
import types
from typing import Any, Dict, Optional, Tuple

from .arrays import ARRAYS, is_compiled
from .objects import attributes, slot
from .pen import Pen, Text, Writer, exact, get_mro, get_name, name_of
from .tables import TABLES

_modules = sys.modules
_get_module = type.__dict__["__module__"].__get__

_FLAGS = {2: "I", 4: "L", 8: "M", 16: "S", 64: "X", 128: "DEBUG", 256: "A"}


def library(kind: type) -> Optional[Writer]:
    """How to write values of a type of a library, None for any other type."""
    name = get_name(kind)
    if type(name) is not str or name not in _NAMES:
        return None
    module = _get_module(kind)
    if type(module) is not str:
        return None
    root = module.partition(".")[0]
    found = _WRITERS.get((root, name))
    if found is None or root not in _modules:
        return None
    # Names that a library has for a type, or had.
    loaded = _modules[root]
    if type(loaded) is not types.ModuleType:
        return None
    names = vars(loaded)
    alias = {"bool": "bool_", "str": "str_", "bytes": "bytes_"}.get(name, name)
    alias = {"float128": "longdouble", "complex256": "clongdouble"}.get(alias, alias)
    for one in (name, alias):
        if names.get(one) is kind:
            return found
    return None


def _plain(value: Any, depth: int, room: int, pen: Pen) -> Text:
    return repr(value).partition("datetime.")[2], True


def _moment(value: Any, depth: int, room: int, pen: Pen) -> Text:
    """A tzinfo may be the user's, and repr() would ask it."""
    zone = value.tzinfo
    text = repr(value if zone is None else value.replace(tzinfo=None)).partition("datetime.")[2]
    if zone is None:
        return text, True
    shown, whole = pen.write(zone, depth - 1, room)
    return "%s, tzinfo=%s)" % (text[:-1], shown), whole


def _timezone(value: Any, depth: int, room: int, pen: Pen) -> Text:
    offset = repr(value.utcoffset(None)).partition("datetime.")[2]
    return "timezone.utc" if offset == "timedelta(0)" else "timezone(%s)" % offset, True


def _zone(value: Any, depth: int, room: int, pen: Pen) -> Text:
    return "ZoneInfo(%s)" % pen.write(slot(value, type(value), "key"), depth, room)[0], True


def _decimal(value: Any, depth: int, room: int, pen: Pen) -> Text:
    if value.__sizeof__() > 104 + room // 2:
        return "<Decimal>", False
    return repr(value), True


def _fraction(value: Any, depth: int, room: int, pen: Pen) -> Text:
    held = dict(attributes(value, type(value))[0])
    above, whole = pen.write(held["_numerator"], depth, room // 2)
    below, also = pen.write(held["_denominator"], depth, room // 2)
    return "Fraction(%s, %s)" % (above, below), whole and also


def _uuid(value: Any, depth: int, room: int, pen: Pen) -> Text:
    number = dict(attributes(value, type(value))[0])["int"]
    if type(number) is not int:
        return "<UUID>", False
    digits = "%032x" % number
    cuts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "UUID('%s')" % "-".join(cuts), True


def _path(value: Any, depth: int, room: int, pen: Pen) -> Text:
    """Its parts may be of a type of the user's; only exact ones are put together."""
    kind = type(value)
    held = dict(attributes(value, kind)[0])
    parts = held.get("_raw_paths", held.get("_parts"))
    if type(parts) is not list or not all(type(part) is str for part in parts):
        return "<%s>" % name_of(kind), False
    text, whole = pen.write(str(value), depth, room)
    return "%s(%s)" % (name_of(kind), text), whole


def _pattern(value: Any, depth: int, room: int, pen: Pen) -> Text:
    text, whole = pen.write(value.pattern, depth, room)
    flags = "|".join("re." + name for bit, name in _FLAGS.items() if value.flags & bit)
    return "re.compile(%s%s)" % (text, flags and ", " + flags), whole


def _match(value: Any, depth: int, room: int, pen: Pen) -> Text:
    start, end = value.span()
    return "<Match span=(%d, %d)>" % (start, end), True


def _partial(value: Any, depth: int, room: int, pen: Pen) -> Text:
    kind = type(value)
    if depth <= 0:
        return "<partial>", False
    parts = [pen.write(slot(value, kind, "func"), depth - 1, room // 2)]
    parts += [pen.write(item, depth - 1, room // 3) for item in slot(value, kind, "args")[:8]]
    for key, item in list(dict.items(slot(value, kind, "keywords")))[:8]:
        text, whole = pen.named(exact(key), item, depth - 1, room // 3)
        parts.append(("%s=%s" % (exact(key), text), whole))
    return "partial(%s)" % ", ".join(text for text, _ in parts), all(whole for _, whole in parts)


def _file(value: Any, depth: int, room: int, pen: Pen) -> Text:
    """A name and a state only where nothing between it and the file is of the user's."""
    name = name_of(type(value))
    inner = value
    if type(inner) is io.TextIOWrapper:
        inner = slot(inner, type(inner), "buffer")
    if type(inner) in _BUFFERED_TYPES:
        inner = slot(inner, type(inner), "raw")
    if type(inner) is not io.FileIO:
        return "<%s>" % name, False
    held = dict(attributes(inner, io.FileIO)[0])
    text, whole = pen.write(held.get("name"), depth, room)
    return "<%s name=%s%s>" % (name, text, " closed" if inner.closed else ""), whole


class _Exactly:
    """Types by identity: to compare them could call a metaclass of the user's."""

    def __init__(self, *kinds: type) -> None:
        self._ids = frozenset(map(id, kinds))
        self._kinds = kinds

    def __contains__(self, kind: type) -> bool:
        return id(kind) in self._ids


_BUFFERED_TYPES = _Exactly(io.BufferedReader, io.BufferedWriter, io.BufferedRandom)
_PATHS = ("PurePath", "PurePosixPath", "PureWindowsPath", "Path", "PosixPath", "WindowsPath")
_FILES = ("TextIOWrapper", "BufferedReader", "BufferedWriter", "BufferedRandom", "FileIO")
_WRITERS: Dict[Tuple[str, str], Writer] = {
    ("datetime", "date"): _plain,
    ("datetime", "timedelta"): _plain,
    ("datetime", "datetime"): _moment,
    ("datetime", "time"): _moment,
    ("datetime", "timezone"): _timezone,
    ("zoneinfo", "ZoneInfo"): _zone,
    ("decimal", "Decimal"): _decimal,
    ("fractions", "Fraction"): _fraction,
    ("uuid", "UUID"): _uuid,
    ("re", "Pattern"): _pattern,
    ("re", "Match"): _match,
    ("functools", "partial"): _partial,
    **{("pathlib", name): _path for name in _PATHS},
    **{("_io", name): _file for name in _FILES},
    **ARRAYS,
    **TABLES,
}
_NAMES = frozenset(name for _, name in _WRITERS)


def moment_heir(value: Any, depth: int, room: int, pen: Pen) -> Text:
    """Of an heir of datetime, such as a pandas.Timestamp: without its tzinfo."""
    base = next(base for base in get_mro(type(value)) if is_moment(base))
    parts = [slot(value, base, name) for name in _PARTS]
    return repr(base(*parts)).partition("datetime.")[2], True


def is_moment(kind: type) -> bool:
    """Whether it is datetime.datetime itself."""
    name = get_name(kind)
    return type(name) is str and name == "datetime" and is_compiled(kind)


_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
