"""Which cases a try of a patch runs, in what order, and for how long."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from mgdebug.model import Outcome, Status

PROCESSOR_FLOOR, WALL_FLOOR = 0.06, 1.0  # the least that a case may take in a try
PATIENCE, QUICK_SECONDS = 8, 0.1  # failing cases that a try may fail before it is given up


@dataclass(frozen=True, slots=True)
class Plan:
    """Which cases a try runs, and when it stops.

    failing are run first, the slow ones last; a try ends when none of the first `patience` of
    them passes.  Else a second process runs all in their own order, because cases do lean on
    those before them, and ends at the first of `passing` that fails.  order: () for the failing,
    then the passing ones.  limits: wall and processor seconds by case.
    """

    failing: tuple[str, ...]
    passing: tuple[str, ...]
    order: tuple[str, ...] = ()
    patience: int = 1
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Plan:
        """outcomes: in the order of the cases.  A case may take a multiple of what it took; one
        that did not end a multiple of what the slowest other took."""
        found = [o for o in outcomes if o.status is not Status.SKIPPED]
        known = sorted(found, key=lambda o: (o.status is Status.TIMEOUT, o.seconds))
        ended = [o for o in known if o.status is not Status.TIMEOUT]
        slowest = max((o.seconds for o in ended), default=0.0)
        busiest = max((o.processor for o in ended), default=0.0)
        limits = {}
        for o in known:
            wall = slowest if o.status is Status.TIMEOUT else o.seconds
            processor = busiest if o.status is Status.TIMEOUT else o.processor
            limits[o.case] = (_limit(wall, WALL_FLOOR), _limit(processor, PROCESSOR_FLOOR))
        quick = sum(o.seconds <= QUICK_SECONDS for o in known if not o.status.ok)
        return cls(
            # The slow ones last; the others in their order, because cases lean on those before.
            tuple(
                o.case
                for o in sorted(found, key=lambda o: o.seconds > QUICK_SECONDS and o.seconds)
                if not o.status.ok
            ),
            tuple(o.case for o in known if o.status.ok),
            tuple(o.case for o in found),
            min(PATIENCE, max(1, quick)),
            limits,
        )

    def without(self, cases: Collection[str]) -> Plan:
        """The plan of the other cases."""
        return replace(
            self,
            failing=tuple(c for c in self.failing if c not in cases),
            passing=tuple(c for c in self.passing if c not in cases),
            order=tuple(c for c in self.order if c not in cases),
        )

    def led_by(self, cases: Collection[str]) -> Plan:
        """The plan with some of the failing cases before the others, but for the slow ones."""
        quick = _limit(QUICK_SECONDS, WALL_FLOOR)

        def key(case: str) -> tuple[bool, bool]:
            return self.limits.get(case, (0.0, 0.0))[0] > quick, case not in cases

        return replace(self, failing=tuple(sorted(self.failing, key=key)))

    def after(self, gained: Collection[str]) -> Plan:
        """The plan once some failing cases pass."""
        return replace(
            self,
            failing=tuple(c for c in self.failing if c not in gained),
            passing=(*self.passing, *(c for c in self.failing if c in gained)),
        )


def _limit(seconds: float, floor: float) -> float:
    """Ten times what a quick case took, twice what a slow one did."""
    return max(floor, min(10 * seconds, 2 * seconds + 0.5))
