"""All values of a visit: a list of them, the whole text of the chosen one, and a search in both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from mgdebug.model import Value
from mgdebug.session.walk import Walk
from mgdebug.states import printable
from mgdebug.tui.beside import cut, short
from mgdebug.tui.dialogs.box import Dialog
from mgdebug.tui.dialogs.whole import Whole, laid

AT_ONCE = 20_000  # characters that are laid out without a thread
NAME_COLUMNS, TYPE_COLUMNS, TEXT_COLUMNS = 18, 22, 60
_COUNTED = {"str": "character", "bytes": "byte", "bytearray": "byte"}


@dataclass(frozen=True, slots=True)
class Item:
    """One value.  when: "before", "after" and so on."""

    when: str
    name: str
    value: Value


def items(walk: Walk, place: int) -> Iterator[Item]:
    """All that is known of a visit and of the call that it belongs to."""
    visit, call = walk.visit(place), walk.call(place)
    yield from _named("before", visit.before)
    yield from _named("after", visit.after)
    if visit.result is not None:
        yield Item("result", "", visit.result)
    if visit.raised is not None:
        yield Item("raised", "", visit.raised)
    if call is not None:
        yield from _named("argument", call.arguments)
        if call.result is not None:
            yield Item("returned", "", call.result)
        if call.raised is not None:
            yield Item("call raised", "", call.raised)


def _named(when: str, values: Mapping[str, Value]) -> Iterator[Item]:
    return (Item(when, name, value) for name, value in values.items())


class Viewer(Dialog[None]):
    """In the search Enter and down go to the next match, up to the one before; in the list and the
    text "." and "," do."""

    DEFAULT_CSS = """
    Viewer > Vertical { height: 90%; max-width: 140; }
    Viewer Input { border: none; height: 1; padding: 0; }
    Viewer Input:focus { border: none; }
    Viewer OptionList {
        max-height: 35%; border: none; padding: 0; text-wrap: nowrap; text-overflow: ellipsis;
    }
    Viewer OptionList:focus { border: none; }
    Viewer Whole { height: 1fr; border-top: solid $border; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search"),
        Binding("full_stop", "match(1)", "next match"),
        Binding("comma", "match(-1)", "previous match"),
    ]

    def __init__(self, walk: Walk, place: int) -> None:
        super().__init__()
        self._walk, self._place = walk, place
        self.items = list(items(walk, place)) if walk.count else []
        self.chosen = 0  # whose text is shown
        self._texts: list[str] = []  # of each item, for the search, in lower case

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Text(self._title())
            yield Input(placeholder="search in names and values", id="search")
            yield OptionList(*[Option(_label(item)) for item in self.items], id="values")
            yield Whole(id="whole")
            yield Static(
                "tab: search, list, text   . , next and previous match   esc leaves", classes="hint"
            )

    def on_mount(self) -> None:
        values = self.query_one("#values", OptionList)
        values.focus()
        if self.items:
            values.highlighted = 0
        else:
            self.query_one(Whole).show(["no values were recorded for this visit"])

    def on_resize(self) -> None:
        self.call_after_refresh(self._open, self.chosen)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index != self.chosen or not self.query_one(Whole).lines:
            self._open(event.option_index)

    def on_input_submitted(self) -> None:
        self.action_match(1)

    def on_input_changed(self, event: Input.Changed) -> None:
        whole = self.query_one(Whole)
        whole.restart()
        whole.find(event.value, 1)

    def on_key(self, event: events.Key) -> None:
        if event.key in ("up", "down") and self.query_one(Input).has_focus:
            event.prevent_default()
            self.action_match(1 if event.key == "down" else -1)

    def action_search(self) -> None:
        self.query_one(Input).focus()

    @work(exclusive=True)
    async def action_match(self, step: int) -> None:
        """To the next match: in the text that is shown, else in the values behind it, and around.
        step: -1 for the one before."""
        needle = self.query_one(Input).value.lower()
        whole = self.query_one(Whole)
        if not needle or not self.items or whole.find(needle, step):
            return
        if not self._texts:
            texts = [f"{i.when} {i.name} {i.value.type} {i.value.text}" for i in self.items]
            self._texts = [text.lower() for text in texts]
        count = len(self.items)
        for offset in range(1, count + 1):
            at = (self.chosen + step * offset) % count
            if needle in self._texts[at]:
                self.chosen = at
                self.query_one("#values", OptionList).highlighted = at
                await self._laid(at)
                whole.find(needle, step)
                return

    # ------------------------------------------------------------------------------ showing

    def _title(self) -> str:
        walk, place = self._walk, self._place
        if not walk.count:
            return "No visits were kept"
        where = f"{walk.path(place)}:{walk.line(place)}"
        return f"Values of visit {place + 1}/{walk.count}  {printable(where)}"

    @work(exclusive=True, group="open")
    async def _open(self, at: int) -> None:
        self.chosen = at
        await self._laid(at)

    async def _laid(self, at: int) -> None:
        if not 0 <= at < len(self.items):
            return
        whole, value = self.query_one(Whole), self.items[at].value
        width = whole.scrollable_content_region.width - 1
        if len(value.text) <= AT_ONCE:
            lines = laid(value.text, width)
        else:
            whole.show(["laying it out..."])
            lines = await asyncio.to_thread(laid, value.text, width)
        if at == self.chosen:
            whole.border_title = Text(_about(self.items[at]))
            whole.show(lines)


def _about(item: Item) -> str:
    value = item.value
    parts = [f"{item.when} {printable(item.name)}".rstrip(), printable(value.type), _size(value)]
    if value.truncated:
        parts.append("the trace kept only a part of it")
    return "  ".join(filter(None, parts))


def _size(value: Value) -> str:
    if value.size is None:
        return ""
    return f"{value.size} {_COUNTED.get(value.type, 'item')}{'s' * (value.size != 1)}"


def _label(item: Item) -> Text:
    name = cut(printable(item.name), NAME_COLUMNS)
    size = _size(item.value)
    kind = cut(printable(item.value.type), TYPE_COLUMNS - len(size) - 1)
    kind = f"{kind} {size}" if size else kind
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{item.when:<11} ", "dim").append(f"{name:<{NAME_COLUMNS}} ", "bold")
    text.append(f"{kind:<{TYPE_COLUMNS}} ", "dim").append(short(item.value, TEXT_COLUMNS))
    return text
