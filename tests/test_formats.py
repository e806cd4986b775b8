"""What `mgdebug fix` leaves for the machines of others: real runs, read back by readers that know
nothing of ours."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import pytest

from mgdebug.cli.reporting import Reporting
from mgdebug.decoding import from_json
from mgdebug.errors import EnvironmentFailure
from mgdebug.events import Collected, Event, Finished, Started, Warned
from mgdebug.formats import FORMATS, Report, github, written
from mgdebug.formats.report import bases
from mgdebug.model import (
    Alternative,
    Case,
    CaseKind,
    Edit,
    Outcome,
    Partial,
    Patch,
    Repair,
    Status,
    Stop,
    Target,
    Verdict,
)
from mgdebug.session.account import Account
from mgdebug.session.driving import Told
from mgdebug.session.saved import Deed, Shown, read

HERE = Path(__file__).parent
DEMOS = HERE.parent / "demos"
GIT = shutil.which("git")
BROWSERS = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)

# A byte order mark, CRLF, no end of the last line, and before the fault on its line a character of
# two bytes and one of four.
ODD = (
    b"\xef\xbb\xbf"
    + "\r\n".join(
        (
            "def größte(werte):",
            "    'Ä'",
            "    beste = werte[0]",
            "    for wert in werte:",
            "        if 'é😀' and wert < beste:  # ü",
            "            beste = wert",
            "    return beste",
        )
    ).encode()
)
ODD_TESTS = """\
from maß import größte


def test_eins():
    assert größte([3]) == 3


def test_zwei():
    assert größte([1, 2]) == 2
"""
EVIL = (
    "a\x1b[31m::error::no\r\n::set-output name=x::y,z:%0A%25 ]]> <b>&\u202e`|*_ "
    "\ud800\udcff\x00\ufffe"
)


@dataclass(frozen=True)
class Ran:
    """A run of the command."""

    root: Path
    code: int
    out: bytes
    err: str


def fix(root: Path, *arguments: str, **more: str) -> Ran:
    dropped = ("MGDEBUG_", "VIRTUAL_ENV", "GITHUB_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    done = subprocess.run(
        [sys.executable, "-m", "mgdebug", "fix", *arguments],
        cwd=root,
        env={**own, "XDG_STATE_HOME": str(root.parent / "state"), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Ran(root, done.returncode, done.stdout, done.stderr.decode())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The shop in a folder of a repository, with all that is written for GitHub."""
    top = tmp_path_factory.mktemp("repository")
    (top / ".git").mkdir()
    root = top / "the shop"
    shutil.copytree(DEMOS / "shop", root)
    (top / "summary.md").write_text("earlier\n")
    where = "prices.py::discount_percent"
    return fix(
        root,
        *(where, "--format", "github", "--report", "../page.html"),
        GITHUB_STEP_SUMMARY=str(top / "summary.md"),
    )


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A run on a file with CRLF and more; its events, folded by another process."""
    root = tmp_path_factory.mktemp("odd") / "project"
    root.mkdir()
    (root / "maß.py").write_bytes(ODD)
    (root / "test_maß.py").write_text(ODD_TESTS, "utf-8")
    ran = fix(root, "--format", "json")
    assert ran.code == 1, ran.err
    return folded(root, map(from_json, ran.out.decode().splitlines()))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A run that was recorded once: its patch changes two files."""
    root = tmp_path_factory.mktemp("library") / "library"
    shutil.copytree(DEMOS / "library", root)
    recorded = read(HERE / "screens/library.jsonl")
    return folded(root, (entry for entry in recorded if not isinstance(entry, Deed | Shown)))


def folded(root: Path, events: Iterable[Event], code: int = 1) -> Report:
    target, account, before = Target(root, root), Account(), {}
    told = Told(target)
    for event in events:
        heard = told.prepared(event)
        account.files = heard.files or account.files
        account.hear(event)
        if isinstance(event, Finished) and event.repair.patch is not None:
            before = bases(target, event.repair.patch, event.repair.base)
    return Report(target, account, code, before)


