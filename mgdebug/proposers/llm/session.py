"""What the model engine may use up in one repair, and has: calls, tokens, money; and whom it may
ask."""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from mgdebug.errors import UsageError
from mgdebug.events import Spent
from mgdebug.proposers.llm.caller import Answer, Call, Caller, Fault
from mgdebug.proposers.llm.kept import Kept, default_file
from mgdebug.proposers.llm.streaming import Streams
from mgdebug.settings import ModelSettings
from mgdebug.states import CHARACTERS

REPLY_TOKENS = 2048  # of one reply, at most
FAULTS = 3  # calls in a row that come to nothing, after which no other is made
CUT = "Cut"  # our fault: the reply ended in the middle

Message = Mapping[str, str]


class Session:
    """The calls of one repair.  totals: what they have cost; where a provider does not say, tokens
    are estimated.  why: what ended it, "" while calls may be made.  streams: the replies as they
    are written."""

    def __init__(self, settings: ModelSettings, seed: int) -> None:
        """Raises UsageError without a model, and for one that is elsewhere where only this machine
        is allowed."""
        if not settings.names:
            raise UsageError(
                "no model is named", "name one: --model ollama/qwen2.5-coder, or MGDEBUG_MODEL"
            )
        if settings.local_only or settings.exemplars:
            why = "--local-only" if settings.local_only else "exemplars, which stay on this machine"
            for name in settings.names:
                refuse_remote(name, settings.api_base, why)
        self.settings, self._seed = settings, seed
        self.totals = Spent()
        self.why = ""
        self.streams = Streams()
        self._caller = Caller(settings.retries, seed)
        self._kept = Kept(default_file() if settings.cache else None)
        self._asked: dict[str, int] = {}
        self._faults = 0
        self._plain: set[str] = set()  # models that were once asked without a schema
        self._dearest, self._under_way = 0.0, 0  # US dollars a call; calls

    def start(self) -> None:
        """Let litellm be imported meanwhile."""
        self._caller.start()

    def close(self) -> None:
        self._caller.close()
        self._kept.close()

    def ask(
        self,
        model: str,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        *,
        about: str = "",
    ) -> Generator[None, None, Answer | Fault]:
        """Ask a model; yields while there is no reply.  What is over a limit is not asked.

        about: a subfunction, for those who watch.
        schema: of the reply as JSON, where the model keeps to one; others answer in their way.  A
        server that refuses it is asked without."""
        schema = schema if model not in self._plain else None
        request: dict[str, Any] = {
            "model": model,
            "messages": [dict(message) for message in messages],
            "tokens": REPLY_TOKENS,
            "temperature": self.settings.temperature,
            "schema": schema,
        }
        if self.settings.api_base:
            request["api_base"] = self.settings.api_base
        number = self._asked[repr(request)] = self._asked.get(repr(request), 0) + 1
        kept = self._kept.get(request, number)
        if kept is not None:
            self._count(messages, kept, kept=True)
            self.streams.kept(model, about, kept)
            return kept
        if self.is_spent(messages):
            return Fault("Spent", self.why)
        sent = {**request, "seconds": self.settings.seconds, "stream": self.settings.stream}
        call = self._caller.ask(sent, self.settings.seconds)
        self._reserve(messages)
        self._under_way += 1
        try:
            with self.streams.of(model, about, call) as streaming:
                while (ended := self._caller.poll(call)) is None:
                    yield
                streaming.ended = _cut(ended)
        finally:
            self._under_way -= 1
        refused = isinstance(ended, Fault) and ended.kind == "BadRequestError"
        if refused and schema is not None and not self._plain:
            self._plain.add(model)
            return (yield from self.ask(model, messages, about=about))
        return self._ended(request, number, call, messages, ended)

    def is_spent(self, messages: Sequence[Message] = ()) -> bool:
        """Whether another call would be over a limit; `why` then says which."""
        limits, totals = self.settings, self.totals
        if self.why:
            return True
        if limits.calls and totals.calls >= limits.calls:
            self.why = f"the limit of {limits.calls} calls is reached"
        elif limits.tokens and (
            totals.prompt + totals.completion + tokens_of(messages) + REPLY_TOKENS > limits.tokens
        ):
            self.why = f"the limit of {limits.tokens} tokens is reached"
        elif limits.cost and self._owed > limits.cost:
            self.why = f"the limit of {limits.cost:g} US dollars is reached"
        elif self._faults >= FAULTS:
            self.why = f"{FAULTS} calls in a row came to nothing"
        return bool(self.why)

    @property
    def _owed(self) -> float:
        """US dollars: what was spent, with this call and those under way as dear as the dearest."""
        return self.totals.cost + (self._under_way + 1) * self._dearest

    def _reserve(self, messages: Sequence[Message]) -> None:
        """Calls that run side by side count at once."""
        totals = self.totals
        self.totals = Spent(
            totals.calls + 1,
            totals.kept,
            self._caller.requests,
            totals.prompt + tokens_of(messages),
            totals.completion,
            totals.cost,
        )

    def _ended(
        self,
        request: Mapping[str, Any],
        number: int,
        call: Call,
        messages: Sequence[Message],
        ended: Answer | Fault,
    ) -> Answer | Fault:
        if isinstance(ended, Answer) and ended.finish == "length":
            self._count(messages, ended)
            self._faults += 1
            return _cut(ended)
        if isinstance(ended, Fault):
            self._faults += 1
            self.totals = replace(self.totals, requests=self._caller.requests)
            return ended
        self._faults = 0
        self._kept.put(request, number, ended)
        self._count(messages, ended)
        return ended

    def _count(self, messages: Sequence[Message], answer: Answer, *, kept: bool = False) -> None:
        if kept:
            self.totals = replace(self.totals, kept=self.totals.kept + 1)
            return
        estimated = tokens_of(messages)
        self._dearest = max(self._dearest, answer.cost or 0.0)
        prompt = answer.prompt if answer.prompt is not None else estimated
        completion = answer.completion
        if completion is None:
            completion = len(answer.text) // CHARACTERS
        self.totals = replace(
            self.totals,
            requests=self._caller.requests,
            prompt=self.totals.prompt - estimated + prompt,
            completion=self.totals.completion + completion,
            cost=self.totals.cost + (answer.cost or 0.0),
        )

    def prices(self, seconds: float) -> list[tuple[float, float] | None]:
        """US dollars for a token of a prompt and of a reply of each model, None where unknown."""
        found: list[tuple[float, float] | None] = []
        until = time.monotonic() + seconds
        for name in self.settings.names:
            prompt, reply = self._caller.price(name, max(0.1, until - time.monotonic()))
            known = prompt is not None and reply is not None
            found.append((prompt or 0.0, reply or 0.0) if known else None)
        return found


