"""`mgdebug hook`: what pre-commit runs on the files that are to be committed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mgdebug.cli.asked import heeds_signals
from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.cli.terminal import harmless
from mgdebug.errors import CLEAN, FAILURES, NoCasesError

if TYPE_CHECKING:
    from mgdebug.hook.checking import Checked
    from mgdebug.hook.mending import Mended
    from mgdebug.model import Repair
    from mgdebug.settings import Settings

SECONDS = 20.0
_SHOWN_CASES = 8


@click.command(
    cls=Explained,
    examples=(
        ("mgdebug hook src/mod.py", "the cases that reach it, as pre-commit runs them"),
        ("mgdebug hook --fix src/mod.py", "write the patch, for you to look at and add"),
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--fix", is_flag=True, help="Write the patch that is found into the work tree.")
@click.option(
    "--time",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=SECONDS,
    metavar="SECONDS",
    help="For all of it.  [20]",
)
@ends_cleanly
def hook(files: tuple[Path, ...], fix: bool, seconds: float) -> int:
    """Run by pre-commit on what is staged.

    Runs the cases that reach FILES, as it has seen in earlier runs, and all where it does not know.
    If some fail, it looks for a patch in FILES and prints it; nothing is written without --fix, and
    nothing is ever added to the index.

    Exit codes: 0 the cases pass, none reaches FILES, or there was no time to run them; 1 cases
    fail, or FILES were patched; 2 usage; 3 environment; 130 interrupted.
    """
    deadline = time.monotonic() + seconds
    from mgdebug import settings as setting
    from mgdebug.hook import surroundings
    from mgdebug.hook.checking import check
    from mgdebug.hook.conflicts import conflicted

    heeds_signals()
    root = setting.find_root(Path.cwd())
    staged = _staged(root, files)
    if not staged:
        return _say(CLEAN, "no file of this project was named; nothing was run")
    marked = conflicted(root, staged)
    if marked:
        return _say(FAILURES, f"{marked} has conflict markers; nothing was run")
    surroundings.clean(os.environ)
    chosen = setting.load(root, os.environ, {"time": seconds})
    python = surroundings.interpreter(root, chosen.python, os.environ)
    try:
        checked = check(root, staged, chosen, python, deadline)
    except NoCasesError as error:
        return _say(CLEAN, f"{error.message}; nothing was run")
    if checked.is_clean:
        return _say(CLEAN, _clean(checked, staged, seconds))
    return _mended(checked, root, staged, chosen, python, deadline, fix=fix)


def _staged(root: Path, files: tuple[Path, ...]) -> tuple[str, ...]:
    """Relative to the root."""
    here = Path.cwd().resolve()
    places = (Path(os.path.normpath(here / file)) for file in files)  # links stay links
    return tuple(
        dict.fromkeys(p.relative_to(root).as_posix() for p in places if p.is_relative_to(root))
    )


def _say(code: int, line: str) -> int:
    click.echo(f"mgdebug: {harmless(line)}", err=True)
    return code


# ------------------------------------------------------------------------------ how it went


def _clean(checked: Checked, staged: tuple[str, ...], seconds: float) -> str:
    choice, count = checked.choice, len(checked.outcomes)
    more = f"{', '.join(staged[:2])}{' ...' * (len(staged) > 2)}"
    if checked.late < 0:
        return f"no case could be run within {seconds:g} s: give it longer with --time SECONDS"
    if checked.late:
        some = f"{_cases(count)} ended well, " if count else ""
        line = f"{some}for {checked.late} there was no time within {seconds:g} s: --time SECONDS"
    elif not count:
        line = f"no case reaches {more}; nothing was run"
    elif choice.everything:
        ran = f"all {count} cases ran" if count > 1 else "the one case ran"
        line = f"{ran}, for {choice.why}; those that reach {more} pass"
    else:
        ends = "reach {}; all pass" if count > 1 else "reaches {}; it passes"
        line = f"{_cases(count)} of {max(choice.known, count)} {ends.format(more)}"
    if checked.elsewhere:
        line += f"; {_cases(len(checked.elsewhere))} elsewhere fail: {checked.elsewhere[0]}"
    return f"{line} ({checked.seconds:.1f} s)" if count else line


def _command() -> str:
    """mgdebug as the user can call it: a hook's environment is on nobody's PATH."""
    return "mgdebug" if shutil.which("mgdebug") else f"{sys.executable} -m mgdebug"


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"


def _mended(
    checked: Checked,
    root: Path,
    staged: tuple[str, ...],
    settings: Settings,
    python: str,
    deadline: float,
    *,
    fix: bool,
) -> int:
    from mgdebug.hook import keys
    from mgdebug.hook.mending import mend
    from mgdebug.proposers import names

    key = keys.missing(settings, os.environ)
    if key and names(settings.engine) == ["llm"]:
        return _say(
            CLEAN,
            f"{_failing(checked)}, but ${key}, which engine = llm needs, is not set; "
            "the commit is not stopped",
        )
    _say(FAILURES, _failing(checked))
    for outcome in checked.failing[:_SHOWN_CASES]:
        line = f"  {outcome.status}  {outcome.case}  {outcome.message[:100]}"
        click.echo(harmless(line), err=True)
    for where, detail in checked.uncollected[:_SHOWN_CASES]:
        last = detail.strip().rpartition("\n")[2]
        click.echo(harmless(f"  not collected  {where}  {last[:100]}"), err=True)
    if key:
        _say(FAILURES, f"${key} is not set: no model is asked")
    found = mend(root, staged, checked, settings, python, deadline)
    done = found.repair
    if done is not None and done.patch is not None:
        return _with_patch(done, root, settings, fix=fix)
    return _without_patch(found, only_model=names(settings.engine) == ["llm"])


def _failing(checked: Checked) -> str:
    parts = []
    if checked.failing:
        count = len(checked.failing)
        parts.append(f"{_cases(count)} of {len(checked.outcomes)} fail{'s' * (count == 1)}")
    if checked.uncollected:
        parts.append(f"{len(checked.uncollected)} could not be collected")
    if checked.late > 0:
        parts.append(f"for {checked.late} there was no time")
    return ", ".join(parts)


def _without_patch(found: Mended, *, only_model: bool) -> int:
    from mgdebug.hook.keys import HINT
    from mgdebug.model import Stop
    from mgdebug.words import farewell

    done = found.repair
    if done is not None and done.stop in (Stop.CLEAN, Stop.FLAKY):
        return _say(CLEAN, "they pass when run again, so they are flaky; the commit is not stopped")
    fault = next((line for line in found.warned if line.endswith(HINT)), "")
    if fault and only_model:
        return _say(CLEAN, f"{fault}; the commit is not stopped")
    if done is None:
        _say(FAILURES, "the time limit ended the search for a patch")
    else:
        _say(FAILURES, farewell(done)[0])
    more = ", and looks into all files" if found.within else ""
    click.echo(harmless(f"  next: {_command()} fix   has more time{more}"), err=True)
    return FAILURES


def _with_patch(done: Repair, root: Path, settings: Settings, *, fix: bool) -> int:
    from mgdebug.hook.mending import keep, write
    from mgdebug.words import diff_text, explanation, passes

    best = done.best
    assert best is not None
    assert done.after is not None
    for label, line in zip(("patch   ", "        "), explanation(done), strict=False):
        click.echo(f"{label}  {harmless(line)}", err=True)
    if sys.stdout.isatty():
        click.echo(harmless(diff_text(best.diff)), nl=False)
    else:
        sys.stdout.buffer.write(best.diff.encode("latin-1"))
        sys.stdout.flush()
    click.echo(f"verified  {passes(len(done.after.passed))} in a fresh process", err=True)
    for flag in best.flags:
        click.echo(f"flagged   {harmless(flag)}", err=True)
    if fix and not best.flags:
        for path in write(root, done, learn=settings.learn):
            click.echo(
                f"applied   {harmless(path)}  read it, then git add it; "
                f"`{_command()} undo` takes it back",
                err=True,
            )
        return FAILURES
    file = keep(root, best.diff)
    click.echo("not applied; no file was changed", err=True)
    if file is not None:
        click.echo(f"  next: git apply {harmless(str(file))}", err=True)
    return FAILURES
