"""Code that cannot run as it is, run with stand-ins for what it lacks.

What is missing is read off the errors of a run and off the scopes of the files; the stand-ins live
in the interpreter that runs the cases, and nothing is written.  Errors that they cause refine them,
a run a round.  After "Self-Guided Partial Code Execution with LLMs" (SelfPiCo, 2024), but without a
model: what an error says is enough.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mgdebug.errors import NoCasesError, ProbeError, UsageError
from mgdebug.events import Warned
from mgdebug.model import Status, Target
from mgdebug.partial.missing import Missing, Unbound, files_in, is_told, missing, read, unbound
from mgdebug.partial.refining import gives, imported, refined
from mgdebug.runner import Runner
from mgdebug.syntax.source import SourceFile

ROUNDS, RUNS = 8, 40  # that refine; at all, a missing module may cost one each
TIME_SHARE = 0.3  # of the whole time
SHOWN = 4  # refined parts of one stand-in that are told
_INSTALLS = "mgdebug doctor --make-env installs what the project declares"


@dataclass
class Filling:
    """The stand-ins of one repair.  names: by file; modules, attributes: by name of the module;
    kinds: of value, by path; true: whether stand-ins count as true."""

    target: Target
    names: dict[str, dict[str, None]] = field(default_factory=dict)
    modules: dict[str, None] = field(default_factory=dict)
    attributes: dict[str, dict[str, None]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    true: bool = True
    _sources: Mapping[str, bytes] = field(default_factory=dict)
    _files: dict[str, Unbound] = field(default_factory=dict)

    @property
    def things(self) -> tuple[str, ...]:
        """What stand-ins are used for, by the names that the user knows."""
        inside = (f"{module}.{name}" for module, some in self.attributes.items() for name in some)
        free = (name for some in self.names.values() for name in some)
        return tuple(dict.fromkeys((*free, *self.modules, *inside)))

    def fill(
        self, runner: Runner, seconds: float, sources: Mapping[str, bytes]
    ) -> Iterator[Warned]:
        """Run the cases until nothing is missing any more and nothing is left to refine, and tell
        what was filled.  seconds: of the whole repair; sources: files in place of those on the
        disk."""
        self._sources, self._files = sources, {}
        until = time.monotonic() + TIME_SHARE * seconds
        before, rounds = self.things, 0
        for _ in range(RUNS):
            text, is_late = _said(runner, sources)
            if not text.strip() and not is_late:
                break
            more = self._lack(text, whole=True)
            if not more and self.things and rounds < ROUNDS:
                more = self._refine(text, is_late=is_late)
                rounds += 1
            if not more or time.monotonic() > until:
                break
            runner.stand_in(self._wanted())
        if self.things != before:
            yield from self._told()

    def hint(self, text: str) -> Iterator[Warned]:
        """What a run lacks without stand-ins, as the text of its errors has it."""
        if is_told(text) and self._lack(text, whole=False):
            free = [f"`{name}` is defined nowhere" for some in self.names.values() for name in some]
            gone = [f"{module} is not installed" for module in self.modules]
            inside = [f"{m} has no `{n}`" for m, some in self.attributes.items() for n in some]
            what = "; ".join([*free, *gone, *inside])
            yield Warned(f"{what}: `mgdebug fix --partial` runs it with stand-ins")

    # ------------------------------------------------------------------------ what is missing

    def _lack(self, text: str, *, whole: bool) -> bool:
        """Note what is missing; whether something is new.  whole: the names that nobody binds in
        the target, and in a file that was caught with one, count all."""
        paths = [self.target.path] if self.target.path else []
        behind = files_in(self.target, text) if is_told(text) else []
        for path in (*paths, *behind):
            source = self._read(path) if path not in self._files else None
            if source is not None:
                self._files[path] = unbound(source)
        found = missing(self.target, text, self._files)
        names = {
            path: (*some, *self._all(path)) if whole else some for path, some in found.names.items()
        }
        if whole and paths:
            names.setdefault(paths[0], self._all(paths[0]))
        return self._noted(Missing(names, found.modules, found.attributes))

    def _read(self, path: str) -> SourceFile | None:
        return read(self.target, path, self._sources)

    def _all(self, path: str) -> tuple[str, ...]:
        source = self._read(path)
        if source is None or b"NameError" in source.text:  # it may know what it lacks
            return ()
        return self._files[path].names if path in self._files else ()

    def _noted(self, found: Missing) -> bool:
        before = len(self.things)
        self.modules |= dict.fromkeys(found.modules)
        for holders, some in ((self.names, found.names), (self.attributes, found.attributes)):
            for holder, names in some.items():
                if names:
                    holders.setdefault(holder, {}).update(dict.fromkeys(names))
        return len(self.things) > before

    # ------------------------------------------------------------------------- what stands there

    def _refine(self, text: str, *, is_late: bool) -> bool:
        """Note what errors say of the stand-ins; whether something is new."""
        paths = {name: name for some in self.names.values() for name in some}
        for path in self._files:
            source = self._read(path)
            if source is not None:
                paths |= imported(source.text.decode("utf-8", "replace"), self.modules)
        for module, some in self.attributes.items():
            paths |= {name: f"{module}.{name}" for name in some}
        found = refined(text, paths)
        new = {path: kind for path, kind in found.items() if path not in self.kinds}
        self.kinds |= new
        if is_late and self.true:  # a loop that goes on as long as one is true
            self.true = False
            return True
        return bool(new)

    def _wanted(self) -> dict[str, Any]:
        """For the probe."""
        return {
            "modules": list(self.modules),
            "names": {path: list(names) for path, names in self.names.items()},
            "attributes": {module: list(names) for module, names in self.attributes.items()},
            "kinds": self.kinds,
            "true": self.true,
        }

    def _told(self) -> Iterator[Warned]:
        for path, names in self.names.items():
            for name in names:
                what = f"{path}: `{name}` is defined nowhere: a stand-in is used for it"
                yield Warned(what + self._refined(name))
        for module in self.modules:
            what = f"{module} is not installed: a stand-in is used for it"
            last = f" ({_INSTALLS})" if module == [*self.modules][-1] else ""
            yield Warned(what + last + self._refined(module))
        for module, names in self.attributes.items():
            for name in names:
                what = f"{module} has no `{name}`: a stand-in is used for it"
                yield Warned(what + self._refined(f"{module}.{name}"))
        for path in self._files:
            for name, near in self._files[path].slips.items():
                yield Warned(
                    f"{path}: `{name}` is taken for a slip of `{near}`: no stand-in is used"
                )

    def _refined(self, root: str) -> str:
        """What is known of a stand-in and of what it gives."""
        mine = [
            p for p in self.kinds if p == root or p.startswith((f"{root}.", f"{root}(", f"{root}["))
        ]
        shown = [f"`{path}` is {gives(self.kinds[path])}" for path in mine[:SHOWN]]
        more = [f"and {len(mine) - SHOWN} more"] if len(mine) > SHOWN else []
        return "; " + ", ".join([*shown, *more]) if mine else ""


def _said(runner: Runner, sources: Mapping[str, bytes]) -> tuple[str, bool]:
    """What a run complains of, and whether a case did not end."""
    try:
        run = runner.run(sources)
    except (UsageError, ProbeError, NoCasesError) as error:
        return f"{error.message}\n{error.detail}", False
    details = [detail for where, detail in run.troubles if where != "--case"]
    bad = [outcome for outcome in run.outcomes if not outcome.status.ok]
    text = "\n".join([*details, *(f"{o.detail}\n{o.message}" for o in bad)])
    return text, any(outcome.status is Status.TIMEOUT for outcome in bad)
