"""The patch pane, with patches of real files: what is drawn, and what the keys do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from rich.style import Style
from textual import on
from textual.app import App, ComposeResult
from textual.color import Color
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Button, Static, TextArea

from mgdebug.languages import language_of
from mgdebug.model import (
    Alternative,
    Evidence,
    Outcome,
    Partial,
    Patch,
    Repair,
    Status,
    Stop,
    Value,
    Verdict,
)
from mgdebug.session.account import Account
from mgdebug.session.hunks import Hunks
from mgdebug.session.stages import Stage
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile, edits_between
from mgdebug.tui.dialogs.ask import Consent
from mgdebug.tui.dialogs.editing import Editing, signs
from mgdebug.tui.pairing import paired, spots
from mgdebug.tui.panes.patch import PatchPane

LIBRARY = Path(__file__).parents[1] / "demos/library"
SIZE = (80, 40)
CASES = ("test_a", "test_b", "test_c")
PROOF = Evidence("test_fees.py::test_b", 13, "the result", Value("int", "-200"), Value("int", "0"))


def source(path: str, data: bytes) -> SourceFile:
    language = language_of(path)
    assert language is not None
    return SourceFile(path, data, language.grammar())


FILES = {path: source(path, (LIBRARY / path).read_bytes()) for path in ("fees.py", "lending.py")}
MIN = ("fees.py", "max(owed, given)", "min(owed, given)")
AND = ("lending.py", "books < 3 or owed", "books < 3 and owed")
SPACES = ("lending.py", "if queue:", "if  queue:")


def patch(
    *changes: tuple[str, str, str], files: Mapping[str, SourceFile] = FILES, note: str = "a change"
) -> Patch:
    """Changes: a path, a text that stands there, and what stands there afterwards."""
    texts = {path: files[path].text.decode() for path, _, _ in changes}
    for path, old, new in changes:
        assert old in texts[path]
        texts[path] = texts[path].replace(old, new)
    edits = [
        edit
        for path, text in texts.items()
        for edit in edits_between(path, files[path].text, text.encode())
    ]
    return Patch(tuple(edits), "search", note)


BOTH = patch(MIN, AND, note="`max` becomes `min`; `or` becomes `and`")
ONE = patch(MIN, note="`max` becomes `min`")


def found(*alternatives: Alternative, files: Mapping[str, SourceFile] = FILES) -> Account:
    """A repair that has found these, and verified the first."""
    verdict = Verdict(CASES, ())
    best = alternatives[0].patches[0]
    base = {edit.path: files[edit.path].sha256 for edit in best.edits}
    before = Verdict(CASES[:1], CASES[1:])
    account = Account(stage=Stage.FOUND, files=files, alternatives=alternatives, verdict=verdict)
    account.hierarchy = decompose(list(files.values()))
    account.repair = Repair(before, Stop.FIXED, verdict, best, alternatives, base)
    return account


def offered(one: Patch, *flags: str, proof: Evidence | None = None) -> Alternative:
    return Alternative((one,), "", proof, flags, ("3.1 bits of surprise: one place",))


class Face(App[None]):
    """The pane alone, and what it tells."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield PatchPane(id="patch")

    @on(PatchPane.Apply)
    @on(PatchPane.Edit)
    @on(PatchPane.Decided)
    @on(PatchPane.Said)
    def hear(self, message: Message) -> None:
        self.heard.append(message)

    @property
    def pane(self) -> PatchPane:
        return self.query_one(PatchPane)

    @property
    def text(self) -> str:
        strips = self.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def line(self, text: str) -> str:
        """The one line of the screen that holds a text, without the border."""
        [line] = [line for line in self.text.split("\n") if text in line]
        return line.strip("│").rstrip()

    @property
    def hunks(self) -> Hunks:
        hunks = self.pane.hunks
        assert hunks is not None
        return hunks

    def words(self) -> list[str]:
        return [hunk.word for hunk in self.hunks.all]

    def last(self) -> Message:
        return self.heard[-1]


