"""The command line: what the user types, where output goes, and which exit code ends it.

Standard output is data (a diff, events), standard error is narration.  Nothing heavy is imported
before a command needs it: `mgdebug --help` loads click alone.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mgdebug import __version__
from mgdebug.errors import (
    CLEAN,
    ENVIRONMENT,
    FAILURES,
    INTERRUPTED,
    NO_CASES,
    MgdebugError,
    UsageError,
)

if TYPE_CHECKING:
    from mgdebug.model import Repair, Target
    from mgdebug.narrate import Narrator
    from mgdebug.syntax.outline import Outline

_SUITES = ("startup", "tries", "quixbugs", "hierarchy", "edges", "outline", "broken")
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Find out why a test is red, and mend it.

    mgdebug runs your tests, traces the failing ones block by block, tries patches from the leaves
    of the call hierarchy up, and shows the one that makes everything pass.  Your files stay as
    they are until you say yes.
    """


def _ends_cleanly(command: Callable[..., int]) -> Callable[..., None]:
    """Errors become one message and an exit code; no traceback of ours reaches the user."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            code = command(*args, **kwargs)
        except MgdebugError as error:
            if error.detail:
                click.echo(error.detail.rstrip(), err=True)
            click.echo(f"mgdebug: {error.message}", err=True)
            if error.hint:
                click.echo(f"  next: {error.hint}", err=True)
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort) as error:
            ends_a_line = isinstance(error, click.Abort)  # at a question
            click.echo("\n" * ends_a_line + "mgdebug: interrupted; no file was changed", err=True)
            code = INTERRUPTED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = FAILURES
        except Exception:  # a fault of ours: kept for a report, not thrown at the user
            click.echo(f"mgdebug: a fault in mgdebug itself; {_kept_traceback()}", err=True)
            code = ENVIRONMENT
        sys.exit(code)

    return run


def _kept_traceback() -> str:
    import platformdirs

    try:
        folder = platformdirs.user_state_path("mgdebug")
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "fault.txt"
        file.write_text(traceback.format_exc(), "utf-8")
    except OSError:
        return traceback.format_exc()
    return f"please report it with {file}"


@main.command(context_settings=_CONTEXT)
@click.argument("target", default="")
@click.option(
    "--tests",
    multiple=True,
    metavar="PATH[::NAME]",
    help="Cases that say what is right (repeatable); else all that the project's configuration "
    "selects.",
)
@click.option(
    "--case",
    "expressions",
    multiple=True,
    metavar="EXPR",
    help="An ad-hoc case, such as 'f(3) == 9' (repeatable).  Doctests of TARGET count too.",
)
@click.option(
    "--io",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="TARGET is a program that reads standard input: pairs of NAME.in and NAME.out.",
)
@click.option("--apply", "mode", flag_value="apply", help="Write the patch without asking.")
@click.option("--diff", "mode", flag_value="diff", help="Only the unified diff on standard output.")
@click.option("--json", "mode", flag_value="json", help="Events as JSON Lines on standard output.")
@click.option("--time", type=float, metavar="SECONDS", help="For the whole repair.  [60]")
@click.option("--python", metavar="PATH", help="The interpreter that runs the tests.")
@click.option("--jobs", type=int, metavar="N", help="Worker processes.  [one a core]")
@_ends_cleanly
def fix(
    target: str,
    tests: tuple[str, ...],
    expressions: tuple[str, ...],
    io: Path | None,
    mode: str | None,
    time: float | None,
    python: str | None,
    jobs: int | None,
) -> int:
    """Run the tests, find the culprit, propose a patch.

    TARGET narrows the search: a file, or FILE::FUNCTION, or FILE::Class.method.  Without it the
    suspects are all files of the project that the failing tests run.

    Exit codes: 0 nothing fails, or fixed and applied; 1 failures remain, or a patch was found and
    not applied; 2 usage; 3 environment; 5 no tests; 130 interrupted.
    """
    from rich.console import Console

    from mgdebug import settings as setting
    from mgdebug.events import Finished, to_json
    from mgdebug.languages import language_of
    from mgdebug.narrate import Narrator
    from mgdebug.proposers import PROPOSERS, proposer
    from mgdebug.repair import repair

    where = setting.find_target(Path.cwd(), target, tests, expressions, io)
    language = language_of(where.path) if where.path else None
    if language is not None:
        language.vocabulary()  # raises where there is none: nothing could be repaired
    flags = {"time": time, "python": python, "jobs": jobs}
    chosen = setting.load(where.root, os.environ, flags)
    names = chosen.engine.split("+")
    for name in names:
        if name not in PROPOSERS:
            raise UsageError(f"there is no engine {name}", f"known: {', '.join(PROPOSERS)}")
    interpreter, _ = setting.find_python(where.root, chosen.python, os.environ)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # so that children and folders go too
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    done: Repair | None = None
    with Narrator(console, quiet=mode == "json") as narrator:
        narrator.waiting("running the tests")
        stream = repair(where, [proposer(name) for name in names], chosen, interpreter)
        try:
            for event in stream:
                if mode == "json":
                    click.echo(to_json(event))
                narrator.hear(event)
                if isinstance(event, Finished):
                    done = event.repair
        finally:
            stream.close()
    assert done is not None
    if done.patch is None:
        return _without_patch(done, narrator, show=mode != "json")
    if mode == "json":
        return FAILURES
    code = _with_patch(done, where, mode, narrator)
    if done.uncollected:
        console.print(f"still not collected: {', '.join(done.uncollected)}", markup=False)
    return FAILURES if done.uncollected else code


def _without_patch(done: Repair, narrator: Narrator, *, show: bool) -> int:
    from mgdebug.model import Stop
    from mgdebug.narrate import farewell

    message, hint = farewell(done)
    if show:
        narrator.console.print(message, markup=False)
        if done.partial:
            narrator.console.print(f"  best so far: {done.partial}", markup=False)
        if hint:
            narrator.console.print(f"  next: {hint}", markup=False)
    return {Stop.CLEAN: CLEAN, Stop.NO_CASES: NO_CASES}.get(done.stop, FAILURES)


def _with_patch(done: Repair, where: Target, mode: str | None, narrator: Narrator) -> int:
    from mgdebug.narrate import colored_diff, explanation, others

    assert done.best is not None
    console = narrator.console
    out = sys.stdout
    for label, line in zip(
        ("[bold green]patch[/]   ", "        "), explanation(done), strict=False
    ):
        console.print(label, end="  ")
        console.print(line, markup=False)
    if out.isatty() and mode != "diff":
        from rich.console import Console

        Console(soft_wrap=True).print(colored_diff(done.best), end="")
    else:
        out.flush()
        out.buffer.write(done.best.diff.encode("latin-1"))
        out.flush()
    for line in others(done):
        console.print(f"          {line}", style="dim", markup=False)
    after = done.after
    assert after is not None
    console.print(
        f"[bold]verified[/]  {_pass(len(after.passed))} in a fresh process "
        f"({done.tried} patches tried, {done.seconds:.1f} s)"
    )
    if mode == "diff" or not (mode == "apply" or _consent()):
        console.print("not applied; no file was changed  [dim]--apply writes it unasked[/]")
        return FAILURES
    return _apply(done, where, narrator)


def _pass(count: int) -> str:
    return "1 case passes" if count == 1 else f"{count} cases pass"


def _consent() -> bool:
    """Ask on a terminal; elsewhere nobody can say yes."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm("Apply this patch?", default=False, err=True)


