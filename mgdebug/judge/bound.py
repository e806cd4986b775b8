"""Patches whose edits only work together: a function, and its callers in all files."""

from __future__ import annotations

from mgdebug.model import Patch

BOUND = "signature "  # how the families begin that proposers give them


def is_bound(patch: Patch) -> bool:
    """Whether a part of it would be half a change: no case needs to reach all that it mends."""
    return len(patch.edits) > 1 and any(f.startswith(BOUND) for f in patch.family.split("+"))
