"""Which functions a case calls, as every supported interpreter sees it; what is watched does what
it did before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from interpreters import EVERY, run_inside

MODULE = '''\
import asyncio
import functools
import traceback


def decorate(function):
    @functools.wraps(function)
    def inner(*given):
        return function(*given)
    return inner


def caught(value):
    """Its documentation."""
    try:
        try:
            return 1 // value
        except ZeroDivisionError as error:
            raise ValueError("zero") from error
        finally:
            seen.append(value)
    except ValueError as error:
        return traceback.extract_tb(error.__traceback__)[-1].lineno


def counted(most):
    for number in range(most):
        try:
            yield number
        except KeyError:
            yield "thrown"


async def later(value):
    await asyncio.sleep(0)
    return value


class Shape:
    def __init__(self, side):
        self.side = side

    @property
    def area(self):
        return self.side ** 2

    def scaled(self):
        add = lambda by: self.side + by
        return [add(n) for n in range(3)]


@decorate
def decorated(value):
    return value + 1


def large():
    return [NUMBERS]


def uncalled():
    return large()


seen = []
AT_IMPORT = decorated(1)
'''.replace("NUMBERS", ", ".join(f"{number}.5" for number in range(300)))

RUN = """
import asyncio, importlib, sys
from importlib import import_module
reach = import_module("_mgdebug_probe.reach")
sys.path.insert(0, message["folder"])
plain = importlib.import_module("plain")

def all_of(module):
    generator = module.counted(3)
    shape = module.Shape(4)
    return [
        module.caught(0), module.caught(1), module.caught.__doc__, module.seen,
        [next(generator), generator.throw(KeyError), list(generator)],
        asyncio.run(module.later(7)), shape.area, shape.scaled(), module.decorated(4),
        sum(module.large()), module.AT_IMPORT,
    ]

expected = all_of(plain)
own = reach.Reach(message["folder"])
watched = importlib.import_module("watched")
first = own.told()
own.begin()
got = all_of(watched)
case = own.told()
own.begin()
watched.Shape(1)
again = own.told()
answer = [expected, got, first, case, again, sys.version_info[:2]]
"""


@pytest.mark.parametrize("python", EVERY)
def test_the_functions_that_a_case_calls_are_seen_and_do_what_they_did(
    python: str, tmp_path: Path
) -> None:
    folder = tmp_path.resolve()
    for name in ("plain", "watched"):
        (folder / f"{name}.py").write_text(MODULE)
    file = str(folder / "watched.py")
    told = run_inside(python, RUN, {"folder": str(folder)})
    expected, got, first, case, again, version = told
    assert got == expected
    assert first["modules"]["watched"] == file
    if version < [3, 11]:
        assert first["seen"] == []
        assert case["hits"] == {}
        return
    assert first["seen"] == [file]
    lines = MODULE.splitlines()
    named = {
        line.split("(")[0].split()[-1]: number
        for number, line in enumerate(lines, 1)
        if line.lstrip().startswith(("def ", "async def "))
    }
    assert named["decorate"] in first["imported"][file]
    hit = set(case["hits"][file])
    assert {named[n] for n in ("caught", "counted", "later", "__init__", "scaled", "large")} <= hit
    assert named["uncalled"] not in hit
    assert case["imported"] == {}
    assert again["hits"][file] == [named["__init__"]]


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="only CPython 3.11 is prefixed")
def test_the_whole_standard_library_can_be_prefixed() -> None:
    """The tables of handlers and lines still say the same of the same instructions."""
    code = """
import dis, glob, os, sys
from importlib import import_module
reach = import_module("_mgdebug_probe.reach")
one = reach._Prefixed(lambda file: file)
handlers = functions = 0

def compare(old, new):
    global handlers, functions
    shift = (len(new.co_code) - len(old.co_code)) // 2
    functions += bool(shift)
    assert new.co_firstlineno == old.co_firstlineno
    before, after = (
        [(i.offset + by, i.opname, i.arg, i.positions) for i in dis.get_instructions(c)]
        for c, by in ((old, 2 * shift), (new, 0))
    )
    assert after[len(after) - len(before):] == before
    table = [(e.start + 2 * shift, e.end + 2 * shift, e.target + 2 * shift, e.depth, e.lasti)
             for e in dis._parse_exception_table(old)]
    assert table == [(e.start, e.end, e.target, e.depth, e.lasti)
                     for e in dis._parse_exception_table(new)]
    handlers += len(table)
    for a, b in zip(old.co_consts, new.co_consts):
        if hasattr(a, "co_code"):
            compare(a, b)

for name in message:
    path = os.path.join(os.path.dirname(os.__file__), name)
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    compare(code, one._prefixed(code, path))
answer = [functions, handlers]
"""
    names = ["argparse.py", "asyncio/base_events.py", "_pydecimal.py", "typing.py", "tarfile.py"]
    functions, handlers = run_inside(sys.executable, code, names)
    assert functions > 500
    assert handlers > 300
