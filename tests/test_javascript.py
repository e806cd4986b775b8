"""JavaScript through the same queries and sweeps as Python: what they say of each construct."""

from __future__ import annotations

import time
from pathlib import Path, PurePosixPath

import pytest

from mgdebug.errors import UsageError
from mgdebug.languages import language_of
from mgdebug.model import Hierarchy, Subfunction
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile


def source(text: str, path: str = "m.js") -> SourceFile:
    language = language_of(path)
    assert language is not None
    return SourceFile(path, text.encode(), language.grammar())


def hierarchy(*texts: str, **more: str) -> Hierarchy:
    """Of m.js and of other files by their names without .js."""
    files = [source(text) for text in texts]
    return decompose([*files, *(source(text, f"{name}.js") for name, text in more.items())])


def one(text: str, qualname: str = "f") -> Subfunction:
    return hierarchy(text).subfunctions[f"m.js::{qualname}"]


def names(ids: tuple[str, ...]) -> list[str]:
    return [name.removeprefix("m.js::") for name in ids]


SHAPES = {
    "function f(a, b) {}": "f function a b",
    "async function f(a) {}": "f async function a",
    "function* f() { yield 1 }": "f function",
    "export function f() {}": "f function",
    "export default function f() {}": "f function",
    "export default function (a) {}": "default lambda a",
    "export default (a) => a": "default lambda a",
    "const f = (a, b) => a": "f lambda a b",
    "const f = a => a": "f lambda a",
    "const f = async a => { return a }": "f async lambda a",
    "const f = function (a) { return a }": "f lambda a",
    "const f = function other(a) { return a }": "f lambda a",
    "let g; g = () => 1": "g lambda",
    "exports.f = function (a) {}": "f lambda a",
    "module.exports = function (a) {}": "exports lambda a",
    "Foo.prototype.f = function (a) {}": "f lambda a",
    "function f(a = 1, {b, c: d, e = 2}, [g], ...h) {}": "f function a b d e g h",
    "function f({a: {b}, c: [d] = []} = {}) {}": "f function b d",
    "each(function step(x) { step(x) })": "step function x",
    "each(function (x) { return x })": "",
    "each((x) => x)": "",
    "const C = class { m() {} }": "C class|C.m method",
    "export default class { m() {} }": "default class|default.m method",
    "class C { constructor(a) {} m() {} }": "C class|C.constructor method a|C.m method",
    "class C { get x() {} set x(v) {} }": "C class|C.x property|C.x@1 property v",
    "class C { static async m() {} *g() {} #p() {} }": (
        "C class|C.m async method|C.g method|C.#p method"
    ),
    "class C { h = (a) => a; v = 1 }": "C class|C.h lambda a",
    "class C { 'a b'() {} [k]() {} 3() {} }": ("C class|C.'a b' method|C.[k] method|C.3 method"),
    "const o = { f(a) {}, g: (b) => b, h: function () {}, v: 1 }": (
        "o class|o.f method a|o.g lambda b|o.h lambda"
    ),
    "const o = { v: 1 }": "",
    "function f() { function g() { const h = () => 1 } }": ("f function|f.g function|f.g.h lambda"),
    "function f() { return { g() {}, h: () => 1 } }": "f function|f.g function|f.h lambda",
    "function f() {} function f() {}": "f function|f@1 function",
}


@pytest.mark.parametrize("text", SHAPES)
def test_subfunctions(text: str) -> None:
    found = [
        " ".join([s.qualname, *["async"] * s.asynchronous, s.kind, *s.parameters])
        for s in hierarchy(text).subfunctions.values()
        if s.kind != "module"
    ]
    assert "|".join(found) == SHAPES[text]


def test_an_anonymous_async_function_does_not_make_the_one_around_it_so() -> None:
    assert not one("function f() { return each(async (x) => await x) }").asynchronous


