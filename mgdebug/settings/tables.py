"""Values as they are written -> settings: what is known, of which type, and what else was meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from mgdebug.errors import SettingsError
from mgdebug.sandbox.policy import MODES, NETWORKS, Policy
from mgdebug.settings.chosen import ModelSettings, Settings

Spelled = Callable[[str], str]  # a name -> how the user wrote it, with its place


class Key(NamedTuple):
    """What can be written.  field: of the settings, the policy or the model's settings; wanted: in
    words; read: what is written -> what holds, raises ValueError or OverflowError; schema: the same
    as JSON Schema has it; meaning: for whoever sets it."""

    field: str
    wanted: str
    read: Callable[[object], object]
    schema: Mapping[str, Any]
    meaning: str


class Place(NamedTuple):
    """Where values are written.  spelled: for messages; origin: a name -> where it is from."""

    spelled: Spelled
    origin: Spelled


def merged(
    settings: Settings,
    table: Mapping[str, object],
    place: Place,
    origins: MutableMapping[str, str],
) -> Settings:
    """Settings with what a table says.  origins: gets where each of its values is from, by its
    whole name, such as "model.strategy".  Raises SettingsError."""
    changed: dict[str, object] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name in TABLES:
            changed[name] = _nested(name, getattr(settings, name), value, place, origins)
        elif name == KEYS:
            found = _keys(value, place.spelled)
            changed[name] = {**settings.keys, **found}
            origins.update({f"{name}.{one}": place.origin(name) for one in found})
        else:
            known = _known(name, PLAIN, place.spelled(key), [*PLAIN, *TABLES, KEYS])
            changed[name] = _read(known, value, place.spelled(key))
            origins[name] = place.origin(name)
    return replace(settings, **changed)  # type: ignore[arg-type]


def _nested(
    name: str,
    before: Any,
    value: object,
    place: Place,
    origins: MutableMapping[str, str],
) -> Policy | ModelSettings:
    """The settings of a table, or of its main value alone."""
    main, keys = TABLES[name]
    changed: dict[str, object] = {}
    table = value if isinstance(value, dict) else {main: value}
    for key, given in table.items():
        spelled = place.spelled(f"{name}.{key}" if table is value else name)
        plain = key.replace("-", "_")
        known = _known(plain, keys, spelled, keys)
        changed[known.field] = _read(known, given, spelled)
        origins[f"{name}.{plain}"] = place.origin(f"{name}.{plain}" if table is value else name)
    if isinstance(before, Policy):
        return before._replace(**changed)  # type: ignore[arg-type]
    assert isinstance(before, ModelSettings)
    return replace(before, **changed)  # type: ignore[arg-type]


def _known(name: str, keys: Mapping[str, Key], spelled: str, names: Iterable[str]) -> Key:
    if name in keys:
        return keys[name]
    raise SettingsError(f"{spelled} is no setting of mgdebug", meant_instead(name, names))


def meant_instead(name: str, names: Iterable[str]) -> str:
    """What to say to a name that is not known: the nearest one, or all."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def _read(key: Key, value: object, spelled: str) -> object:
    try:
        return key.read(value)
    except (ValueError, OverflowError):
        raise SettingsError(f"{spelled} is {value!r}, not {key.wanted}") from None


def _keys(value: object, spelled: Spelled) -> dict[str, str]:
    """The table [tool.mgdebug.keys]: an action and its keys, with "," between them."""
    if not isinstance(value, dict):
        hint = 'such as [tool.mgdebug.keys] with "patch.take" = "space"'
        raise SettingsError(f"{spelled('keys')} is no table", hint)
    for name, keys in value.items():
        if not isinstance(keys, str) or not keys.strip():
            raise SettingsError(f"{spelled(f'keys.{name}')} is {keys!r}, not the name of a key")
    return dict(value)


