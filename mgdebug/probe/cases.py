"""What can be run: unittest methods, doctests, expressions.

Each kind turns into Runnable objects; so do pytest's items in pytest_session, and programs with
their input and output in pairs.
"""

import doctest
import errno
import importlib
import io
import os
import resource
import sys
import traceback
import types
import unittest
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Protocol, Tuple

from .examples import Telling, module_parts, other_name
from .judging import Program
from .overlay import file_of, load_file, modules_of
from .plain import NotPlain
from .snapshot import snapshot

DETAIL = 6000  # characters of a traceback that are kept


class Result(NamedTuple):
    """status: "passed", "failed", "skipped", or "not run" where it could not be; message: one line;
    detail: a traceback; proof: for the judge in the parent, of a case that has one."""

    status: str
    message: str = ""
    detail: str = ""
    proof: Any = None


class Runnable:
    """One case.  Expressions and doctests leave nothing behind: they can run many times."""

    def __init__(
        self, id: str, kind: str, path: str, run: "Run", source: str = "", item: Any = None
    ) -> None:
        self.id, self.kind, self.path, self.source, self.item = id, kind, path, source, item
        self._run = run
        # The bare function of the test, where to call it comes to the same as run().
        self.plain: Optional[Callable[[], None]] = None
        # In place of run(), with a proof for the parent.
        self.prove: Optional[Callable[[bool], Result]] = None

    def run(self, detail: bool, following: Optional["Runnable"] = None) -> Result:
        """detail: whether the traceback is wanted; it costs time.  following: what runs next in
        this process.  Never raises."""
        try:
            return self._run(detail, following)
        except NotPlain as error:
            return Result("failed", str(error))
        except BaseException as error:  # an exit or an interrupt is the case's failure too
            return failure(error, detail)

    def proven(self, detail: bool, following: Optional["Runnable"] = None) -> Result:
        """As run(), with a proof where the parent wants one.  Never raises."""
        if self.prove is None:
            return self.run(detail, following)
        try:
            return self.prove(detail)
        except NotPlain as error:
            return Result("failed", str(error))
        except BaseException as error:
            return failure(error, detail)

    def bared(self) -> "Runnable":
        """The same case as its bare function, where it has one."""
        if self.plain is None:
            return self
        plain = self.plain

        def run(detail: bool, following: Optional[Runnable]) -> Result:
            plain()
            return Result("passed")

        return Runnable(self.id, self.kind, self.path, run, self.source, self.item)


Run = Callable[[bool, Optional[Runnable]], Result]


class Trouble(NamedTuple):
    """Something that could not be collected."""

    where: str
    detail: str


def failure(error: BaseException, detail: bool) -> Result:
    text = ""
    if detail:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        text = "".join(lines)[-DETAIL:]
    return Result("failed", one_line(error), text)


def one_line(error: BaseException) -> str:
    try:
        text = str(error).strip().split("\n")[0][:300]
    except Exception:
        text = ""
    name = type(error).__name__
    return with_limit("%s: %s" % (name, text) if text else name)


def with_limit(message: str) -> str:
    """An exception's line; one that a limit of this process has caused names it."""
    is_memory, is_file = message == "MemoryError", message == _FILE_TOO_LARGE
    if not is_memory and not is_file:
        return message
    most = resource.getrlimit(resource.RLIMIT_AS if is_memory else resource.RLIMIT_FSIZE)[0]
    if most == resource.RLIM_INFINITY:
        return message
    if is_memory:
        return "MemoryError: memory limit of %d MB" % (most >> 20)
    return "output limit of %d MB" % (most >> 20)


_FILE_TOO_LARGE = "OSError: [Errno %d] %s" % (errno.EFBIG, os.strerror(errno.EFBIG))


# ---------------------------------------------------------------------- the module under repair


_imported: Dict[str, types.ModuleType] = {}  # by path; to find them costs as much as some cases


def import_file(path: str) -> types.ModuleType:
    """The module of a file, under the name by which the project imports it.  May raise anything
    that its code raises."""
    found = _imported.get(path)
    if found is None or sys.modules.get(getattr(found, "__name__", "")) is not found:
        found = _imported[path] = _import(path)
    return found


def _import(path: str) -> types.ModuleType:
    real = os.path.realpath(path)
    loaded = modules_of(real)
    if loaded:
        return loaded[0]
    folder, parts = module_parts(real)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = importlib.import_module(".".join(parts))
    if os.path.realpath(file_of(module)) != real:  # its name is taken, by the standard library say
        return load_file(other_name(parts), real)
    return module


# ------------------------------------------------------------------------------- expressions


def expressions(target: Optional[str], sources: List[str]) -> Iterator[Runnable]:
    """Ad-hoc cases: an expression that must be true, or statements that must not raise.  Raises
    SyntaxError for what is neither."""
    for index, source in enumerate(sources, 1):
        program = Program(source)

        def prove(detail: bool, program: Program = program) -> Result:
            module = import_file(target) if target else None
            return _expression(program, dict(vars(module)) if module else {}, detail)

        def run(detail: bool, _: Any, program: Program = program, prove: Any = prove) -> Result:
            found: Result = prove(detail)
            if found.status != "passed":
                return found
            verdict = program.verdict(found.proof)
            return found if verdict.passed else Result("failed", verdict.message)

        case = Runnable("case %d: %s" % (index, source), "expression", "", run, source)
        case.prove = prove
        yield case


