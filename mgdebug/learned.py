"""What accepted patches teach: each edit as a template, kept per project and per user.

A template is the text before and after, with the names that both hold as $1, $2, ... (fix patterns
mined from accepted changes: Getafix, Bader et al. 2019).  They lie in the user's cache folder as
JSON; `mgdebug learned` lists and forgets them.
"""

from __future__ import annotations

import hashlib
import json
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from mgdebug.model import Patch
from mgdebug.syntax.source import SourceFile

MOST = 200  # templates that are kept in one file; the ones seen longest ago go first
LONGEST = 80  # characters of either side
_NAME = re.compile(r"(?<![\w.$])[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Template:
    """before, after: code with $1, $2, ... for names.  count: how often it was accepted."""

    before: str
    after: str
    count: int = 1


def abstracted(before: str, after: str) -> Template | None:
    """An edit as a template; None if it only adds or drops, or is long: that says too little."""
    one, two = before.strip(), after.strip()
    if not one or not two or max(len(one), len(two)) > LONGEST or "\n" in one + two:
        return None
    names: dict[str, str] = {}

    def hidden(match: re.Match[str]) -> str:
        word = match.group()
        called = match.string[match.end() : match.end() + 1] == "("
        if keyword.iskeyword(word) or called or match.string[match.start() - 1 :][:1] in "'\"":
            return word
        return names.setdefault(word, f"${len(names) + 1}")

    first = _NAME.sub(hidden, one)
    known = len(names)
    second = _NAME.sub(hidden, two)
    return None if len(names) > known or first == second else Template(first, second)


def filled(template: Template, text: str) -> str | None:
    """What a template makes of a piece of code; None where it does not match."""
    parts = re.split(r"(\$\d+)", template.before)
    seen: set[str] = set()
    pattern = ""
    for part in parts:
        if re.fullmatch(r"\$\d+", part):
            pattern += rf"(?P=n{part[1:]})" if part in seen else rf"(?P<n{part[1:]}>[A-Za-z_]\w*)"
            seen.add(part)
        else:
            pattern += r"\s*".join(map(re.escape, part.split(" ")))
    match = re.fullmatch(pattern, text)
    if match is None:
        return None
    return re.sub(r"\$(\d+)", lambda m: match.group(f"n{m.group(1)}"), template.after)


def remember(root: Path, files: Mapping[str, SourceFile], patch: Patch) -> None:
    """Keep what a patch that was accepted teaches.  files: as they were before it."""
    new = [
        template
        for edit in patch.edits
        for template in [abstracted(files[edit.path].slice(edit.start, edit.end), edit.text)]
        if template is not None
    ]
    for place in _places(root):
        known = {(t.before, t.after): t for t in _read(place)}
        for template in new:
            key = (template.before, template.after)
            count = known.pop(key).count + 1 if key in known else 1
            known[key] = Template(*key, count)
        _write(place, list(known.values())[-MOST:])


def known(root: Path) -> tuple[Template, ...]:
    """What was learned in a project, then what was elsewhere, the most frequent first."""
    found: dict[tuple[str, str], Template] = {}
    for place in _places(root):
        for template in sorted(_read(place), key=lambda t: -t.count):
            found.setdefault((template.before, template.after), template)
    return tuple(found.values())


def forget(root: Path, numbers: Iterable[int] | None) -> int:
    """Drop templates by their numbers in known(), from 1; None: all of the project and the user.
    Returns how many."""
    everything = known(root)
    chosen = range(1, len(everything) + 1) if numbers is None else numbers
    gone = {everything[n - 1] for n in chosen if 1 <= n <= len(everything)}
    keys = {(t.before, t.after) for t in gone}
    for place in _places(root):
        left = [t for t in _read(place) if (t.before, t.after) not in keys]
        _write(place, left)
    return len(gone)


def folder() -> Path:
    """Where templates are kept."""
    return platformdirs.user_cache_path("mgdebug") / "learned"


def _places(root: Path) -> tuple[Path, Path]:
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return folder() / f"project-{name}.json", folder() / "user.json"


def _read(place: Path) -> list[Template]:
    """Nothing where the file is missing or is not what it should be: it is a cache."""
    try:
        return [Template(**one) for one in json.loads(place.read_text("utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _write(place: Path, templates: list[Template]) -> None:
    """A cache that cannot be written is done without."""
    try:
        if not templates:
            place.unlink(missing_ok=True)
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_suffix(".new")
        temporary.write_text(json.dumps([asdict(t) for t in templates], indent=1), "utf-8")
        temporary.replace(place)
    except OSError:
        pass
