"""What the themes of Textual leave to be wished for: borders, titles, cursors and words that are
seen in each of them, and without any colour."""

from __future__ import annotations

from rich.terminal_theme import TerminalTheme
from textual.color import Color

THEMES = {"dark": "textual-dark", "light": "textual-light", "ansi": "ansi-dark"}
PLAIN = THEMES["ansi"]  # the one to take where there are to be no colours: it needs none

# With NO_COLOR the pane that has the keys shows it by its lines.
CSS = """
#tests, #blocks, #code, #patch {
    border-title-color: $foreground; border-subtitle-color: $foreground;
    &:focus { border-title-color: $border; border-title-style: bold; }
    &:focus:nocolor { border: heavy $border; border-title-style: bold reverse; }
}
BlocksPane { scrollbar-size-horizontal: 0; }
BlocksPane > .tree--guides, BlocksPane:focus > .tree--guides { color: $border-blurred; }
"""

# The sixteen colours on a light ground, dark enough to read.
ON_LIGHT = TerminalTheme(
    (245, 245, 245),
    (31, 31, 31),
    [
        *((0, 0, 0), (160, 32, 48), (32, 100, 24), (130, 84, 0)),
        *((32, 72, 160), (110, 48, 140), (0, 92, 120), (90, 90, 90)),
    ],
)

_DARKER = 0.16  # of the brightness: words in colours on the light ground
_ANSI = {
    "border-blurred": "ansi_bright_black",
    "block-cursor-foreground": "ansi_default",
    "block-cursor-background": "ansi_default",
    "block-cursor-text-style": "bold reverse",
    "block-cursor-blurred-text-style": "bold underline",
}


def variables(theme: str, found: dict[str, str]) -> dict[str, str]:
    """Of a theme's variables those that are to be others."""
    if theme == THEMES["dark"]:
        secondary = Color.parse(found["text-secondary"]).lighten(_DARKER)
        return {"border-blurred": found["panel-lighten-3"], "text-secondary": secondary.hex}
    if theme == THEMES["light"]:
        words = ("text-warning", "text-accent", "text-success", "text-error", "text-secondary")
        return {
            "background": found["background-lighten-1"],
            "border-blurred": found["panel-darken-3"],
            "footer-key-foreground": found["primary"],
            **{word: Color.parse(found[word]).darken(_DARKER).hex for word in words},
        }
    return _ANSI
