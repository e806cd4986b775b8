"""A patch as one thing to scroll through: words above, the hunks, words below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from mgdebug.tui.difference import Difference

Pattern = re.Pattern[str]


@dataclass
class Leaf:
    """Rows from 0 on.  above, below: each of one row."""

    above: Sequence[Text] = ()
    difference: Difference | None = None
    below: Sequence[Text] = ()
    _heads: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.difference is not None:
            self._heads = [len(self.above) + at for at in self.difference.heads]

    def __len__(self) -> int:
        return self._end + len(self.below)

    @property
    def _end(self) -> int:
        rows = len(self.difference.rows) if self.difference is not None else 0
        return len(self.above) + rows

    def hunk(self, row: int) -> int | None:
        """Of which hunk a row is."""
        if self.difference is None or not len(self.above) <= row < self._end:
            return None
        return self.difference.rows[row - len(self.above)].hunk

    def is_head(self, row: int) -> bool:
        return row in self._heads

    def rows(self, hunk: int) -> range:
        """The rows of a hunk."""
        if hunk >= len(self._heads):
            return range(0)
        ends = [*self._heads[1:], self._end]
        return range(self._heads[hunk], ends[hunk])

    def strip(
        self,
        row: int,
        chosen: range,
        here: int,
        pattern: Pattern | None,
        console: Console,
        mark: Style,
    ) -> Strip:
        """A row as it is drawn.  chosen, here: as Difference.strip has them; mark:
        the style of what is looked for."""
        if self.difference is not None and len(self.above) <= row < self._end:
            return self.difference.strip(row - len(self.above), chosen, here, pattern)
        text = self._text(row)
        if pattern is not None:
            text = text.copy()
            for match in pattern.finditer(text.plain):
                text.stylize(mark, *match.span())
        return Strip([s for s in text.render(console) if s.text])

    def _text(self, row: int) -> Text:
        if row < len(self.above):
            return self.above[row]
        row -= self._end
        return self.below[row] if 0 <= row < len(self.below) else Text()

    def other_words(self, before: Leaf) -> list[int] | None:
        """The rows that are to be drawn again after another leaf of the same hunks; None: all,
        since rows have moved."""
        ends, known = (len(self.above), len(self)), (len(before.above), len(before))
        if ends != known and (self.difference is not None or before.difference is not None):
            return None
        rows = range(max(ends[1], known[1]))
        return [row for row in rows if self._text(row) != before._text(row)]

    def text(self, row: int) -> str:
        """What a row says."""
        if self.difference is not None and len(self.above) <= row < self._end:
            return self.difference.text(row - len(self.above))
        return self._text(row).plain

    def find(self, pattern: Pattern, start: int, step: int) -> int | None:
        """The next row that matches, behind one or (step -1) before it, and around."""
        count = len(self)
        rows = ((start + step * offset) % count for offset in range(1, count + 1))
        return next((row for row in rows if pattern.search(self.text(row))), None)


def wrapped(text: Text, width: int, console: Console) -> list[Text]:
    """A text in lines of some columns; those that go on stand as far in as the first."""
    indent = len(text.plain) - len(text.plain.lstrip(" "))
    if not indent or width <= 2 * indent:
        return list(text.wrap(console, width))
    lines = text[indent:].wrap(console, width - indent)
    return [Text(" " * indent, text.style).append_text(line) for line in lines]
