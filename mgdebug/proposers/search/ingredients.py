"""Values that are made of what the function, its docstring and its runs hold already.

The plastic surgery hypothesis (Barr et al. 2014): most of what a repair needs is in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

import tree_sitter

from mgdebug.learned import filled
from mgdebug.proposers.search.offers import Offer, Operator, becomes
from mgdebug.proposers.search.sites import Scope, Site
from mgdebug.proposers.search.wording import TIGHTEST, Wording

LONGEST = 60  # characters of an ingredient
NEAR = 0.6  # how much two words must share for one to be a slip of the other
_LITERAL = ("integer", "float", "true", "false", "none")


def another_expression(site: Site, scope: Scope) -> Iterator[Offer]:
    """A value becomes another one that stands in the function."""
    if "function" in site.roles or site.node.type in ("true", "false", "none"):
        return
    for rank, other in enumerate(_ingredients(scope)):
        if other.text in site.text or site.text == other.text:
            continue
        if not site.types or not other.types or site.types & other.types:
            known = bool(site.types and other.types)
            cost = 6.0 + 0.08 * rank + (0 if known else 0.5)
            yield becomes(site, other.wording, cost)


def _ingredients(scope: Scope) -> list[Site]:
    found: dict[str, Site] = {}
    for other in scope.expressions:
        simple = other.node.type in ("identifier", *_LITERAL, "string")
        whole = "\n" not in other.text and len(other.text) <= LONGEST
        if not simple and whole and "function" not in other.roles:
            found.setdefault(other.text, other)
    return list(found.values())


def variable_instead(site: Site, scope: Scope) -> Iterator[Offer]:
    """A call, an element, a sum becomes a variable."""
    kinds = ("call", "subscript", "attribute", "binary_operator")
    if site.node.type not in kinds or "function" in site.roles:
        return
    for rank, name in enumerate(scope.names_at(site)):
        matching = not site.types or scope.compatible(name, site.types)
        yield becomes(site, name, 6.0 + 0.2 * rank + (0 if matching else 2.0))


def wrapped_variable(site: Site, scope: Scope) -> Iterator[Offer]:
    """A value becomes an expression around a variable: len(b), b[1:], bin(b)[2:]."""
    if "function" in site.roles or site.node.type not in ("identifier", "string", *_LITERAL):
        return
    for rank, name in enumerate(scope.names_at(site)[:8]):
        if name == site.text:
            continue
        for kind in sorted(scope.types.get(name, ())) or ["", "int", "str"]:
            templates = scope.words.wraps.get(kind, scope.words.wraps[""])
            for order, template in enumerate(templates):
                wording = scope.writer.fill(template, Wording(name))
                yield becomes(site, wording, 7.0 + 0.15 * rank + 0.12 * order)


def part_wrapped(site: Site, scope: Scope) -> Iterator[Offer]:
    """What stands around a part goes, and something else comes: sum(e) for e[-1]."""
    for name in ("value", "left", "right", "object"):
        part = site.node.child_by_field_name(name)
        if part is None or "function" in site.roles:
            continue
        for kind in sorted(_types(part, scope)) or [""]:
            for rank, template in enumerate(scope.words.wraps.get(kind, scope.words.wraps[""])):
                wording = scope.writer.fill(
                    template, Wording(scope.text(part), _level(part, scope))
                )
                yield becomes(site, wording, 6.6 + 0.12 * rank)


def both_wrapped(site: Site, scope: Scope) -> Iterator[Offer]:
    """The same around both operands: set(a) == set(b) for a == b."""
    operands = [node for node in site.node.named_children if node.type != "comment"]
    if len(operands) != 2 or site.node.type not in ("comparison_operator", "binary_operator"):
        return
    one, two = operands
    between = scope.brief.source.slice(one.end_byte, two.start_byte)
    kinds = sorted(_types(one, scope) | _types(two, scope)) or [""]
    for kind in kinds:
        for rank, template in enumerate(scope.words.wraps.get(kind, scope.words.wraps[""])):
            new = [
                scope.writer.fill(template, Wording(scope.text(node), _level(node, scope))).within(
                    site.binds + 1
                )
                for node in operands
            ]
            yield becomes(site, Wording(between.join(new), site.binds), 5.8 + 0.12 * rank)


def shorter_chain(site: Site, scope: Scope) -> Iterator[Offer]:
    """a ** c for a ** b * c: an operand goes with the operator after it, or before it."""
    left, right = (site.node.child_by_field_name(n) for n in ("left", "right"))
    if left is None or right is None or site.node.type != "binary_operator":
        return
    first, second = (left.child_by_field_name(n) for n in ("left", "right"))
    inner, outer = (n.child_by_field_name("operator") for n in (left, site.node))
    if first is None or second is None or inner is None or outer is None:
        return
    for operator in (inner, outer):
        text = f"{scope.text(first)} {scope.text(operator)} {scope.text(right)}"
        yield becomes(site, Wording(text, scope.writer.of_operator(scope.text(operator))), 4.2)


def longer_chain(site: Site, scope: Scope) -> Iterator[Offer]:
    """a < b and b < c: one more comparison like those of the function, with other names or
    numbers."""
    if site.node.type not in ("comparison_operator", "boolean_operator"):
        return
    outermost = site.node.parent is None or site.node.parent.type != "boolean_operator"
    if not outermost or not scope.captures.get("condition"):
        return
    inside = "condition" in site.roles or "returned" in site.roles
    if not inside:
        return
    for rank, atom in enumerate(_relatives(scope)):
        if atom.text in site.text:
            continue
        pairs = ((scope.words.either, 6.2), (scope.words.both, 6.2))
        for template, cost in pairs:
            yield becomes(site, scope.writer.fill(template, site.wording, atom), cost + 0.1 * rank)
        if site.node.type == "comparison_operator":
            yield becomes(site, scope.writer.fill(scope.words.both, atom, site.wording), 6.4)
            yield becomes(site, atom, 6.0 + 0.1 * rank)


RELATIVES = 120


def _relatives(scope: Scope) -> list[Wording]:
    """The function's comparisons, with their names exchanged or another number in them."""
    found: dict[str, Wording] = {}
    for site in scope.expressions:
        if site.node.type != "comparison_operator" or len(site.text) > LONGEST:
            continue
        names = list(dict.fromkeys(re.findall(r"(?<![\w.'\"])[A-Za-z_]\w*", site.text)))
        names = [name for name in names if name in scope.variables]
        for one in names:
            for two in scope.variables:
                if one != two and scope.compatible(two, scope.types.get(one, frozenset())):
                    text = _renamed(site.text, {one: two, two: one})
                    found.setdefault(text, Wording(text, site.binds))
                    text = _renamed(site.text, {one: two})
                    found.setdefault(text, Wording(text, site.binds))
        for match in re.finditer(r"(?<![\w.])\d+(?![\w.])", site.text):
            numbers = [str(int(match.group()) + 1), *scope.literals.get("int", ())[:12]]
            for number in dict.fromkeys(numbers):
                text = site.text[: match.start()] + number + site.text[match.end() :]
                for changed in (text, text.replace("!=", "==")):
                    found.setdefault(changed, Wording(changed, site.binds))
    return list(found.values())[:RELATIVES]


