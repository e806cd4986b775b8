"""Names of one scope, as far as probes must know them: which may be passed where, and what a
statement may change.

What runs unknown code may change every container that a frame knows: other names may hold it too.
"""

import ast
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

from .aliases import Aliases
from .purity import Purity
from .secrets import hidden, rank
from .walking import children, walk

LONGEST = 60  # characters of what may be a name

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# They ask a frame for its names, or count frames.
_LOOKS_AT_FRAMES = frozenset(
    [
        "locals",
        "vars",
        "dir",
        "eval",
        "exec",
        "_getframe",
        "currentframe",
        "f_locals",
        "stack",
        "settrace",
        "setprofile",
    ]
)
_MAKES_ATOMS = frozenset(
    ["len", "int", "float", "ord", "chr", "bool", "str", "abs", "round", "hash", "id", "isinstance"]
)


class Effects(NamedTuple):
    """What code may do to the names of its scope.  changed: names that may hold something else, or
    the same thing with other contents."""

    stores: Set[str]
    deletes: Set[str]
    changed: Set[str]


class Scope:
    """One function.

    parameters: in their order.  local: the names that it binds; data: those of them that are no
    functions, classes or imports.  known: data, and what it uses of the scopes around it.  mutable:
    the known ones that may hold what unknown code changes, and that are read anywhere.  watched:
    whether it looks at its own frame.  secret: the most secret name in it.
    """

    def __init__(self, node: Any, around: Iterable[str]) -> None:
        """around: the names of the functions around it and the data of its module."""
        self.parameters: List[str] = parameters(node.args)
        body = node.body if isinstance(node.body, list) else [node.body]
        elsewhere: Set[str] = set()
        own_nodes = list(_own(body))
        for own in own_nodes:
            if isinstance(own, (ast.Global, ast.Nonlocal)):
                elsewhere.update(own.names)
        stored = set(_stored(own_nodes))
        self.local: Set[str] = (stored | set(self.parameters)) - elsewhere
        read: Set[str] = set()
        self.watched = False
        self.name: str = getattr(node, "name", "")
        self.secret = max((mentions_secret(one) for one in body), key=rank, default="")
        for inner in (i for statement in body for i in walk(statement)):
            if isinstance(inner, ast.Name):
                self.watched = self.watched or inner.id in _LOOKS_AT_FRAMES
                if not isinstance(inner.ctx, ast.Store):
                    read.add(inner.id)
            elif isinstance(inner, ast.Attribute):
                self.watched = self.watched or inner.attr in _LOOKS_AT_FRAMES
        for own in own_nodes:
            if isinstance(own, ast.AugAssign) and isinstance(own.target, ast.Name):
                read.add(own.target.id)
        assigned = {n.id for n in own_nodes if isinstance(n, ast.Name) and _binds(n)}
        fixed = stored - assigned - _bound_otherwise(own_nodes) - set(self.parameters)
        self.data: Set[str] = self.local - fixed
        free = ((read | elsewhere) - self.local).intersection(around)
        self.known: Set[str] = self.data | free
        self.given: Set[str] = {*self.parameters, *free}  # what comes from elsewhere
        self.elsewhere = bool(elsewhere)
        self.aliases: Optional[Aliases] = None
        self._body = body
        self.mutable: Set[str] = (read & self.data) - self._atoms(body, own_nodes) | free

    @classmethod
    def bare(cls, names: Iterable[str]) -> "Scope":
        """A module or a class that assigns these names."""
        scope = cls(ast.parse("lambda: 0", mode="eval").body, ())
        scope.known = scope.mutable = set(names)
        return scope

    def settle(self, purity: Purity) -> None:
        """Find out which names may hold the same.  Without it everything may change everything."""
        if not purity.eager:
            self.aliases = Aliases(purity, self.known, self.given)
            self.aliases.take(self._body)

    def _atoms(self, body: List[Any], own_nodes: List[Any]) -> Set[str]:
        """Names that are bound to numbers and texts only, and by this scope alone."""
        doubtful = set(self.parameters)
        for statement in body:
            for inner in walk(statement):
                if isinstance(inner, ast.Nonlocal):
                    doubtful.update(inner.names)
        sources: List[Tuple[str, Any]] = []
        plain: Set[int] = set()
        for own in own_nodes:
            value: Any = None
            target: Any = None
            if isinstance(own, ast.Assign) and len(own.targets) == 1:
                target, value = own.targets[0], own.value
            elif isinstance(own, (ast.AugAssign, ast.AnnAssign)) and own.value is not None:
                target, value = own.target, own.value
            elif isinstance(own, ast.For) and _called(own.iter) == "range":
                target, value = own.target, ast.Constant(0)
            if isinstance(target, ast.Name):
                sources.append((target.id, value))
                plain.add(id(target))
        for own in own_nodes:
            if isinstance(own, ast.Name) and isinstance(own.ctx, ast.Store):
                if id(own) not in plain:
                    doubtful.add(own.id)
            elif not isinstance(own, ast.Name):
                doubtful.update(_names_bound(own))
        found = {name for name, _ in sources} - doubtful
        while True:
            left = {n for n in found if all(_atom(v, found) for name, v in sources if name == n)}
            if left == found:
                return found
            found = left

    def effects(self, nodes: Iterable[Any]) -> Effects:
        nodes = list(nodes)
        own = list(_own(nodes))
        stores = set(_stored(own)) & self.known
        deletes = {n.id for n in own if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)}
        if self.aliases is None:
            return Effects(stores, deletes, stores | self.mutable)
        return Effects(stores, deletes, stores | self.aliases.changes(nodes, self.mutable))


