"""`mgdebug doctor`: whether a project can be debugged here, and what mends what is missing."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mgdebug.cli.asked import heeds_signals
from mgdebug.cli.completing import of_setting
from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.cli.terminal import harmless
from mgdebug.errors import ENVIRONMENT, INTERRUPTED, UsageError

if TYPE_CHECKING:
    from mgdebug.doctor import Check, Patient
    from mgdebug.doctor.making import Plan

SIGNS = {"ok": "✓", "warning": "!", "broken": "✗", "no tests": "✗"}
ASCII = {"ok": "+", "warning": "!", "broken": "x", "no tests": "x"}
STATE, NAME = 10, 11  # characters


@click.command(
    cls=Explained,
    short_help="Look whether a project can be debugged here.",
    examples=(
        ("mgdebug doctor", "look at everything, change nothing"),
        ("mgdebug doctor --make-env", "in a fresh clone: show the commands, ask, run them"),
        ("mgdebug doctor --make-env --yes", "in a script"),
        ("mgdebug doctor --json | jq .state", "for a program"),
    ),
)
@click.option(
    "--make-env",
    is_flag=True,
    help="Make .venv and install what the project's files declare; installs into the chosen "
    "virtual environment if there is one.  Asks first.",
)
@click.option("--yes", is_flag=True, help="Do not ask before an environment is made.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a check, a line each.")
@click.option("--python", metavar="PATH", help="The interpreter that runs the tests.")
@click.option(
    "--sandbox",
    metavar="MODE",
    shell_complete=of_setting("sandbox.mode"),
    help="on; strict; off.  [on]",
)
@ends_cleanly
def doctor(
    make_env: bool, yes: bool, as_json: bool, python: str | None, sandbox: str | None
) -> int:
    """Look whether this project can be debugged here, and what mends what is missing.

    The interpreter and why it is this one, pytest, the collection of the tests, the sandbox, git,
    folders, and the model if one is configured: below each that is not well stands what mends it.
    No test is run, though the files that hold tests are imported, in the sandbox.

    Exit codes: 0 all that is needed works; 2 usage; 3 something does not, or no environment was
    made; 5 no tests; 130 interrupted.
    """
    from mgdebug.doctor import Patient, code_of

    if yes and not make_env:
        raise UsageError("--yes answers --make-env", "mgdebug doctor --make-env --yes")
    heeds_signals()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    patient = Patient(Path.cwd(), os.environ, {"python": python, "sandbox": sandbox})
    if make_env:
        made = _made(patient, yes=yes, named=python is not None)
        return code_of(_told(made, as_json=as_json, made=True)) if made else ENVIRONMENT
    found = _told(patient, as_json=as_json)
    asks = not as_json and sys.stdin.isatty() and sys.stderr.isatty()
    if asks and any(check.needs_environment for check in found):
        click.echo(err=True)
        made = _made(patient, yes=False, named=python is not None)
        if made:
            return code_of(_told(made, as_json=False, made=True))
    return code_of(found)


def _told(patient: Patient, *, as_json: bool, made: bool = False) -> list[Check]:
    """Say each check as it is done."""
    signs = SIGNS if (sys.stdout.encoding or "").lower().startswith("utf") else ASCII
    found = []
    for check in patient.checks(made=made):
        found.append(check)
        if as_json:
            of = {"check": check.name, "state": str(check.state), "what": check.what}
            click.echo(json.dumps({**of, "mend": check.mend, "more": check.more}))
            continue
        click.echo(
            f"{signs[check.state]} {check.state:<{STATE}}"
            f"{check.name:<{NAME}}  {harmless(check.what)}"
        )
        below = [*check.more, *([f"next: {check.mend}"] if check.mend else [])]
        for line in below:
            click.echo(f"{'':<{2 + STATE + NAME}}  {harmless(line)}")
    return found


def _made(patient: Patient, *, yes: bool, named: bool) -> Patient | None:
    """The project with its new environment; None if nobody said yes.  named: the user named an
    interpreter for it.  Raises InterpreterError."""
    from dataclasses import replace

    from mgdebug.doctor.making import carry_out, planned

    python, origin = patient.interpreter()
    plan = planned(patient.root, python, origin, asked_for=named)
    if not _agreed(plan, yes=yes):
        return None
    try:
        failures = carry_out(plan, _say)
    except KeyboardInterrupt:
        click.echo("mgdebug: interrupted; not all is installed", err=True)
        click.echo("  next: mgdebug doctor --make-env", err=True)
        sys.exit(INTERRUPTED)
    for failure in failures:
        click.echo(harmless(failure.said), err=True)
        click.echo(f"failed    {harmless(_typed(failure.command))}", err=True)
    click.echo(err=True)
    return replace(patient, flags={**patient.flags, "python": plan.python if named else None})


def _agreed(plan: Plan, *, yes: bool) -> bool:
    """Show the commands, and ask.  Where nobody can answer they are the data of this command."""
    what = "makes .venv" if plan.folder else "installs into the environment that is there"
    click.echo(f"{what} ({harmless(plan.why)})", err=True)
    if plan.origins:
        click.echo(
            f"what is installed is declared in {harmless(', '.join(plan.origins))}", err=True
        )
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    for command in plan.commands:
        click.echo(f"  {harmless(_typed(command))}", err=asks or yes)
    if yes:
        return True
    if not asks:
        click.echo("nothing was run; --yes runs it", err=True)
        return False
    click.echo("that runs code of the project and of others, outside the sandbox", err=True)
    return click.confirm("Run these commands?", default=False, err=True)


def _say(command: Sequence[str]) -> None:
    click.echo(f"running   {harmless(_typed(command))}", err=True)


def _typed(command: Sequence[str]) -> str:
    """A command as somebody would type it."""
    return " ".join(
        f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)
        for word in command
    )
