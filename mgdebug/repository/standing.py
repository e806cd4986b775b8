"""The patches of groups that stand together, as edits of the files on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mgdebug import judge
from mgdebug.bottom_up.ground import apart
from mgdebug.model import Group, Patch
from mgdebug.sources import named
from mgdebug.syntax.source import SourceFile


@dataclass(frozen=True, slots=True)
class Found:
    """A patch of a group.  on: the groups on whose patches it was made, whose edits it contains."""

    group: Group
    patch: Patch
    on: tuple[Group, ...] = ()

    def is_on(self, other: Found) -> bool:
        return any(group is other.group for group in self.on)


class Standing:
    """files: as they are on the disk, those that the patches change."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.files: dict[str, SourceFile] = {}
        self.found: list[Found] = []

    def of(self, paths: Iterable[str]) -> tuple[Found, ...]:
        """Those of some files."""
        wanted = {*paths}
        return tuple(f for f in self.found if any(e.path in wanted for e in f.patch.edits))

    def with_(self, more: Iterable[Found]) -> tuple[Standing, list[tuple[Found, Found]]]:
        """Another one with more of them; and those left out, each beside one whose place it wants.
        What was made on others takes their places."""
        new = Standing(self._root)
        new.files, new.found = self.files, list(self.found)
        clashes = []
        for one in more:
            rival = next(
                (o for o in new.found if not one.is_on(o) and not _fit(o.patch, one.patch)), None
            )
            if rival is not None:
                clashes.append((one, rival))
                continue
            below = [_without(old, one.patch) if one.is_on(old) else old for old in new.found]
            new.found = [*below, one]
        return new, clashes

    def without(self, some: Iterable[Group]) -> Standing:
        """Another one without the patches of some groups, and without those made on these."""
        new, gone = Standing(self._root), {id(group) for group in some}
        new.files = self.files
        for one in self.found:  # in the order in which they came
            if id(one.group) in gone or any(id(group) in gone for group in one.on):
                gone.add(id(one.group))
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
