"""Tries that share a fork end as they do in forks of their own, whatever those before them did."""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
import threading
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import descendants

from mgdebug.model import Limits, Target, Verdict
from mgdebug.runner import Plan, Runner
from mgdebug.runner.tries import was_cut

NUMBERS = """\
import functools

LOG = []
LIMIT = 10
MEMO = {}


def gcd(a, b):
    while b:
        a, b = b, a % b
    return b


def digits(n):
    found = []
    while n > 0:
        found.append(n % 10)
        n = n // 10
    return found[::-1]


def fib(n):
    if n in MEMO:
        return MEMO[n]
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Stack:
    made = 0

    def __init__(self, items=()):
        self.items = list(items)

    def push(self, item):
        self.items.append(item)
        return self

    def pop(self):
        if not self.items:
            raise IndexError("empty")
        return self.items.pop(0)

    @property
    def size(self):
        return len(self.items)


def collect(item, into=[]):
    return [*into, item]


def double(n):
    return n * 2


@functools.lru_cache(maxsize=None)
def remembered(n):
    return n * 3


def total(values):
    result = 0
    for value in values:
        if value > LIMIT:
            continue
        result += value
    else:
        result += 1
    return result
"""
PYTESTS = """\
import pytest
from numbers_ import *


def test_gcd(): assert gcd(12, 8) == 4
def test_digits(): assert digits(123) == [1, 2, 3]
def test_fib(): assert [fib(n) for n in range(8)] == [0, 1, 1, 2, 3, 5, 8, 13]
def test_stack(): assert Stack([1, 2]).push(3).pop() == 3
def test_size(): assert Stack("ab").size == 2
def test_empty():
    with pytest.raises(IndexError):
        Stack().pop()
def test_collect(): assert collect(1) == [1]
def test_double(): assert double(4) == 8
@pytest.mark.parametrize("values, expected", [([1, 2], 3), ([], 0), ([50, 1], 1)])
def test_total(values, expected): assert total(values) == expected
"""
UNITTESTS = """\
import unittest
from numbers_ import *


class TestNumbers(unittest.TestCase):
    def setUp(self): self.stack = Stack([1, 2])
    def test_gcd(self): self.assertEqual(gcd(12, 8), 4)
    def test_digits(self): self.assertEqual(digits(123), [1, 2, 3])
    def test_fib(self): self.assertEqual([fib(n) for n in range(8)], [0, 1, 1, 2, 3, 5, 8, 13])
    def test_stack(self): self.assertEqual(self.stack.push(3).pop(), 3)
    def test_size(self): self.assertEqual(self.stack.size, 2)
    def test_empty(self):
        with self.assertRaises(IndexError): Stack().pop()
    def test_collect(self): self.assertEqual(collect(1), [1])
    def test_double(self): self.assertEqual(double(4), 8)
    def test_total(self):
        for values, expected in [([1, 2], 3), ([], 0), ([50, 1], 1)]:
            with self.subTest(values=values): self.assertEqual(total(values), expected)
"""
EXPRESSIONS = (
    "gcd(12, 8) == 4",
    "digits(123) == [1, 2, 3]",
    "[fib(n) for n in range(8)] == [0, 1, 1, 2, 3, 5, 8, 13]",
    "Stack([1, 2]).push(3).pop() == 3",
    "Stack('ab').size == 2",
    "collect(1) == [1]",
    "double(4) == 8",
    "total([1, 2]) == 3",
    "total([50, 1]) == 1",
)
KINDS = ("pytest", "unittest", "expression")
OLD = "    return b\n"  # of gcd; a is right

