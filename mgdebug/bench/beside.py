"""Another tracer on the programs that it is sent, against the same untraced.  Run by path in the
interpreter that has it: standard library only.  PEER SECONDS; prints ratios by set as JSON."""

import contextlib
import importlib
import json
import os
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("BIRDSEYE_DB", "sqlite://")
os.environ.setdefault("COVERAGE_CORE", "ctrace")

Space = dict[str, Any]
MEASURES: dict[str, Any] = {}


class Null:
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


@contextlib.contextmanager
def settrace(space: Space, path: str) -> Iterator[None]:
    def nothing(frame: Any, event: str, argument: Any) -> Any:
        return nothing

    sys.settrace(nothing)
    try:
        yield
    finally:
        sys.settrace(None)


@contextlib.contextmanager
def monitoring(space: Space, path: str) -> Iterator[None]:
    watch: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    watch.use_tool_id(4, "bench")
    watch.register_callback(4, watch.events.LINE, lambda code, line: None)
    watch.set_events(4, watch.events.LINE)
    try:
        yield
    finally:
        watch.set_events(4, 0)
        watch.free_tool_id(4)


@contextlib.contextmanager
def wrapped(space: Space, wrap: Callable[[Any], Any]) -> Iterator[None]:
    plain = dict(space)
    for name, thing in plain.items():
        if isinstance(thing, types.FunctionType) and name != "__calls__":
            space[name] = wrap(thing)
    try:
        yield
    finally:
        space.update(plain)


@contextlib.contextmanager
def watchpoints(space: Space, path: str) -> Iterator[None]:
    module = importlib.import_module("watchpoints")
    box = [0]
    module.watch(box, callback=lambda *told: None)
    try:
        yield
    finally:
        module.unwatch()


def pysnooper(space: Space, path: str) -> contextlib.AbstractContextManager[None]:
    snoop = importlib.import_module("pysnooper").snoop
    return wrapped(space, lambda function: snoop(Null(), color=False)(function))


def snoop(space: Space, path: str) -> contextlib.AbstractContextManager[None]:
    config = importlib.import_module("snoop").Config(out=Null(), color=False)
    return wrapped(space, config.snoop)


def birdseye(space: Space, path: str) -> contextlib.AbstractContextManager[None]:
    eye = importlib.import_module("birdseye").eye
    return wrapped(space, eye)


@contextlib.contextmanager
def hunter(space: Space, path: str) -> Iterator[None]:
    module = importlib.import_module("hunter")
    module.trace(filename=path, action=module.VarsSnooper(stream=Null()))
    try:
        yield
    finally:
        module.stop()


@contextlib.contextmanager
def viztracer(space: Space, path: str) -> Iterator[None]:
    tracer = importlib.import_module("viztracer").VizTracer(log_func_args=True, verbose=0)
    tracer.start()
    try:
        yield
    finally:
        tracer.stop()
        tracer.clear()


@contextlib.contextmanager
def coverage(space: Space, path: str) -> Iterator[None]:
    measure = MEASURES.get(path)  # a new one asks anew for each file whether it is to be traced
    if measure is None:
        measure = MEASURES[path] = importlib.import_module("coverage").Coverage(
            data_file=None, include=[path], config_file=False
        )
    measure.start()
    try:
        yield
    finally:
        measure.stop()


PEERS: dict[str, Callable[[Space, str], contextlib.AbstractContextManager[None]]] = {
    "settrace": settrace,
    "monitoring": monitoring,
    "watchpoints": watchpoints,
    "PySnooper": pysnooper,
    "snoop": snoop,
    "birdseye": birdseye,
    "hunter": hunter,
    "viztracer": viztracer,
    "coverage": coverage,
}


def ratio(
    row: dict[str, Any],
    peer: Callable[[Space, str], contextlib.AbstractContextManager[None]],
    path: Path,
) -> float:
    """The median of traced runs by that of untraced ones in turn."""
    path.write_text(row["text"], "utf-8")
    space: Space = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(row["text"], str(path), "exec"), space)
    body = "".join(f"\n    {call}" for call in row["calls"])
    exec(compile("def __calls__():" + body, "calls.py", "exec"), space)
    calls = space["__calls__"]
    plain: list[float] = []
    traced: list[float] = []
    until = time.monotonic() + 1.0
    while len(traced) < 7 and (len(traced) < 2 or time.monotonic() < until):
        began = time.thread_time()
        calls()
        plain.append(time.thread_time() - began)
        with peer(space, str(path)):
            began = time.thread_time()
            calls()
            traced.append(time.thread_time() - began)
    return statistics.median(traced[1:]) / statistics.median(plain[1:])


def main(name: str, seconds: float) -> Any:
    module = {"settrace": "sys", "monitoring": "sys", "PySnooper": "pysnooper"}.get(name, name)
    try:
        importlib.import_module(module)
    except ImportError:
        return "not installed"
    found: dict[str, list[float]] = {}
    until = time.monotonic() + seconds
    rows = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        for number, row in enumerate(rows):
            if time.monotonic() > until:
                break
            try:
                value = ratio(row, PEERS[name], Path(folder) / f"program_{number}.py")
            except Exception as error:
                print(row["set"], type(error).__name__, error, file=sys.stderr)
                continue
            found.setdefault(row["set"], []).append(value)
    return {key: statistics.geometric_mean(values) for key, values in found.items()}


if __name__ == "__main__":
    out, sys.stdout = sys.stdout, sys.stderr
    del sys.path[0]  # this folder's modules hide others of the same names
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]))), file=out)
