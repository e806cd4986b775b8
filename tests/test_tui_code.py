"""The code pane and what stands below it, as a user sees and steers them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest
from rich.cells import cell_len
from runs import Run, value
from textual.app import App, ComposeResult
from textual.color import Color
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from mgdebug.languages import language_of
from mgdebug.model import BlockVisit, Status, Target, Trace, Value
from mgdebug.session.driving import walked
from mgdebug.session.walk import Walk
from mgdebug.settings import Settings
from mgdebug.syntax.source import SourceFile
from mgdebug.tracing import Recording, record
from mgdebug.tui.beside import PARTS, Kind, Note, cut, painted
from mgdebug.tui.dialogs.viewer import Viewer
from mgdebug.tui.dialogs.whole import Whole, laid
from mgdebug.tui.highlight import Highlighter, warm
from mgdebug.tui.panes.code import CodePane
from mgdebug.tui.scrubber import Scrubber
from mgdebug.tui.watch import Watch

CODE = '''\
def flatten(tree, out=None):
    out = [] if out is None else out
    for item in tree:
        if isinstance(item, list):
            flatten(item, out)
        else:
            out.append(item)
    return out


def total(tree):
    flat = flatten(tree)
    squares = [x * x for x in flat if x > 1]
    best = max(
        squares,
        key=lambda x: -x,
    )
    if len(squares) < 3:
        raise ValueError("too few")
    return sum(squares) - best


def safe(tree):
    """Never fails."""
    try:
        return total(tree)
    except ValueError as error:
        return str(error)
'''
TESTS = """\
from numbers_ import safe


def test_bad():
    assert safe([1, [2, [3]], 1]) == 9


def test_good():
    assert safe([1, [2, [3]], 4]) == 25
"""


class Panes(App[None]):
    """What the session's screen has in the middle."""

    CSS = "CodePane { border: round $border; height: 1fr; }"

    def __init__(self, compact: bool = False) -> None:
        super().__init__()
        self.compact = compact
        self.told: list[object] = []

    def compose(self) -> ComposeResult:
        yield CodePane(id="code")
        yield Scrubber(id="scrubber")
        yield Watch(id="watch", compact=self.compact)

    def on_code_pane_moved(self, event: CodePane.Moved) -> None:
        self.told.append(("moved", event.path, event.line, event.place))
        pane = self.query_one(CodePane)
        if pane.walked is not None and pane.place is not None:
            walk = pane.walked
            self.query_one(Scrubber).show(pane.place, walk.count, walk.partings)
            self.query_one(Watch).show(walk, pane.place)

    def on_code_pane_view(self, event: CodePane.View) -> None:
        self.told.append(("view", event.place))

    def on_code_pane_watch(self) -> None:
        self.told.append("watch")

    def on_scrubber_jumped(self, event: Scrubber.Jumped) -> None:
        self.query_one(CodePane).go(event.place)


Given = TypeVar("Given")
Doing = Callable[[Panes, Pilot[None]], Coroutine[object, object, Given]]


def on(
    size: tuple[int, int], doing: Doing[Given], *, compact: bool = False, theme: str = ""
) -> Given:
    """What a user does with the panes on a screen of some columns and lines."""

    async def main() -> Given:
        app = Panes(compact)
        async with app.run_test(size=size) as pilot:
            if theme:
                app.theme = theme
            app.query_one(CodePane).focus()
            await pilot.pause()
            return await doing(app, pilot)

    return asyncio.run(main())


