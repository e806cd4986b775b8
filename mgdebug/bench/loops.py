"""Programs that do one thing often, to measure tracers on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loop:
    """Calls work(size).  small: the size for tracers that take thousands of times as long."""

    name: str
    what: str
    text: str
    size: int
    small: int


LOOPS = (
    Loop(
        "W2",
        "a hot loop of numbers",
        """\
def work(n):
    total = 0
    for i in range(n):
        square = i * i
        total = (total + square) & 65535
    return total
""",
        1_000_000,
        2_000,
    ),
    Loop(
        "W2b",
        "the same with branches",
        """\
def work(n):
    total = 0
    for i in range(n):
        if i & 1:
            total += i
        elif i % 3 == 0:
            total -= 1
        else:
            total ^= i
    return total
""",
        1_000_000,
        2_000,
    ),
    Loop(
        "W3",
        "a list that grows",
        """\
def work(n):
    found = []
    for i in range(n):
        item = i * 3
        found.append(item)
    return len(found)
""",
        10_000,
        300,
    ),
    Loop(
        "W4",
        "fib",
        """\
def work(n):
    if n < 2:
        return n
    return work(n - 1) + work(n - 2)
""",
        22,
        12,
    ),
)
