"""`make demo`, as a user runs it: the script with the command of this interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).parent / "mgdebug"


def demo(command: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MGDEBUG_", "PYTEST"))}
    return subprocess.run(
        ["sh", str(CHECKOUT / "demos/run.sh"), str(command)],
        cwd=scratch,
        env={**environment, "TMPDIR": str(scratch)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_demo_finds_the_human_fix_and_leaves_nothing_behind(tmp_path: Path) -> None:
    if not COMMAND.exists():
        pytest.skip(f"there is no {COMMAND}")
    before = contents(CHECKOUT / "demos")
    done = demo(COMMAND, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "-        if quantity > least:" in lines
    assert "+        if quantity >= least:" in lines
    told = [line for line in lines if line.startswith(("2 failed", "9 passed", "restored"))]
    assert [line.split()[0] for line in told] == ["2", "9", "restored"]
    assert contents(CHECKOUT / "demos") == before
    assert list(tmp_path.iterdir()) == []


def test_the_demo_fails_if_the_bug_stays(tmp_path: Path) -> None:
    folder, scratch = tmp_path / "bin", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    for name, does in (("mgdebug", "exit 0"), ("python", f'exec "{sys.executable}" "$@"')):
        (folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (folder / name).chmod(0o755)
    done = demo(folder / "mgdebug", scratch)
    assert done.returncode != 0
    assert done.stdout.count("2 failed, 7 passed") == 2
    assert list(scratch.iterdir()) == []
