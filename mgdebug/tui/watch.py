"""What variables have been over the visits of a call: the latest values, on a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from mgdebug.model import Value
from mgdebug.session.walk import Walk
from mgdebug.states import printable
from mgdebug.tui.beside import BECOMES, MORE, cut, short

VALUE_COLUMNS = 24
STRIP_COLUMNS = 14  # of a value in the strip
MOST_LINES = 2


class Watch(Widget):
    """Shows the variable that is most telling where the user has chosen none.  compact: a strip of
    all variables with their last change instead, for a narrow screen."""

    DEFAULT_CSS = """
    Watch { height: auto; max-height: 2; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None, compact: bool = False) -> None:
        super().__init__(id=id)
        self.compact = compact
        self.chosen: tuple[str, ...] = ()
        self._walk: Walk | None = None
        self._place = 0

    def show(self, walk: Walk | None, place: int) -> None:
        """Another visit."""
        self._walk, self._place = walk, place
        self.refresh()

    def choose(self, names: Sequence[str]) -> None:
        """Watch these, MOST_LINES at most; () for the most telling one."""
        lines = max(1, len(self.chosen))
        self.chosen = tuple(names[:MOST_LINES])
        self.refresh(layout=lines != max(1, len(self.chosen)))

    def cycle(self) -> str:
        """Watch the next variable of the call; returns its name, "" where it has none.  Behind the
        last one comes the first."""
        if self._walk is None or not self._walk.count:
            return ""
        names = sorted(self._walk.names(self._place))
        if not names:
            return ""
        now = self.chosen[0] if self.chosen else ""
        name = next((n for n in names if n > now), names[0])
        self.choose([name])
        return name

    def render(self) -> Text:
        walk, width = self._walk, self.content_size.width
        if walk is None or not walk.count:
            return Text("watch: no run is shown", "dim")
        if self.compact:
            return strip(walk, self._place, width)
        names = self.chosen or walk.names(self._place)[:1]
        if not names:
            return Text("watch: no variables here", "dim")
        return Text("\n").join(watched(walk, self._place, name, width) for name in names)


def watched(walk: Walk, place: int, name: str, width: int) -> Text:
    """The values that a variable had in a call up to a visit, as many of the latest ones as have
    room."""
    head = Text.assemble(("watch ", "dim"), (f"{cut(printable(name), width // 2)}:", "bold"))
    room = width - head.cell_len
    values, more = walk.history(place, name, max(1, room // 2))
    if not values:
        return head.append(" not seen in this call", "dim")
    shown: list[str] = []
    for number, value in enumerate(reversed(values)):
        last = number == len(values) - 1
        text = f" {short(value, min(VALUE_COLUMNS, max(2, room - 3)))}"
        if cell_len(text) > room - (0 if last and not more else 2):
            more = True
            break
        room -= cell_len(text)
        shown.append(text)
    if more:
        head.append(f" {MORE}", "dim")
    for number, text in enumerate(reversed(shown)):
        head.append(text, "bold" if number == len(shown) - 1 else "")
    return head


def strip(walk: Walk, place: int, width: int) -> Text:
    """The variables of a call on one line, the most telling first: what they are, what they
    became."""
    text = Text()
    for part in _parts(walk, place):
        gap = 2 if text else 0
        if text.cell_len + gap + part.cell_len > width:
            if text.cell_len + gap + 1 <= width:
                text.append(f"{' ' * gap}{MORE}", "dim")
            break
        text.append(" " * gap).append_text(part)
    return text or Text("no variables here", "dim")


def _parts(walk: Walk, place: int) -> Iterator[Text]:
    visit = walk.visit(place)
    for name in walk.names(place):
        was, now = walk.value(place, name)
        if now is None:
            continue
        current = name in visit.before or name in visit.after
        label = cut(printable(name), STRIP_COLUMNS)
        if was is not None and was != now:
            yield Text.assemble(
                (f"{label} ", "dim"), f"{_small(was)}{BECOMES}", (_small(now), "bold")
            )
        else:
            yield Text.assemble((f"{label}=", "dim"), (_small(now), "bold" if current else ""))


def _small(value: Value) -> str:
    """A value, or of a long container only its brackets and its size: "[…12]"."""
    text = short(value, STRIP_COLUMNS)
    if text.endswith(MORE) and value.size is not None and value.text[:1] in ("[", "{", "("):
        return f"{value.text[0]}{MORE}{value.size}{value.text[-1:]}"
    return text
