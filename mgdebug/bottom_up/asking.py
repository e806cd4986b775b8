"""The way of those who are paid: from the leaves of the hierarchy to the whole, and down again
(MGDebugger's order, "From Code to Correctness", Shi et al. 2024)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from mgdebug.bottom_up import BottomUp
from mgdebug.bottom_up.ground import Ground, levels
from mgdebug.bottom_up.line import Line
from mgdebug.bottom_up.near import Near
from mgdebug.events import Event
from mgdebug.proposers import Paid


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks the proposers of a search.  beside: None where they are left alone."""

    search: BottomUp
    beside: Near | None

    def __call__(self, ground: Ground) -> Iterator[Event]:
        """Ask about the leaves of the hierarchy, then about what calls them, up to the whole, and
        down again; subfunctions that do not depend on each other side by side.  Ends with anything
        to keep, and when on a whole way up and down nobody was asked anything."""
        search = self.search
        search.progress = []
        ways, known = levels(ground), search.sound
        while True:
            before = search.tried, self._asked()
            for level in [*ways, *reversed(ways[:-1])]:
                lines = [search.line(name, ground) for name in level]
                try:
                    yield from self._turns(lines, ground)
                finally:
                    for line in lines:
                        line.talk.close()
                yield from search.together(ground)
                if search.spent() or search.progress or search.sound > known:
                    return
            if before == (search.tried, self._asked()):
                return

    def _turns(self, lines: Sequence[Line], ground: Ground) -> Iterator[Event]:
        """A patch of each line at a time, until one is plausible; beside one that a proposer made
        by itself it may make others."""
        search = self.search
        search.missed.clear()
        for turn in count(1):
            known, before = search.sound, len(search.plausible)
            yield from search.round(lines, turn, ground)
            missed, search.missed = search.missed, []
            if search.sound > known:
                helped = {patch.subfunction for patch in search.plausible[before:]}
                again = [line for line in lines if line.subfunction in helped]
                yield from search.round(again, None, ground)
                return
            if self.beside is not None and missed:
                yield from self.beside.here(ground)
            for patch in {patch.subfunction: patch for patch in missed}.values():
                if self.beside is not None and search.sound == known and not search.spent():
                    yield from self.beside.around(patch, ground)
            if search.sound > known or search.spent() or all(line.is_over for line in lines):
                return

    def _asked(self) -> int:
        """How many calls were made so far."""
        paid = [one.spent for one in self.search.proposers if isinstance(one, Paid)]
        return sum(spent.calls + spent.kept for spent in paid)
