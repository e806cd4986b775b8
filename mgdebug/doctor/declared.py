"""What a project's own files say that it needs: to be installed, to be tested, and which Python.

Nothing is run: setup.py is parsed, and only what stands there as it is counts.  What is not plain
enough to be understood is left out.
"""

from __future__ import annotations

import ast
import configparser
import contextlib
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgdebug.doctor.plugins import needed

TESTING = {"test", "tests", "testing", "dev", "develop", "development"}
_WORDS = "|".join(sorted(TESTING))
_REQUIREMENTS = re.compile(f"requirements|({_WORDS})[-_]requirements|requirements[-_]({_WORDS})")
_INIS = "pytest.ini", ".pytest.ini", "tox.ini"
_FOLDERS = "", "requirements", "tests", "test"


@dataclass(frozen=True, slots=True)
class Installed:
    """Arguments of one `pip install`, and the file that wants it.  tests: whether it brings more
    than the project itself needs."""

    arguments: tuple[str, ...]
    origin: str
    tests: bool = True


@dataclass(frozen=True, slots=True)
class Declared:
    """installs: one after another.  python: a specifier such as ">=3.8", "" for none; minors: the
    N of those 3.N that are named as supported; pinned: the N that .python-version wants."""

    installs: tuple[Installed, ...] = ()
    python: str = ""
    minors: frozenset[int] = frozenset()
    pinned: int | None = None


def declared(root: Path) -> Declared:
    """What the files in the root of a project say."""
    project = _Project(root)
    return Declared(
        tuple(project.installs()),
        project.python(),
        project.minors(),
        project.pinned(),
    )


