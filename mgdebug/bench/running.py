"""Rows -> a crew -> scores, one line of JSON a row as each ends.

A worker has a row repaired in a process of its own, which is told what is shown of the row; the
cases that judge stay with the worker.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from mgdebug.bench.judging import judged
from mgdebug.bench.repairing import request
from mgdebug.bench.rows import Row, Shown
from mgdebug.crew import Crew, Done, GivenUp, Report, Task
from mgdebug.errors import UsageError

GRACE = 60.0  # seconds that a repair may overrun before it is killed
TOP = 3
_ENTRY = "mgdebug.bench.running:row_repaired"


@dataclass(frozen=True, slots=True)
class Asking:
    """How rows are repaired.  seconds: for each; workers: of each; model: settings of the model
    engine."""

    engine: str
    seconds: float
    workers: int
    seed: int = 0
    model: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """What became of one row.

    stop: why the repair ended; "broken": its process died.  plausible: it offered a patch.  first,
    top, some: whether the first patch, one of the first three, and one of those that were told is
    right.  after: whether the first is right once a question, if there was one, is answered.
    right: seconds until the first right one passed all visible cases.  gained, lost: methods of a
    suite that the first patch, or else the partial one, made pass and broke; methods: of the suite.
    family: of the first right patch.  calls, prompt: of a model, and the tokens of its prompts.
    """

    id: str
    kind: str
    stop: str
    plausible: bool = False
    first: bool = False
    top: bool = False
    some: bool = False
    after: bool = False
    asked: str = ""
    note: str = ""
    seconds: float = 0.0
    right: float | None = None
    tried: int = 0
    gained: int = 0
    lost: int = 0
    methods: int = 0
    green: bool = False
    family: str = ""
    calls: int = 0
    prompt: int = 0


def sample(rows: Sequence[Row], size: int) -> list[Row]:
    """A fixed sample of the rows of which a visible case fails: those whose names' SHA-256 come
    first."""
    order = sorted(rows, key=lambda row: hashlib.sha256(row.id.encode()).digest())
    chosen: list[Row] = []
    for row in order:
        if len(chosen) < size and fails(row):
            chosen.append(row)
    return chosen


def fails(row: Row) -> bool:
    """Whether a visible case of a row fails on its program as it stands."""
    if not row.shown.expressions:
        return True
    script = "\n".join(row.shown.expressions)
    judge = {"entry": row.judge["entry"], "script": script, "without": []}
    return not judged(row.shown.files, judge, sys.executable)["right"]


def run(
    rows: Sequence[Row],
    asking: Asking,
    out: Path | None,
    crew: Crew,
    hear: Callable[[Report], object] = lambda _: None,
) -> Iterator[Score]:
    """Scores as rows end; those that `out` holds already, from a run that was killed, come first.

    out: a folder for `scores.jsonl`, None to keep nothing.  hear: is told what the crew does.
    Raises UsageError where `out` holds a run that asked otherwise.
    """
    known = _resumed(asking, out)
    yield from (score for name, score in known.items() if name in {row.id for row in rows})
    left = {row.id: row for row in rows if row.id not in known}
    told = {"asking": asdict(asking)}
    tasks = [Task(name, _ENTRY, {"row": asdict(row), **told}) for name, row in left.items()]
    for report in crew.work(tasks):
        hear(report)
        if isinstance(report, Done):
            score = Score(**report.answer)
        elif isinstance(report, GivenUp):
            row = left[report.task.name]
            score = Score(row.id, row.kind, "broken", note=report.why)
        else:
            continue
        if out is not None:
            with (out / "scores.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(score)) + "\n")
        yield score


def scores(folder: Path) -> dict[str, Score]:
    """What a run left in a folder, by row.  Raises UsageError where there is none."""
    try:
        lines = (folder / "scores.jsonl").read_text("utf-8").splitlines()
    except OSError:
        raise UsageError(
            f"{folder} holds no scores", "name the --out folder of an earlier run"
        ) from None
    found = {}
    for line in lines:
        try:
            score = Score(**json.loads(line))
        except (ValueError, TypeError):
            continue  # the line that was being written when the run was killed
        found[score.id] = score
    return found


def _resumed(asking: Asking, out: Path | None) -> dict[str, Score]:
    if out is None:
        return {}
    out.mkdir(parents=True, exist_ok=True)
    same = {"engine": asking.engine, "seconds": asking.seconds, "seed": asking.seed}
    settings = out / "run.json"
    if settings.is_file():
        before = json.loads(settings.read_text("utf-8"))
        if before != same:
            raise UsageError(
                f"{out} holds a run with {before}, not {same}", "name another folder with --out"
            )
    settings.write_text(json.dumps(same), "utf-8")
    return scores(out) if (out / "scores.jsonl").is_file() else {}


# ------------------------------------------------------------------------------------ one row


def row_repaired(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker of a crew is asked for."""
    row = asked["row"]
    shown = row["shown"]
    cases = {name: tuple(shown[name]) for name in ("tests", "expressions")}
    row = Row(**{**row, "shown": Shown(**{**shown, **cases})})
    return asdict(repaired(row, Asking(**asked["asking"])))


