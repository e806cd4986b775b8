"""What a run of `mgdebug fix` comes to, as the machines of others read it.

A format is a module with `text`, and a line in FORMATS.  All are folded from the same Report, and a
report of nothing is a valid, empty document.
"""

from __future__ import annotations

from importlib import import_module

from mgdebug.formats.report import Report

__all__ = ["FORMATS", "Report", "written"]

FORMATS = {
    "github": "mgdebug.formats.github",  # annotations in the log of GitHub Actions
    "sarif": "mgdebug.formats.sarif",
    "junit": "mgdebug.formats.junit",
}


def written(name: str, report: Report) -> str:
    """The document of a format, with the end of its last line.  Raises KeyError for an unknown
    one."""
    document: str = import_module(FORMATS[name]).text(report)
    return document
