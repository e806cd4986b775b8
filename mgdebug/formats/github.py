"""GitHub Actions: annotations as workflow commands in the log, and the summary of a step.

Of each kind of annotation GitHub shows the first ten of a step; the log and the summary have all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mgdebug.formats.report import Finding, Kind, Place, Report, spelled
from mgdebug.words import diff_text, explanation, gains, passes

SHOWN = 10  # annotations of a kind that GitHub shows
SUMMARY_CASES = 50  # others are counted
DIFF_CHARACTERS = 200_000  # a summary may have a mebibyte


def text(report: Report) -> str:
    """The workflow commands, a line each; "" where nothing is red."""
    return "".join(f"{line}\n" for line in _commands(report))


def summary(report: Report) -> str:
    """Markdown for the file that $GITHUB_STEP_SUMMARY names; "" where nothing is red."""
    if not report.findings and not report.trouble:
        return ""
    parts = ["## mgdebug", "", *_cases(report), *_suspects(report), *_patch(report)]
    if report.best is None or report.applied or report.trouble:
        said, hint = report.stands
        parts += ["", _plain(f"{said}; next: {hint}" if hint else said)]
    return "\n".join(parts) + "\n"


def _commands(report: Report) -> Iterator[str]:
    found = _spread(report.findings)
    red = [finding for finding in found if finding.kind is not Kind.FLAKY]
    if report.best is not None:
        yield _patched(report)
    elif red and not report.trouble:
        said, hint = report.stands
        yield _command("notice", None, "mgdebug", "\n".join(filter(None, (said, hint))))
    if len(red) > SHOWN:
        more = f"{len(red)} are red; the first {SHOWN} are shown here, the log has all of them"
        yield _command("warning", None, "mgdebug", more)
    if report.trouble or (report.code and not found):
        yield _command("error", None, "mgdebug", "\n".join(filter(None, report.stands)))
    for finding in found:
        kind = "warning" if finding.kind is Kind.FLAKY else "error"
        place, lines = finding.place, [finding.said, *_hints(report, finding)]
        path = report.path(place) if place.path else ""
        yield _command(kind, (path, place), finding.outcome.case, "\n".join(lines))


def _spread(findings: Sequence[Finding]) -> list[Finding]:
    """In an order in which the first ones are of as many places as there are."""
    seen: Counter[tuple[Kind, Place]] = Counter()
    ranks = []
    for finding in findings:
        ranks.append(seen[finding.kind, finding.place])
        seen[finding.kind, finding.place] += 1
    kinds = [*Kind]
    order = sorted(zip(ranks, findings, strict=True), key=lambda x: (kinds.index(x[1].kind), x[0]))
    return [finding for _, finding in order]


def _hints(report: Report, finding: Finding) -> Iterator[str]:
    if finding.why:
        yield finding.why
    if finding.mended and report.best is not None:
        yield f"with the patch it passes: {report.best.patches[0].note}"
    elif finding.suspects:
        yield f"suspect: {finding.suspects[0][1]}"


def _patched(report: Report) -> str:
    best, done = report.best, report.account.repair
    assert best is not None
    assert done is not None
    lines = explanation(done)
    if done.after is not None:
        lines.append(f"{passes(len(done.after.passed))} in a fresh process")
    lines += [f"flagged: {flag}" for flag in best.flags]
    lines += filter(None, report.stands)
    edit = min(best.patches[0].edits, key=lambda e: (e.path, e.start))
    source = report.before.get(edit.path)
    place = Place(edit.path, source.line_of(edit.start) if source is not None else 1)
    kind = "warning" if best.flags else "notice"
    return _command(kind, (report.path(place), place), "mgdebug: patch", "\n".join(lines))


def _command(kind: str, where: tuple[str, Place] | None, title: str, message: str) -> str:
    """where: a path in the repository, "" for none, and the lines."""
    properties = {}
    if where is not None and where[0]:
        path, place = where
        properties = {"file": path, "line": str(place.line)}
        if place.last > place.line:
            properties["endLine"] = str(place.last)
    properties["title"] = title
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {told}::{_data(spelled(message))}"


def _data(value: str) -> str:
    """As the toolkit of Actions escapes it: what a command line may not hold."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(spelled(value)).replace(":", "%3A").replace(",", "%2C")


# ------------------------------------------------------------------------------ the summary


def _cases(report: Report) -> Iterator[str]:
    failing = [finding for finding in report.findings if finding.kind is Kind.FAILING]
    account = report.account
    if account.outcomes:
        yield f"{len(failing)} of {len(account.outcomes)} cases fail."
        yield ""
    for finding in report.findings[:SUMMARY_CASES]:
        where = f" at {_code(report.path(finding.failed), finding)}" if finding.failed else ""
        yield f"- {_code(finding.said)}{where}"
        if finding.why:
            yield f"  - {_plain(finding.why)}"
    more = len(report.findings) - SUMMARY_CASES
    if more > 0:
        yield f"- and {more} more"


def _suspects(report: Report) -> Iterator[str]:
    if report.best is not None:
        return
    found = dict.fromkeys(one for finding in report.findings for one in finding.suspects)
    if found:
        yield from ("", "Suspects:", "")
        for place, said in [*found][:SHOWN]:
            yield f"- {_code(f'{report.path(place)}:{place.line}')} {_plain(said)}"


def _patch(report: Report) -> Iterator[str]:
    done = report.account.repair
    if done is None:
        return
    if done.best is not None:
        head, *proof = explanation(done)
        yield from ("", f"### Patch: {_plain(head)}", "")
        if done.after is not None:
            proof.append(f"{passes(len(done.after.passed))} in a fresh process")
        yield from (f"- {_plain(line)}" for line in proof)
        yield from (f"- flagged: {_plain(flag)}" for flag in done.best.flags)
        diff = done.best.diff
    elif done.partial is not None:
        yield from ("", f"### Best so far: {_plain(done.partial.patch.note)}", "")
        yield f"- {gains(done.partial)}"
        diff = done.partial.diff
    else:
        return
    body = spelled(diff_text(diff)[:DIFF_CHARACTERS]).rstrip("\n")
    fence = _fence(body, 3)
    yield from ("", f"{fence}diff", body, fence)
    if done.best is not None and not report.applied:
        folder = f" in `{report.folder}`" if report.folder else ""
        yield from ("", f"To apply it{folder}: {_code(report.command)}")


def _code(text: str, finding: Finding | None = None) -> str:
    """One line as code, whatever it holds."""
    if finding is not None and finding.failed is not None:
        text = f"{text}:{finding.failed.line}"
    text = spelled(text).replace("\n", " ")
    fence = _fence(text, 1)
    space = " " * (text.startswith("`") or text.endswith("`"))
    return f"{fence}{space}{text}{space}{fence}"


def _plain(text: str) -> str:
    """One line of words; what is between back quotes is code, nothing else is obeyed."""
    parts = spelled(text).replace("\n", " ").split("`")
    if len(parts) % 2 == 0:
        return _code(text)
    marks = str.maketrans({mark: f"\\{mark}" for mark in "\\*_[]<>#|~!&@"})
    return "".join(
        (f"`{part}`" if part else "") if at % 2 else part.translate(marks)
        for at, part in enumerate(parts)
    )


def _fence(text: str, least: int) -> str:
    """Back quotes that do not stand in a text."""
    runs, run = 0, 0
    for character in text:
        run = run + 1 if character == "`" else 0
        runs = max(runs, run)
    return "`" * max(least, runs + 1)
