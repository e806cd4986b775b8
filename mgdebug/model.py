"""The nouns.  Frozen data only: nothing here runs, reads or prints.

One word for one thing: a Patch is never a candidate or a mutant, a Case never a test,
a Subfunction never a node.  Paths are relative to the project's root, with "/" between
the parts.  Positions are bytes of the UTF-8 text of a file (see syntax.source).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """What the user asks to repair, and what says what is right.

    root: the project; nothing outside it is read as source or written.  cwd: where the tests
    run.  path, qualname: the file and subfunction under suspicion, "" for all.  tests: for
    pytest (or paths and names for unittest), () for what the project's own configuration
    selects.  expressions: ad-hoc cases.  io: folder of NAME.in and NAME.out.  answers: what the
    user has answered, cases beside all others.  within: the only files that may be changed; looked:
    the only files that are looked into; () for all.  steps: patches of the files as they are on the
    disk that are taken as made.
    """

    root: Path
    cwd: Path
    path: str = ""
    qualname: str = ""
    tests: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    io: Path | None = None
    answers: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    looked: tuple[str, ...] = ()
    steps: tuple[Patch, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text: bytes [start, end), lines first_line to last_line (1 is the first)."""

    start: int
    end: int
    first_line: int
    last_line: int

    def holds(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end


NOWHERE = Span(0, 0, 0, 0)


class BlockKind(StrEnum):
    RUN = "run"  # simple statements that run one after another
    CONDITION = "condition"  # the test of an if, elif, while or match
    LOOP = "loop"  # the header of a for
    WITH = "with"  # the header of a with
    HANDLER = "handler"  # the header of an except
    TRY = "try"  # the word that opens it
    FINALLY = "finally"  # the word that opens it
    CASE = "case"  # the pattern of one arm of a match, with its guard
    ARM = "arm"  # what and, or, and conditional expressions may skip
    EACH = "each"  # what a comprehension does for one element
    ERROR = "error"  # text that does not parse


class Exit(StrEnum):
    """How a block is left, where the next one does not simply follow."""

    RETURN = "return"
    RAISE = "raise"
    BREAK = "break"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Block:
    """A basic block: code that is entered at its start and left at its end.

    reads, writes: names; what may be changed in place is written too.  What a part of a block does
    (an arm, a comprehension) counts for the block as well.  parent: id of the block of the same
    subfunction that decides whether this one runs, or that it is a part of; "" for none.
    exit: None where the control falls through.
    """

    id: str
    kind: BlockKind
    span: Span
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    parent: str = ""
    exit: Exit | None = None


class SubfunctionKind(StrEnum):
    MODULE = "module"  # the file's own code
    CLASS = "class"  # the body of a class
    FUNCTION = "function"
    METHOD = "method"
    PROPERTY = "property"
    LAMBDA = "lambda"  # one that is bound to a name
    ERROR = "error"  # a stretch of lines that do not parse

    @property
    def called(self) -> bool:
        """Whether it runs when it is called, rather than while its file is imported."""
        return self not in (
            SubfunctionKind.MODULE,
            SubfunctionKind.CLASS,
            SubfunctionKind.ERROR,
        )


@dataclass(frozen=True, slots=True)
class Subfunction:
    """A function, method, nested function, lambda bound to a name, class body, or the module's own
    code.

    id: "path::qualname", unique in a Hierarchy.  calls: ids of the subfunctions that it
    calls or passes on, by names that resolve.  unknown: the called names that do not resolve.
    children: ids of the subfunctions written inside it.  decorators: their texts, the outermost
    first.  whole: the span with the decorators.
    """

    id: str
    path: str
    name: str
    qualname: str
    kind: SubfunctionKind
    span: Span
    parameters: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    calls: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    whole: Span = NOWHERE
    asynchronous: bool = False


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Subfunctions and the order in which to repair them.

    order: groups of ids, leaves first.  A group of more than one id is a recursion
    (a strongly connected component of the call edges).
    """

    subfunctions: Mapping[str, Subfunction]
    order: tuple[tuple[str, ...], ...]

    def block(self, block_id: str) -> Block | None:
        owner = self.subfunctions.get(block_id.rpartition("#")[0])
        blocks = owner.blocks if owner else ()
        return next((block for block in blocks if block.id == block_id), None)


class CaseKind(StrEnum):
    PYTEST = "pytest"
    UNITTEST = "unittest"
    DOCTEST = "doctest"
    EXPRESSION = "expression"
    IO = "io"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that says what is right.  source: the code of an ad-hoc case, else ""."""

    id: str
    kind: CaseKind
    path: str = ""
    source: str = ""


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    TIMEOUT = "timeout"  # stopped at its time limit
    CRASHED = "crashed"  # the process died, or its answer was missing, doubled or malformed
    NOT_RUN = "not run"

    @property
    def ok(self) -> bool:
        return self in (Status.PASSED, Status.SKIPPED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case ended.  message: one line; detail: the traceback, if any.

    processor: seconds of processor time, which a busy machine does not stretch.
    """

    case: str
    status: Status
    seconds: float = 0.0
    message: str = ""
    detail: str = ""
    processor: float = 0.0

    @property
    def is_unable(self) -> bool:
        """Whether the case could not even begin, such as for want of a fixture."""
        return self.status is Status.NOT_RUN and bool(self.message)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failing case: its code, "" where that is not known, and how it ended, on one line."""

    case: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Value:
    """A bounded snapshot of one variable.  text never comes from a user's own __repr__.

    truncated: whether the text leaves something out.  size: the exact number of items of a
    container, elements of an array, rows of a table, characters or bytes of a text; else None.
    """

    type: str
    text: str
    truncated: bool = False
    size: int | None = None


@dataclass(frozen=True, slots=True)
class BlockVisit:
    """One time through a block.

    frame: the Call that it belongs to, 0 for the code of a module or class.  index: its place among
    the visits that are kept.  number: which visit of this block it was in the case; iteration: of
    the innermost loop that it stands in; both 1 for the first, 0 where that is not known.
    before: what the block reads, on entry; after: what it writes, on leaving; a name is absent
    where it was not bound, or not recorded.  result: a condition's or a return's value, or the
    exception that a handler caught.  left: False where an exception left the block, which is
    `raised`, or where it was not left before the end of the trace.
    """

    block: str
    frame: int
    index: int
    before: Mapping[str, Value] = field(default_factory=dict)
    after: Mapping[str, Value] = field(default_factory=dict)
    result: Value | None = None
    left: bool = True
    number: int = 0
    iteration: int = 0
    raised: Value | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a recorded subfunction: an input and an output of it.

    frame: 1 for the first call that is recorded.  caller: the frame that was running, 0 for code
    that is not recorded; visit: the index of the caller's visit that called, -1 if not known.
    result, raised: how it ended; both None if it did not, or that was not recorded.  thread: 0 for
    the one that runs the case.
    """

    frame: int
    subfunction: str
    caller: int = 0
    visit: int = -1
    arguments: Mapping[str, Value] = field(default_factory=dict)
    result: Value | None = None
    raised: Value | None = None
    thread: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """What one case did.

    hits: how often each block was visited (exact).  visits: those that are kept with values, in the
    order in which they began: the first and the last of each block, and some of those between.
    dropped: visits that are counted only.  calls: by frame, those of which something is kept.
    """

    case: str
    status: Status
    hits: Mapping[str, int]
    visits: tuple[BlockVisit, ...] = ()
    dropped: int = 0
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspect:
    """A block under suspicion.  score: 0 (cleared) to 1 (only failing cases reach it)."""

    subfunction: str
    block: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the bytes [start, end) of a file's UTF-8 text."""

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Patch:
    """Edits that belong together.

    proposer: who offers it; note: the change in words; cost: how surprising it would be
    (0 is the likeliest; the unit is bits, so that two independent edits add up).  family: the kind
    of change, as its proposer calls it, with "+" between those of several.  drawn: whether it was
    drawn by lot, so that another draw which does the same speaks for it.
    """

    edits: tuple[Edit, ...]
    proposer: str
    note: str
    subfunction: str = ""
    cost: float = 0.0
    family: str = ""
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a try.  passed and failed: ids of the cases that ran.

    reason: "" when it ran to its end, else what stopped it, such as "does not compile".
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """seconds: of the whole repair; patches: tries; tokens, cost: of a model (US dollars); memory:
    bytes of one case's process; case_seconds: of one case; collect_seconds: until all cases are
    imported and collected.  Seconds are wall time.  None: no limit."""

    seconds: float | None = 60.0
    patches: int | None = None
    tokens: int | None = None
    cost: float | None = None
    memory: int | None = 2 << 30
    case_seconds: float = 10.0
    collect_seconds: float = 60.0


class Stop(StrEnum):
    """Why a repair ended."""

    FIXED = "fixed"
    SOME = "some cases still fail"
    CLEAN = "nothing fails"
    NO_CASES = "no cases"
    UNCOLLECTED = "some cases could not be collected"
    EXHAUSTED = "every patch was tried"
    SECONDS = "the time limit"
    PATCHES = "the limit of tries"
    FLAKY = "only flaky cases fail"
    UNTRACED = "no project code runs in the failing cases"
    REGRESSED = "no patch survived the fresh run"
    CANCELLED = "it was told to stop"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the failing and the patched run of `case` part: what is compared, and both values."""

    case: str
    line: int
    name: str
    was: Value | None
    now: Value | None


@dataclass(frozen=True, slots=True)
class Alternative:
    """Plausible patches of one behaviour, the first shown.  flags: why it may be a forgery.
    reasons: what speaks for its place among the alternatives, and against, in words."""

    patches: tuple[Patch, ...]
    diff: str
    evidence: Evidence | None = None
    flags: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a call gives, or "raises ...", and the indices of the alternatives that agree."""

    text: str
    alternatives: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Which is right for this call?  path: the file in whose names it is meant."""

    path: str
    call: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """The best patch where none makes all cases pass: it made `gained` of the `failing` ones pass
    in a fresh process, and broke none.  diff: as an alternative has it."""

    patch: Patch
    diff: str
    gained: int
    failing: int


@dataclass(frozen=True, slots=True)
class Group:
    """Failing cases that share a suspect and are repaired as one.

    suspect: "path::qualname", or a path where that is not known.  near: the passing cases that they
    are told from.  files: those that are looked into.  narrow: whether only the suspect's file
    may be changed, since tests of many modules share it.
    """

    suspect: str
    cases: tuple[str, ...]
    near: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of a group.  gained: those of its cases that pass with the patch, or, where that
    was not kept, would; kept: whether it is part of the whole patch, else why not.  others: patches
    that its cases allow as well and that do something else."""

    group: Group
    stop: Stop
    note: str = ""
    paths: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    evidence: Evidence | None = None
    flags: tuple[str, ...] = ()
    kept: bool = False
    why: str = ""
    others: int = 0
    tried: int = 0
    seconds: float = 0.0
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """How a repair ended.

    before, after: verdicts of the whole selected suite, the second from a fresh process with
    the patch (None without one).  base: sha256 of each file that the patch was made for.
    uncollected: what could not be collected, and so says nothing.  partial: the best that was found
    where no patch makes all cases pass.  stand_ins: what the code lacks and has stand-ins for.
    groups: of a whole repository, see Group; whole_runs: how often all its cases ran.
    """

    before: Verdict
    stop: Stop
    after: Verdict | None = None
    patch: Patch | None = None
    alternatives: tuple[Alternative, ...] = ()
    base: Mapping[str, str] = field(default_factory=dict)
    uncollected: tuple[str, ...] = ()
    partial: Partial | None = None
    tried: int = 0
    seconds: float = 0.0
    stand_ins: tuple[str, ...] = ()
    groups: tuple[Mended, ...] = ()
    whole_runs: int = 0

    @property
    def best(self) -> Alternative | None:
        return self.alternatives[0] if self.patch else None
