"""`mgdebug tui`, and `mgdebug` alone: the full screen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mgdebug.cli.asked import cases, engine, flags, understood
from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.undo import told_of_interrupted
from mgdebug.errors import UsageError

if TYPE_CHECKING:
    from mgdebug.session import Failed, Heard


@click.command()
@cases
@engine
@click.option("--theme", metavar="NAME", help="dark, light, or ansi: the terminal's own.  [dark]")
@click.option("--resume", is_flag=True, help="Take up the last session of this project.")
@ends_cleanly
def tui(
    target: str,
    tests: tuple[str, ...],
    expressions: tuple[str, ...],
    io: Path | None,
    sandbox: str | None,
    theme: str | None,
    resume: bool,
    **given: Any,
) -> int:
    """Watch it work on the whole screen: step through what the tests did, take the hunks you like.

    TARGET narrows the search, as with `mgdebug fix`.  ? lists all keys.

    Exit codes: 0 nothing fails any more; 1 failures remain; 2 usage; 3 environment.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        hint = "here there is `mgdebug fix`"
        raise UsageError("the full screen needs a terminal", hint)
    where, chosen, interpreter = understood(
        target, tests, expressions, io, {**flags(given, sandbox), "theme": theme}
    )
    told_of_interrupted(where.root)

    from mgdebug.session import Session
    from mgdebug.session.journal import Journal
    from mgdebug.session.saved import read, sessions
    from mgdebug.tui.app import Mgdebug

    saved = [one for one in sessions(where.root) if not one.alive]
    if resume and not saved:
        raise UsageError("there is no session of this project", "begin one: mgdebug tui")
    recorded = read(saved[0].path) if resume else None
    journal = (
        Journal.begin(where.root, where, chosen.engine)
        if recorded is None
        else Journal.resume(recorded.path)
    )

    def session(tell: Callable[[Heard | Failed], None]) -> Session:
        made = Session(
            recorded.head.target if recorded else where, chosen, interpreter, tell, journal
        )
        if recorded is not None:
            made.take_up(recorded)
        return made

    lost = "" if resume or not saved or saved[0].ended else saved[0].stands
    app = Mgdebug(
        session,
        theme=chosen.theme,
        keys=chosen.keys,
        begins=not resume,
        notice=f"the last session broke off ({lost}): --resume takes it up" if lost else "",
    )
    code = app.run()
    return app.ended() if code is None else code
