"""What is said of a repair as it goes: stages, progress, and now and then what is tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from mgdebug.events import Accepted, Collected, Event, Finished, Ranked, Streamed, Verified, Warned
from mgdebug.linear.speaking import ended
from mgdebug.narrate import best, counted, trying
from mgdebug.session import Session, Stage

EVERY_SECONDS = 2.0  # between lines that only say what is tried
DETAIL_LINES = 12  # the last of a traceback


class Progress:
    """clock: seconds that only go up."""

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self.session, self._clock = session, clock
        self.begun()

    def begun(self) -> None:
        """Another repair runs from here on."""
        self._stage, self._gained, self._last = Stage.BOOT, 0, self._clock()

    def told(self, event: Event) -> Iterator[str]:
        """What there is to say of an event that the session has heard, a line each."""
        account, stage = self.session.account, self.session.stage
        match event:
            case Warned():
                yield f"warning: {event.message}"
                yield from detail(event.detail)
            case Collected():
                yield f"{counted(account) or 'no tests'}, in {event.seconds:.1f} seconds"
            case Ranked() if account.suspects and not account.steps:
                top = account.suspects[0]
                name = _name(top.subfunction)
                yield f"most under suspicion: {name}, {top.score:.2f}, {top.why}"
            case Streamed() if event.fault:
                yield f"{event.model}: {event.fault}"
            case Streamed() if not event.text and not event.whole:
                yield f"{event.model} is asked about {_name(event.subfunction)}"
            case Accepted():
                yield f"progress: {event.patch.note}"
            case Verified() if not event.ok:
                yield f"dropped: {event.patch.note}: {_why(event)}"
            case Finished():
                yield from ended(self.session)
        if stage is not self._stage and stage.busy:
            self._last = self._clock()
            if stage is not Stage.ASK:  # the question says so itself
                yield str(stage)
        self._stage = stage
        if stage is Stage.SEARCH:
            yield from self._searching()

    def _searching(self) -> Iterator[str]:
        account, now = self.session.account, self._clock()
        if account.gained > self._gained:
            self._gained, self._last = account.gained, now
            yield best(account)
        elif account.current and now - self._last >= EVERY_SECONDS:
            self._last = now
            yield trying(account)


def _name(subfunction: str) -> str:
    return subfunction.partition("::")[2] or subfunction


def _why(event: Verified) -> str:
    return event.verdict.reason or f"fresh run: {', '.join(event.verdict.failed[:3])}"


def detail(text: str) -> Iterator[str]:
    """The end of a longer text, such as a traceback, a line each."""
    yield from text.strip().splitlines()[-DETAIL_LINES:]
