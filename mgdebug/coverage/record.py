"""What is known of a project's cases: which functions each of them reached when it last ran.

One JSON file a project in the user's cache folder, replaced as a whole.  What is not there, cannot
be read or is of another format is not known, and whatever is not known runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from mgdebug import __version__
from mgdebug.coverage.parts import REST, Part, Shape, sha256

FORMAT = 1
_SETTINGS = "pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", ".pytest.ini"

Place = tuple[str, str]  # a path and the key of a part of it


@dataclass(frozen=True, slots=True)
class File:
    """shape: as it was when the cases that reach it last ran.  changed: the parts that were not
    alike before, None where nothing is known from before.  seen: whether calls in it are seen.
    ran: the parts that ran while it was imported."""

    shape: Shape
    changed: frozenset[str] | None = None
    seen: bool = False
    ran: frozenset[str] = frozenset()

    def with_rest(self, parts: Iterable[str]) -> frozenset[str]:
        """Parts that have changed, and the rest, if it cannot be told that it does what it did."""
        found = frozenset(parts)
        return found | {REST} if found and (not self.seen or found & self.ran) else found


@dataclass(frozen=True, slots=True)
class Known:
    """A case.  path: its file; reached: None where that is not known.  passed: or skipped, when it
    last ran.  started: it starts processes, which may reach anything."""

    path: str
    reached: frozenset[Place] | None = None
    passed: bool = False
    started: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """basis: what it holds for, by name: the interpreter, files of settings and their digests.
    files: those of the project that cases import.  modules: their paths by their names.  present:
    files that are there and that no case imports.  shared: what ran for fixtures, by the file whose
    cases share them, "" for all."""

    basis: Mapping[str, str]
    files: Mapping[str, File] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    shared: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    cases: Mapping[str, Known] = field(default_factory=dict)

    @property
    def tests(self) -> frozenset[str]:
        """The files that hold cases."""
        return frozenset(known.path for known in self.cases.values())


def basis_of(root: Path, python: str) -> dict[str, str]:
    """What a record of cases holds for, by name."""
    found = {"the interpreter": python, "mgdebug": __version__}
    for name in _SETTINGS:
        file = root / name
        if file.is_file():
            found[name] = sha256(file.read_bytes())
    return found


# -------------------------------------------------------------------------------- on the disk


def place(root: Path) -> Path:
    """Where the record of a project is kept."""
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return platformdirs.user_cache_path("mgdebug") / "reached" / f"{name}.json"


def load(root: Path) -> Record | None:
    """None where there is none that can be used."""
    try:
        raw = json.loads(place(root).read_text("utf-8"))
        return _read(raw) if raw["format"] == FORMAT else None
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def save(root: Path, record: Record) -> None:
    """A record that cannot be written is done without."""
    file = place(root)
    temporary = file.with_suffix(f".{os.getpid()}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(_written(record), separators=(",", ":")), "utf-8")
        temporary.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _written(record: Record) -> dict[str, Any]:
    numbers: dict[Place, int] = {}

    def numbered(places: Iterable[Place] | None) -> list[int] | None:
        if places is None:
            return None
        return [numbers.setdefault(one, len(numbers)) for one in sorted(places)]

    cases = {
        case: [k.path, numbered(k.reached), k.passed, k.started] for case, k in record.cases.items()
    }
    shared = {scope: numbered(places) for scope, places in record.shared.items()}
    return {
        "format": FORMAT,
        "basis": dict(record.basis),
        "files": {
            path: [
                file.shape.sha256,
                {key: [p.digest, p.first, p.last] for key, p in file.shape.parts.items()},
                file.shape.names,
                None if file.changed is None else sorted(file.changed),
                file.seen,
                sorted(file.ran),
            ]
            for path, file in record.files.items()
        },
        "modules": dict(record.modules),
        "present": sorted(record.present),
        "places": list(numbers),
        "shared": shared,
        "cases": cases,
    }


def _read(raw: Mapping[str, Any]) -> Record:
    places: list[Place] = [(path, key) for path, key in raw["places"]]

    def placed(numbers: list[int]) -> frozenset[Place]:
        return frozenset(places[number] for number in numbers)

    files = {
        path: File(
            Shape(sha, {key: Part(*p) for key, p in parts.items()}, tuple(names)),
            None if changed is None else frozenset(changed),
            seen,
            frozenset(ran),
        )
        for path, (sha, parts, names, changed, seen, ran) in raw["files"].items()
    }
    cases = {
        case: Known(path, None if numbers is None else placed(numbers), passed, started)
        for case, (path, numbers, passed, started) in raw["cases"].items()
    }
    shared = {scope: placed(numbers) for scope, numbers in raw["shared"].items()}
    present = frozenset(raw["present"])
    return Record(raw["basis"], files, raw["modules"], present, shared, cases)
