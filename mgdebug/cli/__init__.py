"""The command line: what the user types, where output goes, and which exit code ends it.

A module a command, named as it is, and loaded when it is wanted.  Standard output is data (a diff,
events, a trace), standard error is narration.  Nothing heavy is imported before a command needs it:
`mgdebug --help` loads click alone.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from mgdebug.cli.explained import Explains
from mgdebug.errors import USAGE

__all__ = ["COMPLETES", "main"]

_COMMANDS = (
    *("tui", "fix", "trace", "tree", "undo", "learned", "bench"),
    *("doctor", "config", "completion", "hook"),
)
COMPLETES = "_MGDEBUG_COMPLETE"  # the variable by which a shell asks for what may follow
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Commands(Explains, click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return _loaded(name) if name in _COMMANDS else None


def _tell_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from mgdebug.cli.about import about

        click.echo(about())
        context.exit()


@click.group(
    cls=_Commands,
    context_settings=_CONTEXT,
    invoke_without_command=True,
    examples=(
        ("mgdebug doctor", "can the tests be run here, and what is missing"),
        ("mgdebug fix", "run them, find the culprit, see a patch"),
        ("mgdebug fix src/mod.py::f --apply", "only this function; write the patch unasked"),
        ("mgdebug COMMAND --help", "more of each"),
    ),
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version, and those of what it stands on.",
)
@click.option("--linear", is_flag=True, help="As with `mgdebug tui`: plain lines, no screen.")
@click.pass_context
def main(context: click.Context, linear: bool) -> None:
    """Find out why a test is red, and mend it.

    mgdebug runs your tests, traces the failing ones block by block, tries patches from the leaves
    of the call hierarchy up, and shows the one that makes everything pass.  Your files stay as
    they are until you say yes.

    Without a command, on a terminal, it is `mgdebug tui`.
    """
    if context.invoked_subcommand is not None:
        if linear:
            raise click.UsageError("--linear stands behind the command: mgdebug tui --linear")
    elif linear or (sys.stdin.isatty() and sys.stdout.isatty()):
        context.invoke(_loaded("tui"), linear=linear)
    else:
        click.echo(context.get_help())
        context.exit(USAGE)


def _loaded(name: str) -> click.Command:
    command: click.Command = getattr(import_module(f"{__name__}.{name}"), name)
    return command


if COMPLETES in os.environ:
    import_module(f"{__name__}.completing")
