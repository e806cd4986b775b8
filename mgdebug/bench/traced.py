"""A program in this process with the probes in it.  The only module of the benches that knows what
a recorder is like."""

from __future__ import annotations

import json
import time
from typing import Any

from mgdebug.bench.programs import execute
from mgdebug.languages import language_of
from mgdebug.model import Block, Hierarchy, Trace, Value
from mgdebug.probe.probes import Probes
from mgdebug.probe.recorder import EVERY, Budget, Recorder
from mgdebug.probe.snapshot import snapshot
from mgdebug.runner.answers import read_traces
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

MODES = ("sampled", "every", "counted", "out")
CAP = 64 << 20  # bytes of memory that a trace may take


def hierarchy_of(text: str, path: str = "program.py") -> Hierarchy:
    """What a program is made of."""
    language = language_of(path)
    assert language is not None
    return decompose([SourceFile(path, text.encode(), language.grammar())])


def shown(value: object) -> Value:
    """A value as a trace would show it at this moment."""
    return Value(*snapshot(value))


class Traced:
    """mode: "sampled" is how mgdebug traces, "every" keeps the values of every visit as far as
    CAP goes, "counted" keeps none, "out" has no probes at all.

    hierarchy: of the text, if it is known already.  instrument_seconds: of wall time, for the
    probes and for compiling.
    """

    def __init__(
        self,
        text: str,
        path: str = "program.py",
        *,
        mode: str,
        hierarchy: Hierarchy | None = None,
    ) -> None:
        self.mode, self.path = mode, path
        self.hierarchy = hierarchy or hierarchy_of(text, path)
        self.blocks: list[Block] = [
            block for one in self.hierarchy.subfunctions.values() for block in one.blocks
        ]
        owners: list[int] = []
        places: list[tuple[int, str, int, int]] = []
        for one in self.hierarchy.subfunctions.values():
            owner = len(owners)
            for block in one.blocks:
                places.append((len(owners), str(block.kind), block.span.start, block.span.end))
                owners.append(owner)
        began = time.perf_counter()
        self._recorder = Recorder(owners)
        reads = [list(block.reads) for block in self.blocks]
        self._probes = Probes(self._recorder, places, reads)
        if mode == "out":
            self._code = compile(text.encode(), path, "exec", dont_inherit=True)
        else:
            self._code = self._probes.code(path, text.encode())
        self.instrument_seconds = time.perf_counter() - began

    def namespace(self) -> dict[str, Any]:
        """The globals of the program, after it was executed."""
        self._recorder.clear()
        return execute(self._code, self.path)

    def clear(self, values: bool = True) -> None:
        """Begin a case."""
        if self.mode != "out":
            budget = EVERY if self.mode == "every" else Budget()
            self._recorder.clear(values and self.mode != "counted", budget)

    def trace(self, case: str = "case", status: str = "passed") -> Trace:
        """The case so far: what the child sends is written as JSON and read with distrust."""
        outcome = {"case": case, "status": status, "trace": self._recorder.report()}
        sent = json.dumps({"outcomes": [outcome]})
        (trace,) = read_traces(json.loads(sent), self.blocks)
        return trace
