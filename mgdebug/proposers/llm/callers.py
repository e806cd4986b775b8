"""When a reply changes what a function takes, those who call it have to follow: they are planned
and written in one more turn, and tried together with it, in whatever files they are."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from mgdebug.model import Edit, Subfunction
from mgdebug.proposers import Brief
from mgdebug.proposers.llm.prompting import masked
from mgdebug.proposers.llm.replies import Unusable, edits_of
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

MOST = 6  # callers that are asked about
CHARACTERS = 2000  # of one of them


def to_follow(brief: Brief, edits: Sequence[Edit]) -> list[Subfunction]:
    """Who may be changed, and calls a subfunction whose parameters have other names after these
    edits."""
    own, path = brief.subfunction, brief.source.path
    after = brief.source.splice([edit for edit in edits if edit.path == path])
    new = decompose([after]).subfunctions.get(own.id)
    if new is None or new.parameters == own.parameters:
        return []
    subs = [s for s in brief.hierarchy.subfunctions.values() if own.id in s.calls]
    return [s for s in subs if s.id != own.id and s.id in brief.allowed][:MOST]


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
        " it, in a ```python block of its own."
    )


def followed(text: str, brief: Brief, callers: Sequence[Subfunction]) -> list[Edit]:
    """The edits of a reply to that."""
    found: dict[Edit, None] = {}
    for caller in callers:
        edits = edits_of(text, brief.files[caller.path], caller)
        if not isinstance(edits, Unusable):
            found |= dict.fromkeys(edits)
    return [*found]


def _code(source: SourceFile, sub: Subfunction) -> str:
    text = source.indent(sub.whole.start) + source.slice(sub.whole.start, sub.whole.end)
    return textwrap.dedent(text).rstrip()[:CHARACTERS]
