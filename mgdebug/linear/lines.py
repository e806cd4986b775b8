"""Standard input and output as lines, one below the other.

A line is read in a thread of its own, so that what a repair tells meanwhile can be said.  On a
terminal readline edits what is typed.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

from mgdebug.linear.commands import COMMANDS
from mgdebug.states import printable

CHUNK_BYTES = 1 << 16
PROMPT_SECONDS = 0.5  # until readline has written it, at most


class Lines:
    """put: is told each line that was typed, None at the end of input; in another thread."""

    def __init__(self, put: Callable[[str | None], None]) -> None:
        self._put = put
        self._wanted: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._shown = threading.Event()  # readline has written the prompt
        self.waits = False  # whether a line is being read
        self._open = False  # whether a prompt is what was written last
        self._fresh = False  # whether a line was said since `ask`: nothing stands on the row
        self._before: list[Any] | None = None  # how the terminal was
        self._readline = self._editing()
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._open:
            self._write("\n")
        if self._before is not None:
            import termios

            with suppress(termios.error):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    def say(self, words: str) -> None:
        """One line, with nothing in it that a terminal would obey."""
        self._write("\n" * (self._open or self._typed) + printable(words) + "\n")
        self._open, self._fresh = False, True

    def ask(self, prompt: str, *, quiet: bool = False) -> None:
        """Read the next line.  If it is being read already, only show the prompt again; quiet: not
        even that, unless what has been typed so far went out of sight."""
        if not self.waits:
            self.waits = True
            self._shown.clear()
            self._wanted.put(prompt)
            if self._readline is None:
                self._write(prompt)
            else:
                self._shown.wait(PROMPT_SECONDS)
            self._open = True
        elif not self._open and (not quiet or (self._fresh and self._begun)):
            self._write("\n" * self._typed + prompt + printable(self._begun))
            self._open = True
        self._fresh = False

    def came(self) -> None:
        """The line that was read is there."""
        if self._readline is None and self._open:
            self._write("\n")
        self.waits = self._open = False

    @property
    def _typed(self) -> bool:
        """Whether what has been typed stands on the row that is written next."""
        return bool(self._begun) and not self._fresh

    @property
    def _begun(self) -> str:
        """What has been typed of a line, as far as one can know."""
        return str(self._readline.get_line_buffer()) if self._readline and self.waits else ""

    # ------------------------------------------------------------------------------- reading

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _editing(self) -> ModuleType | None:
        """readline, if a person is at both ends."""
        if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
            return None
        try:
            import readline
            import termios
        except ImportError:
            return None
        with suppress(termios.error):
            self._before = termios.tcgetattr(sys.stdin.fileno())
        readline.parse_and_bind("set enable-bracketed-paste off")  # it writes escape characters
        readline.parse_and_bind("tab: complete")
        readline.set_completer_delims(" ")
        readline.set_completer(_completed)
        readline.set_pre_input_hook(self._shown.set)
        return readline

    def _read(self) -> None:
        rows = _rows(sys.stdin.fileno()) if sys.stdin else iter(())  # it may have been closed
        while True:
            prompt = self._wanted.get()
            try:
                line = next(rows) if self._readline is None else input(prompt)
            except (EOFError, StopIteration, OSError):
                self._put(None)
                return
            except ValueError:  # what was typed is no text
                line = ""
            self._put(line)


def _rows(handle: int) -> Iterator[str]:
    """Lines without their ends.  Not of a buffered file: a thread that waits in one cannot be left
    behind when the process ends."""
    rest = b""
    while chunk := os.read(handle, CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")


def _completed(text: str, at: int) -> str | None:
    names = [c.name for c in COMMANDS if c.name.startswith(text)]
    return names[at] if at < len(names) else None
