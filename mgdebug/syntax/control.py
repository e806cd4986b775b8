"""How control and values flow through one function: its steps, and at each of them which names
surely have a value (definite assignment) and whose value may still be read (liveness).

Both are the textbook analyses (Aho, Lam, Sethi, Ullman: Compilers, 9.2), over sets of names kept
as the bits of an int.  Any step may raise; a `finally` is written out once for each way through.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import tree_sitter

from mgdebug.syntax.scopes import Names, Scope, Use

END, ESCAPE = 0, 1  # the steps where a function has returned, and where an exception has left it


@dataclass(eq=False, slots=True)
class Step:
    """A stretch of code that runs as one, or a turn of the control, which has the stretch of its
    statement.

    next, raises: the steps that follow, without and with an exception.  leaves: "return",
    "break", "continue" or "raise" where what follows is reached by such a jump; loop: the stretch
    of the loop that it leaves; cleanup: of what such a jump has run on its way.  reads: names that
    are read before they are surely written here; sure, writes: names that are surely, or maybe,
    written; unbinds: names that lose their value.
    """

    start: int
    end: int
    next: tuple[int, ...] = ()
    raises: tuple[int, ...] = ()
    leaves: str = ""
    loop: tuple[int, int] | None = None
    cleanup: tuple[int, int] = (0, 0)
    reads: int = 0
    sure: int = 0
    writes: int = 0
    unbinds: int = 0


@dataclass(frozen=True, slots=True)
class Jump:
    """A statement that leaves: word is "return", "break" or "continue".  value: the stretch of
    what is returned; loop: the stretch of the loop that the other two are about."""

    word: str
    start: int
    end: int
    value: tuple[int, int] | None = None
    loop: tuple[int, int] | None = None


_Loop = tuple[int, int] | None  # its stretch
_Enter = Callable[[str, _Loop, tuple[int, ...]], int]


@dataclass(frozen=True, slots=True)
class _Context:
    """What surrounds a statement: a loop, or code that runs on the way out, and what is around.

    raises: the steps that an exception leads to.  targets: of break and continue.  enter: makes
    a copy of that code for a jump, its loop and the steps where it goes on; gives its first."""

    outer: _Context | None
    raises: tuple[int, ...]
    loop: tuple[int, int] | None = None
    targets: tuple[int, int] = (END, END)
    enter: _Enter | None = None


class Control:
    """Builds the steps of a function from the last to the first: a method takes the step that
    comes after, and gives the first of those that it has built.

    steps: numbered by their place here.  jumps: the statements that leave, by where they start.
    bits: the variables of the function.  first: the step that takes the arguments.
    """

    def __init__(self, names: Names, scope: Scope) -> None:
        self.names = names
        self.jumps: dict[int, Jump] = {}
        self.steps = [Step(-1, -1), Step(-1, -1)]
        owned = [place for place in names.owned.get(id(scope), ()) if not place.lazy(scope)]
        self.places = sorted(owned, key=lambda place: place.start)
        self.starts = [place.start for place in self.places]
        every = sorted(names.owned.get(id(scope), ()), key=lambda place: place.start)
        self.bits = {name: 1 << at for at, name in enumerate(dict.fromkeys(p.name for p in every))}
        self.first = self.function(scope.node)

    def function(self, node: tree_sitter.Node) -> int:
        body = node.child_by_field_name("body")
        assert body is not None
        outside = _Context(None, (ESCAPE,))
        first = self.suite(body, END, outside)
        return self.code(node.start_byte, body.start_byte, (first,), outside)

    def roles(self, node: tree_sitter.Node) -> frozenset[str]:
        return self.names.roles(node)

    def turn(self, node: tree_sitter.Node, after: Sequence[int]) -> int:
        self.steps.append(Step(node.start_byte, node.end_byte, tuple(after)))
        return len(self.steps) - 1

    def code(self, start: int, end: int, after: Sequence[int], context: _Context) -> int:
        """A step that runs the code of a stretch."""
        step = Step(start, end, tuple(after), context.raises)
        self.steps.append(step)
        low = bisect.bisect_left(self.starts, start)
        high = bisect.bisect_left(self.starts, end)
        places = self.places[low:high]
        for place in sorted(places, key=lambda place: (place.at, place.use is not Use.READ)):
            bit = self.bits[place.name]
            if place.use is Use.READ:
                step.reads |= bit & ~step.sure
            elif place.use is Use.WRITE:
                step.sure |= bit
                step.unbinds &= ~bit
            elif place.use is Use.UNBIND:
                step.sure &= ~bit
                step.unbinds |= bit
            if place.use not in (Use.READ, Use.DECLARE):
                step.writes |= bit
        return len(self.steps) - 1

    def node(self, node: tree_sitter.Node, after: Sequence[int], context: _Context) -> int:
        return self.code(node.start_byte, node.end_byte, after, context)

    def suite(self, node: tree_sitter.Node, after: int, context: _Context) -> int:
        for statement in reversed(parts(node)):
            after = self.statement(statement, after, context)
        return after

    def statement(self, node: tree_sitter.Node, after: int, context: _Context) -> int:
        roles = self.roles(node)
        if "choice" in roles:
            return self.choice(node, after, after, context)
        if "loop" in roles:
            return self.loop(node, after, context)
        if "guarded" in roles:
            return self.guarded(node, after, context)
        if "try" in roles:
            return self.attempt(node, after, context)
        for role in roles:
            if role.startswith("jump."):
                return self.jump(node, role.removeprefix("jump."), context)
        return self.node(node, (after,), context)

    def jump(self, node: tree_sitter.Node, word: str, context: _Context) -> int:
        if word == "raise":
            return self.node(node, (), context)
        enters = []
        target, loop = END, None
        around: _Context | None = context
        while around is not None:
            if around.loop is not None and word != "return":
                target, loop = around.targets[word == "continue"], around.loop
                break
            if around.enter is not None:
                enters.append(around.enter)
            around = around.outer
        for enter in reversed(enters):
            target = enter(word, loop, (target,))
        value = next(((n.start_byte, n.end_byte) for n in parts(node)), None)
        self.jumps[node.start_byte] = Jump(word, node.start_byte, node.end_byte, value, loop)
        at = self.node(node, (target,), context)
        self.steps[at].leaves, self.steps[at].loop = word, loop
        return at

    def choice(self, node: tree_sitter.Node, after: int, other: int, context: _Context) -> int:
        """An if, a match, or one of their arms.  other: where it goes on if no arm is taken."""
        inner: int | None = None
        sure = "irrefutable" in self.roles(node)
        for part in reversed(parts(node)):
            roles = self.roles(part)
            if "cases" in roles:
                for arm in reversed(parts(part)):
                    other = self.choice(arm, after, other, context)
            elif "suite" in roles:
                inner = self.suite(part, after, context)
            elif "arm" in roles:
                other = self.choice(part, after, other, context)
            elif "pattern" in roles:
                bind = self.turn(part, (other if inner is None else inner,))
                at = self.node(part, (bind,) if sure else (bind, other), context)
                self.steps[bind].sure = self.steps[bind].writes = self.steps[at].writes
                inner = at
            else:
                inner = self.node(part, (other,) if inner is None else (inner, other), context)
        return other if inner is None else inner

    def loop(self, node: tree_sitter.Node, after: int, context: _Context) -> int:
        head = self.turn(node, ())
        stretch = (node.start_byte, node.end_byte)
        inside = _Context(context, context.raises, stretch, (after, head))
        first, done, entry = head, after, head
        body = target = once = test = None
        for part in parts(node):
            roles = self.roles(part)
            if "suite" in roles:
                body = part
            elif "arm" in roles:
                done = self.choice(part, after, after, context)
            elif "target" in roles:
                target = part
            elif "once" in roles:
                once = part
            else:
                test = part
        if body is not None:
            first = self.suite(body, head, inside)
        ends: tuple[int, ...] = (first, done)
        if target is not None:
            ends = (self.node(target, (first,), context), done)
        if test is not None:
            ends = (self.node(test, ends[:1] if "endless" in self.roles(test) else ends, context),)
        if once is not None:
            entry = self.node(once, (head,), context)
        self.steps[head].next = ends
        self.steps[head].raises = context.raises
        return entry

    def guarded(self, node: tree_sitter.Node, after: int, context: _Context) -> int:
        """A with: unless its managers are known to let exceptions pass, they may swallow them."""
        raises = context.raises
        if not all("plain" in self.roles(part) for part in self.managers(node)):
            raises = (*raises, self.turn(node, (after,)))
        inside = _Context(context, raises)
        body = next(part for part in parts(node) if "suite" in self.roles(part))
        first = self.suite(body, after, inside)
        return self.code(node.start_byte, body.start_byte, (first,), inside)

    def managers(self, node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
        for part in parts(node):
            if "manager" in self.roles(part):
                yield part
            elif "suite" not in self.roles(part):
                yield from self.managers(part)

    def attempt(self, node: tree_sitter.Node, after: int, context: _Context) -> int:
        clauses = parts(node)
        for clause in clauses:
            if "cleanup" in self.roles(clause):
                block = self.body(clause)
                after, context = self.suite(block, after, context), self.last(node, block, context)
        body = context
        done = after
        handlers = [clause for clause in clauses if "handler" in self.roles(clause)]
        if handlers:
            dispatch = self.turn(node, ())
            body = _Context(context, (dispatch,))
            heads = [self.handler(clause, dispatch, after, context) for clause in handlers]
            self.steps[dispatch].next = tuple(heads)
            self.steps[dispatch].raises = context.raises
        for clause in clauses:
            if "arm" in self.roles(clause):
                done = self.choice(clause, after, after, context)
        return self.suite(next(c for c in clauses if "suite" in self.roles(c)), done, body)

    def body(self, clause: tree_sitter.Node) -> tree_sitter.Node:
        return next(part for part in parts(clause) if "suite" in self.roles(part))

    def last(self, node: tree_sitter.Node, block: tree_sitter.Node, context: _Context) -> _Context:
        """The context of what a finally guards."""
        copies: dict[tuple[str, _Loop, tuple[int, ...]], int] = {}

        def enter(word: str, loop: _Loop, targets: tuple[int, ...]) -> int:
            if (word, loop, targets) not in copies:
                end = self.turn(node, targets)
                self.steps[end].leaves, self.steps[end].loop = word, loop
                self.steps[end].cleanup = (block.start_byte, block.end_byte)
                copies[word, loop, targets] = self.suite(block, end, context)
            return copies[word, loop, targets]

        return _Context(context, (enter("raise", None, context.raises),), enter=enter)

    def handler(
        self, clause: tree_sitter.Node, dispatch: int, after: int, context: _Context
    ) -> int:
        body = self.body(clause)
        if "group" in self.roles(clause):  # the handlers below it run as well
            context = _Context(context, (*context.raises, dispatch))
        low = bisect.bisect_left(self.starts, clause.start_byte)
        high = bisect.bisect_left(self.starts, body.start_byte)
        unbound = 0
        for place in self.places[low:high]:
            unbound |= self.bits[place.name] if place.use is Use.WRITE else 0
        ends: tuple[int, ...] = (after, dispatch) if "group" in self.roles(clause) else (after,)
        inside, end = context, after
        if unbound:  # the name of the exception loses its value on every way out

            def enter(word: str, loop: _Loop, targets: tuple[int, ...]) -> int:
                at = self.turn(clause, targets)
                self.steps[at].leaves, self.steps[at].loop = word, loop
                self.steps[at].unbinds = self.steps[at].writes = unbound
                return at

            end = enter("", None, ends)
            inside = _Context(context, (enter("raise", None, context.raises),), enter=enter)
        elif len(ends) > 1:
            end = self.turn(clause, ends)
        first = self.suite(body, end, inside)
        return self.code(clause.start_byte, body.start_byte, (first,), context)


def parts(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The named children of a node, without comments."""
    return [child for child in node.named_children if not child.is_extra]
