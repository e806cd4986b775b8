"""What honest tests do keeps working in the sandbox, wherever the project lies; what the settings
allow is allowed, and no more."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgdebug.model import Limits, Outcome, Target
from mgdebug.runner import Runner
from mgdebug.sandbox.policy import Policy

if sys.platform != "linux":
    pytest.skip("macOS has no sandbox to speak of", allow_module_level=True)

LIMITS = Limits(case_seconds=10.0, collect_seconds=30.0)


def outcomes(
    root: Path, *tests: str, cwd: Path | None = None, policy: Policy | None = None, times: int = 1
) -> list[dict[str, Outcome]]:
    """Of all cases, each time they are run."""
    target = Target(root.resolve(), (cwd or root).resolve(), "", "", tests)
    with Runner(target, sys.executable, LIMITS, 1, policy=policy or Policy()) as runner:
        return [{one.case: one for one in runner.run().outcomes} for _ in range(times)]


def passes(root: Path, text: str, **more: object) -> None:
    """A pytest file passes, and again, and nothing is left of it."""
    (root / "test_it.py").write_text(textwrap.dedent(text), "utf-8")
    before = held(root)
    for found in outcomes(root, times=2, **more):  # type: ignore[arg-type]
        assert found
        assert [one.message for one in found.values() if not one.status.ok] == []
    assert held(root) == before


def fails(root: Path, text: str, policy: Policy | None = None) -> str:
    """The message of the only case."""
    (root / "test_it.py").write_text(textwrap.dedent(text), "utf-8")
    (found,) = outcomes(root, policy=policy)
    (one,) = found.values()
    assert not one.status.ok
    return one.message


def held(root: Path) -> dict[str, bytes | None]:
    return {str(p): p.read_bytes() if p.is_file() else None for p in sorted(root.rglob("*"))}


WORKS = {
    "writing in the project": """
        import os, pathlib
        def test_one():
            assert not os.path.exists("made")
            pathlib.Path("made").write_text("x")
            os.mkdir("folder"); os.rename("made", "folder/made")
            pathlib.Path(__file__).write_text("gone")
        def test_two():
            os.makedirs("a/b/c"); os.symlink("a", "link"); os.link(__file__, "hard")
    """,
    "temporary folders": """
        import os, tempfile
        def test_one(tmp_path, tmp_path_factory):
            (tmp_path / "x").write_text("x")
            with tempfile.TemporaryDirectory() as name:
                open(name + "/y", "w").close()
            os.close(os.open(os.path.expanduser("~/.cache_of_mine"), os.O_CREAT | os.O_WRONLY))
    """,
    "the folder for temporaries removed": """
        import os, shutil
        def test_one():
            assert os.path.isdir(os.environ["TMPDIR"])
            shutil.rmtree(os.environ["TMPDIR"])
    """,
    "subprocesses": """
        import subprocess, sys, os
        def test_one():
            assert subprocess.check_output([sys.executable, "-c", "print(1)"]) == b"1\\n"
            assert subprocess.run("exit 3", shell=True).returncode == 3
            assert os.popen("echo a | cat").read() == "a\\n"
    """,
    "pools": """
        import multiprocessing, concurrent.futures
        def test_one():
            with multiprocessing.Pool(2) as pool:
                assert pool.map(abs, [-1, 2]) == [1, 2]
        def test_two():
            with concurrent.futures.ProcessPoolExecutor(2) as pool:
                assert list(pool.map(abs, [-1])) == [1]
        def test_three():
            value = multiprocessing.Value("i", 3)
            assert value.value == 3
    """,
    "threads and asyncio": """
        import asyncio, threading
        def test_one():
            found = []
            threads = [threading.Thread(target=found.append, args=(n,)) for n in range(8)]
            [t.start() for t in threads]; [t.join() for t in threads]
            assert sorted(found) == list(range(8))
        def test_two():
            async def work():
                done = await asyncio.create_subprocess_exec("true")
                await asyncio.sleep(0)
                return await done.wait()
            assert asyncio.run(work()) == 0
    """,
    "a server of its own": """
        import threading, urllib.request, http.server
        def test_one():
            server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with urllib.request.urlopen("http://127.0.0.1:%d/" % server.server_port) as got:
                assert got.status == 200
            server.shutdown(); server.server_close()
    """,
    "databases": """
        import sqlite3, dbm, shelve
        def test_one(tmp_path):
            for name in ("here.db", tmp_path / "there.db"):
                with sqlite3.connect(name) as db:
                    db.execute("pragma journal_mode=wal")
                    db.execute("create table t (a)"); db.execute("insert into t values (1)")
                    assert list(db.execute("select a from t")) == [(1,)]
                db.close()
    """,
    "terminals": """
        import os, pty
        def test_one():
            one, two = os.openpty()
            os.write(one, b"x\\n"); assert os.read(two, 2) == b"x\\n"
        def test_two():
            assert pty.spawn(["true"], lambda fd: os.read(fd, 9)) == 0
    """,
    "pipes, locks and shared memory": """
        import fcntl, os, mmap, tempfile
        from multiprocessing import shared_memory
        def test_one(tmp_path):
            os.mkfifo(tmp_path / "fifo")
            with open(tmp_path / "lock", "w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
            block = shared_memory.SharedMemory(create=True, size=64)
            block.buf[0] = 7
            block.close(); block.unlink()
        def test_two(tmp_path):
            os.chmod(tmp_path, 0o700); os.utime(tmp_path, (1, 1)); os.umask(0o22)
    """,
}


@pytest.mark.parametrize("what", WORKS)
def test_what_tests_do_still_works(tmp_path: Path, what: str) -> None:
    passes(tmp_path, WORKS[what])


def test_git_works_in_the_project(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    passes(
        tmp_path,
        """
        import subprocess
        def git(*words):
            who = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
            return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True)
        def test_one():
            git("add", "."); git("commit", "-qm", "x")
            assert git("log", "--oneline").stdout.count("\\n") == 1
            open("new", "w").close()
            assert git("status", "--porcelain").stdout.split() == ["??", "new"]
        """,
    )


PLAIN = "import os, mod\ndef test_one():\n    assert mod.f() == 1\n    open('made', 'w').close()\n"
NAMES = [
    "a b",
    "a:b",
    "a,b",
    "a\\b",
    "größe",
    "a=b",
    "a'b\"c",
    "a%s{x}",
    "-x",
    "a\\134b",
    "#x",
    "$HOME",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_project_may_have_any_name(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    (root / "mod.py").write_text("def f():\n    return 1\n")
    passes(root, PLAIN)


def test_a_name_with_a_line_break(tmp_path: Path) -> None:
    root = tmp_path / "a\nb\tc"
    root.mkdir()
    (root / "mod.py").write_text("def f():\n    return 1\n")
    passes(root, PLAIN)


def test_a_linked_project(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "mod.py").write_text("def f():\n    return 1\n")
    passes(tmp_path / "link", PLAIN)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    (place / ".ssh").mkdir(parents=True)
    (place / ".ssh" / "id_rsa").write_text("CANARY-1")
    (place / ".netrc").write_text("CANARY-2")
    monkeypatch.setenv("HOME", str(place))
    return place


SECRETS = """
import os, mod
def test_one():
    assert mod.f() == 1
    open("made", "w").close()
    for name in (".ssh/id_rsa", ".netrc"):
        try:
            assert "CANARY" not in open(os.path.join({home!r}, name)).read()
        except OSError:
            pass
