"""One file -> its subfunctions with their blocks and names, read in one sweep over the text.

Stretches of the text nest: bodies of subfunctions, blocks, what a block decides over, scopes of
expressions.  The sweep goes through them and the names side by side, so that its cost grows with
the length of the file alone.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import tree_sitter

from mgdebug.model import NOWHERE, Block, Span, Subfunction, SubfunctionKind
from mgdebug.syntax.blocks import Place, places
from mgdebug.syntax.source import Captures, SourceFile

MODULE = "<module>"
_BODY, _OVER, _BLOCK, _OUTSIDE, _SCOPE = range(5)  # what comes first where stretches are equal


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


class _Around(NamedTuple):
    """Where the sweep is: in which subfunction and blocks (the innermost first), in which block's
    power, in which scopes of expressions."""

    draft: Draft
    blocks: tuple[Place, ...] = ()
    powers: tuple[Place, ...] = ()
    scopes: tuple[int, ...] = ()  # where they start


def read(source: SourceFile, tree: tree_sitter.Tree) -> Reading:
    """Everything that the hierarchy says of one file, but whom the names stand for.

    tree: of the source's text; it may leave out stretches that do not parse."""
    captures = source.grammar.captured("structure", tree.root_node)
    drafts = _definitions(source, captures)
    reading = Reading(source, tree, drafts, imports=captures.get("import", []))
    reading.star = "star" in captures
    reading.computed = captures.get("computed", [])
    _Sweep(source, captures, reading).run()
    return reading


def _definitions(source: SourceFile, captures: Captures) -> list[Draft]:
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


