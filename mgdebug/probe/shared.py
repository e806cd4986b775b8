"""Many tries in one fork, one after another, each with the process as it was before.

Only cases that are cheap to run and leave nothing behind can share; what does not go by the book is
told, and is run again in a fork of its own: a limit that was hit, something left or changed, and
whatever looks like a repair.
"""

import os
import signal
import sys
import time
from typing import (
    Any,
    Collection,
    Dict,
    Iterable,
    List,
    NamedTuple,
    NoReturn,
    Optional,
    Sequence,
    Tuple,
)

from .bare import without_messages
from .cases import Runnable, one_line
from .fork import Voice
from .frames import Message
from .originals import TICKED, Compile, Original
from .overlay import LiveFunctions, Swap, plan_swap, same_code
from .running import until_broken, until_hopeless
from .ticks import Ticks
from .world import World

_KINDS = ("expression", "doctest")
LEAST_TURNS, TIMES_TURNS, MOST_TURNS = 4_000, 50, 2_000_000  # of loops; a case's own times so many
PROCESSOR_SECONDS = 0.1  # for a whole try; an endless loop outside of the project's code
WALL_SECONDS = 1.0
_SENT_EACH = 0.02  # seconds

Ran = Dict[str, List[Tuple[str, int]]]
Try = Tuple[int, Dict[str, bytes]]


def is_cheap(case: Runnable) -> bool:
    """Whether a case can be run many times in one process."""
    return case.plain is not None or case.kind in _KINDS


class Fresh(Exception):
    """Only a new import shows a patch."""


def swaps_of(
    originals: Dict[str, Optional[Original]],
    sources: Dict[str, bytes],
    live: LiveFunctions,
    ran: Ran,
    how: Compile,
    scripts: Collection[str] = (),
) -> List[Swap]:
    """What shows a patch; [] if nothing has to be done.  Raises Fresh, and what compile() raises.

    scripts: files that are read anew by whoever runs them."""
    swaps: List[Swap] = []
    for path, source in sources.items():
        original = originals.get(path)
        if original is None:
            compile(source, path, "exec", dont_inherit=True)
            raise Fresh
        old, new = original.compiled(source, how)
        found: Optional[List[Swap]] = []
        if original.imported:
            found = plan_swap(path, old, new, live, ran.get(path, ()))
        elif path not in scripts and not same_code(old, new):
            found = None
        if found is None:
            raise Fresh
        swaps += found
    return swaps


UNCOMPILABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


class Job(NamedTuple):
    """What a fork needs to know.  ticked: see ticked_all.  turns: what each case took, {} if that
    is to be found out."""

    originals: Dict[str, Optional[Original]]
    live: LiveFunctions
    ticked: Sequence[Swap]
    ran: Ran
    failing: Sequence[Runnable]
    order: Sequence[Runnable]
    patience: int
    turns: Dict[str, int]
    root: str


class Heard:
    """What such a fork has said so far; stands in for an answer (see fork.Forks)."""

    def __init__(self, tries: Sequence[Try]) -> None:
        self.case: Optional[str] = None
        self.begun = time.monotonic()
        self.ended, self.left = "", 0
        self.turns: Optional[Dict[str, int]] = None
        self.closed = ""
        self.told: Dict[int, Message] = {}
        self._known = {index for index, _ in tries}

    def take(self, message: Message) -> bool:
        self.case, self.begun = str(len(self.told)), time.monotonic()
        turns = message.get("turns")
        if isinstance(turns, dict):
            self.turns = {str(case): int(count) for case, count in turns.items()}
        self.closed = str(message.get("closed", self.closed))
        for index, verdict in message.get("told", ()):
            if index in self._known and isinstance(verdict, dict):
                self.told[index] = verdict
        return "done" in message or bool(self.closed)


class Allowed:
    """The limits of such a fork, as fork.Forks asks for them."""

    collect = 10.0

    def __init__(self, tries: int) -> None:
        self._seconds = WALL_SECONDS + 0.01 * tries

    def of(self, case: str) -> Tuple[float, Optional[float]]:
        return self._seconds, None


