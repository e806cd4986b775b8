"""One fork: confined, watched from outside, and gone afterwards with all that it started."""

import ctypes
import os
import resource
import select
import signal
import sys
import time
import warnings
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import cases
from .frames import Decoder, Malformed, Message

COLLECT_SECONDS = 120.0
GRACE_SECONDS = 0.5  # for a watchdog inside the child, before the kill from outside
ANSWER_BYTES = 64 << 20
_TICK = 0.05  # seconds between looks at a child whose pipe someone else holds open

_running: List[int] = []  # the fork that is running now, to be taken along by a SIGTERM


def on_term(signum: int, frame: Any) -> None:
    for pid in _running:
        kill(pid)
    os._exit(0)


def kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass


def die_with_parent(signum: int) -> None:
    """Linux: be told when the parent is gone, however it went."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None).prctl(1, int(signum), 0, 0, 0)
        except (OSError, AttributeError):
            pass


class LimitsOf:
    """The limits of a request, in seconds: wall time and processor time of each case."""

    def __init__(self, request: Message) -> None:
        self._wall = float(request["wall"])
        self._processor: Optional[float] = None
        self._own: Dict[str, List[Any]] = request.get("limits") or {}
        self.collect = COLLECT_SECONDS

    def of(self, case: str) -> Tuple[float, Optional[float]]:
        own = self._own.get(case)
        return (own[0], own[1]) if own else (self._wall, self._processor)

    def tighten(self, outcomes: List[Message]) -> None:
        """After a case that never ended, the next ones get a multiple of what others took; in
        processor time too, which an endless loop burns sooner than the clock runs."""
        ended = [o for o in outcomes if o["status"] != "timeout"]
        slowest = max((o["seconds"] for o in ended), default=0.0)
        busiest = max((o["processor"] for o in ended), default=0.0)
        self._wall = min(self._wall, max(1.0, 20 * slowest))
        self._processor = max(0.5, 20 * busiest)


class Answer:
    """What a fork said, gathered: an outcome a case, and what was collected.

    message(): {"id", "outcomes": [{"case", "status", "seconds", "processor", "message",
    "detail", "trace"?}], "collected", "troubles", "files", "imported", "refused", "ended"}.
    """

    def __init__(self, id: int) -> None:
        self.id = id
        self.outcomes: List[Message] = []
        self.collected: Optional[List[Any]] = None
        self.troubles: List[Any] = []
        self.files: List[str] = []
        self.imported: List[Any] = []
        self.refused = ""
        self.fresh = False
        self.ended = ""
        self.case: Optional[str] = None  # the one that runs now
        self.begun = 0.0

    def take(self, message: Message) -> bool:
        """One message of the fork.  Returns whether it was the last one."""
        if "begin" in message:
            self.case, self.begun = message["begin"], time.monotonic()
        elif "end" in message:
            if message["end"] == self.case:
                self.outcomes.append({**message, "case": message["end"]})
                self.case = None
        elif "collected" in message:
            if self.collected is None:
                self.collected = message["collected"]
                self.troubles, self.files = message["troubles"], message["files"]
            self.imported = message["imported"]
        elif "refused" in message:
            self.refused = message["refused"]
        elif "fresh" in message:
            self.fresh = True
        return bool(message.keys() & {"done", "refused", "fresh"})

    def close_case(self, ended: str) -> None:
        """The process ended in the middle of a case."""
        if self.case is not None:
            status = "timeout" if ended.startswith("time") else "crashed"
            seconds = time.monotonic() - self.begun
            outcome = {"case": self.case, "status": status, "message": ended, "detail": ""}
            self.outcomes.append({**outcome, "seconds": seconds, "processor": seconds})
            self.case = None

    def message(self) -> Message:
        return {
            "id": self.id,
            "outcomes": self.outcomes,
            "collected": self.collected,
            "troubles": self.troubles,
            "files": self.files,
            "imported": self.imported,
            "refused": self.refused,
            "ended": self.ended,
        }


def run_fork(
    child: Callable[[int], None],
    answer: Answer,
    limits: LimitsOf,
    memory: Optional[int],
    log: Optional[str],
) -> str:
    """Run child(fd) in a fork of its own session and gather what it sends.  Returns how it ended:
    "done", "time limit ...", "signal ..." or "exit ...".  Nothing of its session survives."""
    read, write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 3.12 warns of forks beside threads
        pid = os.fork()
    if not pid:
        try:
            os.close(read)
            _confine(memory)
            quiet(log)
            child(write)
        except BaseException as error:
            try:
                sys.stderr.write(cases.failure(error, True).detail)
                sys.stderr.flush()
            except BaseException:
                pass
        finally:
            os._exit(97)
    _running.append(pid)
    os.close(write)
    try:
        answer.ended = _watch(pid, read, answer, limits)
    finally:
        kill(pid)
        os.close(read)
        _running.remove(pid)
    return answer.ended


def _watch(pid: int, read: int, answer: Answer, limits: LimitsOf) -> str:
    """Never waits for the end of the pipe alone: a grandchild may hold it open."""
    decoder = Decoder(ANSWER_BYTES)
    deadline = time.monotonic() + limits.collect
    case: Optional[str] = None
    closed = False
    while True:
        if answer.case != case:
            case = answer.case
            if case is not None:
                deadline = answer.begun + limits.of(case)[0] + GRACE_SECONDS
        left = deadline - time.monotonic()
        if left <= 0:
            _reap(pid)
            return "time limit of %.1f s" % limits.of(case)[0] if case else "time limit"
        if closed:
            time.sleep(0.001)
            data = b""
        elif select.select([read], [], [], min(left, _TICK))[0]:
            data = os.read(read, 1 << 16)
            closed = not data
            try:
                last = any([answer.take(message) for message in decoder.feed(data)])
            except (Malformed, KeyError, TypeError):
                _reap(pid)
                return "a malformed answer"
            if last:
                _reap(pid)
                return "done"
            if data:
                continue
        done, status = os.waitpid(pid, os.WNOHANG)
        if done and (closed or not select.select([read], [], [], 0)[0]):
            return _how(status)
        if done:  # the last words are still in the pipe
            for message in decoder.feed(os.read(read, ANSWER_BYTES)):
                if answer.take(message):
                    return "done"
            return _how(status)


def _reap(pid: int) -> None:
    kill(pid)
    os.waitpid(pid, 0)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGPROF:
            return "time limit (processor)"
        return "signal %s" % signal.Signals(number).name
    return "exit %d" % os.WEXITSTATUS(status)


def _confine(memory: Optional[int]) -> None:
    os.setsid()
    die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard == resource.RLIM_INFINITY or memory < hard:
            resource.setrlimit(resource.RLIMIT_AS, (memory, hard))


def quiet(log: Optional[str]) -> None:
    """Standard input is empty; output goes to a file that the runner can read, or nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    out = os.open(log, flags, 0o600) if log else null
    for fd, target in ((0, null), (1, out), (2, out)):
        os.dup2(target, fd)
