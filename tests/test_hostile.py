"""Programs that mean harm, run by the real mgdebug in a decoy repository of a decoy home.

What must be as it was: every byte, mode and time of change; the processes of the machine; shared
memory; the temporary folder; and nobody who listens outside may hear a word.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from mgdebug.bench import hostile
from mgdebug.bench.decoy import Decoy, Ended

if sys.platform != "linux":
    pytest.skip("macOS has no sandbox to speak of", allow_module_level=True)

GIVEN = [
    (file, way)
    for file in hostile.programs()
    for way in hostile.ways(file)
    if way == "io"  # the bench has them all
]
NO_NAMESPACES = (
    *("unshare", "-Ur", "sh", "-c"),
    'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"',
    "sh",
)


AT_ONCE = 4  # most of them wait for a clock
Key = tuple[str, str]
Runs = dict[Key, Future[Ended]]


def namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run(["unshare", "-Ur", "true"], capture_output=True, check=False)
    return done.returncode == 0


WITH_NAMESPACES = namespaces()
needs_namespaces = pytest.mark.skipif(not WITH_NAMESPACES, reason="no user namespaces here")


@pytest.fixture
def decoy(tmp_path: Path) -> Iterator[Decoy]:
    with Decoy(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    base = tmp_path_factory.mktemp("decoys")

    def run(number: int, work: Callable[[Decoy], Ended]) -> Ended:
        with Decoy(base / str(number)) as decoy:
            return work(decoy)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {key: pool.submit(run, number, work) for number, (key, work) in enumerate(all_runs())}


def all_runs() -> Iterator[tuple[Key, Callable[[Decoy], Ended]]]:
    for file, way in GIVEN:
        yield ("given", f"{file.stem}-{way}"), partial(hostile.met, file=file, way=way)
    for name in PROGRAMS:
        yield ("own", name), partial(run_program, name=name)
    for name in WITHOUT if WITH_NAMESPACES else ():
        yield ("without", name), partial(run_program, name=name, wrapper=NO_NAMESPACES)


@pytest.mark.skipif(not GIVEN, reason="no hostile programs in $MGDEBUG_HOSTILE or ../shared")
@pytest.mark.parametrize(("file", "way"), GIVEN, ids=[f"{f.stem}-{way}" for f, way in GIVEN])
def test_what_is_said_of_a_program_is_what_it_wants(runs: Runs, file: Path, way: str) -> None:
    ended = runs["given", f"{file.stem}-{way}"].result()
    wrong = [text for text in hostile.judged(file, way, ended) if not text.startswith("it took")]
    assert wrong == [], ended.said


# ---------------------------------------------------------------------- programs of other kinds

LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
# Signals that end nobody: should one get through, it is seen without harm.
HARMLESS = "import signal\nquiet = signal.SIGURG\n"

# name: (text, what must be said, whether it passes with what it prints).  An attempt that gets
# through prints GOT; its expected output is always "held\n".
PROGRAMS: dict[str, tuple[str, str]] = {
    "thread_bomb": (
        """
import threading, time
made = 0
try:
    for _ in range(2000):
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        made += 1
except RuntimeError:
    pass
time.sleep(3)
print("GOT", made)
""",
        r"process limit|time limit|memory limit|wanted|failed",
    ),
    "signals_to_others": (
        HARMLESS
        + """
import os
got = []
me, pid = os.getpid(), os.getppid()
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != me:
        try:
            os.kill(int(name), quiet)
            got.append(name)
        except OSError:
            pass
print("GOT" if got else "held", *got)
""",
        "passes",
    ),
    "kill_the_watcher": (
        """
import os, signal
try:
    os.kill(os.getppid(), signal.SIGKILL)
    print("GOT")
except OSError:
    print("held")
""",
        "passes",
    ),
    "kill_own_group": (
        "import os, signal\nos.killpg(0, signal.SIGKILL)\nprint('held')\n",
        r"killed by signal|signal|SIGKILL",
    ),
    "memory_of_the_watcher": (
        """
