"""Probes at block boundaries, put into the AST of a file as it is imported.

One at the start of each block hands over what may have changed since the last one (and so what the
block before it left), one more takes the value of a return, and of a condition where that does not
show in where it leads.  Line numbers, evaluation order and the meaning of every name stay as they
were.
"""

import ast
from typing import Sequence

from .bodies import Body
from .names import Scope
from .parts import Place
from .places import File
from .sites import NO_FRAME, Builder


def instrument(
    source: bytes,
    path: str,
    places: Sequence[Place],
    builder: Builder,
    reads: Sequence[Sequence[str]],
    *,
    hooks: bool = True,
) -> ast.Module:
    """The AST of a source with probes.

    places: of the blocks, in bytes of its UTF-8 text.  builder: takes the sites.  reads: the names
    that each block reads.  hooks: whether exceptions are reported where they leave a function; they
    cost a level of nesting, of which CPython takes twenty.  Raises what ast.parse() raises.
    """
    tree = ast.parse(source, path)
    file = File(source, places, tree, builder, reads, hooks)
    tree.body = Body(file, Scope.bare(file.data), NO_FRAME, -1).plain(tree.body)
    builder.settle()
    return tree
