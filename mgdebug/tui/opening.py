"""The first screen: the frame of the panes, painted before what fills them is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from mgdebug.errors import INTERRUPTED

NARROW, WIDE = 100, 140  # columns from which on two, and three panes stand side by side


class Opening(Screen[int]):
    """Nothing can be done here but leave."""

    BINDINGS: ClassVar[list[BindingType]] = [("q,ctrl+c", "leave", "quit")]

    def compose(self) -> ComposeResult:
        yield Frame()

    def action_leave(self) -> None:
        self.app.exit(INTERRUPTED)


class Frame(Widget):
    """One widget, not a pane each: that is what makes it quick."""

    DEFAULT_CSS = "Frame { width: 1fr; height: 1fr; color: $foreground; }"

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        rows = frame(Path.cwd().name, width, height)
        row = rows[y] if y < len(rows) else ""
        style = self.rich_style + (Style(dim=True) if y else Style(bold=True))
        return Strip([Segment(row.ljust(width)[:width], style)], width)


def frame(name: str, width: int, height: int) -> list[str]:
    """The rows of a screen where nothing is known yet.  name: of the project."""
    rows = max(height - 3, 4)
    if width < NARROW:
        columns = [_box("1 Tests", width, rows)]
    else:
        left, right = width * 28 // 100, width * 36 // 100 if width >= WIDE else 0
        upper = rows // 2
        columns = [_box("2 Blocks", left, upper) + _box("1 Tests", left, rows - upper)]
        columns.append(_box("3 Code", width - left - right, rows))
        columns += [_box("4 Patch", right, rows)] if right else []
    return [f" {name}  STARTING", *map("".join, zip(*columns, strict=True))]


def _box(title: str, columns: int, rows: int) -> list[str]:
    inside = [f"│{' ' * (columns - 2)}│"] * (rows - 2)
    return [f"╭─ {title} ".ljust(columns - 1, "─") + "╮", *inside, f"╰{'─' * (columns - 2)}╯"]


def expected_theme(folder: Path, environment: Mapping[str, str]) -> str:
    """The theme that the settings will name, as far as that is seen without loading them; "" if it
    is not."""
    if "MGDEBUG_THEME" in environment:
        return environment["MGDEBUG_THEME"]
    for place in (folder, *folder.parents):
        try:
            data = (place / "pyproject.toml").read_bytes()
        except OSError:
            continue
        if b"theme" not in data:
            return ""
        import tomllib

        try:
            return str(tomllib.loads(data.decode())["tool"]["mgdebug"]["theme"])
        except (ValueError, LookupError, TypeError):
            return ""
    return ""
