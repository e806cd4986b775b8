"""The wheel, built and installed for real: the grammars travel with it, and an editable install
finds those of the checkout."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
PARSE = """\
import mgdebug
from mgdebug.languages import grammar_folder, language_of
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

language = language_of("mod.py")
source = SourceFile("mod.py", b"def f(x):\\n    return x\\n", language.grammar())
print(mgdebug.__file__)
print(grammar_folder("python"))
print(*decompose([source]).subfunctions)
"""


def run(command: list[str], cwd: Path, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy that holds what git would, without network."""
    if not (CHECKOUT / ".git").exists():
        pytest.skip("not a git checkout")
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], CHECKOUT)
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, copy / name)
    options = ["--no-index", "--no-deps", "--no-build-isolation"]
    run([*PIP, "wheel", *options, "-w", str(out), "."], copy)
    (built,) = out.glob("mgdebug-*.whl")
    return built


def test_the_wheel_holds_every_grammar_and_the_typing_mark(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    queries = {f"mgdebug/{p.relative_to(CHECKOUT)}" for p in CHECKOUT.glob("grammars/*/*.scm")}
    assert len(queries) >= 4
    assert queries <= names
    assert {"mgdebug/py.typed", "mgdebug/page.html", "mgdebug/probe/__main__.py"} <= names


def test_the_wheel_holds_nothing_beside_the_package(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert all(top == "mgdebug" or top.endswith(".dist-info") for top in tops), tops


def test_the_wheel_tells_pytest_of_its_plugin(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        (name,) = (n for n in files.namelist() if n.endswith(".dist-info/entry_points.txt"))
        points = configparser.ConfigParser()
        points.read_string(files.read(name).decode())
        assert dict(points["pytest11"]) == {"mgdebug": "mgdebug.pytest_plugin"}
        assert "mgdebug/pytest_plugin.py" in files.namelist()


def test_an_installed_wheel_parses_a_function(wheel: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "target", tmp_path / "elsewhere"
    elsewhere.mkdir()
    run([*PIP, "install", "--no-index", "--no-deps", "--target", str(target), str(wheel)], tmp_path)
    said = run([sys.executable, "-c", PARSE], elsewhere, PYTHONPATH=str(target)).splitlines()
    assert Path(said[0]).is_relative_to(target)
    assert Path(said[1]) == target / "mgdebug/grammars/python"
    assert said[2] == "mod.py::<module> mod.py::f"


def test_an_installed_wheel_repairs_a_function(wheel: Path, tmp_path: Path) -> None:
    """The probe too is found where the wheel put it."""
    target, project = tmp_path / "target", tmp_path / "project"
    project.mkdir()
    (project / "mod.py").write_text("def f(x):\n    return x - 1\n")
    run([*PIP, "install", "--no-index", "--no-deps", "--target", str(target), str(wheel)], tmp_path)
    command = [sys.executable, "-m", "mgdebug", "fix", "mod.py", "--case", "f(3) == 4", "--apply"]
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "MGDEBUG_PYTHON": sys.executable}
    run(command, project, PYTHONPATH=str(target), **state)
    run([sys.executable, "-c", "import mod; assert mod.f(3) == 4"], project)


def test_an_editable_install_finds_the_grammars_of_the_checkout(tmp_path: Path) -> None:
    said = run([sys.executable, "-c", PARSE], tmp_path).splitlines()
    if not Path(said[0]).is_relative_to(CHECKOUT):
        pytest.skip("mgdebug is not installed as editable")
    assert Path(said[1]) == CHECKOUT / "grammars/python"
    assert said[2] == "mod.py::<module> mod.py::f"
