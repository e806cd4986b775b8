"""A server on this machine that speaks as OpenAI's does, for the real litellm to call."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[Mapping[str, Any], int], "Said"]


class Said:
    """What the server does with a request: a reply, or a fault."""

    def __init__(
        self,
        text: str | None = "",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        finish: str = "stop",
        usage: tuple[int, int] | None = (100, 20),
        wait: float = 0.0,
        drip: float = 0.0,
        reset: bool = False,
        cut: bool = False,
    ) -> None:
        """body: instead of what OpenAI would send.  wait: seconds before anything; drip: between
        two parts of a stream.  reset: the connection is dropped; cut: in the middle of a stream."""
        self.text, self.status, self.headers, self.body = text, status, headers or {}, body
        self.finish, self.usage, self.wait, self.drip = finish, usage, wait, drip
        self.reset, self.cut = reset, cut


class Server:
    """requests: the bodies that came in, in order."""

    def __init__(self, script: Script) -> None:
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self._script, self._lock = script, threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @contextmanager
    def running(self) -> Iterator[Server]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        with self._lock:
            self.requests.append(body)
            self.times.append(time.monotonic())
            number = len(self.requests)
        said = self._script(body, number)
        time.sleep(said.wait)
        if said.reset:
            _drop(handler)
            return
        try:
            if said.status != 200 or said.body is not None:
                _whole(handler, said.status, said.body or _error(said), said.headers)
            elif body.get("stream"):
                _stream(handler, said)
            else:
                _whole(handler, 200, _reply(said), said.headers)
        except (BrokenPipeError, ConnectionResetError):
            pass


def _drop(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def _whole(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str]
) -> None:
    handler.send_response(status)
    for name, value in {"content-type": "application/json", **headers}.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _error(said: Said) -> bytes:
    return json.dumps({"error": {"message": said.text or "no", "code": said.status}}).encode()


def _reply(said: Said) -> bytes:
    message = {"role": "assistant", "content": said.text}
    whole: dict[str, Any] = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "test",
        "choices": [{"index": 0, "message": message, "finish_reason": said.finish}],
    }
    if said.usage is not None:
        whole["usage"] = _usage(said.usage)
    return json.dumps(whole).encode()


def _usage(usage: tuple[int, int]) -> dict[str, int]:
    prompt, completion = usage
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _stream(handler: BaseHTTPRequestHandler, said: Said) -> None:
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    text = said.text or ""
    size = max(1, len(text) // 5)
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    for number, part in enumerate(parts):
        _event(handler, {"delta": {"role": "assistant", "content": part}})
        time.sleep(said.drip)
        if said.cut and number == len(parts) // 2:
            _drop(handler)
            return
    _event(handler, {"delta": {}, "finish_reason": said.finish})
    if said.usage is not None:
        _event(handler, None, usage=_usage(said.usage))
    _chunk(handler, b"data: [DONE]\n\n")
    _chunk(handler, b"")


def _event(handler: BaseHTTPRequestHandler, choice: Any, **more: Any) -> None:
    whole = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "test",
        "choices": [{"index": 0, "finish_reason": None, **choice}] if choice else [],
        **more,
    }
    _chunk(handler, b"data: " + json.dumps(whole).encode() + b"\n\n")


def _chunk(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.flush()
