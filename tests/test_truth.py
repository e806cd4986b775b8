"""Traces of programs made at random, against what CPython's own tracing says of the same run."""

from __future__ import annotations

import ast
import dis
import inspect
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from probed import request, source_of, text_of, texts

from mgdebug.model import Block, BlockKind
from mgdebug.probe.probes import Probes
from mgdebug.probe.recorder import EVERY, Budget, Recorder
from mgdebug.probe.snapshot import snapshot
from mgdebug.runner.visits import Log
from mgdebug.syntax.hierarchy import decompose

UNTOLD = (BlockKind.TRY, BlockKind.FINALLY, BlockKind.HANDLER, BlockKind.ARM, BlockKind.EACH)
PATH = "program.py"
CLEARING = ("COPY", "POP_EXCEPT", "RERAISE")  # of a handler that is left
GLOBALS = ("pool", "total", "stash", "kept", "Point")  # that hold data


# --------------------------------------------------------------------------------- programs


HEAD = """
from contextlib import suppress
pool = [1]
total = 0
stash = []
class Thing:
    def __init__(self, items):
        self.items = items
    def push(self, y):
        self.items.append(y)
    def pop(self):
        z = self.items.pop()
        return z
def poke(y):
    for s in stash[:3]:
        s.append(y)
def give(xs, *more, extra=0, **named):
    if more:
        xs.append(extra)
    return xs
def each(xs):
    for x in xs[:3]:
        xs.append(x)
        yield x
"""
LOUD = """
class Thing(Thing):
    def __add__(self, other):
        self.items.append(other)
        return self
    @property
    def last(self):
        self.items.append(7)
        return self.items[-1]
    def __iter__(self):
        stash.append(self.items)
        return iter([1, 2])
    def __len__(self):
        self.items.append(8)
        return 2
"""


