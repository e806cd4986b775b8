"""What a model is told: the prompts of a strategy, filled within a budget of tokens.

A strategy is a file in prompts/ with the parts "system", "first" and "again".
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

from mgdebug import divergence, states
from mgdebug.model import Failure, Hierarchy, Trace, Verdict
from mgdebug.proposers import Brief
from mgdebug.proposers.llm.libraries import signatures
from mgdebug.proposers.llm.masking import masked
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

STATE_TOKENS, AGAIN_TOKENS = 500, 400  # of states in the first turn, and in a later one
CASES, CASE_CHARACTERS = 3, 600  # failing cases that are shown, and how much of each
PAIRS, PAIR_CHARACTERS = 5, 200  # calls of passing cases
CONTEXT_LINES = 12  # of imports, constants and callers


@cache
def parts(strategy: str) -> Mapping[str, str]:
    """The parts of a strategy's file by their names."""
    text = (Path(__file__).with_name("prompts") / f"{strategy}.md").read_text("utf-8")
    pieces = re.split(r"^# (\w+)\n", text, flags=re.M)
    return {
        name: body.strip() + "\n" for name, body in zip(pieces[1::2], pieces[2::2], strict=True)
    }


def filled(part: str, values: Mapping[str, Callable[[], str]]) -> str:
    """A part with its {places}, of which no other is worked out; nothing in a value is taken for a
    place.  Secrets are masked."""
    none = str  # of a place that nobody fills
    text = re.sub(r"\{(\w+)\}", lambda match: values.get(match.group(1), none)(), part)
    return masked(re.sub(r"\n{3,}", "\n\n", text))


class Teller:
    """Writes the messages on one subfunction."""

    def __init__(self, brief: Brief, strategy: str, learnt: Sequence[str] = ()) -> None:
        self._brief, self._parts = brief, parts(strategy)
        self._learnt = learnt
        own = brief.subfunction
        self._code = textwrap.dedent(
            brief.source.indent(own.whole.start)
            + brief.source.slice(own.whole.start, own.whole.end)
        )

    @cached_property
    def _context(self) -> str:
        return _section(_context(self._brief))

    def system(self) -> str:
        return filled(self._parts["system"], {})

    def code(self) -> str:
        """The subfunction, in a block of code."""
        name = self._brief.subfunction.qualname
        return f"The function `{name}`:\n\n```python\n{self._code.rstrip()}\n```"

    def split(self) -> str:
        """What asks for small functions in place of the subfunction."""
        values = {
            "name": lambda: self._brief.subfunction.qualname,
            "code": self._code.rstrip,
            "context": lambda: self._context,
        }
        return filled(self._parts["first"], values)

    def first(
        self, failures: Sequence[Failure], extra: Sequence[str] = (), *, again: bool = False
    ) -> str:
        """failures: of the cases that reach the subfunction.  extra: what it is expected to do.
        again: without states, because those of a later version follow."""
        brief = self._brief
        traces = () if again else brief.traces
        return filled(
            self._parts["first"],
            {
                "name": lambda: brief.subfunction.qualname,
                "code": self._code.rstrip,
                "context": lambda: self._context,
                "expected": lambda: _section([*pairs(brief), *extra], "In passing cases:"),
                "failures": lambda: _section(_told(failures), "Failing cases:"),
                "states": lambda: self._states(traces, brief.hierarchy, brief.source, STATE_TOKENS),
                "learnt": lambda: _section(self._learnt),
            },
        )

    def again(
        self,
        verdict: Verdict,
        failures: Sequence[Failure],
        traced: Sequence[tuple[Trace, str]],
        source: SourceFile,
        agreement: str = "",
    ) -> str:
        """After a try.  traced: what failing cases did with it, and how they ended."""
        lines = []
        gained = len({f.case for f in failures} & set(verdict.passed))
        if verdict.reason:
            lines.append(f"It could not be tried: {verdict.reason}.")
        elif gained:
            lines.append(f"{gained} of {len(failures)} failing cases pass now.")
        else:
            lines.append("It still fails.")
        passing = {case.id for case in self._brief.cases} - {f.case for f in failures}
        broken = sorted(passing & set(verdict.failed))
        lines += [f"It breaks {case}." for case in broken[:CASES]]
        lines += [f"{trace.case}: {message}" for trace, message in traced[:CASES] if message]
        states_ = ""
        if traced:
            hierarchy = decompose([source])
            states_ = self._states([t for t, _ in traced], hierarchy, source, AGAIN_TOKENS)
        values = {
            "verdict": lambda: _section(lines),
            "states": lambda: states_,
            "agreement": lambda: _section([agreement]),
        }
        return filled(self._parts["again"], values)

    def complaint(self, why: str) -> str:
        """After a reply that cannot be used."""
        return (
            f"That cannot be used: {why}. Give the whole corrected function in one ```python block."
        )

    def shown(self, expression: str, told: Sequence[str]) -> str:
        """The answer to a probe."""
        lines = "\n".join(told) or "it could not be evaluated"
        return masked(f"`{expression}` before the last block:\n{lines}\n\nNow correct it.")

    def _states(
        self, traces: Sequence[Trace], hierarchy: Hierarchy, source: SourceFile, tokens: int
    ) -> str:
        trace = telling(traces, self._brief.subfunction.id)
        if trace is None:
            return ""
        own = _own(trace, self._brief.subfunction.id)
        passing = [_own(t, self._brief.subfunction.id) for t in traces if t.status.ok]
        parting, why = None, ""
        for other in divergence.nearest(own, [t for t in passing if t.visits])[:1]:
            found = divergence.part(own, other)
            if found is not None:
                parting = found.one
                why = divergence.why(found, own, other, hierarchy, {source.path: source})
        text = states.as_text(own, hierarchy, {source.path: source}, tokens, parting, why)
        return f"\nWhat happened in a failing case:\n\n{text}\n"


