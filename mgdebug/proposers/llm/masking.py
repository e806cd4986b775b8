"""What a model must not see, and how it comes back: secrets in what is sent are ***, and where a
reply repeats such a line, the line of the file is put there again."""

from __future__ import annotations

import re

from mgdebug.probe import secrets

_NAMED = (
    r"(\w+)((?:\s*:\s*[\w.\[\], |]+)?\s*={1,2}\s*\(?\s*|[\"']\]?\s*[:=]\s*\(?\s*)"
    r"([rbfuRBFU]{0,2})"
)
_LONG = re.compile(_NAMED + r"(\"\"\"|'{3})(?!\4)(.+?)\4", re.S)
_SHORT = re.compile(_NAMED + r"([\"'])(?!\4)((?:\\.|[^\n\\])+?)\4")


def masked(text: str) -> str:
    """A text without what looks like a key, and without strings under telling names."""
    return secrets.masked(_SHORT.sub(_hidden, _LONG.sub(_hidden, text)))


def unmasked(reply: str, original: str) -> str:
    """A reply with the lines of the original that it saw masked."""
    seen, real = masked(original).splitlines(), original.splitlines()
    if len(seen) != len(real):
        return reply
    pairs = zip(seen, real, strict=True)
    known = {one.strip(): two.strip() for one, two in pairs if one != two}
    lines = reply.splitlines(keepends=True)
    return "".join(
        line.replace(line.strip(), known[line.strip()]) if line.strip() in known else line
        for line in lines
    )


def _hidden(match: re.Match[str]) -> str:
    name, between, prefix, quote, value = match.groups()
    rank = secrets.rank(name)
    secret = rank == secrets.STRONG or (rank == secrets.WEAK and secrets.keyish(value))
    return f"{name}{between}{prefix}{quote}{secrets.MASK}{quote}" if secret else match.group()
