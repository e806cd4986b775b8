"""Where a monolith is cut: which statements of a function become pieces, until what is left, and
each piece, is below the size."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from mgdebug.syntax.control import parts
from mgdebug.syntax.pieces import Function, Interface, Unfit
from mgdebug.syntax.scopes import Names, Use
from mgdebug.syntax.source import SourceFile

_WORTH = 3  # statements; a smaller piece tells less than its call


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring statements of one suite: bytes [start, end)."""

    start: int
    end: int


@dataclass(slots=True)
class _Suite:
    """A list of statements, its runs that are cut already taken as one."""

    start: int
    end: int
    depth: int
    runs: list[Run]


class Cutting:
    """Cuts one function.

    cuts: the runs to cut, by where they start, each with its interface.  unfit: what had to stay.
    """

    def __init__(self, function: Function, statements: int, nesting: int) -> None:
        self.function = function
        self.statements = statements
        self.nesting = nesting
        self.cuts: dict[Run, Interface] = {}
        self.unfit: list[tuple[Run, Unfit]] = []
        self._known: dict[Run, Interface | Unfit] = {}
        self._suites = list(_suites(function.names, function.scope.node))
        # Each statement that is not inside a piece: where it starts, how deep it is.
        self._left = sorted((r.start, suite.depth) for suite in self._suites for r in suite.runs)
        # Each name that is not inside a piece: where it stands, and whether that is a read.
        self._names = [
            (place.start, place.name, "read" if place.use is Use.READ else "bind")
            for place in function.places
        ]
        self._tally = Counter((name, use) for _, name, use in self._names)

    @property
    def large(self) -> bool:
        """Whether what is left of the function is above the size."""
        depths = (depth for _, depth in self._left)
        return len(self._left) > self.statements or max(depths, default=0) > self.nesting

    def cut(self) -> None:
        while self.large:
            chosen = self._best()
            if chosen is None:
                self.unfit = self._refused()
                return
            self._take(*chosen)

    def _weight(self, run: Run) -> int:
        first = bisect.bisect_left(self._left, (run.start, -1))
        return bisect.bisect_left(self._left, (run.end, -1)) - first

    def _depth(self, run: Run) -> int:
        first = bisect.bisect_left(self._left, (run.start, -1))
        last = bisect.bisect_left(self._left, (run.end, -1))
        return max(depth for _, depth in self._left[first:last])

    def _best(self) -> tuple[Run, Interface] | None:
        """The run whose piece is large and natural and has little to be told."""
        best: tuple[int, Run, Interface] | None = None
        for hope, run in sorted(self._runs(), key=lambda offer: (-offer[0], offer[1].start)):
            if best is not None and hope <= best[0]:
                break
            interface = self._interface(run)
            if isinstance(interface, Unfit):
                continue
            told = len(interface.parameters) + len(interface.results) + 2 * len(interface.ways)
            if best is None or hope - told > best[0]:
                best = hope - told, run, interface
        return best and best[1:]

    def _runs(self) -> Iterator[tuple[int, Run]]:
        """Runs of the right size, with what they are worth at best."""
        flat = len(self._left) <= self.statements
        for suite in self._suites:
            for first in range(len(suite.runs)):
                for last in range(first, len(suite.runs)):
                    run = Run(suite.runs[first].start, suite.runs[last].end)
                    weight = self._weight(run)
                    if weight > self.statements:
                        break
                    whole = last - first + 1 == len(suite.runs)
                    depth = self._depth(run)
                    if (
                        weight < min(_WORTH, self.statements)
                        or run in self.cuts
                        or (whole and suite.depth == 0)
                        or depth - suite.depth > self.nesting
                        or (flat and depth <= self.nesting)
                    ):
                        continue
                    yield weight + 3 * (whole or first == last), run

    def _interface(self, run: Run) -> Interface | Unfit:
        if run not in self._known:
            self._known[run] = self._examine(run)
        known = self._known[run]
        if isinstance(known, Interface) and (lost := self._unbound(run, known)):
            return Unfit("would not be local", lost)
        return known

    def _examine(self, run: Run) -> Interface | Unfit:
        source = self.function.names.source
        start, end = lines_of(source, run.start, run.end)
        before, after = source.text[start : run.start], source.text[run.end : end]
        if before.strip(b" \t") or source.text[:start].rstrip(b"\r\n").endswith(b"\\"):
            return Unfit("shares a line")
        tail = after.strip()
        if tail and not self.function.names.comment(end - len(after) + after.index(tail)):
            return Unfit("shares a line")
        return self.function.examine(run.start, run.end)

    def _unbound(self, run: Run, interface: Interface) -> tuple[str, ...]:
        """Names that what is left would read, and no longer bind: they were unbound there, and
        would become global."""
        low = bisect.bisect_left(self._names, (run.start,))
        inside = self._names[low : bisect.bisect_left(self._names, (run.end,))]
        here = Counter((name, use) for _, name, use in inside)
        return tuple(
            name
            for name, use in here
            if use == "bind" and name not in interface.results
            if self._tally[name, "bind"] == here[name, "bind"]
            if self._tally[name, "read"] > here[name, "read"]
        )

    def _take(self, run: Run, interface: Interface) -> None:
        self.cuts[run] = interface
        self._left = [left for left in self._left if not run.start < left[0] < run.end]
        results = [(run.start, name, "bind") for name in interface.results]
        self._names = [n for n in self._names if not run.start <= n[0] < run.end] + results
        self._names.sort()
        self._tally = Counter((name, use) for _, name, use in self._names)
        self._suites = [s for s in self._suites if not (run.start <= s.start and s.end <= run.end)]
        for suite in self._suites:
            if suite.start <= run.start and run.end <= suite.end:
                kept = [r for r in suite.runs if r.end <= run.start or run.end <= r.start]
                if any(r.start == run.start for r in suite.runs):
                    suite.runs = sorted([*kept, run], key=lambda r: r.start)

    def _refused(self) -> list[tuple[Run, Unfit]]:
        """The natural pieces of what is left that cannot be cut; not those inside another that
        stays for the same reason."""
        found: list[tuple[Run, Unfit]] = []
        for run in self._natural():
            known = self._interface(run) if self._weight(run) >= _WORTH else None
            if isinstance(known, Unfit) and not any(
                unfit.reason == known.reason and other.start <= run.start and run.end <= other.end
                for other, unfit in found
            ):
                found.append((run, known))
        return found

    def _natural(self) -> Iterator[Run]:
        """Each compound statement, and the simple ones between them."""
        for suite in self._suites:
            simple: list[Run] = []
            for run in suite.runs:
                if run not in self.cuts and self._weight(run) == 1:
                    simple.append(run)
                    continue
                if simple:
                    yield Run(simple[0].start, simple[-1].end)
                simple = []
                if run not in self.cuts:
                    yield run
            if simple:
                yield Run(simple[0].start, simple[-1].end)


def _suites(names: Names, node: tree_sitter.Node) -> Iterator[_Suite]:
    """The lists of statements of a function, without those of functions inside it."""
    stack = [(part, -1) for part in parts(node)]
    while stack:
        part, depth = stack.pop()
        roles = names.roles(part)
        if "suite" in roles and "cases" not in roles:
            depth += 1
            inside = [p for p in parts(part) if "docstring" not in names.roles(p)]
            runs = [Run(p.start_byte, p.end_byte) for p in inside]
            yield _Suite(part.start_byte, part.end_byte, depth, runs)
            for statement in inside:
                if not names.roles(statement) & {"scope", "decorated"}:
                    stack += [(p, depth) for p in parts(statement)]
        elif roles & {"cases", "arm", "handler", "cleanup"}:
            stack += [(p, depth) for p in parts(part)]


def lines_of(source: SourceFile, start: int, end: int) -> tuple[int, int]:
    """The stretch of the whole lines that hold a stretch, the last line's end included."""
    first = source.text.rfind(b"\n", 0, start) + 1
    last = source.text.find(b"\n", end)
    return first, len(source.text) if last < 0 else last + 1
