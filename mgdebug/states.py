"""What a run did, block by block, as plain text within a budget of tokens, and as data for JSON.

Each block's code is followed by the state before and after it, as in LDB ("Debug like a Human",
Zhong, Wang and Shang 2024).  Pure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from mgdebug.divergence import missing
from mgdebug.events import plain
from mgdebug.model import BlockVisit, Call, Hierarchy, Trace, Value
from mgdebug.syntax.source import SourceFile

CHARACTERS = 4  # of English and code, about, that make one token
VALUE_CHARACTERS = 160  # of one value
CODE_CHARACTERS = 600  # of one block
MARK_CHARACTERS = 40  # of a line that counts what is left out
_PLACES = 4  # where visits are left out at most: around the head, the parting and the tail
_CODE = {
    *("function", "builtin_function_or_method", "method", "method_descriptor", "type", "module"),
    *("wrapper_descriptor", "ABCMeta", "EnumType", "EnumMeta", "_lru_cache_wrapper"),
}


def telling(values: Mapping[str, Value]) -> dict[str, Value]:
    """The values that are data: which function, class or module a name stands for is in the code
    already."""
    return {name: value for name, value in values.items() if value.type not in _CODE}


def shown(value: Value, most: int | None = None) -> str:
    """A value's text on one line.  most: characters; what is cut says how long it was."""
    text = printable(value.text)
    if most is None or len(text) <= most:
        return text
    size = f" ({value.size} in all)" if value.size is not None else ""
    return f"{text[: max(1, most - 3 - len(size))]}...{size}"


