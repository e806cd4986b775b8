"""No test sees what the user has taught mgdebug, and none leaves anything there."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """State and cache of this run alone, also for the processes that tests start."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("STATE", "CACHE"):
            patch.setitem(os.environ, f"XDG_{kind}_HOME", str(folder / kind.lower()))
        yield
