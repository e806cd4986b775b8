"""`mgdebug tree` as a user meets it: real processes on small projects."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "mgdebug", "tree"]
SHOP = '''\
"""A shop."""
from functools import cache

from shop.prices import price


@cache
def total(cart, rate=1):
    amount = 0
    for item in cart:
        if item and rate:
            amount += price(item)
    return round(amount * rate)


class Cart:
    @property
    def items(self):
        return self._items

    async def send(self, *to):
        key = lambda one: one.name
        return total(sorted(self.items, key=key))


def ping(n):
    return pong(n - 1) if n else n


def pong(n):
    return ping(n - 1)


def count(n):
    return count(n - 1)
'''
PRICES = "def price(item):\n    return tax(item)\n\n\ndef tax(item):\n    return item\n"
SCRIPT = "import { b } from './b'\nexport function a() { b(1) }\n"
LONG = "def long(a, b):\n" + "".join(
    f"    if a > {i}:\n        b = b + {i}\n        a = a - b\n" for i in range(30)
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").write_text("")
    (tmp_path / "shop/cart.py").write_text(SHOP)
    (tmp_path / "shop/prices.py").write_text(PRICES)
    (tmp_path / "web").mkdir()
    (tmp_path / "web/a.js").write_text(SCRIPT)
    (tmp_path / "web/b.mjs").write_text("export const b = (x) => x\n")
    for folder in (".hidden", "node_modules/x", "env/lib", "web/__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "not_shown.py").write_text("def f(): pass\n")
    (tmp_path / "env/pyvenv.cfg").write_text("")
    return tmp_path


def run(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "40"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    return done


def lines(text: str) -> list[str]:
    """Without the guides and with single blanks."""
    bare = (" ".join(re.sub("[│├└─]", " ", line).split()) for line in text.splitlines())
    return [line for line in bare if line]


# ------------------------------------------------------------------------------------ text


def test_a_folder_is_shown_without_blocks(project: Path) -> None:
    done = run(project)
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert lines(done.stdout) == [
        "shop/__init__.py",
        "shop/cart.py",
        "function total(cart, rate) 8-13 @cache",
        "calls shop/prices.py::price",
        "unknown round",
        "class Cart 16-23",
        "property items(self) 18-19 @property",
        "async method send(self, to) 21-23",
        "calls total, Cart.send.key, Cart.items",
        "unknown sorted",
        "lambda key(one) 22",
        "function ping(n) 26-27 recursive, with pong",
        "calls pong",
        "function pong(n) 30-31 recursive, with ping",
        "calls ping",
        "function count(n) 34-35",
        "calls itself",
        "order total, Cart.items, Cart.send.key, Cart.send, (ping, pong), count",
        "shop/prices.py",
        "function price(item) 1-2",
        "calls tax",
        "function tax(item) 5-6",
        "order tax, price",
        "web/a.js",
        "function a() 2",
        "calls web/b.mjs::b",
        "web/b.mjs",
        "lambda b(x) 1",
    ]


def test_a_file_is_shown_with_blocks(project: Path) -> None:
    shown = lines(run(project, "shop/cart.py").stdout)
    start = shown.index("function total(cart, rate) 8-13 @cache")
    assert shown[start + 1 : start + 9] == [
        "calls shop/prices.py::price",
        "unknown round",
        "9 run amount = 0 writes amount",
        "10 loop for item in cart: reads cart writes item",
        "11 condition item and rate reads item, rate",
        "11 arm rate reads rate",
        "12 run amount += price(item) reads amount, price, item writes amount",
        "13 run return round(amount * rate) reads round, amount, rate -> return",
    ]
    assert shown[0] == "shop/cart.py"
    assert not any("def price" in line for line in shown)


def test_blocks_are_indented_by_what_decides_over_them(project: Path) -> None:
    text = run(project, "shop/cart.py::total").stdout
    column = {
        word: next(line.index(word) for line in text.splitlines() if word in line)
        for word in ("amount = 0", "for item in", "amount += ", "return round")
    }
    assert column["amount = 0"] == column["for item in"] == column["return round"]
    assert column["amount += "] > column["for item in"]


def test_a_part_is_shown_with_what_is_inside_it(project: Path) -> None:
    shown = lines(run(project, "shop/cart.py::Cart.send").stdout)
    assert shown[:2] == ["shop/cart.py", "async method send(self, to) 21-23"]
    assert "lambda key(one) 22" in shown
    assert not any("total(cart" in line for line in shown)
    assert lines(run(project, "shop/cart.py::Cart::send").stdout) == shown


def test_blocks_of_a_folder_are_shown_when_asked_for(project: Path) -> None:
    assert "2 run return tax(item) reads tax, item -> return" in lines(
        run(project, "--blocks").stdout
    )


def test_paths_are_those_of_the_project_wherever_it_is_run(project: Path) -> None:
    there = run(project / "shop").stdout
    assert lines(there)[:2] == ["shop/__init__.py", "shop/cart.py"]
    assert "web/a.js" not in there
    assert run(project / "web", "../shop").stdout == there
    assert run(Path("/"), str(project / "shop")).stdout == there


def test_long_lines_are_not_cut_where_no_terminal_is(tmp_path: Path) -> None:
    names = [f"parameter_{i}" for i in range(60)]
    (tmp_path / "m.py").write_text(f"def f({', '.join(names)}): pass\n")
    assert f"({', '.join(names)})" in run(tmp_path).stdout


def test_marks_of_other_libraries_and_odd_characters_are_text(tmp_path: Path) -> None:
    text = "def f(größe):\n    a = '[bold]x[/] \x1b[31m 😀'\n    return a\n"
    (tmp_path / "m.py").write_text(text, "utf-8")
    shown = run(tmp_path, "m.py").stdout
    assert "[bold]x[/]  [31m 😀" in shown
    assert "\x1b" not in shown
    code = "import sys, mgdebug.__main__ as m; sys.argv[1:] = ['tree', 'm.py']; m.start()"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert b"gr\\xf6" in done.stdout


# ------------------------------------------------------------------------------ JSON, graph


def data(folder: Path, *arguments: str) -> Any:
    return json.loads(run(folder, "--json", *arguments).stdout)


def test_json_has_everything_and_its_ids_agree(project: Path) -> None:
    found = data(project)
    by_id = {s["id"]: s for s in found["subfunctions"]}
    ordered = [name for group in found["order"] for name in group]
    assert sorted(ordered) == sorted(by_id)
    assert ["shop/cart.py::ping", "shop/cart.py::pong"] in found["order"]
    for name, subfunction in by_id.items():
        assert name == f"{subfunction['path']}::{subfunction['qualname']}"
        assert {*subfunction["children"], *subfunction["calls"]} <= set(by_id)
        ids = {block["id"] for block in subfunction["blocks"]}
        assert all(block["parent"] in ids | {""} for block in subfunction["blocks"])
        assert all(ordered.index(c) < ordered.index(name) for c in subfunction["children"])
    total = by_id["shop/cart.py::total"]
    assert list(total) == [
        *("id", "path", "name", "qualname", "kind", "asynchronous", "span", "whole"),
        *("decorators", "parameters", "children", "calls", "unknown", "blocks"),
    ]
    start, end, first, last = total["span"]
    assert SHOP[start:end].startswith("def total")
    assert (first, last) == (8, 13)
    assert total["whole"][2] == 7
    assert total["blocks"][-1]["exit"] == "return"
    assert run(project, "--json").stdout == run(project, "--json").stdout


def test_json_of_a_part(project: Path) -> None:
    found = data(project, "shop/cart.py::Cart")
    assert [s["name"] for s in found["subfunctions"]] == ["Cart", "items", "send", "key"]
    assert "shop/cart.py::total" in found["subfunctions"][2]["calls"]


NODE = r'"(?:[^"\\]|\\.)*"'
STATEMENTS = (
    r"digraph hierarchy \{",
    r"rankdir=LR;",
    r'node \[shape=box, fontname="monospace"\];',
    r"subgraph cluster_\d+ \{",
    rf"label={NODE};",
    rf"{NODE} \[label={NODE}(, style=rounded)?\];",
    rf"{NODE} \[style=dotted\];",
    rf"{NODE} -> {NODE}( \[style=dashed\])?;",
    r"\}",
)


def test_dot_is_a_graph(project: Path) -> None:
    (project / 'shop/a "b" \\ c.py').write_text("def f():\n    def g(): pass\n    g()\n")
    text = run(project, "--dot", "shop").stdout
    assert all(
        any(re.fullmatch(one, line.strip()) for one in STATEMENTS) for line in text.splitlines()
    )
    assert text.count("{") == text.count("}") == 5
    assert '  "shop/cart.py::total" -> "shop/prices.py::price";' in text
    assert '  "shop/cart.py::Cart" -> "shop/cart.py::Cart.send" [style=dashed];' in text
    assert r'"shop/a \"b\" \\ c.py::f" -> "shop/a \"b\" \\ c.py::f.g";' in text
    dot = shutil.which("dot")
    if dot:
        subprocess.run([dot, "-Tsvg"], input=text.encode(), capture_output=True, check=True)
    alone = run(project, "--dot", "shop/cart.py").stdout
    assert '  "shop/prices.py::price" [style=dotted];' in alone


# -------------------------------------------------------------------------------- outlined


def test_outlined_code_goes_to_standard_output(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(LONG)
    done = run(tmp_path, "long.py", "--outlined")
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    exec(LONG, before)
    exec(done.stdout, after)
    assert [after["long"](a, 1) for a in range(40)] == [before["long"](a, 1) for a in range(40)]
    pieces = done.stderr.splitlines()
    assert pieces
    assert all(re.match(r"long\.py:\d+(-\d+)?  \w+\(.*\) -> .+  from long$", p) for p in pieces)
    assert (tmp_path / "long.py").read_text() == LONG


def test_the_size_of_pieces_is_a_setting(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(LONG)
    (tmp_path / "pyproject.toml").write_text("[tool.mgdebug]\noutline-statements = 500\n")
    done = run(tmp_path, "long.py", "--outlined")
    assert done.stdout == LONG
    assert done.stderr == "long.py: nothing to split\n"


def test_only_the_named_part_is_outlined(tmp_path: Path) -> None:
    two = LONG + LONG.replace("long", "other")
    (tmp_path / "two.py").write_text(two)
    done = run(tmp_path, "two.py::other", "--outlined")
    assert done.stdout.startswith(LONG)
    assert "from other" in done.stderr
    assert "from long" not in done.stderr
    assert "two.py has no third" in run(tmp_path, "two.py::third", "--outlined", code=2).stderr


def test_what_stays_whole_is_counted(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(LONG.replace("b):\n", "b):\n    print(locals())\n", 1))
    assert "stays whole: 1 frame access inside" in run(tmp_path, "m.py", "--outlined").stderr


def test_files_of_a_folder_are_outlined_one_after_the_other(project: Path) -> None:
    done = run(project, "--outlined")
    assert "==> shop/prices.py <==\n" + PRICES in done.stdout
    assert "web/a.js: code in javascript cannot be outlined yet; left out" in done.stderr
    alone = run(project, "web/a.js", "--outlined", code=2)
    assert alone.stderr == "mgdebug: web/a.js: code in javascript cannot be outlined yet\n"


# ---------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("shop/crat.py", "shop/crat.py does not exist", "did you mean shop/cart.py?"),
        ("cart.py", "cart.py does not exist", "did you mean shop/cart.py?"),
        ("shop/cart.py::Cart.sned", "has no Cart.sned", "did you mean shop/cart.py::Cart.send?"),
        ("shop/cart.py::send", "has no send", "did you mean shop/cart.py::Cart.send?"),
        ("shop/prices.py::zzz", "has no zzz", "it has price, tax"),
        ("shop::f", "shop is a folder", "FILE::"),
        ("docs", "docs has no file of a known language", ".py"),
        ("docs/a.txt", "no language is known", ".js"),
    ],
)
def test_what_is_not_there(project: Path, path: str, message: str, hint: str) -> None:
    (project / "docs").mkdir()
    (project / "docs/a.txt").write_text("")
    said = run(project, path, code=2)
    assert message in said.stderr
    assert hint in said.stderr
    assert said.stdout == ""


def test_a_file_that_cannot_be_decoded(project: Path) -> None:
    (project / "shop/odd.py").write_bytes(b"a = '\xff'\n")
    folder = run(project)
    assert "warning: shop/odd.py:1: byte 0xff is not utf-8; left out" in folder.stderr
    assert "shop/cart.py" in folder.stdout
    alone = run(project, "shop/odd.py", code=2)
    assert "shop/odd.py:1: byte 0xff is not utf-8" in alone.stderr


def test_a_file_with_syntax_errors_is_shown(project: Path) -> None:
    (project / "shop/broken.py").write_text("def f():\n    return 1\n\nx = = 2\n")
    done = run(project, "shop/broken.py")
    assert "warning: shop/broken.py:4:" in done.stderr
    assert "does not parse" in done.stderr
    assert "function f() 1-2" in lines(done.stdout)


def test_files_that_are_followed_to_may_be_unreadable(project: Path) -> None:
    (project / "shop/prices.py").write_bytes(b"\xff")
    assert "unknown price, round" in lines(run(project, "shop/cart.py").stdout)


def test_a_pipe_that_is_closed_early_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("".join(f"def f{i}(a): return a\n" for i in range(3000)))
    for flag in ("", " --json", " --dot", " --outlined"):
        command = f"{sys.executable} -m mgdebug tree m.py{flag} | head -n 1"
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout.count("\n") == 1
        assert "Broken" not in done.stderr
        assert "fault" not in done.stderr


def test_fix_says_what_is_not_repaired_yet(project: Path) -> None:
    done = subprocess.run(
        [*COMMAND[:-1], "fix", "web/a.js"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "repairing it is not possible yet" in done.stderr
    assert "mgdebug tree" in done.stderr


def test_help_tells_of_it() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    for word in ("FILE::FUNCTION", "--json", "--dot", "--outlined", "--blocks"):
        assert word in done.stdout
