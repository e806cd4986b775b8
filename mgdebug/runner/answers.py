"""What workers send, read with distrust: what is missing, doubled or malformed is a failure of that
case, never an error of ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mgdebug.errors import NoCasesError, ProbeError, UsageError
from mgdebug.model import Block, Case, CaseKind, Outcome, Status, Trace, Verdict
from mgdebug.probe.frames import Message
from mgdebug.runner.visits import Log


@dataclass(frozen=True, slots=True)
class Run:
    """A run of cases in a fresh process.

    files: the project's files that it imported, from the root.  troubles: what could not be
    collected, as (where, traceback).  seconds: of all cases; collecting: before the first.
    """

    cases: tuple[Case, ...]
    outcomes: tuple[Outcome, ...]
    files: tuple[str, ...] = ()
    troubles: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    collecting: float = 0.0

    def without(self, gone: Collection[str]) -> Run:
        """Without some cases, by their ids."""
        return replace(
            self,
            cases=tuple(case for case in self.cases if case.id not in gone),
            outcomes=tuple(outcome for outcome in self.outcomes if outcome.case not in gone),
        )


def read_run(answer: Message, relative: Callable[[str], str], said: str) -> Run:
    """relative: a path from the root.  said: what the processes printed.

    Raises UsageError, NoCasesError or ProbeError if nothing could be collected.
    """
    collected = answer.get("collected")
    if not isinstance(collected, list):
        raise _refusal(str(answer.get("refused", "")), str(answer.get("ended")), said.strip())
    cases: dict[str, Case] = {}
    for item in collected:
        if isinstance(item, list) and len(item) == 4 and item[1] in list(CaseKind):
            path = relative(str(item[2])) if item[2] else ""
            cases[str(item[0])] = Case(str(item[0]), CaseKind(item[1]), path, str(item[3]))
    heard = {o.case: o for o in read_outcomes(answer)}
    outcomes = tuple(heard.get(case) or Outcome(case, Status.NOT_RUN) for case in cases)
    troubles = [t for t in _list(answer, "troubles") if isinstance(t, list) and len(t) == 2]
    return Run(
        tuple(cases.values()),
        outcomes,
        tuple(relative(str(file)) for file in _list(answer, "files")),
        tuple((relative(str(where)), str(detail)) for where, detail in troubles),
        sum(o.seconds for o in outcomes),
        _number(answer.get("collecting")),
    )


def _refusal(refused: str, ended: str, said: str) -> UsageError | NoCasesError | ProbeError:
    lines = said.splitlines()
    if refused.endswith("code 4"):
        errors = [x.partition(": error: ")[2] for x in lines if ": error: " in x]
        errors = errors or [x.removeprefix("ERROR: ") for x in lines if x.startswith("ERROR: ")]
        errors = errors or [x for x in lines if "while loading conftest" in x]
        message = errors[-1] if errors else "it refuses to start"
        return UsageError(f"pytest: {message}", "run pytest on its own to see more", said)
    if refused.endswith("code 5"):
        return NoCasesError("pytest collected no tests", detail=said)
    hint = "run them on their own first; what they printed stands above"
    if ended.startswith("time limit"):
        hint = "give them longer with --time and collect_time, if they end on their own"
    if ended.startswith("tampering"):
        hint = "look at what they do while they are imported"
    return ProbeError(f"the tests could not be collected ({refused or ended})", hint, said)


def read_outcomes(answer: Message) -> list[Outcome]:
    """One for each case, in the order of the answer."""
    found: dict[str, Outcome] = {}
    for raw in _list(answer, "outcomes"):
        outcome = _outcome(raw)
        if outcome is None:
            continue
        if outcome.case in found:
            outcome = Outcome(outcome.case, Status.CRASHED, message="it answered twice")
        found[outcome.case] = outcome
    return list(found.values())


def read_verdict(answer: Message) -> Verdict:
    if "invalid" in answer:
        return Verdict((), (), f"does not compile: {answer['invalid']}")
    if "same" in answer:
        return Verdict((), (), "changes nothing")
    outcomes = read_outcomes(answer)
    # To be skipped is no progress.
    passed = tuple(o.case for o in outcomes if o.status is Status.PASSED)
    failed = tuple(o.case for o in outcomes if o.status is not Status.PASSED)
    ended = str(answer.get("ended", ""))
    seconds = sum(o.seconds for o in outcomes)
    return Verdict(passed, failed, "" if ended == "done" else ended, seconds)


def read_traces(answer: Message, blocks: Sequence[Block]) -> list[Trace]:
    found = (_trace(item, blocks) for item in _list(answer, "outcomes"))
    return [trace for trace in found if trace is not None]


def read_hits(raw: object, blocks: Sequence[Block]) -> dict[str, int]:
    """How often each block was visited, by its id.  raw: [[index of the block, count], ...]."""
    found = {}
    for pair in raw if isinstance(raw, list) else []:
        if isinstance(pair, list) and len(pair) == 2 and _is_index(pair[0], blocks):
            found[blocks[pair[0]].id] = int(_number(pair[1]))
    return found


# ------------------------------------------------------------------------------- the pieces


def _list(answer: Message, key: str) -> list[Any]:
    value = answer.get(key)
    return value if isinstance(value, list) else []


def _number(value: object) -> float:
    """0 for what is no number, and for what JSON takes for one beyond all sense."""
    try:
        number = float(value) if isinstance(value, int | float) else 0.0
    except OverflowError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _outcome(raw: object) -> Outcome | None:
    if not isinstance(raw, dict) or raw.get("status") not in list(Status):
        return None
    return Outcome(
        str(raw.get("case")),
        Status(raw["status"]),
        _number(raw.get("seconds")),
        str(raw.get("message", "")),
        str(raw.get("detail", "")),
        _number(raw.get("processor")),
    )


def _trace(item: object, blocks: Sequence[Block]) -> Trace | None:
    outcome, raw = _outcome(item), item.get("trace") if isinstance(item, dict) else None
    if outcome is None or not isinstance(raw, dict):
        return None
    log = Log(raw, blocks)
    hits = read_hits(raw.get("hits"), blocks)
    dropped = max(0, sum(hits.values()) - len(log.visits))
    calls = tuple(log.calls[frame] for frame in sorted(log.calls))
    return Trace(outcome.case, outcome.status, hits, tuple(log.visits), dropped, calls)


def _is_index(value: object, blocks: Sequence[Block]) -> bool:
    return isinstance(value, int) and 0 <= value < len(blocks)