class Writer:
    """Writes a program that ends.  Each of its statements stands in a line of its own, and no block
    begins with a jump: CPython tells the line of a jump once more behind a `with`."""

    def __init__(self, seed: int, finals: bool) -> None:
        """finals: whether a try may have a finally."""
        self.random, self.finals = random.Random(seed), finals
        self.lines: list[str] = []
        self.loops = 0
        self.inner = False

    def program(self) -> str:
        self.lines = HEAD.strip().splitlines()
        if self.random.random() < 0.2:  # operators that run code of the program's own
            self.lines += LOUD.strip().splitlines()
        for number in range(3):
            self.function(number)
        return "\n".join(self.lines) + "\n"

    def function(self, number: int) -> None:
        self.number, self.loops = number, 0
        self.lines.append(f"def f{number}(a, xs):")
        if self.random.random() < 0.4:
            self.add(1, "global total")
        self.add(1, "b = a")
        self.add(1, "grid = [xs, [a]]")
        if self.random.random() < 0.8:
            self.add(1, "c = 0")
            self.add(1, "row = [a]")
        self.inner = self.random.random() < 0.4
        if self.inner:
            self.add(1, "def inner(y):")
            kept = self.random.random() < 0.5
            if kept:
                self.add(2, "nonlocal b")
                self.add(2, "b = y")
            self.add(2, "xs.append(y)")
            if self.random.random() < 0.5:
                self.add(2, "grid[1].append(y)")
            self.add(2, self.random.choice(["return y", "pass", "return xs"]))
        self.suite(1, 0, False)
        if self.random.random() < 0.7:
            self.add(1, f"c = {self.number_()}")
            self.add(1, f"return {self.value()}")

    def add(self, level: int, text: str) -> None:
        self.lines.append("    " * level + text)

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def number_(self) -> str:
        return self.pick("a", "b", "1", "2", "0", "len(xs)", "a + 1", "b - 1", "total", "c")

    def value(self) -> str:
        return self.pick("a", "b", "xs", "grid", "(a, b)", "c", "pool", "xs + [a]", "row", "None")

    def test(self) -> str:
        return self.pick(
            "a > 1",
            "b",
            "xs",
            "not xs",
            "len(xs) < 4",
            "a == b",
            "c",
            "a and b",
            "0 < a < 3",
            "xs is row",
        )

    def simple(self, level: int) -> None:
        choices = [
            f"b = {self.number_()}",
            f"c = {self.number_()}",
            f"a = {self.number_()}",
            f"b += {self.number_()}",
            f"xs.append({self.number_()})",
            f"row = grid[{self.pick('0', '1')}]",
            f"row.append({self.number_()})",
            f"grid[{self.pick('0', '1', '2')}].append({self.number_()})",
            f"xs[{self.pick('0', '-1', '3')}] = {self.number_()}",
            f"pool.append({self.number_()})",
            f"total = {self.number_()}",
            "row = xs",
            "xs = list(xs)",
            "del c",
            "c = xs.pop()",
            "c = 6 // b",
            "c, b = b, a",
            "pass",
            "row += [b]",
            f"xs[:] = {self.pick('[b]', 'row[:2]', '[]', '[[1]]')}",
            "del xs[0]",
            "xs.extend(row[:3])",
            "d = {'k': xs}",
            f"d['k'].append({self.number_()})",
            "d.setdefault('m', []).append(xs)",
            "d['m'][0].append(b)",
            "o = Thing(xs)",
            "o.items = row",
            "o.items.append(b)",
            f"o.push({self.number_()})",
            "c = o.pop()",
            "c = o.last",
            "c = o + 1",
            "c = len(o)",
            "row = [k for k in o]",
            "o.items[0] = xs",
            f"stash.append({self.pick('xs', 'row', 'grid')})",
            f"poke({self.number_()})",
            "c = give(xs)",
            "row = give(xs, 1, extra=b)",
            "row = give(*[row], *grid, z=1)",
            "c = [k for k in each(xs)]",
            "c = sum(each(row))",
            "c = [give(k, 1) for k in grid]",
            "t = (xs, row, {'z': row})",
            "t[0].append(b)",
            "t[2]['z'].append(b)",
            "row = t[2]['z']",
            "grid.append(grid[0])",
            "grid[-1].append(0)",
            "xs, row = row, xs",
            "xs.sort(key=str)",
            "c = list(map(give, grid))",
            "c = list(map(Thing.pop, [o]))",
            "c = max(grid, key=lambda q: q.append(3) or 1)",
            "c = (row := grid[0])[:2]",
            "c = [row.append(k) for k in xs[:2]]",
            "c = xs and xs.pop()",
            "c = xs.pop() if b else row.pop()",
        ]
        if self.inner:
            choices += [f"inner({self.number_()})", f"c = inner({self.number_()})"] * 2
        if self.number:
            called = self.random.randrange(self.number)
            choices += [
                f"c = f{called}({self.number_()}, {self.pick('xs', '[b]', 'row', 'grid[1]')})"
            ] * 3
        self.add(level, self.random.choice(choices))

    def suite(self, level: int, depth: int, loop: bool) -> None:
        for _ in range(self.random.randint(1, 4)):
            kind = self.random.random()
            if depth >= 3 or kind < 0.45:
                self.simple(level)
            elif kind < 0.62:
                self.branch(level, depth, loop)
            elif kind < 0.74:
                self.loop_(level, depth)
            elif kind < 0.84:
                self.attempt(level, depth, loop)
            elif kind < 0.9:
                self.add(level, f"with suppress({self.pick('Exception', 'IndexError')}):")
                self.suite(level + 1, depth + 1, loop)
            else:
                self.simple(level)
            if depth and self.random.random() < 0.12:
                self.add(level, f"c = {self.number_()}")
                jumps = [f"return {self.value()}", "return", "raise ValueError(a)"]
                self.add(level, self.random.choice(jumps + ["break", "continue"] * 2 * loop))
                return

    def branch(self, level: int, depth: int, loop: bool) -> None:
        self.add(level, f"if {self.test()}:")
        self.suite(level + 1, depth + 1, loop)
        if self.random.random() < 0.3:
            self.add(level, f"elif {self.test()}:")
            self.suite(level + 1, depth + 1, loop)
        if self.random.random() < 0.4:
            self.add(level, "else:")
            self.suite(level + 1, depth + 1, loop)

    def loop_(self, level: int, depth: int) -> None:
        self.loops += 1
        if self.random.random() < 0.5:
            over = self.pick(
                "range(3)",
                "each(xs)",
                "Thing(row)",
                "zip(each(xs), each(row))",
                "xs[:3]",
                "grid",
                "range(a)",
                "list(pool)[:2]",
                "[xs, row]",
            )
            self.add(level, f"for {self.pick('i', 'b', 'row', 'k')} in {over}:")
            self.suite(level + 1, depth + 1, True)
        else:
            name = f"n{self.loops}"
            self.add(level, f"{name} = {self.random.randint(0, 4)}")
            self.add(level, f"while {name}{self.pick('', ' > 0')}:")
            self.add(level + 1, f"{name} -= 1")
            self.suite(level + 1, depth + 1, True)

    def attempt(self, level: int, depth: int, loop: bool) -> None:
        self.add(level, "try:")
        self.suite(level + 1, depth + 1, loop)
        self.add(level, f"except {self.pick('Exception', 'IndexError', 'NameError')} as e:")
        self.suite(level + 1, depth + 1, loop)
        if self.random.random() < 0.3:
            self.add(level, "else:")
            self.suite(level + 1, depth + 1, loop)
        if self.finals and self.random.random() < 0.5:
            self.add(level, "finally:")
            self.suite(level + 1, depth + 1, False)


