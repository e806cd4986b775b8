"""A patch as hunks: whatever the user decides, the bytes are just those that were shown."""

from __future__ import annotations

import codecs
import itertools
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from mgdebug import apply, judge
from mgdebug.errors import SourceError
from mgdebug.languages import language_of
from mgdebug.model import Edit, Patch
from mgdebug.session.hunks import Decision, Hunk, Hunks
from mgdebug.syntax.source import SourceFile, edits_between

SHAPES = 300  # random files and patches


def source(data: bytes, path: str = "m.py") -> SourceFile:
    language = language_of(path)
    assert language is not None
    return SourceFile(path, data, language.grammar())


def patch_to(before: Mapping[str, SourceFile], after: Mapping[str, bytes]) -> Patch:
    """Edits of whole lines, as the proposers make them."""
    edits = [
        edit
        for path, data in after.items()
        for edit in edits_between(path, before[path].text, source(data, path).text)
    ]
    return Patch(tuple(edits), "test", "")


def hunks_of(before: bytes, after: bytes) -> Hunks:
    files = {"m.py": source(before)}
    return Hunks.of(files, patch_to(files, {"m.py": after}))


def lines(hunk: Hunk) -> tuple[bytes, bytes]:
    return b"".join(hunk.old), b"".join(hunk.new)


FIVE = b"a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n"


def test_changed_lines_with_unchanged_ones_between_are_hunks_of_their_own() -> None:
    found = hunks_of(FIVE, b"a = 1\nb = 0\nc = 3\nd = 0\ne = 5\nf = 6\n")
    assert [(h.path, h.first, *lines(h)) for h in found.all] == [
        ("m.py", 2, b"b = 2\n", b"b = 0\n"),
        ("m.py", 4, b"d = 4\n", b"d = 0\n"),
        ("m.py", 6, b"", b"f = 6\n"),
    ]
    assert all(h.taken for h in found.all)
    assert found.as_offered


def test_an_edit_of_one_character_is_a_hunk_of_its_whole_line() -> None:
    files = {"m.py": source(FIVE)}
    found = Hunks.of(files, Patch((Edit("m.py", 10, 11, "9"),), "test", ""))
    assert [lines(h) for h in found.all] == [(b"b = 2\n", b"b = 9\n")]


def test_edits_that_touch_the_same_or_the_next_line_are_one_hunk() -> None:
    files = {"m.py": source(FIVE)}
    edits = (Edit("m.py", 6, 7, "x"), Edit("m.py", 10, 11, "9"), Edit("m.py", 12, 13, "y"))
    found = Hunks.of(files, Patch(edits, "test", ""))
    assert [lines(h) for h in found.all] == [(b"b = 2\nc = 3\n", b"x = 9\ny = 3\n")]


def test_an_edit_that_rewrites_unchanged_lines_shows_only_what_changes() -> None:
    files = {"m.py": source(FIVE)}
    text = "a = 1\nb = 0\nc = 3\nd = 4\ne = 0\n"
    found = Hunks.of(files, Patch((Edit("m.py", 0, len(FIVE), text),), "test", ""))
    assert [h.first for h in found.all] == [2, 5]


def test_hunks_of_several_files_come_in_the_order_of_paths_and_lines() -> None:
    files = {"b.py": source(FIVE, "b.py"), "a.py": source(FIVE, "a.py"), "c.py": source(FIVE)}
    after = {"b.py": FIVE.replace(b"5", b"0"), "a.py": FIVE.replace(b"1", b"0")}
    found = Hunks.of(files, patch_to(files, after))
    assert [(h.path, h.first) for h in found.all] == [("a.py", 1), ("b.py", 5)]
    assert set(found.files) == {"a.py", "b.py"}


# ------------------------------------------------------------------------------ decisions


def test_only_what_is_taken_is_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "project"
    root.mkdir()
    (root / "m.py").write_bytes(FIVE)
    found = hunks_of(FIVE, b"a = 1\nb = 0\nc = 3\nd = 0\ne = 5\n").toggled(0)
    assert not found.as_offered
    assert apply.apply(root, found.changes()) == ("m.py",)
    assert (root / "m.py").read_bytes() == b"a = 1\nb = 2\nc = 3\nd = 0\ne = 5\n"


def test_a_file_of_which_nothing_is_taken_is_not_written() -> None:
    files = {"a.py": source(FIVE, "a.py"), "b.py": source(FIVE, "b.py")}
    after = FIVE.replace(b"3", b"0")
    found = Hunks.of(files, patch_to(files, {"a.py": after, "b.py": after}))
    assert [c.path for c in found.toggled(0).changes()] == ["b.py"]
    assert found.decided([0, 1], Decision.REJECTED).changes() == ()


