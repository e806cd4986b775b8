"""Outlining a monolith: a large function split into functions along its blocks, and edits of that
text folded back into the text that it was made from.

The text of a piece is copied byte for byte, indentation included, so that each byte of the
original stands in the outlined text once and an edit of it is an edit of the original.  The rest is
glue.  What is given up: an exception passes through more frames, and a value that nothing reads any
more is let go of when its piece ends, not when its function does.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import tree_sitter

from mgdebug.model import Edit, Span
from mgdebug.syntax.cutting import Cutting, lines_of
from mgdebug.syntax.flow import Flow
from mgdebug.syntax.glue import Glue
from mgdebug.syntax.pieces import Function
from mgdebug.syntax.scopes import Names, Scope
from mgdebug.syntax.source import SourceFile
from mgdebug.syntax.writing import Cut, Segment, Writing


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a function that has become a function.

    name: its own; function: the qualified name of the one that it was cut from.  span: what it
    holds in the original; outlined: the whole of it in the outlined text.
    """

    name: str
    function: str
    span: Span
    outlined: Span
    parameters: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a part of a function above the size stays in it.  names: the variables that are why."""

    function: str
    span: Span
    reason: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outline:
    """source: the original.  outlined: what it has become, a file that behaves the same."""

    source: SourceFile
    outlined: SourceFile
    pieces: tuple[Piece, ...]
    refusals: tuple[Refusal, ...]
    _segments: tuple[Segment, ...]

    def restored(self) -> bytes:
        """The original text, put together from the outlined one."""
        parts = sorted((s for s in self._segments if s.origin), key=lambda s: s.origin or (0, 0))
        text = self.outlined.text
        return b"".join(text[s.at : s.end] if s.hidden is None else s.hidden for s in parts)

    def fold(self, edits: Iterable[Edit]) -> tuple[Edit, ...]:
        """Edits of the outlined text as edits of the original, as small as they can be.  Raises
        ValueError if one changes glue, which nothing in the original stands for."""
        folded = []
        for edit in edits:
            start, end, text = self._least(edit)
            place = self._original(start, end)
            if place is None:
                raise ValueError(f"the edit at byte {edit.start} changes the glue of a piece")
            folded.append(Edit(edit.path, *place, text))
        return tuple(folded)

    def original(self, start: int, end: int) -> Span | None:
        """Where a stretch of the outlined text stands in the original; None if it has glue."""
        place = self._original(start, end)
        return None if place is None else _span(self.source, *place)

    @cached_property
    def _starts(self) -> list[int]:
        return [segment.at for segment in self._segments]

    def _original(self, start: int, end: int) -> tuple[int, int] | None:
        at = bisect.bisect_right(self._starts, start) - 1
        for segment in self._segments[max(0, at - (start == end)) : at + 1]:
            if segment.origin and segment.hidden is None and end <= segment.end:
                base = segment.origin[0] - segment.at
                return start + base, end + base
        return None

    def _least(self, edit: Edit) -> tuple[int, int, str]:
        """An edit without what it leaves as it is."""
        old = self.outlined.slice(edit.start, edit.end)
        new = edit.text
        head = 0
        while head < min(len(old), len(new)) and old[head] == new[head]:
            head += 1
        tail = 0
        while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        first = len(old[:head].encode("utf-8", "surrogatepass"))
        last = len(old[len(old) - tail :].encode("utf-8", "surrogatepass"))
        return edit.start + first, edit.end - last, new[head : len(new) - tail]


def outline(
    source: SourceFile,
    statements: int = 12,
    nesting: int = 3,
    only: Callable[[str], bool] | None = None,
) -> Outline:
    """Split the functions of a file that have more statements, or nest them deeper.

    only: whether the function of a qualified name may be split.  What cannot be split without a
    change of behaviour stays as it is, with a Refusal.  The outlined text is the original where
    the language has no glue.
    """
    glue = source.grammar.glue
    refusals: list[Refusal] = []
    if glue is None:
        return Outline(source, source, (), (), (Segment(0, source.text, (0, len(source.text))),))
    cuts = sorted(
        _cuts(source, glue, statements, nesting, only, refusals),
        key=lambda cut: (cut.start, -cut.end),
    )
    writing = Writing(source, glue, cuts)
    text = b"".join(segment.text for segment in writing.segments)
    whole = Edit(source.path, 0, len(source.text), text.decode("utf-8", "surrogatepass"))
    outlined = source.splice([whole]) if cuts else source
    pieces = [
        Piece(
            cut.name,
            cut.function,
            _span(source, cut.start, cut.end),
            _span(outlined, *span),
            cut.interface.parameters,
            cut.interface.results,
        )
        for cut, span in zip(cuts, writing.spans, strict=True)
    ]
    return Outline(source, outlined, tuple(pieces), tuple(refusals), tuple(writing.segments))


def _cuts(
    source: SourceFile,
    glue: Glue,
    statements: int,
    nesting: int,
    only: Callable[[str], bool] | None,
    refusals: list[Refusal],
) -> Iterator[Cut]:
    names = Names(source)
    flows: dict[int, Flow] = {}

    def flow_of(scope: Scope) -> Flow:
        if id(scope) not in flows:
            flows[id(scope)] = Flow(names, scope)
        return flows[id(scope)]

    taken: set[str] = set()
    for scope in sorted(names.scopes, key=lambda scope: scope.node.start_byte):
        if "function" not in scope.roles:
            continue
        qualname = names.qualname(scope)
        if only is not None and not only(qualname):
            continue
        cutting = Cutting(Function(names, scope, flow_of), statements, nesting)
        if not cutting.large:
            continue
        top = names.top(scope)
        refused = _refused(names, scope, top)
        if refused:
            refusals.append(Refusal(qualname, source.span(scope.node), refused))
            continue
        cutting.cut()
        for run, unfit in cutting.unfit:
            span = _span(source, run.start, run.end)
            refusals.append(Refusal(qualname, span, unfit.reason, unfit.names))
        jumps = cutting.function.flow.jumps
        for run, interface in sorted(cutting.cuts.items(), key=lambda c: (c[0].start, -c[0].end)):
            leaving = tuple(
                jump
                for at, jump in sorted(jumps.items())
                if run.start <= at < run.end and jump.word in interface.ways
                if not (jump.loop and run.start <= jump.loop[0] and jump.loop[1] <= run.end)
            )
            name = _name(source, glue, names.name(scope), taken)
            lines = lines_of(source, run.start, run.end)
            yield Cut(name, qualname, *lines, run.start, top.start_byte, interface, leaving)


def _refused(names: Names, scope: Scope, top: tree_sitter.Node) -> str:
    """Why nothing of a function may be cut, "" if something may."""
    node, text = scope.node, names.source.text
    if top.has_error:
        return "does not parse"
    if names.marked("opaque", node.start_byte, node.end_byte):
        return "frame access inside"
    if text.count(b"\r") != text.count(b"\r\n"):
        return "odd line ends"
    return "" if names.source.starts_line(top.start_byte) else "shares a line"


def _name(source: SourceFile, glue: Glue, function: str, taken: set[str]) -> str:
    """A name for a piece that stands nowhere in the file."""
    number = 1
    while True:
        name = glue.name.format(function.strip("_") or "piece", number)
        if name not in taken and name.encode("utf-8", "surrogatepass") not in source.text:
            taken.add(name)
            return name
        number += 1


def _span(source: SourceFile, start: int, end: int) -> Span:
    return Span(start, end, source.line_of(start), source.line_of(max(start, end - 1)))
