"""Input/output examples that a user gives by hand."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Sequence

from mgdebug.errors import UsageError
from mgdebug.model import Subfunction, SubfunctionKind, Trace
from mgdebug.syntax.literals import literal


def compiled(expression: str) -> None:
    """Raises UsageError for a text that is no expression."""
    try:
        ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError) as error:
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UsageError(f"that is no expression: {what}", "such as f(3) == 9") from None


def expression_of(call: str, result: str) -> str:
    """An example as an expression.  Raises UsageError where the result is no literal."""
    try:
        literal(result)
    except ValueError:
        raise UsageError("the result must be a literal", "such as 3, 'a' or [1, 2]") from None
    return f"{call} == {result}"


def call_of(subfunction: Subfunction, traces: Sequence[Trace]) -> str:
    """A recorded call of a function to start from, the failing ones first; with names where a value
    is no literal, or nothing was recorded."""
    name = subfunction.qualname
    if subfunction.kind is not SubfunctionKind.FUNCTION or keyword.iskeyword(name):
        return ""
    for trace in sorted(traces, key=lambda t: t.status.ok):
        for call in trace.calls:
            texts = [value.text for value in call.arguments.values()]
            if call.subfunction == subfunction.id and all(map(_is_literal, texts)):
                return f"{name}({', '.join(texts)})"
    return f"{name}({', '.join(subfunction.parameters)})"


def _is_literal(text: str) -> bool:
    try:
        literal(text)
    except ValueError:
        return False
    return True
