"""The process that has the project imported and tries patches on it."""

import gc
import os
import signal
import threading
import time
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from .answer import Answer, LimitsOf
from .cases import Runnable, Trouble, one_line
from .fork import Forks, Voice, quiet
from .frames import Decoder, Message, receive, send
from .inside import INSIDE
from .judges import Judges
from .observe import ENDED_AT_MOST, Observed, Patience
from .observe import answer as answer_calls
from .originals import PLAIN, TICKED, Compile, Original
from .overlay import LiveFunctions, Overlay, Swap, same_code
from .processes import children
from .project import load
from .running import Stop, run_cases, until_broken, until_hopeless
from .shared import (
    UNCOMPILABLE,
    Allowed,
    Fresh,
    Heard,
    Job,
    Try,
    is_cheap,
    serve,
    swaps_of,
    ticked_all,
)

FAILURES_AT_MOST = 4  # forks for many tries that ended early, in a row


def sources_of(texts: Dict[str, str]) -> Dict[str, bytes]:
    """Files as they are sent: a character a byte."""
    return {path: text.encode("latin-1") for path, text in texts.items()}


class Warm:
    def __init__(self, spec: Message, fd_in: int, fd_out: int) -> None:
        self.spec, self.fd_in, self.fd_out = spec, fd_in, fd_out
        self.forks = Forks(fd_in, fd_out)
        self.overlay = Overlay()
        self.judges = Judges(spec["expressions"], spec["io"])
        self.base: Dict[str, bytes] = {}
        self.decoder = Decoder()
        self.known: Dict[str, Runnable] = {}
        self.originals: Dict[str, Optional[Original]] = {}
        self.ticked: Optional[List[Swap]] = None
        self.turns: Dict[str, int] = {}
        self.busy = False
        self.failures = 0  # of forks for many tries

    def serve(self) -> None:
        """The first message says that the time has come to load the project, and with which
        files in place of those on the disk."""
        first = receive(self.fd_in, self.decoder)
        if first is None:
            return
        self.overlay.sources = self.base = sources_of(first["sources"])
        quiet(self.spec["log"])
        os.chdir(self.spec["cwd"])  # a new mount may lie there
        said = load(self.spec, self.overlay, self._loaded)
        send(self.fd_out, {"refused": said or "the session ended early"})

    def _loaded(self, found: List[Runnable], troubles: List[Trouble]) -> None:
        self.known = {case.id: case for case in found}
        self.live = LiveFunctions()
        self.forks.catch()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.forks.own.update(children())
        # A fork takes neither threads nor children along, and files are forgotten after each: what
        # leans on them wants a new import.
        others = threading.active_count() > 1 or bool(self.forks.own)
        self.busy = others or INSIDE.is_dirty()
        gc.collect()
        gc.freeze()
        send(self.fd_out, {"ready": len(found)})
        while True:
            request = receive(self.fd_in, self.decoder)
            if request is None:
                self.forks.leave()
            told = self._observed(request) if "observe" in request else self._tries(request)
            send(self.fd_out, {"id": request["id"], "told": told})

    # -------------------------------------------------------------------------------- many

    def _tries(self, request: Message) -> List[Tuple[int, Message]]:
        """What became of each try; those that would begin too late are missing."""
        until = time.monotonic() + float(request.get("seconds") or 1e9)
        left: List[Try] = [(index, sources_of(texts)) for index, texts in request["tries"]]
        for _, sources in left:
            self._know(sources)
        failing, order = self._cases(request["failing"]), self._cases(request["cases"])
        alone = request.get("alone") or self.busy
        for original, source in self._changed(left) if not self.busy else ():
            original.prepare(source, PLAIN if alone else TICKED)
        may_share = not alone and all(map(is_cheap, [*failing, *order]))
        found: List[Tuple[int, Message]] = []
        while left and time.monotonic() < until:
            if may_share and len(left) > 1 and self.failures < FAILURES_AT_MOST:
                heard = self._shared(request, failing, order, left)
                while left and left[0][0] in heard.told:
                    index, sources = left.pop(0)
                    verdict = heard.told[index]
                    if not _is_final(verdict):
                        promising = "outcomes" in verdict
                        verdict = self._alone(request, sources, whole=promising)
                    found.append((index, verdict))
                if heard.ended == "done" and heard.told:
                    continue
            if left:  # one that cannot share, or at which a shared fork ended
                index, sources = left.pop(0)
                found.append((index, self._alone(request, sources)))
        return found

    def _know(self, sources: Dict[str, bytes]) -> None:
        for path in sources:
            if path not in self.originals:
                self.originals[path] = _original(path, self.base)
                self.ticked = None

    def _ticked(self) -> List[Swap]:
        if self.ticked is None:
            self.ticked = ticked_all(self.originals.values(), self.live)
        return self.ticked

    def _changed(self, tries: List[Try]) -> Iterator[Tuple[Original, bytes]]:
        for _, sources in tries:
            for path, source in sources.items():
                original = self.originals[path]
                if original is not None:
                    yield original, source

    def _cases(self, names: Sequence[str]) -> List[Runnable]:
        return [self.known[name] for name in names if name in self.known]

    def _shared(
        self,
        request: Message,
        failing: List[Runnable],
        order: List[Runnable],
        tries: List[Try],
    ) -> Heard:
        wanted = {case.id for case in [*failing, *order]}
        turns = self.turns if wanted <= self.turns.keys() else {}
        job = Job(
            self.originals,
            self.live,
            self._ticked(),
            request.get("ran", {}),
            failing,
            order,
            request["patience"],
            turns,
            self.spec["root"],
        )
        heard = Heard(tries)
        limits = Allowed(len(tries))

        def child(voice: Voice) -> None:
            serve(voice, job, tries)

        self.forks.run(child, heard, limits, self.spec["memory"], None)
        if heard.turns is not None:
            self.turns.update(heard.turns)
        useful = heard.ended == "done" and not heard.closed
        self.failures = 0 if useful and len(heard.told) > 1 else self.failures + 1
        if heard.closed:
            self.failures = FAILURES_AT_MOST
        return heard

    # ------------------------------------------------------------------------------- calls

    def _observed(self, request: Message) -> List[Tuple[int, Any]]:
        """What calls give with each patch: see observe.answer; None where that cannot be told."""
        until = time.monotonic() + float(request["seconds"])
        found: List[Tuple[int, Any]] = []
        for index, texts in request["tries"]:
            sources = sources_of(texts)
            self._know(sources)
            if self.busy or time.monotonic() > until:
                found.append((index, None))
            else:
                found.append((index, self._seen(request, sources)))
        return found

    def _seen(self, request: Message, sources: Dict[str, bytes]) -> Optional[List[Any]]:
        asked = request["observe"]
        heard = Observed(len(asked["calls"]))

        def child(voice: Voice) -> None:
            for function, code in self._ticked():
                function.__code__ = code
            if sources:
                self._patch(voice, sources, request, TICKED)
            answer_calls(voice, asked, heard.at)

        for _ in range(ENDED_AT_MOST):
            if self.forks.run(child, heard, Patience(), self.spec["memory"], None) == "done":
                break
            heard.at, heard.case = heard.at + 1, None
        return None if heard.refused else heard.seen

    # --------------------------------------------------------------------------------- one

    def _alone(
        self, request: Message, sources: Dict[str, bytes], *, whole: bool = False
    ) -> Message:
        """A try with a fork for each of its stages.  whole: the second one only."""
        if self.busy:
            return self._without_a_fork(sources)
        failing, order = request["failing"], request["cases"]
        stages: List[Tuple[List[Runnable], Stop]] = [
            (
                [case.bared() for case in self._cases(failing)],
                until_hopeless(request["patience"]),
            ),
            (self._cases(order), until_broken(set(order) - set(failing))),
        ]
        answer = Answer(0)
        for chosen, stop in stages[1:] if whole else stages:
            answer = self._stage(request, sources, chosen, stop)
            if answer.ended.startswith("time limit of"):  # of the clock: others may have been busy
                answer = self._stage(request, sources, chosen, stop)
            if answer.short is not None:
                return answer.short
            if chosen and not any(outcome["status"] == "passed" for outcome in answer.outcomes):
                break
        return answer.message()

    def _stage(
        self, request: Message, sources: Dict[str, bytes], chosen: List[Runnable], stop: Stop
    ) -> Answer:
        answer, limits = Answer(0, self.judges), LimitsOf(request)

        def child(voice: Voice) -> None:
            self._patch(voice, sources, request)
            run_cases(voice, chosen, request, limits, None, stop)
            voice.close({"done": True, "files": []})

        ended = self.forks.run(child, answer, limits, self.spec["memory"], None)
        answer.close_case(ended)
        return answer

    def _patch(
        self, voice: Voice, sources: Dict[str, bytes], request: Message, how: Compile = PLAIN
    ) -> None:
        """In a fork: make this process one that runs the patched sources, or say why not."""
        self.overlay.sources = sources
        try:
            swaps = swaps_of(
                self.originals, sources, self.live, request.get("ran", {}), how, self._scripts()
            )
            for function, code in swaps:
                function.__code__ = code
        except Fresh:
            voice.close({"short": {"fresh": True}})
        except UNCOMPILABLE as error:
            voice.close({"short": {"invalid": one_line(error)}})
        if not swaps and not self._scripts() & set(sources):
            voice.close({"short": {"same": True}})

    def _scripts(self) -> Set[str]:
        """Files that are run as programs, which read them anew each time."""
        return {os.path.realpath(self.spec["target"])} if self.spec["io"] else set()

    def _without_a_fork(self, sources: Dict[str, bytes]) -> Message:
        """Of a project that no fork can be made of."""
        try:
            for path, source in sources.items():
                original = self.originals[path]
                pair = original.compiled(source, PLAIN) if original else None
                if pair is None or not same_code(*pair):
                    return {"fresh": True}
        except UNCOMPILABLE as error:
            return {"invalid": one_line(error)}
        return {"same": True}


def _is_final(verdict: Message) -> bool:
    """Whether what one of many tries ended with needs no second look: it is no repair, and nothing
    odd."""
    if "outcomes" not in verdict:
        return "odd" not in verdict
    return any(outcome["status"] != "passed" for outcome in verdict["outcomes"])


def _original(path: str, base: Dict[str, bytes]) -> Optional[Original]:
    """The file as it was imported; None if it cannot be compiled."""
    try:
        return Original(path, base)
    except (OSError, *UNCOMPILABLE):
        return None
