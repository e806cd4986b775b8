"""Whole sessions on the screen, on the demo: keys are pressed, the screen is read."""

from __future__ import annotations

import asyncio
import shutil
import stat
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from mgdebug.errors import SettingsError
from mgdebug.model import Target
from mgdebug.session import Failed, Heard, Session, Stage
from mgdebug.settings import Settings
from mgdebug.tui.actions import ACTIONS, keymap
from mgdebug.tui.app import Mgdebug, Opened
from mgdebug.tui.dialogs.help import Help
from mgdebug.tui.looks import THEMES
from mgdebug.tui.panes.blocks import BlocksPane
from mgdebug.tui.panes.code import CodePane
from mgdebug.tui.panes.patch import PatchPane
from mgdebug.tui.panes.tests import TestsPane
from mgdebug.tui.screen import SessionScreen

SHOP = Path(__file__).parents[1] / "demos/shop"
SIZES = ((160, 45), (120, 35), (80, 24))
SECONDS = 60.0  # until a stage must be reached
Play = Callable[[Mgdebug, Pilot[int]], Awaitable[None]]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Path(shutil.copytree(SHOP, tmp_path / "shop"))


@pytest.fixture
def library(shop: Path) -> Path:
    return Path(shutil.copytree(SHOP.parent / "library", shop.parent / "library"))


def played(root: Path, play: Play, size: tuple[int, int] = (160, 45), **options: object) -> Mgdebug:
    """A session in a project, with somebody at the keys."""
    settings = Settings(time=60, jobs=1)

    def opened(tell: Callable[[Heard | Failed], None]) -> Opened:
        session = Session(Target(root, root), settings, sys.executable, tell)
        return Opened(session, **options)  # type: ignore[arg-type]

    app = Mgdebug(opened, theme=str(options.get("theme", "dark")))

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            while app.main is None:
                await pilot.pause(0.01)
            await play(app, pilot)

    asyncio.run(run())
    return app


async def reached(app: Mgdebug, pilot: Pilot[int], *stages: Stage) -> None:
    """Wait until a session stands so, and all of it is shown."""
    end = time.monotonic() + SECONDS
    while app.session.busy or app.session.stage not in stages:
        assert time.monotonic() < end, f"it stands at {app.session.stage}: {notice(app)}"
        await pilot.pause(0.05)
    await pilot.pause()


async def told(app: Mgdebug, pilot: Pilot[int], words: str) -> None:
    """Wait until the user is told so."""
    end = time.monotonic() + SECONDS
    while words not in notice(app):
        assert time.monotonic() < end, notice(app)
        await pilot.pause(0.02)


def notice(app: Mgdebug) -> str:
    return str(screen(app).query_one("#notice", Static).content)


def screen(app: Mgdebug) -> SessionScreen:
    return next(s for s in app.screen_stack if isinstance(s, SessionScreen))


def text_of(app: Mgdebug) -> str:
    """All that is on the screen."""
    rows = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in rows)


def test_a_session_from_red_to_green_and_back(shop: Path) -> None:
    before = (shop / "prices.py").read_bytes()

    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await reached(app, pilot, Stage.FOUND)
        shown = text_of(app)
        assert "2 failing, 7 passed" in shown
        assert "+ discount_percent" in shown
        assert "if quantity >= least:" in shown
        assert "◀ DIFF" in shown
        assert (shop / "prices.py").read_bytes() == before
        await pilot.press("space", "enter")
        await told(app, pilot, "nothing is taken")
        await pilot.press("space", "enter")
        await reached(app, pilot, Stage.DONE)
        assert (shop / "prices.py").read_bytes() != before
        assert "9 passed" in text_of(app)
        await pilot.press("z")
        await reached(app, pilot, Stage.REGRESSED)
        assert (shop / "prices.py").read_bytes() == before
        await pilot.press("Z")
        await reached(app, pilot, Stage.DONE)
        await pilot.press("q")

    app = played(shop, play)
    assert app.return_value == 0