import os
got = 0
for pid in {os.getppid(), 1}:
    for mode in ("rb", "r+b"):
        try:
            with open("/proc/%d/mem" % pid, mode, buffering=0) as file:
                got += 1
        except OSError:
            pass
print("GOT" if got else "held")
""",
        "passes",
    ),
    "ptrace": (
        LIBC
        + """
got = [pid for pid in (os.getppid(), 1) if libc.ptrace(16, pid, 0, 0) == 0]
print("GOT" if got else "held")
""",
        "passes",
    ),
    "read_memory_of_others": (
        LIBC
        + """
import struct
buffer = ctypes.create_string_buffer(64)
local = struct.pack("PN", ctypes.addressof(buffer), 64)
remote = struct.pack("PN", id(buffer) & ~0xfff, 64)
got = libc.process_vm_readv(os.getppid(), local, 1, remote, 1, 0)
print("GOT" if got > 0 else "held")
""",
        "passes",
    ),
    "memfd_exec": (
        """
import os, sys
fd = os.memfd_create("x")
os.write(fd, open("/bin/true", "rb").read())
pid = os.fork()
if not pid:
    os.setsid()
    os.execve(fd, ["x"], {})
os.waitpid(pid, 0)
print("held")
""",
        "passes",
    ),
    "modes_and_times": (
        """
import os
for name in ("user_file.py", "{home}/.netrc", "{home}/mgdebug_victim.txt", ".git/config", "."):
    for act in (lambda: os.chmod(name, 0o777), lambda: os.utime(name, (1, 1)),
                lambda: os.chown(name, 1, 1), lambda: os.setxattr(name, "user.x", b"1")):
        try:
            act()
        except OSError:
            pass
print("held")
""",
        "passes",
    ),
    "modes_by_descriptor": (
        """
import os
for name in ("{home}/mgdebug_victim.txt", "{outside}", "{root}/user_file.py"):
    try:
        fd = os.open(name, os.O_RDONLY)
        for act in (lambda: os.fchmod(fd, 0o777), lambda: os.utime(fd, (1, 1)),
                    lambda: os.chmod("/proc/self/fd/%d" % fd, 0o777),
                    lambda: os.open("/proc/self/fd/%d" % fd, os.O_WRONLY | os.O_TRUNC)):
            try:
                act()
            except OSError:
                pass
    except OSError:
        pass
print("held")
""",
        "passes",
    ),
    "rename_the_project": (
        """
import os
for a, b in (("{root}", "{root}.gone"), (".git", ".gone"), ("{home}", "{home}.gone"),
             ("user_file.py", "{home}/stolen.py"), ("user_file.py", "/tmp/stolen.py")):
    for act in (os.rename, os.link, os.symlink):
        try:
            act(a, b)
        except OSError:
            pass
print("held")
""",
        "passes",
    ),
    "git_hooks": (
        """
import os, subprocess
for name in (".git/hooks/pre-commit", ".git/config", ".git/HEAD", "{home}/.gitconfig"):
    try:
        with open(name, "w") as file:
            file.write("#!/bin/sh\\ntouch {outside}/hook\\n")
        os.chmod(name, 0o755)
    except OSError:
        pass
subprocess.run(["git", "commit", "--allow-empty", "-m", "x"], capture_output=True)
print("held")
""",
        "passes",
    ),
    "fill_the_scratch": (
        """
import os
written = 0
try:
    for number in range(64):
        with open(os.environ["TMPDIR"] + "/fill%d" % number, "wb") as file:
            for _ in range(32):
                written += file.write(bytes(1 << 20))
except OSError:
    pass
print("GOT" if written > (600 << 20) else "held")
""",
        "passes|memory limit|output limit|failed",
    ),
    "fill_shared_memory": (
        """
written = 0
try:
    with open("/dev/shm/mgdebug-fill", "wb") as file:
        for _ in range(1024):
            written += file.write(bytes(1 << 20))
except OSError:
    pass
