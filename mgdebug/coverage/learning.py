"""What a run tells of its cases, put into the record."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mgdebug.coverage.choice import Choice
from mgdebug.coverage.parts import sha256, shape
from mgdebug.coverage.record import File, Known, Place, Record
from mgdebug.model import Case, CaseKind, Outcome, Status

if TYPE_CHECKING:
    from mgdebug.runner import Run
    from mgdebug.runner.reached import Lines, Reached

WALKED_AT_MOST = 20_000  # files that are looked at for those that no case imports
_LEFT_OUT = {"node_modules", "__pycache__", "site-packages"}


def learnt(
    record: Record | None,
    basis: Mapping[str, str],
    root: Path,
    staged: Collection[str],
    choice: Choice,
    run: Run,
    reached: Reached,
    seconds: float,
) -> Record:
    """The record after a run of what was chosen; cases that did not end are not known any more.
    seconds: that a case may take."""
    if record is None or record.basis != basis:
        record = Record(basis)
    modules = {**record.modules, **reached.modules}
    files = _files(record, modules, root, reached)
    present = {*record.present, *staged}
    if choice.everything:
        present.update(walked(root))
    shared = {**record.shared} if not choice.everything else {}
    for scope, lines in reached.shared.items():
        shared[scope] = shared.get(scope, frozenset()) | _places(files, lines)
    return Record(
        basis,
        files,
        {name: path for name, path in modules.items() if path in files},
        frozenset(path for path in present if path not in files and (root / path).is_file()),
        shared,
        {**_kept(record, choice, root), **_ran(run, reached, files, seconds)},
    )


def name_of(case: Case) -> str:
    """As a Target takes it from the root: as pytest does, wherever its own root is; of unittest the
    file with class and method."""
    if case.kind is CaseKind.UNITTEST and case.path:
        return "::".join((case.path, *case.id.split(".")[-2:]))
    inside = case.id.partition("::")[2]
    pytest = case.kind is CaseKind.PYTEST and case.path and inside
    return f"{case.path}::{inside}" if pytest else case.id


def ended(outcome: Outcome, seconds: float) -> bool:
    """Whether a case came to an end of its own, rather than to that of all the time there was.
    seconds: that a case may take."""
    if outcome.status is Status.TIMEOUT:
        return outcome.seconds >= seconds
    return outcome.status is not Status.NOT_RUN


def _files(
    record: Record, modules: Mapping[str, str], root: Path, reached: Reached
) -> dict[str, File]:
    names: dict[str, list[str]] = {}
    for name, path in modules.items():
        names.setdefault(path, []).append(name)
    imported = frozenset(reached.modules.values())
    found: dict[str, File] = {}
    for path in {**dict.fromkeys(record.files), **names}:
        try:
            data = (root / path).read_bytes()
        except OSError:
            continue
        old = record.files.get(path)
        if old is not None and old.shape.sha256 == sha256(data):
            new, changed = old.shape, old.changed
        else:
            new = shape(data, list(_packages(path, names.get(path, ()))))
            changed = old.shape.differs(new) if old is not None else None
        ran = frozenset(new.at(line) for line in reached.imported.get(path, ()))
        seen = path in reached.seen
        if old is not None and path not in imported:
            seen = old.seen
        if old is not None and old.shape is new:
            ran |= old.ran
        found[path] = File(new, changed, seen, ran)
    return found


def _packages(path: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield name if path.endswith("__init__.py") else name.rpartition(".")[0]


def _places(files: Mapping[str, File], lines: Lines) -> frozenset[Place]:
    return frozenset(
        (path, files[path].shape.at(line))
        for path, found in lines.items()
        if path in files
        for line in found
    )


def _kept(record: Record, choice: Choice, root: Path) -> dict[str, Known]:
    """The cases that were not chosen."""
    if choice.everything:
        return {}
    chosen = {*choice.tests}
    return {
        case: known
        for case, known in record.cases.items()
        if case not in chosen and known.path not in chosen and (root / known.path).is_file()
    }


def _ran(run: Run, reached: Reached, files: Mapping[str, File], seconds: float) -> dict[str, Known]:
    outcomes = {outcome.case: outcome for outcome in run.outcomes}
    found = {}
    for case in run.cases:
        outcome = outcomes[case.id]
        places = _places(files, reached.cases.get(case.id, {}))
        found[name_of(case)] = Known(
            case.path,
            places if ended(outcome, seconds) else None,
            outcome.status.ok,
            case.id in reached.started,
        )
    return found


def walked(root: Path) -> Iterator[str]:
    """The project's files of Python."""
    left = WALKED_AT_MOST
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [f for f in folders if not _left_out(here / f)]
        for name in names:
            left -= 1
            if left < 0:
                return
            if name.endswith(".py"):
                yield (here / name).relative_to(root).as_posix()


def _left_out(folder: Path) -> bool:
    name = folder.name
    return name.startswith(".") or name in _LEFT_OUT or (folder / "pyvenv.cfg").exists()
