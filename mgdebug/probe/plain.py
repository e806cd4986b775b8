"""Values taken apart into plain data and rebuilt in another process.

Taking apart calls no method of the user's classes.  The plain form is one flat list, safe for JSON:
the parts of a container come before it, as ["l", 2] for a list of the last two.
"""

import collections
import datetime
import decimal
import fractions
import os
import pathlib
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from .kinds import alien, builtin_of, name_of, stand_in

MOST_ITEMS = 200_000
MOST_BYTES = 4 << 20
MOST_DEPTH = 150
_SMALL = 1 << 53
_DIGITS = 10_000  # of fractions and decimals
_MOST_TURNS = 10_000_000
_SAME_HASH = 200  # parts of a set that share a hash; more are made to be slow
_LOOK_FROM = 1000  # parts

Flat = List[Any]


class NotPlain(Exception):
    """The value cannot be taken apart; its text says why."""


class Alien:
    """In place of an object that is equal to no plain value, or whose class decides itself what it
    is equal to.

    name: of its class.  decides: whether its class has an equality of its own, which may have it
    equal to a plain value.
    """

    __slots__ = ("decides", "name")

    def __init__(self, name: str, decides: bool) -> None:
        self.name, self.decides = name, decides


_KEYS: type = type({}.keys())
_ITEMS: type = type({}.items())
_PARTED: Dict[type, str] = {
    list: "l", tuple: "t", set: "s", frozenset: "z", dict: "d",
    collections.OrderedDict: "O", collections.Counter: "C", collections.deque: "D",
    _KEYS: "k", _ITEMS: "k",
}  # fmt: skip
_ITER: Dict[str, Callable[[Any], Any]] = {
    "l": list.__iter__, "t": tuple.__iter__, "s": set.__iter__, "z": frozenset.__iter__,
    "d": dict.items, "O": collections.OrderedDict.items, "C": dict.items,
    "D": collections.deque.__iter__, "k": iter,
}  # fmt: skip
_BUILD: Dict[str, Callable[[Any], Any]] = {
    "l": list, "t": tuple, "s": set, "z": frozenset, "d": dict,
    "O": collections.OrderedDict, "D": collections.deque, "k": set,
}  # fmt: skip
_MAPPINGS = "dOC"
_PATHS = {
    name_of(kind): kind
    for kind in (pathlib.PurePosixPath, pathlib.PureWindowsPath, type(pathlib.Path()))
}


# ------------------------------------------------------------------------------- taking apart


def flatten(value: Any) -> Flat:
    """The plain form.  Raises NotPlain for what is too large, too deep or cyclic; other objects
    become aliens."""
    kind = type(value)
    if kind is bool or value is None or (kind is int and -_SMALL < value < _SMALL):
        return [value]
    out: Flat = []
    size = [0]
    # (tag, parts still to come, how many there were, identity)
    open_: List[Tuple[str, Any, List[int], int]] = []
    within: Set[int] = set()
    root = name_of(kind)
    _put(value, out, open_, within, size, root)
    while open_:
        tag, parts, count, own = open_[-1]
        for part in parts:
            count[0] += 1
            kind = type(part)
            if kind is int and -_SMALL < part < _SMALL:
                out.append(part)
            elif _put(part, out, open_, within, size, root):
                break
            if len(out) > MOST_ITEMS:
                raise NotPlain("value of type %s is too large to compare" % root)
        else:
            out.append([tag, count[0]])
            open_.pop()
            within.discard(own)
    if len(out) > MOST_ITEMS:
        raise NotPlain("value of type %s is too large to compare" % root)
    return out


