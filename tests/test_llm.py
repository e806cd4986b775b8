"""The model engine in whole repairs: the real litellm calls a server on this machine."""

from __future__ import annotations

import itertools
import json
import sys
import textwrap
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mgdebug import learned
from mgdebug.bench.loopback import Said, Server
from mgdebug.cli import main
from mgdebug.errors import UsageError
from mgdebug.events import Event, Finished, Proposed, Reply, Sending, Spent, Streamed, Warned
from mgdebug.languages.python import Python
from mgdebug.model import BlockVisit, Edit, Patch, Status, Stop, Target, Trace, Value
from mgdebug.proposers import named
from mgdebug.proposers.llm import Model
from mgdebug.proposers.llm.caller import Caller
from mgdebug.proposers.llm.expected import agreed, read
from mgdebug.proposers.llm.masking import masked, unmasked
from mgdebug.proposers.llm.prompting import parts
from mgdebug.proposers.llm.replies import Unusable, as_text, edits_of, probe_of, so_far
from mgdebug.proposers.llm.simulated import agreement
from mgdebug.repair import repair
from mgdebug.settings import STRATEGIES, ModelSettings, Settings
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

PROGRAM = '''
API_KEY = "canary-in-the-source-1"


def scaled(values, factor):
    """Each value times the factor."""
    return [value + factor for value in values]


def clipped(values, most):
    """No value over the most."""
    return [max(value, most) for value in values]


def pictured(values, password):
    both = clipped(scaled(values, 2), 10)
    return "|".join(map(str, both))
'''
TESTS = """
from program import clipped, pictured, scaled

TOKEN = "sk-canary-in-the-test-1"


def test_scaled():
    assert scaled([1, 3], 5) == [5, 15]


def test_clipped():
    assert clipped([1, 30], 10) == [1, 10]


def test_nothing():
    assert pictured([], password="canary-in-a-value-1") == ""


def test_whole():
    assert pictured([1, 7], password="canary-in-a-value-2") == "2|10", TOKEN
"""
RIGHT = {
    "scaled": "def scaled(values, factor):\n    return [value * factor for value in values]",
    "clipped": "def clipped(values, most):\n    return [min(value, most) for value in values]",
}


def fenced(code: str) -> str:
    return f"It adds where it should multiply.\n\n```python\n{code}\n```\n"


def subject(body: Mapping[str, Any]) -> str:
    """The function that a request is about."""
    first = str(body["messages"][1]["content"])
    return first.partition("The function `")[2].partition("`")[0]


class Warm(Caller):
    """Its child outlives a repair, because litellm takes seconds to import."""

    def close(self) -> None:
        pass


WARM = Warm(2, 0)


def asks(
    root: Path,
    script: Callable[[Mapping[str, Any], int], Said],
    *,
    program: str = PROGRAM,
    tests: str = TESTS,
    engine: str = "llm",
    allow: bool = True,
    warm: bool = True,
    thinking: float = 0.0,
    time_: float = 60.0,
    model: str = "openai/test",
    **changed: Any,
) -> tuple[list[Event], Server]:
    (root / "program.py").write_text(program)
    (root / "test_program.py").write_text(tests)
    with Server(script).running() as server:
        told: Mapping[str, Any] = {
            "consent": True,
            "cache": False,
            "seconds": 30.0,
            "search": False,
        }
        asked = ModelSettings(names=(model,), api_base=server.base, **{**told, **changed})
        settings = Settings(time=time_, model=asked)
        proposers = named(engine, settings)
        for one in proposers:
            if warm and isinstance(one, Model):
                one.session._caller = WARM
                WARM.requests = 0
        stream = repair(
            Target(root, root, tests=("test_program.py",)),
            proposers,
            settings,
            sys.executable,
        )
        events: list[Event] = []
        reply: Reply | None = None
        while not events or not isinstance(events[-1], Finished):
            events.append(stream.send(reply))
            sent = isinstance(events[-1], Sending)
            time.sleep(thinking if sent else 0.0)
            reply = Reply(0) if sent and allow else None
        stream.close()
    return events, server


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-in-the-environment")


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def test_leaves_are_mended_side_by_side_and_then_the_whole_passes(tmp_path: Path) -> None:
    def script(body: Mapping[str, Any], number: int) -> Said:
        return Said(fenced(RIGHT[subject(body)]), wait=0.3, usage=(50, 10))

    events, server = asks(tmp_path, script)
    done = last(events).repair
    assert done.stop is Stop.FIXED
    assert done.patch is not None
    asked = [subject(body) for body in server.requests]
    assert set(asked) == {"scaled", "clipped"}
    assert max(server.times[:2]) - min(server.times[:2]) < 0.3  # neither waited for the other
    spent = [event for event in events if isinstance(event, Spent)][-1]
    assert (spent.calls, spent.requests) == (len(asked), len(asked))
    assert spent.prompt == 50 * len(asked)
    assert (tmp_path / "program.py").read_text() == PROGRAM  # nobody has consented