def red(root: Path, *outcomes: Outcome, flaky: tuple[str, ...] = (), **end: Any) -> Report:
    """A run of which only the outcomes are known, and how it ended."""
    cases = tuple(Case(o.case, CaseKind.PYTEST, o.case.partition("::")[0]) for o in outcomes)
    failed = tuple(o.case for o in outcomes if not o.status.ok)
    repair = Repair(Verdict((), failed), **{"stop": Stop.EXHAUSTED, **end})
    events: tuple[Event, ...] = (
        Started(str(root), "", "", "python", ("search",)),
        Collected("python", cases, outcomes, flaky, 1.0),
        *(Warned(f"{name} could not be collected", f"E {EVIL}") for name in repair.uncollected),
        Finished(repair),
    )
    return folded(root, events)


# ------------------------------------------------------------------------------ other readers


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Workflow commands as the runner reads them."""

    def plain(value: str) -> str:
        for escape, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n")):
            value = value.replace(escape, character)
        return value.replace("%25", "%")

    found = []
    for line in text.split("\n")[:-1]:
        match = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        assert match, line
        pairs = (pair.split("=", 1) for pair in match[2].split(","))
        found.append((match[1], {k: plain(v) for k, v in pairs}, plain(match[3])))
    return found


def replayed(data: bytes, replacements: list[dict[str, Any]], encoding: str) -> bytes:
    """A file with the replacements of a SARIF fix, by the words of its specification: lines end
    with CRLF or LF, columns are code points from 1, a byte order mark is no part of the text."""
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    text = data[len(mark) :].decode(encoding)
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n", text))]
    for one in sorted(replacements, key=lambda r: -int(r["deletedRegion"]["startLine"])):
        region = one["deletedRegion"]
        start = starts[region["startLine"] - 1] + region["startColumn"] - 1
        end = starts[region["endLine"] - 1] + region["endColumn"] - 1
        text = text[:start] + one["insertedContent"]["text"] + text[end:]
    return mark + text.encode(encoding)


def sarif(report: Report) -> dict[str, Any]:
    """The one run of the document; what the specification asks of all of them is checked."""
    log = json.loads(written("sarif", report))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["partialFingerprints"]
        assert result["locations"]
        ids = [one["id"] for one in result.get("relatedLocations", ())]
        assert len(ids) == len(set(ids))
    for region in within(run, "region", "deletedRegion"):
        assert 1 <= region["startLine"] <= region.get("endLine", region["startLine"])
        assert all(column >= 1 for name, column in region.items() if "Column" in name)
    for place in within(run, "artifactLocation"):
        assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", place["uri"]), place
        assert place["uriBaseId"] in run["originalUriBaseIds"]
    found: dict[str, Any] = run
    return found


def within(data: object, *names: str) -> Iterator[Any]:
    """The values of some keys, wherever they are."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name in names:
                yield value
            yield from within(value, *names)
    elif isinstance(data, list):
        for value in data:
            yield from within(value, *names)


def junit(report: Report) -> ElementTree.Element:
    suites = ElementTree.fromstring(written("junit", report).encode())
    (suite,) = suites
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[count]) == sum(case.find(tag) is not None for case in cases)
    return suite


# ------------------------------------------------------------------------------------- GitHub


def test_the_log_has_the_patch_and_an_error_for_each_failing_case(shop: Ran) -> None:
    assert shop.code == 1, shop.err
    first, *rest = commands(shop.out.decode())
    kind, where, message = first
    assert (kind, where["file"], where["line"]) == ("notice", "the shop/prices.py", "11")
    assert message.startswith("prices.py:11, discount_percent: `>` becomes `>=`\nin test_cart.py")
    assert "9 cases pass in a fresh process" in message
    assert message.endswith("mgdebug fix --apply prices.py::discount_percent")
    assert [(kind, where["line"]) for kind, where, _ in rest] == [("error", "11")] * 2
    kind, where, message = rest[0]
    assert where["title"] == "test_cart.py::test_ten_pens_earn_the_first_discount"
    assert "failed: assert 1490 == (950 + 490)\nit parts from test_" in message
    assert "patch     prices.py:11" in shop.err, "the narration goes on beside it"


