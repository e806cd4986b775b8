"""A patch as hunks that the user decides on: taken, rejected, or edited first.  Pure.

Lines are bytes with their ends, so that what is not touched stays as it is, and what is applied is
just what was shown.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property
from itertools import takewhile

from mgdebug import judge
from mgdebug.apply import Change
from mgdebug.errors import SourceError
from mgdebug.model import Edit, Patch
from mgdebug.states import printable
from mgdebug.syntax.source import SourceFile, unified_diff

MATCHED = 2_000  # lines of one stretch that are compared exactly; beyond, those that repeat are not

Lines = tuple[bytes, ...]


class Decision(StrEnum):
    TAKEN = "taken"
    REJECTED = "rejected"


Decisions = tuple[tuple[Decision, Lines | None], ...]


@dataclass(frozen=True, slots=True)
class Hunk:
    """Whole lines that change, with nothing unchanged between them.

    first: the line (1 is the first) before which, or from which on, lines are replaced.  old, new:
    the bytes of the lines, as on the disk, with their ends.  edited: what the user made of `new`.
    """

    path: str
    first: int
    old: Lines
    new: Lines
    decision: Decision = Decision.TAKEN
    edited: Lines | None = None

    @property
    def taken(self) -> bool:
        return self.decision is Decision.TAKEN

    @property
    def after(self) -> Lines:
        """The lines that stand there once it is applied as it is decided."""
        return self.offered if self.taken else self.old

    @property
    def offered(self) -> Lines:
        """The lines that it leaves if it is taken."""
        return self.new if self.edited is None else self.edited

    @property
    def word(self) -> str:
        """What was decided: taken, edited (and taken), or rejected."""
        return "edited" if self.taken and self.edited is not None else str(self.decision)

    @property
    def white_space_only(self) -> bool:
        return b"".join(b"".join(self.old).split()) == b"".join(b"".join(self.offered).split())


@dataclass(frozen=True)
class Hunks:
    """All hunks of a patch, in the order of files and lines.  files: those that it changes, as they
    are on the disk."""

    files: Mapping[str, SourceFile]
    patch: Patch
    all: tuple[Hunk, ...]

    @classmethod
    def of(cls, files: Mapping[str, SourceFile], patch: Patch) -> Hunks:
        """The hunks of a patch; each is taken at first, as they were tried together.  Raises
        KeyError for a file that is not there, SourceError for what its encoding cannot hold."""
        after = judge.patched(files, patch)
        found = [h for path in sorted(after) for h in _hunks(files[path], after[path], patch.edits)]
        return cls({path: files[path] for path in sorted(after)}, patch, tuple(found))

    # ---------------------------------------------------------------------------- decisions

    def toggled(self, at: int) -> Hunks:
        """With a hunk rejected if it was taken, and taken if not."""
        return self.decided([at], Decision.REJECTED if self.all[at].taken else Decision.TAKEN)

    def together(self, which: Iterable[int]) -> list[int]:
        """Some hunks, and those that are decided on with them: all, where a part of the patch would
        be half a change."""
        chosen = sorted(set(which))
        return [*range(len(self.all))] if chosen and judge.is_bound(self.patch) else chosen

    def decided(self, which: Iterable[int], decision: Decision) -> Hunks:
        """With some hunks taken or rejected, and those that belong to them.  What was edited stays
        so."""
        chosen = set(self.together(which))
        hunks = (
            replace(h, decision=decision) if i in chosen else h for i, h in enumerate(self.all)
        )
        return replace(self, all=tuple(hunks))

    def edited(self, at: int, text: str) -> Hunks:
        """With other lines in place of those that a hunk brings, and it taken.  text: as `text`
        gives it.  Raises SourceError for what the file's encoding cannot hold."""
        hunk, source = self.all[at], self.files[self.all[at].path]
        rows = text.split("\n")
        rows = rows if rows[-1] else rows[:-1]
        made = tuple(_encoded(rows, hunk.offered, source))
        changed = self._with(at, edited=None if made == hunk.new else made, decision=Decision.TAKEN)
        changed.offered(hunk.path)  # such as another encoding in the first line, which is none
        return changed.decided([at], Decision.TAKEN)

    def decisions(self) -> Decisions:
        """What was decided on each, and the lines that the user wrote for it."""
        return tuple((hunk.decision, hunk.edited) for hunk in self.all)

    def restored(self, decisions: Decisions) -> Hunks:
        """With decisions that `decisions` gave; as it is where they are not of as many hunks."""
        if len(decisions) != len(self.all):
            return self
        pairs = zip(self.all, decisions, strict=True)
        return replace(
            self, all=tuple(replace(h, decision=d, edited=edited) for h, (d, edited) in pairs)
        )

    def reset(self, at: int) -> Hunks:
        """With a hunk taken as it was offered."""
        made = self._with(at, edited=None, decision=Decision.TAKEN)
        return made.decided([at], Decision.TAKEN)

    def _with(self, at: int, *, edited: Lines | None, decision: Decision) -> Hunks:
        new = replace(self.all[at], edited=edited, decision=decision)
        return replace(self, all=(*self.all[:at], new, *self.all[at + 1 :]))

    @property
    def as_offered(self) -> bool:
        """Whether just what was tried would be applied: every hunk, none edited."""
        return all(hunk.taken and hunk.edited is None for hunk in self.all)

    # ------------------------------------------------------------------------------- results

    def text(self, at: int) -> str:
        """What a hunk brings, as characters; a line feed after each line, whatever its end."""
        hunk = self.all[at]
        encoding = self.files[hunk.path].encoding
        return "".join(f"{_body(line).decode(encoding, 'replace')}\n" for line in hunk.offered)

    def data(self, path: str) -> bytes:
        """A file as it is once all is applied as it is decided."""
        return self._joined(path, {at: h.after for at, h in enumerate(self.all) if h.path == path})

    def offered(self, path: str) -> SourceFile:
        """A file with all hunks in it, whatever was decided, edited where they were."""
        return self._offered[path]

    @cached_property
    def _offered(self) -> dict[str, SourceFile]:
        found = {}
        for path, source in self.files.items():
            data = self._joined(path, {i: h.offered for i, h in enumerate(self.all)})
            found[path] = SourceFile(path, data, source.grammar)
        return found

    def unparsed(self, path: str) -> str:
        """What of a file would not parse with all hunks in it and did before, in words, "" for
        nothing."""
        known = {what for _, _, what in self.files[path].errors}
        new = [error for error in self.offered(path).errors if error[2] not in known]
        return f"line {new[0][0]} would not parse: {printable(new[0][2])}" if new else ""

    def shift(self, at: int, *, offered: bool = False) -> int:
        """How many lines the hunks before one add to its file as they are decided, or as they were
        offered."""
        return self._shifts[at][offered]

    @cached_property
    def _shifts(self) -> list[tuple[int, int]]:
        found, path, decided, offered = [], "", 0, 0
        for hunk in self.all:
            if hunk.path != path:
                path, decided, offered = hunk.path, 0, 0
            found.append((decided, offered))
            decided += len(hunk.after) - len(hunk.old)
            offered += len(hunk.offered) - len(hunk.old)
        return found

    def changes(self) -> tuple[Change, ...]:
        """What to write: files that nothing is taken of are left out."""
        made = ((path, source, self.data(path)) for path, source in self.files.items())
        return tuple(Change(p, s.sha256, data) for p, s, data in made if data != s.data)

    def diff(self, context: int = 3) -> str:
        """The unified diff of what would be applied, one character a byte."""
        parts = (
            unified_diff(path, source.data, self.data(path), context)
            for path, source in self.files.items()
        )
        return b"".join(parts).decode("latin-1")

    def told(self, at: int, context: int = 3) -> str:
        """The unified diff of one hunk alone, as characters, whatever was decided on it."""
        path = self.all[at].path
        source = self.files[path]
        after = self._joined(path, {at: self.all[at].offered})
        diff = unified_diff(path, source.data, after, context)
        return diff.decode(source.encoding, "backslashreplace")

    def _joined(self, path: str, chosen: Mapping[int, Lines]) -> bytes:
        """A file with some lines in the places of some hunks."""
        data = self.files[path].data
        lines, parts, done = _lines(data), [_mark(data)], 0
        for at in sorted(chosen):
            hunk = self.all[at]
            if hunk.path == path:
                parts += [*lines[done : hunk.first - 1], *chosen[at]]
                done = hunk.first - 1 + len(hunk.old)
        return b"".join([*parts, *lines[done:]])