def _put(value: Any, out: Flat, open_: Any, within: Any, size: List[int], root: str) -> bool:
    """Returns whether a container was opened."""
    kind = type(value)
    if value is None or kind is bool:
        out.append(value)
        return False
    base, parts_of = kind, _PARTED.get(kind)
    if parts_of is None and kind not in _LEAVES:
        found = builtin_of(kind)
        if found is None:
            shown = stand_in(value, kind)
            if shown is not value:
                return _put(shown, out, open_, within, size, root)
            out.append(alien(kind))
            return False
        base, parts_of = found, _PARTED.get(found)
    if parts_of is None:
        leaf = _LEAVES[base](value)
        if leaf is None:
            out.append(alien(kind))
            return False
        size[0] += len(leaf[1]) if type(leaf) is list and type(leaf[1]) is str else 8
        if type(leaf) is str:
            size[0] += len(leaf)
        if size[0] > MOST_BYTES:
            raise NotPlain("value of type %s is too large to compare" % root)
        out.append(leaf)
        return False
    own = id(value)
    if own in within:
        raise NotPlain("value of type %s is not comparable: cyclic" % root)
    if len(open_) >= MOST_DEPTH:
        raise NotPlain("value of type %s is not comparable: nested too deep" % root)
    within.add(own)
    parts = _ITER[parts_of](value)
    if parts_of in _MAPPINGS:
        parts = (side for pair in parts for side in pair)
    open_.append((parts_of, iter(parts), [0], own))
    return True


def _int(value: int) -> Any:
    if -_SMALL < value < _SMALL:
        return int.__index__(value)
    if int.bit_length(value) > 4 * MOST_BYTES:
        raise NotPlain("value of type int is too large to compare")
    return ["i", hex(int.__index__(value))]


def _str(value: str) -> Any:
    text = str.__str__(value)
    if type(text) is not str:
        text = str.__getitem__(value, slice(None))
        text = str.__add__("", text)
    try:
        str.encode(text, "utf-8")
    except UnicodeEncodeError:  # JSON would make one character of two surrogates
        return ["u", str.encode(text, "utf-32-le", "surrogatepass").hex()]
    return text


def _path(value: Any) -> Any:
    return ["P", "%s:%s" % (name_of(type(value)), os.fspath(value))]


def _moment(value: Any) -> Optional[List[Any]]:
    zone = value.tzinfo
    if zone is not None and type(zone) is not datetime.timezone:
        return None
    offset = None
    if zone is not None:
        gap = zone.utcoffset(None)
        offset = [gap.days, gap.seconds, gap.microseconds]
    if type(value) is datetime.time:
        day: List[int] = []
    else:
        day = [value.year, value.month, value.day]
    clock = [value.hour, value.minute, value.second, value.microsecond]
    return ["M", day, clock, value.fold, offset]


def _ends(tag: str, value: Any) -> Optional[List[Any]]:
    ends = [value.start, value.stop, value.step]
    if any(end is not None and type(end) is not int for end in ends):
        return None
    if tag == "r":
        _check_length(value)
    return [tag, [None if end is None else hex(end) for end in ends]]


def _check_length(found: range) -> range:
    """To look for a float goes through all of it.  Raises NotPlain."""
    if (found.stop - found.start) // found.step > _MOST_TURNS:
        raise NotPlain("value of type range is too large to compare")
    return found


def _short(text: str) -> str:
    """Digits of a number whose arithmetic takes time.  Raises NotPlain."""
    if len(text) > _DIGITS:
        raise NotPlain("a number is too large to compare")
    return text


def _number(text: str) -> str:
    """As _short()."""
    exponent = text.upper().partition("E")[2] or "0"
    if not exponent.lstrip("+-").isdigit() or len(exponent) > 6:
        raise NotPlain("a number is too large to compare")
    return text


_LEAVES: Dict[type, Callable[[Any], Any]] = {
    int: _int,
    float: lambda x: ["f", float.hex(x)],
    complex: lambda x: ["c", complex.__getattribute__(x, "real").hex(),
                        complex.__getattribute__(x, "imag").hex()],
    str: _str,
    bytes: lambda x: ["b", bytes.hex(x)],
    bytearray: lambda x: ["B", bytearray.hex(x)],
    range: lambda x: _ends("r", x),
    slice: lambda x: _ends("S", x),
    type(Ellipsis): lambda x: ["e", ""],
    fractions.Fraction: lambda x: ["F", _short("%x/%x" % (x.numerator, x.denominator))],
    decimal.Decimal: lambda x: ["N", _number(_short(decimal.Decimal.__str__(x)))],
    datetime.date: lambda x: ["Y", [x.year, x.month, x.day]],
    datetime.datetime: _moment,
    datetime.time: _moment,
    datetime.timedelta: lambda x: ["T", [x.days, x.seconds, x.microseconds]],
    **{kind: _path for kind in _PATHS.values()},
}  # fmt: skip


