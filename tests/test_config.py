"""Every setting is shown with where it is from, described by a schema that tells the truth, and
completed by a shell; every command explains itself within 80 columns."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from mgdebug.errors import SettingsError, UsageError
from mgdebug.settings import ModelSettings, Settings, load, load_with_origins
from mgdebug.settings.listing import Value, chosen, lines, misspelt, toml, values
from mgdebug.settings.schema import schema
from mgdebug.settings.tables import PLAIN, TABLES

DOCS = Path(__file__).parents[1] / "docs"
COMMAND = [sys.executable, "-m", "mgdebug"]
TABLE = """\
[tool.mgdebug]
case-time = 2
python = 'größe/"py"thon'

[tool.mgdebug.sandbox]
network = true
subprocess = 8

[tool.mgdebug.model]
name = "ollama/a"
strategy = "plan"

[tool.mgdebug.keys]
"patch.take" = "space"
"""


def run(
    folder: Path, *arguments: str, code: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MGDEBUG_")}
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def shown(root: Path, environment: Mapping[str, str] = {}, **flags: object) -> dict[str, Value]:
    return {one.name: one for one in values(load_with_origins(root, environment, flags))}


# ------------------------------------------------------------------------------------ origins


def test_each_value_is_shown_with_the_last_place_that_set_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TABLE, "utf-8")
    environment = {"MGDEBUG_TIME": "7", "MGDEBUG_MODEL": "openai/b", "MGDEBUG_CASE_TIME": "3"}
    flags = {"time": 9.0, "sandbox": "strict", "model": {"strategy": "blocks", "consent": True}}
    found = shown(tmp_path, environment, **flags)
    assert {
        name: (one.value, one.origin) for name, one in found.items() if one.origin != "default"
    } == {
        "python": ('größe/"py"thon', "pyproject.toml"),
        "time": (9.0, "--time"),
        "case_time": (3.0, "$MGDEBUG_CASE_TIME"),
        "sandbox.mode": ("strict", "--sandbox"),
        "sandbox.network": ("all", "pyproject.toml"),
        "sandbox.subprocess": (8, "pyproject.toml"),
        "model.name": (["openai/b"], "$MGDEBUG_MODEL"),
        "model.strategy": ("blocks", "--strategy"),
        "model.consent": (True, "--yes"),
        "keys.patch.take": ("space", "pyproject.toml"),
    }
    assert found["memory"].value == Settings().memory


@pytest.mark.parametrize("table", ["", TABLE], ids=["defaults", "some"])
def test_what_is_shown_can_be_pasted_and_means_the_same(tmp_path: Path, table: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table, "utf-8")
    before = load_with_origins(tmp_path, {"MGDEBUG_SEED": "4"}, {})
    written = "\n".join(lines(values(before)))
    assert re.search(r"^seed = 4 +# from \$MGDEBUG_SEED$", written, re.MULTILINE)
    (tmp_path / "pyproject.toml").write_text(written, "utf-8")
    assert load(tmp_path, {}, {}) == before.settings


@pytest.mark.parametrize("text", ["", "a\"b\\c'", "ü\n\t\x1b[31m\x7f\x9b\u202e", "#", "😀"])
def test_a_text_is_written_as_toml_reads_it_and_commands_no_terminal(text: str) -> None:
    assert tomllib.loads(f"x = {toml([text])}") == {"x": [text]}
    assert toml(text).isprintable() or "😀" in text


def test_a_setting_or_a_table_is_chosen_by_name(tmp_path: Path) -> None:
    found = list(shown(tmp_path).values())
    assert [one.name for one in chosen(found, "case-time")] == ["case_time"]
    assert [one.name for one in chosen(found, "model.calls")] == ["model.calls"]
    assert len(chosen(found, "model")) == len(fields(ModelSettings))
    assert chosen(found, "keys") == []
    with pytest.raises(UsageError, match="tiem is no setting") as caught:
        chosen(found, "tiem")
    assert caught.value.hint == "did you mean time?"


@pytest.mark.parametrize(
    ("table", "flags", "message", "hint"),
    [
        ("[tool.mgdebug.model]\nstratgy = 1", {}, "model.stratgy is no", "did you mean strategy?"),
        (
            "[tool.mgdebug.sandbox]\nsubproces = 1",
            {},
            "sandbox.subproces is no",
            "did you mean sub",
        ),
        ("[tool.mgdebug.model]\nzzz = 1", {}, "model.zzz is no setting", "known: api_base, cache,"),
        ("", {"model": {"strategy": "x"}}, "--strategy is 'x', not one of hierarchical", ""),
        ("", {"model": {"name": ""}}, "--model is '', not the name of a model", ""),
    ],
)
def test_what_is_wrong_in_a_table_is_named_with_the_nearest_name(
    tmp_path: Path, table: str, flags: dict[str, object], message: str, hint: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(table)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, {}, flags)
    assert message in caught.value.message
    assert caught.value.hint.startswith(hint)


def test_variables_that_look_like_settings_are_told_of() -> None:
    given = dict.fromkeys(
        ("MGDEBUG_TIEM", "MGDEBUG_STRATEGY", "MGDEBUG_MODEL_CALLS", "MGDEBUG_TIME"), "1"
    )
    others = {
        "MGDEBUG_DATA": "/data",
        "MGDEBUG_HOSTILE": "1",
        "_MGDEBUG_COMPLETE": "x",
        "TIEM": "1",
    }
    assert misspelt({**given, **others}) == [
        ("MGDEBUG_MODEL_CALLS", "no variable sets it: calls in [tool.mgdebug.model]"),
        ("MGDEBUG_STRATEGY", "no variable sets it: strategy in [tool.mgdebug.model]"),
        ("MGDEBUG_TIEM", "did you mean $MGDEBUG_TIME?"),
    ]


# ------------------------------------------------------------------------------------- schema


def test_the_schema_is_one_and_takes_what_is_shown() -> None:
    jsonschema: Any = pytest.importorskip("jsonschema")
    whole = schema()
    jsonschema.Draft202012Validator.check_schema(whole)
    judge = jsonschema.Draft202012Validator(whole)
    defaults = tomllib.loads("\n".join(lines(values(load_with_origins(Path("/none"), {}, {})))))
    for table in (defaults["tool"]["mgdebug"], tomllib.loads(TABLE)["tool"]["mgdebug"]):
        assert list(judge.iter_errors(table)) == []
    for wrong in ({"tiem": 1}, {"time": 0}, {"model": {"zzz": 1}}, {"theme": "x"}, {"jobs": -1}):
        assert not judge.is_valid(wrong), wrong


def test_what_the_schema_takes_is_what_loads() -> None:
    whole = schema()
    assert list(whole["properties"]) == [*PLAIN, *TABLES, "keys"]
    assert {of.name for of in fields(Settings)} == set(whole["properties"])
    inner = {name: whole["properties"][name]["anyOf"][1]["properties"] for name in TABLES}
    assert set(inner["model"]) == {of.name for of in fields(ModelSettings)} - {"names"} | {"name"}
    flat = {**{k: v for k, v in whole["properties"].items() if k in PLAIN}, **inner["model"]}
    for name, of in {**flat, **inner["sandbox"]}.items():
        assert of["description"], name
    for name, of in flat.items():
        for value, right in _samples(of):
            table = {name: value} if name in PLAIN else {"model": {name: value}}
            try:
                load(Path("/none"), {}, table)
            except UsageError:
                assert not right, (name, value)
            else:
                assert right, (name, value)


def _samples(of: Mapping[str, Any]) -> list[tuple[object, bool]]:
    """Values, and whether a schema takes them."""
    if "enum" in of:
        return [(of["enum"][-1], True), ("no such word", False)]
    if of.get("type") == "boolean":
        return [(True, True), (3, False), ("perhaps", False)]
    if of.get("type") == "integer":
        return [(0, True), (-1, False), (1.5, False), ([], False)]
    if of.get("type") == "number":
        above = "exclusiveMinimum" in of
        return [(0.5, True), (0, not above), ("many", False), (True, False)]
    return [("text", True), (3, False)]


# --------------------------------------------------------------------------------- the command


def test_the_command_prints_values_origins_and_the_schema(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TABLE, "utf-8")
    done = run(tmp_path, "config", "model.strategy")
    assert (done.stdout, done.stderr) == ("plan\n", "from pyproject.toml\n")
    done = run(tmp_path, "config", "--json", "time", MGDEBUG_TIME="5", MGDEBUG_TIEM="4")
    assert json.loads(done.stdout) == {"time": {"value": 5.0, "from": "$MGDEBUG_TIME"}}
    assert "$MGDEBUG_TIEM is no setting of mgdebug\n  next: did you mean $MG" in done.stderr
    assert json.loads(run(tmp_path, "config", "--schema").stdout) == schema()
    assert "did you mean model?" in run(tmp_path, "config", "modle", code=2).stderr


# ------------------------------------------------------------------------------------ the docs


def test_the_documented_settings_are_those_that_there_are() -> None:
    text = (DOCS / "settings.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| `([^`]*)` \|", text, re.MULTILINE)
    found = values(load_with_origins(Path("/none"), {}, {}))
    assert [name for name, _ in rows] == [one.name for one in found]
    for (name, default), one in zip(rows, found, strict=True):
        assert tomllib.loads(f"x = {default}") == {"x": one.value}, name


# ------------------------------------------------------------------------------ help, version


def test_each_command_explains_itself_within_80_columns_and_with_examples() -> None:
    code = """
