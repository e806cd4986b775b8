"""A pytest session that collects once and then waits: its items are run in forks."""

import importlib.util
import os
import re
from typing import Any, Callable, List, Optional, Sequence

from .bare import bare
from .cases import DETAIL, Result, Runnable, Trouble, one_line

NO_FIXTURE = re.compile(r"fixture '.*' not found$")

Serve = Callable[[List[Runnable], List[Trouble]], None]


def version() -> Optional[str]:
    """The project's pytest, None without one.  Imports it: forks then have it for nothing."""
    try:
        import pytest
    except ImportError:
        return None
    return str(pytest.__version__)


def run_session(
    arguments: List[str],
    scratch: str,
    ready: Callable[[], None],
    serve: Serve,
    plugins: Sequence[Any] = (),
) -> int:
    """Collect with the user's own configuration and call serve with what was found, inside the
    running session.  Returns pytest's exit code: 4 if its arguments or a conftest are wrong.

    ready: called when the session is configured, before any module of the project is imported.
    scratch: a folder for pytest's cache.  plugins: more of them.
    """
    import pytest

    class Plugin:
        def __init__(self) -> None:
            self.troubles: List[Trouble] = []
            self.reports: List[Any] = []

        def pytest_addoption(self, parser: Any) -> None:
            for name in ("cache_dir", "log_file"):  # known also without the plugins that own them
                parser.addini(name, "see pytest's documentation", default="")

        @pytest.hookimpl(tryfirst=True)
        def pytest_configure(self, config: Any) -> None:
            # Nothing stops the session, or asks questions.
            for name, value in (("maxfail", 0), ("stepwise", False), ("usepdb", False)):
                if hasattr(config.option, name):
                    setattr(config.option, name, value)

        def pytest_sessionstart(self) -> None:
            ready()

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                text = str(report.longrepr)
                self.troubles.append(Trouble(report.nodeid or "collection", text[-DETAIL:]))

        def pytest_runtest_logreport(self, report: Any) -> None:
            self.reports.append(report)

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self, session: Any) -> bool:
            # Not reached through a plugin that distributes: see _arguments.
            serve([_runnable(item, self) for item in session.items], self.troubles)
            return True

    return int(pytest.main(_arguments(arguments, scratch), plugins=[Plugin(), *plugins]))


def _arguments(given: List[str], scratch: str) -> List[str]:
    extra = ["-s", "-p", "no:randomly", "-o", "log_file="]
    extra += ["-o", "cache_dir=" + os.path.join(scratch, "pytest_cache")]
    if importlib.util.find_spec("xdist"):
        extra += ["-n", "0"]
    if importlib.util.find_spec("pytest_cov"):
        extra += ["--no-cov"]
    return [*extra, *given]


def _runnable(item: Any, plugin: Any) -> Runnable:
    def run(detail: bool, following: Optional[Runnable]) -> Result:
        if not detail:  # a traceback costs more than a short test
            item.repr_failure = lambda excinfo, style=None: _brief(excinfo.value)
        del plugin.reports[:]
        # What the next item shares, such as a module's fixtures, is kept for it.
        after = following.item if following else None
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        except BaseException:  # an interrupt or pytest.exit() goes past the teardown
            item.config.hook.pytest_runtest_teardown(item=item, nextitem=after)
            raise
        return _result(plugin.reports, detail)

    path = str(getattr(item, "path", None) or getattr(item, "fspath", ""))
    found = Runnable(item.nodeid, "pytest", path, run, item=item)
    found.plain = bare(item)
    return found


def _result(reports: List[Any], detail: bool) -> Result:
    for report in reports:
        if report.failed:
            text = str(report.longrepr) if report.longrepr is not None else ""
            crash = getattr(getattr(report.longrepr, "reprcrash", None), "message", None)
            message = getattr(report.longrepr, "errorstring", None) or crash or text
            message = message.strip().split("\n")[0][:300]
            # No code of the project can mend that.
            unable = report.when == "setup" and NO_FIXTURE.match(message)
            status = "not run" if unable else "failed"
            return Result(status, message, text[-DETAIL:] if detail else "")
    if not any(report.when == "call" and report.passed for report in reports):
        if any(report.skipped for report in reports):
            return Result("skipped")
        return Result("failed", "the test reported nothing")
    return Result("passed")


def _brief(error: BaseException) -> str:
    name = getattr(error, "argname", None)  # of a fixture that is asked for and is not there
    if name and not getattr(error, "msg", None):
        return "fixture %r not found" % name
    return one_line(error)
