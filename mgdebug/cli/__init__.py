"""The command line: what the user types, where output goes, and which exit code ends it.

A module a command.  Standard output is data (a diff, events, a trace), standard error is narration.
Nothing heavy is imported before a command needs it: `mgdebug --help` loads click alone.
"""

from __future__ import annotations

import sys

import click

from mgdebug import __version__
from mgdebug.cli.bench import bench
from mgdebug.cli.fix import fix
from mgdebug.cli.learned import learned
from mgdebug.cli.trace import trace
from mgdebug.cli.tree import tree
from mgdebug.cli.tui import tui
from mgdebug.cli.undo import undo
from mgdebug.errors import USAGE

__all__ = ["main"]

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT, invoke_without_command=True)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Find out why a test is red, and mend it.

    mgdebug runs your tests, traces the failing ones block by block, tries patches from the leaves
    of the call hierarchy up, and shows the one that makes everything pass.  Your files stay as
    they are until you say yes.

    Without a command, on a terminal, it is `mgdebug tui`.
    """
    if context.invoked_subcommand is None:
        if sys.stdin.isatty() and sys.stdout.isatty():
            context.invoke(tui)
        else:
            click.echo(context.get_help())
            context.exit(USAGE)


for command in (tui, fix, trace, tree, undo, learned, bench):
    main.add_command(command)
