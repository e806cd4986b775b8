"""How a session stands, in one word."""

from __future__ import annotations

from enum import StrEnum

from mgdebug.model import Stop


class Stage(StrEnum):
    BOOT = "starting"
    COLLECT = "running the tests"
    TRACE = "tracing"
    SEARCH = "searching"
    ASK = "asking"
    VERIFY = "verifying"
    NO_TESTS = "no tests"
    COLLECT_ERROR = "not all could be collected"
    ALL_PASS = "nothing fails"
    FLAKY = "only flaky cases fail"
    UNTRACED = "nothing to search"
    FOUND = "found"
    EXHAUSTED = "exhausted"
    BUDGET = "out of budget"
    CANCELLED = "cancelled"
    FAILING = "failing"
    FAULT = "stopped"
    APPLY = "applying"
    RETEST = "testing again"
    DONE = "done"
    REGRESSED = "regressed"

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self in _BUSY


_BUSY = frozenset(
    {
        *(Stage.BOOT, Stage.COLLECT, Stage.TRACE, Stage.SEARCH, Stage.ASK, Stage.VERIFY),
        *(Stage.APPLY, Stage.RETEST),
    }
)

ENDS = {
    Stop.FIXED: Stage.FOUND,
    Stop.SOME: Stage.FOUND,
    Stop.CLEAN: Stage.ALL_PASS,
    Stop.NO_CASES: Stage.NO_TESTS,
    Stop.UNCOLLECTED: Stage.COLLECT_ERROR,
    Stop.EXHAUSTED: Stage.EXHAUSTED,
    Stop.REGRESSED: Stage.EXHAUSTED,
    Stop.SECONDS: Stage.BUDGET,
    Stop.PATCHES: Stage.BUDGET,
    Stop.FLAKY: Stage.FLAKY,
    Stop.UNTRACED: Stage.UNTRACED,
    Stop.CANCELLED: Stage.CANCELLED,
}
