"""The page: one file, nothing loaded, nothing of what a program says taken for a part of it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from runs import Run, value

from mgdebug import page
from mgdebug.errors import UsageError
from mgdebug.model import Outcome, Status, Trace, Value
from mgdebug.tracing import Recording

HOSTILE = [
    "</script><script>document.title='broken'</script>",
    "<!--<script>",
    "{{data}} {{title}} $&",
    "\u2028\u2029 \ud800 \x00",
    '"}],"cases":[]',
    "<img src=x onerror=alert(1)>",
]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def recording(run: Run, *others: Trace, message: str = "") -> Recording:
    traces = (run.trace(), *others)
    outcomes = {t.case: Outcome(t.case, t.status, message=message) for t in traces}
    return Recording(outcomes, (), run.sources, run.hierarchy, traces)


def hostile() -> Recording:
    code = f"def f(x):\n    # {HOSTILE[0]}\n    x = {HOSTILE[0]!r}\n    return x\n"
    run = Run(code, case=f"test[{HOSTILE[0]}{HOSTILE[2]}]")
    run.call(1, "f", arguments={"x": HOSTILE[1]})
    for text in HOSTILE:
        run.visit(3, {text: text}, {"x": text}, result=value(text), raised=Value(text, text))
    other = Run(code, case=HOSTILE[4]).visit(3).visit(3).trace(Status.PASSED)
    return recording(run, other, message=HOSTILE[0])


class Reader(HTMLParser):
    """What a browser makes of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = str(dict(attrs).get("id") or tag)

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open, []).append(data)


def data_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(Reader(text).texts["data"]))
    return found


def test_hostile_texts_add_no_tag_and_come_back_whole() -> None:
    harmless, evil = page.page(recording(Run().lines(2))), page.page(hostile())
    assert [tag for tag, _ in Reader(evil).tags] == [tag for tag, _ in Reader(harmless).tags]
    data = data_of(evil)
    assert {repr(text) for text in HOSTILE} <= set(data["texts"])
    assert data["cases"][0]["case"] == f"test[{HOSTILE[0]}{HOSTILE[2]}]"
    assert data["cases"][0]["message"] == HOSTILE[0]
    (title,) = re.findall("<title>(.*)</title>", evil)
    assert html.unescape(title) == f"test[{HOSTILE[0]}{HOSTILE[2]}] - mgdebug trace"


def test_the_page_loads_nothing() -> None:
    text = page.page(hostile())
    for tag, attributes in Reader(text).tags:
        for name in ("src", "href", "action", "srcset", "poster"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, attributes)
        if attributes.get("http-equiv") == "Content-Security-Policy":
            assert "default-src 'none'" in (attributes["content"] or "")
            break
    else:
        pytest.fail("no policy forbids the network")
    assert "@import" not in text
    assert "url(" not in text
    template = Path(page.__file__).with_name("page.html").read_text("utf-8")
    for way in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch("):
        assert way not in template


def test_the_data_of_a_failing_run_beside_a_passing_one() -> None:
    run = Run(case="red").visit(2, {"values": [1]}, {"best": 1}).visit(4, result=value(True))
    run.lines(5)
    passing = Run(case="green").visit(2).visit(4, result=value(False)).lines(6)
    unused = Run(case="far").lines(10).trace(Status.PASSED)
    data = data_of(page.page(recording(run, passing.trace(Status.PASSED), unused)))
    assert [case["case"] for case in data["cases"]] == ["red", "green"]
    pair = data["pairs"]["red"]
    assert (pair["of"], pair["one"], pair["other"], pair["parts"]) == ("green", 2, 2, True)
    assert "(True here, False there)" in pair["why"]
    visit = data["cases"][0]["visits"][0]
    assert data["texts"][visit["before"]["values"]] == "[1]"
    assert data["texts"][visit["after"]["best"]] == "1"
    block = data["blocks"][visit["block"]]
    assert (block["path"], block["first"], block["from"], block["to"]) == ("m.py", 2, 1, 6)
    assert data["sources"]["m.py"][1] == "    best = values[0]"


def test_where_nothing_fails_the_passing_runs_are_shown() -> None:
    run = Run(case="green").lines(2)
    trace = run.trace(Status.PASSED)
    done = Recording({}, (), run.sources, run.hierarchy, (trace,))
    data = data_of(page.page(done))
    assert [case["case"] for case in data["cases"]] == ["green"]
    assert data["pairs"] == {}


def test_only_an_older_page_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    done = recording(Run().lines(2))
    page.write(file, done)
    page.write(file, done)
    own = tmp_path / "mod.py"
    own.write_text("x = 1\n")
    with pytest.raises(UsageError, match="is no page of mgdebug"):
        page.write(own, done)
    assert own.read_text() == "x = 1\n"
    with pytest.raises(UsageError, match="is no folder"):
        page.check(tmp_path / "nowhere/page.html")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
def test_a_browser_shows_it(tmp_path: Path) -> None:
    """What the scripts of the page make of it, hostile texts and all."""
    assert CHROMIUM is not None
    file = tmp_path / "page.html"
    page.write(file, hostile())
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    own = f"--user-data-dir={tmp_path / 'profile'}"
    done = subprocess.run(
        [*command, own, file.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    reader = Reader(done.stdout)
    shown = "".join(text for texts in reader.texts.values() for text in texts)
    assert "visit 1 of 6" in reader.texts["where"]
    assert "raised " + HOSTILE[0] in shown
    assert len([tag for tag, _ in reader.tags if tag == "script"]) == 2
    assert not any(tag == "img" for tag, _ in reader.tags)
