"""What every plug-in owes the rest: one set of tests over all proposers, one over all languages."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle, islice, pairwise
from pathlib import Path, PurePosixPath

import pytest

from mgdebug import suspects
from mgdebug.errors import UsageError
from mgdebug.languages import LANGUAGES, Language, grammar_folder, language_of
from mgdebug.model import Limits, Patch, Subfunction, Suspect, Target, Trace, Verdict
from mgdebug.proposers import PROPOSERS, Brief, Proposer, proposer
from mgdebug.proposers.search.wording import Wording, Writer
from mgdebug.runner import Runner
from mgdebug.settings import ModelSettings, Settings
from mgdebug.syntax.grammar import Grammar
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

# ------------------------------------------------------------------------------ proposers

PROGRAMS = {
    "plain": """\
LIMIT = 10

def outer(items, start=0):
    def weight(item):
        return len(item) - start
    best = None
    for index, item in enumerate(items):
        if weight(item) > LIMIT and item != best:
            best = items[index]
        elif not item:
            continue
        else:
            break
    return best

class Queue:
    limit = 3

    def __init__(self):
        self.items = []

    def put(self, item):
        if len(self.items) < self.limit:
            self.items.append(item)
            return True
        return False
""",
    "crlf and tabs": "def f(a, b):\r\n\tif a <= b:\r\n\t\treturn a\r\n\treturn b\r\n",
    "beyond ascii": "def größe(ä, ü):\n    ß = 'é€😀' + ä[1:]\n    return ß if ü > 0 else ä\n",
    "no last newline": "def f(a):\n    g = a + 1\n    return g",
    "one line": "def f(a): b = a - 1; return b\nf(2)\n",
    "nothing to change": "def f():\n    pass\n",
    "modern": """\
async def f(*args, key=None, **rest):
    async with key as k, k.lock:
        total: int = sum(x * x for x in args if x)
        match rest:
            case {"a": value} if value:
                return [y async for y in value][-1]
            case _:
                total += (lambda z, /: z or -1)(total)
    try:
        return f"{total!r:>{len(args)}}" % (key, *args)
    except (ValueError, KeyError) as error:
        raise TypeError("no") from error
    finally:
        del total
""",
}
BATCHES = 6  # that a conversation is listened to
VERDICTS = (
    Verdict((), ("a", "b")),
    Verdict(("a",), ("b",)),
    Verdict(("a", "b"), ()),
    Verdict((), (), "does not compile: invalid syntax"),
    Verdict(("b",), ("a",), "time limit of 1.0 s", 1.0),
    Verdict((), ()),
)


def brief(
    text: str, name: str, seen: Sequence[Suspect] = (), traces: Sequence[Trace] = ()
) -> Brief:
    """What a proposer is told about one subfunction of a program."""
    language = language_of("mod.py")
    assert language is not None
    source = SourceFile("mod.py", text.encode(), language.grammar())
    hierarchy = decompose([source])
    return Brief(
        source,
        language,
        hierarchy,
        hierarchy.subfunctions[name],
        tuple(s for s in seen if s.subfunction == name),
        tuple(traces),
    )


def subfunctions(text: str) -> list[Subfunction]:
    language = language_of("mod.py")
    assert language is not None
    source = SourceFile("mod.py", text.encode(), language.grammar())
    return list(decompose([source]).subfunctions.values())


BRIEFS = [
    pytest.param(brief(text, s.id), id=f"{title}: {s.qualname}")
    for title, text in PROGRAMS.items()
    for s in subfunctions(text)
]


def converse(
    one: Proposer, about: Brief, verdicts: Sequence[Verdict] = VERDICTS
) -> Iterator[Sequence[Patch]]:
    """The batches of a proposer that is sent each kind of verdict in turn."""
    answers = cycle(verdicts)
    talk = one.propose(about)
    batch = next(talk, None)
    while batch is not None:
        yield batch
        try:
            batch = talk.send([next(answers) for _ in batch])
        except StopIteration:
            return


@pytest.fixture(params=["search"])
def one(request: pytest.FixtureRequest) -> Proposer:
    return proposer(request.param)


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Brief:
    """A brief as the pipeline makes it: with suspects and with values of a real run."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "mod.py").write_text(PROGRAMS["plain"])
    cases = ("outer(['a', 'b' * 11]) == 'b' * 11", "outer([]) is None", "Queue().put(1)")
    target = Target(folder, folder, "mod.py", expressions=cases)
    with Runner(target, sys.executable, Limits(), 1) as runner:
        outcomes = runner.run().outcomes
        about = brief(PROGRAMS["plain"], "mod.py::outer")
        names = [o.case for o in outcomes]
        traces, _, imported = runner.trace(about.hierarchy, names, names, {}, outcomes)
    assert {t.status.ok for t in traces} == {True, False}
    assert any(t.visits for t in traces)
    ranked = suspects.rank(about.hierarchy, traces, imported)
    return brief(PROGRAMS["plain"], "mod.py::outer", ranked, traces)


