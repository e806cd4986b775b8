"""JUnit XML as pytest's --junitxml writes it (xunit2), with what was found out in <system-out>."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from mgdebug import __version__
from mgdebug.formats.report import Finding, Kind, Report, spelled
from mgdebug.model import Outcome, Status
from mgdebug.words import diff_text, explanation, gains

_ERRORS = (Status.CRASHED, Status.NOT_RUN)


def text(report: Report) -> str:
    """The document.  What XML cannot hold is spelled out."""
    red = {finding.outcome.case: finding for finding in report.findings}
    account = report.account
    suite = ElementTree.Element("testsuite", {"name": "mgdebug"})
    _properties(suite, _facts(report))
    cases = [_case(one, red.get(one.case), report) for one in account.outcomes.values()]
    missed = [one for one in report.findings if one.kind is Kind.UNCOLLECTED]
    cases += [_case(one.outcome, one, report) for one in missed]
    if report.trouble:
        cases.append(_trouble(report))
    suite.extend(cases)
    for name, tag in (("errors", "error"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("time", f"{sum(one.seconds for one in account.outcomes.values()):.3f}")
    whole = ElementTree.Element("testsuites", {"name": "mgdebug tests"})
    whole.append(suite)
    ElementTree.indent(whole, "")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(whole, "unicode")}\n'


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    yield "mgdebug.version", __version__
    yield "mgdebug.exit_code", str(report.code)
    yield "mgdebug.stands", report.stands[0]
    if report.best is not None:
        yield "mgdebug.patch", report.best.patches[0].note


def _properties(parent: ElementTree.Element, facts: Iterator[tuple[str, str]]) -> None:
    box = ElementTree.SubElement(parent, "properties")
    for name, value in facts:
        ElementTree.SubElement(box, "property", {"name": name, "value": spelled(value)})


def _case(outcome: Outcome, finding: Finding | None, report: Report) -> ElementTree.Element:
    classname, name = _address(outcome.case)
    case = ElementTree.Element(
        "testcase",
        {
            "classname": spelled(classname),
            "name": spelled(name),
            "time": f"{outcome.seconds:.3f}",
        },
    )
    message = spelled(outcome.message)
    if finding is not None:
        flaky = "flaky, it passed when it was run again: " * (finding.kind is Kind.FLAKY)
        tag = "error" if outcome.status in _ERRORS else "failure"
        said = {"message": flaky + (message or str(outcome.status))}
        ElementTree.SubElement(case, tag, said).text = spelled(outcome.detail)
        out = "\n".join(_found(finding, report))
        if out:
            ElementTree.SubElement(case, "system-out").text = spelled(out)
    elif outcome.status is Status.SKIPPED:
        ElementTree.SubElement(case, "skipped", {"type": "pytest.skip", "message": message})
    return case


def _trouble(report: Report) -> ElementTree.Element:
    said, hint = report.stands
    case = ElementTree.Element("testcase", {"classname": "", "name": "mgdebug", "time": "0.000"})
    ElementTree.SubElement(case, "error", {"message": spelled(said)}).text = spelled(hint)
    return case


def _found(finding: Finding, report: Report) -> Iterator[str]:
    """What was found out about a case, a line each."""
    if finding.why:
        yield f"divergence: {finding.why}"
    for place, said in finding.suspects:
        yield f"suspect: {report.path(place)}: {said}"
    done = report.account.repair
    if done is None:
        return
    if finding.mended and done.best is not None:
        yield from (f"patch: {line}" for line in explanation(done))
        yield from (f"flagged: {flag}" for flag in done.best.flags)
        yield from ("", diff_text(done.best.diff))
    elif done.partial is not None and finding.kind is Kind.FAILING:
        yield f"best so far: {done.partial.patch.note}: {gains(done.partial)}"
        yield from ("", diff_text(done.partial.diff))


def _address(case: str) -> tuple[str, str]:
    """The class and the name of a case, as pytest tells them from its id."""
    path, bracket, parameters = case.partition("[")
    names = path.split("::")
    names[0] = re.sub(r"\.py$", "", names[0].replace("/", ".")) if names[1:] else names[0]
    names[-1] += bracket + parameters
    return ".".join(names[:-1]), names[-1]
