"""The peer that mgdebug is measured against: how often, and with how many words, MGDebugger asks
its model ("From Code to Correctness", Shi et al. 2024), on the same bugs with the same replies.

The order of its calls, what each of them repeats and when it stops are MGDebugger's; the wording is
not, only its length.  Where recorded replies cannot do what a model does, the peer gets the benefit
of the doubt: a program of several functions counts as one that was split well, and the visible
cases count as those that a model derives for a function.
"""

from __future__ import annotations

import ast
import json
import statistics
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mgdebug.bench import data
from mgdebug.bench.judging import judged
from mgdebug.bench.recorded import Recorded
from mgdebug.bench.rows import Row, read
from mgdebug.bench.running import fails
from mgdebug.syntax.hierarchy import bottom_up

ATTEMPTS, TRIES = 10, 3  # of a bug; at a function in one of them
SEED = 0

SYSTEM = "You are a careful programmer who reads and mends Python programs."
SPLIT = """\
The function `{name}` below is the main one of a Python program. Rewrite the whole program so that
it consists of many small functions instead of a few long ones. Every step that can be told apart
from its neighbours becomes a function with a name that says what it does, and a step may again be
made of smaller ones. The main function keeps its name, its parameters and its result. Do not mend
anything on the way, and leave nothing out.

The program:
```python
{program}
```

Think first about the steps that you see, one after the other. Then give the whole program in one
block of Python code, with all functions side by side at the top level.
"""
CASES = """\
The function `{name}` is part of the Python program below. Write {count} test cases for it, as many
as there are for the main function, so that they agree with what the main function is to give.

The program:
```python
{program}
```

The cases of the main function:
```json
{cases}
```

Go through these cases one at a time. Follow the main function from its arguments to the place where
it calls the function, and note with which arguments that happens. Then work out from the expected
result what the function has to give back there. If it is called several times in one case, choose
the call that says most about it.

For each case write its arguments, your reasoning in a few sentences, and the expected result. At
the end, repeat all of them in one block of JSON: an object with a list of cases, in which every
element is an object with the arguments by name and the result.
"""
DEBUG = """\
The function `{name}` fails some of its test cases. Find the mistake in it and correct it.

The function:
```python
{function}
```

The test cases:
```json
{cases}
```

Take the place of the interpreter: choose a case that fails, run the function on it line by line,
and write down after every line what each variable holds. Say where the values first differ from
what they ought to be, and which line is to blame. Do not change what the cases say, and keep the
name and the parameters of the function. End with the whole corrected function, from its first line
to its last one, in a single block of Python code.
"""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """A line for each bug, then all of them; nothing is a bar.  only: names or their last parts."""
    replies = data("recorded-replies.jsonl")
    rows = read(data("humanevalfix.jsonl"), "tests")
    bugs = []
    yield f"{'bug':34} {'ends':8} {'calls':>5} {'tokens of prompts':>17}", True
    for row in rows:
        if not only or row.id in only or row.id.rpartition("/")[2] in only:
            bug = Bug(row, Recorded(replies, SEED))
            bug.repair()
            bugs.append(bug)
            end = "repaired" if bug.repaired else "-"
            yield f"{row.id:34} {end:8} {bug.calls:5} {bug.prompt:17}", True
    calls = [bug.calls for bug in bugs] or [0]
    spent = sorted(bug.prompt for bug in bugs if bug.repaired) or [0]
    last = spent[min(len(spent) - 1, int(0.95 * len(spent)))]
    yield f"{len(bugs)} rows, {sum(bug.repaired for bug in bugs)} repaired", True
    yield f"calls of a model: {sum(calls)}, {statistics.mean(calls):.1f} a bug", True
    middle = statistics.median(spent)
    yield f"tokens of prompts a repaired bug: median {middle:.0f}, p95 {last}", True


class Bug:
    """A row under repair.  calls: of the model; prompt: tokens of their prompts; repaired: whether
    an attempt ended with a program that passes all visible cases."""

    def __init__(self, row: Row, model: Recorded) -> None:
        self.calls = self.prompt = 0
        self.repaired = False
        self._row, self._model = row, model
        shown = row.shown
        self._gold = shown.expressions or tuple(shown.files[path] for path in shown.tests)
        self._known: dict[str, bool] = {}

    def repair(self) -> None:
        """Each attempt starts again from the program as it was."""
        for _ in range(ATTEMPTS):
            self.repaired = self._passes(self._attempt())
            if self.repaired:
                break

    def _attempt(self) -> str:
        shown, name = self._row.shown, self._row.judge["entry"]
        program = shown.files[shown.target]
        reply = self._ask(SPLIT, name=name, program=program)
        split = functions(reply)
        if name in split and len(split) > 1:
            program = reply
        cases = json.dumps(self._gold)
        for name in order(program):
            self._ask(CASES, name=name, program=program, cases=cases, count=len(self._gold))
            for _ in range(TRIES):
                if self._passes(program):
                    break
                function = ast.unparse(functions(program)[name])
                reply = self._ask(DEBUG, name=name, function=function, cases=cases)
                program = replaced(program, name, reply)
        return program

    def _ask(self, prompt: str, **parts: object) -> str:
        """The code of a reply."""
        self.calls += 1
        contents = {"system": SYSTEM, "user": prompt.format(**parts)}
        messages = [{"role": role, "content": text} for role, text in contents.items()]
        said = self._model({"messages": messages}, self.calls)
        assert said.usage is not None
        self.prompt += said.usage[0]
        return (said.text or "").removeprefix("```python\n").removesuffix("\n```")

    def _passes(self, program: str) -> bool:
        if program not in self._known:
            shown = self._row.shown
            shown = replace(shown, files={**shown.files, shown.target: program})
            if shown.expressions:
                passes = not fails(replace(self._row, shown=shown))
            else:
                [tests] = shown.tests
                passes = judged(shown.files, {"suite": tests}, sys.executable)["right"]
            self._known[program] = passes
        return self._known[program]


def functions(text: str) -> dict[str, Function]:
    """Those at the top level of a program, none of one that does not parse."""
    return {node.name: node for node in _body(text) if isinstance(node, Function)}


def order(program: str) -> list[str]:
    """The names of its functions, what is called before what calls it."""
    found = functions(program)
    edges = {}
    for name, function in found.items():
        used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        edges[name] = [other for other in found if other in used]
    return [name for group in bottom_up(edges) for name in group]


def replaced(program: str, name: str, reply: str) -> str:
    """The program with a reply's version of a function, and the imports that this may need; as it
    was if the reply has none."""
    new = functions(reply).get(name)
    if new is None:
        return program
    own = _body(program)
    known = {ast.dump(node) for node in own}
    body: list[ast.stmt] = [
        node
        for node in _body(reply)
        if isinstance(node, ast.Import | ast.ImportFrom) and ast.dump(node) not in known
    ]
    body += [new if isinstance(node, Function) and node.name == name else node for node in own]
    return ast.unparse(ast.Module(body, []))


def _body(text: str) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what models write in their literals
            return ast.parse(text).body
    except (SyntaxError, ValueError):
        return []
