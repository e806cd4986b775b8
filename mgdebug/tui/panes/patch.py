"""The patches that were found, hunk by hunk, with the values that prove them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from mgdebug.model import Patch
from mgdebug.session.account import Account
from mgdebug.session.hunks import Decision, Hunks
from mgdebug.session.review import Review
from mgdebug.states import printable
from mgdebug.tui import about, difference
from mgdebug.tui.actions import bindings
from mgdebug.tui.dialogs.ask import Consent
from mgdebug.tui.difference import Colours, Difference, Look
from mgdebug.tui.highlight import CAPTURES, css
from mgdebug.tui.leaf import Leaf, wrapped
from mgdebug.tui.panes.scrolled import Scrolled

CONTEXT_MOST = 40  # lines around a hunk
MARGIN = 1  # rows kept in view above a hunk
MOST_DRAWN = 2_000  # rows that are remembered as drawn
MARK_COLUMNS = range(1, 4)  # of [x]


class PatchPane(Scrolled):
    """show() gives it what a repair found; `review` holds that, and what is decided on it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("patch")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"patch--{name}" for name in (*CAPTURES, *difference.STYLES)
    }
    DEFAULT_CSS: ClassVar[str] = css("PatchPane", "patch") + difference.css("PatchPane", "patch")

    class Apply(Message):
        """Write what is taken.  patch: what was offered; None for one that not all cases pass
        with."""

        def __init__(self, hunks: Hunks, patch: Patch | None) -> None:
            super().__init__()
            self.hunks, self.patch = hunks, patch

    class Edit(Message):
        """The user wants to write a hunk otherwise; replace() takes what became of it."""

        def __init__(self, hunks: Hunks, at: int) -> None:
            super().__init__()
            self.hunks, self.at = hunks, at

    class Decided(Message):
        """The user took, rejected or edited hunks."""

        def __init__(self, hunks: Hunks) -> None:
            super().__init__()
            self.hunks = hunks

    class Said(Message):
        """One line for the user."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, review: Review | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "4 Patch"
        self.review, self._hunk = review or Review(), 0  # the current one
        self._range: int | None = None  # the hunk that it began at
        self._look, self._leaf = Look(0), Leaf()
        self._said: tuple[list[Text], list[Text]] = ([], [])  # what the words were made from
        self._styles: dict[str, Style] = {}
        self._strips: dict[int, Strip] = {}
        self._colours = Colours()
        self._wanted, self._found = "", -1  # what is looked for, and the row of the last match
        self._pattern: re.Pattern[str] | None = None

    # ------------------------------------------------------------------------ what is shown

    def show(self, account: Account) -> None:
        """What a repair has found so far; called again as it goes on."""
        if self.review.show(account):
            self._hunk, self._range = 0, None
            self.scroll_to(y=0, animate=False, immediate=True)
        self._draw()

    @property
    def hunks(self) -> Hunks | None:
        """Of the patch that is looked at."""
        return self.review.hunks

    def replace(self, hunks: Hunks) -> None:
        """Other decisions on the hunks of a patch, whether or not it is still looked at."""
        if self.review.replace(hunks) is not None:
            self.post_message(self.Decided(hunks))
            self._draw()

    # ------------------------------------------------------------------------------- layout

    def _draw(self) -> None:
        """Lay all out again, as far as it differs."""
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        hunks = self.hunks
        look, said = replace(self._look, width=width), self._words(hunks)
        drawn = self._leaf.difference
        changed, self._look = look != self._look, look
        self._titled(hunks)
        same = not changed and (drawn.hunks if drawn else None) is hunks
        if same and said == self._said:
            return
        drawn = drawn if same else self._drawn(hunks)
        self._said, before = said, self._leaf
        self._leaf = Leaf(self._wrapped(said[0]), drawn, self._wrapped(said[1]))
        self.virtual_size = Size(0, len(self._leaf))
        rows = self._leaf.other_words(before) if same else None
        if rows is None:
            self._again()
        for row in rows or ():
            self._strips.pop(row, None)
            self.refresh_line(row)

    def _words(self, hunks: Hunks | None) -> tuple[list[Text], list[Text]]:
        """Above and below the hunks."""
        review, account = self.review, self.review.account
        if account is None or review.offer is None:
            return list(about.nothing(account)), []
        above = [*about.head(account, review.offer, review.place, hunks)]
        above += [Text(printable(review.trouble), "bold red")] if review.trouble else []
        return [*above, Text()], list(about.tail(review.offers, review.place))

    def _wrapped(self, texts: Iterable[Text]) -> list[Text]:
        return [
            line for text in texts for line in wrapped(text, self._look.width, self.app.console)
        ]

    def _drawn(self, hunks: Hunks | None) -> Difference | None:
        if hunks is None:
            return None
        return Difference(hunks, self._look, self._style, self._colours, self.review.owner)

    def _titled(self, hunks: Hunks | None) -> None:
        title, parts = about.title(self.review, hunks), list[str]()
        if hunks is not None and hunks.all:
            parts.append(f"hunk {self._hunk + 1}/{len(hunks.all)}")
            chosen = self._chosen
            if self._range is not None:
                parts.append(f"range {chosen.start + 1}-{chosen.stop}")
            if self._look.split and self._look.width and not self._look.halved:
                parts.append("too narrow to split")
        below = "  ".join(parts)
        if (self.border_title, self.border_subtitle) != (title, below):
            self.border_title, self.border_subtitle = title, below

    # ----------------------------------------------------------------------------- painting

    def _style(self, name: str) -> Style:
        """Of a component; a background that shines through is mixed with the one below it, which
        the terminal's own colours cannot be."""
        if name not in self._styles:
            style = self.get_component_rich_style(f"patch--{name}", partial=True)
            background = self.get_component_styles(f"patch--{name}").background
            if style.bgcolor is not None:
                style = style.without_color + Style(color=style.color)
                if not self.app.ansi_color:
                    mixed = self.background_colors[1] + background
                    style += Style(bgcolor=mixed.rich_color)
            self._styles[name] = style
        return self._styles[name]

    def _again(self) -> None:
        self._strips.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def on_resize(self) -> None:
        self._draw()

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        if row not in self._strips:
            if len(self._strips) > MOST_DRAWN:
                self._strips.clear()
            style, console, match = self.rich_style, self.app.console, self._style("match")
            chosen, here, pattern = self._chosen, self._hunk, self._pattern
            strip = self._leaf.strip(row, chosen, here, pattern, console, match).apply_style(style)
            self._strips[row] = strip.adjust_cell_length(self._look.width, style)
        return self._strips[row]

    # ------------------------------------------------------------------------------- search

    def selected_text(self) -> str:
        """The diff of the current hunk, or of those of the range."""
        hunks = self.hunks
        return "".join(hunks.told(at, self._look.context) for at in self._chosen) if hunks else ""

    def find(self, text: str, step: int = 1) -> bool:
        """Scroll to the next row with a text in any case, and mark all matches.  step: -1 for the
        one before.  "" takes the marks away."""
        if text != self._wanted:
            self._wanted, self._found = text, -1
            self._pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
            self._again()
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if not top <= self._found < top + height:
            self._found = top - 1 if step > 0 else top + height
        if self._pattern is None or not len(self._leaf):
            return False
        row = self._leaf.find(self._pattern, self._found, step)
        if row is None:
            return False
        self._found = row
        hunk = self._leaf.hunk(row)
        self._current(self._hunk if hunk is None else hunk)
        self._in_view(range(row, row + 1))
        return True

    def find_next(self) -> bool:
        return self.find(self._wanted)

    def find_previous(self) -> bool:
        return self.find(self._wanted, -1)

    # ------------------------------------------------------------------------------- moving

    @property
    def _chosen(self) -> range:
        """The hunks that a decision is about: a range, else the current one."""
        start = self._hunk if self._range is None else self._range
        return range(min(start, self._hunk), max(start, self._hunk) + 1)

    def _current(self, at: int) -> None:
        """Another hunk is the current one."""
        if at != self._hunk:
            self._hunk = at
            self._titled(self.hunks)
            self._again()

    def _to(self, at: int) -> None:
        hunks = self.hunks
        if hunks is None or not hunks.all:
            return
        self._current(max(0, min(at, len(hunks.all) - 1)))
        self._in_view(self._leaf.rows(self._hunk))

    def _in_view(self, rows: range) -> None:
        height, top = self.scrollable_content_region.height, self.scroll_offset.y
        if height <= 0 or not rows or (top <= rows.start and rows.stop <= top + height):
            return
        upper = rows.start - MARGIN
        if rows.stop <= height:
            upper = 0  # the words above it are worth more than what is below
        elif rows.start >= top and len(rows) + MARGIN <= height:
            upper = rows.stop - height
        self.scroll_to(y=max(0, upper), animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What is decided on is always in view."""
        super().watch_scroll_y(old_value, new_value)
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        rows = self._leaf.rows(self._hunk)
        if height > 0 and rows and (rows.stop <= top or rows.start >= top + height):
            seen = (self._leaf.hunk(row) for row in range(top, top + height))
            self._current(next((hunk for hunk in seen if hunk is not None), self._hunk))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        row = offset.y + self.scroll_offset.y if offset is not None else -1
        hunk, hunks = self._leaf.hunk(row), self.hunks
        if offset is None or hunk is None or hunks is None:
            return
        self._current(hunk)
        if self._leaf.is_head(row) and offset.x in MARK_COLUMNS:
            self.replace(hunks.toggled(hunk))

    # ------------------------------------------------------------------------------ actions

    def action_next_hunk(self) -> None:
        self._to(self._hunk + 1)

    def action_previous_hunk(self) -> None:
        self._to(self._hunk - 1)

    def _decide(self, decision: Decision | None) -> None:
        """On the current hunk or the range, which ends with it; None turns it over."""
        hunks, chosen = self.hunks, self._chosen
        if hunks is None or not hunks.all:
            return
        if decision is None:
            taken = all(hunks.all[at].taken for at in chosen)
            decision = Decision.REJECTED if taken else Decision.TAKEN
        self._range = None
        self.replace(hunks.decided(chosen, decision))
        self._in_view(self._leaf.rows(self._hunk))

    def action_take(self) -> None:
        self._decide(None)

    def action_reject(self) -> None:
        self._decide(Decision.REJECTED)

    def action_all(self) -> None:
        hunks = self.hunks
        if hunks is not None:
            self._range = None
            self.replace(hunks.decided(range(len(hunks.all)), Decision.TAKEN))

    def action_reset(self) -> None:
        hunks, chosen = self.hunks, self._chosen
        if hunks is not None and hunks.all:
            self._range = None
            for at in chosen:
                hunks = hunks.reset(at)
            self.replace(hunks)

    def action_range(self) -> None:
        self._range = self._hunk if self._range is None else None
        self._titled(self.hunks)
        self._again()

    def action_edit(self) -> None:
        hunks = self.hunks
        if hunks is not None and hunks.all:
            self.post_message(self.Edit(hunks, self._hunk))

    def action_apply(self) -> None:
        """A patch that may be a forgery is applied after a second look only."""
        hunks, offer = self.hunks, self.review.offer
        if hunks is None or offer is None:
            self.post_message(self.Said(self.review.trouble or "there is no patch to apply"))
            return
        message = self.Apply(hunks, None if offer.partial else offer.patch)
        if not offer.flags or not hunks.changes():
            self.post_message(message)
            return
        consent = Consent("This patch is flagged", about.flagged(offer), "apply it", "leave it")

        def heard(yes: bool | None) -> None:
            if yes:
                self.post_message(message)

        self.app.push_screen(consent, heard)

    def action_split(self) -> None:
        self._as(replace(self._look, split=not self._look.split))

    def action_white_space(self) -> None:
        self._as(replace(self._look, bare=not self._look.bare))

    def action_less_context(self) -> None:
        self._as(replace(self._look, context=max(0, self._look.context - 1)))

    def action_more_context(self) -> None:
        self._as(replace(self._look, context=min(CONTEXT_MOST, self._look.context + 1)))

    def _as(self, look: Look) -> None:
        """Look at it in another way; the current hunk stays in view."""
        self._look = replace(look, width=0)
        self._draw()
        self._in_view(self._leaf.rows(self._hunk))

    def action_next_patch(self) -> None:
        self._turn(1)

    def action_previous_patch(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        if self.review.turn(step):
            self._hunk, self._range = 0, None
            self._draw()
            self.scroll_to(y=0, animate=False, immediate=True)