# ------------------------------------------------------------------------------- the truth


@dataclass
class True_:
    """A visit, with all names at its start and at the boundary behind it."""

    block: Block
    frame: int
    number: int
    iteration: int
    start: dict[str, str]
    end: dict[str, str] | None = None
    result: str | None = None
    raised: str | None = None
    ended: bool = False


@dataclass
class Frame:
    number: int
    name: str
    caller: int
    arguments: dict[str, str]
    last: int = 0
    open: True_ | None = None
    rounds: dict[int, int] = field(default_factory=dict)
    result: str | None = None
    raised: str | None = None
    failing: str | None = None


class Reference:
    """A run seen by sys.settrace()."""

    def __init__(self, text: str, blocks: list[Block]) -> None:
        self.tree = ast.parse(text)
        self.blocks = blocks
        told = [b for b in blocks if b.kind not in UNTOLD]
        lines = text.splitlines()
        self.starts = {}
        for block in told:
            line = block.span.first_line
            silent = lines[line - 1].strip().startswith(("global", "nonlocal"))
            self.starts[line + silent] = block
        assert len(self.starts) == len(told)
        # Where a visit ends as well.
        self.others = {b.span.first_line for b in blocks if b.kind in UNTOLD[:3]}
        self.bodies: dict[int, range] = {}
        self.loops: set[int] = set()
        self.tests: dict[int, Any] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.For, ast.While, ast.With)):
                end = node.body[-1].end_lineno or 0
                self.bodies[node.lineno] = range(node.body[0].lineno, end + 1)
                if not isinstance(node, ast.With):
                    self.loops.add(node.lineno)
            if isinstance(node, (ast.If, ast.While)):
                code = compile(ast.Expression(node.test), "test", "eval")
                self.tests[node.lineno] = code
        self.whiles = {n.lineno for n in ast.walk(self.tree) if isinstance(n, ast.While)}
        self.visits: list[True_] = []
        self.frames: list[Frame] = []
        self.counts: dict[str, int] = {}
        self._known: dict[int, Frame] = {}
        self.space: dict[str, Any] = {"__name__": "program"}
        exec(compile(text, PATH, "exec"), self.space)

    def run(self, call: str) -> str:
        old = sys.gettrace()
        sys.settrace(self._trace)
        try:
            return repr(eval(call, self.space))
        except Exception as error:
            return repr(error)
        finally:
            sys.settrace(old)

    def state(self, frame: Any) -> dict[str, str]:
        code = frame.f_code
        own = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
        names = {n: self.space[n] for n in GLOBALS if n in self.space and n not in own}
        names.update(frame.f_locals)
        return {name: snapshot(value)[1] for name, value in names.items()}

    def _trace(self, frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename != PATH:
            return None
        if frame.f_code.co_name.startswith("<"):
            return None
        if event == "call":
            return self._trace
        known = self._known.get(id(frame))
        if event == "line" and known is None:
            known = self._known[id(frame)] = self._begin(frame)
        if known is None:  # a generator that has not begun
            return self._trace
        if event == "line":
            if dis.opname[frame.f_code.co_code[frame.f_lasti]] not in CLEARING:
                self._line(known, frame, frame.f_lineno)
        elif event == "exception":
            known.failing = arg[0].__name__
            if known.open is not None and not known.open.ended:
                known.open.raised = arg[0].__name__
                known.open.ended = True
        elif event == "return":
            what = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            if what == "YIELD_VALUE" and known.failing != "GeneratorExit":
                return self._trace
            self._close(known, frame)
            if not what.startswith("RETURN"):
                known.raised = known.failing
            else:
                known.result = snapshot(arg)[1]
            del self._known[id(frame)]
        return self._trace

    def _begin(self, frame: Any) -> Frame:
        back = frame.f_back
        while id(back) not in self._known and back is not None:
            back = back.f_back
        above = self._known.get(id(back))
        code, state = frame.f_code, self.state(frame)
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & inspect.CO_VARARGS)
        count += bool(code.co_flags & inspect.CO_VARKEYWORDS)
        given = {n: state[n] for n in code.co_varnames[:count]}
        made = Frame(len(self.frames) + 1, code.co_name, above.number if above else 0, given)
        self.frames.append(made)
        return made

    def _close(self, known: Frame, frame: Any) -> None:
        if known.open is not None and not known.open.ended:
            known.open.end = self.state(frame)
            known.open.ended = True

    def _line(self, known: Frame, frame: Any, line: int) -> None:
        last, known.last = known.last, line
        again = last in self.bodies.get(line, ())
        if line in self.loops:
            known.rounds[line] = known.rounds.get(line, 0) + 1 if again else 1
        if line in self.others:
            self._close(known, frame)
        block = self.starts.get(line)
        if block is None or (again and line not in self.whiles):
            if block is not None:
                self._close(known, frame)
            return
        self._close(known, frame)
        around = [loop for loop in self.loops if line in self.bodies[loop]]
        around += [line] * (line in self.whiles)
        iteration = known.rounds[max(around)] if around else 0
        number = self.counts[block.id] = self.counts.get(block.id, 0) + 1
        visit = True_(block, known.number, number, iteration, self.state(frame))
        if block.kind is BlockKind.CONDITION:
            try:
                value = eval(self.tests[line], self.space, dict(frame.f_locals))
                visit.result = snapshot(value)[1]
            except Exception:
                visit.result = None
        known.open = visit
        self.visits.append(visit)


