"""A hierarchy as a tree to read, as JSON and as a graph.  Pure: nothing here prints."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text
from rich.tree import Tree

from mgdebug.model import Block, Hierarchy, Span, Subfunction, SubfunctionKind
from mgdebug.syntax.outline import Outline, Piece
from mgdebug.syntax.source import SourceFile

_SHOWN_TEXT, _SHOWN_NAMES, _SHOWN_UNKNOWN = 50, 5, 12


def listed(hierarchy: Hierarchy, paths: Iterable[str], part: str = "") -> Hierarchy:
    """A hierarchy as far as it is shown: the subfunctions of some files, or one with what is
    written inside it.  Calls may lead out of it."""
    known, chosen = hierarchy.subfunctions, set(paths)
    if part:
        names, waiting = set(), [part]
        while waiting:
            name = waiting.pop()
            names.add(name)
            waiting += known[name].children
    else:
        names = {name for name, subfunction in known.items() if subfunction.path in chosen}
    order = [tuple(name for name in group if name in names) for group in hierarchy.order]
    return Hierarchy(
        {name: subfunction for name, subfunction in known.items() if name in names},
        tuple(group for group in order if group),
    )


# ------------------------------------------------------------------------------------ text


def trees(hierarchy: Hierarchy, sources: Mapping[str, SourceFile], blocks: bool) -> list[Tree]:
    """A tree for each file.  blocks: whether they are shown below their subfunctions."""
    drawing = _Drawing(hierarchy, sources, blocks)
    by_path: dict[str, list[Subfunction]] = defaultdict(list)
    for subfunction in hierarchy.subfunctions.values():
        by_path[subfunction.path].append(subfunction)
    return [drawing.file(path, found) for path, found in by_path.items()]


class _Drawing:
    def __init__(
        self, hierarchy: Hierarchy, sources: Mapping[str, SourceFile], blocks: bool
    ) -> None:
        self.known, self.sources, self.blocks = hierarchy.subfunctions, sources, blocks
        self.order = hierarchy.order
        self.group = {name: group for group in hierarchy.order for name in group}

    def file(self, path: str, found: Sequence[Subfunction]) -> Tree:
        inner = {child for subfunction in found for child in subfunction.children}
        tops = [subfunction for subfunction in found if subfunction.id not in inner]
        tree = Tree(Text(path, "bold"), guide_style="dim")
        if len(tops) == 1 and tops[0].kind is SubfunctionKind.MODULE:
            self._body(tree, tops[0])
        else:
            for top in tops:
                self._add(tree, top)
        order = self._order(path)
        if order is not None:
            tree.add(order)
        return tree

    def _add(self, tree: Tree, subfunction: Subfunction) -> None:
        self._body(tree.add(self._head(subfunction)), subfunction)

    def _body(self, tree: Tree, subfunction: Subfunction) -> None:
        """Below a line: what it calls, its blocks, what is written inside it."""
        path = subfunction.path
        own = [name for name in subfunction.calls if name != subfunction.id]
        called = [_relative(name, path) for name in own]
        if subfunction.id in subfunction.calls:
            called.append("itself")
        what = "importing it calls" if subfunction.kind is SubfunctionKind.MODULE else "calls"
        if called:
            tree.add(Text.assemble((f"{what} ", "cyan"), ", ".join(called)))
        if subfunction.unknown:
            names = _shortened(subfunction.unknown, _SHOWN_UNKNOWN)
            tree.add(Text(f"unknown {names}", "dim"))
        if self.blocks:
            self._add_blocks(tree, subfunction)
        for child in subfunction.children:
            if child in self.known:
                self._add(tree, self.known[child])

    def _head(self, subfunction: Subfunction) -> Text:
        kind = "async " * subfunction.asynchronous + subfunction.kind
        text = Text.assemble((f"{kind} ", "green"), (subfunction.name, "bold"))
        if subfunction.kind.called:
            text.append(f"({', '.join(subfunction.parameters)})")
        text.append(f"  {_lines(subfunction.span)}", "dim")
        for decorator in subfunction.decorators:
            text.append(f"  @{_one_line(decorator)}", "magenta")
        group = self.group.get(subfunction.id, ())
        others = [_relative(n, subfunction.path) for n in group if n != subfunction.id]
        if others:
            text.append(f"  recursive, with {', '.join(others)}", "yellow")
        return text

    def _add_blocks(self, tree: Tree, subfunction: Subfunction) -> None:
        nodes: dict[str, Tree] = {}
        for block in _parents_first(subfunction.blocks):
            parent = nodes.get(block.parent, tree)
            nodes[block.id] = parent.add(self._block(block, self.sources[subfunction.path]))

    def _block(self, block: Block, source: SourceFile) -> Text:
        text = Text.assemble((f"{_lines(block.span):<8}{block.kind:<10}", "dim"))
        first, *rest = source.slice(block.span.start, block.span.end).splitlines() or [""]
        text.append(_one_line(first) + " ..." * bool(rest and not _is_cut(first)))
        for label, names in (("reads", block.reads), ("writes", block.writes)):
            if names:
                text.append(f"  {label} {_shortened(names, _SHOWN_NAMES)}", "dim")
        if block.exit is not None:
            text.append(f"  -> {block.exit}", "yellow")
        return text

    def _order(self, path: str) -> Text | None:
        """Leaves first, where some of a file call others; a recursion stands in brackets."""
        words, count = [], 0
        for group in self.order:
            names = [
                _relative(name, path)
                for name in group
                if self.known[name].path == path and self.known[name].kind.called
            ]
            count += len(names)
            if names:
                words.append(f"({', '.join(names)})" if len(names) > 1 else names[0])
        if count < 2 or not self._joined(path):
            return None
        return Text.assemble(("order ", "cyan"), ", ".join(words))

    def _joined(self, path: str) -> bool:
        """Whether some subfunction of a file calls another one there."""
        return any(
            name != subfunction.id and name in self.known and self.known[name].path == path
            for subfunction in self.known.values()
            if subfunction.path == path and subfunction.kind.called
            for name in subfunction.calls
        )


def _parents_first(blocks: Sequence[Block]) -> list[Block]:
    """In the order of the text, but a parent before its children: that of a do-while is below."""
    below: dict[str, list[Block]] = defaultdict(list)
    ids = {block.id for block in blocks}
    for block in sorted(blocks, key=lambda b: (b.span.start, -b.span.end)):
        below[block.parent if block.parent in ids else ""].append(block)
    found, waiting = [], below[""][::-1]
    while waiting:
        block = waiting.pop()
        found.append(block)
        waiting += below[block.id][::-1]
    return found


def _relative(name: str, path: str) -> str:
    file, _, qualname = name.partition("::")
    return qualname if file == path else name


def _lines(span: Span) -> str:
    first, last = span.first_line, span.last_line
    return f"{first}" if first == last else f"{first}-{last}"


def _one_line(text: str) -> str:
    words = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return words if len(words) <= _SHOWN_TEXT else words[: _SHOWN_TEXT - 3].rstrip() + "..."


def _is_cut(line: str) -> bool:
    return _one_line(line).endswith("...")


def _shortened(names: Sequence[str], most: int) -> str:
    rest = len(names) - most
    return ", ".join(map(_one_line, names[:most])) + (f" and {rest} more" if rest > 0 else "")


# ------------------------------------------------------------------------------ JSON, graph


def to_json(hierarchy: Hierarchy) -> str:
    """Everything that the hierarchy says, as one object; the keys always in the same order."""
    found = [_as_data(subfunction) for subfunction in hierarchy.subfunctions.values()]
    return json.dumps({"subfunctions": found, "order": hierarchy.order}, indent=2)


def _as_data(subfunction: Subfunction) -> dict[str, Any]:
    return {
        "id": subfunction.id,
        "path": subfunction.path,
        "name": subfunction.name,
        "qualname": subfunction.qualname,
        "kind": subfunction.kind,
        "asynchronous": subfunction.asynchronous,
        "span": _span(subfunction.span),
        "whole": _span(subfunction.whole),
        "decorators": subfunction.decorators,
        "parameters": subfunction.parameters,
        "children": subfunction.children,
        "calls": subfunction.calls,
        "unknown": subfunction.unknown,
        "blocks": [
            {
                "id": block.id,
                "kind": block.kind,
                "span": _span(block.span),
                "parent": block.parent,
                "exit": block.exit,
                "reads": block.reads,
                "writes": block.writes,
            }
            for block in subfunction.blocks
        ],
    }


def _span(span: Span) -> list[int]:
    return [span.start, span.end, span.first_line, span.last_line]


def to_dot(hierarchy: Hierarchy) -> str:
    """A Graphviz digraph: a cluster for each file, calls solid, what is written inside dashed."""
    lines = ["digraph hierarchy {", "  rankdir=LR;", '  node [shape=box, fontname="monospace"];']
    known = hierarchy.subfunctions
    paths = list(dict.fromkeys(subfunction.path for subfunction in known.values()))
    for number, path in enumerate(paths):
        lines += [f"  subgraph cluster_{number} {{", f"    label={_quoted(path)};"]
        for subfunction in known.values():
            if subfunction.path == path:
                style = "" if subfunction.kind.called else ", style=rounded"
                label = _quoted(subfunction.qualname)
                lines.append(f"    {_quoted(subfunction.id)} [label={label}{style}];")
        lines.append("  }")
    outside = {c for s in known.values() for c in s.calls if c not in known}
    lines += [f"  {_quoted(name)} [style=dotted];" for name in sorted(outside)]
    for subfunction in known.values():
        start = _quoted(subfunction.id)
        inside = [child for child in subfunction.children if child in known]
        lines += [f"  {start} -> {_quoted(child)} [style=dashed];" for child in inside]
        lines += [f"  {start} -> {_quoted(name)};" for name in subfunction.calls]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + " ".join(escaped.split("\n")) + '"'


# --------------------------------------------------------------------------------- outlined


def outlined(found: Sequence[Outline]) -> Iterator[tuple[bytes, str]]:
    """Of each file its outlined text, under its name if there are more, and what was done to it."""
    for one in found:
        name = f"==> {one.source.path} <==\n".encode() if len(found) > 1 else b""
        yield name + one.outlined.data, "\n".join(_done(one))


def _done(found: Outline) -> list[str]:
    """A line for each piece, then why the rest stays whole."""
    lines = [_piece(found.source.path, piece) for piece in found.pieces]
    counts: dict[str, int] = defaultdict(int)
    for refusal in found.refusals:
        counts[refusal.reason] += 1
    if counts:
        most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        reasons = ", ".join(f"{count} {reason}" for reason, count in most)
        lines.append(f"{found.source.path}: stays whole: {reasons}")
    if not lines:
        lines.append(f"{found.source.path}: nothing to split")
    return lines


def _piece(path: str, piece: Piece) -> str:
    given = ", ".join(piece.parameters)
    results = ", ".join(piece.results) or "nothing"
    where = f"{path}:{_lines(piece.span)}"
    return f"{where}  {piece.name}({given}) -> {results}  from {piece.function}"
