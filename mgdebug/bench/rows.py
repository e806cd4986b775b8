"""Rows of the real bugs: what a repair is shown of them, and what judges it."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mgdebug.errors import UsageError

VISIBLE = ("tests", "examples")


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a repair sees.  files: of the project.  target: the file under suspicion.  tests,
    expressions: the cases, as the command line takes them."""

    files: Mapping[str, str]
    target: str
    tests: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """judge: what judging.py is asked of a patched project; its cases are never shown."""

    id: str
    kind: str
    shown: Shown
    judge: Mapping[str, Any] = field(default_factory=dict)


def read(file: Path, visible: str) -> list[Row]:
    """The rows of a file of one of the formats.  visible: "tests", or "examples" where rows have
    some apart.  Raises UsageError for what is no such file."""
    rows = []
    try:
        lines = file.read_text("utf-8").splitlines()
        for line in lines:
            rows.append(_row(json.loads(line), visible))
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", "name a file of rows"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        what = f"row {len(rows) + 1} of {file} has no known format: {error}"
        raise UsageError(what, "see the README beside the data for the formats") from None
    return rows


def _row(raw: Mapping[str, Any], visible: str) -> Row:
    if "files" in raw:
        shown = Shown(raw["files"], raw["target"], (raw["tests"],))
        return Row(raw["id"], "suite", shown, {"suite": raw["tests"]})
    if "class_name" in raw:
        module = raw["module"]
        files = {module: raw["buggy"], "test_rows.py": raw["test"]}
        return Row(raw["id"], "suite", Shown(files, module, ("test_rows.py",)), {"counted": True})
    name = raw["entry_point"]
    if "hidden_test" in raw:
        given = tuple(raw["given_tests"])
        shown = _of_program(raw["buggy"], given, "")
        return Row(
            raw["id"],
            "hidden",
            shown,
            {"entry": name, "script": raw["hidden_test"], "without": list(given)},
        )
    script = raw["test" if visible == "tests" else "example_test"]
    shown = _of_program(raw["buggy"], *_cases_of(script, name))
    if visible == "tests":
        judge = {"entry": name, "pairs": raw["judge"], "atol": raw["atol"]}
    else:
        judge = {"entry": name, "script": raw["test"], "without": []}
    return Row(raw["id"], raw.get("bug_type", ""), shown, judge)


def _of_program(text: str, expressions: tuple[str, ...], tests: str) -> Shown:
    files = {"program.py": text}
    if tests:
        files["test_program.py"] = tests
    return Shown(files, "program.py", ("test_program.py",) if tests else (), expressions)


def _cases_of(script: str, name: str) -> tuple[tuple[str, ...], str]:
    """A script that defines and calls check(), as expressions where it is a list of assertions, as
    a pytest file where it is not."""
    tree = ast.parse(script)
    checks = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "check"]
    if not checks:
        return (), ""
    [check] = checks
    others = [n for n in tree.body if n is not check and not _calls_check(n)]
    parameter = check.args.args[0].arg
    if not others and all(isinstance(part, ast.Assert) for part in check.body):
        texts = []
        for part in check.body:
            renamed = ast.fix_missing_locations(_Renamed(parameter, name).visit(part))
            texts.append(ast.unparse(renamed))
        return tuple(dict.fromkeys(texts)), ""
    setup = [f"from program import *\nfrom program import {name}"]
    setup += [ast.unparse(node) for node in others]
    own = [f"    {parameter} = {name}"] if parameter != name else []
    groups: list[list[ast.stmt]] = [[]]
    for part in check.body:
        groups[-1].append(part)
        if isinstance(part, ast.Assert) and all(isinstance(p, ast.Assert) for p in check.body):
            groups.append([])
    tests = []
    for at, group in enumerate(g for g in groups if g):
        lines = [line for part in group for line in ast.unparse(part).splitlines()]
        tests.append("\n".join([f"def test_{at}():", *own, *(f"    {line}" for line in lines)]))
    return (), "\n\n\n".join(["\n".join(setup), *tests]) + "\n"


def _calls_check(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "check"
    )


class _Renamed(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._new, node.ctx) if node.id == self._old else node
