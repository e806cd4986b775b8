"""How sure a patch is with which all cases pass, and how long to look for a likelier one."""

from __future__ import annotations

import time

from mgdebug import judge
from mgdebug.bottom_up.ground import Ground
from mgdebug.errors import ProbeError
from mgdebug.judge.examples import Example
from mgdebug.model import Patch
from mgdebug.runner import OutOfTime, Runner

# After the first plausible patch the search goes on for half as long: a likelier one may come.
WINDOW_SHARE, WINDOW_LEAST, WINDOW_MOST = 0.5, 1.5, 10.0  # seconds
# Of all the time, while each plausible patch contradicts a docstring or costs more than so much.
DOUBTFUL_SHARE, LIKELY_BITS = 0.2, 9.0


class Doubt:
    """seconds: for which a search goes on while no patch is sure."""

    def __init__(self, runner: Runner, seconds: float) -> None:
        """seconds: of the whole repair."""
        self.seconds = DOUBTFUL_SHARE * seconds
        self._runner, self._started = runner, time.monotonic()
        self._documented: dict[str, list[Example]] = {}

    def window(self, patch: Patch, ground: Ground, way: float) -> tuple[float, bool]:
        """How many seconds are left for others, and whether the patch is sure: likely, and no
        docstring says otherwise.  way: what the ground itself costs, in bits."""
        window = max(WINDOW_LEAST, WINDOW_SHARE * (time.monotonic() - self._started))
        sure = way + patch.cost <= LIKELY_BITS and not self._contradicts(patch, ground)
        return (min(WINDOW_MOST, window) if sure else self.seconds), sure

    def _contradicts(self, patch: Patch, ground: Ground) -> bool:
        """Whether a patch gives something else than the docstrings of its file say, as far as that
        can be seen."""
        paths = {edit.path for edit in patch.edits}
        if ground.now != ground.disk or len(paths) > 1:
            return False
        [path] = paths
        if path not in self._documented:
            self._documented[path] = judge.examples(ground.now[path], ground.hierarchy)
        try:
            documented = self._documented[path]
            return bool(documented) and judge.contradicts(
                ground.now, patch, documented, self._runner
            )
        except (ProbeError, OutOfTime):
            return False
