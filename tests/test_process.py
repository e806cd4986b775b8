"""A child, its group and its scratch folder go together."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from processes import left_of, marked

from mgdebug.sandbox.process import Process, Scratch, child_environment


@pytest.fixture
def scratch() -> Scratch:
    return Scratch()


def test_stopping_a_child_takes_its_group_along(
    scratch: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGDEBUG_TEST_MARK", mark := f"mark-{tmp_path}")
    code = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(3):
    os.fork()
open("ready%d" % os.getpid(), "w").close()
time.sleep(60)
"""
    process = Process([sys.executable, "-c", code], cwd=tmp_path, scratch=scratch, fds=())
    while len(list(tmp_path.glob("ready*"))) < 8:
        assert process.running
    assert len(marked(mark)) == 8
    process.stop()
    assert not process.running
    assert left_of(mark) == {}
    process.stop()
    scratch.remove()


def test_a_child_leads_its_own_session_and_reads_nothing(scratch: Scratch, tmp_path: Path) -> None:
    code = "import os, sys; print(os.getsid(0) == os.getpid(), repr(sys.stdin.read()), os.getcwd())"
    process = Process([sys.executable, "-c", code], cwd=tmp_path, scratch=scratch, fds=())
    while process.running:
        pass
    assert scratch.output() == f"True '' {tmp_path.resolve()}\n"
    process.stop()
    scratch.remove()


def test_only_the_named_descriptors_are_inherited(scratch: Scratch, tmp_path: Path) -> None:
    (one, two), (three, four) = os.pipe(), os.pipe()
    code = f"""
import os
for fd in {one, two, three, four}:
    try:
        os.fstat(fd)
        print(fd)
    except OSError:
        pass
"""
    process = Process([sys.executable, "-c", code], cwd=tmp_path, scratch=scratch, fds=(two,))
    while process.running:
        pass
    assert scratch.output() == f"{two}\n"
    for fd in (one, two, three, four):
        os.close(fd)
    scratch.remove()


def test_what_cannot_be_started_is_an_os_error(scratch: Scratch, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Process([str(tmp_path / "nothing")], cwd=tmp_path, scratch=scratch, fds=())
    scratch.remove()


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


def test_the_last_of_the_output_is_kept(scratch: Scratch) -> None:
    assert scratch.output() == ""
    scratch.log.write_bytes(b"\xff" + b"x" * 9000 + "é".encode())
    assert scratch.output(4) == "xxé"
    scratch.remove()
    assert scratch.output() == ""


def test_the_environment_of_a_child_is_the_users_own_but_for_what_would_leave_traces(
    scratch: Scratch,
) -> None:
    own = {"A": "1", "TMPDIR": "/tmp", "PYTEST_ADDOPTS": "-x", "COVERAGE_PROCESS_START": "c"}
    found = child_environment(own, scratch)
    assert own["TMPDIR"] == "/tmp"
    assert found["A"] == "1"
    assert found["TMPDIR"] == str(scratch.path)
    assert found["PYTHONDONTWRITEBYTECODE"] == "1"
    assert found["PYTHONHASHSEED"] == "0"
    assert not {"PYTEST_ADDOPTS", "COVERAGE_PROCESS_START"} & set(found)
    scratch.remove()