print("GOT" if written > (600 << 20) else "held")
""",
        "passes|memory limit|output limit|failed",
    ),
    "many_inodes": (
        """
import os
made = 0
try:
    for number in range(300000):
        os.close(os.open(os.environ["TMPDIR"] + "/%d" % number, os.O_CREAT | os.O_WRONLY))
        made += 1
except OSError:
    pass
print("GOT" if made >= 300000 else "held")
""",
        "passes|time limit|failed",
    ),
    "devices": (
        """
import glob, os
got = []
for name in ["/dev/mem", "/dev/kmem", "/dev/kmsg", "/dev/port", "/dev/fuse", "/dev/kvm",
             *glob.glob("/dev/[svx]d*"), *glob.glob("/dev/nvme*"), *glob.glob("/dev/loop*")]:
    for flags in (os.O_RDONLY, os.O_WRONLY):
        try:
            os.close(os.open(name, flags | os.O_NONBLOCK))
            got.append(name)
        except OSError:
            pass
for kind in (0o060600, 0o020600):
    try:
        os.mknod("node", kind, os.makedev(1, 1))
        got.append("mknod")
    except OSError:
        pass
print("GOT" if got else "held", *got)
""",
        "passes",
    ),
    "settings_of_the_kernel": (
        """
import os
got = []
for name in ("/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger",
             "/proc/sys/vm/drop_caches", "/proc/sys/user/max_user_namespaces",
             "/sys/power/state", "/sys/fs/cgroup/cgroup.procs", "/proc/1/oom_score_adj"):
    try:
        os.close(os.open(name, os.O_WRONLY))  # opened alone: nothing is written
        got.append(name)
    except OSError:
        pass
print("GOT" if got else "held", *got)
""",
        "passes",
    ),
    "mounts_and_namespaces": (
        LIBC
        + """
got = []
for flag in (0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000):
    if libc.unshare(flag) == 0:
        got.append(hex(flag))
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    got.append("mount")
if libc.umount2(b"/proc", 2) == 0:
    got.append("umount")
if libc.chroot(b"/tmp") == 0:
    got.append("chroot")
for name in os.listdir("/proc/1/ns") if os.path.isdir("/proc/1/ns") else ():
    try:
        if libc.setns(os.open("/proc/1/ns/" + name, os.O_RDONLY), 0) == 0:
            got.append(name)
    except OSError:
        pass
print("GOT" if got else "held", *got)
""",
        "passes",
    ),
    "clone_into_namespaces": (
        LIBC
        + """
pid = libc.syscall(56 if os.uname().machine == "x86_64" else 220, 0x10000000 | 17, 0, 0, 0, 0)
if pid == 0:
    os._exit(0)
print("GOT" if pid > 0 else "held")
""",
        "passes",
    ),
    "setuid": (
        LIBC
        + """
import subprocess
got = []
for name in ("su", "sudo", "mount", "newgrp"):
    try:
        done = subprocess.run([name, "-c", "id -u"], capture_output=True, text=True, timeout=0.5)
        if done.returncode == 0 and os.getuid() != 0:
            got.append(name)
    except (OSError, subprocess.TimeoutExpired):
        pass
if os.getuid() and libc.setuid(0) == 0:
    got.append("setuid")
if any(int(line.split()[1], 16) for line in open("/proc/self/status") if line[:6] == "CapEff"):
    got.append("capabilities")
print("GOT" if got else "held", *got)
""",
        "passes",
    ),
    "io_uring_and_keys": (
        LIBC
        + """
got = []
params = ctypes.create_string_buffer(256)
if libc.syscall(425, 4, params) >= 0:
    got.append("io_uring")
if os.uname().machine == "x86_64":
    for name, call in (("keyctl", (250, 0, -3, 1)), ("add_key", (248, b"user", b"x", b"y", 1, -3)),
                       ("bpf", (321, 0, params, 64)), ("perf", (298, params, 0, -1, -1, 0)),
                       ("userfaultfd", (323, 1)), ("open_by_handle", (304, -100, params, 0))):
        if libc.syscall(*call) >= 0:
            got.append(name)
