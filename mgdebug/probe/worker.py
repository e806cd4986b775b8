"""Serve a runner: collect the cases once, then run them in forks, with or without a patch.

Two processes of one interpreter, both made by `main`:

- the *pristine* one has imported pytest, but nothing of the project.  Each of its requests
  is a fork that imports the project through the overlay, collects, and runs cases.  Only
  there can a trace be taken, or a patch be tried that changes more than functions.
- the *warm* one has imported and collected the project.  Each of its requests is a fork
  that swaps the code of patched functions and runs cases: about a millisecond each.

A request is one message, its answer another one with the same "id".  See `fork.Answer`.
"""

import gc
import os
import signal
import sys
import threading
import time
import types
import warnings
from typing import Any, Callable, Dict, Iterable, List, Optional, Set, Tuple

from . import cases, pytest_session
from .cases import Runnable, Trouble
from .fork import Answer, LimitsOf, die_with_parent, on_term, quiet, run_fork
from .frames import Decoder, Message, receive, send
from .instrument import connect, instrument
from .overlay import LiveFunctions, Overlay, Swap, modules_of, plan_swap, same_code
from .recorder import Recorder

Loaded = Callable[[List[Runnable], List[Trouble]], None]


def main(fds: List[int]) -> None:
    """fds: to read and to write for the pristine process, then for the warm one."""
    pristine_in, pristine_out, warm_in, warm_out = fds
    for fd in fds:
        os.set_inheritable(fd, False)
    die_with_parent(signal.SIGTERM)
    signal.signal(signal.SIGTERM, on_term)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    decoder = Decoder()
    spec = receive(pristine_in, decoder)
    if spec is None:
        return
    pytest = pytest_session.version() if spec["pytest"] is not None else None
    hello = {"version": list(sys.version_info[:3]), "executable": sys.executable, "pytest": pytest}
    send(pristine_out, hello)
    if not pytest:
        spec["pytest"] = None
    pid = os.fork()
    if not pid:
        os.close(pristine_in)
        os.close(pristine_out)
        die_with_parent(signal.SIGTERM)
        Warm(spec, warm_in, warm_out).serve()
        os._exit(0)
    os.close(warm_in)
    os.close(warm_out)
    while True:
        request = receive(pristine_in, decoder)
        if request is None:
            break
        send(pristine_out, fresh(spec, request))
    os.kill(pid, signal.SIGTERM)


# ----------------------------------------------------------------------------- the project


def load(spec: Message, overlay: Overlay, loaded: Loaded) -> Optional[str]:
    """Import the project, find its cases and call `loaded` with them, inside pytest's session where
    there is one.  Returns what pytest said when it could not start, else None."""
    sys.path.insert(0, spec["cwd"])
    overlay.install()

    def rest(found: List[Runnable], troubles: List[Trouble]) -> None:
        found = list(found)
        if spec["unittest"] is not None and spec["pytest"] is None:
            units, failed = cases.unittests(spec["cwd"], spec["unittest"])
            found += units
            troubles = troubles + failed
        documented, failed = cases.doctests(spec["doctest"])
        found += documented
        troubles = troubles + failed
        try:
            found += list(cases.expressions(spec["target"], spec["expressions"]))
        except SyntaxError as error:
            troubles = [
                *troubles,
                Trouble("--case", "%s: %s" % ((error.text or "").strip(), error.msg)),
            ]
        if spec["io"]:
            found += cases.pairs(spec["target"], [tuple(p) for p in spec["io"]], overlay)
        if spec["target"] and spec["expressions"]:
            try:
                cases.import_file(spec["target"])
            except BaseException as error:
                detail = cases.failure(error, True).detail
                troubles = [*troubles, Trouble(spec["target"], detail)]
        loaded(found, troubles)

    if spec["pytest"] is None:
        rest([], [])
        return None
    code = pytest_session.run_session(spec["pytest"], spec["scratch"], overlay.install, rest)
    return "pytest ended with exit code %d" % code


