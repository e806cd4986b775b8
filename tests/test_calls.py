"""Requests to models through the real litellm: each fault is survived, counted and told.

One child calls for all tests, for it takes seconds to import litellm.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mgdebug.bench.loopback import Said, Script, Server
from mgdebug.errors import UsageError
from mgdebug.proposers.llm.caller import Answer, Call, Caller, Fault, redacted
from mgdebug.proposers.llm.kept import Kept
from mgdebug.proposers.llm.session import Session, host_of, is_here, refuse_remote
from mgdebug.settings import ModelSettings

RETRIES = 2
KEY = "sk-canary-1234567890abcdef"


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        found = Caller(RETRIES)
        found.start()
        yield found
        found.close()


def called(
    caller: Caller, base: str, *, stream: bool = True, seconds: float = 60.0
) -> tuple[Answer | Fault, Call]:
    request = {
        "model": "openai/test",
        "messages": [{"role": "user", "content": "say something"}],
        "api_base": base,
        "seconds": seconds,
        "stream": stream,
    }
    call = caller.ask(request, seconds)
    while (ended := caller.poll(call)) is None:
        time.sleep(0.005)
    return ended, call


def with_server(
    caller: Caller, script: Script, *, stream: bool = True, seconds: float = 60.0
) -> tuple[Answer | Fault, Call, Server]:
    with Server(script).running() as server:
        ended, call = called(caller, server.base, stream=stream, seconds=seconds)
    return ended, call, server


@pytest.mark.parametrize("stream", [True, False])
def test_a_reply_comes_whole_with_what_it_cost(caller: Caller, stream: bool) -> None:
    text = "one\ntwo \u00e9 \U0001f600 three"
    ended, call, server = with_server(caller, lambda *_: Said(text, usage=(7, 5)), stream=stream)
    assert ended == Answer(text, "stop", 7, 5, ended.cost if isinstance(ended, Answer) else None)
    assert "".join(call.parts) == text
    [request] = server.requests
    assert request["messages"] == [{"role": "user", "content": "say something"}]
    assert request["model"] == "test"


def test_calls_run_side_by_side(caller: Caller) -> None:
    with Server(lambda *_: Said("yes", wait=0.5)).running() as server:
        request = {"model": "openai/test", "messages": [], "api_base": server.base, "seconds": 60}
        calls = [caller.ask({**request, "seed": n}, 60) for n in range(4)]
        while any(caller.poll(call) is None for call in calls):
            time.sleep(0.005)
        assert all(isinstance(call.ended, Answer) for call in calls)
        # All were there before the first was answered.
        assert max(server.times) - min(server.times) < 0.5


ONCE = {
    "401, which echoes the key": Said(f"Incorrect API key provided: {KEY}", status=401),
    "402": Said(status=402),
    "403": Said(status=403),
    "404": Said(status=404),
    "400": Said(status=400),
    "413": Said(status=413),
    "422": Said(status=422),
    "the context is too long": Said("maximum context length is 8192 tokens", status=400),
    "a content filter": Said("content_filter: the prompt was filtered", status=400),
    "a redirection to another host": Said(status=307, headers={"location": "http://127.0.0.2:9/"}),
}
AGAIN = {
    "429": Said(status=429),
    "500": Said(status=500),
    "502": Said(status=502),
    "503": Said(status=503),
    "a reset": Said(reset=True),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("said", ONCE.values(), ids=ONCE)
def test_what_will_not_change_is_asked_once(caller: Caller, said: Said, stream: bool) -> None:
    ended, call, server = with_server(caller, lambda *_: said, stream=stream)
    assert isinstance(ended, Fault)
    assert ended.words
    assert "\n" not in ended.words
    assert KEY not in ended.words
    assert len(server.requests) == call.requests == 1


@pytest.mark.parametrize("said", AGAIN.values(), ids=AGAIN)
def test_what_may_pass_is_asked_again_but_not_more_often_than_configured(
    caller: Caller, said: Said
) -> None:
    ended, call, server = with_server(caller, lambda *_: said)
    assert isinstance(ended, Fault)
    assert len(server.requests) == call.requests == 1 + RETRIES
    pauses = [b - a for a, b in zip(server.times, server.times[1:], strict=False)]
    assert pauses == sorted(pauses)  # each is longer


@pytest.mark.parametrize("said", AGAIN.values(), ids=AGAIN)
def test_what_passes_is_over(caller: Caller, said: Said) -> None:
    ended, _, server = with_server(caller, lambda _, number: said if number == 1 else Said("yes"))
    assert isinstance(ended, Answer)
    assert ended.text == "yes"
    assert len(server.requests) == 2


ODD = {
    "an HTML page": Said(body=b"<html>busy</html>"),
    "an empty body": Said(body=b""),
    "a body that is cut": Said(body=b'{"id": "1", "choi'),
    "no choices": Said(body=b'{"id": "1", "object": "chat.completion", "choices": []}'),
    "an error in a 200": Said(body=b'{"error": {"message": "overloaded", "code": 529}}'),
    "no content": Said(None),
    "white space": Said("  \n "),
    "a filter in a 200": Said("", finish="content_filter"),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
def test_what_is_no_reply_is_a_fault(caller: Caller, said: Said, stream: bool) -> None:
    ended, call, server = with_server(caller, lambda *_: said, stream=stream)
    assert isinstance(ended, Fault), ended
    assert ended.words
    assert 1 <= len(server.requests) == call.requests <= 1 + RETRIES


def test_a_stream_that_ends_in_the_middle_gives_no_whole_reply(caller: Caller) -> None:
    ended, _, server = with_server(caller, lambda *_: Said("x" * 100, cut=True))
    assert isinstance(ended, Fault) or len(ended.text) < 100
    assert len(server.requests) <= 1 + RETRIES


def test_a_reply_without_an_end_is_not_kept_in_memory(caller: Caller) -> None:
    ended, _, server = with_server(caller, lambda *_: Said("x" * 5_000_000))
    assert isinstance(ended, Fault)
    assert ended.kind == "TooLong"
    assert len(server.requests) == 1


def test_nobody_listens(caller: Caller) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    ended, call = called(caller, f"http://127.0.0.1:{port}/v1")
    assert isinstance(ended, Fault)
    assert call.requests == 1 + RETRIES


SLOW = {
    "a server that says nothing": Said("late", wait=5),
    "a stream that drips": Said("a long text in parts", drip=3),
    "a server that wants half a minute": Said(status=429, headers={"retry-after": "30"}),
}


@pytest.mark.parametrize("said", SLOW.values(), ids=SLOW)
def test_a_call_is_given_up_at_its_deadline(caller: Caller, said: Said) -> None:
    before = time.monotonic()
    ended, _, _ = with_server(caller, lambda *_: said, seconds=2.0)
    assert isinstance(ended, Fault)
    assert time.monotonic() - before < 4.5  # each of them takes longer


def test_the_death_of_the_child_is_a_fault_and_the_next_call_has_another(caller: Caller) -> None:
    with Server(lambda *_: Said("yes", wait=1)).running() as server:
        request = {"model": "openai/test", "messages": [], "api_base": server.base, "seconds": 60}
        call = caller.ask(request, 60)
        while not server.requests:
            time.sleep(0.01)
        assert caller._child is not None
        caller._child.kill()
        while caller.poll(call) is None:
            time.sleep(0.01)
        assert isinstance(call.ended, Fault)
        ended, _ = called(caller, server.base)
        assert isinstance(ended, Answer)


# ---------------------------------------------------------------------------- the session


def asked(session: Session, text: str = "say") -> Answer | Fault:
    return drained(session.ask("openai/test", [{"role": "user", "content": text}]))


def drained(asking: Generator[None, None, Answer | Fault]) -> Answer | Fault:
    while True:
        try:
            next(asking)
        except StopIteration as stop:
            found: Answer | Fault = stop.value
            return found
        time.sleep(0.005)


def settings(base: str, **changed: Any) -> ModelSettings:
    told: Mapping[str, Any] = {"names": ("openai/test",), "api_base": base, "cache": False}
    return ModelSettings(**{**told, **changed})


@pytest.fixture
def session_of(caller: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Sessions that share the child of all tests."""

    def made(base: str, **changed: Any) -> Session:
        session = Session(settings(base, **changed), 0)
        session._caller = caller
        caller.requests = 0
        return session

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return made


