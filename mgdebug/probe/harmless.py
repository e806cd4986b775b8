"""Which expressions surely change nothing, given what their names are bound to.

An expression is harmless in a state if it only reads, builds and compares (as its syntax says),
calls nothing but built-in functions and methods that are known, and all its names are bound to
plain data: built-in containers and scalars by their exact types, and objects of classes that have
no code which operators, attributes or iteration would run.
"""

import ast
import builtins
import dis
import math
import sys
import types
from collections import OrderedDict, deque
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Set

from .deeds import ATOMS, COPIES, PICKS, READERS
from .names import mentions_secret
from .secrets import names_in
from .walking import walk

LONGEST = 4000  # characters of an expression
_NODES = 50000  # values of a state that are looked at; what lies behind them is not sure
_FUNCTIONS = (ATOMS | COPIES | PICKS | {"map", "filter"}) - {"print"}
_MATH = frozenset(name for name in dir(math) if not name.startswith("_"))
_CALLED = READERS | _MATH
_BUILT_IN = {id(getattr(builtins, name)) for name in _FUNCTIONS if hasattr(builtins, name)}
_BUILT_IN |= {id(deque), id(OrderedDict)}
_SYNTAX = (
    *(ast.Name, ast.Constant, ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp),
    *(ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Dict, ast.Set),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
    *(ast.Lambda, ast.arguments, ast.arg, ast.Call, ast.keyword, ast.Starred),
    *(ast.JoinedStr, ast.FormattedValue, ast.Expression, ast.expr_context, ast.operator),
    *(ast.unaryop, ast.cmpop, ast.boolop),
    *((ast.Index, ast.ExtSlice) if sys.version_info < (3, 9) else ()),
)

_opcodes = {  # of the interpreters from 3.8 on: nothing is called, bound or made to be called later
    dis.opmap[name]
    for name in """
        CACHE RESUME NOP EXTENDED_ARG COPY SWAP DUP_TOP ROT_TWO ROT_THREE ROT_FOUR POP_TOP
        LOAD_NAME LOAD_CONST LOAD_ATTR RETURN_VALUE RETURN_CONST TO_BOOL
        COMPARE_OP IS_OP CONTAINS_OP BINARY_OP BINARY_ADD BINARY_SUBTRACT BINARY_MULTIPLY
        BINARY_MODULO BINARY_POWER BINARY_TRUE_DIVIDE BINARY_FLOOR_DIVIDE BINARY_AND BINARY_OR
        BINARY_XOR BINARY_LSHIFT BINARY_RSHIFT BINARY_SUBSCR BINARY_SLICE
        UNARY_NEGATIVE UNARY_NOT UNARY_INVERT UNARY_POSITIVE
        BUILD_TUPLE BUILD_LIST BUILD_SET BUILD_MAP BUILD_SLICE BUILD_CONST_KEY_MAP
        JUMP_FORWARD JUMP_IF_FALSE_OR_POP JUMP_IF_TRUE_OR_POP POP_JUMP_IF_FALSE POP_JUMP_IF_TRUE
        POP_JUMP_FORWARD_IF_FALSE POP_JUMP_FORWARD_IF_TRUE
    """.split()
    if name in dis.opmap
}
_leaves = {ast.Load, ast.Constant, ast.Compare, ast.Tuple, ast.BinOp, ast.Add, ast.Eq}

_SCALARS = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), range, slice)
_scalars = {id(kind) for kind in _SCALARS}
_sequences = {id(kind) for kind in (list, tuple, set, frozenset, deque)}
_mappings = {id(kind) for kind in (dict, OrderedDict)}
_QUIET = frozenset(
    """
    __init__ __new__ __doc__ __module__ __dict__ __weakref__ __slots__ __qualname__
    __annotations__ __match_args__ __dataclass_fields__ __dataclass_params__ __firstlineno__
    __static_attributes__ __annotate_func__ __annotations_cache__ __replace__
    """.split()
)
_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE


def reads(tree: ast.AST) -> Optional[FrozenSet[str]]:
    """The names that an expression reads; None if its syntax may change something."""
    names: Set[str] = set()
    for node in walk(tree):
        kind: Any = type(node)
        if kind is ast.Name:
            names.add(node.id)
        elif kind in _leaves:
            continue
        elif not isinstance(node, _SYNTAX):
            return None
        elif isinstance(node, ast.Attribute):
            if node.attr.startswith("__"):
                return None
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name):
                if called.id not in _FUNCTIONS:
                    return None
            elif not isinstance(called, ast.Attribute) or called.attr not in _CALLED:
                return None
    return frozenset(names)


class Expression(NamedTuple):
    """code: None where it does not compile; error: why.  reads: see harmless.  hides: the name of
    a secret that it speaks of."""

    code: Optional[types.CodeType]
    error: str = ""
    reads: Optional[Any] = None
    hides: str = ""


