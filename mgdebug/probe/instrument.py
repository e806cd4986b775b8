"""Probes at block boundaries, put into the AST of a file as it is imported.

Line numbers, evaluation order and local names stay as they were: the probes are calls of
builtins that no program uses.
"""

import ast
import bisect
import builtins
import io
import re
import sys
import tokenize
from typing import Any, List, Optional, Tuple, cast

from .parts import Parts, Place
from .recorder import Recorder

_CALL, _ENTER, _LEAVE = "__mgdebug_call__", "__mgdebug_enter__", "__mgdebug_leave__"
_RETURNS, _DECIDES = "__mgdebug_returns__", "__mgdebug_decides__"
_JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPOUND: Tuple[Any, ...] = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
)
if hasattr(ast, "TryStar"):
    _COMPOUND += (ast.TryStar,)
if hasattr(ast, "Match"):
    _COMPOUND += (ast.Match,)


def connect(recorder: Recorder) -> None:
    """Make the probes of this process report to a recorder."""
    for name, target in (
        (_CALL, recorder.call),
        (_ENTER, recorder.enter),
        (_LEAVE, recorder.leave),
        (_RETURNS, recorder.returns),
        (_DECIDES, recorder.decides),
    ):
        setattr(builtins, name, target)


def instrument(source: bytes, path: str, places: List[Place]) -> ast.Module:
    """The AST of a source with probes at the places, which are in bytes of its UTF-8 text."""
    tree = ast.parse(source, path)
    _Instrumenter(source, places).module(tree)
    return tree