def _encoded(rows: Sequence[str], before: Lines, source: SourceFile) -> Iterator[bytes]:
    """Rows as lines of a file.  before: what they were; a row that stays keeps its bytes."""
    ends = source.newline.encode()
    bare = bool(before) and not before[-1].endswith(b"\n")  # at the end of the file
    known = [_body(line).decode(source.encoding, "replace") for line in before]
    kept = {
        block.b + i: before[block.a + i]
        for block in SequenceMatcher(None, known, rows, autojunk=False).get_matching_blocks()
        for i in range(block.size)
    }
    for at, row in enumerate(rows):
        line = kept[at] if at in kept else _written(row, source) + ends
        if bare and at == len(rows) - 1:
            yield _body(line)
        else:
            yield line if line.endswith(b"\n") else line + ends


def _written(row: str, source: SourceFile) -> bytes:
    try:
        return row.encode(source.encoding)
    except UnicodeEncodeError as error:
        what = f"{source.encoding} has no {row[error.start]!r}"
        raise SourceError(f"{source.path}: {what}", "write it as an escape") from None


def _hunks(before: SourceFile, after: SourceFile, edits: Iterable[Edit]) -> Iterator[Hunk]:
    old, new = _lines(before.data), _lines(after.data)
    for a, b, c, d in _stretches(before, len(old), len(new), edits):
        for i, j, k, m in _changed(old[a:b], new[c:d]):
            yield Hunk(before.path, a + i + 1, tuple(old[a + i : a + j]), tuple(new[c + k : c + m]))


