"""A child, all that it starts, and its scratch folder go together."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from processes import left_of, marked

from mgdebug.sandbox.policy import Policy, Site
from mgdebug.sandbox.process import Process, child_environment, is_kept
from mgdebug.sandbox.scratch import Scratch, sweep


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    made = Scratch()
    yield made
    made.remove()


@pytest.fixture(params=["on", "off"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def site(scratch: Scratch, cwd: Path) -> Site:
    place = str(cwd.resolve())
    return Site(place, place, str(scratch.path), sys.executable, os.path.expanduser("~"))  # noqa: PTH111


def started(
    code: str, scratch: Scratch, cwd: Path, policy: Policy, fds: Sequence[int] = ()
) -> Process:
    command = [sys.executable, "-c", code]
    return Process(command, site=site(scratch, cwd), policy=policy, scratch=scratch, fds=fds)


def ended(process: Process) -> None:
    while process.running:
        pass
    process.stop()


def test_stopping_a_child_takes_all_along_that_it_started(
    scratch: Scratch, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGDEBUG_TEST_MARK", mark := f"mark-{tmp_path}")
    code = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(3):
    os.fork()
    os.setsid() if os.getpid() != os.getsid(0) and os.getpid() != os.getpgid(0) else None
print("ready", flush=True)
time.sleep(60)
"""
    policy = Policy(mode=mode, env=("MGDEBUG_TEST_MARK",))
    process = started(code, scratch, tmp_path, policy)
    while scratch.output().count("ready") < 8:
        assert process.running
    assert len(marked(mark)) >= 8
    process.stop()
    assert not process.running
    assert left_of(mark) == {}
    process.stop()


def test_a_child_reads_nothing_and_starts_where_it_should(
    scratch: Scratch, tmp_path: Path, mode: str
) -> None:
    code = "import os, sys; print(repr(sys.stdin.read()), os.getcwd())"
    ended(started(code, scratch, tmp_path, Policy(mode=mode)))
    assert scratch.output() == f"'' {tmp_path.resolve()}\n"


def test_only_the_named_descriptors_are_inherited(
    scratch: Scratch, tmp_path: Path, mode: str
) -> None:
    (one, two), (three, four) = os.pipe(), os.pipe()
    for fd in (one, three, four):
        os.set_inheritable(fd, True)
    pipes = [str(Path(f"/proc/self/fd/{fd}").readlink()) for fd in (one, three)]
    code = f"""
import os
for fd in {one, two, three, four}:
    try:
        if os.readlink("/proc/self/fd/%d" % fd) in {pipes}:
            print(fd)
    except OSError:
        pass
"""
    ended(started(code, scratch, tmp_path, Policy(mode=mode), (two,)))
    assert scratch.output() == f"{two}\n"
    for fd in (one, two, three, four):
        os.close(fd)


def test_what_cannot_be_started_ends_and_says_why(
    scratch: Scratch, tmp_path: Path, mode: str
) -> None:
    where, policy = site(scratch, tmp_path), Policy(mode=mode)
    missing = str(tmp_path / "nothing")
    ended(Process([missing], site=where, policy=policy, scratch=scratch, fds=()))
    assert scratch.output() == f"{missing}: No such file or directory\n"


def test_a_scratch_folder_goes_with_what_was_made_unwritable(scratch: Scratch) -> None:
    inner = scratch.path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    (inner / "link").symlink_to("/")
    inner.chmod(0o500)
    (scratch.path / "a").chmod(0)
    scratch.remove()
    assert not scratch.path.exists()
    scratch.remove()


def test_a_scratch_folder_goes_however_deep_it_is(scratch: Scratch) -> None:
    here = os.open(scratch.path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    scratch.remove()
    assert not scratch.path.exists()


def test_links_in_a_scratch_folder_are_not_followed(scratch: Scratch, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("x")
    kept.chmod(0o400)
    (scratch.path / "folder").symlink_to(tmp_path)
    (scratch.path / "file").symlink_to(kept)
    (scratch.path / "locked").mkdir(mode=0)
    scratch.remove()
    assert kept.read_text() == "x"
    assert kept.stat().st_mode & 0o777 == 0o400


def test_strays_of_the_dead_are_swept_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = Scratch()
    dead = os.fork()
    if not dead:
        os._exit(0)
    os.waitpid(dead, 0)
    (tmp_path / f"mgdebug-{dead}-abc").mkdir()
    others = [tmp_path / "mgdebug-x-1", tmp_path / "other", tmp_path / "mgdebug-notes"]
    for other in others:
        other.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    (tmp_path / f"mgdebug-{dead}-link").symlink_to(tmp_path / "elsewhere")
    sweep()
    assert not (tmp_path / f"mgdebug-{dead}-abc").exists()
    assert own.path.is_dir()
    assert all(other.is_dir() for other in others)
    assert (tmp_path / "elsewhere" / "kept").exists()
    own.remove()


def test_the_last_of_the_output_is_kept(scratch: Scratch) -> None:
    assert scratch.output() == ""
    scratch.log.write_bytes(b"\xff" + b"x" * 9000 + "é".encode())
    assert scratch.output(4) == "xxé"
    scratch.remove()
    assert scratch.output() == ""


OWN = {
    **{"PATH": "/bin", "LC_ALL": "C", "PYTHONPATH": "src", "TMPDIR": "/tmp", "HOME": "/home/me"},
    **{"AWS_SECRET_ACCESS_KEY": "CANARY-1", "DATABASE_URL": "CANARY-2", "SSH_AUTH_SOCK": "/x"},
    **{"PYTEST_ADDOPTS": "-x", "COVERAGE_PROCESS_START": "c", "PYTHONSTARTUP": "/x"},
}


def test_the_environment_of_a_child_is_an_allow_list(scratch: Scratch, tmp_path: Path) -> None:
    before = dict(OWN)
    found = child_environment(OWN, site(scratch, tmp_path), Policy(env=("DATABASE_URL",)))
    assert before == OWN
    assert found == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "PYTHONPATH": "src",
        "DATABASE_URL": "CANARY-2",
        "HOME": f"{scratch.path}/box/home",
        "TMPDIR": f"{scratch.path}/box/tmp",
        "HYPOTHESIS_STORAGE_DIRECTORY": f"{scratch.path}/box/tmp/hypothesis",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


def test_without_a_sandbox_it_is_the_users_own_but_for_what_would_leave_traces(
    scratch: Scratch, tmp_path: Path
) -> None:
    found = child_environment(OWN, site(scratch, tmp_path), Policy(mode="off"))
    assert found["AWS_SECRET_ACCESS_KEY"] == "CANARY-1"
    assert found["HOME"] == "/home/me"
    assert found["TMPDIR"].startswith(str(scratch.path))
    assert not {"PYTEST_ADDOPTS", "COVERAGE_PROCESS_START", "PYTHONSTARTUP"} & set(found)


def test_a_dropped_variable_is_handed_on_to_who_asks_for_it() -> None:
    assert not is_kept("PYTHONSTARTUP", ())
    assert is_kept("PYTHONSTARTUP", ("PYTHONSTARTUP",))
    assert is_kept("LC_TIME", ())
    assert not is_kept("GITHUB_TOKEN", ())
