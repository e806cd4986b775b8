"""Plans for what is called otherwise where it is defined than where it is used, in all files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import PurePosixPath

import tree_sitter

from mgdebug.model import Edit, Patch, Subfunction, SubfunctionKind
from mgdebug.proposers import Brief
from mgdebug.proposers.search.callers import Known, messages, planned
from mgdebug.proposers.search.parameters import is_label
from mgdebug.syntax.source import SourceFile
from mgdebug.syntax.uses import Use, Uses

LIKELIEST, ALIKE = 4, 0.4  # names that may have been meant, and how alike they are at least
EACH_PLACE = 0.2  # bits for each further place


def renames(brief: Brief, seen: Known) -> Iterator[Patch]:
    """A name that a module or an object does not have becomes one that it has, wherever it is used;
    or that one is given the name."""
    said = "\n".join(messages(brief))
    own = brief.subfunction
    text = brief.source.slice(own.span.start, own.span.end)
    for kind, pattern in brief.language.vocabulary().absences.items():
        pairs = {
            (m["holder"] or m.groupdict().get("holder_"), m["name"] or m.groupdict().get("name_"))
            for m in re.finditer(pattern, said)
        }
        for holder, name in sorted((h, n) for h, n in pairs if h and n):
            if re.search(rf"\b{name}\b", text):
                if kind == "module":
                    yield from _of_module(brief, seen.uses(brief), holder, name)
                else:
                    yield from _of_class(brief, holder, name)


def _cost(name: str, new: str, places: int) -> float:
    return 4.0 - 2 * _alike(name, new) + EACH_PLACE * max(0, places - 1)


def _alike(one: str, two: str) -> float:
    return SequenceMatcher(None, one, two).ratio()


def _likeliest(name: str, subs: list[Subfunction]) -> list[Subfunction]:
    """Those whose name is alike; the only one that there is, whatever its name."""
    order = sorted(subs, key=lambda sub: -_alike(name, sub.name))
    return order if len(subs) == 1 else [s for s in order if _alike(name, s.name) >= ALIKE]


def _names(brief: Brief, name: str) -> dict[str, SourceFile]:
    """The files that hold a name anywhere."""
    raw = name.encode()
    return {path: file for path, file in brief.files.items() if raw in file.text}


# --------------------------------------------------------------------------- of modules


def _of_module(brief: Brief, seen: Uses, holder: str, name: str) -> Iterator[Patch]:
    known = brief.hierarchy.subfunctions
    kinds = (SubfunctionKind.FUNCTION, SubfunctionKind.CLASS)
    subs = [s for s in known.values() if s.kind in kinds and "." not in s.qualname]
    subs = [s for s in subs if _is_module(s.path, holder)]
    for sub in _likeliest(name, subs)[:LIKELIEST]:
        lost = seen.lost(name, _names(brief, name))
        wrong = [use for use in lost if use.holder.partition("::")[0] == sub.path]
        places = _all_places(brief, wrong, name)
        note = f"`{name}` becomes `{sub.name}` wherever it is used"
        edits = [_edit(path, node, sub.name) for path, node in places]
        cost = _cost(name, sub.name, len(places))
        yield from planned(brief, sub, cost, edits, note, "use_renamed")
        found = seen.of(sub.id, _names(brief, sub.name))
        label = _label(brief.files[sub.path], sub)
        places = _all_places(brief, found, sub.name)
        edits = [_edit(path, node, name) for path, node in ((sub.path, label), *places) if node]
        note = f"`{sub.name}` becomes `{name}`"
        cost = _cost(name, sub.name, len(edits)) + 0.1
        yield from planned(brief, sub, cost, edits, note, "definition_renamed")


def _is_module(path: str, name: str) -> bool:
    dotted = ".".join(PurePosixPath(path).with_suffix("").parts).removesuffix(".__init__")
    return f".{dotted}".endswith(f".{name}")


def _all_places(brief: Brief, found: list[Use], name: str) -> list[tuple[str, tree_sitter.Node]]:
    """The names in uses; where one is imported as it is called, all that stand for it there."""
    places: dict[tuple[str, int], tree_sitter.Node] = {}
    for use in found:
        source = brief.files[use.path]
        if source.slice(use.node.start_byte, use.node.end_byte) != name:
            continue  # under a name of its own
        places[use.path, use.node.start_byte] = use.node
        around = use.node.parent
        if use.call is None and around is not None and around.type == "import_from_statement":
            for node in _identifiers(source, name):
                places[use.path, node.start_byte] = node
    return [(path, node) for (path, _), node in sorted(places.items(), key=lambda p: p[0])]


def _identifiers(source: SourceFile, name: str) -> Iterator[tree_sitter.Node]:
    for node in source.grammar.captured("structure", source.tree.root_node).get("identifier", ()):
        if source.slice(node.start_byte, node.end_byte) == name and not is_label(node):
            yield node


def _label(source: SourceFile, sub: Subfunction) -> tree_sitter.Node | None:
    root = source.tree.root_node
    node = root.named_descendant_for_byte_range(sub.span.start, sub.span.end)
    return node.child_by_field_name("name") if node is not None else None


def _edit(path: str, node: tree_sitter.Node, new: str) -> Edit:
    return Edit(path, node.start_byte, node.end_byte, new)


# --------------------------------------------------------------------------- of objects


def _of_class(brief: Brief, holder: str, name: str) -> Iterator[Patch]:
    """Objects are seldom known where they are used: a name counts as the member of a class where
    nothing else in the project, and none of the language's own types, has one of that name."""
    known = brief.hierarchy.subfunctions
    words = brief.language.vocabulary()
    kind = next((s for s in known.values() if s.kind == "class" and s.name == holder), None)
    if kind is None or any(s.name == name for s in known.values()):
        return
    members = [known[child] for child in kind.children if child in known]
    subs = {s.name: s for s in members if not s.name.startswith("__")}
    subs |= {one: kind for one in _assigned(brief, kind) if one not in subs}
    order = sorted(subs, key=lambda one: (-_alike(name, one), one))
    order = order if len(order) == 1 else [one for one in order if _alike(name, one) >= ALIKE]
    for one in order[:LIKELIEST]:
        sub = subs[one]
        places = list(_members(brief, name))
        if name not in words.members:
            note = f"`.{name}` becomes `.{one}` wherever it is used"
            edits = [_edit(path, node, one) for path, node in places]
            cost = _cost(name, one, len(places))
            yield from planned(brief, sub, cost, edits, note, "use_renamed")
        others = [s for s in known.values() if s.name == one and s.id != sub.id]
        if one in words.members or others:
            continue
        places = list(_members(brief, one))
        label = _label(brief.files[sub.path], sub) if sub is not kind else None
        if label is not None:
            places.append((sub.path, label))
        edits = [_edit(path, node, name) for path, node in places]
        cost = _cost(name, one, len(places)) + 0.1
        yield from planned(brief, sub, cost, edits, f"`.{one}` becomes `.{name}`", "member_renamed")


def _members(brief: Brief, name: str) -> Iterator[tuple[str, tree_sitter.Node]]:
    """All that stands behind a dot and has a name."""
    for path, source in sorted(_names(brief, name).items()):
        for node in source.grammar.captures("holes", source.tree.root_node).get("member", ()):
            if source.slice(node.start_byte, node.end_byte) == name:
                yield path, node


def _assigned(brief: Brief, kind: Subfunction) -> Mapping[str, None]:
    """Names that the methods of a class give members of their own object."""
    source, itself = brief.files[kind.path], brief.language.vocabulary().itself
    found: dict[str, None] = {}
    for node in source.grammar.captures("holes", source.tree.root_node).get("target", ()):
        label = node.child_by_field_name("attribute")
        before = node.child_by_field_name("object")
        inside = kind.span.start <= node.start_byte < kind.span.end
        if not inside or label is None or before is None:
            continue
        if source.slice(before.start_byte, before.end_byte) == itself:
            found[source.slice(label.start_byte, label.end_byte)] = None
    return found
