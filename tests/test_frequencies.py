"""How often each operator was right: how that is counted, and what it moves."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import mgdebug.proposers.search as search
from mgdebug.bench.frequencies import counted
from mgdebug.bench.running import Score
from mgdebug.proposers.search.angelic import synthesised
from mgdebug.proposers.search.conditions import ON_CONDITIONS
from mgdebug.proposers.search.frequencies import MOST, shift_of
from mgdebug.proposers.search.ingredients import ON_INGREDIENTS
from mgdebug.proposers.search.omissions import ON_OMISSIONS
from mgdebug.proposers.search.statements import ON_STATEMENTS
from mgdebug.proposers.search.values import ON_OPERATORS, ON_TARGETS, ON_VALUES

OPERATORS = {
    operator.__name__
    for operators in (
        *(ON_CONDITIONS, ON_INGREDIENTS, ON_OMISSIONS, ON_STATEMENTS),
        *(ON_OPERATORS, ON_TARGETS, ON_VALUES, (synthesised,)),
    )
    for operator in operators
}


def kept() -> dict[str, int]:
    file = Path(search.__file__).with_name("frequencies.json")
    data = json.loads(file.read_text("utf-8"))
    assert "rows" in data["counted"]  # how it was counted
    families: dict[str, int] = data["families"]
    return families


def test_the_counts_are_of_operators_that_exist() -> None:
    assert kept().keys() <= OPERATORS
    assert sum(kept().values()) > 100
    assert all(count > 0 for count in kept().values())


def test_what_was_right_more_often_is_cheaper_within_bounds() -> None:
    order = sorted(kept(), key=lambda family: -kept()[family])
    shifts = [shift_of(family) for family in order]
    assert shifts == sorted(shifts)
    assert -MOST <= shifts[0] < 0 < shifts[-1] <= MOST
    assert shift_of("nobody counted it") == 0


def test_rows_are_counted_by_the_operators_of_their_right_patch(tmp_path: Path) -> None:
    families = ["wrapped", "another_number", "", "wrapped+deleted"]
    rows = [Score(f"set/{n}", "", "fixed", family=name) for n, name in enumerate(families)]
    lines = [json.dumps(asdict(row)) for row in rows]
    (tmp_path / "scores.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    found = counted([tmp_path])
    assert found["families"] == {"wrapped": 2, "another_number": 1, "deleted": 1}
    assert "set" in str(found["counted"])
    assert "3 of 4 rows" in str(found["counted"])
