"""What a trace of millions of visits holds.  A process of its own: MODE VISITS."""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path

from mgdebug.bench.traced import Traced

PROGRAM = """\
def work(n):
    total = 0
    for i in range(n):
        if i & 1:
            total += i
        else:
            total ^= i
    return total
"""


def _peak() -> int:
    """Bytes.  On Linux the peak of getrusage is inherited from whoever started this process."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) << 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def main(mode: str, visits: int) -> None:
    """Prints what the memory grew by, and what is kept and dropped."""
    traced = Traced(PROGRAM, mode=mode)
    space = traced.namespace()
    traced.clear()
    space["work"](10)
    traced.trace()
    traced.clear()
    before = _peak()
    space["work"](visits // 2)
    grown = _peak() - before
    trace = traced.trace()
    found = {
        "grown": grown,
        "read": _peak() - before,
        "hits": sum(trace.hits.values()),
        "kept": len(trace.visits),
        "dropped": trace.dropped,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
