"""How well a model's own execution of the code agrees with what really happened.

The claim of simulated execution (MGDebugger 2024; CodeSim, Islam et al. 2025) is put to the test:
each `line N: name = value` of a reply is held against the trace.
"""

from __future__ import annotations

import re
from collections import defaultdict

from mgdebug.model import Hierarchy, Trace
from mgdebug.syntax.literals import same

SHOWN = 3  # claims that are corrected
_CLAIM = re.compile(r"^[ \t>*-]*line\s+(\d+)\s*:\s*`?([A-Za-z_]\w*)\s*=\s*(.+?)`?\s*$", re.M | re.I)


def agreement(text: str, trace: Trace, hierarchy: Hierarchy, first_line: int) -> str:
    """In words: how many of a reply's values are right, and what some others really were; "" where
    nothing can be compared.  first_line: of the code that the model was shown, whose own first
    line is 1."""
    really: dict[tuple[int, str], list[str]] = defaultdict(list)
    for visit in trace.visits:
        block = hierarchy.block(visit.block)
        if block is not None:
            for name, value in visit.after.items():
                for line in range(block.span.first_line, block.span.last_line + 1):
                    really[line, name].append(value.text)
    right, compared, wrong = 0, 0, []
    for number, name, said in _CLAIM.findall(text):
        values = really.get((int(number) + first_line - 1, name)) or really.get((int(number), name))
        if not values:
            continue
        compared += 1
        if any(same(said, value) for value in values):
            right += 1
        else:
            wrong.append(f"line {number}: {name} was really {', then '.join(values[:3])}")
    if not compared:
        return ""
    head = f"Of {compared} values that you gave, {right} are what the code really computes."
    return "\n".join([head, *wrong[:SHOWN]])
