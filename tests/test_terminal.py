"""The whole screen in a real terminal: keys typed, screen read, through tmux."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[1] / "demos/shop"
SECONDS = 90.0  # until something must be on the screen

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Terminal:
    """One terminal of a tmux of our own."""

    def __init__(self, folder: Path, state: Path) -> None:
        self._tmux = ["tmux", "-S", str(state / "socket"), "-f", "/dev/null"]
        environment = {**os.environ, "XDG_STATE_HOME": str(state), "XDG_CACHE_HOME": str(state)}
        environment.pop("TMUX", None)
        self._environment = environment
        command = f"{sys.executable} -m mgdebug tui --jobs 1; echo ended with $?; sleep 60"
        self._run("new-session", "-d", "-x", "160", "-y", "45", "-c", str(folder), command)

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [*self._tmux, *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def type(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def read(self, *wanted: str) -> str:
        """The screen, once it shows all that is wanted."""
        end = time.monotonic() + SECONDS
        shown = ""
        while time.monotonic() < end:
            shown = self._run("capture-pane", "-p")
            if all(text in shown for text in wanted):
                return shown
            time.sleep(0.2)
        raise AssertionError(f"{wanted} never came; last:\n{shown}")

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    shutil.copytree(SHOP, tmp_path / "shop")
    state = tmp_path / "s"
    state.mkdir()
    found = Terminal(tmp_path / "shop", state)
    yield found
    found.close()


def test_a_red_test_is_made_green_and_red_again_by_typing(
    terminal: Terminal, tmp_path: Path
) -> None:
    before = (SHOP / "prices.py").read_bytes()
    terminal.read("FOUND", "if quantity >= least:", "[x] taken")
    terminal.type("3")
    terminal.type("n", "n")
    terminal.read("visit  5/")
    terminal.type("4")
    terminal.type("Enter")
    terminal.read("DONE", "9 passed")
    assert (tmp_path / "shop/prices.py").read_bytes() != before
    terminal.type("z")
    terminal.read("REGRESSED", "2 failing")
    assert (tmp_path / "shop/prices.py").read_bytes() == before
    terminal.type("q")
    terminal.read("ended with 1")
