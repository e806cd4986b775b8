"""JSON back into the model: driven by the type hints of its dataclasses, and strict.

A decoder a type is built once.  Texts and Values that come again are one object afterwards, and
what json.loads made is let go as it is used: a trace of 100,000 visits has to fit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from mgdebug.events import Event
from mgdebug.model import Value

T = TypeVar("T")
_Known = dict[Any, Any]  # what was met before: equal texts, equal values
_Decoder = Callable[[Any, _Known], Any]
_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(Event)}
_SHOWN = 40  # characters of what is wrong
_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


class _Wrong(ValueError):
    """where: the way to what is wrong, the innermost step first."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.where: list[str] = []


def from_json(line: str) -> Event:
    """The event that events.to_json wrote.  A field that has a default may be absent.

    Raises ValueError, which says where and what, for all that is no event."""
    known: _Known = {}
    data = _loads(line, partial(_early, known=known))
    if type(data) is not dict:
        raise ValueError(f"an event is an object, not {_shown(data)}")
    name = data.pop("event", None)
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"{_shown(name)} is no event")
    return cast(Event, _decoded(kind, data, known, kind.__name__))


def decode(kind: type[T], data: object) -> T:
    """A dataclass of the model from its plain form (events.plain), which is used up by it.

    Raises ValueError, which says where and what."""
    return cast(T, _decoded(kind, data, {}, kind.__name__))


def _loads(line: str, hook: Callable[[dict[str, Any]], Any]) -> Any:
    try:
        return json.loads(line, object_hook=hook)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _decoded(kind: type, data: object, known: _Known, name: str) -> object:
    try:
        return _decoder(kind)(data, known)
    except _Wrong as wrong:
        where = "".join(reversed(wrong.where))
        raise ValueError(f"{name}{where}: {wrong.what}") from None


def _early(data: dict[str, Any], known: _Known) -> Any:
    """A Value as soon as its object was read: most of a trace are Values, and most are equal.  No
    other object of the model can be one; a mapping of names that are spelt like its fields holds no
    such values."""
    if data.keys() != _VALUE:
        return data
    try:
        return _decoder(Value)(data, known)
    except _Wrong:
        return data  # whoever knows what is wanted there says what is wrong


_VALUE = {field.name for field in fields(Value)}


# --------------------------------------------------------------------------- a decoder a type


@cache
def _decoder(hint: Any) -> _Decoder:
    """Raises TypeError for a type that no field of the model has."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _WORDS:
        return {str: _text, int: _whole, float: _number, bool: _truth}[hint]
    if hint is Any:
        return lambda data, known: data
    if hint is Path:
        return lambda data, known: Path(_text(data, known))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _member_of(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _object_of(hint)
    if origin in (Union, UnionType) and len(arguments) == 2 and NoneType in arguments:
        return _or_none(_decoder(next(one for one in arguments if one is not NoneType)))
    if origin is tuple and arguments[1:] == (...,):
        return _tuple_of(_decoder(arguments[0]))
    if origin is Mapping and arguments[0] is str:
        return _mapping_of(_decoder(arguments[1]))
    raise TypeError(f"{hint} has no form in JSON")


def _text(data: Any, known: _Known) -> str:
    if type(data) is str:
        return cast(str, known.setdefault(data, data))
    raise _unlike(str, data)


def _whole(data: Any, _: _Known) -> int:
    if type(data) is int:
        return data
    raise _unlike(int, data)


def _number(data: Any, _: _Known) -> float:
    if type(data) is float:
        return data
    if type(data) is int:
        try:
            return float(data)
        except OverflowError:
            raise _Wrong("a number that is too large") from None
    raise _unlike(float, data)


def _truth(data: Any, _: _Known) -> bool:
    if type(data) is bool:
        return data
    raise _unlike(bool, data)


def _member_of(kind: type[StrEnum]) -> _Decoder:
    members = {member.value: member for member in kind}

    def decode(data: Any, _: _Known) -> StrEnum:
        member = members.get(data) if type(data) is str else None
        if member is None:
            raise _Wrong(f"{_shown(data)} is no {kind.__name__}")
        return member

    return decode


def _or_none(inner: _Decoder) -> _Decoder:
    return lambda data, known: None if data is None else inner(data, known)


def _tuple_of(inner: _Decoder) -> _Decoder:
    def decode(data: Any, known: _Known) -> tuple[Any, ...]:
        if type(data) is not list:
            raise _Wrong(f"a list is wanted, not {_shown(data)}")
        at = 0
        try:
            for at, item in enumerate(data):
                data[at] = inner(item, known)
        except _Wrong as wrong:
            wrong.where.append(f"[{at}]")
            raise
        return tuple(data)

    return decode


def _mapping_of(inner: _Decoder) -> _Decoder:
    def decode(data: Any, known: _Known) -> dict[str, Any]:
        if type(data) is not dict:
            raise _Wrong(f"an object is wanted, not {_shown(data)}")
        key = ""
        try:
            for key, item in data.items():
                data[key] = inner(item, known)
        except _Wrong as wrong:
            wrong.where.append(f"[{_shown(key)}]")
            raise
        return data

    return decode


def _object_of(kind: type) -> _Decoder:
    hints = get_type_hints(kind)
    parts = {field.name: _decoder(hints[field.name]) for field in fields(kind)}
    defaults = {
        f.name for f in fields(kind) if f.default is not MISSING or f.default_factory is not MISSING
    }
    names, decoders = tuple(parts), tuple(parts.values())
    alike = kind is Value  # equal ones become one object

    def decode(data: Any, known: _Known) -> Any:
        if type(data) is kind:
            return data  # by _early
        if type(data) is not dict:
            raise _Wrong(f"a {kind.__name__} is wanted, not {_shown(data)}")
        if tuple(data) != names:
            return in_any_order(data, known)
        found = []
        try:
            for decoder, item in zip(decoders, data.values(), strict=True):
                found.append(decoder(item, known))
        except _Wrong as wrong:
            wrong.where.append(f".{names[len(found)]}")
            raise
        if not alike:
            return kind(*found)
        key = tuple(found)
        one = known.get(key)
        if one is None:
            one = known[key] = kind(*found)
        return one

    def in_any_order(data: dict[str, Any], known: _Known) -> Any:
        for name in data:
            if name not in parts:
                raise _Wrong(f"{_shown(name)} is no field of a {kind.__name__}")
        found = {}
        for name, decoder in parts.items():
            if name not in data:
                if name not in defaults:
                    raise _Wrong(f"the field {name!r} of a {kind.__name__} is missing")
                continue
            try:
                found[name] = decoder(data[name], known)
            except _Wrong as wrong:
                wrong.where.append(f".{name}")
                raise
        return kind(**found)

    return decode


def _unlike(kind: type, data: object) -> _Wrong:
    return _Wrong(f"{_WORDS[kind]} is wanted, not {_shown(data)}")


def _shown(data: object) -> str:
    if isinstance(data, dict | list | Value):
        return "an object" if not isinstance(data, list) else "a list"
    text = json.dumps(data)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