def seen(app: App[None]) -> list[str]:
    """The lines on the screen."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def code(app: App[None]) -> list[str]:
    """The lines in the code pane, without its border."""
    lines = seen(app)
    bottom = next(number for number, line in enumerate(lines) if line.startswith("╰"))
    return [line[1:-1].rstrip() for line in lines[1:bottom]]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("numbers")
    (folder / "numbers_.py").write_text(CODE)
    (folder / "test_numbers.py").write_text(TESTS)
    done: list[Recording] = []

    def whole() -> Iterator[object]:
        done.append((yield from record(Target(folder, folder), Settings(), sys.executable)))

    for _ in whole():
        pass
    return done[0]


@pytest.fixture
def walk(recording: Recording) -> Walk:
    return walked(recording, recording.traces[0].case)


def at(walk: Walk, line: int, last: bool = False) -> int:
    """The first or last visit of a block that begins in a line."""
    return [p for p in range(walk.count) if walk.line(p) == line][-1 if last else 0]


def text_source(text: str, path: str = "m.py") -> SourceFile:
    language = language_of(path)
    assert language is not None
    return SourceFile(path, text.encode(), language.grammar())


# ---------------------------------------------------------------------------------- the pane


def test_values_stand_beside_the_lines_of_the_call(recording: Recording, walk: Walk) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> list[str]:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {("numbers_.py", 18): 0.9, ("numbers_.py", 13): 0.2})
        pane.walk(walk, walk.partings[0])
        await pilot.pause()
        return seen(app)

    lines = on((110, 36), doing)
    assert "numbers_.py  test_bad  visit 34/" in lines[0]
    body = {line[2:4].strip(): line for line in lines if line[2:4].strip().isdigit()}
    assert body["11"].endswith("tree = [1, [2, [3]], 1]                                  │")
    assert "squares = [4, 9]  → True  ◀ DIFF" in body["18"]
    assert body["18"].startswith("│▶18! ")
    assert body["13"].startswith("│ 13· ")
    assert "x > 1 → False  x * x → 9" in body["13"]
    assert body["2"].rstrip("│ ").endswith("else out")  # another call's
    assert lines[-3].startswith("╰─ total(tree=[1, [2, [3]], 1])")
    assert " 34/" in lines[-2]
    assert lines[-1].strip() == "watch squares: [4, 9]"


def test_a_block_of_several_lines_is_marked_as_a_whole(recording: Recording, walk: Walk) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> list[str]:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {})
        pane.walk(walk, at(walk, 12))
        await pilot.pause()
        return code(app)

    lines = on((100, 36), doing)
    assert [line[0] for line in lines[11:17]] == ["▶", "┃", "┃", "┃", "┃", "┃"]
    assert lines[10][0] == lines[17][0] == " "


def test_an_exception_stands_where_it_left_the_block(recording: Recording, walk: Walk) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> list[str]:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {})
        pane.walk(walk, walk.count - 1)
        await pilot.pause()
        return code(app)

    lines = on((120, 36), doing)
    assert "raised <ValueError ('too few',)>" in lines[25]
    assert "caught <ValueError ('too few',)>" in lines[26]


@pytest.mark.parametrize("width", [30, 60, 100, 200])
@pytest.mark.parametrize("compact", [False, True])
def test_nothing_is_wider_than_the_screen(
    recording: Recording, walk: Walk, width: int, compact: bool
) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> list[str]:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {})
        pane.walk(walk, walk.partings[0])
        await pilot.pause()
        return seen(app)

    lines = on((width, 24), doing, compact=compact)
    assert max(map(cell_len, lines)) == width
    shown = [line for line in lines if line.startswith("│▶18")]
    assert len(shown) == 1
    assert shown[0].startswith("│▶18      if len(squares)"[: width - 2])
    assert ("◀ DIFF" in shown[0]) == (width > 46)


def test_keys_move_the_cursor_and_the_screen_follows(recording: Recording) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {})
        await pilot.press("j", "down", "k")
        assert pane.line == 2
        await pilot.press("G")
        assert pane.line == 28
        await pilot.pause()
        assert code(app)[-1].startswith(" 28") or code(app)[-4].startswith(" 28")
        await pilot.press("k", "ctrl+u", "g", "k")
        assert pane.line == 1
        await pilot.pause()
        assert code(app)[0].startswith("  1  def flatten")
        await pilot.press("w")
        await pilot.pause()
        assert app.told[-1] == "watch"

    on((60, 15), doing)


def test_code_that_is_wider_than_the_screen_is_moved_sideways() -> None:
    source = text_source("short = 1\nlong = [" + ", ".join(map(str, range(100))) + "]\n")

    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        app.query_one(CodePane).load({"m.py": source}, {})
        await pilot.pause()
        assert code(app)[1].endswith("…")
        await pilot.press("l", "right")
        await pilot.pause()
        assert code(app)[0] == "  1"
        assert code(app)[1].startswith("  2  " + source.line_text(2)[16:30])
        await pilot.press("h", "h", "h")
        await pilot.pause()
        assert code(app)[1].startswith("  2  long = [0, 1")

    on((60, 15), doing)


def test_steps_through_time_say_why_they_lead_nowhere(recording: Recording, walk: Walk) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {})
        assert not pane.next_visit()
        assert pane.trouble == "no run is shown: choose a test that was traced"
        pane.walk(walk)
        assert not pane.previous_visit()
        assert pane.trouble == "this is the first visit"
        assert pane.next_visit()
        assert pane.trouble == ""
        calls = pane.place
        assert pane.into()
        assert pane.line in range(11, 14)
        assert pane.out()
        assert pane.place == calls
        assert pane.next_divergence()
        assert pane.place == walk.partings[0]
        assert not pane.previous_divergence()
        assert pane.previous_same() is (walk.previous_same(walk.partings[0]) is not None)
        pane.go(10_000)
        assert not pane.next_visit()
        await pilot.pause()
        assert app.told[-1] == ("moved", "numbers_.py", pane.line, walk.count - 1)

    on((100, 30), doing)


def test_another_file_can_be_opened_and_the_next_step_comes_back(
    recording: Recording, walk: Walk
) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        other = text_source("nothing = 1\n", "other.py")
        pane.load({**recording.files, "other.py": other}, {})
        pane.walk(walk, 3)
        pane.open("other.py", 99)
        await pilot.pause()
        assert (pane.path, pane.line, pane.place) == ("other.py", 1, 3)
        assert code(app)[0] == "  1  nothing = 1"
        assert pane.next_visit()
        assert (pane.path, pane.place) == ("numbers_.py", 4)
        pane.open("gone.py", 3)
        await pilot.pause()
        assert code(app)[0] == "gone.py is not there"

    on((80, 20), doing)


def test_a_search_goes_round_the_file_and_enter_shows_a_visit(
    recording: Recording, walk: Walk
) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {})
        pane.walk(walk, walk.partings[0])
        assert pane.find("SQUARES")
        lines = [pane.line]
        for step in (pane.find_next, pane.find_next, pane.find_previous, pane.find_previous):
            assert step()
            lines.append(pane.line)
        assert lines == [20, 13, 15, 13, 20]
        assert not pane.find("not there")
        assert pane.line == 20
        pane.open("numbers_.py", 18)
        assert pane.selected_text() == (
            "    if len(squares) < 3:  # squares = [4, 9]  → True  ◀ DIFF"
        )
        await pilot.press("enter")
        await pilot.pause()
        assert app.told[-1] == ("view", walk.partings[0])
        pane.open("numbers_.py", 13)
        await pilot.press("enter")
        await pilot.pause()
        kind, place = app.told[-1] if isinstance(app.told[-1], tuple) else ("", -1)
        assert kind == "view"
        assert walk.line(place) in (12, 13)

    on((80, 30), doing)


def test_a_click_moves_the_cursor_and_the_wheel_does_not(recording: Recording) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {})
        await pilot.pause()
        await pilot.click(CodePane, offset=(20, 5))
        assert pane.line == 5
        pane.scroll_to(y=6, animate=False, immediate=True)
        await pilot.pause()
        assert pane.line == 5
        await pilot.click(CodePane, offset=(20, 5))
        assert pane.line == 11

    on((80, 15), doing)


@pytest.mark.parametrize(
    "text", ["", "\n", "x = 1", "\tx = '漢字' * 2 \x1b[31m\x00\r\n\ty = 1\r\n"]
)
def test_odd_files_are_shown(text: str) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> list[str]:
        app.query_one(CodePane).load({"m.py": text_source(text)}, {})
        await pilot.press("G", "l", "h")
        await pilot.pause()
        return code(app)

    lines = on((60, 15), doing)
    assert lines[0].startswith("  1")
    if "漢" in text:
        assert lines[0] == r"  1      x = '漢字' * 2 \x1b[31m\x00"
        assert lines[1] == "  2      y = 1"
    else:
        assert lines[1] == ""


def test_a_run_without_visits_and_no_run_say_so(recording: Recording) -> None:
    empty = Walk(Trace("t.py::test", Status.FAILED, {}), recording.hierarchy)

    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        await pilot.pause()
        assert code(app)[0] == "no code yet"
        pane.load(recording.files, {})
        pane.walk(empty)
        await pilot.press("enter", "j")
        await pilot.pause()
        assert "no visits kept" in seen(app)[0]
        assert pane.place is None
        assert not pane.next_visit()
        assert pane.trouble == "no visit of this run was kept"
        assert not any(isinstance(told, tuple) and told[0] == "view" for told in app.told)
        pane.walk(None)
        await pilot.pause()
        assert "visit" not in seen(app)[0]

    on((80, 20), doing)


def test_names_of_cases_and_values_are_no_markup_and_no_commands() -> None:
    run = Run(case="test_m.py::test[bold-[/red]]").call(1, "largest", arguments={"values": "[b]"})
    run.visit(2, {"values": "[red]\x1b[2J"}, {"best": "[/]"})
    evil = Value("str", "'\x1b[2J[/bold]\u202e'")
    run.visit(4, {"value": 1, "best": 2}, result=evil)
    walk = Walk(run.trace(), run.hierarchy, partings=[1], why="line 4 `[x]` here")

    async def doing(app: Panes, pilot: Pilot[None]) -> str:
        pane = app.query_one(CodePane)
        pane.load(run.sources, {})
        pane.walk(walk, 1)
        await pilot.pause()
        return "\n".join(seen(app))

    text = on((120, 20), doing)
    assert "test[bold-[/red]]" in text
    assert r"→ '\x1b[2J[/bold]\u202e'" in text
    assert "the runs part: line 4 `[x]` here" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "ansi-light"])
def test_all_can_be_read_in_every_theme(recording: Recording, walk: Walk, theme: str) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {("numbers_.py", 18): 0.9})
        pane.walk(walk, walk.partings[0])
        pane.find("squares")
        await pilot.pause()
        for y in range(28):
            for segment in pane.render_line(y):
                style = segment.style
                if segment.text.strip() and style and style.color and style.bgcolor:
                    front, back = map(Color.from_rich_color, (style.color, style.bgcolor))
                    apart = abs(front.brightness - back.brightness)
                    assert apart > 0.2 or theme.startswith("ansi"), (segment, y)
                    assert style.color != style.bgcolor or style.color.is_default
        assert "▶18!" in code(app)[17]

    on((110, 36), doing, theme=theme)


def big(lines: int, visits: int) -> tuple[Run, Walk]:
    """A long file and a long run in the middle of it."""
    before = "".join(
        f"def f{n}(a):\n    return [a, 'text']  # {n}\n\n\n" for n in range(lines // 8)
    )
    loop = (
        "def loop(n):\n    count = 0\n    while count < n:\n        count += 1\n    return count\n"
    )
    run = Run(before + loop + "\n\n" + before)
    first = before.count("\n") + 1
    run.call(1, "loop", arguments={"n": visits})
    run.visit(first + 1, {}, {"count": 0})
    condition, body = run.block(first + 2), run.block(first + 3)
    for number in range(1, visits // 2):
        was, now = {"count": value(number - 1)}, {"count": value(number)}
        place = len(run.visits)
        run.visits.append(BlockVisit(condition, 1, place, was, number=number, iteration=number))
        run.visits.append(BlockVisit(body, 1, place + 1, was, now, number=number, iteration=number))
    run.counts.update({condition: visits // 2 - 1, body: visits // 2 - 1})
    return run, Walk(run.trace(), run.hierarchy, partings=range(5, visits, 997))


def test_a_step_in_a_long_run_draws_only_the_lines_that_change() -> None:
    run, walk = big(10_000, 30_000)
    assert walk.count > 29_000

    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        pane.load(run.sources, {})
        pane.walk(walk, 15_000)
        await pilot.pause()
        drawn: list[int] = []
        line = pane._sheet.line

        def counted(number: int) -> object:
            drawn.append(number)
            return line(number)

        pane._sheet.line = counted  # type: ignore[method-assign, assignment]
        assert pane.next_visit()
        await pilot.pause()
        assert 0 < len(drawn) <= 4
        text = "\n".join(code(app))
        assert "count = 7500" in text
        watch = seen(app)[-1]
        assert watch.startswith(" watch count: …")
        assert watch.endswith("7500")
        drawn.clear()
        assert pane.next_divergence()
        assert pane.previous_same()
        await pilot.pause()
        assert len(drawn) <= 6

    on((100, 40), doing)


# ------------------------------------------------------------------------------ beside lines


def notes(*texts: str) -> list[Note]:
    return [Note(Kind.READ, f"n{i}", Value("str", text)) for i, text in enumerate(texts)]


@pytest.mark.parametrize("room", [4, 12, 20, 33, 60, 200])
def test_notes_keep_to_their_room_and_the_mark_is_always_seen(room: int) -> None:
    some = [*notes("'short'", "'" + "long" * 60 + "'", "'漢字漢字漢字'"), Note(Kind.PARTS)]
    text = "".join(part for part, _ in painted(some, room))
    assert cell_len(text) <= room
    assert PARTS in text or room < 10


def test_values_share_the_room_rather_than_push_each_other_out() -> None:
    text = "".join(part for part, _ in painted(notes("a" * 80, "b" * 80), 40))
    assert "n0 = aaaaaa" in text
    assert "n1 = bbbbbb" in text


def test_a_cut_text_says_so_and_never_halves_a_wide_character() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 4) == "abc…"
    assert cell_len(cut("漢字漢字", 4)) <= 4
    assert cut("abc", 0) == ""


# -------------------------------------------------------------------------------- highlights


def coloured(source: SourceFile, line: int) -> list[tuple[str, str]]:
    text = source.line_text(line)
    return [(text[a:b], name) for a, b, name in Highlighter(source).line(line)]


def test_python_has_its_colours() -> None:
    source = text_source(
        '@cache(1)\ndef f(self, n):  # wörd\n    """Doc\n    ä"""\n    return g(f"ü{n}", None)\n'
    )
    assert ("def", "keyword") in coloured(source, 2)
    assert ("f", "definition") in coloured(source, 2)
    assert ("self", "itself") in coloured(source, 2)
    assert coloured(source, 2)[-1] == ("# wörd", "comment")
    assert coloured(source, 4) == [('    ä"""', "string")]
    assert coloured(source, 5) == [
        ("return", "keyword"),
        ("g", "call"),
        ('f"ü', "string"),
        ('"', "string"),
        ("None", "constant"),
    ]
    assert Highlighter(source).line(99) == ()


