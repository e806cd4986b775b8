"""Python: the first language."""

from __future__ import annotations

import keyword
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath

import tree_sitter
import tree_sitter_python

from mgdebug.languages import Spelling, Vocabulary, grammar_folder
from mgdebug.languages.python_watched import WATCHED
from mgdebug.syntax.glue import Glue
from mgdebug.syntax.grammar import Conventions, Grammar

_TEST_FOLDERS = {"test", "tests", "testing"}

_NUMBER = {
    "atoms": ("{0} == 0", "{0} < 0", "{0} > 0", "{0} != 0", "{0} <= 0", "{0} == 1", "{0} <= 1"),
    "wraps": ("abs({0})", "-{0}", "max({0}, 0)", "{0} % 2", "{0} * 2", "{0} // 2", "{0} ** 2"),
}
_SEQUENCE = {
    "atoms": ("not {0}", "{0}", "len({0}) == 1", "len({0}) <= 1", "len({0}) > 1"),
    "wraps": (
        "len({0})",
        "{0}[1:]",
        "{0}[:-1]",
        "{0}[0]",
        "{0}[-1]",
        "{0}[::-1]",
        "{0}[:]",
        "sorted({0})",
        "set({0})",
        "list({0})",
        "sum({0})",
        "max({0})",
        "min({0})",
        "enumerate({0})",
        "range(len({0}))",
        "reversed({0})",
        "[{0}]",
        "({0},)",
    ),
}
_TEXT = (
    "{0}.lower()",
    "{0}.upper()",
    "{0}.strip()",
    "{0}.split()",
    "{0}[::-1]",
    "{0}.swapcase()",
    "int({0})",
    "len({0})",
    "{0}[1:]",
    "{0}[:-1]",
    "{0}[0]",
    "{0}[-1]",
    "list({0})",
    "set({0})",
    "sorted({0})",
    "{0}.encode()",
    '"".join({0})',
    '{0}.replace(" ", "")',
)


def _modules(importer: str, module: str) -> Iterator[str]:
    """Where a module may be: in the project's root or its src folder, or, unless its name is one of
    the standard library's, in a folder on the way to the importer, whose own may be the one that is
    searched first for a script.  Leading dots count folders outwards."""
    dots = len(module) - len(module.lstrip("."))
    parts = [part for part in module[dots:].split(".") if part]
    here = PurePosixPath(importer).parent
    folders = [*reversed(here.parents), here]
    if dots:
        folders = folders[-dots : len(folders) - dots + 1]
    elif parts and parts[0] in sys.stdlib_module_names:
        folders = folders[:1]
    if not dots:
        folders.insert(1, PurePosixPath("src"))
    for folder in folders:
        base = folder.joinpath(*parts)
        if parts:
            yield f"{base}.py"
        yield str(base / "__init__.py")


_ARITHMETIC = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "divmod",
]
_IMPLICIT = {
    "counts": ("__bool__", "__len__"),
    "words": ("__str__", "__repr__", "__format__"),
    "goes_through": (
        *("__iter__", "__next__", "__getitem__", "__len__", "__reversed__"),
        *("__aiter__", "__anext__"),
    ),
    "compares": (
        *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"),
        "__contains__",
    ),
    "picks": (
        *("__getitem__", "__setitem__", "__delitem__", "__missing__", "__class_getitem__"),
        *("__hash__", "__eq__", "__delattr__", "__del__"),
    ),
    "calculates": (
        *(f"__{side}{name}__" for name in _ARITHMETIC for side in ("", "r", "i")),
        *("__neg__", "__pos__", "__invert__", "__int__", "__index__", "__float__"),
        *("__round__", "__abs__"),
    ),
    "reaches": (
        *("__getattr__", "__getattribute__", "__setattr__", "__delattr__"),
        *("__get__", "__set__"),
    ),
    "enters": ("__enter__", "__exit__", "__aenter__", "__aexit__"),
    "awaits": ("__await__",),
    "builds": ("__init_subclass__", "__set_name__", "__prepare__"),
}
_CONVENTIONS = Conventions(
    implicit=_IMPLICIT,
    constructors=("__new__", "__init__", "__post_init__", "__prepare__"),
    itself="",
    parent="super",
    attribute=("attribute", "object", "attribute"),
    call={"call": "function"},
    passed=("argument_list", "keyword_argument"),
    invoked="__call__",
    nameless="<lambda>",
    goes_on=r"[)\]}]|#|(else|elif|except|finally)\b",
    joins="@",
    opaque=(
        r'"""(?:[^\\]|\\[\s\S])*?"""'
        r"|'''(?:[^\\]|\\[\s\S])*?'''"
        r'|"(?:[^"\\\n]|\\[\s\S])*"'
        r"|'(?:[^'\\\n]|\\[\s\S])*'"
        r"|#[^\n]*"
    ),
    long_quotes=('"""', "'''"),
    modules=_modules,
    watched=WATCHED,
)

