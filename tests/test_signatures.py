"""Patches that change a function and its callers, in all files that they are in, or nothing."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mgdebug import judge
from mgdebug.apply import apply
from mgdebug.bottom_up import survey
from mgdebug.events import Event, Finished, Judged
from mgdebug.languages import language_of
from mgdebug.model import Case, CaseKind, Failure, Patch, Repair, Stop, Target
from mgdebug.proposers import Brief, proposer
from mgdebug.proposers.search.parameters import Given, Signature
from mgdebug.proposers.search.signatures import Signatures
from mgdebug.repair import repair
from mgdebug.session.hunks import Decision, Hunks
from mgdebug.session.review import Offer
from mgdebug.settings import Settings
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile
from mgdebug.syntax.uses import Uses

Texts = Mapping[str, str]


def written(root: Path, texts: Texts) -> Path:
    for path, text in texts.items():
        (root / path).write_text(textwrap.dedent(text), "utf-8")
    return root


def mended(root: Path) -> Repair:
    """The repair of a project that ends with the first patch that passes."""
    seen: list[Event] = []
    target, settings = Target(root, root), Settings(time=60.0, jobs=2)
    engine = [proposer("search", settings)]

    def enough() -> bool:
        return any(isinstance(event, Judged) and event.plausible for event in seen)

    for event in repair(target, engine, settings, sys.executable, enough):
        seen.append(event)
    last = seen[-1]
    assert isinstance(last, Finished)
    assert last.repair.stop is Stop.FIXED
    return last.repair


def changes(done: Repair) -> list[str]:
    """The lines that the best patch takes and brings, without their indentation."""
    assert done.best is not None
    lines = [line for line in done.best.diff.splitlines() if line[:3] not in ("---", "+++")]
    return [line[0] + line[1:].strip() for line in lines if line[0] in "+-"]


def sources(texts: Texts) -> dict[str, SourceFile]:
    found = {}
    for path, text in texts.items():
        language = language_of(path)
        assert language is not None
        found[path] = SourceFile(path, textwrap.dedent(text).encode(), language.grammar())
    return found


def brief_of(texts: Texts, name: str, message: str = "", within: tuple[str, ...] = ()) -> Brief:
    """What the search is told of a subfunction that a failing case comes to.  Functions named for
    tests are cases, wherever they stand."""
    files = sources(texts)
    hierarchy = decompose(files.values())
    own = hierarchy.subfunctions[name]
    language = language_of(own.path)
    assert language is not None
    cases = [Case("test_m.py::test", CaseKind.PYTEST, "test_m.py")]
    tests = [s for s in hierarchy.subfunctions.values() if s.name.startswith("test_")]
    cases += [Case(f"{s.path}::{s.name}", CaseKind.PYTEST, s.path) for s in tests]
    allowed = survey.allowed(hierarchy, Target(Path(), Path(), within=within), cases)
    return Brief(
        files[own.path],
        language,
        hierarchy,
        own,
        (),
        (),
        (Failure(cases[0].id, "", message),),
        cases=(cases[0],),
        files=files,
        allowed=allowed,
    )


def texts_after(brief: Brief, patches: list[Patch]) -> list[dict[str, str]]:
    return [
        {path: file.text.decode() for path, file in judge.patched(brief.files, p).items()}
        for p in patches
    ]


# ------------------------------------------------------------------------------ real repairs

KEYWORD = {
    "prices.py": """\
        def with_tax(net, rate):
            return net + net * rate // 100
    """,
    "bill.py": """\
        from prices import with_tax


        def total(nets):
            return sum(with_tax(net, percent=20) for net in nets)


        def deposit(net):
            return with_tax(net, percent=10) // 2
    """,
    "report.py": """\
        import prices


        def line(name, net):
            return f"{name}: {prices.with_tax(net, percent=20)}"
    """,
    "test_shop.py": """\
        from bill import total
        from prices import with_tax
        from report import line

        def test_tax(): assert with_tax(100, rate=10) == 110
        def test_total(): assert total([100, 50]) == 180
        def test_line(): assert line("pen", 10) == "pen: 12"
    """,
}


def test_a_keyword_is_renamed_in_all_calls_in_one_diff_that_is_applied_and_undone(
    tmp_path: Path,
) -> None:
    root = written(tmp_path, KEYWORD)
    done = mended(root)
    assert done.patch is not None
    assert done.best is not None
    assert changes(done) == [
        "-return sum(with_tax(net, percent=20) for net in nets)",
        "+return sum(with_tax(net, rate=20) for net in nets)",
        "-return with_tax(net, percent=10) // 2",  # no case comes here
        "+return with_tax(net, rate=10) // 2",
        '-return f"{name}: {prices.with_tax(net, percent=20)}"',
        '+return f"{name}: {prices.with_tax(net, rate=20)}"',
    ]
    files = {path: (root / path).read_bytes() for path in KEYWORD}
    read = {path: SourceFile.read(root, path, sources(KEYWORD)[path].grammar) for path in KEYWORD}
    hunks = Hunks.of(read, done.patch)
    assert sorted(apply(root, hunks.changes())) == ["bill.py", "report.py"]
    after = {path: (root / path).read_bytes() for path in KEYWORD}
    assert b"percent" not in b"".join(after.values())
    subprocess.run([sys.executable, "-m", "mgdebug", "undo"], cwd=root, check=True)
    assert {path: (root / path).read_bytes() for path in KEYWORD} == files
    diff = done.best.diff.encode("latin-1")
    subprocess.run(["git", "apply", "-"], cwd=root, input=diff, check=True)
    assert {path: (root / path).read_bytes() for path in KEYWORD} == after

    # Half of it would be worse than none: its hunks are decided on together.
    assert Offer(done.patch).bound
    none = hunks.toggled(1)
    assert [hunk.taken for hunk in none.all] == [False] * 3
    assert none.changes() == ()
    assert none.edited(0, "    return 0\n").diff().count("\n+++ ") == 2
    assert none.decided([2], Decision.TAKEN).as_offered
    whole = replace(done.patch, family=f"{done.patch.family}+another_number")
    bench = judge.Bench(read, decompose(read.values()), (), None)  # type: ignore[arg-type]
    assert judge.minimised(bench, [whole], None) == [whole]  # type: ignore[arg-type]


def test_a_new_parameter_is_given_in_all_calls_be_their_objects_known_or_not(
    tmp_path: Path,
) -> None:
    done = mended(
        written(
            tmp_path,
            {
                "rates.py": """\
                    class Rates:
                        def __init__(self, base):
                            self.base = base

                        def quote(self, amount, days, currency):
                            return f"{amount * self.base * days // 365} {currency}"
                """,
                "loans.py": """\
                    from rates import Rates


                    def loan(amount, currency):
                        rates = Rates(5)
                        return rates.quote(amount, 365)
                """,
                "desk.py": """\
                    from rates import Rates


                    class Desk:
                        def __init__(self):
                            self.rates = Rates(3)

                        def offer(self, amount, currency):
                            return "offer: " + self.rates.quote(amount, days=365)
                """,
                "test_loans.py": """\
                    from desk import Desk
                    from loans import loan

                    def test_loan(): assert loan(10, "EUR") == "50 EUR"
                    def test_desk(): assert Desk().offer(10, "CHF") == "offer: 30 CHF"
                """,
            },
        )
    )
    assert [line for line in changes(done) if line[0] == "+"] == [
        '+return "offer: " + self.rates.quote(amount, days=365, currency=currency)',
        "+return rates.quote(amount, 365, currency)",
    ]


SWAPPED = {
    "prices.py": """\
        def discounted(percent, price):
            off = price * percent // 100
            if price > 250:
                off = off + 1
            return price - off
    """,
    "cart.py": """\
        from prices import discounted


        def total(items):
            return sum(discounted(price, percent) for price, percent in items)
    """,
    "offer.py": """\
        import prices


        def offer(price):
            return prices.discounted(price, 25)
    """,
    "test_shop.py": """\
        from cart import total
        from offer import offer

        def test_total(): assert total([(200, 10), (300, 50)]) == 329
        def test_offer(): assert offer(400) == 299
    """,
}


def test_two_parameters_change_places_where_all_callers_have_them_the_other_way_around(
    tmp_path: Path,
) -> None:
    done = mended(written(tmp_path, SWAPPED))
    assert changes(done) == [
        "-def discounted(percent, price):",
        "+def discounted(price, percent):",
    ]


def test_the_arguments_change_places_in_all_calls_where_a_case_says_that_the_function_is_right(
    tmp_path: Path,
) -> None:
    root = written(tmp_path, SWAPPED)
    with (root / "test_shop.py").open("a") as file:
        file.write("\nfrom prices import discounted\n")
        file.write("def test_discounted(): assert discounted(10, 200) == 180\n")
    assert [line for line in changes(mended(root)) if line[0] == "+"] == [
        "+return sum(discounted(percent, price) for price, percent in items)",
        "+return prices.discounted(25, price)",
    ]


def test_what_could_not_be_collected_before_is_no_objection_to_a_patch(tmp_path: Path) -> None:
    texts = {
        "prices.py": "def with_tax(net):\n    return net + net // 5\n",
        "bill.py": "from prices import taxed\n\ndef total(net):\n    return taxed(net)\n",
        "report.py": "import prices\n\nA, B = 20, 0\n\n"
        "def line(): return [prices.taxed(A), prices.taxed(B)]\n",
        "test_bill.py": "from bill import total\n\ndef test(): assert total(10) == 12\n",
        "test_report.py": "from report import line\n\ndef test(): assert line() == [24, 0]\n",
    }
    done = mended(written(tmp_path, texts))
    assert changes(done) == ["-def with_tax(net):", "+def taxed(net):"]
    assert done.after is not None
    assert set(done.after.passed) == {"test_bill.py::test", "test_report.py::test"}


# ------------------------------------------------------------------------------- the plans


REFUSED = "TypeError: with_tax() got an unexpected keyword argument 'percent'"


def test_a_plan_is_not_offered_where_one_of_its_edits_may_not_be_made() -> None:
    texts = {path: text for path, text in KEYWORD.items() if path != "test_shop.py"}

    def planned(texts: Texts, within: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
        brief = brief_of(texts, "bill.py::total", REFUSED, within)
        patches = Signatures().shown(brief)
        return {tuple(sorted({edit.path for edit in patch.edits})) for patch in patches}

    calls, definition = ("bill.py", "report.py"), ("prices.py",)
    assert planned(texts) == {calls, definition}
    assert planned(texts, ("bill.py", "prices.py")) == {definition}
    assert planned(texts, ("bill.py", "report.py")) == {calls}
    tested = f"{textwrap.dedent(texts['report.py'])}\ndef test_line():\n    assert line('a', 0)\n"
    assert planned({**texts, "report.py": tested}) == {calls, definition}
    within_a_test = tested.replace("assert line('a', 0)", "prices.with_tax(1, percent=2)")
    assert planned({**texts, "report.py": within_a_test}) == {definition}


@pytest.mark.parametrize(
    ("message", "before", "after"),
    [
        pytest.param(
            "f() got an unexpected keyword argument 'size'",
            ["def f(a, width):\n    return [width for _ in a]", "f(1, size=2); f(a=1, size=3)"],
            ["def f(a, size):\n    return [size for _ in a]"],
            id="the definition takes the name that calls use",
        ),
        pytest.param(
            "f() got an unexpected keyword argument 'size'",
            ["def f(a, size_=1):\n    return a", "f(1, size=2); f(2, size_=3)"],
            ["def f(a, size=1):\n    return a", "f(1, size=2); f(2, size=3)"],
            id="with those calls that had the old one",
        ),
        pytest.param(
            "f() got an unexpected keyword argument 'size'",
            ["def f(a):\n    return a * size", "f(1, size=2)"],
            ["def f(a, size):\n    return a * size"],
            id="a parameter that the body reads",
        ),
        pytest.param(
            "f() missing 1 required positional argument: 'b'",
            ["def f(a, b):\n    return a", "f(1,)\nf(2)"],
            ["def f(a):\n    return a"],
            id="a parameter that nobody gives and nothing reads",
        ),
        pytest.param(
            "f() missing 1 required positional argument: 'b'",
            ["def f(a, b):\n    return a + b", "f(1)\nf(2, 7)"],
            ["def f(a, b=7):\n    return a + b"],
            id="a default that other calls give",
        ),
        pytest.param(
            "f() missing 1 required positional argument: 'b'",
            ["def f(a, n, b):\n    return a + b", "def g(n, *, b): return f(1, b)"],
            [None, "def g(n, *, b): return f(1, n, b)"],
            id="an argument in the middle",
        ),
        pytest.param(
            "f() missing 1 required positional argument: 'size'",
            ["def f(a, size):\n    return a[:size]", "PAGE_SIZE = 3\ndef g(a): return f(a)"],
            [None, "PAGE_SIZE = 3\ndef g(a): return f(a, PAGE_SIZE)"],
            id="a constant of the module that is named for it",
        ),
        pytest.param(
            "f() takes 1 positional argument but 2 were given",
            ["def f(a):\n    return a", "f(\n    1,\n    2,  # two\n)"],
            [None, "f(\n    1,  # two\n)"],
            id="an argument too many",
        ),
    ],
)
def test_what_does_not_fit_is_made_to_fit_on_one_of_both_sides(
    message: str, before: list[str], after: list[str | None]
) -> None:
    texts = {"a.py": before[0] + "\n", "b.py": f"from a import f\n{before[1]}\n"}
    wanted = {"a.py": f"{after[0]}\n"} if after[0] else {}
    if len(after) > 1:
        wanted["b.py"] = f"from a import f\n{after[1]}\n"
    name = "b.py::g" if "def g" in before[1] else "b.py::<module>"
    brief = brief_of(texts, name, message)
    assert wanted in texts_after(brief, Signatures().shown(brief))


def test_a_function_and_its_uses_in_all_files_come_to_one_name() -> None:
    texts = {
        "prices.py": "def rounded(value):\n    return value\n",
        "bill.py": "import prices as p\n\ndef plain(price):\n    return p.round_off(price)\n",
        "report.py": "from prices import round_off\n\nBY = [round_off, round_off(2)]\n",
        "till.py": "from prices import rounded as r\n\nLAST = r(1)\n",
    }
    brief = brief_of(texts, "bill.py::plain", "module 'prices' has no attribute 'round_off'")
    definition, uses = texts_after(brief, Signatures().shown(brief))
    assert definition == {
        path: texts[path].replace("rounded", "round_off") for path in ("prices.py", "till.py")
    }
    assert uses == {
        path: texts[path].replace("round_off", "rounded") for path in ("bill.py", "report.py")
    }


def test_a_method_and_its_uses_in_all_files_come_to_one_name() -> None:
    texts = {
        "cart.py": "class Cart:\n    def amount(self):\n        return 0\n",
        "a.py": "def total(cart):\n    return cart.amounts() + cart.amounts()\n",
        "b.py": "def show(box):\n    return str(box.cart.amounts)\n",
    }
    brief = brief_of(texts, "a.py::total", "'Cart' object has no attribute 'amounts'")
    definition, uses = texts_after(brief, Signatures().shown(brief))
    assert uses == {path: texts[path].replace("amounts", "amount") for path in ("a.py", "b.py")}
    assert definition == {"cart.py": texts["cart.py"].replace("amount", "amounts")}
    brief = brief_of(
        {**texts, "c.py": "class Other:\n    def amounts(self):\n        return 1\n"},
        "a.py::total",
        "'Cart' object has no attribute 'amounts'",
    )
    assert Signatures().shown(brief) == []  # whose it is, nobody can tell


def test_a_call_that_is_bound_through_its_class_is_read_without_the_object() -> None:
    files = sources(
        {
            "m.py": "class C:\n    def f(self, a, /, b=1, *rest, c, **more):\n        pass\n",
            "n.py": "from m import C\n\nC.f(None, 1, c=2)\nC().f(1, *[2], c=3)\n",
        }
    )
    hierarchy = decompose(files.values())
    signature = Signature.of(files["m.py"], hierarchy.subfunctions["m.py::C.f"])
    assert signature is not None
    assert [(p.name, p.form.name, p.default) for p in signature.all] == [
        ("a", "PLACED", False),
        ("b", "EITHER", True),
        ("rest", "REST", False),
        ("c", "NAMED", False),
        ("more", "REST", False),
    ]
    found = Uses(files).of("m.py::C.f", ["n.py"])
    given = [Given.of(use, files["n.py"], signature) for use in found]
    read = [(len(g.placed), sorted(g.bound(signature)), g.is_open) for g in given if g is not None]
    assert read == [(1, ["a", "c"], False), (1, ["a", "c"], True)]
