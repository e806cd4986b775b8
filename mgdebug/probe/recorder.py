"""Visits of blocks and bounded snapshots of values, for one case after another.

A snapshot is made at once, so a list that changes later shows what it was.  It never runs
the user's code: no __repr__, __eq__, property or __getattr__ is called.
"""

import sys
from typing import Any, Dict, List, Optional, Tuple

DEPTH = 3  # levels of containers and attributes
HEAD, TAIL = 24, 8  # items of a container that are kept
CHARACTERS = 400  # of one value's text
FIRST_VISITS = 64  # of a block that are kept in each case
VISITS = 4000  # that are kept in each case

Shot = List[Any]  # [type name, text, truncated]
_ATOMS = (bool, type(None), float, complex, type(Ellipsis))
_BRACKETS: Dict[type, Tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


def snapshot(value: Any) -> Shot:
    kind = type(value)
    text, whole = _text(value, DEPTH, CHARACTERS)
    return [kind.__name__, text, not whole]


def _text(value: Any, depth: int, room: int) -> Tuple[str, bool]:
    """A text of at most about `room` characters, and whether it holds everything."""
    kind = type(value)
    if kind in _ATOMS:
        return repr(value), True
    if kind is int:
        if value.bit_length() > 4 * room:
            return "<int of %d bits>" % value.bit_length(), False
        return repr(value), True
    if kind is str or kind is bytes:
        if len(value) <= room:
            return repr(value), True
        return "%r... (%d)" % (value[: room // 2], len(value)), False
    if kind in _BRACKETS or kind is dict:
        return _container(value, kind, depth, room)
    if issubclass(kind, type):
        return "<class %s>" % type.__getattribute__(value, "__name__"), True
    name = kind.__name__
    if kind.__module__ == "builtins":
        if name in ("function", "builtin_function_or_method", "method", "module"):
            return "<%s %s>" % (name, value.__name__ if name != "method" else ""), True
        if kind is range:
            return repr(value), True
        return "<%s>" % name, False
    return _object(value, name, depth, room)


def _container(value: Any, kind: type, depth: int, room: int) -> Tuple[str, bool]:
    size = len(value)
    if kind is dict:
        left, right = "{", "}"
    else:
        left, right = _BRACKETS[kind]
        if kind is set and not size:
            left, right = "set(", ")"
    if depth <= 0 and size:
        return "%s... %d%s" % (left, size, right), False
    parts: List[str] = []
    whole = size <= HEAD + TAIL
    used = 0
    try:
        items = list(value.items()) if kind is dict else list(value)
    except RuntimeError:  # another thread changes it
        return "%s... %d%s" % (left, size, right), False
    chosen = items if whole else items[:HEAD] + items[len(items) - TAIL :]
    for index, item in enumerate(chosen):
        if not whole and index == HEAD:
            parts.append("... %d more" % (size - HEAD - TAIL))
        if used > room:
            parts.append("... of %d" % size)
            whole = False
            break
        if kind is dict:
            key, complete = _text(item[0], depth - 1, room // 2)
            text, also = _text(item[1], depth - 1, room // 2)
            text, complete = "%s: %s" % (key, text), complete and also
        else:
            text, complete = _text(item, depth - 1, room // 2)
        whole = whole and complete
        used += len(text) + 2
        parts.append(text)
    comma = "," if kind is tuple and size == 1 else ""
    return left + ", ".join(parts) + comma + right, whole


def _object(value: Any, name: str, depth: int, room: int) -> Tuple[str, bool]:
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except Exception:
        attributes = None
    if type(attributes) is not dict or depth <= 0:
        return "<%s>" % name, False
    parts = []
    used, whole = 0, True
    for key, item in list(attributes.items())[:HEAD]:
        if used > room:
            whole = False
            break
        text, complete = _text(item, depth - 1, room // 3)
        whole = whole and complete
        used += len(text)
        parts.append("%s=%s" % (key, text))
    return "<%s %s>" % (name, " ".join(parts)), whole and len(attributes) <= HEAD


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
        self._frames: Dict[int, int] = {}
        self._calls = 0
        self._open: Dict[Tuple[int, int], Dict[str, Any]] = {}

    def call(self) -> None:
        """A recorded function was entered."""
        self._calls += 1
        self._frames[id(sys._getframe(1))] = self._calls

    def enter(self, block: int, names: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        count = self.hits.get(block, 0) + 1
        self.hits[block] = count
        if not self.values:
            return None
        if count > FIRST_VISITS or len(self.visits) >= VISITS:
            self.dropped += 1
            self._open.pop((block, id(sys._getframe(1))), None)
            return None
        frame = id(sys._getframe(1))
        visit = {
            "block": block,
            "frame": self._frames.get(frame, 0),
            "before": self._take(self.blocks[block][0], names),
            "left": False,
        }
        self.visits.append(visit)
        self._open[block, frame] = visit
        return visit

    def leave(self, block: int, names: Dict[str, Any]) -> None:
        visit = self._open.pop((block, id(sys._getframe(1))), None)
        if visit is not None:
            visit["after"] = self._take(self.blocks[block][1], names)
            visit["left"] = True

    def returns(self, block: int, value: Any, names: Dict[str, Any]) -> Any:
        visit = self._open.pop((block, id(sys._getframe(1))), None)
        if visit is not None:
            visit["after"] = self._take(self.blocks[block][1], names)
            visit["left"] = True
            visit["result"] = snapshot(value)
        return value

    def decides(self, visit: Optional[Dict[str, Any]], value: Any) -> Any:
        if visit is not None:
            visit["left"] = True
            visit["result"] = snapshot(value)
        return value

    def _take(self, wanted: List[str], names: Dict[str, Any]) -> Dict[str, Shot]:
        return {name: snapshot(names[name]) for name in wanted if name in names}

    def report(self) -> Dict[str, Any]:
        """The case so far, ready for JSON."""
        return {
            "hits": [[block, count] for block, count in list(self.hits.items())],
            "visits": list(self.visits),
            "dropped": self.dropped,
        }
