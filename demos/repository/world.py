"""The package in memory: what a case gives with these texts of its modules."""

import importlib
import importlib.abc
import importlib.machinery
import re
import signal
import sys

PACKAGE = "shop"
READINGS = (12, 7, 30, 7, 45, 18)
COMPILED = {}


def name_of(path):
    """shop/core/text.py -> shop.core.text"""
    return re.sub(r"(/__init__)?\.py$", "", path).replace("/", ".")


class Case:
    """What a test says.  steps: statements, the last an expression; wanted: its value as source,
    raises: or the name of an exception.  id: of its test, once that is written."""

    def __init__(self, module, part, steps):
        self.module, self.part, self.steps = module, part, steps
        self.wanted = self.raises = self.id = None


class World(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """texts: by path.  shared: modules of another world that are the same in this one."""

    def __init__(self, texts, shared=None):
        self.texts = {name_of(path): (path, text) for path, text in texts.items()}
        self.modules = dict(shared or {})
        self.packages = [name for name, (path, _) in self.texts.items() if "__init__" in path]

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in self.texts:
            return None
        package = self.texts[fullname][0].endswith("__init__.py")
        return importlib.machinery.ModuleSpec(fullname, self, is_package=package)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        key = self.texts[module.__name__]
        if key not in COMPILED:
            COMPILED[key] = compile(key[1], key[0], "exec")
        exec(COMPILED[key], module.__dict__)

    def module(self, name):
        """Import a module of this world, without a trace in this process."""
        if name not in self.modules:
            sys.modules.update(self.modules)
            sys.meta_path.insert(0, self)
            try:
                for package in self.packages:  # which a shared module below does not import
                    importlib.import_module(package)
                importlib.import_module(name)
            finally:
                sys.meta_path.remove(self)
                for other in [key for key in sys.modules if key.split(".")[0] == PACKAGE]:
                    self.modules[other] = sys.modules.pop(other)
        return self.modules[name]

    def outcome(self, case, reached=None):
        """(value, exceptions): what a case gives, or the names of what it raises.
        reached: takes (path, function) of what runs."""
        before = signal.signal(signal.SIGALRM, _too_long)
        signal.setitimer(signal.ITIMER_REAL, 2)
        try:
            space = dict(self.module(case.module).__dict__, readings=list(READINGS))
            if reached is not None:
                sys.setprofile(lambda frame, event, _: reached.add(_place(frame.f_code)))
            for statement in case.steps[:-1]:
                exec(statement, space)
            return eval(case.steps[-1], space), ()
        except Exception as error:
            return None, tuple(kind.__name__ for kind in type(error).__mro__)
        finally:
            sys.setprofile(None)
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def passes(self, case, reached=None):
        value, raised = self.outcome(case, reached)
        if case.raises or raised:
            return case.raises in raised
        return bool(value == eval(case.wanted))

    def answer(self, case):
        """Let a case want what this world gives; False if that is nothing to want."""
        value, raised = self.outcome(case)
        if raised:
            case.raises = raised[0]
            return case.raises == "ValueError"
        case.wanted = repr(value)
        return len(case.wanted) < 400


class TooLong(Exception):
    """A case does not end."""


def _too_long(*_):
    raise TooLong


def _place(code):
    return code.co_filename, code.co_name
