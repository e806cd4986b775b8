"""Offers that a failing case cannot notice are put last, before anything is run.

One that gives at all visits of a failing case what the code gives there leaves that case failing,
and of two that give the same there both make it pass or neither (test-equivalence: Mechtaev, Gao,
Tan and Roychoudhury 2018).  So one of them is tried, and the others if it helped.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mgdebug.model import BlockKind
from mgdebug.proposers import Brief
from mgdebug.proposers.search.moments import block_at, changed_before, moments, names_in
from mgdebug.proposers.search.offers import Offer
from mgdebug.proposers.search.sites import Scope, Site
from mgdebug.runner.evaluate import Evaluated, State

_CALLED = re.compile(r"([\w.]+)\s*\(")


@dataclass(frozen=True, slots=True)
class _Place:
    """An expression of the code, and the visits of one failing case that come to it."""

    site: Site
    block: str
    states: tuple[State, ...]
    stale: frozenset[str]


@dataclass
class Sieve:
    """What became of the offers of one subfunction.

    aside: those that are not worth a try before all others.  alike: by the edits of an offer,
    others that end as it does in one failing case.
    """

    brief: Brief
    scope: Scope
    aside: list[Offer] = field(default_factory=list)
    alike: dict[tuple[tuple[int, int, str], ...], list[Offer]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._seen: dict[tuple[int, int, tuple[str, ...]], Offer] = {}
        self._places = self._found()

    def sift(self, offers: Sequence[Offer]) -> list[Offer]:
        """The offers that are worth a try, in their order."""
        told = [(offer, self._place(offer)) for offer in offers]
        texts: dict[str, dict[str, None]] = defaultdict(dict)
        states: dict[str, tuple[State, ...]] = {}
        for offer, place in told:
            if place is not None:
                states[place.block] = place.states
                texts[place.block].update({place.site.text: None, offer.edits[0][2]: None})
        given = self._evaluate({block: list(found) for block, found in texts.items()}, states)
        return [o for o, place in told if place is None or self._is_new(o, place, given)]

    def _is_new(
        self, offer: Offer, place: _Place, given: Mapping[tuple[str, str], tuple[str, ...]]
    ) -> bool:
        keys = given.get((place.block, offer.edits[0][2]))
        if keys is None:
            return True
        if keys == given.get((place.block, place.site.text)):
            self.aside.append(offer)
            return False
        start, end, _ = offer.edits[0]
        first = self._seen.setdefault((start, end, keys), offer)
        if first is not offer:
            self.alike.setdefault(first.edits, []).append(offer)
            return False
        return True

    def _evaluate(
        self, texts: Mapping[str, list[str]], states: Mapping[str, tuple[State, ...]]
    ) -> dict[tuple[str, str], tuple[str, ...]]:
        """By block and expression the keys of its values; without those that cannot be told."""
        lab = self.brief.lab
        asked = [state for block in texts for state in states[block]]
        if lab is None or not asked:
            return {}
        columns: dict[tuple[str, str], list[Evaluated]] = defaultdict(list)
        for state, row in zip(asked, lab.evaluate(texts, asked), strict=False):
            for text, one in zip(texts[state.block], row, strict=True):
                columns[state.block, text].append(one)
        return {
            place: tuple(one.key for one in column if one.key is not None)
            for place, column in columns.items()
            if all(map(self._is_told, column))
        }

    def _is_told(self, one: Evaluated) -> bool:
        """Whether a value says all: another one that equals it can be changed apart from it."""
        fixed = self.scope.words.fixed
        return one.value is not None and one.key is not None and one.value.type in fixed

    def _place(self, offer: Offer) -> _Place | None:
        if len(offer.edits) != 1:
            return None
        start, end, text = offer.edits[0]
        place = self._places.get((start, end))
        if place is None or names_in(text) & place.stale or not self._only_reads(text):
            return None
        return place

    def _only_reads(self, text: str) -> bool:
        called = (name.rpartition(".")[2] for name in _CALLED.findall(text))
        return all(name in self.scope.words.call_types for name in called)

    def _found(self) -> dict[tuple[int, int], _Place]:
        found: dict[tuple[int, int], _Place] = {}
        states: dict[str, tuple[State, ...]] = {}
        for site in self.scope.expressions:
            block = block_at(self.scope, site.start, site.end)
            if block is None or block.kind is BlockKind.LOOP or "function" in site.roles:
                continue
            if block.id not in states:
                known = moments(block, self.brief.traces)
                visits = [tuple(s for s in known.states if s.case == case) for case in known.whole]
                states[block.id] = min(visits, key=lambda v: (len(v), v[0].case), default=())
            stale = changed_before(self.scope, block, site.start)
            told = not names_in(site.text) & stale and self._only_reads(site.text)
            if states[block.id] and told:
                place = _Place(site, block.id, states[block.id], stale)
                found[site.start, site.end] = place
        return found
