"""Code with probes in it, for one file; and probes that are put in and taken out while it runs."""

import types
from typing import Dict, Iterator, List, Sequence, Tuple

from .instrument import instrument
from .overlay import LiveFunctions
from .parts import Place
from .recorder import Recorder


class Probes:
    """places: of the file's blocks.  reads: the names that each block of the project reads."""

    def __init__(
        self, recorder: Recorder, places: Sequence[Place], reads: Sequence[List[str]]
    ) -> None:
        self.recorder, self.places, self.reads = recorder, places, reads

    def code(self, path: str, source: bytes) -> types.CodeType:
        """The compiled source, with probes where they can be had.

        Raises what compile() raises for the source alone.
        """
        for hooks in (True, False):
            known = len(self.recorder.sites)
            try:
                builder = self.recorder.builder
                tree = instrument(source, path, self.places, builder, self.reads, hooks=hooks)
                code = compile(tree, path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                # Too deeply nested for more, or wrong as it stands.
                del self.recorder.sites[known:]
                self.recorder.builder.forget()
                continue
            return self.recorder.bind(code)
        code = compile(source, path, "exec", dont_inherit=True)
        return code

    def into(self, path: str, source: bytes) -> "Switch":
        """For a file (real path) that this process has imported: a switch that is off."""
        plain = compile(source, path, "exec", dont_inherit=True)
        return Switch(path, plain, self.code(path, source))


class Switch:
    """Puts probes into the functions of a file that live in this process as it is made, and takes
    them out; not into those that share their name and line with another one.

    Then they run the very code that they ran before.  What runs while the switch is turned goes on
    as it began; functions that are made later are those of the file as it was imported.
    """

    def __init__(self, path: str, plain: types.CodeType, probed: types.CodeType) -> None:
        live = LiveFunctions()
        self._pairs: List[Tuple[types.FunctionType, types.CodeType, types.CodeType]] = []
        for old, new in _alike(plain, probed):
            for function in live.of(path, old):
                if function.__code__.co_freevars == new.co_freevars:
                    self._pairs.append((function, function.__code__, new))

    def on(self) -> None:
        for function, _, probed in self._pairs:
            function.__code__ = probed

    def off(self) -> None:
        for function, plain, _ in self._pairs:
            function.__code__ = plain


def _alike(
    plain: types.CodeType, probed: types.CodeType
) -> Iterator[Tuple[types.CodeType, types.CodeType]]:
    """The functions inside, with and without probes."""
    one, two = (
        [const for const in code.co_consts if isinstance(const, types.CodeType)]
        for code in (plain, probed)
    )
    places: Dict[Tuple[str, int], List[types.CodeType]] = {}
    for code in two:  # a small expression may stand there twice
        places.setdefault((code.co_name, code.co_firstlineno), []).append(code)
    for code in one:
        same = places.get((code.co_name, code.co_firstlineno), [])
        if len(same) == 1:
            yield code, same[0]
            yield from _alike(code, same[0])
