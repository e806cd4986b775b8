"""Staged files in which a merge has left its markers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from mgdebug.coverage.parts import parses

_MARKERS = re.compile(rb"^<<<<<<< .*?^=======\r?$.*?^>>>>>>> ", re.MULTILINE | re.DOTALL)


def conflicted(root: Path, staged: Iterable[str]) -> str:
    """The first of them, "" if there is none.  Where a file parses, its markers are a text."""
    for path in staged:
        try:
            data = (root / path).read_bytes()
        except OSError:
            continue
        if _MARKERS.search(data) and not parses(data):
            return path
    return ""