class Watchdog:
    """What is done on the event loop though it takes its time, and what is drawn beside it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: list[str] = []
        self.loop = threading.get_ident()
        self.watches = True
        sys.addaudithook(self.hear)  # there is no way to take it off again
        refresh = Widget.refresh

        def watched(widget: Widget, *regions: Any, **options: Any) -> Widget:
            if threading.get_ident() != self.loop:
                self.found.append(f"{widget} is drawn from a thread")
            return refresh(widget, *regions, **options)

        monkeypatch.setattr(Widget, "refresh", watched)

    def hear(self, event: str, told: tuple[Any, ...]) -> None:
        if not self.watches or threading.get_ident() != self.loop:
            return
        writes = event == "open" and isinstance(told[1], str) and set(told[1]) & set("wax+")
        starts = event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec")
        waits = event in ("time.sleep", "socket.connect", "socket.getaddrinfo", "fcntl.flock")
        if writes or starts or waits:
            self.found.append(f"{event} {told}")


def test_one_hunk_rejected_and_one_edited_and_nothing_holds_up_the_screen(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: (library / path).read_bytes() for path in ("fees.py", "lending.py")}
    page = library / "mgdebug-session.html"

    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        watchdog = Watchdog(monkeypatch)
        await reached(app, pilot, Stage.FOUND)
        hunks = screen(app).query_one(PatchPane).hunks
        assert hunks is not None
        assert [hunk.path for hunk in hunks.all] == ["fees.py", "lending.py"]
        await pilot.press("right", "d", "left", "E")
        await pilot.pause()
        await pilot.press("end", *"  # no more", "ctrl+s")
        await pilot.pause()
        shown = text_of(app)
        assert "[x] edited" in shown
        assert "[ ] rejected" in shown
        await pilot.press("x")
        await told(app, pilot, f"saved {page}")
        await pilot.press("enter")
        await reached(app, pilot, Stage.FAILING)
        assert b"min(owed, given)  # no more\n" in (library / "fees.py").read_bytes()
        assert (library / "lending.py").read_bytes() == before["lending.py"]
        assert len(app.session.account.failing) == 1
        await pilot.press("z")
        await reached(app, pilot, Stage.REGRESSED)
        assert (library / "fees.py").read_bytes() == before["fees.py"]
        watchdog.watches = False
        assert watchdog.found == []

    played(library, play)
    kept = page.read_text("utf-8")
    assert "# no more" in kept
    assert '"state":"rejected"' in kept


@pytest.mark.parametrize("size", SIZES)
def test_each_size_shows_what_there_is_room_for(shop: Path, size: tuple[int, int]) -> None:
    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await reached(app, pilot, Stage.FAILING)
        await pilot.press("4")
        shown = text_of(app)
        assert "4 Patch" in shown
        assert "1 Tests 2x" in shown
        assert "2 Blocks" in shown
        await pilot.press("1")
        assert "test_ten_pens" in text_of(app)
        await pilot.press("3")
        assert "return sum(line_total" in text_of(app)
        await pilot.resize_terminal(50, 12)
        await pilot.pause()
        assert "enlarge the terminal" in text_of(app)

    played(shop, only_tests(play), size, begins=False)


def only_tests(play: Play) -> Play:
    """Starts with running the tests alone, which takes less time than a search."""

    async def begun(app: Mgdebug, pilot: Pilot[int]) -> None:
        await pilot.press("T")
        await play(app, pilot)

    return begun


def test_time_goes_back_and_forth_and_into_calls(shop: Path) -> None:
    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await reached(app, pilot, Stage.FAILING)
        await pilot.press("1", "enter")
        code = screen(app).query_one(CodePane)
        begun = code.place
        assert begun is not None
        await pilot.press("n")
        assert code.place == begun + 1
        await pilot.press("p", "p")
        assert code.place == begun - 1
        for _ in range(20):
            await pilot.press("p")
        assert code.place == 0
        assert notice(app)
        paths = set()
        for _ in range(20):
            await pilot.press("n")
            paths.add(code.path)
        assert paths == {"cart.py", "prices.py"}
        await pilot.press("r", "r")
        assert code.path == "cart.py"

    played(shop, only_tests(play), begins=False)


def test_a_cancelled_search_keeps_what_it_knows_and_says_what_comes_next(shop: Path) -> None:
    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        while app.session.stage is not Stage.SEARCH:
            await pilot.pause(0.02)
        await pilot.press("ctrl+c")
        await reached(app, pilot, Stage.CANCELLED, Stage.FOUND)
        assert len(app.session.account.failing) == 2
        await pilot.press("ctrl+c")

    assert played(shop, play).return_value == 1


def test_what_is_applied_is_what_was_shown_or_nothing(shop: Path) -> None:
    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await reached(app, pilot, Stage.FOUND)
        file = shop / "prices.py"
        file.write_bytes(file.read_bytes() + b"\n# meanwhile\n")
        now = file.read_bytes()
        await pilot.press("enter")
        await pilot.pause()
        assert "has changed since the patch was made" in notice(app)
        assert file.read_bytes() == now

    played(shop, play)


def test_the_editor_opens_at_the_line_and_only_what_it_concerns_runs_again(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text(
        f"#!/bin/sh\necho \"$1\" > {tmp_path}/line\nsed -i 's/> least/>= least/' $2\n"
    )
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)

    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await reached(app, pilot, Stage.FAILING)
        screen(app).query_one(CodePane).open("prices.py", 11)
        await pilot.press("e")
        await reached(app, pilot, Stage.ALL_PASS)
        assert (tmp_path / "line").read_text("utf-8").strip() == "+11"

    played(shop, only_tests(play), begins=False)


@pytest.mark.parametrize(
    ("files", "stage", "words"),
    [
        ({"mod.py": "X = 1\n"}, Stage.NO_TESTS, "no tests"),
        ({"test_a.py": "def test_a():\n    assert True\n"}, Stage.ALL_PASS, "nothing to fix"),
        (
            {"test_a.py": "import nowhere\n", "test_b.py": "def test_b():\n    pass\n"},
            Stage.COLLECT_ERROR,
            "could not be collected",
        ),
    ],
)
def test_there_are_words_where_nothing_can_be_searched(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    stage: Stage,
    words: str,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("", "utf-8")
    for name, text in files.items():
        (root / name).write_text(text, "utf-8")

    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await reached(app, pilot, stage)
        assert words in notice(app)
        if stage is Stage.COLLECT_ERROR:
            tests = screen(app).query_one(TestsPane)
            assert "test_a.py could not be collected" in str(tests.get_option_at_index(0).prompt)
            await pilot.press("1", "home", "enter")
            await pilot.pause()
            assert "nowhere" in text_of(app)

    played(root, play)


def test_typed_words_find_an_action_and_enter_does_it(shop: Path) -> None:
    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        await pilot.press(*"rerun all", "enter")
        await reached(app, pilot, Stage.FAILING)

    played(shop, play, begins=False)


def test_each_action_has_its_method() -> None:
    places = {
        "session": SessionScreen,
        "code": CodePane,
        "patch": PatchPane,
        "blocks": BlocksPane,
        "tests": TestsPane,
    }
    for action in ACTIONS:
        name = action.name.partition("(")[0]
        assert callable(getattr(places[action.place], f"action_{name}", None)), action.id
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_keys_are_the_users_own_and_a_wrong_name_is_told(shop: Path) -> None:
    with pytest.raises(SettingsError, match="no such action") as told:
        keymap({"session.undoo": "u"})
    assert "session.undo" in told.value.hint

    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await pilot.press("u")
        await pilot.pause()
        assert "nothing to undo" in notice(app)

    played(shop, play, begins=False, keys={"session.undo": "u"})


@pytest.mark.parametrize("theme", THEMES)
def test_each_theme_draws_and_the_next_one_follows(shop: Path, theme: str) -> None:
    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        assert app.theme == THEMES[theme]
        await pilot.press("L")
        assert app.theme != THEMES[theme]
        assert "2 Blocks" in text_of(app)

    played(shop, play, begins=False, theme=theme)


def test_what_is_copied_is_in_a_file_too(shop: Path, tmp_path: Path) -> None:
    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await reached(app, pilot, Stage.FAILING)
        await pilot.press("1", "y")
        await pilot.pause()
        copied = (tmp_path / "state/mgdebug/copied.txt").read_text("utf-8")
        assert copied == app.session.account.failing[0]

    played(shop, only_tests(play), begins=False)