# What a patched function may do to the process that others run in.  Told: whether it is right.
DEEDS = {
    "right": ("return a", True),
    "wrong": ("return 5", False),
    "wrong too": ("return a + 1", False),
    "it raises": ("raise ValueError(a)", False),
    "it exits": ("import sys; sys.exit(0)", False),
    "it exits at once": ("import os; os._exit(0)", False),
    "it crashes": ("import os; os.abort()", False),
    "it kills itself": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", False),
    "it interrupts": ("raise KeyboardInterrupt", False),
    "it prints": ("print('x' * 5000); return 5", False),
    "it prints and is right": ("print('x'); return a", True),
    "a global": ("global LIMIT; LIMIT = 999; return 5", False),
    "a list": ("LOG.append(1); return len(LOG)", False),
    "a counter that is right the second time": (
        "LOG.append(1); return 4 if len(LOG) > 1 else 0",
        False,
    ),
    "the memo": ("MEMO[5] = 99; return 5", False),
    "a class": ("Stack.size = 7; return 5", False),
    "a cache": ("remembered(4); return 5", False),
    "an attribute of a function": (
        "gcd.n = getattr(gcd, 'n', 0) + 1; return 4 if gcd.n > 1 else 0",
        False,
    ),
    "a thread": (
        "import threading, time; threading.Thread(target=time.sleep, args=(30,), daemon=True)"
        ".start(); return 5",
        False,
    ),
    "memory": ("x = bytearray(3 << 30); return 5", False),
    "deep recursion": ("return gcd(a, 1) + gcd(b, 0)", False),
    "no more ticks": (
        "import builtins; builtins.__mgdebug_tick__ = int\n    while True: pass",
        False,
    ),
    "another tick": (
        "import builtins; builtins.__mgdebug_tick__ = int; return 5",
        False,
    ),
    "signals": (
        "import signal; signal.signal(signal.SIGPROF, signal.SIG_IGN); return 5",
        False,
    ),
    "no timer": (
        "import signal; signal.setitimer(signal.ITIMER_PROF, 0)\n    x = sum(iter(int, 1))",
        False,
    ),
    "a fork": ("import os; os.fork(); return 5", False),
    "a fork that goes on": ("import os\n    if os.fork(): return 5\n    return a", False),
    "built-in names": ("import builtins; builtins.len = lambda x: 2; return 5", False),
    "a module of the library": ("import functools; functools.reduce = None; return 5", False),
    "another stdout": ("import sys, io; sys.stdout = io.StringIO(); return 5", False),
    "closed descriptors": ("import os; os.closerange(0, 50); return 5", False),
    "the working directory": ("import os; os.chdir('/'); return 5", False),
    "endless": ("while True: pass", False),
    "endless and deaf": ("while True:\n        try: a += 1\n        except: pass", False),
    "endless in C": ("return sum(iter(int, 1))", False),
    "asleep": ("import time; time.sleep(30); return a", False),
    "long but it ends": ("for i in range(20000): pass\n    return a", True),
    "not Python": ("return (", False),
    "the end is right": ("return max(a, b)", True),
}


def files_of(kind: str) -> dict[str, str]:
    tests = {"pytest": PYTESTS, "unittest": UNITTESTS}
    return {"numbers_.py": NUMBERS, **({"test_n.py": tests[kind]} if kind in tests else {})}


class Bench:
    """A runner on one of the projects."""

    def __init__(self, root: Path, kind: str) -> None:
        self.kind = kind
        root.mkdir()
        for name, text in files_of(kind).items():
            (root / name).write_text(text)
        given: dict[str, Any] = {"expressions": EXPRESSIONS} if kind == "expression" else {}
        target = Target(root, root, "numbers_.py", **given)
        self.runner = Runner(target, sys.executable, Limits(case_seconds=1.0), 1)
        self.found = self.runner.run()
        self.plan = Plan.of(self.found.outcomes)

    def tried(self, texts: list[str], *, alone: bool = False) -> list[Verdict]:
        tries = [{"numbers_.py": text.encode()} for text in texts]
        return self.runner.attempt(tries, self.plan, alone=alone)


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "project", request.param)
    assert made.plan.failing
    assert made.plan.passing
    yield made
    made.runner.close()


def told(verdict: Verdict) -> tuple[list[str], list[str]]:
    return sorted(verdict.passed), sorted(verdict.failed)


def patched(deed: str) -> str:
    return NUMBERS.replace(OLD, f"    {deed}\n", 1)


def edits(count: int, seed: int) -> list[str]:
    """The program with one token changed."""
    dice = random.Random(seed)
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(NUMBERS).readline)
        if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.OP) and token.start[0] > 6
    ]
    texts = []
    for _ in range(count):
        token, other = dice.choice(tokens), dice.choice(tokens).string
        lines = NUMBERS.splitlines(True)
        (row, start), (_, end) = token.start, token.end
        swap = {"0": "1", "1": "0", ">": "<", "<": ">", "+": "-", "//": "/", "%": "//"}
        new = swap.get(token.string) or dice.choice([other, "0", "1", "-1", "n", "not"])
        lines[row - 1] = lines[row - 1][:start] + new + lines[row - 1][end:]
        texts.append("".join(lines))
    return texts


