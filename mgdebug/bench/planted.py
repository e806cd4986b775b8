"""Synthetic repositories with planted bugs: made by demos/repository.py, repaired by `mgdebug fix
--all` in a process of its own, judged by pytest and by checks that nobody has seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mgdebug.errors import UsageError

# The peak of this process alone: getrusage would tell that of a child, or of whoever started it.
_WATCHED = """\
import atexit, os, sys
told, own = sys.argv.pop(1), os.getpid()
def tell():
    if os.getpid() == own:
        with open("/proc/self/status") as status, open(told, "w") as file:
            file.write(next(line for line in status if line.startswith("VmHWM:")).split()[1])
atexit.register(tell)
sys.argv[0] = "mgdebug"
from mgdebug.__main__ import start
start()
"""
# In the project's folder: lists of checks as JSON on standard input, what holds on output.  Each
# list has a process of its own, for what one leaves behind is no other's business.
_CHECKED = """\
import importlib, json, os, signal, sys
sys.path.insert(0, "")
def late(*_):
    raise TimeoutError
signal.signal(signal.SIGALRM, late)
def right(check):
    signal.alarm(5)
    try:
        space = dict(importlib.import_module(check["module"]).__dict__)
        for step in check["steps"][:-1]:
            exec(step, space)
        value = eval(check["steps"][-1], space)
    except BaseException as error:
        return check.get("raises") == type(error).__name__
    finally:
        signal.alarm(0)
    if "raises" in check:
        return False
    wanted = eval(check["gives"])
    return type(value) is type(wanted) and bool(value == wanted)
def hold(checks):
    pid = os.fork()
    if not pid:
        os._exit(not all(right(check) for check in checks))
    return os.waitpid(pid, 0)[1] == 0
