"""A source file: its bytes, its UTF-8 text, its tree, and the splicing of edits.

Every position in mgdebug is a byte of the UTF-8 text without a byte order mark, which is
what tree-sitter and CPython's ast both count in.  This file alone converts between that
text, the bytes on disk (any encoding) and characters.
"""

from __future__ import annotations

import bisect
import codecs
import difflib
import hashlib
import io
import tokenize
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import tree_sitter

from mgdebug.errors import SourceError
from mgdebug.model import Edit, Span
from mgdebug.syntax.grammar import Grammar


class Node(Protocol):
    """What a Span is made from."""

    @property
    def start_byte(self) -> int: ...
    @property
    def end_byte(self) -> int: ...


class SourceFile:
    """One file of the project, never changed: edits give a new SourceFile.

    path: relative to the project's root.  data: the bytes on disk.  text: UTF-8 without a
    byte order mark, line ends as on disk.  Raises SourceError if data cannot be decoded,
    or cannot be written back byte for byte.
    """

    def __init__(self, path: str, data: bytes, grammar: Grammar) -> None:
        self._before: tuple[SourceFile, Sequence[Edit]] | None = None  # what it was spliced from
        self.path = path
        self.data = data
        self.grammar = grammar
        self.encoding, self._bom = _encoding(path, data)
        try:
            characters = data[len(self._bom) :].decode(self.encoding)
        except UnicodeDecodeError as error:
            at = len(self._bom) + error.start
            raise _undecodable(path, data, at, self.encoding) from None
        except (LookupError, UnicodeError):  # rot13, undefined: codecs, but not of text
            raise SourceError(f"{path}: {self.encoding} is no encoding of text", _SAVE) from None
        self.text = characters.encode("utf-8", "surrogatepass")
        if self._bytes(self.text) != data:
            raise SourceError(
                f"{path}: its bytes do not survive decoding and encoding as {self.encoding}", _SAVE
            )

    @classmethod
    def read(cls, root: Path, path: str, grammar: Grammar) -> SourceFile:
        """The file at root/path.  Raises SourceError if it cannot be read."""
        try:
            data = (root / path).read_bytes()
        except OSError as error:
            raise SourceError(f"{path}: {(error.strerror or str(error)).lower()}") from None
        return cls(path, data, grammar)

    @cached_property
    def tree(self) -> tree_sitter.Tree:
        """Of a spliced file only what the edits touch is parsed, if the first one has its tree."""
        if self._before is None:
            return self.grammar.parse(self.text)
        (source, edits), self._before = self._before, None
        return self.grammar.parse(self.text, source.tree_after(edits))

    def tree_after(self, edits: Sequence[Edit]) -> tree_sitter.Tree | None:
        """The tree with sorted edits marked in it, None if there is no tree yet."""
        if "tree" not in self.__dict__:
            return None
        tree = self.tree.copy()
        for edit in reversed(edits):
            new = edit.text.encode("utf-8", "surrogatepass")
            row, column = start = self._point(edit.start)
            lines = new.count(b"\n")
            tail = len(new) - new.rfind(b"\n") - 1
            end = (row + lines, tail if lines else column + len(new))
            after = edit.start + len(new)
            tree.edit(edit.start, edit.end, after, start, self._point(edit.end), end)
        return tree

    def _point(self, byte: int) -> tuple[int, int]:
        line = self.line_of(byte)
        return line - 1, byte - self._line_starts[line - 1]

    @cached_property
    def newline(self) -> str:
        """The line end that most lines use."""
        crlf = self.text.count(b"\r\n")
        return "\r\n" if crlf * 2 > self.text.count(b"\n") else "\n"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def span(self, node: Node) -> Span:
        return self.stretch(node.start_byte, node.end_byte)

    def stretch(self, start: int, end: int) -> Span:
        return Span(start, end, self.line_of(start), self.line_of(max(start, end - 1)))

    @cached_property
    def _line_starts(self) -> list[int]:
        starts, at = [0], self.text.find(b"\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find(b"\n", at + 1)
        return starts

    def line_of(self, byte: int) -> int:
        """The number of the line (1 is the first) that holds a byte."""
        return bisect.bisect_right(self._line_starts, byte)

    def line_bounds(self, line: int) -> tuple[int, int]:
        """Where a line starts, and where its text ends."""
        starts = self._line_starts
        start, end = starts[line - 1], starts[line] if line < len(starts) else len(self.text)
        return start, start + len(self.text[start:end].rstrip(b"\r\n"))

    def line_text(self, line: int) -> str:
        """A line's characters without its end."""
        starts = self._line_starts
        end = starts[line] if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].decode("utf-8", "replace").rstrip("\r\n")

    def slice(self, start: int, end: int) -> str:
        return self.text[start:end].decode("utf-8", "surrogatepass")

    def starts_line(self, byte: int) -> bool:
        """Whether only white space stands before a byte on its line."""
        return not self.text[self._line_starts[self.line_of(byte) - 1] : byte].strip()

    def indent(self, byte: int) -> str:
        """The white space before the statement that starts at a byte."""
        start = self._line_starts[self.line_of(byte) - 1]
        line = self.text[start:byte]
        return line[: len(line) - len(line.lstrip(b" \t\f"))].decode()

    @property
    def errors(self) -> list[tuple[int, int, str]]:
        """Where the text does not parse: line, column (both from 1, columns in characters) and
        what is there."""
        found: list[tuple[int, int, str]] = []
        stack = [self.tree.root_node] if self.tree.root_node.has_error else []
        while stack:
            node = stack.pop()
            if node.is_missing or node.is_error:
                line = self.line_of(node.start_byte)
                start = self._line_starts[line - 1]
                column = len(self.slice(start, node.start_byte)) + 1
                text = self.slice(node.start_byte, node.end_byte).strip().partition("\n")[0]
                what = f"missing {node.type}" if node.is_missing else text.rstrip()[:40]
                found.append((line, column, what))
            else:
                stack += [child for child in node.children if child.has_error or child.is_missing]
        return sorted(found)

    def splice(self, edits: Iterable[Edit]) -> SourceFile:
        """A new SourceFile with those edits that bear its path.  Raises ValueError if two overlap,
        SourceError if an inserted character has no place in the file's encoding."""
        mine = sorted((e for e in edits if e.path == self.path), key=lambda e: (e.start, e.end))
        parts, at = [], 0
        for edit in mine:
            if edit.start < at:
                raise ValueError(f"overlapping edits at byte {edit.start} of {self.path}")
            parts += [self.text[at : edit.start], edit.text.encode("utf-8", "surrogatepass")]
            at = edit.end
        parts.append(self.text[at:])
        after = SourceFile(self.path, self._bytes(b"".join(parts)), self.grammar)
        after._before = self, mine
        return after

    def _bytes(self, text: bytes) -> bytes:
        characters = text.decode("utf-8", "surrogatepass")
        try:
            return self._bom + characters.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise SourceError(
                f"{self.path}: {characters[error.start]!r} cannot be written as {self.encoding}"
            ) from None


