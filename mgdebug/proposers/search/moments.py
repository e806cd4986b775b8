"""The moments of the recorded runs before a block, and words that tell one from the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mgdebug.model import Block, BlockKind, Trace
from mgdebug.proposers.search.sites import Scope
from mgdebug.runner.evaluate import State

# Visits of one block: of one failing case, of one passing case, of all cases of a kind.
OF_FAILING, OF_PASSING, AT_MOST = 8, 3, 16
_NAME = re.compile(r"(?<![\w.'\"])[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Moments:
    """States before one block, those of failing cases first.

    failing: how many of them are a failing case's.  whole: failing cases that came to the block
    in these states alone.
    """

    states: tuple[State, ...]
    failing: int
    whole: frozenset[str]


def moments(block: Block, traces: Iterable[Trace]) -> Moments:
    """The first visits of a block in each case."""
    found: dict[bool, list[State]] = {False: [], True: []}
    whole = set()
    for trace in traces:
        ok = trace.status.ok
        most = OF_PASSING if ok else OF_FAILING
        states = [
            State(trace.case, block.id, visit.number)
            for visit in trace.visits
            if visit.block == block.id and visit.number
        ][:most]
        room = AT_MOST - len(found[ok])
        if not ok and states and len(states) <= room and len(states) == trace.hits[block.id]:
            whole.add(trace.case)
        found[ok] += states[:room]
    failing, passing = found[False], found[True]
    return Moments((*failing, *passing), len(failing), frozenset(whole))


def block_at(scope: Scope, start: int, end: int) -> Block | None:
    """The innermost block that an expression stands in; of a statement the one that it begins
    with."""
    blocks = scope.brief.subfunction.blocks
    around = [b for b in blocks if b.span.start <= start and end <= b.span.end]
    if around:
        return min(around, key=lambda b: b.span.end - b.span.start)
    first = min((b for b in blocks if start <= b.span.start < end), key=_start, default=None)
    return first if first is not None and first.kind is not BlockKind.LOOP else None


def _start(block: Block) -> int:
    return block.span.start


def changed_before(scope: Scope, block: Block, start: int) -> frozenset[str]:
    """Names that a block may have changed by the time it comes to a place in it: what they were
    before the block says nothing there."""
    earlier = names_in(scope.brief.source.slice(block.span.start, max(start, block.span.start)))
    return frozenset(block.writes) & earlier


def names_in(text: str) -> set[str]:
    """The names in a text, without attributes."""
    return set(_NAME.findall(text))


def telling(rows: Sequence[dict[str, str]], chosen: int, names: Sequence[str]) -> list[str]:
    """The fewest names, greedily, whose values tell one row from the others as well as all do.

    rows: of each state the texts of its values by name.
    """
    own = rows[chosen]
    left = [row for at, row in enumerate(rows) if at != chosen]
    found: list[str] = []
    while left:
        best = max(
            (n for n in names if n in own and n not in found),
            key=lambda n: sum(row.get(n) != own[n] for row in left),
            default=None,
        )
        if best is None:
            break
        rest = [row for row in left if row.get(best) == own[best]]
        if len(rest) == len(left):
            break
        found.append(best)
        left = rest
    return found