class _Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.toml = _toml(root / "pyproject.toml")
        self.setup = _setup(_text(root / "setup.py"))
        self.cfg = _ini(root / "setup.cfg")

    # ------------------------------------------------------------------------- to be installed

    def installs(self) -> Iterator[Installed]:
        pipfile = _toml(self.root / "Pipfile")
        found = [*self._itself(), *self._groups(), *self._files()]
        found.append(Installed(tuple(_poetic(_table(pipfile, "packages"))), "Pipfile", tests=False))
        found.append(Installed(tuple(_poetic(_table(pipfile, "dev-packages"))), "Pipfile"))
        found = [one for one in found if one.arguments]
        yield from found
        tox = tuple(self._tox())
        if tox and not any(one.tests for one in found):
            found.append(Installed(tox, "tox.ini"))
            yield found[-1]
        known = {word for one in found for word in one.arguments}
        options = tuple(one for one in needed(self._options()) if one not in known)
        if options:
            yield Installed(options, "the options of pytest")

    def _itself(self) -> Iterator[Installed]:
        """The project with the extras for its tests; or, where it cannot be installed, what it
        needs."""
        project = _table(self.toml, "project")
        poetry = _table(self.toml, "tool", "poetry")
        optional = _table(project, "optional-dependencies")
        extras = [
            *optional,
            *_table(poetry, "extras"),
            *_table(self.setup, "extras_require"),
            *self.cfg.get("options.extras_require", {}),
        ]
        wanted = sorted({name for name in extras if _is_for_tests(name)})
        builds = "build-system" in self.toml and poetry.get("package-mode") is not False
        if builds or (self.root / "setup.py").is_file():
            origin = "pyproject.toml" if builds else "setup.py"
            where = f".[{','.join(wanted)}]" if wanted else "."
            yield Installed(("-e", where), origin, bool(wanted))
            yield Installed(tuple(_plain(self.setup.get("tests_require"))), "setup.py")
            return
        yield Installed(
            (
                *_plain(project.get("dependencies")),
                *(one for name in wanted for one in _plain(optional.get(name))),
                *_poetic(_table(poetry, "dependencies")),
            ),
            "pyproject.toml",
            bool(wanted),
        )
        options = self.cfg.get("options", {})
        listed = [self.cfg.get("options.extras_require", {}).get(name, "") for name in wanted]
        texts = [options.get("install_requires", ""), options.get("tests_require", ""), *listed]
        found = tuple(one for text in texts for one in _plain(text.splitlines()))
        yield Installed(found, "setup.cfg", bool(wanted or texts[1]))

    def _groups(self) -> Iterator[Installed]:
        """Groups of dependencies for tests, as several tools write them."""
        tool = _table(self.toml, "tool")
        groups = _table(self.toml, "dependency-groups")
        found = [one for name in groups if _is_for_tests(name) for one in _group(groups, name)]
        poetry = _table(tool, "poetry")
        for name, group in _table(poetry, "group").items():
            if _is_for_tests(name):
                found += _poetic(_table(group, "dependencies"))
        found += _poetic(_table(poetry, "dev-dependencies"))
        found += _plain(_table(tool, "uv").get("dev-dependencies"))
        pdm = _table(tool, "pdm", "dev-dependencies")
        found += [one for name in pdm if _is_for_tests(name) for one in _plain(pdm[name])]
        for name, environment in _table(tool, "hatch", "envs").items():
            if name == "default" or _is_for_tests(name.removeprefix("hatch-")):
                for kind in ("dependencies", "extra-dependencies"):
                    found += _plain(environment.get(kind)) if isinstance(environment, dict) else []
        yield Installed(tuple(dict.fromkeys(found)), "pyproject.toml")

    def _files(self) -> Iterator[Installed]:
        """Files of requirements: the plain one, and those for tests."""
        for folder in _FOLDERS:
            for file in sorted((self.root / folder).glob("*.txt")):
                named = _REQUIREMENTS.fullmatch(file.stem)
                inside = folder == "requirements" and _is_for_tests(file.stem)
                if (named or inside) and file.is_file():
                    path = file.relative_to(self.root).as_posix()
                    yield Installed(("-r", path), path, path != "requirements.txt")

    def _options(self) -> Iterator[str]:
        """What the configuration of pytest adds to its command line."""
        texts = [_table(self.toml, "tool", "pytest", "ini_options").get("addopts", "")]
        texts += [_ini(self.root / name).get("pytest", {}).get("addopts", "") for name in _INIS]
        texts.append(self.cfg.get("tool:pytest", {}).get("addopts", ""))
        for text in texts:
            with contextlib.suppress(ValueError):
                yield from text if isinstance(text, list) else shlex.split(str(text))

    def _tox(self) -> Iterator[str]:
        """What [testenv] of tox installs, without what depends on the environment's name."""
        tox = _ini(self.root / "tox.ini")
        text = tox.get("testenv", {}).get("deps", "")
        for raw in text.splitlines():
            line = raw.strip().replace("{toxinidir}/", "").replace("{tox_root}/", "")
            file = re.fullmatch(r"-r\s*(\S+)", line)
            if file and (self.root / file[1]).is_file():
                yield from ("-r", file[1])
            elif "{" not in line and not re.match(r"!?[\w,-]+:", line):
                yield from _plain([line])

    # ------------------------------------------------------------------------------- its Python

    def python(self) -> str:
        poetry = _table(self.toml, "tool", "poetry", "dependencies")
        options = self.cfg.get("options", {})
        said = (
            _table(self.toml, "project").get("requires-python"),
            poetry.get("python"),
            self.setup.get("python_requires"),
            options.get("python_requires"),
        )
        return next((one for one in said if isinstance(one, str) and one.strip()), "")

    def minors(self) -> frozenset[int]:
        texts = [_text(self.root / name) for name in ("pyproject.toml", "setup.py", "setup.cfg")]
        found = re.findall(r"Programming Language :: Python :: 3\.(\d+)", "\n".join(texts))
        return frozenset(map(int, found))

    def pinned(self) -> int | None:
        found = re.match(r"(?:cpython-)?3\.(\d+)", _text(self.root / ".python-version").strip())
        return int(found[1]) if found else None


def allows(specifier: str, minor: int) -> bool:
    """Whether a specifier takes some Python 3.minor.  A clause that is not understood takes all."""
    return any(
        all(
            _holds(clause.strip(), (3, minor, 99))
            for clause in re.split(r"[,\s]+(?=[<>=!~^\d])|,", way)
        )
        for way in specifier.split("||")
    )


