"""A run as a person reads it: source lines with the values beside them, visit after visit, and two
runs side by side.  Gives lines of text; prints nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.text import Text

from mgdebug.columns import Row, abreast, fold, notes_column
from mgdebug.model import Block, BlockKind, BlockVisit, Hierarchy, Trace, Value
from mgdebug.states import called, ended, error, gaps, printable, shown, telling
from mgdebug.syntax.source import SourceFile
from mgdebug.tracing import Pair

INDENT, DEEPEST = 2, 6  # columns a call; calls
HALF = 72  # columns of one run of two, where there is no edge
VALUE_CHARACTERS = 400  # of one value, as many as a trace keeps
ARGUMENT_CHARACTERS = 60
ENDS = 4  # calls that end alike, one after another
ALIKE, BEHIND = 12, 40  # visits before and behind the place where two runs part


@dataclass(frozen=True, slots=True)
class Signs:
    """What is drawn with."""

    bar: str = "│"
    becomes: str = "→"
    into: str = "▸"
    out: str = "◂"
    part: str = "·"
    more: str = "…"
    rule: str = "━"


ASCII = Signs("|", "->", ">", "<", ".", "...", "=")


class Timeline:
    """Draws traces of one hierarchy.

    width: columns, None where there is no edge (a pipe): nothing is ever cropped.  everything:
    whether names that stand for code are shown too.
    """

    def __init__(
        self,
        hierarchy: Hierarchy,
        sources: Mapping[str, SourceFile],
        width: int | None,
        signs: Signs | None = None,
        *,
        everything: bool = False,
    ) -> None:
        self.hierarchy, self.sources = hierarchy, sources
        self.width, self.signs, self.everything = width, signs or Signs(), everything

    def run(self, trace: Trace, message: str = "") -> Iterator[Text]:
        """One run, its head first."""
        yield from fold(Row(_head(trace, message)), self.width, 0)
        script = _Script(self, trace)
        groups = [*script.groups(), script.rest()]
        rows = [row for group in groups for row in group]
        column = notes_column(rows, self.width)
        for row in rows:
            yield from fold(row, self.width, column)

    def beside(self, pair: Pair, message: str = "") -> Iterator[Text]:
        """A failing run on the left, a passing one on the right; a line marks where they part."""
        width = 2 * HALF + 3 if self.width is None else self.width
        half = (width - 3) // 2
        mine, theirs = _Script(self, pair.trace), _Script(self, pair.other)
        left, right = list(mine.groups()), list(theirs.groups())
        column = notes_column((row for group in [*left, *right] for row in group), half)

        def put(ours: Sequence[list[Row]], others: Sequence[list[Row]]) -> Iterator[Text]:
            for one, two in zip_longest(ours, others, fillvalue=list[Row]()):
                yield from abreast(one, two, half, column, self.signs.bar)

        yield from put([[Row(_head(pair.trace, message))]], [[Row(_head(pair.other, ""))]])
        here, there = len(left), len(right)
        if pair.parting is not None:
            here = here if pair.parting.one is None else pair.parting.one
            there = there if pair.parting.other is None else pair.parting.other
        skipped = max(0, min(here, there) - ALIKE)
        if skipped:
            yield Text(f"{self.signs.more} {_visits(skipped)} alike", "dim")
        yield from put(left[skipped:here], right[skipped:there])
        rule = self.signs.rule * 3
        mark = Text(f"{rule} here they part {rule} {pair.why}", "bold yellow")
        if pair.parting is None:
            mark = Text("the same blocks in the same order: the two runs do not part", "yellow")
        yield from fold(Row(mark, hang=4), width, 0)
        last, also = here + BEHIND, there + BEHIND
        yield from put(left[here:last], right[there:also])
        yield from put([self._end(mine, len(left) - last)], [self._end(theirs, len(right) - also)])

    def _end(self, script: _Script, left: int) -> list[Row]:
        """How a run ends, or how many visits of it are not shown."""
        if left > 0:
            return [Row(Text(f"{self.signs.more} {_visits(left)} more", "dim"))]
        return script.rest()


def _head(trace: Trace, message: str) -> Text:
    style = "green" if trace.status.ok else "red"
    text = Text.assemble((trace.case, "bold"), "  ", (str(trace.status), f"bold {style}"))
    if message:
        text.append(f"  {printable(message)}")
    return text


def _visits(count: int) -> str:
    return f"{count} visit{'s' * (count != 1)}"


# ---------------------------------------------------------------------------------- the rows


class _Script:
    """The rows of one trace, visit by visit."""

    def __init__(self, drawing: Timeline, trace: Trace) -> None:
        self.drawing, self.signs, self.trace = drawing, drawing.signs, trace
        self.gaps = gaps(trace)
        self.calls = {call.frame: call for call in trace.calls}
        self.last = {visit.frame: place for place, visit in enumerate(trace.visits)}
        self._open: list[int] = []  # the calls that are running
        self._told: set[int] = set()
        self._path = ""
        self._parts: dict[str, bool] = {}
        lines = [b.span.last_line for v in trace.visits if (b := self._block(v)) is not None]
        self._digits = len(str(max(lines, default=0))) + 1
        most = max((visit.iteration for visit in trace.visits), default=0)
        self._times = len(str(most)) + 2 if most else 0

    def groups(self) -> Iterator[list[Row]]:
        """The rows of each visit, with what stands before it."""
        for place, visit in enumerate(self.trace.visits):
            yield [*self._before(place, visit), *self._visit(visit)]

    def rest(self) -> list[Row]:
        """What ends the run."""
        count = len(self.trace.visits)
        open_ones = reversed([*enumerate(self._open)])
        rows = [row for depth, frame in open_ones for row in self._end(frame, count, depth)]
        rows = self._alike(rows)
        left = self.trace.dropped - sum(self.gaps.values())
        if left > 0:
            rows.append(self._dim(f"{self.signs.more} {_visits(left)} not kept"))
        return rows

    def _block(self, visit: BlockVisit) -> Block | None:
        return self.drawing.hierarchy.block(visit.block)

    def _dim(self, text: str) -> Row:
        return Row(Text(" " * self._indent() + text, "dim"), hang=self._indent() + 4)

    def _indent(self) -> int:
        return INDENT * min(DEEPEST, max(0, len(self._open) - 1))

    def _before(self, place: int, visit: BlockVisit) -> Iterator[Row]:
        frame = visit.frame
        ends: list[Row] = []
        while self._open and not self._runs_in(frame, self._open[-1], place):
            ends += self._end(self._open.pop(), place, len(self._open))
        yield from self._alike(ends)
        path = visit.block.partition("::")[0]
        if path != self._path:
            self._path = path
            yield Row(Text(path, "cyan"))
        if not self._open or self._open[-1] != frame:
            self._open.append(frame)
            yield from self._begin(frame, visit)
        if place in self.gaps:
            yield self._dim(f"{self.signs.more} {_visits(self.gaps[place])} not kept")

    def _runs_in(self, frame: int, outer: int, place: int) -> bool:
        """Whether a call is another one, or was made during it."""
        if not self.calls:  # they are numbered as they begin
            return frame == outer or (outer < frame and self.last[outer] >= place)
        seen: set[int] = set()
        while frame != outer and frame in self.calls and frame not in seen:
            seen.add(frame)
            frame = self.calls[frame].caller
        return frame == outer

    def _begin(self, frame: int, visit: BlockVisit) -> Iterator[Row]:
        name = visit.block.rpartition("#")[0].partition("::")[2]
        if frame in self._told:
            yield self._dim(f"{self.signs.into} back in {name}")
            return
        self._told.add(frame)
        call = self.calls.get(frame)
        text = called(call, ARGUMENT_CHARACTERS) if call else name
        text += f" (thread {call.thread})" if call and call.thread else ""
        row = self._dim(f"{self.signs.into} {text}")
        row.left.stylize("not dim bold")
        yield row

    def _end(self, frame: int, place: int, depth: int) -> Iterator[Row]:
        call = self.calls.get(frame)
        if call is None or self.last[frame] > place:
            return
        indent = " " * (INDENT * min(DEEPEST, depth))
        style = "bold red" if call.raised is not None else "bold"
        for text in ended(call, VALUE_CHARACTERS):
            yield Row(Text(f"{indent}{self.signs.out} {text}", style), hang=len(indent) + 4)

    def _alike(self, ends: list[Row]) -> list[Row]:
        """A recursion may end in many calls that end alike: the first and the last are shown."""
        if len(ends) <= ENDS or len({end.left.plain.strip() for end in ends}) > 1:
            return ends
        more = f"{self.signs.more} {len(ends) - 2} calls end like this"
        hang = ends[-1].hang - 4
        return [ends[0], Row(Text(" " * hang + more, "dim"), hang=hang), ends[-1]]

    def _visit(self, visit: BlockVisit) -> Iterator[Row]:
        block, source = self._block(visit), self.drawing.sources.get(self._path)
        if block is None or source is None:
            yield Row(Text(" " * self._indent() + visit.block), list(self._ends(visit)))
            return
        times = f"#{visit.iteration}" if visit.iteration else ""
        if self._is_part(block):
            words = " ".join(source.slice(block.span.start, block.span.end).split())
            texts = [f"{self.signs.part} {words}"]
            lines = [block.span.first_line]
        else:
            lines = list(range(block.span.first_line, block.span.last_line + 1))
            texts = [source.line_text(line) for line in lines]
            while len(texts) > 1 and not texts[-1].strip():
                texts.pop(), lines.pop()
        notes = self._notes(visit, texts)
        for number, (line, text) in enumerate(zip(lines, texts, strict=True)):
            left = Text(" " * self._indent())
            left.append(
                f"{line:>{self._digits}} {times if not number else '':{self._times}}", "dim"
            )
            left.append(f"{self.signs.bar} ", "dim")
            hang = len(left.plain)
            left.append(printable(text.expandtabs(4)))
            yield Row(left, notes[number], hang)

    def _is_part(self, block: Block) -> bool:
        """Whether it stands inside another block, so that its lines say more than it does."""
        if block.id not in self._parts:
            owner = self.drawing.hierarchy.subfunctions.get(block.id.rpartition("#")[0])
            others = owner.blocks if owner else ()
            self._parts[block.id] = any(
                other.span.holds(block.span) and other.span != block.span for other in others
            )
        return self._parts[block.id]

    def _notes(self, visit: BlockVisit, texts: Sequence[str]) -> list[list[Text]]:
        """The values beside each line: what is read where its name stands first, what is written
        where it stands last."""
        notes: list[list[Text]] = [[] for _ in texts]
        pick = dict if self.drawing.everything else telling
        before, after = pick(visit.before), pick(visit.after)
        for name, value in before.items():
            if name not in after:
                notes[_place(name, texts, first=True)].append(self._note(name, value, "dim"))
        for name, value in after.items():
            was = before.get(name)
            note = self._note(name, value, "bold")
            if was is not None and was != value:
                change = f"{shown(was, VALUE_CHARACTERS)} {self.signs.becomes} "
                note = Text.assemble(f"{name} = ", (change, "dim"), self._value(value, "bold"))
            notes[_place(name, texts, first=False)].append(note)
        notes[-1] += self._ends(visit)
        return notes

    def _ends(self, visit: BlockVisit) -> Iterator[Text]:
        block = self._block(visit)
        if visit.result is not None:
            if block is not None and block.kind is BlockKind.HANDLER:
                yield Text(f"caught {error(visit.result, VALUE_CHARACTERS)}", "yellow")
            else:
                mark = (f"{self.signs.becomes} ", "dim")
                yield Text.assemble(mark, self._value(visit.result, "bold cyan"))
        if visit.raised is not None:
            yield Text(f"raised {error(visit.raised, VALUE_CHARACTERS)}", "bold red")
        elif not visit.left and (block is None or block.kind is BlockKind.RUN):
            yield Text("did not end", "red")

    def _note(self, name: str, value: Value, style: str) -> Text:
        return Text.assemble((f"{name} = ", "dim"), self._value(value, style))

    def _value(self, value: Value, style: str) -> tuple[str, str]:
        return shown(value, VALUE_CHARACTERS), style


def _place(name: str, texts: Sequence[str], *, first: bool) -> int:
    """The line where a name stands first or last, else the first or last line."""
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    found = [number for number, text in enumerate(texts) if word.search(text)]
    if found:
        return found[0] if first else found[-1]
    return 0 if first else len(texts) - 1
