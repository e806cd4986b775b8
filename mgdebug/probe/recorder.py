"""What the probes report, for one case after another: the log of a run and how often each block
was visited.

At first every visit is recorded, so that each probe hands over only what may have changed since the
last one.  Once any block has had its first visits, or the room is used up (see `Budget`), visits
are left out: from then on a record holds all that its block reads, and the probes of its
subfunction wait for the next boundary of the same frame, which tells what the block left.  Visits
between are counted by iterators.  Parts of expressions go their own way: nobody waits for them.
"""

import sys
import types
from _thread import get_ident
from itertools import count, repeat
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from .keep import ABSENT, Room, Taken, keeper
from .reports import MAKERS, caller, caught, line_of_error, looked_up
from .sites import (
    BEGIN,
    COUNTERS,
    FIRST_SITE,
    FRAME,
    NAME_ERROR,
    NEXT,
    OFFSET,
    RECORDERS,
    Builder,
    Site,
)
from .snapshot import snapshot
from .transcript import transcript

_ENDLESS = 1 << 60
_PATIENCE = 128  # visits of others while a frame waits
_CHUNK = 1024  # visits between two looks at the room that is left


class Budget(NamedTuple):
    """What is kept of a case.

    first: visits of a block that are kept, the first ones; parts: the same of a part of an
    expression.  last: of the last ones, where it is known how many there will be.  growth: of the
    distance between those kept in the middle.  records, items: of the whole log, an item being one
    element of a container that is kept; looked at now and then, so that a few more may be kept.
    """

    first: int = 64
    parts: int = 8
    last: int = 16
    growth: float = 1.5
    records: int = 20000
    items: int = 400000


USUAL = Budget()
EVERY = Budget(first=_ENDLESS, parts=_ENDLESS, records=360000, items=800000)  # about 64 MB


