"""What is looked at, and what is decided: tests, a run visit by visit, a patch hunk by hunk."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mgdebug.errors import UsageError
from mgdebug.export import PAGE, exported
from mgdebug.linear import speaking, walking
from mgdebug.linear.commands import helped
from mgdebug.model import Subfunction
from mgdebug.session import Session
from mgdebug.session.editor import command as editor
from mgdebug.session.hunks import Decision, Hunks
from mgdebug.session.review import Review
from mgdebug.session.walk import Walk
from mgdebug.syntax.source import SourceFile

MOST_NAMED = 5  # cases that a word may mean, which are said


class Looking:
    """A method do_<name> for each command that is no step and runs nothing; each takes what stands
    behind the name, and raises MgdebugError for what it cannot do."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.walk: Walk | None = None
        self.place = 0
        self.review = Review(session.kept)
        self._files: Mapping[str, SourceFile] = {}  # as they were when the run was traced

    def say(self, words: str) -> None:
        """One line for the user."""
        raise NotImplementedError

    def say_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.say(line)

    # ---------------------------------------------------------------------------- in general

    def do_help(self, text: str) -> None:
        self.say_all(helped(text))

    def do_status(self, text: str) -> None:
        self.say_all(speaking.status(self.session))
        if self.walk is not None and self.walk.count:
            case = self.walk.trace.case
            self.say(f"visit {self.place + 1} of {self.walk.count} of {case} is looked at")

    def do_tests(self, text: str) -> None:
        self.say_all(speaking.tests(self.session.account, whole=text == "all"))

    def do_blocks(self, text: str) -> None:
        self.say_all(speaking.blocks(self.session.account))

    # ----------------------------------------------------------------------------------- runs

    def first_look(self) -> None:
        """The failing run that is read fastest."""
        account = self.session.account
        traced = {trace.case: trace for trace in account.traces if trace.visits}
        failing = [traced[case] for case in account.failing if case in traced]
        if failing:
            shortest = min(failing, key=lambda trace: len(trace.visits)).case
            walk = self._shown(shortest)
            self.say(f"looking at {shortest}, visit {self.place + 1} of {walk.count}")

    def _shown(self, case: str) -> Walk:
        walk = self.session.walk(case)
        if walk is None or not walk.count:
            raise UsageError(f"{case} was not traced")
        self.walk, self._files = walk, self.session.account.files
        self.place = walk.partings[0] if walk.partings else walk.count - 1
        return walk

    def do_show(self, text: str) -> None:
        case = self._case(text)
        self._shown(case)
        outcome = self.session.account.outcomes[case]
        message = f", {outcome.message}" if outcome.message and not outcome.status.ok else ""
        self.say(f"{case}: {outcome.status}{message}")
        self._say_visit(called=True)

    def _case(self, text: str) -> str:
        """The case of a number in the list of tests, or of a part of its name."""
        known = speaking.cases(self.session.account)
        if not text:
            raise UsageError("a test is wanted", "show and its number, as tests lists them")
        if text.isdecimal() and 0 < int(text) <= len(known):
            return known[int(text) - 1]
        found = [case for case in known if text == case] or [c for c in known if text in c]
        if not found:
            raise UsageError(f"there is no test {text}", "tests all lists them")
        if len(found) > 1:
            some = ", ".join(found[:MOST_NAMED])
            rest = len(found) - MOST_NAMED
            raise UsageError(f"{text} could be {some}" + f" and {rest} more" * (rest > 0))
        return found[0]

    def _looked_at(self) -> Walk:
        if self.walk is None or not self.walk.count:
            raise UsageError("no run is shown: choose a test that was traced", "show and a test")
        return self.walk

    def step(self, name: str) -> None:
        """One of the steps of a walk."""
        walk = self._looked_at()
        place, trouble = walk.step(name, self.place)
        if place is None:
            raise UsageError(trouble)
        came = walk.visit(place).frame != walk.visit(self.place).frame
        self.place = place
        self._say_visit(called=came)

    def _say_visit(self, *, called: bool) -> None:
        self.say(walking.visit(self._looked_at(), self.place, self._files, called=called))

    def do_values(self, text: str) -> None:
        self.say_all(walking.values(self._looked_at(), self.place))

    def do_watch(self, text: str) -> None:
        walk = self._looked_at()
        names = [text] if text else walk.names(self.place)[:1]
        if not names:
            raise UsageError("there are no variables here")
        self.say(walking.watched(walk, self.place, names[0]))

    def do_code(self, text: str) -> None:
        self.say_all(walking.code(self._looked_at(), self.place, self._files))

    def subfunction(self, expression: str) -> Subfunction:
        """The one whose name an expression begins with, if there is just one, else the one that is
        looked at, as the code is now.  Raises UsageError where that is none that can be called."""
        known = self.session.account.hierarchy.subfunctions
        walk, name = self.walk, expression.partition("(")[0]
        own = walk.subfunction(self.place) if walk is not None and walk.count else None
        named = [s for s in known.values() if s.qualname == name and s.kind.called]
        found = named[0] if len(named) == 1 else known.get(own.id) if own else None
        if found is None or not found.kind.called:
            raise UsageError("go to a visit of a function first", "show and a test, then into")
        return found

    # ---------------------------------------------------------------------------------- patch

    def do_patch(self, text: str) -> None:
        self.review.show(self.session.account)
        self.say_all(speaking.patch(self.review))

    def do_other(self, text: str) -> None:
        self.review.show(self.session.account)
        if not self.review.turn(1):
            raise UsageError("there is no other patch")
        self.say_all(speaking.patch(self.review))

    def hunks(self) -> Hunks:
        """Of the patch that is looked at.  Raises UsageError where there are none."""
        self.review.show(self.session.account)
        hunks = self.review.hunks
        if hunks is None:
            raise UsageError(self.review.trouble or "there is no patch")
        return hunks

    def do_take(self, text: str) -> None:
        self._decide(text, Decision.TAKEN)

    def do_reject(self, text: str) -> None:
        self._decide(text, Decision.REJECTED)

    def do_all(self, text: str) -> None:
        hunks = self.hunks()
        self._replace(hunks.decided(range(len(hunks.all)), Decision.TAKEN))

    def _decide(self, text: str, decision: Decision) -> None:
        hunks = self.hunks()
        which = _numbers(text, len(hunks.all))
        made = hunks.decided(which, decision)
        for at in hunks.together(which):
            self.say(f"hunk {at + 1} {made.all[at].word}")
        self._replace(made)

    def do_export(self, text: str) -> None:
        file = Path(text) if text else self.session.target.cwd / PAGE
        session, decisions = self.session, list(self.review.decisions())
        exported(file, session.account, session.target, decisions, session.deeds, session.stage)
        self.say(f"saved {file}")

    def _replace(self, hunks: Hunks) -> None:
        self.review.replace(hunks)
        self.session.decide(hunks)
        self.say(speaking.stands(self.review))

    def do_edit(self, text: str) -> None:
        hunks = self.hunks()
        at = _numbers(text, len(hunks.all))[0]
        made = hunks.edited(at, _written(hunks.text(at), Path(hunks.all[at].path).suffix))
        if made == hunks:
            self.say("nothing was changed")
            return
        self._replace(made)
        self.say_all(speaking.hunk(self.review, made, at))
        trouble = made.unparsed(made.all[at].path)
        if trouble:
            self.say(f"{trouble}; it can be applied all the same")


