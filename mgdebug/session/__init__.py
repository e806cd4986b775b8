"""A debugging session, whatever face shows it: runs repair() again and again, and keeps what the
user decided between.  Knows no terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mgdebug import apply, learned
from mgdebug.decoding import decode
from mgdebug.errors import CLEAN, FAILURES, ApplyError, MgdebugError, UsageError
from mgdebug.events import Reply
from mgdebug.languages import language_of
from mgdebug.model import CaseKind, Edit, Patch, Subfunction, Target
from mgdebug.session.account import Account, Standing
from mgdebug.session.driving import Drive, Failed, Heard, walked
from mgdebug.session.examples import compiled
from mgdebug.session.hunks import Decision, Decisions, Hunks
from mgdebug.session.journal import Journal
from mgdebug.session.saved import Deed, Recorded, Shown
from mgdebug.session.stages import Stage
from mgdebug.session.walk import Walk
from mgdebug.settings import Settings
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile
from mgdebug.tracing import Recording

_WRITTEN = {"apply": "applied to", "undo": "restored", "redo": "applied again to"}

__all__ = ["Account", "Failed", "Heard", "Session", "Stage", "Standing", "Written"]


@dataclass(frozen=True, slots=True)
class Written:
    """What was applied: the files before and after, by path."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]


