"""The hooks as git and the real pre-commit run them, on real commits."""

from __future__ import annotations

import importlib.util
import os
import pty
import random
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]

pytestmark = [
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("pre_commit") is None, reason="pre-commit is not installed"
    ),
    pytest.mark.skipif(not (CHECKOUT / ".git").exists(), reason="not a git checkout"),
]

CONFIG = """\
repos:
  - repo: {remote}
    rev: {rev}
    hooks:
      - id: {hook}
        verbose: true
        args: [{arguments}]
"""
FILES = {
    "pyproject.toml": "[tool.mgdebug]\npatches = 60\n",
    "biggest.py": """\
def largest(values):
    best = values[0]
    for value in values:
        if value > best:
            best = value
    return best


def apart():
    return 1


def last():
    return 2
""",
    "names.py": "def title(name):\n    return name.title()\n",
    "notes.py": "NOTES = 1\n",
    "test_biggest.py": """\
from biggest import largest


def test_one():
    assert largest([3]) == 3


def test_two():
    assert largest([1, 2]) == 2


def test_three():
    assert largest([2, 5, 3]) == 5
""",
    "test_names.py": """\
from names import title


def test_title():
    assert title("ab") == "Ab"
""",
}
RIGHT, WRONG = "if value > best", "if value < best"


@dataclass(frozen=True)
class Hooks:
    """A git remote that offers the hooks, and where pre-commit has installed them."""

    remote: Path
    rev: str
    environment: Mapping[str, str]


def run(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], code: int | None = 0
) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert code is None or done.returncode == code, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Hooks:
    """Installed once for all tests.

    pip takes minutes for what mgdebug needs (litellm alone is some 100 MB), so the environment that
    pre-commit makes finds that where these tests have it.  mgdebug itself is built and installed
    from the remote, by pre-commit's own pip.
    """
    base = tmp_path_factory.mktemp("hooks")
    remote, libraries, scratch = base / "remote", base / "libraries", base / "scratch"
    git = {
        f"GIT_{who}_{what}": "x@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    dropped = ("MGDEBUG_", "VIRTUAL_ENV", "GIT_", "PYTHONPATH", "PRE_COMMIT")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(dropped)},
        **git,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(base / "pre-commit"),
        "XDG_CACHE_HOME": str(base / "cache"),
        "XDG_STATE_HOME": str(base / "state"),
    }
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    said = subprocess.run(listed, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, said.split("\0")):
        if (CHECKOUT / name).is_file() and not name.startswith(("tests/", "demos/", "docs/")):
            (remote / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, remote / name)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        run(["git", *words], remote, environment)
    rev = run(["git", "rev-parse", "HEAD"], remote, environment).strip()
    libraries.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "mgdebug" not in entry.name:
            (libraries / entry.name).symlink_to(entry)
    found = Hooks(remote, rev, environment)
    folder = laid_out(scratch, found, "mgdebug-check")
    as_installed = {
        "PYTHONPATH": str(libraries),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    run(["pre-commit", "install-hooks"], folder, {**environment, **as_installed})
    (site,) = (base / "pre-commit").glob("repo*/py_env-*/lib/python*/site-packages")
    assert list(site.glob("mgdebug-*.dist-info"))
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return found


def laid_out(
    folder: Path, hooks: Hooks, hook: str, arguments: str = "", files: Mapping[str, str] = FILES
) -> Path:
    folder.mkdir(exist_ok=True)
    config = CONFIG.format(remote=hooks.remote, rev=hooks.rev, hook=hook, arguments=arguments)
    for name, text in {**files, ".pre-commit-config.yaml": config}.items():
        (folder / name).write_text(text)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        run(["git", *words], folder, hooks.environment)
    run(["pre-commit", "install"], folder, hooks.environment)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def index(folder: Path, hooks: Hooks) -> str:
    return "".join(
        run(["git", *words], folder, hooks.environment)
        for words in (["ls-files", "-s"], ["diff", "--cached"])
    )


def work_tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts and "__pycache__" not in path.parts
    }


def commit(folder: Path, hooks: Hooks, code: int, *words: str) -> str:
    return run(["git", "commit", "-m", "y", *words], folder, hooks.environment, code)


