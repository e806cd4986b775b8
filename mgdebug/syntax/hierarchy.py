"""Files -> Hierarchy: subfunctions, their blocks, who calls whom, and the order of repair.

The order is MGDebugger's ("From Code to Correctness", Shi et al. 2024): what is called is
repaired before what calls it.  Calls are resolved by scope, never by searching the text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import tree_sitter

from mgdebug.model import Block, Hierarchy, Span, Subfunction
from mgdebug.syntax.blocks import RawBlock, find_blocks, innermost
from mgdebug.syntax.source import SourceFile

MODULE = "<module>"


@dataclass
class _Draft:
    """A subfunction while its file is being read."""

    source: SourceFile
    name: str
    kind: str
    span: Span
    parameters: tuple[str, ...] = ()
    parent: _Draft | None = None
    bases: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    children: list[_Draft] = field(default_factory=list)
    calls: dict[str, None] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)
    named: dict[str, _Draft] = field(default_factory=dict)  # children; of twins the last
    bound: set[str] = field(default_factory=set)  # names that are no definitions
    twin: int = 0  # a second definition of the same name in the same place

    @property
    def qualname(self) -> str:
        if self.parent is None:
            return MODULE
        name = f"{self.name}@{self.twin}" if self.twin else self.name
        return name if self.parent.parent is None else f"{self.parent.qualname}.{name}"

    @property
    def id(self) -> str:
        return f"{self.source.path}::{self.qualname}"

    def child(self, name: str) -> _Draft | None:
        """The definition of a name here; the last one wins, as when the code runs."""
        return self.named.get(name)

    def callee(self) -> _Draft:
        """Calling a class calls its __init__ if it has one."""
        return (self.child("__init__") or self) if self.kind == "class" else self


def decompose(sources: Iterable[SourceFile]) -> Hierarchy:
    """The hierarchy of some files.  Deterministic: it depends on the texts and their order only.
    A call that does not resolve inside its file is listed as unknown."""
    drafts = [draft for source in sources for draft in _read(source)]
    found = {
        d.id: Subfunction(
            d.id,
            d.source.path,
            d.name,
            d.qualname,
            d.kind,
            d.span,
            d.parameters,
            tuple(d.blocks),
            tuple(d.calls),
            tuple(d.unknown),
            tuple(c.id for c in d.children),
        )
        for d in drafts
    }
    return Hierarchy(found, bottom_up({s.id: (*s.children, *s.calls) for s in found.values()}))


def bottom_up(edges: Mapping[str, Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Strongly connected components, callees first (Tarjan 1972, without recursion).
    edges: each name with the names that it needs; ties go by the order of the mapping."""
    order: list[tuple[str, ...]] = []
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    for root in edges:
        if root in number:
            continue
        work = [(root, iter(edges[root]))]
        number[root] = low[root] = len(number)
        path.append(root)
        on_path.add(root)
        while work:
            name, targets = work[-1]
            for target in targets:
                if target not in number:
                    number[target] = low[target] = len(number)
                    path.append(target)
                    on_path.add(target)
                    work.append((target, iter(edges[target])))
                    break
                if target in on_path:
                    low[name] = min(low[name], number[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == number[name]:
                    group = [path.pop()]
                    while group[-1] != name:
                        group.append(path.pop())
                    on_path.difference_update(group)
                    order.append(tuple(sorted(group, key=number.__getitem__)))
    return tuple(order)


def _read(source: SourceFile) -> list[_Draft]:
    root = source.tree.root_node
    last = source.line_of(max(0, len(source.text) - 1))
    module = _Draft(source, MODULE, "module", Span(0, len(source.text), 1, last))
    drafts = [module, *_definitions(source, root)]
    spans = [draft.span for draft in drafts]
    _adopt(drafts)
    for raw, owner in _owned(drafts, find_blocks(source)):
        owner.blocks.append(raw.owned(f"{owner.id}#{len(owner.blocks)}"))
    _link(source, root, drafts, spans)
    return drafts


def _definitions(source: SourceFile, root: tree_sitter.Node) -> list[_Draft]:
    captures = source.grammar.captures("subfunctions", root)
    names = {n.parent.id: n for n in captures.get("name", ()) if n.parent}
    parameters = {n.parent.id: n for n in captures.get("parameters", ()) if n.parent}
    found = []
    for kind in ("function", "class"):
        for node in captures.get(kind, ()):
            name = names[node.id]
            text = source.slice(name.start_byte, name.end_byte)
            inside = _parameter_names(source, parameters.get(node.id))
            found.append(_Draft(source, text, kind, source.span(node), inside))
    return sorted(found, key=lambda d: d.span.start)


def _parameter_names(source: SourceFile, node: tree_sitter.Node | None) -> tuple[str, ...]:
    names = []
    for child in node.named_children if node else ():
        if child.type != "comment":
            inner = child
            while inner.type != "identifier" and inner.named_children:
                inner = inner.named_children[0]
            if inner.type == "identifier":
                names.append(source.slice(inner.start_byte, inner.end_byte))
    return tuple(names)


def _adopt(drafts: list[_Draft]) -> None:
    stack = [drafts[0]]
    for draft in drafts[1:]:
        while not stack[-1].span.holds(draft.span):
            stack.pop()
        draft.parent = stack[-1]
        earlier = draft.parent.child(draft.name)
        draft.twin = earlier.twin + 1 if earlier else 0
        draft.parent.children.append(draft)
        draft.parent.named[draft.name] = draft
        stack.append(draft)


def _owned(drafts: list[_Draft], blocks: list[RawBlock]) -> Iterator[tuple[RawBlock, _Draft]]:
    """Each block with the smallest subfunction whose body holds it.  The run that holds a whole
    definition belongs to the scope around it."""
    stack, following = [drafts[0]], 1
    for raw in blocks:
        while following < len(drafts) and drafts[following].span.start < raw.span.start:
            stack.append(drafts[following])
            following += 1
        while not stack[-1].span.holds(raw.span):
            stack.pop()
        yield raw, stack[-1]


def _link(
    source: SourceFile, root: tree_sitter.Node, drafts: list[_Draft], spans: list[Span]
) -> None:
    captures = source.grammar.captures("calls", root)
    for node, at in innermost(captures.get("bound", ()), spans):
        if at is not None:
            drafts[at].bound.add(source.slice(node.start_byte, node.end_byte))
    for node, at in innermost(captures.get("base", ()), spans):
        if at is not None:
            drafts[at].bases.append(source.slice(node.start_byte, node.end_byte))
    for node, at in innermost(captures.get("name", ()), spans):
        if at is not None:
            name = source.slice(node.start_byte, node.end_byte)
            _add(drafts[at], name, _by_scope(drafts[at], name))
    objects: dict[int, tree_sitter.Node] = defaultdict()
    for node in captures.get("object", ()):
        if node.parent:
            objects[node.parent.id] = node
    for node, at in innermost(captures.get("method", ()), spans):
        if at is None or node.parent is None:
            continue
        name = source.slice(node.start_byte, node.end_byte)
        target = objects.get(node.parent.id)
        via = source.slice(target.start_byte, target.end_byte) if target else ""
        _add(drafts[at], name, _by_object(drafts[at], via, name))


def _add(caller: _Draft, name: str, target: _Draft | None) -> None:
    if target is None:
        caller.unknown[name] = None
    else:
        caller.calls[target.callee().id] = None


def _by_scope(scope: _Draft, name: str) -> _Draft | None:
    """Python's rule: the own scope, the functions around it, the module; never a class around.
    A parameter or a variable of a nearer scope hides a definition."""
    at: _Draft | None = scope
    while at is not None:
        if at.kind != "class" or at is scope:
            found = at.child(name)
            if found or name in at.parameters or name in at.bound:
                return found
        at = at.parent
    return None


def _by_object(scope: _Draft, via: str, name: str) -> _Draft | None:
    """A method called on the first parameter of the method around, or on a class by its name."""
    method: _Draft | None = scope
    while method and not (method.parent and method.parent.kind == "class"):
        method = method.parent
    if method and method.parent and method.parameters[:1] == (via,):
        return _in_class(method.parent, name, set())
    holder = _by_scope(scope, via) if via else None
    return _in_class(holder, name, set()) if holder and holder.kind == "class" else None


def _in_class(holder: _Draft, name: str, seen: set[str]) -> _Draft | None:
    found = holder.child(name)
    if found or holder.id in seen:
        return found
    seen.add(holder.id)
    for base in holder.bases:
        parent = _by_scope(holder.parent, base) if holder.parent else None
        found = _in_class(parent, name, seen) if parent and parent.kind == "class" else None
        if found:
            return found
    return None
