"""The places of probes, and the nodes that make code report there.

Two texts stand among the constants of instrumented code, and are replaced by lists once it is
compiled: `COUNTERS`, iterators that are used up when a visit is to be recorded, and `RECORDERS`,
the functions of the sites.  So a probe that records nothing costs one step of an iterator, and
looks up no name.
"""

import ast
import sys
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from .walking import children

COUNTERS, RECORDERS = "\0mgdebug counters", "\0mgdebug recorders"
OFFSET = 64  # beyond the end of either text: the compiler folds constant subscripts that it can
NEXT, BEGIN, FRAME, NAME_ERROR, FIRST_SITE = range(5)  # before the functions of the sites
CALL_NAME, GO_NAME, VALUE_NAME = "__mgdebug_call__", "__mgdebug_go__", "__mgdebug_value__"
ROUND_NAME = "__mgdebug_round_%d__"

BY_NAME, BY_ASKING, NO_FRAME = range(3)  # how a probe learns in which frame it is
Pending = Tuple[Set[str], ...]  # sets that may still grow


class Site:
    """One probe.

    kind: enter (a block begins), call (and its frame with it), handler, finally, part (of an
    expression), lambda, decide, return, answer (of a lambda), end (of a function's body), raise
    (out of it), leave (a with by an exception).
    block: its number, -1 for none.  owner: the number of the subfunction.  counter: what it steps,
    -1 for none.  names: what it hands over; more: what it hands over as well once visits have been
    left out.  asks: whether it must ask the frame for them.  given: of a call, the parameters.
    final: whether nothing but a return ends its block.  framed: whether a part knows its frame.
    hides: the name of a secret that a result or an exception may be.  implies: the conditions that
    were asked just before, and what they gave.  tells: whether a call tells its caller.
    """

    __slots__ = (
        "asks",
        "block",
        "counter",
        "final",
        "framed",
        "given",
        "hides",
        "implies",
        "kind",
        "more",
        "names",
        "number",
        "owner",
        "tells",
    )

    def __init__(self, number: int, kind: str, block: int, owner: int, counter: int) -> None:
        self.number, self.kind, self.block, self.owner = number, kind, block, owner
        self.counter = counter
        self.names: Tuple[str, ...] = ()
        self.more: Tuple[str, ...] = ()
        self.asks = self.final = self.framed = self.tells = False
        self.hides = ""
        self.given: Tuple[str, ...] = ()
        self.implies: Tuple[Tuple[int, bool], ...] = ()

    def function(self, asks: bool = False) -> int:
        """Its place in RECORDERS."""
        return FIRST_SITE + 2 * self.number + asks


class _Open(NamedTuple):
    """A probe whose names are not known yet."""

    site: Site
    call: Any
    loop: Any
    pending: Pending
    bound: Set[str]
    reads: Set[str]
    again: str
    first: Pending


