"""Settings from [tool.mgdebug], the environment and flags, in this order; the project's place."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from mgdebug.errors import SettingsError, UsageError
from mgdebug.settings.chosen import DECOMPOSERS, STRATEGIES, Bounds, ModelSettings, Settings
from mgdebug.settings.places import find_python, find_root, find_target
from mgdebug.settings.tables import TABLES, Place, merged, rooted

__all__ = [
    "DECOMPOSERS",
    "FILE",
    "STRATEGIES",
    "VARIABLE",
    "Bounds",
    "Loaded",
    "ModelSettings",
    "Settings",
    "find_python",
    "find_root",
    "find_target",
    "load",
    "load_with_origins",
]

FILE = "pyproject.toml"
VARIABLE = "MGDEBUG_"  # and the name of a setting in capitals
# Flags that are not named as what they set.
_FLAGS = {"model.name": "model", "model.consent": "yes", "model.cache": "no-cache"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where the values are from that somebody gave: the whole name of a setting, such
    as "model.strategy", to the file, the variable or the flag."""

    settings: Settings
    origins: Mapping[str, str]


def load(root: Path, environment: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """The settings of a project.  flags: those that the user gave, None for the others.

    Raises SettingsError for an unknown key (with the nearest name) or a value of a wrong type.
    """
    return load_with_origins(root, environment, flags).settings


def load_with_origins(
    root: Path, environment: Mapping[str, str], flags: Mapping[str, object]
) -> Loaded:
    """What load gives, and where it is from.  Raises as load."""
    settings, origins = Settings(), dict[str, str]()
    table = _table(root / FILE)
    if table:
        spelled = f"[tool.mgdebug] in {FILE}: {{}}".format
        settings = merged(settings, table, Place(spelled, lambda _: FILE), origins)
        settings = replace(settings, sandbox=rooted(settings.sandbox, root, spelled))
    known = {field.name for field in fields(Settings)}
    own = {
        name.removeprefix(VARIABLE).lower(): value
        for name, value in environment.items()
        if name.startswith(VARIABLE) and name.removeprefix(VARIABLE).lower() in known
    }
    settings = merged(settings, own, Place(_variable, _variable), origins)
    given = {name: value for name, value in flags.items() if value is not None}
    settings = merged(settings, given, Place(_flag, _flag), origins)
    for seconds, what, hint in (
        (settings.time, "a time", "give the repair some seconds, such as --time 60"),
        (settings.case_time, "a case time", "give each case some seconds, such as case_time = 10"),
        (settings.collect_time, "a collect time", "give it some seconds, as collect_time = 60"),
    ):
        if not 0 < seconds < math.inf:
            why = "leaves nothing to work with" if seconds <= 0 else "is no limit"
            raise UsageError(f"{what} of {seconds:g} s {why}", hint)
    return Loaded(settings, origins)


def _table(file: Path) -> Mapping[str, object]:
    """[tool.mgdebug], {} where there is none.  Raises SettingsError."""
    if not file.is_file():
        return {}
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file.name} cannot be read: {error}") from None
    for name in ("tool", "mgdebug"):
        table = table.get(name, {})
        if not isinstance(table, dict):
            raise SettingsError(f"{file.name}: {name} is {table!r}, not a table")
    return table


def _variable(name: str) -> str:
    return f"${VARIABLE}{name.upper()}"


def _flag(name: str) -> str:
    table, _, last = name.rpartition(".")
    found = _FLAGS.get(name) or (last if table in TABLES else name)
    return f"--{found.replace('_', '-')}"
