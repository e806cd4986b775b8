"""What models write, while they write it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Size
from textual.strip import Strip

from mgdebug.session.account import Writing
from mgdebug.tui.actions import scrolling
from mgdebug.tui.panes.scrolled import Scrolled
from mgdebug.tui.roll import Roll, Row

NONE_ASKED = "no model is asked: --engine llm or both"
_RULES = {
    "head": "text-style: bold;",
    "code": "color: $text-primary;",
    "quiet": "text-style: dim;",
    "fault": "color: $text-error; text-style: bold;",
    "match": "text-style: reverse;",
}


class ModelPane(Scrolled):
    """Follows what is being written until somebody scrolls away from it.  It moves by half a page,
    and else only rows that change are painted."""

    BINDINGS: ClassVar[list[BindingType]] = scrolling()
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"model--{name}" for name in _RULES}
    DEFAULT_CSS: ClassVar[str] = "".join(
        f"ModelPane > .model--{name} {{ {rule} }}\n" for name, rule in _RULES.items()
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "5 Model"
        self.replies: Sequence[Writing] = ()
        self._roll = Roll()
        self._follows, self._is_ours = True, False  # whether it is us who scroll
        self._wanted, self._found = "", -1  # what is looked for, and the row of the last match
        self._pattern: re.Pattern[str] | None = None
        self._styles: dict[str, Style] = {}

    # ------------------------------------------------------------------------ what is shown

    def show(self, replies: Sequence[Writing]) -> None:
        """The replies as they stand; called again as they grow."""
        if list(replies) != self.replies:
            begins = not replies or not self.replies or replies[0].call < self.replies[0].call
            self._follows |= begins
            self.replies = list(replies)
            self._draw()

    def _draw(self) -> None:
        """Lay out what is new, and paint the rows that differ."""
        width, height = self.scrollable_content_region.size
        if width <= 0 or height <= 0:
            return
        roll, top = self._roll, self.scroll_offset.y
        before, place = roll.rows, roll.at(top)
        roll.show(self.replies, width, self.app.console)
        new = self._followed(top, height) if self._follows else roll.row(*place)
        size, step = new + height, max(1, height // 2)
        more = len(roll.rows) - 1 - size  # the last row is empty
        if more > 0:  # in steps, since a size that changes has all painted again
            size += -(-more // step) * step
        self.virtual_size = Size(0, size)
        if new != top:
            self._scroll(new)
        else:
            for row in range(top, top + height):
                if _row(before, row) != _row(roll.rows, row):
                    self.refresh_line(row)
        self._subtitled()

    def _followed(self, top: int, height: int) -> int:
        """The first row, so that the end of what is written is in view."""
        end = self._roll.end
        if top < end <= top + height:
            return top
        goes_on = any(reply.goes_on for reply in self.replies)
        return max(0, end - height + (height // 2 if goes_on else 0))

    def _scroll(self, row: int) -> None:
        self._is_ours = True
        self.scroll_to(y=row, animate=False, immediate=True)
        self._is_ours = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls away from the end stays there; whoever comes back follows again."""
        super().watch_scroll_y(old_value, new_value)
        if not self._is_ours and round(old_value) != round(new_value):
            self._follows = self._roll.end <= new_value + self.scrollable_content_region.height
            self._subtitled()

    def _subtitled(self) -> None:
        goes_on = any(reply.goes_on for reply in self.replies)
        words = "writing; G follows" if goes_on and not self._follows else ""
        if self.border_subtitle != words:
            self.border_subtitle = words

    # ----------------------------------------------------------------------------- painting

    def on_resize(self) -> None:
        self._draw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"model--{name}", partial=True)
        return self._styles[name]

    def render_line(self, y: int) -> Strip:
        shown = _row(self._roll.rows, y + self.scroll_offset.y)
        style = self.rich_style + self._style(shown.style) if shown.style else self.rich_style
        strip = Strip(self._segments(shown.text, style))
        return strip.adjust_cell_length(self.scrollable_content_region.width, style)

    def _segments(self, text: str, style: Style) -> list[Segment]:
        found, at = list[Segment](), 0
        for match in self._pattern.finditer(text) if self._pattern else ():
            found.append(Segment(text[at : match.start()], style))
            found.append(Segment(match.group(), style + self._style("match")))
            at = match.end()
        return [segment for segment in (*found, Segment(text[at:], style)) if segment.text]

    # ------------------------------------------------------------------------------- search

    def selected_text(self) -> str:
        """The reply that most of the pane shows."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        reply = self._roll.most(range(top, top + height))
        return reply.text if reply is not None else ""

    def find(self, text: str, step: int = 1) -> bool:
        """Scroll to the next row with a text in any case, and mark all matches.  step: -1 for the
        one before.  "" takes the marks away."""
        if text != self._wanted:
            self._wanted, self._found = text, -1
            self._pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
            self.refresh()
        rows, count = self._roll.rows, len(self._roll.rows)
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if not top <= self._found < top + height:
            self._found = top - 1 if step > 0 else min(count, top + height)
        for offset in range(1, count + 1):
            row = (self._found + step * offset) % count
            if self._pattern is not None and self._pattern.search(rows[row].text):
                self._found = row
                if not top <= row < top + height:
                    self.scroll_to(y=max(0, row - height // 2), animate=False, immediate=True)
                return True
        return False

    # ------------------------------------------------------------------------------- moving

    def action_top(self) -> None:
        self.scroll_to(y=0, animate=False, immediate=True)

    def action_bottom(self) -> None:
        """To the end of what is written, and on with it."""
        self._follows = True
        self._draw()


def _row(rows: Sequence[Row], row: int) -> Row:
    if not rows and not row:
        return Row("no reply yet", "quiet")
    return rows[row] if row < len(rows) else Row("")
