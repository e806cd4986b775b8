"""Real programs with their checks, to be run in this process: what `tracing` measures and `truth`
compares.  The rows are read where they lie, never copied."""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import json
import random
import signal
import sys
import types
import unittest
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgdebug.bench import data
from mgdebug.bench.outcomes import TimeUp, told

Space = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a program is asked to do right.  Raises what is wrong.

    source: a statement that does it in the namespace of the program, if there is one."""

    name: str
    function: Callable[..., object]
    arguments: Sequence[Any] = ()
    source: str = ""

    def ready(self) -> Callable[[], object]:
        """The check with arguments of its own: programs change what they are given."""
        function, arguments = self.function, copy.deepcopy(self.arguments)
        return lambda: function(*arguments)

    def written(self, program: Program) -> str:
        """The call of the program's function of the same name as a text, "" if there is none."""
        if self.source:
            return self.source
        name = program.path.removesuffix(".py")
        plain = all(isinstance(one, int | float | str | list) for one in self.arguments[:1])
        if not plain or not isinstance(self.arguments, list) or len(self.arguments) != 2:
            return ""
        given = self.arguments[0]
        return f"{name}(*{given!r})" if isinstance(given, list) else ""


@dataclass(frozen=True, slots=True)
class Program:
    """A program of one file.  checks: from its executed namespace; they are bound to it."""

    name: str
    text: str
    checks: Callable[[Space], list[Check]]
    path: str = "program.py"


def execute(code: types.CodeType, path: str) -> Space:
    """Run a program as the module that its path says."""
    name = path.removesuffix(".py")
    module = sys.modules[name] = types.ModuleType(name)
    exec(code, module.__dict__)
    return module.__dict__


def chosen(programs: Sequence[Program], only: Sequence[str]) -> list[Program]:
    """only: names or their last parts, () for all."""
    return [p for p in programs if not only or p.name in only or p.name.split("/", 1)[1] in only]


def ended(check: Check, seconds: float) -> str:
    """How a check ends: "passed", "skipped", "time", or the exception.  seconds: of processor
    time, after which it is stopped."""

    def up(*_: object) -> None:
        raise TimeUp

    run = check.ready()
    random.seed(0)
    printed = io.StringIO()
    before = signal.signal(signal.SIGPROF, up)
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            signal.setitimer(signal.ITIMER_PROF, seconds)
            run()
            signal.setitimer(signal.ITIMER_PROF, 0)
            end = "passed"
    except TimeUp:
        return "time"
    except RecursionError:  # where it strikes depends on the number of frames
        return "RecursionError"
    except BaseException as error:
        name = type(error).__name__
        end = "skipped" if name in ("Skipped", "SkipTest") else f"{name}: {told(error.args)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    text = printed.getvalue()
    return f"{end} printed {told(text)[:400]}" if text else end


def passing(program: Program, seconds: float) -> list[str]:
    """The names of the checks that the program passes as it is, however often they run."""
    try:
        space = execute(compile(program.text, program.path, "exec"), program.path)
    except ImportError:
        return []
    checks = program.checks(space)
    for _ in range(3):
        checks = [check for check in checks if ended(check, seconds).startswith("passed")]
    return [check.name for check in checks]


# ------------------------------------------------------------------------------- the three sets


def quixbugs() -> list[Program]:
    """40 programs; a check for each test function or pair of input and output."""
    return [
        Program(row["id"], row["files"][row["target"]], _tests_of(row), _module(row["target"]))
        for row in _rows("quixbugs.jsonl")
    ]


def humanevalfix() -> list[Program]:
    """82 programs; a check for each assertion, where the script has nothing but assertions."""
    return [
        Program(row["id"], row["buggy"], _assertions_of(row)) for row in _rows("humanevalfix.jsonl")
    ]


def classeval() -> list[Program]:
    """82 programs; a check for each unittest method."""
    return [
        Program(row["id"], row["buggy"], _methods_of(row), row["module"])
        for row in _rows("classeval.jsonl")
    ]


def _rows(name: str) -> Iterator[Any]:
    with data(name).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _module(path: str) -> str:
    return path.rpartition("/")[2]


def _tests_of(row: Mapping[str, Any]) -> Callable[[Space], list[Check]]:
    files: Mapping[str, str] = row["files"]
    name = _module(row["target"]).removesuffix(".py")

    def checks(space: Space) -> list[Check]:
        import pytest

        pytest.use_correct = pytest.run_slow = False  # type: ignore[attr-defined]

        def cases(algorithm: str) -> list[Any]:
            text = files[f"json_testcases/{algorithm}.json"]
            return [json.loads(line) for line in text.splitlines()]

        titles = ("python_programs", f"python_programs.{name}", "load_testdata", "node")
        package, program, loader, node = map(types.ModuleType, titles)
        package.__dict__["__path__"] = []
        program.__dict__.update(space)
        loader.__dict__["load_json_testcases"] = cases
        exec(files["python_testcases/node.py"], node.__dict__)
        sys.modules.update(zip(titles, (package, program, loader, node), strict=True))
        tests: Space = {"__name__": f"test_{name}"}
        exec(compile(files[row["tests"]], "tests.py", "exec"), tests)
        found = []
        for title, function in list(tests.items()):
            if title.startswith("test") and callable(function):
                marks = [m for m in getattr(function, "pytestmark", ()) if m.name == "parametrize"]
                if not marks:
                    found.append(Check(title, function))
                for at, arguments in enumerate(marks[0].args[1] if marks else ()):
                    found.append(Check(f"{title}[{at}]", function, arguments))
        return found

    return checks


def _assertions_of(row: Mapping[str, Any]) -> Callable[[Space], list[Check]]:
    def checks(space: Space) -> list[Check]:
        tree = ast.parse(row["test"])
        inside = dict(space)
        found = []
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef) or node.name != "check":
                if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
                    exec(compile(ast.Module([node], []), "checks.py", "exec"), inside)
                continue
            apart = all(isinstance(part, ast.Assert) for part in node.body)
            parts = [[part] for part in node.body] if apart else [node.body]
            for at, part in enumerate(parts):
                node.body = part
                exec(compile(ast.Module([node], []), "checks.py", "exec"), inside)
                name = f"check[{at}]"
                title = row["entry_point"]
                plain = apart and node.args.args[0].arg == title
                source = ast.unparse(node.body[0]) if plain else ""
                found.append(Check(name, _bound(inside["check"], space, title), (), source))
        return found

    return checks


def _bound(check: Callable[..., object], space: Space, name: str) -> Callable[[], object]:
    return lambda: check(space[name])


def _methods_of(row: Mapping[str, Any]) -> Callable[[Space], list[Check]]:
    def checks(space: Space) -> list[Check]:
        module = types.ModuleType("m")
        module.__dict__.update(space)
        sys.modules["m"] = module
        tests = sys.modules["test_m"] = types.ModuleType("test_m")
        exec(compile(row["test"], "test_m.py", "exec"), tests.__dict__)
        suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
        return [Check(case.id(), _fresh(case)) for case in _flat(suite)]

    return checks


def _fresh(case: unittest.TestCase) -> Callable[[], object]:
    return lambda: case.debug()


def _flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from _flat(one)
        else:
            yield one