def _apply(done: Repair, where: Target, narrator: Narrator) -> int:
    from mgdebug import apply
    from mgdebug.judge import patched
    from mgdebug.languages import language_of
    from mgdebug.syntax.source import SourceFile

    assert done.patch is not None
    files = {}
    for path in done.base:
        language = language_of(path)
        assert language is not None
        files[path] = SourceFile.read(where.root, path, language.grammar())
    apply.sweep(where.root, done.base)
    for path, base in done.base.items():
        if files[path].sha256 != base:
            raise apply.changed_meanwhile(path)
    changes = [
        apply.Change(path, done.base[path], after.data)
        for path, after in patched(files, done.patch).items()
    ]
    for path in apply.apply(where.root, changes):
        narrator.console.print(f"[green]applied[/]   {path}  [dim]`mgdebug undo` takes it back[/]")
    return CLEAN


@main.command(context_settings=_CONTEXT)
@_ends_cleanly
def undo() -> int:
    """Take back what the last applied patch changed in this project."""
    from mgdebug.apply import undo as take_back
    from mgdebug.settings import find_root

    for path in take_back(find_root(Path.cwd())):
        click.echo(f"restored  {path}", err=True)
    return CLEAN


@main.command(context_settings=_CONTEXT)
@click.argument("path", default="")
@click.option("--json", "mode", flag_value="json", help="Everything, as one JSON object.")
@click.option("--dot", "mode", flag_value="dot", help="The call graph for Graphviz.")
@click.option(
    "--outlined",
    "mode",
    flag_value="outlined",
    help="The code with its large functions split into small ones.",
)
@click.option("--blocks", is_flag=True, help="Blocks for a folder as well; a file shows them.")
@_ends_cleanly
def tree(path: str, mode: str | None, blocks: bool) -> int:
    """Show functions, who calls whom, and the blocks they are made of.

    PATH is a folder (the current one by default), a file, or FILE::FUNCTION, FILE::Class.method.
    Nothing is run.  "unknown" are called names that no code of the project was found for; "order"
    is the order of repair: what is called comes before what calls it.
    """
    from mgdebug import draw, sources
    from mgdebug.syntax.hierarchy import decompose

    def warn(message: str) -> None:
        click.echo(f"warning: {message}", err=True)

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    chosen = sources.choose(Path.cwd(), path)
    files = sources.read(chosen, warn)
    if mode == "outlined":
        return _outlined(sources.outlines(chosen, files, warn))
    whole = decompose(files, lambda other: sources.follow(chosen.root, other))
    part = sources.part(whole, chosen.paths[0], chosen.qualname) if chosen.qualname else ""
    shown = draw.listed(whole, [source.path for source in files], part)
    if mode in ("json", "dot"):
        click.echo(draw.to_json(shown) if mode == "json" else draw.to_dot(shown))
        return CLEAN
    from rich.console import Console

    width = None if sys.stdout.isatty() else 100_000  # a file or a pipe has no edge
    console = Console(highlight=False, width=width)
    drawn = draw.trees(shown, {s.path: s for s in files}, blocks or not chosen.folder)
    for number, one in enumerate(drawn):
        console.print(*([""] if number else []), one, sep="\n")
    return CLEAN


def _outlined(found: Iterable[Outline]) -> int:
    """The outlined texts on standard output, what was done on standard error."""
    from mgdebug.draw import outlined

    for text, said in outlined(list(found)):
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
        click.echo(said, err=True)
    return CLEAN


@main.command(context_settings=_CONTEXT, hidden=True)
@click.argument("suite", type=click.Choice(_SUITES))
@click.option("--only", multiple=True, metavar="NAME", help="Rows of the suite (repeatable).")
@click.option("--time", type=float, default=60.0, metavar="SECONDS", help="For each repair.")
@_ends_cleanly
def bench(suite: str, only: tuple[str, ...], time: float) -> int:
    """Measure mgdebug; the real bugs are looked for in $MGDEBUG_DATA, then ../shared/data."""
    from mgdebug.bench import run

    ok = True
    for line, good in run(suite, only, time):
        click.echo(line)
        ok = ok and good
    return CLEAN if ok else FAILURES
