# ruff: noqa: E501
"""A test's bare function passes exactly where pytest says that the test passed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from interpreters import run_inside

HEAD = "import asyncio, os, sys, unittest, warnings\nimport pytest\n"
# name: (test file, the names of those that must be bare)
FILES: dict[str, tuple[str, str]] = {
    "plain": ("def test_a(): assert 1\ndef test_b(): assert 0\ndef test_c(): 1 / 0\n", "a b c"),
    "exits": (
        "def test_a(): sys.exit(0)\ndef test_b(): pytest.fail('x')\ndef test_c(): pytest.skip('x')\n"
        "def test_d(): pytest.xfail('x')\ndef test_e(): raise unittest.SkipTest('x')\n",
        "a b c d e",
    ),
    "returns": ("def test_a(): return 5\ndef test_b(): return None\n", ""),
    "raises": (
        "def test_a():\n    with pytest.raises(KeyError): {}[1]\n"
        "def test_b():\n    with pytest.raises(KeyError): pass\n",
        "a b",
    ),
    "fixtures": (
        "@pytest.fixture\ndef x(): return 1\ndef test_a(x): assert x\ndef test_b(tmp_path): assert tmp_path\n"
        "def test_c(): assert 1\n",
        "c",
    ),
    "autouse": (
        "@pytest.fixture(autouse=True)\ndef x(monkeypatch): monkeypatch.setenv('X', '1')\n"
        "def test_a(): assert os.environ['X'] == '1'\n",
        "",
    ),
    "autouse that fails": (
        "@pytest.fixture(autouse=True)\ndef x(): 1 / 0\ndef test_a(): pass\n",
        "",
    ),
    "teardown that fails": (
        "@pytest.fixture(autouse=True)\ndef x():\n    yield\n    1 / 0\ndef test_a(): pass\n",
        "",
    ),
    "marks": (
        "@pytest.mark.skip\ndef test_a(): pass\n@pytest.mark.skipif(True, reason='x')\ndef test_b(): pass\n"
        "@pytest.mark.xfail\ndef test_c(): assert 0\n@pytest.mark.xfail\ndef test_d(): pass\n"
        "@pytest.mark.xfail(strict=True)\ndef test_e(): pass\n@pytest.mark.xfail(raises=KeyError)\ndef test_f(): 1/0\n",
        "",
    ),
    "module marks": ("pytestmark = pytest.mark.skip(reason='x')\ndef test_a(): pass\n", ""),
    "module xfail": ("pytestmark = [pytest.mark.xfail]\ndef test_a(): assert 0\n", ""),
    "usefixtures": (
        "@pytest.fixture\ndef x(): 1 / 0\n@pytest.mark.usefixtures('x')\ndef test_a(): pass\n",
        "",
    ),
    "parametrize": (
        "@pytest.mark.parametrize('n, m', [(1, 1), (1, 2), pytest.param(1, 1, id='x')])\n"
        "def test_a(n, m): assert n == m\n",
        "a",
    ),
    "parametrize twice": (
        "@pytest.mark.parametrize('n', [1, 2])\n@pytest.mark.parametrize('m', [1, 2])\n"
        "def test_a(n, m): assert n == m\n",
        "a",
    ),
    "mutable parameters": (
        "@pytest.mark.parametrize('x', [[1], {'a': 1}, {1}])\n"
        "def test_a(x):\n    n = len(x)\n    x.clear()\n    assert n == 1\n",
        "a",
    ),
    "shared parameters": (
        "L = [1]\n@pytest.mark.parametrize('x', [L])\ndef test_a(x): assert x is L\n",
        "",
    ),
    "parameters shared between tests": (
        "L = [1]\nboth = pytest.mark.parametrize('x', [L])\n@both\ndef test_a(x): x.append(2); assert len(x) == 2\n"
        "@both\ndef test_b(x): assert len(x) == 2\n",
        "",
    ),
    "parameters that are one": (
        "S = object()\n@pytest.mark.parametrize('x', [S])\ndef test_a(x): assert x is S\n",
        "",
    ),
    "parameters with classes": (
        "class P: pass\n@pytest.mark.parametrize('c', [P, int])\ndef test_a(c): assert c() is not None\n",
        "",
    ),
    "parameters with marks": (
        "@pytest.mark.parametrize('n', [1, pytest.param(0, marks=pytest.mark.xfail),"
        " pytest.param(2, marks=pytest.mark.skip)])\ndef test_a(n): assert n\n",
        "",
    ),
    "indirect": (
        "@pytest.fixture\ndef x(request): return request.param + 1\n"
        "@pytest.mark.parametrize('x', [1], indirect=True)\ndef test_a(x): assert x == 2\n",
        "",
    ),
    "a fixture of the same name": (
        "@pytest.fixture\ndef x(): 1 / 0\n@pytest.mark.parametrize('x', [1])\n"
        "def test_a(x): assert x == 1\n",
        "",
    ),
    "fixtures with params": (
        "@pytest.fixture(params=[1, 2])\ndef x(request): return request.param\ndef test_a(x): assert x == 1\n",
        "",
    ),
    "generated": (
        "def pytest_generate_tests(metafunc):\n    if 'n' in metafunc.fixturenames:\n"
        "        metafunc.parametrize('n', [1, 0])\ndef test_a(n): assert n\n",
        "",
    ),
    "setup_module": ("X = []\ndef setup_module(m): X.append(1)\ndef test_a(): assert X\n", ""),
    "setup_function": ("X = []\ndef setup_function(f): X.append(1)\ndef test_a(): assert X\n", ""),
    "teardown_function": ("def teardown_function(f): 1 / 0\ndef test_a(): pass\n", ""),
    "setup_method": (
        "class TestC:\n    def setup_method(self): self.x = 1\n    def test_a(self): assert self.x\n",
        "",
    ),
    "setup_class": (
        "class TestC:\n    @classmethod\n    def setup_class(cls): cls.x = 1\n    def test_a(self): assert self.x\n",
        "",
    ),
    "classes": (
        "class TestC:\n    def test_a(self): assert self.test_a\n    def test_b(self): assert 0\n",
        "a b",
    ),
    "static methods": (
        "class TestC:\n    @staticmethod\n    def test_a(): assert 1\n    @classmethod\n    def test_b(cls): assert cls is TestC\n"
        "    @staticmethod\n    def test_c(): assert 0\n",
        "",
    ),
    "parameters of methods": (
        "class TestC:\n    @pytest.mark.parametrize('n', [0, 1])\n    def test_a(self, n): assert n\n",
        "a",
    ),
    "inherited": (
        "class Base:\n    n = 1\n    def test_a(self): assert self.n == 1\nclass TestC(Base): pass\n"
        "class TestD(Base): n = 2\n",
        "",
    ),
    "state of a class": (
        "class TestC:\n    seen = []\n    def test_a(self): self.seen.append(1)\n    def test_b(self): assert self.seen\n",
        "",
    ),
    "state of an instance": (
        "class TestC:\n    def test_a(self): self.x = 1\n    def test_b(self): assert not hasattr(self, 'x')\n",
        "",
    ),
    "class marks": ("@pytest.mark.xfail\nclass TestC:\n    def test_a(self): assert 0\n", ""),
    "class fixtures": (
        "class TestC:\n    @pytest.fixture(autouse=True)\n    def x(self): self.y = 1\n    def test_a(self): assert self.y\n",
        "",
    ),
    "nested classes": (
        "class TestC:\n    class TestD:\n        def test_a(self): assert 1\n        def test_b(self): assert 0\n",
        "",
    ),
    "an odd method": (
        "class TestC:\n    def __getattr__(self, n): return 5\n    def test_a(self): assert self.x == 5\n",
        "",
    ),
    "unittest": (
        "class C(unittest.TestCase):\n    def setUp(self): self.x = 1\n    def tearDown(self): del self.x\n"
        "    def test_a(self): self.assertEqual(self.x, 1)\n    def test_b(self): self.fail()\n"
        "    def test_c(self): 1 / 0\n",
        "a b c",
    ),
    "unittest that tears down badly": (
        "class C(unittest.TestCase):\n    def tearDown(self): 1 / 0\n    def test_a(self): pass\n",
        "",
    ),
    "unittest with setUpClass": (
        "class C(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls): cls.x = 1\n    def test_a(self): assert self.x\n",
        "",
    ),
    "unittest with setUpModule": (
        "X = []\ndef setUpModule(): X.append(1)\nclass C(unittest.TestCase):\n    def test_a(self): assert X\n",
        "",
    ),
    "unittest with tearDownModule": (
        "def tearDownModule(): pass\nclass C(unittest.TestCase):\n    def test_a(self): assert 1\n",
        "",
    ),
    "unittest subtests": (
        "class C(unittest.TestCase):\n    def test_a(self):\n        for i in range(3):\n            with self.subTest(i=i): self.assertEqual(i, 1)\n"
        "    def test_b(self):\n        with self.subTest(): pass\n",
        "",
    ),
    "unittest skips": (
        "class C(unittest.TestCase):\n    @unittest.skip('x')\n    def test_a(self): pass\n    def test_b(self): self.skipTest('x')\n"
        "    @unittest.skipIf(True, 'x')\n    def test_c(self): 1 / 0\n",
        "",
    ),
    "unittest expected failures": (
        "class C(unittest.TestCase):\n    @unittest.expectedFailure\n    def test_a(self): assert 0\n"
        "    @unittest.expectedFailure\n    def test_b(self): pass\n",
        "",
    ),
    "unittest cleanups": (
        "class C(unittest.TestCase):\n    def test_a(self): self.addCleanup(lambda: 1 / 0)\n    def test_b(self): self.addCleanup(int)\n",
        "",
    ),
    "unittest class cleanups": (
        "class C(unittest.TestCase):\n    def test_a(self): self.addClassCleanup(int)\n",
        "",
    ),
    "unittest skipped class": (
        "@unittest.skip('x')\nclass C(unittest.TestCase):\n    def test_a(self): 1 / 0\n",
        "",
    ),
    "unittest async": (
        "class C(unittest.IsolatedAsyncioTestCase):\n    async def test_a(self): await asyncio.sleep(0)\n    async def test_b(self): assert 0\n",
        "",
    ),
    "unittest that returns": ("class C(unittest.TestCase):\n    def test_a(self): return 5\n", ""),
    "unittest inherited": (
        "class Base:\n    def test_a(self): self.assertTrue(self.n)\nclass C(Base, unittest.TestCase): n = 1\nclass D(Base, unittest.TestCase): n = 0\n",
        "",
    ),
    "unittest with a fixture": (
        "class C(unittest.TestCase):\n    @pytest.fixture(autouse=True)\n    def x(self): self.y = 1\n    def test_a(self): assert self.y\n",
        "",
    ),
    "unittest marked": (
        "class C(unittest.TestCase):\n    @pytest.mark.xfail\n    def test_a(self): assert 0\n",
        "",
    ),
    "unittest exits": (
        "class C(unittest.TestCase):\n    def test_a(self): raise SystemExit\n    def test_b(self): pytest.skip('x')\n    def test_c(self): pytest.fail('x')\n",
        "",
    ),
    "unittest with debug": (
        "class C(unittest.TestCase):\n    def __call__(self, result=None): raise ValueError\n    def test_a(self): pass\n",
        "",
    ),
    "unittest logs": (
        "import logging\nclass C(unittest.TestCase):\n    def test_a(self):\n        with self.assertLogs(): logging.warning('x')\n"
        "    def test_b(self):\n        with self.assertWarns(UserWarning): warnings.warn('x')\n",
        "",
    ),
    "async": ("async def test_a(): pass\n", ""),
    "generators": ("def test_a():\n    yield\n", ""),
    "warnings": (
        "def test_a(): warnings.warn('x')\ndef test_b():\n    with pytest.warns(UserWarning): warnings.warn('x')\n"
        "def test_c():\n    with pytest.warns(UserWarning): pass\n",
        "",
    ),
    "a mark for warnings": (
        "@pytest.mark.filterwarnings('error')\ndef test_a(): warnings.warn('x')\n",
        "",
    ),
    "warning filters": (
        "def test_a(): warnings.simplefilter('error')\ndef test_b(): warnings.warn('x')\n",
        "",
    ),
    "recorded warnings": (
        "def test_a(recwarn): warnings.warn('x'); assert len(recwarn) == 1\n",
        "",
    ),
    "output": (
        "def test_a(capsys): print('x'); assert capsys.readouterr().out == 'x\\n'\ndef test_b(): print('y')\n",
        "b",
    ),
    "state of a module": ("X = []\ndef test_a(): X.append(1)\ndef test_b(): assert X\n", ""),
    "the current test": ("def test_a(): assert os.environ['PYTEST_CURRENT_TEST']\n", ""),
    "input": ("def test_a(): assert sys.stdin.read() == ''\n", ""),
    "a wrapper": (
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def g(): f(); f()\n    return g\n@twice\ndef test_a(): assert 1\n",
        "",
    ),
    "mock patches": (
        "import unittest.mock\n@unittest.mock.patch('os.getcwd')\ndef test_a(m): assert os.getcwd() is m.return_value\n",
        "",
    ),
    "a partial": ("import functools\ntest_a = functools.partial(lambda n: 1 / n, 0)\n", ""),
    "a lambda": ("test_a = lambda: None\ntest_b = lambda: 1 / 0\n", ""),
    "default arguments": ("def test_a(n=1): assert n\n", ""),
    "__tracebackhide__": ("def test_a():\n    __tracebackhide__ = True\n    assert 0\n", ""),
    "assert rewriting": (
        "def test_a():\n    try:\n        assert [1] == [2]\n    except AssertionError as e:\n        assert '[1] == [2]' in str(e)\n",
        "",
    ),
    "exception groups of strings": ("def test_a():\n    raise BaseException('x')\n", ""),
    "threads that fail": (
        "import threading\ndef test_a():\n    t = threading.Thread(target=lambda: 1 / 0)\n    t.start(); t.join()\n",
        "",
    ),
}
CONFIGURED: dict[str, tuple[dict[str, str], str]] = {
    "warnings are errors": (
        {"pytest.ini": "[pytest]\nfilterwarnings = error\n"},
        "def test_a(): warnings.warn('x')\ndef test_b(): pass\n",
    ),
    "warnings are errors by an option": (
        {"pytest.ini": "[pytest]\naddopts = -W error\n"},
        "def test_a(): warnings.warn('x')\n",
    ),
    "xfail is strict": (
        {"pytest.ini": "[pytest]\nxfail_strict = true\n"},
        "@pytest.mark.xfail\ndef test_a(): pass\n",
    ),
    "fixtures for all": (
        {
            "pytest.ini": "[pytest]\nusefixtures = x\n",
            "conftest.py": "import pytest\n@pytest.fixture\ndef x(): 1 / 0\n",
        },
        "def test_a(): pass\n",
    ),
    "a conftest that sets up": (
        {"conftest.py": "def pytest_runtest_setup(item): 1 / 0\n"},
        "def test_a(): pass\n",
    ),
    "a conftest that calls": (
        {"conftest.py": "def pytest_runtest_call(item): 1 / 0\n"},
        "def test_a(): pass\n",
    ),
    "a conftest that tears down": (
        {"conftest.py": "def pytest_runtest_teardown(item): 1 / 0\n"},
        "def test_a(): pass\n",
    ),
    "a conftest that wraps": (
        {
            "conftest.py": "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_pyfunc_call(pyfuncitem): return True\n"
        },
        "def test_a(): assert 0\n",
    ),
    "a conftest that reports": (
        {
            "conftest.py": "import pytest\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    o = yield\n    o.get_result().outcome = 'failed'\n"
        },
        "def test_a(): pass\n",
    ),
    "a conftest that marks": (
        {
            "conftest.py": "import pytest\ndef pytest_collection_modifyitems(items):\n    for i in items: i.add_marker(pytest.mark.xfail)\n"
        },
        "def test_a(): assert 0\n",
    ),
    "a conftest with a fixture for all": (
        {"conftest.py": "import pytest\n@pytest.fixture(autouse=True)\ndef x(): 1 / 0\n"},
        "def test_a(): pass\n",
    ),
    "a conftest with a fixture for the session": (
        {
            "conftest.py": "import pytest\n@pytest.fixture(autouse=True, scope='session')\ndef x():\n    import os\n    os.environ['S'] = '1'\n"
        },
        "def test_a(): assert os.environ['S']\n",
    ),
    "a conftest with fixture hooks": (
        {"conftest.py": "def pytest_fixture_setup(fixturedef, request): pass\n"},
        "def test_a(): pass\n",
    ),
    "a conftest that looks at asserts": (
        {"conftest.py": "def pytest_assertrepr_compare(op, left, right): return ['x']\n"},
        "def test_a(): assert 1 == 2\n",
    ),
}

BARE = """
import importlib, io, os, pytest
bare = importlib.import_module("_mgdebug_probe.bare").bare
os.chdir(message)
answer = {}


