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
        self._labels: dict[str, str] = {}

    def show(self, account: Account) -> None:
        """Another hierarchy, or another ranking of it: subfunctions under suspicion are open."""
        self._shown, self._by_name, self._labels = account, {}, {}
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
            subfunction = account.hierarchy.subfunctions.get(name)
            if subfunction is None:
                continue
            label = _label(subfunction, account)
            if self._labels.get(name) != label.plain:
                self._labels[name] = label.plain
                node.set_label(label)
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
        label = _label(subfunction, account)
        place = Place(subfunction.path, subfunction.span.first_line, subfunction.id)
        node = parent.add(label, place, expand=False)
        self._by_name[subfunction.id], self._labels[subfunction.id] = node, label.plain
        scores = {s.block: s.score for s in account.suspects if s.subfunction == subfunction.id}
        source = account.files.get(subfunction.path)
        for block in subfunction.blocks:
            code = source.slice(block.span.start, block.span.end) if source else ""
            node.add_leaf(
                _block_label(block, code, scores.get(block.id)),
                Place(subfunction.path, block.span.first_line, subfunction.id, block.id),
            )
        for child in () if alone else subfunction.children:
            if child in account.hierarchy.subfunctions:
                self._add(node, account.hierarchy.subfunctions[child], account)
        if _leads(subfunction, account):
            node.expand()


def _leads(subfunction: Subfunction, account: Account) -> bool:
    """Whether it, or a part of it, is most under suspicion."""
    score = account.score
    top = max(score.values(), default=0.0)
    names = [subfunction.id, *subfunction.children]
    return top > 0 and any(score.get(name, 0.0) == top for name in names)


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
    text = Text.assemble((f"{block.span.first_line:>3} ", "dim"), first)
    if score is not None:
        text.append(f"  {score:.2f}".replace("0.", "."), "red" if score > 0.5 else "yellow")
    return text
