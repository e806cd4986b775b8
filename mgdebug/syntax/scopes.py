"""Whose is a name: the scopes of a file and every place where a name stands."""

from __future__ import annotations

import bisect
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

import tree_sitter

from mgdebug.syntax.source import SourceFile


class Use(Enum):
    """What a place does with its name."""

    READ = "read"
    WRITE = "write"
    MAYBE = "maybe"  # a write that may be left out
    UNBIND = "unbind"
    DECLARE = "declare"  # makes the name local, and no more


@dataclass(eq=False, slots=True)
class Scope:
    """Where names live.  bound: the names that it binds; passed: those that it hands on to a
    scope further out, by name the word of the declaration.  types: its type parameters."""

    node: tree_sitter.Node
    parent: Scope | None
    roles: frozenset[str]
    bound: set[str] = field(default_factory=set)
    passed: dict[str, str] = field(default_factory=dict)
    types: set[str] = field(default_factory=set)

    def owner(self, name: str) -> Scope | None:
        """The scope whose variable a name is when it stands here; None for a global's."""
        scope: Scope | None = self
        while scope is not None and scope.parent is not None:
            seen = scope is self or "class" not in scope.roles
            if scope.passed.get(name) == "global":
                return None
            if name in scope.types or (seen and name in scope.bound and name not in scope.passed):
                return scope
            scope = scope.parent
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """A name in the text.  at: the byte where its use takes effect: a read where it stands, a
    write at the end of its assignment."""

    name: str
    use: Use
    start: int
    at: int
    scope: Scope

    def lazy(self, owner: Scope) -> bool:
        """Whether a scope that may run later stands between this place and the owner."""
        scope: Scope | None = self.scope
        while scope is not None and scope is not owner:
            if "lazy" in scope.roles and "eager" not in scope.roles:
                return True
            scope = scope.parent
        return False


