"""Inside a fork: one case after another, each within its limits."""

import signal
import threading
from time import monotonic, process_time  # now: a case may replace them
from typing import Callable, Iterable, List, Optional, Set

from .answer import LimitsOf
from .cases import Runnable, with_limit
from .fork import Voice
from .frames import Message
from .reach import Reach
from .recorder import USUAL, Recorder

Stop = Callable[[str, bool], bool]  # a case and whether it passed -> whether that decides


def until_hopeless(patience: int) -> Stop:
    """Stop once `patience` cases ran and none of them passed."""
    ran: List[bool] = []

    def stop(case: str, passed: bool) -> bool:
        ran.append(passed)
        return len(ran) >= patience and not any(ran)

    return stop


def until_broken(passing: Set[str]) -> Stop:
    """Stop at the first case that passed before and does no more."""
    return lambda case, passed: not passed and case in passing


def run_cases(
    voice: Voice,
    chosen: Iterable[Runnable],
    request: Message,
    limits: LimitsOf,
    recorder: Optional[Recorder] = None,
    stop: Optional[Stop] = None,
    reach: Optional[Reach] = None,
) -> None:
    order = list(chosen)
    detail = bool(request.get("detail"))
    asked = request.get("trace") or {}
    with_values = set(asked.get("values", ()))
    expected = asked.get("expected", {})
    visits = asked.get("visits", USUAL.first)
    budget = USUAL._replace(first=visits, last=max(1, visits // 4))
    for index, case in enumerate(order):
        if limits.over:
            return
        voice.say({"begin": case.id})
        wall, processor = limits.of(case.id)
        if processor is not None:
            # Ends the process: nothing in it can catch what it does not handle.
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, processor)
        watchdog = None
        if recorder is not None:
            counts = dict(expected.get(case.id, ()))
            recorder.clear(case.id in with_values, budget, counts)
            watchdog = _Watchdog(voice, case.id, recorder, wall)
        if reach is not None:
            reach.begin()
        started, used = monotonic(), process_time()
        result = case.proven(detail, order[index + 1] if index + 1 < len(order) else None)
        seconds, processor_seconds = monotonic() - started, process_time() - used
        if processor is not None:
            signal.setitimer(signal.ITIMER_PROF, 0)
        message: Message = {
            "end": case.id,
            "status": result.status,
            "message": with_limit(result.message),
            "detail": result.detail,
            "seconds": seconds,
            "processor": processor_seconds,
        }
        if result.proof is not None:
            message["proof"] = result.proof
        if recorder is not None:
            message["trace"] = recorder.report()
        if reach is not None:
            message["reach"] = reach.told()
        if watchdog is not None:
            watchdog.call_off()
        voice.say(message)
        if stop is not None and stop(case.id, result.status not in ("failed", "not run")):
            return


class _Watchdog:
    """A case that never ends still hands over what it recorded."""

    def __init__(self, voice: Voice, case: str, recorder: Recorder, seconds: float) -> None:
        self._lock = threading.Lock()  # held for ever once it has fired
        self._timer = threading.Timer(seconds, self._fire, (voice, case, recorder, seconds))
        self._timer.daemon = True
        self._timer.start()

    def call_off(self) -> None:
        """The case has ended by itself."""
        self._lock.acquire()
        self._timer.cancel()

    def _fire(self, voice: Voice, case: str, recorder: Recorder, seconds: float) -> None:
        self._lock.acquire()
        message: Message = {"end": case, "status": "timeout", "message": "", "detail": ""}
        message.update({"seconds": seconds, "processor": seconds, "trace": recorder.report()})
        voice.close(message)
