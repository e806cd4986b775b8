"""Scores as a table, as a plot, and beside those of another run."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from mgdebug.bench.running import Score

WIDTH, HEIGHT, MARGIN = 640, 360, 48  # pixels of the plot
_COLUMNS = (
    ("rows", 5),
    ("plausible", 14),
    ("first right", 14),
    ("top 3", 14),
    ("after 1 question", 16),
    ("median s", 9),
    ("p95 s", 7),
    ("right s", 8),
    ("tries/s", 8),
)


def summary(scores: Sequence[Score]) -> dict[str, float]:
    """Counts and seconds of some rows.  right s: the median until the first right patch."""
    seconds = sorted(score.seconds for score in scores)
    rights = [score.right for score in scores if score.right is not None]
    spent = sum(seconds)
    return {
        "rows": len(scores),
        "plausible": sum(s.plausible for s in scores),
        "first right": sum(s.first for s in scores),
        "top 3": sum(s.top for s in scores),
        "after 1 question": sum(s.after for s in scores),
        "median s": statistics.median(seconds) if seconds else 0.0,
        "p95 s": seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))] if seconds else 0.0,
        "right s": statistics.median(rights) if rights else 0.0,
        "tries/s": sum(s.tried for s in scores) / spent if spent else 0.0,
        "methods gained": sum(s.gained for s in scores),
        "methods lost": sum(s.lost for s in scores),
        "methods": sum(s.methods for s in scores),
    }


def table(scores: Sequence[Score]) -> Iterator[str]:
    """A line for all rows and, where there are several types of bugs, one for each."""
    width = max([len("all"), *(len(s.kind) for s in scores)])
    yield f"{'':{width}} " + " ".join(f"{name:>{size}}" for name, size in _COLUMNS)
    kinds = sorted({score.kind for score in scores})
    groups = {"all": list(scores)}
    if len(kinds) > 1:
        groups |= {kind: [s for s in scores if s.kind == kind] for kind in kinds}
    for name, some in groups.items():
        found = summary(some)
        cells = []
        for column, size in _COLUMNS:
            value = found[column]
            if column == "rows":
                cell = f"{value:.0f}"
            elif column.endswith("/s"):
                cell = f"{value:,.0f}"
            elif column.endswith(" s"):
                cell = f"{value:.1f}"
            else:
                cell = f"{value:.0f} ({value / max(1, len(some)):.0%})"
            cells.append(f"{cell:>{size}}")
        yield f"{name:{width}} " + " ".join(cells)
    whole = summary(scores)
    if whole["methods"]:
        yield (
            f"cases of the suites: {whole['methods gained']:.0f} gained, "
            f"{whole['methods lost']:.0f} lost, of {whole['methods']:.0f}; "
            f"{sum(s.green for s in scores)} of {len(scores)} programs fully green"
        )
    if any(score.calls for score in scores):
        mended = sorted(score.prompt for score in scores if score.plausible)
        calls = [score.calls for score in scores]
        yield (
            f"calls of a model: {sum(calls)}, {sum(calls) / len(calls):.1f} a row, at most"
            f" {max(calls)}; tokens of prompts a repaired row: median"
            f" {statistics.median(mended) if mended else 0:.0f},"
            f" p95 {mended[min(len(mended) - 1, int(0.95 * len(mended)))] if mended else 0}"
        )
    broken = [s for s in scores if s.stop == "broken"]
    for score in broken:
        last = score.note.strip().splitlines()[-1:] or [""]
        yield f"broken: {score.id}: {last[0]}"


def line(score: Score) -> str:
    """One row as it ends."""
    mark = "right" if score.first else "asked" if score.after else "wrong" if score.note else "-"
    if score.methods:
        mark = "green" if score.green else f"+{score.gained}-{score.lost}"
    return f"{score.id:36} {mark:6} {score.seconds:6.1f} s {score.tried:7} tries  {score.note}"[
        :150
    ]


def compared(scores: Iterable[Score], others: Mapping[str, Score]) -> Iterator[str]:
    """The rows that became better or worse than in another run."""
    better, worse, same = [], [], 0
    for score in scores:
        other = others.get(score.id)
        if other is None:
            continue
        now, was = _standing(score), _standing(other)
        if now > was:
            better.append(f"  better  {score.id}: {_word(was)} -> {_word(now)}  {score.note}"[:150])
        elif now < was:
            worse.append(f"  worse   {score.id}: {_word(was)} -> {_word(now)}  {score.note}"[:150])
        else:
            same += 1
    yield f"against the other run: {len(better)} better, {len(worse)} worse, {same} as before"
    yield from (*worse, *better)


_WORDS = ("nothing", "a wrong patch", "right among others", "right after a question", "right first")


def _standing(score: Score) -> tuple[int, int]:
    if score.methods:
        return (4 if score.green else 0, score.gained - score.lost)
    steps = (score.plausible, score.some, score.after, score.first)
    return max([at + 1 for at, step in enumerate(steps) if step], default=0), 0


def _word(standing: tuple[int, int]) -> str:
    return _WORDS[standing[0]] + (f" ({standing[1]:+d})" if standing[1] else "")


def plot(scores: Sequence[Score], title: str) -> str:
    """Rows whose first patch is right (or at all right) against seconds, as an SVG."""
    most = max([1.0, *(s.seconds for s in scores)])
    lines = [
        ("first patch right", "#1b7837", [s.seconds for s in scores if s.first or s.green]),
        ("a right patch found", "#762a83", [s.right for s in scores if s.right is not None]),
        ("a patch that passes found", "#999999", [s.seconds for s in scores if s.plausible]),
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="20" font-size="14">{escape(title)}</text>',
    ]
    wide, high = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y, x = HEIGHT - MARGIN - share * high, MARGIN + share * wide
        parts.append(f'<path d="M{MARGIN} {y:.1f}h{wide}" stroke="#dddddd"/>')
        parts.append(f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>')
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">'
            f"{share * most:.1f} s</text>"
        )
    for at, (name, color, times) in enumerate(lines):
        path = f"M{MARGIN} {HEIGHT - MARGIN}"
        for count, seconds in enumerate(sorted(times), 1):
            x = MARGIN + wide * min(1.0, seconds / most)
            path += f"H{x:.1f}V{HEIGHT - MARGIN - high * count / max(1, len(scores)):.1f}"
        parts.append(
            f'<path d="{path}H{MARGIN + wide}" fill="none" stroke="{color}" stroke-width="2"/>'
        )
        y = HEIGHT - MARGIN - 12 - 16 * (len(lines) - 1 - at)
        parts.append(
            f'<text x="{WIDTH - MARGIN - 6}" y="{y}" text-anchor="end" fill="{color}">{name}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