class Names:
    """The roles that the query `flow` gives to the nodes of a file, its scopes and its places."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        roles: dict[int, set[str]] = {}
        root = source.tree.root_node
        captures = source.grammar.captures("flow", root)
        for role, nodes in captures.items():
            for node in nodes:
                roles.setdefault(node.id, set()).add(role)
        self._marks = {
            role: [node.start_byte for node in nodes] for role, nodes in captures.items()
        }
        self._held = {node.start_byte: node for node in captures.get("held", ())}
        self.fixed = sorted(role for role in captures if role.startswith("fixed."))
        self._roles = {key: frozenset(value) for key, value in roles.items()}
        self.scopes: list[Scope] = []
        self._labels: list[tuple[int, str]] = []
        self.places = sorted(self._walk(root), key=lambda place: (place.at, place.start))
        self._standing = sorted(self.places, key=lambda place: place.start)
        self._starts = [place.start for place in self._standing]
        for place in self.places:
            if place.use is not Use.READ:
                place.scope.bound.add(place.name)

    def roles(self, node: tree_sitter.Node) -> frozenset[str]:
        return self._roles.get(node.id, frozenset())

    def name(self, scope: Scope) -> str:
        node = scope.node.child_by_field_name("name")
        return self.source.slice(node.start_byte, node.end_byte) if node is not None else ""

    def qualname(self, scope: Scope) -> str:
        """The names of the functions and classes around a scope, and its own."""
        names, outer = [self.name(scope)], scope.parent
        while outer is not None:
            names.append(self.name(outer))
            outer = outer.parent
        return ".".join(name for name in reversed(names) if name)

    def top(self, scope: Scope) -> tree_sitter.Node:
        """The statement of the file that holds a scope."""
        statements = self.source.tree.root_node.children
        at = bisect.bisect_right(statements, scope.node.start_byte, key=lambda n: n.start_byte)
        return statements[at - 1]

    def comment(self, byte: int) -> bool:
        """Whether a byte is of a comment."""
        node = self.source.tree.root_node.descendant_for_byte_range(byte, byte + 1)
        return node is not None and node.is_extra

    def marked(self, role: str, start: int, end: int) -> list[int]:
        """Where the nodes of a role start in a stretch."""
        marks = self.watchers if role == "watcher" else self._marks.get(role, [])
        return marks[bisect.bisect_left(marks, start) : bisect.bisect_left(marks, end)]

    def held(self, start: int, end: int) -> list[str]:
        """The names in a stretch that are given an object which does something when let go."""
        nodes = (self._held[at] for at in self.marked("held", start, end))
        return [self.source.slice(node.start_byte, node.end_byte) for node in nodes]

    def standing(self, start: int, end: int) -> list[Place]:
        """The places in a stretch."""
        low = bisect.bisect_left(self._starts, start)
        return self._standing[low : bisect.bisect_left(self._starts, end)]

    @cached_property
    def watchers(self) -> list[int]:
        """Where the file names a function of its own that looks at the frames below it, by itself
        or by calling such a function."""
        uses = sorted([*self._labels, *((p.start, p.name) for p in self.places)])
        bodies: dict[str, list[tuple[int, int]]] = {}
        for scope in self.scopes:
            if "function" in scope.roles:
                stretch = (scope.node.start_byte, scope.node.end_byte)
                bodies.setdefault(self.name(scope), []).append(stretch)
        found: set[str] = set()
        marks = list(self._marks.get("fixed.frame-access", ()))
        while marks:
            fresh = {
                name
                for name, stretches in bodies.items()
                if name not in found
                for start, end in stretches
                if bisect.bisect_left(marks, start) < bisect.bisect_left(marks, end)
            }
            found |= fresh
            marks = [start for start, name in uses if name in fresh]
        return [start for start, name in uses if name in found]

    @cached_property
    def owned(self) -> dict[int, list[Place]]:
        """The places of the variables of each scope, by id() of the scope."""
        found: dict[int, list[Place]] = {}
        for place in self.places:
            owner = place.scope.owner(place.name)
            if owner is not None:
                found.setdefault(id(owner), []).append(place)
        return found

    @cached_property
    def rebound(self) -> set[tuple[int, str]]:
        """Variables that a scope further in binds anew: id() of their scope, and their name."""
        return {
            (id(scope.parent.owner(name)), name)
            for scope in self.scopes
            for name, word in scope.passed.items()
            if word == "nonlocal" and scope.parent is not None
        }

    def _walk(self, root: tree_sitter.Node) -> Iterator[Place]:
        """Every place below a node.  A stack, not recursion: long sums nest deep."""
        top = Scope(root, None, self.roles(root))
        self.scopes.append(top)
        stack = [(root, top, False, 0, False)]
        while stack:
            node, scope, maybe, end, into = stack.pop()
            roles = self.roles(node)
            if "outside" in roles and scope.parent is not None:
                scope = scope.parent
            if "name" in roles:
                roles |= {"write"} if into else set()
                yield from self._place(node, roles, scope, maybe, end)
                continue
            if "idle" in roles and "function" in scope.roles:
                continue
            maybe = maybe or "maybe" in roles
            if "binding" in roles:
                end = node.end_byte
            if "suite" in roles:
                maybe, end = False, 0
            inner = scope
            if "scope" in roles and node is not root:
                inner = Scope(node, scope, roles)
                self.scopes.append(inner)
            into = "into" in roles or (into and "group" in roles)
            stack += [(child, inner, maybe, end, into) for child in node.named_children]

    def _place(
        self, node: tree_sitter.Node, roles: frozenset[str], scope: Scope, maybe: bool, end: int
    ) -> Iterator[Place]:
        start = node.start_byte
        name = unicodedata.normalize("NFKC", self.source.slice(start, node.end_byte))
        end = max(end, node.end_byte)
        if "global" in roles or "nonlocal" in roles:
            scope.passed[name] = "global" if "global" in roles else "nonlocal"
        elif "parameter.type" in roles:
            scope.types.add(name)
        elif "walrus" in roles:
            while "comprehension" in scope.roles and scope.parent is not None:
                scope = scope.parent
            yield Place(name, Use.MAYBE if maybe else Use.WRITE, start, end, scope)
        elif "capture" in roles:
            yield Place(name, Use.MAYBE, start, node.end_byte, scope)
        elif "delete" in roles:
            yield Place(name, Use.READ, start, start, scope)
            yield Place(name, Use.UNBIND, start, node.end_byte, scope)
        elif "declare" in roles:
            yield Place(name, Use.DECLARE, start, start, scope)
        elif "write" in roles or "update" in roles:
            if "update" in roles:
                yield Place(name, Use.READ, start, start, scope)
            yield Place(name, Use.WRITE, start, end, scope)
        elif "label" in roles:
            self._labels.append((start, name))
        else:
            yield Place(name, Use.READ, start, start, scope)
