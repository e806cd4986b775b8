"""Where a patch may go in a subfunction, and what is known there: roles, types, names in scope."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import tree_sitter

from mgdebug.languages import Vocabulary
from mgdebug.model import Block, Span, Subfunction, SubfunctionKind
from mgdebug.proposers import Brief
from mgdebug.proposers.search.wording import LOOSEST, TIGHTEST, Wording, Writer
from mgdebug.suspects import rank
from mgdebug.syntax.constants import read_by_suspects
from mgdebug.syntax.source import SourceFile

FUNCTION_TYPES = {"function", "type", "builtin_function_or_method", "method", "module"}
_BESIDE_A_CONDITION = {"conditional_expression", "if_clause", "for_in_clause"}
UNSEEN_BITS = 6.0  # the penalty of a place that no suspect block covers


@dataclass(frozen=True, slots=True)
class Site:
    """A value, an operator or a statement that may be replaced.

    types: names of the types that it may have, () if unknown.  needs: how tightly the place
    holds its value.  penalty: bits, 0 where only failing cases come.
    """

    node: tree_sitter.Node
    text: str
    roles: frozenset[str]
    types: frozenset[str]
    needs: int
    binds: int
    penalty: float

    @property
    def start(self) -> int:
        return self.node.start_byte

    @property
    def end(self) -> int:
        return self.node.end_byte

    @property
    def bare(self) -> bool:
        """A generator that stands in a call without brackets of its own."""
        parent = self.node.parent
        return parent is not None and parent.child_by_field_name("arguments") == self.node

    @property
    def wording(self) -> Wording:
        return Wording(self.text, self.binds)


@dataclass
class Scope:
    """What a patch in one subfunction may use.

    variables: names of values, by how close they are; functions: names that are called;
    members: attributes by the name of their object ("" for all).
    """

    brief: Brief
    words: Vocabulary
    writer: Writer
    variables: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=dict)
    literals: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)  # literals of the cases
    types: Mapping[str, frozenset[str]] = field(default_factory=dict)
    strings: list[str] = field(default_factory=list)  # values that the traces and docstring hold
    expressions: list[Site] = field(default_factory=list)
    targets: list[Site] = field(default_factory=list)  # names that are assigned to
    operators: list[Site] = field(default_factory=list)
    statements: list[Site] = field(default_factory=list)
    captures: dict[str, list[tree_sitter.Node]] = field(default_factory=dict)

    def text(self, node: tree_sitter.Node) -> str:
        return self.brief.source.slice(node.start_byte, node.end_byte)

    def names_at(self, site: Site) -> list[str]:
        """Variables that may be read at a site: also what the comprehensions and lambdas around it
        bind, the innermost first."""
        found: dict[str, None] = {}
        regions = [(b.parent, b) for b in self.captures.get("binder", ()) if b.parent is not None]
        around = [
            (r, b) for r, b in regions if r.start_byte <= site.start and site.end <= r.end_byte
        ]
        for _, binder in sorted(around, key=lambda pair: -pair[0].start_byte):
            for node in self.captures.get("bound", ()):
                if binder.start_byte <= node.start_byte and node.end_byte <= binder.end_byte:
                    found[self.text(node)] = None
        return list(dict.fromkeys([*found, *self.variables]))

    def _known(self, name: str) -> set[str]:
        return set(self.types.get(name, ()))

    def compatible(self, name: str, types: frozenset[str]) -> bool:
        known = self._known(name)
        return not known or not types or bool(known & types)


def survey(brief: Brief) -> Scope:
    """All sites of the brief's subfunction outside the subfunctions inside it."""
    words = brief.language.vocabulary()
    scope = Scope(brief, words, Writer(words.precedence, words.from_right, words.chained))
    source, own = brief.source, brief.subfunction
    inner = [brief.hierarchy.subfunctions[c].span for c in own.children]
    captures = source.grammar.captures("holes", source.tree.root_node)
    scope.captures = captures = {
        name: [n for n in nodes if _inside(n, own.span, inner)] for name, nodes in captures.items()
    }
    scope.types = seen_types(brief)
    penalties = _Penalties(brief)
    _name(scope, own)
    _literals(scope)
    roles = _roles(captures)
    places = _targets(captures)
    for node in places:
        roles[node.id].add("target")
    banned = _banned(captures, places)
    operators = {n.parent.id: scope.text(n) for n in captures.get("operator", ()) if n.parent}
    for node in (*captures.get("operator", ()), *captures.get("token", ())):
        scope.operators.append(_site(scope, node, roles, {}, penalties))
    for node in captures.get("expression", ()):
        if not any(start <= node.start_byte and node.end_byte <= end for start, end in banned):
            scope.expressions.append(_site(scope, node, roles, operators, penalties))
    documented = {n.id for n in captures.get("docstring", ())}
    for node in places:
        if node.type == "identifier":
            scope.targets.append(_site(scope, node, roles, {}, penalties))
    for name in ("statement", "compound"):
        for node in captures.get(name, ()):
            if node.id not in documented:
                scope.statements.append(_site(scope, node, roles, {}, penalties))
    scope.statements.sort(key=lambda s: s.start)
    return scope