CALLS = {
    "scope": ("function g() {} function f() { g() }", ["g"], []),
    "a builtin": ("function f() { parseInt('3') }", [], ["parseInt"]),
    "nested": ("function f() { function g() {} g() }", ["f.g"], []),
    "a parameter hides": ("function g() {} function f(g) { g() }", [], ["g"]),
    "a variable hides": ("function g() {} function f() { const g = x(); g() }", [], ["x", "g"]),
    "a dollar": ("const $ = () => 1; const $2 = $; function f() { $2() }", ["$"], []),
    "alias": ("function g() {} const h = g; function f() { h() }", ["g"], []),
    "handed over": ("function g() {} function f(xs) { return xs.map(g) }", ["g"], ["map"]),
    "in a callback": ("function g() {} function f(xs) { xs.each((x) => g(x)) }", ["g"], ["each"]),
    "a callback's parameter": (
        "function g() {} function f(xs) { xs.each((g) => g()) }",
        [],
        ["g", "each"],
    ),
    "called where it stands": (
        "function g() {} function f() { (function () { g() })() }",
        ["g"],
        [],
    ),
    "a call of a call": ("function g() {} function f() { g()() }", ["g"], ["g()"]),
    "new": ("class C { constructor() {} } function f() { new C() }", ["C.constructor"], []),
    "new without one": ("class C { } function f() { new C() }", ["C"], []),
    "a method of a new one": ("class C { m() {} } function f() { new C().m() }", ["C", "C.m"], []),
    "a method of a variable": (
        "class C { m() {} } function f() { const c = new C(); c?.m() }",
        ["C", "C.m"],
        [],
    ),
    "static": ("class C { static m() {} } function f() { C.m() }", ["C.m"], []),
    "getter": ("class C { get x() {} } function f() { const c = new C(); c.x }", ["C", "C.x"], []),
    "of an object literal": ("const o = { m() {} }; function f() { o.m() }", ["o.m"], []),
    "of a returned literal": ("function f() { return { g() { g() } } }", [], []),
    "unknown method": ("function f(x) { x.save() }", [], ["save"]),
    "a prototype": ("C.prototype.g = function () {}; function f() { g() }", [], ["g"]),
    "a component": ("function G() {} const f = () => <p><G a={h} /></p>", ["G"], []),
}


@pytest.mark.parametrize("title", CALLS)
def test_calls(title: str) -> None:
    text, calls, unknown = CALLS[title]
    found = one(text)
    assert (names(found.calls), list(found.unknown)) == (calls, unknown)


FAMILY = """\
class A {
  constructor(x) { this.x = x }
  m() { return this.n() }
  n() {}
  #p() {}
  q() { this.#p(); this.h() }
  h = () => this.m()
}
class B extends A {
  constructor() { super(1) }
  n() { return super.n() }
  m() { [1].map(() => this.own()) }
  own() {}
}
class C extends A { }
function f() { new C() }
"""


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("A.m", ["A.n", "B.n"]),
        ("A.q", ["A.#p", "A.h"]),
        ("A.h", ["A.m", "B.m"]),
        ("B.constructor", ["A.constructor"]),
        ("B.n", ["A.n"]),
        ("B.m", ["B.own"]),
        ("f", ["A.constructor"]),
    ],
)
def test_this_and_super(name: str, calls: list[str]) -> None:
    assert names(one(FAMILY, name).calls) == calls


LIBRARY = """\
export function g() {}
export const h = () => 1
function hidden() {}
export { hidden as shown }
export class K { constructor() {} static s() {} }
export default function main() {}
"""
COMMON = """\
function g() {}
exports.h = () => 1
module.exports = { g, h: exports.h }
"""
IMPORTS = {
    "a name": ("import { g } from './lib.js'; g()", ["lib.js::g"]),
    "without a suffix": ("import { g } from './lib'; g()", ["lib.js::g"]),
    "another name": ("import { h as x } from './lib'; x()", ["lib.js::h"]),
    "exported under another name": ("import { shown } from './lib'; shown()", ["lib.js::hidden"]),
    "the default": ("import m from './lib'; m()", ["lib.js::main"]),
    "the default, handed on": ("import x from './hub'; x()", ["lib.js::h"]),
    "the default by its name": ("import { default as m } from './lib'; m()", ["lib.js::main"]),
    "the default and a name": ("import m, { g } from './lib'; g(m)", ["lib.js::g", "lib.js::main"]),
    "a namespace": ("import * as l from './lib'; l.g()", ["lib.js::g"]),
    "a class": (
        "import { K } from './lib'; new K(); K.s()",
        ["lib.js::K.constructor", "lib.js::K.s"],
    ),
    "a class of a namespace": ("import * as l from './lib'; new l.K()", ["lib.js::K.constructor"]),
    "handed on": ("import { y } from './hub'; y()", ["lib.js::g"]),
    "all handed on": ("import { h } from './hub'; h()", ["lib.js::h"]),
    "require": ("const l = require('./common'); l.g()", ["common.js::g"]),
    "require a name": (
        "const { g, h: x } = require('./common'); g(); x()",
        ["common.js::g", "common.js::h"],
    ),
    "require a function": ("const s = require('./single'); s()", ["single.js::s"]),
    "require an object": ("const o = require('./object'); o.m()", ["object.js::exports.m"]),
    "a package": ("import { g } from 'lib'; g()", []),
    "outside of the project": ("import { g } from '../lib'; g()", []),
}


