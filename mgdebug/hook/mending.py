"""Look for a patch that makes the failing cases pass, in the files that are staged."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import platformdirs

from mgdebug import apply, learned
from mgdebug.coverage.choice import reaching, spelled
from mgdebug.coverage.record import place
from mgdebug.events import Finished, Warned
from mgdebug.hook.checking import Checked
from mgdebug.judge import patched
from mgdebug.languages import language_of
from mgdebug.model import Repair, Target
from mgdebug.proposers import named
from mgdebug.repair import repair
from mgdebug.runner import OutOfTime
from mgdebug.settings import Settings
from mgdebug.syntax.source import SourceFile

LEAST_SECONDS = 1.5  # below which nothing is looked for
SEARCH_SHARE = 0.7  # of the time that is left; the rest is for judging what is found


class _Over(Exception):
    """The time is up."""


@dataclass
class Mended:
    """How the search ended.  repair: None if there was no time for it, or not enough.  within: the
    files that were looked into, () for all.  warned: what it had to say."""

    within: tuple[str, ...]
    repair: Repair | None = None
    warned: list[str] = field(default_factory=list)


def mend(
    root: Path,
    staged: Collection[str],
    checked: Checked,
    settings: Settings,
    python: str,
    deadline: float,
) -> Mended:
    """deadline: on the monotonic clock; it is kept whatever the search is at."""
    record = checked.record
    tests = record.tests if record is not None else frozenset()
    within = tuple(path for path in staged if path not in tests and _may_change(path))
    found = Mended(within)
    if deadline - time.monotonic() < LEAST_SECONDS:
        return found
    target = Target(root, root, tests=_cases(checked, within), within=within)
    seconds = SEARCH_SHARE * (deadline - time.monotonic())
    own = replace(settings, time=seconds)

    def enough() -> bool:
        if time.monotonic() > deadline:
            raise _Over
        return False

    stream = repair(target, named(own.engine, own), own, python, enough)
    try:
        with closing(stream):
            for event in stream:
                if isinstance(event, Warned):
                    found.warned.append(event.message)
                if isinstance(event, Finished):
                    found.repair = event.repair
    except (_Over, OutOfTime):
        pass
    return found


def write(root: Path, done: Repair, *, learn: bool) -> tuple[str, ...]:
    """Write a patch, as `mgdebug undo` takes it back.  Returns the paths.  Raises ApplyError."""
    assert done.patch is not None
    files = {path: _read(root, path) for path in done.base}
    changes = [
        apply.Change(path, done.base[path], after.data)
        for path, after in patched(files, done.patch).items()
    ]
    written = apply.apply(root, changes)
    if learn:
        learned.remember(root, files, done.patch)
    return written


def keep(root: Path, diff: str) -> Path | None:
    """Put a diff where `git apply` finds it, beside no file of the user's.  None if that fails."""
    file = platformdirs.user_state_path("mgdebug") / "offered" / f"{place(root).stem}.diff"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(diff.encode("latin-1"))
    except OSError:
        return None
    return file


def _cases(checked: Checked, within: Collection[str]) -> tuple[str, ...]:
    """All cases that a patch of these files could break, and those that were chosen."""
    record, tests = checked.record, checked.choice.tests
    if record is None or not within:
        return tests
    near = spelled(record, reaching(record, within))
    whole = {test for test in (*tests, *near) if "::" not in test}
    return tuple(
        dict.fromkeys(t for t in (*near, *tests) if t in whole or t.partition("::")[0] not in whole)
    )


def _may_change(path: str) -> bool:
    language = language_of(path)
    return language is not None and language.is_source(PurePosixPath(path))


def _read(root: Path, path: str) -> SourceFile:
    language = language_of(path)
    assert language is not None
    return SourceFile.read(root, path, language.grammar())
