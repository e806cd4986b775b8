"""What a visit left, told by the block that followed it: between the two a loop may have bound its
names anew, or a `with` may have been left."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from mgdebug.model import Block, BlockKind, Value

_ATOMS = ("int", "str", "float", "bool", "NoneType", "complex", "bytes")  # nobody changes one


class Around:
    """rounds: see Loops.  lazy: the ids of loops that may run code of the user's for their next
    element."""

    def __init__(
        self, blocks: Sequence[Block], rounds: Mapping[str, str], lazy: Collection[str]
    ) -> None:
        self._blocks, self._rounds, self._lazy = blocks, rounds, lazy
        self._by_id = {block.id: block for block in blocks}

    def left(
        self,
        block: Block,
        before: Mapping[str, Value],
        state: Mapping[str, Value],
        following: int,
        *,
        inside: bool,
    ) -> dict[str, Value]:
        """The values that a visit left, as far as they are known.

        state: what the frame held at the next boundary.  following: the number of the block that
        begins there, -1 for none; inside: whether no `with` has been left yet, as at a return.
        """
        after = self._blocks[following].id if following >= 0 else ""
        gone = [] if inside else self._contexts(block, after)
        rebound = {*self._rebound(block, after)}
        for context in gone:  # to leave it may change what it holds
            rebound |= {*context.reads, *context.writes}
        if self._asks_for_more(block, after):
            state = {name: value for name, value in state.items() if value.type in _ATOMS}
        found = {n: state[n] for n in block.writes if n in state and n not in rebound}
        if not gone:
            for name, value in before.items():  # what it changes by way of others
                if name in state and name not in rebound and state[name] != value:
                    found[name] = state[name]
        return found

    def _above(self, block_id: str) -> Iterator[Block]:
        """The blocks that it stands in, the nearest first."""
        block = self._by_id.get(block_id)
        while block is not None and block.parent:
            block = self._by_id.get(block.parent)
            if block is not None:
                yield block

    def _contexts(self, block: Block, after: str) -> list[Block]:
        """The withs that are left between the two."""
        stays = {above.id for above in self._above(after)}
        return [
            above
            for above in self._above(block.id)
            if above.kind is BlockKind.WITH and above.id not in stays
        ]

    def _asks_for_more(self, block: Block, after: str) -> bool:
        """Whether code of the user's may have run for the next element of a loop."""
        if block.id in self._lazy or not self._lazy or not after:
            return block.id in self._lazy
        stays = {above.id for above in self._above(after)}
        return any(
            above.id in self._lazy
            and (self._rounds.get(above.id) == after or above.id not in stays)
            for above in self._above(block.id)
        )

    def _rebound(self, block: Block, after: str) -> Iterator[str]:
        """The names that a loop has bound anew."""
        for above in self._above(block.id) if after else ():
            if above.kind is BlockKind.LOOP and self._rounds.get(above.id) == after:
                yield from above.writes
