"""One fork: confined, watched from outside, and gone afterwards with all that it started."""

import os
import resource
import select
import signal
import sys
import time
import warnings
from typing import Callable, Collection, NoReturn, Optional, Protocol, Set, Tuple

from .cases import failure
from .frames import Decoder, Malformed, Message, send
from .inside import INSIDE
from .processes import children, has_children, how, kill, prctl, send_signal, wait

TAMPERED = "tampering: the code wrote to the pipe of the probe"
GRACE_SECONDS = 0.5  # for a watchdog inside the child, before the kill from outside
LEAVE_SECONDS = 0.4  # for the other process of a worker to end by itself
ANSWER_BYTES = 64 << 20
LOG_BYTES = 8 << 20  # about what a case may print before the log begins anew
FILE_BYTES = 1 << 30  # of any one file
OUTPUT_BYTES = 64 << 20  # that the cases of one fork may print
_OWN = 4  # processes of the sandbox: its first one, the two of the probe, and the fork
_TICK = 0.05  # seconds between looks at a child that says nothing
_QUICK_TICK, _LOOKS = 0.004, 16  # at one that has started others; at their memory, each so many
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>

_exit = os._exit  # the user's code may replace it


class Voice:
    """How a fork reports.  Each message bears a key that only the fork and its parent know: what
    the user's code writes to the same pipe is told apart."""

    def __init__(self, fd: int, key: str) -> None:
        self._fd, self._key, self._pid = fd, key, os.getpid()

    def say(self, message: Message) -> None:
        if os.getpid() != self._pid:  # a child of the user's code that found its way back here
            _exit(0)
        send(self._fd, {**message, "key": self._key})

    @property
    def fd(self) -> int:
        return self._fd

    def again(self) -> "Voice":
        """For a child of this process that is ours too."""
        return Voice(self._fd, self._key)

    def close(self, message: Message) -> NoReturn:
        """Say the last word."""
        self.say(message)
        _exit(0)


class Listener(Protocol):
    """Gathers what a fork says.  case: what runs in it now, since `begun`; ended, left: set when it
    has ended, see Forks.run and Forks.sweep."""

    case: Optional[str]
    begun: float
    ended: str
    left: int

    def take(self, message: Message) -> bool:
        """Returns whether it was the last message.  Raises Malformed."""


class Clock(Protocol):
    """collect: seconds until the first case."""

    collect: float

    def of(self, case: str) -> Tuple[float, Optional[float]]:
        """The wall time, and the processor time, of a case."""


