"""What is said about a patch: whether it passes, what it changes, the values that prove it; and
where there is none, what is done for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from mgdebug.narrate import farewell, passes, proof
from mgdebug.session.account import Account
from mgdebug.session.hunks import Hunks
from mgdebug.session.review import Offer, Review
from mgdebug.session.stages import Stage
from mgdebug.states import printable

OTHERS = 6  # patches that pass too, a line each


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
    for flag in offer.flags:
        yield Text(f"flagged: {printable(flag)}", "bold red")
    if offer.flags:
        yield Text("it may pass the cases without mending anything", "red")


def _standing(account: Account, offer: Offer, place: int, hunks: Hunks | None) -> Text:
    if hunks is not None and not hunks.as_offered:
        taken = sum(hunk.taken for hunk in hunks.all)
        if not taken:
            return Text("NOTHING TAKEN: space takes a hunk", "yellow")
        edited = sum(hunk.word == "edited" for hunk in hunks.all)
        what = f"{taken} of {len(hunks.all)} hunks taken" + f", {edited} edited" * bool(edited)
        return Text(f"CHANGED: {what}; not run so yet, applying runs the tests", "yellow")
    if offer.partial is not None:
        part = offer.partial
        pass_ = "passes" if part.gained == 1 else "pass"
        words = f"PART: {part.gained} of {part.failing} failing cases {pass_} with it, none breaks"
        return Text(words, "yellow")
    if place:
        return Text("it passed when it was tried; applying runs all tests", "dim")
    if account.verdict is None:
        return Text("not verified in a fresh process yet", "dim")
    count, failed = len(account.verdict.passed), len(account.verdict.failed)
    left = f", {failed} still fail{'s' * (failed == 1)}" if failed else ""
    return Text(f"PASS: {passes(count)} in a fresh process{left}", "bold green")


def flagged(offer: Offer) -> Text:
    """Before a flagged patch is applied: why it is."""
    words = Text("It may pass the cases without mending anything:\n", "bold red")
    return words.append("\n".join(map(printable, offer.flags)))


def tail(offers: Sequence[Offer], place: int) -> Iterator[Text]:
    """Below the hunks: why it has its place, and the other patches."""
    alternative = offers[place].alternative
    rest = [(at, offer) for at, offer in enumerate(offers) if at != place]
    if alternative is not None and alternative.reasons:
        yield Text()
        several = f"why it is {'first' if not place else f'number {place + 1}'} of {len(offers)}:"
        yield Text(several if rest else "what speaks for it:")
        for reason in alternative.reasons:
            yield Text(f"  {printable(reason)}", "dim")
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
        name = printable(account.current.partition("::")[2] or account.current)
        yield Text(f"trying patches in {name}: {account.tried} tried" if name else "searching")
        if account.gained:
            failing = len(account.failing)
            yield Text(f"best so far: {account.gained} of {failing} failing cases pass", "yellow")
    elif account.stage.busy:
        yield Text(f"no patch yet: {account.stage}")
    elif account.repair is not None and account.searches:
        message, hint = farewell(account.repair)
        yield Text(f"no patch: {printable(message)}")
        if hint:
            yield Text(f"next: {printable(hint)}")
        if account.failing:
            yield Text("f searches again, o adds an input/output example", "dim")
    elif account.failing:
        yield Text("no patch yet: f searches")
    else:
        yield Text("nothing fails: nothing to fix")
