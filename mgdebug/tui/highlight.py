"""The colours of source code, a stretch of lines at a time: what is not looked at costs nothing."""

from __future__ import annotations

from collections.abc import Sequence

import tree_sitter

from mgdebug.syntax.source import SourceFile

QUERY = "highlights"
STRETCH = 64  # lines that are asked for together
CHARACTERS = 4_000  # of one line that are coloured
CAPTURES = (
    *("comment", "string", "escape", "number", "constant", "keyword", "call"),
    *("parameter", "type", "definition", "decorator", "itself"),
)
PLAIN = "plain"  # takes a colour away

Piece = tuple[int, int, str]  # from, to in characters of the line; the capture


def css(owner: str, prefix: str) -> str:
    """The rules for a widget's component classes: PREFIX--CAPTURE for each of CAPTURES."""
    rules = "".join(f"{owner} > .{prefix}--{name} {{ {rule} }}\n" for name, rule in _RULES.items())
    return f"\n{rules}"


_RULES = {
    "comment": "text-style: dim italic;",
    "string": "color: $text-success;",
    "escape": "color: $text-success; text-style: bold;",
    "number": "color: $text-secondary;",
    "constant": "color: $text-secondary;",
    "keyword": "color: $text-accent;",
    "call": "color: $text-primary;",
    "type": "color: $text-primary;",
    "definition": "color: $text-primary; text-style: bold;",
    "decorator": "color: $text-warning;",
    "itself": "text-style: italic;",
}


def warm(source: SourceFile) -> None:
    """Parse a file, which takes about a millisecond per 300 lines.  May be called in a thread,
    before anything of the file is shown."""
    _ = source.tree


class Highlighter:
    """Colours of one file; each line is asked for once."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self._query = source.grammar.queries.get(QUERY)
        self._count = source.line_of(len(source.text))
        self._lines: dict[int, Sequence[Piece]] = {}

    def line(self, number: int) -> Sequence[Piece]:
        """The pieces of a line (1 is the first) that have a colour, from left to right; they do not
        overlap.  A grammar without the query colours nothing."""
        if self._query is None or not 1 <= number <= self._count:
            return ()
        if number not in self._lines:
            first = (number - 1) // STRETCH * STRETCH + 1
            self._stretch(self._query, first, min(first + STRETCH - 1, self._count))
        return self._lines[number]

    def _stretch(self, query: tree_sitter.Query, first: int, last: int) -> None:
        source = self.source
        start, end = source.line_bounds(first)[0], source.line_bounds(last)[1]
        cursor = tree_sitter.QueryCursor(query)
        cursor.set_byte_range(start, max(start + 1, end))
        found = [
            (node.start_byte, -node.end_byte, pattern, name)
            for pattern, match in cursor.matches(source.tree.root_node)
            for name, nodes in match.items()
            for node in nodes
            if name in CAPTURES or name == PLAIN
        ]
        found.sort()
        inside: list[list[tuple[int, int, str]]] = [[] for _ in range(first, last + 1)]
        bounds = [source.line_bounds(line) for line in range(first, last + 1)]
        for begin, minus_end, _, name in found:
            top = max(source.line_of(begin), first)
            bottom = min(source.line_of(max(begin, -minus_end - 1)), last)
            for line in range(top, bottom + 1):
                left, right = bounds[line - first]
                inside[line - first].append((max(begin, left), min(-minus_end, right), name))
        for number, nodes in enumerate(inside, first):
            self._lines[number] = self._pieces(number, nodes)

    def _pieces(self, number: int, nodes: list[tuple[int, int, str]]) -> Sequence[Piece]:
        """nodes: in bytes of the file, the outer ones first."""
        left, right = self.source.line_bounds(number)
        right = min(right, left + CHARACTERS)
        if not nodes or right <= left:
            return ()
        paint = [""] * (right - left)
        for begin, end, name in nodes:
            begin, end = begin - left, min(end, right) - left
            if begin < end:
                paint[begin:end] = ["" if name == PLAIN else name] * (end - begin)
        pieces: list[Piece] = []
        plain = self.source.text[left:right].isascii()
        at = 0
        for stop in range(1, len(paint) + 1):
            if stop < len(paint) and paint[stop] == paint[at]:
                continue
            if paint[at]:
                ends = (at, stop) if plain else self._characters(left, at, stop)
                pieces.append((*ends, paint[at]))
            at = stop
        return pieces

    def _characters(self, left: int, start: int, end: int) -> tuple[int, int]:
        text = self.source.text
        begin = len(text[left : left + start].decode("utf-8", "replace"))
        return begin, begin + len(text[left + start : left + end].decode("utf-8", "replace"))