@pytest.mark.parametrize("title", IMPORTS)
def test_imports(title: str) -> None:
    text, calls = IMPORTS[title]
    found = hierarchy(
        text,
        lib=LIBRARY,
        common=COMMON,
        hub="export { g as y, h as default } from './lib'; export * from './lib'",
        single="function s() {} module.exports = s",
        object="module.exports = { m() {} }",
    )
    assert list(found.subfunctions["m.js::<module>"].calls) == calls


def test_imports_are_followed_to_files_and_to_an_index() -> None:
    files = {
        "src/a.mjs": "import { g } from './inner'\nexport function f() { g() }",
        "src/inner/index.js": "import { h } from '../b.cjs'\nexport function g() { h() }",
        "src/b.cjs": "exports.h = function () {}",
    }
    start = source(files["src/a.mjs"], "src/a.mjs")
    found = decompose([start], lambda p: source(files[p], p) if p in files else None)
    assert found.subfunctions["src/a.mjs::f"].calls == ("src/inner/index.js::g",)
    assert found.subfunctions["src/inner/index.js::g"].calls == ("src/b.cjs::h",)


def test_recursion_is_one_group() -> None:
    text = "const even = n => n === 0 || odd(n - 1)\nconst odd = n => n !== 0 && even(n - 1)"
    assert ("m.js::even", "m.js::odd") in hierarchy(text).order


# --------------------------------------------------------------------------------- blocks

BLOCKS = {
    "let a = b; a += c; return a": ["run <let a = b; a += c; return a> r b a c w a -> return"],
    "'use strict'; a()": ["run <a()> r a"],
    "if (a) b(); c()": ["condition <(a)> r a", "run <b();> r b ^0", "run <c()> r c"],
    "if (a) { b() } else if (c) d(); else e()": [
        "condition <(a)> r a",
        "run <b()> r b ^0",
        "condition <(c)> r c ^0",
        "run <d();> r d ^2",
        "run <e()> r e ^2",
    ],
    "for (let i = 0; i < n; i++) s += i": [
        "loop <for (let i = 0; i < n; i++)> r i n w i",
        "run <s += i> r s i w s ^0",
    ],
    "for (const [k, v] of m) { continue }": [
        "loop <for (const [k, v] of m)> r m w k v",
        "run <continue> ^0 -> continue",
    ],
    "while (a) { break }": ["condition <(a)> r a", "run <break> ^0 -> break"],
    "while (a) var b = c; const d = e": [
        "condition <(a)> r a",
        "run <var b = c;> r c w b ^0",
        "run <const d = e> r e w d",
    ],
    "do { a() } while (b)": ["run <a()> r a ^1", "condition <(b)> r b"],
    "switch (a) { case 1: b(); break; case c: default: d() }": [
        "condition <(a)> r a",
        "case <case 1> ^0",
        "run <b(); break;> r b ^1 -> break",
        "case <case c> r c ^0",
        "case <default> ^0",
        "run <d()> r d ^4",
    ],
    "try { a() } catch (e) { throw e } finally { b() }": [
        "try <try>",
        "run <a()> r a ^0",
        "handler <catch (e)> w e ^0",
        "run <throw e> r e ^2 -> raise",
        "finally <finally> ^0",
        "run <b()> r b ^4",
    ],
    "return a && b ? c : d ?? e": [
        "run <return a && b ? c : d ?? e> r a b c d e -> return",
        "arm <b> r b ^0",
        "arm <c> r c ^0",
        "arm <d ?? e> r d e ^0",
        "arm <e> r e ^3",
    ],
    "return xs.map((x) => x + y)": [
        "run <return xs.map((x) => x + y)> r xs y w xs -> return",
        "each <x + y> r x y ^0",
    ],
    "a.b = c; d[e] = 1; this.x++; delete g.h": [
        "run <a.b = c; d[e] = 1; this.x++; delete g.h> r a c d e this g w a d this g"
    ],
    "[a, b.c] = d; ({ e, f: g, ...h } = d)": [
        "run <[a, b.c] = d; ({ e, f: g, ...h } = d)> r b d w a b e g h"
    ],
    "const { a = b, c: d = 1 } = e": ["run <const { a = b, c: d = 1 } = e> r b e w a d"],
    "f({ key: a, b }); l: g.key": ["run <f({ key: a, b });> r f a b", "run <g.key> r g"],
    "`x ${a}`; tag`y`": ["run <`x ${a}`; tag`y`> r a tag"],
}


