"""A language is a folder of queries in grammars/ and one adapter here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Protocol

from mgdebug.syntax.grammar import Grammar


@dataclass(frozen=True)
class Spelling:
    """How a language is spelt, for mending what does not parse.

    keywords; headers: those that begin a compound statement, definitions and conditional: those of
    them that define and that test; header_end: what ends its line; filler: a statement that does
    nothing.  quotes: the longest first.  opaque: a pattern of strings and comments.  slips: what is
    written in place of what.  missing: a first word, and one that its line must hold.  foreign:
    patterns of what other languages write, and the right words.  complaints: what an interpreter
    calls text that does not parse.
    """

    keywords: tuple[str, ...]
    headers: frozenset[str]
    definitions: frozenset[str]
    conditional: frozenset[str]
    header_end: str
    filler: str
    comma: str
    comment: str
    quotes: tuple[str, ...]
    opaque: str
    slips: Mapping[str, str]
    missing: tuple[tuple[str, str], ...]
    foreign: tuple[tuple[str, str], ...]
    complaints: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """The words that the search engine writes patches with.

    Templates take expressions as {0}, {1}, ...; brackets are put where precedence wants them.
    likes: tokens and names that stand for one another, in groups.
    """

    likes: tuple[tuple[str, ...], ...]
    mirrored: Mapping[str, str]  # operators and what they are the other way around
    precedence: Mapping[str, int]  # of operators, "unary" for signs; higher binds tighter
    from_right: tuple[str, ...]  # operators that group from the right
    chained: tuple[str, ...]  # operators that mean something else side by side
    negation: str
    both: str
    either: str
    true: str
    false: str
    nothing: str
    node_types: Mapping[str, str]  # the type of a value by the kind of its syntax node
    call_types: Mapping[str, str]  # the type that a function of the language returns
    members: frozenset[str]  # names that the language's own types have
    fixed: frozenset[str]  # types whose values never change
    numbers: frozenset[str]  # types whose values are compared by size
    literals: Mapping[str, tuple[str, ...]]  # literals of a type, the likeliest first
    atoms: Mapping[str, tuple[str, ...]]  # conditions on one value of a type
    pairs: tuple[str, ...]  # conditions on two values: equal, not, by size, within, not
    wraps: Mapping[str, tuple[str, ...]]  # expressions around one value of a type
    joins: Mapping[str, tuple[str, ...]]  # expressions around two values of a type
    picks: Mapping[str, tuple[str, ...]]  # parts of a container {0}, by a place or key {1}
    choose: str  # {0} where the condition {1} holds, else {2}
    exits: tuple[str, ...]  # statements that leave: {0} is a value
    guard: str  # {0} a condition, {1} a statement, {newline}, {indent}
    catch: str  # {0} a statement, {1} an exception, {2} what then, {newline}, {outer}, {indent}
    options: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]  # functions, their keywords
    keys: tuple[str, ...]  # what a key is made of: {0} as it is, {1} what it is made from
    steps: tuple[str, ...]  # statements that count {0}
    exceptions: tuple[str, ...]  # the likeliest first
    throw: str  # the statement that raises {0}
    give: str  # the statement that returns {0}
    wait: str  # the expression that waits for {0}
    itself: str  # the name of a method's own object
    unknown: str  # a pattern of messages: a name that nothing has
    absences: Mapping[str, str]  # patterns of messages: a module, an object has no (holder, name)
    refusals: Mapping[str, str]  # patterns of messages: a call that does not fit what is called
    signature: str  # an expression: the package of {0}, its version, "|", the signature
    importable: Callable[[str], str]  # the statement that imports a module by its name, or ""
    spelling: Spelling


class Language(Protocol):
    """What the rest of mgdebug knows of a language."""

    def grammar(self) -> Grammar: ...

    def vocabulary(self) -> Vocabulary:
        """Raises UsageError for a language that is shown, but not repaired yet."""
        ...

    def is_source(self, path: PurePosixPath) -> bool:
        """Whether a file of the project is code that may be repaired: not a test, not a fixture."""
        ...


LANGUAGES: Mapping[str, str] = {
    ".py": "mgdebug.languages.python:Python",
    ".js": "mgdebug.languages.javascript:JavaScript",
    ".mjs": "mgdebug.languages.javascript:JavaScript",
    ".cjs": "mgdebug.languages.javascript:JavaScript",
}


@cache
def _load(where: str) -> Language:
    module, _, name = where.partition(":")
    language: Language = getattr(import_module(module), name)()
    return language


def language_of(path: str | PurePosixPath) -> Language | None:
    """The language of a file by its suffix, None if there is no adapter for it."""
    where = LANGUAGES.get(PurePosixPath(path).suffix)
    return _load(where) if where else None


def grammar_folder(name: str) -> Path:
    """Where the queries of a language are: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for base in (package / "grammars", package.parent / "grammars"):
        if (base / name).is_dir():
            return base / name
    raise FileNotFoundError(f"no grammars/{name} beside {package}")
