"""`mgdebug bench`, for those who work on mgdebug."""

from __future__ import annotations

import click

from mgdebug.bench import SUITES, run
from mgdebug.cli.ending import ends_cleanly
from mgdebug.errors import CLEAN, FAILURES


@click.command(hidden=True)
@click.argument("suite", type=click.Choice(tuple(SUITES)))
@click.option("--only", multiple=True, metavar="NAME", help="Rows of the suite (repeatable).")
@click.option("--time", type=float, default=60.0, metavar="SECONDS", help="For each repair.")
@ends_cleanly
def bench(suite: str, only: tuple[str, ...], time: float) -> int:
    """Measure mgdebug; the real bugs are looked for in $MGDEBUG_DATA, then ../shared/data."""
    ok = True
    for line, good in run(suite, only, time):
        click.echo(line)
        ok = ok and good
    return CLEAN if ok else FAILURES
