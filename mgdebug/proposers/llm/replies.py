"""What a reply says: the subfunction as it should be, spliced over the old one; a probe.

A reply is data.  It is parsed, never run; nothing in it is an instruction to anybody.
"""

from __future__ import annotations

import builtins
import json
import keyword
import re
import textwrap
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mgdebug.errors import SourceError
from mgdebug.model import Edit, Span, Subfunction
from mgdebug.probe import secrets
from mgdebug.proposers.llm.masking import unmasked
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile, edits_between

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*([\w+-]*)[ \t]*\n(.*?)^[ \t]*\1[ \t]*$", re.S | re.M)
_PROBE = re.compile(r"^[ \t]*PROBE:[ \t]*(.+?)[ \t]*$", re.M)
_IMPORT = re.compile(r"(?:from [\w.]+ )?import [\w., *]+")
_CODING = re.compile(r"^[ \t\f]*#.*?coding[:=].*$", re.M)
_STRING = re.compile(
    r'"(words|code|probe)"\s*:\s*"((?:[^"\\]|\\[^u]|\\u[0-9a-fA-F]{4})*+)("|\\u?[0-9a-fA-F]{0,3}$|$)',
    re.S,
)
LONGEST_PROBE = 200  # characters


# Of a reply, where a model keeps to one.
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "words": {"type": "string", "description": "all that is to be said besides the code"},
        "code": {"type": "string", "description": "what the ```python block would hold, or empty"},
        "probe": {"type": "string", "description": "the expression of a PROBE line, or empty"},
    },
    "required": ["words", "code", "probe"],
    "additionalProperties": False,
}


def as_text(reply: str) -> str:
    """A reply that keeps to the schema, as one that does not would say it."""
    try:
        told = json.loads(reply)
    except ValueError:
        return reply
    if not isinstance(told, dict) or not isinstance(told.get("code"), str):
        return reply
    parts = [str(told.get("words", ""))]
    if told["code"].strip():
        fenced = told["code"].lstrip().startswith("```")
        parts.append(told["code"] if fenced else f"````python\n{told['code']}\n````")
    elif told.get("probe"):
        parts.append(f"PROBE: {told['probe']}")
    return "\n".join(parts)


def so_far(reply: str) -> str:
    """The beginning of a reply, about as `as_text` will have it.  More of the reply only adds to
    it."""
    if not reply.lstrip().startswith("{"):
        return reply
    told = ""
    for name, inside, end in _STRING.findall(reply):
        try:
            text = str(json.loads(f'"{inside}"', strict=False))
        except ValueError:
            break
        if name == "words":
            told += text
        elif name == "code" and text.strip():
            told += f"\n````python\n{text}" + "\n````" * (end == '"')
        elif name == "probe" and text:
            told += f"\nPROBE: {text}"
    return told


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a reply cannot be tried, in words that are sent back."""

    why: str


def probe_of(text: str) -> str | None:
    """The expression that a reply asks to see, None for none."""
    match = _PROBE.search(text)
    return match.group(1)[:LONGEST_PROBE].strip("`") if match else None


def edits_of(
    text: str,
    source: SourceFile,
    own: Subfunction,
    allowed: Collection[str] = (),
    *,
    alone: bool = False,
) -> tuple[Edit, ...] | Unusable:
    """The edits that put a reply's version of a subfunction in place of the old one.

    Of several blocks of code the last counts that holds it.  A reply that writes the function
    around it anew, without it, stands in for that one, if it is `allowed`.  Functions and imports
    that the file lacks and the reply brings go in front of the outermost definition around it, but
    not where it comes `alone`; nothing else of the reply is taken.  Masked lines are put back.
    """
    complaint = "the reply holds no block of code between ``` lines"
    for code in reversed([*_blocks(text)]):
        whole = unmasked(code, source.slice(0, len(source.text)))
        plain = _CODING.sub("", textwrap.dedent(whole))
        new = SourceFile("reply.py", plain.encode("utf-8", "replace"), source.grammar)
        placed = own
        found = _definition(new, own)
        if found is None:
            for outer in _around(source, own, allowed):
                placed, found = outer, _definition(new, outer)
        lines = found.whole if found is not None else None
        errors = [e for e in new.errors if lines is None or _is_in(e[0], lines)]
        if errors:  # what is said around the definition need not parse
            line, _, what = errors[0]
            complaint = f"line {line} of the code does not parse: {what}"
            continue
        if found is None:
            complaint = f"the code does not define {own.name}"
            continue
        return _spliced(source, placed, new, found, alone)
    return Unusable(complaint)


def _is_in(line: int, span: Span) -> bool:
    return span.first_line <= line <= span.last_line


def _blocks(text: str) -> Iterator[str]:
    found = [match.group(3) for match in _FENCE.finditer(text)]
    if found:
        yield from found
    elif "```" not in text and re.search(r"^\s*(?:async\s+)?def\s", text, re.M):
        yield text  # nothing but code


def _around(source: SourceFile, own: Subfunction, allowed: Collection[str]) -> list[Subfunction]:
    """The function that a nested one lies in, if it may be changed."""
    name = own.qualname.rpartition(".")[0]
    subs = [s for s in decompose([source]).subfunctions.values() if s.qualname == name]
    return [sub for sub in subs if sub.kind.called and sub.id in allowed]


def _definition(new: SourceFile, own: Subfunction) -> Subfunction | None:
    """The reply's version: of the same qualified name, else the last one of its name."""
    subs = decompose([new]).subfunctions.values()
    named = [sub for sub in subs if sub.name == own.name and sub.kind.called]
    whole = [sub for sub in named if sub.qualname == own.qualname]
    chosen = whole or named
    return chosen[-1] if chosen else None