def test_a_model_is_told_what_really_happened_and_no_secret(tmp_path: Path) -> None:
    def script(body: Mapping[str, Any], number: int) -> Said:
        name = subject(body)
        again = len(body["messages"]) > 2
        return Said(fenced(RIGHT[name] if again else RIGHT[name].replace("factor f", "2 f")))

    events, server = asks(tmp_path, script)
    assert last(events).repair.stop is Stop.FIXED
    first = next(b for b in server.requests if subject(b) == "scaled")["messages"]
    told = first[1]["content"]
    assert "assert scaled([1, 3], 5) == [5, 15]" in told
    assert "value + factor" in told
    assert "factor = 5" in told  # a real value, before a block
    assert "both = clipped(scaled(values, 2), 10)  # pictured calls it" in told
    assert "scaled returned [6, 8]" in told
    assert "scaled([], 2) gives []" in told.replace("values=", "").replace("factor=", "")
    again = next(b for b in server.requests if subject(b) == "scaled" and len(b["messages"]) > 2)[
        "messages"
    ]
    assert [m["role"] for m in again] == ["system", "user", "assistant", "user"]
    assert "still fails" in again[-1]["content"]
    assert "scaled returned [2, 6]" in again[-1]["content"]  # with the first reply in place
    assert "canary" not in str([body["messages"] for body in server.requests])


def test_nothing_is_sent_without_a_yes(tmp_path: Path) -> None:
    events, server = asks(tmp_path, lambda *_: Said("no"), consent=False, allow=False)
    assert server.requests == []
    [sending] = [event for event in events if isinstance(event, Sending)]
    assert (sending.models, sending.hosts) == (("openai/test",), ("127.0.0.1",))
    assert sending.paths == ("program.py", "test_program.py")
    assert sending.tokens > 100
    assert any("nothing was sent" in e.message for e in events if isinstance(e, Warned))
    assert last(events).repair.stop is not Stop.FIXED


@pytest.mark.long
def test_whoever_thinks_about_the_consent_has_all_the_time(tmp_path: Path) -> None:
    def script(body: Mapping[str, Any], _: int) -> Said:
        return Said(fenced(RIGHT[subject(body)]))

    events, _ = asks(tmp_path, script, consent=False, thinking=10.0, time_=10.0)
    assert last(events).repair.stop is Stop.FIXED
    assert last(events).repair.seconds < 10.0


def test_a_server_that_fails_leaves_the_session_intact(tmp_path: Path) -> None:
    events, server = asks(tmp_path, lambda *_: Said(status=401), warm=False)
    assert last(events).repair.stop is Stop.EXHAUSTED
    warned = [e.message for e in events if isinstance(e, Warned)]
    assert any("openai/test" in message and "key" in message for message in warned)
    assert len(server.requests) <= 3
    assert "canary" not in " ".join(warned)


@pytest.mark.long
def test_the_search_comes_first_and_may_leave_nothing_to_ask(tmp_path: Path) -> None:
    events, server = asks(tmp_path, lambda *_: Said("no"), engine="both")
    assert last(events).repair.stop is Stop.FIXED
    assert server.requests == []


LOUD = """
import os.path as path
import click
from click import unstyle


def loud(text):
    shown = click.style(text, fg="red", bold=True)
    return unstyle(shown).lower() + path.join("", "!")
"""


