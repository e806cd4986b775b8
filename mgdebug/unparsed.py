"""Files that do not parse, mended before anything can be traced.

The error is a suspect of its own.  What the proposers offer for it is tried by collecting the
suite anew with the patched text; where that goes well, the whole suite runs.  Only strict progress
is kept: the complaint is gone or stands further down, and no case that passed fails.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from mgdebug import judge
from mgdebug.errors import NoCasesError, ProbeError, SourceError, UsageError
from mgdebug.events import Accepted, Decomposed, Event, Judged, Proposed, Ranked, Warned
from mgdebug.languages import Language, language_of
from mgdebug.model import (
    Block,
    BlockKind,
    Hierarchy,
    Patch,
    Subfunction,
    SubfunctionKind,
    Suspect,
    Target,
    Verdict,
)
from mgdebug.proposers import Brief, Proposer
from mgdebug.runner import Run, Runner
from mgdebug.sources import named
from mgdebug.syntax.drafts import ERROR
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

STEPS, TRIED, RUN_WHOLE, PLAUSIBLE = 12, 160, 8, 4  # errors; offers for one; of them run; wanted
LIKELIER = 1.0  # bits: how much less likely offers are still looked at behind one that helps
SHOWN_ERRORS = 5  # places of one file that do not parse
NEAR = 2  # lines between an error and the complaint of it
TIME_SHARE = 0.5  # of the whole time


def complaints(target: Target, text: str) -> list[str]:
    """Files of the project that do not parse, as tracebacks tell."""
    found: dict[str, None] = {}
    for end, path, language in _files_in(target, text):
        try:
            words = language.vocabulary().spelling.complaints
        except UsageError:  # a language that is only shown
            continue
        behind = text[end : end + 600].split("File ", 1)[0]
        if any(word in behind for word in words):
            found[path] = None
    return list(found)


def unparsed(target: Target, text: str) -> Iterator[Warned]:
    """Where the files that a traceback names do not parse, as far as the grammar sees it."""
    for path, language in dict.fromkeys((p, la) for _, p, la in _files_in(target, text)):
        source = SourceFile.read(target.root, path, language.grammar())
        for line, column, what in source.errors[:SHOWN_ERRORS]:
            yield Warned(f"{path}:{line}:{column}: does not parse: {what}")


def _files_in(target: Target, text: str) -> Iterator[tuple[int, str, Language]]:
    """Files of the project that a text names: where the name ends, the path, the language."""
    for match in re.finditer(r"[\w./ -]+\.\w+", text):
        path = (target.cwd / match.group().strip()).resolve()
        language = language_of(PurePosixPath(path))
        if language is not None and path.is_relative_to(target.root) and path.is_file():
            yield match.end(), path.relative_to(target.root).as_posix(), language


def check_expressions(run: Run) -> None:
    """Raises UsageError for an ad-hoc case that does not parse."""
    for where, detail in run.troubles:
        if where == "--case":
            hint = "write it as in 'f(3) == 9'"
            raise UsageError(f"--case cannot be read: {detail}", hint)


def told(run: Run | None) -> str:
    """All that a run says of what went wrong, cases included."""
    if run is None:
        return ""
    return "\n".join([*(d for _, d in run.troubles), *(o.detail for o in run.outcomes[:200])])


@dataclass
class Mending:
    """The mending of one repair.  disk, now: the files as they were and are; steps: the patches
    that led there; run: of the suite as it is now, None if it could not be started; plausible:
    patches on `now` with which all cases pass; tried: offers that were compiled or run."""

    target: Target
    proposers: Sequence[Proposer]
    runner: Runner
    seconds: float
    seed: int
    run: Run | None = None
    disk: dict[str, SourceFile] = field(default_factory=dict)
    now: dict[str, SourceFile] = field(default_factory=dict)
    steps: list[Patch] = field(default_factory=list)
    plausible: list[Patch] = field(default_factory=list)
    tried: int = 0
    before: Verdict | None = None  # of the suite without any of it, if something was tried

    @property
    def changed(self) -> dict[str, SourceFile]:
        """The files, as they were, that the steps or the plausible patches change."""
        paths = {e.path for patch in (*self.steps, *self.plausible) for e in patch.edits}
        return {path: self.disk[path] for path in paths}

    @property
    def sources(self) -> dict[str, bytes]:
        return {p: f.data for p, f in self.now.items() if f.data != self.disk[p].data}

    def take(self, steps: Sequence[Patch]) -> None:
        """Begin with patches of the disk taken as made, all together.  Raises SourceError for a
        lost file, ValueError where two of them want one place."""
        if not steps:
            return
        edits = tuple(dict.fromkeys(edit for step in steps for edit in step.edits))
        self.disk |= {e.path: named(self.target.root, e.path) for e in edits}
        self.now = {**self.disk, **judge.patched(self.disk, replace(steps[0], edits=edits))}
        self.steps = list(steps)
        self.runner.rest_on(self.disk, self.sources)

    def first_run(self) -> Generator[Event, None, Run]:
        """The suite as it is, or, where files do not parse, with what mends them.

        Raises UsageError or ProbeError if it cannot be started all the same.
        """
        self.take(self.target.steps)
        try:
            run = self.run = self.runner.run(self.sources)
        except (UsageError, ProbeError) as error:
            yield from self._events(f"{error.message}\n{error.detail}")
            if self.run is None:
                raise
        else:
            check_expressions(run)
            yield from self._events(told(run))
            if self.tried:
                passed, failed = _verdict(run).passed, _verdict(run).failed
                self.before = Verdict(passed, (*failed, *(where for where, _ in run.troubles)))
        if self.changed:
            self.runner.rest_on(self.disk, self.sources)
        return self.run

    def _events(self, said: str) -> Iterator[Event]:
        """Mend one error after another.  said: what the first run complained of."""
        until = time.monotonic() + self.seconds * TIME_SHARE
        for _ in range(STEPS):
            steps = len(self.steps)
            for path in self._places(said):
                (line,) = self.runner.complaints([{path: self.now[path].data}])
                if line is not None:
                    yield from self._mend(path, line, until)
            if self.plausible or steps == len(self.steps):
                return
            said += told(self.run)

    def _places(self, said: str) -> list[str]:
        """Files that may be changed and that somebody complained of."""
        found = complaints(self.target, said)
        if self.target.path:
            found = [self.target.path]
        return [path for path in found if self._may_change(path)]

    def _may_change(self, path: str) -> bool:
        language = language_of(path)
        if language is None or "site-packages" in path.split("/"):
            return False
        if self.target.within and path not in self.target.within:
            return False
        if path not in self.now:
            try:
                source = SourceFile.read(self.target.root, path, language.grammar())
            except SourceError:
                return False
            self.disk[path] = self.now[path] = source
        return path == self.target.path or language.is_source(PurePosixPath(path))

    def _mend(self, path: str, line: int, until: float) -> Iterator[Event]:
        """One error: the one in the line that the interpreter complains of."""
        source = self.now[path]
        hierarchy, error = _the_error(source, line)
        suspect = Suspect(error.id, error.blocks[0].id, 1.0, _why(source, error))
        yield Decomposed(hierarchy)
        yield Ranked((suspect,))
        good: list[tuple[Patch, Run]] = []
        further: list[Patch] = []
        for patches in self._offers(self._brief(source, hierarchy, error, suspect)):
            yield Proposed(error.id, len(patches), self.tried, len(good))
            after = [judge.patched(self.now, patch)[path] for patch in patches]
            texts = [{path: file.data} for file in after]
            lines = self.runner.complaints(texts)
            self.tried += len(patches)
            for patch, text, file, at in zip(patches, texts, after, lines, strict=True):
                if at is not None:
                    fewer = len(file.errors) < len(source.errors)
                    further += [patch] if at > line or fewer else []
                elif at is None and not self._enough(good, patch):
                    run = self._whole({**self.sources, **text})
                    if run is not None:
                        good.append((patch, run))
                        yield Judged(patch, _verdict(run), self._all_pass(run))
            done = bool(good) or (bool(further) and patches[-1].cost > further[0].cost + LIKELIER)
            if done or time.monotonic() > until:
                break
        self.plausible = [patch for patch, run in good if self._all_pass(run)]
        if self.plausible:
            self.run = next(run for patch, run in good if patch is self.plausible[0])
            return
        if good:
            best, self.run = max(good, key=lambda pair: (_passed(pair[1]), -pair[0].cost))
        elif further:
            best = min(further, key=lambda patch: patch.cost)
        else:
            return
        self.now |= judge.patched(self.now, best)
        self.steps.append(best)
        yield Accepted(best, _verdict(self.run))

    def _brief(
        self, source: SourceFile, hierarchy: Hierarchy, error: Subfunction, suspect: Suspect
    ) -> Brief:
        language = language_of(source.path)
        assert language is not None
        return Brief(source, language, hierarchy, error, (suspect,), (), seed=self.seed)

    def _offers(self, brief: Brief) -> Iterator[Sequence[Patch]]:
        """Batches of offers; whoever makes them hears nothing of what becomes of them."""
        given = 0
        for proposer in self.proposers:
            talk = proposer.propose(brief)
            batch = next(talk, None)
            while batch and given < TRIED:
                given += len(batch)
                yield batch
                try:
                    batch = talk.send([Verdict((), (), "not run")] * len(batch))
                except StopIteration:
                    batch = None
            talk.close()

    def _all_pass(self, run: Run) -> bool:
        """Whether all that can be collected passes, and the mended files are part of it."""
        verdict = _verdict(run)
        known = {where for where, _ in self.run.troubles} if self.run else set()
        left = all(
            where in known and not {*self.now}.intersection(complaints(self.target, detail))
            for where, detail in run.troubles
        )
        return bool(verdict.passed) and not verdict.failed and left

    def _enough(self, good: Sequence[tuple[Patch, Run]], patch: Patch) -> bool:
        passing = [p for p, run in good if self._all_pass(run)]
        far = bool(passing) and patch.cost > passing[0].cost + LIKELIER
        return len(good) >= RUN_WHOLE or len(passing) >= PLAUSIBLE or far

    def _whole(self, sources: dict[str, bytes]) -> Run | None:
        """The whole suite, unless something is lost that passed before."""
        try:
            run = self.runner.run(sources)
        except (UsageError, ProbeError, NoCasesError):
            return None
        lost = {*_verdict(self.run).passed} - {*_verdict(run).passed}
        return None if lost else run


def _verdict(run: Run | None) -> Verdict:
    outcomes = run.outcomes if run else ()
    passed = tuple(o.case for o in outcomes if o.status.ok)
    return Verdict(passed, tuple(o.case for o in outcomes if not o.status.ok))


def _passed(run: Run) -> int:
    return len(_verdict(run).passed)


def _why(source: SourceFile, error: Subfunction) -> str:
    span = error.span
    inside = [e for e in source.errors if span.first_line <= e[0] <= span.last_line]
    text = inside[0][2] if inside else source.line_text(span.first_line).strip()[:40]
    return f"does not parse: {text}"


def _the_error(source: SourceFile, line: int) -> tuple[Hierarchy, Subfunction]:
    """The hierarchy of a file, and the error in it that a complaint of a line is about.  Where the
    grammar sees none near it, the line itself is the error."""
    found = decompose([source])
    line = max(1, min(line, source.line_of(len(source.text))))

    def away(error: Subfunction) -> int:
        return max(error.span.first_line - line, line - error.span.last_line, 0)

    errors = [s for s in found.subfunctions.values() if s.kind is SubfunctionKind.ERROR]
    nearest = min(errors, key=away, default=None)
    if nearest is not None and away(nearest) <= NEAR:
        return found, nearest
    span = source.stretch(*source.line_bounds(line))
    name = f"{source.path}::{ERROR}@{line}"
    block = Block(f"{name}#0", BlockKind.ERROR, span)
    error = Subfunction(
        name, source.path, ERROR, ERROR, SubfunctionKind.ERROR, span, blocks=(block,), whole=span
    )
    return replace(found, subfunctions={**found.subfunctions, name: error}), error
