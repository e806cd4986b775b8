"""Expressions in the live frame of a run that stands still.

In that child the expressions that surely change nothing (see harmless) are evaluated one after
another.  Each other one is evaluated in a fork of its own, so that none can influence the next.
There files can be read at their place, but are not written, and pipes and sockets are closed; what
an expression does to the file system by name (os.remove) or to other processes cannot be undone.

A child that dies, or does not go on, is followed by another one, which takes them one by one from
where it was, so that the expression is found which did it.
"""

import fcntl
import gc
import os
import resource
import select
import signal
import stat
import struct
import sys
import time
import types
import warnings
from typing import Any, Dict, List, Sequence, Tuple

from .fork import Voice
from .frames import Message
from .harmless import Expression, Plain
from .processes import children, has_children, prctl
from .snapshot import snapshot

_CHUNK = 256  # expressions that are answered together
_WALL, _FLOOR = 4.0, 1.0  # seconds of wall time for each of processor time; at least
_ROOM = 200  # calls above the recursion limit of the run, for what expressions call
_SET_PDEATHSIG = 1  # <linux/prctl.h>
_STEP = struct.Struct("<I")

_fork, _exit, _getpid, _kill = os.fork, os._exit, os.getpid, os.kill  # the user's code may replace
_read, _write, _pipe, _close, _waitpid = os.read, os.write, os.pipe, os.close, os.waitpid
_now, _setitimer, _poll = time.monotonic, signal.setitimer, select.poll


class Live:
    """The expressions of one state, evaluated in children of the run."""

    def __init__(
        self,
        voice: Voice,
        state: int,
        expressions: Sequence[Expression],
        todo: Sequence[int],
        seconds: float,
    ) -> None:
        """todo: the numbers of those to evaluate.  seconds: of processor time, for each."""
        self.voice, self.state, self.expressions, self.todo = voice, state, expressions, list(todo)
        self.seconds, self.wall = seconds, max(_FLOOR, _WALL * seconds)

    def answer(self, frame: types.FrameType, handed: Dict[str, Any]) -> None:
        """In the run itself, which goes on unchanged behind it."""
        done, careful, failed = 0, 0, ""
        while done < len(self.todo):
            read, write = _pipe()
            random: Any = sys.modules.get("random")
            seed = random.getstate() if hasattr(random, "getstate") else None
            try:
                pid = _forked()
            except OSError as error:
                _close(read)
                _close(write)
                self._refuse("no process can be started here: %s" % error.strerror)
                return
            if not pid:
                try:
                    if seed is not None:
                        random.setstate(seed)
                    _close(read)
                    self._child(frame, handed, write, done, careful, failed)
                finally:
                    _exit(0)
            _close(write)
            reached, how = self._watch(pid, read, done + bool(failed))
            _close(read)
            if not how:
                return
            alone = reached < careful
            failed = how if alone else ""
            careful = careful if alone else reached + _CHUNK
            done = reached

    def _refuse(self, why: str) -> None:
        many = [0] * len(self.todo)
        self.voice.say({"state": self.state, "shots": [why], "of": self.todo, "at": many})

    def _watch(self, pid: int, read: int, done: int) -> Tuple[int, str]:
        """How many are done, and what ended the child before it had done all."""
        poll = _poll()
        poll.register(read, select.POLLIN)
        heard, how = b"", ""
        deadline = _now() + 2 * self.wall + 1
        while done < len(self.todo):
            left = deadline - _now()
            if left <= 0:
                how = "time limit of %.1f s" % self.wall
                break
            if not poll.poll(1000 * left):
                continue
            data = _read(read, 4096)
            if not data:
                break
            heard += data
            whole = len(heard) // _STEP.size * _STEP.size
            if whole:
                (count,) = _STEP.unpack(heard[whole - _STEP.size : whole])
                done, heard = max(done, min(count, len(self.todo))), heard[whole:]
                deadline = _now() + 2 * self.wall + 1
        status = _buried(pid, bool(how) or done >= len(self.todo))
        return done, "" if done >= len(self.todo) else how or _how(status, self.seconds)

    # In the child:

    def _child(
        self,
        frame: types.FrameType,
        handed: Dict[str, Any],
        write: int,
        done: int,
        careful: int,
        failed: str,
    ) -> None:
        """done: how many are, in their order.  careful: up to which one each is answered by itself.
        failed: what the next one has done to the child before this one."""
        voice = self.voice.again()
        _alone()
        space = space_of(frame, handed)
        plain = Plain(space)
        surely: List[int] = []
        others: List[int] = []
        for at in self.todo:
            names = self.expressions[at].reads
            harmless = self.expressions[at].code is None or (names is not None and plain.all(names))
            (surely if harmless else others).append(at)
        order = surely + others
        if failed:
            voice.say(self._failed(order[done], failed, True))
            done += 1
            _write(write, _STEP.pack(done))
        while done < len(order):
            size = 1 if done < careful else _CHUNK
            if done < len(surely):
                chunk = order[done : min(done + size, len(surely))]
                _setitimer(signal.ITIMER_PROF, self.seconds)
                message = self._together(chunk, space)
                _setitimer(signal.ITIMER_PROF, 0)
                voice.say(message)
                done += len(chunk)
            else:
                self._apart(voice, order[done], space, write)
                done += 1
            _write(write, _STEP.pack(done))

    def _together(self, chunk: Sequence[int], space: Dict[str, Any]) -> Message:
        shots: List[Any] = []
        at: List[int] = []
        known: Dict[Any, int] = {}
        for number in chunk:
            code, error, _, hides = self.expressions[number]
            if code is None:
                shots.append(error)
                at.append(len(shots) - 1)
                continue
            key: Any = None
            try:
                value = eval(code, space)
                kind = type(value)
                if (kind is int or kind is bool or value is None) and not hides:
                    key = (kind, value)
                    if key in known:
                        at.append(known[key])
                        continue
                shot: Any = snapshot(value, hides)
                value = None
            except BaseException as caught:
                shot = _error(caught)
            if key is None:
                key = repr(shot)
                if key in known:
                    at.append(known[key])
                    continue
            known[key] = len(shots)
            at.append(len(shots))
            shots.append(shot)
        return {"state": self.state, "shots": shots, "of": list(chunk), "at": at}

    def _failed(self, number: int, why: str, instead: bool = False) -> Message:
        """instead: of what the expression may have said itself."""
        message: Message = {"state": self.state, "shots": [why], "of": [number], "at": [0]}
        return {**message, "instead": instead}

    def _apart(self, voice: Voice, number: int, space: Dict[str, Any], parent: int) -> None:
        """One expression in a fork of its own."""
        voice.say({"state": self.state, "trying": number})
        read, write = _pipe()
        pid = _forked()
        if not pid:
            try:
                prctl(_SET_PDEATHSIG, signal.SIGKILL)  # what ends its parent ends it too
                _close(read)
                _close(parent)
                self._evaluate(number, space, write)
            finally:
                _exit(0)
        _close(write)
        poll = _poll()
        poll.register(read, select.POLLIN)
        ready = poll.poll(1000 * self.wall)
        said = _read(read, 1) if ready else b""
        status = _buried(pid, bool(said) or not ready)
        _close(read)
        if not said:
            how = _how(status, self.seconds) if ready else "time limit of %.1f s" % self.wall
            voice.say(self._failed(number, how))

    def _evaluate(self, number: int, space: Dict[str, Any], write: int) -> None:
        voice, own = self.voice.again(), _getpid()
        _guard((voice.fd, write))
        output = sys.stdout
        _setitimer(signal.ITIMER_PROF, self.seconds)
        message = self._together([number], space)
        _setitimer(signal.ITIMER_PROF, 0)
        if _getpid() != own:
            _exit(0)
        left = list(children()) if has_children() else []
        for pid in left:
            _kill(pid, signal.SIGKILL)
        if left:
            message["shots"] = ["it starts processes"]
        elif isinstance(output, _Output) and output.said:
            message["shots"] = ["it prints"]
        voice.say(message)
        _write(write, b"1")


