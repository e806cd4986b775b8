"""Whether a patched program is right, by cases that the repair never saw.

Run as a child process: `python judging.py`, with a request in JSON as its input, in the folder of
the project.  It answers {"right": bool, "passed": [...], "failed": [...]}.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SECONDS = 5.0  # for one call, or for one test
WHOLE_SECONDS = 60.0


def judged(files: Mapping[str, str], judge: Mapping[str, Any], python: str) -> dict[str, Any]:
    """Ask a child about a patched project.  files: of the project, path -> text."""
    with tempfile.TemporaryDirectory(prefix="judged-") as name:
        folder = Path(name)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
        if "suite" in judge:
            return {"right": _green(folder, str(judge["suite"]), python)}
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            run = subprocess.run(
                [python, str(Path(__file__).resolve())],
                input=json.dumps(dict(judge)),
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=WHOLE_SECONDS,
                check=False,
            )
            answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            return {"right": False}
        return answer


def _green(folder: Path, tests: str, python: str) -> bool:
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests]
    try:
        run = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            timeout=WHOLE_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


# ------------------------------------------------------------------------------ in the child


class _TimeUp(BaseException):
    pass


def _up(*_: object) -> None:
    raise _TimeUp


@contextlib.contextmanager
def _timed() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def close(got: Any, wanted: Any, atol: float) -> bool:
    """Equal; floats, also inside of lists, within a tolerance, as HumanEval+ compares them."""
    if got == wanted and type(got) is type(wanted):
        return True
    if isinstance(wanted, float) or (isinstance(got, float) and isinstance(wanted, int)):
        tolerance = atol or 1e-6
        try:
            return bool(abs(got - wanted) <= tolerance + 1e-7 * abs(wanted))
        except TypeError:
            return False
    if isinstance(wanted, list | tuple) and isinstance(got, list | tuple):
        return len(got) == len(wanted) and all(
            close(a, b, atol) for a, b in zip(got, wanted, strict=True)
        )
    return bool(got == wanted)


def _of_pairs(asked: Mapping[str, Any]) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "program"}
    exec(compile(Path("program.py").read_text("utf-8"), "program.py", "exec"), space)
    function = space[asked["entry"]]
    for given, wanted in asked["pairs"]:
        names = {"inf": float("inf"), "nan": float("nan")}
        arguments, expected = eval(given, names), eval(wanted, names)
        with _timed():
            got = function(*copy.deepcopy(arguments))
        if not close(got, expected, asked["atol"]):
            return {"right": False}
    return {"right": True}


def _of_script(asked: Mapping[str, Any]) -> dict[str, Any]:
    """All statements of the script, without the assertions that the repair has seen."""
    space: dict[str, Any] = {"__name__": "program"}
    exec(compile(Path("program.py").read_text("utf-8"), "program.py", "exec"), space)
    entry = asked["entry"]
    seen = {ast.dump(part) for text in asked["without"] for part in ast.parse(text).body}
    tree = ast.parse(asked["script"])
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "check":
            parameters = [one.arg for one in node.args.args]
            node.body = [
                part for part in node.body if _under_its_name(part, parameters, entry) not in seen
            ] or [ast.Pass()]
    tree.body = [node for node in tree.body if ast.dump(node) not in seen]
    calls = any(isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) for n in tree.body)
    with _timed():
        exec(compile(ast.fix_missing_locations(tree), "judge.py", "exec"), space)
        if not calls and "check" in space:
            space["check"](space[entry])
    return {"right": True}


def _under_its_name(part: ast.stmt, parameters: list[str], entry: str) -> str:
    """A statement of check(candidate), as it reads without the parameter."""
    renamed = copy.deepcopy(part)
    for node in ast.walk(renamed):
        if isinstance(node, ast.Name) and node.id in parameters:
            node.id = entry
    return ast.dump(renamed)


def _of_methods(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Each unittest method on its own."""
    sys.path.insert(0, "")
    passed: list[str] = []
    failed: list[str] = []
    suite = unittest.defaultTestLoader.loadTestsFromName("test_rows")
    for case in _flat(suite):
        result = unittest.TestResult()
        try:
            with _timed():
                case.run(result)
            ok = result.wasSuccessful()
        except _TimeUp:
            ok = False
        (passed if ok else failed).append(case.id())
    return {"right": not failed and bool(passed), "passed": passed, "failed": failed}


def _flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from _flat(one)
        else:
            yield one


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    signal.signal(signal.SIGALRM, _up)
    asked = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, io.StringIO()
    kind = _of_pairs if "pairs" in asked else _of_script if "script" in asked else _of_methods
    try:
        answer = kind(asked)
    except BaseException as error:
        answer = {"right": False, "why": type(error).__name__}
    print(json.dumps(answer), file=out, flush=True)
    os._exit(0)


if __name__ == "__main__":
    _main()
