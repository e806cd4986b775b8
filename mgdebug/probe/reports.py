"""The functions that probes call, one for each site, made for the number of its values.

They are on the way of every visit that is recorded, so that each is written out: exec of a
template, as namedtuple does it.
"""

import sys
import types
from _thread import get_ident
from functools import partial
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from .keep import ABSENT, Taken
from .secrets import rank
from .sites import CALL_NAME, Site
from .snapshot import snapshot

_CO_OPTIMIZED = 0x1  # the code of a function, not of a module or a class body


def _kind_of_locals() -> type:
    """A dict that the frame keeps, or (PEP 667) a view of the frame."""
    return type(sys._getframe().f_locals)


_LOCALS = _kind_of_locals()


def looked_up(frame: types.FrameType, names: Iterable[str]) -> Tuple[Any, ...]:
    """What names are bound to, as the frame itself says."""
    known: Any = frame.f_locals
    kind = type(known)
    if kind is not _LOCALS and not issubclass(kind, dict):
        return tuple(ABSENT for _ in names)  # a class body whose metaclass prepared its own
    outer, code = frame.f_globals, frame.f_code
    own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    found = []
    for name in names:
        value = known.get(name, ABSENT) if kind is _LOCALS else dict.get(known, name, ABSENT)
        if value is ABSENT and type(outer) is dict and name not in own:
            value = outer.get(name, ABSENT)
        found.append(value)
    if kind is dict and frame.f_code.co_flags & _CO_OPTIMIZED and sys.getrefcount(known) <= 3:
        known.clear()  # nobody else has it, and what it holds would live longer
    return tuple(found)


Made = Tuple[Any, Any, Any]  # for values handed over, for values asked for, for what it may record
_MADE = "site, append, keep, slow, hide, other, main, ident, waiting, tell, getframe"


def _start(site: Site, recorder: Any) -> Made:
    few = ["a%d" % at for at in range(len(site.names))]
    more = ["b%d" % at for at in range(len(site.more))]
    told = "f" if site.kind == "lambda" else "0"
    every = "(%s)" % "".join(name + ", " for name in (*few, *more))
    missed = "slow(site, f, %s)" % every
    lines = [
        "def make(%s):" % _MADE,
        "    number = site.number",
        "    left = 0",
        "    def record(%s):" % ", ".join(["f", *few, *more]),
        "        nonlocal left",
        "        if left:",
        "            left -= 1",
        *(["            if ident() != main: other(f)"] if site.kind == "call" else []),
        *("            " + line for line in _keeping(site, few)),
        "            append((%s))" % ", ".join(["number", "f", *few]),
        *(["            tell(f, getframe(1))"] if site.tells else []),
        "            return " + told,
        "        return " + ("0 if %s else f" % missed if site.kind == "lambda" else missed),
        "    def take():",
        "        nonlocal left",
        "        if left:",
        "            left -= 1",
        "            return True",
        "        return False",
        "    def grant(more):",
        "        nonlocal left",
        "        left = more",
        "    return record, take, grant",
    ]
    slow = recorder.part if site.kind in ("part", "lambda") else recorder.visit
    record, take, grant = _made(lines, site, recorder, slow)

    def asking(frame: int, where: Optional[types.FrameType] = None) -> int:
        told: int = recorder.ask(site, frame, where or sys._getframe(1), take)
        return told

    return (asking if site.asks else record), asking, grant


def _keeping(site: Site, names: List[str]) -> Iterator[str]:
    for name, argument in zip(site.names, names):
        if rank(name):
            yield "%s = hide(%s, %r)" % (argument, argument, name)
        else:
            yield "if type(%s) is not int: %s = keep(%s)" % (argument, argument, argument)


def _made(lines: List[str], site: Site, recorder: Any, slow: Any) -> Any:
    text = "\n".join(lines)
    if text not in _compiled:
        _compiled[text] = compile(text, "<a probe>", "exec")
    made: Dict[str, Any] = {}
    exec(_compiled[text], made)
    main, log = get_ident(), recorder.log

    def other(frame: int) -> None:
        log.append((None, frame, "thread", get_ident()))

    def tell(frame: int, where: types.FrameType) -> None:
        log.append((None, frame, "caller", caller(where)))

    common = (site, log.append, recorder.keep, slow, _hide, other, main, get_ident)
    return made["make"](*common, recorder.waiting, tell, sys._getframe)


_compiled: Dict[str, Any] = {}


def _hide(value: Any, name: str) -> Taken:
    return Taken(snapshot(value, name))


