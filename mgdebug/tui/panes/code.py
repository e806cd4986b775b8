"""The code that a run goes through, with the values that each line last had beside it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mgdebug.session.walk import Walk
from mgdebug.states import printable
from mgdebug.syntax.source import SourceFile
from mgdebug.tui.actions import bindings
from mgdebug.tui.beside import PAINTS, Beside, painted, told
from mgdebug.tui.highlight import CAPTURES, css
from mgdebug.tui.sheet import COMPONENTS, Sheet

MARGIN = 3  # lines kept in view above and below the one that is looked at
SIDEWAYS = 8  # columns of a step to the left or right
MOST_DRAWN = 2_000  # lines that are remembered as drawn
COPIED = 10_000  # columns of values beside a line


class CodePane(ScrollView, can_focus=True):
    """load() gives it the files, walk() a run; go() and the steps move along it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("code")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"code--{name}" for name in (*CAPTURES, *PAINTS, *COMPONENTS)
    }
    DEFAULT_CSS: ClassVar[str] = """
    CodePane { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    CodePane > .code--cursor { background: $panel; }
    CodePane > .code--line { text-style: dim; }
    CodePane > .code--here { color: $text-warning; text-style: bold; }
    CodePane > .code--suspect { color: $text-error; text-style: bold; }
    CodePane > .code--weak { color: $text-warning; }
    CodePane > .code--match { text-style: reverse; }
    CodePane > .code--name, CodePane > .code--was { text-style: dim; }
    CodePane > .code--now, CodePane > .code--read { text-style: bold; }
    CodePane > .code--result { color: $text-secondary; text-style: bold; }
    CodePane > .code--caught { color: $text-warning; }
    CodePane > .code--raised { color: $text-error; text-style: bold; }
    CodePane > .code--parts { color: $text-warning; text-style: bold; }
    CodePane > .code--older { text-style: dim; }
    """ + css("CodePane", "code")

    class Moved(Message):
        """Another line or another visit is looked at.  place: None without a run."""

        def __init__(self, path: str, line: int, place: int | None) -> None:
            super().__init__()
            self.path, self.line, self.place = path, line, place

    class View(Message):
        """All values of a visit are wanted."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    class Watch(Message):
        """Another variable is to be watched."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sources: Mapping[str, SourceFile] = {}
        self._suspicion: Mapping[tuple[str, int], float] = {}
        self._walk: Walk | None = None
        self._beside: Beside | None = None
        self._place = 0
        self._sheet = Sheet("", None, self._style)
        self._strips: dict[int, Strip] = {}
        self._base: Style | None = None
        self._wanted, self._matches = "", list[int]()  # what is looked for, and the lines with it
        self._told = ("", "")
        self.trouble = ""  # why the last step led nowhere, in words
        self.border_title = "3 Code"

    # --------------------------------------------------------------------- what is looked at

    @property
    def walked(self) -> Walk | None:
        """The run that is shown."""
        return self._walk

    @property
    def place(self) -> int | None:
        """The visit that is looked at; None without a run, or with one of no visits."""
        return self._place if self._walk is not None and self._walk.count else None

    @property
    def path(self) -> str:
        return self._sheet.path

    @property
    def line(self) -> int:
        """The cursor's; 1 is the first."""
        return self._sheet.cursor

    def load(
        self, sources: Mapping[str, SourceFile], suspicion: Mapping[tuple[str, int], float]
    ) -> None:
        """Other files.  suspicion: scores from 0 to 1, by path and line."""
        self._sources, self._suspicion = sources, suspicion
        self._beside = Beside(self._walk, sources) if self._walk is not None else None
        old = self._sheet
        path = old.path if old.path in sources else next(iter(sources), old.path)
        self._file(path)
        self._show(path, old.cursor if path == old.path else 1)

    def walk(self, walk: Walk | None, place: int = 0) -> None:
        """Show a run at a visit; None: no run, only the code."""
        self._walk, self._place = walk, 0
        self._beside = Beside(walk, self._sources) if walk is not None else None
        if walk is not None and walk.count:
            self.go(place)
        else:
            self._show(self.path, self.line)

    def go(self, place: int) -> None:
        """To a visit of the run; the nearest there is."""
        walk = self._walk
        if walk is not None and walk.count:
            self._place = walk.clamped(place)
            self._show(walk.path(self._place), walk.line(self._place))

    def open(self, path: str, line: int) -> None:
        """To a line of a file, whatever visit is looked at."""
        self._show(path, line)

    def selected_text(self) -> str:
        """The cursor's line, with the values beside it."""
        sheet = self._sheet
        if sheet.source is None:
            return ""
        notes = painted(sheet.notes.get(sheet.cursor, ()), COPIED)
        values = "".join(text for text, _ in notes)
        code = sheet.source.line_text(sheet.cursor)
        return f"{code}  # {values}" if values else code

    # -------------------------------------------------------------------------------- steps

    def next_visit(self) -> bool:
        """Each step tells whether it led somewhere; if not, `trouble` says why."""
        return self._step("next")

    def previous_visit(self) -> bool:
        return self._step("previous")

    def into(self) -> bool:
        return self._step("into")

    def out(self) -> bool:
        return self._step("out")

    def over(self) -> bool:
        return self._step("over")

    def next_same(self) -> bool:
        return self._step("next_same")

    def previous_same(self) -> bool:
        return self._step("previous_same")

    def next_divergence(self) -> bool:
        return self._step("next_parting")

    def previous_divergence(self) -> bool:
        return self._step("previous_parting")

    def _step(self, name: str) -> bool:
        place, self.trouble = None, "no run is shown: choose a test that was traced"
        if self._walk is not None:
            place, self.trouble = self._walk.step(name, self._place)
        if place is not None:
            self.go(place)
        return place is not None

    # ------------------------------------------------------------------------------- search

    def find(self, text: str, step: int = 1) -> bool:
        """Move the cursor to the next line of the file with a text in any case, and mark all
        matches.  step: -1 for the one before.  "" takes the marks away."""
        pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
        if pattern != self._sheet.pattern:
            self._wanted = text
            self._sheet.pattern = pattern
            self._look()
            self._again()
        lines, at = self._matches, self.line
        if lines:
            after = bisect_right(lines, at) % len(lines)
            self._to(lines[after if step > 0 else bisect_left(lines, at) - 1])
        return bool(lines)

    def find_next(self) -> bool:
        return self.find(self._wanted)

    def find_previous(self) -> bool:
        return self.find(self._wanted, -1)

    def _look(self) -> None:
        source, pattern = self._sheet.source, self._sheet.pattern
        self._matches = []
        if source is not None and pattern is not None:
            lines = range(1, self._sheet.count + 1)
            self._matches = [n for n in lines if pattern.search(source.line_text(n))]

    # ------------------------------------------------------------------------------- moving

    def _to(self, line: int) -> None:
        sheet = self._sheet
        line = max(1, min(line, sheet.count))
        if line == sheet.cursor:
            return
        self._repaint({line, sheet.cursor})
        sheet.cursor = line
        self._in_view(line, line)
        self.post_message(self.Moved(sheet.path, line, self.place))

    def _file(self, path: str) -> None:
        """Another file, or another text of it."""
        pattern = self._sheet.pattern
        self._sheet = Sheet(path, self._sources.get(path), self._style, self._suspicion)
        self._sheet.pattern, self._sheet.width = pattern, self._width
        self.virtual_size = Size(0, self._sheet.count)
        self._look()
        self._again()

    def _show(self, path: str, line: int) -> None:
        """A line of a file, and the values of the visit; repaints what differs."""
        if path != self._sheet.path:
            self._file(path)
        sheet = self._sheet
        notes, here, column, cursor = sheet.notes, sheet.here, sheet.column, sheet.cursor
        sheet.cursor = max(1, min(line, sheet.count))
        self._values()
        both = {*notes, *sheet.notes}
        changed = {n for n in both if notes.get(n) != sheet.notes.get(n)}
        self._repaint(both if column != sheet.column else changed)
        self._repaint({cursor, sheet.cursor, *here, *sheet.here})
        self._titled()
        last = sheet.here.stop - 1 if sheet.cursor == sheet.here.start else sheet.cursor
        self._in_view(sheet.cursor, last)
        self.post_message(self.Moved(path, sheet.cursor, self.place))

    def _values(self) -> None:
        """What stands beside the lines."""
        sheet, walk, beside = self._sheet, self._walk, self._beside
        sheet.notes, sheet.here, place = {}, range(0), self._place
        if walk is None or beside is None or not walk.count or walk.path(place) != sheet.path:
            return
        sheet.notes = beside.notes(place)
        block, subfunction = walk.block(place), walk.subfunction(place)
        if block is not None:
            sheet.here = range(block.span.first_line, block.span.last_line + 1)
        sheet.measure(subfunction.span if subfunction else None)

    def _titled(self) -> None:
        walk = self._walk
        parts, below = ["3 Code", printable(self.path)], [""]
        if walk is not None:
            parts.append(printable(walk.trace.case.rpartition("::")[2]))
            parts.append(
                f"visit {self._place + 1}/{walk.count}" if walk.count else "no visits kept"
            )
            below = list(told(walk, self._place)) if walk.count else []
        titles = "  ".join(filter(None, parts)), "  ".join(filter(None, below))
        if titles != self._told:
            self._told = titles
            self.border_title, self.border_subtitle = Text(titles[0]), Text(titles[1])

    def _in_view(self, first: int, last: int) -> None:
        height, top = self.scrollable_content_region.height, self.scroll_offset.y
        if height <= 0:
            return
        margin = min(MARGIN, max(0, (height - 1) // 4))
        last = min(last, first + height - 1 - margin)
        if top <= first - 1 - margin and last + margin <= top + height:
            return
        if not top - height < first < top + 2 * height:
            upper = first - 1 - height // 3
        elif first - 1 - margin < top:
            upper = first - 1 - margin
        else:
            upper = last + margin - height
        self.scroll_to(y=max(0, upper), animate=False, force=True, immediate=True)

    # ----------------------------------------------------------------------------- painting

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"code--{name}", partial=True)

    def _again(self) -> None:
        self._strips.clear()
        self.refresh()

    def _repaint(self, lines: set[int]) -> None:
        for line in lines:
            if self._strips.pop(line, None) is not None:
                self.refresh_line(line - 1)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None
        self._strips.clear()

    def on_resize(self) -> None:
        self._in_view(self.line, self.line)

    def render_lines(self, crop: Region) -> list[Strip]:
        if self._sheet.width != self._width:  # a scrollbar that comes or goes is no resize
            self._sheet.width = self._width
            self._strips.clear()
            self._values()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        line = y + self.scroll_offset.y + 1
        if line not in self._strips:
            if len(self._strips) > MOST_DRAWN:
                self._strips.clear()
            style = self._base = self._base or self.rich_style
            strip = self._sheet.line(line).apply_style(style)
            self._strips[line] = strip.adjust_cell_length(self._sheet.width, style)
        return self._strips[line]

    # ------------------------------------------------------------------------------ actions

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y + self.scroll_offset.y < self._sheet.count:
            self._to(offset.y + self.scroll_offset.y + 1)

    def action_line_down(self) -> None:
        self._to(self.line + 1)

    def action_line_up(self) -> None:
        self._to(self.line - 1)

    def action_left(self) -> None:
        self._sideways(-SIDEWAYS)

    def action_right(self) -> None:
        self._sideways(SIDEWAYS)

    def _sideways(self, columns: int) -> None:
        sheet, top = self._sheet, self.scroll_offset.y
        bottom = min(sheet.count, top + self.scrollable_content_region.height)
        left = max(
            0, min(sheet.left + columns, sheet.widest(range(top + 1, bottom + 1)) - SIDEWAYS)
        )
        if left != sheet.left:
            sheet.left = left
            self._values()
            self._again()

    def action_half_down(self) -> None:
        self._to(self.line + max(1, self.scrollable_content_region.height // 2))

    def action_half_up(self) -> None:
        self._to(self.line - max(1, self.scrollable_content_region.height // 2))

    def action_top(self) -> None:
        self._to(1)

    def action_bottom(self) -> None:
        self._to(self._sheet.count)

    def action_view(self) -> None:
        """Of the visit whose values stand beside the cursor's line, else of the one looked at."""
        place = self.place
        if self._walk is None or place is None:
            return
        for at in self._walk.beside(place).values():
            block = self._walk.block(at)
            lines = range(block.span.first_line, block.span.last_line + 1) if block else range(0)
            if self._walk.path(at) == self.path and self.line in lines:
                place = at
                break
        self.post_message(self.View(place))

    def action_watch(self) -> None:
        self.post_message(self.Watch())
