"""Which constants of a module the suspects read."""

from __future__ import annotations

from mgdebug.languages import language_of
from mgdebug.syntax.constants import READ, read_by_suspects
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

TEXT = """\
import math
from os import path

RATE = 3
UNUSED = 4
LOW, HIGH = 1, 9
HIDDEN = 5


def helper(x, default=RATE):
    return x


def price(n):
    HIDDEN = n
    return helper(n * RATE) + math.floor(HIDDEN) + len(path.sep)


def clamp(n):
    return max(LOW, min(HIGH, n))
"""


def test_statements_are_as_suspicious_as_half_of_who_reads_them() -> None:
    language = language_of("m.py")
    assert language is not None
    source = SourceFile("m.py", TEXT.encode(), language.grammar())
    hierarchy = decompose([source])
    blocks = {s.qualname: [b.id for b in s.blocks] for s in hierarchy.subfunctions.values()}
    scores = dict.fromkeys(blocks["price"], 0.8) | dict.fromkeys(blocks["clamp"], 0.2)
    found = {
        source.slice(a, b): score for a, b, score in read_by_suspects(source, hierarchy, scores)
    }
    assert found == {"RATE = 3": READ * 0.8, "LOW, HIGH = 1, 9": READ * 0.2}
    assert read_by_suspects(source, hierarchy, {}) == []
