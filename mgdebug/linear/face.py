"""The session line by line: one thread hears what a repair tells and what the user types."""

from __future__ import annotations

import queue
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

from mgdebug.errors import MgdebugError, UsageError
from mgdebug.events import Asked, Event, Finished, Grouped, Reply, Sending, Traced
from mgdebug.linear import speaking
from mgdebug.linear.commands import command
from mgdebug.linear.lines import Lines
from mgdebug.linear.progress import detail
from mgdebug.linear.running import Running, Sure
from mgdebug.model import Question
from mgdebug.session import Failed, Heard, Session
from mgdebug.syntax.literals import literal

PROMPT, ANSWER = "mgdebug> ", "answer> "
_ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class Typed:
    """A line; None is the end of input."""

    text: str | None


class Signal(Enum):
    OVER = auto()  # the thread of a repair has nothing more to tell
    INTERRUPT = auto()  # Ctrl-C
    END = auto()  # somebody ends the process


class Linear(Running):
    """make: a session, of whoever is told what runs, and what is to be said first, "" for nothing.
    begins: whether it searches at once."""

    def __init__(
        self,
        make: Callable[[Callable[[Heard | Failed], None]], tuple[Session, str]],
        *,
        begins: bool = True,
    ) -> None:
        self._items: queue.SimpleQueue[Heard | Failed | Typed | Signal] = queue.SimpleQueue()
        session, self._notice = make(self._items.put)
        super().__init__(session, lambda: self._items.put(Signal.OVER))
        self.begins = begins
        self._lines = Lines(lambda text: self._items.put(Typed(text)))

    def run(self) -> int:
        """Until the user leaves.  Returns the exit code."""
        try:
            with self._signals():
                self._begin()
                while not self.left:
                    self._prompt()
                    self._take(self._items.get())
        finally:
            self.session.close()
            self._lines.close()
        self.joined()
        return self.session.exit_code

    def say(self, words: str) -> None:
        self._lines.say(words)

    def _begin(self) -> None:
        self.say("mgdebug, line by line; help lists the commands")
        if self._notice:
            self.say(self._notice)
        if self.begins:
            self.start(self.session.search())
            return
        self.say("taken up again")
        self.do_status("")
        self.first_look()
        self.say("search looks for a patch, test runs the failing tests")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals stand in the queue, like all else."""
        meant = {
            signal.SIGINT: Signal.INTERRUPT,
            signal.SIGTERM: Signal.END,
            signal.SIGHUP: Signal.END,
        }
        before = {
            number: signal.signal(number, lambda *_, item=item: self._items.put(item))
            for number, item in meant.items()
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # ------------------------------------------------------------------------------- hearing

    def _take(self, item: Heard | Failed | Typed | Signal) -> None:
        match item:
            case Heard() | Failed():
                self._hear(item)
            case Typed(None) | Signal.END:
                self.left = True
            case Typed(str(text)):
                self._lines.came()
                self._typed(text.strip())
            case Signal.INTERRUPT:
                self.interrupted()
            case Signal.OVER:
                self.joined()

    def _hear(self, told: Heard | Failed) -> None:
        self.session.hear(told)
        if isinstance(told, Failed):
            self.say_all(detail(told.detail))
            self._refused(told)
            return
        self.say_all(self.progress.told(told.event))
        self._show(told.event)

    def _show(self, event: Event) -> None:
        match event:
            case Traced() if event.traces is self.session.account.traces:
                self.first_look()
            case Grouped() | Finished():
                self.review.show(self.session.account)
            case Asked():
                self.say_all(speaking.question(event.question))
            case Sending():
                self.say_all(speaking.sending(event))

    def _refused(self, trouble: MgdebugError | Failed) -> None:
        """What the user must mend, with the next step."""
        self.say(f"{trouble.message}; next: {trouble.hint}" if trouble.hint else trouble.message)

    # -------------------------------------------------------------------------------- typing

    def _prompt(self) -> None:
        """Read a line, unless the user waits for the end of what runs."""
        asked, runs = self._asked is not None, self.thread is not None
        self.waits = self.waits and runs and not asked
        if not self.waits:
            self._lines.ask(ANSWER if asked else PROMPT, quiet=runs and not asked)

    def _typed(self, text: str) -> None:
        try:
            if self._asked is None or not self._answered(text):
                self._do(text)
        except MgdebugError as error:
            self._refused(error)

    def _do(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if not word:
            return
        try:
            one = command(word)
        except UsageError as error:
            if self._asked is not None:
                raise UsageError("that is neither an answer nor a command", error.hint) from None
            raise
        self.sure = None
        if one.step:
            self.step(one.step)
        else:
            getattr(self, f"do_{one.name}")(rest.strip())

    @property
    def _asked(self) -> Question | Sending | Sure | None:
        """What waits for an answer."""
        account = self.session.account
        waits = self.thread is not None and not self.cancelled
        return self.sure or ((account.question or account.sending) if waits else None)

    def _answered(self, text: str) -> bool:
        """Whether a line was an answer: a command may be given instead of one."""
        asked = self._asked
        if isinstance(asked, Question):
            try:
                reply = _reply(asked, text)
            except ValueError:
                return False
            self.say("it is left open" if reply is None else "that is what holds from now on")
            self.session.reply(reply)
            return True
        yes = _ANSWERS.get(text.lower())
        if yes is None:
            return False
        if isinstance(asked, Sure):
            self.sure = None
            if yes:
                asked.yes()
            else:
                self.say(asked.no)
        else:
            self.say("it is sent" if yes else "nothing is sent")
            self.session.reply(Reply(0) if yes else None)
        return True


def _reply(question: Question, text: str) -> Reply | None:
    """What a line says to a question; None leaves it open.  Raises ValueError for what is neither a
    number of its list nor a value."""
    if not text:
        return None
    count = len(question.choices)
    if text.isdecimal() and 1 <= int(text) <= count + 1:
        return Reply(int(text) - 1) if int(text) <= count else Reply()
    value = text.removeprefix("=").strip()
    literal(value)
    return Reply(None, value)
