"""Writing user files: checked, whole or not at all, undoable."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgdebug.apply import Change, apply, sha256, sweep, tidy, undo
from mgdebug.bench.kills import killed
from mgdebug.errors import ApplyError


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.fixture
def root(tmp_path: Path, state: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    (folder / "one.py").write_bytes(b"one = 1\r\n")
    (folder / "sub" / "two.py").write_bytes(b"two = '\xe9'")
    return folder


@pytest.fixture
def plain_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project and a state folder of a user whom permissions bind, which they do not bind root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
        for inner in ("state", "project/open", "project/shut"):
            (folder / inner).mkdir(parents=True)
        for inner in ("open", "shut"):
            (folder / "project" / inner / "mod.py").write_bytes(b"old = 1\n")
        if os.geteuid():
            yield folder / "project"
        else:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, 65534, 65534)
            os.seteuid(65534)
            try:
                yield folder / "project"
            finally:
                os.seteuid(0)
        (folder / "project" / "shut").chmod(0o755)


def change(root: Path, path: str, data: bytes) -> Change:
    """A change of the file as it stands."""
    return Change(path, sha256((root / path).read_bytes()), data)


def files(root: Path) -> dict[str, bytes]:
    """All files of a folder, those that are hidden too."""
    found = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


# --------------------------------------------------------------------------------- applying


def test_changes_are_written_byte_for_byte(root: Path) -> None:
    data = bytes(range(256)) * 5000
    written = apply(root, [change(root, "one.py", data), change(root, "sub/two.py", b"")])
    assert written == ("one.py", "sub/two.py")
    assert files(root) == {"one.py": data, "sub/two.py": b""}


def test_a_file_that_has_changed_is_refused_and_none_is_written(root: Path) -> None:
    before = files(root)
    changes = [change(root, "one.py", b"new"), Change("sub/two.py", sha256(b"other"), b"new")]
    with pytest.raises(ApplyError, match=r"^sub/two\.py has changed since .* nothing was written"):
        apply(root, changes)
    assert files(root) == before
    with pytest.raises(ApplyError, match="nothing to undo"):
        undo(root)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("gone.py", "no such file or directory"), ("sub", "is a directory")],
)
def test_a_file_that_cannot_be_read_is_refused(root: Path, path: str, reason: str) -> None:
    before = files(root)
    with pytest.raises(ApplyError, match=f"^cannot read {path}: {reason}$"):
        apply(root, [change(root, "one.py", b"new"), Change(path, sha256(b""), b"new")])
    assert files(root) == before


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o2755])
def test_the_mode_of_a_file_is_kept(root: Path, mode: int) -> None:
    file = root / "one.py"
    file.chmod(mode)
    apply(root, [change(root, "one.py", b"new")])
    assert file.stat().st_mode & 0o7777 == mode
    undo(root)
    assert file.stat().st_mode & 0o7777 == mode


def test_a_file_that_its_owner_made_read_only_is_refused(root: Path) -> None:
    before = files(root)
    (root / "sub" / "two.py").chmod(0o444)
    changes = [change(root, "one.py", b"new"), change(root, "sub/two.py", b"new")]
    with pytest.raises(ApplyError, match=r"^sub/two\.py is read-only; nothing was written$"):
        apply(root, changes)
    assert files(root) == before
    with pytest.raises(ApplyError, match="nothing to undo"):
        undo(root)


def test_links_are_followed_and_stay_links(root: Path, tmp_path: Path) -> None:
    (root / "link.py").symlink_to("sub/two.py")
    (root / "folder").symlink_to(root / "sub")
    apply(root, [change(root, "link.py", b"new")])
    assert (root / "link.py").is_symlink()
    assert (root / "sub" / "two.py").read_bytes() == b"new"
    apply(root, [change(root, "folder/two.py", b"newer")])
    assert (root / "folder").is_symlink()
    assert (root / "sub" / "two.py").read_bytes() == b"newer"
    undo(root)
    undo(root)
    assert (root / "link.py").is_symlink()
    assert (root / "sub" / "two.py").read_bytes() == b"two = '\xe9'"
    assert sorted(path.name for path in (root / "sub").iterdir()) == ["two.py"]


# ------------------------------------------------------------------------------ failing writes


def test_a_write_that_fails_midway_puts_back_what_was_written(root: Path) -> None:
    before = files(root)
    changes = [change(root, "one.py", b"new"), change(root, "sub/two.py", b"x" * 200_000)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(ApplyError, match=r"^cannot write sub/two\.py: file too large$"):
            apply(root, changes)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(root) == before
    with pytest.raises(ApplyError, match="nothing to undo"):
        undo(root)
    apply(root, changes)
    assert (root / "sub" / "two.py").read_bytes() == b"x" * 200_000


def test_a_folder_that_may_not_be_written_puts_back_what_was_written(plain_root: Path) -> None:
    (plain_root / "shut").chmod(0o555)
    before = files(plain_root)
    changes = [change(plain_root, f"{name}/mod.py", b"new = 2\n") for name in ("open", "shut")]
    with pytest.raises(ApplyError, match=r"^cannot write shut/mod\.py: permission denied$"):
        apply(plain_root, changes)
    assert files(plain_root) == before
    with pytest.raises(ApplyError, match="nothing to undo"):
        undo(plain_root)


def test_a_folder_that_may_not_be_listed_can_be_written(plain_root: Path) -> None:
    (plain_root / "shut").chmod(0o333)
    assert apply(plain_root, [change(plain_root, "shut/mod.py", b"new = 2\n")])
    assert (plain_root / "shut" / "mod.py").read_bytes() == b"new = 2\n"
    undo(plain_root)
    assert (plain_root / "shut" / "mod.py").read_bytes() == b"old = 1\n"


def test_an_undo_that_cannot_write_says_so_and_can_be_tried_again(plain_root: Path) -> None:
    before = files(plain_root)
    apply(plain_root, [change(plain_root, "shut/mod.py", b"new = 2\n")])
    (plain_root / "shut").chmod(0o555)
    with pytest.raises(ApplyError, match=r"^cannot write shut/mod\.py: permission denied$"):
        undo(plain_root)
    assert (plain_root / "shut" / "mod.py").read_bytes() == b"new = 2\n"
    (plain_root / "shut").chmod(0o755)
    assert undo(plain_root) == ("shut/mod.py",)
    assert files(plain_root) == before


def test_without_a_place_for_the_journal_nothing_is_written(root: Path, state: Path) -> None:
    before = files(root)
    state.write_bytes(b"a file where the folder should be")
    with pytest.raises(ApplyError, match=r"^cannot keep a copy for undo .* nothing was written$"):
        apply(root, [change(root, "one.py", b"new")])
    assert files(root) == before


# ------------------------------------------------------------------------------------- undo


def test_undo_takes_back_one_patch_after_the_other(root: Path) -> None:
    stages = [files(root)]
    for number in range(3):
        changes = [change(root, "one.py", b"one = %d\n" % number)]
        if number == 1:
            changes.append(change(root, "sub/two.py", b"\xff\x00"))
        apply(root, changes)
        stages.append(files(root))
    assert undo(root) == ("one.py",)
    assert files(root) == stages[2]
    assert undo(root) == ("one.py", "sub/two.py")
    assert files(root) == stages[1]
    assert undo(root) == ("one.py",)
    assert files(root) == stages[0]
    with pytest.raises(ApplyError, match=r"^there is nothing to undo in this project$"):
        undo(root)


def test_undo_is_refused_once_a_file_has_changed(root: Path) -> None:
    old = (root / "sub" / "two.py").read_bytes()
    apply(root, [change(root, "one.py", b"new"), change(root, "sub/two.py", b"new")])
    (root / "sub" / "two.py").write_bytes(b"the user's own work")
    before = files(root)
    with pytest.raises(ApplyError, match=r"^sub/two\.py has changed since") as caught:
        undo(root)
    assert files(root) == before
    kept = Path(caught.value.hint.rpartition(" ")[2])
    assert kept.read_bytes() == old


def test_undo_is_refused_once_a_file_is_gone(root: Path) -> None:
    apply(root, [change(root, "one.py", b"new"), change(root, "sub/two.py", b"new")])
    (root / "sub" / "two.py").unlink()
    with pytest.raises(ApplyError, match=r"^cannot read sub/two\.py: no such file"):
        undo(root)
    assert (root / "one.py").read_bytes() == b"new"


def test_undo_completes_what_was_half_applied(root: Path) -> None:
    before = files(root)
    apply(root, [change(root, "one.py", b"new"), change(root, "sub/two.py", b"new")])
    (root / "sub" / "two.py").write_bytes(before["sub/two.py"])
    undo(root)
    assert files(root) == before


def test_projects_have_journals_of_their_own(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "project"
    other.mkdir(parents=True)
    (other / "one.py").write_bytes(b"one = 1\r\n")
    apply(root, [change(root, "one.py", b"new")])
    with pytest.raises(ApplyError, match="nothing to undo"):
        undo(other)
    assert undo(root) == ("one.py",)


def test_the_journal_lies_outside_the_project(root: Path, state: Path) -> None:
    apply(root, [change(root, "one.py", b"new")])
    assert set(files(root)) == {"one.py", "sub/two.py"}
    assert b"one = 1\r\n" in files(state).values()
    undo(root)
    assert files(state) == {}


def test_what_an_interrupted_journal_left_is_nothing_to_undo(root: Path, state: Path) -> None:
    apply(root, [change(root, "one.py", b"new")])
    (entry,) = (path.parent for path in state.rglob("entry.json"))
    copy = entry.parent / ".new-copy"
    shutil.copytree(entry, copy)
    (entry.parent / ("9" * 20)).mkdir()
    assert undo(root) == ("one.py",)
    before = files(root)
    for _ in range(2):
        with pytest.raises(ApplyError, match="nothing to undo"):
            undo(root)
    assert files(root) == before
    apply(root, [change(root, "one.py", b"newer")])
    assert not copy.exists()


# --------------------------------------------------------------------------- what a kill leaves


def half_applied(root: Path) -> None:
    before = (root / "sub" / "two.py").read_bytes()
    apply(root, [change(root, "one.py", b"new"), change(root, "sub/two.py", b"new")])
    (root / "sub" / "two.py").write_bytes(before)


def test_a_patch_that_is_half_written_is_noticed(root: Path) -> None:
    before = files(root)
    assert tidy(root) == ((), ())
    half_applied(root)
    assert tidy(root) == (("one.py",), ("sub/two.py",))
    undo(root)
    assert tidy(root) == ((), ())
    assert files(root) == before


def test_an_entry_that_a_kill_stopped_before_any_write_hides_no_earlier_one(
    root: Path, state: Path
) -> None:
    before = files(root)
    apply(root, [change(root, "one.py", b"new")])
    kept = (root / "one.py").read_bytes()
    apply(root, [change(root, "one.py", b"newer")])
    last = max(state.rglob("[0-9]*/entry.json")).parent
    (last / "done").unlink()
    (root / "one.py").write_bytes(kept)
    (root / ".mgdebug-stray.tmp").write_bytes(b"half")
    assert undo(root) == ("one.py",)
    assert files(root) == before
    assert files(state) == {}


def test_the_strays_of_an_interrupted_apply_are_swept_at_the_next_start(
    root: Path, state: Path
) -> None:
    half_applied(root)
    (entry,) = (path.parent for path in state.rglob("entry.json"))
    shutil.copytree(entry, entry.parent / ".new-copy")
    for path in (".mgdebug-x.tmp", "sub/.mgdebug-y.tmp"):
        (root / path).write_bytes(b"half")
    tidy(root)
    assert set(files(root)) == {"one.py", "sub/two.py"}
    assert not (entry.parent / ".new-copy").exists()


FULL = """
import sys
from pathlib import Path
from mgdebug.apply import Change, apply, sha256, undo
from mgdebug.errors import ApplyError
root = Path(sys.argv[1])
try:
    if sys.argv[2] == "undo":
        undo(root)
    else:
        apply(root, [Change(p, sha256((root / p).read_bytes()), d) for p, d in
                     (("one.py", b"1 = one"), ("sub/two.py", b"x" * (1 << 20)))])