def test_javascript_has_its_colours() -> None:
    source = text_source("const f = (x) => this.g(`a${x}`, null); // end\n", "m.js")
    assert coloured(source, 1) == [
        ("const", "keyword"),
        ("f", "definition"),
        ("this", "itself"),
        ("g", "call"),
        ("`a", "string"),
        ("`", "string"),
        ("null", "constant"),
        ("// end", "comment"),
    ]


def test_only_a_stretch_of_a_long_file_is_coloured() -> None:
    source = text_source("x = 'text'  # comment\n" * 5_000)
    warm(source)
    colours = Highlighter(source)
    assert colours.line(2_500)[0][2] == "string"
    assert len(colours._lines) < 100


# -------------------------------------------------------------------------------- below it


def test_the_track_shows_where_a_visit_is_and_a_click_jumps(
    recording: Recording, walk: Walk
) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {})
        pane.walk(walk, 0)
        await pilot.pause()
        line = seen(app)[-2]
        assert line.startswith(f" visit  1/{walk.count} ◀●───")
        assert line.rstrip().endswith("▶")
        assert 1 <= line.count("◆") <= len(walk.partings)
        await pilot.click(Scrubber, offset=(line.index("◆"), 0))
        await pilot.pause()
        assert pane.place in walk.partings
        at_parting = pane.place
        await pilot.click(Scrubber, offset=(line.index("▶"), 0))
        await pilot.pause()
        assert pane.place == min(at_parting + 1, walk.count - 1)
        await pilot.click(Scrubber, offset=(line.index("◀") + 1, 0))
        await pilot.pause()
        assert pane.place == 0
        await pilot.click(Scrubber, offset=(line.index("▶") - 1, 0))
        await pilot.pause()
        assert pane.place == walk.count - 1

    on((80, 30), doing)


