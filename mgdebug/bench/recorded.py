"""Recorded replies of real models in place of a model, for repairs that can be repeated.

A request about a function is answered with one of the programs that models once wrote for it,
right ones and wrong ones, drawn by a fixed seed.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mgdebug.bench.loopback import Said
from mgdebug.errors import UsageError
from mgdebug.states import CHARACTERS

_ABOUT = re.compile(r"The function `([\w.]+)`")


class Recorded:
    """A script for the server: which request is answered with which reply."""

    def __init__(self, file: Path, seed: int) -> None:
        """file: lines of JSON with "entry_point" and "code".  Raises UsageError for others."""
        self._seed, self._lock = seed, threading.Lock()
        self._asked: Counter[str] = Counter()
        self._replies: dict[str, list[str]] = defaultdict(list)
        try:
            for line in file.read_text("utf-8").splitlines():
                row = json.loads(line)
                self._replies[row["entry_point"]].append(row["code"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{file} holds no recorded replies: {error!r}") from None

    def __call__(self, body: Mapping[str, Any], _: int) -> Said:
        prompt = sum(len(str(message["content"])) for message in body["messages"])
        match = _ABOUT.search(str(body["messages"][1]["content"]))
        names = match.group(1).split(".") if match else []
        name = next((name for name in reversed(names) if name in self._replies), "")
        with self._lock:
            self._asked[name] += 1
            number = self._asked[name]
        known = self._replies.get(name)
        text = "I do not know this function."
        if known:
            draw = random.Random(f"{self._seed}/{name}/{number}")
            text = f"```python\n{draw.choice(known)}\n```"
        return Said(text, usage=(prompt // CHARACTERS, len(text) // CHARACTERS))