class Forks:
    """The forks of this process, one at a time.  Orphans that they leave become children of this
    process (on Linux), which kills them."""

    def __init__(self, requests: int, answers: int) -> None:
        """requests, answers: file descriptors to and from the runner, which no fork may touch.
        When the runner hangs up or a SIGTERM comes, this process leaves."""
        self._requests, self._answers = requests, answers
        self.own: Set[int] = set()  # children that are no forks
        self._cwd = os.getcwd()
        self.partner: Optional[int] = None  # one of them, which ends what it has itself started
        self._running: Optional[int] = None
        prctl(_SET_CHILD_SUBREAPER, 1)
        self.catch()

    def catch(self) -> None:
        """Take the SIGTERM, and where this process is; anew, after the user's code could."""
        self._cwd = os.getcwd()
        signal.signal(signal.SIGTERM, lambda signum, frame: self.leave())

    def leave(self) -> NoReturn:
        """End this process and all that it started."""
        if self._running is not None:
            kill(self._running)
        if self.partner is not None:
            send_signal(os.kill, self.partner, signal.SIGTERM)
            deadline = time.monotonic() + LEAVE_SECONDS
            while wait(self.partner, os.WNOHANG) is None and time.monotonic() < deadline:
                time.sleep(0.005)
        self.sweep(())
        _exit(0)

    def sweep(self, spare: Collection[int]) -> int:
        """Kill and reap the children of this process, orphans that it adopted among them.  Returns
        how many had not ended by themselves; who leads no group may have been killed with its
        group, just before."""
        if not spare and not has_children():
            return 0
        killed = 0
        for _ in range(200):  # who forks faster than that is not to be caught from here
            found = [pid for pid in children() if pid not in spare]
            if not found:
                break
            for pid in found:
                kill(pid)
            killed += [wait(pid, 0) for pid in found].count(signal.SIGKILL)
        return killed

    def run(
        self,
        child: Callable[[Voice], None],
        answer: Listener,
        limits: Clock,
        memory: Optional[int],
        log: Optional[str],
    ) -> str:
        """Run child in a fork of its own session and gather what it says.  Returns how it ended:
        "done", TAMPERED, or a text such as "time limit ...", "signal ..." or "exit ...".

        memory: bytes.  log: where its output goes.
        """
        os.chdir(self._cwd)  # a new mount may lie there
        read, write = os.pipe()
        key, parent = os.urandom(16).hex(), os.getpid()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # the user's code may have put anything there
                pass
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 3.12 warns of forks beside threads
            pid = os.fork()
        if not pid:
            try:
                _confine(memory, parent)
                for fd in (read, self._requests, self._answers):
                    os.close(fd)
                INSIDE.close_in()
                quiet(log)
                child(Voice(write, key))
            except BaseException as error:
                try:
                    sys.stderr.write(failure(error, True).detail)
                    sys.stderr.flush()
                except BaseException:
                    pass
            finally:
                _exit(97)
        self._running = pid
        os.close(write)
        try:
            answer.ended = self._watch(pid, read, key, answer, limits, memory, log)
        except Malformed:
            answer.ended = TAMPERED
        finally:
            if self._running is not None:
                kill(pid)
                self._reap(pid, 0)
            else:
                send_signal(
                    os.killpg, pid, signal.SIGKILL
                )  # the number may be another process's now
            os.close(read)
            answer.left = self.sweep(self.own)
            INSIDE.renew()
        return answer.ended

    def _watch(
        self,
        pid: int,
        read: int,
        key: str,
        answer: Listener,
        limits: Clock,
        memory: Optional[int],
        log: Optional[str],
    ) -> str:
        """Never waits for the end of the pipe alone: a grandchild may hold it open."""
        decoder = Decoder(ANSWER_BYTES)
        poll = select.poll()
        poll.register(read, select.POLLIN)
        poll.register(self._requests, 0)  # reports only that the runner has hung up
        deadline = time.monotonic() + limits.collect
        case: Optional[str] = None
        tick = _TICK
        printed = looks = 0
        while True:
            if answer.case != case:
                case = answer.case
                if case is not None:
                    deadline = answer.begun + limits.of(case)[0] + GRACE_SECONDS
            left = deadline - time.monotonic()
            if left <= 0:
                if case:
                    return "time limit of %.1f s" % limits.of(case)[0]
                return "time limit of %.1f s for importing and collecting" % limits.collect
            ready = [fd for fd, _ in poll.poll(1000 * min(left, tick))]
            if self._requests in ready:
                self.leave()
            if read in ready:
                data = os.read(read, 1 << 16)
                if not data:
                    poll.unregister(read)
                    tick = 0.001
                elif _last(answer, decoder, data, key):
                    return "done"
                continue
            status = self._reap(pid, os.WNOHANG)
            if status is None:
                self._bury()
                printed += _bound(log)
                if printed > OUTPUT_BYTES:
                    return "output limit of %d MB" % (OUTPUT_BYTES >> 20)
                if INSIDE.processes is not None:
                    crowd = INSIDE.crowd() - _OWN
                    if crowd > INSIDE.processes:
                        return "process limit of %d" % INSIDE.processes
                    if crowd > 0:
                        tick = min(tick, _QUICK_TICK)
                        looks += 1
                        if memory and not looks % _LOOKS and INSIDE.memory() > memory:
                            return "memory limit of %d MB" % (memory >> 20)
                continue
            while _more(read):  # the last words are still in the pipe
                data = os.read(read, 1 << 16)
                if not data:
                    break
                if _last(answer, decoder, data, key):
                    return "done"
            return how(status)

    def _reap(self, pid: int, flags: int) -> Optional[int]:
        status = wait(pid, flags)
        if status is not None:
            self._running = None
        return status

    def _bury(self) -> None:
        """Reap orphans that ended, as init would: their own family may wait for that."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except (ChildProcessError, AttributeError):
                return
            if ended is None or ended.si_pid in {self._running, *self.own}:
                return
            wait(ended.si_pid, os.WNOHANG)


def _more(fd: int) -> bool:
    poll = select.poll()  # unlike select(), it takes descriptors of any number
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def _last(answer: Listener, decoder: Decoder, data: bytes, key: str) -> bool:
    """Take what a fork said.  Returns whether it has said all.  Raises Malformed."""
    last = False
    for message in decoder.feed(data):
        if message.get("key") != key:
            raise Malformed("a message without the key")
        last = answer.take(message) or last
    return last


def _confine(memory: Optional[int], parent: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we could ask to be told
        _exit(0)
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_AS, memory),
    ):
        _, hard = resource.getrlimit(what)
        if most is not None and (hard == resource.RLIM_INFINITY or most < hard):
            resource.setrlimit(what, (most, most))


def quiet(log: Optional[str]) -> None:
    """Standard input is empty; output goes to a file that the runner can read, or nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    out = os.open(log, _APPEND, 0o600) if log else null
    for fd, target in ((0, null), (1, out), (2, out)):
        os.dup2(target, fd)
    for fd in {null, out} - {0, 1, 2}:
        os.close(fd)


_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def _bound(log: Optional[str]) -> int:
    """Its writers append, so that it can be emptied under their hands.  Returns the bytes that were
    thrown away."""
    if log:
        try:
            size = os.path.getsize(log)
            if size > LOG_BYTES:
                os.truncate(log, 0)
                return size
        except OSError:
            pass
    return 0
