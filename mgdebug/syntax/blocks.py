"""The basic blocks of a file, from the query blocks.scm of its grammar.

A run is a series of simple statements with one entry and one exit, as in LDB (Zhong et al.,
"Debug like a Human", 2024); conditions and the headers of loops, withs, handlers and arms are
blocks of their own, because what they read decides where the control goes.  So are the parts of an
expression that do not run just once: what `and`, `or` and conditional expressions may skip, and
what a comprehension does for each element.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter

import tree_sitter

from mgdebug.model import BlockKind, Exit, Span
from mgdebug.syntax.grammar import Captures
from mgdebug.syntax.source import SourceFile

_HEADERS = (BlockKind.LOOP, BlockKind.WITH, BlockKind.HANDLER, BlockKind.CASE)
_WORDS = (BlockKind.TRY, BlockKind.FINALLY)  # blocks that are one word
_PARTS = (BlockKind.ARM, BlockKind.EACH)


@dataclass(slots=True, eq=False)
class Place:
    """A block before it has an owner and so an id.

    over: the stretch, from start to end in bytes, whose running it decides; (0, 0) if there is
    none.  depth: how many scopes of expressions there are around it.
    """

    kind: BlockKind
    start: int
    end: int
    over: tuple[int, int] = (0, 0)
    exit: Exit | None = None
    parent: Place | None = None
    depth: int = 0
    reads: dict[str, None] = field(default_factory=dict)
    writes: dict[str, None] = field(default_factory=dict)

    def span(self, source: SourceFile) -> Span:
        return source.stretch(self.start, self.end)


def places(source: SourceFile, captures: Captures) -> Iterator[Place]:
    """All blocks of a file, without the names: those of module code, of bodies of classes and of
    nested functions included."""
    over = {node.id: (node.start_byte, node.end_byte) for node in captures.get("over", ())}
    for kind in (BlockKind.CONDITION, *_WORDS):
        for node in captures.get(kind, ()):
            whole = over.get(node.parent.id, (0, 0)) if node.parent else (0, 0)
            yield Place(kind, node.start_byte, node.end_byte, whole)
    for kind in _HEADERS:
        bodies = {b.parent.id: b for b in captures.get(f"{kind}.body", ()) if b.parent}
        for node in captures.get(kind, ()):
            text = source.text[node.start_byte : bodies[node.id].start_byte].rstrip()
            end = node.start_byte + len(text)
            yield Place(kind, node.start_byte, end, (node.start_byte, node.end_byte))
    for kind in _PARTS:
        for node in captures.get(kind, ()):
            yield Place(kind, node.start_byte, node.end_byte)
    for node in captures.get("lambda.body", ()):
        yield Place(BlockKind.RUN, node.start_byte, node.end_byte, exit=Exit.RETURN)
    yield from _runs(source.text, captures)


_BLANK = b" \t\r\n\f\\;"


def _runs(text: bytes, captures: Captures) -> Iterator[Place]:
    """A run goes on while statement follows statement in the same suite."""
    exits = {n.id: way for way in Exit for n in captures.get(f"exit.{way}", ())}
    idle = {node.id for node in captures.get("idle", ())}
    simple = {node.id: node for node in captures.get("simple", ())}
    places = [(n.start_byte, -n.end_byte, 0, n) for n in captures.get("suite", ())]
    places += [(n.start_byte, -n.end_byte, 1, n) for n in simple.values()]
    places.sort(key=itemgetter(0, 1, 2))
    run: Place | None = None  # of the innermost suite, and its last statement
    last: tree_sitter.Node | None = None
    outer: list[tuple[int, Place | None, tree_sitter.Node | None]] = []
    limit = len(text) + 1  # where the innermost suite ends
    for start, minus_end, is_simple, node in places:
        end = -minus_end
        while limit < end:
            if run is not None:
                yield run
            limit, run, last = outer.pop()
        if not is_simple:
            outer.append((limit, run, last))
            limit, run, last = end, None, None
        elif run is not None and start < run.end:
            continue  # the definition under a decorator
        elif (
            run is not None
            and run.exit is None
            and last is not None
            and (not text[run.end : start].strip(_BLANK) or _side_by_side(last, node, simple))
        ):
            run.end, run.exit, last = end, exits.get(node.id), node
        elif run is not None or node.id not in idle:
            if run is not None:
                yield run
            run, last = Place(BlockKind.RUN, start, end, exit=exits.get(node.id)), node
    for left in (run, *(pair[1] for pair in outer)):
        if left is not None:
            yield left


def _side_by_side(
    left: tree_sitter.Node, right: tree_sitter.Node, simple: dict[int, tree_sitter.Node]
) -> bool:
    between = left.next_named_sibling
    while between is not None and between.id != right.id:
        if not between.is_extra and between.id not in simple:
            return False
        between = between.next_named_sibling
    return True
