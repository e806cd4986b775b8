"""What the libraries that a subfunction calls really look like here: names, versions, signatures.

Nothing is guessed: the project's own interpreter is asked, in a state that a case came to.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from mgdebug.proposers import Brief
from mgdebug.runner.evaluate import State
from mgdebug.syntax.literals import literal

MOST = 6  # functions that are told
LONGEST = 200  # characters of what is told of one


def called(brief: Brief) -> list[str]:
    """Functions that a subfunction calls by names that its file imports."""
    source, own = brief.source, brief.subfunction
    captures = source.grammar.captures("calls", source.tree.root_node)
    known = {source.slice(n.start_byte, n.end_byte) for n in captures.get("imported", ())}
    found: dict[str, None] = {}
    for node in (*captures.get("called", ()), *captures.get("method", ())):
        if not own.span.start <= node.start_byte < own.span.end:
            continue
        whole = node
        while whole.parent is not None and whole.parent.end_byte == node.end_byte:
            whole = whole.parent
        text = source.slice(whole.start_byte, whole.end_byte)
        if text.partition(".")[0] in known and text.replace(".", "_").isidentifier():
            found.setdefault(text)
    return [*found][:MOST]


def signatures(brief: Brief) -> Iterator[str]:
    """A line for each of them that is neither of the standard library nor hidden from inspection:
    "np.clip(a, a_min, a_max)  # numpy 2.1.0"."""
    names = called(brief)
    state = _reached(brief)
    if not names or state is None or brief.lab is None:
        return
    asking = brief.language.vocabulary().signature
    asked = [f"({asking.replace('{0}', name)})[:{LONGEST}]" for name in names]
    for row in brief.lab.evaluate(asked, [state])[:1]:
        for name, gave in zip(names, row, strict=True):
            if gave.value is None or gave.value.truncated:
                continue
            try:
                whose, _, told = str(literal(gave.value.text)).partition("|")
            except ValueError:
                continue
            if whose.partition(" ")[0] not in sys.stdlib_module_names:
                yield f"{name}{told}  # {whose.strip()}"


def _reached(brief: Brief) -> State | None:
    """The first moment that a traced case was in the subfunction."""
    own = {block.id for block in brief.subfunction.blocks}
    for trace in brief.traces:
        for visit in trace.visits:
            if visit.block in own and visit.number:
                return State(trace.case, visit.block, visit.number)
    return None
