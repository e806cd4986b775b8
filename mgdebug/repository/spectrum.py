"""Which cases reach which functions, and what of them to blame: failing cases in groups.

Several faults at once blur a ranking over all failing cases, so these are divided first (Jones,
Bowring and Harrold, "Debugging in Parallel", 2007): again and again the function with the highest
Ochiai coefficient among the failing cases that are left takes those that reach it.  A case that
reaches the suspects of two groups waits until both are mended.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from mgdebug.coverage.imports import Imports
from mgdebug.coverage.parts import REST
from mgdebug.coverage.record import Place, Record
from mgdebug.languages import language_of
from mgdebug.model import Group

NEAR_AT_MOST = 30  # passing cases that reach what is suspicious of a group
WITNESSES = 2  # passing cases of each function that a group's cases reach
CASES_AT_MOST = 80  # passing cases of a group
FILES_AT_MOST = 40  # that are looked into for a group
SHARED = 4  # files of tests whose failing cases share a suspect: all else is not looked at first
JOINING, JOINING_PRECISION = 0.7, 0.25  # of the best score of those joined; of all who reach it
HOT = 0.5  # of the highest score: what near cases should reach as well


class Spectrum:
    """failing, passing: names of cases.  Those of which nothing is known reach all that their file
    imports.  cleared: suspects that were looked at by themselves before."""

    def __init__(
        self,
        record: Record,
        failing: Iterable[str],
        passing: Iterable[str],
        cleared: Collection[str] = (),
    ) -> None:
        self._cleared = cleared
        self._record, self._imports = record, Imports(record)
        self._sources: dict[str, bool] = {}
        self.reached = {name: self._reached(name) for name in failing}
        self._failing: dict[Place, set[str]] = {}
        for name, places in self.reached.items():
            for place in places:
                self._failing.setdefault(place, set()).add(name)
        self._passing: dict[Place, list[str]] = {place: [] for place in self._failing}
        for name in passing:
            for place in self._reached(name) & self._passing.keys():
                self._passing[place].append(name)

    def groups(self) -> list[Group]:
        """Those with the most cases first."""
        shares = self._joined(self._shares())
        suspects = {*shares}
        groups = []
        for place, cases in shares.items():
            sure = {name for name in cases if self.reached[name].isdisjoint(suspects - {place})}
            if sure:
                groups.append(self._group(place, sure))
        if not groups and shares:
            groups.append(self._group(*next(iter(shares.items()))))
        files: dict[str, list[str]] = {}
        for name, places in self.reached.items():
            if not places:
                files.setdefault(name.partition("::")[0], []).append(name)
        groups += [Group(path, tuple(cases)) for path, cases in files.items()]
        return sorted(groups, key=lambda group: -len(group.cases))

    def _shares(self) -> dict[Place, set[str]]:
        """Suspects, and the cases that each has taken."""
        shares: dict[Place, set[str]] = {}
        left = {name for name, places in self.reached.items() if places}
        open_ = [place for place in self._failing if named(place) not in self._cleared]
        while left:
            place = max(open_, key=lambda place: (self._score(place, left), place), default=None)
            if place is None or not self._score(place, left):
                break
            shares[place] = self._failing[place] & left
            left -= shares[place]
        return shares

    def _joined(self, shares: dict[Place, set[str]]) -> dict[Place, set[str]]:
        """One suspect in place of several, where it is reached by all of their cases and not by
        many more: one fault is likelier than two."""
        for place in sorted(self._failing, key=lambda p: (-len(self._failing[p]), p)):
            if named(place) in self._cleared or self._precision(place) < JOINING_PRECISION:
                continue
            inner = [s for s, cases in shares.items() if cases <= self._failing[place]]
            cases = {name for suspect in inner for name in shares[suspect]}
            best = max((self._score(s, shares[s]) for s in inner), default=0.0)
            if len(inner) > 1 and self._score(place, cases) >= JOINING * best:
                shares = {s: taken for s, taken in shares.items() if s not in inner}
                shares[place] = cases
        return shares

    def _precision(self, place: Place) -> float:
        failed = len(self._failing[place])
        return failed / (failed + len(self._passing[place]))

    def _score(self, place: Place, left: Collection[str]) -> float:
        """Ochiai's coefficient, but for a factor that all places share."""
        failed = sum(name in left for name in self._failing[place])
        return failed / math.sqrt(failed + len(self._passing[place])) if failed else 0.0

    def _group(self, suspect: Place, cases: set[str]) -> Group:
        """What the cases reach, the most suspicious first, and the passing cases nearest to it."""
        places = {place for name in cases for place in self.reached[name]}
        scores = {place: self._score(place, cases) for place in places}
        order = sorted(places, key=lambda place: (-scores[place], place))
        hot = [place for place in order if scores[place] >= HOT * scores[order[0]]]
        shared: dict[str, int] = {}
        for place in hot:
            for name in self._passing[place]:
                shared[name] = shared.get(name, 0) + 1
        near = dict.fromkeys(sorted(shared, key=lambda name: (-shared[name], name))[:NEAR_AT_MOST])
        for place in order:  # somebody has to notice whatever is changed
            near |= dict.fromkeys(self._passing[place][:WITNESSES])
        files = list(dict.fromkeys(path for path, _ in order))
        # What they import at first hand may hold the constants that they read.
        files += [path for file in files for path in sorted(self._imports.first(file))]
        kept = [path for path in dict.fromkeys(files) if self._is_source(path)]
        return Group(
            named(suspect),
            self._in_order(cases),
            self._in_order([*near][:CASES_AT_MOST]),
            tuple(kept[:FILES_AT_MOST]),
            narrow=bool(suspect[1]) and len({name.partition("::")[0] for name in cases}) >= SHARED,
        )

    def _in_order(self, names: Collection[str]) -> tuple[str, ...]:
        known = [name for name in self._record.cases if name in names]
        return (*known, *sorted({*names} - {*known}))

    def _reached(self, name: str) -> frozenset[Place]:
        known = self._record.cases.get(name)
        if known is None:
            return frozenset()
        own = (known.reached or frozenset()) | self._record.shared.get(known.path, frozenset())
        found = frozenset(place for place in own if self._is_source(place[0]))
        if found:
            return found
        imported = self._imports.of(known.path)
        return frozenset((path, REST) for path in imported if self._is_source(path))

    def _is_source(self, path: str) -> bool:
        found = self._sources.get(path)
        if found is None:
            language = language_of(path)
            own = path in self._record.files and path not in self._record.tests
            found = own and language is not None and language.is_source(PurePosixPath(path))
            self._sources[path] = found
        return found


def named(place: Place) -> str:
    """A place as a person reads it."""
    path, part = place
    return f"{path}::{part}" if part else path
