"""What was forgotten: a counter, a return, an await, self, super().__init__(), an import, a default
that is made anew, the right exception; and what is too much: several statements, a guard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from mgdebug.model import SubfunctionKind
from mgdebug.proposers.search.moments import block_at
from mgdebug.proposers.search.offers import Offer, short
from mgdebug.proposers.search.sites import Scope, Site
from mgdebug.proposers.search.statements import LOOPS, exits, in_loop

CAUGHT = 10  # ways to leave after an exception
MOST_DELETED = 3  # neighbours that go together


def another_name(scope: Scope) -> Iterator[Offer]:
    """What is assigned to becomes another variable."""
    for site in scope.targets:
        for rank, name in enumerate(scope.variables):
            if name != site.text:
                matching = scope.compatible(name, site.types)
                cost = 4.2 + 0.15 * rank + (0 if matching else 2.5) + site.penalty
                note = f"`{site.text}` becomes `{name}`"
                yield Offer(cost, ((site.start, site.end, name),), note)


def several_deleted(scope: Scope) -> Iterator[Offer]:
    """Neighbours that go together, whole compound statements, and the `if` around statements."""
    source = scope.brief.source
    by_id = {site.node.id: site for site in scope.statements}
    for site in scope.statements:
        if not source.starts_line(site.start) or _holds_more(site.start, site.end, scope):
            continue
        if "compound" in site.roles:
            edit = (site.start, site.end, scope.words.spelling.filler)
            yield Offer(6.0 + site.penalty, (edit,), f"`{short(site.text)}` is dropped")
            yield from _unwrapped(site, scope)
            continue
        node, count = site.node.next_named_sibling, 1
        while node is not None and node.id in by_id and count < MOST_DELETED:
            count += 1
            if _holds_more(site.start, node.end_byte, scope):
                break
            edit = (site.start, node.end_byte, scope.words.spelling.filler)
            note = f"`{short(source.slice(site.start, node.end_byte))}` is dropped"
            yield Offer(5.2 + 0.6 * count + site.penalty, (edit,), note)
            node = node.next_named_sibling


def _holds_more(start: int, end: int, scope: Scope) -> bool:
    """Whether a stretch holds a comment, or another subfunction."""
    brief = scope.brief
    inner = (brief.hierarchy.subfunctions[c].span for c in brief.subfunction.children)
    comment = scope.words.spelling.comment in brief.source.slice(start, end)
    return comment or any(start <= span.start < end for span in inner)


def _unwrapped(site: Site, scope: Scope) -> Iterator[Offer]:
    """The body alone, without what stands around it."""
    body = site.node.child_by_field_name("consequence") or site.node.child_by_field_name("body")
    if body is None or site.node.child_by_field_name("alternative") is not None:
        return
    source = scope.brief.source
    outer, inner = source.indent(site.start), source.indent(body.start_byte)
    if not inner.startswith(outer) or inner == outer:
        return
    text = source.slice(body.start_byte, body.end_byte).replace("\n" + inner, "\n" + outer)
    head = short(source.slice(site.start, body.start_byte))
    yield Offer(6.0 + site.penalty, ((site.start, site.end, text),), f"`{head}` is dropped")


def counted(scope: Scope) -> Iterator[Offer]:
    """One more step of a number before or after a statement: n += 1, n -= 1, n += m."""
    numbers = [v for v in scope.variables if scope.types.get(v, frozenset()) & {"int", "float"}]
    texts = [t.format(name) for name in numbers for t in scope.words.steps]
    texts += [f"{a} += {b}" for a in numbers for b in numbers if a != b]
    for site in scope.statements:
        if not scope.brief.source.starts_line(site.start):
            continue
        line = scope.brief.source.newline + scope.brief.source.indent(site.start)
        waited = _waited_for(site, scope)
        steps = [t.format(name) for name in sorted(waited) for t in scope.words.steps]
        for rank, text in enumerate([*steps, *texts]):
            bits = (4.0 if rank < len(steps) else 6.8) + 0.1 * rank + site.penalty
            note = f"new: `{text}`"
            yield Offer(bits, ((site.start, site.start, text + line),), note)
            if site.node.type not in ("return_statement", "raise_statement"):
                yield Offer(bits, ((site.end, site.end, line + text),), note)


def _waited_for(site: Site, scope: Scope) -> set[str]:
    """Names that the condition of the innermost `while` reads and that its body never assigns."""
    at = site.node.parent
    while at is not None and at.type != "while_statement":
        at = at.parent
    condition = at.child_by_field_name("condition") if at is not None else None
    if at is None or condition is None:
        return set()
    assigned = {t.text for t in scope.targets if at.start_byte <= t.start < at.end_byte}
    read = set(re.findall(r"[A-Za-z_]\w*", scope.text(condition))) & set(scope.variables)
    return {name for name in read - assigned if scope.compatible(name, _NUMBERS)}


_NUMBERS = frozenset(("int", "float"))


def forgotten_word(scope: Scope) -> Iterator[Offer]:
    """return e for e, await e for e, self.x for x."""
    words, own = scope.words, scope.brief.subfunction
    for site in scope.statements:
        if site.node.type != "expression_statement" or "\n" in site.text:
            continue
        inner = site.node.named_children[:1]
        if inner and inner[0].type == "assignment":
            right = inner[0].child_by_field_name("right")
            if right is not None and site.node.next_named_sibling is None:
                line = scope.brief.source.newline + scope.brief.source.indent(site.start)
                left = inner[0].child_by_field_name("left")
                name = scope.text(left) if left is not None else ""
                text = f"{line}{words.give.format(name)}"
                note = f"new: `{words.give.format(name)}`"
                yield Offer(5.0 + site.penalty, ((site.end, site.end, text),), note)
        elif inner and "assignment" not in inner[0].type and inner[0].type != "yield":
            text = words.give.format(site.text)
            note = f"`{short(site.text)}` becomes `{short(text)}`"
            yield Offer(4.8 + site.penalty, ((site.start, site.end, text),), note)
    members = scope.members.get(words.itself, []) if words.itself in own.parameters else []
    sites = scope.brief.hierarchy.subfunctions.values()
    members = [
        *members,
        *(
            s.name
            for s in sites
            if words.itself in own.parameters
            and s.qualname.rpartition(".")[0] == own.qualname.rpartition(".")[0]
        ),
    ]
    for site in scope.expressions:
        if own.asynchronous and site.node.type == "call" and "awaited" not in site.roles:
            text = words.wait.format(site.text)
            offer = (site.start, site.end, text if site.needs == 0 else f"({text})")
            note = f"`{short(site.text)}` becomes `{short(text)}`"
            yield Offer(4.5 + site.penalty, (offer,), note)
        if site.node.type == "identifier" and site.text in members:
            text = f"{words.itself}.{site.text}"
            note = f"`{site.text}` becomes `{text}`"
            yield Offer(4.5 + site.penalty, ((site.start, site.end, text),), note)
    for site in scope.targets:
        if site.text in members:
            text = f"{words.itself}.{site.text}"
            note = f"`{site.text}` becomes `{text}`"
            yield Offer(4.5 + site.penalty, ((site.start, site.end, text),), note)


def forgotten_parent(scope: Scope) -> Iterator[Offer]:
    """super().__init__() at the start of a constructor."""
    own, source = scope.brief.subfunction, scope.brief.source
    if own.name != "__init__" or "super(" in source.slice(own.span.start, own.span.end):
        return
    for site in scope.statements[:1]:
        line = source.newline + source.indent(site.start)
        names = [name for name in own.parameters if name != scope.words.itself]
        for rank, given in enumerate(dict.fromkeys(["", ", ".join(names), *names])):
            text = f"super().__init__({given})"
            edit = (site.start, site.start, text + line)
            yield Offer(5.5 + 0.3 * rank + site.penalty, (edit,), f"new: `{text}`")


def forgotten_import(scope: Scope) -> Iterator[Offer]:
    """import x, where a module of the standard library is used that nothing imports."""
    source = scope.brief.source
    text = source.slice(0, len(source.text))
    used = {s.text for s in scope.expressions if s.node.type == "identifier"}
    own = {*scope.brief.subfunction.parameters, *(t.text for t in scope.targets)}
    for name in sorted(used):
        wanted = scope.words.importable(name)
        bound = re.search(rf"\bimport\b[^\n]*\b{re.escape(name)}\b", text)
        known = name in own or re.search(
            rf"^\s*(?:def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*=", text, re.MULTILINE
        )
        if not wanted or bound or known:
            continue
        for site in scope.statements[:1]:
            line = source.newline + source.indent(site.start)
            if source.starts_line(site.start):
                edit = (site.start, site.start, wanted + line)
                yield Offer(3.0, (edit,), f"new: `{wanted}`")


def another_exception(scope: Scope) -> Iterator[Offer]:
    """What an except or a raise names."""
    for node in scope.captures.get("handled", ()):
        site = next((s for s in scope.expressions if s.node.id == node.id), None)
        if site is None:
            continue
        for rank, other in enumerate(scope.words.exceptions):
            if other != site.text:
                note = f"`{site.text}` becomes `{other}`"
                edit = (site.start, site.end, other)
                yield Offer(4.8 + 0.1 * rank + site.penalty, (edit,), note)


def shared_default(scope: Scope) -> Iterator[Offer]:
    """def f(x=[]) becomes def f(x=None), and x is made anew."""
    source = scope.brief.source
    for node in scope.captures.get("mutable", ()):
        name = node.parent.child_by_field_name("name") if node.parent is not None else None
        if name is None or not scope.statements:
            continue
        first, text = scope.statements[0], scope.text(name)
        if not source.starts_line(first.start):
            continue
        indent = source.indent(first.start)
        guard = scope.words.guard.format(
            f"{text} is None",
            f"{text} = {scope.text(node)}",
            newline=source.newline,
            indent=indent + ("\t" if "\t" in indent else "    "),
        )
        edits = (
            (node.start_byte, node.end_byte, scope.words.nothing),
            (first.start, first.start, guard + source.newline + indent),
        )
        yield Offer(4.0, edits, f"`{text}` is made anew for each call")


def called_otherwise(scope: Scope) -> Iterator[Offer]:
    """A function becomes what the cases call it, where nothing has that name."""
    brief = scope.brief
    if brief.subfunction.kind is not SubfunctionKind.MODULE:
        return
    source = brief.source
    said = " ".join(failure.message for failure in brief.failures)
    wanted = dict.fromkeys(re.findall(scope.words.unknown, said))
    captures = source.grammar.captures("holes", source.tree.root_node)
    for sub in brief.hierarchy.subfunctions.values():
        if sub.path != source.path or sub.kind is not SubfunctionKind.FUNCTION:
            continue
        nodes = [
            node
            for node in (*captures.get("label", ()), *captures.get("function", ()))
            if scope.text(node) == sub.name
        ]
        for name in wanted:
            alike = SequenceMatcher(None, name, sub.name).ratio()
            edits = tuple((node.start_byte, node.end_byte, name) for node in nodes)
            if "." not in sub.qualname and edits:
                yield Offer(5.0 - 2 * alike, edits, f"`{sub.name}` becomes `{name}`")


def caught(scope: Scope) -> Iterator[Offer]:
    """What raised in a failing case is caught, and the function or the turn of a loop is left."""
    brief, source = scope.brief, scope.brief.source
    raised: dict[str, dict[str, None]] = {}
    for trace in brief.traces:
        for visit in () if trace.status.ok else trace.visits:
            if visit.raised is not None:
                raised.setdefault(visit.block, {})[visit.raised.type] = None
    for site in scope.statements:
        block = block_at(scope, site.start, site.end)
        kinds = raised.get(block.id, {}) if block is not None else {}
        single = "statement" in site.roles and "\n" not in site.text
        if not kinds or not single or not source.starts_line(site.start):
            continue
        outer = source.indent(site.start)
        indent = outer + ("\t" if "\t" in outer else "    ")
        ways = [way for way in exits(scope) if in_loop(site) or way not in LOOPS]
        named = [kind for kind in kinds if kind in scope.words.exceptions]
        for order, kind in enumerate([*named, "Exception"]):
            for rank, way in enumerate(ways[:CAUGHT]):
                text = scope.words.catch.format(
                    site.text, kind, way, newline=source.newline, outer=outer, indent=indent
                )
                note = f"`{short(site.text)}` may raise {kind}: `{way}`"
                cost = 7.0 + 0.5 * order + 0.2 * rank + site.penalty
                yield Offer(cost, ((site.start, site.end, text),), note)


ON_OMISSIONS = (
    caught,
    called_otherwise,
    another_name,
    several_deleted,
    counted,
    forgotten_word,
    forgotten_parent,
    forgotten_import,
    another_exception,
    shared_default,
)
