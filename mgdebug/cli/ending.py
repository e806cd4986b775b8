"""How a command ends: what goes wrong becomes one message and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from mgdebug.cli.terminal import harmless
from mgdebug.errors import ENVIRONMENT, FAILURES, INTERRUPTED, MgdebugError


def ends_cleanly(command: Callable[..., int]) -> Callable[..., None]:
    """The command ends the process with what it returns; no traceback of ours reaches the user."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            code = command(*args, **kwargs)
        except MgdebugError as error:
            if error.detail:
                click.echo(harmless(error.detail.rstrip()), err=True)
            click.echo(f"mgdebug: {harmless(error.message)}", err=True)
            if error.hint:
                click.echo(f"  next: {harmless(error.hint)}", err=True)
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort) as error:
            ends_a_line = isinstance(error, click.Abort)  # at a question
            click.echo("\n" * ends_a_line + "mgdebug: interrupted; no file was changed", err=True)
            code = INTERRUPTED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = FAILURES
        except Exception:  # a fault of ours: kept for a report, not thrown at the user
            click.echo(f"mgdebug: a fault in mgdebug itself; {_kept_traceback()}", err=True)
            code = ENVIRONMENT
        sys.exit(code)

    return run


class Stopping:
    """While it is `armed`, Ctrl-C is a wish to end with the best so far; a second one quits.

    As a context it takes the signal and gives it back; it is true once somebody has asked.
    """

    def __init__(self) -> None:
        self.armed = False
        self._asked = False

    def __enter__(self) -> Stopping:
        self._before = signal.signal(signal.SIGINT, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def __bool__(self) -> bool:
        return self._asked

    def _heard(self, *_: object) -> None:
        if self._asked or not self.armed:
            raise KeyboardInterrupt
        self._asked = True


def _kept_traceback() -> str:
    import platformdirs

    try:
        folder = platformdirs.user_state_path("mgdebug")
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "fault.txt"
        file.write_text(traceback.format_exc(), "utf-8")
    except OSError:
        return traceback.format_exc()
    return f"please report it with {file}"
