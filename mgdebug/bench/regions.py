"""Which instruction of a program belongs to which of its blocks, by the positions that CPython
writes into its code.  Nothing of the probe is asked."""

from __future__ import annotations

import ast
import dis
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mgdebug.model import Block, BlockKind, Exit, Hierarchy, Subfunction, SubfunctionKind

INSIDE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>")
WORDS = (BlockKind.TRY, BlockKind.FINALLY, BlockKind.CASE, BlockKind.HANDLER)
_HEAD_ENDS = {
    BlockKind.LOOP: ("FOR_ITER", "GET_ANEXT", "GET_AITER"),
    BlockKind.WITH: ("BEFORE_WITH", "BEFORE_ASYNC_WITH"),
}
_NOWHERE = ("RESUME", "CACHE", "COPY_FREE_VARS", "MAKE_CELL")
# In a comprehension they have the place of its last test.
_GATHERING = ("YIELD_VALUE", "RETURN_VALUE", "POP_TOP", "LIST_APPEND", "SET_ADD", "MAP_ADD")
_IDLE = ("NOP", "RESUME", "CACHE")


@dataclass(slots=True)
class Layout:
    """The instructions of one code object.

    owner: the subfunction that it is code of.  whole: whether it is all of it, rather than a
    comprehension or a nameless lambda in it.  table: for each instruction the blocks that it is
    in; None where it has no place.  names: of the operations.
    """

    owner: Subfunction
    whole: bool
    table: list[tuple[int, ...] | None] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


