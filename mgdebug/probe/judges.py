"""What a process of the probe knows of its cases before any code of the project runs."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from .examples import Verdict, read_examples
from .frames import Malformed
from .judging import Program


class Judges:
    """What a parent knows of its cases before any code of the project runs."""

    def __init__(
        self,
        expressions: List[str],
        pairs: List[Tuple[str, str, str]],
        documented: Sequence[str] = (),
    ) -> None:
        """pairs: see pairs.pairs().  documented: files that hold doctests."""
        self._known: Dict[str, Any] = {}
        for path in documented:
            for name, examples in read_examples(path).items():
                self._known["doctest: " + name] = examples
        for index, source in enumerate(expressions, 1):
            try:
                self._known["case %d: %s" % (index, source)] = Program(source)
            except SyntaxError:  # told by who collects
                break
        seen: Dict[str, int] = {}
        for name, _, wanted in pairs:
            id = "io: " + name
            seen[id] = seen.get(id, 0) + 1
            self._known[id if seen[id] == 1 else "%s (%d)" % (id, seen[id])] = Output(wanted)

    def of(self, case: str) -> Any:
        """Whose verdict(proof) decides, or None: the child's word counts."""
        return self._known.get(case)


class Output:
    """The wanted output of a program."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lines: Optional[List[str]] = None
        try:
            with open(path, "rb") as file:
                self._lines = lines_of(file.read())
        except OSError:  # the case fails for the same reason
            pass

    def verdict(self, proof: Any) -> Verdict:
        """proof: the output, a character a byte.  Raises Malformed."""
        try:
            got = lines_of(proof.encode("latin-1"))
        except (AttributeError, ValueError):
            raise Malformed("an output that nobody sends") from None
        message = difference(got, self._lines) if self._lines is not None else "no wanted output"
        return Verdict(not message, message)


def lines_of(data: bytes) -> List[str]:
    """White space at the ends of lines and of the text does not count."""
    text = data.decode("utf-8", "replace")
    return [line.rstrip() for line in text.rstrip().splitlines()]


def difference(got: List[str], wanted: List[str]) -> str:
    """The first line that differs, "" if none does."""
    if got == wanted:
        return ""
    at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), None)
    if at is None:
        at = min(len(got), len(wanted))
    line = [lines[at][:100] if at < len(lines) else "" for lines in (got, wanted)]
    return "line %d is %r, wanted %r" % (at + 1, line[0], line[1])
