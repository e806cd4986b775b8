"""Where settings come from, which wins, what is refused; the project, its target, its Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mgdebug.errors import InterpreterError, MgdebugError, SettingsError, UsageError
from mgdebug.sandbox.policy import Policy
from mgdebug.settings import Settings, find_python, find_root, find_target, load


def settings(
    root: Path,
    table: str = "",
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    if table:
        (root / "pyproject.toml").write_text(f"[tool.mgdebug]\n{table}\n", "utf-8")
    return load(root, environment or {}, flags or {})


# ---------------------------------------------------------------------------------- order


def test_without_anything_said_the_defaults_hold(tmp_path: Path) -> None:
    assert settings(tmp_path) == Settings()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n[tool.other]\ntime = 'x'\n")
    assert settings(tmp_path) == Settings()


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    table = "time = 1\ncase-time = 2.5\njobs = 3\npython = 'a'\ndoctests = false"
    environment = {"MGDEBUG_JOBS": "4", "MGDEBUG_PYTHON": "b", "MGDEBUG_SEED": "7"}
    flags = {"python": "c", "time": None, "jobs": None}
    assert settings(tmp_path, table, environment, flags) == Settings(
        python="c", time=1.0, case_time=2.5, jobs=4, doctests=False, seed=7
    )


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        ("time = 5", "time", 5.0),
        ("time = 0.5", "time", 0.5),
        ("case-time = 2", "case_time", 2.0),
        ("case_time = 2", "case_time", 2.0),
        ("memory = 0", "memory", 0),
        ("engine = 'search+llm'", "engine", "search+llm"),
        ("doctests = false", "doctests", False),
        ("python = 'größe/python'", "python", "größe/python"),
    ],
)
def test_a_table_sets(tmp_path: Path, table: str, name: str, value: object) -> None:
    found = getattr(settings(tmp_path, table), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("MGDEBUG_TIME", "1.5", "time", 1.5),
        ("MGDEBUG_CASE_TIME", "2", "case_time", 2.0),
        ("MGDEBUG_DOCTESTS", "0", "doctests", False),
        ("MGDEBUG_DOCTESTS", "False", "doctests", False),
        ("MGDEBUG_DOCTESTS", "no", "doctests", False),
        ("MGDEBUG_DOCTESTS", "YES", "doctests", True),
        ("MGDEBUG_DOCTESTS", "1", "doctests", True),
        ("MGDEBUG_MEMORY", "512", "memory", 512),
        ("MGDEBUG_PYTHON", "12", "python", "12"),
    ],
)
def test_a_variable_sets(
    tmp_path: Path, variable: str, text: str, name: str, value: object
) -> None:
    found = getattr(settings(tmp_path, "", {variable: text, "PATH": "x"}), name)
    assert found == value
    assert type(found) is type(value)


def test_variables_of_other_tools_are_none_of_our_business(tmp_path: Path) -> None:
    assert settings(tmp_path, "", {"MGDEBUG_DATA": "/data", "TIME": "x"}) == Settings()


# -------------------------------------------------------------------------------- refusals

FILE = "[tool.mgdebug] in pyproject.toml: "


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ("tme = 3", f"{FILE}tme is no setting of mgdebug", "did you mean time?"),
        ("case-tim = 3", f"{FILE}case-tim is no setting of mgdebug", "did you mean case_time?"),
        (
            "zzz = 3",
            f"{FILE}zzz is no setting of mgdebug",
            "known: case_time, collect_time, doctests, engine, jobs, ",
        ),
        ("limits = {}", f"{FILE}limits is no setting of mgdebug", "known: "),
        ("time = 'soon'", f"{FILE}time is 'soon', not a number", ""),
        ("time = true", f"{FILE}time is True, not a number", ""),
        ("time = [1]", f"{FILE}time is [1], not a number", ""),
        (f"time = 1{'0' * 400}", f"{FILE}time is 1000", ""),
        ("case-time = {}", f"{FILE}case-time is {{}}, not a number", ""),
        ("jobs = -1", f"{FILE}jobs is -1, not a whole number, 0 or more", ""),
        ("jobs = 2.5", f"{FILE}jobs is 2.5, not a whole number, 0 or more", ""),
        ("jobs = inf", f"{FILE}jobs is inf, not a whole number, 0 or more", ""),
        ("memory = nan", f"{FILE}memory is nan, not a whole number, 0 or more", ""),
        ("doctests = 1", f"{FILE}doctests is 1, not true or false", ""),
        ("doctests = 'maybe'", f"{FILE}doctests is 'maybe', not true or false", ""),
        ("python = 3.11", f"{FILE}python is 3.11, not text", ""),
        ("engine = ['search']", f"{FILE}engine is ['search'], not text", ""),
    ],
)
def test_a_table_with_a_mistake_is_refused(
    tmp_path: Path, table: str, message: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, table)
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)
    assert bool(caught.value.hint) == bool(hint)


@pytest.mark.parametrize(
    ("environment", "flags", "message"),
    [
        ({"MGDEBUG_TIME": "soon"}, {}, "$MGDEBUG_TIME is 'soon', not a number"),
        ({"MGDEBUG_JOBS": "2.0"}, {}, "$MGDEBUG_JOBS is '2.0', not a whole number, 0 or more"),
        ({"MGDEBUG_CASE_TIME": ""}, {}, "$MGDEBUG_CASE_TIME is '', not a number"),
        ({"MGDEBUG_DOCTESTS": "on?"}, {}, "$MGDEBUG_DOCTESTS is 'on?', not true or false"),
        ({}, {"jobs": -1}, "--jobs is -1, not a whole number, 0 or more"),
        ({}, {"case_time": "x"}, "--case-time is 'x', not a number"),
    ],
)
def test_a_mistake_is_named_as_the_user_wrote_it(
    tmp_path: Path, environment: dict[str, str], flags: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, "", environment, flags)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[tool.mgdebug", "pyproject.toml cannot be read: "),
        (b"x = '\xff'", "pyproject.toml cannot be read: "),
        (b"tool = 3", "pyproject.toml: tool is 3, not a table"),
        (b"[tool]\nmgdebug = 'x'", "pyproject.toml: mgdebug is 'x', not a table"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text)
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (0, "a time of 0 s leaves nothing to work with"),
        (-2.5, "a time of -2.5 s leaves nothing to work with"),
        (float("-inf"), "a time of -inf s leaves nothing to work with"),
        (float("inf"), "a time of inf s is no limit"),
        (float("nan"), "a time of nan s is no limit"),
    ],
)
def test_a_time_that_is_no_time_is_refused(tmp_path: Path, seconds: float, message: str) -> None:
    ways: list[tuple[str, dict[str, str], dict[str, object]]] = [
        ("", {}, {"time": seconds}),
        ("", {"MGDEBUG_TIME": str(seconds)}, {}),
        (f"time = {seconds}", {}, {}),
    ]
    for way in ways:
        with pytest.raises(UsageError) as caught:
            settings(tmp_path, *way)
        assert caught.value.message == message
        assert "--time 60" in caught.value.hint


@pytest.mark.parametrize("seconds", ["0", "-3", "inf", "nan"])
def test_a_time_for_one_case_that_is_no_time_is_refused(tmp_path: Path, seconds: str) -> None:
    with pytest.raises(UsageError, match=rf"^a case time of {seconds} s "):
        settings(tmp_path, f"case-time = {seconds}")


# ---------------------------------------------------------------------------- what follows


def test_limits_follow_from_settings() -> None:
    limits = Settings(time=200.0, case_time=10.0, memory=3, patches=0).limits
    assert (limits.seconds, limits.case_seconds) == (200.0, 10.0)
    assert (limits.memory, limits.patches) == (3 << 20, None)
    assert Settings(memory=0, patches=9).limits.memory is None
    assert Settings(memory=0, patches=9).limits.patches == 9


@pytest.mark.parametrize(
    ("time", "case_time", "seconds"), [(60, 10, 6), (60, 2, 2), (3, 10, 1), (3, 0.5, 0.5)]
)
def test_one_case_never_eats_the_time_of_the_repair(
    time: float, case_time: float, seconds: float
) -> None:
    assert Settings(time=time, case_time=case_time).limits.case_seconds == seconds


def test_there_is_at_least_one_worker_and_as_many_as_asked_for() -> None:
    assert Settings().workers >= 1
    assert Settings(jobs=7).workers == 7


# ------------------------------------------------------------------------------- the project


@pytest.mark.parametrize("mark", ["pyproject.toml", "setup.cfg", "setup.py", "tox.ini", ".git"])
def test_the_root_is_the_nearest_folder_up_with_a_mark(tmp_path: Path, mark: str) -> None:
    (tmp_path / "pyproject.toml").touch()
    inner = tmp_path / "a" / "b"
    (inner / "c" / "d").mkdir(parents=True)
    assert find_root(inner / "c") == tmp_path
    (inner / mark).touch()
    assert find_root(inner / "c" / "d") == inner
    assert find_root(inner) == inner


def test_a_link_to_a_project_is_the_project(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "real" / "pytest.ini").touch()
    (tmp_path / "link").symlink_to("real")
    assert find_root(tmp_path / "link" / "sub") == tmp_path / "real"


def test_a_folder_without_a_mark_around_it_is_its_own_root(tmp_path: Path) -> None:
    marks = ("pyproject.toml", "setup.cfg", "setup.py", "pytest.ini", "tox.ini", ".git")
    if any((up / mark).exists() for up in tmp_path.parents for mark in marks):
        pytest.skip("the temporary folder lies in a project")
    (tmp_path / "deep").mkdir()
    assert find_root(tmp_path / "deep") == tmp_path / "deep"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src" / "tests").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    (root / "src" / "module.py").touch()
    (root / "src" / "tests" / "test_module.py").touch()
    (tmp_path / "outside.py").touch()
    return root


def test_a_target_is_named_by_path_and_subfunction(project: Path) -> None:
    found = find_target(project / "src", "module.py::Class::method", (), (), None)
    assert (found.root, found.cwd) == (project, project / "src")
    assert (found.path, found.qualname) == ("src/module.py", "Class.method")
    dotted = find_target(project, "src/module.py::Class.method", ("src/tests",), ("f()",), None)
    assert (dotted.path, dotted.qualname) == ("src/module.py", "Class.method")
    assert (dotted.tests, dotted.expressions) == (("src/tests",), ("f()",))
    whole = find_target(project, "", ("src/tests/test_module.py::test_x[a::b]",), (), None)
    assert (whole.path, whole.qualname) == ("", "")


@pytest.mark.parametrize(
    ("name", "tests", "expressions", "message", "hint"),
    [
        ("src/modul.py", (), (), "src/modul.py does not exist", "did you mean src/module.py?"),
        ("zzz.py::f", (), (), "zzz.py does not exist", ""),
        ("../outside.py", (), (), "../outside.py is outside the project", "run mgdebug in"),
        ("src", (), (), "src is a folder", "name a file"),
        ("", ("src/tests/test_modul.py::t",), (), "--tests src/tests/test_modul.py::t: ", "did"),
        ("", (), ("f(1) == 2",), "--case needs a file to run on", "mgdebug fix FILE --case"),
    ],
)
def test_a_target_that_cannot_be_is_refused(
    project: Path,
    name: str,
    tests: tuple[str, ...],
    expressions: tuple[str, ...],
    message: str,
    hint: str,
) -> None:
    with pytest.raises(UsageError) as caught:
        find_target(project, name, tests, expressions, None)
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)
    assert bool(caught.value.hint) == bool(hint)


def test_pairs_of_input_and_output_need_a_file(project: Path) -> None:
    with pytest.raises(UsageError, match="--io needs a file"):
        find_target(project, "", (), (), project / "src")
    assert find_target(project, "src/module.py", (), (), project / "src").io == project / "src"


def test_a_link_that_leads_outside_is_outside(project: Path) -> None:
    (project / "link.py").symlink_to("../outside.py")
    with pytest.raises(UsageError, match="outside the project"):
        find_target(project, "link.py", (), (), None)


# ---------------------------------------------------------------------------- its interpreter


def interpreter(place: Path) -> str:
    """A file that may be run, where a virtual environment has its Python."""
    python = place / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return str(python)


def test_the_interpreter_asked_for_wins_then_the_active_then_the_projects(tmp_path: Path) -> None:
    root = tmp_path / "project"
    assert find_python(root, "", {}) == (sys.executable, "mgdebug's own")
    plain = interpreter(root / "venv")
    assert find_python(root, "", {}) == (plain, "venv of the project")
    dotted = interpreter(root / ".venv")
    assert find_python(root, "", {}) == (dotted, ".venv of the project")
    active = interpreter(tmp_path / "active")
    environment = {"VIRTUAL_ENV": str(tmp_path / "active")}
    assert find_python(root, "", environment) == (active, "$VIRTUAL_ENV")
    gone = {"VIRTUAL_ENV": str(tmp_path / "gone")}
    assert find_python(root, "", gone) == (dotted, ".venv of the project")
    assert find_python(root, sys.executable, environment) == (sys.executable, "--python")


def test_a_link_in_an_environment_stays_a_link(tmp_path: Path) -> None:
    python = interpreter(tmp_path / "env")
    assert find_python(tmp_path, python, {}) == (python, "--python")
    assert find_python(tmp_path, "env/bin/python", {}) == (python, "--python")


def test_an_interpreter_is_looked_for_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = interpreter(tmp_path)
    monkeypatch.setenv("PATH", os.path.dirname(python))  # noqa: PTH120
    assert find_python(tmp_path / "project", "python", {}) == (python, "--python")


@pytest.mark.parametrize("wanted", ["no-such-python", "/no/such/python", "notes.txt", "folder"])
def test_an_interpreter_that_is_none_is_refused(tmp_path: Path, wanted: str) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(InterpreterError) as caught:
        find_python(tmp_path, wanted, {})
    assert caught.value.message == f"there is no interpreter {wanted}"
    assert isinstance(caught.value, MgdebugError)
    assert caught.value.exit_code == 3


# -------------------------------------------------------------------------------- the sandbox

SANDBOX = "[tool.mgdebug.sandbox]\n"


def sandbox(root: Path, table: str, **flags: object) -> Policy:
    (root / "pyproject.toml").write_text(SANDBOX + table, "utf-8")
    return load(root, {}, flags).sandbox


@pytest.mark.parametrize(
    ("table", "policy"),
    [
        ("", Policy()),
        ("mode = 'strict'", Policy(mode="strict")),
        ("network = true", Policy(network="all")),
        ("network = false", Policy(network="none")),
        ("network = 'unix'", Policy(network="unix")),
        ("subprocess = false", Policy(processes=0)),
        ("subprocess = true", Policy()),
        ("subprocess = 8", Policy(processes=8)),
        ("env = ['A', 'B']", Policy(env=("A", "B"))),
    ],
)
def test_the_table_of_the_sandbox_sets(tmp_path: Path, table: str, policy: Policy) -> None:
    assert sandbox(tmp_path, table) == policy


def test_paths_to_write_are_those_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    assert sandbox(tmp_path, "write = ['build']").write == (str(tmp_path.resolve() / "build"),)
    with pytest.raises(SettingsError, match="there is no gone") as caught:
        sandbox(tmp_path, "write = ['gone']")
    assert caught.value.hint == "create it first"


def test_the_flag_and_the_variable_win_over_the_mode_of_the_table(tmp_path: Path) -> None:
    assert sandbox(tmp_path, "mode = 'off'\nnetwork = true", sandbox="strict") == Policy(
        mode="strict", network="all"
    )
    assert load(tmp_path, {"MGDEBUG_SANDBOX": "on"}, {}).sandbox.mode == "on"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("mode = 'maybe'", "sandbox.mode is 'maybe', not one of on, strict, off"),
        ("network = 'tcp'", "sandbox.network is 'tcp', not true, false, or one of"),
        ("subprocess = -1", "sandbox.subprocess is -1, not true, false, or how many at once"),
        ("subprocess = 1.5", "sandbox.subprocess is 1.5, not true, false, or how many at once"),
        ("write = 'build'", "sandbox.write is 'build', not a list of paths"),
        ("env = [1]", "sandbox.env is [1], not a list of names"),
        ("netwrk = true", "sandbox.netwrk is no setting of mgdebug"),
    ],
)
def test_a_mistake_in_the_table_of_the_sandbox_is_refused(
    tmp_path: Path, table: str, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        sandbox(tmp_path, table)
    assert caught.value.message.startswith(FILE + message)


def test_an_unknown_mode_is_named_as_the_user_wrote_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^--sandbox is 'maybe', not one of on, strict, off$"):
        load(tmp_path, {}, {"sandbox": "maybe"})
