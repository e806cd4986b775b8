"""`--engine llm` as somebody who watches sees it: how soon the first event comes, though litellm
takes seconds to import, and how soon Ctrl-C ends it while a reply is streaming."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgdebug.bench.loopback import Said, Server

ROUNDS = 5
FIRST_BAR, ENDED_BAR = 0.3, 0.5  # seconds
PROGRAM = "def least(a, b):\n    return a if a > b else b\n"
TEST = "from program import least\n\ndef test_least():\n    assert least(1, 2) == 1\n"


def run(only: Sequence[str], seconds: float) -> Iterator[tuple[str, bool]]:
    """Medians of both, in seconds of wall time, beside the import of litellm."""
    firsts, ends = [], []
    # A reply that takes half a minute to stream.
    with (
        Server(lambda *_: Said("x" * 50, drip=6.0)).running() as server,
        tempfile.TemporaryDirectory(prefix="asking-") as name,
    ):
        root = Path(name)
        (root / "program.py").write_text(PROGRAM)
        (root / "test_program.py").write_text(TEST)
        for _ in range(ROUNDS):
            first, ended = _once(root, server)
            firsts.append(first)
            ends.append(ended)
    began = time.perf_counter()
    local = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    subprocess.run([sys.executable, "-c", "import litellm"], env=local, check=True)
    whole = time.perf_counter() - began
    first, ended = statistics.median(firsts), statistics.median(ends)
    yield f"import litellm {whole:.1f} s", True
    yield f"first event after {first:.2f} s (bar {FIRST_BAR})", first <= FIRST_BAR
    yield f"Ctrl-C amid a reply ends it in {ended:.2f} s (bar {ENDED_BAR})", ended <= ENDED_BAR


def _once(root: Path, server: Server) -> tuple[float, float]:
    command = [sys.executable, "-m", "mgdebug", "fix", "--json", "--engine", "llm", "--yes"]
    command += ["--model", "openai/test", "--api-base", server.base, "--no-cache"]
    known = len(server.requests)
    began = time.perf_counter()
    child = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "OPENAI_API_KEY": "nobody asks for it"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    child.stdout.readline()
    first = time.perf_counter() - began
    while len(server.requests) == known:
        time.sleep(0.02)
    time.sleep(0.5)  # the first part is there
    began = time.perf_counter()
    for _ in range(2):  # the second one does not wait for the best so far
        child.send_signal(signal.SIGINT)
        time.sleep(0.05)
    child.communicate()
    return first, time.perf_counter() - began