class _Output:
    """In place of standard output: it notes that something was printed."""

    encoding, errors, closed = "utf-8", "replace", False

    def __init__(self) -> None:
        self.said = False

    def write(self, text: str) -> int:
        self.said = True
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        self.said = True

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def space_of(frame: types.FrameType, handed: Dict[str, Any]) -> Dict[str, Any]:
    """The names that code at a place of a frame would see.  The frame of a comprehension sees those
    of the function around it: of a generator expression where that frame is the one that asks."""
    frames = [frame]
    while frames[-1].f_code.co_name in _INLINE:
        above = frames[-1].f_back
        if above is None or frames[-1].f_code not in above.f_code.co_consts:
            break
        frames.append(above)
    space = dict(frame.f_globals)
    for one in reversed(frames):
        code = one.f_code
        for name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
            space.pop(name, None)
        if one.f_locals is not one.f_globals:
            space.update(one.f_locals)
    space.update(handed)
    return space


_INLINE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


def _error(error: BaseException) -> str:
    """No code of the error's own runs."""
    text = str(snapshot(error)[1])
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def _forked() -> int:
    if sys.version_info < (3, 12):
        return _fork()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of forks beside threads
        return _fork()


def _buried(pid: int, kill: bool) -> int:
    """The status of a child, which is killed first where it might go on."""
    try:
        if kill:
            _kill(pid, signal.SIGKILL)
        return _waitpid(pid, 0)[1]
    except OSError:  # the user's code has reaped it
        return 0


def _how(status: int, seconds: float) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGPROF:
            return "time limit of %.2f s of processor time" % seconds
        try:
            return "signal %s" % signal.Signals(number).name
        except ValueError:
            return "signal %d" % number
    return "exit %d" % os.WEXITSTATUS(status)


def _alone() -> None:
    """What a child must not share with the run: output, its debugger, its limits."""
    gc.disable()
    sys.settrace(None)
    sys.setprofile(None)
    kept.extend((sys.stdout, sys.stderr))  # or they would be flushed as they go
    sys.stdout = sys.stderr = _Output()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    if null > 2:
        _close(null)
    sys.setrecursionlimit(sys.getrecursionlimit() + _ROOM)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    try:
        os.setpgid(0, 0)
    except OSError:  # the sandbox forbids it
        pass


kept: List[Any] = []


def _guard(own: Sequence[int]) -> None:
    """Files are read from where they are, without moving the run's own place in them, and nothing
    is written; what leads to other processes is closed."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    for fd in _descriptors():
        if fd <= 2 or fd in own:
            continue
        try:
            mode = os.fstat(fd).st_mode
            if stat.S_ISDIR(mode):
                continue
            access = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE
            if stat.S_ISREG(mode) and access != os.O_WRONLY and sys.platform == "linux":
                place = os.lseek(fd, 0, os.SEEK_CUR)
                other = os.open("/proc/self/fd/%d" % fd, os.O_RDONLY)
                os.lseek(other, place, os.SEEK_SET)
                os.dup2(other, fd)
                _close(other)
            else:
                _close(fd)
        except OSError:
            try:
                _close(fd)
            except OSError:
                pass


def _descriptors() -> List[int]:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return [int(name) for name in os.listdir(folder)]
        except (OSError, ValueError):
            continue
    return list(range(3, 256))