def test_a_drag_along_the_track_goes_through_time(recording: Recording, walk: Walk) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane = app.query_one(CodePane)
        pane.load(recording.files, {})
        pane.walk(walk, 0)
        await pilot.pause()
        await pilot.mouse_down(Scrubber, offset=(30, 0))
        await pilot.hover(Scrubber, offset=(60, 0))
        await pilot.pause()
        middle = pane.place
        assert middle is not None
        assert middle > walk.count // 2
        await pilot.mouse_up(Scrubber, offset=(60, 0))
        await pilot.hover(Scrubber, offset=(20, 0))
        await pilot.pause()
        assert pane.place == middle

    on((80, 30), doing)


@pytest.mark.parametrize(("place", "count"), [(0, 0), (0, 1), (0, 2), (1, 2), (99_999, 100_000)])
def test_a_track_of_any_length_fits(place: int, count: int) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> list[str]:
        app.query_one(Scrubber).show(place, count, [0, place, count - 1] if count else [])
        await pilot.pause()
        return seen(app)

    for width in (20, 60):
        line = on((width, 12), doing)[-2]
        assert cell_len(line) <= width
        assert (f"{place + 1}/{count}" if count else "no visits") in line


def test_the_watch_follows_what_is_telling_or_what_is_chosen(
    recording: Recording, walk: Walk
) -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        pane, watch = app.query_one(CodePane), app.query_one(Watch)
        pane.load(recording.files, {})
        pane.walk(walk, at(walk, 3, last=True))
        await pilot.pause()
        assert seen(app)[-1].startswith(" watch ")
        names = walk.names(pane.place or 0)
        assert {watch.cycle() for _ in names} == set(names)
        watch.choose(["item", "out"])
        await pilot.pause()
        assert [line.split(":")[0] for line in seen(app)[-2:]] == [" watch item", " watch out"]
        watch.choose(["nothing"])
        await pilot.pause()
        assert seen(app)[-1].strip() == "watch nothing: not seen in this call"

    on((80, 30), doing)


