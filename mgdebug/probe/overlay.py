"""Patched sources, served from memory: the user's files are never written.

A fresh import of an overlaid file reads the patched text; for a process that has imported
the file already, `plan_swap` finds the functions whose __code__ a patch changes, where that
is all that it changes.
"""

import gc
import importlib.abc
import importlib.machinery
import os
import sys
import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

Transform = Callable[[str, bytes], Any]  # path, source -> what compile() takes


class Overlay(importlib.abc.MetaPathFinder):
    """The first finder of sys.meta_path.  sources: absolute real paths -> text as bytes."""

    def __init__(self) -> None:
        self.sources: Dict[str, bytes] = {}
        self.transforms: Dict[str, Transform] = {}

    def install(self) -> None:
        """Come first, also before pytest's assertion rewriting."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        sys.meta_path.insert(0, self)

    def code(self, path: str) -> types.CodeType:
        """The compiled text of a file as this overlay has it."""
        real = os.path.realpath(path)
        source = self.sources.get(real)
        if source is None:
            with open(real, "rb") as file:
                source = file.read()
        transform = self.transforms.get(real)
        tree = transform(real, source) if transform else source
        code: types.CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code

    def holds(self, path: str) -> bool:
        real = os.path.realpath(path)
        return real in self.sources or real in self.transforms

    def find_spec(
        self, fullname: str, path: Any, target: Optional[types.ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if not self.sources and not self.transforms:
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
        return self.overlay.sources.get(os.path.realpath(path)) or super().get_data(path)

    def get_code(self, fullname: str) -> types.CodeType:
        return self.overlay.code(self.path)


def modules_of(path: str) -> List[types.ModuleType]:
    """Modules that were loaded from a file (real path)."""
    found = []
    name = os.path.basename(path)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        # realpath costs a system call for each folder: only files of the same name are worth it
        if isinstance(file, str) and file.endswith(name) and os.path.realpath(file) == path:
            found.append(module)
    return found


Key = Tuple[str, int]  # a function's name and first line


class LiveFunctions:
    """The functions of this process by the file, name and line of their code."""

    def __init__(self) -> None:
        self._found: Dict[str, Dict[Key, List[types.FunctionType]]] = {}
        for thing in gc.get_objects():
            if type(thing) is types.FunctionType:
                code = thing.__code__
                functions = self._found.setdefault(os.path.realpath(code.co_filename), {})
                functions.setdefault((code.co_name, code.co_firstlineno), []).append(thing)

    def of(self, path: str, key: Key) -> List[types.FunctionType]:
        return self._found.get(path, {}).get(key, [])


Swap = Tuple[types.FunctionType, types.CodeType]


def plan_swap(
    path: str, old: types.CodeType, new: types.CodeType, live: LiveFunctions
) -> Optional[List[Swap]]:
    """What to swap so that a process that runs `old` runs `new`; None if only a fresh import will
    do: module code, a class body, a default or a decorator changed, a name came or went, or a
    closure has another shape.  [] if the two do the same."""
    if _shallow(old) != _shallow(new):
        return None
    swaps: List[Swap] = []
    for before, after in zip(_inner(old), _inner(new)):
        if _signature(before) == _signature(after):
            continue
        functions = live.of(path, (before.co_name, before.co_firstlineno))
        if not before.co_flags & 0x02 or not functions:  # CO_NEWLOCALS: not a class body
            inside = plan_swap(path, before, after, live) if not functions else None
            if inside is None:
                return None
            swaps += inside
            continue
        if before.co_freevars != after.co_freevars:
            return None
        swaps += [(function, after) for function in functions]
    return swaps


def same_code(old: types.CodeType, new: types.CodeType) -> bool:
    return _signature(old) == _signature(new)


def _inner(code: types.CodeType) -> Iterator[types.CodeType]:
    return (const for const in code.co_consts if isinstance(const, types.CodeType))


def _shallow(code: types.CodeType) -> Sequence[Any]:
    """What a code object does itself, without line numbers and without the functions inside."""
    return (
        code.co_name,
        code.co_flags,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_code,
        [
            _inner_name(const) if isinstance(const, types.CodeType) else _exact(const)
            for const in code.co_consts
        ],
        getattr(code, "co_exceptiontable", b""),
    )


def _inner_name(code: types.CodeType) -> Tuple[str, str]:
    return ("code", code.co_name)


def _exact(const: Any) -> Any:
    """1, True and 1.0 are equal, and 0.0 and -0.0, but they are different programs."""
    if isinstance(const, (tuple, frozenset)):
        return (type(const).__name__, [_exact(item) for item in const])
    return (type(const).__name__, repr(const))


def _signature(code: types.CodeType) -> Sequence[Any]:
    return (_shallow(code), [_signature(inner) for inner in _inner(code)])
