"""Which files of tests pytest would collect, without a look into them: an import takes a while."""

import os
from typing import Any, Iterable, List

from .cases import Runnable


class Listing:
    """Of one session.  plugins: for it."""

    def __init__(self) -> None:
        self._files: List[str] = []

    def files(self, found: Iterable[Runnable]) -> List[str]:
        """The paths, in pytest's order.  found: what was collected all the same, such as doctests
        in texts."""
        others = [os.path.realpath(case.path) for case in found if case.path]
        return list(dict.fromkeys([*self._files, *others]))

    def plugins(self) -> List[Any]:
        """For pytest, which must be there."""
        import pytest

        files = self._files

        class Unread(pytest.Module):
            def collect(self) -> List[Any]:
                return []

        def unread(parent: Any, file: Any, **where: Any) -> Any:
            files.append(os.path.realpath(str(file)))
            return Unread.from_parent(parent, **where)

        class Since7:
            @pytest.hookimpl(tryfirst=True)
            def pytest_pycollect_makemodule(self, module_path: Any, parent: Any) -> Any:
                return unread(parent, module_path, path=module_path)

        class Before:
            @pytest.hookimpl(tryfirst=True)
            def pytest_pycollect_makemodule(self, path: Any, parent: Any) -> Any:
                return unread(parent, path, fspath=path)

        return [Since7() if int(pytest.__version__.split(".")[0]) >= 7 else Before()]
