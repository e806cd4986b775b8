"""A session on disk outlives the process that wrote it, and never breaks the one that writes it."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from runs import Run, value

from mgdebug.errors import UsageError
from mgdebug.events import Collected, Decomposed, Event, Finished, Started, Traced, Warned, to_json
from mgdebug.languages import language_of
from mgdebug.model import (
    BlockVisit,
    Call,
    Case,
    CaseKind,
    Outcome,
    Repair,
    Status,
    Stop,
    Target,
    Trace,
    Value,
    Verdict,
)
from mgdebug.session import journal as writing
from mgdebug.session import saved
from mgdebug.session.fitting import fitted
from mgdebug.session.journal import Journal
from mgdebug.session.saved import Deed, Recorded, Shown, folder, read, sessions
from mgdebug.syntax.source import SourceFile

ODD = '</script>\x1b]0;x\x07 a\nb\r\u2028\x00\x85 "é😀" \\ \udc80\ud800 {"ended": 1}'
RUN = Run().visit(2, {"values": [1]}, {"best": 1}).lines(3, 6)
COLLECTED = Collected(
    "python3",
    (Case("one", CaseKind.PYTEST), Case(ODD, CaseKind.PYTEST)),
    (Outcome("one", Status.PASSED), Outcome(ODD, Status.FAILED, message=ODD)),
    (),
    0.5,
)
EVENTS: tuple[Event, ...] = (
    Started(ODD, "m.py", "", "python3", ("search",)),
    COLLECTED,
    Warned(ODD, ODD),
    Decomposed(RUN.hierarchy),
    Traced((RUN.trace(),)),
    Finished(Repair(Verdict(("one",), (ODD,)), Stop.EXHAUSTED)),
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; sessions are kept in another folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = tmp_path / "project"
    project.mkdir()
    return project


def target(root: Path) -> Target:
    return Target(root, root / "sub", "m.py", "f", ("tests/test_m.py",), io=root / "io")


def begun(root: Path) -> Journal:
    journal = Journal.begin(root, target(root), "search")
    assert not journal.trouble
    return journal


def path_of(journal: Journal) -> Path:
    assert journal.path is not None
    return journal.path


def source(text: bytes, path: str = "m.py") -> SourceFile:
    language = language_of(path)
    assert language is not None
    return SourceFile(path, text, language.grammar())


def events_of(recorded: Recorded) -> tuple[Event, ...]:
    return tuple(entry for entry in recorded if not isinstance(entry, Deed | Shown))


def test_what_was_written_is_read_back_in_its_order(root: Path) -> None:
    with begun(root) as journal:
        for event in EVENTS:
            journal.event(event)
            journal.deed("looked", at=ODD, place=3, path=Path("m.py"), value=value([1]))
    recorded = read(path_of(journal))
    entries = list(recorded)
    assert [e for e in entries[::2] if not isinstance(e, Deed | Shown)] == list(EVENTS)
    for deed in entries[1::2]:
        assert isinstance(deed, Deed)
        assert deed.name == "looked"
        assert deed.data["at"] == ODD
        assert deed.data["path"] == "m.py"
        assert deed.data["value"] == {
            "type": "list",
            "text": "[1]",
            "truncated": False,
            "size": None,
        }
        assert deed.time == pytest.approx(time.time(), abs=100)
    assert len(recorded.deeds) == len(EVENTS)
    assert (recorded.ended, recorded.notes) == (True, ())
    assert recorded.head.target == target(root)
    assert (recorded.head.engine, recorded.head.pid) == ("search", os.getpid())


def test_the_bytes_of_source_files_survive_in_any_encoding(root: Path) -> None:
    texts = (
        b"x = 1\r\n",
        b"\xef\xbb\xbfx = '\xc3\xa9'\n",
        b"# -*- coding: latin-1 -*-\nx='\xe9'\n",
    )
    first, later = {f"m{n}.py": source(t, f"m{n}.py") for n, t in enumerate(texts)}, b"x = 2\r\n"
    with begun(root) as journal:
        journal.files(first)
        size = path_of(journal).stat().st_size
        journal.files(first)
        assert path_of(journal).stat().st_size == size, "equal files are written once"
        journal.files({**first, "m0.py": source(later, "m0.py")})
    recorded = read(path_of(journal))
    shown = [entry.files for entry in recorded if isinstance(entry, Shown)]
    assert [{path: file.data for path, file in files.items()} for files in shown] == [
        {path: file.data for path, file in first.items()},
        {"m0.py": later},
    ]
    assert {p: f.data for p, f in recorded.files.items()} == {
        "m0.py": later,
        "m1.py": texts[1],
        "m2.py": texts[2],
    }
    assert recorded.files["m0.py"].tree.root_node.type == "module"


def test_nobody_but_the_user_may_read_a_session(root: Path) -> None:
    base = folder(root)
    base.mkdir(parents=True, mode=0o755)
    old = os.umask(0)
    try:
        with begun(root) as journal:
            pass
    finally:
        os.umask(old)
    assert path_of(journal).stat().st_mode & 0o777 == 0o600
    for place in (base, base.parent):
        assert place.stat().st_mode & 0o777 == 0o700


def test_a_list_of_sessions_tells_how_each_stands(root: Path) -> None:
    with begun(root) as first:
        first.event(COLLECTED)
        first.event(EVENTS[-1])
    second = begun(root)
    second.event(COLLECTED)
    second.stand("applied to m.py")
    os.utime(path_of(first), (1, 1))
    newest, oldest = sessions(root)
    assert (newest.path, newest.ended, newest.alive) == (second.path, False, True)
    assert newest.stands == "applied to m.py"
    assert (oldest.path, oldest.ended, oldest.alive) == (first.path, True, False)
    assert oldest.stands == "1 of 2 cases fail; every patch was tried"
    assert (oldest.head.target, oldest.changed) == (target(root), 1)
    assert oldest.size == path_of(first).stat().st_size
    second.end()
    assert [found.alive for found in sessions(root)] == [False, False]
    assert sessions(root.parent) == ()


def test_an_exception_leaves_a_session_that_can_be_resumed(root: Path) -> None:
    with pytest.raises(KeyboardInterrupt), begun(root) as journal:
        raise KeyboardInterrupt
    (found,) = sessions(root)
    assert (found.ended, found.alive) == (False, False)
    journal.event(COLLECTED)
    journal.end()
    journal.end()
    assert not read(found.path).ended, "nothing is written once it was left"


WRITER = """
    import sys
    from pathlib import Path
    from mgdebug.events import Warned
    from mgdebug.model import Target
    from mgdebug.session.journal import Journal

    root = Path(sys.argv[1])
    journal = Journal.begin(root, Target(root, root), "search")
    print(journal.path, flush=True)
    number = 0
    while True:
        journal.event(Warned(str(number), "x" * 300_000))
        journal.deed("count", number=number)
        print(number, flush=True)
        number += 1
