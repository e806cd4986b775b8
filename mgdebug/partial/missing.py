"""What code lacks: names that it reads and nobody binds, modules that are not installed, and names
that modules do not have.  Of Python alone."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mgdebug.errors import SourceError, UsageError
from mgdebug.languages import language_of
from mgdebug.model import Target
from mgdebug.syntax.scopes import Names, Use
from mgdebug.syntax.source import SourceFile

SHORTEST = 4  # letters of a name that may be a slip for another one
_NAME = re.compile(r"NameError: name '(\w+)' is not defined")
_MODULE = re.compile(r"No module named '([\w.]+)'")
_ATTRIBUTE = re.compile(r"cannot import name '(\w+)' from '([\w.]+)' \(([^)\n]+)\)")
_FILE = re.compile(r"[\w./ -]+\.py\b")


@dataclass(frozen=True, slots=True)
class Unbound:
    """names: read in a file and bound nowhere.  slips: the others of that kind, each with the name
    that is meant, it seems.  bound: all names that the file binds anywhere."""

    names: tuple[str, ...]
    slips: Mapping[str, str]
    bound: frozenset[str]

    def has(self, name: str) -> bool:
        """Whether the file binds a name, or one that is meant by it."""
        return name in self.bound or bool(_meant(name, self.bound))


@dataclass(frozen=True, slots=True)
class Missing:
    """What a text of errors says is missing.  names: by file; attributes: by installed module."""

    names: Mapping[str, tuple[str, ...]]
    modules: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]


def unbound(source: SourceFile) -> Unbound:
    """Of one file.  Of one that does not parse, or takes names from wherever a `*` stands, nothing
    is known."""
    found = Names(source)
    bound = {place.name for place in found.places if place.use is not Use.READ}
    whole = {p.name for p in found.places if p.use is not Use.READ and not p.scope.owner(p.name)}
    if source.errors or b"import *" in source.text:
        return Unbound((), {}, frozenset(bound))
    read = dict.fromkeys(
        place.name
        for place in found.places
        if place.use is Use.READ and place.scope.owner(place.name) is None
    )
    free = [n for n in read if n not in whole and not hasattr(builtins, n) and n[:2] != "__"]
    known = [*bound, *dir(builtins)]
    slips = {name: near for name in free if (near := _meant(name, known))}
    return Unbound(tuple(n for n in free if n not in slips), slips, frozenset(bound))


def read(target: Target, path: str, sources: Mapping[str, bytes]) -> SourceFile | None:
    """A Python file of the project; None for what cannot be read as one.  sources: files in place
    of those on the disk."""
    language = language_of(path)
    try:
        if language is None or not path.endswith((".py", ".pyw")):
            return None
        if path in sources:
            return SourceFile(path, sources[path], language.grammar())
        return SourceFile.read(target.root, path, language.grammar())
    except (SourceError, UsageError):
        return None


def is_told(text: str) -> bool:
    """Whether a text of errors says that something is missing."""
    return any(pattern.search(text) for pattern in (_NAME, _MODULE, _ATTRIBUTE))


def files_in(target: Target, text: str) -> list[str]:
    """Files of the project that a text of tracebacks names, from the root."""
    found: dict[str, None] = {}
    for match in dict.fromkeys(_FILE.findall(text)):
        path = (target.cwd / match.strip()).resolve()
        if path.is_relative_to(target.root.resolve()) and path.is_file():
            inside = path.relative_to(target.root.resolve())
            if "site-packages" not in inside.parts:
                found[inside.as_posix()] = None
    return list(found)


def missing(target: Target, text: str, files: Mapping[str, Unbound]) -> Missing:
    """What errors say.  text: of tracebacks; files: of the project, as far as they are known."""
    names: dict[str, list[str]] = {}
    attributes: dict[str, list[str]] = {}
    lacked = dict.fromkeys(_NAME.findall(text))
    for path, found in files.items():
        if mine := [name for name in found.names if name in lacked]:
            names[path] = mine
    for name, module, place in dict.fromkeys(_ATTRIBUTE.findall(text)):
        inside = files_in(target, place)
        if not inside:
            attributes.setdefault(module, []).append(name)
        elif (there := files.get(inside[0])) and not there.has(name):
            names.setdefault(inside[0], []).append(name)
    modules = [m for m in dict.fromkeys(_MODULE.findall(text)) if not _is_own(target, m)]
    return Missing(_frozen(names), tuple(modules), _frozen(attributes))


def _frozen(found: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(dict.fromkeys(values)) for key, values in found.items()}


def _is_own(target: Target, module: str) -> bool:
    """Whether a module that is not found is there, but elsewhere, or misspelt."""
    first = module.partition(".")[0]
    places = [target.root / first, target.root / "src" / first]
    there = any(place.is_dir() or place.with_suffix(".py").is_file() for place in places)
    return there or bool(_meant(first, sys.stdlib_module_names))


def _meant(name: str, known: Iterable[str]) -> str:
    """A known name that is one slip of the keyboard away: a letter too many or too few, or two that
    changed places.  "" if there is none; a name and its plural are two."""
    return next((one for one in known if _is_slip(name, one)), "")


def _is_slip(name: str, other: str) -> bool:
    if min(len(name), len(other)) < SHORTEST:
        return False
    if len(name) == len(other):
        apart = [at for at, (one, two) in enumerate(zip(name, other, strict=True)) if one != two]
        pair = apart == [apart[0], apart[0] + 1] if apart else False
        return pair and name[apart[0]] == other[apart[1]] and name[apart[1]] == other[apart[0]]
    longer, shorter = (name, other) if len(name) > len(other) else (other, name)
    shorn = any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
    return shorn and longer[:-1] + longer[-1].strip("s0123456789_") == longer
