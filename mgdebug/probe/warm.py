"""The process that has the project imported and tries patches on it."""

import gc
import os
import signal
import threading
import types
import warnings
from typing import Dict, List, Optional, Tuple

from . import cases
from .answer import Answer, LimitsOf
from .cases import Runnable, Trouble
from .fork import Forks, Voice, children, quiet
from .frames import Decoder, Message, receive, send
from .overlay import LiveFunctions, Overlay, Swap, modules_of, plan_swap, same_code
from .inside import INSIDE
from .project import load
from .running import Stop, run_cases, until_broken, until_hopeless


def sources_of(request: Message) -> Dict[str, bytes]:
    return {path: text.encode("latin-1") for path, text in request["sources"].items()}


class Warm:
    def __init__(self, spec: Message, fd_in: int, fd_out: int) -> None:
        self.spec, self.fd_in, self.fd_out = spec, fd_in, fd_out
        self.forks = Forks(fd_in, fd_out)
        self.overlay = Overlay()
        self.base: Dict[str, bytes] = {}
        self.decoder = Decoder()
        self.known: Dict[str, Runnable] = {}
        self.originals: Dict[str, Optional[types.CodeType]] = {}
        self.imported: Dict[str, bool] = {}
        self.busy = False

    def serve(self) -> None:
        """The first message says that the time has come to load the project, and with which
        files in place of those on the disk."""
        first = receive(self.fd_in, self.decoder)
        if first is None:
            return
        self.overlay.sources = self.base = sources_of(first)
        quiet(self.spec["log"])
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
            send(self.fd_out, self._try(request))

    def _try(self, request: Message) -> Message:
        sources = sources_of(request)
        try:
            swaps = self._plan(sources, request.get("ran", {}))
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
            return {"id": request["id"], "invalid": cases.one_line(error)}
        if swaps == [] and not self._scripts(sources):
            return {"id": request["id"], "same": True}
        if swaps is None or self.busy:
            return {"id": request["id"], "fresh": True}
        limits = LimitsOf(request)
        failing, order = request["failing"], request["cases"]
        stages: List[Tuple[List[str], Stop]] = [
            (failing, until_hopeless(request["patience"])),
            (order, until_broken(set(order) - set(failing))),
        ]
        for names, stop in stages:
            answer = Answer(request["id"])

            def child(voice: Voice, names: List[str] = names, stop: Stop = stop) -> None:
                self.overlay.sources = sources
                try:
                    for function, code in swaps:
                        function.__code__ = code
                except ValueError:
                    voice.close({"fresh": True})
                chosen = [self.known[name] for name in names if name in self.known]
                run_cases(voice, chosen, request, limits, None, stop)
                voice.close({"done": True, "files": []})

            ended = self.forks.run(child, answer, limits, self.spec["memory"], None)
            if answer.fresh:
                return {"id": request["id"], "fresh": True}
            answer.close_case(ended)
            if names and not any(outcome["status"] == "passed" for outcome in answer.outcomes):
                break
        return answer.message()

    def _scripts(self, sources: Dict[str, bytes]) -> bool:
        """Whether a patched file is run as a program, which reads it anew each time."""
        return bool(self.spec["io"]) and os.path.realpath(self.spec["target"]) in sources

    def _plan(
        self, sources: Dict[str, bytes], ran: Dict[str, List[Tuple[str, int]]]
    ) -> Optional[List[Swap]]:
        """Raises what compile() raises for sources that it does not take."""
        swaps: Optional[List[Swap]] = []
        for path, source in sources.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                new = compile(source, path, "exec", dont_inherit=True)
                if path not in self.originals:
                    self.originals[path] = _compiled(path, self.base)
                    self.imported[path] = bool(modules_of(path))
            old = self.originals[path]
            found: Optional[List[Swap]]
            if old is None:
                found = None
            elif self.imported[path]:
                found = plan_swap(path, old, new, self.live, ran.get(path, ()))
            else:
                found = [] if self._scripts(sources) or same_code(old, new) else None
            swaps = None if swaps is None or found is None else swaps + found
        return swaps


def _compiled(path: str, base: Dict[str, bytes]) -> Optional[types.CodeType]:
    """The file as it was imported; None if it cannot be compiled."""
    overlay = Overlay()
    overlay.sources = base
    try:
        return overlay.code(path)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None