def _project_files(root: str) -> List[str]:
    """Files under the root that this process has imported, in the order of their import."""
    found: Dict[str, None] = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.startswith(root + os.sep) and os.path.isfile(file):
            found[os.path.realpath(file)] = None
    return list(found)


# ------------------------------------------------------------------------------ the two servers


def fresh(spec: Message, request: Message) -> Message:
    """Run cases in new forks that import the project anew: one fork, and after a case that ends its
    process another one for the cases behind it."""
    answer = Answer(request["id"])
    left: Optional[List[str]] = request["cases"]
    limits = LimitsOf(request)
    is_try = "failing" in request
    order, failing = request["cases"] or [], request.get("failing", ())

    def child(out: int) -> None:
        overlay = Overlay()
        overlay.sources = _sources(request)
        recorder = None
        if request.get("trace"):
            recorder = Recorder([tuple(names) for names in request["trace"]["names"]])
            connect(recorder)
            for path, places in request["trace"]["places"].items():
                overlay.transforms[path] = _instrumenting([tuple(p) for p in places])

        def loaded(found: List[Runnable], troubles: List[Trouble]) -> None:
            send(
                out,
                {
                    "collected": [[c.id, c.kind, c.path, c.source] for c in found],
                    "troubles": [list(trouble) for trouble in troubles],
                    "files": _project_files(spec["root"]),
                    "imported": recorder.report()["hits"] if recorder else [],
                },
            )
            known = {c.id: c for c in found}
            chosen = [known[id] for id in left if id in known] if left is not None else found
            stop = until_broken(set(order) - set(failing)) if is_try else None
            _run_cases(out, chosen, request, limits, recorder, stop)
            send(out, {"done": True})
            os._exit(0)

        said = load(spec, overlay, loaded)
        send(out, {"refused": said or "the session ended before it began"})
        os._exit(0)

    while left is None or left:
        before = len(answer.outcomes)
        ended = run_fork(child, answer, limits, spec["memory"], spec["log"])
        if answer.case is None or ended == "done":
            break
        answer.close_case(ended)
        if answer.collected is None or len(answer.outcomes) == before or is_try:
            break
        names = left if left is not None else [case[0] for case in answer.collected]
        done = {outcome["case"] for outcome in answer.outcomes}
        left = [id for id in names if id not in done]
        limits.tighten(answer.outcomes)
    return answer.message()


def _sources(request: Message) -> Dict[str, bytes]:
    return {path: text.encode("latin-1") for path, text in request["sources"].items()}


def _instrumenting(places: List[Tuple[int, str, int, int]]) -> Callable[[str, bytes], Any]:
    return lambda path, source: instrument(source, path, places)