def repaired(row: Row, asking: Asking) -> Score:
    """Repair one row in a child and judge what comes back."""
    talk = _Talk(row)
    asked = request(
        row.shown, asking.seconds, asking.workers, asking.engine, asking.seed, asking.model
    )
    began = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "mgdebug.bench.repairing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_STATE_HOME": os.devnull, "XDG_CACHE_HOME": os.devnull},
    )
    late = threading.Timer(asking.seconds + GRACE, child.kill)
    late.start()
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    said: list[str] = []
    errors = threading.Thread(target=_drained, args=(child.stderr, said.append))
    errors.start()
    done = None
    try:
        _write(child.stdin, asked)
        for line in child.stdout:
            told = json.loads(line)
            if "stop" in told:
                done = told
                break
            _write(child.stdin, talk.answer(told))
    except (BrokenPipeError, ValueError):
        pass
    finally:
        late.cancel()
        child.kill()
        child.wait()
        errors.join()
        for stream in (child.stdin, child.stdout, child.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    if done is None:
        return Score(row.id, row.kind, "broken", note="".join(said)[-300:])
    return talk.score(done, time.monotonic() - began)


def _write(file: IO[str], what: object) -> None:
    file.write(json.dumps(what) + "\n")
    file.flush()


def _drained(file: IO[str], into: Callable[[str], object]) -> None:
    for line in file:
        into(line)


class _Talk:
    """Judges the patches of one row, and answers the first question about them."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._known: dict[str, dict[str, Any]] = {}
        self._before: list[bool] = []
        self._times: list[float | None] = []
        self._asked = ""
        self._family = ""

    def _judged(self, files: Mapping[str, str]) -> dict[str, Any]:
        key = json.dumps(dict(files), sort_keys=True)
        if key not in self._known:
            whole = {**self._row.shown.files, **files}
            self._known[key] = judged(whole, self._row.judge, sys.executable)
        return self._known[key]

    def _rights(self, alternatives: Sequence[Mapping[str, Any]]) -> list[bool]:
        return [bool(self._judged(one["files"])["right"]) for one in alternatives]

    def answer(self, told: Mapping[str, Any]) -> int | None:
        """The choice that a right alternative belongs to; only the first question is answered."""
        if self._asked:
            return None
        self._asked = told["asked"]
        rights = self._rights(told["alternatives"])
        self._note(rights, told["alternatives"])
        for index, (text, members) in enumerate(told["choices"]):
            if any(m < len(rights) and rights[m] for m in members):
                self._asked += f" -> {text}"
                return index
        return None

    def _note(self, rights: list[bool], alternatives: Sequence[Mapping[str, Any]]) -> None:
        self._before = rights
        found = [a for a, right in zip(alternatives, rights, strict=True) if right]
        self._times = [one["seconds"] for one in found]
        self._family = found[0]["family"] if found else ""

    def score(self, done: Mapping[str, Any], seconds: float) -> Score:
        rights = self._rights(done["alternatives"])
        after = bool(rights[:1] and rights[0])
        if not self._asked:
            self._note(rights, done["alternatives"])
        before, times = self._before, self._times
        first = done["alternatives"][0] if done["alternatives"] else None
        gained, lost, methods = self._methods(first["files"] if first else done["partial"])
        return Score(
            self._row.id,
            self._row.kind,
            done["stop"],
            plausible=bool(before),
            first=bool(before[:1] and before[0]),
            top=any(before[:TOP]),
            some=any(before),
            after=after,
            asked=self._asked,
            note=first["note"] if first else "",
            seconds=seconds,
            right=min((t for t in times if t is not None), default=None),
            tried=done["tried"],
            calls=done["calls"],
            prompt=done["prompt"],
            gained=gained,
            lost=lost,
            methods=methods,
            green=bool(first and self._judged(first["files"])["right"]),
            family=self._family,
        )

    def _methods(self, files: Mapping[str, str] | None) -> tuple[int, int, int]:
        if not self._row.judge.get("counted"):
            return 0, 0, 0
        old = self._judged({})
        passed, all_ = set(old.get("passed", ())), {*old.get("passed", ()), *old.get("failed", ())}
        if files is None:
            return 0, 0, len(all_)
        now = set(self._judged(files).get("passed", ()))
        return len(now - passed), len(passed - now), len(all_)
