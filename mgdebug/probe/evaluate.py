"""Many expressions in many states of runs.

A state is the moment before a visit of a block in a case.  A fork imports the project with stops at
the blocks that are wanted, and runs the cases.  At each wanted visit it makes a child, which sees
the live frame, evaluates and answers; the run goes on in the parent as if nothing
had been asked.  See live for how.
"""

import os
import signal
import sys
import types
import warnings
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .answer import Answer, LimitsOf
from .cases import Runnable, Trouble
from .fork import Forks, Voice
from .frames import Message
from .harmless import Expression, compiled
from .live import Live
from .overlay import Overlay
from .project import load
from .snapshot import bound, mask
from .stops import Stops

RESTARTS = 3  # of a case whose process an expression has ended
_REST = 1.0  # seconds of processor time for the rest of a case whose states are all answered

_getpid, _setitimer = os.getpid, signal.setitimer  # the user's code may replace them


class Evaluations(Answer):
    """What became of each expression in each state: rows of the numbers of `shots`, with holes."""

    def __init__(self, id: int, asked: Sequence[Sequence[Any]], columns: Sequence[int]) -> None:
        """asked: the case, block and number of each state.  columns: expressions of each."""
        super().__init__(id)
        self.asked = asked
        self.rows: List[List[Optional[int]]] = [[None] * size for size in columns]
        self.reached = [False] * len(asked)
        self.shots: List[Any] = []
        self.tries: Dict[str, int] = {}
        self.at: Optional[Tuple[int, int]] = None  # an expression that may end its run
        self._numbers: Dict[str, int] = {}

    def _take(self, message: Message) -> bool:
        if "state" not in message:
            if "begin" in message:
                self.tries[message["begin"]] = self.tries.get(message["begin"], 0) + 1
            return super()._take(message)
        state = int(message["state"])
        row = self.rows[state]
        self.reached[state] = True
        if "trying" in message:
            self.at = (state, int(message["trying"]))
            return False
        self.at = None
        numbers = [self._number(shot) for shot in message["shots"]]
        for expression, shot in zip(message["of"], message["at"]):
            if row[expression] is None or message.get("instead"):
                row[expression] = numbers[shot]
        return False

    def _number(self, shot: Any) -> int:
        text = repr(shot)
        if text not in self._numbers:
            self._numbers[text] = len(self.shots)
            self.shots.append(shot)
        return self._numbers[text]

    def is_open(self, state: int) -> bool:
        return any(number is None for number in self.rows[state])

    def settle(self, state: int, why: str) -> None:
        """Those without an answer have none for this reason."""
        number = self._number(why)
        self.rows[state] = [number if one is None else one for one in self.rows[state]]

    def blame(self, why: str) -> None:
        """The expression that was being evaluated as the run ended."""
        if self.at is not None:
            state, expression = self.at
            if self.rows[state][expression] is None:
                self.rows[state][expression] = self._number(why)
            self.at = None


def evaluate(spec: Message, request: Message, forks: Forks) -> Message:
    """Answer a request: {"id", "rows", "reached", "shots", "ended"}, the rows being numbers of
    shots, which are [type, text, truncated, size], or the text of an error."""
    asked = request["evaluate"]
    states, expressions = asked["states"], asked["expressions"]
    answer = Evaluations(request["id"], states, [len(expressions[s[3]]) for s in states])
    open(spec["log"], "wb").close()
    ended: Dict[str, str] = {}

    def child(voice: Voice) -> None:
        _Run(voice, spec, request, answer).go()

    def is_left(case: str) -> bool:
        wanted = any(s[0] == case and answer.is_open(at) for at, s in enumerate(states))
        return wanted and case not in ended

    while any(is_left(case) for case in request["cases"]):
        before = [sum(number is None for number in row) for row in answer.rows]
        answer.case = None
        request = {**request, "cases": [case for case in request["cases"] if is_left(case)]}
        how = forks.run(child, answer, LimitsOf(request), spec["memory"], spec["log"])
        case, answer.case = answer.case, None
        if how == "done":
            break
        if case is None or answer.collected is None:
            answer.blame(how)
            for at in range(len(states)):
                answer.settle(at, answer.refused or how)
            break
        answer.blame(how)
        progress = before != [sum(number is None for number in row) for row in answer.rows]
        if how.startswith("time") or not progress or answer.tries[case] > RESTARTS:
            ended[case] = how
        for other in {outcome["case"] for outcome in answer.outcomes}:
            ended.setdefault(other, "")
    for at, state in enumerate(states):
        why = ended.get(state[0]) or "not reached"
        answer.settle(at, why if not answer.reached[at] or ended.get(state[0]) else "no answer")
    return {
        "id": answer.id,
        "rows": answer.rows,
        "shots": answer.shots,
        "ended": answer.ended,
    }