def _section(lines: Iterable[str], head: str = "") -> str:
    kept = [line for line in lines if line]
    return "\n".join([*([head] if head else []), *kept, ""]) if kept else ""


def _told(failures: Sequence[Failure]) -> Iterator[str]:
    for failure in failures[:CASES]:
        code = textwrap.dedent(failure.code).strip()[:CASE_CHARACTERS]
        if code:
            yield f"```python\n{code}\n```" if "\n" in code else f"`{code}`"
        yield (failure.message or failure.case)[:CASE_CHARACTERS]
    if len(failures) > CASES:
        yield f"... and {len(failures) - CASES} more"


def pairs(brief: Brief) -> Iterator[str]:
    """Recorded calls of passing cases: what the subfunction gives and is to give."""
    seen: dict[str, str] = {}
    for trace in brief.traces:
        if trace.status.ok:
            for call in trace.calls:
                if call.subfunction == brief.subfunction.id and call.result is not None:
                    result = states.shown(call.result, PAIR_CHARACTERS // 2)
                    seen.setdefault(states.called(call, PAIR_CHARACTERS // 2), result)
    yield from [f"{call} gives {result}" for call, result in seen.items()][:PAIRS]


def exemplars(brief: Brief, most: int) -> Iterator[str]:
    """Corrections that the user accepted earlier, those accepted most often first."""
    known = sorted(brief.templates, key=lambda template: -template.count)[:most]
    if known:
        yield "Corrections that were right here before:"
    yield from (f"`{template.before}` became `{template.after}`" for template in known)


def _context(brief: Brief) -> Iterator[str]:
    """Imports, constants that the function reads, the heads of the functions that it calls, and the
    lines that call it; the signatures of the libraries that it calls."""
    source, own = brief.source, brief.subfunction
    read = {name for block in own.blocks for name in block.reads}
    lines = []
    for line in source.slice(0, len(source.text)).splitlines():
        imported = re.match(r"(?:from\s+[\w.]+\s+)?import\s+(.+)", line)
        names = re.findall(r"\w+", imported.group(1)) if imported else []
        constant = re.match(r"([A-Z_][A-Z0-9_]*)\s*=", line)
        if read.intersection(names) or (constant and constant.group(1) in read):
            lines.append(line.rstrip()[:PAIR_CHARACTERS])
    for name in own.calls:
        callee = brief.hierarchy.subfunctions.get(name)
        if callee is not None and callee.path == source.path and callee.id != own.id:
            head = source.slice(callee.span.start, callee.span.end).partition("\n")[0]
            lines.append(head.strip()[:PAIR_CHARACTERS] + "  # it calls this")
    for caller in brief.hierarchy.subfunctions.values():
        if own.id in caller.calls and caller.path == source.path and caller.id != own.id:
            for number in range(caller.span.first_line, caller.span.last_line + 1):
                text = source.line_text(number).strip()
                if f"{own.name}(" in text and number != own.span.first_line:
                    lines.append(f"{text[:PAIR_CHARACTERS]}  # {caller.qualname} calls it")
    lines[CONTEXT_LINES:] = []
    lines += signatures(brief)
    if lines:
        yield "\n".join(["Around it:", "```python", *lines, "```", ""])


def telling(traces: Sequence[Trace], name: str) -> Trace | None:
    """The failing trace that shows the subfunction with the fewest visits."""
    found = [t for t in traces if not t.status.ok and _own(t, name).visits]
    return min(found, key=lambda t: len(_own(t, name).visits), default=None)


def _own(trace: Trace, name: str) -> Trace:
    """A trace of what one subfunction did, and its calls."""
    visits = [v for v in trace.visits if v.block.rpartition("#")[0] == name]
    frames = {v.frame for v in visits}
    numbered = tuple(replace(visit, index=at) for at, visit in enumerate(visits))
    calls = tuple(replace(call, visit=-1) for call in trace.calls if call.frame in frames)
    return replace(trace, visits=numbered, calls=calls, dropped=0)
