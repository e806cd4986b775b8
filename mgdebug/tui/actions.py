"""What a user can do, in one place: keys, footer, help and palette are made from it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from mgdebug.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.  place: where it is bound: "session" everywhere, else a pane.  name: of the
    method action_<name> there.  words: what it does; short: the same for the footer, "" where it is
    not shown there."""

    place: str
    name: str
    keys: tuple[str, ...]
    words: str
    short: str = ""

    @property
    def id(self) -> str:
        """Its name in [tool.mgdebug.keys]."""
        return f"{self.place}.{self.name}"


ACTIONS: tuple[Action, ...] = (
    Action("session", "next_visit", ("n",), "next visit", "next"),
    Action("session", "previous_visit", ("p",), "previous visit", "previous"),
    Action("session", "into", ("s",), "into the call"),
    Action("session", "out", ("r",), "out of the call"),
    Action("session", "over", ("S",), "over the calls of this visit"),
    Action("session", "next_same", ("N",), "the same block's next visit"),
    Action("session", "previous_same", ("P",), "the same block's previous visit"),
    Action(
        "session", "next_divergence", ("c",), "next divergence from the passing run", "divergence"
    ),
    Action("session", "previous_divergence", ("C",), "previous divergence"),
    Action("session", "test_failing", ("t",), "rerun the failing tests", "test"),
    Action("session", "test_all", ("T",), "rerun all tests"),
    Action("session", "search_on", ("f",), "search for a patch"),
    Action("session", "example", ("o",), "add an input/output example"),
    Action("session", "edit_file", ("e",), "open in $EDITOR at the line"),
    Action("session", "undo", ("z",), "undo what was applied", "undo"),
    Action("session", "redo", ("Z",), "redo it"),
    Action("session", "find", ("slash",), "search in the pane"),
    Action("session", "find_previous", ("comma",), "previous match"),
    Action("session", "find_next", ("full_stop",), "next match"),
    Action("session", "copy", ("y",), "copy what is selected"),
    Action("session", "pane('tests')", ("1",), "the tests"),
    Action("session", "pane('blocks')", ("2",), "the blocks"),
    Action("session", "pane('code')", ("3",), "the code"),
    Action("session", "pane('patch')", ("4",), "the patch"),
    Action("session", "pane('model')", ("5",), "what a model writes"),
    Action("session", "export", ("x",), "save the session as a page for a browser (HTML)"),
    Action("session", "picture", ("ctrl+s",), "save a screenshot (SVG)"),
    Action("session", "theme", ("L",), "light, dark or the terminal's own colours"),
    Action("session", "actions", ("question_mark",), "all keys", "all keys"),
    Action("session", "cancel", ("ctrl+c",), "cancel what runs; twice quits"),
    Action("session", "leave", ("q",), "quit", "quit"),
    Action("code", "line_down", ("j", "down"), "down a line"),
    Action("code", "line_up", ("k", "up"), "up a line"),
    Action("code", "left", ("h", "left"), "to the left"),
    Action("code", "right", ("l", "right"), "to the right"),
    Action("code", "half_down", ("ctrl+d", "pagedown"), "half a page down"),
    Action("code", "half_up", ("ctrl+u", "pageup"), "half a page up"),
    Action("code", "top", ("g", "home"), "to the first line"),
    Action("code", "bottom", ("G", "end"), "to the last line"),
    Action("code", "view", ("enter",), "all values of this visit, with search", "values"),
    Action("code", "watch", ("w",), "watch another variable"),
    Action("patch", "next_hunk", ("right", "l"), "next hunk", "hunk"),
    Action("patch", "previous_hunk", ("left", "h"), "previous hunk"),
    Action("patch", "line_down", ("j", "down"), "down a line"),
    Action("patch", "line_up", ("k", "up"), "up a line"),
    Action("patch", "half_down", ("ctrl+d", "pagedown"), "half a page down"),
    Action("patch", "half_up", ("ctrl+u", "pageup"), "half a page up"),
    Action("patch", "take", ("space",), "take the hunk, or leave it", "take"),
    Action("patch", "range", ("v",), "begin or end a range of hunks"),
    Action("patch", "all", ("a",), "take all hunks"),
    Action("patch", "reject", ("d",), "reject the hunk", "reject"),
    Action("patch", "edit", ("E",), "edit the hunk before it is applied", "edit"),
    Action("patch", "reset", ("u",), "the hunk as it was offered"),
    Action("patch", "split", ("vertical_line",), "split or unified"),
    Action("patch", "white_space", ("w",), "show or hide changes of white space"),
    Action("patch", "less_context", ("left_curly_bracket",), "fewer lines around"),
    Action("patch", "more_context", ("right_curly_bracket",), "more lines around"),
    Action("patch", "next_patch", ("right_square_bracket",), "the next patch that passes"),
    Action("patch", "previous_patch", ("left_square_bracket",), "the patch before"),
    Action("patch", "apply", ("enter",), "apply what is taken", "apply"),
)


_SCROLLS = ("line_down", "line_up", "half_down", "half_up", "top", "bottom")
_SIGNS = {
    "slash": "/",
    "comma": ",",
    "full_stop": ".",
    "question_mark": "?",
    "vertical_line": "|",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


def shown_keys(keys: str) -> str:
    """Keys as they are printed on a keyboard; "," between them."""
    names = [key.strip() for key in keys.split(",")]
    return " ".join(_SIGNS.get(name, name.replace("ctrl+", "^")) for name in names)


def bindings(place: str) -> list[BindingType]:
    """The bindings of a pane, or of "session"."""
    return [_binding(action) for action in ACTIONS if action.place == place]


def scrolling() -> list[BindingType]:
    """The bindings of a pane that is only read: the keys that go up and down in the code."""
    return [_binding(a) for a in ACTIONS if a.place == "code" and a.name in _SCROLLS]


def _binding(action: Action) -> Binding:
    return Binding(
        ",".join(action.keys),
        action.name,
        action.short or action.words,
        show=bool(action.short),
        id=action.id,
    )


def keymap(chosen: Mapping[str, str]) -> dict[str, str]:
    """The user's own keys as Textual wants them.  chosen: an action's id and its keys, with ","
    between them.  Raises SettingsError with what is near for an id that is none."""
    known = {action.id for action in ACTIONS}
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            raise SettingsError(f"[tool.mgdebug.keys] {name}: there is no such action", hint)
    return dict(chosen)
