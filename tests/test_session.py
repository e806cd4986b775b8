"""A whole session without a screen, on the demo: what a face does, in the order in which a user
would."""

from __future__ import annotations

import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from mgdebug import judge
from mgdebug.apply import Change
from mgdebug.errors import ApplyError, UsageError
from mgdebug.events import Asked, Collected, Finished, Proposed
from mgdebug.model import Target
from mgdebug.session import Failed, Heard, Session, Stage, Standing
from mgdebug.session.driving import Drive
from mgdebug.session.examples import call_of, compiled, expression_of
from mgdebug.session.journal import Journal
from mgdebug.session.saved import read, sessions
from mgdebug.settings import Settings

SHOP = Path(__file__).parents[1] / "demos/shop"
SLOW_TEST = """
import time

def test_slow():
    time.sleep(60)
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Path(shutil.copytree(SHOP, tmp_path / "shop"))


class Shown:
    """A face that shows nothing."""

    def __init__(self, root: Path, seconds: float = 60.0) -> None:
        self.told: queue.SimpleQueue[Heard | Failed] = queue.SimpleQueue()
        target = Target(root, root)
        settings = Settings(time=seconds, jobs=1)
        self.session = Session(target, settings, sys.executable, self.told.put)

    def run(self, drive: Drive) -> list[Heard | Failed]:
        """All that a drive tells; questions are left open."""
        thread = threading.Thread(target=drive.run)
        thread.start()
        heard: list[Heard | Failed] = []
        while thread.is_alive() or not self.told.empty():
            with suppress(queue.Empty):
                told = self.told.get(timeout=0.1)
                heard.append(told)
                self.session.hear(told)
                if isinstance(told, Heard) and isinstance(told.event, Asked):
                    self.session.reply(None)
        thread.join()
        return heard


@pytest.fixture
def face(shop: Path) -> Shown:
    return Shown(shop)


def test_a_session_finds_applies_tests_again_undoes_and_redoes(face: Shown, shop: Path) -> None:
    session = face.session
    face.run(session.search())
    account = session.account
    assert str(session.stage) == Stage.FOUND
    assert len(account.failing) == 2
    assert account.standing("prices.py::discount_percent") is Standing.REPAIRED
    assert account.repair is not None
    assert account.repair.patch is not None
    walk = session.walk(account.failing[0])
    assert walk is not None
    assert walk.trace.case == account.failing[0]
    before = (shop / "prices.py").read_bytes()
    patch, files = account.repair.patch, account.files
    changes = [
        Change(path, files[path].sha256, after.data)
        for path, after in judge.patched(files, patch).items()
    ]
    assert session.apply(changes, patch) == ("prices.py",)
    assert session.changed() == ("prices.py",)
    face.run(session.retest())
    assert str(session.stage) == Stage.DONE
    assert not session.account.failing
    assert session.undo() == ("prices.py",)
    assert (shop / "prices.py").read_bytes() == before
    face.run(session.retest())
    assert str(session.stage) == Stage.REGRESSED
    assert session.redo() == ("prices.py",)
    face.run(session.retest())
    assert str(session.stage) == Stage.DONE
    with pytest.raises(ApplyError, match="nothing to redo"):
        session.redo()


def test_failing_tests_are_run_again_alone_and_the_others_stay_known(
    face: Shown, shop: Path
) -> None:
    session = face.session
    face.run(session.retest())
    assert session.stage is Stage.FAILING
    failing = session.account.failing
    everything = set(session.account.outcomes)
    heard = face.run(session.retest(failing))
    ran = next(h.event for h in heard if isinstance(h, Heard) and isinstance(h.event, Collected))
    assert {o.case for o in ran.outcomes} == set(failing)
    assert set(session.account.outcomes) == everything


def test_after_an_edit_only_the_cases_that_it_may_concern_are_run(face: Shown, shop: Path) -> None:
    session = face.session
    face.run(session.retest())
    assert session.changed() == ()
    file = shop / "cart.py"
    text = file.read_text("utf-8")
    changed = text.replace("def shipping(self):", "def shipping(self):\n        free = None", 1)
    assert changed != text
    file.write_text(changed, "utf-8")
    assert session.changed() == ("cart.py",)
    cases = session.reached(["cart.py"])
    assert cases is not None
    assert set(session.account.failing) <= set(cases)
    assert len(cases) < len(session.account.outcomes)
    file.write_text("import os\n" + text, "utf-8")
    assert session.reached(["cart.py"]) is None


def test_an_example_solves_one_subfunction_again(face: Shown, shop: Path) -> None:
    session = face.session
    face.run(session.retest())
    subfunction = session.account.hierarchy.subfunctions["prices.py::discount_percent"]
    call = call_of(subfunction, session.account.traces)
    assert call.startswith("discount_percent(")
    heard = face.run(session.example(subfunction, "discount_percent(50) == 12"))
    tried = {
        h.event.subfunction for h in heard if isinstance(h, Heard) and isinstance(h.event, Proposed)
    }
    assert tried == {"prices.py::discount_percent"}
    assert session.stage is Stage.FOUND
    with pytest.raises(UsageError, match="no expression"):
        session.example(subfunction, "f(")


def test_an_example_is_a_call_and_a_literal() -> None:
    assert expression_of("f(3)", "[1, 2]") == "f(3) == [1, 2]"
    with pytest.raises(UsageError, match="literal"):
        expression_of("f(3)", "g()")
    with pytest.raises(UsageError):
        compiled("a b")


def test_a_repair_that_is_cancelled_while_the_tests_run_ends_soon_and_says_so(
    face: Shown, shop: Path
) -> None:
    (shop / "test_slow.py").write_text(SLOW_TEST, "utf-8")
    session = face.session
    drive = session.search()
    thread = threading.Thread(target=drive.run)
    thread.start()
    time.sleep(1.0)
    assert session.busy
    with pytest.raises(UsageError, match="something runs"):
        session.search()
    drive.cancel()
    thread.join(20)
    assert not thread.is_alive()
    while not face.told.empty():
        session.hear(face.told.get())
    assert session.stage is Stage.CANCELLED


def children() -> set[str]:
    """Ids of the child processes of this one, whichever thread began them."""
    lists = Path("/proc/self/task").glob("*/children")
    return {child for file in lists for child in file.read_text("ascii").split()}


def test_one_that_is_quit_says_nothing_more_and_leaves_no_child(face: Shown, shop: Path) -> None:
    before = children()
    drive = face.session.search()
    thread = threading.Thread(target=drive.run)
    thread.start()
    time.sleep(1.0)
    assert children() > before
    drive.quit()
    thread.join(20)
    assert not thread.is_alive()
    heard = []
    while not face.told.empty():
        heard.append(face.told.get())
    assert not any(isinstance(h, Failed) for h in heard)
    assert not any(isinstance(h, Heard) and isinstance(h.event, Finished) for h in heard)
    assert children() <= before


def test_a_fault_that_the_user_must_mend_ends_the_session_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    face = Shown(tmp_path)
    face.session.python = str(tmp_path / "no-python")
    face.run(face.session.search())
    assert face.session.stage is Stage.FAULT
    assert "no-python" in face.session.account.fault


KILLED = """
import os, signal, sys
from pathlib import Path
from mgdebug.model import Target
from mgdebug.session import Session
from mgdebug.session.journal import Journal
from mgdebug.settings import Settings
root = Path(sys.argv[1])
target = Target(root, root)
journal = Journal.begin(root, target, "search")
session = Session(target, Settings(jobs=1), sys.executable, lambda told: None, journal)
session.retest().run()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_session_whose_process_was_killed_is_taken_up_where_it_stood(
    face: Shown, shop: Path
) -> None:
    died = subprocess.run([sys.executable, "-c", KILLED, str(shop)], check=False)
    assert died.returncode == -signal.SIGKILL
    (saved,) = sessions(shop)
    assert not saved.ended
    assert not saved.alive
    session = face.session
    session.journal = Journal.resume(saved.path)
    session.take_up(read(saved.path))
    assert session.stage is Stage.FAILING
    assert len(session.account.failing) == 2
    walk = session.walk(session.account.failing[0])
    assert walk is not None
    assert session.account.files[walk.path(0)].line_text(walk.line(0))
    assert session.changed() == ()
    session.close()
    assert sessions(shop)[0].ended
