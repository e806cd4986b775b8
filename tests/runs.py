"""Traces made by hand: of some code, visit after visit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mgdebug.languages import language_of
from mgdebug.model import BlockVisit, Call, Hierarchy, Status, Trace, Value
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

CODE = """\
def largest(values):
    best = values[0]
    for value in values:
        if value > best:
            best = value
    return best


def spread(values):
    low = min(values)
    return largest(values) - low
"""


def value(of: object, size: int | None = None) -> Value:
    return Value(type(of).__name__, repr(of), size=size)


def values(of: Mapping[str, object] | None) -> dict[str, Value]:
    return {name: value(one) for name, one in (of or {}).items()}


@dataclass
class Run:
    """A trace in the making.  Blocks are named by their first lines; visits are numbered as the
    recorder does."""

    code: str = CODE
    path: str = "m.py"
    case: str = "test_m.py::test"
    visits: list[BlockVisit] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        language = language_of(self.path)
        assert language is not None
        self.source = SourceFile(self.path, self.code.encode(), language.grammar())
        self.hierarchy: Hierarchy = decompose([self.source])
        self.counts: Counter[str] = Counter()

    @property
    def sources(self) -> dict[str, SourceFile]:
        return {self.path: self.source}

    def block(self, line: int) -> str:
        """The widest block that begins in a line."""
        found = [
            block
            for subfunction in self.hierarchy.subfunctions.values()
            for block in subfunction.blocks
            if block.span.first_line == line
        ]
        return max(found, key=lambda block: block.span.end - block.span.start).id

    def call(self, frame: int, name: str, caller: int = 0, **more: object) -> Run:
        given = more.get("arguments")
        assert given is None or isinstance(given, dict)
        self.calls.append(
            Call(
                frame,
                f"{self.path}::{name}",
                caller,
                len(self.visits) - 1,
                values(given),
                value(more["result"]) if "result" in more else None,
                value(more["raised"]) if "raised" in more else None,
            )
        )
        return self

    def visit(
        self,
        line: int,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        frame: int = 1,
        *,
        result: Value | None = None,
        raised: Value | None = None,
        iteration: int = 0,
    ) -> Run:
        block = self.block(line)
        self.counts[block] += 1
        self.visits.append(
            BlockVisit(
                block,
                frame,
                len(self.visits),
                values(before),
                values(after),
                result,
                raised is None,
                self.counts[block],
                iteration,
                raised,
            )
        )
        return self

    def lines(self, *lines: int, frame: int = 1) -> Run:
        for line in lines:
            self.visit(line, frame=frame)
        return self

    def unseen(self, line: int, count: int) -> Run:
        """Visits that are counted only."""
        self.counts[self.block(line)] += count
        return self

    def trace(self, status: Status = Status.FAILED) -> Trace:
        visits = tuple(replace(v, index=at) for at, v in enumerate(self.visits))
        dropped = sum(self.counts.values()) - len(visits)
        return Trace(self.case, status, dict(self.counts), visits, dropped, tuple(self.calls))


def of_lines(lines: Sequence[int], status: Status = Status.FAILED) -> Trace:
    """A run of one call through blocks that begin in some lines."""
    return Run().lines(*lines).trace(status)