def told(run):
    if run is None:
        return "no"
    try:
        run()
        return "passed"
    except BaseException:
        return "failed"


class Plugin:
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        found = {item.nodeid: bare(item) for item in session.items}
        for path in sorted({name.partition("::")[0] for name in found}):
            reading, writing = os.pipe()
            pid = os.fork()
            if not pid:
                ended = {}
                for turn in range(2):
                    for name, run in found.items():
                        if name.partition("::")[0] == path:
                            ended.setdefault(name, []).append(told(run))
                os.write(writing, json.dumps(ended).encode())
                os._exit(0)
            os.close(writing)
            with os.fdopen(reading) as file:
                answer.update(json.load(file))
            os.waitpid(pid, 0)
        return True


kept = sys.stdout
sys.stdout = io.StringIO()
sys.dont_write_bytecode = True
pytest.main(["-p", "no:cacheprovider", "-q", "--capture=no", "."], plugins=[Plugin()])
sys.stdout = kept
"""
PATHS = """
import sys
sys.path[:0] = {paths!r}
"""


def project(root: Path) -> dict[str, str]:
    """The names of the test files -> what they are."""
    names = {}
    for number, (name, (text, _)) in enumerate(FILES.items()):
        (root / f"test_{number}.py").write_text(HEAD + text)
        names[f"test_{number}.py"] = name
    return names


def by_pytest(root: Path) -> dict[str, str]:
    """How each test ends under pytest."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-q",
            "-rA",
            "--tb=no",
            "--continue-on-collection-errors",
            ".",
        ],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    ended: dict[str, str] = {}
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        word = "FAILED" if word.startswith("SUBFAIL") else word
        if word in ("PASSED", "FAILED", "ERROR", "XFAIL", "XPASS", "SKIPPED") and "::" in rest:
            name = rest.split(" - ")[0].strip()
            ended[name] = word if ended.get(name, word) == word else "ERROR"
    return ended


