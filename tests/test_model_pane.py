"""What a model writes, on the screen while it writes it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip

from mgdebug.bench.loopback import Said, Server
from mgdebug.events import Event, Started, Streamed
from mgdebug.model import Target
from mgdebug.session import Account, Failed, Heard, Session
from mgdebug.session.account import REPLIES_KEPT, REPLY_MOST
from mgdebug.session.journal import Journal
from mgdebug.session.saved import read
from mgdebug.settings import ModelSettings, Settings
from mgdebug.tui.app import Mgdebug, Opened
from mgdebug.tui.panes.model import NONE_ASKED, ModelPane

SECONDS = 40.0  # until something must be seen
CODE = "def half(x):\n    return x / 2"
REPLY = f"It doubles where it should halve.\n\n```python\n{CODE}\n```\n" + "and so on\n" * 4


# ------------------------------------------------------------------------------ the account


def told(*events: Event) -> Account:
    account = Account()
    for event in events:
        account.hear(event)
    return account


def test_the_parts_of_a_reply_add_up_and_its_last_event_says_all() -> None:
    parts = [Streamed("m", 1, "a::f", text) for text in ("", "one ", "two")]
    other = Streamed("m", 2, "a::g", "elsewhere")
    account = told(parts[0], parts[1], other, parts[2])
    assert [(one.text, one.goes_on) for one in account.replies] == [
        ("one two", True),
        ("elsewhere", True),
    ]
    account.hear(Streamed("m", 1, "a::f", "ONE TWO", whole=True))
    account.failed("the end")
    assert [(one.text, one.whole, one.fault) for one in account.replies] == [
        ("ONE TWO", True, ""),
        ("elsewhere", False, "given up"),
    ]


def test_only_the_last_replies_are_kept_and_not_all_of_a_long_one() -> None:
    account = told(*(Streamed("m", call, "a::f", "x") for call in range(1, 30)))
    assert [one.call for one in account.replies] == list(range(30 - REPLIES_KEPT, 30))
    for _ in range(3):
        account.hear(Streamed("m", 29, "a::f", "y" * (REPLY_MOST // 2)))
    assert len(account.replies[-1].text) == REPLY_MOST


def test_a_session_that_is_taken_up_shows_the_replies_that_were_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    target = Target(tmp_path, tmp_path)
    events: list[Event] = [
        Started(str(tmp_path), "", "", sys.executable, ("llm",)),
        *(Streamed("m", 1, "a::f", text) for text in ("", "one ", "two")),
        Streamed("m", 2, "a::g", ""),
        Streamed("m", 1, "a::f", "one two\n", whole=True),
        Streamed("m", 2, "a::g", "half a re", fault="no whole reply in time"),
        Streamed("m", 3, "a::g", "never end"),
    ]
    with Journal.begin(tmp_path, target, "llm") as journal:
        for event in events:
            journal.event(event)
        assert journal.path is not None
        path = journal.path
    session = Session(target, Settings(), sys.executable, lambda _: None)
    session.take_up(read(path))
    assert [(one.call, one.text, one.fault) for one in session.account.replies] == [
        (1, "one two\n", ""),
        (2, "half a re", "no whole reply in time"),
    ]


# --------------------------------------------------------------------------------- the pane


class Counting(ModelPane):
    """painted: rows of the pane, as they were asked for."""

    painted: list[int]

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return super().render_line(y)


class Alone(App[None]):
    def compose(self) -> ComposeResult:
        pane = Counting()
        pane.painted = []
        yield pane


Shows = Callable[[Counting, Pilot[None]], Awaitable[None]]


def alone(play: Shows) -> None:
    async def run() -> None:
        app = Alone()
        async with app.run_test(size=(40, 22)) as pilot:
            pane = app.query_one(Counting)
            pane.focus()
            await pilot.pause()
            await play(pane, pilot)

    asyncio.run(run())


def rows(pane: ModelPane) -> list[str]:
    height = pane.scrollable_content_region.height
    return [pane.render_line(y).text.rstrip() for y in range(height)]


def test_text_that_commands_a_terminal_is_only_shown() -> None:
    async def play(pane: Counting, pilot: Pilot[None]) -> None:
        pane.show(told(Streamed("m", 1, "a::f", "\x1b[2Jgone\r\n\tin [bold]far[/]")).replies)
        assert rows(pane)[:3] == [
            ">  writing  f  m",
            r"\x1b[2Jgone",
            "    in [bold]far[/]",
        ]
        assert pane.selected_text().startswith("\x1b[2J")

    alone(play)


def test_the_end_is_followed_until_somebody_scrolls_up() -> None:
    async def play(pane: Counting, pilot: Pilot[None]) -> None:
        account = told(Streamed("m", 1, "a::f", ""))
        pane.show(account.replies)
        assert "waiting for m about f..." in rows(pane)
        for number in range(60):
            account.hear(Streamed("m", 1, "a::f", f"line {number}\n"))
            pane.show(account.replies)
            assert f"line {number}" in rows(pane)
        await pilot.press("g")
        before = rows(pane)
        assert before[1] == "line 0"
        account.hear(Streamed("m", 1, "a::f", "line 60\n"))
        account.hear(Streamed("m", 2, "a::g", "another"))
        pane.show(account.replies)
        assert rows(pane) == before
        await pilot.press("G")
        assert "another" in rows(pane)
        await pilot.press("k", "k")
        before = rows(pane)
        account.hear(Streamed("m", 1, "a::f", "line 61\nline 62\nline 63\n"))  # above them
        pane.show(account.replies)
        assert rows(pane)[-4:] == before[-4:]
        assert pane.find("LINE 7")
        assert "line 7" in rows(pane)
        assert not pane.find("nowhere")

    alone(play)


def test_only_rows_that_change_are_painted() -> None:
    async def play(pane: Counting, pilot: Pilot[None]) -> None:
        account = told(Streamed("m", 1, "a::f", "first\nsecond"))
        pane.show(account.replies)
        await pilot.pause()
        pane.painted.clear()
        account.hear(Streamed("m", 1, "a::f", " word\nthird"))
        pane.show(account.replies)
        await pilot.pause()
        assert sorted(set(pane.painted)) == [2, 3]

    alone(play)


# -------------------------------------------------------------------------- a whole session


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    root = tmp_path / "project"
    root.mkdir()
    (root / "program.py").write_text("def half(x):\n    return x * 2\n")
    test = "from program import half\ndef test_half(): assert half(4) == 2\n"
    (root / "test_program.py").write_text(test)
    return root


def session_of(
    root: Path, settings: Settings, play: Callable[[Mgdebug, Pilot[int]], Awaitable[None]]
) -> None:
    def opened(tell: Callable[[Heard | Failed], None]) -> Opened:
        session = Session(Target(root, root), settings, sys.executable, tell)
        return Opened(session, begins=settings.engine == "llm")

    async def run() -> None:
        app = Mgdebug(opened)
        async with app.run_test(size=(80, 24)) as pilot:
            while app.main is None:
                await pilot.pause(0.01)
            await play(app, pilot)

    asyncio.run(run())


def text_of(app: Mgdebug) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def seen(app: Mgdebug, pilot: Pilot[int], words: str) -> None:
    end = time.monotonic() + SECONDS
    while words not in text_of(app):
        assert time.monotonic() < end, text_of(app)
        await pilot.pause(0.05)


def test_a_reply_is_on_the_screen_while_it_is_being_written(project: Path) -> None:
    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await seen(app, pilot, "5 shows what it writes")
        await pilot.press("5")
        await seen(app, pilot, "waiting for openai/test about half...")
        await seen(app, pilot, "It doubles")
        assert "[5 Model]" in text_of(app)
        assert ">  writing  half  openai/test" in text_of(app)
        assert app.session.busy
        await pilot.press("ctrl+c")
        await seen(app, pilot, "x  given up")
        while app.session.busy:
            await pilot.pause(0.05)
        [reply] = app.session.account.replies
        assert REPLY.startswith(reply.text)
        assert len(reply.text) < len(REPLY)
        await pilot.press("y")
        assert (project.parent / "state/mgdebug/copied.txt").read_text() == reply.text

    with Server(lambda *_: Said(REPLY, drip=3.0)).running() as server:
        asked = ModelSettings(
            names=("openai/test",),
            api_base=server.base,
            consent=True,
            cache=False,
            samples=0,
            search=False,
        )
        session_of(project, Settings(time=60, jobs=1, engine="llm", model=asked), play)


def test_where_no_model_is_asked_there_are_words_and_no_tab(project: Path) -> None:
    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        await pilot.press("3", "5")
        await seen(app, pilot, NONE_ASKED)
        assert "5 Model" not in text_of(app)
        assert app.main is not None
        assert app.main.at == "code"

    session_of(project, Settings(time=60, jobs=1), play)
