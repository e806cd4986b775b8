"""The user's own editor, at a line."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from mgdebug.errors import UsageError

_WITH_COLON = {"code", "codium", "cursor", "subl", "zed", "hx", "helix", "micro", "kak"}
_GOTO = {
    "code": ["--goto", "--wait"],
    "codium": ["--goto", "--wait"],
    "cursor": ["--goto", "--wait"],
}
_WAITING = {"subl": ["--wait"], "zed": ["--wait"]}


def command(file: Path, line: int, environment: Mapping[str, str] = os.environ) -> list[str]:
    """What opens a file at a line: $VISUAL, $EDITOR, else vi.  Raises UsageError where the variable
    cannot be read."""
    chosen = environment.get("VISUAL") or environment.get("EDITOR") or "vi"
    try:
        words = shlex.split(chosen)
    except ValueError as error:
        raise UsageError(f"$EDITOR is {chosen!r}: {error}", "set it to a program") from None
    if not words:
        words = ["vi"]
    name = Path(words[0]).name
    words += [w for w in (*_GOTO.get(name, ()), *_WAITING.get(name, ())) if w not in words]
    return [*words, f"{file}:{line}"] if name in _WITH_COLON else [*words, f"+{line}", str(file)]