def seen_types(brief: Brief) -> dict[str, frozenset[str]]:
    """The types that the names of the subfunction had in the traces."""
    found: dict[str, set[str]] = defaultdict(set)
    own = {b.id for b in brief.subfunction.blocks}
    for trace in brief.traces:
        for visit in trace.visits:
            if visit.block in own:
                for values in (visit.before, visit.after):
                    for name, value in values.items():
                        found[name].add(value.type)
        for call in trace.calls:
            if call.subfunction == brief.subfunction.id:
                for name, value in call.arguments.items():
                    found[name].add(value.type)
    return {name: frozenset(types) for name, types in found.items()}


class _Penalties:
    """Suspicion as bits: a place that half as many failing cases share is one bit worse."""

    def __init__(self, brief: Brief) -> None:
        scores = {s.block: s.score for s in brief.suspects}
        blocks = brief.subfunction.blocks
        self._blocks: list[tuple[Block, float]] = sorted(
            ((b, scores.get(b.id, 0.0)) for b in blocks), key=lambda pair: pair[0].span.start
        )
        self._read: list[tuple[int, int, float]] = []
        if brief.subfunction.kind is SubfunctionKind.MODULE:
            every = {s.block: s.score for s in rank(brief.hierarchy, brief.traces)}
            self._read = read_by_suspects(brief.source, brief.hierarchy, every)

    def at(self, start: int, end: int) -> float:
        best = 0.0
        for block, score in self._blocks:
            if block.span.start < end and start < block.span.end:
                best = max(best, score)
        for first, last, score in self._read:
            if first <= start and end <= last:
                best = max(best, score)
        return min(UNSEEN_BITS, -2 * math.log2(best)) if best > 0 else UNSEEN_BITS


def _inside(node: tree_sitter.Node, own: Span, inner: Iterable[Span]) -> bool:
    if not own.start <= node.start_byte or not node.end_byte <= own.end:
        return False
    return not any(s.start <= node.start_byte and node.end_byte <= s.end for s in inner)


