"""Which iteration of its innermost loop a visit belongs to."""

from __future__ import annotations

from mgdebug.model import NOWHERE, Block, BlockKind, Exit, Value
from mgdebug.runner.loops import Loops

TRUE, FALSE = Value("bool", "True"), Value("bool", "False")


def block(name: str, kind: BlockKind, parent: str = "", leaves: Exit | None = None) -> Block:
    return Block(name, kind, NOWHERE, parent=parent, exit=leaves)


def run(name: str, parent: str = "", leaves: Exit | None = None) -> Block:
    return block(name, BlockKind.RUN, parent, leaves)


class Frame:
    """Tells the loops of one frame what happens in it."""

    def __init__(self, rounds: dict[str, str], *blocks: Block) -> None:
        self.blocks = {b.id: b for b in blocks}
        self.loops = Loops({b.id: b.parent for b in blocks}, rounds)

    def at(self, name: str, result: Value | None = None) -> int:
        found = self.loops.visit(self.blocks[name])
        self.loops.left(self.blocks[name], result)
        return found


def plain_for() -> Frame:
    return Frame(
        {"for": "body"},
        run("before"),
        block("for", BlockKind.LOOP),
        run("body", "for"),
        run("more", "for"),
        run("after"),
    )


def test_rounds_of_a_for_are_counted_by_the_first_block_of_its_body() -> None:
    frame = plain_for()
    assert [frame.at("before"), frame.at("for")] == [0, 0]
    assert [frame.at(name) for name in ("body", "more") * 3] == [1, 1, 2, 2, 3, 3]
    assert frame.at("after") == 0


def test_a_for_that_begins_again_counts_from_one() -> None:
    frame = plain_for()
    for _ in range(2):
        assert frame.at("for") == 0
        assert [frame.at("body"), frame.at("body")] == [1, 2]


def test_a_for_that_begins_again_at_once_counts_from_one() -> None:
    frame = Frame(
        {"outer": "inner", "inner": "body"},
        block("outer", BlockKind.LOOP),
        block("inner", BlockKind.LOOP, "outer"),
        run("body", "inner"),
    )
    assert frame.at("outer") == 0
    assert [frame.at("inner"), frame.at("body"), frame.at("body")] == [1, 1, 2]
    assert [frame.at("inner"), frame.at("body"), frame.at("body")] == [2, 1, 2]
    assert [frame.at("inner"), frame.at("inner")] == [3, 4]


def plain_while() -> Frame:
    return Frame(
        {"test": "test"},
        run("before"),
        block("test", BlockKind.CONDITION),
        run("body", "test"),
        run("out", "test", Exit.BREAK),
        run("after"),
    )


def test_rounds_of_a_while_are_counted_by_its_test() -> None:
    frame = plain_while()
    assert frame.at("before") == 0
    assert [frame.at("test", TRUE), frame.at("body")] == [1, 1]
    assert [frame.at("test", TRUE), frame.at("body")] == [2, 2]
    assert [frame.at("test", FALSE), frame.at("after")] == [3, 0]


def test_a_while_that_is_over_begins_again_with_one() -> None:
    frame = plain_while()
    for _ in range(2):
        assert [frame.at("test", TRUE), frame.at("body"), frame.at("test", FALSE)] == [1, 1, 2]


def test_a_while_that_was_broken_off_begins_again_with_one() -> None:
    frame = plain_while()
    for _ in range(2):
        assert [frame.at("test", TRUE), frame.at("body")] == [1, 1]
        assert [frame.at("test", TRUE), frame.at("out")] == [2, 2]


def test_a_while_in_a_while() -> None:
    frame = Frame(
        {"outer": "outer", "inner": "inner"},
        block("outer", BlockKind.CONDITION),
        run("first", "outer"),
        block("inner", BlockKind.CONDITION, "outer"),
        run("body", "inner"),
        run("last", "outer"),
    )
    for number in (1, 2):
        assert [frame.at("outer", TRUE), frame.at("first")] == [number, number]
        assert [frame.at("inner", TRUE), frame.at("body")] == [1, 1]
        assert [frame.at("inner", TRUE), frame.at("body")] == [2, 2]
        assert [frame.at("inner", FALSE), frame.at("last")] == [3, number]


def test_a_branch_belongs_to_the_loop_around_it() -> None:
    frame = Frame(
        {"for": "if"},
        block("for", BlockKind.LOOP),
        block("if", BlockKind.CONDITION, "for"),
        run("then", "if"),
        run("else", "if"),
    )
    frame.at("for")
    assert [frame.at("if", TRUE), frame.at("then")] == [1, 1]
    assert [frame.at("if", FALSE), frame.at("else")] == [2, 2]
    assert [frame.at("if", TRUE), frame.at("then")] == [3, 3]


def test_a_break_deep_in_a_loop_ends_that_loop_only() -> None:
    frame = Frame(
        {"outer": "inner", "inner": "if"},
        block("outer", BlockKind.LOOP),
        block("inner", BlockKind.LOOP, "outer"),
        block("if", BlockKind.CONDITION, "inner"),
        run("break", "if", Exit.BREAK),
        run("rest", "outer"),
    )
    frame.at("outer")
    for number in (1, 2):
        assert frame.at("inner") == number
        assert [frame.at("if", FALSE), frame.at("if", TRUE), frame.at("break")] == [1, 2, 2]
        assert frame.at("rest") == number


def test_a_continue_ends_no_loop() -> None:
    frame = Frame(
        {"for": "body"},
        block("for", BlockKind.LOOP),
        run("body", "for", Exit.CONTINUE),
    )
    frame.at("for")
    assert [frame.at("body"), frame.at("body")] == [1, 2]


def test_blocks_of_an_unknown_loop_have_no_iteration() -> None:
    frame = Frame({}, block("for", BlockKind.LOOP), run("body", "for"))
    assert [frame.at("for"), frame.at("body"), frame.at("body")] == [0, 0, 0]
