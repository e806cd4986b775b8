"""What must not be seen in a trace: values under telling names, and texts that look like keys."""

import re
from typing import Any, Dict

PLAIN, WEAK, STRONG = 0, 1, 2  # what a name says of its value
MASK = "***"
BEYOND = 200  # characters that are looked at behind the place where a text will be cut

_STRONG = re.compile(
    r"_(pass(?:word|wd|phrase)s?|pwd|secrets?|credentials?|apikeys?"
    r"|(?:api|private|access)_keys?|auth_tokens?)_"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_HINT = re.compile("passw|passph|pwd|secret|credential|key|token", re.IGNORECASE)
_KEYS = re.compile(
    r"\bsk-(?=[\w-]*\d)[\w-]{10,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{8,}"
    r"|\bgithub_pat_\w{8,}"
    r"|\bAKIA[A-Z0-9]{12,}"
    r"|\bxox[abeoprs]-[\w-]{8,}"
    r"|\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"
    r"|\beyJ[\w-]{20,}\Z"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.)*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=\bBearer )\s*[\w.~+/=-]{6,}"
    r"|(?<=\bbearer )\s*(?=\S*\d)[\w.~+/=-]{6,}"
)
_PASSWORD = re.compile(r"(://[^\s/:@]*:)[^\s/]+@")
_NAMES = 4096  # that are remembered

_ranks: Dict[str, int] = {}
_on = [True]


def mask(on: bool) -> None:
    """Whether this process masks anything at all."""
    _on[0] = on


def masking() -> bool:
    return _on[0]


def hidden(name: str) -> bool:
    """Whether a name says by itself that its value is a secret."""
    return rank(name) == STRONG


def rank(name: str) -> int:
    """WEAK for what may be a secret if its value looks like one.  name: an exact str."""
    found = _ranks.get(name)
    if found is None:
        found = _rank(name)
        if len(_ranks) >= _NAMES:
            _ranks.clear()
        if len(name) <= 64:
            _ranks[name] = found
    return found if _on[0] else PLAIN


def _rank(name: str) -> int:
    if _HINT.search(name, 0, BEYOND) is None:
        return PLAIN
    words = [word.lower() for word in _WORD.findall(name, 0, BEYOND)]
    if _STRONG.search("_%s_" % "_".join(words)):
        return STRONG
    return WEAK if words and words[-1] in ("key", "token") else PLAIN


def keyish(value: Any) -> bool:
    """Whether a value under a weak name is a secret: a str or bytes of letters and digits."""
    kind = type(value)
    if issubclass(kind, str):
        text = str.__getitem__(value, slice(0, BEYOND))
    elif issubclass(kind, bytes):
        text = bytes.__getitem__(value, slice(0, BEYOND)).decode("latin-1")
    else:
        return False
    return (
        len(text) >= 8
        and re.search(r"\s", text) is None
        and re.search(r"[^\W\d_]", text) is not None
        and re.search(r"\d", text) is not None
    )


def names_in(text: str) -> bool:
    """A quick look: whether any name in a text may be one that hides its value."""
    low = text.lower()
    return (
        "key" in low
        or "token" in low
        or "pass" in low
        or "secret" in low
        or "pwd" in low
        or "credential" in low
    )


def suspicious(text: str) -> bool:
    """A quick look: whether a text may hold what looks like a key."""
    if "://" in text or "earer " in text:
        return True  # also in short ones
    if len(text) < 13:
        return False
    return (
        "sk-" in text
        or "eyJ" in text
        or "AKIA" in text
        or "-----BEGIN" in text
        or "xox" in text
        or ("_" in text and ("gh" in text or "github_pat_" in text))
    )


def masked(text: str) -> str:
    """A text without what looks like a key; the very same one if there is none."""
    if not _on[0] or not suspicious(text):
        return text
    return _PASSWORD.sub(r"\1***@", _KEYS.sub(MASK, text))


def within(shown: str, room: int, cut: bool) -> str:
    """What may be kept of a masked text.  cut: it ends where the value does not, perhaps amid a
    key that is too short there to be known for one."""
    return shown[: min(room, max(len(shown) - BEYOND, 0) if cut else room)]
