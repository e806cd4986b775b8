"""Runs the user's code, always in other processes: the only room that knows the probe.

pool gives work to the workers, worker is one interpreter of the project, answers reads what it
sends, plan says which cases a try runs.
"""

from mgdebug.runner.answers import Run
from mgdebug.runner.plan import Plan
from mgdebug.runner.pool import OutOfTime, Runner, Sources
from mgdebug.runner.tries import was_cut

__all__ = ["OutOfTime", "Plan", "Run", "Runner", "Sources", "was_cut"]
