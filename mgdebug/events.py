"""What a repair tells as it goes: one stream of events that every face folds.

Events serialise to JSON Lines, one object a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from mgdebug.model import (
    Alternative,
    Case,
    Group,
    Hierarchy,
    Mended,
    Outcome,
    Patch,
    Question,
    Repair,
    Suspect,
    Trace,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user must know that does not end the repair.  detail: longer text."""

    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """The first event, before anything was run.  engine: the names of the proposers."""

    root: str
    path: str
    qualname: str
    python: str
    engine: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """The whole selected suite ran once.  seconds: of that run."""

    python: str
    cases: tuple[Case, ...]
    outcomes: tuple[Outcome, ...]
    flaky: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Decomposed:
    hierarchy: Hierarchy


@dataclass(frozen=True, slots=True)
class Traced:
    traces: tuple[Trace, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A batch is about to be tried.  best: the most cases that a try made pass so far."""

    subfunction: str
    patches: int
    tried: int
    best: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A try that is worth telling: it made progress."""

    patch: Patch
    verdict: Verdict
    plausible: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """Strict progress that the search now builds on."""

    patch: Patch
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Grouped:
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The alternatives differ for a call.  Whoever iterates may send a Reply; None leaves it
    open."""

    question: Question
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is right: a choice by its index, or a value as a Python literal, or neither of the
    choices and no value."""

    choice: int | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became a case, as an expression ("" for neither), and the alternatives that are left."""

    case: str
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Sending:
    """Before the first call of a model: which models are asked, where, about code of which files.
    tokens: of one prompt, about; calls: at most; cost: US dollars if all are made, None if unknown.
    Only a Reply with the choice 0 lets them be made."""

    models: tuple[str, ...]
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    tokens: int
    calls: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What models have cost so far: calls, answers that were kept from earlier ones, requests with
    retries, tokens of prompts and replies, US dollars as far as prices are known."""

    calls: int = 0
    kept: int = 0
    requests: int = 0
    prompt: int = 0
    completion: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Streamed:
    """What came of a model's reply, from "" when it is asked for to the last event of the reply,
    which has either `whole` or a fault.

    call: which reply it is, 1 for the first of a repair; one that is asked for again is another.
    text: what is new; in the last event all of it.  fault: why no more of it comes.
    """

    model: str
    call: int
    subfunction: str
    text: str
    whole: bool = False
    fault: str = ""

    @property
    def is_last(self) -> bool:
        return self.whole or bool(self.fault)


@dataclass(frozen=True, slots=True)
class Verified:
    """The whole selected suite in a fresh process with the patch."""

    patch: Patch
    verdict: Verdict
    ok: bool


@dataclass(frozen=True, slots=True)
class Divided:
    """The failing cases of a repository in groups, each a repair of its own.  wave: 1 for the first
    of them; what fails behind it is divided again."""

    wave: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of a task on a worker: "begun", "done", "lost" where the worker ended (it is done
    again), or "given up".  left: tasks that are not done yet.  why: of the last two."""

    task: str
    worker: str
    what: str
    left: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class GroupEnded:
    """A group has come to its end."""

    mended: Mended


@dataclass(frozen=True, slots=True)
class Finished:
    repair: Repair


Event = (
    Started
    | Warned
    | Collected
    | Decomposed
    | Traced
    | Ranked
    | Proposed
    | Judged
    | Accepted
    | Grouped
    | Asked
    | Answered
    | Sending
    | Spent
    | Streamed
    | Verified
    | Divided
    | Worked
    | GroupEnded
    | Finished
)


def plain(value: object) -> Any:
    """A value of the model as dicts, lists, strings and numbers, ready for JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def to_json(event: Event) -> str:
    """One event as one line of JSON; the key "event" holds its name."""
    parts = [f'{{"event": {json.dumps(type(event).__name__)}']
    for field in fields(event):
        parts += [f', "{field.name}": ', *_json(getattr(event, field.name))]
    return "".join([*parts, "}"])


def _json(value: object) -> Iterator[str]:
    """In pieces: the traces of a session, as dicts all at once, take twice their memory."""
    if isinstance(value, tuple):
        yield "["
        for at, item in enumerate(value):
            yield ", " * bool(at) + json.dumps(plain(item), ensure_ascii=True)
        yield "]"
    else:
        yield json.dumps(plain(value), ensure_ascii=True)
