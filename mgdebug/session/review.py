"""The patches that a repair found, as the user goes through them, with what was decided on each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mgdebug import judge
from mgdebug.errors import MgdebugError
from mgdebug.model import Alternative, Edit, Hierarchy, Partial, Patch
from mgdebug.session.account import Account
from mgdebug.session.hunks import Decisions, Hunks

BOUND = "its hunks are taken or rejected together: a function and its callers"


@dataclass(frozen=True, slots=True)
class Offer:
    """A patch to decide on: of an alternative, or the best where none passes."""

    patch: Patch
    alternative: Alternative | None = None
    partial: Partial | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """Why it may be a forgery."""
        return self.alternative.flags if self.alternative is not None else ()

    @property
    def bound(self) -> str:
        """Why its hunks are taken and rejected together, "" where each is decided on alone."""
        return BOUND if judge.is_bound(self.patch) else ""


def offers(account: Account) -> tuple[Offer, ...]:
    """The patches that were found, the best first; those that do the same to the files once."""
    found: dict[frozenset[object], Offer] = {}
    for alternative in account.alternatives:
        if alternative.patches:
            patch = alternative.patches[0]
            found.setdefault(frozenset(patch.edits), Offer(patch, alternative))
    partial = account.repair.partial if account.repair is not None else None
    if not found and partial is not None:
        return (Offer(partial.patch, partial=partial),)
    return tuple(found.values())


class Review:
    """What is decided on a patch stays while others are looked at, and as long as the files are the
    same.  place: of the patch that is looked at, 0 for the best.  trouble: why it has no hunks."""

    def __init__(self, kept: Mapping[tuple[Edit, ...], Decisions] | None = None) -> None:
        """kept: decisions of an earlier process, by the edits of their patch."""
        self._kept = kept or {}
        self.account: Account | None = None
        self.offers: tuple[Offer, ...] = ()
        self.place = 0
        self.trouble = ""
        self._made: dict[Patch, Hunks] = {}
        self._hierarchy: Hierarchy | None = None  # that the owners are of
        self._owners: dict[tuple[str, int], str] = {}

    def show(self, account: Account) -> bool:
        """What a repair has found by now.  Returns whether another patch is looked at than before:
        whoever has turned to one stays there while it is offered, else it is the best."""
        looked_at, self.account = self.offer, account
        self.offers = offers(account)
        patches = [offer.patch for offer in self.offers]
        patch = looked_at.patch if looked_at is not None else None
        self.place = patches.index(patch) if self.place and patch in patches else 0
        self._made = {p: h for p, h in self._made.items() if p in patches and self._fits(h)}
        return self.offer is None or self.offer.patch != patch

    @property
    def offer(self) -> Offer | None:
        """The one that is looked at."""
        return self.offers[self.place] if self.place < len(self.offers) else None

    @property
    def hunks(self) -> Hunks | None:
        """Of the patch that is looked at; None without one, and where it does not fit the files."""
        offer, account = self.offer, self.account
        if offer is None or account is None:
            self.trouble = ""
            return None
        if offer.patch not in self._made:
            self.trouble = self._unfit(account, offer.patch)
            if self.trouble:
                return None
            try:
                made = Hunks.of(account.files, offer.patch)
                self._made[offer.patch] = made.restored(self._kept.get(offer.patch.edits, ()))
            except MgdebugError as error:
                self.trouble = error.message
                return None
        self.trouble = ""
        return self._made[offer.patch]

    def replace(self, hunks: Hunks) -> int | None:
        """Other decisions on the hunks of a patch, whether or not it is still looked at.  Returns
        its place, None if it is not offered any more."""
        if hunks.patch not in self._made:
            return None
        self._made[hunks.patch] = hunks
        return [offer.patch for offer in self.offers].index(hunks.patch)

    def turn(self, step: int) -> bool:
        """To another patch, and around.  Returns whether there is one."""
        if len(self.offers) < 2:
            return False
        self.place = (self.place + step) % len(self.offers)
        return True

    def owner(self, path: str, line: int) -> str:
        """The innermost subfunction that a line stands in, "" for none that is called."""
        hierarchy = self.account.hierarchy if self.account is not None else None
        if hierarchy is not None and hierarchy is not self._hierarchy:
            self._hierarchy, self._owners = hierarchy, {}
            called = [s for s in hierarchy.subfunctions.values() if s.kind.called]
            for s in sorted(called, key=lambda s: s.span.start - s.span.end):
                lines = range(s.span.first_line, s.span.last_line + 1)
                self._owners.update(dict.fromkeys(((s.path, at) for at in lines), s.qualname))
        return self._owners.get((path, line), "")

    def decisions(self) -> Iterator[tuple[Alternative, list[tuple[str, str]]]]:
        """The alternatives that were looked at; of each hunk its diff and what was decided, in
        words."""
        for offer in self.offers:
            hunks = self._made.get(offer.patch)
            if offer.alternative is not None and hunks is not None:
                told = [(hunks.told(at), hunk.word) for at, hunk in enumerate(hunks.all)]
                yield offer.alternative, told

    def _fits(self, hunks: Hunks) -> bool:
        """Whether hunks are of the files as they are shown now."""
        account = self.account
        if account is None or self._unfit(account, hunks.patch):
            return False
        return all(account.files[path].data == file.data for path, file in hunks.files.items())

    def _unfit(self, account: Account, patch: Patch) -> str:
        """Why a patch does not fit the files that are shown, "" if it does."""
        base = account.repair.base if account.repair is not None else {}
        for path in sorted({edit.path for edit in patch.edits}):
            source = account.files.get(path)
            if source is None:
                return f"{path} could not be read"
            if base.get(path, source.sha256) != source.sha256:
                return f"{path} has changed since the patch was made: search again"
        return ""
