"""What calls give with patches in place: what is asked of a worker, and its answer, read with
distrust."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mgdebug.model import Value
from mgdebug.probe.frames import Message
from mgdebug.runner.visits import read_value

BOUNDS = (8, 400, 4000)  # levels, items, characters of a value: of inputs that are small
_FLOAT = re.compile(r"""(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|-?\d+\.\d+(?:e[-+]?\d+)?""")


@dataclass(frozen=True, slots=True)
class Given:
    """A call: a function of a file by its name, and its arguments as expressions."""

    function: str
    arguments: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"{self.function}({', '.join(self.arguments)})"


@dataclass(frozen=True, slots=True)
class Seen:
    """How a call ended: with a value, or with an exception of a type.  changed: the arguments that
    it changed in place, by their number; floats count as equal to twelve digits in `key`."""

    value: Value
    raised: bool
    changed: tuple[tuple[int, Value], ...] = ()

    @property
    def key(self) -> object:
        return (
            self.raised,
            self.value.type,
            _rounded(self.value.text),
            tuple((n, _rounded(v.text)) for n, v in self.changed),
        )

    @property
    def text(self) -> str:
        """In words, on one line."""
        if self.raised:
            return f"raises {self.value.type}"
        if self.value.type == "iterator":
            return f"gives {self.value.text}"
        if self.value.text == "None" and len(self.changed) == 1:
            return f"leaves {self.changed[0][1].text}"
        return self.value.text


def observe_request(path: str, calls: Sequence[Given]) -> Message:
    """path: the absolute one of the file in whose names the calls are meant."""
    return {
        "path": path,
        "calls": [[call.function, list(call.arguments)] for call in calls],
        "bounds": list(BOUNDS),
    }


def told(answer: Message) -> Iterator[tuple[int, object]]:
    """The patches of an answer by their number, and what is said of each."""
    pairs = answer.get("told")
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], int):
            yield pair[0], pair[1]


def read_seen(raw: object, calls: int) -> list[Seen | None] | None:
    """Of one patch; None where nothing could be told."""
    if not isinstance(raw, list) or len(raw) != calls:
        return None
    return [_seen(one) for one in raw]


def _seen(raw: Any) -> Seen | None:
    if not isinstance(raw, list) or len(raw) != 3 or not isinstance(raw[2], list):
        return None
    value = read_value(raw[0])
    if value is None or value.truncated:
        return None
    after = [(n, read_value(shot)) for n, shot in enumerate(raw[2]) if shot is not None]
    return Seen(value, bool(raw[1]), tuple((n, v) for n, v in after if v is not None))


def _rounded(text: str) -> str:
    """A text with its floats to twelve digits, but for those in quotes."""
    return _FLOAT.sub(lambda m: m.group() if m.group("quoted") else _digits(m.group()), text)


def _digits(number: str) -> str:
    return f"{float(number):.12g}"
