"""What names stand for: followed by scope, through aliases, imports (from file to file), `self`,
and what a class builds on; never by searching the text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import tree_sitter

from mgdebug.model import SubfunctionKind
from mgdebug.syntax.drafts import Draft, Reading
from mgdebug.syntax.source import SourceFile

_DEEPEST = 12  # aliases of aliases and modules that import from modules


@dataclass(frozen=True)
class Instance:
    """An instance of a class.

    exact: of no class below it.  above: only what the class builds on counts.  is_class: the class
    itself, or one below it, as its own methods know it."""

    kind: Draft
    exact: bool = False
    above: bool = False
    is_class: bool = False


Meaning = Draft | Instance | None


class Meanings:
    """Of the names in some files, and in those that they lead to.

    readings: the files that are there from the start.  load: reads another file of the project,
    None if there is none at the path.  found: files that were loaded, for whoever takes them."""

    def __init__(self, readings: Iterable[Reading], load: Callable[[str], Reading | None]) -> None:
        self._load = load
        self._files: dict[str, Reading | None] = {r.source.path: r for r in readings}
        self._imports: dict[str, dict[str, list[tuple[str, str]]]] = {}
        self._below: dict[Draft, list[Draft]] = defaultdict(list)
        self._known: dict[tuple[Draft, str], Meaning] = {}
        self._modules: dict[tuple[str, str], Reading | None] = {}
        self.found: list[Reading] = []
        self.learn_heirs([reading for reading in self._files.values() if reading])

    def by_scope(self, scope: Draft, name: str, depth: int = 0) -> Meaning:
        """The own scope, the functions around it, the module; never a class around.  A parameter
        or a variable of a nearer scope hides a definition."""
        key = scope, name
        if key not in self._known:
            self._known[key] = None  # a name that leads to itself stands for nothing
            self._known[key] = self._look_up(scope, name, depth)
        return self._known[key]

    def _look_up(self, scope: Draft, name: str, depth: int) -> Meaning:
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

    def _itself(self, method: Draft) -> Meaning:
        holder = method.parent
        first = not method.source.grammar.conventions.itself
        if first and holder and holder.kind is SubfunctionKind.CLASS and not method.static:
            return Instance(holder, is_class=method.of_class)
        return None

    def _bound(self, scope: Draft, name: str, depth: int) -> Meaning:
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
        return self.meaning(scope, alias, depth + 1)

    def meaning(self, scope: Draft, node: tree_sitter.Node | None, depth: int) -> Meaning:
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
            found = self.members(scope, target, text, depth + 1)
            return found[0] if len(found) == 1 else None
        if node.type in conventions.call:
            return self._made(scope, called(node, conventions.call), depth)
        text = source.slice(node.start_byte, node.end_byte)
        if conventions.itself and text == conventions.itself:
            holder = class_around(scope)
            return Instance(holder) if holder else None
        if conventions.itself and text == conventions.parent:
            holder = class_around(scope)
            return Instance(holder, above=True) if holder else None
        return self.by_scope(scope, text, depth) if not node.child_count else None

    def _made(self, scope: Draft, function: tree_sitter.Node | None, depth: int) -> Meaning:
        """What a call gives, where it is sure: an object of a class, or what is above it."""
        if function is None:
            return None
        text = scope.source.slice(function.start_byte, function.end_byte)
        if text == scope.source.grammar.conventions.parent:
            holder = class_around(scope)
            return Instance(holder, above=True) if holder else None
        meaning = self.meaning(scope, function, depth + 1)
        if isinstance(meaning, Draft) and meaning.kind is SubfunctionKind.CLASS:
            return Instance(meaning, exact=True)
        return None

    def members(
        self, scope: Draft, target: tree_sitter.Node, name: str, depth: int = 0
    ) -> list[Meaning]:
        """What a member of something may be."""
        meaning = self.meaning(scope, target, depth)
        if isinstance(meaning, Instance):
            return list(self.in_class(meaning, name))
        if isinstance(meaning, Draft):
            if meaning.kind is SubfunctionKind.CLASS:
                return list(self.in_class(Instance(meaning, exact=True), name))
            if meaning.kind is SubfunctionKind.MODULE:
                found = self._exported(meaning, name, depth + 1)
                return [found] if found is not None else []
        return []

    def in_class(self, target: Instance, name: str) -> list[Draft]:
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
                meaning = self.meaning(kind, kind.aliases[name], 1)
                own = meaning if isinstance(meaning, Draft) else None
            if own is not None and own.kind is SubfunctionKind.PROPERTY:
                return [c for c in kind.children if c.name == name]  # read, set, deleted
            if own is not None:
                return [own]
        for base in self.bases(kind):
            found = self._inherited(base, name, seen, skip=False)
            if found:
                return found
        return []

    def bases(self, kind: Draft) -> list[Draft]:
        scope = kind.parent
        found = [self.meaning(scope, node, 1) for node in kind.bases] if scope else []
        return [f for f in found if isinstance(f, Draft) and f.kind is SubfunctionKind.CLASS]

    def learn_heirs(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            for draft in reading.drafts:
                for base in self.bases(draft) if draft.bases else ():
                    self._below[base].append(draft)

    # ------------------------------------------------------------------------------- imports

    def file(self, path: str) -> Reading | None:
        """The file at a path, None if there is none."""
        return self._read(path)

    def imported(self, source: SourceFile, module: str, name: str) -> Meaning:
        """What a name of a module stands for, as a file imports it."""
        return self._import(source, module, name, 0)

    def module(self, source: SourceFile, name: str) -> Draft | None:
        """The module that a file calls so when it imports it."""
        found = self._file(source, name)
        return found.drafts[0] if found else None

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

    def _import(self, source: SourceFile, module: str, name: str, depth: int) -> Meaning:
        found = self._file(source, module)
        inside = self._exported(found.drafts[0], name, depth) if found and name else None
        if inside is not None:
            return inside
        if name:
            dot = "" if module.endswith(".") else "."
            found = self._file(source, f"{module}{dot}{name}")
        return found.drafts[0] if found else None

    def _exported(self, module: Draft, name: str, depth: int) -> Meaning:
        """A name of a module, be it its own, imported there, or a module in its folder."""
        found = self.by_scope(module, name, depth)
        if found is not None or depth > _DEEPEST:
            return found
        folder = PurePosixPath(module.source.path).parent
        for path in module.source.grammar.conventions.modules(str(folder / "_"), f".{name}"):
            reading = self._read(path) if module.source.path != path else None
            if reading:
                return reading.drafts[0]
        return None

    def _from_star(self, module: Draft, name: str, depth: int) -> Meaning:
        own = self._files.get(module.source.path)
        if own is None or not own.star:
            return None
        for other, _ in self._imported(module).get("*", ()):
            reading = self._file(module.source, other)
            found = self.by_scope(reading.drafts[0], name, depth + 1) if reading else None
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
                self.found.append(reading)
                self.learn_heirs([reading])
        return self._files[path]


def called(call: tree_sitter.Node, calls: Mapping[str, str]) -> tree_sitter.Node | None:
    return call.child_by_field_name(calls[call.type])


def class_around(scope: Draft) -> Draft | None:
    """The class whose method holds a scope."""
    at: Draft | None = scope
    while at is not None and not (at.parent and at.parent.kind is SubfunctionKind.CLASS):
        at = at.parent
    return at.parent if at is not None else None
