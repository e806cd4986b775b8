"""What a recorder keeps of a value reads as the value did, and runs no code of the user's."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from interpreters import EVERY, run_inside
from test_snapshot import HOSTILE, MORE

KEEP = """
import importlib
keeping = importlib.import_module("_mgdebug_probe.keep")
room = keeping.Room()
keep = keeping.keeper(room)
del called[:]
answer = {}
for name, make in VALUES.items():
    value = make()
    del called[:]
    kept = keep(value)
    texts = [keeping.shot(kept), snapshot(value)]
    answer[name] = [texts, list(called)]
"""


MADE = "VALUES = {name: (lambda it=it: it) for name, it in VALUES.items()}\n"
TABLES = {
    "hostile": HOSTILE[: HOSTILE.index("answer = {}")],
    "more": MORE[: MORE.index("started = ")] + MADE,
}


@cache
def kept(python: str, table: str) -> Any:
    return run_inside(python, table + KEEP, None)


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.parametrize("table", TABLES)
def test_no_code_of_the_user_runs(python: str, table: str) -> None:
    found = kept(python, TABLES[table])
    assert {name: called for name, (_, called) in found.items() if called} == {}


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.parametrize("table", TABLES)
def test_what_is_kept_reads_as_the_value_does(python: str, table: str) -> None:
    found = kept(python, TABLES[table])
    assert len(found) > 30
    other = {name: texts for name, (texts, _) in found.items() if texts[0] != texts[1]}
    assert other == {}


CHANGES = """
import importlib
from collections import Counter, defaultdict, deque
keeping = importlib.import_module("_mgdebug_probe.keep")
keep = keeping.keeper(keeping.Room())
class Plain:
    def __init__(self): self.items = [1, [2]]
plain = Plain()
pairs = [
    (x, change) for x, change in [
        ([1, 2], lambda x: x.append(3)), ([[1], [2]], lambda x: x[0].append(3)),
        ({"a": [1]}, lambda x: x["a"].append(2)), ({1, 2}, lambda x: x.add(3)),
        (deque([1]), lambda x: x.append(2)), (Counter("ab"), lambda x: x.update("a")),
        (defaultdict(list, a=[1]), lambda x: x["a"].append(2)),
        ((1, [2]), lambda x: x[1].append(3)),
        (plain, lambda x: x.items[1].append(3)),
        (list(range(100)), lambda x: x.clear()),
        ([{"k": [None]}], lambda x: x[0]["k"].append(0)),
    ]
]
answer = []
for value, change in pairs:
    kept, before = keep(value), keeping.snapshot(value)
    change(value)
    answer.append([before, keeping.shot(kept)])
"""


@pytest.mark.parametrize("python", EVERY)
def test_what_changes_later_reads_as_it_was(python: str) -> None:
    found = run_inside(python, CHANGES, None)
    assert len(found) == 11
    for before, shown in found:
        assert shown == before


DEEP = """
import importlib
keeping = importlib.import_module("_mgdebug_probe.keep")
keeping.bound = importlib.import_module("_mgdebug_probe.snapshot").bound
keeping.bound(depth=6)
keep = keeping.keeper(keeping.Room())
value = [[[[1, 2, [3, {"d": 5}]]]]]
answer = [keeping.shot(keep(value)), keeping.snapshot(value)]
"""


@pytest.mark.parametrize("python", EVERY)
def test_the_depth_is_that_of_the_settings(python: str) -> None:
    one, two = run_inside(python, DEEP, None)
    assert one == two
    assert one[1] == "[[[[1, 2, [3, {'d': 5}]]]]]"
