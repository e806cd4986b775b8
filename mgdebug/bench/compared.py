"""A trace beside what the reference saw."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mgdebug.bench.reference import MOST_CALLS, Reference, Sight
from mgdebug.bench.regions import WORDS, returns_under_finally
from mgdebug.model import Block, BlockKind, BlockVisit, Call, Exit, Trace, Value

_HEADERS = (BlockKind.LOOP, BlockKind.WITH, *WORDS)
_TESTS = (BlockKind.CONDITION, BlockKind.ARM, BlockKind.EACH)


@dataclass(slots=True)
class Findings:
    """counts: what was compared, and what could not be.  wrong: "kind: place: name ..."."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def compare(trace: Trace, reference: Reference, text: str) -> Findings:
    """Everything that the trace says and the reference knows."""
    return _Comparison(reference, text).all_of(trace)


class _Comparison:
    def __init__(self, reference: Reference, text: str) -> None:
        self._reference, self._found = reference, Findings()
        self._numbers = {block.id: at for at, block in enumerate(reference.blocks)}
        self._guarded = list(returns_under_finally(text))
        self._frames: dict[int, int] = {0: 0}  # the trace numbers those calls that it keeps

    def all_of(self, trace: Trace) -> Findings:
        reference = self._reference
        for number, block in enumerate(reference.blocks):
            if number not in reference.regions.seen:
                self._found.counts["ambiguous blocks"] += 1
                continue
            said, seen = trace.hits.get(block.id, 0), reference.hits.get(number, 0)
            self._same("hits", block, "", said, seen)
        order = 0
        for visit in trace.visits:
            number = self._numbers[visit.block]
            block = reference.blocks[number]
            if number not in reference.regions.seen:
                self._found.counts["ambiguous visits"] += 1
                continue
            sight = reference.sights.get((number, visit.number))
            if sight is None:
                self._wrong("visit that never was", block, f"number {visit.number}")
                continue
            self._visit(block, visit, sight, trace.case)
            if sight.order < order:
                self._wrong("order", block, f"visit {visit.number} began before the last one")
            order = sight.order
        for call in trace.calls:
            self._call(call)
        return self._found

    def _visit(self, block: Block, visit: BlockVisit, sight: Sight, case: str) -> None:
        at = f"visit {visit.number}"
        bound = {"" if block.kind is not BlockKind.HANDLER else name for name in block.writes}
        self._names("before", block, at, visit.before, sight.before, bound)
        if block.kind in _HEADERS:
            self._found.counts["ambiguous values"] += len(visit.after)
        else:
            self._names("after", block, at, visit.after, sight.after, set())
        if case:
            self._found.counts["frames"] += 1
            where = (sight.around or 0) if sight.frame == 0 else sight.frame
            known = self._frames.setdefault(visit.frame, where)
            if known != where:
                self._wrong("frames", block, f"{at}: said {visit.frame}, is {where}")
        if block.kind not in _HEADERS and sight.left is not None and block.exit is not Exit.RAISE:
            self._same("left", block, at, visit.left, sight.left)
        self._result(block, visit, sight, at)
        if visit.raised is not None:
            self._same("raised", block, at, visit.raised, sight.raised)

    def _result(self, block: Block, visit: BlockVisit, sight: Sight, at: str) -> None:
        if visit.result is None:
            return
        line = block.span.first_line
        guarded = any(first <= line <= last for first, last in self._guarded)
        if sight.result is None or (block.exit is Exit.RETURN and guarded):
            self._found.counts["ambiguous values"] += 1
        elif block.kind in _TESTS and visit.result == sight.truth:
            self._found.counts["results"] += 1
        else:
            self._same("results", block, at, visit.result, sight.result)

    def _call(self, call: Call) -> None:
        where = f"call {call.frame}"
        if call.frame not in self._frames:
            self._found.counts["ambiguous calls"] += 1
            return
        seen = self._reference.calls.get(self._frames[call.frame])
        if seen is None and self._frames[call.frame] > MOST_CALLS:
            self._found.counts["ambiguous calls"] += 1
            return
        if seen is None:
            self._wrong("call that never was", None, f"{where} of {call.subfunction}")
            return
        self._same("subfunctions", None, where, call.subfunction, seen.subfunction)
        self._names("arguments", None, where, call.arguments, seen.arguments, set())
        if seen.caller is not None and call.visit >= 0:
            self._same("callers", None, where, self._frames.get(call.caller), seen.caller)
        if seen.ended == "result" and call.result is not None:
            self._same("call results", None, where, call.result, seen.value)
        elif seen.ended == "raised" and call.raised is not None:
            self._same("call raised", None, where, call.raised, seen.value)
        elif seen.ended and (call.result is not None or call.raised is not None):
            self._wrong("call end", None, f"{where} {seen.ended} {seen.value}")

    def _names(
        self,
        kind: str,
        block: Block | None,
        at: str,
        said: Mapping[str, Value],
        seen: Mapping[str, Value],
        spare: set[str],
    ) -> None:
        for name, value in said.items():
            if name not in spare:
                self._same(kind, block, f"{at} {name}", value, seen.get(name))
        self._found.counts[f"not recorded {kind}"] += len(seen.keys() - said.keys())

    def _same(self, kind: str, block: Block | None, at: str, said: object, seen: object) -> None:
        if said != seen and _unordered(said, seen):
            self._found.counts["ambiguous values"] += 1
            return
        self._found.counts[kind] += 1
        if said != seen:
            self._wrong(kind, block, f"{at}: said {_brief(said)}, is {_brief(seen)}")

    def _wrong(self, kind: str, block: Block | None, what: str) -> None:
        place = f"line {block.span.first_line} {block.kind} " if block else ""
        self._found.wrong.append(f"{kind}: {place}{what}")


def _unordered(said: object, seen: object) -> bool:
    """Sets of objects have another order in each run: what is left out of them differs too."""
    if not isinstance(said, Value) or not isinstance(seen, Value):
        return False
    if "{<" not in said.text or "{<" not in seen.text:
        return False
    same = said.type == seen.type and said.size == seen.size
    parts = [sorted(re.split(r"[{}, ]+", value.text)) for value in (said, seen)]
    return same and (said.truncated or parts[0] == parts[1])


def _brief(thing: object) -> str:
    if isinstance(thing, Value):
        return f"{thing.type} {thing.text[:60]}{' (cut)' if thing.truncated else ''}"
    return str(thing)
