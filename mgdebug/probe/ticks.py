"""A counter in loops and at the entries of functions: what never ends is cut off after so many
turns, the same on any machine, long before a clock would do it."""

import ast
import builtins
import itertools
import types
from typing import Any, Iterator, List

NAME = "__mgdebug_tick__"  # among the built-in names
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


class Ticks:
    """Sets how many turns are left, and tells whether they were used up."""

    def __init__(self) -> None:
        self._left: Any = None
        self._given = 0

    def allow(self, turns: int) -> None:
        """From now on each further turn but so many raises, again and again."""
        self._left, self._given = itertools.repeat(None, turns), turns
        setattr(builtins, NAME, self._left.__next__)

    def used(self) -> int:
        left: int = self._left.__length_hint__()
        return self._given - left

    def spent(self) -> bool:
        return not self._left.__length_hint__()


def ticked(source: bytes, path: str, flags: int = 0) -> types.CodeType:
    """The code of a source with a tick in each loop and function.  Module code and class bodies
    have none: they stay what they are.  Raises what compile() raises."""
    tree: ast.Module = compile(source, path, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    _into(tree.body, False)
    code: types.CodeType = compile(tree, path, "exec", flags, dont_inherit=True)
    return code


def _into(body: List[ast.stmt], counted: bool) -> None:
    """counted: whether the statements stand in a function."""
    for statement in body:
        if isinstance(statement, _SCOPES):
            _into(statement.body, True)
            first = 1 if ast.get_docstring(statement, clean=False) is not None else 0
            statement.body.insert(first, _tick(statement.body[first - 1 if first else 0]))
        elif isinstance(statement, ast.ClassDef):
            _into(statement.body, False)
        else:
            for below in _bodies(statement):
                _into(below, counted)
            if counted and isinstance(statement, _LOOPS):
                statement.body.insert(0, _tick(statement.body[0]))


def _bodies(statement: Any) -> Iterator[List[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        found = getattr(statement, field, None)
        if found:
            yield found
    for field in ("handlers", "cases"):
        for part in getattr(statement, field, ()):
            yield part.body


def _tick(beside: ast.stmt) -> ast.stmt:
    name = ast.Name(NAME, ast.Load())
    call = ast.Call(name, [], [])
    statement = ast.Expr(call)
    for node in (name, call, statement):
        ast.copy_location(node, beside)
    return statement
