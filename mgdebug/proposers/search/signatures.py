"""Plans for a function and its callers, in whatever files they are: all of the edits, or none.

Where a call does not fit what it calls, either the one or all of the others are out of date: an
argument is named otherwise, missing, too many, or in another's place.  So is a name that nothing
has (renames).
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from mgdebug.model import Edit, Patch
from mgdebug.proposers import Brief
from mgdebug.proposers.search.callers import Callers, Known, has_signature, refusals
from mgdebug.proposers.search.parameters import Form, Given, Parameter, add, drop, swap
from mgdebug.proposers.search.renames import renames
from mgdebug.syntax.hierarchy import MODULE

EACH_CALL = 0.4  # bits for each further call that has to change
LITERALS = 8  # values that are tried for what nobody gives
CALLED = 12  # subfunctions whose calls are looked at where one of them is a suspect
UNSHOWN_FILES = 16  # that callers may stand in where no message speaks for a plan
SWAPS, SWAPPED = 4, 16  # pairs of one subfunction, plans of one suspect: half of them are imports
CROSSED, ODD = 3.7, 7.0  # bits where calls name their arguments the other way around, and where not


class Signatures:
    """The plans of one repair."""

    def __init__(self) -> None:
        self._known = Known()

    def shown(self, brief: Brief) -> list[Patch]:
        """Plans for calls that failing cases show not to fit, the likeliest first."""
        found = list(renames(brief, self._known))
        for refusal in refusals(brief):
            callers = self._known.callers(brief, refusal.target)
            if callers is None:
                continue
            if refusal.kind == "keyword":
                found += _other_name(callers, refusal.names[0])
            elif refusal.kind == "missing":
                found += _missing(callers, refusal.names)
            else:
                found += _surplus(callers)
        return sorted(dict.fromkeys(found), key=_order)

    def swapped(self, brief: Brief) -> list[Patch]:
        """Two parameters of the brief's subfunction in each other's place, or two arguments in all
        calls of it, or of what it calls itself, the likeliest first: no message tells of those."""
        own, known = brief.subfunction, brief.hierarchy.subfunctions
        found: list[Patch] = []
        for sub in (own, *(known[name] for name in own.calls[:CALLED] if name in known)):
            wide = has_signature(sub) and len(sub.parameters) > 1
            callers = self._known.callers(brief, sub.id, UNSHOWN_FILES) if wide else None
            if callers is not None:
                found += _swapped(callers)
        return sorted(dict.fromkeys(found), key=_order)[:SWAPPED]


def _order(patch: Patch) -> tuple[float, str]:
    return patch.cost, patch.note


def _further(calls: tuple[Given, ...]) -> float:
    return EACH_CALL * max(0, len(calls) - 1)


# ------------------------------------------------------------------------- arguments by name


def _other_name(callers: Callers, name: str) -> Iterator[Patch]:
    """Calls name an argument that the function does not know."""
    signature = callers.signature
    calls = tuple(c for c in (*callers.calls, *callers.maybe) if name in c.named)
    taken = {known for call in calls for known in call.bound(signature)}
    free = [p for p in signature.all if p.form in (Form.EITHER, Form.NAMED)]
    free = [p for p in free if p.name not in taken]
    free.sort(key=lambda p: p.default)  # what has to be given, first
    for rank, parameter in enumerate(free):
        alike = SequenceMatcher(None, name, parameter.name).ratio()
        cost = 3.2 - alike + 0.6 * rank
        yield from _renamed(callers, parameter, name, cost)
        edits = [call.renamed(name, parameter.name) for call in calls]
        note = f"`{name}` becomes `{parameter.name}` in {callers.in_words(calls)}"
        yield from callers.plan(cost + 0.1 + _further(calls), edits, note, "argument_renamed")
    note = f"`{name}` is dropped from {callers.in_words(calls)}"
    edits = [call.without(call.named[name]) for call in calls]
    yield from callers.plan(5.0 + _further(calls), edits, note, "argument_dropped")
    yield from _taken(callers, name, len(signature.placed), calls)


def _renamed(callers: Callers, parameter: Parameter, new: str, cost: float) -> Iterator[Patch]:
    """A parameter gets the name that calls give it; so does it in the body, and in those calls that
    give it the old one."""
    signature, old = callers.signature, parameter.name
    nodes = {node.start_byte: signature.text(node) for node in signature.body_names()}
    own = [start for start, text in nodes.items() if text == old]
    known = new in nodes.values()
    clashes = known and (bool(own) or any(new in b.writes for b in signature.sub.blocks))
    taken = new in signature.sub.parameters or signature.binds_inside(new)
    if clashes or taken or signature.binds_inside(old):
        return
    path, size = signature.sub.path, len(old.encode())
    labels = [parameter.label.start_byte, *own]
    edits: list[Edit | None] = [Edit(path, start, start + size, new) for start in labels]
    calls = tuple(call for call in (*callers.calls, *callers.maybe) if old in call.named)
    edits += [call.renamed(old, new) for call in calls]
    also = f", and in {callers.in_words(calls)}" if calls else ""
    note = f"the parameter `{old}` becomes `{new}`{also}"
    yield from callers.plan(cost + EACH_CALL * len(calls), edits, note, "parameter_renamed")


def _taken(callers: Callers, name: str, at: int, calls: tuple[Given, ...]) -> Iterator[Patch]:
    """A parameter that calls give and the body reads, but that the function does not have."""
    signature = callers.signature
    reads = {signature.text(node) for node in signature.body_names()}
    bound = {w for block in signature.sub.blocks for w in block.writes}
    if name not in reads - bound or name in signature.sub.parameters or not calls:
        return
    every = set(map(id, calls)) >= set(map(id, callers.calls))
    before = signature.placed[:at]
    if signature.is_open or (every and any(p.default for p in before)):
        return
    nothing = callers.brief.language.vocabulary().nothing
    text = name if every else f"{name}={nothing}"
    note = f"new parameter `{text}`"
    yield from callers.plan(2.5, [add(signature, text, at)], note, "parameter_added")


# ------------------------------------------------------------------------- arguments by place


def _missing(callers: Callers, names: tuple[str, ...]) -> Iterator[Patch]:
    """Calls leave out what the function wants."""
    signature = callers.signature
    wanted = [p for p in signature.all if p.name in names]
    needed = {p.name for p in signature.all if not p.default and p.form is not Form.REST}

    def lacks(call: Given) -> bool:
        return not call.is_open and not needed <= call.bound(signature).keys()

    calls = tuple(call for call in callers.calls if lacks(call))
    if len(wanted) == 1:
        yield from _with_default(callers, wanted[0])
        yield from _without(callers, wanted[0])
    for at, parameter in enumerate((*signature.placed, *(p for p in wanted if _is_named(p)))):
        if not calls or (parameter not in wanted and parameter.default):
            continue
        cost = 2.8 + 0.5 * (parameter not in wanted) + _further(calls)
        known = [callers.names_for(call, parameter.name) for call in calls]
        texts = [names[0] if names == [parameter.name] else "" for names in known]
        note = f"new argument for `{parameter.name}` in {callers.in_words(calls)}"
        if all(texts):
            pairs = zip(calls, texts, strict=True)
            edits = [_given(call, parameter, at, text) for call, text in pairs]
            yield from callers.plan(cost, edits, note, "argument_added")
            continue
        for number in range(max(map(len, known)) if all(known) else 0):
            near = [names[min(number, len(names) - 1)] for names in known]
            pairs = zip(calls, near, strict=True)
            edits = [_given(call, parameter, at, text) for call, text in pairs]
            told = f"{note}: `{near[0]}`"
            yield from callers.plan(cost + 0.6 + 0.3 * number, edits, told, "argument_added")
        if len(wanted) == 1 and parameter in wanted:
            for rank, literal in enumerate(_literals(callers, parameter)):
                pairs = zip(calls, texts, strict=True)
                edits = [_given(call, parameter, at, text or literal) for call, text in pairs]
                dearer = cost + 2.0 + 0.3 * rank
                told = f"{note}: `{literal}`"
                yield from callers.plan(dearer, edits, told, "argument_added")


def _is_named(parameter: Parameter) -> bool:
    return parameter.form is Form.NAMED


def _given(call: Given, parameter: Parameter, at: int, text: str) -> Edit | None:
    """One more argument: by its place where all before it have theirs, else by its name."""
    unbound = len(call.all) - len(call.named) - len(call.placed)  # Class.method(object, ...)
    behind = at > len(call.placed) or (at == len(call.placed) and bool(call.named))
    if parameter.form is Form.NAMED or behind:
        named = f"{parameter.name}={text}"
        return call.added(named, len(call.all)) if parameter.form is not Form.PLACED else None
    return call.added(text, at + unbound)


def _with_default(callers: Callers, parameter: Parameter) -> Iterator[Patch]:
    """What calls leave out gets a default."""
    signature = callers.signature
    behind = signature.placed
    behind = behind[behind.index(parameter) + 1 :] if parameter in behind else []
    if not all(p.default for p in behind):
        return
    end = parameter.node.end_byte
    equals = " = " if parameter.node.type == "typed_parameter" else "="
    for rank, literal in enumerate(_literals(callers, parameter)):
        edits: list[Edit | None] = [Edit(signature.sub.path, end, end, f"{equals}{literal}")]
        note = f"`{parameter.name}` is `{literal}` where nothing is given"
        yield from callers.plan(4.2 + 0.3 * rank, edits, note, "parameter_with_default")


def _without(callers: Callers, parameter: Parameter) -> Iterator[Patch]:
    """A parameter goes that nobody gives and nothing reads."""
    signature = callers.signature
    read = any(signature.text(node) == parameter.name for node in signature.body_names())
    if not read and not any(parameter.name in c.bound(signature) for c in callers.calls):
        edits: list[Edit | None] = [drop(signature, parameter)]
        note = f"the parameter `{parameter.name}` is dropped"
        yield from callers.plan(3.6, edits, note, "parameter_dropped")


def _literals(callers: Callers, parameter: Parameter) -> list[str]:
    """What other calls give a parameter, then what is usual for its type."""
    signature, words = callers.signature, callers.brief.language.vocabulary()
    given: dict[str, None] = {}
    for call in callers.calls:
        node = call.bound(signature).get(parameter.name)
        value = node.child_by_field_name("value") if node and "keyword" in node.type else node
        if value is not None and value.type in words.node_types and not value.named_children:
            given[call.value(value)] = None
    seen = {
        value.type
        for trace in callers.brief.traces
        for made in trace.calls
        if made.subfunction == signature.sub.id
        for name, value in made.arguments.items()
        if name == parameter.name
    }
    kinds = [*sorted(seen), "NoneType", "int", "bool", "str", "list"]
    usual = [text for kind in kinds for text in words.literals.get(kind, ())[:2]]
    return list(dict.fromkeys([*given, *usual]))[:LITERALS]


def _surplus(callers: Callers) -> Iterator[Patch]:
    """Calls give more than the function takes."""
    signature = callers.signature
    most = len(signature.placed)
    calls = tuple(c for c in callers.calls if not c.is_open and len(c.placed) > most)
    if not calls or signature.is_open:
        return
    if all(len(call.placed) == most + 1 for call in calls):
        for rank, at in enumerate(range(most, -1, -1)):
            edits: list[Edit | None] = [call.without(call.placed[at]) for call in calls]
            dropped = " and ".join(dict.fromkeys(f"`{c.value(c.placed[at])}`" for c in calls[:2]))
            note = f"{dropped} dropped from {callers.in_words(calls)}"
            cost = 4.0 + 0.4 * rank + _further(calls)
            yield from callers.plan(cost, edits, note, "argument_dropped")
        for name in dict.fromkeys(signature.text(node) for node in signature.body_names()):
            if name not in _known_to_module(callers):
                for at in range(most, -1, -1):
                    yield from _taken(callers, name, at, calls)


def _known_to_module(callers: Callers) -> set[str]:
    """What names of a body may stand for without being parameters: the module's own, and those that
    are called."""
    own = callers.signature.sub
    known = callers.brief.hierarchy.subfunctions
    module = known[f"{own.path}::{MODULE}"]
    called = {known[name].name for name in own.calls if name in known}
    names = {name for block in module.blocks for name in block.writes}
    return {*names, *called, *own.unknown, *(known[c].name for c in module.children if c in known)}


# -------------------------------------------------------------------------------- the order


def _swapped(callers: Callers) -> Iterator[Patch]:
    signature = callers.signature
    placed, own = signature.placed, callers.brief.subfunction.id
    pairs = [(i, j) for i in range(len(placed)) for j in range(i + 1, len(placed))]
    for i, j in sorted(pairs, key=lambda pair: (pair[1] - pair[0], pair))[:SWAPS]:
        one, two = placed[i], placed[j]
        told = tuple(c for c in callers.calls if len(c.placed) > j)
        crossed = 2 * sum(_is_crossed(call, one, two, i, j) for call in told) > len(told)
        cost = (CROSSED if crossed else ODD) + 0.3 * (j - i - 1)
        alike = one.default is two.default and one.form is two.form
        if told and alike and signature.sub.id == own:
            note = f"the parameters `{one.name}` and `{two.name}` change places"
            edits: list[Edit | None] = [swap(signature, one, two)]
            yield from callers.plan(cost, edits, note, "parameters_swapped")
        if len(told) > 1:  # one call alone is changed as any expression is
            note = f"the arguments for `{one.name}` and `{two.name}` change places in"
            edits = [call.swapped(call.placed[i], call.placed[j]) for call in told]
            words = f"{note} {callers.in_words(told)}"
            yield from callers.plan(cost + _further(told), edits, words, "arguments_swapped")


def _is_crossed(call: Given, one: Parameter, two: Parameter, i: int, j: int) -> bool:
    """Whether one of the arguments is named as the other's parameter."""
    first, second = call.value(call.placed[i]), call.value(call.placed[j])
    return first == two.name or second == one.name
