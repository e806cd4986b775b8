"""What a subfunction should give in calls that no case makes itself: asked of a model, checked, and
believed only where several replies agree.

The derived test cases of MGDebugger ("From Code to Correctness", 2024), about calls that really
happened: their arguments are recorded, so only results are left to be derived.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from mgdebug.model import Call
from mgdebug.proposers import Brief
from mgdebug.states import called
from mgdebug.syntax.literals import literal

CALLS, CONTROLS = 4, 2  # that a model is asked about; others whose results are known
LONGEST = 200  # characters of an argument or a result
# Of a reply, where a model keeps to one: what would stand in the block, as a list.
_RESULT = {
    "type": "object",
    "properties": {"call": {"type": "string"}, "value": {"type": "string"}},
    "required": ["call", "value"],
    "additionalProperties": False,
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"results": {"type": "array", "items": _RESULT}},
    "required": ["results"],
    "additionalProperties": False,
}
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.S)


def open_calls(brief: Brief) -> dict[str, Call]:
    """Calls of failing cases that nothing but the caller's own failure judges, by their text."""
    own = brief.subfunction
    settled = {called(c) for t in brief.traces if t.status.ok for c in t.calls}
    found: dict[str, Call] = {}
    for trace in brief.traces:
        for call in () if trace.status.ok else trace.calls:
            if call.subfunction == own.id and call.caller and call.result is not None:
                text = called(call)
                whole = call.arguments and not any(v.truncated for v in call.arguments.values())
                if whole and text not in settled and len(text) <= LONGEST:
                    found.setdefault(text, call)
    return dict([*found.items()][:CALLS])


def question(calls: Iterable[str], known: Mapping[str, str], why: str) -> str:
    """What a model is asked.  known: results that passing cases showed, of which some are asked
    too, to see whom to believe; why: how the callers' cases fail."""
    asked = sorted([*calls, *list(known)[:CONTROLS]])
    listed = "\n".join(f"- {text}" for text in asked)
    return (
        f"{why}\nInside them these calls were made:\n{listed}\n\n"
        "What should each call give, if the function did what its name and docstring say? Answer"
        " with one ```json block: an object whose keys are the calls as they stand above and whose"
        " values are Python literals as strings; leave out what you cannot know."
    )


def read(reply: str, calls: Container[str]) -> dict[str, str]:
    """The results in a reply, by call: only of calls that were asked about, only literals."""
    found: dict[str, str] = {}
    for text in [reply, *(match.group(1) for match in _FENCE.finditer(reply))]:
        try:
            told = json.loads(text)
        except ValueError:
            continue
        for call, value in _pairs(told):
            literal = _literal(value)
            if call in calls and literal is not None:
                found[call] = literal
    return found


def _pairs(told: object) -> Iterator[tuple[str, object]]:
    if isinstance(told, dict) and isinstance(told.get("results"), list):
        for one in told["results"]:
            if isinstance(one, dict):
                yield str(one.get("call", "")), one.get("value")
    elif isinstance(told, dict):
        yield from told.items()


def agreed(replies: Sequence[Mapping[str, str]], known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Results that most replies agree on; a reply that contradicts what passing cases showed
    (`known`) counts for nothing."""
    honest = [
        r for r in replies if all(known.get(call, value) == value for call, value in r.items())
    ]
    votes: dict[str, Counter[str]] = {}
    for reply in honest:
        for call, value in reply.items():
            votes.setdefault(call, Counter())[value] += 1
    found = []
    for call, counted in votes.items():
        value, count = counted.most_common(1)[0]
        if 2 * count > len(honest) and call not in known:
            found.append((call, value))
    return found


def known_results(brief: Brief) -> dict[str, str]:
    """What passing cases showed, by call."""
    return {
        called(call): call.result.text
        for trace in brief.traces
        if trace.status.ok
        for call in trace.calls
        if call.subfunction == brief.subfunction.id
        and call.result is not None
        and not call.result.truncated
    }


def _literal(value: object) -> str | None:
    text = value if isinstance(value, str) else repr(value)
    try:
        return repr(literal(text)) if len(text) <= LONGEST else None
    except ValueError:
        return None
