"""A pytest item without pytest: nothing but the test's own function, at a hundredth of the price.

For a test without fixtures, marks, and plug-ins that have a say, that comes to the same.
"""

import copy
import unittest
import warnings
from typing import Any, Callable, Dict, Optional, Tuple

# Plug-ins whose hooks do nothing to a plain function.
_HARMLESS = {
    *("_pytest", "anyio", "_hypothesis_pytestplugin", "hypothesis", "xdist", "pytest_cov"),
    *("pytest_asyncio", "pytest_mock", "pytest_randomly", "pytest_sugar", "faker"),
}
_OWN = __name__.rpartition(".")[0]
_HOOKS = ("protocol", "setup", "call", "teardown", "logreport", "makereport", "logstart")
_SUSPENDS = 0x20 | 0x80 | 0x200  # generators, coroutines
_ATOMS = (type(None), bool, int, float, complex, str, bytes)


def bare(item: Any) -> Optional[Callable[[], None]]:
    """What runs a test's own function; None where that is not the same as to run the test."""
    try:
        return _bare(item)
    except Exception:  # whatever a plug-in has made of it
        return None


def _bare(item: Any) -> Optional[Callable[[], None]]:
    import pytest

    spec = getattr(item, "callspec", None)
    given: Dict[str, Any] = dict(spec.params) if spec is not None else {}
    config = item.config
    holder, name = item.cls, item.originalname
    is_unittest = holder is not None and issubclass(holder, unittest.TestCase)
    fixtures = {name for name in item.fixturenames if not (is_unittest and _of_unittest(name))}
    if fixtures != set(given) or not _only_harmless_hooks(item):
        return None
    if any(mark.name != "parametrize" for mark in item.iter_markers()):
        return None
    if config.getini("filterwarnings") or config.getoption("pythonwarnings", None):
        return None
    if is_unittest:
        return _method(holder, name, item.module)
    function = getattr(item.obj, "__func__", item.obj)
    if type(item) is not pytest.Function or hasattr(function, "hypothesis"):
        return None
    if function.__code__.co_flags & _SUSPENDS:
        return None
    once = all(type(value) in _ATOMS for value in given.values())
    if not once and not _is_plain(given):
        return None  # a copy of an object is another object

    def run() -> None:
        call = item.obj if holder is None else getattr(holder(), name)
        with warnings.catch_warnings():
            call(**(given if once else copy.deepcopy(given)))

    return run


def _is_plain(value: Any) -> bool:
    """Whether it is made of built-in containers and atoms alone."""
    if type(value) is dict:
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    if type(value) in (list, tuple, set, frozenset):
        return all(map(_is_plain, value))
    return type(value) in _ATOMS


def _of_unittest(fixture: str) -> bool:
    """One that calls setUpClass, which `_method` looks at itself."""
    return fixture == "request" or fixture.startswith("_unittest_setUpClass_fixture_")


def _method(holder: Any, name: str, module: Any) -> Optional[Callable[[], None]]:
    """Of a unittest class."""
    for hook in ("setUpClass", "tearDownClass"):
        if getattr(holder, hook).__func__ is not getattr(unittest.TestCase, hook).__func__:
            return None
    own = holder.run, holder.__call__
    if hasattr(module, "setUpModule") or own != (unittest.TestCase.run, unittest.TestCase.__call__):
        return None

    def run() -> None:
        result = _Quick()
        with warnings.catch_warnings():
            holder(name).run(result)
        if not result.succeeded:
            raise AssertionError

    return run


class _Quick(unittest.TestResult):
    """Writes no tracebacks: they take longer than the tests."""

    def __init__(self) -> None:
        super().__init__()
        self.succeeded = False
        self._odd = False

    def addSuccess(self, test: Any) -> None:
        self.succeeded = not self._odd

    def addError(self, test: Any, err: Any) -> None:
        self.succeeded, self._odd = False, True

    addFailure = addExpectedFailure = addError

    def addSkip(self, test: Any, reason: str) -> None:
        self.addError(test, None)

    def addUnexpectedSuccess(self, test: Any) -> None:
        self.addError(test, None)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.addError(test, err)


class _NoDifferences:
    """In place of difflib, for those who write messages that nobody reads."""

    @staticmethod
    def ndiff(*_: Any, **__: Any) -> Tuple[()]:
        return ()

    unified_diff = context_diff = ndiff


def without_messages() -> None:
    """From now on a failing assertion of unittest does not spell out how two values differ."""
    vars(unittest.case)["difflib"] = _NoDifferences


def _only_harmless_hooks(item: Any) -> bool:
    hooks = [getattr(item.ihook, "pytest_runtest_" + name, None) for name in _HOOKS]
    for hook in [*hooks, item.ihook.pytest_pyfunc_call]:
        for one in hook.get_hookimpls() if hook is not None else ():
            owner = getattr(one.function, "__module__", None) or ""
            if owner.partition(".")[0] not in _HARMLESS and not owner.startswith(_OWN):
                return False
    return True