def test_a_proposer_is_known_by_its_own_name() -> None:
    settings = Settings(model=ModelSettings(names=("nobody/asks",), cache=False))
    assert all(proposer(name, settings).name == name for name in PROPOSERS)


def checked_patches(one: Proposer, about: Brief) -> int:
    """How many patches a proposer offered, each of them checked."""
    source, own = about.source, about.subfunction
    # Whoever deletes the last statement may take the end of its line along.
    line_end = source.text.find(b"\n", own.span.end)
    end = own.span.end if source.text[own.span.end : line_end].strip() else line_end + 1
    patches = 0
    for batch in islice(converse(one, about), BATCHES):
        for patch in batch:
            patches += 1
            assert patch.edits
            assert patch.proposer == one.name
            assert patch.subfunction == own.id
            assert patch.note.strip()
            assert "\n" not in patch.note
            assert math.isfinite(patch.cost)
            assert patch.cost >= 0
            for edit in patch.edits:
                assert edit.path == own.path
                assert own.span.start <= edit.start <= edit.end <= max(end, own.span.end), patch
            places = sorted((e.start, e.end) for e in patch.edits)
            assert all(a[1] <= b[0] for a, b in pairwise(places)), patch
            changed = source.splice(patch.edits)
            assert changed.data.count(b"\r\n") in (0, changed.data.count(b"\n")), patch
    return patches


@pytest.mark.parametrize("about", BRIEFS)
def test_a_proposer_keeps_the_contract(one: Proposer, about: Brief) -> None:
    checked_patches(one, about)


def test_a_proposer_keeps_the_contract_with_traces(one: Proposer, traced: Brief) -> None:
    assert checked_patches(one, traced) > 0


def test_a_proposer_repeats_itself(one: Proposer, traced: Brief) -> None:
    first, second = (list(islice(converse(one, traced), BATCHES)) for _ in range(2))
    assert first == second


DIGEST = """\
import hashlib, json, sys
from itertools import islice
from mgdebug.proposers import proposer
sys.path.insert(0, sys.argv[1])
import test_contracts as t
about = t.brief(t.PROGRAMS["plain"], "mod.py::outer")
batches = list(islice(t.converse(proposer(sys.argv[2]), about), t.BATCHES))
print(hashlib.sha256(repr(batches).encode()).hexdigest())
"""


@pytest.mark.parametrize("name", ["search"])
def test_a_proposer_does_not_depend_on_the_order_of_hashes(name: str) -> None:
    command = [sys.executable, "-c", DIGEST, str(Path(__file__).parent), name]
    digests = {
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda v: v.reason or f"{v.passed} {v.failed}")
def test_a_proposer_accepts_any_verdict_and_comes_to_an_end(
    one: Proposer, verdict: Verdict
) -> None:
    about = brief(PROGRAMS["crlf and tabs"], "mod.py::f")
    assert any(converse(one, about, [verdict]))


@pytest.mark.parametrize("heard", range(3))
def test_a_proposer_may_be_hung_up_on(one: Proposer, traced: Brief, heard: int) -> None:
    talk = one.propose(traced)
    batch: Sequence[Patch] = ()
    for number in range(heard):
        batch = talk.send([VERDICTS[0] for _ in batch]) if number else next(talk)
    talk.close()
    with pytest.raises(StopIteration):
        next(talk)


# ------------------------------------------------------------------------------ languages


