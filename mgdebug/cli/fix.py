"""`mgdebug fix`: find the culprit, propose a patch, write it if the user says yes."""

from __future__ import annotations

import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mgdebug.cli.asked import cases, engine, flags, heeds_signals, understood
from mgdebug.cli.ending import Stopping, ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.cli.terminal import harmless, terminal
from mgdebug.cli.undo import told_of_interrupted
from mgdebug.errors import CLEAN, FAILURES, NO_CASES

if TYPE_CHECKING:
    from mgdebug.cli.everything import Everything
    from mgdebug.cli.reporting import Reporting
    from mgdebug.model import Alternative, Repair, Target
    from mgdebug.narrate import Narrator
    from mgdebug.settings import Settings

FORMS = ("text", "json", "github", "sarif", "junit")


@click.command(
    cls=Explained,
    examples=(
        ("mgdebug fix", "all tests; suspects are the files that they run"),
        (
            "mgdebug fix src/mod.py::Class.method --apply",
            "only this method; write the patch unasked",
        ),
        ("mgdebug fix mod.py --case 'f(3) == 9'", "no test file is needed"),
        ("mgdebug fix --diff | git apply", "the patch as a diff"),
        ("mgdebug fix --all --jobs 8", "every failing case of a large project, in groups"),
    ),
)
@cases
@click.option("--apply", "mode", flag_value="apply", help="Write the patch without asking.")
@click.option("--diff", "mode", flag_value="diff", help="Only the unified diff on standard output.")
@click.option("--json", "mode", flag_value="json", help="The same as --format json.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="text",
    help="What is on standard output: the diff; events as JSON Lines; annotations for GitHub "
    "Actions; SARIF 2.1.0; JUnit XML.  [text]",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Write a page of the run: failing cases, where they part from passing ones, patch.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Repair all that fails: cases that share a suspect in groups, groups side by side; "
    "--time is for each group.",
)
@click.option(
    "--cluster",
    default="",
    metavar="ADDRESS",
    help="With --all: groups on a Dask cluster, or `local` for one on this machine.",
)
@click.option(
    "--ship",
    type=click.Choice(["shared", "archive"]),
    default="shared",
    help="How a cluster gets the project: the same folder there, or as an archive.  [shared]",
)
@click.option("--ask", is_flag=True, help="Ask which result is right where patches differ.")
@engine
@ends_cleanly
def fix(
    target: str,
    tests: tuple[str, ...],
    expressions: tuple[str, ...],
    io: Path | None,
    sandbox: str | None,
    mode: str | None,
    form: str,
    report: Path | None,
    everything: bool,
    cluster: str,
    ship: str,
    ask: bool,
    **given: Any,
) -> int:
    """Run the tests, find the culprit, propose a patch.

    TARGET narrows the search: a file, or FILE::FUNCTION, or FILE::Class.method.  Without it the
    suspects are all files of the project that the failing tests run.

    Exit codes: 0 nothing fails, or fixed and applied; 1 failures remain, or a patch was found and
    not applied; 2 usage; 3 environment; 5 no tests; 130 interrupted.  Ctrl-C during the search ends
    it with the best so far; a second one quits at once.
    """
    from mgdebug.cli.everything import Everything
    from mgdebug.cli.reporting import Reporting
    from mgdebug.errors import UsageError

    form = _form(mode, form)
    heeds_signals()
    own = flags(given, sandbox)
    where, chosen, interpreter = understood(target, tests, expressions, io, own)
    all_ = None
    if everything:
        all_ = Everything(own, cluster, ship)
        all_.check(target, bool(expressions or io or ask), chosen)
    elif cluster:
        raise UsageError("--cluster is for all that fails", "add --all")
    reporting = Reporting(where, form, report, chosen.engine if everything else "")
    try:
        code = _repaired(where, chosen, interpreter, mode, ask, reporting, all_)
    except BaseException as error:
        reporting.give_up(error)
        raise
    reporting.end(code)
    return code


def _form(mode: str | None, form: str) -> str:
    """What goes to standard output.  Raises UsageError where two things would."""
    from mgdebug.errors import UsageError

    if mode not in ("diff", "json") or form in ("text", mode):
        return "json" if mode == "json" else form
    raise UsageError(f"--{mode} and --format {form} both write to standard output", "drop one")


def _repaired(
    where: Target,
    chosen: Settings,
    interpreter: str,
    mode: str | None,
    ask: bool,
    reporting: Reporting,
    all_: Everything | None,
) -> int:
    from mgdebug.cli.answers import Answers
    from mgdebug.events import (
        Accepted,
        Divided,
        Finished,
        GroupEnded,
        Judged,
        Proposed,
        Ranked,
        Reply,
        Spent,
        Streamed,
        Warned,
        Worked,
    )
    from mgdebug.model import Stop
    from mgdebug.narrate import Narrator
    from mgdebug.proposers import named
    from mgdebug.repair import repair

    bare = reporting.form == "json"
    searching = Ranked | Proposed | Judged | Accepted | Divided | GroupEnded
    proposers = named(chosen.engine, chosen)
    console = terminal(stderr=True, soft_wrap=True)
    done: Repair | None = None
    with Narrator(console, quiet=bare) as narrator, Stopping() as stopping:
        told_of_interrupted(where.root)
        narrator.waiting("running the tests")
        enough = stopping.__bool__
        reply: Reply | None = None
        answers = Answers(where.root, narrator, ask)
        with (
            closing(repair(where, proposers, chosen, interpreter, enough))
            if all_ is None
            else all_.events(where, chosen, interpreter, enough, narrator.warn)
        ) as stream:
            while done is None:
                event = stream.send(reply)
                if not isinstance(event, Spent | Streamed | Warned | Worked):
                    stopping.armed = isinstance(event, searching)
                reporting.hear(event)
                narrator.hear(event)
                reply = answers.to(event)
                if isinstance(event, Finished):
                    done = event.repair
    if done.patch is None:
        return _without_patch(done, narrator, show=not bare)
    if bare and mode != "apply":
        return FAILURES
    code = _with_patch(done, where, mode, narrator, reporting, learn=chosen.learn)
    if code == CLEAN:
        with suppress(click.Abort, KeyboardInterrupt):  # the patch has been written
            answers.save()
    if done.uncollected:
        console.print(f"still not collected: {', '.join(done.uncollected)}", markup=False)
    return FAILURES if done.uncollected or done.stop is Stop.SOME else code


