"""What all formats tell of a run: each case that is red, and the place to look at."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from mgdebug import sources
from mgdebug.errors import MgdebugError
from mgdebug.model import Alternative, Block, Outcome, Patch, Status, Target, Trace
from mgdebug.session.account import Account
from mgdebug.session.raised import raised_at
from mgdebug.states import printable
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile
from mgdebug.words import farewell, gains, reach

SUSPECTS = 3  # of one case
PARTED = 20  # cases whose run is put beside a passing one
COLLECTED = " could not be collected"  # as the warning of a repair says it


class Kind(StrEnum):
    """In the order in which they are told."""

    FAILING = "failing-test"
    UNCOLLECTED = "uncollected"
    FLAKY = "flaky-test"  # it passed when it was run again


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a file, 1 is the first.  column, end: of the first character and behind the last,
    1 is the first, in code points; 0 for whole lines.  A path of "" is the project."""

    path: str
    line: int = 1
    last: int = 0
    column: int = 0
    end: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that is red.

    place: what to look at: the patch, else the likeliest suspect, else where it failed.  failed:
    where its traceback leads to, else the case itself.  parted: the block where its run parts from
    a passing one's, and why, in words.  suspects: of the blocks that it reaches, the likeliest
    first: a place and what is said of it.  mended: whether it passes with the patch.
    """

    kind: Kind
    outcome: Outcome
    place: Place
    failed: Place | None = None
    parted: Place | None = None
    why: str = ""
    suspects: tuple[tuple[Place, str], ...] = ()
    mended: bool = False

    @property
    def said(self) -> str:
        """How it ended, on one line."""
        what = {Kind.FLAKY: "is flaky", Kind.UNCOLLECTED: COLLECTED.strip()}
        head = f"{self.outcome.case} {what.get(self.kind, str(self.outcome.status))}"
        return printable(f"{head}: {self.outcome.message}" if self.outcome.message else head)


@dataclass(frozen=True)
class Report:
    """A run of `fix` that is over.

    before: the files that the patch changes, as it was made for them; without one that is no longer
    so.  code: what the process ends with.  trouble, hint: why it ended before its end, "" if it did
    not.  applied: the files that were written.
    """

    target: Target
    account: Account
    code: int
    before: Mapping[str, SourceFile] = field(default_factory=dict)
    applied: tuple[str, ...] = ()
    trouble: str = ""
    hint: str = ""

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is red: failing cases first, then what could not be collected, then flaky ones."""
        account, done = self.account, self.account.repair
        mended = set(done.after.passed) if done is not None and done.best and done.after else set()
        found = [
            self._finding(Kind.FAILING, account.outcomes[case], place < PARTED, case in mended)
            for place, case in enumerate(account.failing)
        ]
        details = {warned.message: warned.detail for warned in account.warnings}
        for name in done.uncollected if done is not None else ():
            detail = details.get(name + COLLECTED, "")
            last = next((x for x in reversed(detail.splitlines()) if x.strip()), "")
            said = last.removeprefix("E ").strip()
            outcome = Outcome(name, Status.NOT_RUN, message=said, detail=detail)
            found.append(self._finding(Kind.UNCOLLECTED, outcome))
        for case in sorted(account.flaky & set(account.outcomes)):
            found.append(self._finding(Kind.FLAKY, account.outcomes[case]))
        return tuple(found)

    @property
    def best(self) -> Alternative | None:
        """The patch with which all cases pass."""
        return self.account.repair.best if self.account.repair is not None else None

    @property
    def fixes(self) -> Mapping[str, list[tuple[Place, str]]]:
        """What the patch replaces, by file, in order; {} without one that may be taken unread, and
        where it is taken already."""
        if self.best is None or self.best.flags or self.applied:
            return {}
        edits = sorted(self.best.patches[0].edits, key=lambda e: (e.path, e.start))
        if not {edit.path for edit in edits} <= self.before.keys():
            return {}
        found: dict[str, list[tuple[Place, str]]] = {}
        for edit in edits:
            place = stretch(self.before[edit.path], edit.start, edit.end)
            found.setdefault(edit.path, []).append((place, edit.text))
        return found

    @property
    def stands(self) -> tuple[str, str]:
        """How it ended, and the next step, both on one line."""
        done, best = self.account.repair, self.best
        if self.trouble or done is None:
            said, hint = self.trouble or str(self.account.stage), self.hint
        elif best is None:
            said, hint = farewell(done)
            if done.partial is not None:
                said += f"; best so far: {done.partial.patch.note}: {gains(done.partial)}"
        elif self.applied:
            said, hint = f"applied to {', '.join(self.applied)}", "`mgdebug undo` takes it back"
        else:
            said, hint = f"{reach(done)}; it was not applied", self.command
        return printable(said), printable(hint)

    @property
    def command(self) -> str:
        """What applies the patch, typed in the project's folder."""
        target, words = self.target, ["mgdebug", "fix", "--apply"]
        if target.path:
            words.append(f"{target.path}::{target.qualname}" if target.qualname else target.path)
        if self.account.repair is not None and self.account.repair.groups:
            words.append("--all")
        words += [word for test in target.tests for word in ("--tests", test)]
        words += [word for one in target.expressions for word in ("--case", one)]
        words += ["--io", str(target.io)] if target.io is not None else []
        return shlex.join(words)

    @property
    def folder(self) -> str:
        """The project's folder in the repository that it is checked out of, "" for the same."""
        root = self.target.root
        found = next((at for at in (root, *root.parents) if (at / ".git").exists()), root)
        return "" if found == root else root.relative_to(found).as_posix()

    def path(self, place: Place) -> str:
        """Of a place in the repository."""
        return "/".join(filter(None, (self.folder, place.path))) or "."

    # ------------------------------------------------------------------------------ a finding

    def _finding(
        self, kind: Kind, outcome: Outcome, parts: bool = False, mended: bool = False
    ) -> Finding:
        trace = self._traces.get(outcome.case) if kind is Kind.FAILING else None
        suspects = tuple(self._suspects(trace)) if trace is not None else ()
        failed = self._failed(outcome)
        parted, why = self._parted(trace) if trace is not None and parts else (None, "")
        place = self._patched(trace) if mended else None
        if place is None and suspects:
            place = suspects[0][0]
        return Finding(
            kind, outcome, place or failed or Place(""), failed, parted, why, suspects, mended
        )

    @cached_property
    def _traces(self) -> Mapping[str, Trace]:
        return {trace.case: trace for trace in self.account.traces}

    @cached_property
    def _changed(self) -> list[tuple[Place, frozenset[str]]]:
        """The places of the patch, each with the blocks that it stands in."""
        if self.best is None:
            return []
        found = []
        known = self.account.hierarchy.subfunctions.values()
        for edit in self.best.patches[0].edits:
            source = self.before.get(edit.path)
            if source is not None:
                span = source.stretch(edit.start, edit.end)
                around = {
                    block.id
                    for one in known
                    if one.path == edit.path
                    for block in one.blocks
                    if block.span.first_line <= span.first_line <= block.span.last_line
                }
                place = Place(edit.path, span.first_line, max(span.first_line, span.last_line))
                found.append((place, frozenset(around)))
        return found

    def _patched(self, trace: Trace | None) -> Place | None:
        """Where the patch changes what a case runs, else where it changes something first."""
        hits = trace.hits if trace is not None else {}
        reached = [place for place, blocks in self._changed if not blocks.isdisjoint(hits)]
        return next(iter([*reached, *(place for place, _ in self._changed)]), None)

    def _suspects(self, trace: Trace) -> Iterator[tuple[Place, str]]:
        told: set[str] = set()
        for suspect in self.account.suspects:
            block = self.account.hierarchy.block(suspect.block)
            if block is None or suspect.block not in trace.hits or suspect.subfunction in told:
                continue
            told.add(suspect.subfunction)
            owner = self.account.hierarchy.subfunctions[suspect.subfunction]
            said = f"{owner.qualname}, line {block.span.first_line}: suspicion {suspect.score:.2f}"
            yield self._block(owner.path, block), printable(f"{said}; {suspect.why}")
            if len(told) == SUSPECTS:
                return

    def _parted(self, trace: Trace) -> tuple[Place | None, str]:
        """Where a run parts from the nearest passing one: the last visit that both made."""
        pair = self.account.recording().beside(trace) if trace.visits else None
        if pair is None or pair.parting is None:
            return None, ""
        last = pair.parting.last
        at = last[0] if last is not None else pair.parting.one
        name = trace.visits[at].block if at is not None else ""
        block = self.account.hierarchy.block(name)
        why = printable(f"it parts from {pair.other.case} {pair.why}")
        return (self._block(name.partition("::")[0], block) if block else None), why

    def _block(self, path: str, block: Block) -> Place:
        source = self.account.files.get(path)
        if source is None:
            return Place(path, block.span.first_line, block.span.last_line)
        return stretch(source, block.span.start, block.span.end)

    def _failed(self, outcome: Outcome) -> Place | None:
        """Where a traceback leads to, else where the case is written."""
        raised = raised_at(self.target, outcome.detail)
        if raised is not None:
            return Place(raised[0].path, raised[1])
        case = self.account.cases.get(outcome.case)
        path = case.path if case is not None else outcome.case.partition("::")[0]
        if not path or (path not in self._written and not (self.target.root / path).is_file()):
            return Place(self.target.path) if self.target.path else None
        name = outcome.case.partition("::")[2].partition("[")[0].replace("::", ".")
        return Place(path, self._lines(path).get(name, 1))

    @cached_property
    def _written(self) -> dict[str, Mapping[str, int]]:
        """Lines of the definitions in files of cases, by qualname, as far as they were asked."""
        return {}

    def _lines(self, path: str) -> Mapping[str, int]:
        if path not in self._written:
            source = sources.follow(self.target.root, path)
            known = decompose([source]).subfunctions.values() if source is not None else ()
            self._written[path] = {one.qualname: one.span.first_line for one in known}
        return self._written[path]


def bases(target: Target, patch: Patch, base: Mapping[str, str]) -> dict[str, SourceFile]:
    """The files that a patch changes, without those that are no longer as it was made for them.

    base: the sha256 of each."""
    found = {}
    for path in sorted({edit.path for edit in patch.edits}):
        try:
            source = sources.named(target.root, path)
            source.splice(patch.edits)
        except (MgdebugError, ValueError):
            continue
        if source.sha256 == base.get(path):
            found[path] = source
    return found


def stretch(source: SourceFile, start: int, end: int) -> Place:
    """Bytes of a file's text as lines and columns."""

    def column(line: int, byte: int) -> int:
        return len(source.slice(source.line_bounds(line)[0], byte)) + 1

    line, last = source.line_of(start), source.line_of(end)
    return Place(source.path, line, last, column(line, start), column(last, end))


def spelled(text: str) -> str:
    """A text with its lines and tabs, and with all else that is not printed spelled out, so that
    every format can hold it."""
    lines = (line.removesuffix("\r").split("\t") for line in text.split("\n"))
    return "\n".join("\t".join(map(printable, parts)) for parts in lines)