print("GOT" if got else "held", *got)
""",
        "passes",
    ),
    "core_dump": (
        LIBC
        + """
import resource
try:
    resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
except (OSError, ValueError):
    pass
libc.abort()
""",
        r"SIGABRT|signal 6|Aborted|aborted",
    ),
    "crash_in_c": (
        "import ctypes\nctypes.string_at(0)\n",
        r"SIGSEGV|signal 11|Segmentation",
    ),
    "sparse_file": (
        """
import os
try:
    os.truncate(os.open(os.environ["TMPDIR"] + "/x", os.O_CREAT | os.O_RDWR), 1 << 50)
    print("GOT")
except OSError:
    print("held")
""",
        r"passes|SIGXFSZ|signal 25|output limit",
    ),
    "close_all_descriptors": (
        "import os\nos.closerange(0, 4096)\nprint('held')\n",
        r"\d failing|crashed|ended",
    ),
    "replace_functions": (
        """
import json, os, sys, time, select, builtins
lie = lambda *a, **k: b""
for module, names in ((json, ("dumps", "loads")), (os, ("write", "read", "_exit", "fork", "kill",
        "waitpid", "getpid")), (time, ("time", "monotonic")), (select, ("select",))):
    for name in names:
        setattr(module, name, lie)
builtins.len = lambda *_: 0
builtins.isinstance = lambda *_: True
sys.stdout.write("GOT\\n")
""",
        r"\d failing",
    ),
    "exit_in_threads": (
        """
import os, sys, threading
threading.Thread(target=lambda: sys.exit(0)).start()
threading.Thread(target=lambda: os._exit(0)).start()
import time
time.sleep(2)
print("GOT")
""",
        r"ended before|exit|\d failing",
    ),
    "faulthandler_exit": (
        """
import faulthandler, time
faulthandler.dump_traceback_later(0.1, exit=True)
time.sleep(5)
""",
        r"\d failing",
    ),
    "trace_and_profile": (
        """
import sys, threading
def tracer(frame, event, argument):
    for name in ("message", "status", "passed", "outcome", "error", "ended"):
        if name in frame.f_locals:
            frame.f_locals[name] = "passed"
    return tracer
for one in (sys.settrace, sys.setprofile, threading.settrace, threading.setprofile):
    one(tracer)
frame = sys._getframe()
while frame:
    frame.f_trace = tracer
    frame = frame.f_back
raise ValueError("a lie")
""",
        r"ValueError|\d failing",
    ),
    "daemon_by_subprocess": (
        """