def test_the_summary_of_the_step_has_the_diff_and_how_to_apply_it(shop: Ran) -> None:
    text = (shop.root.parent / "summary.md").read_text("utf-8")
    assert text.startswith("earlier\n## mgdebug\n\n2 of 9 cases fail.\n")
    assert "```diff\n--- a/prices.py\n" in text
    assert "+        if quantity >= least:\n" in text
    assert "at `the shop/test_cart.py:31`" in text
    said = "To apply it in `the shop`: `mgdebug fix --apply prices.py::discount_percent`"
    assert text.endswith(f"```\n\n{said}\n")


def test_the_first_ten_annotations_are_of_as_many_places_as_there_are(tmp_path: Path) -> None:
    outcomes = [Outcome(f"test_a.py::test_{n}", Status.FAILED) for n in range(30)]
    outcomes += [Outcome(f"test_{n}.py::test", Status.FAILED) for n in range(4)]
    for outcome in outcomes:
        (tmp_path / outcome.case.partition("::")[0]).touch()
    found = commands(written("github", red(tmp_path, *outcomes)))
    errors = [where["file"] for kind, where, _ in found if kind == "error"]
    assert sorted(errors[:5]) == ["test_0.py", "test_1.py", "test_2.py", "test_3.py", "test_a.py"]
    assert len(errors) == 34
    (warning,) = (message for kind, _, message in found if kind == "warning")
    assert "34 are red; the first 10" in warning


# -------------------------------------------------------------------------------------- SARIF