Play = Callable[[Face, Pilot[None]], Awaitable[None]]


def played(account: Account | None, play: Play, size: tuple[int, int] = SIZE) -> None:
    async def run() -> None:
        face = Face()
        async with face.run_test(size=size) as pilot:
            if account is not None:
                face.pane.show(account)
            face.pane.focus()
            await pilot.pause()
            await play(face, pilot)

    asyncio.run(run())


# ------------------------------------------------------------------------------ what is drawn


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_each_width_shows_the_state_the_proof_and_the_diff(width: int) -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        shown = face.text
        whole = " ".join(line.strip("│ ") for line in shown.split("\n"))
        assert "4 Patch 1/1 PASS" in shown
        assert "PASS: 3 cases pass in a fresh process" in whole
        assert "`max` becomes `min`; `or` becomes `and`" in whole
        assert "line 13: the result was -200; with the patch 0" in whole
        assert "▶[x] taken    fees.py:12  pay" in shown
        assert "-     taken = max(owed, given)" in shown
        assert "+     taken = min(owed, given)" in shown
        assert " [x] taken    lending.py:8" in shown
        assert "what speaks for it:" in shown
        assert all(len(line) <= width for line in shown.split("\n"))

    played(found(offered(BOTH, proof=PROOF)), play, (width, 50))


def test_lines_have_their_numbers_before_and_after_where_there_is_room() -> None:
    two = patch(("fees.py", "    return 20", "    per_day = 20\n    return 20"), MIN)

    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert face.line("max(owed").startswith(" 12    - ")
        assert face.line("min(owed").startswith("    13 + ")
        assert face.line("return owed").startswith(" 13 14   ")
        await pilot.press("d")
        assert face.line("min(owed").startswith("    12 + ")
        assert face.line("per_day = 20").startswith("┃      + ")

    played(found(offered(two)), play)


def test_a_long_line_is_wrapped_and_nothing_of_it_is_lost() -> None:
    comment = "".join(chr(0x4E00 + at) for at in range(90)) + "abc" * 30
    long = patch(("fees.py", "    taken = max", f"    # {comment}\n    taken = min"))

    async def play(face: Face, pilot: Pilot[None]) -> None:
        for keys in ([], ["vertical_line"]):
            await pilot.press(*keys)
            lines = [line.strip("│▁▂▃▄▅▆▇█ ") for line in face.text.split("\n")]
            start = next(at for at, line in enumerate(lines) if "# 一" in line)
            rows = [line.split("+ ", 1)[1] for line in lines[start : start + 14] if "+ " in line]
            assert comment in "".join(row.rstrip() for row in rows)

    played(found(offered(long)), play, (70, 40))


def test_what_a_terminal_would_obey_is_shown_as_an_escape() -> None:
    odd = patch(("fees.py", "taken = max", "taken = '\x1b[31m\u202e'\n    taken = min"))

    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert r"taken = '\x1b[31m\u202e'" in face.text
        assert r"\x1b[2J[b]x" in face.text

    played(found(offered(replace(odd, note="\x1b[2J[b]x"))), play)


def test_line_ends_that_are_unlike_the_others_are_shown() -> None:
    files = {"m.py": source("m.py", b"a = 1\r\nb = 2\r\nc = 3\r\nd = 4")}
    made = patch(("m.py", "b = 2\r\n", "b = 2\n"), ("m.py", "d = 4", "d = 5"), files=files)

    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert face.line("+ b = 2").endswith(r"b = 2\n")
        assert face.line("- b = 2").endswith("b = 2")
        assert face.text.count("no line feed at the end of the file") == 2

    played(found(offered(made), files=files), play)


