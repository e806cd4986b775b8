"""Framing: whatever the stream holds, whole objects come out, or Malformed."""

from __future__ import annotations

import json
import os
import struct
import threading
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgdebug.probe.frames import Decoder, Malformed, encode, receive, send

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=4)


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


@given(OBJECTS, st.data())
def test_messages_survive_any_split_of_the_stream(messages: list[Any], data: st.DataObject) -> None:
    stream = b"".join(map(encode, messages))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))
    decoder = Decoder()
    found: list[Any] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += decoder.feed(stream[start:end])
    assert found == messages


def test_byte_by_byte() -> None:
    messages: list[Any] = [{"a": 1}, {}, {"text": "é\udc80\n\0"}]
    decoder = Decoder()
    found: list[Any] = []
    for byte in b"".join(map(encode, messages)):
        found += decoder.feed(bytes([byte]))
    assert found == messages


def test_nothing_comes_of_half_a_frame() -> None:
    decoder = Decoder()
    whole = encode({"a": [1, 2, 3]})
    assert list(decoder.feed(whole[:-1])) == []
    assert list(decoder.feed(whole[-1:])) == [{"a": [1, 2, 3]}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b"[{}]",
        b"1",
        b"null",
        b'"text"',
        b"{} {}",
        b'{"a": \xff}',
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"a": ' * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        list(Decoder().feed(framed(body)))


def test_a_length_beyond_the_limit_is_refused_before_its_bytes_come() -> None:
    with pytest.raises(Malformed, match="1001 bytes"):
        list(Decoder(limit=1000).feed(struct.pack(">I", 1001)))


def test_a_frame_of_just_the_limit_is_taken() -> None:
    message = {"a": "x" * 90}
    size = len(encode(message)) - 4
    assert list(Decoder(limit=size).feed(encode(message))) == [message]
    with pytest.raises(Malformed):
        list(Decoder(limit=size - 1).feed(encode(message)))


def test_good_frames_before_a_bad_one_are_not_lost() -> None:
    found: list[Any] = []
    feed = Decoder().feed(encode({"a": 1}) + framed(b"[]") + encode({"b": 2}))
    with pytest.raises(Malformed):
        found.extend(feed)
    assert found == [{"a": 1}]


def test_a_frame_is_plain_ascii_behind_its_length() -> None:
    frame = encode({"wörter": "\ud800"})
    assert frame[4:].isascii()
    assert struct.unpack(">I", frame[:4]) == (len(frame) - 4,)
    assert json.loads(frame[4:]) == {"wörter": "\ud800"}


def test_a_message_larger_than_a_pipe_arrives_whole() -> None:
    read, write = os.pipe()
    message = {"a": "é" * 500_000}
    writer = threading.Thread(target=send, args=(write, message))
    with closing(os.fdopen(read, "rb")):
        writer.start()
        decoder = Decoder()
        assert receive(read, decoder) == message
        writer.join()
        send(write, {"b": 1})
        send(write, {"c": 2})
        os.close(write)
        assert [receive(read, decoder) for _ in range(4)] == [{"b": 1}, {"c": 2}, None, None]


def test_the_end_in_the_middle_of_a_frame_is_the_end() -> None:
    read, write = os.pipe()
    os.write(write, encode({"a": 1})[:-2])
    os.close(write)
    assert receive(read, Decoder()) is None
    os.close(read)