def _roles(captures: Mapping[str, list[tree_sitter.Node]]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for name, nodes in captures.items():
        if name not in ("expression", "skip"):
            for node in nodes:
                found[node.id].add(name)
    return found


def _targets(captures: Mapping[str, list[tree_sitter.Node]]) -> list[tree_sitter.Node]:
    """The places that are assigned to or deleted, out of the patterns and lists around them."""
    found = []
    stack = list(captures.get("target", ()))
    while stack:
        node = stack.pop()
        if "pattern" in node.type or node.type.endswith("_list"):
            stack += node.named_children
        else:
            found.append(node)
    return found


def _banned(
    captures: Mapping[str, list[tree_sitter.Node]], targets: Iterable[tree_sitter.Node]
) -> list[tuple[int, int]]:
    """Stretches that hold no values.  Of a target only the name itself: in `a[i] = x` the a and the
    i are read."""
    nodes = [*captures.get("skip", ()), *captures.get("label", ()), *captures.get("docstring", ())]
    nodes += [node for node in targets if node.type == "identifier"]
    return [(n.start_byte, n.end_byte) for n in nodes]


def _site(
    scope: Scope,
    node: tree_sitter.Node,
    roles: Mapping[int, set[str]],
    operators: Mapping[int, str],
    penalties: _Penalties,
) -> Site:
    own = frozenset(roles.get(node.id, ()))
    needs = LOOSEST
    if own & {"function", "receiver", "subscripted", "awaited"}:
        needs = TIGHTEST
    elif node.parent is not None and node.parent.id in operators:
        needs = scope.writer.held(operators[node.parent.id], "operand.right" in own)
    elif node.parent is not None and node.parent.type in _BESIDE_A_CONDITION:
        needs = scope.words.precedence["if"] + 1
    elif "unwrapped" in own:
        needs = scope.words.precedence["unary"]
    levels = [
        scope.words.precedence[child.type]
        for child in node.children
        if child.type in scope.words.precedence
    ]
    binds = min(levels, default=TIGHTEST)
    return Site(
        node,
        scope.text(node),
        own,
        types_of(scope, node),
        needs,
        binds,
        penalties.at(node.start_byte, node.end_byte),
    )


def types_of(scope: Scope, node: tree_sitter.Node) -> frozenset[str]:
    """What an expression may be, from its syntax and the traces; nothing if unknown."""
    known = scope.words.node_types.get(node.type)
    if known:
        return frozenset((known,))
    if node.type == "identifier":
        return scope.types.get(scope.text(node), frozenset())
    function = node.child_by_field_name("function")
    if function is not None:
        name = scope.text(function).rpartition(".")[2]
        known = scope.words.call_types.get(name)
        return frozenset((known,)) if known else frozenset()
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is not None and right is not None:
        return types_of(scope, left) & types_of(scope, right)
    if len(node.named_children) == 1 and node.type in (
        "parenthesized_expression",
        "unary_operator",
    ):
        return types_of(scope, node.named_children[0])
    value = node.child_by_field_name("value")
    if value is not None and node.child_by_field_name("subscript") is not None:
        sliced = any(child.type == "slice" for child in node.named_children)
        held = types_of(scope, value)
        return held if sliced or held == {"str"} else frozenset()
    return frozenset()


def _name(scope: Scope, own: Subfunction) -> None:
    brief = scope.brief
    called = [scope.text(n) for n in scope.captures.get("function", ()) if n.type == "identifier"]
    names: dict[str, None] = dict.fromkeys(own.parameters)
    holders = [own, *_around(brief, own)]
    for holder in holders:
        for block in holder.blocks:
            if holder is own or holder.kind != "module":
                names.update(dict.fromkeys(block.writes))
                names.update(dict.fromkeys(block.reads) if holder is own else {})
    for holder in holders[1:]:
        names.update(dict.fromkeys(holder.parameters))
    for name in names:
        types = scope.types.get(name, frozenset())
        if types & FUNCTION_TYPES or (name in called and not types):
            continue
        if types or name in own.parameters or any(name in b.writes for b in own.blocks):
            scope.variables.append(name)
    siblings = [s for s in brief.hierarchy.subfunctions.values() if s.path == own.path]
    defined = [s.name for s in siblings if s.kind.called and "." not in s.qualname]
    scope.functions = list(dict.fromkeys([*called, *defined]))
    for node in scope.captures.get("member", ()):
        owner = node.parent.child_by_field_name("object") if node.parent else None
        via = scope.text(owner) if owner is not None else ""
        for key in (via, ""):
            if scope.text(node) not in scope.members.setdefault(key, []):
                scope.members[key].append(scope.text(node))


def _around(brief: Brief, own: Subfunction) -> Iterator[Subfunction]:
    for other in brief.hierarchy.subfunctions.values():
        if other.path == own.path and other.id != own.id and other.span.holds(own.span):
            yield other


def _literals(scope: Scope) -> None:
    """Literals of the file by type, the own function's first; those of the cases apart: they may
    stand in place of another literal, while an expression that becomes one knows that case alone.
    """
    found: dict[str, dict[str, None]] = defaultdict(dict)
    said: dict[str, dict[str, None]] = defaultdict(dict)
    source = scope.brief.source
    everywhere = source.grammar.captures("holes", source.tree.root_node).get("expression", ())
    for node in (*scope.captures.get("expression", ()), *everywhere):
        _add_literal(source, node, scope, found)
    for failure in scope.brief.failures:
        for words in (failure.code, failure.message):
            text = SourceFile("", words.encode("utf-8", "replace"), source.grammar)
            for node in text.grammar.captures("holes", text.tree.root_node).get("expression", ()):
                _add_literal(text, node, scope, said)
    scope.said = {kind: list(texts)[:24] for kind, texts in said.items()}
    documented = " ".join(scope.text(n) for n in scope.captures.get("docstring", ()))
    for number in re.findall(r"(?<![\w.])\d{1,4}(?![\w.])", documented):
        found["int"][number] = None
    scope.literals = {kind: list(texts)[:24] for kind, texts in found.items()}
    scope.strings = list(_strings(scope, documented))


def _add_literal(
    source: SourceFile, node: tree_sitter.Node, scope: Scope, found: dict[str, dict[str, None]]
) -> None:
    kind = scope.words.node_types.get(node.type)
    text = source.slice(node.start_byte, node.end_byte)
    if kind in ("int", "float", "str") and len(text) <= 40 and "\n" not in text:
        found[kind][text] = None


def _strings(scope: Scope, documented: str) -> Iterator[str]:
    """Texts that the runs held, their single characters, and the words of the docstring: what a
    constant may have been meant to be."""
    texts: dict[str, None] = {}
    for trace in scope.brief.traces:
        for call in trace.calls:
            for value in (*call.arguments.values(), *([call.result] if call.result else ())):
                if value.type == "str" and not value.truncated:
                    texts[value.text[1:-1]] = None
                else:
                    texts.update(dict.fromkeys(re.findall(r"'([^'\\]{1,40})'", value.text)))
    letters = dict.fromkeys(c for text in texts for c in text if not c.isalnum())
    yield from list(letters)[:24]
    yield from [text for text in texts if 1 < len(text) <= 40][:200]
    yield from dict.fromkeys(re.findall(r"[\w-]+", documented))
