"""One file whose probes are placed."""

import ast
import bisect
import io
import re
import tokenize
from typing import Any, Sequence

from .names import data, looks_at_names, scopes
from .parts import Parts, Place
from .purity import Purity
from .sites import Builder
from .walking import walk

_HEADERS = ("loop", "with", "handler")
_WORDS = ("try", "finally", "case")
_ITERATES = ("__next__", "__iter__", "__getitem__", "__anext__")


class File:
    """Where the blocks of a file stand, and what its functions are like.

    places: of the blocks, in bytes of its UTF-8 text.  reads: the names that each block reads.
    hooks: whether exceptions are reported where they leave a function.  scopes: of the functions,
    by the ids of their nodes.
    """

    def __init__(
        self,
        source: bytes,
        places: Sequence[Place],
        tree: ast.Module,
        builder: Builder,
        reads: Sequence[Sequence[str]],
        hooks: bool,
    ) -> None:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        self._text = source.decode(encoding).encode("utf-8")
        self._lines = [0, *(end.end() for end in re.finditer(b"\r\n|\r|\n", self._text))]
        self._runs = {start: number for number, kind, start, _ in places if kind == "run"}
        self._headers = {start: n for n, kind, start, _ in places if kind in _HEADERS}
        self._words = sorted((start, n) for n, kind, start, _ in places if kind in _WORDS)
        self._conditions = sorted((s, e, n) for n, kind, s, e in places if kind == "condition")
        self.parts = Parts(self._text, places, self.start, builder, reads)
        self.builder, self.reads, self.hooks = builder, reads, hooks
        self.data, self.watched = data(tree), looks_at_names(tree)
        builder.suspends = any(
            isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)) for node in walk(tree)
        )
        self.iterators = builder.suspends or any(
            isinstance(node, ast.GeneratorExp) or getattr(node, "name", "") in _ITERATES
            for node in walk(tree)
        )
        functions = scopes(tree)
        purity = Purity(tree, functions)
        for _, scope, _ in functions:
            scope.settle(purity)
        self.scopes = {id(node): scope for node, scope, _ in functions}

    def start(self, node: Any) -> int:
        decorators = getattr(node, "decorator_list", [])
        if not decorators:
            return int(self._lines[node.lineno - 1] + node.col_offset)
        first = min(self.start(decorator) for decorator in decorators)
        return self._text.rindex(b"@", 0, first)

    def run(self, node: Any) -> int:
        """The number of the block that begins with a statement, -1 for none."""
        return self._runs.get(self.start(node), -1)

    def header(self, node: Any) -> int:
        return self._headers.get(self.start(node), -1)

    def condition(self, test: ast.expr) -> int:
        start = self.start(test)
        at = bisect.bisect_right(self._conditions, (start, 1 << 62, 0)) - 1
        if at < 0 or self._conditions[at][1] <= start:
            return -1
        return self._conditions[at][2]

    def word(self, word: str, first: Any) -> int:
        """The number of the block that is the word before a statement."""
        at = bisect.bisect_left(self._words, (self.start(first), 0)) - 1
        if at < 0 or not self._text.startswith(word.encode(), self._words[at][0]):
            return -1
        return self._words[at][1]
