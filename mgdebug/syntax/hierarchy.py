"""Files -> Hierarchy: subfunctions, their blocks, who calls whom, and the order of repair.

The order is MGDebugger's ("From Code to Correctness", Shi et al. 2024): what is called is
repaired before what calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mgdebug.model import Hierarchy
from mgdebug.syntax.broken import intact
from mgdebug.syntax.calls import Follow, Resolver
from mgdebug.syntax.drafts import MODULE, Reading
from mgdebug.syntax.source import SourceFile
from mgdebug.syntax.structure import read

__all__ = ["MODULE", "bottom_up", "decompose"]


def decompose(sources: Iterable[SourceFile], follow: Follow | None = None) -> Hierarchy:
    """The hierarchy of some files.  Deterministic: it depends on the texts and their order only.

    follow: reads the file at a path of the project, None if there is none.  It is asked for what
    the files import when a call needs it; the files that it gives are part of the hierarchy, behind
    the others.  Without it, calls resolve among the sources alone.
    """

    def load(path: str) -> Reading | None:
        source = follow(path) if follow else None
        return _reading(source) if source else None

    resolved = list(Resolver(load).resolve(_reading(source) for source in sources))
    found = [draft.finished() for reading in resolved for draft in reading.drafts]
    subfunctions = {subfunction.id: subfunction for subfunction in found}
    return Hierarchy(subfunctions, bottom_up({s.id: (*s.children, *s.calls) for s in found}))


def _reading(source: SourceFile) -> Reading:
    """A file; of one that does not parse what is intact, and each broken stretch as a subfunction
    of its own, inside the one that it interrupts."""
    if not source.tree.root_node.has_error:
        return read(source, source.tree)
    found = intact(source)
    reading = read(source, found.tree)
    for stretch in found.broken:
        reading.add_error(stretch)
    return reading


def bottom_up(edges: Mapping[str, Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Strongly connected components, callees first (Tarjan 1972, without recursion).
    edges: each name with the names that it needs; ties go by the order of the mapping."""
    order: list[tuple[str, ...]] = []
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    for root in edges:
        if root in number:
            continue
        work = [(root, iter(edges[root]))]
        number[root] = low[root] = len(number)
        path.append(root)
        on_path.add(root)
        while work:
            name, targets = work[-1]
            for target in targets:
                if target not in number:
                    number[target] = low[target] = len(number)
                    path.append(target)
                    on_path.add(target)
                    work.append((target, iter(edges[target])))
                    break
                if target in on_path:
                    low[name] = min(low[name], number[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == number[name]:
                    group = [path.pop()]
                    while group[-1] != name:
                        group.append(path.pop())
                    on_path.difference_update(group)
                    order.append(tuple(sorted(group, key=number.__getitem__)))
    return tuple(order)