def test_what_changed_within_a_line_stands_out_without_colours() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        strips = face.screen._compositor.render_strips()
        underlined = {
            segment.text
            for strip in strips
            for segment in strip
            if segment.style is not None and segment.style.underline and segment.style.bold
        }
        assert underlined == {"max", "min", "or", "and"}

    played(found(offered(BOTH)), play)


def test_the_code_has_its_colours() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        styles: dict[str, set[Style]] = {}
        for strip in face.screen._compositor.render_strips():
            for segment in strip:
                if segment.style is not None:
                    styles.setdefault(segment.text, set()).add(segment.style)
        keyword = face.pane.get_component_rich_style("patch--keyword", partial=True).color
        assert {style.color for style in styles["return"]} == {keyword}

    played(found(offered(BOTH)), play)


@pytest.mark.parametrize("theme", ["textual-light", "textual-dark"])
def test_the_code_can_be_read_on_its_background(theme: str) -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        face.theme = theme
        await pilot.pause()
        backgrounds = set()
        for strip in face.screen._compositor.render_strips():
            for segment in strip:
                words, style = segment.text.strip(), segment.style
                if words in ("taken =", "fees.py:12", "min", "max", "PASS") and style is not None:
                    assert style.color is not None
                    assert style.bgcolor is not None
                    text = Color.from_rich_color(style.color)
                    ground = Color.from_rich_color(style.bgcolor)
                    assert abs(ground.brightness - text.brightness) > 0.3, words
                    backgrounds.add((words, ground))
        assert len(backgrounds) == 5  # "taken =" stands on two

    played(found(offered(BOTH)), play)


def test_the_colours_of_the_terminal_itself_are_not_mixed() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        face.ansi_color, face.theme = True, "ansi-dark"
        await pilot.pause()
        assert "+     taken = min(owed, given)" in face.text
        for strip in face.screen._compositor.render_strips():
            for segment in strip:
                if "owed" in segment.text and segment.style is not None:
                    assert segment.style.bgcolor is None or segment.style.bgcolor.is_default

    played(found(offered(BOTH)), play)


def test_split_shows_both_sides_in_one_row() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        await pilot.press("vertical_line")
        row = face.line("max(owed")
        assert "- " in row
        assert "│12 +     taken = min(owed, given)" in row
        await pilot.resize_terminal(50, 40)
        await pilot.pause()
        assert "too narrow to split" in face.text
        assert "min(" not in face.line("max(owed")
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        await pilot.press("vertical_line")
        assert "min(" not in face.line("max(owed")

    played(found(offered(BOTH)), play, (120, 40))


def test_more_or_fewer_lines_around_and_none_twice() -> None:
    lines = [f"v{at} = {at}" for at in range(40)]
    files = {"m.py": source("m.py", "\n".join(lines).encode() + b"\n")}
    made = patch(("m.py", "v10 = 10\n", "v10 = 0\n"), ("m.py", "v14 = 14\n", ""), files=files)

    async def play(face: Face, pilot: Pilot[None]) -> None:
        def shown() -> list[str]:
            return [line for line in lines if f" {line}\n" in face.text.replace("│", "\n")]

        def around(first: int, last: int) -> list[str]:
            return lines[first : last + 1]

        text = "\n".join(row.strip("│▶┃ ") for row in face.text.split("\n"))
        for line in around(7, 17):
            assert text.count(f" {line}\n") == 1, line
        assert "v6 = 6" not in text
        assert "v18 = 18" not in text
        for _ in range(3):
            await pilot.press("left_curly_bracket")
        assert "v9 = 9" not in face.text
        assert "v10 = 10" in face.text
        await pilot.press("right_curly_bracket")
        assert "v9 = 9" in face.text
        assert "v8 = 8" not in face.text

    played(found(offered(made), files=files), play)


def test_changes_of_white_space_can_be_hidden_but_their_heads_stay() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert "white space only" in face.line("lending.py:17")
        assert "if  queue:" in face.text
        await pilot.press("w")
        assert "if  queue:" not in face.text
        assert "only white space changes here: w shows it" in face.text
        assert "[x] taken    lending.py:17" in face.text
        assert "min(owed" in face.text

    played(found(offered(patch(MIN, SPACES))), play)


