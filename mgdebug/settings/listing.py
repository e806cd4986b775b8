"""All settings as they hold: each with its value and where it is from, as lines of TOML."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from mgdebug.errors import UsageError
from mgdebug.settings import VARIABLE, Loaded, Settings
from mgdebug.settings.tables import KEYS, PLAIN, TABLES, meant_instead

DEFAULT = "default"
NOT_SETTINGS = {f"{VARIABLE}DATA"}  # of those who work on mgdebug
WIDEST = 32  # characters of `name = value` that origins are aligned behind

# What a TOML string may not hold as it is, and what would command a terminal.
_ESCAPED = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Value:
    """One setting.  name: such as "model.strategy"; value: text, a number, true, false, or a list;
    origin: the file, the variable, the flag, or "default"."""

    name: str
    value: object
    origin: str

    @property
    def table(self) -> str:
        """ "" for those of [tool.mgdebug] itself."""
        return self.name.partition(".")[0] if "." in self.name else ""

    @property
    def line(self) -> str:
        """As it stands in its table."""
        key = self.name.partition(".")[2] if self.table else self.name
        return f"{key if _BARE.fullmatch(key) else toml(key)} = {toml(self.value)}"


def values(loaded: Loaded) -> tuple[Value, ...]:
    """All settings, tables last."""
    return tuple(
        Value(name, list(value) if isinstance(value, tuple) else value, origin)
        for name, value in _values(loaded.settings)
        for origin in (loaded.origins.get(name, DEFAULT),)
    )


def _values(settings: Settings) -> Iterator[tuple[str, object]]:
    for name, key in PLAIN.items():
        yield name, getattr(settings, key.field)
    for table, (_, keys) in TABLES.items():
        for name, key in keys.items():
            yield f"{table}.{name}", getattr(getattr(settings, table), key.field)
    for action, pressed in settings.keys.items():
        yield f"{KEYS}.{action}", pressed


def chosen(found: Sequence[Value], name: str) -> list[Value]:
    """The setting of a name, or those of a table.  Raises UsageError for one that is not known."""
    plain = name.replace("-", "_")
    some = [one for one in found if plain in (one.name, one.table)]
    if not some and plain != KEYS:
        names = [*(one.name for one in found), *TABLES, KEYS]
        raise UsageError(f"{name} is no setting of mgdebug", meant_instead(plain, names))
    return some


def lines(found: Sequence[Value]) -> list[str]:
    """As they can be pasted into pyproject.toml, with their origins as comments."""
    written: list[str] = []
    tables = list(dict.fromkeys(one.table for one in found))
    for table in tables:
        own = [one for one in found if one.table == table]
        width = max((len(o.line) for o in own if len(o.line) <= WIDEST), default=0)
        written += [""] if written else []
        written.append(f"[tool.mgdebug.{table}]" if table else "[tool.mgdebug]")
        written += [f"{one.line:<{width}}  # from {one.origin}" for one in own]
    return written


def toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    text = json.dumps(str(value), ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def misspelt(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables that are named as if they set something, and what to say to each."""
    known = {of.name: f"${VARIABLE}{of.name.upper()}" for of in fields(Settings)}
    inner = {key: table for table, (_, keys) in TABLES.items() for key in keys}
    found = []
    for variable in sorted(environment):
        name = variable.removeprefix(VARIABLE).lower()
        own = variable.startswith(VARIABLE) and variable not in NOT_SETTINGS
        if not own or name in known:
            continue
        table = next((t for key, t in inner.items() if name in (key, f"{t}_{key}")), "")
        near = difflib.get_close_matches(name, known, 1, 0.75)
        if table:
            key = name.removeprefix(f"{table}_")
            found.append((variable, f"no variable sets it: {key} in [tool.mgdebug.{table}]"))
        elif near:
            found.append((variable, f"did you mean {known[near[0]]}?"))
    return found
