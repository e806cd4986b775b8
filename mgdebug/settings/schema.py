"""[tool.mgdebug] as a JSON Schema, made from the tables that settings are read with: for editors,
which then know each key and its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from mgdebug.sandbox.policy import Policy
from mgdebug.settings.chosen import ModelSettings, Settings
from mgdebug.settings.tables import KEYS, PLAIN, TABLES, Key

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Of the table.  Names may be spelled with "-" in place of "_", as settings are read."""
    properties = _properties(PLAIN, Settings())
    means = {of.name: of.metadata["meaning"] for of in fields(Settings)}
    for name, (main, keys) in TABLES.items():
        holds = Policy() if name == "sandbox" else ModelSettings()
        table = _object(_properties(keys, holds))
        alone = {k: v for k, v in keys[main].schema.items() if k != "default"}
        properties[name] = {"description": means[name], "anyOf": [alone, table]}
    properties[KEYS] = {
        "description": means[KEYS],
        "type": "object",
        "additionalProperties": {"type": "string", "minLength": 1},
    }
    return {"$schema": DRAFT, "title": "[tool.mgdebug] in pyproject.toml", **_object(properties)}


def _properties(keys: Mapping[str, Key], holds: object) -> dict[str, Any]:
    found = {}
    for name, key in keys.items():
        default = getattr(holds, key.field)
        found[name] = {
            "description": key.meaning,
            **key.schema,
            "default": list(default) if isinstance(default, tuple) else default,
        }
    return found


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    hyphened = {f"^{name.replace('_', '-')}$": of for name, of in properties.items() if "_" in name}
    return {
        "type": "object",
        "properties": dict(properties),
        "patternProperties": hyphened,
        "additionalProperties": False,
    }
