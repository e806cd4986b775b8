"""Which files a path or a run of cases stands for, and their texts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from mgdebug.errors import SourceError, UsageError
from mgdebug.languages import LANGUAGES, language_of
from mgdebug.model import Case, CaseKind, Failure, Hierarchy, Target
from mgdebug.settings import find_root, load
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.outline import Outline, outline
from mgdebug.syntax.source import SourceFile

_LEFT_OUT = {"node_modules", "__pycache__", "site-packages"}
_SHOWN_NAMES = 6
SAID_AT_MOST = 20  # cases whose code is read
_SHOWN_ERRORS = 5  # places of one file that do not parse


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the user asked for.  paths: relative to the root, sorted; qualname: of the one part
    that is meant, "" for whole files; folder: whether a folder was named."""

    root: Path
    paths: tuple[str, ...]
    qualname: str
    folder: bool


def choose(cwd: Path, name: str) -> Chosen:
    """name: "" for the current folder, a folder, a file, or FILE::Qualname.

    Raises UsageError for a path that does not exist, and where no file is of a known language.
    """
    path, _, qualname = name.partition("::")
    place = (cwd / path).resolve()
    if not place.exists():
        raise UsageError(f"{path} does not exist", _near_path(cwd, path))
    if place.is_dir():
        if qualname:
            raise UsageError(f"{path or '.'} is a folder", "name a part as FILE::Class.method")
        root = find_root(place)
        paths = tuple(file.relative_to(root).as_posix() for file in _walk(place))
        if not paths:
            raise UsageError(f"{path or 'this folder'} has no file of a known language", _KNOWN)
        return Chosen(root, paths, "", True)
    if language_of(place.name) is None:
        raise _unknown(path)
    root = find_root(place.parent)
    inside = place.relative_to(root).as_posix()
    return Chosen(root, (inside,), qualname.replace("::", "."), False)


_KNOWN = f"known: {', '.join(sorted(LANGUAGES))}"


def _unknown(path: str) -> UsageError:
    return UsageError(f"{path}: no language is known for this kind of file", _KNOWN)


def read(chosen: Chosen, warn: Callable[[str], None]) -> list[SourceFile]:
    """The files, with a warning for what does not parse.  In a folder a file that cannot be read is
    left out with a warning; raises SourceError for one that was named, or if none is left."""
    found, last = [], None
    for path in chosen.paths:
        language = language_of(path)
        assert language is not None
        try:
            source = SourceFile.read(chosen.root, path, language.grammar())
        except SourceError as error:
            if not chosen.folder:
                raise
            warn(f"{error.message}; left out")
            last = error
            continue
        found.append(source)
        for line, column, what in source.errors[:_SHOWN_ERRORS]:
            warn(f"{path}:{line}:{column}: does not parse: {what}")
    if last is not None and not found:
        raise SourceError("no file can be read", last.hint)
    return found


def named(root: Path, path: str) -> SourceFile:
    """One file.  Raises UsageError for an unknown kind, SourceError if it cannot be read."""
    language = language_of(path)
    if language is None:
        raise _unknown(path)
    return SourceFile.read(root, path, language.grammar())


def imported(target: Target, paths: Iterable[str]) -> tuple[dict[str, SourceFile], list[str]]:
    """Of the files that a run imported those that are looked into: the target's, or where it names
    none, all that are the project's own code; of these the ones in `looked`, if there are some.
    And why others of them cannot be read.

    Raises SourceError if the target's cannot be.
    """
    found: dict[str, SourceFile] = {}
    troubles = []
    for path in paths:
        language = language_of(path)
        if language is None or "site-packages" in path.split("/"):
            continue
        if target.looked and path not in target.looked:
            continue
        if path != target.path and (target.path or not language.is_source(PurePosixPath(path))):
            continue
        try:
            found[path] = named(target.root, path)
        except SourceError as error:
            if path == target.path:
                raise
            troubles.append(error.message)
    return found, troubles


