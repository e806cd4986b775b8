"""`mgdebug undo`."""

from __future__ import annotations

from pathlib import Path

import click

from mgdebug.cli.ending import ends_cleanly
from mgdebug.errors import CLEAN


@click.command()
@ends_cleanly
def undo() -> int:
    """Take back what the last applied patch changed in this project."""
    from mgdebug.apply import undo as take_back
    from mgdebug.settings import find_root

    for path in take_back(find_root(Path.cwd())):
        click.echo(f"restored  {path}", err=True)
    return CLEAN