def caller(frame: types.FrameType) -> int:
    """The number of the frame that called one, 0 where it has none, -1 where that is not known."""
    above = frame.f_back
    while above is not None and above.f_code.co_name in _INLINE:
        above = above.f_back
    if above is None or CALL_NAME not in above.f_code.co_varnames + above.f_code.co_cellvars:
        return -1
    (number,) = looked_up(above, [CALL_NAME])
    return number if type(number) is int else -1


_INLINE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


def line_of_error() -> int:
    """Of the exception that is being handled: the line of this frame where it came up."""
    trace = getattr(sys.exc_info()[1], "__traceback__", None)
    return trace.tb_lineno if trace is not None else 0


def caught(*, around: bool = False, hides: str = "") -> Tuple[int, bool, Any]:
    """Of the exception that is being handled: the line of this frame where it came up, whether it
    was raised there rather than further in, and what it is.  around: of the one around it, since
    that one is a probe's own.  hides: the name of a secret that may be in it."""
    error = sys.exc_info()[1]
    if around and error is not None:
        error = error.__context__
    trace = getattr(error, "__traceback__", None)
    if error is None or trace is None:
        return 0, False, None
    return (
        trace.tb_lineno,
        trace.tb_next is None,
        Taken(snapshot(error, hides)),
    )


def _handler(site: Site, recorder: Any) -> Made:
    """With the exception: before the visit where it closes another one, else behind it."""
    record, asking, grant = _start(site, recorder)
    log, waiting = recorder.log, recorder.waiting
    what = "caught" if site.kind == "handler" else "passing"

    def telling(frame: int, error: Tuple[int, bool, Any], begin: Callable[[], Any]) -> Any:
        """begin: tells the visit itself."""
        closes = not recorder.closed and (not recorder.gapped or frame in waiting)
        if closes and error[0]:
            log.append((None, frame, what, *error))
        told = begin()
        if not told and not closes and error[0]:
            log.append((None, frame, what, *error))
        return told

    def handled(frame: int, *values: Any) -> Any:
        return telling(frame, caught(hides=site.hides), lambda: record(frame, *values))

    def asked(frame: int) -> Any:
        where = sys._getframe(1)
        error = caught(around=not site.asks, hides=site.hides)
        return telling(frame, error, lambda: asking(frame, where))

    return (asked if site.asks else handled), asked, grant


def _decide(site: Site, recorder: Any) -> Made:
    append, number = recorder.log.append, site.number
    keep = partial(_hide, name=site.hides) if site.hides else recorder.keep

    def decides(go: Any, frame: int, value: Any) -> Any:
        if not go:
            append((number, frame, value if value is True or value is False else keep(value)))
        return value

    def checked(go: Any, frame: int, value: Any) -> Any:
        if recorder.begun.get(frame) == site.block:
            append((number, frame, keep(value)))
        return value

    return (checked if site.asks else decides), None, None


def _answer(site: Site, recorder: Any) -> Made:
    append, number = recorder.log.append, site.number
    keep = partial(_hide, name=site.hides) if site.hides else recorder.keep

    def answers(frame: int, nothing: int, value: Any) -> Any:
        if frame:
            append((number, frame, keep(value)))
        return value

    return answers, None, None


def _return(site: Site, recorder: Any) -> Made:
    few = ["a%d" % at for at in range(len(site.names))]
    lines = [
        "def make(%s):" % _MADE,
        "    number = site.number",
        "    def record(%s):" % ", ".join(["go", "f", "value", *few]),
        "        if go: return value",
        "        shown = value",
        "        shown = hide(value, site.hides)"
        if site.hides
        else "        if type(value) is not int: shown = keep(value)",
        *("        " + line for line in _keeping(site, few)),
        "        append((%s))" % ", ".join(["number", "f", "shown", *few]),
        "        if waiting: waiting.pop(f, None)",
        "        return value",
        "    return record",
    ]
    record = _made(lines, site, recorder, None)
    if not site.asks:
        return record, None, None

    def checked(go: Any, frame: int, value: Any, *values: Any) -> Any:
        if recorder.begun.get(frame, -1) < 0:
            return value
        return record(0, frame, value, *values)

    return checked, None, None


def _leave(site: Site, recorder: Any) -> Made:
    def leaves(frame: int) -> None:
        recorder.leaves(site, frame, sys._getframe(1))

    return leaves, None, None


MAKERS: Dict[str, Callable[[Site, Any], Made]] = {
    "enter": _start,
    "call": _start,
    "end": _start,
    "part": _start,
    "lambda": _start,
    "handler": _handler,
    "finally": _handler,
    "decide": _decide,
    "answer": _answer,
    "return": _return,
    "raise": _leave,
    "leave": _leave,
}
