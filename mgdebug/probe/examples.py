"""Doctests judged outside: the child tells what each example printed or raised, and the parent
compares with what it has itself read from the source text.
"""

import ast
import doctest
import os
from typing import Any, Dict, Iterator, List, NamedTuple, Set, Tuple

from .frames import Malformed
from .plain import MOST_BYTES, NotPlain

# Decorators that leave a docstring as it is, by their last name; others may write a new one.
_FAITHFUL = {
    "property", "setter", "getter", "deleter", "staticmethod", "classmethod", "abstractmethod",
    "dataclass", "total_ordering", "lru_cache", "cache", "cached_property", "wraps",
    "contextmanager", "overload", "final",
}  # fmt: skip


class Verdict(NamedTuple):
    """passed; message: why not; inside: whether it is the child's own word."""

    passed: bool
    message: str = ""
    inside: bool = False


# ------------------------------------------------------------------------------ in the child


class _Checker(doctest.OutputChecker):
    def __init__(self) -> None:
        self.asked: List[Tuple[str, str]] = []

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        self.asked.append((want, got))
        return super().check_output(want, got, optionflags)


class Telling(doctest.DocTestRunner):
    """told: for each example that passed, its source, whether it raised, and what it printed or
    raised."""

    def __init__(self) -> None:
        self._asked = _Checker()
        self.told: List[Tuple[str, bool, str]] = []
        super().__init__(checker=self._asked, verbose=False)

    def report_start(self, out: Any, test: Any, example: Any) -> None:
        self._asked.asked.clear()

    def report_success(self, out: Any, test: Any, example: Any, got: str) -> None:
        want, said = self._asked.asked[0]
        self.told.append((example.source, want == example.exc_msg, said))

    def proof(self) -> List[Tuple[str, bool, str]]:
        """What the parent needs to find the same.  Raises NotPlain for what is too much."""
        if sum(len(said) for _, _, said in self.told) > MOST_BYTES:
            raise NotPlain("the output is too large to compare")
        return self.told


# ------------------------------------------------------------------------------ in the parent


class Examples:
    """The examples of one docstring."""

    def __init__(self) -> None:
        self.variants: List[List[doctest.Example]] = []  # of a name that is defined several times
        self.sure = True  # whether the docstring stays as it is written

    def verdict(self, proof: Any) -> Verdict:
        """proof: see Telling.proof().  Raises Malformed for what it never makes."""
        if type(proof) is not list or not all(map(_is_told, proof)):
            raise Malformed("a proof that nobody sends")
        sources = [_words(source) for source, _, _ in proof]
        for wanted in self.variants:
            if [_words(example.source) for example in wanted] == sources:
                break
        else:
            if self.sure:
                return Verdict(False, "its examples are not those of the file")
            return Verdict(True, "", True)
        for example, (_, raised, said) in zip(wanted, proof):
            if not _matches(example, raised, said):
                lines = said.strip().splitlines()
                return Verdict(False, "got %s" % lines[0][:300] if lines else "Got nothing")
        return Verdict(True)


def _is_told(part: Any) -> bool:
    return type(part) is list and [type(x) for x in part] == [str, bool, str]


def _words(source: str) -> List[str]:
    return source.split()  # newer CPythons change the indentation of docstrings


def _matches(example: doctest.Example, raised: bool, said: str) -> bool:
    flags = sum(flag for flag, is_set in example.options.items() if is_set)
    check = doctest.OutputChecker().check_output
    if not raised:
        return check(example.want, said, flags)
    if example.exc_msg is None:
        return False
    if check(example.exc_msg, said, flags):
        return True
    if not flags & doctest.IGNORE_EXCEPTION_DETAIL:
        return False
    return check(_bare_name(example.exc_msg), _bare_name(said), flags)


def _bare_name(message: str) -> str:
    """Of an exception: "ValueError" of "pack.ValueError: words"."""
    first = message.split("\n", 1)[0].partition(":")[0]
    return first.rpartition(".")[2].strip()


def read_examples(path: str) -> Dict[str, Examples]:
    """By the names that doctest gives to the docstrings of a file; {} if it cannot be parsed."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        if b">>>" not in data:
            return {}
        tree = ast.parse(data)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    parts = module_parts(path)[1]
    found: Dict[str, Examples] = {}
    unclear: Set[str] = set()
    for name, node in _documented("", tree):
        text = ast.get_docstring(node, clean=False)
        own = found.setdefault(name, Examples())
        own.sure = own.sure and all(map(_is_faithful, getattr(node, "decorator_list", ())))
        try:
            examples = doctest.DocTestParser().get_examples(text) if text else []
        except ValueError:  # told by who collects; or an option of the project's own
            unclear.add(name)
            continue
        if examples:
            own.variants.append([e for e in examples if not e.options.get(doctest.SKIP)])
    modules = ".".join(parts), other_name(parts)
    return {
        module + name: own
        for name, own in found.items()
        if own.variants and name not in unclear
        for module in modules
    }


def _documented(name: str, node: Any) -> Iterator[Tuple[str, Any]]:
    yield name, node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for inner in _definitions(node):
            yield from _documented("%s.%s" % (name, inner.name), inner)


def _definitions(node: Any) -> Iterator[Any]:
    """Within a body, and within its conditions and loops."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child
        elif not isinstance(child, ast.expr):
            yield from _definitions(child)


def _is_faithful(decorator: ast.expr) -> bool:
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in _FAITHFUL


# ---------------------------------------------------------------------------------- names


def module_parts(path: str) -> Tuple[str, List[str]]:
    """The folder from which the project imports a file, and the parts of the module's name."""
    folder, name = os.path.split(os.path.realpath(path))
    parts = [os.path.splitext(name)[0]]
    if parts == ["__init__"]:
        folder, last = os.path.split(folder)
        parts = [last]
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    return folder, parts


def other_name(parts: List[str]) -> str:
    """Of a module whose own name is taken."""
    return "_mgdebug_target_" + "_".join(parts)
