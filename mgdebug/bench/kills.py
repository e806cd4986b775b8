"""SIGKILL at random moments of `mgdebug fix --apply`: what becomes of the user's files.

Every other kill waits until the journal is being written, so that many of them fall into the few
milliseconds in which files change; in every fourth the user edits a file meanwhile.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

KILLS = 300
SEED = 5
WRITING = 0.03  # seconds from the first sign of the journal until all is written
PATIENCE = 60.0
EDIT = b"# the user's own line\n"

FILES = {
    "first.py": "def double(n):\n    return n + 2\n",
    "second.py": "def less(n):\n    return n + 1\n",
    "test_both.py": (
        "from first import double\nfrom second import less\n\n\n"
        "def test_double():\n    assert [double(n) for n in (1, 2, 5)] == [2, 4, 10]\n\n\n"
        "def test_less():\n    assert [less(n) for n in (1, 2, 5)] == [0, 1, 4]\n"
    ),
}
MODES = {"first.py": 0o755, "second.py": 0o640, "test_both.py": 0o644}


@dataclass(frozen=True, slots=True)
class Ended:
    """What one kill left.  wrong: what should not be, in words; age: how many files were patched;
    scratch: folders left in the temporary folder, for the next start to sweep."""

    age: str
    wrong: tuple[str, ...]
    scratch: int


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """A line for each kill after which something is wrong, and the sums.  only: (KILLS,) for
    another number of them."""
    kills = int(only[0]) if only else KILLS
    ages: Counter[str] = Counter()
    bad = scratch = 0
    for number, ended in enumerate(killed(kills, SEED)):
        ages[ended.age] += 1
        scratch += ended.scratch
        if ended.wrong:
            bad += 1
            yield f"kill {number}: {'; '.join(ended.wrong)}", False
    found = ", ".join(f"{count} {age}" for age, count in sorted(ages.items()))
    yield f"{kills} kills: {found}; {scratch} scratch folders left to the next start", True
    yield f"torn, lost, not undone or not swept: {bad} (bar 0)", bad == 0


def killed(kills: int, seed: int) -> Iterator[Ended]:
    """What each kill left, in a project of its own."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        base = Path(name).resolve()
        after, seconds = _unhurried(base / "unhurried")
        for number in range(kills):
            yield _one(base / str(number), after, seconds, chance, number)
            shutil.rmtree(base / str(number), ignore_errors=True)


def _unhurried(place: Path) -> tuple[dict[str, bytes], float]:
    """What the files hold once they are repaired, and how many seconds that takes."""
    _laid_out(place)
    began = time.monotonic()
    with _started(place) as child:
        code = child.wait()
    if code:
        raise RuntimeError(f"the repair that is to be killed ends with {code}")
    return _files(place), time.monotonic() - began


def _laid_out(place: Path) -> None:
    project = place / "project"
    project.mkdir(parents=True)
    (place / "scratch").mkdir()
    for name, text in FILES.items():
        (project / name).write_text(text)
        (project / name).chmod(MODES[name])
    _git(place, "init", "-q")
    _git(place, "add", ".")
    _git(place, "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-qm", "x")


def _git(place: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=place / "project", check=True, capture_output=True, text=True
    ).stdout


def _environment(place: Path) -> dict[str, str]:
    own = {"XDG_STATE_HOME": str(place / "state"), "TMPDIR": str(place / "scratch")}
    return {**os.environ, **own, "PYTHONDONTWRITEBYTECODE": "1"}


def _started(place: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mgdebug", "fix", "--apply", "--jobs", "1"],
        cwd=place / "project",
        env=_environment(place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _files(place: Path) -> dict[str, bytes]:
    return {name: (place / "project" / name).read_bytes() for name in FILES}


def _one(
    place: Path, after: dict[str, bytes], seconds: float, chance: random.Random, number: int
) -> Ended:
    _laid_out(place)
    before = _files(place)
    began = time.monotonic()
    moment = chance.uniform(0, 1.1 * seconds)
    edited = chance.choice(["first.py", "second.py"]) if number % 4 == 3 else ""
    with _started(place) as child:
        if number % 2 and not edited:
            while child.poll() is None and time.monotonic() < began + PATIENCE:
                if any((place / "state").rglob(".new-*")):
                    break
            time.sleep(chance.uniform(0, WRITING))
        else:
            if edited:
                time.sleep(chance.uniform(0, moment))
                with (place / "project" / edited).open("ab") as file:
                    file.write(EDIT)
            time.sleep(max(0.0, began + moment - time.monotonic()))
        child.kill()
    return _judged(place, before, after, edited)


def _judged(place: Path, before: dict[str, bytes], after: dict[str, bytes], edited: str) -> Ended:
    wrong: list[str] = []
    if edited:
        before = {**before, edited: before[edited] + EDIT}
        after = {**after, edited: after[edited] + EDIT}
    now = _files(place)
    for name, data in now.items():
        if data not in (before[name], after[name]):
            wrong.append(f"{name} is torn or has lost an edit")
    patched = sum(now[name] != before[name] for name in now)
    done = subprocess.run(
        [sys.executable, "-m", "mgdebug", "undo"],
        cwd=place / "project",
        env=_environment(place),
        capture_output=True,
        text=True,
        check=False,
    )
    restored = _files(place)
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        wrong.append(f"undo ends with {done.returncode}: {done.stderr.strip()}")
    if edited:
        # An edit from before the patch was made is in what undo brings back.
        kept = restored[edited] in (now[edited], before[edited])
        if not kept or (done.returncode and restored != now):
            wrong.append("undo changed a file that the user had edited")
    elif restored != before or _git(place, "status", "--porcelain").strip():
        wrong.append(f"undo did not bring the files back: {done.stderr.strip()}")
    if patched and not edited and done.returncode:
        wrong.append(f"undo refused: {done.stderr.strip()}")
    for name, mode in MODES.items():
        if (place / "project" / name).stat().st_mode & 0o7777 != mode:
            wrong.append(f"{name} has lost its mode")
    strays = [*(place / "project").glob(".mgdebug-*"), *(place / "state").rglob(".new-*")]
    if strays:
        wrong.append(f"not swept: {', '.join(stray.name for stray in strays)}")
    age = f"with {patched} of {sum(after[n] != before[n] for n in after)} files patched"
    return Ended(age, tuple(wrong), len([*(place / "scratch").iterdir()]))