_GLUE = Glue(
    name="_{0}_{1}",
    opens="def {0}({1}):",
    call="{0}({1})",
    bind="{0} = {1}",
    give="return {0}",
    check="if {0} == {1}: {2}",
    leaves={"return": "return {0}", "break": "break", "continue": "continue"},
    before=" {0}, (",
    after=")",
    separator=", ",
    nothing="None",
    way="exit_",
    value="value_",
)


class Python:
    @cache  # noqa: B019 (one instance lives as long as the process)
    def grammar(self) -> Grammar:
        language = tree_sitter.Language(tree_sitter_python.language())
        return Grammar.read(grammar_folder("python"), language, _CONVENTIONS, _GLUE)

    def is_source(self, path: PurePosixPath) -> bool:
        """pytest's own naming rules tell tests; folders named for tests hold their fixtures."""
        if path.name == "conftest.py" or path.name == "setup.py":
            return False
        if path.name.startswith("test_") or path.stem.endswith("_test"):
            return False
        return not _TEST_FOLDERS.intersection(path.parts[:-1])

    def vocabulary(self) -> Vocabulary:
        return _VOCABULARY


_SPELLING = Spelling(
    keywords=(*keyword.kwlist, "print", "self"),
    headers=frozenset(
        (
            *("if", "elif", "else", "for", "while", "with", "try", "except", "finally"),
            *("def", "class", "match", "case", "async"),
        )
    ),
    definitions=frozenset(("def",)),
    conditional=frozenset(("if", "elif", "while", "assert", "return")),
    header_end=":",
    filler="pass",
    comma=",",
    comment="#",
    quotes=('"""', "'''", '"', "'"),
    opaque=_CONVENTIONS.opaque,
    slips={
        "=<": "<=",
        "=>": ">=",
        "<>": "!=",
        "===": "==",
        "!==": "!=",
        "&&": "and",
        "||": "or",
        "else if": "elif",
        "elseif": "elif",
        "elsif": "elif",
        "function": "def",
        "func": "def",
        "fn": "def",
        "catch": "except",
        "switch": "match",
        "then": ":",
        "do": ":",
    },
    missing=(("for", "in"), ("from", "import")),
    foreign=(
        (r"\b(\w+)\+\+", r"\1 += 1"),
        (r"\b(\w+)--", r"\1 -= 1"),
        (r"\+\+(\w+)", r"\1 += 1"),
        (r"\b(?:esle|eles|els|lese)\s+if\b", "elif"),
        (r"!(?=[\w(])", "not "),
        (r"\b(print|exec)\s+(?![=(.])(\S.*?)\s*$", r"\1(\2)"),
        (r"\b(except)\s+([\w.]+)\s*,\s*(\w+)\s*:", r"\1 \2 as \3:"),
        (r"\b(raise)\s+(\w+)\s*,\s*(.+)$", r"\1 \2(\3)"),
        (r"\b(?:var|let|const)\s+", ""),
        (r"//(.*)$", r"#\1"),
        (r"\bnew\s+(?=[A-Z])", ""),
        (r"(\w+)\s*\?\s*(.+?)\s*:\s*(.+)$", r"\2 if \1 else \3"),
        (r"^(\s*)\}\s*else\s*\{?", r"\1else:"),
        (r"\s*\{\s*$", ":"),
    ),
    complaints=("SyntaxError", "IndentationError", "TabError"),
)
_KEYS = (
    "key=lambda item: (len(item), item)",
    "key=lambda item: (-len(item), item)",
    "key=lambda item: len(set(item))",
    "key=lambda item: (len(set(item)), item)",
    "key=lambda item: (-len(set(item)), item)",
    "key=lambda item: item[0]",
    "key=lambda item: item[1]",
    "key=lambda item: (item[1], item[0])",
    "key=lambda item: (-item[1], item[0])",
)
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=", "in", "is", "not in", "is not")
_VOCABULARY = Vocabulary(
    likes=(
        ("<", "<=", ">", ">=", "==", "!="),
        ("==", "!=", "is", "is not", "in", "not in"),
        ("+", "-", "*", "//", "/", "%", "**"),
        ("&", "|", "^", "<<", ">>"),
        ("+=", "-=", "*=", "//=", "/=", "%=", "="),
        ("&=", "|=", "^=", "<<=", ">>="),
        ("and", "or"),
        ("True", "False", "None"),
        ("min", "max", "sum"),
        ("any", "all"),
        ("int", "float", "round", "str"),
        ("list", "tuple", "set", "sorted"),
        ("floor", "ceil"),
        ("append", "extend", "add", "insert", "remove"),
        ("update", "setdefault"),
        ("lower", "upper", "title", "capitalize", "swapcase"),
        ("isdigit", "isalpha", "isalnum", "isnumeric", "isspace", "isupper", "islower"),
        ("startswith", "endswith"),
        ("strip", "lstrip", "rstrip"),
        ("find", "rfind", "index", "rindex", "count"),
        ("split", "rsplit", "splitlines"),
        ("pop", "popleft", "remove", "popitem"),
        ("append", "appendleft"),
        ("keys", "values", "items"),
        ("union", "intersection", "difference", "symmetric_difference"),
        ("issubset", "issuperset"),
        ("break", "continue"),
        ("isinstance", "issubclass"),
        ("ord", "chr"),
        ("bin", "hex", "oct"),
        ("ValueError", "KeyError", "IndexError", "TypeError", "AttributeError"),
    ),
    mirrored={"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "!=", "!=": "=="},
    precedence={
        **dict.fromkeys(("if", "else", "lambda"), 5),
        "or": 10,
        "and": 20,
        "not": 30,
        **dict.fromkeys(_COMPARISONS, 40),
        "|": 50,
        "^": 52,
        "&": 54,
        "<<": 56,
        ">>": 56,
        "+": 60,
        "-": 60,
        **dict.fromkeys(("*", "/", "//", "%", "@"), 70),
        "unary": 80,
        "**": 90,
    },
    from_right=("**",),
    chained=_COMPARISONS,
    negation="not {0}",
    both="{0} and {1}",
    either="{0} or {1}",
    true="True",
    false="False",
    nothing="None",
    node_types={
        "integer": "int",
        "float": "float",
        "string": "str",
        "concatenated_string": "str",
        "true": "bool",
        "false": "bool",
        "none": "NoneType",
        "list": "list",
        "list_comprehension": "list",
        "tuple": "tuple",
        "set": "set",
        "set_comprehension": "set",
        "dictionary": "dict",
        "dictionary_comprehension": "dict",
        "comparison_operator": "bool",
        "not_operator": "bool",
    },
    call_types={
        **dict.fromkeys(("len", "int", "ord", "round", "hash", "count", "find", "index"), "int"),
        **dict.fromkeys(("str", "repr", "chr", "join", "lower", "upper", "strip"), "str"),
        **dict.fromkeys(("replace", "format", "swapcase", "title", "hex", "bin"), "str"),
        **dict.fromkeys(("list", "sorted", "split", "splitlines", "dir"), "list"),
        **dict.fromkeys(("any", "all", "bool", "isinstance", "startswith", "endswith"), "bool"),
        **{name: name for name in ("set", "dict", "tuple", "float", "range", "enumerate", "zip")},
    },
    members=frozenset(
        name for kind in (str, bytes, int, list, dict, set, tuple) for name in dir(kind)
    ),
    fixed=frozenset(("int", "float", "bool", "str", "NoneType", "bytes", "complex")),
    numbers=frozenset(("int", "float")),
    literals={
        "int": ("0", "1", "-1", "2"),
        "float": ("0.0", "1.0", "0.5"),
        "str": ('""', '" "'),
        "bool": ("True", "False"),
        "list": ("[]", "[[]]"),
        "tuple": ("()",),
        "set": ("set()",),
        "dict": ("{}",),
        "NoneType": ("None",),
    },
    atoms={
        "int": _NUMBER["atoms"],
        "float": _NUMBER["atoms"],
        "bool": ("{0}", "not {0}"),
        "str": ("not {0}", "{0}", "len({0}) == 1", "len({0}) > 1", '{0} == " "'),
        "list": _SEQUENCE["atoms"],
        "tuple": _SEQUENCE["atoms"],
        "set": _SEQUENCE["atoms"][:2],
        "dict": _SEQUENCE["atoms"][:2],
        "": ("{0} is None", "{0} is not None", "not {0}", "{0}"),
    },
    pairs=(
        *("{0} == {1}", "{0} != {1}", "{0} > {1}", "{0} <= {1}", "{0} < {1}", "{0} >= {1}"),
        *("{0} in {1}", "{0} not in {1}"),
    ),
    wraps={
        "int": (
            *_NUMBER["wraps"],
            "str({0})",
            "range({0})",
            "float({0})",
            "[{0}]",
            "bin({0})[2:]",
            "chr({0})",
        ),
        "float": (*_NUMBER["wraps"], "int({0})", "round({0})", "round({0}, 2)"),
        "bool": ("not {0}", "int({0})"),
        "str": _TEXT,
        "list": (*_SEQUENCE["wraps"], "tuple({0})"),
        "tuple": (*_SEQUENCE["wraps"],),
        "set": ("len({0})", "sorted({0})", "list({0})", "sum({0})", "max({0})", "min({0})"),
        "dict": (
            "len({0})",
            "{0}.values()",
            "{0}.keys()",
            "{0}.items()",
            "sorted({0})",
            "dict({0})",
        ),
        "": ("[{0}]", "list({0})", "len({0})", "str({0})", "int({0})", "sorted({0})"),
    },
    joins={
        "int": (
            "{0} + {1}",
            "{0} - {1}",
            "max({0}, {1})",
            "min({0}, {1})",
            "{0} * {1}",
            "{0} // {1}",
            "{0} % {1}",
        ),
        "float": ("{0} + {1}", "{0} - {1}", "max({0}, {1})", "min({0}, {1})", "{0} * {1}"),
        "str": ("{0} + {1}", "{1} + {0}"),
        "list": ("{0} + {1}", "{1} + {0}"),
        "bool": ("{0} and {1}", "{0} or {1}"),
        "set": ("{0} | {1}", "{0} & {1}", "{0} - {1}"),
    },
    picks={
        **dict.fromkeys(("list", "str", "tuple"), ("{0}[{1}]", "{0}[{1}:]", "{0}[:{1}]")),
        "dict": ("{0}[{1}]", "{0}.get({1})"),
        "set": (),
    },
    choose="{0} if {1} else {2}",
    exits=("return {0}", "continue", "break"),
    guard="if {0}:{newline}{indent}{1}",
    catch=("try:{newline}{indent}{0}{newline}{outer}except {1}:{newline}{indent}{2}"),
    options=(
        (
            ("sorted", "sort", "max", "min"),
            ("key=len", "key=abs", "key=str", "key=lambda item: -item", *_KEYS),
        ),
        (("sorted", "sort"), ("reverse=True",)),
        (("zip",), ("strict=True",)),
        (("enumerate",), ("start=1",)),
        (("max", "min"), ("default=0", "default=None")),
        (("sum",), ("start=1",)),
    ),
    keys=("({0}, {1})", "-{0}", "(-{0}, {1})", "({1}, {0})", "({0}, -{1})", "len({0})"),
    steps=("{0} += 1", "{0} -= 1", "{0} *= 2", "{0} //= 2", "{0} *= -1"),
    exceptions=(
        *("ValueError", "KeyError", "IndexError", "TypeError", "AttributeError"),
        *("ZeroDivisionError", "Exception", "LookupError", "StopIteration", "RuntimeError"),
        *("OSError", "FileNotFoundError", "NotImplementedError", "ArithmeticError"),
    ),
    throw="raise {0}",
    give="return {0}",
    wait="await {0}",
    itself="self",
    unknown=r"(?:name|no attribute|cannot import name) '(\w+)'",
    absences={
        "module": (
            r"module '(?P<holder>[\w.]+)' has no attribute '(?P<name>\w+)'"
            r"|cannot import name '(?P<name_>\w+)' from '(?P<holder_>[\w.]+)'"
        ),
        "object": r"'(?P<holder>\w+)'(?: object)? has no attribute '(?P<name>\w+)'",
    },
    refusals={
        "keyword": r"([\w.<>]+)\(\) got an unexpected keyword argument '(\w+)'",
        "missing": (
            r"([\w.<>]+)\(\) missing \d+ required (?:positional|keyword-only) arguments?: (.+)"
        ),
        "surplus": r"([\w.<>]+)\(\) takes (?:from \d+ to )?\d+ positional arguments? but ()\d",
    },
    signature=(
        "(lambda f, m: m + ' ' + getattr(__import__('sys').modules.get(m), '__version__', '') + '|'"
        " + str(__import__('inspect').signature(f)))"
        "({0}, (getattr({0}, '__module__', None) or '').partition('.')[0])"
    ),
    importable=lambda name: f"import {name}" if name in sys.stdlib_module_names else "",
    spelling=_SPELLING,
)