# --------------------------------------------------------------------------------- rebuilding


def rebuild(flat: Flat) -> Any:
    """The value of a plain form; aliens in place of what has none.  Raises ValueError or TypeError
    for what flatten() never makes."""
    if type(flat) is not list or len(flat) > MOST_ITEMS + MOST_DEPTH:
        raise ValueError("no plain form")
    stack: List[Any] = []
    depths: List[int] = []
    for item in flat:
        if type(item) is not list:
            if item is not None and type(item) not in (bool, int, str, float):
                raise ValueError("no plain form")
            stack.append(item)
            depths.append(0)
            continue
        tag = item[0]
        if tag not in _ITER:
            stack.append(_leaf(tag, item))
            depths.append(0)
            continue
        count = item[1]
        if type(count) is not int or not 0 <= count <= len(stack):
            raise ValueError("no plain form")
        at = len(stack) - count
        parts, depth = stack[at:], max(depths[at:], default=0) + 1
        if depth > MOST_DEPTH:
            raise ValueError("no plain form")
        stack[at:], depths[at:] = [_container(tag, parts)], [depth]
    if len(stack) != 1:
        raise ValueError("no plain form")
    return stack[0]


def _container(tag: str, parts: List[Any]) -> Any:
    if tag not in _MAPPINGS:
        if tag in "szk":
            _check_hashes(parts)
        try:
            return _BUILD[tag](parts)
        except TypeError:
            if tag == "k":  # the items of a dictionary may hold what no set does
                return Alien("dict_items", False)
            raise
    if len(parts) % 2:
        raise ValueError("no plain form")
    _check_hashes(parts[::2])
    pairs = zip(parts[::2], parts[1::2])
    if tag != "C":
        return _BUILD[tag](pairs)
    counter: Any = collections.Counter()
    dict.update(counter, pairs)
    return counter


def _check_hashes(parts: List[Any]) -> None:
    if len(parts) < _LOOK_FROM:
        return
    hashes = sorted(map(hash, parts))
    if any(a == b for a, b in zip(hashes, hashes[_SAME_HASH:])):
        raise ValueError("no plain form")


def _leaf(tag: str, item: List[Any]) -> Any:
    if tag == "?":
        return Alien(str(item[1])[:100], bool(item[2]))
    what = item[1]
    if tag == "i":
        return int(what, 16)
    if tag == "f":
        return float.fromhex(what)
    if tag == "c":
        return complex(float.fromhex(what), float.fromhex(item[2]))
    if tag == "u":
        return bytes.fromhex(what).decode("utf-32-le", "surrogatepass")
    if tag == "b":
        return bytes.fromhex(what)
    if tag == "B":
        return bytearray.fromhex(what)
    if tag in ("r", "S"):
        ends = [None if end is None else int(end, 16) for end in what]
        if tag == "S":
            return slice(*ends)
        return _check_length(range(*ends))  # type: ignore[arg-type]
    if tag == "e":
        return Ellipsis
    if tag == "F":
        top, bottom = _short(what).split("/")
        return fractions.Fraction(int(top, 16), int(bottom, 16))
    if tag == "N":
        return decimal.Decimal(_number(_short(what)))
    if tag == "Y":
        return datetime.date(*what)
    if tag == "T":
        return datetime.timedelta(*what)
    if tag == "M":
        _, day, clock, fold, offset = item
        zone = None if offset is None else datetime.timezone(datetime.timedelta(*offset))
        make: Any = datetime.datetime if day else datetime.time
        return make(*day, *clock, tzinfo=zone, fold=fold)
    if tag == "P":
        name, _, text = what.partition(":")
        return _PATHS[name](text)
    raise ValueError("no plain form")
