"""Probes at block boundaries, put into the AST of a file as it is imported.

One at the start of each block hands over what may have changed since the last one (and so what the
block before it left), one more takes the value of a condition or of a return.  Line numbers,
evaluation order and the meaning of every name stay as they were.
"""

import ast
import bisect
import io
import re
import tokenize
from typing import Any, List, Optional, Sequence, Set, Tuple

from .aliases import Purity
from .names import Scope, data, declarations, looks_at_names, mentions_secret, scopes
from .parts import Parts, Place, small
from .secrets import hidden
from .sites import (
    BY_ASKING,
    BY_NAME,
    NO_FRAME,
    ROUND_NAME,
    VALUE_NAME,
    Builder,
    Pending,
    go,
    load,
    store,
)

_JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_TRIES: Tuple[Any, ...] = (ast.Try,)
if hasattr(ast, "TryStar"):
    _TRIES += (ast.TryStar,)
_MATCH: Tuple[Any, ...] = (ast.Match,) if hasattr(ast, "Match") else ()
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPOUND = (ast.If, *_LOOPS, ast.With, ast.AsyncWith, *_TRIES, *_MATCH)
_HEADERS = ("loop", "with", "handler")
_WORDS = ("try", "finally", "case")


class State:
    """What holds at one point of a scope.  pending: names that may have changed since the last
    probe; bound: those that surely are; dead: whether nothing gets here.  again: where a round of a
    loop begins, the name that tells the first one; first: what is pending in that one."""

    def __init__(self, pending: Pending, bound: Set[str], dead: bool = False) -> None:
        self.pending, self.bound, self.dead = pending, bound, dead
        self.again = ""
        self.first: Pending = ()

    def copy(self) -> "State":
        return State(self.pending, set(self.bound), self.dead)

    def become(self, others: Sequence["State"]) -> None:
        """The point where several ways meet."""
        self.again = ""
        alive = [other for other in others if not other.dead]
        self.dead = not alive
        self.pending = tuple({id(s): s for o in alive for s in o.pending}.values())
        if alive:
            self.bound = set.intersection(*(other.bound for other in alive))


class _Jumps:
    """Where `break` and `continue` of one loop stand."""

    def __init__(self) -> None:
        self.breaks: List[State] = []
        self.continues: List[State] = []


def instrument(
    source: bytes,
    path: str,
    places: Sequence[Place],
    builder: Builder,
    reads: Sequence[Sequence[str]],
    *,
    hooks: bool = True,
) -> ast.Module:
    """The AST of a source with probes.

    places: of the blocks, in bytes of its UTF-8 text.  builder: takes the sites.  reads: the names
    that each block reads.  hooks: whether exceptions are reported where they leave a function; they
    cost a level of nesting, of which CPython takes twenty.  Raises what ast.parse() raises.
    """
    tree = ast.parse(source, path)
    _Instrumenter(source, places, tree, builder, reads, hooks).module(tree)
    builder.settle()
    return tree


