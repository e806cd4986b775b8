"""Texts of the tables of pandas, read from the arrays that they keep: see libraries."""

from contextlib import suppress
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import secrets
from .arrays import is_array, method, write_flat
from .containers import container
from .objects import attributes, slot
from .pen import Pen, Text, Writer, name_of

_HEADS = slice(0, 64)
_ARROW = ("ArrowStringArray", "ArrowStringArrayNumpySemantics", "ArrowExtensionArray")


class NA:
    """What is missing."""


def _sequence(size: int, at: Callable[[int], Any], depth: int, room: int, pen: Pen) -> Text:
    ends = map(at, range(size)), map(at, range(size - 1, -1, -1))
    return container(size, "[", "]", *ends, depth, room, pen)


def _values(held: Any, depth: int, room: int, pen: Pen, line: int = -1) -> Text:
    """Of an array that pandas keeps, or (line) of one line of it."""
    kind = type(held)
    if kind is range:
        return pen.write(held, depth, room)
    if not is_array(kind):
        return _extension(held, kind, depth, room, pen, line)
    if line >= 0 and len(slot(held, kind, "shape")) == 2:
        held = method(kind, "__getitem__")(held, line)
    return write_flat(held, kind, depth, room, pen)


def _extension(held: Any, kind: type, depth: int, room: int, pen: Pen, line: int) -> Text:
    name = name_of(kind)
    if name in ("StringArray", "DatetimeArray", "TimedeltaArray", "NumpyExtensionArray"):
        return _values(slot(held, kind, "_ndarray"), depth, room, pen, line)
    if name == "Categorical":
        codes, labels = slot(held, kind, "_ndarray"), slot(held, kind, "_dtype")
        code, label = (
            method(type(codes), "item"),
            _getter(slot(labels, type(labels), "_categories")),
        )
        size = slot(codes, type(codes), "size")

        def chosen(at: int) -> Any:
            number = code(codes, at)
            return label(number) if number >= 0 else NA()

        return _sequence(size, chosen, depth, room, pen)
    if name in ("IntegerArray", "FloatingArray", "BooleanArray"):
        data, gaps = slot(held, kind, "_data"), slot(held, kind, "_mask")
        item, gap = method(type(data), "item"), method(type(gaps), "item")
        size = slot(data, type(data), "size")
        return _sequence(
            size, lambda at: NA() if gap(gaps, at) else item(data, at), depth, room, pen
        )
    if name in _ARROW:
        data = slot(held, kind, "_pa_array")
        return _sequence(len(data), lambda at: data.slice(at, 1).to_pylist()[0], depth, room, pen)
    return "<%s>" % name, False