def commit_on_a_terminal(folder: Path, hooks: Hooks) -> tuple[int, str]:
    """As a user does it.  Returns the exit code and what the terminal shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["git", "commit", "-m", "y"],
        cwd=folder,
        env=dict(hooks.environment),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as child:
        os.close(theirs)
        said = b""
        while True:
            try:
                data = os.read(ours, 1 << 16)
            except OSError:  # the terminal has hung up
                break
            said += data
        code = child.wait(60)
    os.close(ours)
    return code, said.decode().replace("\r\n", "\n")


def test_a_commit_runs_the_cases_that_reach_it_and_all_where_nothing_is_known(
    hooks: Hooks, tmp_path: Path
) -> None:
    folder = laid_out(tmp_path / "p", hooks, "mgdebug-check")
    edit(folder / "names.py", "return", "assert name\n    return")
    said = commit(folder, hooks, 0, "-a")
    assert "all 4 cases ran, for nothing is known of them yet; those that reach names.py" in said
    edit(folder / "names.py", "assert name", "assert name != ''")
    assert "1 case of 4 reaches names.py; it passes" in commit(folder, hooks, 0, "-a")
    edit(folder / "notes.py", "1", "2")
    assert "no case reaches notes.py; nothing was run" in commit(folder, hooks, 0, "-a")
    edit(folder / "biggest.py", "return 2", "return 3")
    assert "no case reaches biggest.py; nothing was run" in commit(folder, hooks, 0, "-a")
    assert run(["git", "status", "--porcelain"], folder, hooks.environment) == ""


def test_a_failing_case_stops_the_commit_and_what_lies_beside_it_stays(
    hooks: Hooks, tmp_path: Path
) -> None:
    folder = laid_out(tmp_path / "p", hooks, "mgdebug-check")
    edit(folder / "biggest.py", RIGHT, WRONG)
    run(["git", "add", "biggest.py"], folder, hooks.environment)
    edit(folder / "biggest.py", "return 2", "return 'unstaged'")  # beside a hunk that is staged
    edit(folder / "names.py", "title()", "upper()")
    (folder / "untracked.txt").write_text("mine")
    before = work_tree(folder), index(folder, hooks)
    code, said = commit_on_a_terminal(folder, hooks)
    assert code == 1
    assert (work_tree(folder), index(folder, hooks)) == before
    assert "failed  test_biggest.py::test_two" in said
    assert "-        if value < best:\n+        if value > best:\n" in said
    assert "not applied; no file was changed" in said
    assert "test_names" not in said  # the edit of names.py is not to be committed
    assert "\x1b[?" not in said  # no spinner, no cursor
    (next_,) = (line for line in said.splitlines() if line.startswith("  next: "))
    run(next_.removeprefix("  next: ").split(), folder, hooks.environment)
    text = (folder / "biggest.py").read_text()
    assert RIGHT in text
    assert "unstaged" in text
    assert index(folder, hooks) == before[1]


def test_fixing_writes_the_patch_and_adds_nothing(hooks: Hooks, tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "p", hooks, "mgdebug-fix")
    edit(folder / "biggest.py", RIGHT, WRONG)
    run(["git", "add", "biggest.py"], folder, hooks.environment)
    edit(folder / "biggest.py", "return 2", "return 'unstaged'")
    edit(folder / "names.py", "title()", "upper()")
    before, tree = index(folder, hooks), work_tree(folder)
    said = commit(folder, hooks, 1)
    assert "files were modified by this hook" in said
    assert index(folder, hooks) == before
    tree["biggest.py"] = tree["biggest.py"].replace(WRONG.encode(), RIGHT.encode())
    assert work_tree(folder) == tree
    edit(folder / "names.py", "upper()", "title()")
    assert "pass" in commit(folder, hooks, 0, "-a")


def test_what_cannot_be_mended_stops_the_commit_and_says_what_to_do(
    hooks: Hooks, tmp_path: Path
) -> None:
    folder = laid_out(tmp_path / "p", hooks, "mgdebug-fix", "--time=4")
    edit(folder / "names.py", "return name.title()", "raise KeyError(name)")
    before = work_tree(folder)
    said = commit(folder, hooks, 1, "-a")
    assert "failed  test_names.py::test_title" in said
    assert "next: mgdebug fix" in said
    assert work_tree(folder) == before


def test_markers_of_a_merge_are_one_line_and_stop_the_commit(hooks: Hooks, tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "p", hooks, "mgdebug-check")
    git = ["git", "-c", "core.hooksPath=/dev/null"]
    for branch, text in (("other", "name.lower()"), ("mine", "name.upper()")):
        run([*git, "checkout", "-q", "-b", branch, "HEAD"], folder, hooks.environment)
        edit(folder / "names.py", "name.title()" if branch == "other" else "name.lower()", text)
        run([*git, "commit", "-qam", branch], folder, hooks.environment)
        if branch == "other":
            run([*git, "checkout", "-q", "HEAD~1"], folder, hooks.environment)
            edit(folder / "names.py", "name.title()", "name.lower()")
            edit(folder / "notes.py", "1", "2")
    assert "CONFLICT" in run([*git, "merge", "other"], folder, hooks.environment, 1)
    said = commit(folder, hooks, 1, "-a")
    assert "mgdebug: names.py has conflict markers; nothing was run" in said
    (folder / "names.py").write_text(FILES["names.py"])
    assert "pass" in commit(folder, hooks, 0, "-a")


def test_without_the_time_to_run_anything_the_commit_is_not_stopped(
    hooks: Hooks, tmp_path: Path
) -> None:
    slow = "import time\n\n\ndef test_slow():\n    time.sleep(30)\n"
    files = {**FILES, "test_slow.py": slow}
    folder = laid_out(tmp_path / "p", hooks, "mgdebug-check", "--time=5", files)
    edit(folder / "names.py", "title()", "title() or name")
    began = time.monotonic()
    said = commit(folder, hooks, 0, "-a")
    assert time.monotonic() - began < 20
    assert "4 cases ended well, for 1 there was no time within 5 s" in said


def test_tests_see_nothing_of_the_commit_around_them(hooks: Hooks, tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[tool.mgdebug]\nsandbox = "off"\n',
        "test_git.py": f"""\
