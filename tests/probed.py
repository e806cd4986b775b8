"""Programs with probes in them, run inside another CPython, and what a trace of them shows."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from interpreters import run_inside

from mgdebug.languages import language_of
from mgdebug.model import Block, BlockVisit, Call, Hierarchy, Value
from mgdebug.runner.visits import Log
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

# What a test's own code inside the other interpreter may use.
SETUP = """
import importlib, json
probe = {name: importlib.import_module("_mgdebug_probe." + name) for name in
         ("instrument", "keep", "names", "probes", "recorder", "reports", "secrets", "sites")}
Recorder, Budget = probe["recorder"].Recorder, probe["recorder"].Budget
Probes = probe["probes"].Probes

def connected(asked):
    "The recorder of a request, and the code of its program."
    recorder = Recorder(asked["owners"])
    places = [tuple(place) for place in asked["places"]]
    probes = Probes(recorder, places, asked["reads"])
    return recorder, probes.code(asked["path"], asked["source"].encode("latin-1"))
"""

RUN = (
    SETUP
    + """
answer = {"error": None, "shown": None}
recorder, code = connected(message)
if message["module"]:
    recorder.clear(True, Budget(**message["budget"]))
space = {"__name__": "program"}
exec(code, space)
if not message["module"]:
    expected = message["expected"] and {int(k): v for k, v in message["expected"].items()}
    recorder.clear(True, Budget(**message["budget"]), expected)
    try:
        answer["shown"] = repr(eval(message["call"], space))
    except BaseException as error:
        answer["error"] = "%s: %s" % (type(error).__name__, error)
answer["report"] = recorder.report()
"""
)


def source_of(text: str | bytes, path: str = "program.py") -> SourceFile:
    language = language_of(path)
    assert language is not None
    data = text if isinstance(text, bytes) else textwrap.dedent(text).encode()
    return SourceFile(path, data, language.grammar())


def blocks_of(source: SourceFile) -> list[Block]:
    return [b for s in decompose([source]).subfunctions.values() for b in s.blocks]


def request(source: SourceFile, path: str = "program.py") -> dict[str, Any]:
    """All that a child must know of a program, ready for JSON."""
    owners: list[int] = []
    places: list[Any] = []
    reads: list[Any] = []
    for subfunction in decompose([source]).subfunctions.values():
        owner = len(owners)
        for block in subfunction.blocks:
            places.append((len(owners), str(block.kind), block.span.start, block.span.end))
            reads.append(list(block.reads))
            owners.append(owner)
    data = source.data.decode("latin-1")
    return {"path": path, "source": data, "owners": owners, "places": places, "reads": reads}


def texts(values: dict[str, Value] | Any) -> dict[str, str]:
    return {name: value.text for name, value in values.items()}


def text_of(value: Value | None) -> str | None:
    return value.text if value is not None else None


@dataclass(frozen=True)
class Seen:
    """One visit in short.  line: where its block begins."""

    line: int
    frame: int
    before: dict[str, str]
    after: dict[str, str]
    result: str | None


class Program:
    """One run of a program: `call` was evaluated once the module was executed.

    error, shown: how the call ended, as its own interpreter shows it.
    """

    def __init__(
        self,
        python: str,
        text: str,
        call: str = "f()",
        *,
        module: bool = False,
        budget: dict[str, Any] | None = None,
        expected: dict[int, int] | None = None,
    ) -> None:
        """module: what is traced is the module's own code, and nothing is called."""
        self.source = source_of(text)
        self.hierarchy: Hierarchy = decompose([self.source])
        self.blocks = blocks_of(self.source)
        asked = request(self.source)
        asked |= {"call": call, "module": module, "budget": budget or {}, "expected": expected}
        found = run_inside(python, RUN, asked)
        self.report: dict[str, Any] = found["report"]
        self.error: str | None = found["error"]
        self.shown: str | None = found["shown"]

    @cached_property
    def log(self) -> Log:
        return Log(self.report, self.blocks)

    @property
    def visits(self) -> list[BlockVisit]:
        return self.log.visits

    @property
    def calls(self) -> list[Call]:
        return [self.log.calls[frame] for frame in sorted(self.log.calls)]

    @property
    def hits(self) -> dict[int, int]:
        """By block number."""
        return dict(self.report["hits"])

    def block(self, fragment: str) -> int:
        """The number of the one block whose text is the fragment, or begins with it, or else of
        the shortest one that has it in it."""
        pieces = [self.source.slice(b.span.start, b.span.end) for b in self.blocks]
        found = [at for at, piece in enumerate(pieces) if piece == fragment]
        found = found or [at for at, piece in enumerate(pieces) if piece.startswith(fragment)]
        if not found:
            within = [at for at, piece in enumerate(pieces) if fragment in piece]
            found = sorted(within, key=lambda at: len(pieces[at]))[:1]
        assert len(found) == 1, (fragment, pieces)
        return found[0]

    def count(self, fragment: str) -> int:
        return self.hits.get(self.block(fragment), 0)

    def of(self, fragment: str) -> list[BlockVisit]:
        """The visits of one block."""
        wanted = self.blocks[self.block(fragment)].id
        return [visit for visit in self.visits if visit.block == wanted]

    def one(self, fragment: str) -> BlockVisit:
        (visit,) = self.of(fragment)
        return visit

    def calls_of(self, qualname: str) -> list[Call]:
        return [call for call in self.calls if call.subfunction == f"program.py::{qualname}"]

    def line(self, visit: BlockVisit) -> int:
        """Where its block begins, in the dedented text."""
        return next(b.span.first_line for b in self.blocks if b.id == visit.block)

    def seen(self) -> Iterator[Seen]:
        for v in self.visits:
            before, after = texts(v.before), texts(v.after)
            yield Seen(self.line(v), v.frame, before, after, text_of(v.result))

    @property
    def dropped(self) -> int:
        return sum(self.hits.values()) - len(self.visits)
