"""Blocks and variables as the user names them on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from mgdebug.errors import UsageError
from mgdebug.model import Block, Hierarchy, Subfunction

SHOWN_NAMES = 8


def subfunctions_in(hierarchy: Hierarchy, whole: str) -> list[Subfunction]:
    """A subfunction and what is written inside it; all for ""."""
    known = hierarchy.subfunctions
    if not whole:
        return list(known.values())
    return [s for s in known.values() if s.id == whole or s.id.startswith(f"{whole}.")]


def blocks_named(inside: Sequence[Subfunction], texts: Iterable[str]) -> set[str]:
    """The ids of the blocks that texts name: a line (12) or lines (12-14) as `mgdebug tree` shows
    them, in one file of several path:12, or an id (path::name#3, name#3, #3).

    A line names the blocks that begin there, or the smallest one around it.  Raises UsageError with
    what is near.
    """
    found: set[str] = set()
    for text in texts:
        named = _by_id(inside, text) if "#" in text else _by_line(inside, text)
        found.update(block.id for block in named)
    return found


def _by_id(inside: Sequence[Subfunction], text: str) -> list[Block]:
    owner, _, number = text.rpartition("#")
    owners = [s for s in inside if owner in ("", s.id, s.qualname)]
    named = [b for s in owners for b in s.blocks if b.id.rpartition("#")[2] == number]
    if len(named) > 1:
        hint = "name it as " + " or ".join(b.id for b in named[:3])
        raise UsageError(f"there are several blocks {text}", hint)
    if not named:
        ids = [b.id for s in inside for b in s.blocks]
        near = difflib.get_close_matches(text, ids, 3) or [b.id for s in owners for b in s.blocks]
        raise UsageError(f"there is no block {text}", _listed("known", near or ids))
    return named


def _by_line(inside: Sequence[Subfunction], text: str) -> list[Block]:
    path, _, lines = text.rpartition(":")
    first, _, last = lines.partition("-")
    if not (first.isdecimal() and (last or "0").isdecimal()):
        raise UsageError(
            f"--block {text} is no block",
            "give a line as `mgdebug tree FILE` shows it, such as 12 or mod.py:12, or an id",
        )
    here = [s for s in inside if path in ("", s.path)]
    blocks = [b for s in here for b in s.blocks]
    line = int(first)
    if last:
        named = [b for b in blocks if (b.span.first_line, b.span.last_line) == (line, int(last))]
    else:
        named = [b for b in blocks if b.span.first_line == line]
        around = [b for b in blocks if b.span.first_line <= line <= b.span.last_line]
        around.sort(key=lambda b: b.span.end - b.span.start)
        named = named or around[:1]
    paths = {b.id.partition("::")[0] for b in named}
    if len(paths) > 1:
        options = " or ".join(f"{p}:{lines}" for p in sorted(paths)[:3])
        raise UsageError(f"line {lines} is in {len(paths)} files", f"name it as {options}")
    if not named:
        starts = sorted({b.span.first_line for b in blocks}, key=lambda n: (abs(n - line), n))
        near = [str(n) for n in sorted(starts[:SHOWN_NAMES])]
        where = path or ", ".join(sorted({s.path for s in here})[:3])
        raise UsageError(f"{where} has no block at line {lines}", _listed("the nearest", near))
    return named


def check_variables(inside: Sequence[Subfunction], names: Iterable[str]) -> None:
    """Raises UsageError, with the nearest names, for one that no code reads or writes."""
    known = {name for s in inside for name in s.parameters}
    known.update(name for s in inside for b in s.blocks for name in (*b.reads, *b.writes))
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), 3) or sorted(known)
            raise UsageError(f"there is no variable {name}", _listed("known", near))


def _listed(label: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"{label}: {', '.join(names[:SHOWN_NAMES])}{more}" if names else ""
