"""What expressions give in states of runs: what is asked of a worker, and its answer, read with
distrust."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgdebug.errors import UsageError
from mgdebug.model import Hierarchy, Value
from mgdebug.probe.frames import Message
from mgdebug.runner.traces import trace_request
from mgdebug.runner.visits import read_value
from mgdebug.settings import Bounds

SECONDS = 0.25  # of processor time that one expression may take
RESTARTS = 4  # runs of one case, which an expression may have ended
NO_ANSWER = "no answer"
_OPAQUE = re.compile(
    r"<(?:function|class|module|bound|method|built|\w*method|code|frame|generator)\b"
)
_MASK = "***"

Expressions = Sequence[str] | Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class State:
    """The moment before a visit of a block in a run of a case; number: 1 for its first visit."""

    case: str
    block: str
    number: int


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one expression gave in one state.

    value: None where it gave none; error: why, else "".  key: a digest of the value and its type:
    in one state, values with the same key are equal.  None where that cannot be told: of errors, of
    values that are cut or masked, and of those whose text does not say all (functions).
    """

    value: Value | None
    error: str = ""
    key: str | None = None


def evaluate_request(
    hierarchy: Hierarchy,
    expressions: Expressions,
    states: Sequence[State],
    bounds: Bounds,
    absolute: Callable[[str], str],
) -> Message:
    """expressions: for all states, or for each block of one.  Raises UsageError for a block that
    the hierarchy has not."""
    told = trace_request(hierarchy, (), bounds, absolute)
    ids = (block.id for sub in hierarchy.subfunctions.values() for block in sub.blocks)
    numbers = {id: at for at, id in enumerate(ids)}
    for state in states:
        if state.block not in numbers:
            raise UsageError(f"there is no block {state.block}", "take its id from the hierarchy")
    if isinstance(expressions, Mapping):
        groups = {block: at for at, block in enumerate(expressions)}
        lists = [*map(list, expressions.values()), []]
    else:
        groups, lists = {}, [list(expressions)]
    files = {hierarchy.subfunctions[s.block.rpartition("#")[0]].path for s in states}
    wanted = {absolute(path) for path in files}
    places = {path: found for path, found in told["places"].items() if path in wanted}
    return {
        **{key: told[key] for key in ("blocks", "bounds", "masked")},
        "places": places,
        "states": [
            [s.case, numbers[s.block], s.number, groups.get(s.block, len(lists) - 1)]
            for s in states
        ],
        "expressions": lists,
        "seconds": SECONDS,
    }


def widths(expressions: Expressions, states: Sequence[State]) -> list[int]:
    """How many expressions each state has."""
    if isinstance(expressions, Mapping):
        return [len(expressions.get(state.block, ())) for state in states]
    return [len(expressions)] * len(states)


def read_evaluated(answer: Message, widths: Sequence[int]) -> list[list[Evaluated]]:
    """One row for each state.  widths: how many expressions each has."""
    shots, rows = answer.get("shots"), answer.get("rows")
    table = [_evaluated(raw) for raw in shots] if isinstance(shots, list) else []
    rows = rows if isinstance(rows, list) else []
    return [
        _row(rows[at] if at < len(rows) else None, width, table) for at, width in enumerate(widths)
    ]


def _row(raw: object, width: int, table: Sequence[Evaluated]) -> list[Evaluated]:
    row = raw if isinstance(raw, list) and len(raw) == width else [None] * width
    size = len(table)
    return [table[n] if type(n) is int and 0 <= n < size else _MISSING for n in row]


_MISSING = Evaluated(None, NO_ANSWER)


def _evaluated(raw: Any) -> Evaluated:
    if isinstance(raw, str):
        return Evaluated(None, raw[:1000] or NO_ANSWER)
    value = read_value(raw)
    return Evaluated(value, "", _key(value)) if value is not None else _MISSING


def _key(value: Value) -> str | None:
    if value.truncated or _MASK in value.text:
        return None
    if value.type != "str" and _OPAQUE.search(value.text):
        return None
    text = f"{value.type}\0{value.text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=12).hexdigest()
