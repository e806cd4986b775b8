"""A run in sentences: a visit, its values, the code around it.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mgdebug.linear.speaking import lines, said
from mgdebug.model import Block, BlockKind, BlockVisit, Subfunction, Value
from mgdebug.session.walk import Walk
from mgdebug.states import error, shown, telling
from mgdebug.syntax.source import SourceFile

VALUE_CHARACTERS = 70
MOST_VALUES = 8  # of a visit that are said unasked
MOST_WATCHED = 12
AROUND = 20  # lines before and behind, where the code is not a function's
_KINDS = {
    BlockKind.RUN: "",
    BlockKind.CONDITION: "condition",
    BlockKind.LOOP: "head of for loop",
    BlockKind.WITH: "with",
    BlockKind.HANDLER: "except",
    BlockKind.TRY: "try",
    BlockKind.FINALLY: "finally",
    BlockKind.CASE: "case",
    BlockKind.ARM: "arm",
    BlockKind.EACH: "element of comprehension",
    BlockKind.ERROR: "does not parse",
}


def visit(walk: Walk, place: int, files: Mapping[str, SourceFile], *, called: bool) -> str:
    """Which visit it is, of which line, and what it did.  called: whether the call is said with its
    arguments, as where one comes into it."""
    one, block, subfunction = walk.visit(place), walk.block(place), walk.subfunction(place)
    name = one.block.rpartition("#")[0].partition("::")[2]
    inside = walk.called(place) if called else name
    where = lines(block) if block else "a line that is not known"
    head = [f"visit {place + 1} of {walk.count}", f"{where} of {walk.path(place)} in {inside}"]
    if block is not None and subfunction is not None and _in_loop(block, subfunction):
        head.append("in for loop")
    if one.iteration:
        head.append(f"iteration {one.iteration}")
    if block is not None:
        source = files.get(walk.path(place))
        code = said(source.slice(block.span.start, block.span.end)) if source else ""
        head.append(": ".join(filter(None, (_KINDS[block.kind], code))))
    return "; ".join([", ".join(filter(None, head)), *_told(walk, place, one, block)])


def _in_loop(block: Block, subfunction: Subfunction) -> bool:
    """Whether the nearest loop around a block is a for."""
    known = {b.id: b for b in subfunction.blocks}
    parent, seen = known.get(block.parent), {block.id}
    while parent is not None and parent.id not in seen:
        if parent.kind is BlockKind.LOOP:
            return True
        seen.add(parent.id)
        parent = known.get(parent.parent)
    return False


def _told(walk: Walk, place: int, one: BlockVisit, block: Block | None) -> Iterator[str]:
    values = [*_values(walk, place, one)]
    yield from values[:MOST_VALUES]
    if len(values) > MOST_VALUES:
        yield f"{len(values) - MOST_VALUES} more: values"
    call, ended = walk.call(place), walk.ended(place)
    returned = bool(ended) and call is not None and call.result == one.result
    if one.result is not None and not returned:
        caught = block is not None and block.kind is BlockKind.HANDLER
        text = error if caught else shown
        yield f"{'caught' if caught else 'gives'} {text(one.result, VALUE_CHARACTERS)}"
    if one.raised is not None:
        yield f"raised {error(one.raised, VALUE_CHARACTERS)}"
    elif not one.left:
        yield "did not end"
    yield from filter(None, (ended,))
    gap = walk.gap(place)
    if gap:
        yield f"{gap} visit{'s' * (gap > 1)} before not kept"
    if walk.parts(place):
        first = place == walk.partings[0] and walk.why
        yield f"the runs part: {walk.why}" if first else "the runs part here"


def _values(walk: Walk, place: int, one: BlockVisit) -> Iterator[str]:
    """What a visit wrote, then what it only read."""
    before, after = telling(one.before), telling(one.after)
    for name, now in after.items():
        was, _ = walk.value(place, name)
        if was is None or was == now:
            yield f"{name} is {_short(now)}"
        else:
            yield f"{name} was {_short(was)}, is {_short(now)}"
    yield from (f"{name} is {_short(v)}" for name, v in before.items() if name not in after)


def _short(value: Value) -> str:
    return shown(value, VALUE_CHARACTERS)


def values(walk: Walk, place: int) -> Iterator[str]:
    """All that is known of a visit and of the call that it belongs to, a line each."""
    one, call = walk.visit(place), walk.call(place)
    found = [(f"before, {name}", value) for name, value in one.before.items()]
    found += [(f"after, {name}", value) for name, value in one.after.items()]
    ends = [("result", one.result), ("raised", one.raised)]
    if call is not None:
        found += [(f"argument {name}", value) for name, value in call.arguments.items()]
        ends += [("returned", call.result), ("call raised", call.raised)]
    found += [(when, value) for when, value in ends if value is not None]
    for when, value in found:
        part = ", the trace kept only a part of it" * value.truncated
        yield f"{when}, {value.type}: {shown(value)}{part}"
    if not found:
        yield "no values were recorded for this visit"


def watched(walk: Walk, place: int, name: str) -> str:
    """What a variable has been in a call up to a visit, the oldest first."""
    found, more = walk.history(place, name, MOST_WATCHED)
    if not found:
        return f"{name} was not seen in this call"
    texts = [_short(value) for value in found]
    older = "older ones left out, " * more
    return f"{name} over this call: {older}{', then '.join(texts)}"


def code(walk: Walk, place: int, files: Mapping[str, SourceFile]) -> Iterator[str]:
    """The lines of the subfunction that a visit is in, with their numbers, the visit's marked with
    a word."""
    path, subfunction, block = walk.path(place), walk.subfunction(place), walk.block(place)
    source = files.get(path)
    if source is None or subfunction is None or block is None:
        yield f"the code of {path} is not there"
        return
    here = range(block.span.first_line, block.span.last_line + 1)
    first, last = subfunction.span.first_line, subfunction.span.last_line
    if not subfunction.kind.called:
        first, last = max(first, here.start - AROUND), min(last, here.stop + AROUND)
    yield f"{subfunction.qualname} in {path}, lines {first} to {last}"
    for line in range(first, last + 1):
        mark = ", here" * (line in here)
        yield f"{line}{mark}: {source.line_text(line).expandtabs(4)}".rstrip()
