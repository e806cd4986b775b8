"""`pytest --mgdebug` as a user meets it: real pytest in processes of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from mgdebug import pytest_plugin

FEES = """\
def fee(weight):
    if weight < 10:
        return 3
    return 8


def total(weights):
    return sum(fee(weight) for weight in weights)
"""
TESTS = """\
import unittest

import pytest

from fees import fee, total


@pytest.fixture
def heavy():
    return 10


@pytest.mark.parametrize(("weight", "wanted"), [(1, 3), (10, 3), (11, 8)])
def test_fee(weight, wanted):
    assert fee(weight) == wanted


def test_with_a_fixture(heavy):
    assert fee(heavy) == 3


class TestTotal:
    def test_of_two(self):
        assert total([1, 10]) == 6


class Old(unittest.TestCase):
    def test_at_the_limit(self):
        self.assertEqual(total([10]), 3)

    def test_above(self):
        self.assertEqual(total([12]), 8)


@pytest.mark.xfail(strict=True)
def test_that_was_meant_to_fail():
    assert fee(2) == 3
"""
ODD = """\
import os
import time

import pytest

from fees import fee


@pytest.mark.parametrize("n", [1], ids=lambda n: str(time.time_ns()))
def test_unsteady(n):
    assert fee(10) == 3


def test_never():
    os.environ["MGDEBUG_JOBS"] = "none"
    os.chdir("/")
    assert fee(1) == fee(2) + 1
"""
LISTING = """\
import sys


def pytest_unconfigure():
    print("loaded:", sorted(name for name in sys.modules if name.startswith("mgdebug")))
"""

pytestmark = pytest.mark.skipif(
    "mgdebug" not in {point.name for point in entry_points(group="pytest11")},
    reason="the installed mgdebug has no pytest plugin yet: make install",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = src\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "src/fees.py").write_text(FEES)
    (tmp_path / "tests/test_fees.py").write_text(TESTS)
    return tmp_path


def environment(**variables: str) -> dict[str, str]:
    ours = {n: t for n, t in os.environ.items() if not n.startswith(("PYTEST_", "MGDEBUG_"))}
    return {**ours, "COLUMNS": "100", **variables}


def run(
    project: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--tb=no", *arguments],
        cwd=project,
        env=environment(**variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def section(said: str) -> str:
    """What stands beneath the heading, up to pytest's own summary."""
    return re.split(r"^=+ mgdebug =+\n|^=+ short test summary", said, flags=re.M)[1]


def test_each_kind_of_failing_test_is_told_and_the_command_mends_them(project: Path) -> None:
    """Also with workers of xdist, and with the flag in the settings, which the pytest that mgdebug
    starts reads as well."""
    with (project / "pytest.ini").open("a") as settings:
        settings.write("mgdebug = true\nmgdebug_time = 60\naddopts = --mgdebug\n")
    (project / "pyproject.toml").write_text("[tool.mgdebug]\npatches = 12\n")
    done = run(project, "-n", "2", "tests")
    assert done.returncode == 1, done.stdout + done.stderr
    told = section(done.stdout)
    assert "looking at 4 failing tests for up to 60 s" in told
    blocks = re.split(r"^tests/test_fees.py::(.*)\n", told.partition("\n\n")[0], flags=re.M)
    failing = dict(zip(blocks[1::2], blocks[2::2], strict=True))
    assert list(failing) == [
        "test_fee[10-3]",
        "test_with_a_fixture",
        "TestTotal::test_of_two",
        "Old::test_at_the_limit",
    ]
    words = " ".join(failing["test_fee[10-3]"].split())
    assert re.match(
        r"parts from tests/test_fees.py::test_fee\[1-3\] at src/fees.py:2 `weight < 10`: "
        r"False \(there: True\) weight = 10 \(there: 1\) "
        r"suspect: fee src/fees.py:4 0.\d\d \(in 4 of 4 failing, ",
        words,
    ), words
    assert all("suspect: fee src/fees.py:4 " in text for text in failing.values())
    assert "\n-    if weight < 10:\n+    if weight <" in told
    assert "7 cases pass in a fresh process" in told
    assert (project / "src/fees.py").read_text() == FEES
    *_, command = told.splitlines()
    assert command.startswith("apply it: git apply ")
    applied = shlex.split(command.removeprefix("apply it: "))
    subprocess.run(applied, cwd=project, check=True)
    again = run(project, "--deselect", "tests/test_fees.py::test_that_was_meant_to_fail")
    assert again.returncode == 0
    assert not re.search("= mgdebug =|looking at", again.stdout)


