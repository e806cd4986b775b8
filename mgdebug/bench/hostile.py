"""Hostile programs, each run by `mgdebug fix` in a decoy repository: is what is said of it what its
header wants, and is nothing touched, left behind or let out?"""

from __future__ import annotations

import ast
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mgdebug.bench.decoy import Decoy, Ended
from mgdebug.errors import UsageError

LIMIT = 1.0  # seconds for a case
REPAIR = 3.0  # seconds for a repair
OVERHEAD = 1.0  # beyond a limit that a verdict may take

# What a program prints that ends by itself; its own verdict stands then.
PRINTS = {
    "12_daemon_double_fork": "main done\n",
    "38_undeletable": "levels 1500\n",
    "40_pipe_holder": "parent ends now\n",
}
# In pytest the comparison is the test's own: values that lie to it are believed.
LIES_TO_PYTEST = ("20_always_equal",)
# Words of which one must be said of the case, by the beginning of what the header wants.
WANTED = (
    (r"PROCESS-LIMIT or TIMEOUT", r"process limit of|time limit of"),
    (r"TIMEOUT", r"time limit of 1\.0 s"),
    (r"MEMORY", r"MemoryError|memory limit of"),
    (r"must get EOF", r"EOFError"),
    (r"FAIL/crash with the exception type", r"RuntimeError"),
    (r"program's own verdict|verdict of the program", r"1 passed|nothing fails|all cases pass"),
)
FAILING = r"\d+ passed, [1-9]\d* failing|tampering"


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """A line for each program.  only: names of programs, () for all."""
    files = programs()
    if not files:
        raise UsageError("there are no hostile programs", "set MGDEBUG_HOSTILE to their folder")
    bad = 0
    for file in files:
        if only and file.stem not in only:
            continue
        for way in ways(file):
            with tempfile.TemporaryDirectory() as name, Decoy(Path(name)) as decoy:
                ended = met(decoy, file, way)
            wrong = judged(file, way, ended)
            bad += bool(wrong)
            left = sum(one.startswith("process left") for one in ended.wrong)
            touched = sum(one.startswith(("changed", "made", "removed")) for one in ended.wrong)
            yield (
                f"{file.stem:24} {way:6} {ended.seconds:5.1f} s  {touched} touched"
                f"  {left} left  {'; '.join(wrong) or 'as wanted'}",
                not wrong,
            )
    yield f"not as wanted: {bad} (bar 0)", bad == 0


def programs() -> list[Path]:
    """$MGDEBUG_HOSTILE, or the folder beside the checkout; [] where it is not."""
    given = os.environ.get("MGDEBUG_HOSTILE")
    folder = Path(given) if given else Path(__file__).resolve().parents[3] / "shared/hostile"
    return sorted(folder.glob("[0-9]*.py"))


def ways(file: Path) -> list[str]:
    """How a program is run: as a program, by values, imported by a pytest file."""
    if "KIND: cheat" not in file.read_text("utf-8"):
        return ["io"]
    return ["io", "case"] if file.stem in LIES_TO_PYTEST else ["io", "case", "pytest"]


def met(
    decoy: Decoy,
    file: Path,
    way: str,
    environment: Mapping[str, str] | None = None,
    wrapper: Sequence[str] = (),
) -> Ended:
    """Run mgdebug on a program.  environment, wrapper: see Decoy.run."""
    text = file.read_text("utf-8")
    decoy.write("prog.py", text)
    common = ("--time", f"{REPAIR:g}", "--jobs", "1")
    small = {"MGDEBUG_MEMORY": "1024", **(environment or {})}
    if way == "case":
        cases = [
            word
            for arguments, wanted in _tests(text)
            for word in ("--case", f"solve({', '.join(map(repr, arguments))}) == {wanted!r}")
        ]
        return decoy.run("fix", "prog.py", *cases, *common, environment=small, wrapper=wrapper)
    if way == "pytest":
        decoy.write(
            "test_prog.py",
            f"import pytest\nfrom prog import solve\n\n\n"
            f"@pytest.mark.parametrize(('given', 'wanted'), {_tests(text)!r})\n"
            f"def test_solve(given, wanted):\n    assert solve(*given) == wanted\n",
        )
        return decoy.run(
            "fix", "--tests", "test_prog.py", *common, environment=small, wrapper=wrapper
        )
    decoy.write("io/a.in", "")
    decoy.write("io/a.out", PRINTS.get(file.stem, "what no hostile program prints\n"))
    return decoy.run("fix", "prog.py", "--io", "io", *common, environment=small, wrapper=wrapper)


def judged(file: Path, way: str, ended: Ended) -> list[str]:
    """What is not as the header wants it, in words."""
    header = re.search(r"HARNESS MUST REPORT: (.*)", file.read_text("utf-8"))
    wrong = list(ended.wrong)
    if "Traceback" in ended.said or "internal error" in ended.said:
        wrong.append("mgdebug itself breaks")
    if ended.seconds > REPAIR + LIMIT + OVERHEAD + 2:
        wrong.append(f"it took {ended.seconds:.1f} s")
    words = next(
        (words for start, words in WANTED if header and re.match(start, header[1])), FAILING
    )
    if not re.search(words, ended.said):
        wrong.append(f"not said: {words}")
    passes = way == "io" and file.stem in PRINTS
    if not passes and (ended.code == 0 or not re.search(FAILING, ended.said)):
        wrong.append("reported as passing")
    if len(ended.stdout + ended.stderr) > 64 << 10:
        wrong.append("a flood of output")
    return wrong


def _tests(text: str) -> list[tuple[list[object], object]]:
    found = re.search(r"^TESTS = (\[.*\])", text, re.MULTILINE)
    return [tuple(pair) for pair in ast.literal_eval(found[1])] if found else []