import sys
from click.testing import CliRunner
from mgdebug.cli import _COMMANDS, main
for name in ("", *_COMMANDS):
    arguments = [name, "--help"] if name else ["--help"]
    done = CliRunner().invoke(main, arguments, prog_name="mgdebug", terminal_width=80)
    assert done.exit_code == 0, name
    wide = [line for line in done.output.splitlines() if len(line) > 80]
    assert not wide, (name, wide)
    examples = done.output.partition("Examples:")[2].count("mgdebug ")
    assert name == "bench" or examples >= 2, name
assert "textual" not in sys.modules and "tree_sitter" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_names_the_pieces_without_loading_them(tmp_path: Path) -> None:
    said = run(tmp_path, "--version").stdout.splitlines()
    assert re.fullmatch(r"mgdebug \d+\.\d+\.\d+", said[0])
    names = [line.split()[0] for line in said[1:]]
    assert names[:3] == ["python", "platform", "sandbox"]
    assert {"textual", "tree-sitter", "litellm"} <= set(names)


# ---------------------------------------------------------------------------------- completion


def offered(folder: Path, words: list[str]) -> list[str]:
    """What fish is offered behind some words, the last of them begun."""
    done = run(
        folder,
        COMP_WORDS=" ".join(words),
        COMP_CWORD=words[-1],
        _MGDEBUG_COMPLETE="fish_complete",
    )
    return [row.partition(",")[2].partition("\t")[0] for row in done.stdout.splitlines() if row]


