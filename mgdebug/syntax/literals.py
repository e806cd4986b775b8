"""Literals: what a text stands for that is a value and nothing else."""

from __future__ import annotations

import ast
from typing import Any


def literal(text: str) -> Any:
    """The value.  Raises ValueError for whatever is no literal, for one that cannot be built (a set
    of lists), and for one that is too deep."""
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"no literal: {type(error).__name__}") from None


def same(one: str, two: str) -> bool:
    """Whether two texts stand for equal values; where one is no literal, whether they are alike."""
    try:
        return bool(literal(one) == literal(two))
    except ValueError:
        return one.strip() == two.strip()
