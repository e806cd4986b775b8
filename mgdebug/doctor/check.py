"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """WARNING: it works, with something to know.  BROKEN: tests cannot be run, or what the settings
    want cannot be had.  NO_TESTS: nothing says what is right."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    NO_TESTS = "no tests"


@dataclass(frozen=True, slots=True)
class Check:
    """name: one word; what: was found, one line; mend: the command or the deed that mends it, "" if
    nothing has to be; more: further lines; needs_environment: whether an environment with what the
    project declares would help."""

    name: str
    state: State
    what: str
    mend: str = ""
    more: tuple[str, ...] = ()
    needs_environment: bool = False
