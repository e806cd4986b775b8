"""Serve a runner: collect the cases once, then run them in forks, with or without a patch.

Two processes of one interpreter, both made by `main`:

- the *pristine* one has imported pytest, but nothing of the project, and never runs the user's
  code.  Each of its requests is a fork that imports the project through the overlay, collects,
  and runs cases.  Only there can a trace be taken, or a patch be tried that changes more than
  functions.  It ends the warm one when the runner is gone.
- the *warm* one has imported and collected the project.  Each of its requests is a fork
  that swaps the code of patched functions and runs cases: about a millisecond each.

A request is one message, its answer another one with the same "id".  See `answer.Answer`.
"""

import os
import signal
import sys
import warnings
from typing import Any, Dict, List, Optional

from . import pytest_session
from .answer import Answer, LimitsOf
from .cases import Runnable, Trouble
from .evaluate import evaluate
from .fork import Forks, Voice
from .frames import Decoder, Message, receive, send
from .judges import Judges
from .listing import Listing
from .overlay import Overlay
from .probes import Probes
from .project import files_of, load
from .reach import Reach
from .recorder import Recorder
from .running import run_cases, until_broken
from .snapshot import bound, mask
from .warm import Warm, sources_of

TRACED_CALLS = 50  # that the probes may need on top of the deepest recursion


def main(fds: List[int]) -> None:
    """fds: to read and to write for the pristine process, then for the warm one."""
    pristine_in, pristine_out, warm_in, warm_out = fds
    for fd in fds:
        os.set_inheritable(fd, False)
    forks = Forks(pristine_in, pristine_out)
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
        Warm(spec, warm_in, warm_out).serve()
        os._exit(0)
    forks.partner = pid
    forks.own.add(pid)
    os.close(warm_in)
    os.close(warm_out)
    judges = Judges(spec["expressions"], spec["io"], spec["doctest"])
    while True:
        request = receive(pristine_in, decoder)
        if request is None:
            forks.leave()
        if "compile" in request:
            complaints = [complaint(sources) for sources in request["compile"]]
            send(pristine_out, {"id": request["id"], "complaints": complaints})
            continue
        send(pristine_out, fresh(spec, request, forks, judges))


def complaint(sources: Dict[str, str]) -> Optional[int]:
    """The line of the first source that does not compile, None if all do."""
    for path, text in sources.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(text.encode("latin-1"), path, "exec", dont_inherit=True)
        except SyntaxError as error:
            return error.lineno or 0
        except (ValueError, RecursionError, MemoryError, OverflowError):
            return 0
    return None


def fresh(spec: Message, request: Message, forks: Forks, judges: Judges) -> Message:
    """Run cases in new forks that import the project anew: one fork, and after a case that ends its
    process another one for the cases behind it."""
    if "evaluate" in request:
        return evaluate(spec, request, forks)
    answer = Answer(request["id"], judges)
    left: Optional[List[str]] = request["cases"]
    limits = LimitsOf(request)
    is_try = "failing" in request
    order, failing = request["cases"] or [], request.get("failing", ())
    open(spec["log"], "wb").close()

    def child(voice: Voice) -> None:
        overlay = Overlay()
        overlay.sources = sources_of(request["sources"])
        recorder = None
        if request.get("trace"):
            asked = request["trace"]
            bound(*asked["bounds"])
            mask(asked["masked"])
            recorder = Recorder(owner for owner, _ in asked["blocks"])
            reads = [names for _, names in asked["blocks"]]
            for path, places in asked["places"].items():
                probes = Probes(recorder, [tuple(place) for place in places], reads)
                overlay.transforms[path] = probes.code
            sys.setrecursionlimit(sys.getrecursionlimit() + TRACED_CALLS)
        reach = Reach(spec["root"]) if request.get("reach") else None
        listing = Listing() if request.get("list") else None
        watching = reach or listing

        def loaded(found: List[Runnable], troubles: List[Trouble]) -> None:
            if listing is not None:
                listed = {"collected": [], "files": listing.files(found), "imported": []}
                voice.say({**listed, "troubles": [list(trouble) for trouble in troubles]})
                voice.close({"done": True, "files": []})
            voice.say(
                {
                    "collected": [[c.id, c.kind, c.path, c.source] for c in found],
                    "troubles": [list(trouble) for trouble in troubles],
                    "files": files_of(spec["root"]),
                    "imported": recorder.report()["hits"] if recorder else [],
                    "reach": reach.told() if reach else None,
                }
            )
            known: Dict[str, Any] = {c.id: c for c in found}
            chosen = [known[id] for id in left if id in known] if left is not None else found
            stop = until_broken(set(order) - set(failing)) if is_try else None
            run_cases(voice, chosen, request, limits, recorder, stop, reach)
            told = reach.told() if reach else None
            voice.close({"done": True, "files": files_of(spec["root"]), "reach": told})

        refused = load(spec, overlay, loaded, watching.plugins if watching else tuple)
        voice.close({"refused": refused or "the session ended early"})

    while left is None or left:
        before = len(answer.outcomes)
        ended = forks.run(child, answer, limits, spec["memory"], spec["log"])
        answer.close_case(ended)
        if ended == "done" or answer.collected is None or is_try:
            break
        if len(answer.outcomes) == before or limits.over:
            break
        names = left if left is not None else [case[0] for case in answer.collected]
        done = {outcome["case"] for outcome in answer.outcomes}
        left = [id for id in names if id not in done]
        limits.tighten(answer.outcomes)
    return answer.message()
