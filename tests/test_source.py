"""Bytes, text, spans, edits and diffs of one file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgdebug.errors import SourceError
from mgdebug.languages.python import Python
from mgdebug.model import Edit
from mgdebug.syntax.literals import literal, same
from mgdebug.syntax.source import SourceFile, edits_between, unified_diff

GRAMMAR = Python().grammar()
BOM = b"\xef\xbb\xbf"


def source(data: bytes | str, path: str = "mod.py") -> SourceFile:
    return SourceFile(path, data.encode() if isinstance(data, str) else data, GRAMMAR)


def changed(file: SourceFile, *changes: tuple[str, str]) -> SourceFile:
    """The file with the first occurrence of each old text replaced."""
    edits = []
    for old, new in changes:
        start = file.text.index(old.encode())
        edits.append(Edit(file.path, start, start + len(old.encode()), new))
    return file.splice(edits)


# ------------------------------------------------------------------------------ encodings


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        pytest.param(b"x = 'ab'\n", "utf-8", "x = 'ab'\n", id="ascii"),
        pytest.param("x = 'né€😀'\n".encode(), "utf-8", "x = 'né€😀'\n", id="utf-8"),
        pytest.param(BOM + b"x = '\xc3\xa9'\n", "utf-8", "x = 'é'\n", id="byte order mark"),
        pytest.param(
            b"# -*- coding: latin-1 -*-\nx = '\xe9'\n",
            "iso-8859-1",
            "# -*- coding: latin-1 -*-\nx = 'é'\n",
            id="latin-1",
        ),
        pytest.param(
            b"#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n",
            "cp1252",
            "#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\nx = '€'\n",
            id="cp1252 in the second line",
        ),
        pytest.param(
            b"# coding: shift_jis\nx = '\x83\\'\n",
            "shift_jis",
            "# coding: shift_jis\nx = 'ソ'\n",
            id="a second byte that looks like a backslash",
        ),
        pytest.param(
            b"x = 1\n# the coding: latin-1 of old\ny = 2\n",
            "utf-8",
            "x = 1\n# the coding: latin-1 of old\ny = 2\n",
            id="no cookie behind code",
        ),
    ],
)
def test_the_text_is_utf8_whatever_the_bytes_are(data: bytes, encoding: str, text: str) -> None:
    file = source(data)
    assert file.encoding == encoding
    assert file.text.decode() == text
    assert not file.tree.root_node.has_error


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"x = '\xff'\n", "mod.py:1: byte 0xff is not utf-8", id="first line"),
        pytest.param(b"\nx = '\xe9'\n", "mod.py:2: byte 0xe9 is not utf-8", id="second line"),
        pytest.param(b"\r\n\r\n\r\n\xe9", "mod.py:4: byte 0xe9 is not utf-8", id="later"),
        pytest.param(BOM + b"\n\n\n\xe9", "mod.py:4: byte 0xe9 is not utf-8", id="behind a mark"),
        pytest.param(
            b"# coding: ascii\n\n\xc3\xa9", "mod.py:3: byte 0xc3 is not ascii", id="ascii"
        ),
        pytest.param(b"# coding: nope\n", "mod.py: unknown encoding: nope", id="unknown"),
        pytest.param(
            BOM + b"# coding: latin-1\n", "mod.py: encoding problem: utf-8", id="mark and cookie"
        ),
        pytest.param(b"# coding: rot13\n", "mod.py: rot13 is no encoding of text", id="rot13"),
        pytest.param(
            b"# coding: utf-7\nx = '+AAo-'\n",
            "mod.py: its bytes do not survive decoding and encoding as utf-7",
            id="two spellings of one text",
        ),
    ],
)
def test_bytes_that_are_no_text_are_refused_with_their_place(data: bytes, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        source(data)
    assert caught.value.message == message
    assert "UTF-8" in caught.value.hint


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^gone\.py: no such file"):
        SourceFile.read(tmp_path, "gone.py", GRAMMAR)
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(SourceError, match=r"^folder\.py: is a directory"):
        SourceFile.read(tmp_path, "folder.py", GRAMMAR)


def test_reading_takes_the_bytes_as_they_are(tmp_path: Path) -> None:
    data = BOM + b"x = 1\r\ny = 2\n\tz"
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a b.py").write_bytes(data)
    file = SourceFile.read(tmp_path, "sub/a b.py", GRAMMAR)
    assert (file.path, file.data) == ("sub/a b.py", data)
    assert file.sha256 == source(data).sha256 != source(data + b"\n").sha256


# ------------------------------------------------------------------------------ positions


@pytest.mark.parametrize(
    ("text", "newline"),
    [
        ("", "\n"),
        ("x = 1", "\n"),
        ("x = 1\ny = 2\n", "\n"),
        ("x = 1\r\ny = 2\r\n", "\r\n"),
        ("x = 1\r\ny = 2\r\nz = 3\n", "\r\n"),
        ("x = 1\r\ny = 2\nz = 3\n", "\n"),
        ("x = 1\r\ny = 2\n", "\n"),
    ],
)
def test_the_line_end_is_that_of_most_lines(text: str, newline: str) -> None:
    assert source(text).newline == newline


def test_lines_are_counted_from_one_and_shown_without_their_ends() -> None:
    file = source("a = 'é'\r\n\nb = 2")
    assert [file.line_of(at) for at in (0, 8, 10, 11, 12, 16)] == [1, 1, 2, 3, 3, 3]
    assert [file.line_text(line) for line in (1, 2, 3)] == ["a = 'é'", "", "b = 2"]
    assert source("").line_of(0) == 1
    assert source("").line_text(1) == ""
    assert source("a\n").line_text(2) == ""


def test_a_span_counts_bytes_and_ends_on_the_line_of_its_last_byte() -> None:
    file = source("é = 1\nif é:\n    é = (2,\n         3)\n")
    branch = file.tree.root_node.children[1]
    span = file.span(branch)
    assert file.slice(span.start, span.end) == "if é:\n    é = (2,\n         3)"
    assert (span.start, span.first_line, span.last_line) == (7, 2, 4)


@pytest.mark.parametrize(
    ("text", "word", "indent"),
    [
        ("x", "x", ""),
        ("if a:\n    x", "x", "    "),
        ("if a:\n\tx", "x", "\t"),
        ("if a:\r\n \t x", "x", " \t "),
        ("if a:\n  if é: x", "x", "  "),
        ("if a:\n  b; x", "x", "  "),
    ],
)
def test_the_indent_is_that_of_the_line(text: str, word: str, indent: str) -> None:
    assert source(text).indent(text.encode().index(word.encode())) == indent


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("def f(:\n    pass\n", 1, 7, "missing )"),
        ("def f():\n    é = (1, $, 2)\n", 2, 13, "$,"),
        ("if é:\n\tx = 1\n\té = 2 2\n", 3, 6, "2"),
        ("é = 0\r\nx = [1,\r\n2\r\n", 2, 1, "x = [1,"),
        ("if x\n    y = 1\n", 1, 1, "if x"),
    ],
)
def test_errors_have_a_line_and_a_column_in_characters(
    text: str, line: int, column: int, what: str
) -> None:
    assert (line, column, what) in source(text).errors


@pytest.mark.parametrize("text", ["", "\n", "# only this\n", "x = 1", "def f(): return 'é'\n"])
def test_text_that_parses_has_no_errors(text: str) -> None:
    assert source(text).errors == []


# -------------------------------------------------------------------------------- splicing


@pytest.mark.parametrize(
    ("data", "changes", "after"),
    [
        pytest.param(
            b"a = 1\r\nb = 2\r\n", [("2", "3")], b"a = 1\r\nb = 3\r\n", id="line ends stay"
        ),
        pytest.param(
            b"a = 1\r\nb = 2\nc = 3", [("3", "4")], b"a = 1\r\nb = 2\nc = 4", id="mixed ends"
        ),
        pytest.param(b"if a:\n\tb = 1\n", [("1", "2")], b"if a:\n\tb = 2\n", id="tabs"),
        pytest.param(b"a = 1  \n\x0c\n", [("1", "2")], b"a = 2  \n\x0c\n", id="odd white space"),
        pytest.param(BOM + b"a = 1\n", [("a", "b")], BOM + b"b = 1\n", id="byte order mark"),
        pytest.param(
            b"# coding: latin-1\na = '\xe9' + b\n",
            [("b\n", "'ü'\n")],
            b"# coding: latin-1\na = '\xe9' + '\xfc'\n",
            id="latin-1",
        ),
        pytest.param(
            b"# coding: cp1252\na = '\x80', 1\n",
            [(", 1", ", 2")],
            b"# coding: cp1252\na = '\x80', 2\n",
            id="cp1252",
        ),
        pytest.param(
            "é = 'ü' + 'ö'\n".encode(),
            [("ö", "o"), ("é", "e"), ("ü", "ue")],
            b"e = 'ue' + 'o'\n",
            id="several, in any order",
        ),
        pytest.param(
            b"f(a, b)\n", [("a", "b"), ("b)", "a)")], b"f(b, a)\n", id="neighbours that touch not"
        ),
        pytest.param(b"ab\n", [("a", "x"), ("b", "y")], b"xy\n", id="neighbours that touch"),
        pytest.param(b"a = 1\n", [], b"a = 1\n", id="none"),
        pytest.param(b"a = 1\n", [("1", "1")], b"a = 1\n", id="the same text"),
        pytest.param(b"", [("", "a = 1\n")], b"a = 1\n", id="into an empty file"),
        pytest.param(b"a = 1\n", [("a = 1\n", "")], b"", id="everything"),
    ],
)
def test_a_splice_changes_its_bytes_and_no_other(
    data: bytes, changes: list[tuple[str, str]], after: bytes
) -> None:
    before = source(data)
    assert changed(before, *changes).data == after
    assert before.data == data


def test_insertions_at_one_place_keep_their_order() -> None:
    edits = [Edit("mod.py", 2, 2, "1"), Edit("mod.py", 2, 2, "2"), Edit("mod.py", 2, 3, "x")]
    assert source("ab|cd").splice(edits).data == b"ab12xcd"


def test_edits_of_other_files_are_left_alone() -> None:
    edits = [Edit("other.py", 0, 1, "z"), Edit("mod.py", 0, 1, "y")]
    assert source("a = 1\n").splice(edits).data == b"y = 1\n"


@pytest.mark.parametrize(
    "places", [[(0, 3), (2, 4)], [(2, 4), (0, 3)], [(1, 3), (1, 3)], [(0, 5), (2, 2)]]
)
def test_overlapping_edits_are_refused(places: list[tuple[int, int]]) -> None:
    edits = [Edit("mod.py", start, end, "z") for start, end in places]
    with pytest.raises(ValueError, match=r"^overlapping edits at byte [12] of mod\.py$"):
        source("abcdef\n").splice(edits)


def test_a_character_without_a_place_in_the_encoding_is_refused() -> None:
    with pytest.raises(SourceError, match=r"^mod\.py: '€' cannot be written as iso-8859-1$"):
        changed(source(b"# coding: latin-1\nx = '\xe9'\n"), ("é", "€"))
    with pytest.raises(SourceError, match="cannot be written as utf-8"):
        changed(source("x = 1\n"), ("1", "'\udc80'"))


def test_an_edit_that_takes_the_cookie_away_is_refused() -> None:
    file = source(b"# coding: latin-1\nx = '\xe9'\n")
    with pytest.raises(SourceError, match=r"^mod\.py:2: byte 0xe9 is not utf-8"):
        changed(file, ("coding: ", ""))


# ----------------------------------------------------------------------------------- diffs

LONG = b"".join(b"line_%d = %d\n" % (i, i) for i in range(40))


@pytest.mark.parametrize("path", ["mod.py", "a folder/my mod.py", "größe/naïve.py"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"a = 1\nb = 2\n", b"a = 1\nb = 3\n", id="plain"),
        pytest.param(b"a = 1\r\nb = 2\r\n", b"a = 1\r\nb = 3\r\n", id="CRLF"),
        pytest.param(b"a = 1\r\nb = 2\nc = 3\n", b"a = 1\nb = 2\nc = 4\r\n", id="mixed ends"),
        pytest.param(b"a = 1\nb = 2", b"a = 1\nb = 3", id="no final line end"),
        pytest.param(b"a = 1\nb = 2", b"a = 1\nb = 2\n", id="final line end comes"),
        pytest.param(b"a = 1\nb = 2\n", b"a = 1\nb = 2", id="final line end goes"),
        pytest.param(b"a = 1\r\nb = 2", b"a = 1\r\nb = 3", id="CRLF without a final one"),
        pytest.param(b"x = '\xe9'\ny = 1\n", b"x = '\xe9'\ny = '\xfc'\n", id="latin-1"),
        pytest.param(b"x = '\x85\x0c\r'\ny = 1\n", b"x = '\x85\x0c'\ny = 2\n", id="other ends"),
        pytest.param(BOM + b"a = 1\n", BOM + b"a = 2\n", id="byte order mark"),
        pytest.param(b"\tif a:\n\t\tb\n", b"\tif a:\n\t\tc\n", id="tabs"),
        pytest.param(b"- a\n+ b\n", b"--- a\n+++ b\n", id="lines that look like a diff"),
        pytest.param(LONG, LONG.replace(b"= 3\n", b"= 0\n").replace(b"= 30", b"= 0"), id="hunks"),
        pytest.param(LONG, b"new = 1\n" + LONG + b"last = 2\n", id="at both ends"),
        pytest.param(b"", b"a = 1\n", id="from nothing"),
        pytest.param(b"a = 1\n", b"", id="to nothing"),
    ],
)
def test_git_takes_the_diff(tmp_path: Path, path: str, before: bytes, after: bytes) -> None:
    def git(*arguments: str, stdin: bytes = b"") -> None:
        command = ["git", "-c", "core.autocrlf=false", *arguments]
        done = subprocess.run(command, cwd=tmp_path, input=stdin, capture_output=True)
        assert done.returncode == 0, done.stderr

    git("init", "--quiet")
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(before)
    git("add", path)
    diff = unified_diff(path, before, after)
    git("apply", "--check", stdin=diff)
    git("apply", stdin=diff)
    assert file.read_bytes() == after
    git("apply", "--reverse", stdin=diff)
    assert file.read_bytes() == before


def test_a_path_with_a_space_ends_in_a_tab_as_other_tools_want_it() -> None:
    head = unified_diff("a b.py", b"1\n", b"2\n").splitlines()[:2]
    assert head == [b"--- a/a b.py\t", b"+++ b/a b.py\t"]
    assert unified_diff("ab.py", b"1\n", b"2\n").startswith(b"--- a/ab.py\n+++ b/ab.py\n")


@pytest.mark.parametrize("data", [b"", b"a = 1", b"a = 1\n", b"a = 1\r\n", b"\xe9\n", LONG])
def test_equal_bytes_have_no_diff_and_no_edits(data: bytes) -> None:
    assert unified_diff("mod.py", data, data) == b""
    assert edits_between("mod.py", data, data) == ()


def test_the_context_of_a_diff_is_as_wide_as_asked() -> None:
    after = LONG.replace(b"line_20 = 20", b"line_20 = 0")
    assert unified_diff("mod.py", LONG, after, context=0).count(b"\n") == 5
    assert unified_diff("mod.py", LONG, after).count(b"\n") == 11


# -------------------------------------------------------------------------- edits between

# Few lines of many sorts of ends and lengths, so that equal, moved and changed ones are common.
LINES = st.lists(
    st.sampled_from(["a", "b", "é", "", "\t", "a\n", "b\n", "é😀\n", "\r\n", "\n", "\r"])
)


@given(LINES, LINES)
def test_edits_between_two_texts_lead_from_one_to_the_other(one: list[str], two: list[str]) -> None:
    before, after = "".join(one), "".join(two)
    edits = edits_between("mod.py", before.encode(), after.encode())
    assert source(before).splice(edits).text.decode() == after
    assert bool(edits) == (before != after)


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_edits_between_any_two_texts_lead_from_one_to_the_other(one: str, two: str) -> None:
    # A line of code in front keeps the texts from naming an encoding, or being a mark.
    before, after = f"x\ny\n{one}", f"x\ny\n{two}"
    edits = edits_between("mod.py", before.encode(), after.encode())
    assert source(before).splice(edits).text.decode() == after


def test_edits_between_touch_only_lines_that_differ() -> None:
    before = b"a\nb\nc\nd\ne\n"
    after = b"a\nB\nc\nd\nnew\ne\n"
    edits = edits_between("mod.py", before, after)
    assert [(e.start, e.end, e.text) for e in edits] == [(2, 4, "B\n"), (8, 8, "new\n")]


def test_edits_between_long_files_of_equal_lines_are_found() -> None:
    before = b"    pass\n" * 20_000
    after = before[: 9 * 15_000] + b"    x = 1\n" + before[9 * 15_000 :]
    (edit,) = edits_between("mod.py", before, after)
    assert (edit.start, edit.end, edit.text) == (135_000, 135_000, "    x = 1\n")


@pytest.mark.parametrize(
    "text", ["f(1)", "{[1]}", "{{}}", "a", "1 +", "", "nan", "(" * 9000, "__import__('os')"]
)
def test_what_is_no_literal_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="no literal"):
        literal(text)
    assert same(text, f" {text} ")
    assert not same(text, "1")


def test_literals_are_compared_as_values() -> None:
    assert literal("[1, {'a': (2.5, None)}]") == [1, {"a": (2.5, None)}]
    assert same("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}")
    assert not same("'1'", "1")