def test_a_model_is_told_the_signatures_of_the_libraries_that_are_there(tmp_path: Path) -> None:
    tests = "from program import loud\ndef test(): assert loud('ab') == 'AB!'\n"
    _, server = asks(tmp_path, lambda *_: Said("no"), program=LOUD, tests=tests, calls=1)
    [body] = server.requests
    told = body["messages"][1]["content"]
    assert "unstyle(text: 'str') -> 'str'  # click 8." in told
    assert "click.style(text: " in told
    assert "path.join(a, " not in told  # everybody knows the standard library


@pytest.mark.parametrize("most", [0, 1])
def test_corrections_that_were_accepted_are_told_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "project"
    root.mkdir()
    old = file("def f(a, b):\n    return a + b\n")
    at = old.text.decode().index("a + b")
    learned.remember(root, {"m.py": old}, Patch((Edit("m.py", at, at + 5, "a * b"),), "", ""))
    _, server = asks(root, lambda *_: Said("no"), calls=1, exemplars=most)
    told = server.requests[0]["messages"][1]["content"]
    assert ("`$1 + $2` became `$1 * $2`" in told) == bool(most)


def test_corrections_stay_on_this_machine() -> None:
    with pytest.raises(UsageError, match="not this machine"):
        named("llm", Settings(model=ModelSettings(names=("gpt-4o",), exemplars=3)))


def test_a_model_that_keeps_to_a_schema_is_given_one(tmp_path: Path) -> None:
    def script(body: Mapping[str, Any], _: int) -> Said:
        code = RIGHT[subject(body)]
        return Said(json.dumps({"words": "It adds.", "code": code, "probe": ""}))

    events, server = asks(tmp_path, script, model="openai/gpt-4o")
    assert last(events).repair.stop is Stop.FIXED
    for body in server.requests:
        shape = body["response_format"]["json_schema"]
        assert shape["strict"]
        assert set(shape["schema"]["required"]) == {"words", "code", "probe"}


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ('{"words": "w", "code": "x = 1", "probe": ""}', "w\n````python\nx = 1\n````"),
        ('{"words": "", "code": "", "probe": "len(x)"}', "\nPROBE: len(x)"),
        ('{"words": "", "code": "```py\\nx\\n```", "probe": ""}', "\n```py\nx\n```"),
        ('{"code": 3}', '{"code": 3}'),
        ("[1]", "[1]"),
        ("```python\nx\n```", "```python\nx\n```"),
    ],
)
def test_a_reply_of_the_schema_reads_as_any_other(reply: str, text: str) -> None:
    assert as_text(reply) == text


def test_the_beginning_of_a_reply_of_the_schema_reads_as_the_whole_will() -> None:
    code = "def f(x):\n    return '\\n' + \"\\u12\""
    reply = json.dumps({"words": 'It is "é".', "code": code, "probe": ""})
    seen = [so_far(reply[:end]) for end in range(len(reply) + 1)]
    assert all(two.startswith(one) for one, two in itertools.pairwise(seen))
    assert seen[-1] == as_text(reply)
    assert len(set(seen)) > len(code)
    assert so_far("{x} it says") == ""  # nobody can tell yet
    assert so_far("it says {x}") == "it says {x}"


def test_a_reply_is_told_as_it_is_written_and_all_of_it_before_it_is_tried(tmp_path: Path) -> None:
    def script(body: Mapping[str, Any], number: int) -> Said:
        if number == 1:  # what came of a reply that breaks off is no part of the next one
            return Said("It seems to me that " * 4, drip=0.3, cut=True)
        return Said(fenced(RIGHT[subject(body)]), drip=0.3)

    events, server = asks(tmp_path, script)
    assert last(events).repair.stop is Stop.FIXED
    told = [event for event in events if isinstance(event, Streamed)]
    whole = [event for event in told if event.whole]
    assert sorted(event.text for event in whole) == sorted(fenced(code) for code in RIGHT.values())
    broken = next(event for event in told if event.fault)
    assert "It seems to me" in broken.text
    assert len({event.call for event in told}) == len(server.requests) == 3
    for event in (*whole, broken):
        parts = [one.text for one in told if one.call == event.call]
        assert parts[0] == ""
        assert len(parts) > 3
        assert event.text.startswith("".join(parts[:-1]))
        assert parts[-1] is event.text
    for event in whole:
        tried = (e for e in events if isinstance(e, Proposed) and e.patches)
        first = next(e for e in tried if e.subfunction == event.subfunction)
        assert events.index(event) < events.index(first)


