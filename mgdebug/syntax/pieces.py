"""Whether some statements of a function can become a function of their own, and with what
parameters, results and ways out (the preconditions of "Extract Method": Opdyke 1992, Fowler 1999).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from mgdebug.syntax.control import END, Step
from mgdebug.syntax.flow import Flow
from mgdebug.syntax.scopes import Names, Scope, Use


@dataclass(frozen=True, slots=True)
class Interface:
    """How a piece joins its function.

    falls: it may be left at its end.  tail: what it returns, its function returns.
    kept: for each way out that the function has to follow ("return", "break", "continue", ""
    for its end), those of the results that have a value there.
    """

    parameters: tuple[str, ...]
    results: tuple[str, ...]
    falls: bool
    tail: bool
    kept: Mapping[str, frozenset[str]]

    @property
    def ways(self) -> tuple[str, ...]:
        """The jumps that the function has to make after the piece."""
        return () if self.tail else tuple(word for word in self.kept if word)


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why statements have to stay where they are, and because of which names."""

    reason: str
    names: tuple[str, ...] = ()


class Function:
    """A function that may be cut."""

    def __init__(self, names: Names, scope: Scope, flow_of: Callable[[Scope], Flow]) -> None:
        self.names = names
        self.scope = scope
        self.flow_of = flow_of
        self.places = sorted(names.owned.get(id(scope), ()), key=lambda place: place.start)
        self.around = list(_around(scope))
        self.private = any("class" in outer.roles for outer in self.around)
        node = scope.node
        self.coroutine = any("coroutine" in names.roles(child) for child in node.children)
        self.yields = bool(names.marked("fixed.yield", node.start_byte, node.end_byte))

    @cached_property
    def flow(self) -> Flow:
        return self.flow_of(self.scope)

    @cached_property
    def cells(self) -> int:
        """The variables that code which may run later sees."""
        found = 0
        for place in self.places:
            if place.lazy(self.scope):
                found |= self.flow.bits[place.name]
        return found

    def examine(self, start: int, end: int) -> Interface | Unfit:
        """The interface of the statements in a stretch, which are neighbours."""
        for role in self.names.fixed:
            if self.names.marked(role, start, end):
                return Unfit(f"{role.removeprefix('fixed.').replace('-', ' ')} inside")
        if self.names.marked("watcher", start, end):
            return Unfit("frame access inside")
        if self.private and self.names.marked("private", start, end):
            return Unfit("private name inside")
        outer = self._outer(start, end)
        if isinstance(outer, Unfit):
            return outer
        return self._join(start, end, outer)

    def _join(self, start: int, end: int, outer: set[str]) -> Interface | Unfit:
        flow, steps = self.flow, self.flow.steps
        every = flow.within(start, end)
        inside = [at for at in every if at in flow.runs]
        held = set(inside)
        entries = [at for at in inside if not flow.runs & set(flow.before[at]) <= held]
        if not entries:
            return Unfit("never runs")
        bound, live, touched, written = -1, 0, 0, 0
        for at in entries:
            bound &= flow.bound[at]
            live |= flow.live[at]
        for at in inside:
            touched |= steps[at].reads | steps[at].sure | steps[at].writes
            written |= steps[at].writes
        captured = self._captured(start, end, entries, held)
        if isinstance(captured, Unfit):
            return captured
        shared, own = captured
        parameters = (live & touched & ~own) | shared
        if parameters & ~bound:
            return self._unfit("may be unbound", parameters & ~bound)
        written &= ~own
        kept = dict.fromkeys(self._dead(every, start, end), 0)
        ends = True  # the function is over where the piece is
        for at in inside:
            step = steps[at]
            for target in (*step.next, *step.raises):
                if target in held:
                    continue
                needed = flow.live[target] & written
                if target in step.raises or step.leaves == "raise":
                    if needed:
                        return self._unfit("an exception would lose", needed)
                    continue
                if needed & ~flow.left[at]:
                    return self._unfit("may be unbound", needed & ~flow.left[at])
                if step.cleanup != (0, 0) and needed & self._written(*step.cleanup):
                    return self._unfit("changes on the way out", needed)
                word = step.leaves if self._leaves(step, start, end) else ""
                kept[word] = kept.get(word, 0) | needed
                ends = ends and (bool(word) or target == END)
        if kept.get("return"):
            return self._unfit("an exception would lose", kept["return"])
        results = 0
        for names in kept.values():
            results |= names
        tail = set(kept) - {""} == {"return"} and ends
        if "return" in kept and self.coroutine and self.yields:
            return Unfit("return inside")
        if "" in kept and not tail:
            lost = {n for n in self.names.held(start, end) if n in flow.bits}
            lost -= set(flow.named(results))
            if lost:
                return Unfit("would be let go", tuple(sorted(lost)))
        return Interface(
            (*flow.named(parameters), *sorted(outer)),
            flow.named(results),
            "" in kept,
            tail,
            {word: frozenset(flow.named(kept[word])) for word in sorted(kept)},
        )

    @staticmethod
    def _leaves(step: Step, start: int, end: int) -> bool:
        """Whether a step is a jump out of a stretch."""
        return bool(step.leaves) and not (step.loop and start <= step.loop[0] < step.loop[1] <= end)

    def _dead(self, every: list[int], start: int, end: int) -> Iterator[str]:
        """The words of jumps out of a stretch that never run, but have to compile."""
        for at in every:
            step = self.flow.steps[at]
            dead = at not in self.flow.runs and step.leaves != "raise"
            if dead and self._leaves(step, start, end):
                yield step.leaves

    def _unfit(self, reason: str, names: int) -> Unfit:
        return Unfit(reason, self.flow.named(names))

    def _written(self, start: int, end: int) -> int:
        found = 0
        for at in self.flow.within(start, end):
            found |= self.flow.steps[at].writes
        return found

    def _captured(
        self, start: int, end: int, entries: list[int], held: set[int]
    ) -> tuple[int, int] | Unfit:
        """Of the variables that code which may run later sees, those that the piece shares with
        the rest of the function, which must not change any more, and those that are its own."""
        flow, shared, own = self.flow, 0, 0
        mine: set[str] = set()
        others: set[str] = set()
        for place in self.places:
            if flow.bits[place.name] & self.cells:
                (mine if start <= place.start < end else others).add(place.name)
        if not mine:
            return 0, 0
        changed = 0
        reached = flow.reachable(entries)
        for at in reached:
            changed |= flow.steps[at].writes
        again = any(before in reached - held for at in entries for before in flow.before[at])
        for name in sorted(mine):
            bit = flow.bits[name]
            if (id(self.scope), name) in self.names.rebound:
                return Unfit("is rebound further in", (name,))
            if name not in others and not again:
                own |= bit
            elif changed & bit:
                return Unfit("is captured and changes", (name,))
            else:
                shared |= bit
        return shared, own

    def _outer(self, start: int, end: int) -> set[str] | Unfit:
        """The variables of enclosing functions in a stretch, if they are constants by then."""
        found: set[str] = set()
        for place in self.names.standing(start, end):
            owner = place.scope.owner(place.name)
            if place.use is not Use.READ and owner is None:
                return Unfit("is global and written", (place.name,))
            if self.scope.passed.get(place.name) == "nonlocal":
                return Unfit("is another function's and written", (place.name,))
            if owner is None or owner not in self.around:
                continue
            if place.name in owner.types or not self._constant(owner, place.name):
                return Unfit("is another function's and may change", (place.name,))
            found.add(place.name)
        return found

    def _constant(self, owner: Scope, name: str) -> bool:
        """Whether a variable of an enclosing function has its only value when this one runs."""
        below = next(s for s in [self.scope, *self.around] if s.parent is owner)
        flow, node = self.flow_of(owner), below.node
        writes = [
            place
            for place in self.names.owned[id(owner)]
            if place.name == name and place.use not in (Use.READ, Use.DECLARE)
        ]
        if len(writes) != 1 or (id(owner), name) in self.names.rebound:
            return False
        bit = flow.bits[name]
        writers = [at for at, step in enumerate(flow.steps) if step.writes & bit]
        if any(at in flow.reachable(list(flow.steps[at].next)) for at in writers):
            return False
        makers = flow.around(node.start_byte, node.end_byte)
        return bool(makers) and all(
            (flow.left if flow.steps[at].start == node.start_byte else flow.bound)[at] & bit
            for at in makers
        )


def _around(scope: Scope) -> Iterator[Scope]:
    outer = scope.parent
    while outer is not None:
        yield outer
        outer = outer.parent
