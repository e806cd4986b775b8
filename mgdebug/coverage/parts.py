"""A file of Python in parts: its functions, and all the rest, which runs when it is imported.

By texts, not by meanings: a comment in a part is a change of it.  Where the text does not parse,
the file has no part but the rest.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

REST = ""  # the key of all that is no part's


@dataclass(frozen=True, slots=True)
class Part:
    """digest: of its text; first, last: its lines, 0 for the rest."""

    digest: str
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """sha256: of the file's bytes.  parts: by qualified name, with "#2" and so on behind one that
    comes again.  names: the modules, and what may be modules, that it imports."""

    sha256: str
    parts: Mapping[str, Part]
    names: tuple[str, ...] = ()

    def at(self, line: int) -> str:
        """The key of the part that a line belongs to."""
        return next((k for k, p in self.parts.items() if p.first <= line <= p.last), REST)

    def differs(self, other: Shape) -> frozenset[str]:
        """The keys of the parts that are not alike in both."""
        one, two = ({key: p.digest for key, p in s.parts.items()} for s in (self, other))
        return frozenset(key for key in {*one, *two} if one.get(key) != two.get(key))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def shape(data: bytes, packages: Sequence[str] = ()) -> Shape:
    """packages: those that the file's module is in, by each of its names."""
    lines = data.splitlines(keepends=True)
    tree = _parsed(data)
    if tree is None:
        return Shape(sha256(data), {REST: Part(_digest(lines))})
    parts: dict[str, Part] = {}
    rest = list(lines)
    for name, first, body, last in _functions(tree.body, ""):
        key, count = name, 1
        while key in parts:
            count += 1
            key = f"{name}#{count}"
        parts[key] = Part(_digest(lines[first - 1 : last]), first, last)
        rest[body - 1 : last] = [b""] * (last - body + 1)
    parts[REST] = Part(_digest(rest))
    return Shape(sha256(data), parts, tuple(sorted(set(_imported(tree, packages)))))


def parses(data: bytes) -> bool:
    return _parsed(data) is not None


def _parsed(data: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _digest(lines: Sequence[bytes]) -> str:
    return hashlib.sha256(b"".join(lines)).hexdigest()[:16]


def _functions(body: Sequence[ast.stmt], within: str) -> Iterator[tuple[str, int, int, int]]:
    """The name of each function, its first line, the first one of its body, its last one."""
    ends = [0, *(statement.end_lineno or 0 for statement in body)]
    begins = [*(_first(statement) for statement in body[1:]), 1 << 60]
    for before, statement, after in zip(ends, body, begins, strict=False):
        inside = f"{within}{getattr(statement, 'name', '')}"
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            first, inner = _first(statement), _first(statement.body[0])
            last = statement.end_lineno or 0
            # What shares a line with others belongs to the rest.
            if before < first and last < after and statement.lineno < inner:
                yield inside, first, inner, last
        elif isinstance(statement, ast.ClassDef):
            yield from _functions(statement.body, f"{inside}.")
        else:
            for field in ("body", "orelse", "finalbody"):
                inner_body = getattr(statement, field, None)
                if isinstance(inner_body, list):
                    yield from _functions(inner_body, within)
            for handler in getattr(statement, "handlers", ()):
                yield from _functions(handler.body, within)


def _first(statement: ast.stmt) -> int:
    decorators: Sequence[ast.expr] = getattr(statement, "decorator_list", ())
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _imported(tree: ast.Module, packages: Sequence[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            for base in [""] if not node.level else packages:
                above = base.split(".")[: len(base.split(".")) - max(0, node.level - 1)]
                name = ".".join(filter(None, [*above, node.module or ""]))
                yield name
                for alias in node.names:
                    yield f"{name}.{alias.name}"