def test_the_strip_of_a_narrow_screen_tells_all_variables_in_short() -> None:
    run = Run().call(1, "largest").visit(2, {"values": [1, 2]}, {"best": 1})
    many = Value("list", repr(list(range(12))), size=12)
    run.visit(5, {"value": 7, "best": 1, "values": 0}, {"best": 7})
    before = dict(run.visits[1].before)
    before["values"] = many
    run.visits[1] = replace(run.visits[1], before=before)
    walk = Walk(run.trace(), run.hierarchy)

    async def doing(app: Panes, pilot: Pilot[None]) -> str:
        app.query_one(Watch).show(walk, 1)
        await pilot.pause()
        return seen(app)[-1]

    assert on((60, 12), doing, compact=True).strip() == "best 1→7  value=7  values=[…12]"
    assert on((25, 12), doing, compact=True).strip() == "best 1→7  value=7  …"


# -------------------------------------------------------------------------------- the viewer


def viewed() -> Walk:
    run = Run().call(1, "largest", arguments={"values": "given"}, result="done")
    run.visit(2, {"values": 0}, {"best": 1}, result=value(True))
    large = Value("dict", repr({f"key{n}": [n] * 3 for n in range(4_000)}), True, 50_000)
    text = Value("str", repr("first line\nsecond needle line\n" * 3), size=90)
    before = {"large": large, "text": text}
    run.visits[0] = replace(run.visits[0], before=before)
    return Walk(run.trace(), run.hierarchy)