except ApplyError as error:
    print(error.message)
"""
FILL = """
mount -t tmpfs -o size=256k none "$1" && cp -a "$2/." "$1" &&
{ cat /dev/zero > "$1/filler" 2>&-; "$3" -c "$4" "$5" apply; cd "$5" && sha256sum one.py sub/two.py
find . "$1" -name '.mgdebug-*' -o -name '.new-*'; }
"""


@pytest.mark.parametrize("full", ["project", "state"])
def test_a_full_disk_changes_nothing_and_says_so(
    root: Path, state: Path, tmp_path: Path, full: str
) -> None:
    state.mkdir()
    place = tmp_path / full
    shutil.copytree(place, tmp_path / "copy")
    command = ["unshare", "-Urm", "sh", "-c", FILL, "sh", str(place), str(tmp_path / "copy")]
    if not shutil.which("unshare") or subprocess.run(["unshare", "-Urm", "true"]).returncode:
        pytest.skip("no namespace of mounts here to fill a disk in")
    done = subprocess.run(
        [*command, sys.executable, FULL, str(root)], capture_output=True, text=True, check=False
    )
    said, *rest = done.stdout.splitlines()
    assert "no space left on device" in said, done
    assert "nothing was written" in said or "cannot write" in said
    assert rest == [
        f"{sha256((root / path).read_bytes())}  {path}" for path in ("one.py", "sub/two.py")
    ]


# ---------------------------------------------------------------------- temporaries and kills


def test_stray_temporaries_beside_the_files_are_swept_and_nothing_else(root: Path) -> None:
    before = files(root)
    for path in (".mgdebug-x.tmp", "sub/.mgdebug-yz_1.tmp"):
        (root / path).write_bytes(b"half")
    (root / "sub" / "other").mkdir()
    kept = ("sub/mgdebug.tmp", "sub/.mgdebug-notes", "sub/x.tmp", "sub/other/.mgdebug-z.tmp")
    for path in kept:
        (root / path).write_bytes(b"mine")
    sweep(root, ["one.py", "sub/two.py"])
    assert files(root) == {**before, **dict.fromkeys(kept, b"mine")}
    sweep(root, ["gone/mod.py"])


GENERATIONS = [
    {name: f"# {name} {age}\n".encode() * 4000 for name in ("one.py", "sub/two.py")}
    for age in ("old", "newer and longer")
]
WRITER = """
import sys
from pathlib import Path
from mgdebug.apply import Change, apply, sha256
root, generations = Path(sys.argv[1]), eval(sys.stdin.readline())
print("ready", flush=True)
while True:
    for old, new in (generations, generations[::-1]):
        apply(root, [Change(path, sha256(old[path]), new[path]) for path in old])
