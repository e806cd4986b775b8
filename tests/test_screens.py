"""The pictures in docs/screens are what the screen shows now, in each look and at each size."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
import screens

REDRAW = "run `make screenshots` and look at the difference"
READABLE = 2.5  # the least contrast of words, as WCAG counts it; rejected hunks are dim on purpose
PALETTES = ("dark", "light")  # whose colours are ours; others are the terminal's


@pytest.fixture(scope="module", params=screens.LOOKS)
def look(request: pytest.FixtureRequest) -> tuple[str, dict[str, str]]:
    return request.param, screens.drawn(request.param)


def test_the_pictures_show_what_the_screen_shows(look: tuple[str, dict[str, str]]) -> None:
    name, drawn = look
    for size, svg in drawn.items():
        file = screens.PICTURES / f"{size}-{name}.svg"
        kept = file.read_text("utf-8")
        if screens.made_with(kept) == screens.MADE_WITH:
            same = kept == svg
        else:  # other libraries may draw it otherwise, but say the same
            same = screens.texts(kept) == screens.texts(svg)
        assert same, f"{file.name} is not what the screen shows now: {REDRAW}"


def test_what_there_is_to_know_is_said_in_words_and_signs(
    look: tuple[str, dict[str, str]],
) -> None:
    _, drawn = look
    wide, medium, narrow = (screens.texts(drawn[size]) for size in screens.SIZES)
    for text in ("xfailed", "oktest_", "+may_borrow.71repaired", "FOUND", "[]rejected", "[x]taken"):
        assert text in wide
    for shown in (wide, medium, narrow):
        assert "◀DIFF" in shown
        assert "▶8!" in shown
    assert "[1Tests2x][2Blocks][3Code][4Patch1]" in narrow


def test_words_can_be_told_from_their_ground(look: tuple[str, dict[str, str]]) -> None:
    name, drawn = look
    for svg in drawn.values():
        found = list(words(svg))
        assert found
        if name in PALETTES:
            faint = [(t, c, g) for t, c, g in found if contrast(c, g) < READABLE]
            assert not faint
        if name == "mono":
            assert {ground for _, _, ground in found} <= {"#292929", "#c5c8c6"}
            assert len({colour for _, colour, ground in found if ground == "#292929"}) == 2  # dim


def words(svg: str) -> Iterator[tuple[str, str, str]]:
    """The texts of a picture that have letters or figures, their colours, and what is behind."""
    colours = dict(re.findall(r"^\.([\w-]+) \{ fill: (#\w+)", svg, re.MULTILINE))
    frame, _, inside = svg.partition('<g transform="translate(9')
    rectangle = re.compile(r'<rect fill="(#\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"')
    grounds = [(c, float(x), float(y), float(w)) for c, x, y, w in rectangle.findall(inside)]
    chrome = re.findall(r'<rect fill="(#\w+)"', frame)[0]
    texts = re.findall(r'<text class="([\w-]+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<', inside)
    for name, x, y, text in texts:
        behind = [
            colour
            for colour, left, top, width in grounds
            if left - 0.01 <= float(x) < left + width and top < float(y) <= top + 25
        ]
        shown = html.unescape(text)
        if any(character.isalnum() for character in shown):
            yield shown, colours[name], behind[-1] if behind else chrome


def contrast(one: str, two: str) -> float:
    """From 1 (the same) to 21."""
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
