"""Angelic values: what a condition, an early exit or an expression would have had to give.

In recorded states a value is forced ("Angelic debugging", Chandra et al. 2011).  Where a failing
case passes with it, expressions are synthesised that give it there, and elsewhere what the code
gives already (SemFix, Nguyen et al. 2013).  Conditions that are wrong or missing: Nopol (Xuan et
al. 2017).  Whatever forces a value is a patch as any other, which compares the variables with what
they were; so states that no expression can tell apart are forced together (Angelix, Mechtaev et
al. 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from mgdebug.model import Block, Edit, Patch, Value, Verdict
from mgdebug.proposers import Brief, Lab
from mgdebug.proposers.search.moments import (
    block_at,
    changed_before,
    moments,
    names_in,
    telling,
)
from mgdebug.proposers.search.offers import Offer, becomes, short
from mgdebug.proposers.search.sites import Scope, Site
from mgdebug.proposers.search.statements import LOOPS, exits, guard, in_loop, next_line
from mgdebug.proposers.search.synthesis import Atom, Bank, Term
from mgdebug.proposers.search.wording import Wording

BLOCKS = 6  # the most suspicious ones
EXPERIMENTS, TOGETHER = 240, 40  # of one block; that are made between two pauses
VALUES, EXITS, VISITS = 24, 12, 4  # that are forced at one place; visits of one case
SOLUTIONS, IN_PART = 48, 8  # of one place: of one that helps most cases, of another
JOINED = 150  # conditions that are joined two by two
LITERAL = 60  # characters of a value that is written into an experiment
BITS, PER_SIZE = 8.0, 0.35  # what a solution costs

Forced = Mapping[int, str]  # by state: the key of a value, or of a truth value


@dataclass
class _Hole:
    """A place, and what is to be put there.

    write: the offer for an expression of a cost.  now: what the code gives there, as a condition
    or as a value.  helped: by failing case what was forced when it passed.
    """

    write: Callable[[Wording, float], Offer]
    stale: frozenset[str]
    now: Atom | Term
    helped: dict[str, Forced] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Experiment:
    hole: _Hole
    offer: Offer
    forced: Forced


def synthesised(brief: Brief, scope: Scope) -> Iterator[Offer | None]:
    """Offers that give the angelic values of a block, the most suspicious block first; None
    between steps that take their time."""
    lab = brief.lab
    if lab is None:
        return
    own = {block.id: block for block in brief.subfunction.blocks}
    for suspect in brief.suspects[:BLOCKS]:
        if suspect.block in own:
            yield from _Study(brief, scope, lab, own[suspect.block]).offers()


class _Study:
    """One block: its states, the expressions over them, and what can be forced."""

    def __init__(self, brief: Brief, scope: Scope, lab: Lab, block: Block) -> None:
        self._brief, self._scope, self._lab, self._block = brief, scope, lab, block
        self._moments = moments(block, brief.traces)
        self._failing = {t.case for t in brief.traces if not t.status.ok}
        self._sites = [
            site
            for site in scope.expressions
            if block_at(scope, site.start, site.end) is block
            and not site.roles & {"function", "target"}
        ]
        names = [name for site in self._sites for name in scope.names_at(site)]
        names = list(dict.fromkeys([*names, *scope.variables]))
        self._bank = Bank(scope, lab, self._moments, names)
        self._rows: list[dict[str, Value]] = []
        self._code: dict[int, tuple[Term, Atom]] = {}

    def offers(self) -> Iterator[Offer | None]:
        if not self._moments.failing or not self._bank.level(1):
            return
        self._rows = [
            {
                term.wording.text: value
                for term in self._bank.level(1)
                if term.names
                for value in [term.values[at]]
                if value is not None and self._is_literal(value)
            }
            for at in range(len(self._moments.states))
        ]
        code = self._bank.code([site.wording for site in self._sites])
        self._code = {site.node.id: now for site, now in zip(self._sites, code, strict=False)}
        yield None
        experiments = list(islice(self._experiments(), EXPERIMENTS))
        verdicts: list[Verdict] = []
        for at in range(0, len(experiments), TOGETHER):
            yield None
            some = [self._patch(e.offer) for e in experiments[at : at + TOGETHER]]
            verdicts += self._lab.attempt(some)
        holes: dict[int, _Hole] = {}
        for experiment, verdict in zip(experiments, verdicts, strict=False):
            for case in self._failing.intersection(verdict.passed):
                known = experiment.hole.helped.get(case)
                if known is None or len(experiment.forced) < len(known):
                    experiment.hole.helped[case] = experiment.forced
                    holes[id(experiment.hole)] = experiment.hole
        most = max((len(hole.helped) for hole in holes.values()), default=0)
        for hole in sorted(holes.values(), key=lambda h: -len(h.helped)):
            yield None
            solve = self._conditions if isinstance(hole.now, Atom) else self._values
            yield from islice(solve(hole), SOLUTIONS if len(hole.helped) == most else IN_PART)

    def _patch(self, offer: Offer) -> Patch:
        brief = self._brief
        edits = tuple(Edit(brief.source.path, *edit) for edit in sorted(offer.edits))
        return Patch(edits, "search", offer.note, brief.subfunction.id)

    # ----------------------------------------------------------------------- experiments

    def _experiments(self) -> Iterator[_Experiment]:
        """In turns, so that no kind uses up what a block may have."""
        ways = [self._forced_conditions(), self._forced_exits(), self._forced_values()]
        while ways:
            for way in list(ways):
                experiment = next(way, None)
                if experiment is None:
                    ways.remove(way)
                else:
                    yield experiment

    def _forced_conditions(self) -> Iterator[_Experiment]:
        """Always so, and otherwise than it was at one visit."""
        words, fill = self._scope.words, self._scope.writer.fill
        for site in self._sites:
            if "condition" not in site.roles or site.node.id not in self._code:
                continue
            stale = changed_before(self._scope, self._block, site.start)
            _, now = self._code[site.node.id]
            hole = _Hole(self._replacing(site), stale, now)
            for text in (words.true, words.false):
                everywhere = dict.fromkeys(range(len(self._moments.states)), text)
                yield _Experiment(hole, becomes(site, Wording(text), 0), everywhere)
            for told, states in self._told_apart(stale):
                if not now.known >> states[0] & 1:
                    continue
                held = bool(now.true >> states[0] & 1)
                forced = dict.fromkeys(states, words.false if held else words.true)
                new = fill(words.either, told, site.wording)
                if held:
                    new = fill(words.both, fill(words.negation, told), site.wording)
                yield _Experiment(hole, becomes(site, new, 0), forced)

    def _forced_exits(self) -> Iterator[_Experiment]:
        """To leave before a statement, or to skip it."""
        scope = self._scope
        for site in scope.statements:
            loops = site.node.type in ("for_statement", "while_statement", "try_statement")
            if loops or not scope.brief.source.starts_line(site.start):
                continue
            if block_at(scope, site.start, site.end) is not self._block:
                continue
            stale = changed_before(scope, self._block, site.start)
            ways = [text for text in exits(scope) if in_loop(site) or text not in LOOPS]
            ways.sort(key=lambda text: text not in LOOPS)
            words, every = scope.words, (1 << len(self._moments.states)) - 1
            if "statement" in site.roles and "\n" not in site.text:
                hole = _Hole(self._under(site), stale, Atom(Wording(words.true), 0, every, every))
                for told, states in self._told_apart(stale):
                    skipped = scope.writer.fill(words.negation, told)
                    forced = dict.fromkeys(states, words.false)
                    yield _Experiment(hole, hole.write(skipped, 0), forced)
            for way in ways[:EXITS]:
                hole = _Hole(
                    self._leaving(site, way), stale, Atom(Wording(words.false), 0, 0, every)
                )
                for told, states in self._told_apart(stale):
                    forced = dict.fromkeys(states, words.true)
                    yield _Experiment(hole, hole.write(told, 0), forced)

    def _forced_values(self) -> Iterator[_Experiment]:
        """Another value, out of those that expressions have in the state."""
        scope, fill = self._scope, self._scope.writer.fill
        first = {"returned", "assigned"}
        for site in sorted(self._sites, key=lambda s: (not s.roles & first, s.start)):
            skipped = site.roles & {"condition", "receiver"} or len(site.text) > 4 * LITERAL
            if skipped or site.node.id not in self._code:
                continue
            stale = changed_before(scope, self._block, site.start)
            now, _ = self._code[site.node.id]
            hole = _Hole(self._replacing(site), stale, now)
            for told, states in islice(self._told_apart(stale), VISITS):
                for key, value in self._possible(now, states[0], stale):
                    new = fill(scope.words.choose, Wording(value.text), told, site.wording)
                    forced = dict.fromkeys(states, key)
                    yield _Experiment(hole, becomes(site, new, 0), forced)

    def _possible(
        self, now: Term, state: int, stale: frozenset[str]
    ) -> Iterable[tuple[str, Value]]:
        """Values of the type that an expression has, which others have in a state."""
        was = now.values[state]
        types = {was.type} if was is not None else now.types
        found: dict[str, Value] = {}
        for term in self._bank.terms(2):
            value = term.values[state]
            if value is None or not self._is_literal(value) or term.names & stale:
                continue
            if (not types or value.type in types) and term.keys[state] != now.keys[state]:
                found.setdefault(term.keys[state], value)
        return islice(found.items(), VALUES)

    def _told_apart(self, stale: frozenset[str]) -> Iterator[tuple[Wording, list[int]]]:
        """For visits of failing cases: a condition that tells one from the other states, with
        those that it cannot tell from it."""
        scope, fill = self._scope, self._scope.writer.fill
        texts = [
            {n: v.text for n, v in row.items() if not names_in(n) & stale} for row in self._rows
        ]
        names = list(dict.fromkeys(name for row in texts for name in row))
        seen: set[tuple[int, ...]] = set()
        per_case: dict[str, int] = {}
        for at in range(self._moments.failing):
            chosen = telling(texts, at, names)
            alike = [
                other
                for other, row in enumerate(texts)
                if all(row.get(name) == texts[at][name] for name in chosen)
            ]
            case = self._moments.states[at].case
            if tuple(alike) in seen or per_case.get(case, 0) >= VISITS:
                continue
            seen.add(tuple(alike))
            per_case[case] = per_case.get(case, 0) + 1
            told = Wording(scope.words.true)
            for number, name in enumerate(chosen):
                equal = fill(scope.words.pairs[0], Wording(name), Wording(texts[at][name]))
                told = fill(scope.words.both, told, equal) if number else equal
            yield told, [at, *(other for other in alike if other != at)]

    def _is_literal(self, value: Value) -> bool:
        known = value.type in self._scope.words.literals
        return known and not value.truncated and len(value.text) <= LITERAL

    # ------------------------------------------------------------------- what is put there

    def _replacing(self, site: Site) -> Callable[[Wording, float], Offer]:
        return lambda wording, cost: becomes(site, wording, cost)

    def _leaving(self, site: Site, way: str) -> Callable[[Wording, float], Offer]:
        def write(condition: Wording, cost: float) -> Offer:
            text = guard(self._scope, site.start, condition.text, way)
            edit = (site.start, site.start, text + next_line(self._scope, site.start))
            note = f"new: `if {short(condition.text)}: {short(way)}`"
            return Offer(cost + site.penalty, (edit,), note)

        return write

    def _under(self, site: Site) -> Callable[[Wording, float], Offer]:
        def write(condition: Wording, cost: float) -> Offer:
            text = guard(self._scope, site.start, condition.text, site.text)
            note = f"`{short(site.text)}` only if `{short(condition.text)}`"
            return Offer(cost + site.penalty, ((site.start, site.end, text),), note)

        return write

    # --------------------------------------------------------------------------- solutions

    def _wanted(self, hole: _Hole) -> tuple[dict[int, str], set[int]]:
        """By state what is to be given, and the other states in which nothing is to change: those
        of the cases that pass, or that pass with what was forced."""
        wanted: dict[int, str] = {}
        settled: set[int] = set()
        for at, state in enumerate(self._moments.states):
            forced = hole.helped.get(state.case)
            if forced is not None and at in forced:
                wanted[at] = forced[at]
            elif forced is not None or state.case not in self._failing:
                settled.add(at)
        return wanted, settled

    def _conditions(self, hole: _Hole) -> Iterator[Offer]:
        now = hole.now
        assert isinstance(now, Atom)
        wanted, settled = self._wanted(hole)
        care = sum(1 << at for at in [*wanted, *(at for at in settled if now.known >> at & 1)])
        true = sum(1 << at for at, text in wanted.items() if text == self._scope.words.true)
        true |= sum(1 << at for at in settled if now.true >> at & 1)
        atoms = [a for a in self._bank.atoms() if not names_in(a.wording.text) & hole.stale]
        found = sorted(self._formulas(atoms, now, true, care), key=lambda a: a.size)
        for atom in found:
            yield hole.write(atom.wording, BITS + PER_SIZE * atom.size)

    def _formulas(self, atoms: list[Atom], now: Atom, true: int, care: int) -> Iterator[Atom]:
        """Conditions that hold where they should: one, one beside what is there, two."""
        alone = [atom for atom in atoms if _fits(atom, true, care)]
        yield from alone
        others = [a for a in atoms if 0 < a.true < a.known and a not in alone]
        for one in [now] if 0 < now.true < now.known else []:
            for two in others:
                yield from self._joined(one, two, true, care)
        few = others[:JOINED]
        for at, one in enumerate(few):
            for two in few[at + 1 :]:
                yield from self._joined(one, two, true, care)

    def _joined(self, one: Atom, two: Atom, true: int, care: int) -> Iterator[Atom]:
        words, fill = self._scope.words, self._scope.writer.fill
        size = one.size + two.size + 1
        # What is to hold is held by both; or neither holds where nothing should.
        if care & true & ~one.true == 0 and care & true & ~two.true == 0:
            known = one.known & (two.known | ~one.true)
            both = Atom(
                fill(words.both, one.wording, two.wording), size, one.true & two.true, known
            )
            if _fits(both, true, care):
                yield both
        elif care & ~true & (one.true | two.true) == 0:
            known = one.known & (two.known | one.true)
            either = Atom(
                fill(words.either, one.wording, two.wording), size, one.true | two.true, known
            )
            if _fits(either, true, care):
                yield either

    def _values(self, hole: _Hole) -> Iterator[Offer]:
        now = hole.now
        assert isinstance(now, Term)
        wanted, settled = self._wanted(hole)
        found: list[tuple[int, float, Term]] = []
        for depth in (1, 2, 3):
            if any(changes == 0 for changes, *_ in found):
                break
            for term in self._bank.level(depth):
                if term.names & hole.stale:
                    continue
                if all(term.keys[at] == key for at, key in wanted.items()):
                    changes = sum(term.keys[at] != now.keys[at] for at in settled)
                    found.append((changes, term.size, term))
        for changes, size, term in sorted(found, key=lambda item: item[:2]):
            yield hole.write(term.wording, BITS + PER_SIZE * size + (1.0 if changes else 0))


def _fits(atom: Atom, true: int, care: int) -> bool:
    return care & ~atom.known == 0 and (atom.true ^ true) & care == 0