"""


@pytest.mark.parametrize("place", ["", "work", ".hidden/work", ".local/share/work"])
def test_a_project_in_the_home(home: Path, place: str) -> None:
    root = home / place
    root.mkdir(parents=True, exist_ok=True)
    (root / "pytest.ini").touch()
    (root / "mod.py").write_text("def f():\n    return 1\n")
    passes(root, SECRETS.format(home=str(home)))


def test_a_project_in_the_temporary_folder_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "mod.py").write_text("def f():\n    return 1\n")
    (tmp_path / "test_it.py").write_text(PLAIN)
    (found, again) = outcomes(tmp_path, "test_it.py", times=2)
    assert all(one.status.ok for one in (*found.values(), *again.values()))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mod.py", "test_it.py"]


def test_a_project_with_a_mount_in_it_is_read_only(tmp_path: Path) -> None:
    root, inner = tmp_path / "project", tmp_path / "project/inner"
    inner.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "none", str(inner)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("nothing may be mounted here")
    try:
        (inner / "data").write_text("x")
        (root / "test_it.py").write_text(
            "def test_read(): assert open('inner/data').read() == 'x'\n"
            "def test_write(): open('made', 'w')\n"
        )
        (found,) = outcomes(root)
        said = {case.partition("::")[2]: one.message for case, one in found.items()}
        assert said["test_read"] == ""
        assert "Read-only file system" in said["test_write"]
        assert 'write = ["."]' in said["test_write"]
    finally:
        subprocess.run(["umount", str(inner)], check=True)


def test_tests_outside_of_where_mgdebug_stands(tmp_path: Path) -> None:
    for name in ("src", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = src\n")
    (tmp_path / "src" / "mod.py").write_text("def f():\n    return 1\n")
    (tmp_path / "tests" / "test_it.py").write_text(PLAIN)
    before = held(tmp_path)
    (found,) = outcomes(tmp_path, "../tests", cwd=tmp_path / "src")
    assert [one.message for one in found.values() if not one.status.ok] == []
    assert len(found) == 1
    assert held(tmp_path) == before


def test_a_package_installed_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere" / "editable").mkdir(parents=True)
    (tmp_path / "elsewhere" / "editable" / "__init__.py").write_text("VALUE = 1\n")
    (tmp_path / "project").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    passes(
        tmp_path / "project",
        "import editable\ndef test_one():\n    assert editable.VALUE == 1\n",
    )


# --------------------------------------------------------------------------------- settings


def test_write_allows_a_folder_for_good_and_no_other(tmp_path: Path) -> None:
    root, allowed, other = (tmp_path / name for name in ("project", "allowed", "other"))
    for folder in (root, allowed, other):
        folder.mkdir()
    text = f"""
        def test_one():
            open({str(allowed / "made")!r}, "w").close()
        def test_two():
            open({str(other / "made")!r}, "w").close()
    """
    (root / "test_it.py").write_text(textwrap.dedent(text))
    (found,) = outcomes(root, policy=Policy(write=(str(allowed),)))
    assert [one.status.ok for one in found.values()] == [True, False]
    assert (allowed / "made").exists()
    assert not (other / "made").exists()
    message = list(found.values())[1].message
    assert f'write = ["{other}"] in [tool.mgdebug.sandbox] allows it' in message


def test_write_of_a_folder_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "test_it.py").write_text(
        "def test_one():\n    open('build/kept', 'w').close()\n    open('lost', 'w').close()\n"
    )
    (found,) = outcomes(tmp_path, policy=Policy(write=(str(tmp_path / "build"),)))
    assert [one.message for one in found.values() if not one.status.ok] == []
    assert (tmp_path / "build" / "kept").exists()
    assert not (tmp_path / "lost").exists()


@pytest.fixture
def ears(tmp_path: Path) -> Iterator[tuple[socket.socket, socket.socket, str]]:
    path = str(tmp_path / "ear")
    if len(path) > 100:
        path = os.path.relpath(path)
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        unix.bind(path)
        for one in (tcp, unix):
            one.listen()
            one.setblocking(False)
        yield tcp, unix, str(tmp_path / "ear")


@pytest.mark.parametrize(
    ("network", "wanted"),
    [("none", (False, False)), ("unix", (False, True)), ("all", (True, True))],
)
def test_network_opens_what_it_says(
    tmp_path: Path,
    ears: tuple[socket.socket, socket.socket, str],
    network: str,
    wanted: tuple[bool, bool],
) -> None:
    tcp, _, path = ears
    (tmp_path / "project").mkdir()
    text = f"""
        import socket
        def test_tcp():
            socket.create_connection(("127.0.0.1", {tcp.getsockname()[1]}), 2).close()
        def test_unix():
            with socket.socket(socket.AF_UNIX) as one:
                one.connect({path!r})
    """
    (tmp_path / "project" / "test_it.py").write_text(textwrap.dedent(text))
    (found,) = outcomes(tmp_path / "project", policy=Policy(network=network))
    assert tuple(one.status.ok for one in found.values()) == wanted
    for one in found.values():
        assert one.status.ok or "[tool.mgdebug.sandbox] allows it" in one.message
    reached = []
    for ear in ears[:2]:
        try:
            ear.accept()[0].close()
            reached.append(True)
        except BlockingIOError:
            reached.append(False)
    assert tuple(reached) == wanted


CHILDREN = """
    import subprocess, threading
    def test_one():
        threading.Thread(target=int).start()
        kids = [subprocess.Popen(["sleep", "1"]) for _ in range({number})]
        for kid in kids:
            kid.wait()
