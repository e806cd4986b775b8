"""What is compared outside of the process that computed it.

The source of a case is split into leaves, which are evaluated where the project is, and the
comparison of their values, which is done again in the parent with its own literals.  The child's
own word counts only when it says that the case fails.
"""

import ast
import importlib.machinery
import math
from types import CodeType
from typing import Any, Dict, List, Optional, Set, Tuple, Union

from .examples import Verdict
from .frames import Malformed
from .kinds import is_installed
from .plain import NotPlain, flatten, rebuild

Names = Dict[str, Any]
_KNOWN: Names = {
    "abs": abs, "round": round, "math": math, "set": set, "frozenset": frozenset, "float": float,
}  # fmt: skip
_SINGLETONS = (None, True, False, Ellipsis)
_INSIDE = "inside"
_WHOLE = "whole"
# What these return may be made to be equal to anything.
_MATCHERS = {
    "_pytest", "pytest", "mock", "hypothesis", "hamcrest", "dirty_equals", "callee", "testfixtures",
}  # fmt: skip


class Step:
    """One truth: of an expression, or of an assert."""

    def __init__(
        self, node: ast.expr, message: Optional[ast.expr] = None, *, is_inner: bool = True
    ) -> None:
        """is_inner: whether arithmetic is taken apart too."""
        self._is_inner = is_inner
        self._prefix = "__mgdebug_%d__" if is_inner else "__mgdebug_whole_%d__"
        self.leaves: List[CodeType] = []
        self.borrowed: Set[str] = set()  # names that mean the same in the parent, unless shadowed
        self.arithmetic: Set[int] = set()  # leaves that are added, subtracted or rounded
        self.is_mixed = False  # with literals
        self.literals = self.compares = self.identities = 0
        self.inside = False
        self.message = None if message is None else _compiled(message)
        tree = self._split(node, False)
        self.left: Optional[CodeType] = None
        self.equality = False
        if isinstance(tree, ast.Compare) and len(tree.ops) == 1:
            self.left = _compiled(tree.left)
            self.equality = isinstance(tree.ops[0], ast.Eq)
        self.code = _compiled(tree)
        self.names = [self._prefix % n for n in range(len(self.leaves))]
        # For values that only the project knows how to add, and for an abs() of its own.
        self.whole: Optional[Step] = None
        if is_inner and (self.arithmetic or self.borrowed):
            self.whole = Step(tree, is_inner=False)

    def _split(self, node: ast.expr, arithmetic: bool) -> ast.expr:
        if self._is_literal(node):
            return node
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for op, left, right in zip(node.ops, sides, sides[1:]):
                self.compares += 1
                if isinstance(op, (ast.Is, ast.IsNot)):
                    self.identities += 1
                    self.inside |= not (_is_singleton(left) or _is_singleton(right))
            self.literals += sum(map(self._is_literal, sides))
            parts = [self._split(side, False) for side in sides]
            return ast.Compare(parts[0], node.ops, parts[1:])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ast.UnaryOp(node.op, self._split(node.operand, False))
        if self._is_inner and isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Invert):
            return ast.UnaryOp(node.op, self._split(node.operand, True))
        is_sum = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub))
        if self._is_inner and is_sum:
            assert isinstance(node, ast.BinOp)
            self.is_mixed |= self._is_literal(node.left) or self._is_literal(node.right)
            left, right = self._split(node.left, True), self._split(node.right, True)
            return ast.BinOp(left, node.op, right)
        if self._is_inner and isinstance(node, ast.Call) and self._is_pure(node):
            is_close = isinstance(node.func, ast.Attribute)
            self.is_mixed |= is_close and any(map(self._is_literal, node.args))
            words = [ast.keyword(k.arg, self._split(k.value, True)) for k in node.keywords]
            given = [self._split(part, True) for part in node.args]
            return ast.Call(node.func, given, words)
        if not self.compares or isinstance(node, ast.BoolOp):
            self.inside |= any(isinstance(part, ast.Compare) for part in ast.walk(node))
        name = self._prefix % len(self.leaves)
        if arithmetic:
            self.arithmetic.add(len(self.leaves))
        self.leaves.append(_compiled(node))
        return ast.Name(name, ast.Load())

    def _is_pure(self, node: ast.Call) -> bool:
        function, own = node.func, ""
        if any(isinstance(part, ast.Starred) for part in node.args):
            return False
        if isinstance(function, ast.Name) and function.id == "abs" and not node.keywords:
            own = "abs" if len(node.args) == 1 else ""
        elif isinstance(function, ast.Name) and function.id == "round" and not node.keywords:
            # The digits must be ours: what rounds to minus a billion of them takes for ever.
            fixed = all(_value(part) is not None for part in node.args[1:])
            own = "round" if 1 <= len(node.args) <= 2 and fixed else ""
        elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            is_close = function.value.id == "math" and function.attr == "isclose"
            own = "math" if is_close and all(k.arg for k in node.keywords) else ""
        if own:
            self.borrowed.add(own)
        return bool(own)

    def _is_literal(self, node: ast.expr) -> bool:
        if _value(node) is not None:
            return True
        if isinstance(node, ast.BinOp):
            return self._is_literal(node.left) and self._is_literal(node.right)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return all(map(self._is_literal, node.elts))
        if isinstance(node, ast.Dict):
            return all(x is not None and self._is_literal(x) for x in [*node.keys, *node.values])
        if not isinstance(node, ast.Call) or not self._is_inner or node.keywords:
            return False
        name, given = node.func, node.args
        if not isinstance(name, ast.Name) or not all(map(self._is_literal, given)):
            return False
        if (name.id in ("set", "frozenset") and len(given) <= 1) or (name.id == "float" and given):
            self.borrowed.add(name.id)
            return True
        return False

    # ------------------------------------------------------------------------- in the child

    def truth(self, names: Names) -> bool:
        """Evaluates the leaves, once.  Raises what they raise."""
        for name, code in zip(self.names, self.leaves):
            names[name] = eval(code, names)
        return bool(eval(self.code, names))

    def values(self, names: Names) -> List[Any]:
        return [names[name] for name in self.names]

    def clear(self, names: Names) -> None:
        for name in self.names:
            names.pop(name, None)

    def proof(self, names: Names) -> Any:
        """What the parent needs to find the same, after truth().  Raises NotPlain."""
        if self.inside:
            return _INSIDE
        if self._is_shadowed(names):
            return self._proof_of_whole(names)
        flats = [flatten(value) for value in self.values(names)]
        strange = [[part for part in flat if _is_alien(part)] for flat in flats]
        if not any(strange):
            return flats
        if not self.compares or (all(strange) and not self.literals):
            return _INSIDE
        deciding = [part[3] for found in strange for part in found if part[2]]
        if deciding and all(deciding) and not _MATCHERS.intersection(deciding):
            return "%s:%s" % (_INSIDE, deciding[0])
        if any(strange[index] for index in self.arithmetic) and all(strange) and not self.is_mixed:
            return self._proof_of_whole(names)
        return flats

    def _proof_of_whole(self, names: Names) -> Any:
        assert self.whole is not None
        self.whole.truth(names)
        found = self.whole.proof(names)
        self.whole.clear(names)
        return {_WHOLE: found}

    def objection(self, names: Names) -> str:
        """Why a value is not to be compared, of a step that fails; "" if there is no reason."""
        if not self.equality or not self.literals:
            return ""
        try:
            for value in self.values(names):
                flat = flatten(value)
                if _is_alien(flat[0]):
                    return _not_comparable(flat[0][1])
        except NotPlain as error:
            return str(error)
        return ""

    def _is_shadowed(self, names: Names) -> bool:
        return any(names.get(name, _KNOWN[name]) is not _KNOWN[name] for name in self.borrowed)

    # ------------------------------------------------------------------------ in the parent

    def verdict(self, proof: Any) -> Verdict:
        """Raises Malformed for what proof() never makes."""
        if type(proof) is str:
            own, _, package = proof.partition(":")
            may = self.inside or not self.compares or not self.literals or _is_library(package)
            if own != _INSIDE or not may:
                raise Malformed("a proof that nobody sends")
            return Verdict(True, "", True)
        if type(proof) is dict and self.whole is not None:
            found = self.whole.verdict(proof.get(_WHOLE))
            return found._replace(inside=found.passed)
        if type(proof) is not list or len(proof) != len(self.names):
            raise Malformed("a proof that nobody sends")
        scope, strange = dict(_KNOWN), ""
        try:
            for name, flat in zip(self.names, proof):
                for part in flat:
                    if _is_alien(part):
                        strange = strange or _not_comparable(str(part[1])[:100])
                        if part[2] and self.compares > self.identities:
                            return Verdict(False, strange)
                scope[name] = rebuild(flat)
        except Exception:
            raise Malformed("a value that nobody sends") from None
        try:
            if eval(self.code, scope):
                return Verdict(True)
        except Exception as error:
            return Verdict(False, "%s: %s" % (type(error).__name__, str(error)[:300]))
        return Verdict(False, strange or "it is not true outside of the program")


