"""SARIF 2.1.0: a result for each case that is red, with the patch as its fix.

Regions are lines and columns of the text, without a byte order mark, in code points; so they hold
in any encoding and with any end of lines.  Paths are those in the repository, as GitHub's code
scanning wants them.  Who reads it: https://docs.oasis-open.org/sarif/sarif/v2.1.0/
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from mgdebug import __version__
from mgdebug.errors import CLEAN, ENVIRONMENT, FAILURES, INTERRUPTED, NO_CASES, USAGE
from mgdebug.formats.report import Finding, Kind, Place, Report, spelled
from mgdebug.words import explanation

Data = dict[str, Any]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"  # what code scanning calls the root of the repository
_TOLD = {
    CLEAN: "nothing fails, or it was fixed",
    FAILURES: "failures remain, or a patch was not applied",
    USAGE: "usage",
    ENVIRONMENT: "environment or model",
    NO_CASES: "no tests",
    INTERRUPTED: "interrupted",
}
_RULES = {
    Kind.FAILING: (
        "FailingTest",
        "error",
        "A test fails",
        "The code does not do what a test says.",
    ),
    Kind.UNCOLLECTED: (
        *("UncollectedTest", "error", "A test could not be collected"),
        "A file of tests could not be imported, so that what it says was not asked.",
    ),
    Kind.FLAKY: (
        *("FlakyTest", "warning", "A test does not end alike each time"),
        "A test failed and passed when it was run again; no patch was looked for.",
    ),
}


def text(report: Report) -> str:
    """The document.  Its fixes are for the files as they were before the patch."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}
    return json.dumps(log, indent=2) + "\n"


def _run(report: Report) -> Data:
    rules = [_rule(kind) for kind in _RULES]
    found: Data = {
        "tool": {"driver": {"name": "mgdebug", "semanticVersion": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(report)],
        "results": [_result(finding, report) for finding in report.findings],
    }
    artifacts = [_artifact(path, report) for path in report.fixes]
    if artifacts:
        found["artifacts"] = artifacts
    return found


def _rule(kind: Kind) -> Data:
    name, level, short, full = _RULES[kind]
    return {
        "id": f"mgdebug/{kind}",
        "name": name,
        "shortDescription": {"text": f"{short}."},
        "fullDescription": {"text": full},
        "help": {"text": "Run `mgdebug fix` in the project to see why, and a patch."},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["correctness", "test"], "problem.severity": level},
    }


def _invocation(report: Report) -> Data:
    told = [
        {"level": "warning", "message": {"text": spelled(warned.message)}}
        for warned in report.account.warnings
    ]
    said, hint = report.stands
    level = "error" if report.trouble else "note"
    told.append({"level": level, "message": {"text": f"{said}; next: {hint}" if hint else said}})
    found: Data = {
        "executionSuccessful": not report.trouble,
        "exitCode": report.code,
        "toolExecutionNotifications": told,
    }
    if report.code in _TOLD:
        found["exitCodeDescription"] = _TOLD[report.code]
    return found


def _artifact(path: str, report: Report) -> Data:
    source = report.before[path]
    return {
        "location": _location(Place(path), report)["artifactLocation"],
        "encoding": source.encoding,
        "hashes": {"sha-256": source.sha256},
    }


def _result(finding: Finding, report: Report) -> Data:
    done = report.account.repair
    lines = [finding.said, *([finding.why] if finding.why else [])]
    if finding.mended and done is not None and done.best is not None:
        first, *rest = explanation(done)
        lines += [f"With the patch it passes: {first}", *rest]
        lines += [f"The patch is flagged: {flag}" for flag in done.best.flags]
    elif finding.suspects:
        lines.append(f"Suspect: {finding.suspects[0][1]}")
    outcome = finding.outcome
    case = outcome.case.encode("utf-8", "backslashreplace")
    found: Data = {
        "ruleId": f"mgdebug/{finding.kind}",
        "ruleIndex": [*_RULES].index(finding.kind),
        "level": _RULES[finding.kind][1],
        "message": {"text": spelled("\n".join(lines))},
        "locations": [{"physicalLocation": _location(finding.place, report)}],
        "partialFingerprints": {"mgdebugCase/v1": hashlib.sha256(case).hexdigest()},
        "properties": {"case": spelled(outcome.case), "status": str(outcome.status)},
    }
    related = [
        {"id": at, "physicalLocation": _location(place, report), "message": {"text": said}}
        for at, (place, said) in enumerate(_related(finding), 1)
    ]
    if related:
        found["relatedLocations"] = related
    if finding.mended and report.fixes:
        found["fixes"] = [_fix(report)]
    return found


def _related(finding: Finding) -> Iterator[tuple[Place, str]]:
    if finding.parted is not None:
        yield finding.parted, finding.why
    if finding.failed is not None and finding.failed.line != finding.place.line:
        yield finding.failed, "where it failed"
    for place, said in finding.suspects:
        if place != finding.place:
            yield place, f"suspect: {said}"


def _fix(report: Report) -> Data:
    assert report.best is not None
    changes = []
    for path, replacements in report.fixes.items():
        changes.append(
            {
                "artifactLocation": _location(Place(path), report)["artifactLocation"],
                "replacements": [
                    {"deletedRegion": _region(place), "insertedContent": {"text": inserted}}
                    for place, inserted in replacements
                ],
            }
        )
    note = spelled(report.best.patches[0].note)
    return {"description": {"text": note}, "artifactChanges": changes}


def _location(place: Place, report: Report) -> Data:
    path = report.path(place)
    try:
        uri = quote(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # no bytes of a name: a lone surrogate that something else made
        uri = quote(path.encode("utf-8", "backslashreplace"))
    where = {"uri": uri, "uriBaseId": _ROOT}
    return {"artifactLocation": where, "region": _region(place)}


def _region(place: Place) -> Data:
    found = {"startLine": place.line}
    if place.column:
        found["startColumn"] = place.column
    if place.last > place.line or place.column:
        found["endLine"] = place.last
    if place.end:
        found["endColumn"] = place.end
    return found
