"""What the screen says where there is nothing to fix, nothing to run, or nothing found."""

from __future__ import annotations

import asyncio
import re
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from mgdebug.model import Target
from mgdebug.sandbox.policy import Policy
from mgdebug.session import Session, Stage
from mgdebug.session.journal import Journal
from mgdebug.session.raised import raised_at
from mgdebug.settings import Settings
from mgdebug.tui.app import Mgdebug, Opened
from mgdebug.tui.dialogs.text import Reading
from mgdebug.tui.panes.code import CodePane
from mgdebug.tui.panes.tests import TestsPane

SECONDS = 60.0  # until a stage must be reached
Play = Callable[[Mgdebug, Pilot[int]], Awaitable[None]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "state"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").touch()
    return project


def written(root: Path, **files: str) -> Path:
    """A project of some modules."""
    for name, text in files.items():
        (root / f"{name}.py").write_text(textwrap.dedent(text), "utf-8")
    return root


def played(
    root: Path, play: Play, stage: Stage, settings: Settings | None = None, width: int = 160
) -> None:
    """Search until a stage is reached, then play."""

    def opened(tell: Callable[..., None]) -> Opened:
        target, chosen = Target(root, root), settings or Settings(time=20, jobs=1)
        journal = Journal.begin(root, target, chosen.engine)
        return Opened(Session(target, chosen, sys.executable, tell, journal))

    async def run() -> None:
        app = Mgdebug(opened)
        async with app.run_test(size=(width, 40)) as pilot:
            end = time.monotonic() + SECONDS
            while app.main is None or app.session.busy or app.session.stage is not stage:
                assert time.monotonic() < end, app.main and app.session.stage
                await pilot.pause(0.05)
            await pilot.pause()
            await app.workers.wait_for_complete(
                [worker for worker in app.workers if worker.group != "repair"]
            )
            await pilot.pause()
            await play(app, pilot)
            app.session.close()

    asyncio.run(run())


def text_of(app: Mgdebug) -> str:
    """All that is on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def notice(app: Mgdebug) -> str:
    assert app.main is not None
    return str(app.main.query_one("#notice", Static).content)


def code(app: Mgdebug) -> CodePane:
    assert app.main is not None
    return app.main.query_one(CodePane)


def test_without_tests_it_says_what_was_run_and_where(root: Path) -> None:
    written(root, m="def double(x):\n    return x + x\n")

    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        assert app.main is not None
        pane = app.main.query_one(TestsPane)
        lines = [str(pane.get_option_at_index(at).prompt) for at in range(pane.option_count)]
        assert lines[:5] == [
            "no test was found",
            "ran     python -m pytest",
            f"in      {root}",
            f"with    {sys.executable}",
            f"rootdir {root}",
        ]
        assert lines[5].startswith("next    name them with --tests PATH")
        await pilot.press("1", "down", "enter")
        shown = text_of(app)
        assert "no test was found" in shown
        assert str(root)[-12:] in "".join(shown.replace("│", "").split())  # a long one is wrapped

    played(root, play, Stage.NO_TESTS, width=80)


def test_where_all_passes_an_example_can_be_added(root: Path) -> None:
    written(
        root,
        m="def double(x):\n    return x + x\n",
        test_m="from m import double\ndef test_two():\n    assert double(2) == 4\n",
    )

    async def first(app: Mgdebug, pilot: Pilot[int]) -> None:
        assert notice(app).startswith("1 passed; nothing to fix")
        assert "--resume" not in notice(app)
        await pilot.press("3", "o")
        await pilot.press(*"double(3)", "enter", "7", "enter")
        end = time.monotonic() + SECONDS
        while "double(3) == 7" not in str(app.session.account.failing):
            assert time.monotonic() < end
            await pilot.pause(0.05)

    async def second(app: Mgdebug, pilot: Pilot[int]) -> None:
        assert "mgdebug tui --resume" in notice(app)
        assert code(app).path == "m.py"

    played(root, first, Stage.ALL_PASS)
    played(root, second, Stage.ALL_PASS)


def test_enter_on_what_could_not_be_collected_goes_to_the_line(root: Path) -> None:
    written(
        root,
        m="LIMITS = {}\n\n\nDEFAULT = LIMITS['no such']\n",
        test_m="from m import DEFAULT\n\n\ndef test_it():\n    assert DEFAULT\n",
        test_other="def test_one():\n    assert True\n",
    )

    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        assert "!  test_m.py could not be collected" in text_of(app)
        assert "ok test_one" in text_of(app)
        await pilot.press("1", "home", "enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert (code(app).path, code(app).line) == ("m.py", 4)
        assert "KeyError: 'no such'" in notice(app)
        await pilot.press("1", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Reading)
        assert "in <module>" in text_of(app)

    played(root, play, Stage.COLLECT_ERROR)


def test_the_place_is_the_last_one_in_the_project(root: Path) -> None:
    written(root, m="x = 1\n", test_m="import m\n")
    target = Target(root, root)

    def place(*lines: str) -> tuple[str, int] | None:
        found = raised_at(target, "\n".join(lines))
        return (found[0].path, found[1]) if found else None

    assert place("test_m.py:1: in <module>", "m.py:3: in <module>", "E   E: x") == ("m.py", 3)
    assert place(f'E     File "{root}/m.py", line 2', "E    def f(") == ("m.py", 2)
    assert place('  File "m.py", line 7, in <module>', 'File "<string>", line 1') == ("m.py", 7)
    assert place("test_m.py:1: in <module>", "/usr/lib/python3/json.py:9: in x") == ("test_m.py", 1)
    assert place("gone.py:1: in <module>", "E  ImportError: no m.py") is None


def test_an_exhausted_search_says_what_it_tried_and_what_comes_next(root: Path) -> None:
    written(
        root,
        m="""\
            def legs():
                return 5


            def key():
                return 1
        """,
        test_m="""\
            from zlib import crc32
            from m import key, legs

            def test_legs():
                assert legs() == 4

            def test_key():
                assert crc32(repr(key()).encode()) % 1_000_003 == 77
        """,
    )

    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        assert "2 cases still failing" in notice(app)
        await pilot.press("4")
        shown = text_of(app)
        for words in (
            "PART: 1 of 2 failing cases passes with it",
            "+     return 4",
            "2 cases still failing",
            "tried: ",
            "suspects: ",
            "the limit of tries ended the search",
            "next: raise `patches`",
            "f searches again, o adds an input/output example",
            "--engine both --model NAME asks a model",
        ):
            assert words in shown
        assert re.search(r"tried: .*key [1-9]", shown)
        assert re.search(r"suspects: .*legs (1\.00|\.\d\d)", shown)

    played(root, play, Stage.BUDGET, Settings(patches=60, jobs=1))


def test_a_flaky_test_is_named_and_nothing_is_searched(root: Path, tmp_path: Path) -> None:
    flags = tmp_path / "flags"
    flags.mkdir()
    written(
        root,
        m="def double(x):\n    return x + x\n",
        test_m=f"""\
            from pathlib import Path
            from m import double

            def test_two():
                assert double(2) == 4

            def test_now_and_then():
                flag = Path({str(flags / "flag")!r})
                if not flag.exists():
                    flag.touch()
                    assert double(2) == 5
        """,
    )
    settings = Settings(time=20, jobs=1, sandbox=Policy(write=(str(flags),)))

    async def play(app: Mgdebug, pilot: Pilot[int]) -> None:
        shown = text_of(app)
        assert "~  flaky test_now_and_then" in shown
        assert "1 flaky" in shown
        assert "only flaky cases fail" in notice(app)
        assert "make them end alike each time" in notice(app)
        assert app.session.account.tried == 0

    played(root, play, Stage.FLAKY, settings)
