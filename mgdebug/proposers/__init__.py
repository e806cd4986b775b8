"""Who offers patches.  A proposer is a module and a line in PROPOSERS."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from mgdebug.languages import Language
from mgdebug.learned import Template
from mgdebug.model import Case, Failure, Hierarchy, Patch, Subfunction, Suspect, Trace, Verdict
from mgdebug.runner.evaluate import Evaluated, Expressions, State
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
    can be run.  templates: of patches that were accepted earlier.
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


class Proposer(Protocol):
    @property
    def name(self) -> str: ...

    def propose(self, brief: Brief) -> Generator[Sequence[Patch], Sequence[Verdict], None]:
        """Yield a batch of patches, be sent their verdicts, and so on; return when out of ideas.
        An empty batch says that it is still thinking: twice a second somebody wants to hear."""
        ...


PROPOSERS: Mapping[str, str] = {"search": "mgdebug.proposers.search:Search"}


def proposer(name: str) -> Proposer:
    """The proposer of a name.  Raises KeyError for one that does not exist."""
    module, _, factory = PROPOSERS[name].partition(":")
    made: Proposer = getattr(import_module(module), factory)()
    return made