def _renamed(text: str, names: dict[str, str]) -> str:
    return re.sub(r"(?<![\w.])[A-Za-z_]\w*", lambda m: names.get(m.group(), m.group()), text)


def known_text(site: Site, scope: Scope) -> Iterator[Offer]:
    """A text becomes one that the runs or the docstring hold: a letter for a letter, a word for one
    that is spelt like it."""
    if site.node.type != "string" or site.text[:1] not in "'\"" or len(site.text) < 3:
        return
    quote, own = site.text[0], site.text[1:-1]
    single = len(own) == 1
    rank = 0
    for text in scope.strings:
        if text == own or set(text) & {"'", '"', "\\"}:
            continue
        if single:
            near = len(text) == 1
        else:
            near = len(text) > 2 and SequenceMatcher(None, own, text).ratio() >= NEAR
        if near:
            yield becomes(site, f"{quote}{text}{quote}", 4.6 + 0.15 * rank)
            rank += 1


def with_keyword(site: Site, scope: Scope) -> Iterator[Offer]:
    """sorted(x, reverse=True), max(x, key=len)."""
    function = site.node.child_by_field_name("function")
    arguments = site.node.child_by_field_name("arguments")
    if function is None or arguments is None:
        return
    name = scope.text(function).rpartition(".")[2]
    given = [scope.text(n) for n in arguments.named_children if n.type == "keyword_argument"]
    rank = 0
    for names, options in scope.words.options:
        if name not in names:
            continue
        for option in options:
            word = option.partition("=")[0]
            if any(text.startswith(f"{word}=") for text in given):
                continue
            inside = scope.text(arguments)[1:-1].rstrip().rstrip(",")
            text = f"{scope.text(function)}({inside}{', ' if inside else ''}{option})"
            yield becomes(site, text, 5.2 + 0.12 * rank)
            rank += 1


def another_key(site: Site, scope: Scope) -> Iterator[Offer]:
    """What a lambda gives: with a tie-break, or the other way around."""
    if "keyed" not in site.roles or site.node.parent is None:
        return
    bound = [scope.text(n) for n in scope.captures.get("bound", ()) if n.parent is not None]
    own = [n for n in scope.names_at(site) if n in bound][:1]
    for rank, template in enumerate(scope.words.keys):
        wording = scope.writer.fill(template, site.wording, *map(Wording, own or [site.text]))
        yield becomes(site, wording, 5.6 + 0.2 * rank)


def _types(node: tree_sitter.Node, scope: Scope) -> frozenset[str]:
    known = scope.words.node_types.get(node.type)
    if known:
        return frozenset((known,))
    return scope.types.get(scope.text(node), frozenset())


def _level(node: tree_sitter.Node, scope: Scope) -> int:
    levels = [
        scope.words.precedence[c.type] for c in node.children if c.type in scope.words.precedence
    ]
    return min(levels, default=TIGHTEST)


def learned(site: Site, scope: Scope) -> Iterator[Offer]:
    """What was accepted elsewhere, on code of the same shape."""
    for template in scope.brief.templates:
        text = filled(template, site.text)
        if text is not None and text != site.text:
            yield becomes(site, Wording(text, site.binds), 1.0)


ON_INGREDIENTS: tuple[Operator, ...] = (
    learned,
    another_expression,
    variable_instead,
    wrapped_variable,
    part_wrapped,
    both_wrapped,
    shorter_chain,
    longer_chain,
    known_text,
    with_keyword,
    another_key,
)
