"""What there is to see, in sentences: how a session stands, its tests, what is suspected, a patch.
Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mgdebug import narrate
from mgdebug.events import Sending
from mgdebug.model import Block, Question, Subfunction
from mgdebug.narrate import FLAGGED, counted, farewell, passes, proof, ranking, standing, trying
from mgdebug.session import Account, Session, Stage, Standing
from mgdebug.session.hunks import Hunks
from mgdebug.session.review import Review, offers
from mgdebug.story import cost

CODE_CHARACTERS = 80  # of a block that are said
MESSAGE_CHARACTERS = 200
NO_END = "no line feed at the end of the file"


def status(session: Session) -> Iterator[str]:
    """How a session stands."""
    account, stage = session.account, session.stage
    cases = counted(account)
    yield f"{stage}: {cases}" if cases else str(stage)
    if stage is Stage.SEARCH:
        yield trying(account)
        if account.gained:
            yield narrate.best(account)
    if account.fault:
        yield account.fault
    found = len(offers(account))
    if found:
        yield f"{found} patch{'es' * (found > 1)}: patch says what the first one changes"
    if account.spent is not None:
        yield f"model: {cost(account.spent)}"


def ended(session: Session) -> Iterator[str]:
    """How a repair ended, and what comes next."""
    account, stage = session.account, session.stage
    again = session.undone and not session.done
    back = "redo applies the patch again" if again else "undo takes the patch back"
    if stage is Stage.FOUND:
        yield "a patch passes all cases in a fresh process: patch says it, apply applies it"
        yield from (offer.patch.note for offer in offers(account)[:1])
    elif stage is Stage.DONE:
        yield f"done: {passes(account.passing)}; {back}"
    elif stage is Stage.REGRESSED:
        yield f"cases that passed before fail now: {back}"
    elif stage is Stage.FAILING:
        yield f"{len(account.failing)} still failing: search looks for a patch"
    elif account.repair is not None:
        message, hint = farewell(account.repair)
        yield message
        if hint:
            yield f"next: {hint}"
        if account.repair.partial is not None:
            yield "the best so far is a patch: patch says it"


# -------------------------------------------------------------------------------------- tests


def cases(account: Account) -> list[str]:
    """Ids of the cases in the order of their numbers: those that fail, flaky ones, the others."""
    outcomes = account.outcomes.values()
    return [o.case for o in sorted(outcomes, key=lambda o: (o.status.ok, o.case in account.flaky))]


def tests(account: Account, *, whole: bool) -> Iterator[str]:
    """The cases that fail, a line each.  whole: the others as well."""
    if not account.outcomes:
        yield "no test has run yet"
        return
    yield counted(account)
    for warned in account.warnings:
        yield f"warning: {warned.message}"
    for number, case in enumerate(cases(account), 1):
        outcome = account.outcomes[case]
        if whole or not outcome.status.ok:
            word = "flaky" if case in account.flaky else outcome.status
            message = "" if outcome.status.ok else outcome.message[:MESSAGE_CHARACTERS]
            yield f"{number}: {word}, {case}" + f", {message}" * bool(message)


def blocks(account: Account) -> Iterator[str]:
    """The subfunctions under suspicion, the worst first, with their blocks; how many are not."""
    known, score = account.hierarchy.subfunctions, account.score
    if not known:
        yield "the code has not been read yet"
        return
    wanted = [name for name in score if name in known]
    wanted += [n for n in known if n not in score and account.standing(n) is Standing.REPAIRED]
    for name in sorted(wanted, key=lambda name: -score.get(name, 0.0)):
        yield _subfunction(account, known[name])
        scores = {s.block: s.score for s in account.suspects if s.subfunction == name}
        for block in known[name].blocks:
            if block.id in scores:
                code = first_line(account, known[name], block)
                yield f"{lines(block)}, suspicion {scores[block.id]:.2f}: {code}"
    rest = len(known) - len(wanted)
    if rest:
        what = f"{rest} other{'s' * (rest > 1)}"
        yield f"{what} cleared" if account.suspects else f"{what} not ranked"


def _subfunction(account: Account, subfunction: Subfunction) -> str:
    parts = [f"{subfunction.qualname} in {subfunction.path}"]
    score = account.score.get(subfunction.id)
    if score is not None:
        parts.append(f"suspicion {score:.2f}")
    words = str(account.standing(subfunction.id))
    tries = account.tries.get(subfunction.id, 0)
    parts.append(f"{words}, {tries} patches" if tries else words)
    return ", ".join(filter(None, parts))


def lines(block: Block) -> str:
    """Where a block stands."""
    first, last = block.span.first_line, block.span.last_line
    return f"line {first}" if first == last else f"lines {first} to {last}"


def first_line(account: Account, subfunction: Subfunction, block: Block) -> str:
    """What a block's code begins with, on one line."""
    source = account.files.get(subfunction.path)
    return said(source.slice(block.span.start, block.span.end)) if source else ""


