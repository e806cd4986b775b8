"""Settings from [tool.mgdebug], the environment and flags, in this order; the project's place."""

from __future__ import annotations

import difflib
import math
import os
import shutil
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from mgdebug.errors import InterpreterError, SettingsError, UsageError
from mgdebug.model import Limits, Target
from mgdebug.sandbox.policy import MODES, NETWORKS, Policy

_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", "pytest.ini", "tox.ini", ".git")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What of its values a trace keeps.

    depth: levels of containers and attributes; items: of a container, from both ends; characters:
    of one value's text.  visits: of a block that are kept, the first ones, and a quarter as many of
    the last ones.  masked: whether what looks like a secret is left out.
    """

    depth: int = 3
    items: int = 32
    characters: int = 400
    visits: int = 64
    masked: bool = True


DECOMPOSERS = ("mechanical", "model")
STRATEGIES = ("hierarchical", "blocks", "plan", "simulate", "feedback")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """names: of models as litellm spells them, from cheap to strong.  api_base: where they are
    asked, "" for where litellm asks.  strategy: one of STRATEGIES.  calls, tokens, cost: what one
    repair may use, requests that failed among the calls; tokens of prompts and replies; US dollars;
    0 for no limit.  seconds: for one call with its retries.  samples: replies that have to agree
    on what an untested function should give, 0 to ask nobody.  local_only: whether hosts other than
    this machine are refused.  consent: whether nobody is asked before the first call.  cache:
    whether replies are kept and used again.  stream: whether replies are streamed.  decompose:
    who splits what is asked about, one of DECOMPOSERS.  exemplars: how many of the corrections that
    were accepted earlier a model on this machine is shown.  search: whether
    small edits are tried around replies that failed, and without them."""

    names: tuple[str, ...] = ()
    api_base: str = ""
    strategy: str = "hierarchical"
    calls: int = 20
    tokens: int = 200_000
    cost: float = 1.0
    seconds: float = 60.0
    retries: int = 2
    temperature: float = 0.4
    samples: int = 1
    local_only: bool = False
    consent: bool = False
    cache: bool = True
    stream: bool = True
    decompose: str = DECOMPOSERS[0]
    exemplars: int = 0
    search: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """python: the interpreter of the project's tests, "" to look for it.  time: seconds for a whole
    repair.  case_time: seconds for one case.  collect_time: seconds for importing the project and
    collecting its cases.  memory: megabytes for one case's process.
    jobs: worker processes, 0 for one a core.  patches: tries, 0 for no limit.  engine: the
    proposers, chained with "+".  doctests: whether those of the target count.  seed: for
    whatever draws lots.  learn: whether accepted patches are remembered.  outline_statements,
    outline_nesting: a function with more statements, or deeper nesting, is split when it is
    outlined.  value_depth, value_items, value_characters,
    value_visits, mask_secrets: what a trace keeps, see Bounds.  sandbox: what the user's code may
    do.  model: whom the model engine asks, and how much."""

    python: str = ""
    time: float = 60.0
    case_time: float = 10.0
    collect_time: float = 60.0
    memory: int = 2048
    jobs: int = 0
    patches: int = 0
    engine: str = "search"
    doctests: bool = True
    seed: int = 0
    learn: bool = True
    outline_statements: int = 12
    outline_nesting: int = 3
    value_depth: int = 3
    value_items: int = 32
    value_characters: int = 400
    value_visits: int = 64
    mask_secrets: bool = True
    sandbox: Policy = field(default_factory=Policy)
    model: ModelSettings = field(default_factory=ModelSettings)

    @property
    def bounds(self) -> Bounds:
        return Bounds(
            max(1, self.value_depth),
            max(4, self.value_items),
            max(16, self.value_characters),
            max(1, self.value_visits),
            self.mask_secrets,
        )

    @property
    def limits(self) -> Limits:
        return Limits(
            seconds=self.time,
            patches=self.patches or None,
            memory=(self.memory << 20) or None,
            # One case that never ends must not eat the time of the whole repair.
            case_seconds=min(self.case_time, max(1.0, self.time / 10)),
            collect_seconds=min(self.collect_time, max(1.0, self.time / 2)),
        )

    @property
    def workers(self) -> int:
        return self.jobs or len(os.sched_getaffinity(0)) if _HAS_AFFINITY else self.jobs or 2


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")


def load(root: Path, environment: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """The settings of a project.  flags: those that the user gave, None for the others.

    Raises SettingsError for an unknown key (with the nearest name) or a value of a wrong type.
    """
    settings = Settings()
    file = root / "pyproject.toml"
    if file.is_file():
        try:
            table = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{file.name} cannot be read: {error}") from None
        for name in ("tool", "mgdebug"):
            table = table.get(name, {})
            if not isinstance(table, dict):
                raise SettingsError(f"{file.name}: {name} is {table!r}, not a table")
        spelled = "[tool.mgdebug] in pyproject.toml: {}".format
        settings = _merge(settings, table, spelled)
        settings = replace(settings, sandbox=_rooted(settings.sandbox, root, spelled))
    prefix = "MGDEBUG_"
    known = {field.name for field in fields(Settings)}
    own = {
        name.removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.startswith(prefix) and name.removeprefix(prefix).lower() in known
    }
    settings = _merge(settings, own, lambda name: f"${prefix}{name.upper()}")
    given = {name: value for name, value in flags.items() if value is not None}
    settings = _merge(settings, given, lambda name: f"--{name.replace('_', '-')}")
    for seconds, what, hint in (
        (settings.time, "a time", "give the repair some seconds, such as --time 60"),
        (settings.case_time, "a case time", "give each case some seconds, such as case_time = 10"),
        (settings.collect_time, "a collect time", "give it some seconds, as collect_time = 60"),
    ):
        if not 0 < seconds < math.inf:
            why = "leaves nothing to work with" if seconds <= 0 else "is no limit"
            raise UsageError(f"{what} of {seconds:g} s {why}", hint)
    return settings


def _merge(
    settings: Settings, table: Mapping[str, object], spelled: Callable[[str], str]
) -> Settings:
    """spelled: a name as the user wrote it, with its place."""
    kinds = {field.name: type(getattr(settings, field.name)) for field in fields(Settings)}
    changed: dict[str, object] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(kinds))}"
            raise SettingsError(f"{spelled(key)} is no setting of mgdebug", hint)
        if name == "sandbox":
            changed[name] = _policy(settings.sandbox, value, spelled)
            continue
        if name == "model":
            changed[name] = _model(settings.model, value, spelled)
            continue
        try:
            changed[name] = _as(kinds[name], value)
        except (ValueError, OverflowError):
            wanted = _WANTED[kinds[name]]
            raise SettingsError(f"{spelled(key)} is {value!r}, not {wanted}") from None
    return replace(settings, **changed)  # type: ignore[arg-type]


def _policy(policy: Policy, value: object, spelled: Callable[[str], str]) -> Policy:
    """A mode, or the table [tool.mgdebug.sandbox]."""
    table = value if isinstance(value, dict) else {"mode": value}
    for key, given in table.items():
        name = spelled("sandbox" if table is not value else f"sandbox.{key}")
        if key not in _SANDBOX:
            near = difflib.get_close_matches(key, _SANDBOX, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(_SANDBOX))}"
            raise SettingsError(f"{name} is no setting of mgdebug", hint)
        field, wanted, read = _SANDBOX[key]
        try:
            policy = policy._replace(**{field: read(given)})  # type: ignore[arg-type]
        except ValueError:
            raise SettingsError(f"{name} is {given!r}, not {wanted}") from None
    return policy


def _model(model: ModelSettings, value: object, spelled: Callable[[str], str]) -> ModelSettings:
    """A name, a list of names, or the table [tool.mgdebug.model]."""
    table = value if isinstance(value, dict) else {"name": value}
    for key, given in table.items():
        name = spelled("model" if table is not value else f"model.{key}")
        field = key.replace("-", "_")
        if field not in _MODEL:
            near = difflib.get_close_matches(field, _MODEL, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(_MODEL))}"
            raise SettingsError(f"{name} is no setting of mgdebug", hint)
        wanted, read = _MODEL[field]
        try:
            found = read(given)
        except (ValueError, OverflowError):
            raise SettingsError(f"{name} is {given!r}, not {wanted}") from None
        model = replace(model, **{"names" if field == "name" else field: found})  # type: ignore[arg-type]
    return model


def _names(value: object) -> tuple[str, ...]:
    found = _texts([part.strip() for part in value.split(",")] if isinstance(value, str) else value)
    if not found:
        raise ValueError
    return found


def _one_of(words: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return read


def _network(value: object) -> str:
    if isinstance(value, bool):
        return "all" if value else "none"
    return _one_of(NETWORKS)(value)


def _processes(value: object) -> int:
    if isinstance(value, bool):
        return Policy().processes if value else 0
    if not isinstance(value, int) or value < 0:
        raise ValueError
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise ValueError
    return tuple(value)


# A key of [tool.mgdebug.sandbox]: the field of Policy, what is wanted in words, how it is read.
_SANDBOX: Mapping[str, tuple[str, str, Callable[[object], object]]] = {
    "mode": ("mode", f"one of {', '.join(MODES)}", _one_of(MODES)),
    "network": ("network", f"true, false, or one of {', '.join(NETWORKS)}", _network),
    "write": ("write", "a list of paths", _texts),
    "subprocess": ("processes", "true, false, or how many at once", _processes),
    "env": ("env", "a list of names", _texts),
}


_WANTED: Mapping[type, str] = {
    bool: "true or false",
    str: "text",
    int: "a whole number, 0 or more",
    float: "a number",
}


def _reader(kind: type) -> tuple[str, Callable[[object], object]]:
    return _WANTED[kind], lambda value: _as(kind, value)


# A key of [tool.mgdebug.model]: what is wanted in words, how it is read.
_MODEL: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "name": ("the name of a model, or a list of names", _names),
    "strategy": (f"one of {', '.join(STRATEGIES)}", _one_of(STRATEGIES)),
    "decompose": (f"one of {', '.join(DECOMPOSERS)}", _one_of(DECOMPOSERS)),
    "api_base": _reader(str),
    **{name: _reader(int) for name in ("calls", "tokens", "retries", "samples", "exemplars")},
    **{name: _reader(float) for name in ("cost", "seconds", "temperature")},
    **{name: _reader(bool) for name in ("local_only", "consent", "cache", "stream", "search")},
}


def _rooted(policy: Policy, root: Path, spelled: Callable[[str], str]) -> Policy:
    """Paths from the root of the project, made absolute.  Raises SettingsError for what is not
    there."""
    found = []
    for path in policy.write:
        place = root / Path(path).expanduser()
        if not place.exists():
            what = f"{spelled('sandbox.write')}: there is no {path}"
            raise SettingsError(what, "create it first")
        found.append(str(place.resolve()))
    return policy._replace(write=tuple(found))


def _as(kind: type, value: object) -> object:
    if kind is bool:
        if isinstance(value, bool):
            return value
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        raise ValueError
    if kind is str:
        if isinstance(value, str):
            return value
        raise ValueError
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if kind is int and (isinstance(value, float) or int(value) < 0):
        raise ValueError
    return kind(value)


def find_root(start: Path) -> Path:
    """The project around a folder: the nearest one up that has a mark of a project, else itself."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            return folder
    return start


