"""The patches of groups that stand together, as edits of the files on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mgdebug import judge
from mgdebug.bottom_up.ground import apart
from mgdebug.model import Group, Patch
from mgdebug.sources import named
from mgdebug.syntax.source import SourceFile


@dataclass(frozen=True, slots=True)
class Found:
    """A patch of a group.  steps: the patches that it was made on, whose edits it contains."""

    group: Group
    patch: Patch
    steps: tuple[Patch, ...] = ()


class Standing:
    """files: as they are on the disk, those that the patches change."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.files: dict[str, SourceFile] = {}
        self.found: list[Found] = []

    @property
    def patches(self) -> tuple[Patch, ...]:
        return tuple(one.patch for one in self.found)

    def with_(self, more: Iterable[Found]) -> tuple[Standing, list[tuple[Found, Found]]]:
        """Another one with more of them; and those left out, each beside one whose place it wants.
        What was made on others takes their places."""
        new = Standing(self._root)
        new.files, new.found = self.files, list(self.found)
        clashes = []
        for one in more:
            over = [old for old in new.found if old.patch in one.steps]
            rival = next(
                (o for o in new.found if o not in over and not _fit(o.patch, one.patch)), None
            )
            if rival is not None:
                clashes.append((one, rival))
                continue
            new.found = [_without(old, one.patch) if old in over else old for old in new.found]
            known = {edit for old in new.found for edit in old.patch.edits}
            edits = tuple(edit for edit in one.patch.edits if edit not in known)
            new.found.append(replace(one, patch=replace(one.patch, edits=edits)))
        return new, clashes

    def without(self, some: Iterable[Group]) -> Standing:
        """Another one without the patches of some groups, and without those made on these."""
        new, gone = Standing(self._root), {id(group) for group in some}
        new.files = self.files
        lost: list[Patch] = []
        for one in self.found:
            if id(one.group) in gone or any(step in lost for step in one.steps):
                lost.append(one.patch)
            else:
                new.found.append(one)
        return new

    def whole(self) -> Patch:
        """All of them as one patch."""
        self._read()
        parts = [one.patch for one in self.found if one.patch.edits]
        edits = sorted({e for part in parts for e in part.edits}, key=lambda e: (e.path, e.start))
        return Patch(
            tuple(edits),
            "+".join(dict.fromkeys(part.proposer for part in parts)),
            "; ".join(dict.fromkeys(part.note for part in parts)),
            parts[0].subfunction if len(parts) == 1 else "",
            sum(part.cost for part in parts),
            "+".join(part.family for part in parts if part.family),
        )

    def sources(self) -> dict[str, bytes]:
        """The changed files.  Raises SourceError where one cannot be read any more."""
        self._read()
        return {path: f.data for path, f in judge.patched(self.files, self.whole()).items()}

    def diff(self) -> str:
        self._read()
        return judge.diff(self.files, self.whole())

    def _read(self) -> None:
        for one in self.found:
            for edit in one.patch.edits:
                if edit.path not in self.files:
                    self.files[edit.path] = named(self._root, edit.path)


def _fit(one: Patch, two: Patch) -> bool:
    """Whether both can be made: they are apart, but for edits that are the same."""
    both = {*one.edits} & {*two.edits}
    return apart(
        replace(one, edits=tuple(e for e in one.edits if e not in both)),
        replace(two, edits=tuple(e for e in two.edits if e not in both)),
    )


def _without(old: Found, new: Patch) -> Found:
    """Without the edits in whose place those of a newer patch are."""
    kept = tuple(
        edit
        for edit in old.patch.edits
        if edit in new.edits or apart(replace(old.patch, edits=(edit,)), new)
    )
    return replace(old, patch=replace(old.patch, edits=kept))


def likeliest_first(found: Iterable[Found], gained: Mapping[int, int]) -> list[Found]:
    """Those that mend most come first, the cheapest among equals.  gained: cases, by id()."""
    return sorted(found, key=lambda one: (-gained[id(one)], one.patch.cost))


def bases(files: Mapping[str, SourceFile], patch: Patch) -> Mapping[str, str]:
    """sha256 of each file that a patch changes."""
    return {path: files[path].sha256 for path in {edit.path for edit in patch.edits}}


def relevant(patches: Sequence[Patch], paths: Iterable[str]) -> tuple[Patch, ...]:
    """The patches of some files."""
    wanted = {*paths}
    return tuple(p for p in patches if any(edit.path in wanted for edit in p.edits))
