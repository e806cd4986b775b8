"""Probes inside expressions: arms that may be skipped, what a comprehension does for one element,
its filters, and the bodies of lambdas."""

import ast
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from .names import mentions_secret, parameters, targets
from .sites import BY_NAME, NEXT, NO_FRAME, Builder, Site
from .walking import children, walk

Place = Tuple[int, str, int, int]  # number of the block, its kind, start and end in bytes

SMALL = 24  # nodes of an expression that may be written twice
_AROUND = b" \t\r\n\f\\("  # may stand between the start of a block and that of its expression
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


class Parts:
    """Puts probes into the expressions of a statement.

    start: where a node starts, in bytes of text.  reads: the names that each block reads.
    """

    def __init__(
        self,
        text: bytes,
        places: Sequence[Place],
        start: Callable[[Any], int],
        builder: Builder,
        reads: Sequence[Sequence[str]],
    ) -> None:
        self._text, self._start, self._builder, self._reads = text, start, builder, reads
        self._bound: Set[str] = set()
        self._numbers: Dict[str, Dict[int, int]] = {}
        for number, kind, first, _ in places:
            self._numbers.setdefault(kind, {})[first] = number

    def inside(self, statement: ast.stmt, how: int, bound: Set[str]) -> None:
        """All expressions of a statement, without those of the statements in it.  how: the frame
        is told, see sites.  bound: names that surely are."""
        self._bound = bound if how == BY_NAME else set()
        for node, lazy in list(_expressions(statement)):  # each changes what it holds itself
            frame = NO_FRAME if lazy else how
            if isinstance(node, ast.BoolOp):
                node.values[1:] = [self._part("arm", v, frame) for v in node.values[1:]]
            elif isinstance(node, ast.IfExp):
                node.body = self._part("arm", node.body, frame)
                node.orelse = self._part("arm", node.orelse, frame)
            elif isinstance(node, _COMPREHENSIONS):
                self._comprehension(node, frame)
            elif isinstance(node, ast.Lambda):
                self._lambda(node)
            elif type(node).__name__ == "match_case" and getattr(node, "guard", None):
                case: Any = node
                case.guard = self._part("condition", case.guard, frame)

    def _comprehension(self, node: Any, frame: int) -> None:
        names = targets(node)
        if isinstance(node, ast.DictComp):
            node.key = self._part("each", node.key, frame, names)
        else:
            node.elt = self._part("each", node.elt, frame, names)
        bound: List[str] = []
        for one in node.generators:
            bound += [n for n in targets(_Only(one)) if n not in bound]
            one.ifs = [self._part("condition", test, frame, bound) for test in one.ifs]

    def _part(self, kind: str, value: Any, how: int, names: Sequence[str] = ()) -> ast.expr:
        number = self._number(kind, value)
        if number is None:
            result: ast.expr = value
            return result
        builder = self._builder
        owner = builder.owners[number]
        if how == BY_NAME:
            names = [*names, *sorted(self._bound.intersection(self._reads[number]) - {*names})]
        site = builder.site("part", number, owner, number)
        site.framed = how == BY_NAME
        gives = builder.site("decide", number, owner)
        gives.hides = mentions_secret(value)
        begun: Any = builder.begun(site, how, names, value)
        return self._told(begun, gives, builder.frame(how, value), value)

    def _told(self, begun: Any, gives: Site, frame: ast.expr, value: Any) -> ast.expr:
        """A value, and where the visit is recorded, what it is.  begun: see Builder."""
        call = self._builder.call
        if not small(value):
            result: ast.expr = call(gives.function(), value, begun, frame, value)
            return result
        told = call(gives.function(), value, begun.orelse, frame, value)
        return ast.copy_location(ast.IfExp(begun.test, value, told), value)

    def _lambda(self, node: ast.Lambda) -> None:
        """It has no statement that could name its frame: what begins it hands the number on."""
        number = self._number("run", node.body)
        if number is None:
            return
        builder, value = self._builder, node.body
        site = builder.site("lambda", number, builder.owners[number], number)
        gives = builder.site("answer", number, builder.owners[number])
        gives.hides = mentions_secret(value)
        begun: Any = builder.begun(site, NO_FRAME, parameters(node.args), value)
        begun.orelse.args[0] = builder.call(NEXT, value)
        begun.body = ast.copy_location(ast.Constant(0), value)
        node.body = self._told(begun, gives, ast.copy_location(ast.Constant(0), value), value)

    def _number(self, kind: str, value: ast.expr) -> Optional[int]:
        starts = self._numbers.get(kind, {})
        at = self._start(value)
        while at not in starts and at > 0 and self._text[at - 1] in _AROUND:
            at -= 1
        return starts.get(at)


class _Only:
    """One `for` of a comprehension."""

    def __init__(self, generator: Any) -> None:
        self.generators = [generator]


def small(value: ast.AST) -> bool:
    """Whether an expression may be written twice, of which one is evaluated."""
    for count, node in enumerate(walk(value)):
        if count >= SMALL or isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
            return False
    return True


def _expressions(statement: ast.stmt) -> Iterator[Tuple[ast.AST, bool]]:
    """With each, whether it is in a lambda.  Before 3.12 the places of what stands in an f-string
    are not to be trusted: left out."""
    waiting: List[Tuple[ast.AST, bool]] = [(statement, False)]
    while waiting:
        above, lazy = waiting.pop()
        lazy = lazy or isinstance(above, ast.Lambda)
        for node in children(above):
            if isinstance(node, (ast.stmt, ast.excepthandler)):
                continue
            if isinstance(node, ast.JoinedStr) and sys.version_info < (3, 12):
                continue
            yield node, lazy
            waiting.append((node, lazy))
