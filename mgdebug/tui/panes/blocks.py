"""The hierarchy with its suspicion, and what has become of each part while the search runs."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from mgdebug.model import Block, Subfunction, SubfunctionKind
from mgdebug.session import Account, Standing
from mgdebug.states import printable

CODE_CHARACTERS = 60  # of a block that are shown
_SIGNS = {
    Standing.UNSEEN: (" ", ""),
    Standing.CLEARED: ("-", "dim"),
    Standing.WAITING: ("?", ""),
    Standing.TRYING: ("*", "bold yellow"),
    Standing.TRIED: ("x", "dim"),
    Standing.REPAIRED: ("+", "bold green"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """What a line of the tree stands for.  block: "" for a whole subfunction."""

    path: str
    line: int
    subfunction: str = ""
    block: str = ""


class BlocksPane(Tree[Place]):
    """Files, their subfunctions, and their blocks."""

    DEFAULT_CSS = """
    BlocksPane { border: round $border-blurred; padding: 0; background: transparent; }
    BlocksPane:focus { border: round $border; background-tint: transparent; }
    """

    class Chosen(Message):
        """The user wants to see a place."""

        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

    def __init__(self) -> None:
        super().__init__("blocks", id="blocks")
        self.show_root, self.guide_depth = False, 2
        self.border_title = "2 Blocks"
        self._by_name: dict[str, TreeNode[Place]] = {}
        self._shown: Account | None = None
        self._told: dict[str, object] = {}  # what the label of a subfunction says
        self._filled: set[str] = set()  # those that have got their blocks

    def show(self, account: Account) -> None:
        """Another hierarchy, or another ranking of it: subfunctions under suspicion are open."""
        self._shown, self._by_name, self._told, self._filled = account, {}, {}, set()
        self.clear()
        known, score = account.hierarchy.subfunctions, account.score
        inner = {child for s in known.values() for child in s.children}
        files: dict[str, TreeNode[Place]] = {}
        tops = [s for s in known.values() if s.id not in inner]
        for top in sorted(tops, key=lambda s: s.path):
            file = files.get(top.path)
            if file is None:
                label = Text(printable(top.path), "bold")
                file = files[top.path] = self.root.add(label, Place(top.path, 1), expand=True)
            own = top.kind is SubfunctionKind.MODULE
            if not own or top.id in score:
                self._add(file, top, account, alone=own)
            for child in top.children if own else ():
                if child in known:
                    self._add(file, known[child], account)
        self.root.expand()

    def update(self, account: Account) -> None:
        """What has become of the subfunctions since: only lines that say something else change."""
        self._shown = account
        for name, node in self._by_name.items():
            told = _told(name, account)
            subfunction = account.hierarchy.subfunctions.get(name)
            if subfunction is not None and self._told[name] != told:
                self._told[name] = told
                node.set_label(_label(subfunction, account))
                if account.standing(name) is Standing.REPAIRED:
                    self._open(node)

    def place(self) -> Place | None:
        """What the cursor is on."""
        return self.cursor_node.data if self.cursor_node is not None else None

    def selected_text(self) -> str:
        """For copying."""
        place = self.place()
        return (place.block or place.subfunction or place.path) if place else ""

    def find(self, text: str, step: int = 1) -> bool:
        """Move the cursor to the next line that holds a text.  step: -1 for the one before."""
        count = self.last_line + 1
        for offset in range(1, count + 1):
            line = (max(self.cursor_line, 0) + step * offset) % count
            node = self.get_node_at_line(line)
            if node is not None and text.lower() in str(node.label).lower():
                self.move_cursor(node)
                return True
        return False

    def _open(self, node: TreeNode[Place]) -> None:
        above: TreeNode[Place] | None = node
        while above is not None:
            above.expand()
            above = above.parent
        self.move_cursor(node)

    def on_tree_node_selected(self, event: Tree.NodeSelected[Place]) -> None:
        event.stop()
        if event.node.data is not None:
            self.post_message(self.Chosen(event.node.data))

    def _add(
        self,
        parent: TreeNode[Place],
        subfunction: Subfunction,
        account: Account,
        *,
        alone: bool = False,
    ) -> None:
        place = Place(subfunction.path, subfunction.span.first_line, subfunction.id)
        node = parent.add(_label(subfunction, account), place, expand=False)
        self._by_name[subfunction.id] = node
        self._told[subfunction.id] = _told(subfunction.id, account)
        for child in () if alone else subfunction.children:
            if child in account.hierarchy.subfunctions:
                self._add(node, account.hierarchy.subfunctions[child], account)
        if _leads(subfunction, account):
            node.expand()

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Place]) -> None:
        """A subfunction gets its blocks when they are looked at first: a project has many."""
        event.stop()
        node, account = event.node, self._shown
        name = node.data.subfunction if node.data is not None and not node.data.block else ""
        if account is None or self._by_name.get(name) is not node or name in self._filled:
            return
        self._filled.add(name)
        subfunction = account.hierarchy.subfunctions[name]
        scores = {s.block: s.score for s in account.suspects if s.subfunction == name}
        source = account.files.get(subfunction.path)
        for at, block in enumerate(subfunction.blocks):
            code = source.slice(block.span.start, block.span.end) if source else ""
            label = _block_label(block, code, scores.get(block.id))
            place = Place(subfunction.path, block.span.first_line, name, block.id)
            before = at if at < len(node.children) else None
            node.add_leaf(label, place, before=before)


def _leads(subfunction: Subfunction, account: Account) -> bool:
    """Whether it, or a part of it, is most under suspicion."""
    score = account.score
    top = account.suspects[0].score if account.suspects else 0.0
    names = [subfunction.id, *subfunction.children]
    return top > 0 and any(score.get(name, 0.0) == top for name in names)


def _told(name: str, account: Account) -> object:
    """All that differs between the labels of a subfunction."""
    return account.standing(name), account.tries.get(name, 0), account.score.get(name)


def _label(subfunction: Subfunction, account: Account) -> Text:
    standing = account.standing(subfunction.id)
    sign, style = _SIGNS[standing]
    score = account.score.get(subfunction.id)
    text = Text.assemble((f"{sign} ", style), (printable(subfunction.name), "bold"))
    if score is not None:
        text.append(f" {score:.2f}".replace("0.", "."), "red" if score > 0.5 else "yellow")
    words = str(standing)
    if standing in (Standing.TRYING, Standing.TRIED):
        words += f" {account.tries.get(subfunction.id, 0)}"
    return text.append(f" {words}", style or "dim") if words else text


def _block_label(block: Block, code: str, score: float | None) -> Text:
    first = printable(" ".join(code.split("\n")[0].split()))[:CODE_CHARACTERS]
    text = Text.assemble((f"{block.span.first_line:>3} ", "dim"))
    if score is not None:
        text.append(f"{score:.2f} ".replace("0.", "."), "red" if score > 0.5 else "yellow")
    return text.append(first)