def differences(texts: list[str], one: list[Verdict], two: list[Verdict]) -> dict[str, Any]:
    """Where shared tries and those alone do not end the same.  One that was cut off may do better
    alone."""
    return {
        changed(text): (told(a), a.reason, told(b), b.reason)
        for text, a, b in zip(texts, one, two, strict=True)
        if told(a) != told(b) and not was_cut(a) and not b.reason
    }


def changed(text: str) -> str:
    old = NUMBERS.splitlines()
    return "; ".join(line for line in text.splitlines() if line not in old)


def test_random_patches_end_as_they_do_alone(bench: Bench) -> None:
    texts = edits(50, 7)
    shared = bench.tried(texts)
    assert differences(texts, shared, bench.tried(texts, alone=True)) == {}
    assert len({str(told(verdict)) for verdict in shared}) > 2


@pytest.mark.parametrize("bench", KINDS[:2], indirect=True)
@pytest.mark.long
def test_what_a_try_does_to_its_process_is_no_matter_to_the_next_ones(bench: Bench) -> None:
    deeds = list(DEEDS)
    dice = random.Random(3)
    dice.shuffle(deeds)
    if bench.kind != KINDS[0]:  # what differs is the harness, not what a deed does
        deeds = deeds[::4]
    order = [name for deed in deeds for name in (deed, "right", "wrong")]
    verdicts = bench.tried([patched(DEEDS[name][0]) for name in order])
    gained = set(bench.plan.failing)
    missed = {
        f"{at} {name} after {order[at - 1] if at else 'nothing'}": verdict
        for at, (name, verdict) in enumerate(zip(order, verdicts, strict=True))
        if bool(gained & set(verdict.passed) and not set(bench.plan.passing) & set(verdict.failed))
        != DEEDS[name][1]
        and not was_cut(verdict)
    }
    assert missed == {}
    assert all(verdict.reason != "not tried" for verdict in verdicts)


def test_endless_loops_are_cut_off_by_a_count(bench: Bench) -> None:
    names = ["endless", "endless and deaf", "long but it ends", "right"]
    texts = [patched(DEEDS[name][0]) for name in names]
    verdicts = bench.tried(texts)
    assert [was_cut(verdict) for verdict in verdicts] == [True, True, True, False]
    assert all(v.reason.removesuffix(" turns").split()[-1].isdigit() for v in verdicts[:3])
    again = bench.tried(texts, alone=True)
    gained = [bool(set(bench.plan.failing) & set(verdict.passed)) for verdict in again]
    assert gained == [False, False, True, True]
    assert not any(was_cut(verdict) for verdict in again)


def test_the_same_verdicts_each_time(bench: Bench) -> None:
    texts = edits(30, 9)
    first = [(told(v), v.reason) for v in bench.tried(texts)]
    mixed = list(reversed(texts))
    second = [(told(v), v.reason) for v in bench.tried(mixed)]
    assert first == list(reversed(second))


@pytest.mark.parametrize("bench", KINDS[:1], indirect=True)
def test_a_worker_that_is_killed_loses_no_try(bench: Bench) -> None:
    texts = edits(60, 11) + [patched("while True: pass")] * 60 + edits(60, 12)
    expected = [told(verdict) for verdict in bench.tried(texts)]
    stop = threading.Event()
    killed = []

    def kill() -> None:
        stop.wait(0.05)
        for pid in sorted(descendants(os.getpid()), reverse=True):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                return

    thread = threading.Thread(target=kill)
    thread.start()
    verdicts = bench.tried(texts)
    stop.set()
    thread.join()
    assert killed
    lost = [at for at, v in enumerate(verdicts) if told(v) != expected[at] and not v.reason]
    assert lost == []
    assert sum(
        bool(v.reason) and not was_cut(v) and told(v) != expected[at]
        for at, v in enumerate(verdicts)
    ) <= len(killed)
