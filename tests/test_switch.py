"""Probes are put into living functions and taken out again, while the process runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from interpreters import EVERY, run_inside

SOURCE = """\
def outer(n):
    def inner(x):
        return x + n
    return inner

class Box:
    def __init__(self, size):
        self.size = size
    def double(self):
        return 2 * self.size

add = outer(5)
"""

INSIDE = """
import importlib, os, sys
probes = importlib.import_module("_mgdebug_probe.probes")
recording = importlib.import_module("_mgdebug_probe.recorder")
sys.path.insert(0, message["folder"])
import boxes

source = message["source"]
one, two = source.index("return x + n"), source.index("return 2 *")
places = [(0, "run", one, one + 12), (1, "run", two, two + 20)]
recorder = recording.Recorder([0, 1])
made = probes.Probes(recorder, places, [["x", "n"], ["self"]])
switch = made.into(os.path.realpath(boxes.__file__), source.encode())
before = boxes.add.__code__, boxes.Box.double.__code__
recorder.clear(True)
results, visits = [], []
box = boxes.Box(2)
for turn in (lambda: None, switch.on, switch.off, switch.on):
    turn()
    results.append([boxes.add(1), box.double()])
    visits.append(sum(count for _, count in recorder.report()["hits"]))
switch.off()
same = before[0] is boxes.add.__code__ and before[1] is boxes.Box.double.__code__
answer = {"results": results, "visits": visits, "same": same}
"""


@pytest.mark.parametrize("python", EVERY)
def test_what_is_taken_out_runs_the_very_code_that_ran_before(python: str, tmp_path: Path) -> None:
    (tmp_path / "boxes.py").write_text(SOURCE)
    said = run_inside(python, INSIDE, {"folder": str(tmp_path), "source": SOURCE})
    assert said["results"] == [[6, 4]] * 4
    assert said["visits"] == [0, 2, 2, 4]
    assert said["same"]
