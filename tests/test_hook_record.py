"""Which cases a change concerns, as the record of earlier runs tells; and the record itself."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgdebug.coverage.choice import choose
from mgdebug.coverage.parts import REST, shape
from mgdebug.coverage.record import basis_of, load, place
from mgdebug.errors import NoCasesError
from mgdebug.hook import surroundings
from mgdebug.hook.checking import Checked, check
from mgdebug.hook.conflicts import conflicted
from mgdebug.hook.keys import missing
from mgdebug.settings import ModelSettings, Settings

SOURCE = b'''\
"""A module."""
import os
from . import near
from ..far import thing as other

LIMIT = 3


def plain(value):
    # about it
    def inner():
        return LIMIT
    return inner()


class Shape:
    side = 1

    @property
    def area(self):
        return self.side

    @area.setter
    def area(self, value):
        self.side = value

    def short(self): return 1


if os.name:
    async def later():
        return 2
'''


def test_a_change_in_a_function_is_a_change_of_that_part_alone() -> None:
    whole = shape(SOURCE, ["pkg.sub"])
    assert set(whole.parts) == {REST, "plain", "Shape.area", "Shape.area#2", "later"}
    assert {"os", "pkg.sub.near", "pkg.far", "pkg.far.thing"} <= set(whole.names)
    assert whole.at(SOURCE[: SOURCE.index(b"return LIMIT")].count(b"\n") + 1) == "plain"
    for old, new, wanted in (
        (b"return LIMIT", b"return -LIMIT", {"plain"}),
        (b"return inner()", b"return inner()  # now", {"plain"}),
        (b"# about it", b"#", {"plain", REST}),  # it stands with the parameters
        (b"LIMIT = 3", b"LIMIT = 4", {REST}),
        (b"return 2", b"return 3", {"later"}),
        (b"plain(value)", b"plain(value=1)", {"plain", REST}),
        (b"@property", b"@cached_property", {"Shape.area", REST}),
        (b"return 1", b"return 2", {REST}),  # it shares its line with the def
        (b"def later", b"def latest", {"later", "latest", REST}),
        (b"def plain", b"def plain(", {*whole.parts}),  # does not parse
    ):
        assert whole.differs(shape(SOURCE.replace(old, new))) == wanted, old


PROJECT = {
    "pyproject.toml": "[tool.pytest.ini_options]\n",
    "shop/__init__.py": "",
    "shop/prices.py": (
        "RATE = 2\n\n\ndef price(n):\n    return n * RATE\n\n\ndef tax(n):\n    return n\n"
    ),
    "shop/late.py": "def late():\n    return 1\n",
    "shop/base.py": "def base():\n    return 5\n",
    "shop/alone.py": "def alone():\n    return 5\n",
    "script.py": "def main():\n    pass\n",
    "test_prices.py": (
        "from shop import prices\n\n\n"
        "def test_price():\n    assert prices.price(1) == 2\n\n\n"
        "def test_tax():\n    assert prices.tax(1) == 1\n"
    ),
    "test_late.py": (
        "def test_late():\n    from shop.late import late\n    assert late() == 1\n\n\n"
        "def test_nothing():\n    pass\n"
    ),
    "test_base.py": (
        "import pytest\nfrom shop.base import base\n\n\n"
        "@pytest.fixture(scope='module')\ndef five():\n    return base()\n\n\n"
        "def test_first(five):\n    assert five == 5\n\n\n"
        "def test_second(five):\n    assert five == 5\n"
    ),
    "test_child.py": (
        "import subprocess\nimport sys\n\n\n"
        "def test_child():\n    subprocess.run([sys.executable, '-c', 'pass'], check=True)\n\n\n"
        "def test_none():\n    pass\n"
    ),
}


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.basis = basis_of(root, sys.executable)

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert old in text
        (self.root / path).write_text(text.replace(old, new))

    def add(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(exist_ok=True)
        (self.root / path).write_text(text)

    def chosen(self, *staged: str) -> set[str] | str:
        """The tests, or why all."""
        basis = basis_of(self.root, sys.executable)
        choice = choose(load(self.root), basis, self.root, staged)
        return choice.why if choice.everything else set(choice.tests)

    def check(self, *staged: str, seconds: float = 60) -> Checked:
        until = time.monotonic() + seconds
        return check(self.root, staged, Settings(), sys.executable, until)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    base = tmp_path_factory.mktemp("record").resolve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(base / "cache"))
        found = Project(base / "project")
        found.root.mkdir()
        for path, text in PROJECT.items():
            found.add(path, text)
        yield found


def test_what_is_chosen_of_a_project_that_was_run_once(project: Project) -> None:
    assert project.chosen("shop/prices.py") == "nothing is known of them yet"
    done = project.check("shop/prices.py")
    assert len(done.outcomes) == 8
    assert done.is_clean
    # Children may run anything, so their case is always there where something has changed.
    child = {"test_child.py::test_child"}
    project.edit("shop/prices.py", "n * RATE", "RATE * n")
    assert project.chosen("shop/prices.py") == {"test_prices.py::test_price", *child}
    project.edit("shop/prices.py", "RATE = 2", "RATE = 1 + 1")
    assert project.chosen("shop/prices.py") == {"test_prices.py", *child}
    assert project.chosen() == {"test_prices.py", *child}  # changed though not staged: by a pull
    project.add("shop/prices.py", PROJECT["shop/prices.py"])
    assert project.chosen() == set()
    for path, old, new, wanted in (
        ("shop/late.py", "return 1", "return 2 - 1", {"test_late.py::test_late"}),
        ("shop/late.py", "def late", "X = 1\n\n\ndef late", {"test_late.py"}),
        ("shop/base.py", "return 5", "return 4 + 1", {"test_base.py"}),
        ("test_late.py", "pass", "assert True", {"test_late.py"}),
    ):
        project.edit(path, old, new)
        assert project.chosen(path) == {*wanted, *child}, path
        project.add(path, PROJECT[path])
    assert project.chosen("script.py") == set()
    assert project.chosen("shop/alone.py") == set()


def test_what_is_not_known_runs(project: Project) -> None:
    project.check("shop/prices.py")
    for path, wanted in (
        ("test_new.py", {"test_new.py"}),
        ("shop/new.py", "shop/new.py is new"),
        ("page.html", "who reads page.html is not known"),
    ):
        project.add(path, "")
        assert project.chosen(path) == wanted
        (project.root / path).unlink()
    project.edit("pyproject.toml", "[tool", "# settings\n[tool")
    assert project.chosen("script.py") == "pyproject.toml has changed"
    project.add("pyproject.toml", PROJECT["pyproject.toml"])
    place(project.root).write_text("{")
    assert project.chosen("script.py") == "nothing is known of them yet"


def test_what_has_failed_is_due_until_it_passes_and_what_fails_elsewhere_stops_nothing(
    project: Project,
) -> None:
    project.edit("shop/prices.py", "n * RATE", "n + RATE")
    project.edit("shop/late.py", "return 1", "return 2")
    done = project.check("shop/prices.py")
    assert [outcome.case for outcome in done.failing] == ["test_prices.py::test_price"]
    assert done.elsewhere == ("test_late.py::test_late",)
    project.edit("shop/prices.py", "return n\n", "return n + 0\n")  # the next try of that commit
    done = project.check("shop/prices.py")
    assert {outcome.case for outcome in done.outcomes} >= {
        "test_prices.py::test_price",
        "test_prices.py::test_tax",
    }
    assert [outcome.case for outcome in done.failing] == ["test_prices.py::test_price"]
    project.add("shop/prices.py", PROJECT["shop/prices.py"])
    assert project.check("shop/prices.py").is_clean
    project.edit("shop/prices.py", "return n\n", "return 0 + n\n")
    assert "test_prices.py::test_price" not in project.chosen("shop/prices.py")
    project.add("shop/late.py", PROJECT["shop/late.py"])


def test_new_cases_and_fixtures_of_all_cases_are_learnt(project: Project) -> None:
    project.check("shop/prices.py")
    project.add(
        "test_more.py", "from shop.alone import alone\n\n\ndef test_alone():\n    alone()\n"
    )
    ran = {outcome.case for outcome in project.check("test_more.py").outcomes}
    assert ran == {"test_more.py::test_alone"}
    project.edit("shop/alone.py", "return 5", "return 6")
    assert project.chosen("shop/alone.py") == {"test_more.py", "test_child.py::test_child"}
    fixture = "import pytest\nfrom shop.alone import alone\n\n\n"
    fixture += "@pytest.fixture(scope='session', autouse=True)\ndef all_of_it():\n    alone()\n"
    project.add("conftest.py", fixture)
    assert project.chosen("conftest.py") == "conftest.py is new"
    project.check("conftest.py")
    project.edit("conftest.py", "alone()", "alone(), 1")
    assert project.chosen("conftest.py") == "conftest.py has changed"
    project.check("conftest.py")
    project.edit("shop/alone.py", "return 6", "return 7")
    why = "all cases share a fixture that reaches alone of shop/alone.py"
    assert project.chosen("shop/alone.py") == why
    project.edit("shop/alone.py", "def alone", "A = 1\n\n\ndef alone")
    assert "shop/alone.py" in str(project.chosen("shop/alone.py"))


def test_a_project_without_cases_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "code.py").touch()
    with pytest.raises(NoCasesError):
        check(tmp_path, ["code.py"], Settings(), sys.executable, time.monotonic() + 30)


def test_markers_count_where_the_file_does_not_parse(tmp_path: Path) -> None:
    markers = "<<<<<<< ours\n1\n=======\n2\n>>>>>>> theirs\n"
    (tmp_path / "merged.py").write_text(f"A = (\n{markers})\n")
    (tmp_path / "about.py").write_text(f'TEXT = """\n{markers}"""\n')
    assert conflicted(tmp_path, ["about.py", "gone.py", "merged.py"]) == "merged.py"
    assert conflicted(tmp_path, ["about.py"]) == ""


def test_a_key_is_missed_only_where_a_model_is_asked_that_has_one() -> None:
    def asked(engine: str, name: str, base: str = "") -> str:
        model = ModelSettings(names=(name,), api_base=base)
        return missing(Settings(engine=engine, model=model), {"GEMINI_API_KEY": "x"})

    assert asked("llm", "gpt-4o") == "OPENAI_API_KEY"
    assert asked("both", "anthropic/claude-x") == "ANTHROPIC_API_KEY"
    for engine, name, base in (
        ("search", "gpt-4o", ""),
        ("llm", "ollama/qwen", ""),
        ("llm", "gemini/pro", ""),
        ("llm", "openai/local", "http://localhost:1"),
    ):
        assert asked(engine, name, base) == ""


def test_the_marks_of_git_and_of_the_hooks_environment_are_taken_away() -> None:
    own = f"{sys.prefix}/bin"
    environment = {
        "GIT_INDEX_FILE": "x",
        "PRE_COMMIT": "1",
        "VIRTUAL_ENV": sys.prefix,
        "PATH": os.pathsep.join([own, "/usr/bin"]),
    }
    surroundings.clean(environment)
    assert environment == {"PRE_COMMIT": "1", "PATH": "/usr/bin"}