def scopes(tree: ast.Module) -> List[Tuple[Any, Scope, bool]]:
    """The functions of a file with their scopes, and whether each is a method."""
    found: List[Tuple[Any, Scope, bool]] = []
    waiting: List[Tuple[Any, Set[str], bool]] = [(tree, data(tree), False)]
    while waiting:
        node, around, in_class = waiting.pop()
        for inner in children(node):
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                scope = Scope(inner, around)
                found.append((inner, scope, in_class))
                waiting.append((inner, around | scope.data, False))
            else:
                waiting.append((inner, around, isinstance(inner, ast.ClassDef)))
    return found


def mentions_secret(node: ast.AST) -> str:
    """A name for what code gives, as secret as the most secret one that it names; else ""."""
    weak = ""
    for inner in walk(node):
        if isinstance(inner, ast.keyword):
            continue
        name = getattr(inner, "id", None) or getattr(inner, "attr", None)
        name = name or getattr(inner, "arg", None) or getattr(inner, "value", None)
        if type(name) is str and len(name) <= LONGEST and rank(name):
            if hidden(name):
                return name
            weak = name
    return weak


def looks_at_names(tree: ast.AST) -> bool:
    """Whether a file asks code objects for the names of variables."""
    names = ("co_varnames", "co_nlocals", "co_cellvars")
    return any(isinstance(n, ast.Attribute) and n.attr in names for n in walk(tree))


def declarations(function: Any) -> List[ast.stmt]:
    """The `global` and `nonlocal` of a function, to stand before all probes; in their own places
    nothing is left of them."""
    found: List[ast.stmt] = []
    for node in list(_own(function.body)):
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list) and not isinstance(node, _SCOPES):
                _take_out(statements, found)
    _take_out(function.body, found)
    return found


def _take_out(statements: List[ast.stmt], found: List[ast.stmt]) -> None:
    for at, statement in enumerate(statements):
        if isinstance(statement, (ast.Global, ast.Nonlocal)):
            found.append(statement)
            statements[at] = ast.copy_location(ast.Pass(), statement)


def data(tree: Any) -> Set[str]:
    """The names that the own code of a module or class assigns: not its functions, classes and
    imports."""
    return {
        node.id
        for node in _own(tree.body)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def parameters(arguments: ast.arguments) -> List[str]:
    """The names of all parameters, in their order."""
    every = [*getattr(arguments, "posonlyargs", []), *arguments.args]
    every += [arguments.vararg] if arguments.vararg else []
    every += [*arguments.kwonlyargs, *([arguments.kwarg] if arguments.kwarg else [])]
    return [argument.arg for argument in every]


def targets(comprehension: Any) -> List[str]:
    """The names that a comprehension binds in its own scope, in their order."""
    found: List[str] = []
    for generator in comprehension.generators:
        for node in walk(generator.target):
            if isinstance(node, ast.Name) and node.id not in found:
                found.append(node.id)
    return found


def _own(nodes: Iterable[Any]) -> Iterator[ast.AST]:
    """Nodes that belong to a scope, without what stands in the scopes inside."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _SCOPES):
            waiting += getattr(node, "decorator_list", [])
            if isinstance(node, ast.ClassDef):
                waiting += [*node.bases, *(keyword.value for keyword in node.keywords)]
            else:
                waiting += [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        elif isinstance(node, _COMPREHENSIONS):
            waiting.append(node.generators[0].iter)
            for inner in walk(node):
                if isinstance(inner, ast.NamedExpr):
                    waiting.append(inner.target)
        else:
            waiting += children(node)


def _stored(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name) and _binds(node):
            yield node.id
        else:
            yield from _names_bound(node)


def _names_bound(node: ast.AST) -> Iterator[str]:
    """By anything but a name in a place that is assigned."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield (alias.asname or alias.name).split(".")[0]
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name
    elif type(node).__name__ in ("MatchAs", "MatchStar", "MatchMapping"):
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if name:
            yield name


def _binds(name: ast.Name) -> bool:
    return isinstance(name.ctx, (ast.Store, ast.Del))


def _bound_otherwise(nodes: Iterable[ast.AST]) -> Set[str]:
    """By a handler or a pattern."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    return {name for n in nodes if not isinstance(n, kinds) for name in _names_bound(n)}


def _called(node: Any) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    return ""


def _atom(value: Any, atoms: Set[str]) -> bool:
    """Whether an expression gives a number or a text, if those names hold such."""
    if isinstance(value, (ast.Constant, ast.JoinedStr)):
        return True
    if isinstance(value, ast.Compare):
        return all(_atom(part, atoms) for part in (value.left, *value.comparators))
    if isinstance(value, ast.Name):
        return value.id in atoms
    if isinstance(value, ast.BinOp):
        return _atom(value.left, atoms) and _atom(value.right, atoms)
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.Not) or _atom(value.operand, atoms)
    if isinstance(value, ast.BoolOp):
        return all(_atom(part, atoms) for part in value.values)
    if isinstance(value, ast.IfExp):
        return _atom(value.body, atoms) and _atom(value.orelse, atoms)
    return _called(value) in _MAKES_ATOMS
