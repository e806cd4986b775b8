"""Expressions that differ in recorded states, from the smallest up.

Bottom-up enumeration by types, where of those that give the same in all states one is kept
(observational equivalence: Udupa et al., "TRANSIT", 2013; Albarghouthi et al. 2013).  That they are
evaluated in the states of real runs is DynaMoth's way (Durieux and Monperrus 2016).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from mgdebug.model import Value
from mgdebug.proposers import Lab
from mgdebug.proposers.search.moments import Moments, names_in
from mgdebug.proposers.search.sites import Scope
from mgdebug.proposers.search.wording import Wording
from mgdebug.runner.evaluate import Evaluated

LEAVES, TERMS, ATOMS = 40, 4000, 6000  # expressions that are evaluated at each level
KEPT = 400  # of one level, that the next one is built from
LITERAL = 1.3  # what counts as much as so many names
OPERATION, CHARACTER = 0.5, 0.08  # what a template counts besides the names in it
LONGEST = 60  # characters
RAISES = "raises"
_HOLES = re.compile(r"\{\d\}")


@dataclass(frozen=True, slots=True)
class Term:
    """An expression and what it gave.

    size: of its leaves and operations, in names.  keys: of each state, RAISES where it raised, "?"
    and its text where it cannot be told apart.  values: None where it gave none.
    """

    wording: Wording
    size: float
    types: frozenset[str]
    keys: tuple[str, ...]
    values: tuple[Value | None, ...]

    @property
    def names(self) -> set[str]:
        return names_in(self.wording.text)


@dataclass(frozen=True, slots=True)
class Atom:
    """A condition.  true, known: bits of the states in which it holds, and in which it gave a
    truth value."""

    wording: Wording
    size: float
    true: int
    known: int


class Bank:
    """The expressions over one block's states.  Each level is evaluated when it is asked for."""

    def __init__(self, scope: Scope, lab: Lab, moments: Moments, names: Sequence[str]) -> None:
        self._scope, self._lab, self.moments = scope, lab, moments
        self._names = names
        self._known: set[tuple[str, ...]] = set()
        self._levels: list[list[Term]] = []
        self._atoms: list[Atom] | None = None

    def level(self, depth: int) -> list[Term]:
        """Terms of a depth that no smaller one equals; 1: names and literals."""
        while len(self._levels) < depth:
            if not self._levels:
                new = [
                    (1.0 if names_in(text) else LITERAL, Wording(text)) for text in self._leaves()
                ][:LEAVES]
            else:
                new = [*self._grown()]
            self._levels.append(self._distinct(new))
        return self._levels[depth - 1]

    def terms(self, depth: int) -> list[Term]:
        """Terms up to a depth, the smaller first."""
        return [term for at in range(depth) for term in self.level(at + 1)]

    def atoms(self) -> list[Atom]:
        """Conditions that differ, the smaller first."""
        if self._atoms is None:
            found: dict[tuple[int, int], Atom] = {}
            new = sorted(self._conditions(), key=lambda pair: (pair[0], len(pair[1].text)))
            texts = {wording.text: (size, wording) for size, wording in reversed(new)}
            chosen = sorted(texts.values(), key=lambda pair: (pair[0], len(pair[1].text)))[:ATOMS]
            rows = self.evaluate([wording.text for _, wording in chosen])
            for at, (size, wording) in enumerate(chosen):
                atom = self._atom(wording, size, [row[at] for row in rows])
                if atom.known:
                    found.setdefault((atom.true, atom.known), atom)
            every = (1 << len(self.moments.states)) - 1
            # Those that can be told in all states come before those that cannot.
            self._atoms = sorted(found.values(), key=lambda a: a.size + (a.known != every))
        return self._atoms

    def code(self, wordings: Sequence[Wording]) -> list[tuple[Term, Atom]]:
        """Expressions of the code itself, as values and as conditions."""
        fill, negation = self._scope.writer.fill, self._scope.words.negation
        truths = [fill(negation, fill(negation, wording)).text for wording in wordings]
        rows = self.evaluate([*(wording.text for wording in wordings), *truths])
        return [
            (
                _term(wording, 0, [row[at] for row in rows]),
                self._atom(wording, 0, [row[at + len(wordings)] for row in rows]),
            )
            for at, wording in enumerate(wordings if rows else ())
        ]

    def evaluate(self, texts: Sequence[str]) -> Sequence[Sequence[Evaluated]]:
        return self._lab.evaluate(texts, self.moments.states) if texts else []

    # ---------------------------------------------------------------------------- the levels

    def _leaves(self) -> Iterator[str]:
        scope, words = self._scope, self._scope.words
        yield from self._names
        held = scope.members.get(words.itself, ()) if words.itself in self._names else ()
        yield from (f"{words.itself}.{name}" for name in held)
        yield from (text for kind in ("int", "bool") for text in words.literals[kind])
        yield words.nothing
        for kind in ("str", "int", "float"):
            yield from scope.literals.get(kind, ())[:6]
        yield from (text for kind in ("str", "list") for text in words.literals[kind][:1])

    def _grown(self) -> Iterator[tuple[float, Wording]]:
        last, leaves = self._levels[-1][:KEPT], self._levels[0]
        scope, fill = self._scope, self._scope.writer.fill
        if len(self._levels) == 1:
            for site in scope.expressions:
                if "function" not in site.roles:
                    yield 1 + _more("()"), site.wording
        for one in last if len(self._levels) > 1 else [t for t in last if t.names]:
            for kind in sorted(one.types):
                for template in scope.words.wraps.get(kind, scope.words.wraps[""]):
                    yield one.size + _more(template), fill(template, one.wording)
        for one in last:
            for two in leaves:
                if not one.names and not two.names:
                    continue
                both = one.size + two.size
                for template in self._templates(one, two):
                    yield both + _more(template), fill(template, one.wording, two.wording)
                for template in self._templates(two, one) if one not in leaves else ():
                    yield both + _more(template), fill(template, two.wording, one.wording)

    def _templates(self, one: Term, two: Term) -> Iterator[str]:
        words = self._scope.words
        for kind in sorted(one.types & two.types):
            yield from words.joins.get(kind, ())
        for kind in sorted(one.types):
            if kind == "dict" or "int" in two.types:
                yield from words.picks.get(kind, ())

    def _conditions(self) -> Iterator[tuple[float, Wording]]:
        fill, words = self._scope.writer.fill, self._scope.words
        terms, leaves = self.terms(2), self.level(1)
        for one in terms[: len(leaves) + KEPT]:
            if "bool" in one.types and one.names:
                yield one.size, one.wording
            kinds = sorted(one.types) if one.names else []
            if "NoneType" in kinds and len(kinds) > 1:
                kinds.append("")
            for kind in kinds:
                for template in words.atoms.get(kind, ()):
                    yield one.size + _more(template), fill(template, one.wording)
            for two in leaves:
                if one is two or not (one.names or two.names):
                    continue
                for template in self._compared(one, two):
                    size = one.size + two.size + _more(template)
                    yield size, fill(template, one.wording, two.wording)

    def _compared(self, one: Term, two: Term) -> Sequence[str]:
        """The order of numbers, whether others are equal, and whether one is in the other."""
        words = self._scope.words
        alike = one.types & two.types
        if alike & words.numbers:
            return words.pairs[:-2]
        within = words.pairs[-2:] if two.types & set(words.picks) else ()
        return (*words.pairs[:2], *within) if alike else within

    def _distinct(self, new: Iterable[tuple[float, Wording]]) -> list[Term]:
        texts: dict[str, tuple[float, Wording]] = {}
        for size, wording in new:
            if len(wording.text) <= LONGEST:
                known = texts.get(wording.text)
                if known is None or size < known[0]:
                    texts[wording.text] = (size, wording)
        chosen = sorted(texts.values(), key=lambda pair: (pair[0], len(pair[1].text)))[:TERMS]
        rows = self.evaluate([wording.text for _, wording in chosen])
        found = []
        for at, (size, wording) in enumerate(chosen if rows else ()):
            term = _term(wording, size, [row[at] for row in rows])
            if term.types and term.keys not in self._known:
                self._known.add(term.keys)
                found.append(term)
        return found

    def _atom(self, wording: Wording, size: float, column: Sequence[Evaluated]) -> Atom:
        true = known = 0
        for at, one in enumerate(column):
            if one.value is not None and one.value.type == "bool":
                known |= 1 << at
                true |= (one.value.text == self._scope.words.true) << at
        return Atom(wording, size, true, known)


@cache
def _more(template: str) -> float:
    """What a template adds to the size of what is filled in."""
    return OPERATION + CHARACTER * len(_HOLES.sub("", template))


def _term(wording: Wording, size: float, column: Sequence[Evaluated]) -> Term:
    keys = tuple(RAISES if one.value is None else one.key or f"?{wording.text}" for one in column)
    types = frozenset(one.value.type for one in column if one.value is not None)
    return Term(wording, size, types, keys, tuple(one.value for one in column))
