"""Who calls whom.  Names are resolved by scope, class and import, never by searching the text.

What a name stands for is followed through aliases, imports (from file to file, when asked for),
`self`, and what a class builds on.  A method called on an object of unknown or open class is an
edge to each method that may run there (class hierarchy analysis: Dean, Grove and Chambers 1995).
What cannot be resolved is listed as unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import tree_sitter

from mgdebug.model import SubfunctionKind
from mgdebug.syntax.drafts import START, Draft, Mention, Reading, innermost
from mgdebug.syntax.source import SourceFile

Follow = Callable[[str], SourceFile | None]
"""The file of a path in the project, None if there is no such one."""

_SHOWN = 40  # characters of a called expression that has no name
_DEEPEST = 12  # aliases of aliases and modules that import from modules


@dataclass(frozen=True)
class _Object:
    """An instance of a class.

    exact: of no class below it.  above: only what the class builds on counts.  is_class: the class
    itself, or one below it, as its own methods know it."""

    kind: Draft
    exact: bool = False
    above: bool = False
    is_class: bool = False


_Meaning = Draft | _Object | None


class Resolver:
    """Fills in `calls` and `unknown` of the drafts of some files.

    load: reads another file of the project, None if there is none at the path."""

    def __init__(self, load: Callable[[str], Reading | None]) -> None:
        self._load = load
        self._files: dict[str, Reading | None] = {}
        self._imports: dict[str, dict[str, list[tuple[str, str]]]] = {}
        self._below: dict[Draft, list[Draft]] = defaultdict(list)
        self._new: list[Reading] = []
        self._known: dict[tuple[Draft, str], _Meaning] = {}
        self._modules: dict[tuple[str, str], Reading | None] = {}

    def resolve(self, readings: Iterable[Reading]) -> Iterator[Reading]:
        """Each reading once its calls are known, those that were followed to after them."""
        self._new = list(readings)
        self._files = {reading.source.path: reading for reading in self._new}
        self._heirs(self._new)
        while self._new:
            reading = self._new.pop(0)
            for mention in reading.names:
                self._name(mention)
            for mention in reading.members:
                self._member(mention)
            self._nameless(reading)
            self._implicit(reading)
            yield reading

    # ------------------------------------------------------------------------------ mentions

    def _name(self, mention: Mention) -> None:
        meaning = self._by_scope(mention.draft, mention.name)
        conventions = mention.draft.source.grammar.conventions
        if conventions.itself and mention.name == conventions.parent:
            meaning = self._meaning(mention.draft, mention.node, 0)
        if not mention.value:
            self._call(mention, meaning)
        elif isinstance(meaning, Draft):
            self._value(mention, meaning)

    def _member(self, mention: Mention) -> None:
        target = _object_of(mention)
        found = self._of(mention.draft, target, mention.name) if target is not None else []
        if not mention.value:
            for meaning in found or [None]:
                self._call(mention, meaning)
        elif not found:
            mention.draft.unknown[mention.name] = None
        for meaning in found if mention.value else ():
            if isinstance(meaning, Draft):
                self._value(mention, meaning)

    def _call(self, mention: Mention, meaning: _Meaning) -> None:
        caller = mention.draft
        if isinstance(meaning, _Object):
            invoked = caller.source.grammar.conventions.invoked
            found = [] if meaning.above else self._in_class(meaning, invoked)
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
            caller.calls[draft.id] = None
        if not found and mention.name != caller.source.grammar.conventions.parent:
            caller.unknown[mention.name] = None

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
            mention.draft.calls[meaning.id] = None
        elif meaning.kind is not SubfunctionKind.CLASS or handed:
            mention.draft.unknown[mention.name] = None

    def _constructors(self, kind: Draft) -> list[Draft]:
        """What a call of a class calls: its constructors, else just the class."""
        names = kind.source.grammar.conventions.constructors
        found = [d for name in names for d in self._in_class(_Object(kind, exact=True), name)]
        return found or [kind]

    def _constructors_above(self, target: _Object) -> list[Draft]:
        names = target.kind.source.grammar.conventions.constructors
        return [d for name in names for d in self._in_class(target, name)]

    def _wrappers(self, function: Draft) -> list[Draft]:
        """What stands in for a function: the functions inside its decorators."""
        found = []
        for node in function.decorators:
            scope = function.parent or function
            meaning = self._meaning(scope, _callee(node, function), 0)
            if isinstance(meaning, Draft) and meaning.kind.called:
                found += [d for d in _inside(meaning) if d.kind.called]
            elif isinstance(meaning, Draft):
                invoked = function.source.grammar.conventions.invoked
                found += self._in_class(_Object(meaning, exact=True), invoked)
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
            meta = self._meaning(at.parent, at.meta, 1) if at.parent and at.meta else None
            if isinstance(meta, Draft) and meta.kind is SubfunctionKind.CLASS:
                names = meta.source.grammar.conventions.constructors
                exact = _Object(meta, exact=True)
                return [d for name in names for d in self._in_class(exact, name)]
            waiting += [base for base in self._bases(at) if base not in seen]
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

    # ------------------------------------------------------------------------------ meanings

    def _by_scope(self, scope: Draft, name: str, depth: int = 0) -> _Meaning:
        """The own scope, the functions around it, the module; never a class around.  A parameter
        or a variable of a nearer scope hides a definition."""
        key = scope, name
        if key not in self._known:
            self._known[key] = None  # a name that leads to itself stands for nothing
            self._known[key] = self._look_up(scope, name, depth)
        return self._known[key]

    def _look_up(self, scope: Draft, name: str, depth: int) -> _Meaning:
        at: Draft | None = scope
        while at is not None:
            if at.kind is not SubfunctionKind.CLASS or at is scope:
                found = at.named.get(name)
                if found is not None:
                    return found
                if name in at.parameters:
                    return self._itself(at) if at.parameters[0] == name else None
                if name in at.bound:
                    return self._bound(at, name, depth)
            if at.parent is None:
                return self._from_star(at, name, depth)
            at = at.parent
        return None

    def _itself(self, method: Draft) -> _Meaning:
        holder = method.parent
        first = not method.source.grammar.conventions.itself
        if first and holder and holder.kind is SubfunctionKind.CLASS and not method.static:
            return _Object(holder, is_class=method.of_class)
        return None

    def _bound(self, scope: Draft, name: str, depth: int) -> _Meaning:
        """A variable that is written once: another name for something, or an import."""
        if depth > _DEEPEST:
            return None
        for module, member in self._imported(scope).get(name, ()):
            found = self._import(scope.source, module, member, depth + 1)
            if found is not None:
                return found
        alias = scope.aliases.get(name)
        if alias is None or scope.bound[name] > 1:
            return None
        return self._meaning(scope, alias, depth + 1)

    def _meaning(self, scope: Draft, node: tree_sitter.Node | None, depth: int) -> _Meaning:
        """What an expression stands for, as far as its names tell."""
        if node is None or depth > _DEEPEST:
            return None
        source, conventions = scope.source, scope.source.grammar.conventions
        kind, of, member = conventions.attribute
        if node.type == kind:
            target, name = node.child_by_field_name(of), node.child_by_field_name(member)
            if target is None or name is None:
                return None
            text = source.slice(name.start_byte, name.end_byte)
            found = self._of(scope, target, text, depth + 1)
            return found[0] if len(found) == 1 else None
        if node.type in conventions.call:
            return self._made(scope, _called(node, conventions.call), depth)
        text = source.slice(node.start_byte, node.end_byte)
        if conventions.itself and text == conventions.itself:
            holder = _class_around(scope)
            return _Object(holder) if holder else None
        if conventions.itself and text == conventions.parent:
            holder = _class_around(scope)
            return _Object(holder, above=True) if holder else None
        return self._by_scope(scope, text, depth) if not node.child_count else None

    def _made(self, scope: Draft, function: tree_sitter.Node | None, depth: int) -> _Meaning:
        """What a call gives, where it is sure: an object of a class, or what is above it."""
        if function is None:
            return None
        text = scope.source.slice(function.start_byte, function.end_byte)
        if text == scope.source.grammar.conventions.parent:
            holder = _class_around(scope)
            return _Object(holder, above=True) if holder else None
        meaning = self._meaning(scope, function, depth + 1)
        if isinstance(meaning, Draft) and meaning.kind is SubfunctionKind.CLASS:
            return _Object(meaning, exact=True)
        return None

    def _of(
        self, scope: Draft, target: tree_sitter.Node, name: str, depth: int = 0
    ) -> list[_Meaning]:
        """What a member of something may be."""
        meaning = self._meaning(scope, target, depth)
        if isinstance(meaning, _Object):
            return list(self._in_class(meaning, name))
        if isinstance(meaning, Draft):
            if meaning.kind is SubfunctionKind.CLASS:
                return list(self._in_class(_Object(meaning, exact=True), name))
            if meaning.kind is SubfunctionKind.MODULE:
                found = self._exported(meaning, name, depth + 1)
                return [found] if found is not None else []
        return []

    def _in_class(self, target: _Object, name: str) -> list[Draft]:
        """The method that a class has, by itself or from what it builds on, and those that take its
        place in the classes below it."""
        found = self._inherited(target.kind, name, set(), skip=target.above)
        if not target.exact and not target.above:
            waiting, seen = list(self._below.get(target.kind, ())), {target.kind}
            while waiting:
                heir = waiting.pop(0)
                if heir not in seen:
                    seen.add(heir)
                    own = heir.named.get(name)
                    found += [own] if own and own not in found else []
                    waiting += self._below.get(heir, ())
        return found

    def _inherited(self, kind: Draft, name: str, seen: set[Draft], skip: bool) -> list[Draft]:
        if kind in seen:
            return []
        seen.add(kind)
        if not skip:
            own = kind.named.get(name)
            if own is None and name in kind.aliases:
                meaning = self._meaning(kind, kind.aliases[name], 1)
                own = meaning if isinstance(meaning, Draft) else None
            if own is not None and own.kind is SubfunctionKind.PROPERTY:
                return [c for c in kind.children if c.name == name]  # read, set, deleted
            if own is not None:
                return [own]
        for base in self._bases(kind):
            found = self._inherited(base, name, seen, skip=False)
            if found:
                return found
        return []

    def _bases(self, kind: Draft) -> list[Draft]:
        scope = kind.parent
        found = [self._meaning(scope, node, 1) for node in kind.bases] if scope else []
        return [f for f in found if isinstance(f, Draft) and f.kind is SubfunctionKind.CLASS]

    def _heirs(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            for draft in reading.drafts:
                for base in self._bases(draft) if draft.bases else ():
                    self._below[base].append(draft)

    # ------------------------------------------------------------------------------- imports

    def _imported(self, scope: Draft) -> dict[str, list[tuple[str, str]]]:
        """What the imports of a scope's file bind, by name: a module and a name in it, or "".
        Stars stand under "*"."""
        path = scope.source.path
        known = self._imports.get(path)
        reading = self._files.get(path)
        if known is None and reading is not None:
            known = self._imports[path] = defaultdict(list)
            text = scope.source.slice
            for statement in reading.imports:
                for match in scope.source.grammar.matches("imports", statement):
                    said = {k: text(n[0].start_byte, n[0].end_byte) for k, n in match.items()}
                    module, name = said["module"].strip("'\""), said.get("name", "")
                    if "all" in said:
                        known["*"].append((module, ""))
                    elif "main" in said:
                        main = scope.source.grammar.conventions.main
                        known[said["main"]] += [(module, one) for one in (*main, "")]
                    elif "alias" in said or name:
                        known[said.get("alias", name)].append((module, name))
                    else:
                        known[module.partition(".")[0]].append((module.partition(".")[0], ""))
        return known or {}

    def _import(self, source: SourceFile, module: str, name: str, depth: int) -> _Meaning:
        found = self._file(source, module)
        inside = self._exported(found.drafts[0], name, depth) if found and name else None
        if inside is not None:
            return inside
        if name:
            dot = "" if module.endswith(".") else "."
            found = self._file(source, f"{module}{dot}{name}")
        return found.drafts[0] if found else None

    def _exported(self, module: Draft, name: str, depth: int) -> _Meaning:
        """A name of a module, be it its own, imported there, or a module in its folder."""
        found = self._by_scope(module, name, depth)
        if found is not None or depth > _DEEPEST:
            return found
        folder = PurePosixPath(module.source.path).parent
        for path in module.source.grammar.conventions.modules(str(folder / "_"), f".{name}"):
            reading = self._read(path) if module.source.path != path else None
            if reading:
                return reading.drafts[0]
        return None

    def _from_star(self, module: Draft, name: str, depth: int) -> _Meaning:
        own = self._files.get(module.source.path)
        if own is None or not own.star:
            return None
        for other, _ in self._imported(module).get("*", ()):
            reading = self._file(module.source, other)
            found = self._by_scope(reading.drafts[0], name, depth + 1) if reading else None
            if found is not None:
                return found
        return None

    def _file(self, source: SourceFile, module: str) -> Reading | None:
        key = source.path, module
        if key not in self._modules:
            paths = source.grammar.conventions.modules(*key)
            found = (reading for path in paths if (reading := self._read(path)) is not None)
            self._modules[key] = next(found, None)
        return self._modules[key]

    def _read(self, path: str) -> Reading | None:
        if path not in self._files:
            reading = self._files[path] = self._load(path)
            if reading is not None:
                self._new.append(reading)
                self._heirs([reading])
        return self._files[path]


def _object_of(mention: Mention) -> tree_sitter.Node | None:
    """What stands before the dot."""
    kind, of, _ = mention.draft.source.grammar.conventions.attribute
    node = mention.node.parent
    return node.child_by_field_name(of) if node is not None and node.type == kind else None


def _callee(decorator: tree_sitter.Node, function: Draft) -> tree_sitter.Node | None:
    calls = function.source.grammar.conventions.call
    return _called(decorator, calls) if decorator.type in calls else decorator


def _called(call: tree_sitter.Node, calls: Mapping[str, str]) -> tree_sitter.Node | None:
    return call.child_by_field_name(calls[call.type])


def _inside(draft: Draft) -> Iterator[Draft]:
    for child in draft.children:
        yield child
        yield from _inside(child)


def _class_around(scope: Draft) -> Draft | None:
    """The class whose method holds a scope."""
    at: Draft | None = scope
    while at is not None and not (at.parent and at.parent.kind is SubfunctionKind.CLASS):
        at = at.parent
    return at.parent if at is not None else None
