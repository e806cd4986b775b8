"""Which blocks are to blame, from which cases visited them.

Ochiai's coefficient (Ochiai 1957; for faults: Abreu, Zoeteweij and van Gemund 2007) over basic
blocks: failing visits over the root of all failures times all visits.  Pure: traces in, suspects
out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from mgdebug.model import Hierarchy, Subfunction, Suspect, Trace


def reaching(subfunction: Subfunction, traces: Iterable[Trace]) -> set[str]:
    """The cases that visited a subfunction: no other one can tell whether its patch is right."""
    own = {block.id for block in subfunction.blocks}
    return {t.case for t in traces if not own.isdisjoint(t.hits)}


def rank(
    hierarchy: Hierarchy, traces: Iterable[Trace], imported: Collection[str] = ()
) -> tuple[Suspect, ...]:
    """Suspects, the worst first; blocks that no failing case visited are left out.

    imported: blocks that ran while the project was imported: every case depends on them.
    Ties go to what the cases themselves ran, then to the later block: what runs last before a
    failure is the likelier culprit.
    """
    traces = tuple(traces)
    failing = [t for t in traces if not t.status.ok]
    passing = [t for t in traces if t.status.ok]
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
            suspect = Suspect(subfunction.id, block.id, round(score, 4), why)
            found.append((-suspect.score, always, -position, suspect))
    return tuple(suspect for *_, suspect in sorted(found, key=lambda item: item[:3]))


def oracles(hierarchy: Hierarchy, traces: Iterable[Trace]) -> set[str]:
    """Subfunctions that cases call themselves besides a caller of theirs: they serve to tell what
    is right, and so are trusted longer."""
    called = {call.subfunction for t in traces for call in t.calls if not call.caller}
    return {
        name
        for other in called & hierarchy.subfunctions.keys()
        for name in hierarchy.subfunctions[other].calls
        if name in called and name != other
    }
