"""Code with probes in it, for one file."""

import types
from typing import List, Sequence

from .instrument import instrument
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
                continue
            return self.recorder.bind(code)
        code = compile(source, path, "exec", dont_inherit=True)
        return code