def test_a_reply_that_was_kept_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "project"
    root.mkdir()
    (root / "program.py").write_text(PICK)
    (root / "test_program.py").write_text(
        "from program import pick\ndef test(): assert pick(2, 3) == 6"
    )
    reply = fenced("def pick(x, y):\n    return x * y")
    with Server(lambda *_: Said(reply)).running() as server:
        model = ModelSettings(("openai/test",), server.base, consent=True, samples=0, search=False)
        for kept in (False, True):
            proposers = named("llm", settings := Settings(time=30, model=model))
            for one in proposers:
                assert isinstance(one, Model)
                one.session._caller = WARM
            before = len(server.requests)
            events = list(repair(Target(root, root), proposers, settings, sys.executable))
            told = [event for event in events if isinstance(event, Streamed)]
            assert Streamed("openai/test", 1, "program.py::pick", reply, whole=True) in told
            assert all(event.whole for event in told) == kept
            assert (len(server.requests) == before) == kept


TAXED = """
def taxed(prices):
    return [price + 2 for price in prices]
"""
BILLS = """
from program import taxed


class Bill:
    def __init__(self, prices):
        self.prices = prices

    def total(self, rate):
        return sum(taxed(self.prices))


def note(prices):
    return f"{len(taxed(prices))} items"
"""
TAXED_TESTS = """
from bills import Bill, note


def test_double():
    assert Bill([1, 2]).total(2) == 6


def test_triple():
    assert Bill([2, 5]).total(3) == 21


def test_once():
    assert Bill([2, 5]).total(1) == 7


def test_note():
    assert note([4]) == "1 items"
"""


def test_callers_in_other_files_follow_a_changed_signature(tmp_path: Path) -> None:
    (tmp_path / "bills.py").write_text(BILLS)

    def script(body: Mapping[str, Any], _: int) -> Said:
        said = str(body["messages"][-1]["content"])
        if "These call it" in said:
            assert "now takes (prices, rate) where it took (prices)" in said
            assert "`bills.py::Bill.total`" in said
            assert "`bills.py::note`" in said
            total = "def total(self, rate):\n    return sum(taxed(self.prices, rate))"
            note = "def note(prices):\n    return f'{len(prices)} items'"
            parts = {"bills.py::Bill.total": total, "bills.py::note": note}
            return Said("".join(f"`{name}`\n{fenced(code)}" for name, code in parts.items()))
        code = "def taxed(prices, rate):\n    return [price * rate for price in prices]"
        return Said(fenced(code) if subject(body) == "taxed" else "no idea")

    events, server = asks(tmp_path, script, program=TAXED, tests=TAXED_TESTS, samples=0)
    repair = last(events).repair
    assert repair.stop is Stop.FIXED
    asked = [str(body["messages"][-1]["content"]) for body in server.requests]
    assert sum("These call it" in text for text in asked) == 1
    assert repair.patch is not None
    assert {edit.path for edit in repair.patch.edits} == {"program.py", "bills.py"}
    assert "Bill.total" in repair.patch.note
    assert (tmp_path / "bills.py").read_text() == BILLS  # nothing is written without a yes


PICK = "def pick(x, y):\n    return x - y\n"


@pytest.mark.parametrize("reply", ["y * x", "pow(x, y)", "y + x"])
def test_where_a_reply_and_the_search_do_the_same_that_comes_first(
    tmp_path: Path, reply: str
) -> None:
    tests = "from program import pick\ndef test(): assert pick(2, 2) == 4\n"
    code = f"def pick(x, y):\n    return {reply}"
    events, _ = asks(
        tmp_path, lambda *_: Said(fenced(code)), program=PICK, tests=tests, search=True
    )
    repair = last(events).repair
    assert repair.patch is not None
    after = file(PICK).splice([replace(e, path="m.py") for e in repair.patch.edits])
    names: dict[str, Any] = {}
    exec(after.text, names)
    assert names["pick"](3, 5) == eval(reply, {"x": 3, "y": 5})


