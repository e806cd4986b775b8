"""`mgdebug undo`."""

from __future__ import annotations

from pathlib import Path

import click

from mgdebug.cli.ending import ends_cleanly
from mgdebug.errors import CLEAN


def told_of_interrupted(root: Path) -> None:
    """Sweep what an interrupted mgdebug left in a project, and say if it left a patch half
    written."""
    from mgdebug.apply import tidy

    written, left = tidy(root)
    if written:
        click.echo(
            f"an interrupted mgdebug patched {', '.join(written)}, but not {', '.join(left)}\n"
            "  next: mgdebug undo",
            err=True,
        )


@click.command()
@ends_cleanly
def undo() -> int:
    """Take back what the last applied patch changed in this project."""
    from mgdebug.apply import undo as take_back
    from mgdebug.settings import find_root

    root = find_root(Path.cwd())
    told_of_interrupted(root)
    for path in take_back(root):
        click.echo(f"restored  {path}", err=True)
    return CLEAN
