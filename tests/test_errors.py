"""The tree of errors is the one that its docstring draws."""

from __future__ import annotations

import inspect
import re

import pytest

from mgdebug import errors
from mgdebug.errors import MgdebugError

CLASSES: dict[str, type[MgdebugError]] = {
    name: kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, MgdebugError)
}


def drawn() -> dict[str, tuple[str, int | None]]:
    """The classes of the docstring, each with the one it hangs from and its exit code."""
    found: dict[str, tuple[str, int | None]] = {}
    depths: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        row = re.match(r"([├└│─ ]*)([A-Z]\w+)  +(?:(\d+)|exit code)", line)
        if row:
            depth = len(row[1])
            while depths and depths[-1][0] >= depth:
                depths.pop()
            parent = depths[-1][1] if depths else "Exception"
            found[row[2]] = parent, int(row[3]) if row[3] else None
            depths.append((depth, row[2]))
    return found


def test_the_docstring_draws_every_class_and_no_other() -> None:
    assert set(drawn()) == set(CLASSES)
    found = inspect.getmembers(errors, inspect.isclass)
    assert [name for name, kind in found if kind.__module__ == errors.__name__] == list(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_hangs_where_it_is_drawn_and_ends_as_it_says(name: str) -> None:
    parent, code = drawn()[name]
    assert [base.__name__ for base in CLASSES[name].__bases__] == [parent]
    if code is not None:
        assert CLASSES[name].exit_code == code
    else:
        assert CLASSES[name] is MgdebugError


def test_exit_codes_are_those_that_the_command_line_promises() -> None:
    codes = (errors.CLEAN, errors.FAILURES, errors.USAGE, errors.ENVIRONMENT, errors.NO_CASES)
    assert codes == (0, 1, 2, 3, 5)
    assert errors.INTERRUPTED == 130
    assert all(kind.exit_code for kind in CLASSES.values())


@pytest.mark.parametrize("kind", CLASSES.values())
def test_an_error_carries_its_message_hint_and_detail(kind: type[MgdebugError]) -> None:
    error = kind("it broke", "mend it", "where\nit broke")
    assert str(error) == error.message == "it broke"
    assert (error.hint, error.detail) == ("mend it", "where\nit broke")
    bare = kind("it broke")
    assert (bare.hint, bare.detail) == ("", "")
