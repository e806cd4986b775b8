"""Which files import which, as their texts and the names of their modules tell."""

from __future__ import annotations

from collections.abc import Iterable

from mgdebug.coverage.record import Record


class Imports:
    """Of the files that a record knows.  everywhere: those that any case may depend on, since no
    file is seen to import them, as with a conftest, and all that these import."""

    def __init__(self, record: Record) -> None:
        names: dict[str, set[str]] = {}
        for name, path in record.modules.items():
            names.setdefault(path, set()).add(name)
        self._next: dict[str, set[str]] = {}
        for path, file in record.files.items():
            found = self._next[path] = set()
            for name in {*names.get(path, ()), *file.shape.names}:
                while name:  # a module is imported with the packages around it
                    found.add(record.modules.get(name, path))
                    name = name.rpartition(".")[0]
            found.discard(path)
        self._known: dict[str, frozenset[str]] = {}
        imported = {path for found in self._next.values() for path in found}
        self.everywhere = self._closure({*names} & {*record.files} - imported - record.tests)

    def first(self, path: str) -> frozenset[str]:
        """What a file imports itself, without what that imports."""
        return frozenset(self._next.get(path, ()))

    def of(self, path: str) -> frozenset[str]:
        """A file with all that it imports, and what that imports."""
        if path not in self._known:
            self._known[path] = self._closure([path])
        return self._known[path]

    def _closure(self, paths: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        left = list(paths)
        while left:
            path = left.pop()
            if path not in found:
                found.add(path)
                left += self._next.get(path, ())
        return frozenset(found)
