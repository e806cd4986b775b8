"""The log of a recorder -> visits and calls.

A record says what a frame held where one of its blocks began: what it read, and what the block
before it left.  Read with distrust: a record that makes no sense is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mgdebug.model import Block, BlockKind, BlockVisit, Call, Value
from mgdebug.runner.around import Around
from mgdebug.runner.loops import Loops

_STARTS = ("enter", "call", "handler", "finally", "part", "lambda", "end")
_NONE = Value("NoneType", "None")


@dataclass(slots=True)
class _Frame:
    """state: what its names hold, as far as it was told.  open, part: the visits that are not left.
    caught: an exception that the next handler takes."""

    number: int
    subfunction: str
    state: dict[str, Value] = field(default_factory=dict)
    open: int = -1
    parts: list[int] = field(default_factory=list)
    caught: Value | None = None
    loops: Loops | None = None


@dataclass(slots=True)
class _Draft:
    """A BlockVisit while it is read.  block: its number."""

    block: int
    frame: int
    index: int
    before: dict[str, Value]
    number: int
    iteration: int
    result: Value | None
    after: dict[str, Value] = field(default_factory=dict)
    left: bool = False
    raised: Value | None = None

    def visit(self, blocks: Sequence[Block]) -> BlockVisit:
        block, rest = blocks[self.block].id, (self.number, self.iteration, self.raised)
        before, after = self.before, self.after
        return BlockVisit(
            block, self.frame, self.index, before, after, self.result, self.left, *rest
        )


class Log:
    """Reads one case's log.

    blocks: by number.  visits, calls: what came of it.
    """

    def __init__(self, raw: Mapping[str, Any], blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self._drafts: list[_Draft] = []
        self.calls: dict[int, Call] = {}
        self._values = [read_value(item) for item in _items(raw.get("values"))]
        self._sites, self._leads = _table(raw.get("sites")), _table(raw.get("leads"))
        self._parents = {block.id: block.parent for block in blocks}
        pairs = [(str(k), v) for k, v in _table(raw.get("rounds")).items()]
        self._rounds = {
            blocks[int(loop)].id: blocks[first].id
            for loop, first in pairs
            if loop.isdecimal() and self._known([int(loop)]) and self._known([first])
        }
        self._lines = _table(raw.get("lines"))
        self._times: dict[tuple[int, int], int] = {}
        self._outside = {blocks[b].id for b in self._known(raw.get("outside"))}
        lazy = {blocks[b].id for b in self._known(raw.get("lazy"))}
        self._around = Around(blocks, self._rounds, lazy)
        self._frames: dict[int, _Frame] = {}
        self._stacks: dict[int, list[int]] = {0: []}
        self._threads: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._gapped = False
        for record in _items(raw.get("log")):
            if isinstance(record, list) and len(record) >= 2:
                try:
                    self._read(record)
                except (TypeError, ValueError, IndexError, KeyError, AttributeError):
                    continue
        for frame in self._frames.values():
            self._drop(frame)
        self.visits = [draft.visit(blocks) for draft in self._drafts]

    def _known(self, numbers: object) -> list[int]:
        return [n for n in _items(numbers) if isinstance(n, int) and 0 <= n < len(self.blocks)]

    # ------------------------------------------------------------------------- records

    def _read(self, record: list[Any]) -> None:
        where, frame_number = record[0], int(record[1])
        if where < 0:
            self._said(frame_number, record[2:])
            return
        kind, block, owner, names, few, given, implied = self._sites[str(where // 2)]
        full = where % 2 == 1
        self._gapped = self._gapped or full
        number = int(record[2]) if full else 0
        kept = record[3 if full else 2 :]
        owner_id = self.blocks[owner].id.rpartition("#")[0] if owner >= 0 else ""
        frame = self._frame(frame_number, kind, owner_id)
        if kind in ("raise", "leave"):
            error = self._value(kept[2])
            self._raised(frame, error, int(kept[0]))
            asked = _table(self._lines.get(str(owner))).get(str(kept[0]), [])
            if asked and kind == "raise":
                self._asked_in_vain(frame, asked, error)
            if kind == "raise":
                self._end(frame, raised=error)
        elif kind in ("decide", "answer"):
            self._decided(frame, kind, block, self._value(kept[0]))
        elif kind == "return":
            for name in names[few:]:
                frame.state.pop(str(name), None)
            self._returned(frame, names[:few], kept)
        elif kind in _STARTS:
            held = {
                str(name): self._value(at)
                for name, at in zip(names if full else names[:few], kept, strict=False)
            }
            self._started(frame, kind, block, held, number, implied)
            if kind in ("call", "lambda") and frame.number in self.calls:
                told = {n: held.get(n) for n in given}
                arguments = {n: value for n, value in told.items() if value is not None}
                call = self.calls[frame.number]
                self.calls[frame.number] = replace(call, arguments=arguments)

    def _frame(self, number: int, kind: str, owner: str) -> _Frame:
        """The frame of a record, which is now the one that runs."""
        frame = self._frames.get(number)
        fresh = frame is None or (number > 0 and kind in ("call", "lambda"))
        if frame is None:
            frame = self._frames[number] = _Frame(number, owner)
        stack = self._stacks.setdefault(self._threads.get(number, 0), [])
        if number <= 0:
            return frame
        if fresh:
            caller = stack[-1] if stack else 0
            above = self._frames.get(caller)
            visit = max([above.open, *above.parts]) if above is not None else -1
            thread = self._threads.get(number, 0)
            if kind in ("call", "lambda"):
                self.calls[number] = Call(number, owner, caller, visit, thread=thread)
            stack.append(number)
        elif number in stack:
            del stack[stack.index(number) + 1 :]
        else:
            stack.append(number)
        return frame

    def _said(self, number: int, what: list[Any]) -> None:
        if what[0] == "thread":
            self._threads[number] = int(what[1])
            return
        if what[0] == "asked":
            self._times[number, int(what[1])] = int(what[2])
            return
        if what[0] == "holds":
            known = self._frames.setdefault(number, _Frame(number, ""))
            self._hold(known, {str(what[1]): self._value(what[2])})
            return
        if what[0] == "caller":
            caller = int(what[1])
            above = self._frames.get(caller) if caller > 0 else None
            visit = above.open if above is not None else -1
            call = self.calls[number]
            self.calls[number] = replace(call, caller=max(0, caller), visit=visit)
            return
        frame = self._frames.setdefault(number, _Frame(number, ""))
        if what[0] == "lost":
            for at in (frame.open, *frame.parts):
                if at >= 0:
                    draft = self._drafts[at]
                    draft.left = True
            frame.open, frame.parts = -1, []
            return
        error = self._value(what[3])
        if what[0] == "passing":
            at, line = frame.open, int(what[1])
            if error is not None and at >= 0 and _spans(self._block(self._drafts[at]), line):
                self._raised(frame, error, line)
            return
        last = self._drafts[frame.open] if frame.open >= 0 else None
        if last is not None and self._block(last).kind is BlockKind.HANDLER and not last.result:
            last.result = error
            return
        if error is None:
            return
        self._raised(frame, error, int(what[1]))
        frame.caught = error

    def _started(
        self,
        frame: _Frame,
        kind: str,
        number: int,
        held: dict[str, Value | None],
        count: int,
        implied: Sequence[Sequence[Any]] = (),
    ) -> None:
        """count: which visit it is, 0 where all were told; negative if only the boundary is."""
        part = kind == "part"
        if not part:
            if count:
                frame.state.clear()
            self._hold(frame, held)
            self._leave(frame, implied[0][0] if implied else number, ends=kind == "end")
            self._asked(frame, implied, count)
        if kind == "end":
            self._end(frame, result=_NONE)
        elif number >= 0 and count >= 0:
            self._visit(frame, number, held if part else {}, part, count)

    def _asked(self, frame: _Frame, implied: Sequence[Sequence[Any]], count: int) -> None:
        """The conditions that led to a block, which have no probe of their own."""
        for condition, truth in implied:
            told = self._times.pop((frame.number, condition), 0)
            if count < 0 or (count and not told):
                continue
            self._visit(frame, condition, {}, False, told)
            visit = self._drafts[frame.open]
            result = Value("bool", str(bool(truth)))
            visit.result, visit.left = result, True
            if frame.loops is not None:
                frame.loops.left(self.blocks[condition], result)
            frame.open = -1

    def _asked_in_vain(self, frame: _Frame, asked: Sequence[int], error: Value | None) -> None:
        """The last of these conditions has raised an exception; those before it were false."""
        self._asked(frame, [(condition, False) for condition in asked[:-1]], 0)
        self._visit(frame, asked[-1], {}, False, 0)
        visit = self._drafts[frame.open]
        visit.left, visit.raised = False, error
        frame.open = -1

    def _visit(
        self, frame: _Frame, number: int, own: dict[str, Value | None], part: bool, count: int
    ) -> None:
        block = self.blocks[number]
        self._numbers[number] = count or self._numbers.get(number, 0) + 1
        state = {n: v for n, v in own.items() if v is not None} if part else frame.state
        before = {name: state[name] for name in block.reads if name in state}
        result = None
        if block.kind is BlockKind.HANDLER:
            result, frame.caught = frame.caught, None
        iteration = 0
        if not self._gapped:
            frame.loops = frame.loops or Loops(self._parents, self._rounds, self._outside)
            iteration = frame.loops.visit(block)
        at = len(self._drafts)
        visit = _Draft(number, frame.number, at, before, self._numbers[number], iteration, result)
        if part:
            frame.parts.append(visit.index)
        else:
            frame.open = visit.index
        self._drafts.append(visit)

    # ---------------------------------------------------------------- what becomes of visits

    def _hold(self, frame: _Frame, held: Mapping[str, Value | None]) -> None:
        for name, value in held.items():
            if value is None:
                frame.state.pop(name, None)
            else:
                frame.state[name] = value

    def _leave(
        self, frame: _Frame, following: int = -1, *, returns: bool = False, ends: bool = False
    ) -> None:
        """The open visit of a frame is over, and its names hold what it left."""
        for part in frame.parts:
            draft = self._drafts[part]
            draft.left = True
        at, frame.open, frame.parts = frame.open, -1, []
        if at < 0:
            return
        visit = self._drafts[at]
        block = self._block(visit)
        after = self._around.left(block, visit.before, frame.state, following, inside=returns)
        result = visit.result
        leads = self._leads.get(str(visit.block))
        if result is None and isinstance(leads, int) and (following >= 0 or ends):
            result = Value("bool", str(following == leads))
        visit.after, visit.left, visit.result = after, True, result
        if frame.loops is not None:
            frame.loops.left(block, result)

    def _raised(self, frame: _Frame, error: Value | None, line: int) -> None:
        """An exception leaves the open visit, unless that was over: a loop around it may have asked
        for its next element, or a with may have been left."""
        if frame.open >= 0 and not _spans(self._block(self._drafts[frame.open]), line):
            draft = self._drafts[frame.open]
            draft.left = True
            frame.open, frame.parts = -1, []
        for at in (frame.open, *frame.parts):
            if at >= 0:
                draft = self._drafts[at]
                draft.left, draft.raised = False, error
        frame.open, frame.parts = -1, []

    def _decided(self, frame: _Frame, kind: str, number: int, value: Value | None) -> None:
        if kind == "answer":
            if frame.open >= 0:
                draft = self._drafts[frame.open]
                draft.result = value
            self._leave(frame)
            self._end(frame, result=value)
            return
        for at in reversed(frame.parts):
            if self._drafts[at].block == number:
                draft = self._drafts[at]
                draft.result, draft.left = value, True
                frame.parts.remove(at)
                return
        at = frame.open
        if at >= 0 and self._drafts[at].block == number:
            draft = self._drafts[at]
            draft.result = value

    def _returned(self, frame: _Frame, names: Sequence[str], kept: Sequence[Any]) -> None:
        value = self._value(kept[0])
        held = {str(n): self._value(at) for n, at in zip(names, kept[1:], strict=False)}
        self._hold(frame, held)
        at = frame.open
        self._leave(frame, returns=True)
        if at >= 0:
            draft = self._drafts[at]
            draft.result = value
        self._end(frame, result=value)

    def _end(self, frame: _Frame, result: Value | None = None, raised: Value | None = None) -> None:
        call = self.calls.get(frame.number)
        if call is not None:
            self.calls[frame.number] = replace(call, result=result, raised=raised)
        stack = self._stacks.get(self._threads.get(frame.number, 0), [])
        if frame.number in stack:
            del stack[stack.index(frame.number) :]

    def _drop(self, frame: _Frame) -> None:
        """The trace ends while a visit is open."""
        if frame.open >= 0 and not self._drafts[frame.open].raised:
            draft = self._drafts[frame.open]
            draft.left = False

    # ------------------------------------------------------------------------- the pieces

    def _value(self, at: Any) -> Value | None:
        return self._values[at] if isinstance(at, int) and at >= 0 else None

    def _block(self, visit: _Draft) -> Block:
        return self.blocks[visit.block]


def _spans(block: Block, line: int) -> bool:
    return line <= 0 or block.span.first_line <= line <= block.span.last_line


def read_value(raw: object) -> Value | None:
    if not (isinstance(raw, list) and len(raw) == 4):
        return None
    size = raw[3] if isinstance(raw[3], int) else None
    return Value(str(raw[0]), str(raw[1]), bool(raw[2]), size)


def _table(raw: object) -> dict[Any, Any]:
    return raw if isinstance(raw, dict) else {}


def _items(raw: object) -> list[Any]:
    return raw if isinstance(raw, list) else []
