"""The model engine: MGDebugger's loop over subfunctions, with LDB's states of real runs.

For each subfunction a model is told its code, what it gives and should give, and what really
happened block by block; its version is spliced over that subfunction alone and tried; the verdict
and fresh states go back, a few times (Shi et al., "From Code to Correctness", 2024; Zhong, Wang and
Shang, "Debug like a Human", 2024).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

from mgdebug.events import Sending, Spent, Streamed
from mgdebug.model import Edit, Failure, Patch, Verdict
from mgdebug.proposers import Brief
from mgdebug.proposers.llm import expected, following
from mgdebug.proposers.llm.aptitude import Aptitude, default_file, kind_of
from mgdebug.proposers.llm.caller import Answer, Fault
from mgdebug.proposers.llm.masking import masked
from mgdebug.proposers.llm.prompting import STATE_TOKENS, Teller, exemplars, telling
from mgdebug.proposers.llm.replies import SCHEMA, Unusable, as_text, edits_of, probe_of
from mgdebug.proposers.llm.session import REPLY_TOKENS, Message, Session, host_of
from mgdebug.proposers.llm.simulated import agreement
from mgdebug.runner.evaluate import State
from mgdebug.settings import ModelSettings, Settings
from mgdebug.states import CHARACTERS
from mgdebug.suspects import direct

TURNS = 3  # on one subfunction before the next one's turn comes
# Where few cases judge a patch that passes them, as many are wanted, and asked for anew.
ENOUGH_CASES, OPINIONS = 4, 3
PROBES = 2  # of one conversation
PROMPT_CHARACTERS = 1500  # of the words around code
MOST_TOKENS = 8000  # of a prompt, about, if all in it is as long as it may be
PRICE_SECONDS = 8.0  # until litellm has to have told a price
BITS = 8.0  # what a model's patch costs: it is no slip of one token
SPLIT_BITS = 4.0  # what it costs that a function is split besides
TRACED = 2  # failing cases whose states go back

Talk = Generator[Sequence[Patch], Sequence[Verdict], None]


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said to a reply; "" for the first message again.  fresh: with states of a later
    version than those of the first message."""

    text: str
    fresh: bool = False


ANOTHER = _Said("")


@dataclass
class _Conversation:
    """What was said about one subfunction; the same if it is taken up again.

    messages: those of the next call.  first, brief: the first one with states, and without."""

    messages: list[Message] = field(default_factory=list)
    first: str = ""
    brief: str = ""
    kind: str = ""  # of failure
    stage: int = 0  # of the list of models, from cheap to strong
    probes: int = 0
    tried: set[tuple[Edit, ...]] = field(default_factory=set)
    right: list[tuple[Edit, ...]] = field(default_factory=list)  # with which all cases pass


