"""`mgdebug tui`, and `mgdebug` alone: the full screen, or the same line by line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mgdebug.cli.asked import cases, engine, flags, heeds_signals, understood
from mgdebug.cli.completing import of_setting
from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.cli.undo import interrupted
from mgdebug.errors import FAILURES, UsageError

if TYPE_CHECKING:
    from mgdebug.model import Target
    from mgdebug.session import Failed, Heard, Session
    from mgdebug.settings import Settings


@click.command(
    cls=Explained,
    short_help="Watch it work on the whole screen, or line by line.",
    examples=(
        ("mgdebug", "the same, on a terminal"),
        ("mgdebug tui src/mod.py::f --tests tests/test_mod.py", "one function, some tests"),
        ("mgdebug tui --resume", "the last session again, offline"),
        ("mgdebug tui --linear < commands.txt", "no screen; commands from a file"),
    ),
)
@cases
@engine
@click.option(
    "--theme",
    metavar="NAME",
    shell_complete=of_setting("theme"),
    help="dark, light, or ansi: the terminal's own.  [dark]",
)
@click.option("--resume", is_flag=True, help="Take up the last session of this project.")
@click.option(
    "--linear",
    is_flag=True,
    help="Draw no screen: plain lines, and commands that are typed; for screen readers and pipes.",
)
@ends_cleanly
def tui(
    target: str,
    tests: tuple[str, ...],
    expressions: tuple[str, ...],
    io: Path | None,
    sandbox: str | None,
    theme: str | None,
    resume: bool,
    linear: bool,
    **given: Any,
) -> int:
    """Watch it work on the whole screen: step through what the tests did, take the hunks you like.

    TARGET narrows the search, as with `mgdebug fix`.  ? lists all keys; with --linear, help lists
    the commands.

    Exit codes: 0 nothing fails any more; 1 failures remain; 2 usage; 3 environment.
    """
    if not (linear or (sys.stdin.isatty() and sys.stdout.isatty())):
        hint = "here there are `mgdebug fix`, and --linear"
        raise UsageError("the full screen needs a terminal", hint)
    heeds_signals()

    def made(tell: Callable[[Heard | Failed], None]) -> tuple[Session, str]:
        chosen = {**flags(given, sandbox), "theme": theme}
        return _session(understood(target, tests, expressions, io, chosen), tell, resume=resume)

    if linear:
        from mgdebug.linear import Linear

        return Linear(made, begins=not resume).run()
    return _on_the_whole_screen(made, theme, begins=not resume)


def _on_the_whole_screen(
    make: Callable[[Callable[[Heard | Failed], None]], tuple[Session, str]],
    theme: str | None,
    *,
    begins: bool,
) -> int:
    """Returns the exit code.  make: see `_session`; it is called beside the first screen."""
    from mgdebug.tui.app import Mgdebug, Opened
    from mgdebug.tui.opening import expected_theme

    def opened(tell: Callable[[Heard | Failed], None]) -> Opened:
        session, notice = make(tell)
        chosen = session.settings
        return Opened(session, chosen.keys, chosen.theme, begins, notice)

    app = Mgdebug(opened, theme=theme or expected_theme(Path.cwd(), os.environ))
    code = app.run()
    if app.trouble is not None:
        raise app.trouble
    return FAILURES if code is None else code


def _session(
    known: tuple[Target, Settings, str], tell: Callable[[Heard | Failed], None], *, resume: bool
) -> tuple[Session, str]:
    """The session to show: a new one, or the last one of the project; and what is to be said first,
    "" for nothing.  Raises UsageError if there is none to take up."""
    from mgdebug.session import Session
    from mgdebug.session.journal import Journal
    from mgdebug.session.saved import read, sessions

    target, settings, python = known
    notices = [interrupted(target.root)]
    saved = [one for one in sessions(target.root) if not one.alive]
    if resume:
        if not saved:
            raise UsageError("there is no session of this project", "begin one: mgdebug tui")
        recorded = read(saved[0].path)
        journal = Journal.resume(recorded.path)
        session = Session(recorded.head.target, settings, python, tell, journal)
        session.take_up(recorded)
    else:
        if saved and not saved[0].ended and saved[0].stands:
            notices.append(f"the last session broke off ({saved[0].stands}): --resume takes it up")
        journal = Journal.begin(target.root, target, settings.engine)
        session = Session(target, settings, python, tell, journal)
    return session, "; ".join(filter(None, notices))
