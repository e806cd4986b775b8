"""`mgdebug completion`: the script that makes a shell complete mgdebug."""

from __future__ import annotations

import click

from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.errors import CLEAN

SHELLS = "bash", "zsh", "fish"


@click.command(
    cls=Explained,
    examples=(
        ('eval "$(mgdebug completion bash)"', "in ~/.bashrc"),
        ('eval "$(mgdebug completion zsh)"', "in ~/.zshrc, below compinit"),
        (
            "mgdebug completion fish > ~/.config/fish/completions/mgdebug.fish",
            "once, and again after an update",
        ),
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@ends_cleanly
def completion(shell: str) -> int:
    """Print a script for bash, zsh or fish: Tab then completes mgdebug.

    It offers commands, options, what options can be, settings, files, and the functions of a file
    behind FILE::.  bash has to be 4.4 or newer.
    """
    from click.shell_completion import get_completion_class

    from mgdebug.cli import COMPLETES, completing, main

    assert completing  # it has its own way with bash
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(main, {}, "mgdebug", COMPLETES).source(), nl=False)
    return CLEAN
