"""How often the change of each operator was the right one, from folders that `mgdebug bench FILE
--out DIR` kept: `python -m mgdebug.bench.frequencies DIR...` prints what
proposers/search/frequencies.json holds."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from mgdebug.bench.running import scores

HOW = (
    "Rows of {names}, repaired with `mgdebug bench`: of each row the operator of the likeliest"
    " patch that the judge called right; two, if it was two edits. {right} of {rows} rows had one."
)


def counted(folders: Iterable[Path]) -> dict[str, object]:
    """What the file holds: how it was counted, and the counts by the name of the operator, the most
    frequent first.  Raises UsageError for a folder without scores."""
    found: Counter[str] = Counter()
    names: dict[str, None] = {}
    rows = right = 0
    for folder in folders:
        for score in scores(folder).values():
            names[score.id.partition("/")[0].partition(":")[0]] = None
            rows += 1
            right += bool(score.family)
            found.update(family for family in score.family.split("+") if family)
    how = HOW.format(names=", ".join(sorted(names)), right=right, rows=rows)
    order = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return {"counted": how, "families": dict(order)}


if __name__ == "__main__":
    print(json.dumps(counted(map(Path, sys.argv[1:])), indent=2))