"""


def test_a_kill_at_any_moment_leaves_old_or_new_bytes(root: Path, state: Path) -> None:
    chance = random.Random(20)
    ages = set()
    for _ in range(40):
        for path, data in GENERATIONS[0].items():
            (root / path).write_bytes(data)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(f"{GENERATIONS!r}\n".encode())
            child.stdin.flush()
            assert child.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0, 0.02))
            child.kill()
        assert child.returncode == -signal.SIGKILL
        found = {p: d for p, d in files(root).items() if not p.endswith(".tmp")}
        assert set(found) == set(GENERATIONS[0])
        for path, data in found.items():
            assert data in (GENERATIONS[0][path], GENERATIONS[1][path])
        ages.add(tuple(data == GENERATIONS[0][path] for path, data in found.items()))
        tidy(root)
        assert not list(state.rglob(".new-*"))
        if list(state.rglob("[0-9]*/entry.json")):
            undo(root)
        assert files(root) in GENERATIONS  # both files of one age
        shutil.rmtree(state, ignore_errors=True)
    assert len(ages) > 1  # the kills did come at different moments


def test_kills_of_the_command_itself_tear_and_lose_nothing() -> None:
    """A few of those that the benchmark `kills` makes."""
    ended = list(killed(3, 3))
    assert [one.wrong for one in ended] == [()] * 3


def test_the_next_command_says_that_a_patch_is_half_written(root: Path) -> None:
    (root / "pyproject.toml").write_text("[tool.mgdebug]\n")
    before = files(root)
    half_applied(root)
    done = subprocess.run(
        [sys.executable, "-m", "mgdebug", "undo"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines()[:2] == [
        "an interrupted mgdebug patched one.py, but not sub/two.py",
        "  next: mgdebug undo",
    ]
    assert done.returncode == 0
    assert files(root) == before


def test_an_edit_made_while_writing_is_not_overwritten(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user saves a file once the patch has been checked and made ready."""
    before = files(root)
    flush = os.fsync

    def saved_meanwhile(handle: int) -> None:
        flush(handle)
        if list((root / "sub").glob(".mgdebug-*.tmp")):
            (root / "sub" / "two.py").write_bytes(b"mine")

    changes = [change(root, "one.py", b"new"), change(root, "sub/two.py", b"new")]
    monkeypatch.setattr(os, "fsync", saved_meanwhile)
    with pytest.raises(ApplyError, match=r"^sub/two\.py has changed since"):
        apply(root, changes)
    assert files(root) == {**before, "sub/two.py": b"mine"}
