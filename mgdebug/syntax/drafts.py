"""Subfunctions while their files are being read, and what a definition says before its body."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import tree_sitter

from mgdebug.model import NOWHERE, Block, BlockKind, Span, Subfunction, SubfunctionKind
from mgdebug.syntax.blocks import Place
from mgdebug.syntax.grammar import Captures
from mgdebug.syntax.source import SourceFile

MODULE, ERROR = "<module>", "<error>"


@dataclass(eq=False)
class Draft:
    """A subfunction while its file is being read.

    named: the definitions in it; of twins the last.  bound: how often its other names are written.
    elsewhere: names that it declares to belong to another scope.
    """

    source: SourceFile
    name: str
    kind: SubfunctionKind
    span: Span
    body: tuple[int, int]
    parameters: tuple[str, ...] = ()
    parent: Draft | None = None
    twin: int = 0  # a second definition of the same name in the same place
    static: bool = False  # it has no object of its own
    of_class: bool = False  # its first parameter is the class
    unbound: bool = False  # its bare name does not stand for it
    rivals: list[Draft] = field(default_factory=list)  # twins of which only one is defined
    stands_in: Place | None = None  # its run, where something decides whether that runs
    meta: tree_sitter.Node | None = None  # what makes a class
    asynchronous: bool = False
    whole: Span = NOWHERE
    decorators: list[tree_sitter.Node] = field(default_factory=list)
    bases: list[tree_sitter.Node] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    children: list[Draft] = field(default_factory=list)
    named: dict[str, Draft] = field(default_factory=dict)
    twins: dict[str, int] = field(default_factory=dict)  # how many children have a name
    bound: dict[str, int] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    aliases: dict[str, tree_sitter.Node] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)

    @property
    def qualname(self) -> str:
        if self.parent is None:
            return MODULE
        name = f"{self.name}@{self.twin}" if self.twin else self.name
        return name if self.parent.parent is None else f"{self.parent.qualname}.{name}"

    @property
    def id(self) -> str:
        return f"{self.source.path}::{self.qualname}"

    def finished(self) -> Subfunction:
        name = self.id
        ids = {place: f"{name}#{number}" for number, place in enumerate(self.places)}
        blocks = tuple(
            Block(
                ids[p],
                p.kind,
                p.span(self.source),
                tuple(p.reads),
                tuple(p.writes),
                ids.get(p.parent, "") if p.parent else "",
                p.exit,
            )
            for p in self.places
        )
        text = self.source.slice
        return Subfunction(
            name,
            self.source.path,
            self.name,
            self.qualname,
            self.kind,
            self.span,
            self.parameters,
            blocks,
            tuple(self.calls),
            tuple(self.unknown),
            tuple(child.id for child in self.children),
            tuple(text(d.start_byte, d.end_byte) for d in self.decorators),
            self.whole,
            self.asynchronous,
        )


class Mention(NamedTuple):
    """A place where a name is used that may stand for a subfunction.

    value: it is not called there."""

    draft: Draft
    name: str
    node: tree_sitter.Node
    value: bool


@dataclass
class Reading:
    """What one sweep over a file has found.  drafts: the module's own first, the rest in the order
    of the text.  names, members: mentions, bare and behind a dot; computed: called values without a
    name; the nodes are those of tree."""

    source: SourceFile
    tree: tree_sitter.Tree
    drafts: list[Draft]
    names: list[Mention] = field(default_factory=list)
    computed: list[tree_sitter.Node] = field(default_factory=list)
    members: list[Mention] = field(default_factory=list)
    imports: list[tree_sitter.Node] = field(default_factory=list)
    star: bool = False  # whether one of them binds whatever the other module has

    def add_error(self, stretch: Span) -> None:
        """A stretch that is not in the tree, as a part of the smallest subfunction around it, or of
        the one that ends right before it, if it stands as deep as a body would."""
        body = stretch.start, stretch.end
        text, deep = self.source.text, len(self.source.indent(stretch.start))

        def holds(draft: Draft) -> bool:
            start, end = draft.whole.start, draft.span.end
            if start >= body[0]:
                return False
            right_before = end <= body[0] and not text[end : body[0]].strip()
            return body[1] <= end or (right_before and deep > len(self.source.indent(start)))

        holders = [draft for draft in self.drafts[1:] if holds(draft)]
        error = Draft(self.source, ERROR, SubfunctionKind.ERROR, stretch, body, whole=stretch)
        error.places.append(Place(BlockKind.ERROR, *body))
        adopt(holders[-1] if holders else self.drafts[0], error)
        self.drafts.append(error)


def adopt(parent: Draft, child: Draft) -> None:
    child.parent = parent
    child.twin = parent.twins.get(child.name, 0)
    parent.twins[child.name] = child.twin + 1
    parent.children.append(child)
    if not child.unbound:
        earlier = parent.named.get(child.name)
        if earlier and earlier.stands_in is not child.stands_in:
            child.rivals = [earlier, *earlier.rivals]
        parent.named[child.name] = child
    if parent.kind is SubfunctionKind.CLASS and child.kind is SubfunctionKind.FUNCTION:
        child.kind = SubfunctionKind.METHOD


def definitions(source: SourceFile, captures: Captures) -> list[Draft]:
    """The drafts of a file in the order of the text, not yet nested."""
    length = len(source.text)
    whole = source.stretch(0, length)
    drafts = [Draft(source, MODULE, SubfunctionKind.MODULE, whole, (0, length), whole=whole)]
    found = [
        (node, kind)
        for kind in (SubfunctionKind.FUNCTION, SubfunctionKind.CLASS, SubfunctionKind.LAMBDA)
        for node in captures.get(kind, ())
    ]
    if not found:
        return drafts
    found.sort(key=lambda pair: (pair[0].start_byte, -pair[0].end_byte))
    names, bodies = (sorted(captures.get(name, ()), key=START) for name in ("name", "body"))
    name_starts, body_starts = ([START(node) for node in nodes] for nodes in (names, bodies))
    by_id = {}
    for node, kind in found:
        # A lambda's name stands before it, that of a definition inside it.
        at = bisect.bisect_left(name_starts, node.start_byte)
        name = names[at - (kind is SubfunctionKind.LAMBDA)]
        body = bodies[bisect.bisect_left(body_starts, max(node.start_byte, name.end_byte))]
        span = source.span(node)
        draft = Draft(
            source,
            source.slice(name.start_byte, name.end_byte),
            kind,
            span,
            (body.start_byte, body.end_byte),
            whole=span,
        )
        drafts.append(draft)
        by_id[node.id] = draft
    _describe(source, captures, drafts, by_id)
    return drafts


START = attrgetter("start_byte")


def _describe(
    source: SourceFile, captures: Captures, drafts: list[Draft], by_id: dict[int, Draft]
) -> None:
    """Parameters, bases and decorators: what a definition says of itself before its body."""
    lists = sorted(captures.get("parameters", ()), key=START)
    spans = [(node.start_byte, node.end_byte) for node in lists]
    owners = [by_id.get(node.parent.id) if node.parent else None for node in lists]
    nodes = [*captures.get("parameter", ()), *captures.get("local", ())]
    for node, at in innermost(sorted(nodes, key=START), spans):
        owner = owners[at] if at is not None else None
        if owner is not None:
            owner.parameters += (source.slice(node.start_byte, node.end_byte),)
    starts = [draft.span.start for draft in drafts[1:]]

    def holder(node: tree_sitter.Node) -> Draft:
        return drafts[bisect.bisect_right(starts, node.start_byte)]

    for node in captures.get("async", ()):
        holder(node).asynchronous = True
    for node in sorted(captures.get("base", ()), key=START):
        holder(node).bases.append(node)
    texts = sorted(captures.get("decorator", ()), key=START)
    for node in captures.get("decorated", ()):
        decorated = by_id.get(node.named_children[-1].id)
        if decorated is not None:
            decorated.whole = source.span(node)
            head = range(node.start_byte, decorated.span.start)
            decorated.decorators = [text for text in texts if text.start_byte in head]
    for node in captures.get("meta", ()):
        holder(node).meta = node
    for node in captures.get("unbound", ()):
        if node.id in by_id:
            by_id[node.id].unbound = True
    for name in ("property", "static", "of_class"):
        marks = [node.start_byte for node in captures.get(name, ())]
        for draft in drafts[1:] if marks else ():
            if any(draft.whole.start <= mark < draft.body[0] for mark in marks):
                if name == "static":
                    draft.static = True
                elif name == "of_class":
                    draft.of_class = True
                elif draft.kind is SubfunctionKind.FUNCTION:
                    draft.kind = SubfunctionKind.PROPERTY


def innermost(
    nodes: Sequence[tree_sitter.Node], spans: Sequence[tuple[int, int]]
) -> Iterator[tuple[tree_sitter.Node, int | None]]:
    """Each node with the index of the smallest span that holds it.  Both are sorted by their start,
    larger spans first; spans nest and never cross."""
    stack: list[int] = []
    following = 0
    for node in nodes:
        start, end = node.start_byte, node.end_byte
        while following < len(spans) and spans[following][0] <= start:
            stack.append(following)
            following += 1
        # A span that ended before this node never holds a later one.
        while stack and spans[stack[-1]][1] < end:
            stack.pop()
        yield node, stack[-1] if stack else None