def compiled(text: str) -> Expression:
    """Never raises.  Warnings are the caller's."""
    if len(text) > LONGEST:
        return Expression(None, "it is longer than %d characters" % LONGEST)
    try:
        text = text.strip()
        code = compile(text, "<expression>", "eval", dont_inherit=True)
        plain = text.isascii() and "\\" not in text and not names_in(text)
        if plain and "__" not in text and _opcodes.issuperset(code.co_code[::2]):
            return Expression(code, "", frozenset(code.co_names))  # the same as below, quicker
        tree = ast.parse(text, "<expression>", "eval")
        return Expression(code, "", reads(tree), "" if plain else mentions_secret(tree))
    except SyntaxError as error:
        return Expression(None, "SyntaxError: %s" % error.msg)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return Expression(None, "does not compile: %s" % type(error).__name__)


class Plain:
    """Which names of one state are bound to plain data, or to built-in functions that are known."""

    def __init__(self, space: Dict[str, Any]) -> None:
        self._space = space
        self._outer = vars(builtins)
        self._seen: Set[int] = set()  # of containers and objects that are plain, or are looked at
        self._classes: Dict[int, bool] = {}
        self._left = _NODES
        self._known: Dict[str, bool] = {}

    def all(self, names: FrozenSet[str]) -> bool:
        known = self._known
        for name in names:
            sure = known.get(name)
            if sure is None:
                sure = known[name] = self._name(name)
            if not sure:
                return False
        return True

    def _name(self, name: str) -> bool:
        value = self._space.get(name, self)
        if value is self:
            value = self._outer.get(name, self)
        if value is self or id(value) in _BUILT_IN or value is math:
            return True  # if it is not bound, there is an error
        before = set(self._seen)
        if self._is(value):
            return True
        self._seen = before
        return False

    def _is(self, first: Any) -> bool:
        waiting: List[Any] = [first]
        while waiting:
            value = waiting.pop()
            kind = type(value)
            if id(kind) in _scalars:
                continue
            if id(value) in self._seen:
                continue
            self._seen.add(id(value))
            self._left -= 1
            if self._left < 0:
                return False
            if id(kind) in _sequences:
                inside = list(value)
            elif id(kind) in _mappings:
                inside = [*value.keys(), *value.values()]
            elif self._quiet(kind):
                inside = _held(value, kind)
            else:
                return False
            self._left -= len(inside)
            waiting += [one for one in inside if id(type(one)) not in _scalars]
        return True

    def _quiet(self, kind: type) -> bool:
        """Whether using an object of a class runs no code but what is called by name."""
        sure = self._classes.get(id(kind))
        if sure is None:
            sure = self._classes[id(kind)] = type(kind) is type and all(
                _runs_nothing(base) for base in type.__dict__["__mro__"].__get__(kind)[:-1]
            )
        return sure


def _runs_nothing(base: type) -> bool:
    flags: int = type.__dict__["__flags__"].__get__(base)
    if type(base) is not type or not flags & _HEAP:
        return False
    for name, value in list(type.__dict__["__dict__"].__get__(base).items()):
        if name in _QUIET:
            continue
        if name in _CALLED:
            return False
        if name.startswith("__") and name.endswith("__"):
            if not _generated(value):
                return False
            continue
        if id(type(value)) not in _scalars and type(value) not in _STORED:
            return False
    return True


_STORED = (
    types.FunctionType,
    staticmethod,
    classmethod,
    types.MemberDescriptorType,
)


def _generated(value: Any) -> bool:
    """Whether a special method is one that `dataclasses` wrote, or None."""
    if value is None:
        return True
    dataclasses = sys.modules.get("dataclasses")
    code = getattr(value, "__code__", None) if type(value) is types.FunctionType else None
    if code is None or dataclasses is None:
        return False
    helper = getattr(dataclasses, "_recursive_repr", None)
    own = getattr(helper, "__code__", None)
    return code.co_filename == "<string>" or (
        own is not None and code.co_filename == own.co_filename
    )


def _held(value: Any, kind: type) -> List[Any]:
    """What an object of a quiet class holds."""
    inside: List[Any] = []
    for base in type.__dict__["__mro__"].__get__(kind)[:-1]:
        for name, slot in type.__dict__["__dict__"].__get__(base).items():
            if type(slot) is types.MemberDescriptorType:
                try:
                    inside.append(slot.__get__(value))
                except AttributeError:
                    continue
            elif name not in _QUIET and type(slot) not in _STORED:
                inside.append(slot)
    try:
        inside += object.__getattribute__(value, "__dict__").values()
    except AttributeError:
        pass
    return inside
