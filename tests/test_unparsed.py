"""`mgdebug fix` on projects with files that do not parse: real pytest, real runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mgdebug.model import Target
from mgdebug.unparsed import complaints

SHOP = """\
class Cart:
    def __init__(self):
        self.items = []

    def add(self, x):
        self.items.append(x)


def total(xs):
    result = 0
    for x in xs:
        result += x
    return result
"""
TESTS = """\
from shop import Cart, total


def test_total():
    assert total([1, 2, 3]) == 6
    assert total([]) == 0


def test_cart():
    cart = Cart()
    cart.add(3)
    assert cart.items == [3]
"""


def project(folder: Path, **files: str) -> Path:
    (folder / "pyproject.toml").touch()
    for name, text in {"test_shop": TESTS, **files}.items():
        (folder / f"{name}.py").write_text(text, "utf-8")
    return folder


def fix(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mgdebug", "fix", "--time", "40", "--jobs", "1", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def changed(diff: str) -> list[str]:
    return [
        line
        for line in diff.splitlines()
        if line[:1] in ("-", "+") and line[:3] not in ("---", "+++")
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "lines"),
    [
        pytest.param(
            "def total(xs):", "def total(xs)", ["-def total(xs)", "+def total(xs):"], id="a colon"
        ),
        pytest.param(
            "append(x)",
            "append(x",
            ["-        self.items.append(x", "+        self.items.append(x)"],
            id="a bracket",
        ),
        pytest.param(
            "        result += x",
            "    result += x",
            ["-    result += x", "+        result += x"],
            id="an indent that only the interpreter misses",
        ),
    ],
)
def test_a_slip_is_mended(tmp_path: Path, right: str, wrong: str, lines: list[str]) -> None:
    folder = project(tmp_path, shop=SHOP.replace(right, wrong, 1))
    done = fix(folder, "--diff")
    assert done.returncode == 1, done.stderr
    assert changed(done.stdout) == lines
    assert "<error>  1.00  line" in done.stderr
    assert "does not parse" in done.stderr
    assert "verified  2 cases pass in a fresh process" in done.stderr
    assert (folder / "shop.py").read_text("utf-8") == SHOP.replace(right, wrong, 1)


def test_it_is_applied_and_taken_back(tmp_path: Path) -> None:
    broken = SHOP.replace("in xs:", "in xs")
    folder = project(tmp_path, shop=broken)
    done = fix(folder, "shop.py", "--apply")
    assert done.returncode == 0, done.stderr
    assert (folder / "shop.py").read_text("utf-8") == SHOP
    again = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True)
    assert again.returncode == 0
    subprocess.run([sys.executable, "-m", "mgdebug", "undo"], cwd=folder, check=True)
    assert (folder / "shop.py").read_text("utf-8") == broken


def test_several_slips_and_a_bug_are_one_patch(tmp_path: Path) -> None:
    text = SHOP.replace("__init__(self):", "__init__(self)").replace("= []", "= [")
    folder = project(tmp_path, shop=text.replace("result = 0", "result = 1"))
    done = fix(folder, "--apply")
    assert done.returncode == 0, done.stderr
    assert (folder / "shop.py").read_text("utf-8") == SHOP
    assert done.stderr.count("progress") == 2


def test_two_broken_files_are_mended_one_after_the_other(tmp_path: Path) -> None:
    other = "from prices import PRICE\n\ndef total(xs):\n    return PRICE * sum(xs\n"
    tests = "from other import total\n\ndef test(): assert total([2, 3]) == 10\n"
    folder = project(tmp_path, test_shop=tests, other=other, prices="PRICE = (2\n")
    done = fix(folder, "--diff")
    assert changed(done.stdout) == [
        *("-    return PRICE * sum(xs", "+    return PRICE * sum(xs)"),
        *("-PRICE = (2", "+PRICE = (2)"),
    ]


def test_a_broken_file_behind_conftest_is_found(tmp_path: Path) -> None:
    folder = project(tmp_path, shop=SHOP.replace("= 0", "= 0)"), conftest="import shop\n")
    done = fix(folder, "--diff")
    assert changed(done.stdout) == ["-    result = 0)", "+    result = 0"]


@pytest.mark.parametrize(
    ("text", "arguments", "wanted"),
    [
        pytest.param(
            "def f(x)\n    return x + 2\n",
            ["--case", "f(1) == 2", "--case", "f(2) == 3"],
            "def f(x):\n    return x + 1\n",
            id="cases on the command line",
        ),
        pytest.param(
            'def f(x):\n    """\n    >>> f(1)\n    2\n    """\n    return (x + 1\n',
            [],
            'def f(x):\n    """\n    >>> f(1)\n    2\n    """\n    return (x + 1)\n',
            id="doctests",
        ),
    ],
)
def test_other_cases_than_pytest_s(
    tmp_path: Path, text: str, arguments: list[str], wanted: str
) -> None:
    folder = project(tmp_path, m=text, test_shop="")
    done = fix(folder, "m.py", *arguments, "--apply")
    assert done.returncode == 0, done.stderr
    assert (folder / "m.py").read_text("utf-8") == wanted


def test_a_program_with_input_and_output(tmp_path: Path) -> None:
    folder = project(tmp_path, s="import sys\nfor line in sys.stdin\n    print(int(line) * 2)\n")
    (folder / "io").mkdir()
    (folder / "io/a.in").write_text("2\n")
    (folder / "io/a.out").write_text("4\n")
    done = fix(folder, "s.py", "--io", "io", "--diff")
    assert changed(done.stdout) == ["-for line in sys.stdin", "+for line in sys.stdin:"]


def test_what_only_the_grammar_does_not_know_is_no_error(tmp_path: Path) -> None:
    text = "def both(xs):\n    return *[1, 2], *xs\n\n\n" + SHOP.replace("= 0", "= 1")
    folder = project(tmp_path, shop=text)
    done = fix(folder, "shop.py", "--diff")
    assert changed(done.stdout) == ["-    result = 1", "+    result = 0"], done.stderr
    assert "does not parse" not in done.stderr


def test_a_broken_test_is_only_reported(tmp_path: Path) -> None:
    text = "def test(:\n    assert 1\n"
    folder = project(tmp_path, test_shop=text, shop=SHOP)
    done = fix(folder, "--apply")
    assert done.returncode == 1
    assert "test_shop.py:1:10: does not parse" in done.stderr
    assert (folder / "test_shop.py").read_text() == text


def test_what_nothing_mends_is_named(tmp_path: Path) -> None:
    text = "this is not ) python [ at {{ all\n def\n"
    folder = project(tmp_path, shop=text)
    done = fix(folder, "shop.py", "--apply")
    assert done.returncode == 2
    assert "shop.py:1:1: does not parse" in done.stderr
    assert "next: mend that first" in done.stderr
    assert (folder / "shop.py").read_text() == text


def test_only_files_that_a_complaint_names_are_taken(tmp_path: Path) -> None:
    project(tmp_path, shop="def f(\n", other="x = 1\n")
    target = Target(tmp_path, tmp_path)
    text = f"""
  File "{tmp_path}/other.py", line 1, in <module>
    import shop
  File "{tmp_path}/shop.py", line 1
    def f(
         ^
SyntaxError: '(' was never closed
  File "/elsewhere/gone.py", line 3
    SyntaxError: no
"""
    assert complaints(target, text) == ["shop.py"]
    assert complaints(target, "shop.py:1: NameError") == []