def serve(voice: Voice, job: Job, tries: Sequence[Try]) -> NoReturn:
    """In the fork."""
    _catch_output()
    told: List[Any] = []
    now = [-1]

    def up(*_: object) -> NoReturn:
        voice.close({"told": [*told, (now[0], {"odd": "time"})], "done": True})

    signal.signal(signal.SIGPROF, up)
    world = World(job.root)
    if world.closed:
        voice.close({"closed": world.closed})
    ticks = Ticks()
    for function, code in job.ticked:
        function.__code__ = code
    without_messages()
    if not job.turns:
        job = job._replace(turns=_learn(job, ticks))
        voice.say({"turns": job.turns})
        why = _left(world)
        if why:
            voice.close({"closed": why})
    sent = time.monotonic()
    for now[0], sources in tries:
        verdict, why = _one(job, sources, ticks), ""
        if "outcomes" in verdict:
            why = _left(world)
        told.append((now[0], {"odd": why} if why else verdict))
        if why:
            break
        if time.monotonic() - sent > _SENT_EACH:
            voice.say({"told": told})
            told[:] = []
            sent = time.monotonic()
    voice.close({"told": told, "done": True})


def _one(job: Job, sources: Dict[str, bytes], ticks: Ticks) -> Message:
    try:
        swaps = swaps_of(job.originals, sources, job.live, job.ran, TICKED)
    except Fresh:
        return {"fresh": True}
    except UNCOMPILABLE as error:
        return {"invalid": one_line(error)}
    if not swaps:
        return {"same": True}
    before = [(function, function.__code__) for function, _ in swaps]
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
    try:
        try:
            for function, code in swaps:
                function.__code__ = code
        except ValueError:
            return {"fresh": True}
        return _run(job, ticks)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        for function, code in before:
            function.__code__ = code


def _run(job: Job, ticks: Ticks) -> Message:
    outcomes: List[Message] = []
    cut = ""
    for cases, stop in (
        (job.failing, until_hopeless(job.patience)),
        (job.order, until_broken({case.id for case in job.order} - {c.id for c in job.failing})),
    ):
        outcomes = []
        for case in cases:
            turns = min(MOST_TURNS, LEAST_TURNS + TIMES_TURNS * job.turns.get(case.id, 0))
            ticks.allow(turns)
            passed = _passes(case)
            if ticks.spent():
                passed, cut = False, "loop limit of %d turns" % turns
            outcomes.append({"case": case.id, "status": "passed" if passed else "failed"})
            if stop(case.id, passed) or (
                cut and not any(o["status"] == "passed" for o in outcomes)
            ):
                break
        if not any(outcome["status"] == "passed" for outcome in outcomes):
            break
    return {"outcomes": outcomes, "ended": cut or "done"}


def _passes(case: Runnable) -> bool:
    return case.bared().run(False).status == "passed"


def _learn(job: Job, ticks: Ticks) -> Dict[str, int]:
    """The turns that each case takes without a patch."""
    turns = {}
    for case in {case.id: case for case in [*job.order, *job.failing]}.values():
        ticks.allow(MOST_TURNS // TIMES_TURNS)
        _passes(case)
        turns[case.id] = 0 if ticks.spent() else ticks.used()
    return turns


def ticked_all(originals: Iterable[Optional[Original]], live: LiveFunctions) -> List[Swap]:
    """Ticks in what no patch changes too: it may be called as never before."""
    found: List[Swap] = []
    for original in originals:
        if original is not None and original.imported:
            found += plan_swap(original.path, original.code, original.ticked, live) or ()
    return found


def _left(world: World) -> str:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            return "output"
    return world.changed()


def _catch_output() -> None:
    """Where it is seen that there is some."""
    try:
        fd = os.memfd_create("output")
    except (AttributeError, OSError):
        fd = os.open(os.devnull, os.O_WRONLY)
    for target in (1, 2):
        os.dup2(fd, target)
    os.close(fd)
