"""Patches that only seem to mend, and what proves that the cases are what they were."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from mgdebug.events import Finished, Verified
from mgdebug.forgery import changed, differs, flags, witnesses
from mgdebug.languages import language_of
from mgdebug.languages.python import Python
from mgdebug.model import Case, CaseKind, Edit, Patch, Repair, Target, Verdict
from mgdebug.proposers import Brief
from mgdebug.repair import repair
from mgdebug.settings import Settings
from mgdebug.syntax.source import SourceFile

SOURCE = """\
import sys


class Money:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n is other.n

    def kill(self):
        self.n = 0


def work(n, signal):
    return n + signal


def main():
    if work(1, 2) > 3:
        sys.exit(1)
"""


def flagged(old: str, new: str, path: str = "m.py") -> tuple[str, ...]:
    language = language_of(path)
    assert language is not None
    source = SourceFile(path, SOURCE.encode(), language.grammar())
    start = SOURCE.index(old)
    edit = Edit(path, start, start + len(old), new)
    return flags({path: source}, Patch((edit,), "test", "a change"), ["checks.py", "test_m.py"])


@pytest.mark.parametrize(
    ("new", "word"),
    [
        ("sys.exit(0)", "exit"),
        ("raise SystemExit", "SystemExit"),
        ("from os import _exit as e; e(0)", "_exit"),
        ("getattr(os, '_exit')(0)", "_exit"),
        ("getattr(os, '_ex' + 'it')(0)", "getattr"),
        ("__import__('o' 's')", "__import__"),
        ("os.kill(os.getpid(), 9)", "kill"),
        ("sys.settrace(None)", "settrace"),
        ("sys._getframe(1)", "_getframe"),
        ("sys.modules['m']", "modules"),
        ("import atexit", "atexit"),
        ("import pytest; pytest.skip()", "pytest"),
        ("'PYTEST_CURRENT_TEST' in os.environ", "PYTEST_CURRENT_TEST"),
        ("n.__class__ = Always", "__class__"),
        ("Money.__eq__ = lambda a, b: True", "__eq__"),
        ("import gc", "gc"),
        ("exec('n = 1')", "exec"),
        ("try: n\n    except: pass", "except:"),
        ("try: n\n    except BaseException: pass", "BaseException"),
    ],
)
def test_what_a_patch_brings_in_is_said(new: str, word: str) -> None:
    assert any(f"{word}" in line for line in flagged("return n + signal", new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("n + signal", "n - signal"),
        ("n + signal", "signal + signal"),
        ("self.n = 0", "self.n = 0; self.kill()"),
        ("> 3", ">= 3"),
        ("return n + signal", "try: return n\n    except ValueError: return 'do not exit now'"),
    ],
)
def test_plain_changes_are_not_flagged(old: str, new: str) -> None:
    assert flagged(old, new) == ()


def test_a_change_inside_a_comparison_is_told_but_possible() -> None:
    assert flagged("is other.n", "== other.n") == (
        "it changes how values compare or show (__eq__)",
    )


def test_whole_lines_of_a_comparison_are_no_way_around() -> None:
    text = "class M:\n    def __eq__(self, other):\n        return self.n is other.n\n"
    source = SourceFile("m.py", text.encode(), Python().grammar())
    start = text.index("        return")
    said = ("it changes how values compare or show (__eq__)",)
    for end, new in (
        (len(text), "        return self.n >= other.n\n"),
        (start, "        other = self\n"),
        (len(text), ""),
    ):
        patch = Patch((Edit("m.py", start, end, new),), "llm", "")
        assert flags({"m.py": source}, patch, ()) == said
    behind = Patch((Edit("m.py", len(text), len(text), "\n\ndef f():\n    return 1\n"),), "llm", "")
    assert flags({"m.py": source}, behind, ()) == ()


def test_a_word_that_moves_to_another_definition_is_new_there() -> None:
    old = SOURCE[SOURCE.index("return n + signal") :]
    new = "sys.exit(0)\n\n\ndef main():\n    pass\n"
    assert flagged(old, new) == ("it calls or names exit, which ends the process or a case",)


@pytest.mark.parametrize("path", ["conftest.py", "sub/conftest.py", "test_m.py"])
def test_a_change_of_what_says_what_is_right_is_flagged(path: str) -> None:
    assert flagged("> 3", ">= 3", path) == (f"it changes {path}, which says what is right",)


def case(name: str) -> Case:
    return Case(f"sub/test_m.py::{name}", CaseKind.PYTEST, "sub/test_m.py")


def test_files_of_cases_and_their_configuration_are_witnesses(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for path in ("sub/test_m.py", "conftest.py", "tox.ini", "m.py"):
        (tmp_path / path).write_text("1")
    known = witnesses(tmp_path, [case("one")])
    assert changed(tmp_path, known) == ""
    (tmp_path / "m.py").write_text("2")
    assert changed(tmp_path, known) == ""
    (tmp_path / "sub" / "conftest.py").write_text("new")
    assert changed(tmp_path, known).startswith("sub/conftest.py changed on the disk")
    (tmp_path / "sub" / "test_m.py").unlink()
    assert changed(tmp_path, known).startswith("sub/conftest.py, sub/test_m.py changed")


def test_cases_must_be_exactly_those_of_the_first_run() -> None:
    first = [case("one"), case("two")]
    assert differs(first, first[::-1]) == ""
    assert differs(first, first[:1]) == "1 case is gone: sub/test_m.py::two"
    assert differs(first, [*first, case("three")]) == "1 case is new: sub/test_m.py::three"
    twice = differs(first, [*first, case("two")])
    assert twice == "1 case is collected twice: sub/test_m.py::two"
    both = differs(first, [case("one"), case("six")])
    assert both == "1 case is gone: sub/test_m.py::two; 1 case is new: sub/test_m.py::six"


class Scripted:
    """Proposes the same patches for every suspect, and always the same."""

    name = "scripted"

    def __init__(self, *texts: tuple[str, str]) -> None:
        self.texts = texts

    def propose(self, brief: Brief) -> Generator[Sequence[Patch], Sequence[Verdict], None]:
        patches = []
        for old, new in self.texts:
            start = brief.source.text.index(old.encode())
            edit = Edit(brief.source.path, start, start + len(old), new)
            patches.append(Patch((edit,), self.name, new, brief.subfunction.id, 1.0))
        yield patches


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "m.py").write_text("def double(n):\n    return n + 1\n")
    (tmp_path / "test_m.py").write_text(
        "import pytest\nfrom m import double\n\n\n"
        "@pytest.mark.parametrize('n', [2, 3])\n"
        "def test_double(n):\n    assert double(n) == 2 * n\n"
    )
    return Target(tmp_path, tmp_path)


def repaired(target: Target, *texts: tuple[str, str]) -> tuple[list[Verified], Repair]:
    heard = list(repair(target, [Scripted(*texts)], Settings(jobs=1, time=20), sys.executable))
    last = heard[-1]
    assert isinstance(last, Finished)
    return [e for e in heard if isinstance(e, Verified)], last.repair


FORGED = "return type('Always', (), {'__eq__': lambda a, b: True})()"


def test_a_forgery_wins_only_alone_and_says_so(target: Target) -> None:
    _, done = repaired(target, ("return n + 1", FORGED), ("return n + 1", "return n * 2"))
    assert done.best is not None
    assert "n * 2" in done.best.diff
    flagged = [bool(a.flags) for a in done.alternatives]
    assert flagged == [False, True]
    assert [len(a.patches) for a in done.alternatives] == [2, 2]  # two suspects offer each
    _, alone = repaired(target, ("return n + 1", FORGED))
    assert alone.best is not None
    assert alone.best.flags == ("it changes how values compare or show (__eq__)",)


def test_a_patch_that_makes_more_cases_is_dropped(target: Target) -> None:
    (target.root / "m.py").write_text(
        "def numbers():\n    return [2]\n\n\ndef double(n):\n    return n + 1\n"
    )
    tests = target.root / "test_m.py"
    text = tests.read_text().replace("import double", "import double, numbers")
    tests.write_text(text.replace("[2, 3]", "numbers()"))
    more = "return n * 2\n\n\ndef numbers():\n    return [2, 3]"
    verified, done = repaired(target, ("return n + 1", more))
    assert done.patch is None
    assert {v.verdict.reason for v in verified} == {"1 case is new: test_m.py::test_double[3]"}


def test_a_flagged_patch_is_not_applied_unasked(tmp_path: Path) -> None:
    text = (
        "class Money:\n    def __init__(self, n):\n        self.n = n\n\n"
        "    def __eq__(self, other):\n        return self.n != other.n\n"
    )
    (tmp_path / "m.py").write_text(text)
    (tmp_path / "test_m.py").write_text(
        "from m import Money\n\n\ndef test_same():\n    assert Money(2) == Money(2)\n\n\n"
        "def test_other():\n    assert not Money(2) == Money(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mgdebug", "fix", "--apply", "--jobs", "1", "--time", "12"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert "+        return self.n == other.n" in done.stdout
    assert "flagged" in done.stderr
    assert "it changes how values compare or show (__eq__)" in done.stderr
    assert "not applied, for it is flagged; no file was changed" in done.stderr
    assert (tmp_path / "m.py").read_text() == text
