"""Patches on whole statements: delete, guard, insert, move, and the same change in many places.

What is inserted is made of the file's own ingredients (the plastic surgery hypothesis, Barr et
al. 2014; GenProg, Le Goues et al. 2012).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from mgdebug.proposers.search.conditions import ATOMS, atoms, atoms_near
from mgdebug.proposers.search.offers import Offer, short
from mgdebug.proposers.search.sites import Scope, Site

_IDLE = ("pass_statement",)
EXCHANGED = 6  # texts of which two may change places everywhere
GUARD_ATOMS = 40  # conditions that a guard is tried with


def deleted(scope: Scope) -> Iterator[Offer]:
    for site in _simple(scope):
        if site.node.type != "pass_statement":
            edit = (site.start, site.end, "pass")
            note = f"`{short(site.text)}` is dropped"
            yield Offer(5.0 + site.penalty, (_whole_line(site, scope) or edit,), note)


def exchanged(scope: Scope) -> Iterator[Offer]:
    """Two neighbours change places."""
    for site in _simple(scope):
        after = site.node.next_named_sibling
        if after is not None and after.id in {s.node.id for s in scope.statements}:
            second = scope.text(after)
            edits = (
                (site.start, site.end, _moved(second, scope, after.start_byte, site.start)),
                (after.start_byte, after.end_byte, site.text),
            )
            note = f"`{short(site.text)}` and `{short(second)}` change places"
            yield Offer(5.5 + site.penalty, edits, note)


def guarded(scope: Scope) -> Iterator[Offer]:
    """`if condition: return value` before a statement; a statement under a condition."""
    chosen = sorted(atoms(scope), key=lambda pair: pair[0])[:GUARD_ATOMS]
    leaving_by = exits(scope)
    for site in _on_own_line(scope):
        near = sorted(atoms_near(scope, site.start, site.end), key=lambda pair: pair[0])[:ATOMS]
        for cost, condition in [*chosen, *near]:
            # A text of several lines would be indented with its statement.
            if "statement" in site.roles and site.node.type not in _IDLE and "\n" not in site.text:
                text = guard(scope, site.start, condition.text, site.text)
                note = f"`{short(site.text)}` only if `{short(condition.text)}`"
                edit = (site.start, site.end, text)
                yield Offer(7.0 + cost + site.penalty, (edit,), note)
            for rank, leaving in enumerate(leaving_by):
                if leaving in LOOPS and not in_loop(site):
                    continue
                text = guard(scope, site.start, condition.text, leaving)
                text += next_line(scope, site.start)
                note = f"new: `if {short(condition.text)}: {short(leaving)}`"
                edit = (site.start, site.start, text)
                yield Offer(7.5 + cost + 0.15 * rank + site.penalty, (edit,), note)


def exits(scope: Scope) -> list[str]:
    """Statements that leave the function, or a turn of a loop."""
    values = [*scope.variables[:4], *_returned(scope)]
    given = results(scope)
    kinds = sorted(("NoneType", "int", "bool", "list", "str"), key=lambda kind: kind not in given)
    defaults = [
        text
        for kind in (*(kind for kind in given if kind not in kinds), *kinds)
        for text in scope.words.literals.get(kind, ())[:2]
    ]
    if given:  # what it gives elsewhere is likelier than a variable
        values = [*(text for kind in given for text in scope.words.literals.get(kind, ())), *values]
    wanted = " ".join(failure.code for failure in scope.brief.failures)
    raised = [name for name in scope.words.exceptions if name in wanted]
    return [
        *(scope.words.throw.format(name) for name in raised),
        *(
            template.format(value)
            for template in scope.words.exits
            for value in (dict.fromkeys([*values, *defaults]) if "{0}" in template else [""])
        ),
    ]


LOOPS = ("break", "continue")  # exits that only a loop has


def results(scope: Scope) -> list[str]:
    """The types that the subfunction gave, the most frequent first."""
    own = scope.brief.subfunction.id
    found = Counter(
        call.result.type
        for trace in scope.brief.traces
        for call in trace.calls
        if call.subfunction == own and call.result is not None
    )
    return [kind for kind, _ in found.most_common() if kind in scope.words.literals]


def inserted(scope: Scope) -> Iterator[Offer]:
    """A statement of the function once more elsewhere, as it is or with one variable changed."""
    simple = list(_simple(scope))
    wanted: dict[str, float] = {}
    for site in simple:
        if site.node.type in ("expression_statement", "return_statement") and "\n" not in site.text:
            wanted.setdefault(site.text, 0.0)
            for changed in _with_another_name(site, scope):
                wanted.setdefault(changed, 1.0)
    for name in scope.variables:
        for other in scope.variables:
            if name != other and scope.compatible(name, scope.types.get(other, frozenset())):
                wanted.setdefault(f"{name} = {other}", 1.5)
    for rank, (text, cost) in enumerate(wanted.items()):
        for site in _on_own_line(scope):
            before = (site.start, site.start, text + next_line(scope, site.start))
            after = (site.end, site.end, next_line(scope, site.start) + text)
            note = f"new: `{short(text)}`"
            bits = 7.0 + cost + 0.02 * rank + site.penalty
            if site.text != text:
                yield Offer(bits, (before,), note)
            if site.node.type not in ("return_statement", "raise_statement"):
                yield Offer(bits, (after,), note)


def everywhere(scope: Scope) -> Iterator[Offer]:
    """One change in all places at once: names exchanged, all True for False, an operator."""
    names: dict[str, list[Site]] = {}
    for site in scope.expressions:
        if site.node.type in ("identifier", "true", "false", "integer", "string"):
            names.setdefault(site.text, []).append(site)
    for site in scope.operators:
        names.setdefault(site.text, []).append(site)
    texts = [text for text, sites in names.items()]
    swaps = [(scope.words.true, scope.words.false)]
    swaps += [
        (a, b)
        for i, a in enumerate(scope.variables)
        for b in scope.variables[i + 1 :]
        if a in texts and b in texts
    ]
    strings = [text for text, sites in names.items() if sites[0].node.type == "string"]
    swaps += combinations(strings[:EXCHANGED], 2)
    for one, two in swaps:
        sites = [*names.get(one, ()), *names.get(two, ())]
        if len(sites) > 1:
            edits = tuple((s.start, s.end, two if s.text == one else one) for s in sites)
            penalty = min(s.penalty for s in sites)
            yield Offer(6.0 + penalty, edits, f"`{one}` and `{two}` change places everywhere")
    for group in scope.words.likes:
        for one in group:
            for two in group:
                sites = names.get(one, [])
                if one != two and len(sites) > 1:
                    edits = tuple((s.start, s.end, two) for s in sites)
                    penalty = min(s.penalty for s in sites)
                    note = f"`{one}` becomes `{two}` everywhere"
                    yield Offer(6.0 + penalty, edits, note)


def _simple(scope: Scope) -> Iterator[Site]:
    return (site for site in scope.statements if "statement" in site.roles)


def _on_own_line(scope: Scope) -> list[Site]:
    """Statements with nothing but white space before them: others stand on the line of a header."""
    return [site for site in scope.statements if scope.brief.source.starts_line(site.start)]


def _returned(scope: Scope) -> list[str]:
    return [s.text for s in scope.expressions if "returned" in s.roles and len(s.text) <= 20]


def _with_another_name(site: Site, scope: Scope) -> Iterator[str]:
    for inner in scope.expressions:
        if site.start <= inner.start and inner.end <= site.end:
            if inner.node.type != "identifier" or "function" in inner.roles:
                continue
            for name in scope.variables:
                if name != inner.text and scope.compatible(name, inner.types):
                    start, end = inner.start - site.start, inner.end - site.start
                    raw = site.text.encode()
                    yield (raw[:start] + name.encode() + raw[end:]).decode()


def in_loop(site: Site) -> bool:
    """Whether a statement stands in a loop of its own function."""
    at = site.node.parent
    while at is not None and not at.type.endswith("definition"):
        if at.type in ("for_statement", "while_statement"):
            return True
        at = at.parent
    return False


def next_line(scope: Scope, start: int) -> str:
    """The end of a line and the indent of the statement at `start`."""
    return scope.brief.source.newline + scope.brief.source.indent(start)


def guard(scope: Scope, start: int, condition: str, statement: str) -> str:
    """A statement under a condition, where one stands at `start`."""
    source = scope.brief.source
    indent = source.indent(start)
    step = "\t" if "\t" in indent else "    "
    inside = statement.replace("\n", "\n" + step)
    return scope.words.guard.format(condition, inside, newline=source.newline, indent=indent + step)


def _moved(text: str, scope: Scope, old: int, new: int) -> str:
    was, now = scope.brief.source.indent(old), scope.brief.source.indent(new)
    return text.replace("\n" + was, "\n" + now) if was != now else text


def _whole_line(site: Site, scope: Scope) -> tuple[int, int, str] | None:
    """The line with its end, if nothing else stands on it and the body keeps a statement."""
    source = scope.brief.source
    parent = site.node.parent
    if parent is None or parent.named_child_count < 2:
        return None
    indent = source.indent(site.start)
    start = site.start - len(indent.encode())
    end = source.text.find(b"\n", site.end)
    if (start and source.text[start - 1 : start] != b"\n") or end < 0:
        return None
    return (start, end + 1, "") if not source.text[site.end : end].strip() else None


ON_STATEMENTS = (deleted, exchanged, everywhere, inserted, guarded)
