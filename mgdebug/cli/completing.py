"""What a shell is offered when somebody presses Tab: values of options, settings, functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    split_arg_string,
)

Offered = Callable[[click.Context, click.Parameter, str], "list[CompletionItem] | list[str]"]

ENGINES = ("search", "llm", "both")
MOST_BYTES = 2 << 20  # of a file whose functions are offered


def words(known: Sequence[str]) -> Offered:
    """Some of these."""
    return lambda _context, _parameter, begun: [one for one in known if one.startswith(begun)]


def of_setting(name: str) -> Offered:
    """What a setting can be, such as "theme" or "model.strategy"."""

    def offered(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        from mgdebug.settings.tables import PLAIN, TABLES

        table, _, key = name.rpartition(".")
        known = (TABLES[table][1] if table else PLAIN)[key].schema.get("enum", ())
        return [one for one in known if isinstance(one, str) and one.startswith(begun)]

    return offered


def settings_named(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Names of settings and of their tables."""
    from mgdebug.settings.tables import KEYS, PLAIN, TABLES

    inner = [f"{table}.{key}" for table, (_, keys) in TABLES.items() for key in keys]
    return [one for one in (*PLAIN, *TABLES, KEYS, *inner) if one.startswith(begun)]


def targets(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Files, and behind FILE:: the functions and methods in it."""
    path, colons, name = begun.partition("::")
    if not colons:
        return [CompletionItem(begun, type="file")]
    return [CompletionItem(f"{path}::{one}") for one in _functions(path) if one.startswith(name)]


def _functions(path: str) -> list[str]:
    """Nothing where a file cannot be read or does not parse: it is only an offer."""
    try:
        file = Path(path).expanduser()
        if file.stat().st_size > MOST_BYTES:
            return []
        return list(_within(ast.parse(file.read_bytes()), ""))
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return []


def _within(tree: ast.AST, prefix: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}"
        elif isinstance(node, ast.ClassDef):
            yield from _within(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _within(node, prefix)


class _Bash(BashComplete):
    """bash takes "a.py::f" apart at the colons, and puts in place only what stands behind them."""

    _cut = 0  # characters of each offer that stand on the line already

    def get_completion_args(self) -> tuple[list[str], str]:
        import os

        given = split_arg_string(os.environ["COMP_WORDS"])
        at = int(os.environ["COMP_CWORD"])
        joined: list[str] = []
        glued = False
        for word in [*given[:at], given[at] if at < len(given) else ""]:
            colons = bool(word) and not word.strip(":")
            if joined and (glued or colons):
                joined[-1] += word
            else:
                joined.append(word)
            glued = colons
        begun = joined.pop()
        self._cut = begun.rfind(":") + 1
        return joined[1:], begun

    def format_completion(self, item: CompletionItem) -> str:
        value = str(item.value)
        return f"{item.type},{value[self._cut :] if item.type == 'plain' else value}"


add_completion_class(_Bash, "bash")
