"""What cases reached, as probe/reach.py tells it, read with distrust."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mgdebug.probe.frames import Message

Lines = dict[str, set[int]]  # by path from the root: the first lines of functions that ran


@dataclass
class Reached:
    """What one run reached in the project's files.

    cases: by id.  started: those that started processes, where they may have reached anything.
    imported: what ran while files were imported.  shared: by the file whose cases share it, "" for
    all, what ran for their fixtures.  seen: the files whose calls were seen; those of others were
    not.  modules: their paths.
    """

    cases: dict[str, Lines] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    imported: Lines = field(default_factory=dict)
    shared: dict[str, Lines] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    modules: dict[str, str] = field(default_factory=dict)

    def add(self, other: Reached) -> None:
        """What other cases of the same files reached."""
        self.cases |= other.cases
        self.started |= other.started
        _merged(self.imported, other.imported)
        for scope, lines in other.shared.items():
            _merged(self.shared.setdefault(scope, {}), lines)
        self.seen |= other.seen
        self.modules |= other.modules


def _merged(into: Lines, lines: Lines) -> None:
    for path, found in lines.items():
        into.setdefault(path, set()).update(found)


def read_reached(answer: Message, relative: Callable[[str], str]) -> Reached:
    """relative: a path from the root.  Of a case that gave no answer nothing is known."""
    found = Reached()
    for raw in answer.get("outcomes") or ():
        told = raw.get("reach") if isinstance(raw, dict) else None
        if isinstance(told, dict):
            case = str(raw.get("case"))
            found.cases[case] = dict(_lines(told.get("hits"), relative))
            if told.get("started"):
                found.started.add(case)
            _rest(found, told, relative)
    for told in answer.get("reach") or ():
        if isinstance(told, dict):
            _rest(found, told, relative)
    return found


def _rest(found: Reached, told: Mapping[str, Any], relative: Callable[[str], str]) -> None:
    seen = told.get("seen")
    found.seen.update(relative(str(path)) for path in (seen if isinstance(seen, list) else ()))
    for path, lines in _lines(told.get("imported"), relative):
        found.imported.setdefault(path, set()).update(lines)
    shared = told.get("shared")
    for pair in shared if isinstance(shared, list) else ():
        if isinstance(pair, list) and len(pair) == 2:
            scope = relative(str(pair[0])) if pair[0] else ""
            own = found.shared.setdefault(scope, {})
            for path, lines in _lines(pair[1], relative):
                own.setdefault(path, set()).update(lines)
    modules = told.get("modules")
    if isinstance(modules, dict):
        found.modules.update({name: relative(str(path)) for name, path in modules.items()})


def _lines(raw: object, relative: Callable[[str], str]) -> Iterator[tuple[str, set[int]]]:
    for path, lines in raw.items() if isinstance(raw, dict) else ():
        if isinstance(lines, list):
            yield relative(str(path)), {line for line in lines if isinstance(line, int)}
