"""Scopes, control flow, definite assignment and liveness."""

from __future__ import annotations

import symtable

import pytest

from mgdebug.languages.python import Python
from mgdebug.syntax.flow import Flow
from mgdebug.syntax.scopes import Names, Scope
from mgdebug.syntax.source import SourceFile

GRAMMAR = Python().grammar()


def names_of(text: str) -> Names:
    return Names(SourceFile("m.py", text.encode(), GRAMMAR))


def functions(names: Names) -> list[Scope]:
    found = [scope for scope in names.scopes if "function" in scope.roles]
    return sorted(found, key=lambda scope: scope.node.start_byte)


def at_here(body: str) -> tuple[str, str]:
    """The names that are surely bound, and those that are live, where a function says `here`."""
    text = "def f(p):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    names = names_of(text)
    flow = Flow(names, functions(names)[0])
    place = text.index("here")
    steps = [at for at, step in enumerate(flow.steps) if step.start == place and step.next]
    assert steps
    bound, live = -1, 0
    for at in steps:
        bound &= flow.bound[at]
        live |= flow.live[at]
    return " ".join(sorted(flow.named(bound))), " ".join(sorted(flow.named(live)))


# -------------------------------------------------------------------------------- analyses


@pytest.mark.parametrize(
    ("body", "bound", "live"),
    [
        pytest.param("here\nreturn p", "p", "p", id="a parameter"),
        pytest.param("a = p\nhere\nreturn a", "a p", "a", id="an assignment"),
        pytest.param("if p:\n  a = 1\nhere\nreturn a", "p", "a", id="one arm"),
        pytest.param("if p:\n  a = 1\nelse:\n  a = 2\nhere\na", "a p", "a", id="both arms"),
        pytest.param(
            "if p:\n  return\nelif q:\n  a = 2\nelse:\n  raise\nhere", "a p", "", id="out"
        ),
        pytest.param("here\na = p\nreturn a", "p", "p", id="written before it is read"),
        pytest.param("here\na += p", "p", "a p", id="an update reads"),
        pytest.param("here\nif p:\n  a = 1\nreturn a", "p", "a p", id="maybe written"),
        pytest.param("for a in p:\n  here\n  b = a", "a p", "a", id="a loop's name in it"),
        pytest.param("for a in p:\n  pass\nhere\nreturn a", "p", "a", id="a loop's name after it"),
        pytest.param("for a in p:\n  b = a\nelse:\n  here\nb", "p", "b", id="else of a loop"),
        pytest.param(
            "b = 0\nfor a in p:\n  here\n  c = b\n  b = a", "a b p", "a b", id="the next turn"
        ),
        pytest.param("while True:\n  a = p\n  break\nhere\na", "a p", "a", id="an endless loop"),
        pytest.param("while p:\n  a = p\n  break\nhere\na", "p", "a", id="a loop that may not run"),
        pytest.param("while (a := p):\n  here\n  a", "a p", "a p", id="a walrus in a condition"),
        pytest.param("while (a := p):\n  p = 1\nhere", "a p", "", id="after a walrus"),
        pytest.param("p and (a := 1)\nhere\na", "p", "a", id="a walrus that may not run"),
        pytest.param("[a := b for b in p]\nhere\na", "p", "a", id="a walrus in a comprehension"),
        pytest.param("a = [b for b in p]\nhere", "a p", "", id="a comprehension's own name"),
        pytest.param("a, (b, *c) = p\nhere", "a b c p", "", id="targets in targets"),
        pytest.param("a: int\nhere\na", "p", "a", id="an annotation binds nothing"),
        pytest.param("a: int = 1\nhere\na", "a p", "a", id="an annotated assignment"),
        pytest.param("a = 1\ndel a\nhere\na", "p", "a", id="a deletion"),
        pytest.param(
            "import a.b, c.d as e\nfrom x import y as z\nhere", "a e p z", "", id="imports"
        ),
        pytest.param("try:\n  a = p\nexcept E:\n  pass\nhere\na", "p", "a", id="a try may fail"),
        pytest.param("try:\n  a = p\nexcept E:\n  return\nhere\na", "a p", "a", id="or not"),
        pytest.param("try:\n  a = 1\nexcept E:\n  here\n  a", "p", "a", id="a handler"),
        pytest.param(
            "a = 0\ntry:\n  here\n  a = 1\nexcept E:\n  a", "a p", "a", id="for a handler"
        ),
        pytest.param("try:\n  pass\nexcept E as e:\n  here\n  e", "e p", "e", id="its name"),
        pytest.param("e = 1\ntry:\n  p()\nexcept E as e:\n  p\nhere\ne", "p", "e", id="is unbound"),
        pytest.param("try:\n  a = p\nfinally:\n  here", "p", "", id="a finally"),
        pytest.param("try:\n  a = p\nfinally:\n  b = 1\nhere", "a b p", "", id="after a finally"),
        pytest.param(
            "for x in p:\n  try:\n    a = x\n    break\n  finally: b = 1\nelse:\n  return\nhere",
            "a b p x",
            "",
            id="a break through a finally",
        ),
        pytest.param(
            "a = 0\ntry:\n  here\n  return 1\nfinally:\n  print(a)",
            "a p",
            "a",
            id="a return through a finally",
        ),
        pytest.param("with p as a:\n  b = a\nhere\nb", "p", "b", id="a manager may swallow"),
        pytest.param("with open(p) as a:\n  b = a\nhere\nb", "a b p", "b", id="a file does not"),
        pytest.param("with p as a:\n  here\n  b = a", "a p", "a", id="inside a manager"),
        pytest.param("match p:\n  case [a, *b]:\n    here", "a b p", "", id="a pattern"),
        pytest.param(
            "match p:\n  case [a]:\n    b = 1\n  case _:\n    b = 2\nhere",
            "b p",
            "",
            id="the last case",
        ),
        pytest.param("match p:\n  case [a]:\n    b = 1\nhere", "p", "", id="no case may match"),
        pytest.param("here\na = lambda b: b + c\nc = 1", "p", "", id="what runs later"),
        pytest.param("global a\na = p\nhere\na", "p", "", id="a global"),
    ],
)
def test_names_that_are_bound_and_live(body: str, bound: str, live: str) -> None:
    assert at_here(body) == (bound, live)


