"""Writing expressions so that they mean what was meant: brackets by precedence."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
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
    """Fills the templates of a vocabulary.

    precedence: operators and how tightly they bind; from_right: those that group from the right,
    as a ** b ** c does; chained: those that mean something else side by side, as a < b == c does.
    """

    def __init__(
        self,
        precedence: Mapping[str, int],
        from_right: Collection[str] = (),
        chained: Collection[str] = (),
    ) -> None:
        self._precedence, self._from_right, self._chained = precedence, from_right, chained
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

    def held(self, operator: str, right: bool) -> int:
        """How tightly an operator holds its left or its right operand."""
        strict = operator in self._chained or right != (operator in self._from_right)
        return self.of_operator(operator) + strict

    def _read(self, template: str) -> _Template:
        words = _HOLE.sub("0", template).replace("is not", "is").replace("not in", "in").split()
        operators = sorted((w for w in words if w in self._precedence), key=self.of_operator)
        levels = [self._precedence[operator] for operator in operators]
        if template.startswith("-"):
            levels.append(self._precedence["unary"])
        binds = min(levels, default=TIGHTEST)
        parts = _HOLE.split(template)
        holes = []
        for at in range(1, len(parts), 2):
            before, after = parts[at - 1], parts[at + 1]
            enclosed = before.endswith(("(", "[", ", ")) and after.startswith((")", "]", ","))
            postfix = after.startswith((".", "[", "("))
            if enclosed or not (postfix or levels):  # the last: a statement, as in "return {0}"
                needed = LOOSEST
            elif postfix or not operators:
                needed = TIGHTEST if postfix else binds
            else:
                needed = self.held(operators[0], at > 1)
            holes.append((int(parts[at]), needed))
        return _Template(tuple(parts[::2]), tuple(holes), binds)
