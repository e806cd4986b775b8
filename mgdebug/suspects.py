"""Which blocks are to blame, from which cases visited them.

Ochiai's coefficient (Ochiai 1957; for faults: Abreu, Zoeteweij and van Gemund 2007) over basic
blocks: failing visits over the root of all failures times all visits.  Pure: traces in, suspects
out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable

from mgdebug.model import Call, Hierarchy, Subfunction, Suspect, Trace

EXONERATED = 0.6  # of the score is left to what gave the same in passing cases


def reaching(subfunction: Subfunction, traces: Iterable[Trace]) -> set[str]:
    """The cases that visited a subfunction: no other one can tell whether its patch is right."""
    own = {block.id for block in subfunction.blocks}
    return {t.case for t in traces if not own.isdisjoint(t.hits)}


def rank(
    hierarchy: Hierarchy, traces: Iterable[Trace], imported: Collection[str] = ()
) -> tuple[Suspect, ...]:
    """Suspects, the worst first; blocks that no failing case visited are left out.

    imported: blocks that ran while the project was imported: every case depends on them.
    A subfunction whose recorded pairs of input and output exonerate it scores less.
    Ties go to what the cases themselves ran, then to the later block: what runs last before a
    failure is the likelier culprit.
    """
    traces = tuple(traces)
    failing = [t for t in traces if not t.status.ok]
    passing = [t for t in traces if t.status.ok]
    cleared = exonerated(traces)
    found = []
    for subfunction in hierarchy.subfunctions.values():
        for position, block in enumerate(subfunction.blocks):
            always = block.id in imported
            failed = sum(always or block.id in t.hits for t in failing)
            passed = sum(always or block.id in t.hits for t in passing)
            if not failed:
                continue
            score = failed / math.sqrt(len(failing) * (failed + passed))
            why = f"in {failed} of {len(failing)} failing, {passed} of {len(passing)} passing cases"
            if subfunction.id in cleared:
                score *= EXONERATED
                why += ", with the same calls and results"
            suspect = Suspect(subfunction.id, block.id, round(score, 4), why)
            found.append((-suspect.score, always, -position, suspect))
    return tuple(suspect for *_, suspect in sorted(found, key=lambda item: item[:3]))


def exonerated(traces: Iterable[Trace]) -> set[str]:
    """Subfunctions that gave in failing cases, for each input, what they gave for it in passing
    ones.  Only those whose calls are all recorded, with whole values."""
    good: dict[str, set[str]] = defaultdict(set)
    asked: dict[str, set[str]] = defaultdict(set)
    unclear = set()
    for trace in traces:
        for call in trace.calls:
            pair = _pair(call)
            if trace.status.ok:
                good[call.subfunction].add(pair)
            elif pair:
                asked[call.subfunction].add(pair)
            else:
                unclear.add(call.subfunction)
        if trace.dropped and not trace.status.ok:
            unclear.update(call.subfunction for call in trace.calls)
    return {name for name, pairs in asked.items() if pairs <= good[name]} - unclear


def _pair(call: Call) -> str:
    """An input and its output as text, "" where they are not wholly known."""
    values = [*call.arguments.items(), ("return", call.result)]
    if not call.arguments or any(v is None or v.truncated for _, v in values):
        return ""
    return "\0".join(f"{name}={v.type}:{v.text}" for name, v in values if v is not None)


def direct(name: str, traces: Iterable[Trace]) -> set[str]:
    """The cases that call a subfunction themselves."""
    return {t.case for t in traces for c in t.calls if c.subfunction == name and not c.caller}


def oracles(hierarchy: Hierarchy, traces: Iterable[Trace]) -> set[str]:
    """Subfunctions that cases call themselves besides a caller of theirs: they serve to tell what
    is right, and so are trusted longer; but not one that a failing case calls and nothing else."""
    traces = tuple(traces)
    called = {call.subfunction for t in traces for call in t.calls if not call.caller}
    accused = set()
    for trace in traces:
        own = {call.subfunction for call in trace.calls if not call.caller}
        if len(own) == 1 and not trace.status.ok:
            accused |= own
    return {
        name
        for other in called & hierarchy.subfunctions.keys()
        for name in hierarchy.subfunctions[other].calls
        if name in called - accused and name != other
    }
