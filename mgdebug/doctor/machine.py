"""What the machine has: the sandbox's layers, git, and folders that mgdebug writes to."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import platformdirs

from mgdebug import learned
from mgdebug.doctor.check import Check, State
from mgdebug.proposers.llm import kept
from mgdebug.sandbox.policy import Policy
from mgdebug.sandbox.process import Confinement
from mgdebug.session.saved import sessions

MAKE_ENV = "mgdebug doctor --make-env"
GIT_SECONDS = 10.0
_SWITCHES = (  # what may keep name spaces from users: the setting, such a value, a better one
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel/unprivileged_userns_clone", "0", "1"),
    ("user/max_user_namespaces", "0", "15000"),
)


def sandbox(policy: Policy, found: Confinement) -> Check:
    """found: by a confined process that tried to get out."""
    if policy.mode == "off":
        what = "off: tests can change your files, read your keys and send them"
        return Check("sandbox", State.WARNING, what, "take sandbox = off away from the settings")
    if found.escapes:
        strict = policy.mode == "strict"
        return Check(
            "sandbox",
            State.BROKEN if strict else State.WARNING,
            f"{'not strict' if strict else 'weaker'} here: {'; '.join(found.escapes)}",
            _unlocking(),
        )
    layers = "name spaces, Landlock, seccomp" if found.apart else "Landlock and seccomp alone"
    writes = "changes to the project are kept aside" if found.changes else "nothing can be written"
    opened = [
        *([f"network = {policy.network}"] if policy.network != "none" else []),
        *([f"write = {', '.join(policy.write)}"] if policy.write else []),
        *([f"env = {', '.join(policy.env)}"] if policy.env else []),
    ]
    more = (f"opened by the settings: {'; '.join(opened)}",) if opened else ()
    return Check("sandbox", State.OK, f"nothing gets out ({layers}); {writes}", more=more)


def _unlocking() -> str:
    """What gives the kernel's layers back, if that can be told."""
    for name, value, better in _SWITCHES:
        try:
            holds = (Path("/proc/sys") / name).read_text().strip()
        except OSError:
            continue
        if holds == value:
            return f"sudo sysctl {name.replace('/', '.')}={better}"
    return "run it where user name spaces or Landlock are allowed, see docs/sandbox.md"


def git() -> Check:
    """The hook wants git, and so does who applies a diff."""
    place = shutil.which("git")
    if place is None:
        return Check("git", State.WARNING, "not there: no hook, no `git apply`", "install git")
    try:
        done = subprocess.run(
            [place, "--version"], capture_output=True, text=True, timeout=GIT_SECONDS, check=False
        )
        said = done.stdout.strip().removeprefix("git version ") if not done.returncode else ""
    except (OSError, subprocess.SubprocessError):
        said = ""
    if not said:
        return Check("git", State.WARNING, f"{place} does not run", f"{place} --version")
    return Check("git", State.OK, said)


def state(root: Path) -> Check:
    """What has to be kept: without it no patch is written, for it could not be undone."""
    place = platformdirs.user_state_path("mgdebug")
    count = len(sessions(root))
    holds = f"{count} session{'s' * (count != 1)} of this project"
    return _folder("state", place, holds, State.BROKEN)


def cache(root: Path) -> Check:
    """What is done without where it cannot be kept."""
    count = len(learned.known(root))
    holds = f"{count} template{'s' * (count != 1)}, replies of models {_size(kept.default_file())}"
    return _folder("cache", platformdirs.user_cache_path("mgdebug"), holds, State.WARNING)


def _folder(name: str, place: Path, holds: str, otherwise: State) -> Check:
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    why = ""
    if not there.is_dir():
        return Check(name, otherwise, f"{there} is no folder", f"mv {there} {there}.old")
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        why = (error.strerror or str(error)).lower()
    if why:
        mend = f"df -h {there}" if os.access(there, os.W_OK) else f"chmod u+rwx {there}"
        return Check(name, otherwise, f"{there} cannot be written: {why}", mend)
    return Check(name, State.OK, f"{place}, {_size(place)}: {holds}")


def _size(place: Path) -> str:
    """Of a file, or of all files in a folder."""
    total = 0
    for file in [place] if place.is_file() else place.rglob("*"):
        try:
            total += file.lstat().st_size if file.is_file() else 0
        except OSError:
            continue
    for unit in ("bytes", "kB"):
        if total < 1000:
            return f"{total:.0f} {unit}"
        total /= 1000  # type: ignore[assignment]
    return f"{total:.1f} MB"
