"""What a page tells of a session besides its runs: cases, suspects, patches, questions, what was
applied.  Whoever kept the session says it in plain fields; here it becomes data for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mgdebug.events import Spent
from mgdebug.model import Alternative, Evidence, Outcome, Value
from mgdebug.states import printable
from mgdebug.words import diff_text

ROWS = 500  # of one table; more are counted
_EVIDENCE_CHARACTERS = 2000  # of one value


@dataclass(frozen=True, slots=True)
class Suspected:
    """A subfunction or block in its place in the hierarchy.  depth: 0 for the outermost; line: 0
    where there is none; score: None where it was not ranked; standing: what became of it."""

    name: str
    line: int = 0
    depth: int = 0
    score: float | None = None
    standing: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """Patches of one behaviour, the first shown.  hunks: of its diff, in characters, each with what
    the user decided on it ("taken", "rejected", "edited", or ""), in words.  alike: how many
    patches do the same."""

    note: str
    hunks: tuple[tuple[str, str], ...]
    proposer: str = ""
    alike: int = 0
    evidence: Evidence | None = None
    flags: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @classmethod
    def of(cls, alternative: Alternative, hunks: Iterable[tuple[str, str]] = ()) -> Offer:
        """An alternative; without hunks its whole diff is one on which nothing was decided."""
        first = alternative.patches[0]
        return cls(
            first.note,
            tuple(hunks) or ((diff_text(alternative.diff), ""),),
            first.proposer,
            len(alternative.patches) - 1,
            alternative.evidence,
            alternative.flags,
            alternative.reasons,
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """A question and what was said, "" where it was left open."""

    call: str
    choices: tuple[str, ...]
    said: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """A session.  title: what it is about; stands: how it stands, one line; facts: a label and a
    text each, such as the engine and the interpreter; outcomes: of all cases; suspects: in the
    order in which they are shown; offers: the best first; applied: a line for each change to a
    file; spent: None where no model was asked."""

    title: str
    stands: str
    facts: tuple[tuple[str, str], ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    flaky: tuple[str, ...] = ()
    suspects: tuple[Suspected, ...] = ()
    offers: tuple[Offer, ...] = ()
    questions: tuple[Asking, ...] = ()
    applied: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    spent: Spent | None = None


def as_data(story: Story) -> dict[str, Any]:
    """All of it for JSON.  Cases that fail come before those that pass."""
    facts = [*story.facts]
    if story.spent is not None:
        facts.append(("model", cost(story.spent)))
    bad = [outcome for outcome in story.outcomes if not outcome.status.ok]
    good = [outcome for outcome in story.outcomes if outcome.status.ok]
    return {
        "title": story.title,
        "stands": story.stands,
        "facts": [list(fact) for fact in facts],
        "failing": _rows([_outcome(outcome, story.flaky) for outcome in bad]),
        "passing": _rows([_outcome(outcome, story.flaky) for outcome in good]),
        "suspects": _rows([_suspected(suspected) for suspected in story.suspects]),
        "offers": [_offer(offer) for offer in story.offers],
        "questions": [
            {"call": one.call, "choices": list(one.choices), "said": one.said}
            for one in story.questions
        ],
        "applied": list(story.applied),
        "warnings": list(story.warnings),
    }


def cost(event: Spent) -> str:
    """What models have cost, in words."""
    calls = "1 call" if event.calls == 1 else f"{event.calls} calls"
    kept = f", {event.kept} answered from earlier ones" if event.kept else ""
    cost = f", ${event.cost:.4f}" if event.cost else ""
    return f"{calls}{kept}, {event.prompt + event.completion} tokens{cost}"


def _rows(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"rows": list(rows[:ROWS]), "count": len(rows)}


def _outcome(outcome: Outcome, flaky: Sequence[str]) -> dict[str, Any]:
    return {
        "case": outcome.case,
        "status": f"{outcome.status}, flaky" if outcome.case in flaky else str(outcome.status),
        "ok": outcome.status.ok,
        "seconds": outcome.seconds,
        "message": outcome.message,
        "detail": outcome.detail,
    }


def _suspected(suspected: Suspected) -> dict[str, Any]:
    return {
        "name": suspected.name,
        "line": suspected.line,
        "depth": suspected.depth,
        "score": suspected.score,
        "standing": suspected.standing,
        "why": suspected.why,
    }


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "note": offer.note,
        "proposer": offer.proposer,
        "alike": offer.alike,
        "hunks": [
            {"lines": list(map(_line, _lines(text))), "state": state} for text, state in offer.hunks
        ],
        "evidence": None if offer.evidence is None else _evidence(offer.evidence),
        "flags": list(offer.flags),
        "reasons": list(offer.reasons),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "case": evidence.case,
        "line": evidence.line,
        "name": evidence.name,
        "was": _value(evidence.was),
        "now": _value(evidence.now),
    }


def _value(value: Value | None) -> str | None:
    if value is None or len(value.text) <= _EVIDENCE_CHARACTERS:
        return None if value is None else value.text
    return f"{value.text[:_EVIDENCE_CHARACTERS]}..."


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _line(text: str) -> str:
    """What would turn the direction of a line of code, or not be seen in it, is spelt out."""
    return "\t".join(map(printable, text.removesuffix("\r").split("\t")))
