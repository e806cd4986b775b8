"""Which iteration of its innermost loop a visit belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mgdebug.model import Block, Exit, Value


class Loops:
    """The loops of one frame, told of every visit.

    parents: of the blocks.  rounds: for each loop, which is its header or its condition, the block
    with which a round begins: the first one of its body, or the condition itself.  outside: the
    blocks of the `else` of a loop.
    """

    def __init__(
        self,
        parents: Mapping[str, str],
        rounds: Mapping[str, str],
        outside: Collection[str] = (),
    ) -> None:
        self._parents, self._rounds, self._outside = parents, rounds, outside
        self._counts: dict[str, int] = {}  # of the loops that are under way

    def visit(self, block: Block) -> int:
        """The iteration, 1 for the first; 0 outside of loops."""
        around = self._around(block.id)
        asked = self._rounds.get(block.id) == block.id
        loops = [block.id, *around] if asked else around
        again = asked and block.id in self._counts
        self._counts = {loop: n for loop, n in self._counts.items() if loop in loops}
        for loop in around:
            if self._rounds[loop] == block.id and not again:
                self._counts[loop] = self._counts.get(loop, 0) + 1
        if asked:
            self._counts[block.id] = self._counts.get(block.id, 0) + 1
        return self._counts.get(loops[0], 0) if loops else 0

    def left(self, block: Block, result: Value | None) -> None:
        """A visit is over: a condition that does not hold, and a break, end a loop."""
        if block.exit is Exit.BREAK:
            for loop in self._around(block.id)[:1]:
                self._counts.pop(loop, None)
        elif result is not None and result.text == "False":
            self._counts.pop(block.id, None)

    def _around(self, block_id: str) -> list[str]:
        found = []
        below, above = block_id, self._parents.get(block_id, "")
        while above:
            if above in self._rounds and below not in self._outside:
                found.append(above)
            below, above = above, self._parents.get(above, "")
        return found