WEEK = """
def week(hours, rate):
    total = 0
    for hour in hours:
        if hour > 8:
            total += 8 * rate + (hour - 8) * rate
        else:
            total += hour * rate
    return total
"""
WEEK_TESTS = """
import pytest
from program import week


@pytest.mark.parametrize(
    "hours, total", [([8, 4], 24), ([10], 24), ([9, 9], 40), ([1], 2), ([], 0)]
)
def test_week(hours, total):
    assert week(hours, 2) == total
"""
SPLIT = """
def overtime(hour, rate):
    return (hour - 8) * rate


def day(hour, rate):
    return 8 * rate + overtime(hour, rate) if hour > 8 else hour * rate


def week(hours, rate):
    return sum(day(hour, rate) for hour in hours)
"""


def test_a_model_may_split_the_code_if_it_does_the_same(tmp_path: Path) -> None:
    def script(body: Mapping[str, Any], _: int) -> Said:
        if "Split it into small" in str(body["messages"][-1]["content"]):
            return Said(fenced(SPLIT))
        if subject(body) != "overtime":
            return Said("no idea")
        return Said(fenced("def overtime(hour, rate):\n    return 2 * (hour - 8) * rate"))

    told: Any = {"program": WEEK, "tests": WEEK_TESTS, "decompose": "model", "samples": 0}
    events, server = asks(tmp_path, script, **told)
    repair = last(events).repair
    assert repair.stop is Stop.FIXED
    assert [subject(body) for body in server.requests[:2]] == ["week", "overtime"]
    assert repair.patch is not None
    assert "week split into functions" in repair.patch.note
    after = file(WEEK).splice([replace(e, path="m.py") for e in repair.patch.edits])
    assert "2 * (hour - 8) * rate" in after.text.decode()
    assert "def day" in after.text.decode()


@pytest.mark.parametrize(
    "split",
    [
        SPLIT.replace("else hour * rate", "else hour + rate"),
        SPLIT.replace("8 * rate", "9 * rate"),
        "none",
    ],
)
def test_a_split_that_does_something_else_is_not_used(tmp_path: Path, split: str) -> None:
    def script(body: Mapping[str, Any], _: int) -> Said:
        if "Split it into small" in str(body["messages"][-1]["content"]):
            return Said(fenced(split))
        assert subject(body) == "week"
        return Said(fenced(WEEK.replace("(hour - 8)", "2 * (hour - 8)")))

    told: Any = {"program": WEEK, "tests": WEEK_TESTS, "decompose": "model", "samples": 0}
    events, _ = asks(tmp_path, script, **told)
    repair = last(events).repair
    assert repair.stop is Stop.FIXED
    assert repair.patch is not None
    assert "split" not in repair.patch.note
    warned = [e.message for e in events if isinstance(e, Warned)]
    assert any("it is asked about as it stands" in message for message in warned)


SPREAD = """
def spread(values):
    total = 0
    for value in values:
        total += value
    return total
"""
SPREAD_TESTS = """
import pytest
from program import spread


@pytest.mark.parametrize(
    "values, most", [([3, 1, 9], 8), ([5], 0), ([-4, -9], 5), ([2, 2], 0), ([0, 7, 3], 7)]
)
def test_spread(values, most):
    assert spread(values) == most
"""


@pytest.mark.parametrize("search", [True, False])
@pytest.mark.long
def test_a_reply_that_is_nearly_right_is_mended_before_another_is_paid_for(
    tmp_path: Path, search: bool
) -> None:
    near = "def spread(values):\n    return max(values) + min(values)"
    events, server = asks(
        tmp_path,
        lambda *_: Said(fenced(near)),
        program=SPREAD,
        tests=SPREAD_TESTS,
        search=search,
        calls=3,
    )
    repair = last(events).repair
    assert repair.stop is (Stop.FIXED if search else Stop.EXHAUSTED)
    assert len(server.requests) == (1 if search else 3)
    if search:
        assert repair.patch is not None
        assert repair.patch.family.startswith("hierarchical+")
        assert repair.patch.proposer == "llm+search"
        mended = file(SPREAD).splice([replace(e, path="m.py") for e in repair.patch.edits])
        assert "max(values) - min(values)" in mended.text.decode()


