"""Which setting a failure names that the sandbox has caused; and that others name none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgdebug.model import Outcome, Status
from mgdebug.runner import Run
from mgdebug.runner.refusals import explained, refusal
from mgdebug.sandbox.policy import Policy

OWN = {"MY_TOKEN": "x", "PATH": "/bin"}


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("OSError: [Errno 101] Network is unreachable", "network = true"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "network = true"),
        ("ConnectionRefusedError: [Errno 111] Connection refused", "network = true"),
        (
            "socket.socket(socket.AF_UNIX)\nPermissionError: [Errno 13] Permission denied",
            'network = "unix"',
        ),
        (
            "subprocess.py: BlockingIOError: [Errno 11] Resource temporarily unavailable",
            "subprocess = NUMBER",
        ),
        ("KeyError: 'MY_TOKEN'", 'env = ["MY_TOKEN"]'),
        ("KeyError: 'PATH'", ""),
        ("KeyError: 'NOT_OURS'", ""),
        ("AssertionError: assert 1 == 2", ""),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/nothing'", ""),
        ("PermissionError: [Errno 13] Permission denied", ""),
        ("", ""),
    ],
)
def test_a_failure_names_its_setting(text: str, setting: str) -> None:
    assert refusal(text, Policy(), OWN) == setting


@pytest.mark.parametrize("number", [1, 13, 30])
def test_a_refused_path_names_its_folder(tmp_path: Path, number: int) -> None:
    words = {1: "Operation not permitted", 13: "Permission denied", 30: "Read-only file system"}
    text = f"OSError: [Errno {number}] {words[number]}: '{tmp_path / 'made'}'"
    assert refusal(text, Policy(), {}) == f'write = ["{tmp_path}"]'


def test_a_denied_fork_names_subprocess() -> None:
    text = "subprocess.Popen: PermissionError: [Errno 1] Operation not permitted"
    assert refusal(text, Policy(processes=0), {}) == "subprocess = true"


def test_what_is_allowed_already_is_not_the_cause() -> None:
    assert refusal("Network is unreachable", Policy(network="all"), {}) == ""
    assert refusal("KeyError: 'MY_TOKEN'", Policy(env=("MY_TOKEN",)), OWN) == ""


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("OSError: [Errno 101] Network is unreachable", "the sandbox refused it: network = true"),
        (
            "ConnectionRefusedError: [Errno 111] Connection refused",
            "no server outside of the sandbox is reached: network = true",
        ),
        ("OSError: [Errno 28] No space left on device", "scratch limit of 256 MB"),
        ("AssertionError", ""),
    ],
)
def test_what_is_sure_is_said_so_and_what_is_not_is_not(message: str, words: str) -> None:
    run = explained(Run((), (Outcome("c", Status.FAILED, message=message),)), Policy(), {})
    said = run.outcomes[0].message
    assert said.startswith(f"{message}; {words}" if words else message)
    assert words or said == message