class Builder:
    """Makes the nodes of probes.  The names that they hand over are filled in by `settle`: what a
    loop may have changed at its start is known at its end."""

    def __init__(self, sites: List[Site], owners: List[int]) -> None:
        """sites: grows.  owners: of the counters, those of the blocks first; grows.

        leads: for a condition whose value shows in where it leads: the block behind a true one.
        rounds: for each loop the block with which a round begins.  lazy: loops that may run code of
        the user's for their next element.  outside: blocks of the `else` of a loop.  suspends:
        whether the file that is worked on has generators or coroutines.  arms: for each condition
        without a probe the blocks behind it; needs: the names that it reads.  lines: of a
        subfunction, where such conditions stand: one and those asked before it."""
        self.sites, self.owners = sites, owners
        self.leads: Dict[int, int] = {}
        self.rounds: Dict[int, int] = {}
        self.arms: Dict[int, Set[int]] = {}
        self.needs: Dict[int, Tuple[str, ...]] = {}
        self.lines: Dict[int, Dict[int, Tuple[int, ...]]] = {}
        self.lazy: Set[int] = set()
        self.outside: Set[int] = set()
        self.suspends = False
        self._open: List[_Open] = []

    def site(self, kind: str, block: int, owner: int, counter: int = -1) -> Site:
        site = Site(len(self.sites), kind, block, owner, counter)
        site.tells = self.suspends and kind == "call"
        self.sites.append(site)
        return site

    def counter(self, owner: int) -> int:
        """One more than those of the blocks."""
        self.owners.append(owner)
        return len(self.owners) - 1

    def enter(
        self,
        site: Site,
        how: int,
        pending: Pending,
        bound: Set[str],
        reads: Set[str],
        near: Any,
        again: str = "",
        first: Pending = (),
    ) -> Any:
        """The statement that begins a block.  bound: names that may be handed over without a look
        whether they are there; reads: those that the block needs.  again: of the first block of a
        loop, the name that says whether this is the first round that is recorded; first: what is
        pending in that one."""
        call = self.call(site.function(), near, self.frame(how, near))
        counter = _at(COUNTERS, site.counter, near)
        if how == BY_NAME:
            known = ast.BoolOp(ast.Or(), [_name(CALL_NAME), self.call(NEXT, near)])
            number = ast.Assign([_name(CALL_NAME, ast.Store())], known, None)
            go = ast.Assign([_name(GO_NAME, ast.Store())], call, None)
            record: List[Any] = [number, go]
            loop: Any = ast.For(_name(GO_NAME, ast.Store()), counter, [ast.Break()], record, None)
        else:
            site.asks = True
            test = ast.Compare(ast.Constant(1), [ast.NotIn()], [counter])
            loop = ast.If(test, [ast.Expr(call)], [])
        self._open.append(_Open(site, call, loop, pending, set(bound), set(reads), again, first))
        return _put(loop, near)

    def begun(self, site: Site, how: int, names: Iterable[str], near: Any) -> Any:
        """The expression that begins a part of a block: 1 if that is not recorded, else 0.  (Parts
        makes that of a lambda: 0, or the number of the frame.)"""
        site.names = tuple(names)
        arguments = [_put(_name(name), near) for name in site.names]
        record = self.call(site.function(), near, self.frame(how, near), *arguments)
        test = ast.Compare(ast.Constant(1), [ast.In()], [_at(COUNTERS, site.counter, near)])
        return _put(ast.IfExp(test, ast.Constant(1), record), near)

    def settle(self) -> None:
        """Fill in the names."""
        for site, call, loop, pending, bound, reads, again, first in list(self._open):
            changed = set().union(*pending)
            site.names = tuple(sorted(changed))
            site.more = tuple(sorted((reads & bound) - changed))
            if site.asks:
                continue
            call.args += [_put(_name(name), call) for name in (*site.names, *site.more)]
            whole = changed <= bound
            if not whole:
                loop.orelse = [self._asking(site, loop.orelse, call)]
            if again and whole:
                known = ast.Assign([_name(again, ast.Store())], ast.Constant(1), None)
                loop.orelse = [_put(known, call), *loop.orelse]
            elif again:
                loop.orelse = self._first_round(
                    site, again, loop.orelse, call, bound, set().union(*first)
                )
        self._open.clear()

    def forget(self) -> None:
        """The probes that have not been settled."""
        self._open.clear()

    def _first_round(
        self,
        site: Site,
        again: str,
        later: List[ast.stmt],
        near: Any,
        bound: Set[str],
        changed: Set[str],
    ) -> List[ast.stmt]:
        """In the first round only that is handed over which changed before the loop."""
        other = self.site(site.kind, site.block, site.owner, site.counter)
        other.given, other.implies, other.final = site.given, site.implies, site.final
        other.names = tuple(sorted(changed))
        other.more = tuple(sorted({*site.more, *site.names} & bound - changed))
        values = [_name(name) for name in (*other.names, *other.more)]
        number = ast.BoolOp(ast.Or(), [_name(CALL_NAME), self.call(NEXT, near)])
        call = self.call(other.function(), near, _put(_name(CALL_NAME), near), *values)
        first: List[ast.stmt] = [
            ast.Assign([_name(again, ast.Store())], ast.Constant(1), None),
            ast.Assign([_name(CALL_NAME, ast.Store())], number, None),
            ast.Assign([_name(GO_NAME, ast.Store())], call, None),
        ]
        if not changed <= bound:
            first = [self._asking(other, first, call)]
        return [_put(ast.If(_name(again), later, first), near)]

    def _asking(self, site: Site, body: List[ast.stmt], near: Any) -> Any:
        """If one of the names is not bound, the frame is asked for them all."""
        look = self.call(site.function(asks=True), near, near.args[0])
        go = ast.Assign([_name(GO_NAME, ast.Store())], look, None)
        error = _at(RECORDERS, NAME_ERROR, near)
        return _put(ast.Try(body, [ast.ExceptHandler(error, None, [go])], [], []), near)

    def frame(self, how: int, near: Any) -> Any:
        if how == BY_NAME:
            return _put(_name(CALL_NAME), near)
        return self.call(FRAME, near) if how == BY_ASKING else _put(ast.Constant(0), near)

    def starts(self, how: int, near: Any) -> List[ast.stmt]:
        """A frame begins: its number is given when something of it is recorded."""
        if how == NO_FRAME:
            return []
        if how == BY_ASKING:
            return [_put(ast.Expr(self.call(BEGIN, near)), near)]
        return [_put(ast.Assign([_name(CALL_NAME, ast.Store())], ast.Constant(0), None), near)]

    def say(self, site: Site, how: int, near: Any, names: Sequence[str] = ()) -> Any:
        """A statement that reports, each time."""
        site.names = tuple(names)
        arguments = [_put(_name(name), near) for name in names]
        call = self.call(site.function(), near, self.frame(how, near), *arguments)
        return _put(ast.Expr(call), near)

    def catching(self, site: Site, how: int, body: List[ast.stmt], near: Any) -> Any:
        """A body whose exceptions are reported, and go on."""
        again = [self.say(site, how, near), _put(ast.Raise(None, None), near)]
        return _put(ast.Try(body, [ast.ExceptHandler(None, None, again)], [], []), near)

    def call(self, index: int, near: Any, *arguments: ast.expr) -> Any:
        return _put(ast.Call(_at(RECORDERS, index, near), list(arguments), []), near)


def go(near: Any) -> Any:
    """Whether the visit that began last is not recorded."""
    return _put(_name(GO_NAME), near)


def load(name: str, near: Any) -> Any:
    return _put(_name(name), near)


def store(name: str, near: Any) -> Any:
    return _put(_name(name, ast.Store()), near)


def _at(text: str, index: int, near: Any) -> Any:
    place: Any = ast.Constant(OFFSET + index)
    if sys.version_info < (3, 9):
        place = ast.Index(place)
    return _put(ast.Subscript(ast.Constant(text), place, ast.Load()), near)


def _name(name: str, context: Optional[ast.expr_context] = None) -> Any:
    return ast.Name(name, context or ast.Load())


def _put(node: Any, near: Any) -> Any:
    """A new node, and those in it that have no place yet, at the place of another one."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if "lineno" in one._attributes and not hasattr(one, "lineno"):
            ast.copy_location(one, near)
            waiting += children(one)
        elif "lineno" not in one._attributes:
            waiting += children(one)
    return node
