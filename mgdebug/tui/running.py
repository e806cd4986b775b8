"""What runs, one thing at a time, and what is written to the files."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import work

from mgdebug.errors import ApplyError, MgdebugError
from mgdebug.session import Session
from mgdebug.session.driving import Drive
from mgdebug.session.editor import command
from mgdebug.tui.dialogs.ask import Consent
from mgdebug.tui.layout import Panes
from mgdebug.tui.panes.code import CodePane
from mgdebug.tui.panes.patch import PatchPane
from mgdebug.tui.status import Status

if TYPE_CHECKING:
    from mgdebug.tui.app import Mgdebug


class Running(Panes):
    """Each repair is in a thread of its own; what it tells comes back as messages."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._cancelled = self._writes = False

    def start(self, drive: Drive) -> None:
        """Run a repair beside the screen."""
        self._cancelled = False
        self.query_one(Status).started()
        self.run_worker(drive.run, thread=True, exit_on_error=False, group="repair")

    def action_search_on(self) -> None:
        self._start_unless_busy(lambda: self.session.search())

    def action_test_failing(self) -> None:
        failing = self.session.account.failing
        if not failing:
            self.tell("no test fails: T runs all of them")
            return
        self._start_unless_busy(lambda: self.session.retest(failing))

    def action_test_all(self) -> None:
        self._start_unless_busy(lambda: self.session.retest())

    def action_cancel(self) -> None:
        """Once: end with the best so far.  Twice: quit."""
        drive = self.session.drive
        if not self.session.busy or drive is None or self._cancelled:
            self._leave()
            return
        self._cancelled = True
        drive.cancel()
        self.tell("stopping with the best so far; again quits")

    @work
    async def action_leave(self) -> None:
        if self.session.busy:
            words = Text("Something runs. What it has found so far is lost.")
            if not await self.app.push_screen_wait(Consent("Quit?", words, "quit", "stay")):
                return
        self._leave()

    def _leave(self) -> None:
        self.session.close()
        self.app.exit(self.session.exit_code)

    def _start_unless_busy(self, make: Callable[[], Drive]) -> None:
        if self._occupied():
            return
        try:
            self.start(make())
        except MgdebugError as error:
            self._refused(error)

    def _occupied(self) -> bool:
        """Whether something runs or is written; then the user is told."""
        if self.session.busy:
            self.tell("something runs: ^c cancels it first")
        return self.session.busy or self._writes

    def _refused(self, error: MgdebugError) -> None:
        """What the user must mend, with the next step."""
        hint = f"; next: {error.hint}" if error.hint else ""
        self.tell(f"{error.message}{hint}", trouble=True)

    @property
    def _app(self) -> Mgdebug:
        return cast("Mgdebug", self.app)

    # ------------------------------------------------------------------------------- files

    def on_patch_pane_apply(self, event: PatchPane.Apply) -> None:
        """Write just what was shown, then run the tests again."""
        changes = event.hunks.changes()
        patch = event.patch if event.hunks.as_offered else None
        self._write(lambda: self.session.apply(changes, patch), "applied to")

    def action_undo(self) -> None:
        self._write(self.session.undo, "restored")

    def action_redo(self) -> None:
        self._write(self.session.redo, "applied again to")

    @work
    async def _write(self, deed: Callable[[], tuple[str, ...]], word: str) -> None:
        """A disk takes its time: not on the event loop."""
        if self._occupied():
            return
        self._writes = True
        try:
            written = await asyncio.to_thread(deed)
        except ApplyError as error:
            self._refused(error)
            return
        finally:
            self._writes = False
        self.tell(f"{word} {', '.join(written)}; testing again")
        self.start(self.session.retest())

    @work
    async def action_edit_file(self) -> None:
        """The user's editor at the line; then what may have changed is run again."""
        code = self.query_one(CodePane)
        if not code.path:
            self.tell("no file is shown")
            return
        if self._occupied():
            return
        try:
            words = command(self.session.target.root / code.path, code.line)
            with self._app.stood_aside():
                await asyncio.to_thread(subprocess.run, words, check=False)
        except MgdebugError as error:
            self._refused(error)
            return
        except OSError as error:
            self.tell(f"{words[0]} does not start: {error.strerror}; set $EDITOR", trouble=True)
            return
        changed = await asyncio.to_thread(self.session.changed)
        if not changed:
            self.tell("nothing was changed")
            return
        cases = await asyncio.to_thread(self.session.reached, changed)
        some = "all tests" if cases is None else f"{len(cases)} tests that it concerns"
        self.tell(f"{', '.join(changed)} changed: running {some}")
        self.start(self.session.retest(cases))
