"""The model-free proposer: one edit at a time, the likeliest first.  Deterministic, no network.

Sites are surveyed once (sites), operators make offers on them (values, conditions,
statements), and the offers go out in the order of their cost: a prior in bits plus the suspicion
of the block.  Plans for a function and its callers (signatures) come first where a failing case
shows calls that do not fit, and else when their cost is due.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations, islice

from mgdebug.model import Edit, Patch, SubfunctionKind, Verdict
from mgdebug.proposers import Brief
from mgdebug.proposers.search.angelic import synthesised
from mgdebug.proposers.search.conditions import ON_CONDITIONS
from mgdebug.proposers.search.frequencies import shift_of
from mgdebug.proposers.search.ingredients import ON_INGREDIENTS, learned
from mgdebug.proposers.search.offers import Offer
from mgdebug.proposers.search.omissions import ON_OMISSIONS
from mgdebug.proposers.search.pruning import Sieve
from mgdebug.proposers.search.signatures import Signatures
from mgdebug.proposers.search.sites import Scope, survey
from mgdebug.proposers.search.spelling import mend
from mgdebug.proposers.search.statements import ON_STATEMENTS
from mgdebug.proposers.search.values import ON_OPERATORS, ON_TARGETS, ON_VALUES
from mgdebug.settings import Settings
from mgdebug.syntax.source import SourceFile

FIRST_BATCH, BATCH = 16, 64
OFFERS = 60_000  # that one subfunction may have
SIFTED = 2048  # offers that are evaluated together
LIKELY = 1536  # offers that come before those that take experiments
SWAPPED_BITS = 3.5  # what edits cost before plans are made that no message speaks for
PAIRED = 40  # of the most promising single edits that are tried two by two
# Of the likeliest others, when nothing else is left; two on one line belong together.
SINGLES, PAIRS, SAME_LINE_BITS = 300, 20_000, 1.5


class Search:
    name = "search"

    def __init__(self) -> None:
        self._signatures = Signatures()

    def propose(self, brief: Brief) -> Generator[Sequence[Patch], Sequence[Verdict], None]:
        if brief.subfunction.kind is SubfunctionKind.ERROR:
            mends = mend(brief)
            for at in range(0, len(mends), FIRST_BATCH):
                yield [self._patch(brief, offer) for offer in mends[at : at + FIRST_BATCH]]
            return
        solved = False
        shown = self._signatures.shown(brief)
        for at in range(0, len(shown), FIRST_BATCH):
            verdicts = yield shown[at : at + FIRST_BATCH]
            solved = solved or any(map(_solves, verdicts))
        scope = survey(brief)
        sieve = Sieve(brief, scope)
        plans: list[Patch] | None = None  # that no message speaks for
        offers = _stream(brief, scope, sieve)
        promising: list[Offer] = []
        likely: list[Offer] = []
        size = FIRST_BATCH
        alike: list[Offer] = []
        while (chunk := alike[:size] or _taken(offers, size)) is not None:
            alike = alike[size:]
            reached = chunk[-1].cost if chunk else 0.0
            if plans is None and reached >= SWAPPED_BITS:
                plans = self._signatures.swapped(brief)
            due = [plan for plan in plans or () if plan.cost <= reached]
            plans = plans[len(due) :] if plans else plans
            verdicts = yield [*(self._patch(brief, offer) for offer in chunk), *due]
            solved = solved or any(map(_solves, verdicts))
            verdicts = verdicts[: len(chunk)]
            helped = [o for o, v in zip(chunk, verdicts, strict=True) if v.passed]
            promising += [o for o, v in zip(chunk, verdicts, strict=True) if _promising(v)]
            ran = (o for o, v in zip(chunk, verdicts, strict=True) if not v.reason)
            likely += islice(ran, max(0, SINGLES - len(likely)))
            alike += [other for o in helped for other in sieve.alike.pop(o.edits, ())]
            size = BATCH
        if late := self._signatures.swapped(brief) if plans is None else plans:
            verdicts = yield late
            solved = solved or any(map(_solves, verdicts))
        pairs = _pairs(promising[:PAIRED])
        if not solved:  # one edit is enough, whatever else is wrong with it
            pairs = chain(pairs, _likely_pairs(likely, brief.source))
        while chunk := list(islice(pairs, BATCH)):
            yield [self._patch(brief, offer) for offer in chunk]

    def _patch(self, brief: Brief, offer: Offer) -> Patch:
        edits = tuple(Edit(brief.source.path, *edit) for edit in sorted(offer.edits))
        line = brief.source.line_of(edits[0].start)
        where = f"{brief.source.path}:{line}"
        note = f"{where}, {brief.subfunction.qualname}: {offer.note}"
        cost = round(offer.cost, 3)
        return Patch(edits, self.name, note, brief.subfunction.id, cost, offer.family)


def made(_: Settings) -> Search:
    """The engine, which no setting changes."""
    return Search()


def _taken(offers: Iterator[Offer | None], size: int) -> list[Offer] | None:
    """So many offers, fewer before a pause; None after the last one."""
    found: list[Offer] = []
    for offer in islice(offers, size):
        if offer is None:
            return found
        found.append(offer)
    return found or None


def _stream(brief: Brief, scope: Scope, sieve: Sieve) -> Iterator[Offer | None]:
    """The likeliest edits, then what experiments tell, then the other edits; last what seemed
    useless.  None: a pause, while something takes its time."""
    likely = heapq.nsmallest(LIKELY, _distinct(_offers(scope), scope), key=_order)
    yield from likely
    seen = {offer.edits for offer in likely}
    some_left = len(likely) == LIKELY
    del likely
    family = synthesised.__name__
    for offer in synthesised(brief, scope):
        if offer is None:
            yield None
        elif offer.edits not in seen:
            seen.add(offer.edits)
            yield replace(offer, cost=offer.cost + shift_of(family), family=family)
    offers: list[Offer] = []
    if some_left:  # made once more: few get here, and to keep them would take megabytes for each
        offers = heapq.nsmallest(OFFERS, _distinct(_offers(scope), scope), key=_order)
    for at in range(LIKELY, len(offers), SIFTED):
        yield None
        yield from sieve.sift([o for o in offers[at : at + SIFTED] if o.edits not in seen])
    yield from sieve.aside
    for others in list(sieve.alike.values()):
        yield from others


def _offers(scope: Scope) -> Iterator[Offer]:
    for site in scope.operators:
        for operator in (*ON_OPERATORS, learned):
            yield from _named(operator, operator(site, scope))
    for site in scope.expressions:
        on_site = (
            ON_TARGETS if "target" in site.roles else (*ON_VALUES, *ON_CONDITIONS, *ON_INGREDIENTS)
        )
        for operator in on_site:
            yield from _named(operator, operator(site, scope))
    for on_statements in (*ON_STATEMENTS, *ON_OMISSIONS):
        yield from _named(on_statements, on_statements(scope))


def _named(operator: Callable[..., object], offers: Iterator[Offer]) -> Iterator[Offer]:
    """The offers of an operator by its name, at what its kind has proved to be worth."""
    family = operator.__name__
    shift = shift_of(family)
    for offer in offers:
        yield Offer(offer.cost + shift, offer.edits, offer.note, family)


_QUOTES = {"'", '"', "\\", "\n"}


def _order(offer: Offer) -> tuple[float, tuple[tuple[int, int, str], ...]]:
    return offer.cost, offer.edits


def _distinct(offers: Iterator[Offer], scope: Scope) -> Iterator[Offer]:
    """The cheapest offer of each text, without those that change nothing or that would
    put quotes into the quotes around them."""
    text = scope.brief.source.text
    inside = [(n.start_byte, n.end_byte) for n in scope.captures.get("interpolation", ())]
    best: dict[tuple[tuple[int, int, str], ...], Offer] = {}
    for offer in offers:
        if all(text[start:end] == new.encode() for start, end, new in offer.edits):
            continue
        if any(
            start <= edit[0] < end and set(edit[2]) & _QUOTES
            for edit in offer.edits
            for start, end in inside
        ):
            continue
        known = best.get(offer.edits)
        if known is None or offer.cost < known.cost:
            best[offer.edits] = offer
    return iter(best.values())


def _solves(verdict: Verdict) -> bool:
    return bool(verdict.passed) and not verdict.failed and not verdict.reason


def _promising(verdict: Verdict) -> bool:
    """It made a failing case pass, if not all, or not without harm."""
    return bool(verdict.passed) and not verdict.reason


def _pairs(offers: Sequence[Offer]) -> Iterator[Offer]:
    for one, two in combinations(offers, 2):
        if _apart(one, two):
            yield _both(one, two)


def _likely_pairs(offers: Sequence[Offer], source: SourceFile) -> Iterator[Offer]:
    """Edits that do not help alone, those on one line first."""
    lines = [{source.line_of(edit[0]) for edit in offer.edits} for offer in offers]

    def bits(pair: tuple[int, int]) -> tuple[float, tuple[int, int]]:
        one, two = pair
        together = SAME_LINE_BITS if lines[one] & lines[two] else 0.0
        return offers[one].cost + offers[two].cost - together, pair

    for one, two in heapq.nsmallest(PAIRS, combinations(range(len(offers)), 2), key=bits):
        if _apart(offers[one], offers[two]):
            yield _both(offers[one], offers[two])


def _apart(one: Offer, two: Offer) -> bool:
    """With something between them: where edits touch, one of them was meant for what the other
    replaces."""
    return all(a[1] < b[0] or b[1] < a[0] for a in one.edits for b in two.edits)


def _both(one: Offer, two: Offer) -> Offer:
    note, family = f"{one.note}; {two.note}", f"{one.family}+{two.family}"
    return Offer(one.cost + two.cost, (*one.edits, *two.edits), note, family)