# ------------------------------------------------------------------------------ comparison


def run_probed(text: str, call: str, budget: Budget) -> tuple[str, dict[str, Any], list[Block]]:
    source = source_of(text)
    blocks = [b for s in decompose([source]).subfunctions.values() for b in s.blocks]
    asked = request(source)
    recorder = Recorder(asked["owners"])
    places = [tuple(place) for place in asked["places"]]
    code = Probes(recorder, places, asked["reads"]).code(PATH, text.encode())
    assert recorder.sites
    space: dict[str, Any] = {"__name__": "program"}
    exec(code, space)
    recorder.clear(True, budget)
    try:
        shown = repr(eval(call, space))
    except Exception as error:
        shown = repr(error)
    return shown, json.loads(json.dumps(recorder.report())), blocks


def rebound(truth: Reference, block: Block) -> set[str]:
    """Names that a loop around a block binds anew, or a handler, and a function's."""
    names = {"e", "inner", "add", "both"}
    for node in ast.walk(truth.tree):
        if isinstance(node, ast.For) and block.span.first_line in truth.bodies[node.lineno]:
            names |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    return names


def made(seed: int, budget: Budget, finals: bool = False) -> Iterator[str]:
    """What is not as it was, of a program made at random."""
    text = Writer(seed, finals).program()
    call = "[f2(2, [1, 2]), f2(1, []), total, pool]" if seed % 3 else "f2(3, [0])"
    return compared(text, call, budget)


