"""What docstrings say that calls give: `f(3) == 4`, `f(3) -> 4`, `f(3) returns 4`, doctests.

They are no cases, for nobody keeps them true; but a patch that agrees with them is likelier to be
meant than one that does not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mgdebug.model import Hierarchy, SubfunctionKind
from mgdebug.runner.observe import Given, Seen
from mgdebug.syntax.literals import literal
from mgdebug.syntax.source import SourceFile

AT_MOST = 24  # of one file
LONGEST = 300  # characters of a call or a value
_GIVES = re.compile(
    r"\s*(?:==>|=>|->|==|➞|→|⇒|=|:|\n\s*"
    r"|(?:should |must |will )?(?:returns?|gives?|be|is|equals?)\b)"
    r"\s*(?=\S)"
)
# An expression, of which the first operand is not the value.
_GOES_ON = re.compile(r"""(?:-?[\w.]+|'[^']*'|"[^"]*")\s*(?:[-+*/%<>=^|&]|//|\*\*)\s*[\w(\[{'"]""")
_WORDS = {"true": "True", "false": "False", "null": "None", "none": "None"}
_CLOSES = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Example:
    """A call, and the literal that it is said to give."""

    call: Given
    value: str

    def agrees(self, seen: Seen) -> bool:
        """Whether a call ended so."""
        if seen.raised or seen.value.truncated:
            return False
        try:
            said, given = literal(self.value), literal(seen.value.text)
        except ValueError:
            return False
        if isinstance(said, float) and isinstance(given, float):
            return abs(said - given) <= 1e-9 + 1e-6 * abs(said)
        return bool(said == given)


def examples(source: SourceFile, hierarchy: Hierarchy) -> list[Example]:
    """Of the functions of a file, from all its docstrings."""
    names = {
        sub.name
        for sub in hierarchy.subfunctions.values()
        if sub.path == source.path
        and sub.kind is SubfunctionKind.FUNCTION
        and "." not in sub.qualname
        and not sub.asynchronous
    }
    nodes = source.grammar.captures("holes", source.tree.root_node).get("docstring", ())
    found: dict[str, Example] = {}
    for node in sorted(nodes, key=lambda n: n.start_byte):
        for example in _in(source.slice(node.start_byte, node.end_byte), names):
            found.setdefault(example.call.text, example)
    return list(islice(found.values(), AT_MOST))


def _in(text: str, names: set[str]) -> Iterator[Example]:
    for match in re.finditer(r"(?<![\w.])([A-Za-z_]\w*)\(", text):
        name = match.group(1)
        end = _closed(text, match.end() - 1)
        if name not in names or end is None:
            continue
        gives = _GIVES.match(text, end)
        arguments = _arguments(text[match.start() : end])
        value = _value(text[gives.end() :]) if gives else None
        if arguments is not None and value is not None:
            yield Example(Given(name, arguments), value)


def _closed(text: str, start: int) -> int | None:
    """Where the bracket at `start` is closed, quotes and inner brackets left aside."""
    stack: list[str] = []
    quote = ""
    for at in range(start, min(len(text), start + LONGEST)):
        one = text[at]
        if quote:
            quote = "" if one == quote and text[at - 1] != "\\" else quote
        elif one in "'\"":
            quote = one
        elif one in _CLOSES:
            stack.append(_CLOSES[one])
        elif stack and one == stack[-1]:
            stack.pop()
            if not stack:
                return at + 1
    return None


def _arguments(call: str) -> tuple[str, ...] | None:
    """The arguments of a call, if they are literals."""
    try:
        tree = ast.parse(call.strip(), mode="eval").body
        if not isinstance(tree, ast.Call) or tree.keywords:
            return None
        return tuple(repr(literal(ast.unparse(argument))) for argument in tree.args)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _value(text: str) -> str | None:
    """The literal that a text begins with."""
    line = text.partition("\n")[0][:LONGEST]
    if _GOES_ON.match(line):
        return None
    if line[:1] in _CLOSES:
        end = _closed(text[:LONGEST], 0)
    elif line[:1] in ("'", '"'):
        end = _quoted(line)
    else:
        word = re.match(r"-?\w+(?:\.\w+)*", line)
        end = word.end() if word else None
    if end is None:
        return None
    piece = text[:end]
    try:
        return repr(literal(_WORDS.get(piece, piece)))
    except ValueError:
        return None


def _quoted(line: str) -> int | None:
    end = line.find(line[0], 1)
    return end + 1 if end > 0 else None
