# ruff: noqa: E501
"""What a patched text changes of a file: by its lines, as by the whole of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from interpreters import EVERY, run_inside, version_of

# Real sources, edited at random: what is found by compiling one statement must be what is found by
# compiling the whole file.
DIFFER = """
import dis, importlib, io, os, random, sys, tokenize, types, warnings
originals = importlib.import_module("_mgdebug_probe.originals")
overlay = importlib.import_module("_mgdebug_probe.overlay")
ticks = importlib.import_module("_mgdebug_probe.ticks")
warnings.simplefilter("ignore")
LIMITS = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
dice = random.Random(message["seed"])


def words(lines):
    "Tokens of all lines, to be put elsewhere."
    found = []
    try:
        for token in tokenize.tokenize(io.BytesIO(b"\\n".join(lines)).readline):
            if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.OP, tokenize.STRING):
                if token.string and token.start[0] == token.end[0]:
                    found.append((token.start[0] - 1, token.start[1], token.end[1], token.string))
    except (tokenize.TokenError, SyntaxError):
        pass
    return found


ODD = ["(", ")", '\"\"\"', "'", "\\\\\\\\", "#", ":", ";", "\\f", "\\r", "\\t", "\\r\\n", "\\0", "super()", "nonlocal x",
       "global x", "yield", "await x", "return", "class X: pass", "def g(): pass", "lambda: 0",
       "@staticmethod", "\\\\", "\\u00e9", "self", "# coding: latin-1", "__class__", "import os as x"]


def edited(lines, tokens):
    lines, at = list(lines), dice.randrange(len(lines))
    kind = dice.choice("token token token number odd insert delete duplicate indent dedent swap join many".split())
    if kind in ("token", "number"):
        chosen = dice.choice(tokens)
        if kind == "number":
            chosen = dice.choice([t for t in tokens if t[3][:1].isdigit()] or tokens)
        row, start, end, _ = chosen
        text = lines[row].decode()
        new = dice.choice(tokens)[3] if dice.random() < 0.7 else dice.choice(["0", "1", "x", "==", "<", "-", "+", "None", "not"])
        lines[row] = (text[:start] + new + text[end:]).encode()
    elif kind == "odd":
        text = lines[at].decode()
        spot = dice.randrange(len(text) + 1)
        lines[at] = (text[:spot] + dice.choice(ODD) + text[spot:]).encode()
    elif kind == "insert":
        near = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        lines.insert(at, near + dice.choice([*ODD[7:], "x = 1", "if x: pass", "pass"]).encode())
    elif kind == "delete":
        del lines[at : at + dice.choice([1, 1, 1, 2, 5])]
    elif kind == "duplicate":
        lines[at:at] = lines[at : at + dice.choice([1, 1, 3])]
    elif kind == "indent":
        lines[at] = b" " * dice.choice([1, 4]) + lines[at]
    elif kind == "dedent":
        lines[at] = lines[at][dice.choice([1, 4]) :]
    elif kind == "swap" and at + 1 < len(lines):
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    elif kind == "join" and at + 1 < len(lines):
        lines[at : at + 2] = [lines[at] + dice.choice([b"", b" ", b"\\\\"]) + lines[at + 1].lstrip()]
    elif kind == "many":
        for row in sorted(dice.sample(range(len(lines)), 2)):
            lines[row] = lines[row].replace(b"1", b"2").replace(b"self", b"x")
    return lines


def swaps(pair, path, live, ran):
    plan = overlay.plan_swap(path, pair[0], pair[1], live, ran)
    if plan is None:
        return "fresh", None
    return "swap", {id(function): code for function, code in plan}


def steps(code):
    "From 3.11 on it is called another way what the module is seen to import; it does the same."
    found = []
    for step in dis.get_instructions(code):
        text = step.argrepr
        for sign in ("NULL + ", "NULL|self + ", " + NULL|self", " + NULL"):
            text = text.replace(sign, "")
        if step.opname not in ("PUSH_NULL", "EXTENDED_ARG"):
            name = step.opname.replace("LOAD_METHOD", "LOAD_ATTR")
            found.append((name, "" if text.startswith(("to ", "<code")) else text))
    return found


def alike(one, two):
    if overlay.same_code(one, two):
        return True
    inner = [[*overlay._inside(code)] for code in (one, two)]
    return (
        sys.version_info >= (3, 11)
        and steps(one) == steps(two)
        and len(inner[0]) == len(inner[1])
        and all(alike(a, b) for a, b in zip(*inner))
    )


def outcome(work):
    try:
        return work()
    except LIMITS as error:
        return type(error).__name__, None


def told(result):
    kind, plan = result
    return kind if plan is None else "%s of %d" % (kind, len(plan))