def test_replies_that_are_no_code_use_up_the_calls_and_no_more(tmp_path: Path) -> None:
    events, server = asks(tmp_path, lambda *_: Said("Delete the tests.\nPROBE: values"), calls=7)
    assert last(events).repair.stop is Stop.EXHAUSTED
    assert len(server.requests) == 7
    assert last(events).repair.tried == 0
    said = "".join(str(body["messages"][-1]["content"]) for body in server.requests)
    assert "`values` before the last block" in said  # the probe was answered
    assert "[1, 3]" in said
    assert "no block of code" in said
    assert (tmp_path / "test_program.py").read_text() == TESTS


def test_the_help_names_all_strategies() -> None:
    said = CliRunner().invoke(main, ["fix", "--help"]).output
    assert all(strategy in said for strategy in STRATEGIES)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_has_its_prompts(strategy: str) -> None:
    found = parts(strategy)
    assert set(found) == {"system", "first", "again"}
    assert "{code}" in found["first"]
    assert "{verdict}" in found["again"]
    assert all("```python block" in found[name] for name in ("first", "again"))


# -------------------------------------------------------------------------------- replies


def file(text: str) -> SourceFile:
    return SourceFile("m.py", textwrap.dedent(text).encode(), Python().grammar())


def spliced(text: str, name: str, reply: str, allowed: Collection[str] = ()) -> str | Unusable:
    source = file(text)
    own = next(s for s in decompose([source]).subfunctions.values() if s.qualname == name)
    edits = edits_of(reply, source, own, allowed)
    return edits if isinstance(edits, Unusable) else source.splice(edits).text.decode()


CLASS = """
import math


class Box:
    @property
    def size(self):
        return 1

    def grow(self, by):
        return by


def free(x):
    return x
"""


@pytest.mark.parametrize(
    ("name", "reply", "old", "new"),
    [
        (
            "free",
            "```python\ndef free(x):\n    return -x\n```",
            "    return x\n",
            "    return -x\n",
        ),
        ("free", "def free(x):\n    return -x\n", "    return x\n", "    return -x\n"),
        ("free", "```\ndef free(x):\n    return -x\n```\nbye", "    return x\n", "    return -x\n"),
        (
            "free",
            "```python\ndef free(x):\n    return 1\n```\nno:\n"
            "```python\ndef free(x):\n    return 2\n```",
            "    return x\n",
            "    return 2\n",
        ),
        (
            "Box.grow",
            "```python\ndef grow(self, by):\n    return by + 1\n```",
            "        return by\n",
            "        return by + 1\n",
        ),
        (
            "Box.grow",
            "```python\nclass Box:\n    def grow(self, by):\n        return by + 1\n```",
            "        return by\n",
            "        return by + 1\n",
        ),
        (
            "Box.size",
            "```python\ndef size(self):\n    return 2\n```",
            "        return 1\n",
            "        return 2\n",
        ),
        (
            "free",
            "```python\nimport math\nimport json\n\ndef free(x):\n    return json.dumps(x)\n```",
            "def free(x):\n    return x\n",
            "import json\ndef free(x):\n    return json.dumps(x)\n",
        ),
        (
            "free",
            "```python\ndef helper(x):\n    return x\n\ndef free(x):\n    return helper(x)\n```",
            "def free(x):\n    return x\n",
            "\ndef helper(x):\n    return x\n\n\ndef free(x):\n    return helper(x)\n",
        ),
    ],
)
def test_a_reply_is_put_in_place_of_one_subfunction(
    name: str, reply: str, old: str, new: str
) -> None:
    assert spliced(CLASS, name, reply) == CLASS.replace(old, new)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("I cannot.", "no block of code"),
        ("```python\ndef other(x):\n    return x\n```", "does not define free"),
        ("```python\ndef free(x:\n    return x\n```", "does not parse"),
        ("```python\ndef free(x):\n    return x\n```", "as it was"),
        ("```python\nopen('x', 'w')\n```", "does not define free"),
        ("```python\ndef free(x):\n    return -x\n", "no block of code"),
    ],
)
def test_a_reply_that_cannot_be_used_says_why(reply: str, why: str) -> None:
    found = spliced(CLASS, "free", reply)
    assert isinstance(found, Unusable)
    assert why in found.why