# -------------------------------------------------------------------------------- deciding


def test_a_hunk_is_rejected_and_taken_again() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        await pilot.press("right", "d")
        assert face.words() == ["taken", "rejected"]
        assert "▶[ ] rejected lending.py:8" in face.text
        assert "4 Patch 1/1 CHANGED" in face.text
        assert "1 of 2 hunks taken; not run so yet" in face.text
        last = face.last()
        assert isinstance(last, PatchPane.Decided)
        assert last.hunks == face.hunks
        await pilot.press("space")
        assert face.hunks.as_offered
        assert "4 Patch 1/1 PASS" in face.text

    played(found(offered(BOTH)), play)


def test_a_range_is_decided_on_at_once() -> None:
    three = patch(MIN, AND, SPACES)

    async def play(face: Face, pilot: Pilot[None]) -> None:
        await pilot.press("l", "v", "l")
        assert "range 2-3" in face.text
        await pilot.press("space")
        assert face.words() == ["taken", "rejected", "rejected"]
        assert "range" not in face.text
        await pilot.press("d")
        await pilot.press("h", "v", "h", "space")
        assert face.words() == ["taken", "taken", "rejected"]
        replaced = face.hunks.edited(2, "    pass\n")
        face.pane.replace(replaced)
        assert face.words() == ["taken", "taken", "edited"]
        await pilot.press("l", "l", "u")
        assert face.hunks.as_offered
        await pilot.press("d", "a")
        assert face.hunks.as_offered

    played(found(offered(three)), play)


def test_enter_hands_over_what_was_decided() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        await pilot.press("d", "enter")
        last = face.last()
        assert isinstance(last, PatchPane.Apply)
        assert last.patch == BOTH
        assert [change.path for change in last.hunks.changes()] == ["lending.py"]

    played(found(offered(BOTH)), play)


def test_a_flagged_patch_is_applied_after_a_second_look_only() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert "flagged: it looks at who calls" in face.text
        await pilot.press("enter")
        assert isinstance(face.screen, Consent)
        await pilot.press("enter")
        assert not face.heard
        await pilot.press("enter", "down", "enter")
        await pilot.pause()
        assert isinstance(face.last(), PatchPane.Apply)

    played(found(offered(BOTH, "it looks at who calls")), play)


def test_what_was_decided_stays_while_other_patches_are_looked_at() -> None:
    account = found(offered(BOTH), offered(ONE, "odd"))

    async def play(face: Face, pilot: Pilot[None]) -> None:
        await pilot.press("d", "right_square_bracket")
        assert "4 Patch 2/2" in face.text
        assert "it passed when it was tried; applying runs all tests" in face.text
        assert face.words() == ["taken"]
        assert "1  `max` becomes `min`; `or` becomes `and`" in face.text
        face.pane.show(replace(account, tried=8))
        assert "4 Patch 2/2" in str(face.pane.border_title)
        await pilot.press("left_square_bracket")
        assert face.words() == ["rejected", "taken"]
        told = dict(face.pane.review.decisions())
        assert [word for _, word in told[account.alternatives[0]]] == ["rejected", "taken"]
        assert "+    taken = min(owed, given)" in told[account.alternatives[1]][0][0]

    played(account, play)


def test_what_was_decided_does_not_outlive_the_files() -> None:
    other = {**FILES, "fees.py": source("fees.py", FILES["fees.py"].data + b"\n")}

    async def play(face: Face, pilot: Pilot[None]) -> None:
        await pilot.press("d")
        face.pane.show(found(offered(BOTH), files=other))
        assert face.hunks.as_offered
        assert face.hunks.files["fees.py"] is other["fees.py"]

    played(found(offered(BOTH)), play)


