"""Values as they are written -> settings: what is known, of which type, and what else was meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path

from mgdebug.errors import SettingsError
from mgdebug.sandbox.policy import MODES, NETWORKS, Policy
from mgdebug.settings.chosen import DECOMPOSERS, STRATEGIES, THEMES, ModelSettings, Settings


def merged(
    settings: Settings, table: Mapping[str, object], spelled: Callable[[str], str]
) -> Settings:
    """spelled: a name as the user wrote it, with its place."""
    kinds = {field.name: type(getattr(settings, field.name)) for field in fields(Settings)}
    changed: dict[str, object] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(kinds))}"
            raise SettingsError(f"{spelled(key)} is no setting of mgdebug", hint)
        if name == "sandbox":
            changed[name] = _policy(settings.sandbox, value, spelled)
            continue
        if name == "model":
            changed[name] = _model(settings.model, value, spelled)
            continue
        if name == "keys":
            changed[name] = {**settings.keys, **_keys(value, spelled)}
            continue
        if name == "theme" and value not in THEMES:
            raise SettingsError(f"{spelled(key)} is {value!r}, not one of {', '.join(THEMES)}")
        try:
            changed[name] = _as(kinds[name], value)
        except (ValueError, OverflowError):
            wanted = _WANTED[kinds[name]]
            raise SettingsError(f"{spelled(key)} is {value!r}, not {wanted}") from None
    return replace(settings, **changed)  # type: ignore[arg-type]


def _policy(policy: Policy, value: object, spelled: Callable[[str], str]) -> Policy:
    """A mode, or the table [tool.mgdebug.sandbox]."""
    table = value if isinstance(value, dict) else {"mode": value}
    for key, given in table.items():
        name = spelled("sandbox" if table is not value else f"sandbox.{key}")
        if key not in _SANDBOX:
            near = difflib.get_close_matches(key, _SANDBOX, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(_SANDBOX))}"
            raise SettingsError(f"{name} is no setting of mgdebug", hint)
        field, wanted, read = _SANDBOX[key]
        try:
            policy = policy._replace(**{field: read(given)})  # type: ignore[arg-type]
        except ValueError:
            raise SettingsError(f"{name} is {given!r}, not {wanted}") from None
    return policy


def _model(model: ModelSettings, value: object, spelled: Callable[[str], str]) -> ModelSettings:
    """A name, a list of names, or the table [tool.mgdebug.model]."""
    table = value if isinstance(value, dict) else {"name": value}
    for key, given in table.items():
        name = spelled("model" if table is not value else f"model.{key}")
        field = key.replace("-", "_")
        if field not in _MODEL:
            near = difflib.get_close_matches(field, _MODEL, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(_MODEL))}"
            raise SettingsError(f"{name} is no setting of mgdebug", hint)
        wanted, read = _MODEL[field]
        try:
            found = read(given)
        except (ValueError, OverflowError):
            raise SettingsError(f"{name} is {given!r}, not {wanted}") from None
        model = replace(model, **{"names" if field == "name" else field: found})  # type: ignore[arg-type]
    return model


def _keys(value: object, spelled: Callable[[str], str]) -> dict[str, str]:
    """The table [tool.mgdebug.keys]: an action and its keys, with "," between them."""
    if not isinstance(value, dict):
        hint = 'such as [tool.mgdebug.keys] with "patch.take" = "space"'
        raise SettingsError(f"{spelled('keys')} is no table", hint)
    for name, keys in value.items():
        if not isinstance(keys, str) or not keys.strip():
            raise SettingsError(f"{spelled(f'keys.{name}')} is {keys!r}, not the name of a key")
    return dict(value)


def _names(value: object) -> tuple[str, ...]:
    found = _texts([part.strip() for part in value.split(",")] if isinstance(value, str) else value)
    if not found:
        raise ValueError
    return found


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


# A key of [tool.mgdebug.sandbox]: the field of Policy, what is wanted in words, how it is read.
_SANDBOX: Mapping[str, tuple[str, str, Callable[[object], object]]] = {
    "mode": ("mode", f"one of {', '.join(MODES)}", _one_of(MODES)),
    "network": ("network", f"true, false, or one of {', '.join(NETWORKS)}", _network),
    "write": ("write", "a list of paths", _texts),
    "subprocess": ("processes", "true, false, or how many at once", _processes),
    "env": ("env", "a list of names", _texts),
}


_WANTED: Mapping[type, str] = {
    bool: "true or false",
    str: "text",
    int: "a whole number, 0 or more",
    float: "a number",
}


def _reader(kind: type) -> tuple[str, Callable[[object], object]]:
    return _WANTED[kind], lambda value: _as(kind, value)


# A key of [tool.mgdebug.model]: what is wanted in words, how it is read.
_MODEL: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "name": ("the name of a model, or a list of names", _names),
    "strategy": (f"one of {', '.join(STRATEGIES)}", _one_of(STRATEGIES)),
    "decompose": (f"one of {', '.join(DECOMPOSERS)}", _one_of(DECOMPOSERS)),
    "api_base": _reader(str),
    **{name: _reader(int) for name in ("calls", "tokens", "retries", "samples", "exemplars")},
    **{name: _reader(float) for name in ("cost", "seconds", "temperature")},
    **{name: _reader(bool) for name in ("local_only", "consent", "cache", "stream", "search")},
}


def rooted(policy: Policy, root: Path, spelled: Callable[[str], str]) -> Policy:
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
