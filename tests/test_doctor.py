"""The doctor as a user meets it: real interpreters, a real environment made by pip without network,
a real server; and what a project's files say that it needs."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import select
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from mgdebug.doctor import Check, Patient, State, code_of, models
from mgdebug.doctor.declared import Declared, allows, declared
from mgdebug.doctor.machine import cache, sandbox, state
from mgdebug.doctor.making import planned
from mgdebug.errors import InterpreterError
from mgdebug.sandbox.policy import Policy
from mgdebug.sandbox.process import Confinement
from mgdebug.settings import Loaded, ModelSettings, Settings

COMMAND = [sys.executable, "-m", "mgdebug", "doctor"]


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MGDEBUG_", "VIRTUAL_ENV"))}
    state = str(tmp_path_factory.mktemp("state"))
    return {**own, "XDG_STATE_HOME": state, "XDG_CACHE_HOME": state, "PYTHONIOENCODING": "utf-8"}


def doctor(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert "Traceback" not in done.stderr
    return done


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """By name; the last one of a name."""
    return {one["check"]: one for one in map(json.loads, done.stdout.splitlines())}


# ---------------------------------------------------------------------------------- the checks


def test_a_project_that_works_is_ok_and_nothing_is_written_to_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "test_it.py").write_text("def test_one(): pass\ndef test_two(): assert 0\n")
    done = doctor(tmp_path, environment)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    names = [line.split()[2] for line in lines if not line.startswith(" ")]
    expected = ["settings", "interpreter", "pytest", "sandbox", "collection"]
    assert names == [*expected, "git", "state", "cache", "model"]
    assert f"{sys.executable}, Python 3." in lines[1]
    assert lines[1].endswith(": mgdebug's own")
    assert "2 cases in 1 file" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["test_it.py"]


def test_without_tests_the_code_is_5_and_wrong_settings_and_interpreters_are_told(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.mgdebug]\ntime = 30\n")
    none = doctor(tmp_path, environment | {"MGDEBUG_TIEM": "1"}, "--json")
    said = checks(none)
    assert none.returncode == 5
    assert said["collection"]["state"] == "no tests"
    assert "--case" in said["collection"]["mend"]
    assert said["settings"]["mend"] == "did you mean $MGDEBUG_TIME?"
    (tmp_path / "pyproject.toml").write_text("[tool.mgdebug]\npython = 'nowhere'\n")
    found = {check.name: check for check in Patient(tmp_path, {}, {}).checks()}
    assert found["interpreter"].what == "there is no interpreter nowhere"
    assert code_of(found.values()) == 3
    (tmp_path / "pyproject.toml").write_text("[tool.mgdebug]\ntiem = 1\n")
    found = {check.name: check for check in Patient(tmp_path, {}, {}).checks()}
    assert (found["settings"].state, found["settings"].mend) == (State.BROKEN, "did you mean time?")
    assert found.keys() == {"settings", "git", "state", "cache"}


def test_what_does_not_parse_is_left_to_fix(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "test_a.py").write_text("def test_a(): pass\n")
    (tmp_path / "test_b.py").write_text("def test_b(:\n")
    done = doctor(tmp_path, environment, "--json")
    assert done.returncode == 0
    found = checks(done)["collection"]
    assert (found["state"], found["mend"]) == ("warning", "mgdebug fix")
    assert found["more"] == ["test_b.py: SyntaxError: invalid syntax"]


@pytest.mark.parametrize(
    ("policy", "found", "expected", "said"),
    [
        (Policy(), Confinement((), True, True), State.OK, "nothing gets out (name spaces"),
        (Policy(), Confinement((), False, False), State.OK, "Landlock and seccomp alone"),
        (Policy(), Confinement(("it leaks",)), State.WARNING, "weaker here: it leaks"),
        (Policy("strict"), Confinement(("it leaks",)), State.BROKEN, "not strict here"),
        (Policy("off"), Confinement(), State.WARNING, "off"),
    ],
)
def test_the_sandbox_is_as_good_as_what_could_not_be_done(
    policy: Policy, found: Confinement, expected: State, said: str
) -> None:
    check = sandbox(policy, found)
    assert check.state is expected
    assert said in check.what
    assert bool(check.mend) is (expected is not State.OK)


def test_a_folder_that_cannot_be_written_is_broken_for_undo_and_not_for_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for variable in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "file"))
    assert state(tmp_path).state is State.BROKEN
    assert cache(tmp_path).state is State.WARNING
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new"))
    assert cache(tmp_path).state is State.OK
    assert not (tmp_path / "new").exists()


def test_the_exit_code_is_that_of_the_worst() -> None:
    ok, warning, broken, none = (Check("x", one, "") for one in State)
    assert [code_of(some) for some in ([ok, warning], [ok, none], [none, broken])] == [0, 5, 3]


def test_a_model_is_looked_at_only_if_one_is_configured_and_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (only,) = models.checks(Loaded(Settings(), {}))
    assert only.state is State.OK
    assert "none is configured" in only.what
    for variable in ("OPENAI_API_KEY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        asked = ModelSettings(names=("openai/x", "ollama/y", "ollama/z"), api_base=base)
        found = models.checks(Loaded(Settings(engine="both", model=asked), {}))
        keyless, local = next(found), next(found)
        server.setblocking(False)
        with server.accept()[0] as connection:
            assert connection.recv(1) == b""
        with pytest.raises(BlockingIOError):
            server.accept()
    (gone,) = found
    assert (keyless.state, keyless.mend) == (State.BROKEN, "export OPENAI_API_KEY=any")
    assert (local.state, local.mend) == (State.OK, "")
    assert (gone.state, gone.mend) == (State.BROKEN, "ollama serve")


# ------------------------------------------------------------------------------ an environment


def wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes]) -> None:
    """A wheel of these files; its metadata are made unless they are among them."""
    info = f"{name}-{version}.dist-info"
    said = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    kind = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    whole = {f"{info}/METADATA": said, f"{info}/WHEEL": kind, **files}
    rows = []
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, data in whole.items():
            archive.writestr(path, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(data)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]))


def installed(folder: Path, name: str) -> None:
    """A wheel of what is installed here."""
    of = distribution(name)
    kept = {
        str(file): file.locate().read_bytes()  # type: ignore[attr-defined]
        for file in of.files or ()
        if ".." not in file.parts and file.suffix != ".pyc" and file.name != "RECORD"
        # All other colours would take most of the time.
        if "lexers" not in file.parts or file.stem in ("__init__", "_mapping", "diff", "python")
    }
    (info,) = {path.partition("/")[0] for path in kept if ".dist-info/" in path}
    title, _, version = info.removesuffix(".dist-info").rpartition("-")
    wheel(folder, title, version, kept)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that is to be had: pytest and what it needs, and a module that tests import."""
    folder = tmp_path_factory.mktemp("index")
    for name in ("pytest", "pluggy", "iniconfig", "packaging", "pygments"):
        installed(folder, name)
    wheel(folder, "thrice", "1.5", {"thrice.py": b"def thrice(x):\n    return 3 * x\n"})
    return folder


