"""What holds at one point of a scope, as the probes of a file are placed."""

import ast
from typing import Any, List, Sequence, Set, Tuple

from .sites import Pending

TRIES: Tuple[Any, ...] = (ast.Try,)
if hasattr(ast, "TryStar"):
    TRIES += (ast.TryStar,)
MATCH: Tuple[Any, ...] = (ast.Match,) if hasattr(ast, "Match") else ()
COMPOUND = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    *TRIES,
    *MATCH,
)


class State:
    """What holds at one point of a scope.  pending: names that may have changed since the last
    probe; bound: those that surely are; dead: whether nothing gets here.  again: where a round of a
    loop begins, the name that tells the first one; first: what is pending in that one.
    asked: conditions without a probe of their own that led here, and what they gave."""

    def __init__(self, pending: Pending, bound: Set[str], dead: bool = False) -> None:
        self.pending, self.bound, self.dead = pending, bound, dead
        self.again = ""
        self.first: Pending = ()
        self.asked: Tuple[Tuple[int, bool], ...] = ()

    def copy(self) -> "State":
        return State(self.pending, set(self.bound), self.dead)

    def fork(self) -> "State":
        """A copy that goes another way from the same block."""
        other = self.copy()
        other.again, other.first, other.asked = self.again, self.first, self.asked
        return other

    def become(self, others: Sequence["State"]) -> None:
        """The point where several ways meet."""
        self.again, self.asked = "", ()
        alive = [other for other in others if not other.dead]
        self.dead = not alive
        self.pending = tuple({id(s): s for o in alive for s in o.pending}.values())
        if alive:
            self.bound = set.intersection(*(other.bound for other in alive))


class Jumps:
    """Where `break` and `continue` of one loop stand."""

    def __init__(self) -> None:
        self.breaks: List[State] = []
        self.continues: List[State] = []
