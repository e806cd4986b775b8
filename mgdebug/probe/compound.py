"""Probes of statements that hold others: loops, withs, tries and matches."""

import ast
from typing import Any, List, Optional, Sequence, Set

from .names import Scope
from .places import File
from .sites import BY_NAME, ROUND_NAME, Builder, Site, store
from .state import Jumps, State
from .walking import walk

_PLAIN = ("range", "sorted", "list", "tuple")  # what they give runs no code of the user's


class Compounds:
    """The part of a Body that knows them."""

    file: File
    builder: Builder
    scope: Scope
    how: int
    owner: int
    loops: List[Jumps]
    rounds: int
    guards: int

    def suite(self, body: List[ast.stmt], state: State) -> List[ast.stmt]:
        raise NotImplementedError

    def block(self, number: int, state: State, near: Any, kind: str = "enter") -> List[ast.stmt]:
        raise NotImplementedError

    def enter(self, site: Site, state: State, near: Any) -> Any:
        raise NotImplementedError

    def note(self, nodes: Sequence[Any], state: State) -> None:
        raise NotImplementedError

    def number(self, node: Any) -> int:
        raise NotImplementedError

    def decided(self, test: ast.expr, number: int, body: Optional[List[ast.stmt]]) -> ast.expr:
        raise NotImplementedError

    def whiles(self, node: ast.While, state: State) -> List[ast.stmt]:
        """The test is asked in each round, so that its probe stands in the loop.  Where that cannot
        be a statement, because the loop has an `else`, nothing is handed over there."""
        number = self.file.condition(node.test)
        self.builder.rounds[number] = number
        self.builder.outside.update(self.number(one) for one in node.orelse)
        forever = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self._unbind([node], state)
        again: Set[str] = set()
        state.first = state.pending
        state.pending = (*state.pending, again)
        jumps = Jumps()
        out: List[ast.stmt] = []
        ready = self.round(state, node)
        if number >= 0 and not node.orelse:
            out = self.block(number, state, node.test)
        elif number >= 0:
            site = self.builder.site("part", number, self.builder.owners[number], number)
            begun = self.builder.begun(site, self.how, (), node.test)
            nothing = ast.copy_location(ast.Constant(None), node.test)
            never = ast.copy_location(ast.Compare(begun, [ast.Is()], [nothing]), node.test)
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
        self.builder.rounds[number] = self.number(node.body[0])
        kinds = (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Constant, ast.ListComp)
        plain = isinstance(node.iter, kinds) or (
            isinstance(node.iter, ast.Call) and _name_of(node.iter.func) in _PLAIN
        )
        if isinstance(node.iter, ast.Subscript):
            plain = isinstance(node.iter.slice, ast.Slice)
        lazy = self.file.iterators and not plain and self.scope.aliases is None
        if lazy:
            self.builder.lazy.add(number)
        self.builder.outside.update(self.number(one) for one in node.orelse)
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
        jumps = Jumps()
        self.loops.append(jumps)
        out += self.round(state, node)
        ready_name = state.again
        node.body = self.suite(node.body, state)
        self.loops.pop()
        if lazy and not state.dead and self.how == BY_NAME:  # before the next element is asked for
            site = self.builder.site("enter", -1, self.owner, self.builder.counter(self.owner))
            node.body.append(self.enter(site, state, node.body[-1]))
            self.note([node.target], state)
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
        self.guards += 1
        node.body = self.suite(node.body, state)
        self.guards -= 1
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
        self.guards += 1
        out = self._attempt(node, state)
        self.guards -= 1
        return out

    def _attempt(self, node: Any, state: State) -> List[ast.stmt]:
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
        before = self._jumps()
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
        for jump in [one for one in self._jumps() if one not in before]:
            jump.pending = (*jump.pending, self._anything(last))
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

    def _jumps(self) -> List[State]:
        """The states at all breaks and continues so far, of all loops around."""
        return [one for loop in self.loops for one in (*loop.breaks, *loop.continues)]

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
            for inner in walk(node):
                if isinstance(inner, ast.ExceptHandler) and inner.name:
                    state.bound.discard(inner.name)


def _name_of(node: Any) -> str:
    return node.id if isinstance(node, ast.Name) else ""
