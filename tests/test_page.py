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

from mgdebug import page, story
from mgdebug.errors import UsageError
from mgdebug.events import Spent
from mgdebug.model import Alternative, Edit, Evidence, Outcome, Patch, Status, Trace, Value
from mgdebug.story import Asking, Offer, Story, Suspected
from mgdebug.tracing import Recording

HOSTILE = [
    "</script><script>document.title='broken'</script>",
    "<!--<script>",
    "{{data}} {{title}} $&",
    "\u2028\u2029 \ud800 \x00",
    '"}],"cases":[]',
    "<img src=x onerror=alert(1)>",
]
NODE = shutil.which("node")
BROWSERS = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


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


_DIFF = """\
--- a/m.py
+++ b/m.py
@@ -1,4 +1,4 @@
 def f(x):
--- x
+++ x
     \u202ereturn x\ty\r
 # \u00e9
--- a/n.py
+++ b/n.py
@@ -1 +1 @@
-a
\\ No newline at end of file
+b
"""
DIFF = _DIFF.encode().decode("latin-1")  # as an alternative has it: a character a byte
KINDS = [
    *("dim", "dim", "part", "", "bad", "good", "", ""),
    *("dim", "dim", "part", "bad", "", "good"),
]


def told(text: str = "plain") -> Story:
    """A session that says one text wherever it can."""
    value = Value("str", text)
    patch = Patch((Edit("m.py", 0, 1, text),), text, text)
    alternative = Alternative(
        (patch, patch), DIFF, Evidence(text, 3, text, value, None), (text,), (text, text)
    )
    return Story(
        text,
        text,
        ((text, text),),
        (
            Outcome("good", Status.PASSED, 0.25),
            Outcome(text, Status.FAILED, 1.5, text, text),
            Outcome("late", Status.TIMEOUT, 10),
        ),
        ("late",),
        (Suspected(text, 3, 1, 0.875, text, text), Suspected("outer", depth=0)),
        (Offer.of(alternative), Offer(text, ((text, "rejected"), (text, "edited")))),
        (Asking(text, (text, text), text), Asking("f(2)", ())),
        (text,),
        (text,),
        Spent(3, 1, 4, 2000, 300, 0.25),
    )


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


# ----------------------------------------------------------------------------------- a session


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_session_adds_no_tag_and_comes_back_whole(text: str) -> None:
    harmless, evil = page.session_page(None, told()), page.session_page(hostile(), told(text))
    assert [tag for tag, _ in Reader(evil).tags] == [tag for tag, _ in Reader(harmless).tags]
    found = data_of(evil)["story"]
    assert found == data_of(page.session_page(None, told(text)))["story"]
    assert (found["title"], found["stands"], found["facts"][0]) == (text, text, [text, text])
    assert found["failing"]["rows"][0]["detail"] == text
    (title,) = re.findall("<title>(.*)</title>", evil, re.DOTALL)
    seen = text.encode("utf-8", "backslashreplace").decode()
    assert html.unescape(title).replace("\ufffd", "\x00") == f"{seen} - mgdebug session"
    evil.encode("utf-8")


def test_the_data_of_a_session() -> None:
    data = data_of(page.session_page(recording(Run().lines(2)), told()))
    found = data["story"]
    assert len(data["cases"]) == 1
    assert [row["status"] for row in found["failing"]["rows"]] == ["failed", "timeout, flaky"]
    assert [row["case"] for row in found["passing"]["rows"]] == ["good"]
    cost = "3 calls, 1 answered from earlier ones, 2300 tokens, $0.2500"
    assert found["facts"] == [["plain", "plain"], ["model", cost]]
    first, second = found["offers"]
    assert (first["alike"], second["alike"]) == (1, 0)
    assert first["evidence"] == {
        "case": "plain",
        "line": 3,
        "name": "plain",
        "was": "plain",
        "now": None,
    }
    (whole,) = first["hunks"]
    assert "     \\u202ereturn x\ty" in whole["lines"], "what turns a line around is spelt out"
    assert " # é" in whole["lines"]
    assert len(whole["lines"]) == DIFF.count("\n")
    assert [hunk["state"] for hunk in second["hunks"]] == ["rejected", "edited"]


def test_a_diff_is_shown_in_characters_not_in_bytes() -> None:
    patch = Patch((), "search", "n")
    alternative = Alternative((patch,), "+é\n+\xff\n".encode().decode("latin-1"))
    assert Offer.of(alternative).hunks == (("+é\n+ÿ\n", ""),)
    assert Offer.of(Alternative((patch,), "+\xff\n")).hunks == (("+\\xff\n", ""),)
    assert Offer.of(alternative, [("+é", "taken")]).hunks == (("+é", "taken"),)


def test_long_tables_are_cut_and_counted() -> None:
    outcomes = tuple(Outcome(str(n), Status.FAILED) for n in range(story.ROWS + 7))
    found = data_of(page.session_page(None, Story("t", "s", outcomes=outcomes)))["story"]
    assert (len(found["failing"]["rows"]), found["failing"]["count"]) == (500, 507)


def test_a_page_of_a_trace_has_no_story() -> None:
    assert data_of(page.page(recording(Run().lines(2))))["story"] is None