@pytest.mark.parametrize("body", BLOCKS)
def test_blocks(body: str) -> None:
    file = source(f"function f() {{ {body} }}")
    blocks = decompose([file]).subfunctions["m.js::f"].blocks
    ids = [block.id for block in blocks]
    found = []
    for block in blocks:
        words = [block.kind, f"<{file.slice(block.span.start, block.span.end)}>"]
        words += ["r", *block.reads] if block.reads else []
        words += ["w", *block.writes] if block.writes else []
        words += [f"^{ids.index(block.parent)}"] if block.parent else []
        words += ["->", block.exit] if block.exit else []
        found.append(" ".join(words))
    assert found == BLOCKS[body]


def test_a_class_body_and_the_module_have_blocks() -> None:
    found = hierarchy("import x from './y'\nexport class C { a = x; m() {} static { x() } }")
    module, kind = found.subfunctions["m.js::<module>"], found.subfunctions["m.js::C"]
    assert [block.writes for block in module.blocks] == [("x", "C")]
    assert [(block.reads, block.writes) for block in kind.blocks] == [
        (("x",), ("a", "m")),
        (("x",), ()),
    ]


PRIME = """\
function isPrime(n) {
  if (n < 2) return false
  for (let i = 2; i < n; i++) {
    if (n % i === 0) {
      return false
    }
  }
  return true
}

function isPrimeFast(n) {
  return n < 2 ? false : noDivisor(n, Math.floor(Math.sqrt(n)))
}

const noDivisor = (n, most) => most < 2 || (n % most !== 0 && noDivisor(n, most - 1))
"""


def test_two_ways_to_tell_a_prime() -> None:
    found = hierarchy(PRIME)
    slow, fast = found.subfunctions["m.js::isPrime"], found.subfunctions["m.js::isPrimeFast"]
    assert [(b.kind, b.span.first_line) for b in slow.blocks] == [
        ("condition", 2),
        ("run", 2),
        ("loop", 3),
        ("condition", 4),
        ("run", 5),
        ("run", 8),
    ]
    assert fast.calls == ("m.js::noDivisor",)
    assert fast.unknown == ("floor", "sqrt")
    order = [group[0] for group in found.order]
    assert order.index("m.js::noDivisor") < order.index("m.js::isPrimeFast")
    assert found.subfunctions["m.js::noDivisor"].calls == ("m.js::noDivisor",)


BROKEN = """\
function before(a) {
  return a + 1
}

function broken(b) {
  return b +* 2
}

function after(c) {
  return before(c)
}
"""


def test_a_file_with_a_syntax_error_is_read_around_it() -> None:
    file = source(BROKEN)
    assert file.errors[0][0] == 6
    found = decompose([file]).subfunctions
    assert found["m.js::after"].calls == ("m.js::before",)
    assert any(
        s.kind == "error" and s.span.first_line <= 6 <= s.span.last_line for s in found.values()
    )


@pytest.mark.parametrize(
    "text", ["", "}", "class {", "const f = (", "export default", "{[(`", "=> =>"]
)
def test_nothing_that_does_not_parse_is_too_much(text: str) -> None:
    assert hierarchy(text).subfunctions["m.js::<module>"]


@pytest.mark.parametrize("last", ["", "function end( {\n"])
def test_a_large_file_takes_no_time(last: str) -> None:
    text = "".join(
        f"class C{i} extends C{i - 1} {{\n  m(x) {{\n    if (x) return this.n(x)\n"
        f"    return [x].map((y) => y + {i})\n  }}\n  n(x) {{ return f{i}(x) }}\n}}\n"
        f"function f{i}(a) {{\n  return new C{i - 1}().m(a)\n}}\n"
        for i in range(500)
    )
    assert text.count("\n") == 5000
    began = time.monotonic()
    found = hierarchy(text + last)
    assert time.monotonic() - began < 10
    assert found.subfunctions["m.js::f7"].calls[-1] == "m.js::C6.m"


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("src/cart.js", True),
        ("cart.test.js", False),
        ("cart.spec.mjs", False),
        ("src/__tests__/cart.js", False),
        ("node_modules/x/index.js", False),
        ("jest.config.cjs", False),
    ],
)
def test_what_is_a_source(path: str, is_one: bool) -> None:
    language = language_of(path)
    assert language is not None
    assert language.is_source(PurePosixPath(path)) is is_one


def test_it_has_no_words_to_repair_with() -> None:
    language = language_of("m.js")
    assert language is not None
    with pytest.raises(UsageError, match="mgdebug tree"):
        language.vocabulary()


def test_only_the_adapter_and_its_queries_know_the_language() -> None:
    package = Path(__file__).parent.parent / "mgdebug"
    own = {package / "languages/javascript.py", package / "languages/__init__.py"}
    assert not [
        f
        for f in package.rglob("*.py")
        if f not in own and "javascript" in f.read_text("utf-8").lower()
    ]
