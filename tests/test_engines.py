"""Whose turn it is: proposers that cost nothing, those that are paid, the search beside them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import pytest

from mgdebug.events import Event, Finished, Judged, Sending, Spent, Streamed
from mgdebug.model import Edit, Patch, Repair, Stop, Target, Verdict
from mgdebug.proposers import Brief, Proposer
from mgdebug.repair import repair
from mgdebug.settings import ModelSettings, Settings

PROGRAM = """
def scaled(x):
    return x + 1


def shifted(x):
    return x * 1
"""
TESTS = """
from program import scaled, shifted

def test_scaled(): assert scaled(2) == 4
def test_shifted(): assert shifted(2) == 12
"""


class Offers:
    """Offers texts in place of others, and then says that it is still thinking."""

    name = "offers"

    def __init__(self, *pairs: tuple[str, str], thinks: bool = False) -> None:
        self.pairs, self.thinks = pairs, thinks
        self.briefs: list[Brief] = []

    def propose(self, brief: Brief) -> Generator[Sequence[Patch], Sequence[Verdict], None]:
        self.briefs.append(brief)
        for old, new in self.pairs:
            at = brief.source.text.find(old.encode())
            own = brief.subfunction
            if own.span.start <= at < own.span.end:
                edit = Edit(brief.source.path, at, at + len(old.encode()), new)
                yield [Patch((edit,), self.name, f"{old} becomes {new}", own.id, 3.0)]
        while self.thinks:
            yield ()


class Paid(Offers):
    name = "paid"
    spent = Spent()

    def __init__(self, *pairs: tuple[str, str]) -> None:
        super().__init__(*pairs)
        self.faults: list[str] = []

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass

    def split(self, brief: Brief) -> Iterator[None]:
        yield from ()

    def streamed(self) -> Sequence[Streamed]:
        return ()

    def sending(self, paths: Sequence[str], characters: int) -> Sending:
        return Sending(("m",), ("localhost",), tuple(paths), 10, 1, 0.0)


@pytest.fixture
def mend(tmp_path: Path) -> Callable[..., Repair]:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "test_program.py").write_text(TESTS)

    def run(*proposers: Proposer, stops: bool = False, **changed: object) -> Repair:
        """stops: whether somebody wants no more once something helped."""
        model = ModelSettings(consent=True, search=bool(changed.pop("search", True)))
        settings = Settings(time=12.0, jobs=1, model=model)
        seen: list[Event] = []

        def enough() -> bool:
            return stops and any(isinstance(event, Judged) for event in seen)

        target = Target(tmp_path, tmp_path, tests=("test_program.py",))
        for event in repair(target, proposers, settings, sys.executable, enough):
            seen.append(event)
        last = seen[-1]
        assert isinstance(last, Finished)
        return last.repair

    return run


def test_a_flagged_patch_does_not_keep_others_from_being_asked(mend: Callable[..., Repair]) -> None:
    free = Offers(("x + 1", "getattr(x, '__mul__')(2)"), ("x * 1", "getattr(x, '__add__')(10)"))
    paid = Paid(("x + 1", "x * 2"), ("x * 1", "x + 10"))
    done = mend(free, paid)
    assert done.stop is Stop.FIXED
    assert paid.briefs
    assert done.patch is not None
    assert all("getattr" not in edit.text for edit in done.patch.edits)


def test_what_helped_some_is_kept_where_somebody_stops(mend: Callable[..., Repair]) -> None:
    free = Offers(("x + 1", "x * 2"), thinks=True)
    done = mend(free, Paid(), stops=True)
    assert done.stop is Stop.CANCELLED
    assert done.partial is not None
    assert (done.partial.gained, done.partial.failing) == (1, 2)


@pytest.mark.long
def test_what_helped_some_before_the_turn_changed_is_built_on(mend: Callable[..., Repair]) -> None:
    free = Offers(("x + 1", "x * 2"), thinks=True)
    done = mend(free, Paid())
    assert done.partial is not None
    assert done.partial.gained == 1
    assert done.stop is Stop.SECONDS


@pytest.mark.long
def test_a_patch_of_one_and_a_patch_of_the_other_mend_both(mend: Callable[..., Repair]) -> None:
    free = Offers(("x + 1", "x * 2"), thinks=True)
    done = mend(free, Paid(("x * 1", "x + 10")))
    assert done.stop is Stop.FIXED
    assert done.patch is not None
    assert {edit.text for edit in done.patch.edits} == {"    return x * 2\n", "    return x + 10\n"}


def test_edits_that_overlap_are_no_patch_and_end_nothing(mend: Callable[..., Repair]) -> None:
    class Twice(Offers):
        def propose(self, brief: Brief) -> Generator[Sequence[Patch], Sequence[Verdict], None]:
            for batch in super().propose(brief):
                patches = [Patch((*p.edits, *p.edits), "twice", "", p.subfunction) for p in batch]
                [verdict] = yield patches
                assert "overlap" in verdict.reason
                yield batch

    done = mend(Twice(("x + 1", "x * 2"), ("x * 1", "x + 10")))
    assert done.stop is Stop.FIXED
