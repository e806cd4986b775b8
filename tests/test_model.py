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
from mgdebug.decoding import decode, from_json
from mgdebug.events import (
    Accepted,
    Answered,
    Asked,
    Collected,
    Decomposed,
    Divided,
    Event,
    Finished,
    Grouped,
    GroupEnded,
    Judged,
    Proposed,
    Ranked,
    Sending,
    Spent,
    Started,
    Streamed,
    Traced,
    Verified,
    Warned,
    Worked,
    plain,
    to_json,
)
from mgdebug.model import (
    Alternative,
    Block,
    BlockKind,
    BlockVisit,
    Call,
    Case,
    CaseKind,
    Choice,
    Edit,
    Evidence,
    Exit,
    Group,
    Hierarchy,
    Mended,
    Outcome,
    Partial,
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
GROUP = Group("m.py::f", ("one", ODD), ("two",), ("m.py",))
MENDED = Mended(GROUP, Stop.FIXED, ODD, ("m.py",), ("one",), EVIDENCE, (ODD,), worker="worker 1")
REPAIR = Repair(
    VERDICT,
    Stop.FIXED,
    VERDICT,
    PATCH,
    (ALTERNATIVE,),
    {"m.py": "0" * 64},
    tried=9,
    seconds=1.5,
    groups=(MENDED,),
    whole_runs=2,
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
    Streamed("a/b", 2, "m.py::f", ODD, fault=ODD),
    Grouped((ALTERNATIVE, Alternative((PATCH,), ""))),
    Verified(PATCH, VERDICT, ok=False),
    Divided(2, (GROUP,)),
    Worked("group 1.1, m.py::f", "worker 1", "lost", 3, ODD),
    GroupEnded(MENDED),
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


FULL = [
    Traced(
        (
            Trace(
                "one",
                Status.FAILED,
                {"m.py::f#0": 1},
                (BlockVisit("m.py::f#0", 1, 0, {}, {"a": Value("list", "[]", size=0)}),),
                calls=(Call(1, "m.py::f", 0, -1, {"a": VALUE}, None, VALUE, 1),),
            ),
        )
    ),
    # Variables that are called what the fields of a Value are called, all of them and some.
    Traced(
        (
            Trace(
                "t",
                Status.PASSED,
                {},
                (
                    BlockVisit(
                        "b",
                        0,
                        0,
                        dict.fromkeys(("type", "text", "truncated", "size"), VALUE),
                        {"type": VALUE},
                    ),
                ),
            ),
        )
    ),
    Decomposed(
        Hierarchy(
            {
                "f": Subfunction(
                    "f",
                    "m.py",
                    "f",
                    "f",
                    SubfunctionKind.LAMBDA,
                    SPAN,
                    blocks=(Block("f#0", BlockKind.RUN, SPAN, parent="f#1", exit=Exit.RAISE),),
                    whole=SPAN,
                    asynchronous=True,
                )
            },
            (),
        )
    ),
    Finished(
        Repair(
            VERDICT,
            Stop.EXHAUSTED,
            base={"type": "0"},
            partial=Partial(PATCH, ODD, 2, 3),
            uncollected=(ODD,),
        )
    ),
    Sending((), (), (), 0, 0, 0.5),
]


@pytest.mark.parametrize("event", [*EVENTS, *FULL], ids=lambda event: type(event).__name__)
def test_an_event_comes_back_from_json_as_it_was(event: Event) -> None:
    assert_alike(from_json(to_json(event)), event)


def assert_alike(found: Any, value: object) -> None:
    """Equal, and of the same types all the way: "1" is no enum, a list no tuple."""
    assert (type(found), found) == (type(value), value)
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            assert_alike(getattr(found, field.name), getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            assert_alike(found[key], item)
    elif isinstance(value, tuple):
        for one, two in zip(found, value, strict=True):
            assert_alike(one, two)


def changed(event: Event, *way: Any, to: object) -> str:
    """An event's JSON with one thing in it changed; `to` is ... to leave it out."""
    data = json.loads(to_json(event))
    inner = data
    for step in way[:-1]:
        inner = inner[step]
    if to is ...:
        del inner[way[-1]]
    else:
        inner[way[-1]] = to
    return json.dumps(data)


WRONG = {
    "": "Expecting value",
    '{"event": "Warned", "message": "a"': "delimiter",
    "[]": "an event is an object, not a list",
    "3": "not 3",
    "{}": "null is no event",
    '{"event": []}': "a list is no event",
    '{"event": "Exploded"}': '"Exploded" is no event',
    '{"event": "Reply"}': '"Reply" is no event',
    "[" * 100_000: "nested too deep",
    changed(Warned("a"), "more", to=1): '"more" is no field of a Warned',
    changed(Warned("a"), "message", to=...): "the field 'message' of a Warned is missing",
    changed(Warned("a"), "message", to=None): r"Warned\.message: a text is wanted, not null",
    changed(Spent(), "calls", to=True): r"Spent\.calls: a whole number is wanted, not true",
    changed(Spent(), "calls", to=1.0): "a whole number is wanted, not 1.0",
    changed(Spent(), "cost", to="1"): 'a number is wanted, not "1"',
    changed(Spent(), "cost", to=10**400): "too large",
    changed(Spent(), "cost", to=False): "a number is wanted, not false",
    changed(Verified(PATCH, VERDICT, ok=True), "ok", to=1): "true or false is wanted, not 1",
    changed(Started("", "", "", "", ()), "engine", to="search"): "a list is wanted",
    changed(Started("", "", "", "", ()), "engine", to=["a", 3]): r"Started\.engine\[1\]: a text",
    changed(Finished(REPAIR), "repair", "stop", to="bored"): r'repair\.stop: "bored" is no Stop',
    changed(Finished(REPAIR), "repair", "stop", to={}): "an object is no Stop",
    changed(Finished(REPAIR), "repair", "base", to=[]): "an object is wanted, not a list",
    changed(Finished(REPAIR), "repair", "base", "m.py", to=4): r'base\["m.py"\]: a text',
    changed(Traced((TRACE,)), "traces", 0, "visits", 0, "frame", to="x" * 99): (
        r'^Traced\.traces\[0\]\.visits\[0\]\.frame: a whole number is wanted, not "x{36}\.\.\.$'
    ),
    changed(Traced((TRACE,)), "traces", 0, "visits", 0, "before", "a", "size", to="9"): (
        r'before\["a"\]\.size: a whole number is wanted, not "9"'
    ),
    changed(Traced((TRACE,)), "traces", 0, "visits", 0, "before", "a", to=7): "a Value is wanted",
    changed(Traced((TRACE,)), "traces", 0, "visits", 0, to=None): "a BlockVisit is wanted",
}


@pytest.mark.parametrize("line", WRONG, ids=range(len(WRONG)))
def test_what_is_no_event_is_refused_with_what_is_wrong_and_where(line: str) -> None:
    with pytest.raises(ValueError, match=WRONG[line]) as caught:
        from_json(line)
    assert len(str(caught.value)) < 200


def test_a_value_where_something_else_belongs_is_refused() -> None:
    line = changed(Finished(REPAIR), "repair", "before", to=plain(VALUE))
    with pytest.raises(ValueError, match="a Verdict is wanted, not an object"):
        from_json(line)


def test_fields_may_come_in_any_order_and_those_with_defaults_may_be_absent() -> None:
    assert from_json('{"message": "a", "event": "Warned"}') == Warned("a")
    line = json.dumps({"detail": "b", "event": "Warned", "message": "a"})
    assert from_json(line) == Warned("a", "b")
    assert from_json(changed(Spent(3, kept=2), "calls", to=...)) == Spent(kept=2)


def test_equal_texts_and_values_are_one_object_afterwards() -> None:
    visits = tuple(BlockVisit("m.py::f#" + "0" * 2, 1, at, {"a": VALUE}) for at in range(3))
    found = from_json(to_json(Traced((Trace("t", Status.PASSED, {}, visits),))))
    assert isinstance(found, Traced)
    assert len({id(visit.block) for visit in found.traces[0].visits}) == 1
    assert len({id(visit.before["a"]) for visit in found.traces[0].visits}) == 1


def test_any_dataclass_of_the_model_comes_back_from_its_plain_form() -> None:
    target = Target(Path("/p"), Path("/p/sub"), tests=("a",), io=Path("io"))
    data = json.loads(json.dumps(plain(target), default=str))
    assert decode(Target, data) == target
    with pytest.raises(ValueError, match=r"Target\.io: a text is wanted, not 3"):
        decode(Target, {"root": "/p", "cwd": "/p", "io": 3})


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
