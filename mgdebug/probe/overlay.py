"""Patched sources, served from memory: the user's files are never written.

A fresh import of an overlaid file reads the patched text; for a process that has imported
the file already, `plan_swap` finds the functions whose __code__ a patch changes, where that
is all that it changes.
"""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections import Counter
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

Transform = Callable[[str, bytes], types.CodeType]  # path, source -> what is run in its place


class Overlay(importlib.abc.MetaPathFinder):
    """The first finder of sys.meta_path.  sources: absolute real paths -> text as bytes; given: the
    same -> names that stand in the module before its code runs."""

    def __init__(self) -> None:
        self.sources: Dict[str, bytes] = {}
        self.given: Dict[str, Dict[str, Any]] = {}
        self.transforms: Dict[str, Transform] = {}

    def install(self) -> None:
        """Come first, also before pytest's assertion rewriting."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        sys.meta_path.insert(0, self)

    def source(self, path: str) -> bytes:
        """The text of a file as this overlay has it.  Raises OSError."""
        real = os.path.realpath(path)
        source = self.sources.get(real)
        if source is None:
            with open(real, "rb") as file:
                source = file.read()
        return source

    def code(self, path: str) -> types.CodeType:
        """The compiled text of a file as this overlay has it."""
        source = self.source(path)
        transform = self.transforms.get(os.path.realpath(path))
        if transform:
            return transform(path, source)
        code: types.CodeType = compile(source, path, "exec", dont_inherit=True)
        return code

    def holds(self, path: str) -> bool:
        real = os.path.realpath(path)
        return real in self.sources or real in self.transforms or real in self.given

    def find_spec(
        self, fullname: str, path: Any, target: Optional[types.ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if not self.sources and not self.transforms and not self.given:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: Optional[importlib.machinery.ModuleSpec] = None
            if find is not None:
                spec = find(fullname, path, target)
            if spec is not None:
                if spec.origin and spec.has_location and self.holds(spec.origin):
                    spec.loader = _Loader(fullname, spec.origin, self)
                    return spec
                return None
        return None


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, overlay: Overlay) -> None:
        super().__init__(fullname, path)
        self.overlay = overlay

    def get_data(self, path: str) -> bytes:
        source = self.overlay.sources.get(os.path.realpath(path))
        return super().get_data(path) if source is None else source

    def get_code(self, fullname: str) -> types.CodeType:
        return self.overlay.code(self.path)

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module).update(self.overlay.given.get(os.path.realpath(self.path), {}))
        super().exec_module(module)


def file_of(module: Any) -> str:
    """The file of what stands in sys.modules, "" without one.  Looked up where no lazy module loads
    itself for it."""
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except Exception:
        return ""
    return file if type(file) is str else ""


def modules_of(path: str) -> List[types.ModuleType]:
    """Modules that were loaded from a file (real path)."""
    name = os.path.basename(path)
    # realpath costs a system call for each folder: only files of the same name are worth it
    return [
        module
        for module in list(sys.modules.values())
        if file_of(module).endswith(name) and os.path.realpath(file_of(module)) == path
    ]


def load_file(name: str, path: str) -> types.ModuleType:
    """Import a file under a name that no other module has, patched as any import would be."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    for finder in sys.meta_path:
        if type(finder) is Overlay and finder.holds(path):
            spec.loader = _Loader(name, path, finder)
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


# ---------------------------------------------------------------------------------- hot swaps

Key = Tuple[str, int]  # a function's name and first line
Swap = Tuple[types.FunctionType, types.CodeType]

_CO_NEWLOCALS = 0x2  # the code of a function, a lambda or a comprehension
_CO_VARIADIC = 0x4 | 0x8  # *args, **kwargs
_CO_SUSPENDS = 0x20 | 0x80 | 0x200  # generators, coroutines


class LiveFunctions:
    """The functions of this process by the file, name and line of their code."""

    def __init__(self) -> None:
        self._found: Dict[str, Dict[Key, List[types.FunctionType]]] = {}
        real: Dict[str, str] = {}
        for thing in gc.get_objects():
            if type(thing) is types.FunctionType:
                code = thing.__code__
                file = code.co_filename
                if file not in real:
                    real[file] = os.path.realpath(file)
                functions = self._found.setdefault(real[file], {})
                functions.setdefault(_key(code), []).append(thing)

    def of(self, path: str, code: types.CodeType) -> List[types.FunctionType]:
        if not code.co_flags & _CO_NEWLOCALS:
            return []
        return self._found.get(path, {}).get(_key(code), [])


