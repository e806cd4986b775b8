"""Probes of the statements of one scope."""

import ast
from typing import Any, List, Optional, Sequence

from .compound import Compounds
from .names import Scope, data, declarations, mentions_secret
from .parts import small
from .places import File
from .secrets import rank
from .sites import BY_ASKING, BY_NAME, NO_FRAME, VALUE_NAME, Site, go, load, store
from .state import COMPOUND, MATCH, TRIES, Jumps, State
from .walking import walk

_JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_SIMPLE = (
    *(ast.Name, ast.Constant, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Subscript),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.Slice, ast.Tuple),
    *((ast.Index,) if hasattr(ast, "Index") else ()),
)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Body(Compounds):
    """The statements of one scope."""

    def __init__(self, file: File, scope: Scope, how: int, owner: int) -> None:
        """how: probes learn their frame, see sites.  owner: the subfunction, -1 for none."""
        self.file, self.builder, self.scope, self.how = file, file.builder, scope, how
        self.owner = owner
        self.loops: List[Jumps] = []
        self.rounds = self.guards = 0
        self.latest: Optional[Site] = None
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
        if first is None or isinstance(first, ast.While) or self.number(first) < 0:
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

    def number(self, node: Any) -> int:
        """Of the block that a statement begins with."""
        if isinstance(node, (ast.If, ast.While)):
            return self.file.condition(node.test)
        if isinstance(node, MATCH):
            return self.file.condition(node.subject)
        if isinstance(node, TRIES):
            return self.file.word("try", node.body[0])
        return self.file.header(node) if isinstance(node, COMPOUND) else self.file.run(node)

    def enter(self, site: Site, state: State, near: Any) -> Any:
        reads = set(self.file.reads[site.block]) if site.block >= 0 else set()
        reads &= self.scope.known
        pending, state.pending = state.pending, ()
        again, state.again = state.again, ""
        site.implies, state.asked = state.asked, ()
        for condition, _ in site.implies:
            self.builder.arms.setdefault(condition, set()).add(site.block)
            reads |= self.scope.known.intersection(self.file.reads[condition])
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
        site.hides = self.scope.secret if kind in ("handler", "finally") else ""
        self.latest = site
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
            if isinstance(node, COMPOUND):
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
            node.body = Body(self.file, inner, NO_FRAME, -1).plain(node.body)
            return
        if not node.body:
            return
        scope = self.file.scopes[id(node)]
        owner = self._owner(node)
        how = BY_ASKING if scope.watched or self.file.watched else BY_NAME
        if owner < 0:  # nothing of it is recorded
            how = NO_FRAME
        body = Body(self.file, scope, how, owner)
        if owner < 0:
            node.body = body.plain(node.body)
        else:
            body.function(node)

    def _owner(self, node: Any) -> int:
        """The subfunction that a definition is, by its first block."""
        for statement in node.body:
            number = self.number(statement)
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

    def hides(self, value: ast.expr) -> str:
        """The name of a secret that an expression speaks of, or that the function is called by."""
        return mentions_secret(value) or (self.scope.name if rank(self.scope.name) else "")

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
        if self.latest is not None:
            self.latest.final = True

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
        if isinstance(node, TRIES):
            return self.attempt(node, state)
        return self.match(node, state)

    def shows(self, node: ast.If, number: int) -> bool:
        """Whether a condition needs no probe, since what it gives shows in where it leads: the
        counts of its arms say how often it was asked, the line of an exception that it raised."""
        opens = [body and self.number(body[0]) >= 0 for body in (node.body, node.orelse)]
        apart = (node.test.end_lineno or 0) < node.body[0].lineno
        return (
            self.how == BY_NAME
            and self.entered
            and not self.guards
            and number >= 0
            and all(opens)
            and not any(isinstance(body[0], ast.While) for body in (node.body, node.orelse))
            and apart
            and _truth(node.test)
            and all(isinstance(inner, _SIMPLE) for inner in walk(node.test))
            and not self.scope.effects([node.test]).changed
        )

    def unasked(self, node: ast.If, number: int, state: State) -> List[ast.stmt]:
        """A condition without a probe: what begins behind it tells."""
        before = tuple(condition for condition, _ in state.asked)
        lines = self.builder.lines.setdefault(self.owner, {})
        for line in range(node.test.lineno, (node.test.end_lineno or node.test.lineno) + 1):
            lines[line] = (*before, number)
        reads = self.scope.known.intersection(self.file.reads[number])
        self.builder.needs[number] = tuple(sorted(reads))
        other = state.fork()
        state.asked = (*state.asked, (number, True))
        other.asked = (*other.asked, (number, False))
        node.body = self.suite(node.body, state)
        node.orelse = self.suite(node.orelse, other)
        state.become([state.copy(), other])
        return [node]

    def decided(self, test: ast.expr, number: int, body: Optional[List[ast.stmt]]) -> ast.expr:
        """The test of a condition that says what it gives, unless that shows in where it leads."""
        if number < 0 or isinstance(test, ast.Constant):
            return test
        first = self.number(body[0]) if body else -1
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
        if self.shows(node, number):
            return self.unasked(node, number, state)
        out = self.block(number, state, node.test)
        self.note([node.test], state)
        node.test = self.decided(node.test, number, node.body)
        other = state.copy()
        node.body = self.suite(node.body, state)
        node.orelse = self.suite(node.orelse, other)
        state.become([state.copy(), other])
        return [*out, node]


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
