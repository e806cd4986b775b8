"""Start a program in the sandbox and stay, so that nothing of it outlives mgdebug.

Run by path in an interpreter of its own, with the standard library alone.  Three processes:

- the *guardian*, outside.  It holds one end of a pipe whose other end mgdebug has, and ends
  everything when that closes, also after a SIGKILL of mgdebug; then it removes the scratch folder.
- the *first process* of new namespaces, where the kernel has them.  When it ends, the kernel ends
  whatever lives in them.  It lays out the file system, and anew when it is asked to.
- the program.  Where there are no namespaces, it is a child of the guardian.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from ast import literal_eval
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from mgdebug.sandbox import kernel, landlock, seccomp
from mgdebug.sandbox.confine import Layers, confine
from mgdebug.sandbox.escape import Bait, escapes
from mgdebug.sandbox.namespaces import View, enter
from mgdebug.sandbox.policy import WORK, Policy, Site

RENEW = b"renew"
LOOK_SECONDS, END_SECONDS = 0.3, 4.0
TOLD = "_MGDEBUG_INSIDE"  # the variable that tells the program of the sandbox


def main(arguments: Sequence[str]) -> None:
    """arguments: policy and site as they are written; the descriptors of the lifeline, of the
    status, and of the program's own; the command."""
    policy, site = Policy.read(arguments[0]), Site.read(arguments[1])
    lifeline, status, *fds = (int(text) for text in arguments[2].split(","))
    _Launcher(policy, site, lifeline, status, fds, arguments[3:]).guard()