def by_itself(root: Path) -> Any:
    paths = [entry for entry in sys.path if "site-packages" in entry]
    return run_inside(sys.executable, PATHS.format(paths=paths) + BARE, str(root))


def different(root: Path) -> dict[str, Any]:
    """Tests whose bare function does not do what pytest says, in the first or in the second turn.
    What no fresh process would tell, state that they leave, is for others to see."""
    real = by_pytest(root)
    return {
        name: (real.get(name, "SKIPPED"), turns)
        for name, turns in by_itself(root).items()
        if turns != ["no", "no"]
        and turns != ["passed" if real.get(name, "SKIPPED") == "PASSED" else "failed"] * 2
    }


# The bare function is given copies, and standard input is empty for it where pytest refuses to read.
# What looks like a repair is run by pytest itself; the first two can hide one.
KNOWN = {"shared parameters", "parameters shared between tests", "input"}


def test_bare_functions_pass_where_pytest_says_so(tmp_path: Path) -> None:
    names = project(tmp_path)
    found = {names[k.partition("::")[0]]: v for k, v in different(tmp_path).items()}
    assert found.keys() <= KNOWN, found


def test_plain_tests_are_bare(tmp_path: Path) -> None:
    project(tmp_path)
    found = by_itself(tmp_path)
    for number, (name, (_, wanted)) in enumerate(FILES.items()):
        bare = {
            k.rpartition("::")[2].partition("[")[0]
            for k, turns in found.items()
            if k.startswith(f"test_{number}.py") and turns[0] != "no"
        }
        assert {f"test_{letter}" for letter in wanted.split()} <= bare, name


@pytest.mark.parametrize("name", CONFIGURED)
def test_what_a_project_configures_is_respected(name: str, tmp_path: Path) -> None:
    files, text = CONFIGURED[name]
    for path, content in files.items():
        (tmp_path / path).write_text(textwrap.dedent(content))
    (tmp_path / "test_it.py").write_text(HEAD + text)
    assert different(tmp_path) == {}
