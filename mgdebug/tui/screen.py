"""The screen of a session: what it hears, and what the user does."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import work
from textual.binding import BindingType

from mgdebug.errors import ApplyError, MgdebugError
from mgdebug.events import (
    Asked,
    Collected,
    Decomposed,
    Event,
    Finished,
    Grouped,
    Proposed,
    Ranked,
    Reply,
    Sending,
    Spent,
    Traced,
    Warned,
)
from mgdebug.session import Failed, Heard, Session, Stage
from mgdebug.session.driving import Drive
from mgdebug.session.editor import command
from mgdebug.session.examples import call_of
from mgdebug.session.raised import raised_at
from mgdebug.session.saved import any_earlier
from mgdebug.tui import about
from mgdebug.tui.actions import Action, bindings
from mgdebug.tui.dialogs import ask
from mgdebug.tui.dialogs.editing import Editing
from mgdebug.tui.dialogs.example import Example
from mgdebug.tui.dialogs.help import Help
from mgdebug.tui.dialogs.text import Reading
from mgdebug.tui.dialogs.viewer import Viewer
from mgdebug.tui.finding import Finding
from mgdebug.tui.layout import Panes
from mgdebug.tui.panes.blocks import BlocksPane
from mgdebug.tui.panes.code import CodePane
from mgdebug.tui.panes.patch import PatchPane
from mgdebug.tui.panes.tests import TestsPane
from mgdebug.tui.scrubber import Scrubber
from mgdebug.tui.status import Status
from mgdebug.tui.tabs import Tabs
from mgdebug.tui.watch import Watch

if TYPE_CHECKING:
    from mgdebug.tui.app import Mgdebug


class SessionScreen(Panes):
    """begins: whether it searches at once."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("session")

    def __init__(self, session: Session, *, begins: bool = True) -> None:
        super().__init__(session)
        self.begins = begins
        self._cancelled = False
        self._wanted = ""
        self._shown: tuple[object, object] = (None, None)  # the hierarchy and the suspects

    def on_mount(self) -> None:
        super().on_mount()
        if self.begins:
            self.start(self.session.search())
        elif self.session.account.outcomes:
            self._taken_up()

    def _taken_up(self) -> None:
        """Show a session that was begun before."""
        account = self.session.account
        self.query_one(TestsPane).show(account)
        self.query_one(BlocksPane).show(account)
        self.query_one(CodePane).load(account.files, self.suspicion())
        self._first_look()
        self.show_patch()
        self.show_model()
        self.show_tabs()
        self.tell(f"taken up again: {self.session.stage}; f searches, t runs the failing tests")

    # ------------------------------------------------------------------------------- events

    def hear(self, told: Heard | Failed) -> None:
        """Fold what a repair told, and show what it changed."""
        session = self.session
        session.hear(told)
        self.show_model()
        status = self.query_one(Status)
        if isinstance(told, Failed):
            status.ended()
            hint = f"; next: {told.hint}" if told.hint else ""
            self.tell(f"{told.message}{hint}", trouble=True)
            if told.detail:
                self.read("What went wrong", told.detail)
            return
        self._fold(told.event)
        status.refresh()
        self.show_tabs()

    def _fold(self, event: Event) -> None:
        account = self.session.account
        match event:
            case Warned() | Collected():
                if isinstance(event, Warned):
                    self.tell(event.message)
                self.query_one(TestsPane).show(account)
            case Decomposed() | Ranked():
                shown = (account.hierarchy, account.suspects)
                if any(one is not other for one, other in zip(shown, self._shown, strict=True)):
                    self._shown = shown
                    self.query_one(BlocksPane).show(account)
                    self.query_one(CodePane).load(account.files, self.suspicion())
            case Traced():
                self._first_look()
            case Proposed() | Spent():
                self.query_one(BlocksPane).update(account)
                self.show_patch()
            case Grouped():
                self.show_patch()
            case Asked():
                self.ask_which(event)
            case Sending():
                self.ask_sending(event)
            case Finished():
                self._finished()

    def _first_look(self) -> None:
        """The failing run that is read fastest, at the place where it parts from a passing one."""
        account = self.session.account
        traced = {trace.case: trace for trace in account.traces}
        failing = [traced[case] for case in account.failing if case in traced]
        if failing:
            self.show_case(min(failing, key=lambda trace: len(trace.visits)).case)

    def _finished(self) -> None:
        account, stage = self.session.account, self.session.stage
        self.query_one(Status).ended()
        self.query_one(BlocksPane).update(account)
        self.show_patch()
        words, trouble = about.finished(self.session)
        self.tell(words, trouble=trouble)
        if stage is Stage.FOUND:
            self.show_pane("patch")
        elif stage is Stage.ALL_PASS:
            self._offer_last()
        self.query_one(TestsPane).explain(about.untested(self.session))

    @work
    async def _offer_last(self) -> None:
        session = self.session
        if await asyncio.to_thread(any_earlier, session.target.root, session.journal.path):
            self.tell(f"{about.finished(session)[0]}; mgdebug tui --resume: the last session")

    # ------------------------------------------------------------------------------ running

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
            if not await self.app.push_screen_wait(ask.Consent("Quit?", words, "quit", "stay")):
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
        """Whether something runs; then the user is told."""
        if self.session.busy:
            self.tell("something runs: ^c cancels it first")
        return self.session.busy

    def _refused(self, error: MgdebugError) -> None:
        """What the user must mend, with the next step."""
        hint = f"; next: {error.hint}" if error.hint else ""
        self.tell(f"{error.message}{hint}", trouble=True)

    @property
    def _app(self) -> Mgdebug:
        return cast("Mgdebug", self.app)

    # ------------------------------------------------------------------------------- asking

    @work
    async def ask_which(self, event: Asked) -> None:
        self.session.reply(await self.app.push_screen_wait(ask.Which(event.question)))

    @work
    async def ask_sending(self, event: Sending) -> None:
        allowed = await self.app.push_screen_wait(ask.sending(event))
        self.session.reply(Reply(0) if allowed else None)

    @work
    async def action_example(self) -> None:
        subfunction = self.subfunction()
        if subfunction is None or not subfunction.kind.called:
            self.tell("put the cursor on a function first, in the code or the blocks")
            return
        if self._occupied():
            return
        call = call_of(subfunction, self.session.account.traces)
        given = await self.app.push_screen_wait(Example(subfunction, call))
        if given:
            self._start_unless_busy(lambda: self.session.example(subfunction, given))

    @work
    async def action_actions(self) -> None:
        action = await self.app.push_screen_wait(Help(self._app.keys))
        if action is not None:
            await self.do(action)

    async def do(self, action: Action) -> None:
        """What a key would do."""
        if action.place != "session" and action.place != self.at:
            self.show_pane(action.place)
        pane = self if action.place == "session" else self._pane()
        name = action.name if "(" in action.name else f"{action.name}()"
        await self.app.run_action(name, pane)

    @work
    async def read(self, title: str, text: str) -> None:
        await self.app.push_screen_wait(Reading(title, text))

    # -------------------------------------------------------------------------------- panes

    def action_pane(self, name: str) -> None:
        self.show_pane(name)

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        self.show_pane(event.pane)

    def on_tests_pane_chosen(self, event: TestsPane.Chosen) -> None:
        self.show_case(event.case)
        self.show_pane("code")

    @work
    async def on_tests_pane_trouble(self, event: TestsPane.Trouble) -> None:
        """To the place in the project that it leads to; the second time, or where there is none,
        all of its text."""
        message, detail = event.warned.message, event.warned.detail
        target = self.session.target
        found = None if event.again else await asyncio.to_thread(raised_at, target, detail)
        if found is None:
            await self.app.push_screen_wait(Reading(message, detail))
            return
        source, line = found
        code = self.query_one(CodePane)
        code.load({**self.session.account.files, source.path: source}, self.suspicion())
        code.open(source.path, line)
        self.show_pane("code")
        last = detail.strip().rpartition("\n")[2].removeprefix("E").strip()
        self.tell(f"{last}; 1 and enter again: all of the text", trouble=True)

    def on_blocks_pane_chosen(self, event: BlocksPane.Chosen) -> None:
        self.query_one(CodePane).open(event.place.path, event.place.line)
        self.show_pane("code")

    def on_code_pane_moved(self) -> None:
        self.moved()

    def on_scrubber_jumped(self, event: Scrubber.Jumped) -> None:
        self.query_one(CodePane).go(event.place)
        self.moved()

    @work
    async def on_code_pane_view(self, event: CodePane.View) -> None:
        if self.walk is not None:
            await self.app.push_screen_wait(Viewer(self.walk, event.place))

    def on_code_pane_watch(self) -> None:
        self.tell(f"watching {self.query_one(Watch).cycle()}")

    def on_finding_wanted(self, event: Finding.Wanted) -> None:
        self.show_pane(self.at)
        self._wanted = event.text
        self._look(1)

    def _look(self, step: int) -> None:
        if not self._wanted:
            self.tell("/ looks for a text")
        elif not self._pane().find(self._wanted, step):
            self.tell(f"{self._wanted!r} is not in this pane")

    def action_find_next(self) -> None:
        self._look(1)

    def action_find_previous(self) -> None:
        self._look(-1)

    def action_find(self) -> None:
        self.query_one(Finding).open()

    def action_copy(self) -> None:
        text = self._pane().selected_text()
        if text:
            self.tell(f"copied; also in {self._app.copy(text)}")

    def action_picture(self) -> None:
        name = self.app.save_screenshot(path=str(self.session.target.cwd))
        self.tell(f"saved {name}")

    def action_theme(self) -> None:
        if self.app.no_color:
            self.tell("NO_COLOR is set: there are no colours to choose from")
        else:
            self._app.next_theme()

    # ------------------------------------------------------------------------------- files

    def on_patch_pane_apply(self, event: PatchPane.Apply) -> None:
        """Write just what was shown, then run the tests again."""
        if self._occupied():
            return
        hunks = event.hunks
        try:
            written = self.session.apply(hunks.changes(), event.patch if hunks.as_offered else None)
        except ApplyError as error:
            self._refused(error)
            return
        self.tell(f"applied to {', '.join(written)}; testing again")
        self.start(self.session.retest())

    @work
    async def on_patch_pane_edit(self, event: PatchPane.Edit) -> None:
        made = await self.app.push_screen_wait(Editing(event.hunks, event.at))
        if made is not None:
            self.query_one(PatchPane).replace(made)

    def on_patch_pane_said(self, event: PatchPane.Said) -> None:
        self.tell(event.words)

    def action_undo(self) -> None:
        self._write(self.session.undo, "restored")

    def action_redo(self) -> None:
        self._write(self.session.redo, "applied again to")

    def _write(self, deed: Callable[[], tuple[str, ...]], word: str) -> None:
        if self._occupied():
            return
        try:
            written = deed()
        except ApplyError as error:
            self._refused(error)
            return
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
        changed = self.session.changed()
        if not changed:
            self.tell("nothing was changed")
            return
        cases = self.session.reached(changed)
        some = "all tests" if cases is None else f"{len(cases)} tests that it concerns"
        self.tell(f"{', '.join(changed)} changed: running {some}")
        self.start(self.session.retest(cases))
