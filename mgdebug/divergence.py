"""Where two runs part: which passing run lies nearest to a failing one, and the first place where
the two do not do the same.  Pure: traces in, places out.

Nearest: the one whose blocks differ least (Renieris and Reiss, "Fault localization with nearest
neighbor queries", 2003).  Runs are compared call by call, so that threads and generators that take
turns differently do not part for that alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mgdebug.model import BlockVisit, Hierarchy, Trace, Value
from mgdebug.syntax.source import SourceFile

CODE_CHARACTERS = 40  # of a line that is cited


class Parting(StrEnum):
    WAY = "way"  # another block follows
    END = "end"  # one run goes on where the other one does not
    VALUE = "value"  # the same block leaves another value


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first place where two traces part.

    one, other: places among their visits, None where a run has no further visit there.  last: the
    places of the last visit before, of the same call where there is one; None where nothing is
    before.
    name, was, now: of a value that differs; name is "" for a result.  sure: False where visits were
    left out just before, so that they may have parted earlier.
    """

    kind: Parting
    one: int | None
    other: int | None
    last: tuple[int, int] | None = None
    name: str = ""
    was: Value | None = None
    now: Value | None = None
    sure: bool = True


def nearest(failing: Trace, passing: Iterable[Trace]) -> list[Trace]:
    """Passing traces, the nearest first: whose set of blocks differs least; among equals the one
    that goes along longest, then the one whose counts differ least."""
    mine = set(failing.hits)

    def distance(trace: Trace) -> tuple[int, int, int]:
        counts = sum(
            abs(failing.hits.get(block, 0) - trace.hits.get(block, 0))
            for block in mine | set(trace.hits)
        )
        along = zip(failing.visits, trace.visits, strict=False)
        pairs = enumerate((a.block, b.block) for a, b in along)
        shorter = min(len(failing.visits), len(trace.visits))
        alike = next((at for at, (a, b) in pairs if a != b), shorter)
        return len(mine ^ set(trace.hits)), -alike, counts

    return sorted(passing, key=distance)


def missing(trace: Trace) -> dict[int, int]:
    """How many visits are left out just before a kept one, by its place: those of the same block,
    counted by the numbers of its visits.  Places with none are absent."""
    found: dict[int, int] = {}
    seen: dict[str, int] = {}
    for place, visit in enumerate(trace.visits):
        gap = visit.number - seen.get(visit.block, 0) - 1
        if gap > 0:
            found[place] = gap
        seen[visit.block] = max(visit.number, seen.get(visit.block, 0))
    return found


def part(one: Trace, other: Trace, *, values: bool = False) -> Divergence | None:
    """The first place where two traces part, None if they do not.

    values: whether values count: for two runs of the same case, whose code differs.  Runs of
    different cases part where another block follows.  A value that a call left counts before what
    it made of the block that called.
    """
    mine, theirs = _Run(one), _Run(other)
    found = []
    for here, there in zip(mine.frames, theirs.frames, strict=False):
        parting = _along(mine, theirs, here, there, values)
        if parting is not None:
            found.append(parting)
    more = len(mine.frames) - len(theirs.frames)
    if more > 0:
        place = mine.frames[len(theirs.frames)][0]
        found.append(Divergence(Parting.END, place, None, sure=place not in mine.gaps))
    elif more < 0:
        place = theirs.frames[len(mine.frames)][0]
        found.append(Divergence(Parting.END, None, place, sure=place not in theirs.gaps))
    found.sort(key=lambda d: min(_place(d.one, one), _place(d.other, other)))
    first = next((d for d in found if not _explained(d, found, mine)), None)
    if first is None or first.last is not None:
        return first
    before = _place(first.one, one) - 1, _place(first.other, other) - 1
    return replace(first, last=before if min(before) >= 0 else None)


def why(
    parting: Divergence,
    one: Trace,
    other: Trace,
    hierarchy: Hierarchy,
    sources: Mapping[str, SourceFile],
) -> str:
    """In words: "after line 4 `n < 3` (True here, False there): line 5 `n = 3` here, the end
    there"."""
    places = _Places(hierarchy, sources)
    if parting.kind is Parting.VALUE and parting.one is not None:
        name = f"`{parting.name}`" if parting.name else "the result"
        was, now = (v.text if v else "not there" for v in (parting.was, parting.now))
        text = f"{places.line(one.visits[parting.one])}: {name} is {was} here, {now} there"
    else:
        here = places.following(one, parting.one)
        there = places.following(other, parting.other)
        text = f"{here} here, {there} there"
        if parting.last is not None:
            a, b = one.visits[parting.last[0]], other.visits[parting.last[1]]
            gave = ""
            if a.result != b.result and a.result is not None and b.result is not None:
                gave = f" ({a.result.text} here, {b.result.text} there)"
            text = f"after {places.line(a)}{gave}: {text}"
    return text if parting.sure else f"{text} (or earlier, in visits that were not kept)"


@dataclass(frozen=True, slots=True)
class _Places:
    """Blocks in words."""

    hierarchy: Hierarchy
    sources: Mapping[str, SourceFile]

    def following(self, trace: Trace, place: int | None) -> str:
        return "the end" if place is None else self.line(trace.visits[place])

    def line(self, visit: BlockVisit) -> str:
        block = self.hierarchy.block(visit.block)
        if block is None:
            return visit.block
        source = self.sources.get(visit.block.partition("::")[0])
        text = source.slice(block.span.start, block.span.end) if source else ""
        words = " ".join(text.split("\n")[0].split())
        if len(words) > CODE_CHARACTERS:
            words = f"{words[: CODE_CHARACTERS - 3]}..."
        return f"line {block.span.first_line}" + f" `{words}`" * bool(words)