@pytest.mark.skipif(GIT is None, reason="git is not installed")
@pytest.mark.parametrize("name", ["odd", "library"])
def test_a_fix_gives_the_bytes_that_git_apply_gives(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    report: Report = request.getfixturevalue(name)
    run, root = sarif(report), report.target.root
    assert run["columnKind"] == "unicodeCodePoints"
    assert len(run["results"]) == len(report.account.failing) > 0
    for result in run["results"]:
        (one,) = result["fixes"]
        made = {}
        for change in one["artifactChanges"]:
            uri = change["artifactLocation"]["uri"]
            path = unquote_to_bytes(uri).decode()
            (known,) = (a for a in run["artifacts"] if a["location"]["uri"] == uri)
            data = (root / path).read_bytes()
            made[path] = replayed(data, change["replacements"], known["encoding"])
    copy = shutil.copytree(root, tmp_path / "copy")
    assert report.best is not None
    (tmp_path / "diff").write_bytes(report.best.diff.encode("latin-1"))
    subprocess.run(["git", "init", "-q", "."], cwd=copy, check=True)
    subprocess.run(["git", "apply", tmp_path / "diff"], cwd=copy, check=True)
    changed = {
        path.name: path.read_bytes()
        for path in copy.glob("*.py")
        if path.read_bytes() != (root / path.name).read_bytes()
    }
    assert made == changed
    assert len(changed) == {"odd": 1, "library": 2}[name]


def test_a_result_leads_to_the_patch_the_divergence_and_the_assertion(library: Report) -> None:
    run = sarif(library)
    (result,) = (r for r in run["results"] if "test_lending.py" in r["message"]["text"])
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "lending.py"
    assert place["physicalLocation"]["region"]["startLine"] == 8
    related = {
        one["message"]["text"].partition(" ")[0]: one["physicalLocation"]
        for one in result["relatedLocations"]
    }
    assert related["it"]["artifactLocation"]["uri"] == "lending.py"
    assert related["where"]["artifactLocation"]["uri"] == "test_lending.py"
    assert related["where"]["region"]["startLine"] == 10
    (invocation,) = run["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (1, True)


def test_a_flagged_patch_and_one_that_is_applied_are_no_fix(library: Report) -> None:
    applied = Report(library.target, library.account, 0, library.before, ("fees.py",))
    assert not any("fixes" in result for result in sarif(applied)["results"])
    patch = Patch((Edit("fees.py", 0, 1, "x"),), "search", "note")
    best = Alternative((patch,), "", flags=("it exits",))
    failed = Outcome("test_fees.py::test", Status.FAILED)
    end: dict[str, Any] = {
        "patch": patch,
        "alternatives": (best,),
        "after": Verdict((failed.case,), ()),
    }
    flagged = red(library.target.root, failed, stop=Stop.FIXED, **end)
    (result,) = sarif(flagged)["results"]
    assert "fixes" not in result
    assert "flagged: it exits" in result["message"]["text"]
    (kind, _, message), _ = commands(written("github", flagged))
    assert kind == "warning"
    assert "flagged: it exits" in message


# -------------------------------------------------------------------------------------- JUnit


def test_junit_is_what_pytest_would_have_written_and_what_was_found_out(odd: Report) -> None:
    suite = junit(odd)
    names = [(case.attrib["classname"], case.attrib["name"]) for case in suite.iter("testcase")]
    assert names == [("test_maß", "test_eins"), ("test_maß", "test_zwei")]
    (failure,) = suite.iter("failure")
    assert failure.attrib["message"] == "assert 1 == 2"
    assert "test_maß.py:9: AssertionError" in (failure.text or "")
    (out,) = suite.iter("system-out")
    for words in ("suspect: maß.py: größte", "patch: maß.py:5, größte: `<` becomes `>`"):
        assert words in (out.text or "")
    assert "+        if 'é😀' and wert > beste:  # ü\n" in (out.text or "")
    nested = junit(red(Path("/"), Outcome("a/b/test_c.py::T::test_d[x/y::z]", Status.CRASHED)))
    (case,) = nested.iter("testcase")
    assert case.attrib["classname"] == "a.b.test_c.T"
    assert case.attrib["name"] == "test_d[x/y::z]"
    assert case.find("error") is not None


# ------------------------------------------------------------------------------ what may come


def test_hostile_texts_are_spelled_out_in_every_format(tmp_path: Path) -> None:
    """Nothing of them is obeyed by who reads the document, and all of it is there."""
    name = f"test_\udcff/{EVIL}.py"
    report = red(
        tmp_path,
        Outcome(f"{name}::test[{EVIL}]", Status.FAILED, message=EVIL, detail=f"{EVIL}\n{EVIL}"),
        Outcome("test_b.py::late", Status.FAILED, message="once"),
        flaky=("test_b.py::late",),
        uncollected=(f"{name}x",),
        partial=Partial(
            *(Patch((), "search", EVIL), EVIL.encode("utf-8", "replace").decode("latin-1")),
            *(1, 2),
        ),
    )
    spelled = r"a\x1b[31m::error::no\r\n::set-output name=x::y,z:%0A%25 ]]> <b>&\u202e`|*_ \ud800"
    found = commands(written("github", report))
    assert [kind for kind, _, _ in found] == ["notice", "error", "error", "warning"]
    assert all(set(where) <= {"file", "line", "endLine", "title"} for _, where, _ in found)
    assert spelled in found[1][2]
    for result in sarif(report)["results"][:2]:
        assert spelled in result["message"]["text"]
    suite = junit(report)
    failure, late = suite.iter("failure")
    assert spelled.replace(r"\r", "").replace(r"\n", "\n") in failure.attrib["message"]
    assert late.attrib["message"] == "flaky, it passed when it was run again: once"
    (missed,) = suite.iter("error")
    assert missed.attrib["message"]
    for form in FORMATS:
        text = written(form, report)
        text.encode("utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", text), form
    words = re.sub(r"(`+)[^`].*?\1", "", github.summary(report), flags=re.DOTALL)
    assert "Best so far" in words
    assert not re.search(r"(?<!\\)[<>|*]", words), "what is no code is no mark either"


@pytest.mark.parametrize(
    ("stop", "code"), [(Stop.CLEAN, 0), (Stop.NO_CASES, 5)], ids=["clean", "no cases"]
)
def test_where_nothing_is_red_the_documents_are_valid_and_empty(
    tmp_path: Path, stop: Stop, code: int
) -> None:
    outcomes = (Outcome("test_a.py::test", Status.PASSED),) if stop is Stop.CLEAN else ()
    made = red(tmp_path, *outcomes, stop=stop)
    report = Report(made.target, made.account, code)
    run = sarif(report)
    assert (run["results"], run["invocations"][0]["exitCode"]) == ([], code)
    assert len(junit(report).findall("testcase")) == len(outcomes)
    told = commands(written("github", report))
    assert [(kind, where) for kind, where, _ in told] == [("error", {"title": "mgdebug"})] * bool(
        code
    )
    assert github.summary(report) == ""


def test_what_is_known_is_written_where_the_run_breaks_off(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    reporting = Reporting(Target(tmp_path, tmp_path), "sarif", tmp_path / "page.html")
    reporting.hear(Started(str(tmp_path), "", "", "python", ("search",)))
    failed = Outcome("test_a.py::test", Status.FAILED, message="assert 0")
    reporting.hear(Collected("python", (), (failed,), (), 1.0))
    for error, code in ((KeyboardInterrupt(), 130), (EnvironmentFailure("gone", "look"), 3)):
        reporting.give_up(error)
        run = json.loads(capsysbinary.readouterr().out)["runs"][0]
        (invocation,) = run["invocations"]
        assert (invocation["exitCode"], invocation["executionSuccessful"]) == (code, False)
        assert len(run["results"]) == 1
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "stopped, 1 failing, gone" in text
    assert "assert 0" in text


# ----------------------------------------------------------------------------------- the page


def test_the_page_of_a_run_has_cases_divergence_timeline_and_patch(shop: Ran) -> None:
    text = (shop.root.parent / "page.html").read_text("utf-8")
    match = re.search(r'<script type="application/json" id="data">(.*)</script>', text)
    assert match
    data = json.loads(match[1])
    story = data["story"]
    assert story["stands"] == "found, 2 failing, 7 passed"
    assert ["verified", "9 cases pass in a fresh process"] in story["facts"]
    assert [row["ok"] for row in story["failing"]["rows"]] == [False, False]
    offer = story["offers"][0]
    assert "+        if quantity >= least:" in offer["hunks"][0]["lines"]
    assert (offer["evidence"]["was"], offer["evidence"]["now"]) == ("False", "True")
    parted = [case for case, pair in data["pairs"].items() if pair["parts"]]
    assert parted
    assert all(run["visits"] for run in data["cases"] if run["case"] in parted)
    assert "report    ../page.html" in shop.err


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
def test_a_browser_shows_the_page_of_a_run(shop: Ran, tmp_path: Path) -> None:
    """Where runs part too: a click on the first button of the story leads there."""
    assert CHROMIUM is not None
    text = (shop.root.parent / "page.html").read_text("utf-8")
    click = "<script>document.querySelector('#story button').click()</script></body>"
    file = tmp_path / "page.html"
    file.write_text(text.replace("</body>", click), "utf-8")
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    for words in ("1. prices.py:11", "Cases: 2 of 9 fail", "It parts from", "Here they part"):
        assert words in done.stdout


def test_a_page_that_cannot_be_written_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    ran = fix(tmp_path, "--report", "nowhere/page.html")
    assert (ran.code, ran.out) == (2, b"")
    assert "nowhere is no folder" in ran.err
    both = fix(tmp_path, "--diff", "--format", "sarif")
    assert (both.code, both.out) == (2, b"")
    assert "both write to standard output" in both.err
