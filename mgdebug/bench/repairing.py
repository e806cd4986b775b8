"""One repair in a process of its own, which is told only what a repair may see.

Run as a child: `python -m mgdebug.bench.repairing`.  Its input is one line of JSON, a request; then
a line with the answer to each question that it asks.  It writes a line of JSON for each question
and one for the end of the repair; patched files are {path: text}.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from mgdebug import judge
from mgdebug import settings as setting
from mgdebug.events import Asked, Event, Finished, Judged, Reply, Spent
from mgdebug.languages import language_of
from mgdebug.model import Alternative, Patch
from mgdebug.proposers import named
from mgdebug.repair import repair
from mgdebug.syntax.source import SourceFile

SHOWN = 12  # alternatives that are told


def request(
    shown: Any,
    seconds: float,
    jobs: int,
    engine: str = "search",
    seed: int = 0,
    model: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """What a child is told.  shown: a Shown; jobs: its workers; model: settings of the model
    engine."""
    return {
        "files": dict(shown.files),
        "target": shown.target,
        "tests": list(shown.tests),
        "expressions": list(shown.expressions),
        "seconds": seconds,
        "jobs": jobs,
        "engine": engine,
        "seed": seed,
        "model": dict(model or {}),
    }


class _Told:
    """Folds the events of a repair into the lines that the parent reads."""

    def __init__(self, out: IO[str], answers: IO[str], root: Path, paths: list[str]) -> None:
        self._out, self._answers, self._root, self._paths = out, answers, root, paths
        self._began = time.monotonic()
        self._found: dict[Patch, float] = {}
        self._files: dict[str, SourceFile] = {}
        self._spent = Spent()

    def hear(self, event: Event) -> Reply | None:
        if isinstance(event, Spent):
            self._spent = event
        if isinstance(event, Judged) and event.plausible:
            self._found.setdefault(event.patch, time.monotonic() - self._began)
        elif isinstance(event, Asked):
            self._say(
                {
                    "asked": event.question.call,
                    "choices": [[c.text, list(c.alternatives)] for c in event.question.choices],
                    "alternatives": [self._alternative(a) for a in event.alternatives[:SHOWN]],
                }
            )
            choice = json.loads(self._answers.readline())
            return None if choice is None else Reply(choice)
        elif isinstance(event, Finished):
            done = event.repair
            self._say(
                {
                    "stop": str(done.stop),
                    "tried": done.tried,
                    "calls": self._spent.calls,
                    "prompt": self._spent.prompt,
                    "seconds": done.seconds,
                    "alternatives": [self._alternative(a) for a in done.alternatives[:SHOWN]],
                    "partial": self._patched(done.partial.patch) if done.partial else None,
                }
            )
        return None

    def _alternative(self, one: Alternative) -> dict[str, object]:
        patch = one.patches[0]
        times = [self._found[p] for p in one.patches if p in self._found]
        return {
            "files": self._patched(patch),
            "note": patch.note,
            "cost": patch.cost,
            "family": patch.family,
            "flags": list(one.flags),
            "why": list(one.reasons),
            "seconds": min(times, default=time.monotonic() - self._began),
        }

    def _patched(self, patch: Patch) -> dict[str, str]:
        for path in {edit.path for edit in patch.edits} - set(self._files):
            language = language_of(path)
            assert language is not None
            self._files[path] = SourceFile.read(self._root, path, language.grammar())
        return {path: f.data.decode() for path, f in judge.patched(self._files, patch).items()}

    def _say(self, line: Mapping[str, object]) -> None:
        print(json.dumps(line), file=self._out, flush=True)


def _main() -> None:
    out, sys.stdout = sys.stdout, sys.stderr
    asked = json.loads(sys.stdin.readline())
    with tempfile.TemporaryDirectory(prefix="repaired-") as name:
        root = Path(name).resolve()
        for path, text in asked["files"].items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, "utf-8")
        os.chdir(root)
        target = setting.find_target(
            root, asked["target"], tuple(asked["tests"]), tuple(asked["expressions"]), None
        )
        flags = {"time": asked["seconds"], "jobs": asked["jobs"], "model": asked["model"] or None}
        chosen = setting.load(root, {}, flags)
        chosen = replace(
            chosen, doctests=False, engine=asked["engine"], seed=asked["seed"], learn=False
        )
        told = _Told(out, sys.stdin, root, list(asked["files"]))
        stream = repair(target, named(chosen.engine, chosen), chosen, sys.executable)
        reply: Reply | None = None
        try:
            while True:
                reply = told.hear(stream.send(reply))
        except StopIteration:
            pass
        finally:
            stream.close()


if __name__ == "__main__":
    _main()
