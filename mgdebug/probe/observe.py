"""What calls give with a patch: in a fork that has the patched code in place, one after another."""

import io
import itertools
import signal
import sys
import time
from typing import Any, Dict, List, NoReturn, Optional, Sequence, Tuple

from .fork import Voice
from .frames import Message
from .overlay import modules_of
from .snapshot import bound, mask, snapshot
from .ticks import Ticks

TURNS = 100_000  # of loops, for one call
PROCESSOR_SECONDS = 0.2  # for one call; an endless loop outside of the project's code
WALL_SECONDS = 1.0
GENERATED = 64  # values of a generator that are looked at
ENDED_AT_MOST = 3  # calls that may end their fork
RECURSION = 400

Call = Tuple[str, Sequence[str]]  # a function and its arguments, as expressions


class Observed:
    """What such a fork has said so far (see fork.Forks).  seen: of each call [what it returned or
    raised, whether it raised, its arguments afterwards], or None."""

    def __init__(self, calls: int) -> None:
        self.case: Optional[str] = None
        self.begun = time.monotonic()
        self.ended, self.left = "", 0
        self.refused = ""
        self.at = 0  # the call that is running, or the next one
        self.seen: List[Any] = [None] * calls

    def take(self, message: Message) -> bool:
        self.refused = "it wants a new import" if "short" in message else self.refused
        self.refused = str(message.get("refused", self.refused))
        for index, seen in message.get("seen", ()):
            if isinstance(index, int) and 0 <= index < len(self.seen):
                self.seen[index] = seen
        self.at = int(message.get("at", self.at))
        self.case, self.begun = str(self.at), time.monotonic()
        return "done" in message or bool(self.refused)


class Patience:
    """The limits of such a fork."""

    collect = 10.0

    def of(self, case: str) -> Tuple[float, Optional[float]]:
        return WALL_SECONDS, None


def answer(voice: Voice, asked: Message, start: int) -> NoReturn:
    """In the fork, with the patch in place.  asked: {"path", "calls", "bounds"}; start: the first
    call that is wanted."""
    bound(*asked["bounds"])
    mask(False)
    modules = modules_of(asked["path"])
    if not modules:
        voice.close({"refused": "not imported"})
    names = dict(vars(modules[0]))
    sys.setrecursionlimit(min(sys.getrecursionlimit(), RECURSION + _depth()))
    sys.stdout = sys.stderr = io.StringIO()
    ticks = Ticks()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for index in range(start, len(asked["calls"])):
        voice.say({"at": index, "seen": []})
        function, arguments = asked["calls"][index]
        seen = _one(function, arguments, names, ticks)
        voice.say({"at": index + 1, "seen": [(index, seen)]})
    voice.close({"done": True})


def _one(function: str, arguments: Sequence[str], names: Dict[str, Any], ticks: Ticks) -> Any:
    space = dict(names)
    try:
        given = [eval(text, space) for text in arguments]
        called = eval(function, space)
    except Exception:
        return None
    before = [snapshot(value) for value in given]
    ticks.allow(TURNS)
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
    raised = False
    try:
        value = called(*given)
        gives = hasattr(type(value), "__next__")
        if gives:
            value = list(itertools.islice(value, GENERATED))
        shot = snapshot(value)
        if gives:  # it does not equal the list of what it gives
            shot = ["iterator", *shot[1:]]
    except Exception as error:
        raised, shot = True, [type(error).__name__, type(error).__name__, False, None]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if ticks.spent():
        return None
    after = [snapshot(value) for value in given]
    return [shot, raised, [new if new != old else None for old, new in zip(before, after)]]


def _depth() -> int:
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return depth
