"""The screen of a session: what it hears, and what the user does."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import work
from textual.binding import BindingType

from mgdebug.errors import MgdebugError
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
from mgdebug.export import PAGE, exported
from mgdebug.session import Failed, Heard, Session, Stage
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
from mgdebug.tui.panes.blocks import BlocksPane
from mgdebug.tui.panes.code import CodePane
from mgdebug.tui.panes.patch import PatchPane
from mgdebug.tui.panes.tests import TestsPane
from mgdebug.tui.running import Running
from mgdebug.tui.scrubber import Scrubber
from mgdebug.tui.status import Status
from mgdebug.tui.tabs import Tabs
from mgdebug.tui.watch import Watch

CAUGHT_UP_SECONDS = 0.5


class SessionScreen(Running):
    """begins: whether it searches at once."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("session")

    def __init__(self, session: Session, *, begins: bool = True) -> None:
        super().__init__(session)
        self.begins = begins
        self._wanted, self._behind = "", False
        self._shown: tuple[object, object] = (None, None)  # the hierarchy and the suspects

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(CAUGHT_UP_SECONDS, self._catch_up)
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
        session, before = self.session, self.session.stage
        session.hear(told)
        if not (
            self.query("ModelPane") and self.query(Status)
        ):  # the panes have gone: it was told while the screen closed
            return
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
        if session.stage is not before:
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
                self._behind = True
            case Grouped():
                self.show_patch()
            case Asked():
                self.ask_which(event)
            case Sending():
                self.ask_sending(event)
            case Finished():
                self._finished()

    def _catch_up(self) -> None:
        """Show how far the search is: not each time that it gets on, which is often."""
        if self._behind:
            self._behind = False
            self.query_one(BlocksPane).update(self.session.account)
            self.show_patch()

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

    @work
    async def action_export(self) -> None:
        """Beside the event loop: the runs of a large session are many lines."""
        session, decisions = self.session, list(self.query_one(PatchPane).review.decisions())
        file = session.target.cwd / PAGE
        try:
            account, target, deeds = session.account, session.target, session.deeds
            await asyncio.to_thread(
                exported, file, account, target, decisions, deeds, session.stage
            )
        except MgdebugError as error:
            self._refused(error)
            return
        self.tell(f"saved {file}")

    def action_theme(self) -> None:
        if self.app.no_color:
            self.tell("NO_COLOR is set: there are no colours to choose from")
        else:
            self._app.next_theme()

    @work
    async def on_patch_pane_edit(self, event: PatchPane.Edit) -> None:
        made = await self.app.push_screen_wait(Editing(event.hunks, event.at))
        if made is not None:
            self.query_one(PatchPane).replace(made)

    def on_patch_pane_decided(self, event: PatchPane.Decided) -> None:
        self.session.decide(event.hunks)

    def on_patch_pane_said(self, event: PatchPane.Said) -> None:
        self.tell(event.words)
