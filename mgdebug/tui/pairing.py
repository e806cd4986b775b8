"""Which old line stands for which new one, and what changed between the two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

ALIKE = 0.4  # of two lines that stand for each other, word by word
COMPARED = 400  # pairs of lines of one hunk that are compared; beyond, places decide
LONGEST = 1_000  # characters of a line that is looked into
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")

Pair = tuple[int | None, int | None]
Stretches = Sequence[tuple[int, int]]


def paired(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """Places in both, in order; None where a line stands for none."""
    if len(old) == len(new) or len(old) * len(new) > COMPARED:
        both = min(len(old), len(new))
        return [
            *((at, at) for at in range(both)),
            *((at, None) for at in range(both, len(old))),
            *((None, at) for at in range(both, len(new))),
        ]
    return _best(old, new)


def _best(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """The pairs that are most alike in all."""
    alike = [[_ratio(one, two) for two in new] for one in old]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for a in reversed(range(len(old))):
        for b in reversed(range(len(new))):
            together = alike[a][b] + best[a + 1][b + 1] if alike[a][b] >= ALIKE else 0.0
            best[a][b] = max(together, best[a + 1][b], best[a][b + 1])
    found: list[Pair] = []
    a = b = 0
    while a < len(old) and b < len(new):
        if alike[a][b] >= ALIKE and best[a][b] == alike[a][b] + best[a + 1][b + 1]:
            found.append((a, b))
            a, b = a + 1, b + 1
        elif best[a][b] == best[a + 1][b]:
            found.append((a, None))
            a += 1
        else:
            found.append((None, b))
            b += 1
    found += [(at, None) for at in range(a, len(old))]
    return found + [(None, at) for at in range(b, len(new))]


def _ratio(one: str, two: str) -> float:
    return _matcher(_WORDS.findall(one.strip()), _WORDS.findall(two.strip())).ratio()


def _matcher(one: Sequence[str], two: Sequence[str]) -> SequenceMatcher[str]:
    return SequenceMatcher(None, one, two, autojunk=False)


def spots(one: str, two: str) -> tuple[Stretches, Stretches]:
    """What differs in two lines, whole words, from and to in characters; nothing where they have
    little in common."""
    if max(len(one), len(two)) > LONGEST:
        return (), ()
    old, new = _WORDS.findall(one), _WORDS.findall(two)
    matcher = _matcher(old, new)
    if matcher.ratio() < ALIKE:
        return (), ()
    left, right = list[tuple[int, int]](), list[tuple[int, int]]()
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            left += _stretch(old, a, b)
            right += _stretch(new, c, d)
    return left, right


def _stretch(words: Sequence[str], start: int, end: int) -> Stretches:
    first = sum(map(len, words[:start]))
    return [(first, first + sum(map(len, words[start:end])))] if end > start else []
