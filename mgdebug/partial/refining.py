"""From the errors that stand-ins cause to what kind of value has to stand there.

The type of a stand-in bears its path (see probe.stand_ins), so that most errors name it; for those
that name nothing, the line that raised them is read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_STANDS = r"stand-in (?P<path>[\w.()\[\]]+)"
_PATH = re.compile(_STANDS)
_ERROR = re.compile(r"(?:E\s+)?(?:[\w.]*\.)?(TypeError|ValueError|AttributeError): (.+)")
_PAIR = re.compile(r"for [^:]+: '(.+?)' and '(.+?)'|instances of '(.+?)' and '(.+?)'")
_CONVERTED = re.compile(r"^(int|float|complex)\(\) argument")
_UNPACKED = re.compile(r"not enough values to unpack \(expected (?:at least )?(\d+), got 0\)")
_EXCEPT = re.compile(r"except\*?\s+(.+?)(?:\s+as\s+\w+)?\s*:")
ABOVE = 12  # lines that are looked at above an error
_PLAIN = ("int", "float", "str", "bytes", "bool", "list", "tuple", "dict", "set")
# The first word that a complaint holds says what is wanted.
_WORDS = (
    (r"\bstr\b|string|PathLike|JSON", "str"),
    (r"\bbytes", "bytes"),
    (r"__round__|format string", "float"),
    (r"integer|\bint\b|number|unary|abs\(\)|non-int", "int"),
    (r"BaseException", "exception"),
    (r"\bfloat\b", "float"),
    (r"\btuple\b", "tuple"),
    (r"\bdict\b|mapping", "dict"),
    (r"\blist\b|iterable|sequence", "list"),
    (r"\bclass\b|\btype\b", "class"),
)
GIVES = {
    **{"int": "0", "float": "0.0", "str": '""', "bytes": 'b""', "bool": "False", "list": "[]"},
    **{"tuple": "()", "dict": "{}", "set": "set()"},
    **{"exception": "an exception class", "class": "a class"},
}


class Complaint(NamedTuple):
    """An error, and the lines of source that are shown above it, the nearest first."""

    message: str
    lines: tuple[str, ...]


def gives(kind: str) -> str:
    """What a stand-in of a kind is, in words."""
    return GIVES.get(kind) or f"{kind.split()[1]} values"


def refined(text: str, paths: Mapping[str, str]) -> dict[str, str]:
    """Kinds of values by the path of their stand-in, as a text of tracebacks has them.

    paths: of the stand-ins, by the names that the code has for them."""
    found: dict[str, str] = {}
    for complaint in _complaints(text):
        for path, kind in (*_named(complaint.message), *_read(complaint, paths)):
            found.setdefault(path, kind)
    return found


def _complaints(text: str) -> Iterator[Complaint]:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = _ERROR.match(line.strip())
        if match is None:
            continue
        above = [one.lstrip("> ").strip() for one in lines[max(0, number - ABOVE) : number]]
        frames = [at for at, one in enumerate(above) if one.startswith("File ")]
        shown = above[frames[-1] + 1 :] if frames else above
        yield Complaint(match[2], tuple(reversed(shown)))


def _named(message: str) -> Iterator[tuple[str, str]]:
    """Of a complaint that names the stand-in."""
    pair = _PAIR.search(message)
    if pair is not None:
        one, two = (part for part in pair.groups() if part is not None)
        for mine, other in ((one, two), (two, one)):
            if match := _PATH.fullmatch(mine):
                yield match["path"], _beside(other, message)
        return
    match = _PATH.search(message)
    if match is None:
        return
    rest = _PATH.sub("", message)
    converted = _CONVERTED.match(rest)
    kind = converted[1] if converted else next((k for w, k in _WORDS if re.search(w, rest)), "")
    if kind:
        yield match["path"], "float" if kind == "complex" else kind


def _beside(other: str, message: str) -> str:
    """The kind that goes with a type on the other side of an operator."""
    if other in ("NoneType", "type") or " for |:" in message:
        return "class"
    return other if other in _PLAIN else "int"


def _read(complaint: Complaint, paths: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Of a complaint that names nothing, from the nearest line that it can be about."""
    message = complaint.message
    unpacked = _UNPACKED.match(message)
    found: list[str] = []
    kind = f"unpacked {unpacked[1]}" if unpacked else "exception"
    for line in complaint.lines:
        if message.startswith("catching classes") and (match := _EXCEPT.match(line)):
            found = _all(_parsed(f"({match[1]})"), paths)
        elif message.startswith("exceptions must") and line.startswith("raise "):
            found = [path.removesuffix("()") for path in _all(_parsed(line), paths)]
        elif unpacked:
            found = _all(_parsed(line), paths)
        if found:
            yield from ((path, kind) for path in found)
            return


def _parsed(line: str) -> ast.stmt | None:
    try:
        return ast.parse(line).body[0]
    except (SyntaxError, ValueError, IndexError):
        return None


def _all(node: ast.stmt | None, paths: Mapping[str, str]) -> list[str]:
    """Of the stand-ins that a statement assigns, raises or names."""
    value = getattr(node, "exc" if isinstance(node, ast.Raise) else "value", None)
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return [path for part in parts if part is not None and (path := _path(part, paths))]


def _path(node: ast.expr, paths: Mapping[str, str]) -> str:
    """Of the stand-in that an expression gives, "" if it gives none."""
    if isinstance(node, ast.Name):
        return paths.get(node.id, "")
    behind = {ast.Attribute: "value", ast.Subscript: "value", ast.Call: "func"}.get(type(node))
    before = _path(getattr(node, behind), paths) if behind else ""
    if not before:
        return ""
    return before + {ast.Call: "()", ast.Subscript: "[]"}.get(
        type(node), f".{getattr(node, 'attr', '')}"
    )


def imported(text: str, modules: Mapping[str, object]) -> dict[str, str]:
    """The names that a source has for stand-ins of modules and of what is in them, each with its
    path."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                if _stands(one.name, modules):
                    first = one.name.partition(".")[0]
                    found[one.asname or first] = one.name if one.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and _stands(node.module, modules):
            for one in node.names:
                found[one.asname or one.name] = f"{node.module}.{one.name}"
    return found


def _stands(name: str, modules: Mapping[str, object]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)
