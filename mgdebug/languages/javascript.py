"""JavaScript: shown by `mgdebug tree`, not repaired yet."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath
from typing import NoReturn

import tree_sitter
import tree_sitter_javascript

from mgdebug.errors import UsageError
from mgdebug.languages import grammar_folder
from mgdebug.syntax.grammar import Conventions, Grammar

_SUFFIXES = (".js", ".mjs", ".cjs")
_TEST_FOLDERS = {"test", "tests", "__tests__", "__mocks__", "spec", "node_modules"}


def _modules(importer: str, module: str) -> Iterator[str]:
    """Where a module may be: only names that begin with a dot are files of the project."""
    if module.split("/")[0] not in (".", ".."):
        return
    base = posixpath.normpath(posixpath.join(posixpath.dirname(importer), module))
    if base.split("/")[0] == "..":
        return
    if base.endswith(_SUFFIXES):
        yield base
    for end in ("", "/index"):
        for suffix in _SUFFIXES:
            yield f"{base}{end}{suffix}" if base != "." else f"index{suffix}"


_CONVENTIONS = Conventions(
    implicit={},
    constructors=("constructor",),
    itself="this",
    parent="super",
    attribute=("member_expression", "object", "property"),
    call={"call_expression": "function", "new_expression": "constructor"},
    passed=("arguments", "jsx_expression"),
    invoked="",
    nameless="",
    goes_on=r"[)\]}.?:]|/[/*]|\*|(else|catch|finally)\b",
    joins="@",
    opaque=(
        r"`(?:[^\\`]|\\[\s\S])*`|/\*[\s\S]*?\*/"
        r'|"(?:[^"\\\n]|\\[\s\S])*"'
        r"|'(?:[^'\\\n]|\\[\s\S])*'"
        r"|//[^\n]*"
    ),
    long_quotes=("`",),
    modules=_modules,
    main=("default", "module", "exports"),
)


class JavaScript:
    @cache  # noqa: B019 (one instance lives as long as the process)
    def grammar(self) -> Grammar:
        language = tree_sitter.Language(tree_sitter_javascript.language())
        return Grammar.read(grammar_folder("javascript"), language, _CONVENTIONS)

    def is_source(self, path: PurePosixPath) -> bool:
        """The naming rules of Jest, Mocha and node:test tell tests."""
        if path.stem.endswith((".test", ".spec", "_test", "-test")) or path.stem == "test":
            return False
        if ".config" in path.suffixes:
            return False
        return not _TEST_FOLDERS.intersection(path.parts[:-1])

    def vocabulary(self) -> NoReturn:
        raise UsageError(
            "JavaScript is shown by `mgdebug tree`; repairing it is not possible yet",
            "name a file in another language, or see what there is with `mgdebug tree FILE`",
        )