def printable(text: str) -> str:
    """On one line, with nothing that a terminal would obey."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def gaps(trace: Trace) -> dict[int, int]:
    """How many visits are not kept before a kept one, by its place.  Those of several blocks that
    follow each other count together: nothing tells how they took turns."""
    found: dict[int, int] = {}
    start, blocks = -1, set[str]()
    for place, count in missing(trace).items():
        block = trace.visits[place].block
        if start >= 0 and place == start + len(blocks) and block not in blocks:
            found[start] += count
        else:
            start, blocks = place, set()
            found[place] = count
        blocks.add(block)
    return found


def code_of(visit: BlockVisit, hierarchy: Hierarchy, sources: Mapping[str, SourceFile]) -> str:
    """The whole lines of a block, "" if its file is not there."""
    block = hierarchy.block(visit.block)
    source = sources.get(visit.block.partition("::")[0])
    if block is None or source is None:
        return ""
    lines = range(block.span.first_line, block.span.last_line + 1)
    return "\n".join(source.line_text(line) for line in lines)


def as_text(
    trace: Trace,
    hierarchy: Hierarchy,
    sources: Mapping[str, SourceFile],
    tokens: int,
    parting: int | None = None,
    why: str = "",
) -> str:
    """Each block's code, then the values before and after it; never longer than the tokens.

    parting: the place of the visit where the run parts from a passing one, and why in words.  What
    is around it is kept first, then the head and the tail; lines tell how much is left out.
    """
    room = tokens * CHARACTERS
    head = f"{trace.case}: {trace.status}\n"
    writer = _Writer(trace, hierarchy, sources, parting, why)
    spare = room - len(head) - MARK_CHARACTERS * _PLACES
    chosen: set[int] = set()
    if parting is not None and len(writer.visit(parting)) > spare:
        writer.cut(parting, spare)
    ways = _ways(len(trace.visits), parting)
    while ways:
        for way in list(ways):
            place = next((p for p in way if p not in chosen), None)
            if place is None or len(writer.visit(place)) > spare:
                ways.remove(way)  # it grows in one piece
                continue
            chosen.add(place)
            spare -= len(writer.visit(place))
    parts, at = [head], 0
    for place in sorted(chosen):
        parts += [_left_out(place - at), writer.visit(place)]
        at = place + 1
    parts.append(_left_out(len(trace.visits) - at))
    unseen = trace.dropped - sum(missing(trace).values())
    parts.append(f"... {unseen} more visits not kept\n" if unseen > 0 else "")
    return "".join(parts)[:room]


def _ways(count: int, parting: int | None) -> list[Iterator[int]]:
    """In which ways to go on, in turns: back and forth from the parting, from the tail and from the
    head.  Without a parting it is the end that shows what went wrong."""
    ends = [reversed(range(count)), iter(range(count))]
    if parting is None:
        return ends
    return [reversed(range(parting + 1)), iter(range(parting + 1, count)), *ends]


def _left_out(count: int) -> str:
    return f"... {count} visit{'s' * (count > 1)} left out\n" if count > 0 else ""


class _Writer:
    """Writes the visits of one trace, each once."""

    def __init__(
        self,
        trace: Trace,
        hierarchy: Hierarchy,
        sources: Mapping[str, SourceFile],
        parting: int | None,
        why: str,
    ) -> None:
        self.trace, self.hierarchy, self.sources = trace, hierarchy, sources
        self.parting, self.why = parting, why
        self.gaps = gaps(trace)
        self._calls = {call.frame: call for call in trace.calls}
        self._first = {v.frame: p for p, v in reversed([*enumerate(trace.visits)])}
        self._last = {v.frame: p for p, v in enumerate(trace.visits)}
        self._began = {v.block: p for p, v in reversed([*enumerate(trace.visits)])}
        self._owners = {v.block.rpartition("#")[0] for v in trace.visits}
        self._written: dict[int, str] = {}

    def visit(self, place: int) -> str:
        if place not in self._written:
            self._written[place] = "".join(f"{line}\n" for line in self._lines(place))
        return self._written[place]

    def cut(self, place: int, room: int) -> None:
        """Make a visit fit."""
        tail = "\n... cut\n"
        self._written[place] = (self.visit(place)[: max(0, room - len(tail))] + tail)[:room]

    def _lines(self, place: int) -> Iterator[str]:
        visit = self.trace.visits[place]
        if place in self.gaps:
            yield f"... {self.gaps[place]} visits not kept"
        call = self._calls.get(visit.frame)
        if call is not None and self._first[visit.frame] == place:
            yield f"call {called(call, VALUE_CHARACTERS)}"
        yield self._head(place) + " <<< the runs part here" * (place == self.parting)
        if place == self.parting and self.why:
            yield f"({self.why})"
        yield from self._code(place)
        before, after = telling(visit.before), telling(visit.after)
        if before:
            yield f"before: {_listed(before)}"
        if after:
            yield f"after: {_listed(after)}"
        if visit.result is not None:
            yield f"result: {shown(visit.result, VALUE_CHARACTERS)}"
        if visit.raised is not None:
            yield f"raised: {error(visit.raised, VALUE_CHARACTERS)}"
        elif not visit.left:
            yield "not left"
        if call is not None and self._last[visit.frame] == place:
            yield from ended(call, VALUE_CHARACTERS)

    def _code(self, place: int) -> Iterator[str]:
        """Where a block comes again, its first line stands for it."""
        visit = self.trace.visits[place]
        code = textwrap.dedent(code_of(visit, self.hierarchy, self.sources))
        lines = code[:CODE_CHARACTERS].splitlines()
        cut = len(code) > CODE_CHARACTERS
        if len(lines) > 1 and place not in (self._began[visit.block], self.parting):
            lines, cut = lines[:1], True
        yield from (f"    {line}" for line in lines)
        if cut:
            yield "    ..."

    def _head(self, place: int) -> str:
        """With the subfunction, but where all visits are of one."""
        visit = self.trace.visits[place]
        path, _, rest = visit.block.partition("::")
        block = self.hierarchy.block(visit.block)
        parts = (
            []
            if block is not None and place and len(self._owners) == 1
            else [path, rest.rpartition("#")[0]]
        )
        if block is not None:
            first, last = block.span.first_line, block.span.last_line
            parts.append(f"line {first}" if first == last else f"lines {first}-{last}")
        where = f"-- {' '.join(parts)}"
        return where + (f", iteration {visit.iteration}" if visit.iteration else "")


def _listed(values: Mapping[str, Value]) -> str:
    return ", ".join(f"{name} = {shown(v, VALUE_CHARACTERS)}" for name, v in values.items())


def called(call: Call, most: int | None = None) -> str:
    """A call with its arguments: "f(n=3)"."""
    name = call.subfunction.partition("::")[2]
    given = ", ".join(f"{name}={shown(v, most)}" for name, v in call.arguments.items())
    return f"{name}({given})"


def ended(call: Call, most: int | None = None) -> Iterator[str]:
    """How a call ended, where that is known."""
    name = call.subfunction.partition("::")[2]
    if call.raised is not None:
        yield f"{name} raised {error(call.raised, most)}"
    elif call.result is not None:
        yield f"{name} returned {shown(call.result, most)}"


def error(value: Value, most: int | None = None) -> str:
    """An exception: its type is shown where the text does not name it."""
    text = shown(value, most)
    return text if value.type in text else f"{value.type}: {text}"


def as_data(trace: Trace, hierarchy: Hierarchy, message: str = "") -> dict[str, Any]:
    """A trace as a JSON object: its fields, and of each visit also the path, the subfunction, the
    kind and the lines of its block."""
    visits = []
    for visit in trace.visits:
        data: dict[str, Any] = plain(visit)
        block = hierarchy.block(visit.block)
        owner = visit.block.rpartition("#")[0]
        data["subfunction"], data["path"] = owner, owner.partition("::")[0]
        if block is not None:
            data["kind"] = block.kind
            data["lines"] = [block.span.first_line, block.span.last_line]
        visits.append(data)
    return {**plain(trace), "message": message, "visits": visits}
