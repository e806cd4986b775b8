"""Who calls whom.  Names are resolved by scope, class and import, never by searching the text.

What a name stands for is followed through aliases, imports (from file to file, when asked for),
`self`, and what a class builds on.  A method called on an object of unknown or open class is an
edge to each method that may run there (class hierarchy analysis: Dean, Grove and Chambers 1995).
What cannot be resolved is listed as unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import tree_sitter

from mgdebug.model import SubfunctionKind
from mgdebug.syntax.drafts import START, Draft, Mention, Reading, innermost
from mgdebug.syntax.meanings import Instance, Meaning, Meanings, called
from mgdebug.syntax.source import SourceFile

Follow = Callable[[str], SourceFile | None]
"""The file of a path in the project, None if there is no such one."""

_SHOWN = 40  # characters of a called expression that has no name


class Resolver:
    """Fills in `calls` and `unknown` of the drafts of some files.

    load: reads another file of the project, None if there is none at the path."""

    def __init__(self, load: Callable[[str], Reading | None]) -> None:
        self._load = load

    def resolve(self, readings: Iterable[Reading]) -> Iterator[Reading]:
        """Each reading once its calls are known, those that were followed to after them."""
        waiting = list(readings)
        self.meanings = Meanings(waiting, self._load)
        while waiting or self.meanings.found:
            reading = waiting.pop(0) if waiting else self.meanings.found.pop(0)
            self.fill(reading)
            yield reading

    def fill(self, reading: Reading) -> None:
        """Fill in what one file calls."""
        for mention in reading.names:
            self._name(mention)
        for mention in reading.members:
            self._member(mention)
        self._nameless(reading)
        self._implicit(reading)

    # ------------------------------------------------------------------------------ mentions

    def _name(self, mention: Mention) -> None:
        meaning = self.meanings.by_scope(mention.draft, mention.name)
        conventions = mention.draft.source.grammar.conventions
        if conventions.itself and mention.name == conventions.parent:
            meaning = self.meanings.meaning(mention.draft, mention.node, 0)
        if not mention.value:
            self._call(mention, meaning)
        elif isinstance(meaning, Draft):
            self._value(mention, meaning)

    def _member(self, mention: Mention) -> None:
        target = object_of(mention)
        found = (
            self.meanings.members(mention.draft, target, mention.name) if target is not None else []
        )
        if not mention.value:
            for meaning in found or [None]:
                self._call(mention, meaning)
        elif not found:
            self._lost(mention)
        for meaning in found if mention.value else ():
            if isinstance(meaning, Draft):
                self._value(mention, meaning)

    def _call(self, mention: Mention, meaning: Meaning) -> None:
        caller = mention.draft
        if isinstance(meaning, Instance):
            invoked = caller.source.grammar.conventions.invoked
            found = [] if meaning.above else self.meanings.in_class(meaning, invoked)
            if meaning.above and caller.source.grammar.conventions.itself:
                found = self._constructors_above(meaning)
            elif not found and meaning.is_class:
                found = self._constructors(meaning.kind)
        elif meaning is None or meaning.kind is SubfunctionKind.MODULE:
            found = []
        elif meaning.kind is SubfunctionKind.CLASS:
            found = self._constructors(meaning)
        else:
            both = [meaning, *meaning.rivals]
            found = [*both, *(w for one in both for w in self._wrappers(one))]
        for draft in found:
            self._edge(mention, draft)
        if not found and mention.name != caller.source.grammar.conventions.parent:
            self._lost(mention)

    def _edge(self, mention: Mention, target: Draft) -> None:
        mention.draft.calls[target.id] = None

    def _lost(self, mention: Mention) -> None:
        mention.draft.unknown[mention.name] = None

    def _value(self, mention: Mention, meaning: Draft) -> None:
        """A subfunction that is not called here: handed over, it will be; else it may be."""
        decorators = [d for child in mention.draft.children for d in child.decorators]
        at = mention.node.start_byte
        if any(d.start_byte <= at < d.end_byte for d in decorators):
            self._call(mention, meaning)
            return
        if meaning.kind is SubfunctionKind.MODULE:
            return
        node = mention.node.parent
        conventions = mention.draft.source.grammar.conventions
        if node is not None and node.type == conventions.attribute[0]:
            last = node.child_by_field_name(conventions.attribute[2])
            if last is not None and last.id == mention.node.id:
                node = node.parent
        handed = node is not None and node.type in conventions.passed
        if meaning.kind is SubfunctionKind.PROPERTY or (
            handed and meaning.kind is not SubfunctionKind.CLASS
        ):
            self._edge(mention, meaning)
        elif meaning.kind is not SubfunctionKind.CLASS or handed:
            self._lost(mention)

    def _constructors(self, kind: Draft) -> list[Draft]:
        """What a call of a class calls: its constructors, else just the class."""
        names = kind.source.grammar.conventions.constructors
        found = [
            d for name in names for d in self.meanings.in_class(Instance(kind, exact=True), name)
        ]
        return found or [kind]

    def _constructors_above(self, target: Instance) -> list[Draft]:
        names = target.kind.source.grammar.conventions.constructors
        return [d for name in names for d in self.meanings.in_class(target, name)]

    def _wrappers(self, function: Draft) -> list[Draft]:
        """What stands in for a function: the functions inside its decorators."""
        found = []
        for node in function.decorators:
            scope = function.parent or function
            meaning = self.meanings.meaning(scope, _callee(node, function), 0)
            if isinstance(meaning, Draft) and meaning.kind.called:
                found += [d for d in _inside(meaning) if d.kind.called]
            elif isinstance(meaning, Draft):
                invoked = function.source.grammar.conventions.invoked
                found += self.meanings.in_class(Instance(meaning, exact=True), invoked)
        return found

    def _nameless(self, reading: Reading) -> None:
        """Calls of what an expression gives, and what makes the classes."""
        text = reading.source.slice
        spans = [draft.body for draft in reading.drafts] if reading.computed else []
        for node, at in innermost(sorted(reading.computed, key=START), spans):
            if at is not None:
                words = " ".join(text(node.start_byte, node.end_byte).split())
                reading.drafts[at].unknown[words[:_SHOWN]] = None
        for draft in reading.drafts:
            if draft.parent and (draft.meta or draft.bases):
                for made in self._makers(draft):
                    draft.parent.calls[made.id] = None

    def _makers(self, kind: Draft) -> list[Draft]:
        """The methods of a metaclass that run when a class is made."""
        seen, waiting = {kind}, [kind]
        while waiting:
            at = waiting.pop(0)
            meta = self.meanings.meaning(at.parent, at.meta, 1) if at.parent and at.meta else None
            if isinstance(meta, Draft) and meta.kind is SubfunctionKind.CLASS:
                names = meta.source.grammar.conventions.constructors
                exact = Instance(meta, exact=True)
                return [d for name in names for d in self.meanings.in_class(exact, name)]
            waiting += [base for base in self.meanings.bases(at) if base not in seen]
            seen.update(waiting)
        return []

    def _implicit(self, reading: Reading) -> None:
        """Methods that syntax calls, where the file defines such: who is asked is not known."""
        grammar = reading.source.grammar
        own = {d.name for d in reading.drafts if d.kind is SubfunctionKind.METHOD}
        asked = {
            capture: methods
            for capture, names in grammar.conventions.implicit.items()
            if (methods := [name for name in names if name in own])
        }
        if not asked:
            return
        spans = [draft.body for draft in reading.drafts]
        captures = grammar.captured("implicit", reading.tree.root_node)
        for capture, methods in asked.items():
            nodes = sorted(captures.get(capture, ()), key=START)
            for at in {at for _, at in innermost(nodes, spans) if at is not None}:
                reading.drafts[at].unknown.update(dict.fromkeys(methods))


def object_of(mention: Mention) -> tree_sitter.Node | None:
    """What stands before the dot."""
    kind, of, _ = mention.draft.source.grammar.conventions.attribute
    node = mention.node.parent
    return node.child_by_field_name(of) if node is not None and node.type == kind else None


def _callee(decorator: tree_sitter.Node, function: Draft) -> tree_sitter.Node | None:
    calls = function.source.grammar.conventions.call
    return called(decorator, calls) if decorator.type in calls else decorator


def _inside(draft: Draft) -> Iterator[Draft]:
    for child in draft.children:
        yield child
        yield from _inside(child)