def test_toggling_twice_changes_nothing() -> None:
    found = hunks_of(FIVE, FIVE.replace(b"3", b"0"))
    assert found.toggled(0).toggled(0) == found
    assert [h.word for h in found.toggled(0).all] == ["rejected"]


def test_the_diff_is_of_what_would_be_applied() -> None:
    found = hunks_of(FIVE, b"a = 0\nb = 2\nc = 3\nd = 4\ne = 0\n").toggled(0)
    assert found.diff(0) == "--- a/m.py\n+++ b/m.py\n@@ -5 +5 @@\n-e = 5\n+e = 0\n"
    assert found.told(0, 0) == "--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-a = 1\n+a = 0\n"


def test_a_hunk_is_where_the_hunks_before_it_leave_it() -> None:
    found = hunks_of(FIVE, b"a = 1\nx = 1\ny = 1\nb = 2\nc = 3\ne = 5\n")
    assert [h.first for h in found.all] == [2, 4]
    assert found.shift(1) == 2
    assert found.toggled(0).shift(1) == 0
    assert found.toggled(0).shift(1, offered=True) == 2


# --------------------------------------------------------------------------------- editing


def test_an_edited_hunk_is_taken_with_the_new_text() -> None:
    found = hunks_of(FIVE, FIVE.replace(b"3", b"0")).toggled(0)
    assert found.text(0) == "c = 0\n"
    edited = found.edited(0, "c = 7\nc += 1\n")
    assert edited.all[0].word == "edited"
    assert not edited.as_offered
    assert edited.data("m.py") == FIVE.replace(b"c = 3\n", b"c = 7\nc += 1\n")
    assert edited.toggled(0).data("m.py") == FIVE
    assert edited.toggled(0).text(0) == "c = 7\nc += 1\n"


def test_an_edit_without_a_line_feed_at_its_end_joins_no_lines() -> None:
    found = hunks_of(FIVE, FIVE.replace(b"3", b"0")).edited(0, "c = 7")
    assert found.data("m.py") == FIVE.replace(b"3", b"7")


def test_an_edit_back_to_what_was_offered_is_none() -> None:
    found = hunks_of(FIVE, FIVE.replace(b"3", b"0"))
    edited = found.edited(0, "c = 7\n")
    assert edited.edited(0, "c = 0\n") == found
    assert edited.reset(0) == found


def test_a_hunk_can_be_edited_to_nothing_and_a_deletion_to_something() -> None:
    found = hunks_of(FIVE, FIVE.replace(b"c = 3\n", b""))
    assert found.text(0) == ""
    assert found.edited(0, "\n").data("m.py") == FIVE.replace(b"c = 3", b"")
    other = hunks_of(FIVE, FIVE.replace(b"3", b"0"))
    assert other.edited(0, "").data("m.py") == FIVE.replace(b"c = 3\n", b"")


def test_new_lines_end_as_those_of_the_file_and_kept_ones_as_they_did() -> None:
    before = b"a = 1\r\nb = 2\r\nc = 3\nd = 4\r\n"
    found = hunks_of(before, b"a = 1\r\nb = 0\r\nc = 0\nd = 4\r\n")
    assert found.text(0) == "b = 0\nc = 0\n"
    edited = found.edited(0, "b = 0\nx = 1\nc = 0\n")
    assert edited.data("m.py") == b"a = 1\r\nb = 0\r\nx = 1\r\nc = 0\nd = 4\r\n"


def test_a_file_without_a_line_feed_at_its_end_stays_so() -> None:
    found = hunks_of(b"a = 1\nb = 2", b"a = 1\nb = 0")
    assert found.edited(0, "b = 7\nc = 8\n").data("m.py") == b"a = 1\nb = 7\nc = 8"
    assert found.edited(0, "x = 7\nb = 0\n").data("m.py") == b"a = 1\nx = 7\nb = 0"
    added = hunks_of(b"a = 1\n", b"a = 1\nb = 2")
    assert added.edited(0, "b = 2\nc = 3\n").data("m.py") == b"a = 1\nb = 2\nc = 3"


def test_a_form_feed_in_a_line_stays_there() -> None:
    found = hunks_of(b"a = 1\n\x0c\nb = 2\n", b"a = 1\n\x0c\nb = 0\n\x0cc = '\xc2\x85'\n")
    edited = found.edited(0, found.text(0) + "d = 4\n")
    assert edited.data("m.py") == b"a = 1\n\x0c\nb = 0\n\x0cc = '\xc2\x85'\nd = 4\n"


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    before = codecs.BOM_UTF8 + FIVE
    found = hunks_of(before, before.replace(b"1", b"0"))
    assert found.text(0) == "a = 0\n"
    assert found.edited(0, "").data("m.py") == codecs.BOM_UTF8 + FIVE.replace(b"a = 1\n", b"")
    assert found.toggled(0).data("m.py") == before