def said(code: str) -> str:
    """The first line of some code, as short as one listens to."""
    text = " ".join(code.split("\n")[0].split())
    return text if len(text) <= CODE_CHARACTERS else f"{text[:CODE_CHARACTERS]} and so on"


# -------------------------------------------------------------------------------------- patch


def patch(review: Review) -> Iterator[str]:
    """The patch that is looked at: how it stands, what it changes, what proves it, its hunks, what
    speaks for it."""
    account, offer, hunks = review.account, review.offer, review.hunks
    if account is None or offer is None:
        yield from _nothing(account)
        return
    many = len(review.offers)
    yield f"patch {review.place + 1} of {many}: {offer.patch.note}"
    yield stands(review)
    if offer.alternative is not None and offer.alternative.evidence is not None:
        yield proof(offer.alternative.evidence)
    if offer.bound:
        yield offer.bound
    if offer.flags:
        yield from (f"flagged: {flag}" for flag in offer.flags)
        yield FLAGGED
    if hunks is None:
        yield review.trouble
    else:
        for at in range(len(hunks.all)):
            yield from hunk(review, hunks, at)
    yield from ranking(review.offers, review.place)
    if many > 1:
        yield "other turns to the next patch"


def stands(review: Review) -> str:
    """How the patch that is looked at stands, with what was decided."""
    account, offer = review.account, review.offer
    if account is None or offer is None:
        return "there is no patch"
    words = standing(account, offer, review.place, review.hunks)
    return f"{words}: take takes a hunk" if words == "NOTHING TAKEN" else words


def hunk(review: Review, hunks: Hunks, at: int) -> Iterator[str]:
    """A hunk with its lines, as it was decided on."""
    one = hunks.all[at]
    owner = review.owner(one.path, one.first)
    where = f"{one.path} line {one.first}" + f" in {owner}" * bool(owner)
    yield f"hunk {at + 1} of {len(hunks.all)}, {one.word}: {where}"
    if one.white_space_only:
        yield "only white space changes here"
    encoding = hunks.files[one.path].encoding
    for sign, rows in (("minus", one.old), ("plus", one.offered)):
        for row in rows:
            text = row.decode(encoding, "backslashreplace").removesuffix("\n")
            yield f"{sign} {text if one.white_space_only else text.removesuffix(chr(13))}"
            if not row.endswith(b"\n"):
                yield NO_END


def _nothing(account: Account | None) -> Iterator[str]:
    if account is None or account.stage is Stage.BOOT:
        yield "no patch yet: search looks for one"
    elif account.stage is Stage.SEARCH:
        yield f"no patch yet: {trying(account)}"
    elif account.stage.busy:
        yield f"no patch yet: {account.stage}"
    elif account.repair is not None and account.searches and account.failing:
        message, hint = farewell(account.repair)
        yield f"no patch: {message}"
        if hint:
            yield f"next: {hint}"
    elif account.failing:
        yield "no patch yet: search looks for one"
    else:
        yield "nothing fails: nothing to fix"


# ------------------------------------------------------------------------------------ asking


def question(asked: Question) -> Iterator[str]:
    """Which is right for a call, as a list with numbers."""
    yield f"the patches differ: which is right for {asked.call}?"
    for number, choice in enumerate(asked.choices, 1):
        count = len(choice.alternatives)
        yield f"{number}: {choice.text}, {count} patch{'es' * (count > 1)}"
    yield f"{len(asked.choices) + 1}: neither of them"
    yield "answer with a number, or the right value, such as 'a', or =3 for the value 3"
    yield "an empty line leaves it open"


def sending(event: Sending) -> Iterator[str]:
    """Whether code may be sent to a model."""
    yield "send code to a model?"
    yield from (f"{label}: {text}" for label, text in narrate.sending(event))
    yield "yes sends it; no, or an empty line, sends nothing"
