"""One file -> its subfunctions with their blocks and names, read in one sweep over the text.

Stretches of the text nest: bodies of subfunctions, blocks, what a block decides over, scopes of
expressions.  The sweep goes through them and the names side by side, so that its cost grows with
the length of the file alone.
"""

from __future__ import annotations

from typing import NamedTuple

import tree_sitter

from mgdebug.syntax.blocks import Place, places
from mgdebug.syntax.drafts import START, Draft, Mention, Reading, adopt, definitions, innermost
from mgdebug.syntax.grammar import Captures
from mgdebug.syntax.source import SourceFile

_BODY, _OVER, _BLOCK, _OUTSIDE, _SCOPE = range(5)  # what comes first where stretches are equal


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
    drafts = definitions(source, captures)
    reading = Reading(source, tree, drafts, imports=captures.get("import", []))
    reading.star = "star" in captures
    reading.computed = captures.get("computed", [])
    _Sweep(source, captures, reading).run()
    return reading


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
            adopt(draft, subject)
            self.around = _Around(subject)
        elif isinstance(subject, Place):
            if rank == _BLOCK:
                subject.parent = next((p for p in powers if p is not subject), None)
                subject.depth = len(scopes)
                draft.places.append(subject)
                blocks = (subject, *blocks)
            self.around = _Around(draft, blocks, (subject, *powers), scopes)
