"""Settings from [tool.mgdebug], the environment and flags, in this order; the project's place."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

from mgdebug.errors import SettingsError, UsageError
from mgdebug.settings.chosen import DECOMPOSERS, STRATEGIES, Bounds, ModelSettings, Settings
from mgdebug.settings.places import find_python, find_root, find_target
from mgdebug.settings.tables import merged, rooted

__all__ = [
    "DECOMPOSERS",
    "STRATEGIES",
    "Bounds",
    "ModelSettings",
    "Settings",
    "find_python",
    "find_root",
    "find_target",
    "load",
]


def load(root: Path, environment: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """The settings of a project.  flags: those that the user gave, None for the others.

    Raises SettingsError for an unknown key (with the nearest name) or a value of a wrong type.
    """
    settings = Settings()
    file = root / "pyproject.toml"
    if file.is_file():
        try:
            table = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{file.name} cannot be read: {error}") from None
        for name in ("tool", "mgdebug"):
            table = table.get(name, {})
            if not isinstance(table, dict):
                raise SettingsError(f"{file.name}: {name} is {table!r}, not a table")
        spelled = "[tool.mgdebug] in pyproject.toml: {}".format
        settings = merged(settings, table, spelled)
        settings = replace(settings, sandbox=rooted(settings.sandbox, root, spelled))
    prefix = "MGDEBUG_"
    known = {field.name for field in fields(Settings)}
    own = {
        name.removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.startswith(prefix) and name.removeprefix(prefix).lower() in known
    }
    settings = merged(settings, own, lambda name: f"${prefix}{name.upper()}")
    given = {name: value for name, value in flags.items() if value is not None}
    settings = merged(settings, given, lambda name: f"--{name.replace('_', '-')}")
    for seconds, what, hint in (
        (settings.time, "a time", "give the repair some seconds, such as --time 60"),
        (settings.case_time, "a case time", "give each case some seconds, such as case_time = 10"),
        (settings.collect_time, "a collect time", "give it some seconds, as collect_time = 60"),
    ):
        if not 0 < seconds < math.inf:
            why = "leaves nothing to work with" if seconds <= 0 else "is no limit"
            raise UsageError(f"{what} of {seconds:g} s {why}", hint)
    return settings
