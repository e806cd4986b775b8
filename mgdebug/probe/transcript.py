"""What a recorder kept of a case, ready for JSON."""

from typing import Any, Dict, List

from .keep import ABSENT, shot
from .sites import OFFSET


def transcript(recorder: Any) -> Dict[str, Any]:
    """The case so far, ready for JSON.

    log: records, each twice the number of its site, a frame (1 for the first) and values (their
    places in `values`).  An odd number is that of a site and one more: behind the frame stands
    which visit of the block it was, negative where only the boundary is told.  -1 stands for what
    is no visit: a thread, a caller, an exception.
    """
    log = list(recorder.log)
    sites = recorder.sites
    total = list(recorder.total)
    if not recorder.gapped:
        for record in log:
            if record[0] is None or record[0] < 0:
                continue
            counter = sites[record[0]].counter
            if counter >= 0 and counter not in recorder.loose:
                total[counter] += 1
    for block in range(recorder.blocks):
        granted = recorder.granted[block]
        if granted:
            total[block] += granted - recorder.counters[OFFSET + block].__length_hint__()
    for condition, arms in recorder.builder.arms.items():
        total[condition] = recorder.failed.get(condition, 0) + sum(total[arm] for arm in arms)
    for condition, times in recorder.failed.items():
        total[condition] = total[condition] or times
    hits = [[block, total[block]] for block in range(recorder.blocks) if total[block]]
    texts = _Texts()
    used: Dict[int, List[Any]] = {}
    written = []
    for record in log:
        if record[0] is None:
            last = record[-1]
            written.append([-1, *record[1:-1], last if type(last) is int else texts.of(last)])
            continue
        number = record[0] if record[0] >= 0 else ~record[0]
        site = sites[number]
        if number not in used:
            names = [*site.names, *site.more]
            given = site.given if site.kind == "call" else site.names
            table = [site.kind, site.block, site.owner, names, len(site.names), given]
            used[number] = [*table, site.implies]
        at = 2 if record[0] >= 0 else 3
        head = [2 * number + (record[0] < 0), *record[1:at]]
        kept = record[at:]
        if site.kind in ("raise", "leave"):
            head += kept[:2]
            kept = kept[2:]
        if site.kind in ("decide", "answer", "return", "raise", "leave"):
            head.append(texts.of(kept[0]))
            kept = kept[1:]
        head += map(texts.of, kept, used[number][3])
        written.append(head)
    ways = recorder.builder
    return {
        "hits": hits,
        "log": written,
        "sites": {str(number): used[number] for number in used},
        "values": texts.shots,
        "leads": {str(b): ways.leads[b] for b in ways.leads if b >= 0 and total[b]},
        "rounds": {str(b): ways.rounds[b] for b in ways.rounds if b >= 0 and total[b]},
        "lines": {
            str(owner): {str(line): asked for line, asked in lines.items()}
            for owner, lines in ways.lines.items()
        },
        "lazy": [b for b in ways.lazy if b >= 0 and total[b]],
        "outside": [b for b in ways.outside if b >= 0 and total[b]],
    }


class _Texts:
    """Each text once."""

    def __init__(self) -> None:
        self.shots: List[Any] = []
        self._known: Dict[Any, int] = {}

    def of(self, kept: Any, name: str = "") -> int:
        """Its place, -1 for a name that was not bound."""
        if kept is ABSENT:
            return -1
        kind = type(kept)
        plain = kind is int or kind is str or kind is bool or kept is None
        key = (kind, kept, name if kind is str else "") if plain else None
        if key is not None and key in self._known:
            return self._known[key]
        self.shots.append(shot(kept, name))
        at = len(self.shots) - 1
        if key is not None:
            self._known[key] = at
        return at
