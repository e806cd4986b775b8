"""A case that fails because of the sandbox says so, and names the setting that allows it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mgdebug.model import Outcome
from mgdebug.runner.answers import Run
from mgdebug.sandbox.policy import Policy
from mgdebug.sandbox.process import is_kept

_PATH = r"\[Errno (?:1|13|30)\] [A-Z][a-z -]+: '([^']+)'"
_NETWORK = (
    r"Network is unreachable|gaierror|Temporary failure in name resolution"
    r"|Name or service not known|nodename nor servname"
)
_REFUSED = r"ConnectionRefusedError|Connection refused"
_FORKS = r"\[Errno (?:1|11)\] (?:Operation not permitted|Resource temporarily unavailable)"
_STARTED = r"subprocess|fork|Popen|multiprocessing|posix_spawn"
_FULL = "[Errno 28]"  # no space left
_MISSING = r"KeyError: '([A-Za-z_][A-Za-z0-9_]*)'"


def explained(run: Run, policy: Policy, own: Mapping[str, str] = os.environ) -> Run:
    """A run whose failures say where the sandbox is their cause.  own: the user's environment."""
    if policy.mode == "off":
        return run
    outcomes = tuple(
        outcome if outcome.status.ok else _explained(outcome, policy, own)
        for outcome in run.outcomes
    )
    troubles = []
    for where, detail in run.troubles:
        text = detail[-_LOOKED_AT:]
        setting = refusal(text, policy, own)
        troubles.append((where, f"{detail}\n{_words(setting, text)}" if setting else detail))
    return replace(run, outcomes=outcomes, troubles=tuple(troubles))


_LOOKED_AT = 3000  # characters at the end of a traceback


def _explained(outcome: Outcome, policy: Policy, own: Mapping[str, str]) -> Outcome:
    text = f"{outcome.message}\n{outcome.detail[-_LOOKED_AT:]}"
    if _FULL in text:
        limit = f"scratch limit of {policy.scratch >> 20} MB"
        return replace(outcome, message=f"{outcome.message}; {limit}")
    setting = refusal(text, policy, own)
    if not setting:
        return outcome
    return replace(outcome, message=f"{outcome.message}; {_words(setting, text)}")


def _words(setting: str, text: str) -> str:
    """What was refused for sure is told so; nobody may listen on the port that a test asks for."""
    sure = re.search(_NETWORK, text) or not re.search(_REFUSED, text)
    what = "the sandbox refused it" if sure else "no server outside of the sandbox is reached"
    return f"{what}: {setting} in [tool.mgdebug.sandbox] allows it"


def refusal(text: str, policy: Policy, own: Mapping[str, str]) -> str:
    """The setting that allows what a failure complains of, "" if the sandbox has no part in it.

    text: the failure as it was reported.
    """
    path = re.search(_PATH, text)
    if path and _ours_to_write(path[1]):
        return f'write = ["{_folder(path[1])}"]'
    if policy.network != "all" and re.search(_NETWORK, text):
        return "network = true"
    if policy.network != "all" and re.search(_REFUSED, text):
        return "network = true"
    if not path and re.search(r"PermissionError: \[Errno 13\]", text) and "socket" in text:
        return 'network = "unix"' if "AF_UNIX" in text else "network = true"
    if re.search(_FORKS, text) and re.search(_STARTED, text):
        return "subprocess = true" if not policy.processes else "subprocess = NUMBER"
    missing = re.search(_MISSING, text)
    if missing and missing[1] in own and not is_kept(missing[1], policy.env):
        return f'env = ["{missing[1]}"]'
    return ""


def _folder(path: str) -> str:
    place = Path(path)
    return path if place.is_dir() else str(place.parent)


def _ours_to_write(path: str) -> bool:
    """Whether the user could write there."""
    place = Path(path)
    if not place.is_absolute():
        return True
    while not place.exists():
        place = place.parent
    return os.access(place, os.W_OK)