class _Sweep:
    """Names and nested stretches, side by side."""

    def __init__(self, source: SourceFile, captures: Captures, reading: Reading) -> None:
        self.source, self.captures, self.reading = source, captures, reading
        self.around = _Around(reading.drafts[0])
        self.outer: list[tuple[int, _Around]] = []
        self.limit = len(source.text) + 1  # where the innermost stretch ends
        self.stretches: list[tuple[int, int, int, int]] = []  # start, -end, rank, subject
        self.subjects: list[Draft | Place | int] = []
        self.local: dict[int, set[str]] = {}  # names of a scope of an expression, by its start

    def run(self) -> None:
        self._stretch_out()
        self._name_locals()
        self._go_through_names()
        drafts = self.reading.drafts
        for draft in drafts:
            for name in (*draft.named, *draft.elsewhere):
                draft.bound.pop(name, None)

    def _stretch_out(self) -> None:
        captures = self.captures

        def add(rank: int, start: int, end: int, subject: Draft | Place | int) -> None:
            self.stretches.append((start, -end, rank, len(self.subjects)))
            self.subjects.append(subject)

        for draft in self.reading.drafts[1:]:
            add(_BODY, *draft.body, draft)
        for place in places(self.source, captures):
            add(_BLOCK, place.start, place.end, place)
            if place.over[1]:
                add(_OVER, *place.over, place)
        for name, rank in (("outside", _OUTSIDE), ("scope", _SCOPE)):
            for node in captures.get(name, ()):
                add(rank, node.start_byte, node.end_byte, node.start_byte)
        self.stretches.sort()

    def _name_locals(self) -> None:
        scopes = sorted((n.start_byte, -n.end_byte) for n in self.captures.get("scope", ()))
        spans = [(start, -end) for start, end in scopes]
        for node, at in innermost(sorted(self.captures.get("local", ()), key=START), spans):
            if at is not None:
                name = self.source.slice(node.start_byte, node.end_byte)
                self.local.setdefault(spans[at][0], set()).add(name)

    def _go_through_names(self) -> None:
        """What is neither written nor idle is read.  Hot: once for each name of a file."""
        text, captures, reading = self.source.text, self.captures, self.reading
        starts = {
            name: {node.start_byte for node in captures.get(name, ())}
            for name in (
                "write",
                "update",
                "called",
                "method",
                "member",
                "label",
                "elsewhere",
                "rebound",
            )
        }
        write, update, called, elsewhere = (
            starts[name] for name in ("write", "update", "called", "elsewhere")
        )
        members, methods = starts["member"], starts["method"]
        idle = (
            members
            | starts["label"]
            | {
                node.start_byte
                for name in ("parameter", "local")
                for node in captures.get(name, ())
            }
        )
        own = {draft.name.encode() for draft in reading.drafts[1:]}
        telling = own.union(text[n.start_byte : n.end_byte] for n in captures.get("imported", ()))
        aliases = self._aliases(telling)
        identifiers = captures.get("identifier", [])
        words: dict[bytes, str] = {}
        stretches, at, count = self.stretches, 0, len(self.stretches)
        for start, end, number in sorted(
            [(node.start_byte, node.end_byte, i) for i, node in enumerate(identifiers)]
        ):
            while at < count and stretches[at][0] <= start:
                self._enter(stretches[at])
                at += 1
            while self.limit < end:
                self.limit, self.around = self.outer.pop()
            raw = text[start:end]
            if start in idle:
                if start in methods or (start in members and raw in own):
                    name = raw.decode("utf-8", "surrogatepass")
                    value = start not in methods
                    mention = Mention(self.around.draft, name, identifiers[number], value)
                    reading.members.append(mention)
                continue
            name = words.get(raw) or words.setdefault(raw, raw.decode("utf-8", "surrogatepass"))
            draft, blocks, _, scopes = self.around
            least = self._depth(name, scopes) if scopes else 0
            if start in write:
                draft.bound[name] = draft.bound.get(name, 0) + 1
                if start in aliases:
                    draft.aliases[name] = aliases[start]
                for place in blocks:
                    place.writes[name] = None
                continue
            if start in update:
                if start in starts["rebound"]:
                    draft.bound[name] = draft.bound.get(name, 0) + 1
                for place in blocks:
                    if place.depth >= least:
                        place.writes[name] = None
            for place in blocks:
                if place.depth >= least:
                    place.reads[name] = None
            if start in elsewhere:
                draft.elsewhere.add(name)
            elif least:
                if start in called:
                    draft.unknown[name] = None
            elif start in called:
                reading.names.append(Mention(draft, name, identifiers[number], False))
            elif raw in telling:
                reading.names.append(Mention(draft, name, identifiers[number], True))
        for stretch in stretches[at:]:  # behind the last name
            self._enter(stretch)

    def _aliases(self, telling: set[bytes]) -> dict[int, tree_sitter.Node]:
        """What a name that is assigned is another name for, by where the name stands.  Names that
        stand for what tells something tell something, too."""
        text, found = self.source.text, {}
        pairs = zip(
            *(sorted(self.captures.get(name, ()), key=START) for name in ("alias", "aliased")),
            strict=True,
        )
        for name, node in pairs:
            found[name.start_byte] = node
            if text[node.start_byte : node.end_byte].rpartition(b".")[2] in telling:
                telling.add(text[name.start_byte : name.end_byte])
        return found

    def _depth(self, name: str, scopes: tuple[int, ...]) -> int:
        """How deep a block must lie in scopes of expressions to know a name."""
        for depth in range(len(scopes), 0, -1):
            if name in self.local.get(scopes[depth - 1], ()):
                return depth
        return 0

    def _enter(self, stretch: tuple[int, int, int, int]) -> None:
        _, minus_end, rank, number = stretch
        while self.limit < -minus_end:
            self.limit, self.around = self.outer.pop()
        self.outer.append((self.limit, self.around))
        self.limit = -minus_end
        draft, blocks, powers, scopes = self.around
        subject = self.subjects[number]
        if rank == _SCOPE:
            assert isinstance(subject, int)
            self.around = _Around(draft, blocks, powers, (*scopes, subject))
        elif rank == _OUTSIDE:
            self.around = _Around(draft, blocks, powers, scopes[:-1])
        elif isinstance(subject, Draft):
            subject.stands_in = powers[0] if len(powers) > 1 else None
            _adopt(draft, subject)
            self.around = _Around(subject)
        elif isinstance(subject, Place):
            if rank == _BLOCK:
                subject.parent = next((p for p in powers if p is not subject), None)
                subject.depth = len(scopes)
                draft.places.append(subject)
                blocks = (subject, *blocks)
            self.around = _Around(draft, blocks, (subject, *powers), scopes)


def _adopt(parent: Draft, child: Draft) -> None:
    child.parent = parent
    earlier = parent.named.get(child.name)
    child.twin = earlier.twin + 1 if earlier else 0
    if earlier and earlier.stands_in is not child.stands_in:
        child.rivals = [earlier, *earlier.rivals]
    parent.children.append(child)
    parent.named[child.name] = child
    if parent.kind is SubfunctionKind.CLASS and child.kind is SubfunctionKind.FUNCTION:
        child.kind = SubfunctionKind.METHOD
