"""Runs the user's code, always in other processes: the only room that knows the probe.

pool gives work to the workers, worker is one interpreter of the project, answers reads what it
sends, plan says which cases a try runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mgdebug.runner.answers import Run
    from mgdebug.runner.plan import Plan
    from mgdebug.runner.pool import OutOfTime, Runner, Sources
    from mgdebug.runner.tries import was_cut

__all__ = ["OutOfTime", "Plan", "Run", "Runner", "Sources", "was_cut"]

_HOMES = {"Run": "answers", "Plan": "plan", "was_cut": "tries"}


def __getattr__(name: str) -> Any:
    """Loaded when it is wanted: a hook starts a worker before it needs the rest (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'pool')}"), name)