class Model:
    """A proposer that asks a model.  faults: what calls came to, for the user."""

    name = "llm"

    def __init__(self, settings: ModelSettings, seed: int = 0) -> None:
        """Raises UsageError where the settings allow no call."""
        self.session = Session(settings, seed)
        self.faults: list[str] = []
        self._settings = settings
        self._aptitude = Aptitude(default_file() if settings.cache else None)
        self._talks: dict[tuple[str, str, tuple[str, ...]], _Conversation] = {}

    def start(self) -> None:
        """Import litellm meanwhile, in a process of its own."""
        self.session.start()

    @property
    def spent(self) -> Spent:
        return self.session.totals

    def streamed(self) -> Sequence[Streamed]:
        return self.session.streams.news()

    def sending(self, paths: Sequence[str], characters: int) -> Sending:
        settings = self._settings
        tokens = (characters + PROMPT_CHARACTERS) // CHARACTERS + STATE_TOKENS
        prices = self.session.prices(PRICE_SECONDS)
        known = [price for price in prices if price is not None]
        cost = None
        if settings.calls and len(known) == len(prices):
            dearest = max(MOST_TOKENS * prompt + REPLY_TOKENS * reply for prompt, reply in known)
            cost = settings.calls * dearest
        hosts = tuple(dict.fromkeys(host_of(n, settings.api_base) for n in settings.names))
        return Sending(settings.names, hosts, tuple(paths), tokens, settings.calls, cost)

    def close(self) -> None:
        self.session.close()

    def propose(self, brief: Brief) -> Talk:
        own = brief.subfunction
        failures = _reaching(brief)
        if not own.kind.called or not failures:
            return
        known = self._settings.exemplars
        teller = Teller(brief, self._settings.strategy, [brief.learnt, *exemplars(brief, known)])
        source = brief.source.slice(own.whole.start, own.whole.end)
        about = (own.id, source, tuple(case.id for case in brief.cases))
        talk = self._talks.setdefault(about, _Conversation())
        if not talk.messages:
            talk.kind = kind_of(failures)
            talk.stage = self._aptitude.stage(self._settings.names, talk.kind)
            extra = yield from self._expected(brief, teller, failures)
            talk.first = teller.first(failures, extra)
            talk.brief = teller.first(failures, extra, again=True)
            talk.messages.append({"role": "system", "content": teller.system()})
            talk.messages.append({"role": "user", "content": talk.first})
        turns = 0
        while turns < TURNS:
            model = self._model(talk)
            asking = self.session.ask(model, talk.messages, SCHEMA, about=own.id)
            answer = yield from _waited(asking)
            if isinstance(answer, Fault):
                self.faults.append(f"{model}: {answer.words}")
                talk.stage += 1
                if self.session.is_spent() or talk.stage >= len(self._settings.names):
                    return
                continue
            probes = talk.probes
            said = yield from self._tried(as_text(answer.text), brief, teller, talk, failures)
            turns += talk.probes == probes
            if said is None:
                return
            _go_on(talk, answer.text, said)

    def split(self, brief: Brief) -> Generator[None, None, Patch | None]:
        teller = Teller(brief, "split")
        messages = [
            {"role": "system", "content": teller.system()},
            {"role": "user", "content": teller.split()},
        ]
        name = self._settings.names[0]
        about = brief.subfunction.id
        answer = yield from self.session.ask(name, messages, SCHEMA, about=about)
        if isinstance(answer, Fault):
            self.faults.append(f"{name}: {answer.words}")
            return None
        own = brief.subfunction
        edits = edits_of(as_text(answer.text), brief.source, own)
        if isinstance(edits, Unusable):
            return None
        return Patch(
            edits, self.name, f"{own.qualname} split into functions", own.id, SPLIT_BITS, "split"
        )

    def _model(self, talk: _Conversation) -> str:
        return self._settings.names[min(talk.stage, len(self._settings.names) - 1)]

    def _expected(
        self, brief: Brief, teller: Teller, failures: Sequence[Failure]
    ) -> Generator[Sequence[Patch], object, list[str]]:
        """What the calls should give that only a caller's case judges, as most samples say."""
        calls = expected.open_calls(brief)
        judged = direct(brief.subfunction.id, brief.traces) & {f.case for f in failures}
        if self._settings.strategy != "hierarchical" or judged or not calls:
            return []
        known = expected.known_results(brief)
        why = "\n".join(failure.message for failure in failures[:1])
        asked = expected.question(calls, known, f"{teller.code()}\n\nA caller's case fails: {why}")
        messages = [
            {"role": "system", "content": teller.system()},
            {"role": "user", "content": masked(asked)},
        ]
        replies = []
        for _ in range(self._settings.samples):
            name, about = self._settings.names[0], brief.subfunction.id
            asking = self.session.ask(name, messages, expected.SCHEMA, about=about)
            answer = yield from _waited(asking)
            if isinstance(answer, Answer):
                replies.append(expected.read(answer.text, {*calls, *known}))
        found = expected.agreed(replies, known)
        return [f"{call} should give {value} (derived, not tested)" for call, value in found]

    def _tried(
        self,
        text: str,
        brief: Brief,
        teller: Teller,
        talk: _Conversation,
        failures: Sequence[Failure],
    ) -> Generator[Sequence[Patch], Sequence[Verdict], _Said | None]:
        """Try what a reply offers; what is said to it, None where all is done."""
        probe = probe_of(text)
        edits = edits_of(text, brief.source, brief.subfunction, brief.allowed)
        if isinstance(edits, Unusable):
            if probe is not None and talk.probes < PROBES:
                talk.probes += 1
                return _Said(teller.shown(probe, _probed(probe, brief, failures)))
            return _Said(teller.complaint(edits.why))
        if edits in talk.tried and edits not in talk.right:
            return ANOTHER
        talk.tried.add(edits)
        line = brief.source.line_of(edits[0].start)
        own = brief.subfunction
        note = f"{brief.source.path}:{line}, {own.qualname}: as {self.name} wrote it"
        note += f", time {len(talk.right) + 1}" if talk.right else ""
        patch = Patch(edits, self.name, note, own.id, BITS, self._settings.strategy, drawn=True)
        [verdict] = yield [patch]
        failing = {failure.case for failure in failures}
        if verdict.failed or verdict.reason:
            patch, verdict = yield from self._with_callers(patch, verdict, brief, talk)
        helped = bool(failing & set(verdict.passed))
        self._aptitude.count(self._model(talk), talk.kind, helped)
        if failing <= set(verdict.passed) and not verdict.failed and not verdict.reason:
            talk.right.append(edits)
            few = len(brief.cases) < ENOUGH_CASES and len(talk.right) < OPINIONS
            settled = talk.right.count(edits) > 1 or self.session.is_spent(talk.messages)
            return ANOTHER if few and not settled else None
        if talk.right:
            return ANOTHER
        gained = failing & set(verdict.passed)
        if gained and not {case.id for case in brief.cases} - failing - set(verdict.passed):
            return None  # progress that others build on
        talk.stage += 1
        left = [case for case in failing if case not in verdict.passed][:TRACED]
        traced = brief.lab.trace(patch, sorted(left)) if brief.lab and not verdict.reason else []
        agreed = _agreement(text, brief) if self._settings.strategy == "simulate" else ""
        after = brief.source.splice(edits)
        said = teller.again(verdict, failures, traced, after, agreed)
        return _Said(said, fresh=bool(traced))

    def _with_callers(
        self, patch: Patch, verdict: Verdict, brief: Brief, talk: _Conversation
    ) -> Generator[Sequence[Patch], Sequence[Verdict], tuple[Patch, Verdict]]:
        """A patch that changed what the subfunction takes, with its callers as they should be; the
        patch as it is where there are none, or where that helps no more."""
        calling = following.to_follow(brief, patch.edits)
        if not calling:
            return patch, verdict
        asked = following.question(brief, calling, patch.edits)
        messages = [talk.messages[0], {"role": "user", "content": asked}]
        asking = self.session.ask(self._model(talk), messages, about=brief.subfunction.id)
        answer = yield from _waited(asking)
        if isinstance(answer, Fault):
            self.faults.append(f"{self._model(talk)}: {answer.words}")
            return patch, verdict
        more = following.followed(answer.text, brief, calling)
        if not more:
            return patch, verdict
        names = ", ".join(sub.qualname for sub in calling)
        whole = replace(patch, edits=(*patch.edits, *more), note=f"{patch.note}, and {names}")
        [ended] = yield [whole]
        better = len(ended.passed) > len(verdict.passed) and not ended.reason
        return (whole, ended) if better else (patch, verdict)