def test_a_reply_may_write_the_function_around_a_nested_one_if_that_may_be_changed() -> None:
    nested = "def outer(x):\n    def inner(y):\n        return y\n    return inner(x)\n"
    reply = "```python\ndef outer(x):\n    return -x\n```"
    after = "def outer(x):\n    return -x\n"
    assert spliced(nested, "outer.inner", reply, {"m.py::outer"}) == after
    assert isinstance(spliced(nested, "outer.inner", reply), Unusable)


CONNECT = """
def connect(host, password="hunter2x", port=1):
    key = 'swordfish'
    return host, password, key, port
"""


def test_what_was_masked_is_put_back() -> None:
    seen = masked(CONNECT)
    assert "hunter2x" not in seen
    assert unmasked(seen, CONNECT) == CONNECT
    better = seen.replace("port\n", "port + 1\n")
    reply = f"```python\n{better}\n```"
    assert spliced(CONNECT, "connect", reply) == CONNECT.replace("port\n", "port + 1\n")
    longer = seen.replace("port=1", "port=2")
    found = spliced(CONNECT, "connect", f"```python\n{longer}\n```")
    assert isinstance(found, Unusable)
    assert "repeat its line" in found.why


def test_of_imports_and_helpers_only_what_is_needed_comes_along() -> None:
    reply = (
        "```python\nimport os\nimport re\nfrom typing import *\n\n\ndef unused(x):\n    return x\n"
        "\n\ndef helper(x):\n    return re.sub('a', 'b', x)\n\n\n"
        "def free(x):\n    return helper(x)\n```"
    )
    text = "def free(x):\n    return x\n"
    found = spliced(text, "free", reply)
    assert isinstance(found, str)
    assert found.startswith("import re\n")
    assert "import os" not in found
    assert "typing" not in found
    assert "def helper" in found
    assert "unused" not in found
    typed = reply.replace("def free(x):", "def free(x: List[int]):")
    assert "from typing import *" in str(spliced(text, "free", typed))


def test_a_probe_is_one_expression_on_one_line() -> None:
    assert probe_of("let me see\nPROBE: `values[0] + 1`\n") == "values[0] + 1"
    assert probe_of("nothing") is None
    assert len(probe_of("PROBE: " + "x" * 5000) or "") <= 200


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('password = "hunter2hunter2"', "hunter2hunter2"),
        ("API_KEY: str = 'abc'", "abc"),
        ('{"client_secret": "abc def"}', "abc def"),
        ("config['api_key'] = 'abc'", "abc"),
        ("# Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("url = 'postgres://me:hunter2@db/x'", "hunter2"),
        ("token = 'a1b2c3d4e5'", "a1b2c3d4e5"),
        ('PASSWORD = b"hunter2"', "hunter2"),
        ('password = """hunter2\nhunter3"""', "hunter3"),
        ('password = f"hunter2{x}"', "hunter2"),
        ('password = (\n    "hunter2"\n)', "hunter2"),
        ("password: Optional[str] = 'abc'", "abc"),
        ("if password == 'abc': pass", "abc"),
    ],
)
def test_secrets_in_code_are_masked(text: str, hidden: str) -> None:
    assert hidden not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize("text", ['name = "password"', 'key = "first name"', "a = token == 'x'"])
def test_what_is_no_secret_is_left(text: str) -> None:
    assert masked(text) == text


def test_a_simulation_is_held_against_the_real_trace() -> None:
    source = file("def f(a):\n    b = a + 1\n    c = [b]\n    return c\n")
    hierarchy = decompose([source])
    own = hierarchy.subfunctions["m.py::f"]
    after = {"b": Value("int", "2"), "c": Value("list", "[2]")}
    trace = Trace("case", Status.FAILED, {}, (BlockVisit(own.blocks[0].id, 1, 0, {}, after),))
    said = "line 2: b = 2\n- line 3: `c = [2 ]`\nline 3: c = [3]\nline 9: z = 1\nbecause"
    assert agreement(said, trace, hierarchy, 1) == (
        "Of 3 values that you gave, 2 are what the code really computes.\nline 3: c was really [2]"
    )
    assert agreement("it is wrong", trace, hierarchy, 1) == ""


HIDDEN = """
def doubled(n):
    \"\"\"Twice n.\"\"\"
    return n + 2


def total(values):
    return sum(doubled(value) for value in values)
"""
HIDDEN_TESTS = """
from program import doubled, total


def test_known():
    assert total([2]) == 4


def test_total():
    assert total([1, 5]) == 12
"""


