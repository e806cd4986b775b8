"""What can be set, and what holds where nothing is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from mgdebug.model import Limits
from mgdebug.sandbox.policy import Policy


@dataclass(frozen=True, slots=True)
class Bounds:
    """What of its values a trace keeps.

    depth: levels of containers and attributes; items: of a container, from both ends; characters:
    of one value's text.  visits: of a block that are kept, the first ones, and a quarter as many of
    the last ones.  masked: whether what looks like a secret is left out.
    """

    depth: int = 3
    items: int = 32
    characters: int = 400
    visits: int = 64
    masked: bool = True


DECOMPOSERS = ("mechanical", "model")
THEMES = ("dark", "light", "ansi")
STRATEGIES = ("hierarchical", "blocks", "plan", "simulate", "feedback")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """names: of models as litellm spells them, from cheap to strong.  api_base: where they are
    asked, "" for where litellm asks.  strategy: one of STRATEGIES.  calls, tokens, cost: what one
    repair may use, requests that failed among the calls; tokens of prompts and replies; US dollars;
    0 for no limit.  seconds: for one call with its retries.  samples: replies that have to agree
    on what an untested function should give, 0 to ask nobody.  local_only: whether hosts other than
    this machine are refused.  consent: whether nobody is asked before the first call.  cache:
    whether replies are kept and used again.  stream: whether replies are streamed.  decompose:
    who splits what is asked about, one of DECOMPOSERS.  exemplars: how many of the corrections that
    were accepted earlier a model on this machine is shown.  search: whether
    small edits are tried around replies that failed, and without them."""

    names: tuple[str, ...] = ()
    api_base: str = ""
    strategy: str = "hierarchical"
    calls: int = 20
    tokens: int = 200_000
    cost: float = 1.0
    seconds: float = 60.0
    retries: int = 2
    temperature: float = 0.4
    samples: int = 1
    local_only: bool = False
    consent: bool = False
    cache: bool = True
    stream: bool = True
    decompose: str = DECOMPOSERS[0]
    exemplars: int = 0
    search: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """python: the interpreter of the project's tests, "" to look for it.  time: seconds for a whole
    repair.  case_time: seconds for one case.  collect_time: seconds for importing the project and
    collecting its cases.  memory: megabytes for one case's process.
    jobs: worker processes, 0 for one a core.  patches: tries, 0 for no limit.  engine: the
    proposers, chained with "+".  doctests: whether those of the target count.  seed: for
    whatever draws lots.  learn: whether accepted patches are remembered.  outline_statements,
    outline_nesting: a function with more statements, or deeper nesting, is split when it is
    outlined.  value_depth, value_items, value_characters,
    value_visits, mask_secrets: what a trace keeps, see Bounds.  sandbox: what the user's code may
    do.  model: whom the model engine asks, and how much.  theme: of the full screen; keys: other
    keys there, by the name of the action."""

    python: str = ""
    time: float = 60.0
    case_time: float = 10.0
    collect_time: float = 60.0
    memory: int = 2048
    jobs: int = 0
    patches: int = 0
    engine: str = "search"
    doctests: bool = True
    seed: int = 0
    learn: bool = True
    outline_statements: int = 12
    outline_nesting: int = 3
    value_depth: int = 3
    value_items: int = 32
    value_characters: int = 400
    value_visits: int = 64
    mask_secrets: bool = True
    sandbox: Policy = field(default_factory=Policy)
    model: ModelSettings = field(default_factory=ModelSettings)
    theme: str = "dark"
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def bounds(self) -> Bounds:
        return Bounds(
            max(1, self.value_depth),
            max(4, self.value_items),
            max(16, self.value_characters),
            max(1, self.value_visits),
            self.mask_secrets,
        )

    @property
    def limits(self) -> Limits:
        return Limits(
            seconds=self.time,
            patches=self.patches or None,
            memory=(self.memory << 20) or None,
            # One case that never ends must not eat the time of the whole repair.
            case_seconds=min(self.case_time, max(1.0, self.time / 10)),
            collect_seconds=min(self.collect_time, max(1.0, self.time / 2)),
        )

    @property
    def workers(self) -> int:
        return self.jobs or len(os.sched_getaffinity(0)) if _HAS_AFFINITY else self.jobs or 2


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")