HIERARCHY = {"subfunctions", "blocks", "calls", "imports"}  # what `mgdebug tree` needs
REPAIRED = [".py"]  # the others are shown only


@pytest.fixture(params=LANGUAGES)
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def language(suffix: str) -> Language:
    found = language_of(f"mod{suffix}")
    assert found is not None
    return found


@pytest.fixture
def grammar(language: Language) -> Grammar:
    return language.grammar()


def test_a_language_is_found_by_its_suffix_and_made_once(suffix: str) -> None:
    assert suffix.startswith(".")
    one, two = language_of(f"a/b{suffix}"), language_of(PurePosixPath(f"c{suffix}"))
    assert one is two
    assert language_of(suffix) is None
    assert language_of(f"a{suffix}.orig") is None


def test_a_language_has_every_query_of_its_folder_and_they_compile(grammar: Grammar) -> None:
    files = {file.stem for file in grammar_folder(grammar.name).glob("*.scm")}
    assert files | {"structure"} == set(grammar.queries) >= HIERARCHY


@pytest.mark.parametrize("suffix", [s for s in LANGUAGES if s not in REPAIRED])
def test_a_language_that_is_shown_only_says_so(language: Language) -> None:
    with pytest.raises(UsageError, match="not possible yet") as caught:
        language.vocabulary()
    assert "mgdebug tree" in caught.value.message


@pytest.mark.parametrize("suffix", REPAIRED)
def test_a_language_that_is_repaired_has_holes(grammar: Grammar) -> None:
    assert "holes" in grammar.queries


def test_an_empty_file_of_a_language_parses_to_an_empty_module(
    suffix: str, grammar: Grammar
) -> None:
    source = SourceFile(f"mod{suffix}", b"", grammar)
    assert source.errors == []
    (module,) = decompose([source]).subfunctions.values()
    assert module.kind == "module"
    assert module.blocks == ()


def test_a_language_tells_sources_from_tests(suffix: str, language: Language) -> None:
    assert language.is_source(PurePosixPath(f"src/shop/cart{suffix}"))
    assert language.is_source(PurePosixPath(f"cart{suffix}"))
    assert not language.is_source(PurePosixPath(f"tests/cart{suffix}"))


@pytest.mark.parametrize("suffix", REPAIRED)
def test_the_templates_of_a_vocabulary_fill_and_parse(language: Language) -> None:
    words, grammar = language.vocabulary(), language.grammar()
    writer = Writer(words.precedence)
    groups = [*words.atoms.values(), *words.wraps.values(), *words.joins.values(), words.pairs]
    templates = {t for group in groups for t in group}
    templates |= {words.negation, words.both, words.either}
    filled = {
        template: writer.fill(template, Wording("a"), Wording("b")).text for template in templates
    }
    unreadable = {
        template: text
        for template, text in filled.items()
        if "{" in text.replace("{}", "") or grammar.parse(text.encode()).root_node.has_error
    }
    assert not unreadable


@pytest.mark.parametrize("suffix", REPAIRED)
def test_the_texts_of_a_vocabulary_parse(language: Language) -> None:
    words, grammar = language.vocabulary(), language.grammar()
    texts = [words.true, words.false, words.nothing]
    texts += [text for group in words.literals.values() for text in group]
    for template in words.exits:
        leaving = template.format("a")
        texts += [leaving, words.guard.format("a", leaving, newline="\n", indent="    ")]
    assert not [t for t in texts if grammar.parse(t.encode()).root_node.has_error]


@pytest.mark.parametrize("suffix", REPAIRED)
def test_a_vocabulary_names_syntax_that_the_grammar_has(language: Language) -> None:
    kinds = language.vocabulary().node_types
    assert not [k for k in kinds if language.grammar().language.id_for_node_kind(k, True) is None]


@pytest.mark.parametrize("suffix", REPAIRED)
def test_the_groups_of_a_vocabulary_are_choices(language: Language) -> None:
    words = language.vocabulary()
    assert all(len(set(group)) == len(group) >= 2 for group in words.likes)
    assert "unary" in words.precedence
    types = {*words.node_types.values(), *words.literals, ""}
    assert {*words.atoms, *words.wraps, *words.joins} <= types
