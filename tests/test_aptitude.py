"""Which model is asked first, by what it was good for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgdebug.model import Failure
from mgdebug.proposers.llm.aptitude import TRIES, Aptitude, kind_of

MODELS = ("cheap", "middle", "strong")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("assert 3 == 4", "assert"),
        ("AssertionError: no", "assert"),
        ("KeyError: 'x'", "KeyError"),
        ("m.OddException: it says ValueError", "OddException"),
        ("", "assert"),
    ],
)
def test_the_kind_of_a_failure_is_its_exception(message: str, kind: str) -> None:
    assert kind_of([Failure("case", "", message)]) == kind
    assert kind_of([]) == "assert"


def test_a_model_that_never_helped_is_passed_over_for_that_kind_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "models.json"
    aptitude = Aptitude(file)
    assert aptitude.stage(MODELS, "KeyError") == 0  # nobody knows yet
    for _ in range(TRIES):
        assert aptitude.stage(MODELS, "KeyError") == 0
        aptitude.count("cheap", "KeyError", won=False)
    again = Aptitude(file)
    assert again.stage(MODELS, "KeyError") == 1
    assert again.stage(MODELS, "assert") == 0
    assert again.stage(("cheap",), "KeyError") == 0  # there is no other
    for _ in range(2):
        again.count("cheap", "KeyError", won=True)
    assert again.stage(MODELS, "KeyError") == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": 1}', '{"a": {"b": [1]}}', '{"a": {"b": "xy"}}']
)
def test_a_file_that_is_no_such_file_counts_for_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "models.json"
    file.write_text(text)
    aptitude = Aptitude(file)
    assert aptitude.stage(MODELS, "assert") == 0
    aptitude.count("cheap", "assert", won=True)
    unwritable = Aptitude(tmp_path / "models.json" / "inside")
    unwritable.count("cheap", "assert", won=True)
    Aptitude(None).count("cheap", "assert", won=True)
