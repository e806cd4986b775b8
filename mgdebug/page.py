"""A recording, or a whole session, as one page for a browser.  It loads nothing else, and nothing
that a program has put into a value becomes a part of it: all data is one escaped JSON text, shown
as text only."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mgdebug.errors import UsageError
from mgdebug.model import BlockVisit, Call, Trace, Value
from mgdebug.states import called, ended, error, telling
from mgdebug.story import Story
from mgdebug.story import as_data as told
from mgdebug.tracing import Recording

_TEMPLATE = Path(__file__).with_name("page.html")
_MARK = '<meta name="generator" content="mgdebug">'
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def check(file: Path) -> None:
    """Raises UsageError where a page cannot or should not be written: nothing but an older page is
    written over."""
    if not file.absolute().parent.is_dir():
        raise UsageError(f"{file.parent} is no folder", f"make it first: mkdir -p {file.parent}")
    try:
        if file.exists() and _MARK not in file.read_text("utf-8", "replace"):
            raise UsageError(f"{file} exists and is no page of mgdebug", "name another file")
    except OSError as trouble:
        raise _unwritable(file, trouble) from None


def write(file: Path, recording: Recording) -> None:
    """Write the page.  Raises UsageError."""
    _write(file, page(recording))


def write_session(file: Path, recording: Recording | None, story: Story) -> None:
    """Write the page of a session.  recording: of its runs, None if nothing was traced.  Raises
    UsageError."""
    _write(file, session_page(recording, story))


def _write(file: Path, text: str) -> None:
    check(file)
    try:
        file.write_text(text, "utf-8")
    except OSError as trouble:
        raise _unwritable(file, trouble) from None


def _unwritable(file: Path, trouble: OSError) -> UsageError:
    why = (trouble.strerror or str(trouble)).lower()
    return UsageError(f"{file} cannot be written: {why}", "name another file")


def page(recording: Recording) -> str:
    """The text of the page: the failing runs, each with the passing one that lies nearest to it, or
    the passing ones if none fails."""
    first = recording.traces[0].case if recording.traces else ""
    return _filled(f"{first} - mgdebug trace", {**_document(recording), "story": None})


def session_page(recording: Recording | None, story: Story) -> str:
    """The text of the page of a session: its story, then its runs as `page` has them."""
    runs = _NO_RUNS if recording is None else _document(recording)
    return _filled(f"{story.title} - mgdebug session", {**runs, "story": told(story)})


_NO_RUNS: Mapping[str, Any] = {"cases": [], "pairs": {}, "blocks": {}, "sources": {}, "texts": []}


def _filled(title: str, document: Mapping[str, Any]) -> str:
    data = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        data = data.replace(character, escape)
    title = title.encode("utf-8", "backslashreplace").decode()  # a page holds no lone surrogate
    parts = {"title": html.escape(title), "data": data}
    template = _TEMPLATE.read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match.group(1)], template)


class _Table:
    """Texts by number: most values come again and again."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def _document(recording: Recording) -> dict[str, Any]:
    texts = _Table()
    pairs = {t.case: recording.beside(t) for t in recording.traces}
    wanted = [t for t in recording.traces if not t.status.ok]
    wanted += [pair.other for pair in pairs.values() if pair is not None]
    traces = {t.case: t for t in wanted or recording.traces}
    shown = {
        case: {
            "of": other.other.case,
            "why": other.why,
            "one": other.parting.one if other.parting else None,
            "other": other.parting.other if other.parting else None,
            "parts": other.parting is not None,
        }
        for case, other in pairs.items()
        if other is not None
    }
    blocks = {visit.block for trace in traces.values() for visit in trace.visits}
    return {
        "cases": [_trace(trace, recording.message(trace.case), texts) for trace in traces.values()],
        "pairs": shown,
        "blocks": {block: _block(recording, block) for block in sorted(blocks)},
        "sources": _sources(recording, blocks),
        "texts": list(texts.numbers),
    }


def _trace(trace: Trace, message: str, texts: _Table) -> dict[str, Any]:
    return {
        "case": trace.case,
        "status": trace.status,
        "ok": trace.status.ok,
        "message": message,
        "dropped": trace.dropped,
        "calls": {call.frame: _call(call) for call in trace.calls},
        "visits": [_visit(visit, texts) for visit in trace.visits],
    }


def _call(call: Call) -> dict[str, Any]:
    ends = " ".join(ended(call))
    return {"caller": call.caller, "text": called(call, 80), "ends": ends, "thread": call.thread}


def _visit(visit: BlockVisit, texts: _Table) -> dict[str, Any]:
    return {
        "block": visit.block,
        "frame": visit.frame,
        "number": visit.number,
        "iteration": visit.iteration,
        "before": _values(visit.before, texts),
        "after": _values(visit.after, texts),
        "result": None if visit.result is None else texts.number(visit.result.text),
        "raised": None if visit.raised is None else texts.number(error(visit.raised)),
        "left": visit.left,
    }


def _values(values: Mapping[str, Value], texts: _Table) -> dict[str, int]:
    return {name: texts.number(value.text) for name, value in telling(values).items()}


def _block(recording: Recording, name: str) -> dict[str, Any]:
    owner = recording.hierarchy.subfunctions.get(name.rpartition("#")[0])
    block = recording.hierarchy.block(name)
    path = name.partition("::")[0]
    source = recording.files.get(path)
    if owner is None or block is None or source is None:
        return {
            "path": path,
            "name": name,
            "kind": "",
            "code": "",
            "first": 0,
            "last": 0,
            "from": 0,
            "to": 0,
        }
    return {
        "path": path,
        "name": owner.qualname,
        "kind": block.kind,
        "code": source.slice(block.span.start, block.span.end),
        "first": block.span.first_line,
        "last": block.span.last_line,
        "from": owner.span.first_line,
        "to": owner.span.last_line,
    }


def _sources(recording: Recording, blocks: Iterable[str]) -> dict[str, list[str]]:
    paths = sorted({block.partition("::")[0] for block in blocks})
    return {
        path: source.text.decode("utf-8", "replace").split("\n")
        for path in paths
        if (source := recording.files.get(path)) is not None
    }