def test_the_viewer_lists_all_values_and_shows_the_whole_text() -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        viewer = Viewer(viewed(), 0)
        await app.push_screen(viewer)
        await _settled(viewer, pilot)
        lines = "\n".join(seen(app))
        for word in ("before", "after", "result", "argument", "returned", "50000 items"):
            assert word in lines
        assert "the trace kept only a part of it" in lines
        assert len(viewer.query_one(Whole).lines) > 4_000
        await pilot.press("down")
        await _settled(viewer, pilot)
        assert r"second needle line\n" in viewer.query_one(Whole).lines
        await pilot.press("tab", "pagedown", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, Viewer)

    on((100, 36), doing)


def test_a_search_in_the_viewer_goes_through_all_values() -> None:
    async def doing(app: Panes, pilot: Pilot[None]) -> None:
        viewer = Viewer(viewed(), 0)
        await app.push_screen(viewer)
        await _settled(viewer, pilot)
        await pilot.press("slash", *"needle")
        assert viewer.query_one(Input).value == "needle"
        await pilot.press("enter")
        await _settled(viewer, pilot)
        assert viewer.items[viewer.chosen].name == "text"
        whole = viewer.query_one(Whole)
        assert "needle" in whole.lines[whole.found]
        first = whole.found
        await pilot.press("down")
        await _settled(viewer, pilot)
        assert whole.found > first
        await pilot.press("up")
        await _settled(viewer, pilot)
        assert whole.found == first
        viewer.query_one(Input).value = "key3999'"
        await pilot.press("enter")
        await _settled(viewer, pilot)
        assert viewer.items[viewer.chosen].name == "large"
        assert "key3999" in whole.lines[whole.found]
        assert viewer.query_one(OptionList).highlighted == viewer.chosen
        viewer.query_one(Input).value = "returned"
        await pilot.press("enter")
        await _settled(viewer, pilot)
        assert viewer.items[viewer.chosen].when == "returned"

    on((100, 36), doing)


async def _settled(viewer: Viewer, pilot: Pilot[None]) -> None:
    await pilot.pause()
    await viewer.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[]", ["[]"]),
        ("", [""]),
        ("[1, 2]", ["[1, 2]"]),
        ("[[1, 2, 3], [4, 5, 6]]", ["[", "  [1, 2, 3],", "  [4, 5, 6]", "]"]),
        ("[1, 2, 3, 4, 5, 6]", ["[", "  1, 2, 3, 4,", "  5, 6", "]"]),
        ("{'a': 1, 'b': [1, 2]}", ["{", "  'a': 1,", "  'b': [1, 2]", "}"]),
        ("'one, [\\ntwo'", ["'one, [\\n", "two'"]),
        ("[1, {'a': 'cut off", ["[", "  1,", "  {", "    'a': 'cut o", "ff"]),
        ("))))", ["))))"]),
    ],
)
def test_a_value_is_laid_out_on_lines(text: str, lines: list[str]) -> None:
    assert laid(text, 15) == lines


def test_no_text_is_lost_when_it_is_laid_out() -> None:
    text = repr({n: [("漢字" * n, [n] * n)] for n in range(12)})
    lines = laid(text, 24)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert max(map(cell_len, lines)) <= 24
