"""Which statements of a module failing cases depend on.  Every case has run all of them, while the
module was imported, so that visits tell nothing; who reads what they bind does."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping

from mgdebug.model import Hierarchy, Subfunction, SubfunctionKind
from mgdebug.syntax.scopes import Names, Use
from mgdebug.syntax.source import SourceFile

READ = 0.5  # of the score of a block is that of the statement whose name it reads


def read_by_suspects(
    source: SourceFile, hierarchy: Hierarchy, scores: Mapping[str, float]
) -> list[tuple[int, int, float]]:
    """The statements of a module that bind names which suspicious blocks of its functions read:
    first byte, end, score.  scores: from 0 to 1, of blocks by their ids."""
    inside = [*_inside(source, hierarchy)]
    blocks = [
        (block.span, scores[block.id])
        for subfunction in inside
        for block in subfunction.blocks
        if block.id in scores
    ]
    if not blocks or "flow" not in source.grammar.queries:
        return []
    names = Names(source)
    readers: dict[str, float] = defaultdict(float)
    for span, found in blocks:
        for place in names.standing(span.start, span.end):
            if place.use is Use.READ and place.scope.owner(place.name) is None:
                readers[place.name] = max(readers[place.name], found)
    statements = source.tree.root_node.children
    definitions = [one.whole.start if one.whole.end else one.span.start for one in inside]
    starts = [node.start_byte for node in statements]
    best: dict[int, float] = defaultdict(float)
    for place in names.places:
        if place.use in (Use.WRITE, Use.MAYBE) and place.scope.parent is None:
            at = bisect_right(starts, place.start) - 1
            best[at] = max(best[at], readers[place.name])
    chosen = []
    for at, found in sorted(best.items()):
        node = statements[at]
        defines = any(node.start_byte <= start < node.end_byte for start in definitions)
        if found and not defines and not source.grammar.captures("imports", node):
            chosen.append((node.start_byte, node.end_byte, READ * found))
    return chosen


def _inside(source: SourceFile, hierarchy: Hierarchy) -> Iterator[Subfunction]:
    for subfunction in hierarchy.subfunctions.values():
        if subfunction.path == source.path and subfunction.kind is not SubfunctionKind.MODULE:
            yield subfunction
