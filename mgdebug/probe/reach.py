"""Which functions of the project's files each case calls, at the price of a few nanoseconds a call.

What runs while a file of the project is imported belongs to that file; what runs for a fixture that
cases share belongs to all who share it; the rest to the case.  No values are looked at.

From 3.12 on the interpreter tells of the first call of each function.  In 3.11 code is put before
each function's own, where all jumps are relative.  Before that only imports are known.
"""

import contextlib
import importlib.machinery
import opcode
import os
import sys
import types
from typing import Any, Callable, Dict, Iterable, Iterator, List, Set, Tuple

from .frames import Message
from .overlay import file_of

_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"}
_TOOLS = 3, 4  # of sys.monitoring: those that nobody has a claim to
_CO_OPTIMIZED = 0x1  # the code of a function, not of a module or a class

Lines = Dict[str, Set[int]]  # by file: the first lines of functions that were called
Place = Tuple[str, int]  # a file and the first line of a function
PathOf = Callable[[str], str]


class Reach:
    """One for a process; it stays until that ends.  It is a plug-in of pytest, too."""

    def __init__(self, root: str) -> None:
        self._root = root + os.sep
        self._paths: Dict[str, str] = {}
        self._calls = _calls(self.path_of)
        self._own: Lines = {}  # of the case
        self._imported: Lines = {}
        self._shared: Dict[str, Lines] = {}
        self._spell = self._imported  # what is added to now
        self._started = False
        self._modules: Dict[str, None] = {}
        sys.addaudithook(self._audit)
        self._watch(importlib.machinery.SourceFileLoader)

    def path_of(self, file: str) -> str:
        """The real path of a file if it is the project's own, else ""."""
        found = self._paths.get(file)
        if found is None:
            real = os.path.realpath(file) if file[:1] != "<" else ""
            own = real.startswith(self._root) and "site-packages" not in real.split(os.sep)
            found = self._paths[file] = real if own else ""
        return found

    def begin(self) -> None:
        """A case begins."""
        self._drain()
        self._own, self._started = {}, False
        self._spell = self._own

    def told(self) -> Message:
        """What is new since this was asked last; after a case that is what it reached."""
        self._drain()
        said: Message = {
            "hits": _plain(self._own),
            "imported": _plain(self._imported),
            "shared": [[scope, _plain(lines)] for scope, lines in self._shared.items()],
            "seen": sorted(self._calls.seen),
            "modules": self._new_modules(),
            "started": self._started,
        }
        self._imported.clear()
        self._shared.clear()
        self._calls.seen.clear()
        return said

    def _new_modules(self) -> Dict[str, str]:
        found: Dict[str, str] = {}
        if len(sys.modules) != len(self._modules):  # a case would pay for each of thousands
            for name, module in list(sys.modules.items()):
                if name not in self._modules:
                    path = self.path_of(file_of(module))
                    found.update({name: path} if path else {})
            self._modules = dict.fromkeys(sys.modules)
        return found

    def _drain(self) -> None:
        """What was called until now belongs to the spell."""
        for path, line in self._calls.drain():
            self._spell.setdefault(path, set()).add(line)

    @contextlib.contextmanager
    def _during(self, spell: Lines) -> Iterator[None]:
        self._drain()
        before, self._spell = self._spell, spell
        try:
            yield
        finally:
            self._drain()
            self._spell = before

    def _watch(self, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(own: Any, module: types.ModuleType) -> None:
            spec = getattr(module, "__spec__", None)
            if self.path_of(getattr(spec, "origin", None) or file_of(module)):
                with self._during(self._imported):
                    execute(own, module)
            else:
                execute(own, module)

        loader.exec_module = exec_module

    def _audit(self, event: str, _: Any) -> None:
        if event in _STARTS:
            self._started = True

    # ------------------------------------------------------------------------ the plug-in

    def plugins(self) -> List[Any]:
        """For pytest, which must be there."""
        import pytest

        reach = self

        class Fixtures:
            @pytest.hookimpl(hookwrapper=True)
            def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
                if fixturedef.scope == "function":
                    yield
                    return
                path = ""
                if fixturedef.scope in ("class", "module"):
                    path = str(getattr(request.node, "path", None) or request.node.fspath)
                with reach._during(reach._shared.setdefault(path, {})):
                    yield

        return [self, Fixtures()]

    def pytest_configure(self) -> None:
        with contextlib.suppress(ImportError, AttributeError):
            from _pytest.assertion.rewrite import AssertionRewritingHook

            self._watch(AssertionRewritingHook)


def _plain(lines: Lines) -> Dict[str, List[int]]:
    return {path: sorted(found) for path, found in lines.items()}


# --------------------------------------------------------------------------- who sees the calls


class _Calls:
    """seen: files whose calls are told.  Here: none."""

    def __init__(self) -> None:
        self.seen: Set[str] = set()

    def drain(self) -> Iterable[Place]:
        """The functions that were called since this was asked last."""
        return ()


def _calls(path_of: PathOf) -> _Calls:
    monitoring = getattr(sys, "monitoring", None)
    if monitoring and all(monitoring.get_tool(tool) is None for tool in _TOOLS):
        return _Told(path_of, monitoring)
    return _Prefixed(path_of) if sys.version_info[:2] == (3, 11) else _Calls()


class _Told(_Calls):
    """By sys.monitoring, which tells of each function once between two drains."""

    def __init__(self, path_of: PathOf, monitoring: Any) -> None:
        super().__init__()
        self._path_of = path_of
        self._codes: List[types.CodeType] = []
        begins = monitoring.events.PY_START
        modules, functions = _TOOLS

        def loaded(code: types.CodeType, _: int) -> Any:
            path = path_of(code.co_filename) if code.co_name == "<module>" else ""
            if path:
                self.seen.add(path)
                for inner in _functions(code):
                    monitoring.set_local_events(functions, inner, begins)
            return monitoring.DISABLE

        def called(code: types.CodeType, _: int) -> None:
            self._codes.append(code)
            monitoring.set_local_events(functions, code, 0)

        def again(code: types.CodeType) -> None:
            monitoring.set_local_events(functions, code, begins)

        self._again = again
        for tool, hear in ((modules, loaded), (functions, called)):
            monitoring.use_tool_id(tool, "mgdebug")
            monitoring.register_callback(tool, begins, hear)
        monitoring.set_events(modules, begins)

    def drain(self) -> Iterable[Place]:
        found, self._codes = self._codes, []
        for code in found:
            self._again(code)
        return [(self._path_of(code.co_filename), code.co_firstlineno) for code in found]


def _functions(code: types.CodeType) -> Iterator[types.CodeType]:
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            if _is_function(const):
                yield const
            yield from _functions(const)


def _is_function(code: types.CodeType) -> bool:
    return bool(code.co_flags & _CO_OPTIMIZED) and code.co_name[:1] != "<"


class _Prefixed(_Calls):
    """By code of CPython 3.11 before that of each function: called(number)."""

    def __init__(self, path_of: PathOf) -> None:
        super().__init__()
        self._path_of = path_of
        self._numbers: Set[int] = set()
        self._places: List[Place] = []
        loader: Any = importlib.machinery.SourceFileLoader
        get = loader.get_code

        def get_code(own: Any, fullname: str) -> Any:
            code = get(own, fullname)
            path = path_of(code.co_filename) if code is not None else ""
            if not path:
                return code
            self.seen.add(path)
            return self._prefixed(code, path)

        loader.get_code = get_code

    def drain(self) -> Iterable[Place]:
        found = [self._places[number] for number in self._numbers.copy()]
        self._numbers.clear()
        return found

    def _prefixed(self, code: types.CodeType, path: str) -> types.CodeType:
        consts: List[Any] = [
            self._prefixed(const, path) if isinstance(const, types.CodeType) else const
            for const in code.co_consts
        ]
        if not _is_function(code):
            return code.replace(co_consts=tuple(consts))
        prefix = _prefix(len(consts))
        consts += [self._numbers.add, len(self._places)]
        self._places.append((path, code.co_firstlineno))
        changes: Dict[str, Any] = {
            "co_linetable": _nowhere(len(prefix) // 2) + code.co_linetable,
            "co_exceptiontable": _shifted(code.co_exceptiontable, len(prefix) // 2),
        }
        return code.replace(
            co_code=prefix + code.co_code,
            co_consts=tuple(consts),
            co_stacksize=max(code.co_stacksize, 3),
            **changes,
        )


def _prefix(const: int) -> bytes:
    """consts[const](consts[const + 1]), its result thrown away."""
    found = [*_instruction("PUSH_NULL", 0)]
    found += [*_instruction("LOAD_CONST", const), *_instruction("LOAD_CONST", const + 1)]
    found += [*_instruction("PRECALL", 1), *_instruction("CALL", 1), *_instruction("POP_TOP", 0)]
    return bytes(found)


def _instruction(name: str, argument: int) -> Iterator[int]:
    if argument > 255:
        yield from _instruction("EXTENDED_ARG", argument >> 8)
    yield from (opcode.opmap[name], argument & 255)
    caches: Any = getattr(opcode, "_inline_cache_entries", ())
    yield from bytes(2 * caches[opcode.opmap[name]])


def _nowhere(units: int) -> bytes:
    """Entries of a table of lines, for code that has none (Objects/locations.md in CPython)."""
    found = []
    while units:
        some = min(8, units)
        found.append(0x80 | 15 << 3 | some - 1)
        units -= some
    return bytes(found)


def _shifted(table: bytes, units: int) -> bytes:
    """A table of handlers, all of them later (Objects/exception_handling_notes.txt in CPython)."""
    found: List[int] = []
    numbers: List[int] = []
    more = 0
    for byte in table:
        if more:
            numbers[-1] = numbers[-1] << 6 | byte & 0x3F
        else:
            numbers.append(byte & 0x3F)
        more = byte & 0x40
    for at, number in enumerate(numbers):
        shifted = number + units if at % 4 in (0, 2) else number  # start, length, target, depth
        parts = [shifted & 0x3F]
        while shifted > 0x3F:
            shifted >>= 6
            parts.insert(0, shifted & 0x3F | 0x40)
        parts[0] |= 0 if at % 4 else 0x80
        found += parts
    return bytes(found)
