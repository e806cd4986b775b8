"""How values flow through one function: at each step, which names surely have a value (definite
assignment), and whose value may still be read (liveness).

Both are the textbook analyses (Aho, Lam, Sethi, Ullman: Compilers, 9.2).
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from mgdebug.syntax.control import Control
from mgdebug.syntax.scopes import Names, Scope


class Flow:
    """The steps of a function, and its variables as bits.

    bound: at each step, the names that surely have a value before it; left: after it, when no
    exception leaves it; live: the names whose value may be read at the step or after it.
    jumps: the statements that leave, by where they start.  runs: the steps that may run at all.
    """

    def __init__(self, names: Names, scope: Scope) -> None:
        self.names = names
        self.scope = scope
        control = Control(names, scope)
        self.steps, self.first = control.steps, control.first
        self.jumps, self.bits = control.jumps, control.bits
        self.before: list[list[int]] = [[] for _ in self.steps]
        for at, step in enumerate(self.steps):
            for target in {*step.next, *step.raises}:
                self.before[target].append(at)
        self._bind()
        self._enliven()
        self.order = sorted(range(2, len(self.steps)), key=lambda at: self.steps[at].start)
        self._starts = [self.steps[at].start for at in self.order]
        self.runs = self.reachable([self.first])

    def named(self, names: int) -> tuple[str, ...]:
        """The names of a set, in the order of the text."""
        return tuple(name for name, bit in self.bits.items() if bit & names)

    def within(self, start: int, end: int) -> list[int]:
        """The steps of a stretch."""
        low = bisect.bisect_left(self._starts, start)
        high = bisect.bisect_left(self._starts, end)
        return [at for at in self.order[low:high] if self.steps[at].end <= end]

    def around(self, start: int, end: int) -> list[int]:
        """The smallest steps that hold a stretch."""
        holds = [s for s in self.steps if s.start <= start and end <= s.end]
        least = min((s.end - s.start for s in holds), default=0)
        return [at for at, s in enumerate(self.steps) if s in holds and s.end - s.start == least]

    def reachable(self, at: Iterable[int]) -> set[int]:
        """The steps that may run at or after some steps."""
        seen, stack = set(at), list(at)
        while stack:
            step = self.steps[stack.pop()]
            for target in (*step.next, *step.raises):
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        return seen

    def _bind(self) -> None:
        every = (1 << len(self.bits)) - 1
        self.bound = [every] * len(self.steps)
        self.left = [every] * len(self.steps)
        self.bound[self.first] = 0
        stack = list(range(len(self.steps)))
        waiting = set(stack)
        while stack:
            at = stack.pop()
            waiting.discard(at)
            step = self.steps[at]
            self.left[at] = (self.bound[at] | step.sure) & ~step.unbinds
            thrown = self.bound[at] & ~step.unbinds
            for targets, names in ((step.next, self.left[at]), (step.raises, thrown)):
                for target in targets:
                    if self.bound[target] & ~names:
                        self.bound[target] &= names
                        if target not in waiting:
                            waiting.add(target)
                            stack.append(target)

    def _enliven(self) -> None:
        self.live = [0] * len(self.steps)
        stack = list(range(len(self.steps) - 1, -1, -1))
        waiting = set(stack)
        while stack:
            at = stack.pop()
            waiting.discard(at)
            step = self.steps[at]
            after = thrown = 0
            for target in step.next:
                after |= self.live[target]
            for target in step.raises:
                thrown |= self.live[target]
            live = step.reads | thrown | (after & ~step.sure)
            if live != self.live[at]:
                self.live[at] = live
                for source in self.before[at]:
                    if source not in waiting:
                        waiting.add(source)
                        stack.append(source)
