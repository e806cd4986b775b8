"""The section that the pytest plugin puts beneath the failures, made in a process of its own.

`python -P -m mgdebug.section`: a Wish as JSON on standard input, lines of text on standard output
as soon as they are known.  Only prints; the patch goes to the folder that the wish names, and no
file of the user is changed.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path

from mgdebug import settings as setting
from mgdebug.cli.asked import heeds_signals
from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.terminal import harmless
from mgdebug.decoding import decode
from mgdebug.divergence import CODE_CHARACTERS
from mgdebug.errors import CLEAN, MgdebugError
from mgdebug.events import Collected, Decomposed, Event, Finished, Ranked, Traced, Warned
from mgdebug.model import Hierarchy, Outcome, Repair, Status, Stop, Suspect, Target, Trace, Value
from mgdebug.narrate import FLAGGED, flagged, others
from mgdebug.proposers import named
from mgdebug.repair import repair
from mgdebug.session.driving import Told
from mgdebug.settings import Settings
from mgdebug.states import printable, shown, telling
from mgdebug.syntax.source import SourceFile
from mgdebug.tracing import Pair, Recording
from mgdebug.words import diff_text, explanation, farewell, gains, passes

TOLD = 8  # failing tests that are told one by one: of more no values are kept
NAMES, VALUE_CHARACTERS = 6, 40  # variables of one place, and of the text of each
NAMED = 4  # files or tests, in a command
LONGEST, TIMES = 60.0, 3.0  # seconds of a search on, and times this one; the larger of both
NARROWEST = 40


@dataclass(frozen=True, slots=True)
class Wish:
    """What the plugin asks for.

    rootdir: of pytest, which node ids are relative to; cwd: where pytest was started; options: of
    pytest that decide what node ids stand for.  tests: node ids of all that are run; failing: of
    those that failed; unseen: how many others pytest ran.  folder: for the patch, None for none.
    """

    rootdir: Path
    cwd: Path
    options: tuple[str, ...]
    tests: tuple[str, ...]
    failing: tuple[str, ...]
    unseen: int
    seconds: float
    width: int
    folder: Path | None = None

    def place(self, node: str) -> str:
        """A node id as an argument where pytest was started."""
        path, mark, name = node.partition("::")
        return os.path.relpath(self.rootdir / path, self.cwd) + mark + name


@ends_cleanly
def main() -> int:
    """Everything, and the exit code."""
    heeds_signals()
    wish = decode(Wish, json.load(sys.stdin))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    root = setting.find_root(wish.rootdir)
    flags = {"time": wish.seconds, "python": sys.executable, "engine": "search"}
    chosen = setting.load(root, os.environ, flags)
    places = [wish.place(node) for node in wish.tests]
    files = list(dict.fromkeys(place.partition("::")[0] for place in places))
    for tests in (places, files):
        section = _Section(wish, Target(root, wish.cwd, tests=(*wish.options, *tests)))
        try:
            section.run(chosen)
        except MgdebugError:
            if tests is files or section.outcomes:
                raise
        else:
            break
    return CLEAN


@dataclass
class _Section:
    wish: Wish
    target: Target
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    hierarchy: Hierarchy = field(default_factory=lambda: Hierarchy({}, ()))
    files: dict[str, SourceFile] = field(default_factory=dict)
    flaky: tuple[str, ...] = ()
    traces: tuple[Trace, ...] = ()
    told: bool = False

    def __post_init__(self) -> None:
        self._sources = Told(self.target)

    def run(self, settings: Settings) -> None:
        """Raises MgdebugError, at once if pytest does not find a test by its node id."""
        proposers = named(settings.engine, settings)
        stream = repair(self.target, proposers, settings, sys.executable)
        try:
            for event in stream:
                for line in self.hear(event):
                    print(harmless(line), flush=True)
        finally:
            stream.close()

    def hear(self, event: Event) -> Iterator[str]:
        """The lines that an event makes."""
        if isinstance(event, Warned):
            yield from self._wrapped(f"warning: {event.message}")
        elif isinstance(event, Collected):
            self.outcomes = {outcome.case: outcome for outcome in event.outcomes}
            self.flaky = event.flaky
        elif isinstance(event, Decomposed) and not self.files:
            self.hierarchy, self.files = event.hierarchy, self._sources.prepared(event).files
        elif isinstance(event, Traced) and not self.traces:
            self.traces = event.traces
        elif isinstance(event, Ranked) and not self.told:
            self.told = True
            yield from self._tests(event.suspects)
        elif isinstance(event, Finished):
            if not self.told:
                yield from self._tests(())
            yield from self._end(event.repair)

    # ------------------------------------------------------------------------ the failing tests

    def _tests(self, suspects: Sequence[Suspect]) -> Iterator[str]:
        recording = Recording(self.outcomes, (), self.files, self.hierarchy, self.traces)
        traces = {trace.case: trace for trace in self.traces}
        for node in self.wish.failing[:TOLD]:
            yield printable(node)
            outcome, trace = self.outcomes.get(node), traces.get(node)
            if outcome is None:
                yield from self._wrapped("is not there when mgdebug collects the tests", 2)
            elif outcome.status is Status.SKIPPED:
                yield from self._wrapped("is skipped when mgdebug runs it", 2)
            elif outcome.status.ok or node in self.flaky:
                yield from self._wrapped("passes when mgdebug runs it", 2)
            elif trace is None:
                yield from self._wrapped("was not traced", 2)
            else:
                pair = recording.beside(trace) if trace.visits else None
                yield from self._parting(trace, pair)
                yield from self._suspect(trace, suspects)
        rest = len(self.wish.failing) - TOLD
        if rest > 0:
            yield f"... and {rest} more"

    def _parting(self, trace: Trace, pair: Pair | None) -> Iterator[str]:
        """Where a run parts from a passing one, or else where it ends, and the values there."""
        parting = pair.parting if pair is not None else None
        last = parting.last if parting is not None else None
        here = trace.visits[last[0]] if last else None
        there = pair.other.visits[last[1]] if pair is not None and last else None
        if pair is None or parting is None:
            text = "no passing test gets there" if pair is None else "goes the way of passing tests"
            here = trace.visits[-1] if trace.visits else None
            if here is not None:
                gave = f": {_value(here.result)}" if here.result is not None else ""
                text += f"; ends at {self._line(here.block)}{gave}"
        elif here is not None and there is not None and here.result != there.result:
            gave = _both(here.result, there.result)
            text = f"parts from {printable(pair.other.case)} at {self._line(here.block)}: {gave}"
        else:
            path = here.block.partition("::")[0] if here is not None else ""
            text = f"parts from {printable(pair.other.case)}" + f" in {path}" * bool(path)
            text += f", {printable(pair.why)}"
        yield from self._wrapped(text, 2)
        if here is not None:
            mine = telling({**here.before, **here.after})
            theirs = telling({**there.before, **there.after}) if there is not None else mine
            names = sorted(mine, key=lambda name: mine[name] == theirs.get(name))[:NAMES]
            values = (f"{printable(n)} = {_both(mine[n], theirs.get(n))}" for n in names)
            yield from self._wrapped(", ".join(values), 4)

    def _suspect(self, trace: Trace, suspects: Sequence[Suspect]) -> Iterator[str]:
        """The worst suspect that a test ran."""
        found = next((s for s in suspects if s.block in trace.hits), None)
        if found is not None:
            name = found.subfunction.partition("::")[2]
            where = self._line(found.block, code=False)
            yield from self._wrapped(f"suspect: {name} {where} {found.score:.2f} ({found.why})", 2)

    def _line(self, name: str, *, code: bool = True) -> str:
        """A block as "file.py:3 `n < 3`"."""
        path, block = name.partition("::")[0], self.hierarchy.block(name)
        if block is None:
            return path
        source = self.files.get(path) if code else None
        text = source.slice(block.span.start, block.span.end) if source is not None else ""
        words = printable(" ".join(text.split("\n")[0].split()))
        if len(words) > CODE_CHARACTERS:
            words = f"{words[: CODE_CHARACTERS - 3]}..."
        return f"{path}:{block.span.first_line}" + f" `{words}`" * bool(words)

    # ------------------------------------------------------------------------ what mends them

    def _end(self, done: Repair) -> Iterator[str]:
        yield ""
        if done.best is not None and done.after is not None:
            yield from self._patch(done)
            return
        message, hint = farewell(done)
        again = done.stop in (Stop.CLEAN, Stop.FLAKY)
        message = "what failed passes when mgdebug runs it" if again else message
        yield from self._wrapped(f"no patch: {message}")
        if done.partial is not None:
            yield from self._wrapped(f"best so far: {done.partial.patch.note}", 2)
            yield from self._wrapped(gains(done.partial), 4)
        if done.stop in (Stop.SECONDS, Stop.PATCHES):
            longer = max(LONGEST, TIMES * self.wish.seconds)
            yield f"search on: {self._command('fix', '--time', f'{longer:g}')}"
        elif again or done.stop is Stop.UNTRACED:
            nodes = map(self.wish.place, self.wish.failing[:NAMED])
            yield f"run them alone: {shlex.join([sys.executable, '-m', 'pytest', *nodes])}"
        else:
            yield from self._wrapped(hint, 2)
            yield f"see what they do: {self._command('trace', '--diff')}"

    def _patch(self, done: Repair) -> Iterator[str]:
        assert done.best is not None
        assert done.after is not None
        first, *rest = explanation(done)
        yield from self._wrapped(f"patch: {first}")
        for line in rest:
            yield from self._wrapped(line, 2)
        yield from diff_text(done.best.diff).splitlines()
        for line in others(done):
            yield from self._wrapped(line, 2)
        unseen = f"; {self.wish.unseen} not run with it" if self.wish.unseen else ""
        tried = f"({done.tried} patches tried, {done.seconds:.1f} s)"
        count = passes(len(done.after.passed))
        yield from self._wrapped(f"{count} in a fresh process{unseen} {tried}")
        if odd := flagged(done):
            for line in (*odd, FLAGGED):
                yield from self._wrapped(f"flagged: {line}")
        yield f"apply it: {self._apply(done)}"

    def _apply(self, done: Repair) -> str:
        """The command that applies what was shown, and nothing else."""
        assert done.best is not None
        folder = self.wish.folder or Path(tempfile.mkdtemp(prefix="pytest-mgdebug-"))
        file = folder / "fix.patch"
        file.write_bytes(done.best.diff.encode("latin-1"))
        root, cwd = self.target.root, self.wish.cwd.resolve()
        name = shlex.quote(str(file.relative_to(root) if file.is_relative_to(root) else file))
        if shutil.which("git") is None:
            return f"patch -p1 -d {shlex.quote(str(root))} -i {name}"
        where = "" if root == cwd else f"-C {shlex.quote(str(root))} "
        return f"git {where}apply {name}"

    def _command(self, *words: str) -> str:
        """One of mgdebug's, about the files of the failing tests."""
        root, wish = self.target.root, self.wish
        start = ["mgdebug"] if shutil.which("mgdebug") else [sys.executable, "-m", "mgdebug"]
        outside = setting.find_root(wish.cwd) != root
        tests: list[str] = []
        for path in list(dict.fromkeys(node.partition("::")[0] for node in wish.failing)):
            place = os.path.relpath(wish.rootdir / path, root) if outside else wish.place(path)
            tests += ["--tests", place]
        python = setting.find_python(root, "", os.environ)[0]
        more = ["--python", sys.executable] if python != sys.executable else []
        command = shlex.join([*start, *words, *tests[: 2 * NAMED], *more])
        return f"cd {shlex.quote(str(root))} && {command}" if outside else command

    def _wrapped(self, text: str, indent: int = 0) -> list[str]:
        return textwrap.wrap(
            text,
            max(NARROWEST, self.wish.width - 1),
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )


def _both(here: Value | None, there: Value | None) -> str:
    one, other = _value(here), _value(there)
    return one if one == other else f"{one} (there: {other})"


def _value(value: Value | None) -> str:
    return shown(value, VALUE_CHARACTERS) if value is not None else "not there"


if __name__ == "__main__":
    main()