def compared(text: str, call: str, budget: Budget) -> Iterator[str]:
    """What is not as it was."""
    shown, report, blocks = run_probed(text, call, budget)
    truth = Reference(text, blocks)
    expected = truth.run(call)
    if shown != expected:
        yield f"result {shown} is {expected}"
    hits = {blocks[at].id: count for at, count in report["hits"]}
    for block in blocks:
        wanted = truth.counts.get(block.id, 0)
        got = hits.get(block.id, 0)
        if block.kind not in UNTOLD and got != wanted:
            yield f"hits of {block.id} (line {block.span.first_line}): {got}, not {wanted}"
    log = Log(report, blocks)
    whole = budget is EVERY
    by_id = {block.id: block for block in blocks}
    kept = [v for v in log.visits if by_id[v.block].kind not in UNTOLD]
    if whole and len(kept) != len(truth.visits):
        yield f"{len(kept)} visits, not {len(truth.visits)}"
    known = {(t.block.id, t.number): t for t in truth.visits}
    for v in kept:
        t = known.get((v.block, v.number))
        at = f"visit {v.number} of line {by_id[v.block].span.first_line} ({by_id[v.block].exit}):"
        if t is None:
            yield f"{at} never was"
            continue
        if whole and v.frame != t.frame:
            yield f"{at} frame {v.frame}, not {t.frame}"
        if v.iteration not in ((t.iteration,) if whole else (t.iteration, 0)):
            yield f"{at} iteration {v.iteration}, not {t.iteration}"
        block = by_id[v.block]
        for name, value in texts(v.before).items():
            if t.start.get(name) != value:
                yield f"{at} before {name}={value}, not {t.start.get(name)}"
        if whole:
            for name in block.reads:
                if (
                    name in t.start
                    and name not in v.before
                    and name not in ("e", "inner", "add", "both")
                ):
                    yield f"{at} before has no {name}={t.start[name]}"
        if whole and v.left == (t.raised is not None):
            yield f"{at} left {v.left}, raised {t.raised}"
        told = v.raised.type if v.raised else None
        if told != t.raised and (whole or told is not None):
            yield f"{at} raised {told}, not {t.raised}"
        if t.end is not None:
            odd = rebound(truth, block)
            if block.kind is BlockKind.LOOP:
                odd |= set(block.writes)
            for name, value in texts(v.after).items():
                if name not in odd and t.end.get(name) != value:
                    yield f"{at} after {name}={value}, not {t.end.get(name)}"
            if whole:
                for name in block.writes:
                    if name in t.end and name not in v.after and name not in odd:
                        yield f"{at} after has no {name}={t.end[name]}"
        told = text_of(v.result)
        if block.kind is BlockKind.CONDITION and t.raised is None and (whole or told):
            allowed = {t.result, str(bool(eval_text(t.result or "None")))}
            if told not in allowed:
                yield f"{at} result {told}, not {t.result}"
    for frame, call_ in log.calls.items():
        if not whole:
            break
        if not 1 <= frame <= len(truth.frames):
            yield f"call {frame} never was"
            continue
        real = truth.frames[frame - 1]
        if call_.subfunction.rpartition("::")[2].rpartition(".")[2] != real.name:
            yield f"call {frame} is of {call_.subfunction}, not {real.name}"
        if texts(call_.arguments) != real.arguments:
            yield f"call {frame}: arguments {texts(call_.arguments)}, not {real.arguments}"
        if text_of(call_.result) != real.result:
            yield f"call {frame}: result {text_of(call_.result)}, not {real.result}"
        if (call_.raised.type if call_.raised else None) != real.raised:
            yield f"call {frame}: raised {call_.raised}, not {real.raised}"
        if call_.caller != real.caller:
            yield f"call {frame}: caller {call_.caller}, not {real.caller}"
    if whole and len(log.calls) != len(truth.frames):
        yield f"{len(log.calls)} calls, not {len(truth.frames)}"