PROJECT = """\
[project]
name = "clone"
version = "1"
requires-python = ">=3.11"
dependencies = ["thrice >=1"]

[dependency-groups]
dev = [{include-group = "test"}, "no-such-distribution"]
test = ["pytest"]
"""


def test_a_fresh_clone_is_made_to_work_and_its_files_stay(
    tmp_path: Path, environment: dict[str, str], index: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "test_it.py").write_text(
        "import thrice, pytest\ndef test_it(): assert thrice.thrice(2) == 6\n"
    )
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    offline = environment | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    offline["PIP_CONFIG_FILE"] = os.devnull

    shown = doctor(tmp_path, offline, "--make-env")
    assert shown.returncode == 3
    assert "nothing was run; --yes runs it" in shown.stderr
    commands = [line.strip() for line in shown.stdout.splitlines()]
    assert commands[0].endswith("-m venv .venv")
    assert commands[1:] == [
        ".venv/bin/python -m pip install 'thrice >=1'",
        ".venv/bin/python -m pip install no-such-distribution pytest",
        ".venv/bin/python -m pip install pytest",
    ]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

    made = doctor(tmp_path, offline, "--make-env", "--yes", "--json")
    assert made.returncode == 0, made.stdout + made.stderr
    found = checks(made)
    assert found["interpreter"]["what"].startswith(".venv/bin/python, Python 3.11")
    assert found["pytest"]["what"] == distribution("pytest").version
    assert found["collection"]["what"].startswith("1 case in 1 file")
    assert "failed    .venv/bin/python -m pip install no-such-distribution" in made.stderr
    left = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.name != ".venv"}
    assert left == before
    assert (tmp_path / ".venv/.gitignore").read_text() == "*\n"


