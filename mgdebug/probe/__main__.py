"""`python .../mgdebug/probe IN OUT IN OUT`: load this folder as a package of its own and serve.

The folder must not stay on sys.path, where `cases` or `worker` would hide a user's module.
"""

import importlib
import importlib.util
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
spec = importlib.util.spec_from_file_location(
    "_mgdebug_probe", os.path.join(here, "__init__.py"), submodule_search_locations=[here]
)
assert spec is not None
assert spec.loader is not None
sys.modules["_mgdebug_probe"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["_mgdebug_probe"])

if __name__ == "__main__":
    worker = importlib.import_module("_mgdebug_probe.worker")
    worker.main([int(fd) for fd in sys.argv[1:5]])
