"""A repair that is found in a piece of an outlined monolith mends the monolith."""

from __future__ import annotations

from pathlib import Path

from mgdebug.events import Finished
from mgdebug.languages import language_of
from mgdebug.model import Stop, Target
from mgdebug.proposers import proposer
from mgdebug.repair import repair
from mgdebug.settings import Settings, find_python
from mgdebug.syntax.outline import outline
from mgdebug.syntax.source import SourceFile, unified_diff

MONOLITH = '''\
def report(orders, limit):
    """Totals of orders, and the large ones."""
    total = 0
    names = []
    for name, price, count in orders:
        if count > 0:
            value = price * count
            # at the limit or above
            if value > limit:
                names.append(name)
            total += value
        else:
            names.append("-" + name)
    average = total / len(orders) if orders else 0
    above = []
    for name, price, count in orders:
        # as large as the average, or larger
        if price * count >= average:
            above.append(name)
    return total, average, names, above
'''
TESTS = """\
from shop import report

def test_at_the_limit():
    assert report([("a", 5, 1), ("b", 2, 2)], 5) == (9, 4.5, ["a"], ["a"])

def test_all_of_them():
    orders = [("a", 2, 3), ("b", 10, 1), ("c", 1, 0), ("d", 1, 4)]
    assert report(orders, 5) == (20, 5, ["a", "b", "-c"], ["a", "b"])
"""


def test_a_patch_of_a_piece_is_a_minimal_patch_of_the_monolith(tmp_path: Path) -> None:
    language = language_of("shop.py")
    assert language is not None
    source = SourceFile("shop.py", MONOLITH.encode(), language.grammar())
    outlined = outline(source, statements=4, nesting=1)
    assert outlined.pieces
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "test_shop.py").write_text(TESTS)
    (tmp_path / "shop.py").write_bytes(outlined.outlined.data)
    python, _ = find_python(tmp_path, "", {})
    target = Target(tmp_path, tmp_path, "shop.py")
    stream = repair(target, [proposer("search")], Settings(time=40, jobs=1), python)
    *_, last = stream
    assert isinstance(last, Finished)
    assert last.repair.stop is Stop.FIXED
    patch = last.repair.patch
    assert patch is not None
    assert any(patch.subfunction.endswith(f"::{piece.name}") for piece in outlined.pieces)
    after = source.splice(outlined.fold(patch.edits))
    changed = [
        line
        for line in unified_diff("shop.py", source.data, after.data).decode().splitlines()
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert changed == [
        "-            if value > limit:",
        "+            if value >= limit:",
    ]
    (tmp_path / "shop.py").write_bytes(after.data)
    *_, last = repair(target, [proposer("search")], Settings(time=40, jobs=1), python)
    assert isinstance(last, Finished)
    assert last.repair.stop is Stop.CLEAN
