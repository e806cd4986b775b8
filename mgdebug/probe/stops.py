"""Probes that stop a run before the visits of blocks that are wanted."""

import ast
import sys
import types
from itertools import repeat
from typing import Any, Callable, Dict, List, Sequence

from .bodies import Body
from .names import Scope
from .places import File
from .recorder import Recorder
from .sites import BEGIN, FIRST_SITE, FRAME, NAME_ERROR, NEXT, NO_FRAME, OFFSET, Site

_ENDLESS = 1 << 60


class Stops(Recorder):
    """A recorder that records nothing, and calls `stop` at wanted visits.  Its probes ask for
    their frame, so that the user's frames hold no name of ours."""

    def __init__(self, owners: Sequence[int], stop: Callable[..., None]) -> None:
        self.stop = stop
        self.wanted: Dict[int, List[int]] = {}
        super().__init__(owners)

    def transform(self, places: Any, names: Any) -> Callable[[str, bytes], types.CodeType]:
        """How a file is compiled, with its path and source.  places, names: see instrument."""
        return lambda path, source: self._code(path, source, places, names)

    def _code(self, path: str, source: bytes, places: Any, names: Any) -> types.CodeType:
        """Raises what compile() raises for the source alone."""
        known = len(self.sites)
        try:
            tree = ast.parse(source, path)
            file = File(source, places, tree, self.builder, names, False)
            file.watched = True
            tree.body = Body(file, Scope.bare(file.data), NO_FRAME, -1).plain(tree.body)
            self.builder.settle()
            return self.bind(compile(tree, path, "exec", dont_inherit=True))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            del self.sites[known:]
            self.builder.forget()
        code: types.CodeType = compile(source, path, "exec", dont_inherit=True)
        return code

    def _finish(self) -> None:
        made = (len(self.recorders) - OFFSET - FIRST_SITE) // 2
        for site in self.sites[made:]:
            made_one = self._stop(site) if site.counter >= 0 else _passing
            self.recorders += [made_one, made_one]
        more = len(self.owners) + OFFSET - len(self.counters)
        self.counters += [_turns(_ENDLESS)] * more

    def arm(self, wanted: Dict[int, List[int]]) -> None:
        """Begin a case.  wanted: by block the numbers of visits, ascending."""
        self.wanted = {block: list(numbers) for block, numbers in wanted.items()}
        self.total = [0] * len(self.owners)
        self.counters[OFFSET:] = [_turns(_ENDLESS)] * len(self.owners)
        for block, numbers in self.wanted.items():
            self.counters[OFFSET + block] = _turns(numbers[0] - 1)

    def clear(self, *_: Any, **__: Any) -> None:
        self.recorders[OFFSET + NEXT] = self.recorders[OFFSET + BEGIN] = int
        self.recorders[OFFSET + FRAME] = int
        self.recorders[OFFSET + NAME_ERROR] = NameError
        self.arm({})

    def _stop(self, site: Site) -> Callable[..., int]:
        counter, part = site.counter, site.kind == "lambda"

        def stopped(*values: Any) -> int:
            numbers = self.wanted.get(counter)
            if not numbers:
                self.counters[OFFSET + counter] = _turns(_ENDLESS)
                return 0 if part else 1
            number = numbers.pop(0)
            following = numbers[0] - number - 1 if numbers else _ENDLESS
            self.counters[OFFSET + counter] = _turns(following)
            self.stop(counter, number, sys._getframe(1), dict(zip(site.names, values[1:])))
            return 0 if part else 1

        return stopped


def _turns(count: int) -> Any:
    return repeat(1, count)


def _passing(_: Any, __: Any = None, value: Any = None, *___: Any) -> Any:
    return value
