"""`mgdebug fix --all`: every failing case of the project, on all cores or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgdebug.errors import UsageError
from mgdebug.settings import VARIABLE

if TYPE_CHECKING:
    from mgdebug.events import Event, Reply
    from mgdebug.model import Target
    from mgdebug.settings import Settings


@dataclass(frozen=True, slots=True)
class Everything:
    """flags: settings that the user gave, as settings.load takes them.  cluster: the address of a
    scheduler, "local", or "" for processes of this machine; ship: how sources get there."""

    flags: Mapping[str, object]
    cluster: str = ""
    ship: str = "shared"

    def check(self, target: str, case: bool, chosen: Settings) -> None:
        """Raises UsageError for what does not go together."""
        if target or case:
            raise UsageError(
                "--all looks for all that fails",
                "leave out TARGET, --case and --io; --tests PATH narrows it to some cases",
            )
        if "llm" in chosen.engine and not chosen.model.consent:
            raise UsageError(
                "with --all nobody is asked before code is sent to a model",
                "--yes allows it; the bounds of calls, tokens and cost hold for each group",
            )

    @contextmanager
    def events(
        self,
        where: Target,
        chosen: Settings,
        python: str,
        enough: Callable[[], bool],
        warn: Callable[[str], None],
    ) -> Iterator[Generator[Event, Reply | None, None]]:
        """The stream of a repair of all, and the crew behind it.  Raises MgdebugError."""
        from mgdebug.crew import hired
        from mgdebug.crew.checking import check
        from mgdebug.repository import Project, repaired

        environment = {k: v for k, v in os.environ.items() if k.startswith(VARIABLE)}
        given = {name: value for name, value in self.flags.items() if value is not None}
        with closing(hired(self.cluster, chosen.workers)) as crew:
            root = check(crew, where.root, python, self.ship, warn)
            cwd = where.cwd.relative_to(where.root).as_posix()
            project = Project(root, cwd, python, environment, given)
            with closing(repaired(where, chosen, project, crew, enough)) as stream:
                yield stream
