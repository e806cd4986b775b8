"""A file as it was imported, and what a patched text of it changes.

Only the top-level statement that a patch changes is compiled anew: a whole file costs a multiple of
what its cases take.
"""

import __future__

import ast
import re
import types
import warnings
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

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
            part = self._parts[at]
            if (how, at) not in self._known:
                self._known[how, at] = self._alone(part, self._lines, how)
            try:
                new = self._alone(part, lines, how)
            except SyntaxError:  # where it is wrong, the whole file tells
                return Pair(self._whole(how), how(source, self.path, 0))
            return Pair(self._known[how, at], new)

    def prepare(self, source: bytes, how: Compile) -> None:
        """Compile now what compiled() needs of the file as it was."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            at = self._changed(source.split(b"\n"))
            if at is None:
                self._whole(how)
            elif (how, at) not in self._known:
                self._known[how, at] = self._alone(self._parts[at], self._lines, how)

    def _alone(self, part: "_Part", lines: List[bytes], how: Compile) -> types.CodeType:
        """A statement at its place, with nothing else around it but the head of its class."""
        end = part.last + len(lines) - len(self._lines)
        text = [b""] * (part.first - 1) + lines[part.first - 1 : end]
        for line in range(*part.head):
            text[line - 1] = lines[line - 1]
        return how(b"\n".join(text), self.path, self._flags)

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
        changed = lines[same : len(lines) - tail]
        for index, part in enumerate(self._parts):
            # The line of the `def` stays, so that it is still one statement and the same one.
            inside = part.first < first and max(first, last) <= part.last
            if inside and all(not line or line[: part.indent].isspace() for line in changed):
                return index
        return None


def _plain(source: bytes, path: str, flags: int) -> types.CodeType:
    code: types.CodeType = compile(source, path, "exec", flags, dont_inherit=True)
    return code


PLAIN: Compile = _plain
TICKED: Compile = ticked


class _Part(NamedTuple):
    """A statement by its first and last line.  head: lines, the second one excluded, of the class
    that it is in.  indent: by how much more the lines in it are indented, at least."""

    first: int
    last: int
    head: Tuple[int, int]
    indent: int


def _statements(source: bytes, path: str) -> List[_Part]:
    """Methods, and functions and classes at the top level, where lines are what they seem to be."""
    if b"\r" in source or b"\f" in source or _COOKIE.search(source[:500]):
        return []
    tree: ast.Module = compile(  # type: ignore[assignment]
        source, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True
    )
    inner: List[_Part] = []
    outer: List[_Part] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            head = (node.lineno, _begin(node.body[0]))
            for method in node.body:
                if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    inner += _part(method, head)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            outer += _part(node, (1, 1))
    return inner + outer


def _part(node: Any, head: Tuple[int, int]) -> List[_Part]:
    if node.body[0].lineno == node.lineno or head[0] == head[1] != 1:
        return []
    return [_Part(_begin(node), node.end_lineno, head, node.col_offset + 1)]


def _begin(node: Any) -> int:
    """The first line, decorators included."""
    lines: List[int] = [one.lineno for one in getattr(node, "decorator_list", ())]
    return min([int(node.lineno), *lines])
