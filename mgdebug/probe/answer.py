"""What a fork says, gathered by its parent, and how long it may take to say it."""

import time
from typing import Any, Dict, List, Optional, Tuple

from .frames import Malformed, Message
from .judges import Judges

COLLECT_SECONDS = 120.0


class LimitsOf:
    """The limits of a request, in seconds: wall time and processor time of each case, and wall time
    until the cases are collected."""

    def __init__(self, request: Message) -> None:
        self._wall = float(request["wall"])
        self._processor: Optional[float] = None
        self._own: Dict[str, List[Any]] = request.get("limits") or {}
        self.collect = float(request.get("collect") or COLLECT_SECONDS)
        self._until: Optional[float] = None
        if request.get("seconds"):  # for all cases together
            self._until = time.monotonic() + float(request["seconds"])

    @property
    def over(self) -> bool:
        """Whether no further case may begin."""
        return self._until is not None and time.monotonic() >= self._until

    def of(self, case: str) -> Tuple[float, Optional[float]]:
        own = self._own.get(case)
        wall, processor = (own[0], own[1]) if own else (self._wall, self._processor)
        if self._until is not None:
            wall = max(0.0, min(wall, self._until - time.monotonic()))
        return wall, processor

    def tighten(self, outcomes: List[Message]) -> None:
        """After a case that never ended, the next ones get a multiple of what others took; in
        processor time too, which an endless loop burns sooner than the clock runs."""
        if not any(o["status"] == "timeout" for o in outcomes):
            return
        ended = [o for o in outcomes if o["status"] != "timeout"]
        slowest = max((o["seconds"] for o in ended), default=0.0)
        busiest = max((o["processor"] for o in ended), default=0.0)
        self._wall = min(self._wall, max(1.0, 20 * slowest))
        self._processor = max(0.5, 20 * busiest)


class Answer:
    """An outcome a case, and what was collected.

    message(): {"id", "outcomes": [{"case", "status", "seconds", "processor", "message",
    "detail", "judged"?, "trace"?}], "collected", "troubles", "files", "imported",
    "collecting", "refused", "ended"}.
    """

    def __init__(self, id: int, judges: Optional[Judges] = None) -> None:
        """judges: of the cases whose own word does not count.  What none of them could judge, or
        only in part, is "judged": "inside"."""
        self.id = id
        self._judges = judges
        self.outcomes: List[Message] = []
        self.collected: Optional[List[Any]] = None
        self.troubles: List[Any] = []
        self.files: Dict[str, None] = {}
        self.imported: List[Any] = []
        self.reach: List[Any] = []
        self.refused = ""
        self.short: Optional[Message] = None  # in place of all else: nothing was run
        self.ended = ""
        self.left = 0  # processes that the fork left running
        self.case: Optional[str] = None  # the one that runs now
        self.begun = 0.0
        self.started = time.monotonic()
        self.collecting = 0.0  # seconds until the cases were collected

    def take(self, message: Message) -> bool:
        """One message of the fork.  Returns whether it was the last one.  Raises Malformed."""
        try:
            return self._take(message)
        except (KeyError, TypeError, ValueError):
            raise Malformed("a message that nobody sends") from None

    def _take(self, message: Message) -> bool:
        if "begin" in message:
            self.case, self.begun = str(message["begin"]), time.monotonic()
        elif "end" in message:
            if message["end"] != self.case:
                raise Malformed("the end of a case that does not run")
            numbers = {key: float(message[key]) for key in ("seconds", "processor")}
            outcome = {**message, "case": self.case, **numbers}
            self._judge(outcome)
            self.outcomes.append(outcome)
            self.case = None
        elif "collected" in message:
            if self.collected is None:
                self.collecting = time.monotonic() - self.started
                self.collected = list(message["collected"])
                self.troubles = list(message["troubles"])
            self.files.update(dict.fromkeys(message["files"]))
            self.imported = message["imported"]
            self.reach.append(message.get("reach"))
        elif "done" in message:
            self.files.update(dict.fromkeys(message["files"]))
            self.reach.append(message.get("reach"))
        elif "refused" in message:
            if self.collected is not None:
                raise Malformed("a refusal of what has begun")
            self.refused = str(message["refused"])
        elif "short" in message:
            self.short = dict(message["short"])
        return bool(message.keys() & {"done", "refused", "short"})

    def _judge(self, outcome: Message) -> None:
        proof = outcome.pop("proof", None)
        outcome.pop("judged", None)
        judge = self._judges.of(outcome["case"]) if self._judges is not None else None
        if judge is None and outcome["case"].startswith("doctest: "):
            outcome["judged"] = "inside"
        if judge is None or outcome["status"] in ("failed", "timeout", "not run"):
            return
        if outcome["status"] != "passed":
            raise Malformed("an end that such a case does not have")
        verdict = judge.verdict(proof)
        if not verdict.passed:
            outcome["status"], outcome["message"] = "failed", verdict.message
        elif verdict.inside:
            outcome["judged"] = "inside"

    def close_case(self, ended: str) -> None:
        """The fork has ended; it may have been in the middle of a case, and may have left others
        behind, which were killed."""
        if self.case is not None:
            status = "timeout" if ended.startswith("time") else "crashed"
            seconds = time.monotonic() - self.begun
            outcome = {"case": self.case, "status": status, "message": ended, "detail": ""}
            self.outcomes.append({**outcome, "seconds": seconds, "processor": seconds})
            self.case = None
        if self.left and self.outcomes:
            words = "left background processes: killed %d" % self.left
            before = self.outcomes[-1]["message"]
            self.outcomes[-1]["message"] = "%s; %s" % (before, words) if before else words

    def message(self) -> Message:
        return {
            "id": self.id,
            "outcomes": self.outcomes,
            "collected": self.collected,
            "troubles": self.troubles,
            "files": list(self.files),
            "imported": self.imported,
            "reach": self.reach,
            "collecting": self.collecting,
            "refused": self.refused,
            "ended": self.ended,
        }
