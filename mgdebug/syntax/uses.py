"""Where subfunctions are used: the places behind the call edges, resolved as the edges are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import tree_sitter

from mgdebug.syntax.calls import Resolver, object_of
from mgdebug.syntax.drafts import Draft, Mention, Reading
from mgdebug.syntax.meanings import Meaning, Meanings
from mgdebug.syntax.source import SourceFile
from mgdebug.syntax.structure import read


@dataclass(frozen=True, slots=True)
class Use:
    """owner: id of the subfunction that it stands in.  node: the name.  call: what calls it, None
    where it is imported or handed over.  holder: id of the module that it is a member of, where it
    resolves to nothing; "" if that is not known."""

    path: str
    owner: str
    node: tree_sitter.Node
    call: tree_sitter.Node | None = None
    holder: str = ""


class Uses:
    """The uses in some files, resolved when they are asked for, each file once.

    files: all that names may lead to; those that do not parse lead nowhere."""

    def __init__(self, files: Mapping[str, SourceFile]) -> None:
        self._files = files
        self._resolver = _Noting(self._load)
        self._seen: set[str] = set()

    def of(self, target: str, paths: Iterable[str]) -> list[Use]:
        """The uses of a subfunction, at least those that stand in the files at some paths; in the
        order of the text."""
        self._look(paths)
        return _in_order(self._resolver.of.get(target, {}))

    def lost(self, name: str, paths: Iterable[str]) -> list[Use]:
        """Uses of a name that resolve to nothing, as `of` has them."""
        self._look(paths)
        return _in_order(self._resolver.lost.get(name, {}))

    def _look(self, paths: Iterable[str]) -> None:
        for path in dict.fromkeys(paths):
            reading = self._resolver.meanings.file(path) if path not in self._seen else None
            self._seen.add(path)
            if reading is not None:
                self._resolver.fill(reading)
                self._resolver.note_imports(reading)

    def _load(self, path: str) -> Reading | None:
        source = self._files.get(path)
        if source is None or source.tree.root_node.has_error:
            return None
        return read(source, source.tree)


def _in_order(found: Mapping[tuple[str, int], Use]) -> list[Use]:
    return [found[place] for place in sorted(found)]


class _Noting(Resolver):
    """Notes each mention beside the edge that comes of it, once for each meaning."""

    def __init__(self, load: Callable[[str], Reading | None]) -> None:
        super().__init__(load)
        self.meanings = Meanings((), load)
        self.of: dict[str, dict[tuple[str, int], Use]] = defaultdict(dict)
        self.lost: dict[str, dict[tuple[str, int], Use]] = defaultdict(dict)

    def _edge(self, mention: Mention, target: Draft) -> None:
        super()._edge(mention, target)
        _put(self.of[target.id], _use(mention))

    def _lost(self, mention: Mention) -> None:
        super()._lost(mention)
        use, before = _use(mention), object_of(mention)
        meaning = self.meanings.meaning(mention.draft, before, 0) if before is not None else None
        holder = meaning.id if isinstance(meaning, Draft) else ""
        _put(self.lost[mention.name], replace(use, holder=holder))

    def _call(self, mention: Mention, meaning: Meaning) -> None:
        super()._call(mention, meaning)
        if isinstance(meaning, Draft):  # a class beside its constructors
            _put(self.of[meaning.id], _use(mention))

    def _value(self, mention: Mention, meaning: Draft) -> None:
        super()._value(mention, meaning)
        _put(self.of[meaning.id], _use(mention))

    def note_imports(self, reading: Reading) -> None:
        """The names in `import NAME from MODULE`, or what a language has for that."""
        source = reading.source
        for statement in reading.imports:
            for match in source.grammar.matches("imports", statement):
                said = {k: source.slice(n[0].start_byte, n[0].end_byte) for k, n in match.items()}
                module = said.get("module", "").strip("'\"")
                for node in match.get("name", ()):
                    name = said["name"]
                    use = Use(source.path, reading.drafts[0].id, node)
                    meaning = self.meanings.imported(source, module, name)
                    if isinstance(meaning, Draft):
                        _put(self.of[meaning.id], use)
                    elif (holder := self.meanings.module(source, module)) is not None:
                        _put(self.lost[name], replace(use, holder=holder.id))


def _put(found: dict[tuple[str, int], Use], use: Use) -> None:
    found.setdefault((use.path, use.node.start_byte), use)


def _use(mention: Mention) -> Use:
    source = mention.draft.source
    return Use(source.path, mention.draft.id, mention.node, _call_of(mention))


def _call_of(mention: Mention) -> tree_sitter.Node | None:
    """The call of a name, or of the member that it names."""
    conventions = mention.draft.source.grammar.conventions
    node, around = mention.node, mention.node.parent
    if around is not None and around.type == conventions.attribute[0]:
        last = around.child_by_field_name(conventions.attribute[2])
        if last is not None and last.id == node.id:
            node, around = around, around.parent
    if around is None or around.type not in conventions.call:
        return None
    called = around.child_by_field_name(conventions.call[around.type])
    return around if called is not None and called.id == node.id else None
