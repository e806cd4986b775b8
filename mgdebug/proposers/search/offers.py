"""What an operator of the search offers: edits, what they cost, and a note in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mgdebug.proposers.search.sites import Scope, Site
from mgdebug.proposers.search.wording import Wording


@dataclass(frozen=True, slots=True)
class Offer:
    """Edits as (start, end, text) in bytes of the file, their cost, and a note in words.

    The cost is a prior in bits: what programmers get wrong most often is cheapest.  family: the
    name of the operator.
    """

    cost: float
    edits: tuple[tuple[int, int, str], ...]
    note: str
    family: str = ""


Operator = Callable[[Site, Scope], Iterator[Offer]]


def becomes(site: Site, new: Wording | str, cost: float) -> Offer:
    """The offer to put new text in place of a site, in brackets if its place wants them."""
    wording = Wording(new) if isinstance(new, str) else new
    text = f"({wording.text})" if site.bare else wording.within(site.needs)
    note = f"`{short(site.text)}` becomes `{short(text)}`"
    return Offer(cost + site.penalty, ((site.start, site.end, text),), note)


def short(text: str, limit: int = 60) -> str:
    """Text on one line of at most `limit` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."