"""


def test_no_subprocess_means_none_but_threads(tmp_path: Path) -> None:
    message = fails(tmp_path, CHILDREN.format(number=1), Policy(processes=0))
    assert "subprocess = true in [tool.mgdebug.sandbox] allows it" in message
    passes(tmp_path, CHILDREN.format(number=0), policy=Policy(processes=0))


def test_a_number_of_subprocesses_is_the_most_at_once(tmp_path: Path) -> None:
    passes(tmp_path, CHILDREN.format(number=3), policy=Policy(processes=6))
    message = fails(tmp_path, CHILDREN.format(number=30), Policy(processes=6))
    assert "process limit of 6" in message or "subprocess = NUMBER" in message


def test_env_hands_on_what_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_OWN", "1")
    monkeypatch.setenv("MY_SECRET", "2")
    text = """
        import os
        def test_one():
            assert os.environ["MY_OWN"] == "1" and "MY_SECRET" not in os.environ
    """
    passes(tmp_path, text, policy=Policy(env=("MY_OWN",)))
    assert 'env = ["MY_OWN"] in [tool.mgdebug.sandbox] allows it' in fails(tmp_path, text)


def test_off_is_off(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", "2")
    (tmp_path / "project").mkdir()
    text = f"""
        import os
        def test_one():
            assert os.environ["MY_SECRET"] == "2" and open({str(home / ".netrc")!r}).read()
            open({str(tmp_path / "made")!r}, "w").close()
    """
    (tmp_path / "project" / "test_it.py").write_text(textwrap.dedent(text))
    (found,) = outcomes(tmp_path / "project", policy=Policy(mode="off"))
    assert all(one.status.ok for one in found.values())
    assert (tmp_path / "made").exists()


# ------------------------------------------------------------------------ who runs mgdebug

NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'


def fix(root: Path, *words: str, wrapper: tuple[str, ...] = ()) -> tuple[int, str]:
    done = subprocess.run(
        [*wrapper, sys.executable, "-m", "mgdebug", "fix", *words, "--time", "4", "--jobs", "1"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return done.returncode, done.stdout + done.stderr


def without_namespaces() -> tuple[str, ...]:
    wrapper = ("unshare", "-Ur", "sh", "-c", NO_NAMESPACES, "sh")
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here")
    if subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    return wrapper


def test_without_namespaces_the_weaker_layers_hold_and_strict_says_so(tmp_path: Path) -> None:
    wrapper = without_namespaces()
    root = tmp_path / "project"
    root.mkdir()
    (root / "test_it.py").write_text(
        "import pytest, socket\n"
        "def test_write():\n"
        "    with pytest.raises(OSError): open('made', 'w')\n"
        "def test_temporary(tmp_path):\n    (tmp_path / 'x').write_text('x')\n"
        "def test_socket():\n"
        "    with pytest.raises(OSError): socket.socket()\n"
    )
    code, said = fix(root, wrapper=wrapper)
    assert code == 0, said
    assert [p.name for p in root.iterdir()] == ["test_it.py"]
    code, said = fix(root, "--sandbox=strict", wrapper=wrapper)
    assert code == 0 or (code == 3 and "sandbox" in said), said
    code, said = fix(root, "--sandbox=off")
    assert "sandbox" in said, "off is to be loud"
    assert code == 1, "in the open, what is to be refused is not"