def _expression(program: Program, names: Dict[str, Any], detail: bool) -> Result:
    proof: List[Any] = []
    for step, code in program.parts:
        if step is None:
            assert code is not None
            exec(code, names)
            continue
        if not step.truth(names):
            if not program.is_expression:
                said = () if step.message is None else (eval(step.message, names),)
                raise AssertionError(*said)
            shown = step.objection(names) if detail else ""
            if shown or step.left is None or len(program.steps) > 1:
                return Result("failed", shown or "it is not true")
            left = eval(step.left, names)
            return Result("failed", "the left side is %s" % snapshot(left)[1] if detail else "")
        proof.append(step.proof(names))
        step.clear(names)
    return Result("passed", proof=proof)


# ---------------------------------------------------------------------------------- doctests


def doctests(paths: List[str]) -> Tuple[List[Runnable], List[Trouble]]:
    """One case for each docstring that holds examples."""
    found: List[Runnable] = []
    troubles: List[Trouble] = []
    for path in paths:
        try:
            with open(path, "rb") as file:
                if b">>>" not in file.read():
                    continue
            module = import_file(path)
            tests = [t for t in doctest.DocTestFinder().find(module) if t.examples]
        except BaseException:
            troubles.append(Trouble(path, traceback.format_exc()[-DETAIL:]))
            continue
        for test in tests:
            run = _doctest(path, module, test)
            case = Runnable("doctest: " + test.name, "doctest", path, run)
            case.prove = run
            found.append(case)
    return found, troubles


class _Prove(Protocol):
    def __call__(self, detail: bool, following: Any = None) -> Result: ...


def _doctest(path: str, module: types.ModuleType, test: doctest.DocTest) -> _Prove:
    def run(detail: bool, following: Any = None) -> Result:
        own, holder = test, import_file(path)
        if holder is not module:
            tests = doctest.DocTestFinder().find(holder)
            own = next(t for t in tests if t.name == test.name)
        names = {"__name__": "__main__", **vars(holder)}
        fresh = doctest.DocTest(
            own.examples, names, own.name, own.filename, own.lineno, own.docstring
        )
        out = io.StringIO()
        runner = Telling()
        failed, _ = runner.run(fresh, out=out.write)
        if not failed:
            return Result("passed", proof=runner.proof())
        text = out.getvalue()
        lines = [line.strip() for line in text.splitlines()]
        got = lines.index("Got:") + 1 if "Got:" in lines else -1
        message = "got %s" % lines[got] if 0 < got < len(lines) else lines[-1]
        return Result("failed", message[:300], text[-DETAIL:] if detail else "")

    return run


# ---------------------------------------------------------------------------------- unittest


def unittests(cwd: str, wanted: List[str]) -> Tuple[List[Runnable], List[Trouble]]:
    """For interpreters without pytest.  wanted: PATH or PATH::Class::method; [] discovers."""
    loader = unittest.TestLoader()
    suites: List[Tuple[str, Any]] = []
    troubles: List[Trouble] = []
    for want in wanted:
        path, _, inside = want.partition("::")
        if os.path.isdir(path):
            suites.append(("", loader.discover(path, top_level_dir=_top(path))))
            continue
        try:
            module = import_file(path)
            names = [inside.replace("::", ".")] if inside else None
            suite = loader.loadTestsFromNames(names, module) if names else None
            suites.append((path, suite or loader.loadTestsFromModule(module)))
        except BaseException:
            troubles.append(Trouble(want, traceback.format_exc()[-DETAIL:]))
    if not wanted:
        suites.append(("", loader.discover(cwd)))
    found = []
    for path, suite in suites:
        for test in _flat(suite):
            if type(test).__name__ == "_FailedTest":
                error = getattr(test, "_exception", None)
                troubles.append(Trouble(test.id().rsplit(".", 1)[-1], str(error)[-DETAIL:]))
                continue
            holder = sys.modules.get(type(test).__module__)
            file = path or getattr(holder, "__file__", "") or ""
            found.append(Runnable(test.id(), "unittest", file, _unittest(test)))
    return found, troubles


def _top(path: str) -> Optional[str]:
    return None if not os.path.exists(os.path.join(path, "__init__.py")) else os.getcwd()


def _flat(suite: Any) -> Iterator[Any]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flat(test)
        else:
            yield test


def _unittest(test: Any) -> Run:
    def run(detail: bool, _: Any) -> Result:
        result = unittest.TestResult()
        unittest.TestSuite([test]).run(result)
        bad = result.errors + result.failures
        if bad:
            lines = bad[0][1].strip().splitlines()
            return Result("failed", lines[-1][:300], bad[0][1][-DETAIL:] if detail else "")
        if result.unexpectedSuccesses:
            return Result("failed", "unexpected success")
        return Result("skipped" if result.skipped or result.expectedFailures else "passed")

    return run
