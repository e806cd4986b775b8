"""`mgdebug trace`: what the cases did, block by block, with the values."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mgdebug.cli.asked import cases, heeds_signals, understood
from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.explained import Explained
from mgdebug.cli.terminal import terminal
from mgdebug.cli.undo import told_of_interrupted
from mgdebug.errors import CLEAN, FAILURES, UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from mgdebug.events import Event
    from mgdebug.model import Trace
    from mgdebug.narrate import Narrator
    from mgdebug.timeline import Timeline
    from mgdebug.tracing import Recording


@click.command(
    cls=Explained,
    short_help="Show what the tests do, line by line, with the values.",
    examples=(
        ("mgdebug trace", "the shortest failing case"),
        ("mgdebug trace src/mod.py::f --diff", "only f, beside a run that passes"),
        ("mgdebug trace mod.py --block 12 --var total", "one block and one variable of it"),
        ("mgdebug trace --html trace.html", "all cases, to look at in a browser"),
    ),
)
@cases
@click.option(
    "--block",
    "blocks",
    multiple=True,
    metavar="LINE",
    help="Only this block (repeatable): a line as `mgdebug tree FILE` shows it, FILE:LINE, or an "
    "id as in its --json.",
)
@click.option(
    "--var", "names", multiple=True, metavar="NAME", help="Only this variable (repeatable)."
)
@click.option("--diff", is_flag=True, help="The failing run beside the nearest passing one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write one page to look at in a browser; it loads nothing else.",
)
@click.option(
    "--partial", is_flag=True, help="Run code that lacks modules or names with stand-ins for them."
)
@click.option("--time", type=float, metavar="SECONDS", help="For all of it.  [60]")
@click.option("--python", metavar="PATH", help="The interpreter that runs the tests.")
@ends_cleanly
def trace(
    target: str,
    tests: tuple[str, ...],
    expressions: tuple[str, ...],
    io: Path | None,
    sandbox: str | None,
    blocks: tuple[str, ...],
    names: tuple[str, ...],
    diff: bool,
    as_json: bool,
    html: Path | None,
    partial: bool,
    time: float | None,
    python: str | None,
) -> int:
    """Show what the tests do: source lines with the values beside them.

    TARGET narrows it: a file, or FILE::FUNCTION, or FILE::Class.method.  Of many cases one is
    shown: the shortest failing one, or if none fails the shortest that passes.  Cases that are
    named one by one (PATH::NAME, --case) are all shown, and so are all with --json and --html.

    "#2" beside a line: the second time through the loop around it.

    Exit codes: 0 all cases pass; 1 some fail or could not be collected; 2 usage, or nothing
    reaches TARGET; 3 environment; 5 no tests; 130 interrupted.
    """
    import json

    from mgdebug import page, tracing
    from mgdebug.narrate import Narrator

    if as_json and html is not None:
        raise UsageError("--json and --html exclude each other", "run it twice")
    heeds_signals()
    given = {"time": time, "python": python, "sandbox": sandbox, "partial": partial or None}
    where, chosen, interpreter = understood(target, tests, expressions, io, given)
    told_of_interrupted(where.root)
    if html is not None:
        page.check(html)
    console = terminal(stderr=True, soft_wrap=True)
    with Narrator(console, quiet=as_json) as narrator:
        narrator.waiting("running the tests")
        done = _heard(tracing.record(where, chosen, interpreter, blocks, names), narrator)
    if as_json:
        click.echo(json.dumps(done.as_data(), ensure_ascii=True))
    elif html is not None:
        page.write(html, done)
        console.print("[bold]page[/]     ", end=" ")
        console.print(str(html), markup=False)
    else:
        _show(done, narrator, diff=diff, everything=bool(names))
    return CLEAN if done.all_pass else FAILURES


def _heard(stream: Generator[Event, None, Recording], narrator: Narrator) -> Recording:
    try:
        while True:
            narrator.hear(next(stream))
    except StopIteration as end:
        done: Recording = end.value
        return done
    finally:
        stream.close()


def _show(done: Recording, narrator: Narrator, *, diff: bool, everything: bool) -> None:
    from mgdebug.timeline import ASCII, Signs, Timeline

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    out = terminal(soft_wrap=True)
    width = out.width if sys.stdout.isatty() else None
    signs = Signs() if out.encoding.lower().startswith("utf") else ASCII
    drawing = Timeline(done.hierarchy, done.files, width, signs, everything=everything)
    chosen = [t for t in done.shown if not (diff and t.status.ok)] or done.shown
    for number, shown in enumerate(chosen):
        if number:
            out.print()
        for line in _drawn(done, drawing, shown, narrator, diff=diff):
            out.print(line, soft_wrap=True)
    rest = [t.case for t in done.traces if t not in done.shown and t.status.ok is done.all_pass]
    if rest:
        more = f"{len(rest)} more cases get there" if rest[1:] else "1 more case gets there"
        narrator.console.print(
            f"{more}; --tests {rest[0]} shows it, --html FILE shows all",
            style="dim",
            markup=False,
        )


def _drawn(
    done: Recording, drawing: Timeline, shown: Trace, narrator: Narrator, *, diff: bool
) -> Iterator[Text]:
    pair = done.beside(shown) if diff else None
    if pair is not None:
        return drawing.beside(pair, done.message(shown.case))
    if diff:
        why = "it passes itself" if shown.status.ok else "no passing case gets there"
        narrator.warn(f"nothing to put beside {shown.case}: {why}")
    return drawing.run(shown, done.message(shown.case))