class _Instrumenter:
    def __init__(
        self,
        source: bytes,
        places: Sequence[Place],
        tree: ast.Module,
        builder: Builder,
        reads: Sequence[Sequence[str]],
        hooks: bool,
    ) -> None:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        self._text = source.decode(encoding).encode("utf-8")
        self._lines = [0, *(end.end() for end in re.finditer(b"\r\n|\r|\n", self._text))]
        self._runs = {start: number for number, kind, start, _ in places if kind == "run"}
        self._headers = {start: n for n, kind, start, _ in places if kind in _HEADERS}
        self._words = sorted((start, n) for n, kind, start, _ in places if kind in _WORDS)
        self._conditions = sorted((s, e, n) for n, kind, s, e in places if kind == "condition")
        self.parts = Parts(self._text, places, self.start, builder, reads)
        self.builder, self.reads, self.hooks = builder, reads, hooks
        self.data, self.watched = data(tree), looks_at_names(tree)
        builder.suspends = any(
            isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)) for node in ast.walk(tree)
        )
        self.iterators = builder.suspends or any(
            isinstance(node, ast.GeneratorExp) or getattr(node, "name", "") in _ITERATES
            for node in ast.walk(tree)
        )
        functions = scopes(tree)
        purity = Purity(tree, functions)
        for _, scope, _ in functions:
            scope.settle(purity)
        self.scopes = {id(node): scope for node, scope, _ in functions}

    def module(self, tree: ast.Module) -> None:
        scope = Scope.bare(self.data)
        tree.body = _Body(self, scope, NO_FRAME, -1).plain(tree.body)

    def start(self, node: Any) -> int:
        decorators = getattr(node, "decorator_list", [])
        if not decorators:
            return int(self._lines[node.lineno - 1] + node.col_offset)
        first = min(self.start(decorator) for decorator in decorators)
        return self._text.rindex(b"@", 0, first)

    def run(self, node: Any) -> int:
        """The number of the block that begins with a statement, -1 for none."""
        return self._runs.get(self.start(node), -1)

    def header(self, node: Any) -> int:
        return self._headers.get(self.start(node), -1)

    def condition(self, test: ast.expr) -> int:
        start = self.start(test)
        at = bisect.bisect_right(self._conditions, (start, 1 << 62, 0)) - 1
        if at < 0 or self._conditions[at][1] <= start:
            return -1
        return self._conditions[at][2]

    def word(self, word: str, first: Any) -> int:
        """The number of the block that is the word before a statement."""
        at = bisect.bisect_left(self._words, (self.start(first), 0)) - 1
        if at < 0 or not self._text.startswith(word.encode(), self._words[at][0]):
            return -1
        return self._words[at][1]