def rooted(policy: Policy, root: Path, spelled: Spelled) -> Policy:
    """Paths from the root of the project, made absolute.  Raises SettingsError for what is not
    there."""
    found = []
    for path in policy.write:
        place = root / Path(path).expanduser()
        if not place.exists():
            what = f"{spelled('sandbox.write')}: there is no {path}"
            raise SettingsError(what, "create it first")
        found.append(str(place.resolve()))
    return policy._replace(write=tuple(found))


# ---------------------------------------------------------------------------- how it is read


def _names(value: object) -> tuple[str, ...]:
    """[] is the default, spelled out."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    return _texts(parts)


def _one_of(words: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return read


def _network(value: object) -> str:
    if isinstance(value, bool):
        return "all" if value else "none"
    return _one_of(NETWORKS)(value)


def _processes(value: object) -> int:
    if isinstance(value, bool):
        return Policy().processes if value else 0
    if not isinstance(value, int) or value < 0:
        raise ValueError
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise ValueError
    return tuple(value)


def _as(kind: type, value: object) -> object:
    if kind is bool:
        if isinstance(value, bool):
            return value
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        raise ValueError
    if kind is str:
        if isinstance(value, str):
            return value
        raise ValueError
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if kind is int and (isinstance(value, float) or int(value) < 0):
        raise ValueError
    return kind(value)


# -------------------------------------------------------------------------- what can be written

_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_KINDS: Mapping[type, tuple[str, Mapping[str, Any]]] = {
    bool: ("true or false", {"type": "boolean"}),
    str: ("text", {"type": "string"}),
    int: ("a whole number, 0 or more", {"type": "integer", "minimum": 0}),
    float: ("a number", {"type": "number"}),
}


def _key(of: Field[Any]) -> Key:
    """A field of a plain type, as it says itself what it takes."""
    kind, told = type(of.default), of.metadata
    if told["among"]:
        words: tuple[str, ...] = told["among"]
        schema: Mapping[str, Any] = {"enum": list(words)}
        return Key(of.name, f"one of {', '.join(words)}", _one_of(words), schema, told["meaning"])
    wanted, schema = _KINDS[kind]
    if told["above"] is not None:
        schema = {**schema, "exclusiveMinimum": told["above"]}
    return Key(of.name, wanted, lambda value: _as(kind, value), schema, told["meaning"])


KEYS = "keys"
PLAIN: Mapping[str, Key] = {
    of.name: _key(of) for of in fields(Settings) if type(of.default) in _KINDS
}
_MODEL = {
    "name": Key(
        "names",
        "the name of a model, or a list of names",
        _names,
        {"anyOf": [{"type": "string", "minLength": 1}, _TEXTS]},
        ModelSettings.__dataclass_fields__["names"].metadata["meaning"],
    ),
    **{of.name: _key(of) for of in fields(ModelSettings) if type(of.default) in _KINDS},
}
_SANDBOX = {
    "mode": Key(
        "mode",
        f"one of {', '.join(MODES)}",
        _one_of(MODES),
        {"enum": list(MODES)},
        "strict: refuse to run where something could get out; off: no sandbox",
    ),
    "network": Key(
        "network",
        f"true, false, or one of {', '.join(NETWORKS)}",
        _network,
        {"enum": [True, False, *NETWORKS]},
        "none: a loopback of its own alone; unix: Unix sockets too; all, or true",
    ),
    "write": Key(
        "write", "a list of paths", _texts, _TEXTS, "files and folders that are changed for good"
    ),
    "subprocess": Key(
        "processes",
        "true, false, or how many at once",
        _processes,
        {"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0}]},
        "processes of its own at once; false or 0 for none",
    ),
    "env": Key(
        "env", "a list of names", _texts, _TEXTS, "variables of the environment that are handed on"
    ),
}
# A table: the key that is meant where a value stands in its place, and all of its keys.
TABLES: Mapping[str, tuple[str, Mapping[str, Key]]] = {
    "sandbox": ("mode", _SANDBOX),
    "model": ("name", _MODEL),
}
