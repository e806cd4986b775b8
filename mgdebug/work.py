"""What the workers of a crew are at, as a person reads it.  Pure."""

from __future__ import annotations

from mgdebug.events import Worked
from mgdebug.model import Mended
from mgdebug.states import printable

SHOWN = 4  # workers on a line
SHOWN_CHARACTERS = 36  # of what one is at


class Work:
    """Folds Worked events."""

    def __init__(self) -> None:
        self._at: dict[str, str] = {}  # by worker
        self._done: dict[str, int] = {}
        self._left = 0

    def hear(self, event: Worked) -> None:
        self._left = event.left
        if event.what == "begun":
            self._at[event.worker] = event.task
        else:
            self._at.pop(event.worker, None)
            self._done[event.worker] = self._done.get(event.worker, 0) + (event.what == "done")

    def line(self) -> str:
        """Who is at what, and how much is left."""
        at = [f"{name}: {_short(task)}" for name, task in list(self._at.items())[:SHOWN]]
        more = len(self._at) - len(at)
        some = "; ".join(at) + (f"; and {more} more" if more else "")
        return f"{self._left} left  {printable(some)}"

    def trouble(self, event: Worked) -> str:
        """A task that has lost its worker, or was given up."""
        if event.what == "lost":
            return f"{event.worker} ended ({event.why}) with {event.task}, which is done again"
        return f"{event.task}: {event.why}"

    def shares(self) -> list[str]:
        """What each worker has done."""
        return [f"{name}: {count} tasks done" for name, count in sorted(self._done.items())]


def told_of(mended: Mended) -> str:
    """What became of a group, on one line."""
    group, count = mended.group, len(mended.group.cases)
    word = "mended" if mended.kept else "flagged" if mended.flags else "no patch"
    what = printable(mended.note) if mended.note else printable(mended.why)
    cases = "1 case" if count == 1 else f"{count} cases"
    cases += f", {mended.others} others pass too" if mended.others else ""
    by = f"{mended.seconds:.1f} s, {mended.worker}"
    place = "" if printable(group.suspect).partition("::")[0] in what else f"{group.suspect}: "
    return f"{word:9} {place}{what}  ({cases}; {by})"


def _short(task: str) -> str:
    name = task.rpartition(", ")[2] if "::" in task else task
    return name if len(name) <= SHOWN_CHARACTERS else f"...{name[-SHOWN_CHARACTERS:]}"
