"""One repair in a thread: events out, replies in, and two ways to end it early."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from mgdebug import judge, sources
from mgdebug.errors import MgdebugError, SourceError, UsageError
from mgdebug.events import (
    Accepted,
    Asked,
    Decomposed,
    Event,
    Finished,
    Reply,
    Sending,
    Traced,
)
from mgdebug.languages import language_of
from mgdebug.model import Hierarchy, Stop, Target
from mgdebug.proposers import named
from mgdebug.repair import repair
from mgdebug.session.journal import Journal
from mgdebug.session.walk import Walk, partings
from mgdebug.settings import Settings
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile
from mgdebug.tracing import Recording

WALKS_READY = 4  # of the first traces, made before somebody asks
CODE_FILES = 200  # that are shown at most where nothing fails


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and what was made of it beside the event loop.  files: that a hierarchy was made
    from; walks: by case, of the first traces."""

    event: Event
    files: dict[str, SourceFile] = field(default_factory=dict)
    walks: dict[str, Walk] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """The repair ended without its last event.  own: whether the fault is in mgdebug itself."""

    message: str
    hint: str = ""
    detail: str = ""
    own: bool = False


class Quit(Exception):
    """Nobody waits for this repair any more."""


class Drive:
    """Runs repair() for whoever calls `run` in a thread; all else may be called from elsewhere."""

    def __init__(
        self,
        target: Target,
        settings: Settings,
        python: str,
        tell: Callable[[Heard | Failed], None],
        *,
        searches: bool = True,
        journal: Journal | None = None,
    ) -> None:
        """tell: is told each event, in the thread, after the journal was.  searches: whether
        patches are looked for; else the cases are run and traced only."""
        self.target, self.settings, self.python = target, settings, python
        self.searches = searches
        self._tell, self._journal = tell, journal or Journal()
        self._replies: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        self._cancelled, self._quit = threading.Event(), threading.Event()
        self.over = threading.Event()
        self._told = Told(target)

    def run(self) -> None:
        """All of it; returns when no child is left."""
        try:
            engine = self.settings.engine
            proposers = named(engine, self.settings) if self.searches else []
            stream = repair(self.target, proposers, self.settings, self.python, self._enough)
            reply: Reply | None = None
            try:
                while True:
                    event = stream.send(reply)
                    self._enough()
                    if isinstance(event, Finished):
                        code = self._told.code(event) if self.searches else None
                        if code is not None:
                            self._say(code)
                        self._say(self._told.prepared(event))
                        return
                    self._say(self._told.prepared(event))
                    waits = isinstance(event, Asked | Sending)
                    reply = self._replies.get() if waits and not self._cancelled.is_set() else None
            finally:
                stream.close()
        except Quit:
            pass
        except MgdebugError as error:
            self._tell(Failed(error.message, error.hint, error.detail))
        except Exception as error:  # a fault of ours must not look like a search that found nothing
            self._tell(Failed(f"a fault in mgdebug itself: {error!r}", own=True))
        finally:
            self.over.set()

    def _say(self, heard: Heard) -> None:
        self._journal.files(heard.files)
        self._journal.event(heard.event)
        self._tell(heard)

    def reply(self, reply: Reply | None) -> None:
        """The answer to an Asked or a Sending; None leaves it open."""
        self._replies.put(reply)

    def cancel(self) -> None:
        """End with the best so far."""
        self._cancelled.set()
        self._replies.put(None)

    def quit(self) -> None:
        """End at once, with nothing."""
        self._quit.set()
        self.cancel()

    def _enough(self) -> bool:
        if self._quit.is_set():
            raise Quit
        return self._cancelled.is_set()


class Told:
    """What events are about that do not say it: files as they stood, runs to walk through."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._now: dict[str, SourceFile] = {}
        self._hierarchy: Hierarchy | None = None
        self._shown: dict[str, SourceFile] = {}
        self._traced = False

    def prepared(self, event: Event) -> Heard:
        """An event with what is slow to make of it."""
        if isinstance(event, Decomposed):
            self._read(event.hierarchy)
            if not self._traced:
                self._hierarchy, self._shown = event.hierarchy, dict(self._now)
                return Heard(event, files=self._shown)
        elif isinstance(event, Accepted):
            changed = {edit.path for edit in event.patch.edits}
            self._read_all(sorted(changed))
            if changed <= set(self._now):
                self._now |= judge.patched(self._now, event.patch)
        elif isinstance(event, Traced) and not self._traced and self._hierarchy is not None:
            self._traced = True
            recording = Recording({}, (), self._shown, self._hierarchy, event.traces)
            ordered = sorted(event.traces, key=lambda t: (t.status.ok, len(t.visits)))
            walks = {t.case: walked(recording, t.case) for t in ordered[:WALKS_READY]}
            return Heard(event, walks=walks)
        return Heard(event)

    def code(self, end: Finished) -> Heard | None:
        """The project's code, which no event tells where nothing fails: an example can be added to
        it.  None where that is not so."""
        if end.repair.stop is not Stop.CLEAN or self._hierarchy is not None:
            return None
        try:
            chosen = sources.choose(self.target.root, self.target.path)
        except UsageError:
            return None
        ours = chosen.paths if chosen.root == self.target.root else ()
        self._read_all([path for path in ours if _is_source(path)][:CODE_FILES])
        self._hierarchy, self._shown = decompose(self._now.values()), dict(self._now)
        return Heard(Decomposed(self._hierarchy), files=self._shown)

    def _read(self, hierarchy: Hierarchy) -> None:
        self._read_all(sorted({s.path for s in hierarchy.subfunctions.values()}))

    def _read_all(self, paths: Sequence[str]) -> None:
        for path in paths:
            language = language_of(path)
            if path in self._now or language is None:
                continue
            try:
                found = SourceFile.read(self.target.root, path, language.grammar())
            except SourceError:  # it went away meanwhile; what was traced is shown without it
                continue
            self._now[path] = found


def _is_source(path: str) -> bool:
    language = language_of(path)
    return language is not None and language.is_source(PurePosixPath(path))


def walked(recording: Recording, case: str) -> Walk:
    """A run to walk through, with the places where it parts from the nearest passing one."""
    trace = next(t for t in recording.traces if t.case == case)
    pair = recording.beside(trace)
    if pair is None:
        return Walk(trace, recording.hierarchy)
    places = partings(trace, pair.other)
    return Walk(trace, recording.hierarchy, partings=places, why=pair.why)
