"""The basic blocks of a file, from the query blocks.scm of its grammar.

A run is a series of simple statements with one entry and one exit, as in LDB (Zhong et al.,
"Debug like a Human", 2024); conditions and the headers of loops, withs and handlers are
blocks of their own, because what they read decides where the control goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tree_sitter

from mgdebug.model import Block, BlockKind, Span
from mgdebug.syntax.source import SourceFile

Captures = dict[str, list[tree_sitter.Node]]


@dataclass(frozen=True, slots=True)
class RawBlock:
    """A block before it has an owner and so an id."""

    kind: BlockKind
    span: Span
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    def owned(self, block_id: str) -> Block:
        return Block(block_id, self.kind, self.span, self.reads, self.writes)


def find_blocks(source: SourceFile) -> list[RawBlock]:
    """All blocks of a file in the order of the text, module code, bodies of classes and nested
    functions included."""
    captures = source.grammar.captures("blocks", source.tree.root_node)
    bodies = [(None, source.span(node)) for node in captures.get("body", ())]
    places = sorted(
        (*bodies, *_places(source, captures)),  # a body holds the run that fills it
        key=lambda place: (place[1].start, -place[1].end),
    )
    reads: list[dict[str, None]] = [{} for _ in places]
    writes: list[dict[str, None]] = [{} for _ in places]
    labels = {node.start_byte for node in captures.get("label", ())}
    written = {node.start_byte for node in captures.get("write", ())}
    updated = {node.start_byte for node in captures.get("update", ())}
    spans = [span for _, span in places]
    for node, at in innermost(captures.get("identifier", ()), spans):
        if at is None or node.start_byte in labels:
            continue
        name = source.slice(node.start_byte, node.end_byte)
        if node.start_byte in written or node.start_byte in updated:
            writes[at][name] = None
        if node.start_byte not in written:
            reads[at][name] = None
    return [
        RawBlock(kind, span, tuple(reads[i]), tuple(writes[i]))
        for i, (kind, span) in enumerate(places)
        if kind is not None
    ]


def innermost(
    nodes: Sequence[tree_sitter.Node], spans: Sequence[Span]
) -> Iterator[tuple[tree_sitter.Node, int | None]]:
    """Each node with the index of the smallest span that holds it.  Both are sorted by their start,
    larger spans first; spans nest and never cross."""
    stack: list[int] = []
    following = 0
    for node in nodes:
        while following < len(spans) and spans[following].start <= node.start_byte:
            stack.append(following)
            following += 1
        # A span that ended before this node never holds a later one.
        while stack and spans[stack[-1]].end < node.end_byte:
            stack.pop()
        yield node, stack[-1] if stack else None


def _places(source: SourceFile, captures: Captures) -> Iterator[tuple[BlockKind, Span]]:
    for node in captures.get("condition", ()):
        yield BlockKind.CONDITION, source.span(node)
    for name in (BlockKind.LOOP, BlockKind.WITH, BlockKind.HANDLER):
        bodies = {b.parent.id: b for b in captures.get(f"{name}.body", ()) if b.parent}
        for node in captures.get(name, ()):
            text = source.text[node.start_byte : bodies[node.id].start_byte].rstrip()
            end = node.start_byte + len(text)
            last = source.line_of(max(node.start_byte, end - 1))
            yield name, Span(node.start_byte, end, source.line_of(node.start_byte), last)
    yield from _runs(source, captures)


def _runs(source: SourceFile, captures: Captures) -> Iterator[tuple[BlockKind, Span]]:
    simple = {node.id: node for node in captures.get("simple", ())}
    jumps = {node.id for node in captures.get("jump", ())}
    idle = {node.id for node in captures.get("idle", ())}
    open_run: dict[int, list[tree_sitter.Node]] = {}  # by parent
    for node in simple.values():
        parent = node.parent
        if parent is None or parent.id in simple:
            continue  # the definition under a decorator
        run = open_run.setdefault(parent.id, [])
        if node.id in idle and not run:
            continue
        if run and (run[-1].id in jumps or not _side_by_side(run[-1], node, simple)):
            yield BlockKind.RUN, _joined(source, run)
            run.clear()
        run.append(node)
    for run in open_run.values():
        if run:
            yield BlockKind.RUN, _joined(source, run)


def _side_by_side(
    left: tree_sitter.Node, right: tree_sitter.Node, simple: dict[int, tree_sitter.Node]
) -> bool:
    between = left.next_named_sibling
    while between is not None and between.id != right.id:
        if not between.is_extra and between.id not in simple:
            return False
        between = between.next_named_sibling
    return True


def _joined(source: SourceFile, run: list[tree_sitter.Node]) -> Span:
    first, last = source.span(run[0]), source.span(run[-1])
    return Span(first.start, last.end, first.first_line, last.last_line)
