"""What a function takes and what a call of it gives, as their texts say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import tree_sitter

from mgdebug.model import Edit, Subfunction, SubfunctionKind
from mgdebug.syntax.source import SourceFile
from mgdebug.syntax.uses import Use


class Form(StrEnum):
    """How an argument comes to a parameter."""

    PLACED = "by its place alone"
    EITHER = "by its place or its name"
    NAMED = "by its name alone"
    REST = "whatever is left"


_FORMS = {"list_splat_pattern": Form.REST, "dictionary_splat_pattern": Form.REST}
_DEFAULTS = ("default_parameter", "typed_default_parameter")
_NAMES = ("identifier", *_DEFAULTS, "typed_parameter", *_FORMS)


@dataclass(frozen=True, slots=True)
class Parameter:
    """node: with its type and default; label: its name alone."""

    name: str
    node: tree_sitter.Node
    label: tree_sitter.Node
    form: Form
    default: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """all: the parameters without a method's own object.  listed: the node of all of them.
    holder: the name of the class of a method that has an object of its own, else ""."""

    sub: Subfunction
    source: SourceFile
    definition: tree_sitter.Node
    listed: tree_sitter.Node
    all: tuple[Parameter, ...]
    holder: str

    @classmethod
    def of(cls, source: SourceFile, sub: Subfunction) -> Signature | None:
        """None where there is no list of parameters."""
        node: tree_sitter.Node | None = source.tree.root_node
        node = node.named_descendant_for_byte_range(sub.span.start, sub.span.end) if node else None
        listed = node.child_by_field_name("parameters") if node is not None else None
        if node is None or listed is None or listed.type != "parameters":
            return None
        found = list(_parameters(source, listed))
        own = sub.kind is SubfunctionKind.METHOD and "staticmethod" not in sub.decorators
        holder = sub.qualname.split(".")[-2] if own and "." in sub.qualname else ""
        return cls(sub, source, node, listed, tuple(found[1:] if holder else found), holder)

    @property
    def placed(self) -> list[Parameter]:
        """Those that a place may fill, in their order."""
        return [p for p in self.all if p.form in (Form.PLACED, Form.EITHER)]

    @property
    def is_open(self) -> bool:
        """Whether it takes what nothing names."""
        return any(p.form is Form.REST for p in self.all)

    def body_names(self) -> Iterator[tree_sitter.Node]:
        """The names in its body that may stand for variables."""
        body = self.definition.child_by_field_name("body")
        stack = [body] if body is not None else []
        while stack:
            node = stack.pop()
            if node.type == "identifier" and not is_label(node):
                yield node
            stack += node.named_children

    def binds_inside(self, name: str) -> bool:
        """Whether something in its body binds a name anew: another function, a comprehension, an
        import."""
        captures = self.source.grammar.captured("structure", self.definition)
        own = {p.label.start_byte for p in self.all}
        binders = ("parameter", "local", "elsewhere", "imported")
        nodes = (node for key in binders for node in captures.get(key, ()))
        return any(
            self.text(node) == name and node.start_byte not in own
            for node in nodes
            if self.definition.start_byte <= node.start_byte < self.definition.end_byte
        )

    def text(self, node: tree_sitter.Node) -> str:
        return self.source.slice(node.start_byte, node.end_byte)


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of one call.  all: in their order; placed, named: those of them; is_open:
    whether some are spread out of a value, so that nobody can tell which they are."""

    use: Use
    source: SourceFile
    listed: tree_sitter.Node
    all: tuple[tree_sitter.Node, ...]
    placed: tuple[tree_sitter.Node, ...]
    named: Mapping[str, tree_sitter.Node]
    is_open: bool

    @classmethod
    def of(cls, use: Use, source: SourceFile, signature: Signature) -> Given | None:
        """None for what is no call, or one without a list of arguments."""
        listed = use.call.child_by_field_name("arguments") if use.call is not None else None
        if listed is None or listed.type != "argument_list":
            return None
        found = tuple(node for node in listed.named_children if node.type != "comment")
        placed = [n for n in found if n.type != "keyword_argument" and "splat" not in n.type]
        named = {}
        for node in found:
            label = node.child_by_field_name("name") if node.type == "keyword_argument" else None
            if label is not None:
                named[source.slice(label.start_byte, label.end_byte)] = node
        before = use.node.prev_named_sibling  # Class.method(object, ...)
        if signature.holder and before is not None:
            text = source.slice(before.start_byte, before.end_byte)
            if text.rpartition(".")[2] == signature.holder:
                placed = placed[1:]
        is_open = any("splat" in node.type for node in found)
        return cls(use, source, listed, found, tuple(placed), named, is_open)

    def bound(self, signature: Signature) -> dict[str, tree_sitter.Node]:
        """By the name of a parameter what it gets."""
        pairs = zip(signature.placed, self.placed, strict=False)
        known = {p.name for p in signature.all}
        named = {name: node for name, node in self.named.items() if name in known}
        return {**{p.name: node for p, node in pairs}, **named}

    def value(self, node: tree_sitter.Node) -> str:
        """The text of what an argument hands over."""
        inner = node.child_by_field_name("value") if node.type == "keyword_argument" else None
        inner = inner or node
        return self.source.slice(inner.start_byte, inner.end_byte)

    # --------------------------------------------------------------------------------- edits

    def renamed(self, name: str, new: str) -> Edit | None:
        """Another name for a named argument."""
        label = self.named[name].child_by_field_name("name")
        return self._edit(label.start_byte, label.end_byte, new) if label is not None else None

    def without(self, node: tree_sitter.Node) -> Edit:
        """Without one argument."""
        start, end = _span_without(self.all, self.all.index(node), self.listed)
        return self._edit(start, end, "")

    def swapped(self, one: tree_sitter.Node, two: tree_sitter.Node) -> Edit:
        """Two arguments in each other's place."""
        return _swap(self.use.path, self.source, one, two)

    def added(self, text: str, at: int) -> Edit:
        """With one more argument before the one at an index."""
        place, words = _place(self.all, at, text, self.listed)
        return self._edit(place, place, words)

    def _edit(self, start: int, end: int, text: str) -> Edit:
        return Edit(self.use.path, start, end, text)


