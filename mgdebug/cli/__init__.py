"""The command line: what the user types, where output goes, and which exit code ends it.

A module a command.  Standard output is data (a diff, events, a trace), standard error is narration.
Nothing heavy is imported before a command needs it: `mgdebug --help` loads click alone.
"""

from __future__ import annotations

import click

from mgdebug import __version__
from mgdebug.cli.bench import bench
from mgdebug.cli.fix import fix
from mgdebug.cli.learned import learned
from mgdebug.cli.trace import trace
from mgdebug.cli.tree import tree
from mgdebug.cli.undo import undo

__all__ = ["main"]

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Find out why a test is red, and mend it.

    mgdebug runs your tests, traces the failing ones block by block, tries patches from the leaves
    of the call hierarchy up, and shows the one that makes everything pass.  Your files stay as
    they are until you say yes.
    """


for command in (fix, trace, tree, undo, learned, bench):
    main.add_command(command)