def _without_patch(done: Repair, narrator: Narrator, *, show: bool) -> int:
    from mgdebug.model import Stop
    from mgdebug.words import farewell, gains

    message, hint = farewell(done)
    if show:
        narrator.console.print(message, markup=False)
        if done.partial:
            narrator.console.print(f"  best so far: {done.partial.patch.note}", markup=False)
            narrator.console.print(f"    {gains(done.partial)}", markup=False)
        if hint:
            narrator.console.print(f"  next: {hint}", markup=False)
    return {Stop.CLEAN: CLEAN, Stop.NO_CASES: NO_CASES}.get(done.stop, FAILURES)


def _with_patch(
    done: Repair,
    where: Target,
    mode: str | None,
    narrator: Narrator,
    reporting: Reporting,
    *,
    learn: bool,
) -> int:
    from rich.markup import escape

    from mgdebug.narrate import flagged, others
    from mgdebug.words import effort, explanation, passes, unmended, unproved

    assert done.best is not None
    console = narrator.console
    asks = reporting.form == "text"  # else standard output is for a machine, which says no yes
    for number, line in enumerate(explanation(done)):
        console.print("        " if number else "[bold green]patch[/]   ", end="  ")
        console.print(line, markup=False)
    if reporting.form == "text":
        _show(done.best, plain=mode == "diff")
    for line in others(done):
        console.print(f"          {line}", style="dim", markup=False)
    if len(done.alternatives) > 1:
        for line in done.best.reasons:
            console.print(f"          {line}", style="dim", markup=False)
    after = done.after
    assert after is not None
    left = f", {len(after.failed)} still failing" if after.failed else ""
    console.print(
        f"[bold]verified[/]  {passes(len(after.passed))} in a fresh process{left} ({effort(done)})"
    )
    for line in unmended(done):
        console.print(f"          {line}", markup=False)
    if done.stand_ins:
        console.print(f"[yellow]          {escape(unproved(done))}[/]")
    for line in (odd := flagged(done)):
        console.print(f"[bold red]flagged[/]   {escape(line)}")
    if odd:
        console.print("[bold red]          it may pass the cases without mending anything[/]")
    if odd and mode == "apply" and not (asks and _consent()):
        console.print(
            "not applied, for it is flagged; no file was changed  "
            "[dim]read it, then choose it: mgdebug fix, on a terminal[/]"
        )
        return FAILURES
    if mode != "apply" and (mode == "diff" or not asks or not _consent()):
        hunks = "; hunk by hunk: mgdebug tui --resume" if done.groups else ""
        console.print(f"not applied; no file was changed  [dim]--apply writes it unasked{hunks}[/]")
        return FAILURES
    reporting.applied = _apply(done, where, narrator, learn=learn)
    return CLEAN


def _show(best: Alternative, *, plain: bool) -> None:
    """The diff on standard output, byte for byte where that is no terminal."""
    from mgdebug.narrate import colored_diff
    from mgdebug.words import diff_text

    out = sys.stdout
    if out.isatty() and not plain:
        terminal(soft_wrap=True).print(colored_diff(best), end="")
    elif out.isatty():
        click.echo(harmless(diff_text(best.diff)), nl=False)
    else:
        out.flush()
        out.buffer.write(best.diff.encode("latin-1"))
        out.flush()


def _consent() -> bool:
    """Ask on a terminal; elsewhere nobody can say yes."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm("Apply this patch?", default=False, err=True)


def _apply(done: Repair, where: Target, narrator: Narrator, *, learn: bool) -> tuple[str, ...]:
    """Write the patch; the paths."""
    from mgdebug import apply, learned
    from mgdebug.judge import patched
    from mgdebug.languages import language_of
    from mgdebug.syntax.source import SourceFile

    assert done.patch is not None
    files = {}
    for path in done.base:
        language = language_of(path)
        assert language is not None
        files[path] = SourceFile.read(where.root, path, language.grammar())
    for path, base in done.base.items():
        if files[path].sha256 != base:
            raise apply.changed_meanwhile(path)
    changes = [
        apply.Change(path, done.base[path], after.data)
        for path, after in patched(files, done.patch).items()
    ]
    written = apply.apply(where.root, changes)
    if learn:
        learned.remember(where.root, files, done.patch)
    for path in written:
        narrator.console.print(f"[green]applied[/]   {path}  [dim]`mgdebug undo` takes it back[/]")
    return tuple(written)
