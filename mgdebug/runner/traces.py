"""What is asked of a traced run, and what is made of two runs of one case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mgdebug.languages import language_of
from mgdebug.model import Block, Hierarchy, Status, Subfunction, SubfunctionKind, Trace
from mgdebug.probe.frames import Message
from mgdebug.settings import Bounds

Places = dict[str, list[list[object]]]


def trace_request(
    hierarchy: Hierarchy, values: Sequence[str], bounds: Bounds, absolute: Callable[[str], str]
) -> Message:
    """The probes of all blocks.  values: the cases whose values are kept."""
    places: Places = {}
    blocks: list[list[object]] = []
    for subfunction in hierarchy.subfunctions.values():
        owner = len(blocks)
        for block in subfunction.blocks:
            place = [len(blocks), str(block.kind), block.span.start, block.span.end]
            places.setdefault(absolute(subfunction.path), []).append(place)
            blocks.append([owner, list(block.reads)])
    return {
        "places": places,
        "blocks": blocks,
        "values": list(values),
        "bounds": [bounds.depth, bounds.items, bounds.characters],
        "visits": bounds.visits,
        "masked": bounds.masked,
    }


def to_run_again(traces: Iterable[Trace], blocks: Sequence[Block]) -> dict[str, list[list[int]]]:
    """The cases that had visits left out, with how often they visited each block."""
    numbers = {block.id: at for at, block in enumerate(blocks)}
    return {
        trace.case: [[numbers[block], count] for block, count in trace.hits.items()]
        for trace in traces
        if trace.dropped and trace.visits and trace.status is not Status.TIMEOUT
    }


def with_last(traces: Sequence[Trace], again: Iterable[Trace]) -> list[Trace]:
    """The traces, in their place those of a second run that knew which visits are the last ones.  A
    case that does not run alike each time stays with its first trace."""
    second = {trace.case: trace for trace in again}
    return [
        second[t.case] if t.case in second and second[t.case].hits == t.hits else t for t in traces
    ]


def functions_of(
    hierarchy: Hierarchy, blocks: Iterable[str], absolute: Callable[[str], str]
) -> dict[str, list[tuple[str, int]]]:
    """The functions that hold some blocks, by file: a name and the line of its definition."""
    found: dict[str, list[tuple[str, int]]] = {}
    for owner in sorted({block.rpartition("#")[0] for block in blocks}):
        subfunction = hierarchy.subfunctions[owner]
        if subfunction.kind.called:
            place = _code_name(subfunction), subfunction.span.first_line
            found.setdefault(absolute(subfunction.path), []).append(place)
    return found


def _code_name(subfunction: Subfunction) -> str:
    language = language_of(subfunction.path)
    if subfunction.kind is SubfunctionKind.LAMBDA and language:
        return language.grammar().conventions.nameless
    return subfunction.name
