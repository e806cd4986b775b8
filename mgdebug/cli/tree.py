"""`mgdebug tree`: how code is taken apart.  Nothing is run."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mgdebug.cli.completing import targets
from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.cli.terminal import terminal
from mgdebug.errors import CLEAN

if TYPE_CHECKING:
    from mgdebug.syntax.outline import Outline


@click.command(
    cls=Explained,
    short_help="Show functions, who calls whom, and their blocks.",
    examples=(
        ("mgdebug tree src/pkg", "functions and calls of a folder"),
        ("mgdebug tree src/pkg/mod.py::f", "the blocks of one function"),
        ("mgdebug tree src --dot | dot -Tsvg > calls.svg", "the calls as a picture"),
    ),
)
@click.argument("path", default="", shell_complete=targets)
@click.option("--json", "mode", flag_value="json", help="Everything, as one JSON object.")
@click.option("--dot", "mode", flag_value="dot", help="The call graph for Graphviz.")
@click.option(
    "--outlined",
    "mode",
    flag_value="outlined",
    help="The code with its large functions split into small ones.",
)
@click.option("--blocks", is_flag=True, help="Blocks for a folder as well; a file shows them.")
@ends_cleanly
def tree(path: str, mode: str | None, blocks: bool) -> int:
    """Show functions, who calls whom, and the blocks they are made of.

    PATH is a folder (the current one by default), a file, or FILE::FUNCTION, FILE::Class.method.
    Nothing is run.  "unknown" are called names that no code of the project was found for; "order"
    is the order of repair: what is called comes before what calls it.
    """
    from mgdebug import draw, sources
    from mgdebug.syntax.hierarchy import decompose

    def warn(message: str) -> None:
        click.echo(f"warning: {message}", err=True)

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    chosen = sources.choose(Path.cwd(), path)
    files = sources.read(chosen, warn)
    if mode == "outlined":
        return _outlined(sources.outlines(chosen, files, warn))
    whole = decompose(files, lambda other: sources.follow(chosen.root, other))
    part = sources.part(whole, chosen.paths[0], chosen.qualname) if chosen.qualname else ""
    shown = draw.listed(whole, [source.path for source in files], part)
    if mode in ("json", "dot"):
        click.echo(draw.to_json(shown) if mode == "json" else draw.to_dot(shown))
        return CLEAN
    width = None if sys.stdout.isatty() else 100_000  # a file or a pipe has no edge
    console = terminal(width=width)
    drawn = draw.trees(shown, {s.path: s for s in files}, blocks or not chosen.folder)
    for number, one in enumerate(drawn):
        console.print(*([""] if number else []), one, sep="\n")
    return CLEAN


def _outlined(found: Iterable[Outline]) -> int:
    """The outlined texts on standard output, what was done on standard error."""
    from mgdebug.draw import outlined

    for text, said in outlined(list(found)):
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
        click.echo(said, err=True)
    return CLEAN
