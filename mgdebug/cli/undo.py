"""`mgdebug undo`."""

from __future__ import annotations

from pathlib import Path

import click

from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.errors import CLEAN


def interrupted(root: Path) -> str:
    """Sweep what an interrupted mgdebug left in a project.  Returns that it left a patch half
    written, "" if it did not."""
    from mgdebug.apply import tidy

    written, left = tidy(root)
    if not written:
        return ""
    return f"an interrupted mgdebug patched {', '.join(written)}, but not {', '.join(left)}"


def told_of_interrupted(root: Path) -> None:
    """Say what `interrupted` says."""
    words = interrupted(root)
    if words:
        click.echo(f"{words}\n  next: mgdebug undo", err=True)


@click.command(
    cls=Explained,
    short_help="Take back what the last applied patch changed.",
    examples=(
        ("mgdebug fix --apply && pytest; mgdebug undo", "look at a patch and take it back"),
        ("mgdebug undo && mgdebug undo", "the one before it, too"),
    ),
)
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