"""


@contextlib.contextmanager
def writer(root: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, Path(process.stdout.readline().rstrip())
        finally:
            process.kill()


@pytest.mark.parametrize("lines", [1, 4, 9])
def test_a_kill_loses_no_line_that_was_written(root: Path, lines: int) -> None:
    with writer(root) as (process, path):
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(lines)][-1]
        (found,) = sessions(root)
        assert (found.alive, found.head.pid) == (True, process.pid)
        with pytest.raises(UsageError, match="open in another mgdebug"):
            Journal.resume(path)
        process.send_signal(signal.SIGKILL)
        process.wait()
        said = max([said, *(int(line) for line in process.stdout if line.endswith("\n"))])
    (found,) = sessions(root)
    assert (found.alive, found.ended) == (False, False)
    recorded = read(path)
    numbers = [deed.data["number"] for deed in recorded.deeds]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > said
    events = events_of(recorded)
    assert [e.message for e in events if isinstance(e, Warned)] == [
        str(n) for n in range(len(events))
    ]
    assert len(events) - len(numbers) in (0, 1)


@pytest.mark.parametrize("keep", [1, 12, -2, -1])
def test_a_torn_last_line_is_ignored_and_gone_when_the_session_goes_on(
    root: Path, keep: int
) -> None:
    journal = begun(root)
    journal.event(COLLECTED)
    path = path_of(journal)
    whole = path.stat().st_size
    journal.event(Warned("x" * 200_000))
    size = path.stat().st_size
    journal.__exit__(KeyboardInterrupt, None, None)
    os.truncate(path, whole + keep if keep > 0 else size + keep)
    assert events_of(read(path)) == (COLLECTED,)
    with Journal.resume(path) as again:
        assert again.path == path
        assert sessions(root)[0].alive
        again.event(Warned("later"))
    recorded = read(path)
    assert events_of(recorded) == (COLLECTED, Warned("later"))
    assert recorded.ended
    assert sessions(root)[0].stands == "1 of 2 cases fail"


def test_a_session_that_was_resumed_has_not_ended(root: Path) -> None:
    with begun(root) as journal:
        pass
    again = Journal.resume(path_of(journal))
    assert not read(path_of(journal)).ended
    assert not sessions(root)[0].ended
    again.end()
    assert sessions(root)[0].ended


def test_threads_and_processes_write_at_once_and_no_line_is_mixed(root: Path) -> None:
    with writer(root) as (one, first), writer(root) as (two, second), begun(root) as journal:

        def write(name: str) -> None:
            for number in range(200):
                journal.event(Warned(f"{name}{number}"))
                journal.deed(name, number=number)

        threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {saved.path for saved in sessions(root)} == {first, second, journal.path}
        for process in (one, two):
            process.kill()
            process.wait()
    recorded = read(path_of(journal))
    messages = [e.message for e in events_of(recorded) if isinstance(e, Warned)]
    for name in "abcd":
        assert [m for m in messages if m[0] == name] == [f"{name}{n}" for n in range(200)]
        assert [d.data["number"] for d in recorded.deeds if d.name == name] == list(range(200))
    assert len(list(read(first))) > 1
    assert len(list(read(second))) > 1


def test_an_end_while_another_thread_writes_ends_the_file(root: Path) -> None:
    journal = begun(root)
    go = threading.Event()

    def write() -> None:
        while not go.is_set():
            journal.event(Warned("x"))

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    while path_of(journal).stat().st_size < 20_000:
        time.sleep(0.001)
    journal.end()
    go.set()
    for thread in threads:
        thread.join()
    lines = path_of(journal).read_text("ascii").splitlines()
    assert [line for line in lines if "ended" in line] == lines[-1:]
    assert not journal.trouble


# ------------------------------------------------------------------------------------- trouble


def test_a_file_in_the_place_of_the_folder_turns_it_off_with_one_warning(root: Path) -> None:
    base = folder(root)
    base.parent.parent.mkdir(parents=True)
    base.parent.write_text("not a folder")
    journal = Journal.begin(root, target(root), "search")
    assert journal.trouble.startswith("this session is not kept: ")
    assert journal.trouble.endswith(("file exists", "not a directory"))
    before = journal.trouble
    with journal:
        journal.event(COLLECTED)
        journal.files({"m.py": source(b"x")})
        journal.deed("a")
    assert (journal.path, journal.trouble) == (None, before)
    assert sessions(root) == ()


def test_a_folder_that_cannot_be_written_turns_it_off(root: Path) -> None:
    base = folder(root)
    base.mkdir(parents=True, mode=0o500)
    base.chmod(0o500)
    try:
        with contextlib.suppress(OSError):
            (base / "probe").touch()
            (base / "probe").unlink()
            pytest.skip("this user may write anywhere")
        journal = Journal.begin(root, target(root), "search")
        assert journal.trouble.endswith("permission denied")
        journal.event(COLLECTED)
        journal.end()
        assert list(base.iterdir()) == []
    finally:
        base.chmod(0o700)


FULL = """
    import resource, signal, sys
    from pathlib import Path
    from mgdebug.events import Warned
    from mgdebug.model import Target
    from mgdebug.session.journal import Journal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    root = Path(sys.argv[1])
    journal = Journal.begin(root, Target(root, root), "search")
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    for number in range(9):
        journal.event(Warned(str(number), "x" * 9_000))
        journal.deed("count", number=number)
    journal.end()
    print(journal.path)
    print(journal.trouble)
