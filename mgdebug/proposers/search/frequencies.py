"""How often each family of changes was the right one: measured, and kept in frequencies.json."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from statistics import median

WEIGHT, MOST = 0.3, 0.6  # of the measured bits that count, and how far they move a cost


def shift_of(family: str) -> float:
    """Bits by which the cost of a family's offers moves, 0 for one that was not counted."""
    return _shifts().get(family, 0.0)


@cache
def _shifts() -> dict[str, float]:
    """What is more frequent than most becomes cheaper, within bounds: the counts are small, and the
    costs say already what is likelier within a family.  One is added to each count (Laplace)."""
    counted = json.loads(Path(__file__).with_name("frequencies.json").read_text("utf-8"))
    counts: dict[str, int] = counted["families"]
    total = sum(counts.values()) + len(counts)
    bits = {family: -math.log2((count + 1) / total) for family, count in counts.items()}
    middle = median(bits.values()) if bits else 0.0
    return {
        family: round(max(-MOST, min(MOST, WEIGHT * (value - middle))), 3)
        for family, value in bits.items()
    }