class Either:
    """Steps of which one has to be true: the first that is counts, as `or` has it."""

    left: Optional[CodeType] = None

    def __init__(self, nodes: List[ast.expr], message: Optional[ast.expr]) -> None:
        self.steps = [Step(node, message) for node in nodes]
        self.message = self.steps[0].message
        self._taken = 0

    def truth(self, names: Names) -> bool:
        for index, step in enumerate(self.steps):
            if step.truth(names):
                self._taken = index
                return True
            step.clear(names)
        return False

    def proof(self, names: Names) -> Any:
        return [self._taken, self.steps[self._taken].proof(names)]

    def clear(self, names: Names) -> None:
        self.steps[self._taken].clear(names)

    def objection(self, names: Names) -> str:
        return ""

    def verdict(self, proof: Any) -> Verdict:
        if type(proof) is not list or len(proof) != 2 or type(proof[0]) is not int:
            raise Malformed("a proof that nobody sends")
        if not 0 <= proof[0] < len(self.steps):
            raise Malformed("a proof that nobody sends")
        return self.steps[proof[0]].verdict(proof[1])


def _step(node: ast.expr, message: Optional[ast.expr] = None) -> Union[Step, Either]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return Either(node.values, message)
    return Step(node, message)


class Program:
    """An expression, or statements: steps that are judged, and code that just runs."""

    def __init__(self, source: str) -> None:
        """Raises SyntaxError."""
        try:
            tree = ast.parse(source.strip(), "<case>")
            compile(tree, "<case>", "exec")
            self._split(tree)
        except (ValueError, RecursionError, MemoryError, OverflowError) as error:
            raise SyntaxError(str(error) or type(error).__name__) from None

    def _split(self, tree: ast.Module) -> None:
        self.parts: List[Tuple[Union[Step, Either, None], Optional[CodeType]]] = []
        self.inside = False
        self.is_expression = len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)
        for statement in tree.body:
            if isinstance(statement, ast.Assert):
                atoms = _atoms(statement.test)
                self.parts += [(_step(atom, statement.msg), None) for atom in atoms]
            elif self.is_expression:
                assert isinstance(statement, ast.Expr)
                self.parts += [(_step(atom), None) for atom in _atoms(statement.value)]
            else:
                self.inside |= any(isinstance(n, ast.Assert) for n in ast.walk(statement))
                module = ast.Module([statement], [])
                self.parts.append((None, compile(module, "<case>", "exec")))
        self.steps = [step for step, _ in self.parts if step is not None]
        self.inside |= not self.steps

    def verdict(self, proof: Any) -> Verdict:
        """In the parent: of a case that passed, as its child says.  Raises Malformed."""
        if type(proof) is not list or len(proof) != len(self.steps):
            raise Malformed("a proof that nobody sends")
        inside = self.inside
        for step, part in zip(self.steps, proof):
            found = step.verdict(part)
            if not found.passed:
                return found
            inside |= found.inside
        return Verdict(True, "", inside)


def _atoms(node: ast.expr) -> List[ast.expr]:
    """What `and` joins: each is true, or the whole is not."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return [atom for value in node.values for atom in _atoms(value)]
    return [node]


def _compiled(node: ast.expr) -> CodeType:
    tree = ast.fix_missing_locations(ast.Expression(node))
    found: CodeType = compile(tree, "<case>", "eval")
    return found


def _value(node: ast.expr) -> Optional[Tuple[Any]]:
    """A literal's value, in a tuple of its own."""
    try:
        return (ast.literal_eval(node),)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_singleton(node: ast.expr) -> bool:
    found = _value(node)
    return found is not None and any(found[0] is one for one in _SINGLETONS)


def _is_alien(part: Any) -> bool:
    return type(part) is list and part[0] == "?"


def _is_library(package: str) -> bool:
    """Whether this interpreter has such a package installed, one whose objects are values."""
    if not package.isidentifier() or package in _MATCHERS:
        return False
    try:
        found = importlib.machinery.PathFinder.find_spec(package)
    except (ImportError, ValueError):
        return False
    return found is not None and is_installed(found.origin or "")


def _not_comparable(name: str) -> str:
    return "value of type %s is not comparable" % name
