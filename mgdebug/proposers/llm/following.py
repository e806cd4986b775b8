"""When a reply changes what a function takes, those who call it have to follow: they are planned
and written in one more turn, and tried together with it, in whatever files they are."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from mgdebug.model import Edit, Subfunction
from mgdebug.proposers import Brief
from mgdebug.proposers.llm.masking import masked
from mgdebug.proposers.llm.replies import Unusable, edits_of
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

MOST = 6  # callers that are asked about
CHARACTERS = 4000  # of one; a longer one is not asked about


def to_follow(brief: Brief, edits: Sequence[Edit]) -> list[Subfunction]:
    """Who may be changed, and calls a subfunction whose parameters have other names after these
    edits."""
    own, path = brief.subfunction, brief.source.path
    after = brief.source.splice([edit for edit in edits if edit.path == path])
    new = decompose([after]).subfunctions.get(own.id)
    if new is None or new.parameters == own.parameters:
        return []
    chosen: list[Subfunction] = []
    for sub in brief.hierarchy.subfunctions.values():
        calls = own.id in sub.calls and sub.kind.called and sub.id in brief.allowed
        nested = any(_overlap(sub, other) for other in (own, *chosen))
        if calls and not nested and len(_code(brief.files[sub.path], sub)) <= CHARACTERS:
            chosen.append(sub)
    return chosen[:MOST]


def question(brief: Brief, callers: Sequence[Subfunction], edits: Sequence[Edit]) -> str:
    """What a model is asked about them."""
    after = brief.source.splice(edits)
    new = decompose([after]).subfunctions[brief.subfunction.id]
    listed = "\n".join(
        f"`{sub.id}`:\n```python\n{_code(brief.files[sub.path], sub)}\n```" for sub in callers
    )
    return masked(
        f"`{new.name}` now takes ({', '.join(new.parameters)}) where it took"
        f" ({', '.join(brief.subfunction.parameters)}):\n\n```python\n{_code(after, new)}\n```\n"
        f"These call it:\n\n{listed}\n\nPlan first: say in one line for each of them what has to"
        " change in it, or that nothing has. Then give each that has to change anew, the whole of"
        " it, in a ```python block of its own under a line with its name as above, in backquotes."
    )


def followed(text: str, brief: Brief, callers: Sequence[Subfunction]) -> list[Edit]:
    """The edits of a reply to that: of each block that stands under the name of a caller."""
    ids = "|".join(re.escape(sub.id) for sub in callers)
    pieces = re.split(rf"`({ids})`", text)
    parts: dict[str, str] = {}
    for name, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        parts[name] = parts.get(name, "") + piece
    found: list[Edit] = []
    for caller in callers:
        source = brief.files[caller.path]
        edits = edits_of(parts.get(caller.id, ""), source, caller, alone=True)
        found += () if isinstance(edits, Unusable) else edits
    return found


def _overlap(one: Subfunction, two: Subfunction) -> bool:
    apart = one.whole.end <= two.whole.start or two.whole.end <= one.whole.start
    return one.path == two.path and not apart


def _code(source: SourceFile, sub: Subfunction) -> str:
    text = source.indent(sub.whole.start) + source.slice(sub.whole.start, sub.whole.end)
    return textwrap.dedent(text).rstrip()
