"""Replies that were paid for once: kept by request, so that a repair can be run again offline.

One SQLite file in the user's cache folder.  A request is the model, the messages and what shapes
the reply, and the number of times that the same was asked before in this repair: asking again is
meant to give another reply.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from mgdebug.proposers.llm.caller import Answer

_TABLE = """
create table if not exists replies (
    request text primary key, text text, finish text, prompt integer, completion integer,
    cost real, kept real
)
"""
_OLDEST = (
    "delete from replies where request in"
    " (select request from replies order by kept desc limit -1 offset ?)"
)
MOST = 20_000  # replies; the oldest go first


class Kept:
    """Where the cache cannot be opened or written, nothing is kept, and nothing fails."""

    def __init__(self, file: Path | None) -> None:
        """file: None to keep nothing."""
        self._base: sqlite3.Connection | None = None
        if file is None:
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(file, timeout=2.0, isolation_level=None)
            self._base.execute(_TABLE)
            self._base.execute(_OLDEST, (MOST,))
        except (OSError, sqlite3.Error):
            self._base = None

    def get(self, request: Mapping[str, Any], number: int) -> Answer | None:
        """The reply to a request that was made before; number: how often in this repair."""
        if self._base is None:
            return None
        try:
            row = self._base.execute(
                "select text, finish, prompt, completion from replies where request = ?",
                (_key(request, number),),
            ).fetchone()
        except sqlite3.Error:
            return None
        return Answer(row[0], row[1], row[2], row[3], 0.0) if row else None

    def put(self, request: Mapping[str, Any], number: int, answer: Answer) -> None:
        if self._base is None:
            return
        told = (answer.text, answer.finish, answer.prompt, answer.completion, answer.cost)
        with contextlib.suppress(sqlite3.Error, UnicodeEncodeError):
            self._base.execute(
                "insert or replace into replies values (?, ?, ?, ?, ?, ?, ?)",
                (_key(request, number), *told, time.time()),
            )

    def close(self) -> None:
        if self._base is not None:
            self._base.close()
            self._base = None


def default_file() -> Path:
    """Where replies lie."""
    return platformdirs.user_cache_path("mgdebug") / "replies.sqlite"


def _key(request: Mapping[str, Any], number: int) -> str:
    shaping = {name: value for name, value in request.items() if name not in ("seconds", "stream")}
    text = json.dumps([shaping, number], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
