"""Visits of blocks, with bounded snapshots of values, for one case after another."""

import sys
import types
from typing import Any, Dict, List, Optional, Tuple

from .snapshot import Shot, snapshot

FIRST_VISITS = 64  # of a block that are kept in each case
VISITS = 4000  # that are kept in each case
ROOM = 4 << 20  # characters of values that are kept in each case

_CO_OPTIMIZED = 0x1  # the code of a function, not of a module or a class body


def _kind_of_locals() -> type:
    """A dict that the frame keeps, or (PEP 667) a view of the frame."""
    return type(sys._getframe().f_locals)


_LOCALS = _kind_of_locals()


class Recorder:
    """What the probes of instrument report.  blocks: for each block the names that it reads and
    those that it writes."""

    def __init__(self, blocks: List[Tuple[List[str], List[str]]]) -> None:
        self.blocks = blocks
        self.values = False
        self.clear()

    def clear(self, values: bool = False) -> None:
        """Start with the next case.  values: keep them, or count visits only."""
        self.values = values
        self.hits: Dict[int, int] = {}
        self.visits: List[Dict[str, Any]] = []
        self.dropped = 0
        self._room = ROOM
        self._frames: Dict[int, int] = {}
        self._calls = 0
        self._open: Dict[Tuple[int, int], Dict[str, Any]] = {}

    def call(self) -> None:
        """A recorded subfunction was entered."""
        if self.values:
            self._calls += 1
            self._frames[id(sys._getframe(1))] = self._calls

    def enter(self, block: int) -> Optional[Dict[str, Any]]:
        count = self.hits.get(block, 0) + 1
        self.hits[block] = count
        if not self.values:
            return None
        frame = sys._getframe(1)
        at = id(frame)
        if count > FIRST_VISITS or len(self.visits) >= VISITS or self._room <= 0:
            self.dropped += 1
            self._open.pop((block, at), None)
            return None
        visit = {
            "block": block,
            "frame": self._frames.get(at, 0),
            "before": self._take(self.blocks[block][0], frame),
            "left": False,
        }
        self.visits.append(visit)
        self._open[block, at] = visit
        return visit

    def leave(self, block: int) -> None:
        if self._open:
            self._close(block, sys._getframe(1))

    def returns(self, block: int, value: Any) -> Any:
        visit = self._close(block, sys._getframe(1)) if self._open else None
        if visit is not None:
            visit["result"] = self._shot(value)
        return value

    def _close(self, block: int, frame: types.FrameType) -> Optional[Dict[str, Any]]:
        visit = self._open.pop((block, id(frame)), None)
        if visit is not None:
            visit["after"] = self._take(self.blocks[block][1], frame)
            visit["left"] = True
        return visit

    def decides(self, visit: Optional[Dict[str, Any]], value: Any) -> Any:
        if visit is not None:
            visit["left"] = True
            visit["result"] = self._shot(value)
        return value

    def _take(self, wanted: List[str], frame: types.FrameType) -> Dict[str, Shot]:
        names: Any = frame.f_locals
        kind = type(names)
        if kind is not _LOCALS and not issubclass(kind, dict):
            return {}  # a class body whose metaclass prepared something of its own
        if kind is _LOCALS:
            shots = {name: self._shot(names[name]) for name in wanted if name in names}
        else:
            has, get = dict.__contains__, dict.__getitem__
            shots = {name: self._shot(get(names, name)) for name in wanted if has(names, name)}
        if kind is dict and frame.f_code.co_flags & _CO_OPTIMIZED and sys.getrefcount(names) <= 3:
            names.clear()  # nobody else has it, and what it holds would live longer
        return shots

    def _shot(self, value: Any) -> Shot:
        shot = snapshot(value)
        self._room -= len(shot[1])
        return shot

    def report(self) -> Dict[str, Any]:
        """The case so far, ready for JSON."""
        return {
            "hits": [[block, count] for block, count in list(self.hits.items())],
            "visits": list(self.visits),
            "dropped": self.dropped,
        }