class Regions:
    """layouts: by code object.  seen: the blocks, by their number, that some instruction can show
    to be entered; the others are ambiguous."""

    def __init__(
        self, text: str, code: types.CodeType, hierarchy: Hierarchy, blocks: Sequence[Block]
    ) -> None:
        self._text = text.encode()
        self._starts = [0]
        for line in self._text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._hierarchy, self._blocks = hierarchy, blocks
        self._bodies = self._bodies_of(ast.parse(text))
        self._finals = [
            (self._at(part.lineno, part.col_offset), self._end(node.finalbody[-1]))
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Try) and node.finalbody
            for part in node.finalbody[:1]
        ]
        self.layouts: dict[types.CodeType, Layout] = {}
        self.seen: set[int] = set()
        top = next(s for s in hierarchy.subfunctions.values() if s.kind is SubfunctionKind.MODULE)
        self._walk(code, top, True)
        for number, block in enumerate(blocks):
            copied = any(a <= block.span.start < b for a, b in self._finals)
            if copied and block.kind in (*_HEAD_ENDS, *WORDS):
                self.seen.discard(number)  # the code of a finally is there twice

    def _walk(self, code: types.CodeType, owner: Subfunction, whole: bool) -> None:
        layout = self.layouts[code] = Layout(owner, whole)
        spots = [
            (i, None if i.opname in _NOWHERE else self._spot(i.positions))
            for i in dis.get_instructions(code)
        ]
        layout.table = [None] * (len(code.co_code) // 2)
        layout.names = ["CACHE"] * len(layout.table)
        own = {block.id for block in owner.blocks}
        choice = [(at, b, self._region(b)) for at, b in enumerate(self._blocks) if b.id in own]
        if not whole:
            around = (
                min((spot[0] for _, spot in spots if spot), default=0),
                max((spot[1] for _, spot in spots if spot), default=0),
            )
            choice = [
                (at, block, region)
                for at, block, region in choice
                if region and around[0] <= region[0] and region[1] <= around[1] and region != around
            ]
        over: set[int] = set()  # headers that have done their work
        busy: set[int] = set()
        for instruction, spot in spots:
            name = instruction.opname
            layout.names[instruction.offset >> 1] = name
            if spot is None or (not whole and name in _GATHERING):
                continue
            if name.startswith(("POP_JUMP", "JUMP_IF")):
                continue  # it may have the place of the whole statement
            if name.startswith("JUMP") and not any(
                region and _within(spot, region, block.kind)
                for _, block, region in choice
                if block.exit in (Exit.BREAK, Exit.CONTINUE)
            ):
                continue  # back to where a loop begins: it has the place of anything
            here = []
            for at, block, region in choice:
                if region and region[0] <= spot[0] < region[1]:
                    over |= {at} if name in _HEAD_ENDS.get(block.kind, ()) else set()
                if region is None or at in over or not _within(spot, region, block.kind):
                    continue
                here.append(at)
                idle = name in _IDLE or name.startswith("JUMP")
                if not idle or not self._shares_line(block):
                    busy.add(at)
            layout.table[instruction.offset >> 1] = tuple(here)
        self.seen |= busy
        for const in code.co_consts:
            if isinstance(const, types.CodeType):
                inner = self._inner(const, owner)
                self._walk(const, inner or owner, inner is not None)

    def _inner(self, code: types.CodeType, owner: Subfunction) -> Subfunction | None:
        """The subfunction of which this is the code."""
        if code.co_name in INSIDE[:-1]:
            return None
        for child in self._hierarchy.subfunctions.values():
            lines = range(child.whole.first_line or child.span.first_line, child.span.last_line + 1)
            if code.co_firstlineno not in lines or not owner.span.holds(child.span):
                continue
            if child is owner or child.kind is SubfunctionKind.MODULE:
                continue
            if code.co_name == "<lambda>":
                if child.kind is SubfunctionKind.LAMBDA:
                    return child
            elif child.name == code.co_name:
                return child
        return None

    def _region(self, block: Block) -> tuple[int, int] | None:
        if block.kind not in WORDS:
            return block.span.start, block.span.end
        after = [body for head, body in self._bodies[block.kind] if head == block.span.start]
        if block.kind in (BlockKind.FINALLY, BlockKind.CASE):
            after = [body for _, body in self._bodies[block.kind] if body[0] > block.span.start]
        return min(after, default=None)

    def _bodies_of(self, tree: ast.AST) -> dict[BlockKind, list[tuple[int, tuple[int, int]]]]:
        """Where the statements stand that follow a word, with where their head begins."""
        found: dict[BlockKind, list[tuple[int, tuple[int, int]]]] = {kind: [] for kind in WORDS}

        def note(kind: BlockKind, head: int, body: Sequence[ast.stmt]) -> None:
            if body:
                first = self._at(body[0].lineno, body[0].col_offset)
                found[kind].append((head, (first, self._end(body[-1]))))

        for node in ast.walk(tree):
            if isinstance(node, ast.Try | ast.TryStar):
                note(BlockKind.TRY, self._at(node.lineno, node.col_offset), node.body)
                note(BlockKind.FINALLY, 0, node.finalbody)
            elif isinstance(node, ast.ExceptHandler):
                note(BlockKind.HANDLER, self._at(node.lineno, node.col_offset), node.body)
            elif isinstance(node, ast.match_case):
                note(BlockKind.CASE, 0, node.body)
        return found

    def _shares_line(self, block: Block) -> bool:
        start = self._starts[block.span.first_line - 1]
        return bool(self._text[start : block.span.start].strip())

    def _end(self, node: ast.stmt) -> int:
        return self._at(node.end_lineno or 0, node.end_col_offset or 0)

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _spot(self, positions: dis.Positions | None) -> tuple[int, int] | None:
        if positions is None or None in positions:
            return None
        line, last, column, end = positions
        assert line is not None
        assert last is not None
        assert column is not None
        assert end is not None
        return self._at(line, column), self._at(last, end)


def _within(spot: tuple[int, int], region: tuple[int, int], kind: BlockKind) -> bool:
    if kind is BlockKind.RUN or kind in WORDS:
        return region[0] <= spot[0] < region[1]
    return region[0] <= spot[0] and spot[1] <= region[1]


def returns_under_finally(text: str) -> Iterator[tuple[int, int]]:
    """Lines between which a return may not be the last word."""
    for node in ast.walk(ast.parse(text)):
        guarded = isinstance(node, ast.Try) and node.finalbody
        if guarded or isinstance(node, ast.With | ast.AsyncWith):
            yield node.lineno, node.end_lineno or node.lineno  # type: ignore[attr-defined]