class Warm:
    """The process that has the project imported."""

    def __init__(self, spec: Message, fd_in: int, fd_out: int) -> None:
        self.spec, self.fd_in, self.fd_out = spec, fd_in, fd_out
        self.overlay = Overlay()
        self.decoder = Decoder()
        self.known: Dict[str, Runnable] = {}
        self.originals: Dict[str, types.CodeType] = {}
        self.imported: Dict[str, bool] = {}

    def serve(self) -> None:
        """The first message only says that the time has come to load the project."""
        if receive(self.fd_in, self.decoder) is None:
            return
        quiet(self.spec["log"])
        said = load(self.spec, self.overlay, self._loaded)
        send(self.fd_out, {"refused": said or "the session ended"})

    def _loaded(self, found: List[Runnable], troubles: List[Trouble]) -> None:
        self.known = {case.id: case for case in found}
        self.live = LiveFunctions()
        gc.collect()
        gc.freeze()
        send(self.fd_out, {"ready": len(found)})
        while True:
            request = receive(self.fd_in, self.decoder)
            if request is None:
                os._exit(0)
            send(self.fd_out, self._try(request))

    def _try(self, request: Message) -> Message:
        sources = _sources(request)
        try:
            swaps = self._plan(sources)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
            return {"id": request["id"], "invalid": cases.one_line(error)}
        if swaps is None:
            return {"id": request["id"], "fresh": True}
        if not swaps and not self._scripts(sources):
            return {"id": request["id"], "same": True}
        limits = LimitsOf(request)
        failing, order = request["failing"], request["cases"]
        stages: List[Tuple[List[str], Stop]] = [
            (failing, until_hopeless(request["patience"])),
            (order, until_broken(set(order) - set(failing))),
        ]
        for names, stop in stages:
            answer = Answer(request["id"])

            def child(out: int, names: List[str] = names, stop: Stop = stop) -> None:
                self.overlay.sources = sources
                try:
                    for function, code in swaps or ():
                        function.__code__ = code
                except ValueError:
                    send(out, {"fresh": True})
                    os._exit(0)
                chosen = [self.known[name] for name in names if name in self.known]
                _run_cases(out, chosen, request, limits, None, stop)
                send(out, {"done": True})
                os._exit(0)

            ended = run_fork(child, answer, limits, self.spec["memory"], None)
            if answer.fresh:
                return {"id": request["id"], "fresh": True}
            answer.close_case(ended)
            if not any(outcome["status"] == "passed" for outcome in answer.outcomes):
                break
        return answer.message()

    def _scripts(self, sources: Dict[str, bytes]) -> bool:
        """Whether a patched file is run as a program, which reads it anew each time."""
        return bool(self.spec["io"]) and os.path.realpath(self.spec["target"]) in sources

    def _plan(self, sources: Dict[str, bytes]) -> Optional[List[Swap]]:
        swaps: List[Swap] = []
        for path, source in sources.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                new = compile(source, path, "exec", dont_inherit=True)
                if path not in self.originals:
                    self.originals[path] = Overlay().code(path)
            if path not in self.imported:
                self.imported[path] = bool(modules_of(path))
            if not self.imported[path]:
                if not self._scripts(sources) and not same_code(self.originals[path], new):
                    return None
                continue
            found = plan_swap(path, self.originals[path], new, self.live)
            if found is None:
                return None
            swaps += found
        return swaps


# ---------------------------------------------------------------------------- inside a fork


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


def _run_cases(
    out: int,
    chosen: Iterable[Runnable],
    request: Message,
    limits: LimitsOf,
    recorder: Optional[Recorder],
    stop: Optional[Stop] = None,
) -> None:
    order = list(chosen)
    detail = bool(request.get("detail"))
    with_values = set(request["trace"]["values"]) if recorder else set()
    for index, case in enumerate(order):
        send(out, {"begin": case.id})
        wall, processor = limits.of(case.id)
        if processor is not None:
            # Ends the process: nothing in it can catch what it does not handle.
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, processor)
        watchdog = None
        if recorder is not None:
            recorder.clear(case.id in with_values)
            watchdog = _watchdog(out, case.id, recorder, wall)
        started, used = time.monotonic(), time.process_time()
        result = case.run(detail, order[index + 1] if index + 1 < len(order) else None)
        seconds, processor_seconds = time.monotonic() - started, time.process_time() - used
        if watchdog is not None:
            watchdog.cancel()
        if processor is not None:
            signal.setitimer(signal.ITIMER_PROF, 0)
        message: Message = {
            "end": case.id,
            "status": result.status,
            "message": result.message,
            "detail": result.detail,
            "seconds": seconds,
            "processor": processor_seconds,
        }
        if recorder is not None:
            message["trace"] = recorder.report()
        send(out, message)
        if stop is not None and stop(case.id, result.status != "failed"):
            return


def _watchdog(out: int, case: str, recorder: Recorder, seconds: float) -> threading.Timer:
    """A case that never ends still hands over what it recorded."""

    def fire() -> None:
        message: Message = {"end": case, "status": "timeout", "message": "", "detail": ""}
        message.update({"seconds": seconds, "processor": seconds, "trace": recorder.report()})
        send(out, message)
        os._exit(0)

    timer = threading.Timer(seconds, fire)
    timer.daemon = True
    timer.start()
    return timer
