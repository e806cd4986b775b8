"""Where the panes stand, what is shown in which of them, and the steps through time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static

from mgdebug.model import Hierarchy, Subfunction
from mgdebug.proposers import names
from mgdebug.session import Session
from mgdebug.session.review import Review, offers
from mgdebug.session.walk import Walk
from mgdebug.states import printable
from mgdebug.tui.finding import Finding
from mgdebug.tui.opening import NARROW
from mgdebug.tui.panes.blocks import BlocksPane
from mgdebug.tui.panes.code import CodePane
from mgdebug.tui.panes.model import NONE_ASKED, ModelPane
from mgdebug.tui.panes.patch import PatchPane
from mgdebug.tui.panes.tests import TestsPane
from mgdebug.tui.scrubber import Scrubber
from mgdebug.tui.status import Status
from mgdebug.tui.tabs import PANES, Tabs
from mgdebug.tui.watch import Watch


class Panes(Screen[int]):
    """Wide: all panes; less wide: the patch behind the code; narrow: one pane at a time.  What a
    model writes stands in the place of the patch, until that is wanted again."""

    DEFAULT_CSS = """
    Panes { layout: vertical; }
    #panes { height: 1fr; }
    #left { width: 28%; min-width: 24; }
    #middle { width: 1fr; }
    #right { width: 36%; }
    #blocks { height: 1fr; }
    #tests { height: 1fr; }
    #code { height: 1fr; border: round $border-blurred; }
    #code:focus { border: round $border; }
    #model { display: none; height: 1fr; }
    Panes.-for-model #model { display: block; }
    Panes.-for-model #patch { display: none; }
    #tabs { display: none; }
    #notice { height: auto; max-height: 3; padding: 0 1; color: $text-muted; }
    #notice.-trouble { color: $text-error; }
    #enlarge { display: none; }
    Panes.-medium #right { display: none; width: 1fr; }
    Panes.-medium.-at-patch #right, Panes.-medium.-at-model #right { display: block; }
    Panes.-medium.-at-patch #middle, Panes.-medium.-at-model #middle { display: none; }
    Panes.-narrow #tabs { display: block; }
    Panes.-narrow #panes > Vertical { display: none; width: 1fr; }
    Panes.-narrow.-at-code #middle { display: block; }
    Panes.-narrow.-at-patch #right, Panes.-narrow.-at-model #right { display: block; }
    Panes.-narrow.-at-tests #left, Panes.-narrow.-at-blocks #left { display: block; }
    Panes.-narrow.-at-tests #blocks, Panes.-narrow.-at-blocks #tests { display: none; }
    Panes.-tiny > *, Panes.-low > * { display: none; }
    Panes.-tiny #enlarge, Panes.-low #enlarge { display: block; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.at = "tests"
        self.walk: Walk | None = None

    def compose(self) -> ComposeResult:
        yield Static("enlarge the terminal to 60x15, or run `mgdebug fix`", id="enlarge")
        yield Status(self.session)
        yield Tabs()
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield BlocksPane()
                yield TestsPane()
            with Vertical(id="middle"):
                yield CodePane(id="code")
                yield Scrubber(id="scrubber")
                yield Watch(id="watch")
            with Vertical(id="right"):
                yield PatchPane(Review(self.session.kept), id="patch")
                yield ModelPane(id="model")
        yield Static("", id="notice")
        yield Finding()
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.show_pane("tests")

    # ------------------------------------------------------------------------------ showing

    def show_pane(self, name: str) -> None:
        """Give a pane the keys, and the room where there is little."""
        if name == "model" and not self._asks:
            self.tell(NONE_ASKED)
            return
        self.at = name
        if name in ("patch", "model"):
            self.set_class(name == "model", "-for-model")
        for pane in PANES:
            self.set_class(pane == name, f"-at-{pane}")
        self.app.stylesheet.update(self)  # else a pane that was hidden could not have the keys yet
        self.set_focus(self.query_one(f"#{name}", Widget))
        self.show_tabs()

    def on_descendant_focus(self) -> None:
        focused = self.focused
        if focused is not None and focused.id in PANES and focused.id != self.at:
            self.show_pane(focused.id)

    def on_resize(self) -> None:
        watch = self.query_one(Watch)
        watch.compact = self.size.width < NARROW
        watch.refresh()

    def show_case(self, case: str) -> None:
        """What a case did, at the place where it parts from a passing one, else at its end."""
        if case in self.session.walks:
            self._show_walk(case, self.session.walks[case])
        else:
            self._walk_soon(case)

    @work(exclusive=True, group="walk")
    async def _walk_soon(self, case: str) -> None:
        account = self.session.account
        walk = await asyncio.to_thread(self.session.walk, case)
        if account is self.session.account:
            self._show_walk(case, walk)

    def _show_walk(self, case: str, walk: Walk | None) -> None:
        if walk is None or not walk.count:
            self.tell(f"{case} was not traced")
            return
        self.walk = walk
        place = walk.partings[0] if walk.partings else walk.count - 1
        self.query_one(CodePane).walk(walk, place)
        self.moved()
        if walk.why:
            self.tell(f"parts from a passing run: {walk.why}")

    def moved(self) -> None:
        """The code pane is at another visit."""
        code = self.query_one(CodePane)
        if self.walk is not None and code.place is not None:
            self.query_one(Scrubber).show(code.place, self.walk.count, self.walk.partings)
            self.query_one(Watch).show(self.walk, code.place)

    def suspicion(self) -> dict[tuple[str, int], float]:
        """The score of each line under suspicion that says something; the lines of a function are
        not those of the block that defines it."""
        found: dict[tuple[str, int], float] = {}
        hierarchy = self.session.account.hierarchy
        inside: dict[str, set[int]] = {}
        for suspect in self.session.account.suspects:
            block, owner = hierarchy.block(suspect.block), suspect.subfunction
            if block is None:
                continue
            if owner not in inside:
                spans = [hierarchy.subfunctions[c].span for c in _children(hierarchy, owner)]
                lines = (range(span.first_line + 1, span.last_line + 1) for span in spans)
                inside[owner] = set().union(*lines)
            path = suspect.block.partition("::")[0]
            source = self.session.account.files.get(path)
            for line in range(block.span.first_line, block.span.last_line + 1):
                bare = source is None or not source.line_text(line).strip()
                if line not in inside[owner] and not bare:
                    found[path, line] = max(suspect.score, found.get((path, line), 0.0))
        return found

    def show_patch(self) -> None:
        account = self.session.account
        self.query_one(PatchPane).show(account)

    def show_model(self) -> None:
        """What a model writes; that it begins to is told to whoever looks elsewhere."""
        pane, replies = self.query_one(ModelPane), self.session.account.replies
        if replies and not pane.replies and self.at != "model":
            self.tell(f"{replies[0].model} is asked: 5 shows what it writes")
        pane.show(replies)

    @property
    def _asks(self) -> bool:
        """Whether a model is asked, or was."""
        return "llm" in names(self.session.settings.engine) or bool(self.session.account.replies)

    def show_tabs(self) -> None:
        account = self.session.account
        failing, found = len(account.failing), len(offers(account))
        labels = {
            "tests": f"1 Tests {failing}x" if failing else "1 Tests",
            "blocks": "2 Blocks",
            "code": "3 Code",
            "patch": f"4 Patch {found}" if found else "4 Patch",
        }
        if self._asks:
            labels["model"] = "5 Model"
        self.query_one(Tabs).show(labels, self.at)

    def tell(self, words: str, *, trouble: bool = False) -> None:
        """One line for the user, until the next."""
        notice = self.query_one("#notice", Static)
        notice.set_class(trouble, "-trouble")
        notice.update(Text(printable(words)))

    def _pane(self) -> BlocksPane | TestsPane | CodePane | PatchPane | ModelPane:
        pane = self.query_one(f"#{self.at}")
        assert isinstance(pane, BlocksPane | TestsPane | CodePane | PatchPane | ModelPane)
        return pane

    def subfunction(self) -> Subfunction | None:
        """The one that the user looks at: the line of the code, or of the tree."""
        account = self.session.account
        place = self.query_one(BlocksPane).place() if self.at == "blocks" else None
        if place is not None and place.subfunction:
            return account.hierarchy.subfunctions.get(place.subfunction)
        code = self.query_one(CodePane)
        around = [
            s
            for s in account.hierarchy.subfunctions.values()
            if s.path == code.path and s.span.first_line <= code.line <= s.span.last_line
        ]
        return min(around, key=lambda s: s.span.end - s.span.start, default=None)

    # --------------------------------------------------------------------------------- time

    def _step(self, move: str) -> None:
        code = self.query_one(CodePane)
        if not getattr(code, move)():
            self.tell(code.trouble)
        self.moved()

    def action_next_visit(self) -> None:
        self._step("next_visit")

    def action_previous_visit(self) -> None:
        self._step("previous_visit")

    def action_into(self) -> None:
        self._step("into")

    def action_out(self) -> None:
        self._step("out")

    def action_over(self) -> None:
        self._step("over")

    def action_next_same(self) -> None:
        self._step("next_same")

    def action_previous_same(self) -> None:
        self._step("previous_same")

    def action_next_divergence(self) -> None:
        self._step("next_divergence")

    def action_previous_divergence(self) -> None:
        self._step("previous_divergence")


def _children(hierarchy: Hierarchy, name: str) -> Iterator[str]:
    subfunction = hierarchy.subfunctions.get(name)
    children = subfunction.children if subfunction is not None else ()
    return (child for child in children if child in hierarchy.subfunctions)
