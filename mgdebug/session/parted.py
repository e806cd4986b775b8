"""Where a failing run parts from a passing one, and which visit made a call.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mgdebug.divergence import missing, part
from mgdebug.model import Call, Trace

AHEAD = 64  # visits within which two runs that have parted may meet again
MOST_PARTINGS = 200


def partings(failing: Trace, passing: Trace) -> tuple[int, ...]:
    """The places where a failing run parts from a passing one, the first one as divergence.part has
    it.

    From there on the two are compared call by call, where the same visit made both calls: where
    they part, both go on at the nearest block and iteration that both come to (a greedy
    resynchronisation within AHEAD visits), else that call has no further parting.  Linear in the
    number of visits; ends at MOST_PARTINGS.
    """
    parting = part(failing, passing)
    if parting is None or not failing.visits:
        return ()
    last = parting.last[0] if parting.last else len(failing.visits) - 1
    first = last if parting.one is None else parting.one
    mine, theirs = _Tree(failing), _Tree(passing)
    found = {first}
    pairs = mine.paired(theirs, None, None)
    while pairs and len(found) < MOST_PARTINGS:
        one, other = pairs.pop()
        for place, match in _compared(mine, theirs, one, other):
            if match is not None:
                pairs += mine.paired(theirs, place, match)
            elif place > first:
                found.add(place)
    return tuple(sorted(found)[:MOST_PARTINGS])


class _Tree:
    """The calls of a trace under the visits that made them."""

    def __init__(self, trace: Trace) -> None:
        self.visits = trace.visits
        self.gaps = missing(trace)
        self.places: dict[int, list[int]] = {}
        for place, visit in enumerate(trace.visits):
            self.places.setdefault(visit.frame, []).append(place)
        made_by = makers(trace)
        self.made: dict[int | None, list[int]] = {}
        for frame in self.places:
            self.made.setdefault(made_by.get(frame), []).append(frame)

    def paired(self, other: _Tree, here: int | None, there: int | None) -> list[tuple[int, int]]:
        """The calls that two visits made, as far as they are of the same subfunctions."""
        both = zip(self.made.get(here, ()), other.made.get(there, ()), strict=False)
        return [(a, b) for a, b in both if self._owner(a) == other._owner(b)]

    def _owner(self, frame: int) -> str:
        return self.visits[self.places[frame][0]].block.rpartition("#")[0]

    def key(self, place: int) -> tuple[str, int]:
        visit = self.visits[place]
        return visit.block, visit.iteration


def _compared(mine: _Tree, theirs: _Tree, one: int, other: int) -> Iterator[tuple[int, int | None]]:
    """Two calls: places of the first with the same visit of the other, None where they part."""
    here, there = mine.places[one], theirs.places[other]
    i = j = 0
    while i < len(here) and j < len(there):
        if mine.key(here[i]) == theirs.key(there[j]):
            yield here[i], there[j]
            i, j = i + 1, j + 1
            continue
        if here[i] not in mine.gaps and there[j] not in theirs.gaps:
            yield here[i], None
        ahead: dict[tuple[str, int], int] = {}
        for step, place in enumerate(there[j : j + AHEAD]):
            ahead.setdefault(theirs.key(place), step)
        keys = enumerate(mine.key(place) for place in here[i : i + AHEAD])
        both = ((step + ahead[key], step, ahead[key]) for step, key in keys if key in ahead)
        meet = min(both, default=None)
        if meet is None:
            return
        i, j = i + meet[1], j + meet[2]
    if len(here) - i != len(there) - j:
        yield here[min(i, len(here) - 1)], None


# -------------------------------------------------------------------------------------- calls


def makers(trace: Trace) -> dict[int, int]:
    """The place of the visit that made a call, by the call's frame.  Where the one that did was not
    kept, the last visit before of the nearest call around it that was."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for place, visit in enumerate(trace.visits):
        first.setdefault(visit.frame, place)
        last[visit.frame] = place
    places = {(v.frame, v.index): place for place, v in enumerate(trace.visits)}
    calls = {call.frame: call for call in trace.calls}
    latest: dict[int, int] = {}  # visit of each frame, before the one that is looked at
    found: dict[int, int] = {}
    around: dict[int, int] = {}  # without calls: they are numbered as they begin
    for place, visit in enumerate(trace.visits):
        frame = visit.frame
        if first[frame] == place and calls:
            maker = _maker(frame, calls, places, latest)
            if maker is not None and maker < place:
                found[frame] = maker
        elif first[frame] == place and place:
            outer = trace.visits[place - 1].frame
            while outer in around and not (outer < frame and last[outer] > place):
                outer = around[outer]
            if 0 < outer < frame and last[outer] > place:
                around[frame], found[frame] = outer, latest[outer]
        latest[frame] = place
    return found


def _maker(
    frame: int,
    calls: dict[int, Call],
    places: dict[tuple[int, int], int],
    latest: dict[int, int],
) -> int | None:
    call, seen = calls.get(frame), {frame}
    while call is not None:
        if (call.caller, call.visit) in places:
            return places[call.caller, call.visit]
        if call.caller and call.caller in latest:
            return latest[call.caller]
        if call.caller in seen:
            return None
        seen.add(call.caller)
        call = calls.get(call.caller)
    return None
