"""`mgdebug fix --partial`: code that lacks names and modules, run with stand-ins for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from interpreters import find, run_inside

from mgdebug.events import Event, Finished, Warned
from mgdebug.languages import language_of
from mgdebug.model import Status, Stop, Target
from mgdebug.partial import Filling
from mgdebug.partial.missing import unbound
from mgdebug.partial.refining import refined
from mgdebug.proposers import named
from mgdebug.repair import repair
from mgdebug.runner import Runner
from mgdebug.settings import Settings
from mgdebug.syntax.source import SourceFile

SNIPPET = """\
import company_internal.api as api


@app.route("/total")
def total(prices):
    logger.info("adding %d prices", len(prices))
    result = api.opening_balance()
    for price in prices[1:]:
        result += price
    return result
"""
CASES = ("total([1, 2]) == 3", "total([5]) == 5", "total([]) == 0")

# Each function passes its case once the stand-ins in it are what its line asks for.
ASKING = {
    "number": ("return 1 + store.count()", "1"),
    "below": ("return limits.low < 3, abs(limits.width), list(range(limits.top))", "(True, 0, [])"),
    "text": ('return "a" + settings["name"] + "-".join([settings.get("part")])', '"a"'),
    "rows": ("return [row for row in db.rows()], len(db.rows())", "([], 0)"),
    "pair": ("left, right = db.pair()\n    return left is not None", "True"),
    "caught": (
        'try:\n        {}["a"]\n    except lost_errors.Flaw:\n        return 1\n'
        "    except KeyError:\n        return 2",
        "2",
    ),
    "raised": (
        "try:\n        raise lost_errors.Gone(3)\n    except lost_errors.Gone:\n        return 4",
        "4",
    ),
    "held": ('with lock.held(1) as held:\n        return "held"', '"held"'),
    "looped": (
        "n = 0\n    while queue.next_one():\n        n += 1\n    return n",
        "0",
    ),
    "kept": ('session["a"] = 5\n    return session["a"], "b" in session', "(5, False)"),
    "fast": ("return speedups.missing_one() is not None, isinstance(3, Kind)", "(True, False)"),
}
HEAD = """\
from json import speedups
from lost.models import Model
from lost import errors as lost_errors


class User(Model):
    name: Optional[str] = column(str)

    def title(self):
        return "user"


@app.command
@app.option("-n", default=3)
def decorated():
    return helper()


def helper():
    return __file__[-9:], __name__, max(3, 4)

"""


# In an interpreter whose streams are files, as those of a try are.
WATCH = """
import os, sys
from _mgdebug_probe import overlay, stand_ins, world
stand_ins.install(message["wanted"], overlay.Overlay())
sys.path.insert(0, message["root"])
saved = [os.dup(fd) for fd in range(3)]
file = os.open(message["root"] + "/out", os.O_RDWR | os.O_CREAT)
for fd in range(3):
    os.dup2(file, fd)
import kept
kept.deep = stand_ins.value("deep")
seen = world.World(message["root"])
answer = [seen.closed, seen.changed()]
kept.deep.cache, kept.deep.other(3)["x"], len(kept.deep.cache), list(kept.deep.cache)
answer.append(seen.changed())
kept.f(1)
answer.append(seen.changed())
answer.append([kept.deep.cache["k"], list(kept.deep.cache), kept.deep.seen])
for fd in range(3):
    os.dup2(saved[fd], fd)
