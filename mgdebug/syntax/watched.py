"""What a text does to its own process and to those who judge it, by the words that it uses.

The words of a language are its adapter's; the query `watched` finds the places that use words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import tree_sitter

from mgdebug.model import Edit
from mgdebug.syntax.grammar import Watched
from mgdebug.syntax.source import SourceFile

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_OUTSIDE = ""


def brought_in(before: SourceFile, after: SourceFile, edits: Sequence[Edit]) -> tuple[str, ...]:
    """What a patched text does that the text before did not, each in words.

    A word counts as new in a definition that uses it more often than before; so a word that moves
    to another definition is new there.  Names that the text before binds itself are its own.
    """
    watched = before.grammar.conventions.watched
    if watched is None:
        return ()
    told = {word: deed for deed, words in watched.deeds.items() for word in words}
    told |= dict.fromkeys(watched.compares, watched.comparing)
    own = _bound(before) & _bound(after)
    old, new = _uses(before, told, own, watched), _uses(after, told, own, watched)
    found = {_said(word, told, watched) for (_, word), count in (new - old).items() if count}
    gone = {word for _, word in old - new if word in watched.compares}
    changed = {name for e in edits for name in _around(before, e) if name in watched.compares}
    one, two = _texts(before, watched), _texts(after, watched)
    changed |= {name for name, _ in (one - two) + (two - one)}
    found |= {_said(word, told, watched) for word in gone | changed}
    return tuple(sorted(found))


def _said(word: str, told: Mapping[str, str], watched: Watched) -> str:
    return told[word].format(word) if word else watched.swallows


def _uses(
    source: SourceFile, told: Mapping[str, str], own: set[str], watched: Watched
) -> Counter[tuple[str, str]]:
    """How often each definition uses each watched word; "" stands for a handler of everything."""
    captures = source.grammar.captures("watched", source.tree.root_node)
    members = {node.id: base for node, base in _members(source)}
    uses: Counter[tuple[str, str]] = Counter()
    for node in captures.get("name", ()):
        word = _text(node)
        if word not in told:
            continue
        base = members.get(node.id)
        if (
            word in own
            and word not in watched.compares
            and (base is None or base in watched.itself)
        ):
            continue
        uses[_owner(source, node), word] += 1
    for node in captures.get("text", ()):
        text = _text(node)
        for word in text.split(".") if _DOTTED.fullmatch(text) else ():
            if word in told:
                uses[_owner(source, node), word] += 1
    for node in captures.get("swallows", ()):
        uses[_owner(source, node), ""] += 1
    return uses


def _members(source: SourceFile) -> Iterator[tuple[tree_sitter.Node, str]]:
    """The names of members, each with the text of the object."""
    for match in source.grammar.matches("watched", source.tree.root_node):
        for node in match.get("member", ()):
            yield node, _text(match["object"][0])


def _bound(source: SourceFile) -> set[str]:
    captures = source.grammar.captured("watched", source.tree.root_node)
    return {_text(node) for node in captures.get("bound", ())}


def _around(source: SourceFile, edit: Edit) -> Iterator[str]:
    """The names of the definitions that an edit stands in."""
    node = source.tree.root_node.descendant_for_byte_range(edit.start, edit.end)
    yield from _definitions(node)


def _texts(source: SourceFile, watched: Watched) -> Counter[tuple[str, str]]:
    """The definitions that say how values compare: their names and whole texts."""
    found: Counter[tuple[str, str]] = Counter()
    stack = [source.tree.root_node]
    while stack:
        node = stack.pop()
        name = node.child_by_field_name("name") if node.child_by_field_name("body") else None
        if name is not None and _text(name) in watched.compares:
            found[_text(name), _text(node)] += 1
        stack += node.named_children
    return found


def _owner(source: SourceFile, node: tree_sitter.Node) -> str:
    return ".".join([*_definitions(node)][::-1]) or _OUTSIDE


def _definitions(node: tree_sitter.Node | None) -> Iterator[str]:
    while node is not None:
        name = node.child_by_field_name("name") if node.child_by_field_name("body") else None
        if name is not None:
            yield _text(name)
        node = node.parent


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode("utf-8", "surrogatepass")
