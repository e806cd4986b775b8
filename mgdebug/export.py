"""A session as one page for a browser: all that there is to tell of it, and the runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mgdebug.model import Alternative, SubfunctionKind
from mgdebug.narrate import counted
from mgdebug.page import write_session
from mgdebug.session import Session
from mgdebug.story import Asking, Offer, Story, Suspected

PAGE = "mgdebug-session.html"

Decisions = Sequence[tuple[Alternative, Sequence[tuple[str, str]]]]  # as Review.decisions has them


def exported(session: Session, decisions: Decisions, file: Path) -> None:
    """Write the page of a session.  Raises UsageError where it cannot be written, and where a file
    stands that is no page of ours."""
    recording = session.recording() if session.account.traces else None
    write_session(file, recording, story(session, decisions))


def story(session: Session, decisions: Decisions) -> Story:
    """What a session amounts to.  decisions: on the hunks of the patches that were looked at."""
    account, target = session.account, session.target
    name = target.path or target.root.name
    decided = {id(alternative): hunks for alternative, hunks in decisions}
    return Story(
        title=f"{name}::{target.qualname}" if target.qualname else name,
        stands=", ".join(filter(None, (str(session.stage), counted(account), account.fault))),
        facts=tuple(_facts(session)),
        outcomes=tuple(account.outcomes.values()),
        flaky=tuple(sorted(account.flaky)),
        suspects=tuple(_suspects(session)),
        offers=tuple(Offer.of(one, decided.get(id(one), ())) for one in account.alternatives),
        questions=tuple(
            Asking(question.call, tuple(choice.text for choice in question.choices), said)
            for question, said in account.answers
        ),
        applied=tuple(session.deeds),
        warnings=tuple(warned.message for warned in account.warnings),
        spent=account.spent,
    )


def _facts(session: Session) -> Iterator[tuple[str, str]]:
    account = session.account
    yield "interpreter", account.python or session.python
    if account.engine:
        yield "engine", ", ".join(account.engine)
    if account.tried:
        yield "tried", f"{account.tried} patches"
    partial = account.repair.partial if account.repair is not None else None
    if partial is not None:
        what = f"{partial.gained} of {partial.failing} failing cases pass with it"
        yield "best patch", f"{partial.patch.note}: {what}"
    for example in session.target.answers:
        yield "example", example


def _suspects(session: Session) -> Iterator[Suspected]:
    """Each subfunction in its place, with its blocks under suspicion."""
    account = session.account
    known = account.hierarchy.subfunctions
    inner = {child for one in known.values() for child in one.children}

    def told(name: str, depth: int) -> Iterator[Suspected]:
        one = known[name]
        alone = one.kind is SubfunctionKind.MODULE and name not in account.score
        if not alone:
            yield Suspected(
                one.path if one.kind is SubfunctionKind.MODULE else one.qualname,
                one.span.first_line,
                depth,
                account.score.get(name),
                str(account.standing(name)),
            )
        for suspect in account.suspects:
            block = account.hierarchy.block(suspect.block) if suspect.subfunction == name else None
            if block is not None:
                where = f"{block.kind} in line {block.span.first_line}"
                line = block.span.first_line
                yield Suspected(where, line, depth + 1, suspect.score, "", suspect.why)
        for child in one.children:
            if child in known:
                yield from told(child, depth if alone else depth + 1)

    for name in known:
        if name not in inner:
            yield from told(name, 0)