def swap(signature: Signature, one: Parameter, two: Parameter) -> Edit:
    """Two parameters in each other's place."""
    return _swap(signature.sub.path, signature.source, one.node, two.node)


def add(signature: Signature, text: str, at: int) -> Edit:
    """One more parameter, at an index of those that it has but for a method's object."""
    nodes = tuple(n for n in signature.listed.named_children if n.type != "comment")
    place, words = _place(nodes, at + bool(signature.holder), text, signature.listed)
    return Edit(signature.sub.path, place, place, words)


def drop(signature: Signature, parameter: Parameter) -> Edit:
    """One parameter less."""
    nodes = tuple(n for n in signature.listed.named_children if n.type != "comment")
    start, end = _span_without(nodes, nodes.index(parameter.node), signature.listed)
    return Edit(signature.sub.path, start, end, "")


def overlap(edits: Sequence[Edit]) -> bool:
    """Whether two edits touch, such as those of calls within calls."""
    order = sorted(edits, key=lambda e: (e.path, e.start, e.end))
    return any(a.path == b.path and b.start < a.end for a, b in pairwise(order))


def _parameters(source: SourceFile, listed: tree_sitter.Node) -> Iterator[Parameter]:
    nodes = [node for node in listed.named_children if node.type != "comment"]
    slash = next((i for i, n in enumerate(nodes) if n.type == "positional_separator"), -1)
    named = False
    for at, node in enumerate(nodes):
        inner = node.named_children[0] if node.type == "typed_parameter" else node
        named = named or node.type == "keyword_separator"
        if node.type not in _NAMES:
            continue
        form = Form.PLACED if at < slash else Form.NAMED if named else Form.EITHER
        form = _FORMS.get(inner.type, form)
        named = named or inner.type == "list_splat_pattern"
        label = node.child_by_field_name("name") if node.type in _DEFAULTS else inner
        label = label.named_children[0] if label is not None and label.named_children else label
        if label is not None:
            name = source.slice(label.start_byte, label.end_byte)
            yield Parameter(name, node, label, form, node.type in _DEFAULTS)


def is_label(node: tree_sitter.Node) -> bool:
    """An attribute's name, or that of a named argument."""
    around = node.parent
    if around is None or around.type not in ("attribute", "keyword_argument"):
        return False
    field = "attribute" if around.type == "attribute" else "name"
    label = around.child_by_field_name(field)
    return label is not None and label.id == node.id


def _span_without(
    nodes: Sequence[tree_sitter.Node], at: int, listed: tree_sitter.Node
) -> tuple[int, int]:
    """What to cut for one of a list, with a comma."""
    if len(nodes) == 1:
        return listed.start_byte + 1, listed.end_byte - 1
    if at + 1 < len(nodes):
        return nodes[at].start_byte, nodes[at + 1].start_byte
    return nodes[at - 1].end_byte, nodes[at].end_byte


def _place(
    nodes: Sequence[tree_sitter.Node], at: int, text: str, listed: tree_sitter.Node
) -> tuple[int, str]:
    """Where one more of a list goes, and with which comma."""
    if at < len(nodes):
        return nodes[at].start_byte, f"{text}, "
    if nodes:
        return nodes[-1].end_byte, f", {text}"
    return listed.start_byte + 1, text


def _swap(path: str, source: SourceFile, one: tree_sitter.Node, two: tree_sitter.Node) -> Edit:
    first, second = sorted((one, two), key=lambda node: node.start_byte)
    texts = [source.slice(n.start_byte, n.end_byte) for n in (first, second)]
    between = source.slice(first.end_byte, second.start_byte)
    return Edit(path, first.start_byte, second.end_byte, f"{texts[1]}{between}{texts[0]}")
