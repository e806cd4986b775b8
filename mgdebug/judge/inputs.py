"""Calls that may tell plausible patches apart: those that the cases make, others near them, and
some for variety.

What the cases call, and with what, is in the traces; an input near one that a case uses is likelier
to be meant than any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import platformdirs

from mgdebug.model import Hierarchy, SubfunctionKind, Trace
from mgdebug.runner.observe import Given
from mgdebug.syntax.literals import literal
from mgdebug.syntax.source import SourceFile

OWN, NEAR, VARIED = 40, 160, 40  # calls of each kind, at most
LONGEST = 300  # characters of an argument

Values = tuple[Any, ...]


def calls(
    source: SourceFile, hierarchy: Hierarchy, traces: Sequence[Trace], seed: int
) -> list[Given]:
    """Calls of functions of a file, the cases' own first, then the nearest.  seed: for those that
    are drawn (by hypothesis; MacIver et al. 2019)."""
    own: dict[str, dict[str, Values]] = {}
    for trace in traces:
        for call in trace.calls:
            sub = hierarchy.subfunctions.get(call.subfunction)
            if call.caller or sub is None or sub.path != source.path:
                continue
            head = sub.blocks[0].span.start if sub.blocks else sub.span.end
            plain = sub.kind is SubfunctionKind.FUNCTION and "." not in sub.qualname
            if not plain or sub.asynchronous or "*" in source.slice(sub.span.start, head):
                continue
            values = _literals([call.arguments.get(name) for name in sub.parameters])
            if values is not None and len(own.setdefault(sub.name, {})) < OWN:
                own[sub.name].setdefault(repr(values), values)
    found: dict[str, Given] = {}
    for name, known in own.items():
        for values in [*known.values(), *_near(list(known.values())), *_varied(known, seed)]:
            given = Given(name, tuple(map(repr, values)))
            if all(len(text) <= LONGEST for text in given.arguments):
                found.setdefault(given.text, given)
    return list(found.values())


def _literals(arguments: Sequence[Any]) -> Values | None:
    """The values that snapshots stand for, None where one is no literal."""
    found = []
    for value in arguments:
        if value is None or value.truncated or len(value.text) > LONGEST:
            return None
        try:
            found.append(literal(value.text))
        except ValueError:
            return None
    return tuple(found)


def _near(known: Sequence[Values]) -> Iterator[Values]:
    """One argument changed a little, or taken from another call; in turns."""
    ways = [_around(values, known) for values in known]
    count = 0
    while ways and count < NEAR:
        for way in list(ways):
            values = next(way, None)
            if values is None:
                ways.remove(way)
            else:
                count += 1
                yield values


def _around(values: Values, known: Sequence[Values]) -> Iterator[Values]:
    for at, value in enumerate(values):
        for changed in neighbours(value):
            yield (*values[:at], changed, *values[at + 1 :])
    for other in known[:6]:
        for at in range(len(values) if len(values) > 1 and len(other) == len(values) else 0):
            yield (*values[:at], other[at], *values[at + 1 :])


def neighbours(value: Any) -> Iterator[Any]:
    """Values of the same type that are a small step away, the smaller ones first."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, 0, 1, -value, value + 2, value * 2, 10, value * 10)
    elif isinstance(value, float):
        yield from (value + 1, value - 1, 0.0, -value, value / 2)
    elif isinstance(value, str):
        yield from _of_text(value)
    elif isinstance(value, list | tuple):
        kind = type(value)
        items = list(value)
        yield kind()
        if items:
            yield from map(kind, (items[:1], items[1:], items[:-1], items[::-1]))
            yield from map(kind, ([*items, items[0]], [items[-1], *items], items + items))
            for at in dict.fromkeys((0, len(items) // 2, len(items) - 1)):
                for changed in [*neighbours(items[at])][:5]:
                    yield kind([*items[:at], changed, *items[at + 1 :]])
            for at in range(len(items) - 1):
                yield kind([*items[:at], items[at + 1], items[at], *items[at + 2 :]])
    elif isinstance(value, dict):
        yield {}
        for key in [*value][:4]:
            yield {k: v for k, v in value.items() if k != key}
            for changed in [*neighbours(value[key])][:3]:
                yield {**value, key: changed}
    elif isinstance(value, set):
        yield set()
        for item in sorted(value, key=repr)[:3]:
            yield value - {item}


def _of_text(value: str) -> Iterator[str]:
    yield ""
    if not value:
        yield from ("a", " ")
        return
    yield from (value[0], value[1:], value[:-1], value[::-1], value + value[0], value[-1] + value)
    yield from (value.swapcase(), value.upper(), value.lower(), value + " ", value + value)
    letters = list(dict.fromkeys(value))[:6]
    for at in dict.fromkeys((0, len(value) // 2, len(value) - 1)):
        for letter in letters:
            if letter != value[at]:
                yield value[:at] + letter + value[at + 1 :]
        yield value[:at] + value[at + 1 :]


def _varied(known: dict[str, Values], seed: int) -> list[Values]:
    """Values of the same types and shapes, drawn at random, with a fixed seed."""
    from hypothesis.configuration import set_hypothesis_home_dir

    # What it keeps would else go into the folder of the project.
    set_hypothesis_home_dir(platformdirs.user_cache_path("mgdebug") / "hypothesis")
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    samples = list(known.values())
    found: list[Values] = []
    each = [_strategy([values[at] for values in samples], st) for at in range(len(samples[0]))]

    @seeded(seed)
    @settings(
        max_examples=VARIED,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(*each))
    def draw(values: Values) -> None:
        found.append(values)

    draw()
    return found


def _strategy(values: Sequence[Any], st: Any) -> Any:
    """Values like those that were seen at one place."""
    kinds = {type(value) for value in values}
    if len(kinds) != 1:
        return st.sampled_from(values)
    kind = kinds.pop()
    if kind is bool:
        return st.booleans()
    if kind is int:
        least = 0 if all(value >= 0 for value in values) else -20
        return st.integers(least, max(10, min(10_000, 2 * max(values))))
    if kind is float:
        return st.floats(-100, 100).map(lambda value: round(value, 2))
    if kind is str:
        letters = sorted({letter for value in values for letter in value}) or ["a", "b"]
        return st.text(st.sampled_from(letters), max_size=8)
    if kind is list:
        items = [item for value in values for item in value]
        if items:
            return st.lists(_strategy(items[:60], st), max_size=6)
    return st.sampled_from(values)
