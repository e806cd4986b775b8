"""What runs, and what is written: searches and tests, one at a time, each in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from mgdebug.errors import ApplyError, UsageError
from mgdebug.linear.looking import Looking
from mgdebug.linear.progress import Progress
from mgdebug.model import Patch
from mgdebug.narrate import FLAGGED
from mgdebug.session import Session
from mgdebug.session.driving import Drive
from mgdebug.session.examples import call_of
from mgdebug.session.hunks import Hunks


@dataclass(frozen=True, slots=True)
class Sure:
    """A question of our own.  yes: what is done then; no: what is said else."""

    yes: Callable[[], None]
    no: str


class Running(Looking):
    """over: is called in the thread of a repair, once that has ended."""

    def __init__(self, session: Session, over: Callable[[], None]) -> None:
        super().__init__(session)
        self._over = over
        self.progress = Progress(session)
        self.thread: threading.Thread | None = None  # of what runs
        self.sure: Sure | None = None
        self.cancelled = self.waits = self.left = False

    def start(self, drive: Drive) -> None:
        """Run a repair beside what is typed."""
        self.cancelled = False
        self.progress.begun()

        def run() -> None:
            drive.run()
            self._over()

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def joined(self) -> None:
        """What ran is over, with all that it had to tell."""
        if self.thread is not None:
            self.thread.join()
            self.thread = None

    def _idle(self) -> None:
        if self.thread is not None:
            raise UsageError("something runs", "cancel ends it, wait waits for it")

    # ------------------------------------------------------------------------------- running

    def do_search(self, text: str) -> None:
        self._idle()
        self.start(self.session.search())

    def do_test(self, text: str) -> None:
        self._idle()
        failing = None if text == "all" else self.session.account.failing
        if failing == ():
            raise UsageError("no test fails", "test all runs all of them")
        self.start(self.session.retest(failing))

    def do_example(self, text: str) -> None:
        subfunction = self.subfunction(text)
        if not text:
            call = call_of(subfunction, self.session.account.traces) or "f(3)"
            raise UsageError("an example is wanted", f"such as example {call} == 9")
        self._idle()
        drive = self.session.example(subfunction, text)
        self.say(f"only {subfunction.qualname} is solved again, with this in mind")
        self.start(drive)

    def do_cancel(self, text: str) -> None:
        drive = self.session.drive
        if self.thread is None or drive is None:
            raise UsageError("nothing runs")
        self.cancelled = True
        drive.cancel()
        self.say("stopping with the best so far")

    def do_wait(self, text: str) -> None:
        self.waits = True

    def interrupted(self) -> None:
        """Once: end with the best so far.  Twice, or where nothing runs: quit."""
        if self.thread is None or self.cancelled:
            self.left = True
            return
        self.do_cancel("")
        self.say("again quits")

    def do_quit(self, text: str) -> None:
        if self.thread is None:
            self._leave()
            return
        self.say("something runs; what it has found so far is lost: quit, yes or no?")
        self.sure = Sure(self._leave, "it runs on")

    def _leave(self) -> None:
        self.left = True

    # --------------------------------------------------------------------------------- files

    def do_apply(self, text: str) -> None:
        self._idle()
        hunks, offer = self.hunks(), self.review.offer
        if not hunks.changes():
            raise ApplyError("nothing is taken; nothing was written", "take a hunk first: take")
        partly = offer is None or offer.partial is not None or not hunks.as_offered
        patch = None if partly or offer is None else offer.patch
        if offer is None or not offer.flags:
            self._apply(hunks, patch)
            return
        self.say_all(f"flagged: {flag}" for flag in offer.flags)
        self.say(f"{FLAGGED}: apply it, yes or no?")
        self.sure = Sure(lambda: self._apply(hunks, patch), "it was not applied")

    def _apply(self, hunks: Hunks, patch: Patch | None) -> None:
        """Write just what was said, then run the tests again."""
        written = self.session.apply(hunks.changes(), patch)
        self._again(f"applied to {', '.join(written)}")

    def do_undo(self, text: str) -> None:
        self._idle()
        self._again(f"restored {', '.join(self.session.undo())}")

    def do_redo(self, text: str) -> None:
        self._idle()
        self._again(f"applied again to {', '.join(self.session.redo())}")

    def _again(self, words: str) -> None:
        self.say(words)
        self.start(self.session.retest())
