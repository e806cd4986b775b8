"""Which cases a change concerns: those that reach what has changed, and those of which it is not
known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from mgdebug.coverage.imports import Imports
from mgdebug.coverage.parts import REST, sha256, shape
from mgdebug.coverage.record import File, Known, Record

NAMES_AT_MOST = 100  # cases of one file that are named one by one
_TESTS = "test_*.py", "*_test.py"


@dataclass(frozen=True, slots=True)
class Choice:
    """tests: as for a Target; () for all.  everything: whether all cases are wanted, and why.
    cases: how many are known to be among them, of how many; 0 of 0 where nothing is known."""

    tests: tuple[str, ...] = ()
    everything: bool = False
    why: str = ""
    cases: int = 0
    known: int = 0

    @property
    def nothing(self) -> bool:
        return not self.everything and not self.tests


def choose(
    record: Record | None, basis: Mapping[str, str], root: Path, staged: Collection[str]
) -> Choice:
    """basis: what a record must hold for; staged: paths from the root that are to be committed."""
    if record is None:
        return Choice(everything=True, why="nothing is known of them yet")
    if record.basis != basis:
        names = [n for n in {**record.basis, **basis} if record.basis.get(n) != basis.get(n)]
        return Choice(everything=True, why=f"{names[0]} has changed")
    changed = changes(record, root, staged)
    why = _unknown(record, changed, staged)
    if why:
        return Choice(everything=True, why=why, known=len(record.cases))
    imports = Imports(record)
    chosen = {
        case: known
        for case, known in record.cases.items()
        if known.reached is None or _concerned(known, changed, staged, record, imports)
    }
    return Choice(
        (*_spelled(record, chosen, _whole(record, imports, changed)), *_new(record, staged)),
        cases=len(chosen),
        known=len(record.cases),
    )


def reaching(record: Record, paths: Collection[str]) -> frozenset[str]:
    """The cases that reach any part of some files, or import them."""
    every = {path: _all(record.files[path]) for path in paths if path in record.files}
    imports = Imports(record)
    return frozenset(
        case
        for case, known in record.cases.items()
        if known.reached is None or _concerned(known, every, paths, record, imports)
    )


def concerned(
    record: Record, changed: Mapping[str, frozenset[str]], imports: Imports | None = None
) -> frozenset[str]:
    """The cases that a change concerns.  changed: parts of files, as `changes` has them.  imports:
    of the record, where they are known already."""
    imports = imports or Imports(record)
    return frozenset(
        case
        for case, known in record.cases.items()
        if known.reached is None or _concerned(known, changed, (), record, imports)
    )


def patched(record: Record, sources: Mapping[str, bytes]) -> dict[str, frozenset[str]]:
    """The parts of files that differ in patched texts of them."""
    found: dict[str, frozenset[str]] = {}
    for path, data in sources.items():
        file = record.files.get(path)
        parts = file.shape.differs(shape(data)) if file else frozenset({REST})
        found[path] = file.with_rest(parts) if file else parts
    return found


def spelled(record: Record, cases: Iterable[str]) -> tuple[str, ...]:
    """Cases as tests of a Target."""
    return tuple(_spelled(record, {case: record.cases[case] for case in cases}, frozenset()))


def changes(record: Record, root: Path, staged: Collection[str]) -> dict[str, frozenset[str]]:
    """The parts of known files that have changed, staged or not, since the cases that reach them
    ran; of what is staged, those that had changed before that."""
    found: dict[str, frozenset[str]] = {}
    for path, file in record.files.items():
        try:
            data = (root / path).read_bytes()
        except OSError:
            found[path] = _all(file)
            continue
        parts: frozenset[str] | None = frozenset()
        if sha256(data) != file.shape.sha256:
            parts = file.shape.differs(shape(data))
        elif path in staged:
            parts = file.changed
        parts = _all(file) if parts is None else file.with_rest(parts)
        if parts:
            found[path] = parts if path not in record.tests else parts | {REST}
    return found


def _all(file: File) -> frozenset[str]:
    return frozenset(file.shape.parts) | {REST}


def _unknown(record: Record, changed: Mapping[str, frozenset[str]], staged: Collection[str]) -> str:
    """Why it cannot be told which cases are concerned, "" if it can."""
    for path in staged:
        if PurePosixPath(path).suffix != ".py":
            return f"who reads {path} is not known"
        known = path in record.files or path in record.present
        if not known and not _is_test(path):
            return f"{path} is new"
    for path in changed:
        if PurePosixPath(path).name == "conftest.py":
            return f"{path} has changed"
    places = {(path, part) for path, parts in changed.items() for part in parts}
    for path, part in places & record.shared.get("", frozenset()):
        return f"all cases share a fixture that reaches {part or 'the code'} of {path}"
    everywhere = Imports(record).everywhere
    for path, parts in changed.items():
        if REST in parts and path in everywhere:
            return f"all cases may depend on {path}"
    return ""


def _is_test(path: str) -> bool:
    name = PurePosixPath(path).name
    return any(fnmatchcase(name, pattern) for pattern in _TESTS)


def _concerned(
    known: Known,
    changed: Mapping[str, frozenset[str]],
    staged: Collection[str],
    record: Record,
    imports: Imports,
) -> bool:
    reached = (known.reached or frozenset()) | record.shared.get(known.path, frozenset())
    if known.path in changed or (known.started and changed):
        return True
    if any(part in changed.get(path, ()) for path, part in reached):
        return True
    imported = imports.of(known.path)
    if any(REST in parts and path in imported for path, parts in changed.items()):
        return True
    # One that failed has not been seen to pass with what was staged then.
    if known.passed or not staged:
        return False
    near = imported | {path for path, _ in reached}
    return any(path in near for path in staged)


def _whole(
    record: Record, imports: Imports, changed: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """Files of tests in which other cases may be now than were."""
    rests = {path for path, parts in changed.items() if REST in parts}
    return frozenset(path for path in record.tests if rests & imports.of(path))


def _spelled(record: Record, chosen: Mapping[str, Known], whole: Collection[str]) -> Iterable[str]:
    """Files where all of their cases are meant, else the cases by their names."""
    count: dict[str, int] = {}
    for known in record.cases.values():
        count[known.path] = count.get(known.path, 0) + 1
    names: dict[str, list[str]] = {}
    for case, known in chosen.items():
        names.setdefault(known.path, []).append(case)
    for path, cases in names.items():
        few = len(cases) < count[path] and len(cases) <= NAMES_AT_MOST
        if few and path not in whole and all(case.startswith(f"{path}::") for case in cases):
            yield from cases
        else:
            yield path


def _new(record: Record, staged: Collection[str]) -> Iterable[str]:
    """Staged files of tests of which no case is known."""
    return (path for path in staged if _is_test(path) and path not in record.tests)
