"""Accepted patches become templates that are tried first, and can be listed and forgotten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mgdebug import learned
from mgdebug.languages import language_of
from mgdebug.learned import Template, abstracted, filled
from mgdebug.model import Edit, Patch
from mgdebug.proposers import Brief
from mgdebug.proposers.search import Search
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mgdebug" / "learned"


@pytest.mark.parametrize(
    ("before", "after", "template"),
    [
        ("a < b", "a <= b", ("$1 < $2", "$1 <= $2")),
        ("<", "<=", ("<", "<=")),
        ("len(xs)", "len(xs) - 1", ("len($1)", "len($1) - 1")),
        ("xs[i]", "xs[i + 1]", ("$1[$2]", "$1[$2 + 1]")),
        ("a - a", "a", ("$1 - $1", "$1")),
        ("'a'", "'b'", ("'a'", "'b'")),
    ],
)
def test_names_become_numbers(before: str, after: str, template: tuple[str, str]) -> None:
    assert abstracted(before, after) == Template(*template)


@pytest.mark.parametrize(("before", "after"), [("", "x"), ("x", ""), ("a", "b"), ("a\n", "a\nb")])
def test_what_says_too_little_is_no_template(before: str, after: str) -> None:
    assert abstracted(before, after) is None


def test_a_template_fits_code_of_the_same_shape() -> None:
    template = Template("$1[$2] - $2", "$1[$2 - 1]")
    assert filled(template, "rows[n] - n") == "rows[n - 1]"
    assert filled(template, "rows[n] - m") is None
    assert filled(template, "rows[n]") is None


def source(root: Path, text: str) -> SourceFile:
    (root / "m.py").write_text(text)
    language = language_of("m.py")
    assert language is not None
    return SourceFile.read(root, "m.py", language.grammar())


def accepted(root: Path) -> None:
    file = source(root, "def f(a, b):\n    return a < b\n")
    start = file.text.index(b"a < b")
    patch = Patch((Edit("m.py", start, start + 5, "b - a > 1"),), "test", "note")
    learned.remember(root, {"m.py": file}, patch)


def test_what_is_learned_is_the_first_that_is_tried_elsewhere(tmp_path: Path) -> None:
    accepted(tmp_path / ".")
    file = source(tmp_path, "def g(low, high):\n    if low < high:\n        return 1\n")
    hierarchy = decompose([file])
    language = language_of("m.py")
    assert language is not None
    other = tmp_path / "other"
    brief = Brief(
        file, language, hierarchy, hierarchy.subfunctions["m.py::g"], (), (),
        templates=learned.known(other),
    )  # fmt: skip
    first = next(Search().propose(brief))[0]
    assert (
        file.splice(first.edits).text
        == b"def g(low, high):\n    if high - low > 1:\n        return 1\n"
    )


def test_what_was_learned_twice_counts_twice_and_can_be_forgotten(
    tmp_path: Path, cache: Path
) -> None:
    accepted(tmp_path)
    accepted(tmp_path)
    assert learned.known(tmp_path) == (Template("$1 < $2", "$2 - $1 > 1", 2),)
    assert len(list(cache.iterdir())) == 2
    assert learned.forget(tmp_path, [7]) == 0
    assert learned.forget(tmp_path, [1]) == 1
    assert learned.known(tmp_path) == ()
    assert list(cache.iterdir()) == []


def test_a_broken_cache_is_an_empty_one(tmp_path: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "user.json").write_text('[{"no": 1}]')
    assert learned.known(tmp_path) == ()
    accepted(tmp_path)
    assert len(learned.known(tmp_path)) == 1


def test_the_command_lists_and_forgets(tmp_path: Path) -> None:
    accepted(tmp_path)
    command = [sys.executable, "-m", "mgdebug", "learned"]
    (tmp_path / "pyproject.toml").write_text("")
    listed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "1 x  $1 < $2  ->  $2 - $1 > 1" in listed.stdout
    gone = subprocess.run(
        [*command, "--forget-all"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "forgot 1 template" in gone.stderr