def narrowed(
    trace: Trace, blocks: Iterable[str] | None = None, names: Iterable[str] | None = None
) -> Trace:
    """A trace of some blocks, with the values of some names; None for all of them."""
    if names is not None:
        wanted = set(names)
        visits = tuple(
            replace(v, before=_only(v.before, wanted), after=_only(v.after, wanted))
            for v in trace.visits
        )
        calls = tuple(replace(c, arguments=_only(c.arguments, wanted)) for c in trace.calls)
        trace = replace(trace, visits=visits, calls=calls)
    if blocks is not None:
        chosen = set(blocks)
        visits = tuple(v for v in trace.visits if v.block in chosen)
        hits = {block: count for block, count in trace.hits.items() if block in chosen}
        frames = {v.frame for v in visits}
        calls = tuple(c for c in trace.calls if c.frame in frames)
        dropped = max(0, sum(hits.values()) - len(visits))
        trace = replace(trace, visits=visits, hits=hits, calls=calls, dropped=dropped)
    return trace


# ------------------------------------------------------------------------------- call by call


class _Run:
    """The visits of a trace by the call that they belong to: their places, in order."""

    def __init__(self, trace: Trace) -> None:
        self.visits = trace.visits
        self.hits = trace.hits
        self.gaps = missing(trace)
        self.callers = {call.frame: call.caller for call in trace.calls}
        by_frame: dict[int, list[int]] = {}
        for place, visit in enumerate(trace.visits):
            by_frame.setdefault(visit.frame, []).append(place)
        self.frames = list(by_frame.values())
        self._by_frame = by_frame

    def made(self, visit: BlockVisit) -> bool:
        """Whether the run made such a visit too, kept or not."""
        return visit.number <= self.hits.get(visit.block, 0)

    def end(self, place: int) -> int:
        """The place of the visit that follows in the same call."""
        rest = (p for p in self._by_frame[self.visits[place].frame] if p > place)
        return next(rest, len(self.visits))

    def inside(self, frame: int, outer: int) -> bool:
        """Whether one call was made during another one."""
        if frame == outer:
            return False
        if not self.callers:
            return frame > outer  # they are numbered as they begin
        seen = set()
        while frame in self.callers and frame not in seen:
            seen.add(frame)
            frame = self.callers[frame]
            if frame == outer:
                return True
        return False


def _along(
    mine: _Run, theirs: _Run, here: Sequence[int], there: Sequence[int], values: bool
) -> Divergence | None:
    """Where one call of a run and one of the other part.  Where one trace has left out visits that
    the other has kept, both go on at the next one that is in both."""
    i = j = 0
    last: tuple[int, int] | None = None
    while i < len(here) or j < len(there):
        one = here[i] if i < len(here) else None
        other = there[j] if j < len(there) else None
        sure = one not in mine.gaps and other not in theirs.gaps
        if one is None or other is None:
            return Divergence(Parting.END, one, other, last, sure=sure)
        a, b = mine.visits[one], theirs.visits[other]
        if _key(a) != _key(b):
            ahead = None if sure else _meet(mine, theirs, here[i:], there[j:])
            if ahead is None:
                return Divergence(Parting.WAY, one, other, last, sure=sure)
            i, j = i + ahead[0], j + ahead[1]
            continue
        for name, was, now in _differences(a, b) if values else ():
            return Divergence(Parting.VALUE, one, other, last, name, was, now)
        last, i, j = (one, other), i + 1, j + 1
    return None


def _key(visit: BlockVisit) -> tuple[str, int]:
    return visit.block, visit.number


def _meet(
    mine: _Run, theirs: _Run, here: Sequence[int], there: Sequence[int]
) -> tuple[int, int] | None:
    """How far to go in either to the next visit that both have kept, if only such are passed over
    as the other run made too."""
    places = {_key(theirs.visits[place]): j for j, place in reversed([*enumerate(there)])}
    for i, place in enumerate(here):
        j = places.get(_key(mine.visits[place]))
        if j is not None:
            passed = all(theirs.made(mine.visits[p]) for p in here[:i])
            passed = passed and all(mine.made(theirs.visits[p]) for p in there[:j])
            return (i, j) if passed else None
    return None


def _differences(a: BlockVisit, b: BlockVisit) -> Iterator[tuple[str, Value | None, Value | None]]:
    for name in a.before:
        if name in b.before and a.before[name] != b.before[name]:
            yield name, a.before[name], b.before[name]
    if a.raised != b.raised or a.result != b.result:
        yield "", a.raised or a.result, b.raised or b.result
    for name in [*a.after, *(name for name in b.after if name not in a.after)]:
        if a.after.get(name) != b.after.get(name):
            yield name, a.after.get(name), b.after.get(name)


def _explained(parting: Divergence, found: Sequence[Divergence], mine: _Run) -> bool:
    """Whether a value differs because of what a call did while the block was running."""
    start = parting.one
    if parting.kind is not Parting.VALUE or start is None:
        return False
    frame, end = mine.visits[start].frame, mine.end(start)
    return any(
        d.one is not None and start < d.one < end and mine.inside(mine.visits[d.one].frame, frame)
        for d in found
    )


def _place(place: int | None, trace: Trace) -> int:
    return len(trace.visits) if place is None else place


def _only(values: Mapping[str, Value], names: set[str]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name in names}
