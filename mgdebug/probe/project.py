"""The user's project, imported and collected in this process."""

import os
import sys
from typing import Any, Callable, Dict, List, Optional, Sequence

from . import cases, pytest_session, stand_ins
from .cases import Runnable, Trouble
from .frames import Message
from .overlay import Overlay, file_of
from .pairs import pairs

Loaded = Callable[[List[Runnable], List[Trouble]], None]


def load(
    spec: Message,
    overlay: Overlay,
    loaded: Loaded,
    plugins: Callable[[], Sequence[Any]] = tuple,
) -> str:
    """Import the project, find its cases and call `loaded` with them, inside pytest's session where
    there is one.  Returns why that did not come about, "" if it did.

    plugins: makes more of them for pytest, where that is at hand."""
    sys.path.insert(0, spec["cwd"])
    overlay.install()
    if spec.get("stand_ins"):
        stand_ins.install(spec["stand_ins"], overlay)

    def rest(found: List[Runnable], troubles: List[Trouble]) -> None:
        found, troubles = list(found), list(troubles)
        if spec["unittest"] is not None and spec["pytest"] is None:
            units, failed = cases.unittests(spec["cwd"], spec["unittest"])
            found += units
            troubles += failed
        documented, failed = cases.doctests(spec["doctest"])
        found += documented
        troubles += failed
        try:
            found += list(cases.expressions(spec["target"], spec["expressions"]))
        except SyntaxError as error:
            text = "%s: %s" % ((error.text or "").strip(), error.msg)
            troubles.append(Trouble("--case", text))
        if spec["io"]:
            found += pairs(spec["target"], [tuple(pair) for pair in spec["io"]], overlay)
        if spec["target"] and spec["expressions"]:
            try:
                cases.import_file(spec["target"])
            except BaseException as error:
                detail = cases.failure(error, True).detail
                troubles.append(Trouble(spec["target"], detail))
        loaded(_distinct(found), troubles)

    if spec["pytest"] is None:
        rest([], [])
        return ""
    code = pytest_session.run_session(
        spec["pytest"], spec["scratch"], overlay.install, rest, plugins()
    )
    return "pytest ended with exit code %d" % code


def _distinct(found: List[Runnable]) -> List[Runnable]:
    """A generated suite may hold several cases of one name."""
    seen: Dict[str, int] = {}
    for case in found:
        seen[case.id] = seen.get(case.id, 0) + 1
        if seen[case.id] > 1:
            case.id = "%s (%d)" % (case.id, seen[case.id])
    return found


def files_of(root: str) -> List[str]:
    """Files under the root that this process has imported, in the order of their import."""
    found: Dict[str, Optional[str]] = {}
    for module in list(sys.modules.values()):
        file = file_of(module)
        if file.startswith(root + os.sep) and os.path.isfile(file):
            found[os.path.realpath(file)] = None
    return list(found)