def eval_text(text: str) -> object:
    """The value behind a short text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return True


SEEDS = range(100)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_program_made_at_random_is_traced_as_it_ran(seed: int) -> None:
    assert list(made(seed, EVERY)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_is_kept_of_few_visits_is_wrong(seed: int) -> None:
    assert list(made(seed, Budget(first=2, parts=1, growth=1.5))) == []


@pytest.mark.parametrize("seed", range(60))
def test_a_program_with_finally_is_traced_as_it_ran(seed: int) -> None:
    assert list(made(seed, EVERY, finals=True)) == []


# Each line runs where `xs` is a list that `row` holds, and ends a block.
SHY = """
m = map(xs.append, [5]); n = list(m)
g = (xs.append(i) for i in range(2)); n = sum(1 for i in g)
g = each(xs); n = next(g)
g = each(xs); h = zip(g, row); n = list(h)
g = each(xs); h = [*g]
g = each(xs); a, b = g
g = each(xs); n = 5 in g
operator.setitem(xs, 0, 5); n = 1
operator.iadd(xs, [5]); n = 1
heapq.heappush(xs, 0); n = 1
random.shuffle(row); n = xs.append(1)
bisect.insort(xs, 2); n = 1
p = functools.partial(xs.append, 7); n = p()
p = getattr(xs, "append"); n = p(7)
getattr(row[0], "append")(7); n = 1
list.append(xs, 7); n = 1
o = Odd(xs); n = str(o)
o = Odd(xs); n = f"{o}"
o = Odd(xs); n = "%s" % o
o = Odd(xs); n = o == 1
o = Odd(xs); n = o in [1, 2]
o = Odd(xs); n = 1 in o
o = Odd(xs); n = {o: 1}
o = Odd(xs); n = sorted([o, o])
o = Odd(xs); n = max(o, o)
o = Odd(xs); n = len(o)
o = Odd(xs); n = not o
o = Odd(xs); n = 1 if o else 2
o = Odd(xs); n = o and 1
o = Odd(xs); n = o[0]
o = Odd(xs); n = -o
o = Odd(xs); o += 1
o = Odd(xs); o.missing
o = Odd(xs); o.other = 1
o = Odd(xs); o[0] = 1
o = Odd(xs); del o[0]
o = Odd(xs); n = o()
o = Odd(xs); n = o @ 1
o = Odd(xs); n = 1 - o
o = Odd(xs); a, b = o
o = Odd(xs); n = [*o]
o = Odd(xs); n = int(o)
o = Odd(xs); n = isinstance(1, o)
o = Odd(xs); n = range(o)
o = Odd(xs); n = print(o)
o = Odd(xs); n = (lambda: o + 1)()
o = Odd(xs); n = Below(xs).prop
o = Below(xs); n = o + 1
o = Odd(xs); del o
n = Meta.make(xs)
n = Meta[xs]
n = json.loads("[1]", object_hook=xs.append) and json.loads("{}", object_hook=xs.append)
n = re.sub("a", lambda found: str(xs.append(1)), "aa")
n = row[0].__iadd__([3])
n = [xs.append(i) for i in (1, 2)]
n = {i: row[0].append(i) for i in (1, 2)}
n = any(xs.append(i) for i in (1, 2))
n = dict(a=row)["a"][0].append(3)
n = (lambda q: q.append(1))(xs)
n = (lambda *q: q[0].append(1))(*row)
n = [row][0][0].append(4)
n = (xs or row).append(4)
n = copy.copy(row)[0].append(4)
n = row[:].pop().append(4)
n = [q for q in row][0].append(4)
n = next(iter(row)).append(4)
n = min(row).append(4)
n = reversed(row).__next__().append(4)
n = list(zip(row))[0][0].append(4)
n = {"k": row}.get("k")[0].append(4)
n = dict.fromkeys("a", xs)["a"].append(4)
n = itertools.chain(row).__next__().append(4)
n = list(itertools.starmap(xs.insert, [(0, 1)]))
n = functools.reduce(lambda p, q: p.append(q) or p, [1, 2], xs)
n = exec("xs.append(5)")
n = eval("xs.append(5)")
n = locals()["xs"].append(5)
n = vars()["row"][0].append(5)
n = keep(xs); n = kept[-1].append(6)
n = keep(xs); n = poke()
n = keep(row); n = poke_deep()
n = default().append(6); n = default(xs); n = default()
n = closing(xs)(1)
n = closing(row[0]); a = n(2)
n = twice(xs.append)(3)
for q in row: q.append(3)
for q in map(xs.append, [1, 2]): pass
for row[0] in [[1], [2]]: n = 1
for q, xs[0] in [(1, 2)]: n = 1
with Odd(xs) as q: n = 1
xs[0], n = 9, 1
xs[0] += 9
xs[:0] = [9]
xs *= 2
row[0] += [9]
*row[0], n = 1, 2, 3
n = (xs := [1])
a = b = row[0]; a.append(1)
a, b = row[0], 1; a.append(1)
(a, *b) = row; a.append(1)
[a] = row; a.append(1)
d = collections.defaultdict(list); d[1] = xs; d[1].append(3)
d = collections.deque([xs]); d[0].append(3)
d = collections.ChainMap({"a": xs}); d["a"].append(3)
d = types.SimpleNamespace(q=xs); d.q.append(3)
d = memo(1, xs); memo(1, None).append(3)
n = Data(xs); n.items.append(1)
n = Data(row); n.items[0].append(1)
n = Point(xs, 1); n.x.append(1)
n = Point(xs, 1); n[0].append(1)
n = Point(xs, 1)._replace(y=2); n.x.append(1)
"""
AROUND = """
import bisect, collections, copy, functools, heapq, itertools, json, operator, random, re, types
kept = []
def keep(xs):
    kept.append(xs)
    return 1