# ------------------------------------------------------------------------------------- the run


class _Run:
    """In a fork: the cases, and a child at each wanted visit."""

    def __init__(self, voice: Voice, spec: Message, request: Message, answer: Evaluations) -> None:
        self.voice, self.spec, self.request, self.answer = voice, spec, request, answer
        self.asked = request["evaluate"]
        self.pid = _getpid()
        self.open: Dict[Tuple[int, int], List[int]] = {}
        self.is_last = False

    def go(self) -> None:
        asked = self.asked
        bound(*asked["bounds"])
        mask(asked["masked"])
        known: Dict[str, Expression] = {}
        self.expressions: List[List[Expression]] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for texts in asked["expressions"]:
                for text in texts:
                    if text not in known:
                        known[text] = compiled(text)
                self.expressions.append([known[text] for text in texts])
        self.stops = Stops([owner for owner, _ in asked["blocks"]], self.stop)
        names = [names for _, names in asked["blocks"]]
        overlay = Overlay()
        overlay.sources = {
            path: text.encode("latin-1") for path, text in self.request["sources"].items()
        }
        for path, places in asked["places"].items():
            overlay.transforms[path] = self.stops.transform([tuple(p) for p in places], names)
        sys.setrecursionlimit(sys.getrecursionlimit() + 50)
        why = load(self.spec, overlay, self.loaded)
        self.voice.close({"refused": why or "the session ended early"})

    def loaded(self, found: List[Runnable], troubles: List[Trouble]) -> None:
        self.voice.say({"collected": [], "troubles": [], "files": [], "imported": []})
        by_id = {case.id: case for case in found}
        cases = [by_id[id] for id in self.request["cases"] if id in by_id]
        for at, case in enumerate(cases):
            following = cases[at + 1] if at + 1 < len(cases) else None
            self.is_last = following is None
            self.open = {}
            for state, (id, block, number, _) in enumerate(self.asked["states"]):
                if id == case.id and self.answer.is_open(state):
                    self.open.setdefault((block, number), []).append(state)
            wanted: Dict[int, List[int]] = {}
            for block, number in sorted(self.open):
                wanted.setdefault(block, []).append(number)
            self.voice.say({"begin": case.id})
            self.stops.arm(wanted)
            case.proven(False, following)  # as a traced run does: visits count alike
            self.stops.arm({})
            _setitimer(signal.ITIMER_PROF, 0)
            self.voice.say({"end": case.id, "status": "passed", "seconds": 0, "processor": 0})
        self.voice.close({"done": True, "files": []})

    def stop(self, block: int, number: int, frame: types.FrameType, handed: Dict[str, Any]) -> None:
        """Before a wanted visit.  handed: what a comprehension has bound."""
        if _getpid() != self.pid:  # a child of the user's code
            return
        for state in self.open.pop((block, number), ()):
            row = self.answer.rows[state]
            todo = [at for at, shot in enumerate(row) if shot is None]
            expressions = self.expressions[self.asked["states"][state][3]]
            live = Live(self.voice, state, expressions, todo, self.asked["seconds"])
            live.answer(frame, handed)
        if self.open:
            return
        if self.is_last:
            self.voice.close({"done": True, "files": []})
        try:
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            _setitimer(signal.ITIMER_PROF, _REST)
        except ValueError:  # another thread
            pass