answer = {"differences": [], "counts": {}}
for name, path in message["files"]:
    with open(path, "rb") as file:
        data = file.read()
    if b"\\r" in data:
        continue
    module = types.ModuleType("victim_" + name)
    module.__file__ = path
    if "." in name:
        module.__package__ = name.rpartition(".")[0]
    sys.modules["victim_" + name] = module
    module.__dict__["__name__"] = "victim_" + name
    exec(compile(data, path, "exec", dont_inherit=True), module.__dict__)
    live = overlay.LiveFunctions()
    original = originals.Original(path, {})
    assert original.imported
    lines = data.split(b"\\n")
    tokens = words(lines)
    functions = [c for c in overlay._all_inside(original.code) if c.co_flags & 2]
    for turn in range(message["edits"]):
        patched = b"\\n".join(edited(lines, tokens))
        ran = [(c.co_name, c.co_firstlineno) for c in dice.sample(functions, min(len(functions), 3))] if turn % 3 == 0 else []
        for how_name, how in (("plain", originals.PLAIN), ("ticked", originals.TICKED)):
            def whole():
                pair = how(data, path, 0), how(patched, path, 0)
                return swaps(pair, path, live, ran)
            expected = outcome(whole)
            got = outcome(lambda: swaps(original.compiled(patched, how), path, live, ran))
            same = expected[0] == got[0]
            if same and expected[0] == "swap":
                one, two = expected[1], got[1]
                same = one.keys() == two.keys() and all(alike(one[k], two[k]) for k in one)
            key = how_name + " " + expected[0]
            answer["counts"][key] = answer["counts"].get(key, 0) + 1
            if not same and not (got[0] == "fresh" and expected[0] == "swap"):
                changed = [b"%d: %s -> %s" % (i + 1, a, b) for i, (a, b) in enumerate(zip(lines, patched.split(b"\\n"))) if a != b][:3]
                answer["differences"].append([name, how_name, told(expected), told(got), [c.decode("utf-8", "replace") for c in changed], ran])
            elif not same:
                answer["counts"]["needlessly fresh"] = answer["counts"].get("needlessly fresh", 0) + 1
                answer.setdefault("needless", []).append([name, told(expected), [str(r) for r in ran], [(i + 1) for i, (a, b) in enumerate(zip(lines, patched.split(b"\\n"))) if a != b][:1]])
"""

# Modules of the standard library that bring much of the language with them, and one of ours.
FIND = """
import importlib.util
answer = []
for name in message:
    spec = importlib.util.find_spec(name)
    if spec and spec.origin and spec.origin.endswith(".py"):
        answer.append([name.replace(".", "_"), spec.origin])
"""
NAMES = [
    "textwrap",
    "fractions",
    "argparse",
    "json.decoder",
    "json.encoder",
    "heapq",
    "dataclasses",
    "bisect",
    "statistics",
    "contextlib",
    "string",
    "shlex",
    "difflib",
    "csv",
    "configparser",
    "calendar",
    "queue",
    "sched",
    "graphlib",
]

ODD_SOURCE = '''\
"""Of many shapes."""
from __future__ import annotations
import functools

class First: limit = 1

class Base:
    """With a text."""
    kind: str = "base"

    def __init__(self, size=3): self.size = size

    @property
    def double(self):
        # a comment
        return self.size * 2

    @functools.lru_cache(
        maxsize=None
    )
    def cached(self, n):
        text = """
no indent here
        """
        return text * n

    def __hidden(self):
        return self.__kind

    class Inner:
        def deep(self):
            def deeper(x):
                return x + self.y
            return deeper

    async def later(self):
        async with self as x:
            return [y async for y in x]


class Derived(Base):
    def __init__(self):
        super().__init__(4)

    def again(self):
        return self.double + 1


def outer(a, b=(1, 2), *c, d={}, **e):
    count = 0

    def inner():
        nonlocal count
        count += 1
        return count

    return inner


def generator(n):
    while True:
        try:
            yield n
        finally:
            n -= 1
        if n < 0:
            break


made = outer(1)
if made():
    def conditional():
        return 1
else:
    def conditional():
        return 2
twice = lambda x: x * 2
'''


@pytest.mark.parametrize("python", EVERY)
@pytest.mark.long
def test_random_edits_mean_what_they_mean_in_the_whole_file(python: str, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(ODD_SOURCE)
    files = [["odd", str(tmp_path / "odd.py")], *run_inside(python, FIND, NAMES)]
    ends = version_of(python) in ("3.8", "3.13")  # those between have fewer
    asked: Any = {"files": files, "edits": 15 if ends else 7, "seed": 5}
    found = run_inside(python, DIFFER, asked)
    assert found["differences"] == []
    counts = found["counts"]
    assert counts["plain swap"] > (40 if ends else 18)
    assert counts["ticked swap"] == counts["plain swap"]
    assert counts["plain fresh"] > (20 if ends else 9)
    assert counts["plain SyntaxError"] > (20 if ends else 9)
