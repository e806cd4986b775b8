"""Replies of models one below the other, as rows: of what grows only its last line is laid out
again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from rich.console import Console
from rich.text import Text

from mgdebug.session.account import REPLY_MOST, Writing
from mgdebug.states import printable
from mgdebug.tui.leaf import wrapped

TAB = 4
LONGEST = 2_000  # characters of a line, after which it is broken
FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Row:
    """style: the name of a component, "" for none."""

    text: str
    style: str = ""


class Laid:
    """One reply.  rows: with a head above and an empty one below."""

    def __init__(self, width: int, console: Console) -> None:
        self.rows: list[Row] = []
        self.reply: Writing | None = None
        self._width, self._console = width, console
        self._done: list[Row] = []  # of lines that are whole
        self._read = 0  # characters of those
        self._in_code = False

    def show(self, reply: Writing) -> None:
        """Lay out what of it is new."""
        if reply is self.reply:
            return
        if self.reply is not None and not reply.text.startswith(self.reply.text[: self._read]):
            self._done, self._read, self._in_code = [], 0, False
        self.reply = reply
        *lines, rest = reply.text[self._read :].split("\n")
        for line in lines:
            self._read += len(line) + 1
            self._done += self._pieces(line)
            self._in_code ^= _is_fence(line)
        while len(rest) > LONGEST:
            self._read += LONGEST
            self._done += self._line(rest[:LONGEST])
            rest = rest[LONGEST:]
        last = self._pieces(rest) if rest else []
        self.rows = [_head(reply), *self._done, *last, *self._foot(reply), Row("")]

    def _pieces(self, line: str) -> list[Row]:
        starts = range(0, max(1, len(line)), LONGEST)
        return [row for at in starts for row in self._line(line[at : at + LONGEST])]

    def _line(self, line: str) -> list[Row]:
        style = "quiet" if _is_fence(line) else "code" if self._in_code else ""
        return self._wrapped(line.removesuffix("\r").expandtabs(TAB), style)

    def _foot(self, reply: Writing) -> list[Row]:
        if reply.goes_on and not reply.text:
            words = f"waiting for {reply.model} about {_name(reply)}..."
            return self._wrapped(words, "quiet")
        long = len(reply.text) >= REPLY_MOST
        rows = self._wrapped(f"only {REPLY_MOST:,} characters are shown", "quiet") if long else []
        return rows + (self._wrapped(f"x  {reply.fault}", "fault") if reply.fault else [])

    def _wrapped(self, line: str, style: str) -> list[Row]:
        texts = wrapped(Text(printable(line)), self._width, self._console)
        return [Row(text.plain, style) for text in texts] or [Row("", style)]


class Roll:
    """All of them.  rows: from 0 on; end: the row behind what is being written, or behind all."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.end = 0
        self._laid: list[Laid] = []
        self._starts: list[int] = [0]
        self._width = 0

    def show(self, replies: Sequence[Writing], width: int, console: Console) -> None:
        """width: columns of a row."""
        known = {laid.reply.call: laid for laid in self._laid if laid.reply is not None}
        if width != self._width:
            known, self._width = {}, width
        self._laid = [known.get(reply.call) or Laid(width, console) for reply in replies]
        for laid, reply in zip(self._laid, replies, strict=True):
            laid.show(reply)
        self.rows = [row for laid in self._laid for row in laid.rows]
        self._starts = list(accumulate((len(laid.rows) for laid in self._laid), initial=0))
        ends = zip(self._starts[1:], replies, strict=True)
        live = [end for end, reply in ends if reply.goes_on]
        self.end = live[-1] - 1 if live else max(0, len(self.rows) - 1)

    def at(self, row: int) -> tuple[int, int]:
        """Which reply a row belongs to, and which row of it it is."""
        for laid, start in zip(self._laid, self._starts, strict=False):
            if row < start + len(laid.rows) and laid.reply is not None:
                return laid.reply.call, row - start
        return 0, 0

    def row(self, call: int, row: int) -> int:
        """Where a row of a reply is now; 0 where the reply is gone."""
        for laid, start in zip(self._laid, self._starts, strict=False):
            if laid.reply is not None and laid.reply.call == call:
                return start + min(row, len(laid.rows) - 1)
        return 0

    def most(self, rows: range) -> Writing | None:
        """The reply that has most of some rows."""
        spans = zip(self._laid, self._starts, self._starts[1:], strict=False)
        shares = [
            (min(rows.stop, end) - max(rows.start, start), laid) for laid, start, end in spans
        ]
        return max(shares, key=lambda share: share[0])[1].reply if shares else None


def _is_fence(line: str) -> bool:
    return line.lstrip().startswith(FENCES)


def _name(reply: Writing) -> str:
    return reply.subfunction.partition("::")[2] or reply.subfunction or "all of it"


def _head(reply: Writing) -> Row:
    state = "ok whole" if reply.whole else "x  ended" if reply.fault else ">  writing"
    state = "~  waiting" if reply.goes_on and not reply.text else state
    return Row(printable(f"{state}  {_name(reply)}  {reply.model}"), "head")
