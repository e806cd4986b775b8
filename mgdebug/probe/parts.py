"""Probes inside expressions: arms that may be skipped, what a comprehension does for one element,
its filters, and the bodies of lambdas."""

import ast
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

Place = Tuple[int, str, int, int]  # number of the block, its kind, start and end in bytes

_AROUND = b" \t\r\n\f\\("  # may stand between the start of a block and that of its expression


class Parts:
    """Puts probes into the expressions of a statement.

    start: where a node starts, in bytes of text.  decides: an expression that reports a block and
    its value.  returns: the same for the body of a lambda.
    """

    def __init__(
        self,
        text: bytes,
        places: List[Place],
        start: Callable[[Any], int],
        decides: Callable[[int, ast.expr], ast.expr],
        returns: Callable[[int, ast.expr], ast.expr],
    ) -> None:
        self._text, self._start = text, start
        self._decides, self._returns = decides, returns
        self._numbers: Dict[str, Dict[int, int]] = {}
        for number, kind, first, _ in places:
            self._numbers.setdefault(kind, {})[first] = number

    def inside(self, statement: ast.stmt) -> None:
        """All expressions of a statement, without those of the statements in it."""
        for node in list(_expressions(statement)):  # each changes what it holds itself
            if isinstance(node, ast.BoolOp):
                node.values[1:] = [self._reported("arm", value) for value in node.values[1:]]
            elif isinstance(node, ast.IfExp):
                node.body = self._reported("arm", node.body)
                node.orelse = self._reported("arm", node.orelse)
            elif isinstance(node, ast.comprehension):
                node.ifs = [self._reported("condition", test) for test in node.ifs]
            elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
                node.elt = self._reported("each", node.elt)
            elif isinstance(node, ast.DictComp):
                node.key = self._reported("each", node.key)
            elif isinstance(node, ast.Lambda):
                number = self._number("run", node.body)
                if number is not None:
                    node.body = self._returns(number, node.body)
            elif type(node).__name__ == "match_case" and getattr(node, "guard", None):
                case: Any = node
                case.guard = self._reported("condition", case.guard)

    def _reported(self, kind: str, value: ast.expr) -> ast.expr:
        number = self._number(kind, value)
        return value if number is None else self._decides(number, value)

    def _number(self, kind: str, value: ast.expr) -> Optional[int]:
        starts = self._numbers.get(kind, {})
        at = self._start(value)
        while at not in starts and at > 0 and self._text[at - 1] in _AROUND:
            at -= 1
        return starts.get(at)


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """Before 3.12 the places of what stands in an f-string are not to be trusted: left out."""
    waiting: List[ast.AST] = [statement]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, (ast.stmt, ast.excepthandler)):
                continue
            if isinstance(node, ast.JoinedStr) and sys.version_info < (3, 12):
                continue
            yield node
            waiting.append(node)
