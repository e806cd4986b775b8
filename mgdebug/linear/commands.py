"""What can be typed, in one place: `help` is made from it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from mgdebug.errors import UsageError


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do.  name: of which a beginning is enough, where no other has it.  words: what
    it does; argument: what may stand behind it.  step: the step of a walk that it is, "" for other
    things, whose method is do_<name>."""

    name: str
    words: str
    argument: str = ""
    step: str = ""


COMMANDS: tuple[Command, ...] = (
    Command("status", "how the session stands"),
    Command("tests", "the tests that fail, with numbers; with all: those that pass too", "[all]"),
    Command("blocks", "what is under suspicion, and what has become of it"),
    Command(
        "show",
        "a test's run, at the place where it parts from a passing one; by number, or a part of its "
        "name",
        "CASE",
    ),
    Command("next", "next visit", step="next"),
    Command("previous", "previous visit", step="previous"),
    Command("into", "into the call", step="into"),
    Command("out", "out of the call", step="out"),
    Command("over", "over the calls of this visit", step="over"),
    Command("same", "the same block's next visit", step="next_same"),
    Command("same-back", "the same block's previous visit", step="previous_same"),
    Command("divergence", "next divergence from the passing run", step="next_parting"),
    Command("divergence-back", "previous divergence", step="previous_parting"),
    Command("values", "all values of this visit"),
    Command("watch", "what a variable has been in this call", "[NAME]"),
    Command("code", "the lines of the function that is looked at"),
    Command("patch", "the patch, hunk by hunk"),
    Command("other", "the next patch that passes"),
    Command("take", "take hunks", "N ..."),
    Command("reject", "reject hunks", "N ..."),
    Command("all", "take all hunks"),
    Command("edit", "edit a hunk in $EDITOR before it is applied", "N"),
    Command("apply", "apply what is taken, and run the tests again"),
    Command("undo", "undo what was applied"),
    Command("redo", "redo it"),
    Command("test", "rerun the failing tests; with all: all tests", "[all]"),
    Command("search", "search for a patch"),
    Command(
        "example",
        "add an input/output example of the function that is looked at, such as f(3) == 9",
        "EXPR",
    ),
    Command("export", "save the session as a page for a browser (HTML)", "[FILE]"),
    Command("cancel", "end what runs with the best so far"),
    Command("wait", "take no command until what runs has ended, or asks"),
    Command("help", "this list, or one command", "[COMMAND]"),
    Command("quit", "quit"),
)


def command(word: str) -> Command:
    """The one that a word, or the beginning of one, stands for; where one name begins another, the
    shorter.  Raises UsageError with what is near."""
    found = [c for c in COMMANDS if c.name.startswith(word.lower())]
    exact = min(found, key=lambda c: len(c.name), default=None)
    if exact is not None and all(c.name.startswith(exact.name) for c in found):
        return exact
    if found:
        names = [c.name for c in found]
        raise UsageError(f"{word} could be {', '.join(names[:-1])} or {names[-1]}")
    near = difflib.get_close_matches(word.lower(), [c.name for c in COMMANDS], 1)
    hint = f"did you mean {near[0]}?" if near else "help lists the commands"
    raise UsageError(f"there is no command {word}", hint)


def helped(word: str = "") -> Iterator[str]:
    """The commands, a line each, or the one of a word.  Raises UsageError for none."""
    for one in (command(word),) if word else COMMANDS:
        yield f"{one.name} {one.argument}".rstrip() + f": {one.words}"
