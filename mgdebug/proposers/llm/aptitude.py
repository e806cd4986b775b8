"""Which models have been of use for which kind of failure: counted, kept, and asked before a model
is chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from mgdebug.model import Failure

TRIES, LEAST = 4, 0.25  # tries after which a model is passed over that helped less often than so
_KIND = re.compile(r"\b([A-Z]\w*(?:Error|Exception|Interrupt|Iteration)|Timeout)\b")


def kind_of(failures: Sequence[Failure]) -> str:
    """What the first failure is: the exception that its message names, or "assert"."""
    match = _KIND.search(failures[0].message) if failures else None
    name = match.group(1) if match else "AssertionError"
    return "assert" if name == "AssertionError" else name


class Aptitude:
    """Tries and successes of models by kind of failure, in a file of JSON; a file that cannot be
    read or written counts for nothing."""

    def __init__(self, file: Path | None) -> None:
        """file: None to remember nothing."""
        self._file = file
        self._counts: dict[str, dict[str, list[int]]] = {}
        if file is not None:
            try:
                told = json.loads(file.read_text("utf-8"))
                self._counts = {
                    str(model): {
                        str(kind): [int(won), int(tried)] for kind, (won, tried) in k.items()
                    }
                    for model, k in told.items()
                }
            except (OSError, ValueError, TypeError, AttributeError):
                self._counts = {}

    def stage(self, models: Sequence[str], kind: str) -> int:
        """The place of the first model, from cheap to strong, that is worth being asked."""
        for place, model in enumerate(models[:-1]):
            won, tried = self._counts.get(model, {}).get(kind, [0, 0])
            if tried < TRIES or won >= LEAST * tried:
                return place
        return len(models) - 1

    def count(self, model: str, kind: str, won: bool) -> None:
        """Remember how a try of a model's patch ended."""
        pair = self._counts.setdefault(model, {}).setdefault(kind, [0, 0])
        pair[0] += won
        pair[1] += 1
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._counts, indent=2) + "\n", "utf-8")
        except OSError:
            pass


def default_file() -> Path:
    """Where the counts lie."""
    return platformdirs.user_cache_path("mgdebug") / "models.json"
