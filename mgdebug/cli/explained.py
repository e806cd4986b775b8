"""How a command explains itself: options in sections, examples at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

FEW = 8  # options, which sections would only tear apart

# A section and the options in it; those that are not named here come first, as Options.
SECTIONS = {
    "What is right": ("tests", "expressions", "io"),
    "Who is asked": (
        *("engine", "model", "api_base", "strategy", "decompose"),
        *("local_only", "no_cache", "yes"),
    ),
    "How it is run": ("python", "time", "jobs", "sandbox"),
}


class Explains(click.Command):
    """A command whose help ends with examples: what is typed, and what it is for."""

    def __init__(
        self, *arguments: Any, examples: Sequence[tuple[str, str]] = (), **rest: Any
    ) -> None:
        super().__init__(*arguments, **rest)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write_dl(list(self.examples), col_max=40)


class Explained(Explains):
    """One whose options stand in sections besides."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        found = [(o.name, record) for o in options if (record := o.get_help_record(ctx))]
        within = {name for names in SECTIONS.values() for name in names}
        few = len(found) <= FEW
        with formatter.section("Options"):
            formatter.write_dl([record for name, record in found if few or name not in within])
        for title, names in () if few else SECTIONS.items():
            if some := [record for name, record in found if name in names]:
                with formatter.section(title):
                    formatter.write_dl(some)
