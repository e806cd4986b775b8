"""Requests to models, as they look from here: sent to a child, streamed back, counted, given up at
a deadline.

litellm takes seconds to import and its timeouts are no deadlines, so it lives in a child that can
be killed.  Retries are made here, for it makes more requests than it is told to.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# Faults that may be gone the next time.
AGAIN = {
    "RateLimitError",
    "InternalServerError",
    "BadGatewayError",
    "ServiceUnavailableError",
    "APIConnectionError",
    "Timeout",
    "MidStreamFallbackError",
}
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0  # seconds between two requests of one call
LATE, DEAD = "Late", "Dead"
_KEY = re.compile(r"\b(?:sk|pk|key|gsk|xai|AIza)[-_A-Za-z0-9*]{6,}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a call came to nothing.  kind: the class of litellm's error, or one of ours (Late, Dead,
    Empty, TooLong); message: one line, without keys."""

    kind: str
    message: str

    @property
    def words(self) -> str:
        """For the user: what happened, and what to do."""
        for kinds, hint in _HINTS:
            if self.kind in kinds:
                return f"{self.message}; {hint}"
        return self.message


_HINTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("AuthenticationError",), "check the key in the environment"),
    (("NotFoundError",), "check the name of the model"),
    (("RateLimitError",), "the provider wants fewer requests: wait, or name another model"),
    (("ContextWindowExceededError",), "name a model with a longer context"),
    (("Late", "Timeout"), "the model took too long: raise model.seconds"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The text of a reply.  finish: why it ended ("stop", "length").  prompt, completion: tokens,
    as the provider counts them, None if it does not say; cost: US dollars, None if unknown."""

    text: str
    finish: str
    prompt: int | None = None
    completion: int | None = None
    cost: float | None = None


@dataclass
class Call:
    """One request that is under way.  parts: what has been streamed so far."""

    request: Mapping[str, Any]
    deadline: float
    parts: list[str] = field(default_factory=list)
    ended: Answer | Fault | None = None
    requests: int = 0  # that were sent for it
    retry_at: float | None = None


class Caller:
    """The child and the calls that it makes.  requests: how many went out."""

    def __init__(self, retries: int, seed: int = 0) -> None:
        """retries: requests for one call after the first."""
        self._retries, self._draw = retries, random.Random(seed)
        self._child: subprocess.Popen[str] | None = None
        self._calls: dict[int, Call] = {}
        self._prices: dict[str, Mapping[str, float | None]] = {}
        self._lock = threading.Lock()
        self._next = 0
        self.requests = 0

    def start(self) -> None:
        """Let the child import litellm meanwhile."""
        if self._alive():
            return
        self.close()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "mgdebug.proposers.llm.calling"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is ours to hear
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        threading.Thread(target=self._listen, args=(self._child,), daemon=True).start()

    def ask(self, request: Mapping[str, Any], seconds: float) -> Call:
        """Send a request (see calling); seconds: after which it is given up, retries and all."""
        call = Call(request, time.monotonic() + seconds)
        self._send(call)
        return call

    def poll(self, call: Call) -> Answer | Fault | None:
        """How a call ended, None while it is under way.  Sends it again when that is due."""
        now = time.monotonic()
        if call.ended is None and now >= call.deadline:
            with self._lock:
                self._calls = {n: one for n, one in self._calls.items() if one is not call}
            call.ended = Fault(LATE, "no whole reply in time")
        elif call.ended is None and call.retry_at is not None and now >= call.retry_at:
            call.retry_at = None
            self._send(call)
        return call.ended

    def price(self, model: str, seconds: float) -> tuple[float | None, float | None]:
        """US dollars for a token of a prompt and of a reply, None where nobody knows."""
        self.start()
        self._write({"price": model})
        until = time.monotonic() + seconds
        while model not in self._prices and time.monotonic() < until and self._alive():
            time.sleep(0.02)
        known = self._prices.get(model, {})
        return known.get("prompt"), known.get("completion")

    def close(self) -> None:
        """Kill the child: what is under way is abandoned."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    # ------------------------------------------------------------------------ the child

    def _alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def _send(self, call: Call) -> None:
        self.start()
        with self._lock:
            self._next += 1
            number = self._next
            self._calls[number] = call
        call.requests += 1
        self.requests += 1
        call.parts.clear()
        self._write({"id": number, **call.request})

    def _write(self, what: Mapping[str, Any]) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(what) + "\n")
            self._child.stdin.flush()
        except (BrokenPipeError, ValueError):
            self._died(self._child)

    def _listen(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        try:
            for told in _lines(child.stdout):
                self._hear(told)
        except ValueError:  # closed meanwhile
            pass
        self._died(child)

    def _hear(self, told: Mapping[str, Any]) -> None:
        if "price" in told:
            self._prices[told["price"]] = told
            return
        with self._lock:
            call = self._calls.get(told.get("id", -1))
            if call is not None and "part" not in told:
                del self._calls[told["id"]]
        if call is None:
            return
        if "part" in told:
            call.parts.append(told["part"])
        elif "text" in told:
            call.ended = Answer(
                told["text"],
                told.get("finish") or "",
                told.get("prompt"),
                told.get("completion"),
                told.get("cost"),
            )
        else:
            self._failed(call, told)

    def _failed(self, call: Call, told: Mapping[str, Any]) -> None:
        fault = Fault(str(told.get("fault")), redacted(str(told.get("message") or "")))
        if fault.kind not in AGAIN or call.requests > self._retries:
            call.ended = fault
            return
        pause = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (call.requests - 1))
        pause = max(pause * self._draw.uniform(0.75, 1.25), told.get("wait") or 0.0)
        if time.monotonic() + pause >= call.deadline:
            call.ended = fault
        else:
            call.retry_at = time.monotonic() + pause

    def _died(self, child: subprocess.Popen[str]) -> None:
        if child is not self._child:
            return  # it was killed, or another one took its place
        with self._lock:
            calls, self._calls = list(self._calls.values()), {}
        for call in calls:
            call.ended = Fault(DEAD, "the process that calls models died")


def _lines(pipe: Any) -> Iterator[dict[str, Any]]:
    for line in pipe:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            yield told


def redacted(message: str) -> str:
    """A message on one line without what looks like a key, and without the values of the
    environment that are named like one."""
    for name, value in os.environ.items():
        if len(value) >= 8 and re.search(r"KEY|TOKEN|SECRET|PASSWORD", name):
            message = message.replace(value, "***")
    return " ".join(_KEY.sub("***", message).split())[:500]
