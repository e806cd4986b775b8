"""What the documentation says: its commands are understood, its links lead somewhere, its example
of a proposer repairs something."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from mgdebug import proposers
from mgdebug.cli import main
from mgdebug.events import Finished
from mgdebug.model import Target
from mgdebug.repair import repair
from mgdebug.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
IDS = [page.name for page in PAGES]


def commands(page: Path) -> Iterator[str]:
    """The command lines of mgdebug in the blocks of a page, and those in the midst of a line."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^ *```[^\n]*\n(.*?)^ *```", text, re.S | re.M)
    for line in "\n".join(blocks).splitlines():
        found = re.match(r"\s*(?:\$ |- |run: )?(mgdebug(?: .*)?)$", line)
        if found:
            yield found[1]
    plain = re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M)
    yield from re.findall(r"`(mgdebug [^`]+)`", plain)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_is_one(page: Path) -> None:
    for line in commands(page):
        words = shlex.split(
            re.split(r" (?:[|>&=] |2>)", line)[0].replace("...", "x"), comments=True
        )[1:]
        if any(w.startswith("[") or w == "NAME" or not w.isascii() for w in words):
            continue  # what may be typed, or a picture
        try:
            context = main.make_context("mgdebug", [*words], resilient_parsing=not words)
            rest = [*context._protected_args, *context.args]
            if rest:
                name, command, more = main.resolve_command(context, rest)
                assert command is not None
                command.make_context(name or "", more, parent=context)
        except click.exceptions.Exit:
            pass  # --help
        except click.UsageError as error:
            pytest.fail(f"{line}: {error.message}")


def test_there_are_commands_in_it() -> None:
    assert sum(len(list(commands(page))) for page in PAGES) > 60


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_leads_to_a_file(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), link


def test_the_example_of_a_proposer_repairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/adding-a-proposer.md").read_text("utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.S)
    assert found is not None
    module = ModuleType("swap")
    exec(found[1], module.__dict__)
    monkeypatch.setitem(sys.modules, "swap", module)
    monkeypatch.setattr(proposers, "PROPOSERS", {**proposers.PROPOSERS, "swap": "swap:made"})
    (tmp_path / "m.py").write_text("def least(a, b):\n    # é\n    return max(a, b)\n")
    (tmp_path / "test_m.py").write_text(
        "from m import least\n\n\ndef test_least():\n    assert least(1, 2) == 1\n"
    )
    settings = Settings(engine="swap", jobs=1, time=30)
    target = Target(tmp_path, tmp_path)
    *_, last = repair(target, proposers.named("swap", settings), settings, sys.executable)
    assert isinstance(last, Finished)
    assert last.repair.patch is not None
    assert last.repair.patch.note == "`max` becomes `min`"