def find_target(
    cwd: Path, name: str, tests: tuple[str, ...], expressions: tuple[str, ...], io: Path | None
) -> Target:
    """What the user named, with paths checked.

    name: "", a path, or a path and a subfunction: "src/mod.py::Class.method".
    Raises UsageError for a path that does not exist or lies outside the project.
    """
    cwd = cwd.resolve()
    root = find_root(cwd)
    path, _, qualname = name.partition("::")
    inside = ""
    if path:
        file = (cwd / path).resolve()
        if not file.exists():
            raise UsageError(f"{path} does not exist", _nearest(cwd, path))
        if not file.is_relative_to(root):
            raise UsageError(
                f"{path} is outside the project {root}", "run mgdebug in the project of that file"
            )
        if file.is_dir():
            raise UsageError(
                f"{path} is a folder", "name a file, or nothing to search the whole project"
            )
        inside = file.relative_to(root).as_posix()
    for test in tests:
        if not (cwd / test.partition("::")[0]).exists():
            raise UsageError(f"--tests {test}: no such file or folder", _nearest(cwd, test))
    if (expressions or io) and not path:
        flag = "--io" if io else "--case"
        raise UsageError(
            f"{flag} needs a file to run on", f"mgdebug fix FILE {flag} ..., or trace FILE"
        )
    return Target(root, cwd, inside, qualname.replace("::", "."), tests, expressions, io)


def _nearest(cwd: Path, path: str) -> str:
    wanted = Path(path.partition("::")[0]).name
    names = {p.name: p for p in cwd.rglob("*.py") if ".venv" not in p.parts}
    near = difflib.get_close_matches(wanted, names, 1)
    return f"did you mean {names[near[0]].relative_to(cwd)}?" if near else ""


def find_python(root: Path, wanted: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The project's interpreter, and why this one.  Raises InterpreterError if `wanted` is none."""
    if wanted:
        found = shutil.which(wanted) or shutil.which(str(root / wanted))
        if found is None:
            raise InterpreterError(
                f"there is no interpreter {wanted}",
                "--python, $MGDEBUG_PYTHON and the setting `python` want the path of a Python",
            )
        return os.path.abspath(found), "--python"  # noqa: PTH100 (a venv's link must stay a link)
    active = environment.get("VIRTUAL_ENV")
    if active and (Path(active) / "bin/python").exists():
        return str(Path(active) / "bin/python"), "$VIRTUAL_ENV"
    for name in (".venv", "venv"):
        if (root / name / "bin/python").exists():
            return str(root / name / "bin/python"), f"{name} of the project"
    return sys.executable, "mgdebug's own"