def _cut(ended: Answer | Fault) -> Answer | Fault:
    """How a call ended: a reply that stops at its limit of tokens is none."""
    if isinstance(ended, Answer) and ended.finish == "length":
        return Fault(CUT, "the reply was cut at its limit of tokens")
    return ended


def tokens_of(messages: Sequence[Message]) -> int:
    """About how many tokens messages have."""
    return sum(len(message["content"]) for message in messages) // CHARACTERS


def host_of(model: str, api_base: str) -> str:
    """Where a model is asked, as far as its name and the settings tell."""
    if api_base:
        return urlsplit(api_base).hostname or api_base
    provider = model.partition("/")[0] if "/" in model else "openai"
    if provider == "ollama" or provider == "ollama_chat":
        base = os.environ.get("OLLAMA_API_BASE", "http://localhost:11434")
        return urlsplit(base).hostname or base
    return provider


def refuse_remote(model: str, api_base: str, why: str = "--local-only") -> None:
    """Raises UsageError for a model that is not asked on this machine.  why: it has to be."""
    host = host_of(model, api_base)
    if not is_here(host):
        raise UsageError(
            f"{model} is asked at {host}, which is not this machine",
            f"name a local model, or leave out {why}",
        )


def is_here(host: str) -> bool:
    """Whether all addresses of a host are this machine's own."""
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return bool(found) and all(
        ipaddress.ip_address(str(address[4][0]).partition("%")[0]).is_loopback for address in found
    )
