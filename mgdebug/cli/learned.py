"""`mgdebug learned`: what accepted patches taught."""

from __future__ import annotations

from pathlib import Path

import click

from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.errors import CLEAN


@click.command(
    cls=Explained,
    short_help="List what accepted patches taught.",
    examples=(
        ("mgdebug learned", "the templates, with how often each was accepted"),
        ("mgdebug learned --forget 3", "drop the third"),
    ),
)
@click.option("--forget", multiple=True, type=int, metavar="NUMBER", help="One of the list.")
@click.option("--forget-all", is_flag=True, help="Of this project and of all others.")
@ends_cleanly
def learned(forget: tuple[int, ...], forget_all: bool) -> int:
    """List the templates of accepted patches, which are tried first next time.

    $1, $2 stand for names.  `learn = false` in [tool.mgdebug] keeps and uses none.
    """
    from mgdebug import learned as memory
    from mgdebug.settings import find_root

    root = find_root(Path.cwd())
    if forget or forget_all:
        count = memory.forget(root, None if forget_all else forget)
        click.echo(f"forgot {count} template{'s' * (count != 1)}", err=True)
        return CLEAN
    for number, template in enumerate(memory.known(root), 1):
        click.echo(f"{number:4d}  {template.count:4d} x  {template.before}  ->  {template.after}")
    click.echo(f"kept in {memory.folder()}", err=True)
    return CLEAN
