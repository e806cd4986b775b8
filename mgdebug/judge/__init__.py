"""Plausible patches -> minimised, grouped by behaviour, ranked, with the values that prove them.

A patch is plausible when all cases pass with it; which of several is right, no case can say.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from mgdebug import suspects
from mgdebug.errors import ProbeError
from mgdebug.forgery import flags
from mgdebug.judge import inputs
from mgdebug.judge.bound import is_bound
from mgdebug.judge.examples import Example, examples
from mgdebug.judge.questions import Behaviours, answered, question
from mgdebug.model import (
    Alternative,
    BlockKind,
    BlockVisit,
    Edit,
    Evidence,
    Hierarchy,
    Patch,
    Trace,
    Value,
    Verdict,
)
from mgdebug.runner import OutOfTime, Plan, Runner
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile, edits_between, unified_diff

__all__ = ["NOTHING", "Behaviours", "Bench", "answered", "examples", "is_bound", "question"]

MINIMISED = 4  # patches of several edits that are made smaller
LOOKED_AT = 6  # patches whose behaviour is traced
TRACED_CASES = 24
OBSERVED = 80  # patches whose behaviour on generated calls is observed
NOTHING = Behaviours()
CONSTANT = 40  # characters of a value that a patch may ask for
SPECIALISED_BITS = 2.5  # the penalty of a patch that asks for a case's own value
VOTE_BITS = 2.0  # for each time that the number of agreeing replies doubles
AGREEING_BITS = 6.0  # of a behaviour that a model and the search both came to
CONTRADICTING_BITS = 4.0  # of one that contradicts all examples of the docstrings
_PLAIN = {"0", "None", "True", "False", "''", '""', "[]", "()", "{}", "set()", "0.0"}
_COMPARED = re.compile(r"(?:==|!=)\s*([^\s:,)]+)")

Files = Mapping[str, SourceFile]


@dataclass(frozen=True, slots=True)
class Bench:
    """What patches are judged against: the original files, and the cases as they ran on them."""

    files: Files
    hierarchy: Hierarchy
    traces: tuple[Trace, ...]
    plan: Plan
    judges: tuple[str, ...] = ()  # paths of files that say what is right


def patched(files: Files, patch: Patch) -> dict[str, SourceFile]:
    """The files that a patch changes, as it leaves them."""
    return {path: files[path].splice(patch.edits) for path in {e.path for e in patch.edits}}


def diff(files: Files, patch: Patch) -> str:
    """The patch as a unified diff, one character a byte (see unified_diff)."""
    parts = [
        unified_diff(path, files[path].data, after.data)
        for path, after in sorted(patched(files, patch).items())
    ]
    return b"".join(parts).decode("latin-1")


def minimise(bench: Bench, patch: Patch, runner: Runner) -> Patch:
    """The patch without the edits that no case needs, found by dropping one at a time."""
    edits = list(patch.edits)
    at = 0
    while len(edits) > 1 and at < len(edits):
        fewer = replace(patch, edits=tuple(edits[:at] + edits[at + 1 :]))
        sources = {p: f.data for p, f in patched(bench.files, fewer).items()}
        verdict = runner.attempt([sources], bench.plan)[0]
        if is_plausible(verdict, bench.plan):
            del edits[at]
        else:
            at += 1
    left = (
        f", {len(edits)} of its {len(patch.edits)} edits" if len(edits) < len(patch.edits) else ""
    )
    return replace(patch, edits=tuple(edits), note=patch.note + left)


def minimised(
    bench: Bench, patches: Sequence[Patch], runner: Runner, *, composed: bool = False
) -> list[Patch]:
    """The likeliest of those that several changes make up without the edits that no case needs.
    One change in many places stays whole.  composed: whether each is made of accepted steps."""
    several = [p for p in patches if len(p.edits) > 1 and (composed or "+" in p.family)]
    several = sorted((p for p in several if not is_bound(p)), key=lambda p: p.cost)
    smaller = {patch: minimise(bench, patch, runner) for patch in several[:MINIMISED]}
    return list(dict.fromkeys(smaller.get(patch, patch) for patch in patches))


def flagged(bench: Bench, patch: Patch) -> tuple[str, ...]:
    """Why a patch may be a forgery, each in words (see forgery.flags)."""
    return flags(bench.files, patch, bench.judges)


def is_plausible(verdict: Verdict, plan: Plan) -> bool:
    """Whether all cases of a plan ran and passed."""
    return not verdict.failed and {*verdict.passed} >= {*plan.failing, *plan.passing}


def group(
    bench: Bench,
    patches: Sequence[Patch],
    runner: Runner,
    seconds: float,
    *,
    looked_at: bool = True,
    known: Behaviours = NOTHING,
) -> tuple[Alternative, ...]:
    """Alternatives, the likeliest first: by cost, then by the size of the change; those whose patch
    is flagged as a possible forgery come last.

    Patches that make the same edits are one group, and so are those whose subfunctions returned the
    same values in all traced cases; only the first LOOKED_AT are traced, and only while there are
    seconds left; each of the others is a group of its own.  looked_at: False where nothing was
    traced, so that nothing can be compared.  known: what calls give with each patch, which tells
    more than the cases do.
    """
    reads = [flagged(bench, patch) for patch in patches]
    special = constants(bench)
    votes = _votes(patches, known)
    ranked = sorted(
        zip(patches, reads, strict=True),
        key=lambda one: (
            bool(one[1]),
            _surprise(one[0], special, known) - votes.get(one[0], 0.0),
            _size(bench.files, one[0]),
            one[0].note,
        ),
    )
    groups: dict[object, list[Patch]] = {}
    alike: dict[frozenset[Edit], object] = {}  # the group of those that make just these edits
    proofs: dict[object, Evidence | None] = {}
    reasons: dict[object, tuple[str, ...]] = {}
    runner.deadline = time.monotonic() + seconds
    for index, (patch, found) in enumerate(ranked):
        edits = frozenset(patch.edits)
        key: object = known.key(patch)
        key = alike.get(edits) if key is None else key
        if key is not None and key in groups:
            groups[key].append(patch)
            continue
        if looked_at and index < LOOKED_AT and time.monotonic() < runner.deadline:
            behaviour, proof = _observe(bench, patch, runner)
            key = key if key is not None else behaviour or index
            proofs.setdefault(key, proof)
        key = index if key is None else key
        alike.setdefault(edits, key)
        groups.setdefault(key, []).append(patch)
        reasons.setdefault(key, found)
    return tuple(
        Alternative(
            tuple(members),
            diff(bench.files, members[0]),
            proofs.get(key),
            reasons[key],
            _reasons(members, reasons[key], len(groups), known, special),
        )
        for key, members in groups.items()
    )


def _votes(patches: Sequence[Patch], known: Behaviours) -> dict[Patch, float]:
    """Bits that speak for patches on which several replies of models agree, for they were drawn
    apart (self-consistency, Wang et al. 2023), and more for those on which a reply and the search
    agree, which know nothing of each other."""
    keys = {patch: known.key(patch) for patch in patches}
    drawn = Counter(keys[patch] for patch in patches if patch.drawn)
    found = {keys[patch] for patch in patches if not patch.drawn}
    return {
        patch: math.log2(drawn[key]) * VOTE_BITS + AGREEING_BITS * (key in found)
        for patch, key in keys.items()
        if key is not None and drawn[key]
    }


def _reasons(
    members: Sequence[Patch],
    reads: Sequence[str],
    groups: int,
    known: Behaviours,
    special: Collection[str],
) -> tuple[str, ...]:
    """What speaks for a group and against it, in words."""
    first = members[0]
    found = [f"{first.cost:.1f} bits of surprise: {_places(first)}"]
    if len(members) > 1:
        found.append(f"{len(members)} patches do the same")
    changed, calls = _changed(first, known)
    if calls and groups > 1:
        found.append(f"it changes {changed} of {calls} calls like those of the cases")
    agreed, told = known.agreement(first)
    if told:
        found.append(f"it gives what the docstrings say in {agreed} of {told} examples")
    if _specialised(first, special):
        found.append("it asks for a value that one of the cases happens to use")
    if reads:
        found.append("flagged: it may pass the cases without mending anything")
    return tuple(found)


def constants(bench: Bench) -> frozenset[str]:
    """Values that cases which fail hand over; a patch that asks for one may know that case alone.
    Those that any guard may ask for are none of them."""
    found = {
        value.text
        for trace in bench.traces
        if not trace.status.ok
        for call in trace.calls
        if not call.caller
        for value in call.arguments.values()
        if not value.truncated and len(value.text) <= CONSTANT
    }
    return frozenset(found - _PLAIN)


def _specialised(patch: Patch, special: Collection[str]) -> bool:
    compared = (text.strip(" ()") for e in patch.edits for text in _COMPARED.findall(e.text))
    return any(text in special for text in compared)


def _surprise(patch: Patch, special: Collection[str], known: Behaviours) -> float:
    """Bits: the cost of a patch, what it knows of the cases, and which examples it contradicts."""
    agreed, told = known.agreement(patch)
    against = CONTRADICTING_BITS * (told - agreed) / told if told else 0.0
    return patch.cost + against + (SPECIALISED_BITS if _specialised(patch, special) else 0.0)


def _changed(patch: Patch, known: Behaviours) -> tuple[int, int]:
    """How many of the observed calls give something else with a patch, and of how many."""
    row = known.seen.get(patch)
    pairs = [(a, b) for a, b in zip(known.before, row or (), strict=False) if a and b]
    return sum(a.key != b.key for a, b in pairs), len(pairs)


def _places(patch: Patch) -> str:
    return "one place" if len(patch.edits) == 1 else f"{len(patch.edits)} places"


def observed(
    bench: Bench, patches: Sequence[Patch], runner: Runner, seconds: float, seed: int = 0
) -> Behaviours:
    """What calls give without a patch and with each, as far as no new import is needed for it, and
    as the seconds allow.  Of the file that most patches change, and those that change it alone."""
    each = {patch: {edit.path for edit in patch.edits} for patch in patches}
    known = Counter(path for paths in each.values() if len(paths) == 1 for path in paths)
    if not known:
        return NOTHING
    path = known.most_common(1)[0][0]
    patches = [patch for patch in patches if each[patch] == {path}]
    source = bench.files[path]
    documented = examples(source, bench.hierarchy)
    calls = inputs.calls(source, bench.hierarchy, bench.traces, seed)
    said = [example.call for example in documented]
    calls = [*said, *(call for call in calls if call not in said)]
    if not calls:
        return NOTHING
    chosen = sorted(patches, key=lambda patch: patch.cost)[:OBSERVED]
    tries = [{p: f.data for p, f in patched(bench.files, patch).items()} for patch in chosen]
    runner.deadline = time.monotonic() + seconds
    try:
        before, *rows = runner.observe(path, calls, [{}, *tries])
    except ProbeError:
        return NOTHING
    told = {patch: row for patch, row in zip(chosen, rows, strict=True) if row is not None}
    return Behaviours(path, calls, before or [None] * len(calls), told, documented)


def contradicts(files: Files, patch: Patch, documented: Sequence[Example], runner: Runner) -> bool:
    """Whether a patch of one file gives something else than its docstrings say."""
    [path] = {edit.path for edit in patch.edits}
    sources = {p: f.data for p, f in patched(files, patch).items()}
    [row] = runner.observe(path, [example.call for example in documented], [sources])
    pairs = zip(documented, row or (), strict=False)
    return any(seen is not None and not example.agrees(seen) for example, seen in pairs)


def _size(files: Files, patch: Patch) -> int:
    return sum(abs(e.end - e.start) + len(e.text) for e in patch.edits)


def _observe(
    bench: Bench, patch: Patch, runner: Runner
) -> tuple[tuple[object, ...], Evidence | None]:
    after = patched(bench.files, patch)
    hierarchy = decompose([after.get(path, source) for path, source in bench.files.items()])
    owner = bench.hierarchy.subfunctions.get(patch.subfunction)
    reached = suspects.reaching(owner, bench.traces) if owner else set()
    telling = [c for c in (*bench.plan.failing, *bench.plan.passing) if c in reached]
    wanted = set(telling[:TRACED_CASES])
    cases = [case for case in bench.plan.order if case in wanted]
    try:
        traces, _, _ = runner.trace(
            hierarchy, cases, cases, {path: f.data for path, f in after.items()}
        )
    except (ProbeError, OutOfTime):
        return (), None
    behaviour = tuple((t.case, _returned(t, patch, hierarchy)) for t in traces)
    return behaviour, _evidence(bench, patch, hierarchy, {t.case: t for t in traces})


def _returned(trace: Trace, patch: Patch, hierarchy: Hierarchy) -> tuple[Value, ...]:
    """What the patched subfunction returned in a case, call by call."""
    owner = hierarchy.subfunctions.get(patch.subfunction)
    own = {b.id for b in owner.blocks if b.kind is BlockKind.RUN} if owner else set()
    return tuple(v.result for v in trace.visits if v.block in own and v.result is not None)


def _evidence(
    bench: Bench, patch: Patch, hierarchy: Hierarchy, after: Mapping[str, Trace]
) -> Evidence | None:
    """The first value in which the failing run and the patched run part, in the shortest case."""
    pairs = [
        (before, after[before.case])
        for before in bench.traces
        if not before.status.ok and before.visits and before.case in after
    ]
    owner = bench.hierarchy.subfunctions.get(patch.subfunction)
    if owner is None:
        return None
    own = {b.id for b in owner.blocks}
    source = bench.files[owner.path]
    patched_owner = hierarchy.subfunctions.get(patch.subfunction)
    after_source = patched(bench.files, patch).get(owner.path, source)
    numbered = patched_owner is not None and len(patched_owner.blocks) == len(owner.blocks)
    for before, now in sorted(pairs, key=lambda pair: len(pair[0].visits)):
        mine = [v for v in before.visits if v.block in own]
        theirs = [v for v in now.visits if v.block in own]
        for one, two in zip(mine, theirs, strict=False):
            # Where the patch has made or dropped blocks, numbers say nothing: texts do.
            texts = [_text_of(one, bench.hierarchy, source), _text_of(two, hierarchy, after_source)]
            if not numbered and texts[0] != texts[1]:
                break
            parted = _parted(one, two, bench.hierarchy, source)
            if parted:
                name, line, was, is_now = parted
                return Evidence(before.case, line, name, was, is_now)
            if one.block != two.block:
                break
    return None


def _text_of(visit: BlockVisit, hierarchy: Hierarchy, source: SourceFile) -> str:
    block = hierarchy.block(visit.block)
    return source.slice(block.span.start, block.span.end).strip() if block is not None else ""


def _parted(
    one: BlockVisit, two: BlockVisit, hierarchy: Hierarchy, source: SourceFile
) -> tuple[str, int, Value | None, Value | None] | None:
    block = hierarchy.block(one.block)
    if block is None or one.block != two.block:
        return None
    if one.result != two.result:
        if block.kind is BlockKind.RUN:
            return "the result", block.span.last_line, one.result, two.result
        text = source.slice(block.span.start, block.span.end)
        return f"`{' '.join(text.split())[:60]}`", block.span.first_line, one.result, two.result
    for name in two.after:
        if one.left and one.after.get(name) != two.after[name]:
            return f"`{name}`", block.span.last_line, one.after.get(name), two.after[name]
    return None


def joined(files: Files, now: Files, first: Patch, then: Patch) -> Patch:
    """A patch and another one on top of it, as one.  now: the files with the first in them."""
    return replace(compose(files, now, then, [first]), drawn=then.drawn)


def compose(files: Files, now: Files, last: Patch | None, steps: Sequence[Patch]) -> Patch:
    """Accepted steps and a last patch, if any, as one patch of the original files.  now: the files
    with the steps in them."""
    parts = [*steps, last] if last else [*steps]
    final = {**now, **patched(now, last)} if last else dict(now)
    edits: tuple[Edit, ...] = ()
    for path, source in sorted(final.items()):
        if source.text != files[path].text:
            edits += edits_between(path, files[path].text, source.text)
    note = "; ".join(dict.fromkeys(part.note for part in parts))
    owner = parts[-1].subfunction if parts else ""
    proposers = dict.fromkeys(part.proposer for part in parts)
    families = [part.family for part in parts if part.family]
    cost = sum(part.cost for part in parts)
    return Patch(edits, "+".join(proposers), note, owner, cost, "+".join(families))
