"""A repair, or a whole session, as one page for a browser: all that there is to tell of it, and the
runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mgdebug.model import Alternative, SubfunctionKind, Target
from mgdebug.page import write_session
from mgdebug.session.account import Account
from mgdebug.session.stages import Stage
from mgdebug.story import Asking, Offer, Story, Suspected
from mgdebug.words import counted, diff_text, farewell, gains, passes

PAGE = "mgdebug-session.html"

Decisions = Sequence[tuple[Alternative, Sequence[tuple[str, str]]]]  # as Review.decisions has them


def exported(
    file: Path,
    account: Account,
    target: Target,
    decisions: Decisions = (),
    deeds: Sequence[str] = (),
    stage: Stage | None = None,
) -> None:
    """Write the page of a repair; see story.  Raises UsageError where it cannot be written, and
    where a file stands that is no page of ours."""
    recording = account.recording() if account.traces else None
    write_session(file, recording, story(account, target, decisions, deeds, stage))


def story(
    account: Account,
    target: Target,
    decisions: Decisions = (),
    deeds: Sequence[str] = (),
    stage: Stage | None = None,
) -> Story:
    """What a repair amounts to.

    decisions: on the hunks of the patches that were looked at.  deeds: what was written to files,
    in words.  stage: how it stands, if that is not how the account stands.
    """
    name = target.path or target.root.name
    decided = {id(alternative): hunks for alternative, hunks in decisions}
    stands = str(account.stage if stage is None else stage)
    return Story(
        title=f"{name}::{target.qualname}" if target.qualname else name,
        stands=", ".join(filter(None, (stands, counted(account), account.fault))),
        facts=tuple(_facts(account, target)),
        outcomes=tuple(account.outcomes.values()),
        flaky=tuple(sorted(account.flaky)),
        suspects=tuple(_suspects(account)),
        offers=tuple(_offers(account, decided)),
        questions=tuple(
            Asking(question.call, tuple(choice.text for choice in question.choices), said)
            for question, said in account.answers
        ),
        applied=tuple(deeds),
        warnings=tuple(warned.message for warned in account.warnings),
        spent=account.spent,
    )


def _offers(account: Account, decided: Mapping[int, Sequence[tuple[str, str]]]) -> Iterator[Offer]:
    """The patches with which all cases pass, else the best that helps."""
    for alternative in account.alternatives:
        yield Offer.of(alternative, decided.get(id(alternative), ()))
    partial = account.repair.partial if account.repair is not None else None
    if partial is not None and not account.alternatives:
        hunks = ((diff_text(partial.diff), ""),)
        yield Offer(partial.patch.note, hunks, partial.patch.proposer, reasons=(gains(partial),))


def _facts(account: Account, target: Target) -> Iterator[tuple[str, str]]:
    if account.python:
        yield "interpreter", account.python
    if account.engine:
        yield "engine", ", ".join(account.engine)
    if account.tried:
        yield "tried", f"{account.tried} patches"
    if account.repair is not None and account.repair.patch is None:
        said, hint = farewell(account.repair)
        yield "end", said
        if hint:
            yield "next", hint
    elif account.verdict is not None:
        yield "verified", f"{passes(len(account.verdict.passed))} in a fresh process"
    for example in target.answers:
        yield "example", example


def _suspects(account: Account) -> Iterator[Suspected]:
    """Each subfunction in its place, with its blocks under suspicion."""
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
