"""A clean commit: `mgdebug hook` on a file that has changed, against pytest on the affected tests
alone.  A project of 200 tests in 20 files, ten of which reach the file."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

ROUNDS = 15
FILES, TESTS = 20, 10  # and so many tests in each file
BAR = 1.2

_FUNCTIONS = """\
def work{n}(count):
    total = 0
    for i in range(count):
        total += step{n}(i)
    return total


def step{n}(i):
    return i % {m}


"""
_TEST = """\
def test_work{n}():
    assert part{f}.work{n}(1000) == sum(i % {m} for i in range(1000))


"""


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Medians over alternating rounds, in milliseconds of wall time from start to exit, and their
    ratio.  only: (ROUNDS,) for another number of them."""
    rounds = int(only[0]) if only else ROUNDS
    with tempfile.TemporaryDirectory() as name:
        project, environment = Path(name) / "project", _environment(Path(name))
        laid_out(project)
        command = _installed(Path(name) / "lib")
        # All cases, for nothing is known of them yet.
        subprocess.run([*command, "shop/part0.py"], cwd=project, env=environment, check=True)
        times: dict[str, list[float]] = {"mgdebug hook": [], "pytest, affected tests": []}
        for number in range(rounds + 1):
            part = number % FILES
            file = project / f"shop/part{part}.py"
            file.write_text(file.read_text("utf-8") + "# changed\n", "utf-8")
            commands = {
                "mgdebug hook": [*command, f"shop/part{part}.py"],
                "pytest, affected tests": [*_PYTEST, f"tests/test_part{part}.py"],
            }
            for what in sorted(commands, reverse=bool(number % 2)):
                took = _timed(commands[what], project, environment)
                if number:  # the first round warms the disk
                    times[what].append(took)
    median = {what: statistics.median(found) for what, found in times.items()}
    for what, value in median.items():
        low, high = min(times[what]), max(times[what])
        yield f"{what:24} {1000 * value:7.0f} ms  ({1000 * low:.0f} to {1000 * high:.0f})", True
    hook, tests = median.values()
    least = min(times["mgdebug hook"]) / min(times["pytest, affected tests"])
    yield f"the quickest of each: {least:.2f}", True
    yield f"a clean commit / its tests alone = {hook / tests:.2f} (bar {BAR})", hook / tests <= BAR


_START = "import sys; sys.path.insert(0, {!r}); from mgdebug.__main__ import start; start()"
_PYTEST = [sys.executable, "-m", "pytest", "-q"]


def laid_out(project: Path) -> None:
    """Write a project whose file shop/part3.py ten tests reach, and so on."""
    for folder in ("shop", "tests"):
        (project / folder).mkdir(parents=True)
    (project / "shop/__init__.py").touch()
    settings = '[tool.pytest.ini_options]\npythonpath = ["."]\ntestpaths = ["tests"]\n'
    (project / "pyproject.toml").write_text(settings, "utf-8")
    for file in range(FILES):
        code = "".join(_FUNCTIONS.format(n=n, m=n + 2) for n in range(TESTS))
        tests = "".join(_TEST.format(n=n, m=n + 2, f=file) for n in range(TESTS))
        (project / f"shop/part{file}.py").write_text(code, "utf-8")
        head = f"from shop import part{file}\n\n\n"
        (project / f"tests/test_part{file}.py").write_text(head + tests, "utf-8")


def _installed(folder: Path) -> list[str]:
    """The command of a copy of mgdebug, compiled, as pip leaves it; a checkout is not always."""
    package = Path(__file__).resolve().parents[1]
    shutil.copytree(package, folder / "mgdebug", ignore=shutil.ignore_patterns("__pycache__"))
    compiled = [sys.executable, "-m", "compileall", "-q", str(folder)]
    subprocess.run(compiled, env=_environment(folder), check=True)
    return [sys.executable, "-c", _START.format(str(folder)), "hook"]


def _environment(folder: Path) -> Mapping[str, str]:
    left_out = ("MGDEBUG_", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    own = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    places = {"XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}
    return {**own, **{name: str(folder / place) for name, place in places.items()}}


def _timed(command: Sequence[str], project: Path, environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode or not {"10 passed", "10 cases"} & set(_pairs(done.stdout + done.stderr)):
        raise RuntimeError(f"{command} ends with {done.returncode}: {done.stdout}{done.stderr}")
    return took


def _pairs(text: str) -> Iterator[str]:
    words = text.split()
    return (" ".join(pair) for pair in pairwise(words))