class _Body:
    """The statements of one scope."""

    def __init__(self, file: _Instrumenter, scope: Scope, how: int, owner: int) -> None:
        """how: probes learn their frame, see sites.  owner: the subfunction, -1 for none."""
        self.file, self.builder, self.scope, self.how = file, file.builder, scope, how
        self.owner = owner
        self.loops: List[_Jumps] = []
        self.rounds = 0
        self.entered = how == NO_FRAME

    def plain(self, body: List[ast.stmt]) -> List[ast.stmt]:
        """A module or a class."""
        names = set(self.scope.known)
        return self.suite(body, State((names,), set()))

    def function(self, node: Any) -> None:
        builder, first_of_all = self.builder, declarations(node)
        body = node.body
        at = sum(1 for index, inner in enumerate(body) if _must_stay_first(inner, index))
        parameters = set(self.scope.parameters)
        free = self.scope.known - self.scope.local
        state = State((parameters | free,), parameters)
        first = body[at] if at < len(body) else None
        out: List[ast.stmt] = []
        if first is None or isinstance(first, ast.While) or self._number(first) < 0:
            counter = builder.counter(self.owner)
            site = builder.site("call", -1, self.owner, counter)
            site.given = tuple(self.scope.parameters)
            near = first if first is not None else body[-1]
            out.append(self.enter(site, state, near))
            self.entered = True
        out += self.suite(body[at:], state)
        last = body[-1]
        if not state.dead:
            counter = builder.counter(self.owner)
            site = builder.site("end", -1, self.owner, counter)
            out.append(self.enter(site, state, last))
        begin = builder.starts(self.how, first if first is not None else last)
        if self.file.hooks:
            hook = builder.site("raise", -1, self.owner)
            hook.hides = self.scope.secret
            out = [builder.catching(hook, self.how, out, first if first is not None else last)]
        node.body = [*body[:at], *first_of_all, *begin, *out]

    def _number(self, node: Any) -> int:
        """Of the block that a statement begins with."""
        if isinstance(node, (ast.If, ast.While)):
            return self.file.condition(node.test)
        if isinstance(node, _MATCH):
            return self.file.condition(node.subject)
        if isinstance(node, _TRIES):
            return self.file.word("try", node.body[0])
        return self.file.header(node) if isinstance(node, _COMPOUND) else self.file.run(node)

    def enter(self, site: Any, state: State, near: Any) -> ast.stmt:
        reads = set(self.file.reads[site.block]) if site.block >= 0 else set()
        reads &= self.scope.known
        pending, state.pending = state.pending, ()
        again, state.again = state.again, ""
        return self.builder.enter(
            site, self.how, pending, state.bound, reads, near, again, state.first
        )

    def block(self, number: int, state: State, near: Any, kind: str = "enter") -> List[ast.stmt]:
        """What begins a block, nothing where the file has none there."""
        if number < 0:
            return []
        if not self.entered:
            kind, self.entered = "call", True
        site = self.builder.site(kind, number, self.builder.owners[number], number)
        site.given = tuple(self.scope.parameters) if kind == "call" else ()
        site.hides = kind in ("handler", "finally") and self.scope.secret
        return [self.enter(site, state, near)]

    def note(self, nodes: Sequence[Any], state: State) -> None:
        """What statements or expressions that run now may change."""
        effects = self.scope.effects(nodes)
        if effects.changed:
            state.pending = (*state.pending, effects.changed)
        state.bound = (state.bound | effects.stores) - effects.deletes

    def suite(self, body: List[ast.stmt], state: State) -> List[ast.stmt]:
        out: List[ast.stmt] = []
        waiting = -1  # a block that begins with what must stay first
        for index, node in enumerate(body):
            if _must_stay_first(node, index):
                out.append(node)
                waiting = max(waiting, self.file.run(node))
                continue
            if waiting >= 0:
                out += self.block(waiting, state, node)
                waiting = -1
            if isinstance(node, _COMPOUND):
                out += self.compound(node, state)
                continue
            out += self.block(self.file.run(node), state, node)
            if isinstance(node, _JUMPS):
                out += self.jump(node, state)
                continue
            self.parts(node, state)
            self.note([node], state)
            if isinstance(node, _DEFINITIONS):
                self.definition(node)
            out.append(node)
        return [*out, *self.block(waiting, state, body[-1])] if waiting >= 0 else out

    def parts(self, node: Any, state: State) -> None:
        self.file.parts.inside(node, self.how, state.bound)

    def definition(self, node: Any) -> None:
        if isinstance(node, ast.ClassDef):
            inner = Scope.bare(data(node))
            node.body = _Body(self.file, inner, NO_FRAME, -1).plain(node.body)
            return
        if not node.body:
            return
        scope = self.file.scopes[id(node)]
        owner = self._owner(node)
        how = BY_ASKING if scope.watched or self.file.watched else BY_NAME
        if owner < 0:  # nothing of it is recorded
            how = NO_FRAME
        body = _Body(self.file, scope, how, owner)
        if owner < 0:
            node.body = body.plain(node.body)
        else:
            body.function(node)

    def _owner(self, node: Any) -> int:
        """The subfunction that a definition is, by its first block."""
        for statement in node.body:
            number = self._number(statement)
            if number >= 0:
                return self.builder.owners[number]
        return -1

    # ----------------------------------------------------------------------------- jumps

    def jump(self, node: Any, state: State) -> List[ast.stmt]:
        self.parts(node, state)
        self.note([node], state)
        out: List[ast.stmt] = []
        if isinstance(node, ast.Return) and self.how != NO_FRAME:
            out = self.returned(node, state)
        elif isinstance(node, ast.Break) and self.loops:
            self.loops[-1].breaks.append(state.copy())
        elif isinstance(node, ast.Continue) and self.loops:
            self.loops[-1].continues.append(state.copy())
        state.dead = True
        return [*out, node]

    def hides(self, value: ast.expr) -> bool:
        """Whether an expression speaks of a secret, or stands in a function that does."""
        return mentions_secret(value) or hidden(self.scope.name)

    def returned(self, node: ast.Return, state: State) -> List[ast.stmt]:
        """A return that says what it gives, and what its expression has changed."""
        site = self.builder.site("return", -1, self.owner)
        site.asks = self.how != BY_NAME
        builder = self.builder
        bare = node.value is None
        value = node.value
        if value is None:
            value = ast.copy_location(ast.Constant(None), node)
        pending = set().union(*state.pending)
        changed = sorted(pending & (state.bound | (self.scope.known - self.scope.local)))
        site.names, site.more = tuple(changed), tuple(sorted(pending - {*changed}))
        site.hides = self.hides(value)

        def told(what: ast.expr) -> ast.expr:
            names = [load(name, node) for name in changed]
            flag = go(node) if self.how == BY_NAME else ast.copy_location(ast.Constant(0), node)
            call: ast.expr = builder.call(
                site.function(), node, flag, builder.frame(self.how, node), what, *names
            )
            return call

        if bare:  # an asynchronous generator has no other ones
            return [ast.copy_location(ast.Expr(told(value)), node)]
        if self.how == BY_NAME and small(value):
            node.value = ast.copy_location(ast.IfExp(go(node), value, told(value)), value)
            return []
        if self.how != BY_NAME:
            node.value = told(value)
            return []
        keep = ast.copy_location(ast.Assign([store(VALUE_NAME, node)], value, None), node)
        tell = ast.copy_location(ast.Expr(told(load(VALUE_NAME, node))), node)
        unless = ast.copy_location(ast.UnaryOp(ast.Not(), go(node)), node)
        node.value = load(VALUE_NAME, node)
        return [keep, ast.copy_location(ast.If(unless, [tell], []), node)]

    # --------------------------------------------------------------------------- compound

    def compound(self, node: Any, state: State) -> List[ast.stmt]:
        self.parts(node, state)
        if isinstance(node, ast.If):
            return self.branch(node, state)
        if isinstance(node, ast.While):
            return self.whiles(node, state)
        if isinstance(node, (ast.For, ast.AsyncFor)):
            return self.loop(node, state)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            return self.context(node, state)
        if isinstance(node, _TRIES):
            return self.attempt(node, state)
        return self.match(node, state)

    def decided(self, test: ast.expr, number: int, body: Optional[List[ast.stmt]]) -> ast.expr:
        """The test of a condition that says what it gives, unless that shows in where it leads."""
        if number < 0 or isinstance(test, ast.Constant):
            return test
        first = self._number(body[0]) if body else -1
        if first >= 0 and _truth(test):
            self.builder.leads[number] = first
            return test
        builder = self.builder
        site = builder.site("decide", number, builder.owners[number])
        site.asks, site.hides = self.how != BY_NAME, mentions_secret(test)
        flag = go(test) if self.how == BY_NAME else ast.copy_location(ast.Constant(0), test)
        value = test
        if body is not None and _jumping(test):
            yes, no = (ast.copy_location(ast.Constant(truth), test) for truth in (True, False))
            value = ast.copy_location(ast.IfExp(test, yes, no), test)
        told: Any = builder.call(site.function(), test, flag, builder.frame(self.how, test), value)
        if self.how != BY_NAME or not small(test):
            result: ast.expr = told
            return result
        return ast.copy_location(ast.IfExp(go(test), test, told), test)

    def branch(self, node: ast.If, state: State) -> List[ast.stmt]:
        number = self.file.condition(node.test)
        out = self.block(number, state, node.test)
        self.note([node.test], state)
        node.test = self.decided(node.test, number, node.body)
        other = state.copy()
        node.body = self.suite(node.body, state)
        node.orelse = self.suite(node.orelse, other)
        state.become([state.copy(), other])
        return [*out, node]

    def whiles(self, node: ast.While, state: State) -> List[ast.stmt]:
        """The test is asked in each round, so that its probe stands in the loop.  Where that cannot
        be a statement, because the loop has an `else`, nothing is handed over there."""
        number = self.file.condition(node.test)
        self.builder.rounds[number] = number
        self.builder.outside.update(self._number(one) for one in node.orelse)
        forever = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self._unbind([node], state)
        again: Set[str] = set()
        state.first = state.pending
        state.pending = (*state.pending, again)
        jumps = _Jumps()
        out: List[ast.stmt] = []
        ready = self.round(state, node)
        if number >= 0 and not node.orelse:
            out = self.block(number, state, node.test)
        elif number >= 0:
            site = self.builder.site("part", number, self.builder.owners[number], number)
            begun = self.builder.begun(site, self.how, (), node.test)
            never = ast.copy_location(ast.Constant(None), node.test)
            never = ast.copy_location(ast.Compare(begun, [ast.Is()], [never]), node.test)
            state.pending = (*state.pending, self._anything([node]))
            node.test = ast.copy_location(ast.BoolOp(ast.Or(), [never, node.test]), node.test)
        self.note([node.test], state)
        after = state.copy()
        test = self.decided(node.test, number, node.body) if out else node.test
        self.loops.append(jumps)
        body = self.suite(node.body, state)
        self.loops.pop()
        for one in (state, *jumps.continues):
            if not (one is state and one.dead):
                again.update(*one.pending)
        if out:
            stop = ast.copy_location(ast.Break(), node)
            if forever:
                node.body = [*out, *body]
            else:
                turn = ast.copy_location(ast.If(test, body, [stop]), node)
                node.body = [*out, turn]
                node.test = ast.copy_location(ast.Constant(True), node.test)
        else:
            node.body = body
            node.orelse = self.suite(node.orelse, after)
        state.become([*jumps.breaks, *([] if forever else [after])])
        return [*ready, node]

    def round(self, state: State, node: Any) -> List[ast.stmt]:
        """What stands before a loop, so that its first round is known."""
        if self.how != BY_NAME:
            return []
        self.rounds += 1
        state.again = ROUND_NAME % self.rounds
        zero = ast.copy_location(ast.Constant(0), node)
        return [ast.copy_location(ast.Assign([store(state.again, node)], zero, None), node)]

    def loop(self, node: Any, state: State) -> List[ast.stmt]:
        number = self.file.header(node)
        self.builder.rounds[number] = self._number(node.body[0])
        plain = isinstance(node.iter, ast.Call) and _name_of(node.iter.func) in _PLAIN
        if self.file.iterators and not plain:
            self.builder.lazy.add(number)
        self.builder.outside.update(self._number(one) for one in node.orelse)
        out = self.block(number, state, node)
        self.note([node.iter], state)
        self._unbind([node], state)
        before, before_it = state.copy(), state.pending
        turns: Set[str] = set()
        self.note([node.target], state)
        state.first = state.pending
        state.pending = (*state.pending, turns)
        if isinstance(node, ast.AsyncFor):
            state.pending = (*state.pending, self.scope.mutable)
        jumps = _Jumps()
        self.loops.append(jumps)
        out += self.round(state, node)
        ready_name = state.again
        node.body = self.suite(node.body, state)
        self.loops.pop()
        for one in (state, *jumps.continues):
            if not (one is state and one.dead):
                turns.update(*one.pending)
        after = before
        after.pending = (*after.pending, turns, self.scope.effects([node.target]).stores)
        again = "" if node.orelse else ready_name
        node.orelse = self.suite(node.orelse, after)
        state.become([*jumps.breaks, after])
        state.again, state.first = again, before_it  # the same tells whether there was any
        return [*out, node]

    def context(self, node: Any, state: State) -> List[ast.stmt]:
        number = self.file.header(node)
        out = self.block(number, state, node)
        self.note([ast.copy_location(ast.With(node.items, []), node)], state)
        after = state.copy()
        within = self._anything(node.body)
        self._unbind(node.body, after)
        node.body = self.suite(node.body, state)
        if self.file.hooks and number >= 0 and self.how == BY_NAME:
            hook = self.builder.site("leave", number, self.builder.owners[number])
            hook.hides = self.scope.secret
            node.body = [self.builder.catching(hook, self.how, node.body, node.body[0])]
        after.pending = (*after.pending, within)  # it may have swallowed an exception
        if not state.dead:
            after.pending = (*after.pending, *state.pending)
        state.become([after])
        return [*out, node]

    def attempt(self, node: Any, state: State) -> List[ast.stmt]:
        first = node.body[0]
        out = self.block(self.file.word("try", first), state, first)
        within = self._anything(node.body)
        caught = state.copy()
        self._unbind(node.body, caught)
        caught.pending = (*caught.pending, within)
        whole = caught.copy()
        last = node.finalbody
        for part in (*node.handlers, *node.orelse):
            whole.pending = (*whole.pending, self._anything([part]))
            self._unbind([part], whole)
        node.body = self.suite(node.body, state)
        ends = [state.copy()]
        if node.orelse:
            node.orelse = self.suite(node.orelse, ends[0])
        for handler in node.handlers:
            ends.append(self.handler(handler, caught.copy()))
        if not last:
            state.become(ends)
            return [*out, node]
        met = State((), set())
        met.become(ends)
        begin = self.block(self.file.word("finally", last[0]), whole, last[0], "finally")
        node.finalbody = [*begin, *self.suite(last, whole)]
        if not whole.dead and self.how == BY_NAME:  # behind a return nothing else tells its end
            site = self.builder.site("enter", -1, self.owner, self.builder.counter(self.owner))
            node.finalbody.append(self.enter(site, whole, last[-1]))
        if not met.dead:
            whole.bound |= met.bound - self.scope.effects(last).deletes
        whole.dead = whole.dead or met.dead
        state.become([whole])
        return [*out, node]

    def handler(self, handler: Any, state: State) -> State:
        if handler.name:
            names = {handler.name} & self.scope.known
            state.pending, state.bound = (*state.pending, names), state.bound | names
        first = handler.body[0]
        begin = self.block(self.file.header(handler), state, first, "handler")
        handler.body = [*begin, *self.suite(handler.body, state)]
        if handler.name:
            state.bound.discard(handler.name)
        return state

    def match(self, node: Any, state: State) -> List[ast.stmt]:
        number = self.file.condition(node.subject)
        out = self.block(number, state, node.subject)
        self.note([node.subject], state)
        node.subject = self.decided(node.subject, number, None)
        ends = [state.copy()]
        for case in node.cases:
            one = state.copy()
            self.note([case.pattern, *([case.guard] if case.guard else [])], one)
            begin = self.block(self.file.word("case", case.body[0]), one, case.body[0])
            case.body = [*begin, *self.suite(case.body, one)]
            ends.append(one)
            ends[0].pending = (*ends[0].pending, self._anything([case.pattern]))
        state.become(ends)
        return [*out, node]

    def _anything(self, nodes: Sequence[Any]) -> Set[str]:
        """All that may be changed while statements run, or stop in the middle."""
        return self.scope.effects(nodes).changed

    def _unbind(self, nodes: Sequence[Any], state: State) -> None:
        state.bound -= self.scope.effects(nodes).deletes
        for node in nodes:
            for inner in ast.walk(node):
                if isinstance(inner, ast.ExceptHandler) and inner.name:
                    state.bound.discard(inner.name)


_ITERATES = ("__next__", "__iter__", "__getitem__", "__anext__")
_PLAIN = ("range", "sorted", "list", "tuple")  # what they give runs no code of the user's


def _name_of(node: Any) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _truth(test: ast.expr) -> bool:
    """Whether a test gives nothing but true or false, or is asked for no more than that."""
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    return negated or isinstance(test, (ast.Compare, ast.BoolOp))


def _jumping(test: ast.expr) -> bool:
    """Whether an `if` asks the parts of a test for their truth, once each.  Whoever wants the value
    of the whole would ask one of them twice."""
    several = isinstance(test, ast.Compare) and len(test.ops) > 1
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    return several or negated or isinstance(test, (ast.BoolOp, ast.IfExp))


def _must_stay_first(node: ast.stmt, index: int) -> bool:
    """A docstring, or an import from __future__ that follows one."""
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return True
    if index or not isinstance(node, ast.Expr):
        return False
    return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
