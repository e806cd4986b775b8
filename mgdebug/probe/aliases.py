"""Which names of a function may show another value once a statement has run, since it changes an
object that they hold.

Flow-insensitive and by unification (Steensgaard 1996): each name stands for the objects that it may
hold, and `name.` for all that these hold.  What callers may hold too is one class, "*".
"""

import ast
from typing import Any, Dict, Iterable, List, Set, Tuple

from .deeds import ATOMS, COPIES, MAKES, MODULES, MUTATORS, OWN, PICKS, PURE, READERS, called
from .walking import children, walk

Source = Tuple[str, str]  # what a value may be, and what it may hold; "" for what is new

EVERYBODY = "*"
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Aliases:
    """The objects of one function.

    purity: what the functions of the file do, see Purity.  known: names of the scope; shared:
    those that others may hold too.  After `take` of the whole body, `changes` tells what a
    statement does.
    """

    def __init__(self, purity: Any, known: Iterable[str], shared: Iterable[str]) -> None:
        self.purity, self.known = purity, set(known)
        self._parents: Dict[str, str] = {}
        self._union(EVERYBODY, EVERYBODY + ".")
        for name in shared:
            self._share((name, name + "."))

    def take(self, body: Iterable[Any]) -> None:
        for node in body:
            self._run(node, set())

    def changes(self, nodes: Iterable[Any], names: Iterable[str]) -> Set[str]:
        """Those of the names that hold, at any depth, what running the nodes may change."""
        hit: Set[str] = set()
        for node in nodes:
            self._run(node, hit)
        roots = {self._find(one) for one in hit}
        if not roots:
            return set()
        return {n for n in names if self._find(n) in roots or self._find(n + ".") in roots}

    def reaches(self, nodes: Iterable[Any], name: str = "") -> Tuple[bool, bool]:
        """Whether running them may change what everybody holds, and what a name holds."""
        hit: Set[str] = set()
        for node in nodes:
            self._run(node, hit)
        roots = {self._find(one) for one in hit}
        own = {self._find(name), self._find(name + ".")} if name else set()
        return self._find(EVERYBODY) in roots, bool(own & roots)

    # ------------------------------------------------------------------------- the classes

    def _find(self, one: str) -> str:
        parents = self._parents
        while one in parents:
            one = parents[one]
        return one

    def _union(self, one: str, two: str) -> None:
        if one and two:
            first, second = self._find(one), self._find(two)
            if first != second:
                self._parents[first] = second

    def _share(self, source: Source) -> None:
        self._union(source[0], EVERYBODY)
        self._union(source[1], EVERYBODY)

    def _insert(self, holder: str, sources: Iterable[Source]) -> None:
        for source in sources:
            self._union(holder, source[0])
            self._union(holder, source[1])

    # ---------------------------------------------------------------------------- statements

    def _run(self, node: Any, hit: Set[str]) -> None:
        if isinstance(node, ast.expr):
            if isinstance(getattr(node, "ctx", None), ast.Store):
                self._assign(node, [], hit)
            else:
                self._value(node, hit)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            sources = self._value(node.value, hit) if node.value is not None else []
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._assign(target, sources, hit)
        elif isinstance(node, ast.AugAssign):
            sources = self._value(node.value, hit)
            if isinstance(node.target, ast.Name):
                if self.purity.arrays or not _harmless(node):
                    hit.add(node.target.id)
                self._insert(node.target.id + ".", [("", held) for _, held in sources])
            else:
                self._assign(node.target, sources, hit)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._each(node.target, node.iter, hit)
            if isinstance(node, ast.AsyncFor):
                hit.add(EVERYBODY)
            for inner in (*node.body, *node.orelse):
                self._run(inner, hit)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if not isinstance(target, ast.Name):
                    self._assign(target, [], hit)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            hit.add(EVERYBODY)
            for item in node.items:
                sources = self._unknown([self._value(item.context_expr, hit)], hit)
                if item.optional_vars is not None:
                    self._assign(item.optional_vars, sources, hit)
            for inner in node.body:
                self._run(inner, hit)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            self._define(node, hit)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            hit.add(EVERYBODY)
        elif type(node).__name__ == "Match":
            self._match(node, hit)
        else:
            for child in children(node):
                self._run(child, hit)

    def _define(self, node: Any, hit: Set[str]) -> None:
        for decorator in node.decorator_list:
            self._unknown([self._value(decorator, hit)], hit)
        if isinstance(node, _FUNCTIONS):
            for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d)):
                self._unknown([self._value(default, hit)], set())
            if self.purity.level(node) == PURE:
                return
        for inner in walk(node):
            if isinstance(inner, ast.Name) and inner.id in self.known:
                self._share((inner.id, inner.id + "."))

    def _match(self, node: Any, hit: Set[str]) -> None:
        sources = self._value(node.subject, hit)
        for case in node.cases:
            for inner in walk(case.pattern):
                name = getattr(inner, "name", None) or getattr(inner, "rest", None)
                if isinstance(name, str):
                    self._bind(name, [*sources, *((held, held) for _, held in sources)])
            if case.guard is not None:
                self._value(case.guard, hit)
            for inner in case.body:
                self._run(inner, hit)

    def _bind(self, name: str, sources: Iterable[Source]) -> None:
        for same, held in sources:
            self._union(name, same)
            self._union(name + ".", held)

    def _assign(self, target: Any, sources: List[Source], hit: Set[str]) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, sources)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._assign(part, [(held, held) for _, held in sources], hit)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, [("", held) for _, held in sources], hit)
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            if isinstance(target, ast.Subscript):
                self._value(target.slice, hit)
            for same, held in self._value(target.value, hit):
                hit.add(same or EVERYBODY)
                self._insert(held, sources)

    def _each(self, target: Any, iterated: Any, hit: Set[str]) -> None:
        sources = self._value(iterated, hit)
        self._assign(target, [(held, held) for _, held in sources], hit)

    # --------------------------------------------------------------------------- expressions

    def _value(self, node: Any, hit: Set[str]) -> List[Source]:
        """What an expression may give, with what evaluating it may change added to `hit`."""
        if isinstance(node, ast.Name):
            if node.id in self.known:
                return [(node.id, node.id + ".")]
            return [(EVERYBODY, EVERYBODY)]
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            for inner in children(node):
                self._value(inner, hit)
            return []
        if isinstance(node, ast.Call):
            return self._call(node, hit)
        if isinstance(node, ast.Attribute):
            return [(held, held) for _, held in self._value(node.value, hit)]
        if isinstance(node, ast.Subscript):
            self._value(node.slice, hit)
            sources = self._value(node.value, hit)
            views = isinstance(node.slice, (ast.Slice, ast.Tuple))
            return [*([s for s in sources if views]), *((held, held) for _, held in sources)]
        if isinstance(node, ast.NamedExpr):
            sources = self._value(node.value, hit)
            self._assign(node.target, sources, hit)
            return sources
        if isinstance(node, (ast.BoolOp, ast.IfExp)):
            return [s for part in children(node) for s in self._value(part, hit)]
        if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare)):
            held = [s for part in children(node) for s in self._value(part, hit)]
            return [] if isinstance(node, ast.Compare) else [("", h) for _, h in held]
        if isinstance(node, _COMPREHENSIONS):
            return self._comprehension(node, hit)
        if isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom)):
            sources = self._value(node.value, hit) if node.value is not None else []
            return self._unknown([sources], hit)
        if isinstance(node, ast.Lambda):
            self._value(node.body, hit)
            used = [n.id for n in walk(node.body) if isinstance(n, ast.Name)]
            return [("", name) for name in used if name in self.known]
        found = [s for part in children(node) for s in self._value(part, hit)]
        if isinstance(node, ast.Starred):
            return [(held, held) for _, held in found]
        return [("", part) for source in found for part in source if part]

    def _comprehension(self, node: Any, hit: Set[str]) -> List[Source]:
        for one in node.generators:
            self._each(one.target, one.iter, hit)
            self.known.update(n.id for n in walk(one.target) if isinstance(n, ast.Name))
            for test in one.ifs:
                self._value(test, hit)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        found = [source for part in parts for source in self._value(part, hit)]
        return [("", part) for source in found for part in source if part]

    def _call(self, node: ast.Call, hit: Set[str]) -> List[Source]:
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        given = [self._value(value, hit) for value in values]
        every = [source for sources in given for source in sources]
        inner = [(held, held) for _, held in every]
        function = node.func
        if isinstance(function, ast.Name):
            name = function.id
            level = self.purity.function(name)
            if level is None and name not in self.known:
                plain = all(
                    k.arg != "key" or isinstance(k.value, ast.Lambda) for k in node.keywords
                )
                if name in ATOMS:
                    return []
                if name in COPIES and plain:
                    return [("", held) for _, held in every]
                if name in PICKS and plain:
                    return [*every, *inner]
            if level == PURE:
                return [*every, *inner, (EVERYBODY, EVERYBODY)]
            if level == MAKES:
                return [("", part) for source in every for part in source if part]
            return self._unknown([*given, self._value(function, hit)], hit)
        if not isinstance(function, ast.Attribute):
            return self._unknown([*given, self._value(function, hit)], hit)
        return self._method(function, given, hit)

    def _method(
        self, function: ast.Attribute, given: List[List[Source]], hit: Set[str]
    ) -> List[Source]:
        owner, name = function.value, function.attr
        every = [source for sources in given for source in sources]
        inner = [(held, held) for _, held in every]
        if isinstance(owner, ast.Name) and owner.id in MODULES and owner.id not in self.known:
            return [*every, *inner]
        receiver = self._value(owner, hit)
        level = self.purity.method(name)
        if isinstance(owner, (ast.Constant, ast.JoinedStr)) and level is None:
            return []
        kept = [(held, held) for _, held in receiver]
        if level == PURE or (level is None and name in READERS):
            return [*every, *inner, *kept, *receiver]
        if level == OWN or (level is None and name in MUTATORS):
            for same, held in receiver:
                hit.add(same or held or EVERYBODY)
                if level == OWN:
                    hit.add(held)
                self._insert(held, every)
            hit.discard("")
            return kept
        return self._unknown([*given, receiver], hit)

    def _unknown(self, given: List[List[Source]], hit: Set[str]) -> List[Source]:
        """Code that may do anything with what it is given, now and later."""
        hit.add(EVERYBODY)
        for sources in given:
            for source in sources:
                self._share(source)
        return [(EVERYBODY, EVERYBODY)]


def _harmless(node: ast.AugAssign) -> bool:
    """Whether `a += b` cannot change a list, set or dict, whatever a is."""
    value = node.value
    text = isinstance(value, ast.JoinedStr) or type(getattr(value, "value", None)) in (str, bytes)
    return not isinstance(node.op, ast.Mult) and not text and _scalar(value)


def _scalar(node: Any) -> bool:
    """Whether an expression gives a number or a text, whatever its names hold."""
    if isinstance(node, (ast.Constant, ast.JoinedStr, ast.Compare)):
        return True
    if isinstance(node, ast.BinOp):
        return _scalar(node.left) and _scalar(node.right)
    if isinstance(node, ast.UnaryOp):
        return _scalar(node.operand)
    return isinstance(node, ast.Call) and called(node) in ("len", "int", "float", "ord", "abs")