def test_what_the_encoding_cannot_hold_is_refused_in_words() -> None:
    before = "# coding: latin-1\na = 'é'\n".encode("latin-1")
    found = hunks_of(before, before.replace(b"a = ", b"b = "))
    assert found.edited(0, "b = 'ü'\n").data("m.py").endswith(b"b = '\xfc'\n")
    with pytest.raises(SourceError, match="'€'"):
        found.edited(0, "b = '€'\n")
    coded = hunks_of(before, before.replace(b"coding: latin-1", b"coding: latin-1 "))
    with pytest.raises(SourceError, match=r"m\.py:2"):
        coded.edited(0, "# coding: klingon\n")


def test_lines_that_are_left_alone_may_hold_what_is_no_text() -> None:
    """In shift_jis a backslash may be the second byte of a character."""
    before = "# coding: shift_jis\na = '表'\nb = 1\n".encode("shift_jis")
    after = before.replace(b"b = 1", b"b = 2")
    found = hunks_of(before, after)
    assert found.data("m.py") == after
    assert found.edited(0, "b = '表'\n").data("m.py").endswith("b = '表'\n".encode("shift_jis"))


# ---------------------------------------------------------------------------- any patch at all

ENDS = (b"\n", b"\n", b"\n", b"\r\n", b"\r\r\n")
BODIES = (b"", b"    ", b"x = 1", b"x = 2", b"pass", b"\x0c", b"y = 'a\rb'", "s = 'é'".encode())


def some_lines(chance: random.Random, most: int) -> list[bytes]:
    return [chance.choice(BODIES) + chance.choice(ENDS) for _ in range(chance.randrange(most))]


def some_file(chance: random.Random) -> bytes:
    mark = codecs.BOM_UTF8 if chance.random() < 0.2 else b""
    data = b"".join(some_lines(chance, 12))
    return mark + (data.rstrip(b"\r\n") if chance.random() < 0.3 else data)


def some_patch(chance: random.Random, before: SourceFile) -> Patch:
    """Edits at any characters, none of which overlap."""
    starts = [0, *itertools.accumulate(len(c.encode()) for c in before.text.decode())]
    places = sorted(chance.choice(starts) for _ in range(2 * chance.randrange(1, 4)))
    edits = [
        Edit(
            "m.py", start, end, b"".join(some_lines(chance, 4)).decode().rstrip(" \n" * (start % 2))
        )
        for start, end in zip(places[::2], places[1::2], strict=True)
    ]
    return Patch(tuple(edits), "test", "")


@pytest.mark.parametrize("seed", range(SHAPES))
def test_any_choice_of_hunks_is_applied_as_it_was_shown(seed: int) -> None:
    chance = random.Random(seed)
    before = source(some_file(chance))
    patch = some_patch(chance, before)
    files = {"m.py": before}
    after = judge.patched(files, patch)["m.py"].data
    found = Hunks.of(files, patch)
    assert found.data("m.py") == after
    assert found.offered("m.py").data == after
    everything = range(len(found.all))
    assert found.decided(everything, Decision.REJECTED).data("m.py") == before.data
    for one, two in itertools.pairwise(found.all):
        assert one.first + len(one.old) < two.first
    assert all(h.old != h.new for h in found.all)
    rejected = [at for at in everything if chance.random() < 0.5]
    chosen = found.decided(rejected, Decision.REJECTED)
    assert applied(chosen) == chosen.data("m.py")
    for at in everything:
        assert found.edited(at, found.text(at)) == found


def applied(hunks: Hunks) -> bytes:
    """By the line numbers before and after, which is another way to the same bytes."""
    mark = codecs.BOM_UTF8 if hunks.files["m.py"].data.startswith(codecs.BOM_UTF8) else b""
    lines = hunks.files["m.py"].data.removeprefix(mark).split(b"\n")
    lines = [line + b"\n" for line in lines[:-1]] + [lines[-1]] * bool(lines[-1])
    for at, hunk in enumerate(hunks.all):
        first = hunk.first - 1 + hunks.shift(at)
        assert tuple(lines[first : first + len(hunk.old)]) == hunk.old
        lines[first : first + len(hunk.old)] = hunk.after
    return mark + b"".join(lines)


def test_hunks_of_a_long_file_are_found_without_reading_all_of_it_again_and_again() -> None:
    """Comparing all lines would take minutes here: half of them are alike."""
    before = b"".join(b"x = %d\n\n" % (at % 7) for at in range(30_000))
    files = {"m.py": source(before)}
    last = before.rindex(b"x")
    edits = (Edit("m.py", 0, 1, "y"), Edit("m.py", last, last + 1, "y"))
    found = Hunks.of(files, Patch(edits, "test", ""))
    assert [h.first for h in found.all] == [1, 59_999]
