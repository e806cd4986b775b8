"""Who calls a function, in all files, and which calls a failing case shows not to fit it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mgdebug.model import Edit, Hierarchy, Patch, Subfunction, SubfunctionKind
from mgdebug.proposers import Brief
from mgdebug.proposers.search.parameters import Given, Signature, overlap
from mgdebug.syntax.hierarchy import MODULE
from mgdebug.syntax.uses import Uses

FAMILY = "signature"  # the first word of the families of plans: their edits belong together
MOST_FILES = 100  # beyond, nobody would read the patch


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that a function did not take.  kind: as in Vocabulary.refusals; names: of arguments
    that it does not know, or of parameters that got none."""

    kind: str
    target: str
    names: tuple[str, ...]


def refusals(brief: Brief) -> list[Refusal]:
    """What the failures of the brief's cases say of its subfunction, and of those that it calls or,
    as a module, holds."""
    said = "\n".join(messages(brief))
    found: dict[Refusal, None] = {}
    for kind, pattern in brief.language.vocabulary().refusals.items():
        for name, words in re.findall(pattern, said):
            names = tuple(re.findall(r"\w+", words.replace(" and ", " ")))
            for target in _named(brief, name.replace("<locals>.", "")):
                found[Refusal(kind, target, names)] = None
    return list(found)


def messages(brief: Brief) -> Iterator[str]:
    """Of the failing ones among its cases."""
    reaching = {case.id for case in brief.cases}
    for failure in brief.failures:
        if failure.case in reaching:
            yield failure.message


def _named(brief: Brief, name: str) -> Iterator[str]:
    own = brief.subfunction
    last = name.rpartition(".")[2]
    for sub in brief.hierarchy.subfunctions.values():
        if sub.name != last or not has_signature(sub) or not sub.qualname.endswith(name):
            continue
        near = sub.id == own.id or sub.id in own.calls or last in own.unknown
        if near or (own.kind is SubfunctionKind.MODULE and own.path == sub.path):
            yield sub.id


def has_signature(sub: Subfunction) -> bool:
    return sub.kind in (SubfunctionKind.FUNCTION, SubfunctionKind.METHOD)


@dataclass(frozen=True, slots=True)
class Callers:
    """A function and the calls of it.  maybe: calls of a method of its name on objects that nobody
    knows, where other things have that method too."""

    brief: Brief
    signature: Signature
    calls: tuple[Given, ...]
    maybe: tuple[Given, ...]

    def plan(
        self, cost: float, edits: Sequence[Edit | None], note: str, kind: str
    ) -> Iterator[Patch]:
        """See planned()."""
        return planned(self.brief, self.signature.sub, cost, edits, note, kind)

    def in_words(self, calls: tuple[Given, ...]) -> str:
        """Where calls are, for a note."""
        paths = list(dict.fromkeys(call.use.path for call in calls))
        count = "its call" if len(calls) == 1 else f"{len(calls)} calls of it"
        return f"{count} in {', '.join(paths[:3])}" + (" ..." if len(paths) > 3 else "")

    def scope(self, call: Given) -> set[str]:
        """Names that are bound where a call stands, but for those of its module."""
        node = call.use.node
        own = _around(self.brief, call.use.path, node.start_byte, node.end_byte)
        around = [sub for sub in own if sub.kind.called] or own
        names = {name for sub in around for name in sub.parameters}
        return names.union(*(block.writes for sub in around for block in sub.blocks))

    def names_for(self, call: Given, parameter: str) -> list[str]:
        """What stands for a parameter where a call is: its own name, else those of the module too
        that it is a part of."""
        bound = self.scope(call)
        if parameter in bound:
            return [parameter]
        module = self.brief.hierarchy.subfunctions[f"{call.use.path}::{MODULE}"]
        known = {*bound, *(name for block in module.blocks for name in block.writes)}
        return sorted(name for name in known if parameter.lower() in name.lower().split("_"))