def test_on_a_terminal_an_environment_is_offered_for_what_is_missing_and_no_is_heard(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "test_it.py").write_text("import no_such_thing\n")
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(sys.executable, COMMAND, environment)
    said, answered, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            said += os.read(terminal, 65536)
        except OSError:
            break
        if b"Run these commands? [y/N]" in said and not answered:
            answered = True
            os.write(terminal, b"n\n")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    assert answered
    assert b"test_it.py: ModuleNotFoundError: No module named 'no_such_thing'" in said
    assert b"next: mgdebug doctor --make-env" in said
    assert b"-m venv .venv" in said
    assert b"outside the sandbox" in said
    assert [path.name for path in tmp_path.iterdir()] == ["test_it.py"]


def environment_at(folder: Path) -> str:
    """What looks like a virtual environment with this interpreter; its Python."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    (folder / "bin/python").symlink_to(sys.executable)
    return str(folder / "bin/python")


def test_an_environment_that_is_there_is_touched_only_if_it_was_chosen(tmp_path: Path) -> None:
    other = environment_at(tmp_path / "other")
    plan = planned(tmp_path, other, "$MGDEBUG_PYTHON")
    assert plan.folder is None
    assert [command[1:] for command in plan.commands][-1] == ("-m", "pip", "install", "pytest")
    plain = shutil.which("sh") or "/bin/sh"
    with pytest.raises(InterpreterError, match="belongs to no virtual environment"):
        planned(tmp_path, plain, "$MGDEBUG_PYTHON")
    assert planned(tmp_path, plain, "--python", asked_for=True).commands[0][0] == plain
    with pytest.raises(InterpreterError, match="mgdebug's own") as caught:
        planned(tmp_path, sys.executable, "$VIRTUAL_ENV")
    assert caught.value.hint == "leave it first: deactivate"
    environment_at(tmp_path / ".venv")
    for origin in ("mgdebug's own", "--python"):
        with pytest.raises(InterpreterError, match=r"^\.venv is there"):
            planned(tmp_path, sys.executable, origin, asked_for=origin == "--python")


def test_the_python_that_is_pinned_or_supported_is_taken_and_else_none(tmp_path: Path) -> None:
    own = sys.version_info[1]
    (tmp_path / "setup.py").write_text(f"setup(python_requires='>=3.{own},<3.{own + 1}')")
    assert (
        f"Python 3.{own}, which >=3.{own}" in planned(tmp_path, sys.executable, "mgdebug's own").why
    )
    (tmp_path / ".python-version").write_text(f"3.{own}.1\n")
    assert planned(tmp_path, sys.executable, "mgdebug's own").why.endswith("names")
    (tmp_path / "setup.py").write_text("setup(python_requires='<3')")
    with pytest.raises(InterpreterError, match="the project wants Python <3") as caught:
        planned(tmp_path, sys.executable, "mgdebug's own")
    assert "--python PATH" in caught.value.hint


@pytest.mark.parametrize(
    ("specifier", "minors"),
    [
        ("", range(8, 14)),
        (">=3.10", range(10, 14)),
        (">3.9, <3.12", range(10, 12)),
        (">=3.8,!=3.9.*,<4", [8, *range(10, 14)]),
        ("~=3.11", range(11, 14)),
        ("==3.12.*", [12]),
        ("^3.9", range(9, 14)),
        ("~3.9", [9]),
        ("~3.9 || ~3.11", [9, 11]),
        (">=3.9 <3.11", [9, 10]),
        ("<=3.10", [8, 9]),
        ("nonsense", range(8, 14)),
    ],
)
def test_a_specifier_allows_what_pip_would(specifier: str, minors: list[int]) -> None:
    assert [n for n in range(8, 14) if allows(specifier, n)] == list(minors)


PYPROJECT = "pyproject.toml"
FILES: list[tuple[dict[str, str], list[list[str]]]] = [
    ({}, []),
    (
        {
            PYPROJECT: "[build-system]\n[project.optional-dependencies]\n"
            "dev = []\ndocs = []\nTest = []"
        },
        [["-e", ".[Test,dev]"]],
    ),
    (
        {
            PYPROJECT: "[project]\ndependencies = ['a>1']\n"
            "[project.optional-dependencies]\ntest = ['b']"
        },
        [["a>1", "b"]],
    ),
    (
        {
            "setup.py": "import os\nE = {'test': ['x']}\n"
            "setup(extras_require=E, tests_require=['t'], version=os.x)"
        },
        [["-e", ".[test]"], ["t"]],
    ),
    (
        {
            "setup.cfg": "[options]\ninstall_requires =\n  a\n  b>2\n"
            "[options.extras_require]\ntests =\n  c"
        },
        [["a", "b>2", "c"]],
    ),
    (
        {
            "requirements.txt": "",
            "requirements-docs.txt": "",
            "dev-requirements.txt": "",
            "requirements/test.txt": "",
            "tests/requirements.txt": "",
            "notes.txt": "",
        },
        [
            ["-r", "dev-requirements.txt"],
            ["-r", "requirements.txt"],
            ["-r", "requirements/test.txt"],
            ["-r", "tests/requirements.txt"],
        ],
    ),
    (
        {
            "requirements.txt": "",
            "tox.ini": "[testenv]\ndeps =\n  pytest\n  -r{toxinidir}/r.txt\n"
            "  py38: x\n  {y}\n  # no",
            "r.txt": "",
        },
        [["-r", "requirements.txt"], ["pytest", "-r", "r.txt"]],
    ),
    (
        {"requirements-dev.txt": "", "tox.ini": "[testenv]\ndeps = a"},
        [["-r", "requirements-dev.txt"]],
    ),
    (
        {
            "Pipfile": "[packages]\na = '*'\ng = {git = 'x'}\n"
            "[dev-packages]\nb = '==1.0'\nc = {version = '>=2', extras = ['d']}"
        },
        [["a"], ["b==1.0", "c[d]>=2"]],
    ),
    (
        {
            PYPROJECT: "[build-system]\n[tool.poetry.dependencies]\npython = '^3.8'\n"
            "[tool.poetry.group.test.dependencies]\na = '^1.2'\nb = '~0.3.1'\nc = '^0.2'\n"
            "[tool.poetry.group.docs.dependencies]\nz = '*'"
        },
        [["-e", "."], ["a>=1.2,<2", "b>=0.3.1,<0.4", "c>=0.2,<0.3"]],
    ),
    (
        {
            PYPROJECT: "[dependency-groups]\n"
            "test = ['--index-url=http://x', 'a', {include-group = 'test'}]"
        },
        [["a"]],
    ),
    ({PYPROJECT: "[", "setup.py": "def (", "setup.cfg": "x", "tox.ini": "["}, [["-e", "."]]),
]


@pytest.mark.parametrize(("files", "installs"), FILES)
def test_what_the_files_declare_is_read_without_running_any(
    tmp_path: Path, files: dict[str, str], installs: list[list[str]]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found: Declared = declared(tmp_path)
    assert [list(one.arguments) for one in found.installs] == installs


def test_plugins_are_known_by_the_options_that_the_configuration_gives(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "p"\n[tool.pytest.ini_options]\n'
        "addopts = \"--cov=p -n4 -k 'not slow' --timeout=3 --covered\"\n"
    )
    last = declared(tmp_path).installs[-1]
    assert last.arguments == ("pytest-cov", "pytest-xdist", "pytest-timeout")
    assert last.origin == "the options of pytest"
