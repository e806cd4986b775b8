"""A slow tracer that knows nothing of probes: sys.settrace, an event for each instruction, and the
values written out at the moment when a block is entered or left."""

from __future__ import annotations

import ast
import contextlib
import sys
import types
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mgdebug.bench.programs import Space, execute
from mgdebug.bench.regions import Layout, Regions
from mgdebug.bench.traced import shown
from mgdebug.model import Block, BlockKind, Exit, Hierarchy, Value

_CALLS = ("len", "abs", "min", "max", "sum", "ord", "chr", "str", "int", "isinstance", "sorted")
_PURE = (
    *(ast.Expression, ast.Name, ast.Constant, ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp),
    *(ast.Subscript, ast.Slice, ast.Attribute, ast.Call, ast.IfExp, ast.Tuple, ast.List),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_SUSPENDS = ("YIELD_VALUE", "SEND")

MOST_CALLS = 50_000  # that are looked at in one case
Wanted = Collection[tuple[int, int]]


@dataclass(slots=True)
class Sight:
    """One visit of a block.  order: of beginning, among all.  left: None while it lasts."""

    order: int
    frame: int
    around: int | None
    before: dict[str, Value]
    after: dict[str, Value] = field(default_factory=dict)
    result: Value | None = None
    truth: Value | None = None
    left: bool | None = None
    raised: Value | None = None


@dataclass(slots=True)
class Seen:
    """One call.  caller: None where it is not sure.  ended: "result", "raised", or "" if it did
    not end; what suspends itself has no result that is sure."""

    subfunction: str
    caller: int | None
    arguments: dict[str, Value]
    ended: str = ""
    value: Value | None = None


class Reference:
    """Runs the plain program.  hits, sights (of wanted visits, by block and number) and calls are
    those since the last clear."""

    def __init__(self, text: str, path: str, hierarchy: Hierarchy, blocks: Sequence[Block]) -> None:
        self.path, self.blocks = path, blocks
        self._code = compile(text, path, "exec", dont_inherit=True)
        self.regions = Regions(text, self._code, hierarchy, blocks)
        data = text.encode()
        self.pure = [_pure(data[b.span.start : b.span.end].decode(), b.kind) for b in blocks]
        self._frames: dict[types.FrameType, _Frame] = {}
        self.clear(())

    def clear(self, wanted: Wanted) -> None:
        """wanted: (number of the block, which of its visits)."""
        self.wanted = set(wanted)
        self.hits: dict[int, int] = {}
        self.sights: dict[tuple[int, int], Sight] = {}
        self.calls: dict[int, Seen] = {}
        self.count = self.order = 0
        self._frames.clear()

    def namespace(self) -> Space:
        with self.watching():
            return execute(self._code, self.path)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._begin)
        try:
            yield
        finally:
            sys.settrace(before)

    def _begin(self, frame: types.FrameType, event: str, _: Any) -> Any:
        layout = self.regions.layouts.get(frame.f_code)
        if layout is None:
            return None
        state = self._frames.get(frame)
        if state is None:
            state = self._frames[frame] = _Frame(self, layout, frame)
        return state.event

    def frame_of(self, frame: types.FrameType | None) -> int | None:
        """None for a frame that is not the program's."""
        state = self._frames.get(frame) if frame else None
        if state is None:
            return None
        return state.around if state.inline else state.number

    def forget(self, frame: types.FrameType) -> None:
        self._frames.pop(frame, None)

    def enter_call(self, frame: types.FrameType, layout: Layout) -> tuple[int, Seen | None]:
        self.count += 1
        if self.count > MOST_CALLS:
            return self.count, None
        owner = layout.owner
        call = self.calls[self.count] = Seen(
            owner.id, self.frame_of(frame.f_back), _take(owner.parameters, frame)
        )
        return self.count, call


_INLINE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")  # parts of who holds them