def test_a_patch_for_other_bytes_is_not_offered() -> None:
    account = found(offered(BOTH))
    account.files = {**FILES, "fees.py": source("fees.py", FILES["fees.py"].data + b"\n")}

    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert "fees.py has changed since the patch was made" in face.text
        await pilot.press("space", "a", "E", "enter", "v", "l", "j", "y")
        assert [type(message) for message in face.heard] == [PatchPane.Said]

    played(account, play)


def test_patches_that_do_the_same_to_the_files_are_one() -> None:
    again = replace(BOTH, cost=9.0, edits=BOTH.edits[::-1])

    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert "4 Patch 1/1" in face.text

    played(found(offered(BOTH), offered(again)), play)


def test_an_edit_that_comes_late_reaches_the_patch_that_it_was_made_for() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        await pilot.press("E")
        last = face.last()
        assert isinstance(last, PatchPane.Edit)
        await pilot.press("right_square_bracket")
        face.pane.replace(last.hunks.edited(last.at, "    taken = 0\n"))
        assert face.words() == ["taken"]
        await pilot.press("left_square_bracket")
        assert face.words() == ["edited", "taken"]
        assert "▶[x] edited   fees.py:12" in face.text
        assert "+     taken = 0" in face.text
        assert "1 edited" in face.text

    played(found(offered(BOTH), offered(ONE)), play)


# ------------------------------------------------------------------------ moving and finding

MANY = {"m.py": source("m.py", b"".join(b"value_%d = 0\n" % at for at in range(4_000)))}
FAR = patch(
    *(("m.py", f"value_{at} = 0\n", f"value_{at} = 1\n") for at in range(0, 4_000, 20)), files=MANY
)


def test_the_current_hunk_is_in_view_however_one_moves() -> None:
    def head(face: Face) -> str:
        return face.line("▶")

    async def play(face: Face, pilot: Pilot[None]) -> None:
        for number in (2, 3, 4, 5):
            await pilot.press("l")
            assert f"hunk {number}/200" in head(face)
        for _ in range(6):
            await pilot.press("ctrl+d")
        far = head(face)
        assert "hunk 5/200" not in far
        await pilot.press("d")
        assert head(face).replace("taken   ", "rejected").replace("[x]", "[ ]") == head(face)
        assert sum(not hunk.taken for hunk in face.hunks.all) == 1
        for _ in range(12):
            await pilot.press("ctrl+u")
        assert "PASS" not in head(face)
        assert face.pane.scroll_offset.y == 0
        await pilot.press("j", "j", "k")
        assert face.pane.scroll_offset.y == 1

    played(found(offered(FAR), files=MANY), play, (80, 20))


def test_a_text_is_found_forwards_backwards_and_around() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert face.pane.find("VALUE_2000 = 1")
        assert "value_2000 = 1" in face.text
        assert "hunk 101/200" in face.line("▶")
        assert not face.pane.find("nowhere")
        assert face.pane.find("becomes")
        assert face.pane.scroll_offset.y == 0
        assert face.pane.find("m.py:1")
        seen = [face.pane.scroll_offset.y]
        for _ in range(12):
            assert face.pane.find_next()
            seen.append(face.pane.scroll_offset.y)
        assert seen == sorted(seen)
        assert face.pane.find_previous()
        assert face.pane.find("") is False

    played(found(offered(replace(FAR, note="0 becomes 1")), files=MANY), play, (80, 20))


def test_what_is_copied_is_the_diff_of_the_chosen_hunks() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        await pilot.press("l")
        copied = face.pane.selected_text()
        assert copied.startswith("--- a/lending.py\n+++ b/lending.py\n@@ ")
        assert "+    return books < 3 and owed < 500\n" in copied
        assert "fees.py" not in copied
        await pilot.press("v", "h")
        assert "fees.py" in face.pane.selected_text()

    played(found(offered(BOTH)), play)