def _stretches(
    before: SourceFile, old: int, new: int, edits: Iterable[Edit]
) -> Iterator[tuple[int, int, int, int]]:
    """Lines of the old and of the new file that edits touch: what is between them is the same.
    old, new: how many lines they have."""
    found: list[list[int]] = []  # from, to, and how many lines more there are afterwards
    for edit in sorted((e for e in edits if e.path == before.path), key=lambda e: e.start):
        start = before.line_of(edit.start) - 1
        end = before.line_of(edit.end)
        more = edit.text.count("\n") - before.text.count(b"\n", edit.start, edit.end)
        if found and start <= found[-1][1]:
            found[-1][1] = max(end, found[-1][1])
            found[-1][2] += more
        else:
            found.append([start, end, more])
    shift = 0
    for start, end, more in found:
        yield start, min(end, old), start + shift, new if end >= old else end + shift + more
        shift += more


def _changed(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    pairs = zip(old, new, strict=False)
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    one, two = old[head:], new[head:]
    exact = max(len(one), len(two)) <= MATCHED
    matcher = SequenceMatcher(None, one, two, autojunk=not exact)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            yield head + a, head + b, head + c, head + d


def _lines(data: bytes) -> list[bytes]:
    """Without a byte order mark.  Only a line feed ends a line."""
    lines = data[len(_mark(data)) :].split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _mark(data: bytes) -> bytes:
    return codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""


def _body(line: bytes) -> bytes:
    """A line without its end."""
    return line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line