def test_tab_offers_commands_values_settings_and_functions(tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text("def far(): pass\nclass C:\n    def fit(self): pass\n")
    (tmp_path / "odd.py").write_text("def (:\n")
    assert {"doctor", "config", "completion"} <= set(offered(tmp_path, ["mgdebug", ""]))
    assert "bench" not in offered(tmp_path, ["mgdebug", ""])
    for words, known in (
        (["fix", "--engine", ""], ["search", "llm", "both"]),
        (["tui", "--theme", "d"], ["dark"]),
        (["fix", "--strategy", "h"], ["hierarchical"]),
        (
            ["config", "model.s"],
            ["model.strategy", "model.seconds", "model.samples", "model.stream", "model.search"],
        ),
        (["fix", "mod.py::"], ["mod.py::far", "mod.py::C.fit"]),
        (["tree", "odd.py::"], []),
    ):
        assert sorted(offered(tmp_path, ["mgdebug", *words])) == sorted(known)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_functions_though_it_splits_words_at_colons(tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text("def far(): pass\ndef fur(): pass\n")
    script = run(tmp_path, "completion", "bash").stdout
    (tmp_path / "mgdebug").write_text(f'#!/bin/sh\nexec {sys.executable} -m mgdebug "$@"\n')
    (tmp_path / "mgdebug").chmod(0o755)
    ask = """
COMP_WORDS=(mgdebug fix mod.py :: f) COMP_CWORD=4
_mgdebug_completion mgdebug; echo "${COMPREPLY[*]}"
COMPREPLY=() COMP_WORDS=(mgdebug fix mod.py ::) COMP_CWORD=3
_mgdebug_completion mgdebug; echo "${COMPREPLY[*]}"
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\n{ask}"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "far fur\nfar fur\n", done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_for_a_shell_asks_by_the_variable_that_is_heard(
    tmp_path: Path, shell: str
) -> None:
    script = run(tmp_path, "completion", shell).stdout
    assert f"_MGDEBUG_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, text=True, check=False)
        assert done.returncode == 0
