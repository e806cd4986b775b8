"""What is compared outside of the process that computed it.

The source of a case is split into leaves, which are evaluated where the project is, and the
comparison of their values, which is done again in the parent with its own literals.  The child's
own word counts only when it says that the case fails.
"""

import ast
import math
from types import CodeType
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from .frames import Malformed
from .plain import NotPlain, builtin_of, flatten, rebuild

Names = Dict[str, Any]
_KNOWN: Names = {
    "abs": abs, "round": round, "math": math, "set": set, "frozenset": frozenset, "float": float,
}  # fmt: skip
_SINGLETONS = (None, True, False, Ellipsis)
_INSIDE = "inside"


class Verdict(NamedTuple):
    """passed; message: why not; inside: whether it is the child's own word."""

    passed: bool
    message: str = ""
    inside: bool = False


class Step:
    """One truth: of an expression, or of an assert."""

    def __init__(self, node: ast.expr, message: Optional[ast.expr] = None) -> None:
        self.leaves: List[CodeType] = []
        self.borrowed: Set[str] = set()  # names that mean the same in the parent, unless shadowed
        self.arithmetic: Set[int] = set()  # leaves that are added, subtracted or rounded
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
        self.names = ["__mgdebug_%d__" % n for n in range(len(self.leaves))]

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
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Invert):
            is_sign = not isinstance(node.op, ast.Not)
            return ast.UnaryOp(node.op, self._split(node.operand, is_sign))
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            left, right = self._split(node.left, True), self._split(node.right, True)
            return ast.BinOp(left, node.op, right)
        if isinstance(node, ast.Call) and self._is_pure(node):
            words = [ast.keyword(k.arg, self._split(k.value, True)) for k in node.keywords]
            given = [self._split(part, True) for part in node.args]
            return ast.Call(node.func, given, words)
        if not self.compares or isinstance(node, ast.BoolOp):
            self.inside |= any(isinstance(part, ast.Compare) for part in ast.walk(node))
        name = "__mgdebug_%d__" % len(self.leaves)
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
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            name, given = node.func.id, [_value(part) for part in node.args]
            sets = name in ("set", "frozenset") and len(given) <= 1
            number = name == "float" and len(given) == 1 and isinstance(given[0], (tuple, str))
            if (sets or number) and None not in given:
                self.borrowed.add(name)
                return True
        return _value(node) is not None

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
        if self.inside or self._is_shadowed(names):
            return _INSIDE
        values = self.values(names)
        flats = [flatten(value) for value in values]
        strange = [[part for part in flat if _is_alien(part)] for flat in flats]
        if any(strange):
            if any(part[3] and part[2] for found in strange for part in found):
                return _INSIDE
            if not self.compares or (all(strange) and not self.literals):
                return _INSIDE
            for index in self.arithmetic:
                kind = type(values[index])
                if strange[index] and builtin_of(kind) is None and not _extends_builtin(kind):
                    return _INSIDE
        return flats

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
        if proof == _INSIDE:
            return Verdict(True, "", True)
        if type(proof) is not list or len(proof) != len(self.names):
            raise Malformed("a proof that nobody sends")
        scope = dict(_KNOWN)
        try:
            for name, flat in zip(self.names, proof):
                for part in flat:
                    if _is_alien(part) and part[2] and self.compares > self.identities:
                        return Verdict(False, _not_comparable(str(part[1])[:100]))
                scope[name] = rebuild(flat)
        except Exception:
            raise Malformed("a value that nobody sends") from None
        try:
            if eval(self.code, scope):
                return Verdict(True)
        except Exception as error:
            return Verdict(False, "%s: %s" % (type(error).__name__, str(error)[:300]))
        return Verdict(False, "it is not true outside of the program")


class Program:
    """An expression, or statements: steps that are judged, and code that just runs."""

    def __init__(self, source: str) -> None:
        """Raises SyntaxError."""
        tree = ast.parse(source.strip(), "<case>")
        compile(tree, "<case>", "exec")
        self.parts: List[Tuple[Optional[Step], Optional[CodeType]]] = []
        self.inside = False
        self.is_expression = len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)
        for statement in tree.body:
            if isinstance(statement, ast.Assert):
                atoms = _atoms(statement.test)
                self.parts += [(Step(atom, statement.msg), None) for atom in atoms]
            elif self.is_expression:
                assert isinstance(statement, ast.Expr)
                self.parts += [(Step(atom), None) for atom in _atoms(statement.value)]
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


class Judges:
    """What a parent knows of its cases before any code of the project runs."""

    def __init__(self, expressions: List[str], pairs: List[Tuple[str, str, str]]) -> None:
        self._known: Dict[str, Any] = {}
        for index, source in enumerate(expressions, 1):
            try:
                self._known["case %d: %s" % (index, source)] = Program(source)
            except SyntaxError:  # told by who collects
                break
        seen: Dict[str, int] = {}
        for name, _, wanted in pairs:
            id = "io: " + name
            seen[id] = seen.get(id, 0) + 1
            self._known[id if seen[id] == 1 else "%s (%d)" % (id, seen[id])] = Output(wanted)

    def of(self, case: str) -> Any:
        """Whose verdict(proof) decides, or None: the child's word counts."""
        return self._known.get(case)


class Output:
    """The wanted output of a program."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lines: Optional[List[str]] = None
        try:
            with open(path, "rb") as file:
                self._lines = lines_of(file.read())
        except OSError:  # the case fails for the same reason
            pass

    def verdict(self, proof: Any) -> Verdict:
        """proof: the output, a character a byte.  Raises Malformed."""
        try:
            got = lines_of(proof.encode("latin-1"))
        except (AttributeError, ValueError):
            raise Malformed("an output that nobody sends") from None
        if got == self._lines:
            return Verdict(True)
        return Verdict(False, "the output is another one than wanted")


def lines_of(data: bytes) -> List[str]:
    """White space at the ends of lines and of the text does not count."""
    text = data.decode("utf-8", "replace")
    return [line.rstrip() for line in text.rstrip().splitlines()]


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


def _extends_builtin(kind: type) -> bool:
    plain = (int, float, complex, str, bytes, list, tuple, set, frozenset, dict)
    return any(base in plain for base in type.__dict__["__mro__"].__get__(kind))


def _not_comparable(name: str) -> str:
    return "value of type %s is not comparable" % name
