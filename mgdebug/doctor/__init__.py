"""Whether a project can be debugged here: each thing that it takes, looked at, with what mends it.

Nothing is changed; the project's code runs in the sandbox alone, and the network is asked only
where a model is configured (models).  making makes an environment, for whoever wants one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mgdebug.doctor import machine, models, testing
from mgdebug.doctor.check import Check, State
from mgdebug.errors import CLEAN, ENVIRONMENT, NO_CASES, InterpreterError, UsageError
from mgdebug.model import Target
from mgdebug.settings import FILE, Loaded, Settings, find_python, find_root, load_with_origins
from mgdebug.settings.listing import misspelt

__all__ = ["Check", "Patient", "State", "code_of"]


@dataclass(frozen=True, slots=True)
class Patient:
    """A project as it is found.  cwd: where the user stands; environment: the variables; flags: the
    settings that were given, None for the others."""

    cwd: Path
    environment: Mapping[str, str]
    flags: Mapping[str, object]

    @property
    def root(self) -> Path:
        return find_root(self.cwd)

    def interpreter(self) -> tuple[str, str]:
        """The one that runs the tests, and where it is from.  Raises InterpreterError, and
        UsageError for settings that are wrong."""
        loaded = load_with_origins(self.root, self.environment, self.flags)
        python, why = find_python(self.root, loaded.settings.python, self.environment)
        return python, loaded.origins.get("python", why) if loaded.settings.python else why

    def checks(self, *, made: bool = False) -> Iterator[Check]:
        """One after another, as they are done.  made: whether an environment was made before."""
        wrong: UsageError | None = None
        try:
            loaded = load_with_origins(self.root, self.environment, self.flags)
        except UsageError as error:
            wrong, loaded = error, Loaded(Settings(), {})
        yield from self._settings(loaded, wrong)
        if wrong is None:
            yield from self._tests(loaded.settings, made=made)
        yield machine.git()
        yield machine.state(self.root)
        yield machine.cache(self.root)
        if wrong is None:
            yield from models.checks(loaded)

    def _settings(self, loaded: Loaded, wrong: UsageError | None) -> Iterator[Check]:
        if wrong is not None:
            yield Check("settings", State.BROKEN, wrong.message, wrong.hint)
            return
        odd = misspelt(self.environment)
        count = len(loaded.origins)
        origins = ", ".join(dict.fromkeys(loaded.origins.values()))
        what = f"{count} from {origins}" if count else f"the defaults; {FILE} sets none"
        yield Check("settings", State.OK, what)
        for variable, hint in odd:
            yield Check("settings", State.WARNING, f"${variable} is no setting of mgdebug", hint)

    def _tests(self, settings: Settings, *, made: bool) -> Iterator[Check]:
        try:
            python, why = self.interpreter()
        except InterpreterError as error:
            yield Check("interpreter", State.BROKEN, error.message, error.hint)
            return
        target = Target(self.root, self.cwd.resolve())
        yield from testing.checks(target, settings, python, why, made=made)


def code_of(checks: Iterable[Check]) -> int:
    """The exit code: 0 if all that is needed works, 5 if only tests are missing, else 3."""
    states = {check.state for check in checks}
    if State.BROKEN in states:
        return ENVIRONMENT
    return NO_CASES if State.NO_TESTS in states else CLEAN