import os, sys


def test_around():
    assert [name for name in os.environ if name.startswith("GIT_")] == []
    assert sys.executable == {sys.executable!r}
""",
        "code.py": "A = 1\n",
    }
    folder = laid_out(tmp_path / "p", hooks, "mgdebug-check", "", files)
    edit(folder / "code.py", "1", "2")
    assert "the one case ran" in commit(folder, hooks, 0, "-a")


HOOK = [sys.executable, "-m", "mgdebug", "hook"]


def plain(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_a_missing_key_is_one_line_and_stops_nothing(hooks: Hooks, tmp_path: Path) -> None:
    settings = '[tool.mgdebug]\nengine = "llm"\nmodel = "openai/gpt-x"\n'
    wrong = FILES["biggest.py"].replace(RIGHT, WRONG)
    folder = plain(tmp_path / "p", {**FILES, "pyproject.toml": settings, "biggest.py": wrong})
    environment = {k: v for k, v in hooks.environment.items() if k != "OPENAI_API_KEY"}
    (line,) = run([*HOOK, "biggest.py"], folder, environment).splitlines()
    assert "2 cases of 4 fail, but $OPENAI_API_KEY, which engine = llm needs, is not set" in line


def test_a_project_without_tests_is_one_line_and_stops_nothing(
    hooks: Hooks, tmp_path: Path
) -> None:
    folder = plain(tmp_path / "p", {"pyproject.toml": "", "code.py": "A = 1\n"})
    (line,) = run([*HOOK, "code.py"], folder, hooks.environment).splitlines()
    assert line == "mgdebug: this project has no tests; nothing was run"


def test_killed_at_any_moment_it_leaves_index_and_work_tree_as_they_were(
    hooks: Hooks, tmp_path: Path
) -> None:
    folder = laid_out(tmp_path / "p", hooks, "mgdebug-check")
    edit(folder / "biggest.py", RIGHT, WRONG)
    run(["git", "add", "biggest.py"], folder, hooks.environment)
    edit(folder / "names.py", "title()", "upper()")
    before = work_tree(folder), index(folder, hooks)
    patched = {
        **before[0],
        "biggest.py": before[0]["biggest.py"].replace(WRONG.encode(), RIGHT.encode()),
    }
    chance = random.Random(7)
    began = time.monotonic()
    run([*HOOK, "biggest.py"], folder, hooks.environment, 1)
    whole = time.monotonic() - began
    for mode, kills in ((["biggest.py"], 2), (["--fix", "biggest.py"], 2)):
        for _ in range(kills):
            with subprocess.Popen(
                [*HOOK, *mode],
                cwd=folder,
                env=dict(hooks.environment),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as child:
                time.sleep(chance.uniform(0, whole))
                child.kill()
            assert index(folder, hooks) == before[1]
            now = work_tree(folder)
            left = {name for name in now if name.startswith(".mgdebug-")}
            assert not left or "--fix" in mode  # which the next start sweeps
            now = {name: data for name, data in now.items() if name not in left}
            if now == patched and "--fix" in mode:
                run([sys.executable, "-m", "mgdebug", "undo"], folder, hooks.environment)
                now = work_tree(folder)
            assert now == before[0]
