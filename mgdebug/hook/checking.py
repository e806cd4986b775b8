"""Run the cases that what is staged concerns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mgdebug.coverage.choice import Choice, choose, reaching
from mgdebug.coverage.learning import ended, learnt, name_of
from mgdebug.coverage.record import Record, basis_of, load, save
from mgdebug.errors import NoCasesError, ProbeError, UsageError
from mgdebug.model import Case, Outcome, Target
from mgdebug.settings import Settings

LAST_SECONDS = 1.0  # of the time, to cut off what runs and to say how it went


@dataclass(frozen=True, slots=True)
class Checked:
    """How the cases ended.

    outcomes: of those that came to an end.  failing: those that fail and reach what is staged;
    elsewhere: those that fail and do not.  uncollected: what could not be, with its traceback, of
    what is staged or names it.  late: cases that there was no time for, -1 if none could be
    begun.  record: None where nothing was run.
    """

    choice: Choice
    outcomes: tuple[Outcome, ...] = ()
    failing: tuple[Outcome, ...] = ()
    elsewhere: tuple[str, ...] = ()
    uncollected: tuple[tuple[str, str], ...] = ()
    late: int = 0
    record: Record | None = None
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not self.failing and not self.uncollected


def check(
    root: Path, staged: Sequence[str], settings: Settings, python: str, deadline: float
) -> Checked:
    """Run them in the work tree as it is.  staged: paths from the root; deadline: on the monotonic
    clock.  Raises MgdebugError for what the user must mend, NoCasesError among it."""
    began = time.monotonic()
    basis = basis_of(root, python)
    record = load(root)
    choice = choose(record, basis, root, staged)
    if choice.nothing:
        return Checked(choice)
    try:
        done = _run(root, staged, settings, python, deadline, record, choice, basis)
    except UsageError:
        # A case that was named may be called otherwise now: its file is asked.
        files = tuple(dict.fromkeys(test.partition("::")[0] for test in choice.tests))
        if files == choice.tests:
            raise
        choice = replace(choice, tests=files)
        done = _run(root, staged, settings, python, deadline, record, choice, basis)
    return replace(done, seconds=time.monotonic() - began)


def _run(
    root: Path,
    staged: Sequence[str],
    settings: Settings,
    python: str,
    deadline: float,
    record: Record | None,
    choice: Choice,
    basis: dict[str, str],
) -> Checked:
    from mgdebug.runner.worker import Early, spec_of

    until = deadline - LAST_SECONDS
    limits = replace(
        settings.limits,
        case_seconds=settings.case_time,
        collect_seconds=min(settings.collect_time, max(0.1, until - time.monotonic())),
    )
    target = Target(root, root, tests=choice.tests)
    early = Early(python, spec_of(target, root, limits, False), settings.sandbox)
    from mgdebug.runner import OutOfTime, Runner  # takes a while, in which the worker starts
    from mgdebug.sandbox.scratch import sweep

    runner = Runner(target, python, limits, 1, doctests=False, policy=settings.sandbox)
    with runner:
        runner.begins_with(early)
        runner.deadline = deadline
        sweep()
        try:
            run, reached = runner.reaching(until)
        except (OutOfTime, ProbeError):
            if time.monotonic() < until:
                raise
            return Checked(choice, late=-1)
    if choice.everything and not run.cases and not run.troubles:
        raise NoCasesError("this project has no tests")
    known = learnt(record, basis, root, staged, choice, run, reached, limits.case_seconds)
    save(root, known)
    by_id = {case.id: case for case in run.cases}
    here = reaching(known, staged)
    over = [o for o in run.outcomes if ended(o, limits.case_seconds)]
    bad = [o for o in over if not o.status.ok]
    return Checked(
        choice,
        tuple(over),
        tuple(o for o in bad if _name(by_id, o) in here),
        tuple(o.case for o in bad if _name(by_id, o) not in here),
        tuple(t for t in run.troubles if any(path in "\n".join(t) for path in staged)),
        len(run.outcomes) - len(over),
        known,
    )


def _name(cases: dict[str, Case], outcome: Outcome) -> str:
    return name_of(cases[outcome.case])