def test_the_mouse_chooses_a_hunk_and_its_mark_toggles_it() -> None:
    async def play(face: Face, pilot: Pilot[None]) -> None:
        rows = face.text.split("\n")
        row = next(at for at, line in enumerate(rows) if "lending.py:8" in line)
        await pilot.click(PatchPane, offset=(20, row + 3))
        assert "lending.py" in face.line("▶")
        assert face.hunks.as_offered
        await pilot.click(PatchPane, offset=(3, row))
        assert face.words() == ["taken", "rejected"]
        await pilot.click(PatchPane, offset=(3, 1))
        assert face.words() == ["taken", "rejected"]

    played(found(offered(BOTH)), play)


# ---------------------------------------------------------------------------- without a patch


def test_without_a_patch_it_says_what_is_done_and_what_comes_next() -> None:
    account = Account()

    async def play(face: Face, pilot: Pilot[None]) -> None:
        async def shows(words: str) -> None:
            face.pane.show(account)
            await pilot.pause()
            assert words in face.text

        assert "4 Patch" in face.text
        await shows("no patch yet: f searches")
        account.stage = Stage.TRACE
        await shows("no patch yet: tracing")
        account.stage, account.current, account.tried = Stage.SEARCH, "fees.py::pay", 17
        await shows("trying patches in pay: 17 tried")
        account.outcomes = {case: Outcome(case, Status.FAILED) for case in CASES}
        account.gained = 2
        await shows("best so far: 2 of 3 failing cases pass")
        await pilot.press("space", "d", "E", "right_square_bracket", "l", "enter")
        [said] = face.heard
        assert isinstance(said, PatchPane.Said)
        assert said.words == "there is no patch to apply"
        account.repair = Repair(Verdict((), CASES), Stop.SECONDS, tried=17, seconds=60.0)
        account.stage = Stage.BUDGET
        await shows("no patch: 3 cases still failing; 17 patches tried in 60 s")
        await shows("next: give it longer with --time SECONDS")
        account.searches, account.stage = False, Stage.DONE
        account.outcomes = {}
        await shows("nothing fails: nothing to fix")

    played(None, play)


def test_the_best_patch_of_an_unfinished_search_says_how_far_it_comes() -> None:
    account = Account(stage=Stage.EXHAUSTED, files=FILES)
    partial = Partial(ONE, "", 2, 3)
    account.repair = Repair(Verdict((), CASES), Stop.EXHAUSTED, partial=partial)

    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert "4 Patch 1/1 PART" in face.text
        assert "PART: 2 of 3 failing cases pass with it, none breaks" in face.text
        await pilot.press("enter")
        last = face.last()
        assert isinstance(last, PatchPane.Apply)
        assert last.patch is None

    played(account, play)


def test_a_patch_that_is_not_verified_yet_does_not_say_pass() -> None:
    account = replace(found(offered(BOTH)), verdict=None, repair=None, stage=Stage.VERIFY)

    async def play(face: Face, pilot: Pilot[None]) -> None:
        assert "PASS" not in face.text
        assert "not verified in a fresh process yet" in face.text

    played(account, play)


# ---------------------------------------------------------------------------------- editing


class Desk(App[None]):
    """Edits one hunk."""

    def __init__(self, hunks: Hunks, at: int = 0) -> None:
        super().__init__()
        self.hunks, self.at = hunks, at
        self.made: list[Hunks | None] = []

    def on_mount(self) -> None:
        self.push_screen(Editing(self.hunks, self.at), self.made.append)

    def trouble(self) -> str:
        return str(self.screen.query_one("#trouble", Static).content)


def edited(
    hunks: Hunks, play: Callable[[Desk, Pilot[None]], Awaitable[None]]
) -> list[Hunks | None]:
    async def run() -> list[Hunks | None]:
        desk = Desk(hunks)
        async with desk.run_test(size=SIZE) as pilot:
            await pilot.pause()
            await play(desk, pilot)
            await pilot.pause()
        return desk.made

    return asyncio.run(run())


