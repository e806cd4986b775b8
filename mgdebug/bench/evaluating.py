"""Many expressions in many states of runs: how many a second, and how much one fork for all of them
is quicker than one for each."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mgdebug.bench.programs import execute, humanevalfix
from mgdebug.languages import language_of
from mgdebug.model import BlockKind, Hierarchy, Limits, Status, Target, Trace
from mgdebug.runner import Runner
from mgdebug.runner.evaluate import State
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

NUMBERS = """\
def total(numbers, least):
    found = 0
    for number in numbers:
        if number > least:
            found += number
    return found
"""
WORDS = """\
def longest(text):
    best, seen = "", {}
    for word in text.split():
        seen[word] = seen.get(word, 0) + 1
        if len(word) > len(best):
            best = word
    return best, seen
"""
OBJECTS = """\
class Account:
    def __init__(self, owner):
        self.owner, self.balance, self.moves = owner, 0, []

    def move(self, amount):
        self.moves.append(amount)
        self.balance += amount
        return self.balance


def run(amounts):
    account = Account("ann")
    for amount in amounts:
        account.move(amount)
    return account.balance
"""
OWN = {
    "numbers": (NUMBERS, "total(list(range(100)), 10) == 1"),
    "words": (WORDS, "longest('the quick brown fox jumps over the lazy dog ' * 10) == 1"),
    "objects": (OBJECTS, "run(list(range(100))) == 1"),
}
ROWS = 8  # of humanevalfix
STATES, EXPRESSIONS, APART = 40, 3000, 10
SHAPES = ("{0} == {2}", "{0} is {1} or {2}", "[{0}, {2}]", "{0} != {1} and {2}", "({1}, {2})")
ROUNDS = 3
BAR = 1 / 50  # of what a fork for each expression takes


@dataclass(frozen=True, slots=True)
class Speed:
    """rate: evaluations a second behind the first one of a state.  state: ms on top for each.
    apart: ms of one evaluation in a fork of its own."""

    states: int
    rate: float
    state: float
    apart: float


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """One core, confined, with probes, transport and reading: all that the caller waits for."""
    named = [(f"own/{name}", *pair) for name, pair in OWN.items()]
    for program in humanevalfix()[: 3 * ROWS]:
        checks = program.checks(execute(compile(program.text, program.path, "exec"), program.path))
        texts = [c.source.removeprefix("assert ") for c in checks if c.source]
        if texts and len(named) < len(OWN) + ROWS:
            named.append((program.name, program.text, texts[0]))
    found = []
    for name, text, call in named:
        if only and name not in only and name.split("/", 1)[1] not in only:
            continue
        speed = _measured(text, call)
        if speed is None:
            continue
        found.append(speed)
        whole = 1000 / speed.rate
        yield (
            f"{name:28} {speed.states:3} states  {speed.rate:9.0f}/s  {speed.state:5.2f} ms a state"
            f"  1/{speed.apart / whole:.0f} of a fork each",
            True,
        )
    if not found:
        yield "nothing was measured", False
        return
    rate = statistics.median(s.rate for s in found)
    state = statistics.median(s.state for s in found)
    share = statistics.median(1000 / s.rate / s.apart for s in found)
    text = f"median {rate:.0f}/s, {state:.2f} ms a state, 1/{1 / share:.0f} of a fork each"
    yield f"{text} (bar 1/{1 / BAR:.0f})", share <= BAR


def _measured(text: str, call: str) -> Speed | None:
    """None where no function of the program is reached."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "program.py").write_text(text)
        language = language_of("program.py")
        assert language is not None
        hierarchy = decompose([SourceFile.read(folder, "program.py", language.grammar())])
        target = Target(folder, folder, "program.py", "", (), (call,))
        with Runner(target, sys.executable, Limits(), 1, doctests=False) as runner:
            ran = runner.run()
            cases = [o.case for o in ran.outcomes if o.status is not Status.TIMEOUT]
            traces, _, _ = runner.trace(hierarchy, cases, cases)
            states, names = _states(hierarchy, traces)
            if len(states) < 2:
                return None
            cheap = _cheap(names)
            times: dict[str, list[float]] = {}
            for _ in range(ROUNDS):
                for kind, expressions, among in (
                    ("one", cheap[:1], states[:1]),
                    ("states", cheap[:1], states),
                    ("whole", cheap, states),
                    ("apart", [f"(_ := {e})" for e in cheap[: APART + 1]], states),
                    ("base", [f"(_ := {e})" for e in cheap[:1]], states),
                ):
                    began = time.perf_counter()
                    runner.evaluate(hierarchy, expressions, among)
                    times.setdefault(kind, []).append(time.perf_counter() - began)
    least = {kind: min(found) for kind, found in times.items()}
    many = len(states) * (len(cheap) - 1)
    return Speed(
        len(states),
        many / max(1e-9, least["whole"] - least["states"]),
        1000 * (least["states"] - least["one"]) / (len(states) - 1),
        1000 * (least["apart"] - least["base"]) / (len(states) * APART),
    )


def _states(hierarchy: Hierarchy, traces: Sequence[Trace]) -> tuple[list[State], list[str]]:
    """Visits of the blocks of functions, and the names that they read."""
    parts = (BlockKind.ARM, BlockKind.EACH)
    blocks = {
        b.id: b
        for s in hierarchy.subfunctions.values()
        if s.kind.called
        for b in s.blocks
        if b.kind not in parts
    }
    states: list[State] = []
    names: dict[str, None] = {}
    for trace in traces:
        for visit in trace.visits:
            if visit.block in blocks and visit.number and len(states) < STATES:
                states.append(State(trace.case, visit.block, visit.number))
                names.update(dict.fromkeys(visit.before))
    return states, list(names)


def _cheap(names: Sequence[str]) -> list[str]:
    """Distinct ones, as a synthesis from the names of a function offers them."""
    found: list[str] = []
    for at in range(EXPRESSIONS):
        one = names[at % len(names)] if names else "0"
        two = names[at // 7 % len(names)] if names else "1"
        found.append(SHAPES[at % len(SHAPES)].format(one, two, at))
    return found
