"""A language as the syntax rooms see it: a tree-sitter language, its queries, its conventions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tree_sitter

from mgdebug.syntax.glue import Glue

Captures = dict[str, list[tree_sitter.Node]]


@dataclass(frozen=True)
class Watched:
    """Words of one language that a patch should not bring in unseen.

    deeds: what a text does that uses one of some words; {0} is the word.  compares: methods by
    which values compare or show, and what a change of one does.  swallows: what a handler of every
    exception does.  itself: names of a method's own object.  judges: patterns of the names of
    files that say what is right or how it is run.
    """

    deeds: Mapping[str, tuple[str, ...]]
    compares: tuple[str, ...]
    comparing: str
    swallows: str
    itself: tuple[str, ...]
    judges: tuple[str, ...]


@dataclass(frozen=True)
class Conventions:
    """What a grammar's queries cannot say: names, node types and patterns that have a meaning."""

    constructors: tuple[str, ...]  # methods that a call of their class may call
    itself: str  # the word for the object of a method, "" where it is the first parameter
    parent: str  # the word, called, for what a class builds on
    attribute: tuple[str, str, str]  # the node type of `object.member`, and the fields of both
    call: Mapping[str, str]  # node types of calls, each with the field of what is called
    passed: tuple[str, ...]  # node types of places that hand a value over
    invoked: str  # the method that runs when an object is called
    nameless: str  # how the code of a lambda is called
    implicit: Mapping[str, tuple[str, ...]]  # methods that a capture of `implicit` may call
    goes_on: str  # a pattern of lines that go on with the statement above at the same indent
    joins: str  # a pattern of lines that belong to the statement below
    long_quotes: tuple[str, ...]  # what begins and ends a string over lines
    opaque: str  # a pattern of whole strings and comments
    # The paths that a module may have, from that of the importing file and the name written there.
    modules: Callable[[str, str], Iterable[str]]
    main: tuple[str, ...] = ()  # what a module gives when no name is asked for
    watched: Watched | None = None  # None: no patch of it is flagged


@dataclass(frozen=True)
class Grammar:
    """A language as the syntax rooms see it: a tree-sitter language and its queries by name."""

    name: str
    language: tree_sitter.Language
    queries: Mapping[str, tree_sitter.Query]
    conventions: Conventions
    glue: Glue | None = None  # None: its functions cannot be outlined

    @classmethod
    def read(
        cls,
        folder: Path,
        language: tree_sitter.Language,
        told: Conventions,
        glue: Glue | None = None,
    ) -> Grammar:
        """The queries of a folder, each under its name, and `structure`: those that the hierarchy
        needs of every file as one, since each query walks the whole tree."""
        texts = {file.stem: file.read_text("utf-8") for file in sorted(folder.glob("*.scm"))}
        texts["structure"] = "".join(texts[name] for name in ("subfunctions", "blocks", "calls"))
        queries = {name: tree_sitter.Query(language, text) for name, text in texts.items()}
        return cls(folder.name, language, queries, told, glue)

    def parse(self, text: bytes, old: tree_sitter.Tree | None = None) -> tree_sitter.Tree:
        """old: the tree of an earlier text, with the edits since then; what they do not touch is
        not parsed again."""
        parser = tree_sitter.Parser(self.language)
        return parser.parse(text, old) if old else parser.parse(text)

    def captured(self, query: str, node: tree_sitter.Node) -> Captures:
        """Nodes by capture name, in no particular order."""
        return tree_sitter.QueryCursor(self.queries[query]).captures(node)

    def matches(self, query: str, node: tree_sitter.Node) -> Iterator[Captures]:
        """Captures of one match after another."""
        for _, match in tree_sitter.QueryCursor(self.queries[query]).matches(node):
            yield match

    def captures(self, query: str, node: tree_sitter.Node) -> Captures:
        """Nodes by capture name, in the order of the text."""
        found = self.captured(query, node)
        return {name: sorted(nodes, key=_position) for name, nodes in found.items()}


def _position(node: tree_sitter.Node) -> tuple[int, int]:
    return node.start_byte, -node.end_byte
