"""Call edges against what really ran: the programs of ClassEval, under their own tests."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgdebug.bench import data
from mgdebug.languages import language_of
from mgdebug.model import Hierarchy, Subfunction, SubfunctionKind
from mgdebug.syntax.hierarchy import MODULE, decompose
from mgdebug.syntax.source import SourceFile

PRECISION = 0.95
_NAMELESS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"}


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Recall: calls seen between functions of a file that are edges or, where the call stands,
    unknown names.  Precision: of the edges whose call stands on a line that ran, those seen."""
    count: Counter[str] = Counter()
    missing: list[str] = []
    for text in data("classeval.jsonl").read_text("utf-8").splitlines():
        row = json.loads(text)
        if only and row["id"] not in only:
            continue
        seen = _watch(row["buggy"], row["test"], seconds)
        if isinstance(seen, str):
            yield f"  {row['id']}: did not run: {seen}", "No module named" in seen
            continue
        count["programs"] += 1
        missing += [f"  {row['id']}: {what}" for what in _compare(row["buggy"], *seen, count)]
    yield from ((line, False) for line in missing)
    recall = 1 - len(missing) / max(1, count["seen"])
    precision = count["edges seen"] / max(1, count["edges"])
    yield (
        f"edges     {count['programs']} programs, {count['seen']} calls seen: {recall:.1%} known "
        f"({count['as edges']} edges, the rest unknown names; bar 100%)",
        not missing,
    )
    yield (
        f"          {count['edges']} edges of lines that ran: {precision:.1%} seen "
        f"(bar {PRECISION:.0%})",
        precision >= PRECISION,
    )


def _watch(module: str, test: str, seconds: float) -> tuple[list[list[object]], set[int]] | str:
    """What was seen, or why nothing was."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "m.py").write_text(module, "utf-8")
        (folder / "test_m.py").write_text(test, "utf-8")
        script = Path(__file__).with_name("watched.py")
        said = "stopped"
        try:
            done = subprocess.run(
                [sys.executable, str(script), str(folder), str(seconds)],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=2 * seconds + 5,
                cwd=folder,
            )
            said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
            calls, lines = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError):
            return said
    return calls, set(lines)


def _compare(
    text: str, calls: Sequence[Sequence[object]], lines: set[int], count: Counter[str]
) -> Iterator[str]:
    """Calls that the hierarchy does not know of, in words."""
    language = language_of("m.py")
    assert language is not None
    hierarchy = decompose([SourceFile("m.py", text.encode(), language.grammar())])
    said = text.splitlines()
    tree = ast.parse(text)
    pairs = set()
    for caller_key, callee_key, line in calls:
        caller, callee = (_owner(hierarchy, *key) for key in (caller_key, callee_key))  # type: ignore[misc]
        if caller is None or callee is None:
            continue
        if callee_key[0] in _NAMELESS and callee.kind is not SubfunctionKind.LAMBDA:  # type: ignore[index]
            continue
        count["seen"] += 1
        pairs.add((caller.id, callee.id))
        called = _called_on(tree, int(str(line)))
        if callee.id in (*caller.calls, *caller.children):
            count["as edges"] += 1
        elif not {callee.name, *called}.intersection(caller.unknown):
            yield f"{caller.qualname} -> {callee.qualname}: {said[int(str(line)) - 1].strip()}"
    for caller in hierarchy.subfunctions.values():
        for name in caller.calls:
            callee = hierarchy.subfunctions[name]
            shown = {callee.name, *(callee.qualname.split(".")[-2:-1])}
            places = [
                number
                for number in range(caller.span.first_line, caller.span.last_line + 1)
                if number in lines and shown & _called_on(tree, number)
            ]
            if places:
                count["edges"] += 1
                count["edges seen"] += (caller.id, name) in pairs


def _owner(hierarchy: Hierarchy, name: str, line: int) -> Subfunction | None:
    """The subfunction of a code object: for a nameless one, what is around it."""
    best: Subfunction | None = None
    lambdas = [s for s in hierarchy.subfunctions.values() if s.kind is SubfunctionKind.LAMBDA]
    if name == "<lambda>" and any(s.span.first_line == line for s in lambdas):
        return next(s for s in lambdas if s.span.first_line == line)
    for subfunction in hierarchy.subfunctions.values():
        if name in _NAMELESS and subfunction.kind is not SubfunctionKind.LAMBDA:
            if subfunction.span.first_line <= line <= subfunction.span.last_line:
                best = subfunction
        elif subfunction.name == name and (name == MODULE or subfunction.whole.first_line == line):
            return subfunction
    return best


def _called_on(tree: ast.Module, line: int) -> set[str]:
    """The names that are called on a line."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or line):
            function = node.func
            if isinstance(function, ast.Attribute):
                found.add(function.attr)
            elif isinstance(function, ast.Name):
                found.add(function.id)
            else:
                found.add(" ".join(ast.unparse(function).split())[:40])
    return found