def test_without_the_flag_nothing_is_loaded_and_nothing_said(project: Path) -> None:
    (project / "conftest.py").write_text(LISTING)
    done, without = run(project), run(project, "-p", "no:mgdebug")
    assert done.returncode == without.returncode == 1
    assert "loaded: ['mgdebug', 'mgdebug.pytest_plugin']" in done.stdout
    assert "loaded: []" in without.stdout
    told, bare = (
        re.sub(r"(?m)^(plugins|loaded):.*|in \d+\.\d+s", "", one.stdout) for one in (done, without)
    )
    assert told == bare


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise RuntimeError('broken')", "mgdebug: RuntimeError: broken"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "mgdebug: it ended with -9"),
    ],
)
def test_a_broken_mgdebug_is_one_line(project: Path, fault: str, said: str) -> None:
    """Something of what it stands on is not what it should be."""
    (project / "broken").mkdir()
    (project / "broken/click.py").write_text(fault)
    done = run(project, "--mgdebug", variables={"PYTHONPATH": str(project / "broken")})
    assert done.returncode == 1
    assert section(done.stdout).splitlines()[1:] == [said]
    assert "5 failed, 3 passed" in done.stdout


def test_a_wrong_setting_of_mgdebug_is_told_with_the_next_step(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.mgdebug]\njob = 2\n")
    done = run(project, "--mgdebug")
    assert done.returncode == 1
    assert section(done.stdout).splitlines()[1:] == [
        "mgdebug: [tool.mgdebug] in pyproject.toml: job is no setting of mgdebug",
        "  next: did you mean jobs?",
    ]


def test_when_the_time_is_over_a_longer_search_is_offered(project: Path) -> None:
    """Also where tests have changed the process, and have other names each time."""
    (project / "tests/test_odd.py").write_text(ODD)
    done = run(project, "--mgdebug", "--mgdebug-time", "1.5", "tests/test_odd.py")
    assert done.returncode == 1
    told = section(done.stdout)
    assert re.search(r"test_unsteady\[\d+\]\n  is not there when mgdebug collects", told)
    assert "\nno patch: " in told
    *_, command = told.splitlines()
    assert re.match("search on: .*mgdebug fix --time 60 --tests tests/test_odd.py", command), told


def test_an_interrupt_ends_the_section_alone(project: Path) -> None:
    (project / "stuck").mkdir()
    pid = project / "pid"
    (project / "stuck/click.py").write_text(
        f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        "print('here', flush=True)\ntime.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--tb=no", "--mgdebug"],
        cwd=project,
        env=environment(PYTHONPATH=str(project / "stuck"), PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "here\n":
            os.killpg(process.pid, signal.SIGINT)
            break
    said, _ = process.communicate()
    assert process.returncode == 1
    assert said.startswith("mgdebug: interrupted")
    assert "5 failed, 3 passed" in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import time\nprint('first', flush=True)\ntime.sleep(600)\n")
    wish = {"cwd": str(tmp_path)}
    lines = pytest_plugin.said(json.dumps(wish), wish["cwd"], {"PYTHONPATH": str(tmp_path)}, 1.5)
    assert [*lines] == ["first", "mgdebug: it took longer than 1.5 s, and was ended"]


def test_passing_tests_beside_failing_ones_are_taken_as_the_time_allows() -> None:
    class Report:
        def __init__(self, duration: float) -> None:
            self.duration = duration

    passed = {
        "other/test_c.py::far": Report(0.1),
        "tests/test_b.py::near": Report(0.3),
        "tests/test_a.py::slow": Report(0.9),
        "tests/test_a.py::beside": Report(0.2),
    }
    chosen = pytest_plugin.nearest(passed, ["tests/test_a.py::failing"], 0.65)
    assert list(chosen) == [
        "tests/test_a.py::beside",
        "tests/test_b.py::near",
        "other/test_c.py::far",
    ]
