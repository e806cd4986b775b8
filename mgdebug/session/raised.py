"""Where a traceback leads to in the project."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from mgdebug.errors import SourceError
from mgdebug.languages import language_of
from mgdebug.model import Target
from mgdebug.syntax.source import SourceFile

# As the interpreter writes it, also where pytest quotes it, and as pytest does.
_PLACES = re.compile(
    r'^E?\s*File "(?P<file>[^"\n]+)", line (?P<at>\d+)|^(?P<path>[^\s:"][^:"\n]*):(?P<line>\d+): ',
    re.MULTILINE,
)


def raised_at(target: Target, traceback: str) -> tuple[SourceFile, int] | None:
    """The last file of the project that a traceback names, and the line in it (1 is the first).
    None if there is none that can be read."""
    for match in reversed(list(_PLACES.finditer(traceback))):
        place = (target.cwd / (match["file"] or match["path"])).resolve()
        language = language_of(PurePosixPath(place))
        if language is None or not place.is_relative_to(target.root):
            continue
        path = place.relative_to(target.root)
        if "site-packages" in path.parts:
            continue
        try:
            source = SourceFile.read(target.root, path.as_posix(), language.grammar())
        except SourceError:
            continue
        return source, int(match["at"] or match["line"])
    return None
