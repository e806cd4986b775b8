"""`mgdebug bench`: repairs measured on rows of real bugs, and the suites of those who work on
mgdebug."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import click

from mgdebug.bench import SUITES, run
from mgdebug.cli.ending import ends_cleanly
from mgdebug.cli.terminal import harmless
from mgdebug.crew import Begun, Done, GivenUp, Lost, Report
from mgdebug.errors import CLEAN, FAILURES, UsageError


@click.command(hidden=True)
@click.argument("what", metavar="FILE.jsonl|SUITE")
@click.option("--engine", default="search", help="Proposers, chained with +.  [search]")
@click.option(
    "--visible",
    type=click.Choice(["tests", "examples"]),
    default="tests",
    help="Which cases of a row the repair sees.  [tests]",
)
@click.option("--time", type=float, default=60.0, metavar="SECONDS", help="For each repair.  [60]")
@click.option("--jobs", type=int, default=0, metavar="N", help="Rows side by side.  [one a core]")
@click.option(
    "--cluster",
    default="",
    metavar="ADDRESS|local",
    help="Have a Dask cluster repair the rows.  [processes of this machine]",
)
@click.option("--only", multiple=True, metavar="ID", help="Rows (repeatable).")
@click.option("--sample", type=int, default=0, metavar="N", help="A fixed sample of the rows.")
@click.option("--seed", type=int, default=0, help="For whatever draws lots.  [0]")
@click.option(
    "--replies",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Recorded replies (JSON Lines) in place of a model.",
)
@click.option("--strategy", metavar="NAME", help="Of the model engine.")
@click.option("--calls", type=int, default=10, metavar="N", help="Of a model, for a row.  [10]")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option("--against", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@ends_cleanly
def bench(
    what: str,
    engine: str,
    visible: str,
    time: float,
    jobs: int,
    cluster: str,
    only: tuple[str, ...],
    sample: int,
    seed: int,
    replies: Path | None,
    strategy: str | None,
    calls: int,
    out: Path | None,
    against: Path | None,
) -> int:
    """Measure mgdebug on a file of real bugs, judged by cases that the repairs never see.

    --out keeps scores (JSON) and a plot (SVG), and goes on where a run into it was killed;
    --against compares with such a folder.  SUITE: one of the suites in mgdebug/bench; they look for
    the real bugs in $MGDEBUG_DATA, then ../shared/data.
    """
    if what in SUITES:
        ok = True
        for line, good in run(what, only, time):
            click.echo(line)
            ok = ok and good
        return CLEAN if ok else FAILURES
    if not Path(what).is_file():
        raise UsageError(f"{what} is no file and no suite", f"suites: {', '.join(SUITES)}")
    if replies is not None and cluster not in ("", "local"):
        raise UsageError("--replies are served on this machine", "take --cluster local, or none")
    with _model(replies, calls, seed, strategy) as model:
        for line in _on_rows(
            Path(what),
            engine,
            visible,
            time,
            jobs,
            cluster,
            only,
            sample,
            seed,
            model,
            out,
            against,
        ):
            click.echo(line)
    return CLEAN


@contextmanager
def _model(
    replies: Path | None, calls: int, seed: int, strategy: str | None
) -> Iterator[Mapping[str, object]]:
    """Settings of the model engine, for which a server on this machine stands in."""
    told: dict[str, object] = {"consent": True, "calls": calls}
    if strategy is not None:
        told["strategy"] = strategy
    if replies is None:
        name = os.environ.get("MGDEBUG_MODEL")
        yield {**told, **({"name": name} if name else {})}
        return
    from mgdebug.bench.loopback import Server
    from mgdebug.bench.recorded import Recorded

    os.environ.setdefault("OPENAI_API_KEY", "nobody asks for it")
    with Server(Recorded(replies, seed)).running() as server:
        yield {
            **told,
            "name": "openai/recorded",
            "api_base": server.base,
            "cache": False,
            "tokens": 0,
            "cost": 0,
        }


def _on_rows(
    file: Path,
    engine: str,
    visible: str,
    seconds: float,
    jobs: int,
    cluster: str,
    only: tuple[str, ...],
    sample: int,
    seed: int,
    model: Mapping[str, object],
    out: Path | None,
    against: Path | None,
) -> Iterator[str]:
    from mgdebug.bench import rows, running, scores
    from mgdebug.crew import hired
    from mgdebug.crew.checking import check
    from mgdebug.proposers import named
    from mgdebug.settings import load

    named(engine, load(file.parent, os.environ, {"model": model}))  # raises for what is none
    others = running.scores(against) if against else {}
    chosen = rows.read(file, visible)
    missing = sorted(set(only) - {row.id for row in chosen})
    if missing:
        raise UsageError(f"{file} has no row {missing[0]}", f"its first is {chosen[0].id}")
    chosen = [row for row in chosen if not only or row.id in only]
    if sample:
        chosen = running.sample(chosen, sample)
    cores = len(os.sched_getaffinity(0))
    side_by_side = jobs or cores
    elsewhere = cluster not in ("", "local")
    workers = 1 if elsewhere else max(1, cores // side_by_side)
    asking = running.Asking(engine, seconds, workers, seed, model)
    found = []
    with closing(hired(cluster, jobs if elsewhere else side_by_side)) as crew:
        check(crew, None, "", warn=lambda line: click.echo(f"warning: {line}", err=True))
        hear = _told if cluster else _lost
        for score in running.run(chosen, asking, out, crew, hear):
            found.append(score)
            yield f"[{len(found)}/{len(chosen)}] {scores.line(score)}"
    yield ""
    yield from scores.table(found)
    if out:
        title = f"{file.name}, {visible} visible, {seconds:g} s, {engine}"
        (out / "plot.svg").write_text(scores.plot(found, title), "utf-8")
        summary = {"title": title, **scores.summary(found)}
        (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
        yield f"kept in {out}: scores.jsonl, summary.json, plot.svg"
    if against:
        yield from scores.compared(found, others)


def _told(report: Report) -> None:
    """What each worker does, a line a deed."""
    match report:
        case Begun(task, worker):
            line = f"{worker}  begins  {task.name}"
        case Done(task, worker, _, seconds):
            line = f"{worker}  done    {task.name}  {seconds:.1f} s"
        case _:
            _lost(report)
            return
    click.echo(harmless(line), err=True)


def _lost(report: Report) -> None:
    match report:
        case Lost(task, worker, times, why):
            line = f"{worker}  lost    {task.name}  {why}; begun again, loss {times}"
        case GivenUp(task, why):
            line = f"given up  {task.name}  {why}"
        case _:
            return
    click.echo(harmless(line), err=True)