import subprocess, sys
subprocess.Popen(["sleep", "30"], start_new_session=True, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
print("held")
""",
        "passes",
    ),
    "daemons_that_multiply": (
        """
import os, time
end = time.monotonic() + 4
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            time.sleep(0.001)
        os._exit(0)
print("held")
""",
        r"passes|process limit",
    ),
    "orphans_that_multiply_for_long": (
        """
import os, time
end = time.monotonic() + 4
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
        os._exit(0)
time.sleep(3)
""",
        r"process limit|time limit",
    ),
    "environments": (
        """
import os
got = []
pid, seen = os.getpid(), []
while pid and pid not in seen:
    seen.append(pid)
    try:
        pid = int(open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()[1])
    except OSError:
        break
for pid in seen:
    for name in ("environ", "cmdline", "maps"):
        try:
            text = open("/proc/%d/%s" % (pid, name), "rb").read()
            if b"CANARY-" in text:
                got.append(text[text.index(b"CANARY-"):][:20])
        except OSError:
            pass
print("GOT" if got else "held", *got)
""",
        "passes",
    ),
    "flood": (
        """
import os, sys
block = b"x" * (1 << 20)
while True:
    os.write(1, block)
    os.write(2, block)
""",
        r"output limit|SIGXFSZ|time limit|File too large",
    ),
    "flood_on_stderr": (
        "import os\nwhile True:\n    os.write(2, b'\\x1b[31m' * 100000)\n",
        r"output limit|SIGXFSZ|time limit",
    ),
    "deep_recursion_in_c": (
        """
import sys
sys.setrecursionlimit(10 ** 9)
class A:
    def __repr__(self):
        return repr([self])
def f(n):
    return max([n], key=f)
f(0)
""",
        r"SIGSEGV|signal 11|RecursionError|MemoryError|memory limit|Segmentation",
    ),
    "zip_bomb": (
        """
import zlib
data = zlib.compress(bytes(1 << 26))
held = [zlib.decompress(data) for _ in range(64)]
print("GOT")
""",
        r"MemoryError|memory limit|time limit",
    ),
    "memory_by_mmap": (
        """
import mmap
held = []
for _ in range(64):
    one = mmap.mmap(-1, 1 << 26)
    for at in range(0, 1 << 26, 4096):
        one[at] = 1
    held.append(one)
print("GOT")
""",
        r"MemoryError|memory limit|time limit|Cannot allocate",
    ),
    "memory_by_children": (
        """
import os, time
for _ in range(16):
    if os.fork() == 0:
        held = bytearray(b"x") * (200 << 20)
        time.sleep(4)
        os._exit(0)
time.sleep(4)
print("GOT")
""",
        r"MemoryError|memory limit|time limit",
    ),
    "endless_import": (
        "while True:\n    try:\n        pass\n    except BaseException:\n        pass\n",
        r"time limit of 1\.0 s",
    ),
    "big_power": ("print(len(str(9 ** 9 ** 8)))\n", r"time limit of 1\.0 s|MemoryError"),
    "fifo": (
        "import os\nos.mkfifo('pipe')\nopen('pipe').read()\n",
        r"time limit of 1\.0 s",
    ),
    "stop_itself": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nprint('held')\n",
        r"time limit of 1\.0 s",
    ),
    "messages_with_escapes": (
        "raise ValueError('\\x1b[31mred\\x1b]0;title\\x07 \\x9b31m \\x08\\x08 \\r over')\n",
        r"ValueError",
    ),
    "output_with_escapes": (
        "print('\\x1b[2J\\x1b]52;c;aGk=\\x07 \\x9b2J')\nimport os\nos.write(2, b'\\x1b[31m')\n",
        r"\d failing",
    ),
    "type_with_escapes": (
        "E = type('\\x1b[31mE', (Exception,), {'__module__': '\\x1b[1m'})\nraise E('x')\n",
        r"\d failing",
    ),
    "sockets": (
        """
import array, os, socket
def tried(act):
    try:
        act()
    except (OSError, ValueError):
        pass
S = socket
def tcp():
    S.create_connection(("127.0.0.1", {tcp}), 0.5)
def udp():
    S.socket(S.AF_INET, S.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {udp}))
def mapped():
    S.socket(S.AF_INET6, S.SOCK_DGRAM).sendto(b"x", ("::ffff:127.0.0.1", {udp}))
def stream():
    S.socket(S.AF_UNIX, S.SOCK_STREAM).connect("{stream}")
def datagram():
    S.socket(S.AF_UNIX, S.SOCK_DGRAM).sendto(b"x", "{datagram}")
def abstract():
    S.socket(S.AF_UNIX, S.SOCK_STREAM).connect({abstract!r})
def loose():
    S.socket(S.AF_UNIX, S.SOCK_DGRAM).sendto(b"x", {loose!r})
def pair(kind, address):
    one, _ = S.socketpair(S.AF_UNIX, kind)
    one.sendto(b"x", address)
def vsock():
    S.socket(S.AF_VSOCK, S.SOCK_STREAM).connect((2, 1))
def raw():
    S.socket(S.AF_INET, S.SOCK_RAW, 1)
def packet():
    S.socket(S.AF_PACKET, S.SOCK_RAW)
def root():
    S.socket(S.AF_UNIX, S.SOCK_STREAM).connect("/proc/1/root{stream}")
