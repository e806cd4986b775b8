"""Pictures of the screen: a session that was recorded once, shown with no engine at three sizes, in
four looks.

`python tests/screens.py` draws them all anew; with `--record` the session is recorded first.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import io
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from mgdebug.model import Target
from mgdebug.session import Failed, Heard, Session, Stage
from mgdebug.session.journal import Journal
from mgdebug.session.saved import read
from mgdebug.settings import Settings
from mgdebug.tui.app import Mgdebug, Opened
from mgdebug.tui.looks import ON_LIGHT

HERE = Path(__file__).parent
DEMO = HERE.parent / "demos/library"
RECORDED = HERE / "screens/library.jsonl"
PICTURES = HERE.parent / "docs/screens"
SIZES = {"wide": (160, 45), "medium": (120, 35), "narrow": (80, 24)}
LOOKS = ("dark", "light", "ansi", "mono")
# The failing run that is chosen, at the place where it parts from a passing one; of the patch the
# second hunk is rejected; then back to the code.
KEYS = ("1", "down", "enter", "4", "right", "d", "left", "3")
MADE_WITH = f"textual {version('textual')}, rich {version('rich')}"

_HOME = "/home/you"
# As rich has it, but for fonts from the network, and clips that every text would name.
_SVG = (
    """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<!-- make screenshots: """
    + MADE_WITH
    + """ -->
<style>
.{unique_id}-matrix {{ font-size: {char_height}px;
  font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
)


def drawn(look: str) -> dict[str, str]:
    """The SVG of each size in a look, by the name of the size."""
    recorded = read(RECORDED)

    def opened(tell: Callable[[Heard | Failed], None]) -> Opened:
        session = Session(recorded.head.target, Settings(), "python", tell)
        session.take_up(recorded)
        return Opened(session, begins=False)

    with _environment({"NO_COLOR": "1" if look == "mono" else None}):
        app = Mgdebug(opened, theme="dark" if look == "mono" else look)

    async def run() -> dict[str, str]:
        found = {}
        async with app.run_test(size=SIZES["wide"]) as pilot:
            while app.main is None:
                await pilot.pause(0.01)
            await pilot.press(*KEYS)
            for name, size in SIZES.items():
                await pilot.resize_terminal(*size)
                await pilot.pause()
                found[name] = _svg(app, f"{name}-{look}")
        return found

    return asyncio.run(run())


def texts(svg: str) -> str:
    """All that can be read in a picture, without blanks."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return "".join("".join(html.unescape(text) for text in found).split())


def made_with(svg: str) -> str:
    """The versions of the libraries that a picture was drawn with."""
    found = re.search(r"<!-- make screenshots: (.*) -->", svg)
    return found[1] if found else ""


def record() -> None:
    """Run the demo once, and keep what it told with no trace of when and where."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(shutil.copytree(DEMO, Path(folder).resolve() / "library"))
        with _environment({"XDG_STATE_HOME": folder, "XDG_CACHE_HOME": folder}):
            target, settings = Target(root, root), Settings(jobs=1, learn=False)
            journal = Journal.begin(root, target, settings.engine)
            told: list[Heard | Failed] = []
            session = Session(target, settings, sys.executable, told.append, journal)
            session.search().run()
            session.close()
            for one in told:
                session.hear(one)
            assert session.stage is Stage.FOUND, session.stage
            assert journal.path is not None
            lines = journal.path.read_text("ascii").splitlines()
        places = {str(root): f"{_HOME}/library", sys.prefix: f"{_HOME}/library/.venv"}
    neutral = [json.dumps(_neutral(json.loads(line), places)) for line in lines]
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text("\n".join([*neutral, ""]), "ascii")


def _neutral(data: Any, places: Mapping[str, str], key: str = "") -> Any:
    """What JSON says without times and places; how long the repair took is told in seconds."""
    if isinstance(data, dict):
        return {k: _neutral(v, places, "" if key == "files" else k) for k, v in data.items()}
    if isinstance(data, list):
        return [_neutral(one, places) for one in data]
    if isinstance(data, str):
        for place, instead in places.items():
            data = data.replace(place, instead)
        return data
    if key in ("time", "ended", "processor"):
        return 0.0
    if key == "seconds":
        return float(round(data))
    return 1 if key == "pid" else data


def _svg(app: Mgdebug, name: str) -> str:
    width, height = app.size
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        _environ={},
    )
    console.print(app.screen._compositor.render_update(full=True, simplify=True))
    theme = ON_LIGHT if name.endswith("light") else SVG_EXPORT_THEME
    svg = console.export_svg(title="mgdebug", theme=theme, code_format=_SVG, unique_id=name)
    return re.sub(r' clip-path="[^"]*"', "", svg)


@contextlib.contextmanager
def _environment(changed: Mapping[str, str | None]) -> Iterator[None]:
    """Variables set, or unset where None, for a while."""
    before = {name: os.environ.get(name) for name in changed}
    _set(changed)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


if __name__ == "__main__":
    if "--record" in sys.argv:
        record()
    PICTURES.mkdir(exist_ok=True)
    for look in LOOKS:
        for size, svg in drawn(look).items():
            (PICTURES / f"{size}-{look}.svg").write_text(svg, "utf-8")
