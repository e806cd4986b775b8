"""What calls are known to do, by their names, and what one may do at all."""

import ast
from typing import Any

PURE, OWN, MAKES, ANY = "pure", "own", "makes", "any"

ATOMS = frozenset(
    """
    abs all any ascii bin bool bytes callable chr complex divmod float format hash hex id
    int isinstance issubclass len oct ord pow print range repr round slice str type
    """.split()
)
COPIES = frozenset(
    """
    list tuple set dict frozenset sorted reversed enumerate zip deque Counter
    defaultdict OrderedDict
    """.split()
)
PICKS = frozenset("min max next sum iter".split())
MUTATORS = frozenset(
    """
    append extend insert pop remove clear sort reverse add discard update setdefault popitem
    popleft appendleft extendleft rotate difference_update intersection_update
    symmetric_difference_update move_to_end
    """.split()
)
READERS = frozenset(
    """
    get items keys values index count copy union intersection difference issubset issuperset
    isdisjoint symmetric_difference join split rsplit splitlines strip lstrip rstrip lower
    upper title capitalize swapcase startswith endswith replace find rfind rindex isdigit
    isalpha isalnum isspace isupper islower isnumeric isdecimal zfill format encode decode
    partition rpartition ljust rjust center translate casefold expandtabs most_common
    elements bit_length is_integer
    """.split()
)
MODULES = frozenset("math cmath re string statistics itertools".split())


def called(node: Any) -> str:
    """Of what is called, or of what stands there."""
    if isinstance(node, ast.Call):
        node = node.func
    name: str = getattr(node, "attr", "") or getattr(node, "id", "")
    return name
