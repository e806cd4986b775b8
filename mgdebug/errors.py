"""What can go wrong, and the exit code that each kind of trouble ends in.

MgdebugError                exit code
├── UsageError                  2   the command line or a setting is wrong
│   └── SettingsError           2   [tool.mgdebug], an environment variable
├── SourceError                 2   a file that cannot be read or decoded
├── EnvironmentFailure          3   the project's interpreter or its tests cannot be started
│   ├── InterpreterError        3   no such interpreter, or too old
│   ├── SandboxError            3   --sandbox=strict, and it is not; or it does not start
│   └── ProbeError              3   the probe died, hung or spoke nonsense
├── ApplyError                  1   the user's file changed meanwhile, or cannot be written
└── NoCasesError                5   nothing says what is right

Every message is one sentence on what is wrong; `hint` is the next step.  A patch that
fails is data (a Verdict), never an exception.
"""

from __future__ import annotations

CLEAN, FAILURES, USAGE, ENVIRONMENT, NO_CASES, INTERRUPTED = 0, 1, 2, 3, 5, 130


class MgdebugError(Exception):
    """Base of all errors that a user is meant to read.

    message: one sentence, no trailing newline.  hint: what to do next, or "".
    detail: longer text that belongs to it, such as a traceback of the user's own code.
    """

    exit_code = FAILURES

    def __init__(self, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class UsageError(MgdebugError):
    exit_code = USAGE


class SettingsError(UsageError):
    pass


class SourceError(MgdebugError):
    exit_code = USAGE


class EnvironmentFailure(MgdebugError):
    exit_code = ENVIRONMENT


class InterpreterError(EnvironmentFailure):
    pass


class SandboxError(EnvironmentFailure):
    pass


class ProbeError(EnvironmentFailure):
    pass


class ApplyError(MgdebugError):
    exit_code = FAILURES


class NoCasesError(MgdebugError):
    exit_code = NO_CASES