_SAVE = "save the file as UTF-8, or name its encoding in the first line"


def _undecodable(path: str, data: bytes, at: int, encoding: str) -> SourceError:
    line = data.count(b"\n", 0, at) + 1
    return SourceError(f"{path}:{line}: byte {data[at]:#04x} is not {encoding}", _SAVE)


def _encoding(path: str, data: bytes) -> tuple[str, bytes]:
    """The encoding that Python would use (PEP 263) and the byte order mark, if any."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        try:  # it looks at the first two lines, and does not say where
            b"\n".join(data.split(b"\n", 2)[:2]).decode()
        except UnicodeDecodeError as bad:
            raise _undecodable(path, data, bad.start, "utf-8") from None
        raise SourceError(f"{path}: {error.msg}", "name a known encoding, or use UTF-8") from None
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    return encoding.removesuffix("-sig"), bom


def unified_diff(path: str, before: bytes, after: bytes, context: int = 3) -> bytes:
    """A diff of one file that `git apply` takes: bytes as in the file, b"" when equal."""

    def lines(data: bytes) -> list[str]:  # one byte, one character; only \n ends a line
        parts = data.decode("latin-1").split("\n")
        return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])

    name = path.encode().decode("latin-1")
    tab = "\t" if " " in path else ""
    out: list[str] = []
    for line in difflib.unified_diff(
        lines(before), lines(after), f"a/{name}{tab}", f"b/{name}{tab}", n=context
    ):
        whole = line.endswith("\n")
        out.append(line if whole else f"{line}\n\\ No newline at end of file\n")
    return "".join(out).encode("latin-1")


def edits_between(path: str, before: bytes, after: bytes) -> tuple[Edit, ...]:
    """Edits, whole lines each, that turn one UTF-8 text into another."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    # What is alike at both ends goes first: matching is quadratic in lines that repeat.
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Edit(
            path,
            starts[head + a],
            starts[head + b],
            b"".join(new[c:d]).decode("utf-8", "surrogatepass"),
        )
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    )


def _alike(one: list[bytes], two: list[bytes]) -> int:
    pairs = enumerate(zip(one, two, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(two)))
