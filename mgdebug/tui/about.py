"""What is said about a patch: whether it passes, what it changes, the values that prove it; and
where there is none, what is done for one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.text import Text

from mgdebug.narrate import FLAGGED, best, farewell, proof, ranking, standing, trying
from mgdebug.session import Session
from mgdebug.session.account import Account
from mgdebug.session.hunks import Hunks
from mgdebug.session.review import Offer, Review
from mgdebug.session.stages import Stage
from mgdebug.states import printable

OTHERS = 6  # patches that pass too, and what was tried, that are named
NO_PYTEST = "has no pytest"  # in the warning of an interpreter without one
MODEL = "llm"  # among the names of the proposers
_STYLES = {"NOTHING": "yellow", "CHANGED:": "yellow", "PART:": "yellow", "PASS:": "bold green"}


def title(review: Review, hunks: Hunks | None) -> str:
    """Of the pane: which patch it is, and how it stands in a word."""
    account, offer = review.account, review.offer
    if account is None or offer is None:
        return "4 Patch"
    word = ""
    if hunks is not None and not hunks.as_offered:
        word = "CHANGED"
    elif offer.partial is not None:
        word = "PART"
    elif not review.place and account.verdict is not None:
        word = "PASS"
    return f"4 Patch {review.place + 1}/{len(review.offers)} {word}".rstrip()


def head(account: Account, offer: Offer, place: int, hunks: Hunks | None) -> Iterator[Text]:
    """Above the hunks: how it stands, what it changes, what proves it, what speaks against it."""
    yield _standing(account, offer, place, hunks)
    yield Text(printable(offer.patch.note), "bold")
    alternative = offer.alternative
    if alternative is not None and alternative.evidence is not None:
        yield Text(proof(alternative.evidence))
    if offer.bound:
        yield Text(offer.bound, "dim")
    for flag in offer.flags:
        yield Text(f"flagged: {printable(flag)}", "bold red")
    if offer.flags:
        yield Text(FLAGGED, "red")
    if offer.partial is not None:
        yield from _ended(account)


def _standing(account: Account, offer: Offer, place: int, hunks: Hunks | None) -> Text:
    words = standing(account, offer, place, hunks)
    style = _STYLES.get(words.split()[0], "dim")
    hint = ": space takes a hunk" if words == "NOTHING TAKEN" else ""
    return Text(words + hint, style)


def flagged(offer: Offer) -> Text:
    """Before a flagged patch is applied: why it is."""
    words = Text(f"{FLAGGED.capitalize()}:\n", "bold red")
    return words.append("\n".join(map(printable, offer.flags)))


def tail(offers: Sequence[Offer], place: int) -> Iterator[Text]:
    """Below the hunks: why it has its place, and the other patches."""
    rest = [(at, offer) for at, offer in enumerate(offers) if at != place]
    words = ranking(offers, place)
    if words:
        yield Text()
        yield Text(words[0])
        yield from (Text(f"  {reason}", "dim") for reason in words[1:])
    if rest:
        yield Text()
        yield Text("also found, ] and [ go through them:")
    for at, other in rest[:OTHERS]:
        yield Text(f"  {at + 1}  {printable(other.patch.note)}", "dim")
        for flag in other.flags:
            yield Text(f"     flagged: {printable(flag)}", "red")
    if len(rest) > OTHERS:
        yield Text(f"  ... and {len(rest) - OTHERS} more", "dim")


def nothing(account: Account | None) -> Iterator[Text]:
    """Where there is no patch: what is done for one, or what to do next."""
    if account is None or account.stage is Stage.BOOT:
        yield Text("no patch yet: f searches")
    elif account.stage is Stage.SEARCH:
        yield Text(trying(account))
        if account.gained:
            yield Text(best(account), "yellow")
    elif account.stage.busy:
        yield Text(f"no patch yet: {account.stage}")
    elif account.repair is not None and account.searches:
        yield from _ended(account)
    elif account.failing:
        yield Text("no patch yet: f searches")
    else:
        yield Text("nothing fails: nothing to fix")


def _ended(account: Account) -> Iterator[Text]:
    """Of a search without a patch that all cases pass with: what it did, and what comes next."""
    if account.repair is None:
        return
    message, hint = farewell(account.repair)
    well = account.stage is Stage.ALL_PASS or account.repair.partial is not None
    yield Text(printable(message if well else f"no patch: {message}"))
    if account.tries:
        most = sorted(account.tries.items(), key=lambda item: -item[1])
        yield from _listed("tried", [f"{_name(of)} {count}" for of, count in most])
    if account.score and account.failing:
        found = sorted(account.score.items(), key=lambda item: -item[1])
        told = [f"{_name(of)} {score:.2f}".replace(" 0.", " .") for of, score in found]
        yield from _listed("suspects", told)
    if hint:
        yield Text(f"next: {printable(hint)}")
    if account.failing:
        yield Text("f searches again, o adds an input/output example", "dim")
        if MODEL not in account.engine:
            yield Text("--engine both --model NAME asks a model about what is left", "dim")
    elif account.stage is Stage.ALL_PASS:
        yield Text("o adds an input/output example for the function that the cursor is on", "dim")


def _listed(word: str, parts: Sequence[str]) -> Iterator[Text]:
    more = f", and {len(parts) - OTHERS} more" * (len(parts) > OTHERS)
    yield Text(f"{word}: {', '.join(parts[:OTHERS])}{more}")


def _name(subfunction: str) -> str:
    return printable(subfunction.partition("::")[2] or subfunction)


def finished(session: Session) -> tuple[str, bool]:
    """How a repair ended, on one line with what comes next; and whether it is bad news."""
    account = session.account
    match session.stage:
        case Stage.FOUND:
            return (
                "a patch passes all cases in a fresh process: 4 shows it, enter applies it",
                False,
            )
        case Stage.DONE:
            return f"done: {account.passing} passed; z takes the patch back", False
        case Stage.REGRESSED:
            return "cases that passed before fail now: z takes the patch back", True
        case Stage.FAILING:
            return f"{len(account.failing)} still failing: f searches for a patch", False
        case Stage.ALL_PASS:
            return f"{account.passing} passed; nothing to fix: o in the code adds an example", False
    message, hint = farewell(account.repair) if account.repair is not None else ("", "")
    return f"{message}; next: {hint}" if hint else message, False


def untested(session: Session) -> Iterator[Text]:
    """Where no test was found: what was run, and where, so that the user sees what is amiss."""
    account, target = session.account, session.target
    if session.stage is not Stage.NO_TESTS or account.repair is None:
        return
    bare = any(NO_PYTEST in warned.message for warned in account.warnings)
    command = ["python", "-m", "unittest" if bare else "pytest", *target.tests]
    yield Text("no test was found", "bold")
    for word, told in (
        ("ran", shlex.join(command)),
        ("in", target.cwd),
        ("with", account.python or session.python),
        ("rootdir", target.root),
        ("next", farewell(account.repair)[1]),
    ):
        yield Text.assemble((f"{word:8}", "bold"), printable(str(told)))