def poke():
    kept[-1].append(6)
def poke_deep():
    kept[-1][0].append(6)
def default(xs=[]):
    xs.append(1)
    return xs
def closing(xs):
    def add(y):
        xs.append(y)
        return y
    return add
def twice(call):
    def both(y):
        call(y)
        call(y)
    return both
@functools.lru_cache(None)
def memo(key, xs=None):
    return Hold.xs
class Hold:
    xs = []
def each(xs):
    xs.append(1)
    yield 1
    xs.append(2)
    yield 2
class MetaClass(type):
    def __getitem__(cls, xs):
        xs.append(1)
        return 2
    def make(cls, xs):
        xs.append(1)
class Meta(metaclass=MetaClass):
    pass
class Data:
    def __init__(self, items):
        self.items = items
Point = collections.namedtuple("Point", "x y")
"""
SPECIAL = {
    "__str__": "self",
    "__format__": "self, how",
    "__eq__": "self, y",
    "__contains__": "self, y",
    "__hash__": "self",
    "__lt__": "self, y",
    "__gt__": "self, y",
    "__len__": "self",
    "__getitem__": "self, y",
    "__neg__": "self",
    "__iadd__": "self, y",
    "__getattr__": "self, y",
    "__setattr__": "self, y, z",
    "__setitem__": "self, y, z",
    "__delitem__": "self, y",
    "__call__": "self",
    "__matmul__": "self, y",
    "__rsub__": "self, y",
    "__iter__": "self",
    "__int__": "self",
    "__index__": "self",
    "__instancecheck__": "self, y",
    "__add__": "self, y",
    "__enter__": "self",
    "__exit__": "self, *why",
    "__bool__": "self",
}
GIVES = {"__str__": "'s'", "__format__": "'s'", "__iadd__": "self", "__iter__": "iter([1, 2])"}


def odd_program(line: str) -> str:
    """A program that runs a line, and asks for its names before and after it."""
    methods = []
    for name, arguments in SPECIAL.items():
        methods += [f"    def {name}({arguments}):", "        self.__dict__['xs'].append(8)"]
        methods.append(f"        return {GIVES.get(name, '1')}")
    head = ["class Odd:", "    def __init__(self, xs):", "        self.__dict__['xs'] = xs"]
    below = ["class Below(Odd):", "    @property", "    def prop(self):"]
    below += ["        self.__dict__['xs'].append(8)", "        return 1"]
    tree = ast.parse(AROUND)
    wanted = [
        ast.unparse(node)
        for node in tree.body
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or f"{node.name}(" in line
    ]
    if "Meta" in line:
        wanted += [ast.unparse(n) for n in tree.body if getattr(n, "name", "")[:4] == "Meta"]
    wanted += ["class Hold:", "    xs = []"]
    if "Odd" in line or "Below" in line:
        wanted += [*head, *methods, *below]
    lines = ["def f():"]
    lines += ["    xs = [1, 2]", "    row = [xs]", "    Hold.xs = xs"]
    for part in line.split("; "):
        lines += ["    if 1 < 2:"]
        first, colon, rest = part.partition(": ")
        compound = first.startswith(("for", "with"))
        lines += (
            [f"        {first}:", f"            {rest}"]
            if compound and colon
            else [f"        {part}"]
        )
        lines += ["    if xs is row:", "        n = len(xs)", "    n = (xs, row, 1)"]
    return "\n".join([*wanted, *lines, "    n = 2", "    return n"]) + "\n"


@pytest.mark.parametrize("line", SHY.strip().splitlines())
def test_what_changes_in_a_way_that_is_not_plain_to_see(line: str) -> None:
    assert list(compared(odd_program(line), "f()", EVERY)) == []