def _numbers(text: str, count: int) -> Sequence[int]:
    """The places of hunks that numbers stand for, from 0.  No number will do where there is one."""
    words = re.split(r"[\s,]+", text.strip()) if text.strip() else []
    if not words and count == 1:
        return [0]
    if not words:
        raise UsageError("a hunk is wanted", f"a number from 1 to {count}, as patch says them")
    for word in words:
        if not (word.isdecimal() and 0 < int(word) <= count):
            raise UsageError(f"there is no hunk {word}", f"a number from 1 to {count}")
    return [int(word) - 1 for word in words]


def _written(text: str, suffix: str) -> str:
    """What the user's editor makes of a text.  Raises UsageError where none starts."""
    with tempfile.TemporaryDirectory(prefix="mgdebug-") as folder:
        file = Path(folder) / f"hunk{suffix}"
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        words = editor(file, 1)
        typed = None if sys.stdin.isatty() else subprocess.DEVNULL  # what is typed is for us
        before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the editor
        try:
            subprocess.run(words, stdin=typed, check=False)
        except OSError as error:
            what = f"{words[0]} does not start: {error.strerror}"
            raise UsageError(what, "set $EDITOR") from None
        finally:
            signal.signal(signal.SIGINT, before)
        return file.read_bytes().decode("utf-8", "replace")