"""


def test_a_disk_that_fills_up_keeps_what_was_written_until_then(root: Path) -> None:
    """A limit on the size of a file stands for the full disk: a write that is cut short first."""
    command = [sys.executable, "-c", textwrap.dedent(FULL), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    path, trouble = done.stdout.splitlines()
    assert trouble == f"this session is kept no further: {os.strerror(errno.EFBIG).lower()}"
    recorded = read(Path(path))
    messages = [e.message for e in events_of(recorded) if isinstance(e, Warned)]
    assert messages == [str(number) for number in range(5)]
    assert [deed.data["number"] for deed in recorded.deeds] == list(range(5))
    assert not recorded.ended
    assert [(s.ended, s.alive) for s in sessions(root)] == [(False, False)]


def test_data_that_json_cannot_say_is_a_fault_of_the_caller(root: Path) -> None:
    with begun(root) as journal:
        with pytest.raises(TypeError):
            journal.deed("a", things={1, 2})
        journal.deed("b")
    assert [deed.name for deed in read(path_of(journal)).deeds] == ["b"]


# ------------------------------------------------------------------------- what is no session


def altered(path: Path, old: str, new: str) -> None:
    text = path.read_text("ascii")
    assert old in text
    path.write_text(text.replace(old, new, 1), "ascii")


NO_SESSION = (
    b"",
    b"\n",
    b"{}\n",
    b"[1]\n",
    b"null\n",
    b'{"head": {}}\n',
    b'{"head": {"version": 1}}\n',
    b'{"head": 3}\n',
    b"\xff\xfe\x00",
    b"[" * 200_000,
    b'{"head": "' + b"x" * 3_000_000,
)


@pytest.mark.parametrize("text", NO_SESSION, ids=range(len(NO_SESSION)))
def test_a_file_that_is_no_session_is_refused_and_not_listed(root: Path, text: bytes) -> None:
    path = folder(root) / "00000000000000000001-1.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    for way in (read, Journal.resume):
        with pytest.raises(UsageError, match="is no session of mgdebug") as caught:
            way(path)
        assert caught.value.hint
    assert sessions(root) == ()
    assert path.read_bytes() == text


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(root: Path) -> None:
    for path in (root / "none.jsonl", root):
        with pytest.raises(UsageError, match="cannot be read"):
            read(path)
    (folder(root) / "00000000000000000001-1.jsonl").mkdir(parents=True)
    assert sessions(root) == ()
    begun(root).end()
    assert len(sessions(root)) == 1


def test_a_session_of_another_version_is_refused_and_not_listed(root: Path) -> None:
    with begun(root) as journal:
        journal.event(COLLECTED)
    path = path_of(journal)
    altered(path, '"version": 1', '"version": 2')
    for way in (read, Journal.resume):
        with pytest.raises(UsageError, match="of another mgdebug: version 2, not 1") as caught:
            way(path)
        assert "begin a new session" in caught.value.hint
    assert sessions(root) == ()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('{"deed"', '{"dead"', "line 4: 'dead' is no record"),
        ('{"deed": {"name": "cut"', '{"deed": {"name": 3', r"line 4: Deed\.name: a text is wanted"),
        ('{"deed"', "[", "line 4: it is no record"),
        ('"text": "x = 1', '"text": "x = 2', "line 3: the text of m.py is not what was kept"),
        ('{"files": {', '{"files": {"a.py": 3, ', "line 3"),
        ('{"event": "Collected"', '{"event": "Clear"', 'line 2: "Clear" is no event'),
        ('{"event": "Collected"', '{"event", "Clear"', "line 2"),
    ],
)
def test_damage_before_the_last_line_is_told_with_its_line(
    root: Path, old: str, new: str, what: str
) -> None:
    with begun(root) as journal:
        journal.event(EVENTS[1])
        journal.stand("1 of 2 cases fail")
        journal.files({"m.py": source(b"x = 1\n")})
        journal.deed("cut")
    path = path_of(journal)
    lines = path.read_text("ascii").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "stand" not in line), "ascii")
    altered(path, old, new)
    with pytest.raises(UsageError, match=f"is damaged in {what}"):
        list(read(path))


# ------------------------------------------------------------------------------------- pruning


def test_the_newest_sessions_are_kept_and_living_ones_always(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = begun(root)
    old = [begun(root) for _ in range(12)]
    for place, journal in enumerate([living, *old]):
        os.utime(path_of(journal), (place + 1, place + 1))
    assert len(sessions(root)) == 13
    for journal in old:
        journal.end()
        os.utime(path_of(journal), (1000 + old.index(journal),) * 2)
    newest = begun(root)
    wanted = {living.path, newest.path, *(journal.path for journal in old[-9:])}
    assert {found.path for found in sessions(root)} == wanted
    living.event(COLLECTED)
    assert events_of(read(path_of(living))) == (COLLECTED,)

    monkeypatch.setattr(saved, "KEPT_BYTES", 3 * path_of(old[-1]).stat().st_size)
    living.end()
    newest.end()
    begun(root)
    assert 1 <= len(sessions(root)) <= 3
    assert old[-1].path not in {found.path for found in sessions(root)}


def test_a_session_that_never_began_is_swept_once_it_is_old(root: Path) -> None:
    begun(root).end()
    old, young = (folder(root) / f"{saved.NEW}{name}" for name in ("old", "young"))
    for stray in (old, young):
        stray.write_bytes(b"")
    os.utime(old, (1, 1))
    begun(root).end()
    assert not old.exists()
    assert young.exists()
    assert len(sessions(root)) == 2


def test_a_session_that_was_removed_is_not_resumed_into_nothing(root: Path) -> None:
    journal = begun(root)
    journal.end()
    path_of(journal).unlink()
    with pytest.raises(UsageError, match="cannot be read: no such file"):
        Journal.resume(path_of(journal))


# ------------------------------------------------------------------------------- large events


def long(visits: int, text: str = "x" * 100, status: Status = Status.FAILED) -> Trace:
    """Calls of ten visits, each called from one that never ends."""
    return Trace(
        "long",
        status,
        {"m.py::f#0": visits},
        tuple(
            BlockVisit(
                "m.py::f#0", 2 + n // 10, n, {"a": Value("str", text + str(n))}, number=n + 1
            )
            for n in range(visits)
        ),
        7,
        (
            Call(1, "m.py::g"),
            *(Call(2 + n, "m.py::f", 1, n * 10) for n in range(visits // 10)),
        ),
    )


@pytest.mark.parametrize("text", ["x" * 100, "é" * 50, "😀" * 30, '"\\' * 40, "\x00" * 40])
def test_a_trace_too_long_to_keep_is_kept_at_both_ends(text: str) -> None:
    short, whole = long(20, text), long(2000, text)
    most = len(to_json(Traced((whole,)))) // 4
    line, note = fitted(Traced((whole, short)), most)
    assert most * 0.5 < len(line) <= most
    whole_again, short_again = json.loads(line)["traces"]
    assert short_again == json.loads(to_json(Traced((short,))))["traces"][0]
    visits = whole_again["visits"]
    numbers = [visit["number"] for visit in visits]
    gap = next(n for n, (a, b) in enumerate(itertools.pairwise(numbers)) if b > a + 1)
    head, tail = numbers[: gap + 1], numbers[gap + 1 :]
    assert head == list(range(1, len(head) + 1))
    assert tail == list(range(2001 - len(tail), 2001))
    assert abs(len(head) - len(tail)) <= 1
    assert [visit["index"] for visit in visits] == list(range(len(visits)))
    assert whole_again["dropped"] == 7 + 2000 - len(visits)
    assert f"{2000 - len(visits):,} visits were left out" in note
    assert whole_again["hits"] == {"m.py::f#0": 2000}
    frames = {visit["frame"] for visit in visits}
    assert {call["frame"] for call in whole_again["calls"]} == frames | {1}
    for call in whole_again["calls"][1:]:
        by = next((v for v in visits if v["index"] == call["visit"]), None)
        assert call["visit"] == -1 or by is not None
        if by is not None:
            assert by["number"] == (call["frame"] - 2) * 10 + 1


def test_an_event_that_fits_is_kept_as_it_is() -> None:
    event = Traced((long(100),))
    line = to_json(event)
    assert fitted(event, 2 * len(line)) == (line, "")


def test_an_event_that_cannot_be_narrowed_is_left_out_with_a_note(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "EVENT_BYTES", 20_000)
    with begun(root) as journal:
        journal.event(Warned("x" * 30_000))
        journal.event(Traced((long(1000),)))
        journal.event(Warned("short"))
    recorded = read(path_of(journal))
    assert [type(event).__name__ for event in events_of(recorded)] == ["Traced", "Warned"]
    first, second = recorded.notes
    assert first.startswith("an event was not kept: Warned of 30,0")
    assert "visits were left out" in second


def test_a_session_cannot_fill_the_disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "KEPT_BYTES", 50_000)
    with begun(root) as journal:
        for _ in range(20):
            journal.event(Warned("x" * 9_000))
        journal.deed("last")
    recorded = read(path_of(journal))
    assert path_of(journal).stat().st_size < 60_000
    assert len(events_of(recorded)) == 5
    assert [deed.name for deed in recorded.deeds] == ["last"]


def test_a_root_whose_name_is_long_or_no_unicode_has_a_place(root: Path) -> None:
    for name in ("n" * 250, os.fsdecode(b"caf\xe9")):
        other = root / name
        other.mkdir()
        with Journal.begin(other, replace(target(other), path=name), "search") as journal:
            assert not journal.trouble
        (found,) = sessions(other)
        assert found.head.target.path == name
        assert Path(found.head.root) == other
    assert folder(Path("/")).name.startswith("-")


def test_events_are_decoded_only_when_they_are_asked_for(root: Path) -> None:
    with begun(root) as journal:
        journal.event(COLLECTED)
        journal.event(Traced((long(30),)))
    altered(path_of(journal), '"visits": [', '"visits": ]')
    entries = iter(read(path_of(journal)))
    assert next(entries) == COLLECTED
    with pytest.raises(UsageError, match="damaged in line 4"):
        next(entries)
