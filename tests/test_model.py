"""The nouns are frozen data; the events go out as JSON Lines."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest

from mgdebug import events, model
from mgdebug.events import (
    Accepted,
    Answered,
    Asked,
    Collected,
    Decomposed,
    Event,
    Finished,
    Grouped,
    Judged,
    Proposed,
    Ranked,
    Sending,
    Spent,
    Started,
    Traced,
    Verified,
    Warned,
    plain,
    to_json,
)
from mgdebug.model import (
    Alternative,
    Block,
    BlockKind,
    BlockVisit,
    Case,
    CaseKind,
    Choice,
    Edit,
    Evidence,
    Hierarchy,
    Outcome,
    Patch,
    Question,
    Repair,
    Span,
    Status,
    Stop,
    Subfunction,
    SubfunctionKind,
    Suspect,
    Target,
    Trace,
    Value,
    Verdict,
)

# Text that a careless writer breaks lines, or itself, on.
ODD = 'a\nb\r\u2028\u2029\x00\x85 "é😀" \\ \udc80\ud800'

SPAN = Span(0, 9, 1, 2)
BLOCK = Block("m.py::f#0", BlockKind.CONDITION, SPAN, ("a",), (ODD,))
INNER = Subfunction(
    "m.py::f", "m.py", "f", "f", SubfunctionKind.FUNCTION, SPAN, ("a",), (BLOCK,), ("m.py::g",)
)
HIERARCHY = Hierarchy({INNER.id: INNER}, (("m.py::f",), ("m.py::a", "m.py::b")))
PATCH = Patch((Edit("m.py", 1, 2, ODD),), "search", ODD, "m.py::f", 3.25)
VERDICT = Verdict(("one",), ("two", ODD), "does not compile", 0.5)
VALUE = Value("str", ODD, truncated=True)
VISIT = BlockVisit("m.py::f#0", 1, 2, {"a": VALUE}, {ODD: VALUE}, VALUE, left=False)
TRACE = Trace("one", Status.TIMEOUT, {"m.py::f#0": 12}, (VISIT,), 3)
EVIDENCE = Evidence("one", 7, "a", VALUE, None)
ALTERNATIVE = Alternative((PATCH, PATCH), ODD, EVIDENCE)
REPAIR = Repair(
    VERDICT, Stop.FIXED, VERDICT, PATCH, (ALTERNATIVE,), {"m.py": "0" * 64}, tried=9, seconds=1.5
)

EVENTS: list[Event] = [
    Warned(ODD, ODD),
    Collected(
        "/usr/bin/python",
        (Case("one", CaseKind.IO, "m.py", ODD),),
        (Outcome("one", Status.CRASHED, 0.1, ODD, ODD, 0.05),),
        (ODD,),
        2.5,
    ),
    Decomposed(HIERARCHY),
    Traced((TRACE,)),
    Ranked((Suspect("m.py::f", "m.py::f#0", 0.7071, ODD),)),
    Proposed("m.py::f", 64, 128, 3),
    Judged(PATCH, VERDICT, plausible=True),
    Accepted(PATCH, VERDICT),
    Asked(
        Question("m.py", ODD, (Choice(ODD, (0,)), Choice("raises OSError", (1, 2)))), (ALTERNATIVE,)
    ),
    Answered(ODD, (ALTERNATIVE,)),
    Started("/home/me", "m.py", ODD, "python3", ("search", "llm")),
    Sending(("a/b", ODD), ("host",), ("m.py",), 900, 20, None),
    Spent(3, 1, 4, 2000, 300, 0.25),
    Grouped((ALTERNATIVE, Alternative((PATCH,), ""))),
    Verified(PATCH, VERDICT, ok=False),
    Finished(REPAIR),
]
BY_NAME = {type(event).__name__: event for event in EVENTS}


def test_every_kind_of_event_has_a_sample_here() -> None:
    assert set(BY_NAME) == {kind.__name__ for kind in get_args(Event)}


@pytest.mark.parametrize("name", BY_NAME)
def test_an_event_is_one_line_of_json_that_says_all(name: str) -> None:
    line = to_json(BY_NAME[name])
    assert line.isascii()
    assert len(line.splitlines()) == 1
    found = json.loads(line)
    assert found.pop("event") == name
    assert_same(found, BY_NAME[name])


def assert_same(found: Any, value: object) -> None:
    """Plain data that says what a value of the model says, names of fields included."""
    if is_dataclass(value) and not isinstance(value, type):
        assert list(found) == [f.name for f in fields(value)]
        for field in fields(value):
            assert_same(found[field.name], getattr(value, field.name))
    elif isinstance(value, Mapping):
        assert list(found) == list(value)
        for key, item in value.items():
            assert_same(found[key], item)
    elif isinstance(value, tuple):
        assert len(found) == len(value)
        for one, two in zip(found, value, strict=True):
            assert_same(one, two)
    else:
        assert found == value
        assert type(found) in (str, int, float, bool, type(None))


def test_events_written_as_lines_are_read_as_lines(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(f"{to_json(event)}\n" for event in EVENTS), "ascii")
    lines = file.read_text("ascii").splitlines()
    assert [json.loads(line)["event"] for line in lines] == list(BY_NAME)


def test_lone_surrogates_survive_to_json_and_back() -> None:
    found = json.loads(to_json(Warned("\ud800 \udfff \udc80", "\ud83d\ude00")))
    assert found["message"] == "\ud800 \udfff \udc80"
    assert found["detail"] == "\N{GRINNING FACE}"  # a pair is one character


def test_the_plain_form_of_a_value_is_its_own() -> None:
    value = {"a": (1, [2, (3,)]), "b": {4: None}}
    assert plain(value) == {"a": [1, [2, [3]]], "b": {"4": None}}


NOUNS = [
    kind
    for module in (model, events)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if is_dataclass(kind) and kind.__module__ == module.__name__
]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_nouns_are_frozen_and_slotted(noun: type) -> None:
    instance: Any = object.__new__(noun)
    name = fields(noun)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(instance, name, None)
    with pytest.raises(FrozenInstanceError):
        delattr(instance, name)
    assert not hasattr(instance, "__dict__")


def test_nouns_hold_no_lists_and_no_sets() -> None:
    for noun in NOUNS:
        for field in fields(noun):
            assert not str(field.type).startswith(("list", "set", "dict")), field


def test_a_span_holds_itself_and_what_is_inside() -> None:
    assert SPAN.holds(SPAN)
    assert SPAN.holds(Span(1, 9, 1, 2))
    assert not SPAN.holds(Span(1, 10, 1, 2))
    assert not Span(1, 9, 1, 2).holds(SPAN)


def test_a_block_is_found_by_its_id() -> None:
    assert HIERARCHY.block("m.py::f#0") is BLOCK
    assert HIERARCHY.block("m.py::f#1") is None
    assert HIERARCHY.block("m.py::g#0") is None
    assert HIERARCHY.block("") is None


@pytest.mark.parametrize("status", Status)
def test_only_passed_and_skipped_are_well(status: Status) -> None:
    assert status.ok == (status.value in ("passed", "skipped"))


def test_a_repair_without_a_patch_has_no_best_alternative() -> None:
    assert REPAIR.best is ALTERNATIVE
    assert Repair(VERDICT, Stop.EXHAUSTED, alternatives=(ALTERNATIVE,)).best is None


def test_a_target_is_the_whole_project_unless_something_is_named() -> None:
    target = Target(Path("/p"), Path("/p/sub"))
    assert (target.path, target.qualname, target.tests, target.io) == ("", "", (), None)
