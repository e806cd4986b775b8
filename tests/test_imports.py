"""What is not needed is not loaded: importing litellm costs seconds, textual more than half a
second."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("litellm", "textual", "rich", "tree_sitter", "tree_sitter_python", "platformdirs")
REPORT = """
import json, sys
print("\\n" + json.dumps(sorted(sys.modules)))
"""
COMMAND = """
import runpy, sys
sys.argv = ["mgdebug", *{arguments!r}]
try:
    runpy.run_module("mgdebug", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after some code."""
    done = subprocess.run(
        [sys.executable, "-c", code + REPORT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_importing_mgdebug_loads_nothing_but_mgdebug() -> None:
    assert loaded_by("import mgdebug") - loaded_by("") == {"mgdebug"}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["fix", "--help"], ["trace", "--help"], ["undo", "--help"]],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = loaded_by(COMMAND.format(arguments=arguments))
    assert {"mgdebug", "click"} <= loaded
    assert loaded.isdisjoint(HEAVY), loaded.intersection(HEAVY)


def test_a_repair_needs_no_model_and_no_screen() -> None:
    loaded = loaded_by("import mgdebug.repair, mgdebug.linear, mgdebug.proposers.search")
    assert {"tree_sitter", "rich"} <= loaded
    assert loaded.isdisjoint(("litellm", "textual"))


def test_the_probe_loads_only_the_standard_library() -> None:
    code = """
import runpy, sys
sys.path[:] = [p for p in sys.path if "site-packages" not in p]
runpy.run_path({folder!r}, run_name="probe")
import _mgdebug_probe.worker
"""
    import mgdebug.probe

    folder = mgdebug.probe.__path__[0]
    new = loaded_by(code.format(folder=f"{folder}/__main__.py")) - loaded_by("")
    assert new - sys.stdlib_module_names == {"_mgdebug_probe"}
