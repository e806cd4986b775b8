"""The pytest plugin: `pytest --mgdebug` tells beneath the failures where they come from, and what
mends them.

Each run of pytest in an environment that has mgdebug imports this module, so it imports nothing
that is not there already, and without the flag it does nothing more.  The section is made in a
process of its own (see section.py), which is told node ids and answers with lines: what befalls it
cannot change how pytest ends.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from subprocess import Popen

SECONDS = "20"
OVERTIME, TIMES = 15.0, 2.0  # seconds, and times its own, after which the process is ended
ENDING_SECONDS = 5.0  # that it has to end its children
FAILING, PASSING = 40, 300  # tests that are looked at
PASSING_SHARE = 0.1  # of the time: what the passing ones took
_OPTIONS = (  # of pytest that decide what a node id stands for: where it keeps them, their flags
    ("plugins", "-p"),
    ("override_ini", "-o"),
    ("pythonwarnings", "-W"),
    ("importmode", "--import-mode"),
    ("doctestglob", "--doctest-glob"),
)
_SWITCHES = (("doctestmodules", "--doctest-modules"), ("noconftest", "--noconftest"))
_LEFT_OUT = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_", "COV_CORE_", "COVERAGE_PROCESS_")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mgdebug", "where failures come from, and what mends them")
    group.addoption(
        "--mgdebug",
        action="store_true",
        default=None,
        help="beneath the failures: where each parts from a passing test, and a patch if one is "
        "found; changes no file.",
    )
    group.addoption(
        "--mgdebug-time",
        type=_seconds,
        metavar="SECONDS",
        help=f"for --mgdebug to look for a patch.  [{SECONDS}]",
    )
    parser.addini("mgdebug", "as --mgdebug on each run", type="bool", default=False)
    parser.addini("mgdebug_time", "as --mgdebug-time", default=SECONDS)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # one of xdist's workers: the tests are told elsewhere
        return
    asked, seconds = config.getoption("mgdebug"), config.getoption("mgdebug_time")
    try:
        asked = config.getini("mgdebug") if asked is None else asked
        if asked:
            seconds = _seconds(config.getini("mgdebug_time")) if seconds is None else seconds
            config.pluginmanager.register(_Section(config, seconds), "mgdebug-section")
    except (ValueError, ArgumentTypeError) as error:
        raise pytest.UsageError(f"mgdebug, mgdebug_time: {error}") from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


class _Section:
    def __init__(self, config: pytest.Config, seconds: float) -> None:
        self.config, self.seconds = config, seconds
        self.interrupted = False
        self._environment = {  # before tests may change it
            name: text for name, text in os.environ.items() if not name.startswith(_LEFT_OUT)
        }

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # xdist ends so at --maxfail too, with an exception of its own.
        self.interrupted |= excinfo.type in (KeyboardInterrupt, pytest.exit.Exception)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        try:
            failing = _ordered(_failed(terminalreporter.stats, self._id))
            if failing and not self.interrupted:
                self._write(terminalreporter, failing)
        except KeyboardInterrupt:
            terminalreporter.write_line("mgdebug: interrupted; the tests have ended as told above")
        except Exception as error:  # never pytest's
            with suppress(OSError):  # nobody reads any more
                terminalreporter.write_line(f"mgdebug: a fault in mgdebug itself: {error!r}")

    def _id(self, report: Any) -> str:
        """A node id as pytest has it without xdist, which adds the group of --dist loadgroup."""
        path, mark, name = str(report.nodeid).partition("::")
        at = name.rfind("@")
        grouped = self.config.getoption("dist", None) == "loadgroup" and at > name.rfind("]")
        return path + mark + (name[:at] if grouped and at >= 0 else name)

    def _write(self, out: pytest.TerminalReporter, failing: dict[str, Any]) -> None:
        import json

        told = dict([*failing.items()][:FAILING])
        passed = {self._id(r): r for r in out.stats.get("passed", ()) if _is_test(r)}
        beside = {id_: r for id_, r in passed.items() if id_ not in failing}
        chosen = nearest(beside, told, self.seconds * PASSING_SHARE)
        out.write_sep("=", "mgdebug")
        count = "1 failing test" if len(told) == 1 else f"{len(told)} failing tests"
        out.write_line(f"looking at {count} for up to {self.seconds:g} s")
        out.flush()
        wish: dict[str, Any] = {
            "rootdir": str(self.config.rootpath),
            "cwd": str(self.config.invocation_params.dir),
            "options": list(_options(self.config)),
            "tests": list(_ordered({**told, **chosen})),
            "failing": list(told),
            "unseen": len(failing) - len(told) + len(beside) - len(chosen),
            "seconds": self.seconds,
            "width": self.config.get_terminal_writer().fullwidth,
            "folder": self._folder(),
        }
        most = TIMES * self.seconds + OVERTIME
        with closing(said(json.dumps(wish), wish["cwd"], self._environment, most)) as lines:
            for line in lines:
                out.write_line(line, green=line.startswith("+"), red=line.startswith("-"))
                out.flush()

    def _folder(self) -> str | None:
        """Where the patch is kept for whoever applies it."""
        cache = getattr(self.config, "cache", None)
        try:
            return str(cache.mkdir("mgdebug")) if cache else None
        except OSError:
            return None


# ------------------------------------------------------------------------------- which tests


def _is_test(report: Any) -> bool:
    return getattr(report, "when", None) in ("setup", "call", "teardown")


def _failed(stats: dict[str, list[Any]], id_: Any) -> dict[str, Any]:
    """Reports of what failed, by node id.  A test that was meant to fail and passes is no bug."""
    reports = [*stats.get("failed", ()), *stats.get("error", ())]
    return {
        id_(report): report
        for report in reports
        if _is_test(report) and not str(report.longrepr).startswith("[XPASS(strict)]")
    }


def _ordered(reports: dict[str, Any]) -> dict[str, Any]:
    """As the tests stand in their files, which come as they came."""
    files: dict[str, int] = {}
    for id_ in reports:
        files.setdefault(id_.partition("::")[0], len(files))
    places = {
        id_: (files[id_.partition("::")[0]], report.location[1] or 0)
        for id_, report in reports.items()
    }
    return {id_: reports[id_] for id_ in sorted(reports, key=places.__getitem__)}


def nearest(passed: dict[str, Any], failing: Iterable[str], seconds: float) -> dict[str, Any]:
    """As many passing tests as took some seconds, those beside failing ones first."""
    files = {id_.partition("::")[0] for id_ in failing}
    folders = {file.rpartition("/")[0] for file in files}

    def far(id_: str) -> int:
        file = id_.partition("::")[0]
        return 0 if file in files else 1 if file.rpartition("/")[0] in folders else 2

    found: dict[str, Any] = {}
    for id_ in sorted(passed, key=far):
        if passed[id_].duration <= seconds and len(found) < PASSING:
            seconds -= passed[id_].duration
            found[id_] = passed[id_]
    return found


def _options(config: pytest.Config) -> Iterator[str]:
    yield from ("--rootdir", str(config.rootpath))
    if config.inipath is not None:
        yield from ("-c", str(config.inipath))
    for name, flag in _OPTIONS:
        given = getattr(config.option, name, None)
        for each in given if isinstance(given, list) else [given] if given else ():
            yield from (flag, str(each))
    for name, flag in _SWITCHES:
        if getattr(config.option, name, False):
            yield flag


# ------------------------------------------------------------------------------- the process


def said(
    wish: str, cwd: str, environment: dict[str, str], most: float
) -> Generator[str, None, None]:
    """The lines of the section as they come.

    wish: for section.py, as JSON; cwd: where pytest was started.  most: seconds after which there
    are no more lines."""
    import queue
    import subprocess
    import tempfile
    import threading
    import time

    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    until = time.monotonic() + most

    def listen(process: Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as said:
            for line in said:
                lines.put(line.decode("utf-8", "replace").rstrip("\n"))
        lines.put(None)

    with tempfile.TemporaryFile() as faults, tempfile.TemporaryFile() as request:
        request.write(wish.encode())
        request.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mgdebug.section"],
            stdin=request,
            stdout=subprocess.PIPE,
            stderr=faults,
            cwd=cwd,
            env=environment,
            start_new_session=True,  # an interrupt reaches it through us
        )
        try:
            threading.Thread(target=listen, args=(process,), daemon=True).start()
            while (line := lines.get(timeout=max(0.0, until - time.monotonic()))) is not None:
                yield line
            if process.wait(ENDING_SECONDS):
                faults.seek(0)
                text = faults.read().decode("utf-8", "replace").splitlines()
                last = text[-1] if text else f"it ended with {process.returncode}"
                told = [n for n, line in enumerate(text) if line.startswith("mgdebug: ")]
                yield from text[told[-1] :] if told else (f"mgdebug: {last}",)
        except (queue.Empty, subprocess.TimeoutExpired):
            yield f"mgdebug: it took longer than {most:g} s, and was ended"
        finally:
            _end(process)


def _end(process: Popen[bytes]) -> None:
    import subprocess

    if process.poll() is None:
        process.terminate()
        try:
            process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