"""


def warnings(events: Sequence[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Warned)]


def written(folder: Path, **files: str) -> Path:
    (folder / "pyproject.toml").touch()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, "utf-8")
    return folder


def fix(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mgdebug", "fix", "--time", "40", "--jobs", "1", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def source_of(text: str) -> SourceFile:
    language = language_of("mod.py")
    assert language is not None
    return SourceFile("mod.py", text.encode(), language.grammar())


def test_the_bug_of_a_snippet_is_mended_and_what_was_filled_is_told(tmp_path: Path) -> None:
    written(tmp_path, snippet=SNIPPET)
    cases = [word for case in CASES for word in ("--case", case)]
    done = fix(tmp_path, "snippet.py", *cases, "--partial", "--apply")
    assert done.returncode == 0, done.stderr
    changed = (tmp_path / "snippet.py").read_text("utf-8").splitlines()
    apart = [n for n, line in enumerate(SNIPPET.splitlines()) if line != changed[n]]
    assert [SNIPPET.splitlines()[n] for n in apart] == ["    for price in prices[1:]:"]
    assert len(changed) == len(SNIPPET.splitlines())
    assert {path.name for path in tmp_path.iterdir()} == {"pyproject.toml", "snippet.py"}
    said = " ".join(done.stderr.split())
    for name in ("app", "logger"):
        assert f"snippet.py: `{name}` is defined nowhere: a stand-in is used for it" in said
    assert "company_internal is not installed: a stand-in is used for it" in said
    assert "`company_internal.api.opening_balance()` is 0" in said
    assert "with stand-ins for app, logger, company_internal: what depends on them" in said


def test_without_the_flag_it_fails_as_ever_with_a_hint(tmp_path: Path) -> None:
    target = Target(written(tmp_path, snippet=SNIPPET), tmp_path, "snippet.py", "", (), CASES[:1])
    events = list(repair(target, (), Settings(jobs=1), sys.executable))
    assert warnings(events)[0] == (
        "company_internal is not installed: `mgdebug fix --partial` runs it with stand-ins"
    )
    assert isinstance(events[-1], Finished)
    assert events[-1].repair.stand_ins == ()
    assert events[-1].repair.patch is None


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_stand_ins_become_what_their_errors_ask_for(tmp_path: Path, version: str) -> None:
    python = find(version)
    if not python:
        pytest.skip(f"no CPython {version} on this machine")
    functions = (f"\ndef {name}():\n    {body}\n" for name, (body, _) in ASKING.items())
    written(tmp_path, asking=HEAD + "\n".join(functions))
    cases = (
        *(f"{name}() == {wanted}" for name, (_, wanted) in ASKING.items()),
        'User(3).title() == "user"',
        'decorated() == ("asking.py", "asking", 4)',
        'decorated.__name__ == "decorated"',
    )
    target = Target(tmp_path, tmp_path, "asking.py", "", (), cases)
    settings = Settings(jobs=1, case_time=0.5)
    filling = Filling(target)
    with Runner.of(target, python, settings) as runner:
        told = warnings(list(filling.fill(runner, settings.time, {})))
        run = runner.run()
    assert [f"{o.case}: {o.message}" for o in run.outcomes if o.status is not Status.PASSED] == []
    free = "Optional column app store limits settings db lock queue session Kind"
    assert set(filling.names["asking.py"]) == set(free.split())
    assert list(filling.modules) == ["lost"]
    assert filling.attributes == {"json": {"speedups": None}}
    assert not filling.true  # the loop would go on
    asked = {"store.count()": "int", "settings[]": "str", "db.pair()": "unpacked 2"}
    assert asked.items() <= filling.kinds.items()
    assert filling.kinds["lost.errors.Flaw"] == filling.kinds["lost.errors.Gone"] == "exception"
    assert len(told) == len(filling.things)
    assert (tmp_path / "asking.py").read_text("utf-8").startswith(HEAD)


def test_what_pytest_cannot_load_is_filled_too(tmp_path: Path) -> None:
    written(
        tmp_path,
        conftest="import pytest\nimport test_kit\n\n\n@pytest.fixture\ndef kit():\n"
        "    return test_kit.start()\n",
        shop="from web import Blueprint\n\nbp = Blueprint('shop')\n\n\n@bp.get('/')\n"
        "def total(xs):\n    return sum(xs) + offset\n",
        test_shop="from shop import total\n\n\ndef test_total(kit):\n"
        "    assert total([1, 2]) == 3\n",
    )
    target = Target(tmp_path, tmp_path)
    filling = Filling(target)
    with Runner.of(target, sys.executable, Settings(jobs=1)) as runner:
        list(filling.fill(runner, 60.0, {}))
        run = runner.run()
    assert [outcome.status for outcome in run.outcomes] == [Status.PASSED]
    assert filling.things == ("offset", "test_kit", "web")


def test_what_does_not_parse_is_mended_first(tmp_path: Path) -> None:
    text = "def f(x):\n    logger.info(x)\n    return (x + conf.low\n"
    cases = ("f(1) == 1",)
    target = Target(written(tmp_path, broken=text), tmp_path, "broken.py", "", (), cases)
    settings = Settings(jobs=1, partial=True, time=30.0)
    events = list(repair(target, named("search", settings), settings, sys.executable))
    assert isinstance(events[-1], Finished)
    done = events[-1].repair
    assert done.stop is Stop.FIXED, warnings(events)
    assert done.stand_ins == ("logger", "conf")
    assert done.patch is not None
    assert [edit.text.strip() for edit in done.patch.edits] == ["return (x + conf.low)"]


def test_only_names_that_nobody_binds_are_missing() -> None:
    found = unbound(
        source_of(
            "import os\nlater_on = 1\n\n\ndef f(given, *rest):\n    global counted\n"
            "    counted = given + later + total_sum([n for n in rest])\n"
            "    return __file__, print(os.sep), unknown.thing, lambda q: q + other\n\n\n"
            "class A:\n    held = 1\n    def m(self):\n        return __class__, held, resutl\n\n\n"
            "result = counted\nlater = 2\n\n\ndef total_sum(xs):\n    return sum(xs) + totalsum\n"
        )
    )
    assert found.names == ("unknown", "other", "held")
    assert found.slips == {"resutl": "result", "totalsum": "total_sum"}
    assert unbound(source_of("from lost import *\nprint(anything)\n")).names == ()


@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        (
            "    x = 'a' + f()\nTypeError: can only concatenate str (not \"stand-in f()\") to str",
            "str",
        ),
        ("TypeError: unsupported operand type(s) for *: 'float' and 'stand-in f()'", "float"),
        ("TypeError: '>=' not supported between instances of 'stand-in f()' and 'int'", "int"),
        (
            "E   TypeError: unsupported operand type(s) for |: 'stand-in f()' and 'NoneType'",
            "class",
        ),
        ("TypeError: float() argument must be a string or a number, not 'stand-in f()'", "float"),
        ("TypeError: expected str, bytes or os.PathLike object, not stand-in f()", "str"),
        (
            ">   a, b = f()\nE   ValueError: not enough values to unpack (expected 2, got 0)",
            "unpacked 2",
        ),
        ("    a, b = g()\nValueError: not enough values to unpack (expected 2, got 0)", ""),
        ("TypeError: unsupported operand type(s) for +: 'int' and 'str'", ""),
        ("AttributeError: 'list' object has no attribute 'f'", ""),
    ],
)
def test_an_error_says_what_kind_of_value_is_wanted(error: str, kinds: str) -> None:
    assert refined(error, {"f": "f"}) == ({"f()": kinds} if kinds else {})


def test_what_is_put_into_a_stand_in_is_state_that_tries_do_not_share(tmp_path: Path) -> None:
    written(tmp_path, kept='def f(x):\n    deep.cache["k"] = x\n    deep.seen = 2\n')
    wanted = {"modules": [], "names": {}, "attributes": {}, "kinds": {}, "true": True}
    told = run_inside(sys.executable, WATCH, {"root": str(tmp_path), "wanted": wanted})
    assert told == ["", "", "", "module state", [1, ["k"], 2]]
