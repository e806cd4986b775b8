"""What can be set, and what holds where nothing is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mgdebug.model import Limits
from mgdebug.sandbox.policy import Policy

T = TypeVar("T")


def told(
    meaning: str, among: tuple[str, ...] = (), above: float | None = None
) -> Mapping[str, Any]:
    """What a field of settings knows of itself.  meaning: for whoever sets it; among: the only
    values, () if any of its type will do; above: it has to be more than that."""
    return {"meaning": meaning, "among": among, "above": above}


def meant(
    default: T, meaning: str, *, among: tuple[str, ...] = (), above: float | None = None
) -> T:
    """A field of settings with what it knows of itself, see told."""
    found: T = field(default=default, metadata=told(meaning, among, above))
    return found


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
    """[tool.mgdebug.model]: whom the model engine asks, and what one repair may use.  names: `name`
    in the table, one or a list."""

    names: tuple[str, ...] = meant(
        (), "models as litellm spells them, from cheap to strong: one name or a list"
    )
    api_base: str = meant("", 'where the model is asked, "" for where litellm asks')
    strategy: str = meant("hierarchical", "how the model is asked", among=STRATEGIES)
    calls: int = meant(20, "calls of one repair, those that failed too; 0 for no limit")
    tokens: int = meant(
        200_000, "tokens of prompts and replies of one repair, about; 0 for no limit"
    )
    cost: float = meant(1.0, "US dollars for one repair, where prices are known; 0 for no limit")
    seconds: float = meant(60.0, "for one call with its retries")
    retries: int = meant(2, "of a call that failed on the way or at the server")
    temperature: float = meant(0.4, "how freely the model writes")
    samples: int = meant(
        1, "replies that have to agree on what an untested function should give, 0 to ask nobody"
    )
    local_only: bool = meant(False, "whether models that are not on this machine are refused")
    consent: bool = meant(False, "whether nobody is asked before the first call")
    cache: bool = meant(True, "whether replies are kept, and used when a repair is run again")
    stream: bool = meant(True, "whether replies are streamed")
    decompose: str = meant(
        DECOMPOSERS[0], "who splits the code that is asked about", among=DECOMPOSERS
    )
    exemplars: int = meant(
        0, "how many corrections that were accepted earlier a model on this machine is shown"
    )
    search: bool = meant(
        True, "whether small edits are tried around replies that failed, and beside them"
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """[tool.mgdebug]; see the meaning of each field."""

    python: str = meant("", 'the interpreter that runs the tests, "" to look for it')
    time: float = meant(60.0, "seconds for a whole repair", above=0)
    case_time: float = meant(10.0, "seconds for one case, at most a tenth of `time`", above=0)
    collect_time: float = meant(
        60.0,
        "seconds for importing the project and collecting its cases, at most half of `time`",
        above=0,
    )
    memory: int = meant(2048, "megabytes for one case's process, 0 for no limit")
    jobs: int = meant(0, "worker processes, 0 for one a core")
    patches: int = meant(0, "patches to try, 0 for no limit")
    engine: str = meant("search", "who proposes patches: search, llm, or both")
    doctests: bool = meant(True, "whether doctests of the target are cases")
    partial: bool = meant(
        False, "whether code that lacks modules or names is run with stand-ins for them"
    )
    seed: int = meant(0, "for whatever draws lots")
    learn: bool = meant(True, "whether accepted patches are remembered as templates")
    outline_statements: int = meant(
        12, "statements above which a function is split when it is outlined"
    )
    outline_nesting: int = meant(3, "depth of nesting above which it is")
    value_depth: int = meant(
        3, "levels of a value that a trace shows: lists in lists, attributes of objects"
    )
    value_items: int = meant(
        32, "items of a list, dictionary or the like, from both ends, at least 4"
    )
    value_characters: int = meant(400, "characters of one value's text, at least 16")
    value_visits: int = meant(
        64, "first times through a block that are kept with values; of the last ones a quarter"
    )
    mask_secrets: bool = meant(True, "whether what looks like a secret is left out")
    sandbox: Policy = field(
        default_factory=Policy, metadata=told("what the tests may do: a mode, or a table")
    )
    model: ModelSettings = field(
        default_factory=ModelSettings,
        metadata=told("whom the model engine asks: a name, a list of names, or a table"),
    )
    theme: str = meant("dark", "of the full screen; ansi: the terminal's colours", among=THEMES)
    keys: Mapping[str, str] = field(
        default_factory=dict,
        metadata=told(
            "other keys of the full screen: the name of an action and its keys, with commas"
        ),
    )

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
