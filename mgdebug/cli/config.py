"""`mgdebug config`: each setting, its value, and where that is from."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from mgdebug.cli.completing import settings_named
from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.cli.terminal import harmless
from mgdebug.errors import CLEAN, UsageError


@click.command(
    cls=Explained,
    examples=(
        ("mgdebug config", "all settings, as they can be pasted into pyproject.toml"),
        ("mgdebug config model", "those of a table"),
        ("MGDEBUG_TIME=5 mgdebug config time", "one value, here 5.0"),
        ("mgdebug config --schema > mgdebug.schema.json", "for an editor"),
    ),
)
@click.argument("name", default="", shell_complete=settings_named)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: value and origin by name.")
@click.option("--schema", "as_schema", is_flag=True, help="The JSON Schema of [tool.mgdebug].")
@ends_cleanly
def config(name: str, as_json: bool, as_schema: bool) -> int:
    """Show the settings that hold here, and where each is from.

    [tool.mgdebug] in pyproject.toml, then the environment, then flags; the last one wins.  NAME is
    a setting, such as time or model.strategy, or a table.  The value of one alone is printed bare.

    Exit codes: 0; 2 a setting is wrong, or NAME is none.
    """
    from mgdebug.settings import find_root, load_with_origins
    from mgdebug.settings.listing import chosen, lines, misspelt, toml, values
    from mgdebug.settings.schema import schema

    if as_schema:
        if name or as_json:
            raise UsageError("--schema stands alone", "mgdebug config --schema")
        click.echo(json.dumps(schema(), indent=2))
        return CLEAN
    found = values(load_with_origins(find_root(Path.cwd()), os.environ, {}))
    shown = chosen(found, name) if name else list(found)
    for variable, hint in misspelt(os.environ):
        click.echo(f"mgdebug: ${harmless(variable)} is no setting of mgdebug", err=True)
        click.echo(f"  next: {harmless(hint)}", err=True)
    if as_json:
        of = {one.name: {"value": one.value, "from": one.origin} for one in shown}
        click.echo(json.dumps(of, indent=2))
    elif name and [one.name for one in shown] == [name.replace("-", "_")]:
        value = shown[0].value
        click.echo(harmless(value) if isinstance(value, str) else toml(value))
        click.echo(f"from {shown[0].origin}", err=True)
    else:
        click.echo("\n".join(lines(shown)))
    return CLEAN