def _index(value: Any, depth: int, room: int, pen: Pen) -> Text:
    held = dict(attributes(value, type(value))[0])
    if "_levels" in held:
        levels = list(list.__iter__(held["_levels"]))
        return "levels(%s)" % ", ".join(
            _index(level, depth, room // len(levels), pen)[0] for level in levels
        ), False
    return _values(held["_range"] if "_range" in held else held["_data"], depth, room, pen)


def _lone_index(value: Any, depth: int, room: int, pen: Pen) -> Text:
    text, whole = _index(value, depth, room, pen)
    return "%s(%s)" % (name_of(type(value)), text), whole


def _manager(value: Any) -> Tuple[List[Any], List[Any]]:
    """The axes and the blocks of a Series or a DataFrame."""
    manager = slot(value, type(value), "_mgr")
    kind = type(manager)
    return list(slot(manager, kind, "axes")), list(slot(manager, kind, "blocks"))


def _length(index: Any) -> int:
    held = dict(attributes(index, type(index))[0])
    if "_codes" in held:
        codes = next(list.__iter__(held["_codes"]))
        return int(slot(codes, type(codes), "size"))
    if "_range" in held:
        return len(held["_range"])
    data = held["_data"]
    if name_of(type(data)) in _ARROW:
        return len(slot(data, type(data), "_pa_array"))
    data = _backing(index)
    return int(slot(data, type(data), "size"))


def _getter(index: Any) -> Callable[[int], Any]:
    """What finds one item of an index by its place."""
    data = slot(index, type(index), "_data")
    if name_of(type(data)) in _ARROW:
        kept = slot(data, type(data), "_pa_array")
        return lambda at: kept.slice(at, 1).to_pylist()[0]
    data = _backing(index)
    item = method(type(data), "item")
    return lambda at: item(data, at)


def _backing(index: Any) -> Any:
    """The numpy array behind an index."""
    data = slot(index, type(index), "_data")
    for name in ("_ndarray", "_data"):
        if is_array(type(data)):
            break
        with suppress(LookupError):
            data = slot(data, type(data), name)
    return data


def _rows(index: Any, depth: int, room: int, pen: Pen) -> str:
    """The index, if it says more than the numbers of the rows."""
    held = dict(attributes(index, type(index))[0]).get("_range")
    if type(held) is range and held.start == 0 and held.step == 1:
        return ""
    return ", index=" + _index(index, depth, room, pen)[0]


def _series(value: Any, depth: int, room: int, pen: Pen) -> Text:
    axes, blocks = _manager(value)
    pen.names = True
    size = _length(axes[0])
    if depth <= 0:
        return "Series(... %d)" % size, False
    name = dict(attributes(value, type(value))[0]).get("_name")
    held = slot(blocks[0], type(blocks[0]), "values")
    shown = _values(held, depth, room * 2 // 3, pen)
    if type(name) is str and pen.careful:
        outer, pen.secret = pen.secret, pen.secret or secrets.hidden(name)
        shown = _values(held, depth, room * 2 // 3, pen)
        pen.secret = outer
    about = _rows(axes[0], depth, room // 3, pen)
    if name is not None:
        about += ", name=" + pen.write(name, depth - 1, room // 4)[0]
    return "Series(%s%s)" % (shown[0], about), shown[1]


def _frame(value: Any, depth: int, room: int, pen: Pen) -> Text:
    axes, blocks = _manager(value)
    pen.names = True
    columns, rows = _length(axes[0]), _length(axes[1])
    about = "shape=(%d, %d)" % (rows, columns)
    if depth <= 0:
        return "DataFrame(%s)" % about, False
    places: Dict[int, Tuple[Any, int]] = {}
    for block in blocks[:200]:
        kind = type(block)
        placement = slot(block, kind, "_mgr_locs")
        numbers = slot(placement, type(placement), "as_array")
        held = slot(block, kind, "values")
        for line, place in enumerate(method(type(numbers), "__getitem__")(numbers, _HEADS)):
            places[int(place)] = held, line
    names = _labels(axes[0])
    parts: List[str] = []
    whole = columns <= len(names)
    used = 0
    for at, name in enumerate(names):
        if at not in places or used > room:
            whole = False
            break
        held, line = places[at]
        label, _ = pen.write(name, depth - 1, room // 4)
        outer = pen.secret
        if pen.careful and type(name) is str:
            pen.secret = outer or secrets.hidden(name)
        text, complete = _values(held, depth, max(40, room // min(columns, 4)), pen, line)
        pen.secret = outer
        whole = whole and complete
        used += len(label) + len(text) + 4
        parts.append("%s: %s" % (label, text))
    if len(parts) < columns:
        parts.append("... %d more" % (columns - len(parts)))
    about = _rows(axes[1], depth, room // 4, pen)[2:] + ", " + about
    return "DataFrame({%s}, %s)" % (", ".join(parts), about.lstrip(", ")), whole


def _labels(index: Any) -> List[Any]:
    """The first names of columns."""
    held = dict(attributes(index, type(index))[0])
    if "_range" in held:
        return list(held["_range"][:64])
    data = held.get("_data")
    if data is None:
        return []
    if name_of(type(data)) in _ARROW:
        return list(slot(data, type(data), "_pa_array").slice(0, 64).to_pylist())
    data = _backing(index)
    kind = type(data)
    return list(method(kind, "tolist")(method(kind, "__getitem__")(data, _HEADS)))


_INDEXES = ("Index", "RangeIndex", "DatetimeIndex", "TimedeltaIndex", "MultiIndex")
_OLDER = ("CategoricalIndex", "Int64Index", "Float64Index", "UInt64Index")
TABLES: Dict[Tuple[str, str], Writer] = {
    ("pandas", "Series"): _series,
    ("pandas", "DataFrame"): _frame,
    **{("pandas", name): _lone_index for name in _INDEXES + _OLDER},
}


def rows_of(value: Any, kind: type) -> Optional[int]:
    """How many rows a table, a column or an index has, None for anything else.  kind: a type that
    libraries knows."""
    name = name_of(kind)
    try:
        if name in ("Series", "DataFrame"):
            return _length(_manager(value)[0][-1])
        return _length(value) if ("pandas", name) in TABLES else None
    except (LookupError, AttributeError, TypeError, ValueError):
        return None