def test_a_session_ends_at_its_limits(session_of: Any) -> None:
    with Server(lambda *_: Said("yes", usage=(400, 100))).running() as server:
        session = session_of(server.base, calls=2)
        assert [type(asked(session)) for _ in range(3)] == [Answer, Answer, Fault]
        assert "limit of 2 calls" in session.why
        assert len(server.requests) == 2
        assert (session.totals.prompt, session.totals.completion) == (800, 200)
        session = session_of(server.base, tokens=3000)
        assert [type(asked(session)) for _ in range(3)] == [Answer, Answer, Fault]
        assert "limit of 3000 tokens" in session.why


def test_money_of_calls_that_are_under_way_counts(session_of: Any) -> None:
    said = Said("yes", usage=(100_000, 10), wait=0.3)
    with Server(lambda *_: said).running() as server:
        session = session_of(server.base, cost=0.8)  # a call is about 0.25 US dollars
        told = [{"role": "user", "content": "say"}]
        first = session.ask("openai/gpt-4o", told)
        assert isinstance(drained(first), Answer)
        assert 0.2 < session.totals.cost < 0.3
        beside = [session.ask("openai/gpt-4o", told) for _ in range(3)]
        assert [next(asking) for asking in beside[:2]] == [None, None]
        assert isinstance(drained(beside[2]), Fault)
        assert "US dollars" in session.why
        assert [type(drained(asking)) for asking in beside[:2]] == [Answer, Answer]
        assert session.totals.cost < 0.8


