"""What the search stands on, and what of it each subfunction is tried with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mgdebug import judge, suspects
from mgdebug.model import Case, Failure, Hierarchy, Patch, Suspect, Trace, Verdict
from mgdebug.runner import Plan
from mgdebug.syntax.source import SourceFile


@dataclass(frozen=True)
class Ground:
    """What the search stands on.  disk: the files as the user has them; now: with the patches
    accepted so far; the rest was measured on `now`.  allowed: ids of the subfunctions that may be
    changed.  imported: ids of the blocks that ran while the project was imported."""

    disk: Mapping[str, SourceFile]
    now: Mapping[str, SourceFile]
    hierarchy: Hierarchy
    traces: tuple[Trace, ...]
    suspects: tuple[Suspect, ...]
    plan: Plan
    cases: tuple[Case, ...] = ()
    failures: tuple[Failure, ...] = ()
    allowed: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()

    def runs_at_import(self, name: str) -> bool:
        """Whether a subfunction runs while the project is imported: to try it is to do that."""
        own = self.hierarchy.subfunctions[name]
        return not own.kind.called or any(block.id in self.imported for block in own.blocks)

    def sources(self, patch: Patch | None = None) -> dict[str, bytes]:
        """What a run is to see in place of the disk."""
        changed = judge.patched(self.now, patch) if patch else {}
        files = {**self.now, **changed}
        return {path: f.data for path, f in files.items() if f.data != self.disk[path].data}


@dataclass(frozen=True, slots=True)
class Progress:
    """A patch that made some failing cases pass, `gained` of them, and broke none."""

    patch: Patch
    verdict: Verdict
    gained: int


def plan_of(name: str, ground: Ground) -> Plan:
    """The cases that can tell something of a subfunction: those that reach it, and those that
    fail and were not traced.  Code that runs during an import reaches all cases.  (The winner is
    run with the whole suite.)  Its own cases, which call it themselves, come first."""
    subfunction = ground.hierarchy.subfunctions[name]
    if not subfunction.kind.called:
        return ground.plan
    reached = suspects.reaching(subfunction, ground.traces)
    untraced = set(ground.plan.failing) - {trace.case for trace in ground.traces}
    own = suspects.direct(name, ground.traces)
    return ground.plan.without(set(ground.plan.order) - reached - untraced).led_by(own)


def levels(ground: Ground) -> list[list[str]]:
    """Suspects that are called, by how many calls lie between them and the leaves."""
    names = {suspect.subfunction for suspect in ground.suspects}
    # What serves the cases to tell what is right is not asked about while there is anything else.
    names = names - suspects.oracles(ground.hierarchy, ground.traces) or names
    height: dict[str, int] = {}
    for group in ground.hierarchy.order:
        subs = [ground.hierarchy.subfunctions[name] for name in group]
        below = [height[c] for s in subs for c in s.calls if c in height and c not in group]
        level = max(below, default=-1) + any(name in names for name in group)
        height.update(dict.fromkeys(group, level))
    called = [n for n in height if n in names and ground.hierarchy.subfunctions[n].kind.called]
    return [
        found
        for at in sorted(set(height.values()))
        if (found := [n for n in called if height[n] == at])
    ]


def apart(one: Patch, two: Patch) -> bool:
    """Whether no edit of one patch touches an edit of another."""
    return all(
        a.path != b.path or a.end < b.start or b.end < a.start for a in one.edits for b in two.edits
    )


def is_wider(patch: Patch, ground: Ground) -> bool:
    """Whether a patch changes more than its subfunction."""
    own = ground.hierarchy.subfunctions.get(patch.subfunction)
    return own is not None and any(
        e.path != own.path or not (own.whole.start <= e.start and e.end <= own.whole.end)
        for e in patch.edits
    )
