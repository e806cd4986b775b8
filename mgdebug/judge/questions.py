"""Which of the plausible patches is right: what the user is asked.

The smallest call for which the alternatives differ and whose answer is expected to leave the best
of them in front, as in test-driven user intent formalisation (Fakhoury et al. 2024).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mgdebug.events import Reply
from mgdebug.judge.examples import Example
from mgdebug.model import Alternative, Choice, Patch, Question
from mgdebug.runner.observe import Given, Seen
from mgdebug.syntax.literals import literal, same

CHOICES = 5  # of one question
SHARPNESS = 0.7  # by how much a bit of cost makes a patch less likely, in bits
RAISING = 0.6  # what an answer counts that is an exception: such an input is hardly meant


@dataclass(frozen=True)
class Behaviours:
    """How calls of functions of a file end with each patch.  before: without any.  examples: what
    docstrings say that the first of the calls give."""

    path: str = ""
    calls: Sequence[Given] = ()
    before: Sequence[Seen | None] = ()
    seen: Mapping[Patch, Sequence[Seen | None]] = field(default_factory=dict)
    examples: Sequence[Example] = ()

    def agreement(self, patch: Patch) -> tuple[int, int]:
        """With how many examples a patch agrees, of how many that were observed."""
        row = self.seen.get(patch) or ()
        told = [e.agrees(one) for e, one in zip(self.examples, row, strict=False) if one]
        return sum(told), len(told)

    def key(self, patch: Patch) -> object:
        """Equal for patches that cannot be told apart; None where nothing is known of one."""
        row = self.seen.get(patch)
        if row is None or not any(row):
            return None
        return tuple(one.key if one is not None else None for one in row)


def question(alternatives: Sequence[Alternative], known: Behaviours) -> Question | None:
    """The most telling one; None where no call tells alternatives apart."""
    rows = [known.seen.get(a.patches[0]) for a in alternatives]
    weights = _weights(alternatives)
    best: tuple[float, int, int] | None = None
    for at, call in enumerate(known.calls):
        classes = _classes(at, rows)
        if len(classes) < 2:
            continue
        worth = sum(
            max(weights[n] for n in members) * (RAISING if seen.raised else 1.0)
            for seen, members in classes[:CHOICES]
        )
        rank = (round(worth, 3), -len(call.text), -at)
        if best is None or rank > best:
            best = rank
    if best is None:
        return None
    at = -best[2]
    choices = [Choice(seen.text, members) for seen, members in _classes(at, rows)[:CHOICES]]
    return Question(known.path, known.calls[at].text, tuple(choices))


def answered(
    asked: Question, reply: Reply, alternatives: Sequence[Alternative]
) -> tuple[str, tuple[Alternative, ...]]:
    """The reply as a case, "" for neither, and the alternatives that agree with it."""
    offered = {n for choice in asked.choices for n in choice.alternatives}
    if reply.choice is not None:
        choice = asked.choices[reply.choice]
        text, members = choice.text, set(choice.alternatives)
    elif reply.value:
        text = reply.value
        alike = [c for c in asked.choices if same(c.text, text)]
        members = {n for choice in alike for n in choice.alternatives}
    else:
        left = tuple(a for n, a in enumerate(alternatives) if n not in offered)
        return "" if left else _none_of(asked), left
    return case_of(asked.call, text), tuple(alternatives[n] for n in sorted(members))


def case_of(call: str, text: str) -> str:
    """An expression that is true where a call gives what a text says; "" where that is no literal:
    an exception, a change in place, an object, what an iterator gave."""
    try:
        literal(text)
    except ValueError:
        return ""
    return f"{call} == {text}"


def _none_of(asked: Question) -> str:
    """An expression that is true where a call gives none of the choices."""
    texts = [choice.text for choice in asked.choices if case_of(asked.call, choice.text)]
    return f"{asked.call} not in [{', '.join(texts)}]" if texts else ""


def _weights(alternatives: Sequence[Alternative]) -> list[float]:
    costs = [a.patches[0].cost for a in alternatives]
    least = min(costs, default=0.0)
    raw = [2 ** (-SHARPNESS * (cost - least)) * (0.1 if a.flags else 1.0)
           for cost, a in zip(costs, alternatives, strict=True)]  # fmt: skip
    total = sum(raw) or 1.0
    return [weight / total for weight in raw]


def _classes(
    at: int, rows: Sequence[Sequence[Seen | None] | None]
) -> list[tuple[Seen, tuple[int, ...]]]:
    """What a call gives, and the alternatives that agree; the first one's answer first."""
    found: dict[object, tuple[Seen, list[int]]] = {}
    for number, row in enumerate(rows):
        seen = row[at] if row is not None else None
        if seen is not None:
            found.setdefault(seen.key, (seen, []))[1].append(number)
    return [(seen, tuple(members)) for seen, members in found.values()]
