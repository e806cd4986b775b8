"""What a run of `fix` leaves beside its narration: a document on standard output, and a page."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from mgdebug import page
from mgdebug.cli.terminal import harmless
from mgdebug.errors import ENVIRONMENT, INTERRUPTED, MgdebugError
from mgdebug.events import Event, Finished, Worked, to_json
from mgdebug.export import exported
from mgdebug.formats import FORMATS, Report, written
from mgdebug.model import Target
from mgdebug.session.account import Account
from mgdebug.session.driving import Told
from mgdebug.session.journal import Journal
from mgdebug.syntax.source import SourceFile

SUMMARY = "GITHUB_STEP_SUMMARY"  # names the file that GitHub shows as the summary of a step


class Reporting:
    """Hears the events of a repair, and writes at its end, however it ends.

    form: "text" for no document, "json" for the events as they come, else one of FORMATS.  file: of
    the page, None for none; raises UsageError at once where it cannot be written.  engine: to keep
    it as a session, which `mgdebug tui --resume` takes up; "" for none.
    """

    def __init__(self, target: Target, form: str, file: Path | None, engine: str = "") -> None:
        if file is not None:
            page.check(file)
        self._journal = Journal.begin(target.root, target, engine) if engine else Journal()
        self.target, self.form, self.file = target, form, file
        self.applied: tuple[str, ...] = ()
        self._account = Account()
        self._told = Told(target)
        self._before: dict[str, SourceFile] = {}
        self._folds = form in FORMATS or file is not None or bool(engine)

    def hear(self, event: Event) -> None:
        if self.form == "json":
            click.echo(to_json(event))
        if not self._folds:
            return
        heard = self._told.prepared(event)
        if not isinstance(event, Worked):
            self._journal.files(heard.files)
            self._journal.event(event)
        self._account.files = heard.files or self._account.files
        self._account.hear(event)
        if isinstance(event, Finished) and event.repair.patch is not None:
            from mgdebug.formats.report import bases

            self._before = bases(self.target, event.repair.patch, event.repair.base)

    def end(self, code: int) -> None:
        """The run has come to its end.  code: what the process ends with.  Raises UsageError where
        the page cannot be written."""
        self._journal.end()
        self._document(Report(self.target, self._account, code, self._before, self.applied))
        self._page()

    def give_up(self, error: BaseException) -> None:
        """It ends with an error, which the caller raises again: what is known is written."""
        account = self._account
        if isinstance(error, MgdebugError):
            code, said, hint = error.exit_code, error.message, error.hint
            account.failed(said)
        elif isinstance(error, KeyboardInterrupt | click.Abort):
            code, said, hint = INTERRUPTED, "interrupted", "run it again"
            account.interrupted()
        else:
            code, said, hint = ENVIRONMENT, "a fault in mgdebug itself", ""
            account.failed(said)
        report = Report(self.target, account, code, self._before, self.applied, said, hint)
        with suppress(OSError):
            self._document(report)
        with suppress(MgdebugError):
            self._page()

    def _document(self, report: Report) -> None:
        if self.form in FORMATS:
            sys.stdout.flush()
            sys.stdout.buffer.write(written(self.form, report).encode("utf-8"))
            sys.stdout.flush()
        if self.form == "github":
            _summarised(report)

    def _page(self) -> None:
        if self.file is not None:
            applied = self.applied
            deeds = (f"applied to {', '.join(applied)}",) if applied else ()
            exported(self.file, self._account, self.target, deeds=deeds)
            click.echo(f"report    {harmless(str(self.file))}", err=True)


def _summarised(report: Report) -> None:
    """Append the summary of the step, where GitHub asks for one."""
    from mgdebug.formats.github import summary

    file = os.environ.get(SUMMARY)
    if not file:
        return
    try:
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(summary(report))
    except OSError as error:  # the log has it all the same
        why = (error.strerror or str(error)).lower()
        click.echo(f"mgdebug: no summary: {harmless(file)}: {why}", err=True)
