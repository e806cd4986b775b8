"""What commands are asked alike: a target, its cases, who runs them, and who offers patches."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mgdebug.cli.completing import ENGINES, of_setting, targets, words

if TYPE_CHECKING:
    from mgdebug.model import Target
    from mgdebug.settings import Settings

_CASES = (
    click.argument("target", default="", shell_complete=targets),
    click.option(
        "--tests",
        multiple=True,
        metavar="PATH[::NAME]",
        shell_complete=targets,
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
        shell_complete=of_setting("sandbox.mode"),
        help="on; strict: refuse to run where something could get out; off.  [on]",
    ),
)


_ENGINE = (
    click.option(
        "--engine",
        metavar="NAME",
        shell_complete=words(ENGINES),
        help="search, llm, or both.  [search]",
    ),
    click.option("--model", metavar="NAME", help="Of litellm, such as ollama/qwen2.5-coder."),
    click.option("--api-base", metavar="URL", help="Where the model is asked."),
    click.option(
        "--strategy",
        metavar="NAME",
        shell_complete=of_setting("model.strategy"),
        help="hierarchical, blocks, plan, simulate or feedback.",
    ),
    click.option(
        "--decompose",
        metavar="WHO",
        shell_complete=of_setting("model.decompose"),
        help="Who splits code for it: mechanical or model.",
    ),
    click.option("--local-only", is_flag=True, help="Refuse models that are not on this machine."),
    click.option("--no-cache", is_flag=True, help="Keep no replies, and use none that were kept."),
    click.option("--yes", is_flag=True, help="Do not ask before code is sent to a model."),
    click.option(
        "--partial",
        is_flag=True,
        help="Run code that lacks modules or names with stand-ins for them.",
    ),
    click.option("--time", type=float, metavar="SECONDS", help="For the whole repair.  [60]"),
    click.option("--python", metavar="PATH", help="The interpreter that runs the tests."),
    click.option("--jobs", type=int, metavar="N", help="Worker processes.  [one a core]"),
)


def cases(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the arguments target, tests, expressions, io and sandbox."""
    for option in reversed(_CASES):
        command = option(command)
    return command


def engine(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of whoever offers patches; see flags."""
    for option in reversed(_ENGINE):
        command = option(command)
    return command


def flags(given: Mapping[str, Any], sandbox: str | None) -> dict[str, object]:
    """The settings that the options of `engine` stand for, None where nothing was given."""
    of_model = {
        "name": given["model"],
        "api_base": given["api_base"],
        "strategy": given["strategy"],
        "decompose": given["decompose"],
        "local_only": given["local_only"] or None,
        "cache": False if given["no_cache"] else None,
        "consent": given["yes"] or None,
    }
    chosen = {name: value for name, value in of_model.items() if value is not None}
    own = {name: given[name] for name in ("engine", "time", "python", "jobs")}
    own["partial"] = given["partial"] or None
    return {**own, "sandbox": sandbox, "model": chosen or None}


def understood(
    target: str,
    tests: tuple[str, ...],
    expressions: tuple[str, ...],
    io: Path | None,
    flags: Mapping[str, object],
) -> tuple[Target, Settings, str]:
    """The target, the settings of its project, and the interpreter that runs its tests.

    flags: settings that the user gave, None for the others.  Raises UsageError, InterpreterError.
    """
    from mgdebug import settings as setting
    from mgdebug.languages import language_of

    where = setting.find_target(Path.cwd(), target, tests, expressions, io)
    language = language_of(where.path) if where.path else None
    if language is not None:
        language.vocabulary()  # raises where there is none: nothing of it can be run
    chosen = setting.load(where.root, os.environ, flags)
    python, _ = setting.find_python(where.root, chosen.python, os.environ)
    return where, chosen, python


def heeds_signals() -> None:
    """From here on a signal to end is an interrupt, so that children and their folders go too."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