print(json.dumps([hold(checks) for checks in json.load(sys.stdin)]))
"""


@dataclass(frozen=True, slots=True)
class Planted:
    """A repository and what was planted in it.  bugs: rows of its planted.json."""

    root: Path
    modules: int
    cases: int
    bugs: Sequence[Mapping[str, Any]]

    @property
    def failing(self) -> set[str]:
        return {case for bug in self.bugs for case in bug["cases"]}


@dataclass(slots=True)
class Fixed:
    """What `fix --all` did.  seconds: wall time; first, last: of them, those of the first run of
    the suite and of the last; peak: bytes of mgdebug itself, without its workers; worked: how
    often tasks were begun, done, lost, given up; repair: as the event Finished has it."""

    seconds: float = 0.0
    first: float = 0.0
    last: float = 0.0
    peak: int = 0
    worked: Counter[str] = field(default_factory=Counter)
    repair: Mapping[str, Any] = field(default_factory=dict)

    @property
    def edits(self) -> Sequence[Mapping[str, Any]]:
        patch = self.repair["patch"]
        return patch["edits"] if patch else ()

    @property
    def whole_runs(self) -> int:
        """How often all cases ran."""
        return int(self.repair["whole_runs"])


@dataclass(frozen=True, slots=True)
class Judged:
    """bug: its row.  green: whether its cases pass; right: whether the checks that were held back
    do, and so is what it does, not only in its tests."""

    bug: Mapping[str, Any]
    green: bool
    right: bool

    @property
    def repaired(self) -> bool:
        return self.green and self.right


def generated(
    folder: Path, modules: int, cases: int, bugs: int, seed: int = 0, kinds: Sequence[str] = ()
) -> Planted:
    """Write a repository; kinds: of its bugs, () for all.  Raises UsageError where the script is
    not, as in a wheel."""
    script = Path(__file__).resolve().parents[2] / "demos/repository.py"
    if not script.is_file():
        raise UsageError(f"{script} is missing", "run this suite from a checkout of mgdebug")
    numbers = {"modules": modules, "cases": cases, "bugs": bugs, "seed": seed}
    words = [word for name, number in numbers.items() for word in (f"--{name}", str(number))]
    words += [word for kind in kinds for word in ("--kind", kind)]
    subprocess.run([sys.executable, script, folder, *words], check=True, capture_output=True)
    told = json.loads(Path(f"{folder}.planted.json").read_text("utf-8"))
    return Planted(folder.resolve(), told["modules"], told["cases"], told["bugs"])


def started(planted: Planted, place: Path, *words: str) -> subprocess.Popen[bytes]:
    """`mgdebug fix --all --json` with more words, which knows nothing of the repository.

    place: an empty folder, where its cache is, what it narrates, and in the end its peak.
    """
    place.mkdir(parents=True)
    own = {"XDG_CACHE_HOME": str(place / "cache"), "XDG_STATE_HOME": str(place / "state")}
    command = [sys.executable, "-c", _WATCHED, str(place / "peak"), "fix", "--all", "--json"]
    with (place / "narrated").open("wb") as narrated:
        return subprocess.Popen(
            [*command, *words],
            cwd=planted.root,
            env={**_environment(), **own, "MGDEBUG_PYTHON": sys.executable},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=narrated,
        )


def ended(child: subprocess.Popen[bytes], place: Path, began: float) -> Fixed:
    """What it tells until it ends.  began: of time.monotonic().  Raises RuntimeError where it ends
    without a repair."""
    found = Fixed()
    assert child.stdout is not None
    with child:
        for line in child.stdout:
            event = json.loads(line)
            now = time.monotonic() - began
            match event["event"]:
                case "Collected":
                    found.first = now
                case "Worked":
                    found.worked[event["what"]] += 1
                    if event["task"].startswith("all cases with the patches"):
                        found.last = found.last or now
                case "Finished":
                    found.repair = event["repair"]
    found.seconds = time.monotonic() - began
    found.last = found.seconds - found.last if found.last else 0.0
    if not found.repair:
        narrated = (place / "narrated").read_text("utf-8", "replace")
        raise RuntimeError(f"fix --all ends with {child.returncode}: {narrated[-2000:]}")
    found.peak = int((place / "peak").read_text()) << 10
    return found


def fixed(planted: Planted, place: Path, seconds: float, jobs: int, *words: str) -> Fixed:
    """Run it to its end.  seconds: for each group."""
    began = time.monotonic()
    child = started(planted, place, "--time", f"{seconds:g}", "--jobs", str(jobs), *words)
    return ended(child, place, began)


def judged(planted: Planted, done: Fixed, copy: Path) -> tuple[list[Judged], list[str]]:
    """What became of each bug in a copy with the patch, and the cases that it broke."""
    shutil.copytree(planted.root, copy)
    _write(copy, done.edits)
    _, red = red_cases(copy, planted.failing)
    green = {bug["id"]: _is_green(bug, planted, red) for bug in planted.bugs}
    asked = []
    for bug in planted.bugs:
        rest = all(green[other] for other in bug["needs"])
        asked.append([check for check in bug["held"] if rest or not check["with"]])
    right = _right(copy, asked)
    found = [Judged(bug, green[bug["id"]], ok) for bug, ok in zip(planted.bugs, right, strict=True)]
    return found, sorted(red - planted.failing)


def red_cases(project: Path, known: Iterable[str]) -> tuple[float, set[str]]:
    """Seconds that pytest takes for all cases, and the ids of those that fail.  known: ids that may
    be among them, for an id can look as if it ended earlier."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider"],
        cwd=project,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pytest ends with {done.returncode}: {done.stdout[-2000:]}")
    took = time.perf_counter() - began
    names, red = {*known}, set()
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("FAILED", "ERROR"):
            parts = rest.split(" - ")
            spelled = [" - ".join(parts[:at]) for at in range(1, len(parts) + 1)]
            red.add(next((name for name in spelled if name in names), spelled[0]))
    return took, red


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MGDEBUG_")}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def _write(project: Path, edits: Sequence[Mapping[str, Any]]) -> None:
    for edit in sorted(edits, key=lambda edit: -edit["start"]):
        file = project / edit["path"]
        data = file.read_bytes()
        file.write_bytes(data[: edit["start"]] + edit["text"].encode() + data[edit["end"] :])


def _is_green(bug: Mapping[str, Any], planted: Planted, red: set[str]) -> bool:
    """Whether its cases pass, but for those that need another patch as well."""
    others = [other for other in planted.bugs if other["id"] in bug["needs"]]
    shared = {case for other in others for case in other["cases"]}
    return not ({*bug["cases"]} - shared or {*bug["cases"]}) & red


def _right(project: Path, checks: Sequence[Sequence[Mapping[str, Any]]]) -> list[bool]:
    """Of each list of checks, whether all of them hold."""
    done = subprocess.run(
        [sys.executable, "-c", _CHECKED],
        cwd=project,
        env=_environment(),
        input=json.dumps(checks),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[bool] = json.loads(done.stdout)
    return found