def plan_swap(
    path: str,
    old: types.CodeType,
    new: types.CodeType,
    live: LiveFunctions,
    ran: Iterable[Tuple[str, int]] = (),
) -> Optional[List[Swap]]:
    """What to swap so that a process that runs `old` runs `new`; None if only a fresh import will
    do: module code, a class body, a default or a decorator changed, a name came or went, a
    closure or the parameters have another shape, or what changed has run while the module was
    imported.  [] if the two do the same.

    ran: the functions that ran, as name and line of the `def`.
    """
    if _shallow(old) != _shallow(new):
        return None
    keys = Counter(_key(code) for code in _all_inside(old) if code.co_flags & _CO_NEWLOCALS)
    alike = {key for key, count in keys.items() if count > 1}  # which is which, nobody can say
    run = {  # code begins at the first decorator
        max((k for k in keys if k[0] == name and k[1] <= line), default=(name, line))
        for name, line in ran
    }
    return _plan(path, old, new, live, (alike, run), False, False)


def _plan(
    path: str,
    old: types.CodeType,
    new: types.CodeType,
    live: LiveFunctions,
    fixed: Tuple[Set[Key], Set[Key]],
    swapped: bool,
    ran: bool,
) -> Optional[List[Swap]]:
    """fixed: functions that look alike, and those that ran.  swapped: the function around is
    swapped, so that its next call makes new inner functions; those that it has made already are to
    be swapped too.  ran: it ran, and what it made and threw away has had its effect."""
    before, after = list(_inside(old)), list(_inside(new))
    if [code.co_name for code in before] != [code.co_name for code in after]:
        return None if any(live.of(path, code) for code in _all_inside(old)) else []
    swaps: List[Swap] = []
    for one, two in zip(before, after):
        if _deep(one) == _deep(two):
            continue
        functions = live.of(path, one)
        alike, run = (_key(one) in keys for keys in fixed)
        if functions:
            # What it did by itself during the import stays, where only functions in it change.
            if alike or (run and _shallow(one) != _shallow(two)) or not _fits(one, two):
                return None
            swaps += [(function, two) for function in functions]
        elif ran or (not swapped and _shallow(one) != _shallow(two)):
            return None
        inside = _plan(path, one, two, live, fixed, swapped or bool(functions), run)
        if inside is None:
            return None
        swaps += inside
    return swaps


def same_code(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether two codes do the same, wherever their lines are."""
    return _deep(old) == _deep(new)


def _key(code: types.CodeType) -> Key:
    return code.co_name, code.co_firstlineno


def _fits(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether a function may get another code: its closure and defaults stay, and what its
    decorators have made of its signature."""
    one, two = (
        (code.co_freevars, code.co_flags & (_CO_VARIADIC | _CO_SUSPENDS), _parameters(code))
        for code in (old, new)
    )
    return one == two


def _parameters(code: types.CodeType) -> Sequence[Any]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bin(code.co_flags & _CO_VARIADIC).count("1")
    names = code.co_varnames[:count]
    return (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, names)


def _inside(code: types.CodeType) -> Iterator[types.CodeType]:
    return (const for const in code.co_consts if isinstance(const, types.CodeType))


def _all_inside(code: types.CodeType) -> Iterator[types.CodeType]:
    for inner in _inside(code):
        yield inner
        yield from _all_inside(inner)


def _shallow(code: types.CodeType) -> Sequence[Any]:
    """What a code object does itself, without line numbers and without the functions inside."""
    return (
        code.co_name,
        code.co_flags,
        _parameters(code),
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_code,
        [_const(code, const) for const in code.co_consts],
        getattr(code, "co_exceptiontable", b""),
    )


def _const(code: types.CodeType, const: Any) -> Any:
    if isinstance(const, types.CodeType):
        return ("code", const.co_name)
    if "__firstlineno__" in code.co_names and const == code.co_firstlineno:
        return "a class body's own line"  # from 3.13 on
    return _exact(const)


def _exact(const: Any) -> Any:
    """1, True and 1.0 are equal, and 0.0 and -0.0, but they are different programs."""
    if isinstance(const, tuple):
        return ("tuple", [_exact(item) for item in const])
    if isinstance(const, frozenset):
        return ("frozenset", sorted(repr(_exact(item)) for item in const))
    return (type(const).__name__, repr(const))


def _deep(code: types.CodeType) -> Sequence[Any]:
    return (_shallow(code), [_deep(inner) for inner in _inside(code)])
