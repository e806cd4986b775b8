"""What a program does with its cases, to compare two texts of it.  Run as a child process: takes
a request in JSON from its input, and writes what happened, a row for each case, to its output."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import random
import re
import resource
import signal
import sys
import types
import unittest
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType

_MEMORY = 2 << 30


class TimeUp(BaseException):
    """A case ran too long."""


def _up(_signal: int, _frame: FrameType | None) -> None:
    raise TimeUp


def told(thing: object) -> str:
    """A text that two runs can agree on: without addresses, and no longer than useful."""
    try:
        text = repr(thing)
    except Exception as error:
        text = f"<no repr: {type(error).__name__}>"
    return re.sub(r"0x[0-9a-f]+", "0x", text)[:20_000]


def outcome(run: Callable[[], object], seconds: float) -> tuple[str, ...]:
    """How a call ends: its result or its exception, and what it prints."""
    random.seed(0)
    printed = io.StringIO()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with contextlib.redirect_stdout(printed):
            result = "result", told(run())
    except TimeUp:
        return ("time",)
    except RecursionError:  # where it strikes depends on the number of frames
        return ("error", "RecursionError")
    except BaseException as error:
        result = "error", type(error).__name__ + told(error.args)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return *result, printed.getvalue()[:20_000]


def calls(request: dict[str, object]) -> Iterator[tuple[str, ...]]:
    """A function: each statement of its checks, and each call with its arguments afterwards."""
    space: dict[str, object] = {"__name__": "m"}
    exec(compile(str(request["text"]), "m.py", "exec"), space)
    name, seconds = str(request["entry"]), float(str(request["seconds"]))
    for checks in request["checks"]:  # type: ignore[attr-defined]
        tree = ast.parse(checks)
        inside = {**space}

        def check(node: ast.stmt, inside: dict[str, object] = inside) -> None:
            exec(compile(ast.Module([node], []), "checks", "exec"), inside)

        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == "check":
                inside[node.args.args[0].arg] = space[name]
                for statement in node.body:
                    yield outcome(partial(check, statement), seconds)
            elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
                check(node)
    for given in request["arguments"]:  # type: ignore[attr-defined]

        def call(given: str = given) -> object:
            arguments = eval(given.rstrip()[:-1].rstrip().rstrip(",") + ",)") if given else ()
            result = space[name](*arguments)  # type: ignore[operator]
            return result, arguments

        yield outcome(call, seconds)


def tests(request: dict[str, object]) -> Iterator[tuple[str, ...]]:
    """A module `m` and its unittest cases."""
    text, seconds = str(request["text"]), float(str(request["seconds"]))
    Path("m.py").write_text(text, "utf-8")
    sys.path.insert(0, "")
    module = types.ModuleType("tests_of_m")
    sys.modules["tests_of_m"] = module
    exec(compile(str(request["checks"]), "tests_of_m.py", "exec"), module.__dict__)

    def flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
        for one in suite:
            if isinstance(one, unittest.TestSuite):
                yield from flat(one)
            else:
                yield one

    for case in flat(unittest.defaultTestLoader.loadTestsFromModule(module)):

        def run(case: unittest.TestCase = case) -> object:
            result = unittest.TestResult()
            case.run(result)
            ends = [text.strip().rpartition("\n")[2] for _, text in result.errors + result.failures]
            return result.wasSuccessful(), ends

        yield case.id(), *outcome(run, seconds)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGALRM, _up)
    asked = json.load(sys.stdin)
    out = sys.stdout
    sys.stdout = io.StringIO()
    rows: list[tuple[str, ...]] = []
    try:
        rows += (calls if asked["kind"] == "calls" else tests)(asked)
    except BaseException as error:
        rows.append(("stopped", type(error).__name__ + told(error.args)))
    json.dump(rows, out)
