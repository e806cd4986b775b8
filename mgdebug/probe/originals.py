"""A file as it was imported, and what a patched text of it changes.

Only the top-level statement that a patch changes is compiled anew: a whole file costs a multiple of
what its cases take.
"""

import __future__

import ast
import re
import types
import warnings
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from .overlay import Overlay, modules_of
from .ticks import ticked

Compile = Callable[[bytes, str, int], types.CodeType]

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=]", re.MULTILINE)
_FUTURES = 0
for _name in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _name).compiler_flag


class Pair(NamedTuple):
    """The code that was run, and the one that is to be: of a whole file, or of a statement."""

    old: types.CodeType
    new: types.CodeType


class Original:
    """One file.  Raises what compile() raises if it cannot be compiled."""

    def __init__(self, path: str, base: Dict[str, bytes]) -> None:
        """base: files in place of those on the disk."""
        overlay = Overlay()
        overlay.sources = base
        self.path = path
        self.source = overlay.source(path)
        self.imported = bool(modules_of(path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.code = _plain(self.source, path, 0)
            self._parts = _statements(self.source, path)
        self._lines = self.source.split(b"\n")
        self._flags = self.code.co_flags & _FUTURES
        self._known: Dict[Tuple[Compile, int], types.CodeType] = {}

    @property
    def ticked(self) -> types.CodeType:
        """The whole of it, with ticks."""
        return self._whole(ticked)

    def _whole(self, how: Compile) -> types.CodeType:
        if (how, -1) not in self._known:
            self._known[how, -1] = how(self.source, self.path, 0)
        return self._known[how, -1]

    def compiled(self, source: bytes, how: Compile) -> Pair:
        """What a patched text changes.  Raises what compile() raises."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lines = source.split(b"\n")
            at = self._changed(lines)
            if at is None:
                return Pair(self._whole(how), how(source, self.path, 0))
            first, last = self._parts[at]
            if (how, at) not in self._known:
                self._known[how, at] = self._part(self._lines[first - 1 : last], first, how)
            end = last + len(lines) - len(self._lines)
            try:
                new = self._part(lines[first - 1 : end], first, how)
            except SyntaxError:  # where it is wrong, the whole file tells
                return Pair(self._whole(how), how(source, self.path, 0))
            return Pair(self._known[how, at], new)

    def _part(self, lines: List[bytes], first: int, how: Compile) -> types.CodeType:
        return how(b"\n" * (first - 1) + b"\n".join(lines), self.path, self._flags)

    def _changed(self, lines: List[bytes]) -> Optional[int]:
        """The index of the only statement that differs; None if it is not so simple."""
        old, most = self._lines, min(len(lines), len(self._lines))
        same = 0
        while same < most and lines[same] == old[same]:
            same += 1
        tail = 0
        while tail < most - same and lines[-1 - tail] == old[-1 - tail]:
            tail += 1
        # Lines of the old text, from 1: the first and the last one that are not the same.
        first, last = same + 1, len(old) - tail
        for index, (begin, end) in enumerate(self._parts):
            # The line of the `def` stays, so that it is still one statement and the same one.
            if begin < first and max(first, last) <= end:
                changed = lines[same : len(lines) - tail]
                return index if all(line[:1] in (b" ", b"\t", b"") for line in changed) else None
        return None


def _plain(source: bytes, path: str, flags: int) -> types.CodeType:
    code: types.CodeType = compile(source, path, "exec", flags, dont_inherit=True)
    return code


PLAIN: Compile = _plain
TICKED: Compile = ticked


def _statements(source: bytes, path: str) -> List[Tuple[int, int]]:
    """The first and last lines of functions and classes at the top level, where lines are what they
    seem to be."""
    if b"\r" in source or b"\f" in source or _COOKIE.search(source[:500]):
        return []
    tree: ast.Module = compile(  # type: ignore[assignment]
        source, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True
    )
    found = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            begin = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if node.body[0].lineno > node.lineno and node.end_lineno is not None:
                found.append((begin, node.end_lineno))
    return found