def _holds(clause: str, version: tuple[int, int, int]) -> bool:
    found = re.fullmatch(r"(>=|<=|>|<|===?|!=|~=|~|\^|)\s*v?(\d+(?:\.\d+)*)(\.\*)?[\w.]*", clause)
    if found is None:
        return True
    sign, numbers = found[1], tuple(map(int, found[2].split(".")))
    same = version[: min(2, len(numbers))] == numbers[:2]
    if sign == ">=":
        return version >= numbers
    if sign == "<=":
        return version <= numbers
    if sign == ">":
        return version[: len(numbers)] > numbers or (len(numbers) > 2 and version > numbers)
    if sign == "<":
        return version < numbers
    if sign == "!=":
        return not (found[3] and same)
    if sign == "~=":
        return version >= numbers and version[: len(numbers) - 1] == numbers[:-1]
    if sign == "^":
        return version >= numbers and version[0] == numbers[0]
    return same  # "==", "~", and a number alone


# --------------------------------------------------------------------------------- the pieces


def _is_for_tests(name: str) -> bool:
    return name.lower().replace("_", "-") in TESTING


def _plain(found: object) -> list[str]:
    """Requirements of a list.  One that begins with "-" would be an option of pip."""
    if not isinstance(found, list | tuple):
        return []
    texts = [one.partition(" #")[0].strip() for one in found if isinstance(one, str)]
    return [one for one in texts if one and one[0] not in "-#"]


def _group(groups: Mapping[str, Any], name: str, within: tuple[str, ...] = ()) -> Iterator[str]:
    """A dependency group, and those that it includes."""
    if name in within or not isinstance(groups.get(name), list):
        return
    yield from _plain(groups[name])
    for one in groups[name]:
        if isinstance(one, dict) and isinstance(one.get("include-group"), str):
            yield from _group(groups, one["include-group"], (*within, name))


def _poetic(table: Mapping[str, Any]) -> list[str]:
    """Requirements as Poetry and Pipenv write them: a name, and a version or a table."""
    found = []
    for name, wanted in table.items():
        given = wanted if isinstance(wanted, dict) else {"version": wanted}
        version = given.get("version", "*")
        if name.lower() == "python" or not isinstance(version, str) or given.get("optional"):
            continue
        if {"git", "path", "url", "file"} & given.keys():
            continue
        extras = ",".join(_plain(given.get("extras")))
        found.append(f"{name}{f'[{extras}]' if extras else ''}{_bounds(version)}")
    return _plain(found)


def _bounds(version: str) -> str:
    """^1.2 and ~1.2 as pip has them; "" for whatever it does not know."""
    clauses = []
    for clause in filter(None, (part.strip() for part in version.split(","))):
        caret = re.fullmatch(r"([\^~])\s*(\d+(?:\.\d+)*)", clause)
        if caret:
            numbers = [int(part) for part in caret[2].split(".")]
            keep = 1 if caret[1] == "^" else min(2, len(numbers))
            if caret[1] == "^":  # the first that is not 0 stays
                keep = next((i + 1 for i, n in enumerate(numbers) if n), len(numbers))
            above = [*numbers[: keep - 1], numbers[keep - 1] + 1]
            clauses.append(f">={caret[2]},<{'.'.join(map(str, above))}")
        elif re.fullmatch(r"(>=|<=|>|<|==|!=|~=)\s*[\w.*+!-]+", clause):
            clauses.append(clause.replace(" ", ""))
        elif re.fullmatch(r"\d[\w.]*", clause):
            clauses.append(f"=={clause}")
        elif clause != "*":
            return ""
    return ",".join(clauses)


def _table(holder: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    found: Any = holder
    for name in filter(None, names):
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _toml(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(_text(file))
    except tomllib.TOMLDecodeError:
        return {}


def _ini(file: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_text(file))
        return {name: dict(parser[name]) for name in parser.sections()}
    except configparser.Error:
        return {}


def _setup(text: str) -> Mapping[str, Any]:
    """The arguments of setup() that stand there as they are, or as a constant of the file."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    known = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = {}
    for name, value in _arguments(ast.walk(tree)):
        try:
            found[name] = ast.literal_eval(_in_place(value, known))
        except (ValueError, TypeError, SyntaxError, RecursionError):
            if isinstance(value, ast.Dict):  # the names are enough, for extras
                found[name] = {key.value: [] for key in value.keys if isinstance(key, ast.Constant)}
    return found


def _in_place(value: ast.expr, known: Mapping[str, ast.expr]) -> ast.expr:
    return known.get(value.id, value) if isinstance(value, ast.Name) else value


def _arguments(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for node in nodes:
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if name == "setup":
                yield from ((one.arg, one.value) for one in node.keywords if one.arg)
