"""How the two sides talk: JSON objects, each behind its length in four bytes.

Nothing is unpickled or evaluated.  Whoever reads treats a malformed frame as an answer that
never came.
"""

import json
import os
import struct
from typing import Any, Dict, Iterator, Optional

_LENGTH = struct.Struct(">I")
Message = Dict[str, Any]


class Malformed(ValueError):
    """A frame that is too long, or is no JSON object."""


def encode(message: Message) -> bytes:
    """A frame.  Lone surrogates survive: JSON escapes them."""
    body = json.dumps(message, ensure_ascii=True).encode("ascii")
    return _LENGTH.pack(len(body)) + body


def send(fd: int, message: Message) -> None:
    """Write a whole frame to a blocking file descriptor."""
    left = memoryview(encode(message))
    while left:
        left = left[os.write(fd, left) :]


class Decoder:
    """Bytes in, whole messages out."""

    def __init__(self, limit: int = 256 << 20) -> None:
        """limit: bytes that one frame may have."""
        self.limit = limit
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that data completes.  Raises Malformed; the stream is then lost."""
        self._bytes += data
        while len(self._bytes) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes)
            if length > self.limit:
                raise Malformed("a frame of %d bytes" % length)
            end = _LENGTH.size + length
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH.size : end])
            del self._bytes[:end]
            try:
                message = json.loads(body)
            except (ValueError, RecursionError):
                raise Malformed("a frame that is no JSON") from None
            if not isinstance(message, dict):
                raise Malformed("a frame that is no object")
            yield message


def receive(fd: int, decoder: Decoder) -> Optional[Message]:
    """The next message from a blocking file descriptor, None at its end."""
    for message in decoder.feed(b""):
        return message
    while True:
        data = os.read(fd, 1 << 16)
        if not data:
            return None
        for message in decoder.feed(data):
            return message
