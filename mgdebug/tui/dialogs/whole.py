"""The whole text of one value on lines; however many there are, only what is seen is drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mgdebug.states import printable

INDENT, DEEPEST = "  ", 12  # of a container in a container; containers
_TOKENS = re.compile(r"'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|[\[({,)}\]]", re.DOTALL)
_OPEN, _CLOSE = "[({", "])}"


class Whole(ScrollView, can_focus=True):
    """show() gives it lines."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"whole--match"}
    DEFAULT_CSS = """
    Whole { overflow-x: hidden; scrollbar-size-vertical: 1; }
    Whole > .whole--match { text-style: reverse; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: list[str] = []
        self._needle = ""
        self.found = -1  # the line of the match that was found last

    def show(self, lines: list[str]) -> None:
        """Other lines, the first one on top."""
        self.lines, self.found = lines, -1
        self.virtual_size = Size(0, len(lines))
        self.scroll_to(y=0, animate=False, immediate=True)
        self.refresh()

    def restart(self) -> None:
        """The next search begins at the first line."""
        self.found = -1

    def find(self, needle: str, step: int) -> bool:
        """Go to the next line (step -1: the one before) with a text in any case; not around the
        end.  Every match is marked."""
        self._needle = needle.lower()
        if self.found < 0 and step < 0:
            self.found = len(self.lines)
        at = self.found + step
        while self._needle and 0 <= at < len(self.lines):
            if self._needle in self.lines[at].lower():
                self.found = at
                half = self.scrollable_content_region.height // 2
                self.scroll_to(y=max(0, at - half), animate=False, force=True, immediate=True)
                self.refresh()
                return True
            at += step
        self.refresh()
        return False

    def render_line(self, y: int) -> Strip:
        at, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        text = self.lines[at] if at < len(self.lines) else ""
        strip = Strip(self._segments(text, at == self.found)).apply_style(self.rich_style)
        return strip.adjust_cell_length(width, self.rich_style)

    def _segments(self, text: str, current: bool) -> Iterator[Segment]:
        low, at = text.lower(), 0
        plain = len(low) == len(text)  # lower case may be longer
        match = self.get_component_rich_style("whole--match", partial=True)
        while self._needle and plain and (found := low.find(self._needle, at)) >= 0:
            end = found + len(self._needle)
            yield Segment(text[at:found])
            yield Segment(text[found:end], match + Style(bold=True) if current else match)
            at = end
        yield Segment(text[at:])


# ------------------------------------------------------------------------------------ the lines


@dataclass(slots=True)
class _Item:
    """What stands between two commas: from, to, and the containers in it."""

    start: int
    end: int = 0
    groups: list[_Group] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    start: int
    end: int = 0
    items: list[_Item] = field(default_factory=list)
    closed: bool = False


def laid(text: str, width: int) -> list[str]:
    """The text of a value on lines of at most so many columns: containers that do not fit are taken
    apart, texts go on after each end of a line that they hold.  Linear in the text's length."""
    text, width = printable(text), max(8, width)
    if text.lstrip("bfru")[:1] in ("'", '"'):
        lines: Iterator[str] = iter(re.findall(r".*?\\n|.+$", text))
    else:
        lines = _apart(text, _parsed(text), "", width, 0)
    found: list[str] = []
    for line in lines:
        fits = len(line) <= width and (line.isascii() or cell_len(line) <= width)
        found += [line] if fits else chop_cells(line, width)
    return found or [""]


def _parsed(text: str) -> _Item:
    top = item = _Item(0)
    outer: list[tuple[_Group, _Item]] = []
    for match in _TOKENS.finditer(text):
        sign = match[0]
        if sign in _OPEN:
            group = _Group(match.start())
            item.groups.append(group)
            outer.append((group, item))
            item = _Item(match.end())
            group.items.append(item)
        elif sign in _CLOSE and outer:
            item.end = match.start()
            group, item = outer.pop()
            group.end, group.closed = match.end(), True
        elif sign == "," and outer:
            item.end = match.end()
            item = _Item(match.end())
            outer[-1][0].items.append(item)
    while outer:  # the text is cut off
        item.end = len(text)
        group, item = outer.pop()
        group.end = len(text)
    top.end = len(text)
    return top


def _apart(text: str, item: _Item, indent: str, width: int, depth: int) -> Iterator[str]:
    flat = text[item.start : item.end].strip()
    if len(indent) + len(flat) <= width or not item.groups or depth >= DEEPEST:
        if flat:
            yield indent + flat
        return
    line, at = indent, item.start
    for group in item.groups:
        before = text[at : group.start]
        line += before.lstrip() if line == indent else before
        yield line + text[group.start]
        yield from _filled(text, group, indent + INDENT, width, depth + 1)
        line, at = indent + (text[group.end - 1] if group.closed else ""), group.end
    line += text[at : item.end].rstrip()
    if line.strip():
        yield line


def _filled(text: str, group: _Group, indent: str, width: int, depth: int) -> Iterator[str]:
    """As many items on a line as have room; those of a mapping on a line each."""
    first = text[group.items[0].start : group.items[0].end]
    mapping = text[group.start] == "{" and ": " in first
    line = ""
    for item in group.items:
        size = item.end - item.start
        if mapping or (item.groups and len(indent) + size > width):
            if line:
                yield line
                line = ""
            yield from _apart(text, item, indent, width, depth)
            continue
        flat = text[item.start : item.end].strip()
        if line and len(line) + 1 + len(flat) <= width:
            line += f" {flat}" if flat else ""
        elif flat:
            if line:
                yield line
            line = indent + flat
    if line:
        yield line
