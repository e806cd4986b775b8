"""What `fix` and `trace` are asked alike: a target, its cases, and who runs them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mgdebug.model import Target
    from mgdebug.settings import Settings

_CASES = (
    click.argument("target", default=""),
    click.option(
        "--tests",
        multiple=True,
        metavar="PATH[::NAME]",
        help="Cases that say what is right (repeatable); else all that the project's "
        "configuration selects.",
    ),
    click.option(
        "--case",
        "expressions",
        multiple=True,
        metavar="EXPR",
        help="An ad-hoc case, such as 'f(3) == 9' (repeatable).  Doctests of TARGET count too.",
    ),
    click.option(
        "--io",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="TARGET is a program that reads standard input: pairs of NAME.in and NAME.out.",
    ),
    click.option(
        "--sandbox",
        metavar="MODE",
        help="on; strict: refuse to run where something could get out; off.  [on]",
    ),
)


def cases(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the arguments target, tests, expressions, io and sandbox."""
    for option in reversed(_CASES):
        command = option(command)
    return command


def understood(
    target: str,
    tests: tuple[str, ...],
    expressions: tuple[str, ...],
    io: Path | None,
    flags: Mapping[str, object],
) -> tuple[Target, Settings, str]:
    """The target, the settings of its project, and the interpreter that runs its tests.

    flags: settings that the user gave, None for the others.  Raises UsageError, InterpreterError.
    From here on a signal to end is an interrupt, so that children and their folders go too.
    """
    from mgdebug import settings as setting
    from mgdebug.languages import language_of

    where = setting.find_target(Path.cwd(), target, tests, expressions, io)
    language = language_of(where.path) if where.path else None
    if language is not None:
        language.vocabulary()  # raises where there is none: nothing of it can be run
    chosen = setting.load(where.root, os.environ, flags)
    python, _ = setting.find_python(where.root, chosen.python, os.environ)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    return where, chosen, python
