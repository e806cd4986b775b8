"""A recorded session, taken up again and saved as a page: what was decided is in both."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import screens

from mgdebug.export import exported, story
from mgdebug.session import Session, Stage
from mgdebug.session.hunks import Decision
from mgdebug.session.journal import Journal
from mgdebug.session.review import Review
from mgdebug.session.saved import read
from mgdebug.settings import Settings


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return Path(shutil.copy(screens.RECORDED, tmp_path / "0-1.jsonl"))


def taken_up(journal: Path) -> tuple[Session, Review]:
    """A session in another process, with its patches."""
    recorded = read(journal)
    session = Session(
        recorded.head.target, Settings(), "python", lambda _: None, Journal.resume(journal)
    )
    session.take_up(recorded)
    review = Review(session.kept)
    review.show(session.account)
    return session, review


def test_decisions_on_hunks_outlive_the_process(journal: Path) -> None:
    session, review = taken_up(journal)
    hunks = review.hunks
    assert hunks is not None
    assert [hunk.word for hunk in hunks.all] == ["taken", "taken"]
    made = hunks.decided([1], Decision.REJECTED).edited(0, "    taken = given  # é\n")
    session.decide(made)
    session.close()
    session, review = taken_up(journal)
    again = review.hunks
    assert again is not None
    assert [hunk.word for hunk in again.all] == ["edited", "rejected"]
    assert again.diff() == made.diff()
    session.search()
    assert session.kept == {}  # what is found anew was not decided on
    session.close()


def test_the_page_of_a_session_tells_all_of_it(journal: Path, tmp_path: Path) -> None:
    session, review = taken_up(journal)
    assert session.stage is Stage.FOUND
    hunks = review.hunks
    assert hunks is not None
    review.replace(hunks.toggled(0))
    decisions = list(review.decisions())
    told = story(session.account, session.target, decisions)
    assert told.title == "library"
    assert told.stands == "found, 2 failing, 6 passed"
    assert [state for _, state in told.offers[0].hunks] == ["rejected", "taken"]
    assert "max(owed, given)" in told.offers[0].hunks[0][0]
    repaired = [one.name for one in told.suspects if one.standing == "repaired"]
    assert repaired == ["pay", "may_borrow"]
    blocks = [one for one in told.suspects if one.why and one.depth == 2]
    assert blocks
    assert all(one.score for one in blocks)
    exported(tmp_path / "page.html", session.account, session.target, decisions)
    assert "test_no_more_is_taken_than_is_owed_or_given" in (tmp_path / "page.html").read_text()
    session.close()