def made(settings: Settings) -> Model:
    """The engine of some settings."""
    return Model(settings.model, settings.seed)


def _waited(
    asking: Generator[None, None, Answer | Fault],
) -> Generator[Sequence[Patch], object, Answer | Fault]:
    """Empty batches while a call is under way."""
    while True:
        try:
            next(asking)
        except StopIteration as stop:
            ended: Answer | Fault = stop.value
            return ended
        yield ()


def _go_on(talk: _Conversation, reply: str, said: _Said) -> None:
    """The first message, the last reply and what is said to it: what lies between is not paid for
    again."""
    talk.messages[1:] = [{"role": "user", "content": talk.brief if said.fresh else talk.first}]
    if said.text:
        talk.messages.append({"role": "assistant", "content": reply})
        talk.messages.append({"role": "user", "content": said.text})


def _reaching(brief: Brief) -> list[Failure]:
    cases = {case.id for case in brief.cases}
    return [failure for failure in brief.failures if failure.case in cases]


def _agreement(text: str, brief: Brief) -> str:
    """How a reply's simulation compares with the trace of the case that it was told."""
    trace = telling(brief.traces, brief.subfunction.id)
    first_line = brief.source.line_of(brief.subfunction.whole.start)
    return agreement(text, trace, brief.hierarchy, first_line) if trace is not None else ""


def _probed(expression: str, brief: Brief, failures: Sequence[Failure]) -> list[str]:
    """What an expression gives before the last block that a failing case came to."""
    failing = {failure.case for failure in failures}
    own = {block.id for block in brief.subfunction.blocks}
    for trace in brief.traces:
        visits = [v for v in trace.visits if v.block in own and v.number]
        if trace.case in failing and visits and brief.lab is not None:
            last = visits[-1]
            state = State(trace.case, last.block, last.number)
            rows = brief.lab.evaluate([expression], [state])
            for [one] in rows[:1]:
                gave = one.value.text if one.value is not None else one.error
                return [f"{trace.case}: {gave}"]
    return []
