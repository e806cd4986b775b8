"""Writing expressions so that they mean what was meant: brackets by precedence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LOOSEST, TIGHTEST = 0, 100
_HOLE = re.compile(r"\{(\d)\}")


@dataclass(frozen=True, slots=True)
class Wording:
    """Text and how tightly its outermost operator binds."""

    text: str
    binds: int = TIGHTEST

    def within(self, needed: int) -> str:
        """The text, in brackets where its surroundings bind tighter."""
        return self.text if self.binds >= needed else f"({self.text})"


@dataclass(frozen=True, slots=True)
class _Template:
    parts: tuple[str, ...]
    holes: tuple[tuple[int, int], ...]  # which value, how tightly it is held
    binds: int


class Writer:
    """Fills the templates of a vocabulary.  precedence: operators and how tightly they bind."""

    def __init__(self, precedence: Mapping[str, int]) -> None:
        self._precedence = precedence
        self._templates: dict[str, _Template] = {}

    def fill(self, template: str, *values: Wording) -> Wording:
        known = self._templates.get(template)
        if known is None:
            known = self._templates[template] = self._read(template)
        text = known.parts[0]
        for (which, needed), part in zip(known.holes, known.parts[1:], strict=True):
            text += values[which].within(needed) + part
        return Wording(text, known.binds)

    def of_operator(self, operator: str) -> int:
        return self._precedence.get(operator, LOOSEST)

    def _read(self, template: str) -> _Template:
        words = _HOLE.sub("0", template).split()
        levels = [self._precedence[word] for word in words if word in self._precedence]
        if template.startswith("-"):
            levels.append(self._precedence["unary"])
        binds = min(levels, default=TIGHTEST)
        parts = _HOLE.split(template)
        holes = []
        for at in range(1, len(parts), 2):
            before, after = parts[at - 1], parts[at + 1]
            enclosed = before.endswith(("(", "[", ", ")) and after.startswith((")", "]", ","))
            postfix = after.startswith((".", "[", "("))
            needed = LOOSEST if enclosed else TIGHTEST if postfix else binds + bool(at > 1)
            if not enclosed and not postfix and not levels:
                needed = LOOSEST  # a statement, such as "return {0}"
            holes.append((int(parts[at]), needed))
        return _Template(tuple(parts[::2]), tuple(holes), binds)