# ----------------------------------------------------------------------------------- scopes

SCOPES = """
def plain(a, b=1, /, c=2, *args: int, d, e: str = "x", **more): f = g
def targets():
    a, (b, [c, *d]), e.f, g[h] = i
    for j, (k, *l) in m: pass
    with n as o, p as (q, [r, *s]), t as (u), v as w.x, y as z[aa]: pass
    with (n as bb, cc): pass
    dd = ee = ff
    gg += 1
    hh: ii
    jj: kk = 1
    del ll, mm.nn, oo[pp]
def imports():
    import a.b.c, d as e, f.g as h
    from i.j import k, l as m
    from . import n
    from ..o import p as q
def errors():
    try: a
    except (b, c) as d: e
    except j: k = l
    else: i = 1
    try: m
    except* f as g: h
def patterns(x):
    match x, y:
        case [a, *b] if c: pass
        case {"k": d, e.f: g, **h}: pass
        case I(j, k=l, m=[n]) as o: pass
        case P.Q | 3 | None | -1: pass
        case (1 | r.s): pass
        case str() as t: pass
        case [*_]: pass
        case w if (z := w): pass
        case _: pass
def comprehensions(a):
    b = [c for c in d if e for f in c]
    g = {h: i for h, i in a.items() if (k := h)}
    o = sum(p for p in q)
    return lambda r, *s, t=u, **v: (r, s, w)
def declared():
    global a, b
    a = b = c = 1
    def inner():
        nonlocal c
        c = d = 2
        def deeper():
            nonlocal d
            d = c
    class Inside(Base, metaclass=Meta):
        e = c
        def method(self) -> f:
            return __class__, e, Inside
@decorated(x)
async def async_(a, *, b: c = d) -> e:
    async for f in g: await h
    async with i as j: k = yield l
    t = {u async for u in v}
    return f"{m!r:>{n}} {o=}" + p.q(r=s)
"""


def test_local_names_are_those_that_the_compiler_finds() -> None:
    def tables(table: symtable.SymbolTable) -> list[tuple[str, set[str]]]:
        found = []
        for child in table.get_children():
            name = child.get_name()
            if child.get_type() == "function" and name not in ("lambda", "genexpr"):
                local = {symbol.get_name() for symbol in child.get_symbols() if symbol.is_local()}
                found.append((name, local))
            found += tables(child)
        return [pair for pair in found if not pair[0].endswith("comp")]

    names = names_of(SCOPES)
    ours = [(names.name(scope), scope.bound - set(scope.passed)) for scope in functions(names)]
    theirs = tables(symtable.symtable(SCOPES, "m", "exec"))
    assert dict(ours) == dict(theirs)
    assert len(ours) == len(theirs) == 11


@pytest.mark.parametrize(
    ("text", "name", "owner"),
    [
        pytest.param("def f(x):\n  def g(): x", "x", "f", id="an enclosing function"),
        pytest.param("class C:\n  x = 1\n  def g(): x", "x", "", id="no enclosing class"),
        pytest.param("def f():\n  global x\n  x = 1\n  def g(): x", "x", "", id="a global"),
        pytest.param(
            "def f():\n  x = 1\n  def g():\n    nonlocal x\n    x = 2", "x", "f", id="a nonlocal"
        ),
        pytest.param("def f():\n  [x for y in x]\n  x = 1", "x", "f", id="a comprehension"),
        pytest.param("def f(y):\n  [(x := y) for y in y]", "x", "f", id="its walrus"),
        pytest.param("x = 1\ndef f(): x", "x", "", id="a name of the module"),
        pytest.param("def f():\n  ﬁ = 1\n  fi", "fi", "f", id="two spellings of one name"),
    ],
)
def test_a_name_belongs_to_the_scope_that_binds_it(text: str, name: str, owner: str) -> None:
    names = names_of(text)
    last = max((p for p in names.places if p.name == name), key=lambda place: place.start)
    found = last.scope.owner(name)
    assert (names.name(found) if found is not None else "") == owner


def test_a_sum_of_ten_thousand_parts_is_taken() -> None:
    names = names_of("def f(a):\n    return " + " + ".join(["a"] * 10_000) + "\n")
    assert len(names.places) == 10_002