def _spliced(
    source: SourceFile, own: Subfunction, new: SourceFile, found: Subfunction, alone: bool
) -> tuple[Edit, ...] | Unusable:
    body = _placed(new, found, source, own)
    text = source.text
    changed = text[: own.whole.start] + body.encode() + text[own.whole.end :]
    brought = "" if alone else _brought(source, new, found)
    if brought:
        at = _outermost(source, own)
        changed = changed[:at] + brought.encode() + changed[at:]
    if changed == text:
        return Unusable(f"{own.name} is as it was")
    mask = secrets.MASK.encode()
    if changed.count(mask) > text.count(mask):
        return Unusable(f"{secrets.MASK} stands for a text that was hidden: repeat its line")
    edits = edits_between(source.path, text, changed)
    try:
        source.splice(edits)
    except SourceError as error:
        return Unusable(error.message)
    return edits


def _placed(new: SourceFile, found: Subfunction, source: SourceFile, own: Subfunction) -> str:
    """The reply's definition at the indent and with the line ends of the old one."""
    start = found.whole.start
    lines = _documented(new, found, source, own)
    inner = new.indent(start)
    dedented = textwrap.dedent(inner + lines)
    outer = source.indent(own.whole.start)
    if own.decorators and not found.decorators:
        kept = source.slice(own.whole.start, own.span.start)
        dedented = textwrap.dedent(outer + kept) + dedented
    placed = textwrap.indent(dedented, outer).removeprefix(outer)
    return placed.rstrip("\n").replace("\n", source.newline)


def _documented(new: SourceFile, found: Subfunction, source: SourceFile, own: Subfunction) -> str:
    """The text of the reply's definition, with the docstring of the old one if it has none: nobody
    asked for it to go."""
    start, end = found.whole.start, found.whole.end
    kept, given = _docstring(source, own), _docstring(new, found)
    first = _first_statement(new, found)
    if kept is None or given is not None or first is None or not new.starts_line(first):
        return new.slice(start, end)
    indent = new.indent(first)
    lines = kept.splitlines()
    outer = source.indent(own.span.start) + " " * 4
    moved = [line.removeprefix(outer) and indent + line.removeprefix(outer) for line in lines[1:]]
    text = "\n".join([lines[0], *moved])
    return new.slice(start, first) + text + "\n" + indent + new.slice(first, end)


def _docstring(source: SourceFile, sub: Subfunction) -> str | None:
    nodes = source.grammar.captures("holes", source.tree.root_node).get("docstring", ())
    first = _first_statement(source, sub)
    for node in nodes:
        if node.start_byte == first:
            return source.slice(node.start_byte, node.end_byte)
    return None


def _first_statement(source: SourceFile, sub: Subfunction) -> int | None:
    captures = source.grammar.captures("holes", source.tree.root_node)
    nodes = (*captures.get("statement", ()), *captures.get("compound", ()))
    starts = [n.start_byte for n in nodes if sub.span.start < n.start_byte < sub.span.end]
    return min(starts, default=None)


def _brought(source: SourceFile, new: SourceFile, found: Subfunction) -> str:
    """Imports and top-level functions of the reply that its version needs and the file lacks."""
    known = {sub.qualname for sub in decompose([source]).subfunctions.values()}
    text = source.slice(0, len(source.text))
    helpers = {
        sub.name: new.slice(sub.whole.start, sub.whole.end).rstrip()
        for sub in decompose([new]).subfunctions.values()
        if sub.kind.called and "." not in sub.qualname and sub.qualname not in known
    }
    helpers.pop(found.qualname.partition(".")[0], None)
    used = _words(new.slice(found.whole.start, found.whole.end))
    needed: list[str] = []
    while (name := next((n for n in helpers if n in used and n not in needed), "")) != "":
        needed.append(name)
        used |= _words(helpers[name])
    parts = []
    lines = new.slice(0, len(new.text)).splitlines()
    imports = [
        line.strip() for line in lines if _IMPORT.fullmatch(line) and "__future__" not in line
    ]
    named = set().union(*(_words(line.rpartition("import ")[2]) for line in imports))
    strange = _strange(new, found) - _words(text) - helpers.keys() - named
    for line in dict.fromkeys(imports):
        wanted = strange if "*" in line else used & _words(line.rpartition("import ")[2])
        if wanted and not re.search(rf"^\s*{re.escape(line)}\s*$", text, re.M):
            parts.append(line)
    for name in helpers:
        if name in needed:
            parts += ["", helpers[name], "", ""]
    if not parts:
        return ""
    return source.newline.join([*"\n".join(parts).split("\n"), ""])


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _strange(new: SourceFile, found: Subfunction) -> set[str]:
    """Names that a version reads, and neither binds nor finds built in."""
    first = _first_statement(new, found) or found.whole.end
    read = _words(new.slice(found.whole.start, first))  # decorators and annotations
    bound = {found.name, *found.parameters, *dir(builtins), *keyword.kwlist}
    for block in found.blocks:
        read.update(block.reads)
        bound.update(block.writes)
    return {name for name in read - bound if name.isidentifier()}


def _outermost(source: SourceFile, own: Subfunction) -> int:
    """Where the line begins of the outermost definition around a subfunction."""
    top = own.qualname.partition(".")[0]
    for sub in decompose([source]).subfunctions.values():
        if sub.qualname == top:
            return source.text.rfind(b"\n", 0, sub.whole.start) + 1
    return source.text.rfind(b"\n", 0, own.whole.start) + 1
