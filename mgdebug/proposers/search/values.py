"""Patches that replace one value or one operator by its like, swap, drop or wrap it.

The families are those of mutation testing and of template repair (PAR, Kim et al. 2013; TBar, Liu
et al. 2019), over typed sites.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import tree_sitter

from mgdebug.proposers.search.offers import Offer, Operator, becomes, short
from mgdebug.proposers.search.sites import Scope, Site
from mgdebug.proposers.search.wording import TIGHTEST, Wording

# ------------------------------------------------------------------------------- operators

# Nobody means x * 1 or x - 0.
_IDLE = {*(("0", o) for o in ("+", "-")), *(("1", o) for o in ("*", "/", "//", "**"))}


def another_operator(site: Site, scope: Scope) -> Iterator[Offer]:
    """< for <=, + for -, and for or, in for not in, += for -=."""
    seen = {site.text}
    operand = site.node.next_sibling
    right = scope.text(operand) if operand is not None else ""
    for group in scope.words.likes:
        if site.text in group:
            at = group.index(site.text)
            mirrored = scope.words.mirrored.get(site.text)
            others = sorted(
                (t for t in group if t not in seen),
                key=lambda t: (t != mirrored and abs(group.index(t) - at), t),
            )
            for rank, other in enumerate(others):
                seen.add(other)
                odd = other == "=" or (right, other) in _IDLE
                yield becomes(site, other, 3.0 + 0.4 * rank + (2.0 if odd else 0))


# ------------------------------------------------------------------------------- constants

SAID_BITS = 5.5  # for a constant that only the cases hold


def another_number(site: Site, scope: Scope) -> Iterator[Offer]:
    if site.node.type != "integer" or not site.text.isdigit():
        return
    value = int(site.text)
    near = [str(value + 1), str(value - 1)]
    scaled = [str(value * 10), str(value * 100), str(value // 10), str(value * 2)]
    known = [*scope.words.literals["int"], *scope.literals.get("int", ())]
    before = site.node.prev_sibling
    operator = scope.text(before) if before is not None else ""
    for rank, text in enumerate(dict.fromkeys([*near, *known, *scaled])):
        if text != site.text:
            cost = 3.0 if text in near else 4.0 + 0.1 * rank
            idle = 2.0 if (text, operator) in _IDLE else 0.0
            yield becomes(site, _signed(text, scope), cost + idle)
    for rank, text in enumerate(scope.said.get("int", ())):
        yield becomes(site, _signed(text, scope), SAID_BITS + 0.1 * rank)


def _signed(text: str, scope: Scope) -> Wording:
    return Wording(text, scope.words.precedence["unary"] if text.startswith("-") else TIGHTEST)


def another_constant(site: Site, scope: Scope) -> Iterator[Offer]:
    """True, False, None; texts; floats; an empty list for a list of one."""
    kind = scope.words.node_types.get(site.node.type, "")
    if site.node.type in ("true", "false", "none"):
        words = (scope.words.true, scope.words.false, scope.words.nothing)
        for rank, text in enumerate(words):
            if text != site.text:
                yield becomes(site, text, 3.5 + (rank == 2))
    elif kind in ("str", "float"):
        known = [*scope.words.literals.get(kind, ()), *scope.literals.get(kind, ())]
        plain = kind == "str" and not set(site.text) & {"\\", "{"}
        cases = [site.text.lower(), site.text.upper()] if plain else []
        for rank, text in enumerate(dict.fromkeys([*cases, *known])):
            if text != site.text:
                yield becomes(site, text, 4.5 + 0.15 * rank)
        for rank, text in enumerate(scope.said.get(kind, ())):
            yield becomes(site, text, SAID_BITS + 0.1 * rank)
    elif kind in ("list", "tuple", "dict", "set"):
        for rank, text in enumerate(scope.words.literals.get(kind, ())):
            if text != site.text:
                yield becomes(site, text, 4.5 + 0.3 * rank)
        if kind == "list" and not site.node.named_children:
            for rank, name in enumerate(scope.variables):
                yield becomes(site, f"[{name}]", 5.0 + 0.2 * rank)


def value_of_another_type(site: Site, scope: Scope) -> Iterator[Offer]:
    """A variable where a constant stood, a constant where a variable stood."""
    if site.node.type == "identifier" and not site.roles & {"function", "receiver"}:
        for kind in sorted(site.types) or ["int"]:
            known = [*scope.words.literals.get(kind, ()), *scope.literals.get(kind, ())[:6]]
            for rank, text in enumerate(dict.fromkeys(known)):
                yield becomes(site, _signed(text, scope), 5.5 + 0.3 * rank)
    elif scope.words.node_types.get(site.node.type) and not site.node.named_children:
        for rank, name in enumerate(scope.variables):
            matching = scope.compatible(name, site.types)
            if matching or site.node.type in ("true", "false", "none"):
                yield becomes(site, name, 5.0 + 0.2 * rank + (0 if matching else 1))


# ------------------------------------------------------------------------------- names


def another_variable(site: Site, scope: Scope) -> Iterator[Offer]:
    if site.node.type != "identifier" or "function" in site.roles:
        return
    others = [name for name in scope.names_at(site) if name != site.text]
    for rank, name in enumerate(others):
        known = bool(site.types) and bool(scope.types.get(name))
        if scope.compatible(name, site.types):
            yield becomes(site, name, 3.8 + 0.15 * rank + (0 if known else 0.7))
        else:
            yield becomes(site, name, 6.5 + 0.15 * rank)


def another_function(site: Site, scope: Scope) -> Iterator[Offer]:
    """min for max, append for extend; a function of the file for another; an attribute seen on the
    same object."""
    tail = re.search(r"\w+$", site.text)
    if not site.roles & {"function"} and site.node.type != "attribute":
        return
    if tail is None:
        return
    head, name = site.text[: tail.start()], tail.group()
    seen = {name}
    for group in scope.words.likes:
        if name in group:
            for rank, other in enumerate(group):
                if other not in seen:
                    seen.add(other)
                    yield becomes(site, head + other, 3.8 + 0.2 * rank)
    known = scope.members.get(head[:-1], []) if head else scope.functions
    elsewhere = scope.members.get("", []) if head else []
    for rank, other in enumerate(dict.fromkeys([*known, *elsewhere])):
        if other not in seen:
            yield becomes(site, head + other, (4.2 if other in known else 5.5) + 0.2 * rank)


def another_target(site: Site, scope: Scope) -> Iterator[Offer]:
    """What is assigned to becomes another place that the function knows."""
    places = [s.text for s in scope.expressions if s.node.type in ("subscript", "attribute")]
    for rank, text in enumerate(dict.fromkeys([*places, *scope.variables])):
        if text != site.text:
            yield becomes(site, text, 6.0 + 0.2 * rank)


# ------------------------------------------------------------------------- dropping, swapping


def without_an_operand(site: Site, scope: Scope) -> Iterator[Offer]:
    for name in ("left", "right"):
        operand = site.node.child_by_field_name(name)
        if operand is not None:
            yield becomes(site, _inner(operand, scope), 3.7)
    if "unwrapped" not in site.roles and site.node.type in ("not_operator", "unary_operator"):
        yield becomes(site, _inner(site.node.named_children[-1], scope), 4.0)


def _inner(node: tree_sitter.Node, scope: Scope) -> Wording:
    levels = [
        scope.words.precedence[c.type] for c in node.children if c.type in scope.words.precedence
    ]
    return Wording(scope.text(node), min(levels, default=TIGHTEST))


def other_order(site: Site, scope: Scope) -> Iterator[Offer]:
    """b - a for a - b, f(b, a) for f(a, b), x[j][i] for x[i][j]."""
    left, right = (site.node.child_by_field_name(n) for n in ("left", "right"))
    operator = site.node.child_by_field_name("operator")
    if left is not None and right is not None and operator is not None:
        text = f"{scope.text(right)} {scope.text(operator)} {scope.text(left)}"
        yield becomes(site, Wording(text, site.binds), 4.5)
    if site.node.type == "comparison_operator" and len(site.node.named_children) == 2:
        yield _swapped(site, site.node.named_children[0], site.node.named_children[1], scope)
    values = _arguments(site)
    if site.node.type in ("tuple", "list"):
        values = list(site.node.named_children)
    if site.node.child_by_field_name("subscript") is not None:
        values = site.node.children_by_field_name("subscript")
    for one, two in pairwise(values):
        if not any("keyword" in v.type or "splat" in v.type for v in (one, two)):
            yield _swapped(site, one, two, scope)
    plain = not any("keyword" in v.type or "splat" in v.type for v in values)
    if len(values) == 3 and plain:
        yield _swapped(site, values[0], values[2], scope)
    index, value = (site.node.child_by_field_name(n) for n in ("subscript", "value"))
    if index is not None and value is not None:
        inner = value.child_by_field_name("subscript")
        if inner is not None:
            yield _swapped(site, inner, index, scope)


def _swapped(site: Site, one: tree_sitter.Node, two: tree_sitter.Node, scope: Scope) -> Offer:
    first, second = scope.text(one), scope.text(two)
    edits = ((one.start_byte, one.end_byte, second), (two.start_byte, two.end_byte, first))
    return Offer(4.5 + site.penalty, edits, f"`{short(first)}` and `{short(second)}` change places")


def _arguments(site: Site) -> list[tree_sitter.Node]:
    """The arguments of a call; a generator may stand there without a list around it."""
    found = site.node.child_by_field_name("arguments")
    if found is None:
        return []
    if found.type == "generator_expression":
        return [found]
    return [node for node in found.named_children if node.type != "comment"]


def other_arguments(site: Site, scope: Scope) -> Iterator[Offer]:
    """A call without one of its arguments, or replaced by one of them."""
    values = _arguments(site)
    if site.node.child_by_field_name("function") is None:
        return
    for index, value in enumerate(values):
        if "keyword" not in value.type and "splat" not in value.type:
            yield becomes(site, _inner(value, scope), 4.0 + 0.3 * index)
        if len(values) > 1:
            rest = ", ".join(scope.text(v) for i, v in enumerate(values) if i != index)
            function = scope.text(site.node.children[0])
            yield becomes(site, f"{function}({rest})", 4.8 + 0.3 * index)
    receiver = site.node.children[0].child_by_field_name("object")
    if receiver is not None:
        yield becomes(site, _inner(receiver, scope), 4.5)


# --------------------------------------------------------------------------- slices, indices


def other_slice(site: Site, scope: Scope) -> Iterator[Offer]:
    """Bounds one up, one down, dropped, or replaced by a variable; an index as a slice."""
    value = site.node.child_by_field_name("value")
    index = site.node.child_by_field_name("subscript")
    if value is None or index is None:
        return
    head = scope.text(value)
    yield becomes(site, _inner(value, scope), 5.0)
    if index.type != "slice":
        text = scope.text(index)
        for rank, new in enumerate((f"{text}:", f":{text}", f"{text} + 1:", f"-{text}")):
            yield becomes(site, f"{head}[{new}]", 5.0 + 0.3 * rank)
        return
    bounds = scope.text(index).split(":")
    if scope.text(index).count(":") > 2 or "[" in scope.text(index):
        return
    for at, bound in enumerate(bounds):
        options = [] if not bound else ["", f"{bound} + 1", f"{bound} - 1"]
        options += [] if bound else ["1", "-1"]
        options += [name for name in scope.variables if scope.compatible(name, _INT)]
        for rank, new in enumerate(dict.fromkeys(options)):
            if new != bound:
                changed = ":".join([*bounds[:at], new, *bounds[at + 1 :]])
                yield becomes(site, f"{head}[{changed}]", 4.2 + 0.3 * rank)
    if len(bounds) == 2:
        yield becomes(site, f"{head}[{bounds[0]}:{bounds[1]}:-1]", 6.0)


_INT = frozenset(("int",))


# ---------------------------------------------------------------------------------- wrapping


def one_more_or_less(site: Site, scope: Scope) -> Iterator[Offer]:
    """e + 1, e - 1: of numbers, and of what may be one."""
    if site.node.type in ("integer", "float") or not _may_be(site, "int"):
        return
    if site.roles & {"function", "receiver", "subscripted"} or _beside_a_number(site):
        return
    known = "int" in site.types
    for template in ("{0} + 1", "{0} - 1"):
        wording = scope.writer.fill(template, site.wording)
        yield becomes(site, wording, 3.8 if known else 5.0)


def _beside_a_number(site: Site) -> bool:
    """In n + 3, the 3 itself is what becomes one more or less, or goes."""
    following = site.node.next_named_sibling
    right, operator = (site.node.child_by_field_name(n) for n in ("right", "operator"))
    if right is not None and operator is not None and right.type == "integer":
        return operator.type in ("+", "-")
    return "operand.left" in site.roles and following is not None and following.type == "integer"


def wrapped(site: Site, scope: Scope) -> Iterator[Offer]:
    """len(e), e[1:], sorted(e), max(e, 0): what fits the type."""
    if "function" in site.roles or site.node.type in ("true", "false", "none"):
        return
    for kind in sorted(site.types) or [""]:
        for rank, template in enumerate(scope.words.wraps.get(kind, scope.words.wraps[""])):
            wording = scope.writer.fill(template, site.wording)
            yield becomes(site, wording, 5.5 + 0.12 * rank + (0.5 if not kind else 0))


def joined(site: Site, scope: Scope) -> Iterator[Offer]:
    """e + x, e - x, max(e, x), e + [..]: with the variables in scope and the other values here."""
    if site.roles & {"function", "receiver", "subscripted"}:
        return
    for kind in sorted(site.types) or ["int"]:
        templates = scope.words.joins.get(kind, ())
        others = [v for v in scope.variables if scope.compatible(v, frozenset((kind,)))]
        for rank, name in enumerate(v for v in others if v != site.text):
            for order, template in enumerate(templates):
                wording = scope.writer.fill(template, site.wording, Wording(name))
                unknown = 0 if site.types else 1.5
                yield becomes(site, wording, 5.6 + 0.2 * rank + 0.25 * order + unknown)


def indexed(site: Site, scope: Scope) -> Iterator[Offer]:
    """e[k:], e[:k], e[k] with a number in scope."""
    if site.node.type in ("integer", "float", "true", "false", "none", "string"):
        return
    if (
        site.types and not site.types & {"list", "str", "tuple", "dict"}
    ) or "function" in site.roles:
        return
    numbers = [v for v in scope.variables if "int" in scope.types.get(v, ())]
    for rank, name in enumerate(numbers):
        for order, template in enumerate(("{0}[{1}:]", "{0}[:{1}]", "{0}[{1}]")):
            if name != site.text:
                wording = scope.writer.fill(template, site.wording, Wording(name))
                yield becomes(site, wording, 5.8 + 0.2 * rank + 0.2 * order)


def _may_be(site: Site, kind: str) -> bool:
    return not site.types or kind in site.types


ON_OPERATORS: tuple[Operator, ...] = (another_operator,)
ON_TARGETS: tuple[Operator, ...] = (another_target, another_function, other_order)
ON_VALUES: tuple[Operator, ...] = (
    another_number,
    another_constant,
    another_variable,
    another_function,
    without_an_operand,
    other_order,
    other_arguments,
    other_slice,
    one_more_or_less,
    value_of_another_type,
    wrapped,
    joined,
    indexed,
)