def planned(
    brief: Brief, sub: Subfunction, cost: float, edits: Sequence[Edit | None], note: str, kind: str
) -> Iterator[Patch]:
    """All of the edits as one patch, or nothing: where one of them cannot be made, or is of what
    may not be changed.  sub: what the plan is about."""
    made = [edit for edit in edits if edit is not None]
    owners = {e: _around(brief, e.path, e.start, e.end)[-1].id for e in made}
    may = all(owner in brief.allowed for owner in owners.values())
    if not made or len(made) < len(edits) or not may or overlap(made):
        return
    made.sort(key=lambda e: (e.path, e.start, e.end))
    first = next((edit for edit in made if owners[edit] == sub.id), made[0])
    where = f"{first.path}:{brief.files[first.path].line_of(first.start)}, {sub.qualname}"
    own, family = brief.subfunction.id, f"{FAMILY} {kind}"
    yield Patch(tuple(made), "search", f"{where}: {note}", own, round(cost, 3), family)


def _around(brief: Brief, path: str, start: int, end: int) -> list[Subfunction]:
    """The subfunctions that a stretch stands in, from its module to the innermost."""
    known = brief.hierarchy.subfunctions
    found = [known[f"{path}::{MODULE}"]]
    while True:
        inside = (known[name] for name in found[-1].children if name in known)
        at = next((s for s in inside if s.whole.start <= start and end <= s.whole.end), None)
        if at is None:
            return found
        found.append(at)


class Known:
    """Who calls what, found once for a hierarchy."""

    def __init__(self) -> None:
        self._hierarchy: Hierarchy | None = None
        self._uses = Uses({})
        self._calling: dict[str, set[str]] = {}  # by the id of what is called, who calls it
        self._asking: dict[str, set[str]] = {}  # by a name that does not resolve, the files
        self._named: Counter[str] = Counter()  # how many have a name

    def uses(self, brief: Brief) -> Uses:
        if self._hierarchy is not brief.hierarchy:
            self._hierarchy, self._uses = brief.hierarchy, Uses(brief.files)
            self._calling, self._asking = defaultdict(set), defaultdict(set)
            known = brief.hierarchy.subfunctions.values()
            self._named = Counter(sub.name for sub in known)
            for sub in known:
                for name in sub.calls:
                    self._calling[name].add(sub.id)
                for name in sub.unknown:
                    self._asking[name].add(sub.path)
        return self._uses

    def callers(self, brief: Brief, target: str, most: int = MOST_FILES) -> Callers | None:
        """None where it has no signature, where some of those that call it are not found again, and
        where they may stand in more files than that."""
        known, at = brief.hierarchy.subfunctions, brief.files
        sub = known[target]
        source = at.get(sub.path)
        parses = source is not None and not source.tree.root_node.has_error
        signature = Signature.of(source, sub) if source is not None and parses else None
        if signature is None or not has_signature(sub):
            return None
        uses = self.uses(brief)
        calling = self._calling.get(target, set())
        paths = {sub.path, *(known[name].path for name in calling)}
        asking = self._asking.get(sub.name, set()) if signature.holder else set()
        if len(paths | asking) > most or not at.keys() >= paths | asking:
            return None
        found = uses.of(target, sorted(paths | asking))
        calls = [Given.of(use, at[use.path], signature) for use in found if use.call]
        sure = [call for call in calls if call is not None]
        if len(sure) < len(calls) or not calling <= {use.owner for use in found}:
            return None
        lost = uses.lost(sub.name, sorted(asking)) if signature.holder else []
        made = (Given.of(use, at[use.path], signature) for use in lost if use.call)
        maybe = tuple(call for call in made if call is not None)
        shared = sub.name in brief.language.vocabulary().members  # with the language's own types
        if self._named[sub.name] > 1 or shared:
            return Callers(brief, signature, tuple(sure), maybe)
        both = sorted((*sure, *maybe), key=lambda c: (c.use.path, c.use.node.start_byte))
        return Callers(brief, signature, tuple(both), ())
