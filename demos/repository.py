#!/usr/bin/env python3
"""python demos/repository.py FOLDER: write a project of many modules and tests, with bugs.

The package `shop` has subpackages of about 25 modules, which import each other.  Every expected
value is what the code without bugs gives.  Beside the project, FOLDER.planted.json says what was
planted where, which cases fail because of it, and holds back further checks (see planting.py).
"""

import argparse
import json
import random
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from repository import planting  # noqa: E402
from repository.building import Repository  # noqa: E402
from repository.world import PACKAGE, READINGS  # noqa: E402
from repository.written import tests  # noqa: E402

CONFTEST = '''"""What tests of several modules take."""

import pytest


@pytest.fixture(scope="session")
def recorded():
    """Readings of one day, as they were recorded."""
    return %r


@pytest.fixture
def readings(recorded):
    """A list of the readings that a test may change."""
    return list(recorded)
'''
SETTINGS = """[project]
name = "shop"
version = "1.0"
requires-python = ">=3.8"

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
"""


def written(repository, bugs, folder):
    """Write the project with its bugs; by module the cases in the order of pytest."""
    files = {"pyproject.toml": SETTINGS, "tests/__init__.py": "", **repository.texts}
    files["tests/conftest.py"] = CONFTEST % (READINGS,)
    for module in repository.modules:
        if module.cases:
            style = random.Random(module.path).random() < 0.4
            path, text = tests(module.path, module.cases, repository.world, style)
            files[path] = text
            files[path.rsplit("/", 1)[0] + "/__init__.py"] = ""
    for bug in bugs:
        files[bug.module.path] = bug.text
    for path, text in sorted(files.items()):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return len(files)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--modules", type=int, default=1000, metavar="N")
    parser.add_argument("--cases", type=int, default=5000, metavar="N")
    parser.add_argument("--bugs", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--kind", action="append", metavar="TEXT", help="only bugs of this kind")
    told = parser.parse_args()
    if told.folder.exists() and any(told.folder.iterdir()):
        parser.error("%s is not empty" % told.folder)
    if told.modules < 1 or told.cases < told.modules:
        parser.error("at least one module, and one case for each")
    repository = Repository(told.modules, random.Random(told.seed))
    deep = min(planting.DEEP, 1 + (told.cases - told.modules) // max(1, told.bugs))
    repository.test(max(told.modules, told.cases - deep * told.bugs))
    bugs = planting.Planting(repository, deep, told.kind or ()).plant(told.bugs)
    repository.trim(told.cases, {bug.module for bug in bugs})
    count = written(repository, bugs, told.folder)
    rows = planting.rows(repository, bugs)
    cases = sum(len(module.cases) for module in repository.modules)
    facts = {"package": PACKAGE, "modules": told.modules, "cases": cases, "seed": told.seed}
    planted = Path(str(told.folder) + ".planted.json")
    planted.write_text(json.dumps({**facts, "bugs": rows}, indent=1) + "\n", "utf-8")
    failing = {case for row in rows for case in row["cases"]}
    print(
        "%s: %d modules, %d cases, %d bugs (%d cases fail), %d files; %s"
        % (told.folder, told.modules, cases, len(rows), len(failing), count, planted)
    )


if __name__ == "__main__":
    main()
