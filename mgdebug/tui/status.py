"""The one line above the panes: what is searched, how it stands, what it costs, how long."""

from __future__ import annotations

import time

from rich.text import Text
from textual.widget import Widget

from mgdebug.narrate import counted
from mgdebug.session import Account, Session, Stage
from mgdebug.session.review import offers
from mgdebug.states import printable

REFRESHED_SECONDS = 0.5
_ALARMS = (Stage.REGRESSED, Stage.FAULT, Stage.COLLECT_ERROR)
_WELL = (Stage.FOUND, Stage.ALL_PASS, Stage.DONE)


class Status(Widget):
    """Repaints itself twice a second while something runs."""

    DEFAULT_CSS = """
    Status { height: 1; background: $panel; color: $foreground; padding: 0 1; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._began: float | None = None
        self._seconds = 0.0

    def on_mount(self) -> None:
        self.set_interval(REFRESHED_SECONDS, self._tick)

    def _tick(self) -> None:
        if self.session.busy:
            self.refresh()

    def started(self) -> None:
        """A repair begins: the clock does too."""
        self._began = time.monotonic()

    def ended(self) -> None:
        if self._began is not None:
            self._seconds, self._began = time.monotonic() - self._began, None
        self.refresh()

    def render(self) -> Text:
        return line(self.session, self._clock())

    def _clock(self) -> float:
        if self._began is not None:
            return time.monotonic() - self._began
        repair = self.session.account.repair  # of a session that was taken up, where none ran
        return self._seconds or (repair.seconds if repair is not None else 0.0)


def line(session: Session, seconds: float) -> Text:
    """What the line says.  seconds: since the repair began."""
    account, stage = session.account, session.stage
    style = "bold red" if stage in _ALARMS else "bold green" if stage in _WELL else "bold"
    parts = [Text(printable(_aim(session)), "bold"), Text(counted(account))]
    parts.append(Text.assemble((stage.upper(), style), f" {_doing(session)}".rstrip()))
    if account.spent is not None:
        parts.append(Text(_cost(account)))
    parts.append(Text(f"{int(seconds) // 60:02}:{int(seconds) % 60:02}", "dim"))
    return Text("  ", no_wrap=True, overflow="ellipsis").join(p for p in parts if p.plain)


def _aim(session: Session) -> str:
    target = session.target
    name = target.path or target.root.name
    return f"{name}::{target.qualname}" if target.qualname else name


def _doing(session: Session) -> str:
    account = session.account
    if session.stage is Stage.SEARCH:
        order = [name for group in account.hierarchy.order for name in group]
        wanted = [name for name in order if name in account.score]
        if account.current in wanted:
            at = f"{wanted.index(account.current) + 1}/{len(wanted)}"
            best = f" best {account.gained} of {len(account.failing)}" * bool(account.gained)
            name = printable(account.current.partition("::")[2])
            return f"{at} {name}, {account.tried} tried{best}"
    if session.stage is Stage.FOUND:
        count = len(offers(account))
        return f"{count} patch{'es' * (count > 1)}"
    if session.stage is Stage.FAULT:
        return printable(account.fault)
    return ""


def _cost(account: Account) -> str:
    spent = account.spent
    if spent is None:
        return ""
    tokens = spent.prompt + spent.completion
    shown = f"{tokens / 1000:.1f}k tok" if tokens >= 1000 else f"{tokens} tok"
    return f"{shown} ${spent.cost:.2f}" if spent.cost else shown