class _Frame:
    """What goes on in one frame."""

    def __init__(self, tracer: Reference, layout: Layout, frame: types.FrameType) -> None:
        self.tracer, self.layout = tracer, layout
        self._here: tuple[int, ...] = ()
        self._last = -1
        self._entered: dict[int, int] = {}  # the instruction at which a block was entered
        self._open: dict[int, Sight] = {}
        self._error: BaseException | None = None
        self.number, self._call = 0, None
        self.around = tracer.frame_of(frame.f_back)
        self.inline = frame.f_code.co_name in _INLINE
        self.shared = not layout.whole
        if layout.whole and layout.owner.kind.called:
            self.number, self._call = tracer.enter_call(frame, layout)
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False

    def event(self, frame: types.FrameType, event: str, argument: Any) -> Any:
        if event == "opcode":
            at = frame.f_lasti >> 1
            here = self.layout.table[at]
            if here is not None:
                if here != self._here or at <= self._last:
                    self._move(frame, here, at)
                self._error = None
            self._last = at
        elif event == "exception":
            name = self.layout.names[frame.f_lasti >> 1]
            stopped = issubclass(argument[0], StopIteration | StopAsyncIteration)
            if not (stopped and name in ("FOR_ITER", "SEND", "YIELD_VALUE")):
                self._error = argument[1]
        elif event == "return":
            self._return(frame, argument)
        return self.event

    def _move(self, frame: types.FrameType, here: tuple[int, ...], at: int) -> None:
        back = at <= self._last
        again = [b for b in here if back and b in self._here and self._entered.get(b) == at]
        for block in self._here:
            if block not in here or block in again:
                self._leave(block, frame, self._error)
        for block in here:
            if block not in self._here or block in again:
                self._entered[block] = at
                self._enter(block, frame)
        self._here = here

    def _enter(self, block: int, frame: types.FrameType) -> None:
        tracer = self.tracer
        number = tracer.hits[block] = tracer.hits.get(block, 0) + 1
        tracer.order += 1
        if (block, number) not in tracer.wanted:
            return
        what = tracer.blocks[block]
        around = self.around if self.shared else self.number
        sight = Sight(tracer.order, self.number, around, _take(what.reads, frame))
        if what.kind is BlockKind.HANDLER:
            sight.result = shown(sys.exc_info()[1])
        elif (pure := tracer.pure[block]) is not None:
            with contextlib.suppress(Exception):
                value = eval(pure, frame.f_globals, dict(frame.f_locals))
                sight.result, sight.truth = shown(value), shown(bool(value))
        tracer.sights[block, number] = self._open[block] = sight

    def _leave(self, block: int, frame: types.FrameType, error: BaseException | None) -> None:
        sight = self._open.pop(block, None)
        if sight is not None:
            told = self.tracer.blocks[block]
            sight.after = _take([*told.writes, *told.reads], frame)
            sight.left = error is None
            sight.raised = shown(error) if error is not None else None

    def _return(self, frame: types.FrameType, value: Any) -> None:
        name = self.layout.names[frame.f_lasti >> 1]
        if name in _SUSPENDS and self._error is None:
            if self.shared:  # a generator expression hands over what it has done for an element
                self._move(frame, (), self._last + 1)
            return
        normal = name.startswith("RETURN")
        error = None if normal else self._error
        for block in self._here:
            sight = self._open.get(block)
            what = self.tracer.blocks[block]
            if sight and normal and what.exit is Exit.RETURN and what.kind is BlockKind.RUN:
                sight.result = shown(value)
            self._leave(block, frame, error)
        if self._call is not None:
            self._call.ended = "result" if normal else "raised"
            self._call.value = shown(value) if normal else shown(error) if error else None
            if frame.f_code.co_flags & 0x2A0:
                self._call.ended = ""
        self._here = ()
        self.tracer.forget(frame)


def _take(names: Sequence[str], frame: types.FrameType) -> dict[str, Value]:
    local, world = frame.f_locals, frame.f_globals
    found = {}
    for name in names:
        if name in local:
            found[name] = shown(local[name])
        elif name in world:
            found[name] = shown(world[name])
    return found


def _pure(text: str, kind: BlockKind) -> types.CodeType | None:
    """The code of an expression that can be asked twice for its value."""
    if kind is BlockKind.LOOP and text.startswith("for "):
        text = text.partition(" in ")[2].rstrip(": \n")
    elif kind not in (BlockKind.CONDITION, BlockKind.ARM, BlockKind.EACH):
        return None
    try:
        tree = ast.parse(f"({text}\n)", mode="eval")
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if not isinstance(node, _PURE):
            return None
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and node.func.id in (*_CALLS, "range")
        ):
            return None
    return compile(tree, "reference", "eval")
