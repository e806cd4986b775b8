"""Which plug-ins of pytest a project's configuration needs without a word: their options."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OPTIONS = {  # the beginning of an option, and the package that has it
    "--cov": "pytest-cov",
    "--no-cov": "pytest-cov",
    "-n": "pytest-xdist",
    "--numprocesses": "pytest-xdist",
    "--dist": "pytest-xdist",
    "--timeout": "pytest-timeout",
    "--asyncio-mode": "pytest-asyncio",
    "--benchmark": "pytest-benchmark",
    "--reruns": "pytest-rerunfailures",
    "--randomly": "pytest-randomly",
    "--random-order": "pytest-random-order",
    "--html": "pytest-html",
    "--self-contained-html": "pytest-html",
    "--ds": "pytest-django",
    "--reuse-db": "pytest-django",
    "--nomigrations": "pytest-django",
    "--no-migrations": "pytest-django",
    "--doctest-plus": "pytest-doctestplus",
    "--doctest-rst": "pytest-doctestplus",
    "--mypy": "pytest-mypy",
    "--flake8": "pytest-flake8",
    "--black": "pytest-black",
    "--ruff": "pytest-ruff",
    "--mpl": "pytest-mpl",
    "--instafail": "pytest-instafail",
    "--disable-socket": "pytest-socket",
    "--allow-hosts": "pytest-socket",
    "--snapshot": "syrupy",
    "--hypothesis": "hypothesis",
    "--codspeed": "pytest-codspeed",
    "--picked": "pytest-picked",
    "--testmon": "pytest-testmon",
}


def needed(words: Iterable[str]) -> list[str]:
    """The packages whose options stand among the words of a command line."""
    found = []
    for word in words:
        option = re.split(r"[=\d]", word, maxsplit=1)[0]
        for begin, package in _OPTIONS.items():
            long = begin.startswith("--")
            if option == begin or (long and option.startswith(f"{begin}-")):
                found.append(package)
    return list(dict.fromkeys(found))
