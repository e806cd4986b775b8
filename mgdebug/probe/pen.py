"""What a snapshot is written with: its bounds, its names for types, and the pen itself."""

from typing import Any, Callable, Tuple

from . import secrets

Text = Tuple[str, bool]  # a text, and whether it holds everything

get_name = type.__dict__["__name__"].__get__
get_mro = type.__dict__["__mro__"].__get__
get_names = type.__dict__["__dict__"].__get__


class Bounds:
    """depth: levels of containers and attributes; head, tail: items of a container that are kept;
    characters: of one value's text; nodes: values inside one value."""

    depth = 3
    head, tail = 24, 8
    items = 32
    characters = 400
    nodes = 320


def bound(depth: int = 3, items: int = 32, characters: int = 400) -> None:
    """Set what a snapshot may hold, for this process."""
    Bounds.depth = max(1, min(depth, 32))
    Bounds.items = items = max(4, items)
    Bounds.tail = items // 4
    Bounds.head = items - items // 4
    Bounds.characters = max(16, characters)
    Bounds.nodes = max(320, 2 * items)


class Pen:
    """What one snapshot is written with.

    nodes: how many more it may hold.  careful: whether names and texts are looked at for secrets.
    secret: whether all texts are, because of a name above them.  masked: whether any was.
    names: whether anything was written that stands under a name.
    """

    nodes = 0
    careful = secret = masked = names = False

    def write(self, value: Any, depth: int, room: int) -> Text:
        """A text of at most about `room` characters."""
        raise NotImplementedError

    def named(self, name: str, value: Any, depth: int, room: int) -> Text:
        """The text of what stands under a name."""
        if not self.careful:
            return self.write(value, depth, room)
        rank = secrets.rank(name)
        if rank == secrets.WEAK and secrets.keyish(value):
            return self.hide()
        outer, self.secret = self.secret, self.secret or rank == secrets.STRONG
        text = self.write(value, depth, room)
        self.secret = outer
        return text

    def hide(self) -> Text:
        self.masked = True
        return repr(secrets.MASK), False


Writer = Callable[[Any, int, int, Pen], Text]


def name_of(kind: type) -> str:
    return exact(get_name(kind))


def exact(text: Any) -> str:
    """A str whose own __str__ is not asked."""
    return str.__str__(text) if issubclass(type(text), str) else "?"