class Session:
    """tell: is told what a running repair says, in that repair's thread; whoever is told hands it
    to `hear` where the session is shown."""

    def __init__(
        self,
        target: Target,
        settings: Settings,
        python: str,
        tell: Callable[[Heard | Failed], None],
        journal: Journal | None = None,
    ) -> None:
        self.target, self.settings, self.python = target, settings, python
        self._tell, self.journal = tell, journal or Journal()
        self.account = Account()
        self.drive: Drive | None = None
        self.done: list[Written] = []  # applied, the last one last
        self.undone: list[Written] = []
        self.walks: dict[str, Walk] = {}
        self.deeds: list[str] = []  # what was written to files, in words
        self.kept: dict[tuple[Edit, ...], Decisions] = {}  # of the session that was taken up
        self._before: frozenset[str] = frozenset()  # cases that passed before something was applied
        self._after_apply = False
        self._whole: dict[str, bytes] = {}  # files as the last run saw them

    # ------------------------------------------------------------------------------- running

    def close(self) -> None:
        """The user leaves: what runs ends, and the journal says that all is well."""
        if self.drive is not None:
            self.drive.quit()
        self.journal.end()

    @property
    def busy(self) -> bool:
        """Whether a repair runs."""
        return self.drive is not None and not self.drive.over.is_set()

    @property
    def stage(self) -> Stage:
        stage = self.account.stage
        if not self._after_apply:
            return stage
        if stage.busy:
            return Stage.RETEST
        if stage is Stage.FAILING and self._before & set(self.account.failing):
            return Stage.REGRESSED
        return Stage.DONE if stage is Stage.ALL_PASS else stage

    @property
    def exit_code(self) -> int:
        """What the process ends with if it is left now."""
        return CLEAN if self.stage in (Stage.ALL_PASS, Stage.DONE) else FAILURES

    def search(self, target: Target | None = None) -> Drive:
        """Look for a patch from the start.  Whoever gets the drive has a thread run it."""
        self._after_apply = False
        self.kept.clear()
        return self._started(target or self.target, Account())

    def retest(self, cases: Sequence[str] | None = None) -> Drive:
        """Run cases again and trace them; None: all."""
        target = self.target if cases is None else self._narrowed(cases)
        known = {} if target is self.target else self.account.outcomes
        account = Account(searches=False, known=known)
        account.cases = dict(self.account.cases) if known else {}
        return self._started(target, account)

    def example(self, subfunction: Subfunction, expression: str) -> Drive:
        """Add an input/output example, such as "f(3) == 9", and solve that subfunction again.
        Raises UsageError for what is no expression."""
        compiled(expression)
        self.target = replace(self.target, answers=(*self.target.answers, expression))
        narrowed = replace(self.target, path=subfunction.path, qualname=subfunction.qualname)
        return self.search(narrowed)

    def reply(self, reply: Reply | None) -> None:
        """Answer what is asked."""
        if self.drive is not None:
            self.account.replied()
            self.drive.reply(reply)

    def hear(self, told: Heard | Failed) -> None:
        """Fold what a drive told."""
        if isinstance(told, Failed):
            self.account.failed(told.message)
            return
        if told.files:
            self.account.files = told.files
            self._whole |= {path: file.data for path, file in told.files.items()}
        self.walks |= told.walks
        self.account.hear(told.event)

    def walk(self, case: str) -> Walk | None:
        """A run to walk through; made now if it was not made yet.  None if it was not traced."""
        if case not in self.walks and any(t.case == case for t in self.account.traces):
            self.walks[case] = walked(self.recording(), case)
        return self.walks.get(case)

    def recording(self) -> Recording:
        """What the traced cases did."""
        return self.account.recording()

    def _started(self, target: Target, account: Account) -> Drive:
        if self.busy:
            raise UsageError("something runs already", "cancel it first")
        self.journal.deed(
            "run",
            searches=account.searches,
            partly=bool(account.known),
            again=self._after_apply,
        )
        if not account.searches:  # nobody is asked: the last replies are still to be read
            account.replies = self.account.replies
        self.account, self.walks = account, {}
        self.drive = Drive(
            target,
            self.settings,
            self.python,
            self._tell,
            searches=account.searches,
            journal=self.journal,
        )
        return self.drive

    def take_up(self, recorded: Recorded) -> None:
        """Stand where a journal ends, offline: what it tells is folded again."""
        for entry in recorded:
            if isinstance(entry, Shown):
                self.account.files = {**self.account.files, **entry.files}
                self._whole |= {path: file.data for path, file in entry.files.items()}
            elif not isinstance(entry, Deed):
                self.account.hear(entry)
            elif entry.name == "run":
                known = self.account.outcomes if entry.data.get("partly") else {}
                before, searches = self.account, bool(entry.data.get("searches", True))
                self.account = Account(searches, known, files=before.files)
                self.account.replies = [] if searches else before.replies
                self._after_apply = bool(entry.data.get("again"))
                self.walks = {}
            elif entry.name == "decide":
                self._decided(entry.data)
            elif entry.name in _WRITTEN:
                self._did(entry.name, entry.data.get("paths", ()))
        if self.account.stage.busy:
            self.account.interrupted()

    def _narrowed(self, cases: Iterable[str]) -> Target:
        """The target with these cases only, or as it is where not each can be named."""
        chosen = [self.account.cases.get(case) for case in cases]
        if not chosen or self.target.io is not None:
            return self.target
        tests = []
        for case in chosen:
            if case is None or case.kind not in (CaseKind.PYTEST, CaseKind.UNITTEST):
                return self.target
            path, _, rest = case.id.partition("::")
            place = os.path.relpath(self.target.root / path, self.target.cwd)
            tests.append(f"{place}::{rest}")
        return replace(self.target, tests=tuple(tests), expressions=(), answers=())

    # --------------------------------------------------------------------------------- files

    def apply(self, changes: Sequence[apply.Change], patch: Patch | None = None) -> tuple[str, ...]:
        """Write what was shown.  patch: what it is, where it is just what was offered, so that it
        is remembered.  Returns the paths.  Raises ApplyError, and then nothing was written."""
        if not changes:
            raise ApplyError("nothing is taken; nothing was written", "take a hunk first: space")
        root = self.target.root
        before = {c.path: (root / c.path).read_bytes() for c in changes if (root / c.path).exists()}
        written = apply.apply(root, changes)
        self.done.append(Written(before, {c.path: c.data for c in changes}))
        self.undone.clear()
        if patch is not None and self.settings.learn:
            learned.remember(root, self._files(before), patch)
        self._deed("apply", written)
        return written

    def undo(self) -> tuple[str, ...]:
        """Take back what was applied last.  Returns the paths.  Raises ApplyError."""
        written = apply.undo(self.target.root)
        if self.done:
            self.undone.append(self.done.pop())
        self._deed("undo", written)
        return written

    def redo(self) -> tuple[str, ...]:
        """Apply again what was undone last.  Returns the paths.  Raises ApplyError."""
        if not self.undone:
            raise ApplyError("there is nothing to redo")
        again = self.undone[-1]
        written = apply.apply(
            self.target.root,
            [
                apply.Change(path, apply.sha256(again.before[path]), data)
                for path, data in again.after.items()
            ],
        )
        self.done.append(self.undone.pop())
        self._deed("redo", written)
        return written

    def changed(self) -> tuple[str, ...]:
        """Paths of the files that are no longer as the last run saw them."""
        root = self.target.root
        return tuple(path for path, data in self._whole.items() if _bytes(root / path) != data)

    def reached(self, paths: Iterable[str]) -> list[str] | None:
        """The cases that what changed in some files may concern, by their traces; None: all."""
        parts: set[str] = set()
        for path in paths:
            language = language_of(path)
            old = self.account.files.get(path)
            if language is None or old is None:
                return None
            try:
                new = SourceFile.read(self.target.root, path, language.grammar())
            except MgdebugError:
                return None
            before, after = _texts(old), _texts(new)
            parts |= {name for name in before if before[name] != after.get(name)}
            module = any("::" not in name or name.endswith("<module>") for name in parts)
            if module or set(after) - set(before):
                return None
        traced = {t.case: t for t in self.account.traces}
        return [
            case
            for case in self.account.outcomes
            if case not in traced
            or not self.account.outcomes[case].status.ok
            or any(block.rpartition("#")[0] in parts for block in traced[case].hits)
        ]

    def decide(self, hunks: Hunks) -> None:
        """Write down what was decided on a patch."""
        told = [
            (decision, edited and [line.decode("latin-1") for line in edited])
            for decision, edited in hunks.decisions()
        ]
        self.journal.deed("decide", edits=hunks.patch.edits, hunks=told)

    def _decided(self, data: Mapping[str, Any]) -> None:
        """What `decide` wrote."""
        edits = decode(tuple[Edit, ...], data["edits"])
        self.kept[edits] = tuple(
            (Decision(one), None if lines is None else tuple(x.encode("latin-1") for x in lines))
            for one, lines in data["hunks"]
        )

    def _deed(self, name: str, written: Sequence[str]) -> None:
        self.journal.deed(name, paths=list(written))
        self._did(name, written)

    def _did(self, name: str, paths: Sequence[str]) -> None:
        self.deeds.append(f"{_WRITTEN[name]} {', '.join(paths)}")
        failing = set(self.account.failing)
        self._before = frozenset(c for c in self.account.outcomes if c not in failing)
        self._after_apply = True

    def _files(self, data: Mapping[str, bytes]) -> dict[str, SourceFile]:
        found = {}
        for path, bytes_ in data.items():
            language = language_of(path)
            if language is not None:
                found[path] = SourceFile(path, bytes_, language.grammar())
        return found


def _texts(source: SourceFile) -> dict[str, str]:
    """The text of each subfunction, without what is written inside it as others."""
    known = decompose([source]).subfunctions
    found = {}
    for name, subfunction in known.items():
        span = subfunction.whole if subfunction.whole.end else subfunction.span
        inner = sorted((known[c].span for c in subfunction.children), key=lambda s: s.start)
        text, at = [], span.start
        for child in inner:
            text.append(source.slice(at, child.start))
            at = child.end
        text.append(source.slice(at, span.end))
        found[name] = "".join(text)
    return found


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
