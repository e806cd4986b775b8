"""What reaches a terminal: no text of the user's tests may command it.

Messages, values and names come from code that mgdebug only ran; control characters in them are
shown as what they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

# All controls but the ends of lines and tabs, and those that turn the direction of text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """A text with its control characters spelled out, such as \\x1b."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def terminal(**settings: Any) -> Console:
    """A console that spells out the controls in all that it is given to print.  settings: see
    rich's Console."""
    from rich.console import (
        Console,
        ConsoleOptions,
        ConsoleRenderable,
        RenderHook,
        RenderResult,
    )
    from rich.segment import Segment

    class Spelled:
        def __init__(self, renderable: Any) -> None:
            self.renderable = renderable

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            for segment in console.render(self.renderable, options):
                if segment.control:
                    yield segment
                else:
                    yield Segment(harmless(segment.text), segment.style)

    class Spelling(RenderHook):
        def process_renderables(
            self, renderables: list[ConsoleRenderable]
        ) -> list[ConsoleRenderable]:
            return [Spelled(renderable) for renderable in renderables]

    console = Console(highlight=False, **settings)
    console.push_render_hook(Spelling())
    return console
