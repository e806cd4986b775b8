"""The words of Python that a patch should not bring in unseen."""

from __future__ import annotations

from mgdebug.syntax.grammar import Watched

WATCHED = Watched(
    deeds={
        "it calls or names {0}, which ends the process or a case": (
            *("exit", "_exit", "quit", "SystemExit", "KeyboardInterrupt", "GeneratorExit"),
            *("kill", "killpg", "abort", "interrupt_main", "raise_signal", "pthread_kill"),
            *("fork", "forkpty", "execl", "execle", "execlp", "execv", "execve", "execvp"),
            *("execvpe", "execlpe", "posix_spawn", "posix_spawnp", "_shutdown"),
        ),
        "it starts other programs ({0})": ("system", "popen", "subprocess", "Popen"),
        "it moves file descriptors ({0})": ("closerange", "dup2", "sendfile"),
        "it handles signals ({0})": (
            *("signal", "alarm", "setitimer", "sigwait", "set_wakeup_fd", "pthread_sigmask"),
            "faulthandler",
        ),
        "it changes how values compare or show ({0})": ("total_ordering", "cmp_to_key"),
        "it looks into or traces the running program ({0})": (
            *("settrace", "setprofile", "settrace_all_threads", "setprofile_all_threads"),
            *("monitoring", "inspect", "_getframe", "_current_frames", "currentframe"),
            *("f_back", "f_locals", "f_globals", "f_trace", "tb_frame", "gi_frame", "cr_frame"),
            *("gc", "get_objects", "get_referrers", "ctypes", "__code__", "__globals__"),
            *("__closure__", "__subclasses__", "__mro__", "__bases__", "__traceback__"),
            *("excepthook", "unraisablehook", "audit", "addaudithook", "_xoptions"),
            *("breakpoint", "breakpointhook", "pdb", "bdb", "FunctionType", "CodeType"),
        ),
        "it reaches names that the text does not show ({0})": (
            *("modules", "builtins", "__builtins__", "__import__", "importlib", "import_module"),
            *("exec", "eval", "compile", "globals", "locals", "vars", "getattr", "setattr"),
            *("delattr", "__dict__", "__getattribute__", "__getattr__", "__setattr__"),
            *("attrgetter", "methodcaller", "pickle", "marshal"),
            *("meta_path", "path_hooks", "sitecustomize", "usercustomize", "runpy", "pkgutil"),
        ),
        "it acts when the process ends ({0})": ("atexit", "_run_exitfuncs", "_at_fork_reinit"),
        "it touches the machinery of tests ({0})": (
            *("pytest", "_pytest", "unittest", "doctest", "mock", "conftest", "pluggy"),
            *("PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "pytest_plugins"),
            *("xfail", "importorskip", "SkipTest", "skipTest", "skipif", "skipIf", "skipUnless"),
            *("expectedFailure", "MonkeyPatch", "monkeypatch", "AssertionError", "__debug__"),
        ),
        "it catches every exception ({0})": ("BaseException",),
    },
    compares=(
        *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"),
        *("__repr__", "__str__", "__class__", "__instancecheck__", "__subclasscheck__"),
        *("__bool__", "__contains__", "__len__", "__format__", "__subclasshook__"),
    ),
    comparing="it changes how values compare or show ({0})",
    swallows="it catches every exception (except:)",
    itself=("self", "cls"),
    judges=("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "conftest.py"),
)
