"""Patches on what decides and on what is returned or assigned: conditions and results.

Conditions are built from atoms on the variables in scope by the types that the traces saw.
"""

from __future__ import annotations

from collections.abc import Iterator

from mgdebug.proposers.search.offers import Offer, Operator, becomes
from mgdebug.proposers.search.sites import Scope, Site
from mgdebug.proposers.search.wording import Wording


def atoms(scope: Scope) -> Iterator[tuple[float, Wording]]:
    """Conditions on one variable by its type, then on two of a type."""
    fill = scope.writer.fill
    for rank, name in enumerate(scope.variables):
        kinds = sorted(scope.types.get(name, ())) or [""]
        templates = dict.fromkeys(t for k in kinds for t in scope.words.atoms.get(k, ()))
        for order, template in enumerate([*templates, *scope.words.atoms[""]]):
            yield 0.2 * rank + 0.25 * order, fill(template, Wording(name))
    for rank, (one, two) in enumerate(
        (a, b) for a in scope.variables for b in scope.variables if a != b
    ):
        if scope.compatible(one, scope.types.get(two, frozenset())):
            for order, template in enumerate(scope.words.pairs):
                yield 2 + 0.1 * rank + 0.2 * order, fill(template, Wording(one), Wording(two))
    for rank, site in enumerate(s for s in scope.expressions if s.node.type == "attribute"):
        for order, template in enumerate(scope.words.atoms[""]):
            yield 1 + 0.2 * rank + 0.3 * order, fill(template, site.wording)


ATOMS = 120  # conditions on what stands near a statement


def atoms_near(scope: Scope, start: int, end: int) -> Iterator[tuple[float, Wording]]:
    """Conditions on what a statement and the loops around it read: two names, and an element or a
    call beside a small number."""
    fill = scope.writer.fill
    near = [s for s in scope.expressions if start <= s.start and s.end <= end]
    names = list(dict.fromkeys(s.text for s in near if s.text in scope.variables))
    bound = [s.text for s in scope.targets if s.start < start]
    names = list(dict.fromkeys([*names, *reversed(bound)]))[:5]
    rank = 0
    for one in names:
        for two in names:
            if one != two and scope.compatible(one, scope.types.get(two, frozenset())):
                for template in scope.words.pairs:
                    yield 0.4 + 0.1 * rank, fill(template, Wording(one), Wording(two))
                    rank += 1
    numbers = list(dict.fromkeys([*scope.words.literals["int"], *scope.literals.get("int", ())]))
    places = dict.fromkeys(
        (s.text, s.binds) for s in near if s.node.type in ("subscript", "call", "attribute")
    )
    for at, (text, binds) in enumerate([*places][:4]):
        for order, number in enumerate(numbers[:6]):
            for template in scope.words.pairs[:4]:
                wording = fill(template, Wording(text, binds), Wording(number))
                yield 0.8 + 0.3 * at + 0.2 * order, wording
        for name in names:
            for template in scope.words.pairs:
                yield 1.2 + 0.3 * at, fill(template, Wording(text, binds), Wording(name))


def another_condition(site: Site, scope: Scope) -> Iterator[Offer]:
    """Negated, strengthened, weakened, replaced."""
    if "condition" not in site.roles:
        return
    fill, words = scope.writer.fill, scope.words
    constant = site.node.type in ("true", "false", "none")
    if site.node.type != "not_operator" and not constant:
        yield becomes(site, fill(words.negation, site.wording), 4.0)
    seen: set[str] = set()
    for cost, atom in atoms(scope):
        if atom.text in seen:
            continue
        seen.add(atom.text)
        yield becomes(site, atom, 5.5 + cost)
        if constant:
            continue
        yield becomes(site, fill(words.either, atom, site.wording), 5.5 + cost)
        yield becomes(site, fill(words.both, site.wording, atom), 5.5 + cost)
        yield becomes(site, fill(words.either, site.wording, atom), 5.7 + cost)
        yield becomes(site, fill(words.both, atom, site.wording), 5.9 + cost)


def another_result(site: Site, scope: Scope) -> Iterator[Offer]:
    """What is returned or assigned becomes a condition, or another value that stands nearby."""
    if not site.roles & {"returned", "assigned", "argument.value"}:
        return
    if site.types == {"bool"}:
        for cost, atom in atoms(scope):
            yield becomes(site, atom, 5.0 + cost)
    texts = dict.fromkeys(
        other.text
        for other in scope.expressions
        if other.node.type not in ("identifier", "integer", "string")
        and not other.roles & {"function"}
        and (not site.types or not other.types or site.types & other.types)
        and len(other.text) <= 60
        and "\n" not in other.text
    )
    for rank, text in enumerate(texts):
        if text != site.text and text not in site.text:
            yield becomes(site, text, 6.5 + 0.1 * rank)
        for order, template in enumerate(
            t for kind in sorted(site.types) for t in scope.words.joins.get(kind, ())[:2]
        ):
            if text != site.text:
                wording = scope.writer.fill(template, site.wording, Wording(text, 0))
                yield becomes(site, wording, 7.0 + 0.1 * rank + 0.2 * order)


def comparison_and_bound(site: Site, scope: Scope) -> Iterator[Offer]:
    """len(x) == 0 becomes len(x) <= 1: operator and constant together."""
    if site.node.type != "comparison_operator" or len(site.node.named_children) != 2:
        return
    left, right = site.node.named_children
    if right.type != "integer" or not scope.text(right).isdigit():
        return
    value = int(scope.text(right))
    group = next(g for g in scope.words.likes if "<" in g)
    for rank, (operator, bound) in enumerate(
        (o, b) for b in (value + 1, value - 1) for o in group[:6]
    ):
        text = f"{scope.text(left)} {operator} {bound}"
        yield becomes(site, Wording(text, site.binds), 6.0 + 0.1 * rank)


ON_CONDITIONS: tuple[Operator, ...] = (
    another_condition,
    another_result,
    comparison_and_bound,
)
