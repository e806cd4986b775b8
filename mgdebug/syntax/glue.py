"""The code that joins the pieces of an outlined function, as templates of a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Glue:
    """How a language writes what outlining adds.  The comments say what {0}, {1}, {2} stand for.

    A piece that is left by jumps gives a row: a number that says how, what is returned if
    something is, and its results.
    """

    name: str  # of a piece: the name of its function, a number
    opens: str  # the first line of a function: its name, its parameters
    call: str  # the function, the arguments
    bind: str  # the targets, the value
    give: str  # what a piece gives: the row
    check: str  # the variable for the way out, a number, the jump
    leaves: Mapping[str, str]  # the jumps by their words: what is returned
    before: str  # put between the word of a return and its value: a number
    after: str  # put behind that value
    separator: str
    nothing: str
    way: str  # the variable for the way out
    value: str  # the variable for what is returned
