"""The last word on a patch: the whole selected suite with it, in an interpreter started for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mgdebug import forgery
from mgdebug.model import Case, Outcome, Status, Verdict
from mgdebug.runner import Run, Runner


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases as they were collected and ended without a patch.

    flaky: ids of those that prove nothing; unable: of those that could not even begin, and are none
    of the cases.  witnesses: digests of the files that say what is right, by path.
    """

    root: Path
    cases: Sequence[Case]
    outcomes: Mapping[str, Outcome]
    flaky: Collection[str]
    witnesses: Mapping[str, str]
    unable: Collection[str] = ()

    def verify(self, changed: Mapping[str, bytes], runner: Runner) -> tuple[Verdict, bool]:
        """What became of the cases with files changed, and whether all is well: none fails, all
        gave an answer, and nobody has touched what says what is right."""
        return self.verdict(runner.run(dict(changed), new=True))

    def verdict(self, run: Run) -> tuple[Verdict, bool]:
        """The same of a run that has been, which began in a fresh process."""
        run = run.without({o.case for o in run.outcomes if o.is_unable and o.case in self.unable})
        seen = {o.case: o for o in run.outcomes}
        before = {c for c, o in self.outcomes.items() if o.status is Status.SKIPPED}
        skipped = {c for c in before if c in seen and seen[c].status is Status.SKIPPED}
        passed = tuple(c for c, o in seen.items() if o.status is Status.PASSED)
        excused = {*passed, *skipped, *self.flaky}
        failed = tuple(c for c in seen if c not in excused)
        lost = sorted({c.id for c in self.cases} - set(seen))
        # A patch may mend what kept whole files of cases from being collected: those only have to
        # pass.
        known = {case.path for case in self.cases}
        reason = forgery.differs(self.cases, [case for case in run.cases if case.path in known])
        reason = reason or forgery.changed(self.root, dict(self.witnesses))
        reason = reason or (f"{len(lost)} cases gave no answer: {lost[0]}" if lost else "")
        return Verdict(passed, failed, reason, run.seconds), not failed and not reason