class Recorder:
    """owners: for each block the number of its subfunction.

    Its builder makes the probes; `bind` connects code that has them.
    """

    def __init__(self, owners: Iterable[int]) -> None:
        self.owners = list(owners)
        self.blocks = len(self.owners)
        self.sites: List[Site] = []
        self.builder = Builder(self.sites, self.owners)
        self.counters: List[Any] = [None] * OFFSET
        self.recorders: List[Any] = [None] * (OFFSET + FIRST_SITE)
        self.log: List[Tuple[Any, ...]] = []
        self.room = Room()
        self.keep = keeper(self.room)
        self.waiting: Dict[int, int] = {}  # frames whose next boundary is to be recorded: owners
        self.begun: Dict[int, int] = {}  # the block that was recorded last in a frame that is asked
        self._grants: Dict[int, List[Any]] = {}  # by counter: set how many visits are recorded
        self._frames: Dict[int, int] = {}
        self._of: Dict[int, List[int]] = {}  # the counters of a subfunction
        self._parts: Set[int] = set()  # counters of parts of expressions
        self.values = False
        self._main = get_ident()
        self.clear()

    # ------------------------------------------------------------------------ the code

    def bind(self, code: types.CodeType) -> types.CodeType:
        """The code with its probes connected to this recorder."""
        self._finish()
        return self._bound(code)

    def _bound(self, code: types.CodeType) -> types.CodeType:
        lists = {COUNTERS: self.counters, RECORDERS: self.recorders}
        consts = tuple(
            self._bound(const)
            if isinstance(const, types.CodeType)
            else lists.get(const, const)
            if type(const) is str
            else const
            for const in code.co_consts
        )
        return code.replace(co_consts=consts)

    def _finish(self) -> None:
        """Functions for the sites that are new."""
        made = (len(self.recorders) - OFFSET - FIRST_SITE) // 2
        for site in self.sites[made:]:
            record, asking, grant = MAKERS[site.kind](site, self)
            self.recorders += [record, asking]
            if site.counter >= 0:
                self._grants.setdefault(site.counter, []).append(grant)
                self._of.setdefault(site.owner, []).append(site.counter)
                if site.kind == "part":
                    self._parts.add(site.counter)
        self.clear(self.values)

    # ------------------------------------------------------------------------ the cases

    def clear(
        self,
        values: bool = False,
        budget: Budget = USUAL,
        expected: Optional[Dict[int, int]] = None,
    ) -> None:
        """Start with the next case.

        values: keep them, or count visits only.  expected: how often each block will be visited,
        from a run before, so that the last visits can be kept.
        """
        self.values, self.budget = values, budget
        self.expected = expected or {}
        size = len(self.owners)
        self.log.clear()
        self.waiting.clear()
        self.begun.clear()
        self.room.left = budget.items
        self.closed = not values
        self.gapped = False
        self.raised: Dict[int, int] = {}
        self.failed: Dict[int, int] = {}  # conditions without a probe that raised an exception
        self.total = [0] * size
        self.granted = [0 if values else _ENDLESS] * size
        self.due = [1] * size
        self.kept = [0] * size
        if values:
            self.counters[OFFSET:] = [_SPENT] * size
        else:
            self.counters[OFFSET:] = [repeat(1, _ENDLESS) for _ in range(size)]
        self._in_vain = 0
        self.loose: Set[int] = set()  # parts that have had their first visits
        for counter, grants in self._grants.items():
            self.kept[counter] = min(self.first(counter), _CHUNK) if values else 0
            for grant in grants:
                grant(self.kept[counter])
        numbers = count(1).__next__
        self._next = numbers
        self._frames.clear()
        self.recorders[OFFSET + NEXT] = numbers
        self.recorders[OFFSET + BEGIN] = self._begin
        self.recorders[OFFSET + FRAME] = self._frame
        self.recorders[OFFSET + NAME_ERROR] = NameError

    def first(self, counter: int) -> int:
        return self.budget.parts if counter in self._parts else self.budget.first

    def _begin(self) -> int:
        """A frame that cannot be named in itself."""
        number: int = self._next()
        self._frames[id(sys._getframe(1))] = number
        return number

    def _frame(self) -> int:
        return self._frames.get(id(sys._getframe(1)), 0)

    # ---------------------------------------------------------------------- visits

    def visit(
        self,
        site: Site,
        frame: int,
        values: Tuple[Any, ...],
        where: Optional[types.FrameType] = None,
    ) -> int:
        """A visit that the fast way does not take.  Returns 0 if it is recorded, else 1, also where
        only the boundary is.  where: the frame itself, if it is not that of the caller's caller."""
        counter = site.counter
        if self.closed:
            self._settle(counter)
            self.granted[counter] = _ENDLESS
            self.counters[OFFSET + counter] = repeat(1, _ENDLESS)
            return 1
        if not self.gapped:
            if self._has_room() and self.kept[counter] < self.first(counter):
                more = min(_CHUNK, self.first(counter) - self.kept[counter])
                self.kept[counter] += more
                for grant in self._grants[counter]:
                    grant(more - 1)
                few = values[: len(site.names)]
                self.log.append((site.number, frame, *map(self.keep, few)))
                return 0
            self._open_gap()
        number = self._settle(counter) + 1
        self.total[counter] = number
        due = number >= self.due[counter]
        waited = frame in self.waiting
        told = 1
        if (due or waited) and self._has_room():
            sign = number if due else -number
            if site.kind == "call" and get_ident() != self._main:
                self.log.append((None, frame, "thread", get_ident()))
            if due:
                for condition, _ in site.implies:
                    times = self.asked(condition)
                    self.log.append((None, frame, "asked", condition, times))
            self.log.append((~site.number, frame, sign, *map(self.keep, values)))
            told = 0 if due else 1
            if site.kind == "call":
                self.log.append((None, frame, "caller", caller(where or sys._getframe(2))))
        if self.waiting and not (due or waited):
            self._in_vain += 1
            if self._in_vain > _PATIENCE:
                self._give_up()
        self.waiting.pop(frame, None)
        if due:
            self.due[counter] = self._after(counter, number)
            if not told and site.kind != "end" and not site.final:
                self._wait(frame, site.owner)
        self._arm(counter)
        return told

    def part(self, site: Site, frame: int, values: Tuple[Any, ...]) -> int:
        """The same for a part of a block, which nobody waits for."""
        counter = site.counter
        if self.closed:
            return self.visit(site, frame, values)
        if not self.gapped and counter not in self.loose:
            if self.kept[counter] < self.first(counter):
                return self.visit(site, frame, values)
            self.loose.add(counter)
            self.total[counter] = self.kept[counter]
            self.due[counter] = self._after(counter, self.kept[counter])
        number = self._settle(counter) + 1
        self.total[counter] = number
        due = number >= self.due[counter]
        told = 1
        if due:
            self.due[counter] = self._after(counter, number)
            if self._has_room() and (frame or not site.framed):
                self.log.append((~site.number, frame, number, *map(self.keep, values)))
                told = 0
        self._arm(counter)
        return told

    def _has_room(self) -> bool:
        if len(self.log) < self.budget.records and self.room.left > 0:
            return True
        if self.gapped:
            self.closed = True
        return False

    def _open_gap(self) -> None:
        """From now on visits are left out."""
        for grants in self._grants.values():
            for grant in grants:
                grant(0)
        self.gapped = True
        sites, total, waiting = self.sites, self.total, self.waiting
        for record in list(self.log):
            if record[0] is None:
                continue
            if record[0] < 0:  # a part
                continue
            site, frame = sites[record[0]], record[1]
            if site.counter >= 0 and site.counter not in self.loose:
                total[site.counter] += 1
            if site.kind in ("return", "answer", "raise", "end"):
                waiting.pop(frame, None)
            elif site.kind in ("enter", "call", "handler", "finally"):
                if site.final:
                    waiting.pop(frame, None)
                else:
                    waiting[frame] = site.owner
        for counter in range(len(total)):
            if counter not in self.loose:
                self.due[counter] = self._after(counter, total[counter])

    def _after(self, counter: int, number: int) -> int:
        """Which visit is the next one to record."""
        if number < self.first(counter):
            return number + 1
        following = max(number + 1, int(number * self.budget.growth))
        expected = self.expected.get(counter)
        if expected is not None and number < expected:
            following = min(following, max(number + 1, expected - self.budget.last + 1))
        return following

    def _settle(self, counter: int) -> int:
        """How many visits there were before this one, as far as the counter knows."""
        granted = self.granted[counter]
        if granted:
            left = self.counters[OFFSET + counter].__length_hint__()
            self.total[counter] += granted - left
            self.granted[counter] = 0
        return self.total[counter]

    def asked(self, condition: int) -> int:
        """How often a condition without a probe was asked."""
        times = self.failed.get(condition, 0)
        for block in self.builder.arms[condition]:
            times += self.total[block]
            if self.granted[block]:
                left = self.counters[OFFSET + block].__length_hint__()
                times += self.granted[block] - left
        return times

    def _arm(self, counter: int) -> None:
        """How many visits pass before the next look.  While a frame waits, none do."""
        waited = self.owners[counter] in self.waiting.values()
        distance = 0 if waited else self.due[counter] - self.total[counter] - 1
        self.granted[counter] = distance
        self.counters[OFFSET + counter] = repeat(1, distance) if distance > 0 else _SPENT

    def _give_up(self) -> None:
        """The frames that wait are far up the stack, and those below them are many."""
        for frame in list(self.waiting):
            self.log.append((None, frame, "lost", 0))
        self.waiting.clear()
        self._in_vain = 0

    def _wait(self, frame: int, owner: int) -> None:
        if not self.waiting:
            self._in_vain = 0
        self.waiting[frame] = owner
        for counter in self._of.get(owner, ()):
            if self.granted[counter]:
                self._settle(counter)
                self.counters[OFFSET + counter] = _SPENT

    # ------------------------------------------------------------------ what else is told

    def ask(self, site: Site, frame: int, where: types.FrameType, take: Any) -> int:
        """A visit whose probe hands nothing over.  take: whether it is one of the first ones."""
        if take is not None and take():
            values = looked_up(where, site.names)
            self.log.append((site.number, frame, *map(self.keep, values)))
            if site.tells:
                self.log.append((None, frame, "caller", caller(where)))
            told = 0
        else:
            told = self.visit(site, frame, looked_up(where, (*site.names, *site.more)), where)
        self.begun[frame] = -1 if told else site.block
        return told

    def leaves(self, site: Site, frame: int, where: types.FrameType) -> None:
        """An exception leaves a frame, or a with in it."""
        lines = self.builder.lines.get(site.owner) if site.kind == "raise" else None
        asked = lines.get(line_of_error(), ()) if lines else ()
        for condition in asked:
            self.failed[condition] = self.failed.get(condition, 0) + 1
        if self.closed or not frame:
            return
        waited = frame in self.waiting
        if site.kind == "raise":
            self.waiting.pop(frame, None)
        seen = self.raised.get(site.number, 0)
        self.raised[site.number] = seen + 1
        if waited or seen < self.budget.first:
            for condition in asked:
                names = self.builder.needs[condition]
                for name, value in zip(names, looked_up(where, names)):
                    kept = value if value is ABSENT else Taken(snapshot(value, name))
                    self.log.append((None, frame, "holds", name, kept))
            self.log.append((site.number, frame, *caught(hides=site.hides)))

    def report(self) -> Dict[str, Any]:
        """The case so far, ready for JSON: see transcript."""
        found: Dict[str, Any] = transcript(self)
        return found


_SPENT: Any = iter(())
next(_SPENT, None)