def parent():
    S.socket(S.AF_UNIX, S.SOCK_STREAM).connect("/proc/%d/root{stream}" % os.getppid())
def linked():
    os.symlink("{datagram}", "near")
    S.socket(S.AF_UNIX, S.SOCK_DGRAM).sendto(b"x", "near")
for act in (tcp, udp, mapped, stream, datagram, abstract, loose, vsock, raw, packet, root, parent,
            linked):
    tried(act)
for kind in (S.SOCK_DGRAM, S.SOCK_STREAM, S.SOCK_SEQPACKET):
    for address in ("{datagram}", {loose!r}):
        tried(lambda: pair(kind, address))
        tried(lambda: pair(kind | S.SOCK_NONBLOCK | S.SOCK_CLOEXEC, address))
print("held")
""",
        "passes",
    ),
    "descriptors_of_others": (
        """
import os
got = []
for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
    if int(pid) == os.getpid():
        continue
    try:
        for fd in os.listdir("/proc/%s/fd" % pid):
            try:
                os.close(os.open("/proc/%s/fd/%s" % (pid, fd), os.O_RDWR | os.O_NONBLOCK))
                got.append(pid)
            except OSError:
                pass
    except OSError:
        pass
for pid in {os.getppid(), 1}:
    for way in ("root", "cwd"):
        try:
            with open("/proc/%d/%s/{outside}/planted" % (pid, way), "w"):
                got.append(way)
        except OSError:
            pass
print("GOT" if got else "held", *sorted(set(got)))
""",
        "passes",
    ),
    "limits_of_others": (
        """
import os, resource
got = []
for pid in {os.getppid(), 1}:
    for act in (lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, 8)),
                lambda: os.setpriority(os.PRIO_PROCESS, pid, 1),
                lambda: os.sched_setaffinity(pid, os.sched_getaffinity(0))):
        try:
            act()
            got.append(pid)
        except OSError:
            pass
print("GOT" if got else "held", *got)
""",
        "passes",
    ),
    "scratch_of_mgdebug": (
        """
import os, shutil
top = os.environ["TMPDIR"].rpartition("/box")[0]
for act in (lambda: shutil.rmtree(top), lambda: os.rename(top, top + "x"),
            lambda: open(top + "/outside/file", "w"), lambda: os.unlink(top + "/output.log"),
            lambda: os.symlink("{home}", top + "/link")):
    try:
        act()
    except OSError:
        pass