class _Instrumenter:
    def __init__(self, source: bytes, places: List[Place]) -> None:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        self._text = source.decode(encoding).encode("utf-8")
        self._lines = [0, *(end.end() for end in re.finditer(b"\r\n|\r|\n", self._text))]
        self._runs = {start: number for number, kind, start, _ in places if kind == "run"}
        self._headers = {start: n for n, kind, start, _ in places if kind in _HEADERS}
        self._words = sorted((start, n) for n, kind, start, _ in places if kind in _WORDS)
        self._conditions = sorted((s, e, n) for n, kind, s, e in places if kind == "condition")
        self._parts = Parts(self._text, places, self._start, self._decides, self._answers)

    def module(self, tree: ast.Module) -> None:
        if tree.body:
            tree.body = self._entered(tree.body)

    def _entered(self, body: List[ast.stmt]) -> List[ast.stmt]:
        """The body of a subfunction."""
        first = body[0]
        out = self._body(body)
        at = 0
        while at < len(out) and _must_stay_first(out[at], at):
            at += 1
        call = cast(ast.stmt, ast.copy_location(ast.Expr(self._call(_CALL, first)), first))
        return [*out[:at], call, *out[at:]]

    def _start(self, node: Any) -> int:
        decorators = getattr(node, "decorator_list", [])
        if not decorators:
            return int(self._lines[node.lineno - 1] + node.col_offset)
        first = min(self._start(decorator) for decorator in decorators)
        return self._text.rindex(b"@", 0, first)

    def _body(self, body: List[ast.stmt]) -> List[ast.stmt]:
        out: List[ast.stmt] = []
        run = waiting = -1  # the open run; the run whose first probe is still to come
        last: Any = None

        def close(near: ast.AST) -> None:
            if waiting >= 0:
                out.append(self._probe(_ENTER, waiting, near))
            out.append(self._probe(_LEAVE, run, near))

        for index, node in enumerate(body):
            compound = isinstance(node, _COMPOUND)
            number = -1 if compound else self._runs.get(self._start(node), -1)
            if run >= 0 and (compound or number >= 0):
                close(last)
                run = waiting = -1
            if number >= 0:
                run = waiting = number
            if waiting >= 0 and not _must_stay_first(node, index):
                out.append(self._probe(_ENTER, waiting, node))
                waiting = -1
            last = node
            if run >= 0 and isinstance(node, _JUMPS):
                if isinstance(node, ast.Return) and node.value is not None:
                    node.value = self._call(_RETURNS, node, _number(run, node), node.value)
                else:
                    out.append(self._probe(_LEAVE, run, node))
                run = -1
            out.append(node)
            self._inside(node)
        if run >= 0:
            close(last)
        return out

    def _inside(self, node: Any) -> None:
        self._parts.inside(node)
        if isinstance(node, _DEFINITIONS):
            node.body = self._entered(node.body)
        elif isinstance(node, (ast.If, ast.While)):
            node.test = self._decision(node.test, _jumping(node.test))
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            number = self._headers.get(self._start(node))
            if number is not None:
                node.iter = self._decides(number, node.iter)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            number = self._headers.get(self._start(node))
            if number is not None and node.items:
                item = node.items[0]
                item.context_expr = self._decides(number, item.context_expr)
        elif hasattr(ast, "Match") and isinstance(node, ast.Match):
            node.subject = self._decision(node.subject)
        if isinstance(node, _COMPOUND):
            for field in ("body", "orelse", "finalbody"):
                if getattr(node, field, None):
                    word = _BEFORE.get((type(node).__name__, field))
                    first = getattr(node, field)[0]
                    body = self._body(getattr(node, field))
                    setattr(node, field, self._announced(word, first, body))
            for handler in getattr(node, "handlers", ()):
                number = self._headers.get(self._start(handler))
                first = handler.body[0]
                handler.body = self._body(handler.body)
                if number is not None:
                    handler.body.insert(0, self._probe(_ENTER, number, first))
            for case in getattr(node, "cases", ()):
                case.body = self._announced("case", case.body[0], self._body(case.body))

    def _announced(
        self, word: Optional[str], first: ast.stmt, body: List[ast.stmt]
    ) -> List[ast.stmt]:
        """A body whose first deed is to say that the block of the word before it was entered."""
        at = bisect.bisect_left(self._words, (self._start(first), 0)) - 1
        if word is None or at < 0 or not self._text.startswith(word.encode(), self._words[at][0]):
            return body
        return [self._probe(_ENTER, self._words[at][1], first), *body]

    def _decision(self, test: ast.expr, jumping: bool = False) -> ast.expr:
        start = self._start(test)
        at = bisect.bisect_right(self._conditions, (start, 1 << 62, 0)) - 1
        if at < 0 or self._conditions[at][1] <= start:
            return test
        value = test
        if jumping:
            yes, no = (ast.copy_location(ast.Constant(truth), test) for truth in (True, False))
            value = ast.copy_location(ast.IfExp(test, yes, no), test)
        return self._decides(self._conditions[at][2], value)

    def _decides(self, block: int, value: ast.expr) -> ast.expr:
        entered = self._call(_ENTER, value, _number(block, value))
        return self._call(_DECIDES, value, entered, value)

    def _answers(self, block: int, value: ast.expr) -> ast.expr:
        """What a lambda gives, behind the probes that a body begins with."""
        first = [self._call(_CALL, value), self._call(_ENTER, value, _number(block, value))]
        result = self._call(_RETURNS, value, _number(block, value), value)
        whole = ast.copy_location(ast.Tuple([*first, result], ast.Load()), value)
        index: Any = ast.copy_location(ast.Constant(2), value)
        if sys.version_info < (3, 9):
            index = ast.copy_location(ast.Index(index), value)
        return ast.copy_location(ast.Subscript(whole, index, ast.Load()), value)

    def _probe(self, name: str, block: int, near: ast.AST) -> ast.stmt:
        call = self._call(name, near, _number(block, near))
        return cast(ast.stmt, ast.copy_location(ast.Expr(call), near))

    def _call(self, name: str, near: ast.AST, *arguments: ast.expr) -> ast.expr:
        function = ast.copy_location(ast.Name(name, ast.Load()), near)
        call = ast.Call(cast(ast.expr, function), list(arguments), [])
        return cast(ast.expr, ast.copy_location(call, near))


_HEADERS = ("loop", "with", "handler")
_WORDS = ("try", "finally", "case")
_BEFORE = {("Try", "body"): "try", ("TryStar", "body"): "try"}
_BEFORE.update({(name, "finalbody"): "finally" for name in ("Try", "TryStar")})


def _number(value: int, near: ast.AST) -> ast.expr:
    return cast(ast.expr, ast.copy_location(ast.Constant(value), near))


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
