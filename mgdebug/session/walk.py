"""A trace as something to walk through: where its visits lead to, and what they left.

A place is the place of a visit among those that a trace has kept.  What is looked up is sorted
once, so that a step costs the logarithm of the number of visits.  Pure.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from mgdebug.model import Block, BlockVisit, Call, Hierarchy, Subfunction, Trace, Value
from mgdebug.session.parted import makers, partings
from mgdebug.states import called, ended, gaps, telling

__all__ = ["Walk", "partings"]

ARGUMENT_CHARACTERS = 60
LOOKED_BACK = 2_000  # visits of one call that a history goes back
_STEPS = {  # and why one leads nowhere
    "next": "this is the last visit",
    "previous": "this is the first visit",
    "into": "this visit makes no call that was recorded",
    "out": "what made this call was not recorded",
    "over": "this is the call's last visit",
    "next_same": "this is the block's last visit",
    "previous_same": "this is the block's first visit",
    "next_parting": "no divergence behind this visit",
    "previous_parting": "no divergence before this visit",
}


class Walk:
    """One run.  partings: places where it parts from a passing run; why: how it does first, in
    words.  Making one takes about 3 microseconds a visit."""

    def __init__(
        self,
        trace: Trace,
        hierarchy: Hierarchy,
        *,
        partings: Iterable[int] = (),
        why: str = "",
    ) -> None:
        self.trace, self.hierarchy, self.why = trace, hierarchy, why
        self.count = len(trace.visits)
        self.partings = tuple(sorted({p for p in partings if 0 <= p < self.count}))
        self._numbers: dict[str, int] = {}  # of the blocks that were visited
        self._frames: dict[int, int] = {}
        blocks, frames = array("Q"), array("Q")
        for visit in trace.visits:
            blocks.append(self._numbers.setdefault(visit.block, len(self._numbers)))
            frames.append(self._frames.setdefault(visit.frame, len(self._frames)))
        self._by_block, self._by_frame = _Groups(blocks), _Groups(frames)
        many = len(self._numbers)
        self._by_both = _Groups(
            array("Q", (f * many + b for f, b in zip(frames, blocks, strict=True)))
        )
        self._calls = {call.frame: call for call in trace.calls}
        self._makers = makers(trace)
        self._first_call: dict[int, int] = {}  # the first visit of the first call, by its maker
        for frame, maker in self._makers.items():
            begun = self._by_frame.after(self._frames[frame], -1)
            if begun is not None:
                self._first_call[maker] = min(begun, self._first_call.get(maker, begun))
        self._gaps = gaps(trace)
        self._blocks = _blocks(trace, hierarchy)

    # -------------------------------------------------------------------------------- steps

    def clamped(self, place: int) -> int:
        """The nearest place that there is; 0 in a run with no visits."""
        return max(0, min(place, self.count - 1))

    def next(self, place: int) -> int | None:
        """The visit that began next, in whatever call; None behind the last one."""
        return place + 1 if place + 1 < self.count else None

    def previous(self, place: int) -> int | None:
        return place - 1 if 0 < place <= self.count else None

    def into(self, place: int) -> int | None:
        """The first visit of the first call that was made during this one; None if it made none, or
        none that was kept."""
        return self._first_call.get(place)

    def out(self, place: int) -> int | None:
        """The visit that made this call: what the call gave stands there, among what that visit
        left.  So `out` takes back `into`, and each step of it is one call further up."""
        return self._makers.get(self.trace.visits[place].frame)

    def over(self, place: int) -> int | None:
        """The next visit of the same call, behind the calls that this one made."""
        return self._by_frame.after(self._frame(place), place)

    def next_same(self, place: int) -> int | None:
        """The next visit of the same block, in whatever call."""
        return self._by_block.after(self._numbers[self.trace.visits[place].block], place)

    def previous_same(self, place: int) -> int | None:
        return self._by_block.before(self._numbers[self.trace.visits[place].block], place)

    def next_parting(self, place: int) -> int | None:
        at = bisect_right(self.partings, place)
        return self.partings[at] if at < len(self.partings) else None

    def previous_parting(self, place: int) -> int | None:
        at = bisect_left(self.partings, place)
        return self.partings[at - 1] if at else None

    def step(self, name: str, place: int) -> tuple[int | None, str]:
        """Where one of the steps above leads to, by its name, and "", or None and why nowhere."""
        if not self.count:
            return None, "no visit of this run was kept"
        found: int | None = getattr(self, name)(place)
        return found, _STEPS[name] if found is None else ""

    def parts(self, place: int) -> bool:
        """Whether the run parts from the passing one here."""
        at = bisect_left(self.partings, place)
        return at < len(self.partings) and self.partings[at] == place

    def nearest(self, path: str, line: int, place: int) -> int | None:
        """The visit nearest to `place` of a block that holds a line; None if none does."""
        found: list[int] = []
        for name, (_, block) in self._blocks.items():
            span = block.span
            if span.first_line <= line <= span.last_line and name.partition("::")[0] == path:
                number = self._numbers[name]
                ends = self._by_block.upto(number, place), self._by_block.after(number, place)
                found += [end for end in ends if end is not None]
        return min(found, key=lambda p: abs(p - place), default=None)

    # ------------------------------------------------------------------------ what is there

    def visit(self, place: int) -> BlockVisit:
        return self.trace.visits[place]

    def block(self, place: int) -> Block | None:
        """None where the code has no such block any more."""
        found = self._blocks.get(self.trace.visits[place].block)
        return found[1] if found else None

    def subfunction(self, place: int) -> Subfunction | None:
        found = self._blocks.get(self.trace.visits[place].block)
        return found[0] if found else None

    def path(self, place: int) -> str:
        return self.trace.visits[place].block.partition("::")[0]

    def line(self, place: int) -> int:
        """The first line of the block; 1 where that is not known."""
        block = self.block(place)
        return block.span.first_line if block else 1

    def call(self, place: int) -> Call | None:
        """None for code of a module or class, and where nothing is kept of the call."""
        return self._calls.get(self.trace.visits[place].frame)

    def called(self, place: int) -> str:
        """The call with its arguments, or the name of what runs."""
        call = self.call(place)
        name = self.trace.visits[place].block.rpartition("#")[0].partition("::")[2]
        return called(call, ARGUMENT_CHARACTERS) if call else name

    def ended(self, place: int) -> str:
        """How the call ended, at its last visit; "" elsewhere."""
        call = self.call(place)
        if call is None or self.over(place) is not None:
            return ""
        return next(ended(call, ARGUMENT_CHARACTERS), "")

    def gap(self, place: int) -> int:
        """How many visits just before this one are counted only."""
        return self._gaps.get(place, 0)

    # ------------------------------------------------------------------------------- values

    def beside(self, place: int) -> dict[str, int]:
        """Of the same call, the last visit of each block up to this one, the latest first."""
        if not self.count:
            return {}
        base = self._frame(place) * len(self._numbers)
        found: dict[str, int] = {}
        owner = self.trace.visits[place].block.rpartition("#")[0]
        subfunction = self.hierarchy.subfunctions.get(owner)
        for block in subfunction.blocks if subfunction else ():
            number = self._numbers.get(block.id)
            last = None if number is None else self._by_both.upto(base + number, place)
            if last is not None:
                found[block.id] = last
        found.setdefault(self.trace.visits[place].block, place)
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def names(self, place: int) -> list[str]:
        """The variables of a call, the most telling first: those that the visit changes, writes,
        reads; then those of the visits before it."""
        if not self.count:
            return []
        visit = self.trace.visits[place]
        before, after = telling(visit.before), telling(visit.after)
        found = dict.fromkeys(n for n, v in after.items() if n in before and before[n] != v)
        found |= dict.fromkeys((*after, *before))
        for at in self.beside(place).values():
            other = self.trace.visits[at]
            found |= dict.fromkeys((*telling(other.after), *telling(other.before)))
        call = self.call(place)
        found |= dict.fromkeys(telling(call.arguments) if call else ())
        return list(found)

    def history(self, place: int, name: str, most: int) -> tuple[list[Value], bool]:
        """The last values, at most so many, that a variable had in a call up to the end of a visit,
        the oldest first, and whether there may be older ones; the same twice counts once."""
        found: list[Value] = []
        if not self.count:
            return found, False
        frame, looked = self._frame(place), 0
        at: int | None = place
        while at is not None and looked < LOOKED_BACK:
            visit = self.trace.visits[at]
            for value in (visit.after.get(name), visit.before.get(name)):
                if value is not None and (not found or found[-1] != value):
                    found.append(value)
            if len(found) > most:
                return found[most - 1 :: -1] if most else [], True
            at, looked = self._by_frame.before(frame, at), looked + 1
        call = self.call(place)
        given = call.arguments.get(name) if call and at is None else None
        if given is not None and (not found or found[-1] != given):
            found.append(given)
        return found[:most][::-1], at is not None or len(found) > most

    def value(self, place: int, name: str) -> tuple[Value | None, Value | None]:
        """A variable before a visit and after it, as far as the call has shown it."""
        visit = self.trace.visits[place]
        if name in visit.after and name in visit.before:
            return visit.before[name], visit.after[name]
        last, _ = self.history(place, name, 2)
        if name in visit.after:
            return (last[0] if len(last) > 1 else None), visit.after[name]
        now = last[-1] if last else None
        return now, now

    def _frame(self, place: int) -> int:
        return self._frames[self.trace.visits[place].frame]


class _Groups:
    """Places in groups, as sorted numbers: which place of a group comes before or behind one."""

    def __init__(self, groups: Sequence[int]) -> None:
        """groups: of each place."""
        self.count = len(groups)
        self.keys = array("Q", sorted(g * self.count + p for p, g in enumerate(groups)))

    def before(self, group: int, place: int) -> int | None:
        return self._at(bisect_left(self.keys, group * self.count + place) - 1, group)

    def upto(self, group: int, place: int) -> int | None:
        return self._at(bisect_right(self.keys, group * self.count + place) - 1, group)

    def after(self, group: int, place: int) -> int | None:
        return self._at(bisect_right(self.keys, group * self.count + place), group)

    def _at(self, at: int, group: int) -> int | None:
        if not 0 <= at < len(self.keys):
            return None
        own, place = divmod(self.keys[at], self.count)
        return place if own == group else None


def _blocks(trace: Trace, hierarchy: Hierarchy) -> dict[str, tuple[Subfunction, Block]]:
    """The blocks that were visited, by their ids."""
    known = hierarchy.subfunctions
    owners = {visit.block.rpartition("#")[0] for visit in trace.visits}
    visited = {visit.block for visit in trace.visits}
    return {
        block.id: (known[owner], block)
        for owner in owners & set(known)
        for block in known[owner].blocks
        if block.id in visited
    }
