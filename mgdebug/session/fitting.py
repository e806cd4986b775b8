"""An event as one line of JSON that is not too long: of traces, the visits in the middle go first.

Pure.  A trace that is narrowed is still a trace: what was left out counts as dropped, and its calls
are those of the visits that are left, with their callers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mgdebug.events import Event, Traced, to_json
from mgdebug.model import BlockVisit, Call, Trace, Value

_VALUE, _VISIT, _CALL, _TRACE = 64, 180, 140, 120  # bytes of the names of their fields, about


def fitted(event: Event, most: int) -> tuple[str, str]:
    """An event as JSON, "" if it has no form of at most `most` bytes; and what was left out, in
    words, "" for nothing."""
    note = ""
    if isinstance(event, Traced):
        event, note = _narrowed(event, most)
    line = to_json(event)
    if len(line) > most:
        return "", f"an event was not kept: {type(event).__name__} of {len(line):,} bytes"
    return line, note


def _narrowed(event: Traced, most: int) -> tuple[Traced, str]:
    sizes = [_trace(trace) for trace in event.traces]
    if sum(sizes) <= most:
        return event, ""
    traces = list(event.traces)
    room = most
    by_size = sorted(range(len(traces)), key=sizes.__getitem__)
    for done, at in enumerate(by_size):  # what the short ones leave over is for the long ones
        share = room // (len(by_size) - done)
        if sizes[at] > share:
            traces[at] = _ends(traces[at], share)
        room -= min(sizes[at], share)
    gone = sum(new.dropped - old.dropped for new, old in zip(traces, event.traces, strict=True))
    return Traced(tuple(traces)), f"of a trace too long to keep {gone:,} visits were left out"


def _ends(trace: Trace, room: int) -> Trace:
    """As many visits of the beginning as of the end as fit, with the calls that they belong to."""
    calls = {call.frame: call for call in trace.calls}
    kept: dict[int, Call] = {}
    room -= _hits(trace)
    first, last = 0, len(trace.visits)  # [first, last) is left out
    while first < last:
        place = first if first <= len(trace.visits) - last else last - 1
        visit = trace.visits[place]
        new = list(_stack(visit.frame, calls, kept))
        room -= _visit(visit) + sum(map(_call, new))
        if room < 0:
            break
        kept.update((call.frame, call) for call in new)
        first, last = (first + 1, last) if place == first else (first, last - 1)
    visits = (*trace.visits[:first], *trace.visits[last:])
    places = {visit.index: place for place, visit in enumerate(visits)}
    return replace(
        trace,
        visits=tuple(replace(visit, index=place) for place, visit in enumerate(visits)),
        calls=tuple(
            replace(call, visit=places.get(call.visit, -1))
            for call in trace.calls
            if call.frame in kept
        ),
        dropped=trace.dropped + last - first,
    )


def _stack(frame: int, calls: Mapping[int, Call], kept: Mapping[int, Call]) -> Iterator[Call]:
    """A call and its callers, up to the first that is kept already."""
    seen = set[int]()
    while frame in calls and frame not in kept and frame not in seen:
        seen.add(frame)
        yield calls[frame]
        frame = calls[frame].caller


# ------------------------------------------------------------- at most so many bytes of JSON


def _trace(trace: Trace) -> int:
    return _hits(trace) + sum(map(_visit, trace.visits)) + sum(map(_call, trace.calls))


def _hits(trace: Trace) -> int:
    return _TRACE + _text(trace.case) + sum(_text(block) + 16 for block in trace.hits)


def _visit(visit: BlockVisit) -> int:
    ends = _value(visit.result) + _value(visit.raised)
    return _VISIT + _text(visit.block) + _values(visit.before) + _values(visit.after) + ends


def _call(call: Call) -> int:
    ends = _value(call.result) + _value(call.raised)
    return _CALL + _text(call.subfunction) + _values(call.arguments) + ends


def _values(values: Mapping[str, Value]) -> int:
    return sum(_text(name) + 4 + _value(value) for name, value in values.items())


def _value(value: Value | None) -> int:
    return 0 if value is None else _VALUE + _text(value.type) + _text(value.text)


def _text(text: str) -> int:
    if not text.isascii():
        return 12 * len(text)  # two escapes of six for what lies beyond U+FFFF
    if not text.isprintable():
        return 6 * len(text)
    return len(text) + text.count('"') + text.count("\\")
