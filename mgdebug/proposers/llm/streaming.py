"""Replies while they are being written, for whoever watches: what is new of each, a few times a
second."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from mgdebug.events import Streamed
from mgdebug.proposers.llm.caller import Answer, Call, Fault
from mgdebug.proposers.llm.replies import as_text, so_far

SECONDS = 0.2  # between two events of a reply that goes on
GIVEN_UP, BROKEN_OFF = "given up", "broken off; asked for again"


@dataclass
class Streaming:
    """A reply under way.  told: what of it somebody was told; requests: that were sent for it by
    then.  ended: how it did, once it has."""

    model: str
    subfunction: str
    call: Call
    number: int
    told: str = ""
    requests: int = 1
    ended: Answer | Fault | None = None

    def event(self, text: str, *, whole: bool = False, fault: str = "") -> Streamed:
        return Streamed(self.model, self.number, self.subfunction, text, whole, fault)


class Streams:
    """The replies of one repair.  Of one thread, but for the calls themselves."""

    def __init__(self) -> None:
        self._open: list[Streaming] = []
        self._news: list[Streamed] = []
        self._count = 0
        self._looked = 0.0

    def news(self) -> list[Streamed]:
        """What came since this was asked last; of a reply that goes on every SECONDS at most."""
        now = time.monotonic()
        if now - self._looked >= SECONDS:
            self._looked = now
            for one in self._open:
                self._look(one)
        news, self._news = self._news, []
        return news

    @contextmanager
    def of(self, model: str, subfunction: str, call: Call) -> Generator[Streaming, None, None]:
        """While a call is under way: whoever makes it says how it ended, or has given it up."""
        one = Streaming(model, subfunction, call, self._next())
        self._news.append(one.event(""))
        self._open.append(one)
        try:
            yield one
        finally:
            self._open.remove(one)
            self._look_again(one)
            if isinstance(one.ended, Answer):
                self._news.append(one.event(as_text(one.ended.text), whole=True))
            else:
                why = one.ended.words if one.ended is not None else GIVEN_UP
                said = "".join(call.parts)
                self._news.append(one.event(so_far(said) or said, fault=why or GIVEN_UP))

    def kept(self, model: str, subfunction: str, answer: Answer) -> None:
        """A reply that was kept from earlier: all of it at once."""
        text = as_text(answer.text)
        self._news.append(Streamed(model, self._next(), subfunction, text, whole=True))

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _look(self, one: Streaming) -> None:
        self._look_again(one)
        text = so_far("".join(one.call.parts))
        if len(text) > len(one.told):
            self._news.append(one.event(text[len(one.told) :]))
            one.told = text

    def _look_again(self, one: Streaming) -> None:
        """Where it was asked for again, what came before is no part of the reply."""
        if one.call.requests == one.requests:
            return
        one.requests = one.call.requests
        if one.told:
            self._news.append(one.event(one.told, fault=BROKEN_OFF))
            one.number, one.told = self._next(), ""
            self._news.append(one.event(""))
