"""What the functions of a file may change, found out together since they call each other."""

import ast
from typing import Any, Dict, List, Optional, Set, Tuple

from .aliases import Aliases
from .deeds import ANY, ATOMS, MAKES, MUTATORS, OWN, PURE, called
from .walking import walk

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_QUIET_DECORATORS = frozenset(
    """
    staticmethod classmethod property abstractmethod lru_cache cache dataclass
    total_ordering cached_property override final
    """.split()
)
_QUIET_METHODS = frozenset("__init__ __repr__ __str__ __hash__ __new__ __post_init__".split())
_LAZY = frozenset("map filter starmap takewhile dropwhile filterfalse accumulate".split())
_ARRAYS = frozenset("numpy pandas torch jax cupy tensorflow scipy polars".split())
_ROUNDS = 6


class Purity:
    """What the functions of a file may change: nothing (PURE), what their object holds (OWN; a
    class whose __init__ does no more MAKES objects), or ANY thing.

    scopes: of each function its node, its scope and whether it is a method.  eager: whether
    operators, attributes or iteration may run code that is not PURE.  arrays: whether `a += 1` may
    change an object.
    """

    def __init__(self, tree: ast.AST, scopes: List[Tuple[Any, Any, bool]]) -> None:
        self._levels = {id(node): PURE for node, _, _ in scopes}
        self._functions: Dict[str, List[Any]] = {}
        self._methods: Dict[str, List[Any]] = {}
        for node, _, method in scopes:
            if isinstance(node, _FUNCTIONS):
                (self._methods if method else self._functions).setdefault(node.name, []).append(
                    node
                )
        self._bound: Set[str] = set()
        self.arrays = False
        self._classes: Dict[str, Any] = {}
        for node in walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._bound.add(node.id)
            elif isinstance(node, ast.arg):
                self._bound.add(node.arg)
            elif isinstance(node, ast.ClassDef):
                self._classes[node.name] = node
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [getattr(node, "module", None) or "", *(a.name for a in node.names)]
                self.arrays = self.arrays or any(n.split(".")[0] in _ARRAYS for n in names)
        for node, _, _ in scopes:
            if not all(called(d) in _QUIET_DECORATORS for d in getattr(node, "decorator_list", [])):
                self._levels[id(node)] = ANY
        for _ in range(_ROUNDS):
            if not self._round(scopes):
                break
        else:
            self._levels = dict.fromkeys(self._levels, ANY)
        self.eager = any(self._runs_unasked(node, method) for node, _, method in scopes)
        self.eager = self.eager or any(_lazy(node) for node in walk(tree))

    def _round(self, scopes: List[Tuple[Any, Any, bool]]) -> bool:
        changed = False
        for node, scope, method in scopes:
            level = self._levels[id(node)]
            if level != ANY:
                now = self._judged(node, scope, method)
                self._levels[id(node)] = now
                changed = changed or now != level
        return changed

    def _judged(self, node: Any, scope: Any, method: bool) -> str:
        body = node.body if isinstance(node.body, list) else [node.body]
        if scope.elsewhere:
            return ANY
        own = scope.parameters[0] if method and scope.parameters else ""
        shared = [name for name in scope.known if name in scope.given and name != own]
        aliases = Aliases(self, scope.known, shared)
        aliases.take(body)
        others, self_too = aliases.reaches([_without_yields(one) for one in body], own)
        if others:
            return ANY
        return OWN if self_too else PURE

    def _runs_unasked(self, node: Any, method: bool) -> bool:
        level = self._levels[id(node)]
        if not isinstance(node, _FUNCTIONS) or level == PURE:
            return False
        if method:
            special = node.name.startswith("__") and node.name not in _QUIET_METHODS
            if special or any(
                called(d) not in ("staticmethod", "classmethod", "abstractmethod")
                for d in node.decorator_list
            ):
                return True
        return any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in walk(node))

    def level(self, node: Any) -> str:
        return self._levels.get(id(node), ANY)

    def function(self, name: str) -> Optional[str]:
        """Of what a name that is called does; None for one that the file does not define."""
        if name in self._classes and name not in self._functions and name not in self._bound:
            return self._making(self._classes[name])
        if name in self._functions:
            levels = {self._levels[id(node)] for node in self._functions[name]}
            return PURE if levels == {PURE} and name not in self._bound else ANY
        return ANY if name in self._bound else None

    def _making(self, node: Any) -> str:
        if node.decorator_list or node.keywords or any(called(b) != "object" for b in node.bases):
            return ANY
        for inner in node.body:
            name = inner.name if isinstance(inner, _FUNCTIONS) else ""
            if name == "__new__" or (name == "__init__" and self._levels[id(inner)] == ANY):
                return ANY
        return MAKES

    def method(self, name: str) -> Optional[str]:
        if name not in self._methods:
            return None
        levels = {self._levels[id(node)] for node in self._methods[name]}
        if ANY in levels or (levels == {PURE} and name in MUTATORS):
            return ANY if ANY in levels else OWN
        return OWN if OWN in levels else PURE


class _NoYields(ast.NodeTransformer):
    def inner(self, node: Any) -> Any:
        return None if node.value is None else self.visit(node.value)

    def visit_Yield(self, node: ast.Yield) -> Any:
        return self.inner(node) or ast.copy_location(ast.Constant(None), node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> Any:
        return self.inner(node)


def _without_yields(node: Any) -> Any:
    """What runs elsewhere while a generator waits is not its own doing."""
    if any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in walk(node)):
        from copy import deepcopy

        return _NoYields().visit(deepcopy(node))
    return node


def _lazy(node: ast.AST) -> bool:
    """Whether a call makes an iterator that calls what may be anything."""
    if not isinstance(node, ast.Call) or called(node) not in _LAZY or not node.args:
        return False
    return called(node.args[0]) not in ATOMS and not isinstance(node.args[0], ast.Lambda)
