"""Patches that could make cases pass without mending anything, and what proves that none did.

A patch is flagged, in words, for what it brings in; the files that say what is right are hashed at
the start, and what the cases are is counted again at the end.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from mgdebug.languages import language_of
from mgdebug.model import Case, Patch
from mgdebug.syntax.source import SourceFile
from mgdebug.syntax.watched import brought_in

_NAMED_AT_MOST = 3
GONE = ""  # the hash of a file that is not there


def flags(files: Mapping[str, SourceFile], patch: Patch, judges: Iterable[str]) -> tuple[str, ...]:
    """What a reader of the patch must look at, each in words; () for most patches.

    judges: paths of files that say what is right."""
    found: set[str] = set()
    known = {*judges}
    for path in {edit.path for edit in patch.edits}:
        edits = [edit for edit in patch.edits if edit.path == path]
        before = files[path]
        if _is_judge(path) or (path in known and not _is_source(path)):
            found.add(f"it changes {path}, which says what is right")
        found |= {*brought_in(before, before.splice(edits), edits)}
    return tuple(sorted(found))


def witnesses(root: Path, cases: Iterable[Case]) -> dict[str, str]:
    """By path: the sha256, on the disk at this moment, of the files that the cases come from and of
    those, from their folders up to the root, that say how they are run; GONE for what is not there,
    so that a new one is seen too."""
    paths: set[str] = set()
    for case in cases:
        language = language_of(case.path) if case.path else None
        watched = language.grammar().conventions.watched if language else None
        if watched is None:
            continue
        paths.add(case.path)
        for folder in PurePosixPath(case.path).parents:
            paths.update(str(folder / name) for name in watched.judges)
    return {path: _hash(root / path) for path in sorted(paths)}


def changed(root: Path, known: Mapping[str, str]) -> str:
    """Which of the witnesses are no longer what they were, in words; "" if all are."""
    odd = [path for path, was in known.items() if _hash(root / path) != was]
    return f"{_some(odd)} changed on the disk while the cases ran" if odd else ""


def differs(first: Sequence[Case], now: Sequence[Case]) -> str:
    """How the collected cases are not exactly those of the first run, in words; "" if they are."""
    before, after = Counter(c.id for c in first), Counter(c.id for c in now)
    doubled = sorted(case for case, count in after.items() if count > max(1, before[case]))
    gone, new = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    parts = [
        f"{len(odd)} {'cases are' if len(odd) > 1 else 'case is'} {what}: {_some(odd)}"
        for odd, what in ((gone, "gone"), (new, "new"), (doubled, "collected twice"))
        if odd
    ]
    return "; ".join(parts)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return GONE


def _is_source(path: str) -> bool:
    language = language_of(path)
    return language is not None and language.is_source(PurePosixPath(path))


def _is_judge(path: str) -> bool:
    return any(fnmatch(PurePosixPath(path).name, pattern) for pattern in _patterns(path))


def _patterns(path: str) -> Iterator[str]:
    language = language_of(path)
    watched = language.grammar().conventions.watched if language else None
    yield from watched.judges if watched else ()
