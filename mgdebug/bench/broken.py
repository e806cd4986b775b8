"""Code that does not parse: random changes of real files, and planted slips."""

from __future__ import annotations

import ast
import random
import re
import warnings
from collections.abc import Callable, Iterator, Sequence

from mgdebug.bench.hierarchy import library
from mgdebug.errors import SourceError
from mgdebug.languages import Language, language_of
from mgdebug.model import Edit, SubfunctionKind
from mgdebug.proposers import Brief
from mgdebug.proposers.search.spelling import mend
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

CHANGES, FILES, LONGEST = 10_000, 60, 60_000  # changes; files for each slip; bytes of a file
FIRST = 10  # offers that CPython takes among which the mended text should be
Slip = Callable[[bytes], bytes | None]


def _cut(pattern: bytes, group: int = 1) -> Slip:
    """A slip that drops what a group of a pattern matches in a line."""

    def slip(line: bytes) -> bytes | None:
        found = re.search(pattern, line)
        return line[: found.start(group)] + line[found.end(group) :] if found else None

    return slip


SLIPS: dict[str, Slip] = {
    "no colon": _cut(rb"^\s*(?:def|if|for|class|while|with)\b[^#\"']*(:)\s*$"),
    "bracket not closed": _cut(rb"^[^#\"']*\([^#\"']*(\))[^#\"')]*$"),
    "bracket not opened": _cut(rb"^[^#\"'(]*\w(\()[^#\"']*$"),
    "quote missing": _cut(rb"^[^#\"']*'[^#\"'\\]+(')[^#\"']*$"),
    "bracket too many": lambda line: (
        line.replace(b")", b"))", 1) if b")" in line and not re.search(rb"[#\"']", line) else None
    ),
    "long string not closed": _cut(rb'^\s+[^"]*\S[^"]*(""")\s*$'),
    "half a line": lambda line: (
        line + b"\n" + line[: len(line) - len(line.lstrip())] + b"x = = 1" if line.strip() else None
    ),
}


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Crashes, definitions lost that the slip does not touch, and slips mended."""
    language = language_of("m.py")
    assert language is not None
    draw = random.Random(3)
    texts = []
    for path in library(only):
        data = path.read_bytes()
        if 500 < len(data) < LONGEST and data.isascii() and b"\r" not in data:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    ast.parse(data)
                except (SyntaxError, ValueError):
                    continue
            texts.append(data)
    yield from _changes(texts, language, draw)
    for name, slip in SLIPS.items():
        yield _planted(name, slip, draw.sample(texts, min(FILES, len(texts))), language, draw)


def _changes(
    texts: Sequence[bytes], language: Language, draw: random.Random
) -> Iterator[tuple[str, bool]]:
    crashes: list[str] = []
    unread = 0
    short = [text for text in texts if len(text) < LONGEST // 6]
    for number in range(CHANGES):
        data = bytearray(draw.choice(short))
        at, length = draw.randrange(len(data)), draw.randint(1, 20)
        data[at : at + draw.choice((0, length))] = draw.choice(
            (b"", draw.randbytes(length), bytes(data[at : at + length]), b"(", b'"""', b"'")
        )
        try:
            source = SourceFile("m.py", bytes(data), language.grammar())
            hierarchy = decompose([source])
            errors = [s for s in hierarchy.subfunctions.values() if s.kind is SubfunctionKind.ERROR]
            if number % 20 == 0:
                for error in errors[:1]:
                    mend(Brief(source, language, hierarchy, error, (), ()))
        except SourceError:
            unread += 1
        except Exception as error:  # what the bench is there to find
            crashes.append(f"  change {number}: {type(error).__name__}: {error}")
    yield from ((line, False) for line in crashes[:10])
    yield (
        f"broken    {CHANGES} random changes: {len(crashes)} crashes (bar 0), "
        f"{unread} texts that cannot be decoded",
        not crashes,
    )


def _planted(
    name: str, slip: Slip, texts: Sequence[bytes], language: Language, draw: random.Random
) -> tuple[str, bool]:
    planted = intact = lost = mended = first = 0
    for data in texts:
        lines = data.split(b"\n")
        places = [n for n, line in enumerate(lines) if slip(line) is not None]
        if not places:
            continue
        number = draw.choice(places)
        new = slip(lines[number])
        assert new is not None
        text = b"\n".join([*lines[:number], new, *lines[number + 1 :]])
        line = _complaint(text)
        if line is None:
            continue
        planted += 1
        at = sum(len(line) + 1 for line in lines[:number])
        after = SourceFile("m.py", text, language.grammar())
        grown = len(new) - len(lines[number])
        wanted = {
            (kind, start if start < at else start + grown, end if end < at else end + grown)
            for kind, start, end in _definitions(SourceFile("m.py", data, language.grammar()))
            if end < at or start > at + len(lines[number])
        }
        intact += len(wanted)
        lost += len(wanted - _definitions(after))
        taken = list(_taken(after, language))
        mended += any(ast.dump(tree) == ast.dump(ast.parse(data)) for tree in taken)
        first += bool(taken) and ast.dump(taken[0]) == ast.dump(ast.parse(data))
    return (
        f"          {name}: {planted} planted; {lost} of {intact} intact definitions lost; in "
        f"{mended} the original is among the first {FIRST} offers, in {first} the first",
        lost == 0,
    )


def _complaint(text: bytes) -> int | None:
    try:
        ast.parse(text)
    except SyntaxError as error:
        return error.lineno or 0
    return None


def _definitions(source: SourceFile) -> set[tuple[str, int, int]]:
    found = decompose([source]).subfunctions.values()
    kinds = (SubfunctionKind.MODULE, SubfunctionKind.ERROR)
    return {(s.name, s.span.start, s.span.end) for s in found if s.kind not in kinds}


def _taken(source: SourceFile, language: Language) -> Iterator[ast.Module]:
    """What CPython reads with the first offers that it takes."""
    hierarchy = decompose([source])
    count = 0
    for error in hierarchy.subfunctions.values():
        if error.kind is not SubfunctionKind.ERROR:
            continue
        for offer in mend(Brief(source, language, hierarchy, error, (), ())):
            text = source.splice(Edit("m.py", *edit) for edit in offer.edits).text
            try:
                yield ast.parse(text)
            except (SyntaxError, ValueError):
                continue
            count += 1
            if count == FIRST:
                return
