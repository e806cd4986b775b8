"""The interpreter of the project, pytest in it, and the collection of the tests."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mgdebug.doctor.check import Check, State
from mgdebug.doctor.machine import MAKE_ENV, sandbox
from mgdebug.doctor.making import NEWEST
from mgdebug.doctor.plugins import needed
from mgdebug.errors import MgdebugError, NoCasesError, SandboxError
from mgdebug.model import Target
from mgdebug.runner import Run, Runner
from mgdebug.runner.worker import OLDEST, Worker, spec_of
from mgdebug.settings import Settings

SHOWN = 3  # files that could not be collected
NOBODY = ("",)  # the cases of this name, which are none: all is collected, nothing run
_MISSING = re.compile(r"No module named '?([\w.]+)")
_ERROR = re.compile(r"(?:E +)?((?:\w+\.)*\w*(?:Error|Exception|Exit|Warning|Failed)\b.*)")


def checks(
    target: Target, settings: Settings, python: str, why: str, *, made: bool
) -> Iterator[Check]:
    """python: that was chosen, and why; made: whether an environment was just made for it."""
    shown = _short(python, target.root)
    spec = spec_of(target, target.root, settings.limits, settings.doctests)
    policy = settings.sandbox
    try:
        worker = Worker(python, spec, policy)
    except MgdebugError as error:
        more = tuple(error.detail.splitlines()[-1:])
        yield Check("interpreter", State.BROKEN, f"{error.message} ({why})", error.hint, more)
        return
    try:
        numbers, pytest = worker.version, worker.hello.get("pytest")
        version = ".".join(map(str, numbers))
        known = OLDEST <= numbers[:2] <= [3, NEWEST]
        yield Check(
            "interpreter",
            State.OK if known else State.WARNING,
            f"{shown}, Python {version}: {why}"
            + ("" if known else f"; mgdebug is tested up to 3.{NEWEST}"),
            "" if known else "mgdebug doctor --python PATH",
        )
        yield _pytest(pytest, shown, made=made)
        try:
            confinement = worker.confinement
        except OSError:
            hint = "--sandbox=off runs the tests without one, if you trust them"
            yield Check("sandbox", State.BROKEN, "it does not start", hint)
            return
        yield (check := sandbox(policy, confinement))
        if check.state is State.BROKEN:
            return
    finally:
        worker.close()
    yield _collection(target, settings, python, made=made)


def _pytest(version: object, python: str, *, made: bool) -> Check:
    if version:
        return Check("pytest", State.OK, str(version))
    what = "not there, or cannot be imported; only unittest is looked for"
    mend = f"{shlex.quote(python)} -m pip install pytest" if made else MAKE_ENV
    return Check("pytest", State.WARNING, what, mend, needs_environment=True)


def _collection(target: Target, settings: Settings, python: str, *, made: bool) -> Check:
    name, began = "collection", time.monotonic()
    with Runner.of(target, python, replace(settings, jobs=1)) as runner:
        try:
            run = runner.run(cases=NOBODY)
        except NoCasesError as error:
            mend = "write one, or name a case: mgdebug fix FILE --case 'f(3) == 9'"
            return Check(name, State.NO_TESTS, error.message, mend)
        except SandboxError as error:
            return Check(name, State.BROKEN, error.message, error.hint)
        except MgdebugError as error:
            return _refused(error, python, target.root, made=made)
        lacks_pytest = runner.pytest is None
    seconds = time.monotonic() - began
    files = {case.path for case in run.cases if case.path}
    found = f"{_count(len(run.cases), 'case')} in {_count(len(files), 'file')} ({seconds:.1f} s)"
    if run.troubles:
        return _troubled(run, found, python, target.root, made=made)
    if not run.cases:
        mend = "write one, or name a case: mgdebug fix FILE --case 'f(3) == 9'"
        return Check(
            name,
            State.BROKEN if lacks_pytest and not made else State.NO_TESTS,
            "unittest finds no tests" if lacks_pytest else "no tests were found",
            MAKE_ENV if lacks_pytest and not made else mend,
            needs_environment=lacks_pytest,
        )
    return Check(name, State.OK, found)


def _refused(error: MgdebugError, python: str, root: Path, *, made: bool) -> Check:
    """Nothing was collected.  What a plug-in brings is missing as a module is."""
    plugin = "unrecognized arguments" in error.message
    options = error.message.partition("unrecognized arguments:")[2].split()
    missing = _missing([error.message, error.detail]) + needed(options)
    more = f"missing: {', '.join(missing)}" if missing else "".join(_reason(error.detail))
    return Check(
        "collection",
        State.BROKEN,
        error.message,
        MAKE_ENV if plugin and not made else _mend(missing, python, root, made=made) or error.hint,
        (more,) if missing or (more and not plugin) else (),
        needs_environment=plugin or bool(missing),
    )


def _troubled(run: Run, found: str, python: str, root: Path, *, made: bool) -> Check:
    """What could not be collected.  What does not parse `fix` mends; a module that is missing
    nothing but an environment gives."""
    details = [detail for _, detail in run.troubles]
    missing = _missing(details)
    unparsed = all("SyntaxError" in one or "IndentationError" in one for one in details)
    bearable = not missing and (unparsed or bool(run.cases))
    more = [f"{where}: {''.join(_reason(detail))}" for where, detail in run.troubles[:SHOWN]]
    if run.troubles[SHOWN:]:
        more.append(f"... and {len(run.troubles) - SHOWN} more")
    return Check(
        "collection",
        State.WARNING if bearable else State.BROKEN,
        f"{found}; {_count(len(run.troubles), 'file')} could not be collected",
        _mend(missing, python, root, made=made)
        or ("mgdebug fix" if unparsed else f"{_short(python, root)} -m pytest --collect-only"),
        tuple(more),
        needs_environment=bool(missing),
    )


def _missing(details: list[str]) -> list[str]:
    """Modules that were not found, by their first names."""
    found = [name.partition(".")[0] for detail in details for name in _MISSING.findall(detail)]
    return list(dict.fromkeys(found))


def _mend(missing: list[str], python: str, root: Path, *, made: bool) -> str:
    if not missing:
        return ""
    if not made:
        return MAKE_ENV
    # The name to install is often that of the module.
    return f"{shlex.quote(_short(python, root))} -m pip install {' '.join(missing)}"


def _reason(detail: str) -> list[str]:
    """The line of a traceback that says what it is."""
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    named = [found[1] for line in lines if (found := _ERROR.fullmatch(line))]
    return (named or lines)[-1:]


def _short(python: str, root: Path) -> str:
    path = Path(python)
    return str(path.relative_to(root)) if path.is_relative_to(root) else python


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
