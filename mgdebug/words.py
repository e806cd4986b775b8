"""How a repair stands and how it ended, in words: what every face says alike.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mgdebug.model import Evidence, Mended, Partial, Repair, Stop
from mgdebug.states import printable, shown

if TYPE_CHECKING:
    from mgdebug.session.account import Account

VALUE_CHARACTERS = 70


def counted(account: Account) -> str:
    """How the cases ended: "2 failing, 7 passed"; "" before they were run."""
    failing, passing, flaky = len(account.failing), account.passing, len(account.flaky)
    both = ((failing, "failing"), (passing, "passed"), (flaky, "flaky"))
    return ", ".join(f"{count} {word}" for count, word in both if count)


def passes(count: int) -> str:
    """How many cases pass, as a sentence has it."""
    return "1 case passes" if count == 1 else f"{count} cases pass"


def explanation(repair: Repair) -> list[str]:
    """Two lines: what was wrong, and the values that showed it; a third for what is not proved.  Of
    a whole repository a line for each group."""
    best = repair.best
    if best is None:
        return []
    kept = [one for one in repair.groups if one.kept]
    if kept:
        where = len({path for one in kept for path in one.paths})
        changes = "one change" if len(kept) == 1 else f"{len(kept)} changes"
        lines = [f"{changes} in {'one file' if where == 1 else f'{where} files'}"]
        lines += [f"{printable(one.note)}{_shown(one)}" for one in kept]
        return [*lines, unproved(repair)] if repair.stand_ins else lines
    lines = [best.patches[0].note]
    if best.evidence is not None:
        lines.append(proof(best.evidence))
    elif repair.after is not None:
        fixed = [case for case in repair.before.failed if case in repair.after.passed]
        if fixed:
            some = f"{len(fixed)} failing cases pass" if fixed[1:] else "1 failing case passes"
            lines.append(f"{some} with it, such as {fixed[0]}")
    return [*lines, unproved(repair)] if repair.stand_ins else lines


def proof(evidence: Evidence) -> str:
    """Where the failing run and the patched run part, with both values."""
    was = shown(evidence.was, VALUE_CHARACTERS) if evidence.was else "never there"
    now = shown(evidence.now, VALUE_CHARACTERS) if evidence.now else "never there"
    where = f"in {printable(evidence.case)}, line {evidence.line}"
    return f"{where}: {printable(evidence.name)} was {was}; with the patch {now}"


def _shown(one: Mended) -> str:
    """How many cases a change of a group mends, and a value that shows it."""
    values = f"; {proof(one.evidence)}" if one.evidence is not None else ""
    others = f", {one.others} other patches pass too" if one.others else ""
    return f" ({_cases(one.gained)}{others}){values}"


def diff_text(diff: str) -> str:
    """A diff, one character a byte, as characters; what is no UTF-8 shows as escapes."""
    return diff.encode("latin-1", "replace").decode("utf-8", "backslashreplace")


def gains(partial: Partial) -> str:
    """What the best patch does where none makes all cases pass."""
    pass_ = "passes" if partial.gained == 1 else "pass"
    return f"{partial.gained} of {partial.failing} failing cases {pass_} with it, none breaks"


def unproved(repair: Repair) -> str:
    """What the cases do not prove, since they ran with stand-ins; "" where they ran without."""
    names = ", ".join(map(printable, repair.stand_ins))
    return f"with stand-ins for {names}: what depends on them is not proved" if names else ""


def reach(repair: Repair) -> str:
    """How far the patch goes."""
    left = repair.after.failed if repair.after is not None else ()
    if not left and not repair.uncollected:
        return "a patch makes all cases pass"
    failing = {*repair.before.failed}
    return f"a patch makes {len(failing - {*left})} of {len(failing)} failing cases pass"


def effort(repair: Repair) -> str:
    """What it took: patches, seconds, and of a whole repository the runs of all its cases."""
    runs = repair.whole_runs
    whole = f"all cases ran {'once' if runs == 1 else f'{runs} times'}, " if runs else ""
    return f"{whole}{repair.tried} patches tried, {repair.seconds:.1f} s"


def unmended(repair: Repair) -> list[str]:
    """Of a whole repository: the groups of failing cases that have no patch, a line each."""
    return [
        f"no patch for {printable(one.group.suspect)}: "
        f"{_cases(one.group.cases)}, such as {printable(one.group.cases[0])}; {printable(one.why)}"
        for one in repair.groups
        if not one.kept and not one.gained
    ]


def _cases(cases: Sequence[str]) -> str:
    return "1 case" if len(cases) == 1 else f"{len(cases)} cases"


def farewell(repair: Repair) -> tuple[str, str]:
    """Without a patch: what happened, and the next step."""
    failing = len(repair.before.failed)
    cases = f"{failing} case{'s' if failing != 1 else ''} still failing"
    tried = f"{repair.tried} patches tried in {repair.seconds:.0f} s"
    match repair.stop:
        case Stop.CLEAN:
            passed = len(repair.before.passed)
            odd = f", {unproved(repair)}" if repair.stand_ins else ""
            return f"{passed} passed{odd}; nothing to fix", ""
        case Stop.NO_CASES:
            return "no tests: nothing says what is right", (
                "name them with --tests PATH, or say what is right with FILE --case 'f(3) == 9'"
            )
        case Stop.UNCOLLECTED:
            passed = len(repair.before.passed)
            what = ", ".join(repair.uncollected[:3])
            return f"{passed} passed, but {what} could not be collected", (
                "mend what the warnings above show, then run mgdebug again"
            )
        case Stop.SECONDS:
            return f"{cases}; {tried}; the time limit ended the search", (
                "give it longer with --time SECONDS, or narrow it to FILE::FUNCTION"
            )
        case Stop.PATCHES:
            return f"{cases}; {tried}; the limit of tries ended the search", "raise `patches`"
        case Stop.EXHAUSTED:
            return f"{cases}; {tried}; no single small change mends them", (
                "name the suspect (FILE::FUNCTION) and the cases that matter (--tests PATH::NAME)"
            )
        case Stop.CANCELLED:
            return f"{cases}; {tried}; stopped", "run it again to search on from the start"
        case Stop.UNTRACED:
            return f"{cases}; none of the project's own code runs in them", (
                "name the file to search: mgdebug fix FILE"
            )
        case Stop.FLAKY:
            return "only flaky cases fail: they pass when run again", (
                "make them end alike each time first"
            )
        case _:
            return f"{cases}; {repair.stop}", ""
