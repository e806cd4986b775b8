"""Callers that have to follow a changed signature: who they are, and what is taken of a reply."""

from __future__ import annotations

from collections.abc import Mapping

from mgdebug.languages.python import Python
from mgdebug.model import Edit
from mgdebug.proposers import Brief
from mgdebug.proposers.llm.following import followed, question, to_follow
from mgdebug.proposers.llm.replies import Unusable, edits_of
from mgdebug.syntax.hierarchy import decompose
from mgdebug.syntax.source import SourceFile

AREA = "def area(side):\n    return side + side\n"
USER = "from a import area\n\n\ndef main(side):\n    return area(side)\n"
FILES = {"a.py": AREA, "b.py": USER, "c.py": USER.replace("return ", "return 2 * ")}
REPLY = "```python\ndef area(side, power):\n    return side**power\n```"


def brief(files: Mapping[str, str], *, forbidden: frozenset[str] = frozenset()) -> Brief:
    """About the function area of a.py."""
    language = Python()
    sources = {p: SourceFile(p, text.encode(), language.grammar()) for p, text in files.items()}
    hierarchy = decompose(sources.values())
    own = hierarchy.subfunctions["a.py::area"]
    allowed = frozenset(hierarchy.subfunctions) - forbidden
    return Brief(sources["a.py"], language, hierarchy, own, (), (), files=sources, allowed=allowed)


def changed(about: Brief) -> tuple[Edit, ...]:
    edits = edits_of(REPLY, about.source, about.subfunction)
    assert not isinstance(edits, Unusable)
    return edits


def callers(about: Brief) -> list[str]:
    return [sub.id for sub in to_follow(about, changed(about))]


def test_callers_in_all_files_follow_where_they_may_be_changed() -> None:
    assert callers(brief(FILES)) == ["b.py::main", "c.py::main"]
    assert callers(brief(FILES, forbidden=frozenset({"b.py::main"}))) == ["c.py::main"]


def test_nobody_follows_where_the_parameters_keep_their_names() -> None:
    about = brief(FILES)
    reply = REPLY.replace("side, power", "side=2").replace("side**power", "side**2")
    edits = edits_of(reply, about.source, about.subfunction)
    assert not isinstance(edits, Unusable)
    assert to_follow(about, edits) == []


def test_who_cannot_be_written_anew_does_not_follow() -> None:
    module = FILES["b.py"] + "\n\nprint(area(3))\n"
    around = "def area(side):\n    return side\n\n\ndef outer():\n    def area_of(x):\n"
    around += "        return area(x)\n\n    return area_of(1) + area(2)\n"
    long = USER + "".join(f"    # {'x' * 80}\n" for _ in range(60)) + "    return 1\n"
    assert callers(brief({**FILES, "b.py": module})) == ["b.py::main", "c.py::main"]
    assert callers(brief({**FILES, "c.py": long})) == ["b.py::main"]
    [one] = callers(brief({"a.py": around}))  # of two that lie in each other
    assert one in ("a.py::outer", "a.py::outer.area_of")


def test_each_caller_gets_what_stands_under_its_name() -> None:
    about = brief(FILES)
    chosen = to_follow(about, changed(about))
    asked = question(about, chosen, changed(about))
    assert "now takes (side, power) where it took (side)" in asked
    blocks = {
        "b.py::main": "def main(side):\n    return area(side, 1)",
        "c.py::main": "def main(side):\n    return 2 * area(side, 2)",
    }
    reply = "".join(
        f"`{name}` passes it:\n```python\n{code}\n```\n" for name, code in blocks.items()
    )
    edits = followed(reply, about, chosen)
    after = {
        path: source.splice([e for e in edits if e.path == path]).text.decode()
        for path, source in about.files.items()
    }
    assert "return area(side, 1)" in after["b.py"]
    assert "return 2 * area(side, 2)" in after["c.py"]
    assert after["a.py"] == AREA


def test_a_block_without_a_name_and_what_else_a_reply_brings_are_not_taken() -> None:
    about = brief(FILES)
    chosen = to_follow(about, changed(about))
    code = (
        "import math\n\n\ndef area(x):\n    return x\n\n\ndef main(side):\n    return area(side, 3)"
    )
    assert followed(f"```python\n{code}\n```", about, chosen) == []
    edits = followed(f"`b.py::main`\n```python\n{code}\n```", about, chosen)
    text = about.files["b.py"].splice(edits).text.decode()
    assert text == USER.replace("area(side)", "area(side, 3)")