print("held")
""",
        "passes",
    ),
}
HELD = "held\n"


def run_program(
    decoy: Decoy,
    name: str,
    environment: Mapping[str, str] | None = None,
    wrapper: Sequence[str] = (),
) -> Ended:
    text = PROGRAMS[name][0]
    for key, value in decoy.addresses.items():
        text = text.replace(f"{{{key}}}", str(value)).replace(f"{{{key}!r}}", repr(value))
    decoy.write("prog.py", text)
    decoy.write("io/a.in", "")
    decoy.write("io/a.out", HELD)
    small = {"MGDEBUG_MEMORY": "512", **(environment or {})}
    words = ("fix", "prog.py", "--io", "io", "--time", "2", "--jobs", "1")
    return decoy.run(*words, environment=small, wrapper=wrapper)


def assert_held(name: str, ended: Ended) -> None:
    said, wanted = ended.said, PROGRAMS[name][1]
    assert ended.wrong == (), said
    assert "Traceback" not in said
    passed = ended.code == 0
    if passed:
        assert wanted.startswith("passes"), said
        return
    other = wanted.removeprefix("passes").removeprefix("|")
    assert other, said
    assert re.search(f"{other}|the time limit ended the search", said), said


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_gets_through(runs: Runs, name: str) -> None:
    assert_held(name, runs["own", name].result())


WITHOUT = (
    *("signals_to_others", "memory_of_the_watcher", "devices", "modes_by_descriptor"),
    *("orphans_that_multiply_for_long", "environments", "sockets", "modes_and_times"),
)


@needs_namespaces
@pytest.mark.parametrize("name", WITHOUT)
def test_nothing_gets_through_without_namespaces(runs: Runs, name: str) -> None:
    ended = runs["without", name].result()
    assert ended.wrong == (), ended.said
    assert not re.search(r"is ['\"]GOT", ended.said), ended.said


# ---------------------------------------------------------------------- files of pytest's own

PLANTED = {
    "conftest.py": "def pytest_pyfunc_call(pyfuncitem):\n    return True\n",
    "sitecustomize.py": "import os\nos.write(1, b'CANARY-printed')\n",
}


def test_a_module_that_plants_a_conftest_gains_nothing(decoy: Decoy) -> None:
    planted = "".join(
        f"try:\n    open({name!r}, 'w').write({text!r})\nexcept OSError:\n    pass\n"
        for name, text in PLANTED.items()
    )
    decoy.write("prog.py", f"{planted}def solve(n):\n    return 11\n")
    decoy.write(
        "test_prog.py", "from prog import solve\n\n\ndef test_it():\n    assert solve(5) == 10\n"
    )
    ended = decoy.run("fix", "--tests", "test_prog.py", "--time", "2", "--jobs", "1")
    assert ended.wrong == (), ended.said
    assert ended.code == 1


@pytest.mark.parametrize(
    "text",
    [
        "while True:\n    try:\n        pass\n    except BaseException:\n        pass\n",
        "import pytest\n@pytest.mark.parametrize('n', iter(int, 1))\ndef test_it(n):\n    pass\n",
    ],
    ids=["import", "endless cases"],
)
def test_collecting_without_end_ends_with_the_limit_named(decoy: Decoy, text: str) -> None:
    decoy.write("test_prog.py", text)
    small = {"MGDEBUG_COLLECT_TIME": "1", "MGDEBUG_MEMORY": "512"}
    words = ("fix", "--tests", "test_prog.py", "--time", "2", "--jobs", "1")
    ended = decoy.run(*words, environment=small)
    assert ended.wrong == (), ended.said
    assert ended.code != 0
    assert re.search(r"time limit of|memory limit of|MemoryError|1 s", ended.said), ended.said


@pytest.mark.parametrize("mode", [(), ("--json",), ("--diff",)], ids=["narrated", "json", "diff"])
def test_names_of_cases_are_escaped(decoy: Decoy, mode: tuple[str, ...]) -> None:
    decoy.write(
        "test_prog.py",
        "import pytest\n\n\n@pytest.mark.parametrize('n', [1], ids=['\\x1b[31mred\\x07'])\n"
        "def test_it(n):\n    v = '\\x1b[2J'\n"
        "    assert v == '\\x1b[3J\\x9b1m', '\\x1b]0;t\\x07'\n",
    )
    ended = decoy.run("fix", "--tests", "test_prog.py", "--time", "2", "--jobs", "1", *mode)
    assert ended.wrong == (), ended.said
    assert ended.code == 1


# ---------------------------------------------------------------------------- unprivileged


def test_nobody_is_as_safe_as_root(tmp_path: Path) -> None:
    pytest.importorskip("pwd")
    if shutil.which("setpriv") is None or os.getuid() != 0:
        pytest.skip("only root can become nobody")
    wrapper = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    tried = subprocess.run(
        [*wrapper, sys.executable, "-c", "import mgdebug.cli"],
        capture_output=True,
        check=False,
        cwd="/",
    )
    if tried.returncode:
        pytest.skip("nobody may not read this interpreter")
    with Decoy(tmp_path) as decoy:
        for name in ("environments", "sockets", "orphans_that_multiply_for_long"):
            subprocess.run(["chown", "-R", "65534:65534", tmp_path], check=True)
            for up in tmp_path.parents:
                if up.stat().st_uid == 0 and not up.stat().st_mode & 0o001:
                    pytest.skip(f"nobody may not enter {up}")
            ended = run_program(decoy, name, wrapper=wrapper)
            assert_held(name, ended)
