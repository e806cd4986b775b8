"""Names of one scope, as far as probes must know them: which may be passed where, and what a
statement may change.

What runs unknown code may change every container that a frame knows: other names may hold it too.
"""

import ast
from typing import Any, Iterable, Iterator, List, NamedTuple, Set, Tuple

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# They ask a frame for its names, or count frames.
_LOOKS_AT_FRAMES = frozenset(
    "locals vars dir eval exec _getframe currentframe f_locals stack settrace setprofile".split()
)
_PURE = frozenset(
    "abs all any ascii bin bool bytes callable chr complex dict divmod enumerate float format "
    "frozenset hash hex id int isinstance issubclass len list max min oct ord pow print range repr "
    "reversed round set slice sorted str sum tuple type zip".split()
)
_MAKES_ATOMS = frozenset("len int float ord chr bool str abs round hash id isinstance".split())
# Methods that are called by a mere operator or a look at an attribute.
_QUIET_METHODS = frozenset("__init__ __repr__ __str__ __hash__ __new__ __post_init__".split())
_QUIET_DECORATORS = frozenset("staticmethod classmethod dataclass abstractmethod".split())


class Effects(NamedTuple):
    """What code may do to the names of its scope.  impure: it may change any container."""

    stores: Set[str]
    deletes: Set[str]
    impure: bool


class Scope:
    """One function.  parameters: in their order.  local: the names that it binds.  known: those, and
    what it uses of the scopes around it.  mutable: the known ones that may hold what unknown code
    changes, and that are read anywhere.  watched: whether it looks at its own frame."""

    def __init__(self, node: Any, eager: bool, around: Iterable[str]) -> None:
        """eager: whether an operator or an attribute may run code of the user's.  around: the names
        of the functions around it and the data of its module."""
        self.eager = eager
        arguments = node.args
        every = [*getattr(arguments, "posonlyargs", []), *arguments.args]
        every += [arguments.vararg] if arguments.vararg else []
        every += [*arguments.kwonlyargs, *([arguments.kwarg] if arguments.kwarg else [])]
        self.parameters: List[str] = [argument.arg for argument in every]
        body = node.body if isinstance(node.body, list) else [node.body]
        elsewhere: Set[str] = set()
        for own in _own(body):
            if isinstance(own, (ast.Global, ast.Nonlocal)):
                elsewhere.update(own.names)
        stored = set(_stored(_own(body)))
        self.local: Set[str] = (stored | set(self.parameters)) - elsewhere
        read: Set[str] = set()
        self.watched = False
        for inner in (i for statement in body for i in ast.walk(statement)):
            if isinstance(inner, ast.Name):
                self.watched = self.watched or inner.id in _LOOKS_AT_FRAMES
                if not isinstance(inner.ctx, ast.Store):
                    read.add(inner.id)
            elif isinstance(inner, ast.Attribute):
                self.watched = self.watched or inner.attr in _LOOKS_AT_FRAMES
        for own in _own(body):
            if isinstance(own, ast.AugAssign) and isinstance(own.target, ast.Name):
                read.add(own.target.id)
        free = ((read | elsewhere) - self.local).intersection(around)
        self.known: Set[str] = self.local | free
        self.mutable: Set[str] = (read & self.local) - self._atoms(body) | free

    @classmethod
    def bare(cls, eager: bool, names: Iterable[str]) -> "Scope":
        """A module or a class that assigns these names."""
        scope = cls(ast.parse("lambda: 0", mode="eval").body, eager, ())
        scope.known = scope.mutable = set(names)
        return scope

    def _atoms(self, body: List[Any]) -> Set[str]:
        """Names that are bound to numbers and texts only, and by this scope alone."""
        doubtful = set(self.parameters)
        for statement in body:
            for inner in ast.walk(statement):
                if isinstance(inner, ast.Nonlocal):
                    doubtful.update(inner.names)
        sources: List[Tuple[str, Any]] = []
        plain: Set[int] = set()
        for own in _own(body):
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
        for own in _own(body):
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
        impure = self.eager or any(_impure(n, self) for top in nodes for n in _running(top))
        return Effects(stores, deletes, impure)

    def changed(self, effects: Effects) -> Set[str]:
        return effects.stores | self.mutable if effects.impure else set(effects.stores)


def eager(tree: ast.AST) -> bool:
    """Whether a file defines what runs without being called: operators, properties, generators."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)):
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name.startswith("__") and node.name not in _QUIET_METHODS:
                return True
            for decorator in node.decorator_list:
                name = _called(decorator) or _last_name(decorator)
                if name not in _QUIET_DECORATORS:
                    return True
    return False


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


def targets(comprehension: Any) -> List[str]:
    """The names that a comprehension binds in its own scope, in their order."""
    found: List[str] = []
    for generator in comprehension.generators:
        for node in ast.walk(generator.target):
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
            for inner in ast.walk(node):
                if isinstance(inner, ast.NamedExpr):
                    waiting.append(inner.target)
        else:
            waiting += ast.iter_child_nodes(node)


def _running(node: Any) -> Iterator[ast.AST]:
    """Nodes that may run when a statement does: not the bodies of functions that it defines, but
    those of lambdas, which somebody may call at once."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for inner in (*node.decorator_list, *node.args.defaults):
            yield inner
            yield from _running(inner)
        return
    yield node
    for inner in ast.iter_child_nodes(node):
        yield from _running(inner)


def _stored(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
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


def _impure(node: ast.AST, scope: Scope) -> bool:
    if isinstance(node, ast.Call):
        name = _called(node)
        if name not in _PURE or name in scope.local:
            constant = isinstance(node.func, ast.Attribute) and isinstance(
                node.func.value, (ast.Constant, ast.JoinedStr)
            )
            return not constant
        return any(k.arg == "key" and not isinstance(k.value, ast.Lambda) for k in node.keywords)
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.AugAssign):
        return not isinstance(node.target, ast.Name) or node.target.id in scope.mutable
    kinds = (ast.With, ast.AsyncWith, ast.AsyncFor, ast.ClassDef, ast.Import, ast.ImportFrom)
    return isinstance(node, kinds) or type(node).__name__ == "Match"


def _called(node: Any) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    return ""


def _last_name(node: Any) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    return getattr(node, "attr", "") or getattr(node, "id", "")


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