def test_a_session_gives_up_a_server_that_always_fails(session_of: Any) -> None:
    with Server(lambda *_: Said(status=401)).running() as server:
        session = session_of(server.base)
        assert all(isinstance(asked(session), Fault) for _ in range(6))
        assert len(server.requests) == 3
        assert "came to nothing" in session.why


def test_a_reply_that_is_cut_is_paid_and_not_used(session_of: Any) -> None:
    with Server(lambda *_: Said("half", finish="length", usage=(9, 9))).running() as server:
        session = session_of(server.base)
        ended = asked(session)
        assert isinstance(ended, Fault)
        assert session.totals.completion == 9


def test_kept_replies_cost_nothing_and_need_no_server(session_of: Any) -> None:
    numbers = iter(range(100))
    with Server(lambda *_: Said(f"reply {next(numbers)}")).running() as server:
        first = session_of(server.base, cache=True)
        # The same words twice in a repair want two replies.
        texts = [asked(first), asked(first), asked(first, "else")]
        base = server.base
    again = session_of(base, cache=True)
    kept = [asked(again), asked(again), asked(again, "else")]
    assert [one.text for one in kept if isinstance(one, Answer)] == [
        "reply 0",
        "reply 1",
        "reply 2",
    ]
    assert [one.text for one in texts if isinstance(one, Answer)] == [
        "reply 0",
        "reply 1",
        "reply 2",
    ]
    assert (again.totals.kept, again.totals.calls, again.totals.requests) == (3, 0, 0)


def test_a_cache_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database")
    for place in (tmp_path / "file", tmp_path / "file" / "replies.sqlite"):
        kept = Kept(place)
        kept.put({"a": 1}, 1, Answer("text", "stop"))
        assert kept.get({"a": 1}, 1) is None
        kept.close()


def test_only_this_machine_is_asked_where_that_is_wanted() -> None:
    assert is_here("localhost")
    assert is_here("127.0.0.1")
    assert is_here("::1")
    assert not is_here("192.0.2.1")
    assert not is_here("no.such.host.invalid")
    refuse_remote("ollama/x", "")
    refuse_remote("openai/x", "http://127.0.0.1:8000/v1")
    for model, base in (
        ("gpt-4o", ""),
        ("anthropic/x", ""),
        ("openai/x", "http://192.0.2.1/v1"),
        ("ollama/x", "http://192.0.2.1:11434"),
    ):
        with pytest.raises(UsageError, match="not this machine"):
            refuse_remote(model, base)
    assert host_of("gpt-4o", "") == "openai"
    with pytest.raises(UsageError, match="no model is named"):
        Session(ModelSettings(), 0)


def test_messages_lose_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "quite-unlike-a-key")
    text = redacted(f"bad key {KEY}\nfor quite-unlike-a-key")
    assert KEY not in text
    assert "quite-unlike" not in text
    assert "\n" not in text
    assert json.dumps(text)