def test_what_a_helper_should_give_is_asked_and_believed_if_it_fits_the_passing_cases(
    tmp_path: Path,
) -> None:
    questions: list[str] = []

    def script(body: Mapping[str, Any], number: int) -> Said:
        said = str(body["messages"][1]["content"])
        if "these calls were made" in said:
            questions.append(said)
            answers = {"doubled(n=1)": "2", "doubled(n=5)": "10", "doubled(n=2)": "4"}
            return Said("```json\n" + json.dumps({**answers, "doubled(n=9)": "18"}) + "\n```")
        if "The function `doubled`" in said:
            return Said(fenced("def doubled(n):\n    return 2 * n"))
        return Said("I do not know.")

    events, server = asks(tmp_path, script, program=HIDDEN, tests=HIDDEN_TESTS)
    assert last(events).repair.stop is Stop.FIXED
    [question] = questions
    assert "- doubled(n=1)" in question
    assert "- doubled(n=2)" in question  # whose result is known: a control
    told = next(
        str(body["messages"][1]["content"])
        for body in server.requests
        if "doubled(n=1) should give 2" in str(body["messages"][1]["content"])
    )
    assert "doubled(n=5) should give 10" in told
    assert "n=9" not in told  # nobody asked
    assert "doubled(n=2) should give" not in told


def test_derived_results_may_come_as_a_list() -> None:
    told = '{"results": [{"call": "f(x=1)", "value": "2"}, {"call": "g()", "value": "3"}]}'
    assert read(told, {"f(x=1)"}) == {"f(x=1)": "2"}


def test_replies_that_contradict_real_runs_are_not_believed() -> None:
    known = {"f(a=1)": "2"}
    honest, liar = {"f(a=1)": "2", "f(a=3)": "6"}, {"f(a=1)": "5", "f(a=3)": "7"}
    assert agreed([honest, liar, liar], known) == [("f(a=3)", "6")]
    assert agreed([{"f(a=3)": "6"}, {"f(a=3)": "7"}], known) == []  # no majority
    assert read('```json\n{"f(a=1)": "__import__(\'os\')", "f(a=3)": 4}\n```', {"f(a=3)"}) == {
        "f(a=3)": "4"
    }
    assert read("no json", {"f(a=3)"}) == {}


FEW = '''
def least(values):
    """The smallest value, None of nothing."""
    return values[0]
'''
FEW_TESTS = """
from program import least


def test_least():
    assert least([3, 1, 2]) == 1
"""


def test_where_few_cases_judge_several_replies_are_wanted_and_most_are_believed(
    tmp_path: Path,
) -> None:
    replies = [
        "def least(values):\n    return values[1]",  # passes the case
        "def least(values):\n    return min(values) if values else None",
        "def least(values):\n    return sorted(values)[0] if len(values) else None",
    ]

    def script(body: Mapping[str, Any], number: int) -> Said:
        assert len(body["messages"]) == 2  # each is asked anew
        return Said(fenced(replies[number - 1]))

    events, server = asks(tmp_path, script, program=FEW, tests=FEW_TESTS)
    assert len(server.requests) == 3
    best = last(events).repair.best
    assert best is not None
    assert "values[1]" not in best.diff
    assert len(best.patches) == 2


DOCUMENTED = '''
class Box:
    def grow(self, by):
        """Grow.

        by: how much
        """
        return by
'''


def test_a_docstring_that_a_reply_forgot_stays() -> None:
    bare = "```python\ndef grow(self, by):\n    return by + 1\n```"
    assert spliced(DOCUMENTED, "Box.grow", bare) == DOCUMENTED.replace("return by", "return by + 1")
    own = '```python\ndef grow(self, by):\n    """Other."""\n    return by + 1\n```'
    found = spliced(DOCUMENTED, "Box.grow", own)
    assert isinstance(found, str)
    assert found.count('"""') == 2
    assert '        """Other."""\n        return by + 1\n' in found
    short = "```python\ndef grow(self, by): return by + 1\n```"
    assert "def grow(self, by): return by + 1\n" in str(spliced(DOCUMENTED, "Box.grow", short))