def test_a_session_is_written_over_an_older_page_only(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    page.write(file, recording(Run().lines(2)))
    page.write_session(file, None, told(HOSTILE[3]))
    assert data_of(file.read_text("utf-8"))["story"]["title"] == HOSTILE[3]
    page.write(file, recording(Run().lines(2)))
    own = tmp_path / "mod.py"
    own.write_text("x = 1\n")
    with pytest.raises(UsageError, match="is no page of mgdebug"):
        page.write_session(own, None, told())
    assert own.read_text() == "x = 1\n"


# As much of a browser as the page's script asks for; it prints what was made, by id.
BROWSER = """
const text = require("fs").readFileSync(process.argv[2], "utf8");
class Element {
  constructor(tag) {
    Object.assign(this, { tag, className: "", children: [], style: {}, dataset: {}, hidden: false,
      value: "", attributes: {}, heard: {} });
  }
  append(...parts) { this.children.push(...parts); }
  replaceChildren(...parts) { this.children = parts; }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, what) { this.heard[name] = what; }
  set textContent(content) { this.children = [String(content)]; }
  get textContent() { return this.children.map((one) => one.textContent ?? one).join(""); }
  get rows() { return this.children.filter((child) => child.tag === "tr"); }
  toJSON() {
    const { tag, className, hidden, open, children } = this;
    return { tag, kind: className, hidden, open: Boolean(open), children };
  }
}
const byId = {};
for (const [, tag, id, more] of text.matchAll(/<(\\w+) [^>]*?id="(\\w+)"([^>]*)>/g)) {
  byId[id] = new Element(tag);
  byId[id].hidden = / hidden\\b/.test(more);
}
const scripts = [...text.matchAll(/<script[^>]*>([^]*?)<\\/script>/g)].map((match) => match[1]);
byId.data.textContent = scripts[0];
const heard = {};
globalThis.document = {
  documentElement: new Element("html"),
  getElementById: (id) => byId[id],
  createElement: (tag) => new Element(tag),
  addEventListener: (name, what) => { heard[name] = what; },
};
globalThis.matchMedia = () => ({ matches: false });
new Function(scripts[1])();
for (const key of process.argv.slice(3))
  heard.keydown({ key, target: { tagName: "BODY" }, preventDefault() {} });
delete byId.data;
process.stdout.write(JSON.stringify(byId));
"""


def shown(tmp_path: Path, text: str, *keys: str) -> dict[str, Any]:
    """The elements that the script of a page makes, by the id that they are under."""
    assert NODE is not None
    (tmp_path / "page.html").write_text(text, "utf-8")
    (tmp_path / "browser.js").write_text(BROWSER, "utf-8")
    command = [NODE, str(tmp_path / "browser.js"), str(tmp_path / "page.html"), *keys]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def within(element: Any) -> list[dict[str, Any]]:
    if isinstance(element, str):
        return []
    return [element, *(inner for child in element["children"] for inner in within(child))]


def said(element: Any) -> str:
    return element if isinstance(element, str) else "".join(map(said, element["children"]))


@pytest.mark.skipif(NODE is None, reason="there is no node")
@pytest.mark.parametrize("text", ["plain", *HOSTILE])
def test_the_script_shows_a_session_whatever_it_says(tmp_path: Path, text: str) -> None:
    found = shown(tmp_path, page.session_page(hostile(), told(text)), "ArrowRight", "t", "b")
    assert said(found["head"]) == f"mgdebug session: {text}"
    body = found["story"]
    assert not body["hidden"]
    heads = [said(one) for one in within(body) if one["tag"] == "h2"]
    assert heads == [
        *("How it stands", "Applied", "2 patches", "Cases: 2 of 3 fail", "Suspects"),
        *("Questions", "Warnings"),
    ]
    tags = {one["tag"] for under in found.values() for one in within(under)}
    assert not tags & {"script", "img", "iframe", "a", "style", "link", "object", "svg"}
    texts = [said(one) for one in within(body) if all(isinstance(c, str) for c in one["children"])]
    assert texts.count(text) >= 14
    assert said(found["where"]) == "visit 2 of 6"
    assert not found["ways"]["hidden"]


@pytest.mark.skipif(NODE is None, reason="there is no node")
def test_the_script_marks_each_line_of_a_diff_and_each_outcome(tmp_path: Path) -> None:
    body = shown(tmp_path, page.session_page(None, told()))["story"]
    hunks = [one for one in within(body) if one["kind"].startswith("hunk")]
    first = [one for one in within(hunks[0]) if one["tag"] == "span"]
    assert [one["kind"] for one in first] == KINDS
    assert [said(one) for one in first][4] == "--- x"
    assert [one["kind"] for one in hunks] == ["hunk", "hunk rejected", "hunk"]
    assert [said(one["children"][0]) for one in hunks[1:]] == ["rejected", "edited"]
    everything = said(body)
    for words in (
        *("✗ failed", "✗ timeout, flaky", "✓ passed", "✓ 1 pass", "0.88", "left open", "not there"),
        *("Why it is the first", "1 more patch does the same"),
        *("Warning: it may only look right", "1. plain", "2. plain", "10.00 s"),
    ):
        assert words in everything
    offers = [one for one in within(body) if one["tag"] == "details"]
    assert [said(one["children"][0]) for one in offers if one["open"]] == ["1. plain"]


@pytest.mark.skipif(NODE is None, reason="there is no node")
def test_without_runs_the_timeline_is_hidden_and_its_keys_do_nothing(tmp_path: Path) -> None:
    bare = page.session_page(None, Story("m.py", "nothing fails"))
    found = shown(tmp_path, bare, "ArrowRight", "n", "N", "c", "b", "t", "End")
    assert [found[name]["hidden"] for name in ("ways", "cases", "keys")] == [True, True, True]
    assert [said(one) for one in within(found["story"]) if one["tag"] == "h2"] == ["How it stands"]
    trace = shown(tmp_path, page.page(recording(Run().lines(2, 3))), "End")
    assert (said(trace["head"]), trace["story"]["hidden"]) == ("", True)
    assert said(trace["where"]) == "visit 2 of 2"


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
