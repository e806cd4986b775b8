"""Who offers patches.  A proposer is a module and a line in PROPOSERS."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol, runtime_checkable

from mgdebug.errors import UsageError
from mgdebug.events import Sending, Spent, Streamed
from mgdebug.languages import Language
from mgdebug.learned import Template
from mgdebug.model import Case, Failure, Hierarchy, Patch, Subfunction, Suspect, Trace, Verdict
from mgdebug.runner.evaluate import Evaluated, Expressions, State
from mgdebug.settings import Settings
from mgdebug.syntax.source import SourceFile


class Lab(Protocol):
    """What a proposer may have run besides the patches that it proposes.  All of it costs time of
    the repair; after its end nothing is answered: no rows, no traces, verdicts with a reason."""

    def evaluate(
        self, expressions: Expressions, states: Sequence[State]
    ) -> Sequence[Sequence[Evaluated]]:
        """What each expression gives in each state, a row a state; [] where that fails."""
        ...

    def attempt(self, patches: Sequence[Patch]) -> Sequence[Verdict]:
        """Verdicts of patches that are experiments: one that passes all cases is no proposal."""
        ...

    def trace(self, patch: Patch, cases: Sequence[str]) -> Sequence[tuple[Trace, str]]:
        """What cases do with a patch, and how each ended, on one line."""
        ...


@dataclass(frozen=True)
class Brief:
    """All that a proposer is told about the subfunction that it is to repair.

    source: the file as it now stands, with the patches accepted so far.  suspects: its blocks
    under suspicion.  traces: what the cases did, with values.  failures: the failing cases.
    seed: for whoever draws lots.  cases: those that reach the subfunction.  lab: None where nothing
    can be run.  templates: of patches that were accepted earlier.  learnt: what those that cost
    nothing found, in words.  files: all of them, as they now stand.
    allowed: ids of the subfunctions that may be changed.
    """

    source: SourceFile
    language: Language
    hierarchy: Hierarchy
    subfunction: Subfunction
    suspects: tuple[Suspect, ...]
    traces: tuple[Trace, ...]
    failures: tuple[Failure, ...] = ()
    seed: int = 0
    cases: tuple[Case, ...] = ()
    lab: Lab | None = None
    templates: tuple[Template, ...] = ()
    learnt: str = ""
    files: Mapping[str, SourceFile] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()


class Proposer(Protocol):
    @property
    def name(self) -> str: ...

    def propose(self, brief: Brief) -> Generator[Sequence[Patch], Sequence[Verdict], None]:
        """Yield a batch of patches, be sent their verdicts, and so on; return when out of ideas.
        An empty batch says that it is still thinking: twice a second somebody wants to hear."""
        ...


@runtime_checkable
class Paid(Proposer, Protocol):
    """A proposer that asks somebody else, at a cost: what others find for nothing comes first.

    It is asked about the leaves of the hierarchy, then about what calls them, up to the whole, and
    then down again.  faults: what calls came to that came to nothing.
    """

    faults: list[str]

    @property
    def spent(self) -> Spent: ...

    def start(self) -> None:
        """Get ready, in the background."""
        ...

    def close(self) -> None:
        """Abandon what is under way."""
        ...

    def split(self, brief: Brief) -> Generator[None, None, Patch | None]:
        """A subfunction in several small ones, as somebody says that it does the same; whether it
        does is for the caller to see.  None where nobody can tell."""
        ...

    def streamed(self) -> Sequence[Streamed]:
        """What came of replies since this was asked last; nothing, most of the time."""
        ...

    def sending(self, paths: Sequence[str], characters: int) -> Sending:
        """What would be sent: code of these files, so many characters at a time."""
        ...


PROPOSERS: Mapping[str, str] = {
    "search": "mgdebug.proposers.search:made",
    "llm": "mgdebug.proposers.llm:made",
}


def proposer(name: str, settings: Settings | None = None) -> Proposer:
    """The proposer of a name.  Raises KeyError for one that does not exist, UsageError where the
    settings do not allow it."""
    module, _, factory = PROPOSERS[name].partition(":")
    made: Proposer = getattr(import_module(module), factory)(settings or Settings())
    return made


def names(engine: str) -> list[str]:
    """Of the proposers of an engine: chained with "+", or "both"."""
    return (BOTH if engine == "both" else engine).split("+")


def named(engine: str, settings: Settings) -> list[Proposer]:
    """The proposers of an engine.  Raises UsageError for one that does not exist."""
    for name in names(engine):
        if name not in PROPOSERS:
            known = f"known: {', '.join([*PROPOSERS, 'both'])}"
            raise UsageError(f"there is no engine {name}", known)
    return [proposer(name, settings) for name in names(engine)]


BOTH = "search+llm"