def failures(root: Path, cases: Iterable[Case], messages: Mapping[str, str]) -> tuple[Failure, ...]:
    """The code of failing cases and how they ended.  messages: by the id of a case."""
    found: list[Failure] = []
    files: dict[str, tuple[SourceFile, Hierarchy] | None] = {}
    for case in islice(cases, SAID_AT_MOST):
        code = case.source
        if not code and case.path and case.kind is not CaseKind.DOCTEST:
            if case.path not in files:
                source = follow(root, case.path)
                files[case.path] = (source, decompose([source])) if source else None
            own = files[case.path]
            name = case.id.partition("::")[2].partition("[")[0].replace("::", ".")
            sub = own[1].subfunctions.get(f"{case.path}::{name}") if own else None
            if own and sub is not None:
                code = own[0].slice(sub.whole.start, sub.whole.end)
        found.append(Failure(case.id, code, messages.get(case.id, "")))
    return tuple(found)


def follow(root: Path, path: str) -> SourceFile | None:
    """Another file of the project, None if there is no such one that can be read."""
    language = language_of(path)
    try:
        if language is None or not (root / path).is_file():
            return None
        return SourceFile.read(root, path, language.grammar())
    except (SourceError, OSError, ValueError):  # names too long, or with a zero byte
        return None


def outlines(
    chosen: Chosen, files: Sequence[SourceFile], warn: Callable[[str], None]
) -> Iterator[Outline]:
    """The files, or what was named of one, outlined by the sizes of the project's settings.  Raises
    UsageError if that is not possible in the language of any; others are left out with a warning.
    """
    able = [source for source in files if source.grammar.glue is not None]
    for source in files:
        if source not in able:
            said = f"{source.path}: code in {source.grammar.name} cannot be outlined yet"
            if not able:
                raise UsageError(said)
            warn(f"{said}; left out")
    wanted = chosen.qualname
    if wanted:
        part(decompose(files), chosen.paths[0], wanted)
    sizes = load(chosen.root, os.environ, {})
    for source in able:
        yield outline(
            source,
            sizes.outline_statements,
            sizes.outline_nesting,
            (lambda name: f"{name}.".startswith(f"{wanted}.")) if wanted else None,
        )


def part(hierarchy: Hierarchy, path: str, qualname: str) -> str:
    """The id of a part of a file.  Raises UsageError, with the nearest name, if it is not there."""
    name = f"{path}::{qualname}"
    if name in hierarchy.subfunctions:
        return name
    names = [s.qualname for s in hierarchy.subfunctions.values() if s.path == path]
    near = difflib.get_close_matches(qualname, names, 1)
    # Only its last word, or one of a method without its class.
    near = near or [n for n in names if n.rpartition(".")[2] == qualname.rpartition(".")[2]]
    known = ", ".join(n for n in names[:_SHOWN_NAMES] if not n.startswith("<"))
    raise UsageError(
        f"{path} has no {qualname}",
        f"did you mean {path}::{near[0]}?" if near else f"it has {known or 'no functions'}",
    )


def _walk(folder: Path) -> Iterator[Path]:
    """Files of known languages, sorted, without those that are not the project's own."""
    for name, folders, files in os.walk(folder):
        here = Path(name)
        folders[:] = sorted(f for f in folders if not _left_out(here / f))
        for file in sorted(files):
            if language_of(file) is not None and (here / file).is_file():
                yield here / file


def _left_out(folder: Path) -> bool:
    name = folder.name
    return name.startswith(".") or name in _LEFT_OUT or (folder / "pyvenv.cfg").exists()


def _near_path(cwd: Path, path: str) -> str:
    known: Sequence[Path] = [file.relative_to(cwd) for file in _walk(cwd)]
    texts = [file.as_posix() for file in known]
    near = difflib.get_close_matches(path, texts, 1)
    if not near:
        names = {file.name: file.as_posix() for file in known}
        near = [names[n] for n in difflib.get_close_matches(Path(path).name, names, 1)]
    return f"did you mean {near[0]}?" if near else ""