def test_what_is_written_is_what_is_saved() -> None:
    async def play(desk: Desk, pilot: Pilot[None]) -> None:
        await pilot.press("end", "enter", *"x = 1", "ctrl+s")

    [made] = edited(Hunks.of(FILES, ONE), play)
    assert made is not None
    assert made.text(0) == "    taken = min(owed, given)\n    x = 1\n".replace("    x", "x")
    assert made.all[0].word == "edited"


def test_escape_leaves_the_hunk_as_it_was() -> None:
    async def play(desk: Desk, pilot: Pilot[None]) -> None:
        await pilot.press("x", "escape")

    assert edited(Hunks.of(FILES, ONE), play) == [None]


def test_a_button_saves_too() -> None:
    async def play(desk: Desk, pilot: Pilot[None]) -> None:
        await pilot.click(Button)

    hunks = Hunks.of(FILES, ONE)
    assert edited(hunks, play) == [hunks]


def test_a_text_that_does_not_parse_is_told_and_can_be_saved() -> None:
    async def play(desk: Desk, pilot: Pilot[None]) -> None:
        dialog = desk.screen
        assert isinstance(dialog, Editing)
        dialog.check()
        assert desk.trouble() == ""
        dialog.query_one(TextArea).text = "    taken = min(owed,\n"
        dialog.check()
        assert "would not parse" in desk.trouble()
        await pilot.press("ctrl+s")

    [made] = edited(Hunks.of(FILES, ONE), play)
    assert made is not None
    assert b"    taken = min(owed,\n    return" in made.data("fees.py")


def test_what_the_file_cannot_hold_is_told_and_not_saved() -> None:
    files = {"m.py": source("m.py", b"# coding: latin-1\na = 1\n")}
    hunks = Hunks.of(files, patch(("m.py", "a = 1", "a = 2"), files=files))

    async def play(desk: Desk, pilot: Pilot[None]) -> None:
        desk.screen.query_one(TextArea).insert("'€' * ")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "iso-8859-1 has no '€'" in desk.trouble()
        await pilot.press("escape")

    assert edited(hunks, play) == [None]


def test_control_characters_survive_the_text_area() -> None:
    text = "\x0c\r\x1b[31m␛\x85\u2028"
    table = signs(text)
    shown = text.translate(table)
    assert shown.isprintable() or all(c.isprintable() or c >= "\ue000" for c in shown)
    assert len(set(shown)) == len(set(text))
    files = {"m.py": source("m.py", b"a = 1\n\x0c\nb = '\x1b\r'\n")}
    hunks = Hunks.of(files, patch(("m.py", "\x0c\nb = ", "\x0c\nc = "), files=files))

    async def play(desk: Desk, pilot: Pilot[None]) -> None:
        area = desk.screen.query_one(TextArea)
        area.insert("d", area.document.end)
        await pilot.press("ctrl+s")

    [made] = edited(hunks, play)
    assert made is not None
    assert made.data("m.py") == b"a = 1\n\x0c\nc = '\x1b\r'\nd\n"


# ---------------------------------------------------------------------------------- pairing


def test_lines_that_are_alike_stand_beside_each_other() -> None:
    old = ["a = f(x)", "return a"]
    new = ["# why", "a = g(x)", "return a + 1"]
    assert paired(old, new) == [(None, 0), (0, 1), (1, 2)]
    assert paired(new, old) == [(0, None), (1, 0), (2, 1)]
    assert paired([], ["x"]) == [(None, 0)]
    assert paired(["x"] * 30, ["y"] * 31)[-1] == (None, 30)


def test_whole_words_are_what_changed() -> None:
    assert spots("if quantity > least:", "if quantity >= least:") == ([], [(13, 14)])
    assert spots("a = total", "a = totals") == ([(4, 9)], [(4, 10)])
    assert spots("one", "(another, thing)") == ((), ())