class _Launcher:
    def __init__(
        self,
        policy: Policy,
        site: Site,
        lifeline: int,
        status: int,
        fds: Sequence[int],
        command: Sequence[str],
    ) -> None:
        self.policy, self.site, self.status = policy, site, status
        self.lifeline = lifeline
        self.fds, self.command = list(fds), list(command)

    # ------------------------------------------------------------------------- the guardian

    def guard(self) -> NoReturn:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        ended: list[int] = []
        signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
        wake = _woken()
        with contextlib.suppress(OSError):
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        for folder in ("box", "empty"):
            os.makedirs(f"{self.site.scratch}/{folder}", exist_ok=True)
        open(self.site.log, "ab").close()
        with Bait(self.site) as bait:
            pid, said = self._start(bait)
            said["escapes"] = sorted({*said["escapes"], *bait.taken()})
        with contextlib.suppress(BrokenPipeError):  # mgdebug has gone: the lifeline will say so
            os.write(self.status, repr(said).encode())
        os.close(self.status)
        for fd in self.fds:
            os.close(fd)
        while not ended and not _wait(pid, os.WNOHANG):
            if select.select([self.lifeline, wake, *_told_of(pid)], [], [], LOOK_SECONDS)[0]:
                break
        _end(pid)
        if self.lifeline in select.select([self.lifeline], [], [], 0)[0]:  # nobody else will
            with contextlib.suppress(RecursionError):  # the next start removes the rest
                shutil.rmtree(self.site.scratch, ignore_errors=True)
        os._exit(0)

    def _start(self, bait: Bait) -> tuple[int, dict[str, Any]]:
        """The process that must end for all to end, and what it says of its layers."""
        if self.policy.mode == "off":
            self._folders()
            return self._program(Layers(apart=False), None), {"escapes": [], "layers": {}}
        read, write = os.pipe()
        between = os.fork()
        if not between:
            try:
                os.close(read)
                self._separate(write, bait)
            finally:
                os._exit(97)
        os.close(write)
        with open(read, "rb") as pipe:
            lines = pipe.readline(), pipe.readline()
        if all(lines):
            os.waitpid(between, 0)
            return int(lines[0]), literal_eval(lines[1].decode())
        os.waitpid(between, 0)
        return self._without(bait)

    def _without(self, bait: Bait) -> tuple[int, dict[str, Any]]:
        """No namespaces: the weaker layers."""
        self._folders()
        said = self._tested(bait, apart=False, layered=False)
        return self._program(Layers(**said["layers"]), None), said

    def _folders(self) -> None:
        for folder in self.site.folders():
            os.makedirs(folder, mode=0o700, exist_ok=True)

    # ----------------------------------------------------------------------- the first process

    def _separate(self, write: int, bait: Bait) -> None:
        """In a child of the guardian, which only passes on the number of its own child."""
        enter(self.policy.network)
        first = os.fork()
        if first:
            os.write(write, b"%d\n" % first)
            return
        view = View(self.site, self.policy)
        view.make()
        said = self._tested(bait, apart=True, layered=view.layered)
        bait.close()
        ours, theirs = os.pipe(), os.pipe()
        layers = Layers(**said["layers"])
        pid = self._program(layers, (theirs[0], ours[1]))
        os.close(theirs[0])
        os.close(ours[1])
        for fd in self.fds:
            os.close(fd)
        os.write(write, repr(said).encode() + b"\n")
        os.close(write)
        os.close(self.status)
        self._serve(view, pid, ours[0], theirs[1])

    def _serve(self, view: View, program: int, asked: int, answers: int) -> NoReturn:
        """Reap orphans, and renew the box when the program asks for it.

        It looks at the lifeline itself: a guardian that ended before this process asked to be
        told of it would not be told of."""
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        wake = _woken()
        while True:
            while (ended := _wait(-1, os.WNOHANG)) > 0:
                if ended == program:
                    os._exit(0)
            if ended < 0:
                os._exit(0)
            ready = select.select([wake, asked, self.lifeline], [], [])[0]
            if self.lifeline in ready:
                os._exit(0)
            if wake in ready:
                os.read(wake, 4096)
            if asked in ready:
                if not os.read(asked, len(RENEW)):
                    os._exit(0)
                try:
                    view.renew()
                    os.write(answers, b"1")
                except OSError:
                    os._exit(0)

    # ---------------------------------------------------------------------------- the program

    def _tested(self, bait: Bait, *, apart: bool, layered: bool) -> dict[str, Any]:
        """What a process can do that is confined just as the program will be."""
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                os.close(read)
                layers = confine(self.site, self.policy, apart=apart, layered=layered)
                found = escapes(bait, self.site, self.policy)
                said = {"layers": layers._asdict(), "escapes": sorted(found)}
                os.write(write, repr(said).encode())
            finally:
                os._exit(0)
        os.close(write)
        with open(read, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(pid, 0)
        result: dict[str, Any] = literal_eval(answer.decode())
        return result

    def _program(self, layers: Layers, broker: tuple[int, int] | None) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            os.close(self.status)
            environment = {**os.environ, **self._told(layers, broker)}
            if self.policy.mode != "off":
                confine(self.site, self.policy, apart=layers.apart, layered=layers.layered)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.chdir(self.site.cwd)
            kept = {*self.fds, *(broker or ())}
            for fd in (int(name) for name in os.listdir("/dev/fd")):
                if fd > 2 and fd not in kept:
                    with contextlib.suppress(OSError):
                        os.close(fd)
            for fd in kept:
                os.set_inheritable(fd, True)
            os.execvpe(self.command[0], self.command, environment)
        except OSError as error:
            os.write(2, f"{self.command[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)

    def _told(self, layers: Layers, broker: tuple[int, int] | None) -> dict[str, str]:
        """What the program needs to know of the sandbox, for its own forks."""
        told: dict[str, object] = {
            "dirty": [f for f in self.site.folders() if not f.endswith(f"/{WORK}")],
            "broker": broker,
            "processes": self.policy.processes if layers.apart else None,
        }
        if layers.landlock:
            fence = landlock.fence()
            self.fds.append(fence)
            told["fence"] = fence
        if layers.seccomp and not self.policy.processes:
            told["filter"] = seccomp.no_processes().hex()
        return {TOLD: repr(told)}


def _woken() -> int:
    """A descriptor that is ready once a signal has come: no handler ends a wait by itself."""
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    return wake


def _wait(pid: int, flags: int) -> int:
    """Which child has ended: 0 for none so far, -1 if there is no child."""
    try:
        return os.waitpid(pid, flags)[0]
    except ChildProcessError:
        return -1


def _told_of(pid: int) -> list[int]:
    """A descriptor that is ready once a child has ended, where there is such a thing."""
    if pid not in _watched:
        try:
            _watched[pid] = [os.pidfd_open(pid)]
        except (OSError, AttributeError):
            _watched[pid] = []
    return _watched[pid]


_watched: dict[int, list[int]] = {}


def _end(pid: int) -> None:
    """Kill a child, and all that become children of this process by that."""
    if not kernel.LINUX:  # nobody adopts its children: it has to take them along
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
        time.sleep(LOOK_SECONDS)
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + END_SECONDS
    while (found := list(_children())) and time.monotonic() < deadline:
        # Stopped first: a bomb would outrun the kills.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for one in found:
                with contextlib.suppress(OSError):
                    os.kill(one, number)
        while _wait(-1, os.WNOHANG) > 0:
            pass
        time.sleep(0.001)


def _children() -> Iterator[int]:
    own = b"%d" % os.getpid()
    names = os.listdir("/proc") if kernel.LINUX else []
    for name in filter(str.isdigit, names):
        with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
            if file.read().rpartition(b")")[2].split()[1] == own:
                yield int(name)


if __name__ == "__main__":
    main(sys.argv[1:])
